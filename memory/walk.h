/*
 * Reading the tree: what a region or a range is in a word, and what lies in a region. For
 * those who show trees to people and programs.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_WALK_H
#define MEMORY_WALK_H

#include "memory/address-space.h"

/* "container", "ram", "rom", "ram device", "rom device", "i/o", "alias", "reservation" or
 * "split": a string constant. */
const char *memory_region_kind_name(const MemoryRegion *mr);

/* The same of a range, as the guest meets it there: RAM that it may only read is "rom",
 * and a ROM device whose reads are callbacks is "i/o". "hole" where nobody answers. */
const char *flat_range_kind_name(const FlatRange *range);

/* Calls func for each subregion by address, then from high to low priority, disabled ones
 * too. func must not edit the tree. Machine lock. */
void memory_region_foreach_subregion(const MemoryRegion *mr,
                                     void (*func)(MemoryRegion *mr, void *opaque),
                                     void *opaque);

/* The RAM behind the range's first byte and the offset into it; NULL: there is none. */
RAMBlock *flat_range_ram_block(const FlatRange *range, uint64_t *offset);

#endif
