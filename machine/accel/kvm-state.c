/*
 * A KVM vCPU's state beside its registers, to and from X86State, so that it can move.
 *
 * Section numbers are those of the kernel's Documentation/virt/kvm/api.rst.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <gio/gio.h>

#include "hw/core/clock.h"
#include "machine/accel/kvm-internal.h"

/* -- Model-specific registers (4.18, 4.19) ------------------------------------------ */

#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_TSC 0x10u
#define MSR_SMBASE 0x9eu
#define MSR_SMI_COUNT 0x34u

typedef struct StateMSR {
    uint32_t index;
    uint16_t offset; /* in X86State */
    uint8_t bytes;
} StateMSR;

#define MSR(index, member)                                                               \
    {                                                                                    \
        index, offsetof(X86State, member), sizeof(((X86State *)NULL)->member)            \
    }

/* The numbers are Intel's and AMD's; 0x11, 0x12 and 0x4b564dxx are KVM's own. */
static const StateMSR state_msrs[] = {
    MSR(0x174, sysenter_cs),
    MSR(0x175, sysenter_esp),
    MSR(0x176, sysenter_eip),
    MSR(0x277, pat),
    MSR(0xc0000081, star),
    MSR(0xc0000082, lstar),
    MSR(0xc0000083, cstar),
    MSR(0xc0000084, fmask),
    MSR(0xc0000102, kernelgsbase),
    MSR(0xc0000103, tsc_aux),
    MSR(0x3b, tsc_adjust),
    MSR(MSR_TSC, tsc),
    MSR(0x1a0, msr_ia32_misc_enable),
    MSR(MSR_SMBASE, smbase),
    MSR(MSR_SMI_COUNT, msr_smi_count),
    MSR(0x3a, msr_ia32_feature_control),
    MSR(0x48, spec_ctrl),
    MSR(0xc001011f, virt_ssbd),
    MSR(0xda0, xss),
    MSR(0xe1, umwait),
    MSR(0xc0010117, vm_hsave),
    MSR(0x12, system_time_msr),
    MSR(0x11, wall_clock_msr),
    MSR(0x4b564d02, async_pf_en_msr),
    MSR(0x4b564d03, steal_time_msr),
    MSR(0x4b564d04, pv_eoi_en_msr),
    MSR(0x4b564d05, poll_control_msr),
    MSR(0x2ff, mtrr_deftype),
    MSR(0x250, mtrr_fixed[0]),
    MSR(0x258, mtrr_fixed[1]),
    MSR(0x259, mtrr_fixed[2]),
    MSR(0x268, mtrr_fixed[3]),
    MSR(0x269, mtrr_fixed[4]),
    MSR(0x26a, mtrr_fixed[5]),
    MSR(0x26b, mtrr_fixed[6]),
    MSR(0x26c, mtrr_fixed[7]),
    MSR(0x26d, mtrr_fixed[8]),
    MSR(0x26e, mtrr_fixed[9]),
    MSR(0x26f, mtrr_fixed[10]),
    MSR(0x17a, mcg_status),
    MSR(0x17b, mcg_ctl),
    /* Last: the kernel takes it only from a local APIC whose timer is in that mode. */
    MSR(MSR_TSC_DEADLINE, tsc_deadline),
};

/* Streams have masks for the widest addresses there can be (Intel SDM volume 3, 11.11.3),
 * so that they suit a host with wider ones. */
#define WIDEST_PHYSICAL UINT64_C(0xfffffffffffff)

enum {
    MSR_MTRR_VARIABLE = 0x200,
    MSR_MCE_BANKS = 0x400,
};

typedef struct OneMSR {
    struct kvm_msrs head;
    struct kvm_msr_entry entry;
} OneMSR;

/* One by one: both ioctls stop at the first register that the host does not have. */
static bool get_msr(const KVMVCPU *vcpu, uint32_t index, uint64_t *value)
{
    OneMSR msr = {.head.nmsrs = 1, .entry.index = index};

    if (kvm_ioctl(vcpu->fd, KVM_GET_MSRS, &msr) != 1) {
        return false;
    }
    *value = msr.entry.data;
    return true;
}

static bool set_msr(const KVMVCPU *vcpu, uint32_t index, uint64_t value)
{
    OneMSR msr = {.head.nmsrs = 1, .entry = {.index = index, .data = value}};

    return kvm_ioctl(vcpu->fd, KVM_SET_MSRS, &msr) == 1;
}

static void get_msrs(const KVMVCPU *vcpu, X86State *state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(state_msrs); i++) {
        uint64_t value;

        if (get_msr(vcpu, state_msrs[i].index, &value)) {
            memcpy((char *)state + state_msrs[i].offset, &value, state_msrs[i].bytes);
        }
    }
    for (uint32_t i = 0; i < X86_MTRR_VARIABLE; i++) {
        get_msr(vcpu, MSR_MTRR_VARIABLE + 2 * i, &state->mtrr_var[i].base);
        if (get_msr(vcpu, MSR_MTRR_VARIABLE + 2 * i + 1, &state->mtrr_var[i].mask)) {
            state->mtrr_var[i].mask |= ~vcpu->physical_mask & WIDEST_PHYSICAL;
        }
    }
    for (uint32_t i = 0; i < G_N_ELEMENTS(state->mce_banks); i++) {
        get_msr(vcpu, MSR_MCE_BANKS + i, &state->mce_banks[i]);
    }
}

static uint64_t state_value(const X86State *state, const StateMSR *msr)
{
    uint64_t value = 0;

    memcpy(&value, (const char *)state + msr->offset, msr->bytes);
    return value;
}

/* Whether the guest does not mind that this host refuses the value. A host without the
 * register is no reason to refuse a guest that has not used it, and one without system
 * management mode none for a guest whose firmware has seen to that mode elsewhere. */
static bool may_be_missing(const KVMVCPU *vcpu, const X86State *state,
                           const StateMSR *msr, uint64_t value)
{
    X86State reset;
    uint64_t here;

    x86_state_reset(&reset, state->mcg_cap != 0);
    if (get_msr(vcpu, msr->index, &here)) {
        return here == value;
    }
    return value == state_value(&reset, msr) || value == 0 || msr->index == MSR_SMBASE ||
           msr->index == MSR_SMI_COUNT;
}

static bool set_msrs(const KVMVCPU *vcpu, const X86State *state, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(state_msrs); i++) {
        uint64_t value = state_value(state, &state_msrs[i]);
        uint32_t index = state_msrs[i].index;

        if (index == MSR_TSC && value == 0) { /* a software CPU's, which came as time */
            value = (uint64_t)clock_get_ticks();
        }
        if (index == MSR_TSC_DEADLINE || set_msr(vcpu, index, value) ||
            may_be_missing(vcpu, state, &state_msrs[i], value)) {
            continue;
        }
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "kvm: this host does not take the value 0x%" G_GINT64_MODIFIER
                    "x of the guest's model-specific register 0x%x: move the guest to "
                    "another host, or to -accel x86emu",
                    value, index);
        return false;
    }
    for (uint32_t i = 0; i < X86_MTRR_VARIABLE; i++) {
        /* A mask of another host's physical address width would be refused. */
        uint64_t mask = state->mtrr_var[i].mask & vcpu->physical_mask;

        set_msr(vcpu, MSR_MTRR_VARIABLE + 2 * i, state->mtrr_var[i].base);
        set_msr(vcpu, MSR_MTRR_VARIABLE + 2 * i + 1, mask);
    }
    for (uint32_t i = 0; i < G_N_ELEMENTS(state->mce_banks); i++) {
        set_msr(vcpu, MSR_MCE_BANKS + i, state->mce_banks[i]);
    }
    return true;
}

void kvm_init_machine_check(KVMVCPU *vcpu, X86CPU *cpu)
{
    if (!cpu->no_machine_check &&
        ioctl(kvm_host.fd, KVM_CHECK_EXTENSION, KVM_CAP_MCE) > 0) {
        kvm_ioctl(vcpu->fd, KVM_X86_SETUP_MCE, &cpu->state.mcg_cap);
    }
}

/* -- Vector and floating-point registers (4.42, 4.44) ------------------------------- */

/* Intel SDM volume 1, 10.5.1 and 13.4. Bits 128-255 of the YMM registers are where CPUID
 * leaf 13, 2 says, which is here on every processor. */
enum {
    XSAVE_FPOP = 6,
    XSAVE_FPIP = 8,
    XSAVE_FPDP = 16,
    XSAVE_STATES = 512,
    XSAVE_YMMH = 576,
};
#define XSTATE_YMMH UINT64_C(4)
#define XSTATE_KEPT UINT64_C(7) /* x87, SSE and YMMH */

static void get_vectors(const KVMVCPU *vcpu, X86State *state)
{
    struct kvm_xsave area = {0};
    struct kvm_xcrs xcrs = {0};
    const uint8_t *bytes = (const uint8_t *)area.region;

    kvm_ioctl(vcpu->fd, KVM_GET_XSAVE, &area);
    memcpy(&state->xstate_bv, bytes + XSAVE_STATES, sizeof(state->xstate_bv));
    memcpy(&state->fpop, bytes + XSAVE_FPOP, sizeof(state->fpop));
    memcpy(&state->fpip, bytes + XSAVE_FPIP, sizeof(state->fpip));
    memcpy(&state->fpdp, bytes + XSAVE_FPDP, sizeof(state->fpdp));
    memset(state->ymmh, 0, sizeof(state->ymmh));
    if (state->xstate_bv & XSTATE_YMMH) {
        memcpy(state->ymmh, bytes + XSAVE_YMMH, sizeof(state->ymmh));
    }
    if (kvm_ioctl(vcpu->fd, KVM_GET_XCRS, &xcrs) == 0 && xcrs.nr_xcrs > 0) {
        state->xcr0 = xcrs.xcrs[0].value;
    }
}

/* The lower halves are there already, with kvm_set_registers(). */
static bool set_vectors(const KVMVCPU *vcpu, const X86State *state, GError **error)
{
    struct kvm_xsave area = {0};
    struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0].value = state->xcr0};
    uint8_t *bytes = (uint8_t *)area.region;
    uint64_t states;

    if (state->xstate_bv & ~XSTATE_KEPT ||
        (kvm_ioctl(vcpu->fd, KVM_SET_XCRS, &xcrs) < 0 && state->xcr0 > 1)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "kvm: the guest uses processor state (0x%" G_GINT64_MODIFIER
                    "x of XCR0, 0x%" G_GINT64_MODIFIER
                    "x of XSTATE_BV) that the CPU model here does not have",
                    state->xcr0, state->xstate_bv);
        return false;
    }
    kvm_ioctl(vcpu->fd, KVM_GET_XSAVE, &area);
    memcpy(bytes + XSAVE_FPOP, &state->fpop, sizeof(state->fpop));
    memcpy(bytes + XSAVE_FPIP, &state->fpip, sizeof(state->fpip));
    memcpy(bytes + XSAVE_FPDP, &state->fpdp, sizeof(state->fpdp));
    memcpy(&states, bytes + XSAVE_STATES, sizeof(states));
    if (state->xstate_bv & XSTATE_YMMH) {
        states |= XSTATE_YMMH;
        memcpy(bytes + XSAVE_YMMH, state->ymmh, sizeof(state->ymmh));
        memcpy(bytes + XSAVE_STATES, &states, sizeof(states));
    }
    kvm_ioctl(vcpu->fd, KVM_SET_XSAVE, &area);
    return true;
}

/* -- Events (4.31, 4.32, 4.38, 4.39) ------------------------------------------------ */

static void get_events(const KVMVCPU *vcpu, X86State *state)
{
    struct kvm_vcpu_events events = {0};
    struct kvm_mp_state mp_state = {0};

    kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
    state->exception_nr = events.exception.injected ? events.exception.nr : X86_NO_EVENT;
    state->has_error_code = events.exception.has_error_code;
    state->interrupt_injected =
        events.interrupt.injected ? events.interrupt.nr : X86_NO_EVENT;
    state->soft_interrupt = events.interrupt.soft;
    state->interrupt_shadow = events.interrupt.shadow != 0;
    state->nmi_injected = events.nmi.injected;
    state->nmi_pending = events.nmi.pending;
    state->nmi_masked = events.nmi.masked;
    state->sipi_vector = events.sipi_vector;
    state->smm = events.smi.smm;
    state->smm_inside_nmi = events.smi.smm_inside_nmi;
    if (kvm_host.irqchip && kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp_state) == 0) {
        state->mp_state = mp_state.mp_state;
    }
}

static bool set_events(const KVMVCPU *vcpu, const X86State *state, GError **error)
{
    struct kvm_vcpu_events events = {
        .exception = {.injected = state->exception_nr >= 0,
                      .nr = (uint8_t)state->exception_nr,
                      .has_error_code = state->has_error_code != 0},
        .interrupt = {.injected = state->interrupt_injected >= 0,
                      .nr = (uint8_t)state->interrupt_injected,
                      .soft = state->soft_interrupt != 0,
                      .shadow = state->interrupt_shadow ? KVM_X86_SHADOW_INT_STI : 0},
        .nmi = {.injected = state->nmi_injected != 0,
                .pending = state->nmi_pending != 0,
                .masked = state->nmi_masked},
        .sipi_vector = state->sipi_vector,
        .flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |
                 KVM_VCPUEVENT_VALID_SHADOW,
    };

    if (state->smm) {
        events.smi.smm = 1;
        events.smi.smm_inside_nmi = state->smm_inside_nmi;
        events.flags |= KVM_VCPUEVENT_VALID_SMM;
    }
    if (kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "kvm: the kernel does not take the guest's pending events: %s%s",
                    g_strerror(errno),
                    state->smm ? " (the guest is in system management mode)" : "");
        return false;
    }
    if (state->interrupt_shadow || state->interrupt_injected >= 0) {
        vcpu->run->ready_for_interrupt_injection = 0;
    }
    return true;
}

static bool set_mp_state(KVMVCPU *vcpu, const X86State *state, GError **error)
{
    struct kvm_mp_state mp_state = {.mp_state = state->mp_state};

    if (!kvm_host.irqchip) {
        vcpu->halted = state->mp_state == X86_MP_HALTED;
    } else if (state->mp_state > X86_MP_STARTUP_RECEIVED ||
               kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp_state) < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "kvm: the kernel knows no CPU in the state %u", state->mp_state);
        return false;
    }
    return true;
}

/* -- All of it ---------------------------------------------------------------------- */

void kvm_get_state(X86CPU *cpu)
{
    const KVMVCPU *vcpu = kvm_vcpu(cpu);
    int khz = kvm_ioctl(vcpu->fd, KVM_GET_TSC_KHZ, NULL);

    get_msrs(vcpu, &cpu->state);
    get_vectors(vcpu, &cpu->state);
    get_events(vcpu, &cpu->state);
    cpu->state.tsc_khz = khz > 0 ? khz : 0;
}

/* A guest that has measured its time-stamp counter wants it to go on at that rate. Hosts
 * that cannot do so let it run at theirs, as QEMU does. */
static void set_tsc_rate(const KVMVCPU *vcpu, int64_t khz)
{
    if (khz > 0 && khz <= INT32_MAX && ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0) != khz) {
        ioctl(vcpu->fd, KVM_SET_TSC_KHZ, (unsigned long)khz);
    }
}

bool kvm_set_state(X86CPU *cpu, GError **error)
{
    KVMVCPU *vcpu = kvm_vcpu(cpu);

    set_tsc_rate(vcpu, cpu->state.tsc_khz);
    return set_msrs(vcpu, &cpu->state, error) && set_vectors(vcpu, &cpu->state, error) &&
           set_events(vcpu, &cpu->state, error) && set_mp_state(vcpu, &cpu->state, error);
}

void kvm_set_late_state(X86CPU *cpu)
{
    KVMVCPU *vcpu = kvm_vcpu(cpu);

    set_msr(vcpu, MSR_TSC_DEADLINE, cpu->state.tsc_deadline);
    set_events(vcpu, &cpu->state, NULL);
    set_mp_state(vcpu, &cpu->state, NULL);
}
