/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <inttypes.h>
#include <string.h>

#include "machine/cli/stream.h"

/* How the description's types read. What is not here is bytes. */
static const struct NumberType {
    const char *name; /* the type is this, or this and a space and more ("int32 equal") */
    unsigned bytes;
    bool is_signed;
} number_types[] = {
    {"bool", 1, false},   {"uint8", 1, false},      {"uint16", 2, false},
    {"uint32", 4, false}, {"uint64", 8, false},     {"int8", 1, true},
    {"int16", 2, true},   {"int32", 4, true},       {"int64", 8, true},
    {"timer", 8, true},   {"cpu_double", 8, false}, {"CPU_Double_U", 8, false},
};

enum { TEXT_BYTES = 32, TEXT_VALUES = 16 };

static const struct NumberType *number_type(const StreamField *field)
{
    for (size_t i = 0; i < G_N_ELEMENTS(number_types); i++) {
        size_t length = strlen(number_types[i].name);

        if (strncmp(field->type, number_types[i].name, length) == 0 &&
            (field->type[length] == 0 || field->type[length] == ' ') &&
            field->size == number_types[i].bytes) {
            return &number_types[i];
        }
    }
    return NULL;
}

static uint64_t number_at(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static int64_t extend(uint64_t value, unsigned bytes)
{
    unsigned shift = 64 - 8 * bytes;

    return (int64_t)(value << shift) >> shift;
}

static void append_bytes(GString *text, const uint8_t *at, uint64_t bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (uint64_t i = 0; i < bytes; i++) {
        g_string_append_c(text, digits[at[i] >> 4]);
        g_string_append_c(text, digits[at[i] & 15]);
    }
}

static void append_number(GString *text, const struct NumberType *type, const uint8_t *at)
{
    uint64_t value = number_at(at, type->bytes);

    if (type->is_signed) {
        g_string_append_printf(text, "%" PRId64, extend(value, type->bytes));
    } else {
        g_string_append_printf(text, "0x%" PRIx64, value);
    }
}

char *stream_value_text(const StreamInspection *inspection, const StreamField *field)
{
    const struct NumberType *type = number_type(field);
    const uint8_t *at = inspection->data + field->offset;
    GString *text = g_string_new(field->is_array ? "[" : NULL);

    for (uint64_t i = 0; i < MIN(field->count, TEXT_VALUES); i++, at += field->size) {
        if (i) {
            g_string_append(text, ", ");
        }
        if (type) {
            append_number(text, type, at);
        } else {
            append_bytes(text, at, MIN(field->size, TEXT_BYTES));
            if (field->size > TEXT_BYTES) {
                g_string_append_printf(text, "... (%" PRIu64 " bytes)", field->size);
            }
        }
    }
    if (field->count > TEXT_VALUES) {
        g_string_append_printf(text, ", ... (%" PRIu64 ")", field->count);
    }
    if (field->is_array) {
        g_string_append_c(text, ']');
    }
    return g_string_free(text, false);
}

static void add_value(JsonText *json, const char *member, const struct NumberType *type,
                      const uint8_t *at, uint64_t bytes)
{
    if (!type) {
        g_autoptr(GString) text = g_string_new(NULL);

        append_bytes(text, at, bytes);
        json_text_add_string(json, member, text->str);
    } else if (type->is_signed) {
        json_text_add_int(json, member, extend(number_at(at, type->bytes), type->bytes));
    } else {
        json_text_add_uint(json, member, number_at(at, type->bytes));
    }
}

void stream_value_json(JsonText *json, const StreamInspection *inspection,
                       const StreamField *field)
{
    const struct NumberType *type = number_type(field);
    const uint8_t *at = inspection->data + field->offset;

    if (!field->is_array) {
        add_value(json, "value", type, at, field->size);
        return;
    }
    json_text_begin_array(json, "value");
    for (uint64_t i = 0; field->size && i < field->count; i++, at += field->size) {
        add_value(json, NULL, type, at, field->size);
    }
    json_text_end_array(json);
}
