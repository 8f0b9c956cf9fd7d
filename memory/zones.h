/*
 * Doorbells and coalesced writes: parts of I/O regions that an accelerator may handle
 * without calling the device. Listeners hear of them by eventfd_add and _del and
 * coalesced_io_add and _del, in guest addresses, and are kept right when the tree
 * changes.
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

/* Whether an access to `mr` first delivers what has been gathered, of any region: for the
 * parts of a device whose meaning depends on writes to its coalesced ones. Coalescing
 * turns it on for its own region, to stay. */
void memory_region_set_flush_coalesced(MemoryRegion *mr);
void memory_region_clear_flush_coalesced(MemoryRegion *mr);

/* Delivers what has been gathered: for a device that is looked at by other ways than the
 * guest's accesses, as a screen is. */
void memory_flush_coalesced(void);

/* An accelerator says how it delivers what it has gathered; NULL: it gathers no more.
 * Called with the machine lock held. */
void memory_set_coalesced_flush(void (*flush)(void));

/* A write of `size` bytes (0: any size) to `offset`, of `data` if match_data, signals the
 * eventfd `fd`, which the caller keeps open. Shown where the view shows all of it. What
 * the accelerator does not take over still reaches the region's write callback. */
void memory_region_add_eventfd(MemoryRegion *mr, hwaddr offset, unsigned size,
                               bool match_data, uint64_t data, int fd);
void memory_region_del_eventfd(MemoryRegion *mr, hwaddr offset, unsigned size,
                               bool match_data, uint64_t data, int fd);

#endif
