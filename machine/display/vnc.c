/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/display/vnc.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <string.h>

#include "hw/core/module.h"
#include "hw/core/property.h"
#include "hw/display/console.h"
#include "hw/input/keys.h"
#include "hw/input/position.h"

#define FIRST_PORT 5900
#define LAST_DISPLAY (65535 - FIRST_PORT)

static DisplayConsole *console;

static VncPicture current_picture(void)
{
    pixman_image_t *image = display_console_image(console);

    return (VncPicture){
        .pixels = (const char *)pixman_image_get_data(image),
        .width = pixman_image_get_width(image),
        .height = pixman_image_get_height(image),
        .stride = (size_t)pixman_image_get_stride(image),
    };
}

static const VncHost vnc_host = {
    .picture = current_picture,
    .key_from_name = input_key_from_name,
    .send_key = input_send_key,
    .send_pointer = input_send_pointer,
    .send_position = input_send_position,
};

static bool parse_display(const char *display, uint32_t *address, uint16_t *port,
                          GError **error)
{
    const char *colon = strrchr(display, ':');
    g_autofree char *host = colon ? g_strndup(display, (gsize)(colon - display)) : NULL;
    const char *name = host && strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    struct in_addr in = {0};
    uint64_t number;

    if (!colon || !parse_uint64(colon + 1, LAST_DISPLAY, &number) ||
        (*name && inet_pton(AF_INET, name, &in) != 1)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "'%s' is not a display; write :N or ADDRESS:N for TCP port 5900 + N, "
                    "the address in IPv4's notation",
                    display);
        return false;
    }
    *address = in.s_addr;
    *port = (uint16_t)(FIRST_PORT + number);
    return true;
}

bool vnc_start(const char *display, GError **error)
{
    VncModuleStart start;
    uint32_t address;
    uint16_t port;
    gpointer symbol;

    if (strcmp(display, "none") == 0) {
        return true;
    }
    if (!parse_display(display, &address, &port, error)) {
        return false;
    }
    console = display_console_find(NULL, NULL);
    if (!console) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                            "the machine has no screen; add -vga std");
        return false;
    }
    symbol = module_symbol("umbra-vnc", VNC_MODULE_START, "libvncserver-dev", error);
    if (!symbol) {
        return false;
    }
    memcpy(&start, &symbol, sizeof start);
    return start(&vnc_host, address, port, error);
}
