/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/boot-pieces.h"

#include "memory/access.h"

static void clear_piece(void *piece)
{
    g_bytes_unref(((BootPiece *)piece)->bytes);
}

GArray *boot_pieces_new(void)
{
    GArray *pieces = g_array_new(FALSE, FALSE, sizeof(BootPiece));

    g_array_set_clear_func(pieces, clear_piece);
    return pieces;
}

void boot_pieces_add(GArray *pieces, uint64_t address, uint64_t size, GBytes *bytes)
{
    BootPiece piece = {.address = address, .size = size, .bytes = bytes};

    g_array_append_val(pieces, piece);
}

void boot_pieces_add_bytes(GArray *pieces, uint64_t address, GBytes *bytes)
{
    boot_pieces_add(pieces, address, g_bytes_get_size(bytes), bytes);
}

static void write_zeroes(AddressSpace *as, uint64_t address, uint64_t size)
{
    static const uint8_t zeroes[KiB(64)];

    while (size) {
        uint64_t some = MIN(size, sizeof(zeroes));

        address_space_write(as, address, MEMTXATTRS_UNSPECIFIED, zeroes, some);
        address += some;
        size -= some;
    }
}

void boot_pieces_write(const GArray *pieces, AddressSpace *as)
{
    for (guint i = 0; i < pieces->len; i++) {
        const BootPiece *piece = &g_array_index(pieces, BootPiece, i);
        size_t length;
        const void *bytes = g_bytes_get_data(piece->bytes, &length);

        address_space_write(as, piece->address, MEMTXATTRS_UNSPECIFIED, bytes, length);
        write_zeroes(as, piece->address + length, piece->size - length);
    }
}
