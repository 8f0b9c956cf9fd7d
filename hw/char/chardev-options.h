/*
 * What a chardev's text says, checked against what its backend knows. Both spellings of a
 * switch are taken: "server=on", "wait=off" and the older "server", "nowait".
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CHAR_CHARDEV_OPTIONS_H
#define HW_CHAR_CHARDEV_OPTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Option {
    char *key, *value;
} Option;

typedef struct Options {
    GPtrArray *list; /* Option *, in order of their being set */
} Options;

Options *options_new(void);
void options_free(Options *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Options, options_free)

/* Adds what `text` says. `first`: the key of a first word without "=", or NULL. */
void options_add(Options *options, const char *text, const char *first);

/* Sets one; an earlier setting of the key goes. */
void options_set(Options *options, const char *key, const char *value);
void options_set_default(Options *options, const char *key, const char *value);

/* The value, or NULL. It stays the options'. */
const char *options_get(const Options *options, const char *key);

/* Into *value, which keeps what it holds when the key is absent. False and *error when
 * the text is not "on" or "off", or not a number of 0..max. */
bool options_get_bool(const Options *options, const char *key, bool *value,
                      GError **error);
bool options_get_number(const Options *options, const char *key, uint64_t max,
                        uint64_t *value, GError **error);

/* Turns "nox" into x=off where x is known (`known` is ended by NULL). False and *error
 * that names a key that is not. */
bool options_check(Options *options, const char *const *known, GError **error);

/* An identifier as QEMU takes it: a letter, then letters, digits, '-', '.', '_'. */
bool options_check_id(const char *id, GError **error);

#endif
