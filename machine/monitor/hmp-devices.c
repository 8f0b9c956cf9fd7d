/*
 * HMP: devices, keys, and the CPU that commands are about.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/input/keys.h"
#include "machine/device-add.h"
#include "machine/machine.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/machine-control.h"

static void run_sendkey(Hmp *hmp, const HmpArgs *args)
{
    g_autoptr(GError) error = NULL;

    if (!input_send_key_combination(hmp_arg_text(args, "keys"),
                                    (int)MIN(hmp_arg_number(args, "hold-time"), G_MAXINT),
                                    &error)) {
        hmp_printf(hmp, "%s\n", error->message);
    }
}

static void run_device_add(Hmp *hmp, const HmpArgs *args)
{
    const char *text = hmp_arg_text(args, "device");
    GError *error = NULL;

    if (!device_add_help(text ? text : "", hmp->out) &&
        !machine_control_device_add(text ? text : "", &error)) {
        hmp_report(hmp, error);
    }
}

static void run_device_del(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!machine_control_device_del(hmp_arg_text(args, "id"), &error)) {
        hmp_report(hmp, error);
    }
}

static void run_cpu(Hmp *hmp, const HmpArgs *args)
{
    uint64_t index = hmp_arg_number(args, "index");

    if (index < machine_current()->cpus->len) {
        hmp->cpu_index = (unsigned)index;
    } else {
        hmp_printf(hmp, "invalid CPU index\n");
    }
}

const HmpCommand hmp_device_commands[] = {
    {"sendkey", "keys:s,hold-time:i?", "keys [hold_ms]",
     "send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)",
     run_sendkey},
    {"device_add", "device:s?", "driver[,prop=value][,...]",
     "add device, like -device on the command line", run_device_add},
    {"device_del", "id:s", "device", "remove device", run_device_del},
    {"cpu", "index:i", "index", "set the default CPU", run_cpu},
    {NULL},
};
