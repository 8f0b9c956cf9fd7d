/*
 * A view as a picture: one SVG file that a browser shows without help.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MEMORY_DRAW_H
#define MEMORY_DRAW_H

#include "memory/address-space.h"

/* The SVG text of what `as` shows now, under the headline `title`; free it.
 * Machine lock. */
char *draw_view(AddressSpace *as, const char *title);

#endif
