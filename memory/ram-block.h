/*
 * RAMBlock: named host memory that regions show to the guest, with its dirty bitmaps.
 *
 * A block is a memfd, a file, or memory that somebody else owns. Its name ("pc.ram") is
 * what a migration stream calls it. Each block has a place in the "RAM address" space,
 * one number line on which all blocks lie without overlap (QEMU's ram_addr_t), which
 * `info ramblock` shows.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_RAM_BLOCK_H
#define MEMORY_RAM_BLOCK_H

#include "memory/region.h"

/* Who watches for written pages. */
enum {
    DIRTY_MEMORY_VGA,
    DIRTY_MEMORY_CODE,
    DIRTY_MEMORY_MIGRATION,
    DIRTY_MEMORY_CLIENTS
};

struct RAMBlock {
    char *name;
    uint8_t *host;        /* the first byte, mapped for the block's whole life */
    uint64_t used_length; /* bytes that the guest sees */
    uint64_t max_length;  /* bytes that are reserved */
    uint64_t offset;      /* in the RAM address space */
    int fd;               /* memfd or file; -1: the caller's own memory */
    bool shared;
    bool owned;           /* mapped by us: unmapped with the block */
    MemoryRegion *mr;
    void (*resized)(const char *name, uint64_t length, void *host);
    unsigned long *dirty[DIRTY_MEMORY_CLIENTS]; /* a bit a page; NULL: nobody watches */
    unsigned watchers[DIRTY_MEMORY_CLIENTS];    /* why a bitmap is kept: a count */
    unsigned watched;                           /* mask of the clients with a bitmap */
    unsigned long *accessed; /* a bit a page; NULL: nobody asks; see accessed.h */
    unsigned references;                        /* the region's, and one a mapping */
};

/* The block of that name, or NULL. Machine lock. */
RAMBlock *ram_block_find(const char *name);

/* Gives it another name, for streams and `info ramblock`. Machine lock. */
void ram_block_rename(RAMBlock *block, const char *name);

/* Calls `func` for each block in the order in which QEMU lists them (largest first), until it returns
 * false. Machine lock. */
void ram_block_foreach(bool (*func)(RAMBlock *block, void *opaque), void *opaque);

/* The block that a host address lies in and the offset into it, or NULL. */
RAMBlock *ram_block_from_host(const void *host, uint64_t *offset);

/* Marks [offset, offset + length) dirty for all clients in `mask` that watch. Atomic. */
void ram_block_set_dirty(RAMBlock *block, uint64_t offset, uint64_t length, unsigned mask);

bool ram_block_get_dirty(RAMBlock *block, uint64_t offset, uint64_t length, unsigned client);

/* Clears the range for one client; returns whether a page of it was dirty. Atomic. */
bool ram_block_test_and_clear_dirty(RAMBlock *block, uint64_t offset, uint64_t length,
                                    unsigned client);

/* Moves a client's bits of [offset, offset + length) into `bitmap` (bit 0 is the page at
 * `offset`), or-ing; returns how many bits it moved. Atomic per word. */
uint64_t ram_block_harvest_dirty(RAMBlock *block, uint64_t offset, uint64_t length,
                                 unsigned client, unsigned long *bitmap);

/* Starts and stops keeping a client's bitmap, on every block. Machine lock. */
void ram_dirty_log_start(unsigned client);
void ram_dirty_log_stop(unsigned client);

#endif
