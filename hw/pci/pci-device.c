/*
 * A PCI device: its life, its base address registers (PCI Local Bus 2.1, section 6.2.5)
 * and its way to memory as a bus master.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/pci/pci-internal.h"
#include "hw/pci/pci-regs.h"
#include "memory/access.h"

/* -- Base address registers ---------------------------------------------------------- */

void pci_register_bar(PCIDevice *dev, unsigned n, uint8_t type, MemoryRegion *region)
{
    uint64_t size = memory_region_size(region);
    unsigned at = pci_bar_register(n);
    bool wide = type & PCI_BAR_MEMORY_64 && !(type & PCI_BAR_IO);
    uint64_t mask = ~(size - 1);

    g_return_if_fail(n < PCI_BARS && !dev->bars[n].region);
    g_return_if_fail(size && !(size & (size - 1)));
    if (n == PCI_ROM_BAR) {
        mask |= PCI_ROM_ENABLE;
    }
    dev->bars[n] = (PCIBar){region, type, size, PCI_BAR_UNMAPPED};
    pci_set_long(dev->config + at, type);
    pci_set_long(dev->writable + at, (uint32_t)mask);
    if (wide) {
        pci_set_long(dev->writable + at + 4, (uint32_t)(mask >> 32));
    }
}

/* Where the guest wants BAR n now. Address 0 and a range that reaches the top of what the
 * register can hold (which is what sizing writes) mean: nowhere. */
static uint64_t wanted_address(const PCIDevice *dev, unsigned n)
{
    const PCIBar *bar = &dev->bars[n];
    const uint8_t *reg = dev->config + pci_bar_register(n);
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);
    uint16_t enable = bar->type & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    uint64_t address = pci_get_long(reg), last, limit = UINT32_MAX;

    if (!(command & enable) || (n == PCI_ROM_BAR && !(address & PCI_ROM_ENABLE))) {
        return PCI_BAR_UNMAPPED;
    }
    if (!(bar->type & PCI_BAR_IO) && bar->type & PCI_BAR_MEMORY_64) {
        address |= (uint64_t)pci_get_long(reg + 4) << 32;
        limit = UINT64_MAX;
    }
    address &= ~(bar->size - 1);
    last = address + bar->size - 1;
    return address == 0 || last <= address || last >= limit ? PCI_BAR_UNMAPPED : address;
}

static void unmap_bar(PCIBar *bar)
{
    if (bar->region && bar->address != PCI_BAR_UNMAPPED) {
        memory_region_del_subregion(bar->region->container, bar->region);
    }
    bar->address = PCI_BAR_UNMAPPED;
}

/* BARs show above what the board itself has put into the window. */
#define PCI_BAR_PRIORITY 1

void pci_update_mappings(PCIDevice *dev)
{
    PCIBus *bus = pci_device_bus(dev);

    memory_region_transaction_begin();
    for (unsigned n = 0; n < PCI_BARS; n++) {
        PCIBar *bar = &dev->bars[n];
        uint64_t address;

        if (!bar->region || (address = wanted_address(dev, n)) == bar->address) {
            continue;
        }
        unmap_bar(bar);
        if (address != PCI_BAR_UNMAPPED) {
            bar->address = address;
            memory_region_add_subregion_overlap(bar->type & PCI_BAR_IO ? bus->io
                                                                       : bus->memory,
                                                address, bar->region, PCI_BAR_PRIORITY);
        }
    }
    memory_region_set_enabled(&dev->bus_master_enable,
                              pci_get_word(dev->config + PCI_COMMAND) &
                                  PCI_COMMAND_MASTER);
    memory_region_transaction_commit();
}

/* -- Bus mastering ------------------------------------------------------------------- */

static void init_bus_master(PCIDevice *dev)
{
    MemoryRegion *system = pci_device_bus(dev)->system_memory;

    memory_region_init(&dev->bus_master_container, G_OBJECT(dev), "bus master container",
                       UINT64_MAX);
    memory_region_init_alias(&dev->bus_master_enable, G_OBJECT(dev), "bus master", system,
                             0, memory_region_size(system));
    memory_region_set_enabled(&dev->bus_master_enable, false);
    memory_region_add_subregion(&dev->bus_master_container, 0, &dev->bus_master_enable);
    address_space_init(&dev->bus_master_as, &dev->bus_master_container,
                       G_OBJECT_TYPE_NAME(dev));
}

static MemTxAttrs requester(const PCIDevice *dev)
{
    return (MemTxAttrs){.requester_id = dev->devfn};
}

uint32_t pci_dma_read(PCIDevice *dev, hwaddr addr, void *buffer, hwaddr length)
{
    return address_space_read(&dev->bus_master_as, addr, requester(dev), buffer, length);
}

uint32_t pci_dma_write(PCIDevice *dev, hwaddr addr, const void *buffer, hwaddr length)
{
    return address_space_write(&dev->bus_master_as, addr, requester(dev), buffer, length);
}

/* -- Life ---------------------------------------------------------------------------- */

bool pci_device_realize(Device *parent, GError **error)
{
    PCIDevice *dev = PCI_DEVICE(parent);

    pci_config_init(dev);
    init_bus_master(dev);
    return pci_rom_init(dev, error);
}

void pci_device_unrealize(Device *parent)
{
    PCIDevice *dev = PCI_DEVICE(parent);

    if (!dev->bus_master_as.root) {
        return;
    }
    if (parent->bus) {
        pci_set_irq(dev, 0);
    }
    memory_region_transaction_begin();
    for (unsigned n = 0; n < PCI_BARS; n++) {
        unmap_bar(&dev->bars[n]);
    }
    memory_region_transaction_commit();
    pci_rom_destroy(dev);
    address_space_destroy(&dev->bus_master_as);
    memory_region_del_subregion(&dev->bus_master_container, &dev->bus_master_enable);
    memory_region_destroy(&dev->bus_master_enable);
    memory_region_destroy(&dev->bus_master_container);
    dev->bus_master_as.root = NULL;
}

void pci_device_reset(Device *parent)
{
    PCIDevice *dev = PCI_DEVICE(parent);

    pci_set_irq(dev, 0);
    pci_config_reset(dev);
}

static void pci_device_init(GTypeInstance *instance, gpointer klass)
{
    PCIDevice *dev = PCI_DEVICE(instance);

    for (unsigned n = 0; n < PCI_BARS; n++) {
        dev->bars[n].address = PCI_BAR_UNMAPPED;
    }
}

static void pci_device_finalize(GObject *object)
{
    pci_device_unrealize(DEVICE(object)); /* of a device whose realize failed half-way */
    G_OBJECT_CLASS(g_type_class_peek(TYPE_DEVICE))->finalize(object);
}

#define CLASS_VGA 0x0300

bool pci_class_is_hotpluggable(const PCIDeviceClass *klass)
{
    return klass->class_id != CLASS_VGA;
}

static const Property pci_device_properties[] = {
    PROP_STRING("addr", PCIDevice, addr, "",
                "slot and function, hexadecimal: 3 or 3.1; empty: its usual or the first "
                "free slot"),
    PROP_BOOL("multifunction", PCIDevice, multifunction, false,
              "function 0 has other functions beside it"),
    PROP_STRING("romfile", PCIDevice, romfile, NULL,
                "the expansion ROM's image; empty: none"),
    PROP_BOOL("rombar", PCIDevice, rombar, true, "the expansion ROM is in the ROM BAR"),
    PROP_END,
};

static void pci_device_class_init(PCIDeviceClass *klass, gpointer data)
{
    DeviceClass *device = DEVICE_CLASS(klass);

    device->parent.finalize = pci_device_finalize;
    device->bus_type = "PCI";
    device->realize = pci_device_realize;
    device->unrealize = pci_device_unrealize;
    device->reset = pci_device_reset;
    klass->config_read = pci_default_config_read;
    klass->config_write = pci_default_config_write;
    property_install_table(G_OBJECT_CLASS(klass), pci_device_properties);
}

GType pci_device_get_type(void)
{
    static GType type;

    if (g_once_init_enter(&type)) {
        g_once_init_leave(&type,
                          g_type_register_static_simple(
                              TYPE_DEVICE, g_intern_static_string("pci-device"),
                              sizeof(PCIDeviceClass),
                              (GClassInitFunc)(void *)pci_device_class_init,
                              sizeof(PCIDevice), pci_device_init, G_TYPE_FLAG_ABSTRACT));
    }
    return type;
}
