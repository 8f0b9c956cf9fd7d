/*
 * X86CPU: one processor as the rest of the machine sees it, its registers and its pins.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/i386/x86-cpu.h"

#include <string.h>

#define CR0_PE 0x1u
#define EFER_LMA 0x400u

/* Segment.attributes */
#define SEGMENT_ACCESSED 0x0001u
#define SEGMENT_WRITABLE 0x0002u /* data; of code: readable */
#define SEGMENT_EXPAND 0x0004u   /* data: down; of code: conforming */
#define SEGMENT_CODE 0x0008u
#define SEGMENT_S 0x0010u
#define SEGMENT_DPL(attributes) ((attributes) >> 5 & 3)
#define SEGMENT_PRESENT 0x0080u
#define SEGMENT_L 0x2000u
#define SEGMENT_DB 0x4000u

uint32_t x86_cpu_signature(const X86CPU *cpu)
{
    uint32_t base_family = MIN(cpu->family, 15);

    return ((cpu->family - base_family) & 0xff) << 20 | (cpu->model & 0xf0) << 12 | base_family << 8 |
           (cpu->model & 0xf) << 4 | (cpu->stepping & 0xf);
}

void x86_registers_reset(X86Registers *registers, uint32_t signature)
{
    memset(registers, 0, sizeof(*registers));
    registers->rip = 0xfff0;
    registers->rflags = 0x2;
    registers->gpr[X86_RDX] = signature;
    registers->cr0 = 0x60000010;
    registers->dr[6] = 0xffff0ff0;
    registers->dr[7] = 0x400;

    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        registers->segment[i] = (X86Segment){.limit = 0xffff, .attributes = 0x93};
    }
    registers->segment[X86_CS] = (X86Segment){
        .selector = 0xf000, .base = 0xffff0000, .limit = 0xffff, .attributes = 0x9b};
    registers->ldt = (X86Segment){.limit = 0xffff, .attributes = 0x82};
    registers->tr = (X86Segment){.limit = 0xffff, .attributes = 0x8b};
    registers->gdt_limit = 0xffff;
    registers->idt_limit = 0xffff;

    /* After FNINIT rather than RESET# (0x0040): QEMU's choice, visible in `info
     * registers`. */
    registers->fcw = 0x37f;
    registers->mxcsr = 0x1f80;
}

void x86_registers_flat(X86Registers *registers, uint32_t entry)
{
    static const X86Segment data = {.limit = UINT32_MAX, .attributes = 0xc093};

    x86_registers_reset(registers, 0);
    registers->rip = entry;
    registers->cr0 = 0x11; /* PE, and ET, which is always set */
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        registers->segment[i] = data;
        registers->segment[i].selector = 0x10;
    }
    registers->segment[X86_CS] =
        (X86Segment){.selector = 0x8, .limit = UINT32_MAX, .attributes = 0xc09b};
    registers->tr = (X86Segment){.selector = 0x18, .limit = 0x67, .attributes = 0x8b};
    registers->gdt_limit = 0;
    registers->idt_limit = 0;
}

void x86_cpu_set_intr(X86CPU *cpu, bool level)
{
    if (cpu->intr == level) {
        return;
    }
    cpu->intr = level;
    if (cpu->ops && cpu->ops->intr_changed) {
        cpu->ops->intr_changed(cpu);
    }
}

void x86_cpu_set_a20(X86CPU *cpu, bool enabled)
{
    if (cpu->a20 == enabled) {
        return;
    }
    cpu->a20 = enabled;
    if (cpu->ops && cpu->ops->a20_changed) {
        cpu->ops->a20_changed(cpu);
    }
}

/* -- Signals ----------------------------------------------------------------------------- */

void x86_cpu_signal(X86CPU *cpu, unsigned signal)
{
    __atomic_fetch_or(&cpu->signals, signal, __ATOMIC_ACQ_REL);
    if (cpu->ops && cpu->ops->signalled) {
        cpu->ops->signalled(cpu);
    }
}

/* Intel SDM volume 3, 8.4.3: all but the bootstrap processor wait for a start-up message,
 * where there is an APIC to bring it. */
static void begin(X86CPU *cpu)
{
    x86_registers_reset(&cpu->registers, x86_cpu_signature(cpu));
    cpu->waits_for_startup = cpu->index > 0;
    cpu->halted = cpu->waits_for_startup;
}

unsigned x86_cpu_take_signals(X86CPU *cpu)
{
    unsigned signals = __atomic_exchange_n(&cpu->signals, 0, __ATOMIC_ACQ_REL);
    X86Segment *code = &cpu->registers.segment[X86_CS];

    if (signals & X86_SIGNAL_INIT) {
        begin(cpu);
    }
    if (signals & X86_SIGNAL_STARTUP && cpu->waits_for_startup) {
        code->selector = (uint16_t)(cpu->startup_page << 8);
        code->base = (uint32_t)cpu->startup_page << 12;
        cpu->registers.rip = 0;
        cpu->waits_for_startup = cpu->halted = false;
    } else {
        signals &= ~(unsigned)X86_SIGNAL_STARTUP;
    }
    return signals;
}

static __thread X86CPU *current;

X86CPU *x86_cpu_current(void)
{
    return current;
}

void x86_cpu_set_current(X86CPU *cpu)
{
    current = cpu;
}

/* -- `info registers` ------------------------------------------------------------------- */

static const char *const system_segment_names[16] = {
    "Reserved",   "TSS16-avl", "LDT",       "TSS16-busy", "CallGate16", "TaskGate",
    "IntGate16",  "TrapGate16", "Reserved", "TSS32-avl",  "Reserved",   "TSS32-busy",
    "CallGate32", "Reserved",  "IntGate32", "TrapGate32",
};

static const char *const system_segment_names_64[16] = {
    "<hiword>", "Reserved", "LDT",      "Reserved",  "Reserved", "Reserved",
    "Reserved", "Reserved", "Reserved", "TSS64-avl", "Reserved", "TSS64-busy",
    "CallGate64", "Reserved", "IntGate64", "TrapGate64",
};

/* The columns of an address in 64-bit code and elsewhere. */
static void print_address(GString *out, bool wide, uint64_t value)
{
    g_string_append_printf(out, "%0*" G_GINT64_MODIFIER "x", wide ? 16 : 8, value);
}

static void print_segment(GString *out, const X86Registers *registers, bool wide,
                          const char *name, const X86Segment *segment)
{
    unsigned a = segment->attributes;

    g_string_append_printf(out, "%-3s=%04x ", name, segment->selector);
    print_address(out, wide, segment->base);
    g_string_append_printf(out, " %08x %08x", segment->limit, (a & 0xf0ff) << 8);

    if (registers->cr0 & CR0_PE && a & SEGMENT_PRESENT) {
        bool lma = registers->efer & EFER_LMA;

        g_string_append_printf(out, " DPL=%u ", SEGMENT_DPL(a));
        if (!(a & SEGMENT_S)) {
            g_string_append(out, (lma ? system_segment_names_64
                                      : system_segment_names)[a & 0xf]);
        } else {
            const char *kind = a & SEGMENT_CODE
                                   ? (a & SEGMENT_L    ? "CS64"
                                      : a & SEGMENT_DB ? "CS32"
                                                       : "CS16")
                                   : (a & SEGMENT_DB || lma ? "DS  " : "DS16");

            g_string_append_printf(
                out, "%s [%c%c%c]", kind,
                a & SEGMENT_EXPAND ? (a & SEGMENT_CODE ? 'C' : 'E') : '-',
                a & SEGMENT_WRITABLE ? (a & SEGMENT_CODE ? 'R' : 'W') : '-',
                a & SEGMENT_ACCESSED ? 'A' : '-');
        }
    }
    g_string_append_c(out, '\n');
}

static void print_general(GString *out, const X86CPU *cpu, bool wide)
{
    static const char *const names[8] = {"AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI"};
    static const uint8_t order[8] = {X86_RAX, X86_RBX, X86_RCX, X86_RDX,
                                     X86_RSI, X86_RDI, X86_RBP, X86_RSP};
    static const struct {
        char letter;
        unsigned bit;
    } flags[] = {{'D', 10}, {'O', 11}, {'S', 7}, {'Z', 6}, {'A', 4}, {'P', 2}, {'C', 0}};
    const X86Registers *r = &cpu->registers;

    for (unsigned i = 0; i < (wide ? X86_GPRS : 8); i++) {
        unsigned n = i < 8 ? order[i] : i;

        if (i < 8) {
            g_string_append_printf(out, "%c%s=", wide ? 'R' : 'E', names[n]);
        } else {
            g_string_append_printf(out, "R%-2u=", n);
        }
        print_address(out, wide, wide ? r->gpr[n] : (uint32_t)r->gpr[n]);
        g_string_append_c(out, i % 4 == 3 ? '\n' : ' ');
    }
    g_string_append_printf(out, "%cIP=", wide ? 'R' : 'E');
    print_address(out, wide, r->rip);
    g_string_append_printf(out, " %s=%08x [", wide ? "RFL" : "EFL", (unsigned)r->rflags);
    for (unsigned i = 0; i < G_N_ELEMENTS(flags); i++) {
        g_string_append_c(out, r->rflags >> flags[i].bit & 1 ? flags[i].letter : '-');
    }
    g_string_append_printf(out, "] CPL=%u II=0 A20=%d SMM=0 HLT=%d\n",
                           r->cr0 & CR0_PE ? r->segment[X86_CS].selector & 3u : 0u,
                           cpu->a20, cpu->halted);
}

static void print_fpu(GString *out, const X86Registers *r, bool wide)
{
    uint64_t words[2];

    g_string_append_printf(out, "FCW=%04x FSW=%04x [ST=%d] FTW=%02x MXCSR=%08x\n", r->fcw,
                           r->fsw, r->fsw >> 11 & 7, r->ftw, r->mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        memcpy(words, r->fpr[i], sizeof(words));
        g_string_append_printf(out, "FPR%u=%016" G_GINT64_MODIFIER "x %04x%c", i, words[0],
                               (unsigned)(words[1] & 0xffff), i % 2 ? '\n' : ' ');
    }
    for (unsigned i = 0; i < (wide ? 16u : 8u); i++) {
        memcpy(words, r->xmm[i], sizeof(words));
        g_string_append_printf(
            out, "XMM%02u=%016" G_GINT64_MODIFIER "x %016" G_GINT64_MODIFIER "x%c", i,
            words[1], words[0], i % 2 ? '\n' : ' ');
    }
}

void x86_cpu_print_registers(X86CPU *cpu, GString *out)
{
    static const char *const names[X86_SEGMENTS] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    const X86Registers *r = &cpu->registers;
    bool wide = r->efer & EFER_LMA && r->segment[X86_CS].attributes & SEGMENT_L;

    g_string_append_printf(out, "\nCPU#%u\n", cpu->index);
    print_general(out, cpu, wide);
    for (unsigned i = 0; i < X86_SEGMENTS; i++) {
        print_segment(out, r, wide, names[i], &r->segment[i]);
    }
    print_segment(out, r, wide, "LDT", &r->ldt);
    print_segment(out, r, wide, "TR", &r->tr);

    g_string_append(out, "GDT=     ");
    print_address(out, wide, r->gdt_base);
    g_string_append_printf(out, " %08x\nIDT=     ", r->gdt_limit);
    print_address(out, wide, r->idt_base);
    g_string_append_printf(out, " %08x\nCR0=%08x CR2=", r->idt_limit, (unsigned)r->cr0);
    print_address(out, wide, r->cr2);
    g_string_append(out, " CR3=");
    print_address(out, wide, r->cr3);
    g_string_append_printf(out, " CR4=%08x\n", (unsigned)r->cr4);
    for (unsigned i = 0; i < 4; i++) {
        g_string_append_printf(out, "DR%u=%016" G_GINT64_MODIFIER "x ", i, r->dr[i]);
    }
    g_string_append_printf(out,
                           "\nDR6=%016" G_GINT64_MODIFIER "x DR7=%016" G_GINT64_MODIFIER
                           "x\nEFER=%016" G_GINT64_MODIFIER "x\n",
                           r->dr[6], r->dr[7], r->efer);
    print_fpu(out, r, wide);
}

/* -- The device -------------------------------------------------------------------------- */

static void intr_pin(void *opaque, int n, int level)
{
    x86_cpu_set_intr(X86_CPU(opaque), level);
}

static bool x86_cpu_realize(Device *dev, GError **error)
{
    X86CPU *cpu = X86_CPU(dev);

    if (cpu->apic_id != UINT32_MAX && cpu->apic_id != cpu->index) {
        return refuse_argument(error,
                               "CPU %u has the APIC ID %u; leave apic-id= out of -cpu",
                               cpu->index, cpu->index);
    }
    cpu->apic_id = cpu->index;
    device_init_gpio_in(dev, intr_pin, 1);
    cpu->a20 = true;
    x86_registers_reset(&cpu->registers, x86_cpu_signature(cpu));
    x86_state_reset(&cpu->state, !cpu->no_machine_check);
    x86_cpu_register_state(cpu);
    return true;
}

static void x86_cpu_reset(Device *dev)
{
    X86CPU *cpu = X86_CPU(dev);

    begin(cpu);
    x86_state_reset(&cpu->state, !cpu->no_machine_check);
    cpu->signals = 0;
    if (cpu->ops) {
        if (cpu->ops->reset) {
            cpu->ops->reset(cpu);
        }
        cpu->ops->set_registers(cpu);
    }
}

/* QEMU's generic processor. */
static const Property x86_cpu_properties[] = {
    PROP_UINT32("apic-id", X86CPU, apic_id, UINT32_MAX, "its local APIC's number"),
    PROP_UINT32("family", X86CPU, family, 15, "CPUID's family"),
    PROP_UINT32("model", X86CPU, model, 107, "CPUID's model"),
    PROP_UINT32("stepping", X86CPU, stepping, 1, "CPUID's stepping"),
    PROP_UINT32("min-level", X86CPU, level, 13, "CPUID's last leaf"),
    PROP_BOOL("apic", X86CPU, announces_apic, true, "CPUID announces the local APIC"),
    PROP_STRING("model-id", X86CPU, model_id, "QEMU Virtual CPU version 2.5+",
                "CPUID's name of the processor, at most 48 characters"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(X86CPU, x86_cpu, "qemu64-x86_64-cpu", TYPE_DEVICE)

static void x86_cpu_class_init(DeviceClass *klass)
{
    klass->desc = "QEMU Virtual CPU version 2.5+";
    klass->realize = x86_cpu_realize;
    klass->reset = x86_cpu_reset;
    property_install_table(G_OBJECT_CLASS(klass), x86_cpu_properties);
}
