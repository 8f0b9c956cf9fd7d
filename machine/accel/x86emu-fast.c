/*
 * The software CPU's interpreter of frequent instructions, and the guard in front of
 * libx86emu for the others.
 *
 * An instruction is decoded and, where it is known here, executed; EIP moves last, so
 * that "the library does it" can be said at any point before something was changed.
 * Behind the guard the library never sees what it cannot take: prefixes without end
 * (it writes their names into a buffer of 256 bytes), divisions that overflow the host's
 * (they end the process), string instructions of 2^32 steps (it does not stop in
 * between), paging, SSE.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/x86emu-decode.h"

#include <stddef.h>

/* Intel SDM volume 2, 2.3.11: longer instructions are general protection faults. */
#define INSTRUCTION_BYTES 15
/* What decoding may read from the start of an instruction: an opcode and its operands
 * after as many prefixes as there may be. */
#define WINDOW_BYTES 32

#define CR0_EM_TS 0xcu
/* POPF may change these in real mode and at privilege level 0: all but VM and RF. */
#define FLAGS_POPPED 0x00247fd5u

_Static_assert(offsetof(x86emu_regs_t, spc) ==
                   offsetof(x86emu_regs_t, gen) + 4 * sizeof(i386_general_register),
               "the library's registers lie in one row");

/* -- Groups ------------------------------------------------------------------------------ */

/* 00-3f: op with ModRM or the accumulator. */
static inline Outcome arithmetic(Instruction *in, uint8_t opcode)
{
    SoftCPU *soft = in->soft;
    unsigned operation = opcode >> 3, size = opcode & 1 ? in->operand : 1;
    uint32_t a, b;

    if ((opcode & 7) >= 4) {
        b = size == 1 ? fetch8(in) : fetch_operand(in);
        a = alu_operate(soft, operation, get_register(soft, 0, size), b, size);
        if (operation != ALU_CMP) {
            set_register(soft, 0, size, a);
        }
        return done(in);
    }
    decode_modrm(in);
    if (!reachable(in, size)) {
        return unreachable(in);
    }
    a = get_rm(in, size);
    b = get_register(soft, in->reg, size);
    if (opcode & 2) {
        a = alu_operate(soft, operation, b, a, size);
        if (operation != ALU_CMP) {
            set_register(soft, in->reg, size, a);
        }
    } else {
        a = alu_operate(soft, operation, a, b, size);
        if (operation != ALU_CMP) {
            set_rm(in, size, a);
        }
    }
    return done(in);
}

/* 80-83 */
static inline Outcome arithmetic_immediate(Instruction *in, uint8_t opcode)
{
    unsigned size = opcode & 1 ? in->operand : 1;
    uint32_t a, b;

    decode_modrm(in);
    if (!reachable(in, size)) {
        return unreachable(in);
    }
    b = opcode == 0x81 ? fetch_operand(in) : (uint32_t)(int8_t)fetch8(in) & alu_mask(size);
    a = alu_operate(in->soft, in->reg, get_rm(in, size), b, size);
    if (in->reg != ALU_CMP) {
        set_rm(in, size, a);
    }
    return done(in);
}

/* c0, c1, d0-d3 */
static inline Outcome shift(Instruction *in, uint8_t opcode)
{
    unsigned size = opcode & 1 ? in->operand : 1;
    unsigned count;

    decode_modrm(in);
    if (!reachable(in, size)) {
        return unreachable(in);
    }
    count = opcode < 0xd0 ? fetch8(in) : opcode < 0xd2 ? 1 : in->soft->emu->x86.R_CL;
    if (count & 31) {
        set_rm(in, size, alu_shift(in->soft, in->reg, get_rm(in, size), count & 31, size));
    }
    return done(in);
}

static Outcome divide(Instruction *in, uint32_t divisor, unsigned size)
{
    SoftCPU *soft = in->soft;
    bool is_signed = in->reg == 7;
    unsigned bits = 8 * size;
    uint64_t dividend, quotient, remainder;

    dividend = size == 1 ? get_register(soft, 0, 2)
                         : (uint64_t)get_register(soft, 2, size) << bits |
                               get_register(soft, 0, size);
    if (divisor == 0) {
        return fault(in, VECTOR_DE, -1);
    }
    if (is_signed) {
        unsigned shift = 64 - 2 * bits;
        int64_t a = (int64_t)(dividend << shift) >> shift;
        int64_t b = alu_sign_extend(divisor, size);
        int64_t result;

        if (a == INT64_MIN && b == -1) {
            return fault(in, VECTOR_DE, -1);
        }
        result = a / b;
        if (result != alu_sign_extend((uint32_t)result, size)) {
            return fault(in, VECTOR_DE, -1);
        }
        quotient = (uint64_t)result;
        remainder = (uint64_t)(a % b);
    } else {
        quotient = dividend / divisor;
        remainder = dividend % divisor;
        if (quotient >> bits) {
            return fault(in, VECTOR_DE, -1);
        }
    }
    if (size == 1) {
        set_register(soft, 0, 2, (quotient & 0xff) | (remainder & 0xff) << 8);
    } else {
        set_register(soft, 0, size, (uint32_t)quotient);
        set_register(soft, 2, size, (uint32_t)remainder);
    }
    return done(in);
}

static Outcome multiply(Instruction *in, uint32_t factor, unsigned size)
{
    SoftCPU *soft = in->soft;
    unsigned bits = 8 * size;
    uint32_t a = get_register(soft, 0, size), low, high;
    uint64_t product;
    bool overflow;

    if (in->reg == 4) {
        product = (uint64_t)a * factor;
        overflow = product >> bits != 0;
    } else {
        int64_t wide = (int64_t)alu_sign_extend(a, size) * alu_sign_extend(factor, size);

        product = (uint64_t)wide;
        overflow = wide != alu_sign_extend((uint32_t)wide, size);
    }
    low = (uint32_t)product & alu_mask(size);
    high = (uint32_t)(product >> bits) & alu_mask(size);
    if (size == 1) {
        set_register(soft, 0, 2, low | high << 8);
    } else {
        set_register(soft, 0, size, low);
        set_register(soft, 2, size, high);
    }
    alu_set_multiply_flags(soft, low, overflow, size);
    return done(in);
}

/* f6, f7 */
static Outcome unary(Instruction *in, uint8_t opcode)
{
    SoftCPU *soft = in->soft;
    unsigned size = opcode & 1 ? in->operand : 1;
    uint32_t value;

    decode_modrm(in);
    if (!reachable(in, size)) {
        return unreachable(in);
    }
    value = get_rm(in, size);
    switch (in->reg) {
    case 0:
    case 1:
        alu_logic(soft, value & (size == 1 ? fetch8(in) : fetch_operand(in)), size);
        return done(in);
    case 2:
        set_rm(in, size, ~value & alu_mask(size));
        return done(in);
    case 3:
        set_rm(in, size, alu_sub(soft, 0, value, false, size));
        return done(in);
    case 4:
    case 5:
        return multiply(in, value, size);
    default:
        return divide(in, value, size);
    }
}

/* fe, ff */
static Outcome increment_or_go(Instruction *in, uint8_t opcode)
{
    unsigned size = opcode & 1 ? in->operand : 1;
    uint32_t value;

    decode_modrm(in);
    if (in->reg == 3 || in->reg == 5 || in->reg == 7 || (size == 1 && in->reg > 1)) {
        return OUTCOME_LIBRARY;
    }
    if (!reachable(in, size)) {
        return unreachable(in);
    }
    value = get_rm(in, size);
    switch (in->reg) {
    case 0:
    case 1:
        set_rm(in, size, alu_step(in->soft, value, in->reg, size));
        return done(in);
    case 2:
        return push(in->soft, size, here(in)) ? jump(in, value) : fault(in, VECTOR_SS, 0);
    case 4:
        return jump(in, value);
    default:
        return push(in->soft, size, value) ? done(in) : fault(in, VECTOR_SS, 0);
    }
}

static Outcome input_output(Instruction *in, uint8_t opcode)
{
    SoftCPU *soft = in->soft;
    unsigned size = opcode & 1 ? in->operand : 1;
    uint16_t port = opcode & 8 ? soft->emu->x86.R_DX : fetch8(in);

    /* The device may look at the registers, or stop the machine here. */
    done(in);
    if (opcode & 2) {
        soft_out(soft, port, size, get_register(soft, 0, size));
    } else {
        set_register(soft, 0, size, soft_in(soft, port, size));
    }
    return OUTCOME_DONE;
}

/* POPF, STI: an interrupt may be waiting for IF. */
static void interrupt_flag_changed(SoftCPU *soft)
{
    if (soft->emu->x86.R_FLG & F_IF &&
        __atomic_load_n(&soft->vcpu->cpu->intr, __ATOMIC_RELAXED)) {
        soft_call_attention(soft);
    }
}

static Outcome push_flags(Instruction *in)
{
    alu_sync_flags(in->soft);
    return push(in->soft, in->operand, (in->soft->emu->x86.R_FLG & FLAGS_POPPED) | 2)
               ? done(in)
               : fault(in, VECTOR_SS, 0);
}

static Outcome pop_flags(Instruction *in)
{
    SoftCPU *soft = in->soft;
    uint32_t value, mask = in->operand == 4 ? FLAGS_POPPED : FLAGS_POPPED & 0xffff;

    alu_sync_flags(soft);
    if (!pop(soft, in->operand, &value)) {
        return fault(in, VECTOR_SS, 0);
    }
    soft->emu->x86.R_FLG = (soft->emu->x86.R_FLG & ~mask) | (value & mask) | 2;
    interrupt_flag_changed(soft);
    return done(in);
}

/* -- One instruction --------------------------------------------------------------------- */

static void take_prefix(Instruction *in, uint8_t byte)
{
    sel_t *segments = in->soft->emu->x86.seg;

    switch (byte) {
    case 0x26:
        in->override = &segments[R_ES_INDEX];
        break;
    case 0x2e:
        in->override = &segments[R_CS_INDEX];
        break;
    case 0x36:
        in->override = &segments[R_SS_INDEX];
        break;
    case 0x3e:
        in->override = &segments[R_DS_INDEX];
        break;
    case 0x64:
        in->override = &segments[R_FS_INDEX];
        break;
    case 0x65:
        in->override = &segments[R_GS_INDEX];
        break;
    case 0x66:
        in->operand = in->code32 ? 2 : 4;
        break;
    case 0x67:
        in->address = in->code32 ? 2 : 4;
        break;
    case 0xf0: /* LOCK: one processor executes at a time */
        break;
    default:
        in->repeat = byte;
        break;
    }
}

static Outcome execute_opcode(Instruction *in, uint8_t opcode);

/* The instruction behind a prefix: not inlined, for most have none. */
static G_GNUC_NO_INLINE Outcome execute_prefixed(Instruction *in, uint8_t prefix)
{
    take_prefix(in, prefix);
    return in->next - in->bytes < INSTRUCTION_BYTES ? execute_opcode(in, fetch8(in))
                                                    : fault(in, VECTOR_GP, 0);
}

static Outcome execute_opcode(Instruction *in, uint8_t opcode)
{
    SoftCPU *soft = in->soft;
    x86emu_regs_t *x86 = &soft->emu->x86;
    unsigned size = opcode & 1 ? in->operand : 1; /* of those that come in twos */
    uint32_t value;

    switch (opcode) {
    case 0x00 ... 0x05:
    case 0x08 ... 0x0d:
    case 0x10 ... 0x15:
    case 0x18 ... 0x1d:
    case 0x20 ... 0x25:
    case 0x28 ... 0x2d:
    case 0x30 ... 0x35:
    case 0x38 ... 0x3d:
        return arithmetic(in, opcode);
    case 0x0f:
        return soft_execute_two_byte(in);
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64 ... 0x67:
    case 0xf0:
    case 0xf2:
    case 0xf3:
        return execute_prefixed(in, opcode);
    case 0x17: /* POP SS */
        soft->inhibit = true;
        return OUTCOME_LIBRARY;
    case 0x27:
    case 0x2f:
    case 0x62:
    case 0x9f:
    case 0xc8:
    case 0xd4:
    case 0xd5:
    case 0xd7:
        return soft_execute_exact(in, opcode);
    case 0x40 ... 0x4f:
        value = alu_step(soft, get_register(soft, opcode & 7, in->operand), opcode & 8,
                         in->operand);
        set_register(soft, opcode & 7, in->operand, value);
        return done(in);
    case 0x50 ... 0x57:
        return push(soft, in->operand, get_register(soft, opcode & 7, in->operand))
                   ? done(in)
                   : fault(in, VECTOR_SS, 0);
    case 0x58 ... 0x5f:
        if (!pop(soft, in->operand, &value)) {
            return fault(in, VECTOR_SS, 0);
        }
        set_register(soft, opcode & 7, in->operand, value);
        return done(in);
    case 0x68:
    case 0x6a:
        value = opcode == 0x68 ? fetch_operand(in) : (uint32_t)(int8_t)fetch8(in);
        return push(soft, in->operand, value) ? done(in) : fault(in, VECTOR_SS, 0);
    case 0x69:
    case 0x6b:
        return soft_multiply_immediate(in, opcode);
    case 0x6c ... 0x6f:
    case 0xa4 ... 0xa7:
    case 0xaa ... 0xaf:
        return soft_execute_string(in, opcode);
    case 0x70 ... 0x7f:
        value = (uint32_t)(int8_t)fetch8(in);
        return alu_condition(soft, opcode) ? jump(in, here(in) + value) : done(in);
    case 0x80 ... 0x83:
        return arithmetic_immediate(in, opcode);
    case 0x84:
    case 0x85:
        decode_modrm(in);
        if (!reachable(in, size)) {
            return unreachable(in);
        }
        alu_logic(soft, get_rm(in, size) & get_register(soft, in->reg, size), size);
        return done(in);
    case 0x86:
    case 0x87:
        decode_modrm(in);
        if (!reachable(in, size)) {
            return unreachable(in);
        }
        value = get_rm(in, size);
        set_rm(in, size, get_register(soft, in->reg, size));
        set_register(soft, in->reg, size, value);
        return done(in);
    case 0x88:
    case 0x89:
        decode_modrm(in);
        if (!reachable(in, size)) {
            return unreachable(in);
        }
        set_rm(in, size, get_register(soft, in->reg, size));
        return done(in);
    case 0x8a:
    case 0x8b:
        decode_modrm(in);
        if (!reachable(in, size)) {
            return unreachable(in);
        }
        set_register(soft, in->reg, size, get_rm(in, size));
        return done(in);
    case 0x8c: /* MOV r/m, segment register: 16 bits to memory, zero-extended elsewhere */
        decode_modrm(in);
        if (in->reg > R_GS_INDEX) {
            return fault(in, VECTOR_UD, -1);
        }
        if (!reachable(in, 2)) {
            return unreachable(in);
        }
        set_rm(in, in->mod == 3 ? in->operand : 2, x86->seg[in->reg].sel);
        return done(in);
    case 0x8d:
        decode_modrm(in);
        if (in->mod == 3) {
            return fault(in, VECTOR_UD, -1);
        }
        set_register(soft, in->reg, in->operand, in->offset);
        return done(in);
    case 0x8e:
        soft->inhibit = (*in->next >> 3 & 7) == R_SS_INDEX;
        return OUTCOME_LIBRARY;
    case 0x90 ... 0x97:
        if (in->repeat && soft->has_turn && soft_turn_wanted()) { /* PAUSE: it spins */
            soft_call_attention(soft);
        }
        value = get_register(soft, 0, in->operand);
        set_register(soft, 0, in->operand, get_register(soft, opcode & 7, in->operand));
        set_register(soft, opcode & 7, in->operand, value);
        return done(in);
    case 0x9b: /* WAIT: there is no FPU to wait for */
        return done(in);
    case 0x9c:
        return push_flags(in);
    case 0x9d:
        return pop_flags(in);
    case 0xa0 ... 0xa3:
        in->mod = 0;
        in->segment = in->override ? in->override : &x86->seg[R_DS_INDEX];
        in->offset = in->address == 4 ? fetch32(in) : fetch16(in);
        if (!reachable(in, size)) {
            return unreachable(in);
        }
        if (opcode & 2) {
            set_rm(in, size, get_register(soft, 0, size));
        } else {
            set_register(soft, 0, size, get_rm(in, size));
        }
        return done(in);
    case 0xa8:
    case 0xa9:
        value = size == 1 ? fetch8(in) : fetch_operand(in);
        alu_logic(soft, get_register(soft, 0, size) & value, size);
        return done(in);
    case 0xb0 ... 0xb7:
        set_register(soft, opcode & 7, 1, fetch8(in));
        return done(in);
    case 0xb8 ... 0xbf:
        value = fetch_operand(in);
        set_register(soft, opcode & 7, in->operand, value);
        return done(in);
    case 0xc0:
    case 0xc1:
    case 0xd0 ... 0xd3:
        return shift(in, opcode);
    case 0xc2:
    case 0xc3: {
        uint32_t drop = opcode == 0xc2 ? fetch16(in) : 0;

        if (!pop(soft, in->operand, &value)) {
            return fault(in, VECTOR_SS, 0);
        }
        if (ACC_D(x86->R_SS_ACC)) {
            x86->R_ESP += drop;
        } else {
            x86->R_SP = (uint16_t)(x86->R_SP + drop);
        }
        return jump(in, value);
    }
    case 0xc6:
    case 0xc7:
        decode_modrm(in);
        if (!reachable(in, size)) {
            return unreachable(in);
        }
        set_rm(in, size, size == 1 ? fetch8(in) : fetch_operand(in));
        return done(in);
    case 0xcd:
        value = fetch8(in);
        alu_sync_flags(soft);
        done(in);
        soft_deliver(soft, (uint8_t)value, EVENT_SOFTWARE, -1);
        return OUTCOME_DONE;
    case 0xd8 ... 0xdf: /* there is no FPU: it does not answer */
        decode_modrm(in);
        return x86->R_CR0 & CR0_EM_TS ? fault(in, VECTOR_NM, -1) : done(in);
    case 0xe2: /* LOOP, by the address size */
    case 0xe3:
        value = (uint32_t)(int8_t)fetch8(in);
        if (opcode == 0xe2) {
            set_register(soft, 1, in->address, get_register(soft, 1, in->address) - 1);
        }
        return (get_register(soft, 1, in->address) != 0) == (opcode == 0xe2)
                   ? jump(in, here(in) + value)
                   : done(in);
    case 0xe4 ... 0xe7:
    case 0xec ... 0xef:
        return input_output(in, opcode);
    case 0xe8:
        value = fetch_operand(in);
        return push(soft, in->operand, here(in)) ? jump(in, here(in) + value)
                                                 : fault(in, VECTOR_SS, 0);
    case 0xe9:
        value = fetch_operand(in);
        return jump(in, here(in) + value);
    case 0xeb:
        value = (uint32_t)(int8_t)fetch8(in);
        return jump(in, here(in) + value);
    case 0xf4:
        done(in);
        soft->halted = true;
        return OUTCOME_HALTED;
    case 0xf6:
    case 0xf7:
        return unary(in, opcode);
    case 0xfa:
        x86->R_FLG &= ~(uint32_t)F_IF;
        return done(in);
    case 0xfb:
        soft->inhibit = !(x86->R_FLG & F_IF);
        x86->R_FLG |= F_IF;
        interrupt_flag_changed(soft);
        return done(in);
    case 0xfc:
        x86->R_FLG &= ~(uint32_t)F_DF;
        return done(in);
    case 0xfd:
        x86->R_FLG |= F_DF;
        return done(in);
    case 0xfe:
    case 0xff:
        return increment_or_go(in, opcode);
    default:
        return OUTCOME_LIBRARY;
    }
}

/* The instruction's bytes one by one, as they wrap around the segment or cross a page. */
static const uint8_t *gather(SoftCPU *soft, Instruction *in, uint8_t buffer[])
{
    uint32_t base = soft->emu->x86.R_CS_BASE;

    soft->fetching = true;
    for (uint32_t i = 0; i < WINDOW_BYTES; i++) {
        uint32_t eip = in->start + i;

        if (!in->code32) {
            eip = (in->start & 0xffff0000) | (eip & 0xffff);
        }
        buffer[i] = (uint8_t)soft_load(soft, base + eip, 1);
    }
    soft->fetching = false;
    return buffer;
}

static Outcome execute_one(SoftCPU *soft)
{
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint32_t address = x86->R_CS_BASE + x86->R_EIP;
    const TLBEntry *entry = &soft->read_tlb[(address >> 12) % TLB_ENTRIES];
    uint8_t buffer[WINDOW_BYTES];
    bool at_end = x86->R_EIP > x86->R_CS_LIMIT - WINDOW_BYTES;
    Instruction in;

    in.soft = soft;
    in.code32 = ACC_D(x86->R_CS_ACC);
    in.operand = in.address = in.code32 ? 4 : 2;
    in.override = NULL;
    in.repeat = 0;
    in.start = x86->R_EIP;
    if (entry->page == address >> 12 && (address & 0xfff) <= 0x1000 - WINDOW_BYTES && !at_end) {
        in.bytes = (const uint8_t *)(entry->base + address);
    } else {
        in.bytes = gather(soft, &in, buffer);
    }
    in.next = in.bytes;
    return execute_opcode(&in, fetch8(&in));
}

/* What the library has worked out from the registers before it asked us. */
static void prepare_library(x86emu_t *emu)
{
    x86emu_regs_t *x86 = &emu->x86;

    x86->saved_cs = x86->R_CS;
    x86->saved_eip = x86->R_EIP;
    x86->mode &= ~(uint32_t)(_MODE_DATA32 | _MODE_ADDR32 | _MODE_CODE32 | _MODE_STACK32);
    if (ACC_D(x86->R_CS_ACC)) {
        x86->mode |= _MODE_DATA32 | _MODE_ADDR32 | _MODE_CODE32;
    }
    if (ACC_D(x86->R_SS_ACC)) {
        x86->mode |= _MODE_STACK32;
    }
}

int soft_execute(x86emu_t *emu)
{
    SoftCPU *soft = emu->_private;
    x86emu_regs_t *x86 = &emu->x86;

    if (soft->trap) {
        soft->trap = false;
        soft_deliver(soft, VECTOR_DB, EVENT_EXCEPTION, -1);
    }
    /* The library may have executed an IRET. */
    interrupt_flag_changed(soft);
    for (;;) {
        bool inhibit = soft->inhibit, trap;
        Outcome outcome;

        soft->inhibit = false;
        if (G_UNLIKELY(__atomic_load_n(&soft->attention, __ATOMIC_RELAXED))) {
            alu_sync_flags(soft);
            if ((!inhibit && !soft_attend(soft)) || (soft->debugged && !soft_debug(soft))) {
                return 1;
            }
        }
        trap = x86->R_FLG & F_TF;
        soft->instructions++;
        outcome = execute_one(soft);
        /* Intel SDM volume 3, 6.8.3: a second MOV SS in a row holds nothing up, or a guest
         * that executes nothing else could not be stopped. */
        soft->inhibit &= !inhibit;
        if (outcome == OUTCOME_LIBRARY) {
            alu_sync_flags(soft);
            soft->trap = trap;
            prepare_library(emu);
            return 0;
        }
        if (trap) {
            alu_sync_flags(soft);
            soft_deliver(soft, VECTOR_DB, EVENT_EXCEPTION, -1);
        }
        if (outcome == OUTCOME_HALTED) {
            alu_sync_flags(soft);
            return 1;
        }
    }
}
