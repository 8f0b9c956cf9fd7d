/*
 * Edits of the tree. Each is a transaction of its own unless one is open.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

/* Whether one comes from `mr` to `wanted` by going out of containers and windows. Each
 * region is visited once for one `stamp`. */
static bool is_inside(MemoryRegion *mr, const MemoryRegion *wanted, unsigned stamp)
{
    for (; mr && mr->visited != stamp; mr = mr->container) {
        if (mr == wanted) {
            return true;
        }
        mr->visited = stamp;
        for (guint i = 0; mr->mapped_by && i < mr->mapped_by->len; i++) {
            if (is_inside(g_ptr_array_index(mr->mapped_by, i), wanted, stamp)) {
                return true;
            }
        }
    }
    return false;
}

static void refuse_loop(MemoryRegion *mr, MemoryRegion *sub)
{
    static unsigned stamp;
    bool leaf = !sub->alias && (!sub->subregions || sub->subregions->count == 0);

    if (sub == mr || (!leaf && is_inside(mr, sub, ++stamp))) {
        memory_misuse("region '%s' cannot be put into '%s', which it contains or shows "
                      "through an alias: addresses would never resolve; put it elsewhere",
                      region_label(sub), region_label(mr));
    }
}

static void add(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub, int priority,
                bool may_overlap)
{
    if (sub->container) {
        memory_misuse("region '%s' is in '%s' already and cannot be added to '%s'; remove "
                      "it first or add an alias of it",
                      region_label(sub), region_label(sub->container), region_label(mr));
    }
    if (mr->kind == MEMORY_REGION_ALIAS || mr->kind == MEMORY_REGION_SPLIT) {
        memory_misuse("region '%s' cannot be added to '%s', an alias; add it to '%s', "
                      "which the alias shows",
                      region_label(sub), region_label(mr),
                      mr->alias ? region_label(mr->alias) : "(gone)");
    }
    refuse_loop(mr, sub);
    memory_region_transaction_begin();
    sub->container = mr;
    sub->addr = offset;
    sub->priority = priority;
    sub->may_overlap = may_overlap;
    region_index_add(mr, sub);
    region_path_changed(mr);
    if (sub->enabled) {
        region_touch_all(sub);
    }
    memory_region_transaction_commit();
}

void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub)
{
    if ((uint128)offset + sub->size > mr->size) {
        memory_misuse("region '%s' ends beyond '%s': 0x%" PRIx64 " + 0x%" PRIx64
                      " > 0x%" PRIx64 " bytes; make it smaller, or use "
                      "memory_region_add_subregion_overlap() if it is meant to be cut",
                      region_label(sub), region_label(mr), offset,
                      memory_region_size(sub), memory_region_size(mr));
    }
    add(mr, offset, sub, 0, false);
}

void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub,
                                         int priority)
{
    add(mr, offset, sub, priority, true);
}

void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub)
{
    if (sub->container != mr) {
        memory_misuse("region '%s' is not in '%s' but in '%s'; remove it from there",
                      region_label(sub), region_label(mr),
                      sub->container ? region_label(sub->container) : "no container");
    }
    memory_region_transaction_begin();
    if (sub->enabled) {
        region_touch_all(sub);
    }
    region_index_remove(mr, sub);
    sub->container = NULL;
    region_path_changed(mr);
    memory_region_transaction_commit();
}

void memory_region_set_enabled(MemoryRegion *mr, bool enabled)
{
    if (mr->enabled == enabled) {
        return;
    }
    memory_region_transaction_begin();
    mr->enabled = enabled;
    if (mr->container) {
        region_index_refresh(mr->container, mr, !enabled);
        region_path_changed(mr->container);
    }
    region_path_changed(mr);
    region_touch_all(mr);
    memory_region_transaction_commit();
}

/* Sets a flag that is inherited downward, which keeps a view's root from being passed on. */
static void set_flag(MemoryRegion *mr, bool *flag, bool value)
{
    if (*flag == value) {
        return;
    }
    memory_region_transaction_begin();
    *flag = value;
    region_path_changed(mr);
    if (mr->enabled) {
        region_touch_all(mr);
    }
    memory_region_transaction_commit();
}

void memory_region_set_readonly(MemoryRegion *mr, bool readonly)
{
    set_flag(mr, &mr->readonly, readonly);
}

void memory_region_set_nonvolatile(MemoryRegion *mr, bool nonvolatile)
{
    set_flag(mr, &mr->nonvolatile, nonvolatile);
}

void memory_region_rom_device_set_romd(MemoryRegion *mr, bool romd_mode)
{
    set_flag(mr, &mr->romd_mode, romd_mode);
}

void memory_region_set_address(MemoryRegion *mr, hwaddr addr)
{
    MemoryRegion *container = mr->container;

    if (addr == mr->addr) {
        return;
    }
    if (!container) {
        mr->addr = addr;
        return;
    }
    memory_region_transaction_begin();
    if (mr->enabled) {
        region_touch_all(mr);
    }
    region_index_remove(container, mr);
    mr->addr = addr;
    region_index_add(container, mr);
    region_path_changed(container);
    if (mr->enabled) {
        region_touch_all(mr);
    }
    memory_region_transaction_commit();
}

/* The size of `mr` decides whether those around it pass its view on. */
static void size_changed(MemoryRegion *mr)
{
    region_path_changed(mr);
    if (mr->container) {
        region_path_changed(mr->container);
    }
    for (guint i = 0; mr->mapped_by && i < mr->mapped_by->len; i++) {
        region_path_changed(g_ptr_array_index(mr->mapped_by, i));
    }
}

static void set_size(MemoryRegion *mr, uint128 size)
{
    memory_region_transaction_begin();
    if (mr->enabled) {
        region_touch_all(mr);
    }
    mr->size = size;
    if (mr->container) {
        region_index_refresh(mr->container, mr, mr->enabled);
    }
    size_changed(mr);
    if (mr->enabled) {
        region_touch_all(mr);
    }
    memory_region_transaction_commit();
}

void memory_region_set_size(MemoryRegion *mr, uint64_t size)
{
    uint128 wide = size == UINT64_MAX ? MEMORY_SIZE_ALL : size;

    if (mr->ram_block && wide > mr->ram_block->max_length) {
        memory_misuse("region '%s' cannot have 0x%" PRIx64 " bytes, its memory has 0x%"
                      PRIx64 "; use memory_region_ram_resize()",
                      region_label(mr), size, mr->ram_block->max_length);
    }
    if (mr->split_write && mr->split_write_offset + wide > mr->split_write->size) {
        memory_misuse("split '%s' cannot have 0x%" PRIx64 " bytes, the RAM '%s' that takes "
                      "its writes ends before",
                      region_label(mr), size, region_label(mr->split_write));
    }
    if (wide != mr->size) {
        set_size(mr, wide);
    }
}

bool memory_region_ram_resize(MemoryRegion *mr, uint64_t size, GError **error)
{
    if (!ram_block_resize(mr->ram_block, size, error)) {
        return false;
    }
    if (mr->size != size) {
        set_size(mr, size);
    }
    return true;
}

void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset)
{
    if (mr->kind != MEMORY_REGION_ALIAS && mr->kind != MEMORY_REGION_SPLIT) {
        memory_misuse("memory_region_set_alias_offset: region '%s' is not an alias",
                      region_label(mr));
    }
    if (offset == mr->alias_offset) {
        return;
    }
    memory_region_transaction_begin();
    mr->alias_offset = offset;
    region_path_changed(mr);
    if (mr->enabled) {
        region_touch_all(mr);
    }
    memory_region_transaction_commit();
}

void memory_region_set_log(MemoryRegion *mr, bool log, unsigned client)
{
    uint8_t mask = 1u << client;

    while (mr->kind == MEMORY_REGION_ALIAS && mr->alias) {
        mr = mr->alias;
    }
    if (!mr->ram_block || client >= DIRTY_MEMORY_CLIENTS) {
        memory_misuse("memory_region_set_log: region '%s' has no pages to watch, or there "
                      "is no client %u",
                      region_label(mr), client);
    }
    if (!!(mr->dirty_log_mask & mask) == log) {
        return;
    }
    memory_region_transaction_begin();
    mr->dirty_log_mask ^= mask;
    if (log) {
        ram_dirty_watch(mr->ram_block, client);
    } else {
        ram_dirty_unwatch(mr->ram_block, client);
    }
    if (mr->enabled) {
        region_touch_all(mr);
    }
    memory_region_transaction_commit();
}

void memory_region_set_dirty(MemoryRegion *mr, hwaddr offset, uint64_t length)
{
    while (mr->kind == MEMORY_REGION_ALIAS && mr->alias) {
        offset += mr->alias_offset;
        mr = mr->alias;
    }
    if (mr->ram_block) {
        ram_block_set_dirty(mr->ram_block, offset, length,
                            (1u << DIRTY_MEMORY_CLIENTS) - 1);
    }
}
