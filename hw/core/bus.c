/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/bus.h"

static GPtrArray *buses; /* Bus *, in order of creation; a process runs one machine */

G_DEFINE_ABSTRACT_TYPE(Bus, bus, G_TYPE_OBJECT)

static void bus_init(Bus *bus)
{
    bus->children = g_ptr_array_new();
}

static void bus_finalize(GObject *object)
{
    Bus *bus = BUS(object);

    g_ptr_array_remove(buses, bus);
    g_ptr_array_unref(bus->children);
    g_free(bus->name);
    G_OBJECT_CLASS(bus_parent_class)->finalize(object);
}

static void bus_class_init(BusClass *klass)
{
    klass->parent.finalize = bus_finalize;
}

Bus *bus_new(GType type, Device *owner, const char *name)
{
    Bus *bus = g_object_new(type, NULL);

    if (!buses) {
        buses = g_ptr_array_new();
    }
    bus->name = g_strdup(name);
    bus->owner = owner;
    g_ptr_array_add(buses, bus);
    if (owner) {
        g_ptr_array_add(owner->child_buses, bus);
    }
    return bus;
}

Bus *bus_find(const char *bus_type, const char *name)
{
    for (guint i = 0; buses && i < buses->len; i++) {
        Bus *bus = buses->pdata[i];

        if ((!bus_type || g_strcmp0(BUS_GET_CLASS(bus)->bus_type, bus_type) == 0) &&
            (!name || g_strcmp0(bus->name, name) == 0)) {
            return bus;
        }
    }
    return NULL;
}

Bus *bus_find_free(const char *bus_type)
{
    Bus *full = NULL;

    for (guint i = buses ? buses->len : 0; i-- > 0;) {
        Bus *bus = buses->pdata[i];
        const BusClass *klass = BUS_GET_CLASS(bus);

        if (g_strcmp0(klass->bus_type, bus_type) != 0) {
            continue;
        }
        if (!klass->max_devices || bus->children->len < klass->max_devices) {
            return bus;
        }
        full = bus;
    }
    return full; /* whose plug() says what is in the way */
}

void bus_foreach(bool (*func)(Bus *bus, void *opaque), void *opaque)
{
    for (guint i = 0; buses && i < buses->len; i++) {
        if (!func(buses->pdata[i], opaque)) {
            break;
        }
    }
}
