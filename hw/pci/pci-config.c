/*
 * Configuration space: who may read and write which bit (PCI Local Bus 2.1, section 6).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/trace.h"
#include "hw/pci/pci-internal.h"
#include "hw/pci/pci-regs.h"

/* What QEMU's devices say of themselves where their maker says nothing else. */
#define DEFAULT_SUBSYSTEM_VENDOR_ID 0x1af4
#define DEFAULT_SUBSYSTEM_ID 0x1100

#define COMMAND_WRITABLE                                                                 \
    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SERR |       \
     PCI_COMMAND_INTX_DISABLE)

void pci_config_init(PCIDevice *dev)
{
    PCIDeviceClass *klass = PCI_DEVICE_GET_CLASS(dev);
    bool subsystem = klass->subsystem_vendor_id || klass->subsystem_id;
    uint8_t *config = dev->config;

    pci_set_word(config + PCI_VENDOR_ID, klass->vendor_id);
    pci_set_word(config + PCI_DEVICE_ID, klass->device_id);
    pci_set_byte(config + PCI_REVISION_ID, klass->revision);
    pci_set_byte(config + PCI_PROG_IF, klass->prog_if);
    pci_set_word(config + PCI_CLASS_DEVICE, klass->class_id);
    pci_set_byte(config + PCI_HEADER_TYPE,
                 dev->multifunction ? PCI_HEADER_MULTIFUNCTION : 0);
    pci_set_word(config + PCI_SUBSYSTEM_VENDOR_ID,
                 subsystem ? klass->subsystem_vendor_id : DEFAULT_SUBSYSTEM_VENDOR_ID);
    pci_set_word(config + PCI_SUBSYSTEM_ID,
                 subsystem ? klass->subsystem_id : DEFAULT_SUBSYSTEM_ID);

    pci_set_word(dev->writable + PCI_COMMAND, COMMAND_WRITABLE);
    pci_set_byte(dev->writable + PCI_CACHE_LINE_SIZE, 0xff);
    pci_set_byte(dev->writable + PCI_INTERRUPT_LINE, 0xff);
    memset(dev->writable + PCI_HEADER_SIZE, 0xff, PCI_CONFIG_SIZE - PCI_HEADER_SIZE);
    pci_set_word(dev->write1_clear + PCI_STATUS, PCI_STATUS_ERRORS);
}

void pci_config_reset(PCIDevice *dev)
{
    static const uint8_t cleared[] = {PCI_COMMAND,         PCI_COMMAND + 1,
                                      PCI_STATUS,          PCI_STATUS + 1,
                                      PCI_CACHE_LINE_SIZE, PCI_INTERRUPT_LINE};

    for (unsigned i = 0; i < G_N_ELEMENTS(cleared); i++) {
        unsigned at = cleared[i];

        dev->config[at] &= ~(dev->writable[at] | dev->write1_clear[at]);
    }
    for (unsigned n = 0; n < PCI_BARS; n++) {
        const PCIBar *bar = &dev->bars[n];

        if (!bar->region) {
            continue;
        }
        pci_set_long(dev->config + pci_bar_register(n), bar->type);
        if (bar->type & PCI_BAR_MEMORY_64 && n != PCI_ROM_BAR) {
            pci_set_long(dev->config + pci_bar_register(n) + 4, 0);
        }
    }
    pci_update_mappings(dev);
}

uint32_t pci_default_config_read(PCIDevice *dev, unsigned address, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size && address + i < PCI_CONFIG_SIZE; i++) {
        value |= (uint32_t)dev->config[address + i] << (8 * i);
    }
    return value;
}

void pci_default_config_write(PCIDevice *dev, unsigned address, uint32_t value,
                              unsigned size)
{
    bool was_disabled =
        pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
    bool disabled;

    for (unsigned i = 0; i < size && address + i < PCI_CONFIG_SIZE; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        uint8_t writable = dev->writable[address + i];
        uint8_t *config = &dev->config[address + i];

        *config = (*config & ~writable) | (byte & writable);
        *config &= ~(byte & dev->write1_clear[address + i]);
    }
    if (pci_access_touches(address, size, PCI_COMMAND, PCI_COMMAND + 1) ||
        pci_access_touches(address, size, PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_0 + 23) ||
        pci_access_touches(address, size, PCI_ROM_ADDRESS, PCI_ROM_ADDRESS + 3)) {
        pci_update_mappings(dev);
    }
    disabled = pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
    if (disabled != was_disabled) {
        pci_irq_disable_changed(dev, disabled);
    }
}

/* Address: bus number in bits 23-16, device and function in 15-8, register in 7-0. Only
 * bus 0 is there; nobody answers elsewhere, and the host bridge completes the cycle
 * itself (section 3.7.4.1: reads give all ones, writes are dropped). */
static PCIDevice *addressed_device(PCIBus *bus, uint32_t address)
{
    return address >> 16 & 0xff ? NULL : bus->devices[address >> 8 & 0xff];
}

uint32_t pci_bus_config_read(PCIBus *bus, uint32_t address, unsigned size)
{
    PCIDevice *dev = addressed_device(bus, address);
    unsigned reg = address & 0xff;
    uint32_t value;

    if (!dev) {
        return UINT32_MAX >> (32 - 8 * size);
    }
    value = PCI_DEVICE_GET_CLASS(dev)->config_read(dev, reg,
                                                   MIN(size, PCI_CONFIG_SIZE - reg));
    trace(TRACE_PCI_CONFIG_READ, "%s %02u:%u @0x%x -> 0x%x", G_OBJECT_TYPE_NAME(dev),
          PCI_SLOT(dev->devfn), PCI_FUNCTION(dev->devfn), reg, value);
    return value;
}

void pci_bus_config_write(PCIBus *bus, uint32_t address, uint32_t value, unsigned size)
{
    PCIDevice *dev = addressed_device(bus, address);
    unsigned reg = address & 0xff;

    if (dev) {
        trace(TRACE_PCI_CONFIG_WRITE, "%s %02u:%u @0x%x <- 0x%x", G_OBJECT_TYPE_NAME(dev),
              PCI_SLOT(dev->devfn), PCI_FUNCTION(dev->devfn), reg, value);
        PCI_DEVICE_GET_CLASS(dev)->config_write(dev, reg, value,
                                                MIN(size, PCI_CONFIG_SIZE - reg));
    }
}
