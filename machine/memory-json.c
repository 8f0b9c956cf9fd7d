/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/memory-json.h"

#include "memory/ram-block.h"
#include "memory/walk.h"

static void set_hex(JsonObject *object, const char *name, uint64_t value)
{
    g_autofree char *text = g_strdup_printf("0x%" PRIx64, value);

    json_object_set_string_member(object, name, text);
}

static void set_region(JsonObject *object, const char *name, const MemoryRegion *mr)
{
    const char *region = memory_region_name(mr);

    json_object_set_string_member(object, name, region ? region : "(unnamed)");
}

static JsonObject *byte_of(const MemoryRegion *mr, uint64_t offset)
{
    JsonObject *object = json_object_new();

    set_region(object, "region", mr);
    set_hex(object, "offset", offset);
    return object;
}

static JsonNode *take_object(JsonObject *object)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, object);
    return node;
}

/* -- Ranges and regions ---------------------------------------------------------- */

static JsonObject *range_to_json(const FlatRange *range)
{
    JsonObject *object = json_object_new();

    set_hex(object, "start", range->start);
    set_hex(object, "last", range->last);
    json_object_set_string_member(object, "kind", flat_range_kind_name(range));
    if (!range->mr) {
        return object;
    }
    set_region(object, "region", range->mr);
    set_hex(object, "offset", range->offset_in_region);
    if (range->write_mr) {
        json_object_set_object_member(object, "writes",
                                      byte_of(range->write_mr, range->write_offset));
    }
    if (range->nonvolatile) {
        json_object_set_boolean_member(object, "nonvolatile", true);
    }
    if (memory_region_owner(range->mr)) {
        json_object_set_string_member(object, "owner",
                                      G_OBJECT_TYPE_NAME(memory_region_owner(range->mr)));
    }
    return object;
}

static bool add_range(const FlatRange *range, void *opaque)
{
    json_array_add_object_element(opaque, range_to_json(range));
    return true;
}

/* What a region is, wherever it is. */
static void describe_region(JsonObject *object, const MemoryRegion *mr)
{
    set_region(object, "region", mr);
    json_object_set_string_member(object, "kind", memory_region_kind_name(mr));
    json_object_set_int_member(object, "priority", mr->priority);
    json_object_set_boolean_member(object, "enabled", mr->enabled);
    if (mr->readonly) {
        json_object_set_boolean_member(object, "readonly", true);
    }
    if (mr->nonvolatile) {
        json_object_set_boolean_member(object, "nonvolatile", true);
    }
    if (mr->alias) {
        json_object_set_object_member(object, "alias",
                                      byte_of(mr->alias, mr->alias_offset));
    }
    if (mr->split_write) {
        json_object_set_object_member(object, "writes",
                                      byte_of(mr->split_write, mr->split_write_offset));
    }
    if (mr->owner) {
        json_object_set_string_member(object, "owner", G_OBJECT_TYPE_NAME(mr->owner));
    }
}

typedef struct Tree {
    JsonArray *into;
    hwaddr base;
} Tree;

static void add_region(MemoryRegion *mr, void *opaque)
{
    const Tree *tree = opaque;
    JsonObject *object = json_object_new();
    JsonArray *subregions = json_array_new();
    Tree below = {subregions, tree->base + mr->addr};

    describe_region(object, mr);
    set_hex(object, "start", below.base);
    if (mr->size) {
        set_hex(object, "last", below.base + (hwaddr)(mr->size - 1));
    }
    memory_region_foreach_subregion(mr, add_region, &below);
    if (json_array_get_length(subregions)) {
        json_object_set_array_member(object, "subregions", subregions);
    } else {
        json_array_unref(subregions);
    }
    json_array_add_object_element(tree->into, object);
}

/* -- Snapshots ------------------------------------------------------------------- */

typedef struct Snapshot {
    JsonArray *spaces, *views, *trees;
    GPtrArray *known_views, *known_roots;
} Snapshot;

/* The place of `thing` in the list, to which it is added when it is not there: *is_new.
 */
static guint place_of(GPtrArray *list, void *thing, bool *is_new)
{
    guint at;

    *is_new = !g_ptr_array_find(list, thing, &at);
    if (*is_new) {
        at = list->len;
        g_ptr_array_add(list, thing);
    }
    return at;
}

static void add_space(AddressSpace *as, void *opaque)
{
    Snapshot *snapshot = opaque;
    JsonObject *space = json_object_new();
    bool is_new;

    json_object_set_string_member(space, "name", as->name);
    set_region(space, "root", as->root);
    json_object_set_int_member(space, "view",
                               place_of(snapshot->known_views, as->view, &is_new));
    if (is_new) {
        JsonObject *view = json_object_new();
        JsonArray *ranges = json_array_new();

        address_space_foreach_range(as, add_range, ranges);
        json_object_set_array_member(view, "ranges", ranges);
        json_array_add_object_element(snapshot->views, view);
    }
    json_object_set_int_member(space, "tree",
                               place_of(snapshot->known_roots, as->root, &is_new));
    if (is_new) {
        Tree tree = {snapshot->trees, 0};

        add_region(as->root, &tree);
    }
    json_array_add_object_element(snapshot->spaces, space);
}

JsonNode *memory_json_snapshot(const char *machine)
{
    g_autoptr(GPtrArray) views = g_ptr_array_new();
    g_autoptr(GPtrArray) roots = g_ptr_array_new();
    Snapshot snapshot = {json_array_new(), json_array_new(), json_array_new(), views,
                         roots};
    JsonObject *object = json_object_new();

    address_space_foreach(add_space, &snapshot);
    json_object_set_int_member(object, "umbra-mtree", MEMORY_JSON_VERSION);
    if (machine) {
        json_object_set_string_member(object, "machine", machine);
    }
    json_object_set_array_member(object, "spaces", snapshot.spaces);
    json_object_set_array_member(object, "views", snapshot.views);
    json_object_set_array_member(object, "trees", snapshot.trees);
    return take_object(object);
}

/* -- Explanations ---------------------------------------------------------------- */

static void set_memory(JsonObject *object, const char *name, const ExplainMemory *memory)
{
    JsonObject *place;

    if (!memory->block) {
        return;
    }
    place = json_object_new();
    json_object_set_string_member(place, "block", memory->block->name);
    set_hex(place, "offset", memory->offset);
    set_hex(place, "ram-address", memory->block->offset + memory->offset);
    set_hex(place, "host", (uintptr_t)memory->host);
    set_hex(place, "host-page", (uintptr_t)memory->host & -MEMORY_PAGE_SIZE);
    json_object_set_object_member(object, name, place);
}

static JsonArray *path_to_json(const Explanation *e, const ExplainClaim *claim)
{
    JsonArray *path = json_array_new();

    for (guint i = 0; i < claim->path->len; i++) {
        const ExplainStep *step = &g_array_index(claim->path, ExplainStep, i);
        JsonObject *object = json_object_new();
        hwaddr first, last;

        explain_step_span(e, step, &first, &last);
        describe_region(object, step->mr);
        set_hex(object, "start", first);
        set_hex(object, "last", last);
        set_hex(object, "byte", step->offset);
        json_array_add_object_element(path, object);
    }
    return path;
}

static JsonArray *claims_to_json(const Explanation *e)
{
    JsonArray *claims = json_array_new();

    for (guint i = 0; i < e->claims->len; i++) {
        const ExplainClaim *claim = g_ptr_array_index(e->claims, i);
        JsonObject *object = json_object_new();
        g_autofree char *reason = explain_reason(e, claim);

        set_region(object, "region", claim->mr);
        json_object_set_string_member(object, "verdict",
                                      explain_verdict_name(claim->verdict));
        if (reason) {
            json_object_set_string_member(object, "reason", reason);
            json_object_set_int_member(object, "decided-at", claim->at);
        }
        if (claim->other) {
            set_region(object, "instead", claim->other);
        }
        json_object_set_array_member(object, "path", path_to_json(e, claim));
        json_array_add_object_element(claims, object);
    }
    return claims;
}

static JsonArray *notes_to_json(const Explanation *e)
{
    JsonArray *notes = json_array_new();

    for (guint i = 0; i < e->notes->len; i++) {
        const ExplainNote *note = g_ptr_array_index(e->notes, i);
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "kind", note->kind);
        if (note->mr) {
            set_region(object, "region", note->mr);
        }
        json_object_set_string_member(object, "text", note->text);
        for (guint j = 0; j < note->values->len; j++) {
            const ExplainValue *pair = &g_array_index(note->values, ExplainValue, j);

            set_hex(object, pair->name, pair->value);
        }
        json_array_add_object_element(notes, object);
    }
    return notes;
}

JsonNode *memory_json_explanation(const Explanation *e)
{
    JsonObject *object = json_object_new();

    set_hex(object, "address", e->addr);
    json_object_set_string_member(object, "space", e->as->name);
    json_object_set_object_member(object, "range", range_to_json(&e->range));
    set_memory(object, "memory", &e->memory);
    set_memory(object, "writes", &e->writes);
    json_object_set_array_member(object, "notes", notes_to_json(e));
    json_object_set_array_member(object, "claims", claims_to_json(e));
    if (e->truncated) {
        json_object_set_boolean_member(object, "truncated", true);
    }
    return take_object(object);
}
