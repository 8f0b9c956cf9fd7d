/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/shadow.h"

#include <gio/gio.h>
#include <string.h>

bool shadow_is_zero(const void *data, size_t length)
{
    const char *bytes = data;

    /* The first byte is zero and each equals the one after it: memcmp() does the walking,
     * at the speed of the C library's vector code. */
    return length == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, length - 1));
}

bool shadow_fill(uint8_t *ram, uint64_t ram_size, hwaddr address, const void *rom,
                 uint64_t rom_size, const char *name, bool *copied, GError **error)
{
    *copied = false;
    if (rom_size != SHADOW_SIZE) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "cannot shadow %s: it has %" G_GUINT64_FORMAT " KiB, not %u KiB",
                    name, (guint64)(rom_size / KiB(1)), (unsigned)(SHADOW_SIZE / KiB(1)));
        return false;
    }
    if (ram_size < MiB(1)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "cannot shadow %s: the machine's RAM (%" G_GUINT64_FORMAT
                    " KiB) ends below 1 MiB",
                    name, (guint64)(ram_size / KiB(1)));
        return false;
    }
    g_return_val_if_fail(address <= MiB(1) - SHADOW_SIZE, false);
    if (shadow_is_zero(ram + address, SHADOW_SIZE)) {
        memcpy(ram + address, rom, SHADOW_SIZE);
        *copied = true;
    }
    return true;
}
