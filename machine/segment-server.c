/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/segment-server.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixfdmessage.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/machine.h"
#include "memory/address-space.h"
#include "memory/ram-block.h"

#define MAX_CLIENTS 16
#define MAX_REQUEST 300 /* bytes of a line; a block's name has at most 255 */

typedef struct SegmentServer {
    UserObject parent;
    char *path;
    GSocket *listener; /* bound to `path` */
    GSource *accepting;
    GPtrArray *clients;
} SegmentServer;

typedef struct Client {
    SegmentServer *server;
    GSocket *socket;
    GSource *source;
    char request[MAX_REQUEST];
    size_t length;
} Client;

USER_OBJECT_DEFINE_TYPE(SegmentServer, segment_server, "umbra-segments", TYPE_USER_OBJECT)

#define SEGMENT_SERVER(object)                                                           \
    (G_TYPE_CHECK_INSTANCE_CAST((object), segment_server_get_type(), SegmentServer))

/* -- Segments -------------------------------------------------------------------- */

static bool can_seal(const RAMBlock *block)
{
    int seals = fcntl(block->fd, F_GET_SEALS);

    return seals >= 0 && !(seals & F_SEAL_SEAL);
}

static bool is_segment(const RAMBlock *block)
{
    return block->fd >= 0 && block->shared;
}

static bool is_writable(const RAMBlock *block)
{
    return can_seal(block) && !(block->mr && block->mr->readonly);
}

/* A descriptor for another process: a description of its own, and of these
 * rights only. */
static int open_segment(const RAMBlock *block, GError **error)
{
    bool writable = is_writable(block);
    int seals = F_SEAL_GROW | F_SEAL_SHRINK | (writable ? 0 : F_SEAL_FUTURE_WRITE);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", block->fd);
    int fd = -1;

    if (!can_seal(block) || fcntl(block->fd, F_ADD_SEALS, seals) == 0) {
        fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    }
    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "cannot hand out '%s': %s", block->name, g_strerror(errno));
    }
    return fd;
}

typedef struct Mappings {
    const RAMBlock *block;
    JsonArray *into;
} Mappings;

static void add_mapping(Mappings *mappings, const MemoryRegion *mr,
                        const FlatRange *range, hwaddr offset, const char *protection)
{
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"start", range->start}, {"last", range->last}, {"offset", offset}};
    JsonObject *object;

    if (memory_region_ram_block(mr) != mappings->block) {
        return;
    }
    object = json_object_new();
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *text = g_strdup_printf("0x%" PRIx64, numbers[i].value);

        json_object_set_string_member(object, numbers[i].name, text);
    }
    json_object_set_string_member(object, "protection", protection);
    json_array_add_object_element(mappings->into, object);
}

static bool add_mappings(const FlatRange *range, void *opaque)
{
    bool readable_only =
        range->readonly || range->write_mr || memory_region_is_romd(range->mr);

    add_mapping(opaque, range->mr, range, range->offset_in_region,
                readable_only ? "r" : "rw");
    if (range->write_mr) {
        add_mapping(opaque, range->write_mr, range, range->write_offset, "w");
    }
    return true;
}

static JsonObject *describe(const RAMBlock *block)
{
    JsonObject *object = json_object_new();
    Mappings mappings = {block, json_array_new()};

    json_object_set_string_member(object, "name", block->name);
    json_object_set_int_member(object, "size", (gint64)block->used_length);
    json_object_set_string_member(object, "protection", is_writable(block) ? "rw" : "r");
    address_space_foreach_range(&machine_current()->memory, add_mappings, &mappings);
    json_object_set_array_member(object, "guest", mappings.into);
    return object;
}

static bool list_segment(RAMBlock *block, void *opaque)
{
    if (is_segment(block)) {
        json_array_add_object_element(opaque, describe(block));
    }
    return true;
}

/* -- Requests and answers -------------------------------------------------------- */

static void drop(Client *client)
{
    g_ptr_array_remove(client->server->clients, client);
}

static void client_free(void *opaque)
{
    Client *client = opaque;

    g_source_destroy(client->source);
    g_source_unref(client->source);
    g_socket_close(client->socket, NULL);
    g_object_unref(client->socket);
    g_free(client);
}

/* Sends `answer`, which it takes over, and with it the descriptor (-1: none), at once or
 * not at all; false: the client has to go. */
static bool send_answer(GSocket *socket, JsonNode *answer, int fd)
{
    g_autofree char *text = json_to_string(answer, FALSE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    GOutputVector vector = {line, strlen(line)};
    GSocketControlMessage *message = NULL;
    gssize sent;

    json_node_unref(answer);
    if (fd >= 0) {
        message = g_unix_fd_message_new();
        if (!g_unix_fd_message_append_fd(G_UNIX_FD_MESSAGE(message), fd, NULL)) {
            g_object_unref(message);
            return false;
        }
    }
    sent = g_socket_send_message(socket, NULL, &vector, 1, &message, message ? 1 : 0,
                                 G_SOCKET_MSG_NONE, NULL, NULL);
    g_clear_object(&message);
    return sent == (gssize)vector.size;
}

static JsonNode *take_object(JsonObject *object)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, object);
    return node;
}

static bool send_error(GSocket *socket, const char *text)
{
    JsonObject *object = json_object_new();
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    json_object_set_string_member(object, "error", valid);
    return send_answer(socket, take_object(object), -1);
}

static bool answer_list(GSocket *socket)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    JsonArray *segments = json_array_new();

    ram_block_foreach(list_segment, segments);
    json_node_take_array(node, segments);
    return send_answer(socket, node, -1);
}

static bool answer_open(GSocket *socket, const char *name)
{
    RAMBlock *block = ram_block_find(name);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    bool sent;
    int fd;

    if (!block || !is_segment(block)) {
        text = g_strdup_printf(block ? "'%s' is private to the machine; give its memory "
                                       "backend share=on"
                                     : "there is no segment '%s'; 'list' names them",
                               name);
        return send_error(socket, text);
    }
    fd = open_segment(block, &error);
    if (fd < 0) {
        return send_error(socket, error->message);
    }
    sent = send_answer(socket, take_object(describe(block)), fd);
    close(fd);
    return sent;
}

static bool answer(GSocket *socket, const char *request)
{
    if (strcmp(request, "list") == 0) {
        return answer_list(socket);
    }
    if (g_str_has_prefix(request, "open ")) {
        return answer_open(socket, request + strlen("open "));
    }
    return send_error(socket, "not a request; write 'list' or 'open NAME'");
}

/* A request is one line, and the next one comes after the answer: no client can keep the
 * machine's main loop busy with what it has not waited for. */
static gboolean client_readable(GSocket *socket, GIOCondition condition, gpointer data)
{
    Client *client = data;
    gssize got = g_socket_receive(socket, client->request + client->length,
                                  sizeof(client->request) - client->length, NULL, NULL);
    char *end;

    if (got <= 0) {
        drop(client);
        return G_SOURCE_REMOVE;
    }
    client->length += (size_t)got;
    end = memchr(client->request, '\n', client->length);
    if (!end && client->length < sizeof(client->request)) {
        return G_SOURCE_CONTINUE;
    }
    if (!end || end + 1 != client->request + client->length) {
        send_error(socket, end ? "a second request before the answer to the first"
                               : "the request is too long");
        drop(client);
        return G_SOURCE_REMOVE;
    }
    *end = 0;
    client->length = 0;
    if (!answer(socket, client->request)) {
        drop(client);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

static GSource *watch(GSocket *socket, GSocketSourceFunc func, gpointer data)
{
    GSource *source = g_socket_create_source(socket, G_IO_IN, NULL);

    g_source_set_callback(source, G_SOURCE_FUNC(func), data, NULL);
    g_source_set_priority(source, G_PRIORITY_LOW);
    g_source_attach(source, NULL);
    return source;
}

static gboolean client_arrived(GSocket *listener, GIOCondition condition, gpointer data)
{
    SegmentServer *server = data;
    GSocket *socket = g_socket_accept(listener, NULL, NULL);
    Client *client;

    if (!socket) {
        return G_SOURCE_CONTINUE;
    }
    g_socket_set_blocking(socket, FALSE);
    if (server->clients->len == MAX_CLIENTS) {
        send_error(socket, "there are too many clients; come back when one has left");
        g_object_unref(socket);
        return G_SOURCE_CONTINUE;
    }
    client = g_new0(Client, 1);
    client->server = server;
    client->socket = socket;
    client->source = watch(socket, client_readable, client);
    g_ptr_array_add(server->clients, client);
    return G_SOURCE_CONTINUE;
}

/* -- The object ------------------------------------------------------------------ */

/* Whether `path` is what a server that has died has left behind. */
static bool is_stale(const char *path, GSocketAddress *address)
{
    g_autoptr(GSocket) probe = NULL;
    g_autoptr(GError) error = NULL;
    GStatBuf st;

    if (g_lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode)) {
        return false;
    }
    probe = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                         G_SOCKET_PROTOCOL_DEFAULT, NULL);
    return probe && !g_socket_connect(probe, address, NULL, &error) &&
           g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

static bool start(UserObject *object, GError **error)
{
    SegmentServer *server = SEGMENT_SERVER(object);
    g_autoptr(GSocketAddress) address = NULL;
    g_autoptr(GSocket) listener = NULL;

    if (!server->path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter 'path' is missing; write path=SOCKET");
        return false;
    }
    address = g_unix_socket_address_new(server->path);
    if (is_stale(server->path, address)) {
        g_unlink(server->path);
    }
    listener = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                            G_SOCKET_PROTOCOL_DEFAULT, error);
    if (!listener || !g_socket_bind(listener, address, FALSE, error)) {
        g_prefix_error(error, "%s: ", server->path);
        return false;
    }
    server->listener = g_steal_pointer(&listener);
    g_chmod(server->path, 0600); /* nobody can connect before the listen() below */
    g_socket_set_blocking(server->listener, FALSE);
    if (!g_socket_listen(server->listener, error)) {
        return false;
    }
    server->clients = g_ptr_array_new_with_free_func(client_free);
    server->accepting = watch(server->listener, client_arrived, server);
    return true;
}

static const Property properties[] = {
    PROP_STRING("path", SegmentServer, path, NULL, "the unix socket to listen on"),
    PROP_END,
};

static void segment_server_finalize(GObject *object)
{
    SegmentServer *server = SEGMENT_SERVER(object);

    g_clear_pointer(&server->clients, g_ptr_array_unref);
    if (server->accepting) {
        g_source_destroy(server->accepting);
        g_source_unref(server->accepting);
    }
    if (server->listener) {
        g_unlink(server->path);
        g_object_unref(server->listener);
    }
    g_free(server->path);
    G_OBJECT_CLASS(g_type_class_peek(TYPE_USER_OBJECT))->finalize(object);
}

static void segment_server_class_init(UserObjectClass *klass)
{
    klass->complete = start;
    G_OBJECT_CLASS(klass)->finalize = segment_server_finalize;
    property_install_table(G_OBJECT_CLASS(klass), properties);
}
