/*
 * What file=NAME means where the user gives no driver: the protocol that the name begins
 * with, and the format that the content looks like.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>

/* How the images of other formats begin, from their specifications. */
static const struct {
    const char *format;
    unsigned offset;
    const char *magic;
    unsigned length;
} magics[] = {
    {"qcow2", 0, "QFI\xfb\0\0\0\x02", 8},
    {"qcow2", 0, "QFI\xfb\0\0\0\x03", 8},
    {"qcow", 0, "QFI\xfb\0\0\0\x01", 8},
    {"vmdk", 0, "KDMV", 4},
    {"vmdk", 0, "COWD", 4},
    {"vmdk", 0, "# Disk DescriptorFile", 21},
    {"vdi", 64, "\x7f\x10\xda\xbe", 4},
    {"vhdx", 0, "vhdxfile", 8},
    {"vpc", 0, "conectix", 8},
    {"qed", 0, "QED\0", 4},
    {"luks", 0, "LUKS\xba\xbe", 6},
};

const char *block_format_of_content(const uint8_t head[BLOCK_PROBE_SIZE])
{
    for (unsigned i = 0; i < G_N_ELEMENTS(magics); i++) {
        if (memcmp(head + magics[i].offset, magics[i].magic, magics[i].length) == 0) {
            return magics[i].format;
        }
    }
    return NULL;
}

/* -- Protocols ----------------------------------------------------------------------- */

/* Names that begin so are for that driver, under that option. */
static const struct {
    const char *prefix, *driver, *option;
} protocols[] = {
    {"nbd:", "nbd", "filename"},       {"nbds:", "nbd", "filename"},
    {"nbd+unix:", "nbd", "filename"},  {"nbds+unix:", "nbd", "filename"},
    {"nbd+tcp:", "nbd", "filename"},   {"null-co://", "null-co", NULL},
    {"null-aio://", "null-aio", NULL},
};

/* A protocol's name and a colon, before any slash. */
static bool has_protocol(const char *file)
{
    size_t length = strcspn(file, ":/");

    return length > 1 && file[length] == ':' &&
           strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789+-") == length;
}

static bool add_protocol(OptionString *options, const char *file, GError **error);

/* "blkdebug:CONFIG:IMAGE", where IMAGE is again what file= takes. */
static bool add_blkdebug(OptionString *options, const char *rest, GError **error)
{
    g_autoptr(OptionString) image = option_string_new();
    const char *colon = strchr(rest, ':');
    g_autofree char *config = colon ? g_strndup(rest, (gsize)(colon - rest)) : NULL;

    if (!colon) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                            "Missing parameter: write blkdebug:CONFIG:IMAGE, or "
                            "blkdebug::IMAGE without a configuration");
        return false;
    }
    option_string_add(options, "driver", "blkdebug");
    option_string_add(options, "config", config);
    if (!add_protocol(image, colon + 1, error)) {
        return false;
    }
    for (guint i = 0; i < image->count; i++) {
        g_autofree char *key = g_strconcat("image.", image->pairs[i].key, NULL);

        option_string_add(options, key, image->pairs[i].value);
    }
    return true;
}

static bool add_protocol(OptionString *options, const char *file, GError **error)
{
    struct stat status;

    if (g_str_has_prefix(file, "blkdebug:")) {
        return add_blkdebug(options, file + strlen("blkdebug:"), error);
    }

    for (size_t i = 0; i < G_N_ELEMENTS(protocols); i++) {
        if (g_str_has_prefix(file, protocols[i].prefix)) {
            option_string_add(options, "driver", protocols[i].driver);
            if (protocols[i].option) {
                option_string_add(options, protocols[i].option, file);
            }
            return true;
        }
    }
    if (g_str_has_prefix(file, "file:")) {
        file += strlen("file:");
    } else if (has_protocol(file) && stat(file, &status) != 0) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
            "Unknown protocol '%.*s'; known ones: file, nbd, nbd+unix, null-co, blkdebug",
            (int)strcspn(file, ":"), file);
        return false;
    }
    option_string_add(options, "driver",
                      stat(file, &status) == 0 && S_ISBLK(status.st_mode) ? "host_device"
                                                                          : "file");
    option_string_add(options, "filename", file);
    return true;
}

/* -- Opening ------------------------------------------------------------------------- */

/* Options that the two nodes share. */
static void inherit(OptionString *to, const OptionString *from)
{
    static const char *const keys[] = {"read-only", "auto-read-only", "discard",
                                       "cache.no-flush"};

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *value = option_string_get(from, keys[i]);

        if (value && !option_string_get(to, keys[i])) {
            option_string_add(to, keys[i], value);
        }
    }
}

static BlockNode *open_protocol(const char *file, OptionString *options, GError **error)
{
    OptionString *nested = option_string_take_prefix(options, "file.");

    inherit(nested, options);
    if (file && !add_protocol(nested, file, error)) {
        option_string_free(nested);
        return NULL;
    }
    return block_node_open(nested, NULL, error);
}

/* The format on top of an opened protocol. */
static BlockNode *open_format(BlockNode *below, const char *format, OptionString *options,
                              GError **error)
{
    uint8_t head[BLOCK_PROBE_SIZE];
    const char *found = NULL;
    BlockNode *node;

    if (!format && block_node_read(below, 0, head, sizeof head)) {
        found = block_format_of_content(head);
    }
    option_string_add(options, "driver", format ? format : found ? found : "raw");
    option_string_add(options, "file", below->name);
    if (below->readonly && !option_string_get(options, "read-only")) {
        option_string_add(options, "read-only", "on");
    }
    node = block_node_open(options, NULL, error);
    if (node) {
        node->probed = !format && !found;
    }
    return node;
}

/* file=json:{...} has all that -blockdev has. */
static BlockNode *open_json(const char *text, OptionString *options, GError **error)
{
    g_autoptr(JsonNode) json = json_from_string(text, error);
    OptionString *given;

    if (!json || !JSON_NODE_HOLDS_OBJECT(json)) {
        if (json || (error && !*error)) {
            g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                                "json: is to be followed by a JSON object");
        }
        option_string_free(options);
        return NULL;
    }
    given = block_options_from_json(json_node_get_object(json));
    inherit(given, options);
    option_string_free(options);
    return block_node_open(given, NULL, error);
}

BlockNode *block_node_open_file(const char *file, const char *format,
                                OptionString *options, GError **error)
{
    BlockNode *below, *node;

    if (file && g_str_has_prefix(file, "json:")) {
        return open_json(file + strlen("json:"), options, error);
    }
    below = open_protocol(file, options, error);
    if (!below) {
        option_string_free(options);
        return NULL;
    }
    node = open_format(below, format, options, error);
    block_node_unref(below); /* the format holds its own */
    return node;
}
