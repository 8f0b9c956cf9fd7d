/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory/io-lock.h"

/* Of a child's pipe: the larger, the less often the two wait for each other. What a user
 * may have without privileges ends at 1 MiB by default (pipe(7)). */
static const int pipe_sizes[] = {8 << 20, 1 << 20};

struct MigrationChannel {
    int fd;
    int cancel_fd; /* an eventfd, readable once cancelled */
    int cancelled;
    GObject *kept;
    GSubprocess *child;
    GCancellable *waiting;  /* for the child to end */
    char *path, *temporary; /* of a file that is to be renamed */
};

static bool fail(GError **error, const char *what)
{
    int code = errno;

    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", what,
                g_strerror(code));
    return false;
}

MigrationChannel *migration_channel_new(int fd)
{
    MigrationChannel *channel = g_new0(MigrationChannel, 1);

    /* A peer that went away is an error of write(), not a signal. */
    signal(SIGPIPE, SIG_IGN);
    channel->fd = fd;
    channel->cancel_fd = eventfd(0, EFD_CLOEXEC);
    g_unix_set_fd_nonblocking(fd, true, NULL);
    return channel;
}

void migration_channel_keep(MigrationChannel *channel, GObject *object)
{
    channel->kept = g_object_ref(object);
}

/* -- A child --------------------------------------------------------------------- */

static void default_sigpipe(gpointer data)
{
    signal(SIGPIPE, SIG_DFL);
}

MigrationChannel *migration_channel_new_command(const char *command, bool writing,
                                                GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    MigrationChannel *channel;
    GSubprocess *child;
    int ends[2];

    if (!g_unix_open_pipe(ends, FD_CLOEXEC, error)) {
        return NULL;
    }
    for (size_t i = 0;
         i < G_N_ELEMENTS(pipe_sizes) && fcntl(ends[0], F_SETPIPE_SZ, pipe_sizes[i]) < 0;
         i++) {
    }
    g_subprocess_launcher_set_child_setup(launcher, default_sigpipe, NULL, NULL);
    if (writing) {
        g_subprocess_launcher_take_stdin_fd(launcher, ends[0]);
    } else {
        g_subprocess_launcher_take_stdout_fd(launcher, ends[1]);
    }
    child = g_subprocess_launcher_spawn(launcher, error, "/bin/sh", "-c", command, NULL);
    /* The launcher holds the child's end, which must close for the pipe to end. */
    g_subprocess_launcher_close(launcher);
    if (!child) {
        close(ends[writing]);
        return NULL;
    }
    channel = migration_channel_new(ends[writing]);
    channel->child = child;
    channel->waiting = g_cancellable_new();
    return channel;
}

/* -- A file ---------------------------------------------------------------------- */

MigrationChannel *migration_channel_new_file(const char *path, GError **error)
{
    g_autofree char *temporary = NULL;
    g_autofree char *real =
        realpath(path, NULL); /* a link's target is what is replaced */
    MigrationChannel *channel;
    struct stat st;
    int fd;

    path = real ? real : path;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        temporary = g_strdup_printf("%s.XXXXXX", path);
        fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0600);
    }
    if (fd < 0) {
        g_autofree char *what = g_strdup_printf("cannot write '%s'", path);

        fail(error, what);
        return NULL;
    }
    channel = migration_channel_new(fd);
    if (temporary) {
        channel->path = g_strdup(path);
        channel->temporary = g_steal_pointer(&temporary);
    }
    return channel;
}

/* The data first, then the name, then the directory that holds it: after a power failure
 * at any point the name stands for the old file or for the new one. */
static bool finish_file(MigrationChannel *channel, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(channel->path);
    int fd;

    if (fsync(channel->fd) < 0 || g_rename(channel->temporary, channel->path) < 0) {
        g_autofree char *what = g_strdup_printf("cannot finish '%s'", channel->path);

        return fail(error, what);
    }
    g_clear_pointer(&channel->temporary, g_free);
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    return true;
}

/* -- Reading and writing --------------------------------------------------------- */

/* Waits until the descriptor is ready. */
static bool wait_for(MigrationChannel *channel, short events)
{
    GPollFD fds[] = {{channel->fd, (gushort)events, 0}, {channel->cancel_fd, G_IO_IN, 0}};
    bool locked = io_lock_held();

    if (locked) {
        io_unlock();
    }
    g_poll(fds, G_N_ELEMENTS(fds), -1);
    if (locked) {
        io_lock();
    }
    return !__atomic_load_n(&channel->cancelled, __ATOMIC_ACQUIRE);
}

static bool fail_cancelled(GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                        "the migration was cancelled");
    return false;
}

/* Leaves out the first `done` bytes. */
static void skip(struct iovec **vectors, int *count, size_t done)
{
    while (*count > 0 && done >= (*vectors)->iov_len) {
        done -= (*vectors)->iov_len;
        (*vectors)++;
        (*count)--;
    }
    if (*count > 0) {
        (*vectors)->iov_base = (char *)(*vectors)->iov_base + done;
        (*vectors)->iov_len -= done;
    }
}

/* Of a child alone: that it has read all is known, because it is waited for. Another
 * reader of a pipe might not have when the guest that these pages belong to runs on. */
bool migration_channel_lends(const MigrationChannel *channel)
{
    return channel->child != NULL;
}

static bool put_all(MigrationChannel *channel, struct iovec *vectors, int count,
                    bool lend, GError **error)
{
    while (count > 0) {
        ssize_t put;

        if (__atomic_load_n(&channel->cancelled, __ATOMIC_ACQUIRE)) {
            return fail_cancelled(error);
        }
        put = lend ? vmsplice(channel->fd, vectors, (size_t)MIN(count, 1024),
                              SPLICE_F_NONBLOCK)
                   : writev(channel->fd, vectors, MIN(count, 1024));
        if (put >= 0) {
            skip(&vectors, &count, (size_t)put);
        } else if (errno == EAGAIN) {
            if (!wait_for(channel, G_IO_OUT)) {
                return fail_cancelled(error);
            }
        } else if (errno != EINTR) {
            return fail(error, "cannot write the migration stream");
        }
    }
    return true;
}

bool migration_channel_writev(MigrationChannel *channel, struct iovec *vectors, int count,
                              GError **error)
{
    return put_all(channel, vectors, count, false, error);
}

bool migration_channel_lend(MigrationChannel *channel, struct iovec *vectors, int count,
                            GError **error)
{
    return put_all(channel, vectors, count, true, error);
}

bool migration_channel_write(void *opaque, const void *data, size_t size, GError **error)
{
    struct iovec vector = {(void *)data, size};

    return migration_channel_writev(opaque, &vector, 1, error);
}

ssize_t migration_channel_read(void *opaque, void *data, size_t size, GError **error)
{
    MigrationChannel *channel = opaque;

    for (;;) {
        ssize_t got;

        if (__atomic_load_n(&channel->cancelled, __ATOMIC_ACQUIRE)) {
            fail_cancelled(error);
            return -1;
        }
        got = read(channel->fd, data, size);
        if (got >= 0) {
            return got;
        }
        if (errno == EAGAIN) {
            if (!wait_for(channel, G_IO_IN)) {
                fail_cancelled(error);
                return -1;
            }
        } else if (errno != EINTR) {
            fail(error, "cannot read the migration stream");
            return -1;
        }
    }
}

/* -- The end --------------------------------------------------------------------- */

void migration_channel_cancel(MigrationChannel *channel)
{
    __atomic_store_n(&channel->cancelled, 1, __ATOMIC_RELEASE);
    eventfd_write(channel->cancel_fd, 1);
    g_cancellable_cancel(channel->waiting); /* NULL will do */
}

static void close_fd(MigrationChannel *channel)
{
    if (channel->kept) {
        if (G_IS_IO_STREAM(channel->kept)) {
            g_io_stream_close(G_IO_STREAM(channel->kept), NULL, NULL);
        }
        g_clear_object(&channel->kept);
    } else if (channel->fd >= 0) {
        close(channel->fd);
    }
    channel->fd = -1;
}

static bool finish_child(MigrationChannel *channel, GError **error)
{
    if (!g_subprocess_wait_check(channel->child, channel->waiting, error)) {
        g_prefix_error(error, "the command at the other end of the migration failed: ");
        return false;
    }
    return true;
}

/* A peer that closes with bytes unread resets the connection, one that has read all just
 * closes: that much can be known of any peer. One that keeps the connection open has had
 * its time. */
#define PEER_MS 10000

static bool finish_socket(MigrationChannel *channel, GError **error)
{
    gint64 end = g_get_monotonic_time() + PEER_MS * 1000;
    char ignored[64];

    shutdown(channel->fd, SHUT_WR);
    for (;;) {
        gint64 left = (end - g_get_monotonic_time()) / 1000;
        GPollFD peer = {channel->fd, G_IO_IN, 0};
        ssize_t got = recv(channel->fd, ignored, sizeof(ignored), MSG_DONTWAIT);

        if (got == 0 || left <= 0) {
            return true;
        }
        if (got < 0 && errno == EAGAIN) {
            g_poll(&peer, 1, (gint)left);
        } else if (got < 0 && errno != EINTR) {
            return fail(error, "the target went away before it had read all");
        }
    }
}

static bool is_socket(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

bool migration_channel_finish(MigrationChannel *channel, GError **error)
{
    if (channel->temporary && !finish_file(channel, error)) {
        return false;
    }
    if (is_socket(channel->fd) && !finish_socket(channel, error)) {
        return false;
    }
    close_fd(channel); /* which is how a child learns that this was all */
    return !channel->child || finish_child(channel, error);
}

void migration_channel_free(MigrationChannel *channel)
{
    if (!channel) {
        return;
    }
    close_fd(channel);
    if (channel->temporary) {
        g_unlink(channel->temporary);
    }
    g_clear_object(&channel->child);
    g_clear_object(&channel->waiting);
    close(channel->cancel_fd);
    g_free(channel->path);
    g_free(channel->temporary);
    g_free(channel);
}
