/*
 * One instruction on its way through the software CPU's interpreter.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_X86EMU_FAST_H
#define MACHINE_ACCEL_X86EMU_FAST_H

#include "machine/accel/x86emu-internal.h"

typedef struct Instruction {
    SoftCPU *soft;
    const uint8_t *bytes; /* where it starts: WINDOW_BYTES are readable */
    const uint8_t *next;  /* what is not decoded yet */
    uint32_t start;       /* EIP of its first byte */
    bool code32;
    unsigned operand; /* size in bytes: 2 or 4 */
    unsigned address; /* the same */
    uint8_t repeat;   /* 0xf2, 0xf3 or 0 */
    sel_t *override;  /* a segment prefix's, or NULL */

    uint8_t mod, reg, rm; /* of the ModRM byte */
    sel_t *segment;       /* of the memory operand */
    uint32_t offset;
} Instruction;

typedef enum Outcome {
    OUTCOME_DONE,
    OUTCOME_LIBRARY, /* nothing was changed: libx86emu executes it */
    OUTCOME_HALTED,  /* done, and the thread leaves the guest */
} Outcome;

/* Registers by their number in instructions: AX CX DX BX SP BP SI DI. */
static inline uint32_t *soft_register(SoftCPU *soft, unsigned n)
{
    static const uint8_t place[8] = {0, 2, 3, 1, 4, 5, 6, 7};

    return &((i386_general_register *)&soft->emu->x86.gen)[place[n]].I32_reg.e_reg;
}

/* Read and written by its size: a processor cannot forward a half to a whole. */
static inline uint16_t *soft_register16(SoftCPU *soft, unsigned n)
{
    return &((i386_general_register *)soft_register(soft, n))->I16_reg.x_reg;
}

static inline uint8_t *soft_register8(SoftCPU *soft, unsigned n)
{
    i386_general_register *r = (i386_general_register *)soft_register(soft, n & 3);

    return n & 4 ? &r->I8_reg.h_reg : &r->I8_reg.l_reg;
}

static inline bool soft_in_limit(const sel_t *segment, uint32_t offset, unsigned size)
{
    return offset <= segment->limit && size - 1 <= segment->limit - offset;
}

/* 0f xx (x86emu-two-byte.c), and IMUL by what 69, 6b and 0f af bring. */
Outcome soft_execute_two_byte(Instruction *in);
Outcome soft_multiply_immediate(Instruction *in, uint8_t opcode);

/* What the library has and does not do as a processor (x86emu-exact.c): the opcodes of one
 * byte, and of two. */
Outcome soft_execute_exact(Instruction *in, uint8_t opcode);
Outcome soft_execute_bits(Instruction *in, uint8_t opcode);

/* String instructions (x86emu-string.c). They can be interrupted between two steps. */
Outcome soft_execute_string(Instruction *in, uint8_t opcode);

#endif
