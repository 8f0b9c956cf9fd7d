/*
 * Chardevs over real sockets, pipes, files and a pseudo-terminal.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "hw/char/chardev.h"
#include "hw/char/telnet.h"

static char *directory;

/* A frontend that remembers what it got. */
typedef struct Port {
    CharFrontend frontend;
    GString *got;
    int room; /* what can_receive says; -1: any */
    int opened, closed, breaks, focus;
} Port;

static int port_can_receive(void *opaque)
{
    Port *port = opaque;

    return port->room < 0 ? 4096 : port->room;
}

static void port_receive(void *opaque, const uint8_t *buffer, size_t length)
{
    Port *port = opaque;

    ck_assert(port->room < 0 || length <= (size_t)port->room);
    if (port->room > 0) {
        port->room -= (int)length;
    }
    g_string_append_len(port->got, (const char *)buffer, (gssize)length);
}

static void port_event(void *opaque, CharEvent event)
{
    Port *port = opaque;

    port->opened += event == CHAR_EVENT_OPENED;
    port->closed += event == CHAR_EVENT_CLOSED;
    port->breaks += event == CHAR_EVENT_BREAK;
    port->focus += event == CHAR_EVENT_FOCUS_IN    ? 1
                   : event == CHAR_EVENT_FOCUS_OUT ? -1
                                                   : 0;
}

static Port *port_new(Chardev *chardev)
{
    Port *port = g_new0(Port, 1);
    GError *error = NULL;

    port->got = g_string_new(NULL);
    port->room = -1;
    port->frontend.can_receive = port_can_receive;
    port->frontend.receive = port_receive;
    port->frontend.event = port_event;
    port->frontend.opaque = port;
    ck_assert(char_frontend_connect(&port->frontend, chardev, &error));
    return port;
}

static void port_write(Port *port, const char *text)
{
    char_frontend_write(&port->frontend, text, strlen(text));
}

static gboolean tick(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

/* Runs the main loop until the condition holds; fails the test after a minute. */
#define RUN_UNTIL(condition)                                                             \
    do {                                                                                 \
        gint64 end_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;                      \
        guint tick_ = g_timeout_add(10, tick, NULL);                                     \
        while (!(condition) && g_get_monotonic_time() < end_) {                          \
            g_main_context_iteration(NULL, TRUE);                                        \
        }                                                                                \
        g_source_remove(tick_);                                                          \
        ck_assert_msg(condition, "never came true: " #condition);                        \
    } while (0)

static void run_for_ms(int ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;
    guint id = g_timeout_add(5, tick, NULL);

    while (g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(id);
}

static char *path_of(const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static Chardev *make(const char *id, const char *format, ...)
{
    va_list args;
    g_autofree char *text = NULL;
    GError *error = NULL;
    Chardev *chardev;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    chardev = chardev_new_from_text(id, text, &error);
    ck_assert_msg(chardev != NULL, "%s: %s", text, error ? error->message : "");
    return chardev;
}

static int unix_socket(const char *path, bool listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    if (listening) {
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 4), 0);
    } else {
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* What the peer has got within the time, all together `length` bytes. */
static void expect_from(int fd, const void *expected, size_t length)
{
    g_autofree char *buffer = g_malloc(length);
    size_t got = 0;
    gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    while (got < length && g_get_monotonic_time() < end) {
        ssize_t n = read(fd, buffer + got, length - got);

        got += n > 0 ? (size_t)n : 0;
        run_for_ms(1);
    }
    ck_assert_uint_eq(got, length);
    ck_assert_mem_eq(buffer, expected, length);
}

static void expect_text(int fd, const char *text)
{
    expect_from(fd, text, strlen(text));
}

static void send_text(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

START_TEST(test_unix_server)
{
    g_autofree char *path = path_of("server");
    g_autofree char *connected = g_strdup_printf("unix:%s,server=on", path);
    g_autofree char *alone = g_strconcat("disconnected:", connected, NULL);
    g_autofree char *described = NULL, *described_later = NULL;
    Chardev *chardev = make("s", "unix:%s,server=on,wait=off", path);
    Port *port = port_new(chardev);
    int fd;

    described = chardev_describe(chardev);
    ck_assert_str_eq(described, alone);
    ck_assert(!char_frontend_is_open(&port->frontend));
    port_write(port, "nobody hears this");
    fd = unix_socket(path, false);
    RUN_UNTIL(port->opened == 1);
    described_later = chardev_describe(chardev);
    ck_assert_str_eq(described_later, connected);
    port_write(port, "hello");
    expect_text(fd, "hello");
    send_text(fd, "there");
    RUN_UNTIL(port->got->len == 5);
    ck_assert_str_eq(port->got->str, "there");
    close(fd);
    RUN_UNTIL(port->closed == 1);
}
END_TEST

START_TEST(test_next_peer_after_dead_one)
{
    g_autofree char *path = path_of("again");
    Port *port = port_new(make("s", "unix:%s,server,nowait", path));

    for (int i = 1; i <= 3; i++) {
        int fd = unix_socket(path, false), waiting = unix_socket(path, false);

        RUN_UNTIL(port->opened == 2 * i - 1);
        send_text(waiting, "second");
        send_text(fd, "first");
        RUN_UNTIL(port->got->len == 5);
        close(fd); /* the one that waited has its turn now */
        RUN_UNTIL(port->got->len == 11);
        ck_assert_str_eq(port->got->str, "firstsecond");
        g_string_truncate(port->got, 0);
        port_write(port, "you are next");
        expect_text(waiting, "you are next");
        close(waiting);
        RUN_UNTIL(port->closed == 2 * i);
    }
}
END_TEST

/* What a peer sent before it died reaches a frontend that was busy at that time. */
START_TEST(test_last_words)
{
    g_autofree char *path = path_of("words");
    Port *port = port_new(make("s", "unix:%s,server=on,wait=off", path));
    int fd = unix_socket(path, false);

    port->room = 0;
    RUN_UNTIL(port->opened == 1);
    send_text(fd, "last words");
    close(fd);
    run_for_ms(20);
    ck_assert_int_eq(port->closed, 0);
    port->room = 4;
    char_frontend_accept_input(&port->frontend);
    RUN_UNTIL(port->got->len == 4);
    run_for_ms(20);
    ck_assert_uint_eq(port->got->len, 4);
    port->room = -1;
    char_frontend_accept_input(&port->frontend);
    RUN_UNTIL(port->closed == 1);
    ck_assert_str_eq(port->got->str, "last words");
}
END_TEST

START_TEST(test_slow_peer)
{
    g_autofree char *path = path_of("slow");
    Port *port = port_new(make("s", "unix:%s,server=on,wait=off", path));
    int fd = unix_socket(path, false);
    enum { CHUNK = 4096, CHUNKS = 1024 }; /* 4 MiB, more than is kept */
    g_autofree uint8_t *chunk = g_malloc(CHUNK), *back = g_malloc(CHUNK);
    size_t chunks = 0;

    RUN_UNTIL(port->opened == 1);
    for (int i = 0; i < CHUNKS; i++) { /* a write that waits would wait for ever */
        memset(chunk, i, CHUNK);
        char_frontend_write(&port->frontend, chunk, CHUNK);
    }
    ck_assert_uint_gt(char_frontend_pending(&port->frontend), 0);
    ck_assert_uint_le(char_frontend_pending(&port->frontend), 1024 * 1024);
    /* It gets whole writes, in order, up to the point where the buffer was full. */
    for (;;) {
        size_t got = 0;

        for (bool more = true; got < CHUNK && more;) {
            ssize_t n;

            more = char_frontend_pending(&port->frontend) > 0;
            n = read(fd, back + got, CHUNK - got);
            got += n > 0 ? (size_t)n : 0;
            if (n <= 0 && more) {
                run_for_ms(1);
            }
            more = more || n > 0;
        }
        if (got == 0) {
            break;
        }
        ck_assert_uint_eq(got, CHUNK);
        memset(chunk, (int)chunks, CHUNK);
        ck_assert_mem_eq(back, chunk, CHUNK);
        chunks++;
    }
    ck_assert_uint_ge(chunks, 256);
    ck_assert_uint_lt(chunks, CHUNKS);
    ck_assert_uint_eq(char_frontend_pending(&port->frontend), 0);
    port_write(port, "and on");
    expect_text(fd, "and on");
    close(fd);
    RUN_UNTIL(port->closed == 1);
}
END_TEST

START_TEST(test_long_write_arrives_whole)
{
    g_autofree char *path = path_of("long");
    Port *port = port_new(make("s", "unix:%s,server=on,wait=off", path));
    int fd = unix_socket(path, false);
    size_t length = 3 * 1024 * 1024;
    g_autofree char *text = g_malloc(length);

    for (size_t i = 0; i < length; i++) {
        text[i] = (char)(i * 31 >> 5);
    }
    RUN_UNTIL(port->opened == 1);
    char_frontend_write(&port->frontend, text, length);
    expect_from(fd, text, length);
    close(fd);
}
END_TEST

START_TEST(test_client)
{
    g_autofree char *path = path_of("client"), *text = g_strconcat("unix:", path, NULL);
    g_autofree char *refused = g_strdup_printf("Failed to connect to '%s': "
                                               "No such file or directory",
                                               path);
    GError *error = NULL;
    int listener, fd;
    Port *port;

    ck_assert_ptr_null(chardev_new_from_text("c", text, &error));
    ck_assert_str_eq(error->message, refused);
    g_clear_error(&error);
    listener = unix_socket(path, true);
    port = port_new(make("c", "%s", text));
    ck_assert_int_eq(port->opened, 1);
    fd = accept(listener, NULL, NULL);
    port_write(port, "hi");
    expect_text(fd, "hi");
    close(fd);
    RUN_UNTIL(port->closed == 1);
    port_write(port, "gone"); /* harmless */
    close(listener);
}
END_TEST

START_TEST(test_client_reconnects)
{
    g_autofree char *path = path_of("reconnect");
    Port *port = port_new(make("c", "unix:%s,reconnect=1", path));
    int listener, fd;

    run_for_ms(50); /* nobody there, and nothing waits for it */
    ck_assert_int_eq(port->opened, 0);
    listener = unix_socket(path, true);
    RUN_UNTIL(port->opened == 1);
    fd = accept(listener, NULL, NULL);
    close(fd);
    RUN_UNTIL(port->closed == 1);
    RUN_UNTIL(port->opened == 2);
    fd = accept(listener, NULL, NULL);
    port_write(port, "back");
    expect_text(fd, "back");
    close(fd);
    close(listener);
}
END_TEST

static int tcp_connect(Chardev *chardev)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    g_autofree char *text = chardev_describe(chardev);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char *port = strrchr(text, ':') + 1;

    address.sin_port = htons((uint16_t)atoi(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_msg(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
                  "%s: %s", text, strerror(errno));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

START_TEST(test_tcp)
{
    Chardev *chardev = make("t", "tcp:127.0.0.1:0,server=on,wait=off,nodelay");
    Port *port = port_new(chardev);
    int fd = tcp_connect(chardev);
    struct linger reset = {.l_onoff = 1};
    g_autofree char *text = NULL;

    RUN_UNTIL(port->opened == 1);
    text = chardev_describe(chardev);
    ck_assert_msg(g_regex_match_simple("^tcp:127\\.0\\.0\\.1:[0-9]+,server=on <-> "
                                       "127\\.0\\.0\\.1:[0-9]+$",
                                       text, 0, 0),
                  "%s", text);
    port_write(port, "\377x"); /* not telnet: as it is */
    expect_text(fd, "\377x");
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd); /* with a reset, as a peer that crashes */
    RUN_UNTIL(port->closed == 1);
    fd = tcp_connect(chardev);
    RUN_UNTIL(port->opened == 2);
    close(fd);
}
END_TEST

START_TEST(test_telnet)
{
    Chardev *chardev = make("t", "telnet:127.0.0.1:0,server=on,wait=off");
    Port *port = port_new(chardev);
    int fd = tcp_connect(chardev);
    static const char input[] =
        "a\377\375\001b\377\377c\377\363\377\372\030\001x\377\360d";

    RUN_UNTIL(port->opened == 1);
    expect_from(fd, "\377\373\001\377\373\003\377\373\000\377\375\000", 12);
    /* A byte at a time: commands may be split anywhere. */
    for (size_t i = 0; i < sizeof(input) - 1; i++) {
        ck_assert_int_eq(write(fd, input + i, 1), 1);
        run_for_ms(2);
    }
    RUN_UNTIL(port->got->len == 5);
    ck_assert_str_eq(port->got->str, "ab\377cd");
    ck_assert_int_eq(port->breaks, 1);
    port_write(port, "x\377\377y");
    expect_text(fd, "x\377\377\377\377y");
    close(fd);
}
END_TEST

START_TEST(test_udp)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    Port *port;
    char buffer[16];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    port = port_new(make("u", "udp:127.0.0.1:%u@127.0.0.1:0", ntohs(address.sin_port)));
    port_write(port, "datagram");
    run_for_ms(10);
    ck_assert_int_eq(
        recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&address, &length), 8);
    port->room = 3;
    sendto(fd, "reply", 5, 0, (struct sockaddr *)&address, length);
    RUN_UNTIL(port->got->len == 3);
    port->room = -1;
    char_frontend_accept_input(&port->frontend);
    RUN_UNTIL(port->got->len == 5);
    ck_assert_str_eq(port->got->str, "reply");
    close(fd);
}
END_TEST

START_TEST(test_file)
{
    g_autofree char *path = path_of("log"), *contents = NULL;
    g_autofree char *options = g_strdup_printf("file,id=f2,path=%s,append=on", path);
    GError *error = NULL;
    Chardev *again;

    port_write(port_new(make("f", "file:%s", path)), "one\n");
    again = chardev_new_from_options(options, &error);
    ck_assert_ptr_nonnull(again);
    port_write(port_new(again), "two\n");
    ck_assert(g_file_get_contents(path, &contents, NULL, NULL));
    ck_assert_str_eq(contents, "one\ntwo\n");
}
END_TEST

START_TEST(test_pipe)
{
    g_autofree char *path = path_of("fifo"), *in = path_of("fifo.in"),
                    *out = path_of("fifo.out");
    Port *port;
    int to, from;

    mkfifo(in, 0600);
    mkfifo(out, 0600);
    port = port_new(make("p", "pipe:%s", path));
    to = open(in, O_WRONLY | O_NONBLOCK);
    from = open(out, O_RDONLY | O_NONBLOCK);
    send_text(to, "in");
    RUN_UNTIL(port->got->len == 2);
    port_write(port, "out");
    expect_text(from, "out");
    close(to);
    close(from);
}
END_TEST

START_TEST(test_pty)
{
    Chardev *chardev = make("pty", "pty");
    Port *port = port_new(chardev);
    g_autofree char *text = chardev_describe(chardev);
    int fd;

    ck_assert(g_str_has_prefix(text, "disconnected:pty:/dev/pts/"));
    ck_assert(chardev_is_terminal(chardev));
    for (int i = 1; i <= 2; i++) {
        fd = open(strchr(text, '/'), O_RDWR | O_NOCTTY | O_NONBLOCK);
        RUN_UNTIL(port->opened == i);
        port_write(port, "raw\n");
        expect_text(fd, "raw\n"); /* no echo, no translation */
        send_text(fd, "\003\n");
        RUN_UNTIL(port->got->len == 2);
        ck_assert_str_eq(port->got->str, "\003\n");
        g_string_truncate(port->got, 0);
        close(fd);
        RUN_UNTIL(port->closed == i);
    }
}
END_TEST

START_TEST(test_mux)
{
    g_autofree char *path = path_of("mux");
    Chardev *chardev = make("m", "mon:unix:%s,server=on,wait=off", path);
    int fd = unix_socket(path, false);
    Port *serial = port_new(chardev), *monitor = g_new0(Port, 1);

    ck_assert_str_eq(chardev_id(chardev), "m");
    ck_assert_ptr_nonnull(chardev_find("m-base"));
    *monitor = *serial;
    monitor->got = g_string_new(NULL);
    monitor->frontend.opaque = monitor;
    monitor->frontend.yields_focus = true;
    monitor->focus = 0;
    ck_assert(char_frontend_connect(&monitor->frontend, chardev, NULL));
    RUN_UNTIL(monitor->opened == 1);
    ck_assert_int_eq(serial->opened, 1);
    ck_assert_int_eq(serial->focus, 1);
    send_text(fd, "to serial\001cto monitor\001\001");
    RUN_UNTIL(monitor->got->len == 11);
    ck_assert_str_eq(serial->got->str, "to serial");
    ck_assert_str_eq(monitor->got->str, "to monitor\001");
    ck_assert_int_eq(serial->focus, 0);
    ck_assert_int_eq(monitor->focus, 1);
    send_text(fd, "\001b\001c");
    RUN_UNTIL(serial->focus == 1);
    ck_assert_int_eq(monitor->breaks, 1);
    /* What a busy port does not take waits; the way to the monitor stays open. */
    serial->room = 2;
    send_text(fd, "more\001cx");
    RUN_UNTIL(monitor->got->len == 12);
    ck_assert_str_eq(serial->got->str, "to serialmo");
    serial->room = -1;
    char_frontend_accept_input(&serial->frontend);
    ck_assert_str_eq(serial->got->str, "to serialmore");
    port_write(serial, "S");
    port_write(monitor, "M");
    expect_text(fd, "SM");
    close(fd);
}
END_TEST

static const struct {
    const char *text, *message;
} bad_text[] = {
    {"foo", "'foo' is not a valid char driver; try stdio, file:PATH, "
            "unix:PATH,server=on,wait=off or tcp:HOST:PORT"},
    {"unix:/x,server=on,reconnect=1",
     "'reconnect' option is incompatible with socket in server listen mode"},
    {"tcp:localhost:1,wait=on",
     "'wait' option is incompatible with socket in client connect mode"},
    {"tcp:localhost:1", "Failed to connect to 'localhost:1': Connection refused"},
    {"tcp:foo", "'foo' is no address; write HOST:PORT"},
    {"unix:/x,server=maybe", "Parameter 'server' expects 'on' or 'off'"},
    {"unix:/x,srver=on", "Invalid parameter 'srver', did you mean 'server'?"},
    {"file:/nonexistent/x", "Could not open '/nonexistent/x': No such file or directory"},
    {"pipe:/nonexistent/x", "Could not open '/nonexistent/x': No such file or directory"},
    {"chardev:foo", "chardev \"foo\" not found; define it with -chardev BACKEND,id=foo"},
};

START_TEST(test_bad_text)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(chardev_new_from_text("x", bad_text[_i].text, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_str_eq(error->message, bad_text[_i].message);
    ck_assert_ptr_null(chardev_find("x"));
}
END_TEST

static const struct {
    const char *text, *message;
} bad_options[] = {
    {"foo,id=a", "'foo' is not a valid char driver name; -chardev help lists them"},
    {"null", "chardev: no id specified; add id=NAME"},
    {"id=a", "chardev: \"a\" missing backend"},
    {"file,id=a", "chardev: file: no filename given; add path=FILE"},
    {"null,id=1a", "Parameter 'id' expects an identifier, not '1a': a letter, then "
                   "letters, digits, '-', '.' or '_'"},
    {"socket,id=a,host=localhost", "chardev: socket: no port given"},
    {"socket,id=a", "chardev: socket: no address given; add path=FILE or "
                    "host=HOST,port=PORT"},
    {"socket,id=a,host=localhost,port=99999",
     "Parameter 'port' expects a number from 0 to 65535"},
    {"null,id=twice", "Duplicate ID 'twice' for chardev"},
};

START_TEST(test_bad_options)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_nonnull(chardev_new_from_options("null,id=twice", NULL));
    ck_assert_ptr_null(chardev_new_from_options(bad_options[_i].text, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_str_eq(error->message, bad_options[_i].message);
}
END_TEST

START_TEST(test_one_frontend)
{
    Chardev *chardev = make("n", "null");
    Port *port = port_new(chardev);
    static CharFrontend second; /* until the chardev goes, in tear_down() */
    g_autoptr(GError) error = NULL;

    ck_assert(char_frontend_is_open(&port->frontend));
    ck_assert(!char_frontend_connect(&second, chardev, &error));
    ck_assert_str_eq(error->message, "Device 'n' is in use; -chardev ...,mux=on lets "
                                     "several share it");
    char_frontend_disconnect(&port->frontend);
    ck_assert(char_frontend_connect(&second, chardev, NULL));
    ck_assert_ptr_null(chardev_new_from_text("x", "none", NULL));
    ck_assert(char_frontend_connect(&second, NULL, NULL));
    char_frontend_write(&second, "x", 1); /* vanishes */
}
END_TEST

static void set_up(void)
{
    directory = g_dir_make_tmp("umbra-chardev-XXXXXX", NULL);
}

static void tear_down(void)
{
    g_autoptr(GDir) dir = NULL;
    const char *name;

    chardev_cleanup();
    dir = g_dir_open(directory, 0, NULL);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = path_of(name);

        unlink(path);
    }
    rmdir(directory);
    g_free(directory);
}

int main(void)
{
    Suite *suite = suite_create("chardev");
    TCase *tcase = tcase_create("chardev");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, test_unix_server);
    tcase_add_test(tcase, test_next_peer_after_dead_one);
    tcase_add_test(tcase, test_last_words);
    tcase_add_test(tcase, test_slow_peer);
    tcase_add_test(tcase, test_long_write_arrives_whole);
    tcase_add_test(tcase, test_client);
    tcase_add_test(tcase, test_client_reconnects);
    tcase_add_test(tcase, test_tcp);
    tcase_add_test(tcase, test_telnet);
    tcase_add_test(tcase, test_udp);
    tcase_add_test(tcase, test_file);
    tcase_add_test(tcase, test_pipe);
    tcase_add_test(tcase, test_pty);
    tcase_add_test(tcase, test_mux);
    tcase_add_loop_test(tcase, test_bad_text, 0, G_N_ELEMENTS(bad_text));
    tcase_add_loop_test(tcase, test_bad_options, 0, G_N_ELEMENTS(bad_options));
    tcase_add_test(tcase, test_one_frontend);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
