/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/throttle.h"

#include "hw/core/clock.h"
#include "machine/run-state.h"

/* The guest runs so long at a time; how long it then stands follows from the
 * percentage. */
#define RUN_NS INT64_C(10000000)

static struct {
    unsigned percent;
    bool held;
    bool initialized;
    Timer timer;
} throttle;

/* vCPUs that are held for another reason, a request that the main loop is about to carry
 * out, stay so. */
static void let_go(void)
{
    throttle.held = false;
    if (run_state() == RUN_STATE_RUNNING && !run_state_has_requests()) {
        accel_resume_all(accel_current());
    }
}

static void turn(void *opaque)
{
    int64_t next = RUN_NS;

    if (throttle.held || !throttle.percent) {
        let_go();
    } else if (run_state() == RUN_STATE_RUNNING) {
        accel_hold_all(accel_current());
        throttle.held = true;
        next = RUN_NS * throttle.percent / (100 - throttle.percent);
    }
    if (throttle.percent) {
        timer_mod(&throttle.timer, clock_get_ns(CLOCK_KIND_REALTIME) + next);
    }
}

void migration_throttle_set(unsigned percent)
{
    if (!throttle.initialized) {
        timer_init(&throttle.timer, CLOCK_KIND_REALTIME, turn, NULL);
        throttle.initialized = true;
    }
    throttle.percent = MIN(percent, 99);
    if (percent && !timer_pending(&throttle.timer)) {
        timer_mod(&throttle.timer, clock_get_ns(CLOCK_KIND_REALTIME) + RUN_NS);
    } else if (!percent) {
        timer_del(&throttle.timer);
        if (throttle.held) {
            let_go();
        }
    }
}

unsigned migration_throttle_percent(void)
{
    return throttle.percent;
}
