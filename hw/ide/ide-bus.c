/*
 * The IDE channel as a bus: which drive sits where, and what the board asks of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/ide/ide-bus.h"

#include <gio/gio.h>

#include "hw/ide/ide-drive.h"

BUS_DEFINE_TYPE(IDEBus, ide_bus, "IDE", TYPE_BUS)

static bool ide_bus_plug(Bus *parent, Device *dev, GError **error)
{
    IDEBus *bus = IDE_BUS(parent);
    IDEDrive *drive = IDE_DRIVE(dev);
    uint32_t unit = drive->unit_wanted;

    if (unit == UINT32_MAX) {
        unit = bus->drives[0] ? 1 : 0;
    }
    if (unit > 1) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "Can't create IDE unit %u, bus supports only 2 units: use unit=0 or unit=1",
            unit);
        return false;
    }
    if (bus->drives[unit]) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "IDE unit %u is in use on bus '%s'; use another unit or bus", unit,
                    parent->name);
        return false;
    }
    bus->drives[unit] = drive;
    drive->unit = unit;
    return true;
}

static void ide_bus_unplug(Bus *parent, Device *dev)
{
    IDEBus *bus = IDE_BUS(parent);

    bus->drives[IDE_DRIVE(dev)->unit] = NULL;
    ide_bus_update_irq(bus);
}

static void ide_bus_class_init(BusClass *klass)
{
    klass->bus_type = "IDE";
    klass->max_devices = 2;
    klass->plug = ide_bus_plug;
    klass->unplug = ide_bus_unplug;
}

IDEBus *ide_bus_find(unsigned number)
{
    g_autofree char *name = g_strdup_printf("ide.%u", number);
    Bus *bus = bus_find("IDE", name);

    return bus ? IDE_BUS(bus) : NULL;
}

IDEBus *ide_bus_new(Device *adapter)
{
    unsigned number = 0;

    while (ide_bus_find(number)) {
        number++;
    }

    g_autofree char *name = g_strdup_printf("ide.%u", number);
    IDEBus *bus = IDE_BUS(bus_new(TYPE_IDE_BUS, adapter, name));

    bus->number = number;
    return bus;
}

bool ide_bus_attach_drives(IDEBus *bus, GError **error)
{
    for (unsigned unit = 0; unit < 2; unit++) {
        BlockBackend *backend = drive_take("ide", (int)bus->number, (int)unit);

        if (!backend) {
            continue;
        }

        const DriveOptions *options = drive_options(backend);
        Device *dev = device_new(options->cdrom ? TYPE_IDE_CD : TYPE_IDE_HD, error);

        drive_release(backend); /* the drive takes it by the name that it is given */
        if (!dev) {
            return false;
        }
        IDE_DRIVE(dev)->unit_wanted = unit;
        if (!property_set_string(G_OBJECT(dev), "drive", options->id, error)) {
            g_object_unref(dev);
            return false;
        }
        if (!device_realize(dev, &bus->parent, error)) {
            return false;
        }
    }
    return true;
}

bool ide_bus_get_geometry(const IDEBus *bus, unsigned unit, IDEGeometry *geometry)
{
    const IDEDrive *drive = unit < 2 ? bus->drives[unit] : NULL;

    if (!drive || drive->kind != IDE_DISK) {
        return false;
    }
    *geometry = drive->geometry;
    return true;
}

/* The user-defined drive type 47 and its parameter block, which BIOSes read (the "CMOS
 * map" of the PC/AT's extensions): cylinders, heads, write precompensation (none), a
 * control byte, landing zone, sectors. */
void ide_write_cmos(void (*set)(void *opaque, uint8_t address, uint8_t value),
                    void *opaque)
{
    static const struct {
        uint8_t type, parameters, nibble;
    } places[2] = {{0x19, 0x1b, 0xf0}, {0x1a, 0x24, 0x0f}};
    uint8_t types = 0, translations = 0;

    for (unsigned i = 0; i < 4; i++) {
        const IDEBus *bus = ide_bus_find(i / 2);
        IDEGeometry geometry;

        if (!bus || !ide_bus_get_geometry(bus, i % 2, &geometry)) {
            continue;
        }
        translations |= (uint8_t)(geometry.translation << (2 * i));
        if (i < G_N_ELEMENTS(places)) {
            uint8_t low = (uint8_t)geometry.cylinders;
            uint8_t high = (uint8_t)(geometry.cylinders >> 8);
            const uint8_t parameters[] = {
                low,  high, (uint8_t)geometry.heads,
                0xff, 0xff, (uint8_t)(0xc0 | (geometry.heads > 8 ? 0x08 : 0)),
                low,  high, (uint8_t)geometry.sectors,
            };

            types |= places[i].nibble;
            set(opaque, places[i].type, 47);
            for (unsigned n = 0; n < sizeof parameters; n++) {
                set(opaque, (uint8_t)(places[i].parameters + n), parameters[n]);
            }
        }
    }
    set(opaque, 0x12, types);
    set(opaque, 0x39, translations);
}
