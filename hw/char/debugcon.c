/*
 * isa-debugcon: writes go to a chardev, reads give a constant by which firmware finds it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/debugcon.h"

#include <gio/gio.h>

#include "hw/char/chardev-property.h"

typedef struct ISADebugcon {
    ISADevice parent;
    uint32_t iobase, readback;
    char *chardev_id;
    Chardev *chardev;
    CharFrontend frontend;
    MemoryRegion io;
} ISADebugcon;

static uint64_t debugcon_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((ISADebugcon *)opaque)->readback;
}

static void debugcon_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    uint8_t byte = value;

    char_frontend_write(&((ISADebugcon *)opaque)->frontend, &byte, 1);
}

static const MemoryRegionOps debugcon_ops = {
    .read = debugcon_read,
    .write = debugcon_write,
    .valid = {.min_access_size = 1, .max_access_size = 1},
};

static bool isa_debugcon_realize(Device *dev, GError **error)
{
    ISADebugcon *debugcon = (ISADebugcon *)dev;

    if (debugcon->iobase > UINT16_MAX) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "isa-debugcon: iobase 0x%x is not a port (0 to 0xffff)",
                    debugcon->iobase);
        return false;
    }
    if (!debugcon->chardev && !debugcon->chardev_id) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "isa-debugcon: it prints to a chardev; name one with chardev=ID");
        return false;
    }
    if (!chardev_property_connect(dev, &debugcon->frontend, debugcon->chardev_id,
                                  debugcon->chardev, error)) {
        return false;
    }
    memory_region_init_io(&debugcon->io, G_OBJECT(dev), &debugcon_ops, debugcon,
                          "isa-debugcon", 1);
    isa_register_ioport(ISA_DEVICE(dev), &debugcon->io, debugcon->iobase);
    return true;
}

static void isa_debugcon_unrealize(Device *dev)
{
    ISADebugcon *debugcon = (ISADebugcon *)dev;

    char_frontend_disconnect(&debugcon->frontend);
    isa_unregister_ioport(ISA_DEVICE(dev), &debugcon->io);
}

static const Property isa_debugcon_properties[] = {
    PROP_UINT32("iobase", ISADebugcon, iobase, 0xe9, "its port"),
    PROP_UINT32("readback", ISADebugcon, readback, 0xe9, "what the port reads as"),
    PROP_STRING("chardev", ISADebugcon, chardev_id, NULL, "ID of a chardev to use"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(ISADebugcon, isa_debugcon, "isa-debugcon", TYPE_ISA_DEVICE)

static void isa_debugcon_class_init(DeviceClass *klass)
{
    klass->desc = "debug console port";
    klass->user_creatable = true;
    klass->realize = isa_debugcon_realize;
    klass->unrealize = isa_debugcon_unrealize;
    property_install_table(G_OBJECT_CLASS(klass), isa_debugcon_properties);
}

Device *isa_debugcon_new(ISABus *bus, Chardev *chardev, GError **error)
{
    Device *dev = device_new(TYPE_ISA_DEBUGCON, error);

    if (!dev) {
        return NULL;
    }
    ((ISADebugcon *)dev)->chardev = chardev;
    return device_realize(dev, BUS(bus), error) ? dev : NULL;
}
