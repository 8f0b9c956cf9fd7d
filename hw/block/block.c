/*
 * BlockBackend: bounds, the forgetful writes of snapshot=on, and when data is flushed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <errno.h>
#include <string.h>

/* The grain of snapshot=on: small enough for a guest's file system blocks. */
#define OVERLAY_CLUSTER 4096

/* -- The medium ---------------------------------------------------------------------- */

uint64_t block_size(const BlockBackend *backend)
{
    return backend->node ? backend->node->length : 0;
}

uint64_t block_sectors(const BlockBackend *backend)
{
    return block_size(backend) / BLOCK_SECTOR_SIZE +
           (block_size(backend) % BLOCK_SECTOR_SIZE != 0);
}

bool block_is_readonly(const BlockBackend *backend)
{
    return backend->readonly;
}

void block_set_readonly(BlockBackend *backend, bool readonly)
{
    backend->options.readonly = readonly;
}

bool block_is_inserted(const BlockBackend *backend)
{
    return backend->node != NULL;
}

BlockNode *block_node(const BlockBackend *backend)
{
    return backend->node;
}

unsigned block_medium_changes(const BlockBackend *backend)
{
    return backend->medium_changes;
}

/* Whether the guest's writes reach the node. */
static bool writes_node(const BlockBackend *backend)
{
    return !backend->readonly && !backend->overlay;
}

static bool wants_readonly(const BlockBackend *backend)
{
    return backend->options.readonly || backend->options.cdrom;
}

static void drop_medium(BlockBackend *backend)
{
    if (backend->node) { /* the last one to let go of the node flushes it */
        block_node_detach(backend->node, writes_node(backend));
        backend->node = NULL;
    }
    g_clear_pointer(&backend->overlay, g_hash_table_destroy);
}

bool block_insert_node(BlockBackend *backend, BlockNode *node, GError **error)
{
    bool readonly =
        wants_readonly(backend) || (node->readonly && !backend->options.snapshot);

    if (!block_node_attach(node, !readonly && !backend->options.snapshot, error)) {
        return false;
    }
    drop_medium(backend);
    backend->node = node;
    backend->readonly = readonly;
    if (backend->options.snapshot) {
        backend->overlay =
            g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    }
    backend->medium_changes++;
    return true;
}

bool block_insert_options(BlockBackend *backend, const char *file, const char *format,
                          OptionString *options, GError **error)
{
    bool readonly = wants_readonly(backend) || backend->options.snapshot;
    BlockNode *node;
    bool inserted;

    if (!option_string_get(options, "read-only")) {
        option_string_add(options, "read-only", readonly ? "on" : "off");
    }
    node = block_node_open_file(file, format, options, error);
    inserted = node && block_insert_node(backend, node, error);
    if (node) {
        block_node_unref(node);
    }
    return inserted;
}

bool block_insert_driver(BlockBackend *backend, const char *driver, OptionString *options,
                         GError **error)
{
    bool readonly = wants_readonly(backend) || backend->options.snapshot;
    BlockNode *node;
    bool inserted;

    option_string_add(options, "driver", driver);
    option_string_add(options, "read-only", readonly ? "on" : "off");
    node = block_node_open(options, NULL, error);
    inserted = node && block_insert_node(backend, node, error);
    if (node) {
        block_node_unref(node);
    }
    return inserted;
}

bool block_insert(BlockBackend *backend, const char *file, const char *format,
                  GError **error)
{
    return block_insert_options(backend, file, format, option_string_new(), error);
}

void block_eject(BlockBackend *backend)
{
    if (block_is_inserted(backend)) {
        drop_medium(backend);
        backend->medium_changes++;
    }
}

/* -- snapshot=on --------------------------------------------------------------------- */

/* Calls func for each piece of [offset, offset + length) that lies in one cluster. */
static bool overlay_foreach(BlockBackend *backend, uint64_t offset, uint8_t *buffer,
                            size_t length,
                            bool (*func)(BlockBackend *backend, int64_t cluster,
                                         size_t start, uint8_t *bytes, size_t count))
{
    while (length > 0) {
        size_t start = offset % OVERLAY_CLUSTER;
        size_t count = MIN(length, OVERLAY_CLUSTER - start);

        if (!func(backend, (int64_t)(offset / OVERLAY_CLUSTER), start, buffer, count)) {
            return false;
        }
        offset += count;
        buffer += count;
        length -= count;
    }
    return true;
}

static bool overlay_read_piece(BlockBackend *backend, int64_t cluster, size_t start,
                               uint8_t *bytes, size_t count)
{
    const uint8_t *held = g_hash_table_lookup(backend->overlay, &cluster);

    if (held) {
        memcpy(bytes, held + start, count);
    }
    return true;
}

static bool overlay_write_piece(BlockBackend *backend, int64_t cluster, size_t start,
                                uint8_t *bytes, size_t count)
{
    uint8_t *held = g_hash_table_lookup(backend->overlay, &cluster);

    if (!held) {
        uint64_t offset = (uint64_t)cluster * OVERLAY_CLUSTER;
        uint64_t size = backend->node->length;

        held = g_malloc0(OVERLAY_CLUSTER);
        if (count < OVERLAY_CLUSTER && offset < size &&
            !block_node_read(backend->node, offset, held, OVERLAY_CLUSTER)) {
            g_free(held);
            return false;
        }
        g_hash_table_insert(backend->overlay, g_memdup2(&cluster, sizeof cluster), held);
    }
    memcpy(held + start, bytes, count);
    return true;
}

/* -- Reading and writing ------------------------------------------------------------- */

static bool block_range_ok(const BlockBackend *backend, uint64_t sector, uint64_t count)
{
    uint64_t sectors = block_sectors(backend);

    return block_is_inserted(backend) && sector <= sectors && count <= sectors - sector;
}

bool block_read(BlockBackend *backend, uint64_t sector, void *buffer, unsigned count)
{
    uint64_t offset = sector * BLOCK_SECTOR_SIZE;
    size_t length = (size_t)count * BLOCK_SECTOR_SIZE;

    backend->waiting = false;
    if (!block_range_ok(backend, sector, count)) {
        return false;
    }
    errno = EIO;
    if (!block_node_read(backend->node, offset, buffer, length)) {
        return block_failed(backend, false, errno);
    }
    return !backend->overlay || g_hash_table_size(backend->overlay) == 0 ||
           overlay_foreach(backend, offset, buffer, length, overlay_read_piece);
}

static bool cache_is(const BlockBackend *backend, const char *name)
{
    return g_strcmp0(backend->options.cache, name) == 0;
}

bool block_write(BlockBackend *backend, uint64_t sector, const void *buffer,
                 unsigned count)
{
    uint64_t offset = sector * BLOCK_SECTOR_SIZE;
    size_t length = (size_t)count * BLOCK_SECTOR_SIZE;

    backend->waiting = false;
    if (backend->readonly || !block_range_ok(backend, sector, count)) {
        return false;
    }
    errno = EIO;
    if (backend->overlay) {
        return overlay_foreach(backend, offset, (uint8_t *)buffer, length,
                               overlay_write_piece);
    }
    if (!block_node_write(backend->node, offset, buffer, length)) {
        return block_failed(backend, true, errno);
    }
    if (cache_is(backend, "writethrough") || cache_is(backend, "directsync")) {
        return block_flush(backend);
    }
    return true;
}

unsigned block_good_sectors(BlockBackend *backend, uint64_t sector, void *buffer,
                            unsigned count, bool write)
{
    uint8_t *bytes = buffer;
    unsigned good = 0;

    for (; good < count && !backend->overlay; good++, bytes += BLOCK_SECTOR_SIZE) {
        uint64_t offset = (sector + good) * BLOCK_SECTOR_SIZE;

        if (!block_range_ok(backend, sector + good, 1) ||
            !(write ? block_node_write(backend->node, offset, bytes, BLOCK_SECTOR_SIZE)
                    : block_node_read(backend->node, offset, bytes, BLOCK_SECTOR_SIZE))) {
            break;
        }
    }
    return good;
}

bool block_flush(BlockBackend *backend)
{
    BlockNode *node = backend->node;

    backend->waiting = false;
    if (!node || !node->driver->flush || !writes_node(backend) || node->no_flush ||
        cache_is(backend, "unsafe")) {
        return true;
    }
    errno = EIO;
    return node->driver->flush(node) || block_failed(backend, true, errno);
}

bool block_discard(BlockBackend *backend, uint64_t sector, uint64_t count)
{
    BlockNode *node = backend->node;

    if (backend->readonly || !block_range_ok(backend, sector, count)) {
        return false;
    }
    if (!node->unmap || backend->overlay || !node->driver->discard) {
        return true;
    }
    return node->driver->discard(node, sector * BLOCK_SECTOR_SIZE,
                                 count * BLOCK_SECTOR_SIZE);
}
