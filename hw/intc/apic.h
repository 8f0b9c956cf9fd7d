/*
 * The local APICs of the processors (Intel SDM volume 3, chapter 11) and the bus between
 * them, on which messages travel: from each other, from I/O APICs, and as writes to the
 * megabyte at 0xfee00000 that PCI devices interrupt by.
 *
 * In front of a processor's INTR stands its APIC: it presents its own interrupts first,
 * then those of the 8259A pair, which come by the LINT0 pin (virtual wire mode).
 *
 * Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INTC_APIC_H
#define HW_INTC_APIC_H

#include "hw/core/clock.h"
#include "hw/i386/x86-cpu.h"

#define APIC_WINDOW_ADDRESS UINT64_C(0xfee00000)
#define APIC_WINDOW_SIZE MiB(1)

enum { APIC_LINT0, APIC_LINT1, APIC_LINTS };

/* 11.5.1: the local vector table's entries, in the order of their registers. */
enum {
    APIC_LVT_TIMER,
    APIC_LVT_THERMAL,
    APIC_LVT_PERFORMANCE,
    APIC_LVT_LINT0,
    APIC_LVT_LINT1,
    APIC_LVT_ERROR,
    APIC_LVTS
};

typedef struct APIC APIC;
typedef struct APICBus APICBus;

struct APIC {
    Device parent;
    APICBus *bus;
    X86CPU *cpu;
    uint32_t version;
    uint64_t base; /* model-specific register 0x1b */

    uint8_t id, task_priority, logical_id;
    uint32_t destination_format, spurious;
    uint32_t lvt[APIC_LVTS];
    uint32_t errors,
        error_status; /* since the last write to ESR; what that write showed */
    uint32_t icr[2];
    uint32_t in_service[8], requested[8], level_triggered[8];
    bool lint[APIC_LINTS]; /* levels of the pins */
    bool external_message; /* an ExtINT message waits for its INTA cycle */

    uint32_t initial_count, divide;
    int64_t count_start_ns; /* when the count was initial_count */
    Timer timer;
};

typedef struct APICBus {
    MemoryRegion window; /* "apic-msi" */
    GPtrArray *apics;    /* APIC *, by index of their CPUs */
    /* The INTA cycle of the 8259A pair, for X86CPU.acknowledge. */
    int (*acknowledge)(void *opaque);
    void *acknowledge_opaque;
    /* An EOI for a level-triggered interrupt, to the I/O APICs. */
    void (*end_of_interrupt)(void *opaque, uint8_t vector);
    void *end_of_interrupt_opaque;
} APICBus;

/* 11.6.1, table 11-18 */
typedef enum APICDelivery {
    APIC_FIXED = 0,
    APIC_LOWEST_PRIORITY = 1,
    APIC_SMI = 2,
    APIC_NMI = 4,
    APIC_INIT = 5,
    APIC_STARTUP = 6,
    APIC_EXTINT = 7,
} APICDelivery;

typedef struct APICMessage {
    uint8_t destination;
    bool logical; /* destination is a set, not an APIC's id */
    APICDelivery delivery;
    uint8_t vector;
    bool level_triggered;
} APICMessage;

GType apic_get_type(void);
#define TYPE_APIC (apic_get_type())
#define APIC(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_APIC, struct APIC))

/* An empty bus, to live as long as the machine. */
APICBus *apic_bus_new(void);

/* The APIC of `cpu`, which becomes its `apic` and takes over its INTR and acknowledge.
 * The bus's first one shows the window in `memory`. Its input pins are APIC_LINTS. */
APIC *apic_new(APICBus *bus, X86CPU *cpu, MemoryRegion *memory, GError **error);

/* -- The bus (apic-bus.c) -- */

void apic_bus_deliver(APICBus *bus, const APICMessage *message);

/* A write of `data` to `address` inside the window, by whomever (11.11). */
void apic_bus_write_msi(APICBus *bus, hwaddr address, uint32_t data);

/* LINT0 of all processors, where the 8259A pair's INTR arrives. */
void apic_bus_set_lint0(APICBus *bus, int level);

/* -- The model-specific register -- */

bool apic_enabled(const APIC *apic); /* as CPUID reports it */
void apic_set_base(APIC *apic, uint64_t value);

/* -- For apic-bus.c: the register file and the receiving end of the bus -- */

uint32_t apic_read_register(APIC *apic, unsigned index); /* index: offset / 16 */
void apic_write_register(APIC *apic, unsigned index, uint32_t value);
void apic_receive(APIC *apic, const APICMessage *message);
unsigned apic_processor_priority(const APIC *apic);
bool apic_is_software_enabled(const APIC *apic);

#endif
