/*
 * QMP: moving the machine. Names, members and events are QEMU 7.2's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>

#include "machine/migration/migration.h"
#include "machine/monitor/qmp.h"

/* -- Commands -------------------------------------------------------------------- */

static JsonNode *run_migrate(JsonObject *args, GError **error)
{
    static const char *const lacking[] = {"blk", "inc", "resume"};

    for (size_t i = 0; i < G_N_ELEMENTS(lacking); i++) {
        if (json_object_get_boolean_member_with_default(args, lacking[i], false)) {
            g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                        "Umbra does not migrate disks, and has no paused migration to "
                        "resume: leave '%s' out",
                        lacking[i]);
            return NULL;
        }
    }
    migration_start(json_object_get_string_member(args, "uri"), error);
    return NULL;
}

static JsonNode *run_migrate_cancel(JsonObject *args, GError **error)
{
    migration_cancel();
    return NULL;
}

static JsonNode *run_migrate_continue(JsonObject *args, GError **error)
{
    const char *state = json_object_get_string_member(args, "state");

    if (strcmp(state, "pre-switchover") != 0) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "Migration not in expected state: %s", state);
        return NULL;
    }
    migration_continue(error);
    return NULL;
}

static JsonNode *run_migrate_incoming(JsonObject *args, GError **error)
{
    migration_incoming_continue(json_object_get_string_member(args, "uri"), error);
    return NULL;
}

/* QEMU's is for postcopy, too, and says so. */
static JsonNode *run_migrate_pause(JsonObject *args, GError **error)
{
    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                "migrate-pause is currently only supported during postcopy-active state");
    return NULL;
}

static JsonNode *run_snapshot_save(JsonObject *args, GError **error)
{
    migration_snapshot_save(json_object_get_string_member(args, "filename"), error);
    return NULL;
}

static JsonNode *run_snapshot_load(JsonObject *args, GError **error)
{
    migration_snapshot_load(json_object_get_string_member(args, "filename"), error);
    return NULL;
}

/* -- Capabilities and parameters ------------------------------------------------- */

/* "capabilities": [{"capability": NAME, "state": BOOL}, ...]; all of them or none. */
static JsonNode *run_set_capabilities(JsonObject *args, GError **error)
{
    JsonArray *list = json_object_get_array_member(args, "capabilities");
    MigrationCapabilities before = *migration_capabilities();

    if (migration_is_active()) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "There's a migration process in progress");
        return NULL;
    }
    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonNode *node = json_array_get_element(list, i);
        JsonObject *row =
            JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        JsonNode *name = row ? json_object_get_member(row, "capability") : NULL;
        JsonNode *state = row ? json_object_get_member(row, "state") : NULL;

        if (!name || !state || !JSON_NODE_HOLDS_VALUE(name) ||
            json_node_get_value_type(name) != G_TYPE_STRING ||
            !JSON_NODE_HOLDS_VALUE(state) ||
            json_node_get_value_type(state) != G_TYPE_BOOLEAN) {
            g_set_error(
                error, QMP_ERROR, QMP_GENERIC_ERROR,
                "Invalid parameter type for 'capabilities', expected: an array of "
                "{capability: string, state: boolean}");
        } else {
            migration_capability_set(json_node_get_string(name),
                                     json_node_get_boolean(state), error);
        }
        if (error && *error) {
            migration_capabilities_restore(&before);
            return NULL;
        }
    }
    return NULL;
}

static JsonNode *query_capabilities(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    for (const MigrationParameter *row = migration_capability_table(); row->name; row++) {
        json_array_add_element(list, qmp_object("state:b,capability:s",
                                                (int)migration_parameter_number(row),
                                                row->name));
    }
    return qmp_array(list);
}

static bool set_parameter(const MigrationParameter *row, JsonNode *value, GError **error)
{
    GType type = JSON_NODE_HOLDS_VALUE(value) ? json_node_get_value_type(value) : 0;
    GType wanted = row->kind == PARAMETER_TEXT   ? G_TYPE_STRING
                   : row->kind == PARAMETER_BOOL ? G_TYPE_BOOLEAN
                                                 : G_TYPE_INT64;

    if (type != wanted) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "Invalid parameter type for '%s', expected: %s", row->name,
                    row->kind == PARAMETER_TEXT   ? "string"
                    : row->kind == PARAMETER_BOOL ? "boolean"
                                                  : "integer");
        return false;
    }
    if (row->kind == PARAMETER_TEXT) {
        return migration_parameter_set(
            row->name, strcmp(json_node_get_string(value), row->text) != 0, error);
    }
    return migration_parameter_set(row->name,
                                   row->kind == PARAMETER_BOOL
                                       ? (uint64_t)json_node_get_boolean(value)
                                       : (uint64_t)json_node_get_int(value),
                                   error);
}

static JsonNode *run_set_parameters(JsonObject *args, GError **error)
{
    MigrationParameters before = *migration_parameters();
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    json_object_iter_init_ordered(&iter, args);
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        const MigrationParameter *row = migration_parameter_find(name);

        if (!row) {
            g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                        "Parameter '%s' is unexpected", name);
        }
        if (!row || !set_parameter(row, value, error)) {
            migration_parameters_restore(&before);
            return NULL;
        }
    }
    return NULL;
}

static JsonNode *query_parameters(JsonObject *args, GError **error)
{
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    for (const MigrationParameter *row = migration_parameter_table(); row->name; row++) {
        uint64_t number = migration_parameter_number(row);

        if (row->kind == PARAMETER_TEXT) {
            json_object_set_string_member(object, row->name, row->text);
        } else if (row->kind == PARAMETER_BOOL) {
            json_object_set_boolean_member(object, row->name, (gboolean)number);
        } else {
            json_object_set_int_member(object, row->name, (gint64)number);
        }
    }
    json_node_take_object(node, object);
    return node;
}

/* -- query-migrate --------------------------------------------------------------- */

static JsonNode *ram_object(const MigrationInfo *info, bool active)
{
    const RamSaveStatistics *ram = &info->ram;
    JsonNode *node = qmp_object(
        "total:i,remaining:i,transferred:i,duplicate:i,skipped:i,normal:i,normal-bytes:i,"
        "dirty-pages-rate:i,dirty-sync-count:i,dirty-sync-missed-zero-copy:i,"
        "postcopy-requests:i,page-size:i,multifd-bytes:i,pages-per-second:i,"
        "precopy-bytes:i,downtime-bytes:i,postcopy-bytes:i",
        (gint64)ram->total, active ? (gint64)ram->remaining : (gint64)0,
        (gint64)ram->transferred, (gint64)ram->zero_pages, (gint64)0,
        (gint64)ram->plain_pages, (gint64)(ram->plain_pages * MEMORY_PAGE_SIZE),
        active ? (gint64)info->dirty_pages_per_second : (gint64)0, (gint64)ram->passes,
        (gint64)0, (gint64)0, (gint64)MEMORY_PAGE_SIZE, (gint64)0,
        (gint64)info->pages_per_second, (gint64)(ram->transferred - info->downtime_bytes),
        (gint64)info->downtime_bytes, (gint64)0);

    json_object_set_double_member(json_node_get_object(node), "mbps", info->megabits);
    return node;
}

static void add_codecs(JsonObject *object, const MigrationInfo *info)
{
    const RamSaveStatistics *ram = &info->ram;

    if (info->xbzrle) {
        JsonNode *node =
            qmp_object("cache-size:i,bytes:i,pages:i,cache-miss:i,overflow:i",
                       (gint64)info->xbzrle_cache_size, (gint64)ram->xbzrle_bytes,
                       (gint64)ram->xbzrle_pages, (gint64)ram->xbzrle_misses,
                       (gint64)ram->xbzrle_overflows);
        double asked = (double)(ram->xbzrle_pages + ram->xbzrle_misses);

        json_object_set_double_member(json_node_get_object(node), "cache-miss-rate",
                                      asked > 0 ? (double)ram->xbzrle_misses / asked : 0);
        json_object_set_double_member(
            json_node_get_object(node), "encoding-rate",
            ram->xbzrle_bytes ? (double)(ram->xbzrle_pages * MEMORY_PAGE_SIZE) /
                                    (double)ram->xbzrle_bytes
                              : 0);
        json_object_set_member(object, "xbzrle-cache", node);
    }
    if (info->compress) {
        JsonNode *node =
            qmp_object("pages:i,busy:i,compressed-size:i", (gint64)ram->compressed_pages,
                       (gint64)0, (gint64)ram->compressed_bytes);

        json_object_set_double_member(json_node_get_object(node), "busy-rate", 0);
        json_object_set_double_member(
            json_node_get_object(node), "compression-rate",
            ram->compressed_bytes ? (double)(ram->compressed_pages * MEMORY_PAGE_SIZE) /
                                        (double)ram->compressed_bytes
                                  : 0);
        json_object_set_member(object, "compression", node);
    }
}

static void add_outgoing(JsonObject *object)
{
    MigrationInfo info;
    bool completed, active;

    migration_query(&info);
    completed = info.status == MIGRATION_STATUS_COMPLETED;
    active = migration_is_active() && info.status != MIGRATION_STATUS_SETUP;
    if (info.status != MIGRATION_STATUS_NONE) {
        json_object_set_string_member(object, "status",
                                      migration_status_name(info.status));
    }
    if (info.error && info.status == MIGRATION_STATUS_FAILED) {
        json_object_set_string_member(object, "error-desc", info.error);
    }
    if (completed || active) {
        json_object_set_int_member(object, "total-time", (gint64)info.total_ms);
        json_object_set_int_member(object, "setup-time", (gint64)info.setup_ms);
        json_object_set_int_member(
            object, completed ? "downtime" : "expected-downtime",
            (gint64)(completed ? info.downtime_ms : info.expected_downtime_ms));
        json_object_set_member(object, "ram", ram_object(&info, active));
        add_codecs(object, &info);
    }
    if (active && info.throttle_percent) {
        json_object_set_int_member(object, "cpu-throttle-percentage",
                                   info.throttle_percent);
    }
    migration_info_clear(&info);
}

static JsonNode *address_object(GSocketAddress *address)
{
    if (G_IS_UNIX_SOCKET_ADDRESS(address)) {
        return qmp_object("type:s,path:s", "unix",
                          g_unix_socket_address_get_path(G_UNIX_SOCKET_ADDRESS(address)));
    } else {
        GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS(address);
        g_autofree char *host =
            g_inet_address_to_string(g_inet_socket_address_get_address(inet));
        g_autofree char *port =
            g_strdup_printf("%u", g_inet_socket_address_get_port(inet));

        return qmp_object("type:s,host:s,port:s", "inet", host, port);
    }
}

static JsonNode *query_migrate(JsonObject *args, GError **error)
{
    g_autoptr(GSocketAddress) address = NULL;
    MigrationStatus incoming = migration_incoming_query(&address);
    JsonNode *node = qmp_object("");
    JsonObject *object = json_node_get_object(node);

    if (incoming != MIGRATION_STATUS_NONE) {
        json_object_set_string_member(object, "status", migration_status_name(incoming));
    }
    if (address) {
        JsonArray *list = json_array_new();

        json_array_add_element(list, address_object(address));
        json_object_set_member(object, "socket-address", qmp_array(list));
    }
    add_outgoing(object);
    return node;
}

/* -- Events ---------------------------------------------------------------------- */

static void migration_event(MigrationStatus status, uint64_t pass)
{
    if (!migration_capabilities()->events) {
        return;
    }
    if (pass) {
        qmp_event("MIGRATION_PASS", qmp_object("pass:i", (gint64)pass));
    } else {
        qmp_event("MIGRATION", qmp_object("status:s", migration_status_name(status)));
    }
}

void qmp_migration_init(void)
{
    migration_set_event_handler(migration_event);
}

const QmpCommand qmp_migration_commands[] = {
    {"migrate", "uri:str,blk:bool?,inc:bool?,detach:bool?,resume:bool?", run_migrate},
    {"migrate_cancel", "", run_migrate_cancel},
    {"migrate-continue", "state:MigrationStatus", run_migrate_continue},
    {"migrate-incoming", "uri:str", run_migrate_incoming},
    {"migrate-pause", "", run_migrate_pause},
    {"migrate-set-capabilities", "capabilities:[MigrationCapabilityStatus]",
     run_set_capabilities},
    {"query-migrate-capabilities", "", query_capabilities, "[MigrationCapabilityStatus]"},
    {"migrate-set-parameters", "MigrateSetParameters", run_set_parameters},
    {"query-migrate-parameters", "", query_parameters, "MigrationParameters"},
    {"query-migrate", "", query_migrate, "MigrationInfo"},
    {"umbra-snapshot-save", "filename:str", run_snapshot_save},
    {"umbra-snapshot-load", "filename:str", run_snapshot_load},
    {NULL},
};
