/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/accessed.h"

#include "memory/internal.h"

#define WORD_BITS 64

static struct {
    void (*forget)(void *opaque);
    void *opaque;
    unsigned started; /* machine lock */
} accessed;

void ram_accessed_set_tracker(void (*forget)(void *opaque), void *opaque)
{
    accessed.forget = forget;
    accessed.opaque = opaque;
}

static bool keep_bitmap(RAMBlock *block, void *opaque)
{
    uint64_t pages = block->max_length >> MEMORY_PAGE_BITS;

    publish_pointer(block->accessed,
                    g_new0(unsigned long, (pages + WORD_BITS - 1) / WORD_BITS));
    return true;
}

static bool drop_bitmap(RAMBlock *block, void *opaque)
{
    unsigned long *bitmap = block->accessed;

    publish_pointer(block->accessed, NULL);
    if (bitmap) {
        memory_retire(bitmap, g_free);
    }
    return true;
}

void ram_accessed_block_added(RAMBlock *block)
{
    if (accessed.started) {
        keep_bitmap(block, NULL);
    }
}

void ram_accessed_block_removed(RAMBlock *block)
{
    drop_bitmap(block, NULL);
}

bool ram_accessed_log_start(void)
{
    if (!accessed.forget) {
        return false;
    }
    if (accessed.started++ == 0) {
        ram_block_foreach(keep_bitmap, NULL);
        accessed.forget(accessed.opaque);
    }
    return true;
}

void ram_accessed_log_stop(void)
{
    if (accessed.started && --accessed.started == 0) {
        ram_block_foreach(drop_bitmap, NULL);
        memory_reclaim();
    }
}

void ram_block_set_accessed(RAMBlock *block, uint64_t offset, uint64_t length)
{
    unsigned long *bitmap;

    memory_read_lock();
    bitmap = see_pointer(block->accessed);
    if (G_UNLIKELY(bitmap) && length) {
        uint64_t last = (offset + length - 1) >> MEMORY_PAGE_BITS;

        for (uint64_t page = offset >> MEMORY_PAGE_BITS; page <= last; page++) {
            __atomic_or_fetch(&bitmap[page / WORD_BITS], 1ul << page % WORD_BITS,
                              __ATOMIC_RELAXED);
        }
    }
    memory_read_unlock();
}

uint64_t ram_block_harvest_accessed(RAMBlock *block, uint64_t offset, uint64_t length,
                                    unsigned long *bitmap)
{
    uint64_t first = offset >> MEMORY_PAGE_BITS, count = 0;
    uint64_t end = MIN(offset + length, block->max_length) >> MEMORY_PAGE_BITS;

    if (!block->accessed) {
        return 0;
    }
    for (uint64_t page = first; page < end; page++) {
        unsigned long bit = 1ul << page % WORD_BITS;
        unsigned long *word = &block->accessed[page / WORD_BITS];

        if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit) {
            __atomic_and_fetch(word, ~bit, __ATOMIC_RELAXED);
            bitmap[(page - first) / WORD_BITS] |= 1ul << (page - first) % WORD_BITS;
            count++;
        }
    }
    if (count) {
        accessed.forget(accessed.opaque);
    }
    return count;
}
