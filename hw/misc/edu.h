/*
 * edu: the PCI device of QEMU's course in writing drivers (docs/specs/edu of QEMU): a
 * liveness check, a factorial, interrupts and DMA.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_MISC_EDU_H
#define HW_MISC_EDU_H

#include "hw/pci/pci.h"

GType edu_get_type(void);
#define TYPE_EDU (edu_get_type())

#endif
