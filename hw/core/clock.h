/*
 * Clocks and timers.
 *
 * The virtual clock is guest time: nanoseconds that the machine has run; it stands still
 * while the machine is stopped, and under qtest moves only when told. The real-time clock
 * is the host's monotonic time, for what goes on while the guest stands (a monitor's
 * progress line). The host clock is wall time (the RTC's base).
 *
 * Timers run in the main loop with the machine lock held. They may be changed from any
 * thread that holds it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_CLOCK_H
#define HW_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define NANOSECONDS_PER_SECOND INT64_C(1000000000)

typedef enum ClockKind {
    CLOCK_KIND_VIRTUAL,
    CLOCK_KIND_REALTIME,
    CLOCK_KIND_HOST,
    CLOCK_KINDS
} ClockKind;

typedef struct Timer {
    ClockKind clock;
    void (*callback)(void *opaque);
    void *opaque;
    int64_t expires; /* ns on its clock; -1: not pending */
    struct Timer *next;
} Timer;

/* Nanoseconds. Any thread. */
int64_t clock_get_ns(ClockKind clock);
#define clock_virtual_ns() clock_get_ns(CLOCK_KIND_VIRTUAL)

/* The time-stamp counter of processors that software executes: one tick a nanosecond of
 * guest time, from where the guest came with. Any thread. */
int64_t clock_get_ticks(void);

/* The virtual clock goes (the machine runs) or stands. */
void clock_virtual_run(bool run);

/* A guest that moved here brings its time: what the virtual clock and the tick counter
 * stand at. The machine stands; timers keep the times that they are due at. */
void clock_virtual_restore(int64_t ns, int64_t ticks);
/* The stream's section "timer", of both; at the start of a machine. */
void clock_register_state(void);

/* Under qtest: the clock stands at what clock_virtual_set_ns() says, at first 0, and
 * setting it runs the timers that fall due, each at its own time. */
void clock_virtual_manual(void);
void clock_virtual_set_ns(int64_t ns);

/* When the next pending timer of the virtual clock is due, or -1. */
int64_t clock_virtual_deadline_ns(void);

/* Ticks of a `hz` oscillator in `ns`, and back, without overflow in between. */
uint64_t clock_ns_to_ticks(int64_t ns, uint32_t hz);
int64_t clock_ticks_to_ns(uint64_t ticks, uint32_t hz);

void timer_init(Timer *timer, ClockKind clock, void (*callback)(void *), void *opaque);
/* Due at `expires` ns on its clock (at once when that is past). */
void timer_mod(Timer *timer, int64_t expires);
void timer_del(Timer *timer);
bool timer_pending(const Timer *timer);

#endif
