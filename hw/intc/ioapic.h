/*
 * 82093AA I/O APIC (Intel data sheet 290566) in its later form with an EOI register
 * (version 0x20, as of the 82801 series): 24 inputs, each with an entry that says which
 * interrupt message it becomes.
 *
 * Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INTC_IOAPIC_H
#define HW_INTC_IOAPIC_H

#include "hw/core/vmstate.h"
#include "hw/intc/irq-counts.h"
#include "memory/address-space.h"

#define IOAPIC_PINS 24
#define IOAPIC_ADDRESS UINT64_C(0xfec00000)

typedef struct IOAPIC {
    Device parent;
    uint8_t version;
    AddressSpace *memory; /* where messages are written */
    MemoryRegion io;
    uint8_t id, selected;
    uint64_t redirection[IOAPIC_PINS];
    uint32_t lines; /* levels of the input pins */
    IRQCounts counts;
} IOAPIC;

/* What a migration stream has of one, ours or KVM's: QEMU's fields. */
typedef struct IOAPICWire {
    uint8_t id, ioregsel;
    uint32_t irr;
    uint64_t ioredtbl[IOAPIC_PINS];
} IOAPICWire;

/* The fields of section "ioapic", version 3. */
extern const VMStateField ioapic_wire_fields[];

GType ioapic_get_type(void);
#define TYPE_IOAPIC (ioapic_get_type())
#define IOAPIC(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_IOAPIC, struct IOAPIC))

/* Shows it at IOAPIC_ADDRESS of `memory`'s root; its messages are written to `memory`.
 * The IOAPIC_PINS inputs are the device's input pins, but for a PC's timer line 0, which
 * is wired to pin 2; `parent` (or NULL) gives it its path. */
IOAPIC *ioapic_new(Device *parent, AddressSpace *memory, GError **error);

const IRQCounts *ioapic_irq_counts(Device *dev);

/* For APICBus.end_of_interrupt: `opaque` is the IOAPIC. */
void ioapic_end_of_interrupt(void *opaque, uint8_t vector);

#endif
