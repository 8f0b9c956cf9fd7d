/*
 * A memory listener that keeps its own copy of a view from what it is told, and fails on
 * anything stale, overlapping, missing or told twice.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_MEMORY_MIRROR_H
#define QTESTS_MEMORY_MIRROR_H

#include <string.h>

#include "qtests/memory-view.h"

typedef struct MemoryMirror {
    MemoryListener listener;
    GSequence *ranges; /* FlatRange, by start */
    GString *log;      /* what was told since mirror_start_log(), or NULL */
    GString *trouble;  /* what was wrong, or NULL */
    bool in_commit;
    bool added;        /* deletions come before additions */
    hwaddr last_event; /* and each goes one way through the addresses */
} MemoryMirror;

static inline void mirror_complain(MemoryMirror *mirror, const char *what,
                                   const FlatRange *range)
{
    if (!mirror->trouble) {
        mirror->trouble = g_string_new(what);
        g_string_append(mirror->trouble, ": ");
        append_range_text(mirror->trouble, range);
    }
}

static inline int mirror_compare(const void *a, const void *b, void *unused)
{
    const FlatRange *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

static inline bool mirror_same(const FlatRange *a, const FlatRange *b)
{
    return a->start == b->start && a->last == b->last && a->mr == b->mr &&
           a->offset_in_region == b->offset_in_region && a->readonly == b->readonly &&
           a->write_mr == b->write_mr && a->write_offset == b->write_offset &&
           a->romd_mode == b->romd_mode && a->nonvolatile == b->nonvolatile;
}

static inline void mirror_log(MemoryMirror *mirror, char sign, const FlatRange *range)
{
    if (mirror->log) {
        g_string_append_c(mirror->log, sign);
        append_range_text(mirror->log, range);
    }
}

static inline GSequenceIter *mirror_find(MemoryMirror *mirror, const FlatRange *range)
{
    return g_sequence_lookup(mirror->ranges, (void *)range, mirror_compare, NULL);
}

static inline void mirror_begin(MemoryListener *listener)
{
    MemoryMirror *mirror = (MemoryMirror *)listener;

    if (mirror->in_commit) {
        mirror_complain(mirror, "begin inside begin", &(FlatRange){.mr = NULL});
    }
    mirror->in_commit = true;
    mirror->added = false;
    mirror->last_event = UINT64_MAX;
}

static inline void mirror_commit(MemoryListener *listener)
{
    ((MemoryMirror *)listener)->in_commit = false;
}

static inline void mirror_del(MemoryListener *listener, const MemoryRegionSection *section)
{
    MemoryMirror *mirror = (MemoryMirror *)listener;
    const FlatRange *range = &section->range;
    GSequenceIter *at = mirror_find(mirror, range);

    mirror_log(mirror, '-', range);
    if (!mirror->in_commit || mirror->added || range->start > mirror->last_event) {
        mirror_complain(mirror, "deletion out of order", range);
    }
    if (!at || !mirror_same(g_sequence_get(at), range)) {
        mirror_complain(mirror, "deletion of what was not added", range);
    } else {
        g_sequence_remove(at);
    }
    mirror->last_event = range->start;
}

static inline void mirror_step(MemoryMirror *mirror, const FlatRange *range)
{
    if (!mirror->added) {
        mirror->added = true;
        mirror->last_event = 0;
    }
    if (!mirror->in_commit || range->start < mirror->last_event) {
        mirror_complain(mirror, "addition out of order", range);
    }
    mirror->last_event = range->start;
}

static inline void mirror_add(MemoryListener *listener, const MemoryRegionSection *section)
{
    MemoryMirror *mirror = (MemoryMirror *)listener;
    const FlatRange *range = &section->range;
    GSequenceIter *next =
        g_sequence_search(mirror->ranges, (void *)range, mirror_compare, NULL);

    mirror_log(mirror, '+', range);
    mirror_step(mirror, range);
    if (!g_sequence_iter_is_end(next) &&
        ((FlatRange *)g_sequence_get(next))->start <= range->last) {
        mirror_complain(mirror, "addition over what is there", range);
    }
    if (!g_sequence_iter_is_begin(next)) {
        const FlatRange *before = g_sequence_get(g_sequence_iter_prev(next));

        if (before->last >= range->start) {
            mirror_complain(mirror, "addition over what is there", range);
        }
    }
    g_sequence_insert_before(next, g_memdup2(range, sizeof(*range)));
}

static inline void mirror_nop(MemoryListener *listener, const MemoryRegionSection *section)
{
    MemoryMirror *mirror = (MemoryMirror *)listener;
    GSequenceIter *at = mirror_find(mirror, &section->range);

    mirror_log(mirror, '=', &section->range);
    mirror_step(mirror, &section->range);
    if (!at || !mirror_same(g_sequence_get(at), &section->range)) {
        mirror_complain(mirror, "nop of what is not there", &section->range);
    }
}

static inline void mirror_init(MemoryMirror *mirror, AddressSpace *as)
{
    *mirror = (MemoryMirror){
        .listener = {.begin = mirror_begin, .commit = mirror_commit,
                     .region_add = mirror_add, .region_del = mirror_del,
                     .region_nop = mirror_nop, .name = "mirror"},
        .ranges = g_sequence_new(g_free),
    };
    memory_listener_register(&mirror->listener, as);
}

static inline void mirror_text_of(void *range, void *text)
{
    append_range_text(text, range);
}

/* NULL, or what is wrong; g_free() it. */
static inline char *mirror_check(MemoryMirror *mirror)
{
    g_autofree char *view = view_text(mirror->listener.address_space);
    GString *mine = g_string_new(NULL);
    char *wrong = NULL;

    g_sequence_foreach(mirror->ranges, mirror_text_of, mine);
    if (mirror->trouble) {
        wrong = g_strdup(mirror->trouble->str);
    } else if (strcmp(mine->str, view)) {
        wrong = g_strdup_printf("the listener has\n%sand the view has\n%s", mine->str, view);
    }
    g_string_free(mine, true);
    return wrong;
}

static inline void mirror_destroy(MemoryMirror *mirror)
{
    memory_listener_unregister(&mirror->listener);
    g_sequence_free(mirror->ranges);
    if (mirror->log) {
        g_string_free(mirror->log, true);
    }
    if (mirror->trouble) {
        g_string_free(mirror->trouble, true);
    }
}

static inline void mirror_start_log(MemoryMirror *mirror)
{
    if (!mirror->log) {
        mirror->log = g_string_new(NULL);
    }
    g_string_set_size(mirror->log, 0);
}

#define ck_assert_mirror(mirror)                                                         \
    do {                                                                                 \
        char *wrong_ = mirror_check(mirror);                                             \
        ck_assert_msg(!wrong_, "%s", wrong_);                                            \
    } while (0)

#define ck_assert_told(mirror, expected)                                                 \
    do {                                                                                 \
        ck_assert_mirror(mirror);                                                        \
        ck_assert_str_eq((mirror)->log->str, expected);                                  \
        mirror_start_log(mirror);                                                        \
    } while (0)

#endif
