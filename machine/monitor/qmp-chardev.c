/*
 * QMP: character devices come, go and change; ring buffers are read.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/char/chardev-options.h"
#include "hw/char/chardev.h"
#include "machine/monitor/qmp.h"

/* -- What there is --------------------------------------------------------------- */

static void add_chardev(Chardev *chardev, void *opaque)
{
    g_autofree char *text = chardev_describe(chardev);

    json_array_add_element(opaque, qmp_object("frontend-open:b,filename:s,label:s",
                                              chardev_in_use(chardev), text,
                                              chardev_id(chardev)));
}

static JsonNode *query_chardev(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    chardev_foreach(add_chardev, list);
    return qmp_array(list);
}

static void add_backend(const char *name, void *opaque)
{
    json_array_add_element(opaque, qmp_object("name:s", name));
}

static JsonNode *query_chardev_backends(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    chardev_foreach_backend(add_backend, list);
    return qmp_array(list);
}

/* -- A ChardevBackend as -chardev's options -------------------------------------- */

/* Members under the name of the option that they are; those of the same name
 * need no row. */
static const struct {
    const char *member, *option;
} renamed[] = {{"out", "path"}, {"device", "path"}, {"str", "fd"}};

static void set_from_node(Options *options, const char *member, JsonNode *value)
{
    g_autofree char *text = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(renamed); i++) {
        member = strcmp(member, renamed[i].member) == 0 ? renamed[i].option : member;
    }
    switch (json_node_get_value_type(value)) {
    case G_TYPE_STRING:
        text = g_strdup(json_node_get_string(value));
        break;
    case G_TYPE_BOOLEAN:
        text = g_strdup(json_node_get_boolean(value) ? "on" : "off");
        break;
    default:
        text = g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(value));
    }
    options_set(options, member, text);
}

static void set_members(Options *options, JsonObject *object)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        if (JSON_NODE_HOLDS_VALUE(value)) {
            set_from_node(options, name, value);
        }
    }
}

static JsonObject *address(JsonObject *data, const char *name)
{
    JsonNode *node = json_object_get_member(data, name);

    return node ? json_object_get_object_member(json_node_get_object(node), "data")
                : NULL;
}

/* A server waits for its peer only where it is told to, unlike -chardev's. */
static void set_socket(Options *options, JsonObject *data)
{
    bool server = json_object_get_boolean_member_with_default(data, "server", true);

    options_set(options, "server", server ? "on" : "off");
    if (server) {
        options_set_default(options, "wait", "off");
    }
    set_members(options, address(data, "addr"));
}

static void set_udp(Options *options, JsonObject *data)
{
    JsonObject *local = address(data, "local");

    set_members(options, address(data, "remote"));
    if (local) {
        options_set(options, "localaddr",
                    json_object_get_string_member_with_default(local, "host", ""));
        options_set(options, "localport",
                    json_object_get_string_member_with_default(local, "port", "0"));
    }
}

static Options *backend_options(JsonObject *backend)
{
    const char *type = json_object_get_string_member(backend, "type");
    JsonObject *data = json_object_get_object_member(backend, "data");
    Options *options = options_new();

    options_set(options, "backend", type);
    set_members(options, data);
    if (strcmp(type, "socket") == 0) {
        set_socket(options, data);
    } else if (strcmp(type, "udp") == 0) {
        set_udp(options, data);
    }
    return options;
}

/* -- Commands -------------------------------------------------------------------- */

/* A ChardevReturn: the name of a pty that has been made. */
static JsonNode *describe(const char *id)
{
    g_autofree char *text = chardev_describe(chardev_find(id));
    const char *pty = strstr(text, "pty:");

    return pty ? qmp_object("pty:s", pty + strlen("pty:")) : NULL;
}

static JsonNode *run_add(JsonObject *args, GError **error)
{
    const char *id = json_object_get_string_member(args, "id");
    g_autoptr(Options) options =
        backend_options(json_object_get_object_member(args, "backend"));

    if (chardev_find(id)) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "Chardev with id '%s' already exists", id);
        return NULL;
    }
    if (!chardev_new(id, options, error)) {
        g_prefix_error(error, "Failed to add chardev '%s': ", id);
        return NULL;
    }
    return describe(id);
}

static JsonNode *run_change(JsonObject *args, GError **error)
{
    const char *id = json_object_get_string_member(args, "id");
    g_autoptr(Options) options =
        backend_options(json_object_get_object_member(args, "backend"));

    return chardev_change(id, options, error) ? describe(id) : NULL;
}

static JsonNode *run_remove(JsonObject *args, GError **error)
{
    chardev_remove(json_object_get_string_member(args, "id"), error);
    return NULL;
}

static Chardev *find(JsonObject *args, const char *member, const char *kind,
                     GError **error)
{
    const char *id = json_object_get_string_member(args, member);
    Chardev *chardev = chardev_find(id);

    if (!chardev) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "%s '%s' not found", kind, id);
    }
    return chardev;
}

static JsonNode *run_send_break(JsonObject *args, GError **error)
{
    Chardev *chardev = find(args, "id", "Chardev", error);

    if (chardev) {
        chardev_send_break(chardev);
    }
    return NULL;
}

/* -- Ring buffers ---------------------------------------------------------------- */

static bool is_base64(JsonObject *args)
{
    const char *format =
        json_object_get_string_member_with_default(args, "format", "utf8");

    return strcmp(format, "base64") == 0;
}

static void set_no_ring(JsonObject *args, GError **error)
{
    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "%s is not a ringbuf device",
                json_object_get_string_member(args, "device"));
}

static JsonNode *run_ringbuf_read(JsonObject *args, GError **error)
{
    gint64 size = json_object_get_int_member(args, "size");
    Chardev *chardev = find(args, "device", "Device", error);
    g_autoptr(GByteArray) bytes = NULL;
    g_autofree char *text = NULL;

    if (!chardev) {
        return NULL;
    }
    if (size <= 0) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "size must be greater than zero");
        return NULL;
    }
    bytes = chardev_ringbuf_read(chardev, (size_t)size);
    if (!bytes) {
        set_no_ring(args, error);
        return NULL;
    }
    /* What is no UTF-8 is replaced by U+FFFD; base64 brings it whole. */
    text = is_base64(args) ? g_base64_encode(bytes->data, bytes->len)
                           : g_utf8_make_valid((const char *)bytes->data, bytes->len);
    return qmp_string(text);
}

static JsonNode *run_ringbuf_write(JsonObject *args, GError **error)
{
    const char *data = json_object_get_string_member(args, "data");
    Chardev *chardev = find(args, "device", "Device", error);
    g_autofree guchar *decoded = NULL;
    gsize length = strlen(data);

    if (chardev && is_base64(args)) {
        decoded = g_base64_decode(data, &length);
    }
    if (chardev &&
        !chardev_ringbuf_write(chardev, decoded ? (const char *)decoded : data, length)) {
        set_no_ring(args, error);
    }
    return NULL;
}

const QmpCommand qmp_chardev_commands[] = {
    {"query-chardev", "", query_chardev, "[ChardevInfo]"},
    {"query-chardev-backends", "", query_chardev_backends, "[ChardevBackendInfo]"},
    {"chardev-add", "id:str,backend:ChardevBackend", run_add, "ChardevReturn"},
    {"chardev-change", "id:str,backend:ChardevBackend", run_change, "ChardevReturn"},
    {"chardev-remove", "id:str", run_remove},
    {"chardev-send-break", "id:str", run_send_break},
    {"ringbuf-read", "device:str,size:int,format:DataFormat?", run_ringbuf_read, "str"},
    {"ringbuf-write", "device:str,data:str,format:DataFormat?", run_ringbuf_write},
    {NULL},
};
