/*
 * Message signalled interrupts: a device's interrupt as a write to memory (PCI Local Bus
 * 3.0, section 6.8.1). One message, a 64-bit address, no masks.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_PCI_MSI_H
#define HW_PCI_MSI_H

#include "hw/pci/pci.h"

/* Gives the device the capability, at `offset` of its configuration space (0x40 or more,
 * a multiple of 4), as the first of its list. After pci_device_realize(). */
void pci_msi_init(PCIDevice *dev, uint8_t offset);

/* To be called by the device's reset. */
void pci_msi_reset(PCIDevice *dev, uint8_t offset);

/* Whether the guest has turned messages on; interrupt pins are then not to be used. */
bool pci_msi_enabled(const PCIDevice *dev, uint8_t offset);

/* Sends the message, as the device's bus master. Nothing where messages are off. */
void pci_msi_notify(PCIDevice *dev, uint8_t offset);

#endif
