/*
 * NBD by libnbd. Its calls wait for as long as the server likes; a machine cannot. So
 * each request is started, and waited for with a limit. A connection that has missed it
 * is never touched again: an answer that came late would go into memory of others.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/nbd-module.h"

#include <glib.h>
#include <libnbd.h>

#define REQUEST_MAX (16u << 20) /* bytes; every server takes as much */

typedef struct Connection {
    struct nbd_handle *nbd;
    bool dead;
} Connection;

/* -- Waiting ------------------------------------------------------------------------- */

typedef enum WaitResult { WAIT_DONE, WAIT_FAILED, WAIT_TIMEOUT } WaitResult;

/* Lets the connection work until `done` says so or the time is over. */
static WaitResult wait_for(struct nbd_handle *nbd,
                           bool (*done)(struct nbd_handle *, int64_t), int64_t cookie)
{
    gint64 limit = g_get_monotonic_time() + NBD_TIMEOUT_MS * 1000;

    while (!done(nbd, cookie)) {
        gint64 left = (limit - g_get_monotonic_time()) / 1000;

        if (left <= 0) {
            return WAIT_TIMEOUT;
        }
        if (nbd_poll(nbd, (int)left) < 0) {
            return WAIT_FAILED;
        }
    }
    return WAIT_DONE;
}

static bool connection_is_settled(struct nbd_handle *nbd, int64_t cookie)
{
    return nbd_aio_is_ready(nbd) > 0 || nbd_aio_is_dead(nbd) > 0 ||
           nbd_aio_is_closed(nbd) > 0;
}

static bool connection_is_over(struct nbd_handle *nbd, int64_t cookie)
{
    return nbd_aio_is_closed(nbd) > 0 || nbd_aio_is_dead(nbd) > 0;
}

static bool command_is_over(struct nbd_handle *nbd, int64_t cookie)
{
    return nbd_aio_in_flight(nbd) <= 0;
}

/* The request has been started, or could not be: waits for its end. */
static bool finish(Connection *connection, int64_t cookie)
{
    if (cookie < 0) {
        connection->dead = nbd_aio_is_ready(connection->nbd) <= 0;
        return false;
    }
    if (wait_for(connection->nbd, command_is_over, cookie) != WAIT_DONE) {
        connection->dead = true;
        return false;
    }
    return nbd_aio_command_completed(connection->nbd, (uint64_t)cookie) == 1;
}

/* -- Connecting ---------------------------------------------------------------------- */

static int begin_connect(struct nbd_handle *nbd, const NBDServer *server)
{
    if (server->export_name && nbd_set_export_name(nbd, server->export_name) < 0) {
        return -1;
    }
    if (server->uri) {
        return nbd_aio_connect_uri(nbd, server->uri);
    }
    if (server->argv) {
        return nbd_aio_connect_systemd_socket_activation(nbd, (char **)server->argv);
    }
    return server->unix_path ? nbd_aio_connect_unix(nbd, server->unix_path)
                             : nbd_aio_connect_tcp(nbd, server->host, server->port);
}

static void nbd_module_close(void *opaque)
{
    Connection *connection = opaque;

    if (!connection->dead && nbd_aio_disconnect(connection->nbd, 0) == 0) {
        wait_for(connection->nbd, connection_is_over, 0);
    }
    nbd_close(connection->nbd);
    g_free(connection);
}

static void *nbd_module_connect(const NBDServer *server, char **message)
{
    struct nbd_handle *nbd = nbd_create();
    Connection *connection;
    WaitResult result;

    if (!nbd) {
        *message = g_strdup(nbd_get_error());
        return NULL;
    }
    result = begin_connect(nbd, server) < 0 ? WAIT_FAILED
                                            : wait_for(nbd, connection_is_settled, 0);
    if (result != WAIT_DONE || nbd_aio_is_ready(nbd) <= 0) {
        const char *reason = result == WAIT_TIMEOUT ? NULL : nbd_get_error();

        *message = g_strdup(reason ? reason : "the server does not answer");
        nbd_close(nbd);
        return NULL;
    }
    connection = g_new0(Connection, 1);
    connection->nbd = nbd;
    return connection;
}

static int64_t nbd_module_size(void *opaque)
{
    return nbd_get_size(((Connection *)opaque)->nbd);
}

static bool nbd_module_is_readonly(void *opaque)
{
    return nbd_is_read_only(((Connection *)opaque)->nbd) != 0;
}

/* -- Requests ------------------------------------------------------------------------ */

static bool nbd_module_read(void *opaque, uint64_t offset, void *buffer, size_t length)
{
    Connection *connection = opaque;

    while (length > 0 && !connection->dead) {
        size_t count = MIN(length, REQUEST_MAX);

        if (!finish(connection, nbd_aio_pread(connection->nbd, buffer, count, offset,
                                              NBD_NULL_COMPLETION, 0))) {
            return false;
        }
        offset += count;
        buffer = (uint8_t *)buffer + count;
        length -= count;
    }
    return length == 0;
}

static bool nbd_module_write(void *opaque, uint64_t offset, const void *buffer,
                             size_t length)
{
    Connection *connection = opaque;

    while (length > 0 && !connection->dead) {
        size_t count = MIN(length, REQUEST_MAX);

        if (!finish(connection, nbd_aio_pwrite(connection->nbd, buffer, count, offset,
                                               NBD_NULL_COMPLETION, 0))) {
            return false;
        }
        offset += count;
        buffer = (const uint8_t *)buffer + count;
        length -= count;
    }
    return length == 0;
}

static bool nbd_module_flush(void *opaque)
{
    Connection *connection = opaque;

    return !connection->dead &&
           (nbd_can_flush(connection->nbd) <= 0 ||
            finish(connection, nbd_aio_flush(connection->nbd, NBD_NULL_COMPLETION, 0)));
}

/* Advice: a server that cannot trim keeps the bytes. */
static bool nbd_module_discard(void *opaque, uint64_t offset, uint64_t length)
{
    Connection *connection = opaque;

    while (length > 0 && !connection->dead && nbd_can_trim(connection->nbd) > 0) {
        uint64_t count = MIN(length, REQUEST_MAX);

        if (!finish(connection, nbd_aio_trim(connection->nbd, count, offset,
                                             NBD_NULL_COMPLETION, 0))) {
            return false;
        }
        offset += count;
        length -= count;
    }
    return !connection->dead;
}

extern const NBDFunctions umbra_nbd_functions;
const NBDFunctions umbra_nbd_functions = {
    .connect = nbd_module_connect,
    .close = nbd_module_close,
    .size = nbd_module_size,
    .is_readonly = nbd_module_is_readonly,
    .read = nbd_module_read,
    .write = nbd_module_write,
    .flush = nbd_module_flush,
    .discard = nbd_module_discard,
};
