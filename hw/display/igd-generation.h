/*
 * What tells the generations of Intel's integrated graphics apart for the memory map:
 * where GGC keeps the sizes, and what the graphics translation table (GTT) looks like.
 *
 * Sources: Intel's processor data sheets, volume 2, "GGC" (device 2, offset 0x50) of the
 * 2nd to 7th generation of Core processors; Linux, arch/x86/kernel/early-quirks.c (sizes)
 * and include/drm/i915_pciids.h (device ids).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_DISPLAY_IGD_GENERATION_H
#define HW_DISPLAY_IGD_GENERATION_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct IGDGeneration {
    const char *name;
    unsigned gms_shift; /* GGC: data stolen memory, in 32 MiB, at most IGD_GMS_MAX; */
    unsigned gms_4m;   /*   from this code on in 4 MiB, starting at 4. 0: no such codes */
    uint16_t ggms;     /* GGC's field for gtt_size, the largest there is */
    uint64_t gtt_size; /* bytes */
    unsigned entry_size;    /* of the GTT, bytes; each is for a page of 4 KiB */
    uint64_t register_size; /* of BAR 0, whose upper half is the GTT */
} IGDGeneration;

#define IGD_GMS_MAX 0x10 /* 512 MiB: the last code that all generations have */

/* The generation that has PCI device id `device_id`, or NULL. */
const IGDGeneration *igd_generation_find(uint16_t device_id);

/* GGC for that much data stolen memory (bytes); false and *error in words when the
 * generation has no code for it. */
bool igd_generation_encode(const IGDGeneration *generation, uint64_t stolen_size,
                           uint16_t *ggc, GError **error);

/* The guest physical address in a GTT entry (39 bits). */
uint64_t igd_generation_address(const IGDGeneration *generation, uint64_t entry);

#define IGD_ENTRY_VALID 1u

#endif
