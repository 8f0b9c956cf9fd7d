/*
 * Rendering: which region answers at each address of a window onto a tree.
 *
 * The rule, from the top down: a disabled region is not there; of overlapping siblings
 * the higher priority shows, of equal ones the later added; subregions show above the
 * region that they are in; an alias shows a part of its target, cut to both; a container
 * claims nothing, so through its gaps shows what lies below it.
 *
 * The renderer walks a container's window once, from low to high addresses. At each step
 * it knows the stack of siblings that reach over the place; the topmost is shown, and
 * where it has a gap the next is, down to what the container itself lies on. That chain
 * of "what lies below" is a linked list of Layers on the C stack, and ranges come out in
 * ascending order with no sorting and no searching for holes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/internal.h"

/* A region as it is seen through the aliases and containers on the way to it. */
typedef struct Sight {
    MemoryRegion *mr;
    hwaddr base; /* guest address of the region's first byte, modulo 2^64 */
    bool readonly;
    bool nonvolatile;
    MemoryRegion *write_mr; /* the split on the way, if there was one: where writes go */
    hwaddr write_base;      /* guest address that stands for write_mr's first byte */
} Sight;

/* What shows where the thing above it has a gap. */
typedef struct Layer {
    const struct Layer *below;
    const Sight *container;
    bool answers;      /* the container's own bytes; else its siblings, from ... */
    guint next;        /* ... this place on the stack of overlapping siblings ... */
    const guint *end;  /* ... to this one */
} Layer;

typedef struct Renderer {
    GPtrArray *stack; /* regions: for each level of the walk the candidates, then those
                         that overlap the present place from the top down */
    GArray *out;
} Renderer;

static void show(Renderer *r, MemoryRegion *mr, const Sight *from, hwaddr base,
                 hwaddr first, hwaddr last, const Layer *below);

static bool continues(const FlatRange *a, const FlatRange *b)
{
    return a->last != UINT64_MAX && a->last + 1 == b->start && a->mr == b->mr &&
           a->offset_in_region + (b->start - a->start) == b->offset_in_region &&
           a->write_mr == b->write_mr &&
           (!a->write_mr || a->write_offset + (b->start - a->start) == b->write_offset) &&
           a->readonly == b->readonly && a->romd_mode == b->romd_mode &&
           a->nonvolatile == b->nonvolatile && a->dirty_log_mask == b->dirty_log_mask;
}

void range_list_append(GArray *list, const FlatRange *range)
{
    if (list->len > 0) {
        FlatRange *tail = &g_array_index(list, FlatRange, list->len - 1);

        if (continues(tail, range)) {
            tail->last = range->last;
            return;
        }
    }
    g_array_append_val(list, *range);
}

static void emit(Renderer *r, const Sight *sight, hwaddr first, hwaddr last)
{
    MemoryRegion *mr = sight->mr;
    FlatRange range = {
        .start = first,
        .last = last,
        .mr = mr,
        .offset_in_region = first - sight->base,
        .readonly = sight->readonly,
        .romd_mode = mr->kind == MEMORY_REGION_ROM_DEVICE && mr->romd_mode,
        .nonvolatile = sight->nonvolatile,
        .dirty_log_mask = mr->dirty_log_mask,
    };

    if (mr->ram_block) {
        range.dirty_log_mask |= ram_dirty_global_mask();
    }
    if (sight->write_mr) {
        /* For who maps only the side that is read: its bytes are not to be written. */
        range.readonly = true;
        range.write_mr = sight->write_mr;
        range.write_offset = first - sight->write_base;
    }
    range_list_append(r->out, &range);
}

static void fill(Renderer *r, const Layer *layer, hwaddr first, hwaddr last)
{
    for (; layer; layer = layer->below) {
        const Sight *container = layer->container;

        if (layer->answers) {
            emit(r, container, first, last);
            return;
        }
        for (guint i = layer->next; i < *layer->end; i++) {
            MemoryRegion *mr = g_ptr_array_index(r->stack, i);
            hwaddr base = container->base + mr->addr;
            hwaddr mr_last = last_from(mr->addr, mr);
            hwaddr end = MIN(mr_last, last - container->base) + container->base;
            Layer rest = *layer;

            if (mr_last < first - container->base) {
                continue; /* it ended before this place */
            }
            rest.next = i + 1;
            show(r, mr, container, base, first, end, &rest);
            if (end == last) {
                return;
            }
            first = end + 1;
        }
    }
}

/* Puts `mr` among the siblings at stack[bottom, end), which are ordered from the top. */
static void raise_into(GPtrArray *stack, guint bottom, MemoryRegion *mr)
{
    guint low = bottom, high = stack->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (region_is_above(mr, g_ptr_array_index(stack, middle))) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    g_ptr_array_insert(stack, low, mr);
}

/* Drops the siblings that end before `offset`. */
static void drop_ended(GPtrArray *stack, guint bottom, hwaddr offset)
{
    guint kept = bottom;

    for (guint i = bottom; i < stack->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(stack, i);

        if (last_from(mr->addr, mr) >= offset) {
            stack->pdata[kept++] = mr;
        }
    }
    g_ptr_array_set_size(stack, kept);
}

static void show_subregions(Renderer *r, const Sight *sight, hwaddr first, hwaddr last,
                            const Layer *below)
{
    guint candidates = r->stack->len;
    guint overlapping, crowded;
    hwaddr offset = first - sight->base;
    hwaddr offset_last = last - sight->base;

    region_index_find(sight->mr, offset, offset_last, r->stack);
    overlapping = r->stack->len;
    crowded = overlapping + 8;
    for (guint i = candidates;;) {
        hwaddr step_last = offset_last;
        guint end;
        Layer siblings = {.below = below, .container = sight, .next = overlapping,
                          .end = &end};

        while (i < overlapping) {
            MemoryRegion *mr = g_ptr_array_index(r->stack, i);

            if (mr->addr > offset) {
                step_last = mr->addr - 1;
                break;
            }
            raise_into(r->stack, overlapping, mr);
            i++;
        }
        if (r->stack->len > crowded) {
            drop_ended(r->stack, overlapping, offset);
            crowded = overlapping + 8 + 2 * (r->stack->len - overlapping);
        }
        end = r->stack->len;
        fill(r, &siblings, offset + sight->base, step_last + sight->base);
        if (step_last == offset_last) {
            break;
        }
        offset = step_last + 1;
    }
    g_ptr_array_set_size(r->stack, candidates);
}

/* Shows [first, last] of what an alias at `from` makes of `target`, whose byte `offset`
 * is at the alias's start; what lies outside the target is a gap. */
static void show_target(Renderer *r, MemoryRegion *target, hwaddr offset,
                        const Sight *from, hwaddr first, hwaddr last, const Layer *below)
{
    hwaddr in_alias = first - from->base;
    hwaddr room; /* bytes of the target from the alias's start on, less one */
    hwaddr end;

    if (!target || target->size == 0 || offset > region_last(target) ||
        in_alias > (room = region_last(target) - offset)) {
        fill(r, below, first, last);
        return;
    }
    end = MIN(last - from->base, room) + from->base;
    show(r, target, from, from->base - offset, first, end, below);
    if (end < last) {
        fill(r, below, end + 1, last);
    }
}

/* Shows [first, last] of `mr`, all of which lies inside the region. */
static void show(Renderer *r, MemoryRegion *mr, const Sight *from, hwaddr base,
                 hwaddr first, hwaddr last, const Layer *below)
{
    Sight sight = {
        .mr = mr,
        .base = base,
        .readonly = mr->readonly || (from && from->readonly),
        .nonvolatile = mr->nonvolatile || (from && from->nonvolatile),
        .write_mr = from ? from->write_mr : NULL,
        .write_base = from ? from->write_base : 0,
    };
    Layer own = {.below = below, .container = &sight, .answers = true};

    if (!mr->enabled) {
        fill(r, below, first, last);
        return;
    }
    if (region_answers(mr)) {
        below = &own;
    }
    if (mr->kind == MEMORY_REGION_SPLIT && !sight.write_mr && !sight.readonly) {
        sight.write_mr = mr->split_write;
        sight.write_base = base - mr->split_write_offset;
    }
    if (mr->kind == MEMORY_REGION_ALIAS) {
        show_target(r, mr->alias, mr->alias_offset, &sight, first, last, below);
    } else if (mr->kind == MEMORY_REGION_SPLIT) {
        show_target(r, mr->alias, mr->alias_offset, &sight, first, last, below);
    } else if (mr->subregions && mr->subregions->enabled > 0) {
        show_subregions(r, &sight, first, last, below);
    } else {
        fill(r, below, first, last);
    }
}

void render_region(MemoryRegion *root, hwaddr first, hwaddr last, GArray *out)
{
    static GPtrArray *stack; /* machine lock; kept, as a commit costs less than malloc */
    Renderer r = {.out = out};

    if (root->size == 0 || first > region_last(root)) {
        return;
    }
    if (!stack) {
        stack = g_ptr_array_new();
    }
    r.stack = stack;
    show(&r, root, NULL, 0, first, MIN(last, region_last(root)), NULL);
}
