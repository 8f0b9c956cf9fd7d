/*
 * The "x86emu" accelerator: libx86emu as the machine's processor, for 16-bit and 32-bit
 * code without paging: firmware, option ROMs, boot loaders.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/x86emu-internal.h"

#include <gio/gio.h>

static bool x86emu_accel_init(Accel *accel, GError **error)
{
    soft_memory_init(accel);
    soft_register_state();
    return true;
}

static bool create_vcpu(AccelVCPU *vcpu, GError **error)
{
    SoftCPU *soft;
    x86emu_t *emu = x86emu_new(X86EMU_PERM_RWX, 0);

    if (!emu) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "x86emu: no memory for CPU %u",
                    vcpu->cpu->index);
        return false;
    }
    soft = g_new0(SoftCPU, 1);
    soft->emu = emu;
    soft->vcpu = vcpu;
    soft->address_mask = UINT32_MAX;
    soft->flush = soft->attention = 1;
    soft->watch_hit = -1;
    emu->_private = soft;
    vcpu->data = soft;
    x86emu_set_memio_handler(emu, soft_memio);
    x86emu_set_intr_handler(emu, soft_intr);
    x86emu_set_cpuid_handler(emu, soft_cpuid);
    x86emu_set_code_handler(emu, soft_execute);
    soft_reset_msrs(soft);
    return true;
}

static void destroy_vcpu(AccelVCPU *vcpu)
{
    SoftCPU *soft = vcpu->data;

    x86emu_done(soft->emu);
    g_free(soft);
}

/* HLT, or before start-up: an interrupt that IF lets through goes on, or a signal. False:
 * leave. */
static bool wait_in_halt(SoftCPU *soft)
{
    AccelVCPU *vcpu = soft->vcpu;
    X86CPU *cpu = vcpu->cpu;

    vcpu->statistics.halts++;
    while (soft->halted) {
        if (accel_vcpu_must_leave(vcpu)) {
            return false;
        }
        accel_vcpu_take_kick(vcpu);
        soft_enter(soft);
        soft_take_signals(soft);
        soft_leave(soft);
        if (soft->emu->x86.R_FLG & F_IF && !cpu->waits_for_startup &&
            __atomic_load_n(&cpu->intr, __ATOMIC_ACQUIRE)) {
            soft->halted = false;
        }
        if (soft->halted) {
            accel_vcpu_wait(vcpu);
        }
    }
    soft_call_attention(soft);
    return true;
}

static void run_vcpu(AccelVCPU *vcpu)
{
    SoftCPU *soft = vcpu->data;

    while (!accel_vcpu_must_leave(vcpu) && (!soft->halted || wait_in_halt(soft))) {
        soft_enter(soft);
        /* Returns when soft_execute() says so: at HLT, or when called to attention. */
        x86emu_run(soft->emu, 0);
        soft_leave(soft);
        vcpu->statistics.exits++;
        vcpu->statistics.instructions = soft->instructions;
    }
}

static void kick_vcpu(AccelVCPU *vcpu)
{
    soft_call_attention(vcpu->data);
}

/* -- Registers --------------------------------------------------------------------------- */

/* As instructions number them. */
static i386_general_register *general(x86emu_regs_t *x86, unsigned n)
{
    i386_general_register *const registers[8] = {
        &x86->gen.A,  &x86->gen.C,  &x86->gen.D,  &x86->gen.B,
        &x86->spc.SP, &x86->spc.BP, &x86->spc.SI, &x86->spc.DI,
    };

    return registers[n];
}

/* The library keeps the attributes' upper four bits next to the lower eight. */
static X86Segment from_library(const sel_t *segment)
{
    return (X86Segment){
        .base = segment->base,
        .limit = segment->limit,
        .selector = segment->sel,
        .attributes = (uint16_t)((segment->acc & 0xff) | (segment->acc & 0xf00) << 4),
    };
}

static sel_t to_library(const X86Segment *segment)
{
    return (sel_t){
        .base = (uint32_t)segment->base,
        .limit = segment->limit,
        .sel = segment->selector,
        .acc = (uint16_t)((segment->attributes & 0xff) | (segment->attributes >> 4 & 0xf00)),
    };
}

static void get_registers(X86CPU *cpu)
{
    SoftCPU *soft = soft_cpu(cpu);
    x86emu_regs_t *x86 = &soft->emu->x86;
    X86Registers *r = &cpu->registers;

    for (unsigned i = 0; i < 8; i++) {
        r->gpr[i] = general(x86, i)->I32_reg.e_reg;
    }
    r->rip = x86->R_EIP;
    r->rflags = x86->R_FLG;
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        r->segment[i] = from_library(&x86->seg[i]);
    }
    r->ldt = from_library(&x86->ldt);
    r->tr = from_library(&x86->tr);
    r->gdt_base = x86->R_GDT_BASE;
    r->gdt_limit = (uint16_t)x86->R_GDT_LIMIT;
    r->idt_base = x86->R_IDT_BASE;
    r->idt_limit = (uint16_t)x86->R_IDT_LIMIT;
    r->cr0 = x86->R_CR0;
    r->cr2 = x86->R_CR2;
    r->cr3 = x86->R_CR3;
    r->cr4 = x86->R_CR4;
    r->efer = soft->efer;
    for (unsigned i = 0; i < 8; i++) {
        r->dr[i] = x86->drx[i];
    }
    cpu->halted = soft->halted;
}

static void set_registers(X86CPU *cpu)
{
    SoftCPU *soft = soft_cpu(cpu);
    x86emu_regs_t *x86 = &soft->emu->x86;
    const X86Registers *r = &cpu->registers;

    for (unsigned i = 0; i < 8; i++) {
        general(x86, i)->I32_reg.e_reg = (uint32_t)r->gpr[i];
    }
    x86->R_EIP = (uint32_t)r->rip;
    x86->R_FLG = (uint32_t)r->rflags | F_ALWAYS_ON;
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        x86->seg[i] = to_library(&r->segment[i]);
    }
    x86->ldt = to_library(&r->ldt);
    x86->tr = to_library(&r->tr);
    x86->R_GDT_BASE = (uint32_t)r->gdt_base;
    x86->R_GDT_LIMIT = r->gdt_limit;
    x86->R_IDT_BASE = (uint32_t)r->idt_base;
    x86->R_IDT_LIMIT = r->idt_limit;
    x86->R_CR0 = (uint32_t)r->cr0;
    x86->R_CR2 = (uint32_t)r->cr2;
    x86->R_CR3 = (uint32_t)r->cr3;
    x86->R_CR4 = (uint32_t)r->cr4;
    soft->efer = r->efer;
    for (unsigned i = 0; i < 8; i++) {
        x86->drx[i] = (uint32_t)r->dr[i];
    }
    soft->halted = cpu->halted;
    soft->inhibit = soft->trap = false;
}

static void reset(X86CPU *cpu)
{
    SoftCPU *soft = soft_cpu(cpu);

    soft_reset_msrs(soft);
    memset(&soft->emu->x86.sse, 0, sizeof(soft->emu->x86.sse));
    soft->emu->x86.intr_type = 0;
    soft_flush(soft);
}

/* -- Pins -------------------------------------------------------------------------------- */

static void intr_changed(X86CPU *cpu)
{
    if (cpu->intr) {
        accel_kick(accel_vcpu(cpu)->accel, cpu);
    }
}

static void signalled(X86CPU *cpu)
{
    accel_kick(accel_vcpu(cpu)->accel, cpu);
}

static void a20_changed(X86CPU *cpu)
{
    SoftCPU *soft = soft_cpu(cpu);

    soft->address_mask = cpu->a20 ? UINT32_MAX : ~(UINT32_C(1) << 20);
    soft_flush(soft);
}

static const X86CPUOps x86emu_ops = {
    .intr_changed = intr_changed,
    .a20_changed = a20_changed,
    .get_registers = get_registers,
    .set_registers = set_registers,
    .get_state = soft_get_state,
    .set_state = soft_set_state,
    .reset = reset,
    .signalled = signalled,
};

ACCEL_DEFINE_TYPE(Accel, accel_x86emu, "x86emu-accel")

static void accel_x86emu_class_init(AccelClass *klass)
{
    klass->name = "x86emu";
    klass->init = x86emu_accel_init;
    klass->create_vcpu = create_vcpu;
    klass->destroy_vcpu = destroy_vcpu;
    klass->run_vcpu = run_vcpu;
    klass->kick_vcpu = kick_vcpu;
    klass->ops = &x86emu_ops;
    klass->smm_spaces = true;
    klass->update_debug = soft_update_debug;
    klass->step_over = soft_step_over;
}
