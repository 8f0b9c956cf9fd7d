/*
 * 82078 floppy disk controller with DMA, by the data sheet (Intel 290474).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/isa-board.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "hw/block/fdc.h"
#include "hw/dma/i8257.h"

#define SECTORS 2880

static Device *fdc;
static uint8_t *ram;
static char *path;

/* A 1.44 MB disk whose every byte is its sector's number (its low byte), or no disk. */
static void setup(bool disk, const char *more)
{
    g_autofree uint8_t *image = g_malloc(SECTORS * 512);
    g_autofree char *options = NULL;
    GError *error = NULL;

    board_init();
    path = g_strdup_printf("%s/umbra-fdc-%d", g_get_tmp_dir(), (int)getpid());
    if (disk) {
        for (int i = 0; i < SECTORS; i++) {
            memset(image + i * 512, i & 0xff, 512);
        }
        ck_assert(g_file_set_contents(path, (char *)image, SECTORS * 512, NULL));
        options = g_strdup_printf("file=%s,format=raw,if=floppy,index=0%s", path, more);
        ck_assert_ptr_nonnull(drive_new(options, &error));
        unlink(path);
    }
    ck_assert(i8257_new_pair(board.isa, &board.memory_space, &error));
    fdc = isa_fdc_new(board.isa, &error);
    ck_assert_ptr_nonnull(fdc);
    device_reset_all();
    ram = memory_region_get_ram_ptr(&board.ram);
}

/* Writes a command's bytes, up to a -1. */
static void command(int byte, ...)
{
    va_list bytes;

    va_start(bytes, byte);
    for (; byte >= 0; byte = va_arg(bytes, int)) {
        ck_assert_int_eq(inb(0x3f4) & 0xc0, 0x80);
        outb(0x3f5, byte);
    }
    va_end(bytes);
}

/* Checks that the answer is exactly these bytes, up to a -1. */
static void expect(int byte, ...)
{
    va_list bytes;
    int i = 0;

    va_start(bytes, byte);
    for (; byte >= 0; byte = va_arg(bytes, int), i++) {
        int got;

        ck_assert_msg((inb(0x3f4) & 0xd0) == 0xd0, "no byte %d", i);
        got = inb(0x3f5);
        ck_assert_msg(got == byte, "byte %d is 0x%02x, not 0x%02x", i, got, byte);
    }
    va_end(bytes);
    ck_assert_int_eq(inb(0x3f4), 0x80);
}

static void start_up(void)
{
    outb(0x3f2, 0x00);
    ck_assert_int_eq(inb(0x3f4), 0x00);
    outb(0x3f2, 0x1c);
    ck_assert_int_eq(board.level[6], 1);
    for (int i = 0; i < 4; i++) {
        command(0x08, -1);
        ck_assert_int_eq(board.level[6], 0);
        expect(0xc0 | i, 0x00, -1);
    }
    command(0x08, -1);
    expect(0x80, -1);
    outb(0x3f7, 0x00); /* 500 kbit/s */
    command(0x03, 0xaf, 0x02, -1);
}

static void program_dma(uint8_t mode, uint16_t address, unsigned count)
{
    outb(0x0a, 0x06);
    outb(0x0c, 0x00);
    outb(0x04, address & 0xff);
    outb(0x04, address >> 8);
    outb(0x81, 0x00);
    outb(0x05, (count - 1) & 0xff);
    outb(0x05, (count - 1) >> 8);
    outb(0x0b, mode);
    outb(0x0a, 0x02);
}

static void seek(uint8_t cylinder)
{
    command(0x0f, 0x00, cylinder, -1);
    ck_assert_int_eq(board.level[6], 1);
    command(0x08, -1);
    expect(0x20, cylinder, -1);
}

START_TEST(reset_and_identity)
{
    setup(false, "");
    start_up();
    command(0x10, -1);
    expect(0x90, -1);
    command(0x18, -1);
    expect(0x41, -1);
    command(0x13, 0x00, 0x57, 0x12, -1);
    command(0x94, -1);
    expect(0x10, -1);
    command(0x0e, -1);
    expect(0, 0, 0, 0, 0xaf, 0x02, 0, 0x80, 0x57, 0x12, -1);
    outb(0x3f4, 0x80); /* reset by DSR; LOCK keeps the configuration */
    ck_assert_int_eq(board.level[6], 1);
    for (int i = 0; i < 4; i++) {
        command(0x08, -1);
        expect(0xc0 | i, 0x00, -1);
    }
    command(0x0e, -1);
    expect(0, 0, 0, 0, 0xaf, 0x02, 0, 0x80, 0x57, 0x12, -1);
    command(0x14, -1);
    expect(0x00, -1);
    command(0x1f, -1);
    expect(0x80, -1);
    ck_assert_int_eq(inb(0x3f2), 0x1c);
    ck_assert_int_eq(isa_fdc_cmos_types(fdc), 0x00);
}
END_TEST

START_TEST(without_a_drive)
{
    setup(false, "");
    start_up();
    command(0x07, 0x00, -1);
    command(0x08, -1);
    expect(0x70, 0x00, -1); /* track 0 was not found */
    command(0x4a, 0x00, -1);
    expect(0x40, 0x01, 0x00, 0x00, 0x00, 0x01, 0x02, -1);
    ck_assert_int_eq(inb(0x3f7), 0x00);
    command(0x46, 0x03, 0x00, 0x00, 0x01, 0x02, 0x12, 0x1b, 0xff, -1);
    outb(0x0f, 0x00); /* no sector, so it ends as soon as the DMA channel would go */
    expect(0x43, 0x01, 0x00, 0x00, 0x00, 0x01, 0x02, -1);
}
END_TEST

START_TEST(seeking)
{
    setup(true, "");
    start_up();
    ck_assert_int_eq(isa_fdc_cmos_types(fdc), 0x40);
    ck_assert_int_eq(inb(0x3f7), 0x80); /* the disk is new */
    seek(40);
    ck_assert_int_eq(inb(0x3f7), 0x00);
    command(0x04, 0x04, -1);
    expect(0x2c, -1);
    command(0x07, 0x00, -1);
    command(0x08, -1);
    expect(0x20, 0x00, -1);
    command(0x04, 0x00, -1);
    expect(0x38, -1);
    command(0x4a, 0x04, -1);
    expect(0x04, 0x00, 0x00, 0x00, 0x01, 0x01, 0x02, -1);
    outb(0x3f7, 0x02); /* at 250 kbit/s there is nothing to be read */
    command(0x4a, 0x00, -1);
    expect(0x40, 0x01, 0x00, 0x00, 0x00, 0x01, 0x02, -1);
}
END_TEST

START_TEST(reading)
{
    setup(true, "");
    start_up();
    seek(1);
    program_dma(0x46, 0x2000, 3 * 512);
    command(0xe6, 0x00, 0x01, 0x00, 0x11, 0x02, 0x12, 0x1b, 0xff, -1);
    ck_assert_int_eq(board.level[6], 1);
    /* Sectors 17 and 18 of side 0, then 1 of side 1: numbers 52, 53, 54. */
    ck_assert_int_eq(ram[0x2000], 52);
    ck_assert_int_eq(ram[0x21ff], 52);
    ck_assert_int_eq(ram[0x2200], 53);
    ck_assert_int_eq(ram[0x25ff], 54);
    ck_assert_int_eq(ram[0x2600], 0);
    expect(0x04, 0x00, 0x00, 0x01, 0x01, 0x02, 0x02, -1);
    ck_assert_int_eq(board.level[6], 0);

    /* Past the last sector without a terminal count. */
    program_dma(0x46, 0x2000, 4 * 512);
    command(0x46, 0x00, 0x01, 0x00, 0x12, 0x02, 0x12, 0x1b, 0xff, -1);
    expect(0x40, 0x80, 0x00, 0x02, 0x00, 0x01, 0x02, -1);

    /* Not where the head is; not on the track; not as large. */
    program_dma(0x46, 0x2000, 512);
    command(0x46, 0x00, 0x50, 0x00, 0x01, 0x02, 0x12, 0x1b, 0xff, -1);
    expect(0x40, 0x04, 0x10, 0x50, 0x00, 0x01, 0x02, -1);
    command(0x46, 0x00, 0x01, 0x00, 0x13, 0x02, 0x12, 0x1b, 0xff, -1);
    expect(0x40, 0x04, 0x00, 0x01, 0x00, 0x13, 0x02, -1);
    command(0x46, 0x00, 0x01, 0x00, 0x01, 0x03, 0x12, 0x1b, 0xff, -1);
    expect(0x40, 0x04, 0x00, 0x01, 0x00, 0x01, 0x02, -1);
    /* The channel is programmed to write to the disk. */
    program_dma(0x4a, 0x2000, 512);
    command(0x46, 0x00, 0x01, 0x00, 0x01, 0x02, 0x12, 0x1b, 0xff, -1);
    expect(0x40, 0x10, 0x00, 0x01, 0x00, 0x01, 0x02, -1);
}
END_TEST

START_TEST(implied_seek)
{
    setup(true, "");
    start_up();
    command(0x13, 0x00, 0x57, 0x00, -1);
    program_dma(0x46, 0x2000, 512);
    command(0x46, 0x04, 0x03, 0x01, 0x05, 0x02, 0x12, 0x1b, 0xff, -1);
    expect(0x24, 0x00, 0x00, 0x03, 0x01, 0x06, 0x02, -1);
    ck_assert_int_eq(ram[0x2000], (3 * 2 + 1) * 18 + 4);
}
END_TEST

START_TEST(reading_waits_for_dma)
{
    setup(true, "");
    start_up();
    command(0x46, 0x00, 0x00, 0x00, 0x06, 0x02, 0x12, 0x1b, 0xff, -1);
    ck_assert_int_eq(inb(0x3f4), 0x10);
    ck_assert_int_eq(board.level[6], 0);
    ck_assert_int_eq(inb(0x08) & 0x40, 0x40);
    program_dma(0x46, 0x2000, 512);
    ck_assert_int_eq(board.level[6], 1);
    ck_assert_int_eq(ram[0x2000], 5);
    expect(0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x02, -1);
}
END_TEST

START_TEST(writing)
{
    setup(true, ",snapshot=on");
    start_up();
    memset(ram + 0x3000, 0xa5, 700);
    program_dma(0x4a, 0x3000, 700);
    command(0x45, 0x00, 0x00, 0x00, 0x02, 0x02, 0x12, 0x1b, 0xff, -1);
    expect(0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x02, -1);
    program_dma(0x46, 0x2000, 3 * 512);
    command(0x46, 0x00, 0x00, 0x00, 0x02, 0x02, 0x12, 0x1b, 0xff, -1);
    expect(0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x02, -1);
    ck_assert_int_eq(ram[0x2000], 0xa5);
    ck_assert_int_eq(ram[0x2000 + 699], 0xa5);
    ck_assert_int_eq(ram[0x2000 + 700], 0x00); /* the rest of the sector is zeroes */
    ck_assert_int_eq(ram[0x2000 + 1023], 0x00);
    ck_assert_int_eq(ram[0x2000 + 1024], 3);
}
END_TEST

START_TEST(formatting)
{
    setup(true, ",snapshot=on");
    start_up();
    for (int i = 0; i < 18; i++) {
        memcpy(ram + 0x3000 + 4 * i, (uint8_t[]){0, 1, i + 1, 2}, 4);
    }
    program_dma(0x4a, 0x3000, 18 * 4);
    command(0x4d, 0x04, 0x02, 0x12, 0x54, 0xf6, -1);
    ck_assert_int_eq(inb(0x3f5), 0x04);
    for (int i = 0; i < 6; i++) {
        inb(0x3f5);
    }
    program_dma(0x46, 0x2000, 18 * 512);
    command(0x46, 0x04, 0x00, 0x01, 0x01, 0x02, 0x12, 0x1b, 0xff, -1);
    expect(0x04, 0x00, 0x00, 0x01, 0x01, 0x01, 0x02, -1);
    for (int i = 0; i < 18 * 512; i++) {
        ck_assert_int_eq(ram[0x2000 + i], 0xf6);
    }
}
END_TEST

START_TEST(write_protected)
{
    setup(true, ",readonly=on");
    start_up();
    program_dma(0x4a, 0x3000, 512);
    command(0x45, 0x00, 0x00, 0x00, 0x01, 0x02, 0x12, 0x1b, 0xff, -1);
    expect(0x40, 0x02, 0x00, 0x00, 0x00, 0x01, 0x02, -1);
    command(0x04, 0x00, -1);
    expect(0x78, -1);
}
END_TEST

START_TEST(without_dma)
{
    setup(true, ",snapshot=on");
    start_up();
    command(0x03, 0xaf, 0x03, -1);
    command(0x46, 0x00, 0x00, 0x00, 0x12, 0x02, 0x12, 0x1b, 0xff, -1);
    for (int i = 0; i < 512; i++) {
        ck_assert_int_eq(inb(0x3f4), 0xf0);
        ck_assert_int_eq(inb(0x3f5), 17);
    }
    expect(0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x02, -1);
    command(0x45, 0x00, 0x00, 0x00, 0x12, 0x02, 0x12, 0x1b, 0xff, -1);
    for (int i = 0; i < 512; i++) {
        ck_assert_int_eq(inb(0x3f4), 0xb0);
        outb(0x3f5, 0x5a);
    }
    expect(0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x02, -1);
    command(0x46, 0x00, 0x00, 0x00, 0x12, 0x02, 0x12, 0x1b, 0xff, -1);
    ck_assert_int_eq(inb(0x3f5), 0x5a);
    outb(0x3f2, 0x00); /* a reset ends it */
    ck_assert_int_eq(board.level[6], 0);
    start_up();
}
END_TEST

START_TEST(noise_does_no_harm)
{
    GRand *random = g_rand_new_with_seed(1);

    setup(true, ",snapshot=on");
    for (int i = 0; i < 200000; i++) {
        uint16_t port = 0x3f1 + g_rand_int_range(random, 0, 7);

        if (port == 0x3f6) {
            port = 0x3f5;
        }
        if (g_rand_boolean(random)) {
            /* Mostly out of reset, or little would happen. */
            outb(port, g_rand_int(random) | (port == 0x3f2 ? 0x04 : 0));
        } else {
            inb(port);
        }
        if (i % 100 == 0) {
            program_dma(0x42 + (g_rand_int(random) & 0x2c), 0x2000, 512);
        }
    }
    g_rand_free(random);
    device_reset_all();
    start_up();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        reset_and_identity,    without_a_drive, seeking,    reading,         implied_seek,
        reading_waits_for_dma, writing,         formatting, write_protected, without_dma,
        noise_does_no_harm,
    };

    return run_suite("fdc", tests, G_N_ELEMENTS(tests));
}
