/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/option-string.h"

#include <string.h>

/* One word up to a comma that is not doubled; *text moves behind it. */
static char *next_word(const char **text)
{
    GString *word = g_string_new(NULL);
    const char *at = *text;

    while (*at) {
        if (*at == ',') {
            if (at[1] != ',') {
                break;
            }
            at++;
        }
        g_string_append_c(word, *at++);
    }
    *text = *at ? at + 1 : at;
    return g_string_free(word, false);
}

OptionString *option_string_parse(const char *text, const char *implied)
{
    OptionString *options = g_new0(OptionString, 1);
    GArray *pairs = g_array_new(false, false, sizeof(OptionPair));

    while (*text) {
        g_autofree char *word = next_word(&text);
        char *equals = strchr(word, '=');
        OptionPair pair;

        if (equals) {
            pair.key = g_strndup(word, (gsize)(equals - word));
            pair.value = g_strdup(equals + 1);
        } else if (pairs->len == 0 && implied) {
            pair.key = g_strdup(implied);
            pair.value = g_strdup(word);
        } else {
            pair.key = g_strdup(word);
            pair.value = g_strdup("on");
        }
        g_array_append_val(pairs, pair);
    }
    options->count = pairs->len;
    options->pairs = (OptionPair *)(void *)g_array_free(pairs, false);
    return options;
}

void option_string_free(OptionString *options)
{
    for (guint i = 0; i < options->count; i++) {
        g_free(options->pairs[i].key);
        g_free(options->pairs[i].value);
    }
    g_free(options->pairs);
    g_free(options);
}

const char *option_string_get(const OptionString *options, const char *key)
{
    const char *value = NULL;

    for (guint i = 0; i < options->count; i++) {
        if (strcmp(options->pairs[i].key, key) == 0) {
            value = options->pairs[i].value;
        }
    }
    return value;
}

char *option_string_take(OptionString *options, const char *key)
{
    char *value = NULL;
    guint kept = 0;

    for (guint i = 0; i < options->count; i++) {
        OptionPair pair = options->pairs[i];

        if (strcmp(pair.key, key) == 0) {
            g_free(value);
            value = pair.value;
            g_free(pair.key);
        } else {
            options->pairs[kept++] = pair;
        }
    }
    options->count = kept;
    return value;
}

OptionString *option_string_new(void)
{
    return g_new0(OptionString, 1);
}

void option_string_add(OptionString *options, const char *key, const char *value)
{
    options->pairs = g_renew(OptionPair, options->pairs, options->count + 1);
    options->pairs[options->count++] = (OptionPair){g_strdup(key), g_strdup(value)};
}

OptionString *option_string_take_prefix(OptionString *options, const char *prefix)
{
    OptionString *taken = option_string_new();
    guint kept = 0;

    for (guint i = 0; i < options->count; i++) {
        OptionPair pair = options->pairs[i];

        if (g_str_has_prefix(pair.key, prefix)) {
            option_string_add(taken, pair.key + strlen(prefix), pair.value);
            g_free(pair.key);
            g_free(pair.value);
        } else {
            options->pairs[kept++] = pair;
        }
    }
    options->count = kept;
    return taken;
}
