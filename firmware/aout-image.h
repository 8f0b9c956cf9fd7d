/*
 * a.out kernels for the i386: their text, data and bss as the segments of an ElfImage.
 *
 * The formats are those of FreeBSD's sys/sys/imgact_aout.h: OMAGIC, NMAGIC, ZMAGIC and
 * QMAGIC with the header's numbers in the machine's order, and the last two with the
 * first word in network order, as NetBSD's linker wrote them. The header does not say
 * where the text belongs: it begins at the entry or, where the file's first page is all
 * of it a part of the text, at the entry's page (stand/i386/boot2/boot2.c goes by the
 * entry as well).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_AOUT_IMAGE_H
#define FIRMWARE_AOUT_IMAGE_H

#include "firmware/elf-image.h"

bool aout_image_probe(GBytes *file);

/* As elf_image_parse(); addresses are those that the kernel is linked for. */
bool aout_image_parse(ElfImage *image, GBytes *file, GError **error);

#endif
