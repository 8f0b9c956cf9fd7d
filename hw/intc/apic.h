/*
 * The local APIC of a processor, and the I/O APIC, for accelerators that do not bring
 * their own.
 *
 * The first processor's LINT0 pin takes the 8259A's INT; the local APIC then drives the
 * processor's INTR and answers its acknowledge cycle. Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INTC_APIC_H
#define HW_INTC_APIC_H

#include "hw/core/clock.h"
#include "hw/i386/x86-cpu.h"

#define IOAPIC_PINS 24

typedef struct LocalAPIC LocalAPIC;

/* One register of 256 bits, a bit a vector. */
typedef uint32_t APICVectors[8];

enum {
    LVT_TIMER,
    LVT_THERMAL,
    LVT_PERFORMANCE,
    LVT_LINT0,
    LVT_LINT1,
    LVT_ERROR,
    LVT_ENTRIES
};

struct LocalAPIC {
    Device parent;
    X86CPU *cpu;
    MemoryRegion io; /* of the first one: all processors see theirs at the same address */
    bool lint0;      /* level of the pin */
    int (*pic_acknowledge)(void *opaque);
    void *pic_opaque;

    uint32_t id, tpr, ldr, dfr, svr, esr;
    uint32_t icr[2];
    uint32_t lvt[LVT_ENTRIES];
    APICVectors isr, tmr, irr;
    uint32_t initial_count, divide;
    int64_t count_start_ns; /* virtual clock: when the timer was at initial_count */
    Timer timer;
};

GType local_apic_get_type(void);
#define TYPE_LOCAL_APIC (local_apic_get_type())
#define LOCAL_APIC(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_LOCAL_APIC, LocalAPIC))

/* The APIC of `cpu` at 0xfee00000 of `memory`; takes over the CPU's acknowledge cycle. Its
 * input pin 0 is LINT0. */
LocalAPIC *local_apic_new(X86CPU *cpu, MemoryRegion *memory, GError **error);

/* Who answers the acknowledge cycle of what comes in at LINT0 as ExtINT: the 8259A. */
void local_apic_set_pic(LocalAPIC *apic, int (*acknowledge)(void *opaque), void *opaque);

/* A message on the bus between APICs, in the fields of an MSI or a redirection entry. */
typedef struct APICMessage {
    uint8_t destination;
    bool logical;
    uint8_t delivery_mode;
    uint8_t vector;
    bool level;
} APICMessage;

void apic_bus_send(const APICMessage *message);

typedef struct IOAPIC {
    Device parent;
    MemoryRegion io;
    uint32_t id, select;
    uint32_t lines, irr; /* a bit a pin */
    uint64_t redirection[IOAPIC_PINS];
    IRQ *pic_lines; /* what ioapic_new_lines() also drives */
} IOAPIC;

GType ioapic_get_type(void);
#define TYPE_IOAPIC (ioapic_get_type())

/* At 0xfec00000 of `memory`; input pins 0-23. `parent` gives it its path. */
IOAPIC *ioapic_new(Device *parent, MemoryRegion *memory, GError **error);

/* A PC's interrupt lines: 0-15 reach the 8259As' `pic_lines` and the I/O APIC (the timer's
 * line 0 is its pin 2, as the MADT says), 16-23 the I/O APIC alone. */
IRQ *ioapic_new_lines(IOAPIC *ioapic, IRQ *pic_lines);

/* A local APIC has finished with a level-triggered vector. */
void ioapic_end_of_interrupt(uint8_t vector);

#endif
