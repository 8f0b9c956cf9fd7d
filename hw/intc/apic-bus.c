/*
 * The bus between APICs: who takes a message, and the window for those that are written
 * to memory. Section numbers are those of the Intel SDM, volume 3, chapter 11.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/intc/apic.h"

#define PAGE 0x1000u
#define BROADCAST 0xff
#define FLAT_MODEL 0xf0000000u

/* -- Destinations (11.6.2) ------------------------------------------------------- */

static bool is_addressed(const APIC *apic, const APICMessage *message)
{
    uint8_t destination = message->destination;

    if (!message->logical) {
        return destination == BROADCAST || destination == apic->id;
    }
    if ((apic->destination_format & FLAT_MODEL) == FLAT_MODEL) {
        return destination & apic->logical_id;
    }
    /* Cluster model: the cluster's number above, members as a set below. */
    return destination == BROADCAST || (destination >> 4 == apic->logical_id >> 4 &&
                                        destination & apic->logical_id & 0xf);
}

/* 11.6.2.4: the processor that works at the lowest priority; the first of equals. */
static APIC *lowest_priority(const APICBus *bus, const APICMessage *message)
{
    APIC *lowest = NULL;

    for (guint i = 0; i < bus->apics->len; i++) {
        APIC *apic = bus->apics->pdata[i];

        if (is_addressed(apic, message) && apic_is_software_enabled(apic) &&
            (!lowest ||
             apic_processor_priority(apic) < apic_processor_priority(lowest))) {
            lowest = apic;
        }
    }
    return lowest;
}

void apic_bus_deliver(APICBus *bus, const APICMessage *message)
{
    if (message->delivery == APIC_LOWEST_PRIORITY) {
        APIC *apic = lowest_priority(bus, message);

        if (apic) {
            apic_receive(apic, message);
        }
        return;
    }
    for (guint i = 0; i < bus->apics->len; i++) {
        if (is_addressed(bus->apics->pdata[i], message)) {
            apic_receive(bus->apics->pdata[i], message);
        }
    }
}

/* 11.11.1 and 11.11.2 */
void apic_bus_write_msi(APICBus *bus, hwaddr address, uint32_t data)
{
    apic_bus_deliver(bus, &(APICMessage){
                              .destination = (uint8_t)(address >> 12),
                              .logical = address >> 2 & 1,
                              .delivery = (APICDelivery)(data >> 8 & 7),
                              .vector = (uint8_t)data,
                              .level_triggered = data >> 15 & 1,
                          });
}

void apic_bus_set_lint0(APICBus *bus, int level)
{
    for (guint i = 0; i < bus->apics->len; i++) {
        irq_set(device_get_gpio_in(bus->apics->pdata[i], APIC_LINT0), level);
    }
}

/* -- The window ------------------------------------------------------------------ */

/* What a processor accesses in the first page are its own registers. Everything else, and
 * all that others write, is a message; so is the start of the page, where no register is.
 */
static APIC *register_file(hwaddr offset)
{
    X86CPU *cpu = x86_cpu_current();

    return cpu && offset >= 0x10 && offset < PAGE ? cpu->apic : NULL;
}

/* 11.4.1: registers are 32 bits, each on a boundary of 128; other accesses are
 * undefined. */
static bool is_register(hwaddr offset, unsigned size)
{
    return size == 4 && offset % 16 == 0;
}

static uint64_t window_read(void *opaque, hwaddr offset, unsigned size)
{
    APIC *apic = register_file(offset);

    return apic && is_register(offset, size)
               ? apic_read_register(apic, (unsigned)offset / 16)
               : 0;
}

static void window_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    APICBus *bus = opaque;
    APIC *apic = register_file(offset);

    if (size != 4) {
        return;
    }
    if (!apic) {
        if (offset < 0x10 || offset >= PAGE) {
            apic_bus_write_msi(bus, APIC_WINDOW_ADDRESS + offset, (uint32_t)value);
        }
    } else if (is_register(offset, size)) {
        apic_write_register(apic, (unsigned)offset / 16, (uint32_t)value);
    }
}

static const MemoryRegionOps window_ops = {
    .read = window_read,
    .write = window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 4},
    .impl = {.min_access_size = 1, .max_access_size = 4},
};

APICBus *apic_bus_new(void)
{
    APICBus *bus = g_new0(APICBus, 1);

    bus->apics = g_ptr_array_new();
    return bus;
}

APIC *apic_new(APICBus *bus, X86CPU *cpu, MemoryRegion *memory, GError **error)
{
    Device *dev = device_new(TYPE_APIC, error);
    APIC *apic;

    if (!dev) {
        return NULL;
    }
    apic = APIC(dev);
    apic->bus = bus;
    apic->cpu = cpu;
    device_set_name(dev, DEVICE(cpu), "lapic");
    if (!device_realize(dev, NULL, error)) {
        return NULL;
    }
    if (bus->apics->len == 0) {
        memory_region_init_io(&bus->window, G_OBJECT(dev), &window_ops, bus, "apic-msi",
                              APIC_WINDOW_SIZE);
        /* Above all else: a processor's own page wins over what the board maps there. */
        memory_region_add_subregion_overlap(memory, APIC_WINDOW_ADDRESS, &bus->window,
                                            0x1000);
    }
    g_ptr_array_add(bus->apics, apic);
    return apic;
}
