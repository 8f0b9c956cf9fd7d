/*
 * `info mtree`: trees and views as text, in the form of QEMU 7.2's monitor.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/mtree.h"

#include <string.h>

#include "memory/internal.h"
#include "memory/mtree-dispatch.h"

static MtreeDescribeOwner describe_owner;

void mtree_set_describe_owner(MtreeDescribeOwner describe)
{
    describe_owner = describe;
}

typedef struct Printer {
    GString *out;
    const MtreeOptions *options;
    GPtrArray *targets; /* what aliases show, in the order in which they were met */
    GHashTable *known;  /* the same as a set */
} Printer;

/* Its last byte's offset, but 0 for an empty region. */
static hwaddr last_offset(const MemoryRegion *mr)
{
    return mr->size ? region_last(mr) : 0;
}

static const char *type_of(const MemoryRegion *mr)
{
    while ((mr->kind == MEMORY_REGION_ALIAS || mr->kind == MEMORY_REGION_SPLIT) &&
           mr->alias) {
        mr = mr->alias;
    }
    switch (mr->kind) {
    case MEMORY_REGION_RAM_DEVICE:
        return "ramd";
    case MEMORY_REGION_RAM:
        return mr->readonly ? "rom" : "ram";
    case MEMORY_REGION_ROM_DEVICE:
        return mr->romd_mode ? "romd" : "i/o";
    default:
        return "i/o";
    }
}

static const char *name_of(const MemoryRegion *mr)
{
    return mr->name ? mr->name : "(null)";
}

static void print_owner(Printer *printer, const MemoryRegion *mr)
{
    g_autofree char *text = NULL;

    if (!printer->options->owner) {
        return;
    }
    if (!mr->owner) {
        /* Where QEMU files a region that no object owns. */
        g_string_append(printer->out, " parent:{obj path=/machine/unattached}");
        return;
    }
    text = describe_owner
               ? describe_owner(mr->owner)
               : g_strdup_printf("owner:{obj type=%s}", G_OBJECT_TYPE_NAME(mr->owner));
    g_string_append_printf(printer->out, " %s", text);
}

/* Lines are put together without printf, which would take most of a listing's time, and
 * in few pieces. Each put_ returns where the next one goes on. */
static char *put_hex(char *to, hwaddr value)
{
    for (int i = 15; i >= 0; i--) {
        to[i] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
    return to + 16;
}

static char *put_span(char *to, hwaddr first, hwaddr last)
{
    to = put_hex(to, first);
    *to++ = '-';
    return put_hex(to, last);
}

static char *put_decimal(char *to, int32_t value)
{
    uint32_t rest = value < 0 ? 0 - (uint32_t)value : (uint32_t)value;
    char digits[10];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        *to++ = '-';
    }
    return (char *)mempcpy(to, digits + at, sizeof(digits) - at);
}

static void append_span(GString *out, hwaddr first, hwaddr last)
{
    char text[2 * 16 + 1];

    g_string_append_len(out, text, put_span(text, first, last) - text);
}

static void append_hex(GString *out, hwaddr value)
{
    char text[16];

    g_string_append_len(out, text, put_hex(text, value) - text);
}

static void indent(GString *out, unsigned columns)
{
    static const char spaces[] = "                                ";

    while (columns > 0) {
        unsigned n = MIN(columns, (unsigned)sizeof(spaces) - 1);

        g_string_append_len(out, spaces, n);
        columns -= n;
    }
}

static void print_head(Printer *printer, const MemoryRegion *mr, hwaddr first,
                       hwaddr last, bool nonvolatile, const char *type)
{
    char text[80], *end = put_span(text, first, last);

    end = stpcpy(end, " (prio ");
    end = put_decimal(end, mr->priority);
    end = stpcpy(end, nonvolatile ? ", nv-" : ", ");
    end = stpcpy(end, type);
    end = stpcpy(end, "): ");
    g_string_append_len(printer->out, text, end - text);
}

static void note_target(Printer *printer, MemoryRegion *target)
{
    if (g_hash_table_add(printer->known, target)) {
        g_ptr_array_add(printer->targets, target);
    }
}

static void print_target(Printer *printer, const MemoryRegion *mr)
{
    g_string_append(printer->out, "alias ");
    g_string_append(printer->out, name_of(mr));
    g_string_append(printer->out, " @");
    g_string_append(printer->out, name_of(mr->alias));
    g_string_append_c(printer->out, ' ');
    append_span(printer->out, mr->alias_offset, mr->alias_offset + last_offset(mr));
    if (mr->split_write) {
        g_string_append_printf(printer->out, ", writes @%s ", name_of(mr->split_write));
        append_span(printer->out, mr->split_write_offset,
                    mr->split_write_offset + last_offset(mr));
    }
}

static void print_region(Printer *printer, MemoryRegion *mr, unsigned level, hwaddr base)
{
    GString *out = printer->out;
    hwaddr first = base + mr->addr;
    hwaddr last = first + last_offset(mr);
    g_autoptr(GPtrArray) subregions = NULL;

    if (mr->alias) {
        note_target(printer, mr->alias);
    }
    if (mr->enabled || printer->options->disabled) {
        if (first < base || last < first) {
            g_string_append(out, "[DETECTED OVERFLOW!] ");
        }
        indent(out, 2 * level);
        print_head(printer, mr, first, last, mr->nonvolatile, type_of(mr));
        if (mr->alias) {
            print_target(printer, mr);
        } else {
            g_string_append(out, name_of(mr));
        }
        if (!mr->enabled) {
            g_string_append(out, " [disabled]");
        }
        print_owner(printer, mr);
        g_string_append_c(out, '\n');
    }
    if (mr->subregions && mr->subregions->count > 0) {
        subregions = g_ptr_array_sized_new(mr->subregions->count);
        region_index_list(mr, subregions);
        for (guint i = 0; i < subregions->len; i++) {
            print_region(printer, g_ptr_array_index(subregions, i), level + 1, first);
        }
    }
}

static int compare_names(const void *a, const void *b)
{
    const AddressSpace *x = *(AddressSpace *const *)a;
    const AddressSpace *y = *(AddressSpace *const *)b;

    return strcmp(x->name, y->name);
}

/* Address spaces in groups by what `key` says of them, in the order of each group's
 * first; the members of a group in the order in which they were made. */
static GPtrArray *group_spaces(void *(*key)(const AddressSpace *as))
{
    GPtrArray *spaces = address_spaces();
    GPtrArray *groups = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GHashTable) by_key = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(spaces, i);
        GPtrArray *group = g_hash_table_lookup(by_key, key(as));

        if (!group) {
            group = g_ptr_array_new();
            g_ptr_array_add(groups, group);
            g_hash_table_insert(by_key, key(as), group);
        }
        g_ptr_array_add(group, as);
    }
    return groups;
}

static void *root_of(const AddressSpace *as)
{
    return as->root;
}

static void *view_of(const AddressSpace *as)
{
    return as->view;
}

static void print_trees(Printer *printer)
{
    g_autoptr(GPtrArray) groups = group_spaces(root_of);

    for (guint i = 0; i < groups->len; i++) {
        GPtrArray *group = g_ptr_array_index(groups, i);

        g_ptr_array_sort(group, compare_names);
        for (guint j = 0; j < group->len; j++) {
            AddressSpace *as = g_ptr_array_index(group, j);

            g_string_append_printf(printer->out, "address-space: %s\n", as->name);
        }
        print_region(printer, ((AddressSpace *)g_ptr_array_index(group, 0))->root, 1, 0);
        g_string_append_c(printer->out, '\n');
    }
    for (guint i = 0; i < printer->targets->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(printer->targets, i);

        g_string_append_printf(printer->out, "memory-region: %s\n", name_of(mr));
        print_region(printer, mr, 1, 0);
        g_string_append_c(printer->out, '\n');
    }
}

static bool print_range(const FlatRange *range, void *opaque)
{
    Printer *printer = opaque;
    const MtreeOptions *options = printer->options;
    GString *out = printer->out;

    g_string_append(out, "  ");
    print_head(printer, range->mr, range->start, range->last, range->nonvolatile,
               range->readonly ? "rom" : type_of(range->mr));
    g_string_append(out, name_of(range->mr));
    if (range->offset_in_region) {
        g_string_append(out, " @");
        append_hex(out, range->offset_in_region);
    }
    if (range->write_mr) {
        g_string_append_printf(out, ", writes %s @", name_of(range->write_mr));
        append_hex(out, range->write_offset);
    }
    print_owner(printer, range->mr);
    if (options->accel && options->accel_has && options->accel_has(range)) {
        g_string_append_printf(out, " %s", options->accel);
    }
    g_string_append_c(out, '\n');
    return true;
}

static void print_view(Printer *printer, const FlatView *view)
{
    if (!view->ranges) {
        g_string_append(printer->out, "  No rendered FlatView\n\n");
        return;
    }
    flat_tree_foreach(view->ranges, 0, UINT64_MAX, print_range, printer);
    if (printer->options->dispatch) {
        mtree_print_dispatch(printer->out, view);
    }
    g_string_append_c(printer->out, '\n');
}

static void print_views(Printer *printer)
{
    g_autoptr(GPtrArray) groups = group_spaces(view_of);

    for (guint i = 0; i < groups->len; i++) {
        GPtrArray *group = g_ptr_array_index(groups, i);
        const FlatView *view = ((AddressSpace *)g_ptr_array_index(group, 0))->view;

        g_string_append_printf(printer->out, "FlatView #%u\n", i);
        for (guint j = 0; j < group->len; j++) {
            AddressSpace *as = g_ptr_array_index(group, j);

            g_string_append_printf(printer->out, " AS \"%s\", root: %s", as->name,
                                   name_of(as->root));
            if (as->root->alias) {
                g_string_append_printf(printer->out, ", alias %s",
                                       name_of(as->root->alias));
            }
            g_string_append_c(printer->out, '\n');
        }
        g_string_append_printf(printer->out, " Root memory region: %s\n",
                               view->root ? name_of(view->root) : "(none)");
        print_view(printer, view);
    }
}

void mtree_print(GString *out, const MtreeOptions *options)
{
    Printer printer = {.out = out, .options = options};

    if (options->flat) {
        print_views(&printer);
        return;
    }
    printer.targets = g_ptr_array_new();
    printer.known = g_hash_table_new(NULL, NULL);
    print_trees(&printer);
    g_ptr_array_unref(printer.targets);
    g_hash_table_unref(printer.known);
}
