/*
 * The end of a start that cannot be: one line on standard error, status 1.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_FAIL_H
#define MACHINE_CLI_FAIL_H

#include <glib.h>
#include <stdbool.h>

void G_GNUC_NORETURN cli_fail(GError *error);

/* The same, with the option and its argument before the message. */
void G_GNUC_NORETURN cli_fail_with(GError *error, const char *option, const char *text);

/* A line on standard error, printf style. */
void cli_warn(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* -msg timestamp=on: the time goes before these lines. */
void cli_set_timestamps(bool on);

/* An error of the user's, printf style. */
GError *cli_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
