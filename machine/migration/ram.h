/*
 * The stream's "ram" section, version 4: the guest's memory, a pass over all of it and
 * then passes over what was written meanwhile.
 *
 * The section opens with the list of blocks. From then on it is pages, each a be64 of the
 * page's offset in its block with flags in the low 12 bits, the block's name unless it is
 * that of the page before, and what the flags say. Each part ends with the flag EOS.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_RAM_H
#define MACHINE_MIGRATION_RAM_H

#include "hw/core/wire.h"
#include "machine/migration/channel.h"
#include "memory/ram-block.h"

#define RAM_SECTION_NAME "ram"
#define RAM_SECTION_VERSION 4

enum {
    RAM_FLAG_ZERO = 0x02,     /* a byte that fills the page: 0 */
    RAM_FLAG_MEM_SIZE = 0x04, /* the list of blocks; the offset is their total size */
    RAM_FLAG_PAGE = 0x08,     /* the page's bytes */
    RAM_FLAG_EOS = 0x10,      /* the part ends */
    RAM_FLAG_CONTINUE = 0x20, /* the block of the page before */
    RAM_FLAG_XBZRLE = 0x40,   /* a byte 1, be16 length, changes to the page */
    RAM_FLAG_COMPRESS_PAGE = 0x100, /* be32 length, the page by zlib */
    RAM_FLAGS = 0xfff,
};
#define RAM_XBZRLE_ENCODING 1

/* zlib's worst case for a page, and then some: what is longer was not made by zlib. */
#define RAM_COMPRESSED_MAX (MEMORY_PAGE_SIZE + MEMORY_PAGE_SIZE / 8 + 64)

/* Whether a block is part of what moves. */
bool ram_block_migrates(const RAMBlock *block);

/* -- Out ------------------------------------------------------------------------- */

typedef struct RamSaveOptions {
    bool compress, xbzrle;
    int compress_level;         /* zlib's, 0..9 */
    uint64_t xbzrle_cache_size; /* bytes */
} RamSaveOptions;

/* Counters since the beginning; pages are of 4 KiB. */
typedef struct RamSaveStatistics {
    uint64_t total;       /* bytes of all blocks */
    uint64_t remaining;   /* bytes that are known to be yet sent */
    uint64_t transferred; /* bytes of stream */
    uint64_t zero_pages, plain_pages;
    uint64_t passes;  /* over what was dirty: 1 is the first, over all */
    uint64_t dirtied; /* pages found dirty by the last look */
    uint64_t xbzrle_pages, xbzrle_bytes, xbzrle_misses, xbzrle_overflows;
    uint64_t compressed_pages, compressed_bytes;
} RamSaveStatistics;

typedef struct RamSave RamSave;

/* Begins to watch what the guest writes. `channel`: where the wire's bytes go, so that
 * pages can go there straight from the guest's memory; NULL: all goes through the wire.
 * Machine lock. */
RamSave *ram_save_new(const RamSaveOptions *options, Wire *wire,
                      MigrationChannel *channel);
/* Stops watching. Machine lock. */
void ram_save_free(RamSave *save);

/* The list of blocks. Any thread for this and those below, one at a time. */
void ram_save_setup(RamSave *save);
/* Sends dirty pages, `budget` bytes of stream or a little more; returns whether the pass
 * is over. */
bool ram_save_iterate(RamSave *save, uint64_t budget);
/* Finds out what was written since the last look. False and *error where a block has
 * changed its size, which a stream cannot say. Machine lock. */
bool ram_save_look(RamSave *save, GError **error);
/* All that is left. The guest stands, and nothing has been written since the
 * last look. */
void ram_save_complete(RamSave *save);

const RamSaveStatistics *ram_save_statistics(const RamSave *save);

/* -- In -------------------------------------------------------------------------- */

typedef struct RamLoad RamLoad;

RamLoad *ram_load_new(void);
void ram_load_free(RamLoad *load);

/* Reads one part of the section; what is wrong with it is the wire's failure. The guest
 * stands. */
void ram_load_part(RamLoad *load, Wire *wire);

#endif
