/*
 * isa-parallel: a PC printer port.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CHAR_PARALLEL_H
#define HW_CHAR_PARALLEL_H

#include "hw/char/chardev.h"
#include "hw/isa/isa-bus.h"

GType isa_parallel_get_type(void);
#define TYPE_ISA_PARALLEL (isa_parallel_get_type())

/* LPT1..LPT3 are index 0..2, at QEMU's ports (0x378, 0x278, 0x3bc) and IRQ 7. */
Device *isa_parallel_new(ISABus *bus, unsigned index, Chardev *chardev, GError **error);

#endif
