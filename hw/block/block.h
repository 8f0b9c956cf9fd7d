/*
 * BlockBackend: a disk image of the host's, as a disk controller uses it, and the -drive
 * option that opens it.
 *
 * Reads and writes are of whole 512-byte sectors and run at once in the calling thread.
 * What goes wrong with the image is an error to the caller (who tells the guest), never
 * to the process. Machine lock.
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

/* What -drive says: "file=PATH,format=raw,if=ide,index=0,media=disk,readonly=on,id=...".
 */
typedef struct DriveOptions {
    char *id;
    char *file;           /* NULL: a drive without a medium */
    char *interface;      /* "ide", "floppy", "none", "pflash" */
    int bus, unit, index; /* -1: not given */
    bool cdrom;
    bool readonly;
    bool snapshot;    /* writes go to memory and are forgotten */
    char *format;     /* "raw", "null-co", ...; NULL: not given */
    char *locking;    /* "on", "off", "auto": the image is guarded from a second writer */
    char *cache;      /* "writeback" (the default), "writethrough", "unsafe", ... */
    bool unmap;       /* what the guest discards is given back to the host */
    uint64_t size;    /* bytes, of null-co */
    bool read_zeroes; /* null-co reads zeroes; otherwise the buffer is left alone */
} DriveOptions;

/* Parses -drive's text and opens the image. A comma in a value is doubled. NULL and
 * *error: unknown option, missing file, unknown format, a place or id that is taken. */
BlockBackend *drive_new(const char *options, GError **error);

/* The older options: `option` is "hda" .. "hdd", "cdrom", "fda", "fdb" or "pflash" and
 * `file` the path as it is. */
BlockBackend *drive_new_legacy(const char *option, const char *file, GError **error);

/* The drive for a controller's place, or NULL; each is handed out once. `index` counts
 * as QEMU's: bus = index / 2, unit = index % 2 for IDE. */
BlockBackend *drive_take(const char *interface, int bus, int unit);
/* The drive that a device names in its property "drive"; NULL and *error when there is
 * none, or another device has it. */
BlockBackend *drive_take_by_id(const char *id, GError **error);
/* A drive of no name and no medium, for a device that was given none; already taken. */
BlockBackend *drive_new_empty(bool readonly);
/* Gives a taken drive back, so that another device can have it; a nameless one is gone.
 */
void drive_release(BlockBackend *drive);

BlockBackend *drive_find(const char *id);
void drive_foreach(void (*func)(BlockBackend *drive, void *opaque), void *opaque);
const DriveOptions *drive_options(const BlockBackend *drive);

/* Once the board is made: false and *error when a drive meant for a controller (all but
 * if=none) was taken by nobody. */
bool drive_check_all_taken(GError **error);

/* Bytes of the image; 0: no medium. */
uint64_t block_size(const BlockBackend *backend);
/* 512-byte sectors; an image's last part of a sector counts and reads as zero-padded. */
uint64_t block_sectors(const BlockBackend *backend);
bool block_is_readonly(const BlockBackend *backend);

/* Whether there is a medium; without one there are no sectors and all accesses fail. */
bool block_is_inserted(const BlockBackend *backend);
/* Counts what block_insert() and block_eject() did: a drive compares it with what it saw
 * last to notice a change of medium. */
unsigned block_medium_changes(const BlockBackend *backend);
/* Puts another image in the place of the medium. On failure *error, and nothing changed.
 */
bool block_insert(BlockBackend *backend, const char *file, GError **error);
void block_eject(BlockBackend *backend);

/* `count` sectors from `sector`; false: an I/O error or outside the image. */
bool block_read(BlockBackend *backend, uint64_t sector, void *buffer, unsigned count);
bool block_write(BlockBackend *backend, uint64_t sector, const void *buffer,
                 unsigned count);
bool block_flush(BlockBackend *backend);
/* The guest needs these sectors no more; what they read from now on is not defined. */
bool block_discard(BlockBackend *backend, uint64_t sector, uint64_t count);

/* Closes all drives, at exit. */
void drive_cleanup(void);

#endif
