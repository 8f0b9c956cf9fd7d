/*
 * vmgenid: a number that tells the guest when it is not the one that it was: after a
 * snapshot is restored, or a copy started (Microsoft, "Virtual Machine Generation ID";
 * docs/specs/vmgenid of QEMU).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_ACPI_VMGENID_H
#define HW_ACPI_VMGENID_H

#include "hw/acpi/acpi-pm.h"
#include "hw/core/device.h"
#include "hw/nvram/fw-cfg.h"

#define VMGENID_FILE_GUID "etc/vmgenid_guid"
#define VMGENID_FILE_ADDRESS "etc/vmgenid_addr"

/* Where the number is in its file, behind what could be taken for a table's header. */
#define VMGENID_GUID_OFFSET 40
#define VMGENID_GPE 5

typedef struct VMGenID VMGenID;

GType vmgenid_get_type(void);
#define TYPE_VMGENID (vmgenid_get_type())

/* The machine's, or NULL. */
VMGenID *vmgenid_find(void);

/* Adds its files, and has it tell the guest by GPE 5 of `pm`. False and *error where the
 * firmware cannot write files: it needs fw_cfg's DMA. */
bool vmgenid_add_files(VMGenID *vmgenid, FWCfg *cfg, AddressSpace *memory, ACPIPM *pm,
                       GError **error);

/* The number as text, to be freed. */
char *vmgenid_text(const VMGenID *vmgenid);

#endif
