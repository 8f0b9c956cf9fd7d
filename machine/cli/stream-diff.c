/*
 * How two streams differ: sections by name and instance, fields by name, memory by page.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/cli/stream.h"
#include "machine/cli/umbra.h"
#include "machine/migration/stream.h"
#include "memory/types.h"

#define PAGE MEMORY_PAGE_SIZE

/* One difference; what is NULL is missing on that side. */
typedef struct Report {
    JsonText *json; /* NULL: text */
    uint64_t count;
} Report;

static void report(Report *to, const char *section, const char *what, const char *a,
                   const char *b)
{
    to->count++;
    if (!to->json) {
        printf("%s%s%s: %s -> %s\n", section, what ? "  " : "", what ? what : "",
               a ? a : "(none)", b ? b : "(none)");
        return;
    }
    json_text_begin_object(to->json, NULL);
    json_text_add_string(to->json, "section", section);
    if (what) {
        json_text_add_string(to->json, "field", what);
    }
    if (a) {
        json_text_add_string(to->json, "a", a);
    }
    if (b) {
        json_text_add_string(to->json, "b", b);
    }
    json_text_end_object(to->json);
}

/* -- Devices --------------------------------------------------------------------- */

static char *key_of(const StreamSection *section)
{
    return section->instance
               ? g_strdup_printf("%s/%" PRIu32, section->name, section->instance)
               : g_strdup(section->name);
}

/* key: StreamSection *, of devices. */
static GHashTable *index_sections(const StreamInspection *inspection)
{
    GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < inspection->sections->len; i++) {
        StreamSection *section = g_ptr_array_index(inspection->sections, i);

        if (section->type == STREAM_SECTION_FULL) {
            g_hash_table_insert(index, key_of(section), section);
        }
    }
    return index;
}

static GHashTable *index_fields(const StreamSection *section)
{
    GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < section->fields->len; i++) {
        StreamField *field = &g_array_index(section->fields, StreamField, i);

        g_hash_table_insert(index, field->name, field);
    }
    return index;
}

static bool values_are_equal(const StreamInspection *a, const StreamField *in_a,
                             const StreamInspection *b, const StreamField *in_b)
{
    return in_a->size == in_b->size && in_a->count == in_b->count &&
           strcmp(in_a->type, in_b->type) == 0 &&
           memcmp(a->data + in_a->offset, b->data + in_b->offset,
                  in_a->size * in_a->count) == 0;
}

/* Byte by byte where what is shown of long buffers would look the same. */
static void report_bytes(Report *to, const char *key, const StreamInspection *a,
                         const StreamField *in_a, const StreamInspection *b,
                         const StreamField *in_b)
{
    const uint8_t *x = a->data + in_a->offset, *y = b->data + in_b->offset;

    for (uint64_t i = 0; i < in_a->size; i++) {
        if (x[i] != y[i]) {
            g_autofree char *what = g_strdup_printf("%s+0x%" PRIx64, in_a->name, i);
            g_autofree char *old = g_strdup_printf("0x%02x", x[i]);
            g_autofree char *new = g_strdup_printf("0x%02x", y[i]);

            report(to, key, what, old, new);
        }
    }
}

static void diff_field(Report *to, const char *key, const StreamInspection *a,
                       const StreamField *in_a, const StreamInspection *b,
                       const StreamField *in_b)
{
    g_autofree char *old = NULL, *new = NULL;

    if (values_are_equal(a, in_a, b, in_b)) {
        return;
    }
    if (in_a->size > 8 && in_a->size == in_b->size && in_a->count == 1 &&
        in_b->count == 1) {
        report_bytes(to, key, a, in_a, b, in_b);
        return;
    }
    old = stream_value_text(a, in_a);
    new = stream_value_text(b, in_b);
    report(to, key, in_a->name, old, new);
}

static void diff_fields(Report *to, const char *key, const StreamInspection *a,
                        const StreamSection *in_a, const StreamInspection *b,
                        const StreamSection *in_b)
{
    g_autoptr(GHashTable) fields_a = index_fields(in_a), fields_b = index_fields(in_b);

    for (guint i = 0; i < in_a->fields->len; i++) {
        StreamField *field = &g_array_index(in_a->fields, StreamField, i);
        StreamField *other = g_hash_table_lookup(fields_b, field->name);

        if (other) {
            diff_field(to, key, a, field, b, other);
        } else {
            g_autofree char *text = stream_value_text(a, field);

            report(to, key, field->name, text, NULL);
        }
    }
    for (guint i = 0; i < in_b->fields->len; i++) {
        StreamField *field = &g_array_index(in_b->fields, StreamField, i);

        if (!g_hash_table_contains(fields_a, field->name)) {
            g_autofree char *text = stream_value_text(b, field);

            report(to, key, field->name, NULL, text);
        }
    }
}

static void diff_section(Report *to, const char *key, const StreamInspection *a,
                         const StreamSection *in_a, const StreamInspection *b,
                         const StreamSection *in_b)
{
    if (in_a->version != in_b->version) {
        g_autofree char *old = g_strdup_printf("version %" PRIu32, in_a->version);
        g_autofree char *new = g_strdup_printf("version %" PRIu32, in_b->version);

        report(to, key, NULL, old, new);
    }
    if (in_a->fields && in_b->fields) {
        diff_fields(to, key, a, in_a, b, in_b);
    } else if (in_a->contents_bytes != in_b->contents_bytes ||
               memcmp(a->data + in_a->contents, b->data + in_b->contents,
                      in_a->contents_bytes) != 0) {
        g_autofree char *old = g_strdup_printf("%" PRIu64 " bytes", in_a->contents_bytes);
        g_autofree char *new =
            g_strdup_printf("%" PRIu64 " other bytes", in_b->contents_bytes);

        report(to, key, NULL, old, new);
    }
}

static void diff_devices(Report *to, const StreamInspection *a, const StreamInspection *b)
{
    g_autoptr(GHashTable) in_a = index_sections(a), in_b = index_sections(b);

    for (guint i = 0; i < a->sections->len; i++) {
        const StreamSection *section = g_ptr_array_index(a->sections, i), *other;
        g_autofree char *key = key_of(section);

        if (section->type != STREAM_SECTION_FULL) {
            continue;
        }
        other = g_hash_table_lookup(in_b, key);
        if (other) {
            diff_section(to, key, a, section, b, other);
        } else {
            report(to, key, NULL, "present", NULL);
        }
    }
    for (guint i = 0; i < b->sections->len; i++) {
        const StreamSection *section = g_ptr_array_index(b->sections, i);
        g_autofree char *key = key_of(section);

        if (section->type == STREAM_SECTION_FULL && !g_hash_table_contains(in_a, key)) {
            report(to, key, NULL, NULL, "present");
        }
    }
}

/* -- Memory ---------------------------------------------------------------------- */

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return (x > y) - (x < y);
}

/* Numbers of the pages that differ, ascending. One that was not sent is zeroes. */
static GArray *differing_pages(const StreamInspection *a, const StreamBlock *in_a,
                               const StreamInspection *b, const StreamBlock *in_b)
{
    GArray *numbers = g_array_new(false, false, sizeof(size_t));
    const StreamBlock *const blocks[] = {in_a, in_b};
    uint8_t page_a[PAGE], page_b[PAGE];

    for (size_t side = 0; side < 2; side++) {
        GHashTableIter iter;
        gpointer key;

        g_hash_table_iter_init(&iter, blocks[side]->pages);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            size_t number = GPOINTER_TO_SIZE(key);

            if (side == 1 && g_hash_table_contains(in_a->pages, key)) {
                continue; /* has been compared */
            }
            stream_block_page(a, in_a, number, page_a);
            stream_block_page(b, in_b, number, page_b);
            if (memcmp(page_a, page_b, PAGE) != 0) {
                g_array_append_val(numbers, number);
            }
        }
    }
    g_array_sort(numbers, compare_numbers);
    return numbers;
}

/* "0x1000-0x2fff, 0x9000-0x9fff, ...". */
static char *ranges_text(const GArray *numbers)
{
    enum { RANGES = 6 };
    GString *text = g_string_new(NULL);
    guint ranges = 0;

    for (guint i = 0; i < numbers->len;) {
        size_t first = g_array_index(numbers, size_t, i), last = first;

        while (++i < numbers->len && g_array_index(numbers, size_t, i) == last + 1) {
            last++;
        }
        if (ranges++ == RANGES) {
            g_string_append(text, ", ...");
            break;
        }
        g_string_append_printf(text, "%s0x%" PRIx64 "-0x%" PRIx64, ranges > 1 ? ", " : "",
                               (uint64_t)first * PAGE, ((uint64_t)last + 1) * PAGE - 1);
    }
    return g_string_free(text, false);
}

static void diff_block(Report *to, const StreamInspection *a, const StreamBlock *in_a,
                       const StreamInspection *b, const StreamBlock *in_b)
{
    g_autoptr(GArray) numbers = differing_pages(a, in_a, b, in_b);
    g_autofree char *ranges = NULL;

    if (in_a->size != in_b->size) {
        g_autofree char *old = g_strdup_printf("%" PRIu64 " bytes", in_a->size);
        g_autofree char *new = g_strdup_printf("%" PRIu64 " bytes", in_b->size);

        report(to, "ram", in_a->name, old, new);
    }
    if (numbers->len == 0) {
        return;
    }
    to->count++;
    ranges = ranges_text(numbers);
    if (!to->json) {
        printf("ram  %s: %u page%s differ%s: %s\n", in_a->name, numbers->len,
               umbra_plural(numbers->len), numbers->len == 1 ? "s" : "", ranges);
        return;
    }
    json_text_begin_object(to->json, NULL);
    json_text_add_string(to->json, "section", "ram");
    json_text_add_string(to->json, "block", in_a->name);
    json_text_add_uint(to->json, "pages-differing", numbers->len);
    json_text_add_string(to->json, "ranges", ranges);
    json_text_end_object(to->json);
}

static void diff_memory(Report *to, const StreamInspection *a, const StreamInspection *b)
{
    for (guint i = 0; i < a->blocks->len; i++) {
        const StreamBlock *block = g_ptr_array_index(a->blocks, i);
        const StreamBlock *other = stream_inspection_block(b, block->name);

        if (other) {
            diff_block(to, a, block, b, other);
        } else {
            report(to, "ram", block->name, "present", NULL);
        }
    }
    for (guint i = 0; i < b->blocks->len; i++) {
        const StreamBlock *block = g_ptr_array_index(b->blocks, i);

        if (!stream_inspection_block(a, block->name)) {
            report(to, "ram", block->name, NULL, "present");
        }
    }
}

bool stream_diff(const StreamInspection *a, const StreamInspection *b, bool as_json)
{
    g_autoptr(GString) text = as_json ? g_string_new(NULL) : NULL;
    Report to = {text, 0};

    if (text) {
        json_text_begin_array(text, NULL);
    }
    if (g_strcmp0(a->machine_type, b->machine_type) != 0) {
        report(&to, "configuration", "machine", a->machine_type, b->machine_type);
    }
    diff_memory(&to, a, b);
    diff_devices(&to, a, b);
    if (text) {
        json_text_end_array(text);
        puts(text->str);
    }
    return to.count != 0;
}
