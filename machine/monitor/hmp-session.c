/*
 * An HMP session: the prompt, lines in, text out. On a terminal the line can be edited;
 * elsewhere lines are taken as they come and nothing is echoed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/monitor/hmp.h"
#include "machine/monitor/line-edit.h"
#include "machine/monitor/monitor.h"

#define PROMPT "(qemu) "
#define BANNER "Umbra 0.1.0 monitor - type 'help' for more information\r\n"

/* No command is that long: what goes on is skipped up to the end of its line. */
#define LINE_LIMIT 65536

/* An answer waits while the peer has taken less than this of those before. */
#define PENDING_MAX 262144

struct HmpSession {
    CharFrontend frontend;
    Hmp hmp;
    GString *out;  /* of commands, lines ended by "\n" */
    GString *sent; /* what goes to the chardev */
    LineEdit edit;
    GString *line; /* where there is no terminal */
    GString *held; /* typed while a command takes its time */
    bool terminal, skipping, after_return;
    bool greeted, focused;
};

static void flush(HmpSession *session)
{
    if (session->sent->len) {
        char_frontend_write(&session->frontend, session->sent->str, session->sent->len);
        g_string_truncate(session->sent, 0);
    }
}

static void prompt(HmpSession *session)
{
    if (session->hmp.ended) {
        return;
    }
    if (session->terminal && session->edit.line->len) {
        line_edit_show(&session->edit);
    } else {
        g_string_append(session->sent, PROMPT);
    }
}

static void greet(HmpSession *session)
{
    if (session->focused && char_frontend_is_open(&session->frontend)) {
        if (!session->greeted) {
            g_string_append(session->sent, BANNER);
            session->greeted = true;
        }
        prompt(session);
        flush(session);
    }
}

/* What the command has said, and the prompt. */
static void answer(HmpSession *session)
{
    for (gsize i = 0; i < session->out->len; i++) {
        if (session->out->str[i] == '\n') {
            g_string_append_c(session->sent, '\r');
        }
        g_string_append_c(session->sent, session->out->str[i]);
    }
    g_string_truncate(session->out, 0);
    prompt(session);
}

static void run_line(HmpSession *session, const char *line)
{
    CharFrontend *before = monitor_enter(&session->frontend);

    hmp_run(&session->hmp, line);
    monitor_enter(before);
    if (!session->hmp.suspended) {
        answer(session);
    }
}

static void finish_plain_line(HmpSession *session)
{
    g_string_append(session->sent, "\r\n");
    if (session->skipping) {
        g_string_append_printf(
            session->sent, "a line of more than %d bytes is no command\r\n", LINE_LIMIT);
        prompt(session);
    } else {
        run_line(session, session->line->str);
    }
    session->skipping = false;
    g_string_truncate(session->line, 0);
}

/* Lines may end in CR, LF or both. */
static void plain_byte(HmpSession *session, char byte)
{
    if (byte == '\n' && session->after_return) {
        session->after_return = false;
        return;
    }
    session->after_return = byte == '\r';
    if (byte == '\n' || byte == '\r') {
        finish_plain_line(session);
    } else if (session->line->len >= LINE_LIMIT) {
        session->skipping = true;
    } else if (byte) {
        g_string_append_c(session->line, byte);
    }
}

static void session_receive(void *opaque, const uint8_t *buffer, size_t length)
{
    HmpSession *session = opaque;

    for (size_t i = 0; i < length; i++) {
        if (session->hmp.suspended) {
            g_string_append_len(session->held, (const char *)buffer + i,
                                (gssize)(length - i));
            break;
        }
        if (session->terminal) {
            g_autofree char *line = line_edit_byte(&session->edit, (char)buffer[i]);

            if (line) {
                run_line(session, line);
            }
        } else {
            plain_byte(session, (char)buffer[i]);
        }
    }
    flush(session);
}

static int session_can_receive(void *opaque)
{
    HmpSession *session = opaque;

    return !session->hmp.suspended &&
                   char_frontend_pending(&session->frontend) < PENDING_MAX
               ? 4096
               : 0;
}

static void session_resume(Hmp *hmp)
{
    HmpSession *session = (HmpSession *)((char *)hmp - offsetof(HmpSession, hmp));
    g_autoptr(GString) held = g_steal_pointer(&session->held);

    session->held = g_string_new(NULL);
    answer(session);
    session_receive(session, (const uint8_t *)held->str, held->len);
    char_frontend_accept_input(&session->frontend);
}

static void session_event(void *opaque, CharEvent event)
{
    HmpSession *session = opaque;

    switch (event) {
    case CHAR_EVENT_OPENED:
        session->greeted = false;
        greet(session);
        break;
    case CHAR_EVENT_CLOSED:
        g_string_truncate(session->line, 0);
        g_string_truncate(session->edit.line, 0);
        session->edit.cursor = 0;
        session->skipping = session->after_return = false;
        break;
    case CHAR_EVENT_FOCUS_IN:
        session->focused = true;
        greet(session);
        break;
    case CHAR_EVENT_FOCUS_OUT:
        session->focused = false;
        g_string_append(session->sent, "\r\n");
        flush(session);
        break;
    default:
        break;
    }
}

HmpSession *hmp_session_new(Chardev *chardev, GError **error)
{
    HmpSession *session = g_new0(HmpSession, 1);

    session->out = g_string_new(NULL);
    session->sent = g_string_new(NULL);
    session->line = g_string_new(NULL);
    session->terminal = chardev_is_terminal(chardev);
    session->held = g_string_new(NULL);
    hmp_init(&session->hmp, session->out);
    session->hmp.resume = session_resume;
    line_edit_init(&session->edit, PROMPT, session->sent, hmp_complete);
    session->hmp.history = session->edit.history;
    session->frontend = (CharFrontend){
        .can_receive = session_can_receive,
        .receive = session_receive,
        .event = session_event,
        .opaque = session,
        .yields_focus = true,
    };
    session->focused = !chardev_is_shared(chardev);
    if (!char_frontend_connect(&session->frontend, chardev, error)) {
        hmp_session_free(session);
        return NULL;
    }
    return session;
}

void hmp_session_free(HmpSession *session)
{
    char_frontend_disconnect(&session->frontend);
    line_edit_destroy(&session->edit);
    g_string_free(session->line, TRUE);
    g_string_free(session->sent, TRUE);
    g_string_free(session->held, TRUE);
    g_string_free(session->out, TRUE);
    g_free(session);
}
