/*
 * SMBus: the host controller of the 82371AB (PIIX4), its bus and the devices on it
 * (System Management Bus specification 1.1, section 5.5: the protocols).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_ACPI_SMBUS_H
#define HW_ACPI_SMBUS_H

#include "hw/core/bus.h"

/* -- The bus and what sits on it ----------------------------------------------------- */

typedef struct SMBusDevice {
    Device parent;
    uint8_t address; /* seven bits */
} SMBusDevice;

typedef struct SMBusDeviceClass {
    DeviceClass parent;
    /* The master writes: `data` is what follows the address byte, 0..34 bytes. */
    void (*write)(SMBusDevice *dev, const uint8_t *data, unsigned length);
    /* The master reads one byte more. */
    uint8_t (*receive)(SMBusDevice *dev);
} SMBusDeviceClass;

GType smbus_get_type(void);
GType smbus_device_get_type(void);
GType smbus_eeprom_get_type(void);
#define TYPE_SMBUS (smbus_get_type())
#define TYPE_SMBUS_DEVICE (smbus_device_get_type())
#define TYPE_SMBUS_EEPROM (smbus_eeprom_get_type())
#define SMBUS_DEVICE(object)                                                             \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_SMBUS_DEVICE, SMBusDevice))
#define SMBUS_DEVICE_CLASS(klass)                                                        \
    (G_TYPE_CHECK_CLASS_CAST((klass), TYPE_SMBUS_DEVICE, SMBusDeviceClass))
#define SMBUS_DEVICE_GET_CLASS(object)                                                   \
    (G_TYPE_INSTANCE_GET_CLASS((object), TYPE_SMBUS_DEVICE, SMBusDeviceClass))

/* The device at a seven-bit address, or NULL. */
SMBusDevice *smbus_find(Bus *bus, uint8_t address);

/* A PC's eight memory sockets: EEPROMs of 256 zeroes at 0x50-0x57. */
bool smbus_eeproms_create(Bus *bus, GError **error);

/* -- The host controller ------------------------------------------------------------- */

#define SMBUS_BLOCK_MAX 32

typedef struct SMBusHost {
    MemoryRegion region; /* "pm-smbus", 64 bytes of ports */
    Bus *bus;            /* "i2c" */
    uint8_t status, control, command, address, data[2];
    uint8_t block[SMBUS_BLOCK_MAX];
    uint8_t block_index;
    bool pending; /* START was written: the transaction runs at the next look at status */
    void (*irq_changed)(void *opaque, bool level);
    void *opaque;
} SMBusHost;

/* Makes the region and the bus; the caller places the region. */
void smbus_host_init(SMBusHost *host, Device *owner,
                     void (*irq_changed)(void *opaque, bool level), void *opaque);
void smbus_host_reset(SMBusHost *host);
/* After its members were loaded: the interrupt. */
void smbus_host_state_loaded(SMBusHost *host);

#endif
