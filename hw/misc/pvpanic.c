/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/misc/pvpanic.h"

#include "hw/core/system.h"

/* Events, which a write reports and a read lists as known. */
#define PANICKED 0x01
#define CRASH_LOADED 0x02 /* the guest deals with it: a crash kernel is about to run */

typedef struct PVPanic {
    ISADevice parent;
    uint16_t ioport;
    uint8_t events;
    MemoryRegion io;
} PVPanic;

static uint64_t pvpanic_read(void *opaque, hwaddr offset, unsigned size)
{
    PVPanic *pvpanic = opaque;

    return pvpanic->events;
}

static void pvpanic_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (value & PANICKED) {
        system_guest_event(SYSTEM_GUEST_PANICKED);
    } else if (value & CRASH_LOADED) {
        system_guest_event(SYSTEM_GUEST_CRASH_LOADED);
    }
}

static const MemoryRegionOps pvpanic_ops = {
    .read = pvpanic_read,
    .write = pvpanic_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static bool pvpanic_realize(Device *dev, GError **error)
{
    PVPanic *pvpanic = (PVPanic *)dev;

    memory_region_init_io(&pvpanic->io, G_OBJECT(dev), &pvpanic_ops, pvpanic, "pvpanic",
                          1);
    isa_register_ioport(ISA_DEVICE(dev), &pvpanic->io, pvpanic->ioport);
    return true;
}

static bool find_port(Device *dev, void *opaque)
{
    uint16_t *port = opaque;

    if (G_OBJECT_TYPE(dev) == TYPE_PVPANIC) {
        *port = ((PVPanic *)dev)->ioport;
    }
    return *port == 0;
}

uint16_t pvpanic_port(void)
{
    uint16_t port = 0;

    device_foreach(find_port, &port);
    return port;
}

static const Property pvpanic_properties[] = {
    PROP_UINT16("ioport", PVPanic, ioport, 0x505, "its port"),
    PROP_UINT8("events", PVPanic, events, PANICKED | CRASH_LOADED,
               "what the guest reads there: the events it may report"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(PVPanic, pvpanic, "pvpanic", TYPE_ISA_DEVICE)

static void pvpanic_class_init(DeviceClass *klass)
{
    klass->user_creatable = true;
    klass->realize = pvpanic_realize;
    property_install_table(G_OBJECT_CLASS(klass), pvpanic_properties);
}
