/*
 * X86CPU: one processor as the rest of the machine sees it, its registers and its pins.
 * What executes instructions is an accelerator (machine/accel), which fills in `ops`.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_I386_X86_CPU_H
#define HW_I386_X86_CPU_H

#include "hw/core/device.h"
#include "hw/i386/x86-state.h"
#include "memory/address-space.h"

enum { X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI, X86_GPRS = 16 };
enum { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_SEGMENTS };

/* `attributes`: bits 8-15 and 20-23 of the descriptor's second doubleword, shifted down
 * by 8 (type, S, DPL, P, AVL, L, D/B, G), as VMX and KVM's field by field have them. */
typedef struct X86Segment {
    uint64_t base;
    uint32_t limit; /* bytes, inclusive, granularity applied */
    uint16_t selector;
    uint16_t attributes;
} X86Segment;

typedef struct X86Registers {
    uint64_t gpr[X86_GPRS];
    uint64_t rip, rflags;
    X86Segment segment[X86_SEGMENTS], ldt, tr;
    uint64_t gdt_base, idt_base;
    uint16_t gdt_limit, idt_limit;
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint64_t dr[8];
    uint16_t fcw, fsw;
    uint8_t ftw; /* abridged, as FXSAVE has it: a set bit is a register in use */
    uint32_t mxcsr;
    uint8_t fpr[8][16]; /* as FXSAVE has them: 80 bits each */
    uint8_t xmm[16][16];
} X86Registers;

typedef struct X86CPU X86CPU;

/* What the accelerator does for the CPU. Machine lock held. */
typedef struct X86CPUOps {
    void (*intr_changed)(X86CPU *cpu);  /* cpu->intr has a new level */
    void (*a20_changed)(X86CPU *cpu);
    void (*get_registers)(X86CPU *cpu); /* into cpu->registers; the CPU is paused */
    void (*set_registers)(X86CPU *cpu); /* from cpu->registers; the CPU is paused */
    void (*get_state)(X86CPU *cpu); /* into cpu->state; the CPU is paused */
    /* From cpu->state, after set_registers; false and *error when it cannot take it. */
    bool (*set_state)(X86CPU *cpu, GError **error);
    void (*reset)(X86CPU *cpu); /* what registers do not hold, to its power-on state */
    void (*signalled)(X86CPU *cpu); /* cpu->signals has a new bit */
} X86CPUOps;

/* What reaches a processor beside INTR (Intel SDM volume 3, 10.6.1): non-maskable
 * interrupts, and INIT and start-up messages, which bring application processors up. */
enum {
    X86_SIGNAL_NMI = 1 << 0,
    X86_SIGNAL_INIT = 1 << 1,
    X86_SIGNAL_STARTUP = 1 << 2,
};

struct X86CPU {
    Device parent;
    unsigned index;
    uint32_t apic_id; /* index; what the user may say of it */
    uint32_t family, model, stepping, level; /* what CPUID says; level: its last leaf */
    char *model_id;
    bool announces_apic; /* CPUID does, where there is one */
    bool no_machine_check; /* CPUID has none; set by the accelerator */
    AddressSpace *memory;
    AddressSpace *smm_memory; /* NULL: no system management mode */
    AddressSpace *io;
    struct X86CPUSpaces *spaces;
    X86Registers registers; /* current while the CPU is paused */
    X86State state;         /* after ops->get_state() */
    bool intr;              /* level of the INTR pin (input pin 0) */
    bool a20;               /* address line 20 passes */
    bool halted;            /* in HLT, for `info cpus` */
    const X86CPUOps *ops;
    void *accel_data;
    /* The interrupt acknowledge cycle: returns the vector (8259A: INTA#). */
    int (*acknowledge)(void *opaque);
    void *acknowledge_opaque;
    struct APIC *apic; /* the local APIC; NULL: none, or the accelerator's */

    unsigned signals;      /* X86_SIGNAL_*, taken by the CPU's thread */
    uint8_t startup_page;  /* where the last start-up message says to begin: 4 KiB pages */
    bool waits_for_startup; /* after RESET# or INIT, if it is not the bootstrap processor */
};

GType x86_cpu_get_type(void);
#define TYPE_X86_CPU (x86_cpu_get_type())
#define X86_CPU(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_X86_CPU, X86CPU))

/* Family, model and stepping as CPUID packs them (Intel SDM volume 2A, figure 3-6). */
uint32_t x86_cpu_signature(const X86CPU *cpu);

/* The state after RESET# (Intel SDM volume 3, table 9-1): CS:IP f000:fff0 with base
 * 0xffff0000, and the signature in EDX. */
void x86_registers_reset(X86Registers *registers, uint32_t signature);

/* The same in 32-bit protected mode without paging, interrupts off, at `entry` with flat
 * code and data segments of 4 GiB and a 32-bit task segment at 0, whose descriptors are
 * nowhere: what PVH (Xen's pvh.pandoc) and other boot protocols without firmware start
 * from. Linear addresses. */
void x86_registers_flat(X86Registers *registers, uint32_t entry);

/* Makes "cpu-memory-N" over system_memory for cpu->memory and, where `smm`, "cpu-smm-N"
 * for cpu->smm_memory, which live as long as the machine (x86-cpu-memory.c). */
void x86_cpu_init_spaces(X86CPU *cpu, MemoryRegion *system_memory, bool smm);

/* Shows the chipset's 4 GiB of SMRAM over system memory in the space of SMM, if any. */
void x86_cpu_show_smram(X86CPU *cpu, MemoryRegion *smram);

/* Pulls INTR; wired to the interrupt controller's output. Also input pin 0 of the device. */
void x86_cpu_set_intr(X86CPU *cpu, bool level);

/* Gates address line 20; sources are wired-or by the machine. */
void x86_cpu_set_a20(X86CPU *cpu, bool enabled);

/* Notes an X86_SIGNAL_ for the CPU's thread. */
void x86_cpu_signal(X86CPU *cpu, unsigned signal);

/* For that thread: takes the signals noted since, and does to cpu->registers, halted and
 * waits_for_startup what INIT and start-up do. Returns what it took; where that is more
 * than NMI, registers are new. cpu->registers must be current. */
unsigned x86_cpu_take_signals(X86CPU *cpu);

/* The CPU that this thread executes; NULL in other threads. */
X86CPU *x86_cpu_current(void);
void x86_cpu_set_current(X86CPU *cpu);

/* Its sections of a stream, "cpu_common" and "cpu" of the instance `index`. */
void x86_cpu_register_state(X86CPU *cpu);

/* `info registers` of one CPU in QEMU 7.2's text, with its "CPU#0" heading. */
void x86_cpu_print_registers(X86CPU *cpu, GString *out);

#endif
