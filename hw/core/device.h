/*
 * Device: what every modelled device is, a GObject with properties, pins and a reset.
 *
 * Its life: device_new() makes it with its defaults and the user's -global settings;
 * properties are set; device_realize() puts it on a bus and makes it answer the guest;
 * reset puts it into its power-on state (also once before the machine first runs). A
 * type's GType name is QEMU's name for it, so that `-device NAME` finds it.
 *
 * All of it runs with the machine lock held.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CORE_DEVICE_H
#define HW_CORE_DEVICE_H

#include <glib-object.h>

#include "hw/core/irq.h"
#include "hw/core/property.h"
#include "memory/region.h"

typedef struct Device Device;
typedef struct DeviceClass DeviceClass;
typedef struct Bus Bus;

struct Device {
    GObject parent;
    char *id;   /* the user's, from -device ...,id=; or NULL */
    char *path; /* "/machine/..." once realized, QEMU's canonical path */
    bool realized;
    Bus *bus;             /* what it is plugged into, or NULL */
    GPtrArray *child_buses; /* Bus *, owned */
    GPtrArray *pins;        /* DevicePins *, by name and direction */
    int vmstate_alias_id; /* see vmstate_register_with_alias_id(); -1: none */
};

struct DeviceClass {
    GObjectClass parent;
    const char *bus_type;   /* the kind of bus that it plugs into: "ISA", "PCI", ... */
    const char *desc;
    bool user_creatable;    /* by -device */
    /* Makes the device answer. False and *error when it cannot. Chain up first. */
    bool (*realize)(Device *dev, GError **error);
    void (*unrealize)(Device *dev);
    /* Power-on state. Must lower its output pins; is called in order of realization. */
    void (*reset)(Device *dev);
    /* Its state (hw/core/vmstate.h), registered once it is realized. */
    const struct VMStateDescription *vmsd;
};

GType device_get_type(void);
#define TYPE_DEVICE (device_get_type())
#define DEVICE(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_DEVICE, Device))
#define DEVICE_CLASS(klass) (G_TYPE_CHECK_CLASS_CAST((klass), TYPE_DEVICE, DeviceClass))
#define DEVICE_GET_CLASS(object)                                                           \
    (G_TYPE_INSTANCE_GET_CLASS((object), TYPE_DEVICE, DeviceClass))

/*
 * Defines `GType type_name_get_type(void)` for a device structure without a class
 * structure of its own: `name` is QEMU's. The file provides
 * `static void type_name_class_init(DeviceClass *klass)`.
 */
#define DEVICE_DEFINE_TYPE(Struct, type_name, name, PARENT_TYPE)                         \
    DEVICE_DEFINE_TYPE_OF(DeviceClass, Struct, type_name, name, PARENT_TYPE)

/* The same for descendants of another class than Device's. */
#define DEVICE_DEFINE_TYPE_OF(Class, Struct, type_name, name, PARENT_TYPE)               \
    static void type_name##_class_init(Class *klass);                                    \
    GType type_name##_get_type(void)                                                     \
    {                                                                                    \
        static GType type;                                                               \
        if (g_once_init_enter(&type)) {                                                  \
            g_once_init_leave(&type, device_type_register(                               \
                                         PARENT_TYPE, name, sizeof(Struct),              \
                                         (GClassInitFunc)(void *)type_name##_class_init)); \
        }                                                                                \
        return type;                                                                     \
    }

/* G_TYPE_NONE where a plugin asks for a parent that there is not, or for a taken name. */
GType device_type_register(GType parent, const char *name, size_t instance_size,
                           GClassInitFunc class_init);

/* Types whose code is in the same shared object as `code` belong to the plugin's module from
 * now on. *problem becomes the first thing that is wrong with one, interned; the plugin is
 * then not to be used. */
void device_types_begin_module(GTypeModule *module, const void *code, const char **problem);
void device_types_end_module(void);

/* -- Life ------------------------------------------------------------------------------ */

/* A new device of that type with defaults and -global settings applied, or NULL and
 * *error when a global does not fit. The caller owns the reference until realize. */
Device *device_new(GType type, GError **error);

/* Plugs it into `bus` (NULL: none) and makes it answer. The device tree keeps a reference
 * and takes over the caller's. On failure *error says why and the device is released. */
bool device_realize(Device *dev, Bus *bus, GError **error);

/* device_new() and device_realize() for boards that set no property in between. */
Device *device_create(GType type, Bus *bus, GError **error);

/* Takes it out of the machine again: unrealize, off the bus, off the tree. The handler is
 * told first; a process has one. `id` is NULL where the user gave none. */
void device_unplug(Device *dev);
void device_set_unplug_handler(void (*handler)(const char *id, const char *path));

void device_reset(Device *dev);

/* Resets every realized device in order of realization. */
void device_reset_all(void);

void device_foreach(bool (*func)(Device *dev, void *opaque), void *opaque);
Device *device_find_by_id(const char *id);
Device *device_find_by_path(const char *path);

/* Gives the device the place "PARENT/NAME" in paths instead of
 * "/machine/unattached/device[N]"; before realize. parent NULL: "/machine/NAME". */
void device_set_name(Device *dev, Device *parent, const char *name);

/* -global DRIVER.PROPERTY=VALUE; applies to devices made from now on. The text stays the
 * caller's. compat: lower precedence, and silent where the property does not exist. */
void device_add_global(const char *driver, const char *property, const char *value,
                       bool compat);

/* Globals of the user's that no device has used: calls func for each. */
void device_foreach_unused_global(void (*func)(const char *driver, const char *property,
                                               const char *value, void *opaque),
                                  void *opaque);

/* -- Pins ------------------------------------------------------------------------------ */

/* Input pins first..n-1 of the group `name` (NULL: the unnamed group) call `handler` with
 * the device as opaque. */
void device_init_gpio_in_named(Device *dev, IRQHandler handler, const char *name, int n);
/* Output pins: pins[i] is NULL until connected. The array lives in the device. */
void device_init_gpio_out_named(Device *dev, IRQ **pins, const char *name, int n);

IRQ *device_get_gpio_in_named(Device *dev, const char *name, int n);
void device_connect_gpio_out_named(Device *dev, const char *name, int n, IRQ *input);
IRQ *device_get_gpio_out_named(Device *dev, const char *name, int n);

#define device_init_gpio_in(dev, handler, n) device_init_gpio_in_named(dev, handler, NULL, n)
#define device_init_gpio_out(dev, pins, n) device_init_gpio_out_named(dev, pins, NULL, n)
#define device_get_gpio_in(dev, n) device_get_gpio_in_named(dev, NULL, n)
#define device_connect_gpio_out(dev, n, input)                                             \
    device_connect_gpio_out_named(dev, NULL, n, input)

/* A group of pins, for harnesses that list or intercept them. */
typedef struct DevicePins {
    char *name; /* NULL: the unnamed group */
    bool output;
    int count;
    IRQ *inputs;
    IRQ **outputs;
} DevicePins;

/* -- Types that -device may name --------------------------------------------------------- */

typedef struct DeviceTypeEntry {
    const char *name;
    GType (*get_type)(void);
} DeviceTypeEntry;

/* Adds a table (ended by a NULL name) that lives forever to the known types. */
void device_types_add(const DeviceTypeEntry *table);

/* The type of that name among the known ones, or G_TYPE_INVALID and *error that names the
 * nearest. */
GType device_type_by_name(const char *name, GError **error);
void device_types_foreach(void (*func)(const DeviceTypeEntry *entry, void *opaque),
                          void *opaque);

#endif
