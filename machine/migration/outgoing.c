/*
 * The thread sends; whatever stops, starts or changes the machine is done by the main
 * loop, which the thread asks (in_main()) and waits for.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/block/block.h"
#include "hw/block/node.h"
#include "hw/core/vmstate.h"
#include "machine/migration/migration.h"
#include "machine/migration/throttle.h"
#include "machine/migration/transport.h"
#include "memory/io-lock.h"

/* The bandwidth is measured, and a limit kept, in slices of so many ms. */
#define SLICE_MS 100
#define SLICES_PER_SECOND (1000 / SLICE_MS)

/* One part of the section: small enough for a cancel to come through. */
#define PART_BYTES MiB(8)

static struct {
    MigrationStatus status;
    char *error;
    TransportAddress *address;
    MigrationChannel *channel;
    GCancellable *cancel;
    GThread *thread;
    Wire *wire;
    RamSave *ram;
    MigrationCapabilities capabilities; /* of when it began */
    MigrationParameters parameters;
    bool cancelled, quitting, go_on;
    RunState old_state;
    GSList *when_done; /* WhenDone */

    GMutex mutex; /* what follows: the thread's and the main loop's */
    GCond cond;
    bool mutex_ready;
    bool main_done;
    RamSaveStatistics statistics; /* a copy, for monitors */
    uint64_t dirty_per_second, pages_per_second;
    double bytes_per_ms;

    gint64 start, setup_end, stop_time, sent_time, end; /* us */
    uint64_t stop_bytes;
    unsigned dirty_high; /* looks in a row that found too much written */
} out;

typedef struct WhenDone {
    void (*func)(void *opaque);
    void *opaque;
} WhenDone;

bool migration_is_active(void)
{
    return out.thread != NULL;
}

static void set_status(MigrationStatus status)
{
    out.status = status;
    migration_tell(status, 0);
}

static void note_error(const char *message)
{
    if (!out.error) {
        out.error = g_strdup(message);
    }
}

/* -- Asking the main loop -------------------------------------------------------- */

typedef struct MainCall {
    bool (*func)(void);
    bool result;
} MainCall;

static gboolean make_call(gpointer data)
{
    MainCall *call = data;

    call->result = !out.quitting && call->func();
    g_mutex_lock(&out.mutex);
    out.main_done = true;
    g_cond_broadcast(&out.cond);
    g_mutex_unlock(&out.mutex);
    return G_SOURCE_REMOVE;
}

/* Runs func in the main loop; its result, or false where the process is about to end. */
static bool in_main(bool (*func)(void))
{
    MainCall call = {func, false};
    GSource *source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_HIGH);
    g_source_set_callback(source, make_call, &call, NULL);
    g_mutex_lock(&out.mutex);
    out.main_done = false;
    g_source_attach(source, NULL);
    while (!out.main_done && !__atomic_load_n(&out.quitting, __ATOMIC_ACQUIRE)) {
        g_cond_wait(&out.cond, &out.mutex);
    }
    g_mutex_unlock(&out.mutex);
    g_source_destroy(source);
    g_source_unref(source);
    return call.result;
}

/* -- The switch, in the main loop ------------------------------------------------ */

static bool stop_machine(void)
{
    g_autoptr(GError) error = NULL;

    out.old_state = run_state();
    out.stop_time = g_get_monotonic_time();
    migration_throttle_set(0);
    run_state_stop_as(RUN_STATE_FINISH_MIGRATE);
    /* A reset, shutdown or sleep that the guest asked for with its last instruction. */
    run_state_settle();
    if (run_state() != RUN_STATE_FINISH_MIGRATE) {
        out.old_state = run_state();
        run_state_set(RUN_STATE_FINISH_MIGRATE);
    }
    migration_global_state_store(out.old_state);
    if (!ram_save_look(out.ram, &error)) {
        note_error(error->message);
        return false;
    }
    return !out.cancelled;
}

/* The machine stays here, as it was. */
static void restore_machine(void)
{
    g_autoptr(GError) error = NULL;

    if (run_state() != RUN_STATE_FINISH_MIGRATE) {
        return; /* it was not stopped, or has gone on to another state since */
    }
    run_state_set(RUN_STATE_PAUSED);
    if (!block_images_take(&error)) { /* the target runs after all */
        g_printerr("%s: %s\n", g_get_prgname(), error->message);
    } else if (out.old_state == RUN_STATE_RUNNING) {
        run_state_cont();
    } else if (out.old_state == RUN_STATE_SUSPENDED) {
        run_state_set(RUN_STATE_SUSPENDED);
        clock_virtual_run(true);
    } else {
        run_state_set(out.old_state);
    }
}

static bool pre_switchover(void)
{
    set_status(MIGRATION_STATUS_PRE_SWITCHOVER);
    return true;
}

static bool switch_over(void)
{
    set_status(MIGRATION_STATUS_DEVICE);
    return ram_save_look(out.ram, NULL); /* the user may have written to memory */
}

static bool hand_over_images(void)
{
    block_images_hand_over();
    return true;
}

static void free_resources(void)
{
    migration_throttle_set(0);
    ram_save_free(g_steal_pointer(&out.ram));
    g_clear_pointer(&out.wire, wire_free);
    migration_channel_free(g_steal_pointer(&out.channel));
    g_clear_pointer(&out.address, transport_address_free);
    g_clear_object(&out.cancel);
}

static void call_when_done(void)
{
    GSList *list = g_steal_pointer(&out.when_done);

    for (GSList *link = list; link; link = link->next) {
        WhenDone *entry = link->data;

        entry->func(entry->opaque);
    }
    g_slist_free_full(list, g_free);
}

/* The thread's last call but for its return; it is joined later. */
static gboolean finish(gpointer succeeded)
{
    MigrationStatus status = succeeded       ? MIGRATION_STATUS_COMPLETED
                             : out.cancelled ? MIGRATION_STATUS_CANCELLED
                                             : MIGRATION_STATUS_FAILED;

    g_thread_join(g_steal_pointer(&out.thread));
    out.end = g_get_monotonic_time();
    if (out.quitting) {
        return G_SOURCE_REMOVE;
    }
    free_resources();
    if (succeeded) {
        run_state_set(RUN_STATE_POSTMIGRATE);
    }
    set_status(status);
    if (!succeeded) {
        restore_machine();
    }
    call_when_done();
    return G_SOURCE_REMOVE;
}

/* -- The thread ------------------------------------------------------------------ */

static bool is_cancelled(void)
{
    return __atomic_load_n(&out.cancelled, __ATOMIC_ACQUIRE);
}

static void publish(void)
{
    g_mutex_lock(&out.mutex);
    out.statistics = *ram_save_statistics(out.ram);
    g_mutex_unlock(&out.mutex);
}

/* Sleeps, or wakes at a cancel. */
static void sleep_until(gint64 time)
{
    g_mutex_lock(&out.mutex);
    while (!is_cancelled() && g_cond_wait_until(&out.cond, &out.mutex, time)) {
    }
    g_mutex_unlock(&out.mutex);
}

static bool open_channel(GError **error)
{
    if (!out.channel) {
        MigrationChannel *channel = transport_connect(out.address, out.cancel, error);

        g_mutex_lock(&out.mutex); /* migration_cancel() looks */
        out.channel = channel;
        g_mutex_unlock(&out.mutex);
    }
    return out.channel && !is_cancelled();
}

static void begin_stream(void)
{
    RamSaveOptions options = {
        .compress = out.capabilities.compress,
        .xbzrle = out.capabilities.xbzrle,
        .compress_level = (int)out.parameters.compress_level,
        .xbzrle_cache_size = out.parameters.xbzrle_cache_size,
    };
    const StreamFormat *format = migration_format();

    io_lock();
    out.ram = ram_save_new(&options, out.wire, out.channel);
    io_unlock();
    stream_save_header(out.wire, format, machine_current()->type->name);
    if (out.capabilities.return_path) {
        stream_save_open_return_path(out.wire);
    }
    stream_save_ram_start(out.wire, format, out.ram);
    wire_flush(out.wire);
    io_lock();
    out.setup_end = g_get_monotonic_time();
    publish();
    set_status(MIGRATION_STATUS_ACTIVE);
    migration_tell(MIGRATION_STATUS_ACTIVE, 1);
    io_unlock();
}

/* A guest that writes faster than we send is slowed down, more at each look. */
static void slow_guest_down(uint64_t sent, uint64_t dirtied)
{
    const MigrationParameters *parameters = &out.parameters;
    unsigned percent = migration_throttle_percent();

    if (!out.capabilities.auto_converge ||
        dirtied * MEMORY_PAGE_SIZE < sent / 100 * parameters->throttle_trigger ||
        ++out.dirty_high < 2) {
        return;
    }
    out.dirty_high = 0;
    percent = percent ? percent + (unsigned)parameters->throttle_increment
                      : (unsigned)parameters->throttle_initial;
    migration_throttle_set(MIN(percent, (unsigned)parameters->throttle_max));
}

typedef struct Pace {
    gint64 slice_start;                /* us */
    uint64_t slice_bytes, slice_pages; /* sent when it began */
    gint64 look_time;
    uint64_t look_bytes;
} Pace;

static uint64_t pages_sent(const RamSaveStatistics *statistics)
{
    return statistics->zero_pages + statistics->plain_pages + statistics->xbzrle_pages +
           statistics->compressed_pages;
}

/* Another look at what was written. */
static bool look(Pace *pace)
{
    const RamSaveStatistics *statistics = ram_save_statistics(out.ram);
    gint64 now = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    bool looked;

    io_lock();
    looked = ram_save_look(out.ram, &error);
    if (looked) {
        slow_guest_down(statistics->transferred - pace->look_bytes, statistics->dirtied);
        migration_tell(MIGRATION_STATUS_ACTIVE, statistics->passes);
    }
    io_unlock();
    if (error) {
        note_error(error->message);
    }
    g_mutex_lock(&out.mutex);
    out.dirty_per_second =
        statistics->dirtied * 1000000 / (uint64_t)MAX(now - pace->look_time, 1);
    g_mutex_unlock(&out.mutex);
    pace->look_time = now;
    pace->look_bytes = statistics->transferred;
    return looked;
}

static void end_slice(Pace *pace)
{
    const RamSaveStatistics *statistics = ram_save_statistics(out.ram);
    gint64 now = g_get_monotonic_time(), time = now - pace->slice_start;

    if (time < SLICE_MS * 1000) {
        return;
    }
    g_mutex_lock(&out.mutex);
    out.bytes_per_ms =
        (double)(statistics->transferred - pace->slice_bytes) * 1000 / (double)time;
    out.pages_per_second =
        (pages_sent(statistics) - pace->slice_pages) * 1000000 / (uint64_t)time;
    g_mutex_unlock(&out.mutex);
    pace->slice_start = now;
    pace->slice_bytes = statistics->transferred;
    pace->slice_pages = pages_sent(statistics);
}

/* Bytes that the bandwidth limit leaves to this slice. */
static uint64_t budget_of(const Pace *pace)
{
    uint64_t limit = migration_parameters()->max_bandwidth / SLICES_PER_SECOND;
    uint64_t sent = ram_save_statistics(out.ram)->transferred - pace->slice_bytes;

    return !migration_parameters()->max_bandwidth ? UINT64_MAX
           : sent < limit                         ? limit - sent
                                                  : 0;
}

/* Whether the rest goes over in the downtime that the user allows. What zlib or xbzrle
 * make smaller is sent as fast as the last slice was. */
static bool rest_is_small(const Pace *pace)
{
    const RamSaveStatistics *statistics = ram_save_statistics(out.ram);
    gint64 time = MAX(g_get_monotonic_time() - pace->slice_start, 1);
    double speed =
        out.bytes_per_ms > 0
            ? out.bytes_per_ms
            : (double)(statistics->transferred - pace->slice_bytes) * 1000 / (double)time;

    return (double)statistics->remaining <=
           speed * (double)migration_parameters()->downtime_limit;
}

/* Sends memory until the rest is small. */
static bool converge(void)
{
    gint64 now = g_get_monotonic_time();
    Pace pace = {.slice_start = now, .look_time = now};

    while (!wire_failed(out.wire) && !is_cancelled()) {
        uint64_t budget = budget_of(&pace);
        bool over = false;

        if (budget) {
            over = stream_save_ram_part(out.wire, migration_format(), out.ram,
                                        MIN(budget, PART_BYTES));
            publish();
        } else {
            sleep_until(pace.slice_start + SLICE_MS * 1000);
        }
        if (over && !look(&pace)) {
            return false;
        }
        if (over && rest_is_small(&pace)) {
            return true;
        }
        end_slice(&pace);
    }
    return false;
}

/* Devices are described under the machine lock, and sent without it. */
static void send_devices(void)
{
    Wire *devices = wire_new_memory();
    const uint8_t *bytes;
    size_t size;

    io_lock();
    stream_save_devices(devices, migration_format());
    io_unlock();
    if (wire_failed(devices)) {
        wire_fail(out.wire, "%s", wire_error(devices)->message);
    }
    bytes = wire_data(devices, &size);
    wire_put_buffer(out.wire, bytes, size);
    wire_free(devices);
}

static void wait_for_user(void)
{
    if (!out.capabilities.pause_before_switchover || !in_main(pre_switchover)) {
        return;
    }
    g_mutex_lock(&out.mutex);
    while (!out.go_on && !is_cancelled()) {
        g_cond_wait(&out.cond, &out.mutex);
    }
    g_mutex_unlock(&out.mutex);
    in_main(switch_over);
}

static bool complete(void)
{
    g_autoptr(GError) error = NULL;

    if (!in_main(stop_machine)) {
        return false;
    }
    out.stop_bytes = ram_save_statistics(out.ram)->transferred;
    wait_for_user();
    if (is_cancelled()) {
        return false;
    }
    stream_save_ram_end(out.wire, migration_format(), out.ram);
    publish();
    in_main(hand_over_images);
    send_devices();
    if (!wire_flush(out.wire) || is_cancelled()) {
        return false;
    }
    out.sent_time = g_get_monotonic_time();
    if ((out.capabilities.return_path && !stream_wait_for_arrival(out.channel, &error)) ||
        !migration_channel_finish(out.channel, &error)) {
        note_error(error->message);
        return false;
    }
    return !is_cancelled();
}

static gpointer send_machine(gpointer data)
{
    g_autoptr(GError) error = NULL;
    bool succeeded = false;

    memory_thread_register();
    if (open_channel(&error)) {
        out.wire = wire_new_writer(migration_channel_write, out.channel);
        begin_stream();
        succeeded = converge() && complete();
        if (wire_failed(out.wire)) {
            note_error(wire_error(out.wire)->message);
        }
    } else if (error) {
        note_error(error->message);
    }
    memory_thread_unregister();
    g_idle_add_full(G_PRIORITY_HIGH, finish, GINT_TO_POINTER(succeeded), NULL);
    return NULL;
}

/* -- Beginning and ending -------------------------------------------------------- */

static bool may_move(VMStateEntry *entry, void *opaque)
{
    GError **error = opaque;

    if (entry->vmsd->unmigratable) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "State blocked by non-migratable device '%s'", entry->id);
        return false;
    }
    return true;
}

bool migration_is_possible(GError **error)
{
    GError *failure = NULL;

    vmstate_foreach(may_move, &failure);
    if (failure) {
        g_propagate_error(error, failure);
    }
    return !failure;
}

static bool may_start(GError **error)
{
    const char *why =
        migration_is_active() ? "There's a migration process in progress"
        : run_state() == RUN_STATE_INMIGRATE
            ? "Guest is waiting for an incoming migration"
        : run_state() == RUN_STATE_POSTMIGRATE
            ? "Can't migrate the vm that was paused due to previous migration"
        : block_any_waiting()
            ? "A disk waits to repeat an access that failed: mend it, and cont, before"
            : NULL;

    if (why) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY, why);
        return false;
    }
    return migration_is_possible(error);
}

/* A return path needs an end that speaks. */
static bool can_answer(const TransportAddress *address, GError **error)
{
    if (migration_capabilities()->return_path &&
        (address->kind == TRANSPORT_EXEC || address->kind == TRANSPORT_FILE)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Unable to open return-path: this transport has none; turn the "
                    "capability return-path off");
        return false;
    }
    return true;
}

bool migration_start(const char *uri, GError **error)
{
    TransportAddress *address;

    if (!may_start(error)) {
        return false;
    }
    address = transport_parse(uri, error);
    if (!address || !can_answer(address, error)) {
        transport_address_free(address);
        return false;
    }
    if (!out.mutex_ready) {
        g_mutex_init(&out.mutex);
        g_cond_init(&out.cond);
        out.mutex_ready = true;
    }
    g_clear_pointer(&out.error, g_free);
    out.address = address;
    /* What needs no waiting is opened here, so that its failure is the command's. */
    if (address->kind != TRANSPORT_TCP && address->kind != TRANSPORT_UNIX) {
        out.channel = transport_connect(address, NULL, error);
        if (!out.channel) {
            g_clear_pointer(&out.address, transport_address_free);
            return false;
        }
    }
    out.cancel = g_cancellable_new();
    out.cancelled = out.go_on = false;
    out.dirty_high = 0;
    out.bytes_per_ms = 0;
    out.dirty_per_second = out.pages_per_second = 0;
    out.statistics = (RamSaveStatistics){0};
    out.start = g_get_monotonic_time();
    out.setup_end = out.stop_time = out.sent_time = out.end = 0;
    out.capabilities = *migration_capabilities();
    out.parameters = *migration_parameters();
    set_status(MIGRATION_STATUS_SETUP);
    out.thread = g_thread_new("migration", send_machine, NULL);
    return true;
}

static void wake_thread(void)
{
    g_mutex_lock(&out.mutex);
    __atomic_store_n(&out.cancelled, true, __ATOMIC_RELEASE);
    g_cancellable_cancel(out.cancel);
    if (out.channel) {
        migration_channel_cancel(out.channel);
    }
    g_cond_broadcast(&out.cond);
    g_mutex_unlock(&out.mutex);
}

void migration_cancel(void)
{
    if (migration_is_active() && !out.cancelled) {
        set_status(MIGRATION_STATUS_CANCELLING);
        wake_thread();
    }
}

bool migration_continue(GError **error)
{
    if (out.status != MIGRATION_STATUS_PRE_SWITCHOVER) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "Migration not in expected state: pre-switchover, but %s",
                    migration_status_name(out.status));
        return false;
    }
    g_mutex_lock(&out.mutex);
    out.go_on = true;
    g_cond_broadcast(&out.cond);
    g_mutex_unlock(&out.mutex);
    return true;
}

void migration_shutdown(void)
{
    if (!migration_is_active()) {
        return;
    }
    __atomic_store_n(&out.quitting, true, __ATOMIC_RELEASE);
    wake_thread();
    io_unlock();
    g_thread_join(g_steal_pointer(&out.thread));
    io_lock();
    free_resources();
}

void migration_when_done(void (*func)(void *opaque), void *opaque)
{
    WhenDone *entry = g_new0(WhenDone, 1);

    entry->func = func;
    entry->opaque = opaque;
    out.when_done = g_slist_prepend(out.when_done, entry);
}

/* -- How it goes ----------------------------------------------------------------- */

static uint64_t ms_between(gint64 from, gint64 to)
{
    return from && to > from ? (uint64_t)(to - from) / 1000 : 0;
}

void migration_query(MigrationInfo *info)
{
    gint64 now = out.thread ? g_get_monotonic_time() : out.end;

    *info = (MigrationInfo){.status = out.status};
    if (out.status == MIGRATION_STATUS_NONE) {
        return;
    }
    g_mutex_lock(&out.mutex);
    info->ram = out.statistics;
    info->dirty_pages_per_second = out.dirty_per_second;
    info->pages_per_second = out.pages_per_second;
    if (out.bytes_per_ms > 0) {
        info->expected_downtime_ms =
            (uint64_t)((double)out.statistics.remaining / out.bytes_per_ms);
    }
    g_mutex_unlock(&out.mutex);
    info->error = g_strdup(out.error);
    info->total_ms = ms_between(out.start, now);
    info->setup_ms = ms_between(out.start, out.setup_end);
    info->downtime_ms = ms_between(out.stop_time, out.sent_time ? out.sent_time : now);
    info->downtime_bytes = out.stop_time ? info->ram.transferred - out.stop_bytes : 0;
    if (now > out.setup_end && out.setup_end) {
        info->megabits =
            (double)info->ram.transferred * 8 / (double)(now - out.setup_end);
    }
    info->throttle_percent = migration_throttle_percent();
    info->xbzrle = out.capabilities.xbzrle;
    info->compress = out.capabilities.compress;
    info->xbzrle_cache_size = out.parameters.xbzrle_cache_size;
}

void migration_info_clear(MigrationInfo *info)
{
    g_clear_pointer(&info->error, g_free);
}
