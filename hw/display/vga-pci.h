/*
 * VGA: QEMU's "standard VGA" on PCI (1234:1111), Bochs' display adapter.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_DISPLAY_VGA_PCI_H
#define HW_DISPLAY_VGA_PCI_H

#include "hw/pci/pci.h"

GType vga_pci_get_type(void);
#define TYPE_VGA_PCI (vga_pci_get_type())

/* The same on ISA, with its linear memory at 0xe0000000. */
GType isa_vga_get_type(void);
#define TYPE_ISA_VGA (isa_vga_get_type())

#endif
