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

#include "hw/core/device.h"

#define BLOCK_SECTOR_SIZE 512

typedef struct BlockBackend BlockBackend;
struct BlockNode;

/* What follows a failed access (werror=, rerror=). */
typedef enum BlockErrorPolicy {
    BLOCK_ERROR_REPORT, /* the guest is told */
    BLOCK_ERROR_IGNORE, /* the guest is told that all went well */
    BLOCK_ERROR_STOP,   /* the machine stops, and repeats the access when it goes on */
    BLOCK_ERROR_ENOSPC, /* so where the host's disk is full; else the guest is told */
} BlockErrorPolicy;

/* The names of these, for devices' properties "rerror" and "werror": 0 is "auto", what
 * the drive has; else the policy + 1. */
extern const char *const block_error_policy_names[];

/* Of a drive that has stopped the machine, until it goes on. */
typedef enum BlockIOStatus {
    BLOCK_IO_OK,
    BLOCK_IO_FAILED,
    BLOCK_IO_NO_SPACE,
} BlockIOStatus;

/* What -drive says:
 * "file=PATH,format=raw,if=ide,index=0,media=disk,readonly=on,id=...". */
typedef struct DriveOptions {
    char *id;
    char *file;           /* NULL: a drive without a medium */
    char *interface;      /* "ide", "floppy", "none", "pflash" */
    int bus, unit, index; /* -1: not given */
    bool cdrom;
    bool readonly;
    bool snapshot; /* writes go to memory and are forgotten */
    char *format;  /* "raw", "null-co", ...; NULL: not given */
    char *cache;   /* "writeback" (the default), "writethrough", "unsafe", ... */
    int read_errors, write_errors; /* BlockErrorPolicy */
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
/* The drive that a device names in its property "drive", or a node of -blockdev's with a
 * nameless drive around it, which the device is to write where `write`. NULL and *error
 * when there is none, or another device has it. */
BlockBackend *drive_take_by_id(const char *id, bool write, GError **error);
/* A drive of no name and no medium, for a device that was given none; already taken. */
BlockBackend *drive_new_empty(bool readonly);
/* Gives a taken drive back, so that another device can have it; a nameless one
 * is gone. */
void drive_release(BlockBackend *drive);

/* Takes the medium and the name from a drive: a device that has it is left with nothing
 * but errors, until it goes too. */
void drive_delete(BlockBackend *drive);

BlockBackend *drive_find(const char *id);
/* By the id or path of the device that has it. */
BlockBackend *drive_find_by_device(const char *id);
/* Whether it is an identifier as QEMU takes it: a letter, then letters, digits, '-', '.'
 * and '_'. */
bool drive_id_well_formed(const char *id);
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
struct BlockNode *block_node(const BlockBackend *backend); /* the medium, or NULL */
/* Counts what block_insert() and block_eject() did: a drive compares it with what it saw
 * last to notice a change of medium. */
unsigned block_medium_changes(const BlockBackend *backend);
/* Puts another image in the place of the medium. `format` NULL: as the content has it. On
 * failure *error, and nothing changed. */
bool block_insert(BlockBackend *backend, const char *file, const char *format,
                  GError **error);
bool block_insert_node(BlockBackend *backend, struct BlockNode *node, GError **error);
void block_eject(BlockBackend *backend);
/* Of the media to come. */
void block_set_readonly(BlockBackend *backend, bool readonly);

/* `count` sectors from `sector`; false: an I/O error or outside the image. */
bool block_read(BlockBackend *backend, uint64_t sector, void *buffer, unsigned count);
bool block_write(BlockBackend *backend, uint64_t sector, const void *buffer,
                 unsigned count);
/* After one of the two has failed: how many sectors can be read or written before the
 * first that cannot. */
unsigned block_good_sectors(BlockBackend *backend, uint64_t sector, void *buffer,
                            unsigned count, bool write);
bool block_flush(BlockBackend *backend);
/* The guest needs these sectors no more; what they read from now on is not defined. */
bool block_discard(BlockBackend *backend, uint64_t sector, uint64_t count);

/* -- Accesses that are repeated ------------------------------------------------------ */

/* Whether the access that has just failed is to be repeated: the user is asked to make
 * room on the host's disk, say. The device shows its guest a command that takes its time,
 * and tries again when its ops->repeat is called. */
bool block_is_waiting(const BlockBackend *backend);
bool block_any_waiting(void);
/* Has the device try again; nothing where none waits. */
void block_repeat(BlockBackend *backend);
/* All of them, and their I/O status is well again: the machine goes on. */
void block_repeat_all(void);

BlockIOStatus block_io_status(const BlockBackend *backend);
/* Whether the drive can stop the machine, and so has an I/O status to show. */
bool block_has_io_status(const BlockBackend *backend);
/* Sets what a device's properties say: block_error_policy_names' indices. False and
 * *error where the device cannot repeat an access, but shall. */
bool block_set_error_policies(BlockBackend *backend, int read_errors, int write_errors,
                              GError **error);

/* What QEMU's "qemu-io" is used for at run time, "break EVENT TAG", "resume TAG",
 * "remove_break TAG", of an image behind blkdebug. False and *error: no such command,
 * tag, event; no blkdebug. */
bool block_debug(BlockBackend *backend, const char *command, GError **error);

/* -- The device that has the drive, as the user's commands deal with it ----------------
 */

typedef struct BlockDeviceOps {
    bool reports_errors; /* with events */
    /* NULL: it cannot repeat an access. Tries again what failed, when block_is_waiting()
     * said so; this may happen once more. */
    void (*repeat)(void *opaque);
    /* NULL: the medium is fixed. The medium has come (load), or is about to go. */
    void (*change_medium)(void *opaque, bool load);
    /* NULL: it has no tray. */
    bool (*tray_is_open)(void *opaque);
    bool (*is_locked)(void *opaque);
    /* The user would like the tray open; `force`: whatever the guest says. */
    void (*request_eject)(void *opaque, bool force);
} BlockDeviceOps;

/* Tells the drive that it is `device`'s, until drive_release(). */
void block_set_device(BlockBackend *backend, Device *device, const BlockDeviceOps *ops,
                      void *opaque);
Device *block_device(const BlockBackend *backend);                   /* or NULL */
const BlockDeviceOps *block_device_ops(const BlockBackend *backend); /* or NULL */
bool block_is_removable(const BlockBackend *backend);
bool block_has_tray(const BlockBackend *backend);
bool block_tray_is_open(const BlockBackend *backend); /* false without a tray */
bool block_is_locked(const BlockBackend *backend);

/* A device tells that its tray has moved, whoever did it. */
void block_tray_moved(BlockBackend *backend);

/* Who is told of what happens to drives: set once, by the monitor. */
typedef struct BlockEvents {
    void (*tray_moved)(BlockBackend *backend, bool open);
    void (*io_error)(BlockBackend *backend, bool write, BlockErrorPolicy action,
                     int code);
} BlockEvents;
void block_set_events(const BlockEvents *events);

/* The user's commands. False and *error as QEMU has them. */
bool block_open_tray(BlockBackend *backend, bool force, GError **error);
bool block_close_tray(BlockBackend *backend, GError **error);
bool block_remove_medium(BlockBackend *backend, GError **error);
bool block_insert_medium(BlockBackend *backend, const char *node_name, GError **error);
bool block_eject_medium(BlockBackend *backend, bool force, GError **error);
/* `readonly_mode`: "retain", "read-only", "read-write"; NULL: retain. */
bool block_change_medium(BlockBackend *backend, const char *file, const char *format,
                         const char *readonly_mode, bool force, GError **error);

/* Closes all drives, at exit. */
void drive_cleanup(void);

#endif
