/*
 * pvpanic: a port through which a guest says that its kernel has panicked (docs/specs/
 * pvpanic of QEMU).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_MISC_PVPANIC_H
#define HW_MISC_PVPANIC_H

#include "hw/isa/isa-bus.h"

GType pvpanic_get_type(void);
#define TYPE_PVPANIC (pvpanic_get_type())

/* The port of the pvpanic device that there is, for firmware's file "etc/pvpanic-port";
 * 0: none. */
uint16_t pvpanic_port(void);

#endif
