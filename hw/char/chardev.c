/*
 * The chardev core: which chardevs there are, and the way of bytes between a backend's
 * descriptors and the frontend.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/chardev-backend.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "hw/core/descriptors.h"

/* Output that a peer may leave untaken. A single write may exceed it when nothing else
 * waits, so that a long answer of a monitor arrives whole. */
#define PENDING_LIMIT (1024 * 1024)

#define READ_AT_MOST 65536

static GPtrArray *chardevs; /* Chardev *, in order of creation */

/* -- Which there are ------------------------------------------------------------- */

Chardev *chardev_find(const char *id)
{
    for (guint i = 0; id && chardevs && i < chardevs->len; i++) {
        Chardev *chardev = chardevs->pdata[i];

        if (strcmp(chardev->id, id) == 0) {
            return chardev;
        }
    }
    return NULL;
}

const char *chardev_id(const Chardev *chardev)
{
    return chardev->id;
}

char *chardev_describe(const Chardev *chardev)
{
    return chardev->backend->describe ? chardev->backend->describe(chardev)
                                      : g_strdup(chardev->backend->name);
}

bool chardev_in_use(const Chardev *chardev)
{
    return chardev->frontend != NULL;
}

bool chardev_is_shared(const Chardev *chardev)
{
    return chardev->backend->connect != NULL;
}

bool chardev_is_terminal(const Chardev *chardev)
{
    return chardev->terminal;
}

void chardev_foreach(void (*func)(Chardev *chardev, void *opaque), void *opaque)
{
    for (guint i = 0; chardevs && i < chardevs->len; i++) {
        func(chardevs->pdata[i], opaque);
    }
}

void chardev_keep_fd(Chardev *chardev, int fd)
{
    if (chardev->received_fd >= 0) {
        close(chardev->received_fd);
    }
    chardev->received_fd = fd;
}

static void chardev_free(Chardev *chardev)
{
    if (chardev->frontend && !chardev->backend->connect) {
        chardev->frontend->chardev = NULL;
    }
    chardev_unwatch(chardev);
    if (chardev->drain) {
        g_source_destroy(chardev->drain);
        g_source_unref(chardev->drain);
    }
    if (chardev->backend->close) {
        chardev->backend->close(chardev);
    }
    chardev_keep_fd(chardev, -1);
    if (chardev->log_fd >= 0) {
        close(chardev->log_fd);
    }
    g_byte_array_unref(chardev->pending);
    g_free(chardev->id);
    g_free(chardev);
}

/* -- Making one ------------------------------------------------------------------ */

static bool open_log(Chardev *chardev, const Options *options, GError **error)
{
    const char *path = options ? options_get(options, "logfile") : NULL;
    bool append = false;

    if (path && !options_get_bool(options, "logappend", &append, error)) {
        return false;
    }
    if (path) {
        chardev->log_fd = descriptor_open(
            path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0666);
        if (chardev->log_fd < 0) {
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                        "Unable to open logfile %s: %s", path, g_strerror(errno));
            return false;
        }
    }
    return true;
}

Chardev *chardev_create(const ChardevBackend *backend, const char *id,
                        const Options *options, GError **error)
{
    Chardev *chardev;

    if (chardev_find(id)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS, "Duplicate ID '%s' for chardev",
                    id);
        return NULL;
    }
    chardev = g_malloc0(backend->size);
    chardev->id = g_strdup(id);
    chardev->backend = backend;
    chardev->input_fd = chardev->output_fd = chardev->received_fd = chardev->log_fd = -1;
    chardev->pending = g_byte_array_new();
    if (!open_log(chardev, options, error) ||
        (backend->open && !backend->open(chardev, options, error))) {
        chardev_free(chardev);
        return NULL;
    }
    if (!chardevs) {
        chardevs = g_ptr_array_new();
    }
    g_ptr_array_add(chardevs, chardev);
    return chardev;
}

/* -- Input ----------------------------------------------------------------------- */

size_t chardev_room(const Chardev *chardev)
{
    CharFrontend *frontend = chardev->frontend;
    int room;

    if (!frontend || !frontend->receive) {
        return 0;
    }
    if (!frontend->can_receive) {
        return READ_AT_MOST;
    }
    room = frontend->can_receive(frontend->opaque);
    return room < 0 ? 0 : MIN((size_t)room, READ_AT_MOST);
}

void chardev_receive(Chardev *chardev, const uint8_t *buffer, size_t length)
{
    CharFrontend *frontend = chardev->frontend;

    if (frontend && frontend->receive && length) {
        frontend->receive(frontend->opaque, buffer, length);
    }
}

void chardev_event(Chardev *chardev, CharEvent event)
{
    CharFrontend *frontend = chardev->frontend;

    if (frontend && frontend->event) {
        frontend->event(frontend->opaque, event);
    }
}

void chardev_unwatch(Chardev *chardev)
{
    if (chardev->input) {
        g_source_destroy(chardev->input);
        g_clear_pointer(&chardev->input, g_source_unref);
    }
}

static gboolean input_ready(gint fd, GIOCondition condition, gpointer data)
{
    Chardev *chardev = data;
    size_t room = chardev_room(chardev);

    if (room) {
        chardev->backend->read(chardev, room);
    } else {
        chardev_unwatch(chardev); /* until the frontend accepts input again */
    }
    return G_SOURCE_CONTINUE;
}

void chardev_watch_input(Chardev *chardev)
{
    if (chardev->input || chardev->input_fd < 0 || !chardev_room(chardev)) {
        return;
    }
    chardev->input =
        g_unix_fd_source_new(chardev->input_fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    g_source_set_callback(chardev->input, (GSourceFunc)(void *)input_ready, chardev,
                          NULL);
    g_source_attach(chardev->input, NULL);
}

ssize_t chardev_fd_read(int fd, void *buffer, size_t length)
{
    ssize_t got;

    do {
        got = read(fd, buffer, length);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return 0;
    }
    return got > 0 ? got : -1;
}

/* -- Output ---------------------------------------------------------------------- */

ssize_t chardev_fd_write(int fd, const void *buffer, size_t length)
{
    ssize_t put;

    do {
        put = write(fd, buffer, length);
    } while (put < 0 && errno == EINTR);
    if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return 0;
    }
    return put;
}

static void stop_drain(Chardev *chardev)
{
    g_byte_array_set_size(chardev->pending, 0);
    if (chardev->drain) {
        g_source_destroy(chardev->drain);
        g_clear_pointer(&chardev->drain, g_source_unref);
    }
}

static void drain(Chardev *chardev)
{
    GByteArray *pending = chardev->pending;
    ssize_t put;

    while (pending->len) {
        put = chardev->backend->write(chardev, pending->data, pending->len);
        if (put < 0) {
            break;
        }
        if (put == 0) {
            return;
        }
        g_byte_array_remove_range(pending, 0, (guint)put);
    }
    stop_drain(chardev);
    if (chardev->frontend) {
        char_frontend_accept_input(chardev->frontend);
    }
    if (chardev->frontend && chardev->frontend->drained) {
        chardev->frontend->drained(chardev->frontend->opaque);
    }
}

static gboolean output_ready(gint fd, GIOCondition condition, gpointer data)
{
    drain(data);
    return G_SOURCE_CONTINUE;
}

/* Waits for the peer rather than lose output: it is the user's own terminal or pipe. */
static void drain_blocking(Chardev *chardev)
{
    while (chardev->pending->len) {
        struct pollfd poll_fd = {.fd = chardev->output_fd, .events = POLLOUT};

        poll(&poll_fd, 1, -1);
        drain(chardev);
    }
}

static void keep_pending(Chardev *chardev, const uint8_t *buffer, size_t length)
{
    g_byte_array_append(chardev->pending, buffer, (guint)length);
    if (!chardev->drain) {
        chardev->drain =
            g_unix_fd_source_new(chardev->output_fd, G_IO_OUT | G_IO_HUP | G_IO_ERR);
        g_source_set_callback(chardev->drain, (GSourceFunc)(void *)output_ready, chardev,
                              NULL);
        g_source_attach(chardev->drain, NULL);
    }
}

/* A log that takes no more must not hold up the machine: what it misses is lost. */
static void write_log(Chardev *chardev, const uint8_t *bytes, size_t length)
{
    while (chardev->log_fd >= 0 && length) {
        ssize_t put = chardev_fd_write(chardev->log_fd, bytes, length);

        if (put <= 0) {
            break;
        }
        bytes += put;
        length -= (size_t)put;
    }
}

static void put_out(Chardev *chardev, const uint8_t *bytes, size_t length)
{
    if (!chardev->open || !chardev->backend->write) {
        return;
    }
    while (!chardev->pending->len && length) {
        ssize_t put = chardev->backend->write(chardev, bytes, length);

        if (put < 0) {
            return;
        }
        if (put == 0) {
            break;
        }
        bytes += put;
        length -= (size_t)put;
        if (!length) {
            return;
        }
    }
    if (length && chardev->pending->len &&
        chardev->pending->len + length > PENDING_LIMIT) {
        if (!chardev->backend->never_drops) {
            return;
        }
        drain_blocking(chardev);
        put_out(chardev, bytes, length);
        return;
    }
    if (length && chardev->output_fd >= 0) {
        keep_pending(chardev, bytes, length);
    }
}

void chardev_write(Chardev *chardev, const void *buffer, size_t length)
{
    write_log(chardev, buffer, length);
    put_out(chardev, buffer, length);
}

void chardev_set_open(Chardev *chardev, bool open)
{
    if (chardev->open == open) {
        return;
    }
    chardev->open = open;
    if (!open) {
        stop_drain(chardev);
        chardev_unwatch(chardev);
        chardev_keep_fd(chardev, -1);
    }
    chardev_event(chardev, open ? CHAR_EVENT_OPENED : CHAR_EVENT_CLOSED);
    chardev_watch_input(chardev);
}

/* -- Frontends ------------------------------------------------------------------- */

bool char_frontend_connect(CharFrontend *frontend, Chardev *chardev, GError **error)
{
    frontend->chardev = NULL;
    if (!chardev) {
        return true;
    }
    if (chardev->backend->connect) {
        return chardev->backend->connect(chardev, frontend, error);
    }
    if (chardev->frontend) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "Device '%s' is in use; -chardev ...,mux=on lets several share it",
                    chardev->id);
        return false;
    }
    frontend->chardev = chardev;
    chardev->frontend = frontend;
    if (chardev->open) {
        chardev_event(chardev, CHAR_EVENT_OPENED);
    }
    chardev_watch_input(chardev);
    return true;
}

void char_frontend_disconnect(CharFrontend *frontend)
{
    Chardev *chardev = frontend->chardev;

    frontend->chardev = NULL;
    if (!chardev) {
        return;
    }
    if (chardev->backend->disconnect) {
        chardev->backend->disconnect(chardev, frontend);
    } else {
        chardev->frontend = NULL;
        chardev_unwatch(chardev);
    }
}

void char_frontend_write(CharFrontend *frontend, const void *buffer, size_t length)
{
    if (frontend->chardev) {
        chardev_write(frontend->chardev, buffer, length);
    }
}

/* The chardev that has the peer. */
static Chardev *lowest(const CharFrontend *frontend)
{
    Chardev *chardev = frontend->chardev;

    while (chardev && chardev->base) {
        chardev = chardev->base;
    }
    return chardev;
}

size_t char_frontend_pending(const CharFrontend *frontend)
{
    Chardev *chardev = lowest(frontend);

    return chardev ? chardev->pending->len : 0;
}

int char_frontend_take_fd(CharFrontend *frontend)
{
    Chardev *chardev = lowest(frontend);
    int fd = chardev ? chardev->received_fd : -1;

    if (chardev) {
        chardev->received_fd = -1;
    }
    return fd;
}

bool char_frontend_is_open(const CharFrontend *frontend)
{
    return frontend->chardev && frontend->chardev->open;
}

void char_frontend_accept_input(CharFrontend *frontend)
{
    Chardev *chardev = frontend->chardev;

    if (!chardev) {
        return;
    }
    if (chardev->backend->accept_input) {
        chardev->backend->accept_input(chardev);
    } else {
        chardev_watch_input(chardev);
    }
}

void chardev_destroy(Chardev *chardev)
{
    g_ptr_array_remove(chardevs, chardev);
    chardev_free(chardev);
}

void chardev_replace(Chardev *old, Chardev *chardev)
{
    CharFrontend *frontend = old->frontend;

    g_free(chardev->id);
    chardev->id = g_strdup(old->id);
    if (frontend) {
        char_frontend_disconnect(frontend);
        char_frontend_connect(frontend, chardev, NULL);
    }
    chardev_destroy(old);
}

static void note_base(Chardev *chardev, void *opaque)
{
    Chardev **wanted = opaque;

    if (chardev->base == *wanted) {
        *wanted = NULL;
    }
}

bool chardev_remove(const char *id, GError **error)
{
    Chardev *chardev = chardev_find(id), *base = chardev;

    if (!chardev) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "Chardev '%s' not found", id);
        return false;
    }
    chardev_foreach(note_base, &base);
    if (chardev_in_use(chardev) || !base) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY, "Chardev '%s' is busy", id);
        return false;
    }
    chardev_destroy(chardev);
    return true;
}

void chardev_send_break(Chardev *chardev)
{
    chardev_event(chardev, CHAR_EVENT_BREAK);
}

void chardev_cleanup(void)
{
    /* Last made, first closed: a mux before what it stands on. */
    while (chardevs && chardevs->len) {
        Chardev *chardev = chardevs->pdata[chardevs->len - 1];

        if (chardev->pending->len && chardev->output_fd >= 0) {
            if (chardev->backend->never_drops) {
                drain_blocking(chardev);
            } else {
                drain(chardev);
            }
        }
        g_ptr_array_set_size(chardevs, (gint)chardevs->len - 1);
        chardev_free(chardev);
    }
}
