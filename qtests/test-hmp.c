/*
 * HMP over a real socket and a real terminal. What commands answer is what QEMU 7.2.22
 * answers, with the same bytes in memory.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "monitor-machine.h"

#include <termios.h>

#include "machine/monitor/hmp.h"

#define PROMPT "(qemu) "
#define BANNER "Umbra 0.1.0 monitor - type 'help' for more information\r\n" PROMPT

/* -- Commands, one by one -------------------------------------------------------- */

static const struct {
    const char *line, *answer;
} answers[] = {
    {"", ""},
    {"   ", ""},
    {"foo", "unknown command: 'foo'\n"},
    {"info foo", "unknown command: 'info foo'\n"},
    {"help foo", "unknown command: 'foo'\n"},
    {"help x", "x /fmt addr -- virtual memory dump starting at 'addr'\n"},
    {"info irq", ""}, /* no controllers, one processor */
    {"info pic", ""},
    {"info lapic", "local apic state not available\n"},
    {"info lapic 0", "local apic state not available\n"},
    {"info lapic 1", "No CPU available\n"},
    {"help info lapic", "info lapic [apic-id] -- show local apic state (apic-id: local apic to "
                        "read, default is which of current CPU)\n"},
    {"help quit", "quit|q  -- quit the emulator\n"},
    {"help stop", "stop|s  -- stop emulation\n"},
    {"? info mtree",
     "info mtree [-f][-d][-o][-D] -- show memory tree (-f: dump flat view for address "
     "spaces;-d: dump dispatch tree, valid with -f only);-o: dump region "
     "owners/parents;-D: dump disabled regions\n"},
    {"x", "unexpected end of expression\nTry \"help x\" for more information\n"},
    {"xp /4xb 0xffff0", "00000000000ffff0: 0xea 0x5b 0xe0 0x00\n"},
    {"xp/4xb 0xffff0", "00000000000ffff0: 0xea 0x5b 0xe0 0x00\n"},
    {"x /4xb 0xffff0", "00000000000ffff0: 0xea 0x5b 0xe0 0x00\n"},
    {"xp /4dw 0xffff0",
     "00000000000ffff0:   14703594  792080624  959394610   16515129\n"},
    {"xp /4uh 0xffff0", "00000000000ffff0: 23530   224 12528 12086\n"},
    {"xp /4ob 0xffff0", "00000000000ffff0: 0352 0133 0340   0\n"},
    {"xp /4ch 0xffff0",
     "00000000000ffff0: '\\xea' '[' '\\xe0' '\\x00' '\\xf0' '0' '6' '/'\n"},
    {"xp /9cb 0xffff0",
     "00000000000ffff0: '\\xea' '[' '\\xe0' '\\x00' '\\xf0' '0' '6' '/'\n"
     "00000000000ffff8: '2'\n"},
    {"xp /2xg 0xffff0", "00000000000ffff0: 0x2f3630f000e05bea 0x00fc0039392f3332\n"},
    {"xp /2dg 0xffff0", "00000000000ffff0:  3401960375889976298    70931939903615794\n"},
    {"xp /2og 0xffff0",
     "00000000000ffff0: 0274661417000070055752   03740003447113631462\n"},
    {"xp /4db 0xffff0", "00000000000ffff0: 234  91 224   0\n"},
    {"xp /9dh 0", "0000000000000000:     0     0     0     0     0     0     0     0\n"
                  "0000000000000010:     0\n"},
    {"xp /8xw 0xffff0", "00000000000ffff0: 0x00e05bea 0x2f3630f0 0x392f3332 0x00fc0039\n"
                        "0000000000100000: Cannot access memory\n"},
    {"xp /2xw ~0", "ffffffffffffffff: Cannot access memory\n"},
    {"xp /0xb 0", ""},
    {"xp /99999999xg 0", "that is more than 16 MiB; pmemsave writes it to a file\n"},
    {"xp /s 0", "invalid char in format: 's'\nTry \"help xp\" for more information\n"},
    {"xp /4xb zz",
     "invalid char 'z' in expression\nTry \"help xp\" for more information\n"},
    {"xp /4xb 1+2*3", "0000000000000007: 0x00 0x00 0x00 0x00\n"},
    {"xp /4xb (1+2", "')' expected\nTry \"help xp\" for more information\n"},
    {"xp /4xb $foo", "unknown register\nTry \"help xp\" for more information\n"},
    {"xp /2xw 5/0", "division by zero\nTry \"help xp\" for more information\n"},
    {"xp /2xw 10 * 4 + -1", "0000000000000027: 0x00000000 0x00000000\n"},
    {"x /4xb 0xffff0 7", "x: extraneous characters at the end of line\n"
                         "Try \"help x\" for more information\n"},
    {"print 1+2", "0x3\n"},
    {"p /x -1", "0xffffffffffffffff\n"},
    {"p /d -1", "-1\n"},
    {"p /u -1", "18446744073709551615\n"},
    {"p /o 8", "010\n"},
    {"p /c 65", "'A'\n"},
    {"p /x 'a'", "0x61\n"},
    {"p /x 0x10 | 0x01", "0x11\n"},
    {"p /x 99999999999999999999",
     "number too large\nTry \"help p\" for more information\n"},
    {"p 1 == 1", "print|p: extraneous characters at the end of line\n"
                 "Try \"help p\" for more information\n"},
    {"p /x $eip", "0xfff0\n"},
    {"p /x $cs", "0xf000\n"},
    {"p /x $pc", "0xfffffff0\n"},
    {"p /x $eflags", "0x2\n"},
    {"sum 0xffff0 16", "54987\n"},
    {"sum 0 0", "00000\n"},
    {"sum 0xffff0",
     "unexpected end of expression\nTry \"help sum\" for more information\n"},
    {"i /b 0x80", "portb[0x0080] = 0x11\n"},
    {"i /h 0x82", "portw[0x0082] = 0x4433\n"},
    {"i 0x80", "portl[0x0080] = 0x44332211\n"},
    {"i /b 0x80.5", "portb[0x0081] = 0x22\n"},
    {"i /b 0x1234", "portb[0x1234] = 0xff\n"},
    {"o /b 0x80", "unexpected end of expression\nTry \"help o\" for more information\n"},
    {"o /z 0x80 1", "invalid char in format: 'z'\nTry \"help o\" for more information\n"},
    {"info name", "guest\n"},
    {"info kvm", "kvm support: disabled\n"},
    {"info status", "VM status: paused (prelaunch)\n"},
    {"info uuid", "00000000-0000-0000-0000-000000000000\n"},
    {"info registers 3", "CPU#3 not available\n"},
    {"info mtree -z", "mtree: unsupported option -z\n"
                      "Try \"help info mtree\" for more information\n"},
    {"info mtree -f x", "mtree: extraneous characters at the end of line\n"
                        "Try \"help info mtree\" for more information\n"},
    {"info ramblock",
     "              Block Name    PSize              Offset               Used"
     "              Total\n"
     "                  pc.ram    4 KiB  0x0000000000000000 0x0000000000100000 "
     "0x0000000000100000\n"},
    {"memsave 0 16 /tmp/x",
     "invalid char 't' in expression\nTry \"help memsave\" for more information\n"},
    {"pmemsave 0 16", "pmemsave: string expected\n"
                      "Try \"help pmemsave\" for more information\n"},
    {"memsave 0 16 \"unterminated", "unterminated string\nmemsave: string expected\n"
                                    "Try \"help memsave\" for more information\n"},
    {"pmemsave 0 16 \"/nonexistent/x\"",
     "Error: Could not open '/nonexistent/x': No such file or directory\n"},
    {"memsave 0x100000000 16 \"/dev/null\"",
     "Error: Invalid addr 0x0000000100000000/size 16 specified\n"},
    {"sendkey", "sendkey: string expected\nTry \"help sendkey\" for more information\n"},
    {"device_add", "Error: Parameter 'driver' is missing\n"},
    {"device_del foo", "Error: Device 'foo' not found\n"},
    {"system_wakeup", "Error: Unable to wake up: guest is not in suspended state\n"},
    {"stop foo", "stop|s: extraneous characters at the end of line\n"
                 "Try \"help stop\" for more information\n"},
    {"cpu 0", ""},
    {"cpu 1", "invalid CPU index\n"},
    {"qom-list", "/\n"},
    {"qom-list /foo", "Error: Device '/foo' not found\n"},
    {"qom-get /machine type", "\"small-machine\"\n"},
    {"qom-get /machine foo", "Error: Property 'small-machine.foo' not found\n"},
};

START_TEST(test_answer)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Hmp hmp;

    make_machine(MONITOR_HMP, NULL);
    hmp_init(&hmp, out);
    hmp_run(&hmp, answers[_i].line);
    ck_assert_str_eq(out->str, answers[_i].answer);
    unlink(socket_path);
}
END_TEST

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

START_TEST(test_help_lists_once)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    guint count;

    make_machine(MONITOR_HMP, NULL);
    text = hmp_execute("help info");
    lines = g_strsplit(text, "\n", -1);
    count = g_strv_length(lines);
    ck_assert_uint_gt(count, 20);
    qsort(lines, count, sizeof(*lines), compare_lines);
    for (guint i = 1; i < count; i++) {
        ck_assert_str_ne(lines[i - 1], lines[i]);
    }
    unlink(socket_path);
}
END_TEST

START_TEST(test_format_is_kept)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Hmp hmp;

    make_machine(MONITOR_HMP, NULL);
    hmp_init(&hmp, out);
    hmp_run(&hmp, "xp 0xffff0");
    hmp_run(&hmp, "xp /2uh 0xffff0");
    hmp_run(&hmp, "xp 0xffff0");
    ck_assert_str_eq(out->str, "00000000000ffff0: 0x00e05bea\n"
                               "00000000000ffff0: 23530   224\n"
                               "00000000000ffff0: 23530\n");
    unlink(socket_path);
}
END_TEST

START_TEST(test_ports_and_files)
{
    g_autofree char *path =
        g_strdup_printf("%s/umbra-save-%d", g_get_tmp_dir(), (int)getpid());
    g_autofree char *line = g_strdup_printf("pmemsave 0xffff0 16 \"%s\"", path);
    g_autofree char *text = NULL, *contents = NULL;
    gsize length;

    make_machine(MONITOR_HMP, NULL);
    g_free(hmp_execute("o /b 0x80 0x155"));
    ck_assert_uint_eq(port_written, 0x55);
    text = hmp_execute(line);
    ck_assert_str_eq(text, "");
    ck_assert(g_file_get_contents(path, &contents, &length, NULL));
    ck_assert_uint_eq(length, 16);
    ck_assert_mem_eq(contents, known_bytes, 16);
    unlink(path);
    unlink(socket_path);
}
END_TEST

/* Lines of all sizes and depths end in an answer. */
START_TEST(test_hostile_lines)
{
    g_autoptr(GString) line = g_string_new("p ");
    g_autofree char *deep = NULL, *noise = NULL;
    GRand *random = g_rand_new_with_seed(7);

    make_machine(MONITOR_HMP, NULL);
    for (int i = 0; i < 100000; i++) {
        g_string_append_c(line, '(');
    }
    deep = hmp_execute(line->str);
    ck_assert_str_eq(deep, "expression nests too deeply\r\n"
                           "Try \"help p\" for more information\r\n");
    for (int i = 0; i < 20000; i++) {
        static const char *const words[] = {"x", "/", "8",  "0", "xw",   " ",
                                            "-", "$", "\"", "(", "info", "mtree",
                                            "p", "i", ".",  "'", "sum",  "\\"};
        g_autoptr(GString) text = g_string_new(NULL);

        for (int n = g_rand_int_range(random, 1, 12); n > 0; n--) {
            g_string_append(text,
                            words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))]);
        }
        if (!strstr(text->str, "888") && !strstr(text->str, "sum")) {
            g_free(hmp_execute(text->str));
        }
    }
    g_rand_free(random);
    unlink(socket_path);
}
END_TEST

/* -- Over a socket --------------------------------------------------------------- */

static void expect(int fd, const char *line, const char *answer)
{
    g_autofree char *expected = g_strconcat("\r\n", answer, PROMPT, NULL);
    g_autofree char *got = NULL;

    send_text(fd, line);
    got = read_until(fd, PROMPT);
    ck_assert_str_eq(got, expected);
}

static gpointer socket_client(gpointer data)
{
    int fd = connect_client();
    g_autofree char *banner = read_until(fd, PROMPT), *twice = NULL, *last = NULL;
    g_autofree char *long_line = g_malloc(1024 * 1024 + 1);

    ck_assert_str_eq(banner, BANNER);
    expect(fd, "info status\n", "VM status: paused (prelaunch)\r\n");
    expect(fd, "info status\r\n", "VM status: paused (prelaunch)\r\n");
    expect(fd, "cont\n", "");
    expect(fd, "info status\r", "VM status: running\r\n");
    expect(fd, "stop\n", "");
    expect(fd, "info status\n", "VM status: paused\r\n");
    expect(fd, "c\n", "");
    expect(fd, "s\n", "");
    send_text(fd, "info name\np /d 7\n"); /* two at once */
    twice = read_until(fd, "7\r\n" PROMPT);
    ck_assert_str_eq(twice, "\r\nguest\r\n" PROMPT "\r\n7\r\n" PROMPT);
    memset(long_line, 'x', 1024 * 1024);
    long_line[1024 * 1024] = '\n';
    send_all(fd, long_line, 1024 * 1024 + 1);
    g_free(read_until(fd, PROMPT));
    expect(fd, "p /d 8\n", "8\r\n");
    close(fd);
    fd = connect_client(); /* the next one finds a fresh monitor */
    g_free(banner);
    banner = read_until(fd, PROMPT);
    ck_assert_str_eq(banner, BANNER);
    send_text(fd, "quit\n");
    last = read_until(fd, "\r\n");
    ck_assert_str_eq(last, "\r\n");
    return NULL;
}

START_TEST(test_socket)
{
    make_machine(MONITOR_HMP, NULL);
    run_with_client(socket_client);
}
END_TEST

/* A client that asks and asks and reads nothing is not read from any more; when it reads,
 * it gets every answer. */
static gpointer greedy_client(gpointer data)
{
    int fd = connect_client();
    int asked = 0, answered = 0;
    const char line[] = "help\n";
    g_autoptr(GString) all = g_string_new(NULL);

    g_free(read_until(fd, PROMPT));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (gint64 end = g_get_monotonic_time() + G_USEC_PER_SEC / 2;
         asked <= 100 || g_get_monotonic_time() < end;) {
        if (write(fd, line, sizeof(line) - 1) == sizeof(line) - 1) {
            asked++;
        } else {
            g_usleep(1000);
        }
    }
    fcntl(fd, F_SETFL, 0);
    while (answered < asked) {
        g_autofree char *text = read_until(fd, PROMPT);

        for (char *p = text; (p = strstr(p, PROMPT)); p++) {
            answered++;
        }
    }
    ck_assert_int_eq(answered, asked);
    ck_assert_int_gt(asked, 100);
    send_text(fd, "quit\n");
    close(fd);
    return NULL;
}

START_TEST(test_greedy_client)
{
    make_machine(MONITOR_HMP, NULL);
    run_with_client(greedy_client);
}
END_TEST

/* -- On a terminal --------------------------------------------------------------- */

static char *terminal_path;

/* What `keys` bring out, up to the next prompt that ends the output, after `answer`. */
static void type(int fd, const char *keys, const char *answer)
{
    g_autofree char *got = NULL, *end = g_strconcat("\r\n", answer, PROMPT, NULL);

    send_text(fd, keys);
    got = read_until(fd, end);
}

static gpointer terminal_client(gpointer data)
{
    int fd = open(terminal_path, O_RDWR | O_NOCTTY);
    struct pollfd gone = {.fd = fd};
    g_autofree char *list = NULL;

    g_free(read_until(fd, BANNER));
    type(fd, "p /d 1+2\r", "3\r\n");
    type(fd,
         "p /d 12\x7f\x7f"
         "34\r",
         "34\r\n");                            /* backspace */
    type(fd, "p /d 14\033[D23\r", "1234\r\n"); /* left, insert */
    type(fd,
         "/d 9\001p \005"
         "1\r",
         "91\r\n");                              /* Ctrl-A, Ctrl-E */
    type(fd, "p /d 12\033[D\033[3~\r", "1\r\n"); /* delete */
    type(fd, "\033[A\033[A\r", "91\r\n");        /* up, up */
    type(fd, "\020\020\016\r", "91\r\n");        /* Ctrl-P, Ctrl-N */
    type(fd, "rubbish\025p /d 5\r", "5\r\n");    /* Ctrl-U */
    type(fd, "p /d 6 rubbish\027\r", "6\r\n");   /* Ctrl-W */
    type(fd, "p /d 7x\033[D\013\r", "7\r\n");    /* Ctrl-K */
    type(fd, "rubbish\003p /d 8\r", "8\r\n");    /* Ctrl-C */
    type(fd, "inf\tstat\t\r", "VM status: paused (prelaunch)\r\n");
    send_text(fd, "sys\tr"); /* as far as all agree; */
    g_free(read_until(fd, "system_r\033[K"));
    send_text(fd, "\x7f\t"); /* then the choice is shown */
    list = read_until(fd, "(qemu) system_\033[K");
    g_free(list);
    send_text(fd, "\t");
    list = read_until(fd, "(qemu) system_\033[K");
    ck_assert_ptr_nonnull(strstr(list, "\r\nsystem_powerdown\r\nsystem_reset\r\n"
                                       "system_wakeup\r\n"));
    send_text(fd, "\003quit\r");
    poll(&gone, 1, 5000); /* a terminal whose other side closes hangs up */
    ck_assert(gone.revents & POLLHUP);
    close(fd);
    return NULL;
}

static gboolean find_terminal(gpointer data)
{
    g_autofree char *text = chardev_describe(chardev_find("mon0"));

    terminal_path = g_strdup(strchr(text, '/'));
    return G_SOURCE_REMOVE;
}

START_TEST(test_terminal)
{
    make_machine(MONITOR_HMP, "pty");
    find_terminal(NULL);
    run_with_client(terminal_client);
}
END_TEST

/* mon:stdio and the like: silent until the user turns to it, and the prompt once more
 * each time. */
static CharFrontend serial;
static GString *serial_got;

static void serial_receive(void *opaque, const uint8_t *buffer, size_t length)
{
    g_string_append_len(serial_got, (const char *)buffer, (gssize)length);
}

static gpointer mux_client(gpointer data)
{
    int fd = connect_client();
    g_autofree char *banner = NULL;

    send_text(fd, "abc\001c");
    banner = read_until(fd, PROMPT);
    ck_assert_str_eq(banner, BANNER); /* the first that comes */
    expect(fd, "p /d 1\n", "1\r\n");
    send_text(fd, "\001cdef\001c");
    g_free(read_until(fd, "\r\n" PROMPT));
    ck_assert_str_eq(serial_got->str, "abcdef");
    send_text(fd, "quit\n");
    close(fd);
    return NULL;
}

START_TEST(test_mux)
{
    g_autofree char *text = NULL;
    GError *error = NULL;

    socket_path = g_strdup_printf("%s/umbra-monitor-%d", g_get_tmp_dir(), (int)getpid());
    text = g_strdup_printf("mon:unix:%s,server=on,wait=off", socket_path);
    make_machine(MONITOR_HMP, text);
    serial_got = g_string_new(NULL);
    serial.receive = serial_receive;
    ck_assert(char_frontend_connect(&serial, chardev_find("mon0"), &error));
    run_with_client(mux_client);
}
END_TEST

static const struct {
    const char *text, *message;
} bad_mons[] = {
    {"foo", "chardev \"foo\" not found; define it with -chardev BACKEND,id=foo"},
    {"mode=control", "-mon needs a chardev; add chardev=ID"},
    {"n,mode=maybe", "-mon: the mode is 'readline' (HMP) or 'control' (QMP)"},
    {"n,pretty=maybe", "Parameter 'pretty' expects 'on' or 'off'"},
    {"n,pretty=on", "'pretty' is not compatible with HMP monitors"},
};

START_TEST(test_mon)
{
    make_machine(MONITOR_HMP, "null");
    ck_assert_ptr_nonnull(chardev_new_from_options("null,id=n", NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad_mons); i++) {
        g_autoptr(GError) error = NULL;

        ck_assert(!monitor_add_from_text(bad_mons[i].text, &error));
        ck_assert_str_eq(error->message, bad_mons[i].message);
    }
    ck_assert(monitor_add_from_text("chardev=n,mode=readline", NULL));
    monitor_cleanup();
    chardev_cleanup();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hmp");
    TCase *tcase = tcase_create("hmp");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, test_answer, 0, G_N_ELEMENTS(answers));
    tcase_add_test(tcase, test_help_lists_once);
    tcase_add_test(tcase, test_format_is_kept);
    tcase_add_test(tcase, test_ports_and_files);
    tcase_add_test(tcase, test_hostile_lines);
    tcase_add_test(tcase, test_socket);
    tcase_add_test(tcase, test_greedy_client);
    tcase_add_test(tcase, test_terminal);
    tcase_add_test(tcase, test_mux);
    tcase_add_test(tcase, test_mon);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
