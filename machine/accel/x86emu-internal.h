/*
 * What the files of the software CPU share.
 *
 * libx86emu holds the registers and executes any instruction. In front of it stands an
 * interpreter of our own for the frequent ones (x86emu-fast.c), which the library calls
 * before each instruction: it formats a disassembly of everything it executes, whether
 * or not somebody wants to read it, and that is most of its time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_X86EMU_INTERNAL_H
#define MACHINE_ACCEL_X86EMU_INTERNAL_H

#include <string.h>
#include <x86emu.h>

#include "machine/accel/vcpu.h"

#define TLB_ENTRIES 256u
#define TLB_NONE UINT32_MAX /* a page number that no address has */

/* Where a guest page lies in the host: `base` + linear address is the byte. */
typedef struct TLBEntry {
    uint32_t page;
    uintptr_t base;
} TLBEntry;

/* The arithmetic flags as the operands that they come from: worked out when asked for. */
typedef struct LazyFlags {
    bool valid;       /* else the flags are in EFLAGS */
    bool carry;       /* CF */
    uint8_t top;      /* number of the sign bit: 7, 15 or 31 */
    int32_t result;   /* sign-extended: ZF, SF, PF */
    uint32_t carries; /* the carry out of each bit: AF from bit 3, OF from the upper two */
} LazyFlags;

typedef struct SoftCPU {
    x86emu_t *emu;
    AccelVCPU *vcpu;
    TLBEntry read_tlb[TLB_ENTRIES], write_tlb[TLB_ENTRIES];
    uint32_t address_mask; /* without bit 20 while the A20 gate is shut */

    /* Something is to be looked at before the next instruction: a stop, an interrupt, a
     * flush. Any thread sets it. */
    int attention;
    int flush;  /* the TLB is stale */
    int inside; /* the thread uses the TLB; the others wait before memory changes */
    bool has_turn; /* of several CPUs, this one executes */

    LazyFlags flags;   /* valid only inside soft_execute() */
    bool inhibit;      /* no interrupt before the next instruction (STI, MOV SS) */
    bool trap;         /* the library executes an instruction with TF set */
    bool halted;
    uint64_t efer;
    uint64_t instructions;

    /* Breakpoints; written while the vCPU stands, but for the last two. */
    bool debugged, stepping, watching;
    bool fetching; /* a load is for an instruction's bytes */
    bool stepped;  /* the instruction of a step is executed */
    int watch_hit; /* number of the breakpoint whose memory was accessed; -1: none */
} SoftCPU;

static inline SoftCPU *soft_cpu(X86CPU *cpu)
{
    return accel_vcpu(cpu)->data;
}

static inline void soft_call_attention(SoftCPU *soft)
{
    __atomic_store_n(&soft->attention, 1, __ATOMIC_RELEASE);
}

/* -- Memory (x86emu-memory.c) --------------------------------------------------------------- */

/* The slow ways: page borders, devices, TLB misses. `size` is 1, 2 or 4. */
uint32_t soft_load_slow(SoftCPU *soft, uint32_t address, unsigned size);
void soft_store_slow(SoftCPU *soft, uint32_t address, unsigned size, uint32_t value);

/* The host address of the guest's bytes from `address` to the end of its page, for
 * reading or writing; NULL where a device answers. */
uint8_t *soft_host_page(SoftCPU *soft, uint32_t address, bool write);

uint32_t soft_in(SoftCPU *soft, uint16_t port, unsigned size);
void soft_out(SoftCPU *soft, uint16_t port, unsigned size, uint32_t value);

void soft_flush(SoftCPU *soft);
/* Between these the thread may use the TLB, and of several CPUs it has the turn. */
void soft_enter(SoftCPU *soft);
void soft_leave(SoftCPU *soft);

/* Follows the changes of the accelerator's memory, for all vCPUs. */
void soft_memory_init(Accel *accel);

/* The library's callback for all accesses. */
unsigned soft_memio(x86emu_t *emu, uint32_t address, uint32_t *value, unsigned type);

static inline uint32_t soft_load(SoftCPU *soft, uint32_t address, unsigned size)
{
    const TLBEntry *entry = &soft->read_tlb[(address >> 12) % TLB_ENTRIES];
    uint32_t value = 0;

    if (entry->page != address >> 12 || (address & 0xfff) > 0x1000 - size) {
        return soft_load_slow(soft, address, size);
    }
    switch (size) {
    case 1:
        return *(const uint8_t *)(entry->base + address);
    case 2:
        memcpy(&value, (const void *)(entry->base + address), 2);
        return value;
    default:
        memcpy(&value, (const void *)(entry->base + address), 4);
        return value;
    }
}

static inline void soft_store(SoftCPU *soft, uint32_t address, unsigned size, uint32_t value)
{
    const TLBEntry *entry = &soft->write_tlb[(address >> 12) % TLB_ENTRIES];

    if (entry->page != address >> 12 || (address & 0xfff) > 0x1000 - size) {
        soft_store_slow(soft, address, size, value);
        return;
    }
    switch (size) {
    case 1:
        *(uint8_t *)(entry->base + address) = (uint8_t)value;
        break;
    case 2:
        memcpy((void *)(entry->base + address), &value, 2);
        break;
    default:
        memcpy((void *)(entry->base + address), &value, 4);
        break;
    }
}

/* -- Turns of several CPUs (x86emu-turn.c) --------------------------------------------------- */

void soft_turn_take(SoftCPU *soft);
void soft_turn_give_up(SoftCPU *soft);
bool soft_turn_wanted(void); /* somebody waits */

/* -- Interrupts, exceptions, CPUID, MSRs (x86emu-events.c) ---------------------------------- */

enum {
    VECTOR_DE = 0,
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_UD = 6,
    VECTOR_NM = 7,
    VECTOR_DF = 8,
    VECTOR_NP = 11,
    VECTOR_SS = 12,
    VECTOR_GP = 13,
};

typedef enum EventKind { EVENT_EXTERNAL, EVENT_SOFTWARE, EVENT_EXCEPTION } EventKind;

/* Goes to the handler of a vector; the return address is CS:EIP as they are. error_code
 * -1: the vector has none. */
void soft_deliver(SoftCPU *soft, uint8_t vector, EventKind kind, int64_t error_code);

/* The library raises its interrupts and faults through this. */
int soft_intr(x86emu_t *emu, uint8_t vector, unsigned type);
void soft_cpuid(x86emu_t *emu);
void soft_rdmsr(SoftCPU *soft);
void soft_wrmsr(SoftCPU *soft);
void soft_reset_msrs(SoftCPU *soft);
uint64_t soft_tsc(void);

/* What registers do not hold, for a move (x86emu-state.c). */
void soft_get_state(X86CPU *cpu);
bool soft_set_state(X86CPU *cpu, GError **error);
void soft_register_state(void); /* beside what each CPU has */

/* INIT, start-up and NMI, if they were signalled. Between soft_enter() and soft_leave(). */
void soft_take_signals(SoftCPU *soft);

/* Does what soft->attention asks for; false: leave the guest. */
bool soft_attend(SoftCPU *soft);

/* -- Breakpoints (x86emu-debug.c) ------------------------------------------------------------ */

bool soft_update_debug(Accel *accel, GError **error);
void soft_step_over(AccelVCPU *vcpu);

/* Before an instruction, while soft->debugged; false: leave the guest. */
bool soft_debug(SoftCPU *soft);

/* While soft->watching: whether a page may not be cached, and what an access meets. */
bool soft_page_is_watched(const SoftCPU *soft, uint32_t address);
void soft_check_watch(SoftCPU *soft, uint32_t address, unsigned size, bool write);

/* -- Execution (x86emu-fast.c) --------------------------------------------------------------- */

/* The library's callback before each instruction: executes as many as it knows, and
 * returns 0 in front of one for the library, or 1 when the thread is to leave. */
int soft_execute(x86emu_t *emu);

#endif
