/*
 * The PC types, one row each, and what each changes against the newer ones.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pc.h"

static const PCTypeData i440fx_data = {.pci = true, .firmware = "bios-256k.bin"};
static const PCTypeData isapc_data = {.firmware = "bios.bin", .firmware_writable = true};

const MachineType pc_machine_types[] = {
    {
        .name = "pc-i440fx-7.2",
        .alias = "pc",
        .desc = "Standard PC (i440FX + PIIX, 1996)",
        .is_default = true,
        .default_ram = MiB(128),
        .get_type = pc_machine_get_type,
        .data = &i440fx_data,
    },
    {
        .name = "isapc",
        .desc = "ISA-only PC",
        .default_ram = MiB(128),
        .get_type = pc_machine_get_type,
        .data = &isapc_data,
    },
    {.name = NULL},
};
