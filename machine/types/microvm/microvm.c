/*
 * microvm: a PC without PCI, with RAM where QEMU's microvm has it (hw/i386/microvm.c: up
 * to 3 GiB, the rest from 4 GiB), which starts a PVH kernel directly.
 *
 * QEMU's runs a small firmware first, which then starts the kernel; this one needs none.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/plugin.h"
#include "machine/types/pvh-machine.h"

static const PVHTypeData microvm = {
    .board = {.apics = true},
    .gap_start = GiB(3),
    .layout =
        {
            .start_info = 0x6000,
            .memory_map = 0x7000,
            .command_line = 0x20000,
            .command_line_size = 2048,
        },
};

/* Triple faults are what it offers: QEMU's docs/system/i386/microvm.rst. */
static const MachineReboot reboots[] = {
    {"kbd", "hung", "microvm has no keyboard controller: nobody answers at port 0x64"},
    PVH_MACHINE_REBOOTS,
    {NULL},
};

static const MachineType types[] = {
    {.name = "microvm",
     .desc = "microvm, a PC without PCI and firmware, started by PVH",
     .default_ram = MiB(128),
     .no_default_devices = true,
     .get_type = pvh_machine_get_type,
     .data = &microvm,
     .reboot_kernel = "reboot-kernel.elf",
     .reboots = reboots},
    {NULL},
};

MACHINE_PLUGIN(.name = "microvm", .machines = types);
