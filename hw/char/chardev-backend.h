/*
 * What the chardev core and its backends know of each other. Nothing else includes this.
 *
 * A backend offers file descriptors; the core watches them, buffers what they do not take
 * and hands input to the frontend only when that can receive it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CHAR_CHARDEV_BACKEND_H
#define HW_CHAR_CHARDEV_BACKEND_H

#include <sys/types.h>

#include "hw/char/chardev-options.h"
#include "hw/char/chardev.h"
#include "hw/core/property.h"

typedef struct ChardevBackend {
    const char *name;
    size_t size;                /* of the structure that begins with a Chardev */
    const char *const *options; /* beside "backend", "id" and "mux"; ended by NULL */
    bool never_drops;           /* blocks rather than lose output */
    /* Sets input_fd and output_fd. */
    bool (*open)(Chardev *chardev, const Options *options, GError **error);
    /* Up to `length` bytes, as many as there are room for: 0 when there is none, -1 when
     * the peer has gone. NULL: output vanishes. */
    ssize_t (*write)(Chardev *chardev, const uint8_t *buffer, size_t length);
    /* input_fd is readable: reads at most `room` bytes and gives them to
     * chardev_receive(). */
    void (*read)(Chardev *chardev, size_t room);
    char *(*describe)(const Chardev *chardev);
    void (*close)(Chardev *chardev);
    /* Those that several frontends share; NULL: one frontend. */
    bool (*connect)(Chardev *chardev, CharFrontend *frontend, GError **error);
    void (*disconnect)(Chardev *chardev, CharFrontend *frontend);
    void (*accept_input)(Chardev *chardev);
} ChardevBackend;

struct Chardev {
    char *id;
    const ChardevBackend *backend;
    CharFrontend *frontend;
    bool open;               /* a peer is there */
    bool terminal;           /* a person may type */
    int input_fd, output_fd; /* -1: none now */
    GSource *input, *drain;
    GByteArray *pending; /* output that the peer has not taken */
    int log_fd;          /* gets a copy of the output (logfile=); -1: none */
    int received_fd;     /* the last that the peer has handed over; -1: none */
    Chardev *base;       /* of a mux: what it stands on */
};

extern const ChardevBackend chardev_null_backend, chardev_vc_backend,
    chardev_stdio_backend, chardev_file_backend, chardev_pipe_backend,
    chardev_pty_backend, chardev_socket_backend, chardev_udp_backend, chardev_mux_backend,
    chardev_ringbuf_backend;

/* For mon:stdio and mux=on: a mux named `id` over `base`. */
Chardev *chardev_mux_new(const char *id, Chardev *base);

/* Makes and registers one of a known backend. */
Chardev *chardev_create(const ChardevBackend *backend, const char *id,
                        const Options *options, GError **error);

/* Puts `chardev`, whose id is another one's now, into the other's place, frontend and all;
 * the other goes. */
void chardev_replace(Chardev *old, Chardev *chardev);

/* Takes it off the list and frees it; no frontend may have it. */
void chardev_destroy(Chardev *chardev);

/* The peer has come or gone. Going drops the output that it has not taken; the backend
 * has closed, or will close, the descriptors and set them to -1. */
void chardev_set_open(Chardev *chardev, bool open);

/* input_fd has changed or the frontend may take more: watches it as far as needed. */
void chardev_watch_input(Chardev *chardev);
void chardev_unwatch(Chardev *chardev);

size_t chardev_room(const Chardev *chardev); /* what the frontend can take now */
void chardev_receive(Chardev *chardev, const uint8_t *buffer, size_t length);
void chardev_event(Chardev *chardev, CharEvent event);
void chardev_write(Chardev *chardev, const void *buffer, size_t length);

/* The peer has handed over a descriptor; one that nobody has taken is closed. */
void chardev_keep_fd(Chardev *chardev, int fd);

/* read() and write() that turn EAGAIN into 0 and the end of the stream into -1. */
ssize_t chardev_fd_read(int fd, void *buffer, size_t length);
ssize_t chardev_fd_write(int fd, const void *buffer, size_t length);

#endif
