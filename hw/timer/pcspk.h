/*
 * The PC speaker's port 0x61, through which counter 2 of the PIT is gated and watched.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_TIMER_PCSPK_H
#define HW_TIMER_PCSPK_H

#include "hw/timer/i8254.h"

GType pcspk_get_type(void);
#define TYPE_PCSPK (pcspk_get_type())

/* Port 0x61 on `bus`. `pit` is NULL where the accelerator has the PIT (KVM answers the
 * port itself then, and the device only shows where it is). */
Device *pcspk_new(ISABus *bus, I8254 *pit, GError **error);

#endif
