/*
 * What stands behind a BlockBackend: a format's way to its bytes. Private to hw/block.
 *
 * A driver sees bytes, and only ranges inside the image: block.c has checked them against
 * the number of sectors, keeps snapshot=on's writes from it, and decides when to flush.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_BLOCK_BACKEND_H
#define HW_BLOCK_BACKEND_H

#include "hw/block/block.h"

typedef struct BlockDriver {
    const char *name; /* of the format */
    /* Opens options.file, writable unless backend->readonly; sets state and length. */
    bool (*open)(BlockBackend *backend, const char *file, GError **error);
    void (*close)(BlockBackend *backend);
    bool (*read)(BlockBackend *backend, uint64_t offset, void *buffer, size_t length);
    bool (*write)(BlockBackend *backend, uint64_t offset, const void *buffer,
                  size_t length);
    bool (*flush)(BlockBackend *backend); /* or NULL */
    bool (*discard)(BlockBackend *backend, uint64_t offset,
                    uint64_t length); /* or NULL */
} BlockDriver;

typedef struct BlockMedium {
    const BlockDriver *driver; /* NULL: no medium */
    void *state;               /* the driver's */
    uint64_t length;           /* bytes */
    GHashTable *overlay;       /* snapshot=on: cluster number -> its bytes */
} BlockMedium;

struct BlockBackend {
    DriveOptions options;
    BlockMedium medium;
    bool readonly; /* to the guest */
    bool taken;
    unsigned medium_changes;
};

extern const BlockDriver block_driver_raw;
extern const BlockDriver block_driver_null;

/* The driver for options.format, or *error that names the known ones. Where no format is
 * given, an image that is plainly not raw is refused rather than guessed. */
const BlockDriver *block_driver_find(const DriveOptions *options, const char *file,
                                     GError **error);

/* Whether the driver opens the image for writing. */
bool block_wants_write(const BlockBackend *backend);

#endif
