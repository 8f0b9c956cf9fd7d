/*
 * Devices' fields, by the description at the stream's end: an object with "devices", each
 * with "fields" and "subsections", whose members say names, types and sizes as they came
 * over the wire. Of an array that is described once, "size" is that of one value.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "machine/migration/stream-inspect-parts.h"
#include "machine/migration/stream.h"

/* QEMU's and ours go ten deep; json-glib's parser calls itself for each. */
#define DEPTH_MAX 64
#define NAME_MAX_LENGTH 512

/* -- Members, if they are what they should be ------------------------------------ */

static JsonNode *member(JsonObject *object, const char *name, JsonNodeType type)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && json_node_get_node_type(node) == type ? node : NULL;
}

static const char *string_member(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_VALUE);

    return node && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

/* Not negative; false where there is none. */
static bool int_member(JsonObject *object, const char *name, uint64_t *value)
{
    JsonNode *node = member(object, name, JSON_NODE_VALUE);

    if (!node || json_node_get_value_type(node) != G_TYPE_INT64 ||
        json_node_get_int(node) < 0) {
        return false;
    }
    *value = (uint64_t)json_node_get_int(node);
    return true;
}

static JsonObject *object_member(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_OBJECT);

    return node ? json_node_get_object(node) : NULL;
}

static JsonArray *array_member(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_ARRAY);

    return node ? json_node_get_array(node) : NULL;
}

static JsonObject *object_element(JsonArray *array, guint index)
{
    JsonNode *node = json_array_get_element(array, index);

    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static bool is_printable(const char *text)
{
    for (; *text; text++) {
        if (!g_ascii_isprint(*text)) {
            return false;
        }
    }
    return true;
}

/* -- Finding the description ----------------------------------------------------- */

/* The description's text begins where a length does that leads to the file's end; it has
 * no NUL in it, so no place before the last NUL comes into question. */
static const uint8_t *find_text(const StreamInspection *inspection, uint32_t *length)
{
    const uint8_t *data = inspection->data;
    const size_t head = 6; /* the ends of devices and of the stream, be32 */
    size_t last = inspection->size;

    while (last && data[last - 1] != 0) {
        last--;
    }
    for (size_t at = last > head ? last - head : 0;
         at < last && at + head < inspection->size; at++) {
        const uint8_t *text = data + at + head;

        *length = (uint32_t)data[at + 2] << 24 | (uint32_t)data[at + 3] << 16 |
                  (uint32_t)data[at + 4] << 8 | data[at + 5];
        if (data[at] == STREAM_EOF && data[at + 1] == STREAM_VMDESCRIPTION &&
            *length == inspection->size - at - head && *text == '{') {
            return text;
        }
    }
    return NULL;
}

/* How deep brackets are nested outside of strings, at most. */
static unsigned depth_of(const uint8_t *text, uint32_t length)
{
    unsigned depth = 0, deepest = 0;
    bool quoted = false;

    for (uint32_t i = 0; i < length; i++) {
        if (text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && (text[i] == '{' || text[i] == '[')) {
            deepest = MAX(deepest, ++depth);
        } else if (!quoted && (text[i] == '}' || text[i] == ']')) {
            depth -= depth > 0;
        }
    }
    return deepest;
}

/* The wire stands elsewhere: the description is read before what it describes. */
static void fail_text(StreamInspect *inspect, const uint8_t *text, const char *what)
{
    wire_fail_at(inspect->wire, (uint64_t)(text - inspect->result->data),
                 "the description at the stream's end %s", what);
}

static void list_devices(StreamInspect *inspect, JsonArray *devices)
{
    inspect->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < json_array_get_length(devices); i++) {
        JsonObject *device = object_element(devices, i);
        const char *name = device ? string_member(device, "name") : NULL;
        uint64_t instance = 0;

        if (name && int_member(device, "instance_id", &instance)) {
            g_hash_table_insert(inspect->devices,
                                g_strdup_printf("%s/%" PRIu64, name, instance), device);
        }
    }
}

void stream_inspect_description(StreamInspect *inspect)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    JsonNode *root;
    JsonArray *devices;
    uint32_t length;
    const uint8_t *text = find_text(inspect->result, &length);

    if (!text) {
        return;
    }
    if (depth_of(text, length) > DEPTH_MAX) {
        fail_text(inspect, text, "is nested too deep");
        return;
    }
    if (!json_parser_load_from_data(parser, (const char *)text, length, &error)) {
        g_autofree char *what = g_strdup_printf("is no JSON: %s", error->message);

        g_strdelimit(what, "\r\n", ' ');
        fail_text(inspect, text, what);
        return;
    }
    root = json_parser_get_root(parser);
    devices = root && JSON_NODE_HOLDS_OBJECT(root)
                  ? array_member(json_node_get_object(root), "devices")
                  : NULL;
    if (!devices) {
        fail_text(inspect, text, "names no devices");
        return;
    }
    inspect->result->description = true;
    list_devices(inspect, devices);
    inspect->result->json = G_OBJECT(g_steal_pointer(&parser));
}

/* -- Fields ---------------------------------------------------------------------- */

static void decode_table(StreamInspect *inspect, JsonObject *table, const char *path,
                         StreamSection *section);

/* Takes `bytes` from the stream, which must have them. */
static void take(StreamInspect *inspect, uint64_t bytes)
{
    if (bytes > inspect->result->size - wire_offset(inspect->wire)) {
        wire_fail(inspect->wire,
                  "the description has %" PRIu64 " bytes more here than the stream",
                  bytes);
        return;
    }
    wire_skip(inspect->wire, bytes);
}

static void decode_values(StreamInspect *inspect, StreamSection *section,
                          StreamField field)
{
    uint64_t bytes;

    if (!g_uint64_checked_mul(&bytes, field.size, field.count)) {
        wire_fail(inspect->wire, "the description's '%s' has a size beyond all measure",
                  field.name);
        return;
    }
    take(inspect, bytes);
    if (!wire_failed(inspect->wire)) {
        field.name = g_strdup(field.name);
        g_array_append_val(section->fields, field);
    }
}

/* Where a structure's table is: in "struct", or for two types in the field itself. */
static JsonObject *table_of(JsonObject *field, const char *type)
{
    JsonObject *table = strcmp(type, "struct") == 0 ? object_member(field, "struct")
                        : strcmp(type, "vstruct") == 0 || strcmp(type, "tmp") == 0 ? field
                                                                                   : NULL;

    return table && array_member(table, "fields") ? table : NULL;
}

static void decode_struct(StreamInspect *inspect, JsonObject *table, const char *path,
                          const StreamField *field, StreamSection *section)
{
    for (uint64_t i = 0; i < field->count && !wire_failed(inspect->wire); i++) {
        g_autofree char *element =
            field->is_array ? g_strdup_printf("%s[%" PRIu64 "]", path, i) : NULL;
        uint64_t start = wire_offset(inspect->wire), size;

        decode_table(inspect, table, element ? element : path, section);
        size = wire_offset(inspect->wire) - start;
        if (!wire_failed(inspect->wire) && size != field->size) {
            wire_fail(inspect->wire,
                      "'%s' has %" PRIu64 " bytes by its fields and %" PRIu64
                      " by its size in the description",
                      path, size, field->size);
        }
    }
}

/* Fails where the description asks for more work and room than a stream is worth. */
static bool afford(StreamInspect *inspect, const char *path)
{
    size_t length = strlen(path);

    if (inspect->budget == 0 || length > inspect->name_budget) {
        wire_fail(inspect->wire, "the description has too many fields");
        return false;
    }
    inspect->budget--;
    inspect->name_budget -= length;
    return true;
}

/* The structure "tmp" has no name of its own; elements described one by one have an
 * index. */
static char *path_of(JsonObject *object, const char *path, const char *name,
                     const char *type)
{
    uint64_t index;

    if (strcmp(type, "tmp") == 0) {
        return g_strdup(path);
    }
    return int_member(object, "index", &index)
               ? g_strdup_printf("%s%s%s[%" PRIu64 "]", path, *path ? "." : "", name,
                                 index)
               : g_strdup_printf("%s%s%s", path, *path ? "." : "", name);
}

static void decode_field(StreamInspect *inspect, JsonObject *object, const char *path,
                         StreamSection *section)
{
    StreamField field = {.offset = wire_offset(inspect->wire), .count = 1};
    const char *name = object ? string_member(object, "name") : NULL;
    JsonObject *table;
    g_autofree char *full = NULL;

    field.type = object ? string_member(object, "type") : NULL;
    if (!name || !field.type || !int_member(object, "size", &field.size) ||
        !is_printable(name) || !is_printable(field.type) ||
        strlen(name) + strlen(path) + 32 > NAME_MAX_LENGTH) {
        wire_fail(inspect->wire,
                  "the description of '%s' has a field without a proper "
                  "name, type and size",
                  section->name);
        return;
    }
    field.is_array = int_member(object, "array_len", &field.count);
    full = path_of(object, path, name, field.type);
    table = table_of(object, field.type);
    field.name = full;
    if (!afford(inspect, full)) {
        return;
    }
    if (table && field.size) {
        decode_struct(inspect, table, full, &field, section);
    } else if (!table) {
        decode_values(inspect, section, field);
    }
}

static void decode_subsection(StreamInspect *inspect, JsonObject *table, const char *path,
                              StreamSection *section)
{
    Wire *wire = inspect->wire;
    uint8_t mark = wire_get_u8(wire);
    g_autofree char *name = NULL, *full = NULL;
    const char *expected = table ? string_member(table, "vmsd_name") : NULL;

    if (!expected || (!wire_failed(wire) && mark != STREAM_SUBSECTION)) {
        wire_fail(wire, "no subsection where the description has one");
        return;
    }
    name = stream_inspect_name(wire);
    wire_skip(wire, 4); /* version */
    if (!wire_failed(wire) && strcmp(name, expected) != 0) {
        wire_fail(wire, "the subsection '%s' is another in the description", name);
    }
    if (!wire_failed(wire)) {
        full = g_strdup_printf("%s%s%s", path, *path ? "." : "", name);
        if (afford(inspect, full)) {
            decode_table(inspect, table, full, section);
        }
    }
}

static void decode_table(StreamInspect *inspect, JsonObject *table, const char *path,
                         StreamSection *section)
{
    JsonArray *fields = array_member(table, "fields");
    JsonArray *subsections = array_member(table, "subsections");

    for (guint i = 0; fields && i < json_array_get_length(fields); i++) {
        if (wire_failed(inspect->wire)) {
            return;
        }
        decode_field(inspect, object_element(fields, i), path, section);
    }
    for (guint i = 0; subsections && i < json_array_get_length(subsections); i++) {
        if (wire_failed(inspect->wire)) {
            return;
        }
        decode_subsection(inspect, object_element(subsections, i), path, section);
    }
}

void stream_inspect_device(StreamInspect *inspect, StreamSection *section)
{
    g_autofree char *key =
        g_strdup_printf("%s/%" PRIu32, section->name, section->instance);
    JsonObject *device = g_hash_table_lookup(inspect->devices, key);

    if (!device) {
        wire_fail(inspect->wire,
                  "the description at the stream's end has no '%s', "
                  "instance %" PRIu32,
                  section->name, section->instance);
        return;
    }
    section->described = true;
    section->fields = g_array_new(false, false, sizeof(StreamField));
    decode_table(inspect, device, "", section);
}
