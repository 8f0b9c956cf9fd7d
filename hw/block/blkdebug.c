/*
 * blkdebug: the bytes of the node below, and the errors that the user orders, to try out
 * what a guest does with a failing disk. Options and files as QEMU's driver of that name.
 *
 * Rules say at which event what happens: an access fails (inject-error), the state
 * changes in which other rules hold (set-state), or the access waits until the user lets
 * it go on (break, at run time).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "hw/core/property.h"

#define FIRST_STATE 1
#define EVERY_EVENT NULL
#define EVERY_SECTOR UINT64_MAX

enum { IO_READ = 1, IO_WRITE = 2, IO_FLUSH = 4, IO_DISCARD = 8, IO_EVERY = 0xf };

/* The events that an image without a format of its own goes through; QEMU's formats have
 * more. */
static const char *const event_names[] = {"none",        "read_aio",      "write_aio",
                                          "flush_to_os", "flush_to_disk", NULL};

typedef struct BlkdebugRule {
    const char *event;  /* of event_names; EVERY_EVENT */
    uint64_t state;     /* in which it holds; 0: in all */
    uint64_t new_state; /* 0: an error instead */
    uint64_t code;      /* errno */
    uint64_t sector;    /* that must be among those accessed; EVERY_SECTOR */
    unsigned accesses;  /* IO_* */
    bool once;
} BlkdebugRule;

typedef struct Blkdebug {
    GArray *rules; /* BlkdebugRule */
    uint64_t state;
    GHashTable *breaks; /* tag -> its event's name */
    char *waiting;      /* the tag of the break where the access stands; NULL: none */
} Blkdebug;

/* -- Rules --------------------------------------------------------------------------- */

static bool take_number(OptionString *options, const char *key, uint64_t *value,
                        GError **error)
{
    g_autofree char *text = option_string_take(options, key);

    if (text && !parse_uint64(text, INT64_MAX, value)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' expects a number", key);
        return false;
    }
    return true;
}

/* A word of a list as the list has it; `missing` where it is not given. */
static bool take_word(OptionString *options, const char *key, const char *const *words,
                      const char **value, GError **error)
{
    g_autofree char *text = option_string_take(options, key);
    g_autofree char *list = NULL;

    for (; text && *words; words++) {
        if (strcmp(text, *words) == 0) {
            *value = *words;
            return true;
        }
    }
    if (text) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' does not accept value '%s'", key, text);
    }
    return !text;
}

static unsigned accesses_named(const char *name)
{
    return strcmp(name, "read") == 0      ? IO_READ
           : strcmp(name, "write") == 0   ? IO_WRITE
           : strcmp(name, "flush") == 0   ? IO_FLUSH
           : strcmp(name, "discard") == 0 ? IO_DISCARD
                                          : 0; /* of no format that there is here */
}

static bool add_rule(Blkdebug *blkdebug, OptionString *options, bool sets_state,
                     GError **error)
{
    static const char *const io_types[] = {
        "read", "write", "write-zeroes", "discard", "flush", "block-status", NULL};
    BlkdebugRule rule = {.code = EIO, .sector = EVERY_SECTOR, .accesses = IO_EVERY};
    const char *io_type = NULL;
    bool immediately; /* QEMU's other choice is later in the same access */

    if (!take_word(options, "event", event_names, &rule.event, error) ||
        !take_number(options, "state", &rule.state, error)) {
        return false;
    }
    if (!rule.event) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                            "Missing event name for rule");
        return false;
    }
    if (rule.event == event_names[0]) {
        rule.event = EVERY_EVENT;
    }
    if (sets_state && !take_number(options, "new_state", &rule.new_state, error)) {
        return false;
    }
    if (!sets_state && (!take_number(options, "errno", &rule.code, error) ||
                        !take_number(options, "sector", &rule.sector, error) ||
                        !block_take_bool(options, "once", &rule.once, error) ||
                        !block_take_bool(options, "immediately", &immediately, error) ||
                        !take_word(options, "iotype", io_types, &io_type, error))) {
        return false;
    }
    if (io_type) {
        rule.accesses = accesses_named(io_type);
    }
    if (options->count) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Invalid parameter '%s': a rule of blkdebug does not know it",
                    options->pairs[0].key);
        return false;
    }
    g_array_append_val(blkdebug->rules, rule);
    return true;
}

/* A line "key = value" of the section at hand. */
static bool read_line(OptionString *section, char *line, GError **error)
{
    char *equals = strchr(line, '=');

    if (!section || !equals) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "'%s' is neither a [section] nor a key = \"value\" in one", line);
        return false;
    }
    *equals = '\0';
    g_strdelimit(equals + 1, "\"", ' ');
    option_string_add(section, g_strstrip(line), g_strstrip(equals + 1));
    return true;
}

/* A file of sections [inject-error] and [set-state]. */
static bool read_config(Blkdebug *blkdebug, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    OptionString *section = NULL;
    bool sets_state = false, good = true;

    if (!g_file_get_contents(path, &text, NULL, error)) {
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **each = lines; good; each++) {
        char *line = *each ? g_strstrip(*each) : NULL;

        if (line && *line != '[') {
            good = !*line || *line == '#' || read_line(section, line, error);
            continue;
        }
        good = !section || add_rule(blkdebug, section, sets_state, error);
        g_clear_pointer(&section, option_string_free);
        if (!line) {
            break;
        }
        sets_state = g_str_has_prefix(line, "[set-state]");
        if (good && !sets_state && !g_str_has_prefix(line, "[inject-error]")) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                        "%s: '%s' is neither [inject-error] nor [set-state]", path, line);
            good = false;
        }
        section = option_string_new();
    }
    g_clear_pointer(&section, option_string_free);
    return good;
}

/* -- Life ---------------------------------------------------------------------------- */

static void blkdebug_free(Blkdebug *blkdebug)
{
    g_array_unref(blkdebug->rules);
    g_hash_table_unref(blkdebug->breaks);
    g_free(blkdebug->waiting);
    g_free(blkdebug);
}

/* "inject-error.0.event=..." and so on: the elements of a list in JSON. */
static bool take_rules(Blkdebug *blkdebug, OptionString *options, const char *list,
                       GError **error)
{
    for (unsigned i = 0;; i++) {
        g_autofree char *prefix = g_strdup_printf("%s.%u.", list, i);
        g_autoptr(OptionString) rule = option_string_take_prefix(options, prefix);

        if (!rule->count) {
            return true;
        }
        if (!add_rule(blkdebug, rule, list[0] == 's', error)) {
            return false;
        }
    }
}

static bool blkdebug_open(BlockNode *node, OptionString *options, GError **error)
{
    g_autofree char *config = option_string_take(options, "config");
    Blkdebug *blkdebug = g_new0(Blkdebug, 1);
    char *image = node->filename;

    blkdebug->rules = g_array_new(false, false, sizeof(BlkdebugRule));
    blkdebug->breaks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    blkdebug->state = FIRST_STATE;
    if ((config && *config && !read_config(blkdebug, config, error)) ||
        !take_rules(blkdebug, options, "inject-error", error) ||
        !take_rules(blkdebug, options, "set-state", error)) {
        blkdebug_free(blkdebug);
        return false;
    }
    node->filename = g_strdup_printf("blkdebug:%s:%s", config ? config : "", image);
    g_free(image);
    node->length = node->file->length;
    node->state = blkdebug;
    return true;
}

static void blkdebug_close(BlockNode *node)
{
    blkdebug_free(node->state);
}

/* -- Events -------------------------------------------------------------------------- */

/* Whether the access stands at a break of this event: it then fails with EINPROGRESS. */
static bool stands(Blkdebug *blkdebug, const char *event)
{
    GHashTableIter iter;
    gpointer tag, name;

    if (!blkdebug->waiting) {
        g_hash_table_iter_init(&iter, blkdebug->breaks);
        while (g_hash_table_iter_next(&iter, &tag, &name)) {
            if (strcmp(name, event) == 0) {
                blkdebug->waiting = g_strdup(tag);
                g_hash_table_iter_remove(&iter); /* repeated, the access passes */
                break;
            }
        }
    }
    if (blkdebug->waiting) {
        errno = EINPROGRESS;
    }
    return blkdebug->waiting != NULL;
}

/* What the rules have for an access at an event; 0 or an errno. State changes count from
 * the next access on. */
static int follow_rules(Blkdebug *blkdebug, const char *event, unsigned access,
                        uint64_t offset, uint64_t length)
{
    uint64_t state = blkdebug->state;
    int code = 0;

    for (guint i = 0; i < blkdebug->rules->len; i++) {
        const BlkdebugRule *rule = &g_array_index(blkdebug->rules, BlkdebugRule, i);

        if ((rule->event != EVERY_EVENT && strcmp(rule->event, event) != 0) ||
            (rule->state && rule->state != state)) {
            continue;
        }
        if (rule->new_state) {
            blkdebug->state = rule->new_state;
        } else if (!code && (rule->accesses & access) &&
                   (rule->sector == EVERY_SECTOR ||
                    (rule->sector >= offset / BLOCK_SECTOR_SIZE &&
                     rule->sector < (offset + length + BLOCK_SECTOR_SIZE - 1) /
                                        BLOCK_SECTOR_SIZE))) {
            code = (int)rule->code;
            if (rule->once) {
                g_array_remove_index(blkdebug->rules, i--);
            }
        }
    }
    return code;
}

/* Whether the access goes on past the event; else errno says why. */
static bool passes(BlockNode *node, const char *event, unsigned access, uint64_t offset,
                   uint64_t length)
{
    int code;

    if (stands(node->state, event)) {
        return false;
    }
    code = follow_rules(node->state, event, access, offset, length);
    if (code) {
        errno = code == EINPROGRESS ? EIO : code; /* that one is a break's */
    }
    return code == 0;
}

static bool blkdebug_read(BlockNode *node, uint64_t offset, void *buffer, size_t length)
{
    return passes(node, "read_aio", IO_READ, offset, length) &&
           block_node_read(node->file, offset, buffer, length);
}

static bool blkdebug_write(BlockNode *node, uint64_t offset, const void *buffer,
                           size_t length)
{
    return passes(node, "write_aio", IO_WRITE, offset, length) &&
           block_node_write(node->file, offset, buffer, length);
}

static bool blkdebug_flush(BlockNode *node)
{
    return passes(node, "flush_to_os", IO_FLUSH, 0, 0) &&
           passes(node, "flush_to_disk", IO_FLUSH, 0, 0) &&
           (!node->file->driver->flush || node->file->driver->flush(node->file));
}

static bool blkdebug_discard(BlockNode *node, uint64_t offset, uint64_t length)
{
    return passes(node, "none", IO_DISCARD, offset, length) &&
           (!node->file->unmap || !node->file->driver->discard ||
            node->file->driver->discard(node->file, offset, length));
}

/* -- At run time --------------------------------------------------------------------- */

static bool add_break(Blkdebug *blkdebug, const char *event, const char *tag,
                      GError **error)
{
    for (unsigned i = 1; event_names[i]; i++) {
        if (strcmp(event_names[i], event) == 0) {
            g_hash_table_insert(blkdebug->breaks, g_strdup(tag),
                                (gpointer)event_names[i]);
            return true;
        }
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "Could not set a breakpoint: there is no event '%s'", event);
    return false;
}

static bool take_tag(Blkdebug *blkdebug, const char *tag)
{
    if (g_strcmp0(blkdebug->waiting, tag) != 0) {
        return g_hash_table_remove(blkdebug->breaks, tag);
    }
    g_clear_pointer(&blkdebug->waiting, g_free);
    return true;
}

bool block_debug(BlockBackend *backend, const char *command, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(command, " \t", -1);
    guint count = g_strv_length(words);
    BlockNode *node = backend->node;
    bool is_break = count == 3 && strcmp(words[0], "break") == 0;
    bool is_resume = count == 2 && strcmp(words[0], "resume") == 0;
    bool is_remove = count == 2 && strcmp(words[0], "remove_break") == 0;

    while (node && node->driver != &block_driver_blkdebug) {
        node = node->file;
    }
    if (!is_break && !is_resume && !is_remove) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "'%s' is no command for an image; there are: break EVENT TAG, resume "
                    "TAG, remove_break TAG",
                    command);
        return false;
    }
    if (!node) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                            "Only an image behind blkdebug can be stopped at: give the "
                            "drive file=blkdebug::IMAGE");
        return false;
    }
    if (is_break) {
        return add_break(node->state, words[1], words[2], error);
    }
    if (!take_tag(node->state, words[1])) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "Could not resume: there is no breakpoint '%s'", words[1]);
        return false;
    }
    block_repeat(backend);
    return true;
}

const BlockDriver block_driver_blkdebug = {
    .name = "blkdebug",
    .below = "image",
    .open = blkdebug_open,
    .close = blkdebug_close,
    .read = blkdebug_read,
    .write = blkdebug_write,
    .flush = blkdebug_flush,
    .discard = blkdebug_discard,
};
