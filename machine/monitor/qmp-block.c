/*
 * QMP: disk drives, their images and media.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/qmp-block.h"

#include <errno.h>
#include <string.h>

#include "hw/block/block.h"
#include "hw/block/node.h"
#include "machine/monitor/qmp.h"

/* -- Descriptions -------------------------------------------------------------------- */

static JsonNode *describe_image(const BlockNode *node)
{
    uint64_t sectors =
        (block_node_size(node) + BLOCK_SECTOR_SIZE - 1) / BLOCK_SECTOR_SIZE;

    return qmp_object("filename:s,format:s,virtual-size:i,actual-size:i,dirty-flag:b",
                      block_node_filename(node), block_node_driver(node),
                      (gint64)(sectors * BLOCK_SECTOR_SIZE),
                      (gint64)block_node_allocated(node), false);
}

static bool cache_is(const char *cache, const char *a, const char *b)
{
    return g_strcmp0(cache, a) == 0 || g_strcmp0(cache, b) == 0;
}

/* `drive`: the one that has it, or NULL. */
static JsonNode *describe_node(const BlockNode *node, BlockBackend *drive)
{
    const char *cache = drive ? drive_options(drive)->cache : NULL;

    return qmp_object(
        "iops_rd:i,detect_zeroes:s,image:n,iops_wr:i,ro:b,node-name:s,"
        "backing_file_depth:i,drv:s,iops:i,bps_wr:i,write_threshold:i,encrypted:b,bps:i,"
        "bps_rd:i,cache:n,file:s",
        (gint64)0, "off", describe_image(node), (gint64)0,
        drive ? block_is_readonly(drive) : block_node_is_readonly(node),
        block_node_name(node), (gint64)0, block_node_driver(node), (gint64)0, (gint64)0,
        (gint64)0, false, (gint64)0, (gint64)0,
        qmp_object("no-flush:b,direct:b,writeback:b", cache_is(cache, "unsafe", "unsafe"),
                   cache_is(cache, "none", "directsync") || cache_is(cache, "off", "off"),
                   !cache_is(cache, "writethrough", "directsync")),
        block_node_filename(node));
}

const char *block_drive_device_name(BlockBackend *drive)
{
    const Device *device = block_device(drive);

    return !device ? NULL : device->id ? device->id : device->path;
}

static const char *const io_status_names[] = {"ok", "failed", "nospace"};

static void add_drive(BlockBackend *drive, void *opaque)
{
    const char *id = drive_options(drive)->id;
    const char *device = block_drive_device_name(drive);
    JsonNode *node = qmp_object("device:s,locked:b,removable:b", id ? id : "",
                                block_is_locked(drive), block_is_removable(drive));
    JsonObject *object = json_node_get_object(node);

    if (!id && !device) {
        json_node_unref(node);
        return;
    }
    if (block_has_io_status(drive)) {
        json_object_set_string_member(object, "io-status",
                                      io_status_names[block_io_status(drive)]);
    }
    if (block_is_inserted(drive)) {
        json_object_set_member(object, "inserted",
                               describe_node(block_node(drive), drive));
    }
    if (device) {
        json_object_set_string_member(object, "qdev", device);
    }
    if (block_has_tray(drive)) {
        json_object_set_boolean_member(object, "tray_open", block_tray_is_open(drive));
    }
    json_object_set_string_member(object, "type", "unknown");
    json_array_add_element(opaque, node);
}

static JsonNode *query_block(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    drive_foreach(add_drive, list);
    return qmp_array(list);
}

static void add_node(BlockNode *node, void *opaque)
{
    json_array_add_element(opaque, describe_node(node, NULL));
}

static JsonNode *query_named_block_nodes(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    block_node_foreach(add_node, list);
    return qmp_array(list);
}

/* -- Nodes --------------------------------------------------------------------------- */

static JsonNode *run_blockdev_add(JsonObject *args, GError **error)
{
    blockdev_add_from_json(args, error);
    return NULL;
}

static JsonNode *run_blockdev_del(JsonObject *args, GError **error)
{
    blockdev_del(json_object_get_string_member(args, "node-name"), error);
    return NULL;
}

/* -- Media --------------------------------------------------------------------------- */

static const char *text_arg(JsonObject *args, const char *name)
{
    return json_object_get_string_member_with_default(args, name, NULL);
}

/* By the drive's id, "device", or by that of the device that has it, "id". */
static BlockBackend *find_drive(JsonObject *args, GError **error)
{
    const char *device = text_arg(args, "device"), *id = text_arg(args, "id");
    BlockBackend *drive;

    if (!device == !id) {
        g_set_error_literal(error, QMP_ERROR, QMP_GENERIC_ERROR,
                            "Need exactly one of 'device' and 'id'");
        return NULL;
    }
    drive = device ? drive_find(device) : drive_find_by_device(id);
    if (!drive) {
        g_set_error(error, QMP_ERROR, QMP_DEVICE_NOT_FOUND, "Device '%s' not found",
                    device ? device : id);
    }
    return drive;
}

static bool forced(JsonObject *args)
{
    return json_object_get_boolean_member_with_default(args, "force", FALSE);
}

static JsonNode *run_eject(JsonObject *args, GError **error)
{
    BlockBackend *drive = find_drive(args, error);

    if (drive) {
        block_eject_medium(drive, forced(args), error);
    }
    return NULL;
}

static JsonNode *run_open_tray(JsonObject *args, GError **error)
{
    BlockBackend *drive = find_drive(args, error);

    if (drive) {
        block_open_tray(drive, forced(args), error);
    }
    return NULL;
}

static JsonNode *run_close_tray(JsonObject *args, GError **error)
{
    BlockBackend *drive = find_drive(args, error);

    if (drive) {
        block_close_tray(drive, error);
    }
    return NULL;
}

static JsonNode *run_remove_medium(JsonObject *args, GError **error)
{
    BlockBackend *drive = find_drive(args, error);

    if (drive) {
        block_remove_medium(drive, error);
    }
    return NULL;
}

static JsonNode *run_insert_medium(JsonObject *args, GError **error)
{
    BlockBackend *drive = find_drive(args, error);

    if (drive) {
        block_insert_medium(drive, text_arg(args, "node-name"), error);
    }
    return NULL;
}

static JsonNode *run_change_medium(JsonObject *args, GError **error)
{
    BlockBackend *drive = find_drive(args, error);

    if (drive) {
        block_change_medium(drive, text_arg(args, "filename"), text_arg(args, "format"),
                            text_arg(args, "read-only-mode"), forced(args), error);
    }
    return NULL;
}

/* -- Events -------------------------------------------------------------------------- */

static void tray_moved(BlockBackend *drive, bool open)
{
    const char *id = drive_options(drive)->id, *device = block_drive_device_name(drive);

    qmp_event("DEVICE_TRAY_MOVED", qmp_object("device:s,tray-open:b,id:s", id ? id : "",
                                              open, device ? device : ""));
}

static void io_error(BlockBackend *drive, bool write, BlockErrorPolicy action, int code)
{
    const char *id = drive_options(drive)->id;

    JsonNode *data =
        qmp_object("device:s,node-name:s,reason:s,operation:s,action:s", id ? id : "",
                   block_node_name(block_node(drive)), g_strerror(code),
                   write ? "write" : "read", block_error_policy_names[action + 1]);

    if (block_has_io_status(drive)) {
        json_object_set_boolean_member(json_node_get_object(data), "nospace",
                                       code == ENOSPC);
    }
    qmp_event("BLOCK_IO_ERROR", data);
}

void qmp_block_listen(void)
{
    static const BlockEvents events = {.tray_moved = tray_moved, .io_error = io_error};

    block_set_events(&events);
}

const QmpCommand qmp_block_commands[] = {
    {"query-block", "", query_block, "[BlockInfo]"},
    {"query-named-block-nodes", "flat:bool?", query_named_block_nodes, "[BlockDeviceInfo]"},
    {"blockdev-add", "*BlockdevOptions", run_blockdev_add},
    {"blockdev-del", "node-name:str", run_blockdev_del},
    {"eject", "device:str?,id:str?,force:bool?", run_eject},
    {"blockdev-open-tray", "device:str?,id:str?,force:bool?", run_open_tray},
    {"blockdev-close-tray", "device:str?,id:str?", run_close_tray},
    {"blockdev-remove-medium", "id:str", run_remove_medium},
    {"blockdev-insert-medium", "id:str,node-name:str", run_insert_medium},
    {"blockdev-change-medium",
     "device:str?,id:str?,filename:str,format:str?,force:bool?,"
     "read-only-mode:BlockdevChangeReadOnlyMode?",
     run_change_medium},
    {NULL},
};
