/*
 * HPET: the high precision event timers (IA-PC HPET specification, revision 1.0a), a
 * counter of 100 MHz and up to 32 comparators.
 *
 * With legacy replacement its first two timers take the place of the 8254 and the RTC at
 * IRQ 0 and 8, whose lines therefore pass through it.
 *
 * Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_TIMER_HPET_H
#define HW_TIMER_HPET_H

#include "hw/core/clock.h"
#include "hw/core/device.h"
#include "memory/address-space.h"

#define HPET_ADDRESS UINT64_C(0xfed00000)
#define HPET_TIMERS_MAX 32
#define HPET_LINES 24

/* Input pins, and the one unnamed output: high while the 8254 may drive its line. */
enum { HPET_INPUT_PIT, HPET_INPUT_RTC, HPET_INPUTS };

typedef struct HPET HPET;

typedef struct HPETTimer {
    HPET *hpet;
    unsigned index;
    uint64_t config; /* without capabilities */
    uint64_t comparator;
    uint64_t period;  /* ticks; periodic mode */
    uint64_t message; /* FSB route: data below, address above */
    Timer timer;
} HPETTimer;

struct HPET {
    Device parent;
    uint8_t timer_count;
    bool msi;
    bool offset_saved; /* the counter's phase goes into migration streams */
    uint32_t routes;      /* the lines that timers may be routed to, as a set */
    AddressSpace *memory; /* where message interrupts are written */
    IRQ *lines;           /* HPET_LINES of the interrupt controllers */
    IRQ *pit_enable;
    MemoryRegion io;

    uint64_t config, status;
    uint64_t counter; /* ticks when it stood last; while it runs, at counter_start_ns */
    int64_t counter_start_ns;
    bool inputs[HPET_INPUTS];
    HPETTimer timers[HPET_TIMERS_MAX];
};

GType hpet_get_type(void);
#define TYPE_HPET (hpet_get_type())
#define HPET(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_HPET, struct HPET))

/* Shows it at HPET_ADDRESS of `memory`'s root. `lines`: HPET_LINES of them. */
HPET *hpet_new(AddressSpace *memory, IRQ *lines, GError **error);

#endif
