/*
 * A hostile guest's accesses: ports, memory, PCI configuration, and the devices' own
 * programs (fw_cfg and IDE DMA, packets, floppy commands, 8237 channels), on a PC whose
 * CPUs do nothing. What a failing sequence did is printed as lines of the qtest protocol.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hw/display/console.h"
#include "machine/device-add.h"
#include "machine/run-state.h"
#include "machine/types/pc.h"
#include "memory/access.h"
#include "memory/io-lock.h"
#include "qtests/fuzz/fuzz.h"

#define RAM_SIZE MiB(24) /* with the 8237s' 16 MiB inside */
#define DISK_SIZE MiB(2)
#define FLOPPY_SIZE (2880 * 512)

static Machine *machine;
static char *disk_path, *floppy_path;
static int64_t now_ns;

/* What reads, writes and DMA may aim at; filled from the machine's own map. */
typedef struct Targets {
    FlatRange ranges[256];
    unsigned count;
} Targets;

static Targets io_targets, memory_targets;

/* -- The accesses, printed as they are made ---------------------------------------- */

static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void say(const char *format, ...)
{
    va_list arguments;

    if (fuzz_verbose) {
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
        putchar('\n');
        fflush(stdout);
    }
}

static char letter(unsigned size)
{
    return size == 1 ? 'b' : size == 2 ? 'w' : 'l';
}

static void port_out(uint32_t port, unsigned size, uint32_t value)
{
    value &= UINT32_MAX >> (32 - 8 * size);
    say("out%c 0x%x 0x%x", letter(size), port, value);
    address_space_store(&machine->io, port, size, value, MEMTXATTRS_UNSPECIFIED);
}

static void port_in(uint32_t port, unsigned size)
{
    uint64_t value;

    say("in%c 0x%x", letter(size), port);
    address_space_load(&machine->io, port, size, &value, MEMTXATTRS_UNSPECIFIED);
}

static void memory_store(hwaddr address, unsigned size, uint64_t value)
{
    if (size == 8) {
        say("writeq 0x%" PRIx64 " 0x%" PRIx64, address, value);
    } else {
        say("write%c 0x%" PRIx64 " 0x%" PRIx64, letter(size), address,
            value & UINT64_MAX >> (64 - 8 * size));
    }
    address_space_store(&machine->memory, address, size, value, MEMTXATTRS_UNSPECIFIED);
}

static void memory_load(hwaddr address, unsigned size)
{
    uint64_t value;

    say("read 0x%" PRIx64 " 0x%x", address, size);
    address_space_load(&machine->memory, address, size, &value, MEMTXATTRS_UNSPECIFIED);
}

static void memory_block(hwaddr address, const void *data, size_t length)
{
    if (fuzz_verbose) {
        printf("write 0x%" PRIx64 " 0x%zx 0x", address, length);
        for (size_t i = 0; i < length; i++) {
            printf("%02x", ((const uint8_t *)data)[i]);
        }
        putchar('\n');
        fflush(stdout);
    }
    address_space_write(&machine->memory, address, MEMTXATTRS_UNSPECIFIED, data, length);
}

/* -- Where to ---------------------------------------------------------------------- */

static bool add_target(const FlatRange *range, void *opaque)
{
    Targets *targets = opaque;

    if (targets->count < G_N_ELEMENTS(targets->ranges)) {
        targets->ranges[targets->count++] = *range;
    }
    return true;
}

/* Mostly some range's first or last bytes, or just outside. */
static hwaddr pick_in(FuzzRandom *random, const Targets *targets)
{
    const FlatRange *range = &targets->ranges[fuzz_below(random, targets->count)];
    uint64_t length = range->last - range->start + 1;

    switch (fuzz_below(random, 6)) {
    case 0:
        return range->last - fuzz_below(random, 9) + fuzz_below(random, 5);
    case 1:
        return range->start + fuzz_below(random, 9) - fuzz_below(random, 5);
    default:
        return range->start + (length ? fuzz_below(random, MIN(length, 4096)) : 0);
    }
}

/* What firmware maps later, and what is not in the map that the machine starts with. */
static hwaddr pick_memory(FuzzRandom *random)
{
    static const hwaddr places[] = {0xa0000,    0xc0000,    0xe0000,    0xf0000,
                                    0xfebf0000, 0xfec00000, 0xfed00000, 0xfee00000,
                                    0xfee000b0, 0xfffc0000, 0xfffffff0, UINT64_C(1) << 32,
                                    RAM_SIZE,   0x30000};

    switch (fuzz_below(random, 8)) {
    case 0:
        return fuzz_value(random);
    case 1:
    case 2:
        return places[fuzz_below(random, G_N_ELEMENTS(places))] + fuzz_below(random, 64) -
               fuzz_below(random, 16);
    case 3:
    case 4:
        return fuzz_below(random, RAM_SIZE);
    default:
        return pick_in(random, &memory_targets);
    }
}

static uint32_t pick_port(FuzzRandom *random)
{
    static const uint16_t bases[] = {0xb000, 0xb100, 0xc000, 0xcf8,
                                     0xcfc,  0xafe0, 0xae00};

    switch (fuzz_below(random, 8)) {
    case 0:
        return (uint32_t)fuzz_below(random, 65536);
    case 1:
        return bases[fuzz_below(random, G_N_ELEMENTS(bases))] +
               (uint32_t)fuzz_below(random, 64);
    default:
        return pick_in(random, &io_targets) & 0xffff;
    }
}

static unsigned pick_size(FuzzRandom *random, unsigned max)
{
    unsigned size = 1u << fuzz_below(random, 4);

    return MIN(size, max);
}

/* -- Steps: plain accesses --------------------------------------------------------- */

static void do_port(FuzzRandom *random)
{
    uint32_t port = pick_port(random);
    unsigned size = fuzz_once_in(random, 3) ? pick_size(random, 4) : 1;

    if (fuzz_once_in(random, 3)) {
        port_in(port, size);
    } else {
        port_out(port, size, (uint32_t)fuzz_value(random));
    }
}

static void do_memory(FuzzRandom *random)
{
    hwaddr address = pick_memory(random);
    unsigned size = pick_size(random, 8);

    if (fuzz_once_in(random, 3)) {
        memory_load(address, size);
    } else {
        memory_store(address, size, fuzz_value(random));
    }
}

/* Registers behind an index. */
static void do_indexed(FuzzRandom *random)
{
    static const struct {
        uint16_t index, data;
        uint16_t count;
    } pairs[] = {{0x70, 0x71, 128},  {0x72, 0x73, 128},  {0x510, 0x511, 0x40},
                 {0x3c4, 0x3c5, 8},  {0x3ce, 0x3cf, 16}, {0x3d4, 0x3d5, 64},
                 {0x1ce, 0x1d0, 16}, {0x64, 0x60, 256}};
    unsigned n = (unsigned)fuzz_below(random, G_N_ELEMENTS(pairs));
    bool word = pairs[n].index == 0x510 || pairs[n].index == 0x1ce;

    port_out(pairs[n].index, word ? 2 : 1,
             (uint32_t)fuzz_below(random, pairs[n].count) |
                 (fuzz_once_in(random, 8) ? 0x8000 : 0));
    if (fuzz_once_in(random, 2)) {
        port_in(pairs[n].data, word ? 2 : 1);
    } else {
        port_out(pairs[n].data, word && fuzz_once_in(random, 2) ? 2 : 1,
                 (uint32_t)fuzz_value(random));
    }
}

static void do_ioapic(FuzzRandom *random)
{
    memory_store(IOAPIC_ADDRESS, 4, fuzz_below(random, 0x48));
    memory_store(IOAPIC_ADDRESS + 0x10, 4,
                 fuzz_random(random) &
                     (fuzz_once_in(random, 2) ? UINT32_MAX : 0xfffeffff));
}

static void do_apic(FuzzRandom *random)
{
    hwaddr reg = APIC_WINDOW_ADDRESS + (fuzz_below(random, 0x40) << 4);

    if (fuzz_once_in(random, 4)) {
        memory_load(reg, 4);
    } else {
        memory_store(reg, 4, fuzz_value(random));
    }
}

static void do_hpet(FuzzRandom *random)
{
    memory_store(HPET_ADDRESS + fuzz_below(random, 0x180 / 4) * 4, pick_size(random, 8),
                 fuzz_value(random));
}

/* -- Steps: PCI -------------------------------------------------------------------- */

static void pci_write(uint8_t devfn, unsigned reg, unsigned size, uint32_t value)
{
    port_out(0xcf8, 4, 0x80000000u | (uint32_t)devfn << 8 | (reg & 0xfc));
    port_out(0xcfc + (reg & 3), size, value);
}

static void do_pci(FuzzRandom *random)
{
    static const uint8_t functions[] = {0x00, 0x08, 0x09, 0x0a, 0x0b, 0x10, 0x18, 0x20};
    static const struct {
        uint8_t first, count;
    } registers[] = {{0x04, 4}, {0x10, 24}, {0x30, 4}, {0x40, 64}, {0x59, 7},
                     {0x70, 4}, {0x80, 32}, {0x90, 4}, {0xd0, 4},  {0x00, 255}};
    static const uint32_t places[] = {0xfebf0000, 0xc000,  0xb000,  0x0,
                                      0xfec00000, 0xa0000, 0xe0000, 0x10000,
                                      0xfee00000, 0x60};
    uint8_t devfn = functions[fuzz_below(random, G_N_ELEMENTS(functions))];
    unsigned n = (unsigned)fuzz_below(random, G_N_ELEMENTS(registers));
    unsigned reg = registers[n].first + (unsigned)fuzz_below(random, registers[n].count);
    uint32_t value = fuzz_once_in(random, 3)
                         ? places[fuzz_below(random, G_N_ELEMENTS(places))] |
                               (uint32_t)fuzz_below(random, 2)
                         : (uint32_t)fuzz_value(random);

    if (reg == 0x04 && fuzz_once_in(random, 2)) {
        value |= 7; /* decodes, and masters the bus */
    }
    if (fuzz_once_in(random, 8)) {
        port_in(0xcfc + (reg & 3), pick_size(random, 4));
    } else {
        pci_write(devfn, reg, pick_size(random, 4), value);
    }
}

/* What firmware does first: power management, SMBus and the bus master get
 * their ports. */
static void do_setup(FuzzRandom *random)
{
    pci_write(0x0b, 0x40, 4, 0xb001);
    pci_write(0x0b, 0x80, 1, 1);
    pci_write(0x0b, 0x90, 4, 0xb101);
    pci_write(0x0b, 0xd2, 1, 9);
    pci_write(0x0b, 0x04, 2, 1);
    pci_write(0x09, 0x20, 4, 0xc000);
    pci_write(0x09, 0x04, 2, 5);
}

static void do_power_management(FuzzRandom *random)
{
    port_out(0xb000 + (uint32_t)fuzz_below(random, 64), pick_size(random, 4),
             (uint32_t)fuzz_value(random));
    port_out(0xb100 + (uint32_t)fuzz_below(random, 16), 1, (uint32_t)fuzz_value(random));
    port_out(0xb2, 1, (uint32_t)fuzz_value(random));
}

/* -- Steps: the screen ------------------------------------------------------------- */

/* A mode, half set, and a look at what it shows. */
static void do_screen(FuzzRandom *random)
{
    static const uint32_t depths[] = {4, 8, 15, 16, 24, 32, 0, 7};
    DisplayConsole *console = display_console_find(NULL, NULL);
    uint32_t dispi[10] = {0xb0c0 + (uint32_t)fuzz_below(random, 6),
                          (uint32_t)fuzz_below(random, 2000),
                          (uint32_t)fuzz_below(random, 1500),
                          depths[fuzz_below(random, G_N_ELEMENTS(depths))]};

    for (uint32_t i = 0; i < G_N_ELEMENTS(dispi); i++) {
        if (fuzz_once_in(random, 2)) {
            port_out(0x1ce, 2, i);
            port_out(0x1d0, 2, i < 4 ? dispi[i] : (uint32_t)fuzz_value(random));
        }
    }
    for (uint32_t i = 0; i < 25; i++) {
        if (fuzz_once_in(random, 3)) {
            port_out(0x3d4, 2, i | (uint32_t)(fuzz_value(random) & 0xff) << 8);
            port_out(0x3ce, 2, i % 9 | (uint32_t)(fuzz_value(random) & 0xff) << 8);
            port_out(0x3c0, 1, i | (fuzz_once_in(random, 2) ? 0x20 : 0));
            port_out(0x3c0, 1, (uint32_t)fuzz_value(random));
        }
    }
    if (console && fuzz_once_in(random, 8)) {
        say("# the screen is looked at");
        display_console_image(console);
    }
}

/* -- Steps: DMA -------------------------------------------------------------------- */

static void put_be(uint8_t *to, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++) {
        to[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    }
}

static void do_fw_cfg_dma(FuzzRandom *random)
{
    static const uint16_t keys[] = {0x00, 0x01, 0x02, 0x05, 0x19, 0x8000, 0x8002, 0xffff};
    uint8_t descriptor[16];
    hwaddr at = fuzz_once_in(random, 8) ? pick_memory(random)
                                        : fuzz_below(random, RAM_SIZE) & ~UINT64_C(15);
    uint16_t key = fuzz_once_in(random, 2) ? keys[fuzz_below(random, G_N_ELEMENTS(keys))]
                                           : (uint16_t)(0x20 + fuzz_below(random, 0x20));

    put_be(descriptor, 4, (uint32_t)key << 16 | fuzz_below(random, 32));
    put_be(descriptor + 4, 4,
           fuzz_once_in(random, 16) ? fuzz_value(random) : fuzz_below(random, 0x3000));
    put_be(descriptor + 8, 8, fuzz_once_in(random, 8) ? at : pick_memory(random));
    memory_block(at, descriptor, sizeof(descriptor));
    port_out(0x514, 4, GUINT32_TO_BE((uint32_t)(at >> 32)));
    port_out(0x518, 4, GUINT32_TO_BE((uint32_t)at));
}

static void do_bus_master(FuzzRandom *random)
{
    uint32_t table = (uint32_t)fuzz_below(random, RAM_SIZE) & ~3u;
    uint32_t channel = 0xc000 + 8 * (uint32_t)fuzz_below(random, 2);
    uint32_t entries[16];

    for (unsigned i = 0; i < 8; i++) {
        entries[2 * i] = fuzz_once_in(random, 8) ? table : (uint32_t)pick_memory(random);
        entries[2 * i + 1] = (uint32_t)(fuzz_below(random, 0x3000) |
                                        (fuzz_once_in(random, 4) ? 0x80000000u : 0));
    }
    memory_block(table, entries, sizeof(entries));
    if (fuzz_once_in(random, 2)) { /* where the rest of the step looks for it */
        pci_write(0x09, 0x20, 4, 0xc000);
        pci_write(0x09, 0x04, 2, 5);
    }
    port_out(channel + 4, 4,
             fuzz_once_in(random, 8) ? (uint32_t)fuzz_value(random) : table);
    port_out(channel + 2, 1, 0x66);
    port_out(channel, 1, (uint32_t)fuzz_below(random, 16));
}

static void do_ide(FuzzRandom *random)
{
    static const uint8_t commands[] = {
        0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0xc4, 0xc5, 0xc6, 0xc8, 0xca,
        0xec, 0xa1, 0xa0, 0xb0, 0x06, 0xef, 0x91, 0x90, 0x08, 0xf8, 0x27, 0x40, 0x70};
    uint32_t base = fuzz_once_in(random, 2) ? 0x1f0 : 0x170;
    unsigned data = (unsigned)fuzz_below(random, 600);

    for (unsigned i = 0; i < 5; i++) {
        if (fuzz_once_in(random, 2)) {
            port_out(base + 1 + i, 1,
                     (uint32_t)(fuzz_once_in(random, 2) ? fuzz_value(random)
                                                        : fuzz_below(random, 4)));
        }
    }
    port_out(base + 6, 1, (uint32_t)(fuzz_below(random, 4) << 5 | 0xa0) & 0xff);
    port_out(base + 7, 1,
             fuzz_once_in(random, 5)
                 ? (uint32_t)fuzz_value(random)
                 : commands[fuzz_below(random, G_N_ELEMENTS(commands))]);
    for (unsigned i = 0; i < data; i++) {
        unsigned size = pick_size(random, 4);

        if (fuzz_once_in(random, 2)) {
            port_in(base, size);
        } else {
            port_out(base, size, (uint32_t)fuzz_value(random));
        }
    }
}

static void do_packet(FuzzRandom *random)
{
    static const uint8_t commands[] = {0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28,
                                       0xa8, 0x2b, 0x42, 0x43, 0x46, 0x4a, 0x51,
                                       0x5a, 0xad, 0xbb, 0xbd, 0xbe};
    uint8_t packet[12];
    uint32_t base = 0x170;
    unsigned data = (unsigned)fuzz_below(random, 1500);

    port_out(base + 6, 1, 0xa0);
    port_out(base + 1, 1, (uint32_t)fuzz_below(random, 2));
    port_out(base + 4, 1, (uint32_t)fuzz_value(random));
    port_out(base + 5, 1, (uint32_t)fuzz_value(random));
    port_out(base + 7, 1, 0xa0);
    for (unsigned i = 0; i < sizeof(packet); i++) {
        packet[i] = fuzz_once_in(random, 2) ? 0 : (uint8_t)fuzz_value(random);
    }
    if (!fuzz_once_in(random, 8)) {
        packet[0] = commands[fuzz_below(random, G_N_ELEMENTS(commands))];
    }
    for (unsigned i = 0; i < sizeof(packet); i += 2) {
        port_out(base, 2, packet[i] | packet[i + 1] << 8);
    }
    for (unsigned i = 0; i < data; i++) {
        port_in(base, pick_size(random, 4));
    }
}

static void do_floppy(FuzzRandom *random)
{
    static const struct {
        uint8_t command, parameters;
    } commands[] = {{0x06, 8}, {0x05, 8}, {0x02, 8}, {0x16, 8}, {0x0d, 5}, {0x0a, 1},
                    {0x07, 1}, {0x0f, 2}, {0x08, 0}, {0x03, 2}, {0x13, 3}, {0x0e, 0},
                    {0x2e, 0}, {0x8f, 2}, {0x04, 1}, {0x4e, 16}};
    unsigned n = (unsigned)fuzz_below(random, G_N_ELEMENTS(commands));
    unsigned data = (unsigned)fuzz_below(random, 1100);

    port_out(0x3f2, 1, fuzz_once_in(random, 8) ? (uint32_t)fuzz_value(random) : 0x1c);
    if (fuzz_once_in(random, 2)) {
        port_out(0x3f7, 1, (uint32_t)fuzz_below(random, 4));
    }
    port_out(0x3f5, 1,
             commands[n].command | (uint32_t)(fuzz_once_in(random, 2) ? 0xc0 : 0x40));
    for (unsigned i = 0; i < commands[n].parameters; i++) {
        port_out(0x3f5, 1,
                 (uint32_t)(fuzz_once_in(random, 4) ? fuzz_value(random)
                            : i == 4                ? 2
                                                    : fuzz_below(random, 3)));
    }
    for (unsigned i = 0; i < data; i++) {
        if (fuzz_once_in(random, 64)) {
            port_out(0x3f2, 1, (uint32_t)fuzz_value(random));
        } else if (fuzz_once_in(random, 2)) {
            port_in(0x3f5, 1);
        } else {
            port_out(0x3f5, 1, (uint32_t)fuzz_value(random));
        }
    }
}

static void do_dma_channel(FuzzRandom *random)
{
    static const uint8_t pages[4] = {0x87, 0x83, 0x81, 0x82};
    unsigned channel = (unsigned)fuzz_below(random, 4);
    bool words = fuzz_once_in(random, 4);
    uint32_t base = words ? 0xc0 : 0, step = words ? 2 : 1;

    port_out(base + 12 * step, 1, 0);
    port_out(base + 11 * step, 1, (uint32_t)(channel | (fuzz_value(random) & 0xfc)));
    for (unsigned i = 0; i < 4; i++) {
        port_out(base + (2 * channel + i / 2) * step, 1, (uint32_t)fuzz_value(random));
    }
    port_out(pages[channel] + (words ? 8 : 0), 1, (uint32_t)fuzz_value(random));
    port_out(base + 10 * step, 1, channel);
}

/* -- Steps: the rest of the world -------------------------------------------------- */

static void do_time(FuzzRandom *random)
{
    int64_t step = (int64_t)fuzz_below(random, UINT64_C(1) << fuzz_below(random, 25));

    say("clock_step %" PRId64, step);
    now_ns += step;
    clock_virtual_set_ns(now_ns);
    g_main_context_iteration(NULL, FALSE);
}

static void do_acknowledge(FuzzRandom *random)
{
    X86CPU *cpu = machine->cpus->pdata[fuzz_below(random, machine->cpus->len)];

    x86_cpu_set_current(cpu);
    if (cpu->intr && cpu->acknowledge) {
        say("# CPU %u acknowledges", cpu->index);
        cpu->acknowledge(cpu->acknowledge_opaque);
    }
}

static void do_reset(FuzzRandom *random)
{
    say("system_reset");
    run_state_reset(SYSTEM_CAUSE_NONE, "fuzz");
}

static void do_garbage(FuzzRandom *random)
{
    uint64_t garbage[64];

    for (unsigned i = 0; i < G_N_ELEMENTS(garbage); i++) {
        garbage[i] = fuzz_value(random);
    }
    memory_block(pick_memory(random), garbage,
                 sizeof(garbage) - (size_t)fuzz_below(random, sizeof(garbage)));
}

static bool step(uint64_t number)
{
    static const struct {
        unsigned weight;
        void (*act)(FuzzRandom *random);
    } acts[] = {{300, do_port},
                {200, do_memory},
                {80, do_indexed},
                {40, do_ioapic},
                {60, do_apic},
                {40, do_hpet},
                {120, do_pci},
                {60, do_fw_cfg_dma},
                {40, do_bus_master},
                {40, do_ide},
                {20, do_packet},
                {20, do_floppy},
                {40, do_dma_channel},
                {60, do_time},
                {40, do_acknowledge},
                {1, do_reset},
                {10, do_garbage},
                {10, do_setup},
                {40, do_power_management},
                {30, do_screen}};
    FuzzRandom random = {number};
    unsigned total = 0, at;

    for (size_t i = 0; i < G_N_ELEMENTS(acts); i++) {
        total += acts[i].weight;
    }
    at = (unsigned)fuzz_below(&random, total);
    for (size_t i = 0; i < G_N_ELEMENTS(acts); i++) {
        if (at < acts[i].weight) {
            acts[i].act(&random);
            break;
        }
        at -= acts[i].weight;
    }
    return true;
}

/* -- The machine ------------------------------------------------------------------- */

static void G_GNUC_NORETURN fail(const char *what, const GError *error)
{
    printf("fuzz-devices: %s: %s\n", what, error ? error->message : "failed");
    exit(2);
}

static void must(bool done, const char *what, const GError *error)
{
    if (!done) {
        fail(what, error);
    }
}

static void add_drive(const char *format, const char *path)
{
    g_autofree char *text = g_strdup_printf(format, path);
    GError *error = NULL;

    must(drive_new(text, &error), text, error);
}

/* Each third sequence is for the board without PCI; one in two has two CPUs. */
static void start(uint64_t seed)
{
    static const char *const accels[] = {"qtest", NULL};
    const char *type = seed % 3 == 2 ? "isapc" : "pc";
    RunStatePolicy policy = {.no_reboot = false};
    GError *error = NULL;

    machine_types_add(pc_machine_types());
    machine_devices_register();
    io_lock();
    clock_virtual_manual();
    if (seed % 2) {
        device_add_global("hpet", "msi", "on", false);
    }
    machine =
        machine_new(machine_type_find(type, &error), accel_select(accels, NULL, &error));
    machine->config.ram_size = RAM_SIZE;
    machine->config.boot_order = g_strdup("cad");
    machine->config.rtc_clock = CLOCK_KIND_VIRTUAL;
    machine->config.cpus = machine->config.max_cpus = 1 + seed / 2 % 2;
    machine->config.vga = g_strdup(seed % 4 ? "std" : "none");
    machine->config.serial[0] = chardev_new_from_text("serial0", "null", &error);
    machine->config.parallel[0] = chardev_new_from_text("parallel0", "null", &error);
    run_state_init(machine, &policy);
    add_drive("if=ide,index=0,format=raw,snapshot=on,file=%s", disk_path);
    add_drive("if=ide,index=2,format=raw,media=cdrom,file=%s", disk_path);
    add_drive("if=floppy,index=0,format=raw,snapshot=on,file=%s", floppy_path);
    must(machine_build(machine, &error), "machine_build", error);
    must(device_add_from_text("isa-debug-exit", &error), "isa-debug-exit", error);
    if (machine->pci && seed % 4 == 0) { /* in place of the VGA */
        const char *igd = seed % 8 ? "igd-stub" : "igd-stub,stolen=bar,device-id=0x1916";

        must(device_add_from_text(igd, &error), igd, error);
    }
    must(machine_complete(machine, &error), "machine_complete", error);
    run_state_reset(SYSTEM_CAUSE_NONE, "start");
    x86_cpu_set_current(machine->cpus->pdata[0]);
    address_space_foreach_range(&machine->io, add_target, &io_targets);
    address_space_foreach_range(&machine->memory, add_target, &memory_targets);
}

static char *make_image(uint64_t size)
{
    char *path = NULL;
    int fd = g_file_open_tmp("umbra-fuzz-XXXXXX", &path, NULL);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
        perror("fuzz-devices: a disk image");
        exit(2);
    }
    close(fd);
    return path;
}

int main(int argc, char **argv)
{
    static const Fuzz fuzz = {
        .name = "fuzz-devices", .steps = 20000, .start = start, .step = step};
    int status;

    disk_path = make_image(DISK_SIZE);
    floppy_path = make_image(FLOPPY_SIZE);
    status = fuzz_main(&fuzz, argc, argv);
    unlink(disk_path);
    unlink(floppy_path);
    return status;
}
