/*
 * The PCI host bridge's CPU side: configuration mechanism 1 (PCI Local Bus 2.1, section
 * 3.7.4.1) at ports 0xcf8 and 0xcfc, and the window "pci" that PCI devices' memory lies in.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_PCI_PCI_HOST_H
#define HW_PCI_PCI_HOST_H

#include "hw/pci/pci.h"

#define PCI_CONFIG_ADDRESS_PORT 0xcf8
#define PCI_CONFIG_DATA_PORT 0xcfc

typedef struct PCIHost {
    Device parent;
    PCIBus *bus;                 /* "pci.0" */
    MemoryRegion memory;         /* "pci": 2^64 bytes, below RAM in system memory */
    MemoryRegion config_index;
    MemoryRegion config_data;
    uint32_t config_address;     /* what was last written to 0xcf8 */
    bool migrate_config_address;
    bool short_root_bus;         /* devices' places are "0000:01.0", without a bus */
    uint64_t pci_hole64_size;    /* bytes that the firmware's tables offer above 4 GiB */
} PCIHost;

GType pci_host_get_type(void);
#define TYPE_PCI_HOST (pci_host_get_type())
#define PCI_HOST(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_PCI_HOST, PCIHost))

/* Realizes the type "i440FX-pcihost" as /machine/i440fx: its "pci" region at priority -1
 * of system_memory, the two ports in `io`, and the bus. NULL and *error when it cannot. */
PCIHost *pci_host_new(MemoryRegion *system_memory, MemoryRegion *io, GError **error);

#endif
