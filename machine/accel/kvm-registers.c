/*
 * A KVM vCPU's registers to and from X86Registers, and its power-on state.
 *
 * What X86Registers does not hold (model-specific registers, the local APIC, events) is
 * reset to what the kernel made the vCPU with.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <gio/gio.h>

#include "machine/accel/kvm-internal.h"

/* Those that firmware and operating systems write and expect fresh after a reset. The
 * numbers are Intel's and AMD's; 0x4b564dxx and 0x11, 0x12 are KVM's own. */
static const uint32_t reset_msrs[] = {
    0x010,                      /* time-stamp counter */
    0x174, 0x175, 0x176,        /* SYSENTER */
    0x1a0,                      /* MISC_ENABLE */
    0x277, 0x2ff,               /* PAT, MTRR default type */
    0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f,
    0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
    0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f,
    0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* SYSCALL */
    0xc0000102,                                     /* kernel GS base */
    0x11, 0x12, 0x4b564d00, 0x4b564d01,             /* clock: stop writing into RAM */
    0x4b564d02, 0x4b564d03, 0x4b564d04,
};

struct KVMPowerOn {
    struct kvm_sregs sregs;
    struct kvm_lapic_state lapic;
    struct kvm_vcpu_events events;
    struct kvm_mp_state mp_state;
    struct kvm_xcrs xcrs;
    bool has_xcrs;
    size_t msr_count;
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[G_N_ELEMENTS(reset_msrs)];
    } msrs;
};

/* KVM_GET_MSRS stops at the first register that the host does not have: asks one by one. */
static void read_power_on_msrs(KVMVCPU *vcpu, struct KVMPowerOn *power_on)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } one;

    for (size_t i = 0; i < G_N_ELEMENTS(reset_msrs); i++) {
        memset(&one, 0, sizeof(one));
        one.head.nmsrs = 1;
        one.entry.index = reset_msrs[i];
        if (kvm_ioctl(vcpu->fd, KVM_GET_MSRS, &one) == 1) {
            power_on->msrs.entries[power_on->msrs.head.nmsrs++] = one.entry;
        }
    }
}

bool kvm_registers_init(KVMVCPU *vcpu, GError **error)
{
    struct KVMPowerOn *power_on = g_new0(struct KVMPowerOn, 1);

    vcpu->power_on = power_on;
    if (kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &power_on->sregs) < 0 ||
        kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &power_on->events) < 0 ||
        (kvm_host.irqchip &&
         (kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &power_on->mp_state) < 0 ||
          kvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &power_on->lapic) < 0))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "kvm: cannot read the state of a new CPU: %s", g_strerror(errno));
        return false;
    }
    power_on->has_xcrs = kvm_ioctl(vcpu->fd, KVM_GET_XCRS, &power_on->xcrs) == 0;
    read_power_on_msrs(vcpu, power_on);
    return true;
}

void kvm_registers_free(KVMVCPU *vcpu)
{
    g_clear_pointer(&vcpu->power_on, g_free);
}

void kvm_reset_vcpu(X86CPU *cpu)
{
    KVMVCPU *vcpu = kvm_vcpu(cpu);
    struct KVMPowerOn *power_on = vcpu->power_on;
    struct kvm_sregs sregs = power_on->sregs;

    vcpu->halted = false;
    if (!cpu->announces_apic) {
        sregs.apic_base = 0; /* off: the kernel shows this bit in CPUID */
    }
    kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
    kvm_ioctl(vcpu->fd, KVM_SET_MSRS, &power_on->msrs);
    if (power_on->has_xcrs) {
        kvm_ioctl(vcpu->fd, KVM_SET_XCRS, &power_on->xcrs);
    }
    if (kvm_host.irqchip) {
        kvm_ioctl(vcpu->fd, KVM_SET_LAPIC, &power_on->lapic);
        kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &power_on->mp_state);
    }
    kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &power_on->events);
}

/* -- Segments ---------------------------------------------------------------------------- */

static X86Segment from_kvm_segment(const struct kvm_segment *segment)
{
    return (X86Segment){
        .base = segment->base,
        .limit = segment->limit,
        .selector = segment->selector,
        .attributes = (uint16_t)(segment->type | segment->s << 4 | segment->dpl << 5 |
                                 segment->present << 7 | segment->avl << 12 |
                                 segment->l << 13 | segment->db << 14 | segment->g << 15),
    };
}

static struct kvm_segment to_kvm_segment(const X86Segment *segment)
{
    unsigned a = segment->attributes;

    return (struct kvm_segment){
        .base = segment->base,
        .limit = segment->limit,
        .selector = segment->selector,
        .type = a & 0xf,
        .s = a >> 4 & 1,
        .dpl = a >> 5 & 3,
        .present = a >> 7 & 1,
        .avl = a >> 12 & 1,
        .l = a >> 13 & 1,
        .db = a >> 14 & 1,
        .g = a >> 15 & 1,
        .unusable = !(a & 0x80),
    };
}

/* In the order of X86_ES.. */
static struct kvm_segment *sregs_segment(struct kvm_sregs *sregs, unsigned n)
{
    struct kvm_segment *segments[X86_SEGMENTS] = {&sregs->es, &sregs->cs, &sregs->ss,
                                                  &sregs->ds, &sregs->fs, &sregs->gs};

    return segments[n];
}

/* -- Registers --------------------------------------------------------------------------- */

/* KVM's struct in the order of instruction encodings. */
static __u64 *general(struct kvm_regs *regs, unsigned n)
{
    __u64 *const gprs[X86_GPRS] = {
        &regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rsp, &regs->rbp,
        &regs->rsi, &regs->rdi, &regs->r8,  &regs->r9,  &regs->r10, &regs->r11,
        &regs->r12, &regs->r13, &regs->r14, &regs->r15,
    };

    return gprs[n];
}

/* The first 512 bytes of an XSAVE area are FXSAVE's (Intel SDM volume 1, 10.5.1). KVM's
 * own struct kvm_fpu would do, but that its setting forgets MXCSR. */
enum {
    FXSAVE_FCW = 0,
    FXSAVE_FSW = 2,
    FXSAVE_FTW = 4,
    FXSAVE_MXCSR = 24,
    FXSAVE_ST = 32,
    FXSAVE_XMM = 160,
    XSAVE_STATES = 512,
};

static void get_fpu(KVMVCPU *vcpu, X86Registers *r)
{
    struct kvm_xsave area = {0};
    const uint8_t *bytes = (const uint8_t *)area.region;

    kvm_ioctl(vcpu->fd, KVM_GET_XSAVE, &area);
    memcpy(&r->fcw, bytes + FXSAVE_FCW, sizeof(r->fcw));
    memcpy(&r->fsw, bytes + FXSAVE_FSW, sizeof(r->fsw));
    r->ftw = bytes[FXSAVE_FTW];
    memcpy(&r->mxcsr, bytes + FXSAVE_MXCSR, sizeof(r->mxcsr));
    memcpy(r->fpr, bytes + FXSAVE_ST, sizeof(r->fpr));
    memcpy(r->xmm, bytes + FXSAVE_XMM, sizeof(r->xmm));
}

static void set_fpu(KVMVCPU *vcpu, const X86Registers *r)
{
    struct kvm_xsave area = {0};
    uint8_t *bytes = (uint8_t *)area.region;

    kvm_ioctl(vcpu->fd, KVM_GET_XSAVE, &area);
    memcpy(bytes + FXSAVE_FCW, &r->fcw, sizeof(r->fcw));
    memcpy(bytes + FXSAVE_FSW, &r->fsw, sizeof(r->fsw));
    bytes[FXSAVE_FTW] = r->ftw;
    memcpy(bytes + FXSAVE_MXCSR, &r->mxcsr, sizeof(r->mxcsr));
    memcpy(bytes + FXSAVE_ST, r->fpr, sizeof(r->fpr));
    memcpy(bytes + FXSAVE_XMM, r->xmm, sizeof(r->xmm));
    bytes[XSAVE_STATES] |= 3; /* x87 and SSE are there to be loaded */
    kvm_ioctl(vcpu->fd, KVM_SET_XSAVE, &area);
}

void kvm_get_registers(X86CPU *cpu)
{
    KVMVCPU *vcpu = kvm_vcpu(cpu);
    X86Registers *r = &cpu->registers;
    struct kvm_regs regs = {0};
    struct kvm_sregs sregs = {0};
    struct kvm_debugregs debug = {0};
    struct kvm_mp_state mp_state = {0};

    kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
    kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
    kvm_ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &debug);

    for (unsigned i = 0; i < X86_GPRS; i++) {
        r->gpr[i] = *general(&regs, i);
    }
    r->rip = regs.rip;
    r->rflags = regs.rflags;
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        r->segment[i] = from_kvm_segment(sregs_segment(&sregs, i));
    }
    r->ldt = from_kvm_segment(&sregs.ldt);
    r->tr = from_kvm_segment(&sregs.tr);
    r->gdt_base = sregs.gdt.base;
    r->gdt_limit = sregs.gdt.limit;
    r->idt_base = sregs.idt.base;
    r->idt_limit = sregs.idt.limit;
    r->cr0 = sregs.cr0;
    r->cr2 = sregs.cr2;
    r->cr3 = sregs.cr3;
    r->cr4 = sregs.cr4;
    r->efer = sregs.efer;

    memcpy(r->dr, debug.db, sizeof(debug.db));
    r->dr[4] = r->dr[6] = debug.dr6; /* other names of the same */
    r->dr[5] = r->dr[7] = debug.dr7;

    get_fpu(vcpu, r);
    if (kvm_host.irqchip) {
        kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp_state);
        cpu->halted = mp_state.mp_state == KVM_MP_STATE_HALTED;
    } else {
        cpu->halted = vcpu->halted;
    }
}

void kvm_set_registers(X86CPU *cpu)
{
    KVMVCPU *vcpu = kvm_vcpu(cpu);
    const X86Registers *r = &cpu->registers;
    struct kvm_regs regs = {.rip = r->rip, .rflags = r->rflags};
    struct kvm_sregs sregs = {0};
    struct kvm_debugregs debug = {.dr6 = r->dr[6], .dr7 = r->dr[7]};

    for (unsigned i = 0; i < X86_GPRS; i++) {
        *general(&regs, i) = r->gpr[i];
    }
    kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        *sregs_segment(&sregs, i) = to_kvm_segment(&r->segment[i]);
    }
    sregs.ldt = to_kvm_segment(&r->ldt);
    sregs.tr = to_kvm_segment(&r->tr);
    sregs.gdt.base = r->gdt_base;
    sregs.gdt.limit = r->gdt_limit;
    sregs.idt.base = r->idt_base;
    sregs.idt.limit = r->idt_limit;
    sregs.cr0 = r->cr0;
    sregs.cr2 = r->cr2;
    sregs.cr3 = r->cr3;
    sregs.cr4 = r->cr4;
    sregs.efer = r->efer;
    memset(sregs.interrupt_bitmap, 0, sizeof(sregs.interrupt_bitmap));

    memcpy(debug.db, r->dr, sizeof(debug.db));
    set_fpu(vcpu, r);
    kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
    kvm_ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &debug);
    kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
    vcpu->halted = cpu->halted && !kvm_host.irqchip;
    /* What the kernel says on leaving the guest, for a CPU that has not been in it yet. */
    vcpu->run->if_flag = r->rflags >> 9 & 1;
    vcpu->run->ready_for_interrupt_injection = vcpu->run->if_flag;
}
