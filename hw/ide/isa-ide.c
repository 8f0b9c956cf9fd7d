/*
 * A lone IDE channel on the ISA bus, as an AT's adapter card has it: PIO only.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>

#include "hw/ide/ide-vmstate.h"
#include "hw/isa/isa-bus.h"

typedef struct ISAIDE {
    ISADevice parent;
    uint32_t iobase, iobase2, irq;
    IDEBus *bus;
} ISAIDE;

#define ISA_IDE(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_ISA_IDE, ISAIDE))

static const VMStateDescription vmstate_isa_ide;

static bool isa_ide_realize(Device *dev, GError **error)
{
    ISAIDE *isa_ide = ISA_IDE(dev);
    MemoryRegion *io = isa_device_bus(&isa_ide->parent)->io;

    if (isa_ide->irq >= ISA_IRQS || isa_ide->iobase > UINT16_MAX ||
        isa_ide->iobase2 > UINT16_MAX) {
        g_set_error_literal(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "isa-ide needs ports iobase and iobase2 below 0x10000 and an irq "
            "below 16");
        return false;
    }
    isa_ide->bus = ide_bus_new(dev);
    isa_ide->bus->irq = isa_device_irq(&isa_ide->parent, isa_ide->irq);
    ide_bus_map_ports(isa_ide->bus, G_OBJECT(dev), io, (uint16_t)isa_ide->iobase,
                      (uint16_t)isa_ide->iobase2);
    /* QEMU gives all of them the number 0. */
    vmstate_register(dev, 0, &vmstate_isa_ide, dev);
    return true;
}

static void isa_ide_reset(Device *dev)
{
    ide_bus_reset(ISA_IDE(dev)->bus);
}

/* -- Its state in a stream ----------------------------------------------------------- */

typedef struct WireISAIDE {
    IDEBus *bus;
    IDEPlace places[2];
} WireISAIDE;

static void isa_ide_to_wire(void *opaque, void *data)
{
    ISAIDE *isa_ide = opaque;

    *(WireISAIDE *)data = (WireISAIDE){
        .bus = isa_ide->bus,
        .places = {{isa_ide->bus, 0}, {isa_ide->bus, 1}},
    };
}

static bool isa_ide_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    return true; /* the channel and the drives have taken theirs */
}

static const VMStateDescription vmstate_isa_ide = {
    .name = "isa-ide",
    .version_id = 3,
    .minimum_version_id = 0,
    .wire_size = sizeof(WireISAIDE),
    .to_wire = isa_ide_to_wire,
    .from_wire = isa_ide_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_ROW("bus", 1, NULL, .flags = VMS_STRUCT | VMS_POINTER,
                        .vmsd = &vmstate_ide_bus, .size = sizeof(IDEBus *),
                        .offset = offsetof(WireISAIDE, bus)),
            VMSTATE_IDE_DRIVES(places, WireISAIDE, "bus.ifs"),
            VMSTATE_END_OF_LIST(),
        },
};

static const Property isa_ide_properties[] = {
    PROP_UINT32("iobase", ISAIDE, iobase, 0x1f0, "port of the command block"),
    PROP_UINT32("iobase2", ISAIDE, iobase2, 0x3f6, "port of the control block"),
    PROP_UINT32("irq", ISAIDE, irq, 14, "interrupt line"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(ISAIDE, isa_ide, "isa-ide", TYPE_ISA_DEVICE)

static void isa_ide_class_init(DeviceClass *klass)
{
    klass->user_creatable = true;
    klass->realize = isa_ide_realize;
    klass->reset = isa_ide_reset;
    property_install_table(&klass->parent, isa_ide_properties);
}
