/*
 * The mux: several frontends share one chardev. All write to it; input goes to the one
 * that has the focus, and Ctrl-A begins a command to the mux itself.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/chardev-backend.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/system.h"

#define MUX_FRONTENDS 8
#define MUX_BUFFER 4096 /* typed ahead of a frontend that takes nothing now */
#define CTRL_A 1

typedef struct MuxFrontend {
    CharFrontend *frontend;
    GByteArray *typed;
} MuxFrontend;

typedef struct MuxChardev {
    Chardev parent;
    CharFrontend base; /* our hold on the shared chardev */
    MuxFrontend frontends[MUX_FRONTENDS];
    unsigned count, focus;
    guint settling; /* the main loop's first turn will say who has the focus; 0: it has */
    bool settled;
    bool command; /* the last byte was Ctrl-A */
} MuxChardev;

static const char help[] = "\r\n"
                           "C-a h    print this help\r\n"
                           "C-a x    exit emulator\r\n"
                           "C-a b    send break (magic sysrq)\r\n"
                           "C-a c    switch between console and monitor\r\n"
                           "C-a C-a  sends C-a\r\n";

static void tell(MuxChardev *mux, unsigned n, CharEvent event)
{
    CharFrontend *frontend = n < mux->count ? mux->frontends[n].frontend : NULL;

    if (frontend && frontend->event) {
        frontend->event(frontend->opaque, event);
    }
}

static void set_focus(MuxChardev *mux, unsigned focus)
{
    unsigned before = mux->focus;

    if (!mux->settled) {
        mux->focus = focus;
    } else if (focus != before) {
        tell(mux, before, CHAR_EVENT_FOCUS_OUT);
        mux->focus = focus;
        tell(mux, focus, CHAR_EVENT_FOCUS_IN);
    }
}

/* A machine's ports and monitors come one after another; before all are there, none is
 * told that it has the focus, so that a monitor greets only where it is alone. */
static gboolean settle(gpointer data)
{
    MuxChardev *mux = data;

    mux->settling = 0;
    mux->settled = true;
    tell(mux, mux->focus, CHAR_EVENT_FOCUS_IN);
    return G_SOURCE_REMOVE;
}

/* Hands on what was typed ahead, as far as the frontend takes it. */
static void deliver(MuxFrontend *target)
{
    while (target->frontend && target->typed->len) {
        CharFrontend *frontend = target->frontend;
        int room =
            frontend->can_receive ? frontend->can_receive(frontend->opaque) : MUX_BUFFER;
        guint length = (guint)CLAMP(room, 0, (int)target->typed->len);
        g_autofree uint8_t *bytes = NULL;

        if (!length || !frontend->receive) {
            return;
        }
        bytes = g_memdup2(target->typed->data, length);
        g_byte_array_remove_range(target->typed, 0, length);
        frontend->receive(frontend->opaque, bytes, length);
    }
}

static void obey(MuxChardev *mux, uint8_t command)
{
    switch (command) {
    case 'h':
    case '?':
        chardev_write(mux->parent.base, help, strlen(help));
        break;
    case 'x': {
        static const char gone[] = "Umbra: Terminated\r\n";

        chardev_write(mux->parent.base, gone, strlen(gone));
        system_exit_request(0);
        break;
    }
    case 'b':
        tell(mux, mux->focus, CHAR_EVENT_BREAK);
        break;
    case 'c':
        if (mux->count) {
            set_focus(mux, (mux->focus + 1) % mux->count);
        }
        break;
    }
}

static int mux_can_receive(void *opaque)
{
    MuxChardev *mux = opaque;

    return mux->count ? MUX_BUFFER - (int)mux->frontends[mux->focus].typed->len : 0;
}

static void mux_receive(void *opaque, const uint8_t *buffer, size_t length)
{
    MuxChardev *mux = opaque;

    for (size_t i = 0; i < length; i++) {
        MuxFrontend *target = &mux->frontends[mux->focus];

        if (mux->command && buffer[i] != CTRL_A) {
            mux->command = false;
            deliver(target);
            obey(mux, buffer[i]);
        } else if (!mux->command && buffer[i] == CTRL_A) {
            mux->command = true;
        } else if (target->frontend) {
            mux->command = false;
            g_byte_array_append(target->typed, &buffer[i], 1);
        }
    }
    if (mux->count) {
        deliver(&mux->frontends[mux->focus]);
    }
}

static void mux_event(void *opaque, CharEvent event)
{
    MuxChardev *mux = opaque;

    mux->parent.open = mux->parent.base->open;
    if (event == CHAR_EVENT_BREAK) {
        tell(mux, mux->focus, event);
    } else {
        for (unsigned i = 0; i < mux->count; i++) {
            tell(mux, i, event);
        }
    }
}

static ssize_t mux_write(Chardev *chardev, const uint8_t *buffer, size_t length)
{
    chardev_write(chardev->base, buffer, length);
    return (ssize_t)length;
}

static bool mux_connect(Chardev *chardev, CharFrontend *frontend, GError **error)
{
    MuxChardev *mux = (MuxChardev *)chardev;
    unsigned n = mux->count;

    if (n == MUX_FRONTENDS) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "mux chardev '%s' has %d users already, which is the most it takes",
                    chardev->id, MUX_FRONTENDS);
        return false;
    }
    mux->frontends[n] = (MuxFrontend){frontend, g_byte_array_new()};
    mux->count++;
    frontend->chardev = chardev;
    chardev->frontend = frontend; /* "in use" */
    if (chardev->open) {
        tell(mux, n, CHAR_EVENT_OPENED);
    }
    if (!frontend->yields_focus) {
        set_focus(mux, n);
    }
    if (!mux->settled && !mux->settling) {
        mux->settling = g_idle_add_full(G_PRIORITY_HIGH, settle, mux, NULL);
    }
    char_frontend_accept_input(&mux->base);
    return true;
}

static void mux_disconnect(Chardev *chardev, CharFrontend *frontend)
{
    MuxChardev *mux = (MuxChardev *)chardev;

    for (unsigned i = 0; i < mux->count; i++) {
        if (mux->frontends[i].frontend == frontend) {
            g_byte_array_unref(mux->frontends[i].typed);
            memmove(&mux->frontends[i], &mux->frontends[i + 1],
                    (mux->count - i - 1) * sizeof(mux->frontends[0]));
            mux->count--;
            mux->frontends[mux->count] = (MuxFrontend){0};
            if (mux->focus >= i && mux->focus > 0) {
                mux->focus--;
            }
            break;
        }
    }
    chardev->frontend = mux->count ? mux->frontends[0].frontend : NULL;
    if (mux->count && mux->settled) {
        tell(mux, mux->focus, CHAR_EVENT_FOCUS_IN);
    }
}

static void mux_drained(void *opaque)
{
    MuxChardev *mux = opaque;

    for (unsigned i = 0; i < mux->count; i++) {
        CharFrontend *frontend = mux->frontends[i].frontend;

        if (frontend && frontend->drained) {
            frontend->drained(frontend->opaque);
        }
    }
}

static void mux_accept_input(Chardev *chardev)
{
    MuxChardev *mux = (MuxChardev *)chardev;

    for (unsigned i = 0; i < mux->count; i++) {
        deliver(&mux->frontends[i]);
    }
    char_frontend_accept_input(&mux->base);
}

static void mux_close(Chardev *chardev)
{
    MuxChardev *mux = (MuxChardev *)chardev;

    if (mux->settling) {
        g_source_remove(mux->settling);
    }
    char_frontend_disconnect(&mux->base);
    for (unsigned i = 0; i < mux->count; i++) {
        mux->frontends[i].frontend->chardev = NULL;
        g_byte_array_unref(mux->frontends[i].typed);
    }
    mux->count = 0;
}

const ChardevBackend chardev_mux_backend = {
    .name = "mux",
    .size = sizeof(MuxChardev),
    .write = mux_write,
    .close = mux_close,
    .connect = mux_connect,
    .disconnect = mux_disconnect,
    .accept_input = mux_accept_input,
};

Chardev *chardev_mux_new(const char *id, Chardev *base)
{
    Chardev *chardev = chardev_create(&chardev_mux_backend, id, NULL, NULL);
    MuxChardev *mux = (MuxChardev *)chardev;

    chardev->base = base;
    chardev->open = base->open;
    chardev->terminal = base->terminal;
    mux->base = (CharFrontend){
        .can_receive = mux_can_receive,
        .receive = mux_receive,
        .event = mux_event,
        .drained = mux_drained,
        .opaque = mux,
    };
    char_frontend_connect(&mux->base, base, NULL);
    return chardev;
}
