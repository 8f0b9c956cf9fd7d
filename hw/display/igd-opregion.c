/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/display/igd-opregion.h"

#include <inttypes.h>
#include <string.h>

#include "firmware/loader.h"
#include "hw/core/property.h"

/* The header, section 3.2 of the specification; the mailboxes follow it. */
typedef struct OpRegionHeader {
    char signature[16];
    uint32_t size_kib;
    uint8_t reserved, revision, minor, major;
    char bios_version[32];
    char video_bios_version[16];
    char driver_version[16];
    uint32_t mailboxes; /* a bit for each that is there */
    uint8_t rest[164];
} OpRegionHeader;

G_STATIC_ASSERT(sizeof(OpRegionHeader) == 256);

#define SIGNATURE "IntelGraphicsMem"
#define SIZE KiB(8) /* header, mailboxes and 6 KiB for the video BIOS table */

/* A driver finds no mailbox in it, and so neither a table of outputs nor a way to ask. */
static GBytes *make_minimal(void)
{
    OpRegionHeader *header = g_malloc0(SIZE);

    memcpy(header->signature, SIGNATURE, sizeof(header->signature));
    header->size_kib = GUINT32_TO_LE(SIZE / KiB(1));
    header->major = 2;
    g_strlcpy(header->bios_version, "Umbra", sizeof(header->bios_version));
    return g_bytes_new_take(header, SIZE);
}

GBytes *igd_opregion_load(const char *path, GError **error)
{
    /* What hangs on to the OpRegion (a video BIOS table of more than 6 KiB) may be in the
     * file too. */
    static const FirmwareRules rules = {
        .what = "graphics OpRegion", .granularity = KiB(1), .max_size = KiB(64)};
    g_autoptr(GBytes) file = NULL;
    const OpRegionHeader *header;
    uint64_t size;

    if (!path) {
        return make_minimal();
    }
    file = firmware_load(path, NULL, &rules, error);
    if (!file) {
        return NULL;
    }
    header = g_bytes_get_data(file, NULL);
    if (memcmp(header->signature, SIGNATURE, sizeof(header->signature)) != 0) {
        refuse_argument(error,
                        "%s is no OpRegion: it does not begin with \"" SIGNATURE
                        "\"; a host's is in /sys/kernel/debug/dri/0/i915_opregion",
                        path);
        return NULL;
    }
    size = GUINT32_FROM_LE(header->size_kib) * KiB(1);
    if (size < SIZE || size > g_bytes_get_size(file)) {
        refuse_argument(error,
                        "the OpRegion %s says that it has 0x%" PRIx64
                        " bytes; the file has 0x%zx, and 0x%x are the least",
                        path, size, g_bytes_get_size(file), (unsigned)SIZE);
        return NULL;
    }
    return g_steal_pointer(&file);
}
