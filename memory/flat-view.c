/*
 * The ranges of a FlatView: a tree of immutable chunks.
 *
 * A chunk is a sorted array, either of ranges (a leaf) or of chunks. Replacing a stretch
 * of a view copies the chunks on the way to it and shares all others with the old view,
 * so its cost is the logarithm of the view's length. Each tree has one successor at most,
 * which is why chunks need no reference count: who makes the successor retires what it
 * replaced. The tree of a usual PC is one leaf or a root with three.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

#include <string.h>

#define LEAF_CAPACITY 32
#define NODE_CAPACITY 64

struct FlatNode {
    uint16_t level; /* 0: a leaf */
    uint16_t count; /* at least 1 */
    union {
        FlatRange *ranges;
        FlatNode **children;
    };
    hwaddr starts[]; /* of each range, or of each child's first range; then the items */
};

static unsigned capacity(unsigned level)
{
    return level ? NODE_CAPACITY : LEAF_CAPACITY;
}

static size_t item_size(unsigned level)
{
    return level ? sizeof(FlatNode *) : sizeof(FlatRange);
}

static FlatNode *make_node(unsigned level, const void *items, unsigned count)
{
    size_t starts = count * sizeof(hwaddr);
    size_t size = count * item_size(level);
    FlatNode *node = g_malloc(sizeof(*node) + starts + size);

    node->level = level;
    node->count = count;
    node->ranges = (FlatRange *)((char *)node->starts + starts);
    memcpy(node->ranges, items, size);
    for (unsigned i = 0; i < count; i++) {
        node->starts[i] = level ? node->children[i]->starts[0] : node->ranges[i].start;
    }
    return node;
}

/* Appends to `out` (of FlatNode *) evenly filled nodes that hold the items. */
static void pack(unsigned level, const void *items, unsigned count, GArray *out)
{
    unsigned nodes = (count + capacity(level) - 1) / capacity(level);

    for (unsigned i = 0; i < nodes; i++) {
        unsigned from = (uint64_t)count * i / nodes;
        unsigned to = (uint64_t)count * (i + 1) / nodes;
        FlatNode *node =
            make_node(level, (const char *)items + from * item_size(level), to - from);

        g_array_append_val(out, node);
    }
}

/* Puts levels on top until one node is left; frees the list. */
static FlatNode *crown(GArray *nodes, unsigned level)
{
    FlatNode *root = NULL;

    while (nodes->len > 1) {
        GArray *above = g_array_new(false, false, sizeof(FlatNode *));

        pack(++level, nodes->data, nodes->len, above);
        g_array_free(nodes, true);
        nodes = above;
    }
    if (nodes->len == 1) {
        root = g_array_index(nodes, FlatNode *, 0);
    }
    g_array_free(nodes, true);
    return root;
}

FlatNode *flat_tree_build(const FlatRange *ranges, unsigned count)
{
    GArray *leaves = g_array_new(false, false, sizeof(FlatNode *));

    pack(0, ranges, count, leaves);
    return crown(leaves, 0);
}

void flat_tree_retire(FlatNode *tree)
{
    if (!tree) {
        return;
    }
    for (unsigned i = 0; tree->level && i < tree->count; i++) {
        flat_tree_retire(tree->children[i]);
    }
    memory_retire(tree, g_free);
}

/* The last place whose start is not above addr; 0 when all are above. The loop has a
 * conditional move for its only choice. */
static inline unsigned place_of(const FlatNode *node, hwaddr addr)
{
    const hwaddr *base = node->starts;

    for (unsigned n = node->count; n > 1;) {
        unsigned half = n / 2;

        base = base[half] <= addr ? base + half : base;
        n -= half;
    }
    return base - node->starts;
}

static void replace_in_leaf(FlatNode *leaf, hwaddr first, hwaddr last,
                            const FlatRange *ranges, unsigned count, GArray *out)
{
    unsigned before = 0, after;
    GArray *items = g_array_sized_new(false, false, sizeof(FlatRange), leaf->count + count);

    while (before < leaf->count && leaf->starts[before] < first) {
        before++;
    }
    for (after = before; after < leaf->count && leaf->starts[after] <= last; after++) {
    }
    g_array_append_vals(items, leaf->ranges, before);
    g_array_append_vals(items, ranges, count);
    g_array_append_vals(items, leaf->ranges + after, leaf->count - after);
    pack(0, items->data, items->len, out);
    g_array_free(items, true);
}

/* Joins neighbours among children[from, to) that fill less than half a node together, so
 * that a long-lived view does not fray into small chunks. */
static void join_small(GArray *children, unsigned from, unsigned to)
{
    for (unsigned i = from; i + 1 < to && i + 1 < children->len;) {
        FlatNode *a = g_array_index(children, FlatNode *, i);
        FlatNode *b = g_array_index(children, FlatNode *, i + 1);
        unsigned count = a->count + b->count;
        size_t size = item_size(a->level);
        char *items;

        if (count > capacity(a->level) / 2) {
            i++;
            continue;
        }
        items = g_malloc(count * size);
        memcpy(items, a->ranges, a->count * size);
        memcpy(items + a->count * size, b->ranges, b->count * size);
        g_array_index(children, FlatNode *, i) = make_node(a->level, items, count);
        g_array_remove_index(children, i + 1);
        g_free(items);
        memory_retire(a, g_free);
        memory_retire(b, g_free);
        to--;
    }
}

/* Appends to `out` the nodes that take this one's place. */
static void replace_in(FlatNode *node, hwaddr first, hwaddr last, const FlatRange *ranges,
                       unsigned count, GArray *out)
{
    if (node->level == 0) {
        replace_in_leaf(node, first, last, ranges, count, out);
    } else {
        unsigned from = place_of(node, first);
        unsigned to = place_of(node, last);
        GArray *children = g_array_sized_new(false, false, sizeof(FlatNode *),
                                             node->count + 2);
        unsigned edited;

        g_array_append_vals(children, node->children, from);
        replace_in(node->children[from], first, last, ranges, count, children);
        for (unsigned i = from + 1; i < to; i++) {
            flat_tree_retire(node->children[i]);
        }
        if (to > from) {
            replace_in(node->children[to], first, last, NULL, 0, children);
        }
        edited = children->len;
        g_array_append_vals(children, node->children + to + 1, node->count - to - 1);
        join_small(children, from ? from - 1 : 0, edited + 1);
        pack(node->level, children->data, children->len, out);
        g_array_free(children, true);
    }
    memory_retire(node, g_free);
}

FlatNode *flat_tree_replace(FlatNode *tree, hwaddr first, hwaddr last,
                            const FlatRange *ranges, unsigned count)
{
    GArray *nodes;
    FlatNode *root;
    unsigned level;

    if (!tree) {
        return flat_tree_build(ranges, count);
    }
    level = tree->level;
    nodes = g_array_new(false, false, sizeof(FlatNode *));
    replace_in(tree, first, last, ranges, count, nodes);
    root = crown(nodes, level);
    while (root && root->level > 0 && root->count == 1) {
        FlatNode *child = root->children[0];

        memory_retire(root, g_free);
        root = child;
    }
    return root;
}

const FlatRange *flat_tree_at_or_before(const FlatNode *tree, hwaddr addr)
{
    if (!tree || tree->starts[0] > addr) {
        return NULL;
    }
    while (tree->level > 0) {
        tree = tree->children[place_of(tree, addr)];
    }
    return &tree->ranges[place_of(tree, addr)];
}

const FlatRange *flat_tree_after(const FlatNode *tree, hwaddr addr)
{
    const FlatNode *next = NULL; /* the subtree right of the way down */

    if (!tree) {
        return NULL;
    }
    for (;;) {
        unsigned i = place_of(tree, addr);

        if (tree->starts[i] > addr) { /* all of this node is above */
            next = tree;
            break;
        }
        if (tree->level == 0) {
            if (i + 1 < tree->count) {
                return &tree->ranges[i + 1];
            }
            break;
        }
        if (i + 1 < tree->count) {
            next = tree->children[i + 1];
        }
        tree = tree->children[i];
    }
    while (next && next->level > 0) {
        next = next->children[0];
    }
    return next ? &next->ranges[0] : NULL;
}

bool flat_tree_foreach(const FlatNode *tree, hwaddr first, hwaddr last,
                       bool (*func)(const FlatRange *range, void *opaque), void *opaque)
{
    if (!tree) {
        return true;
    }
    for (unsigned i = place_of(tree, first);
         i < tree->count && tree->starts[i] <= last; i++) {
        if (tree->level > 0) {
            if (!flat_tree_foreach(tree->children[i], first, last, func, opaque)) {
                return false;
            }
        } else if (tree->ranges[i].last >= first && !func(&tree->ranges[i], opaque)) {
            return false;
        }
    }
    return true;
}

static bool collect(const FlatRange *range, void *opaque)
{
    g_array_append_vals(opaque, range, 1);
    return true;
}

void flat_tree_collect(const FlatNode *tree, hwaddr first, hwaddr last, GArray *out)
{
    flat_tree_foreach(tree, first, last, collect, out);
}
