/*
 * null-co, null-aio: a disk of any size that forgets what is written to it, for
 * measurements. (QEMU has it twice, in coroutines and with asynchronous I/O.)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <string.h>

#include "memory/types.h"

typedef struct NullDisk {
    bool read_zeroes; /* otherwise the buffer is left alone */
} NullDisk;

static bool null_open(BlockNode *node, OptionString *options, GError **error)
{
    NullDisk disk = {0};
    uint64_t latency;

    node->length = GiB(1);
    if (!block_take_size(options, "size", &node->length, error) ||
        !block_take_size(options, "latency-ns", &latency, error) ||
        !block_take_bool(options, "read-zeroes", &disk.read_zeroes, error)) {
        return false;
    }
    node->filename = g_strdup_printf("%s://", node->driver->name);
    node->state = g_memdup2(&disk, sizeof disk);
    return true;
}

static void null_close(BlockNode *node)
{
    g_free(node->state);
}

static bool null_read(BlockNode *node, uint64_t offset, void *buffer, size_t length)
{
    const NullDisk *disk = node->state;

    if (disk->read_zeroes) {
        memset(buffer, 0, length);
    }
    return true;
}

static bool null_write(BlockNode *node, uint64_t offset, const void *buffer,
                       size_t length)
{
    return true;
}

#define NULL_DRIVER(name_)                                                               \
    {                                                                                    \
        .name = name_, .open = null_open, .close = null_close, .read = null_read,        \
        .write = null_write                                                              \
    }

const BlockDriver block_driver_null_co = NULL_DRIVER("null-co");
const BlockDriver block_driver_null_aio = NULL_DRIVER("null-aio");
