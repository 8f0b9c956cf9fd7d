/*
 * What the commands of the qtest protocol do: a table of names, arguments and functions.
 *
 * Numbers are decimal, 0x hexadecimal or 0 octal. Memory is what the CPU's bus shows, in
 * the guest's (little-endian) byte order.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/qtest-internal.h"

#include <errno.h>
#include <string.h>

#include "hw/core/clock.h"
#include "memory/access.h"

/* The virtual clock goes no further: devices add periods to it. */
#define CLOCK_MAX (INT64_MAX / 2)

#define MEMSET_MAX GiB(1)

static void ok(QtestCall *call)
{
    g_string_assign(call->reply, "OK");
}

static void fail(QtestCall *call, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void fail(QtestCall *call, const char *format, ...)
{
    va_list arguments;

    g_string_assign(call->reply, "FAIL ");
    va_start(arguments, format);
    g_string_append_vprintf(call->reply, format, arguments);
    va_end(arguments);
}

/* -- Ports and memory, one value ------------------------------------------------- */

static void bus_write(QtestCall *call, AddressSpace *as)
{
    uint64_t little_endian = GUINT64_TO_LE(call->number[1]);

    address_space_write(as, call->number[0], MEMTXATTRS_UNSPECIFIED, &little_endian,
                        call->size);
    ok(call);
}

static uint64_t bus_read(QtestCall *call, AddressSpace *as)
{
    uint64_t little_endian = 0;

    address_space_read(as, call->number[0], MEMTXATTRS_UNSPECIFIED, &little_endian,
                       call->size);
    return GUINT64_FROM_LE(little_endian);
}

static void run_out(QtestCall *call)
{
    bus_write(call, &call->machine->io);
}

static void run_in(QtestCall *call)
{
    g_string_printf(call->reply, "OK 0x%04" G_GINT64_MODIFIER "x",
                    bus_read(call, &call->machine->io));
}

static void run_write_value(QtestCall *call)
{
    bus_write(call, &call->machine->memory);
}

static void run_read_value(QtestCall *call)
{
    g_string_printf(call->reply, "OK 0x%016" G_GINT64_MODIFIER "x",
                    bus_read(call, &call->machine->memory));
}

/* -- Memory, any number of bytes ------------------------------------------------- */

static bool length_is_good(QtestCall *call, uint64_t length, uint64_t max)
{
    if (length > max) {
        fail(call,
             "Length %" G_GUINT64_FORMAT " is over the limit of %" G_GUINT64_FORMAT
             " bytes",
             length, max);
    }
    return length <= max;
}

/* `number[1]` bytes of memory, to be freed, or NULL. */
static uint8_t *read_bytes(QtestCall *call)
{
    uint64_t length = call->number[1];
    uint8_t *bytes;

    if (!length_is_good(call, length, QTEST_DATA_MAX)) {
        return NULL;
    }
    bytes = g_malloc(length + 1);
    address_space_read(&call->machine->memory, call->number[0], MEMTXATTRS_UNSPECIFIED,
                       bytes, length);
    return bytes;
}

static void write_bytes(QtestCall *call, const uint8_t *bytes, size_t length)
{
    address_space_write(&call->machine->memory, call->number[0], MEMTXATTRS_UNSPECIFIED,
                        bytes, length);
    ok(call);
}

static void run_read(QtestCall *call)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t length = call->number[1];
    g_autofree uint8_t *bytes = NULL;
    char *text;

    if (!length) {
        fail(call, "Length is 0");
        return;
    }
    bytes = read_bytes(call);
    if (!bytes) {
        return;
    }
    g_string_assign(call->reply, "OK 0x");
    g_string_set_size(call->reply, strlen("OK 0x") + 2 * length);
    text = call->reply->str + strlen("OK 0x");
    for (uint64_t i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 0xf];
    }
}

/* "0x" and two digits a byte; what it does not say is 0. */
static void run_write(QtestCall *call)
{
    const char *text = call->words[3];
    uint64_t length = call->number[1];
    size_t given = strlen(text);
    g_autofree uint8_t *bytes = NULL;

    if (given < 3) {
        g_string_assign(call->reply, "ERR invalid argument size");
        return;
    }
    if (!g_str_has_prefix(text, "0x") ||
        strspn(text + 2, "0123456789abcdefABCDEF") != given - 2) {
        fail(call, "Data is not 0x and hexadecimal digits");
        return;
    }
    if (!length_is_good(call, length, QTEST_DATA_MAX)) {
        return;
    }
    bytes = g_malloc0(length + 1);
    for (uint64_t i = 0; i < length && 2 * i + 4 <= given; i++) {
        bytes[i] = (uint8_t)(g_ascii_xdigit_value(text[2 * i + 2]) << 4 |
                             g_ascii_xdigit_value(text[2 * i + 3]));
    }
    write_bytes(call, bytes, length);
}

static void run_b64read(QtestCall *call)
{
    g_autofree uint8_t *bytes = read_bytes(call);

    if (bytes) {
        g_autofree char *text = g_base64_encode(bytes, call->number[1]);

        g_string_printf(call->reply, "OK %s", text);
    }
}

/* Of data and length the shorter counts. */
static void run_b64write(QtestCall *call)
{
    char *text = call->words[3];
    gsize given;

    if (strlen(text) < 3) {
        g_string_assign(call->reply, "ERR invalid argument size");
        return;
    }
    if (length_is_good(call, call->number[1], QTEST_DATA_MAX)) {
        g_base64_decode_inplace(text, &given);
        write_bytes(call, (uint8_t *)text, MIN(given, call->number[1]));
    }
}

static void run_memset(QtestCall *call)
{
    if (length_is_good(call, call->number[1], MEMSET_MAX)) {
        address_space_set(&call->machine->memory, call->number[0],
                          (uint8_t)call->number[2], call->number[1],
                          MEMTXATTRS_UNSPECIFIED);
        ok(call);
    }
}

static void run_endianness(QtestCall *call)
{
    g_string_assign(call->reply, "OK little");
}

/* -- The clock ------------------------------------------------------------------- */

/* Runs all timers on the way; does nothing when the clock is past `ns` already. */
static void move_clock(QtestCall *call, int64_t ns)
{
    if (ns > CLOCK_MAX) {
        fail(call, "The virtual clock ends at %" G_GINT64_FORMAT, CLOCK_MAX);
        return;
    }
    if (ns >= clock_virtual_ns()) {
        clock_virtual_set_ns(ns);
    }
    g_string_printf(call->reply, "OK %" G_GINT64_FORMAT, clock_virtual_ns());
}

static void run_clock_step(QtestCall *call)
{
    int64_t now = clock_virtual_ns(), deadline = clock_virtual_deadline_ns();
    int64_t step = (int64_t)call->number[0];

    if (!call->words[1]) {
        move_clock(call, MAX(deadline, now));
    } else {
        move_clock(call, step > CLOCK_MAX ? step : now + MAX(step, -1));
    }
}

static void run_clock_set(QtestCall *call)
{
    move_clock(call, (int64_t)call->number[0]);
}

/* -- The rest -------------------------------------------------------------------- */

static void run_intercept_in(QtestCall *call)
{
    qtest_irq_intercept(call, call->words[1], false);
}

static void run_intercept_out(QtestCall *call)
{
    qtest_irq_intercept(call, call->words[1], true);
}

static void run_set_irq_in(QtestCall *call)
{
    qtest_irq_set(call, call->words[1], call->words[2], (int64_t)call->number[2],
                  (int64_t)call->number[3]);
}

/* Everything is built in: there is no module of any name. */
static void run_module_load(QtestCall *call)
{
    g_string_assign(call->reply, "FAIL");
}

/* -- The table ------------------------------------------------------------------- */

typedef struct QtestCommand {
    const char *name;
    /* A letter an argument: p a port, n a number, i a signed number, t text; after '?'
     * they may be left out. What follows them is ignored. */
    const char *arguments;
    void (*run)(QtestCall *call);
    unsigned size;
    bool needs_clock; /* where the harness has the clock: -accel qtest */
} QtestCommand;

static const QtestCommand commands[] = {
    {"outb", "pn", run_out, 1},
    {"outw", "pn", run_out, 2},
    {"outl", "pn", run_out, 4},
    {"inb", "p", run_in, 1},
    {"inw", "p", run_in, 2},
    {"inl", "p", run_in, 4},
    {"writeb", "nn", run_write_value, 1},
    {"writew", "nn", run_write_value, 2},
    {"writel", "nn", run_write_value, 4},
    {"writeq", "nn", run_write_value, 8},
    {"readb", "n", run_read_value, 1},
    {"readw", "n", run_read_value, 2},
    {"readl", "n", run_read_value, 4},
    {"readq", "n", run_read_value, 8},
    {"read", "nn", run_read},
    {"write", "nnt", run_write},
    {"memset", "nnn", run_memset},
    {"b64read", "nn", run_b64read},
    {"b64write", "nnt", run_b64write},
    {"endianness", "", run_endianness},
    {"clock_step", "?i", run_clock_step, .needs_clock = true},
    {"clock_set", "i", run_clock_set, .needs_clock = true},
    {"irq_intercept_in", "t", run_intercept_in},
    {"irq_intercept_out", "t", run_intercept_out},
    {"set_irq_in", "ttii", run_set_irq_in},
    {"module_load", "tt", run_module_load},
};

static bool parse_number(const char *text, bool is_signed, uint64_t *number)
{
    char *end;

    if (!g_ascii_isdigit(*text) && *text != '-') {
        return false;
    }
    errno = 0;
    *number = is_signed ? (uint64_t)g_ascii_strtoll(text, &end, 0)
                        : g_ascii_strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0';
}

static bool parse_arguments(QtestCall *call, const QtestCommand *command)
{
    bool optional = false;
    unsigned i = 0;

    for (const char *kind = command->arguments; *kind; kind++) {
        const char *word = call->words[i + 1];

        if (*kind == '?') {
            optional = true;
            continue;
        }
        if (!word) {
            if (!optional) {
                fail(call, "%s: argument %u is missing", command->name, i + 1);
            }
            return optional;
        }
        if (*kind != 't' && !parse_number(word, *kind == 'i', &call->number[i])) {
            fail(call, "%s: argument %u is not a number: '%.64s'", command->name, i + 1,
                 word);
            return false;
        }
        if (*kind == 'p' && call->number[i] > 0xffff) {
            fail(call, "%s: port 0x%" G_GINT64_MODIFIER "x is over 0xffff", command->name,
                 call->number[i]);
            return false;
        }
        i++;
    }
    return true;
}

static bool has_clock(Machine *machine)
{
    return strcmp(accel_name(machine->accel), "qtest") == 0;
}

void qtest_command_run(QtestCall *call)
{
    const char *name = call->words[0] ? call->words[0] : "";

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        const QtestCommand *command = &commands[i];

        if (strcmp(command->name, name) != 0 ||
            (command->needs_clock && !has_clock(call->machine))) {
            continue;
        }
        call->size = command->size;
        if (parse_arguments(call, command)) {
            command->run(call);
        }
        return;
    }
    fail(call, "Unknown command '%.*s'%s", 256, name, strlen(name) > 256 ? " ..." : "");
}
