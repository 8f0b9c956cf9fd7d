/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/chardev-options.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/option-string.h"
#include "hw/core/property.h"

static void option_free(gpointer data)
{
    Option *option = data;

    g_free(option->key);
    g_free(option->value);
    g_free(option);
}

Options *options_new(void)
{
    Options *options = g_new(Options, 1);

    options->list = g_ptr_array_new_with_free_func(option_free);
    return options;
}

void options_free(Options *options)
{
    if (options) {
        g_ptr_array_unref(options->list);
        g_free(options);
    }
}

static Option *find(const Options *options, const char *key)
{
    for (guint i = 0; i < options->list->len; i++) {
        Option *option = options->list->pdata[i];

        if (strcmp(option->key, key) == 0) {
            return option;
        }
    }
    return NULL;
}

void options_set(Options *options, const char *key, const char *value)
{
    Option *option = find(options, key);

    if (option) {
        g_free(option->value);
    } else {
        option = g_new0(Option, 1);
        option->key = g_strdup(key);
        g_ptr_array_add(options->list, option);
    }
    option->value = g_strdup(value);
}

void options_set_default(Options *options, const char *key, const char *value)
{
    if (!find(options, key)) {
        options_set(options, key, value);
    }
}

const char *options_get(const Options *options, const char *key)
{
    Option *option = find(options, key);

    return option ? option->value : NULL;
}

void options_add(Options *options, const char *text, const char *first)
{
    g_autoptr(OptionString) words = option_string_parse(text ? text : "", first);

    for (guint i = 0; i < words->count; i++) {
        options_set(options, words->pairs[i].key, words->pairs[i].value);
    }
}

bool options_get_bool(const Options *options, const char *key, bool *value,
                      GError **error)
{
    const char *text = options_get(options, key);

    if (text && !parse_bool(text, value)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' expects 'on' or 'off'", key);
        return false;
    }
    return true;
}

bool options_get_number(const Options *options, const char *key, uint64_t max,
                        uint64_t *value, GError **error)
{
    const char *text = options_get(options, key);

    if (text && !parse_uint64(text, max, value)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' expects a number from 0 to %" G_GUINT64_FORMAT, key,
                    max);
        return false;
    }
    return true;
}

bool options_check(Options *options, const char *const *known, GError **error)
{
    for (guint i = 0; i < options->list->len; i++) {
        Option *option = options->list->pdata[i];

        if (g_strv_contains(known, option->key)) {
            continue;
        }
        if (g_str_has_prefix(option->key, "no") && strcmp(option->value, "on") == 0 &&
            g_strv_contains(known, option->key + 2)) {
            memmove(option->key, option->key + 2, strlen(option->key + 2) + 1);
            g_free(option->value);
            option->value = g_strdup("off");
        } else {
            const char *nearest = nearest_name(option->key, known);

            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        "Invalid parameter '%s'%s%s%s", option->key,
                        nearest ? ", did you mean '" : "", nearest ? nearest : "",
                        nearest ? "'?" : "");
            return false;
        }
    }
    return true;
}

bool options_check_id(const char *id, GError **error)
{
    bool good = g_ascii_isalpha(id[0]);

    for (const char *p = id; good && *p; p++) {
        good = g_ascii_isalnum(*p) || strchr("-._", *p);
    }
    if (!good) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter 'id' expects an identifier, not '%s': a letter, then "
                    "letters, digits, '-', '.' or '_'",
                    id);
    }
    return good;
}
