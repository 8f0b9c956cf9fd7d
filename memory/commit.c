/*
 * Transactions: what an edit touches, and the commit that makes it seen.
 *
 * An edit is carried from its region up through containers and through the aliases that
 * show it, cut on the way to what is visible there, to each view that it reaches; the
 * view collects intervals of guest addresses. The outermost commit renders these
 * intervals again and nothing else, compares them with what they held, and, where that
 * differs, puts the new ranges into the view and tells the listeners the difference.
 *
 * A view belongs to the region that it is rendered from. An address space whose root
 * only passes on another region (a container with a single enabled subregion of its own
 * size, an alias of all of a region) uses that region's view; bus masters and CPUs
 * thereby share one.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

#include <stdlib.h>

uint64_t memory_generation = 1;

/* The view of an address space that shows nothing. */
static FlatView empty_view;

/* The open transaction; machine lock. */
static struct {
    unsigned depth;
    GPtrArray *touched_views;
    bool paths_changed; /* an address space may render another region now */
    bool notifying;
} transaction;

/* -- What an edit touches ----------------------------------------------------------------- */

static void view_touch(FlatView *view, hwaddr first, hwaddr last)
{
    Interval interval = {first, last};

    if (view->touched->len == 0) {
        g_ptr_array_add(transaction.touched_views, view);
    }
    g_array_append_val(view->touched, interval);
}

/* `shown` of [first, last] appears through the window that begins at offset of a region. */
static void touch_through(MemoryRegion *window, hwaddr offset, hwaddr first, hwaddr last)
{
    if (!window->enabled || window->size == 0 || last < offset) {
        return;
    }
    region_touch(window, MAX(first, offset) - offset, last - offset);
}

static void touch_outward(MemoryRegion *mr, hwaddr first, hwaddr last)
{
    if (mr->view) {
        view_touch(mr->view, first, last);
    }
    for (guint i = 0; mr->mapped_by && i < mr->mapped_by->len; i++) {
        MemoryRegion *window = g_ptr_array_index(mr->mapped_by, i);

        if (window->alias == mr && window->mapped_slot[0] == i) {
            touch_through(window, window->alias_offset, first, last);
        } else {
            touch_through(window, window->split_write_offset, first, last);
        }
    }
}

static void touch_container(MemoryRegion *mr, hwaddr first, hwaddr last)
{
    hwaddr from = mr->addr + first;
    hwaddr to = mr->addr + last;

    if (mr->container && from >= first) {
        region_touch(mr->container, from, to < from ? UINT64_MAX : to);
    }
}

void region_touch(MemoryRegion *mr, hwaddr first, hwaddr last)
{
    if (!mr->enabled || mr->size == 0 || first > region_last(mr)) {
        return;
    }
    last = MIN(last, region_last(mr));
    touch_outward(mr, first, last);
    touch_container(mr, first, last);
}

void region_touch_all(MemoryRegion *mr)
{
    if (mr->size > 0) {
        touch_outward(mr, 0, region_last(mr));
        touch_container(mr, 0, region_last(mr));
    }
}

void memory_touch_everything(void)
{
    GPtrArray *spaces = address_spaces();

    for (guint i = 0; i < spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(spaces, i);

        if (as->view->root) {
            view_touch(as->view, 0, UINT64_MAX);
        }
    }
}

/* -- Which region an address space renders ------------------------------------------------- */

/* The region that shows exactly what `mr` shows; `mr` itself when it has its own say;
 * NULL when it shows nothing. */
static MemoryRegion *next_on_path(MemoryRegion *mr)
{
    if (!mr->enabled || mr->size == 0) {
        return NULL;
    }
    if (mr->readonly || mr->nonvolatile) {
        return mr;
    }
    if (mr->kind == MEMORY_REGION_ALIAS) {
        bool whole = mr->alias && mr->alias_offset == 0 && mr->size >= mr->alias->size;

        return whole ? mr->alias : mr;
    }
    if (mr->kind == MEMORY_REGION_CONTAINER) {
        if (!mr->subregions || mr->subregions->enabled == 0) {
            return NULL;
        }
        if (mr->subregions->enabled == 1) {
            g_autoptr(GPtrArray) only = g_ptr_array_new();

            region_index_find(mr, 0, UINT64_MAX, only);
            if (only->len == 1) {
                MemoryRegion *sub = g_ptr_array_index(only, 0);

                return sub->addr == 0 && sub->size <= mr->size ? sub : mr;
            }
        }
    }
    return mr;
}

/* Finds the region that an address space renders, and notes in as->path the regions that
 * it is passed through, or that end the way with nothing. */
static MemoryRegion *find_view_root(AddressSpace *as)
{
    MemoryRegion *mr = as->root;

    for (guint i = 0; i < as->path->len; i++) {
        ((MemoryRegion *)g_ptr_array_index(as->path, i))->on_view_path--;
    }
    g_ptr_array_set_size(as->path, 0);
    while (mr) {
        MemoryRegion *next = next_on_path(mr);

        if (next == mr) {
            break;
        }
        mr->on_view_path++;
        g_ptr_array_add(as->path, mr);
        mr = next;
    }
    return mr;
}

void region_path_changed(MemoryRegion *mr)
{
    if (mr->on_view_path > 0 || (mr->view && next_on_path(mr) != mr)) {
        transaction.paths_changed = true;
    }
}

static FlatView *view_of(MemoryRegion *root)
{
    if (!root) {
        return &empty_view;
    }
    if (!root->view) {
        FlatView *view = g_new0(FlatView, 1);
        g_autoptr(GArray) ranges = g_array_new(false, false, sizeof(FlatRange));

        render_region(root, 0, UINT64_MAX, ranges);
        view->root = root;
        view->ranges = flat_tree_build((FlatRange *)ranges->data, ranges->len);
        view->touched = g_array_new(false, false, sizeof(Interval));
        root->view = view;
    }
    return root->view;
}

static void view_free_unless_used(FlatView *view)
{
    if (view == &empty_view || view->users > 0) {
        return;
    }
    if (view->touched->len > 0) {
        g_ptr_array_remove(transaction.touched_views, view);
    }
    view->root->view = NULL;
    flat_tree_retire(view->ranges);
    g_array_free(view->touched, true);
    memory_retire(view, g_free);
}

void address_space_attach_view(AddressSpace *as)
{
    as->path = g_ptr_array_new();
    as->view = view_of(find_view_root(as));
    as->view->users++;
}

void address_space_detach_view(AddressSpace *as)
{
    FlatView *view = as->view;

    for (guint i = 0; i < as->path->len; i++) {
        ((MemoryRegion *)g_ptr_array_index(as->path, i))->on_view_path--;
    }
    g_ptr_array_free(as->path, true);
    publish_pointer(as->view, &empty_view);
    view->users--;
    view_free_unless_used(view);
    __atomic_add_fetch(&memory_generation, 1, __ATOMIC_SEQ_CST);
    memory_reclaim();
}

/* -- The commit ------------------------------------------------------------------------------ */

static int compare_intervals(const void *a, const void *b)
{
    const Interval *x = a, *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

/* Sorts the intervals and joins those that overlap or touch. */
static void tidy_intervals(GArray *intervals)
{
    Interval *items = (Interval *)(void *)intervals->data;
    guint kept = 0;

    if (intervals->len > 1) {
        qsort(items, intervals->len, sizeof(Interval), compare_intervals);
        for (guint i = 1; i < intervals->len; i++) {
            if (items[kept].last == UINT64_MAX || items[i].first <= items[kept].last + 1) {
                items[kept].last = MAX(items[kept].last, items[i].last);
            } else {
                items[++kept] = items[i];
            }
        }
        g_array_set_size(intervals, kept + 1);
    }
}

/* Appends the part of an old range that lies in [first, last]. */
static void append_part(GArray *out, const FlatRange *range, hwaddr first, hwaddr last)
{
    FlatRange part = *range;

    if (first > last) {
        return;
    }
    part.start = first;
    part.last = last;
    part.offset_in_region += first - range->start;
    part.write_offset += range->write_mr ? first - range->start : 0;
    range_list_append(out, &part);
}

static bool same_range(const FlatRange *a, const FlatRange *b)
{
    return a->start == b->start && a->last == b->last && a->mr == b->mr &&
           a->offset_in_region == b->offset_in_region && a->write_mr == b->write_mr &&
           (!a->write_mr || a->write_offset == b->write_offset) &&
           a->readonly == b->readonly && a->romd_mode == b->romd_mode &&
           a->nonvolatile == b->nonvolatile && a->dirty_log_mask == b->dirty_log_mask;
}

static bool same_ranges(const FlatRange *a, const FlatRange *b, guint count)
{
    for (guint i = 0; i < count; i++) {
        if (!same_range(&a[i], &b[i])) {
            return false;
        }
    }
    return true;
}

/*
 * Renders the touched intervals from number `i` on that hang together, and replaces them
 * in the tree. The old ranges on either side take part: an interval may cut one in two,
 * or make the halves one again. Returns the number of the next interval; what changed
 * goes to `delta`.
 */
static guint rerender(FlatView *view, FlatNode **tree, guint i, ViewDelta *delta)
{
    const Interval *touched = &g_array_index(view->touched, Interval, 0);
    guint before = delta->before->len, after = delta->after->len;
    hwaddr first = touched[i].first;
    const FlatRange *left = first ? flat_tree_at_or_before(*tree, first - 1) : NULL;
    const FlatRange *right;
    hwaddr start = first, last;
    const FlatRange *old, *new;
    guint old_count, new_count;
    g_autoptr(GArray) rendered = g_array_new(false, false, sizeof(FlatRange));

    if (left && left->last >= first - 1) {
        start = left->start;
        append_part(rendered, left, start, first - 1);
    }
    for (;;) {
        last = touched[i].last;
        render_region(view->root, touched[i].first, last, rendered);
        i++;
        right = last < UINT64_MAX ? flat_tree_at_or_before(*tree, last + 1) : NULL;
        if (!right || right->last <= last) {
            break;
        }
        if (i == view->touched->len ||
            (right->last != UINT64_MAX && touched[i].first > right->last + 1)) {
            append_part(rendered, right, last + 1, right->last);
            last = right->last;
            break;
        }
        append_part(rendered, right, last + 1, touched[i].first - 1);
    }
    flat_tree_collect(*tree, start, last, delta->before);
    g_array_append_vals(delta->after, rendered->data, rendered->len);

    old = &g_array_index(delta->before, FlatRange, before);
    new = &g_array_index(delta->after, FlatRange, after);
    old_count = delta->before->len - before;
    new_count = delta->after->len - after;
    if (old_count == new_count && same_ranges(old, new, old_count)) {
        g_array_set_size(delta->before, before);
        g_array_set_size(delta->after, after);
    } else {
        *tree = flat_tree_replace(*tree, start, last, new, new_count);
    }
    return i;
}

static void delta_init(ViewDelta *delta)
{
    delta->before = g_array_new(false, false, sizeof(FlatRange));
    delta->after = g_array_new(false, false, sizeof(FlatRange));
}

static void delta_clear(ViewDelta *delta)
{
    g_array_free(delta->before, true);
    g_array_free(delta->after, true);
}

/* A view that the commit changes. */
typedef struct Change {
    FlatView *view;
    FlatNode *tree;
    ViewDelta delta;
} Change;

/* An address space that takes another view. */
typedef struct Move {
    AddressSpace *as;
    FlatView *from;
    FlatView *to;
    ViewDelta delta;
} Move;

static void clear_change(void *change)
{
    delta_clear(&((Change *)change)->delta);
}

static void clear_move(void *move)
{
    delta_clear(&((Move *)move)->delta);
}

static void find_moves(GArray *moves)
{
    GPtrArray *spaces = address_spaces();

    for (guint i = 0; i < spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(spaces, i);
        Move move = {as, as->view, view_of(find_view_root(as))};

        if (move.from == move.to) {
            continue;
        }
        move.from->users--;
        move.to->users++;
        delta_init(&move.delta);
        flat_tree_collect(move.from->ranges, 0, UINT64_MAX, move.delta.before);
        g_array_append_val(moves, move);
    }
}

static void find_changes(GArray *changes)
{
    for (guint i = 0; i < transaction.touched_views->len; i++) {
        FlatView *view = g_ptr_array_index(transaction.touched_views, i);
        Change change = {view, view->ranges};

        if (view->users > 0) {
            delta_init(&change.delta);
            tidy_intervals(view->touched);
            for (guint j = 0; j < view->touched->len;) {
                j = rerender(view, &change.tree, j, &change.delta);
            }
            if (change.tree != view->ranges) {
                g_array_append_val(changes, change);
            } else {
                delta_clear(&change.delta);
            }
        }
        g_array_set_size(view->touched, 0);
    }
    g_ptr_array_set_size(transaction.touched_views, 0);
}

/* Readers see the new world from here on. */
static void publish(GArray *changes, GArray *moves)
{
    for (guint i = 0; i < changes->len; i++) {
        Change *change = &g_array_index(changes, Change, i);

        publish_pointer(change->view->ranges, change->tree);
    }
    for (guint i = 0; i < moves->len; i++) {
        Move *move = &g_array_index(moves, Move, i);

        publish_pointer(move->as->view, move->to);
        flat_tree_collect(move->to->ranges, 0, UINT64_MAX, move->delta.after);
    }
    __atomic_add_fetch(&memory_generation, 1, __ATOMIC_SEQ_CST);
}

/* What the commit means for one address space, or NULL. */
static const ViewDelta *delta_of(const AddressSpace *as, GArray *changes, GArray *moves)
{
    for (guint i = 0; i < moves->len; i++) {
        if (g_array_index(moves, Move, i).as == as) {
            return &g_array_index(moves, Move, i).delta;
        }
    }
    for (guint i = 0; i < changes->len; i++) {
        if (g_array_index(changes, Change, i).view == as->view) {
            return &g_array_index(changes, Change, i).delta;
        }
    }
    return NULL;
}

static void notify(GArray *changes, GArray *moves)
{
    static const ViewDelta nothing; /* for spaces in which only zones may differ */
    GPtrArray *spaces = address_spaces();
    g_autoptr(GPtrArray) heard = g_ptr_array_new();
    g_autoptr(GPtrArray) deltas = g_ptr_array_new();
    bool zones_edited = zones_take_edited();

    for (guint i = 0; i < spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(spaces, i);
        const ViewDelta *delta = as->listeners->len ? delta_of(as, changes, moves) : NULL;

        if (delta || (zones_edited && as->listeners->len)) {
            g_ptr_array_add(heard, as);
            g_ptr_array_add(deltas, (void *)(delta ? delta : &nothing));
            listeners_begin(as);
        }
    }
    for (guint i = 0; i < heard->len; i++) {
        AddressSpace *as = g_ptr_array_index(heard, i);
        const ViewDelta *delta = g_ptr_array_index(deltas, i);

        if (delta != &nothing) {
            listeners_tell_removed(as, delta);
            listeners_tell_added(as, delta);
        }
        if (zones_edited || zones_in(delta)) {
            zones_update(as);
        }
    }
    for (guint i = 0; i < heard->len; i++) {
        listeners_commit(g_ptr_array_index(heard, i));
    }
}

/* Several address spaces may have left the same view. */
static void free_left_views(GArray *moves)
{
    for (guint i = 0; i < moves->len; i++) {
        FlatView *left = g_array_index(moves, Move, i).from;
        bool again = false;

        for (guint j = 0; j < i && !again; j++) {
            again = g_array_index(moves, Move, j).from == left;
        }
        if (!again) {
            view_free_unless_used(left);
        }
    }
}

static void commit(void)
{
    g_autoptr(GArray) moves = g_array_new(false, false, sizeof(Move));
    g_autoptr(GArray) changes = g_array_new(false, false, sizeof(Change));

    g_array_set_clear_func(moves, clear_move);
    g_array_set_clear_func(changes, clear_change);
    if (transaction.paths_changed) {
        transaction.paths_changed = false;
        find_moves(moves);
    }
    find_changes(changes);
    if (moves->len + changes->len == 0 && !zones_are_edited()) {
        return;
    }
    publish(changes, moves);
    transaction.notifying = true;
    notify(changes, moves);
    transaction.notifying = false;
    free_left_views(moves);
    memory_reclaim();
}

void memory_region_transaction_begin(void)
{
    if (transaction.notifying) {
        memory_misuse("a memory listener changes the tree while it is told of a change; "
                      "note what to do and do it after the commit");
    }
    if (!transaction.touched_views) {
        transaction.touched_views = g_ptr_array_new();
    }
    transaction.depth++;
}

void memory_region_transaction_commit(void)
{
    if (transaction.depth == 0) {
        memory_misuse("memory_region_transaction_commit: no transaction is open; each "
                      "commit needs its memory_region_transaction_begin()");
    }
    if (--transaction.depth == 0 &&
        (transaction.paths_changed || transaction.touched_views->len > 0 ||
         zones_are_edited())) {
        commit();
    }
}

void memory_region_transaction_flush(void)
{
    if (transaction.depth > 0 && !transaction.notifying) {
        commit();
    }
}
