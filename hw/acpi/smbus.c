/*
 * The SMBus host controller: registers of the 82371AB data sheet, section 7.3.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/smbus.h"

#include "hw/core/vmstate.h"

BUS_DEFINE_TYPE(Bus, smbus, "i2c-bus", TYPE_BUS)

static void smbus_class_init(BusClass *klass)
{
    klass->bus_type = "i2c-bus";
}

SMBusDevice *smbus_find(Bus *bus, uint8_t address)
{
    for (guint i = 0; i < bus->children->len; i++) {
        SMBusDevice *dev = SMBUS_DEVICE(bus->children->pdata[i]);

        if (dev->address == address) {
            return dev;
        }
    }
    return NULL;
}

/* -- Registers ----------------------------------------------------------------------- */

#define REGISTERS_SIZE 0x40

enum {
    SMBHSTSTS = 0x00,
    SMBHSTCNT = 0x02,
    SMBHSTCMD = 0x03,
    SMBHSTADD = 0x04, /* bit 0: 1 reads */
    SMBHSTDAT0 = 0x05,
    SMBHSTDAT1 = 0x06,
    SMBBLKDAT = 0x07,
    SMBAUXCTL = 0x0d, /* of the later ICH; bit 1: the block buffer is there */
};

enum {
    STS_HOST_BUSY = 1 << 0,
    STS_INTR = 1 << 1, /* done */
    STS_DEV_ERR = 1 << 2,
    STS_FAILED = 1 << 4, /* killed */
    STS_CLEARABLE = 0x1e,
};

enum {
    CNT_INTEREN = 1 << 0,
    CNT_KILL = 1 << 1,
    CNT_PROTOCOL_SHIFT = 2, /* three bits */
    CNT_START = 1 << 6,     /* write-only */
    CNT_READABLE = 0x1f,
};

enum {
    PROTOCOL_QUICK = 0,
    PROTOCOL_BYTE = 1,
    PROTOCOL_BYTE_DATA = 2,
    PROTOCOL_WORD_DATA = 3,
    PROTOCOL_BLOCK = 5,
};

#define AUXCTL_BLOCK_BUFFER 2

/* -- Transactions -------------------------------------------------------------------- */

static void write_to(SMBusHost *host, SMBusDevice *dev, unsigned protocol)
{
    SMBusDeviceClass *klass = SMBUS_DEVICE_GET_CLASS(dev);
    uint8_t bytes[2 + SMBUS_BLOCK_MAX] = {host->command, host->data[0], host->data[1]};
    unsigned count = MIN(host->data[0], SMBUS_BLOCK_MAX);

    switch (protocol) {
    case PROTOCOL_BLOCK: /* the count goes over the wire as well */
        bytes[1] = (uint8_t)count;
        memcpy(bytes + 2, host->block, count);
        klass->write(dev, bytes, 2 + count);
        break;
    case PROTOCOL_QUICK:
        klass->write(dev, bytes, 0);
        break;
    default:
        klass->write(dev, bytes, protocol);
        break;
    }
}

static void read_from(SMBusHost *host, SMBusDevice *dev, unsigned protocol)
{
    SMBusDeviceClass *klass = SMBUS_DEVICE_GET_CLASS(dev);

    if (protocol == PROTOCOL_QUICK) {
        return;
    }
    if (protocol != PROTOCOL_BYTE) {
        klass->write(dev, &host->command, 1);
    }
    host->data[0] = klass->receive(dev);
    if (protocol == PROTOCOL_WORD_DATA) {
        host->data[1] = klass->receive(dev);
    } else if (protocol == PROTOCOL_BLOCK) {
        host->data[0] = MIN(host->data[0], SMBUS_BLOCK_MAX);
        for (unsigned i = 0; i < host->data[0]; i++) {
            host->block[i] = klass->receive(dev);
        }
        host->block_index = 0;
    }
}

static void update_irq(SMBusHost *host)
{
    host->irq_changed(host->opaque,
                      host->control & CNT_INTEREN && host->status & STS_CLEARABLE);
}

static void run_transaction(SMBusHost *host)
{
    unsigned protocol = host->control >> CNT_PROTOCOL_SHIFT & 7;
    SMBusDevice *dev = smbus_find(host->bus, host->address >> 1);
    bool known = protocol <= PROTOCOL_WORD_DATA || protocol == PROTOCOL_BLOCK;

    host->pending = false;
    host->status &= ~STS_HOST_BUSY;
    if (!dev || !known) {
        host->status |= STS_DEV_ERR;
    } else {
        (host->address & 1 ? read_from : write_to)(host, dev, protocol);
        host->status |= STS_INTR;
    }
    update_irq(host);
}

/* A driver that polls waits to see the controller busy before it looks for the end; so
 * the transaction waits for the first look. One that asked for an interrupt gets it at
 * once. */
static void write_control(SMBusHost *host, uint8_t value)
{
    host->control = value & CNT_READABLE & ~CNT_KILL;
    if (value & CNT_KILL) {
        if (host->pending) {
            host->pending = false;
            host->status = (host->status & ~STS_HOST_BUSY) | STS_FAILED;
        }
    } else if (value & CNT_START && !host->pending) {
        host->pending = true;
        host->status |= STS_HOST_BUSY;
        host->block_index = 0;
        if (value & CNT_INTEREN) {
            run_transaction(host);
        }
    }
    update_irq(host);
}

/* -- Accesses ------------------------------------------------------------------------ */

static uint8_t *block_byte(SMBusHost *host)
{
    uint8_t *byte = &host->block[host->block_index];
    unsigned wrap = host->data[0] && host->data[0] <= SMBUS_BLOCK_MAX ? host->data[0]
                                                                      : SMBUS_BLOCK_MAX;

    host->block_index = (uint8_t)((host->block_index + 1u) % wrap);
    return byte;
}

static uint64_t smbus_read(void *opaque, hwaddr offset, unsigned size)
{
    SMBusHost *host = opaque;
    uint8_t status = host->status;

    switch (offset) {
    case SMBHSTSTS:
        if (host->pending) {
            run_transaction(host);
        }
        return status;
    case SMBHSTCNT: /* reading it also points SMBBLKDAT at the first byte */
        host->block_index = 0;
        return host->control;
    case SMBHSTCMD:
        return host->command;
    case SMBHSTADD:
        return host->address;
    case SMBHSTDAT0:
    case SMBHSTDAT1:
        return host->data[offset - SMBHSTDAT0];
    case SMBBLKDAT:
        return *block_byte(host);
    case SMBAUXCTL:
        return AUXCTL_BLOCK_BUFFER;
    default:
        return 0;
    }
}

static void smbus_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    SMBusHost *host = opaque;
    uint8_t byte = (uint8_t)value;

    switch (offset) {
    case SMBHSTSTS:
        host->status &= ~(byte & STS_CLEARABLE);
        host->block_index = 0;
        update_irq(host);
        break;
    case SMBHSTCNT:
        write_control(host, byte);
        break;
    case SMBHSTCMD:
        host->command = byte;
        break;
    case SMBHSTADD:
        host->address = byte;
        break;
    case SMBHSTDAT0:
    case SMBHSTDAT1:
        host->data[offset - SMBHSTDAT0] = byte;
        break;
    case SMBBLKDAT:
        *block_byte(host) = byte;
        break;
    default:
        break;
    }
}

static const MemoryRegionOps smbus_ops = {
    .read = smbus_read,
    .write = smbus_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 1},
};

void smbus_host_reset(SMBusHost *host)
{
    host->status = host->control = host->command = host->address = 0;
    memset(host->data, 0, sizeof(host->data));
    memset(host->block, 0, sizeof(host->block));
    host->block_index = 0;
    host->pending = false;
    update_irq(host);
}

void smbus_host_state_loaded(SMBusHost *host)
{
    host->control &= CNT_READABLE & ~CNT_KILL;
    update_irq(host);
}

/* Transactions take no time, so that the bus is always free: no address to remember. */
static const VMStateDescription vmstate_smbus = {
    .name = "i2c_bus",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_CONSTANT("saved_address", uint8, 0xff),
            VMSTATE_END_OF_LIST(),
        },
};

void smbus_host_init(SMBusHost *host, Device *owner,
                     void (*irq_changed)(void *opaque, bool level), void *opaque)
{
    host->irq_changed = irq_changed;
    host->opaque = opaque;
    host->bus = bus_new(TYPE_SMBUS, owner, "i2c");
    vmstate_register(NULL, VMSTATE_INSTANCE_ID_ANY, &vmstate_smbus, host->bus);
    memory_region_init_io(&host->region, G_OBJECT(owner), &smbus_ops, host, "pm-smbus",
                          REGISTERS_SIZE);
}
