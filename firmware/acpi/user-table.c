/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/acpi/user-table.h"

#include <gio/gio.h>
#include <stdint.h>
#include <string.h>

/* The header of all tables (ACPI 1.0b, 5.2.3), by the offsets of its fields. */
#define HEADER_SIZE 36
#define LENGTH_AT 4
#define CHECKSUM_AT 9

typedef struct Field {
    const char *key;
    unsigned offset, size;
    bool is_text;
    const char *initial; /* text; of numbers 1 */
} Field;

static const Field fields[] = {
    {"sig", 0, 4, true, "QEMU"},
    {"rev", 8, 1, false, NULL},
    {"oem_id", 10, 6, true, "QEMUQE"},
    {"oem_table_id", 16, 8, true, "QEMUQEMU"},
    {"oem_rev", 24, 4, false, NULL},
    {"asl_compiler_id", 28, 4, true, "QEMU"},
    {"asl_compiler_rev", 32, 4, false, NULL},
};

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                                                format, arguments));
    va_end(arguments);
    return false;
}

static bool set_field(guint8 *table, const Field *field, const char *value,
                      GError **error)
{
    char *end = NULL;
    guint64 number = value && !field->is_text ? g_ascii_strtoull(value, &end, 0) : 1;

    if (field->is_text) {
        strncpy((char *)table + field->offset, value, field->size);
        return true;
    }
    if (end && (end == value || *end || *value == '-' || number >> (8 * field->size))) {
        return fail(error, "Parameter '%s' expects a number of %u bits", field->key,
                    8 * field->size);
    }
    for (unsigned i = 0; i < field->size; i++) {
        table[field->offset + i] = (guint8)(number >> (8 * i));
    }
    return true;
}

static bool read_files(GByteArray *table, const char *names, GError **error)
{
    g_auto(GStrv) paths = g_strsplit(names, ":", -1);

    for (char **path = paths; *path; path++) {
        g_autofree char *bytes = NULL;
        gsize length;

        if (!g_file_get_contents(*path, &bytes, &length, error)) {
            return false;
        }
        if (length > UINT16_MAX || table->len + length > UINT16_MAX) {
            return fail(error, "ACPI table in '%s' too big: 65535 bytes are the most",
                        names);
        }
        g_byte_array_append(table, (const guint8 *)bytes, (guint)length);
    }
    return true;
}

static const Field *find_field(const char *key)
{
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (strcmp(fields[i].key, key) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

/* The parts of "key=value,...", in the order that the table needs: files, then fields. */
static bool apply(GByteArray *table, char **parts, bool of_files, GError **error)
{
    for (; *parts; parts++) {
        char *equals = strchr(*parts, '=');
        g_autofree char *key = g_strndup(*parts, equals ? (gsize)(equals - *parts) : 0);
        bool is_file = strcmp(key, "file") == 0 || strcmp(key, "data") == 0;
        const Field *field = find_field(key);

        if (!is_file && !field) {
            return fail(error,
                        "Invalid parameter '%s'; write for example "
                        "sig=SSDT,data=FILE, or file=FILE",
                        *parts);
        }
        if (of_files && is_file && !read_files(table, equals + 1, error)) {
            return false;
        }
        if (!of_files && field && !set_field(table->data, field, equals + 1, error)) {
            return false;
        }
    }
    return true;
}

static void append16(GByteArray *list, guint value)
{
    guint16 encoded = GUINT16_TO_LE((guint16)value);

    g_byte_array_append(list, (const guint8 *)&encoded, sizeof encoded);
}

static void finish(GByteArray *table)
{
    guint8 sum = 0;

    for (unsigned i = 0; i < 4; i++) {
        table->data[LENGTH_AT + i] = (guint8)(table->len >> (8 * i));
    }
    table->data[CHECKSUM_AT] = 0;
    for (guint i = 0; i < table->len; i++) {
        sum = (guint8)(sum + table->data[i]);
    }
    table->data[CHECKSUM_AT] = (guint8)-sum;
}

bool acpi_user_table_add(GByteArray *list, const char *option, GError **error)
{
    g_autoptr(GByteArray) table = g_byte_array_new();
    g_auto(GStrv) parts = g_strsplit(option, ",", -1);
    bool has_file = strstr(option, "file="), has_data = strstr(option, "data=");
    static const guint8 header[HEADER_SIZE];

    if (has_file == has_data) {
        return fail(error, "'-acpitable' requires one of 'data' or 'file'");
    }
    if (has_data) {
        g_byte_array_append(table, header, sizeof header);
        for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
            set_field(table->data, &fields[i], fields[i].initial, NULL);
        }
    }
    if (!apply(table, parts, true, error)) {
        return false;
    }
    if (table->len < HEADER_SIZE) {
        return fail(error, "ACPI table too small: it has %u bytes, and its header %d",
                    table->len, HEADER_SIZE);
    }
    if (!apply(table, parts, false, error)) {
        return false;
    }
    finish(table);
    if (!list->len) {
        append16(list, 0);
    }
    list->data[0]++;
    list->data[1] = (guint8)(list->data[1] + !list->data[0]);
    append16(list, table->len);
    g_byte_array_append(list, table->data, table->len);
    return true;
}

const guint8 *acpi_user_table_next(const GByteArray *list, guint *position, guint *length)
{
    guint at = *position ? *position : 2;

    if (!list || at >= list->len) {
        return NULL;
    }
    *length = (guint)(list->data[at] | list->data[at + 1] << 8);
    *position = at + 2 + *length;
    return list->data + at + 2;
}
