/*
 * The subcommands of `umbra`: each is one file, with one row in umbra-main.c.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_UMBRA_H
#define MACHINE_CLI_UMBRA_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

/* A subcommand: argv[0] is its name; returns the exit status. */
typedef struct UmbraCommand {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
    bool hidden;
} UmbraCommand;

int umbra_explain(int argc, char **argv);
int umbra_mtree(int argc, char **argv);
int umbra_diff(int argc, char **argv);
int umbra_draw(int argc, char **argv);
int umbra_migrate_matrix(int argc, char **argv);
int umbra_reboot(int argc, char **argv);
int umbra_reboot_row(int argc, char **argv);
int umbra_stream(int argc, char **argv);

/* Whether `stream` is a terminal that takes colour (and NO_COLOR is not set). */
bool umbra_use_colour(FILE *stream);

/* What a noun that so many are counted of ends in: "" or "s". */
static inline const char *umbra_plural(unsigned count)
{
    return count == 1 ? "" : "s";
}

/* One line "umbra COMMAND: MESSAGE" on stderr; returns the exit status 1. */
int umbra_fail(const char *command, const GError *error);

/* Parses `table` with GLib; on --help prints and exits 0, on bad words one line and status 1
 * (false). What is left over in argv is an error too. */
bool umbra_parse(const char *command, const char *parameters, const char *description,
                 const GOptionEntry *table, int *argc, char ***argv);

#endif
