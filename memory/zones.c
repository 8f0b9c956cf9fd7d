/*
 * Zones: parts of I/O regions that an accelerator may handle without a callback, as
 * doorbells (ioeventfd) or by gathering writes (coalesced MMIO).
 *
 * A zone lies in a region; where guests see it follows from the view. After a commit the
 * zones of each address space in which a region with zones came or went are found anew
 * and compared with those its listeners know.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/zones.h"

#include <string.h>

#include "memory/internal.h"

/* In a region. */
typedef struct Zone {
    bool coalesced;
    bool match_data;
    unsigned size; /* of a doorbell: bytes of the access; 0: any */
    int fd;
    hwaddr offset;
    hwaddr length; /* at least 1 */
    uint64_t data;
} Zone;

/* As a guest sees it. */
typedef struct SeenZone {
    Zone zone;
    hwaddr start;
    hwaddr length;
    FlatRange range;
} SeenZone;

/* Zones in all regions; machine lock. */
static unsigned zone_count;
static bool zones_edited;

/* The accelerator's; machine lock. */
static void (*coalesced_flush)(void);
static bool flushing;

static bool same_zone(const Zone *a, const Zone *b)
{
    return a->coalesced == b->coalesced && a->offset == b->offset &&
           a->length == b->length && a->fd == b->fd && a->size == b->size &&
           a->match_data == b->match_data && (!a->match_data || a->data == b->data);
}

/* -- Edits ----------------------------------------------------------------------- */

static void add_zone(MemoryRegion *mr, Zone zone)
{
    if (zone.length == 0 || (uint128)zone.offset + zone.length > mr->size) {
        memory_misuse("region '%s': a zone at 0x%" PRIx64 " of 0x%" PRIx64
                      " bytes does not lie in it",
                      region_label(mr), zone.offset, zone.length);
    }
    if (!mr->zones) {
        mr->zones = g_array_new(false, false, sizeof(Zone));
    }
    memory_region_transaction_begin();
    g_array_append_val(mr->zones, zone);
    zone_count++;
    zones_edited = true;
    memory_region_transaction_commit();
}

/* Removes the zones of a kind that are `like`; NULL: all of the kind. */
static unsigned remove_zones(MemoryRegion *mr, bool coalesced, const Zone *like)
{
    unsigned removed = 0;

    memory_region_transaction_begin();
    for (guint i = 0; mr->zones && i < mr->zones->len;) {
        const Zone *zone = &g_array_index(mr->zones, Zone, i);

        if (zone->coalesced == coalesced && (!like || same_zone(zone, like))) {
            g_array_remove_index(mr->zones, i);
            zone_count--;
            zones_edited = true;
            removed++;
        } else {
            i++;
        }
    }
    memory_region_transaction_commit();
    return removed;
}

void memory_region_add_coalescing(MemoryRegion *mr, hwaddr offset, uint64_t size)
{
    add_zone(mr, (Zone){.coalesced = true, .offset = offset, .length = size, .fd = -1});
    mr->flush_coalesced = true;
}

void memory_region_set_coalescing(MemoryRegion *mr)
{
    memory_region_transaction_begin();
    memory_region_clear_coalescing(mr);
    memory_region_add_coalescing(mr, 0, memory_region_size(mr));
    memory_region_transaction_commit();
}

void memory_region_clear_coalescing(MemoryRegion *mr)
{
    if (mr->zones) {
        memory_flush_coalesced();
    }
    remove_zones(mr, true, NULL);
}

void memory_region_set_flush_coalesced(MemoryRegion *mr)
{
    mr->flush_coalesced = true;
}

void memory_region_clear_flush_coalesced(MemoryRegion *mr)
{
    memory_flush_coalesced();
    mr->flush_coalesced = false;
}

void memory_set_coalesced_flush(void (*flush)(void))
{
    coalesced_flush = flush;
}

/* What it delivers are accesses like others, and would come here again. */
void memory_flush_coalesced(void)
{
    if (coalesced_flush && !flushing) {
        flushing = true;
        coalesced_flush();
        flushing = false;
    }
}

static Zone doorbell(hwaddr offset, unsigned size, bool match_data, uint64_t data, int fd)
{
    return (Zone){.match_data = match_data,
                  .size = size,
                  .fd = fd,
                  .offset = offset,
                  .length = MAX(size, 1),
                  .data = match_data ? data : 0};
}

void memory_region_add_eventfd(MemoryRegion *mr, hwaddr offset, unsigned size,
                               bool match_data, uint64_t data, int fd)
{
    add_zone(mr, doorbell(offset, size, match_data, data, fd));
}

void memory_region_del_eventfd(MemoryRegion *mr, hwaddr offset, unsigned size,
                               bool match_data, uint64_t data, int fd)
{
    Zone like = doorbell(offset, size, match_data, data, fd);

    if (remove_zones(mr, false, &like) == 0) {
        memory_misuse(
            "memory_region_del_eventfd: region '%s' has no such doorbell at 0x%" PRIx64,
            region_label(mr), offset);
    }
}

void region_free_zones(MemoryRegion *mr)
{
    if (mr->zones) {
        zone_count -= mr->zones->len;
        g_array_free(mr->zones, true);
        mr->zones = NULL;
    }
}

/* -- What is seen ---------------------------------------------------------------- */

/* A doorbell is seen where all of it is; of a coalesced zone, what is seen of it. */
static bool find_in_range(const FlatRange *range, void *opaque)
{
    hwaddr last_offset = range->offset_in_region + (range->last - range->start);

    for (guint i = 0; range->mr->zones && i < range->mr->zones->len; i++) {
        Zone zone = g_array_index(range->mr->zones, Zone, i);
        hwaddr zone_last = zone.offset + (zone.length - 1);
        hwaddr first = MAX(zone.offset, range->offset_in_region);
        hwaddr last = MIN(zone_last, last_offset);
        bool whole = first == zone.offset && last == zone_last;

        if (first <= last && (zone.coalesced || whole)) {
            SeenZone seen = {
                .zone = zone,
                .start = range->start + (first - range->offset_in_region),
                .length = last - first + 1,
                .range = *range,
            };

            g_array_append_val(opaque, seen);
        }
    }
    return true;
}

static bool same_seen(const SeenZone *a, const SeenZone *b)
{
    return a->start == b->start && a->length == b->length && a->range.mr == b->range.mr &&
           same_zone(&a->zone, &b->zone);
}

static void tell(MemoryListener *listener, AddressSpace *as, const SeenZone *seen,
                 bool add)
{
    MemoryRegionSection section = {.address_space = as, .range = seen->range};
    const Zone *zone = &seen->zone;

    if (zone->coalesced) {
        void (*func)(MemoryListener * listener, const MemoryRegionSection *section,
                     hwaddr start, hwaddr length) =
            add ? listener->coalesced_io_add : listener->coalesced_io_del;

        if (func) {
            func(listener, &section, seen->start, seen->length);
        }
    } else {
        void (*func)(MemoryListener * listener, const MemoryRegionSection *section,
                     bool match_data, uint64_t data, int fd) =
            add ? listener->eventfd_add : listener->eventfd_del;

        if (func) {
            section.range.start = seen->start;
            section.range.last = seen->start + (zone->size ? zone->size - 1 : 0);
            section.range.offset_in_region = zone->offset;
            func(listener, &section, zone->match_data, zone->data, zone->fd);
        }
    }
}

/* Tells all listeners of those in `list` that are not in `other`; both by address. */
static void tell_missing(AddressSpace *as, GArray *list, GArray *other, bool add)
{
    guint from = 0;

    for (guint i = 0; i < list->len; i++) {
        const SeenZone *seen = &g_array_index(list, SeenZone, i);
        bool known = false;

        while (from < other->len &&
               g_array_index(other, SeenZone, from).range.last < seen->range.start) {
            from++;
        }
        for (guint j = from; j < other->len && !known; j++) {
            const SeenZone *candidate = &g_array_index(other, SeenZone, j);

            if (candidate->range.start > seen->range.last) {
                break;
            }
            known = same_seen(seen, candidate);
        }
        for (guint j = 0; !known && j < as->listeners->len; j++) {
            tell(g_ptr_array_index(as->listeners, j), as, seen, add);
        }
    }
}

static bool any_zones(const GArray *ranges)
{
    for (guint i = 0; i < ranges->len; i++) {
        if (g_array_index(ranges, FlatRange, i).mr->zones) {
            return true;
        }
    }
    return false;
}

bool zones_in(const ViewDelta *delta)
{
    return zone_count > 0 && (any_zones(delta->before) || any_zones(delta->after));
}

bool zones_are_edited(void)
{
    return zones_edited;
}

bool zones_take_edited(void)
{
    bool edited = zones_edited;

    zones_edited = false;
    return edited;
}

void zones_update(AddressSpace *as)
{
    GArray *now, *before = as->zones;

    if (zone_count == 0 && !before) {
        return;
    }
    now = g_array_new(false, false, sizeof(SeenZone));
    if (zone_count > 0) {
        flat_tree_foreach(as->view->ranges, 0, UINT64_MAX, find_in_range, now);
    }
    if (!before) {
        before = g_array_new(false, false, sizeof(SeenZone));
    }
    as->zones = now;
    tell_missing(as, before, now, false);
    tell_missing(as, now, before, true);
    g_array_free(before, true);
    if (now->len == 0) {
        g_array_free(now, true);
        as->zones = NULL;
    }
}

void zones_tell_all(AddressSpace *as, MemoryListener *listener, bool add)
{
    if (add && !as->zones) {
        zones_update(as);
        return; /* it is registered: it has heard with the others */
    }
    for (guint i = 0; as->zones && i < as->zones->len; i++) {
        tell(listener, as, &g_array_index(as->zones, SeenZone, i), add);
    }
}
