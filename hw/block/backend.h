/*
 * What stands behind a BlockBackend: nodes, and the drivers that give them their bytes.
 * Private to hw/block.
 *
 * A driver sees bytes, and only ranges that begin inside the image: block.c has checked
 * them, keeps snapshot=on's writes from it, and decides when to flush.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_BLOCK_BACKEND_H
#define HW_BLOCK_BACKEND_H

#include "hw/block/block.h"
#include "hw/block/node.h"

/* Where a function below fails, errno says why; EINPROGRESS: it waits for
 * block_repeat(). */
typedef struct BlockDriver {
    const char *name;
    const char *below; /* the option of the node below it, "file"; NULL: there is none. */
    bool owns_file;    /* That is its own while it is open; else only while it is used. */
    /* Takes its options, opens the image, writable unless node->readonly; sets state,
     * length and filename. */
    bool (*open)(BlockNode *node, OptionString *options, GError **error);
    void (*close)(BlockNode *node);
    bool (*read)(BlockNode *node, uint64_t offset, void *buffer, size_t length);
    bool (*write)(BlockNode *node, uint64_t offset, const void *buffer, size_t length);
    bool (*flush)(BlockNode *node);                                     /* or NULL */
    bool (*discard)(BlockNode *node, uint64_t offset, uint64_t length); /* or NULL */
} BlockDriver;

struct BlockNode {
    const BlockDriver *driver;
    char *name;
    char *filename;
    void *state;     /* the driver's */
    uint64_t length; /* bytes */
    BlockNode *file; /* below it, or NULL */
    bool readonly;
    bool auto_readonly; /* read-only where it cannot be written */
    bool unmap;         /* what is discarded is given back to the host */
    bool no_flush;
    bool probed;     /* raw because it looked like nothing else: it must stay so */
    bool by_monitor; /* one of the references is blockdev_add's */
    unsigned references;
    unsigned readers, writers; /* of those, the ones that use its bytes */
};

struct BlockBackend {
    DriveOptions options;
    BlockNode *node;     /* NULL: no medium */
    GHashTable *overlay; /* snapshot=on: cluster number -> its bytes */
    bool readonly;       /* to the guest */
    bool taken;
    bool waiting; /* an access that failed is to be repeated */
    BlockIOStatus io_status;
    unsigned medium_changes;
    Device *device; /* that has it; or NULL */
    const BlockDeviceOps *ops;
    void *opaque;
};

extern const BlockDriver block_driver_file, block_driver_host_device, block_driver_raw,
    block_driver_null_co, block_driver_null_aio, block_driver_nbd, block_driver_blkdebug;

/* -- block.c, medium.c -- */

/* block_insert() with options for the node, which are used up. */
bool block_insert_options(BlockBackend *backend, const char *file, const char *format,
                          OptionString *options, GError **error);
/* The same for a driver that needs no file. */
bool block_insert_driver(BlockBackend *backend, const char *driver, OptionString *options,
                         GError **error);
void block_report_error(BlockBackend *backend, bool write, BlockErrorPolicy action,
                        int code);

/* -- errors.c -- */

/* What the driver could not do, for the reason `code`: true where the device is not to
 * know. */
bool block_failed(BlockBackend *backend, bool write, int code);

/* -- node.c -- */

/* A new node with one reference, or NULL and *error. `above`: the node whose settings it
 * inherits, or NULL. All options are used up, whatever comes of it. */
BlockNode *block_node_open(OptionString *options, const BlockNode *above, GError **error);
void block_node_unref(BlockNode *node);

/* The same as options with dots. */
OptionString *block_options_from_json(JsonObject *object);

/* A user of its bytes, which holds a reference. False and *error: two would write it, or
 * one write what another reads. */
bool block_node_attach(BlockNode *node, bool write, GError **error);
void block_node_detach(BlockNode *node, bool write);

/* As the driver does it, for ranges that may end behind the last byte: what is there
 * reads as zeroes. */
bool block_node_read(BlockNode *node, uint64_t offset, void *buffer, size_t length);
bool block_node_write(BlockNode *node, uint64_t offset, const void *buffer,
                      size_t length);

/* Takes an option that is on or off; leaves *value where it is not given. */
bool block_take_bool(OptionString *options, const char *key, bool *value, GError **error);
bool block_take_size(OptionString *options, const char *key, uint64_t *value,
                     GError **error);
/* Takes an option that must be given; NULL and *error. */
char *block_take_required(OptionString *options, const char *key, GError **error);

/* -- probe.c -- */

#define BLOCK_PROBE_SIZE 512

/* The format that an image's first bytes are of, or NULL: none but raw. */
const char *block_format_of_content(const uint8_t head[BLOCK_PROBE_SIZE]);

/* Opens what -drive's file= names: a path, or "nbd://..." and the like. `options` are
 * further ones for the node, or "file."-prefixed for the one below (all of them where
 * `file` is NULL); format NULL: that of the content. All options are used up. */
BlockNode *block_node_open_file(const char *file, const char *format,
                                OptionString *options, GError **error);

/* -- file.c -- */

/* Lets another program of ours have the image: gives up the locks. */
void block_file_lend(BlockNode *node);

/* -- nbd.c -- */

/* The driver of a format that qemu-nbd serves, or NULL. */
const BlockDriver *block_format_driver(const char *name);
void block_format_names(GPtrArray *names);

#endif
