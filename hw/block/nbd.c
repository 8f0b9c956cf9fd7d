/*
 * nbd: the disk of an NBD server; and the image formats but raw, which qemu-nbd serves to
 * us: one process an image, on a socket of its own, that ends when we close it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/block/nbd-module.h"
#include "hw/core/module.h"

#define DEFAULT_PORT "10809" /* IANA's for NBD */

/* -- The module ---------------------------------------------------------------------- */

static const NBDFunctions *nbd_functions(GError **error)
{
    static const NBDFunctions *functions;

    if (!functions) {
        functions = module_symbol(NBD_MODULE, NBD_MODULE_FUNCTIONS, "libnbd-dev", error);
    }
    return functions;
}

static void nbd_driver_close(BlockNode *node)
{
    nbd_functions(NULL)->close(node->state);
}

static bool nbd_driver_read(BlockNode *node, uint64_t offset, void *buffer, size_t length)
{
    return nbd_functions(NULL)->read(node->state, offset, buffer, length);
}

/* What ends behind the last byte is cut: a server's disk does not grow. */
static bool nbd_driver_write(BlockNode *node, uint64_t offset, const void *buffer,
                             size_t length)
{
    return offset < node->length &&
           nbd_functions(NULL)->write(node->state, offset, buffer,
                                      (size_t)MIN(length, node->length - offset));
}

static bool nbd_driver_flush(BlockNode *node)
{
    return nbd_functions(NULL)->flush(node->state);
}

static bool nbd_driver_discard(BlockNode *node, uint64_t offset, uint64_t length)
{
    return nbd_functions(NULL)->discard(node->state, offset,
                                        MIN(length, node->length - offset));
}

/* Takes over a connection that has been made: its size, and whether it can be written. */
static bool settle(BlockNode *node, void *connection, GError **error)
{
    const NBDFunctions *functions = nbd_functions(NULL);
    int64_t size = functions->size(connection);

    if (size < 0 ||
        (functions->is_readonly(connection) && !node->readonly && !node->auto_readonly)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                    size < 0 ? "Could not open '%s': the server does not say its size"
                             : "Could not open '%s': the server's disk is read-only; use "
                               "readonly=on",
                    node->filename);
        functions->close(connection);
        return false;
    }
    node->readonly |= functions->is_readonly(connection);
    node->length = (uint64_t)size;
    node->state = connection;
    return true;
}

/* -- nbd ----------------------------------------------------------------------------- */

/* The older way to write it: "nbd:unix:PATH" or "nbd:HOST:PORT", ":exportname=NAME". */
static bool parse_old_name(const char *name, OptionString *options, GError **error)
{
    const char *rest = name + strlen("nbd:");
    const char *export_name = strstr(rest, ":exportname=");
    g_autofree char *place =
        export_name ? g_strndup(rest, (gsize)(export_name - rest)) : g_strdup(rest);
    char *colon = strrchr(place, ':');

    if (!colon) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "'%s' is not a server; write nbd://HOST:PORT/EXPORT or "
                    "nbd+unix:///EXPORT?socket=PATH",
                    name);
        return false;
    }
    if (export_name) {
        option_string_add(options, "export", export_name + strlen(":exportname="));
    }
    if (g_str_has_prefix(place, "unix:")) {
        option_string_add(options, "server.path", place + strlen("unix:"));
    } else {
        *colon = '\0';
        option_string_add(options, "server.host", place);
        option_string_add(options, "server.port", colon + 1);
    }
    return true;
}

static char *describe(const NBDServer *server)
{
    const char *name = server->export_name ? server->export_name : "";

    return server->uri ? g_strdup(server->uri)
           : server->unix_path
               ? g_strdup_printf("nbd+unix:///%s?socket=%s", name, server->unix_path)
               : g_strdup_printf("nbd://%s:%s%s%s", server->host, server->port,
                                 *name ? "/" : "", name);
}

static bool connect_node(BlockNode *node, const NBDServer *server, GError **error)
{
    const NBDFunctions *functions = nbd_functions(error);
    char *message = NULL;
    void *connection;

    if (!functions) {
        return false;
    }
    connection = functions->connect(server, &message);
    if (!connection) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "Could not connect to '%s': %s; start the server, or check the name",
                    node->filename, message);
        g_free(message);
        return false;
    }
    return settle(node, connection, error);
}

static bool nbd_driver_open(BlockNode *node, OptionString *options, GError **error)
{
    g_autofree char *name = option_string_take(options, "filename");
    g_autofree char *uri = option_string_take(options, "uri");
    g_autofree char *type = NULL, *path = NULL, *host = NULL, *port = NULL,
                    *export = NULL;
    g_autofree char *reconnect = option_string_take(options, "reconnect-delay");
    NBDServer server;

    if (name && g_str_has_prefix(name, "nbd:") && !g_str_has_prefix(name, "nbd://")) {
        if (!parse_old_name(name, options, error)) {
            return false;
        }
    } else if (name) {
        g_free(uri);
        uri = g_steal_pointer(&name);
    }
    type = option_string_take(options, "server.type");
    path = option_string_take(options, "server.path");
    host = option_string_take(options, "server.host");
    port = option_string_take(options, "server.port");
    export = option_string_take(options, "export");
    server = (NBDServer){.uri = uri,
                         .unix_path = path,
                         .host = host,
                         .port = port ? port : DEFAULT_PORT,
                         .export_name = export};
    if (!uri && !path && !host) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                            "Parameter 'server' is missing: give server.type=unix and "
                            "server.path=, or server.type=inet, server.host= and "
                            "server.port=");
        return false;
    }
    node->filename = describe(&server);
    return connect_node(node, &server, error);
}

const BlockDriver block_driver_nbd = {
    .name = "nbd",
    .open = nbd_driver_open,
    .close = nbd_driver_close,
    .read = nbd_driver_read,
    .write = nbd_driver_write,
    .flush = nbd_driver_flush,
    .discard = nbd_driver_discard,
};

/* -- Formats by qemu-nbd --------------------------------------------------------------
 */

/* What the server has written to its standard error: the last line, without its name. */
static char *last_words(int fd)
{
    char text[4096];
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    char *line, *message;

    text[MAX(length, 0)] = '\0';
    g_strchomp(text);
    line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    message = strstr(line, "qemu-nbd: ");
    return g_strdup(message ? message + strlen("qemu-nbd: ") : line);
}

static bool start_server(BlockNode *node, const char *program, int errors, GError **error)
{
    const NBDFunctions *functions = nbd_functions(error);
    /* The shell puts the server's messages where we can read them. */
    g_autofree char *script =
        g_strdup_printf("exec \"$0\" \"$@\" 2>/proc/%d/fd/%d", (int)getpid(), errors);
    const char *argv[] = {"/bin/sh",
                          "-c",
                          script,
                          program,
                          "--format",
                          node->driver->name,
                          "--cache=writeback",
                          node->unmap ? "--discard=unmap" : "--discard=ignore",
                          "--",
                          node->file->filename,
                          NULL,
                          NULL};
    char *message = NULL;
    void *connection;

    if (!functions) {
        return false;
    }
    if (node->readonly) {
        argv[10] = argv[9];
        argv[9] = "--";
        argv[8] = "--read-only";
    }
    connection = functions->connect(&(NBDServer){.argv = argv}, &message);
    if (!connection) {
        g_autofree char *reason = last_words(errors);

        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "Could not open '%s' as %s: %s",
                    node->filename, node->driver->name, *reason ? reason : message);
        g_free(message);
        return false;
    }
    return settle(node, connection, error);
}

static bool format_open(BlockNode *node, OptionString *options, GError **error)
{
    g_autofree char *program = g_find_program_in_path("qemu-nbd");
    g_autofree char *errors_path = NULL;
    bool opened;
    int errors;

    if (node->file->driver != &block_driver_file &&
        node->file->driver != &block_driver_host_device) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "driver %s needs a file below it, not '%s'", node->driver->name,
                    node->file->driver->name);
        return false;
    }
    if (!program) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "'%s' is a %s image, which qemu-nbd reads: install the package "
                    "qemu-utils, or convert the image with `qemu-img convert -O raw`",
                    node->filename, node->driver->name);
        return false;
    }
    errors = g_file_open_tmp("umbra-nbd-XXXXXX", &errors_path, error);
    if (errors < 0) {
        return false;
    }
    unlink(errors_path);
    block_file_lend(node->file); /* the server takes the locks */
    opened = start_server(node, program, errors, error);
    close(errors);
    return opened;
}

#define FORMAT(name_)                                                                    \
    {                                                                                    \
        .name = name_, .below = "file", .owns_file = true, .open = format_open,         \
        .close = nbd_driver_close, .read = nbd_driver_read, .write = nbd_driver_write,   \
        .flush = nbd_driver_flush, .discard = nbd_driver_discard                         \
    }

static const BlockDriver formats[] = {
    FORMAT("qcow2"), FORMAT("qcow"),  FORMAT("vmdk"), FORMAT("vdi"),
    FORMAT("vhdx"),  FORMAT("vpc"),   FORMAT("qed"),  FORMAT("parallels"),
    FORMAT("bochs"), FORMAT("cloop"), FORMAT("dmg"),
};

const BlockDriver *block_format_driver(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (strcmp(formats[i].name, name) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

void block_format_names(GPtrArray *names)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ptr_array_add(names, (gpointer)formats[i].name);
    }
}
