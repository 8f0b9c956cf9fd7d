/*
 * The "Dispatch" part of `info mtree -f -d`.
 *
 * QEMU finds the section that answers at an address in a radix tree of pages, 9 bits a
 * level, in which a chain of nodes with one child is skipped over. This room has no such
 * tree; its shape follows from the view alone, though, so tools that read the text get
 * it: the pages are entered into a table in the order of the view, and the table printed.
 * What was looked up last ("[MRU]") is not part of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/mtree-dispatch.h"

#include "memory/internal.h"

#define BITS_PER_LEVEL 9
#define ENTRIES (1u << BITS_PER_LEVEL)
#define LEVELS 6
#define NIL UINT32_MAX
#define SECTION_UNASSIGNED 0

typedef struct Entry {
    uint32_t skip; /* levels down to the node that `to` numbers; 0: `to` is a section */
    uint32_t to;
} Entry;

typedef struct Section {
    hwaddr first;
    hwaddr last;
    const MemoryRegion *mr; /* NULL: unassigned, or a page that several share */
    bool shared_page;
} Section;

typedef struct Table {
    GArray *sections;
    GArray *nodes; /* Entry[ENTRIES] each */
    Entry root;
} Table;

/* Valid until the next node is made. */
static Entry *node_at(Table *table, uint32_t number)
{
    return &g_array_index(table->nodes, Entry, number * ENTRIES);
}

static uint32_t make_node(Table *table, bool leaf)
{
    Entry blank = leaf ? (Entry){0, SECTION_UNASSIGNED} : (Entry){1, NIL};
    uint32_t number = table->nodes->len / ENTRIES;

    for (unsigned i = 0; i < ENTRIES; i++) {
        g_array_append_val(table->nodes, blank);
    }
    return number;
}

static uint32_t add_section(Table *table, hwaddr first, hwaddr last,
                            const MemoryRegion *mr, bool shared_page)
{
    Section section = {first, last, mr, shared_page};

    g_array_append_val(table->sections, section);
    return table->sections->len - 1;
}

/* Enters pages [*page, end) as far as they lie under `number`, a node of this level. */
static void set_under(Table *table, uint32_t number, int level, uint64_t *page,
                      uint64_t end, uint32_t section)
{
    uint64_t step = (uint64_t)1 << (level * BITS_PER_LEVEL);
    unsigned i = (*page >> (level * BITS_PER_LEVEL)) % ENTRIES;

    for (; i < ENTRIES && *page < end; i++) {
        Entry entry = node_at(table, number)[i];

        if (*page % step == 0 && end - *page >= step) {
            entry = (Entry){0, section};
            *page += step;
        } else {
            if (entry.skip && entry.to == NIL) {
                entry.to = make_node(table, level == 1);
            }
            set_under(table, entry.to, level - 1, page, end, section);
        }
        node_at(table, number)[i] = entry;
    }
}

static void set_pages(Table *table, hwaddr first, hwaddr last, uint32_t section)
{
    uint64_t page = first >> MEMORY_PAGE_BITS;
    uint64_t end = (last >> MEMORY_PAGE_BITS) + 1;

    if (table->root.to == NIL) {
        table->root.to = make_node(table, false);
    }
    set_under(table, table->root.to, LEVELS - 1, &page, end, section);
}

static uint32_t section_of_page(Table *table, hwaddr addr)
{
    Entry entry = table->root;

    for (int level = LEVELS; entry.skip; level--) {
        if (entry.to == NIL) {
            return SECTION_UNASSIGNED;
        }
        entry = node_at(table, entry.to)[(addr >> (MEMORY_PAGE_BITS +
                                                   (level - 1) * BITS_PER_LEVEL)) %
                                         ENTRIES];
    }
    return entry.to;
}

/* A part of a page: the page is one that several sections share. */
static void add_part_of_page(Table *table, const FlatRange *range, hwaddr first,
                             hwaddr last)
{
    hwaddr page = first & ~(MEMORY_PAGE_SIZE - 1);
    uint32_t there = section_of_page(table, page);

    if (!g_array_index(table->sections, Section, there).shared_page) {
        hwaddr page_last = page + MEMORY_PAGE_SIZE - 1;

        set_pages(table, page, page_last,
                  add_section(table, page, page_last, NULL, true));
    }
    add_section(table, first, last, range->mr, false);
}

static bool add_range(const FlatRange *range, void *opaque)
{
    Table *table = opaque;
    hwaddr first = range->start;
    hwaddr in_page = MEMORY_PAGE_SIZE - 1;
    hwaddr whole_last = range->last;

    if (first & in_page) {
        hwaddr last = MIN(range->last, first | in_page);

        add_part_of_page(table, range, first, last);
        if (last == range->last) {
            return true;
        }
        first = last + 1;
    }
    if (range->last - first >= in_page) {
        if ((range->last & in_page) != in_page) {
            whole_last = (range->last & ~in_page) - 1;
        }
        set_pages(table, first, whole_last,
                  add_section(table, first, whole_last, range->mr, false));
        if (whole_last == range->last) {
            return true;
        }
        first = whole_last + 1;
    }
    add_part_of_page(table, range, first, range->last);
    return true;
}

/* Makes an entry skip over nodes that have one entry in use. */
static void shorten(Table *table, Entry *entry)
{
    Entry *node;
    unsigned used = 0;
    Entry only = {0, 0};

    if (entry->to == NIL) {
        return;
    }
    node = node_at(table, entry->to); /* no node is made from here on */
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (node[i].skip == 0) {
            only = node[i];
            used++;
        } else if (node[i].to != NIL) {
            shorten(table, &node[i]);
            only = node[i];
            used++;
        }
    }
    if (used == 1) {
        entry->to = only.to;
        entry->skip = only.skip ? entry->skip + only.skip : 0;
    }
}

static void print_sections(GString *out, const Table *table, const FlatView *view)
{
    /* QEMU numbers its first sections so, whatever they are by now. */
    static const char *const fixed[] = {" [unassigned]", " [not dirty]", " [ROM]",
                                        " [watch]"};

    g_string_append(out, "    Physical sections\n");
    for (guint i = 0; i < table->sections->len; i++) {
        const Section *section = &g_array_index(table->sections, Section, i);
        const char *name = section->mr ? section->mr->name : NULL;

        g_string_append_printf(out, "      #%u @%016" PRIx64 "..%016" PRIx64 " %s%s%s\n", i,
                               section->first, section->last, name ? name : "(noname)",
                               i < G_N_ELEMENTS(fixed) ? fixed[i] : "",
                               section->mr == view->root ? " [ROOT]" : "");
    }
}

static void print_entries(GString *out, unsigned first, unsigned last, Entry entry)
{
    if (first == last) {
        g_string_append_printf(out, "\t%3u      ", first);
    } else {
        g_string_append_printf(out, "\t%3u..%-3u ", first, last);
    }
    g_string_append_printf(out, " skip=%u ", entry.skip);
    if (entry.to == NIL) {
        g_string_append(out, " ptr=NIL\n");
    } else if (entry.skip) {
        g_string_append_printf(out, " ptr=[%u]\n", entry.to);
    } else {
        g_string_append_printf(out, " ptr=#%u\n", entry.to);
    }
}

static void print_nodes(GString *out, Table *table)
{
    g_string_append_printf(out, "    Nodes (%d bits per level, %d levels) ptr=[%d] skip=%u\n",
                           BITS_PER_LEVEL, LEVELS, (int)table->root.to, table->root.skip);
    for (guint i = 0; i < table->nodes->len / ENTRIES; i++) {
        const Entry *node = node_at(table, i);
        unsigned first = 0;

        g_string_append_printf(out, "      [%u]\n", i);
        for (unsigned j = 1; j <= ENTRIES; j++) {
            if (j == ENTRIES || node[j].skip != node[first].skip ||
                node[j].to != node[first].to) {
                print_entries(out, first, j - 1, node[first]);
                first = j;
            }
        }
    }
}

void mtree_print_dispatch(GString *out, const FlatView *view)
{
    Table table = {
        .sections = g_array_new(false, false, sizeof(Section)),
        .nodes = g_array_new(false, false, sizeof(Entry)),
        .root = {1, NIL},
    };

    add_section(&table, 0, UINT64_MAX, NULL, false);
    flat_tree_foreach(view->ranges, 0, UINT64_MAX, add_range, &table);
    shorten(&table, &table.root);
    g_string_append(out, "  Dispatch\n");
    print_sections(out, &table, view);
    print_nodes(out, &table);
    g_array_free(table.sections, true);
    g_array_free(table.nodes, true);
}
