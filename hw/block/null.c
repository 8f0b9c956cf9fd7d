/*
 * null-co: a disk of any size that forgets what is written to it, for measurements.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <string.h>

static bool null_open(BlockBackend *backend, const char *file, GError **error)
{
    backend->medium.length = backend->options.size;
    return true;
}

static void null_close(BlockBackend *backend)
{
}

static bool null_read(BlockBackend *backend, uint64_t offset, void *buffer, size_t length)
{
    if (backend->options.read_zeroes) {
        memset(buffer, 0, length);
    }
    return true;
}

static bool null_write(BlockBackend *backend, uint64_t offset, const void *buffer,
                       size_t length)
{
    return true;
}

const BlockDriver block_driver_null = {
    .name = "null-co",
    .open = null_open,
    .close = null_close,
    .read = null_read,
    .write = null_write,
};
