/*
 * A machine small enough to see through, for tests of accelerators: 2 MiB of RAM, a
 * window at 0xc0000 that a port switches, a debug port, and a guest program at 0x1000.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_ACCEL_GUEST_H
#define QTESTS_ACCEL_GUEST_H

#include <check.h>
#include <stdlib.h>

#include "hw/core/clock.h"
#include "hw/core/system.h"
#include "machine/accel/accel.h"
#include "memory/access.h"
#include "memory/io-lock.h"

#define GUEST_CODE 0x1000
#define GUEST_STACK 0x8000
#define GUEST_WINDOW 0xc0000
#define GUEST_WINDOW_SIZE 0x4000
#define GUEST_VECTOR 0x20

/* Ports */
#define PORT_WINDOW 0x10    /* out: what the window shows, GuestWindow */
#define PORT_LOG 0x11       /* out: a byte for guest.log */
#define PORT_COUNT 0x12     /* in: 0, 1, 2, ... */
#define PORT_INTERRUPT 0x13 /* out: raises INTR, which delivers GUEST_VECTOR */
#define PORT_EXIT 0x14      /* out: the program has ended */

/* Programs are written in assembly between these; GUEST(name) defines name, name_end. */
#define GUEST(name)                                                                        \
    extern const uint8_t name[], name##_end[];                                             \
    __asm__(".pushsection .rodata\n .code16\n .globl " #name "\n " #name ":\n"
#define GUEST_END(name)                                                                    \
    "\n out %al, $0x14\n 9: cli\n hlt\n jmp 9b\n .globl " #name "_end\n " #name "_end:\n"  \
    ".code64\n .popsection\n");

typedef enum GuestWindow { WINDOW_ROM, WINDOW_RAM, WINDOW_SPLIT, WINDOW_NOTHING } GuestWindow;

typedef struct Guest {
    MemoryRegion memory_root, io_root, ram, rom, ports;
    MemoryRegion show_rom, show_ram, show_split, show_nothing;
    AddressSpace memory, io;
    Accel *accel;
    X86CPU *cpu;
    GString *log;
    uint8_t count;
    bool ended, reset, failed;
    const char *reset_source;
    char *message;
} Guest;

static Guest guest;

static void guest_show(GuestWindow window)
{
    memory_region_transaction_begin();
    memory_region_set_enabled(&guest.show_rom, window == WINDOW_ROM);
    memory_region_set_enabled(&guest.show_ram, window == WINDOW_RAM);
    memory_region_set_enabled(&guest.show_split, window == WINDOW_SPLIT);
    memory_region_set_enabled(&guest.show_nothing, window == WINDOW_NOTHING);
    memory_region_transaction_commit();
}

static uint64_t guest_port_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset + 0x10 == PORT_COUNT ? guest.count++ : 0xff;
}

static void guest_port_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    switch (offset + 0x10) {
    case PORT_WINDOW:
        guest_show((GuestWindow)value);
        break;
    case PORT_LOG:
        g_string_append_c(guest.log, (char)value);
        break;
    case PORT_INTERRUPT:
        x86_cpu_set_intr(guest.cpu, true);
        break;
    case PORT_EXIT:
        guest.ended = true;
        accel_hold_all(guest.accel);
        break;
    }
}

static const MemoryRegionOps guest_port_ops = {
    .read = guest_port_read,
    .write = guest_port_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 4, .unaligned = true},
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static int guest_acknowledge(void *opaque)
{
    x86_cpu_set_intr(guest.cpu, false);
    return GUEST_VECTOR;
}

static void guest_note_reset(SystemCause cause, const char *source, void *opaque)
{
    guest.reset = true;
    guest.reset_source = source;
    accel_hold_all(guest.accel);
}

static void guest_note_fatal(const char *message, void *opaque)
{
    guest.failed = true;
    g_free(guest.message);
    guest.message = g_strdup(message);
    accel_hold_all(guest.accel);
}

/* The machine with `program` at GUEST_CODE, not running. The machine lock is taken. */
static inline void guest_start(const char *accel, const uint8_t *program, const uint8_t *end)
{
    static const SystemHandler handler = {
        .reset = guest_note_reset,
        .fatal = guest_note_fatal,
    };
    const char *options[] = {accel, NULL};
    X86Registers *r;
    GError *error = NULL;
    Device *cpu;

    io_lock();
    system_set_handler(&handler, NULL);
    guest.log = g_string_new(NULL);
    memory_region_init(&guest.memory_root, NULL, "system", UINT64_MAX);
    memory_region_init(&guest.io_root, NULL, "io", 0x10000);
    ck_assert(memory_region_init_ram(&guest.ram, NULL, "pc.ram", MiB(2), &error));
    ck_assert(memory_region_init_rom(&guest.rom, NULL, "rom", GUEST_WINDOW_SIZE, &error));
    memory_region_init_alias(&guest.show_rom, NULL, "show-rom", &guest.rom, 0,
                             GUEST_WINDOW_SIZE);
    memory_region_init_alias(&guest.show_ram, NULL, "show-ram", &guest.ram, GUEST_WINDOW,
                             GUEST_WINDOW_SIZE);
    memory_region_init_split(&guest.show_split, NULL, "show-split", &guest.rom, 0,
                             &guest.ram, GUEST_WINDOW, GUEST_WINDOW_SIZE);
    memory_region_init_io(&guest.show_nothing, NULL, NULL, NULL, "show-nothing",
                          GUEST_WINDOW_SIZE);
    memory_region_init_io(&guest.ports, NULL, &guest_port_ops, NULL, "ports", 8);

    memory_region_transaction_begin();
    memory_region_add_subregion(&guest.memory_root, 0, &guest.ram);
    MemoryRegion *const shows[] = {&guest.show_rom, &guest.show_ram, &guest.show_split,
                                   &guest.show_nothing};
    for (size_t i = 0; i < G_N_ELEMENTS(shows); i++) {
        memory_region_add_subregion_overlap(&guest.memory_root, GUEST_WINDOW, shows[i], 1);
    }
    memory_region_add_subregion(&guest.io_root, 0x10, &guest.ports);
    guest_show(WINDOW_ROM);
    memory_region_transaction_commit();
    address_space_init(&guest.memory, &guest.memory_root, "memory");
    address_space_init(&guest.io, &guest.io_root, "I/O");

    guest.accel = accel_select(options, NULL, &error);
    ck_assert_msg(guest.accel != NULL, "%s", error ? error->message : "");
    ck_assert_msg(accel_init(guest.accel, &guest.memory, &guest.io, &error), "%s",
                  error ? error->message : "");
    cpu = device_create(TYPE_X86_CPU, NULL, &error);
    ck_assert(cpu != NULL);
    guest.cpu = X86_CPU(cpu);
    guest.cpu->memory = &guest.memory;
    guest.cpu->io = &guest.io;
    guest.cpu->acknowledge = guest_acknowledge;
    ck_assert_msg(accel_create_vcpu(guest.accel, guest.cpu, &error), "%s",
                  error ? error->message : "");

    address_space_write(&guest.memory, GUEST_CODE, MEMTXATTRS_UNSPECIFIED, program,
                        (hwaddr)(end - program));
    device_reset_all();
    r = &guest.cpu->registers;
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        r->segment[i].selector = 0;
        r->segment[i].base = 0;
    }
    r->rip = GUEST_CODE;
    r->gpr[X86_RSP] = GUEST_STACK;
    accel_set_registers(guest.cpu);
    clock_virtual_run(true);
}

/* A guest that has not ended by then hangs, however busy the host is. */
#define GUEST_PATIENCE_MS 60000

/* Lets it run for at most `ms`, or until it ends, asks for a reset or fails. */
static inline void guest_run(unsigned ms)
{
    gint64 until = g_get_monotonic_time() + ms * 1000;

    accel_resume_all(guest.accel);
    while (!guest.ended && !guest.reset && !guest.failed && g_get_monotonic_time() < until) {
        io_unlock();
        g_usleep(200);
        io_lock();
    }
    accel_pause_all(guest.accel);
}

/* Runs it to its end and compares what it logged. */
static inline void guest_expect(const char *accel, const uint8_t *program,
                                const uint8_t *end, const char *log)
{
    guest_start(accel, program, end);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert_msg(!guest.failed, "%s", guest.message);
    ck_assert_msg(guest.ended, "did not end; log \"%s\", at %x:%x", guest.log->str,
                  guest.cpu->registers.segment[X86_CS].selector,
                  (unsigned)guest.cpu->registers.rip);
    ck_assert_str_eq(guest.log->str, log);
}

#define guest_expect_log(program, log) guest_expect(TEST_ACCEL, program, program##_end, log)

#endif
