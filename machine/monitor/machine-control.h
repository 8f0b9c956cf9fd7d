/*
 * What HMP and QMP both do to the machine, where it can fail.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_MACHINE_CONTROL_H
#define MACHINE_MONITOR_MACHINE_CONTROL_H

#include "hw/core/bus.h"

/* Machine lock for all of these. */
bool machine_control_cont(GError **error);
bool machine_control_wakeup(GError **error);

/* device_add and device_del while the machine is built: only buses that can take a device
 * at run time. `text` as -device takes it. A device goes when the guest lets it go. */
bool machine_control_device_add(const char *text, GError **error);
bool machine_control_device_del(const char *id, GError **error);

/* The host's thread that executes the CPU, or this one where there is none. */
int machine_control_thread_id(unsigned cpu_index);

#endif
