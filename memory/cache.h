/*
 * MemoryRegionCache: a stretch of guest memory that a device goes to again and again (a
 * ring, a table), looked up once.
 *
 * The cache shows what was there when it was made. A device that must follow the tree
 * watches it with a listener and makes the cache anew. The memory stays valid until the
 * cache is destroyed, whatever becomes of the region. One thread at a time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_CACHE_H
#define MEMORY_CACHE_H

#include "memory/access.h"

typedef struct MemoryRegionCache {
    AddressSpace *as;
    hwaddr addr;
    hwaddr length;
    uint8_t *host; /* NULL: not RAM, accesses take the long way */
    bool is_write;
} MemoryRegionCache;

/* Looks up to `length` bytes from addr up; returns how many the cache covers, at least 1.
 * `is_write`: the device writes there, too. */
hwaddr memory_region_cache_init(MemoryRegionCache *cache, AddressSpace *as, hwaddr addr,
                                hwaddr length, bool is_write);

/* [offset, offset + length) was written through `host`: marks it dirty. */
void memory_region_cache_invalidate(MemoryRegionCache *cache, hwaddr offset,
                                    hwaddr length);

void memory_region_cache_destroy(MemoryRegionCache *cache);

/* Accesses inside the cache; beyond its end they are MEMTX_DECODE_ERROR. */
MemTxResult address_space_read_cached(MemoryRegionCache *cache, hwaddr offset, void *buffer,
                                      hwaddr length);
MemTxResult address_space_write_cached(MemoryRegionCache *cache, hwaddr offset,
                                       const void *buffer, hwaddr length);

#endif
