/*
 * device_add: makes a device from text, for -device, HMP and QMP.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_DEVICE_ADD_H
#define MACHINE_DEVICE_ADD_H

#include "hw/core/device.h"

/* "DRIVER,id=ID,bus=BUS,property=value...". The device goes on the bus named, or the
 * first of its kind. NULL and *error: unknown driver, property or bus, an id in use, a
 * place taken. Machine lock. */
Device *device_add_from_text(const char *text, GError **error);

/* `-device help` and `-device DRIVER,help`: true when `text` asked for help, which is then
 * appended to `out`. */
bool device_add_help(const char *text, GString *out);

#endif
