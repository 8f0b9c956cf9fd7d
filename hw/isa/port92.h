/*
 * Port 92: system control port A of the PS/2: fast A20 and fast reset.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_ISA_PORT92_H
#define HW_ISA_PORT92_H

#include "hw/isa/isa-bus.h"

/* The type "port92"; its output pin is "a20" (named group, one pin). */
GType port92_get_type(void);
#define TYPE_PORT92 (port92_get_type())

#endif
