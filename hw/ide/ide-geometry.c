/*
 * The geometry that a disk reports, guessed from its size and its partition table.
 *
 * A disk keeps the cylinders, heads and sectors that it was partitioned with, or its boot
 * sector would look for its system in other places. So where the partition table shows
 * where a partition ends in a track, that is the geometry; else the usual 16 heads of 63
 * sectors are. The BIOS translates what INT 13h's 1024 cylinders cannot hold.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/ide/ide-drive.h"

#define CYLINDERS_MIN 2
#define CYLINDERS_MAX 16383 /* ATA/ATAPI-6, 6.2: no more by CHS */
#define HEADS_MAX 16
#define SECTORS_MAX 63
#define BIOS_CYLINDERS_MAX 1024

#define MBR_TABLE 446
#define MBR_ENTRY_SIZE 16
#define MBR_ENTRIES 4
#define MBR_END_HEAD 5
#define MBR_END_SECTOR 6 /* bits 5:0; the rest is of the cylinder */
#define MBR_LENGTH 12    /* sectors, 32 bits little-endian */

/* The geometry that the partition table was made with, if it tells. */
static bool geometry_from_partitions(BlockBackend *backend, uint64_t sectors,
                                     IDEGeometry *geometry)
{
    uint8_t mbr[BLOCK_SECTOR_SIZE];

    if (!block_read(backend, 0, mbr, 1) || mbr[510] != 0x55 || mbr[511] != 0xaa) {
        return false;
    }
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        const uint8_t *entry = mbr + MBR_TABLE + i * MBR_ENTRY_SIZE;
        const uint8_t *length = entry + MBR_LENGTH;
        uint32_t heads = entry[MBR_END_HEAD] + 1u;
        uint32_t per_track = entry[MBR_END_SECTOR] & 0x3f;

        if (!(length[0] | length[1] | length[2] | length[3]) || heads == 1 ||
            per_track == 0) {
            continue;
        }

        uint64_t cylinders = sectors / (heads * per_track);

        if (cylinders >= 1 && cylinders <= CYLINDERS_MAX) {
            *geometry = (IDEGeometry){(uint32_t)cylinders, heads, per_track,
                                      IDE_TRANSLATION_NONE};
            return true;
        }
    }
    return false;
}

static void geometry_from_size(uint64_t sectors, IDEGeometry *geometry)
{
    uint64_t cylinders = sectors / (HEADS_MAX * SECTORS_MAX);

    *geometry = (IDEGeometry){
        .cylinders = (uint32_t)CLAMP(cylinders, CYLINDERS_MIN, CYLINDERS_MAX),
        .heads = HEADS_MAX,
        .sectors = SECTORS_MAX,
    };
    geometry->translation = geometry->cylinders <= BIOS_CYLINDERS_MAX
                                ? IDE_TRANSLATION_NONE
                                : IDE_TRANSLATION_LBA;
}

void ide_geometry_guess(BlockBackend *backend, IDEGeometry *geometry)
{
    uint64_t sectors = block_sectors(backend);
    IDEGeometry partitioned;

    geometry_from_size(sectors, geometry);
    if (!geometry_from_partitions(backend, sectors, &partitioned)) {
        return;
    }
    if (partitioned.heads <= HEADS_MAX) {
        *geometry = partitioned;
        return;
    }
    /* More heads than a drive can have: the table was made through a translating BIOS.
     * "Large" doubles heads up to 128 for 1024 cylinders; beyond that it was LBA. */
    geometry->translation =
        partitioned.cylinders * partitioned.heads <= BIOS_CYLINDERS_MAX * 128
            ? IDE_TRANSLATION_LARGE
            : IDE_TRANSLATION_LBA;
}
