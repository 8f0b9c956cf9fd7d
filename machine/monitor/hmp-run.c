/*
 * HMP: running, stopping and resetting the machine.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/descriptors.h"
#include "machine/gdb/stub.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/machine-control.h"
#include "machine/monitor/monitor.h"
#include "machine/run-state.h"

static void run_status(Hmp *hmp, const HmpArgs *args)
{
    bool running = run_state_running();

    hmp_printf(hmp, "VM status: %s", running ? "running" : "paused");
    if (!running && run_state() != RUN_STATE_PAUSED) {
        hmp_printf(hmp, " (%s)", run_state_name());
    }
    hmp_printf(hmp, "\n");
}

static void run_stop(Hmp *hmp, const HmpArgs *args)
{
    run_state_stop();
}

static void run_cont(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!machine_control_cont(&error)) {
        hmp_report(hmp, error);
    }
}

static void run_quit(Hmp *hmp, const HmpArgs *args)
{
    hmp->ended = true;
    run_state_quit(0, SYSTEM_CAUSE_HOST_QMP_QUIT);
}

static void run_system_reset(Hmp *hmp, const HmpArgs *args)
{
    system_reset_request(SYSTEM_CAUSE_HOST_QMP_SYSTEM_RESET, "monitor");
}

static void run_system_powerdown(Hmp *hmp, const HmpArgs *args)
{
    run_state_powerdown();
}

static void run_system_wakeup(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!machine_control_wakeup(&error)) {
        hmp_report(hmp, error);
    }
}

static void run_gdbserver(Hmp *hmp, const HmpArgs *args)
{
    const char *device = hmp_arg_text(args, "device");
    GError *error = NULL;

    device = device ? device : "tcp::1234";
    if (!gdb_stub_start(device, &error)) {
        hmp_report(hmp, error);
    } else if (g_str_equal(device, "none")) {
        hmp_printf(hmp, "Disabled gdbserver\n");
    } else {
        hmp_printf(hmp, "Waiting for gdb connection on device '%s'\n", device);
    }
}

static void run_watchdog_action(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!run_policy_set(run_state_policy(), "watchdog", hmp_arg_text(args, "action"),
                        &error)) {
        hmp_report(hmp, error);
    }
}

static void run_nmi(Hmp *hmp, const HmpArgs *args)
{
    run_state_inject_nmi();
}

static void run_getfd(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;
    int fd = monitor_take_fd(&error);

    if (fd < 0 || !descriptor_name(hmp_arg_text(args, "name"), fd, &error)) {
        hmp_report(hmp, error);
    }
}

static void run_closefd(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!descriptor_close(hmp_arg_text(args, "name"), &error)) {
        hmp_report(hmp, error);
    }
}

const HmpCommand hmp_run_commands[] = {
    {"getfd", "name:s", "getfdname",
     "receive a file descriptor via SCM rights and assign it a name", run_getfd},
    {"closefd", "name:s", "closefdname",
     "close a file descriptor previously passed via SCM rights", run_closefd},
    {"info status", "", "", "show the current VM status (running|paused)", run_status},
    {"nmi", "", "", "inject an NMI", run_nmi},
    {"watchdog_action", "action:s", "[reset|shutdown|poweroff|pause|debug|none|inject-nmi]",
     "change watchdog action", run_watchdog_action},
    {"gdbserver", "device:s?", "[device]",
     "start gdbserver on given device (default 'tcp::1234'), stop with 'none'",
     run_gdbserver},
    {"stop|s", "", "", "stop emulation", run_stop},
    {"cont|c", "", "", "resume emulation", run_cont},
    {"quit|q", "", "", "quit the emulator", run_quit},
    {"system_reset", "", "", "reset the system", run_system_reset},
    {"system_powerdown", "", "", "send system power down event", run_system_powerdown},
    {"system_wakeup", "", "", "wakeup guest from suspend", run_system_wakeup},
    {NULL},
};
