/*
 * Images: what the loader finds, takes and refuses, and the small tables beside it. Sizes
 * that are refused are those that QEMU's pc refuses; gzip framing is RFC 1952's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "firmware/boot-order.h"
#include "firmware/e820.h"
#include "firmware/loader.h"
#include "firmware/shadow.h"

static char *directory;
static const char *directories[2];

static void setup(void)
{
    directory = g_dir_make_tmp("umbra-loader-XXXXXX", NULL);
    ck_assert_ptr_nonnull(directory);
    directories[0] = directory;
}

static void teardown(void)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        g_remove(path);
    }
    g_dir_close(dir);
    g_rmdir(directory);
    g_free(directory);
}

static uint8_t *pattern(size_t size)
{
    uint8_t *data = g_malloc(size + 1);
    uint32_t state = 1;

    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = state >> 24;
    }
    return data;
}

static void write_file(const char *name, const void *data, size_t size)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    ck_assert(g_file_set_contents(path, data, size, NULL));
}

/* One gzip member of `data`. */
static GByteArray *gzip(const void *data, size_t size)
{
    z_stream stream = {.next_in = (uint8_t *)data, .avail_in = size};
    GByteArray *out = g_byte_array_new();

    ck_assert_int_eq(
        deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
        Z_OK);
    g_byte_array_set_size(out, deflateBound(&stream, size));
    stream.next_out = out->data;
    stream.avail_out = out->len;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    g_byte_array_set_size(out, stream.total_out);
    deflateEnd(&stream);
    return out;
}

static void expect_error(const char *name, const FirmwareRules *rules, int code,
                         const char *words)
{
    GError *error = NULL;
    GBytes *bytes = firmware_load(name, directories, rules, &error);

    ck_assert_msg(!bytes, "%s was accepted", name);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(g_error_matches(error, FIRMWARE_ERROR, code), "%s: code %d: %s", name,
                  error->code, error->message);
    ck_assert_msg(strstr(error->message, words) != NULL, "'%s' in: %s", words,
                  error->message);
    ck_assert_ptr_null(strchr(error->message, '\n'));
    g_error_free(error);
}

static void expect_image(const char *name, const FirmwareRules *rules, const void *data,
                         size_t size)
{
    GError *error = NULL;
    GBytes *bytes = firmware_load(name, directories, rules, &error);
    gsize length;

    ck_assert_msg(bytes != NULL, "%s: %s", name, error ? error->message : "?");
    ck_assert_mem_eq(g_bytes_get_data(bytes, &length), data, size);
    ck_assert_uint_eq(length, size);
    g_bytes_unref(bytes);
}

START_TEST(test_plain)
{
    g_autofree uint8_t *data = pattern(KiB(256));

    write_file("a.bin", data, KiB(128));
    expect_image("a.bin", &firmware_rules_bios, data, KiB(128));
    write_file("b.bin", data, KiB(64));
    expect_image("b.bin", &firmware_rules_bios, data, KiB(64));
    write_file("rom", data, 9216);
    expect_image("rom", &firmware_rules_option_rom, data, 9216);
}
END_TEST

START_TEST(test_sizes)
{
    g_autofree uint8_t *data = pattern(MiB(16) + KiB(64));

    write_file("odd", data, 70000);
    expect_error("odd", &firmware_rules_bios, FIRMWARE_ERROR_SIZE, "70000 bytes");
    write_file("odd", data, KiB(64) - 1);
    expect_error("odd", &firmware_rules_bios, FIRMWARE_ERROR_SIZE, "65535 bytes");
    write_file("empty", data, 0);
    expect_error("empty", &firmware_rules_bios, FIRMWARE_ERROR_EMPTY, "is empty");
    write_file("most", data, MiB(16));
    expect_image("most", &firmware_rules_bios, data, MiB(16));
    write_file("big", data, MiB(16) + KiB(64));
    expect_error("big", &firmware_rules_bios, FIRMWARE_ERROR_SIZE,
                 "larger than 16 MiB");
    write_file("big", data, MiB(16) + 1);
    expect_error("big", &firmware_rules_bios, FIRMWARE_ERROR_SIZE,
                 "larger than 16 MiB");
}
END_TEST

START_TEST(test_missing)
{
    g_autofree char *path = g_build_filename(directory, "none.bin", NULL);

    expect_error("none.bin", &firmware_rules_bios, FIRMWARE_ERROR_NOT_FOUND,
                 "/usr/share/seabios");
    expect_error("none.bin", &firmware_rules_bios, FIRMWARE_ERROR_NOT_FOUND, directory);
    expect_error(path, &firmware_rules_bios, FIRMWARE_ERROR_NOT_FOUND, "does not exist");
    expect_error(directory, &firmware_rules_bios, FIRMWARE_ERROR_NOT_FOUND,
                 "is a directory");
    expect_error("/dev/zero", &firmware_rules_bios, FIRMWARE_ERROR_READ, "regular file");
}
END_TEST

/* A name with no slash is a file of the working directory first, then of -L's. */
START_TEST(test_search_order)
{
    g_autofree uint8_t *data = pattern(KiB(128));
    g_autofree char *here = g_get_current_dir();
    g_autofree char *found = NULL;
    g_autofree char *expected = g_build_filename(directory, "bios.bin", NULL);

    write_file("bios.bin", data, KiB(128));
    found = firmware_find_file("bios.bin", directories, NULL);
    ck_assert_str_eq(found, expected);
    ck_assert_int_eq(g_chdir(directory), 0);
    g_free(found);
    found = firmware_find_file("bios.bin", NULL, NULL);
    ck_assert_str_eq(found, "bios.bin");
    ck_assert_int_eq(g_chdir(here), 0);
}
END_TEST

START_TEST(test_gzip)
{
    g_autofree uint8_t *data = pattern(KiB(256));
    g_autoptr(GByteArray) first = gzip(data, KiB(128));
    g_autoptr(GByteArray) second = gzip(data + KiB(128), KiB(128));
    uint8_t zeroes[512] = {0};

    write_file("a.bin.gz", first->data, first->len);
    expect_image("a.bin.gz", &firmware_rules_bios, data, KiB(128));
    write_file("a.bin", first->data, first->len); /* by magic, not by name */
    expect_image("a.bin", &firmware_rules_bios, data, KiB(128));

    g_byte_array_append(first, second->data, second->len);
    write_file("two.gz", first->data, first->len);
    expect_image("two.gz", &firmware_rules_bios, data, KiB(256));
    g_byte_array_append(first, zeroes, sizeof(zeroes));
    write_file("padded.gz", first->data, first->len);
    expect_image("padded.gz", &firmware_rules_bios, data, KiB(256));
}
END_TEST

/* Cut anywhere, an image is refused as cut; with a bit turned over, as damaged. */
START_TEST(test_gzip_broken)
{
    g_autofree uint8_t *data = pattern(KiB(64));
    g_autoptr(GByteArray) whole = gzip(data, KiB(64));
    size_t cuts[] = {2, 9, 10, 100, whole->len / 2, whole->len - 8, whole->len - 1};

    for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
        write_file("cut.gz", whole->data, cuts[i]);
        expect_error("cut.gz", &firmware_rules_bios, FIRMWARE_ERROR_GZIP, "cut short");
    }
    whole->data[whole->len - 6] ^= 1; /* CRC32 */
    write_file("crc.gz", whole->data, whole->len);
    expect_error("crc.gz", &firmware_rules_bios, FIRMWARE_ERROR_GZIP, "damaged");
    whole->data[whole->len - 6] ^= 1;
    whole->data[2] = 7; /* an unknown compression method */
    write_file("method.gz", whole->data, whole->len);
    expect_error("method.gz", &firmware_rules_bios, FIRMWARE_ERROR_GZIP, "damaged");
}
END_TEST

/* 64 MiB of zeroes are 64 KiB of gzip: the loader stops at its limit. */
START_TEST(test_gzip_bomb)
{
    g_autofree uint8_t *data = g_malloc0(MiB(64));
    g_autoptr(GByteArray) bomb = gzip(data, MiB(64));
    g_autoptr(GByteArray) most = gzip(data, MiB(16));
    g_autoptr(GByteArray) empty = gzip(data, 0);

    write_file("bomb.gz", bomb->data, bomb->len);
    expect_error("bomb.gz", &firmware_rules_bios, FIRMWARE_ERROR_SIZE, "larger than");
    write_file("most.gz", most->data, most->len);
    expect_image("most.gz", &firmware_rules_bios, data, MiB(16));
    write_file("empty.gz", empty->data, empty->len);
    expect_error("empty.gz", &firmware_rules_bios, FIRMWARE_ERROR_EMPTY, "is empty");
}
END_TEST

/* Bytes of the installed QEMU 7.2's etc/e820 for -M pc -m 128. */
START_TEST(test_e820)
{
    static const uint8_t expected[] = {
        0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0,
        0, 0, 0, 0, 0,    0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1, 0, 0, 0,
    };
    g_autoptr(GArray) table = e820_table_new();

    e820_table_add(table, 0xfd00000000, 0x300000000, E820_RESERVED);
    e820_table_add(table, 0, MiB(128), E820_RAM);
    e820_table_add(table, GiB(4), 0, E820_RAM);
    ck_assert_uint_eq(table->len * sizeof(E820Entry), sizeof(expected));
    ck_assert_mem_eq(table->data, expected, sizeof(expected));
}
END_TEST

START_TEST(test_boot_order)
{
    BootOrder *order = boot_order_new();
    GBytes *bytes = boot_order_to_bytes(order, true);
    GError *error = NULL;
    static const char expected[] = "/pci@i0cf8/ide@1,1/drive@0/disk@0\n/rom@x\nHALT";

    ck_assert_uint_eq(g_bytes_get_size(bytes),
                      0); /* strict needs something to be strict of */
    g_bytes_unref(bytes);
    ck_assert(boot_order_add(order, 7, "/rom@x", NULL, NULL));
    ck_assert(boot_order_add(order, 3, "/pci@i0cf8/ide@1,1/drive@0", "/disk@0", NULL));
    ck_assert(!boot_order_add(order, 7, "/other", NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "bootindex 7"));
    g_error_free(error);
    bytes = boot_order_to_bytes(order, true);
    ck_assert_uint_eq(g_bytes_get_size(bytes), sizeof(expected));
    ck_assert_mem_eq(g_bytes_get_data(bytes, NULL), expected, sizeof(expected));
    g_bytes_unref(bytes);
    bytes = boot_order_to_bytes(order, false);
    ck_assert_uint_eq(g_bytes_get_size(bytes), sizeof(expected) - strlen("\nHALT"));
    g_bytes_unref(bytes);
    boot_order_free(order);
}
END_TEST

START_TEST(test_shadow)
{
    g_autofree uint8_t *ram = g_malloc0(MiB(1));
    g_autofree uint8_t *rom = pattern(SHADOW_SIZE);
    bool copied;
    GError *error = NULL;

    ck_assert(shadow_is_zero(ram, 0));
    ck_assert(shadow_is_zero(ram, MiB(1)));
    for (size_t i = 0; i < 70; i++) { /* one byte anywhere, also at the ends */
        ram[i] = 0x80;
        ck_assert(!shadow_is_zero(ram, 70));
        ram[i] = 0;
    }
    ck_assert(shadow_fill(ram, MiB(1), SHADOW_E_SEGMENT, rom, SHADOW_SIZE, "pc.bios",
                          &copied, NULL));
    ck_assert(copied);
    ck_assert_mem_eq(ram + 0xe0000, rom, SHADOW_SIZE);
    ck_assert(shadow_is_zero(ram, 0xe0000));
    ram[0xfffff] ^= 0xff; /* a live segment stays */
    ck_assert(shadow_fill(ram, MiB(1), SHADOW_E_SEGMENT, rom, SHADOW_SIZE, "pc.bios",
                          &copied, NULL));
    ck_assert(!copied);
    ck_assert_uint_eq(ram[0xfffff], rom[SHADOW_SIZE - 1] ^ 0xff);
    ck_assert(!shadow_fill(ram, MiB(1), SHADOW_C_SEGMENT, rom, KiB(256), "pc.rom",
                           &copied, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "256 KiB"));
    g_clear_error(&error);
    ck_assert(!shadow_fill(ram, MiB(1) - 1, SHADOW_C_SEGMENT, rom, SHADOW_SIZE, "pc.rom",
                           &copied, &error));
    g_clear_error(&error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loader");
    TCase *tc = tcase_create("loader");
    tcase_set_timeout(tc, 60); /* a gzip bomb takes its time on a busy host */
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_plain);
    tcase_add_test(tc, test_sizes);
    tcase_add_test(tc, test_missing);
    tcase_add_test(tc, test_search_order);
    tcase_add_test(tc, test_gzip);
    tcase_add_test(tc, test_gzip_broken);
    tcase_add_test(tc, test_gzip_bomb);
    tcase_add_test(tc, test_e820);
    tcase_add_test(tc, test_boot_order);
    tcase_add_test(tc, test_shadow);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
