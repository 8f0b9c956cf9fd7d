/*
 * What the files of this room share with each other and with nobody else.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_INTERNAL_H
#define MEMORY_INTERNAL_H

#include "memory/access.h"
#include "memory/address-space.h"
#include "memory/io-lock.h"
#include "memory/ram-block.h"
#include "memory/readers.h"
#include "memory/region.h"

/* Ends the process: the caller has a bug that would corrupt the tree. */
void memory_misuse(const char *format, ...) G_GNUC_PRINTF(1, 2) G_GNUC_NORETURN;

/* A region's name for messages; never NULL. */
const char *region_label(const MemoryRegion *mr);

/* The last byte of a region, an offset; the region is not empty. */
static inline hwaddr region_last(const MemoryRegion *mr)
{
    return (hwaddr)(mr->size - 1);
}

/* Where a region that starts at `start` ends, cut at 2^64. */
static inline hwaddr last_from(hwaddr start, const MemoryRegion *mr)
{
    hwaddr last = start + region_last(mr);

    return last < start ? UINT64_MAX : last;
}

/* Whether the region itself answers where none of its subregions does. */
static inline bool region_answers(const MemoryRegion *mr)
{
    return mr->kind != MEMORY_REGION_CONTAINER && mr->kind != MEMORY_REGION_ALIAS;
}

/* -- region-index.c: a container's subregions, findable by address ---------------------- */

struct RegionIndex {
    struct RegionNode *root;
    uint64_t additions; /* counts up: of equal priorities the later addition shows */
    unsigned count;
    unsigned enabled;
};

void region_index_add(MemoryRegion *container, MemoryRegion *mr);
void region_index_remove(MemoryRegion *container, MemoryRegion *mr);
/* `mr` was enabled, disabled or resized in place. */
void region_index_refresh(MemoryRegion *container, MemoryRegion *mr, bool was_enabled);
/* Appends, by address and then from high to low priority, the subregions that overlap
 * [first, last] of the container and are enabled; or all there are. */
void region_index_find(const MemoryRegion *container, hwaddr first, hwaddr last,
                       GPtrArray *out);
void region_index_list(const MemoryRegion *container, GPtrArray *out);
/* Of two siblings that overlap: whether `a` shows. */
bool region_is_above(const MemoryRegion *a, const MemoryRegion *b);
void region_index_free(struct RegionIndex *index);

/* -- render.c --------------------------------------------------------------------------- */

/* A growing list of ascending FlatRanges; appending merges neighbours that continue each
 * other in one region with the same attributes. */
void range_list_append(GArray *list, const FlatRange *range);

/* Appends what [first, last] of the tree under `root` shows. */
void render_region(MemoryRegion *root, hwaddr first, hwaddr last, GArray *out);

/* -- flat-view.c: the ranges of a view, an immutable tree of sorted chunks ---------------- */

typedef struct FlatNode FlatNode;

struct FlatView {
    MemoryRegion *root; /* NULL: the view of nothing */
    FlatNode *ranges;   /* RCU-protected */
    unsigned users;     /* address spaces */
    GArray *touched;    /* intervals that the open transaction has edited */
};

typedef struct Interval {
    hwaddr first;
    hwaddr last;
} Interval;

FlatNode *flat_tree_build(const FlatRange *ranges, unsigned count);
/* A tree in which [first, last] holds `ranges` instead of what it held; no range of the
 * old tree straddles the borders. The nodes that it replaces are retired. */
FlatNode *flat_tree_replace(FlatNode *tree, hwaddr first, hwaddr last,
                            const FlatRange *ranges, unsigned count);
void flat_tree_retire(FlatNode *tree);
/* The range with the highest start that is not above addr, or NULL. */
const FlatRange *flat_tree_at_or_before(const FlatNode *tree, hwaddr addr);
/* The range with the lowest start above addr, or NULL. */
const FlatRange *flat_tree_after(const FlatNode *tree, hwaddr addr);
/* Calls func for each range that overlaps [first, last], until it returns false. */
bool flat_tree_foreach(const FlatNode *tree, hwaddr first, hwaddr last,
                       bool (*func)(const FlatRange *range, void *opaque), void *opaque);
void flat_tree_collect(const FlatNode *tree, hwaddr first, hwaddr last, GArray *out);

static inline const FlatNode *flat_view_ranges(AddressSpace *as)
{
    FlatView *view = see_pointer(as->view);

    return see_pointer(view->ranges);
}

/* -- commit.c ----------------------------------------------------------------------------- */

/* Counts changes of any view; what a thread remembers of a view holds for one count. */
extern uint64_t memory_generation;

/* [first, last] of `mr` may look different at the next commit. */
void region_touch(MemoryRegion *mr, hwaddr first, hwaddr last);
/* All of `mr` may, also from above it, even if it is disabled now. */
void region_touch_all(MemoryRegion *mr);
/* The path from address spaces to the region that they render may be another. */
void region_path_changed(MemoryRegion *mr);

void address_space_attach_view(AddressSpace *as);
void address_space_detach_view(AddressSpace *as);
void memory_touch_everything(void);
/* Commits what an open transaction has so far. */
void memory_region_transaction_flush(void);

/* -- listener.c --------------------------------------------------------------------------- */

/* How one view changed: whole ranges, ascending. */
typedef struct ViewDelta {
    GArray *before;
    GArray *after;
} ViewDelta;

void listeners_begin(AddressSpace *as);
void listeners_tell_removed(AddressSpace *as, const ViewDelta *delta);
void listeners_tell_added(AddressSpace *as, const ViewDelta *delta);
void listeners_commit(AddressSpace *as);

/* -- zones.c ------------------------------------------------------------------------------- */

/* Finds the zones that a view shows now and tells the listeners the difference. */
void zones_update(AddressSpace *as);
/* Whether a change of the view concerns a region with zones. */
bool zones_in(const ViewDelta *delta);
/* One listener that was registered, or is about to go. */
void zones_tell_all(AddressSpace *as, MemoryListener *listener, bool add);
/* Whether zones were edited since this was asked last. */
bool zones_take_edited(void);
bool zones_are_edited(void);
void region_free_zones(MemoryRegion *mr);

/* -- address-space.c ------------------------------------------------------------------------ */

/* All address spaces, in the order in which they were made. */
GPtrArray *address_spaces(void);

/* -- access.c --------------------------------------------------------------------------------- */

/* The calling thread forgets what it found last, as it is not registered any more. */
void places_forget(void);

/* -- dispatch.c ------------------------------------------------------------------------------ */

/* The sizes, or-ed, of aligned reads that can be nothing but one call of the region's read
 * callback; and such a read. The machine lock. */
unsigned dispatch_direct_sizes(const MemoryRegion *mr);
uint64_t dispatch_read_direct(MemoryRegion *mr, hwaddr offset, unsigned size);
/* How many of `length` bytes at `offset` the device is to be given in one access. */
unsigned dispatch_access_size(const MemoryRegion *mr, hwaddr offset, uint64_t length);
/* One access of `size` 1, 2, 4 or 8 to a region with ops; the value is little-endian's.
 * Machine lock. */
MemTxResult dispatch_read(MemoryRegion *mr, hwaddr offset, unsigned size, uint64_t *value,
                          MemTxAttrs attrs);
MemTxResult dispatch_write(MemoryRegion *mr, hwaddr offset, unsigned size, uint64_t value,
                           MemTxAttrs attrs);

/* -- ram-block.c, dirty.c -------------------------------------------------------------------- */

/* What memory a block is to have: `host`, the caller's; or else a file or a memfd. */
typedef struct RAMBlockRequest {
    uint64_t used_length;
    uint64_t max_length;
    void *host;
    const char *path;
    bool shared;
    void (*resized)(const char *name, uint64_t length, void *host);
} RAMBlockRequest;

/* A block for `mr`, under its name; NULL and *error when there is no memory. */
RAMBlock *ram_block_new(MemoryRegion *mr, const RAMBlockRequest *request, GError **error);
/* The block's region is gone; its memory stays for as long as it is mapped. */
void ram_block_retire(RAMBlock *block);
bool ram_block_resize(RAMBlock *block, uint64_t length, GError **error);
/* Any thread. The last one out unmaps the memory. */
void ram_block_ref(RAMBlock *block);
void ram_block_unref(RAMBlock *block);
/* Bitmaps for the clients whose log is on. Frees all with the block. */
void ram_dirty_block_added(RAMBlock *block);
void ram_dirty_block_removed(RAMBlock *block);
void ram_accessed_block_added(RAMBlock *block);
void ram_accessed_block_removed(RAMBlock *block);
/* Starts and stops one client on one block; nests. */
void ram_dirty_watch(RAMBlock *block, unsigned client);
void ram_dirty_unwatch(RAMBlock *block, unsigned client);
/* Clients whose watching of all RAM is on, as a mask for FlatRange.dirty_log_mask. */
uint8_t ram_dirty_global_mask(void);

#endif
