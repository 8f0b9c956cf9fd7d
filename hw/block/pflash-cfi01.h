/*
 * cfi.pflash01: a parallel NOR flash chip with Intel's command set, whose content is a
 * drive's image. A PC has its firmware in one, and the firmware's variables in another.
 *
 * It reads as memory until the guest writes a command. What the guest programs and erases
 * goes to the image at once.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_BLOCK_PFLASH_CFI01_H
#define HW_BLOCK_PFLASH_CFI01_H

#include "hw/core/device.h"

#define PFLASH_CFI01_BLOCK_SIZE 4096

GType pflash_cfi01_get_type(void);
#define TYPE_PFLASH_CFI01 (pflash_cfi01_get_type())

/* A chip with the content of the drive `drive` (an id), not yet in the map. `name` is its
 * memory region's and its place in the device tree, "/machine/NAME". NULL and *error when
 * the drive is in use or empty, its image is no multiple of 4 KiB or cannot be read. */
Device *pflash_cfi01_new(const char *name, const char *drive, GError **error);

/* The chip's memory, as long as the image. */
MemoryRegion *pflash_cfi01_memory(Device *flash);

#endif
