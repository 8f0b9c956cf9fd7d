/*
 * How FreeBSD's bhyveload(8) starts a 32-bit kernel, without firmware: what
 * stand/userboot/userboot and lib/libvmmapi/vmmapi_freebsd.c leave in memory and in the
 * processor.
 *
 * The kernel finds on its stack the arguments of boot(8): flags, a bootinfo structure,
 * and the address of the metadata ("modulep"), which hold the environment and the memory
 * map (SMAP). Below 0x5000 lie stack, bootinfo, GDT and task segment; behind the kernel,
 * each from a page of its own, the environment and the metadata.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_BSD_BOOT_H
#define FIRMWARE_BSD_BOOT_H

#include "firmware/boot-pieces.h"

/* Guest physical; each a page. elf32_freebsd.c: GUEST_STACK and GUEST_GDT; bootinfo32.c;
 * vm_setup_freebsd_registers_i386(). */
#define BSD_BOOT_STACK 0x1000
#define BSD_BOOT_BOOTINFO 0x2000
#define BSD_BOOT_GDT 0x3000
#define BSD_BOOT_TSS 0x4000

#define BSD_BOOT_GDT_LIMIT 31
#define BSD_BOOT_TSS_LIMIT 103

/* What the user gives. Nothing is kept. */
typedef struct BSDBootSource {
    const char *name;      /* the file's */
    GBytes *file;          /* ELF, or a.out as aout-image.h has it */
    const char *arguments; /* of the loader's command boot: flags, and variables; or "" */
    const char *const
        *environment;   /* "name=value", NULL-terminated; of two the last counts */
    uint64_t low, high; /* bytes of RAM from 0 on, and from 4 GiB on */
} BSDBootSource;

typedef struct BSDBoot {
    uint32_t entry, esp; /* guest physical */
    GArray *pieces;      /* BootPiece; for RAM that is empty */
} BSDBoot;

/*
 * Lays all of it out and checks it against `as`: segments in RAM, none below 0x5000 but
 * above the first page, room behind the kernel. Segments go where the kernel is linked
 * for, less the top eight bits of its entry (stand/common/load_elf.c). False and *error,
 * one sentence without the file's name, where something does not fit. Clear *boot
 * afterwards, also on failure. Machine lock.
 */
bool bsd_boot_prepare(BSDBoot *boot, AddressSpace *as, const BSDBootSource *source,
                      GError **error);
void bsd_boot_clear(BSDBoot *boot);

#endif
