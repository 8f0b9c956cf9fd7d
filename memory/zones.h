/*
 * Doorbells and coalesced writes: parts of I/O regions that an accelerator may handle
 * without calling the device. Listeners hear of them by eventfd_add and _del and
 * coalesced_io_add and _del, in guest addresses, and are kept right when the tree changes.
 *
 * All functions: machine lock; inside a transaction they show at its commit.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_ZONES_H
#define MEMORY_ZONES_H

#include "memory/address-space.h"

/* Writes to [offset, offset + size) of `mr` may be gathered and delivered later, in
 * order. A zone is shown as far as the view shows the region. */
void memory_region_add_coalescing(MemoryRegion *mr, hwaddr offset, uint64_t size);

/* All of the region, and nothing of it. */
void memory_region_set_coalescing(MemoryRegion *mr);
void memory_region_clear_coalescing(MemoryRegion *mr);

/* A write of `size` bytes (0: any size) to `offset`, of `data` if match_data, signals the
 * eventfd `fd`, which the caller keeps open. Shown where the view shows all of it. What
 * the accelerator does not take over still reaches the region's write callback. */
void memory_region_add_eventfd(MemoryRegion *mr, hwaddr offset, unsigned size,
                               bool match_data, uint64_t data, int fd);
void memory_region_del_eventfd(MemoryRegion *mr, hwaddr offset, unsigned size,
                               bool match_data, uint64_t data, int fd);

#endif
