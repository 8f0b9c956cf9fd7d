/*
 * Where a migration goes to or comes from: "tcp:HOST:PORT", "unix:PATH", "fd:NAME",
 * "exec:COMMAND", "file:PATH[,offset=N]".
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_TRANSPORT_H
#define MACHINE_MIGRATION_TRANSPORT_H

#include <stdint.h>

#include "machine/migration/channel.h"

typedef enum TransportKind {
    TRANSPORT_TCP,
    TRANSPORT_UNIX,
    TRANSPORT_FD,
    TRANSPORT_EXEC,
    TRANSPORT_FILE,
} TransportKind;

typedef struct TransportAddress {
    TransportKind kind;
    char *text; /* a host, path, command, or the name or number of a descriptor */
    uint16_t port, port_limit;
    uint64_t offset; /* in a file */
} TransportAddress;

/* NULL and *error where the text names no transport. */
TransportAddress *transport_parse(const char *uri, GError **error);
void transport_address_free(TransportAddress *address);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TransportAddress, transport_address_free)

/* A channel for the stream to leave by. Blocks; any thread but with the machine lock held
 * for TRANSPORT_FD, whose names are the monitor's. */
MigrationChannel *transport_connect(const TransportAddress *address, GCancellable *cancel,
                                    GError **error);

/* Called once, in the main loop, when a stream arrives; *channel becomes the callee's. */
typedef void (*TransportArrived)(MigrationChannel *channel, void *opaque);

typedef struct TransportListener TransportListener;

/* Waits for a stream. A descriptor, command or file is there at once and arrives from the
 * main loop. Machine lock. */
TransportListener *transport_listen(const TransportAddress *address,
                                    TransportArrived arrived, void *opaque,
                                    GError **error);
void transport_listener_free(TransportListener *listener);

/* Of tcp and unix: where it really listens (port 0 means any); the caller owns it. */
GSocketAddress *transport_listener_address(TransportListener *listener);

#endif
