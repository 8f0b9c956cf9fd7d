/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "hw/core/descriptors.h"
#include "hw/core/option-string.h"
#include "hw/core/property.h"

static bool refuse(GError **error, const char *uri, const char *why)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "'%s': %s", uri, why);
    return false;
}

/* -- Addresses ------------------------------------------------------------------- */

/* HOST:PORT with what -chardev's sockets allow behind a comma. */
static bool parse_tcp(TransportAddress *address, const char *text, const char *uri,
                      GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "place");
    g_autofree char *place = option_string_take(options, "place");
    g_autofree char *to = option_string_take(options, "to");
    const char *colon = place ? strrchr(place, ':') : NULL;
    uint64_t port, limit = 0;

    if (!colon || !parse_uint64(colon + 1, UINT16_MAX, &port) ||
        (to && !parse_uint64(to, UINT16_MAX, &limit))) {
        return refuse(error, uri, "write tcp:HOST:PORT, with a port from 0 to 65535");
    }
    address->text = g_strndup(place, (gsize)(colon - place));
    if (address->text[0] == '[') {
        g_strdelimit(address->text, "[]", ' ');
        g_strstrip(address->text);
    }
    address->port = (uint16_t)port;
    address->port_limit = (uint16_t)limit;
    return true;
}

static bool parse_file(TransportAddress *address, const char *text, const char *uri,
                       GError **error)
{
    const char *offset = g_strrstr(text, ",offset=");

    if (offset && !parse_size(offset + strlen(",offset="), 1, &address->offset)) {
        return refuse(error, uri, "the offset is a number of bytes");
    }
    address->text = offset ? g_strndup(text, (gsize)(offset - text)) : g_strdup(text);
    return true;
}

TransportAddress *transport_parse(const char *uri, GError **error)
{
    static const struct {
        const char *prefix;
        TransportKind kind;
    } kinds[] = {
        {"tcp:", TRANSPORT_TCP},   {"unix:", TRANSPORT_UNIX}, {"fd:", TRANSPORT_FD},
        {"exec:", TRANSPORT_EXEC}, {"file:", TRANSPORT_FILE},
    };
    g_autoptr(TransportAddress) address = g_new0(TransportAddress, 1);
    bool parsed = false;
    size_t i = 0;

    while (i < G_N_ELEMENTS(kinds) && !g_str_has_prefix(uri, kinds[i].prefix)) {
        i++;
    }
    if (i == G_N_ELEMENTS(kinds)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "unknown migration protocol: %s; there are tcp:HOST:PORT, unix:PATH, "
                    "fd:NAME, exec:COMMAND and file:PATH",
                    uri);
        return NULL;
    }
    address->kind = kinds[i].kind;
    uri += strlen(kinds[i].prefix);
    if (address->kind == TRANSPORT_TCP) {
        parsed = parse_tcp(address, uri, uri - 4, error);
    } else if (!*uri) {
        refuse(error, kinds[i].prefix, "something must follow the colon");
    } else if (address->kind == TRANSPORT_FILE) {
        parsed = parse_file(address, uri, uri - 5, error);
    } else {
        address->text = g_strdup(uri);
        parsed = true;
    }
    return parsed ? g_steal_pointer(&address) : NULL;
}

void transport_address_free(TransportAddress *address)
{
    if (address) {
        g_free(address->text);
        g_free(address);
    }
}

/* -- Leaving --------------------------------------------------------------------- */

static GSocketConnectable *place_of(const TransportAddress *address)
{
    return address->kind == TRANSPORT_UNIX
               ? G_SOCKET_CONNECTABLE(g_unix_socket_address_new(address->text))
               : g_network_address_new(*address->text ? address->text : "localhost",
                                       address->port);
}

/* GLib's sentence ends in the system's words for the error. */
static void tell_reason(const TransportAddress *address, const char *what,
                        GError *failure, GError **error)
{
    const char *reason = strrchr(failure->message, ':');
    g_autofree char *port = address->kind == TRANSPORT_TCP
                                ? g_strdup_printf(":%u", address->port)
                                : g_strdup("");

    g_set_error(error, failure->domain, failure->code, "Failed to %s '%s%s': %s", what,
                address->text, port, reason ? reason + 2 : failure->message);
    g_error_free(failure);
}

static MigrationChannel *adopt(GSocketConnection *connection)
{
    GSocket *socket = g_socket_connection_get_socket(connection);
    MigrationChannel *channel = migration_channel_new(g_socket_get_fd(socket));

    /* The last bytes should not wait for an acknowledgement. */
    g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
    migration_channel_keep(channel, G_OBJECT(connection));
    return channel;
}

static MigrationChannel *connect_socket(const TransportAddress *address,
                                        GCancellable *cancel, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnectable) place = place_of(address);
    g_autoptr(GSocketConnection) connection = NULL;
    GError *failure = NULL;

    g_socket_client_set_enable_proxy(client, false); /* the peer is where the user says */
    connection = g_socket_client_connect(client, place, cancel, &failure);
    if (!connection) {
        tell_reason(address, "connect to", failure, error);
        return NULL;
    }
    return adopt(connection);
}

static int open_at(const TransportAddress *address, int flags, GError **error)
{
    int fd = open(address->text, flags | O_CLOEXEC, 0600);

    if (fd >= 0 &&
        (!address->offset || lseek(fd, (off_t)address->offset, SEEK_SET) >= 0)) {
        return fd;
    }
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot open '%s': %s",
                address->text, g_strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

MigrationChannel *transport_connect(const TransportAddress *address, GCancellable *cancel,
                                    GError **error)
{
    int fd;

    switch (address->kind) {
    case TRANSPORT_EXEC:
        return migration_channel_new_command(address->text, true, error);
    case TRANSPORT_FD:
        fd = descriptor_take(address->text, error);
        break;
    case TRANSPORT_FILE:
        if (!address->offset) {
            return migration_channel_new_file(address->text, error);
        }
        fd = open_at(address, O_WRONLY | O_CREAT, error); /* somebody else's file */
        break;
    default:
        return connect_socket(address, cancel, error);
    }
    return fd < 0 ? NULL : migration_channel_new(fd);
}

/* -- Arriving -------------------------------------------------------------------- */

struct TransportListener {
    TransportArrived arrived;
    void *opaque;
    GSocketListener *sockets;
    GCancellable *cancel;
    GSocketAddress *address;
    char *path;                /* to be removed */
    MigrationChannel *channel; /* there already */
    guint idle;
};

static gboolean is_there(gpointer data)
{
    TransportListener *listener = data;

    listener->idle = 0;
    listener->arrived(g_steal_pointer(&listener->channel), listener->opaque);
    return G_SOURCE_REMOVE;
}

static void accepted(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GSocketConnection) connection = g_socket_listener_accept_finish(
        G_SOCKET_LISTENER(source), result, NULL, &failure);
    TransportListener *listener = data;

    if (g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return; /* the listener is gone */
    }
    if (connection) {
        g_socket_listener_close(listener->sockets);
        listener->arrived(adopt(connection), listener->opaque);
    } else {
        g_socket_listener_accept_async(listener->sockets, listener->cancel, accepted,
                                       data);
    }
}

static GSocketAddress *resolve(const TransportAddress *address, unsigned port,
                               GError **error)
{
    g_autoptr(GSocketConnectable) place = NULL;
    g_autoptr(GSocketAddressEnumerator) places = NULL;

    if (address->kind == TRANSPORT_UNIX) {
        return g_unix_socket_address_new(address->text);
    }
    if (!*address->text || g_str_equal(address->text, "0")) {
        return g_inet_socket_address_new_from_string("0.0.0.0", port);
    }
    place = g_network_address_new(address->text, (guint16)port);
    places = g_socket_connectable_enumerate(place);
    return g_socket_address_enumerator_next(places, NULL, error);
}

static bool listen_at(TransportListener *listener, const TransportAddress *address,
                      GError **error)
{
    GError *failure = NULL;

    listener->sockets = g_socket_listener_new();
    listener->cancel = g_cancellable_new();
    if (address->kind == TRANSPORT_UNIX) {
        unlink(address->text); /* left behind by an earlier run */
        listener->path = g_strdup(address->text);
    }
    for (unsigned port = address->port;; port++) {
        g_autoptr(GSocketAddress) where = resolve(address, port, &failure);

        if (where && g_socket_listener_add_address(
                         listener->sockets, where, G_SOCKET_TYPE_STREAM,
                         G_SOCKET_PROTOCOL_DEFAULT, NULL, &listener->address, &failure)) {
            break;
        }
        if (port >= address->port_limit) {
            tell_reason(address, "listen on", failure, error);
            return false;
        }
        g_clear_error(&failure);
    }
    g_socket_listener_accept_async(listener->sockets, listener->cancel, accepted,
                                   listener);
    return true;
}

static MigrationChannel *open_source(const TransportAddress *address, GError **error)
{
    int fd;

    if (address->kind == TRANSPORT_EXEC) {
        return migration_channel_new_command(address->text, false, error);
    }
    fd = address->kind == TRANSPORT_FD ? descriptor_take(address->text, error)
                                       : open_at(address, O_RDONLY, error);
    return fd < 0 ? NULL : migration_channel_new(fd);
}

TransportListener *transport_listen(const TransportAddress *address,
                                    TransportArrived arrived, void *opaque,
                                    GError **error)
{
    TransportListener *listener = g_new0(TransportListener, 1);

    listener->arrived = arrived;
    listener->opaque = opaque;
    if (address->kind == TRANSPORT_TCP || address->kind == TRANSPORT_UNIX) {
        if (!listen_at(listener, address, error)) {
            transport_listener_free(listener);
            return NULL;
        }
        return listener;
    }
    listener->channel = open_source(address, error);
    if (!listener->channel) {
        transport_listener_free(listener);
        return NULL;
    }
    listener->idle = g_idle_add(is_there, listener);
    return listener;
}

GSocketAddress *transport_listener_address(TransportListener *listener)
{
    return listener->address ? g_object_ref(listener->address) : NULL;
}

void transport_listener_free(TransportListener *listener)
{
    if (!listener) {
        return;
    }
    if (listener->idle) {
        g_source_remove(listener->idle);
    }
    if (listener->sockets) {
        g_cancellable_cancel(listener->cancel);
        g_socket_listener_close(listener->sockets);
        g_object_unref(listener->sockets);
        g_object_unref(listener->cancel);
    }
    if (listener->path) {
        unlink(listener->path);
    }
    g_clear_object(&listener->address);
    migration_channel_free(listener->channel);
    g_free(listener->path);
    g_free(listener);
}
