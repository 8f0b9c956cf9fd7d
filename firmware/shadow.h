/*
 * Shadowing: the copy of a ROM that lies in the RAM below 1 MiB. After a migration from
 * an emulator that mapped the ROM itself there, the RAM under it is empty and the
 * firmware's reboot would find nothing; these functions look and copy.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_SHADOW_H
#define FIRMWARE_SHADOW_H

#include "memory/types.h"

#define SHADOW_C_SEGMENT 0xc0000
#define SHADOW_E_SEGMENT 0xe0000
#define SHADOW_SIZE KiB(128) /* segments C and D, or E and F */

/* Whether `length` bytes are all zero. Reads no byte outside them. */
bool shadow_is_zero(const void *data, size_t length);

/*
 * Copies a ROM block into `ram` (the machine's RAM from guest address 0 on) at `address`,
 * SHADOW_C_SEGMENT or SHADOW_E_SEGMENT, where the RAM there is all zero; live segments
 * are left alone. *copied says which it was. False and *error, nothing changed, where the
 * sizes (in bytes) do not fit: the ROM must be SHADOW_SIZE, the RAM reach 1 MiB. `name`
 * is how the message calls the ROM. The caller marks the RAM dirty.
 */
bool shadow_fill(uint8_t *ram, uint64_t ram_size, hwaddr address, const void *rom,
                 uint64_t rom_size, const char *name, bool *copied, GError **error);

#endif
