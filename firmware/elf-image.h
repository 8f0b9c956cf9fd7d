/*
 * ELF kernels for x86: which bytes of the file go where in guest memory, and where to
 * begin. For every loader that takes an ELF file apart: Multiboot, PVH, a direct boot.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_ELF_IMAGE_H
#define FIRMWARE_ELF_IMAGE_H

#include "memory/types.h"

#define ELF_IMAGE_SEGMENTS 16

typedef struct ElfSegment {
    uint64_t address;     /* guest physical */
    uint64_t linked;      /* what the kernel itself takes it to be (p_vaddr) */
    uint64_t size;        /* bytes there; behind file_size they are zero */
    const uint8_t *bytes; /* in the file */
    size_t file_size;
} ElfSegment;

typedef struct ElfImage {
    bool is_64;
    uint64_t entry; /* guest physical, where a segment holds it; else as the file says */
    uint64_t linked_entry; /* as the file says */
    bool executable;       /* of fixed addresses (ET_EXEC) */
    ElfSegment segments[ELF_IMAGE_SEGMENTS]; /* to load; in the file's order */
    size_t count;
    uint64_t start, end;   /* guest physical: the first byte, and behind the last */
    bool has_phys32_entry; /* Xen's note PHYS32_ENTRY: the PVH boot protocol */
    uint64_t phys32_entry; /* guest physical */
} ElfImage;

bool elf_image_probe(GBytes *file);

/* Reads the headers, checked against the file's length, and the notes. The image points
 * into `file`, which must stay. False and *error, one sentence without the file's name,
 * where it is cut short, of another processor, or contradicts itself. Needs no lock. */
bool elf_image_parse(ElfImage *image, GBytes *file, GError **error);

/* The segment that holds a guest physical address, or NULL. */
const ElfSegment *elf_image_find(const ElfImage *image, uint64_t address);

#endif
