/*
 * X86State: what a processor keeps beside X86Registers, so that it can move:
 * model-specific registers, the upper halves of vector registers, events on their way.
 *
 * Between moves the accelerator has it; X86CPU.state is current once ops->get_state() has
 * run. What an accelerator does not model stays as it came, and so goes on with the
 * guest. Names are those of QEMU's stream, which are Intel's and AMD's names of the
 * registers.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_I386_X86_STATE_H
#define HW_I386_X86_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    X86_MTRR_FIXED = 11, /* 64K_00000, 16K_80000, 16K_A0000, 4K_C0000 ... 4K_F8000 */
    X86_MTRR_VARIABLE = 8,
    X86_MCE_BANKS = 10,
    X86_FIXED_COUNTERS = 3,
    X86_COUNTERS = 18,
};

/* As KVM numbers them (api.rst, 4.38). */
enum {
    X86_MP_RUNNABLE = 0,
    X86_MP_UNINITIALIZED = 1, /* waits for INIT */
    X86_MP_INIT_RECEIVED = 2, /* waits for the start-up message */
    X86_MP_HALTED = 3,
    X86_MP_STARTUP_RECEIVED = 4,
};

#define X86_NO_EVENT (-1) /* of interrupt_injected and exception_nr */

typedef struct X86VariableMTRR {
    uint64_t base, mask;
} X86VariableMTRR;

typedef struct X86State {
    uint32_t sysenter_cs;
    uint64_t sysenter_esp, sysenter_eip;
    uint64_t star, lstar, cstar, fmask, kernelgsbase;
    uint32_t smbase;
    uint64_t pat;

    uint64_t mtrr_fixed[X86_MTRR_FIXED];
    uint64_t mtrr_deftype;
    X86VariableMTRR mtrr_var[X86_MTRR_VARIABLE];

    /* Events that the processor has begun to deliver, or that wait. */
    int32_t interrupt_injected; /* vector */
    int32_t exception_nr;       /* vector */
    uint8_t soft_interrupt;     /* it is INT n's */
    uint8_t nmi_injected, nmi_pending, has_error_code;
    bool nmi_masked, interrupt_shadow; /* after NMI until IRET; after STI, MOV SS */
    bool smm, smm_inside_nmi;
    uint32_t sipi_vector;
    uint32_t mp_state;

    uint64_t tsc, tsc_aux;
    int64_t tsc_khz; /* 0: not known */

    uint64_t mcg_cap, mcg_status, mcg_ctl;
    uint64_t mce_banks[X86_MCE_BANKS * 4]; /* each: control, status, address, misc. */

    uint64_t system_time_msr, wall_clock_msr; /* KVM's clock: where the guest has it */
    uint64_t async_pf_en_msr, pv_eoi_en_msr, steal_time_msr, poll_control_msr;

    uint64_t xcr0, xstate_bv;
    uint64_t ymmh[16][2]; /* bits 128-255 */
    uint16_t fpop;
    uint64_t fpip, fpdp;
    uint64_t xss;
    uint32_t pkru, umwait;

    uint64_t tsc_adjust, tsc_deadline;
    uint64_t msr_ia32_misc_enable, msr_ia32_feature_control, msr_smi_count;
    uint64_t spec_ctrl, virt_ssbd;

    uint64_t msr_fixed_ctr_ctrl, msr_global_ctrl, msr_global_status, msr_global_ovf_ctrl;
    uint64_t msr_fixed_counters[X86_FIXED_COUNTERS];
    uint64_t msr_gp_counters[X86_COUNTERS], msr_gp_evtsel[X86_COUNTERS];

    /* AMD's virtualization: kept for the way back. */
    uint64_t vm_hsave, vm_vmcb, tsc_offset, intercept;
    uint16_t intercept_cr_read, intercept_cr_write, intercept_dr_read, intercept_dr_write;
    uint32_t intercept_exceptions;
    uint8_t v_tpr;
    uint64_t nested_cr3;
    uint32_t nested_pg_mode;
    /* Bits of QEMU's hflags and hflags2 that nothing else here says. */
    uint32_t hflags_kept, hflags2_kept;
} X86State;

/* As after RESET#, of a processor with machine checks or without. */
void x86_state_reset(X86State *state, bool machine_check);

#endif
