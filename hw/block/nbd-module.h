/*
 * The module that speaks NBD (libnbd), and what it offers. It is loaded when an image
 * needs it, because libnbd and its TLS libraries take longer to load than all of Umbra.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_BLOCK_NBD_MODULE_H
#define HW_BLOCK_NBD_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NBD_MODULE "umbra-nbd"
#define NBD_MODULE_FUNCTIONS "umbra_nbd_functions"

/* A server that does not answer for so long counts as dead. */
#define NBD_TIMEOUT_MS 10000

/* Where the server is: one of these. */
typedef struct NBDServer {
    const char *uri;         /* NBD's URI syntax */
    const char *unix_path;   /* a socket's */
    const char *host, *port; /* TCP */
    const char *const *argv; /* a program to start, which takes its socket from systemd's
                                socket activation; it ends with the connection */
    const char *export_name; /* not with uri or argv; NULL: the default one */
} NBDServer;

/* All but close return false or NULL on failure; connect's *message is then malloc'ed. */
typedef struct NBDFunctions {
    void *(*connect)(const NBDServer *server, char **message);
    void (*close)(void *connection);
    int64_t (*size)(void *connection); /* bytes */
    bool (*is_readonly)(void *connection);
    bool (*read)(void *connection, uint64_t offset, void *buffer, size_t length);
    bool (*write)(void *connection, uint64_t offset, const void *buffer, size_t length);
    bool (*flush)(void *connection);
    bool (*discard)(void *connection, uint64_t offset, uint64_t length);
} NBDFunctions;

#endif
