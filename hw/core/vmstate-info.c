/*
 * How numbers, timers and buffers go over the wire.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/core/vmstate.h"

/* -- Integers ----------------------------------------------------------------------- */

static uint64_t load_integer(const void *value, unsigned bytes)
{
    switch (bytes) {
    case 1:
        return *(const uint8_t *)value;
    case 2:
        return *(const uint16_t *)value;
    case 4:
        return *(const uint32_t *)value;
    default:
        return *(const uint64_t *)value;
    }
}

static void store_integer(void *value, unsigned bytes, uint64_t integer)
{
    switch (bytes) {
    case 1:
        *(uint8_t *)value = integer;
        break;
    case 2:
        *(uint16_t *)value = integer;
        break;
    case 4:
        *(uint32_t *)value = integer;
        break;
    default:
        *(uint64_t *)value = integer;
        break;
    }
}

static void put_integer(Wire *wire, const void *value, size_t size,
                        const VMStateField *field)
{
    wire_put_be(wire, load_integer(value, size), size);
}

static void get_integer(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    store_integer(value, size, wire_get_be(wire, size));
}

static void get_bool(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    *(bool *)value = wire_get_u8(wire) != 0;
}

static void get_equal(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    uint64_t here = load_integer(value, size);
    uint64_t there = wire_get_be(wire, size);

    if (!wire_failed(wire) && here != there) {
        wire_fail(wire,
                  "'%s' is %" G_GUINT64_FORMAT " here and %" G_GUINT64_FORMAT
                  " in the stream: start this machine with the source's options",
                  field->name, here, there);
    }
}

static void get_at_most(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    int32_t most = *(int32_t *)value;
    int32_t there = (int32_t)wire_get_be32(wire);

    if (there < 0 || there > most) {
        wire_fail(wire, "'%s' is %d in the stream, which is not within 0 and %d",
                  field->name, there, most);
        return;
    }
    *(int32_t *)value = there;
}

#define INTEGER_INFO(name_, suffix, bytes_, is_signed_, get_)                            \
    const VMStateInfo vmstate_info_##suffix = {.name = name_,                            \
                                               .bytes = bytes_,                          \
                                               .is_signed = is_signed_,                  \
                                               .get = get_,                              \
                                               .put = put_integer}

INTEGER_INFO("bool", bool, 1, false, get_bool);
INTEGER_INFO("int8", int8, 1, true, get_integer);
INTEGER_INFO("int16", int16, 2, true, get_integer);
INTEGER_INFO("int32", int32, 4, true, get_integer);
INTEGER_INFO("int64", int64, 8, true, get_integer);
INTEGER_INFO("uint8", uint8, 1, false, get_integer);
INTEGER_INFO("uint16", uint16, 2, false, get_integer);
INTEGER_INFO("uint32", uint32, 4, false, get_integer);
INTEGER_INFO("uint64", uint64, 8, false, get_integer);
INTEGER_INFO("int32 equal", int32_equal, 4, true, get_equal);
INTEGER_INFO("uint8 equal", uint8_equal, 1, false, get_equal);
INTEGER_INFO("uint16 equal", uint16_equal, 2, false, get_equal);
INTEGER_INFO("uint32 equal", uint32_equal, 4, false, get_equal);
INTEGER_INFO("int64 equal", uint64_equal, 8, false, get_equal);
INTEGER_INFO("int32 le", int32_le, 4, true, get_at_most);

/* -- Others ------------------------------------------------------------------------- */

/* The halves of a double, the high one first, are its big-endian bytes. */
static void put_double(Wire *wire, const void *value, size_t size,
                       const VMStateField *field)
{
    wire_put_be64(wire, load_integer(value, 8));
}

static void get_double(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    store_integer(value, 8, wire_get_be64(wire));
}

const VMStateInfo vmstate_info_cpudouble = {
    .name = "CPU_Double_U", .get = get_double, .put = put_double};

static void put_timer(Wire *wire, const void *value, size_t size,
                      const VMStateField *field)
{
    const Timer *timer = value;

    wire_put_be64(wire, timer_pending(timer) ? (uint64_t)timer->expires : UINT64_MAX);
}

static void get_timer(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    uint64_t expires = wire_get_be64(wire);

    if (wire_failed(wire)) {
        return;
    }
    if (expires == UINT64_MAX) {
        timer_del(value);
    } else if (expires > INT64_MAX) {
        wire_fail(wire, "timer '%s' has a time that no clock reaches", field->name);
    } else {
        timer_mod(value, (int64_t)expires);
    }
}

const VMStateInfo vmstate_info_timer = {
    .name = "timer", .get = get_timer, .put = put_timer};

static void put_deadline(Wire *wire, const void *value, size_t size,
                         const VMStateField *field)
{
    wire_put_be64(wire, *(const uint64_t *)value);
}

static void get_deadline(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    *(uint64_t *)value = wire_get_be64(wire);
}

const VMStateInfo vmstate_info_deadline = {
    .name = "timer", .get = get_deadline, .put = put_deadline};

static void put_buffer(Wire *wire, const void *value, size_t size,
                       const VMStateField *field)
{
    wire_put_buffer(wire, value, size);
}

static void get_buffer(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    wire_get_buffer(wire, value, size);
}

const VMStateInfo vmstate_info_buffer = {
    .name = "buffer", .get = get_buffer, .put = put_buffer};

static void put_unused(Wire *wire, const void *value, size_t size,
                       const VMStateField *field)
{
    for (size_t i = 0; i < size; i++) {
        wire_put_u8(wire, 0);
    }
}

static void get_unused(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    wire_skip(wire, size);
}

const VMStateInfo vmstate_info_unused_buffer = {
    .name = "unused_buffer", .get = get_unused, .put = put_unused};

/* The wire's words have 64 bits whatever an unsigned long has; `size` counts bits. */
G_STATIC_ASSERT(sizeof(unsigned long) == sizeof(uint64_t));

static void put_bitmap(Wire *wire, const void *value, size_t size,
                       const VMStateField *field)
{
    for (size_t i = 0; i < (size + 63) / 64; i++) {
        wire_put_be64(wire, ((const uint64_t *)value)[i]);
    }
}

static void get_bitmap(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    for (size_t i = 0; i < (size + 63) / 64; i++) {
        ((uint64_t *)value)[i] = wire_get_be64(wire);
    }
}

const VMStateInfo vmstate_info_bitmap = {
    .name = "bitmap", .get = get_bitmap, .put = put_bitmap};

/* What stands for a NULL in an array of pointers: the character '0'. */
static void put_null(Wire *wire, const void *value, size_t size,
                     const VMStateField *field)
{
    wire_put_u8(wire, '0');
}

static void get_null(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    if (wire_get_u8(wire) != '0') {
        wire_fail(wire, "'%s' has an element that is missing here", field->name);
    }
}

const VMStateInfo vmstate_info_nullptr = {
    .name = "uint64", .get = get_null, .put = put_null};

/* The engine follows the field's table. */
const VMStateInfo vmstate_info_tmp = {.name = "tmp"};
