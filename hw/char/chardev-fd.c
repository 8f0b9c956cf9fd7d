/*
 * Chardevs over descriptors of the host's: null, the process's own stdio, files, named
 * pipes and terminals, pseudo-terminals.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/chardev-backend.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "hw/core/descriptors.h"

static const char *const no_options[] = {NULL};

static bool set_open_error(GError **error, const char *path)
{
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                "Could not open '%s': %s", path, g_strerror(errno));
    return false;
}

static void fd_read(Chardev *chardev, size_t room)
{
    g_autofree uint8_t *buffer = g_malloc(room);
    ssize_t got = chardev_fd_read(chardev->input_fd, buffer, room);

    if (got < 0) {
        /* The end of a file or of a pipe on stdin: output goes on. */
        chardev_unwatch(chardev);
        chardev->input_fd = -1;
    } else {
        chardev_receive(chardev, buffer, (size_t)got);
    }
}

static ssize_t fd_write(Chardev *chardev, const uint8_t *buffer, size_t length)
{
    return chardev_fd_write(chardev->output_fd, buffer, length);
}

/* -- null and vc ----------------------------------------------------------------- */

static bool null_open(Chardev *chardev, const Options *options, GError **error)
{
    chardev->open = true;
    return true;
}

const ChardevBackend chardev_null_backend = {
    .name = "null",
    .size = sizeof(Chardev),
    .options = no_options,
    .open = null_open,
};

static const char *const vc_options[] = {"width", "height", "cols", "rows", NULL};

/* A console on the display: with no display, nobody sees it. */
const ChardevBackend chardev_vc_backend = {
    .name = "vc",
    .size = sizeof(Chardev),
    .options = vc_options,
    .open = null_open,
};

/* -- stdio ----------------------------------------------------------------------- */

/* The process has one terminal, and a signal handler looks here too. */
static struct {
    Chardev *owner;
    bool saved;
    struct termios before, raw;
} terminal;

static void terminal_restore(void)
{
    if (terminal.saved) {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
    }
}

/* Back in the foreground after a stop: the shell has set the terminal its own way. */
static void terminal_continued(int signal_number)
{
    if (terminal.saved) {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal.raw);
    }
}

static void terminal_set_raw(bool signals)
{
    static bool at_exit;
    struct sigaction action = {.sa_handler = terminal_continued, .sa_flags = SA_RESTART};

    if (tcgetattr(STDIN_FILENO, &terminal.before) < 0) {
        return;
    }
    terminal.raw = terminal.before;
    cfmakeraw(&terminal.raw);
    terminal.raw.c_oflag |=
        OPOST; /* the guest's and our lines end as other programs' do */
    terminal.raw.c_lflag |= signals ? ISIG : 0;
    terminal.saved = true;
    if (!at_exit) {
        at_exit = true;
        atexit(terminal_restore);
        sigaction(SIGCONT, &action, NULL);
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal.raw);
}

static bool stdio_open(Chardev *chardev, const Options *options, GError **error)
{
    bool signals = true;

    if (!options_get_bool(options, "signal", &signals, error)) {
        return false;
    }
    if (terminal.owner) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "cannot use stdio by multiple character devices; mon:stdio shares it "
                    "between a serial port and the monitor");
        return false;
    }
    terminal.owner = chardev;
    chardev->input_fd = STDIN_FILENO;
    chardev->output_fd = STDOUT_FILENO;
    chardev->open = true;
    if (isatty(STDIN_FILENO)) {
        chardev->terminal = isatty(STDOUT_FILENO);
        terminal_set_raw(signals);
    }
    return true;
}

/* stdin and stdout may be shared with other processes, so their flags stay as they are:
 * poll() says when there is room, and then a PIPE_BUF fits without blocking (pipe(7)). */
static bool ready(int fd, short event)
{
    struct pollfd poll_fd = {.fd = fd, .events = event};

    return poll(&poll_fd, 1, 0) > 0;
}

static void stdio_read(Chardev *chardev, size_t room)
{
    if (ready(chardev->input_fd, POLLIN)) {
        fd_read(chardev, room);
    }
}

static ssize_t stdio_write(Chardev *chardev, const uint8_t *buffer, size_t length)
{
    return ready(chardev->output_fd, POLLOUT)
               ? chardev_fd_write(chardev->output_fd, buffer, MIN(length, 4096))
               : 0;
}

static void stdio_close(Chardev *chardev)
{
    if (terminal.owner == chardev) {
        terminal_restore();
        terminal.saved = false;
        terminal.owner = NULL;
    }
}

static const char *const stdio_options[] = {"signal", NULL};

const ChardevBackend chardev_stdio_backend = {
    .name = "stdio",
    .size = sizeof(Chardev),
    .options = stdio_options,
    .never_drops = true,
    .open = stdio_open,
    .read = stdio_read,
    .write = stdio_write,
    .close = stdio_close,
};

/* -- file ------------------------------------------------------------------------ */

static bool file_open(Chardev *chardev, const Options *options, GError **error)
{
    const char *path = options_get(options, "path");
    bool append = false;

    if (!path || !*path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "chardev: file: no filename given; add path=FILE");
        return false;
    }
    if (!options_get_bool(options, "append", &append, error)) {
        return false;
    }
    chardev->output_fd =
        descriptor_open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC),
                        0666);
    if (chardev->output_fd < 0) {
        return set_open_error(error, path);
    }
    chardev->open = true;
    return true;
}

static void file_close(Chardev *chardev)
{
    if (chardev->output_fd >= 0) {
        close(chardev->output_fd);
    }
}

static const char *const file_options[] = {"path", "append", NULL};

const ChardevBackend chardev_file_backend = {
    .name = "file",
    .size = sizeof(Chardev),
    .options = file_options,
    .never_drops = true,
    .open = file_open,
    .write = fd_write,
    .close = file_close,
};

/* -- pipe: a pair of FIFOs, or one two-way special file -------------------------- */

static int open_special(const char *path)
{
    /* O_RDWR: a FIFO opens without waiting for the other side, and outlives it. */
    return open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static bool pipe_open(Chardev *chardev, const Options *options, GError **error)
{
    const char *path = options_get(options, "path");
    g_autofree char *in = NULL, *out = NULL;

    if (!path || !*path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "chardev: pipe: no device path given; add path=FIFO");
        return false;
    }
    in = g_strconcat(path, ".in", NULL);
    out = g_strconcat(path, ".out", NULL);
    chardev->input_fd = open_special(in);
    chardev->output_fd = open_special(out);
    if (chardev->input_fd < 0 || chardev->output_fd < 0) {
        if (chardev->input_fd >= 0) {
            close(chardev->input_fd);
        }
        if (chardev->output_fd >= 0) {
            close(chardev->output_fd);
        }
        chardev->input_fd = chardev->output_fd = open_special(path);
        if (chardev->input_fd < 0) {
            return set_open_error(error, path);
        }
    }
    if (isatty(chardev->input_fd)) {
        struct termios raw;

        if (tcgetattr(chardev->input_fd, &raw) == 0) {
            cfmakeraw(&raw);
            tcsetattr(chardev->input_fd, TCSANOW, &raw);
        }
        chardev->terminal = true;
    }
    chardev->open = true;
    return true;
}

static void pipe_close(Chardev *chardev)
{
    if (chardev->input_fd >= 0 && chardev->input_fd != chardev->output_fd) {
        close(chardev->input_fd);
    }
    if (chardev->output_fd >= 0) {
        close(chardev->output_fd);
    }
}

static const char *const pipe_options[] = {"path", NULL};

const ChardevBackend chardev_pipe_backend = {
    .name = "pipe",
    .size = sizeof(Chardev),
    .options = pipe_options,
    .open = pipe_open,
    .read = fd_read,
    .write = fd_write,
    .close = pipe_close,
};

/* -- pty ------------------------------------------------------------------------- */

typedef struct PtyChardev {
    Chardev parent;
    int master;
    char *name;
    guint timer;
} PtyChardev;

#define PTY_POLL_MS 200

/* Nothing tells the master that somebody has opened the terminal; that it has not hung up
 * does (pty(7)). */
static gboolean pty_look(gpointer data)
{
    PtyChardev *pty = data;
    struct pollfd poll_fd = {.fd = pty->master};

    if (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLHUP)) {
        return G_SOURCE_CONTINUE;
    }
    pty->timer = 0;
    pty->parent.input_fd = pty->parent.output_fd = pty->master;
    chardev_set_open(&pty->parent, true);
    return G_SOURCE_REMOVE;
}

static void pty_hung_up(PtyChardev *pty)
{
    pty->parent.input_fd = pty->parent.output_fd = -1;
    if (!pty->timer) {
        pty->timer = g_timeout_add(PTY_POLL_MS, pty_look, pty);
    }
    chardev_set_open(&pty->parent, false);
}

static void pty_read(Chardev *chardev, size_t room)
{
    g_autofree uint8_t *buffer = g_malloc(room);
    ssize_t got = chardev_fd_read(chardev->input_fd, buffer, room);

    if (got < 0) {
        pty_hung_up((PtyChardev *)chardev);
    } else {
        chardev_receive(chardev, buffer, (size_t)got);
    }
}

static bool pty_open(Chardev *chardev, const Options *options, GError **error)
{
    PtyChardev *pty = (PtyChardev *)chardev;
    struct termios raw;
    int slave;

    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (pty->master < 0 || grantpt(pty->master) < 0 || unlockpt(pty->master) < 0) {
        return set_open_error(error, "/dev/ptmx");
    }
    pty->name = g_strdup(ptsname(pty->master));
    slave = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) {
        return set_open_error(error, pty->name);
    }
    if (tcgetattr(slave, &raw) == 0) {
        cfmakeraw(&raw);
        tcsetattr(slave, TCSAFLUSH, &raw);
    }
    close(slave); /* the master is hung up from here on until somebody opens it */
    chardev->terminal = true;
    pty_hung_up(pty);
    printf("char device redirected to %s (label %s)\n", pty->name, chardev->id);
    fflush(stdout);
    return true;
}

static char *pty_describe(const Chardev *chardev)
{
    const PtyChardev *pty = (const PtyChardev *)chardev;

    return g_strdup_printf("%spty:%s", chardev->open ? "" : "disconnected:", pty->name);
}

static void pty_close(Chardev *chardev)
{
    PtyChardev *pty = (PtyChardev *)chardev;

    if (pty->timer) {
        g_source_remove(pty->timer);
    }
    if (pty->master >= 0) {
        close(pty->master);
    }
    g_free(pty->name);
}

const ChardevBackend chardev_pty_backend = {
    .name = "pty",
    .size = sizeof(PtyChardev),
    .options = no_options,
    .open = pty_open,
    .read = pty_read,
    .write = fd_write,
    .describe = pty_describe,
    .close = pty_close,
};
