/*
 * floppy: a drive on the floppy controller's cable, as a device, and the cable.
 *
 * A floppy drive has no tray that the host knows of: a disk is in it, or not.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/fdc-internal.h"

#include <gio/gio.h>

typedef struct Floppy {
    Device parent;
    char *drive; /* the backend's id */
    uint32_t unit;
    int type;
    BlockBackend *backend;
} Floppy;

const char *const floppy_types[] = {"144", "288", "120", "none", "auto", NULL};

/* -- The cable ----------------------------------------------------------------------- */

BUS_DEFINE_TYPE(Bus, floppy_bus, "floppy-bus", TYPE_BUS)

static FDC *controller_of(const Bus *bus)
{
    return (FDC *)bus->owner;
}

static bool floppy_bus_plug(Bus *bus, Device *dev, GError **error)
{
    FDC *fdc = controller_of(bus);
    Floppy *floppy = (Floppy *)dev;

    if (floppy->unit == UINT32_MAX) {
        floppy->unit = fdc->drives[0].slot ? 1 : 0;
    }
    if (floppy->unit >= FDC_DRIVES) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "Can't create floppy unit %u, bus supports only %d units: use unit=0 or "
            "unit=1",
            floppy->unit, FDC_DRIVES);
        return false;
    }
    if (fdc->drives[floppy->unit].slot) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "Floppy unit %u is in use; use another", floppy->unit);
        return false;
    }
    return true;
}

static void floppy_bus_class_init(BusClass *klass)
{
    klass->bus_type = "floppy-bus";
    klass->plug = floppy_bus_plug;
}

/* -- The drive ----------------------------------------------------------------------- */

static void change_medium(void *opaque, bool load)
{
    Floppy *floppy = opaque;

    floppy_drive_change_disk(&controller_of(floppy->parent.bus)->drives[floppy->unit]);
}

static const BlockDeviceOps floppy_block_ops = {.change_medium = change_medium};

static bool floppy_realize(Device *dev, GError **error)
{
    Floppy *floppy = (Floppy *)dev;
    FDC *fdc = controller_of(dev->bus);
    FloppyDrive *drive = &fdc->drives[floppy->unit];

    floppy->backend = floppy->drive ? drive_take_by_id(floppy->drive, true, error)
                                    : drive_new_empty(true);
    if (!floppy->backend) {
        return false;
    }
    block_set_device(floppy->backend, dev, &floppy_block_ops, floppy);
    if (!block_set_error_policies(floppy->backend, 0, 0, error)) {
        drive_release(floppy->backend);
        return false;
    }
    floppy_drive_init(drive, (FloppyType)floppy->type, (FloppyType)fdc->fallback,
                      floppy->backend);
    floppy->type = (int)drive->type; /* what it has become is what it is */
    return true;
}

static const Property floppy_properties[] = {
    PROP_STRING("drive", Floppy, drive, NULL, "the -drive behind it, by id"),
    PROP_UINT32("unit", Floppy, unit, UINT32_MAX, "0 or 1; otherwise the first free"),
    PROP_ENUM("drive-type", Floppy, type, FLOPPY_TYPE_AUTO, floppy_types,
              "its kind; auto: what the disk in it wants"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(Floppy, floppy, "floppy", TYPE_DEVICE)

static void floppy_class_init(DeviceClass *klass)
{
    klass->desc = "virtual floppy drive";
    klass->bus_type = "floppy-bus";
    klass->user_creatable = true;
    klass->realize = floppy_realize;
    property_install_table(G_OBJECT_CLASS(klass), floppy_properties);
}

bool floppy_bus_attach_drives(Bus *bus, GError **error)
{
    const FDC *fdc = controller_of(bus);

    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        BlockBackend *backend = drive_take("floppy", 0, (int)i);
        int type = fdc->fdtype[i];
        Device *dev;

        if (!backend && (type == FLOPPY_TYPE_AUTO || type == FLOPPY_TYPE_NONE)) {
            continue;
        }
        dev = device_new(TYPE_FLOPPY, error);
        if (!dev) {
            return false;
        }
        ((Floppy *)dev)->unit = i;
        ((Floppy *)dev)->type = type;
        if (backend) {
            drive_release(backend); /* the drive takes it by the name that it is given */
            ((Floppy *)dev)->drive = g_strdup(drive_options(backend)->id);
        }
        if (!device_realize(dev, bus, error)) {
            return false;
        }
    }
    return true;
}
