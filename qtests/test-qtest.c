/*
 * The qtest protocol over real sockets, as QEMU 7.2's softmmu/qtest.c and libqtest speak
 * it. Where QEMU asserts, a harness must get FAIL and the machine must go on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qtests/qtest-client.h"

static QtestClient *client;

static void setup(void)
{
    client = qtest_client_new("-M pc -m 16 -nodefaults -rtc clock=vm");
}

static void teardown(void)
{
    qtest_client_free(client);
}

static void check_replies(const char *const (*cases)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *reply = qtest_client_command(client, "%s", cases[i][0]);

        ck_assert_msg(strcmp(reply, cases[i][1]) == 0, "%.80s: '%.80s', not '%s'",
                      cases[i][0], reply, cases[i][1]);
    }
}

#define CHECK_REPLIES(cases) check_replies(cases, G_N_ELEMENTS(cases))

/* -- Commands -------------------------------------------------------------------- */

START_TEST(test_memory)
{
    static const char *const cases[][2] = {
        {"endianness", "OK little"},
        {"writeq 0x1000 0x8877665544332211", "OK"},
        {"readb 0x1000", "OK 0x0000000000000011"},
        {"readw 0x1001", "OK 0x0000000000003322"},
        {"readl 4098", "OK 0x0000000066554433"},
        {"readq 010000", "OK 0x8877665544332211"}, /* octal, as strtoul's base 0 */
        {"writeb 0x1000 0x1ff", "OK"},
        {"writew 0x1002 0xabcd", "OK"},
        {"writel 0x1004 0xffffffff01020304", "OK"},
        {"read 0x1000 8", "OK 0xff22cdab04030201"},
        {"write 0x1000 4 0xDEadbeef", "OK"},
        {"read 0x1000 5", "OK 0xdeadbeef04"},
        {"write 0x1000 4 0x1234", "OK"}, /* what is not said is 0 */
        {"read 0x1000 4", "OK 0x12340000"},
        {"write 0x1000 2 0x11223344", "OK"}, /* what is said too much is ignored */
        {"read 0x1000 4", "OK 0x11220000"},
        {"b64write 0x2000 4 AAECAw==", "OK"},
        {"b64read 0x2000 4", "OK AAECAw=="},
        {"b64write 0x2000 2 //8AAA==", "OK"},
        {"read 0x2000 4", "OK 0xffff0203"},
        {"memset 0x2000 3 0x1a5", "OK"},
        {"read 0x2000 4", "OK 0xa5a5a503"},
        {"memset 0x2000 0 1", "OK"},
        {"b64read 0x2000 0", "OK "},
        {"read 0x2000 4 trailing words", "OK 0xa5a5a503"},
        /* The reset vector of SeaBIOS 1.16.2; nobody at all; ROM is not written. */
        {"read 0xfffffff0 5", "OK 0xea5be000f0"},
        {"readl 0xe0000000", "OK 0x0000000000000000"},
        {"writeb 0xfffffff0 0", "OK"},
        {"readb 0xfffffff0", "OK 0x00000000000000ea"},
    };

    CHECK_REPLIES(cases);
}
END_TEST

START_TEST(test_ports)
{
    static const char *const cases[][2] = {
        /* PIIX3's device id by mechanism 1, as a doubleword and its words and bytes. */
        {"outl 0xcf8 0x80000800", "OK"},
        {"inl 0xcf8", "OK 0x80000800"},
        {"inl 0xcfc", "OK 0x70008086"},
        {"inw 0xcfe", "OK 0x7000"},
        {"inb 0xcfd", "OK 0x0080"},
        /* A latch of the RTC's RAM. */
        {"outb 0x70 0x3f", "OK"},
        {"outb 0x71 0x5a", "OK"},
        {"inb 0x71", "OK 0x005a"},
        {"outw 0xcf8 0", "OK"},
        {"inb 0xffff", "OK 0x00ff"},
        {"inb 65535", "OK 0x00ff"},
    };

    CHECK_REPLIES(cases);
}
END_TEST

START_TEST(test_malformed)
{
    static const char *const cases[][2] = {
        {"", "FAIL Unknown command ''"},
        {"nonsense", "FAIL Unknown command 'nonsense'"},
        {"OUTB 0x70 0", "FAIL Unknown command 'OUTB'"},
        {"rtas get-time-of-day 0 0 8 0x1000", "FAIL Unknown command 'rtas'"},
        {" outb 0x70 0", "FAIL Unknown command ''"},
        {"outb", "FAIL outb: argument 1 is missing"},
        {"outb 0x70", "FAIL outb: argument 2 is missing"},
        {"outb 0x10000 0", "FAIL outb: port 0x10000 is over 0xffff"},
        {"inb -1", "FAIL inb: port 0xffffffffffffffff is over 0xffff"},
        {"readl 12z", "FAIL readl: argument 1 is not a number: '12z'"},
        {"readl  0", "FAIL readl: argument 1 is not a number: ''"},
        {"readq 0x10000000000000000",
         "FAIL readq: argument 1 is not a number: '0x10000000000000000'"},
        {"read 0 0", "FAIL Length is 0"},
        {"read 0 0xffffffffffffffff",
         "FAIL Length 18446744073709551615 is over the limit of 33554432 bytes"},
        {"b64read 0 33554433",
         "FAIL Length 33554433 is over the limit of 33554432 bytes"},
        {"write 0 33554433 0x00",
         "FAIL Length 33554433 is over the limit of 33554432 bytes"},
        {"memset 0 0x40000001 0",
         "FAIL Length 1073741825 is over the limit of 1073741824 bytes"},
        {"write 0 1 0x", "ERR invalid argument size"},
        {"write 0 1 0xgg", "FAIL Data is not 0x and hexadecimal digits"},
        {"write 0 1 zz00", "FAIL Data is not 0x and hexadecimal digits"},
        {"b64write 0 1 A", "ERR invalid argument size"},
        {"clock_set", "FAIL clock_set: argument 1 is missing"},
        {"clock_step soon", "FAIL clock_step: argument 1 is not a number: 'soon'"},
        {"clock_step 9223372036854775807",
         "FAIL The virtual clock ends at 4611686018427387903"},
        {"irq_intercept_in", "FAIL irq_intercept_in: argument 1 is missing"},
        {"irq_intercept_in nobody", "FAIL Unknown device"},
        {"irq_intercept_out /machine", "FAIL Unknown device"},
        {"set_irq_in nobody unnamed-gpio-in 0 1", "FAIL Unknown device"},
        {"module_load block- curl", "FAIL"},
        {"endianness", "OK little"},
    };

    CHECK_REPLIES(cases);
}
END_TEST

/* -- The clock ------------------------------------------------------------------- */

START_TEST(test_clock)
{
    int64_t next;
    g_autofree char *back = NULL, *set = NULL;

    ck_assert_int_eq(qtest_client_clock_step(client, 0), 0);
    ck_assert_int_eq(qtest_client_clock_step(client, 1000), 1000);
    ck_assert_int_eq(qtest_client_clock_step(client, -5), 1000);
    back = qtest_client_command(client, "clock_set 999");
    ck_assert_str_eq(back, "OK 1000");
    set = qtest_client_command(client, "clock_set 2000");
    ck_assert_str_eq(set, "OK 2000");
    next = qtest_client_clock_step_next(client);
    ck_assert_int_gt(next, 2000);
    /* It stands still on its own. */
    g_usleep(20000);
    ck_assert_int_eq(qtest_client_clock_step(client, 0), next);
}
END_TEST

static void rtc_write(unsigned reg, unsigned value)
{
    qtest_client_out(client, 0x70, 1, reg);
    qtest_client_out(client, 0x71, 1, value);
}

static unsigned rtc_read(unsigned reg)
{
    qtest_client_out(client, 0x70, 1, reg);
    return qtest_client_in(client, 0x71, 1);
}

static void find_device(const char *name, char *path, size_t size)
{
    for (int i = 0; i < 64; i++) {
        g_autofree char *query = g_strdup_printf(
            "{\"execute\": \"qom-get\", \"arguments\": {\"path\": "
            "\"/machine/unattached/device[%d]\", \"property\": \"type\"}}",
            i);
        g_autoptr(JsonNode) answer = qtest_client_qmp(client, query);
        JsonObject *object = json_node_get_object(answer);

        if (json_object_has_member(object, "return") &&
            strcmp(json_object_get_string_member(object, "return"), name) == 0) {
            g_snprintf(path, size, "/machine/unattached/device[%d]", i);
            return;
        }
    }
    ck_abort_msg("there is no %s", name);
}

/* MC146818A: the periodic interrupt at 1024 Hz (rate 6); reading register C lowers the
 * line. */
static void enable_periodic_interrupt(void)
{
    rtc_write(0xa, 0x26);
    rtc_write(0xb, rtc_read(0xb) | 0x40);
    rtc_read(0xc);
}

START_TEST(test_intercept_out)
{
    static const char *const cases[][2] = {
        {"irq_intercept_in nobody", "FAIL Unknown device"},
    };
    char path[64], pic[64];
    g_autofree char *again = NULL, *other = NULL;

    find_device("mc146818rtc", path, sizeof(path));
    find_device("isa-i8259", pic, sizeof(pic));
    CHECK_REPLIES(cases);
    qtest_client_intercept(client, path, true);
    again = qtest_client_command(client, "irq_intercept_out %s", path);
    ck_assert_str_eq(again, "OK");
    other = qtest_client_command(client, "irq_intercept_out %s", pic);
    ck_assert_str_eq(other, "FAIL IRQ intercept already enabled");

    enable_periodic_interrupt();
    ck_assert(!qtest_client_irq(client, 0));
    qtest_client_clock_step(client, 1000000);
    ck_assert(qtest_client_irq(client, 0));
    /* It goes on to where it is wired: the second 8259A's request register has line 8. */
    qtest_client_out(client, 0xa0, 1, 0x0a);
    ck_assert_uint_eq(qtest_client_in(client, 0xa0, 1) & 1, 1);
    ck_assert_uint_eq(rtc_read(0xc) & 0xc0, 0xc0);
    ck_assert(!qtest_client_irq(client, 0));
}
END_TEST

START_TEST(test_intercept_in)
{
    g_autofree char *raise = NULL, *lower = NULL, *pin = NULL, *named = NULL,
                    *after = NULL;
    char path[64];

    find_device("isa-i8259", path, sizeof(path)); /* the first is the one at 0x20 */
    qtest_client_intercept(client, path, false);
    qtest_client_out(client, 0x20, 1, 0x0a); /* reads give the request register */

    /* The order on the wire: the line goes before the reply of the command behind it. */
    qtest_client_send(client, "endianness\n", 11);
    after = qtest_client_line(client);
    ck_assert_str_eq(after, "OK little");
    raise = g_strdup_printf("set_irq_in %s unnamed-gpio-in 3 1\n", path);
    qtest_client_send(client, raise, strlen(raise));
    g_free(raise);
    raise = qtest_client_line(client);
    ck_assert_str_eq(raise, "IRQ raise 3");
    lower = qtest_client_line(client);
    ck_assert_str_eq(lower, "OK");
    ck_assert_uint_eq(qtest_client_in(client, 0x20, 1) & 0x08, 0x08);

    pin = qtest_client_command(client, "set_irq_in %s unnamed-gpio-in 8 1", path);
    ck_assert_str_eq(pin, "FAIL Unknown pin");
    named = qtest_client_command(client, "set_irq_in %s other 0 1", path);
    ck_assert_str_eq(named, "FAIL Unknown pin");
}
END_TEST

/* -- The stream ------------------------------------------------------------------ */

START_TEST(test_pieces)
{
    const char *command = "readb 0xfffffff0\n";

    for (const char *byte = command; *byte; byte++) {
        qtest_client_send(client, byte, 1);
        g_usleep(1000);
    }
    {
        g_autofree char *reply = qtest_client_reply(client);

        ck_assert_str_eq(reply, "OK 0x00000000000000ea");
    }
}
END_TEST

START_TEST(test_pipeline)
{
    g_autoptr(GString) all = g_string_new(NULL);
    const unsigned count = 5000;

    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(all, "writel 0x3000 %u\nreadl 0x3000\n", i);
    }
    qtest_client_send(client, all->str, all->len);
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *written = qtest_client_reply(client);
        g_autofree char *read = qtest_client_reply(client);
        g_autofree char *wanted = g_strdup_printf("OK 0x%016x", i);

        ck_assert_str_eq(written, "OK");
        ck_assert_str_eq(read, wanted);
    }
}
END_TEST

/* More answers than sockets and buffers hold, to a harness that reads them late. */
START_TEST(test_late_reader)
{
    const unsigned count = 8;
    const size_t length = 2 * 1024 * 1024;

    for (unsigned i = 0; i < count; i++) {
        g_autofree char *line = g_strdup_printf("memset 0x%x 0x%zx %u\nread 0x%x 0x%zx\n",
                                                0x100000, length, i, 0x100000, length);

        qtest_client_send(client, line, strlen(line));
    }
    g_usleep(200000);
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *done = qtest_client_reply(client);
        g_autofree char *data = qtest_client_reply(client);

        ck_assert_str_eq(done, "OK");
        ck_assert_uint_eq(strlen(data), strlen("OK 0x") + 2 * length);
        ck_assert_int_eq(data[strlen(data) - 1], '0' + (int)i);
    }
}
END_TEST

START_TEST(test_long_lines)
{
    const size_t mebibyte = 1024 * 1024;
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *unknown = NULL, *written = NULL, *nul = NULL, *good = NULL;

    /* One that means nothing gets an error that is no book. */
    g_string_set_size(line, mebibyte);
    memset(line->str, 'x', mebibyte);
    g_string_append_c(line, '\n');
    qtest_client_send(client, line->str, line->len);
    unknown = qtest_client_reply(client);
    ck_assert(g_str_has_prefix(unknown, "FAIL Unknown command 'xxx"));
    ck_assert_uint_lt(strlen(unknown), 400);

    /* One that means something works. */
    g_string_assign(line, "write 0x200000 0x80000 0x");
    for (size_t i = 0; i < 0x80000; i++) {
        g_string_append(line, "a5");
    }
    g_string_append_c(line, '\n');
    qtest_client_send(client, line->str, line->len);
    written = qtest_client_reply(client);
    ck_assert_str_eq(written, "OK");
    ck_assert_uint_eq(qtest_client_read(client, 0x27fff8, 8), 0xa5a5a5a5a5a5a5a5);

    qtest_client_send(client, "in\0b 0x70\n", 10);
    nul = qtest_client_reply(client);
    ck_assert_str_eq(nul, "FAIL The line has a NUL byte");
    good = qtest_client_command(client, "endianness");
    ck_assert_str_eq(good, "OK little");
}
END_TEST

START_TEST(test_endless_line)
{
    const size_t piece = 1024 * 1024;
    g_autofree char *text = g_malloc(piece);
    g_autofree char *error = NULL, *good = NULL;

    memset(text, 'y', piece);
    for (int i = 0; i < 70; i++) {
        qtest_client_send(client, text, piece);
    }
    error = qtest_client_reply(client);
    ck_assert_str_eq(error, "FAIL The line is too long");
    qtest_client_send(client, "\n", 1);
    good = qtest_client_command(client, "endianness");
    ck_assert_str_eq(good, "OK little");
}
END_TEST

START_TEST(test_reset)
{
    g_autofree char *after = NULL;

    rtc_write(0xb, 0x42);
    qtest_client_write(client, 0x1000, 4, 0x12345678);
    qtest_client_out(client, 0xcf9, 1, 0x06);
    /* RAM stays, devices start anew; the virtual clock goes on from where it was. */
    ck_assert_uint_eq(qtest_client_read(client, 0x1000, 4), 0x12345678);
    ck_assert_uint_eq(rtc_read(0xb) & 0x40, 0);
}
END_TEST

/* -- Connections ----------------------------------------------------------------- */

static char *directory;

static char *path_in_directory(const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static void setup_directory(void)
{
    directory = g_dir_make_tmp("umbra-qtest-XXXXXX", NULL);
}

static void teardown_directory(void)
{
    static const char *const names[] = {"qtest", "qmp", "log"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_in_directory(names[i]);

        g_remove(path);
    }
    g_rmdir(directory);
    g_clear_pointer(&directory, g_free);
}

static void address_of(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    g_strlcpy(address->sun_path, path, sizeof(address->sun_path));
}

static int listen_at(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address_of(&address, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address_of(&address, path);
    for (int tries = 0; tries < 500; tries++) {
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
            return fd;
        }
        g_usleep(10000);
    }
    ck_abort_msg("cannot connect to %s", path);
    return -1;
}

static char *ask(int fd, const char *line)
{
    char buffer[256];
    ssize_t got = 0, more = 1;

    ck_assert_int_eq(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
    while (more > 0 && (got == 0 || buffer[got - 1] != '\n')) {
        more = recv(fd, buffer + got, sizeof(buffer) - 1 - (size_t)got, 0);
        got += MAX(more, 0);
    }
    return g_strndup(buffer, (gsize)got);
}

/* The emulator comes to both sockets as libqtest wants it, and logs as QEMU does. */
START_TEST(test_libqtest_command_line)
{
    g_autofree char *qtest_path = path_in_directory("qtest");
    g_autofree char *qmp_path = path_in_directory("qmp");
    g_autofree char *log_path = path_in_directory("log");
    int qtest_listener = listen_at(qtest_path), qmp_listener = listen_at(qmp_path);
    g_autofree char *arguments =
        g_strdup_printf("-qtest unix:%s -qtest-log %s -chardev socket,path=%s,id=char0 "
                        "-mon chardev=char0,mode=control -display none -audio none "
                        "-machine pc -nodefaults -accel qtest",
                        qtest_path, log_path, qmp_path);
    g_autofree char *reply = NULL, *greeting = NULL, *log = NULL;
    char buffer[16];
    int qtest_fd, qmp_fd;

    client = qtest_client_new_on(arguments, -1, -1);
    qtest_fd = accept(qtest_listener, NULL, NULL);
    qmp_fd = accept(qmp_listener, NULL, NULL);
    reply = ask(qtest_fd, "inb 0x71\n");
    ck_assert(g_str_has_prefix(reply, "OK 0x00"));
    ck_assert_int_gt(recv(qmp_fd, buffer, 8, 0), 0);
    ck_assert_int_eq(memcmp(buffer, "{\"QMP\":", 7), 0);
    close(qtest_fd);
    close(qmp_fd);
    close(qtest_listener);
    close(qmp_listener);
    qtest_client_free(client); /* it lives on without its harness */

    ck_assert(g_file_get_contents(log_path, &log, NULL, NULL));
    ck_assert(g_regex_match_simple("^\\[I 0\\.\\d{6}\\] OPENED\n"
                                   "\\[R \\+\\d+\\.\\d{6}\\] inb 0x71\n"
                                   "\\[S \\+\\d+\\.\\d{6}\\] OK 0x00[0-9a-f]{2}\n"
                                   "\\[I \\+\\d+\\.\\d{6}\\] CLOSED\n$",
                                   log, 0, 0));
}
END_TEST

/* A harness that dies in the middle of a line, and one that never reads, leave the server
 * ready for the next. */
START_TEST(test_dead_harness)
{
    g_autofree char *path = path_in_directory("qtest");
    g_autofree char *arguments =
        g_strdup_printf("-M pc -m 16 -nodefaults -qtest-log none "
                        "-qtest unix:%s,server=on,wait=off",
                        path);
    g_autofree char *reply = NULL, *last = NULL;
    int fd;

    client = qtest_client_new_on(arguments, -1, -1);
    fd = connect_to(path);
    ck_assert_int_eq(send(fd, "writeb 0x1000 0x77\nreadl 0x10", 29, MSG_NOSIGNAL), 29);
    close(fd);

    fd = connect_to(path);
    reply = ask(fd, "readb 0x1000\n");
    ck_assert_str_eq(reply, "OK 0x0000000000000077\n");
    for (int i = 0; i < 4; i++) {
        static const char read_much[] = "read 0x100000 0x200000\n";

        ck_assert_int_gt(send(fd, read_much, strlen(read_much), MSG_NOSIGNAL), 0);
    }
    g_usleep(50000);
    close(fd);

    fd = connect_to(path);
    last = ask(fd, "endianness\n");
    ck_assert_str_eq(last, "OK little\n");
    close(fd);
    qtest_client_free(client);
}
END_TEST

/* Beside an accelerator with a clock of its own, the harness has no say over time. */
START_TEST(test_other_accelerator)
{
    g_autofree char *path = path_in_directory("qtest");
    g_autofree char *arguments =
        g_strdup_printf("-accel x86emu -M pc,accel=x86emu -m 16 -nodefaults -S "
                        "-qtest-log none -qtest unix:%s,server=on,wait=off",
                        path);
    g_autofree char *program =
        g_strdup_printf("'%s' -display none %s", g_getenv("UMBRA_SYSTEM"), arguments);
    g_autofree char *refused = NULL, *works = NULL;
    g_auto(GStrv) argv = NULL;
    GPid pid;
    int fd;

    ck_assert(g_shell_parse_argv(program, NULL, &argv, NULL));
    ck_assert(g_spawn_async(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &pid, NULL));
    fd = connect_to(path);
    refused = ask(fd, "clock_step 1\n");
    works = ask(fd, "readb 0xfffffff0\n");
    kill(pid, SIGTERM);
    ck_assert_str_eq(refused, "FAIL Unknown command 'clock_step'\n");
    ck_assert_str_eq(works, "OK 0x00000000000000ea\n");
    close(fd);
}
END_TEST

START_TEST(test_client_helpers)
{
    static const uint8_t bytes[] = {0, 1, 2, 0xfe, 0xff};
    uint8_t back[sizeof(bytes)];
    g_autofree char *status = qtest_client_hmp(client, "info status");
    g_autoptr(JsonNode) answer = qtest_client_qmp(client, "{\"execute\": \"quit\"}");

    ck_assert_ptr_nonnull(strstr(status, "VM status: running"));
    ck_assert(json_object_has_member(json_node_get_object(answer), "return"));
    ck_assert_int_eq(qtest_client_wait(client), 0);
    qtest_client_free(client);

    setup();
    qtest_client_write_bytes(client, 0x5001, bytes, sizeof(bytes));
    qtest_client_read_bytes(client, 0x5001, back, sizeof(back));
    ck_assert_mem_eq(bytes, back, sizeof(bytes));
}
END_TEST

/* -- What -boot leaves in CMOS, as QEMU 7.2's boot-order-test.c has it -- */

static const struct {
    const char *options;
    unsigned first, after_reset; /* CMOS 0x38, and 0x3d above it */
} boot_orders[] = {
    {"", 0x1230, 0x1230},
    {"-no-fd-bootchk", 0x1231, 0x1231},
    {"-boot nda", 0x3410, 0x3410},
    {"-boot order= -boot order=c", 0x0200, 0x0200},
    {"-boot once=a -no-fd-bootchk", 0x0101, 0x1231},
    {"-boot once=d -boot order=nda", 0x0300, 0x3410},
};

static unsigned read_boot_order(void)
{
    return rtc_read(0x38) | rtc_read(0x3d) << 8;
}

START_TEST(test_boot_order)
{
    g_autofree char *arguments =
        g_strdup_printf("-M pc -nodefaults -S %s", boot_orders[_i].options);

    client = qtest_client_new(arguments);
    ck_assert_uint_eq(read_boot_order(), boot_orders[_i].first);
    for (int resets = 0; resets < 2; resets++) {
        g_autoptr(JsonNode) answer =
            qtest_client_qmp(client, "{\"execute\": \"system_reset\"}");

        ck_assert(json_object_has_member(json_node_get_object(answer), "return"));
        ck_assert_uint_eq(read_boot_order(), boot_orders[_i].after_reset);
    }
    qtest_client_free(client);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("qtest");
    TCase *commands = tcase_create("commands");
    TCase *connections = tcase_create("connections");

    tcase_add_checked_fixture(commands, setup, teardown);
    tcase_set_timeout(commands, 60);
    tcase_add_test(commands, test_memory);
    tcase_add_test(commands, test_ports);
    tcase_add_test(commands, test_malformed);
    tcase_add_test(commands, test_clock);
    tcase_add_test(commands, test_intercept_out);
    tcase_add_test(commands, test_intercept_in);
    tcase_add_test(commands, test_pieces);
    tcase_add_test(commands, test_pipeline);
    tcase_add_test(commands, test_late_reader);
    tcase_add_test(commands, test_long_lines);
    tcase_add_test(commands, test_endless_line);
    tcase_add_test(commands, test_reset);
    tcase_add_test(commands, test_client_helpers);
    suite_add_tcase(s, commands);

    tcase_add_checked_fixture(connections, setup_directory, teardown_directory);
    tcase_set_timeout(connections, 60);
    tcase_add_test(connections, test_libqtest_command_line);
    tcase_add_test(connections, test_dead_harness);
    tcase_add_test(connections, test_other_accelerator);
    tcase_add_loop_test(connections, test_boot_order, 0, G_N_ELEMENTS(boot_orders));
    suite_add_tcase(s, connections);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
