/*
 * HMP, the human monitor: a table of commands, each a line of text that gives text.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_HMP_H
#define MACHINE_MONITOR_HMP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "hw/i386/x86-cpu.h"

#define HMP_MAX_ARGS 8

/* What a command works with: where its text goes, and which CPU is meant. */
typedef struct Hmp {
    GString *out;
    unsigned cpu_index; /* `cpu` sets it */
    GPtrArray *history; /* char *, of the session; NULL: none is kept */
    bool ended;         /* `quit`: no prompt any more */
    /* The format of the last x, xp or print, which the next one without a format has. */
    char format;
    int format_size;
    /* A command whose text comes later sets `suspended`; clears it and calls `resume` when
     * all is in `out`. `resume` NULL: there is nobody to wait. */
    bool suspended;
    void (*resume)(struct Hmp *hmp);
} Hmp;

typedef struct HmpArg {
    const char *name;
    char kind;
    bool given;
    bool takes_text; /* of a switch: a word follows */
    uint64_t number;
    char *text;
    int count; /* of a format: how many, in which form, of how many bytes */
    char format;
    int size;
} HmpArg;

typedef struct HmpArgs {
    HmpArg args[HMP_MAX_ARGS];
    unsigned n;
} HmpArgs;

/*
 * A command. `names` are alternatives, "stop|s"; one that begins with "info " is what
 * `info` shows. `args` says what it takes, "NAME:KIND,...", a KIND being
 *   s  a word or a quoted string      S  the rest of the line
 *   i  an expression of 32 bits       l  one of 64 bits
 *   /  a format, "/8xw"               .  an index after an address, ".5"
 *   -x a switch            -xs a switch with a word behind it
 * with a ? after it where it may be left out. `params` and `help` are what `help` shows.
 */
typedef struct HmpCommand {
    const char *names;
    const char *args;
    const char *params;
    const char *help;
    void (*run)(Hmp *hmp, const HmpArgs *args);
} HmpCommand;

/* The tables, each ended by a row without names. */
extern const HmpCommand hmp_block_commands[], hmp_device_commands[], hmp_info_commands[],
    hmp_info_memory_commands[], hmp_memory_commands[], hmp_run_commands[],
    hmp_screendump_commands[], hmp_help_commands[], hmp_qom_commands[],
    hmp_explain_commands[], hmp_trace_commands[], hmp_object_commands[],
    hmp_migration_commands[], hmp_info_interrupt_commands[];

void hmp_init(Hmp *hmp, GString *out);

/* Runs one line; its text is appended to hmp->out, lines ended by "\n". Machine lock. */
void hmp_run(Hmp *hmp, const char *line);

/* Runs one line apart from any session; cpu_index is the CPU that is meant. Returns its
 * text with lines ended by "\r\n", as QEMU's human-monitor-command does; free it. */
char *hmp_execute_on(const char *line, unsigned cpu_index);
char *hmp_execute(const char *line);

/* The words that `start` can be completed to: command names, or after "info " what it
 * shows; sorted, owned by the caller. */
GPtrArray *hmp_complete(const char *start);

void hmp_printf(Hmp *hmp, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "Error: ..." and frees the error. */
void hmp_report(Hmp *hmp, GError *error);

/* Arguments by name. An absent one is NULL, 0 or false. */
const HmpArg *hmp_arg(const HmpArgs *args, const char *name);
const char *hmp_arg_text(const HmpArgs *args, const char *name);
uint64_t hmp_arg_number(const HmpArgs *args, const char *name);
bool hmp_arg_given(const HmpArgs *args, const char *name);

/* The CPU that is meant, with its registers read, or NULL with a line that says why. */
X86CPU *hmp_cpu(Hmp *hmp);

/* Evaluates the expression at *text and moves behind it. False with a line in `out`. */
bool hmp_expression(Hmp *hmp, const char **text, uint64_t *value);

/* Takes an HmpArgs apart from the line. False with a line that says what is missing. */
bool hmp_parse_args(Hmp *hmp, const char *command, const char *types, const char *line,
                    HmpArgs *args);
void hmp_free_args(HmpArgs *args);

#endif
