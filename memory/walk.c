/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/walk.h"

#include "memory/internal.h"

const char *memory_region_kind_name(const MemoryRegion *mr)
{
    static const char *const names[] = {
        [MEMORY_REGION_CONTAINER] = "container",
        [MEMORY_REGION_RAM] = "ram",
        [MEMORY_REGION_RAM_DEVICE] = "ram device",
        [MEMORY_REGION_ROM_DEVICE] = "rom device",
        [MEMORY_REGION_IO] = "i/o",
        [MEMORY_REGION_ALIAS] = "alias",
        [MEMORY_REGION_RESERVATION] = "reservation",
        [MEMORY_REGION_SPLIT] = "split",
    };

    return mr->kind == MEMORY_REGION_RAM && mr->readonly ? "rom" : names[mr->kind];
}

const char *flat_range_kind_name(const FlatRange *range)
{
    if (!range->mr) {
        return "hole";
    }
    switch (range->mr->kind) {
    case MEMORY_REGION_RAM:
        /* A split's reads are no writable RAM, whatever they come from. */
        return range->readonly ? "rom" : "ram";
    case MEMORY_REGION_ROM_DEVICE:
        return range->romd_mode ? "rom device" : "i/o";
    default:
        return memory_region_kind_name(range->mr);
    }
}

typedef struct Visit {
    void (*func)(MemoryRegion *mr, void *opaque);
    void *opaque;
} Visit;

static void visit(void *data, void *opaque)
{
    const Visit *call = opaque;

    call->func(data, call->opaque);
}

void memory_region_foreach_subregion(const MemoryRegion *mr,
                                     void (*func)(MemoryRegion *mr, void *opaque),
                                     void *opaque)
{
    g_autoptr(GPtrArray) subregions = g_ptr_array_new();
    Visit call = {func, opaque};

    region_index_list(mr, subregions);
    g_ptr_array_foreach(subregions, visit, &call);
}

RAMBlock *flat_range_ram_block(const FlatRange *range, uint64_t *offset)
{
    *offset = range->offset_in_region;
    return range->mr ? range->mr->ram_block : NULL;
}
