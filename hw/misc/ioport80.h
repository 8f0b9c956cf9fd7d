/*
 * Two ports of the PC's board that belong to no device: 0x80 and 0xf0.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_MISC_IOPORT80_H
#define HW_MISC_IOPORT80_H

#include "memory/region.h"

/* Shows "ioport80" in the port space: writes (POST codes, delays) do nothing. */
void ioport80_map(MemoryRegion *io);

/* Shows "ioportF0": a write is the PC/AT's clearing of FERR# (IRQ 13), told to `clear`
 * (may be NULL). */
void ioport_f0_map(MemoryRegion *io, void (*clear)(void *opaque), void *opaque);

#endif
