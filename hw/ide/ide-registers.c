/*
 * The IDE channel: command block and control block registers, INTRQ, resets.
 *
 * ATA/ATAPI-6: section 7 (registers), 9.1 and 9.2 (resets), 9.16 (one drive alone). Both
 * drives listen to what the host writes; only the selected one answers and executes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/ide/ide-drive.h"

/* -- INTRQ --------------------------------------------------------------------------- */

void ide_bus_update_irq(IDEBus *bus)
{
    const IDEDrive *drive = bus->drives[bus->selected];
    int level = drive && drive->irq_pending && !(bus->control & IDE_CONTROL_NIEN);

    if (level != bus->irq_level) {
        bus->irq_level = level;
        irq_set(bus->irq, level);
    }
}

/* -- Reading ------------------------------------------------------------------------- */

/* The drive whose registers the host sees: device 0 stands in for an absent device 1. */
static IDEDrive *ide_bus_answering(const IDEBus *bus)
{
    return bus->drives[bus->selected] ? bus->drives[bus->selected] : bus->drives[0];
}

/* What the Status register shows; an absent device 1 shows 00h (9.16.1). */
static uint8_t ide_bus_status(const IDEBus *bus)
{
    const IDEDrive *drive = bus->drives[bus->selected];

    return drive ? drive->status : 0;
}

static uint8_t ide_register_read(IDEBus *bus, unsigned reg)
{
    IDEDrive *drive = ide_bus_answering(bus);

    if (!drive) {
        return 0;
    }
    switch (reg) {
    case IDE_DATA: /* no half of a word */
        return 0xff;
    case IDE_ERROR:
        return drive->error;
    case IDE_STATUS:
        if (drive == bus->drives[bus->selected]) {
            drive->irq_pending = false;
            ide_bus_update_irq(bus);
        }
        return ide_bus_status(bus);
    case IDE_DEVICE:
        return drive->registers[reg];
    default:
        return bus->control & IDE_CONTROL_HOB ? drive->previous[reg]
                                              : drive->registers[reg];
    }
}

static uint64_t command_block_read(void *opaque, hwaddr offset, unsigned size)
{
    IDEBus *bus = opaque;
    IDEDrive *drive = bus->drives[bus->selected];
    uint64_t value = 0;

    if (offset == IDE_DATA && size > 1) {
        return drive ? ide_transfer_read(drive, size) : 0;
    }
    for (unsigned i = 0; i < size && offset + i < IDE_REGISTERS; i++) {
        value |= (uint64_t)ide_register_read(bus, (unsigned)offset + i) << (8 * i);
    }
    return value;
}

/* -- Writing ------------------------------------------------------------------------- */

static bool ide_bus_busy(const IDEBus *bus)
{
    return ide_bus_status(bus) & (IDE_STATUS_BSY | IDE_STATUS_DRQ);
}

static void ide_bus_command(IDEBus *bus, uint8_t command)
{
    IDEDrive *drive = bus->drives[bus->selected];

    if (bus->control & IDE_CONTROL_SRST) {
        return;
    }
    if (ide_bus_busy(bus) &&
        !(command == IDE_COMMAND_DEVICE_RESET && drive->kind == IDE_CDROM)) {
        return;
    }
    if (command == IDE_COMMAND_DIAGNOSTIC) {
        ide_bus_diagnose(bus);
    } else if (drive) {
        drive->irq_pending = false;
        ide_bus_update_irq(bus);
        ide_command_execute(drive, command);
    }
}

static void ide_register_write(IDEBus *bus, unsigned reg, uint8_t value)
{
    bus->control &= (uint8_t)~IDE_CONTROL_HOB;
    if (reg == IDE_COMMAND) {
        ide_bus_command(bus, value);
        return;
    }
    if (reg == IDE_DATA || ide_bus_busy(bus)) {
        return;
    }
    if (reg == IDE_DEVICE) {
        value |= IDE_DEVICE_OBSOLETE;
        bus->selected = value & IDE_DEVICE_DEV ? 1 : 0;
    }
    for (unsigned unit = 0; unit < 2; unit++) {
        IDEDrive *drive = bus->drives[unit];

        if (drive) {
            drive->previous[reg] = drive->registers[reg];
            drive->registers[reg] = value;
        }
    }
    ide_bus_update_irq(bus);
}

static void command_block_write(void *opaque, hwaddr offset, uint64_t value,
                                unsigned size)
{
    IDEBus *bus = opaque;
    IDEDrive *drive = bus->drives[bus->selected];

    if (offset == IDE_DATA && size > 1) {
        if (drive) {
            ide_transfer_write(drive, (uint32_t)value, size);
        }
        return;
    }
    for (unsigned i = 0; i < size && offset + i < IDE_REGISTERS; i++) {
        ide_register_write(bus, (unsigned)offset + i, (uint8_t)(value >> (8 * i)));
    }
}

static const MemoryRegionOps command_block_ops = {
    .read = command_block_read,
    .write = command_block_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 4, .unaligned = true},
    .impl = {.min_access_size = 1, .max_access_size = 4, .unaligned = true},
};

/* -- Alternate Status and Device Control --------------------------------------------- */

static uint64_t control_block_read(void *opaque, hwaddr offset, unsigned size)
{
    return ide_bus_status(opaque);
}

/* Setting SRST stops both drives at once; clearing it lets them come back, with device 0
 * selected and their signatures in the registers. */
static void control_block_write(void *opaque, hwaddr offset, uint64_t value,
                                unsigned size)
{
    IDEBus *bus = opaque;
    uint8_t changed = bus->control ^ (uint8_t)value;

    bus->control = (uint8_t)value;
    if (changed & IDE_CONTROL_SRST) {
        for (unsigned unit = 0; unit < 2; unit++) {
            IDEDrive *drive = bus->drives[unit];

            if (drive) {
                ide_drive_soft_reset(drive);
                if (value & IDE_CONTROL_SRST) {
                    drive->status = IDE_STATUS_BSY;
                }
            }
        }
        bus->selected = 0;
    }
    ide_bus_update_irq(bus);
}

static const MemoryRegionOps control_block_ops = {
    .read = control_block_read,
    .write = control_block_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 4, .unaligned = true},
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

void ide_bus_map_ports(IDEBus *bus, GObject *owner, MemoryRegion *io, uint16_t command,
                       uint16_t control)
{
    memory_region_init_io(&bus->command_block, owner, &command_block_ops, bus, "ide",
                          IDE_REGISTERS);
    memory_region_add_subregion(io, command, &bus->command_block);
    memory_region_init_io(&bus->control_block, owner, &control_block_ops, bus, "ide", 1);
    memory_region_add_subregion(io, control, &bus->control_block);
}

void ide_bus_reset(IDEBus *bus)
{
    bus->selected = 0;
    bus->control = 0;
    bus->irq_level = 0;
    irq_set(bus->irq, 0);
}
