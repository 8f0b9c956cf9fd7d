/*
 * Telling listeners how a view changed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

static MemoryRegionSection section_of(AddressSpace *as, const FlatRange *range)
{
    return (MemoryRegionSection){.address_space = as, .range = *range};
}

/* Whether a range is there before and after, but for who watches it. */
static bool stays(const FlatRange *a, const FlatRange *b)
{
    return a->start == b->start && a->last == b->last && a->mr == b->mr &&
           a->offset_in_region == b->offset_in_region && a->write_mr == b->write_mr &&
           (!a->write_mr || a->write_offset == b->write_offset) &&
           a->readonly == b->readonly && a->romd_mode == b->romd_mode &&
           a->nonvolatile == b->nonvolatile;
}

#define EACH_LISTENER(as, listener)                                                      \
    for (guint n_ = 0; n_ < (as)->listeners->len; n_++)                                  \
        for (MemoryListener *listener = g_ptr_array_index((as)->listeners, n_); listener; \
             listener = NULL)

#define EACH_LISTENER_REVERSE(as, listener)                                              \
    for (guint n_ = (as)->listeners->len; n_ > 0; n_--)                                  \
        for (MemoryListener *listener = g_ptr_array_index((as)->listeners, n_ - 1);       \
             listener; listener = NULL)

void listeners_begin(AddressSpace *as)
{
    EACH_LISTENER(as, listener)
    {
        if (listener->begin) {
            listener->begin(listener);
        }
    }
}

void listeners_commit(AddressSpace *as)
{
    EACH_LISTENER(as, listener)
    {
        if (listener->commit) {
            listener->commit(listener);
        }
    }
}

void listeners_tell_removed(AddressSpace *as, const ViewDelta *delta)
{
    guint j = delta->after->len;

    for (guint i = delta->before->len; i > 0; i--) {
        const FlatRange *old = &g_array_index(delta->before, FlatRange, i - 1);
        MemoryRegionSection section = section_of(as, old);

        while (j > 0 && g_array_index(delta->after, FlatRange, j - 1).start > old->start) {
            j--;
        }
        if (j > 0 && stays(old, &g_array_index(delta->after, FlatRange, j - 1))) {
            continue;
        }
        EACH_LISTENER_REVERSE(as, listener)
        {
            if (listener->region_del) {
                listener->region_del(listener, &section);
            }
        }
    }
}

static void tell_stayed(AddressSpace *as, const MemoryRegionSection *section,
                        uint8_t old_mask)
{
    uint8_t new_mask = section->range.dirty_log_mask;

    EACH_LISTENER(as, listener)
    {
        if (listener->region_nop) {
            listener->region_nop(listener, section);
        }
        if ((new_mask & ~old_mask) && listener->log_start) {
            listener->log_start(listener, section, old_mask, new_mask);
        }
    }
    EACH_LISTENER_REVERSE(as, listener)
    {
        if ((old_mask & ~new_mask) && listener->log_stop) {
            listener->log_stop(listener, section, old_mask, new_mask);
        }
    }
}

static void tell_added(MemoryListener *listener, const MemoryRegionSection *section)
{
    if (listener->region_add) {
        listener->region_add(listener, section);
    }
    if (section->range.dirty_log_mask && listener->log_start) {
        listener->log_start(listener, section, 0, section->range.dirty_log_mask);
    }
}

void listeners_tell_added(AddressSpace *as, const ViewDelta *delta)
{
    guint i = 0;

    for (guint j = 0; j < delta->after->len; j++) {
        const FlatRange *new = &g_array_index(delta->after, FlatRange, j);
        MemoryRegionSection section = section_of(as, new);
        const FlatRange *old = NULL;

        while (i < delta->before->len &&
               g_array_index(delta->before, FlatRange, i).start < new->start) {
            i++;
        }
        if (i < delta->before->len) {
            old = &g_array_index(delta->before, FlatRange, i);
        }
        if (old && stays(old, new)) {
            tell_stayed(as, &section, old->dirty_log_mask);
            continue;
        }
        EACH_LISTENER(as, listener)
        {
            tell_added(listener, &section);
        }
    }
}

static int compare_priority(const void *a, const void *b)
{
    const MemoryListener *x = *(MemoryListener *const *)a;
    const MemoryListener *y = *(MemoryListener *const *)b;

    return x->priority < y->priority ? -1 : x->priority > y->priority;
}

/* The ranges of a view as they are now: callbacks see no read section. */
static GArray *ranges_of(AddressSpace *as)
{
    GArray *ranges = g_array_new(false, false, sizeof(FlatRange));

    flat_tree_collect(as->view->ranges, 0, UINT64_MAX, ranges);
    return ranges;
}

void memory_listener_register(MemoryListener *listener, AddressSpace *as)
{
    g_autoptr(GArray) ranges = ranges_of(as);

    if (listener->address_space) {
        memory_misuse("memory listener '%s' is registered already; unregister it first",
                      listener->name ? listener->name : "");
    }
    listener->address_space = as;
    g_ptr_array_add(as->listeners, listener);
    g_ptr_array_sort(as->listeners, compare_priority);
    if (listener->begin) {
        listener->begin(listener);
    }
    if (listener->log_global_start && ram_dirty_global_mask()) {
        listener->log_global_start(listener);
    }
    for (guint i = 0; i < ranges->len; i++) {
        MemoryRegionSection section =
            section_of(as, &g_array_index(ranges, FlatRange, i));

        tell_added(listener, &section);
    }
    zones_tell_all(as, listener, true);
    if (listener->commit) {
        listener->commit(listener);
    }
}

void memory_listener_unregister(MemoryListener *listener)
{
    AddressSpace *as = listener->address_space;
    g_autoptr(GArray) ranges = NULL;

    if (!as) {
        return;
    }
    ranges = ranges_of(as);
    if (listener->begin) {
        listener->begin(listener);
    }
    zones_tell_all(as, listener, false);
    for (guint i = ranges->len; i > 0; i--) {
        MemoryRegionSection section =
            section_of(as, &g_array_index(ranges, FlatRange, i - 1));

        if (section.range.dirty_log_mask && listener->log_stop) {
            listener->log_stop(listener, &section, section.range.dirty_log_mask, 0);
        }
        if (listener->region_del) {
            listener->region_del(listener, &section);
        }
    }
    if (listener->commit) {
        listener->commit(listener);
    }
    g_ptr_array_remove(as->listeners, listener);
    if (as->listeners->len == 0) {
        g_clear_pointer(&as->zones, g_array_unref);
    }
    listener->address_space = NULL;
}

bool memory_global_dirty_log_start(GError **error)
{
    GPtrArray *spaces = address_spaces();

    ram_dirty_log_start(DIRTY_MEMORY_MIGRATION);
    for (guint i = 0; i < spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(spaces, i);

        EACH_LISTENER(as, listener)
        {
            if (listener->log_global_start) {
                listener->log_global_start(listener);
            }
        }
    }
    return true;
}

void memory_global_dirty_log_stop(void)
{
    GPtrArray *spaces = address_spaces();

    ram_dirty_log_stop(DIRTY_MEMORY_MIGRATION);
    for (guint i = 0; i < spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(spaces, i);

        EACH_LISTENER_REVERSE(as, listener)
        {
            if (listener->log_global_stop) {
                listener->log_global_stop(listener);
            }
        }
    }
}

void memory_global_dirty_log_sync(void)
{
    GPtrArray *spaces = address_spaces();

    for (guint i = 0; i < spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(spaces, i);
        g_autoptr(GArray) ranges = as->listeners->len ? ranges_of(as) : NULL;

        EACH_LISTENER(as, listener)
        {
            for (guint j = 0; listener->log_sync && j < ranges->len; j++) {
                MemoryRegionSection section =
                    section_of(as, &g_array_index(ranges, FlatRange, j));

                if (section.range.dirty_log_mask) {
                    listener->log_sync(listener, &section);
                }
            }
        }
    }
}
