/*
 * PVH: how a virtual machine starts an ELF kernel at its 32-bit entry, without firmware
 * (Xen's "x86/HVM direct boot ABI", docs/misc/pvh.pandoc, and start_info.h).
 *
 * The kernel finds a structure, hvm_start_info, by its address in EBX. It tells of
 * modules, command line, ACPI's RSDP and, from version 1 on, of memory. The memory map
 * here is read from the region tree itself: what the machine shows as RAM is RAM.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_PVH_H
#define FIRMWARE_PVH_H

#include "firmware/boot-pieces.h"
#include "firmware/elf-image.h"
#include "firmware/kernel-boot.h"
#include "memory/address-space.h"

/* Where a machine type puts what it tells the kernel; guest physical addresses. */
typedef struct PVHLayout {
    uint32_t start_info; /* with the list of modules 0x40 bytes behind it */
    uint32_t memory_map;
    uint32_t command_line;
    uint32_t command_line_size; /* bytes there are for it, with its NUL */
    uint32_t low_ram_end;       /* modules go below this, or below the end of low RAM */
} PVHLayout;

typedef struct PVHSource {
    const ElfImage *kernel; /* with has_phys32_entry */
    const char *command_line;
    const KernelModule *modules;
    size_t module_count;
    uint64_t rsdp;    /* 0: none */
    unsigned version; /* of the structure: 1, or 0 (no memory map) */
} PVHSource;

/* What is to be written into guest memory at each start. */
typedef struct PVHImage {
    uint32_t entry, start_info; /* guest physical */
    GArray *pieces;             /* BootPiece */
} PVHImage;

/* Guest memory that a kernel must leave alone. */
typedef struct PVHTaken {
    const char *name; /* in messages: "the start info" */
    uint64_t address, size;
} PVHTaken;

/* SMAP types (ACPI table 15-374), which start_info uses. */
enum { PVH_MEMORY_RAM = 1, PVH_MEMORY_RESERVED = 2, PVH_MEMORY_PMEM = 7 };

/* elf_image_parse() of a file that must have the note. */
bool pvh_parse(ElfImage *kernel, GBytes *file, GError **error);

/*
 * The kernel alone, for a machine whose firmware tells it the rest: checks that segments
 * and entry lie in RAM and clear of the `count` ranges `taken`, and makes their pieces.
 * *image is overwritten; otherwise as pvh_prepare().
 */
bool pvh_place_kernel(PVHImage *image, AddressSpace *as, const ElfImage *kernel,
                      const PVHTaken *taken, size_t count, GError **error);

/*
 * Lays all of it out in `as` and checks it: segments and the entry in RAM, none over what
 * the kernel is told, room for modules and command line. The file behind source->kernel
 * must stay while this runs. False and *error, one sentence without the file's name,
 * where something does not fit. Clear *image afterwards, also on failure. Machine lock.
 */
bool pvh_prepare(PVHImage *image, AddressSpace *as, const PVHLayout *layout,
                 const PVHSource *source, GError **error);

/* Writes the pieces. Machine lock. */
void pvh_write(const PVHImage *image, AddressSpace *as);
void pvh_clear(PVHImage *image);

/* Whether all of [address, address + size) is RAM that the guest can write.
 * Machine lock. */
bool pvh_is_ram(AddressSpace *as, uint64_t address, uint64_t size);

#endif
