/*
 * The comparison: first the ranges that are whole in both maps but elsewhere are paired
 * as moved; what is left is swept from low to high addresses, and each stretch that has
 * one range in A and one in B is judged.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/diff.h"

#include <gio/gio.h>
#include <string.h>

#include "machine/memory-json.h"

const char *diff_change_name(DiffChange change)
{
    static const char *const names[DIFF_CHANGES] = {
        [DIFF_SAME] = "same",   [DIFF_NEW] = "new",   [DIFF_GONE] = "gone",
        [DIFF_KIND] = "kind",   [DIFF_PART] = "part", [DIFF_REGION] = "region",
        [DIFF_MOVED] = "moved",
    };

    return names[change];
}

/* -- Reading snapshots ----------------------------------------------------------- */

static bool malformed(GError **error, const char *what)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "not a snapshot that 'umbra mtree --json' has written: %s", what);
    return false;
}

static JsonArray *get_array(JsonObject *object, const char *name, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);

    if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
        malformed(error, name);
        return NULL;
    }
    return json_node_get_array(node);
}

static JsonObject *element(JsonArray *array, guint i)
{
    JsonNode *node = json_array_get_element(array, i);

    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static const char *get_text(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static bool get_hex(JsonObject *object, const char *name, uint64_t *value)
{
    const char *text = get_text(object, name);

    return text && g_str_has_prefix(text, "0x") &&
           g_ascii_string_to_unsigned(text + 2, 16, 0, UINT64_MAX, value, NULL);
}

static JsonObject *snapshot_object(JsonNode *snapshot, GError **error)
{
    JsonObject *object;

    if (!snapshot || !JSON_NODE_HOLDS_OBJECT(snapshot)) {
        malformed(error, "no object");
        return NULL;
    }
    object = json_node_get_object(snapshot);
    if (json_object_get_int_member_with_default(object, "umbra-mtree", 0) !=
        MEMORY_JSON_VERSION) {
        malformed(error, "its member umbra-mtree is not 1");
        return NULL;
    }
    return object;
}

static char *writes_text(JsonObject *range)
{
    JsonNode *node = json_object_get_member(range, "writes");
    JsonObject *writes =
        node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *region = get_text(writes, "region"), *offset = get_text(writes, "offset");

    return region && offset ? g_strconcat(region, " +", offset, NULL) : NULL;
}

static void clear_range(void *data)
{
    DiffRange *range = data;

    g_free(range->region);
    g_free(range->kind);
    g_free(range->writes);
}

/* What only the root itself answers, as an I/O space's floating bus does, counts as a
 * hole: whatever is put there is new. */
static bool read_range(JsonObject *object, const char *root, GArray *out, GError **error)
{
    DiffRange range = {0};
    uint64_t end = out->len ? g_array_index(out, DiffRange, out->len - 1).last : 0;

    if (!get_hex(object, "start", &range.start) ||
        !get_hex(object, "last", &range.last) ||
        !get_hex(object, "offset", &range.offset) || !get_text(object, "region") ||
        !get_text(object, "kind") || range.last < range.start ||
        (out->len && range.start <= end)) {
        return malformed(error, "a range of a view");
    }
    if (g_strcmp0(get_text(object, "region"), root) != 0) {
        range.region = g_strdup(get_text(object, "region"));
        range.kind = g_strdup(get_text(object, "kind"));
        range.writes = writes_text(object);
        g_array_append_val(out, range);
    }
    return true;
}

static JsonObject *find_space(JsonArray *spaces, const char *name)
{
    for (guint i = 0; i < json_array_get_length(spaces); i++) {
        JsonObject *space = element(spaces, i);

        if (g_strcmp0(get_text(space, "name"), name) == 0) {
            return space;
        }
    }
    return NULL;
}

/* The ranges of the space; none when the snapshot has no such space (*found false). */
static bool read_ranges(JsonNode *snapshot, const char *name, GArray *out, bool *found,
                        GError **error)
{
    JsonObject *object = snapshot_object(snapshot, error);
    JsonArray *spaces = object ? get_array(object, "spaces", error) : NULL;
    JsonArray *views = spaces ? get_array(object, "views", error) : NULL;
    JsonObject *space = views ? find_space(spaces, name) : NULL;
    JsonArray *ranges;
    gint64 view;

    if (!views) {
        return false;
    }
    *found = space != NULL;
    if (!space) {
        return true;
    }
    view = json_object_get_int_member_with_default(space, "view", -1);
    if (view < 0 || view >= json_array_get_length(views) ||
        !element(views, (guint)view)) {
        return malformed(error, "a space without a view");
    }
    ranges = get_array(element(views, (guint)view), "ranges", error);
    for (guint i = 0; ranges && i < json_array_get_length(ranges); i++) {
        if (!element(ranges, i) ||
            !read_range(element(ranges, i), get_text(space, "root"), out, error)) {
            return *error ? false : malformed(error, "a range of a view");
        }
    }
    return ranges != NULL;
}

GPtrArray *diff_space_names(JsonNode *snapshot, GError **error)
{
    JsonObject *object = snapshot_object(snapshot, error);
    JsonArray *spaces = object ? get_array(object, "spaces", error) : NULL;
    GPtrArray *names;

    if (!spaces) {
        return NULL;
    }
    names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < json_array_get_length(spaces); i++) {
        const char *name = get_text(element(spaces, i), "name");

        if (name && !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL)) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    return names;
}

/* -- Comparing ------------------------------------------------------------------- */

static bool same_bytes(const DiffRange *a, const DiffRange *b)
{
    return g_strcmp0(a->region, b->region) == 0 && a->offset == b->offset;
}

static bool same(const DiffRange *a, const DiffRange *b)
{
    return same_bytes(a, b) && g_strcmp0(a->kind, b->kind) == 0 &&
           g_strcmp0(a->writes, b->writes) == 0;
}

static bool in_place(const GArray *ranges, const DiffRange *wanted)
{
    for (guint i = 0; i < ranges->len; i++) {
        const DiffRange *range = &g_array_index(ranges, DiffRange, i);

        if (range->start == wanted->start && range->last == wanted->last &&
            same(range, wanted)) {
            return true;
        }
    }
    return false;
}

static void add_piece(DiffSpace *space, const DiffPiece *piece)
{
    g_array_append_val(space->pieces, *piece);
    space->counts[piece->change]++;
}

static void pair_moved(DiffSpace *space)
{
    for (guint i = 0; i < space->a->len; i++) {
        DiffRange *a = &g_array_index(space->a, DiffRange, i);

        for (guint j = 0; j < space->b->len && !in_place(space->b, a) && !a->moved; j++) {
            DiffRange *b = &g_array_index(space->b, DiffRange, j);

            if (!b->moved && b->start != a->start &&
                b->last - b->start == a->last - a->start && same(a, b) &&
                !in_place(space->a, b)) {
                a->moved = b->moved = true;
                add_piece(space, &(DiffPiece){b->start, b->last, DIFF_MOVED, *a, *b});
            }
        }
    }
}

/* The range of the list at `at`, cut to begin there, or the hole; *i moves along. A range
 * that has moved is a hole. */
static DiffRange take(const GArray *ranges, guint *i, uint64_t at)
{
    DiffRange hole = {.start = at, .last = UINT64_MAX}, cut;

    while (*i < ranges->len && (g_array_index(ranges, DiffRange, *i).last < at ||
                                g_array_index(ranges, DiffRange, *i).moved)) {
        ++*i;
    }
    if (*i == ranges->len) {
        return hole;
    }
    cut = g_array_index(ranges, DiffRange, *i);
    if (cut.start > at) {
        hole.last = cut.start - 1;
        return hole;
    }
    cut.offset += at - cut.start;
    cut.start = at;
    return cut;
}

static DiffChange judge(const DiffRange *a, const DiffRange *b)
{
    if (!a->region || !b->region) {
        return a->region ? DIFF_GONE : b->region ? DIFF_NEW : DIFF_SAME;
    }
    if (strcmp(a->region, b->region) != 0) {
        return DIFF_REGION;
    }
    return same(a, b) ? DIFF_SAME : same_bytes(a, b) ? DIFF_KIND : DIFF_PART;
}

static void sweep(DiffSpace *space)
{
    guint i = 0, j = 0;
    uint64_t at = 0, last;

    do {
        DiffPiece piece = {.a = take(space->a, &i, at), .b = take(space->b, &j, at)};

        last = MIN(piece.a.last, piece.b.last);
        piece.start = at;
        piece.last = piece.a.last = piece.b.last = last;
        piece.change = judge(&piece.a, &piece.b);
        if (piece.change != DIFF_SAME) {
            add_piece(space, &piece);
        } else if (piece.a.region) {
            space->counts[DIFF_SAME]++;
        }
        at = last + 1;
    } while (last != UINT64_MAX);
}

static int by_start(gconstpointer x, gconstpointer y)
{
    const DiffPiece *a = x, *b = y;

    return a->start < b->start ? -1 : a->start > b->start;
}

static GArray *new_ranges(void)
{
    GArray *ranges = g_array_new(false, false, sizeof(DiffRange));

    g_array_set_clear_func(ranges, clear_range);
    return ranges;
}

DiffSpace *diff_space(JsonNode *a, JsonNode *b, const char *name, GError **error)
{
    DiffSpace *space = g_new0(DiffSpace, 1);
    bool in_a, in_b;

    space->name = g_strdup(name);
    space->a = new_ranges();
    space->b = new_ranges();
    space->pieces = g_array_new(false, false, sizeof(DiffPiece));
    if (!read_ranges(a, name, space->a, &in_a, error) ||
        !read_ranges(b, name, space->b, &in_b, error)) {
        diff_space_free(space);
        return NULL;
    }
    if (!in_a && !in_b) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "neither has an address space '%s'; 'umbra mtree' lists them", name);
        diff_space_free(space);
        return NULL;
    }
    pair_moved(space);
    sweep(space);
    g_array_sort(space->pieces, by_start);
    return space;
}

void diff_space_free(DiffSpace *space)
{
    g_array_unref(space->a);
    g_array_unref(space->b);
    g_array_unref(space->pieces);
    g_free(space->name);
    g_free(space);
}
