/*
 * -daemonize and -pidfile.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_DAEMON_H
#define MACHINE_CLI_DAEMON_H

#include <glib.h>
#include <stdbool.h>

/* Goes on in a child, before there are threads. The parent waits, and leaves with status 0
 * once the child calls daemon_ready(), or with 1 when it ends before that; so whoever
 * started it sees the errors of start-up. */
void daemon_start(void);

/* Start-up is over: lets the parent go, and the terminal. */
void daemon_ready(void);

/* Writes the process's number to the file, which goes away at a normal exit. */
bool daemon_write_pidfile(const char *path, GError **error);

#endif
