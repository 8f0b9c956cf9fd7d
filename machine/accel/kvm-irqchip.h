/*
 * The interrupt controllers and the timer that KVM models in the kernel, as devices of
 * the tree: "kvm-i8259" (a pair), "kvm-ioapic", "kvm-pit".
 *
 * Boards make these where accel_irqchip_in_kernel(), in place of hw/intc and hw/timer's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_KVM_IRQCHIP_H
#define MACHINE_ACCEL_KVM_IRQCHIP_H

#include "hw/core/device.h"
#include "hw/intc/irq-counts.h"

GType kvm_i8259_get_type(void);
GType kvm_ioapic_get_type(void);
GType kvm_apic_get_type(void); /* where message-signalled interrupts are written */
GType kvm_pit_get_type(void);
GType kvm_clock_get_type(void); /* "kvmclock", which moves with the guest */

/* How many lines the kernel's controllers have: 0-15 reach both 8259As and the IOAPIC
 * (line 0 is its input 2), 16-23 the IOAPIC alone. */
#define KVM_GSI_LINES 24

/*
 * Makes the pair of 8259As (ports 0x20, 0xa0 and their ELCRs 0x4d0, 0x4d1) on the
 * device type's ISA bus and, where `apics`, the local APICs' window at 0xfee00000 and the
 * IOAPIC at 0xfec00000; without, the board's CPUs show none. Returns the
 * KVM_GSI_LINES input lines, or NULL and *error. Their INTR reaches the vCPUs inside
 * the kernel; x86_cpu_set_intr() is not wired.
 */
IRQ *kvm_irqchip_create(Bus *isa_bus, bool apics, GError **error);

/* Of the inputs that are driven from user space; of the second 8259A NULL. */
const IRQCounts *kvm_i8259_irq_counts(Device *dev);
const IRQCounts *kvm_ioapic_irq_counts(Device *dev);

/* The 8254 (ports 0x40-0x43, IRQ 0 inside the kernel) on the ISA bus. The kernel answers
 * the speaker's port 0x61 too. */
Device *kvm_pit_create(Bus *isa_bus, GError **error);

#endif
