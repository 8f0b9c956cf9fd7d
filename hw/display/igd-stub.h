/*
 * igd-stub: of an assigned Intel graphics device what matters to the memory map: stolen
 * memory, the OpRegion, and the translation of stolen addresses, as QEMU's "legacy mode"
 * of IGD assignment has them (QEMU, docs/igd-assign.txt). It draws nothing.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_DISPLAY_IGD_STUB_H
#define HW_DISPLAY_IGD_STUB_H

#include "hw/nvram/fw-cfg.h"
#include "hw/pci/pci.h"

#define IGD_FILE_BDSM_SIZE "etc/igd-bdsm-size"
#define IGD_FILE_OPREGION "etc/igd-opregion"

GType igd_stub_get_type(void);
#define TYPE_IGD_STUB (igd_stub_get_type())

/* Adds what the machine's igd-stub asks its firmware for, if there is one: how much
 * stolen memory to reserve (8 bytes, little-endian; not with stolen=bar), and the
 * OpRegion. */
bool igd_stub_add_files(FWCfg *cfg, GError **error);

#endif
