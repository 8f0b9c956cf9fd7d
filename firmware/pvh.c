/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/pvh.h"

#include <gio/gio.h>
#include <string.h>

#include "memory/access.h"

#define START_INFO_MAGIC 0x336ec578u /* "xEn3" with the 0x80 bit of the 'E' set */
#define PAGE_SIZE UINT64_C(4096)
#define MODULE_LIST_OFFSET 0x40
#define MAX_MODULES 32 /* the list ends before the page of start_info does */

/* start_info.h, all little-endian. Version 0 ends before memory_map. */
typedef struct StartInfo {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memory_map;
    uint32_t memory_map_entries, reserved;
} StartInfo;

typedef struct ModuleEntry {
    uint64_t address, size, command_line, reserved;
} ModuleEntry;

typedef struct MemoryMapEntry {
    uint64_t address, size;
    uint32_t type, reserved;
} MemoryMapEntry;

bool pvh_parse(ElfImage *kernel, GBytes *file, GError **error)
{
    return elf_image_parse(kernel, file, error) &&
           (kernel->has_phys32_entry ||
            kernel_fail(error,
                        "not a PVH kernel: it has no PHYS32_ENTRY note (Linux is built "
                        "with one by CONFIG_PVH, in vmlinux)"));
}

/* -- Memory ------------------------------------------------------------------------- */

static uint32_t range_type(const FlatRange *range)
{
    if (!memory_region_is_ram(range->mr)) {
        return 0; /* a device: not memory */
    }
    return range->nonvolatile ? PVH_MEMORY_PMEM
           : range->readonly  ? PVH_MEMORY_RESERVED
                              : PVH_MEMORY_RAM;
}

static bool add_range(const FlatRange *range, void *opaque)
{
    GArray *map = opaque;
    uint32_t type = range_type(range);
    MemoryMapEntry *before =
        map->len ? &g_array_index(map, MemoryMapEntry, map->len - 1) : NULL;

    if (type && before && GUINT32_FROM_LE(before->type) == type &&
        GUINT64_FROM_LE(before->address) + GUINT64_FROM_LE(before->size) ==
            range->start) {
        before->size = GUINT64_TO_LE(range->last - GUINT64_FROM_LE(before->address) + 1);
    } else if (type) {
        MemoryMapEntry entry = {.address = GUINT64_TO_LE(range->start),
                                .size = GUINT64_TO_LE(range->last - range->start + 1),
                                .type = GUINT32_TO_LE(type)};

        g_array_append_val(map, entry);
    }
    return true;
}

bool pvh_is_ram(AddressSpace *as, uint64_t address, uint64_t size)
{
    uint64_t end = address + size;

    while (address < end) {
        FlatRange range;

        if (!address_space_lookup(as, address, &range) ||
            range_type(&range) != PVH_MEMORY_RAM) {
            return false;
        }
        address = range.last + 1;
    }
    return true;
}

/* -- Laying out --------------------------------------------------------------------- */

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

static void add_bytes(PVHImage *image, uint64_t address, const void *bytes, size_t size)
{
    boot_pieces_add_bytes(image->pieces, address, g_bytes_new(bytes, size));
}

static bool check_segment(AddressSpace *as, const ElfSegment *segment,
                          const PVHTaken *taken, size_t count, GError **error)
{
    g_autofree char *name = g_strdup_printf(
        "its segment at 0x%" G_GINT64_MODIFIER "x-0x%" G_GINT64_MODIFIER "x",
        segment->address, segment->address + segment->size - 1);

    for (size_t i = 0; i < count; i++) {
        if (overlaps(segment->address, segment->size, taken[i].address, taken[i].size)) {
            return kernel_fail(error, "%s lies over %s at 0x%" G_GINT64_MODIFIER "x",
                               name, taken[i].name, taken[i].address);
        }
    }
    return pvh_is_ram(as, segment->address, segment->size) ||
           kernel_fail(
               error,
               "%s is not in RAM; give the machine more (-m), or link it elsewhere",
               name);
}

bool pvh_place_kernel(PVHImage *image, AddressSpace *as, const ElfImage *kernel,
                      const PVHTaken *taken, size_t count, GError **error)
{
    *image = (PVHImage){.pieces = boot_pieces_new(),
                        .entry = (uint32_t)kernel->phys32_entry};
    if (!elf_image_find(kernel, kernel->phys32_entry)) {
        return kernel_fail(error,
                           "its PHYS32_ENTRY note points to 0x%" G_GINT64_MODIFIER
                           "x, outside its segments",
                           kernel->phys32_entry);
    }
    if (kernel->phys32_entry > UINT32_MAX) {
        return kernel_fail(error, "its PHYS32_ENTRY note points beyond 4 GiB");
    }
    for (size_t i = 0; i < kernel->count; i++) {
        const ElfSegment *segment = &kernel->segments[i];

        if (!check_segment(as, segment, taken, count, error)) {
            return false;
        }
        boot_pieces_add(image->pieces, segment->address, segment->size,
                  g_bytes_new(segment->bytes, segment->file_size));
    }
    return true;
}

/* Modules go, page by page, to the end of low RAM, each with its words behind it. */
static bool add_modules(PVHImage *image, AddressSpace *as, const PVHLayout *layout,
                        const PVHSource *source, ModuleEntry *list, GError **error)
{
    uint64_t top = layout->low_ram_end;

    if (source->module_count > MAX_MODULES) {
        return kernel_fail(error, "more than %d modules (-initrd)", MAX_MODULES);
    }
    for (size_t i = 0; i < source->module_count; i++) {
        const KernelModule *module = &source->modules[i];
        size_t size = g_bytes_get_size(module->bytes);
        size_t words = strlen(module->text) + 1;
        g_autofree uint8_t *bytes = NULL;

        if (size + words > top ||
            ((top - size - words) & ~(PAGE_SIZE - 1)) < source->kernel->end ||
            !pvh_is_ram(as, (top - size - words) & ~(PAGE_SIZE - 1), size + words)) {
            return kernel_fail(error,
                               "no room for its modules (-initrd) between its end at "
                               "0x%" G_GINT64_MODIFIER
                               "x and 0x%x; give the machine more (-m)",
                               source->kernel->end, layout->low_ram_end);
        }
        top = (top - size - words) & ~(PAGE_SIZE - 1);
        bytes = g_malloc(size + words);
        memcpy(bytes, g_bytes_get_data(module->bytes, NULL), size);
        memcpy(bytes + size, module->text, words);
        add_bytes(image, top, bytes, size + words);
        list[i] = (ModuleEntry){.address = GUINT64_TO_LE(top),
                                .size = GUINT64_TO_LE(size),
                                .command_line = GUINT64_TO_LE(top + size)};
    }
    return true;
}

bool pvh_prepare(PVHImage *image, AddressSpace *as, const PVHLayout *layout,
                 const PVHSource *source, GError **error)
{
    g_autoptr(GArray) map = g_array_new(FALSE, FALSE, sizeof(MemoryMapEntry));
    bool has_map = source->version >= 1;
    size_t words = strlen(source->command_line) + 1;
    ModuleEntry list[MAX_MODULES];
    StartInfo info = {
        .magic = GUINT32_TO_LE(START_INFO_MAGIC),
        .version = GUINT32_TO_LE(source->version),
        .module_count = GUINT32_TO_LE((uint32_t)source->module_count),
        .modules = source->module_count
                       ? GUINT64_TO_LE(layout->start_info + MODULE_LIST_OFFSET)
                       : 0,
        .command_line = GUINT64_TO_LE(layout->command_line),
        .rsdp = GUINT64_TO_LE(source->rsdp),
    };

    *image = (PVHImage){0};
    if (words > layout->command_line_size) {
        return kernel_fail(error, "the command line (-append) is longer than %u bytes",
                           layout->command_line_size - 1);
    }
    address_space_foreach_range(as, add_range, map);
    if (!pvh_place_kernel(
            image, as, source->kernel,
            (const PVHTaken[]){
                {"the start info", layout->start_info, PAGE_SIZE},
                {"the memory map", layout->memory_map, map->len * sizeof(MemoryMapEntry)},
                {"the command line", layout->command_line, words},
            },
            3, error) ||
        !add_modules(image, as, layout, source, list, error)) {
        return false;
    }
    if (has_map) {
        info.memory_map = GUINT64_TO_LE(layout->memory_map);
        info.memory_map_entries = GUINT32_TO_LE(map->len);
        add_bytes(image, layout->memory_map, map->data,
                  map->len * sizeof(MemoryMapEntry));
    }
    add_bytes(image, layout->start_info, &info,
              has_map ? sizeof(info) : G_STRUCT_OFFSET(StartInfo, memory_map));
    if (source->module_count) {
        add_bytes(image, layout->start_info + MODULE_LIST_OFFSET, list,
                  source->module_count * sizeof(ModuleEntry));
    }
    add_bytes(image, layout->command_line, source->command_line, words);
    image->start_info = layout->start_info;
    return true;
}

void pvh_write(const PVHImage *image, AddressSpace *as)
{
    boot_pieces_write(image->pieces, as);
}

void pvh_clear(PVHImage *image)
{
    g_clear_pointer(&image->pieces, g_array_unref);
}
