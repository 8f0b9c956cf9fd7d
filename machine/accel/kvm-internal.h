/*
 * What the files of the KVM accelerator share.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_KVM_INTERNAL_H
#define MACHINE_ACCEL_KVM_INTERNAL_H

#include <linux/kvm.h>

#include "hw/core/vmstate.h"
#include "hw/isa/isa-bus.h"
#include "machine/accel/vcpu.h"

/* A process has one /dev/kvm and one VM on it. */
typedef struct KVMHost {
    int fd; /* /dev/kvm; -1: not open */
    int vm;
    bool irqchip; /* the kernel has the 8259As, the IOAPIC and the local APICs */
} KVMHost;

extern KVMHost kvm_host;

typedef struct KVMVCPU {
    int fd;
    struct kvm_run *run;
    size_t run_size;
    struct KVMPowerOn *power_on;
    uint64_t physical_mask; /* the guest's physical addresses fit into these bits */
    bool halted;            /* in HLT, when the interrupt controllers are in user space */
    bool stepping_over;     /* one instruction without breakpoints, then with them */
} KVMVCPU;

static inline KVMVCPU *kvm_vcpu(X86CPU *cpu)
{
    return accel_vcpu(cpu)->data;
}

/* ioctl() that starts again after a signal. */
int kvm_ioctl(int fd, unsigned long request, void *argument);

/* Memory slots follow `as` from now on. Machine lock. */
void kvm_memory_init(AddressSpace *as);
bool kvm_memory_has_range(const FlatRange *range);

/* Makes the slots of read-only windows read-only for the kernel too, so that a write to
 * one leaves the guest; false: they are. Machine lock. */
bool kvm_memory_make_windows_exact(void);

/* Slots deleted and set since the start, for tests and benchmarks. */
unsigned long kvm_memory_slot_updates(void);

/* Doorbells and coalesced writes follow the address spaces from now on. Machine lock. */
void kvm_zones_init(AddressSpace *memory, AddressSpace *io);
/* Coalesced writes wait in memory that a vCPU shares with the kernel: the first
 * one made. */
void kvm_zones_vcpu_made(KVMVCPU *vcpu);
void kvm_zones_vcpu_gone(KVMVCPU *vcpu);
/* Delivers the writes that wait; before anything else of an exit, so that devices see all
 * in order. Without the machine lock, from a vCPU's thread. */
void kvm_zones_flush(void);

/* CPUID of the default CPU model on this host. */
bool kvm_cpuid_init(KVMVCPU *vcpu, const X86CPU *cpu, GError **error);

/* Remembers the state that the kernel made the vCPU with, for resets. */
bool kvm_registers_init(KVMVCPU *vcpu, GError **error);
void kvm_registers_free(KVMVCPU *vcpu);
void kvm_get_registers(X86CPU *cpu);
void kvm_set_registers(X86CPU *cpu);
void kvm_reset_vcpu(X86CPU *cpu);

/* What registers do not hold, for a move (kvm-state.c). kvm_set_late_state() is for after
 * the local APIC's state, which some of it depends on. */
void kvm_get_state(X86CPU *cpu);
bool kvm_set_state(X86CPU *cpu, GError **error);
void kvm_set_late_state(X86CPU *cpu);
/* Gives a new vCPU the machine-check banks that QEMU gives it. */
void kvm_init_machine_check(KVMVCPU *vcpu, X86CPU *cpu);

bool kvm_send_msi(Accel *accel, hwaddr address, uint32_t data);
bool kvm_irqchip_init(GError **error);

/* The kernel's chips in streams (kvm-irqchip-state.c). */
typedef struct KVMI8259 {
    ISADevice parent;
    bool master;
    uint32_t iobase, elcr_addr;
    uint8_t elcr_mask;
    MemoryRegion io, elcr_io;
} KVMI8259;

__u32 kvm_pic_id(const KVMI8259 *pic);
extern const VMStateDescription vmstate_kvm_i8259, vmstate_kvm_ioapic, vmstate_kvm_pit;
void kvm_register_lapics(void);

/* Breakpoints (kvm-debug.c); the last handles KVM_EXIT_DEBUG, without the
 * machine lock. */
bool kvm_update_debug(Accel *accel, GError **error);
void kvm_step_over(AccelVCPU *vcpu);
void kvm_hide_breakpoints(uint64_t address, uint8_t *buffer, size_t length);
void kvm_handle_debug(AccelVCPU *vcpu);

#endif
