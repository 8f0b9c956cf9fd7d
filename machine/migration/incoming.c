/*
 * A thread reads the stream: the guest's memory without the machine lock, devices with
 * it, so that monitors answer meanwhile. Starting the machine is the main loop's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/node.h"
#include "machine/migration/migration.h"
#include "machine/migration/transport.h"
#include "memory/io-lock.h"

static struct {
    MigrationStatus status;
    bool deferred; /* migrate-incoming is yet to say from where */
    TransportListener *listener;
    MigrationChannel *channel;
    GThread *thread;
    Wire *wire;
    bool quitting;
} in;

static void set_status(MigrationStatus status)
{
    in.status = status;
    migration_tell(status, 0);
}

/* The machine is here. */
static void start_machine(void)
{
    RunState state = RUN_STATE_RUNNING;
    g_autoptr(GError) error = NULL;

    migration_global_state_take(&state);
    run_state_set(RUN_STATE_PAUSED);
    if (!block_images_take(&error)) { /* `cont` tries once more */
        g_printerr("%s: %s\n", g_get_prgname(), error->message);
    } else if (state == RUN_STATE_RUNNING && run_state_autostart()) {
        run_state_cont();
    } else if (state == RUN_STATE_SUSPENDED && run_state_autostart()) {
        run_state_set(RUN_STATE_SUSPENDED);
        clock_virtual_run(true);
    } else if (state != RUN_STATE_RUNNING) {
        run_state_set(state);
    }
}

static gboolean finish(gpointer loaded)
{
    bool succeeded = loaded;
    g_autoptr(GError) error = NULL;

    g_thread_join(g_steal_pointer(&in.thread));
    if (in.quitting) {
        return G_SOURCE_REMOVE;
    }
    if (succeeded && !migration_arrived(&error)) {
        succeeded = false;
    }
    if (succeeded) {
        start_machine();
        /* Last: who hears of it may begin to work with the machine at once. */
        set_status(MIGRATION_STATUS_COMPLETED);
    } else {
        set_status(MIGRATION_STATUS_FAILED);
        g_printerr("%s: load of migration failed: %s\n", g_get_prgname(),
                   error ? error->message : wire_error(in.wire)->message);
        run_state_quit(1, SYSTEM_CAUSE_NONE);
    }
    g_clear_pointer(&in.wire, wire_free);
    migration_channel_free(g_steal_pointer(&in.channel));
    return G_SOURCE_REMOVE;
}

static gpointer receive_machine(gpointer data)
{
    bool loaded;

    memory_thread_register();
    loaded = stream_load(in.wire, migration_format(), machine_current()->type->name,
                         in.channel);
    memory_thread_unregister();
    g_idle_add_full(G_PRIORITY_HIGH, finish, GINT_TO_POINTER(loaded), NULL);
    return NULL;
}

static void arrived(MigrationChannel *channel, void *opaque)
{
    in.channel = channel;
    in.wire = wire_new_reader(migration_channel_read, channel);
    set_status(MIGRATION_STATUS_ACTIVE);
    in.thread = g_thread_new("incoming", receive_machine, NULL);
}

static bool listen_to(const char *uri, GError **error)
{
    g_autoptr(TransportAddress) address = transport_parse(uri, error);

    if (address) {
        in.listener = transport_listen(address, arrived, NULL, error);
    }
    if (!address || !in.listener) {
        return false;
    }
    set_status(MIGRATION_STATUS_SETUP);
    return true;
}

bool migration_incoming_begin(const char *uri, GError **error)
{
    run_state_set(RUN_STATE_INMIGRATE);
    in.deferred = g_str_equal(uri, "defer");
    return in.deferred || listen_to(uri, error);
}

bool migration_incoming_continue(const char *uri, GError **error)
{
    if (run_state() != RUN_STATE_INMIGRATE || !in.deferred) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            in.listener
                                ? "The incoming migration has already been started"
                                : "'-incoming' was not specified on the command line");
        return false;
    }
    if (!listen_to(uri, error)) {
        return false;
    }
    in.deferred = false;
    return true;
}

MigrationStatus migration_incoming_query(GSocketAddress **address)
{
    *address = in.listener && in.status == MIGRATION_STATUS_SETUP
                   ? transport_listener_address(in.listener)
                   : NULL;
    return in.status;
}

bool migration_is_arriving(void)
{
    return in.thread != NULL;
}

void migration_incoming_shutdown(void)
{
    if (in.thread) {
        in.quitting = true;
        migration_channel_cancel(in.channel);
        io_unlock();
        g_thread_join(g_steal_pointer(&in.thread));
        io_lock();
        wire_free(in.wire);
        migration_channel_free(in.channel);
    }
    transport_listener_free(g_steal_pointer(&in.listener));
}
