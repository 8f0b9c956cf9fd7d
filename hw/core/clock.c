/*
 * Timers wait in one list a clock, soonest first; each clock's head is what a timerfd of
 * the main loop is armed for. (GLib's own timeouts count milliseconds, too coarse for an
 * 8254 or an RTC at 8192 Hz.)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/clock.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "memory/types.h"

static struct {
    Timer *first[CLOCK_KINDS];
    int fd[CLOCK_KINDS];
    bool watching[CLOCK_KINDS];
    /* Guest time = host monotonic + offset while running, else `stopped_at`. Readers on
     * vCPU threads do not hold the machine lock: `sequence` is odd while it changes. */
    unsigned sequence;
    bool running;
    bool manual;
    int64_t offset;
    int64_t stopped_at;
    int64_t ticks_offset; /* ticks are guest time + this */
} clocks;

static int64_t host_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

static int64_t virtual_ns(void)
{
    unsigned before, after;
    int64_t now;

    do {
        before = __atomic_load_n(&clocks.sequence, __ATOMIC_ACQUIRE);
        now = __atomic_load_n(&clocks.running, __ATOMIC_RELAXED)
                  ? host_ns(CLOCK_MONOTONIC) +
                        __atomic_load_n(&clocks.offset, __ATOMIC_RELAXED)
                  : __atomic_load_n(&clocks.stopped_at, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        after = __atomic_load_n(&clocks.sequence, __ATOMIC_RELAXED);
    } while ((before & 1) || before != after);
    return now;
}

static void virtual_change(bool running, int64_t offset, int64_t stopped_at)
{
    __atomic_add_fetch(&clocks.sequence, 1, __ATOMIC_ACQ_REL);
    __atomic_store_n(&clocks.running, running, __ATOMIC_RELAXED);
    __atomic_store_n(&clocks.offset, offset, __ATOMIC_RELAXED);
    __atomic_store_n(&clocks.stopped_at, stopped_at, __ATOMIC_RELAXED);
    __atomic_add_fetch(&clocks.sequence, 1, __ATOMIC_RELEASE);
}

int64_t clock_get_ns(ClockKind clock)
{
    switch (clock) {
    case CLOCK_KIND_VIRTUAL:
        return virtual_ns();
    case CLOCK_KIND_REALTIME:
        return host_ns(CLOCK_MONOTONIC);
    default:
        return host_ns(CLOCK_REALTIME);
    }
}

int64_t clock_get_ticks(void)
{
    return virtual_ns() + __atomic_load_n(&clocks.ticks_offset, __ATOMIC_RELAXED);
}

/* -- Running timers -------------------------------------------------------------- */

static void run_due(ClockKind clock)
{
    int64_t now = clock_get_ns(clock);
    Timer *timer;

    while ((timer = clocks.first[clock]) && timer->expires <= now) {
        clocks.first[clock] = timer->next;
        timer->next = NULL;
        timer->expires = -1;
        timer->callback(timer->opaque);
    }
}

static void arm(ClockKind clock);

static gboolean timerfd_ready(gint fd, GIOCondition condition, gpointer data)
{
    ClockKind clock = (ClockKind)GPOINTER_TO_INT(data);
    uint64_t expirations;

    if (read(fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN) {
        g_printerr("timerfd: %s\n", g_strerror(errno));
    }
    run_due(clock);
    arm(clock);
    return G_SOURCE_CONTINUE;
}

static int timerfd_of(ClockKind clock)
{
    if (!clocks.watching[clock]) {
        clocks.fd[clock] =
            timerfd_create(clock == CLOCK_KIND_HOST ? CLOCK_REALTIME : CLOCK_MONOTONIC,
                           TFD_CLOEXEC | TFD_NONBLOCK);
        if (clocks.fd[clock] < 0) {
            g_error("timerfd_create: %s", g_strerror(errno));
        }
        clocks.watching[clock] = true;
        g_unix_fd_add_full(G_PRIORITY_DEFAULT, clocks.fd[clock], G_IO_IN, timerfd_ready,
                           GINT_TO_POINTER(clock), NULL);
    }
    return clocks.fd[clock];
}

/* Whether the clock stands before the time that the timer is due. */
static bool out_of_reach(const Timer *timer)
{
    return timer->clock == CLOCK_KIND_VIRTUAL && !clocks.running &&
           !(clocks.manual && timer->expires <= clocks.stopped_at);
}

/* Sets the clock's timerfd to its first timer, or disarms it. */
static void arm(ClockKind clock)
{
    struct itimerspec when = {0};
    Timer *first = clocks.first[clock];

    if (first && out_of_reach(first)) {
        first = NULL;
    }
    if (!first && !clocks.watching[clock]) {
        return;
    }
    if (first) {
        bool manual = clock == CLOCK_KIND_VIRTUAL && clocks.manual;
        int64_t host = first->expires;

        if (clock == CLOCK_KIND_VIRTUAL &&
            __builtin_sub_overflow(first->expires, clocks.offset, &host)) {
            host = INT64_MAX; /* a stream may bring any time */
        }
        host = manual ? 1 : MAX(host, 1); /* at once; 0 would disarm */
        when.it_value.tv_sec = host / NANOSECONDS_PER_SECOND;
        when.it_value.tv_nsec = host % NANOSECONDS_PER_SECOND;
    }
    timerfd_settime(timerfd_of(clock), TFD_TIMER_ABSTIME, &when, NULL);
}

void timer_init(Timer *timer, ClockKind clock, void (*callback)(void *), void *opaque)
{
    *timer =
        (Timer){.clock = clock, .callback = callback, .opaque = opaque, .expires = -1};
}

static bool unlink_timer(Timer *timer)
{
    Timer **link = &clocks.first[timer->clock];
    bool was_first = *link == timer;

    while (*link && *link != timer) {
        link = &(*link)->next;
    }
    if (*link) {
        *link = timer->next;
    }
    timer->next = NULL;
    timer->expires = -1;
    return was_first;
}

void timer_mod(Timer *timer, int64_t expires)
{
    bool was_first = timer->expires >= 0 && unlink_timer(timer);
    Timer **link = &clocks.first[timer->clock];

    timer->expires = MAX(expires, 0);
    while (*link && (*link)->expires <= timer->expires) {
        link = &(*link)->next;
    }
    timer->next = *link;
    *link = timer;
    if (was_first || clocks.first[timer->clock] == timer) {
        arm(timer->clock);
    }
}

void timer_del(Timer *timer)
{
    if (timer->expires >= 0 && unlink_timer(timer)) {
        arm(timer->clock);
    }
}

bool timer_pending(const Timer *timer)
{
    return timer->expires >= 0;
}

/* -- The virtual clock ----------------------------------------------------------- */

void clock_virtual_run(bool run)
{
    int64_t now = virtual_ns();

    if (clocks.manual || run == clocks.running) {
        return;
    }
    virtual_change(run, now - host_ns(CLOCK_MONOTONIC), now);
    arm(CLOCK_KIND_VIRTUAL);
}

void clock_virtual_restore(int64_t ns, int64_t ticks)
{
    __atomic_store_n(&clocks.ticks_offset, (int64_t)((uint64_t)ticks - (uint64_t)ns),
                     __ATOMIC_RELAXED);
    virtual_change(clocks.running, ns - host_ns(CLOCK_MONOTONIC), ns);
    arm(CLOCK_KIND_VIRTUAL);
}

void clock_virtual_manual(void)
{
    clocks.manual = true;
    virtual_change(false, 0, 0);
    arm(CLOCK_KIND_VIRTUAL);
}

void clock_virtual_set_ns(int64_t ns)
{
    while (clocks.first[CLOCK_KIND_VIRTUAL] &&
           clocks.first[CLOCK_KIND_VIRTUAL]->expires <= ns) {
        int64_t due = MAX(clocks.first[CLOCK_KIND_VIRTUAL]->expires, clocks.stopped_at);

        virtual_change(clocks.running, due - host_ns(CLOCK_MONOTONIC), due);
        run_due(CLOCK_KIND_VIRTUAL);
    }
    virtual_change(clocks.running, ns - host_ns(CLOCK_MONOTONIC), ns);
    arm(CLOCK_KIND_VIRTUAL);
}

int64_t clock_virtual_deadline_ns(void)
{
    return clocks.first[CLOCK_KIND_VIRTUAL] ? clocks.first[CLOCK_KIND_VIRTUAL]->expires
                                            : -1;
}

uint64_t clock_ns_to_ticks(int64_t ns, uint32_t hz)
{
    return ns <= 0 ? 0 : (uint64_t)((uint128)ns * hz / NANOSECONDS_PER_SECOND);
}

int64_t clock_ticks_to_ns(uint64_t ticks, uint32_t hz)
{
    return (int64_t)(((uint128)ticks * NANOSECONDS_PER_SECOND + hz - 1) / hz);
}
