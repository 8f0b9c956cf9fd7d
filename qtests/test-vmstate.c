/*
 * The VMState engine, against bytes that were written by hand.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/vmstate-fixture.h"

#include <json-glib/json-glib.h>

#include <string.h>

#include "hw/dma/i8257.h"
#include "qtests/isa-board.h"

static bool always(void *opaque, int version_id)
{
    return true;
}

static bool never(void *opaque, int version_id)
{
    return false;
}

/* -- The wire ----------------------------------------------------------------------- */

enum { PIPE_SIZE = 100000 };

typedef struct Pipe {
    uint8_t bytes[PIPE_SIZE];
    size_t written, read, most; /* most: that one read gives */
    bool broken;
} Pipe;

static bool pipe_write(void *opaque, const void *data, size_t size, GError **error)
{
    Pipe *pipe = opaque;

    if (pipe->broken) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_PIPE, "the pipe is broken");
        return false;
    }
    ck_assert_uint_le(pipe->written + size, PIPE_SIZE);
    memcpy(pipe->bytes + pipe->written, data, size);
    pipe->written += size;
    return true;
}

static ssize_t pipe_read(void *opaque, void *data, size_t size, GError **error)
{
    Pipe *pipe = opaque;
    size_t some = MIN(MIN(size, pipe->most), pipe->written - pipe->read);

    memcpy(data, pipe->bytes + pipe->read, some);
    pipe->read += some;
    return (ssize_t)some;
}

/* Small and large, in pieces of any size, what goes in comes out. */
START_TEST(wire_carries_all)
{
    static const size_t pieces[] = {1, 7, 4096, PIPE_SIZE};
    Pipe *pipe = g_new0(Pipe, 1);
    g_autofree uint8_t *large = g_malloc(50000), *back = g_malloc(50000);
    g_autoptr(Wire) out = wire_new_writer(pipe_write, pipe);

    for (size_t i = 0; i < 50000; i++) {
        large[i] = (uint8_t)(i * 7 + i / 256);
    }
    wire_put_be16(out, 0x1234);
    wire_put_counted_string(out, "name");
    wire_put_buffer(out, large, 50000);
    wire_put_be64(out, UINT64_C(0x8877665544332211));
    ck_assert(wire_flush(out));
    ck_assert_uint_eq(wire_offset(out), 2 + 5 + 50000 + 8);
    ck_assert_uint_eq(pipe->written, 2 + 5 + 50000 + 8);
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(Wire) in = wire_new_reader(pipe_read, pipe);
        char text[256];

        pipe->read = 0;
        pipe->most = pieces[i];
        ck_assert_uint_eq(wire_get_be16(in), 0x1234);
        ck_assert(wire_get_counted_string(in, text));
        ck_assert_str_eq(text, "name");
        ck_assert_mem_eq(wire_peek(in, 300), large, 300);
        ck_assert(wire_get_buffer(in, back, 50000));
        ck_assert_mem_eq(back, large, 50000);
        ck_assert_ptr_null(wire_peek(in, 9));
        ck_assert_uint_eq(wire_get_be64(in), UINT64_C(0x8877665544332211));
        ck_assert(!wire_failed(in));
        ck_assert_uint_eq(wire_get_be32(in), 0);
        ck_assert_str_eq(wire_error(in)->message,
                         "the stream ends 4 bytes too early (at byte 50015)");
    }
}
END_TEST

START_TEST(first_failure_sticks)
{
    Pipe *pipe = g_new0(Pipe, 1);
    g_autoptr(Wire) out = wire_new_writer(pipe_write, pipe);
    g_autoptr(Wire) in = wire_new_bytes("\1\2\3", 3);

    wire_put_be32(out, 1);
    pipe->broken = true;
    ck_assert(!wire_flush(out));
    pipe->broken = false;
    wire_put_be32(out, 2);
    ck_assert(!wire_flush(out));
    ck_assert_uint_eq(pipe->written, 0);
    ck_assert_ptr_nonnull(strstr(wire_error(out)->message, "the pipe is broken"));
    ck_assert_uint_eq(wire_get_be32(in), 0); /* not 0x010203.. */
    wire_fail(in, "another");
    ck_assert_uint_eq(wire_get_u8(in), 0);
    ck_assert_ptr_nonnull(strstr(wire_error(in)->message, "ends 1 byte too early"));
}
END_TEST

/* -- Numbers ------------------------------------------------------------------------ */

typedef struct Numbers {
    bool b;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    uint16_t array[3];
    uint8_t grid[2][2];
    uint32_t later;
    uint8_t absent;
    double real[1];
} Numbers;

static const VMStateDescription numbers = {
    .name = "numbers",
    .version_id = 3,
    .minimum_version_id = 2,
    .fields =
        (const VMStateField[]){
            VMSTATE_BOOL(b, Numbers),
            VMSTATE_INT8(i8, Numbers),
            VMSTATE_INT16(i16, Numbers),
            VMSTATE_INT32(i32, Numbers),
            VMSTATE_INT64(i64, Numbers),
            VMSTATE_UINT8(u8, Numbers),
            VMSTATE_UINT16_TEST(u16, Numbers, always),
            VMSTATE_UINT32(u32, Numbers),
            VMSTATE_UINT64(u64, Numbers),
            VMSTATE_UINT16_SUB_ARRAY(array, Numbers, 1, 2),
            VMSTATE_UINT8_2DARRAY(grid, Numbers, 2, 2),
            VMSTATE_UNUSED(2),
            VMSTATE_UINT8_TEST(absent, Numbers, never),
            VMSTATE_UINT32_V(later, Numbers, 3),
            VMSTATE_CPU_DOUBLE_ARRAY(real, Numbers, 1),
            VMSTATE_END_OF_LIST(),
        },
};

#define NUMBERS_HEAD                                                                     \
    "01 fe fffd fffffffc fffffffffffffffb 12 3456 789abcde f123456789abcdef 0002 0003 "  \
    "04050607 0000 "
#define NUMBERS_REAL "3ff8000000000000" /* 1.5: IEEE 754 */

START_TEST(saves_numbers)
{
    Numbers n = {.b = true,
                 .i8 = -2,
                 .i16 = -3,
                 .i32 = -4,
                 .i64 = -5,
                 .u8 = 0x12,
                 .u16 = 0x3456,
                 .u32 = 0x789abcde,
                 .u64 = 0xf123456789abcdef,
                 .array = {1, 2, 3},
                 .grid = {{4, 5}, {6, 7}},
                 .later = 0xaabbccdd,
                 .absent = 9,
                 .real = {1.5}};

    assert_saves(&numbers, &n, NUMBERS_HEAD "aabbccdd" NUMBERS_REAL);
}
END_TEST

START_TEST(loads_numbers)
{
    Numbers n = {.array = {7}, .absent = 9};

    assert_loads(&numbers, &n, 3, NUMBERS_HEAD "aabbccdd" NUMBERS_REAL);
    ck_assert(n.b);
    ck_assert_int_eq(n.i8, -2);
    ck_assert_int_eq(n.i16, -3);
    ck_assert_int_eq(n.i32, -4);
    ck_assert_int_eq(n.i64, -5);
    ck_assert_uint_eq(n.u16, 0x3456);
    ck_assert_uint_eq(n.u64, 0xf123456789abcdef);
    ck_assert_uint_eq(n.array[0], 7);
    ck_assert_uint_eq(n.array[2], 3);
    ck_assert_uint_eq(n.grid[1][0], 6);
    ck_assert_uint_eq(n.later, 0xaabbccdd);
    ck_assert_uint_eq(n.absent, 9);
    ck_assert(n.real[0] == 1.5);
}
END_TEST

START_TEST(versions)
{
    Numbers n = {.later = 5};

    assert_loads(&numbers, &n, 2, NUMBERS_HEAD NUMBERS_REAL);
    ck_assert_uint_eq(n.later, 5);
    assert_refuses(&numbers, &n, 1, "",
                   "numbers: version 1 in the stream is older than 2");
    assert_refuses(&numbers, &n, 4, "", "numbers: version 4 in the stream is newer");
    assert_refuses(&numbers, &n, -1, "", "older");
}
END_TEST

START_TEST(cut_short)
{
    Numbers n = {0};
    g_autofree char *hex = g_strdup(NUMBERS_HEAD);

    assert_refuses(&numbers, &n, 3, "01 fe ff",
                   "numbers.i16: the stream ends 1 byte too early (at byte 3)");
    assert_refuses(&numbers, &n, 3, "", "numbers.b: the stream ends 1 byte too early");
    assert_refuses(&numbers, &n, 3, hex, "numbers.later: the stream ends 4 bytes");
}
END_TEST

/* -- Structures, pointers, arrays of unknown length --------------------------------- */

typedef struct Part {
    uint8_t x;
} Part;

typedef struct Whole {
    Part one, many[2], *ref, *refs[3];
    uint8_t used;
    Part some[4];
    int32_t bytes;
    uint8_t *data;
    uint32_t words;
    uint16_t *list;
    int32_t bits;
    unsigned long *map;
    uint8_t buffer[4];
} Whole;

static const VMStateDescription part = {
    .name = "part",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]){VMSTATE_UINT8(x, Part), VMSTATE_END_OF_LIST()},
};

static const VMStateDescription whole = {
    .name = "whole",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_STRUCT(one, Whole, 1, part, Part),
            VMSTATE_STRUCT_ARRAY(many, Whole, 2, 1, part, Part),
            VMSTATE_STRUCT_POINTER(ref, Whole, part, Part),
            VMSTATE_ARRAY_OF_POINTER_TO_STRUCT(refs, Whole, 3, 1, part, Part),
            VMSTATE_UINT8(used, Whole),
            VMSTATE_STRUCT_VARRAY_UINT8(some, Whole, used, 1, part, Part),
            VMSTATE_INT32(bytes, Whole),
            VMSTATE_VBUFFER(data, Whole, 1, NULL, bytes),
            VMSTATE_UINT32(words, Whole),
            VMSTATE_VARRAY_UINT32_ALLOC(list, Whole, words, 1, vmstate_info_uint16,
                                        uint16_t),
            VMSTATE_BITMAP(map, Whole, 1, bits),
            VMSTATE_PARTIAL_BUFFER(buffer, Whole, 3),
            VMSTATE_END_OF_LIST(),
        },
};

#define WHOLE_START "01 0203 04 05 30 06 "

static Whole *make_whole(void)
{
    Whole *w = g_new0(Whole, 1);
    static unsigned long map[2] = {0x1122334455667788, 1};

    w->one.x = 1;
    w->many[0].x = 2;
    w->many[1].x = 3;
    w->ref = g_new0(Part, 1);
    w->ref->x = 4;
    w->refs[0] = g_new0(Part, 1);
    w->refs[0]->x = 5;
    w->refs[2] = g_new0(Part, 1);
    w->refs[2]->x = 6;
    w->used = 2;
    w->some[0].x = 0xa0;
    w->some[1].x = 0xa1;
    w->bytes = 3;
    w->data = (uint8_t *)g_strdup("abc");
    w->words = 2;
    w->list = g_new0(uint16_t, 2);
    w->list[1] = 0x0b0c;
    w->bits = 65;
    w->map = map;
    memcpy(w->buffer, "wxyz", 4);
    return w;
}

#define WHOLE                                                                            \
    WHOLE_START "02 a0a1 00000003 616263 00000002 0000 0b0c "                            \
                "1122334455667788 0000000000000001 777879"

START_TEST(saves_structures)
{
    assert_saves(&whole, make_whole(), WHOLE);
}
END_TEST

START_TEST(loads_structures)
{
    Whole *w = make_whole();

    assert_loads(&whole, w, 1,
                 "11 1213 14 15 30 16 04 b0b1b2b3 00000002 4142 00000003 0001 0002 0003 "
                 "8000000000000000 0000000000000000 000102");
    ck_assert_uint_eq(w->many[1].x, 0x13);
    ck_assert_uint_eq(w->ref->x, 0x14);
    ck_assert_ptr_null(w->refs[1]);
    ck_assert_uint_eq(w->refs[2]->x, 0x16);
    ck_assert_uint_eq(w->some[3].x, 0xb3);
    ck_assert_mem_eq(w->data, "ABc", 3);
    ck_assert_uint_eq(w->words, 3);
    ck_assert_uint_eq(w->list[2], 3);
    ck_assert_uint_eq(w->map[0], 0x8000000000000000);
    ck_assert_mem_eq(w->buffer, "\0\1\2z", 4);
}
END_TEST

/* What says how many is believed only as far as there is room. */
START_TEST(refuses_sizes)
{
    assert_refuses(&whole, make_whole(), 1, WHOLE_START "05 a0a1a2a3a4",
                   "whole.some: the stream has 5 values where there is room for 4");
    assert_refuses(&whole, make_whole(), 1, WHOLE_START "00 00000004 61626364",
                   "whole.data: the stream has 4 values where there is room for 3");
    assert_refuses(&whole, make_whole(), 1, WHOLE_START "00 ffffffff",
                   "whole.data: the stream has -1 values");
    assert_refuses(&whole, make_whole(), 1, WHOLE_START "00 00000000 7fffffff",
                   "whole.list");
    assert_refuses(&whole, make_whole(), 1, WHOLE_START "00 00000000 80000000",
                   "whole.list");
    assert_refuses(&whole, make_whole(), 1, "01 0203 04 05 31",
                   "whole.refs: 'refs' has an element that is missing here");
}
END_TEST

/* -- Subsections -------------------------------------------------------------------- */

typedef struct Chip {
    uint8_t a;
    uint16_t extra;
    bool has_extra;
    int32_t loads; /* calls of post_load */
    int pre_saves;
} Chip;

static bool extra_needed(void *opaque)
{
    return ((Chip *)opaque)->has_extra;
}

static void chip_pre_save(void *opaque)
{
    ((Chip *)opaque)->pre_saves++;
}

static bool chip_post_load(void *opaque, int version_id, GError **error)
{
    Chip *chip = opaque;

    chip->loads = version_id;
    if (chip->a == 0xee) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "a is no index");
        return false;
    }
    return true;
}

static const VMStateDescription chip_extra = {
    .name = "chip/extra",
    .version_id = 2,
    .minimum_version_id = 2,
    .needed = extra_needed,
    .fields = (const VMStateField[]){VMSTATE_UINT16(extra, Chip), VMSTATE_END_OF_LIST()},
};

static bool odd(void *opaque, int version_id)
{
    return ((Chip *)opaque)->a & 1;
}

static const VMStateDescription chip = {
    .name = "chip",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = chip_pre_save,
    .post_load = chip_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(a, Chip),
            VMSTATE_UINT16_TEST(extra, Chip, odd),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&chip_extra, NULL},
};

/* 05, the name's length, "chip/extra", version 2, the field. */
#define EXTRA "05 0a 636869702f6578747261 00000002 abcd"

START_TEST(subsections)
{
    Chip c = {.a = 2, .extra = 0xabcd};

    assert_saves(&chip, &c, "02");
    c.has_extra = true;
    assert_saves(&chip, &c, "02" EXTRA);
    ck_assert_int_eq(c.pre_saves, 2);
    c.extra = 0;
    assert_loads(&chip, &c, 1, "04" EXTRA);
    ck_assert_uint_eq(c.extra, 0xabcd);
    ck_assert_int_eq(c.loads, 1);
}
END_TEST

START_TEST(bad_subsections)
{
    Chip c = {0};

    assert_refuses(&chip, &c, 1, "04 05 0a 636869702f6578747262 00000002 abcd",
                   "chip: this machine has no subsection 'chip/extrb'");
    assert_refuses(&chip, &c, 1, "04 05 0a 636869702f6578747261 00000003 abcd",
                   "chip/extra: version 3 in the stream is newer");
    assert_refuses(&chip, &c, 1, "04 05 0a 636869702f6578747261 0000",
                   "ends 2 bytes too early");
    assert_refuses(&chip, &c, 1, "ee", "chip: a is no index (at byte 1)");
}
END_TEST

/* A 5 that is the next field's, not a subsection's mark. */
static const VMStateDescription pair = {
    .name = "pair",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_STRUCT_ARRAY(many, Whole, 2, 1, part, Part),
            VMSTATE_BUFFER(buffer, Whole),
            VMSTATE_END_OF_LIST(),
        },
};

START_TEST(five_is_no_subsection)
{
    Whole w = {0};

    assert_loads(&pair, &w, 1, "01 05 05 04 70 61");
    ck_assert_uint_eq(w.many[1].x, 5);
    ck_assert_mem_eq(w.buffer, "\x05\x04pa", 4);
}
END_TEST

/* What looks like a subsection of the table's own name, and no longer, is none either. */
START_TEST(own_name_is_no_subsection)
{
    static const char hex[] = "01 02 05 04 70617274 00";
    g_autoptr(GByteArray) bytes = bytes_of_hex(hex);
    g_autoptr(Wire) wire = wire_new_bytes(bytes->data, bytes->len);
    Whole w = {0};

    ck_assert(vmstate_load(wire, &part, &w.one, 1) &&
              vmstate_load(wire, &part, &w.one, 1));
    ck_assert_uint_eq(w.one.x, 2);
    ck_assert_uint_eq(wire_offset(wire), 2);
}
END_TEST

/* -- Members that differ from the wire ---------------------------------------------- */

typedef struct Different {
    bool flag;
    uint8_t small;
    int16_t level;
    uint32_t wide[2];
    enum { RED, GREEN } color;
} Different;

static const VMStateDescription different = {
    .name = "different",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(flag, Different, "flip_flop", uint8),
            VMSTATE_AS(small, Different, "size", uint32),
            VMSTATE_AS(level, Different, "lev", int32),
            VMSTATE_ARRAY_AS(wide, Different, "regs", uint16),
            VMSTATE_AS(color, Different, "mode", int32),
            VMSTATE_CONSTANT("eop", uint16, 0x1234),
            VMSTATE_CONSTANT_ARRAY("pad", uint8, 2, 0),
            VMSTATE_END_OF_LIST(),
        },
};

START_TEST(converts)
{
    Different d = {true, 7, -2, {0x10, 0x20}, GREEN};

    assert_saves(&different, &d, "01 00000007 fffffffe 0010 0020 00000001 1234 0000");
    assert_loads(&different, &d, 1, "80 000000ff ffff8000 ffff 0001 00000000 0000 ffff");
    ck_assert(d.flag);
    ck_assert_uint_eq(d.small, 0xff);
    ck_assert_int_eq(d.level, -32768);
    ck_assert_uint_eq(d.wide[0], 0xffff);
    ck_assert_int_eq(d.color, RED);
    assert_refuses(&different, &d, 1, "00 00000100",
                   "different.size: the value 0x100 is out of range (at byte 5)");
    assert_refuses(&different, &d, 1, "00 00000000 ffff7fff", "different.lev: the value");
    assert_refuses(&different, &d, 1, "00 00000000 00008000", "different.lev: the value");
}
END_TEST

typedef struct Fixed {
    uint32_t same;
    int32_t most;
} Fixed;

static const VMStateDescription fixed = {
    .name = "fixed",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT32_EQUAL(same, Fixed),
            VMSTATE_INT32_POSITIVE_LE(most, Fixed),
            VMSTATE_END_OF_LIST(),
        },
};

START_TEST(equal_or_refused)
{
    Fixed f = {5, 9};

    assert_loads(&fixed, &f, 1, "00000005 00000003");
    ck_assert_int_eq(f.most, 3);
    assert_refuses(&fixed, &f, 1, "00000005 00000004", "'most' is 4 in the stream");
    assert_refuses(&fixed, &f, 1, "00000005 ffffffff", "'most' is -1 in the stream");
    assert_refuses(&fixed, &f, 1, "00000006 00000003", "'same' is 5 here and 6");
}
END_TEST

static const VMStateDescription valid = {
    .name = "valid",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(a, Chip),
            VMSTATE_VALIDATE("a is odd", odd),
            VMSTATE_END_OF_LIST(),
        },
};

START_TEST(must_hold)
{
    Chip c = {0};

    assert_loads(&valid, &c, 1, "07");
    assert_refuses(&valid, &c, 1, "08", "does not hold together: a is odd");
}
END_TEST

typedef struct Clock {
    Timer timer;
} Clock;

static const VMStateDescription clock_state = {
    .name = "clock",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]){VMSTATE_TIMER(timer, Clock), VMSTATE_END_OF_LIST()},
};

START_TEST(timers)
{
    Clock c;

    clock_virtual_manual();
    timer_init(&c.timer, CLOCK_KIND_VIRTUAL, NULL, NULL);
    assert_saves(&clock_state, &c, "ffffffffffffffff");
    timer_mod(&c.timer, 0x123456789);
    assert_saves(&clock_state, &c, "0000000123456789");
    assert_loads(&clock_state, &c, 1, "ffffffffffffffff");
    ck_assert(!timer_pending(&c.timer));
    assert_loads(&clock_state, &c, 1, "0000000000000064");
    ck_assert_int_eq(c.timer.expires, 100);
    assert_refuses(&clock_state, &c, 1, "8000000000000000", "no clock reaches");
}
END_TEST

/* -- The description in JSON -------------------------------------------------------- */

static char *describe(const VMStateDescription *vmsd, void *opaque)
{
    g_autoptr(GString) json = g_string_new(NULL);
    g_autoptr(JsonNode) root = NULL;
    g_autoptr(Wire) wire = wire_new_memory();

    json_text_begin_object(json, NULL);
    ck_assert(vmstate_save(wire, vmsd, opaque, json));
    json_text_end_object(json);
    root = json_from_string(json->str, NULL);
    ck_assert_ptr_nonnull(root);
    return json_to_string(root, false);
}

START_TEST(described)
{
    Chip c = {.a = 1, .extra = 2, .has_extra = true};
    g_autofree char *chip_text = describe(&chip, &c);
    g_autofree char *whole_text = describe(&whole, make_whole());

    ck_assert_str_eq(
        chip_text,
        "{\"vmsd_name\":\"chip\",\"version\":1,\"fields\":["
        "{\"name\":\"a\",\"type\":\"uint8\",\"size\":1},"
        "{\"name\":\"extra\",\"type\":\"uint16\",\"size\":2}],"
        "\"subsections\":[{\"vmsd_name\":\"chip/extra\",\"version\":2,\"fields\":["
        "{\"name\":\"extra\",\"type\":\"uint16\",\"size\":2}]}]}");
    ck_assert_ptr_nonnull(strstr(
        whole_text, "{\"name\":\"many\",\"array_len\":2,\"type\":\"struct\",\"struct\":"
                    "{\"vmsd_name\":\"part\",\"version\":1,\"fields\":["
                    "{\"name\":\"x\",\"type\":\"uint8\",\"size\":1}]},\"size\":1}"));
    ck_assert_ptr_nonnull(
        strstr(whole_text, "{\"name\":\"buffer\",\"type\":\"buffer\",\"size\":3}"));
}
END_TEST

/* -- Sections -------------------------------------------------------------------- */

START_TEST(sections)
{
    static const VMStateDescription first = {.name = "first",
                                             .priority = MIG_PRI_PCI_BUS};
    static const VMStateDescription plain = {.name = "plain"};
    static const char *const order[] = {"first", "plain", "plain", "plain"};
    static const uint32_t instances[] = {0, 0, 4, 5};
    int a, b, c, d;

    vmstate_register(NULL, VMSTATE_INSTANCE_ID_ANY, &plain, &a);
    vmstate_register_with_alias_id(NULL, 4, &plain, &b, 0x70);
    vmstate_register(NULL, VMSTATE_INSTANCE_ID_ANY, &plain, &c);
    vmstate_register(NULL, VMSTATE_INSTANCE_ID_ANY, &first, &d);
    ck_assert_ptr_eq(section("plain", 0)->opaque, &a);
    ck_assert_ptr_eq(section("plain", 4)->opaque, &b);
    ck_assert_ptr_eq(section("plain", 0x70)->opaque, &b);
    ck_assert_ptr_eq(section("plain", 5)->opaque, &c);
    ck_assert_ptr_null(vmstate_find("plain", 1, NULL));
    for (int i = 0; i < 4; i++) {
        VMStateEntry *entry = section(order[i], instances[i]);

        ck_assert_uint_eq(entry->instance_id, instances[i]);
    }
    vmstate_unregister(NULL, &plain, &b);
    ck_assert_ptr_null(vmstate_find("plain", 4, NULL));
}
END_TEST

static bool note_id(VMStateEntry *entry, void *opaque)
{
    g_string_append_printf(opaque, "%s ", entry->id);
    return true;
}

START_TEST(section_order)
{
    static const VMStateDescription late = {.name = "late"};
    static const VMStateDescription early = {.name = "early", .priority = MIG_PRI_IOMMU};
    g_autoptr(GString) ids = g_string_new(NULL);

    vmstate_register(NULL, 0, &late, NULL);
    vmstate_register(NULL, 1, &late, NULL);
    vmstate_register(NULL, 0, &early, NULL);
    vmstate_foreach(note_id, ids);
    ck_assert_str_eq(ids->str, "early late late ");
}
END_TEST

/* -- A device: channel 1 of the first 8237A, half way through a block --------------- */

#define DMA_IDLE "00000000 00000000 0000 0000 00 00 00 00 00"

START_TEST(dma)
{
    GError *error = NULL;
    uint8_t bytes[8] = {0};
    VMStateEntry *entry;
    uint8_t low;

    board_init();
    ck_assert(i8257_new_pair(board.isa, &board.memory_space, &error));
    device_reset_all();
    outb(0x0b, 0x45); /* single, to memory, channel 1 */
    outb(0x02, 0x40);
    outb(0x02, 0x12); /* address 0x1240 */
    outb(0x03, 0x0f);
    outb(0x03, 0x00); /* 16 bytes */
    outb(0x83, 0x01); /* page 1 */
    outb(0x0a, 0x01); /* unmask */
    ck_assert_uint_eq(isa_dma_transfer(board.isa, 1, bytes, 6, true, NULL), 6);
    entry = section("dma", 0);
    assert_saves(entry->vmsd, entry->opaque,
                 "00 fd 00 00000000" DMA_IDLE
                 "00001240 00000006 1240 000f 45 01 00 00 00" DMA_IDLE DMA_IDLE);
    /* The same, 9 bytes done, and the flip-flop set. */
    assert_loads(entry->vmsd, entry->opaque, 1,
                 "00 0d 01 00000000" DMA_IDLE
                 "00001240 00000009 1240 000f 45 01 00 00 00" DMA_IDLE DMA_IDLE);
    ck_assert_uint_eq(inb(0x02), 0x12);
    low = inb(0x02);
    ck_assert_uint_eq(low, 0x49);
    ck_assert_uint_eq(inb(0x03), 0x00);
    ck_assert_uint_eq(inb(0x03), 0x06); /* flip-flop still set: the high byte was first */
    assert_refuses(section("dma", 1)->vmsd, section("dma", 1)->opaque, 1,
                   "00 0d 01 00000000" DMA_IDLE DMA_IDLE DMA_IDLE DMA_IDLE,
                   "the other one of the two DMA controllers");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        wire_carries_all,
        first_failure_sticks,
        own_name_is_no_subsection,
        saves_numbers,
        loads_numbers,
        versions,
        cut_short,
        saves_structures,
        loads_structures,
        refuses_sizes,
        subsections,
        bad_subsections,
        five_is_no_subsection,
        converts,
        equal_or_refused,
        must_hold,
        timers,
        described,
        sections,
        section_order,
        dma,
    };

    return run_suite("vmstate", tests, G_N_ELEMENTS(tests));
}
