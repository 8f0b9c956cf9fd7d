/*
 * Between the qtest server's files: qtest.c has the connection, qtest-commands.c what the
 * commands do, qtest-irq.c the interrupt lines that the harness listens to.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_QTEST_INTERNAL_H
#define MACHINE_QTEST_INTERNAL_H

#include "machine/qtest.h"

#define QTEST_ARGUMENTS_MAX 4

/* One command while it runs. */
typedef struct QtestCall {
    Machine *machine;
    unsigned size; /* of the command's accesses: 1, 2, 4 or 8 bytes */
    char **words;  /* words[0] is the command's name */
    uint64_t number[QTEST_ARGUMENTS_MAX]; /* the arguments that are numbers */
    GString *reply;                       /* to be filled in, without the newline */
} QtestCall;

/* Carries the command out, or says in call->reply why not. */
void qtest_command_run(QtestCall *call);

/* Sends a line of the server's own; `line` has its newline. It goes before the reply to
 * the command that is running. */
void qtest_server_tell(const char *line);

/* irq_intercept_in, irq_intercept_out: from now on the harness hears of each change of
 * the device's unnamed input or output pins. */
void qtest_irq_intercept(QtestCall *call, const char *path, bool output);

/* set_irq_in */
void qtest_irq_set(QtestCall *call, const char *path, const char *name, int64_t pin,
                   int64_t level);

/* A new harness starts from low lines. */
void qtest_irq_forget_levels(void);

/* Gives the pins back. */
void qtest_irq_stop(void);

#endif
