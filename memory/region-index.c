/*
 * The subregions of a container, findable by address.
 *
 * A treap ordered by address, then priority (high first), then time of addition (late
 * first), in which each node knows how far the enabled regions under it reach. Adding,
 * removing, enabling and finding cost the logarithm of the number of siblings. A node's
 * heap value is a hash of its addition number, so a tree is the same in each run.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

typedef struct RegionNode RegionNode;

struct RegionNode {
    MemoryRegion *mr;
    RegionNode *left;
    RegionNode *right;
    uint64_t added;
    hwaddr max_last; /* of the shown regions in this subtree, if there are any */
    hwaddr addr;     /* copied from the region, so that a search reads nodes alone */
    hwaddr last;
    int32_t priority;
    uint32_t heap;
    bool shown; /* enabled and not empty */
    bool any_shown;
};

static void copy_region(RegionNode *node)
{
    const MemoryRegion *mr = node->mr;

    node->addr = mr->addr;
    node->priority = mr->priority;
    node->shown = mr->enabled && mr->size > 0;
    node->last = node->shown ? last_from(mr->addr, mr) : mr->addr;
}

static uint32_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)(x >> 32);
}

/* Negative, zero or positive as `a` comes before, is, or comes after `b`. */
static int compare(const RegionNode *a, const RegionNode *b)
{
    if (a->addr != b->addr) {
        return a->addr < b->addr ? -1 : 1;
    }
    if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    return a->added == b->added ? 0 : a->added > b->added ? -1 : 1;
}

bool region_is_above(const MemoryRegion *a, const MemoryRegion *b)
{
    if (a->priority != b->priority) {
        return a->priority > b->priority;
    }
    return a->node->added > b->node->added;
}

static void extend(RegionNode *node, hwaddr last)
{
    if (!node->any_shown || last > node->max_last) {
        node->max_last = last;
    }
    node->any_shown = true;
}

static void update(RegionNode *node)
{
    node->any_shown = false;
    node->max_last = 0;
    if (node->shown) {
        extend(node, node->last);
    }
    if (node->left && node->left->any_shown) {
        extend(node, node->left->max_last);
    }
    if (node->right && node->right->any_shown) {
        extend(node, node->right->max_last);
    }
}

/* Cuts a subtree into what comes before `at` and what comes after. */
static void split(RegionNode *tree, const RegionNode *at, RegionNode **before,
                  RegionNode **after)
{
    if (!tree) {
        *before = *after = NULL;
    } else if (compare(tree, at) < 0) {
        split(tree->right, at, &tree->right, after);
        *before = tree;
        update(tree);
    } else {
        split(tree->left, at, before, &tree->left);
        *after = tree;
        update(tree);
    }
}

static RegionNode *join(RegionNode *before, RegionNode *after)
{
    if (!before || !after) {
        return before ? before : after;
    }
    if (before->heap > after->heap) {
        before->right = join(before->right, after);
        update(before);
        return before;
    }
    after->left = join(before, after->left);
    update(after);
    return after;
}

static void insert(RegionNode **tree, RegionNode *node)
{
    if (!*tree || node->heap > (*tree)->heap) {
        split(*tree, node, &node->left, &node->right);
        *tree = node;
    } else if (compare(node, *tree) < 0) {
        insert(&(*tree)->left, node);
    } else {
        insert(&(*tree)->right, node);
    }
    update(*tree);
}

static void remove_node(RegionNode **tree, RegionNode *node)
{
    int order = compare(node, *tree);

    if (order == 0) {
        *tree = join(node->left, node->right);
        return;
    }
    remove_node(order < 0 ? &(*tree)->left : &(*tree)->right, node);
    update(*tree);
}

static void refresh(RegionNode *tree, const RegionNode *node)
{
    int order = compare(node, tree);

    if (order != 0) {
        refresh(order < 0 ? tree->left : tree->right, node);
    }
    update(tree);
}

void region_index_add(MemoryRegion *container, MemoryRegion *mr)
{
    struct RegionIndex *index = container->subregions;
    RegionNode *node = g_new0(RegionNode, 1);

    if (!index) {
        index = container->subregions = g_new0(struct RegionIndex, 1);
    }
    node->mr = mr;
    copy_region(node);
    node->added = index->additions++;
    node->heap = mix(node->added + 1);
    mr->node = node;
    insert(&index->root, node);
    index->count++;
    index->enabled += mr->enabled;
}

void region_index_remove(MemoryRegion *container, MemoryRegion *mr)
{
    struct RegionIndex *index = container->subregions;

    remove_node(&index->root, mr->node);
    index->count--;
    index->enabled -= mr->enabled;
    g_free(mr->node);
    mr->node = NULL;
}

void region_index_refresh(MemoryRegion *container, MemoryRegion *mr, bool was_enabled)
{
    struct RegionIndex *index = container->subregions;

    copy_region(mr->node);
    refresh(index->root, mr->node);
    index->enabled = index->enabled - was_enabled + mr->enabled;
}

static void find(const RegionNode *node, hwaddr first, hwaddr last, GPtrArray *out)
{
    while (node && node->any_shown && node->max_last >= first) {
        find(node->left, first, last, out);
        if (node->addr > last) {
            return;
        }
        if (node->shown && node->last >= first) {
            g_ptr_array_add(out, node->mr);
        }
        node = node->right;
    }
}

void region_index_find(const MemoryRegion *container, hwaddr first, hwaddr last,
                       GPtrArray *out)
{
    if (container->subregions) {
        find(container->subregions->root, first, last, out);
    }
}

static void list(const RegionNode *node, GPtrArray *out)
{
    for (; node; node = node->right) {
        list(node->left, out);
        g_ptr_array_add(out, node->mr);
    }
}

void region_index_list(const MemoryRegion *container, GPtrArray *out)
{
    if (container->subregions) {
        list(container->subregions->root, out);
    }
}

void region_index_free(struct RegionIndex *index)
{
    g_free(index);
}
