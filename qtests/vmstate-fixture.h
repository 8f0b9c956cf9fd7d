/*
 * State in the form of the stream, for tests: bytes are written as hexadecimal text, in
 * which blanks do not count, so that a test shows field by field what it expects.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_VMSTATE_FIXTURE_H
#define QTESTS_VMSTATE_FIXTURE_H

#include <check.h>

#include "machine/migration/vmstate.h"

static G_GNUC_UNUSED GByteArray *bytes_of_hex(const char *hex)
{
    GByteArray *bytes = g_byte_array_new();

    while (*hex) {
        if (g_ascii_isspace(*hex)) {
            hex++;
        } else {
            uint8_t byte = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 |
                                     g_ascii_xdigit_value(hex[1]));

            ck_assert_msg(g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]), "%s",
                          hex);
            g_byte_array_append(bytes, &byte, 1);
            hex += 2;
        }
    }
    return bytes;
}

static G_GNUC_UNUSED char *hex_of_bytes(const uint8_t *bytes, size_t size)
{
    GString *hex = g_string_new(NULL);

    for (size_t i = 0; i < size; i++) {
        g_string_append_printf(hex, "%02x", bytes[i]);
    }
    return g_string_free(hex, FALSE);
}

static G_GNUC_UNUSED VMStateEntry *section(const char *id, uint32_t instance_id)
{
    VMStateEntry *entry = vmstate_find(id, instance_id);

    ck_assert_msg(entry != NULL, "there is no section '%s' %u", id, instance_id);
    return entry;
}

/* The state must be written as these bytes. */
static G_GNUC_UNUSED void assert_saves(const VMStateDescription *vmsd, void *opaque,
                                       const char *hex)
{
    g_autoptr(Wire) wire = wire_new_memory();
    g_autoptr(GByteArray) expected = bytes_of_hex(hex);
    g_autofree char *wanted = hex_of_bytes(expected->data, expected->len), *got = NULL;
    const uint8_t *data;
    size_t size;

    ck_assert(vmstate_save(wire, vmsd, opaque, NULL));
    data = wire_data(wire, &size);
    got = hex_of_bytes(data, size);
    ck_assert_str_eq(got, wanted);
}

/* Reads the bytes, all of them. NULL when they fit, else the message (free it). */
static G_GNUC_UNUSED char *load_hex(const VMStateDescription *vmsd, void *opaque,
                                    int version_id, const char *hex)
{
    g_autoptr(GByteArray) bytes = bytes_of_hex(hex);
    g_autoptr(Wire) wire = wire_new_bytes(bytes->data, bytes->len);

    if (vmstate_load(wire, vmsd, opaque, version_id)) {
        ck_assert_uint_eq(wire_offset(wire), bytes->len);
        return NULL;
    }
    return g_strdup(wire_error(wire)->message);
}

static G_GNUC_UNUSED void assert_loads(const VMStateDescription *vmsd, void *opaque,
                                       int version_id, const char *hex)
{
    g_autofree char *message = load_hex(vmsd, opaque, version_id, hex);

    ck_assert_msg(!message, "%s", message);
}

/* It must not load, with `part` in the message. */
static G_GNUC_UNUSED void assert_refuses(const VMStateDescription *vmsd, void *opaque,
                                         int version_id, const char *hex,
                                         const char *part)
{
    g_autofree char *message = load_hex(vmsd, opaque, version_id, hex);

    ck_assert_msg(message && strstr(message, part), "not '%s' but '%s'", part,
                  message ? message : "loaded");
}

#endif
