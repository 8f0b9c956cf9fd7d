/*
 * Option strings: "first,key=value,flag,key2=value2", where ",," is a comma in a value,
 * as -drive, -device, -chardev and -machine take them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_OPTION_STRING_H
#define HW_CORE_OPTION_STRING_H

#include <glib.h>
#include <stdbool.h>

typedef struct OptionPair {
    char *key;
    char *value; /* of a bare "flag": "on"; of "noflag" too: the caller knows its flags */
} OptionPair;

typedef struct OptionString {
    OptionPair *pairs; /* in the order given */
    guint count;
} OptionString;

/* Splits `text`. `implied` is the key of a first word without "=" (NULL: it is a flag). */
OptionString *option_string_parse(const char *text, const char *implied);
void option_string_free(OptionString *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OptionString, option_string_free)

/* The last value given for a key, or NULL. */
const char *option_string_get(const OptionString *options, const char *key);

/* The same, taking it out, so that what is left over can be reported; free it. */
char *option_string_take(OptionString *options, const char *key);

/* Takes out all keys that begin with `prefix`, "file." for example, without it. */
OptionString *option_string_take_prefix(OptionString *options, const char *prefix);

OptionString *option_string_new(void);
void option_string_add(OptionString *options, const char *key, const char *value);

#endif
