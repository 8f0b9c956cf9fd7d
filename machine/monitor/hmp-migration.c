/*
 * HMP: moving the machine, and snapshots.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <inttypes.h>

#include "hw/core/property.h"
#include "machine/migration/migration.h"
#include "machine/monitor/hmp.h"

/* -- Commands -------------------------------------------------------------------- */

static void waited(void *opaque)
{
    Hmp *hmp = opaque;
    MigrationInfo info;

    migration_query(&info);
    if (info.error && info.status == MIGRATION_STATUS_FAILED) {
        hmp_printf(hmp, "Error: %s\n", info.error);
    }
    migration_info_clear(&info);
    hmp->suspended = false;
    hmp->resume(hmp);
}

static void run_migrate(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (hmp_arg_given(args, "b") || hmp_arg_given(args, "i") ||
        hmp_arg_given(args, "r")) {
        hmp_printf(hmp,
                   "Error: Umbra does not migrate disks, and has no paused migration "
                   "to resume; leave -b, -i and -r out\n");
        return;
    }
    if (!migration_start(hmp_arg_text(args, "uri"), &error)) {
        hmp_report(hmp, error);
    } else if (!hmp_arg_given(args, "d") && hmp->resume) {
        hmp->suspended = true;
        migration_when_done(waited, hmp);
    } else if (!hmp_arg_given(args, "d")) {
        hmp_printf(hmp, "terminal does not allow synchronous migration, continuing "
                        "detached\n");
    }
}

static void run_migrate_cancel(Hmp *hmp, const HmpArgs *args)
{
    migration_cancel();
}

static void run_migrate_continue(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!migration_continue(&error)) {
        hmp_report(hmp, error);
    }
}

static void run_migrate_incoming(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!migration_incoming_continue(hmp_arg_text(args, "uri"), &error)) {
        hmp_report(hmp, error);
    }
}

static void run_migrate_pause(Hmp *hmp, const HmpArgs *args)
{
    hmp_printf(hmp, "Error: migrate-pause is currently only supported during "
                    "postcopy-active state\n");
}

static void run_set_capability(Hmp *hmp, const HmpArgs *args)
{
    const char *state = hmp_arg_text(args, "state");
    GError *error = NULL;
    bool value;

    if (!parse_bool(state, &value)) {
        hmp_printf(hmp, "Error: Parameter 'state' expects 'on' or 'off'\n");
    } else if (migration_is_active()) {
        hmp_printf(hmp, "Error: There's a migration process in progress\n");
    } else if (!migration_capability_set(hmp_arg_text(args, "capability"), value,
                                         &error)) {
        hmp_report(hmp, error);
    }
}

static bool parse_value(const MigrationParameter *row, const char *text, uint64_t *value)
{
    bool on;

    if (row->kind == PARAMETER_BOOL && parse_bool(text, &on)) {
        *value = on;
        return true;
    }
    return row->kind == PARAMETER_NUMBER &&
           parse_size(text, row->megabytes ? MiB(1) : 1, value);
}

static void run_set_parameter(Hmp *hmp, const HmpArgs *args)
{
    const char *name = hmp_arg_text(args, "parameter");
    const char *text = hmp_arg_text(args, "value");
    const MigrationParameter *row = migration_parameter_find(name);
    GError *error = NULL;
    uint64_t value;

    if (!row) {
        hmp_printf(hmp, "Error: invalid parameter value '%s'\n", name);
    } else if (!parse_value(row, text, &value)) {
        hmp_printf(hmp, "Error: Parameter '%s' cannot be '%s'\n", name, text);
    } else if (!migration_parameter_set(name, value, &error)) {
        hmp_report(hmp, error);
    }
}

static void run_savevm(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!migration_snapshot_save(hmp_arg_text(args, "file"), &error)) {
        hmp_report(hmp, error);
    }
}

static void run_loadvm(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!migration_snapshot_load(hmp_arg_text(args, "file"), &error)) {
        hmp_report(hmp, error);
    }
}

/* -- What `info` shows ----------------------------------------------------------- */

static void show_globals(Hmp *hmp)
{
    const StreamFormat *format = migration_format();

    hmp_printf(hmp,
               "globals:\nstore-global-state: %s\nonly-migratable: off\n"
               "send-configuration: %s\nsend-section-footer: %s\n"
               "decompress-error-check: on\nclear-bitmap-shift: 18\n",
               migration_stores_global_state() ? "on" : "off",
               format->configuration ? "on" : "off", format->footers ? "on" : "off");
}

static void show_ram(Hmp *hmp, const MigrationInfo *info, bool active)
{
    const RamSaveStatistics *ram = &info->ram;

    hmp_printf(hmp, "transferred ram: %" PRIu64 " kbytes\n", ram->transferred >> 10);
    hmp_printf(hmp, "throughput: %0.2f mbps\n", info->megabits);
    hmp_printf(hmp, "remaining ram: %" PRIu64 " kbytes\n",
               active ? ram->remaining >> 10 : 0);
    hmp_printf(hmp, "total ram: %" PRIu64 " kbytes\n", ram->total >> 10);
    hmp_printf(hmp, "duplicate: %" PRIu64 " pages\n", ram->zero_pages);
    hmp_printf(hmp, "skipped: 0 pages\n");
    hmp_printf(hmp, "normal: %" PRIu64 " pages\n", ram->plain_pages);
    hmp_printf(hmp, "normal bytes: %" PRIu64 " kbytes\n",
               ram->plain_pages * MEMORY_PAGE_SIZE >> 10);
    hmp_printf(hmp, "dirty sync count: %" PRIu64 "\n", ram->passes);
    hmp_printf(hmp, "page size: %u kbytes\n", (unsigned)MEMORY_PAGE_SIZE >> 10);
    hmp_printf(hmp, "multifd bytes: 0 kbytes\n");
    hmp_printf(hmp, "pages-per-second: %" PRIu64 "\n", info->pages_per_second);
    if (active && info->dirty_pages_per_second) {
        hmp_printf(hmp, "dirty pages rate: %" PRIu64 " pages\n",
                   info->dirty_pages_per_second);
    }
    if (info->downtime_bytes) {
        hmp_printf(hmp, "downtime ram: %" PRIu64 " kbytes\n", info->downtime_bytes >> 10);
    }
    if (info->xbzrle) {
        hmp_printf(hmp,
                   "cache size: %" PRIu64 " bytes\nxbzrle transferred: %" PRIu64
                   " kbytes\nxbzrle pages: %" PRIu64 " pages\nxbzrle cache miss: %" PRIu64
                   " pages\nxbzrle overflow: %" PRIu64 "\n",
                   info->xbzrle_cache_size, ram->xbzrle_bytes >> 10, ram->xbzrle_pages,
                   ram->xbzrle_misses, ram->xbzrle_overflows);
    }
    if (info->compress) {
        hmp_printf(hmp,
                   "compression pages: %" PRIu64 " pages\ncompressed size: %" PRIu64
                   " kbytes\n",
                   ram->compressed_pages, ram->compressed_bytes >> 10);
    }
}

static void info_migrate(Hmp *hmp, const HmpArgs *args)
{
    g_autoptr(GSocketAddress) address = NULL;
    MigrationStatus incoming = migration_incoming_query(&address);
    MigrationInfo info;
    bool completed, active;

    migration_query(&info);
    completed = info.status == MIGRATION_STATUS_COMPLETED;
    active = migration_is_active() && info.status != MIGRATION_STATUS_SETUP;
    show_globals(hmp);
    if (info.status != MIGRATION_STATUS_NONE || incoming != MIGRATION_STATUS_NONE) {
        bool failed = info.error && info.status == MIGRATION_STATUS_FAILED;

        hmp_printf(hmp, "Migration status: %s%s%s%s\n",
                   migration_status_name(info.status ? info.status : incoming),
                   failed ? " (" : "", failed ? info.error : "", failed ? ")" : "");
    }
    if (completed || active) {
        hmp_printf(hmp, "total time: %" PRIu64 " ms\n", info.total_ms);
        hmp_printf(hmp, "%s: %" PRIu64 " ms\n",
                   completed ? "downtime" : "expected downtime",
                   completed ? info.downtime_ms : info.expected_downtime_ms);
        hmp_printf(hmp, "setup: %" PRIu64 " ms\n", info.setup_ms);
        show_ram(hmp, &info, active);
        if (active && info.throttle_percent) {
            hmp_printf(hmp, "cpu throttle percentage: %u\n", info.throttle_percent);
        }
    }
    migration_info_clear(&info);
}

static void info_capabilities(Hmp *hmp, const HmpArgs *args)
{
    for (const MigrationParameter *row = migration_capability_table(); row->name; row++) {
        hmp_printf(hmp, "%s: %s\n", row->name,
                   migration_parameter_number(row) ? "on" : "off");
    }
}

static void info_parameters(Hmp *hmp, const HmpArgs *args)
{
    for (const MigrationParameter *row = migration_parameter_table(); row->name; row++) {
        uint64_t number = migration_parameter_number(row);
        bool quoted = row->kind == PARAMETER_TEXT && g_str_has_prefix(row->name, "tls-");

        if (row->kind == PARAMETER_TEXT) {
            hmp_printf(hmp, quoted ? "%s: '%s'\n" : "%s: %s\n", row->name, row->text);
        } else if (row->kind == PARAMETER_BOOL) {
            hmp_printf(hmp, "%s: %s\n", row->name, number ? "on" : "off");
        } else {
            hmp_printf(hmp, "%s: %" PRIu64 "%s\n", row->name, number,
                       row->unit ? row->unit : "");
        }
    }
}

const HmpCommand hmp_migration_commands[] = {
    {"migrate", "d:-d,b:-b,i:-i,r:-r,uri:s", "[-d] [-b] [-i] [-r] uri",
     "migrate to URI (using -d to not wait for completion)", run_migrate},
    {"migrate_cancel", "", "", "cancel the current VM migration", run_migrate_cancel},
    {"migrate_continue", "state:s", "state",
     "Continue migration from the given paused state", run_migrate_continue},
    {"migrate_incoming", "uri:s", "uri",
     "Continue an incoming migration from an -incoming defer", run_migrate_incoming},
    {"migrate_pause", "", "", "Pause an ongoing migration (postcopy-only)",
     run_migrate_pause},
    {"migrate_set_capability", "capability:s,state:s", "capability state",
     "Enable/Disable the usage of a capability for migration", run_set_capability},
    {"migrate_set_parameter", "parameter:s,value:s", "parameter value",
     "Set the parameter for migration", run_set_parameter},
    {"savevm", "file:s", "file", "save the machine to a file, whole or not at all",
     run_savevm},
    {"loadvm", "file:s", "file", "become the machine that savevm wrote", run_loadvm},
    {"info migrate", "", "", "show migration status", info_migrate},
    {"info migrate_capabilities", "", "", "show current migration capabilities",
     info_capabilities},
    {"info migrate_parameters", "", "", "show current migration parameters",
     info_parameters},
    {NULL},
};
