/*
 * Keys as ECMA-48 terminals (xterm, Linux) send them, and the Emacs ones that shells
 * have.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/line-edit.h"

#include <string.h>

#define LINE_LIMIT 4096
#define HISTORY_MAX 64
#define CTRL(letter) ((letter)&0x1f)
#define DELETE 0x7f
#define ESCAPE 0x1b

void line_edit_init(LineEdit *edit, const char *prompt, GString *out,
                    GPtrArray *(*complete)(const char *start))
{
    *edit = (LineEdit){
        .prompt = prompt,
        .out = out,
        .history = g_ptr_array_new_with_free_func(g_free),
        .complete = complete,
        .line = g_string_new(NULL),
    };
}

void line_edit_destroy(LineEdit *edit)
{
    g_ptr_array_unref(edit->history);
    g_string_free(edit->line, TRUE);
}

/* Writes the line anew: from the first column, and erase what an older one left over. */
void line_edit_show(LineEdit *edit)
{
    gsize behind = edit->line->len - edit->cursor;

    g_string_append_printf(edit->out, "\r%s%s\033[K", edit->prompt, edit->line->str);
    if (behind) {
        g_string_append_printf(edit->out, "\033[%" G_GSIZE_FORMAT "D", behind);
    }
}

static void set_line(LineEdit *edit, const char *text)
{
    g_string_assign(edit->line, text);
    edit->cursor = edit->line->len;
}

static void insert(LineEdit *edit, const char *text, gsize length)
{
    if (edit->line->len + length <= LINE_LIMIT) {
        g_string_insert_len(edit->line, (gssize)edit->cursor, text, (gssize)length);
        edit->cursor += length;
    }
}

static void erase(LineEdit *edit, gsize from, gsize to)
{
    g_string_erase(edit->line, (gssize)from, (gssize)(to - from));
    edit->cursor = from;
}

static void recall(LineEdit *edit, int step)
{
    guint target = edit->recalled + (guint)step;

    if (target <= edit->history->len) { /* below 0 it wraps to beyond */
        edit->recalled = target;
        set_line(edit, target < edit->history->len ? edit->history->pdata[target] : "");
    }
}

static void remember(LineEdit *edit, const char *line)
{
    guint n = edit->history->len;

    if (*line && (n == 0 || strcmp(edit->history->pdata[n - 1], line) != 0)) {
        if (n == HISTORY_MAX) {
            g_ptr_array_remove_index(edit->history, 0);
        }
        g_ptr_array_add(edit->history, g_strdup(line));
    }
    edit->recalled = edit->history->len;
}

static void erase_word(LineEdit *edit)
{
    gsize from = edit->cursor;

    while (from && edit->line->str[from - 1] == ' ') {
        from--;
    }
    while (from && edit->line->str[from - 1] != ' ') {
        from--;
    }
    erase(edit, from, edit->cursor);
}

/* As far as all candidates agree; where that is no further, they are listed. */
static void complete(LineEdit *edit)
{
    g_autofree char *start = g_strndup(edit->line->str, edit->cursor);
    g_autoptr(GPtrArray) words = edit->complete(start);
    gsize length = strlen(start), common;
    const char *first;

    if (!words->len) {
        return;
    }
    first = words->pdata[0];
    common = strlen(first);
    for (guint i = 1; i < words->len; i++) {
        gsize same = 0;

        while (same < common && first[same] == ((char *)words->pdata[i])[same]) {
            same++;
        }
        common = same;
    }
    insert(edit, first + length, common - length);
    if (words->len == 1) {
        insert(edit, " ", 1);
    } else if (common == length) {
        g_string_append(edit->out, "\r\n");
        for (guint i = 0; i < words->len; i++) {
            g_string_append_printf(edit->out, "%s\r\n", (char *)words->pdata[i]);
        }
    }
}

static char *finish(LineEdit *edit)
{
    char *line = g_strdup(edit->line->str);

    g_string_append(edit->out, "\r\n");
    remember(edit, line);
    set_line(edit, "");
    return line;
}

static void sequence_key(LineEdit *edit, char key)
{
    switch (key) {
    case 'A':
        recall(edit, -1);
        break;
    case 'B':
        recall(edit, 1);
        break;
    case 'C':
        edit->cursor += edit->cursor < edit->line->len;
        break;
    case 'D':
        edit->cursor -= edit->cursor > 0;
        break;
    case 'H':
        edit->cursor = 0;
        break;
    case 'F':
        edit->cursor = edit->line->len;
        break;
    case '~':
        if (edit->parameter == 1 || edit->parameter == 7) {
            edit->cursor = 0;
        } else if (edit->parameter == 4 || edit->parameter == 8) {
            edit->cursor = edit->line->len;
        } else if (edit->parameter == 3 && edit->cursor < edit->line->len) {
            erase(edit, edit->cursor, edit->cursor + 1);
        }
        break;
    }
}

static void control_key(LineEdit *edit, char key)
{
    switch (key) {
    case CTRL('a'):
        edit->cursor = 0;
        break;
    case CTRL('b'):
        sequence_key(edit, 'D');
        break;
    case CTRL('c'):
        set_line(edit, "");
        break;
    case CTRL('d'):
        if (edit->cursor < edit->line->len) {
            erase(edit, edit->cursor, edit->cursor + 1);
        }
        break;
    case CTRL('e'):
        edit->cursor = edit->line->len;
        break;
    case CTRL('f'):
        sequence_key(edit, 'C');
        break;
    case CTRL('h'):
    case DELETE:
        if (edit->cursor) {
            erase(edit, edit->cursor - 1, edit->cursor);
        }
        break;
    case CTRL('i'):
        complete(edit);
        break;
    case CTRL('k'):
        erase(edit, edit->cursor, edit->line->len);
        break;
    case CTRL('n'):
        recall(edit, 1);
        break;
    case CTRL('p'):
        recall(edit, -1);
        break;
    case CTRL('u'):
        erase(edit, 0, edit->cursor);
        break;
    case CTRL('w'):
        erase_word(edit);
        break;
    case ESCAPE:
        edit->state = LINE_EDIT_ESCAPE;
        break;
    }
}

char *line_edit_byte(LineEdit *edit, char byte)
{
    switch (edit->state) {
    case LINE_EDIT_ESCAPE:
        edit->state = byte == '[' || byte == 'O' ? LINE_EDIT_SEQUENCE : LINE_EDIT_PLAIN;
        edit->parameter = 0;
        return NULL;
    case LINE_EDIT_SEQUENCE:
        if (g_ascii_isdigit(byte) || byte == ';') {
            edit->parameter =
                byte == ';' ? 0 : (edit->parameter * 10 + (unsigned)(byte - '0')) % 1000;
            return NULL;
        }
        edit->state = LINE_EDIT_PLAIN;
        sequence_key(edit, byte);
        break;
    default:
        if (byte == '\r' || byte == '\n') {
            return finish(edit);
        }
        if ((guchar)byte < ' ' || byte == DELETE) {
            control_key(edit, byte);
        } else {
            insert(edit, &byte, 1);
        }
    }
    line_edit_show(edit);
    return NULL;
}
