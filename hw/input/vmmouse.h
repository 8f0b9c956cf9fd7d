/*
 * vmmouse: VMware's mouse behind the backdoor port, which tells places on the screen
 * (open-vm-tools' and X's vmmouse driver, vmmouse_defs.h, name its commands and packets).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INPUT_VMMOUSE_H
#define HW_INPUT_VMMOUSE_H

#include "hw/i386/vmport.h"

GType vmmouse_get_type(void);
#define TYPE_VMMOUSE (vmmouse_get_type())

/* Puts its commands behind the port. A PS/2 mouse must be there: its interrupts say that
 * there are packets. */
Device *vmmouse_new(ISABus *bus, VMPort *vmport, GError **error);

#endif
