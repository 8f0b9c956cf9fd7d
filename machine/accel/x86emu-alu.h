/*
 * Arithmetic and flags of the software CPU's interpreter. Operands are zero-extended;
 * `size` is 1, 2 or 4 bytes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_X86EMU_ALU_H
#define MACHINE_ACCEL_X86EMU_ALU_H

#include "machine/accel/x86emu-internal.h"

/* As bits 3-5 of opcodes and ModRM bytes number them. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAL, SHIFT_SAR };

#define ARITHMETIC_FLAGS ((uint32_t)(F_CF | F_PF | F_AF | F_ZF | F_SF | F_OF))

static inline uint32_t alu_mask(unsigned size)
{
    return UINT32_MAX >> (32 - 8 * size);
}

static inline int32_t alu_sign_extend(uint32_t value, unsigned size)
{
    unsigned shift = 32 - 8 * size;

    return (int32_t)(value << shift) >> shift;
}

static inline void alu_set_flags(SoftCPU *soft, uint32_t result, unsigned size,
                                 uint32_t carries, bool carry)
{
    soft->flags = (LazyFlags){
        .valid = true,
        .carry = carry,
        .top = (uint8_t)(8 * size - 1),
        .result = alu_sign_extend(result, size),
        .carries = carries,
    };
}

static inline bool alu_cf(const SoftCPU *soft)
{
    return soft->flags.valid ? soft->flags.carry : soft->emu->x86.R_FLG & F_CF;
}

static inline bool alu_zf(const SoftCPU *soft)
{
    return soft->flags.valid ? soft->flags.result == 0
                             : (soft->emu->x86.R_FLG & F_ZF) != 0;
}

static inline bool alu_sf(const SoftCPU *soft)
{
    return soft->flags.valid ? soft->flags.result < 0 : (soft->emu->x86.R_FLG & F_SF) != 0;
}

static inline bool alu_of(const SoftCPU *soft)
{
    return soft->flags.valid ? (soft->flags.carries >> soft->flags.top ^
                                soft->flags.carries >> (soft->flags.top - 1)) & 1
                             : (soft->emu->x86.R_FLG & F_OF) != 0;
}

static inline bool alu_pf(const SoftCPU *soft)
{
    return soft->flags.valid ? !__builtin_parity((unsigned)soft->flags.result & 0xff)
                             : (soft->emu->x86.R_FLG & F_PF) != 0;
}

/* Writes the flags to EFLAGS, where the library and everything else has them. */
static inline void alu_sync_flags(SoftCPU *soft)
{
    uint32_t flags;

    if (!soft->flags.valid) {
        return;
    }
    flags = soft->emu->x86.R_FLG & ~ARITHMETIC_FLAGS;
    flags |= soft->flags.carry ? F_CF : 0;
    flags |= alu_pf(soft) ? F_PF : 0;
    flags |= soft->flags.carries & 8 ? F_AF : 0;
    flags |= alu_zf(soft) ? F_ZF : 0;
    flags |= alu_sf(soft) ? F_SF : 0;
    flags |= alu_of(soft) ? F_OF : 0;
    soft->emu->x86.R_FLG = flags;
    soft->flags.valid = false;
}

/* The condition of Jcc, SETcc and CMOVcc by its number. */
static inline bool alu_condition(const SoftCPU *soft, unsigned n)
{
    bool holds;

    switch (n >> 1 & 7) {
    case 0:
        holds = alu_of(soft);
        break;
    case 1:
        holds = alu_cf(soft);
        break;
    case 2:
        holds = alu_zf(soft);
        break;
    case 3:
        holds = alu_cf(soft) || alu_zf(soft);
        break;
    case 4:
        holds = alu_sf(soft);
        break;
    case 5:
        holds = alu_pf(soft);
        break;
    case 6:
        holds = alu_sf(soft) != alu_of(soft);
        break;
    default:
        holds = alu_zf(soft) || alu_sf(soft) != alu_of(soft);
        break;
    }
    return holds != (n & 1);
}

static inline uint32_t alu_add(SoftCPU *soft, uint32_t a, uint32_t b, bool carry,
                               unsigned size)
{
    uint32_t result = a + b + carry;
    uint32_t carries = (a & b) | ((a | b) & ~result);

    alu_set_flags(soft, result, size, carries, carries >> (8 * size - 1) & 1);
    return result & alu_mask(size);
}

static inline uint32_t alu_sub(SoftCPU *soft, uint32_t a, uint32_t b, bool borrow,
                               unsigned size)
{
    uint32_t result = a - b - borrow;
    uint32_t borrows = (~a & b) | ((~a | b) & result);

    alu_set_flags(soft, result, size, borrows, borrows >> (8 * size - 1) & 1);
    return result & alu_mask(size);
}

static inline uint32_t alu_logic(SoftCPU *soft, uint32_t result, unsigned size)
{
    alu_set_flags(soft, result, size, 0, false);
    return result;
}

/* One of the eight operations; the caller drops the result of ALU_CMP. */
static inline uint32_t alu_operate(SoftCPU *soft, unsigned operation, uint32_t a, uint32_t b,
                                   unsigned size)
{
    switch (operation) {
    case ALU_ADD:
        return alu_add(soft, a, b, false, size);
    case ALU_OR:
        return alu_logic(soft, a | b, size);
    case ALU_ADC:
        return alu_add(soft, a, b, alu_cf(soft), size);
    case ALU_SBB:
        return alu_sub(soft, a, b, alu_cf(soft), size);
    case ALU_AND:
        return alu_logic(soft, a & b, size);
    case ALU_XOR:
        return alu_logic(soft, a ^ b, size);
    default:
        return alu_sub(soft, a, b, false, size);
    }
}

/* INC and DEC leave CF alone. */
static inline uint32_t alu_step(SoftCPU *soft, uint32_t a, bool down, unsigned size)
{
    bool carry = alu_cf(soft);

    a = down ? alu_sub(soft, a, 1, false, size) : alu_add(soft, a, 1, false, size);
    soft->flags.carry = carry;
    return a;
}

static inline void alu_set_rotate_flags(SoftCPU *soft, bool carry, bool overflow)
{
    uint32_t *flags = &soft->emu->x86.R_FLG;

    alu_sync_flags(soft);
    *flags = (*flags & ~(uint32_t)(F_CF | F_OF)) | (carry ? F_CF : 0) | (overflow ? F_OF : 0);
}

/* RCL and RCR: the carry flag is one bit more. */
static inline uint32_t alu_rotate_through_carry(SoftCPU *soft, bool left, uint32_t a,
                                                unsigned count, unsigned size)
{
    unsigned bits = 8 * size, top = bits - 1;
    uint64_t wide = (uint64_t)alu_cf(soft) << bits | a;
    uint32_t result;
    bool carry;

    count %= bits + 1;
    count = left || count == 0 ? count : bits + 1 - count;
    wide = wide << count | (count ? wide >> (bits + 1 - count) : 0);
    carry = wide >> bits & 1;
    result = (uint32_t)wide & alu_mask(size);
    alu_set_rotate_flags(soft, carry,
                         (result >> top & 1) != (left ? carry : result >> (top - 1) & 1));
    return result;
}

/* `count` is already taken modulo 32 and not 0. */
static inline uint32_t alu_shift(SoftCPU *soft, unsigned operation, uint32_t a,
                                 unsigned count, unsigned size)
{
    unsigned bits = 8 * size, top = bits - 1;
    uint32_t result;
    bool carry, overflow;

    switch (operation) {
    case SHIFT_ROL:
    case SHIFT_ROR:
        count = operation == SHIFT_ROL ? count % bits : (bits - count % bits) % bits;
        result = count ? (a << count | a >> (bits - count)) & alu_mask(size) : a;
        carry = operation == SHIFT_ROL ? result & 1 : result >> top & 1;
        overflow = operation == SHIFT_ROL ? (result >> top & 1) != carry
                                          : (result >> top & 1) != (result >> (top - 1) & 1);
        alu_set_rotate_flags(soft, carry, overflow);
        return result;
    case SHIFT_RCL:
    case SHIFT_RCR:
        return alu_rotate_through_carry(soft, operation == SHIFT_RCL, a, count, size);
    case SHIFT_SHR:
        result = a >> count;
        carry = a >> (count - 1) & 1;
        overflow = a >> top & 1;
        break;
    case SHIFT_SAR:
        result = (uint32_t)(alu_sign_extend(a, size) >> count) & alu_mask(size);
        carry = alu_sign_extend(a, size) >> (count - 1) & 1;
        overflow = false;
        break;
    default: {
        uint64_t wide = (uint64_t)a << count;

        result = (uint32_t)wide & alu_mask(size);
        carry = wide >> bits & 1;
        overflow = (result >> top & 1) != carry;
        break;
    }
    }
    alu_set_flags(soft, result, size, (uint32_t)overflow << top, carry);
    return result;
}

static inline void alu_set_multiply_flags(SoftCPU *soft, uint32_t low, bool overflow,
                                          unsigned size)
{
    alu_set_flags(soft, low, size, (uint32_t)overflow << (8 * size - 1), overflow);
}

#endif
