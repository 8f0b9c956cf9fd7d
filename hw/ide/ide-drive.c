/*
 * The devices "ide-hd" and "ide-cd", and how a command of theirs ends.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/ide/ide-drive.h"

#include <gio/gio.h>

#define CYLINDERS_MAX 65535
#define HEADS_MAX 16
#define SECTORS_MAX 255

/* -- The ends of a command ----------------------------------------------------------- */

void ide_drive_interrupt(IDEDrive *drive)
{
    drive->irq_pending = true;
    ide_bus_update_irq(ide_drive_bus(drive));
}

void ide_drive_ready(IDEDrive *drive)
{
    drive->status = IDE_STATUS_DRDY | IDE_STATUS_DSC;
    drive->error = 0;
}

void ide_drive_complete(IDEDrive *drive)
{
    ide_drive_ready(drive);
    ide_drive_interrupt(drive);
}

void ide_drive_fail(IDEDrive *drive, uint8_t error)
{
    ide_transfer_stop(drive);
    drive->status = IDE_STATUS_DRDY | IDE_STATUS_ERR;
    drive->error = error;
    ide_drive_interrupt(drive);
}

bool ide_drive_wait(IDEDrive *drive, void (*repeat)(IDEDrive *drive))
{
    if (!block_is_waiting(drive->backend)) {
        return false;
    }
    drive->repeat = repeat;
    drive->status = IDE_STATUS_BSY | IDE_STATUS_DRDY | IDE_STATUS_DSC;
    return true;
}

void ide_drive_repeat(void *opaque)
{
    IDEDrive *drive = opaque;
    void (*repeat)(IDEDrive * drive) = drive->repeat;

    drive->repeat = NULL;
    if (repeat) { /* else the guest has reset the drive */
        repeat(drive);
    }
}

/* -- Resets -------------------------------------------------------------------------- */

void ide_drive_set_signature(IDEDrive *drive)
{
    bool cdrom = drive->kind == IDE_CDROM;

    drive->registers[IDE_COUNT] = 0x01;
    drive->registers[IDE_LBA_LOW] = 0x01;
    drive->registers[IDE_LBA_MID] = cdrom ? 0x14 : 0x00;
    drive->registers[IDE_LBA_HIGH] = cdrom ? 0xeb : 0x00;
    drive->registers[IDE_DEVICE] &= IDE_DEVICE_DEV;
    drive->registers[IDE_DEVICE] |= IDE_DEVICE_OBSOLETE;
    /* A packet drive is not DRDY before its first command (9.12). */
    drive->status = cdrom ? 0 : IDE_STATUS_DRDY | IDE_STATUS_DSC;
}

void ide_drive_soft_reset(IDEDrive *drive)
{
    ide_transfer_stop(drive);
    drive->irq_pending = false;
    ide_drive_set_signature(drive);
    /* Device 0 is selected after a reset, and device 1 hears the Device register too. */
    drive->registers[IDE_DEVICE] = IDE_DEVICE_OBSOLETE;
    drive->error = 0x01; /* the diagnostic code for "passed" */
}

static void ide_drive_reset(Device *dev)
{
    IDEDrive *drive = IDE_DRIVE(dev);

    for (unsigned i = 0; i < IDE_REGISTERS; i++) {
        drive->registers[i] = drive->previous[i] = 0;
    }
    drive->cylinders = drive->geometry.cylinders;
    drive->heads = drive->geometry.heads;
    drive->sectors = drive->geometry.sectors;
    drive->multiple = IDE_MULTIPLE_MAX;
    drive->pio_dma_mode = 0x45; /* Ultra DMA 5 */
    drive->write_cache = drive->smart_enabled = true;
    ide_drive_soft_reset(drive);
    atapi_reset(drive);
    ide_bus_update_irq(ide_drive_bus(drive));
}

/* -- Life ---------------------------------------------------------------------------- */

static bool drive_check(bool ok, GError **error, const char *message)
{
    if (!ok) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, message);
    }
    return ok;
}

static bool disk_set_geometry(IDEDrive *drive, GError **error)
{
    IDEGeometry *geometry = &drive->geometry;

    if (!geometry->cylinders && !geometry->heads && !geometry->sectors) {
        ide_geometry_guess(drive->backend, geometry);
    } else if (!drive_check(geometry->cylinders >= 1 &&
                                geometry->cylinders <= CYLINDERS_MAX,
                            error, "cyls must be between 1 and 65535") ||
               !drive_check(geometry->heads >= 1 && geometry->heads <= HEADS_MAX, error,
                            "heads must be between 1 and 16") ||
               !drive_check(geometry->sectors >= 1 && geometry->sectors <= SECTORS_MAX,
                            error, "secs must be between 1 and 255")) {
        return false;
    } else {
        geometry->translation = geometry->cylinders <= 1024 && geometry->sectors <= 63
                                    ? IDE_TRANSLATION_NONE
                                    : IDE_TRANSLATION_LBA;
    }
    if (drive->translation_wanted > 0) {
        geometry->translation = (IDETranslation)(drive->translation_wanted - 1);
    }
    return true;
}

static bool disk_check_medium(const IDEDrive *drive, GError **error)
{
    return drive_check(block_is_inserted(drive->backend), error,
                       "Device needs media, but drive is empty; give -drive a file=") &&
           drive_check(
               !block_is_readonly(drive->backend), error,
               "ide-hd can't use a read-only drive; snapshot=on keeps the image as "
               "it is");
}

static const BlockDeviceOps disk_block_ops = {.reports_errors = true,
                                              .repeat = ide_drive_repeat};

static bool ide_drive_attach(IDEDrive *drive, GError **error)
{
    bool disk = drive->kind == IDE_DISK;

    if (drive->drive) {
        drive->backend = drive_take_by_id(drive->drive, disk, error);
    } else if (!disk) {
        drive->backend = drive_new_empty(true);
    } else {
        drive_check(false, error, "No drive specified; add drive=ID");
    }
    if (!drive->backend) {
        return false;
    }
    block_set_device(drive->backend, &drive->parent,
                     disk ? &disk_block_ops : &atapi_block_ops, drive);
    if (!block_set_error_policies(drive->backend, drive->read_errors, drive->write_errors,
                                  error) ||
        (disk &&
         (!disk_check_medium(drive, error) || !disk_set_geometry(drive, error)))) {
        drive_release(drive->backend);
        drive->backend = NULL;
        return false;
    }
    return true;
}

/* The user's text, or what a drive without says. */
static void default_string(char **text, const char *value)
{
    if (!*text) {
        *text = g_strdup(value);
    }
}

static bool ide_drive_realize(Device *dev, GError **error)
{
    IDEDrive *drive = IDE_DRIVE(dev);
    g_autofree char *serial =
        g_strdup_printf("QM%05u", ide_drive_bus(drive)->number * 2 + drive->unit + 1);

    drive->kind = g_type_is_a(G_OBJECT_TYPE(dev), TYPE_IDE_CD) ? IDE_CDROM : IDE_DISK;
    if (!ide_drive_attach(drive, error)) {
        return false;
    }
    default_string(&drive->serial, serial);
    default_string(&drive->ver, "2.5+");
    default_string(&drive->model,
                   drive->kind == IDE_CDROM ? "QEMU DVD-ROM" : "QEMU HARDDISK");
    drive->transfer.data = g_malloc0(IDE_BUFFER_SIZE);
    ide_drive_reset(dev);
    return true;
}

static void ide_drive_unrealize(Device *dev)
{
    IDEDrive *drive = IDE_DRIVE(dev);

    ide_transfer_stop(drive);
    drive->irq_pending = false;
    ide_bus_update_irq(ide_drive_bus(drive));
    block_flush(drive->backend);
    drive_release(drive->backend);
    drive->backend = NULL;
    g_clear_pointer(&drive->transfer.data, g_free);
}

static const char *const translation_names[] = {"auto",  "none",  "lba",
                                                "large", "rechs", NULL};

static const Property drive_properties[] = {
    PROP_STRING("drive", IDEDrive, drive, NULL, "the -drive behind it, by id"),
    PROP_INT32("bootindex", IDEDrive, bootindex, -1,
               "place in the boot order, from 0 on"),
    PROP_UINT32("unit", IDEDrive, unit_wanted, UINT32_MAX,
                "0 or 1; otherwise the first free"),
    PROP_STRING("ver", IDEDrive, ver, NULL, "firmware revision, at most 8 characters"),
    PROP_UINT64("wwn", IDEDrive, wwn, 0, "world wide name"),
    PROP_STRING("serial", IDEDrive, serial, NULL, "serial number, at most 20 characters"),
    PROP_STRING("model", IDEDrive, model, NULL, "model number, at most 40 characters"),
    PROP_ENUM("rerror", IDEDrive, read_errors, 0, block_error_policy_names,
              "what follows when the image cannot be read; auto: as the drive has it"),
    PROP_ENUM("werror", IDEDrive, write_errors, 0, block_error_policy_names,
              "what follows when the image cannot be written"),
    PROP_END,
};

static const Property disk_properties[] = {
    PROP_UINT32("cyls", IDEDrive, geometry.cylinders, 0, "cylinders; otherwise guessed"),
    PROP_UINT32("heads", IDEDrive, geometry.heads, 0, "heads"),
    PROP_UINT32("secs", IDEDrive, geometry.sectors, 0, "sectors of a track"),
    PROP_UINT32("lcyls", IDEDrive, logical_cylinders, 0,
                "cylinders that the firmware is told of; 0: it finds out"),
    PROP_UINT32("lheads", IDEDrive, logical_heads, 0, "heads, the same"),
    PROP_UINT32("lsecs", IDEDrive, logical_sectors, 0, "sectors of a track, the same"),
    PROP_ENUM("bios-chs-trans", IDEDrive, translation_wanted, 0, translation_names,
              "how the BIOS translates the geometry"),
    PROP_UINT32("rotation_rate", IDEDrive, rotation_rate, 0,
                "revolutions a minute; 1: does not rotate, 0: not reported"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(IDEDrive, ide_drive, "ide-device", TYPE_DEVICE)
DEVICE_DEFINE_TYPE(IDEDrive, ide_hd, "ide-hd", TYPE_IDE_DRIVE)
DEVICE_DEFINE_TYPE(IDEDrive, ide_cd, "ide-cd", TYPE_IDE_DRIVE)

static void ide_drive_class_init(DeviceClass *klass)
{
    klass->bus_type = "IDE";
    klass->realize = ide_drive_realize;
    klass->unrealize = ide_drive_unrealize;
    klass->reset = ide_drive_reset;
    property_install_table(&klass->parent, drive_properties);
}

static void ide_hd_class_init(DeviceClass *klass)
{
    klass->desc = "virtual IDE disk";
    klass->user_creatable = true;
    property_install_table(&klass->parent, disk_properties);
}

static void ide_cd_class_init(DeviceClass *klass)
{
    klass->desc = "virtual IDE CD-ROM";
    klass->user_creatable = true;
}
