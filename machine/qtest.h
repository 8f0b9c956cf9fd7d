/*
 * The qtest server: a harness at the other end of a chardev reads and writes the
 * machine's ports and memory, moves its virtual clock and listens to its interrupt lines,
 * in QEMU's protocol of text lines, so that libqtest can drive the machine.
 *
 * A line is a command and its arguments, separated by single spaces; the answer to each
 * is one line, "OK", "OK VALUE" or "FAIL REASON", in the order of the commands. Lines
 * "IRQ raise N" and "IRQ lower N" come between them. docs: QEMU's "QTest Protocol".
 *
 * Where QEMU ends its process on a malformed command, this server answers FAIL.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_QTEST_H
#define MACHINE_QTEST_H

#include "machine/machine.h"

/* The most bytes that one command reads or writes. */
#define QTEST_DATA_MAX MiB(32)

/* The longest line that is taken: a write of QTEST_DATA_MAX bytes in hexadecimal. */
#define QTEST_LINE_MAX (2 * QTEST_DATA_MAX + KiB(1))

/*
 * Serves a built machine on `chardev`; a process has one server. `log` is the file for a
 * log of all lines, NULL for standard error, "none" for no log. False and *error when the
 * chardev is taken or the log cannot be written.
 */
bool qtest_server_start(Machine *machine, Chardev *chardev, const char *log,
                        GError **error);

/* Lets go of the chardev and closes the log; does nothing when there is no server. */
void qtest_server_stop(void);

#endif
