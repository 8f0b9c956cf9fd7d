/*
 * Registers of BAR 0. Those below 0x80 take accesses of 4 bytes alone, the others of 4 or
 * 8; anything else reads as ones and is lost.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/misc/edu.h"

#include <gio/gio.h>

#include "hw/core/clock.h"
#include "hw/core/trace.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci-regs.h"

#define BAR_SIZE MiB(1)
#define MSI_OFFSET 0x40

enum {
    REGISTER_ID = 0x00,
    REGISTER_LIVENESS = 0x04, /* reads as what was written, inverted */
    REGISTER_FACTORIAL = 0x08,
    REGISTER_STATUS = 0x20,
    REGISTER_IRQ_STATUS = 0x24,
    REGISTER_IRQ_RAISE = 0x60,
    REGISTER_IRQ_ACKNOWLEDGE = 0x64,
    REGISTER_DMA_SOURCE = 0x80,
    REGISTER_DMA_DESTINATION = 0x88,
    REGISTER_DMA_COUNT = 0x90,
    REGISTER_DMA_COMMAND = 0x98,
    REGISTERS_64 = 0x80, /* from here on */
};

#define ID 0x010000ed /* version 1.0 */
#define STATUS_COMPUTING 0x01
#define STATUS_IRQ 0x80 /* an interrupt when the factorial is there */

#define IRQ_FACTORIAL 0x001
#define IRQ_DMA 0x100

#define DMA_RUN 1u
#define DMA_TO_RAM 2u /* else from there */
#define DMA_IRQ 4u
#define DMA_TIME (NANOSECONDS_PER_SECOND / 10)

#define BUFFER_START UINT64_C(0x40000) /* what DMA calls the device's own memory */
#define BUFFER_SIZE 4096u

typedef struct Edu {
    PCIDevice parent;
    MemoryRegion mmio;
    uint32_t liveness, factorial, status, irq_status;
    uint64_t source, destination, count, command;
    uint64_t dma_mask; /* address bits that its DMA has */
    Timer factorial_timer, dma_timer;
    uint8_t buffer[BUFFER_SIZE];
} Edu;

static void raise_irq(Edu *edu, uint32_t bits)
{
    edu->irq_status |= bits;
    if (!edu->irq_status) {
        return;
    }
    if (pci_msi_enabled(&edu->parent, MSI_OFFSET)) {
        pci_msi_notify(&edu->parent, MSI_OFFSET);
    } else {
        pci_set_irq(&edu->parent, 1);
    }
}

static void acknowledge_irq(Edu *edu, uint32_t bits)
{
    edu->irq_status &= ~bits;
    if (!edu->irq_status && !pci_msi_enabled(&edu->parent, MSI_OFFSET)) {
        pci_set_irq(&edu->parent, 0);
    }
}

/* Modulo 2^32, where it is 0 from 34 on. */
static void factorial_ready(void *opaque)
{
    Edu *edu = opaque;
    uint32_t product = 1;

    for (uint32_t n = edu->factorial; n > 1 && product; n--) {
        product *= n;
    }
    edu->factorial = product;
    edu->status &= ~(uint32_t)STATUS_COMPUTING;
    if (edu->status & STATUS_IRQ) {
        raise_irq(edu, IRQ_FACTORIAL);
    }
}

static bool in_buffer(uint64_t address, uint64_t count)
{
    return address >= BUFFER_START && count <= BUFFER_SIZE &&
           address - BUFFER_START <= BUFFER_SIZE - count;
}

/* What does not lie in the buffer is not transferred. */
static void dma_ready(void *opaque)
{
    Edu *edu = opaque;
    uint64_t source = edu->source, destination = edu->destination;

    if (!in_buffer(edu->command & DMA_TO_RAM ? source : destination, edu->count)) {
        trace(TRACE_GUEST_ERROR,
              "edu: DMA of 0x%" G_GINT64_MODIFIER "x bytes does not lie in "
              "its 4 KiB at 0x40000",
              edu->count);
    } else if (edu->command & DMA_TO_RAM) {
        pci_dma_write(&edu->parent, destination & edu->dma_mask,
                      edu->buffer + (source - BUFFER_START), edu->count);
    } else {
        pci_dma_read(&edu->parent, source & edu->dma_mask,
                     edu->buffer + (destination - BUFFER_START), edu->count);
    }
    edu->command &= ~(uint64_t)DMA_RUN;
    if (edu->command & DMA_IRQ) {
        raise_irq(edu, IRQ_DMA);
    }
}

static uint64_t edu_read(void *opaque, hwaddr offset, unsigned size)
{
    Edu *edu = opaque;

    if (size != 4 && (offset < REGISTERS_64 || size != 8)) {
        return UINT64_MAX;
    }
    switch (offset) {
    case REGISTER_ID:
        return ID;
    case REGISTER_LIVENESS:
        return edu->liveness;
    case REGISTER_FACTORIAL:
        return edu->factorial;
    case REGISTER_STATUS:
        return edu->status;
    case REGISTER_IRQ_STATUS:
        return edu->irq_status;
    case REGISTER_DMA_SOURCE:
        return edu->source;
    case REGISTER_DMA_DESTINATION:
        return edu->destination;
    case REGISTER_DMA_COUNT:
        return edu->count;
    case REGISTER_DMA_COMMAND:
        return edu->command;
    default:
        return UINT64_MAX;
    }
}

/* While a transfer runs its registers stand. */
static void write_dma(Edu *edu, uint64_t *field, uint64_t value)
{
    if (!(edu->command & DMA_RUN)) {
        *field = value;
    }
}

static void edu_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Edu *edu = opaque;

    if (size != 4 && (offset < REGISTERS_64 || size != 8)) {
        return;
    }
    switch (offset) {
    case REGISTER_LIVENESS:
        edu->liveness = ~(uint32_t)value;
        break;
    case REGISTER_FACTORIAL:
        if (!(edu->status & STATUS_COMPUTING)) {
            edu->factorial = (uint32_t)value;
            edu->status |= STATUS_COMPUTING;
            timer_mod(&edu->factorial_timer, clock_get_ns(CLOCK_KIND_REALTIME));
        }
        break;
    case REGISTER_STATUS:
        edu->status = (edu->status & ~(uint32_t)STATUS_IRQ) | (value & STATUS_IRQ);
        break;
    case REGISTER_IRQ_RAISE:
        raise_irq(edu, (uint32_t)value);
        break;
    case REGISTER_IRQ_ACKNOWLEDGE:
        acknowledge_irq(edu, (uint32_t)value);
        break;
    case REGISTER_DMA_SOURCE:
        write_dma(edu, &edu->source, value);
        break;
    case REGISTER_DMA_DESTINATION:
        write_dma(edu, &edu->destination, value);
        break;
    case REGISTER_DMA_COUNT:
        write_dma(edu, &edu->count, value);
        break;
    case REGISTER_DMA_COMMAND:
        if ((value & DMA_RUN) && !(edu->command & DMA_RUN)) {
            edu->command = value;
            timer_mod(&edu->dma_timer, clock_virtual_ns() + DMA_TIME);
        }
        break;
    default:
        break;
    }
}

static const MemoryRegionOps edu_ops = {
    .read = edu_read,
    .write = edu_write,
    .valid = {.min_access_size = 4, .max_access_size = 8},
    .impl = {.min_access_size = 4, .max_access_size = 8},
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static bool edu_realize(Device *dev, GError **error)
{
    Edu *edu = (Edu *)dev;

    if (!pci_device_realize(dev, error)) {
        return false;
    }
    edu->parent.config[PCI_INTERRUPT_PIN] = 1;
    pci_msi_init(&edu->parent, MSI_OFFSET);
    timer_init(&edu->factorial_timer, CLOCK_KIND_REALTIME, factorial_ready, edu);
    timer_init(&edu->dma_timer, CLOCK_KIND_VIRTUAL, dma_ready, edu);
    memory_region_init_io(&edu->mmio, G_OBJECT(dev), &edu_ops, edu, "edu-mmio", BAR_SIZE);
    pci_register_bar(&edu->parent, 0, 0, &edu->mmio);
    return true;
}

static void edu_unrealize(Device *dev)
{
    Edu *edu = (Edu *)dev;

    timer_del(&edu->factorial_timer);
    timer_del(&edu->dma_timer);
    pci_device_unrealize(dev);
}

/* QEMU's has no reset of its own; one that forgets what it was doing is what RST# asks
 * for (PCI 2.1, 2.2.1). */
static void edu_reset(Device *dev)
{
    Edu *edu = (Edu *)dev;

    timer_del(&edu->factorial_timer);
    timer_del(&edu->dma_timer);
    edu->status = edu->irq_status = 0;
    edu->command = 0;
    pci_msi_reset(&edu->parent, MSI_OFFSET);
    pci_device_reset(dev);
}

static const Property edu_properties[] = {
    PROP_UINT64("dma_mask", Edu, dma_mask, (UINT64_C(1) << 28) - 1,
                "the address bits that its DMA reaches"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(Edu, edu, "edu", TYPE_PCI_DEVICE)

static void edu_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    pci->vendor_id = 0x1234;
    pci->device_id = 0x11e8;
    pci->revision = 0x10;
    pci->class_id = 0x00ff;
    klass->user_creatable = true;
    klass->realize = edu_realize;
    klass->unrealize = edu_unrealize;
    klass->reset = edu_reset;
    property_install_table(G_OBJECT_CLASS(klass), edu_properties);
}
