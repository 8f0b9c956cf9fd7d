/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/aout-image.h"

#include <string.h>

#include "firmware/kernel-boot.h"

#define PAGE_SIZE UINT64_C(4096) /* __LDPGSZ of the i386 */

/* struct exec: eight words. */
enum { A_MIDMAG = 0, A_TEXT = 4, A_DATA = 8, A_BSS = 12, A_ENTRY = 20, HEADER_SIZE = 32 };

#define MID_ZERO 0
#define MID_I386 134

/* What a magic number says of the file. The second row of a number is that of the network
 * order. */
typedef struct Format {
    uint16_t magic;
    bool network;
    bool paged;       /* text and data end at pages, in the file and in memory */
    uint64_t text_at; /* in the file */
} Format;

static const Format formats[] = {
    {0407, false, false, HEADER_SIZE},
    {0410, false, false, HEADER_SIZE},
    {0413, false, true, PAGE_SIZE},
    {0314, false, true, 0},
    {0413, true, true, 0},
    {0314, true, true, 0},
};

static const Format *find_format(GBytes *file)
{
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(file, &size);
    uint32_t little, big;

    if (size < 4) {
        return NULL;
    }
    little = kernel_get32(bytes + A_MIDMAG);
    big = GUINT32_SWAP_LE_BE(little);
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        uint32_t word = formats[i].network ? big : little;
        unsigned machine = word >> 16 & 0x3ff;

        if ((word & 0xffff) == formats[i].magic &&
            (machine == MID_I386 || (machine == MID_ZERO && !formats[i].network))) {
            return &formats[i];
        }
    }
    return NULL;
}

bool aout_image_probe(GBytes *file)
{
    return find_format(file) != NULL;
}

static uint64_t end_of(const Format *format, uint64_t end)
{
    return format->paged ? (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1) : end;
}

static void add_segment(ElfImage *image, uint64_t address, uint64_t size,
                        const uint8_t *bytes, uint64_t file_size)
{
    if (size) {
        image->segments[image->count++] = (ElfSegment){.address = address,
                                                       .linked = address,
                                                       .size = size,
                                                       .bytes = bytes,
                                                       .file_size = file_size};
        image->end = address + size;
    }
}

bool aout_image_parse(ElfImage *image, GBytes *file, GError **error)
{
    const Format *format = find_format(file);
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(file, &size);
    uint64_t text, data, bss, entry, start, data_at;

    memset(image, 0, sizeof(*image));
    if (!format) {
        return kernel_fail(error, "not an a.out file for the i386");
    }
    if (size < HEADER_SIZE) {
        return kernel_fail(error, "truncated: it ends within its a.out header");
    }
    text = kernel_get32(bytes + A_TEXT);
    data = kernel_get32(bytes + A_DATA);
    bss = kernel_get32(bytes + A_BSS);
    entry = kernel_get32(bytes + A_ENTRY);
    start = format->text_at ? entry : entry & ~(PAGE_SIZE - 1);
    data_at = end_of(format, format->text_at + text);
    if (text == 0) {
        return kernel_fail(error, "its a.out header says that it has no text");
    }
    if (format->text_at + text > size || (data && data_at + data > size)) {
        return kernel_fail(error,
                           "truncated: its a.out header counts %" G_GUINT64_FORMAT
                           " bytes of text and %" G_GUINT64_FORMAT
                           " of data, and it has %zu in all",
                           text, data, size);
    }
    if (entry - start >= text) {
        return kernel_fail(error,
                           "its entry 0x%" G_GINT64_MODIFIER
                           "x is beyond the %" G_GUINT64_FORMAT " bytes of its text",
                           entry, text);
    }
    image->entry = image->linked_entry = entry;
    image->start = start;
    add_segment(image, start, text, bytes + format->text_at, text);
    add_segment(image, end_of(format, start + text), data + bss, bytes + data_at, data);
    if (image->end > UINT64_C(1) << 32) {
        return kernel_fail(error, "its data and bss reach around the end of memory");
    }
    return true;
}
