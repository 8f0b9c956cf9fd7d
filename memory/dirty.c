/*
 * Dirty bitmaps: which pages of a block were written, kept per client.
 *
 * A bitmap exists while somebody watches: all RAM (ram_dirty_log_start()) or one region
 * (memory_region_set_log()). It starts clean; what the client knew before it began to
 * watch is the client's affair. Writers set bits from any thread in an RCU read section,
 * readers take them with an atomic exchange.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

#include <string.h>

#define WORD_BITS 64

G_STATIC_ASSERT(sizeof(unsigned long) * 8 == WORD_BITS);

/* How often each client's watching of all blocks was started; machine lock. */
static unsigned global_watchers[DIRTY_MEMORY_CLIENTS];

uint8_t ram_dirty_global_mask(void)
{
    uint8_t mask = 0;

    for (unsigned client = 0; client < DIRTY_MEMORY_CLIENTS; client++) {
        mask |= (global_watchers[client] > 0) << client;
    }
    return mask;
}

void ram_dirty_watch(RAMBlock *block, unsigned client)
{
    if (block->watchers[client]++ == 0) {
        uint64_t pages = block->max_length >> MEMORY_PAGE_BITS;
        unsigned long *bitmap = g_new0(unsigned long, (pages + WORD_BITS - 1) / WORD_BITS);

        publish_pointer(block->dirty[client], bitmap);
        __atomic_or_fetch(&block->watched, 1u << client, __ATOMIC_RELEASE);
    }
}

void ram_dirty_unwatch(RAMBlock *block, unsigned client)
{
    if (block->watchers[client] > 0 && --block->watchers[client] == 0) {
        unsigned long *bitmap = block->dirty[client];

        __atomic_and_fetch(&block->watched, ~(1u << client), __ATOMIC_RELEASE);
        publish_pointer(block->dirty[client], NULL);
        memory_retire(bitmap, g_free);
        memory_reclaim();
    }
}

void ram_dirty_block_added(RAMBlock *block)
{
    for (unsigned client = 0; client < DIRTY_MEMORY_CLIENTS; client++) {
        for (unsigned i = 0; i < global_watchers[client]; i++) {
            ram_dirty_watch(block, client);
        }
    }
}

void ram_dirty_block_removed(RAMBlock *block)
{
    for (unsigned client = 0; client < DIRTY_MEMORY_CLIENTS; client++) {
        while (block->watchers[client] > 0) {
            ram_dirty_unwatch(block, client);
        }
    }
}

typedef struct Watch {
    unsigned client;
    bool start;
} Watch;

static bool watch_block(RAMBlock *block, void *opaque)
{
    const Watch *watch = opaque;

    if (watch->start) {
        ram_dirty_watch(block, watch->client);
    } else {
        ram_dirty_unwatch(block, watch->client);
    }
    return true;
}

void ram_dirty_log_start(unsigned client)
{
    Watch watch = {client, true};

    memory_region_transaction_begin();
    ram_block_foreach(watch_block, &watch);
    if (global_watchers[client]++ == 0) {
        memory_touch_everything(); /* each FlatRange says who watches it */
    }
    memory_region_transaction_commit();
}

void ram_dirty_log_stop(unsigned client)
{
    Watch watch = {client, false};

    if (global_watchers[client] == 0) {
        return;
    }
    memory_region_transaction_begin();
    if (--global_watchers[client] == 0) {
        memory_touch_everything();
    }
    ram_block_foreach(watch_block, &watch);
    memory_region_transaction_commit();
}

/* -- The bits ------------------------------------------------------------------------------- */

/* The pages that [offset, offset + length) lies in, cut to the block. */
typedef struct Pages {
    uint64_t first;
    uint64_t end;
} Pages;

static Pages pages_of(const RAMBlock *block, uint64_t offset, uint64_t length)
{
    Pages pages = {0, 0};

    if (offset < block->max_length && length > 0) {
        length = MIN(length, block->max_length - offset);
        pages.first = offset >> MEMORY_PAGE_BITS;
        pages.end = ((offset + length - 1) >> MEMORY_PAGE_BITS) + 1;
    }
    return pages;
}

/* The bits of the word that holds bit `first`, from there up to `end`. */
static unsigned long mask_in_word(uint64_t first, uint64_t end)
{
    unsigned from = first % WORD_BITS;
    uint64_t count = MIN(end - first, WORD_BITS - from);

    return (count == WORD_BITS ? ~0ul : (1ul << count) - 1) << from;
}

static uint64_t next_word(uint64_t bit)
{
    return (bit | (WORD_BITS - 1)) + 1;
}

void ram_block_set_dirty(RAMBlock *block, uint64_t offset, uint64_t length, unsigned mask)
{
    Pages pages = pages_of(block, offset, length);

    mask &= __atomic_load_n(&block->watched, __ATOMIC_ACQUIRE);
    if (!mask) {
        return;
    }
    /* Pages are mostly dirty already, so a look at the bits comes before a locked or. The
     * fence keeps the look behind the write to the page: a harvest between the two would
     * take a bit that does not stand for this write. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    memory_read_lock();
    for (unsigned client = 0; client < DIRTY_MEMORY_CLIENTS; client++) {
        unsigned long *bitmap = see_pointer(block->dirty[client]);

        if (!bitmap || !(mask & (1u << client))) {
            continue;
        }
        for (uint64_t bit = pages.first; bit < pages.end; bit = next_word(bit)) {
            unsigned long *word = &bitmap[bit / WORD_BITS];
            unsigned long bits = mask_in_word(bit, pages.end);

            if ((__atomic_load_n(word, __ATOMIC_RELAXED) & bits) != bits) {
                __atomic_or_fetch(word, bits, __ATOMIC_SEQ_CST);
            }
        }
    }
    memory_read_unlock();
}

bool ram_block_get_dirty(RAMBlock *block, uint64_t offset, uint64_t length, unsigned client)
{
    Pages pages = pages_of(block, offset, length);
    unsigned long *bitmap;
    bool dirty = false;

    memory_read_lock();
    bitmap = see_pointer(block->dirty[client]);
    for (uint64_t bit = pages.first; bitmap && !dirty && bit < pages.end;
         bit = next_word(bit)) {
        dirty = __atomic_load_n(&bitmap[bit / WORD_BITS], __ATOMIC_SEQ_CST) &
                mask_in_word(bit, pages.end);
    }
    memory_read_unlock();
    return dirty;
}

/* Takes the bits in `mask` out of a word; which of them were set. */
static unsigned long take(unsigned long *word, unsigned long mask)
{
    if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & mask)) {
        return 0;
    }
    if (mask == ~0ul) {
        return __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST);
    }
    return __atomic_fetch_and(word, ~mask, __ATOMIC_SEQ_CST) & mask;
}

bool ram_block_test_and_clear_dirty(RAMBlock *block, uint64_t offset, uint64_t length,
                                    unsigned client)
{
    Pages pages = pages_of(block, offset, length);
    unsigned long *bitmap;
    unsigned long dirty = 0;

    memory_read_lock();
    bitmap = see_pointer(block->dirty[client]);
    for (uint64_t bit = pages.first; bitmap && bit < pages.end; bit = next_word(bit)) {
        dirty |= take(&bitmap[bit / WORD_BITS], mask_in_word(bit, pages.end));
    }
    memory_read_unlock();
    return dirty != 0;
}

uint64_t ram_block_harvest_dirty(RAMBlock *block, uint64_t offset, uint64_t length,
                                 unsigned client, unsigned long *bitmap)
{
    Pages pages = pages_of(block, offset, length);
    uint64_t first_word = pages.first / WORD_BITS;
    unsigned shift = pages.first % WORD_BITS;
    unsigned long *from;
    uint64_t count = 0;

    memory_read_lock();
    from = see_pointer(block->dirty[client]);
    for (uint64_t bit = pages.first; from && bit < pages.end; bit = next_word(bit)) {
        uint64_t i = bit / WORD_BITS - first_word;
        unsigned long bits = take(&from[bit / WORD_BITS], mask_in_word(bit, pages.end));

        if (!bits) {
            continue;
        }
        count += __builtin_popcountl(bits);
        if (bits >> shift) {
            bitmap[i] |= bits >> shift;
        }
        if (shift && i > 0 && bits << (WORD_BITS - shift)) {
            bitmap[i - 1] |= bits << (WORD_BITS - shift);
        }
    }
    memory_read_unlock();
    return count;
}
