/*
 * What a machine that starts a kernel itself puts into guest memory at each start: an
 * array of bytes with their places, for PVH's and bhyve's loaders.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_BOOT_PIECES_H
#define FIRMWARE_BOOT_PIECES_H

#include "memory/address-space.h"

typedef struct BootPiece {
    uint64_t address, size; /* guest physical, bytes; zeroes behind `bytes` */
    GBytes *bytes;
} BootPiece;

/* An empty array of BootPieces, which frees their bytes with itself (g_array_unref()). */
GArray *boot_pieces_new(void);

/* Takes over the bytes, of which there are at most `size`. */
void boot_pieces_add(GArray *pieces, uint64_t address, uint64_t size, GBytes *bytes);
void boot_pieces_add_bytes(GArray *pieces, uint64_t address, GBytes *bytes);

/* Machine lock. */
void boot_pieces_write(const GArray *pieces, AddressSpace *as);

#endif
