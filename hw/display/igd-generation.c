/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/display/igd-generation.h"

#include <inttypes.h>

#include "hw/core/property.h"
#include "memory/types.h"

static const IGDGeneration sandy_bridge = {
    .name = "Sandy Bridge to Haswell",
    .gms_shift = 3,
    .ggms = 2 << 8, /* in MiB */
    .gtt_size = MiB(2),
    .entry_size = 4,
    .register_size = MiB(4),
};

static const IGDGeneration broadwell = {
    .name = "Broadwell",
    .gms_shift = 8,
    .ggms = 3 << 6, /* 2^3 MiB */
    .gtt_size = MiB(8),
    .entry_size = 8,
    .register_size = MiB(16),
};

static const IGDGeneration skylake = {
    .name = "Skylake to Comet Lake",
    .gms_shift = 8,
    .gms_4m = 0xf0,
    .ggms = 3 << 6,
    .gtt_size = MiB(8),
    .entry_size = 8,
    .register_size = MiB(16),
};

static const struct {
    uint16_t first, last; /* device ids */
    const IGDGeneration *generation;
} ids[] = {
    {0x0102, 0x0126, &sandy_bridge}, /* Sandy Bridge */
    {0x0152, 0x016a, &sandy_bridge}, /* Ivy Bridge */
    {0x0402, 0x042e, &sandy_bridge}, /* Haswell; ultrabook, SDV and Crystal Well below */
    {0x0a02, 0x0a2e, &sandy_bridge}, {0x0c02, 0x0c2e, &sandy_bridge},
    {0x0d02, 0x0d2e, &sandy_bridge}, {0x1602, 0x163e, &broadwell},
    {0x1902, 0x193d, &skylake},      {0x3e90, 0x3ea9, &skylake}, /* Coffee Lake */
    {0x5902, 0x593b, &skylake},                                  /* Kaby Lake */
    {0x9b21, 0x9bf6, &skylake},                                  /* Comet Lake */
};

const IGDGeneration *igd_generation_find(uint16_t device_id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        if (device_id >= ids[i].first && device_id <= ids[i].last) {
            return ids[i].generation;
        }
    }
    return NULL;
}

bool igd_generation_encode(const IGDGeneration *generation, uint64_t stolen_size,
                           uint16_t *ggc, GError **error)
{
    const uint64_t unit = MiB(32), small_unit = MiB(4);
    uint64_t code = 0;

    if (stolen_size % unit == 0 && stolen_size / unit <= IGD_GMS_MAX) {
        code = stolen_size / unit;
    } else if (generation->gms_4m && stolen_size % small_unit == 0 &&
               stolen_size < 2 * unit) {
        code = generation->gms_4m + stolen_size / small_unit - 1;
    }
    if (!code) {
        return refuse_argument(
            error,
            "igd-stub.stolen-size: %s's GGC register has no code for 0x%" PRIx64
            " bytes; give a multiple of 32M up to 512M%s",
            generation->name, stolen_size,
            generation->gms_4m ? ", or one of 4M up to 60M" : "");
    }
    *ggc = (uint16_t)(code << generation->gms_shift | generation->ggms);
    return true;
}

/* Entries of 4 bytes have bits 38:32 of the address in bits 10:4. */
uint64_t igd_generation_address(const IGDGeneration *generation, uint64_t entry)
{
    return generation->entry_size == 4
               ? (entry & UINT64_C(0xfffff000)) | (entry & 0x7f0) << 28
               : entry & UINT64_C(0x7ffffff000);
}
