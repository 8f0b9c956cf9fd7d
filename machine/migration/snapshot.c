/*
 * Snapshots: a migration to a file and back, with the machine standing. The file is the
 * same stream that -incoming file:PATH reads.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hw/block/block.h"
#include "machine/migration/migration.h"
#include "memory/io-lock.h"

static bool refuse_while_moving(GError **error)
{
    if (migration_is_active() || run_state() == RUN_STATE_INMIGRATE) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                            "There's a migration process in progress");
        return false;
    }
    return true;
}

/* A command that waits for its disk is not in a stream. */
static bool refuse_while_waiting(GError **error)
{
    if (block_any_waiting()) {
        g_set_error_literal(
            error, G_IO_ERROR, G_IO_ERROR_BUSY,
            "a disk waits to repeat an access that failed: mend it, and cont, before");
        return false;
    }
    return true;
}

static bool write_machine(Wire *wire, MigrationChannel *channel, GError **error)
{
    const RamSaveOptions options = {0};
    const StreamFormat *format = migration_format();
    RamSave *ram = ram_save_new(&options, wire, channel);

    stream_save_header(wire, format, machine_current()->type->name);
    stream_save_ram_start(wire, format, ram);
    stream_save_ram_end(wire, format, ram);
    stream_save_devices(wire, format);
    ram_save_free(ram);
    if (!wire_flush(wire)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            wire_error(wire)->message);
        return false;
    }
    return migration_channel_finish(channel, error);
}

/* Runs again what ran. */
static void go_on(RunState state)
{
    run_state_set(RUN_STATE_PAUSED);
    if (state == RUN_STATE_RUNNING) {
        run_state_cont();
    } else {
        run_state_set(state);
        clock_virtual_run(state == RUN_STATE_SUSPENDED);
    }
}

bool migration_snapshot_save(const char *path, GError **error)
{
    MigrationChannel *channel;
    RunState state;
    Wire *wire;
    bool saved;

    if (!refuse_while_moving(error) || !refuse_while_waiting(error) ||
        !migration_is_possible(error)) {
        return false;
    }
    channel = migration_channel_new_file(path, error);
    if (!channel) {
        return false;
    }
    state = run_state();
    run_state_stop_as(RUN_STATE_SAVE_VM);
    run_state_settle();
    state = run_state() == RUN_STATE_SAVE_VM ? state : run_state();
    migration_global_state_store(state);
    wire = wire_new_writer(migration_channel_write, channel);
    saved = write_machine(wire, channel, error);
    wire_free(wire);
    migration_channel_free(channel);
    go_on(state);
    return saved;
}

/* The first bytes say whether the rest is worth losing this machine for. */
static bool is_for_us(int fd, GError **error)
{
    const char *type = machine_current()->type->name;
    g_autoptr(Wire) head = wire_new_memory();
    StreamFormat format = *migration_format();
    const uint8_t *wanted;
    size_t size;
    g_autofree uint8_t *found = NULL;

    format.send_uuid = false;
    stream_save_header(head, &format, type);
    wanted = wire_data(head, &size);
    found = g_malloc0(size);
    if (pread(fd, found, size, 0) != (ssize_t)size || memcmp(found, wanted, size) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the file is no snapshot of a machine of type '%s'", type);
        return false;
    }
    return true;
}

static bool read_machine(MigrationChannel *channel, GError **error)
{
    g_autoptr(Wire) wire = wire_new_reader(migration_channel_read, channel);
    bool loaded;

    io_unlock(); /* stream_load() takes it where it needs it; the vCPUs stand */
    loaded = stream_load(wire, migration_format(), machine_current()->type->name, NULL);
    io_lock();
    if (!loaded) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "%s; the machine is stopped, reset it or load another snapshot",
                    wire_error(wire)->message);
    }
    return loaded;
}

bool migration_snapshot_load(const char *path, GError **error)
{
    MigrationChannel *channel;
    RunState state = RUN_STATE_RUNNING;
    bool loaded;
    int fd;

    if (!refuse_while_moving(error)) {
        return false;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "cannot open '%s': %s", path,
                    g_strerror(errno));
        return false;
    }
    channel = migration_channel_new(fd);
    if (!is_for_us(fd, error)) {
        migration_channel_free(channel);
        return false;
    }
    run_state_stop_as(RUN_STATE_RESTORE_VM);
    run_state_settle();
    run_state_reset(SYSTEM_CAUSE_NONE, "snapshot");
    loaded = read_machine(channel, error) && migration_arrived(error);
    migration_channel_free(channel);
    if (loaded) {
        migration_global_state_take(&state);
        go_on(state);
    } else {
        run_state_set(RUN_STATE_INTERNAL_ERROR);
    }
    return loaded;
}
