/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/kernel-boot.h"

#include <gio/gio.h>

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
