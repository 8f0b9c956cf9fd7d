/*
 * Address spaces: making them, and looking things up in their views.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

GPtrArray *address_spaces(void)
{
    static GPtrArray *spaces; /* a process has one machine */

    if (!spaces) {
        spaces = g_ptr_array_new();
    }
    return spaces;
}

void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name)
{
    memory_thread_register();
    *as = (AddressSpace){
        .name = g_strdup(name ? name : "anonymous"),
        .root = root,
        .listeners = g_ptr_array_new(),
    };
    if (!root->address_spaces) {
        root->address_spaces = g_ptr_array_new();
    }
    g_ptr_array_add(root->address_spaces, as);
    g_ptr_array_add(address_spaces(), as);
    address_space_attach_view(as);
}

void address_space_destroy(AddressSpace *as)
{
    while (as->listeners->len > 0) {
        memory_listener_unregister(
            g_ptr_array_index(as->listeners, as->listeners->len - 1));
    }
    g_ptr_array_remove(address_spaces(), as);
    g_ptr_array_remove(as->root->address_spaces, as);
    address_space_detach_view(as);
    memory_wait_for_readers();
    g_ptr_array_free(as->listeners, true);
    g_clear_pointer(&as->zones, g_array_unref);
    g_free(as->name);
    as->root = NULL;
}

void address_space_foreach(void (*func)(AddressSpace *as, void *opaque), void *opaque)
{
    GPtrArray *spaces = address_spaces();

    for (guint i = 0; i < spaces->len; i++) {
        func(g_ptr_array_index(spaces, i), opaque);
    }
}

void address_space_set_unassigned_policy(AddressSpace *as, MemoryUnassignedPolicy policy,
                                         MemoryUnassignedHandler handler, void *opaque)
{
    as->unassigned_policy = policy;
    as->unassigned_handler = handler;
    as->unassigned_opaque = opaque;
}

bool address_space_lookup(AddressSpace *as, hwaddr addr, FlatRange *range)
{
    const FlatNode *tree;
    const FlatRange *found;
    bool hit;

    memory_read_lock();
    tree = flat_view_ranges(as);
    found = flat_tree_at_or_before(tree, addr);
    hit = found && found->last >= addr;
    if (hit) {
        *range = *found;
    } else {
        const FlatRange *next = flat_tree_after(tree, addr);

        *range = (FlatRange){
            .start = found ? found->last + 1 : 0,
            .last = next ? next->start - 1 : UINT64_MAX,
        };
    }
    memory_read_unlock();
    return hit;
}

void address_space_foreach_range(AddressSpace *as,
                                 bool (*func)(const FlatRange *range, void *opaque),
                                 void *opaque)
{
    memory_read_lock();
    flat_tree_foreach(flat_view_ranges(as), 0, UINT64_MAX, func, opaque);
    memory_read_unlock();
}

static bool take_first(const FlatRange *range, void *opaque)
{
    *(FlatRange *)opaque = *range;
    return false;
}

MemoryRegionSection memory_region_find(MemoryRegion *root, hwaddr addr, uint64_t size)
{
    MemoryRegionSection section = {NULL};
    FlatRange found = {.mr = NULL};
    MemoryRegion *top = root;
    hwaddr base = 0, first, last;

    while (top->container) {
        base += top->addr;
        top = top->container;
    }
    first = base + addr;
    last = size ? first + (size - 1) : first;
    if (size == 0 || first < addr) {
        return section;
    }
    last = MAX(last, first) == last ? last : UINT64_MAX;
    if (top->address_spaces && top->address_spaces->len > 0) {
        section.address_space = g_ptr_array_index(top->address_spaces, 0);
        flat_tree_foreach(section.address_space->view->ranges, first, last, take_first,
                          &found);
    } else {
        g_autoptr(GArray) ranges = g_array_new(false, false, sizeof(FlatRange));

        render_region(top, first, last, ranges);
        if (ranges->len > 0) {
            found = g_array_index(ranges, FlatRange, 0);
        }
    }
    if (found.mr) {
        hwaddr cut = first > found.start ? first - found.start : 0;

        found.start += cut;
        found.offset_in_region += cut;
        found.write_offset += found.write_mr ? cut : 0;
        found.last = MIN(found.last, last);
        if (found.mr->owner) {
            g_object_ref(found.mr->owner);
        }
    }
    section.range = found;
    return section;
}
