/*
 * Consoles: the pictures that the machine's display adapters show, for those who look at
 * them (screendump, VNC). A console draws only when it is asked to.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_DISPLAY_CONSOLE_H
#define HW_DISPLAY_CONSOLE_H

#include <pixman.h>

#include "hw/core/device.h"

typedef struct DisplayConsole DisplayConsole;

/* Draws what is on the screen now into *image: a picture that the console owns, of which
 * it may reuse the pixels or which it replaces (releasing the old one) when the size or
 * the format changes. */
typedef void (*DisplayDraw)(void *opaque, pixman_image_t **image);

/* A console for `device`, the next in number. It lives as long as the device. */
DisplayConsole *display_console_new(Device *device, DisplayDraw draw, void *opaque);
void display_console_free(DisplayConsole *console);

/* The first console (id NULL), or that of the device of that id. NULL and *error. */
DisplayConsole *display_console_find(const char *id, GError **error);

/* The picture now; the console's own, valid until the next call. Never NULL. */
pixman_image_t *display_console_image(DisplayConsole *console);

/* Replaces *image unless it is of that size and format already. False: it is too large
 * for the host, and *image is as it was. */
bool display_image_resize(pixman_image_t **image, pixman_format_code_t format, int width,
                          int height);

#endif
