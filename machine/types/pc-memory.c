/*
 * Where a PC's RAM and ROM lie, in QEMU's layout.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pc.h"

#include <gio/gio.h>
#include <string.h>

#include "firmware/loader.h"

/* The i440FX board leaves 0xe0000000-0xffffffff to PCI; where RAM would fill all below
 * that, the rest goes above 4 GiB from 3 GiB on, so that both parts are whole GiB. */
#define HOLE_START UINT64_C(0xe0000000)
#define HOLE_START_GIGABYTE_ALIGNED GiB(3)

bool pc_memory_init_ram_below(PCMachine *pc, uint64_t limit, GError **error)
{
    Machine *machine = &pc->parent;
    MemoryRegion *system = &machine->system_memory;
    uint64_t ram = machine->config.ram_size;

    pc->below_4g = MIN(ram, limit);
    pc->above_4g = ram - pc->below_4g;
    if (!machine_init_ram(machine, "pc.ram", error)) {
        return false;
    }
    memory_region_init_alias(&pc->ram_below, NULL, "ram-below-4g", &machine->ram, 0,
                             pc->below_4g);
    memory_region_add_subregion(system, 0, &pc->ram_below);
    if (pc->above_4g) {
        memory_region_init_alias(&pc->ram_above, NULL, "ram-above-4g", &machine->ram,
                                 pc->below_4g, pc->above_4g);
        memory_region_add_subregion(system, GiB(4), &pc->ram_above);
    }
    return true;
}

bool pc_memory_init_ram(PCMachine *pc, GError **error)
{
    uint64_t ram = pc->parent.config.ram_size;
    uint64_t limit = pc->max_ram_below_4g ? pc->max_ram_below_4g : HOLE_START;

    if (ram >= limit && limit > HOLE_START_GIGABYTE_ALIGNED && !pc->data->small_hole) {
        limit = HOLE_START_GIGABYTE_ALIGNED;
    }
    return pc_memory_init_ram_below(pc, limit, error);
}

static void copy_firmware(PCMachine *pc)
{
    size_t size;
    const void *image = g_bytes_get_data(pc->firmware_image, &size);

    memcpy(memory_region_get_ram_ptr(&pc->bios), image, size);
}

void pc_memory_reset(PCMachine *pc)
{
    if (pc->firmware_image) {
        copy_firmware(pc);
        memory_region_set_dirty(&pc->bios, 0, memory_region_size(&pc->bios));
    }
}

/* pc.bios ends at 4 GiB, and isa-bios is an alias of its end. */
static bool init_bios(PCMachine *pc, MemoryRegion *rom_memory, bool writable,
                      GError **error)
{
    const char *name = pc->parent.config.firmware ? pc->parent.config.firmware
                       : pc->data->bios_128k      ? "bios.bin"
                                                  : "bios-256k.bin";
    GBytes *image = firmware_load(
        name, pc->parent.config.data_dirs, &firmware_rules_bios, error);
    uint64_t size, isa_size;

    if (!image) {
        return false;
    }
    pc->firmware_image = image;
    size = g_bytes_get_size(image);
    isa_size = MIN(size, PC_ISA_BIOS_MAX);

    if (!memory_region_init_ram(&pc->bios, NULL, "pc.bios", size, error)) {
        return false;
    }
    copy_firmware(pc);
    if (!pc->data->firmware_writable && !pc->reload_firmware) {
        g_clear_pointer(&pc->firmware_image, g_bytes_unref);
    }
    memory_region_init_alias(&pc->isa_bios, NULL, "isa-bios", &pc->bios, size - isa_size,
                             isa_size);
    memory_region_set_readonly(&pc->bios, !writable);
    memory_region_set_readonly(&pc->isa_bios, !writable);
    memory_region_add_subregion_overlap(rom_memory, MiB(1) - isa_size, &pc->isa_bios, 1);
    memory_region_add_subregion(rom_memory, GiB(4) - size, &pc->bios);
    return true;
}

bool pc_memory_init_firmware(PCMachine *pc, MemoryRegion *rom_memory, GError **error)
{
    bool writable = pc->data->firmware_writable || pc->rom_over_ram;

    if (pc->rom_over_ram) {
        rom_memory = &pc->parent.system_memory;
    }
    if (!memory_region_init_ram(&pc->rom, NULL, "pc.rom", PC_ROM_SIZE, error)) {
        return false;
    }
    memory_region_set_readonly(&pc->rom, !writable);
    memory_region_add_subregion_overlap(rom_memory, PC_ROM_BASE, &pc->rom, 1);
    if (writable) { /* sockets for ROMs or RAM, not for flash chips */
        return init_bios(pc, rom_memory, writable, error);
    }
    return pc_flash_configure(pc, error) &&
           (pc->flash_drive[0] ? pc_flash_init(pc, rom_memory, error)
                               : init_bios(pc, rom_memory, writable, error));
}
