/*
 * Registers are those of the 82371SB (PIIX3) data sheet, sections 2.2 and 2.5.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/isa/piix3.h"

#include "hw/core/system.h"
#include "hw/pci/pci-regs.h"
#include "hw/pci/pci-vmstate.h"

DEVICE_DEFINE_TYPE(PIIX3, piix3, "PIIX3", TYPE_PCI_DEVICE)

/* -- PIRQ routing: 0x60-0x63 --------------------------------------------------------- */

enum {
    PIRQRC = 0x60,
    PIRQRC_DISABLE = 0x80,
    PIRQRC_IRQ = 0x0f,
};

int piix3_pirq_route(const PIIX3 *piix3, unsigned pirq)
{
    uint8_t route = piix3->parent.config[PIRQRC + pirq];

    return route & PIRQRC_DISABLE ? -1 : route & PIRQRC_IRQ;
}

static uint16_t irqs_held(const PIIX3 *piix3)
{
    PCIBus *bus = PCI_BUS(piix3->parent.parent.bus);
    uint16_t held = 0;

    for (unsigned pirq = 0; pirq < PIIX3_PIRQS; pirq++) {
        int irq = piix3_pirq_route(piix3, pirq);

        if (irq >= 0 && pci_bus_irq_level(bus, pirq)) {
            held |= (uint16_t)(1 << irq);
        }
    }
    return held;
}

/* Sets the lines that PCI begins or ceases to hold, and those only: an IRQ that no PIRQ
 * is routed to belongs to ISA devices. */
static void update_routing(PIIX3 *piix3)
{
    uint16_t held = irqs_held(piix3), changed;

    changed = held ^ piix3->irqs_held;
    piix3->irqs_held = held;
    for (unsigned irq = 0; piix3->isa->irqs && irq < ISA_IRQS; irq++) {
        if (changed >> irq & 1) {
            irq_set(&piix3->isa->irqs[irq], held >> irq & 1);
        }
    }
}

static void set_pirq(void *opaque, int pirq, int level)
{
    update_routing(opaque);
}

/* A PC's slots are wired so that neighbours' INTA# do not share a PIRQ. */
static int map_pirq(PCIDevice *dev, int pin)
{
    return (PCI_SLOT(dev->devfn) + pin - 1) & 3;
}

static void piix3_config_write(PCIDevice *dev, unsigned address, uint32_t value,
                               unsigned size)
{
    pci_default_config_write(dev, address, value, size);
    if (pci_access_touches(address, size, PIRQRC, PIRQRC + PIIX3_PIRQS - 1)) {
        update_routing(PIIX3(dev));
    }
}

/* -- Reset control: port 0xcf9 ------------------------------------------------------- */

enum {
    RC_PORT = 0xcf9,
    RC_HARD = 1 << 1,  /* 1: the whole machine, 0: INIT to the CPU only */
    RC_RESET = 1 << 2, /* going from 0 to 1 does it; never stays set, so 1 always does */
};

static uint64_t reset_control_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((PIIX3 *)opaque)->reset_control;
}

/* A soft reset resets the machine as well, as on QEMU. */
static void reset_control_write(void *opaque, hwaddr offset, uint64_t value,
                                unsigned size)
{
    PIIX3 *piix3 = opaque;

    if (value & RC_RESET) {
        system_reset_request(SYSTEM_CAUSE_GUEST_RESET, "piix3-reset-control");
        return;
    }
    piix3->reset_control = value & RC_HARD;
}

static const MemoryRegionOps reset_control_ops = {
    .read = reset_control_read,
    .write = reset_control_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* -- Life ---------------------------------------------------------------------------- */

/* The registers that are not 0 after RSTDRV, as QEMU's PIIX3 has them. */
static const struct {
    uint8_t address, value;
} reset_values[] = {
    {0x4c, 0x4d}, /* IORT: I/O recovery timer */
    {0x4e, 0x03}, /* XBCS: keyboard controller and RTC chip selects */
    {0x60, 0x80}, {0x61, 0x80}, {0x62, 0x80}, {0x63, 0x80}, /* PIRQRC: not routed */
    {0x69, 0x02},               /* TOM: top of memory, 1 MiB */
    {0x70, 0x80},               /* MBIRQ0 */
    {0x76, 0x0c}, {0x77, 0x0c}, /* MBDMA: channel 4, none */
    {0x78, 0x02},               /* PCSC */
    {0xa0, 0x08},               /* SMICNTL: fast off timer frozen */
    {0xa8, 0x0f},               /* FTMR */
};

static void piix3_reset(Device *dev)
{
    PIIX3 *piix3 = PIIX3(dev);
    uint8_t *config = piix3->parent.config;

    memset(config + PCI_HEADER_SIZE, 0, PCI_CONFIG_SIZE - PCI_HEADER_SIZE);
    for (unsigned i = 0; i < G_N_ELEMENTS(reset_values); i++) {
        config[reset_values[i].address] = reset_values[i].value;
    }
    pci_set_word(config + PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
    piix3->reset_control = 0;
    update_routing(piix3);
    pci_device_reset(dev);
}

static bool piix3_realize(Device *dev, GError **error)
{
    PIIX3 *piix3 = PIIX3(dev);
    PCIBus *bus = pci_device_bus(&piix3->parent);

    if (!pci_device_realize(dev, error)) {
        return false;
    }
    piix3->isa = isa_bus_new(dev, bus->memory, bus->io);
    memory_region_init_io(&piix3->reset_control_region, G_OBJECT(piix3),
                          &reset_control_ops, piix3, "piix3-reset-control", 1);
    /* The byte lies inside the doubleword CONFADD, and wins. */
    memory_region_add_subregion_overlap(bus->io, RC_PORT, &piix3->reset_control_region,
                                        1);
    pci_bus_set_irqs(bus, map_pirq, set_pirq, piix3);
    return true;
}

/* -- Its state in a stream ----------------------------------------------------------- */

static void piix3_pre_save(void *opaque)
{
    PIIX3 *piix3 = opaque;

    for (unsigned pirq = 0; pirq < PIIX3_PIRQS; pirq++) {
        piix3->pirq_levels[pirq] =
            pci_bus_irq_level(pci_device_bus(&piix3->parent), pirq);
    }
}

/* PCI's lines come with the bus, the ISA lines that they hold with the interrupt
 * controllers: neither moves here. */
static bool piix3_post_load(void *opaque, int version_id, GError **error)
{
    PIIX3 *piix3 = opaque;

    piix3->irqs_held = irqs_held(piix3);
    return true;
}

static bool has_reset_control(void *opaque)
{
    return ((PIIX3 *)opaque)->reset_control != 0;
}

static bool reset_control_post_load(void *opaque, int version_id, GError **error)
{
    ((PIIX3 *)opaque)->reset_control &= RC_HARD;
    return true;
}

static const VMStateDescription vmstate_piix3_rcr = {
    .name = "PIIX3/rcr",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = has_reset_control,
    .post_load = reset_control_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(reset_control, PIIX3, "rcr", uint8),
            VMSTATE_END_OF_LIST(),
        },
};

/* What is in a subsection has this value without it. */
static void piix3_pre_load(void *opaque)
{
    ((PIIX3 *)opaque)->reset_control = 0;
}

static const VMStateDescription vmstate_piix3 = {
    .name = "PIIX3",
    .version_id = 3,
    .minimum_version_id = 2,
    .pre_save = piix3_pre_save,
    .pre_load = piix3_pre_load,
    .post_load = piix3_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_PCI_DEVICE(parent, PIIX3, "dev"),
            VMSTATE_ARRAY_AS_V(pirq_levels, PIIX3, "pci_irq_levels_vmstate", int32, 3),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_piix3_rcr, NULL},
};

static void piix3_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    pci->vendor_id = PCI_VENDOR_INTEL;
    pci->device_id = 0x7000;
    pci->class_id = 0x0601;
    pci->config_write = piix3_config_write;
    klass->desc = "ISA bridge";
    klass->vmsd = &vmstate_piix3;
    klass->realize = piix3_realize;
    klass->reset = piix3_reset;
}

PIIX3 *piix3_new(PCIBus *bus, GError **error)
{
    Device *dev = device_new(TYPE_PIIX3, error);

    if (!dev) {
        return NULL;
    }
    PCI_DEVICE(dev)->multifunction = true;
    if (!property_set_string(G_OBJECT(dev), "addr", "1.0", error)) {
        g_object_unref(dev);
        return NULL;
    }
    return device_realize(dev, BUS(bus), error) ? PIIX3(dev) : NULL;
}
