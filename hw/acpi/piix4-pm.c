/*
 * Registers are those of the 82371AB (PIIX4) data sheet, section 7.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/piix4-pm.h"

#include "hw/pci/pci-regs.h"

DEVICE_DEFINE_TYPE(PIIX4PM, piix4_pm, "PIIX4_PM", TYPE_PCI_DEVICE)

/* Configuration registers. */
enum {
    PMBASE = 0x40,
    DEVACTB = 0x58, /* 4 bytes; bit 25: writes to APMC raise SMI# */
    DEVACTB_APMC_BYTE = 0x5b,
    DEVACTB_APMC_EN = 1 << 1,
    DEVRES_PARALLEL = 0x5f,
    DEVRES_SERIAL_A = 0x63,
    DEVRES_SERIAL_B = 0x67,
    PMREGMISC = 0x80,
    SMBBASE = 0x90,
    SMBHSTCFG = 0xd2, /* bit 0: enable; bits 3-1: 100 is IRQ 9 */
};

enum {
    BASE_IO_BIT = 1, /* hard-wired: a base is of ports */
    BASE_MASK = 0xffc0,
    ENABLE = 1,
    SMBHSTCFG_IRQ_MASK = 0x0e,
    SMBHSTCFG_IRQ9 = 0x08,
};

/* Where QEMU's PCs have what the data sheet does not: fixed by its ACPI tables. */
enum {
    GPE0_PORT = 0xafe0,
    PCI_HOTPLUG_PORT = 0xae00,
    CPU_HOTPLUG_PORT = 0xaf00,
    APM_PORT = 0xb2,
};

/* -- Interrupts ---------------------------------------------------------------------- */

static void update_irq(PIIX4PM *pm)
{
    bool smbus = pm->smbus_level &&
                 (pm->parent.config[SMBHSTCFG] & SMBHSTCFG_IRQ_MASK) == SMBHSTCFG_IRQ9;

    irq_set(pm->irq, pm->sci_level || smbus);
}

static void sci_changed(void *opaque, bool level)
{
    PIIX4PM *pm = opaque;

    pm->sci_level = level;
    update_irq(pm);
}

static void smbus_irq_changed(void *opaque, bool level)
{
    PIIX4PM *pm = opaque;

    pm->smbus_level = level;
    update_irq(pm);
}

void piix4_pm_power_button(PIIX4PM *pm)
{
    acpi_pm_power_button(&pm->acpi);
}

/* -- APM: ports 0xb2 and 0xb3 -------------------------------------------------------- */

/* What FADT names as ACPI_ENABLE and ACPI_DISABLE. */
enum {
    APM_ACPI_ENABLE = 0xf1,
    APM_ACPI_DISABLE = 0xf0,
};

static uint64_t apm_read(void *opaque, hwaddr offset, unsigned size)
{
    const PIIX4PM *pm = opaque;

    return offset ? pm->apm_status : pm->apm_control;
}

static void apm_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PIIX4PM *pm = opaque;

    if (offset) {
        pm->apm_status = (uint8_t)value;
        return;
    }
    pm->apm_control = (uint8_t)value;
    if (value == APM_ACPI_ENABLE || value == APM_ACPI_DISABLE) {
        acpi_pm_set_sci_enabled(&pm->acpi, value == APM_ACPI_ENABLE);
    } else if (pm->smm_enabled &&
               pm->parent.config[DEVACTB_APMC_BYTE] & DEVACTB_APMC_EN) {
        irq_raise(pm->smi);
    }
}

static const MemoryRegionOps apm_ops = {
    .read = apm_read,
    .write = apm_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- Configuration space ------------------------------------------------------------- */

static void place(const PIIX4PM *pm, MemoryRegion *region, unsigned base, unsigned enable)
{
    const uint8_t *config = pm->parent.config;

    memory_region_transaction_begin();
    memory_region_set_enabled(region, config[enable] & ENABLE);
    memory_region_set_address(region, pci_get_long(config + base) & BASE_MASK);
    memory_region_transaction_commit();
}

static void piix4_pm_config_write(PCIDevice *dev, unsigned address, uint32_t value,
                                  unsigned size)
{
    PIIX4PM *pm = PIIX4_PM(dev);

    pci_default_config_write(dev, address, value, size);
    if (pci_access_touches(address, size, PMBASE, PMBASE + 3) ||
        pci_access_touches(address, size, PMREGMISC, PMREGMISC)) {
        place(pm, &pm->block, PMBASE, PMREGMISC);
    }
    if (pci_access_touches(address, size, SMBBASE, SMBBASE + 3) ||
        pci_access_touches(address, size, SMBHSTCFG, SMBHSTCFG)) {
        place(pm, &pm->smbus.region, SMBBASE, SMBHSTCFG);
        update_irq(pm);
    }
}

void piix4_pm_state_loaded(PIIX4PM *pm)
{
    place(pm, &pm->block, PMBASE, PMREGMISC);
    place(pm, &pm->smbus.region, SMBBASE, SMBHSTCFG);
    smbus_host_state_loaded(&pm->smbus);
    acpi_pm_state_loaded(&pm->acpi);
}

/* Firmware leaves the ports' resources here for the operating system; on a PC without
 * real straps the board says which ports there are, once it is whole. */
static void see_resources(PIIX4PM *pm)
{
    static const struct {
        uint16_t port;
        uint8_t reg, bits;
    } ports[] = {
        {0x378, DEVRES_PARALLEL, 0x80},
        {0x3f8, DEVRES_SERIAL_B, 0x08},
        {0x2f8, DEVRES_SERIAL_B, 0x90},
    };
    MemoryRegion *io = pci_device_bus(&pm->parent)->io;
    uint8_t *config = pm->parent.config;

    config[DEVRES_PARALLEL] = 0x10;
    config[DEVRES_SERIAL_A] = 0x60;
    config[DEVRES_SERIAL_B] = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(ports); i++) {
        MemoryRegionSection section = memory_region_find(io, ports[i].port, 1);

        if (section.range.mr && section.range.mr != io) {
            config[ports[i].reg] |= ports[i].bits;
        }
        if (section.range.mr && memory_region_owner(section.range.mr)) {
            g_object_unref(memory_region_owner(section.range.mr));
        }
    }
}

/* -- Life ---------------------------------------------------------------------------- */

/* Without SMM, firmware must not try to use it: finding APMC_EN set, it takes SMM for
 * initialized already. */
static void piix4_pm_reset(Device *dev)
{
    PIIX4PM *pm = PIIX4_PM(dev);
    uint8_t *config = pm->parent.config;

    if (!pm->resources_seen) {
        pm->resources_seen = true;
        see_resources(pm);
    }
    pci_set_long(config + DEVACTB, 0);
    if (!pm->smm_enabled) {
        config[DEVACTB_APMC_BYTE] = DEVACTB_APMC_EN;
    }
    if (!pm->ports_survive_reset) {
        config[PMBASE] = BASE_IO_BIT;
        config[PMREGMISC] = 0;
        place(pm, &pm->block, PMBASE, PMREGMISC);
    }
    acpi_pm_reset(&pm->acpi);
    acpi_pci_hotplug_reset(&pm->pci_hotplug);
    smbus_host_reset(&pm->smbus);
    pci_device_reset(dev);
}

static void init_smbus(PIIX4PM *pm)
{
    uint8_t *config = pm->parent.config;

    smbus_host_init(&pm->smbus, DEVICE(pm), smbus_irq_changed, pm);
    pci_set_long(config + SMBBASE, (pm->smb_io_base & BASE_MASK) | BASE_IO_BIT);
    config[SMBHSTCFG] = SMBHSTCFG_IRQ9 | ENABLE;
    memory_region_add_subregion(pci_device_bus(&pm->parent)->io,
                                pm->smb_io_base & BASE_MASK, &pm->smbus.region);
}

static void init_acpi(PIIX4PM *pm)
{
    MemoryRegion *io = pci_device_bus(&pm->parent)->io;

    memory_region_init(&pm->block, G_OBJECT(pm), "piix4-pm", 64);
    memory_region_set_enabled(&pm->block, false);
    memory_region_add_subregion(io, 0, &pm->block);
    acpi_pm_init(&pm->acpi, G_OBJECT(pm), &pm->block, sci_changed, pm);
    pm->acpi.s4_type = pm->s4_val;
    pm->acpi.acpi_only = !pm->smm_compat && !pm->smm_enabled;
    memory_region_add_subregion(io, GPE0_PORT, &pm->acpi.gpe_region);
}

static bool piix4_pm_realize(Device *dev, GError **error)
{
    PIIX4PM *pm = PIIX4_PM(dev);
    PCIBus *bus;

    if (!pci_device_realize(dev, error)) {
        return false;
    }
    bus = pci_device_bus(&pm->parent);
    pci_set_word(pm->parent.config + PCI_STATUS,
                 PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MEDIUM);
    pm->parent.config[PCI_INTERRUPT_PIN] = 1;
    device_init_gpio_out(dev, &pm->irq, 1);
    device_init_gpio_out_named(dev, &pm->smi, "smi-irq", 1);

    memory_region_init_io(&pm->apm_region, G_OBJECT(pm), &apm_ops, pm, "apm-io", 2);
    memory_region_add_subregion(bus->io, APM_PORT, &pm->apm_region);
    init_smbus(pm);
    init_acpi(pm);
    acpi_cpu_hotplug_init(&pm->cpu_hotplug, G_OBJECT(pm), bus->io, CPU_HOTPLUG_PORT);
    if (pm->pci_hotplug_bridges || pm->pci_hotplug_root) {
        acpi_pci_hotplug_init(&pm->pci_hotplug, G_OBJECT(pm), bus, &pm->acpi,
                              pm->pci_hotplug_root, PCI_HOTPLUG_PORT);
    }
    return true;
}

static const Property piix4_pm_properties[] = {
    PROP_UINT32("smb_io_base", PIIX4PM, smb_io_base, 0xb100,
                "port of the SMBus host controller, a multiple of 64"),
    PROP_UINT8("disable_s3", PIIX4PM, disable_s3, 0, "1: firmware is told of no S3"),
    PROP_UINT8("disable_s4", PIIX4PM, disable_s4, 0, "1: firmware is told of no S4"),
    PROP_UINT8("s4_val", PIIX4PM, s4_val, 2, "what SLP_TYP takes for S4"),
    PROP_BOOL("acpi-pci-hotplug-with-bridge-support", PIIX4PM, pci_hotplug_bridges, true,
              "slots behind bridges are hot-pluggable by ACPI"),
    PROP_BOOL("acpi-root-pci-hotplug", PIIX4PM, pci_hotplug_root, true,
              "slots of the root bus are hot-pluggable by ACPI"),
    PROP_BOOL("memory-hotplug-support", PIIX4PM, memory_hotplug, true,
              "migration streams have the (empty) state of memory slots"),
    PROP_BOOL("x-not-migrate-acpi-index", PIIX4PM, not_migrate_acpi_index, false,
              "as migration streams before QEMU 6.2 had it"),
    PROP_BOOL("x-migrate-smbus", PIIX4PM, migrate_smbus, true,
              "the SMBus host goes into migration streams"),
    PROP_BOOL("smm-compat", PIIX4PM, smm_compat, false,
              "SCI_EN is switched by the APM port even without SMM"),
    PROP_BOOL(
        "ports-survive-reset", PIIX4PM, ports_survive_reset, false,
        "a reset leaves the power management ports where they are, as QEMU 0.12 did"),
    PROP_BOOL("smm-enabled", PIIX4PM, smm_enabled, false, "the processors have SMM"),
    PROP_END,
};

static void piix4_pm_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    pci->vendor_id = PCI_VENDOR_INTEL;
    pci->device_id = 0x7113;
    pci->revision = 3;
    pci->class_id = 0x0680;
    pci->config_write = piix4_pm_config_write;
    klass->desc = "PM";
    klass->vmsd = &vmstate_piix4_pm;
    klass->realize = piix4_pm_realize;
    klass->reset = piix4_pm_reset;
    property_install_table(G_OBJECT_CLASS(klass), piix4_pm_properties);
}

PIIX4PM *piix4_pm_new(PCIBus *bus, IRQ *sci, unsigned cpus, bool smm, GError **error)
{
    Device *dev = device_new(TYPE_PIIX4_PM, error);
    PIIX4PM *pm;

    if (!dev) {
        return NULL;
    }
    pm = PIIX4_PM(dev);
    pm->smm_enabled |= smm;
    if (!property_set_string(G_OBJECT(dev), "addr", "1.3", error)) {
        g_object_unref(dev);
        return NULL;
    }
    if (!device_realize(dev, BUS(bus), error)) {
        return NULL;
    }
    pm->cpu_hotplug.cpus = cpus;
    device_connect_gpio_out(dev, 0, sci);
    return smbus_eeproms_create(pm->smbus.bus, error) ? pm : NULL;
}

void piix4_pm_system_states(const PIIX4PM *pm, uint8_t states[6])
{
    const uint8_t supported = 0x80;

    states[0] = supported;
    states[1] = states[2] = 0;
    states[3] = ACPI_SLP_TYP_S3 | (pm->disable_s3 ? 0 : supported);
    states[4] = pm->s4_val | (pm->disable_s4 ? 0 : supported);
    states[5] = supported | ACPI_SLP_TYP_S5;
}
