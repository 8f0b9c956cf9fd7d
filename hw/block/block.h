/*
 * BlockBackend: a disk image of the host's, as a disk controller uses it.
 *
 * Reads and writes are of whole 512-byte sectors and run at once in the calling thread.
 * Machine lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_BLOCK_BLOCK_H
#define HW_BLOCK_BLOCK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define BLOCK_SECTOR_SIZE 512

typedef struct BlockBackend BlockBackend;

/* What -drive says: "file=PATH,format=raw,if=ide,index=0,media=disk,readonly=on,id=...". */
typedef struct DriveOptions {
    char *id;
    char *file;
    char *interface; /* "ide", "floppy", "none", "pflash" */
    int bus, unit, index; /* -1: not given */
    bool cdrom;
    bool readonly;
    bool snapshot; /* writes go to memory and are forgotten */
} DriveOptions;

/* Parses -drive's text and opens the image. NULL and *error: unknown option, missing
 * file, a format that is not raw. */
BlockBackend *drive_new(const char *options, GError **error);

/* The drive for a controller's place, or NULL; each is handed out once. `index` counts
 * as QEMU's: bus = index / 2, unit = index % 2 for IDE. */
BlockBackend *drive_take(const char *interface, int bus, int unit);
BlockBackend *drive_find(const char *id);
void drive_foreach(void (*func)(BlockBackend *drive, void *opaque), void *opaque);
const DriveOptions *drive_options(const BlockBackend *drive);

uint64_t block_sectors(const BlockBackend *backend);
bool block_is_readonly(const BlockBackend *backend);
/* `count` sectors from `sector`; false: an I/O error or outside the image. */
bool block_read(BlockBackend *backend, uint64_t sector, void *buffer, unsigned count);
bool block_write(BlockBackend *backend, uint64_t sector, const void *buffer, unsigned count);
bool block_flush(BlockBackend *backend);

/* Closes all drives, at exit. */
void drive_cleanup(void);

#endif
