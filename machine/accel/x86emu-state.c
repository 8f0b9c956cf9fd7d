/*
 * The software CPU's state beside its registers, to and from X86State, so that it can
 * move.
 *
 * The library has model-specific registers below X86EMU_MSRS. What it does not model (the
 * floating-point and vector registers, other model-specific registers) the guest cannot
 * change either: it stays in cpu->registers and cpu->state as it came.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>

#include "hw/core/clock.h"
#include "hw/core/vmstate.h"
#include "machine/accel/x86emu-internal.h"

#define CR0_PG (UINT64_C(1) << 31)

/* Intel SDM volume 4, table 2-2. */
enum {
    MSR_SYSENTER_CS = 0x174,
    MSR_SYSENTER_ESP = 0x175,
    MSR_SYSENTER_EIP = 0x176,
    MSR_MISC_ENABLE = 0x1a0,
    MSR_MTRR_VARIABLE = 0x200,
    MSR_PAT = 0x277,
    MSR_MTRR_DEFAULT = 0x2ff,
};

static const uint16_t fixed_mtrrs[X86_MTRR_FIXED] = {
    0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f,
};

void soft_get_state(X86CPU *cpu)
{
    const SoftCPU *soft = soft_cpu(cpu);
    const u64 *msr = soft->emu->x86.msr;
    X86State *state = &cpu->state;

    state->sysenter_cs = (uint32_t)msr[MSR_SYSENTER_CS];
    state->sysenter_esp = msr[MSR_SYSENTER_ESP];
    state->sysenter_eip = msr[MSR_SYSENTER_EIP];
    state->msr_ia32_misc_enable = msr[MSR_MISC_ENABLE];
    state->pat = msr[MSR_PAT];
    state->mtrr_deftype = msr[MSR_MTRR_DEFAULT];
    for (unsigned i = 0; i < X86_MTRR_FIXED; i++) {
        state->mtrr_fixed[i] = msr[fixed_mtrrs[i]];
    }
    for (unsigned i = 0; i < X86_MTRR_VARIABLE; i++) {
        state->mtrr_var[i].base = msr[MSR_MTRR_VARIABLE + 2 * i];
        state->mtrr_var[i].mask = msr[MSR_MTRR_VARIABLE + 2 * i + 1];
    }
    state->tsc = soft_tsc();
    state->interrupt_shadow = soft->inhibit;
    state->mp_state = cpu->waits_for_startup ? X86_MP_UNINITIALIZED
                      : soft->halted         ? X86_MP_HALTED
                                             : X86_MP_RUNNABLE;
}

static bool can_execute(const X86CPU *cpu, GError **error)
{
    const char *beyond = cpu->registers.cr0 & CR0_PG ? "paging"
                         : cpu->state.smm            ? "system management mode"
                         : cpu->state.exception_nr >= 0 || cpu->state.nmi_injected ||
                                 cpu->state.interrupt_injected >= 0
                             ? "an interrupt whose delivery has begun"
                             : NULL;

    if (beyond) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "x86emu: the guest comes with %s, which the software CPU does not "
                    "have: start this side with -accel kvm",
                    beyond);
    }
    return !beyond;
}

bool soft_set_state(X86CPU *cpu, GError **error)
{
    SoftCPU *soft = soft_cpu(cpu);
    u64 *msr = soft->emu->x86.msr;
    const X86State *state = &cpu->state;

    if (!can_execute(cpu, error)) {
        return false;
    }
    msr[MSR_SYSENTER_CS] = state->sysenter_cs;
    msr[MSR_SYSENTER_ESP] = state->sysenter_esp;
    msr[MSR_SYSENTER_EIP] = state->sysenter_eip;
    msr[MSR_MISC_ENABLE] = state->msr_ia32_misc_enable;
    msr[MSR_PAT] = state->pat;
    msr[MSR_MTRR_DEFAULT] = state->mtrr_deftype;
    for (unsigned i = 0; i < X86_MTRR_FIXED; i++) {
        msr[fixed_mtrrs[i]] = state->mtrr_fixed[i];
    }
    for (unsigned i = 0; i < X86_MTRR_VARIABLE; i++) {
        msr[MSR_MTRR_VARIABLE + 2 * i] = state->mtrr_var[i].base;
        msr[MSR_MTRR_VARIABLE + 2 * i + 1] = state->mtrr_var[i].mask;
    }
    /* From KVM; QEMU's software CPU sends it with the clock instead. */
    if (state->tsc && cpu->index == 0) {
        clock_virtual_restore(clock_virtual_ns(), (int64_t)state->tsc);
    }
    soft->inhibit = state->interrupt_shadow;
    if (state->nmi_pending) {
        x86_cpu_signal(cpu, X86_SIGNAL_NMI);
    }
    soft_flush(soft);
    soft_call_attention(soft);
    return true;
}

/* -- KVM's clock -----------------------------------------------------------------------
 */

/* A guest that comes from KVM brings that clock's section. What runs here, firmware and
 * boot loaders, asks it at most once, for the rate of the time-stamp counter. */
static bool never(void *opaque)
{
    return false;
}

static const VMStateDescription vmstate_no_reliable = {
    .name = "kvmclock/clock_is_reliable",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = never,
    .fields = (const VMStateField[]){VMSTATE_UNUSED(1), VMSTATE_END_OF_LIST()},
};

static const VMStateDescription vmstate_no_clock = {
    .name = "kvmclock",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = never,
    .fields = (const VMStateField[]){VMSTATE_UNUSED(8), VMSTATE_END_OF_LIST()},
    .subsections = (const VMStateDescription *const[]){&vmstate_no_reliable, NULL},
};

void soft_register_state(void)
{
    vmstate_register(NULL, 0, &vmstate_no_clock, NULL);
}
