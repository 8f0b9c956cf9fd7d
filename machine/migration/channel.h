/*
 * MigrationChannel: the file descriptor that a stream goes through, and what is behind it
 * (a socket, a child process, a file that becomes whole only at the end).
 *
 * One thread reads or writes; migration_channel_cancel() may come from any. Reads and
 * writes block, and a channel that is cancelled fails them at once. A reader that holds
 * the machine lock gives it up while it waits.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_CHANNEL_H
#define MACHINE_MIGRATION_CHANNEL_H

#include <gio/gio.h>
#include <stdbool.h>
#include <sys/uio.h>

typedef struct MigrationChannel MigrationChannel;

/* What is at the other end of the descriptor, which becomes the channel's. */
MigrationChannel *migration_channel_new(int fd);
/* The same for a pipe to or from a shell that runs `command`. */
MigrationChannel *migration_channel_new_command(const char *command, bool writing,
                                                GError **error);
/* Writes `path` under another name beside it, which migration_channel_finish() renames; a
 * path that is there and no regular file (/dev/null, a FIFO) is written itself. */
MigrationChannel *migration_channel_new_file(const char *path, GError **error);

/* Keeps `object` (a connection that owns the descriptor) as long as the channel. */
void migration_channel_keep(MigrationChannel *channel, GObject *object);

/* Writes all of it; the vectors' contents are undefined afterwards. */
bool migration_channel_writev(MigrationChannel *channel, struct iovec *vectors, int count,
                              GError **error);

/* Whether writes may leave the bytes where they are: the kernel then keeps the pages that
 * they are in until the other end has read them, and what is written there meanwhile, it
 * may or may not see. The caller gives memory that only grows staler (the guest's, which
 * is sent again where it was written to) or that is unmapped after the write. */
bool migration_channel_lends(const MigrationChannel *channel);
/* migration_channel_writev() in that way. */
bool migration_channel_lend(MigrationChannel *channel, struct iovec *vectors, int count,
                            GError **error);

/* As WireWriteFunc and WireReadFunc want it; `opaque` is the channel. */
bool migration_channel_write(void *opaque, const void *data, size_t size, GError **error);
ssize_t migration_channel_read(void *opaque, void *data, size_t size, GError **error);

/* Any thread. */
void migration_channel_cancel(MigrationChannel *channel);

/* All is written: the other end has it (a child has ended well, a file is on the disk
 * under its name). False and *error where it has not. */
bool migration_channel_finish(MigrationChannel *channel, GError **error);

/* Closes it; what a file has got so far is gone unless it was finished. */
void migration_channel_free(MigrationChannel *channel);

#endif
