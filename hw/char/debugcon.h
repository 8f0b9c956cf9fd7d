/*
 * isa-debugcon: a port that prints, as Bochs' 0xe9 does.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CHAR_DEBUGCON_H
#define HW_CHAR_DEBUGCON_H

#include "hw/char/chardev.h"
#include "hw/isa/isa-bus.h"

GType isa_debugcon_get_type(void);
#define TYPE_ISA_DEBUGCON (isa_debugcon_get_type())

/* -debugcon: at its default port 0xe9 or where -global isa-debugcon.iobase says. */
Device *isa_debugcon_new(ISABus *bus, Chardev *chardev, GError **error);

#endif
