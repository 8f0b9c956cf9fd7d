/*
 * What follows when an image cannot be read or written: the policies of rerror= and
 * werror=, and the accesses that wait to be repeated.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <errno.h>
#include <gio/gio.h>

#include "hw/core/system.h"

const char *const block_error_policy_names[] = {"auto", "report", "ignore",
                                                "stop", "enospc", NULL};

static bool can_repeat(const BlockBackend *backend)
{
    return backend->ops && backend->ops->repeat;
}

/* What is done about this error: report, ignore or stop. */
static BlockErrorPolicy action_for(const BlockBackend *backend, bool write, int code)
{
    BlockErrorPolicy policy = (BlockErrorPolicy)(write ? backend->options.write_errors
                                                       : backend->options.read_errors);

    if (policy == BLOCK_ERROR_ENOSPC) {
        policy = code == ENOSPC ? BLOCK_ERROR_STOP : BLOCK_ERROR_REPORT;
    }
    return policy == BLOCK_ERROR_STOP && !can_repeat(backend) ? BLOCK_ERROR_REPORT
                                                              : policy;
}

bool block_failed(BlockBackend *backend, bool write, int code)
{
    BlockErrorPolicy action;

    if (code == EINPROGRESS) {
        backend->waiting = can_repeat(backend);
        return false;
    }
    action = action_for(backend, write, code);
    if (action == BLOCK_ERROR_STOP) {
        backend->waiting = true;
        backend->io_status = code == ENOSPC ? BLOCK_IO_NO_SPACE : BLOCK_IO_FAILED;
    }
    block_report_error(backend, write, action, code);
    if (action == BLOCK_ERROR_STOP) {
        system_io_error_request();
    }
    return action == BLOCK_ERROR_IGNORE;
}

bool block_is_waiting(const BlockBackend *backend)
{
    return backend->waiting;
}

static void find_waiting(BlockBackend *backend, void *opaque)
{
    *(bool *)opaque |= backend->waiting;
}

bool block_any_waiting(void)
{
    bool any = false;

    drive_foreach(find_waiting, &any);
    return any;
}

void block_repeat(BlockBackend *backend)
{
    if (backend->waiting) {
        backend->waiting = false;
        if (can_repeat(backend)) {
            backend->ops->repeat(backend->opaque);
        }
    }
}

static void go_on(BlockBackend *backend, void *opaque)
{
    if (backend->io_status != BLOCK_IO_OK) {
        backend->io_status = BLOCK_IO_OK;
        block_repeat(backend);
    }
}

void block_repeat_all(void)
{
    drive_foreach(go_on, NULL);
}

BlockIOStatus block_io_status(const BlockBackend *backend)
{
    return backend->io_status;
}

bool block_has_io_status(const BlockBackend *backend)
{
    return can_repeat(backend) && (backend->options.read_errors == BLOCK_ERROR_STOP ||
                                   backend->options.write_errors == BLOCK_ERROR_STOP ||
                                   backend->options.write_errors == BLOCK_ERROR_ENOSPC);
}

bool block_set_error_policies(BlockBackend *backend, int read_errors, int write_errors,
                              GError **error)
{
    DriveOptions *options = &backend->options;

    options->read_errors = read_errors ? read_errors - 1 : options->read_errors;
    options->write_errors = write_errors ? write_errors - 1 : options->write_errors;
    if (options->read_errors == BLOCK_ERROR_ENOSPC) {
        g_set_error_literal(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "rerror=enospc: reading needs no space; use report, ignore or "
            "stop");
        return false;
    }
    if (!can_repeat(backend) && (options->read_errors == BLOCK_ERROR_STOP ||
                                 options->write_errors == BLOCK_ERROR_STOP)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "The device cannot repeat an access, as drive option %s=stop needs; "
                    "use report or ignore",
                    options->read_errors == BLOCK_ERROR_STOP ? "rerror" : "werror");
        return false;
    }
    return true;
}
