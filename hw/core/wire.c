/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/wire.h"

#include <gio/gio.h>
#include <string.h>

enum { BUFFER_SIZE = 32 * 1024 };

static Wire *wire_new(size_t capacity)
{
    Wire *wire = g_new0(Wire, 1);

    wire->capacity = capacity;
    wire->buffer = g_malloc(capacity);
    wire->owns_buffer = true;
    return wire;
}

Wire *wire_new_writer(WireWriteFunc write, void *opaque)
{
    Wire *wire = wire_new(BUFFER_SIZE);

    wire->write = write;
    wire->opaque = opaque;
    return wire;
}

Wire *wire_new_reader(WireReadFunc read, void *opaque)
{
    Wire *wire = wire_new(BUFFER_SIZE);

    wire->read = read;
    wire->opaque = opaque;
    return wire;
}

Wire *wire_new_memory(void)
{
    return wire_new(1024);
}

Wire *wire_new_bytes(const void *data, size_t size)
{
    Wire *wire = g_new0(Wire, 1);

    wire->buffer = (uint8_t *)data; /* a reader never writes there */
    wire->capacity = wire->filled = size;
    return wire;
}

void wire_free(Wire *wire)
{
    if (wire->owns_buffer) {
        g_free(wire->buffer);
    }
    g_clear_error(&wire->error);
    g_free(wire);
}

const uint8_t *wire_data(const Wire *wire, size_t *size)
{
    *size = wire->position;
    return wire->buffer;
}

uint64_t wire_offset(const Wire *wire)
{
    return wire->base + wire->position;
}

/* -- Failure ------------------------------------------------------------------------ */

const GError *wire_error(const Wire *wire)
{
    return wire->error;
}

static void note_failure(Wire *wire, uint64_t offset, const char *format, va_list args)
{
    g_autofree char *message = NULL;

    if (wire->error) {
        return;
    }
    message = g_strdup_vprintf(format, args);
    g_set_error(&wire->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "%s (at byte %" G_GUINT64_FORMAT ")", message, offset);
}

void wire_fail(Wire *wire, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note_failure(wire, wire_offset(wire), format, args);
    va_end(args);
}

void wire_fail_at(Wire *wire, uint64_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note_failure(wire, offset, format, args);
    va_end(args);
}

void wire_prefix_error(Wire *wire, const char *format, ...)
{
    g_autofree char *prefix = NULL;
    va_list args;

    if (!wire->error) {
        return;
    }
    va_start(args, format);
    prefix = g_strdup_vprintf(format, args);
    va_end(args);
    g_prefix_error(&wire->error, "%s: ", prefix);
}

/* Keeps the callback's error, with the offset. */
static void fail_with(Wire *wire, GError *error)
{
    wire->error = error;
    g_autofree char *old = error->message;
    error->message =
        g_strdup_printf("%s (at byte %" G_GUINT64_FORMAT ")", old, wire_offset(wire));
}

/* -- Writing ------------------------------------------------------------------------ */

static void write_out(Wire *wire, const void *data, size_t size)
{
    GError *error = NULL;

    if (size && !wire->write(wire->opaque, data, size, &error)) {
        fail_with(wire, error);
    }
}

bool wire_flush(Wire *wire)
{
    size_t size = wire->position;

    if (wire->error || !wire->write) {
        return !wire->error;
    }
    write_out(wire, wire->buffer, size);
    wire->base += size;
    wire->position = 0;
    return !wire->error;
}

/* Whether `size` bytes fit into the buffer now. */
static bool make_room(Wire *wire, size_t size)
{
    if (wire->capacity - wire->position >= size) {
        return true;
    }
    if (wire->write) {
        wire_flush(wire);
        return wire->capacity >= size;
    }
    wire->capacity = MAX(wire->capacity * 2, wire->position + size);
    wire->buffer = g_realloc(wire->buffer, wire->capacity);
    return true;
}

void wire_put_buffer(Wire *wire, const void *data, size_t size)
{
    bool fits = !wire->error && make_room(wire, size);

    if (wire->error) {
        return;
    }
    if (fits) {
        memcpy(wire->buffer + wire->position, data, size);
        wire->position += size;
    } else {
        write_out(wire, data, size);
        wire->base += size;
    }
}

void wire_put_be(Wire *wire, uint64_t value, unsigned bytes)
{
    uint64_t big_endian = GUINT64_TO_BE(value);

    wire_put_buffer(wire, (const uint8_t *)&big_endian + 8 - bytes, bytes);
}

void wire_put_counted_string(Wire *wire, const char *text)
{
    size_t length = strlen(text);

    if (length > 255) {
        wire_fail(wire, "'%s' is longer than the stream's 255 characters", text);
        return;
    }
    wire_put_u8(wire, length);
    wire_put_buffer(wire, text, length);
}

/* -- Reading ------------------------------------------------------------------------ */

/* Reads once into data; 0 at the end or on failure. */
static size_t read_in(Wire *wire, void *data, size_t size)
{
    GError *error = NULL;
    ssize_t got = wire->read ? wire->read(wire->opaque, data, size, &error) : 0;

    if (got < 0) {
        fail_with(wire, error);
        return 0;
    }
    return got;
}

const uint8_t *wire_peek(Wire *wire, size_t size)
{
    size_t left = wire->filled - wire->position;

    if (wire->error || size > WIRE_PEEK) {
        return NULL;
    }
    if (left < size && wire->read) {
        memmove(wire->buffer, wire->buffer + wire->position, left);
        wire->base += wire->position;
        wire->position = 0;
        wire->filled = left;
        while (wire->filled < size) {
            size_t got =
                read_in(wire, wire->buffer + wire->filled, wire->capacity - wire->filled);

            if (!got) {
                break;
            }
            wire->filled += got;
        }
        left = wire->filled;
    }
    return left < size ? NULL : wire->buffer + wire->position;
}

static void fail_short(Wire *wire, size_t missing)
{
    wire_fail(wire, "the stream ends %zu byte%s too early", missing,
              missing == 1 ? "" : "s");
}

bool wire_get_buffer(Wire *wire, void *data, size_t size)
{
    uint8_t *to = data;
    size_t left = size;

    while (left && !wire->error) {
        size_t some = MIN(left, wire->filled - wire->position);

        if (some) {
            memcpy(to, wire->buffer + wire->position, some);
            wire->position += some;
        } else if (left >= wire->capacity && wire->read) {
            wire->base += wire->position;
            wire->position = wire->filled = 0;
            some = read_in(wire, to, left); /* past the buffer */
            wire->base += some;
            if (!some) {
                fail_short(wire, left);
            }
        } else if (!wire_peek(wire, 1)) {
            fail_short(wire, left);
        }
        to += some;
        left -= some;
    }
    if (wire->error && size) {
        memset(data, 0, size);
    }
    return !wire->error;
}

uint64_t wire_get_be(Wire *wire, unsigned bytes)
{
    uint64_t big_endian = 0;

    wire_get_buffer(wire, (uint8_t *)&big_endian + 8 - bytes, bytes);
    return GUINT64_FROM_BE(big_endian);
}

bool wire_get_counted_string(Wire *wire, char text[256])
{
    uint8_t length = wire_get_u8(wire);

    memset(text, 0, 256);
    if (wire_get_buffer(wire, text, length) && strlen(text) != length) {
        wire_fail(wire, "a name in the stream has a NUL character in it");
    }
    return !wire->error;
}

void wire_skip(Wire *wire, uint64_t size)
{
    uint8_t dropped[512];

    while (size && !wire->error) {
        size_t some = MIN(size, sizeof(dropped));

        wire_get_buffer(wire, dropped, some);
        size -= some;
    }
}
