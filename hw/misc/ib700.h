/*
 * ib700: the watchdog of iBASE's IB700 board. A write to port 0x443 starts it with a
 * time, one to 0x441 stops it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_MISC_IB700_H
#define HW_MISC_IB700_H

#include "hw/isa/isa-bus.h"

GType ib700_get_type(void);
#define TYPE_IB700 (ib700_get_type())

#endif
