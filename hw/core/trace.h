/*
 * Trace events: what devices and accelerators report of themselves when the user asks for
 * it, by name (-trace pam_*) or by group (-d guest_errors). One that is off costs a
 * branch.
 *
 * A line goes to standard error or to -D's file. Any thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_TRACE_H
#define HW_CORE_TRACE_H

#include <glib.h>
#include <stdbool.h>

typedef enum TraceEvent {
    TRACE_PAM_WRITE,
    TRACE_PCI_CONFIG_READ,
    TRACE_PCI_CONFIG_WRITE,
    TRACE_SYSTEM_RESET,
    TRACE_RUNSTATE_SET,
    TRACE_CPU_IN,
    TRACE_CPU_OUT,
    TRACE_KVM_RUN_EXIT,
    TRACE_MEMORY_UNASSIGNED,
    TRACE_IO_UNASSIGNED,
    TRACE_GUEST_ERROR,   /* the guest did what no program should */
    TRACE_UNIMPLEMENTED, /* the guest asked for what the model does not do */
    TRACE_EVENTS
} TraceEvent;

extern bool trace_enabled[TRACE_EVENTS];

/* trace(TRACE_X, format, ...): a line "name text". */
#define trace(event, ...)                                                                \
    do {                                                                                 \
        if (G_UNLIKELY(trace_enabled[event])) {                                          \
            trace_write(event, __VA_ARGS__);                                             \
        }                                                                                \
    } while (0)

void trace_write(TraceEvent event, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* What -trace and -d take; they enable what they name and leave the rest as it is.
 * "[enable=]PATTERN" with * and ?, "-PATTERN" disables; "events=FILE" with a pattern a
 * line; "file=FILE" as -D. False and *error: nothing is meant by it. */
bool trace_option(const char *text, GError **error);

/* "guest_errors,unimp,unassigned,trace:PATTERN,...". */
bool trace_log_items(const char *items, GError **error);

/* Turns events off or on; returns how many the pattern names. */
unsigned trace_enable(const char *pattern, bool enable);

/* -D: where lines go from now on; "stderr" text NULL. */
bool trace_open_log(const char *path, GError **error);

/* "name" and what it tells, for `-trace help`; and the items of `-d help`. Free them. */
char *trace_help(void);
char *trace_log_help(void);

const char *trace_event_name(TraceEvent event);

#endif
