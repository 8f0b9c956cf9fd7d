/*
 * OpRegion: the page or two in which Intel's firmware and graphics driver talk to each
 * other (Intel, "IGD OpRegion/Software SCI Specification for Skylake Processors", 2016).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_DISPLAY_IGD_OPREGION_H
#define HW_DISPLAY_IGD_OPREGION_H

#include <glib.h>

/* The OpRegion in that file (found and, where it is gzip's, decompressed as firmware
 * images are), or with path NULL one that has no mailboxes: 8 KiB. NULL and *error in
 * words when the file is none. */
GBytes *igd_opregion_load(const char *path, GError **error);

#endif
