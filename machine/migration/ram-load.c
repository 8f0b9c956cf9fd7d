/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/ram.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "machine/migration/xbzrle.h"
#include "machine/migration/zero-page.h"
#include "memory/io-lock.h"

#define PAGE MEMORY_PAGE_SIZE
#define WORD_BITS 64

/* A page that the host has not given to this process yet is zero; testing it would make
 * the host give it, and a guest's whole unused memory with it. */
typedef struct LoadBlock {
    RAMBlock *block;
    unsigned long *untouched; /* a bit a page */
} LoadBlock;

struct RamLoad {
    GArray *blocks;     /* LoadBlock */
    LoadBlock *current; /* of the page before; NULL: none */
    bool listed;        /* the list of blocks has come */
};

static void find_holes(LoadBlock *entry)
{
    RAMBlock *block = entry->block;
    uint64_t pages = block->max_length / PAGE;
    off_t hole = 0, data;

    entry->untouched = g_new0(unsigned long, (pages + WORD_BITS - 1) / WORD_BITS);
    if (block->fd < 0 || !block->shared) {
        return;
    }
    while ((hole = lseek(block->fd, hole, SEEK_HOLE)) >= 0 &&
           (uint64_t)hole < block->max_length) {
        data = lseek(block->fd, hole, SEEK_DATA);
        data = data < 0 ? (off_t)block->max_length : data;
        for (uint64_t page = (uint64_t)(hole + PAGE - 1) / PAGE;
             page < MIN((uint64_t)data / PAGE, pages); page++) {
            entry->untouched[page / WORD_BITS] |= 1ul << page % WORD_BITS;
        }
        hole = data;
    }
}

static bool add_block(RAMBlock *block, void *opaque)
{
    RamLoad *load = opaque;
    LoadBlock entry = {.block = block};

    if (ram_block_migrates(block)) {
        find_holes(&entry);
        g_array_append_val(load->blocks, entry);
    }
    return true;
}

RamLoad *ram_load_new(void)
{
    RamLoad *load = g_new0(RamLoad, 1);

    load->blocks = g_array_new(false, false, sizeof(LoadBlock));
    ram_block_foreach(add_block, load);
    return load;
}

void ram_load_free(RamLoad *load)
{
    if (!load) {
        return;
    }
    for (guint i = 0; i < load->blocks->len; i++) {
        LoadBlock *entry = &g_array_index(load->blocks, LoadBlock, i);

        /* Whoever draws the screen or keeps decoded code looks again. */
        ram_block_set_dirty(entry->block, 0, entry->block->used_length,
                            (1u << DIRTY_MEMORY_CLIENTS) - 1);
        g_free(entry->untouched);
    }
    g_array_free(load->blocks, true);
    g_free(load);
}

/* -- The list of blocks ---------------------------------------------------------- */

static LoadBlock *find_block(RamLoad *load, const char *name)
{
    for (guint i = 0; i < load->blocks->len; i++) {
        LoadBlock *entry = &g_array_index(load->blocks, LoadBlock, i);

        if (strcmp(entry->block->name, name) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* A block that can grow takes the source's size. */
static void resize_block(RAMBlock *block, uint64_t length, Wire *wire)
{
    g_autoptr(GError) error = NULL;
    uint64_t ours = block->used_length;
    bool resized = false;

    if (block->resized) {
        io_lock();
        resized = memory_region_ram_resize(block->mr, length, &error);
        io_unlock();
    }
    if (!resized) {
        wire_fail(wire, "Size mismatch: %s: 0x%" PRIx64 " != 0x%" PRIx64 "%s%s",
                  block->name, length, ours, error ? ": " : "",
                  error ? error->message : "");
    }
}

static void load_list(RamLoad *load, Wire *wire, uint64_t total)
{
    load->listed = true;
    while (total && !wire_failed(wire)) {
        char name[256];
        uint64_t length;
        LoadBlock *entry;

        wire_get_counted_string(wire, name);
        length = wire_get_be64(wire);
        entry = find_block(load, name);
        if (wire_failed(wire)) {
            return;
        }
        if (!entry) {
            wire_fail(wire, "Unknown ramblock \"%s\", cannot accept migration", name);
        } else if (length > total) {
            wire_fail(wire, "ramblock \"%s\" is larger than all blocks together", name);
        } else if (length != entry->block->used_length) {
            resize_block(entry->block, length, wire);
        }
        total -= length;
    }
}

/* -- Pages ----------------------------------------------------------------------- */

static uint8_t *touch(LoadBlock *entry, uint64_t page)
{
    entry->untouched[page / WORD_BITS] &= ~(1ul << page % WORD_BITS);
    return entry->block->host + page * PAGE;
}

static void load_filled(LoadBlock *entry, uint64_t page, Wire *wire)
{
    uint8_t value = wire_get_u8(wire);
    bool untouched = entry->untouched[page / WORD_BITS] & 1ul << page % WORD_BITS;

    if (wire_failed(wire) || (value == 0 && untouched)) {
        return;
    }
    if (value != 0 || !zero_page_test(entry->block->host + page * PAGE)) {
        memset(touch(entry, page), value, PAGE);
    }
}

static void load_compressed(LoadBlock *entry, uint64_t page, Wire *wire)
{
    uint32_t length = wire_get_be32(wire);
    uint8_t packed[RAM_COMPRESSED_MAX], bytes[PAGE];
    uLongf size = PAGE;

    if (length > RAM_COMPRESSED_MAX) {
        wire_fail(wire, "Invalid compressed data length: %" PRIu32, length);
    }
    if (!wire_get_buffer(wire, packed, MIN(length, RAM_COMPRESSED_MAX))) {
        return;
    }
    if (uncompress(bytes, &size, packed, length) != Z_OK || size != PAGE) {
        wire_fail(wire, "a compressed page of \"%s\" does not unpack to 4096 bytes",
                  entry->block->name);
        return;
    }
    memcpy(touch(entry, page), bytes, PAGE);
}

static void load_changes(LoadBlock *entry, uint64_t page, Wire *wire)
{
    uint8_t encoding = wire_get_u8(wire), changes[PAGE];
    uint16_t length = wire_get_be16(wire);

    if (!wire_failed(wire) && (encoding != RAM_XBZRLE_ENCODING || length > PAGE)) {
        wire_fail(wire,
                  "Failed to load XBZRLE page - wrong compression! (encoding %u, %u "
                  "bytes)",
                  encoding, length);
    }
    if (wire_get_buffer(wire, changes, MIN(length, PAGE)) &&
        !xbzrle_decode(changes, length, touch(entry, page))) {
        wire_fail(wire, "Failed to load XBZRLE page - decode error!");
    }
}

/* The block that a page belongs to, which must have it. */
static LoadBlock *block_of_page(RamLoad *load, Wire *wire, uint64_t offset,
                                unsigned flags)
{
    char name[256];

    if (flags & RAM_FLAG_CONTINUE) {
        if (!load->current) {
            wire_fail(wire, "Ack, bad migration stream! (a page continues no block)");
            return NULL;
        }
    } else {
        if (!wire_get_counted_string(wire, name)) {
            return NULL;
        }
        load->current = find_block(load, name);
        if (!load->current) {
            wire_fail(wire, "Can't find block %s", name);
            return NULL;
        }
    }
    if (offset >= load->current->block->used_length) {
        wire_fail(wire, "Illegal RAM offset 0x%" PRIx64 " in block %s", offset,
                  load->current->block->name);
        return NULL;
    }
    return load->current;
}

static void load_page(RamLoad *load, Wire *wire, uint64_t offset, unsigned flags)
{
    LoadBlock *entry = block_of_page(load, wire, offset, flags);
    uint64_t page = offset / PAGE;

    if (!entry) {
        return;
    }
    switch (flags & ~RAM_FLAG_CONTINUE) {
    case RAM_FLAG_ZERO:
        load_filled(entry, page, wire);
        break;
    case RAM_FLAG_PAGE:
        wire_get_buffer(wire, touch(entry, page), PAGE);
        break;
    case RAM_FLAG_COMPRESS_PAGE:
        load_compressed(entry, page, wire);
        break;
    default:
        load_changes(entry, page, wire);
        break;
    }
}

void ram_load_part(RamLoad *load, Wire *wire)
{
    load->current = load->listed ? load->current : NULL;
    while (!wire_failed(wire)) {
        uint64_t header = wire_get_be64(wire);
        unsigned flags = header & RAM_FLAGS;
        uint64_t offset = header - flags;

        if (wire_failed(wire)) {
            return;
        }
        switch (flags & ~RAM_FLAG_CONTINUE) {
        case RAM_FLAG_EOS:
            return;
        case RAM_FLAG_MEM_SIZE:
            load_list(load, wire, offset);
            break;
        case RAM_FLAG_ZERO:
        case RAM_FLAG_PAGE:
        case RAM_FLAG_COMPRESS_PAGE:
        case RAM_FLAG_XBZRLE:
            load_page(load, wire, offset, flags);
            break;
        default:
            wire_fail(wire, "Unknown combination of migration flags: 0x%x", flags);
        }
    }
}
