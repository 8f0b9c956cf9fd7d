/*
 * The software CPU's interrupts and exceptions, CPUID and model-specific registers.
 *
 * The library could deliver interrupts itself, but takes the size of what it pushes from
 * the interrupted code instead of the gate, and goes on where a gate is missing. Section
 * numbers are those of the Intel SDM, volume 3.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/clock.h"
#include "hw/core/system.h"
#include "hw/intc/apic.h"
#include "machine/accel/cpuid.h"
#include "machine/accel/x86emu-internal.h"
#include "memory/io-lock.h"

#define CR0_PE 0x1u
#define FLAGS_NT 0x4000u
#define FLAGS_RF 0x10000u
#define FLAGS_VM 0x20000u

/* -- Delivery ---------------------------------------------------------------------------- */

static bool stack_is_32(const x86emu_regs_t *x86)
{
    return ACC_D(x86->R_SS_ACC);
}

static void push(SoftCPU *soft, unsigned size, uint32_t value)
{
    x86emu_regs_t *x86 = &soft->emu->x86;

    if (stack_is_32(x86)) {
        x86->R_ESP -= size;
        soft_store(soft, x86->R_SS_BASE + x86->R_ESP, size, value);
    } else {
        x86->R_SP = (uint16_t)(x86->R_SP - size);
        soft_store(soft, x86->R_SS_BASE + x86->R_SP, size, value);
    }
}

static void triple_fault(SoftCPU *soft)
{
    bool locked = io_lock_unless_held();

    system_reset_request(SYSTEM_CAUSE_GUEST_RESET, "triple-fault");
    io_unlock_if(locked);
    /* The processor is shut down until its RESET#, whoever pulls that. */
    soft->halted = true;
    soft->emu->x86.R_FLG &= ~(uint32_t)F_IF;
    soft_call_attention(soft);
}

/* 20.1.4: the real-mode vector table. */
static bool deliver_real(SoftCPU *soft, uint8_t vector)
{
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint32_t entry = vector * 4u;
    uint16_t ip, cs;

    if (entry + 3 > x86->R_IDT_LIMIT) {
        return false;
    }
    ip = (uint16_t)soft_load(soft, x86->R_IDT_BASE + entry, 2);
    cs = (uint16_t)soft_load(soft, x86->R_IDT_BASE + entry + 2, 2);
    push(soft, 2, x86->R_FLG & 0xffff);
    push(soft, 2, x86->R_CS);
    push(soft, 2, x86->R_IP);
    x86->R_CS = cs;
    x86->R_CS_BASE = (uint32_t)cs << 4;
    x86->R_EIP = ip;
    x86->R_FLG &= ~(uint32_t)(F_IF | F_TF);
    return true;
}

typedef struct CodeSegment {
    uint32_t base, limit;
    uint16_t selector, acc;
} CodeSegment;

/* The descriptor of a gate's code segment. */
static bool load_code_segment(SoftCPU *soft, uint16_t selector, CodeSegment *code)
{
    const x86emu_regs_t *x86 = &soft->emu->x86;
    uint32_t table = selector & 4 ? x86->R_LDT_BASE : x86->R_GDT_BASE;
    uint32_t limit = selector & 4 ? x86->R_LDT_LIMIT : x86->R_GDT_LIMIT;
    uint32_t offset = selector & ~7u;
    uint32_t low, high;

    if (!(selector & ~3u) || offset + 7 > limit) {
        return false;
    }
    low = soft_load(soft, table + offset, 4);
    high = soft_load(soft, table + offset + 4, 4);
    code->selector = selector;
    code->acc = (uint16_t)((high >> 8 & 0xff) | (high >> 12 & 0xf00));
    code->base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
    code->limit = (low & 0xffff) | (high & 0xf0000);
    if (ACC_G(code->acc)) {
        code->limit = code->limit << 12 | 0xfff;
    }
    return ACC_P(code->acc) && ACC_S(code->acc) && ACC_E(code->acc);
}

/* 6.12: a gate of the interrupt descriptor table, to a handler of the same privilege. */
static bool deliver_protected(SoftCPU *soft, uint8_t vector, EventKind kind,
                              int64_t error_code)
{
    x86emu_regs_t *x86 = &soft->emu->x86;
    unsigned cpl = x86->R_CS & 3;
    uint32_t low, high, flags = x86->R_FLG & ~FLAGS_VM;
    unsigned type, size;
    CodeSegment code;

    if (vector * 8u + 7 > x86->R_IDT_LIMIT) {
        return false;
    }
    low = soft_load(soft, x86->R_IDT_BASE + vector * 8u, 4);
    high = soft_load(soft, x86->R_IDT_BASE + vector * 8u + 4, 4);
    type = high >> 8 & 0x1f;
    if (!(high & 0x8000) || (type != 0x06 && type != 0x07 && type != 0x0e && type != 0x0f) ||
        (kind == EVENT_SOFTWARE && (high >> 13 & 3) < cpl) ||
        !load_code_segment(soft, (uint16_t)(low >> 16), &code)) {
        return false;
    }
    if (!ACC_C(code.acc) && ACC_DPL(code.acc) < cpl) {
        bool locked = io_lock_unless_held();

        system_fatal("x86emu: the guest handles vector 0x%02x at another privilege level, "
                     "which the software CPU does not do; run it with -accel kvm",
                     vector);
        io_unlock_if(locked);
        soft->halted = true;
        return true;
    }
    size = type & 8 ? 4 : 2;
    push(soft, size, flags);
    push(soft, size, x86->R_CS);
    push(soft, size, x86->R_EIP);
    if (error_code >= 0) {
        push(soft, size, (uint32_t)error_code);
    }
    x86->R_CS = (uint16_t)((code.selector & ~3u) | cpl);
    x86->R_CS_BASE = code.base;
    x86->R_CS_LIMIT = code.limit;
    x86->R_CS_ACC = code.acc;
    x86->R_EIP = size == 4 ? (low & 0xffff) | (high & 0xffff0000) : low & 0xffff;
    x86->R_FLG &= ~(uint32_t)(F_TF | FLAGS_NT | FLAGS_RF | FLAGS_VM);
    if (!(type & 1)) {
        x86->R_FLG &= ~(uint32_t)F_IF;
    }
    return true;
}

static bool try_deliver(SoftCPU *soft, uint8_t vector, EventKind kind, int64_t error_code)
{
    return soft->emu->x86.R_CR0 & CR0_PE
               ? deliver_protected(soft, vector, kind, error_code)
               : deliver_real(soft, vector);
}

void soft_deliver(SoftCPU *soft, uint8_t vector, EventKind kind, int64_t error_code)
{
    /* 6.15: what cannot be delivered is a general protection fault, if that cannot be
     * either a double fault, and if even that cannot, the processor shuts down. */
    if (try_deliver(soft, vector, kind, error_code)) {
        return;
    }
    if (vector != VECTOR_GP && vector != VECTOR_DF &&
        try_deliver(soft, VECTOR_GP, EVENT_EXCEPTION,
                    vector * 8 + 2 + (kind != EVENT_SOFTWARE))) {
        return;
    }
    if (vector == VECTOR_DF || !try_deliver(soft, VECTOR_DF, EVENT_EXCEPTION, 0)) {
        triple_fault(soft);
    }
}

int soft_intr(x86emu_t *emu, uint8_t vector, unsigned type)
{
    bool restart = type & INTR_MODE_RESTART;
    bool software = (type & 0xff) == INTR_TYPE_SOFT && !restart;

    if (restart) {
        emu->x86.R_EIP = emu->x86.saved_eip;
    }
    soft_deliver(emu->_private, vector, software ? EVENT_SOFTWARE : EVENT_EXCEPTION,
                 type & INTR_MODE_ERRCODE ? (int64_t)(emu->x86.intr_errcode & 0xfffc) : -1);
    return 1;
}

/* -- Attention --------------------------------------------------------------------------- */

static void accept_interrupt(SoftCPU *soft)
{
    X86CPU *cpu = soft->vcpu->cpu;
    int vector = -1;

    soft_leave(soft);
    io_lock();
    if (cpu->intr && cpu->acknowledge) {
        vector = cpu->acknowledge(cpu->acknowledge_opaque);
    }
    io_unlock();
    soft_enter(soft);
    if (vector >= 0) {
        soft->vcpu->statistics.interrupts++;
        soft->halted = false;
        soft_deliver(soft, (uint8_t)vector, EVENT_EXTERNAL, -1);
    }
}

/* 6.7: an NMI wakes from HLT too. INIT and start-up begin anew elsewhere; INIT keeps what
 * X86Registers does not hold (table 9-1). */
void soft_take_signals(SoftCPU *soft)
{
    X86CPU *cpu = soft->vcpu->cpu;
    unsigned signals;

    if (!__atomic_load_n(&cpu->signals, __ATOMIC_ACQUIRE)) {
        return;
    }
    cpu->ops->get_registers(cpu);
    signals = x86_cpu_take_signals(cpu);
    if (signals & (X86_SIGNAL_INIT | X86_SIGNAL_STARTUP)) {
        cpu->ops->set_registers(cpu);
    }
    if (signals & X86_SIGNAL_NMI && !cpu->waits_for_startup) {
        soft->halted = false;
        soft_deliver(soft, VECTOR_NMI, EVENT_EXTERNAL, -1);
    }
}

bool soft_attend(SoftCPU *soft)
{
    __atomic_store_n(&soft->attention, 0, __ATOMIC_SEQ_CST);
    if (soft->has_turn && soft_turn_wanted()) {
        soft_leave(soft);
    }
    soft_enter(soft);
    accel_vcpu_take_kick(soft->vcpu);
    if (accel_vcpu_must_leave(soft->vcpu)) {
        return false;
    }
    soft_take_signals(soft);
    if (soft->emu->x86.R_FLG & F_IF && !soft->halted && !soft->stepping &&
        __atomic_load_n(&soft->vcpu->cpu->intr, __ATOMIC_ACQUIRE)) {
        accept_interrupt(soft);
        /* The next one waits for the handler's IRET or STI. */
    }
    return !soft->halted;
}

/* -- CPUID ------------------------------------------------------------------------------- */

#define LEAF_HYPERVISOR 0x40000000u

/* What is executed here or by the library, of leaf 1's EDX: TSC, MSR, CX8, MTRR, CMOV. */
#define FEATURES_EDX (1u << 4 | 1u << 5 | 1u << 8 | 1u << 12 | 1u << 15)

void soft_cpuid(x86emu_t *emu)
{
    SoftCPU *soft = emu->_private;
    const APIC *apic = soft->vcpu->cpu->apic;
    uint32_t leaf = emu->x86.R_EAX;
    uint32_t values[CPUID_REGISTERS] = {0};

    if (leaf == LEAF_HYPERVISOR) {
        values[CPUID_EAX] = LEAF_HYPERVISOR;
        cpuid_set_signature(values, "UmbraX86Emu\0", true);
    } else if (!cpuid_model(leaf, soft->vcpu->cpu, values)) {
        cpuid_model(soft->vcpu->cpu->level, soft->vcpu->cpu, values);
    }
    if (leaf == 0 || leaf == 0x80000000) {
        cpuid_set_signature(values, "AuthenticAMD", false);
    } else if (leaf == 1) {
        bool announced = apic && apic_enabled(apic) && soft->vcpu->cpu->announces_apic;

        values[CPUID_ECX] &= CPUID_1_ECX_HYPERVISOR;
        values[CPUID_EDX] &= FEATURES_EDX | (announced ? CPUID_1_EDX_APIC : 0);
    } else if (leaf == 0x7) {
        values[CPUID_EBX] = 0;
    } else if (leaf == 0x80000001) {
        values[CPUID_ECX] = 0;
        values[CPUID_EDX] &= FEATURES_EDX;
    }
    emu->x86.R_EAX = values[CPUID_EAX];
    emu->x86.R_EBX = values[CPUID_EBX];
    emu->x86.R_ECX = values[CPUID_ECX];
    emu->x86.R_EDX = values[CPUID_EDX];
}

/* -- Model-specific registers ------------------------------------------------------------- */

#define MSR_TSC 0x10u
#define MSR_APIC_BASE 0x1bu
#define MSR_MTRR_CAPABILITY 0xfeu
#define MSR_PAT 0x277u
#define MSR_MISC_ENABLE 0x1a0u
#define MSR_EFER 0xc0000080u

uint64_t soft_tsc(void)
{
    return (uint64_t)clock_get_ticks();
}

void soft_reset_msrs(SoftCPU *soft)
{
    uint64_t *msr = soft->emu->x86.msr;

    memset(msr, 0, X86EMU_MSRS * sizeof(msr[0]));
    msr[MSR_MTRR_CAPABILITY] = 0x508; /* 8 variable ranges, fixed ranges, WC (11.11.1) */
    msr[MSR_PAT] = UINT64_C(0x0007040600070406);
    msr[MSR_MISC_ENABLE] = 1; /* fast strings, as QEMU's says */
    soft->efer = 0;
}

/* Without an APIC: the bootstrap processor still says that it is that (8.4.1). */
static uint64_t read_apic_base(const SoftCPU *soft)
{
    const X86CPU *cpu = soft->vcpu->cpu;

    return cpu->apic ? cpu->apic->base : cpu->index == 0 ? UINT64_C(1) << 8 : 0;
}

void soft_rdmsr(SoftCPU *soft)
{
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint32_t n = x86->R_ECX;
    uint64_t value = n == MSR_TSC         ? soft_tsc()
                     : n == MSR_EFER      ? soft->efer
                     : n == MSR_APIC_BASE ? read_apic_base(soft)
                     : n < X86EMU_MSRS    ? x86->msr[n]
                                          : 0;

    x86->R_EAX = (uint32_t)value;
    x86->R_EDX = (uint32_t)(value >> 32);
}

static void set_apic_base(SoftCPU *soft, uint64_t value)
{
    bool locked;

    if (soft->vcpu->cpu->apic) {
        locked = io_lock_unless_held();
        apic_set_base(soft->vcpu->cpu->apic, value);
        io_unlock_if(locked);
    }
}

/* Registers that mean nothing here are kept; those without a place are ignored, as
 * QEMU's software CPU does. */
void soft_wrmsr(SoftCPU *soft)
{
    x86emu_regs_t *x86 = &soft->emu->x86;
    uint32_t n = x86->R_ECX;
    uint64_t value = x86->R_EAX | (uint64_t)x86->R_EDX << 32;

    if (n == MSR_EFER) {
        soft->efer = value;
    } else if (n == MSR_APIC_BASE) {
        set_apic_base(soft, value);
    } else if (n < X86EMU_MSRS && n != MSR_MTRR_CAPABILITY && n != MSR_TSC) {
        x86->msr[n] = value;
    }
}
