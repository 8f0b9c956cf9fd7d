/*
 * The description that a monitor gives of itself.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_DISPLAY_EDID_H
#define HW_DISPLAY_EDID_H

#include <stdint.h>

#define EDID_LENGTH 256 /* the base block and a CTA-861 extension */

/* Fills EDID_LENGTH bytes with QEMU's monitor, whose best mode is that one (pixels; at
 * most 4095 fit). */
void edid_fill(uint8_t *edid, unsigned xres, unsigned yres);

#endif
