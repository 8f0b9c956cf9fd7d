/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/misc/pc-testdev.h"

#include <string.h>

#define PORT_DATA 0xe0
#define PORT_FLUSH 0xe4
#define PORT_DATA_BYTES 0xe8 /* the same data, a byte at a time */
#define PORT_IRQS 0x2000
#define IRQ_LINES 24 /* an I/O APIC's; the ISA bus has the lower ones */
#define MEMORY_BASE 0xff000000
#define MEMORY_SIZE 0x10000

typedef struct PCTestdev {
    ISADevice parent;
    MemoryRegion data_io, data_byte_io, flush_io, irq_io, memory_io;
    uint8_t data[4];
    uint8_t *memory; /* MEMORY_SIZE bytes */
} PCTestdev;

/* Little-endian bytes that keep what is written; accesses stay inside the region. */
static uint64_t load(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, bytes, size);
    return GUINT64_FROM_LE(value);
}

static void store(uint8_t *bytes, uint64_t value, unsigned size)
{
    value = GUINT64_TO_LE(value);
    memcpy(bytes, &value, size);
}

static uint64_t data_read(void *opaque, hwaddr offset, unsigned size)
{
    PCTestdev *testdev = opaque;

    return load(testdev->data + offset, size);
}

static void data_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PCTestdev *testdev = opaque;

    store(testdev->data + offset, value, size);
}

static uint64_t memory_read(void *opaque, hwaddr offset, unsigned size)
{
    PCTestdev *testdev = opaque;

    return load(testdev->memory + offset, size);
}

static void memory_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PCTestdev *testdev = opaque;

    store(testdev->memory + offset, value, size);
}

static uint64_t no_read(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void irq_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PCTestdev *testdev = opaque;
    IRQ *irq = isa_device_irq(&testdev->parent, (unsigned)offset);

    if (irq) {
        irq_set(irq, value != 0);
    }
}

/* QEMU changes the page's protection, so that the host drops its translations, KVM's too.
 * The guest cannot see whether that happened. */
static void flush_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps data_ops = {
    .read = data_read,
    .write = data_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static const MemoryRegionOps data_byte_ops = {
    .read = data_read,
    .write = data_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static const MemoryRegionOps flush_ops = {
    .read = no_read,
    .write = flush_write,
    .valid = {.min_access_size = 4, .max_access_size = 4},
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static const MemoryRegionOps irq_ops = {
    .read = no_read,
    .write = irq_write,
    .valid = {.min_access_size = 1, .max_access_size = 1},
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static const MemoryRegionOps memory_ops = {
    .read = memory_read,
    .write = memory_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static bool pc_testdev_realize(Device *dev, GError **error)
{
    PCTestdev *testdev = (PCTestdev *)dev;
    ISABus *isa = isa_device_bus(&testdev->parent);
    const struct {
        MemoryRegion *region;
        const MemoryRegionOps *ops;
        const char *name;
        unsigned size;
        uint16_t port;
    } ports[] = {
        {&testdev->data_io, &data_ops, "pc-testdev-ioport", 4, PORT_DATA},
        {&testdev->data_byte_io, &data_byte_ops, "pc-testdev-ioport-byte", 4,
         PORT_DATA_BYTES},
        {&testdev->flush_io, &flush_ops, "pc-testdev-flush-page", 4, PORT_FLUSH},
        {&testdev->irq_io, &irq_ops, "pc-testdev-irq-line", IRQ_LINES, PORT_IRQS},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        memory_region_init_io(ports[i].region, G_OBJECT(dev), ports[i].ops, testdev,
                              ports[i].name, ports[i].size);
        isa_register_ioport(&testdev->parent, ports[i].region, ports[i].port);
    }
    testdev->memory = g_malloc0(MEMORY_SIZE);
    memory_region_init_io(&testdev->memory_io, G_OBJECT(dev), &memory_ops, testdev,
                          "pc-testdev-iomem", MEMORY_SIZE);
    memory_region_add_subregion(isa->memory, MEMORY_BASE, &testdev->memory_io);
    return true;
}

DEVICE_DEFINE_TYPE(PCTestdev, pc_testdev, "pc-testdev", TYPE_ISA_DEVICE)

static void pc_testdev_class_init(DeviceClass *klass)
{
    klass->user_creatable = true;
    klass->realize = pc_testdev_realize;
}
