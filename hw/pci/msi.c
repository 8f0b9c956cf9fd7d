/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/pci/msi.h"

#include <string.h>

#include "hw/pci/pci-regs.h"

#define CAPABILITY_MSI 0x05

/* The capability, from its first byte on (section 6.8.1, with a 64-bit address). */
enum {
    MSI_ID = 0,
    MSI_NEXT = 1,
    MSI_CONTROL = 2,
    MSI_ADDRESS = 4,
    MSI_ADDRESS_UPPER = 8,
    MSI_DATA = 12,
    MSI_LENGTH = 14,
};

enum {
    CONTROL_ENABLE = 1 << 0,
    CONTROL_MESSAGES = 7 << 4, /* how many the guest allots, as a power of two */
    CONTROL_64BIT = 1 << 7,
};

void pci_msi_init(PCIDevice *dev, uint8_t offset)
{
    uint8_t *config = dev->config + offset, *writable = dev->writable + offset;

    memset(config, 0, MSI_LENGTH);
    memset(writable, 0, MSI_LENGTH);
    config[MSI_ID] = CAPABILITY_MSI;
    config[MSI_NEXT] = dev->config[PCI_CAPABILITY_LIST];
    pci_set_word(config + MSI_CONTROL, CONTROL_64BIT);
    pci_set_word(writable + MSI_CONTROL, CONTROL_ENABLE | CONTROL_MESSAGES);
    pci_set_long(writable + MSI_ADDRESS, ~UINT32_C(3));
    pci_set_long(writable + MSI_ADDRESS_UPPER, UINT32_MAX);
    pci_set_word(writable + MSI_DATA, UINT16_MAX);
    dev->config[PCI_CAPABILITY_LIST] = offset;
    pci_set_word(dev->config + PCI_STATUS,
                 pci_get_word(dev->config + PCI_STATUS) | PCI_STATUS_CAPABILITIES);
}

void pci_msi_reset(PCIDevice *dev, uint8_t offset)
{
    uint8_t *config = dev->config + offset;

    pci_set_word(config + MSI_CONTROL, CONTROL_64BIT);
    memset(config + MSI_ADDRESS, 0, MSI_LENGTH - MSI_ADDRESS);
}

bool pci_msi_enabled(const PCIDevice *dev, uint8_t offset)
{
    return pci_get_word(dev->config + offset + MSI_CONTROL) & CONTROL_ENABLE;
}

void pci_msi_notify(PCIDevice *dev, uint8_t offset)
{
    const uint8_t *config = dev->config + offset;
    hwaddr address = pci_get_long(config + MSI_ADDRESS) |
                     (hwaddr)pci_get_long(config + MSI_ADDRESS_UPPER) << 32;
    uint32_t data = GUINT32_TO_LE(pci_get_word(config + MSI_DATA));

    if (pci_msi_enabled(dev, offset)) {
        pci_dma_write(dev, address, &data, sizeof(data));
    }
}
