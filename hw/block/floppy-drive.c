/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/floppy-drive.h"

/* The formats of the PC, by size; the first of a drive type is its usual one. */
static const struct {
    FloppyType type;
    uint8_t cylinders, heads, sectors, rate;
} formats[] = {
    {FLOPPY_TYPE_144, 80, 2, 18, 0}, {FLOPPY_TYPE_288, 80, 2, 36, 3},
    {FLOPPY_TYPE_120, 80, 2, 15, 0}, {FLOPPY_TYPE_144, 80, 2, 20, 0},
    {FLOPPY_TYPE_144, 80, 2, 21, 0}, {FLOPPY_TYPE_144, 82, 2, 21, 0},
    {FLOPPY_TYPE_144, 83, 2, 21, 0}, {FLOPPY_TYPE_144, 80, 2, 9, 2},
    {FLOPPY_TYPE_144, 80, 2, 10, 2}, {FLOPPY_TYPE_120, 80, 2, 8, 2},
    {FLOPPY_TYPE_120, 40, 2, 9, 1},  {FLOPPY_TYPE_120, 40, 2, 8, 1},
    {FLOPPY_TYPE_120, 40, 1, 9, 1},  {FLOPPY_TYPE_120, 40, 1, 8, 1},
};

void floppy_drive_init(FloppyDrive *drive, FloppyType type, FloppyType fallback,
                       BlockBackend *disk)
{
    uint64_t size = disk ? block_sectors(disk) : 0;
    size_t format = 0, i;

    /* By size; a size that no format has is read as the drive's usual format. */
    for (i = 0; i < G_N_ELEMENTS(formats); i++) {
        if ((uint64_t)formats[i].cylinders * formats[i].heads * formats[i].sectors ==
            size) {
            break;
        }
    }
    if (i == G_N_ELEMENTS(formats)) {
        FloppyType usual = type == FLOPPY_TYPE_AUTO && disk ? FLOPPY_TYPE_144
                           : type == FLOPPY_TYPE_AUTO       ? fallback
                                                            : type;

        for (i = 0; i < G_N_ELEMENTS(formats) && formats[i].type != usual; i++) {
        }
    }
    format = i < G_N_ELEMENTS(formats) ? i : 0;
    *drive = (FloppyDrive){
        .type = type != FLOPPY_TYPE_AUTO ? type
                : disk                   ? formats[format].type
                                         : fallback,
        .disk = disk,
        .cylinders = formats[format].cylinders,
        .heads = formats[format].heads,
        .sectors = formats[format].sectors,
        .rate = formats[format].rate,
        .changed = true,
    };
}

uint8_t floppy_drive_cmos_type(const FloppyDrive *drive)
{
    static const uint8_t types[] = {4, 5, 2, 0, 0};

    return types[drive->type];
}

void floppy_drive_seek(FloppyDrive *drive, unsigned cylinder)
{
    drive->cylinder = cylinder;
    if (drive->disk) {
        drive->changed = false;
    }
}

bool floppy_drive_sector(const FloppyDrive *drive, unsigned cylinder, unsigned head,
                         unsigned sector, uint64_t *number)
{
    if (!drive->disk || cylinder >= drive->cylinders || head >= drive->heads ||
        sector == 0 || sector > drive->sectors) {
        return false;
    }
    *number = ((uint64_t)cylinder * drive->heads + head) * drive->sectors + sector - 1;
    return *number < block_sectors(drive->disk);
}
