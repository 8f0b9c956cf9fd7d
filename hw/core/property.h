/*
 * Properties of devices, machines and accelerators, described as tables.
 *
 * A table row names a property, its kind, where it lives in the object's structure and
 * its default. property_install_table() turns the rows into GObject properties, so that
 * `-device x,help`, `-global`, QMP's qom-get and C code all see the same thing.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_PROPERTY_H
#define HW_CORE_PROPERTY_H

#include <glib-object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum PropertyKind {
    PROPERTY_BOOL,   /* bool; on/off/yes/no/true/false */
    PROPERTY_UINT8,
    PROPERTY_UINT16,
    PROPERTY_UINT32,
    PROPERTY_UINT64,
    PROPERTY_INT32,
    PROPERTY_SIZE,   /* uint64_t bytes; takes K, M, G, T */
    PROPERTY_STRING, /* char *, owned by the object */
    PROPERTY_ENUM,   /* int; an index into `names` */
} PropertyKind;

typedef struct Property {
    const char *name; /* QEMU's spelling */
    PropertyKind kind;
    size_t offset; /* in the instance structure */
    uint64_t initial;
    const char *initial_string;
    const char *const *names; /* PROPERTY_ENUM: NULL-terminated */
    const char *help;
} Property;

#define PROPERTY_ROW(name_, kind_, Struct, field, initial_, help_)                          \
    {.name = name_, .kind = kind_, .offset = offsetof(Struct, field),                      \
     .initial = (uint64_t)(initial_), .help = help_}
#define PROP_BOOL(name, Struct, field, initial, help)                                      \
    PROPERTY_ROW(name, PROPERTY_BOOL, Struct, field, initial, help)
#define PROP_UINT8(name, Struct, field, initial, help)                                     \
    PROPERTY_ROW(name, PROPERTY_UINT8, Struct, field, initial, help)
#define PROP_UINT16(name, Struct, field, initial, help)                                    \
    PROPERTY_ROW(name, PROPERTY_UINT16, Struct, field, initial, help)
#define PROP_UINT32(name, Struct, field, initial, help)                                    \
    PROPERTY_ROW(name, PROPERTY_UINT32, Struct, field, initial, help)
#define PROP_UINT64(name, Struct, field, initial, help)                                    \
    PROPERTY_ROW(name, PROPERTY_UINT64, Struct, field, initial, help)
#define PROP_INT32(name, Struct, field, initial, help)                                     \
    PROPERTY_ROW(name, PROPERTY_INT32, Struct, field, initial, help)
#define PROP_SIZE(name, Struct, field, initial, help)                                      \
    PROPERTY_ROW(name, PROPERTY_SIZE, Struct, field, initial, help)
#define PROP_STRING(name_, Struct, field, initial_, help_)                                 \
    {.name = name_, .kind = PROPERTY_STRING, .offset = offsetof(Struct, field),            \
     .initial_string = initial_, .help = help_}
#define PROP_ENUM(name_, Struct, field, initial_, names_, help_)                           \
    {.name = name_, .kind = PROPERTY_ENUM, .offset = offsetof(Struct, field),              \
     .initial = (uint64_t)(initial_), .names = names_, .help = help_}
#define PROP_END {.name = NULL}

/* In a class_init: adds the rows (ended by PROP_END; the table lives forever). Properties
 * of a parent class stay. An object gets its defaults from property_init_defaults(),
 * which device_new() calls. */
void property_install_table(GObjectClass *klass, const Property *table);
void property_init_defaults(GObject *object);

/* Sets a property from text. False and *error when there is none of that name (naming the
 * nearest), or the text does not fit its kind. */
bool property_set_string(GObject *object, const char *name, const char *text,
                         GError **error);

/* The value as `info qtree` writes it ("on", "1024 (1 KiB)" ...); free it. NULL: none. */
char *property_get_string(GObject *object, const char *name);

/* Calls func for each row of the object's class, own rows before those of parents. */
void property_foreach(GObjectClass *klass,
                      void (*func)(const Property *property, void *opaque), void *opaque);

/* Text to numbers, strictly: the whole text must be read. Accept decimal, 0x and, for
 * sizes, a suffix B K M G T with an optional fraction. */
bool parse_uint64(const char *text, uint64_t max, uint64_t *value);
bool parse_size(const char *text, uint64_t default_unit, uint64_t *value);
bool parse_bool(const char *text, bool *value);
/* A UUID's bytes in the order of its text (RFC 4122). */
bool parse_uuid(const char *text, uint8_t bytes[16]);

/* For who takes a user's words: sets *error (G_IO_ERROR_INVALID_ARGUMENT, printf style);
 * returns false. */
bool refuse_argument(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The candidate nearest to `name` in letters, or NULL when none is near enough to be
 * meant. `candidates` is NULL-terminated. */
const char *nearest_name(const char *name, const char *const *candidates);

#endif
