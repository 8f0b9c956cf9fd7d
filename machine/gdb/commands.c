/*
 * The packets, as a table ("Packets" and "General Query Packets" of GDB's manual,
 * appendix E). A packet that is not in it gets the empty answer, which means just that.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "hw/i386/x86-paging.h"
#include "machine/gdb/stub-internal.h"
#include "machine/monitor/hmp.h"
#include "machine/run-state.h"
#include "memory/access.h"

/* Error numbers of GDB's file protocol; clients show them only. */
#define ERROR_FAULT "E14"
#define ERROR_INVALID "E22"

/* Bytes of memory a packet, as hexadecimal digits, can carry. */
#define MEMORY_MAX (GDB_PACKET_MAX / 2)

/* `text` ends in a zero byte at `length`. */
typedef void (*Command)(GdbStub *stub, const char *text, size_t length);

/* -- CPUs, which GDB knows as threads ------------------------------------------------ */

/* "-1" and "0" are all and any: `usual`. NULL: there is no such. */
static X86CPU *parse_thread(GdbStub *stub, const char **text, X86CPU *usual)
{
    uint64_t number;

    if (g_str_has_prefix(*text, "-1")) {
        *text += 2;
        return usual;
    }
    if (!gdb_parse_number(text, &number) || number > stub->machine->cpus->len) {
        return NULL;
    }
    return number ? stub->machine->cpus->pdata[number - 1] : usual;
}

static void set_thread(GdbStub *stub, const char *text, size_t length)
{
    bool registers = *text == 'g';
    const char *rest = text + (length > 0);
    X86CPU *cpu = parse_thread(stub, &rest, stub->cpu);

    if (!cpu || *rest || (!registers && *text != 'c')) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    *(registers ? &stub->cpu : &stub->run_cpu) = cpu;
    accel_get_registers(cpu);
    gdb_reply(stub, "OK");
}

static void is_thread_alive(GdbStub *stub, const char *text, size_t length)
{
    X86CPU *cpu = parse_thread(stub, &text, NULL);

    gdb_reply(stub, cpu && !*text ? "OK" : ERROR_INVALID);
}

static void current_thread(GdbStub *stub, const char *text, size_t length)
{
    g_autofree char *reply = g_strdup_printf("QC%02x", stub->cpu->index + 1);

    gdb_reply(stub, reply);
}

static void list_threads(GdbStub *stub, const char *text, size_t length)
{
    g_autoptr(GString) reply = g_string_new("m");

    for (guint i = 0; i < stub->machine->cpus->len; i++) {
        g_string_append_printf(reply, "%s%02x", i ? "," : "", i + 1);
    }
    gdb_reply(stub, reply->str);
}

static void no_more_threads(GdbStub *stub, const char *text, size_t length)
{
    gdb_reply(stub, "l");
}

static void describe_thread(GdbStub *stub, const char *text, size_t length)
{
    X86CPU *cpu = parse_thread(stub, &text, NULL);
    g_autofree char *words = NULL;
    g_autoptr(GString) reply = g_string_new(NULL);

    if (!cpu) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    accel_get_registers(cpu);
    words =
        g_strdup_printf("CPU#%u [%s]", cpu->index, cpu->halted ? "halted" : "running");
    gdb_append_hex(reply, words, strlen(words));
    gdb_reply(stub, reply->str);
}

/* -- Registers ----------------------------------------------------------------------- */

static void read_registers(GdbStub *stub, const char *text, size_t length)
{
    g_autoptr(GString) reply = g_string_new(NULL);

    accel_get_registers(stub->cpu);
    for (unsigned i = 0; i < stub->layout->general; i++) {
        gdb_register_read(stub->cpu, &stub->layout->registers[i], reply);
    }
    gdb_reply(stub, reply->str);
}

/* Sets one from digits; false: it cannot be. */
static bool write_one(GdbStub *stub, const GdbRegister *reg, const char *digits)
{
    uint8_t bytes[16];

    return gdb_parse_hex(digits, bytes, reg->bytes) &&
           gdb_register_write(stub->cpu, reg, bytes);
}

static void write_registers(GdbStub *stub, const char *text, size_t length)
{
    X86Registers before;
    bool good = true;

    accel_get_registers(stub->cpu);
    before = stub->cpu->registers;
    for (unsigned i = 0; i < stub->layout->general && good && *text; i++) {
        const GdbRegister *reg = &stub->layout->registers[i];

        good = write_one(stub, reg, text);
        text += good ? 2 * reg->bytes : 0;
    }
    if (!good || length == 0 || *text) {
        stub->cpu->registers = before;
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    accel_set_registers(stub->cpu);
    gdb_reply(stub, "OK");
}

static const GdbRegister *parse_register(GdbStub *stub, const char **text)
{
    uint64_t number;

    return gdb_parse_number(text, &number) && number < stub->layout->count
               ? &stub->layout->registers[number]
               : NULL;
}

static void read_register(GdbStub *stub, const char *text, size_t length)
{
    const GdbRegister *reg = parse_register(stub, &text);
    g_autoptr(GString) reply = g_string_new(NULL);

    if (!reg || *text) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    accel_get_registers(stub->cpu);
    gdb_register_read(stub->cpu, reg, reply);
    gdb_reply(stub, reply->str);
}

static void write_register(GdbStub *stub, const char *text, size_t length)
{
    const GdbRegister *reg = parse_register(stub, &text);

    accel_get_registers(stub->cpu);
    if (!reg || *text != '=' || strlen(text + 1) != 2u * reg->bytes ||
        !write_one(stub, reg, text + 1)) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    accel_set_registers(stub->cpu);
    gdb_reply(stub, "OK");
}

/* -- Memory -------------------------------------------------------------------------- */

/* How much of `length` bytes from `address` can be read or written: up to the first page
 * that is not there. Writes reach ROM too. */
static uint64_t access_memory(GdbStub *stub, uint64_t address, uint8_t *buffer,
                              uint64_t length, bool write)
{
    X86CPU *cpu = stub->cpu;
    uint64_t done = 0;

    accel_get_registers(cpu);
    while (done < length) {
        hwaddr physical = address + done;
        uint64_t left = length - done, page_left = left;

        if (!stub->physical &&
            !x86_translate(cpu, address + done, &physical, &page_left)) {
            break;
        }
        left = MIN(left, page_left);
        if (write) {
            address_space_write(cpu->memory, physical, MEMTXATTRS_UNSPECIFIED,
                                buffer + done, left);
            address_space_write_rom(cpu->memory, physical, MEMTXATTRS_UNSPECIFIED,
                                    buffer + done, left);
        } else {
            address_space_read(cpu->memory, physical, MEMTXATTRS_UNSPECIFIED,
                               buffer + done, left);
        }
        done += left;
    }
    if (!write && !stub->physical) {
        accel_hide_breakpoints(stub->machine->accel, address, buffer, done);
    }
    return done;
}

/* "ADDRESS,LENGTH", then `end`. */
static bool parse_range(const char **text, char end, uint64_t *address, uint64_t *length)
{
    if (!gdb_parse_number(text, address) || *(*text)++ != ',' ||
        !gdb_parse_number(text, length) || **text != end) {
        return false;
    }
    *text += end != '\0';
    return *length <= MEMORY_MAX;
}

static void read_memory(GdbStub *stub, const char *text, size_t length)
{
    g_autofree uint8_t *buffer = NULL;
    g_autoptr(GString) reply = g_string_new(NULL);
    uint64_t address, wanted, got;

    if (!parse_range(&text, '\0', &address, &wanted)) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    buffer = g_malloc0(wanted + 1);
    got = access_memory(stub, address, buffer, wanted, false);
    if (!got && wanted) {
        gdb_reply(stub, ERROR_FAULT);
        return;
    }
    gdb_append_hex(reply, buffer, got);
    gdb_reply(stub, reply->str);
}

static void write_memory(GdbStub *stub, const char *text, size_t length)
{
    g_autofree uint8_t *buffer = NULL;
    uint64_t address, count;

    if (!parse_range(&text, ':', &address, &count) || strlen(text) != 2 * count) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    buffer = g_malloc(count + 1);
    if (!gdb_parse_hex(text, buffer, count)) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    gdb_reply(stub, access_memory(stub, address, buffer, count, true) == count
                        ? "OK"
                        : ERROR_FAULT);
}

static void write_memory_binary(GdbStub *stub, const char *text, size_t length)
{
    const char *data = text;
    uint64_t address, count;

    if (!parse_range(&data, ':', &address, &count) ||
        length - (size_t)(data - text) != count) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    gdb_reply(stub, access_memory(stub, address, (uint8_t *)data, count, true) == count
                        ? "OK"
                        : ERROR_FAULT);
}

/* -- Running ------------------------------------------------------------------------- */

static void why_stopped(GdbStub *stub, const char *text, size_t length)
{
    /* A client that starts to talk finds none of its predecessor's breakpoints. */
    accel_remove_all_breakpoints(stub->machine->accel);
    gdb_reply_stop(stub);
}

/* c and s: "[ADDRESS]"; C and S have a signal before it, which no guest takes. */
static bool set_pc(GdbStub *stub, const char *text)
{
    uint64_t address;

    if (!*text) {
        return true;
    }
    if (!gdb_parse_number(&text, &address) || *text) {
        gdb_reply(stub, ERROR_INVALID);
        return false;
    }
    accel_get_registers(stub->run_cpu);
    stub->run_cpu->registers.rip = address;
    accel_set_registers(stub->run_cpu);
    return true;
}

static const char *behind_signal(const char *text)
{
    const char *semicolon = strchr(text, ';');

    return semicolon ? semicolon + 1 : "";
}

static void run_on(GdbStub *stub, const char *text, size_t length)
{
    if (set_pc(stub, text)) {
        gdb_continue(stub, NULL);
    }
}

static void run_on_signal(GdbStub *stub, const char *text, size_t length)
{
    run_on(stub, behind_signal(text), length);
}

static void step(GdbStub *stub, const char *text, size_t length)
{
    if (set_pc(stub, text)) {
        gdb_continue(stub, stub->run_cpu);
    }
}

static void step_signal(GdbStub *stub, const char *text, size_t length)
{
    step(stub, behind_signal(text), length);
}

/* ";ACTION[:THREAD]...": all CPUs go on together, and the first that is to step steps. */
static void run_actions(GdbStub *stub, const char *text, size_t length)
{
    X86CPU *stepping = NULL;
    bool any = false;

    while (*text == ';') {
        char action = text[1];
        X86CPU *cpu = stub->run_cpu;
        uint64_t signal_number;

        text += action ? 2 : 1;
        if ((action == 'C' || action == 'S') &&
            !gdb_parse_number(&text, &signal_number)) {
            break;
        }
        if (*text == ':') {
            text++;
            cpu = parse_thread(stub, &text, stub->run_cpu);
        }
        if (!cpu || !action || !strchr("cCsS", action)) {
            break;
        }
        if (!stepping && (action == 's' || action == 'S')) {
            stepping = cpu;
        }
        any = true;
    }
    if (*text || !any) {
        gdb_reply(stub, ERROR_INVALID);
    } else {
        gdb_continue(stub, stepping);
    }
}

static void list_actions(GdbStub *stub, const char *text, size_t length)
{
    gdb_reply(stub, "vCont;c;C;s;S");
}

static void detach(GdbStub *stub, const char *text, size_t length)
{
    gdb_reply(stub, "OK");
    gdb_end_session(stub, true);
}

static void kill_machine(GdbStub *stub, const char *text, size_t length)
{
    if (*text == ';') { /* vKill;PID: the older form has no answer */
        gdb_reply(stub, "OK");
    }
    stub->connected = false;
    accel_remove_all_breakpoints(stub->machine->accel);
    run_state_quit(0, SYSTEM_CAUSE_HOST_SIGNAL);
}

/* -- Breakpoints: "TYPE,ADDRESS,KIND" ------------------------------------------------ */

static bool parse_breakpoint(const char *text, AccelBreakpoint *breakpoint)
{
    static const AccelBreakKind kinds[] = {ACCEL_BREAK_EXECUTE, ACCEL_BREAK_EXECUTE,
                                           ACCEL_BREAK_WRITE, ACCEL_BREAK_READ,
                                           ACCEL_BREAK_ACCESS};
    unsigned type = (unsigned)(*text - '0');

    text++;
    if (*text++ != ',' || !gdb_parse_number(&text, &breakpoint->address) ||
        *text++ != ',' || !gdb_parse_number(&text, &breakpoint->length) || *text) {
        return false;
    }
    breakpoint->kind = kinds[type];
    breakpoint->hardware = type > 0;
    if (type <= 1) {
        breakpoint->length = 1;
    }
    return breakpoint->length > 0 &&
           breakpoint->address <= UINT64_MAX - breakpoint->length;
}

static void change_breakpoint(GdbStub *stub, const char *text, bool insert)
{
    AccelBreakpoint breakpoint;
    bool done;

    if (*text < '0' || *text > '4') {
        gdb_reply(stub, "");
        return;
    }
    if (!parse_breakpoint(text, &breakpoint)) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    done = insert ? accel_insert_breakpoint(stub->machine->accel, &breakpoint, NULL)
                  : accel_remove_breakpoint(stub->machine->accel, &breakpoint);
    gdb_reply(stub, done ? "OK" : ERROR_INVALID);
}

static void insert_breakpoint(GdbStub *stub, const char *text, size_t length)
{
    change_breakpoint(stub, text, true);
}

static void remove_breakpoint(GdbStub *stub, const char *text, size_t length)
{
    change_breakpoint(stub, text, false);
}

/* -- Queries ------------------------------------------------------------------------- */

static void tell_features(GdbStub *stub, const char *text, size_t length)
{
    stub->told_why = strstr(text, "swbreak+") && strstr(text, "hwbreak+");
    gdb_reply(stub, "PacketSize=4000;qXfer:features:read+;QStartNoAckMode+;"
                    "vContSupported+;swbreak+;hwbreak+");
}

static void start_no_ack_mode(GdbStub *stub, const char *text, size_t length)
{
    gdb_reply(stub, "OK");
    stub->no_ack = true;
}

static void attached(GdbStub *stub, const char *text, size_t length)
{
    gdb_reply(stub, "1");
}

/* "ANNEX:OFFSET,LENGTH" */
static void read_features(GdbStub *stub, const char *text, size_t length)
{
    static const char annex[] = "target.xml:";
    g_autofree char *xml = NULL;
    uint64_t offset, wanted, size;
    g_autoptr(GString) reply = g_string_new(NULL);

    if (!g_str_has_prefix(text, annex)) {
        gdb_reply(stub, "E00");
        return;
    }
    text += strlen(annex);
    if (!parse_range(&text, '\0', &offset, &wanted)) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    xml = gdb_target_xml(stub->layout);
    size = strlen(xml);
    offset = MIN(offset, size);
    wanted = MIN(wanted, size - offset);
    g_string_append_c(reply, offset + wanted < size ? 'm' : 'l');
    g_string_append_len(reply, xml + offset, (gssize)wanted);
    gdb_reply_bytes(stub, reply->str, reply->len);
}

/* `monitor LINE`: the answer comes as pieces of console output, and an OK. */
static void run_monitor(GdbStub *stub, const char *text, size_t length)
{
    g_autofree char *line = g_malloc0(length / 2 + 1);
    g_autofree char *answer = NULL;
    g_auto(GStrv) lines = NULL;
    g_autofree char *plain = NULL;

    if (length % 2 || !gdb_parse_hex(text, (uint8_t *)line, length / 2)) {
        gdb_reply(stub, ERROR_INVALID);
        return;
    }
    answer = hmp_execute_on(line, stub->cpu->index);
    lines = g_strsplit(answer, "\r\n", -1);
    plain = g_strjoinv("\n", lines);
    for (size_t at = 0, left = strlen(plain); left;) {
        size_t piece = MIN(left, MEMORY_MAX - 1);
        g_autoptr(GString) reply = g_string_new("O");

        gdb_append_hex(reply, plain + at, piece);
        gdb_reply(stub, reply->str);
        at += piece;
        left -= piece;
    }
    gdb_reply(stub, "OK");
}

/* QEMU's own packets, which its users' scripts send. */
static void tell_physical_mode(GdbStub *stub, const char *text, size_t length)
{
    gdb_reply(stub, stub->physical ? "1" : "0");
}

static void set_physical_mode(GdbStub *stub, const char *text, size_t length)
{
    stub->physical = *text != '0';
    gdb_reply(stub, "OK");
}

/* -- The table ----------------------------------------------------------------------- */

static const struct {
    const char *start; /* of the packet; the first row that fits is it */
    Command run;       /* gets what follows */
} commands[] = {
    {"?", why_stopped},
    {"g", read_registers},
    {"G", write_registers},
    {"p", read_register},
    {"P", write_register},
    {"m", read_memory},
    {"M", write_memory},
    {"X", write_memory_binary},
    {"c", run_on},
    {"C", run_on_signal},
    {"s", step},
    {"S", step_signal},
    {"vCont?", list_actions},
    {"vCont", run_actions},
    {"vKill", kill_machine},
    {"k", kill_machine},
    {"D", detach},
    {"Z", insert_breakpoint},
    {"z", remove_breakpoint},
    {"H", set_thread},
    {"T", is_thread_alive},
    {"qC", current_thread},
    {"qfThreadInfo", list_threads},
    {"qsThreadInfo", no_more_threads},
    {"qThreadExtraInfo,", describe_thread},
    {"qSupported", tell_features},
    {"QStartNoAckMode", start_no_ack_mode},
    {"qAttached", attached},
    {"qXfer:features:read:", read_features},
    {"qRcmd,", run_monitor},
    {"qqemu.PhyMemMode", tell_physical_mode},
    {"Qqemu.PhyMemMode:", set_physical_mode},
};

void gdb_run_packet(GdbStub *stub, const char *packet, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        size_t start = strlen(commands[i].start);

        if (length >= start && memcmp(packet, commands[i].start, start) == 0) {
            commands[i].run(stub, packet + start, length - start);
            return;
        }
    }
    gdb_reply(stub, "");
}
