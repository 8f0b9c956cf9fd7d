/*
 * Wire: a stream of bytes that is written or read once, front to back. What moves a
 * machine's state (hw/core/vmstate.h, machine/migration) speaks through it.
 *
 * Numbers are big-endian. The first failure sticks: from then on puts write nothing, gets
 * return zeroes, and wire_error() says what went wrong and at which byte, so that a long
 * run of gets needs one check at its end. A loop whose bound came from the stream must
 * look at wire_failed() each time round.
 *
 * A Wire belongs to one thread at a time and takes no lock; its callbacks may block.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_WIRE_H
#define HW_CORE_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Wire Wire;

/* Writes all `size` bytes; false and *error when it cannot. */
typedef bool (*WireWriteFunc)(void *opaque, const void *data, size_t size,
                              GError **error);
/* Reads 1..size bytes; 0 at the end of the stream, -1 and *error on failure. */
typedef ssize_t (*WireReadFunc)(void *opaque, void *data, size_t size, GError **error);

Wire *wire_new_writer(WireWriteFunc write, void *opaque);
Wire *wire_new_reader(WireReadFunc read, void *opaque);
/* Writes to memory, which wire_data() shows. */
Wire *wire_new_memory(void);
/* Reads `data`, which must outlive the wire. */
Wire *wire_new_bytes(const void *data, size_t size);
/* Does not flush. */
void wire_free(Wire *wire);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Wire, wire_free)

/* What a memory writer has so far; valid until the next put. */
const uint8_t *wire_data(const Wire *wire, size_t *size);

/* -- Failure ------------------------------------------------------------------------ */

static inline bool wire_failed(const Wire *wire);
/* The first failure, or NULL; the wire keeps it. Its message ends "(at byte N)". */
const GError *wire_error(const Wire *wire);
/* Notes a failure at the current byte unless there is one already. */
void wire_fail(Wire *wire, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same of a byte elsewhere, for who has looked ahead. */
void wire_fail_at(Wire *wire, uint64_t offset, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Puts "what: " before the message of a failure, once, where one knows the context. */
void wire_prefix_error(Wire *wire, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Bytes written or consumed since the beginning. */
uint64_t wire_offset(const Wire *wire);

/* -- Writing ------------------------------------------------------------------------ */

void wire_put_buffer(Wire *wire, const void *data, size_t size);
/* The low `bytes` (1..8) bytes of value. */
void wire_put_be(Wire *wire, uint64_t value, unsigned bytes);
#define wire_put_u8(wire, value) wire_put_be(wire, value, 1)
#define wire_put_be16(wire, value) wire_put_be(wire, value, 2)
#define wire_put_be32(wire, value) wire_put_be(wire, value, 4)
#define wire_put_be64(wire, value) wire_put_be(wire, value, 8)
/* One byte of length (at most 255) and the characters. */
void wire_put_counted_string(Wire *wire, const char *text);
/* Hands what is buffered to the callback; false when the wire has failed. */
bool wire_flush(Wire *wire);

/* -- Reading ------------------------------------------------------------------------ */

/* False, and zeroes in data, when the stream ends before. */
bool wire_get_buffer(Wire *wire, void *data, size_t size);
uint64_t wire_get_be(Wire *wire, unsigned bytes);
#define wire_get_u8(wire) ((uint8_t)wire_get_be(wire, 1))
#define wire_get_be16(wire) ((uint16_t)wire_get_be(wire, 2))
#define wire_get_be32(wire) ((uint32_t)wire_get_be(wire, 4))
#define wire_get_be64(wire) wire_get_be(wire, 8)
/* text gets up to 255 characters and a NUL; a NUL within them is a failure. */
bool wire_get_counted_string(Wire *wire, char text[256]);
void wire_skip(Wire *wire, uint64_t size);

/* The next `size` (at most WIRE_PEEK) bytes without consuming them, valid until the next
 * call; NULL when the stream has fewer left, which is no failure. */
enum { WIRE_PEEK = 512 };
const uint8_t *wire_peek(Wire *wire, size_t size);

/* -- Inside ------------------------------------------------------------------------- */

struct Wire {
    WireWriteFunc write;
    WireReadFunc read;
    void *opaque;
    uint8_t *buffer;
    size_t capacity;
    size_t position; /* in buffer: of the next byte to put or get */
    size_t filled;   /* reader: bytes in buffer */
    uint64_t base;   /* offset in the stream of buffer[0] */
    bool owns_buffer;
    GError *error;
};

static inline bool wire_failed(const Wire *wire)
{
    return wire->error != NULL;
}

#endif
