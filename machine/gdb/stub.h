/*
 * The GDB stub: -gdb, -s and the monitor's `gdbserver`. A process has one, which one
 * client at a time talks to.
 *
 * A client's coming stops the machine; its going (detached, or dead) takes its
 * breakpoints away and lets the machine run again if it ran when the client came. Machine
 * lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_GDB_STUB_H
#define MACHINE_GDB_STUB_H

#include <glib.h>
#include <stdbool.h>

/* Listens as `text` says: a chardev ("tcp::1234", "unix:PATH,server=on,wait=off",
 * "stdio"), or "none", which ends listening. What was there before ends. */
bool gdb_stub_start(const char *text, GError **error);

/* Tells a client that the process ends, and stops listening: before chardev_cleanup(). */
void gdb_stub_cleanup(int exit_status);

#endif
