/*
 * Loading firmware images and option ROMs from files, plain or gzip-compressed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_LOADER_H
#define FIRMWARE_LOADER_H

#include "memory/types.h"

/* What an image must be, after decompression. */
typedef struct FirmwareRules {
    const char *what;     /* "firmware", "option ROM": how messages call it */
    uint64_t granularity; /* bytes; the size is a multiple of it. 0: any size */
    uint64_t max_size;    /* bytes */
} FirmwareRules;

/* A PC's BIOS: whole 64 KiB segments (what QEMU's pc accepts), at most the 16 MiB below
 * 4 GiB that chipsets decode to the firmware hub. */
extern const FirmwareRules firmware_rules_bios;

/* An option ROM: at most 16 MiB, any size (its header counts 512-byte blocks). */
extern const FirmwareRules firmware_rules_option_rom;

#define FIRMWARE_ERROR (firmware_error_quark())
GQuark firmware_error_quark(void);

typedef enum FirmwareError {
    FIRMWARE_ERROR_NOT_FOUND,
    FIRMWARE_ERROR_READ, /* found, but the host cannot read it */
    FIRMWARE_ERROR_EMPTY,
    FIRMWARE_ERROR_SIZE, /* odd size, or too large */
    FIRMWARE_ERROR_GZIP, /* truncated or corrupt */
} FirmwareError;

/*
 * Adds -L's directories (NULL-terminated, kept by the caller): they are looked through
 * before the `directories` of each call. Before the first call.
 */
void firmware_set_directories(const char *const *directories);

/*
 * The file that `name` means: as it stands if it names a file (from the working
 * directory), else the first hit in `directories` (-L, NULL-terminated, may be NULL),
 * then in the user's and the system's data directories and where distributions keep
 * SeaBIOS and QEMU's ROMs. Free the path. On failure *error lists where it was looked
 * for.
 */
char *firmware_find_file(const char *name, const char *const *directories,
                         GError **error);

/*
 * Finds (of files that are nowhere, the built-in ones of guest.h), reads and, where it
 * starts with gzip's magic, decompresses an image. Decompressing stops at
 * rules->max_size, so that a small file cannot fill the host's memory. NULL and *error in
 * one sentence on failure. Needs no lock.
 */
GBytes *firmware_load(const char *name, const char *const *directories,
                      const FirmwareRules *rules, GError **error);

#endif
