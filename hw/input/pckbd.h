/*
 * The 8042 keyboard controller, with a PS/2 keyboard and a PS/2 mouse plugged in.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INPUT_PCKBD_H
#define HW_INPUT_PCKBD_H

#include "hw/isa/isa-bus.h"

GType i8042_get_type(void);
#define TYPE_I8042 (i8042_get_type())

/* The controller at 0x60 and 0x64 on `bus` with the bus's IRQs 1 and 12; `a20` (may be
 * NULL) is its gate output, also the pin "a20". */
Device *i8042_new(ISABus *bus, IRQ *a20, GError **error);

#endif
