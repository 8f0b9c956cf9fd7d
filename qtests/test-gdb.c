/*
 * The GDB stub, spoken to over a real socket while the software CPU runs a small program:
 * what each packet answers, by the manual's appendix E; breakpoints, watchpoints and
 * steps; packets that are wrong; a client that dies.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/gdb/stub.h"
#include "qtests/monitor-machine.h"

/* The program, at 0x1000 in real mode: */
static const uint8_t program[] = {
    0x40,                   /* 1000 inc ax */
    0x43,                   /* 1001 inc bx */
    0xa2, 0x00, 0x05,       /* 1002 mov [0x500], al */
    0x8a, 0x0e, 0x02, 0x05, /* 1005 mov cl, [0x502] */
    0xeb, 0xf5,             /* 1009 jmp 1000 */
};

static int fd;

static void start_machine(const char *accel)
{
    const char *const accels[] = {accel, NULL};
    const RunStatePolicy policy = {false, true};
    g_autofree char *text = NULL;
    GError *error = NULL;

    g_set_prgname("test");
    io_lock();
    socket_path = g_strdup_printf("%s/umbra-gdb-%d", g_get_tmp_dir(), (int)getpid());
    text = g_strdup_printf("unix:%s,server=on,wait=off", socket_path);
    machine_types_add(small_types);
    machine =
        machine_new(machine_type_find(NULL, NULL), accel_select(accels, NULL, &error));
    run_state_init(machine, &policy);
    ck_assert_msg(machine_build(machine, &error), "%s", error ? error->message : "");
    address_space_write(&machine->memory, 0x1000, MEMTXATTRS_UNSPECIFIED, program,
                        sizeof(program));
    run_state_reset(SYSTEM_CAUSE_NONE, "start");
    ck_assert_msg(gdb_stub_start(text, &error), "%s", error ? error->message : "");
}

static void run_test(const char *accel, gpointer (*client)(gpointer data))
{
    GThread *thread;

    start_machine(accel);
    thread = g_thread_new("client", client, NULL);
    ck_assert_int_eq(run_state_main_loop(), 0);
    gdb_stub_cleanup(0);
    chardev_cleanup();
    io_unlock();
    g_thread_join(thread);
    unlink(socket_path);
}

/* -- The client's side --------------------------------------------------------------- */

static void send_bytes(const char *body, size_t length)
{
    g_autoptr(GString) packet = g_string_new("$");
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++) {
        sum += (uint8_t)body[i];
    }
    g_string_append_len(packet, body, (gssize)length);
    g_string_append_printf(packet, "#%02x", sum);
    send_all(fd, packet->str, packet->len);
}

static char read_byte(void)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    char byte = 0;

    ck_assert_msg(poll(&poll_fd, 1, 10000) > 0, "no answer within ten seconds");
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    return byte;
}

/* One packet's body; its sum is checked. */
static char *read_packet(void)
{
    g_autoptr(GString) body = g_string_new(NULL);
    g_autoptr(GString) sum_text = g_string_new(NULL);
    uint8_t sum = 0;
    char byte;

    while ((byte = read_byte()) != '$') {
        ck_assert_int_eq(byte, '+');
    }
    while ((byte = read_byte()) != '#') {
        g_string_append_c(body, byte);
        sum += (uint8_t)byte;
    }
    g_string_append_c(sum_text, read_byte());
    g_string_append_c(sum_text, read_byte());
    ck_assert_uint_eq(strtoul(sum_text->str, NULL, 16), sum);
    send(fd, "+", 1, MSG_NOSIGNAL); /* the peer may be gone with it */
    return g_string_free(g_steal_pointer(&body), FALSE);
}

static char *ask(const char *body)
{
    send_bytes(body, strlen(body));
    return read_packet();
}

#define ck_answer(body, expected)                                                        \
    do {                                                                                 \
        g_autofree char *answer_ = ask(body);                                            \
        ck_assert_msg(strcmp(answer_, expected) == 0, "%s: '%s', not '%s'", body,        \
                      answer_, expected);                                                \
    } while (0)

static void quit(void)
{
    send_bytes("k", 1);
    close(fd);
}

/* CS 0 and EIP 0x1000; AX, BX 0. Registers by the numbers of GDB's i386.core. */
static void go_to_program(void)
{
    ck_answer("Pa=00000000", "OK");
    ck_answer("P8=00100000", "OK");
    ck_answer("P0=00000000", "OK");
    ck_answer("P3=00000000", "OK");
    ck_answer("Pc=00000000", "OK");
}

/* -- Registers and memory ------------------------------------------------------------ */

static gpointer registers_client(gpointer data)
{
    g_autofree char *all = NULL, *again = NULL, *changed = NULL;

    fd = connect_client();
    all = ask("g");
    /* 16 of 4 bytes, 8 of 10, 8 of 4, 8 of 16, MXCSR. */
    ck_assert_uint_eq(strlen(all), 2 * (16 * 4 + 8 * 10 + 8 * 4 + 8 * 16 + 4));
    /* After RESET#: EIP fff0, EFLAGS 2, CS f000 (SDM 3, table 9-1). */
    ck_assert_msg(strncmp(all + 2 * 32,
                          "f0ff0000"
                          "02000000"
                          "00f00000",
                          24) == 0,
                  "%s", all);

    ck_answer("P0=78563412", "OK");
    ck_answer("p0", "78563412");
    ck_answer("p8", "f0ff0000");
    /* In real mode a segment's base follows its selector; cs_base is number 41. */
    ck_answer("p29", "0000ffff");
    ck_answer("Pa=34120000", "OK");
    ck_answer("p29", "40230100");
    ck_answer("P20=000102030405060708090a0b0c0d0e0f", "OK");
    ck_answer("p20", "000102030405060708090a0b0c0d0e0f");
    /* fctrl, which QEMU resets as FNINIT does. */
    ck_answer("p18", "7f030000");

    again = ask("g");
    changed = g_strconcat("G", again, NULL);
    memcpy(changed + 1, "efbeadde", 8);
    ck_answer(changed, "OK");
    ck_answer("p0", "efbeadde");

    /* Wrong ones change nothing. */
    ck_answer("Gffffffff0", "E22");
    ck_answer("G", "E22");
    ck_answer("P0=12", "E22");
    ck_answer("P0=123456789a", "E22");
    ck_answer("P0=1234567x", "E22");
    ck_answer("P0", "E22");
    ck_answer("Pff=00000000", "E22");
    ck_answer("pff", "E22");
    ck_answer("p", "E22");
    ck_answer("pffffffffffffffffff", "E22");
    ck_answer("Pa=00000100", "E22"); /* 0x10000 is no selector */
    ck_answer("p0", "efbeadde");
    ck_answer("p29", "40230100");
    quit();
    return NULL;
}

START_TEST(test_registers)
{
    run_test("x86emu", registers_client);
}
END_TEST

START_TEST(test_registers_without_cpu)
{
    run_test("qtest", registers_client);
}
END_TEST

static gpointer memory_client(gpointer data)
{
    /* 23 '#', 7d '}', 24 '$' and 2a '*' travel as '}' and the byte xor 0x20. */
    static const char binary[] = "X600,5:}\x03}]}\x04}\x0aZ";
    static const char zeros[] = "X700,2:\0\0";

    fd = connect_client();
    ck_answer("m1000,4", "4043a200");
    ck_answer("M500,3:010203", "OK");
    ck_answer("m4ff,5", "0001020300");
    send_bytes(binary, sizeof(binary) - 1);
    g_free(read_packet());
    ck_answer("m600,6", "237d242a5a00");
    ck_answer("M700,2:ffff", "OK");
    send_bytes(zeros, sizeof(zeros) - 1);
    g_free(read_packet());
    ck_answer("m700,2", "0000");
    ck_answer("m500,0", "");
    ck_answer("M500,0:", "OK");
    /* QEMU's switch to physical addresses. */
    ck_answer("qqemu.PhyMemMode", "0");
    ck_answer("Qqemu.PhyMemMode:1", "OK");
    ck_answer("qqemu.PhyMemMode", "1");
    ck_answer("m500,3", "010203");

    ck_answer("m500", "E22");
    ck_answer("m500,", "E22");
    ck_answer("m,4", "E22");
    ck_answer("m500,4x", "E22");
    ck_answer("m500,2001", "E22"); /* more than a packet holds */
    ck_answer("mffffffffffffffff0,ffffffffffffffff", "E22");
    ck_answer("M500,3:0102", "E22");
    ck_answer("M500,2:010x", "E22");
    ck_answer("M500,3", "E22");
    ck_answer("X600,5:abcd", "E22");
    ck_answer("m500,3", "010203");
    quit();
    return NULL;
}

START_TEST(test_memory)
{
    run_test("x86emu", memory_client);
}
END_TEST

/* -- Running ------------------------------------------------------------------------- */

static gpointer step_client(gpointer data)
{
    fd = connect_client();
    ck_answer("?", "T05thread:01;");
    go_to_program();
    ck_answer("s", "T05thread:01;");
    ck_answer("p8", "01100000");
    ck_answer("p0", "01000000");
    ck_answer("vCont;s:1;c", "T05thread:01;");
    ck_answer("p8", "02100000");
    ck_answer("p3", "01000000");
    ck_answer("s1005", "T05thread:01;"); /* from another address */
    ck_answer("p8", "09100000");
    ck_answer("vCont?", "vCont;c;C;s;S");
    ck_answer("S05", "T05thread:01;");
    ck_answer("p8", "00100000");

    ck_answer("vCont", "E22");
    ck_answer("vCont;", "E22");
    ck_answer("vCont;x", "E22");
    ck_answer("vCont;c:9", "E22");
    ck_answer("vCont;Czz", "E22");
    ck_answer("cxyz", "E22");
    ck_answer("p8", "00100000");
    quit();
    return NULL;
}

START_TEST(test_step)
{
    run_test("x86emu", step_client);
}
END_TEST

static gpointer breakpoint_client(gpointer data)
{
    fd = connect_client();
    ck_answer("qSupported:swbreak+;hwbreak+",
              "PacketSize=4000;qXfer:features:read+;QStartNoAckMode+;vContSupported+;"
              "swbreak+;hwbreak+");
    go_to_program();
    ck_answer("Z0,1001,1", "OK");
    ck_answer("Z0,1001,1", "OK"); /* once more is not twice */
    ck_answer("c", "T05thread:01;swbreak:;");
    ck_answer("p8", "01100000");
    ck_answer("p0", "01000000");
    ck_answer("p3", "00000000");
    ck_answer("m1001,1", "43"); /* nothing is put there that shows */
    /* Going on executes the instruction where it stands, once around. */
    ck_answer("c", "T05thread:01;swbreak:;");
    ck_answer("p0", "02000000");
    ck_answer("p3", "01000000");
    ck_answer("s", "T05thread:01;");
    ck_answer("p8", "02100000");
    ck_answer("z0,1001,1", "OK");
    ck_answer("z0,1001,1", "E22");

    ck_answer("Z1,1009,1", "OK");
    ck_answer("c", "T05thread:01;hwbreak:;");
    ck_answer("p8", "09100000");
    ck_answer("p0", "02000000");
    ck_answer("z1,1009,1", "OK");

    /* A watchpoint stops after the access. */
    ck_answer("Z2,500,1", "OK");
    ck_answer("c", "T05thread:01;watch:500;");
    ck_answer("p8", "05100000");
    ck_answer("m500,1", "03");
    ck_answer("c", "T05thread:01;watch:500;");
    ck_answer("m500,1", "04");
    ck_answer("z2,500,1", "OK");
    /* 0x502 is read at 1005; a watchpoint for writes does not see it, nor the
     * neighbour's. */
    ck_answer("Z2,501,4", "OK");
    ck_answer("Z3,502,1", "OK");
    ck_answer("c", "T05thread:01;rwatch:502;");
    ck_answer("p8", "09100000");
    ck_answer("z3,502,1", "OK");
    ck_answer("z2,501,4", "OK");
    ck_answer("Z4,502,1", "OK");
    ck_answer("c", "T05thread:01;awatch:502;");
    ck_answer("z4,502,1", "OK");
    /* The program's own page: what is fetched is not read. */
    ck_answer("Z3,1000,10", "OK");
    ck_answer("Z0,1009,1", "OK");
    ck_answer("c", "T05thread:01;swbreak:;");
    ck_answer("p8", "09100000");

    ck_answer("Z0,zz,1", "E22");
    ck_answer("Z0,1000", "E22");
    ck_answer("Z0", "E22");
    ck_answer("Z2,500,0", "E22");
    ck_answer("Z2,ffffffffffffffff,8", "E22");
    ck_answer("Z5,500,1", "");
    ck_answer("z5,500,1", "");
    ck_answer("z2,500,1", "E22");
    quit();
    return NULL;
}

START_TEST(test_breakpoints)
{
    run_test("x86emu", breakpoint_client);
}
END_TEST

static gpointer interrupt_client(gpointer data)
{
    g_autofree char *stopped = NULL;
    g_autofree char *ended = NULL;

    fd = connect_client();
    go_to_program();
    send_bytes("c", 1);
    g_usleep(20000);
    send_all(fd, "\x03", 1);
    stopped = read_packet();
    ck_assert_str_eq(stopped, "T02thread:01;");
    /* A packet stops a machine that runs; its answer is its own. */
    send_bytes("c", 1);
    ck_answer("m1000,1", "40");
    /* Nothing to interrupt: no answer. */
    send_all(fd, "\x03", 1);
    ck_answer("qC", "QC01");
    /* The end of the machine is told. */
    send_bytes("c", 1);
    g_usleep(20000);
    run_state_quit(0, SYSTEM_CAUSE_HOST_QMP_QUIT);
    ended = read_packet();
    ck_assert_str_eq(ended, "W00");
    close(fd);
    return NULL;
}

START_TEST(test_interrupt)
{
    run_test("x86emu", interrupt_client);
}
END_TEST

/* -- Queries, and packets that are wrong --------------------------------------------- */

static gpointer query_client(gpointer data)
{
    g_autofree char *xml = NULL;

    fd = connect_client();
    ck_answer("qfThreadInfo", "m01");
    ck_answer("qsThreadInfo", "l");
    ck_answer("qThreadExtraInfo,1",
              "4350552330205b72756e6e696e675d"); /* CPU#0 [running] */
    ck_answer("qThreadExtraInfo,9", "E22");
    ck_answer("Hg1", "OK");
    ck_answer("Hg0", "OK");
    ck_answer("Hc-1", "OK");
    ck_answer("Hg2", "E22");
    ck_answer("Hx1", "E22");
    ck_answer("H", "E22");
    ck_answer("T1", "OK");
    ck_answer("T2", "E22");
    ck_answer("qAttached", "1");
    xml = ask("qXfer:features:read:target.xml:0,fff");
    ck_assert_msg(g_str_has_prefix(xml, "m<?xml version=\"1.0\"?>"), "%s", xml);
    ck_assert_ptr_nonnull(strstr(xml, "<architecture>i8086</architecture>"));
    ck_answer("qXfer:features:read:target.xml:ffffff,fff", "l");
    ck_answer("qXfer:features:read:other.xml:0,fff", "E00");
    ck_answer("qXfer:features:read:target.xml:0", "E22");

    /* "info status" */
    {
        g_autofree char *output = ask("qRcmd,696e666f20737461747573");
        g_autofree char *end = read_packet();

        /* "VM status: paused (prelaunch)\n" */
        ck_assert_str_eq(output,
                         "O564d207374617475733a2070617573656420287072656c61756e636829"
                         "0a");
        ck_assert_str_eq(end, "OK");
    }
    ck_answer("qRcmd,6", "E22");
    ck_answer("qRcmd,zz", "E22");

    ck_answer("", "");
    ck_answer("vMustReplyEmpty", "");
    ck_answer("qNonsense", "");
    ck_answer("\xff\x80 binary", "");
    quit();
    return NULL;
}

START_TEST(test_queries)
{
    run_test("x86emu", query_client);
}
END_TEST

static gpointer framing_client(gpointer data)
{
    g_autofree char *long_body = g_strnfill(100000, 'm');

    fd = connect_client();
    send_text(fd, "$g#00");
    ck_assert_int_eq(read_byte(), '-');
    send_text(fd, "$g#zz");
    ck_assert_int_eq(read_byte(), '-');
    send_text(fd, "noise+++#67$qC$qC#b4"); /* the first one was cut off */
    g_free(read_packet());
    ck_answer(long_body, "E22");
    ck_answer("qC", "QC01");
    /* A broken answer is sent again. */
    send_text(fd, "-");
    {
        g_autofree char *again = read_packet();

        ck_assert_str_eq(again, "QC01");
    }
    ck_answer("QStartNoAckMode", "OK");
    send_bytes("qC", 2);
    ck_assert_int_eq(read_byte(), '$'); /* no '+' any more */
    {
        char rest[8] = {0};

        for (int i = 0; i < 7; i++) {
            rest[i] = read_byte();
        }
        ck_assert_str_eq(rest, "QC01#f5");
    }
    quit();
    return NULL;
}

START_TEST(test_framing)
{
    run_test("x86emu", framing_client);
}
END_TEST

/* -- Coming and going ---------------------------------------------------------------- */

static bool machine_runs(void)
{
    bool runs;

    io_lock();
    runs = run_state_running();
    io_unlock();
    return runs;
}

static bool wait_for_running(bool wanted)
{
    for (int i = 0; i < 500 && machine_runs() != wanted; i++) {
        g_usleep(10000);
    }
    return machine_runs() == wanted;
}

static gpointer leaving_client(gpointer data)
{
    fd = connect_client();
    go_to_program();
    /* A client that came to a stopped machine and dies leaves it stopped. */
    ck_answer("Z0,1001,1", "OK");
    close(fd);
    g_usleep(50000);
    ck_assert(!machine_runs());

    /* Detaching lets it run, without the breakpoints of either. */
    fd = connect_client();
    ck_answer("Z0,1002,1", "OK");
    ck_answer("D", "OK");
    ck_assert(wait_for_running(true));
    g_usleep(50000);
    ck_assert(machine_runs());
    close(fd);
    g_usleep(50000);
    ck_assert(machine_runs());

    /* Coming stops it; dying at a breakpoint, or while it runs, lets it run on. */
    fd = connect_client();
    ck_assert(wait_for_running(false));
    ck_answer("Z0,1001,1", "OK");
    g_free(ask("c"));
    ck_answer("p8", "01100000");
    send_text(fd, "$m10"); /* in the middle of a packet */
    close(fd);
    ck_assert(wait_for_running(true));
    fd = connect_client();
    ck_answer("qC", "QC01");
    ck_answer("Z2,500,1", "OK");
    ck_answer("z2,500,1", "OK");
    send_bytes("c", 1);
    ck_assert(wait_for_running(true));
    close(fd);
    g_usleep(50000);
    ck_assert(machine_runs());

    fd = connect_client();
    ck_answer("qC", "QC01");
    quit();
    return NULL;
}

START_TEST(test_leaving)
{
    run_test("x86emu", leaving_client);
}
END_TEST

static gpointer no_cpu_client(gpointer data)
{
    fd = connect_client();
    ck_answer("?", "T05thread:01;");
    ck_answer("m1000,2", "4043");
    ck_answer("Z0,1000,1", "E22");
    quit();
    return NULL;
}

START_TEST(test_without_cpu)
{
    run_test("qtest", no_cpu_client);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gdb");
    TCase *tcase = tcase_create("stub");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_registers);
    tcase_add_test(tcase, test_registers_without_cpu);
    tcase_add_test(tcase, test_memory);
    tcase_add_test(tcase, test_step);
    tcase_add_test(tcase, test_breakpoints);
    tcase_add_test(tcase, test_interrupt);
    tcase_add_test(tcase, test_queries);
    tcase_add_test(tcase, test_framing);
    tcase_add_test(tcase, test_leaving);
    tcase_add_test(tcase, test_without_cpu);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
