/*
 * An explanation in words.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/explain.h"

#include <string.h>

#include "memory/internal.h"
#include "memory/walk.h"

static const ExplainStep *step_at(const ExplainClaim *claim, guint at)
{
    return &g_array_index(claim->path, ExplainStep, at);
}

const char *explain_verdict_name(ExplainVerdict verdict)
{
    static const char *const names[] = {
        [EXPLAIN_ANSWERS] = "answers",
        [EXPLAIN_DISABLED] = "disabled",
        [EXPLAIN_LOWER_PRIORITY] = "lower-priority",
        [EXPLAIN_ADDED_EARLIER] = "added-earlier",
        [EXPLAIN_HIDDEN] = "hidden",
        [EXPLAIN_CLIPPED] = "clipped",
    };

    return names[verdict];
}

static char *clipped_reason(const Explanation *e, const ExplainClaim *claim)
{
    const ExplainStep *step = step_at(claim, claim->at);
    const char *name = region_label(step->mr);
    hwaddr first, last;

    explain_step_span(e, step, &first, &last);
    if (e->addr - first <= UINT64_MAX / 2 && claim->mr != step->mr &&
        claim->at == claim->path->len - 1) {
        return g_strdup_printf("it shows %s, which has only 0x%" PRIx64 " bytes", name,
                               memory_region_size(step->mr));
    }
    return e->addr > last && first <= last
               ? g_strdup_printf("%s ends at 0x%08" PRIx64, name, last)
               : g_strdup_printf("%s only begins at 0x%08" PRIx64, name, first);
}

char *explain_reason(const Explanation *e, const ExplainClaim *claim)
{
    const MemoryRegion *mr = step_at(claim, claim->at)->mr;
    const char *name = region_label(mr);

    switch (claim->verdict) {
    case EXPLAIN_ANSWERS:
        return NULL;
    case EXPLAIN_DISABLED:
        return g_strdup_printf("%s is disabled", name);
    case EXPLAIN_LOWER_PRIORITY:
        return g_strdup_printf("%s (priority %d) lies under %s (priority %d)", name,
                               mr->priority, region_label(claim->other),
                               claim->other->priority);
    case EXPLAIN_ADDED_EARLIER:
        return g_strdup_printf("%s was added before %s, at the same priority %d", name,
                               region_label(claim->other), mr->priority);
    case EXPLAIN_HIDDEN:
        return g_strdup_printf("%s lies in it and shows above it",
                               region_label(claim->other));
    case EXPLAIN_CLIPPED:
        return clipped_reason(e, claim);
    }
    g_assert_not_reached();
}

char *explain_path_text(const ExplainClaim *claim)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < claim->path->len; i++) {
        g_string_append_printf(text, "%s%s", i ? " > " : "",
                               region_label(step_at(claim, i)->mr));
    }
    return g_string_free(text, false);
}

static void print_line(GString *out, const char *head, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static void print_line(GString *out, const char *head, const char *format, ...)
{
    va_list arguments;

    g_string_append_printf(out, "  %-13s ", head);
    va_start(arguments, format);
    g_string_append_vprintf(out, format, arguments);
    va_end(arguments);
    g_string_append_c(out, '\n');
}

static void print_memory(GString *out, const char *head, const ExplainMemory *memory)
{
    if (!memory->block) {
        return;
    }
    print_line(out, head, "%s + 0x%" PRIx64 ", host address %p (page %p)",
               memory->block->name, memory->offset, (void *)memory->host,
               (void *)((uintptr_t)memory->host & -MEMORY_PAGE_SIZE));
}

static void print_answer(GString *out, const Explanation *e)
{
    const FlatRange *range = &e->range;
    hwaddr into = e->addr - range->start;

    if (!range->mr) {
        print_line(out, "answered by", "nobody");
        print_line(out, "hole", "0x%08" PRIx64 "-0x%08" PRIx64, range->start,
                   range->last);
        return;
    }
    print_line(out, range->write_mr ? "read from" : "answered by",
               "%s, its byte 0x%" PRIx64 " (%s%s)", region_label(range->mr),
               range->offset_in_region + into, range->nonvolatile ? "nonvolatile " : "",
               flat_range_kind_name(range));
    if (range->write_mr) {
        print_line(out, "writes go to", "%s, its byte 0x%" PRIx64,
                   region_label(range->write_mr), range->write_offset + into);
    }
    print_line(out, "range", "0x%08" PRIx64 "-0x%08" PRIx64, range->start, range->last);
    print_memory(out, range->write_mr ? "reads are in" : "memory", &e->memory);
    print_memory(out, "writes are in", &e->writes);
}

static char *span_text(const Explanation *e, const ExplainStep *step)
{
    hwaddr first, last;

    explain_step_span(e, step, &first, &last);
    return first <= last ? g_strdup_printf("0x%08" PRIx64 "-0x%08" PRIx64, first, last)
                         : g_strdup_printf("-0x%07" PRIx64 "-0x%08" PRIx64, -first, last);
}

static void print_kind(GString *out, const MemoryRegion *mr)
{
    g_string_append(out, memory_region_kind_name(mr));
    if (mr->alias) {
        g_string_append_printf(out, " of %s from 0x%" PRIx64, region_label(mr->alias),
                               mr->alias_offset);
    }
    if (mr->split_write) {
        g_string_append_printf(out, ", writes to %s from 0x%" PRIx64,
                               region_label(mr->split_write), mr->split_write_offset);
    }
    if (mr->readonly && mr->kind != MEMORY_REGION_RAM) {
        g_string_append(out, ", read-only");
    }
    if (mr->container) {
        g_string_append_printf(out, ", priority %d", mr->priority);
    }
}

/* A step a line, in columns: the region, where it lies, which byte of it the
 * address is. */
static void print_path(GString *out, const Explanation *e, const GArray *path)
{
    size_t width = 0, span_width = 0;

    for (guint i = 0; i < path->len; i++) {
        const ExplainStep *step = &g_array_index(path, ExplainStep, i);
        g_autofree char *span = span_text(e, step);

        width = MAX(width, 2 * i + strlen(region_label(step->mr)));
        span_width = MAX(span_width, strlen(span));
    }
    for (guint i = 0; i < path->len; i++) {
        const ExplainStep *step = &g_array_index(path, ExplainStep, i);
        g_autofree char *span = span_text(e, step);

        g_string_append_printf(out, "  %*s%-*s  %-*s  byte 0x%-9" PRIx64 " ", 2 * (int)i,
                               "", (int)width - 2 * (int)i, region_label(step->mr),
                               (int)span_width, span, step->offset);
        print_kind(out, step->mr);
        g_string_append_c(out, '\n');
    }
}

static void print_claim(GString *out, const Explanation *e, const ExplainClaim *claim)
{
    g_autofree char *path = explain_path_text(claim);
    g_autofree char *reason = explain_reason(e, claim);

    g_string_append_printf(out, "  %s\n    %s: %s\n", path,
                           explain_verdict_name(claim->verdict), reason);
}

void explain_print(GString *out, const Explanation *e)
{
    const ExplainClaim *answer = explain_answer(e);
    guint others = answer ? 1 : 0;

    g_string_append_printf(out, "0x%08" PRIx64 " in address space \"%s\"\n", e->addr,
                           e->as->name);
    print_answer(out, e);
    for (guint i = 0; i < e->notes->len; i++) {
        const ExplainNote *note = g_ptr_array_index(e->notes, i);

        print_line(out, note->kind, "%s", note->text);
    }
    if (answer) {
        g_string_append(
            out, "\nby this way (and where in the address space each region lies)\n");
        print_path(out, e, answer->path);
    }
    if (e->claims->len > others) {
        g_string_append(out, "\nalso claimed, in vain, by\n");
    }
    for (guint i = others; i < e->claims->len; i++) {
        print_claim(out, e, g_ptr_array_index(e->claims, i));
    }
    if (e->truncated) {
        g_string_append(out, "  ... and more than are worth showing\n");
    }
}
