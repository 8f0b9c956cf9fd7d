/*
 * MC146818 real-time clock with 128 bytes of CMOS memory.
 *
 * Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_TIMER_MC146818RTC_H
#define HW_TIMER_MC146818RTC_H

#include "hw/core/clock.h"
#include "hw/isa/isa-bus.h"

#define RTC_CMOS_SIZE 128

typedef struct MC146818RTC MC146818RTC;

struct MC146818RTC {
    ISADevice parent;
    uint32_t iobase;
    uint8_t isa_irq;
    int32_t base_year; /* the year that the chip's year 0 of century 0 stands for */
    int lost_tick_policy;
    MemoryRegion io, index_io;
    IRQ *irq;
    ClockKind clock;

    uint8_t cmos[RTC_CMOS_SIZE];
    uint8_t index;
    /* The calendar shows base_seconds (since 1970, as if the calendar were UTC) and
     * base_fraction_ns at base_clock_ns on `clock`. */
    int64_t base_seconds;
    int64_t base_fraction_ns;
    int64_t base_clock_ns;
    int64_t flags_clock_ns; /* `clock` up to which register C's flags are worked out */
    int64_t period_base;    /* a crystal tick that periods of the interrupt count from */
    Timer timer;            /* the next event that register B lets interrupt */
};

GType mc146818_rtc_get_type(void);
#define TYPE_MC146818_RTC (mc146818_rtc_get_type())
#define MC146818_RTC(object)                                                             \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_MC146818_RTC, MC146818RTC))

/* An RTC at 0x70 on `bus` that shows the host's UTC; `irq` NULL: the bus's IRQ 8. */
MC146818RTC *mc146818_rtc_new(ISABus *bus, int base_year, IRQ *irq, GError **error);

/* -rtc base=,clock=: sets the calendar to `seconds` (since 1970-01-01 00:00 of the
 * calendar's own time zone) now, to run with `clock` from here on. */
void rtc_set_date(MC146818RTC *rtc, int64_t seconds, ClockKind clock);
int64_t rtc_get_date(MC146818RTC *rtc);

/* A byte of CMOS memory; for the board's configuration bytes. address < 128. */
void rtc_set_memory(MC146818RTC *rtc, unsigned address, uint8_t value);
uint8_t rtc_get_memory(const MC146818RTC *rtc, unsigned address);

#endif
