/*
 * HMP: memory and I/O ports.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <inttypes.h>

#include "machine/machine.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/save-memory.h"
#include "memory/access.h"

#define LINE_MAX_BYTES 64

/* -- x, xp, print ---------------------------------------------------------------- */

static void print_character(Hmp *hmp, uint64_t c)
{
    switch (c) {
    case '\'':
        hmp_printf(hmp, "'\\''");
        break;
    case '\\':
        hmp_printf(hmp, "'\\\\'");
        break;
    case '\n':
        hmp_printf(hmp, "'\\n'");
        break;
    case '\r':
        hmp_printf(hmp, "'\\r'");
        break;
    default:
        hmp_printf(hmp, c >= 32 && c <= 126 ? "'%c'" : "'\\x%02x'", (unsigned)c);
    }
}

static uint64_t little_endian(const uint8_t *bytes, int size)
{
    uint64_t value = 0;

    for (int i = size - 1; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static void print_item(Hmp *hmp, char format, int size, uint64_t value)
{
    int bits = size * 8;

    switch (format) {
    case 'o':
        hmp_printf(hmp, "%#*" PRIo64, (bits + 2) / 3, value);
        break;
    case 'x':
        hmp_printf(hmp, "0x%0*" PRIx64, bits / 4, value);
        break;
    case 'c':
        print_character(hmp, value);
        break;
    default: /* decimal digits: log10(2) is nearly 10/33 */
        hmp_printf(hmp, "%*" PRIu64, (bits * 10 + 32) / 33, value);
    }
}

/* Lines of 8 bytes for a format of bytes and 16 for the others; a line is read as a
 * whole, and one that cannot be is the last. */
static void dump(Hmp *hmp, X86CPU *cpu, AddressSpace *as, const HmpArgs *args)
{
    const HmpArg *format = hmp_arg(args, "fmt");
    uint64_t address = hmp_arg_number(args, "addr");
    uint64_t length = (uint64_t)format->count * (unsigned)format->size;
    int item = format->format == 'c' ? 1 : format->size;
    uint64_t line_size = format->size == 1 ? 8 : 16;
    uint8_t line[LINE_MAX_BYTES];

    if (format->format == 'i') {
        hmp_printf(hmp, "instructions cannot be disassembled here; use the format x, or "
                        "attach a debugger (-gdb)\n");
        return;
    }
    if (length > MiB(16)) {
        hmp_printf(hmp, "that is more than 16 MiB; pmemsave writes it to a file\n");
        return;
    }
    while (length) {
        uint64_t part = MIN(length, line_size);

        hmp_printf(hmp, "%016" PRIx64 ":", address);
        if (!monitor_read_memory(cpu, as, address, line, part)) {
            hmp_printf(hmp, " Cannot access memory\n");
            return;
        }
        for (uint64_t i = 0; i + (unsigned)item <= part; i += (unsigned)item) {
            hmp_printf(hmp, " ");
            print_item(hmp, format->format, item, little_endian(line + i, item));
        }
        hmp_printf(hmp, "\n");
        address += part;
        length -= part;
    }
}

static void run_x(Hmp *hmp, const HmpArgs *args)
{
    X86CPU *cpu = hmp_cpu(hmp);

    if (cpu) {
        dump(hmp, cpu, NULL, args);
    }
}

static void run_xp(Hmp *hmp, const HmpArgs *args)
{
    dump(hmp, NULL, &machine_current()->memory, args);
}

static void run_print(Hmp *hmp, const HmpArgs *args)
{
    uint64_t value = hmp_arg_number(args, "val");

    switch (hmp_arg(args, "fmt")->format) {
    case 'o':
        hmp_printf(hmp, "%#" PRIo64, value);
        break;
    case 'u':
        hmp_printf(hmp, "%" PRIu64, value);
        break;
    case 'd':
        hmp_printf(hmp, "%" PRId64, (int64_t)value);
        break;
    case 'c':
        print_character(hmp, value);
        break;
    default:
        hmp_printf(hmp, "%#" PRIx64, value);
    }
    hmp_printf(hmp, "\n");
}

/* -- sum, memsave, pmemsave ------------------------------------------------------ */

/* The checksum of BSD's sum(1): rotate right by one, add the byte, 16 bits. */
static void run_sum(Hmp *hmp, const HmpArgs *args)
{
    uint64_t address = hmp_arg_number(args, "start"),
             length = hmp_arg_number(args, "size");
    AddressSpace *as = &machine_current()->memory;
    g_autofree uint8_t *buffer = g_malloc(65536);
    uint16_t sum = 0;

    if (length > GiB(1)) {
        hmp_printf(hmp, "sum takes at most 1 GiB: the machine stands while it counts\n");
        return;
    }
    while (length) {
        uint64_t part = MIN(length, 65536);

        address_space_read(as, address, MEMTXATTRS_UNSPECIFIED, buffer, part);
        for (uint64_t i = 0; i < part; i++) {
            sum = (uint16_t)((sum >> 1 | sum << 15) + buffer[i]);
        }
        address += part;
        length -= part;
    }
    hmp_printf(hmp, "%05d\n", sum);
}

static void save(Hmp *hmp, X86CPU *cpu, const HmpArgs *args)
{
    GError *error = NULL;

    if (!monitor_save_memory(cpu, &machine_current()->memory, hmp_arg_number(args, "val"),
                             hmp_arg_number(args, "size"), hmp_arg_text(args, "filename"),
                             &error)) {
        hmp_report(hmp, error);
    }
}

static void run_memsave(Hmp *hmp, const HmpArgs *args)
{
    X86CPU *cpu = hmp_cpu(hmp);

    if (cpu) {
        save(hmp, cpu, args);
    }
}

static void run_pmemsave(Hmp *hmp, const HmpArgs *args)
{
    save(hmp, NULL, args);
}

/* -- I/O ports ------------------------------------------------------------------- */

static int port_size(const HmpArgs *args)
{
    int size = hmp_arg(args, "fmt")->size;

    return size == 1 || size == 2 ? size : 4;
}

static const char *port_suffix(int size)
{
    return size == 1 ? "b" : size == 2 ? "w" : "l";
}

static void run_in(Hmp *hmp, const HmpArgs *args)
{
    AddressSpace *io = &machine_current()->io;
    uint16_t port = (uint16_t)hmp_arg_number(args, "addr");
    int size = port_size(args);
    uint64_t value = 0;

    if (hmp_arg_given(args, "index")) {
        address_space_stb(io, port++, (uint8_t)hmp_arg_number(args, "index"),
                          MEMTXATTRS_UNSPECIFIED, NULL);
    }
    address_space_load(io, port, (unsigned)size, &value, MEMTXATTRS_UNSPECIFIED);
    hmp_printf(hmp, "port%s[0x%04x] = 0x%0*" PRIx64 "\n", port_suffix(size), port,
               size * 2, value);
}

static void run_out(Hmp *hmp, const HmpArgs *args)
{
    address_space_store(&machine_current()->io, (uint16_t)hmp_arg_number(args, "addr"),
                        (unsigned)port_size(args), hmp_arg_number(args, "val"),
                        MEMTXATTRS_UNSPECIFIED);
}

const HmpCommand hmp_memory_commands[] = {
    {"x", "fmt:/,addr:l", "/fmt addr", "virtual memory dump starting at 'addr'", run_x},
    {"xp", "fmt:/,addr:l", "/fmt addr", "physical memory dump starting at 'addr'",
     run_xp},
    {"print|p", "fmt:/,val:l", "/fmt expr",
     "print expression value (use $reg for CPU register access)", run_print},
    {"sum", "start:l,size:l", "addr size", "compute the checksum of a memory region",
     run_sum},
    {"memsave", "val:l,size:l,filename:s", "addr size file",
     "save to disk virtual memory dump starting at 'addr' of size 'size'", run_memsave},
    {"pmemsave", "val:l,size:l,filename:s", "addr size file",
     "save to disk physical memory dump starting at 'addr' of size 'size'", run_pmemsave},
    {"i", "fmt:/,addr:i,index:.?", "/fmt addr", "I/O port read", run_in},
    {"o", "fmt:/,addr:i,val:i", "/fmt addr value", "I/O port write", run_out},
    {NULL},
};
