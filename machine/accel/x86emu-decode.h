/*
 * How the software CPU's interpreter reads an instruction and its operands, and how one
 * ends.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_X86EMU_DECODE_H
#define MACHINE_ACCEL_X86EMU_DECODE_H

#include "machine/accel/x86emu-alu.h"
#include "machine/accel/x86emu-fast.h"

/* -- Decoding ---------------------------------------------------------------------------- */

static inline uint8_t fetch8(Instruction *in)
{
    return *in->next++;
}

static inline uint32_t fetch16(Instruction *in)
{
    uint16_t value;

    memcpy(&value, in->next, 2);
    in->next += 2;
    return value;
}

static inline uint32_t fetch32(Instruction *in)
{
    uint32_t value;

    memcpy(&value, in->next, 4);
    in->next += 4;
    return value;
}

static inline uint32_t fetch_operand(Instruction *in)
{
    return in->operand == 4 ? fetch32(in) : fetch16(in);
}

static inline void decode_address16(Instruction *in)
{
    static const uint8_t first[8] = {3, 3, 5, 5, 6, 7, 5, 3}; /* BX BX BP BP SI DI BP BX */
    static const uint8_t second[8] = {6, 7, 6, 7, 8, 8, 8, 8}; /* SI DI SI DI */
    SoftCPU *soft = in->soft;
    unsigned base = first[in->rm], index = second[in->rm];
    uint32_t offset = 0;

    if (in->mod == 0 && in->rm == 6) {
        in->offset = fetch16(in);
        return;
    }
    offset = *soft_register16(soft, base) + (index < 8 ? *soft_register16(soft, index) : 0u);
    if (in->mod == 1) {
        offset += (uint32_t)(int8_t)fetch8(in);
    } else if (in->mod == 2) {
        offset += fetch16(in);
    }
    if (base == 5 && !in->override) {
        in->segment = &soft->emu->x86.seg[R_SS_INDEX];
    }
    in->offset = offset & 0xffff;
}

static inline void decode_address32(Instruction *in)
{
    SoftCPU *soft = in->soft;
    unsigned base = in->rm;
    uint32_t offset = 0;

    if (base == 4) {
        uint8_t sib = fetch8(in);
        unsigned index = sib >> 3 & 7;

        base = sib & 7;
        if (index != 4) {
            offset = *soft_register(soft, index) << (sib >> 6);
        }
    }
    if (in->mod == 0 && base == 5) {
        offset += fetch32(in);
    } else {
        offset += *soft_register(soft, base);
        if ((base == 4 || base == 5) && !in->override) {
            in->segment = &soft->emu->x86.seg[R_SS_INDEX];
        }
    }
    if (in->mod == 1) {
        offset += (uint32_t)(int8_t)fetch8(in);
    } else if (in->mod == 2) {
        offset += fetch32(in);
    }
    in->offset = offset;
}

static inline void decode_modrm(Instruction *in)
{
    uint8_t byte = fetch8(in);

    in->mod = byte >> 6;
    in->reg = byte >> 3 & 7;
    in->rm = byte & 7;
    in->segment = in->override ? in->override : &in->soft->emu->x86.seg[R_DS_INDEX];
    if (in->mod == 3) {
        return;
    }
    if (in->address == 4) {
        decode_address32(in);
    } else {
        decode_address16(in);
    }
}

/* -- Operands ---------------------------------------------------------------------------- */

static inline uint32_t get_register(SoftCPU *soft, unsigned n, unsigned size)
{
    if (size == 1) {
        return *soft_register8(soft, n);
    }
    return size == 4 ? *soft_register(soft, n) : *soft_register16(soft, n);
}

static inline void set_register(SoftCPU *soft, unsigned n, unsigned size, uint32_t value)
{
    if (size == 1) {
        *soft_register8(soft, n) = (uint8_t)value;
    } else if (size == 4) {
        *soft_register(soft, n) = value;
    } else {
        *soft_register16(soft, n) = (uint16_t)value;
    }
}

/* Whether the operand of the ModRM byte lies within its segment. */
static inline bool reachable(const Instruction *in, unsigned size)
{
    return in->mod == 3 || soft_in_limit(in->segment, in->offset, size);
}

static inline uint32_t get_rm(Instruction *in, unsigned size)
{
    if (in->mod == 3) {
        return get_register(in->soft, in->rm, size);
    }
    return soft_load(in->soft, in->segment->base + in->offset, size);
}

static inline void set_rm(Instruction *in, unsigned size, uint32_t value)
{
    if (in->mod == 3) {
        set_register(in->soft, in->rm, size, value);
    } else {
        soft_store(in->soft, in->segment->base + in->offset, size, value);
    }
}

static inline bool push(SoftCPU *soft, unsigned size, uint32_t value)
{
    x86emu_regs_t *x86 = &soft->emu->x86;
    bool wide = ACC_D(x86->R_SS_ACC);
    uint32_t sp = (wide ? x86->R_ESP : x86->R_SP) - size;

    sp = wide ? sp : sp & 0xffff;
    if (!soft_in_limit(&x86->seg[R_SS_INDEX], sp, size)) {
        return false;
    }
    soft_store(soft, x86->R_SS_BASE + sp, size, value);
    if (wide) {
        x86->R_ESP = sp;
    } else {
        x86->R_SP = (uint16_t)sp;
    }
    return true;
}

static inline bool pop(SoftCPU *soft, unsigned size, uint32_t *value)
{
    x86emu_regs_t *x86 = &soft->emu->x86;
    bool wide = ACC_D(x86->R_SS_ACC);
    uint32_t sp = wide ? x86->R_ESP : x86->R_SP;

    if (!soft_in_limit(&x86->seg[R_SS_INDEX], sp, size)) {
        return false;
    }
    *value = soft_load(soft, x86->R_SS_BASE + sp, size);
    if (wide) {
        x86->R_ESP += size;
    } else {
        x86->R_SP = (uint16_t)(x86->R_SP + size);
    }
    return true;
}

static inline uint32_t here(const Instruction *in)
{
    uint32_t eip = in->start + (uint32_t)(in->next - in->bytes);

    return in->code32 ? eip : eip & 0xffff;
}

static inline Outcome done(Instruction *in)
{
    in->soft->emu->x86.R_EIP = here(in);
    return OUTCOME_DONE;
}

static inline Outcome jump(Instruction *in, uint32_t eip)
{
    in->soft->emu->x86.R_EIP = in->operand == 4 ? eip : eip & 0xffff;
    return OUTCOME_DONE;
}

static inline Outcome fault(Instruction *in, uint8_t vector, int64_t error_code)
{
    alu_sync_flags(in->soft);
    in->soft->emu->x86.R_EIP = in->start;
    soft_deliver(in->soft, vector, EVENT_EXCEPTION, error_code);
    return OUTCOME_DONE;
}

/* The memory operand is beyond its segment's limit. */
static inline Outcome unreachable(Instruction *in)
{
    bool stack = in->segment == &in->soft->emu->x86.seg[R_SS_INDEX];

    return fault(in, stack ? VECTOR_SS : VECTOR_GP, 0);
}

#endif
