/*
 * A floppy disk drive and the disk in it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_BLOCK_FLOPPY_DRIVE_H
#define HW_BLOCK_FLOPPY_DRIVE_H

#include "hw/block/block.h"

typedef enum FloppyType { /* the index is that of `fdtypeA`'s names */
                          FLOPPY_TYPE_144,
                          FLOPPY_TYPE_288,
                          FLOPPY_TYPE_120,
                          FLOPPY_TYPE_NONE,
                          FLOPPY_TYPE_AUTO,
} FloppyType;

typedef struct FloppyDrive {
    FloppyType type;                   /* NONE: there is no drive */
    BlockBackend *slot;                /* where a disk is put; NULL: there is no drive */
    uint8_t cylinders, heads, sectors; /* sectors a track */
    uint8_t rate; /* data rate select that reads the disk: 0 500k, 1 300k, 2 250k, 3 1M */
    uint8_t cylinder; /* where the heads are */
    bool changed;     /* the disk change line, until the heads step with a disk in */
} FloppyDrive;

/* Makes a drive of `slot`; one of type AUTO becomes what the disk in it wants, an empty
 * one `fallback`. */
void floppy_drive_init(FloppyDrive *drive, FloppyType type, FloppyType fallback,
                       BlockBackend *slot);

/* Another disk is in the slot, or none. */
void floppy_drive_change_disk(FloppyDrive *drive);

static inline bool floppy_drive_has_disk(const FloppyDrive *drive)
{
    return drive->slot && block_is_inserted(drive->slot);
}

/* The drive's nibble of CMOS byte 0x10: 0 none, 2 1.2 MB, 4 1.44 MB, 5 2.88 MB. */
uint8_t floppy_drive_cmos_type(const FloppyDrive *drive);

void floppy_drive_seek(FloppyDrive *drive, unsigned cylinder);

/* The image's sector of an address on the disk; false: the disk has none there. */
bool floppy_drive_sector(const FloppyDrive *drive, unsigned cylinder, unsigned head,
                         unsigned sector, uint64_t *number);

#endif
