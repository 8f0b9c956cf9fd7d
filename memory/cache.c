/*
 * MemoryRegionCache.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/cache.h"

#include "memory/guest-bytes.h"
#include "memory/internal.h"

static bool is_mapped_directly(const FlatRange *range, bool is_write)
{
    return range->mr && range->mr->kind == MEMORY_REGION_RAM && !range->write_mr &&
           !(is_write && range->readonly);
}

hwaddr memory_region_cache_init(MemoryRegionCache *cache, AddressSpace *as, hwaddr addr,
                                hwaddr length, bool is_write)
{
    FlatRange range;

    memory_read_lock();
    address_space_lookup(as, addr, &range);
    if (length > 0) {
        length = MIN(length - 1, range.last - addr) + 1;
    }
    *cache = (MemoryRegionCache){.as = as, .addr = addr, .length = length,
                                 .is_write = is_write};
    if (is_mapped_directly(&range, is_write)) {
        cache->host = range.mr->ram_block->host + range.offset_in_region +
                      (addr - range.start);
        ram_block_ref(range.mr->ram_block);
    }
    memory_read_unlock();
    return length;
}

void memory_region_cache_invalidate(MemoryRegionCache *cache, hwaddr offset, hwaddr length)
{
    uint64_t in_block;
    RAMBlock *block;

    if (cache->host && cache->is_write && offset < cache->length) {
        block = ram_block_from_host(cache->host, &in_block);
        ram_block_set_dirty(block, in_block + offset, MIN(length, cache->length - offset),
                            (1u << DIRTY_MEMORY_CLIENTS) - 1);
    }
}

void memory_region_cache_destroy(MemoryRegionCache *cache)
{
    uint64_t in_block;

    if (cache->host) {
        ram_block_unref(ram_block_from_host(cache->host, &in_block));
    }
    *cache = (MemoryRegionCache){.as = NULL};
}

static bool is_inside(const MemoryRegionCache *cache, hwaddr offset, hwaddr length)
{
    return offset <= cache->length && length <= cache->length - offset;
}

MemTxResult address_space_read_cached(MemoryRegionCache *cache, hwaddr offset, void *buffer,
                                      hwaddr length)
{
    if (!is_inside(cache, offset, length)) {
        memset(buffer, 0, length);
        return MEMTX_DECODE_ERROR;
    }
    if (!cache->host) {
        return address_space_read(cache->as, cache->addr + offset, MEMTXATTRS_UNSPECIFIED,
                                  buffer, length);
    }
    guest_copy(buffer, cache->host + offset, length);
    return MEMTX_OK;
}

MemTxResult address_space_write_cached(MemoryRegionCache *cache, hwaddr offset,
                                       const void *buffer, hwaddr length)
{
    if (!is_inside(cache, offset, length)) {
        return MEMTX_DECODE_ERROR;
    }
    if (!cache->host || !cache->is_write) {
        return address_space_write(cache->as, cache->addr + offset, MEMTXATTRS_UNSPECIFIED,
                                   buffer, length);
    }
    guest_copy(cache->host + offset, buffer, length);
    memory_region_cache_invalidate(cache, offset, length);
    return MEMTX_OK;
}
