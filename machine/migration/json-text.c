/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/json-text.h"

#include <inttypes.h>

/* RFC 8259, section 7: quotes, backslashes and what is below a space. */
static void put_string(JsonText *json, const char *value)
{
    g_string_append_c(json, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\') {
            g_string_append_c(json, '\\');
            g_string_append_c(json, *value);
        } else if ((unsigned char)*value < ' ') {
            g_string_append_printf(json, "\\u%04x", (unsigned char)*value);
        } else {
            g_string_append_c(json, *value);
        }
    }
    g_string_append_c(json, '"');
}

/* What comes before a value: a comma unless it is the first, and its name. */
static void put_place(JsonText *json, const char *member)
{
    char last = json->len ? json->str[json->len - 1] : '[';

    if (last != '{' && last != '[') {
        g_string_append(json, ", ");
    }
    if (member) {
        put_string(json, member);
        g_string_append(json, ": ");
    }
}

void json_text_begin_object(JsonText *json, const char *member)
{
    put_place(json, member);
    g_string_append_c(json, '{');
}

void json_text_end_object(JsonText *json)
{
    g_string_append_c(json, '}');
}

void json_text_begin_array(JsonText *json, const char *member)
{
    put_place(json, member);
    g_string_append_c(json, '[');
}

void json_text_end_array(JsonText *json)
{
    g_string_append_c(json, ']');
}

void json_text_add_string(JsonText *json, const char *member, const char *value)
{
    put_place(json, member);
    put_string(json, value);
}

void json_text_add_int(JsonText *json, const char *member, int64_t value)
{
    put_place(json, member);
    g_string_append_printf(json, "%" PRId64, value);
}

void json_text_add_uint(JsonText *json, const char *member, uint64_t value)
{
    put_place(json, member);
    g_string_append_printf(json, "%" PRIu64, value);
}

void json_text_add_bool(JsonText *json, const char *member, bool value)
{
    put_place(json, member);
    g_string_append(json, value ? "true" : "false");
}

void json_text_add_null(JsonText *json, const char *member)
{
    put_place(json, member);
    g_string_append(json, "null");
}
