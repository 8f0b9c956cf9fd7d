/*
 * `umbra diff`: two machine types, or two saved snapshots, range by range.
 *
 * A process has one machine, so a type's snapshot is taken by another `umbra`.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/diff.h"

#include <gio/gio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/cli/umbra.h"

enum { STATUS_EQUAL, STATUS_DIFFERENT, STATUS_ERROR };

static char *memory;
static char **spaces;
static gboolean all_spaces, as_json;
static char **sides;

static const GOptionEntry entries[] = {
    {"memory", 'm', 0, G_OPTION_ARG_STRING, &memory, "how much RAM both types have",
     "SIZE"},
    {"space", 's', 0, G_OPTION_ARG_STRING_ARRAY, &spaces,
     "an address space; without: memory and I/O", "NAME"},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all_spaces, "all address spaces", NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "an object with the changes", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &sides, NULL, NULL},
    {NULL},
};

static const char description[] =
    "A and B are machine types (with properties as for -M), or files that\n"
    "'umbra mtree --json' has written. The exit status is 0 when the maps are equal,\n"
    "1 when they differ and 2 when they could not be compared.\n\n"
    "  umbra diff pc isapc\n"
    "  umbra mtree --json > before.json; ...; umbra diff before.json pc\n";

/* -- Snapshots ------------------------------------------------------------------- */

static char *run_mtree(const char *machine, GError **error)
{
    const char *argv[] = {"/proc/self/exe",     "mtree", "--json", "--machine", machine,
                          memory ? "-m" : NULL, memory,  NULL};
    g_autoptr(GSubprocess) child = g_subprocess_newv(
        argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, error);
    g_autofree char *complaint = NULL;
    char *text = NULL;

    if (!child ||
        !g_subprocess_communicate_utf8(child, NULL, NULL, &text, &complaint, error)) {
        return NULL;
    }
    if (!g_subprocess_get_successful(child)) {
        const char *reason = strstr(complaint, ": ");

        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
                    reason ? g_strchomp((char *)reason + 2) : "its snapshot failed");
        g_clear_pointer(&text, g_free);
    }
    return text;
}

static JsonNode *load(const char *side, GError **error)
{
    bool is_file = g_str_has_suffix(side, ".json") || strchr(side, '/');
    g_autofree char *text = NULL;
    JsonNode *node = NULL;

    if (is_file) {
        if (!g_file_get_contents(side, &text, NULL, error)) {
            return NULL;
        }
    } else {
        text = run_mtree(side, error);
    }
    if (text) {
        node = json_from_string(text, error);
        if (!node && !*error) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "it is empty");
        }
    }
    if (!node) {
        g_prefix_error(error, "%s: ", side);
    }
    return node;
}

/* -- Text ------------------------------------------------------------------------ */

typedef struct Style {
    const char *sign, *colour;
} Style;

static const Style styles[DIFF_CHANGES] = {
    [DIFF_NEW] = {"+", "\033[32m"},    [DIFF_GONE] = {"-", "\033[31m"},
    [DIFF_KIND] = {"~", "\033[33m"},   [DIFF_PART] = {"~", "\033[33m"},
    [DIFF_REGION] = {"~", "\033[33m"}, [DIFF_MOVED] = {">", "\033[36m"},
};

static char *range_text(const DiffRange *range)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%s %s", range->kind, range->region);
    if (range->offset) {
        g_string_append_printf(text, " +0x%" PRIx64, range->offset);
    }
    if (range->writes) {
        g_string_append_printf(text, " (writes to %s)", range->writes);
    }
    return g_string_free(text, false);
}

static void print_piece(const DiffPiece *piece, bool colour)
{
    g_autofree char *a = piece->a.region ? range_text(&piece->a) : NULL;
    g_autofree char *b = piece->b.region ? range_text(&piece->b) : NULL;

    printf("%s  %s 0x%08" PRIx64 "-0x%08" PRIx64 "  ",
           colour ? styles[piece->change].colour : "", styles[piece->change].sign,
           piece->start, piece->last);
    switch (piece->change) {
    case DIFF_NEW:
        printf("%s", b);
        break;
    case DIFF_GONE:
        printf("%s", a);
        break;
    case DIFF_MOVED:
        printf("%s, from 0x%08" PRIx64 "-0x%08" PRIx64, b, piece->a.start, piece->a.last);
        break;
    default:
        printf("%s -> %s", a, b);
    }
    printf("%s\n", colour ? "\033[0m" : "");
}

static void print_space(const DiffSpace *space, bool colour)
{
    const unsigned *counts = space->counts;
    unsigned changed = counts[DIFF_KIND] + counts[DIFF_PART] + counts[DIFF_REGION];

    printf("address space \"%s\": %u the same, %u new, %u gone, %u changed, %u moved\n",
           space->name, counts[DIFF_SAME], counts[DIFF_NEW], counts[DIFF_GONE], changed,
           counts[DIFF_MOVED]);
    for (guint i = 0; i < space->pieces->len; i++) {
        print_piece(&g_array_index(space->pieces, DiffPiece, i), colour);
    }
}

/* -- JSON ------------------------------------------------------------------------ */

static void set_hex(JsonObject *object, const char *name, uint64_t value)
{
    g_autofree char *text = g_strdup_printf("0x%" PRIx64, value);

    json_object_set_string_member(object, name, text);
}

static void set_range(JsonObject *object, const char *name, const DiffRange *range)
{
    JsonObject *side;

    if (!range->region) {
        return;
    }
    side = json_object_new();
    set_hex(side, "start", range->start);
    set_hex(side, "last", range->last);
    json_object_set_string_member(side, "region", range->region);
    json_object_set_string_member(side, "kind", range->kind);
    set_hex(side, "offset", range->offset);
    if (range->writes) {
        json_object_set_string_member(side, "writes", range->writes);
    }
    json_object_set_object_member(object, name, side);
}

static JsonObject *space_to_json(const DiffSpace *space)
{
    JsonObject *object = json_object_new();
    JsonArray *changes = json_array_new();

    for (guint i = 0; i < space->pieces->len; i++) {
        const DiffPiece *piece = &g_array_index(space->pieces, DiffPiece, i);
        JsonObject *change = json_object_new();

        json_object_set_string_member(change, "change", diff_change_name(piece->change));
        set_hex(change, "start", piece->start);
        set_hex(change, "last", piece->last);
        set_range(change, "a", &piece->a);
        set_range(change, "b", &piece->b);
        json_array_add_object_element(changes, change);
    }
    json_object_set_string_member(object, "space", space->name);
    json_object_set_int_member(object, "same", space->counts[DIFF_SAME]);
    json_object_set_array_member(object, "changes", changes);
    return object;
}

static void print_json(JsonArray *results, bool equal)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    g_autofree char *text = NULL;

    json_object_set_string_member(object, "a", sides[0]);
    json_object_set_string_member(object, "b", sides[1]);
    json_object_set_boolean_member(object, "equal", equal);
    json_object_set_array_member(object, "spaces", json_array_ref(results));
    json_node_take_object(node, object);
    text = json_to_string(node, true);
    puts(text);
}

/* -- The whole ------------------------------------------------------------------- */

static bool add_names(GPtrArray *names, JsonNode *snapshot, GError **error)
{
    g_autoptr(GPtrArray) more = diff_space_names(snapshot, error);

    for (guint i = 0; more && i < more->len; i++) {
        if (!g_ptr_array_find_with_equal_func(names, more->pdata[i], g_str_equal, NULL)) {
            g_ptr_array_add(names, g_strdup(more->pdata[i]));
        }
    }
    return more != NULL;
}

static GPtrArray *choose_spaces(JsonNode *a, JsonNode *b, GError **error)
{
    static const char *const usual[] = {"memory", "I/O", NULL};
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    if (all_spaces) {
        if (!add_names(names, a, error) || !add_names(names, b, error)) {
            g_clear_pointer(&names, g_ptr_array_unref);
        }
        return names;
    }
    for (const char *const *name = spaces ? (const char *const *)spaces : usual; *name;
         name++) {
        g_ptr_array_add(names, g_strdup(*name));
    }
    return names;
}

static int compare(JsonNode *a, JsonNode *b, GError **error)
{
    g_autoptr(GPtrArray) names = choose_spaces(a, b, error);
    g_autoptr(JsonArray) results = json_array_new();
    bool equal = true;

    for (guint i = 0; names && i < names->len; i++) {
        DiffSpace *space = diff_space(a, b, names->pdata[i], error);

        if (!space) {
            return STATUS_ERROR;
        }
        equal = equal && space->pieces->len == 0;
        if (as_json) {
            json_array_add_object_element(results, space_to_json(space));
        } else {
            print_space(space, umbra_use_colour(stdout));
        }
        diff_space_free(space);
    }
    if (names && as_json) {
        print_json(results, equal);
    }
    return !names ? STATUS_ERROR : equal ? STATUS_EQUAL : STATUS_DIFFERENT;
}

int umbra_diff(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) a = NULL;
    g_autoptr(JsonNode) b = NULL;
    int status = STATUS_ERROR;

    if (!umbra_parse("diff", "A B", description, entries, &argc, &argv)) {
        return STATUS_ERROR;
    }
    if (!sides || g_strv_length(sides) != 2) {
        fprintf(stderr, "umbra diff: name two machine types or snapshots, such as "
                        "'umbra diff pc isapc'\n");
        return STATUS_ERROR;
    }
    a = load(sides[0], &error);
    b = a ? load(sides[1], &error) : NULL;
    if (b) {
        status = compare(a, b, &error);
    }
    if (error) {
        umbra_fail("diff", error);
    }
    return status;
}
