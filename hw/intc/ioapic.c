/*
 * I/O APIC (82093AA data sheet; version 0x20 with its EOI register, as QEMU's).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/intc/apic.h"

#include <string.h>

#define IOAPIC_ADDRESS UINT64_C(0xfec00000)
#define IOAPIC_VERSION 0x20u

/* A redirection entry (3.2.4) */
#define ENTRY_LOGICAL (UINT64_C(1) << 11)
#define ENTRY_STATUS (UINT64_C(1) << 12)
#define ENTRY_REMOTE_IRR (UINT64_C(1) << 14)
#define ENTRY_LEVEL (UINT64_C(1) << 15)
#define ENTRY_MASKED (UINT64_C(1) << 16)
#define ENTRY_READ_ONLY (ENTRY_STATUS | ENTRY_REMOTE_IRR)

enum { REG_SELECT = 0x00, REG_WINDOW = 0x10, REG_EOI = 0x40 };
enum { INDEX_ID = 0, INDEX_VERSION = 1, INDEX_ARBITRATION = 2, INDEX_REDIRECTION = 0x10 };

static IOAPIC *the_ioapic;

static void service(IOAPIC *ioapic, unsigned pin)
{
    uint64_t *entry = &ioapic->redirection[pin];
    bool level = *entry & ENTRY_LEVEL;
    APICMessage message = {
        .destination = (uint8_t)(*entry >> 56),
        .logical = *entry & ENTRY_LOGICAL,
        .delivery_mode = *entry >> 8 & 7,
        .vector = (uint8_t)*entry,
        .level = level,
    };

    if (!(ioapic->irr >> pin & 1) || *entry & ENTRY_MASKED ||
        (level && *entry & ENTRY_REMOTE_IRR)) {
        return;
    }
    if (level) {
        *entry |= ENTRY_REMOTE_IRR;
    } else {
        ioapic->irr &= ~(1u << pin);
    }
    apic_bus_send(&message);
}

static void set_pin(void *opaque, int n, int level)
{
    IOAPIC *ioapic = opaque;
    uint32_t bit = 1u << n;
    bool was = ioapic->lines & bit;

    ioapic->lines = level ? ioapic->lines | bit : ioapic->lines & ~bit;
    if (ioapic->redirection[n] & ENTRY_LEVEL) {
        ioapic->irr = level ? ioapic->irr | bit : ioapic->irr & ~bit;
    } else if (level && !was && !(ioapic->redirection[n] & ENTRY_MASKED)) {
        ioapic->irr |= bit;
    }
    service(ioapic, (unsigned)n);
}

void ioapic_end_of_interrupt(uint8_t vector)
{
    IOAPIC *ioapic = the_ioapic;

    for (unsigned pin = 0; ioapic && pin < IOAPIC_PINS; pin++) {
        uint64_t *entry = &ioapic->redirection[pin];

        if ((uint8_t)*entry == vector && *entry & ENTRY_LEVEL) {
            *entry &= ~ENTRY_REMOTE_IRR;
            service(ioapic, pin);
        }
    }
}

static uint32_t read_window(const IOAPIC *ioapic)
{
    unsigned n = ioapic->select - INDEX_REDIRECTION;

    switch (ioapic->select) {
    case INDEX_ID:
    case INDEX_ARBITRATION:
        return ioapic->id << 24;
    case INDEX_VERSION:
        return IOAPIC_VERSION | (IOAPIC_PINS - 1) << 16;
    default:
        return ioapic->select >= INDEX_REDIRECTION && n / 2 < IOAPIC_PINS
                   ? (uint32_t)(ioapic->redirection[n / 2] >> 32 * (n & 1))
                   : 0;
    }
}

static void write_window(IOAPIC *ioapic, uint32_t value)
{
    unsigned n = ioapic->select - INDEX_REDIRECTION;
    uint64_t *entry;

    if (ioapic->select == INDEX_ID) {
        ioapic->id = value >> 24 & 0xf;
    }
    if (ioapic->select < INDEX_REDIRECTION || n / 2 >= IOAPIC_PINS) {
        return;
    }
    entry = &ioapic->redirection[n / 2];
    if (n & 1) {
        *entry = (*entry & UINT32_MAX) | (uint64_t)value << 32;
    } else {
        *entry = (*entry & (~(uint64_t)UINT32_MAX | ENTRY_READ_ONLY)) |
                 (value & ~ENTRY_READ_ONLY & UINT32_MAX);
        if (!(*entry & ENTRY_LEVEL)) {
            *entry &= ~ENTRY_REMOTE_IRR;
        } else if (ioapic->lines >> (n / 2) & 1) {
            ioapic->irr |= 1u << (n / 2);
        }
    }
    service(ioapic, n / 2);
}

static uint64_t ioapic_read(void *opaque, hwaddr offset, unsigned size)
{
    IOAPIC *ioapic = opaque;

    return offset == REG_SELECT ? ioapic->select
           : offset == REG_WINDOW && size == 4 ? read_window(ioapic)
                                               : 0;
}

static void ioapic_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    IOAPIC *ioapic = opaque;

    if (offset == REG_SELECT) {
        ioapic->select = (uint8_t)value;
    } else if (offset == REG_WINDOW && size == 4) {
        write_window(ioapic, (uint32_t)value);
    } else if (offset == REG_EOI && size == 4) {
        ioapic_end_of_interrupt((uint8_t)value);
    }
}

static const MemoryRegionOps ioapic_ops = {
    .read = ioapic_read,
    .write = ioapic_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static bool ioapic_realize(Device *dev, GError **error)
{
    device_init_gpio_in(dev, set_pin, IOAPIC_PINS);
    return true;
}

static void ioapic_reset(Device *dev)
{
    IOAPIC *ioapic = (IOAPIC *)dev;

    ioapic->id = ioapic->select = ioapic->irr = 0;
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        ioapic->redirection[i] = ENTRY_MASKED;
    }
}

DEVICE_DEFINE_TYPE(IOAPIC, ioapic, "ioapic", TYPE_DEVICE)

static void ioapic_class_init(DeviceClass *klass)
{
    klass->desc = "I/O APIC";
    klass->realize = ioapic_realize;
    klass->reset = ioapic_reset;
}

IOAPIC *ioapic_new(Device *parent, MemoryRegion *memory, GError **error)
{
    Device *dev = device_new(TYPE_IOAPIC, error);
    IOAPIC *ioapic = (IOAPIC *)dev;

    if (!dev) {
        return NULL;
    }
    device_set_name(dev, parent, "ioapic");
    if (!device_realize(dev, NULL, error)) {
        return NULL;
    }
    memory_region_init_io(&ioapic->io, G_OBJECT(dev), &ioapic_ops, ioapic, "ioapic", 0x1000);
    memory_region_add_subregion(memory, IOAPIC_ADDRESS, &ioapic->io);
    the_ioapic = ioapic;
    return ioapic;
}

static void set_line(void *opaque, int n, int level)
{
    IOAPIC *ioapic = opaque;

    if (n < 16) {
        irq_set(&ioapic->pic_lines[n], level);
    }
    set_pin(ioapic, n == 0 ? 2 : n, level);
}

IRQ *ioapic_new_lines(IOAPIC *ioapic, IRQ *pic_lines)
{
    ioapic->pic_lines = pic_lines;
    return irq_new_array(set_line, ioapic, 0, IOAPIC_PINS);
}
