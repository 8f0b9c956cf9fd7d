/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/json-stream.h"

#include <stdint.h>
#include <string.h>

void json_stream_init(JsonStream *stream,
                      void (*handle)(JsonNode *value, const char *error, void *opaque),
                      void *opaque)
{
    memset(stream, 0, sizeof(*stream));
    stream->value = g_string_new(NULL);
    stream->handle = handle;
    stream->opaque = opaque;
}

void json_stream_destroy(JsonStream *stream)
{
    g_string_free(stream->value, TRUE);
}

void json_stream_reset(JsonStream *stream)
{
    if (stream->value->allocated_len > 65536) {
        g_string_free(stream->value, TRUE);
        stream->value = g_string_new(NULL);
    }
    g_string_truncate(stream->value, 0);
    stream->depth = 0;
    stream->quote = 0;
    stream->escaped = stream->scalar = stream->skipping = stream->too_long = false;
}

static void fail(JsonStream *stream, const char *error)
{
    json_stream_reset(stream);
    stream->handle(NULL, error, stream->opaque);
}

/* A value is complete: json-glib says whether it is one, and builds it. */
static void finish(JsonStream *stream)
{
    g_autoptr(JsonParser) parser = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    if (stream->too_long) {
        fail(stream, "JSON value exceeds the limit of 1 MiB");
        return;
    }
    text = g_strndup(stream->value->str, stream->value->len);
    json_stream_reset(stream); /* before the handler, which may end the session */
    parser = json_parser_new();
    if (!json_parser_load_from_data(parser, text, -1, &error)) {
        /* "<data>:1:2: Parse error: what", of which the user's words are the last. */
        const char *what = strstr(error->message, "error: ");
        g_autofree char *message =
            g_strdup_printf("JSON parse error, %s", what ? what + 7 : error->message);

        stream->handle(NULL, message, stream->opaque);
    } else {
        stream->handle(json_parser_get_root(parser), NULL, stream->opaque);
    }
}

static void keep(JsonStream *stream, char byte)
{
    if (stream->value->len >= JSON_STREAM_VALUE_MAX) {
        stream->too_long = true;
    } else {
        g_string_append_c(stream->value, byte);
    }
}

/* Strings in single quotes, which QEMU takes too, become ones that json-glib takes. */
static void string_byte(JsonStream *stream, char byte)
{
    if ((guchar)byte < ' ') {
        fail(stream, "JSON parse error, a control character in a string");
    } else if (stream->escaped) {
        stream->escaped = false;
        if (byte == '\'') {
            g_string_truncate(stream->value, stream->value->len - !stream->too_long);
        }
        keep(stream, byte);
    } else if (byte == stream->quote) {
        keep(stream, '"');
        stream->quote = 0;
        if (!stream->depth) {
            finish(stream);
        }
    } else {
        stream->escaped = byte == '\\';
        if (byte == '"') {
            keep(stream, '\\');
        }
        keep(stream, byte);
    }
}

static void open_bracket(JsonStream *stream, char byte)
{
    if (stream->depth == JSON_STREAM_NESTING_MAX) {
        fail(stream, "JSON nesting limit exceeded");
        return;
    }
    stream->closers[stream->depth++] = byte == '{' ? '}' : ']';
    keep(stream, byte);
}

static void close_bracket(JsonStream *stream, char byte)
{
    if (!stream->depth || stream->closers[stream->depth - 1] != byte) {
        fail(stream, "JSON parse error, expecting value");
        return;
    }
    stream->depth--;
    keep(stream, byte);
    if (!stream->depth) {
        finish(stream);
    }
}

/* A byte that JSON has only in strings: one error for it and for what sticks to it. */
static void stray_byte(JsonStream *stream, char byte)
{
    g_autofree char *message =
        g_strdup_printf(g_ascii_isgraph(byte) ? "JSON parse error, stray '%c'"
                                              : "JSON parse error, stray '\\x%02x'",
                        (guchar)byte);

    fail(stream, message);
    stream->skipping = true;
}

static void plain_byte(JsonStream *stream, char byte)
{
    if (stream->skipping && byte && !strchr("{}[],:\"' \t\r\n", byte)) {
        return;
    }
    stream->skipping = false;
    if (stream->scalar && !(g_ascii_isalnum(byte) || strchr("+-._", byte))) {
        finish(stream);
    }
    switch (byte) {
    case '{':
    case '[':
        open_bracket(stream, byte);
        break;
    case '}':
    case ']':
        close_bracket(stream, byte);
        break;
    case '"':
    case '\'':
        stream->quote = byte;
        keep(stream, '"');
        break;
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        if (stream->depth) {
            keep(stream, byte);
        }
        break;
    case ',':
    case ':':
        if (!stream->depth) {
            fail(stream, "JSON parse error, expecting value");
            break;
        }
        keep(stream, byte);
        break;
    default:
        if (!g_ascii_isalnum(byte) && (!byte || !strchr("+-._", byte))) {
            stray_byte(stream, byte);
            break;
        }
        stream->scalar = !stream->depth;
        keep(stream, byte);
    }
}

void json_stream_feed(JsonStream *stream, const char *bytes, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if ((guchar)bytes[i] == 0xff) {
            /* No text holds it: clients send it to get out of a half-sent value. */
            fail(stream, "JSON parse error, stray '\\xff'");
        } else if (stream->quote) {
            string_byte(stream, bytes[i]);
        } else {
            plain_byte(stream, bytes[i]);
        }
    }
}

/* -- Writing ------------------------------------------------------------------------ */

static bool is_plain(char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* Whether eight bytes stand for themselves in a string of JSON: a listing is long, and
 * most of it does. A byte's top bit is set, or comes to be by a carry or a borrow, where
 * it is not ASCII, DEL, below a space, a quote or a backslash; else it stays clear. */
static bool are_plain(const char *text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, text, sizeof(word));
    return ((word | (word + ones) | (word - ones * ' ') | ((word ^ ones * '"') - ones) |
             ((word ^ ones * '\\') - ones)) &
            ones << 7) == 0;
}

/* How many bytes do, up to `end`. */
static size_t plain_length(const char *text, const char *end)
{
    const char *at = text;

    while (end - at >= 8 && are_plain(at)) {
        at += 8;
    }
    while (at < end && is_plain(*at)) {
        at++;
    }
    return (size_t)(at - text);
}

/* One character that does not; returns the next. */
static const char *write_escaped(GString *out, const char *text)
{
    static const char escapes[] = "\"\"\\\\\b"
                                  "b\f"
                                  "f\n"
                                  "n\r"
                                  "r\t"
                                  "t";
    gunichar c = g_utf8_get_char_validated(text, -1);
    const char *next = text + 1;

    for (const char *p = escapes; *p; p += 2) {
        if ((gunichar)*p == c) {
            g_string_append_c(out, '\\');
            g_string_append_c(out, p[1]);
            return next;
        }
    }
    if (c == (gunichar)-1 || c == (gunichar)-2) {
        c = 0xfffd;
    } else {
        next = g_utf8_next_char(text);
    }
    if (c < 0x10000) {
        g_string_append_printf(out, "\\u%04X", c);
    } else {
        g_string_append_printf(out, "\\u%04X\\u%04X", 0xd800 + ((c - 0x10000) >> 10),
                               0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    return next;
}

static void write_string(GString *out, const char *text)
{
    const char *end = text + strlen(text);

    g_string_append_c(out, '"');
    while (text < end) {
        size_t length = plain_length(text, end);

        g_string_append_len(out, text, (gssize)length);
        text += length;
        if (text < end) {
            text = write_escaped(out, text);
        }
    }
    g_string_append_c(out, '"');
}

static void new_line(GString *out, bool pretty, int depth)
{
    if (pretty) {
        g_string_append_printf(out, "\n%*s", depth * 4, "");
    }
}

static void write_value(GString *out, JsonNode *value, bool pretty, int depth);

static void write_object(GString *out, JsonObject *object, bool pretty, int depth)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *member;
    bool first = true;

    g_string_append_c(out, '{');
    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, &member)) {
        g_string_append(out, first ? "" : pretty ? "," : ", ");
        new_line(out, pretty, depth + 1);
        write_string(out, name);
        g_string_append(out, ": ");
        write_value(out, member, pretty, depth + 1);
        first = false;
    }
    if (!first) {
        new_line(out, pretty, depth);
    }
    g_string_append_c(out, '}');
}

static void write_array(GString *out, JsonArray *array, bool pretty, int depth)
{
    guint length = json_array_get_length(array);

    g_string_append_c(out, '[');
    for (guint i = 0; i < length; i++) {
        g_string_append(out, i == 0 ? "" : pretty ? "," : ", ");
        new_line(out, pretty, depth + 1);
        write_value(out, json_array_get_element(array, i), pretty, depth + 1);
    }
    if (length) {
        new_line(out, pretty, depth);
    }
    g_string_append_c(out, ']');
}

static void write_value(GString *out, JsonNode *value, bool pretty, int depth)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    switch (JSON_NODE_TYPE(value)) {
    case JSON_NODE_OBJECT:
        write_object(out, json_node_get_object(value), pretty, depth);
        break;
    case JSON_NODE_ARRAY:
        write_array(out, json_node_get_array(value), pretty, depth);
        break;
    case JSON_NODE_NULL:
        g_string_append(out, "null");
        break;
    default:
        switch (json_node_get_value_type(value)) {
        case G_TYPE_STRING:
            write_string(out, json_node_get_string(value));
            break;
        case G_TYPE_BOOLEAN:
            g_string_append(out, json_node_get_boolean(value) ? "true" : "false");
            break;
        case G_TYPE_DOUBLE:
            g_ascii_formatd(number, sizeof(number), "%.17g", json_node_get_double(value));
            g_string_append(out, number);
            break;
        default:
            g_string_append_printf(out, "%" G_GINT64_FORMAT, json_node_get_int(value));
        }
    }
}

void json_write(GString *out, JsonNode *value, bool pretty)
{
    write_value(out, value, pretty, 0);
}
