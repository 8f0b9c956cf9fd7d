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

static unsigned sectors_of(size_t format)
{
    return formats[format].cylinders * formats[format].heads * formats[format].sectors;
}

/* 3 1/2 inches, all but the 1.2 MB drive. */
static bool fits(FloppyType disk, FloppyType drive)
{
    return (disk == FLOPPY_TYPE_120) == (drive == FLOPPY_TYPE_120);
}

/* The format of a disk of that size in such a drive; of sizes that none has, and of disks
 * that do not go in, the drive's usual one. */
static size_t find_format(FloppyType type, uint64_t sectors)
{
    size_t usual = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (sectors_of(i) == sectors &&
            (type == FLOPPY_TYPE_AUTO || fits(formats[i].type, type))) {
            return i;
        }
    }
    while (usual + 1 < G_N_ELEMENTS(formats) && type != FLOPPY_TYPE_AUTO &&
           formats[usual].type != type) {
        usual++;
    }
    return type == FLOPPY_TYPE_NONE ? 0 : usual;
}

void floppy_drive_init(FloppyDrive *drive, FloppyType type, FloppyType fallback,
                       BlockBackend *slot)
{
    *drive = (FloppyDrive){.type = type, .slot = slot};
    if (type == FLOPPY_TYPE_AUTO) {
        drive->type = floppy_drive_has_disk(drive)
                          ? formats[find_format(type, block_sectors(slot))].type
                          : fallback;
    }
    floppy_drive_change_disk(drive);
}

void floppy_drive_change_disk(FloppyDrive *drive)
{
    size_t format =
        find_format(drive->type, drive->slot ? block_sectors(drive->slot) : 0);

    drive->cylinders = formats[format].cylinders;
    drive->heads = formats[format].heads;
    drive->sectors = formats[format].sectors;
    drive->rate = formats[format].rate;
    drive->changed = true;
}

uint8_t floppy_drive_cmos_type(const FloppyDrive *drive)
{
    static const uint8_t types[] = {4, 5, 2, 0, 0};

    return types[drive->type];
}

void floppy_drive_seek(FloppyDrive *drive, unsigned cylinder)
{
    /* A step pulse with a disk in the drive ends the disk change signal; a seek to where
     * the heads are makes none. */
    if (floppy_drive_has_disk(drive) && cylinder != drive->cylinder) {
        drive->changed = false;
    }
    drive->cylinder = (uint8_t)cylinder;
}

bool floppy_drive_sector(const FloppyDrive *drive, unsigned cylinder, unsigned head,
                         unsigned sector, uint64_t *number)
{
    if (!floppy_drive_has_disk(drive) || cylinder >= drive->cylinders ||
        head >= drive->heads || sector == 0 || sector > drive->sectors) {
        return false;
    }
    *number = ((uint64_t)cylinder * drive->heads + head) * drive->sectors + sector - 1;
    return *number < block_sectors(drive->slot);
}
