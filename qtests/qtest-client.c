/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/qtest-client.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Stream {
    int fd;
    GString *input;
} Stream;

struct QtestClient {
    pid_t pid; /* 0: it has exited */
    Stream qtest, qmp;
    bool level[QTEST_CLIENT_IRQS];
    GQueue *events; /* JsonNode *, not waited for yet */
};

/* -- Streams of lines ------------------------------------------------------------ */

static short wait_for(int fd, short events, gint64 limit, const char *what)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    gint64 left = (limit - g_get_monotonic_time()) / 1000;
    int ready = left > 0 ? poll(&poll_fd, 1, (int)left) : 0;

    ck_assert_msg(ready > 0 || (ready < 0 && errno == EINTR), "no %s within %d seconds",
                  what, QTEST_CLIENT_SECONDS);
    return ready > 0 ? poll_fd.revents : 0;
}

static gint64 time_limit(void)
{
    return g_get_monotonic_time() + QTEST_CLIENT_SECONDS * G_USEC_PER_SEC;
}

static void receive(Stream *stream, const char *what)
{
    char buffer[65536];
    ssize_t got = read(stream->fd, buffer, sizeof(buffer));

    ck_assert_msg(got > 0, "the emulator hung up while a %s was due", what);
    g_string_append_len(stream->input, buffer, got);
}

static char *read_line(Stream *stream, const char *what)
{
    gint64 limit = time_limit();
    size_t scanned = 0;
    char *end, *line;

    while (!(
        end = memchr(stream->input->str + scanned, '\n', stream->input->len - scanned))) {
        scanned = stream->input->len;
        wait_for(stream->fd, POLLIN, limit, what);
        receive(stream, what);
    }
    line = g_strndup(stream->input->str, (gsize)(end - stream->input->str));
    g_string_erase(stream->input, 0, end + 1 - stream->input->str);
    return line;
}

/* The emulator takes no more commands than its answers are read. */
static void send_bytes(Stream *stream, const char *text, size_t length)
{
    gint64 limit = time_limit();

    while (length) {
        ssize_t put = send(stream->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (put < 0) {
            ck_assert_msg(errno == EAGAIN, "cannot send: %s", strerror(errno));
            if (wait_for(stream->fd, POLLIN | POLLOUT, limit, "room to send") & POLLIN) {
                receive(stream, "reply");
            }
            continue;
        }
        text += put;
        length -= (size_t)put;
    }
}

/* -- Starting and ending --------------------------------------------------------- */

/* Both ends of a stream; the emulator's end is to survive exec. */
static void make_pair(int *ours, int *theirs)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    *ours = fds[0];
    *theirs = dup(fds[1]);
    close(fds[1]);
}

static pid_t start(char **argv)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execv(argv[0], argv);
        fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    return pid;
}

static void enter_command_mode(QtestClient *client)
{
    g_autofree char *greeting = read_line(&client->qmp, "QMP greeting");

    ck_assert_ptr_nonnull(strstr(greeting, "\"QMP\""));
    json_node_unref(qtest_client_qmp(client, "{\"execute\": \"qmp_capabilities\"}"));
}

bool qtest_client_is_qemu(void)
{
    g_autofree char *name = g_path_get_basename(g_getenv("UMBRA_SYSTEM"));

    return g_str_has_prefix(name, "qemu-");
}

QtestClient *qtest_client_new_on(const char *arguments, int qtest_fd, int qmp_fd)
{
    const char *program = g_getenv("UMBRA_SYSTEM");
    g_autofree char *command = NULL;
    g_auto(GStrv) argv = NULL;
    QtestClient *client = g_new0(QtestClient, 1);
    GError *error = NULL;

    ck_assert_msg(program, "set UMBRA_SYSTEM to the emulator's path");
    command = g_strdup_printf("'%s' -display none -accel %s %s", program,
                              qtest_client_is_qemu() ? "tcg -S" : "qtest", arguments);
    ck_assert_msg(g_shell_parse_argv(command, NULL, &argv, &error), "%s",
                  error ? error->message : "");
    client->qtest = (Stream){qtest_fd, g_string_new(NULL)};
    client->qmp = (Stream){qmp_fd, g_string_new(NULL)};
    client->events = g_queue_new();
    client->pid = start(argv);
    return client;
}

QtestClient *qtest_client_new(const char *arguments)
{
    int qtest[2], qmp[2];
    g_autofree char *all = NULL;
    QtestClient *client;

    make_pair(&qtest[0], &qtest[1]);
    make_pair(&qmp[0], &qmp[1]);
    all = g_strdup_printf("-chardev socket,id=qtest,fd=%d -qtest chardev:qtest "
                          "-qtest-log none -chardev socket,id=qmp0,fd=%d "
                          "-mon chardev=qmp0,mode=control %s",
                          qtest[1], qmp[1], arguments);
    client = qtest_client_new_on(all, qtest[0], qmp[0]);
    close(qtest[1]);
    close(qmp[1]);
    enter_command_mode(client);
    return client;
}

int qtest_client_wait(QtestClient *client)
{
    gint64 limit = time_limit();
    int status;

    while (waitpid(client->pid, &status, WNOHANG) == 0) {
        if (g_get_monotonic_time() > limit) {
            kill(client->pid, SIGKILL);
            ck_abort_msg("the emulator does not exit");
        }
        g_usleep(2000);
    }
    client->pid = 0;
    ck_assert_msg(WIFEXITED(status), "the emulator died of signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

void qtest_client_free(QtestClient *client)
{
    if (client->pid) {
        kill(client->pid, SIGTERM);
        ck_assert_int_eq(qtest_client_wait(client), 0);
    }
    g_queue_free_full(client->events, (GDestroyNotify)json_node_unref);
    g_string_free(client->qtest.input, true);
    g_string_free(client->qmp.input, true);
    if (client->qtest.fd >= 0) {
        close(client->qtest.fd);
    }
    if (client->qmp.fd >= 0) {
        close(client->qmp.fd);
    }
    g_free(client);
}

/* -- Lines ----------------------------------------------------------------------- */

void qtest_client_send(QtestClient *client, const char *text, size_t length)
{
    send_bytes(&client->qtest, text, length);
}

char *qtest_client_line(QtestClient *client)
{
    return read_line(&client->qtest, "reply");
}

static bool note_irq(QtestClient *client, const char *line)
{
    char direction[8];
    unsigned n;

    if (!g_str_has_prefix(line, "IRQ ")) {
        return false;
    }
    ck_assert_msg(sscanf(line, "IRQ %7s %u", direction, &n) == 2 && n < QTEST_CLIENT_IRQS,
                  "%s", line);
    client->level[n] = strcmp(direction, "raise") == 0;
    return true;
}

char *qtest_client_reply(QtestClient *client)
{
    for (;;) {
        char *line = qtest_client_line(client);

        if (!note_irq(client, line)) {
            return line;
        }
        g_free(line);
    }
}

char *qtest_client_command(QtestClient *client, const char *format, ...)
{
    g_autoptr(GString) line = g_string_new(NULL);
    va_list arguments;

    va_start(arguments, format);
    g_string_vprintf(line, format, arguments);
    va_end(arguments);
    g_string_append_c(line, '\n');
    qtest_client_send(client, line->str, line->len);
    return qtest_client_reply(client);
}

/* -- Commands that must succeed -------------------------------------------------- */

/* Takes the reply; what follows "OK" in it, to be freed. */
static char *value_of(char *reply)
{
    char *value;

    ck_assert_msg(g_str_has_prefix(reply, "OK"), "%s", reply);
    value = g_strdup(reply[2] == ' ' ? reply + 3 : "");
    g_free(reply);
    return value;
}

static uint64_t number_of(char *reply)
{
    g_autofree char *value = value_of(reply);

    return g_ascii_strtoull(value, NULL, 0);
}

static char suffix_of(unsigned size)
{
    return size == 1 ? 'b' : size == 2 ? 'w' : size == 4 ? 'l' : 'q';
}

void qtest_client_out(QtestClient *client, uint16_t port, unsigned size, uint32_t value)
{
    number_of(
        qtest_client_command(client, "out%c 0x%x 0x%x", suffix_of(size), port, value));
}

uint32_t qtest_client_in(QtestClient *client, uint16_t port, unsigned size)
{
    return (uint32_t)number_of(
        qtest_client_command(client, "in%c 0x%x", suffix_of(size), port));
}

void qtest_client_write(QtestClient *client, uint64_t addr, unsigned size, uint64_t value)
{
    number_of(qtest_client_command(
        client, "write%c 0x%" G_GINT64_MODIFIER "x 0x%" G_GINT64_MODIFIER "x",
        suffix_of(size), addr, value));
}

uint64_t qtest_client_read(QtestClient *client, uint64_t addr, unsigned size)
{
    return number_of(qtest_client_command(client, "read%c 0x%" G_GINT64_MODIFIER "x",
                                          suffix_of(size), addr));
}

void qtest_client_write_bytes(QtestClient *client, uint64_t addr, const void *bytes,
                              size_t length)
{
    g_autofree char *text = g_base64_encode(bytes, length);

    number_of(qtest_client_command(client, "b64write 0x%" G_GINT64_MODIFIER "x 0x%zx %s",
                                   addr, length, text));
}

void qtest_client_read_bytes(QtestClient *client, uint64_t addr, void *bytes,
                             size_t length)
{
    g_autofree char *text = value_of(qtest_client_command(
        client, "b64read 0x%" G_GINT64_MODIFIER "x 0x%zx", addr, length));
    gsize got;

    g_base64_decode_inplace(text, &got);
    ck_assert_uint_eq(got, length);
    memcpy(bytes, text, length);
}

int64_t qtest_client_clock_step(QtestClient *client, int64_t ns)
{
    return (int64_t)number_of(
        qtest_client_command(client, "clock_step %" G_GINT64_FORMAT, ns));
}

int64_t qtest_client_clock_step_next(QtestClient *client)
{
    return (int64_t)number_of(qtest_client_command(client, "clock_step"));
}

void qtest_client_intercept(QtestClient *client, const char *path, bool output)
{
    number_of(
        qtest_client_command(client, "irq_intercept_%s %s", output ? "out" : "in", path));
}

bool qtest_client_irq(QtestClient *client, unsigned n)
{
    ck_assert_uint_lt(n, QTEST_CLIENT_IRQS);
    /* Whatever has been sent comes before the answer to this. */
    g_free(qtest_client_command(client, "endianness"));
    return client->level[n];
}

/* -- Monitors -------------------------------------------------------------------- */

static JsonNode *read_message(QtestClient *client)
{
    g_autofree char *line = read_line(&client->qmp, "QMP message");
    JsonNode *message = json_from_string(line, NULL);

    ck_assert_msg(message && JSON_NODE_HOLDS_OBJECT(message), "not QMP: %s", line);
    return message;
}

JsonNode *qtest_client_qmp(QtestClient *client, const char *json)
{
    send_bytes(&client->qmp, json, strlen(json));
    for (;;) {
        JsonNode *answer = read_message(client);

        if (!json_object_has_member(json_node_get_object(answer), "event")) {
            return answer;
        }
        g_queue_push_tail(client->events, answer);
    }
}

JsonNode *qtest_client_execute(QtestClient *client, const char *command, char **message,
                               const char *arguments, ...)
{
    g_autofree char *text = NULL, *json = NULL;
    g_autoptr(JsonNode) answer = NULL;
    JsonObject *object;
    va_list values;

    va_start(values, arguments);
    text = arguments ? g_strdup_vprintf(arguments, values) : g_strdup("");
    va_end(values);
    json = g_strdup_printf("{\"execute\": \"%s\"%s%s}", command,
                           *text ? ", \"arguments\": " : "", text);
    answer = qtest_client_qmp(client, json);
    object = json_node_get_object(answer);
    if (json_object_has_member(object, "return")) {
        return json_node_copy(json_object_get_member(object, "return"));
    }
    if (message) {
        *message = g_strdup(json_object_get_string_member(
            json_object_get_object_member(object, "error"), "desc"));
    }
    return NULL;
}

JsonObject *qtest_client_event(QtestClient *client, const char *name)
{
    for (;;) {
        g_autoptr(JsonNode) event = g_queue_is_empty(client->events)
                                        ? read_message(client)
                                        : g_queue_pop_head(client->events);
        JsonObject *object = json_node_get_object(event);
        const char *found = json_object_get_string_member_with_default(object, "event", "");

        if (strcmp(found, name) == 0) {
            return json_object_has_member(object, "data")
                       ? json_object_ref(json_object_get_object_member(object, "data"))
                       : json_object_new();
        }
    }
}

char *qtest_client_hmp(QtestClient *client, const char *command)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) request = NULL, answer = NULL;
    g_autofree char *text = NULL;

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "execute");
    json_builder_add_string_value(builder, "human-monitor-command");
    json_builder_set_member_name(builder, "arguments");
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "command-line");
    json_builder_add_string_value(builder, command);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    request = json_builder_get_root(builder);
    text = json_to_string(request, false);
    answer = qtest_client_qmp(client, text);
    ck_assert_msg(json_object_has_member(json_node_get_object(answer), "return"),
                  "human-monitor-command %s fails", command);
    return g_strdup(
        json_object_get_string_member(json_node_get_object(answer), "return"));
}

/* -- Programs ------------------------------------------------------------------------ */

int qtest_client_run_suite(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner;
    int failed;

    for (size_t i = 0; i < count; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
