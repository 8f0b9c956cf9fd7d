/*
 * Block nodes: their options, names and users.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>

#include "hw/core/property.h"

#define FIRST_AUTOMATIC_NAME 100

static GPtrArray *nodes; /* BlockNode *, in order of opening */

static const BlockDriver *const drivers[] = {
    &block_driver_raw,      &block_driver_null_co,     &block_driver_null_aio,
    &block_driver_file,     &block_driver_host_device, &block_driver_nbd,
    &block_driver_blkdebug,
};

/* -- Options ------------------------------------------------------------------------- */

bool block_take_bool(OptionString *options, const char *key, bool *value, GError **error)
{
    g_autofree char *text = option_string_take(options, key);

    if (text && !parse_bool(text, value)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' expects 'on' or 'off'", key);
        return false;
    }
    return true;
}

bool block_take_size(OptionString *options, const char *key, uint64_t *value,
                     GError **error)
{
    g_autofree char *text = option_string_take(options, key);

    if (text && (!parse_size(text, 1, value) || *value > INT64_MAX)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' expects a size such as 10G", key);
        return false;
    }
    return true;
}

char *block_take_required(OptionString *options, const char *key, GError **error)
{
    char *text = option_string_take(options, key);

    if (!text) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' is missing", key);
    }
    return text;
}

/* An option with words for values, `words[0]` being the one that means on. */
static bool take_word(OptionString *options, const char *key, const char *const *words,
                      bool *first, GError **error)
{
    g_autofree char *text = option_string_take(options, key);

    if (text && !g_strv_contains(words, text)) {
        g_autofree char *list = g_strjoinv(", ", (char **)words);

        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' does not take '%s', but one of: %s", key, text, list);
        return false;
    }
    if (text && first) {
        *first = strcmp(text, words[0]) == 0 || strcmp(text, "on") == 0;
    }
    return true;
}

static bool take_common_options(BlockNode *node, OptionString *options, GError **error)
{
    static const char *const discard[] = {"unmap", "on", "ignore", "off", NULL};
    static const char *const detect_zeroes[] = {"off", "on", "unmap", NULL};
    bool harmless;

    return block_take_bool(options, "read-only", &node->readonly, error) &&
           block_take_bool(options, "auto-read-only", &node->auto_readonly, error) &&
           block_take_bool(options, "cache.no-flush", &node->no_flush, error) &&
           block_take_bool(options, "cache.direct", &harmless, error) &&
           block_take_bool(options, "force-share", &harmless, error) &&
           take_word(options, "discard", discard, &node->unmap, error) &&
           take_word(options, "detect-zeroes", detect_zeroes, NULL, error);
}

/* -- Drivers ------------------------------------------------------------------------- */

static const BlockDriver *find_driver(const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const BlockDriver *format = block_format_driver(name);
    g_autofree char *list = NULL;

    if (format) {
        return format;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
        if (strcmp(drivers[i]->name, name) == 0) {
            return drivers[i];
        }
        g_ptr_array_add(names, (gpointer)drivers[i]->name);
    }
    block_format_names(names);
    g_ptr_array_add(names, NULL);
    list = g_strjoinv(", ", (char **)names->pdata);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "Unknown driver or format '%s'; known ones: %s", name, list);
    return NULL;
}

/* -- Names --------------------------------------------------------------------------- */

BlockNode *block_node_find(const char *name)
{
    for (guint i = 0; nodes && i < nodes->len; i++) {
        BlockNode *node = nodes->pdata[i];

        if (strcmp(node->name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

static bool settle_name(BlockNode *node, GError **error)
{
    static unsigned next = FIRST_AUTOMATIC_NAME;

    if (!node->name) { /* '#': no name that a user can give */
        node->name = g_strdup_printf("#block%03u", next++);
        return true;
    }
    if (!drive_id_well_formed(node->name)) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "Invalid node-name: '%s'; use a letter, then letters, digits, '-', '.' "
            "and '_'",
            node->name);
        return false;
    }
    if (block_node_find(node->name)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "Duplicate nodes with node-name='%s'; give this one another",
                    node->name);
        return false;
    }
    if (drive_find(node->name)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "node-name=%s is conflicting with a device id; give this one another",
                    node->name);
        return false;
    }
    return true;
}

/* -- Users --------------------------------------------------------------------------- */

static void node_free(BlockNode *node)
{
    if (node->file && node->driver->owns_file) {
        block_node_detach(node->file, !node->readonly);
    } else if (node->file) {
        block_node_unref(node->file);
    }
    g_free(node->name);
    g_free(node->filename);
    g_free(node);
}

void block_node_unref(BlockNode *node)
{
    if (--node->references > 0) {
        return;
    }
    g_ptr_array_remove(nodes, node);
    if (node->driver->flush && !node->readonly && !node->no_flush) {
        node->driver->flush(node);
    }
    node->driver->close(node);
    node_free(node);
}

bool block_node_attach(BlockNode *node, bool write, GError **error)
{
    if (node->writers || (write && node->readers)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "Permission conflict on node '%s': it is already in use, and one of "
                    "the users writes; each writer needs a node of its own",
                    node->name);
        return false;
    }
    if (write && node->readonly) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                    "Block node '%s' is read-only; open it with read-only=off",
                    node->name);
        return false;
    }
    if (node->file && !node->driver->owns_file &&
        !block_node_attach(node->file, write, error)) {
        return false;
    }
    node->references++;
    *(write ? &node->writers : &node->readers) += 1;
    return true;
}

void block_node_detach(BlockNode *node, bool write)
{
    if (node->file && !node->driver->owns_file) {
        block_node_detach(node->file, write);
    }
    *(write ? &node->writers : &node->readers) -= 1;
    block_node_unref(node);
}

/* -- Opening ------------------------------------------------------------------------- */

/* The node below: one that is there already, or a new one of the options "file.". */
static BlockNode *open_below(const BlockNode *node, OptionString *options, GError **error)
{
    const char *below = node->driver->below;
    g_autofree char *prefix = g_strconcat(below, ".", NULL);
    g_autofree char *name = option_string_take(options, below);
    OptionString *nested = option_string_take_prefix(options, prefix);
    BlockNode *file = NULL;

    if (!name && nested->count) {
        return block_node_open(nested, node, error);
    }
    if (!name) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "A block device must be specified for \"%s\": give %s=NODE or "
                    "%s.driver=...",
                    below, below, below);
    } else if (nested->count) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "'%s=%s' names a node: '%s.%s' cannot change it", below, name, below,
                    nested->pairs[0].key);
    } else {
        file = block_node_find(name);
        if (file) {
            file->references++;
        } else {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                        "Cannot find device='%s' nor node-name='%s'; define it with "
                        "-blockdev before",
                        name, name);
        }
    }
    option_string_free(nested);
    return file;
}

static bool attach_below(BlockNode *node, OptionString *options, GError **error)
{
    BlockNode *file = open_below(node, options, error);

    if (!file) {
        return false;
    }
    if (file->readonly && node->auto_readonly) {
        node->readonly = true;
    }
    if (node->driver->owns_file) {
        bool attached = block_node_attach(file, !node->readonly, error);

        block_node_unref(file); /* the attachment holds its own */
        if (!attached) {
            return false;
        }
    }
    node->file = file;
    node->filename = g_strdup(file->filename);
    return true;
}

static bool open_node(BlockNode *node, OptionString *options, GError **error)
{
    g_autofree char *driver = block_take_required(options, "driver", error);

    node->name = option_string_take(options, "node-name");
    if (!driver || !(node->driver = find_driver(driver, error)) ||
        !settle_name(node, error) || !take_common_options(node, options, error) ||
        (node->driver->below && !attach_below(node, options, error)) ||
        !node->driver->open(node, options, error)) {
        return false;
    }
    if (options->count) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Invalid parameter '%s': driver %s does not know it",
                    options->pairs[0].key, driver);
        node->driver->close(node);
        return false;
    }
    return true;
}

BlockNode *block_node_open(OptionString *options, const BlockNode *above, GError **error)
{
    BlockNode *node = g_new0(BlockNode, 1);

    if (above) {
        node->readonly = above->readonly;
        node->auto_readonly = above->auto_readonly;
        node->unmap = above->unmap;
        node->no_flush = above->no_flush;
    }
    if (!open_node(node, options, error)) {
        option_string_free(options);
        node_free(node);
        return NULL;
    }
    option_string_free(options);
    if (!node->filename) {
        node->filename = g_strdup("");
    }
    node->references = 1;
    if (!nodes) {
        nodes = g_ptr_array_new();
    }
    g_ptr_array_add(nodes, node);
    return node;
}

/* -- Bytes --------------------------------------------------------------------------- */

bool block_node_read(BlockNode *node, uint64_t offset, void *buffer, size_t length)
{
    size_t inside =
        offset < node->length ? (size_t)MIN(length, node->length - offset) : 0;

    memset((uint8_t *)buffer + inside, 0, length - inside);
    return inside == 0 || node->driver->read(node, offset, buffer, inside);
}

bool block_node_write(BlockNode *node, uint64_t offset, const void *buffer, size_t length)
{
    return node->driver->write(node, offset, buffer, length);
}

/* -- -blockdev ----------------------------------------------------------------------- */

static void flatten_object(OptionString *options, const char *prefix, JsonObject *object);
static void flatten_array(OptionString *options, const char *key, JsonArray *array);

static void flatten_value(OptionString *options, const char *key, JsonNode *value)
{
    g_autofree char *text = NULL;

    if (JSON_NODE_HOLDS_OBJECT(value)) {
        g_autofree char *prefix = g_strconcat(key, ".", NULL);

        flatten_object(options, prefix, json_node_get_object(value));
        return;
    }
    if (JSON_NODE_HOLDS_NULL(value)) {
        return; /* QEMU: as if it were not there */
    }
    if (JSON_NODE_HOLDS_ARRAY(value)) {
        flatten_array(options, key, json_node_get_array(value));
        return;
    }
    if (json_node_get_value_type(value) == G_TYPE_STRING) {
        text = json_node_dup_string(value);
    } else if (json_node_get_value_type(value) == G_TYPE_BOOLEAN) {
        text = g_strdup(json_node_get_boolean(value) ? "on" : "off");
    } else {
        text = g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(value));
    }
    option_string_add(options, key, text);
}

static void flatten_array(OptionString *options, const char *key, JsonArray *array)
{
    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_autofree char *element = g_strdup_printf("%s.%u", key, i);

        flatten_value(options, element, json_array_get_element(array, i));
    }
}

static void flatten_object(OptionString *options, const char *prefix, JsonObject *object)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        g_autofree char *key = g_strconcat(prefix, name, NULL);

        flatten_value(options, key, value);
    }
}

OptionString *block_options_from_json(JsonObject *object)
{
    OptionString *options = option_string_new();

    flatten_object(options, "", object);
    return options;
}

static bool add(OptionString *options, GError **error)
{
    BlockNode *node;

    if (!option_string_get(options, "driver")) {
        g_free(block_take_required(options, "driver", error));
        option_string_free(options);
        return false;
    }
    if (!option_string_get(options, "node-name")) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                            "'node-name' must be specified for the root node");
        option_string_free(options);
        return false;
    }
    node = block_node_open(options, NULL, error);
    if (node) {
        node->by_monitor = true;
    }
    return node != NULL;
}

bool blockdev_add_from_json(JsonObject *object, GError **error)
{
    return add(block_options_from_json(object), error);
}

bool blockdev_add_from_text(const char *text, GError **error)
{
    g_autoptr(JsonNode) json = NULL;

    if (*text != '{') {
        return add(option_string_parse(text, "driver"), error);
    }
    json = json_from_string(text, error);
    if (!json) {
        return false;
    }
    return blockdev_add_from_json(json_node_get_object(json), error);
}

bool blockdev_del(const char *name, GError **error)
{
    BlockNode *node = block_node_find(name);

    if (!node) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "Failed to find node with node-name='%s'", name);
        return false;
    }
    if (!node->by_monitor) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "Node %s is not owned by the monitor: it goes with its drive", name);
        return false;
    }
    if (node->references > 1) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_BUSY,
            "Block device %s is in use; take it from its device or the node above "
            "first",
            name);
        return false;
    }
    block_node_unref(node);
    return true;
}

/* -- Asking -------------------------------------------------------------------------- */

void block_node_foreach(void (*func)(BlockNode *node, void *opaque), void *opaque)
{
    for (guint i = nodes ? nodes->len : 0; i-- > 0;) {
        func(nodes->pdata[i], opaque);
    }
}

const char *block_node_name(const BlockNode *node)
{
    return node->name;
}

const char *block_node_driver(const BlockNode *node)
{
    return node->driver->name;
}

const char *block_node_filename(const BlockNode *node)
{
    return node->filename;
}

uint64_t block_node_size(const BlockNode *node)
{
    return node->length;
}

uint64_t block_node_allocated(const BlockNode *node)
{
    struct stat status;

    return stat(node->filename, &status) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

bool block_node_is_readonly(const BlockNode *node)
{
    return node->readonly;
}
