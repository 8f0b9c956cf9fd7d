/*
 * isa-fdc: the PC's floppy disk controller, an 82078.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_BLOCK_FDC_H
#define HW_BLOCK_FDC_H

#include "hw/block/floppy-drive.h"
#include "hw/isa/isa-bus.h"

#define FDC_DRIVES 2 /* more than two are not on a PC's cable */

GType isa_fdc_get_type(void);
#define TYPE_ISA_FDC (isa_fdc_get_type())

/* A drive on the controller's cable: -device floppy. */
GType floppy_get_type(void);
#define TYPE_FLOPPY (floppy_get_type())

/* A controller at 0x3f0 with the drives of -drive if=floppy. The bus's DMA controllers
 * come first. */
Device *isa_fdc_new(ISABus *bus, GError **error);

/* CMOS byte 0x10: drive A in the upper half, B in the lower. */
uint8_t isa_fdc_cmos_types(Device *fdc);

#endif
