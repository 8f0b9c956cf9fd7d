/*
 * The software CPU's string instructions.
 *
 * A repeated one works in stretches that stay within a page, on the host's memory where
 * both sides are RAM, and looks up between two stretches: an interrupt finds the
 * registers advanced and EIP still at the instruction, as on a processor.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/x86emu-alu.h"
#include "machine/accel/x86emu-fast.h"

#define FLAGS_RF 0x10000u

enum { REGISTER_CX = 1, REGISTER_SI = 6, REGISTER_DI = 7 };

typedef struct StringOperation {
    Instruction *in;
    unsigned size;
    uint32_t mask;   /* of the address size */
    sel_t *from, *to; /* segments of (E)SI and (E)DI */
    bool down;
    uint32_t count; /* steps still to do */
} StringOperation;

static uint32_t get(const StringOperation *op, unsigned n)
{
    return *soft_register(op->in->soft, n) & op->mask;
}

static void set(const StringOperation *op, unsigned n, uint32_t value)
{
    uint32_t *r = soft_register(op->in->soft, n);

    *r = (*r & ~op->mask) | (value & op->mask);
}

static void advance(const StringOperation *op, unsigned n, uint32_t steps)
{
    uint32_t bytes = steps * op->size;

    set(op, n, get(op, n) + (op->down ? -bytes : bytes));
}

/* How many steps go upwards from an offset without leaving the page, the segment, or
 * turning over at the end of the address size; 0: not even one in one piece. */
static uint32_t straight_steps(const StringOperation *op, const sel_t *segment,
                               uint32_t offset)
{
    uint32_t bytes = 0x1000 - ((segment->base + offset) & 0xfff);

    if (offset > segment->limit || offset > op->mask) {
        return 0;
    }
    bytes = (uint32_t)MIN((uint64_t)bytes, (uint64_t)segment->limit - offset + 1);
    bytes = (uint32_t)MIN((uint64_t)bytes, (uint64_t)op->mask - offset + 1);
    return MIN(bytes / op->size, op->count);
}

/* MOVS and STOS on RAM; returns the steps done at once. */
static uint32_t copy_stretch(const StringOperation *op)
{
    SoftCPU *soft = op->in->soft;
    uint32_t si = get(op, REGISTER_SI), di = get(op, REGISTER_DI);
    uint32_t steps = MIN(straight_steps(op, op->from, si), straight_steps(op, op->to, di));
    const uint8_t *from = steps ? soft_host_page(soft, op->from->base + si, false) : NULL;
    uint8_t *to = from ? soft_host_page(soft, op->to->base + di, true) : NULL;

    if (!to) {
        return 0;
    }
    /* A source that overlaps its copy repeats itself: step by step then. */
    if (to > from && to < from + (size_t)steps * op->size) {
        return 0;
    }
    memmove(to, from, (size_t)steps * op->size);
    return steps;
}

static uint32_t fill_stretch(const StringOperation *op)
{
    SoftCPU *soft = op->in->soft;
    uint32_t di = get(op, REGISTER_DI), value = *soft_register(soft, 0);
    uint32_t steps = straight_steps(op, op->to, di);
    uint8_t *to = steps ? soft_host_page(soft, op->to->base + di, true) : NULL;

    if (!to) {
        return 0;
    }
    if (op->size == 1) {
        memset(to, (int)(value & 0xff), steps);
        return steps;
    }
    for (uint32_t i = 0; i < steps; i++) {
        memcpy(to + (size_t)i * op->size, &value, op->size);
    }
    return steps;
}

/* One step of any. False: an operand is beyond its segment. */
static bool step(const StringOperation *op, uint8_t opcode)
{
    SoftCPU *soft = op->in->soft;
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint32_t si = get(op, REGISTER_SI), di = get(op, REGISTER_DI);
    uint32_t from = op->from->base + si, to = op->to->base + di;
    uint32_t accumulator = *soft_register(soft, 0) & alu_mask(op->size);
    bool reads_si = opcode == 0x6e || opcode == 0x6f || (opcode >= 0xa4 && opcode <= 0xa7) ||
                    opcode == 0xac || opcode == 0xad;
    bool uses_di = opcode != 0x6e && opcode != 0x6f && opcode != 0xac && opcode != 0xad;
    uint32_t value;

    if ((reads_si && !soft_in_limit(op->from, si, op->size)) ||
        (uses_di && !soft_in_limit(op->to, di, op->size))) {
        return false;
    }
    switch (opcode & 0xfe) {
    case 0x6c: /* INS */
        soft_store(soft, to, op->size, soft_in(soft, x86->R_DX, op->size));
        break;
    case 0x6e: /* OUTS */
        soft_out(soft, x86->R_DX, op->size, soft_load(soft, from, op->size));
        break;
    case 0xa4: /* MOVS */
        soft_store(soft, to, op->size, soft_load(soft, from, op->size));
        break;
    case 0xa6: /* CMPS */
        value = soft_load(soft, from, op->size);
        alu_sub(soft, value, soft_load(soft, to, op->size), false, op->size);
        break;
    case 0xaa: /* STOS */
        soft_store(soft, to, op->size, accumulator);
        break;
    case 0xac: /* LODS */
        value = soft_load(soft, from, op->size);
        if (op->size == 4) {
            x86->R_EAX = value;
        } else {
            memcpy(&x86->R_EAX, &value, op->size);
        }
        break;
    default: /* SCAS */
        alu_sub(soft, accumulator, soft_load(soft, to, op->size), false, op->size);
        break;
    }
    if (reads_si) {
        advance(op, REGISTER_SI, 1);
    }
    if (uses_di) {
        advance(op, REGISTER_DI, 1);
    }
    return true;
}

static Outcome leave(Instruction *in, bool finished)
{
    uint32_t eip = in->start + (finished ? (uint32_t)(in->next - in->bytes) : 0);

    in->soft->emu->x86.R_EIP = in->code32 ? eip : eip & 0xffff;
    return OUTCOME_DONE;
}

Outcome soft_execute_string(Instruction *in, uint8_t opcode)
{
    SoftCPU *soft = in->soft;
    x86emu_regs_t *x86 = &soft->emu->x86;
    StringOperation op = {
        .in = in,
        .size = opcode & 1 ? in->operand : 1,
        .mask = in->address == 4 ? UINT32_MAX : 0xffff,
        .from = in->override ? in->override : &x86->seg[R_DS_INDEX],
        .to = &x86->seg[R_ES_INDEX],
        .down = x86->R_FLG & F_DF,
    };
    bool compares = (opcode & 0xf6) == 0xa6; /* CMPS, SCAS */

    op.count = in->repeat ? get(&op, REGISTER_CX) : 1;
    while (op.count) {
        uint32_t steps = 0;

        if (in->repeat && !op.down && (opcode & 0xfe) == 0xa4) {
            steps = copy_stretch(&op);
            advance(&op, REGISTER_SI, steps);
            advance(&op, REGISTER_DI, steps);
        } else if (in->repeat && !op.down && (opcode & 0xfe) == 0xaa) {
            steps = fill_stretch(&op);
            advance(&op, REGISTER_DI, steps);
        }
        if (!steps) {
            if (!step(&op, opcode)) {
                alu_sync_flags(soft);
                leave(in, false);
                soft_deliver(soft, VECTOR_GP, EVENT_EXCEPTION, 0);
                return OUTCOME_DONE;
            }
            steps = 1;
        }
        op.count -= steps;
        if (!in->repeat) {
            break;
        }
        set(&op, REGISTER_CX, op.count);
        if (compares && alu_zf(soft) != (in->repeat == 0xf3)) {
            break;
        }
        if (op.count && __atomic_load_n(&soft->attention, __ATOMIC_RELAXED)) {
            if (soft->debugged) {
                /* The rest of an instruction meets no breakpoint anew (SDM 3, 17.3.1.1). */
                x86->R_FLG |= FLAGS_RF;
            }
            return leave(in, false);
        }
    }
    return leave(in, true);
}
