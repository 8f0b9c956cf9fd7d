/*
 * 8042 with PS/2 keyboard and mouse, by IBM's PS/2 Hardware Interface Technical
 * Reference; scan codes by hand from its tables.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/isa-board.h"

#include <stdarg.h>

#include "hw/input/keys.h"
#include "hw/input/pckbd.h"

static int a20 = -1;

static void set_a20(void *opaque, int n, int level)
{
    a20 = level;
}

static void setup(void)
{
    GError *error = NULL;

    board_init();
    ck_assert_ptr_nonnull(
        i8042_new(board.isa, irq_new_array(set_a20, NULL, 0, 1), &error));
    device_reset_all();
}

static uint8_t status(void)
{
    return inb(0x64);
}

/* The next byte, which must be there and from the keyboard's side (or the mouse's). */
static int get(bool aux)
{
    if ((status() & 0x21) != (aux ? 0x21 : 0x01)) {
        return -1;
    }
    return inb(0x60);
}

/* Checks that exactly these bytes come, up to a -1. */
static void expect(bool aux, ...)
{
    va_list bytes;
    int byte, i = 0;

    va_start(bytes, aux);
    while ((byte = va_arg(bytes, int)) >= 0) {
        int got = get(aux);

        ck_assert_msg(got == byte, "byte %d is 0x%02x, not 0x%02x", i, got, byte);
        i++;
    }
    va_end(bytes);
    ck_assert_int_eq(status() & 0x21, 0);
}

static void set_mode(uint8_t mode)
{
    outb(0x64, 0x60);
    outb(0x60, mode);
}

static void keyboard(uint8_t command)
{
    outb(0x60, command);
}

static void mouse(uint8_t command)
{
    outb(0x64, 0xd4);
    outb(0x60, command);
}

static void key(const char *name, bool down)
{
    int code = input_key_from_name(name);

    ck_assert_int_ge(code, 0);
    input_send_key(code, down);
}

static void tap(const char *name)
{
    key(name, true);
    key(name, false);
}

START_TEST(controller_commands)
{
    setup();
    ck_assert_int_eq(status(), 0x18);
    outb(0x64, 0xaa);
    ck_assert_int_eq(status() & 0x0d, 0x0d);
    expect(false, 0x55, -1);
    ck_assert_int_eq(status() & 0x04, 0x04);
    outb(0x64, 0xab);
    expect(false, 0x00, -1);
    outb(0x64, 0xa9);
    expect(false, 0x00, -1);
    outb(0x64, 0xa4);
    expect(false, 0xf1, -1);
    outb(0x64, 0xc0);
    ck_assert_int_eq(get(false) & 0x80, 0x80);
    set_mode(0x65);
    ck_assert_int_eq(status() & 0x08, 0);
    outb(0x64, 0x20);
    expect(false, 0x65, -1);
    outb(0x64, 0xa7);
    outb(0x64, 0xad);
    outb(0x64, 0x20);
    expect(false, 0x75, -1);
    outb(0x64, 0xa8);
    outb(0x64, 0xae);
    outb(0x64, 0x20);
    expect(false, 0x45, -1);
    outb(0x64, 0x65);
    outb(0x60, 0x9a);
    outb(0x64, 0x25);
    expect(false, 0x9a, -1);
    outb(0x64, 0xd2);
    outb(0x60, 0x12);
    expect(false, 0x12, -1);
    outb(0x64, 0xd3);
    outb(0x60, 0x34);
    expect(true, 0x34, -1);
}
END_TEST

START_TEST(a20_gate)
{
    setup();
    ck_assert_int_eq(a20, 1);
    outb(0x64, 0xd1);
    outb(0x60, 0xdd);
    ck_assert_int_eq(a20, 0);
    outb(0x64, 0xd0);
    ck_assert_int_eq(get(false) & 0x03, 0x01);
    outb(0x64, 0xd1);
    outb(0x60, 0xdf);
    ck_assert_int_eq(a20, 1);
    outb(0x64, 0xdd);
    ck_assert_int_eq(a20, 0);
    outb(0x64, 0xdf);
    ck_assert_int_eq(a20, 1);
    ck_assert_int_eq(board.resets, 0);
}
END_TEST

START_TEST(reset_line)
{
    setup();
    outb(0x64, 0xff);
    outb(0x64, 0xfd);
    ck_assert_int_eq(board.resets, 0);
    outb(0x64, 0xfe);
    ck_assert_int_eq(board.resets, 1);
    ck_assert_str_eq(board.reset_source, "i8042");
    outb(0x64, 0xf0);
    ck_assert_int_eq(board.resets, 2);
    outb(0x64, 0xd1);
    outb(0x60, 0xde);
    ck_assert_int_eq(board.resets, 3);
}
END_TEST

START_TEST(interrupts)
{
    setup();
    set_mode(0x03);
    key("a", true);
    ck_assert_int_eq(board.level[1], 1);
    ck_assert_int_eq(board.level[12], 0);
    key("a", false);
    ck_assert_int_eq(board.rises[1], 1);
    expect(false, 0x1c, 0xf0, 0x1c, -1);
    ck_assert_int_eq(board.rises[1], 3); /* an edge for each byte */
    ck_assert_int_eq(board.level[1], 0);
    mouse(0xf4);
    ck_assert_int_eq(board.level[12], 1);
    ck_assert_int_eq(board.level[1], 0);
    expect(true, 0xfa, -1);
    ck_assert_int_eq(board.level[12], 0);
    set_mode(0x00);
    tap("a");
    ck_assert_int_eq(board.level[1], 0);
    set_mode(0x01);
    ck_assert_int_eq(board.level[1], 1);
}
END_TEST

START_TEST(translated_keys)
{
    setup();
    set_mode(0x41);
    tap("a");
    expect(false, 0x1e, 0x9e, -1);
    tap("delete");
    expect(false, 0xe0, 0x53, 0xe0, 0xd3, -1);
    tap("ctrl_r");
    expect(false, 0xe0, 0x1d, 0xe0, 0x9d, -1);
    tap("f7"); /* 0x83, the one beyond the table's first half */
    expect(false, 0x41, 0xc1, -1);
    tap("f12");
    expect(false, 0x58, 0xd8, -1);
    tap("less");
    expect(false, 0x56, 0xd6, -1);
    tap("pause");
    expect(false, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, -1);
    tap("print");
    expect(false, 0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa, -1);
    key("alt", true);
    tap("print");
    key("alt", false);
    expect(false, 0x38, 0x54, 0xd4, 0xb8, -1);
}
END_TEST

START_TEST(every_set_1_code)
{
    /* The first row of codes of a PC/XT keyboard, in order from 1. */
    static const char *const keys[] = {
        "esc",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "0",
        "minus",
        "equal",
        "backspace",
        "tab",
        "q",
        "w",
        "e",
        "r",
        "t",
        "y",
        "u",
        "i",
        "o",
        "p",
        "bracket_left",
        "bracket_right",
        "ret",
        "ctrl",
        "a",
        "s",
        "d",
        "f",
        "g",
        "h",
        "j",
        "k",
        "l",
        "semicolon",
        "apostrophe",
        "grave_accent",
        "shift",
        "backslash",
        "z",
        "x",
        "c",
        "v",
        "b",
        "n",
        "m",
        "comma",
        "dot",
        "slash",
        "shift_r",
        "kp_multiply",
        "alt",
        "spc",
        "caps_lock",
        "f1",
        "f2",
        "f3",
        "f4",
        "f5",
        "f6",
        "f7",
        "f8",
        "f9",
        "f10",
        "num_lock",
        "scroll_lock",
        "kp_7",
        "kp_8",
        "kp_9",
        "kp_subtract",
        "kp_4",
        "kp_5",
        "kp_6",
        "kp_add",
        "kp_1",
        "kp_2",
        "kp_3",
        "kp_0",
        "kp_decimal",
    };

    setup();
    set_mode(0x40);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        tap(keys[i]);
        expect(false, (int)i + 1, (int)(i + 1) | 0x80, -1);
    }
}
END_TEST

START_TEST(scan_code_sets)
{
    setup();
    set_mode(0x00);
    keyboard(0xf0);
    expect(false, 0xfa, -1);
    keyboard(0x00);
    expect(false, 0xfa, 0x02, -1);
    tap("delete");
    expect(false, 0xe0, 0x71, 0xe0, 0xf0, 0x71, -1);
    keyboard(0xf0);
    expect(false, 0xfa, -1);
    keyboard(0x01);
    expect(false, 0xfa, -1);
    tap("delete");
    expect(false, 0xe0, 0x53, 0xe0, 0xd3, -1);
    keyboard(0xf0);
    expect(false, 0xfa, -1);
    keyboard(0x03);
    expect(false, 0xfa, -1);
    tap("delete");
    expect(false, 0x64, 0xf0, 0x64, -1);
    keyboard(0xf9); /* make only */
    expect(false, 0xfa, -1);
    tap("delete");
    expect(false, 0x64, -1);
    keyboard(0xfc); /* this key: make and break */
    expect(false, 0xfa, -1);
    keyboard(0x64);
    expect(false, 0xfa, -1);
    tap("delete");
    expect(false, 0x64, 0xf0, 0x64, -1);
    tap("a");
    expect(false, 0x1c, -1);
    keyboard(0xf0);
    expect(false, 0xfa, -1);
    keyboard(0x04);
    expect(false, 0xfe, -1);
}
END_TEST

START_TEST(keyboard_commands)
{
    setup();
    set_mode(0x00);
    keyboard(0xff);
    expect(false, 0xfa, 0xaa, -1);
    keyboard(0xf2);
    expect(false, 0xfa, 0xab, 0x83, -1);
    keyboard(0xee);
    expect(false, 0xee, -1);
    keyboard(0xfe);
    expect(false, 0xee, -1);
    keyboard(0xed);
    expect(false, 0xfa, -1);
    keyboard(0x07);
    expect(false, 0xfa, -1);
    keyboard(0xf3);
    expect(false, 0xfa, -1);
    keyboard(0x00);
    expect(false, 0xfa, -1);
    keyboard(0xf5);
    expect(false, 0xfa, -1);
    tap("a");
    expect(false, -1);
    keyboard(0xf4);
    expect(false, 0xfa, -1);
    tap("a");
    expect(false, 0x1c, 0xf0, 0x1c, -1);
    keyboard(0x00);
    expect(false, 0xfe, -1);
    /* The answer comes before keys that wait. */
    outb(0x64, 0xad);
    tap("b");
    keyboard(0xee);
    expect(false, 0xee, 0x32, 0xf0, 0x32, -1);
}
END_TEST

START_TEST(disabled_keyboard_keeps_keys)
{
    setup();
    set_mode(0x40);
    outb(0x64, 0xad);
    tap("a");
    expect(false, -1);
    outb(0x64, 0xae);
    expect(false, 0x1e, 0x9e, -1);
}
END_TEST

START_TEST(floods_are_cut_between_keys)
{
    int bytes = 0, last = 0;

    setup();
    set_mode(0x00);
    for (int i = 0; i < 1000; i++) {
        tap("delete");
    }
    while (status() & 1) {
        last = inb(0x60);
        ck_assert_int_lt(++bytes, 200);
    }
    ck_assert_int_eq(last, 0x71);
    tap("a");
    expect(false, 0x1c, 0xf0, 0x1c, -1);
}
END_TEST

START_TEST(mouse_commands)
{
    setup();
    mouse(0xff);
    expect(true, 0xfa, 0xaa, 0x00, -1);
    mouse(0xf2);
    expect(true, 0xfa, 0x00, -1);
    mouse(0xe8);
    expect(true, 0xfa, -1);
    mouse(0x03);
    expect(true, 0xfa, -1);
    mouse(0xe7);
    expect(true, 0xfa, -1);
    mouse(0xf3);
    expect(true, 0xfa, -1);
    mouse(0x28);
    expect(true, 0xfa, -1);
    mouse(0xf4);
    expect(true, 0xfa, -1);
    mouse(0xe9);
    expect(true, 0xfa, 0x30, 0x03, 0x28, -1);
    mouse(0xee);
    expect(true, 0xfa, -1);
    mouse(0xf2);
    expect(true, 0xf2, -1);
    mouse(0xec);
    expect(true, 0xfa, -1);
    mouse(0xe1);
    expect(true, 0xfe, -1);
}
END_TEST

START_TEST(mouse_packets)
{
    setup();
    mouse(0xf6);
    inb(0x60);
    input_send_pointer(1, 1, 0, 0);
    expect(true, -1); /* reporting is off */
    mouse(0xf4);
    expect(true, 0xfa, -1);
    input_send_pointer(5, 3, 0, 0);
    expect(true, 0x28, 0x05, 0xfd, -1); /* up is positive */
    input_send_pointer(-2, -4, 0, 1);
    expect(true, 0x19, 0xfe, 0x04, -1);
    input_send_pointer(0, 0, 0, 6);
    expect(true, 0x0e, 0x00, 0x00, -1);
    input_send_pointer(300, 0, 0, 0);
    expect(true, 0x08, 0xff, 0x00, 0x08, 0x2d, 0x00, -1);
    mouse(0xf0); /* remote: only when asked */
    expect(true, 0xfa, -1);
    input_send_pointer(7, 0, 0, 0);
    expect(true, -1);
    mouse(0xeb);
    expect(true, 0xfa, 0x08, 0x07, 0x00, -1);
}
END_TEST

START_TEST(wheel)
{
    static const uint8_t rates[] = {200, 100, 80};

    setup();
    for (int i = 0; i < 3; i++) {
        mouse(0xf3);
        expect(true, 0xfa, -1);
        mouse(rates[i]);
        expect(true, 0xfa, -1);
    }
    mouse(0xf2);
    expect(true, 0xfa, 0x03, -1);
    mouse(0xf4);
    expect(true, 0xfa, -1);
    input_send_pointer(0, 0, -1, 0);
    expect(true, 0x08, 0x00, 0x00, 0xff, -1);
    for (int i = 0; i < 3; i++) {
        mouse(0xf3);
        expect(true, 0xfa, -1);
        mouse(i < 2 ? 200 : 80);
        expect(true, 0xfa, -1);
    }
    mouse(0xf2);
    expect(true, 0xfa, 0x04, -1);
    input_send_pointer(0, 0, 1, 0x10);
    expect(true, 0x08, 0x00, 0x00, 0x21, -1);
}
END_TEST

START_TEST(combinations)
{
    GError *error = NULL;

    setup();
    set_mode(0x40);
    ck_assert(input_send_key_combination("ctrl-alt-delete", 0, &error));
    ck_assert(input_send_key_combination("0x1c", 50, &error)); /* waits */
    expect(false, 0x1d, 0x38, 0xe0, 0x53, -1);
    clock_virtual_set_ns(99999999);
    expect(false, -1);
    clock_virtual_set_ns(100000000);
    expect(false, 0xe0, 0xd3, 0xb8, 0x9d, 0x1c, -1);
    clock_virtual_set_ns(150000000);
    expect(false, 0x9c, -1);
    ck_assert(input_send_key_combination("1-<", 50, &error));
    expect(false, 0x02, 0x56, -1);

    ck_assert(!input_send_key_combination("ctrl-delte", 0, &error));
    ck_assert_str_eq(error->message, "unknown key: 'delte'; is it 'delete'?");
    g_clear_error(&error);
    ck_assert(!input_send_key_combination("", 0, &error));
    g_clear_error(&error);
    ck_assert(
        !input_send_key_combination("a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a", 0, &error));
    g_clear_error(&error);
}
END_TEST

START_TEST(reset_is_power_on)
{
    setup();
    set_mode(0x73);
    tap("a");
    outb(0x64, 0xd1);
    device_reset_all();
    ck_assert_int_eq(status(), 0x18);
    ck_assert_int_eq(board.level[1], 0);
    ck_assert_int_eq(a20, 1);
    outb(0x60, 0xee); /* no longer the output port's */
    expect(false, 0xee, -1);
    outb(0x64, 0x20);
    expect(false, 0x03, -1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        controller_commands,
        a20_gate,
        reset_line,
        interrupts,
        translated_keys,
        every_set_1_code,
        scan_code_sets,
        keyboard_commands,
        disabled_keyboard_keeps_keys,
        floods_are_cut_between_keys,
        mouse_commands,
        mouse_packets,
        wheel,
        combinations,
        reset_is_power_on,
    };

    return run_suite("i8042", tests, G_N_ELEMENTS(tests));
}
