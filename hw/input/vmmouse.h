/*
 * VMware's absolute mouse, as far as migration streams have it: a PC of QEMU's has one
 * beside the VMware port, and its state goes from machine to machine. No guest finds it
 * here, because vmport answers none of its commands.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INPUT_VMMOUSE_H
#define HW_INPUT_VMMOUSE_H

#include "hw/isa/isa-bus.h"

GType vmmouse_get_type(void);
#define TYPE_VMMOUSE (vmmouse_get_type())

#endif
