/*
 * The serial EEPROM that a memory module describes itself with (SPD): 256 bytes and a
 * pointer, which a write sets and every byte moves on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/smbus.h"

#include "hw/core/vmstate.h"

#define EEPROM_BYTES 256

typedef struct SMBusEEPROM {
    SMBusDevice parent;
    uint8_t data[EEPROM_BYTES];
    uint8_t pointer; /* wraps */
    bool accessed;   /* by a guest: only then does it go into a migration stream */
} SMBusEEPROM;

DEVICE_DEFINE_TYPE(SMBusEEPROM, smbus_eeprom, "smbus-eeprom", TYPE_SMBUS_DEVICE)

static void eeprom_write(SMBusDevice *dev, const uint8_t *data, unsigned length)
{
    SMBusEEPROM *eeprom = (SMBusEEPROM *)dev;

    if (!length) {
        return;
    }
    eeprom->accessed = true;
    eeprom->pointer = data[0];
    for (unsigned i = 1; i < length; i++) {
        eeprom->data[eeprom->pointer++] = data[i];
    }
}

static uint8_t eeprom_receive(SMBusDevice *dev)
{
    SMBusEEPROM *eeprom = (SMBusEEPROM *)dev;

    eeprom->accessed = true;
    return eeprom->data[eeprom->pointer++];
}

/* What was written stays, as in the chip. */
static void smbus_eeprom_reset(Device *dev)
{
    ((SMBusEEPROM *)dev)->pointer = 0;
}

/* -- Its state in a stream ----------------------------------------------------------- */

static const VMStateDescription vmstate_slave = {
    .name = "I2CSlave",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_SINGLE(address, SMBusDevice, 0, vmstate_info_uint8_equal, uint8_t),
            VMSTATE_END_OF_LIST(),
        },
};

/* A transaction is over before anything else happens: nothing is in its buffer. */
static const VMStateDescription vmstate_device = {
    .name = "smbus-device",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_ROW("i2c", 0, NULL, .flags = VMS_STRUCT, .vmsd = &vmstate_slave,
                        .size = sizeof(SMBusDevice)),
            VMSTATE_CONSTANT("mode", int32, 0),
            VMSTATE_CONSTANT("data_len", int32, 0),
            VMSTATE_CONSTANT_ARRAY("data_buf", uint8, 2 + SMBUS_BLOCK_MAX, 0),
            VMSTATE_END_OF_LIST(),
        },
};

static bool was_accessed(void *opaque)
{
    return ((SMBusEEPROM *)opaque)->accessed;
}

static const VMStateDescription vmstate_eeprom = {
    .name = "smbus-eeprom",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = was_accessed,
    .fields =
        (const VMStateField[]){
            VMSTATE_STRUCT_AS(parent, SMBusEEPROM, "smbusdev", 0, vmstate_device,
                              SMBusDevice),
            VMSTATE_UINT8_ARRAY(data, SMBusEEPROM, EEPROM_BYTES),
            VMSTATE_AS(pointer, SMBusEEPROM, "offset", uint8),
            VMSTATE_BOOL(accessed, SMBusEEPROM),
            VMSTATE_END_OF_LIST(),
        },
};

static void smbus_eeprom_class_init(DeviceClass *klass)
{
    klass->vmsd = &vmstate_eeprom;
    klass->reset = smbus_eeprom_reset;
    SMBUS_DEVICE_CLASS(klass)->write = eeprom_write;
    SMBUS_DEVICE_CLASS(klass)->receive = eeprom_receive;
}

static const Property smbus_device_properties[] = {
    PROP_UINT8("address", SMBusDevice, address, 0, "the device's seven-bit address"),
    PROP_END,
};

static void smbus_device_class_init(SMBusDeviceClass *klass, gpointer data)
{
    klass->parent.bus_type = "i2c-bus";
    property_install_table(G_OBJECT_CLASS(klass), smbus_device_properties);
}

GType smbus_device_get_type(void)
{
    static GType type;

    if (g_once_init_enter(&type)) {
        g_once_init_leave(&type, g_type_register_static_simple(
                                     TYPE_DEVICE, g_intern_static_string("smbus-device"),
                                     sizeof(SMBusDeviceClass),
                                     (GClassInitFunc)(void *)smbus_device_class_init,
                                     sizeof(SMBusDevice), NULL, G_TYPE_FLAG_ABSTRACT));
    }
    return type;
}

#define SPD_BASE_ADDRESS 0x50
#define SPD_SOCKETS 8

bool smbus_eeproms_create(Bus *bus, GError **error)
{
    for (unsigned i = 0; i < SPD_SOCKETS; i++) {
        Device *dev = device_new(TYPE_SMBUS_EEPROM, error);

        if (!dev) {
            return false;
        }
        SMBUS_DEVICE(dev)->address = (uint8_t)(SPD_BASE_ADDRESS + i);
        if (!device_realize(dev, bus, error)) {
            return false;
        }
    }
    return true;
}
