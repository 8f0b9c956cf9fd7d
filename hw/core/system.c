/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/system.h"

#include <glib.h>
#include <stdarg.h>

static const SystemHandler *system_handler;
static void *system_opaque;

const char *system_cause_name(SystemCause cause)
{
    static const char *const names[SYSTEM_CAUSES] = {
        [SYSTEM_CAUSE_NONE] = "none",
        [SYSTEM_CAUSE_HOST_ERROR] = "host-error",
        [SYSTEM_CAUSE_HOST_QMP_QUIT] = "host-qmp-quit",
        [SYSTEM_CAUSE_HOST_QMP_SYSTEM_RESET] = "host-qmp-system-reset",
        [SYSTEM_CAUSE_HOST_SIGNAL] = "host-signal",
        [SYSTEM_CAUSE_HOST_UI] = "host-ui",
        [SYSTEM_CAUSE_GUEST_SHUTDOWN] = "guest-shutdown",
        [SYSTEM_CAUSE_GUEST_RESET] = "guest-reset",
        [SYSTEM_CAUSE_GUEST_PANIC] = "guest-panic",
        [SYSTEM_CAUSE_SUBSYSTEM_RESET] = "subsystem-reset",
    };

    return names[cause];
}

void system_set_handler(const SystemHandler *handler, void *opaque)
{
    system_handler = handler;
    system_opaque = opaque;
}

void system_reset_request(SystemCause cause, const char *source)
{
    if (system_handler && system_handler->reset) {
        system_handler->reset(cause, source, system_opaque);
    }
}

void system_shutdown_request(SystemCause cause)
{
    if (system_handler && system_handler->shutdown) {
        system_handler->shutdown(cause, system_opaque);
    }
}

void system_suspend_request(void)
{
    if (system_handler && system_handler->suspend) {
        system_handler->suspend(system_opaque);
    }
}

void system_wakeup_request(void)
{
    if (system_handler && system_handler->wakeup) {
        system_handler->wakeup(system_opaque);
    }
}

void system_guest_event(SystemGuestEvent event)
{
    if (system_handler && system_handler->guest_event) {
        system_handler->guest_event(event, system_opaque);
    }
}

void system_io_error_request(void)
{
    if (system_handler && system_handler->io_error) {
        system_handler->io_error(system_opaque);
    }
}

void system_exit_request(int status)
{
    if (system_handler && system_handler->exit) {
        system_handler->exit(status, system_opaque);
    }
}

void system_fatal(const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (system_handler && system_handler->fatal) {
        system_handler->fatal(message, system_opaque);
    } else {
        g_printerr("%s\n", message);
    }
}
