/*
 * umbra: the questions that people ask of a memory map, one subcommand each.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/umbra.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/core/property.h"
#include "machine/types/none.h"
#include "machine/types/pc.h"

static const UmbraCommand commands[] = {
    {"diff", "compare the maps of two machine types, or of two snapshots", umbra_diff, false},
    {"draw", "draw a machine's memory map as SVG", umbra_draw, false},
    {"explain", "say which region answers at an address, and why not another",
     umbra_explain, false},
    {"migrate-matrix", "move booted guests between machine types, and reboot them there",
     umbra_migrate_matrix, false},
    {"mtree", "show a machine's memory map, as text or as JSON", umbra_mtree, false},
    {"reboot", "boot real firmware, reboot it by every method, and show how it went",
     umbra_reboot, false},
    {"reboot-row", "one row of it, as JSON", umbra_reboot_row, true},
    {"stream", "show what is in a migration stream, or how two differ", umbra_stream, false},
};

static void print_help(FILE *out)
{
    fprintf(out, "usage: umbra COMMAND [options]\n\n"
                 "What does this address mean, and what happens when the machine reboots "
                 "or moves?\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (!commands[i].hidden) {
            fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].summary);
        }
    }
    fprintf(out, "\n'umbra COMMAND --help' says more. The emulator itself is "
                 "umbra-system-x86_64.\n");
}

static int unknown(const char *word)
{
    const char *names[G_N_ELEMENTS(commands) + 1] = {NULL};
    const char *nearest;

    for (size_t i = 0, n = 0; i < G_N_ELEMENTS(commands); i++) {
        if (!commands[i].hidden) {
            names[n++] = commands[i].name;
        }
    }
    nearest = nearest_name(word, names);
    fprintf(stderr, "umbra: no command '%s'%s%s%s\n", word,
            nearest ? "; did you mean '" : " ('umbra --help' lists them)",
            nearest ? nearest : "", nearest ? "'?" : "");
    return 1;
}

bool umbra_use_colour(FILE *stream)
{
    const char *term = g_getenv("TERM");

    return isatty(fileno(stream)) && !g_getenv("NO_COLOR") && g_strcmp0(term, "dumb") != 0;
}

int umbra_fail(const char *command, const GError *error)
{
    fprintf(stderr, "umbra %s: %s\n", command, error->message);
    return 1;
}

bool umbra_parse(const char *command, const char *parameters, const char *description,
                 const GOptionEntry *table, int *argc, char ***argv)
{
    g_autofree char *name = g_strconcat("umbra ", command, NULL);
    g_autoptr(GOptionContext) context = g_option_context_new(parameters);
    g_autoptr(GError) error = NULL;

    g_set_prgname(name);
    g_option_context_add_main_entries(context, table, NULL);
    g_option_context_set_description(context, description);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        umbra_fail(command, error);
        return false;
    }
    if (*argc > 1) {
        fprintf(stderr, "umbra %s: '%s' is not understood; 'umbra %s --help' says what is\n",
                command, (*argv)[1], command);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "--help";

    g_set_prgname("umbra");
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
        strcmp(word, "help") == 0) {
        print_help(stdout);
        return argc > 1 ? 0 : 1;
    }
    if (strcmp(word, "--version") == 0) {
        printf("umbra 0.1.0\n");
        return 0;
    }
    machine_types_add(pc_machine_types());
    machine_types_add(none_machine_types());
    machine_devices_register();
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(word, commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    return unknown(word);
}
