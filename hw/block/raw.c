/*
 * raw: the bytes of the node below as they are, or a part of them.
 *
 * Where the user has not said that an image is raw, the guest must not turn it into
 * another format: the next start would believe the header, and with it the names of other
 * host files. So such a header is not written.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <gio/gio.h>
#include <string.h>

typedef struct RawDisk {
    uint64_t offset; /* where it begins in the node below */
    bool whole;      /* to the end of it, which may grow to a whole sector */
} RawDisk;

static bool raw_open(BlockNode *node, OptionString *options, GError **error)
{
    uint64_t below = node->file->length, offset = 0, size = UINT64_MAX;
    bool whole;

    if (!block_take_size(options, "offset", &offset, error) ||
        !block_take_size(options, "size", &size, error)) {
        return false;
    }
    whole = size == UINT64_MAX;
    if (offset > below || (!whole && size > below - offset) ||
        offset % BLOCK_SECTOR_SIZE || (!whole && size % BLOCK_SECTOR_SIZE)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "The sum of offset and size has to be smaller or equal to the actual "
                    "size of '%s', %" G_GUINT64_FORMAT
                    " bytes, and both multiples of 512",
                    node->filename, below);
        return false;
    }
    node->length = whole ? below - offset : size;
    node->state =
        g_memdup2(&(RawDisk){.offset = offset, .whole = whole}, sizeof(RawDisk));
    return true;
}

static void raw_close(BlockNode *node)
{
    g_free(node->state);
}

static bool raw_read(BlockNode *node, uint64_t offset, void *buffer, size_t length)
{
    const RawDisk *disk = node->state;

    return block_node_read(node->file, disk->offset + offset, buffer, length);
}

/* Whether the image would look like another format then. */
static bool makes_a_header(BlockNode *node, uint64_t offset, const void *buffer,
                           size_t length)
{
    uint8_t head[BLOCK_PROBE_SIZE];

    if (!node->probed || offset >= sizeof head ||
        !block_node_read(node, 0, head, sizeof head)) {
        return false;
    }
    memcpy(head + offset, buffer, MIN(length, sizeof head - offset));
    return block_format_of_content(head) != NULL;
}

static bool raw_write(BlockNode *node, uint64_t offset, const void *buffer, size_t length)
{
    const RawDisk *disk = node->state;

    return !makes_a_header(node, offset, buffer, length) &&
           block_node_write(node->file, disk->offset + offset, buffer, length);
}

static bool raw_flush(BlockNode *node)
{
    return !node->file->driver->flush || node->file->driver->flush(node->file);
}

static bool raw_discard(BlockNode *node, uint64_t offset, uint64_t length)
{
    const RawDisk *disk = node->state;
    BlockNode *file = node->file;

    return !file->unmap || !file->driver->discard ||
           file->driver->discard(file, disk->offset + offset, length);
}

const BlockDriver block_driver_raw = {
    .name = "raw",
    .below = "file",
    .open = raw_open,
    .close = raw_close,
    .read = raw_read,
    .write = raw_write,
    .flush = raw_flush,
    .discard = raw_discard,
};
