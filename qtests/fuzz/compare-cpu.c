/*
 * The software CPU beside the host's: random instructions on random operands, with the
 * registers, flags and memory that each leaves behind, executed by x86emu in 32-bit
 * protected mode and by the host in a process of its own, in 64-bit mode's compatibility
 * sub-mode. What the Intel SDM (volume 2) leaves undefined is not compared, nor what an
 * access outside the memory does. Skipped where a process may not map low addresses.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* There is no test run to report to here. */
#undef ck_assert
#undef ck_assert_msg
#define ck_assert(what) g_assert_true(what)
#define ck_assert_msg(what, ...) g_assert_true(what)

#include "qtests/accel-guest.h"
#include "qtests/fuzz/fuzz.h"

#define SKIPPED 77

/* Data, above the 64 KiB that a Linux process cannot map. */
#define MEMORY 0x10000
#define MEMORY_END 0x30000
#define RESUME 0x10600 /* where the case goes on after an exception */
#define VECTOR 0x10604 /* of the exception that the case raised */
#define STACK 0x15000
#define OPERANDS 0x19000
#define OPERAND_WORDS 8
#define RESULTS 0x28000 /* what the cases left, one after the other */
/* Behind the data segments' limit, where no case can write. */
#define HANDLERS 0x70700
#define GDT 0x70a00
#define IDT 0x70b00
#define CODE 0x80000 /* the cases */
#define CODE_SIZE 0x10000

#define CASES 120
#define NO_VECTOR 0xffffffffu
/* Where an access goes wrong is not the same for both. */
#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14

enum { CF = 0x1, PF = 0x4, AF = 0x10, ZF = 0x40, SF = 0x80, DF = 0x400, OF = 0x800 };
#define STATUS (CF | PF | AF | ZF | SF | OF)

typedef struct Result {
    uint32_t gpr[8], flags, vector, memory[OPERAND_WORDS];
    uint32_t unused[14];
} Result;

typedef struct Case {
    uint8_t code[20];
    unsigned length, offset; /* of the instruction in the program */
    uint32_t undefined;      /* flags */
    uint32_t gpr[8], flags, memory[OPERAND_WORDS], stack[8];
} Case;

typedef struct Program {
    uint8_t bytes[CODE_SIZE];
    unsigned length;
    Case cases[CASES];
} Program;

static Program program;

static void emit(uint8_t byte)
{
    g_assert(program.length < sizeof(program.bytes));
    program.bytes[program.length++] = byte;
}

static void emit_bytes(const char *bytes, size_t length)
{
    while (length--) {
        emit((uint8_t)*bytes++);
    }
}

#define EMIT(bytes) emit_bytes(bytes, sizeof(bytes) - 1)

static void emit_value(unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++) {
        emit((uint8_t)(value >> 8 * i));
    }
}

/* -- Instructions ------------------------------------------------------------------ */

static void put(Case *c, uint8_t byte)
{
    c->code[c->length++] = byte;
}

static void put_immediate(Case *c, FuzzRandom *random, unsigned size)
{
    uint64_t value = fuzz_value(random);

    for (unsigned i = 0; i < size; i++) {
        put(c, (uint8_t)(value >> 8 * i));
    }
}

static void put_address(Case *c, FuzzRandom *random)
{
    uint32_t address = OPERANDS + (uint32_t)fuzz_below(random, 24);

    for (unsigned i = 0; i < 4; i++) {
        put(c, (uint8_t)(address >> 8 * i));
    }
}

/* Registers, or memory around OPERANDS. `reg` -1: any. */
static void put_modrm(Case *c, FuzzRandom *random, int reg)
{
    unsigned mod = (unsigned[]){0, 1, 3, 3}[fuzz_below(random, 4)];
    unsigned rm = (unsigned)fuzz_below(random, 8);

    reg = reg < 0 ? (int)fuzz_below(random, 8) : reg;
    put(c, (uint8_t)(mod << 6 | reg << 3 | rm));
    if (mod == 3) {
        return;
    }
    if (rm == 4) {
        unsigned base = (unsigned)fuzz_below(random, 8);

        put(c, (uint8_t)(fuzz_below(random, 256) & 0xf8) | base);
        rm = base;
    }
    if (mod == 1) {
        put(c, (uint8_t)fuzz_below(random, 8));
    } else if (rm == 5) {
        put_address(c, random);
    }
}

/* How an opcode's operands follow it. */
typedef enum Form {
    PLAIN,
    MODRM,
    MODRM_IMM8,
    MODRM_IMM,
    IMM8,
    IMM,
    MEMORY_OFFSET,
    STRING,
    ENTER_FORM,
} Form;

typedef struct Template {
    bool two_bytes;
    uint8_t first, last; /* opcodes */
    Form form;
    int reg_first, reg_last; /* of ModRM; -1: any */
    uint32_t undefined;
} Template;

#define ANY -1, -1

static const Template templates[] = {
    {false, 0x00, 0x03, MODRM, ANY, 0},
    {false, 0x04, 0x04, IMM8, ANY, 0},
    {false, 0x05, 0x05, IMM, ANY, 0},
    {false, 0x08, 0x0b, MODRM, ANY, AF},
    {false, 0x0c, 0x0c, IMM8, ANY, AF},
    {false, 0x10, 0x13, MODRM, ANY, 0},
    {false, 0x15, 0x15, IMM, ANY, 0},
    {false, 0x18, 0x1b, MODRM, ANY, 0},
    {false, 0x1d, 0x1d, IMM, ANY, 0},
    {false, 0x20, 0x23, MODRM, ANY, AF},
    {false, 0x27, 0x27, PLAIN, ANY, OF},
    {false, 0x28, 0x2b, MODRM, ANY, 0},
    {false, 0x2f, 0x2f, PLAIN, ANY, OF},
    {false, 0x30, 0x33, MODRM, ANY, AF},
    {false, 0x37, 0x37, PLAIN, ANY, OF | SF | ZF | PF},
    {false, 0x38, 0x3b, MODRM, ANY, 0},
    {false, 0x3f, 0x3f, PLAIN, ANY, OF | SF | ZF | PF},
    {false, 0x40, 0x4f, PLAIN, ANY, 0},
    {false, 0x50, 0x5f, PLAIN, ANY, 0},
    {false, 0x60, 0x61, PLAIN, ANY, 0},
    {false, 0x62, 0x62, MODRM, ANY, 0},
    {false, 0x68, 0x68, IMM, ANY, 0},
    {false, 0x69, 0x69, MODRM_IMM, ANY, SF | ZF | AF | PF},
    {false, 0x6a, 0x6a, IMM8, ANY, 0},
    {false, 0x6b, 0x6b, MODRM_IMM8, ANY, SF | ZF | AF | PF},
    {false, 0x80, 0x80, MODRM_IMM8, 0, 7, AF},
    {false, 0x81, 0x81, MODRM_IMM, 0, 7, AF},
    {false, 0x83, 0x83, MODRM_IMM8, 0, 7, AF},
    {false, 0x84, 0x85, MODRM, ANY, AF},
    {false, 0x86, 0x8b, MODRM, ANY, 0},
    {false, 0x8d, 0x8d, MODRM, ANY, 0},
    {false, 0x8f, 0x8f, MODRM, 0, 0, 0},
    {false, 0x90, 0x99, PLAIN, ANY, 0},
    {false, 0x9c, 0x9c, PLAIN, ANY, 0},
    {false, 0x9e, 0x9f, PLAIN, ANY, 0},
    {false, 0xa0, 0xa3, MEMORY_OFFSET, ANY, 0},
    {false, 0xa4, 0xa7, STRING, ANY, 0},
    {false, 0xa8, 0xa8, IMM8, ANY, AF},
    {false, 0xa9, 0xa9, IMM, ANY, AF},
    {false, 0xaa, 0xaf, STRING, ANY, 0},
    {false, 0xb0, 0xb7, IMM8, ANY, 0},
    {false, 0xb8, 0xbf, IMM, ANY, 0},
    {false, 0xc0, 0xc1, MODRM_IMM8, 0, 7, AF | OF},
    {false, 0xc6, 0xc6, MODRM_IMM8, 0, 0, 0},
    {false, 0xc7, 0xc7, MODRM_IMM, 0, 0, 0},
    {false, 0xc8, 0xc8, ENTER_FORM, ANY, 0},
    {false, 0xc9, 0xc9, PLAIN, ANY, 0},
    {false, 0xce, 0xce, PLAIN, ANY, 0},
    {false, 0xd0, 0xd1, MODRM, 0, 7, AF},
    {false, 0xd2, 0xd3, MODRM, 0, 7, AF | OF},
    {false, 0xd4, 0xd5, IMM8, ANY, OF | AF | CF},
    {false, 0xd7, 0xd7, PLAIN, ANY, 0},
    {false, 0xf5, 0xf5, PLAIN, ANY, 0},
    {false, 0xf6, 0xf6, MODRM_IMM8, 0, 1, AF},
    {false, 0xf7, 0xf7, MODRM_IMM, 0, 1, AF},
    {false, 0xf6, 0xf7, MODRM, 2, 3, 0},
    {false, 0xf6, 0xf7, MODRM, 4, 5, SF | ZF | AF | PF},
    {false, 0xf6, 0xf7, MODRM, 6, 7, STATUS},
    {false, 0xf8, 0xf9, PLAIN, ANY, 0},
    {false, 0xfc, 0xfd, PLAIN, ANY, 0},
    {false, 0xfe, 0xff, MODRM, 0, 1, 0},
    {false, 0xff, 0xff, MODRM, 6, 6, 0},
    {true, 0x40, 0x4f, MODRM, ANY, 0},
    {true, 0x90, 0x9f, MODRM, ANY, 0},
    {true, 0xa3, 0xa3, MODRM, ANY, OF | SF | AF | PF},
    {true, 0xab, 0xab, MODRM, ANY, OF | SF | AF | PF},
    {true, 0xb3, 0xb3, MODRM, ANY, OF | SF | AF | PF},
    {true, 0xbb, 0xbb, MODRM, ANY, OF | SF | AF | PF},
    {true, 0xba, 0xba, MODRM_IMM8, 4, 7, OF | SF | AF | PF},
    {true, 0xa4, 0xa4, MODRM_IMM8, ANY, AF | OF},
    {true, 0xac, 0xac, MODRM_IMM8, ANY, AF | OF},
    {true, 0xa5, 0xa5, MODRM, ANY, AF | OF},
    {true, 0xad, 0xad, MODRM, ANY, AF | OF},
    {true, 0xaf, 0xaf, MODRM, ANY, SF | ZF | AF | PF},
    {true, 0xb0, 0xb1, MODRM, ANY, 0},
    {true, 0xb6, 0xb7, MODRM, ANY, 0},
    {true, 0xbc, 0xbd, MODRM, ANY, CF | OF | SF | AF | PF},
    {true, 0xbe, 0xbf, MODRM, ANY, 0},
    {true, 0xc0, 0xc1, MODRM, ANY, 0},
    {true, 0xc7, 0xc7, MODRM, 1, 1, 0},
    {true, 0xc8, 0xcf, PLAIN, ANY, 0},
};

/* Counts beyond the operand: SHLD and SHRD give anything, shifts any CF (SDM,
 * volume 2). */
static bool is_undefined(const Template *t, Case *c, unsigned operand, unsigned opcode,
                         unsigned reg)
{
    unsigned count = 0, size = opcode & 1 ? operand : 1;
    bool by_cl =
        t->two_bytes ? opcode == 0xa5 || opcode == 0xad : (opcode & 0xfe) == 0xd2;
    bool doubles = t->two_bytes && (opcode & 0xf6) == 0xa4;
    bool shifts = !t->two_bytes && (opcode & 0xfe) == 0xc0;

    if (by_cl || doubles || shifts) {
        count = (by_cl ? c->gpr[X86_RCX] : c->code[c->length - 1]) & 31;
        if (count == 0) {
            c->undefined = 0;
        }
        if (doubles || (opcode >= 0xa4 && opcode <= 0xad && by_cl)) {
            return count > 8 * operand;
        }
        if (count >= 8 * size && reg >= 4) {
            c->undefined |= CF;
        }
        if (reg < 4) { /* rotations leave AF and the result's flags alone */
            c->undefined &= ~(uint32_t)AF;
        }
    } else if (!t->two_bytes && opcode >= 0xd0 && opcode <= 0xd1 && reg < 4) {
        c->undefined &= ~(uint32_t)AF;
    } else if (t->two_bytes && opcode >= 0xc8 && operand == 2) {
        return true; /* BSWAP of 16 bits */
    }
    /* The arithmetic of group 1 defines AF, its logic does not. */
    if (!t->two_bytes && opcode >= 0x80 && opcode <= 0x83 && reg != 1 && reg != 4 &&
        reg != 6) {
        c->undefined = 0;
    }
    return false;
}

/* Bit strings: not far from OPERANDS. */
static void keep_near(Case *c)
{
    c->gpr[X86_RAX] &= 0xff;
    c->gpr[X86_RCX] &= 0xff;
    c->gpr[X86_RDX] &= 0xff;
    c->gpr[X86_RBX] = OPERANDS;
    c->gpr[X86_RBP] = OPERANDS;
}

/* BSF and BSR of zero leave the destination undefined: OR something in. */
static void avoid_zero(Case *c)
{
    for (unsigned i = 0; i < 8; i++) {
        c->gpr[i] |= c->gpr[i] & 0xffff ? 0 : 0x10;
    }
    for (unsigned i = 0; i < OPERAND_WORDS; i++) {
        c->memory[i] |= 0x01010101;
    }
}

static void make_operands(Case *c, FuzzRandom *random)
{
    for (unsigned i = 0; i < 8; i++) {
        c->gpr[i] = (uint32_t)fuzz_value(random);
        c->memory[i] = (uint32_t)fuzz_value(random);
        c->stack[i] = (uint32_t)fuzz_value(random);
    }
    c->gpr[X86_RSP] = STACK;
    c->gpr[X86_RBX] = OPERANDS + (uint32_t)fuzz_below(random, 8);
    c->gpr[X86_RBP] = OPERANDS + (uint32_t)fuzz_below(random, 8);
    c->gpr[X86_RSI] = (uint32_t)fuzz_below(random, 8);
    c->gpr[X86_RDI] = OPERANDS + (uint32_t)fuzz_below(random, 8);
    c->flags = (uint32_t)fuzz_random(random) & (STATUS | DF);
}

static void put_operands(Case *c, FuzzRandom *random, const Template *t, int reg,
                         unsigned operand)
{
    switch (t->form) {
    case PLAIN:
        break;
    case MODRM:
    case MODRM_IMM8:
    case MODRM_IMM:
        put_modrm(c, random, reg);
        put_immediate(c, random,
                      t->form == MODRM_IMM8  ? 1
                      : t->form == MODRM_IMM ? operand
                                             : 0);
        break;
    case IMM8:
        put_immediate(c, random, 1);
        break;
    case IMM:
        put_immediate(c, random, operand);
        break;
    case MEMORY_OFFSET:
        put_address(c, random);
        break;
    case STRING: /* few steps, on the operands */
        c->gpr[X86_RCX] = (uint32_t)fuzz_below(random, 5);
        c->gpr[X86_RSI] = OPERANDS + 8 + (uint32_t)fuzz_below(random, 8);
        c->gpr[X86_RDI] += 8;
        break;
    case ENTER_FORM:
        put(c, (uint8_t)fuzz_below(random, 64));
        put(c, 0);
        put(c, (uint8_t)fuzz_below(random, 4));
        break;
    }
}

static void make_case(Case *c, FuzzRandom *random)
{
    const Template *t;
    unsigned operand, opcode;
    int reg;

    do {
        t = &templates[fuzz_below(random, G_N_ELEMENTS(templates))];
        *c = (Case){.undefined = t->undefined};
        make_operands(c, random);
        operand = fuzz_once_in(random, 2) ? 4 : 2;
        opcode = t->first + (unsigned)fuzz_below(random, t->last - t->first + 1u);
        reg =
            t->reg_first < 0
                ? -1
                : t->reg_first +
                      (int)fuzz_below(random, (uint64_t)(t->reg_last - t->reg_first + 1));
        if (operand == 2) {
            put(c, 0x66);
        }
        if (t->form == STRING && fuzz_once_in(random, 2)) {
            put(c, fuzz_once_in(random, 2) ? 0xf3 : 0xf2);
        }
        if (t->two_bytes) {
            put(c, 0x0f);
        }
        put(c, (uint8_t)opcode);
        put_operands(c, random, t, reg, operand);
        if (t->two_bytes && (opcode == 0xbc || opcode == 0xbd)) {
            avoid_zero(c);
        } else if (t->two_bytes && (opcode & 0xe7) == 0xa3) {
            keep_near(c);
        }
    } while (is_undefined(t, c, operand, opcode, reg < 0 ? 0 : (unsigned)reg));
}

/* -- Programs ---------------------------------------------------------------------- */

/* movl %eax, RESULTS+offset and so on */
static void emit_save(unsigned reg, size_t offset)
{
    emit(0x89);
    emit((uint8_t)(5 | reg << 3));
    emit_value(4, RESULTS + (uint32_t)offset);
}

/* movl $value, address */
static void emit_store(uint32_t address, uint32_t value)
{
    EMIT("\xc7\x05");
    emit_value(4, address);
    emit_value(4, value);
}

/* movl address, %eax, and to the results */
static void emit_copy(uint32_t address, size_t offset)
{
    EMIT("\xa1");
    emit_value(4, address);
    emit_save(0, offset);
}

static void emit_case(Case *c, unsigned n)
{
    uint32_t result = n * (uint32_t)sizeof(Result);
    unsigned resume;

    emit_store(VECTOR, NO_VECTOR);
    emit_store(RESUME, 0);
    resume = program.length - 4;
    for (unsigned i = 0; i < OPERAND_WORDS; i++) {
        emit_store(OPERANDS + 4 * i, c->memory[i]);
        emit_store(STACK + 4 * i, c->stack[i]);
    }
    EMIT("\x68"); /* pushl, popfl */
    emit_value(4, c->flags | 2);
    EMIT("\x9d");
    for (unsigned i = 1; i < 8; i++) { /* what frames of exceptions have left */
        emit_store(STACK - 4 * i, c->stack[i]);
    }
    for (unsigned i = 0; i < 8; i++) {
        emit((uint8_t)(0xb8 + i));
        emit_value(4, c->gpr[i]);
    }
    c->offset = program.length;
    for (unsigned i = 0; i < c->length; i++) {
        emit(c->code[i]);
    }
    memcpy(program.bytes + resume, &(uint32_t){CODE + program.length}, 4);
    for (unsigned i = 0; i < 8; i++) {
        emit_save(i, result + offsetof(Result, gpr) + 4 * i);
    }
    EMIT("\xbc"); /* movl $STACK, %esp; pushfl; popl %eax */
    emit_value(4, STACK);
    EMIT("\x9c\x58");
    emit_save(0, result + offsetof(Result, flags));
    emit_copy(VECTOR, result + offsetof(Result, vector));
    for (unsigned i = 0; i < OPERAND_WORDS; i++) {
        emit_copy(OPERANDS + 4 * i, result + offsetof(Result, memory) + 4 * i);
    }
}

static void make_program(uint64_t seed)
{
    FuzzRandom random = {seed};

    program.length = 0;
    for (unsigned i = 0; i < CASES; i++) {
        make_case(&program.cases[i], &random);
        emit_case(&program.cases[i], i);
    }
    EMIT("\xe6\x14\xfa\xf4\xeb\xfd"); /* out to PORT_EXIT; cli; hlt */
}

/* -- Running them ------------------------------------------------------------------ */

static void store(hwaddr address, const void *data, size_t length)
{
    address_space_write(&guest.memory, address, MEMTXATTRS_UNSPECIFIED, data, length);
}

/* pushl $vector; popl VECTOR; jmp *RESUME */
static void make_handlers(void)
{
    static const uint64_t descriptors[3] = {0, UINT64_C(0x00cf9b000000ffff),
                                            UINT64_C(0x00cf93000000ffff)};

    store(GDT, descriptors, sizeof(descriptors));
    for (unsigned vector = 0; vector < 32; vector++) {
        uint8_t handler[16] = {0x6a, vector, 0x8f, 0x05, 0, 0, 0, 0, 0xff, 0x25};
        uint32_t at = HANDLERS + 16 * vector;
        uint64_t gate =
            (at & 0xffff) | 8 << 16 | UINT64_C(0x8e00) << 32 | (uint64_t)(at >> 16) << 48;

        memcpy(handler + 4, &(uint32_t){VECTOR}, 4);
        memcpy(handler + 10, &(uint32_t){RESUME}, 4);
        store(at, handler, sizeof(handler));
        store(IDT + 8 * vector, &gate, sizeof(gate));
    }
}

/* Flat code, and data up to the end of the memory. */
static void enter_protected_mode(void)
{
    X86Registers *r = &guest.cpu->registers;

    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        r->segment[i] = (X86Segment){.selector = i == X86_CS ? 8 : 16,
                                     .limit = i == X86_CS ? UINT32_MAX : MEMORY_END - 1,
                                     .attributes = i == X86_CS ? 0xc09b : 0x4093};
    }
    r->cr0 |= 1;
    r->gdt_base = GDT;
    r->gdt_limit = 23;
    r->idt_base = IDT;
    r->idt_limit = 32 * 8 - 1;
    r->rip = CODE;
    r->gpr[X86_RSP] = STACK;
    accel_set_registers(guest.cpu);
}

static void print_words(const char *name, const uint32_t *words, unsigned count)
{
    printf("  %-8s", name);
    for (unsigned i = 0; i < count; i++) {
        printf(" %08x", words[i]);
    }
    printf("\n");
}

static void print_code(const Case *c)
{
    printf("instruction");
    for (unsigned i = 0; i < c->length; i++) {
        printf(" %02x", c->code[i]);
    }
    printf(", flags %03x, undefined %03x\n", c->flags, c->undefined);
    print_words("before", c->gpr, 8);
}

/* The case that a program has not come out of. */
static void print_stuck(void)
{
    const X86Registers *r = &guest.cpu->registers;
    uint32_t resume = 0;
    unsigned n = 0;

    address_space_read(&guest.memory, RESUME, MEMTXATTRS_UNSPECIFIED, &resume, 4);
    while (n + 1 < CASES && program.cases[n + 1].offset + CODE < resume) {
        n++;
    }
    printf("x86emu: the program did not end: at %x:%x%s%s\n", r->segment[X86_CS].selector,
           (unsigned)r->rip, guest.failed ? ": " : "", guest.failed ? guest.message : "");
    print_code(&program.cases[n]);
}

static void run_on_x86emu(Result *results)
{
    static const uint8_t nothing[] = {0xf4};

    guest_start("x86emu", nothing, nothing + 1);
    make_handlers();
    store(CODE, program.bytes, program.length);
    enter_protected_mode();
    guest_run(20000);
    if (!guest.ended) {
        print_stuck();
    }
    address_space_read(&guest.memory, RESULTS, MEMTXATTRS_UNSPECIFIED, results,
                       CASES * sizeof(Result));
    fflush(stdout);
    _exit(!guest.ended);
}

/* -- The host's processor ---------------------------------------------------------- */

#define USER_CODE_32 0x23 /* Linux' selectors of flat segments */
#define USER_DATA 0x2b

static Result *host_results;

/* What the gates do for the other; the program ends in an instruction that the host does
 * not let it execute. */
static void take_signal(int number, siginfo_t *information, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    if ((uint64_t)registers[REG_RIP] >= CODE + program.length - 6) {
        memcpy(host_results, (void *)(uintptr_t)RESULTS, CASES * sizeof(Result));
        _exit(0);
    }
    *(uint32_t *)(uintptr_t)VECTOR = (uint32_t)registers[REG_TRAPNO];
    registers[REG_RIP] = *(uint32_t *)(uintptr_t)RESUME;
}

static void map_at(uintptr_t address, size_t size)
{
    if (mmap((void *)address, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED) {
        _exit(SKIPPED);
    }
}

static void run_on_host(Result *results)
{
    static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP};
    const struct sigaction action = {.sa_sigaction = take_signal,
                                     .sa_flags = SA_SIGINFO | SA_ONSTACK};
    const stack_t stack = {.ss_sp = g_malloc(65536), .ss_size = 65536};

    host_results = results;
    map_at(MEMORY, MEMORY_END - MEMORY);
    map_at(CODE, CODE_SIZE);
    memcpy((void *)(uintptr_t)CODE, program.bytes, program.length);
    mprotect((void *)(uintptr_t)CODE, CODE_SIZE, PROT_READ | PROT_EXEC);
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
    __asm__ volatile("mov %k0, %%ds\n mov %k0, %%es\n mov %1, %%rsp\n"
                     "pushq %2\n pushq %3\n lretq"
                     :
                     : "r"(USER_DATA), "r"((uint64_t)STACK), "i"(USER_CODE_32), "i"(CODE)
                     : "memory");
    __builtin_unreachable();
}

/* -- Comparing --------------------------------------------------------------------- */

/* The exit status of the child. */
static int run_in_child(void (*run)(Result *results), Result *results)
{
    int status = 1;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm(60);
        run(results);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void print_difference(const Case *c, const Result *ours, const Result *host)
{
    print_code(c);
    print_words("x86emu", ours->gpr, 8);
    print_words("host", host->gpr, 8);
    printf("  flags    %03x %03x (host); vector %x %x\n", ours->flags, host->flags,
           ours->vector, host->vector);
    print_words("before", c->memory, OPERAND_WORDS);
    print_words("x86emu", ours->memory, OPERAND_WORDS);
    print_words("host", host->memory, OPERAND_WORDS);
}

/* Page and protection faults are where the host has other memory. */
static bool is_comparable(const Result *ours, const Result *host)
{
    return host->vector != VECTOR_GP && host->vector != VECTOR_PF &&
           ours->vector != VECTOR_GP && ours->vector != VECTOR_SS;
}

static bool differs(const Case *c, const Result *ours, const Result *host)
{
    uint32_t flags = (STATUS | DF) & ~c->undefined;
    bool faulted = host->vector != NO_VECTOR;

    for (unsigned i = 0; i < 8; i++) {
        /* The host's signal has its own stack. */
        if (ours->gpr[i] != host->gpr[i] && !(faulted && i == X86_RSP)) {
            return true;
        }
    }
    return ours->vector != host->vector ||
           (!faulted && ((ours->flags ^ host->flags) & flags)) ||
           memcmp(ours->memory, host->memory, sizeof(host->memory)) != 0;
}

static unsigned compare(uint64_t seed, Result *ours, Result *host)
{
    unsigned differences = 0;
    int status;

    make_program(seed);
    status = run_in_child(run_on_host, host);
    if (status == SKIPPED) {
        printf("compare-cpu: skipped, low addresses cannot be mapped\n");
        exit(SKIPPED);
    }
    if (status != 0 || run_in_child(run_on_x86emu, ours) != 0) {
        printf("--seed %" G_GUINT64_FORMAT ": did not end well (host: %d)\n", seed,
               status);
        return 1;
    }
    for (unsigned i = 0; i < CASES; i++) {
        if (is_comparable(&ours[i], &host[i]) &&
            differs(&program.cases[i], &ours[i], &host[i])) {
            print_difference(&program.cases[i], &ours[i], &host[i]);
            differences++;
        }
    }
    return differences;
}

int main(int argc, char **argv)
{
    gint64 seed = 1, seconds = 10, until;
    unsigned differences = 0, programs = 0;
    int limit = 20;
    const GOptionEntry entries[] = {
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "of the first program", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_INT64, &seconds, "how long", "N"},
        {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "differences to stop after", "N"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    Result *results = mmap(NULL, 2 * CASES * sizeof(Result), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    GError *error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || results == MAP_FAILED) {
        fprintf(stderr, "compare-cpu: %s\n", error ? error->message : "no memory");
        return 2;
    }
    printf("compare-cpu: --seed %" G_GINT64_FORMAT "\n", seed);
    until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    do {
        differences += compare((uint64_t)seed++, results, results + CASES);
        programs++;
    } while (differences < (unsigned)limit && g_get_monotonic_time() < until);
    printf("compare-cpu: %u programs of %d instructions, %u differences\n", programs,
           CASES, differences);
    return differences != 0;
}
