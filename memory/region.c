/*
 * Making, asking and destroying memory regions.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void memory_misuse(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("umbra: memory: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

const char *region_label(const MemoryRegion *mr)
{
    return mr->name ? mr->name : "(unnamed)";
}

static void init(MemoryRegion *mr, MemoryRegionKind kind, GObject *owner, const char *name,
                 uint64_t size)
{
    *mr = (MemoryRegion){
        .kind = kind,
        .enabled = true,
        .romd_mode = true,
        .name = g_strdup(name),
        .owner = owner,
        .size = size == UINT64_MAX ? MEMORY_SIZE_ALL : size,
    };
}

void memory_region_init(MemoryRegion *mr, GObject *owner, const char *name, uint64_t size)
{
    init(mr, MEMORY_REGION_CONTAINER, owner, name, size);
}

void memory_region_init_io(MemoryRegion *mr, GObject *owner, const MemoryRegionOps *ops,
                           void *opaque, const char *name, uint64_t size)
{
    init(mr, MEMORY_REGION_IO, owner, name, size);
    mr->ops = ops;
    mr->opaque = opaque;
}

void memory_region_init_reservation(MemoryRegion *mr, GObject *owner, const char *name,
                                    uint64_t size)
{
    init(mr, MEMORY_REGION_RESERVATION, owner, name, size);
}

/* -- Regions with memory: ram-block.c makes the memory ---------------------------------- */

static bool init_ram(MemoryRegion *mr, MemoryRegionKind kind, GObject *owner,
                     const char *name, const RAMBlockRequest *request, GError **error)
{
    init(mr, kind, owner, name, request->used_length);
    mr->ram_block = ram_block_new(mr, request, error);
    if (!mr->ram_block) {
        g_clear_pointer(&mr->name, g_free);
        return false;
    }
    return true;
}

bool memory_region_init_ram(MemoryRegion *mr, GObject *owner, const char *name,
                            uint64_t size, GError **error)
{
    RAMBlockRequest request = {.used_length = size, .max_length = size, .shared = true};

    return init_ram(mr, MEMORY_REGION_RAM, owner, name, &request, error);
}

bool memory_region_init_rom(MemoryRegion *mr, GObject *owner, const char *name,
                            uint64_t size, GError **error)
{
    if (!memory_region_init_ram(mr, owner, name, size, error)) {
        return false;
    }
    mr->readonly = true;
    return true;
}

bool memory_region_init_resizeable_ram(MemoryRegion *mr, GObject *owner, const char *name,
                                       uint64_t size, uint64_t max_size,
                                       void (*resized)(const char *name, uint64_t length,
                                                       void *host),
                                       GError **error)
{
    RAMBlockRequest request = {.used_length = size, .max_length = max_size,
                               .shared = true, .resized = resized};

    return init_ram(mr, MEMORY_REGION_RAM, owner, name, &request, error);
}

bool memory_region_init_ram_from_file(MemoryRegion *mr, GObject *owner, const char *name,
                                      uint64_t size, bool share, const char *path,
                                      GError **error)
{
    RAMBlockRequest request = {.used_length = size, .max_length = size, .shared = share,
                               .path = path};

    return init_ram(mr, MEMORY_REGION_RAM, owner, name, &request, error);
}

static void init_ram_ptr(MemoryRegion *mr, MemoryRegionKind kind, GObject *owner,
                         const char *name, uint64_t size, void *host)
{
    RAMBlockRequest request = {.used_length = size, .max_length = size, .host = host};
    g_autoptr(GError) error = NULL;

    if (!init_ram(mr, kind, owner, name, &request, &error)) {
        memory_misuse("%s", error->message);
    }
}

void memory_region_init_ram_ptr(MemoryRegion *mr, GObject *owner, const char *name,
                                uint64_t size, void *host)
{
    init_ram_ptr(mr, MEMORY_REGION_RAM, owner, name, size, host);
}

void memory_region_init_ram_device_ptr(MemoryRegion *mr, GObject *owner, const char *name,
                                       uint64_t size, void *host)
{
    init_ram_ptr(mr, MEMORY_REGION_RAM_DEVICE, owner, name, size, host);
}

bool memory_region_init_rom_device(MemoryRegion *mr, GObject *owner,
                                   const MemoryRegionOps *ops, void *opaque,
                                   const char *name, uint64_t size, GError **error)
{
    RAMBlockRequest request = {.used_length = size, .max_length = size, .shared = true};

    if (!init_ram(mr, MEMORY_REGION_ROM_DEVICE, owner, name, &request, error)) {
        return false;
    }
    mr->ops = ops;
    mr->opaque = opaque;
    return true;
}

/* -- Regions that show others -------------------------------------------------------------- */

/* mapped_slot[] of the two ways in which a region shows another. */
enum { SHOWN_FOR_READS, SHOWN_FOR_WRITES };

static void map_through(MemoryRegion *window, MemoryRegion *target, int role)
{
    if (!target->mapped_by) {
        target->mapped_by = g_ptr_array_new();
    }
    window->mapped_slot[role] = target->mapped_by->len;
    g_ptr_array_add(target->mapped_by, window);
}

static void unmap_through(MemoryRegion *window, MemoryRegion *target, int role)
{
    guint slot = window->mapped_slot[role];
    guint last = target->mapped_by->len - 1;
    MemoryRegion *moved = g_ptr_array_index(target->mapped_by, last);

    if (slot != last) {
        bool reads = moved->alias == target &&
                     moved->mapped_slot[SHOWN_FOR_READS] == last;

        moved->mapped_slot[reads ? SHOWN_FOR_READS : SHOWN_FOR_WRITES] = slot;
    }
    g_ptr_array_remove_index_fast(target->mapped_by, slot);
}

void memory_region_init_alias(MemoryRegion *mr, GObject *owner, const char *name,
                              MemoryRegion *orig, hwaddr offset, uint64_t size)
{
    if (mr == orig) {
        memory_misuse("alias '%s' of itself; give it another region to show",
                      name ? name : "(unnamed)");
    }
    init(mr, MEMORY_REGION_ALIAS, owner, name, size);
    mr->alias = orig;
    mr->alias_offset = offset;
    map_through(mr, orig, SHOWN_FOR_READS);
}

void memory_region_init_split(MemoryRegion *mr, GObject *owner, const char *name,
                              MemoryRegion *read_from, hwaddr read_offset,
                              MemoryRegion *write_to, hwaddr write_offset, uint64_t size)
{
    if (!write_to->ram_block ||
        (uint128)write_offset + (size == UINT64_MAX ? MEMORY_SIZE_ALL : size) >
            write_to->size) {
        memory_misuse("split '%s': writes must go to a part of a RAM region, and '%s' is "
                      "%s",
                      name ? name : "(unnamed)", region_label(write_to),
                      write_to->ram_block ? "too small" : "not RAM");
    }
    init(mr, MEMORY_REGION_SPLIT, owner, name, size);
    mr->alias = read_from;
    mr->alias_offset = read_offset;
    mr->split_write = write_to;
    mr->split_write_offset = write_offset;
    map_through(mr, read_from, SHOWN_FOR_READS);
    map_through(mr, write_to, SHOWN_FOR_WRITES);
}

/* -- The end ----------------------------------------------------------------------------------- */

/* Those that showed the region show nothing from now on. */
static void leave_aliases(MemoryRegion *mr)
{
    memory_region_transaction_begin();
    while (mr->mapped_by && mr->mapped_by->len > 0) {
        MemoryRegion *window = g_ptr_array_index(mr->mapped_by, mr->mapped_by->len - 1);
        bool reads = window->alias == mr &&
                     window->mapped_slot[SHOWN_FOR_READS] == mr->mapped_by->len - 1;

        region_touch_all(window);
        region_path_changed(window);
        g_ptr_array_set_size(mr->mapped_by, mr->mapped_by->len - 1);
        if (reads) {
            window->alias = NULL;
        } else {
            window->split_write = NULL;
        }
    }
    memory_region_transaction_commit();
}

void memory_region_destroy(MemoryRegion *mr)
{
    if (mr->container) {
        memory_misuse("region '%s' is destroyed inside '%s'; "
                      "memory_region_del_subregion() it first",
                      region_label(mr), region_label(mr->container));
    }
    if (mr->subregions && mr->subregions->count > 0) {
        memory_misuse("region '%s' is destroyed with %u subregions inside; remove them "
                      "first",
                      region_label(mr), mr->subregions->count);
    }
    if (mr->address_spaces && mr->address_spaces->len > 0) {
        AddressSpace *as = g_ptr_array_index(mr->address_spaces, 0);

        memory_misuse("region '%s' is destroyed as the root of address space '%s'; "
                      "address_space_destroy() it first",
                      region_label(mr), as->name);
    }
    if (mr->mapped_by && mr->mapped_by->len > 0) {
        leave_aliases(mr);
    }
    memory_region_transaction_flush();
    memory_wait_for_readers();
    if (mr->alias) {
        unmap_through(mr, mr->alias, SHOWN_FOR_READS);
    }
    if (mr->split_write) {
        unmap_through(mr, mr->split_write, SHOWN_FOR_WRITES);
    }
    if (mr->destructor) {
        mr->destructor(mr);
    }
    if (mr->ram_block) {
        ram_block_retire(mr->ram_block);
    }
    region_index_free(mr->subregions);
    g_clear_pointer(&mr->mapped_by, g_ptr_array_unref);
    g_clear_pointer(&mr->address_spaces, g_ptr_array_unref);
    region_free_zones(mr);
    g_free(mr->name);
    memset(mr, 0, sizeof(*mr));
}

/* -- Asking -------------------------------------------------------------------------------------- */

const char *memory_region_name(const MemoryRegion *mr)
{
    return mr->name;
}

GObject *memory_region_owner(const MemoryRegion *mr)
{
    return mr->owner;
}

uint64_t memory_region_size(const MemoryRegion *mr)
{
    return mr->size == MEMORY_SIZE_ALL ? UINT64_MAX : (uint64_t)mr->size;
}

bool memory_region_is_ram(const MemoryRegion *mr)
{
    return mr->kind == MEMORY_REGION_RAM || mr->kind == MEMORY_REGION_RAM_DEVICE;
}

bool memory_region_is_rom(const MemoryRegion *mr)
{
    return mr->kind == MEMORY_REGION_RAM && mr->readonly;
}

bool memory_region_is_romd(const MemoryRegion *mr)
{
    return mr->kind == MEMORY_REGION_ROM_DEVICE && mr->romd_mode;
}

bool memory_region_is_mapped(const MemoryRegion *mr)
{
    return mr->container != NULL;
}

void *memory_region_get_ram_ptr(MemoryRegion *mr)
{
    hwaddr offset = 0;

    while (mr && mr->kind == MEMORY_REGION_ALIAS) {
        offset += mr->alias_offset;
        mr = mr->alias;
    }
    if (!mr || !mr->ram_block) {
        memory_misuse("memory_region_get_ram_ptr: region '%s' has no memory",
                      mr ? region_label(mr) : "(gone)");
    }
    return mr->ram_block->host + offset;
}

RAMBlock *memory_region_ram_block(const MemoryRegion *mr)
{
    return mr->ram_block;
}

/* A private mapping is copies of pages, which go; the memory file below has zeroes alone. */
static bool give_back(const RAMBlock *block)
{
    if (block->owned && !block->shared && fcntl(block->fd, F_GET_SEALS) >= 0) {
        return madvise(block->host, block->used_length, MADV_DONTNEED) == 0 &&
               fallocate(block->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                         (off_t)block->used_length) == 0;
    }
    return madvise(block->host, block->used_length, MADV_REMOVE) == 0;
}

void memory_region_clear_ram(MemoryRegion *mr)
{
    RAMBlock *block = mr->ram_block;

    if (!give_back(block)) { /* pinned, or over somebody's file */
        memset(block->host, 0, block->used_length);
    }
    memory_region_set_dirty(mr, 0, block->used_length);
}
