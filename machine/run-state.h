/*
 * Run state: whether the machine runs, and the loop that carries out what devices,
 * monitors and signals ask of it (reset, shutdown, stop).
 *
 * Machine lock, except where said.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_RUN_STATE_H
#define MACHINE_RUN_STATE_H

#include "hw/core/system.h"
#include "machine/machine.h"

/* QMP's RunState, by its names on the wire. */
typedef enum RunState {
    RUN_STATE_PRELAUNCH,
    RUN_STATE_RUNNING,
    RUN_STATE_PAUSED,
    RUN_STATE_SHUTDOWN,
    RUN_STATE_SUSPENDED,
    RUN_STATE_INTERNAL_ERROR,
    RUN_STATE_IO_ERROR,
    RUN_STATE_GUEST_PANICKED,
    RUN_STATE_INMIGRATE,
    RUN_STATE_POSTMIGRATE,
    RUN_STATE_FINISH_MIGRATE,
    RUN_STATE_SAVE_VM,
    RUN_STATE_RESTORE_VM,
    RUN_STATE_DEBUG,
    RUN_STATE_WATCHDOG,
    RUN_STATES
} RunState;

enum {
    RUN_PANIC_SHUTDOWN, /* stop, and end the process unless no_shutdown */
    RUN_PANIC_PAUSE,
    RUN_PANIC_EXIT_FAILURE, /* as shutdown, with exit status 1 */
    RUN_PANIC_NONE,
};

enum {
    RUN_WATCHDOG_RESET,
    RUN_WATCHDOG_SHUTDOWN, /* the power button: the guest decides */
    RUN_WATCHDOG_POWEROFF,
    RUN_WATCHDOG_PAUSE,
    RUN_WATCHDOG_DEBUG, /* a message */
    RUN_WATCHDOG_NONE,
    RUN_WATCHDOG_INJECT_NMI,
};

/* What to do when the guest asks for a reset or a shutdown, or cannot go on. All zeroes:
 * QEMU's defaults. */
typedef struct RunStatePolicy {
    unsigned no_reboot;   /* a reset ends the process */
    unsigned no_shutdown; /* a shutdown stops the machine and keeps the process */
    unsigned panic;       /* RUN_PANIC_* */
    unsigned watchdog;    /* RUN_WATCHDOG_* */
} RunStatePolicy;

/* Sets one by QEMU's words ("reboot", "shutdown"); *error lists those that there are. */
bool run_policy_set(RunStatePolicy *policy, const char *event, const char *action,
                    GError **error);

/* The policy, which monitors may change. */
RunStatePolicy *run_state_policy(void);

/* Takes charge of a built machine. */
void run_state_init(Machine *machine, const RunStatePolicy *policy);

/* Runs the main loop with the machine lock held by the caller (given up while asleep)
 * until the process is to end; returns its exit status. */
int run_state_main_loop(void);

/* Stops and continues the guest: vCPUs and virtual clock together. */
void run_state_stop(void);
void run_state_stop_as(RunState state);
/* False, doing nothing, where the state does not allow it (after a shutdown that was
 * held: reset first). */
bool run_state_cont(void);

/* Whether an incoming machine runs once it is here. While the state is INMIGRATE, stop and
 * cont say so instead of stopping or starting anything. */
void run_state_set_autostart(bool autostart);
bool run_state_autostart(void);

/* Whether something was asked for that the main loop is about to carry out; the vCPUs are
 * then held. */
bool run_state_has_requests(void);
/* Carries it out now, for those who stop the machine and must know what state it is in. */
void run_state_settle(void);

bool run_state_running(void);
RunState run_state(void);
const char *run_state_name(void); /* "prelaunch", "running", "paused", ... */
const char *run_state_to_name(RunState state);
bool run_state_from_name(const char *name, RunState *state);
void run_state_set(RunState state);

/* Resets the machine at once: vCPUs paused, devices reset in order, vCPUs resumed if they
 * ran. For monitors, system_reset_request() is the way in. */
void run_state_reset(SystemCause cause, const char *source);

/* An NMI for every CPU. */
void run_state_inject_nmi(void);

/* The ACPI power button; the guest's operating system decides. */
void run_state_powerdown(void);

/* Leaves the main loop with this exit status. Any thread. */
void run_state_quit(int status, SystemCause cause);

/* Someone who wants to hear of it: monitors (events), `umbra reboot` (the row). Called in
 * the main loop. */
typedef enum RunEvent {
    RUN_EVENT_RESET,     /* after the reset; text: the source, "i8042" ... */
    RUN_EVENT_RESETTING, /* before it, with the vCPUs paused */
    RUN_EVENT_SHUTDOWN,
    RUN_EVENT_STOP,
    RUN_EVENT_RESUMING, /* before it, with vCPUs and guest time standing */
    RUN_EVENT_RESUME,
    RUN_EVENT_SUSPEND,
    RUN_EVENT_WAKEUP, /* after the reset that waking is, before the vCPUs run */
    RUN_EVENT_POWERDOWN,
    RUN_EVENT_FATAL,             /* text: the message */
    RUN_EVENT_GUEST_PANICKED,    /* text: what is done: "pause", "poweroff", "run" */
    RUN_EVENT_GUEST_CRASHLOADED, /* the same */
    RUN_EVENT_WATCHDOG,          /* text: the action's name */
} RunEvent;

typedef void (*RunEventHandler)(RunEvent event, SystemCause cause, const char *text,
                                void *opaque);
void run_state_add_handler(RunEventHandler handler, void *opaque);

#endif
