/*
 * For tests of a machine type over the qtest protocol: its memory map as text, PCI
 * configuration, moves, and command lines that it must refuse.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_MACHINE_MAP_H
#define QTESTS_MACHINE_MAP_H

#include <check.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "qtests/qtest-client.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* Of the address space "memory": a line a range, "START-LAST REGION[+OFFSET]";
 * free it. */
static inline char *machine_map(QtestClient *client)
{
    g_autofree char *text = qtest_client_hmp(client, "info mtree -f");
    g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);
    GString *view = g_string_new(NULL);
    bool inside = false;

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = NULL;
        char *clean = g_strchug(*line);

        if (g_str_has_prefix(clean, "FlatView")) {
            inside = false;
        } else if (g_str_has_prefix(clean, "AS \"memory\"")) {
            inside = true;
        } else if (inside && strstr(clean, "(prio")) {
            char *name = strstr(clean, "): ") + 3, *offset = strstr(name, " @");
            char *cpu = strstr(name, " KVM");

            if (cpu) {
                *cpu = '\0';
            }
            words = g_strsplit_set(clean, "- ", 3);
            if (offset) {
                *offset = '\0';
            }
            g_string_append_printf(view, "%" PRIx64 "-%" PRIx64 " %s",
                                   g_ascii_strtoull(words[0], NULL, 16),
                                   g_ascii_strtoull(words[1], NULL, 16), name);
            if (offset) {
                g_string_append_printf(view, "+%" PRIx64,
                                       g_ascii_strtoull(offset + 2, NULL, 16));
            }
            g_string_append_c(view, '\n');
        }
    }
    return g_string_free(view, false);
}

static inline void machine_check_byte(QtestClient *client, uint64_t addr,
                                      uint8_t expected)
{
    uint64_t byte = qtest_client_read(client, addr, 1);

    ck_assert_msg(byte == expected, "0x%" PRIx64 " holds 0x%02x, not 0x%02x", addr,
                  (unsigned)byte, expected);
}

/* A doubleword of function 0 of that slot on bus 0. */
static inline uint32_t machine_pci_config(QtestClient *client, unsigned slot,
                                          unsigned reg)
{
    qtest_client_out(client, 0xcf8, 4, 0x80000000 | slot << 11 | reg);
    return qtest_client_in(client, 0xcfc, 4);
}

static inline void machine_reset_and_wait(QtestClient *client)
{
    json_node_unref(qtest_client_execute(client, "system_reset", NULL, "%s", ""));
    json_object_unref(qtest_client_event(client, "RESET"));
}

/* Until the move has completed, out or in. */
static inline void machine_wait_for_migration(QtestClient *client)
{
    for (int i = 0; i < 10000; i++) {
        JsonNode *node = qtest_client_execute(client, "query-migrate", NULL, "%s", "");
        const char *status = json_object_get_string_member_with_default(
            json_node_get_object(node), "status", "");
        bool completed = strcmp(status, "completed") == 0;

        ck_assert_str_ne(status, "failed");
        json_node_unref(node);
        if (completed) {
            return;
        }
        g_usleep(1000);
    }
    ck_abort_msg("the migration does not end");
}

/* Starts the emulator, which must refuse with status 1; its one line. Free it. */
static inline char *machine_refusal(const char *machine, const char *options)
{
    g_autofree char *command =
        g_strdup_printf("%s -nodefaults -display none -accel qtest -S -M %s %s",
                        g_getenv("UMBRA_SYSTEM"), machine, options);
    g_autoptr(GError) error = NULL;
    char *complaint = NULL;
    int status;

    ck_assert(g_spawn_command_line_sync(command, NULL, &complaint, &status, &error));
    ck_assert_msg(g_spawn_check_wait_status(status, NULL) == false, "%s starts", command);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%s: %d", command,
                  status);
    ck_assert_msg(strchr(complaint, '\n') == complaint + strlen(complaint) - 1, "%s",
                  complaint);
    return complaint;
}

#endif
