/*
 * What the files of the PCI core share with one another only.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_PCI_PCI_INTERNAL_H
#define HW_PCI_PCI_INTERNAL_H

#include "hw/pci/pci.h"

/* COMMAND's interrupt disable bit has a new value. */
void pci_irq_disable_changed(PCIDevice *dev, bool disabled);

/* Fills the header in from the class, and what of the space the guest can write. */
void pci_config_init(PCIDevice *dev);

/* Puts what PCI defines into its state after RST#. */
void pci_config_reset(PCIDevice *dev);

/* Maps, moves and unmaps BARs, and opens or closes the way to memory, as the
 * space says. */
void pci_update_mappings(PCIDevice *dev);

/* From now on explanations of addresses name the BARs that put regions there. */
void pci_explain_init(void);

/* Loads the expansion ROM and gives it the ROM BAR. True where the device has none. */
bool pci_rom_init(PCIDevice *dev, GError **error);
void pci_rom_destroy(PCIDevice *dev);

#endif
