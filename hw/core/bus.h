/*
 * Bus: where devices plug in. Kinds of bus (ISA, PCI, IDE, I2C) extend it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_BUS_H
#define HW_CORE_BUS_H

#include "hw/core/device.h"

typedef struct BusClass BusClass;

/* Who is told of devices that come and go while the machine runs. */
typedef struct BusHotplug {
    void (*plugged)(Device *dev, void *opaque);
    /* Asks the guest to let the device go; device_unplug() follows once it has. False and
     * *error when it cannot go. */
    bool (*unplug_request)(Device *dev, void *opaque, GError **error);
    void *opaque;
} BusHotplug;

struct Bus {
    GObject parent;
    char *name;    /* "pci.0", "isa.0", ... */
    Device *owner; /* the bridge or controller, or NULL for a root bus */
    GPtrArray *children; /* Device *, in order of plugging */
    BusHotplug hotplug;  /* without functions: nothing comes or goes at run time */
};

struct BusClass {
    GObjectClass parent;
    const char *bus_type; /* what DeviceClass.bus_type is matched with */
    guint max_devices;    /* 0: as many as plug() finds a place for */
    /* Gives the device its place (slot, address); false and *error when it is taken. */
    bool (*plug)(Bus *bus, Device *dev, GError **error);
    void (*unplug)(Bus *bus, Device *dev);
    /* The device's address as migration streams have it ("0000:00:01.3"); free it. NULL:
     * streams number the bus's devices instead. */
    char *(*get_dev_path)(Device *dev);
};

GType bus_get_type(void);
#define TYPE_BUS (bus_get_type())
#define BUS(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_BUS, Bus))
#define BUS_CLASS(klass) (G_TYPE_CHECK_CLASS_CAST((klass), TYPE_BUS, BusClass))
#define BUS_GET_CLASS(object) (G_TYPE_INSTANCE_GET_CLASS((object), TYPE_BUS, BusClass))

/* Defines `GType type_name_get_type(void)` as DEVICE_DEFINE_TYPE does; the file provides
 * `static void type_name_class_init(BusClass *klass)`. */
#define BUS_DEFINE_TYPE(Struct, type_name, name, PARENT_TYPE)                              \
    static void type_name##_class_init(BusClass *klass);                                   \
    GType type_name##_get_type(void)                                                       \
    {                                                                                      \
        static GType type;                                                                 \
        if (g_once_init_enter(&type)) {                                                    \
            g_once_init_leave(&type, device_type_register(                                 \
                                         PARENT_TYPE, name, sizeof(Struct),                \
                                         (GClassInitFunc)(void *)type_name##_class_init)); \
        }                                                                                  \
        return type;                                                                       \
    }

/* A new bus that `owner` (may be NULL) keeps. */
Bus *bus_new(GType type, Device *owner, const char *name);

/* The first bus of that kind below the machine, or by name ("ide.0"); NULL: none. */
Bus *bus_find(const char *bus_type, const char *name);
/* Where a device goes whose user names no bus: as in QEMU the youngest of that kind that has
 * room, so that the first disk of -device is on ide.1; NULL: there is none. */
Bus *bus_find_free(const char *bus_type);
void bus_foreach(bool (*func)(Bus *bus, void *opaque), void *opaque);

#endif
