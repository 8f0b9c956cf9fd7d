/*
 * State in the form of the stream, for tests: bytes are written as hexadecimal text, in
 * which blanks do not count, so that a test shows field by field what it expects.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_VMSTATE_FIXTURE_H
#define QTESTS_VMSTATE_FIXTURE_H

#include <check.h>
#include <json-glib/json-glib.h>
#include <string.h>

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
    VMStateEntry *entry = vmstate_find(id, instance_id, NULL);

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

/* -- By the names of fields --------------------------------------------------------- */

/* A section's bytes, and where in them each field is, by the stream's own description:
 * "env.regs[3]", "env.segs[1].flags", "cpu/tsc_khz/env.tsc_khz". */
typedef struct NamedBytes {
    GByteArray *bytes;
    GPtrArray *names;
    GArray *offsets; /* size_t; one more than names, the last is the end */
} NamedBytes;

static void name_fields(NamedBytes *named, JsonObject *table, const char *prefix,
                        size_t *offset)
{
    JsonArray *fields = json_object_get_array_member(table, "fields");

    for (guint i = 0; i < json_array_get_length(fields); i++) {
        JsonObject *field = json_array_get_object_element(fields, i);
        int64_t count = json_object_get_int_member_with_default(field, "array_len", 1);
        JsonObject *inner = json_object_has_member(field, "struct")
                                ? json_object_get_object_member(field, "struct")
                            : json_object_has_member(field, "fields") ? field
                                                                      : NULL;

        for (int64_t n = 0; n < count; n++) {
            g_autoptr(GString) name = g_string_new(prefix);

            g_string_append(name, json_object_get_string_member(field, "name"));
            if (count > 1) {
                g_string_append_printf(name, "[%d]", (int)n);
            }
            if (inner) {
                g_string_append_c(name, '.');
                name_fields(named, inner, name->str, offset);
            } else {
                g_ptr_array_add(named->names, g_strdup(name->str));
                g_array_append_val(named->offsets, *offset);
                *offset += (size_t)json_object_get_int_member(field, "size");
            }
        }
    }
    if (json_object_has_member(table, "subsections")) {
        JsonArray *subs = json_object_get_array_member(table, "subsections");

        for (guint i = 0; i < json_array_get_length(subs); i++) {
            JsonObject *sub = json_array_get_object_element(subs, i);
            const char *name = json_object_get_string_member(sub, "vmsd_name");
            g_autofree char *inside = g_strdup_printf("%s%s/", prefix, name);

            *offset += 1 + 1 + strlen(name) + 4;
            name_fields(named, sub, inside, offset);
        }
    }
}

static G_GNUC_UNUSED NamedBytes *save_named(const VMStateEntry *entry)
{
    NamedBytes *named = g_new0(NamedBytes, 1);
    g_autoptr(GString) json = g_string_new(NULL);
    g_autoptr(Wire) wire = wire_new_memory();
    g_autoptr(JsonNode) root = NULL;
    const uint8_t *data;
    size_t size, offset = 0;

    json_text_begin_object(json, NULL);
    ck_assert(vmstate_save(wire, entry->vmsd, entry->opaque, json));
    json_text_end_object(json);
    root = json_from_string(json->str, NULL);
    ck_assert_ptr_nonnull(root);
    data = wire_data(wire, &size);
    named->bytes = g_byte_array_new();
    g_byte_array_append(named->bytes, data, (guint)size);
    named->names = g_ptr_array_new();
    named->offsets = g_array_new(false, false, sizeof(size_t));
    name_fields(named, json_node_get_object(root), "", &offset);
    g_array_append_val(named->offsets, offset);
    ck_assert_uint_eq(offset, size); /* the description accounts for every byte */
    return named;
}

static void find_named(const NamedBytes *named, const char *name, size_t *offset,
                       size_t *size)
{
    for (guint i = 0; i < named->names->len; i++) {
        if (strcmp(named->names->pdata[i], name) == 0) {
            *offset = g_array_index(named->offsets, size_t, i);
            *size = g_array_index(named->offsets, size_t, i + 1) - *offset;
            return;
        }
    }
    ck_abort_msg("there is no field '%s'", name);
}

/* The field as a number, of at most its first 8 bytes. */
static G_GNUC_UNUSED uint64_t get_named(const NamedBytes *named, const char *name)
{
    size_t offset, size;
    uint64_t value = 0;

    find_named(named, name, &offset, &size);
    for (size_t i = 0; i < MIN(size, 8); i++) {
        value = value << 8 | named->bytes->data[offset + i];
    }
    return value;
}

static G_GNUC_UNUSED void set_named(NamedBytes *named, const char *name, uint64_t value)
{
    size_t offset, size;

    find_named(named, name, &offset, &size);
    for (size_t i = MIN(size, 8); i-- > 0; value >>= 8) {
        named->bytes->data[offset + i] = (uint8_t)value;
    }
}

/* NULL, or why it does not load (free it). */
static G_GNUC_UNUSED char *load_named(const VMStateEntry *entry, const NamedBytes *named)
{
    g_autoptr(Wire) wire = wire_new_bytes(named->bytes->data, named->bytes->len);

    return vmstate_load(wire, entry->vmsd, entry->opaque, entry->vmsd->version_id)
               ? NULL
               : g_strdup(wire_error(wire)->message);
}

#endif
