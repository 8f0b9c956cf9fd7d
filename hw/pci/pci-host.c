/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/pci/pci-host.h"

#include "hw/core/vmstate.h"

DEVICE_DEFINE_TYPE(PCIHost, pci_host, "i440FX-pcihost", TYPE_DEVICE)

#define CONFIG_ENABLE (UINT32_C(1) << 31)

/* -- 0xcf8: the address ------------------------------------------------------------------ */

/* Only a doubleword at 0xcf8 itself reaches CONFADD (82441FX section 3.1.1): the bytes
 * beside it are other devices', such as the reset control at 0xcf9. */
static void config_index_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PCIHost *host = opaque;

    if (offset == 0 && size == 4) {
        host->config_address = (uint32_t)value;
    }
}

/* Narrow reads see the low bytes of the register at any offset, as on QEMU. */
static uint64_t config_index_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((PCIHost *)opaque)->config_address;
}

static const MemoryRegionOps config_index_ops = {
    .read = config_index_read,
    .write = config_index_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* -- 0xcfc: the data --------------------------------------------------------------------- */

static uint64_t config_data_read(void *opaque, hwaddr offset, unsigned size)
{
    PCIHost *host = opaque;

    if (!(host->config_address & CONFIG_ENABLE)) {
        return UINT32_MAX;
    }
    return pci_bus_config_read(host->bus, host->config_address | (uint32_t)offset, size);
}

static void config_data_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PCIHost *host = opaque;

    if (host->config_address & CONFIG_ENABLE) {
        pci_bus_config_write(host->bus, host->config_address | (uint32_t)offset,
                             (uint32_t)value, size);
    }
}

static const MemoryRegionOps config_data_ops = {
    .read = config_data_read,
    .write = config_data_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* -- Life -------------------------------------------------------------------------------- */

static const Property pci_host_properties[] = {
    PROP_SIZE("pci-hole64-size", PCIHost, pci_hole64_size, GiB(2),
              "bytes above 4 GiB that firmware tables offer to PCI devices"),
    PROP_BOOL("x-config-reg-migration-enabled", PCIHost, migrate_config_address, true,
              "port 0xcf8's register goes into the migration stream"),
    PROP_BOOL("short_root_bus", PCIHost, short_root_bus, false,
              "devices' places in the migration stream are without the bus, as 1.6 had it"),
    PROP_END,
};

static bool is_migrated(void *opaque)
{
    return ((PCIHost *)opaque)->migrate_config_address;
}

static const VMStateDescription vmstate_pci_host = {
    .name = "PCIHost",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_migrated,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(config_address, PCIHost, "config_reg", uint32),
            VMSTATE_END_OF_LIST(),
        },
};

static void pci_host_class_init(DeviceClass *klass)
{
    klass->vmsd = &vmstate_pci_host;
    property_install_table(G_OBJECT_CLASS(klass), pci_host_properties);
}

PCIHost *pci_host_new(MemoryRegion *system_memory, MemoryRegion *io, GError **error)
{
    Device *dev = device_new(TYPE_PCI_HOST, error);
    PCIHost *host;

    if (!dev) {
        return NULL;
    }
    device_set_name(dev, NULL, "i440fx");
    if (!device_realize(dev, NULL, error)) {
        return NULL;
    }
    host = PCI_HOST(dev);
    memory_region_init(&host->memory, NULL, "pci", UINT64_MAX);
    memory_region_add_subregion_overlap(system_memory, 0, &host->memory, -1);
    memory_region_init_io(&host->config_index, G_OBJECT(host), &config_index_ops, host,
                          "pci-conf-idx", 4);
    memory_region_add_subregion(io, PCI_CONFIG_ADDRESS_PORT, &host->config_index);
    memory_region_init_io(&host->config_data, G_OBJECT(host), &config_data_ops, host,
                          "pci-conf-data", 4);
    memory_region_add_subregion(io, PCI_CONFIG_DATA_PORT, &host->config_data);
    host->bus = pci_bus_new(dev, "pci.0", &host->memory, io, system_memory);
    host->bus->root_path = host->short_root_bus ? "0000" : "0000:00";
    return host;
}
