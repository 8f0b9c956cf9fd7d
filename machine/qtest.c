/*
 * The connection of the qtest server: bytes to lines, lines to commands, answers and the
 * log.
 *
 * A command runs only when the harness has taken all that was sent before, so that an
 * answer of any length arrives whole and a harness that does not read costs no memory.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/qtest-internal.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

static struct {
    Machine *machine; /* NULL: no server */
    CharFrontend frontend;
    FILE *log;
    GTimer *since_opened; /* NULL: nobody is at the other end */

    GByteArray *input;
    size_t done;     /* bytes of `input` whose commands have run */
    size_t scanned;  /* bytes of it known to hold no newline beyond those */
    bool discarding; /* up to the next newline: the line was too long */
    GString *output; /* collects while a command runs; else NULL */
} server;

/* -- The log --------------------------------------------------------------------- */

static void log_text(char direction, const char *text)
{
    if (server.log && server.since_opened) {
        fprintf(server.log, "[%c +%.06f] %s", direction,
                g_timer_elapsed(server.since_opened, NULL), text);
    }
}

/* -- Output ---------------------------------------------------------------------- */

void qtest_server_tell(const char *line)
{
    log_text('S', line);
    if (server.output) {
        g_string_append(server.output, line);
    } else {
        char_frontend_write(&server.frontend, line, strlen(line));
    }
}

/* -- Input ----------------------------------------------------------------------- */

static void run_line(char *line, size_t length)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GString) reply = g_string_new(NULL);
    QtestCall call = {.machine = server.machine, .reply = reply};

    if (memchr(line, '\0', length)) {
        g_string_assign(reply, "FAIL The line has a NUL byte");
    } else {
        if (server.log) {
            g_autofree char *text = g_strconcat(line, "\n", NULL);

            log_text('R', text);
        }
        words = g_strsplit(line, " ", 0);
        call.words = words;
        qtest_command_run(&call);
    }
    g_string_append_c(reply, '\n');
    qtest_server_tell(reply->str);
}

/* Takes the next whole line out of the input; NULL: there is none. */
static char *next_line(size_t *length)
{
    uint8_t *data = server.input->data;
    uint8_t *end =
        server.input->len > server.scanned
            ? memchr(data + server.scanned, '\n', server.input->len - server.scanned)
            : NULL;
    char *line;

    if (!end) {
        server.scanned = server.input->len;
        return NULL;
    }
    *end = '\0';
    line = (char *)data + server.done;
    *length = (size_t)(end - (uint8_t *)line);
    server.done = server.scanned = (size_t)(end - data) + 1;
    return line;
}

static void drop_input(void)
{
    g_byte_array_set_size(server.input, 0);
    server.done = server.scanned = 0;
}

static void drop_done(void)
{
    g_byte_array_remove_range(server.input, 0, (guint)server.done);
    server.scanned -= server.done;
    server.done = 0;
}

/* What is left is the beginning of a line. */
static void check_length(void)
{
    if (server.input->len <= QTEST_LINE_MAX && !server.discarding) {
        return;
    }
    if (!server.discarding) {
        qtest_server_tell("FAIL The line is too long\n");
        server.discarding = true;
    }
    drop_input();
}

static bool can_run(void)
{
    return char_frontend_pending(&server.frontend) == 0;
}

static void run_input(void)
{
    size_t length;
    char *line = NULL;

    while (can_run() && (line = next_line(&length)) != NULL) {
        g_autoptr(GString) output = g_string_new(NULL);

        if (server.discarding) {
            server.discarding = false;
            continue;
        }
        server.output = output;
        run_line(line, length);
        server.output = NULL;
        char_frontend_write(&server.frontend, output->str, output->len);
    }
    drop_done();
    if (!line) {
        check_length();
    }
}

/* Commands may have waited for the harness to read. */
static void server_drained(void *opaque)
{
    run_input();
    char_frontend_accept_input(&server.frontend);
}

static int server_can_receive(void *opaque)
{
    return can_run() ? 65536 : 0;
}

static void server_receive(void *opaque, const uint8_t *buffer, size_t length)
{
    g_byte_array_append(server.input, buffer, (guint)length);
    run_input();
}

static void server_event(void *opaque, CharEvent event)
{
    if (event == CHAR_EVENT_OPENED) {
        g_clear_pointer(&server.since_opened, g_timer_destroy);
        server.since_opened = g_timer_new();
        qtest_irq_forget_levels();
        if (server.log) {
            fprintf(server.log, "[I %.06f] OPENED\n",
                    g_timer_elapsed(server.since_opened, NULL));
        }
    } else if (event == CHAR_EVENT_CLOSED) {
        log_text('I', "CLOSED\n");
        g_clear_pointer(&server.since_opened, g_timer_destroy);
        drop_input();
        server.discarding = false;
    }
}

/* -- Life ------------------------------------------------------------------------ */

static bool open_log(const char *path, GError **error)
{
    if (!path) {
        server.log = stderr;
    } else if (strcmp(path, "none") != 0) {
        server.log = fopen(path, "we");
        if (!server.log) {
            g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(errno),
                        "Cannot write the qtest log '%s': %s", path, g_strerror(errno));
            return false;
        }
        setvbuf(server.log, NULL, _IOLBF, 0);
    }
    return true;
}

bool qtest_server_start(Machine *machine, Chardev *chardev, const char *log,
                        GError **error)
{
    if (!open_log(log, error)) {
        return false;
    }
    server.machine = machine;
    server.input = g_byte_array_new();
    server.frontend = (CharFrontend){
        .can_receive = server_can_receive,
        .receive = server_receive,
        .event = server_event,
        .drained = server_drained,
    };
    if (!char_frontend_connect(&server.frontend, chardev, error)) {
        qtest_server_stop();
        return false;
    }
    return true;
}

void qtest_server_stop(void)
{
    if (!server.machine) {
        return;
    }
    char_frontend_disconnect(&server.frontend);
    qtest_irq_stop();
    if (server.log && server.log != stderr) {
        fclose(server.log);
    }
    g_clear_pointer(&server.since_opened, g_timer_destroy);
    g_byte_array_unref(server.input);
    memset(&server, 0, sizeof(server));
}
