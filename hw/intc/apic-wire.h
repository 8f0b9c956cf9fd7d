/*
 * A local APIC as a migration stream has it (section "apic", version 3), for those who
 * model one or have the kernel's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INTC_APIC_WIRE_H
#define HW_INTC_APIC_WIRE_H

#include "hw/core/vmstate.h"

/* QEMU's fields. Its bus clock has 1 GHz: a tick is a nanosecond of guest time. */
typedef struct APICWire {
    uint32_t apicbase;
    uint8_t id, arb_id, tpr;
    uint32_t spurious_vec;
    uint8_t log_dest, dest_mode; /* dest_mode: bits 28-31 of the destination format */
    uint32_t isr[8], tmr[8], irr[8];
    uint32_t lvt[6];
    uint32_t esr, icr[2], divide_conf;
    int32_t count_shift; /* log2 of the ticks of one count */
    uint32_t initial_count;
    int64_t initial_count_load_time, next_time,
        timer_expiry;                   /* ns; timer_expiry: or -1 */
    int32_t sipi_vector, wait_for_sipi; /* only in a subsection */
} APICWire;

extern const VMStateField apic_wire_fields[];
extern const VMStateDescription *const apic_wire_subsections[];

/* log2 of what the divide configuration register divides by (Intel SDM volume 3, figure
 * 11-10). */
unsigned apic_wire_shift(uint32_t divide);

/* The timer's current count at that time of the virtual clock, in ns. */
uint32_t apic_wire_count(const APICWire *wire, int64_t now);

/* The processor priority register (11.8.3.1). */
uint8_t apic_wire_priority(const APICWire *wire);

/* Checks what a stream says of the timer; false and *error. */
bool apic_wire_check(const APICWire *wire, GError **error);

#endif
