/*
 * The rows of `umbra reboot` as a table, and a row's PAM timeline as text.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/cli/reboot.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

enum { COLUMNS = 8, OUTCOME = 3 };

static const char *const titles[COLUMNS] = {
    "machine", "accel", "method", "outcome", "boots", "pristine", "PAM writes", "time"};

struct RebootTable {
    FILE *out;
    bool colour;
    int widths[COLUMNS];
};

bool reboot_row_as_expected(const RebootRow *row)
{
    return strcmp(row->outcome, row->expected) == 0 && row->boots > 0;
}

static char *describe_outcome(const RebootRow *row)
{
    return reboot_row_as_expected(row) ? g_strdup(row->outcome)
           : row->boots == 0           ? g_strdup_printf("%s (it never booted)", row->outcome)
                                       : g_strdup_printf("%s (expected: %s)", row->outcome,
                                                         row->expected);
}

RebootTable *reboot_table_new(FILE *out, GPtrArray *rows, bool colour)
{
    RebootTable *table = g_new0(RebootTable, 1);

    table->out = out;
    table->colour = colour;
    for (int c = 0; c < COLUMNS; c++) {
        table->widths[c] = (int)strlen(titles[c]);
    }
    for (guint r = 0; r < rows->len; r++) {
        const RebootRow *row = rows->pdata[r];
        const char *known[] = {row->machine, row->accel, reboot_method_name(row->method),
                               row->expected};

        for (size_t c = 0; c < G_N_ELEMENTS(known); c++) {
            table->widths[c] = MAX(table->widths[c], (int)strlen(known[c]));
        }
    }
    return table;
}

/* Nothing is padded at a line's end. */
static void print_cell(const RebootTable *table, int column, const char *text,
                       const char *colour)
{
    bool last = column + 1 == COLUMNS;

    fprintf(table->out, "%s%s%s%*s", colour, text, *colour ? PLAIN : "",
            last ? 0 : MAX(table->widths[column] + 2 - (int)strlen(text), 2),
            last ? "\n" : "");
}

void reboot_table_begin(const RebootTable *table)
{
    for (int c = 0; c < COLUMNS; c++) {
        print_cell(table, c, titles[c], table->colour ? BOLD : "");
    }
    fflush(table->out);
}

static const char *outcome_colour(const RebootRow *row)
{
    return !reboot_row_as_expected(row) ? RED
           : strcmp(row->outcome, "rebooted") == 0 || strcmp(row->outcome, "resumed") == 0
               ? GREEN
               : YELLOW;
}

void reboot_table_add(const RebootTable *table, const RebootRow *row)
{
    g_autofree char *outcome = describe_outcome(row);
    g_autofree char *boots = g_strdup_printf("%u", row->boots);
    g_autofree char *pam_writes = g_strdup_printf("%u", row->pam_writes);
    g_autofree char *seconds = g_strdup_printf("%.2f s", row->seconds);
    const char *cells[COLUMNS] = {
        row->machine, row->accel, reboot_method_name(row->method),
        outcome,      boots,      row->pristine < 0 ? "-" : row->pristine ? "yes" : "no",
        pam_writes,   seconds};

    for (int c = 0; c < COLUMNS; c++) {
        print_cell(table, c, cells[c],
                   c == OUTCOME && table->colour ? outcome_colour(row) : "");
    }
    if (row->reason) {
        fprintf(table->out, "    %s\n", row->reason);
    }
    fflush(table->out);
}

/* -- The timeline ------------------------------------------------------------------- */

unsigned reboot_register_windows(unsigned reg, unsigned windows[2])
{
    unsigned count = 0;

    for (unsigned i = 0; i < PAM_WINDOWS && count < 2; i++) {
        if (pam_window_register(i) == reg) {
            windows[count++] = i;
        }
    }
    return count;
}

PAMMode reboot_window_mode(unsigned window, unsigned register_value)
{
    return (PAMMode)(register_value >> pam_window_shift(window) & 3);
}

const char *reboot_mode_text(PAMMode mode)
{
    static const char *const texts[PAM_MODES] = {
        [PAM_MODE_PCI] = "PCI (pristine ROM)",
        [PAM_MODE_READ_ONLY] = "RAM, read only",
        [PAM_MODE_WRITE_ONLY] = "reads PCI, writes RAM",
        [PAM_MODE_READ_WRITE] = "RAM",
    };

    return texts[mode];
}

static hwaddr window_base(unsigned window)
{
    return 0xc0000 + (hwaddr)window * 0x4000;
}

static hwaddr window_last(unsigned window)
{
    return window == PAM_WINDOWS - 1 ? 0xfffff : window_base(window) + 0x3fff;
}

static void print_pam(FILE *out, const RebootEvent *event, bool colour)
{
    unsigned windows[2];
    unsigned count = reboot_register_windows(event->reg, windows);

    fprintf(out, "%10.6f s  PAM 0x%02x: 0x%02x -> 0x%02x", event->seconds, event->reg,
            event->before, event->after);
    for (unsigned i = 0; i < count; i++) {
        PAMMode before = reboot_window_mode(windows[i], event->before);
        PAMMode after = reboot_window_mode(windows[i], event->after);

        if (before != after) {
            fprintf(out,
                    "\n%14s%05" G_GINT64_MODIFIER "x-%05" G_GINT64_MODIFIER
                    "x  %s -> %s%s%s",
                    "", window_base(windows[i]), window_last(windows[i]),
                    reboot_mode_text(before), colour ? BOLD : "", reboot_mode_text(after),
                    colour ? PLAIN : "");
        }
    }
    fputc('\n', out);
}

void reboot_print_trace(FILE *out, const RebootRow *row, bool colour)
{
    fprintf(out, "%s%s, %s, %s%s\n", colour ? BOLD : "", row->machine, row->accel,
            reboot_method_name(row->method), colour ? PLAIN : "");
    for (guint i = 0; i < row->events->len; i++) {
        const RebootEvent *event = row->events->pdata[i];

        switch (event->kind) {
        case REBOOT_EVENT_PAM:
            print_pam(out, event, colour);
            break;
        case REBOOT_EVENT_RESET:
            fprintf(out,
                    "%10.6f s  %sreset by %s; e0000-fffff %s the copy at fffe0000%s\n",
                    event->seconds, colour ? YELLOW : "", event->text,
                    event->pristine ? "equals" : "differs from", colour ? PLAIN : "");
            break;
        case REBOOT_EVENT_BOOT:
            fprintf(out, "%10.6f s  %s%s%s\n", event->seconds, colour ? GREEN : "",
                    event->text, colour ? PLAIN : "");
            break;
        }
    }
    fputc('\n', out);
}
