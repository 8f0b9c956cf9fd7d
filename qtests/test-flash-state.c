/*
 * The state of a flash chip in migration streams: the bytes are those that QEMU 7.2.22
 * writes after the same commands.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/isa-board.h"

#include <string.h>
#include <unistd.h>

#include "hw/block/block.h"
#include "hw/block/pflash-cfi01.h"
#include "hw/core/vmstate.h"
#include "qtests/vmstate-fixture.h"

#define SIZE 0x2000u
#define BASE 0x100000u

static Device *flash;

/* Two blocks, all ones but for byte 6. */
static void setup(void)
{
    g_autofree char *path =
        g_strdup_printf("%s/umbra-flash-state-%d", g_get_tmp_dir(), (int)getpid());
    g_autofree char *options =
        g_strdup_printf("file=%s,format=raw,if=none,id=flash", path);
    g_autofree char *bytes = g_malloc(SIZE);
    GError *error = NULL;

    board_init();
    memset(bytes, 0xff, SIZE);
    bytes[6] = 0;
    ck_assert(g_file_set_contents(path, bytes, SIZE, NULL));
    ck_assert_ptr_nonnull(drive_new(options, &error));
    unlink(path);
    flash = pflash_cfi01_new("system.flash0", "flash", &error);
    ck_assert_msg(flash != NULL, "%s", error ? error->message : "");
    memory_region_add_subregion(&board.memory, BASE, pflash_cfi01_memory(flash));
    device_reset_all();
}

static void put(uint32_t offset, uint8_t value)
{
    address_space_stb(&board.memory_space, BASE + offset, value, MEMTXATTRS_UNSPECIFIED,
                      NULL);
}

static uint8_t get(uint32_t offset)
{
    return address_space_ldub(&board.memory_space, BASE + offset, MEMTXATTRS_UNSPECIFIED,
                              NULL);
}

static const VMStateDescription *vmsd(void)
{
    return DEVICE_GET_CLASS(flash)->vmsd;
}

/* The state is these bytes, and a chip that loads them writes them again. */
static void assert_state(const char *hex)
{
    assert_saves(vmsd(), flash, hex);
    device_reset_all();
    ck_assert_ptr_null(load_hex(vmsd(), flash, 1, hex));
    assert_saves(vmsd(), flash, hex);
}

START_TEST(test_reads)
{
    setup();
    assert_state("00 00 80 0000000000000000");
    ck_assert_uint_eq(get(6), 0x00);
    put(0, 0x98);
    assert_state("01 98 80 0000000000000000");
    ck_assert_uint_eq(get(0x10), 'Q');
    put(0, 0x50);
    put(0, 0x70);
    assert_state("00 70 00 0000000000000000");
    ck_assert_uint_eq(get(0x10), 0x00);
}
END_TEST

START_TEST(test_commands)
{
    setup();
    put(0, 0x40);
    assert_state("01 40 80 0000000000000000");
    put(3, 0x5a);
    put(0, 0xff);
    ck_assert_uint_eq(get(3), 0x5a);
    put(0, 0x60);
    assert_state("01 60 80 0000000000000000");
    put(0, 0xd0);
    put(0, 0x20);
    assert_state("01 20 80 0000000000000000");
    put(3, 0xd0);
    put(0, 0xff);
    ck_assert_uint_eq(get(3), 0xff);
}
END_TEST

/* A window of 256 bytes: what is in the array, and what has come so far. */
static char *window(const char *head, const char *first_bytes, const char *offset)
{
    GString *hex = g_string_new(head);

    g_string_append(hex, "05 16 70666c6173685f63666930315f626c6b5f7772697465 00000001");
    g_string_append(hex, first_bytes);
    for (size_t i = strlen(first_bytes) / 2; i < 256; i++) {
        g_string_append(hex, "ff");
    }
    g_string_append(hex, offset);
    return g_string_free(hex, FALSE);
}

START_TEST(test_buffer)
{
    g_autofree char *counted =
        window("02 e8 80 0000000000000003", "ffffffffffff00ff", "00000000");
    g_autofree char *half =
        window("02 e8 80 0000000000000001", "ff1122ffffff00ff", "00000000");
    g_autofree char *full =
        window("03 e8 80 ffffffffffffffff", "ff1122334fff00ff", "00000000");

    setup();
    put(0, 0xe8);
    put(0, 3);
    assert_state(counted);
    put(1, 0x11);
    put(2, 0x22);
    assert_state(half);
    put(3, 0x33);
    put(4, 0x4f);
    assert_state(full);
    put(0, 0xd0);
    put(0, 0xff);
    ck_assert_uint_eq(get(1), 0x11);
    ck_assert_uint_eq(get(4), 0x4f);
    ck_assert_uint_eq(get(5), 0xff);
    ck_assert_uint_eq(get(6), 0x00);
}
END_TEST

START_TEST(test_refused)
{
    static const char *const heads[] = {
        "02 20 80 0000000000000000", "04 e8 80 0000000000000000",
        "01 77 80 0000000000000000", "02 e8 80 0000000000000100",
        "02 e8 80 ffffffffffffffff",
    };
    g_autofree char *outside = window("02 e8 80 0000000000000003", "ff", "00002000");
    g_autofree char *askew = window("02 e8 80 0000000000000003", "ff", "00001f80");
    const char *windows[] = {outside, askew};

    setup();
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
        g_autofree char *message = load_hex(vmsd(), flash, 1, heads[i]);

        ck_assert_msg(message && strstr(message, "system.flash0"), "%s: %s", heads[i],
                      message ? message : "taken");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(windows); i++) {
        g_autofree char *message = load_hex(vmsd(), flash, 1, windows[i]);

        ck_assert_ptr_nonnull(message);
    }
    for (uint32_t i = 0; i < SIZE; i += 0x100) { /* and nothing is outside now */
        put(i, 0xd0);
        get(i);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_reads, test_commands, test_buffer, test_refused};

    return run_suite("flash-state", tests, G_N_ELEMENTS(tests));
}
