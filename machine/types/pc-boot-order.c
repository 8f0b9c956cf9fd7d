/*
 * The boot order that the user gives device by device (bootindex), as the firmware reads it:
 * each device by its OpenFirmware path.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/core/bus.h"
#include "hw/core/property.h"
#include "hw/ide/ide-drive.h"
#include "machine/types/pc.h"

/* What a device is called in a path: a name, and the address of its first port on ISA. */
static const struct {
    const char *driver, *name;
    unsigned port;
} names[] = {
    {"PIIX3", "isa", 0},
    {"piix3-ide", "ide", 0},
    {"isa-ide", "ide", 0x1f0},
    {"isa-fdc", "fdc", 0x3f0},
};

static bool append_path(GString *path, Device *dev)
{
    Bus *bus = dev->bus;
    const char *driver = G_OBJECT_TYPE_NAME(dev);
    const char *kind = bus ? BUS_GET_CLASS(bus)->bus_type : "";
    size_t i = 0;

    if (bus && bus->owner && strcmp(kind, "PCI") != 0 && !append_path(path, bus->owner)) {
        return false;
    }
    if (strcmp(kind, "IDE") == 0) {
        guint channel = 0;

        g_ptr_array_find(bus->owner->child_buses, bus, &channel);
        g_string_append_printf(path, "/drive@%x/disk@%x", channel, IDE_DRIVE(dev)->unit);
        return true;
    }
    while (i < G_N_ELEMENTS(names) && strcmp(names[i].driver, driver) != 0) {
        i++;
    }
    if (i == G_N_ELEMENTS(names)) {
        return false;
    }
    if (strcmp(kind, "PCI") == 0) {
        uint8_t devfn = PCI_DEVICE(dev)->devfn;

        g_string_append_printf(path, "/pci@i0cf8/%s@%x", names[i].name, devfn >> 3);
        if (devfn & 7) {
            g_string_append_printf(path, ",%x", devfn & 7);
        }
    } else {
        g_string_append_printf(path, "%s/%s@%04x", path->len ? "" : "/isa", names[i].name,
                               names[i].port);
    }
    return true;
}

/* The properties that place a device, and what of it they place. */
static const struct {
    const char *property, *suffix;
} indexes[] = {
    {"bootindex", NULL}, {"bootindexA", "/floppy@0"}, {"bootindexB", "/floppy@1"}};

typedef struct Walk {
    BootOrder *order;
    GError **error;
    bool failed;
} Walk;

static void add_device(Walk *walk, Device *dev)
{
    for (size_t i = 0; i < G_N_ELEMENTS(indexes) && !walk->failed; i++) {
        g_autofree char *index = property_get_string(G_OBJECT(dev), indexes[i].property);
        g_autoptr(GString) path = g_string_new(NULL);

        if (index && atoi(index) >= 0 && append_path(path, dev)) {
            walk->failed = !boot_order_add(walk->order, atoi(index), path->str,
                                           indexes[i].suffix, walk->error);
        }
    }
}

static bool add_bus(Bus *bus, void *opaque)
{
    Walk *walk = opaque;

    for (guint i = 0; i < bus->children->len; i++) {
        add_device(walk, bus->children->pdata[i]);
    }
    return !walk->failed;
}

bool pc_boot_order_add_devices(BootOrder *order, GError **error)
{
    Walk walk = {.order = order, .error = error};

    bus_foreach(add_bus, &walk);
    return !walk.failed;
}

static bool add_geometry(Bus *bus, void *opaque)
{
    GString *lines = opaque;

    for (guint i = 0; i < bus->children->len; i++) {
        Device *dev = bus->children->pdata[i];
        const IDEDrive *drive =
            g_type_is_a(G_OBJECT_TYPE(dev), TYPE_IDE_HD) ? IDE_DRIVE(dev) : NULL;
        g_autoptr(GString) path = g_string_new(NULL);

        if (drive && (drive->logical_cylinders || drive->logical_heads ||
                      drive->logical_sectors) &&
            append_path(path, dev)) {
            g_string_append_printf(lines, "%s%s %u %u %u", lines->len ? "\n" : "", path->str,
                                   drive->logical_cylinders, drive->logical_heads,
                                   drive->logical_sectors);
        }
    }
    return true;
}

char *pc_bios_geometry(void)
{
    GString *lines = g_string_new(NULL);

    bus_foreach(add_geometry, lines);
    return g_string_free(lines, FALSE);
}
