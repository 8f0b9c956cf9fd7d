/*
 * What a device asks of the machine around it: reset, power off, sleep, stop.
 *
 * A request is noted and carried out by the run loop after the access that made it; the
 * first cause of a kind is kept. Machine lock, except where said.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_SYSTEM_H
#define HW_CORE_SYSTEM_H

#include <stdbool.h>

/* QMP's ShutdownCause, by its names on the wire. */
typedef enum SystemCause {
    SYSTEM_CAUSE_NONE,
    SYSTEM_CAUSE_HOST_ERROR,
    SYSTEM_CAUSE_HOST_QMP_QUIT,
    SYSTEM_CAUSE_HOST_QMP_SYSTEM_RESET,
    SYSTEM_CAUSE_HOST_SIGNAL,
    SYSTEM_CAUSE_HOST_UI,
    SYSTEM_CAUSE_GUEST_SHUTDOWN,
    SYSTEM_CAUSE_GUEST_RESET,
    SYSTEM_CAUSE_GUEST_PANIC,
    SYSTEM_CAUSE_SUBSYSTEM_RESET,
    SYSTEM_CAUSES
} SystemCause;

const char *system_cause_name(SystemCause cause); /* "guest-reset" ... */

/* `source` says which wire asked ("i8042", "piix3-reset-control", "port92",
 * "triple-fault", "monitor"), for traces and for `umbra reboot`; a string constant. */
void system_reset_request(SystemCause cause, const char *source);
void system_shutdown_request(SystemCause cause);
void system_suspend_request(void); /* S3 */
void system_wakeup_request(void);

/* What happened in the guest; the user's -action says what follows. */
typedef enum SystemGuestEvent {
    SYSTEM_GUEST_PANICKED,     /* its kernel gave up */
    SYSTEM_GUEST_CRASH_LOADED, /* it did, and deals with that itself */
    SYSTEM_GUEST_WATCHDOG,     /* nobody has served the watchdog */
    SYSTEM_GUEST_EVENTS
} SystemGuestEvent;
void system_guest_event(SystemGuestEvent event);
/* A disk of the host's has failed, and the user is to see to it before the guest goes on. */
void system_io_error_request(void);
void system_exit_request(int status); /* isa-debug-exit: leave the process */

/* The machine cannot go on: stops it with one message for the user (printf style). */
void system_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The A20 gate: the wired-or of i8042's and port 92's outputs. */
typedef void (*SystemA20Handler)(bool enabled, void *opaque);

/* The one who carries requests out: set once by the machine. Called with the machine lock
 * held, from the thread that asked; must only note and wake. */
typedef struct SystemHandler {
    void (*reset)(SystemCause cause, const char *source, void *opaque);
    void (*shutdown)(SystemCause cause, void *opaque);
    void (*suspend)(void *opaque);
    void (*wakeup)(void *opaque);
    void (*guest_event)(SystemGuestEvent event, void *opaque);
    void (*io_error)(void *opaque);
    void (*exit)(int status, void *opaque);
    void (*fatal)(const char *message, void *opaque);
} SystemHandler;

void system_set_handler(const SystemHandler *handler, void *opaque);

#endif
