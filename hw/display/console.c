/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/display/console.h"

#include <gio/gio.h>
#include <string.h>

/* What a screen shows before its adapter has a mode. */
#define FIRST_WIDTH 640
#define FIRST_HEIGHT 480

struct DisplayConsole {
    Device *device;
    DisplayDraw draw;
    void *opaque;
    pixman_image_t *image;
};

static GPtrArray *consoles;

DisplayConsole *display_console_new(Device *device, DisplayDraw draw, void *opaque)
{
    DisplayConsole *console = g_new0(DisplayConsole, 1);

    *console = (DisplayConsole){device, draw, opaque, NULL};
    display_image_resize(&console->image, PIXMAN_x8r8g8b8, FIRST_WIDTH, FIRST_HEIGHT);
    if (!consoles) {
        consoles = g_ptr_array_new();
    }
    g_ptr_array_add(consoles, console);
    return console;
}

void display_console_free(DisplayConsole *console)
{
    g_ptr_array_remove(consoles, console);
    pixman_image_unref(console->image);
    g_free(console);
}

DisplayConsole *display_console_find(const char *id, GError **error)
{
    for (guint i = 0; consoles && i < consoles->len; i++) {
        DisplayConsole *console = consoles->pdata[i];

        if (!id || g_strcmp0(console->device->id, id) == 0) {
            return console;
        }
    }
    if (!id) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                            "There is no console to take a screendump from");
    } else if (device_find_by_id(id)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "Device '%s' has no console; leave the device out to take the first",
                    id);
    } else {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "Device '%s' not found", id);
    }
    return NULL;
}

pixman_image_t *display_console_image(DisplayConsole *console)
{
    console->draw(console->opaque, &console->image);
    return console->image;
}

bool display_image_resize(pixman_image_t **image, pixman_format_code_t format, int width,
                          int height)
{
    pixman_image_t *new_image;

    if (*image && pixman_image_get_format(*image) == format &&
        pixman_image_get_width(*image) == width &&
        pixman_image_get_height(*image) == height) {
        return true;
    }
    new_image = pixman_image_create_bits(format, width, height, NULL, 0);
    if (!new_image) {
        return false;
    }
    if (*image) {
        pixman_image_unref(*image);
    }
    *image = new_image;
    return true;
}
