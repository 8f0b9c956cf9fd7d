/*
 * rhel6.5.0: the machine that RHEL 6 guests were installed on, by either of the emulators
 * that run it.
 *
 * RHEL 7's (emulator=rhel7, the default) is a PC with PAM. RHEL 6's (emulator=rhel6) had
 * none: it showed the BIOS block over the RAM at 0xe0000-0xfffff and the same block below
 * 4 GiB, both writable, and likewise the option ROMs' block over 0xc0000-0xdffff. A guest
 * that comes from there has its live firmware in the blocks and nothing in the RAM under
 * them, while its PAM registers say that RAM is shown: it must be shadowed on arrival, or
 * its next reboot or resume fetches zeroes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/rhel6.h"

#include <gio/gio.h>
#include <string.h>

#include "firmware/shadow.h"
#include "memory/ram-block.h"

typedef struct Rhel6Machine {
    PCMachine parent;
    char *emulator;
    bool shadow_bios_after_incoming;
} Rhel6Machine;

#define RHEL6_MACHINE(object)                                                            \
    (G_TYPE_CHECK_INSTANCE_CAST((object), rhel6_machine_get_type(), Rhel6Machine))

static MachineClass *pc_class;

static bool rhel6_build(Machine *machine, GError **error)
{
    Rhel6Machine *rhel6 = RHEL6_MACHINE(machine);
    PCMachine *pc = &rhel6->parent;

    if (strcmp(rhel6->emulator, "rhel6") == 0) {
        pc->rom_over_ram = true;
        device_add_global("i440FX", "pam", "off", true);
        device_add_global("PIIX4_PM", "ports-survive-reset", "on", true);
    } else if (strcmp(rhel6->emulator, "rhel7") != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-M rhel6.5.0,emulator=%s: there are rhel6 (no PAM) and rhel7 (PAM)",
                    rhel6->emulator);
        return false;
    }
    return pc_class->build(machine, error);
}

/* -- Shadowing after an incoming migration --------------------------------------- */

typedef struct ShadowedSegments {
    hwaddr address;
    const char *segments, *block;
} ShadowedSegments;

static const ShadowedSegments shadowed[] = {
    {SHADOW_E_SEGMENT, "E and F", "pc.bios"},
    {SHADOW_C_SEGMENT, "C and D", "pc.rom"},
};

static bool shadow_segments(RAMBlock *ram, const ShadowedSegments *what, GError **error)
{
    RAMBlock *rom = ram_block_find(what->block);
    bool copied;

    if (!shadow_fill(ram->host, ram->used_length, what->address, rom->host,
                     rom->used_length, what->block, &copied, error)) {
        return false;
    }
    if (copied) {
        ram_block_set_dirty(ram, what->address, SHADOW_SIZE, ~0u);
        g_printerr("rhel6.5.0: %s's segments %s arrived empty: shadowed from %s\n",
                   ram->name, what->segments, what->block);
    }
    return true;
}

/* Live segments are the guest's own shadow, with its firmware's variables: left alone. */
static bool rhel6_arrived(Machine *machine, GError **error)
{
    Rhel6Machine *rhel6 = RHEL6_MACHINE(machine);
    RAMBlock *ram = ram_block_find(machine->ram.ram_block->name);

    if (rhel6->parent.rom_over_ram || !rhel6->shadow_bios_after_incoming) {
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(shadowed); i++) {
        if (!shadow_segments(ram, &shadowed[i], error)) {
            return false;
        }
    }
    return true;
}

static const Property rhel6_properties[] = {
    PROP_STRING("emulator", Rhel6Machine, emulator, "rhel7",
                "whose machine it is: rhel7 (PAM works) or rhel6 (no PAM, ROM over RAM)"),
    PROP_BOOL("shadow-bios-after-incoming", Rhel6Machine, shadow_bios_after_incoming,
              true, "RAM under ROM that arrives empty is filled from the ROM"),
    PROP_BOOL(
        "reload-firmware", Rhel6Machine, parent.reload_firmware, true,
        "a reset writes the firmware image anew, as into a chip; off: what the guest "
        "did to it stays"),
    PROP_END,
};

static void rhel6_machine_class_init(MachineClass *klass)
{
    pc_class = g_type_class_peek_parent(klass);
    klass->build = rhel6_build;
    klass->arrived = rhel6_arrived;
    property_install_table(&klass->parent, rhel6_properties);
}

MACHINE_DEFINE_TYPE(Rhel6Machine, rhel6_machine, "rhel6-machine", TYPE_PC_MACHINE)
