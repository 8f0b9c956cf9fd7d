/*
 * AddressSpace: what one kind of bus master sees, a tree's root rendered to a FlatView,
 * and the listeners that are told when the view changes.
 *
 * A FlatView is immutable. A commit builds the new one from the old one by rendering only
 * the guest ranges that the edits touched, swaps it in, and tells listeners only the
 * difference. Readers find a view's ranges without a lock; liburcu frees old views.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_ADDRESS_SPACE_H
#define MEMORY_ADDRESS_SPACE_H

#include "memory/region.h"

typedef struct AddressSpace AddressSpace;
typedef struct FlatView FlatView;
typedef struct MemoryListener MemoryListener;

/* What happens where nobody answers; see address_space_set_unassigned_policy(). Reads
 * and writes there return MEMTX_DECODE_ERROR under each policy. */
typedef enum MemoryUnassignedPolicy {
    MEMORY_UNASSIGNED_READ_ZERO, /* QEMU's unassigned memory, and the default: zeroes */
    MEMORY_UNASSIGNED_READ_ONES, /* a bus that floats high: all ones */
    MEMORY_UNASSIGNED_STOP,      /* all ones, and the handler hears of it */
} MemoryUnassignedPolicy;

/* Called with the machine lock held; `size` is that of the access, at most 8 bytes. */
typedef void (*MemoryUnassignedHandler)(AddressSpace *as, hwaddr addr, unsigned size,
                                        bool is_write, void *opaque);

/*
 * A stretch of guest addresses that one region answers for. `mr` is RAM, ROM, ROM device,
 * I/O or a reservation: never a container or an alias.
 */
typedef struct FlatRange {
    hwaddr start; /* guest physical */
    hwaddr last;  /* inclusive, so that 2^64 fits */
    MemoryRegion *mr;
    hwaddr offset_in_region;
    MemoryRegion *write_mr; /* a split: RAM that takes the writes; else NULL */
    hwaddr write_offset;
    bool readonly;
    bool romd_mode;
    bool nonvolatile;
    uint8_t dirty_log_mask;
} FlatRange;

/* What a listener is told about: a FlatRange of one address space. */
typedef struct MemoryRegionSection {
    AddressSpace *address_space;
    FlatRange range;
} MemoryRegionSection;

/*
 * Called with the machine lock held, while a commit runs: begin, then for each address
 * space region_del of what went (highest address first), region_add and region_nop of
 * what is new or stayed in a touched range (lowest first), then commit. At registration
 * the listener gets region_add for all there is. Any callback may be NULL.
 * A change of dirty_log_mask alone is log_start or log_stop, not del and add.
 */
struct MemoryListener {
    void (*begin)(MemoryListener *listener);
    void (*commit)(MemoryListener *listener);
    void (*region_add)(MemoryListener *listener, const MemoryRegionSection *section);
    void (*region_del)(MemoryListener *listener, const MemoryRegionSection *section);
    void (*region_nop)(MemoryListener *listener, const MemoryRegionSection *section);
    void (*log_start)(MemoryListener *listener, const MemoryRegionSection *section,
                      uint8_t old_mask, uint8_t new_mask);
    void (*log_stop)(MemoryListener *listener, const MemoryRegionSection *section,
                     uint8_t old_mask, uint8_t new_mask);
    /* Dirty pages that the accelerator knows of are or-ed into the block's bitmaps. */
    void (*log_sync)(MemoryListener *listener, const MemoryRegionSection *section);
    void (*log_global_start)(MemoryListener *listener);
    void (*log_global_stop)(MemoryListener *listener);
    void (*eventfd_add)(MemoryListener *listener, const MemoryRegionSection *section,
                        bool match_data, uint64_t data, int fd);
    void (*eventfd_del)(MemoryListener *listener, const MemoryRegionSection *section,
                        bool match_data, uint64_t data, int fd);
    void (*coalesced_io_add)(MemoryListener *listener, const MemoryRegionSection *section,
                             hwaddr start, hwaddr length);
    void (*coalesced_io_del)(MemoryListener *listener, const MemoryRegionSection *section,
                             hwaddr start, hwaddr length);
    const char *name;
    unsigned priority; /* lower hears of additions first and of deletions last */
    AddressSpace *address_space;
};

struct AddressSpace {
    char *name;
    MemoryRegion *root;
    FlatView *view;      /* RCU-protected */
    GPtrArray *path;      /* regions that only pass the view's root on */
    GPtrArray *listeners; /* by priority, ascending */
    GArray *zones;        /* that the listeners know of; see zones.h */
    MemoryUnassignedPolicy unassigned_policy;
    MemoryUnassignedHandler unassigned_handler;
    void *unassigned_opaque;
};

/* Machine lock for all of these. `name` is what `info mtree` calls it. */
void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name);
void address_space_destroy(AddressSpace *as);

/* Calls func for every address space, in the order in which they were made. */
void address_space_foreach(void (*func)(AddressSpace *as, void *opaque), void *opaque);

void memory_listener_register(MemoryListener *listener, AddressSpace *as);
void memory_listener_unregister(MemoryListener *listener);

/* Starts and stops the watching of all RAM for migration; _sync asks the accelerators. */
bool memory_global_dirty_log_start(GError **error);
void memory_global_dirty_log_stop(void);
void memory_global_dirty_log_sync(void);

/* The range that holds `addr`; false: nobody answers there, and *range is the hole: start
 * and last, mr NULL. Any thread; the range's mr stays valid under the machine lock or an
 * RCU read section. */
bool address_space_lookup(AddressSpace *as, hwaddr addr, FlatRange *range);

/* Calls func for every range of the view, ascending, until it returns false. */
void address_space_foreach_range(AddressSpace *as,
                                 bool (*func)(const FlatRange *range, void *opaque),
                                 void *opaque);

/* The first range of `root`'s tree (an address space's root or any region inside one)
 * that overlaps [addr, addr + size); section.range.mr NULL when there is none. The owner
 * is referenced: g_object_unref(memory_region_owner()) when done. Machine lock. */
MemoryRegionSection memory_region_find(MemoryRegion *root, hwaddr addr, uint64_t size);

/* Threads that read memory without the machine lock say so first and last (liburcu). The
 * thread that made the first address space, and one that holds the machine lock the whole
 * time, need not. */
void memory_thread_register(void);
void memory_thread_unregister(void);

#endif
