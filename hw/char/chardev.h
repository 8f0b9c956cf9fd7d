/*
 * Chardev: the host's end of a character stream (stdio, file, socket, pty, pipe, null),
 * and CharFrontend, the end that a serial port or a monitor holds.
 *
 * One frontend at a time has a chardev (a mux splits one among several). All of it runs
 * in the main loop with the machine lock held; chardev_write() may be called from any
 * thread that holds it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_CHAR_CHARDEV_H
#define HW_CHAR_CHARDEV_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Chardev Chardev;
typedef struct CharFrontend CharFrontend;

typedef enum CharEvent {
    CHAR_EVENT_OPENED, /* somebody is at the other end */
    CHAR_EVENT_CLOSED, /* nobody is any more; the chardev may open again */
    CHAR_EVENT_BREAK,
    CHAR_EVENT_FOCUS_IN, /* of a mux: input goes to this frontend from now on */
    CHAR_EVENT_FOCUS_OUT,
} CharEvent;

struct CharFrontend {
    Chardev *chardev;                 /* NULL: not connected; writes vanish */
    int (*can_receive)(void *opaque); /* how many bytes it takes now; NULL: any */
    void (*receive)(void *opaque, const uint8_t *buffer, size_t length);
    void (*event)(void *opaque, CharEvent event);
    void (*drained)(void *opaque); /* the peer has taken what was pending; or NULL */
    void *opaque;
    bool may_change;   /* it works on where another chardev takes its own one's place */
    bool yields_focus; /* on a mux: input goes to the others first (monitors) */
};

/*
 * Makes the chardev that `text` describes, in QEMU's legacy spelling: "stdio",
 * "mon:stdio", "null", "none", "file:PATH", "pipe:PATH", "pty", "vc",
 * "unix:PATH[,server=on][,wait=off]", "tcp:HOST:PORT[,...]", "telnet:...", "udp:...",
 * "chardev:ID". "none" gives NULL without an error. A `wait`ing server blocks until its
 * peer has come.
 */
Chardev *chardev_new_from_text(const char *id, const char *text, GError **error);

/* The same from -chardev's form: "BACKEND,id=ID,key=value...". */
Chardev *chardev_new_from_options(const char *options, GError **error);

/* The same from options, "backend" among them; NULL and *error. */
struct Options;
Chardev *chardev_new(const char *id, struct Options *options, GError **error);

/* Closes and forgets it; false and *error while something holds it. */
bool chardev_remove(const char *id, GError **error);

/* Puts a new one in the place of the one of that id; false and *error, leaving the old one
 * as it was, when the new one cannot be, or who has the old one cannot change. */
bool chardev_change(const char *id, struct Options *options, GError **error);

/* A break condition, as if it had come from the peer. */
void chardev_send_break(Chardev *chardev);

/* The oldest bytes of a ring buffer, at most `length`, which are taken out; and more for
 * its end. NULL or false: the chardev is none. */
GByteArray *chardev_ringbuf_read(Chardev *chardev, size_t length);
bool chardev_ringbuf_write(Chardev *chardev, const void *buffer, size_t length);

/* Calls func with the name of each backend, for `-chardev help`. */
void chardev_foreach_backend(void (*func)(const char *name, void *opaque), void *opaque);

/* The chardev of that id, or NULL. */
Chardev *chardev_find(const char *id);
const char *chardev_id(const Chardev *chardev);

/* What `info chardev` shows: "stdio", "unix:PATH,server=on" ...; free it. */
char *chardev_describe(const Chardev *chardev);

/* Whether a frontend has it. */
bool chardev_in_use(const Chardev *chardev);

/* Whether several frontends share it, and CHAR_EVENT_FOCUS_IN says who gets the input. */
bool chardev_is_shared(const Chardev *chardev);

/* Whether a person may be typing at the other end: a terminal, pty or telnet, which echo
 * nothing themselves. */
bool chardev_is_terminal(const Chardev *chardev);
void chardev_foreach(void (*func)(Chardev *chardev, void *opaque), void *opaque);

/* Connects a frontend; false and *error where the chardev has one. */
bool char_frontend_connect(CharFrontend *frontend, Chardev *chardev, GError **error);
void char_frontend_disconnect(CharFrontend *frontend);

/* Writes all of it or nothing: what a peer does not take at once is buffered, and a write
 * that the buffer (1 MiB) has no room for is dropped, so that a dead or slow peer never
 * blocks the machine. stdio and files never drop; they block when the buffer is full. */
void char_frontend_write(CharFrontend *frontend, const void *buffer, size_t length);

/* Bytes that the peer has not taken yet. A frontend that answers its peer says "0" in
 * can_receive() while this is large; it is asked again when all is taken. */
size_t char_frontend_pending(const CharFrontend *frontend);

/* The descriptor that came from the peer (a unix socket's) with its last bytes; it is the
 * caller's from then on. -1: none came. */
int char_frontend_take_fd(CharFrontend *frontend);

/* Whether a peer is there (always for files and stdio). */
bool char_frontend_is_open(const CharFrontend *frontend);

/* The frontend can take input again after can_receive() said 0. */
void char_frontend_accept_input(CharFrontend *frontend);

/* Flushes and closes all, restoring the terminal: at exit. */
void chardev_cleanup(void);

#endif
