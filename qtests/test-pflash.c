/*
 * The flash chips of a PC over the qtest protocol, by Intel's data sheet (28F128J3, order
 * 290667, section 4), the Common Flash Interface (JESD68.01) and what OVMF's driver asks.
 * Umbra and QEMU both; where QEMU is known to differ from the data sheet it is left out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qtests/qtest-client.h"

#define CODE_SIZE 0x20000u
#define VARS_SIZE 0x84000u /* as OVMF_VARS_4M.fd: no power of two */
#define CODE (UINT64_C(0x100000000) - CODE_SIZE)
#define VARS (CODE - VARS_SIZE)
#define BLOCK 0x1000u

static char *code_path, *vars_path;
static QtestClient *client;

/* A file of bytes that tell where they are. */
static char *file_new(size_t size)
{
    char *path = g_strdup("/tmp/umbra-flash-XXXXXX");
    g_autofree uint8_t *bytes = g_malloc(size);
    int fd = mkstemp(path);

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i ^ i >> 8 ^ 0x5a);
    }
    ck_assert_int_eq(write(fd, bytes, size), size);
    close(fd);
    return path;
}

static void start_with(const char *more)
{
    g_autofree char *arguments = NULL;

    code_path = file_new(CODE_SIZE);
    vars_path = file_new(VARS_SIZE);
    arguments = g_strdup_printf(
        "-M pc -nodefaults -drive if=pflash,unit=0,format=raw,readonly=on,file=%s "
        "-drive if=pflash,unit=1,format=raw,file=%s %s",
        code_path, vars_path, more);
    client = qtest_client_new(arguments);
}

static void start_up(void)
{
    start_with("");
}

static void shut_down(void)
{
    qtest_client_free(client);
    unlink(code_path);
    unlink(vars_path);
}

static void put(uint64_t address, uint8_t value)
{
    qtest_client_write(client, address, 1, value);
}

static uint8_t get(uint64_t address)
{
    return (uint8_t)qtest_client_read(client, address, 1);
}

static uint8_t in_file(const char *path, size_t offset)
{
    g_autofree char *bytes = NULL;
    gsize length;

    ck_assert(g_file_get_contents(path, &bytes, &length, NULL));
    ck_assert_uint_lt(offset, length);
    return (uint8_t)bytes[offset];
}

static uint8_t original(size_t offset)
{
    return (uint8_t)(offset ^ offset >> 8 ^ 0x5a);
}

static void erase(uint64_t address)
{
    put(address, 0x20);
    put(address, 0xd0);
    ck_assert_uint_eq(get(address), 0x80);
}

static void read_array(uint64_t chip)
{
    put(chip, 0xff);
}

/* -- The map ------------------------------------------------------------------------- */

START_TEST(test_places)
{
    start_up();
    ck_assert_uint_eq(get(CODE), original(0));
    ck_assert_uint_eq(get(CODE + CODE_SIZE - 1), original(CODE_SIZE - 1));
    ck_assert_uint_eq(get(VARS), original(0));
    ck_assert_uint_eq(get(VARS + VARS_SIZE - 1), original(VARS_SIZE - 1));
    ck_assert_uint_eq(qtest_client_read(client, VARS, 4),
                      original(0) | original(1) << 8 | original(2) << 16 |
                          (uint32_t)original(3) << 24);
    ck_assert_uint_eq(get(0xfffff), original(CODE_SIZE - 1)); /* isa-bios */
    ck_assert_uint_eq(get(0xe0000), original(0));
    shut_down();
}
END_TEST

START_TEST(test_isa_bios_stays)
{
    g_autofree char *path = file_new(CODE_SIZE), *arguments = NULL;

    arguments = g_strdup_printf(
        "-M pc -nodefaults -drive if=pflash,unit=0,format=raw,file=%s", path);
    client = qtest_client_new(arguments);
    erase(CODE);
    put(CODE, 0xff);
    ck_assert_uint_eq(get(CODE), 0xff);
    ck_assert_uint_eq(get(0xe0000), original(0)); /* a copy of the time of power-on */
    put(CODE, 0x70);
    ck_assert_uint_eq(get(0xe0000), original(0));
    qtest_client_free(client);
    unlink(path);
}
END_TEST

/* -- Commands ------------------------------------------------------------------------ */

/* What OVMF does to tell a flash from RAM and ROM: it takes a byte that is no command,
 * clears the status, and must then read the status as 0. */
START_TEST(test_ovmf_detects)
{
    start_up();
    put(VARS + 1, 0x50);
    ck_assert_uint_ne(get(VARS + 1), 0x50);
    put(VARS + 1, 0x70);
    ck_assert_uint_eq(get(VARS + 1), 0x00);
    put(VARS + 1, 0xff);
    ck_assert_uint_eq(get(VARS + 1), original(1));
    shut_down();
}
END_TEST

START_TEST(test_program_byte)
{
    static const uint8_t commands[] = {0x40, 0x10};

    start_up();
    erase(VARS + 0x3000);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t offset = 0x3123 + i;

        put(VARS + offset, commands[i]);
        put(VARS + offset, 0x42);
        ck_assert_uint_eq(get(VARS), 0x80);
        ck_assert_uint_eq(in_file(vars_path, offset), 0x42);
        read_array(VARS);
        ck_assert_uint_eq(get(VARS + offset), 0x42);
        ck_assert_uint_eq(get(VARS + offset + 1), 0xff);
    }
    shut_down();
}
END_TEST

START_TEST(test_programming_clears_bits_only)
{
    start_up();
    if (!qtest_client_is_qemu()) {
        erase(VARS);
        put(VARS, 0x40);
        put(VARS, 0xf0);
        put(VARS, 0x40);
        put(VARS, 0x3c);
        read_array(VARS);
        ck_assert_uint_eq(get(VARS), 0x30);
    }
    shut_down();
}
END_TEST

START_TEST(test_erase_block)
{
    start_up();
    put(VARS + 0x5fff, 0x20);
    put(VARS + 0x5fff, 0xd0);
    ck_assert_uint_eq(get(VARS), 0x80);
    read_array(VARS);
    ck_assert_uint_eq(get(VARS + 0x4fff), original(0x4fff));
    for (uint32_t offset = 0x5000; offset < 0x6000; offset += 0x123) {
        ck_assert_uint_eq(get(VARS + offset), 0xff);
        ck_assert_uint_eq(in_file(vars_path, offset), 0xff);
    }
    ck_assert_uint_eq(get(VARS + 0x6000), original(0x6000));
    ck_assert_uint_eq(in_file(vars_path, 0x6000), original(0x6000));
    shut_down();
}
END_TEST

/* Nothing happens before the confirmation, and another byte than D0 is a command sequence
 * error: status bits 5 and 4. */
START_TEST(test_erase_unconfirmed)
{
    start_up();
    if (!qtest_client_is_qemu()) {
        put(VARS, 0x20);
        put(VARS, 0x55);
        ck_assert_uint_eq(get(VARS), 0xb0);
        put(VARS, 0x50);
        ck_assert_uint_eq(get(VARS), original(0));
    }
    shut_down();
}
END_TEST

START_TEST(test_program_buffer)
{
    start_up();
    erase(VARS + 0x2000);
    put(VARS + 0x2000, 0xe8);
    ck_assert_uint_eq(get(VARS + 0x2000), 0x80); /* a buffer is free */
    put(VARS + 0x2000, 3);                       /* four bytes */
    for (unsigned i = 0; i < 4; i++) {
        put(VARS + 0x2010 + i, (uint8_t)(0x11 * (i + 1)));
    }
    put(VARS + 0x2010, 0xd0);
    ck_assert_uint_eq(get(VARS + 0x2000), 0x80);
    read_array(VARS);
    ck_assert_uint_eq(get(VARS + 0x200f), 0xff);
    ck_assert_uint_eq(qtest_client_read(client, VARS + 0x2010, 4), 0x44332211);
    ck_assert_uint_eq(get(VARS + 0x2014), 0xff);
    ck_assert_uint_eq(in_file(vars_path, 0x2013), 0x44);
    shut_down();
}
END_TEST

START_TEST(test_buffer_errors)
{
    start_up();
    if (!qtest_client_is_qemu()) {
        put(VARS, 0xe8);
        put(VARS, 1);
        put(VARS + 0x10, 0);
        put(VARS + 0x12, 0); /* beyond start + count */
        ck_assert_uint_eq(get(VARS), 0xb0);
        put(VARS, 0x50);
        put(VARS, 0xe8);
        put(VARS, 0);
        put(VARS + 0x10, 0);
        put(VARS, 0xff); /* not confirmed */
        ck_assert_uint_eq(get(VARS), 0xb0);
        put(VARS, 0x50);
        ck_assert_uint_eq(get(VARS + 0x10), original(0x10));
        put(VARS, 0xe8); /* over the end of the chip */
        put(VARS, 0xff);
        for (unsigned i = 0; i < 256; i++) {
            put(VARS + VARS_SIZE - 1, 0);
        }
        put(VARS, 0xd0);
        ck_assert_uint_eq(get(VARS), 0x80);
        read_array(VARS);
        ck_assert_uint_eq(get(VARS + VARS_SIZE - 1), 0);
        ck_assert_uint_eq(get(CODE), original(0));
    }
    shut_down();
}
END_TEST

START_TEST(test_readonly)
{
    start_up();
    put(CODE, 0x40);
    put(CODE, 0x00);
    ck_assert_uint_eq(get(CODE) & ~0x02, 0x90); /* program error */
    put(CODE, 0x50);
    put(CODE, 0x20);
    put(CODE, 0xd0);
    ck_assert_uint_eq(get(CODE) & ~0x02, 0xa0); /* erase error */
    put(CODE, 0x50);
    ck_assert_uint_eq(get(CODE), original(0));
    shut_down();
    ck_assert_uint_eq(original(0), 0x5a);
}
END_TEST

/* A lock bit stops program and erase of its block (status bit 1 says why), and D0 clears
 * all of them. */
START_TEST(test_locks)
{
    start_up();
    put(VARS + 0x1000, 0x60);
    put(VARS + 0x1000, 0x01);
    ck_assert_uint_eq(get(VARS), 0x80);
    if (!qtest_client_is_qemu()) {
        put(VARS, 0x90);
        ck_assert_uint_eq(get(VARS + 0x1002), 1);
        ck_assert_uint_eq(get(VARS + 0x2002), 0);
        put(VARS + 0x1000, 0x20);
        put(VARS + 0x1000, 0xd0);
        ck_assert_uint_eq(get(VARS), 0xa2);
        put(VARS, 0x50);
        put(VARS + 0x1000, 0x40);
        put(VARS + 0x1000, 0x00);
        ck_assert_uint_eq(get(VARS), 0x92);
        put(VARS, 0x50);
        ck_assert_uint_eq(get(VARS + 0x1000), original(0x1000));
    }
    put(VARS + 0x7000, 0x60);
    put(VARS + 0x7000, 0xd0);
    ck_assert_uint_eq(get(VARS), 0x80);
    erase(VARS + 0x1000);
    read_array(VARS);
    ck_assert_uint_eq(get(VARS + 0x1fff), 0xff);
    shut_down();
}
END_TEST

START_TEST(test_query)
{
    static const struct {
        uint8_t offset, value;
    } expected[] = {
        {0x10, 'Q'},  {0x11, 'R'},         {0x12, 'Y'}, {0x13, 0x01},
        {0x14, 0x00}, {0x15, 0x31},        {0x16, 0},   {0x27, 14},
        {0x2a, 8},    {0x2b, 0},           {0x2c, 1},   {0x2d, VARS_SIZE / BLOCK - 1},
        {0x2e, 0},    {0x2f, BLOCK / 256}, {0x30, 0},   {0x31, 'P'},
        {0x32, 'R'},  {0x33, 'I'},         {0x34, '1'}, {0x35, '0'},
    };

    start_up();
    put(VARS, 0x98);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        ck_assert_msg(get(VARS + expected[i].offset) == expected[i].value,
                      "offset %02x is %02x, not %02x", expected[i].offset,
                      get(VARS + expected[i].offset), expected[i].value);
    }
    ck_assert_uint_eq(get(CODE), original(0)); /* the other chip is another chip */
    read_array(VARS);
    ck_assert_uint_eq(get(VARS + 0x10), original(0x10));
    shut_down();
}
END_TEST

START_TEST(test_reset)
{
    start_up();
    put(VARS, 0x98);
    ck_assert_uint_eq(get(VARS + 0x10), 'Q');
    json_node_unref(qtest_client_execute(client, "system_reset", NULL, NULL));
    json_object_unref(qtest_client_event(client, "RESET"));
    ck_assert_uint_eq(get(VARS + 0x10), original(0x10));
    shut_down();
}
END_TEST

/* Whole words in command mode: each byte lane is an access of its own to a chip of a
 * byte's width, and none reaches outside it. */
START_TEST(test_wide_accesses)
{
    start_up();
    for (unsigned size = 1; size <= 8; size *= 2) {
        for (unsigned command = 0; command < 256; command++) {
            qtest_client_write(client, VARS + VARS_SIZE - size, size,
                               command * UINT64_C(0x0101010101010101));
            qtest_client_read(client, VARS + VARS_SIZE - size, size);
        }
    }
    ck_assert_uint_eq(get(CODE), original(0));
    shut_down();
}
END_TEST

/* -- Images -------------------------------------------------------------------------- */

START_TEST(test_snapshot)
{
    g_autofree char *path = file_new(CODE_SIZE), *arguments = NULL;

    arguments = g_strdup_printf(
        "-M pc -nodefaults -drive if=pflash,format=raw,snapshot=on,file=%s", path);
    client = qtest_client_new(arguments);
    erase(CODE);
    read_array(CODE);
    ck_assert_uint_eq(get(CODE), 0xff);
    qtest_client_free(client);
    ck_assert_uint_eq(in_file(path, 0), original(0));
    unlink(path);
}
END_TEST

/* The chips' content by -machine, as libvirt gives it. */
START_TEST(test_machine_properties)
{
    g_autofree char *code = file_new(CODE_SIZE), *vars = file_new(VARS_SIZE);
    g_autofree char *arguments =
        g_strdup_printf("-M pc,pflash0=code,pflash1=vars -nodefaults "
                        "-blockdev '{\"driver\": \"file\", \"filename\": \"%s\", "
                        "\"node-name\": \"code\", "
                        "\"read-only\": true}' "
                        "-blockdev driver=file,filename=%s,node-name=storage "
                        "-blockdev driver=raw,file=storage,node-name=vars",
                        code, vars);

    client = qtest_client_new(arguments);
    ck_assert_uint_eq(get(CODE + 5), original(5));
    erase(VARS);
    ck_assert_uint_eq(in_file(vars, 5), 0xff);
    put(CODE, 0x20);
    put(CODE, 0xd0);
    ck_assert_uint_eq(get(CODE) & ~0x02, 0xa0);
    qtest_client_free(client);
    ck_assert_uint_eq(in_file(code, 5), original(5));
    unlink(code);
    unlink(vars);
}
END_TEST

/* The image loses its end while the machine runs: what is written comes back as the file
 * system has it, and the machine goes on. */
START_TEST(test_image_shrinks)
{
    start_up();
    ck_assert_int_eq(truncate(vars_path, 0x1000), 0);
    ck_assert_uint_eq(get(VARS + 0x8000), original(0x8000));
    erase(VARS + 0x8000);
    read_array(VARS);
    ck_assert_uint_eq(get(VARS + 0x8000), 0xff);
    ck_assert_uint_eq(in_file(vars_path, 0x8fff), 0xff);
    shut_down();
}
END_TEST

/* The emulator refuses to start with one line that says this. */
static void refused(const char *arguments, const char *says)
{
    g_autofree char *text = NULL, *command = NULL;
    g_autoptr(GError) error = NULL;
    int status;

    command = g_strdup_printf("'%s' -display none -nodefaults -accel %s %s",
                              g_getenv("UMBRA_SYSTEM"),
                              qtest_client_is_qemu() ? "tcg -S" : "qtest", arguments);
    ck_assert(g_spawn_command_line_sync(command, NULL, &text, &status, &error));
    ck_assert_msg(g_spawn_check_wait_status(status, NULL) == false, "%s starts", command);
    ck_assert_msg(strstr(text, says) != NULL, "%s: %s", command, text);
    if (!qtest_client_is_qemu()) {
        ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
    }
}

START_TEST(test_bad_images)
{
    static const struct {
        size_t size;
        const char *says;
    } files[] = {{5000, "invalid size"},
                 {0, "invalid size 0"},
                 {0x801000, "combined size of system firmware exceeds 8388608 bytes"}};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = file_new(files[i].size);
        g_autofree char *arguments =
            g_strdup_printf("-drive if=pflash,format=raw,file=%s", path);

        refused(arguments, files[i].says);
        unlink(path);
    }
    code_path = file_new(CODE_SIZE);
    {
        g_autofree char *only_vars =
            g_strdup_printf("-drive if=pflash,unit=1,format=raw,file=%s", code_path);
        g_autofree char *third =
            g_strdup_printf("-drive if=pflash,unit=2,format=raw,file=%s", code_path);
        g_autofree char *isa =
            g_strdup_printf("-M isapc -drive if=pflash,format=raw,file=%s", code_path);

        refused(only_vars, "pflash1 requires pflash0");
        refused(third, "machine type does not support if=pflash,bus=0,unit=2");
        refused(isa, "machine type does not support if=pflash,bus=0,unit=0");
        refused("-drive if=pflash", "No medium found");
        refused("-M pc,pflash0=nothing", "nothing'");
    }
    unlink(code_path);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_places,
        test_isa_bios_stays,
        test_ovmf_detects,
        test_program_byte,
        test_programming_clears_bits_only,
        test_erase_block,
        test_erase_unconfirmed,
        test_program_buffer,
        test_buffer_errors,
        test_readonly,
        test_locks,
        test_query,
        test_reset,
        test_wide_accesses,
        test_snapshot,
        test_machine_properties,
        test_image_shrinks,
        test_bad_images,
    };

    return qtest_client_run_suite("pflash", tests, G_N_ELEMENTS(tests));
}
