/*
 * What the guest's memory costs to send is mostly the reading of it, so pages go out
 * straight from there: many at a time are handed to the kernel as one list of pieces,
 * their headers in between. Where the host has never given a page to the guest (a hole in
 * the block's file) it is known to be zero without being read.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/ram.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "machine/migration/xbzrle.h"
#include "machine/migration/zero-page.h"
#include "memory/address-space.h"

#define PAGE MEMORY_PAGE_SIZE
#define WORD_BITS 64

typedef struct SaveBlock {
    RAMBlock *block;
    uint64_t length;               /* when the list was sent */
    uint64_t first_page;           /* a number that no other block's pages have */
    unsigned long *dirty;          /* a bit a page: to be sent */
    uint64_t hole_start, hole_end; /* bytes: where the last question found none */
} SaveBlock;

/* Pieces of stream that wait for one writev(). */
enum { PIECES = 1024, SMALL = 64 * 1024 };
typedef struct Pieces {
    struct iovec vectors[PIECES];
    int count;
    uint8_t *small; /* headers, and whatever is not a page of the guest's */
    size_t used;
    uint64_t bytes;
} Pieces;

struct RamSave {
    RamSaveOptions options;
    Wire *wire;
    MigrationChannel *channel;
    GArray *blocks; /* SaveBlock */
    guint at_block; /* where the pass is */
    uint64_t at_page;
    uint64_t dirty_pages; /* that the bitmaps have left */
    SaveBlock *sent;      /* the block of the page before; NULL: must be named */
    XbzrleCache *cache;
    z_stream deflater; /* with options.compress: reset for each page */
    Pieces pieces;
    bool lends; /* the channel keeps the pieces instead of copying them */
    RamSaveStatistics statistics;
};

bool ram_block_migrates(const RAMBlock *block)
{
    return block->name[0] && block->mr;
}

const RamSaveStatistics *ram_save_statistics(const RamSave *save)
{
    return &save->statistics;
}

/* -- Memory for small pieces ----------------------------------------------------- */

static uint8_t *map_small(void)
{
    void *memory =
        mmap(NULL, SMALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        g_error("no memory for %d bytes", SMALL); /* as g_malloc() has it */
    }
    return memory;
}

/* What was lent is not ours any more: the kernel has it for as long as the other end
 * needs, and new headers need new memory. */
static void renew_small(Pieces *pieces)
{
    munmap(pieces->small, SMALL);
    pieces->small = map_small();
}

/* -- The list of blocks ---------------------------------------------------------- */

static bool add_block(RAMBlock *block, void *opaque)
{
    RamSave *save = opaque;
    uint64_t pages = block->used_length / PAGE;
    SaveBlock entry = {
        .block = block,
        .length = block->used_length,
        .first_page = block->offset / PAGE,
        .dirty = g_new0(unsigned long, (pages + WORD_BITS - 1) / WORD_BITS),
    };

    if (!ram_block_migrates(block)) {
        g_free(entry.dirty);
        return true;
    }
    memset(entry.dirty, 0xff, pages / WORD_BITS * sizeof(unsigned long));
    if (pages % WORD_BITS) {
        entry.dirty[pages / WORD_BITS] = (1ul << pages % WORD_BITS) - 1;
    }
    save->dirty_pages += pages;
    save->statistics.total += entry.length;
    g_array_append_val(save->blocks, entry);
    return true;
}

RamSave *ram_save_new(const RamSaveOptions *options, Wire *wire,
                      MigrationChannel *channel)
{
    RamSave *save = g_new0(RamSave, 1);

    save->options = *options;
    save->wire = wire;
    save->channel = channel;
    save->lends = channel && migration_channel_lends(channel);
    save->pieces.small = map_small();
    save->blocks = g_array_new(false, false, sizeof(SaveBlock));
    if (options->xbzrle) {
        save->cache = xbzrle_cache_new(options->xbzrle_cache_size);
    }
    if (options->compress &&
        deflateInit(&save->deflater, options->compress_level) != Z_OK) {
        save->options.compress = false; /* no memory: pages go as they are */
    }
    memory_global_dirty_log_start(NULL);
    ram_block_foreach(add_block, save);
    save->statistics.remaining = save->statistics.total;
    save->statistics.passes = 1;
    return save;
}

void ram_save_free(RamSave *save)
{
    if (!save) {
        return;
    }
    memory_global_dirty_log_stop();
    for (guint i = 0; i < save->blocks->len; i++) {
        g_free(g_array_index(save->blocks, SaveBlock, i).dirty);
    }
    g_array_free(save->blocks, true);
    xbzrle_cache_free(save->cache);
    if (save->options.compress) {
        deflateEnd(&save->deflater);
    }
    munmap(save->pieces.small, SMALL);
    g_free(save);
}

/* -- Pieces ---------------------------------------------------------------------- */

static void flush(RamSave *save)
{
    Pieces *pieces = &save->pieces;
    g_autoptr(GError) error = NULL;

    if (save->channel && pieces->count && wire_flush(save->wire)) {
        bool put = save->lends ? migration_channel_lend(save->channel, pieces->vectors,
                                                        pieces->count, &error)
                               : migration_channel_writev(save->channel, pieces->vectors,
                                                          pieces->count, &error);

        if (!put) {
            wire_fail(save->wire, "%s", error->message);
        }
        save->wire->base += pieces->bytes;
        if (save->lends) {
            renew_small(pieces);
        }
    } else {
        for (int i = 0; i < pieces->count; i++) {
            wire_put_buffer(save->wire, pieces->vectors[i].iov_base,
                            pieces->vectors[i].iov_len);
        }
    }
    save->statistics.transferred += pieces->bytes;
    pieces->count = 0;
    pieces->used = 0;
    pieces->bytes = 0;
}

/* Room for `size` bytes that the caller fills at once. */
static uint8_t *small_piece(RamSave *save, size_t size)
{
    Pieces *pieces = &save->pieces;
    struct iovec *last;
    uint8_t *place;

    if (pieces->count == PIECES || pieces->used + size > SMALL) {
        flush(save);
    }
    place = pieces->small + pieces->used;
    last = pieces->count ? &pieces->vectors[pieces->count - 1] : NULL;
    if (last && (uint8_t *)last->iov_base + last->iov_len == place) {
        last->iov_len += size;
    } else {
        pieces->vectors[pieces->count++] = (struct iovec){place, size};
    }
    pieces->used += size;
    pieces->bytes += size;
    return place;
}

static void guest_piece(RamSave *save, uint8_t *page)
{
    Pieces *pieces = &save->pieces;

    if (pieces->count == PIECES) {
        flush(save);
    }
    pieces->vectors[pieces->count++] = (struct iovec){page, PAGE};
    pieces->bytes += PAGE;
}

static void store_be(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
}

/* A page's header with `more` bytes of room behind it, which are returned. */
static uint8_t *header(RamSave *save, SaveBlock *block, uint64_t page, unsigned flags,
                       size_t more)
{
    bool named = save->sent != block;
    size_t length = named ? strlen(block->block->name) : 0;
    uint8_t *place = small_piece(save, 8 + (named ? 1 + length : 0) + more);

    store_be(place, page * PAGE | flags | (named ? 0 : RAM_FLAG_CONTINUE), 8);
    if (named) {
        place[8] = (uint8_t)length;
        memcpy(place + 9, block->block->name, length);
        place += 1 + length;
    }
    save->sent = block;
    return place + 8;
}

/* -- Pages ----------------------------------------------------------------------- */

static void send_zero(RamSave *save, SaveBlock *block, uint64_t page)
{
    uint8_t *cached =
        save->cache ? xbzrle_cache_find(save->cache, block->first_page + page) : NULL;

    *header(save, block, page, RAM_FLAG_ZERO, 1) = 0;
    save->statistics.zero_pages++;
    if (cached) {
        memset(cached, 0, PAGE);
    }
}

static void send_plain(RamSave *save, SaveBlock *block, uint64_t page)
{
    header(save, block, page, RAM_FLAG_PAGE, 0);
    guest_piece(save, block->block->host + page * PAGE);
    save->statistics.plain_pages++;
}

/* The bytes of a page that is written meanwhile, as they were at some moment; zlib and
 * the cache look at them more than once. */
static void send_copy(RamSave *save, SaveBlock *block, uint64_t page, const uint8_t *copy)
{
    memcpy(header(save, block, page, RAM_FLAG_PAGE, PAGE), copy, PAGE);
    save->statistics.plain_pages++;
}

static void send_compressed(RamSave *save, SaveBlock *block, uint64_t page)
{
    uint8_t copy[PAGE], packed[PAGE];
    z_stream *deflater = &save->deflater;
    uint8_t *place;
    size_t length;

    memcpy(copy, block->block->host + page * PAGE, PAGE);
    deflateReset(deflater);
    deflater->next_in = copy;
    deflater->avail_in = PAGE;
    deflater->next_out = packed;
    deflater->avail_out = sizeof(packed);
    if (deflate(deflater, Z_FINISH) != Z_STREAM_END) { /* it would be no smaller */
        send_copy(save, block, page, copy);
        return;
    }
    length = sizeof(packed) - deflater->avail_out;
    place = header(save, block, page, RAM_FLAG_COMPRESS_PAGE, 4 + length);
    store_be(place, length, 4);
    memcpy(place + 4, packed, length);
    save->statistics.compressed_pages++;
    save->statistics.compressed_bytes += 8 + 4 + length;
}

/* In later passes: what changed in the page, where the cache knows what the other side
 * has. A page that is sent whole goes into the cache for the next time. */
static void send_changes(RamSave *save, SaveBlock *block, uint64_t page)
{
    RamSaveStatistics *statistics = &save->statistics;
    uint64_t number = block->first_page + page;
    uint8_t *cached = xbzrle_cache_find(save->cache, number), *place;
    uint8_t copy[PAGE], changes[PAGE];
    int length;

    memcpy(copy, block->block->host + page * PAGE, PAGE);
    if (!cached) {
        statistics->xbzrle_misses++;
        cached = xbzrle_cache_claim(save->cache, number);
        if (cached) {
            memcpy(cached, copy, PAGE);
        }
        send_copy(save, block, page, copy);
        return;
    }
    length = xbzrle_encode(cached, copy, changes, PAGE - 64);
    memcpy(cached, copy, PAGE);
    if (length < 0) {
        statistics->xbzrle_overflows++;
        send_copy(save, block, page, copy);
    } else if (length > 0) { /* 0: it was written and is the same */
        place = header(save, block, page, RAM_FLAG_XBZRLE, 3 + (size_t)length);
        place[0] = RAM_XBZRLE_ENCODING;
        store_be(place + 1, (uint64_t)length, 2);
        memcpy(place + 3, changes, (size_t)length);
        statistics->xbzrle_pages++;
        statistics->xbzrle_bytes += 8 + 3 + (uint64_t)length;
    }
}

/* Whether the host has never given this page to the guest. */
static bool in_hole(SaveBlock *block, uint64_t page)
{
    uint64_t offset = page * PAGE;
    off_t data;

    if (offset >= block->hole_start && offset < block->hole_end) {
        return true;
    }
    if (offset < block->hole_start || block->block->fd < 0 || !block->block->shared) {
        return false;
    }
    /* hole_start == hole_end: the data that begins there goes on at least to hole_end. */
    data = lseek(block->block->fd, (off_t)offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
        data = (off_t)block->length; /* nothing but hole behind it */
    }
    if (data > (off_t)offset) {
        block->hole_start = offset;
        block->hole_end = (uint64_t)data;
        return true;
    }
    /* The next question is worth its system call where this stretch of data ends. */
    data = lseek(block->block->fd, (off_t)offset, SEEK_HOLE);
    block->hole_start = block->hole_end = data < 0 ? UINT64_MAX : (uint64_t)data;
    return false;
}

static void send_page(RamSave *save, SaveBlock *block, uint64_t page)
{
    bool first_pass = save->statistics.passes == 1;

    if ((first_pass && in_hole(block, page)) ||
        zero_page_test(block->block->host + page * PAGE)) {
        send_zero(save, block, page);
    } else if (save->cache && !first_pass) {
        send_changes(save, block, page);
    } else if (save->options.compress) {
        send_compressed(save, block, page);
    } else {
        send_plain(save, block, page);
    }
}

/* The next page to be sent at or after the pass's place; false: the pass is over. */
static bool next_page(RamSave *save)
{
    for (; save->at_block < save->blocks->len; save->at_block++, save->at_page = 0) {
        SaveBlock *block = &g_array_index(save->blocks, SaveBlock, save->at_block);
        uint64_t pages = block->length / PAGE;

        while (save->at_page < pages) {
            unsigned long word =
                block->dirty[save->at_page / WORD_BITS] >> save->at_page % WORD_BITS;

            if (word) {
                save->at_page += (unsigned)__builtin_ctzl(word);
                return true;
            }
            save->at_page = (save->at_page | (WORD_BITS - 1)) + 1;
        }
    }
    return false;
}

/* -- Parts ----------------------------------------------------------------------- */

static void end_part(RamSave *save)
{
    flush(save);
    save->statistics.remaining = save->dirty_pages * PAGE;
    wire_put_be64(save->wire, RAM_FLAG_EOS);
    save->statistics.transferred += 8;
}

void ram_save_setup(RamSave *save)
{
    uint64_t start = wire_offset(save->wire);

    wire_put_be64(save->wire, save->statistics.total | RAM_FLAG_MEM_SIZE);
    for (guint i = 0; i < save->blocks->len; i++) {
        SaveBlock *block = &g_array_index(save->blocks, SaveBlock, i);

        wire_put_counted_string(save->wire, block->block->name);
        wire_put_be64(save->wire, block->length);
    }
    save->statistics.transferred += wire_offset(save->wire) - start;
    end_part(save);
}

bool ram_save_iterate(RamSave *save, uint64_t budget)
{
    uint64_t end = save->statistics.transferred + budget;
    bool more = next_page(save);

    save->sent = NULL;
    while (more && save->statistics.transferred + save->pieces.bytes < end &&
           !wire_failed(save->wire)) {
        SaveBlock *block = &g_array_index(save->blocks, SaveBlock, save->at_block);

        /* The first bytes of a page decide mostly; they should be near when it is its
         * turn. */
        __builtin_prefetch(block->block->host + (save->at_page + 4) * PAGE);
        block->dirty[save->at_page / WORD_BITS] &= ~(1ul << save->at_page % WORD_BITS);
        save->dirty_pages--;
        send_page(save, block, save->at_page);
        more = next_page(save);
    }
    end_part(save);
    return !more;
}

bool ram_save_look(RamSave *save, GError **error)
{
    uint64_t found = 0;

    memory_global_dirty_log_sync();
    for (guint i = 0; i < save->blocks->len; i++) {
        SaveBlock *block = &g_array_index(save->blocks, SaveBlock, i);

        if (block->block->used_length != block->length) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_FAILED,
                "guest memory '%s' changed its size during the migration; try again",
                block->block->name);
            return false;
        }
        found += ram_block_harvest_dirty(block->block, 0, block->length,
                                         DIRTY_MEMORY_MIGRATION, block->dirty);
    }
    save->dirty_pages = 0;
    for (guint i = 0; i < save->blocks->len; i++) {
        SaveBlock *block = &g_array_index(save->blocks, SaveBlock, i);

        for (uint64_t word = 0; word < (block->length / PAGE + WORD_BITS - 1) / WORD_BITS;
             word++) {
            save->dirty_pages += (unsigned)__builtin_popcountl(block->dirty[word]);
        }
    }
    save->statistics.remaining = save->dirty_pages * PAGE;
    save->statistics.dirtied = found;
    if (!next_page(save)) { /* from the beginning again */
        save->at_block = 0;
        save->at_page = 0;
        save->statistics.passes++;
        if (save->cache) {
            xbzrle_cache_next_round(save->cache);
        }
    }
    return true;
}

void ram_save_complete(RamSave *save)
{
    save->at_block = 0; /* what was found behind the pass's place, too */
    save->at_page = 0;
    ram_save_iterate(save, UINT64_MAX / 2);
}
