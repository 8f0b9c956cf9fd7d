/*
 * LineEdit: a line that a person edits on a terminal, with history and completion.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_LINE_EDIT_H
#define MACHINE_MONITOR_LINE_EDIT_H

#include <glib.h>

typedef struct LineEdit {
    const char *prompt;
    GString *out;       /* what the terminal is to show: the owner sends and empties it */
    GPtrArray *history; /* char *, oldest first */
    GPtrArray *(*complete)(const char *start); /* all words that begin so */
    GString *line;
    gsize cursor;
    guint recalled; /* history's index that is shown; its length: the new line */
    enum { LINE_EDIT_PLAIN, LINE_EDIT_ESCAPE, LINE_EDIT_SEQUENCE } state;
    unsigned parameter; /* of the escape sequence */
} LineEdit;

void line_edit_init(LineEdit *edit, const char *prompt, GString *out,
                    GPtrArray *(*complete)(const char *start));
void line_edit_destroy(LineEdit *edit);

/* Shows the prompt and what is being typed. */
void line_edit_show(LineEdit *edit);

/* A byte from the terminal. Returns the line when it is finished (free it), else NULL. */
char *line_edit_byte(LineEdit *edit, char byte);

#endif
