/*
 * Trace events: which lines come for which options, and where they go.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "hw/core/trace.h"
#include "qtests/pci-board.h"

static char *path;

static void setup(void)
{
    GError *error = NULL;

    path = g_strdup_printf("%s/umbra-trace-%d", g_get_tmp_dir(), (int)getpid());
    ck_assert(trace_open_log(path, &error));
}

static void teardown(void)
{
    g_unlink(path);
}

/* What has been written since the last time. */
static char *lines(void)
{
    static gsize seen;
    g_autofree char *text = NULL;
    char *rest;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    rest = g_strdup(text + seen);
    seen = strlen(text);
    return rest;
}

#define ck_lines(expected)                                                               \
    do {                                                                                 \
        g_autofree char *lines_ = lines();                                               \
        ck_assert_str_eq(lines_, expected);                                              \
    } while (0)

START_TEST(test_events)
{
    GError *error = NULL;

    board_setup();
    config_out(0, 0x59, 0x30, 1);
    ck_lines(""); /* all are off */

    ck_assert(trace_option("pam_*", &error));
    config_out(0, 0x59, 0x10, 1);
    config_out(0, 0x59, 0x10, 1); /* no change */
    ck_lines("pam_write 0x59: 0x30 -> 0x10\n");

    ck_assert(trace_option("-pam_write,enable=pci_cfg_*", &error));
    config_out(0, 0x5a, 0x33, 1);
    config_in(0, 0x00, 4);
    ck_lines("pci_cfg_write i440FX 00:0 @0x5a <- 0x33\n"
             "pci_cfg_read i440FX 00:0 @0x0 -> 0x12378086\n");

    ck_assert_uint_eq(trace_enable("pci_cfg_*", false), 2);
    ck_assert_uint_eq(trace_enable("nothing", false), 0);
    config_in(0, 0x00, 4);
    ck_lines("");
}
END_TEST

START_TEST(test_groups)
{
    GError *error = NULL;

    trace(TRACE_GUEST_ERROR, "%d", 1);
    ck_assert(trace_log_items("guest_errors", &error));
    trace(TRACE_GUEST_ERROR, "%d", 2);
    trace(TRACE_UNIMPLEMENTED, "%d", 3);
    ck_assert(trace_log_items("unimp,trace:cpu_*", &error));
    trace(TRACE_UNIMPLEMENTED, "%d", 4);
    trace(TRACE_CPU_OUT, "%d", 5);
    trace(TRACE_SYSTEM_RESET, "%d", 6);
    ck_lines("guest_error 2\nunimplemented 4\ncpu_out 5\n");
}
END_TEST

START_TEST(test_wrong_options)
{
    static const char *const wrong[] = {
        "nothing",           "pam", "pam_write,nothing", "", "events=/no/such/file",
        "file=/no/such/file"};

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        ck_assert_msg(!trace_option(wrong[i], &error), "%s", wrong[i]);
        ck_assert_ptr_nonnull(error);
    }
    {
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) another = NULL;

        ck_assert(!trace_log_items("guest_errors,nothing", &error));
        ck_assert_ptr_nonnull(strstr(error->message, "nothing"));
        ck_assert(!trace_log_items("trace:nothing", &another));
        ck_assert_ptr_nonnull(another);
    }
}
END_TEST

START_TEST(test_events_file)
{
    g_autofree char *file = g_strconcat(path, ".events", NULL);
    g_autofree char *option = g_strconcat("events=", file, NULL);
    GError *error = NULL;

    ck_assert(
        g_file_set_contents(file, "# some\n\ncpu_in \n-cpu_in\ncpu_out\n", -1, NULL));
    ck_assert(trace_option(option, &error));
    g_unlink(file);
    ck_assert(trace_enabled[TRACE_CPU_OUT]);
    ck_assert(!trace_enabled[TRACE_CPU_IN]);
}
END_TEST

static unsigned heard;

static void hear(AddressSpace *as, hwaddr addr, unsigned size, bool is_write,
                 void *opaque)
{
    ck_assert_uint_eq(addr, 0xe0000000);
    ck_assert_uint_eq(size, 4);
    heard += is_write ? 0x10 : 1;
}

/* The memory room tells of accesses to nowhere under each policy. */
START_TEST(test_unassigned)
{
    uint64_t value = 1;

    board_setup();
    address_space_set_unassigned_policy(&board.memory_as, MEMORY_UNASSIGNED_READ_ZERO,
                                        hear, NULL);
    address_space_load(&board.memory_as, 0xe0000000, 4, &value, MEMTXATTRS_UNSPECIFIED);
    ck_assert_uint_eq(value, 0);
    address_space_store(&board.memory_as, 0xe0000000, 4, 5, MEMTXATTRS_UNSPECIFIED);
    ck_assert_uint_eq(heard, 0x11);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace");
    TCase *tcase = tcase_create("trace");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_events);
    tcase_add_test(tcase, test_groups);
    tcase_add_test(tcase, test_wrong_options);
    tcase_add_test(tcase, test_events_file);
    tcase_add_test(tcase, test_unassigned);
    suite_add_tcase(suite, tcase);
    return board_run(suite);
}
