/*
 * PCI's part of migration streams.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_PCI_PCI_VMSTATE_H
#define HW_PCI_PCI_VMSTATE_H

#include "hw/core/vmstate.h"
#include "hw/pci/pci.h"

/* Configuration space and interrupt pins. Loading maps the BARs; registers beyond the
 * header are the device's own post_load's. */
extern const VMStateDescription vmstate_pci_device;

/* In a device's table; `name` is what QEMU calls the member. */
#define VMSTATE_PCI_DEVICE(member, Struct, name)                                         \
    VMSTATE_STRUCT_AS(member, Struct, name, 0, vmstate_pci_device, PCIDevice)

extern const VMStateDescription vmstate_pci_bus;

#endif
