/*
 * Requests come from vCPU threads, timers and monitors. They are noted here, the vCPUs are
 * asked to pause so that the guest executes nothing beyond the access that made the
 * request, and the main loop carries them out between two events.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/run-state.h"

#include <signal.h>
#include <string.h>

#include <gio/gio.h>

#include "hw/block/block.h"
#include "hw/block/node.h"
#include "hw/core/clock.h"
#include "hw/core/trace.h"
#include "machine/ending-signals.h"
#include "memory/io-lock.h"

static struct {
    Machine *machine;
    RunStatePolicy policy;
    RunState state;
    bool autostart;
    bool quit;
    int exit_status;

    SystemCause reset_cause, shutdown_cause, quit_cause;
    const char *reset_source;
    bool suspend, wakeup, io_error;
    bool guest_events[SYSTEM_GUEST_EVENTS];
    char *fatal;

    GArray *handlers;
} run;

typedef struct HandlerEntry {
    RunEventHandler handler;
    void *opaque;
} HandlerEntry;

static const char *const state_names[RUN_STATES] = {
    [RUN_STATE_PRELAUNCH] = "prelaunch",
    [RUN_STATE_RUNNING] = "running",
    [RUN_STATE_PAUSED] = "paused",
    [RUN_STATE_SHUTDOWN] = "shutdown",
    [RUN_STATE_SUSPENDED] = "suspended",
    [RUN_STATE_INTERNAL_ERROR] = "internal-error",
    [RUN_STATE_IO_ERROR] = "io-error",
    [RUN_STATE_GUEST_PANICKED] = "guest-panicked",
    [RUN_STATE_INMIGRATE] = "inmigrate",
    [RUN_STATE_POSTMIGRATE] = "postmigrate",
    [RUN_STATE_FINISH_MIGRATE] = "finish-migrate",
    [RUN_STATE_SAVE_VM] = "save-vm",
    [RUN_STATE_RESTORE_VM] = "restore-vm",
    [RUN_STATE_DEBUG] = "debug",
    [RUN_STATE_WATCHDOG] = "watchdog",
};

static const char *const reboot_names[] = {"reset", "shutdown", NULL};
static const char *const shutdown_names[] = {"poweroff", "pause", NULL};
static const char *const panic_names[] = {
    [RUN_PANIC_SHUTDOWN] = "shutdown",
    [RUN_PANIC_PAUSE] = "pause",
    [RUN_PANIC_EXIT_FAILURE] = "exit-failure",
    [RUN_PANIC_NONE] = "none",
    NULL,
};
static const char *const watchdog_names[] = {
    [RUN_WATCHDOG_RESET] = "reset",
    [RUN_WATCHDOG_SHUTDOWN] = "shutdown",
    [RUN_WATCHDOG_POWEROFF] = "poweroff",
    [RUN_WATCHDOG_PAUSE] = "pause",
    [RUN_WATCHDOG_DEBUG] = "debug",
    [RUN_WATCHDOG_NONE] = "none",
    [RUN_WATCHDOG_INJECT_NMI] = "inject-nmi",
    NULL,
};

bool run_policy_set(RunStatePolicy *policy, const char *event, const char *action,
                    GError **error)
{
    const struct {
        const char *event;
        const char *const *names;
        unsigned *field;
    } rows[] = {
        {"reboot", reboot_names, &policy->no_reboot},
        {"shutdown", shutdown_names, &policy->no_shutdown},
        {"panic", panic_names, &policy->panic},
        {"watchdog", watchdog_names, &policy->watchdog},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *choices = NULL;

        if (!g_str_equal(rows[i].event, event)) {
            continue;
        }
        for (unsigned choice = 0; rows[i].names[choice]; choice++) {
            if (g_str_equal(rows[i].names[choice], action)) {
                *rows[i].field = choice;
                return true;
            }
        }
        choices = g_strjoinv(", ", (char **)rows[i].names);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' does not accept value '%s'; it takes %s", event, action,
                    choices);
        return false;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "'%s' is no event; they are reboot, shutdown, panic and watchdog", event);
    return false;
}

void run_state_add_handler(RunEventHandler handler, void *opaque)
{
    HandlerEntry entry = {handler, opaque};

    if (!run.handlers) {
        run.handlers = g_array_new(false, false, sizeof(HandlerEntry));
    }
    g_array_append_val(run.handlers, entry);
}

static void tell(RunEvent event, SystemCause cause, const char *text)
{
    for (guint i = 0; run.handlers && i < run.handlers->len; i++) {
        HandlerEntry *entry = &g_array_index(run.handlers, HandlerEntry, i);

        entry->handler(event, cause, text, entry->opaque);
    }
}

/* -- Running and standing ---------------------------------------------------------------- */

bool run_state_running(void)
{
    return run.state == RUN_STATE_RUNNING || run.state == RUN_STATE_SUSPENDED;
}

RunState run_state(void)
{
    return run.state;
}

const char *run_state_name(void)
{
    return state_names[run.state];
}

const char *run_state_to_name(RunState state)
{
    return state_names[state];
}

bool run_state_from_name(const char *name, RunState *state)
{
    for (int i = 0; i < RUN_STATES; i++) {
        if (strcmp(state_names[i], name) == 0) {
            *state = i;
            return true;
        }
    }
    return false;
}

void run_state_set_autostart(bool autostart)
{
    run.autostart = autostart;
}

bool run_state_autostart(void)
{
    return run.autostart;
}

RunStatePolicy *run_state_policy(void)
{
    return &run.policy;
}

void run_state_set(RunState state)
{
    trace(TRACE_RUNSTATE_SET, "%s -> %s", state_names[run.state], state_names[state]);
    run.state = state;
}

void run_state_stop_as(RunState state)
{
    bool was_running = run_state_running();

    if (was_running) {
        accel_pause_all(run.machine->accel);
        clock_virtual_run(false);
    }
    run_state_set(state);
    if (was_running) {
        tell(RUN_EVENT_STOP, SYSTEM_CAUSE_NONE, NULL);
    }
}

void run_state_stop(void)
{
    if (run.state == RUN_STATE_INMIGRATE) {
        run.autostart = false;
    } else if (run_state_running()) {
        run_state_stop_as(RUN_STATE_PAUSED);
    }
}

bool run_state_cont(void)
{
    if (run_state_running()) {
        return true;
    }
    if (run.state == RUN_STATE_INMIGRATE) {
        run.autostart = true;
        return true;
    }
    if (run.state == RUN_STATE_SHUTDOWN || run.state == RUN_STATE_INTERNAL_ERROR ||
        run.state == RUN_STATE_FINISH_MIGRATE || !block_images_take(NULL)) {
        return false;
    }
    tell(RUN_EVENT_RESUMING, SYSTEM_CAUSE_NONE, NULL);
    run_state_set(RUN_STATE_RUNNING);
    clock_virtual_run(true);
    accel_resume_all(run.machine->accel);
    tell(RUN_EVENT_RESUME, SYSTEM_CAUSE_NONE, NULL);
    block_repeat_all();
    return true;
}

/* Everything into its power-on state; the vCPUs are paused. */
static void reset_devices(MachineResetKind kind)
{
    MachineClass *klass = MACHINE_GET_CLASS(run.machine);

    memory_region_transaction_begin();
    if (klass->reset) {
        klass->reset(run.machine, kind);
    }
    device_reset_all();
    memory_region_transaction_commit();
    if (klass->start) {
        klass->start(run.machine, kind);
    }
}

static void go_on_after_reset(bool running)
{
    if (run.state == RUN_STATE_SHUTDOWN || run.state == RUN_STATE_INTERNAL_ERROR) {
        run_state_set(RUN_STATE_PAUSED);
    } else if (running) {
        run_state_set(RUN_STATE_RUNNING);
        accel_resume_all(run.machine->accel);
    }
}

void run_state_reset(SystemCause cause, const char *source)
{
    bool running = run_state_running();

    trace(TRACE_SYSTEM_RESET, "%s by %s", system_cause_name(cause), source);
    accel_pause_all(run.machine->accel);
    if (cause != SYSTEM_CAUSE_NONE) {
        tell(RUN_EVENT_RESETTING, cause, source);
    }
    reset_devices(MACHINE_RESET_COLD);
    if (cause != SYSTEM_CAUSE_NONE) {
        tell(RUN_EVENT_RESET, cause, source);
    }
    go_on_after_reset(running);
}

void run_state_powerdown(void)
{
    tell(RUN_EVENT_POWERDOWN, SYSTEM_CAUSE_NONE, NULL);
}

/* -- Requests ------------------------------------------------------------------------------ */

/* Keeps the guest from executing past the access that made the request. */
static void hold_vcpus(void)
{
    accel_hold_all(run.machine->accel);
    g_main_context_wakeup(NULL);
}

static void note_reset(SystemCause cause, const char *source, void *opaque)
{
    const MachineType *type = run.machine->type;
    bool ends =
        run.policy.no_reboot ||
        (type->ends_on_reset && cause == SYSTEM_CAUSE_GUEST_RESET) ||
        (type->ends_on_triple_fault && strcmp(source, "triple-fault") == 0);

    if (ends && cause != SYSTEM_CAUSE_SUBSYSTEM_RESET) {
        if (run.shutdown_cause == SYSTEM_CAUSE_NONE) {
            run.shutdown_cause = cause;
        }
    } else if (run.reset_cause == SYSTEM_CAUSE_NONE) {
        run.reset_cause = cause;
        run.reset_source = source;
    }
    hold_vcpus();
}

static void note_shutdown(SystemCause cause, void *opaque)
{
    if (run.shutdown_cause == SYSTEM_CAUSE_NONE) {
        run.shutdown_cause = cause;
    }
    hold_vcpus();
}

static void note_suspend(void *opaque)
{
    run.suspend = true;
    hold_vcpus();
}

static void note_wakeup(void *opaque)
{
    run.wakeup = true;
    g_main_context_wakeup(NULL);
}

static void note_guest_event(SystemGuestEvent event, void *opaque)
{
    run.guest_events[event] = true;
    hold_vcpus();
}

static void note_io_error(void *opaque)
{
    run.io_error = true;
    hold_vcpus();
}

static void note_exit(int status, void *opaque)
{
    run_state_quit(status, SYSTEM_CAUSE_GUEST_SHUTDOWN);
    hold_vcpus();
}

static void note_fatal(const char *message, void *opaque)
{
    if (!run.fatal) {
        run.fatal = g_strdup(message);
    }
    hold_vcpus();
}

static const SystemHandler system_handler = {
    .reset = note_reset,
    .shutdown = note_shutdown,
    .suspend = note_suspend,
    .wakeup = note_wakeup,
    .guest_event = note_guest_event,
    .io_error = note_io_error,
    .exit = note_exit,
    .fatal = note_fatal,
};

void run_state_quit(int status, SystemCause cause)
{
    if (!run.quit) {
        run.exit_status = status;
        run.quit_cause = cause;
        run.quit = true;
    }
    g_main_context_wakeup(NULL);
}

static void carry_out_shutdown(SystemCause cause)
{
    tell(RUN_EVENT_SHUTDOWN, cause, NULL);
    if (run.policy.no_shutdown) {
        run_state_stop_as(RUN_STATE_SHUTDOWN);
    } else {
        run_state_quit(0, SYSTEM_CAUSE_NONE);
    }
}

static void carry_out_io_error(void)
{
    if (run_state_running()) {
        run_state_stop_as(RUN_STATE_IO_ERROR);
    }
}

static void carry_out_fatal(void)
{
    g_autofree char *message = g_steal_pointer(&run.fatal);

    run_state_stop_as(RUN_STATE_INTERNAL_ERROR);
    g_printerr("%s: %s\n", g_get_prgname(), message);
    tell(RUN_EVENT_FATAL, SYSTEM_CAUSE_HOST_ERROR, message);
}

/* S3: the machine waits, clocks running, for something to wake it; waking is a reset that
 * keeps RAM, and firmware finds out from CMOS and the PM registers. */
static void carry_out_suspend(void)
{
    accel_pause_all(run.machine->accel);
    run_state_set(RUN_STATE_SUSPENDED);
    tell(RUN_EVENT_SUSPEND, SYSTEM_CAUSE_NONE, NULL);
}

static void carry_out_wakeup(void)
{
    if (run.state == RUN_STATE_SUSPENDED) {
        reset_devices(MACHINE_RESET_WAKEUP);
        tell(RUN_EVENT_WAKEUP, SYSTEM_CAUSE_NONE, NULL);
        go_on_after_reset(true);
    }
}

static void carry_out_panic(void)
{
    bool pause = run.policy.panic == RUN_PANIC_PAUSE ||
                 (run.policy.panic == RUN_PANIC_SHUTDOWN && run.policy.no_shutdown);

    if (run.policy.panic == RUN_PANIC_NONE) {
        tell(RUN_EVENT_GUEST_PANICKED, SYSTEM_CAUSE_GUEST_PANIC, "run");
        return;
    }
    tell(RUN_EVENT_GUEST_PANICKED, SYSTEM_CAUSE_GUEST_PANIC, pause ? "pause" : "poweroff");
    run_state_stop_as(RUN_STATE_GUEST_PANICKED);
    if (!pause && run.policy.no_shutdown) {
        tell(RUN_EVENT_SHUTDOWN, SYSTEM_CAUSE_GUEST_PANIC, NULL);
    } else if (!pause) {
        run_state_quit(run.policy.panic == RUN_PANIC_EXIT_FAILURE,
                       SYSTEM_CAUSE_GUEST_PANIC);
    }
}

void run_state_inject_nmi(void)
{
    for (guint i = 0; i < run.machine->cpus->len; i++) {
        x86_cpu_signal(run.machine->cpus->pdata[i], X86_SIGNAL_NMI);
    }
}

static void carry_out_watchdog(void)
{
    tell(RUN_EVENT_WATCHDOG, SYSTEM_CAUSE_NONE, watchdog_names[run.policy.watchdog]);
    switch (run.policy.watchdog) {
    case RUN_WATCHDOG_RESET:
        system_reset_request(SYSTEM_CAUSE_GUEST_RESET, "watchdog");
        break;
    case RUN_WATCHDOG_SHUTDOWN:
        run_state_powerdown();
        break;
    case RUN_WATCHDOG_POWEROFF:
        run_state_quit(0, SYSTEM_CAUSE_NONE);
        break;
    case RUN_WATCHDOG_PAUSE:
        run_state_stop_as(RUN_STATE_WATCHDOG);
        break;
    case RUN_WATCHDOG_DEBUG:
        g_printerr("watchdog: timer fired\n");
        break;
    case RUN_WATCHDOG_INJECT_NMI:
        run_state_inject_nmi();
        break;
    default:
        break;
    }
}

/* The vCPUs are held since then, and go on unless something else is to happen first. */
static void carry_out_guest_events(void)
{
    bool happened[SYSTEM_GUEST_EVENTS];

    memcpy(happened, run.guest_events, sizeof(happened));
    memset(run.guest_events, 0, sizeof(run.guest_events));
    if (happened[SYSTEM_GUEST_CRASH_LOADED]) {
        tell(RUN_EVENT_GUEST_CRASHLOADED, SYSTEM_CAUSE_NONE, "run");
    }
    if (happened[SYSTEM_GUEST_PANICKED]) {
        carry_out_panic();
    }
    if (happened[SYSTEM_GUEST_WATCHDOG]) {
        carry_out_watchdog();
    }
    for (unsigned i = 0; i < SYSTEM_GUEST_EVENTS; i++) {
        if (happened[i] && run.state == RUN_STATE_RUNNING && !run.quit &&
            run.reset_cause == SYSTEM_CAUSE_NONE) {
            accel_resume_all(run.machine->accel);
            break;
        }
    }
}

static void carry_out_requests(void)
{
    SystemCause cause;

    carry_out_guest_events();

    if (run.io_error) {
        run.io_error = false;
        carry_out_io_error();
    }
    if (run.fatal) {
        carry_out_fatal();
    }
    if ((cause = run.shutdown_cause) != SYSTEM_CAUSE_NONE) {
        run.shutdown_cause = SYSTEM_CAUSE_NONE;
        carry_out_shutdown(cause);
    }
    if ((cause = run.reset_cause) != SYSTEM_CAUSE_NONE && !run.quit) {
        run.reset_cause = SYSTEM_CAUSE_NONE;
        run_state_reset(cause, run.reset_source);
    }
    if (run.suspend) {
        run.suspend = false;
        carry_out_suspend();
    }
    if (run.wakeup) {
        run.wakeup = false;
        carry_out_wakeup();
    }
}

void run_state_settle(void)
{
    carry_out_requests();
}

bool run_state_has_requests(void)
{
    bool any = run.fatal || run.io_error || run.quit || run.suspend || run.wakeup ||
               run.reset_cause != SYSTEM_CAUSE_NONE || run.shutdown_cause != SYSTEM_CAUSE_NONE;

    for (int i = 0; i < SYSTEM_GUEST_EVENTS; i++) {
        any |= run.guest_events[i];
    }
    return any;
}

/* -- The loop -------------------------------------------------------------------------------- */

/* The main thread gives the machine lock up exactly while it sleeps, so that every
 * callback of the loop runs with it held. */
static gint poll_unlocked(GPollFD *fds, guint count, gint timeout)
{
    gint ready;

    if (timeout == 0) {
        return g_poll(fds, count, 0);
    }
    io_unlock();
    ready = g_poll(fds, count, timeout);
    io_lock();
    return ready;
}

static void end_by_signal(void)
{
    tell(RUN_EVENT_SHUTDOWN, SYSTEM_CAUSE_HOST_SIGNAL, NULL);
    run_state_quit(0, SYSTEM_CAUSE_NONE);
}

void run_state_init(Machine *machine, const RunStatePolicy *policy)
{
    run.machine = machine;
    run.policy = *policy;
    run_state_set(RUN_STATE_PRELAUNCH);
    system_set_handler(&system_handler, NULL);
    g_main_context_set_poll_func(NULL, poll_unlocked);
    ending_signals_watch(end_by_signal);
}

int run_state_main_loop(void)
{
    while (!run.quit) {
        carry_out_requests();
        if (!run.quit) {
            g_main_context_iteration(NULL, true);
        }
    }
    accel_pause_all(run.machine->accel);
    if (run.quit_cause != SYSTEM_CAUSE_NONE) {
        tell(RUN_EVENT_SHUTDOWN, run.quit_cause, NULL);
    }
    return run.exit_status;
}
