/*
 * What a stream has of every PCI device, its configuration space and its interrupt pins,
 * and of the bus.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/pci/pci-vmstate.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/pci/pci-internal.h"
#include "hw/pci/pci-regs.h"

#define PCI_STATUS_CAPABILITY_LIST (1 << 4)
#define PCI_CAPABILITY_LIST 0x34
#define PCI_PINS 4

/* -- Configuration space ------------------------------------------------------------- */

/* Marks the bits that say which device this is: they must be the same on both sides. */
static void fixed_bits(const PCIDevice *dev, uint8_t fixed[PCI_CONFIG_SIZE])
{
    memset(fixed, 0, PCI_CONFIG_SIZE);
    memset(fixed + PCI_VENDOR_ID, 0xff, 4); /* and the device's */
    fixed[PCI_STATUS] = PCI_STATUS_CAPABILITY_LIST;
    memset(fixed + PCI_REVISION_ID, 0xff, 4); /* and the class */
    fixed[PCI_HEADER_TYPE] = 0xff;
    fixed[PCI_CAPABILITY_LIST] = 0xff;
    fixed[PCI_INTERRUPT_PIN] = 0xff;
    for (unsigned n = 0; n < PCI_BARS; n++) {
        const PCIBar *bar = &dev->bars[n];
        bool wide = n != PCI_ROM_BAR && bar->type & PCI_BAR_MEMORY_64 &&
                    !(bar->type & PCI_BAR_IO);

        if (bar->region) {
            memset(fixed + pci_bar_register(n), 0xff, wide ? 8 : 4);
        }
    }
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++) {
        fixed[i] &= (uint8_t) ~(dev->writable[i] | dev->write1_clear[i]);
    }
}

static void get_config(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    PCIDevice *dev = (PCIDevice *)((uint8_t *)value - offsetof(PCIDevice, config));
    uint8_t config[PCI_CONFIG_SIZE], fixed[PCI_CONFIG_SIZE];

    if (!wire_get_buffer(wire, config, sizeof(config))) {
        return;
    }
    fixed_bits(dev, fixed);
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++) {
        if ((config[i] ^ dev->config[i]) & fixed[i]) {
            wire_fail(wire,
                      "the stream's PCI device %02x.%x has 0x%02x in configuration byte "
                      "0x%02x, this machine's has 0x%02x: give both machines the same "
                      "devices",
                      PCI_SLOT(dev->devfn), PCI_FUNCTION(dev->devfn), config[i], i,
                      dev->config[i]);
            return;
        }
    }
    memcpy(dev->config, config, sizeof(config));
}

static void put_config(Wire *wire, const void *value, size_t size,
                       const VMStateField *field)
{
    wire_put_buffer(wire, value, PCI_CONFIG_SIZE);
}

static const VMStateInfo info_config = {
    .name = "pci config", .get = get_config, .put = put_config};

/* -- Interrupt pins ------------------------------------------------------------------ */

static void get_irq_state(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    uint8_t state = 0;

    for (unsigned pin = 0; pin < PCI_PINS; pin++) {
        uint32_t level = wire_get_be32(wire);

        if (level > 1) {
            wire_fail(wire, "a PCI interrupt pin's level is 0 or 1, not %u", level);
            return;
        }
        state |= (uint8_t)(level << pin);
    }
    *(uint8_t *)value = state;
}

static void put_irq_state(Wire *wire, const void *value, size_t size,
                          const VMStateField *field)
{
    for (unsigned pin = 0; pin < PCI_PINS; pin++) {
        wire_put_be32(wire, *(const uint8_t *)value >> pin & 1);
    }
}

static const VMStateInfo info_irq_state = {
    .name = "pci irq state", .get = get_irq_state, .put = put_irq_state};

/* -- The device ---------------------------------------------------------------------- */

static bool is_conventional(void *opaque, int version_id)
{
    return true;
}

/* Express devices have 4 KiB of configuration space; there are none here. */
static bool is_express(void *opaque, int version_id)
{
    return false;
}

/* The lines that the pins drive are the bus's and the interrupt controllers'
 * own state. */
static bool pci_device_post_load(void *opaque, int version_id, GError **error)
{
    PCIDevice *dev = opaque;
    uint16_t status = pci_get_word(dev->config + PCI_STATUS) & ~PCI_STATUS_INTERRUPT;

    pci_set_word(dev->config + PCI_STATUS,
                 dev->irq_state ? status | PCI_STATUS_INTERRUPT : status);
    pci_update_mappings(dev);
    return true;
}

static int32_t pci_device_version = 2;

static void get_version(Wire *wire, void *value, size_t size, const VMStateField *field)
{
    int32_t version = (int32_t)wire_get_be32(wire);

    if (version < 0 || version > pci_device_version) {
        wire_fail(wire, "PCI device state of version %d; this program reads up to %d",
                  version, pci_device_version);
    }
}

static void put_version(Wire *wire, const void *value, size_t size,
                        const VMStateField *field)
{
    wire_put_be32(wire, (uint32_t)pci_device_version);
}

static const VMStateInfo info_version = {
    .name = "int32 le", .get = get_version, .put = put_version};

const VMStateDescription vmstate_pci_device = {
    .name = "PCIDevice",
    .version_id = 2,
    .minimum_version_id = 1,
    .post_load = pci_device_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_ROW("version_id", 0, NULL, .flags = VMS_SINGLE, .info = &info_version,
                        .size = sizeof(int32_t)),
            VMSTATE_BUFFER_UNSAFE_INFO_TEST(config, PCIDevice, is_conventional, 0,
                                            info_config, PCI_CONFIG_SIZE),
            VMSTATE_BUFFER_UNSAFE_INFO_TEST(config, PCIDevice, is_express, 0, info_config,
                                            4096),
            VMSTATE_BUFFER_UNSAFE_INFO(irq_state, PCIDevice, 2, info_irq_state,
                                       PCI_PINS * sizeof(uint32_t)),
            VMSTATE_END_OF_LIST(),
        },
};

/* -- The bus ------------------------------------------------------------------------- */

/* How many pins hold each of the bridge's lines; a PC's bridge has four. */
enum { BRIDGE_LINES = 4 };

typedef struct WireBus {
    int32_t nirq;
    int32_t irq_count[BRIDGE_LINES];
} WireBus;

static void pci_bus_to_wire(void *opaque, void *data)
{
    const PCIBus *bus = opaque;
    WireBus *wire = data;

    wire->nirq = BRIDGE_LINES;
    for (unsigned i = 0; i < BRIDGE_LINES; i++) {
        wire->irq_count[i] = bus->irq_count[i];
    }
}

static bool pci_bus_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    PCIBus *bus = opaque;
    const WireBus *wire = data;
    const int32_t most = G_N_ELEMENTS(bus->devices) * PCI_PINS;

    for (unsigned i = 0; i < BRIDGE_LINES; i++) {
        if (wire->irq_count[i] < 0 || wire->irq_count[i] > most) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                        "%d devices hold PCI interrupt line %u: the stream is broken",
                        wire->irq_count[i], i);
            return false;
        }
        bus->irq_count[i] = wire->irq_count[i];
    }
    return true;
}

const VMStateDescription vmstate_pci_bus = {
    .name = "PCIBUS",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireBus),
    .to_wire = pci_bus_to_wire,
    .from_wire = pci_bus_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32_EQUAL(nirq, WireBus),
            VMSTATE_INT32_ARRAY(irq_count, WireBus, BRIDGE_LINES),
            VMSTATE_END_OF_LIST(),
        },
};
