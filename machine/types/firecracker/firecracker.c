/*
 * firecracker: the machine that Firecracker starts a PVH kernel in.
 *
 * The numbers are those of its src/vmm/src/arch/x86_64/layout.rs (Firecracker 1.12, the
 * first release with PVH): start info, memory map and command line, and the gap for MMIO.
 * Its devices are virtio over MMIO, which this model has none of, COM1, and a keyboard
 * controller that knows the reset alone; it has no RTC and no firmware.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/plugin.h"
#include "machine/types/pvh-machine.h"

#define GAP_START UINT64_C(0xd0000000) /* FIRST_ADDR_PAST_32BITS less MEM_32BIT_GAP_SIZE */

static const PVHTypeData firecracker = {
    .board = {.apics = true, .no_rtc = true},
    .has_i8042 = true,
    .gap_start = GAP_START,
    .layout =
        {
            .start_info = 0x6000,  /* PVH_INFO_START */
            .memory_map = 0x7000,  /* MEMMAP_START */
            .command_line = 0x20000, /* CMDLINE_START */
            .command_line_size = 2048, /* CMDLINE_MAX_SIZE */
        },
};

/* Its i8042 (src/vmm/src/devices/legacy/i8042.rs, CMD_RESET_CPU) and KVM's exit for a triple
 * fault (vstate/vcpu.rs) both end its process. */
static const MachineReboot reboots[] = {
    {"kbd", "shutdown", "Firecracker has no reset, its i8042 device ends the process"},
    {"triple", "shutdown", "Firecracker has no reset, a triple fault ends the process"},
    PVH_MACHINE_REBOOTS,
    {NULL},
};

static const MachineType types[] = {
    {.name = "firecracker",
     .desc = "Firecracker's microVM, started by PVH",
     .default_ram = MiB(128),
     .no_default_devices = true,
     .max_cpus = 32, /* Firecracker's MAX_SUPPORTED_VCPUS */
     .get_type = pvh_machine_get_type,
     .data = &firecracker,
     .reboot_kernel = "reboot-kernel.elf",
     .reboots = reboots,
     .ends_on_reset = true},
    {NULL},
};

MACHINE_PLUGIN(.name = "firecracker", .machines = types);
