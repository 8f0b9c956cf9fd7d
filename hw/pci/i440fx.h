/*
 * i440FX: the 82441FX PCI and memory controller (PMC), device 0 of pci.0.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_PCI_I440FX_H
#define HW_PCI_I440FX_H

#include "hw/pci/pam.h"
#include "hw/pci/pci-host.h"

typedef struct I440FX {
    PCIDevice parent;
    PCIHost *host;
    MemoryRegion *system_memory;
    MemoryRegion *ram;
    uint64_t ram_size; /* bytes, below and above 4 GiB */
    PAM pam;
    MemoryRegion smram_region; /* 0xa0000-0xbffff to PCI; disabled: RAM shows */
    MemoryRegion smram;        /* what system management mode sees over system memory */
    MemoryRegion smram_low;    /* in it: RAM at 0xa0000-0xbffff */
    bool pam_present, pam_exact, pam_reset;
} I440FX;

GType i440fx_get_type(void);
#define TYPE_I440FX (i440fx_get_type())
#define I440FX(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_I440FX, I440FX))

/* The host bridge with all that hangs on it: PCIHost (`->host`), pci.0 (`->host->bus`),
 * the "pci" region (`&->host->memory`: firmware goes in there), PAM and SMRAM over
 * `ram`. Sizes are bytes of RAM below and above 4 GiB. For SMM, a board shows
 * `&->smram` at priority 1 over system memory. NULL and *error when it cannot. */
I440FX *i440fx_new(MemoryRegion *system_memory, MemoryRegion *io, uint64_t below_4g,
                   uint64_t above_4g, MemoryRegion *ram, GError **error);

#endif
