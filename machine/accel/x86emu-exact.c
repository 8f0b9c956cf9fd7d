/*
 * The software CPU's interpreter: instructions that libx86emu 3.5 has, but executes
 * otherwise than a processor (qtests/fuzz/compare-cpu.c finds them): double shifts, bit
 * tests in memory, bit scans of zero, decimal adjustments, LAHF, XLAT and ENTER with
 * prefixes, BOUND. Their meaning is in the Intel SDM, volume 2, under their names.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/x86emu-decode.h"

#define VECTOR_BR 5

enum { REGISTER_AX = 0, REGISTER_BX = 3, REGISTER_BP = 5, REGISTER_AH = 4 };

/* -- Two opcode bytes -------------------------------------------------------------- */

/* SHLD, SHRD. Beyond 16 a count of words is undefined; processors go on with the
 * destination's own bits. */
static Outcome double_shift(Instruction *in, uint8_t opcode)
{
    SoftCPU *soft = in->soft;
    unsigned bits = 8 * in->operand, count;
    bool left = opcode < 0xa8;
    uint64_t a, b, wide;
    uint32_t result;
    bool carry, overflow;

    decode_modrm(in);
    count = (opcode & 1 ? soft->emu->x86.R_CL : fetch8(in)) & 31;
    if (!reachable(in, in->operand)) {
        return unreachable(in);
    }
    if (count == 0) {
        return done(in);
    }
    a = get_rm(in, in->operand);
    b = get_register(soft, in->reg, in->operand);
    if (bits == 16) {
        wide = a << 32 | b << 16 | a;
    } else {
        wide = left ? a << 32 | b : b << 32 | a;
    }
    if (left) {
        unsigned total = bits == 16 ? 48 : 64;

        result = (uint32_t)(wide << count >> (total - bits)) & alu_mask(in->operand);
        carry = wide >> (total - count) & 1;
    } else {
        result = (uint32_t)(wide >> count) & alu_mask(in->operand);
        carry = wide >> (count - 1) & 1;
    }
    overflow = (result ^ a) >> (bits - 1) & 1;
    alu_set_flags(soft, result, in->operand, (uint32_t)overflow << (bits - 1), carry);
    set_rm(in, in->operand, result);
    return done(in);
}

/* BT, BTS, BTR, BTC by number. In memory, an index from a register reaches beyond the
 * operand, in both directions. */
static Outcome test_bit(Instruction *in, unsigned operation, uint32_t index, bool reaches)
{
    unsigned bits = 8 * in->operand;
    uint32_t value, bit = UINT32_C(1) << index % bits, *flags = &in->soft->emu->x86.R_FLG;

    if (reaches && in->mod != 3) {
        int32_t words = alu_sign_extend(index, in->operand) >> (in->operand == 4 ? 5 : 4);

        in->offset += (uint32_t)words * in->operand;
        in->offset &= in->address == 4 ? UINT32_MAX : 0xffff;
    }
    if (!reachable(in, in->operand)) {
        return unreachable(in);
    }
    value = get_rm(in, in->operand);
    alu_sync_flags(in->soft);
    *flags = value & bit ? *flags | F_CF : *flags & ~(uint32_t)F_CF;
    switch (operation) {
    case 1:
        set_rm(in, in->operand, value | bit);
        break;
    case 2:
        set_rm(in, in->operand, value & ~bit);
        break;
    case 3:
        set_rm(in, in->operand, value ^ bit);
        break;
    }
    return done(in);
}

/* BSF, BSR: of zero, processors leave the destination as it was. */
static Outcome scan_bits(Instruction *in, bool backwards)
{
    SoftCPU *soft = in->soft;
    uint32_t value, *flags = &soft->emu->x86.R_FLG;

    decode_modrm(in);
    if (!reachable(in, in->operand)) {
        return unreachable(in);
    }
    value = get_rm(in, in->operand);
    alu_sync_flags(soft);
    *flags = value ? *flags & ~(uint32_t)F_ZF : *flags | F_ZF;
    if (value) {
        set_register(
            soft, in->reg, in->operand,
            (uint32_t)(backwards ? 31 - __builtin_clz(value) : __builtin_ctz(value)));
    }
    return done(in);
}

Outcome soft_execute_bits(Instruction *in, uint8_t opcode)
{
    switch (opcode) {
    case 0xbc:
    case 0xbd:
        return scan_bits(in, opcode == 0xbd);
    case 0xa4:
    case 0xa5:
    case 0xac:
    case 0xad:
        return double_shift(in, opcode);
    case 0xba:
        decode_modrm(in);
        return in->reg < 4 ? fault(in, VECTOR_UD, -1)
                           : test_bit(in, in->reg & 3, fetch8(in), false);
    default: /* a3, ab, b3, bb */
        decode_modrm(in);
        return test_bit(in, opcode >> 3 & 3, get_register(in->soft, in->reg, in->operand),
                        true);
    }
}

/* -- One opcode byte --------------------------------------------------------------- */

static Outcome decimal_adjust(Instruction *in, bool subtract)
{
    SoftCPU *soft = in->soft;
    uint32_t old = get_register(soft, REGISTER_AX, 1), al = old;
    bool old_carry, carry = false, adjust;

    alu_sync_flags(soft);
    old_carry = soft->emu->x86.R_FLG & F_CF;
    adjust = (old & 0xf) > 9 || soft->emu->x86.R_FLG & F_AF;
    if (adjust) {
        carry = old_carry || (subtract ? old < 6 : old > 0xf9);
        al = subtract ? al - 6 : al + 6;
    }
    if (old > 0x99 || old_carry) {
        carry = true;
        al = subtract ? al - 0x60 : al + 0x60;
    }
    set_register(soft, REGISTER_AX, 1, al);
    alu_set_flags(soft, al & 0xff, 1, adjust ? 8 : 0, carry);
    return done(in);
}

/* AAM, AAD */
static Outcome ascii_adjust(Instruction *in, bool divides)
{
    SoftCPU *soft = in->soft;
    uint32_t base = fetch8(in), al = get_register(soft, REGISTER_AX, 1);
    uint32_t ah = get_register(soft, REGISTER_AH, 1);

    if (divides && base == 0) {
        return fault(in, VECTOR_DE, -1);
    }
    ah = divides ? al / base : ah * base;
    al = divides ? al % base : (al + ah) & 0xff;
    set_register(soft, REGISTER_AX, 2, al | (divides ? ah << 8 : 0));
    alu_logic(soft, al, 1);
    return done(in);
}

static Outcome load_flags(Instruction *in)
{
    alu_sync_flags(in->soft);
    set_register(in->soft, REGISTER_AH, 1, (in->soft->emu->x86.R_FLG & 0xd5) | 2);
    return done(in);
}

static Outcome translate(Instruction *in)
{
    SoftCPU *soft = in->soft;

    in->mod = 0;
    in->segment = in->override ? in->override : &soft->emu->x86.seg[R_DS_INDEX];
    in->offset =
        get_register(soft, REGISTER_BX, in->address) + get_register(soft, REGISTER_AX, 1);
    in->offset &= alu_mask(in->address);
    if (!reachable(in, 1)) {
        return unreachable(in);
    }
    set_register(soft, REGISTER_AX, 1, get_rm(in, 1));
    return done(in);
}

static Outcome check_bounds(Instruction *in)
{
    SoftCPU *soft = in->soft;
    int32_t index, low, high;

    decode_modrm(in);
    if (in->mod == 3) {
        return fault(in, VECTOR_UD, -1);
    }
    if (!reachable(in, 2 * in->operand)) {
        return unreachable(in);
    }
    index = alu_sign_extend(get_register(soft, in->reg, in->operand), in->operand);
    low = alu_sign_extend(get_rm(in, in->operand), in->operand);
    in->offset += in->operand;
    high = alu_sign_extend(get_rm(in, in->operand), in->operand);
    return index < low || index > high ? fault(in, VECTOR_BR, -1) : done(in);
}

/* ENTER copies the frame pointers of the levels around it. */
static bool push_frames(Instruction *in, unsigned level, uint32_t frame)
{
    SoftCPU *soft = in->soft;
    const sel_t *stack = &soft->emu->x86.seg[R_SS_INDEX];
    unsigned address = ACC_D(stack->acc) ? 4 : 2;
    uint32_t from = get_register(soft, REGISTER_BP, address);

    for (unsigned i = 1; i < level; i++) {
        from = (from - in->operand) & alu_mask(address);
        if (!soft_in_limit(stack, from, in->operand) ||
            !push(soft, in->operand, soft_load(soft, stack->base + from, in->operand))) {
            return false;
        }
    }
    return level == 0 || push(soft, in->operand, frame);
}

static Outcome enter(Instruction *in)
{
    SoftCPU *soft = in->soft;
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint32_t bytes = fetch16(in), old = x86->R_ESP, frame;
    unsigned level = fetch8(in) & 31;
    bool pushed = push(soft, in->operand, get_register(soft, REGISTER_BP, in->operand));

    frame = ACC_D(x86->R_SS_ACC) ? x86->R_ESP : x86->R_SP;
    if (!pushed || !push_frames(in, level, frame)) {
        x86->R_ESP = old;
        return fault(in, VECTOR_SS, 0);
    }
    set_register(soft, REGISTER_BP, in->operand, frame);
    if (ACC_D(x86->R_SS_ACC)) {
        x86->R_ESP -= bytes;
    } else {
        x86->R_SP = (uint16_t)(x86->R_SP - bytes);
    }
    return done(in);
}

Outcome soft_execute_exact(Instruction *in, uint8_t opcode)
{
    switch (opcode) {
    case 0x27:
    case 0x2f:
        return decimal_adjust(in, opcode == 0x2f);
    case 0x62:
        return check_bounds(in);
    case 0x9f:
        return load_flags(in);
    case 0xc8:
        return enter(in);
    case 0xd4:
    case 0xd5:
        return ascii_adjust(in, opcode == 0xd4);
    default: /* d7 */
        return translate(in);
    }
}
