/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/isa/isa-bus.h"

BUS_DEFINE_TYPE(ISABus, isa_bus, "ISA", TYPE_BUS)
DEVICE_DEFINE_TYPE(ISADevice, isa_device, "isa-device", TYPE_DEVICE)

static void isa_bus_class_init(BusClass *klass)
{
    klass->bus_type = "ISA";
}

static void isa_device_class_init(DeviceClass *klass)
{
    klass->bus_type = "ISA";
}

ISABus *isa_bus_new(Device *owner, MemoryRegion *memory, MemoryRegion *io)
{
    ISABus *bus = ISA_BUS(bus_new(TYPE_ISA_BUS, owner, "isa.0"));

    bus->memory = memory;
    bus->io = io;
    return bus;
}

void isa_bus_connect_irqs(ISABus *bus, IRQ *irqs)
{
    bus->irqs = irqs;
}

ISABus *isa_device_bus(ISADevice *dev)
{
    return ISA_BUS(dev->parent.bus);
}

IRQ *isa_device_irq(ISADevice *dev, unsigned n)
{
    ISABus *bus = isa_device_bus(dev);

    return bus->irqs && n < ISA_IRQS ? &bus->irqs[n] : NULL;
}

void isa_register_ioport(ISADevice *dev, MemoryRegion *region, uint16_t base)
{
    memory_region_add_subregion(isa_device_bus(dev)->io, base, region);
}

void isa_unregister_ioport(ISADevice *dev, MemoryRegion *region)
{
    memory_region_del_subregion(isa_device_bus(dev)->io, region);
    memory_region_destroy(region);
}
