/*
 * Accessed pages: which pages of RAM the guest has read, written or executed, where the
 * accelerator can tell (x86emu can; KVM has no interface for it). Working-set estimates and
 * bhyve's kind of reclaim want this; migration wants the dirty bitmaps of ram-block.h.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_ACCESSED_H
#define MEMORY_ACCESSED_H

#include "memory/ram-block.h"

/* Starts keeping a bitmap for every block; nests. False: no accelerator here can tell, and
 * nothing was started. Machine lock, as for _stop and _harvest. */
bool ram_accessed_log_start(void);
void ram_accessed_log_stop(void);

/* Moves the bits of [offset, offset + length) bytes of the block into `bitmap` (bit 0 is
 * the page at `offset`), or-ing; returns how many. A page accessed later counts anew. */
uint64_t ram_block_harvest_accessed(RAMBlock *block, uint64_t offset, uint64_t length,
                                    unsigned long *bitmap);

/* -- For accelerators ----------------------------------------------------------------------- */

/* Says that the caller reports accesses. `forget` makes it report every page anew from its
 * next access on (it empties a cache of translations). At most one, for the process's life. */
void ram_accessed_set_tracker(void (*forget)(void *opaque), void *opaque);

/* The guest accesses these bytes. Any thread in an RCU read section or with the machine
 * lock; costs one load while nobody asks. */
void ram_block_set_accessed(RAMBlock *block, uint64_t offset, uint64_t length);

#endif
