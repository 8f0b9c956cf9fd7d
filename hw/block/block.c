/*
 * BlockBackend: bounds, the forgetful writes of snapshot=on, and when data is flushed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <string.h>

/* The grain of snapshot=on: small enough for a guest's file system blocks. */
#define OVERLAY_CLUSTER 4096

/* -- The medium ---------------------------------------------------------------------- */

uint64_t block_size(const BlockBackend *backend)
{
    return backend->medium.length;
}

uint64_t block_sectors(const BlockBackend *backend)
{
    return backend->medium.length / BLOCK_SECTOR_SIZE +
           (backend->medium.length % BLOCK_SECTOR_SIZE != 0);
}

bool block_is_readonly(const BlockBackend *backend)
{
    return backend->readonly;
}

bool block_is_inserted(const BlockBackend *backend)
{
    return backend->medium.driver != NULL;
}

unsigned block_medium_changes(const BlockBackend *backend)
{
    return backend->medium_changes;
}

bool block_wants_write(const BlockBackend *backend)
{
    return !backend->readonly && !backend->options.snapshot;
}

static void medium_close(BlockBackend *backend, BlockMedium *medium)
{
    BlockMedium current = backend->medium;

    if (medium->driver) {
        backend->medium = *medium;
        medium->driver->close(backend);
        backend->medium = current;
    }
    g_clear_pointer(&medium->overlay, g_hash_table_destroy);
}

bool block_insert(BlockBackend *backend, const char *file, GError **error)
{
    const BlockDriver *driver = block_driver_find(&backend->options, file, error);
    BlockMedium previous = backend->medium;

    if (!driver) {
        return false;
    }
    backend->medium = (BlockMedium){.driver = driver};
    if (!driver->open(backend, file, error)) {
        backend->medium = previous;
        return false;
    }
    if (backend->options.snapshot) {
        backend->medium.overlay =
            g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    }
    medium_close(backend, &previous);
    backend->medium_changes++;
    return true;
}

void block_eject(BlockBackend *backend)
{
    if (block_is_inserted(backend)) {
        medium_close(backend, &backend->medium);
        backend->medium = (BlockMedium){0};
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
    const uint8_t *held = g_hash_table_lookup(backend->medium.overlay, &cluster);

    if (held) {
        memcpy(bytes, held + start, count);
    }
    return true;
}

static bool overlay_write_piece(BlockBackend *backend, int64_t cluster, size_t start,
                                uint8_t *bytes, size_t count)
{
    uint8_t *held = g_hash_table_lookup(backend->medium.overlay, &cluster);

    if (!held) {
        uint64_t offset = (uint64_t)cluster * OVERLAY_CLUSTER;
        uint64_t length = backend->medium.length;

        held = g_malloc0(OVERLAY_CLUSTER);
        if (count < OVERLAY_CLUSTER && offset < length &&
            !backend->medium.driver->read(backend, offset, held,
                                          MIN(OVERLAY_CLUSTER, length - offset))) {
            g_free(held);
            return false;
        }
        g_hash_table_insert(backend->medium.overlay, g_memdup2(&cluster, sizeof cluster),
                            held);
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
    const BlockMedium *medium = &backend->medium;

    if (!block_range_ok(backend, sector, count)) {
        return false;
    }
    if (!medium->driver->read(backend, offset, buffer, length)) {
        return false;
    }
    return !medium->overlay || g_hash_table_size(medium->overlay) == 0 ||
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

    if (backend->readonly || !block_range_ok(backend, sector, count)) {
        return false;
    }
    if (backend->medium.overlay) {
        return overlay_foreach(backend, offset, (uint8_t *)buffer, length,
                               overlay_write_piece);
    }
    if (!backend->medium.driver->write(backend, offset, buffer, length)) {
        return false;
    }
    if (cache_is(backend, "writethrough") || cache_is(backend, "directsync")) {
        return block_flush(backend);
    }
    return true;
}

bool block_flush(BlockBackend *backend)
{
    const BlockMedium *medium = &backend->medium;

    if (!medium->driver || !medium->driver->flush || !block_wants_write(backend) ||
        cache_is(backend, "unsafe")) {
        return true;
    }
    return medium->driver->flush(backend);
}

bool block_discard(BlockBackend *backend, uint64_t sector, uint64_t count)
{
    const BlockMedium *medium = &backend->medium;

    if (backend->readonly || !block_range_ok(backend, sector, count)) {
        return false;
    }
    if (!backend->options.unmap || medium->overlay || !medium->driver->discard) {
        return true;
    }
    return medium->driver->discard(backend, sector * BLOCK_SECTOR_SIZE,
                                   count * BLOCK_SECTOR_SIZE);
}
