/*
 * Drives whose medium can be changed: the tray, and what the user does with it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <gio/gio.h>
#include <string.h>

static const BlockEvents *events;

/* -- The device ---------------------------------------------------------------------- */

void block_set_device(BlockBackend *backend, Device *device, const BlockDeviceOps *ops,
                      void *opaque)
{
    backend->device = device;
    backend->ops = ops;
    backend->opaque = opaque;
    backend->waiting = false;
    backend->io_status = BLOCK_IO_OK;
}

Device *block_device(const BlockBackend *backend)
{
    return backend->device;
}

const BlockDeviceOps *block_device_ops(const BlockBackend *backend)
{
    return backend->ops;
}

/* A drive that no device has can be filled and emptied at will. */
bool block_is_removable(const BlockBackend *backend)
{
    return !backend->ops || backend->ops->change_medium;
}

bool block_has_tray(const BlockBackend *backend)
{
    return backend->ops && backend->ops->tray_is_open;
}

bool block_tray_is_open(const BlockBackend *backend)
{
    return block_has_tray(backend) && backend->ops->tray_is_open(backend->opaque);
}

bool block_is_locked(const BlockBackend *backend)
{
    return backend->ops && backend->ops->is_locked &&
           backend->ops->is_locked(backend->opaque);
}

/* -- Events -------------------------------------------------------------------------- */

void block_set_events(const BlockEvents *handlers)
{
    events = handlers;
}

void block_tray_moved(BlockBackend *backend)
{
    if (events) {
        events->tray_moved(backend, block_tray_is_open(backend));
    }
}

void block_report_error(BlockBackend *backend, bool write, BlockErrorPolicy action,
                        int code)
{
    if (events && backend->ops && backend->ops->reports_errors) {
        events->io_error(backend, write, action, code);
    }
}

/* Tells the device of its medium, and the world where that has moved the tray. */
static void change_medium(BlockBackend *backend, bool load)
{
    bool was_open = block_tray_is_open(backend);

    if (backend->ops && backend->ops->change_medium) {
        backend->ops->change_medium(backend->opaque, load);
    }
    if (block_tray_is_open(backend) != was_open) {
        block_tray_moved(backend);
    }
}

/* -- Commands ------------------------------------------------------------------------ */

static const char *name_of(const BlockBackend *backend)
{
    return backend->options.id                      ? backend->options.id
           : backend->device && backend->device->id ? backend->device->id
           : backend->device                        ? backend->device->path
                                                    : "";
}

static bool check_removable(const BlockBackend *backend, GError **error)
{
    if (!block_is_removable(backend)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Device '%s' is not removable", name_of(backend));
        return false;
    }
    return true;
}

/* False, without an error, where the tray stays closed because the guest has
 * been asked. */
static bool try_to_open(BlockBackend *backend, bool force, bool *asked, GError **error)
{
    bool locked = block_is_locked(backend);

    *asked = false;
    if (!check_removable(backend, error)) {
        return false;
    }
    if (!block_has_tray(backend) || block_tray_is_open(backend)) {
        return true;
    }
    if (locked) {
        backend->ops->request_eject(backend->opaque, force);
    }
    if (!locked || force) {
        change_medium(backend, false);
        return true;
    }
    *asked = true;
    g_set_error(
        error, G_IO_ERROR, G_IO_ERROR_BUSY,
        "Device '%s' is locked and force was not specified, wait for tray to open "
        "and try again",
        name_of(backend));
    return false;
}

bool block_open_tray(BlockBackend *backend, bool force, GError **error)
{
    GError *failure = NULL;
    bool asked;

    if (try_to_open(backend, force, &asked, &failure)) {
        return true;
    }
    if (asked) { /* the event tells when the guest has done it */
        g_clear_error(&failure);
        return true;
    }
    g_propagate_error(error, failure);
    return false;
}

bool block_close_tray(BlockBackend *backend, GError **error)
{
    if (!check_removable(backend, error)) {
        return false;
    }
    if (block_tray_is_open(backend)) {
        change_medium(backend, true);
    }
    return true;
}

static bool check_tray_open(const BlockBackend *backend, GError **error)
{
    if (block_has_tray(backend) && !block_tray_is_open(backend)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "Tray of device '%s' is not open", name_of(backend));
        return false;
    }
    return true;
}

bool block_remove_medium(BlockBackend *backend, GError **error)
{
    if (!check_removable(backend, error) || !check_tray_open(backend, error)) {
        return false;
    }
    if (block_is_inserted(backend)) {
        block_eject(backend);
        if (!block_has_tray(backend)) { /* the medium's going is all that it notices */
            change_medium(backend, false);
        }
    }
    return true;
}

static bool check_empty(const BlockBackend *backend, GError **error)
{
    if (block_is_inserted(backend)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "There already is a medium in device '%s'; eject it first",
                    name_of(backend));
        return false;
    }
    return true;
}

bool block_insert_medium(BlockBackend *backend, const char *node_name, GError **error)
{
    BlockNode *node = block_node_find(node_name);

    if (!node) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "Node '%s' not found",
                    node_name);
        return false;
    }
    if (!check_removable(backend, error) || !check_tray_open(backend, error) ||
        !check_empty(backend, error) || !block_insert_node(backend, node, error)) {
        return false;
    }
    if (!block_has_tray(backend)) {
        change_medium(backend, true);
    }
    return true;
}

bool block_eject_medium(BlockBackend *backend, bool force, GError **error)
{
    bool asked;

    return try_to_open(backend, force, &asked, error) &&
           block_remove_medium(backend, error);
}

/* Whether media to come are to be read-only; false and *error: no such mode. */
static bool parse_mode(const BlockBackend *backend, const char *mode, bool *readonly,
                       GError **error)
{
    *readonly = backend->options.readonly;
    if (!mode || strcmp(mode, "retain") == 0) {
        return true;
    }
    *readonly = strcmp(mode, "read-only") == 0;
    if (!*readonly && strcmp(mode, "read-write") != 0) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "Parameter 'read-only-mode' does not accept value '%s'; it is retain, "
            "read-only or read-write",
            mode);
        return false;
    }
    return true;
}

/* The new image is opened before the old one goes, so that a wrong name costs nothing. */
bool block_change_medium(BlockBackend *backend, const char *file, const char *format,
                         const char *readonly_mode, bool force, GError **error)
{
    bool before = backend->options.readonly, readonly, asked;
    OptionString *options = option_string_new();
    BlockNode *node;

    if (!check_removable(backend, error) ||
        !parse_mode(backend, readonly_mode, &readonly, error)) {
        option_string_free(options);
        return false;
    }
    option_string_add(
        options, "read-only",
        readonly || backend->options.cdrom || backend->options.snapshot ? "on" : "off");
    node = block_node_open_file(file, format, options, error);
    if (!node) {
        return false;
    }
    if (!try_to_open(backend, force, &asked, error) ||
        !block_remove_medium(backend, error)) {
        block_node_unref(node);
        return false;
    }
    backend->options.readonly = readonly;
    if (!block_insert_node(backend, node, error)) {
        backend->options.readonly = before;
        block_node_unref(node);
        return false;
    }
    block_node_unref(node);
    g_free(backend->options.file);
    backend->options.file = g_strdup(file);
    if (!block_has_tray(backend)) {
        change_medium(backend, true);
        return true;
    }
    return block_close_tray(backend, error);
}
