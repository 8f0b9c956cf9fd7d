/*
 * The walk is the renderer's, at one address and without stopping at the first answer: it
 * also goes through disabled regions, and beyond the borders of containers and windows.
 *
 * Beyond a border, a window onto something large would find the same regions again and
 * again (each PAM window shows a part of all RAM). So a region counts as clipped only
 * when it does not claim the address otherwise, and once, by the nearest border.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/explain.h"

#include <string.h>

#include "memory/internal.h"
#include "memory/walk.h"

/* Steps through disabled regions and beyond borders; enabled ones are walked to
 * the end. */
#define MAX_SIDE_STEPS 100000
#define MAX_CLAIMS 1000

typedef struct Hook {
    ExplainHook func;
    void *opaque;
} Hook;

static GArray *hooks;

typedef struct Walk {
    Explanation *explanation;
    GArray *path;
    GPtrArray *clipped; /* claims */
    unsigned side_steps;
} Walk;

/* Why what is below this place of the walk cannot answer. */
typedef struct Obstacle {
    ExplainVerdict verdict; /* ANSWERS: there is none */
    guint at;
} Obstacle;

static void visit(Walk *walk, MemoryRegion *mr, hwaddr offset, Obstacle obstacle);

static void free_claim(void *data)
{
    ExplainClaim *claim = data;

    g_array_unref(claim->path);
    g_free(claim);
}

static void free_note(void *data)
{
    ExplainNote *note = data;

    g_array_unref(note->values);
    g_free(note->text);
    g_free(note);
}

static const ExplainStep *step_at(const ExplainClaim *claim, guint at)
{
    return &g_array_index(claim->path, ExplainStep, at);
}

/* -- The walk -------------------------------------------------------------------- */

static bool reaches(const MemoryRegion *mr, hwaddr offset)
{
    return mr->size > 0 && offset <= region_last(mr);
}

static void add_claim(Walk *walk, MemoryRegion *mr, Obstacle obstacle)
{
    GPtrArray *list =
        obstacle.verdict == EXPLAIN_CLIPPED ? walk->clipped : walk->explanation->claims;
    ExplainClaim *claim;

    if (list->len >= MAX_CLAIMS && obstacle.verdict != EXPLAIN_ANSWERS) {
        walk->explanation->truncated = true;
        return;
    }
    claim = g_new0(ExplainClaim, 1);
    claim->mr = mr;
    claim->verdict = obstacle.verdict;
    claim->at = obstacle.at;
    claim->path = g_array_copy(walk->path);
    g_ptr_array_add(list, claim);
}

static int from_the_top(gconstpointer a, gconstpointer b)
{
    const MemoryRegion *x = *(MemoryRegion *const *)a, *y = *(MemoryRegion *const *)b;

    return region_is_above(x, y) ? -1 : 1;
}

static void visit_subregions(Walk *walk, const MemoryRegion *mr, hwaddr offset,
                             Obstacle obstacle)
{
    g_autoptr(GPtrArray) subregions = g_ptr_array_new();

    region_index_list(mr, subregions);
    g_ptr_array_sort(subregions, from_the_top);
    for (guint i = 0; i < subregions->len; i++) {
        MemoryRegion *sub = g_ptr_array_index(subregions, i);

        visit(walk, sub, offset - sub->addr, obstacle);
    }
}

/* What an alias shows; where it shows less than it promises, the alias claims in vain. */
static void visit_target(Walk *walk, MemoryRegion *mr, hwaddr offset, Obstacle obstacle)
{
    MemoryRegion *target = mr->alias;
    hwaddr in_target = mr->alias_offset + offset;
    bool beyond = in_target < offset || !reaches(target, in_target);

    if (obstacle.verdict == EXPLAIN_ANSWERS && beyond) {
        ExplainStep step = {target, in_target};

        g_array_append_val(walk->path, step);
        add_claim(walk, mr, (Obstacle){EXPLAIN_CLIPPED, walk->path->len - 1});
        g_array_set_size(walk->path, walk->path->len - 1);
    } else {
        visit(walk, target, in_target, obstacle);
    }
}

static void visit(Walk *walk, MemoryRegion *mr, hwaddr offset, Obstacle obstacle)
{
    ExplainStep step = {mr, offset};
    bool inside = reaches(mr, offset);

    if (!inside && !mr->alias && !mr->subregions) {
        return;
    }
    if (obstacle.verdict != EXPLAIN_ANSWERS || !inside) {
        if (walk->side_steps++ >= MAX_SIDE_STEPS) {
            walk->explanation->truncated = true;
            return;
        }
    }
    if (!mr->enabled && obstacle.verdict == EXPLAIN_ANSWERS) {
        obstacle = (Obstacle){EXPLAIN_DISABLED, walk->path->len};
    }
    if (!inside) {
        if (obstacle.verdict == EXPLAIN_DISABLED) {
            return; /* two reasons are one too many */
        }
        if (obstacle.verdict == EXPLAIN_ANSWERS) {
            obstacle = (Obstacle){EXPLAIN_CLIPPED, walk->path->len};
        }
    } else if (obstacle.verdict == EXPLAIN_CLIPPED && !mr->enabled) {
        return;
    }
    if (inside && obstacle.verdict != EXPLAIN_CLIPPED) {
        g_hash_table_add(walk->explanation->met, mr);
    }
    g_array_append_val(walk->path, step);
    if (mr->alias) {
        visit_target(walk, mr, offset, obstacle);
    } else if (mr->subregions) {
        visit_subregions(walk, mr, offset, obstacle);
    }
    if (region_answers(mr) && inside) {
        add_claim(walk, mr, obstacle);
    }
    g_array_set_size(walk->path, walk->path->len - 1);
}

/* -- Who lost against whom ------------------------------------------------------- */

static void judge(ExplainClaim *claim, const ExplainClaim *answer)
{
    guint i = 0;

    /* The answer's path cannot end first: what lies in a region shows above it. */
    while (i < claim->path->len && step_at(claim, i)->mr == step_at(answer, i)->mr) {
        i++;
    }
    claim->other = step_at(answer, i)->mr;
    if (i == claim->path->len) {
        claim->verdict = EXPLAIN_HIDDEN;
        claim->at = i - 1;
        return;
    }
    claim->at = i;
    claim->verdict = step_at(claim, i)->mr->priority < claim->other->priority
                         ? EXPLAIN_LOWER_PRIORITY
                         : EXPLAIN_ADDED_EARLIER;
}

/* A split whose reads come from elsewhere claims nothing that is worth a line. */
static bool is_shadow(const ExplainClaim *claim, bool answers)
{
    return claim->mr->kind == MEMORY_REGION_SPLIT && !answers;
}

static void judge_all(Explanation *e)
{
    GPtrArray *claims = e->claims;
    ExplainClaim *answer = NULL;

    for (guint i = 0; i < claims->len; i++) {
        ExplainClaim *claim = g_ptr_array_index(claims, i);

        if (claim->verdict != EXPLAIN_ANSWERS) {
            continue;
        }
        if (!answer) {
            answer = claim;
        } else {
            judge(claim, answer);
        }
    }
    for (guint i = claims->len; i-- > 0;) {
        ExplainClaim *claim = g_ptr_array_index(claims, i);

        if (is_shadow(claim, claim == answer)) {
            g_ptr_array_remove_index(claims, i);
        }
    }
    if (answer) {
        guint place = 0;

        g_ptr_array_find(claims, answer, &place);
        memmove(&claims->pdata[1], &claims->pdata[0], place * sizeof(*claims->pdata));
        claims->pdata[0] = answer;
    }
}

/* How far beyond its border the address lies. */
static uint64_t miss(const Explanation *e, const ExplainClaim *claim)
{
    hwaddr first, last;

    explain_step_span(e, step_at(claim, claim->at), &first, &last);
    return MIN(e->addr - last, first - e->addr);
}

static void take_clipped(Explanation *e, GPtrArray *clipped)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < e->claims->len; i++) {
        const ExplainClaim *claim = g_ptr_array_index(e->claims, i);

        g_hash_table_insert(seen, claim->mr, NULL);
    }
    for (guint i = 0; i < clipped->len; i++) {
        ExplainClaim *claim = g_ptr_array_index(clipped, i);
        const ExplainClaim *best = g_hash_table_lookup(seen, claim->mr);

        if (best ? miss(e, claim) < miss(e, best)
                 : !g_hash_table_contains(seen, claim->mr)) {
            g_hash_table_insert(seen, claim->mr, claim);
        }
    }
    for (guint i = 0; i < clipped->len; i++) {
        ExplainClaim *claim = g_ptr_array_index(clipped, i);

        if (g_hash_table_lookup(seen, claim->mr) == claim) {
            g_ptr_array_add(e->claims, claim);
        } else {
            free_claim(claim);
        }
    }
}

/* -- The whole ------------------------------------------------------------------- */

static ExplainMemory memory_of(const MemoryRegion *mr, hwaddr offset)
{
    ExplainMemory memory = {NULL};

    if (mr && mr->ram_block) {
        memory.block = mr->ram_block;
        memory.offset = offset;
        memory.host = memory.block->host + offset;
    }
    return memory;
}

Explanation *explain(AddressSpace *as, hwaddr addr)
{
    Explanation *e = g_new0(Explanation, 1);
    g_autoptr(GPtrArray) clipped = g_ptr_array_new();
    g_autoptr(GArray) path = g_array_new(false, false, sizeof(ExplainStep));
    Walk walk = {.explanation = e, .path = path, .clipped = clipped};

    e->as = as;
    e->addr = addr;
    e->claims = g_ptr_array_new_with_free_func(free_claim);
    e->notes = g_ptr_array_new_with_free_func(free_note);
    e->met = g_hash_table_new(NULL, NULL);
    if (address_space_lookup(as, addr, &e->range)) {
        hwaddr into = addr - e->range.start;

        e->memory = memory_of(e->range.mr, e->range.offset_in_region + into);
        e->writes = memory_of(e->range.write_mr, e->range.write_offset + into);
    }
    visit(&walk, as->root, addr, (Obstacle){EXPLAIN_ANSWERS, 0});
    judge_all(e);
    take_clipped(e, clipped);
    for (guint i = 0; hooks && i < hooks->len; i++) {
        const Hook *hook = &g_array_index(hooks, Hook, i);

        hook->func(e, hook->opaque);
    }
    return e;
}

void explain_free(Explanation *e)
{
    if (e) {
        g_ptr_array_unref(e->claims);
        g_ptr_array_unref(e->notes);
        g_hash_table_unref(e->met);
        g_free(e);
    }
}

const ExplainClaim *explain_answer(const Explanation *e)
{
    const ExplainClaim *first = e->claims->len ? g_ptr_array_index(e->claims, 0) : NULL;

    return first && first->verdict == EXPLAIN_ANSWERS ? first : NULL;
}

void explain_step_span(const Explanation *e, const ExplainStep *step, hwaddr *first,
                       hwaddr *last)
{
    *first = e->addr - step->offset;
    *last = step->mr->size ? last_from(*first, step->mr) : *first;
}

AddressSpace *explain_find_space(const char *name)
{
    GPtrArray *spaces = address_spaces();

    for (guint i = 0; i < spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(spaces, i);

        if (strcmp(as->name, name) == 0) {
            return as;
        }
    }
    return NULL;
}

/* -- What other rooms know ------------------------------------------------------- */

void explain_add_hook(ExplainHook func, void *opaque)
{
    Hook hook = {func, opaque};

    if (!hooks) {
        hooks = g_array_new(false, false, sizeof(Hook));
    }
    g_array_append_val(hooks, hook);
}

void explain_remove_hook(ExplainHook func, void *opaque)
{
    for (guint i = hooks ? hooks->len : 0; i-- > 0;) {
        const Hook *hook = &g_array_index(hooks, Hook, i);

        if (hook->func == func && hook->opaque == opaque) {
            g_array_remove_index(hooks, i);
        }
    }
}

bool explain_mentions(const Explanation *e, const MemoryRegion *mr)
{
    return g_hash_table_contains(e->met, mr);
}

ExplainNote *explain_note(Explanation *e, const char *kind, const MemoryRegion *mr,
                          const char *format, ...)
{
    ExplainNote *note = g_new0(ExplainNote, 1);
    va_list arguments;

    note->kind = kind;
    note->mr = mr;
    note->values = g_array_new(false, false, sizeof(ExplainValue));
    va_start(arguments, format);
    note->text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(e->notes, note);
    return note;
}

void explain_note_value(ExplainNote *note, const char *name, uint64_t value)
{
    ExplainValue pair = {name, value};

    g_array_append_val(note->values, pair);
}
