/*
 * The files that -kernel and -initrd name.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_KERNEL_FILES_H
#define MACHINE_KERNEL_FILES_H

#include "firmware/kernel-boot.h"

/* A file whole; NULL and *error, which names the option, where it cannot be read. */
GBytes *kernel_file_read(const char *option, const char *path, GError **error);

/* An empty array of KernelModule, which it frees with itself. */
GArray *kernel_modules_new(void);

/* -initrd of a Multiboot or PVH kernel: files, each with words for the kernel behind it,
 * with commas between (a comma of a name's own is doubled). */
bool kernel_modules_read(const char *initrd, GArray *modules, GError **error);

#endif
