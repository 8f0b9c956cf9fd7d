/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/display/vnc.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <string.h>

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

/* Beside the program while it is in its build directory, else where it is installed. */
static GModule *open_module(GError **error)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *directory = program ? g_path_get_dirname(program) : NULL;
    g_autofree char *beside =
        directory ? g_build_filename(directory, "libumbra-vnc.so", NULL) : NULL;
    const char *path = beside && g_file_test(beside, G_FILE_TEST_EXISTS)
                           ? beside
                           : UMBRA_MODULE_DIR "/libumbra-vnc.so";
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);

    if (!module) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "the VNC module cannot be loaded (%s); install libvncserver-dev and "
                    "build again",
                    g_module_error());
    }
    return module;
}

bool vnc_start(const char *display, GError **error)
{
    VncModuleStart start;
    uint32_t address;
    uint16_t port;
    GModule *module;

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
    module = open_module(error);
    if (!module) {
        return false;
    }
    if (!g_module_symbol(module, VNC_MODULE_START, (gpointer *)(void *)&start)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "%s is not a VNC module of Umbra's", g_module_name(module));
        return false;
    }
    g_module_make_resident(module);
    return start(&vnc_host, address, port, error);
}
