/*
 * -vnc: the first console and the keyboard, for a person at a VNC viewer.
 *
 * The server is libvncserver's, whose libraries take longer to load than all of Umbra; so
 * it is a module that is loaded when somebody asks for it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_DISPLAY_VNC_H
#define MACHINE_DISPLAY_VNC_H

#include <gmodule.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts serving, for the process's life. `display` is QEMU's: "[HOST]:N" listens at TCP
 * port 5900 + N of that IPv4 address, or of all; "none" does nothing. False and *error:
 * not a display, no such module, no console, or the port is taken. Machine lock. */
bool vnc_start(const char *display, GError **error);

/* -- Between vnc.c and the module. The functions are called from the main loop. -- */

#define VNC_MODULE_START "umbra_vnc_module_start"

/* 32 bits a pixel, x8r8g8b8 in host order. Good until the next call. */
typedef struct VncPicture {
    const char *pixels;
    int width, height;
    size_t stride; /* bytes from line to line */
} VncPicture;

#define VNC_POSITION_MAX 0x7fff /* INPUT_POSITION_MAX */

typedef struct VncHost {
    VncPicture (*picture)(void);            /* what is on the screen now */
    int (*key_from_name)(const char *name); /* QEMU's key names; -1: none */
    void (*send_key)(int key, bool down);
    void (*send_pointer)(int dx, int dy, int dz,
                         unsigned buttons); /* as hw/input/keys.h */
    bool (*send_position)(unsigned x, unsigned y, int dz,
                          unsigned buttons); /* as hw/input/position.h */
} VncHost;

/* `address`: IPv4 in network order, 0: all. `host` lives forever. */
typedef bool (*VncModuleStart)(const VncHost *host, uint32_t address, uint16_t port,
                               GError **error);

#endif
