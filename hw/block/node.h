/*
 * BlockNode: an opened image, or a layer on top of one, with a name. -blockdev and
 * blockdev-add make nodes one by one; -drive makes its own, a format over a protocol.
 *
 * Options are keys and values as in QEMU's -blockdev, nested ones spelled with a dot:
 * driver=raw,file.driver=file,file.filename=disk.img. Machine lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_BLOCK_NODE_H
#define HW_BLOCK_NODE_H

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "hw/core/option-string.h"

typedef struct BlockNode BlockNode;

/* -blockdev's text, "key=value,..." or a JSON object: makes a node that stays until
 * blockdev_del(). False and *error: an option that is missing, unknown or wrong, a name
 * in use, an image that cannot be opened. */
bool blockdev_add_from_text(const char *text, GError **error);
bool blockdev_add_from_json(JsonObject *object, GError **error);

/* Takes such a node away. False and *error when there is none, or it is in use. */
bool blockdev_del(const char *name, GError **error);

BlockNode *block_node_find(const char *name);
/* The youngest first, as QEMU lists them. */
void block_node_foreach(void (*func)(BlockNode *node, void *opaque), void *opaque);

/* A machine that moves takes its disks along: the source hands the images over, their data on
 * the host's disk and their locks given up; the target begins with that (its images are
 * opened without locks then) and takes them before it runs. False and *error, and none is
 * taken, where another process has one. Formats that qemu-nbd serves stay where they are. */
void block_images_hand_over(void);
bool block_images_take(GError **error);

const char *block_node_name(const BlockNode *node);
const char *block_node_driver(const BlockNode *node);   /* "qcow2", "file", ... */
const char *block_node_filename(const BlockNode *node); /* as people write it */
uint64_t block_node_size(const BlockNode *node);        /* bytes */
uint64_t block_node_allocated(const BlockNode *node);   /* bytes on the host's disk */
bool block_node_is_readonly(const BlockNode *node);

#endif
