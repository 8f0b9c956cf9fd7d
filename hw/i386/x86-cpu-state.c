/*
 * A processor's sections in a migration stream: "cpu_common" 1 and "cpu" 12.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

#include "hw/core/vmstate.h"
#include "hw/i386/x86-cpu.h"

#define CR0_PE (UINT64_C(1) << 0)
#define CR0_MP_EM_TS UINT64_C(0xe)
#define CR4_OSFXSR (UINT64_C(1) << 9)
#define EFER_LMA (UINT64_C(1) << 10)
#define EFER_SVME (UINT64_C(1) << 12)
#define RFLAGS_VM (UINT64_C(1) << 17)
#define RFLAGS_IN_HFLAGS UINT64_C(0x23100) /* TF, IOPL, VM: at the same places there */

/* X86Segment.attributes */
#define ATTRIBUTE_DPL 0x0060u
#define ATTRIBUTE_L 0x2000u
#define ATTRIBUTE_DB 0x4000u

/* QEMU's hflags: what its translator needs to know of an instruction's surroundings. */
enum {
    HF_INHIBIT_IRQ = 1 << 3,
    HF_CS32 = 1 << 4,
    HF_SS32 = 1 << 5,
    HF_ADDSEG = 1 << 6, /* a segment's base may not be 0 */
    HF_PE = 1 << 7,
    HF_MP_EM_TS_SHIFT = 9 - 1, /* from CR0 */
    HF_LMA = 1 << 14,
    HF_CS64 = 1 << 15,
    HF_SMM = 1 << 19,
    HF_SVME = 1 << 20,
    HF_GUEST = 1 << 21, /* of AMD's virtualization, inside a guest */
    HF_OSFXSR = 1 << 22,
};
enum {
    HF2_GIF = 1 << 0,
    HF2_NMI_MASKED = 1 << 2,
    HF2_SMM_INSIDE_NMI = 1 << 4,
    HF2_NPT = 1 << 6,
    HF2_VGIF = 1 << 8,
};
#define HFLAGS2_KNOWN (HF2_NMI_MASKED | HF2_SMM_INSIDE_NMI)

/* QEMU's interrupt_request */
enum {
    REQUEST_HARD = 1 << 1,
    REQUEST_NMI = 1 << 9,
};

#define MISC_ENABLE_RESET 1                          /* fast strings */
#define MCG_CAP (1u << 24 | 1u << 8 | X86_MCE_BANKS) /* recovery, a control register */

void x86_state_reset(X86State *state, bool machine_check)
{
    memset(state, 0, sizeof(*state));
    state->smbase = 0x30000;
    state->pat = UINT64_C(0x0007040600070406);
    state->interrupt_injected = state->exception_nr = X86_NO_EVENT;
    state->mcg_cap = machine_check ? MCG_CAP : 0;
    state->mcg_ctl = machine_check ? UINT64_MAX : 0;
    for (unsigned i = 0; machine_check && i < X86_MCE_BANKS; i++) {
        state->mce_banks[i * 4] = UINT64_MAX;
    }
    state->xcr0 = 1;
    state->poll_control_msr = 1; /* KVM's: polls before it halts */
    state->msr_ia32_misc_enable = MISC_ENABLE_RESET;
    state->hflags2_kept = HF2_GIF | HF2_VGIF;
}

/* -- In QEMU's shape ---------------------------------------------------------------- */

typedef struct WireSegment {
    uint32_t selector;
    uint64_t base;
    uint32_t limit, flags; /* flags: the descriptor's second doubleword */
} WireSegment;

typedef struct WireFP {
    uint64_t mantissa;
    uint16_t exponent;
} WireFP;

typedef struct WireVector {
    uint64_t low[2];  /* bits 0-127 */
    uint64_t high[2]; /* bits 128-255 */
} WireVector;

typedef struct WireCPU {
    X86Registers registers; /* gpr, control and debug registers */
    X86State state;
    uint32_t hflags, hflags2;
    uint16_t fpus, fptag, fpregs_format;
    WireFP fpregs[8];
    WireSegment segs[X86_SEGMENTS], ldt, tr, gdt, idt;
    int32_t a20_mask;
    WireVector vectors[16];
} WireCPU;

static WireSegment segment_to_wire(const X86Segment *segment, unsigned clear)
{
    return (WireSegment){segment->selector, segment->base, segment->limit,
                         (segment->attributes & ~clear & 0xffffu) << 8};
}

static X86Segment segment_from_wire(const WireSegment *wire, unsigned clear)
{
    return (X86Segment){
        .selector = (uint16_t)wire->selector,
        .base = wire->base,
        .limit = wire->limit,
        .attributes = (uint16_t)(wire->flags >> 8 & 0xf0ff & ~clear),
    };
}

/* In real mode every segment's DPL is 0; VMX refuses another, and processors leave what
 * was there before. */
static unsigned meaningless_bits(const X86Registers *r)
{
    return r->cr0 & CR0_PE ? 0 : ATTRIBUTE_DPL;
}

static uint32_t hflags_of(const X86Registers *r, const X86State *state)
{
    const X86Segment *cs = &r->segment[X86_CS], *ss = &r->segment[X86_SS];
    uint32_t flags = ss->attributes >> 5 & 3; /* CPL */

    if (!(r->cr0 & CR0_PE)) {
        flags = 0;
    } else if (r->rflags & RFLAGS_VM) {
        flags = 3;
    }
    flags |= (uint32_t)(r->cr0 & CR0_MP_EM_TS) << HF_MP_EM_TS_SHIFT;
    flags |= (uint32_t)(r->rflags & RFLAGS_IN_HFLAGS);
    flags |= r->cr0 & CR0_PE ? HF_PE : 0;
    flags |= r->cr4 & CR4_OSFXSR ? HF_OSFXSR : 0;
    flags |= r->efer & EFER_SVME ? HF_SVME : 0;
    flags |= state->interrupt_shadow ? HF_INHIBIT_IRQ : 0;
    flags |= state->smm ? HF_SMM : 0;
    if (r->efer & EFER_LMA) {
        flags |= HF_LMA;
    }
    if (r->efer & EFER_LMA && cs->attributes & ATTRIBUTE_L) {
        return flags | HF_CS32 | HF_SS32 | HF_CS64;
    }
    flags |= cs->attributes & ATTRIBUTE_DB ? HF_CS32 : 0;
    flags |= ss->attributes & ATTRIBUTE_DB ? HF_SS32 : 0;
    if (!(r->cr0 & CR0_PE) || r->rflags & RFLAGS_VM || !(flags & HF_CS32) || ss->base ||
        r->segment[X86_DS].base || r->segment[X86_ES].base) {
        flags |= HF_ADDSEG;
    }
    return flags;
}

static void cpu_to_wire(void *opaque, void *data)
{
    const X86CPU *cpu = opaque;
    const X86Registers *r = &cpu->registers;
    const X86State *state = &cpu->state;
    unsigned clear = meaningless_bits(r);
    WireCPU *wire = data;

    wire->registers = *r;
    wire->state = *state;
    wire->hflags = hflags_of(r, state) | state->hflags_kept;
    wire->hflags2 = state->hflags2_kept | (state->nmi_masked ? HF2_NMI_MASKED : 0) |
                    (state->smm_inside_nmi ? HF2_SMM_INSIDE_NMI : 0);
    wire->fpus = r->fsw;
    wire->fptag = r->ftw;
    for (unsigned i = 0; i < 8; i++) {
        memcpy(&wire->fpregs[i].mantissa, r->fpr[i], 8);
        memcpy(&wire->fpregs[i].exponent, r->fpr[i] + 8, 2);
    }
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        wire->segs[i] = segment_to_wire(&r->segment[i], clear);
    }
    wire->ldt = segment_to_wire(&r->ldt, 0);
    wire->tr = segment_to_wire(&r->tr, 0);
    wire->gdt = (WireSegment){.base = r->gdt_base, .limit = r->gdt_limit};
    wire->idt = (WireSegment){.base = r->idt_base, .limit = r->idt_limit};
    wire->a20_mask = cpu->a20 ? -1 : ~(1 << 20);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(wire->vectors[i].low, r->xmm[i], 16);
        memcpy(wire->vectors[i].high, state->ymmh[i], 16);
    }
}

static void state_from_wire(X86CPU *cpu, const WireCPU *wire)
{
    X86State *state = &cpu->state;
    uint32_t derived;

    *state = wire->state;
    state->interrupt_shadow = wire->hflags & HF_INHIBIT_IRQ;
    state->smm = wire->hflags & HF_SMM;
    state->nmi_masked = wire->hflags2 & HF2_NMI_MASKED;
    state->smm_inside_nmi = wire->hflags2 & HF2_SMM_INSIDE_NMI;
    state->hflags2_kept = wire->hflags2 & ~(uint32_t)HFLAGS2_KNOWN;
    derived = hflags_of(&cpu->registers, state);
    state->hflags_kept = wire->hflags & HF_GUEST & ~derived;
    for (unsigned i = 0; i < 16; i++) {
        memcpy(state->ymmh[i], wire->vectors[i].high, 16);
    }
}

static bool cpu_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    X86CPU *cpu = opaque;
    X86Registers *r = &cpu->registers;
    const WireCPU *wire = data;
    unsigned clear = meaningless_bits(&wire->registers);

    if (wire->fpregs_format) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "the floating-point registers have a form that only QEMU before "
                    "version 0.14 wrote: move the guest to a newer one first");
        return false;
    }
    *r = wire->registers;
    r->fsw = wire->fpus;
    r->ftw = (uint8_t)wire->fptag;
    for (unsigned i = 0; i < 8; i++) {
        memset(r->fpr[i], 0, sizeof(r->fpr[i]));
        memcpy(r->fpr[i], &wire->fpregs[i].mantissa, 8);
        memcpy(r->fpr[i] + 8, &wire->fpregs[i].exponent, 2);
    }
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        r->segment[i] = segment_from_wire(&wire->segs[i], clear);
    }
    r->ldt = segment_from_wire(&wire->ldt, 0);
    r->tr = segment_from_wire(&wire->tr, 0);
    r->gdt_base = wire->gdt.base;
    r->gdt_limit = (uint16_t)wire->gdt.limit;
    r->idt_base = wire->idt.base;
    r->idt_limit = (uint16_t)wire->idt.limit;
    for (unsigned i = 0; i < 16; i++) {
        memcpy(r->xmm[i], wire->vectors[i].low, 16);
    }
    state_from_wire(cpu, wire);
    x86_cpu_set_a20(cpu, wire->a20_mask >> 20 & 1);
    return true;
}

/* -- The tables --------------------------------------------------------------------- */

static const VMStateDescription vmstate_segment = {
    .name = "segment",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT32(selector, WireSegment),
            VMSTATE_UINT64(base, WireSegment),
            VMSTATE_UINT32(limit, WireSegment),
            VMSTATE_UINT32(flags, WireSegment),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_fpreg_tmp = {
    .name = "fpreg_tmp",
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(mantissa, WireFP, "tmp_mant", uint64),
            VMSTATE_AS(exponent, WireFP, "tmp_exp", uint16),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_fpreg = {
    .name = "fpreg",
    .fields =
        (const VMStateField[]){
            VMSTATE_WITH_TMP(WireFP, WireFP, vmstate_fpreg_tmp),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_xmm_reg = {
    .name = "xmm_reg",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(low[0], WireVector, "_q_ZMMReg[0]", uint64),
            VMSTATE_AS(low[1], WireVector, "_q_ZMMReg[1]", uint64),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_ymmh_reg = {
    .name = "ymmh_reg",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(high[0], WireVector, "_q_ZMMReg[2]", uint64),
            VMSTATE_AS(high[1], WireVector, "_q_ZMMReg[3]", uint64),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_mtrr_var = {
    .name = "mtrr_var",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT64(base, X86VariableMTRR),
            VMSTATE_UINT64(mask, X86VariableMTRR),
            VMSTATE_END_OF_LIST(),
        },
};

/* A member of X86State and a field of the stream of the same name, and arrays of them. */
#define STATE(member, type) VMSTATE_AS(state.member, WireCPU, "env." #member, type)
#define STATE_V(member, type, version)                                                   \
    VMSTATE_AS_V(state.member, WireCPU, "env." #member, type, version)
#define STATES(member, type) VMSTATE_ARRAY_AS(state.member, WireCPU, "env." #member, type)
#define REGISTER(member, name, type)                                                     \
    VMSTATE_AS(registers.member, WireCPU, "env." name, type)
#define SEGMENT(member)                                                                  \
    VMSTATE_STRUCT_AS(member, WireCPU, "env." #member, 0, vmstate_segment, WireSegment)

/* A subsection of one such member, sent when that has not its usual value. */
#define STATE_SUBSECTION(member, name_, type, usual)                                     \
    static bool member##_needed(void *opaque)                                            \
    {                                                                                    \
        return ((const WireCPU *)opaque)->state.member != (usual);                       \
    }                                                                                    \
    static const VMStateDescription vmstate_##member = {                                 \
        .name = "cpu/" name_,                                                            \
        .version_id = 1,                                                                 \
        .minimum_version_id = 1,                                                         \
        .needed = member##_needed,                                                       \
        .fields = (const VMStateField[]){STATE(member, type), VMSTATE_END_OF_LIST()},    \
    }

STATE_SUBSECTION(async_pf_en_msr, "async_pf_msr", uint64, 0);
STATE_SUBSECTION(pv_eoi_en_msr, "async_pv_eoi_msr", uint64, 0);
STATE_SUBSECTION(steal_time_msr, "steal_time_msr", uint64, 0);
STATE_SUBSECTION(poll_control_msr, "poll_control_msr", uint64, 1);
STATE_SUBSECTION(tsc_adjust, "msr_tsc_adjust", uint64, 0);
STATE_SUBSECTION(tsc_deadline, "msr_tscdeadline", uint64, 0);
STATE_SUBSECTION(msr_ia32_misc_enable, "msr_ia32_misc_enable", uint64, MISC_ENABLE_RESET);
STATE_SUBSECTION(msr_ia32_feature_control, "msr_ia32_feature_control", uint64, 0);
STATE_SUBSECTION(xss, "xss", uint64, 0);
STATE_SUBSECTION(umwait, "umwait", uint32, 0);
STATE_SUBSECTION(tsc_khz, "tsc_khz", int64, 0);
STATE_SUBSECTION(msr_smi_count, "msr_smi_count", uint64, 0);
STATE_SUBSECTION(pkru, "pkru", uint32, 0);
STATE_SUBSECTION(spec_ctrl, "spec_ctrl", uint64, 0);
STATE_SUBSECTION(virt_ssbd, "virt_ssbd", uint64, 0);

static bool fpop_ip_dp_needed(void *opaque)
{
    const X86State *state = &((const WireCPU *)opaque)->state;

    return state->fpop || state->fpip || state->fpdp;
}

static const VMStateDescription vmstate_fpop_ip_dp = {
    .name = "cpu/fpop_ip_dp",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = fpop_ip_dp_needed,
    .fields =
        (const VMStateField[]){
            STATE(fpop, uint16),
            STATE(fpip, uint64),
            STATE(fpdp, uint64),
            VMSTATE_END_OF_LIST(),
        },
};

static bool pmu_needed(void *opaque)
{
    const X86State *state = &((const WireCPU *)opaque)->state;
    uint64_t any = state->msr_fixed_ctr_ctrl | state->msr_global_ctrl |
                   state->msr_global_status | state->msr_global_ovf_ctrl;

    for (unsigned i = 0; i < X86_FIXED_COUNTERS; i++) {
        any |= state->msr_fixed_counters[i];
    }
    for (unsigned i = 0; i < X86_COUNTERS; i++) {
        any |= state->msr_gp_counters[i] | state->msr_gp_evtsel[i];
    }
    return any != 0;
}

static const VMStateDescription vmstate_pmu = {
    .name = "cpu/msr_architectural_pmu",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = pmu_needed,
    .fields =
        (const VMStateField[]){
            STATE(msr_fixed_ctr_ctrl, uint64),
            STATE(msr_global_ctrl, uint64),
            STATE(msr_global_status, uint64),
            STATE(msr_global_ovf_ctrl, uint64),
            STATES(msr_fixed_counters, uint64),
            STATES(msr_gp_counters, uint64),
            STATES(msr_gp_evtsel, uint64),
            VMSTATE_END_OF_LIST(),
        },
};

static bool npt_needed(void *opaque)
{
    return ((const WireCPU *)opaque)->hflags2 & HF2_NPT;
}

static const VMStateDescription vmstate_svm_npt = {
    .name = "cpu/svn_npt", /* so it is spelled */
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = npt_needed,
    .fields =
        (const VMStateField[]){
            STATE(nested_cr3, uint64),
            STATE(nested_pg_mode, uint32),
            VMSTATE_END_OF_LIST(),
        },
};

static void cpu_pre_save(void *opaque)
{
    X86CPU *cpu = opaque;

    if (cpu->ops) {
        cpu->ops->get_registers(cpu);
    }
    if (cpu->ops && cpu->ops->get_state) {
        cpu->ops->get_state(cpu);
    }
}

static bool cpu_post_load(void *opaque, int version_id, GError **error)
{
    X86CPU *cpu = opaque;

    /* The software CPU of QEMU keeps in `halted` alone what KVM keeps in mp_state. */
    if (cpu->state.mp_state == X86_MP_RUNNABLE && cpu->halted) {
        cpu->state.mp_state =
            cpu->waits_for_startup ? X86_MP_UNINITIALIZED : X86_MP_HALTED;
    }
    /* The shadow of an STI ends with the HLT after it (SDM volume 2, STI). QEMU on KVM
     * passes on for ever the one that it was once given; a kernel that is told of both
     * lets no interrupt wake the CPU. */
    if (cpu->state.mp_state == X86_MP_HALTED) {
        cpu->state.interrupt_shadow = false;
    }
    if (cpu->ops) {
        cpu->ops->set_registers(cpu);
    }
    return !cpu->ops || !cpu->ops->set_state || cpu->ops->set_state(cpu, error);
}

static const VMStateDescription vmstate_cpu = {
    .name = "cpu",
    .version_id = 12,
    .minimum_version_id = 11,
    .pre_save = cpu_pre_save,
    .post_load = cpu_post_load,
    .wire_size = sizeof(WireCPU),
    .to_wire = cpu_to_wire,
    .from_wire = cpu_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_ARRAY_AS(registers.gpr, WireCPU, "env.regs", uint64),
            REGISTER(rip, "eip", uint64),
            REGISTER(rflags, "eflags", uint64),
            VMSTATE_AS(hflags, WireCPU, "env.hflags", uint32),
            REGISTER(fcw, "fpuc", uint16),
            VMSTATE_AS(fpus, WireCPU, "env.fpus_vmstate", uint16),
            VMSTATE_AS(fptag, WireCPU, "env.fptag_vmstate", uint16),
            VMSTATE_AS(fpregs_format, WireCPU, "env.fpregs_format_vmstate", uint16),
            VMSTATE_STRUCT_ARRAY_AS(fpregs, WireCPU, "env.fpregs", 8, 0, vmstate_fpreg,
                                    WireFP),
            VMSTATE_STRUCT_ARRAY_AS(segs, WireCPU, "env.segs", X86_SEGMENTS, 0,
                                    vmstate_segment, WireSegment),
            SEGMENT(ldt),
            SEGMENT(tr),
            SEGMENT(gdt),
            SEGMENT(idt),
            STATE(sysenter_cs, uint32),
            STATE(sysenter_esp, uint64),
            STATE(sysenter_eip, uint64),
            REGISTER(cr0, "cr[0]", uint64),
            REGISTER(cr2, "cr[2]", uint64),
            REGISTER(cr3, "cr[3]", uint64),
            REGISTER(cr4, "cr[4]", uint64),
            VMSTATE_ARRAY_AS(registers.dr, WireCPU, "env.dr", uint64),
            VMSTATE_AS(a20_mask, WireCPU, "env.a20_mask", int32),
            REGISTER(mxcsr, "mxcsr", uint32),
            VMSTATE_STRUCT_ARRAY_AS(vectors, WireCPU, "env.xmm_regs", 16, 0,
                                    vmstate_xmm_reg, WireVector),
            REGISTER(efer, "efer", uint64),
            STATE(star, uint64),
            STATE(lstar, uint64),
            STATE(cstar, uint64),
            STATE(fmask, uint64),
            STATE(kernelgsbase, uint64),
            STATE(smbase, uint32),
            STATE(pat, uint64),
            VMSTATE_AS(hflags2, WireCPU, "env.hflags2", uint32),
            STATE(vm_hsave, uint64),
            STATE(vm_vmcb, uint64),
            STATE(tsc_offset, uint64),
            STATE(intercept, uint64),
            STATE(intercept_cr_read, uint16),
            STATE(intercept_cr_write, uint16),
            STATE(intercept_dr_read, uint16),
            STATE(intercept_dr_write, uint16),
            STATE(intercept_exceptions, uint32),
            STATE(v_tpr, uint8),
            STATES(mtrr_fixed, uint64),
            STATE(mtrr_deftype, uint64),
            VMSTATE_STRUCT_ARRAY_AS(state.mtrr_var, WireCPU, "env.mtrr_var",
                                    X86_MTRR_VARIABLE, 8, vmstate_mtrr_var,
                                    X86VariableMTRR),
            STATE(interrupt_injected, int32),
            STATE(mp_state, uint32),
            STATE(tsc, uint64),
            STATE(exception_nr, int32),
            STATE(soft_interrupt, uint8),
            STATE(nmi_injected, uint8),
            STATE(nmi_pending, uint8),
            STATE(has_error_code, uint8),
            STATE(sipi_vector, uint32),
            STATE(mcg_cap, uint64),
            STATE(mcg_status, uint64),
            STATE(mcg_ctl, uint64),
            STATES(mce_banks, uint64),
            STATE(tsc_aux, uint64),
            STATE(system_time_msr, uint64),
            STATE(wall_clock_msr, uint64),
            STATE_V(xcr0, uint64, 12),
            STATE_V(xstate_bv, uint64, 12),
            VMSTATE_STRUCT_ARRAY_AS(vectors, WireCPU, "env.xmm_regs", 16, 12,
                                    vmstate_ymmh_reg, WireVector),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *const[]){
            &vmstate_async_pf_en_msr,
            &vmstate_pv_eoi_en_msr,
            &vmstate_steal_time_msr,
            &vmstate_poll_control_msr,
            &vmstate_fpop_ip_dp,
            &vmstate_tsc_adjust,
            &vmstate_tsc_deadline,
            &vmstate_msr_ia32_misc_enable,
            &vmstate_msr_ia32_feature_control,
            &vmstate_pmu,
            &vmstate_xss,
            &vmstate_umwait,
            &vmstate_tsc_khz,
            &vmstate_msr_smi_count,
            &vmstate_pkru,
            &vmstate_spec_ctrl,
            &vmstate_virt_ssbd,
            &vmstate_svm_npt,
            NULL,
        },
};

/* -- cpu_common --------------------------------------------------------------------- */

typedef struct WireCommon {
    uint32_t halted, interrupt_request;
} WireCommon;

static void common_pre_save(void *opaque)
{
    X86CPU *cpu = opaque;

    if (cpu->ops) {
        cpu->ops->get_registers(cpu);
    }
}

static void common_to_wire(void *opaque, void *data)
{
    const X86CPU *cpu = opaque;
    WireCommon *wire = data;

    wire->halted = cpu->halted || cpu->waits_for_startup;
    wire->interrupt_request = (cpu->intr ? REQUEST_HARD : 0u) |
                              (cpu->signals & X86_SIGNAL_NMI ? REQUEST_NMI : 0u);
}

/* "cpu" comes next, and gives the accelerator what is noted here. INTR comes from the
 * interrupt controllers. */
static bool common_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    X86CPU *cpu = opaque;
    const WireCommon *wire = data;

    cpu->halted = wire->halted != 0;
    cpu->waits_for_startup = false; /* its local APIC says so */
    cpu->signals = wire->interrupt_request & REQUEST_NMI ? X86_SIGNAL_NMI : 0;
    return true;
}

static const VMStateDescription vmstate_cpu_common = {
    .name = "cpu_common",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = common_pre_save,
    .wire_size = sizeof(WireCommon),
    .to_wire = common_to_wire,
    .from_wire = common_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT32(halted, WireCommon),
            VMSTATE_UINT32(interrupt_request, WireCommon),
            VMSTATE_END_OF_LIST(),
        },
};

void x86_cpu_register_state(X86CPU *cpu)
{
    vmstate_register(NULL, (int)cpu->index, &vmstate_cpu_common, cpu);
    vmstate_register(NULL, (int)cpu->index, &vmstate_cpu, cpu);
}
