/*
 * A PC's firmware in flash chips: the code in one whose last byte is at 4 GiB, its
 * variables in another below that, as QEMU lays them out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pc.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/block/pflash-cfi01.h"

#define FLASH_MAX MiB(8) /* of both together */

bool pc_flash_configure(PCMachine *pc, GError **error)
{
    for (int i = 0; i < PC_FLASHES; i++) {
        BlockBackend *drive = drive_take("pflash", 0, i);

        if (!drive) {
            continue;
        }
        if (pc->flash_drive[i]) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "-drive if=pflash,unit=%d clashes with -machine pflash%d=%s; give "
                "one of the two",
                i, i, pc->flash_drive[i]);
            return false;
        }
        drive_release(drive); /* the chip takes it by the name that it is given */
        pc->flash_drive[i] = g_strdup(drive_options(drive)->id);
    }
    for (int i = 1; i < PC_FLASHES; i++) {
        if (pc->flash_drive[i] && !pc->flash_drive[i - 1]) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "pflash%d requires pflash%d: add the flash with the firmware's code", i,
                i - 1);
            return false;
        }
    }
    return true;
}

/* The end of the code shows below 1 MiB, where a processor in real mode reaches it: a
 * copy of what is in the chip at power-on, as boards shadow it. */
static bool show_isa_bios(PCMachine *pc, MemoryRegion *flash, MemoryRegion *rom_memory,
                          GError **error)
{
    uint64_t size = memory_region_size(flash), isa_size = MIN(size, PC_ISA_BIOS_MAX);
    const uint8_t *bytes = memory_region_get_ram_ptr(flash);

    if (!memory_region_init_ram(&pc->isa_bios, NULL, "isa-bios", isa_size, error)) {
        return false;
    }
    memcpy(memory_region_get_ram_ptr(&pc->isa_bios), bytes + size - isa_size, isa_size);
    memory_region_set_readonly(&pc->isa_bios, true);
    memory_region_add_subregion_overlap(rom_memory, MiB(1) - isa_size, &pc->isa_bios, 1);
    return true;
}

bool pc_flash_init(PCMachine *pc, MemoryRegion *rom_memory, GError **error)
{
    uint64_t end = GiB(4);

    for (unsigned i = 0; i < PC_FLASHES && pc->flash_drive[i]; i++) {
        g_autofree char *name = g_strdup_printf("system.flash%u", i);
        Device *flash = pflash_cfi01_new(name, pc->flash_drive[i], error);
        MemoryRegion *memory;

        if (!flash) {
            return false;
        }
        memory = pflash_cfi01_memory(flash);
        end -= memory_region_size(memory);
        if (GiB(4) - end > FLASH_MAX) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        "combined size of system firmware exceeds %" PRIu64
                        " bytes; use smaller images",
                        (uint64_t)FLASH_MAX);
            return false;
        }
        /* The chips are on the board, below what the chipset shows. */
        memory_region_add_subregion(&pc->parent.system_memory, end, memory);
        if (i == 0 && !show_isa_bios(pc, memory, rom_memory, error)) {
            return false;
        }
    }
    return true;
}
