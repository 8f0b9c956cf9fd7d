/*
 * VESA Enhanced Extended Display Identification Data, release A revision 2 (EDID 1.4),
 * cited by section, with an extension block of CTA-861.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/display/edid.h"

#include <glib.h>
#include <string.h>

#define BLOCK 128
#define REFRESH_HZ 75
#define DOTS_PER_INCH 100

/* 3.3-3.9: "RHT" 0x1234, week 42 of 2014, EDID 1.4, digital with 8 bits a colour over
 * DisplayPort, sRGB's primaries, and the usual modes from 640x480 to 2048x1152. */
static const uint8_t head[54] = {
    0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x49, 0x14, 0x34, 0x12, 0,    0,
    0,    0,    42,   24,   1,    4,    0xa5, 0,    0,    0x78, 0x06, 0xee, 0x91, 0xa3,
    0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, 0x21, 0x08, 0x00, 0xe1, 0xc0, 0xd1, 0xc0,
    0xd1, 0x00, 0xa9, 0x40, 0xb3, 0x00, 0x95, 0x00, 0x81, 0x80, 0x81, 0x40,
};

/* 3.10.3: established timings III; range limits: 50-125 Hz, 30-160 kHz; the name. */
static const uint8_t descriptors[54] = {
    0,    0,    0,    0xf7, 0,    0x0a, 0x00, 0x40, 0x82, 0x00, 0x28, 0x20, 0,   0,
    0,    0,    0,    0,    0,    0,    0,    0xfd, 0,    50,   125,  30,   160, 0xff,
    0x01, 0x0a, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0,    0,    0,    0xfc, 0,   'Q',
    'E',  'M',  'U',  ' ',  'M',  'o',  'n',  'i',  't',  'o',  'r',  '\n',
};

/* CTA-861, revision 3: one video data block of six codes; no timings. */
#define EXTENSION_TIMINGS 11
static const uint8_t extension[EXTENSION_TIMINGS] = {
    0x02, 0x03, EXTENSION_TIMINGS, 0, 0x46, 0x7d, 0x65, 0x60, 0x59, 0x1f, 0x61};

/* 3.10.2: how the best mode is scanned; a wide blanking, as old monitors like it. */
static void detailed_timing(uint8_t *at, unsigned x, unsigned y, unsigned width_mm,
                            unsigned height_mm)
{
    unsigned x_front = x * 25 / 100, x_sync = x * 3 / 100, x_blank = x * 35 / 100;
    unsigned y_front = y * 5 / 1000, y_sync = y * 5 / 1000, y_blank = y * 35 / 1000;
    uint64_t clock = (uint64_t)REFRESH_HZ * (x + x_blank) * (y + y_blank) / 10000;
    const uint8_t timing[18] = {
        (uint8_t)clock,
        (uint8_t)(clock >> 8),
        (uint8_t)x,
        (uint8_t)x_blank,
        (uint8_t)((x >> 4 & 0xf0) | (x_blank >> 8 & 0x0f)),
        (uint8_t)y,
        (uint8_t)y_blank,
        (uint8_t)((y >> 4 & 0xf0) | (y_blank >> 8 & 0x0f)),
        (uint8_t)x_front,
        (uint8_t)x_sync,
        (uint8_t)((y_front & 0x0f) << 4 | (y_sync & 0x0f)),
        (uint8_t)((x_front >> 2 & 0xc0) | (x_sync >> 4 & 0x30) | (y_front >> 2 & 0x0c) |
                  (y_sync >> 4 & 0x03)),
        (uint8_t)width_mm,
        (uint8_t)height_mm,
        (uint8_t)((width_mm >> 4 & 0xf0) | (height_mm >> 8 & 0x0f)),
        0,
        0,
        0x18, /* no border; digital separate syncs */
    };

    memcpy(at, timing, sizeof(timing));
}

/* The sum of a block is 0. */
static void set_checksum(uint8_t *block)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < BLOCK - 1; i++) {
        sum = (uint8_t)(sum + block[i]);
    }
    block[BLOCK - 1] = (uint8_t)-sum;
}

void edid_fill(uint8_t *edid, unsigned xres, unsigned yres)
{
    unsigned x = MIN(xres, 4095), y = MIN(yres, 4095);
    unsigned width_mm = x * 254 / (10 * DOTS_PER_INCH);
    unsigned height_mm = y * 254 / (10 * DOTS_PER_INCH);

    memset(edid, 0, EDID_LENGTH);
    memcpy(edid, head, sizeof(head));
    edid[21] = (uint8_t)(width_mm / 10);
    edid[22] = (uint8_t)(height_mm / 10);
    detailed_timing(edid + sizeof(head), x, y, width_mm, height_mm);
    memcpy(edid + sizeof(head) + 18, descriptors, sizeof(descriptors));
    edid[126] = 1; /* blocks that follow */
    set_checksum(edid);

    memcpy(edid + BLOCK, extension, sizeof(extension));
    for (unsigned at = EXTENSION_TIMINGS; at + 18 < BLOCK; at += 18) {
        edid[BLOCK + at + 3] = 0x10; /* a descriptor that says nothing */
    }
    set_checksum(edid + BLOCK);
}
