/*
 * Our own guest programs on every emulator at hand: on the installed QEMU they prove
 * themselves, on Umbra they prove the machine. An emulator or accelerator that is not
 * there is left out, with a word about it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/guest/guest.h"

typedef struct Emulator {
    const char *name;
    const char *program_variable; /* environment; else found in PATH */
    const char *program;
    const char *accel;
    const char *pam_result; /* the last line of pam-test */
    int pam_status;
} Emulator;

/* QEMU 7.2 does PAM's mode 2 (read PCI, write RAM) as mode 3. */
static const Emulator emulators[] = {
    {"QEMU tcg", NULL, "qemu-system-x86_64", "tcg", "PASS 58 INEXACT 13", 3},
    {"Umbra x86emu", "UMBRA_SYSTEM", NULL, "x86emu", "PASS 71", 1},
    {"Umbra kvm", "UMBRA_SYSTEM", NULL, "kvm", "PASS 71", 1},
};

static const Emulator *emulator;
static char *directory;
static char *program;
static char *output;
static int status;

static void setup(void)
{
    directory = g_dir_make_tmp("umbra-guest-XXXXXX", NULL);
    ck_assert_ptr_nonnull(directory);
}

static void teardown(void)
{
    static const char *const names[] = {"rom.bin", "disk.img"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(directory, names[i], NULL);

        g_remove(path);
    }
    g_rmdir(directory);
    g_clear_pointer(&directory, g_free);
    g_clear_pointer(&program, g_free);
    g_clear_pointer(&output, g_free);
}

/* Puts a built-in image into a file; the path is freed by the caller. */
static char *write_image(const char *image, const char *name, const uint8_t *head,
                         size_t offset, size_t length, size_t size)
{
    char *path = g_build_filename(directory, name, NULL);
    GBytes *bytes = firmware_guest_image(image);
    g_autofree uint8_t *data = NULL;

    ck_assert_msg(bytes != NULL, "%s is not built in", image);
    size = MAX(size, g_bytes_get_size(bytes));
    data = g_malloc0(size);
    memcpy(data, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_bytes_unref(bytes);
    if (length) {
        memcpy(data + offset, head, length);
    }
    ck_assert(g_file_set_contents(path, (char *)data, size, NULL));
    return path;
}

/* UMBRA_TEST_ACCELS: the accelerators of ours to try, where not all. */
static bool is_wanted(void)
{
    const char *text = g_getenv("UMBRA_TEST_ACCELS");
    g_auto(GStrv) accels = g_strsplit(text ? text : emulator->accel, ",", -1);

    return !emulator->program_variable ||
           g_strv_contains((const char *const *)accels, emulator->accel);
}

static bool find_emulator(int i)
{
    const char *path;

    emulator = &emulators[i];
    if (!is_wanted()) {
        g_printerr("%s: left out, not in UMBRA_TEST_ACCELS\n", emulator->name);
        return false;
    }
    path = emulator->program_variable ? g_getenv(emulator->program_variable) : NULL;
    program =
        path ? g_strdup(path)
             : (emulator->program ? g_find_program_in_path(emulator->program) : NULL);
    if (!program) {
        g_printerr("%s: left out, no such program\n", emulator->name);
        return false;
    }
    if (!strcmp(emulator->accel, "kvm") && access("/dev/kvm", R_OK | W_OK)) {
        g_printerr("%s: left out, no usable /dev/kvm\n", emulator->name);
        return false;
    }
    return true;
}

/* Runs a pc with two or four more arguments; `output` is the debug console's text. */
static void run(const char *option, const char *value, const char *option2,
                const char *value2)
{
    const char *argv[] = {
        "timeout",
        "50",
        program,
        "-M",
        "pc",
        "-accel",
        emulator->accel,
        "-m",
        "16",
        "-nodefaults",
        "-display",
        "none",
        "-device",
        "isa-debug-exit,iobase=0x501",
        "-global",
        "isa-debugcon.iobase=0x402",
        "-debugcon",
        "stdio",
        option,
        value,
        option2,
        value2,
        NULL,
    };
    GError *error = NULL;
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error);
    g_autoptr(GBytes) bytes = NULL;
    gsize length;

    ck_assert_msg(process != NULL, "%s", error ? error->message : "");
    ck_assert(g_subprocess_communicate(process, NULL, NULL, &bytes, NULL, NULL));
    g_free(output);
    output = g_bytes_unref_to_data(g_steal_pointer(&bytes), &length);
    output = g_realloc(output, length + 1);
    output[length] = 0;
    for (char *nul;
         (nul = memchr(output, 0, length));) { /* SeaBIOS prints none, be sure */
        *nul = '?';
    }
    status =
        g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process) : -1;
}

static const char *last_line(void)
{
    char *end;

    g_strchomp(output);
    end = strrchr(output, '\n');
    return end ? end + 1 : output;
}

START_TEST(test_pam)
{
    g_autofree char *rom = NULL;

    if (!find_emulator(_i)) {
        return;
    }
    rom = write_image("pam-test.bin", "rom.bin", NULL, 0, 0, 0);
    run("-bios", rom, NULL, NULL);
    ck_assert_msg(!strcmp(last_line(), emulator->pam_result), "%s:\n%s", emulator->name,
                  output);
    ck_assert_int_eq(status, emulator->pam_status);
}
END_TEST

START_TEST(test_pam_inexact)
{
    g_autofree char *rom = NULL;

    if (!find_emulator(_i) || !emulator->program_variable) {
        return;
    }
    rom = write_image("pam-test.bin", "rom.bin", NULL, 0, 0, 0);
    run("-bios", rom, "-global", "i440FX.pam-exact=off");
    ck_assert_msg(!strcmp(last_line(), "PASS 58 INEXACT 13"), "%s:\n%s", emulator->name,
                  output);
}
END_TEST

START_TEST(test_resets)
{
    static const char *const methods[] = {"kbd", "pci", "port92", "triple"};
    g_autofree char *rom = NULL;

    if (!find_emulator(_i)) {
        return;
    }
    rom = write_image("reset-loop.bin", "rom.bin", NULL, 0, 0, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autofree char *file =
            g_strdup_printf("name=opt/umbra/reset,string=%s 20", methods[i]);

        run("-bios", rom, "-fw_cfg", file);
        ck_assert_msg(!strcmp(last_line(), "PASS 20") && status == 1, "%s, %s, %d:\n%s",
                      emulator->name, methods[i], status, output);
    }
}
END_TEST

START_TEST(test_flips)
{
    g_autofree char *rom = NULL;
    unsigned flips, ns;

    if (!find_emulator(_i)) {
        return;
    }
    rom = write_image("pam-flip.bin", "rom.bin", NULL, 0, 0, 0);
    run("-bios", rom, "-fw_cfg", "name=opt/umbra/flips,string=500");
    ck_assert_msg(sscanf(last_line(), "pam-flip: %u flips, %u ns", &flips, &ns) == 2 &&
                      status == 1,
                  "%s, %d:\n%s", emulator->name, status, output);
    ck_assert_uint_eq(flips, 500);
}
END_TEST

/* The dump without what is compared otherwise: ACPI's files (and hence the
 * files' keys). */
static char *comparable_dump(const char *machine)
{
    g_autofree char *rom = write_image("fw-cfg-dump.bin", "rom.bin", NULL, 0, 0, 0);
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;

    run("-bios", rom, "-M", machine);
    ck_assert_msg(!strcmp(last_line(), "done") && status == 1, "%s, %d:\n%s",
                  emulator->name, status, output);
    lines = g_strsplit(output, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (!strstr(*line, " etc/acpi/") && !strstr(*line, " etc/table-loader ") &&
            !strstr(*line, " etc/tpm/log ")) {
            bool is_file = g_str_has_prefix(*line, "file ");

            g_string_append_printf(text, "%s\n",
                                   *line + (is_file ? strlen("file kkkk ") : 0));
        }
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* What a guest reads from fw_cfg is what it reads on QEMU. */
START_TEST(test_fw_cfg)
{
    static const char *const machines[] = {"pc-i440fx-7.2", "isapc",         "pc-i440fx-6.0",
                                          "pc-i440fx-2.5", "pc-i440fx-2.0", "pc-i440fx-1.4"};
    g_autofree char *expected = NULL;
    g_autofree char *dump = NULL;

    if (!find_emulator(0)) {
        return;
    }
    expected = comparable_dump(machines[_i]);
    g_free(program);
    if (!find_emulator(1)) {
        return;
    }
    dump = comparable_dump(machines[_i]);
    {
        g_auto(GStrv) ours = g_strsplit(dump, "\n", -1);
        g_auto(GStrv) theirs = g_strsplit(expected, "\n", -1);

        for (int i = 0; theirs[i] || ours[i]; i++) { /* a whole dump is too long to print */
            ck_assert_pstr_eq(ours[i], theirs[i]);
        }
    }
}
END_TEST

/* SeaBIOS boots the sector, which reboots twice by each method that needs no keys. KVM is
 * for `umbra reboot` to show: nested, a boot takes seconds. */
START_TEST(test_reboots)
{
    static const char *const names[] = {"bios", "kbd", "pci", "port92", "triple"};

    if (!find_emulator(_i) || !strcmp(emulator->accel, "kvm")) {
        return;
    }
    for (uint8_t method = REBOOT_BY_BIOS; method <= REBOOT_BY_TRIPLE; method++) {
        uint8_t told[4] = {method, 1, 3, 0};
        g_autofree char *disk = write_image("reboot-sector.bin", "disk.img", told,
                                            REBOOT_SECTOR_METHOD, sizeof(told), MiB(1));
        g_autofree char *drive = g_strdup_printf("file=%s,format=raw,if=ide", disk);

        run("-bios", "/usr/share/seabios/bios-256k.bin", "-drive", drive);
        ck_assert_msg(
            strstr(output, "umbra: boot 1\n") && strstr(output, "umbra: boot 3\n") &&
                strstr(output, "umbra: done\n") && !strstr(output, "umbra: no reset") &&
                !strstr(output, "umbra: boot 4"),
            "%s, %s:\n%s", emulator->name, names[method], output);
        ck_assert_int_eq(status, 0); /* powered off */
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guest-roms");
    TCase *tc = tcase_create("guest-roms");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, test_pam, 0, G_N_ELEMENTS(emulators));
    tcase_add_loop_test(tc, test_pam_inexact, 0, G_N_ELEMENTS(emulators));
    tcase_add_loop_test(tc, test_resets, 0, G_N_ELEMENTS(emulators));
    tcase_add_loop_test(tc, test_flips, 0, G_N_ELEMENTS(emulators));
    tcase_add_loop_test(tc, test_fw_cfg, 0, 6);
    tcase_add_loop_test(tc, test_reboots, 0, G_N_ELEMENTS(emulators));
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
