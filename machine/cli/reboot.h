/*
 * `umbra reboot`: what its parts say to each other. reboot.c plans and runs the rows, each
 * in a process of its own (reboot-row.c) so that no guest can spoil another's;
 * reboot-table.c and reboot-svg.c show them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_REBOOT_H
#define MACHINE_CLI_REBOOT_H

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "firmware/guest/guest.h"
#include "hw/pci/pam.h"

#define REBOOT_METHODS (REBOOT_BY_S3 + 1)

const char *reboot_method_name(RebootMethod method); /* "bios", "kbd", ... */

/* A moment of a row: a PAM register changed, the machine was reset, the sector ran. */
typedef enum RebootEventKind {
    REBOOT_EVENT_PAM,
    REBOOT_EVENT_RESET,
    REBOOT_EVENT_BOOT,
} RebootEventKind;

typedef struct RebootEvent {
    RebootEventKind kind;
    double seconds;      /* of guest time since power-on */
    unsigned reg;        /* PAM: 0x59-0x5f */
    unsigned before, after; /* PAM: the register's values */
    char *text;          /* RESET: who asked; BOOT: the marker */
    bool pristine;       /* RESET: E and F segments equal the copy below 4 GiB */
} RebootEvent;

typedef struct RebootRow {
    char *machine, *accel, *firmware; /* firmware NULL: the type's */
    RebootMethod method;
    unsigned times;

    const char *outcome;  /* "rebooted", "resumed", "shutdown", "hung", "fault", "unsupported"
                             (nothing to do it by); of a move also "saved", "refused" */
    const char *expected;
    unsigned boots;       /* how often the sector ran */
    int pristine;         /* at the last reset: 1 yes, 0 no, -1 there was none */
    unsigned pam_writes;
    double seconds;       /* host time */
    char *reason;         /* in words, or NULL */
    GPtrArray *events;    /* RebootEvent * */
} RebootRow;

RebootRow *reboot_row_new(const char *machine, const char *accel, const char *firmware,
                          RebootMethod method, unsigned times);
void reboot_row_free(RebootRow *row);
void reboot_row_add_event(RebootRow *row, RebootEvent event);

/* The row as --json shows it; with its events where asked for (for the parent process). */
JsonNode *reboot_row_to_json(const RebootRow *row, bool with_events);
/* Takes a child's result into the row; false where the text is not one. */
bool reboot_row_from_json(RebootRow *row, const char *text);

/* Machines with properties that behave differently from their type, each
 * "TYPE,PROPERTY=VALUE..."; NULL-terminated. `--machine all` shows them beside it. */
const char *const *reboot_variants(void);

/* The outcome that the machine is known for on real systems, and why where it fails. */
const char *reboot_expected(const char *machine, RebootMethod method, const char **why);

/* Runs it in a process of its own and fills it in. `words`, NULL-terminated or NULL, follow
 * the row's own on that process's command line ("load", "FILE"); *messages, where not
 * NULL, becomes what it wrote on stderr: free it. */
void reboot_row_run(RebootRow *row, const char *const *words, char **messages);

/* A method of --method by its name; *error lists those that there are. */
bool reboot_method_from_name(const char *name, RebootMethod *method, GError **error);

/* "pc,hpet=off" by its type's own name: "pc-i440fx-7.2,hpet=off"; NULL and *error where
 * there is no such type. Free it. */
char *reboot_machine_name(const char *text, GError **error);

/* A guest that never booted is not, whatever its machine is known for. */
bool reboot_row_as_expected(const RebootRow *row);

/* A table whose columns fit the names in `rows`, which need not have run yet: its head, then
 * rows as they are done. Free it with g_free(). */
typedef struct RebootTable RebootTable;
RebootTable *reboot_table_new(FILE *out, GPtrArray *rows, bool colour);
void reboot_table_begin(const RebootTable *table);
void reboot_table_add(const RebootTable *table, const RebootRow *row);

void reboot_print_trace(FILE *out, const RebootRow *row, bool colour);

/* A picture of [0xc0000,0x100000) over time; false and *error where it cannot be written. */
bool reboot_write_svg(const RebootRow *row, const char *path, GError **error);

/* The windows whose attributes one PAM register holds: their numbers, lowest first. */
unsigned reboot_register_windows(unsigned reg, unsigned windows[2]);
PAMMode reboot_window_mode(unsigned window, unsigned register_value);
const char *reboot_mode_text(PAMMode mode);

#endif
