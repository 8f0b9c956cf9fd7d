/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/kernel-boot.h"

#include <gio/gio.h>

#include "memory/access.h"

bool kernel_fail(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (error) {
        *error =
            g_error_new_valist(G_IO_ERROR, G_IO_ERROR_INVALID_DATA, format, arguments);
    }
    va_end(arguments);
    return false;
}

void kernel_boot_clear(KernelBoot *boot)
{
    KernelPiece *const pieces[] = {&boot->kernel, &boot->initrd, &boot->cmdline,
                                   &boot->setup};

    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_clear_pointer(&pieces[i]->bytes, g_bytes_unref);
    }
}

/* -- Pieces -------------------------------------------------------------------------- */

static void clear_piece(void *piece)
{
    g_bytes_unref(((KernelPiece *)piece)->bytes);
}

GArray *kernel_pieces_new(void)
{
    GArray *pieces = g_array_new(FALSE, FALSE, sizeof(KernelPiece));

    g_array_set_clear_func(pieces, clear_piece);
    return pieces;
}

void kernel_pieces_add(GArray *pieces, uint64_t address, GBytes *bytes)
{
    KernelPiece piece = {.address = (uint32_t)address, .bytes = bytes};

    g_array_append_val(pieces, piece);
}

void kernel_pieces_write(const GArray *pieces, AddressSpace *as)
{
    for (guint i = 0; i < pieces->len; i++) {
        const KernelPiece *piece = &g_array_index(pieces, KernelPiece, i);
        size_t size;
        const void *bytes = g_bytes_get_data(piece->bytes, &size);

        address_space_write(as, piece->address, MEMTXATTRS_UNSPECIFIED, bytes, size);
    }
}
