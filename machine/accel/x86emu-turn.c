/*
 * Who of several software CPUs executes: one at a time.
 *
 * Locked instructions are plain loads and stores here. Among processors they are atomic
 * all the same because only one has the turn, and gives it up between two instructions:
 * when it halts, at an access to a device, or when another has waited for a slice of time.
 *
 * Turns are taken in the order in which they were asked for.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/x86emu-internal.h"

#define SLICE_US 500

static struct {
    GMutex mutex;
    GCond changed;
    uint64_t next, serving; /* tickets; written under the mutex, read without */
    SoftCPU *holder;
} turn;

void soft_turn_take(SoftCPU *soft)
{
    uint64_t ticket;

    g_mutex_lock(&turn.mutex);
    ticket = __atomic_fetch_add(&turn.next, 1, __ATOMIC_RELAXED);
    while (turn.serving != ticket || turn.holder) {
        if (!g_cond_wait_until(&turn.changed, &turn.mutex,
                               g_get_monotonic_time() + SLICE_US) &&
            turn.holder) {
            soft_call_attention(turn.holder);
        }
    }
    __atomic_fetch_add(&turn.serving, 1, __ATOMIC_RELAXED);
    turn.holder = soft;
    g_mutex_unlock(&turn.mutex);
}

void soft_turn_give_up(SoftCPU *soft)
{
    g_mutex_lock(&turn.mutex);
    turn.holder = NULL;
    if (turn.serving != turn.next) {
        g_cond_broadcast(&turn.changed);
    }
    g_mutex_unlock(&turn.mutex);
}

bool soft_turn_wanted(void)
{
    return __atomic_load_n(&turn.serving, __ATOMIC_RELAXED) !=
           __atomic_load_n(&turn.next, __ATOMIC_RELAXED);
}
