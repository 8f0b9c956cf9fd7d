/*
 * A chardev over UDP: a write is a datagram to the peer, a datagram that comes is input.
 * With no connection there is nobody to lose, and a datagram that finds no room is lost,
 * as the protocol has it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/chardev-backend.h"

#include <gio/gio.h>
#include <string.h>

#define DATAGRAM_SIZE 65536

typedef struct UdpChardev {
    Chardev parent;
    GSocket *socket;
    uint8_t *datagram; /* what the frontend has not taken of the last one */
    size_t start, end;
} UdpChardev;

static void deliver(UdpChardev *udp)
{
    size_t length;

    while ((length = MIN(chardev_room(&udp->parent), udp->end - udp->start)) > 0) {
        udp->start += length;
        chardev_receive(&udp->parent, udp->datagram + udp->start - length, length);
    }
}

static void udp_read(Chardev *chardev, size_t room)
{
    UdpChardev *udp = (UdpChardev *)chardev;

    if (udp->start == udp->end) {
        ssize_t got = chardev_fd_read(chardev->input_fd, udp->datagram, DATAGRAM_SIZE);

        udp->start = 0;
        udp->end = got > 0 ? (size_t)got : 0;
    }
    deliver(udp);
}

static void udp_accept_input(Chardev *chardev)
{
    deliver((UdpChardev *)chardev);
    chardev_watch_input(chardev);
}

static ssize_t udp_write(Chardev *chardev, const uint8_t *buffer, size_t length)
{
    chardev_fd_write(chardev->output_fd, buffer, MIN(length, 65507));
    return (ssize_t)length;
}

static GSocketAddress *resolve(const char *host, const char *port, GError **error)
{
    g_autoptr(GSocketConnectable) place = NULL;
    g_autoptr(GSocketAddressEnumerator) places = NULL;
    uint64_t number;

    if (!parse_uint64(port, UINT16_MAX, &number)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "chardev: udp: '%s' is no port number", port);
        return NULL;
    }
    place = g_network_address_new(host && *host ? host : "localhost", (guint16)number);
    places = g_socket_connectable_enumerate(place);
    return g_socket_address_enumerator_next(places, NULL, error);
}

static bool udp_open(Chardev *chardev, const Options *options, GError **error)
{
    UdpChardev *udp = (UdpChardev *)chardev;
    const char *port = options_get(options, "port"),
               *local = options_get(options, "localport");
    g_autoptr(GSocketAddress) remote = NULL, here = NULL;

    if (!port) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "chardev: udp: remote port not specified; add port=PORT");
        return false;
    }
    remote = resolve(options_get(options, "host"), port, error);
    if (!remote) {
        return false;
    }
    udp->socket = g_socket_new(g_socket_address_get_family(remote),
                               G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);
    if (!udp->socket) {
        return false;
    }
    if (local) {
        here = resolve(options_get(options, "localaddr"), local, error);
        if (!here || !g_socket_bind(udp->socket, here, TRUE, error)) {
            return false;
        }
    }
    if (!g_socket_connect(udp->socket, remote, NULL, error)) {
        return false;
    }
    g_socket_set_blocking(udp->socket, FALSE);
    udp->datagram = g_malloc(DATAGRAM_SIZE);
    chardev->input_fd = chardev->output_fd = g_socket_get_fd(udp->socket);
    chardev->open = true;
    return true;
}

static void udp_close(Chardev *chardev)
{
    UdpChardev *udp = (UdpChardev *)chardev;

    g_clear_object(&udp->socket);
    g_free(udp->datagram);
}

static const char *const udp_options[] = {"host", "port", "localaddr", "localport",
                                          "ipv4", "ipv6", NULL};

const ChardevBackend chardev_udp_backend = {
    .name = "udp",
    .size = sizeof(UdpChardev),
    .options = udp_options,
    .open = udp_open,
    .read = udp_read,
    .write = udp_write,
    .close = udp_close,
    .accept_input = udp_accept_input,
};
