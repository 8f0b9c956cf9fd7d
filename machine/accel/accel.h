/*
 * Accel: what runs the guest's instructions, behind one interface: "kvm", "x86emu" (the
 * software CPU; "tcg" is accepted as a name for it) and "qtest" (nothing runs).
 *
 * Its life: accel_select() picks one from the user's -accel options and sets its
 * properties; accel_init() gives it the machine's address spaces, before devices are
 * made; accel_create_vcpu() makes a thread for each X86CPU, which stands still until
 * accel_resume_all(). A process has one accelerator.
 *
 * All functions are called with the machine lock held and not from a vCPU thread, except
 * where said.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_ACCEL_H
#define MACHINE_ACCEL_ACCEL_H

#include "hw/i386/x86-cpu.h"

typedef struct Accel Accel;
typedef struct AccelClass AccelClass;
struct AccelVCPU;
struct AccelDebugStop;

/* Counters since the vCPUs were made; what an accelerator cannot tell is 0. */
typedef struct AccelStatistics {
    uint64_t instructions; /* executed */
    uint64_t exits;        /* times that a vCPU left guest code, for any reason */
    uint64_t io;           /* port accesses that left it */
    uint64_t mmio;         /* memory accesses that left it */
    uint64_t halts;        /* HLTs waited for */
    uint64_t interrupts;   /* external interrupts delivered from user space */
} AccelStatistics;

struct Accel {
    GObject parent;
    AddressSpace *memory; /* what the vCPUs see; set by accel_init() */
    AddressSpace *io;
    GPtrArray *vcpus; /* AccelVCPU * */
    bool running;     /* between resume and pause */

    /* machine/accel/debug.h */
    GArray *breakpoints; /* AccelBreakpoint */
    X86CPU *stepping;    /* stops after an instruction; or NULL */
    void (*debug_handler)(const struct AccelDebugStop *stop, void *opaque);
    void *debug_opaque;
};

/* What an accelerator fills in; machine/accel/vcpu.h has the thread that calls it. */
struct AccelClass {
    GObjectClass parent;
    const char *name;
    const char *mtree_name; /* how `info mtree -f` marks ranges that it maps; or NULL */
    bool (*init)(Accel *accel, GError **error);
    bool (*create_vcpu)(struct AccelVCPU *vcpu, GError **error); /* NULL: nothing runs */
    void (*destroy_vcpu)(struct AccelVCPU *vcpu);                /* its thread is gone */
    void (*run_vcpu)(struct AccelVCPU *vcpu);
    void (*kick_vcpu)(struct AccelVCPU *vcpu);
    const X86CPUOps *ops;
    bool (*irqchip_in_kernel)(Accel *accel);
    bool (*send_msi)(Accel *accel, hwaddr address, uint32_t data);
    bool (*has_range)(const FlatRange *range); /* MtreeOptions.accel_has; or NULL */
    bool smm_spaces; /* its CPUs have an address space for SMM, entered or not */
    /* Puts accel->breakpoints and ->stepping into effect; NULL: has none. Paused. */
    bool (*update_debug)(Accel *accel, GError **error);
    /* No breakpoint at the vCPU's next instruction. Paused; update_debug() follows. */
    void (*step_over)(struct AccelVCPU *vcpu);
    void (*hide_breakpoints)(uint64_t address, uint8_t *buffer, size_t length);
};

GType accel_get_type(void);
#define TYPE_ACCEL (accel_get_type())
#define ACCEL(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_ACCEL, Accel))
#define ACCEL_CLASS(klass) (G_TYPE_CHECK_CLASS_CAST((klass), TYPE_ACCEL, AccelClass))
#define ACCEL_GET_CLASS(object)                                                            \
    (G_TYPE_INSTANCE_GET_CLASS((object), TYPE_ACCEL, AccelClass))

/*
 * The first of `options` ("kvm,kernel-irqchip=off", "tcg", ...; NULL-terminated; NULL or
 * empty: kvm where it is usable, else x86emu) that this host can run, with its properties
 * set. *skipped, where not NULL, becomes NULL or one line for the user about those passed
 * over; free it. NULL and *error: a name or property is unknown (the nearest is named),
 * or none is usable (says why in words). No lock needed.
 */
Accel *accel_select(const char *const *options, char **skipped, GError **error);

/* Whether the accelerator of that name (or alias) can run here; *error says why not. No
 * lock needed. */
bool accel_usable(const char *name, GError **error);

/* The names, NULL-terminated, for `-accel help`; without aliases. */
const char *const *accel_names(void);

const char *accel_name(Accel *accel); /* "kvm", "x86emu", "qtest" */

/* The process's accelerator, or NULL before accel_init(). */
Accel *accel_current(void);

bool accel_init(Accel *accel, AddressSpace *memory, AddressSpace *io, GError **error);

/* Makes the thread that executes `cpu`, paused, and fills in cpu->ops. */
bool accel_create_vcpu(Accel *accel, X86CPU *cpu, GError **error);
void accel_destroy_vcpu(Accel *accel, X86CPU *cpu);

/* Lets all vCPUs run; returns at once. */
void accel_resume_all(Accel *accel);

/* Stops all vCPUs; returns when each is out of guest code and of device callbacks and
 * its cpu->registers are current. Gives the machine lock up while it waits, so callers
 * must take what they know about devices anew. Does nothing when they stand already. */
void accel_pause_all(Accel *accel);

/* Asks all vCPUs to stop and does not wait: each executes nothing after the instruction
 * that it is in. For those who note a request; accel_pause_all() still follows. */
void accel_hold_all(Accel *accel);

/* Makes a vCPU leave guest code soon and look at what is asked of it. Any thread, with
 * or without the machine lock. */
void accel_kick(Accel *accel, X86CPU *cpu);

/* cpu->registers from the vCPU, and back. Paused; the CPU's DeviceClass.reset does the
 * latter itself, so device_reset_all() resets the vCPUs too. */
void accel_get_registers(X86CPU *cpu);
void accel_set_registers(X86CPU *cpu);

/* The interrupt controllers and the PIT are KVM's own: the board then makes those of
 * machine/accel/kvm-irqchip.h instead of hw/intc's and hw/timer's. After accel_init(). */
bool accel_irqchip_in_kernel(Accel *accel);

/* Delivers a message-signalled interrupt through the kernel's controllers; false when
 * they are not there. */
bool accel_send_msi(Accel *accel, hwaddr address, uint32_t data);

/* The host's number of the CPU's thread; 0: it has none. */
int accel_thread_id(X86CPU *cpu);

void accel_get_statistics(Accel *accel, AccelStatistics *statistics);

#endif
