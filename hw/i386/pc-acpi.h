/*
 * A PC's ACPI tables in fw_cfg: made anew each time that the firmware reaches for them,
 * because they name addresses that it has just chosen (the power management ports, BARs).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_I386_PC_ACPI_H
#define HW_I386_PC_ACPI_H

#include "hw/acpi/piix4-pm.h"
#include "hw/isa/isa-bus.h"
#include "hw/nvram/fw-cfg.h"

/* The devices must outlive the fw_cfg device; strings are copied. */
typedef struct ACPIConfig {
    PCIBus *pci;
    ISABus *isa;
    PIIX4PM *pm;
    AddressSpace *memory; /* the guest's */
    uint64_t ram_below_4g;   /* bytes: PCI has what is between them and the I/O APIC */
    hwaddr ram_above_4g_end; /* where RAM above 4 GiB ends; 4 GiB where there is none */
    unsigned cpus, max_cpus;
    bool hpet, fw_cfg_dma;
    unsigned root_uid;         /* the host bridge's _UID */
    bool no_empty_hole64;      /* nothing above 4 GiB goes to PCI where no BAR is there */
    bool legacy_cpu_hotplug;   /* the system asks for processors by the bitmap */
    bool plain_rsdp;           /* its file is of 36 bytes, and in no RAM block */
    uint32_t legacy_code_size; /* bytes that the tables' code counts for in their file's
                                  size, without 97 a processor; 0: the file is large */
    const char *oem_id, *oem_table_id; /* NULL: QEMU's */
    const GByteArray *user_tables;     /* as acpi_user_table_add() makes it, or NULL */
} ACPIConfig;

/* Adds "etc/acpi/tables", "etc/acpi/rsdp" and "etc/table-loader", each in a RAM block of
 * QEMU's name and size ("/rom@etc/acpi/tables"), so that they migrate. False and *error
 * when the host has no memory, or they exist already. */
bool acpi_tables_add(FWCfg *cfg, const ACPIConfig *config, GError **error);

#endif
