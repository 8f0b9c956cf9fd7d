/*
 * What the standard VGA shows: text and graphics modes, from IBM's description of how
 * memory and registers become dots (PS/2 Hardware Interface Technical Reference, "Video
 * Subsystem"; FreeVGA).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/display/console.h"
#include "qtests/vga-board.h"

static pixman_image_t *screen(int width, int height)
{
    pixman_image_t *image = display_console_image(display_console_find(NULL, NULL));

    ck_assert_int_eq(pixman_image_get_width(image), width);
    ck_assert_int_eq(pixman_image_get_height(image), height);
    return image;
}

static uint32_t pixel(pixman_image_t *image, int x, int y)
{
    return pixman_image_get_data(image)[y * pixman_image_get_stride(image) / 4 + x] &
           0xffffff;
}

/* Colour n has the components n, 2n and 3n of six bits. */
static void palette(void)
{
    port_out(0x3c8, 0, 1);
    for (unsigned i = 0; i < 16; i++) {
        attribute(i, i);
        for (unsigned j = 1; j <= 3; j++) {
            port_out(0x3c9, i * j, 1);
        }
    }
}

/* Six bits to eight: the two lowest of eight repeat the lowest of six. */
static uint32_t color(unsigned n)
{
    uint32_t value = 0;

    for (unsigned j = 1; j <= 3; j++) {
        value = value << 8 | (n * j & 0x3f) << 2 | (n * j & 1 ? 3 : 0);
    }
    return value;
}

static void screen_on(void)
{
    port_in(0x3da, 1);
    port_out(0x3c0, 0x20, 1);
}

/* Three columns and two rows of 9x4 dots. */
static void text_mode(void)
{
    planar();
    set(SEQUENCER, 1, 0);
    set(CRTC, 0x01, 2);
    set(CRTC, 0x09, 3);
    set(CRTC, 0x12, 7);
    set(CRTC, 0x13, 2); /* 4 cells from row to row */
    set(CRTC, 0x0a, 0x20);
    set(SEQUENCER, 2, 0x04);
    memory_out(WINDOW + 32 * 'A' + 1, 0x81);
    memory_out(WINDOW + 32 * 'A' + 3, 0x7e);
    memory_out(WINDOW + 32 * 0xc4 + 2, 0xff);
    memory_out(WINDOW + 0x4000 + 32 * 'A', 0x18); /* the second font */
    palette();
    set(SEQUENCER, 2, 0x03);
    set(GRAPHICS, 5, 0x10);
    set(GRAPHICS, 6, 0x0e);
    for (unsigned cell = 0; cell < 8; cell++) {
        memory_out(0xb8000 + 2 * cell, 0);
        memory_out(0xb8001 + 2 * cell, 0x07);
    }
    screen_on();
}

START_TEST(test_text_glyph)
{
    pixman_image_t *image;
    static const uint16_t rows[4] = {0, 0x102, 0,
                                     0x0fc}; /* nine dots, the left is bit 8 */

    text_mode();
    memory_out(0xb8002, 'A');
    memory_out(0xb8003, 0x4e);
    image = screen(27, 8);
    for (int y = 0; y < 4; y++) {
        for (int x = 0; x < 9; x++) {
            bool dot = rows[y] >> (8 - x) & 1;

            ck_assert_uint_eq(pixel(image, 9 + x, y), color(dot ? 14 : 4));
            ck_assert_uint_eq(pixel(image, x, y), color(0));
        }
    }
}
END_TEST

START_TEST(test_text_ninth_dot)
{
    text_mode();
    memory_out(0xb8000, 0xc4);
    ck_assert_uint_eq(pixel(screen(27, 8), 7, 2), color(7));
    ck_assert_uint_eq(pixel(screen(27, 8), 8, 2), color(0));
    attribute(0x10, 0x04);
    screen_on();
    ck_assert_uint_eq(pixel(screen(27, 8), 8, 2), color(7));
    set(SEQUENCER, 1, 1);
    screen(24, 8);
    set(SEQUENCER, 1, 8);
    ck_assert_uint_eq(pixel(screen(48, 8), 15, 2), color(7));
}
END_TEST

START_TEST(test_text_second_row_and_font)
{
    pixman_image_t *image;

    text_mode();
    memory_out(0xb8008, 'A'); /* the first cell of the second row */
    memory_out(0xb8009, 0x0f);
    image = screen(27, 8);
    ck_assert_uint_eq(pixel(image, 0, 5), color(15));
    set(SEQUENCER, 3, 0x04); /* font A, of bright characters: the second 16 KiB */
    image = screen(27, 8);
    ck_assert_uint_eq(pixel(image, 0, 5), color(0));
    ck_assert_uint_eq(pixel(image, 3, 4), color(15));
}
END_TEST

START_TEST(test_text_cursor)
{
    text_mode();
    set(CRTC, 0x0a, 0x02);
    set(CRTC, 0x0b, 0x03);
    set(CRTC, 0x0f, 0x01); /* the second cell */
    ck_assert_uint_eq(pixel(screen(27, 8), 9, 1), color(0));
    ck_assert_uint_eq(pixel(screen(27, 8), 9, 2), color(7));
    ck_assert_uint_eq(pixel(screen(27, 8), 17, 3), color(7));
    ck_assert_uint_eq(pixel(screen(27, 8), 18, 3), color(0));
    clock_virtual_set_ns(clock_virtual_ns() + NANOSECONDS_PER_SECOND / 2);
    ck_assert_uint_eq(pixel(screen(27, 8), 9, 2), color(0)); /* it blinks */
    clock_virtual_set_ns(clock_virtual_ns() + NANOSECONDS_PER_SECOND / 2);
    ck_assert_uint_eq(pixel(screen(27, 8), 9, 2), color(7));
    set(CRTC, 0x0a, 0x22);
    ck_assert_uint_eq(pixel(screen(27, 8), 9, 2), color(0));
}
END_TEST

/* 16 pixels by 4 lines of some depth of shifting. */
static void graphics_mode(unsigned shift_mode)
{
    planar();
    palette();
    set(SEQUENCER, 1, 1);
    set(CRTC, 0x01, 1);
    set(CRTC, 0x09, 0);
    set(CRTC, 0x12, 3);
    set(CRTC, 0x13, 4); /* 8 bytes of each plane, 32 in all */
    set(CRTC, 0x17, 0xe3);
    set(CRTC, 0x18, 0xff);
    set(CRTC, 0x07, 0x10);
    attribute(0x12, 0x0f);
    set(GRAPHICS, 5, shift_mode << 5);
    screen_on();
}

START_TEST(test_planar_picture)
{
    graphics_mode(0);
    set(SEQUENCER, 2, 0x05);
    memory_out(WINDOW + 9, 0xa0); /* line 1, the second eight pixels */
    set(SEQUENCER, 2, 0x02);
    memory_out(WINDOW + 9, 0x20);
    ck_assert_uint_eq(pixel(screen(16, 4), 8, 1), color(5));
    ck_assert_uint_eq(pixel(screen(16, 4), 9, 1), color(0));
    ck_assert_uint_eq(pixel(screen(16, 4), 10, 1), color(7));
    ck_assert_uint_eq(pixel(screen(16, 4), 8, 0), color(0));
    attribute(0x12, 0x03); /* without plane 2 */
    attribute(0x01, 0x0c); /* another palette entry */
    screen_on();
    ck_assert_uint_eq(pixel(screen(16, 4), 8, 1), color(12));
    set(CRTC, 0x0d, 8); /* starts a line later */
    ck_assert_uint_eq(pixel(screen(16, 4), 8, 0), color(12));
    set(CRTC, 0x07, 0); /* lines after the first come from address 0 again */
    set(CRTC, 0x18, 0);
    ck_assert_uint_eq(pixel(screen(16, 4), 8, 0), color(12));
    ck_assert_uint_eq(pixel(screen(16, 4), 8, 1), color(0));
    ck_assert_uint_eq(pixel(screen(16, 4), 8, 2), color(12));
}
END_TEST

START_TEST(test_256_colors_picture)
{
    graphics_mode(2);
    set(SEQUENCER, 4, 0x0e);
    set(CRTC, 0x09, 1); /* each line twice */
    memory_out(WINDOW + 32 + 3, 9);
    for (int x = 0; x < 16; x++) {
        ck_assert_uint_eq(pixel(screen(16, 4), x, 2), color(x / 2 == 3 ? 9 : 0));
        ck_assert_uint_eq(pixel(screen(16, 4), x, 3), color(x / 2 == 3 ? 9 : 0));
        ck_assert_uint_eq(pixel(screen(16, 4), x, 1), color(0));
    }
}
END_TEST

START_TEST(test_interleaved_picture)
{
    graphics_mode(1);
    set(SEQUENCER, 2, 0x01);
    memory_out(WINDOW, 0x1b); /* colours 0 1 2 3 */
    set(SEQUENCER, 2, 0x02);
    memory_out(WINDOW, 0xe4); /* 3 2 1 0 */
    for (int x = 0; x < 8; x++) {
        ck_assert_uint_eq(pixel(screen(16, 4), x, 0), color(x < 4 ? x : 7 - x));
    }
}
END_TEST

/* One pixel of each depth: what is written, and its colour. */
static const struct {
    unsigned depth;
    uint32_t value, color;
} depths[] = {
    {4, 0, 0},
    {15, 0x7c1f, 0xf800f8},
    {16, 0xf81f, 0xff00ff},
    {24, 0x123456, 0x123456},
    {32, 0xff987654, 0x987654},
};

START_TEST(test_vbe_picture)
{
    palette();
    screen_on();
    vbe(1, 64);
    vbe(2, 16);
    vbe(3, depths[_i].depth);
    vbe(4, 0x41);
    for (unsigned i = 0; i < depths[_i].depth / 8 + (depths[_i].depth == 15); i++) {
        memory_out(VRAM + i, (uint8_t)(depths[_i].value >> 8 * i));
    }
    ck_assert_uint_eq(pixel(screen(64, 16), 0, 0), depths[_i].color);
    ck_assert_uint_eq(pixel(screen(64, 16), 1, 0), 0);
}
END_TEST

START_TEST(test_vbe_16_colors_keeps_planes)
{
    palette();
    attribute(0x12, 0x0f);
    screen_on();
    planar();
    vbe(1, 64);
    vbe(2, 16);
    vbe(3, 4);
    vbe(4, 1);
    set(SEQUENCER, 2, 0x06);
    memory_out(WINDOW + 64 / 8, 0x40);
    ck_assert_uint_eq(pixel(screen(64, 16), 1, 1), color(6));
    ck_assert_uint_eq(pixel(screen(64, 16), 0, 1), color(0));
}
END_TEST

START_TEST(test_blank)
{
    text_mode();
    memory_out(0xb8001, 0x70);
    ck_assert_uint_eq(pixel(screen(27, 8), 0, 0), color(7));
    port_in(0x3da, 1);
    port_out(0x3c0, 0x00, 1);
    ck_assert_uint_eq(pixel(screen(27, 8), 0, 0), 0);
}
END_TEST

/* Whatever a guest writes, the picture has a size and no access leaves the memory. */
START_TEST(test_any_registers)
{
    static const uint16_t ports[] = {0x3c0, 0x3c2, SEQUENCER, CRTC, CRTC, GRAPHICS};
    static const uint16_t indexes[] = {1, 2, 3, 4, 5, 6, 8, 9};
    g_autoptr(GRand) random = g_rand_new_with_seed(7);

    for (unsigned i = 0; i < 30000; i++) {
        uint32_t value = g_rand_int(random);
        uint16_t port = ports[value % G_N_ELEMENTS(ports)];

        if (value >> 28 == 0) {
            unsigned index = indexes[value >> 8 & 7];

            vbe(index, index == 4 ? value >> 16 & 0xe3 : value >> 16 & 0x3fff);
        } else {
            set(port, value >> 8 & 0x1f, value >> 16 & 0xff);
        }
        memory_out(WINDOW + (value & 0x1ffff), (uint8_t)(value >> 20));
        memory_in(WINDOW + (value >> 3 & 0x1ffff));
        if (i % 300 == 0) {
            pixman_image_t *image;

            screen_on();
            image = display_console_image(display_console_find(NULL, NULL));
            ck_assert_int_ge(pixman_image_get_width(image), 1);
            ck_assert_int_ge(pixman_image_get_height(image), 1);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vga-picture");
    TCase *tcase = tcase_create("vga-picture");

    tcase_add_checked_fixture(tcase, vga_setup, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_text_glyph);
    tcase_add_test(tcase, test_text_ninth_dot);
    tcase_add_test(tcase, test_text_second_row_and_font);
    tcase_add_test(tcase, test_text_cursor);
    tcase_add_test(tcase, test_planar_picture);
    tcase_add_test(tcase, test_256_colors_picture);
    tcase_add_test(tcase, test_interleaved_picture);
    tcase_add_loop_test(tcase, test_vbe_picture, 0, G_N_ELEMENTS(depths));
    tcase_add_test(tcase, test_vbe_16_colors_keeps_planes);
    tcase_add_test(tcase, test_blank);
    tcase_add_test(tcase, test_any_registers);
    suite_add_tcase(suite, tcase);
    return board_run(suite);
}
