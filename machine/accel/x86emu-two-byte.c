/*
 * The software CPU's interpreter: the instructions of two opcode bytes, 0f xx.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/system.h"
#include "machine/accel/x86emu-decode.h"
#include "memory/io-lock.h"

#define CR0_PG 0x80000000u
#define CR0_ET 0x10u

Outcome soft_multiply_immediate(Instruction *in, uint8_t opcode)
{
    uint32_t factor;
    int64_t product;

    decode_modrm(in);
    if (!reachable(in, in->operand)) {
        return unreachable(in);
    }
    factor = opcode == 0xaf   ? get_register(in->soft, in->reg, in->operand)
             : opcode == 0x6b ? (uint32_t)(int8_t)fetch8(in)
                              : fetch_operand(in);
    product = (int64_t)alu_sign_extend(get_rm(in, in->operand), in->operand) *
              alu_sign_extend(factor, in->operand);
    set_register(in->soft, in->reg, in->operand, (uint32_t)product);
    alu_set_multiply_flags(in->soft, (uint32_t)product & alu_mask(in->operand),
                           product != alu_sign_extend((uint32_t)product, in->operand),
                           in->operand);
    return done(in);
}

static Outcome extend(Instruction *in, uint8_t opcode)
{
    unsigned size = opcode & 1 ? 2 : 1;
    uint32_t value;

    decode_modrm(in);
    if (!reachable(in, size)) {
        return unreachable(in);
    }
    value = get_rm(in, size);
    if (opcode & 8) {
        value = (uint32_t)alu_sign_extend(value, size);
    }
    set_register(in->soft, in->reg, in->operand, value);
    return done(in);
}

/* The library has neither CMPXCHG nor XADD. */
static Outcome exchange_add_or_compare(Instruction *in, uint8_t opcode)
{
    SoftCPU *soft = in->soft;
    unsigned size = opcode & 1 ? in->operand : 1;
    uint32_t old, source;

    decode_modrm(in);
    if (!reachable(in, size)) {
        return unreachable(in);
    }
    old = get_rm(in, size);
    source = get_register(soft, in->reg, size);
    if (opcode >= 0xc0) {
        uint32_t sum = alu_add(soft, old, source, false, size);

        set_register(soft, in->reg, size, old);
        set_rm(in, size, sum);
    } else {
        alu_sub(soft, get_register(soft, 0, size), old, false, size);
        set_rm(in, size, alu_zf(soft) ? source : old);
        if (!alu_zf(soft)) {
            set_register(soft, 0, size, old);
        }
    }
    return done(in);
}

/* 0f c7 /1: CMPXCHG8B */
static Outcome compare_exchange8(Instruction *in)
{
    SoftCPU *soft = in->soft;
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint32_t low, high, at;
    bool equal;

    decode_modrm(in);
    if (in->mod == 3 || in->reg != 1) {
        return fault(in, VECTOR_UD, -1);
    }
    if (!reachable(in, 8)) {
        return unreachable(in);
    }
    at = in->segment->base + in->offset;
    low = soft_load(soft, at, 4);
    high = soft_load(soft, at + 4, 4);
    equal = low == x86->R_EAX && high == x86->R_EDX;
    soft_store(soft, at, 4, equal ? x86->R_EBX : low);
    soft_store(soft, at + 4, 4, equal ? x86->R_ECX : high);
    if (!equal) {
        x86->R_EAX = low;
        x86->R_EDX = high;
    }
    alu_sync_flags(soft);
    x86->R_FLG = (x86->R_FLG & ~(uint32_t)F_ZF) | (equal ? F_ZF : 0);
    return done(in);
}

/* 0f 22 /0: the library would take PG and not page, and clear ET, which is fixed to 1 (SDM
 * volume 3, section 2.5). */
static Outcome guard_control_register(Instruction *in)
{
    SoftCPU *soft = in->soft;
    bool locked;

    decode_modrm(in);
    if (in->reg != 0) {
        return OUTCOME_LIBRARY;
    }
    if (!(*soft_register(soft, in->rm) & CR0_PG)) {
        soft->emu->x86.R_CR0 = *soft_register(soft, in->rm) | CR0_ET;
        return done(in);
    }
    locked = io_lock_unless_held();
    system_fatal("x86emu: the guest turns paging on at %04x:%08x, which the software CPU "
                 "does not do; run it with -accel kvm",
                 soft->emu->x86.R_CS, in->start);
    io_unlock_if(locked);
    accel_hold_all(soft->vcpu->accel);
    return OUTCOME_HALTED;
}

#define CR0_PE 0x1u
#define TSS_BUSY 0x2u /* of a descriptor's type: SDM volume 3, section 7.2.2 */

/* 0f 00 /3, LTR (SDM volume 2A): the library does not mark the segment busy. */
static Outcome load_task_register(Instruction *in)
{
    SoftCPU *soft = in->soft;
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint16_t selector;
    uint32_t at, low, high, type;

    if (!reachable(in, 2)) {
        return unreachable(in);
    }
    selector = (uint16_t)get_rm(in, 2);
    if (!(selector & ~3u) || (x86->R_CS & 3)) {
        return fault(in, VECTOR_GP, 0);
    }
    if ((selector & 4) || (selector | 7u) > x86->R_GDT_LIMIT) {
        return fault(in, VECTOR_GP, selector & ~3u);
    }
    at = x86->R_GDT_BASE + (selector & ~7u);
    low = soft_load(soft, at, 4);
    high = soft_load(soft, at + 4, 4);
    type = high >> 8 & 0x1f;
    if (type != 1 && type != 9) {
        return fault(in, VECTOR_GP, selector & ~3u);
    }
    if (!(high & 0x8000)) {
        return fault(in, VECTOR_NP, selector & ~3u);
    }
    high |= TSS_BUSY << 8;
    soft_store(soft, at + 4, 4, high);
    x86->R_TR = selector;
    x86->R_TR_BASE = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
    x86->R_TR_LIMIT = (low & 0xffff) | (high & 0xf0000);
    x86->R_TR_ACC = (high >> 8 & 0xff) | (high >> 12 & 0xf00);
    if (ACC_G(x86->R_TR_ACC)) {
        x86->R_TR_LIMIT = x86->R_TR_LIMIT << 12 | 0xfff;
    }
    return done(in);
}

/* -- The state of the x87 and SSE units ----------------------------------------------------
 *
 * There is nothing that computes with it, but programs that call others (iPXE's ROM, its
 * loader) save and restore it without asking whether it is there. SDM volume 1, table 10-2. */

enum {
    FXSAVE_FCW = 0,
    FXSAVE_FSW = 2,
    FXSAVE_FTW = 4,
    FXSAVE_MXCSR = 24,
    FXSAVE_MXCSR_MASK = 28,
    FXSAVE_ST = 32,
    FXSAVE_XMM = 160,
    FXSAVE_USED = FXSAVE_XMM + 8 * 16, /* outside 64-bit mode: eight XMM registers */
};

#define MXCSR_MASK 0xffffu
#define CR0_EM_TS 0xcu

/* 0f ae /0 FXSAVE, /1 FXRSTOR */
static Outcome save_or_restore(Instruction *in)
{
    SoftCPU *soft = in->soft;
    X86Registers *r = &soft->vcpu->cpu->registers;
    uint32_t at = in->segment->base + in->offset, mxcsr, mask = MXCSR_MASK;
    uint8_t image[FXSAVE_USED] = {0};

    if (soft->emu->x86.R_CR0 & CR0_EM_TS) {
        return fault(in, VECTOR_NM, -1);
    }
    if (!reachable(in, 512)) {
        return unreachable(in);
    }
    if (at & 15) {
        return fault(in, VECTOR_GP, 0);
    }
    if (in->reg == 0) {
        memcpy(image + FXSAVE_FCW, &r->fcw, sizeof(r->fcw));
        memcpy(image + FXSAVE_FSW, &r->fsw, sizeof(r->fsw));
        image[FXSAVE_FTW] = r->ftw;
        memcpy(image + FXSAVE_MXCSR, &r->mxcsr, sizeof(r->mxcsr));
        memcpy(image + FXSAVE_MXCSR_MASK, &mask, sizeof(mask));
        memcpy(image + FXSAVE_ST, r->fpr, sizeof(r->fpr));
        memcpy(image + FXSAVE_XMM, r->xmm, 8 * sizeof(r->xmm[0]));
        for (uint32_t i = 0; i < FXSAVE_USED; i++) {
            soft_store(soft, at + i, 1, image[i]);
        }
        return done(in);
    }
    for (uint32_t i = 0; i < FXSAVE_USED; i++) {
        image[i] = (uint8_t)soft_load(soft, at + i, 1);
    }
    memcpy(&mxcsr, image + FXSAVE_MXCSR, sizeof(mxcsr));
    if (mxcsr & ~MXCSR_MASK) {
        return fault(in, VECTOR_GP, 0);
    }
    memcpy(&r->fcw, image + FXSAVE_FCW, sizeof(r->fcw));
    memcpy(&r->fsw, image + FXSAVE_FSW, sizeof(r->fsw));
    r->ftw = image[FXSAVE_FTW];
    r->mxcsr = mxcsr;
    memcpy(r->fpr, image + FXSAVE_ST, sizeof(r->fpr));
    memcpy(r->xmm, image + FXSAVE_XMM, 8 * sizeof(r->xmm[0]));
    return done(in);
}

Outcome soft_execute_two_byte(Instruction *in)
{
    SoftCPU *soft = in->soft;
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint8_t opcode = fetch8(in);

    switch (opcode) {
    case 0x00:
        decode_modrm(in);
        return in->reg == 3 && (x86->R_CR0 & CR0_PE) ? load_task_register(in)
                                                     : OUTCOME_LIBRARY;
    case 0x1f: /* NOP with ModRM */
    case 0x18:
        decode_modrm(in);
        return done(in);
    case 0x22:
        return guard_control_register(in);
    case 0x30:
        soft_wrmsr(soft);
        return done(in);
    case 0x31: {
        uint64_t tsc = soft_tsc();

        x86->R_EAX = (uint32_t)tsc;
        x86->R_EDX = (uint32_t)(tsc >> 32);
        return done(in);
    }
    case 0x32:
        soft_rdmsr(soft);
        return done(in);
    case 0x40 ... 0x4f: /* CMOVcc */
        decode_modrm(in);
        if (!reachable(in, in->operand)) {
            return unreachable(in);
        }
        if (alu_condition(soft, opcode)) {
            set_register(soft, in->reg, in->operand, get_rm(in, in->operand));
        }
        return done(in);
    case 0x80 ... 0x8f: { /* Jcc */
        uint32_t distance = in->operand == 4 ? fetch32(in) : fetch16(in);

        return alu_condition(soft, opcode) ? jump(in, here(in) + distance) : done(in);
    }
    case 0x90 ... 0x9f: /* SETcc */
        decode_modrm(in);
        if (!reachable(in, 1)) {
            return unreachable(in);
        }
        set_rm(in, 1, alu_condition(soft, opcode));
        return done(in);
    case 0xa3 ... 0xa5:
    case 0xab ... 0xad:
    case 0xb3:
    case 0xba ... 0xbd:
        return soft_execute_bits(in, opcode);
    case 0xae: /* fences; the rest belongs to units that CPUID does not promise */
        decode_modrm(in);
        if (in->mod != 3 && in->reg <= 1) {
            return save_or_restore(in);
        }
        return in->mod == 3 && in->reg >= 5 ? done(in) : fault(in, VECTOR_UD, -1);
    case 0xaf:
        return soft_multiply_immediate(in, opcode);
    case 0xb0:
    case 0xb1:
    case 0xc0:
    case 0xc1:
        return exchange_add_or_compare(in, opcode);
    case 0xb6:
    case 0xb7:
    case 0xbe:
    case 0xbf:
        return extend(in, opcode);
    case 0xc7:
        return compare_exchange8(in);
    case 0xc8 ... 0xcf:
        if (in->operand == 2) {
            return OUTCOME_LIBRARY;
        }
        *soft_register(soft, opcode & 7) = __builtin_bswap32(*soft_register(soft, opcode & 7));
        return done(in);
    case 0x10 ... 0x17: /* SSE */
    case 0x28 ... 0x2f:
    case 0x50 ... 0x7f:
        return fault(in, VECTOR_UD, -1);
    default:
        return OUTCOME_LIBRARY;
    }
}
