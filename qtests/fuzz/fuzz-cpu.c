/*
 * Hostile programs for the software CPU: instructions that make some sense and bytes that
 * make none, in real and protected mode, over descriptor tables of the same kind.
 * Whatever a program does, the monitor's "stop" must come back and the host's memory stay
 * whole.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <stdio.h>

/* There is no test run to report to here. */
#undef ck_assert
#undef ck_assert_msg
#define ck_assert(what) g_assert_true(what)
#define ck_assert_msg(what, ...) g_assert_true(what)

#include "qtests/accel-guest.h"
#include "qtests/fuzz/fuzz.h"

#define GDT 0x4000
#define GDT_ENTRIES 32
#define IDT 0x5000
#define PROGRAM_BYTES 0x800
#define RUN_MS 2

typedef struct Code {
    uint8_t bytes[PROGRAM_BYTES];
    unsigned length;
} Code;

static void emit(Code *code, uint8_t byte)
{
    if (code->length < sizeof(code->bytes)) {
        code->bytes[code->length++] = byte;
    }
}

static void emit_value(Code *code, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++) {
        emit(code, (uint8_t)(value >> 8 * i));
    }
}

/* -- Programs ---------------------------------------------------------------------- */

static void emit_prefixes(Code *code, FuzzRandom *random)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0xf0, 0xf2, 0xf3};
    unsigned count = fuzz_once_in(random, 40) ? 14 : fuzz_once_in(random, 2);

    while (count--) {
        emit(code, prefixes[fuzz_below(random, G_N_ELEMENTS(prefixes))]);
    }
}

static void emit_any(Code *code, FuzzRandom *random)
{
    emit_prefixes(code, random);
    if (fuzz_once_in(random, 4)) {
        emit(code, 0x0f);
    }
    emit(code, (uint8_t)fuzz_random(random));
    emit(code, (uint8_t)fuzz_random(random));
    emit_value(code, (unsigned)fuzz_below(random, 5), fuzz_value(random));
}

static uint16_t pick_selector(FuzzRandom *random)
{
    return (uint16_t)(fuzz_once_in(random, 8) ? fuzz_value(random)
                                              : fuzz_below(random, GDT_ENTRIES) * 8 |
                                                    (fuzz_once_in(random, 4) ? 3 : 0));
}

/* What changes the mode, the tables, the stack and the flow. */
static void emit_system(Code *code, FuzzRandom *random)
{
    static const uint8_t plain[] = {0xcf, 0xcb, 0xf4, 0xfb, 0xfa, 0x9d, 0x9c, 0x17, 0x07,
                                    0x1f, 0xcc, 0xce, 0xc9, 0x60, 0x61, 0xd7, 0x27, 0x3f};
    unsigned reg = (unsigned)fuzz_below(random, 8);

    emit_prefixes(code, random);
    switch (fuzz_below(random, 14)) {
    case 0: /* MOV to CR0: PE, seldom PG */
        emit(code, 0x66);
        emit(code, 0xb8);
        emit_value(code, 4,
                   fuzz_below(random, 2) | (fuzz_once_in(random, 20) ? 1u << 31 : 0));
        emit_value(code, 3, 0xc0220f);
        break;
    case 1: /* MOV to and from control and debug registers */
        emit(code, 0x0f);
        emit(code, 0x20 + (uint8_t)fuzz_below(random, 8));
        emit(code, 0xc0 | (uint8_t)fuzz_random(random));
        break;
    case 2: /* far JMP, CALL */
        emit(code, fuzz_once_in(random, 2) ? 0xea : 0x9a);
        emit_value(code, 2, GUEST_CODE + fuzz_below(random, PROGRAM_BYTES));
        emit_value(code, 2, pick_selector(random));
        break;
    case 3: /* segment registers */
        emit(code, 0xb8);
        emit_value(code, 2, pick_selector(random));
        emit(code, 0x8e);
        emit(code, 0xc0 | (uint8_t)(fuzz_below(random, 8) << 3));
        break;
    case 4: /* LGDT, LIDT, SMSW, LMSW, LLDT, LTR and their like */
        emit(code, 0x0f);
        emit(code, (uint8_t)fuzz_below(random, 2));
        emit(code, (uint8_t)fuzz_random(random));
        emit_value(code, 2, fuzz_value(random));
        break;
    case 5:
        emit(code, 0xcd);
        emit(code, (uint8_t)fuzz_value(random));
        break;
    case 6: /* the machine's ports */
        emit(code, 0xb0);
        emit(code, (uint8_t)fuzz_below(random, 5));
        emit(code, fuzz_once_in(random, 3) ? 0xe4 : 0xe6);
        emit(code, PORT_WINDOW + (uint8_t)fuzz_below(random, 4));
        break;
    case 7: /* strings */
        emit(code, 0xb9);
        emit_value(code, 2, fuzz_value(random));
        emit(code, fuzz_once_in(random, 2) ? 0xf3 : 0xf2);
        emit(code, (uint8_t[]){0xa4, 0xa5, 0xaa, 0xab, 0xa6, 0xa7, 0xac, 0xae, 0x6c,
                               0x6e}[fuzz_below(random, 10)]);
        break;
    case 8: /* registers */
        emit(code, 0x66);
        emit(code, 0xb8 | (uint8_t)reg);
        emit_value(code, 4,
                   fuzz_once_in(random, 2) ? fuzz_below(random, MiB(2))
                                           : fuzz_value(random));
        break;
    case 9: /* flow */
        emit(code,
             fuzz_once_in(random, 2) ? 0xe2 : 0x70 | (uint8_t)fuzz_below(random, 16));
        emit(code, (uint8_t)fuzz_random(random));
        break;
    case 10: /* ENTER, with its levels */
        emit(code, 0xc8);
        emit_value(code, 3, fuzz_value(random));
        break;
    case 11: /* MSRs */
        emit(code, 0x66);
        emit(code, 0xb9);
        emit_value(code, 4, fuzz_value(random));
        emit(code, 0x0f);
        emit(code, fuzz_once_in(random, 2) ? 0x30 : 0x32);
        break;
    case 12: /* divisions */
        emit(code, 0xf6 | (uint8_t)fuzz_below(random, 2));
        emit(code, 0xf0 | (uint8_t)fuzz_below(random, 16));
        break;
    default:
        emit(code, plain[fuzz_below(random, G_N_ELEMENTS(plain))]);
    }
}

static void make_program(Code *code, FuzzRandom *random)
{
    bool repeats = fuzz_once_in(random, 16);
    unsigned length;

    code->length = 0;
    if (repeats) { /* one short thing, over and over */
        emit_any(code, random);
        emit_system(code, random);
        length = (unsigned)fuzz_below(random, MIN(code->length, 4)) + 1;
        code->length = length;
        while (code->length < sizeof(code->bytes)) {
            emit(code, code->bytes[code->length - length]);
        }
    }
    while (code->length < sizeof(code->bytes)) {
        if (fuzz_once_in(random, 3)) {
            emit_system(code, random);
        } else {
            emit_any(code, random);
        }
    }
}

static uint64_t make_descriptor(FuzzRandom *random)
{
    static const uint8_t access[] = {0x9b, 0x93, 0x97, 0x9f, 0x89, 0x8b, 0x82, 0x84,
                                     0x8c, 0x85, 0x9a, 0xfb, 0xf3, 0x1b, 0x8e, 0x86};
    uint64_t base = fuzz_once_in(random, 2) ? 0 : fuzz_value(random) & UINT32_MAX;
    uint64_t limit = fuzz_once_in(random, 2) ? 0xfffff : fuzz_value(random) & 0xfffff;
    uint64_t flags = fuzz_once_in(random, 2) ? 0xc : fuzz_below(random, 16);

    if (fuzz_once_in(random, 8)) {
        return fuzz_random(random);
    }
    return (limit & 0xffff) | (base & 0xffffff) << 16 |
           (uint64_t)access[fuzz_below(random, G_N_ELEMENTS(access))] << 40 |
           (limit >> 16) << 48 | flags << 52 | (base >> 24) << 56;
}

/* The real-mode vectors, or gates, lead into the program. */
static uint64_t make_gate(FuzzRandom *random, bool protected_mode)
{
    static const uint8_t access[] = {0x8e, 0x8f, 0x86, 0x87, 0x85, 0xee, 0x0e, 0x9b};
    uint64_t to = GUEST_CODE + fuzz_below(random, PROGRAM_BYTES);

    if (!protected_mode) {
        return to | (GUEST_CODE + fuzz_below(random, PROGRAM_BYTES)) << 32;
    }
    return to | (uint64_t)pick_selector(random) << 16 |
           (uint64_t)access[fuzz_below(random, G_N_ELEMENTS(access))] << 40;
}

/* -- Running them ------------------------------------------------------------------ */

static void put(hwaddr address, const void *data, size_t length)
{
    address_space_write(&guest.memory, address, MEMTXATTRS_UNSPECIFIED, data, length);
}

static void set_registers(FuzzRandom *random, unsigned mode)
{
    X86Registers *r = &guest.cpu->registers;

    for (unsigned i = 0; i < 8; i++) {
        r->gpr[i] = (uint32_t)(fuzz_once_in(random, 2) ? fuzz_below(random, MiB(2))
                                                       : fuzz_value(random));
    }
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        r->segment[i].selector = mode ? 8 : 0;
        r->segment[i].base = 0;
        r->segment[i].limit = mode == 2 ? UINT32_MAX : 0xffff;
        r->segment[i].attributes = (i == X86_CS ? 0x9b : 0x93) | (mode == 2 ? 0xc000 : 0);
    }
    r->cr0 = mode != 0;
    r->gdt_base = GDT;
    r->gdt_limit = GDT_ENTRIES * 8 - 1;
    r->idt_base = mode ? IDT : 0;
    r->idt_limit = mode ? 0x7ff : 0x3ff;
    r->rip = GUEST_CODE + (mode ? 0 : fuzz_below(random, 16));
    r->gpr[X86_RSP] = GUEST_STACK;
    r->rflags = fuzz_random(random) & 0x0fd5; /* IF and TF as well */
    accel_set_registers(guest.cpu);
}

static bool step(uint64_t number)
{
    FuzzRandom random = {number};
    unsigned mode =
        (unsigned)fuzz_below(&random, 3); /* real, 16-bit and 32-bit protected */
    uint64_t table[256];
    Code code;

    make_program(&code, &random);
    if (fuzz_verbose) {
        printf("mode %u, at 0x%x:", mode, GUEST_CODE);
        for (unsigned i = 0; i < code.length; i++) {
            printf(" %02x", code.bytes[i]);
        }
        printf("\n");
        fflush(stdout);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        table[i] = make_descriptor(&random);
    }
    put(GDT, table, GDT_ENTRIES * 8);
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        table[i] = make_gate(&random, mode != 0);
    }
    put(mode ? IDT : 0, table, mode ? sizeof(table) : 0x400);
    for (hwaddr at = GUEST_CODE; at < 0x4000; at += sizeof(code.bytes)) {
        put(at, code.bytes, sizeof(code.bytes));
    }
    for (hwaddr at = 0x10000; at < 0x20000 && fuzz_once_in(&random, 20);
         at += sizeof(code.bytes)) {
        put(at, code.bytes, sizeof(code.bytes)); /* a segment full of it */
    }
    guest.ended = guest.reset = guest.failed = false;
    device_reset_all();
    guest.cpu->intr = false;
    set_registers(&random, mode);
    guest_run(RUN_MS);
    g_string_truncate(guest.log, 0);
    return true;
}

static void start(uint64_t seed)
{
    static const uint8_t nothing[] = {0xf4};

    guest_start("x86emu", nothing, nothing + 1);
}

int main(int argc, char **argv)
{
    static const Fuzz fuzz = {
        .name = "fuzz-cpu", .steps = 2000, .start = start, .step = step};

    return fuzz_main(&fuzz, argc, argv);
}
