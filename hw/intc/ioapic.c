/*
 * I/O APIC. Section numbers are those of the 82093AA's data sheet.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/intc/ioapic.h"

#include <string.h>

#include "hw/intc/apic.h"
#include "memory/access.h"

/* 3.1: two registers are seen, through which the others are reached. */
enum { IOREGSEL = 0x00, IOWIN = 0x10, EOI = 0x40 };
enum {
    REG_ID = 0x00,
    REG_VERSION = 0x01,
    REG_ARBITRATION = 0x02,
    REG_REDIRECTION = 0x10
};

/* 3.2.4: a redirection entry. */
#define VECTOR(entry) ((uint8_t)(entry))
#define DELIVERY(entry) ((unsigned)((entry) >> 8 & 7))
#define LOGICAL(entry) ((unsigned)((entry) >> 11 & 1))
#define DESTINATION(entry) ((entry) >> 56)
#define DELIVERY_STATUS (UINT64_C(1) << 12)
#define REMOTE_IRR (UINT64_C(1) << 14)
#define LEVEL (UINT64_C(1) << 15)
#define MASKED (UINT64_C(1) << 16)
#define READ_ONLY (DELIVERY_STATUS | REMOTE_IRR)
#define WRITABLE (UINT64_C(0xff0000000001afff))

#define VERSION_WITH_EOI 0x20

/* -- Interrupts ------------------------------------------------------------------ */

/* Writes the message that the entry describes (Intel SDM volume 3, 11.11). */
static void send(IOAPIC *ioapic, uint64_t entry)
{
    hwaddr address = APIC_WINDOW_ADDRESS | DESTINATION(entry) << 12 | LOGICAL(entry) << 2;
    uint32_t data =
        VECTOR(entry) | DELIVERY(entry) << 8 | 1u << 14 | (entry & LEVEL ? 1u << 15 : 0);

    address_space_stl_le(ioapic->memory, address, data, MEMTXATTRS_UNSPECIFIED, NULL);
}

/* A level becomes a message once, and again after the EOI while it lasts. */
static void serve_level(IOAPIC *ioapic, unsigned pin)
{
    uint64_t *entry = &ioapic->redirection[pin];

    if (ioapic->lines >> pin & 1 && *entry & LEVEL && !(*entry & (MASKED | REMOTE_IRR))) {
        *entry |= REMOTE_IRR;
        send(ioapic, *entry);
    }
}

/* Input 0 is a PC's interrupt line 0, the timer's, which is wired to pin 2 (the MADT says
 * so too); a harness that listens hears of it as 0. */
static void set_pin(void *opaque, int input, int level)
{
    IOAPIC *ioapic = opaque;
    int pin = input == 0 ? 2 : input;
    uint64_t entry = ioapic->redirection[pin];
    uint32_t bit = UINT32_C(1) << pin;
    bool rises = level && !(ioapic->lines & bit);

    irq_counts_note(&ioapic->counts, input, level);
    ioapic->lines = level ? ioapic->lines | bit : ioapic->lines & ~bit;
    if (entry & LEVEL) {
        serve_level(ioapic, (unsigned)pin);
    } else if (rises && !(entry & MASKED)) { /* 3.2.4, bit 16: masked edges are lost */
        send(ioapic, entry);
    }
}

void ioapic_end_of_interrupt(void *opaque, uint8_t vector)
{
    IOAPIC *ioapic = opaque;

    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t *entry = &ioapic->redirection[pin];

        if (VECTOR(*entry) == vector && *entry & REMOTE_IRR) {
            *entry &= ~REMOTE_IRR;
            serve_level(ioapic, pin);
        }
    }
}

const IRQCounts *ioapic_irq_counts(Device *dev)
{
    return &IOAPIC(dev)->counts;
}

/* -- Registers ------------------------------------------------------------------- */

static uint32_t read_selected(const IOAPIC *ioapic)
{
    unsigned n = ioapic->selected - REG_REDIRECTION;

    switch (ioapic->selected) {
    case REG_ID:
    case REG_ARBITRATION: /* 3.2.3: takes the id's value when that is written */
        return (uint32_t)ioapic->id << 24;
    case REG_VERSION:
        return ioapic->version | (IOAPIC_PINS - 1) << 16;
    default:
        return ioapic->selected >= REG_REDIRECTION && n / 2 < IOAPIC_PINS
                   ? (uint32_t)(ioapic->redirection[n / 2] >> (n % 2 * 32))
                   : 0;
    }
}

static void write_redirection(IOAPIC *ioapic, unsigned pin, uint64_t value)
{
    uint64_t *entry = &ioapic->redirection[pin];

    *entry = (value & WRITABLE) | (*entry & READ_ONLY);
    /* Remote IRR belongs to a level. Software of old turned an entry to edge and back to
     * clear it, for want of an EOI register. */
    if (!(*entry & LEVEL)) {
        *entry &= ~REMOTE_IRR;
    }
    serve_level(ioapic, pin);
}

static void write_selected(IOAPIC *ioapic, uint32_t value)
{
    unsigned n = ioapic->selected - REG_REDIRECTION;

    if (ioapic->selected == REG_ID) {
        ioapic->id = value >> 24 & 0xf;
    } else if (ioapic->selected >= REG_REDIRECTION && n / 2 < IOAPIC_PINS) {
        uint64_t old = ioapic->redirection[n / 2];

        write_redirection(ioapic, n / 2,
                          n % 2 ? (old & UINT32_MAX) | (uint64_t)value << 32
                                : (old & ~(uint64_t)UINT32_MAX) | value);
    }
}

static uint64_t ioapic_read(void *opaque, hwaddr offset, unsigned size)
{
    const IOAPIC *ioapic = opaque;

    switch (offset) {
    case IOREGSEL:
        return ioapic->selected;
    case IOWIN:
        return size == 4 ? read_selected(ioapic) : 0;
    default:
        return 0;
    }
}

static void ioapic_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    IOAPIC *ioapic = opaque;

    if (offset == IOREGSEL) {
        ioapic->selected = (uint8_t)value;
    } else if (offset == IOWIN && size == 4) {
        write_selected(ioapic, (uint32_t)value);
    } else if (offset == EOI && size == 4 && ioapic->version >= VERSION_WITH_EOI) {
        ioapic_end_of_interrupt(ioapic, (uint8_t)value);
    }
}

static const MemoryRegionOps ioapic_ops = {
    .read = ioapic_read,
    .write = ioapic_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* -- The device ------------------------------------------------------------------ */

static void ioapic_reset(Device *dev)
{
    IOAPIC *ioapic = IOAPIC(dev);

    ioapic->id = ioapic->selected = 0;
    ioapic->lines = 0;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        ioapic->redirection[pin] = MASKED;
    }
}

static bool ioapic_realize(Device *dev, GError **error)
{
    IOAPIC *ioapic = IOAPIC(dev);

    device_init_gpio_in(dev, set_pin, IOAPIC_PINS);
    memory_region_init_io(&ioapic->io, G_OBJECT(dev), &ioapic_ops, ioapic, "ioapic",
                          0x1000);
    return true;
}

static void ioapic_to_wire(void *opaque, void *data)
{
    const IOAPIC *ioapic = opaque;
    IOAPICWire *wire = data;

    *wire = (IOAPICWire){.id = ioapic->id, .ioregsel = ioapic->selected};
    memcpy(wire->ioredtbl, ioapic->redirection, sizeof(wire->ioredtbl));
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if (ioapic->redirection[pin] & LEVEL) {
            wire->irr |= ioapic->lines & UINT32_C(1) << pin;
        }
    }
}

/* QEMU's irr has a bit of an edge that is not served yet, and of a level while it lasts:
 * ours are the levels, and an edge is served at once. Lines that are high pull again when
 * the devices that pull them arrive. */
static bool ioapic_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    IOAPIC *ioapic = opaque;
    const IOAPICWire *wire = data;

    ioapic->id = wire->id & 0xf;
    ioapic->selected = wire->ioregsel;
    ioapic->lines = 0;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t entry = wire->ioredtbl[pin];

        ioapic->redirection[pin] = entry & (WRITABLE | READ_ONLY);
        if (entry & LEVEL) {
            ioapic->lines |= wire->irr & UINT32_C(1) << pin;
        }
    }
    return true;
}

const VMStateField ioapic_wire_fields[] = {
    VMSTATE_UINT8(id, IOAPICWire),
    VMSTATE_UINT8(ioregsel, IOAPICWire),
    VMSTATE_UNUSED_V(2, 8), /* what version 2 had before version 3 */
    VMSTATE_UINT32_V(irr, IOAPICWire, 2),
    VMSTATE_UINT64_ARRAY(ioredtbl, IOAPICWire, IOAPIC_PINS),
    VMSTATE_END_OF_LIST(),
};

static const VMStateDescription vmstate_ioapic = {
    .name = "ioapic",
    .version_id = 3,
    .minimum_version_id = 1,
    .wire_size = sizeof(IOAPICWire),
    .to_wire = ioapic_to_wire,
    .from_wire = ioapic_from_wire,
    .fields = ioapic_wire_fields,
};

static const Property ioapic_properties[] = {
    PROP_UINT8("version", IOAPIC, version, VERSION_WITH_EOI, "low byte of register 1"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(IOAPIC, ioapic, "ioapic", TYPE_DEVICE)

static void ioapic_class_init(DeviceClass *klass)
{
    klass->desc = "I/O APIC";
    klass->realize = ioapic_realize;
    klass->reset = ioapic_reset;
    klass->vmsd = &vmstate_ioapic;
    property_install_table(G_OBJECT_CLASS(klass), ioapic_properties);
}

IOAPIC *ioapic_new(Device *parent, AddressSpace *memory, GError **error)
{
    Device *dev = device_new(TYPE_IOAPIC, error);

    if (!dev) {
        return NULL;
    }
    device_set_name(dev, parent, "ioapic");
    if (!device_realize(dev, NULL, error)) {
        return NULL;
    }
    IOAPIC(dev)->memory = memory;
    memory_region_add_subregion(memory->root, IOAPIC_ADDRESS, &IOAPIC(dev)->io);
    return IOAPIC(dev);
}
