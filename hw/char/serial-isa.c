/*
 * isa-serial: COM1 to COM4.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>

#include "hw/char/chardev-property.h"
#include "hw/char/serial.h"

typedef struct ISASerial {
    ISADevice parent;
    Serial serial;
    uint32_t index, iobase, isa_irq, baudbase; /* UINT32_MAX: by index */
    bool wakeup;
    char *chardev_id;
    Chardev *chardev;
} ISASerial;

static const struct {
    uint16_t iobase;
    uint8_t irq;
} com_ports[SERIAL_ISA_MAX] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};

/* Counts the ISA serial ports that the bus has besides this one. */
static uint32_t next_index(ISASerial *isa_serial)
{
    GPtrArray *children = BUS(isa_device_bus(&isa_serial->parent))->children;
    uint32_t index = 0;

    for (guint i = 0; i < children->len; i++) {
        index += children->pdata[i] != isa_serial &&
                 G_TYPE_CHECK_INSTANCE_TYPE(children->pdata[i], TYPE_ISA_SERIAL);
    }
    return index;
}

static void isa_serial_reset(Device *dev)
{
    serial_reset(&((ISASerial *)dev)->serial);
}

static bool isa_serial_realize(Device *dev, GError **error)
{
    ISASerial *isa_serial = (ISASerial *)dev;
    ISADevice *isa = ISA_DEVICE(dev);

    if (isa_serial->index == UINT32_MAX) {
        isa_serial->index = next_index(isa_serial);
    }
    if (isa_serial->index >= SERIAL_ISA_MAX) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "isa-serial: index %u is too great; a PC has %d ports, 0 to %d",
                    isa_serial->index, SERIAL_ISA_MAX, SERIAL_ISA_MAX - 1);
        return false;
    }
    if (isa_serial->iobase == UINT32_MAX) {
        isa_serial->iobase = com_ports[isa_serial->index].iobase;
    }
    if (isa_serial->isa_irq == UINT32_MAX) {
        isa_serial->isa_irq = com_ports[isa_serial->index].irq;
    }
    if (isa_serial->iobase > UINT16_MAX - SERIAL_PORTS + 1 ||
        isa_serial->isa_irq >= ISA_IRQS) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "isa-serial: iobase must be a port below 0xfff9 and irq below %d",
                    ISA_IRQS);
        return false;
    }
    serial_init(&isa_serial->serial, G_OBJECT(dev), isa_serial->baudbase);
    if (!chardev_property_connect(dev, &isa_serial->serial.chardev,
                                  isa_serial->chardev_id, isa_serial->chardev, error)) {
        memory_region_destroy(&isa_serial->serial.io);
        return false;
    }
    isa_serial->serial.irq = isa_device_irq(isa, isa_serial->isa_irq);
    isa_register_ioport(isa, &isa_serial->serial.io, isa_serial->iobase);
    return true;
}

static void isa_serial_unrealize(Device *dev)
{
    Serial *serial = &((ISASerial *)dev)->serial;

    timer_del(&serial->timeout);
    char_frontend_disconnect(&serial->chardev);
    irq_set(serial->irq, 0);
    isa_unregister_ioport(ISA_DEVICE(dev), &serial->io);
}

static const Property isa_serial_properties[] = {
    PROP_UINT32("index", ISASerial, index, UINT32_MAX, "which COM port, from 0"),
    PROP_UINT32("iobase", ISASerial, iobase, UINT32_MAX, "first of its eight ports"),
    PROP_UINT32("irq", ISASerial, isa_irq, UINT32_MAX, "its ISA interrupt"),
    PROP_STRING("chardev", ISASerial, chardev_id, NULL, "ID of a chardev to use"),
    PROP_UINT32("baudbase", ISASerial, baudbase, 115200, "baud rate for divisor 1"),
    PROP_BOOL("wakeup", ISASerial, wakeup, false, "input wakes the machine from sleep"),
    PROP_END,
};

static const VMStateDescription vmstate_isa_serial = {
    .name = "serial",
    .version_id = 3,
    .minimum_version_id = 2,
    .fields =
        (const VMStateField[]){
            VMSTATE_STRUCT_AS(serial, ISASerial, "state", 0, vmstate_serial, Serial),
            VMSTATE_END_OF_LIST(),
        },
};

DEVICE_DEFINE_TYPE(ISASerial, isa_serial, "isa-serial", TYPE_ISA_DEVICE)

static void isa_serial_class_init(DeviceClass *klass)
{
    klass->desc = "16550A serial port";
    klass->vmsd = &vmstate_isa_serial;
    klass->user_creatable = true;
    klass->realize = isa_serial_realize;
    klass->unrealize = isa_serial_unrealize;
    klass->reset = isa_serial_reset;
    property_install_table(G_OBJECT_CLASS(klass), isa_serial_properties);
}

Device *isa_serial_new(ISABus *bus, unsigned index, Chardev *chardev, GError **error)
{
    Device *dev = device_new(TYPE_ISA_SERIAL, error);

    if (!dev) {
        return NULL;
    }
    ((ISASerial *)dev)->index = index;
    ((ISASerial *)dev)->chardev = chardev;
    return device_realize(dev, BUS(bus), error) ? dev : NULL;
}

bool isa_serial_new_each(ISABus *bus, Chardev *const *chardevs, unsigned count,
                         GError **error)
{
    for (unsigned i = 0; i < count; i++) {
        if (chardevs[i] && !isa_serial_new(bus, i, chardevs[i], error)) {
            return false;
        }
    }
    return true;
}
