/*
 * Chardevs over sockets: unix and TCP, as server or client, with or without telnet; UDP.
 *
 * A server takes one peer at a time; when that one has gone it listens again, and others
 * wait in the kernel's queue meanwhile. A client with reconnect=SECONDS comes back.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/chardev-backend.h"

#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hw/char/telnet.h"
#include "hw/core/descriptors.h"

typedef struct SocketChardev {
    Chardev parent;
    char *path, *host; /* one of them, or neither (fd=) */
    uint16_t port, port_limit;
    bool server, wait, telnet, nodelay, abstract;
    unsigned reconnect; /* seconds; 0: never */

    GSocket *listener, *peer;
    GSource *accepting;
    GCancellable *connecting; /* NULL: not now */
    guint reconnect_timer;
    char *peer_name; /* TCP: who it is */
    bool write_failed;
    TelnetState telnet_state;
} SocketChardev;

static SocketChardev *socket_of(const Chardev *chardev)
{
    return (SocketChardev *)chardev;
}

/* -- Addresses ------------------------------------------------------------------- */

static char *inet_text(GSocketAddress *address)
{
    GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS(address);
    GInetAddress *host = g_inet_socket_address_get_address(inet);
    g_autofree char *text = g_inet_address_to_string(host);
    bool v6 = g_inet_address_get_family(host) == G_SOCKET_FAMILY_IPV6;

    return g_strdup_printf(v6 ? "[%s]:%u" : "%s:%u", text,
                           g_inet_socket_address_get_port(inet));
}

static GSocketConnectable *connectable(const SocketChardev *s)
{
    if (s->path) {
        return G_SOCKET_CONNECTABLE(g_unix_socket_address_new_with_type(
            s->path, -1,
            s->abstract ? G_UNIX_SOCKET_ADDRESS_ABSTRACT : G_UNIX_SOCKET_ADDRESS_PATH));
    }
    return g_network_address_new(*s->host ? s->host : "localhost", s->port);
}

static char *place_text(const SocketChardev *s)
{
    return s->path ? g_strdup(s->path)
                   : g_strdup_printf("%s:%u", s->host ? s->host : "fd", s->port);
}

static char *socket_describe(const Chardev *chardev)
{
    const SocketChardev *s = socket_of(chardev);
    g_autoptr(GSocketAddress) local = NULL;
    g_autofree char *place = NULL;

    if (!s->path && (s->peer || s->listener)) {
        local = g_socket_get_local_address(s->peer ? s->peer : s->listener, NULL);
    }
    place = local && G_IS_INET_SOCKET_ADDRESS(local) ? inet_text(local) : place_text(s);
    return g_strdup_printf("%s%s:%s%s%s%s", chardev->open ? "" : "disconnected:",
                           s->path     ? "unix"
                           : s->telnet ? "telnet"
                                       : "tcp",
                           place, s->server ? ",server=on" : "",
                           s->peer_name ? " <-> " : "", s->peer_name ? s->peer_name : "");
}

/* -- A peer comes and goes ------------------------------------------------------- */

static void start_accepting(SocketChardev *s);
static void start_connecting(SocketChardev *s);

static gboolean reconnect_due(gpointer data)
{
    SocketChardev *s = data;

    s->reconnect_timer = 0;
    start_connecting(s);
    return G_SOURCE_REMOVE;
}

static void peer_lost(SocketChardev *s)
{
    s->parent.input_fd = s->parent.output_fd = -1;
    chardev_unwatch(&s->parent);
    if (s->peer) {
        g_socket_close(s->peer, NULL);
        g_clear_object(&s->peer);
    }
    g_clear_pointer(&s->peer_name, g_free);
    if (s->server) {
        start_accepting(s);
    } else if (s->reconnect && !s->reconnect_timer) {
        s->reconnect_timer = g_timeout_add_seconds(s->reconnect, reconnect_due, s);
    }
    chardev_set_open(&s->parent, false);
}

/* Takes over the reference to `peer`. */
static void peer_arrived(SocketChardev *s, GSocket *peer)
{
    g_autoptr(GSocketAddress) remote = g_socket_get_remote_address(peer, NULL);

    s->peer = peer;
    s->write_failed = false;
    g_socket_set_blocking(peer, FALSE);
    if (remote && G_IS_INET_SOCKET_ADDRESS(remote)) {
        s->peer_name = inet_text(remote);
        g_socket_set_keepalive(peer, TRUE); /* notices a peer whose host has died */
        if (s->nodelay) {
            g_socket_set_option(peer, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
        }
    }
    s->parent.input_fd = s->parent.output_fd = g_socket_get_fd(peer);
    if (s->telnet) {
        telnet_start(&s->telnet_state);
        if (s->server) {
            /* The kernel's buffer of a new connection is empty: all of it goes. */
            g_socket_send(peer, telnet_offer, TELNET_OFFER_LENGTH, NULL, NULL);
        }
    }
    chardev_set_open(&s->parent, true);
}

/* More descriptors in one message than this are closed by the kernel (unix(7)). */
#define FDS_MAX 16

/* Keeps the first descriptor that came with the bytes: a monitor's command is about one. */
static ssize_t receive(Chardev *chardev, uint8_t *buffer, size_t room)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control;
    struct iovec data = {buffer, room};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t got;

    do {
        got = recvmsg(chardev->input_fd, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
    }
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part;
         part = CMSG_NXTHDR(&message, part)) {
        int fds[FDS_MAX];
        size_t count;

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        count = MIN((part->cmsg_len - CMSG_LEN(0)) / sizeof(int), FDS_MAX);
        memcpy(fds, CMSG_DATA(part), count * sizeof(int));
        for (size_t i = 1; i < count; i++) {
            close(fds[i]);
        }
        if (count) {
            chardev_keep_fd(chardev, fds[0]);
        }
    }
    return got;
}

static void socket_read(Chardev *chardev, size_t room)
{
    SocketChardev *s = socket_of(chardev);
    g_autofree uint8_t *buffer = g_malloc(room);
    ssize_t got = receive(chardev, buffer, room);

    if (got < 0) {
        peer_lost(s);
        return;
    }
    if (s->telnet) {
        bool breaks = false;

        got = (ssize_t)telnet_decode(&s->telnet_state, buffer, (size_t)got, &breaks);
        if (breaks) {
            chardev_event(chardev, CHAR_EVENT_BREAK);
        }
    }
    chardev_receive(chardev, buffer, (size_t)got);
}

static ssize_t socket_send(Chardev *chardev, const uint8_t *buffer, size_t length)
{
    ssize_t put;

    do {
        put = send(chardev->output_fd, buffer, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (put < 0 && errno == EINTR);
    return put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : put;
}

static ssize_t socket_write(Chardev *chardev, const uint8_t *buffer, size_t length)
{
    SocketChardev *s = socket_of(chardev);
    ssize_t put;

    if (s->write_failed) {
        return -1;
    }
    if (s->telnet) {
        /* What looks like a telnet command is data sent twice (RFC 854). */
        const uint8_t *iac = memchr(buffer, TELNET_IAC, length);

        if (iac == buffer) {
            static const uint8_t twice[] = {TELNET_IAC, TELNET_IAC};

            put = socket_send(chardev, twice, 2);
            if (put == 1) {
                put = -1; /* half a pair would garble all that follows */
            }
            return put < 0 ? put : put / 2;
        }
        length = iac ? (size_t)(iac - buffer) : length;
    }
    put = socket_send(chardev, buffer, length);
    if (put < 0) {
        /* The peer takes nothing more, but what it sent before may still wait here: the
         * end of that closes the connection. */
        s->write_failed = true;
        chardev_watch_input(chardev);
        if (!chardev->input) {
            peer_lost(s);
        }
    }
    return put;
}

/* -- Server ---------------------------------------------------------------------- */

static gboolean peer_waits(GSocket *listener, GIOCondition condition, gpointer data)
{
    SocketChardev *s = data;
    GSocket *peer = g_socket_accept(listener, NULL, NULL);

    if (peer) {
        g_source_destroy(s->accepting);
        g_clear_pointer(&s->accepting, g_source_unref);
        peer_arrived(s, peer);
    }
    return G_SOURCE_CONTINUE;
}

static void start_accepting(SocketChardev *s)
{
    if (!s->accepting && s->listener) {
        s->accepting = g_socket_create_source(s->listener, G_IO_IN, NULL);
        g_source_set_callback(s->accepting, (GSourceFunc)(void *)peer_waits, s, NULL);
        g_source_attach(s->accepting, NULL);
    }
}

static bool listen_at(SocketChardev *s, GSocketAddress *address, GError **error)
{
    g_autoptr(GSocket) listener =
        g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
                     G_SOCKET_PROTOCOL_DEFAULT, error);

    if (!listener || !g_socket_bind(listener, address, TRUE, error) ||
        !g_socket_listen(listener, error)) {
        return false;
    }
    s->listener = g_steal_pointer(&listener);
    return true;
}

/* The next free port from `port` to `port_limit` (to=). */
static bool listen_at_host(SocketChardev *s, GError **error)
{
    bool any = !*s->host;

    for (unsigned port = s->port;; port++) {
        g_autoptr(GSocketConnectable) place = NULL;
        g_autoptr(GSocketAddressEnumerator) places = NULL;
        g_autoptr(GSocketAddress) address = NULL;
        g_autoptr(GError) failure = NULL;

        if (any) {
            address = g_inet_socket_address_new_from_string("0.0.0.0", port);
        } else {
            place = g_network_address_new(s->host, (guint16)port);
            places = g_socket_connectable_enumerate(place);
            address = g_socket_address_enumerator_next(places, NULL, &failure);
        }
        if (address && listen_at(s, address, &failure)) {
            s->port = (uint16_t)port;
            return true;
        }
        if (port >= s->port_limit) {
            g_propagate_prefixed_error(error, g_steal_pointer(&failure),
                                       "Failed to listen on '%s:%u': ", s->host, port);
            return false;
        }
    }
}

static bool start_server(SocketChardev *s, GError **error)
{
    if (s->path) {
        g_autoptr(GSocketAddress) address = G_SOCKET_ADDRESS(connectable(s));

        if (!s->abstract) {
            unlink(s->path); /* left behind by an earlier run */
        }
        if (!listen_at(s, address, error)) {
            g_prefix_error(error, "Failed to listen on '%s': ", s->path);
            return false;
        }
    } else if (s->host && !listen_at_host(s, error)) {
        return false;
    }
    if (s->wait) {
        g_autofree char *place = socket_describe(&s->parent);
        GSocket *peer;

        g_printerr("%s: info: waiting for connection on: %s\n", g_get_prgname(), place);
        peer = g_socket_accept(s->listener, NULL, error);
        if (!peer) {
            return false;
        }
        peer_arrived(s, peer);
    } else {
        start_accepting(s);
    }
    return true;
}

/* -- Client ---------------------------------------------------------------------- */

static GSocketClient *client_new(void)
{
    GSocketClient *client = g_socket_client_new();

    g_socket_client_set_enable_proxy(client, FALSE); /* the peer is where the user says */
    return client;
}

/* GLib's sentence ends in the system's words for the error. */
static bool connect_now(SocketChardev *s, GError **error)
{
    g_autoptr(GSocketClient) client = client_new();
    g_autoptr(GSocketConnectable) place = connectable(s);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect(client, place, NULL, &failure);

    if (!connection) {
        g_autofree char *text = place_text(s);
        const char *reason = strrchr(failure->message, ':');

        g_set_error(error, failure->domain, failure->code,
                    "Failed to connect to '%s': %s", text,
                    reason ? reason + 2 : failure->message);
        return false;
    }
    peer_arrived(s, g_object_ref(g_socket_connection_get_socket(connection)));
    return true;
}

static void connected(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &failure);
    SocketChardev *s = data;

    if (g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return; /* the chardev is gone */
    }
    g_clear_object(&s->connecting);
    if (connection) {
        peer_arrived(s, g_object_ref(g_socket_connection_get_socket(connection)));
    } else {
        s->reconnect_timer = g_timeout_add_seconds(s->reconnect, reconnect_due, s);
    }
}

static void start_connecting(SocketChardev *s)
{
    g_autoptr(GSocketClient) client = client_new();
    g_autoptr(GSocketConnectable) place = connectable(s);

    s->connecting = g_cancellable_new();
    g_socket_client_connect_async(client, place, s->connecting, connected, s);
}

/* -- Options --------------------------------------------------------------------- */

static bool adopt_fd(SocketChardev *s, const char *text, GError **error)
{
    int fd = descriptor_take(text, error);
    GSocket *given;

    if (fd < 0) {
        return false;
    }
    given = g_socket_new_from_fd(fd, error);
    if (!given) {
        g_prefix_error(error, "File descriptor %s is no socket: ", text);
        return false;
    }
    if (!s->server) {
        peer_arrived(s, given);
        return true;
    }
    s->listener = given;
    return start_server(s, error);
}

static bool check_combination(const SocketChardev *s, const Options *options,
                              GError **error)
{
    const char *wrong =
        s->server && s->reconnect
            ? "'reconnect' option is incompatible with socket in server "
              "listen mode"
        : !s->server && options_get(options, "wait")
            ? "'wait' option is incompatible with socket in client connect "
              "mode"
        : s->path && s->host ? "chardev: socket: give a path or a host, not both"
        : s->host && !options_get(options, "port") ? "chardev: socket: no port given"
        : !s->path && !s->host && !options_get(options, "fd")
            ? "chardev: socket: no address given; add path=FILE or "
              "host=HOST,port=PORT"
            : NULL;

    if (wrong) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, wrong);
    }
    return !wrong;
}

static bool socket_open(Chardev *chardev, const Options *options, GError **error)
{
    SocketChardev *s = socket_of(chardev);
    uint64_t port = 0, limit = 0, reconnect = 0;
    bool delay = true;

    s->wait = true;
    if (!options_get_bool(options, "server", &s->server, error) ||
        !options_get_bool(options, "wait", &s->wait, error) ||
        !options_get_bool(options, "telnet", &s->telnet, error) ||
        !options_get_bool(options, "delay", &delay, error) ||
        !options_get_bool(options, "nodelay", &s->nodelay, error) ||
        !options_get_bool(options, "abstract", &s->abstract, error) ||
        !options_get_number(options, "port", UINT16_MAX, &port, error) ||
        !options_get_number(options, "to", UINT16_MAX, &limit, error) ||
        !options_get_number(options, "reconnect", G_MAXINT, &reconnect, error)) {
        return false;
    }
    s->path = g_strdup(options_get(options, "path"));
    s->host = g_strdup(options_get(options, "host"));
    if (s->host && s->host[0] == '[') { /* an IPv6 address in a URL's dress */
        g_strdelimit(s->host, "[]", ' ');
        g_strstrip(s->host);
    }
    s->port = (uint16_t)port;
    s->port_limit = (uint16_t)limit;
    s->reconnect = (unsigned)reconnect;
    s->nodelay |= !delay;
    chardev->terminal = s->telnet;
    if (!check_combination(s, options, error)) {
        return false;
    }
    if (options_get(options, "fd")) {
        return adopt_fd(s, options_get(options, "fd"), error);
    }
    if (s->server) {
        return start_server(s, error);
    }
    if (s->reconnect) {
        start_connecting(s);
        return true;
    }
    return connect_now(s, error);
}

static void socket_close(Chardev *chardev)
{
    SocketChardev *s = socket_of(chardev);

    if (s->accepting) {
        g_source_destroy(s->accepting);
        g_source_unref(s->accepting);
    }
    if (s->connecting) {
        g_cancellable_cancel(s->connecting);
        g_object_unref(s->connecting);
    }
    if (s->reconnect_timer) {
        g_source_remove(s->reconnect_timer);
    }
    if (s->listener) {
        g_object_unref(s->listener);
        if (s->path && !s->abstract) {
            unlink(s->path);
        }
    }
    g_clear_object(&s->peer);
    g_free(s->peer_name);
    g_free(s->path);
    g_free(s->host);
}

static const char *const socket_options[] = {
    "path",  "host",    "port",      "to",   "fd",   "server",   "wait",  "telnet",
    "delay", "nodelay", "reconnect", "ipv4", "ipv6", "abstract", "tight", NULL};

const ChardevBackend chardev_socket_backend = {
    .name = "socket",
    .size = sizeof(SocketChardev),
    .options = socket_options,
    .open = socket_open,
    .read = socket_read,
    .write = socket_write,
    .describe = socket_describe,
    .close = socket_close,
};
