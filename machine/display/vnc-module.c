/*
 * The VNC server, on libvncserver: a module of its own (see vnc.h).
 *
 * RFC 6143. Viewers send keysyms of X's; a keyboard has keys. A character is given by the
 * key that has it on the layout of the United States, and shifting is the viewer's, who
 * sends that key too: as in QEMU without -k.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/display/vnc.h"

#include <gio/gio.h>
#include <rfb/keysym.h>
#include <rfb/rfb.h>
#include <string.h>

#define FRAME_MS 33
#define BYTES_PER_PIXEL 4

/* RFC 6143, section 7.5.5: buttons 4 and 5 are the wheel. */
#define BUTTON_LEFT 1
#define BUTTON_MIDDLE 2
#define BUTTON_RIGHT 4
#define WHEEL_UP 8
#define WHEEL_DOWN 16

typedef struct VncServer {
    const VncHost *host;
    rfbScreenInfoPtr screen;
    int pointer_x, pointer_y, pointer_buttons;
} VncServer;

static VncServer server;

/* -- The picture -----------------------------------------------------------------------
 */

static void set_size(int width, int height)
{
    char *old = server.screen->frameBuffer;
    char *pixels = g_malloc0((gsize)width * (gsize)height * BYTES_PER_PIXEL);

    rfbNewFramebuffer(server.screen, pixels, width, height, 8, 3, BYTES_PER_PIXEL);
    server.screen->serverFormat.redShift = 16;
    server.screen->serverFormat.greenShift = 8;
    server.screen->serverFormat.blueShift = 0;
    g_free(old);
}

/* Marks the lines that have changed since the last frame. */
static void update(void)
{
    VncPicture picture = server.host->picture();
    size_t pitch = (size_t)picture.width * BYTES_PER_PIXEL;

    if (picture.width != server.screen->width ||
        picture.height != server.screen->height) {
        set_size(picture.width, picture.height);
    }
    for (int y = 0; y < picture.height; y++) {
        const char *from = picture.pixels + (size_t)y * picture.stride;
        char *to = server.screen->frameBuffer + (size_t)y * pitch;

        if (memcmp(to, from, pitch) != 0) {
            memcpy(to, from, pitch);
            rfbMarkRectAsModified(server.screen, 0, y, picture.width, y + 1);
        }
    }
}

static gboolean frame(gpointer opaque)
{
    if (server.screen->clientHead) {
        update();
    }
    rfbProcessEvents(server.screen, 0);
    return G_SOURCE_CONTINUE;
}

/* -- Input -----------------------------------------------------------------------------
 */

/* Characters without and with shift, by key. */
static const struct {
    const char *characters;
    const char *key;
} character_keys[] = {
    {"1!", "1"},
    {"2@", "2"},
    {"3#", "3"},
    {"4$", "4"},
    {"5%", "5"},
    {"6^", "6"},
    {"7&", "7"},
    {"8*", "8"},
    {"9(", "9"},
    {"0)", "0"},
    {"-_", "minus"},
    {"=+", "equal"},
    {"[{", "bracket_left"},
    {"]}", "bracket_right"},
    {"\\|", "backslash"},
    {";:", "semicolon"},
    {"'\"", "apostrophe"},
    {"`~", "grave_accent"},
    {",<", "comma"},
    {".>", "dot"},
    {"/?", "slash"},
    {" ", "spc"},
};

static const struct {
    rfbKeySym symbol;
    const char *key;
} symbol_keys[] = {
    {XK_BackSpace, "backspace"},
    {XK_Tab, "tab"},
    {XK_ISO_Left_Tab, "tab"},
    {XK_Return, "ret"},
    {XK_Escape, "esc"},
    {XK_Delete, "delete"},
    {XK_Insert, "insert"},
    {XK_Home, "home"},
    {XK_End, "end"},
    {XK_Page_Up, "pgup"},
    {XK_Page_Down, "pgdn"},
    {XK_Left, "left"},
    {XK_Up, "up"},
    {XK_Right, "right"},
    {XK_Down, "down"},
    {XK_Shift_L, "shift"},
    {XK_Shift_R, "shift_r"},
    {XK_Control_L, "ctrl"},
    {XK_Control_R, "ctrl_r"},
    {XK_Alt_L, "alt"},
    {XK_Alt_R, "alt_r"},
    {XK_Meta_L, "alt"},
    {XK_Meta_R, "alt_r"},
    {XK_ISO_Level3_Shift, "alt_r"},
    {XK_Super_L, "meta_l"},
    {XK_Super_R, "meta_r"},
    {XK_Menu, "menu"},
    {XK_Caps_Lock, "caps_lock"},
    {XK_Num_Lock, "num_lock"},
    {XK_Scroll_Lock, "scroll_lock"},
    {XK_Print, "print"},
    {XK_Pause, "pause"},
    {XK_KP_Enter, "kp_enter"},
    {XK_KP_Add, "kp_add"},
    {XK_KP_Subtract, "kp_subtract"},
    {XK_KP_Multiply, "kp_multiply"},
    {XK_KP_Divide, "kp_divide"},
    {XK_KP_Decimal, "kp_decimal"},
    {XK_KP_Delete, "kp_decimal"},
    {XK_KP_Insert, "kp_0"},
    {XK_KP_End, "kp_1"},
    {XK_KP_Down, "kp_2"},
    {XK_KP_Page_Down, "kp_3"},
    {XK_KP_Left, "kp_4"},
    {XK_KP_Begin, "kp_5"},
    {XK_KP_Right, "kp_6"},
    {XK_KP_Home, "kp_7"},
    {XK_KP_Up, "kp_8"},
    {XK_KP_Page_Up, "kp_9"},
};

static int key_of(rfbKeySym symbol)
{
    char name[] = "kp_0";

    if ((symbol >= XK_a && symbol <= XK_z) || (symbol >= XK_A && symbol <= XK_Z)) {
        char letter[2] = {(char)(symbol | 0x20), 0};

        return server.host->key_from_name(letter);
    }
    if (symbol >= XK_F1 && symbol <= XK_F12) {
        g_autofree char *function =
            g_strdup_printf("f%u", (unsigned)(symbol - XK_F1 + 1));

        return server.host->key_from_name(function);
    }
    if (symbol >= XK_KP_0 && symbol <= XK_KP_9) {
        name[3] = (char)('0' + symbol - XK_KP_0);
        return server.host->key_from_name(name);
    }
    for (size_t i = 0; symbol < 0x7f && i < G_N_ELEMENTS(character_keys); i++) {
        if (symbol && strchr(character_keys[i].characters, (int)symbol)) {
            return server.host->key_from_name(character_keys[i].key);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(symbol_keys); i++) {
        if (symbol_keys[i].symbol == symbol) {
            return server.host->key_from_name(symbol_keys[i].key);
        }
    }
    return -1;
}

static void key_event(rfbBool down, rfbKeySym symbol, rfbClientPtr client)
{
    int key = key_of(symbol);

    if (key >= 0) {
        server.host->send_key(key, down);
    }
}

/* Viewers say where the pointer is, a PS/2 mouse how far it has gone; a guest with a driver
 * for VMware's mouse takes places. */
static void pointer_event(int mask, int x, int y, rfbClientPtr client)
{
    int pressed = mask & ~server.pointer_buttons;
    int wheel = (pressed & WHEEL_DOWN ? 1 : 0) - (pressed & WHEEL_UP ? 1 : 0);
    unsigned buttons = (mask & BUTTON_LEFT ? 1u : 0) | (mask & BUTTON_RIGHT ? 2u : 0) |
                       (mask & BUTTON_MIDDLE ? 4u : 0);

    if (server.host->send_position(
            (unsigned)(MAX(x, 0) * VNC_POSITION_MAX / MAX(server.screen->width - 1, 1)),
            (unsigned)(MAX(y, 0) * VNC_POSITION_MAX / MAX(server.screen->height - 1, 1)), wheel,
            buttons)) {
        server.pointer_buttons = mask;
        return;
    }
    server.host->send_pointer(x - server.pointer_x, y - server.pointer_y, wheel, buttons);
    server.pointer_x = x;
    server.pointer_y = y;
    server.pointer_buttons = mask;
}

/* -- Start ------------------------------------------------------------------------------
 */

bool umbra_vnc_module_start(const VncHost *host, uint32_t address, uint16_t port,
                            GError **error);

G_MODULE_EXPORT bool umbra_vnc_module_start(const VncHost *host, uint32_t address,
                                            uint16_t port, GError **error)
{
    VncPicture picture = host->picture();
    rfbScreenInfoPtr screen;

    rfbLogEnable(FALSE);
    screen =
        rfbGetScreen(NULL, NULL, picture.width, picture.height, 8, 3, BYTES_PER_PIXEL);
    server.host = host;
    server.screen = screen;
    screen->desktopName = "Umbra";
    screen->alwaysShared = TRUE;
    screen->autoPort = FALSE;
    screen->port = port;
    screen->ipv6port = 0;
    screen->listenInterface = address;
    screen->kbdAddEvent = key_event;
    screen->ptrAddEvent = pointer_event;
    screen->cursor = NULL;
    set_size(picture.width, picture.height);
    rfbInitServer(screen);
    if (screen->listenSock == RFB_INVALID_SOCKET) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
                    "cannot listen on TCP port %u; choose another display number", port);
        return false;
    }
    g_timeout_add(FRAME_MS, frame, NULL);
    return true;
}
