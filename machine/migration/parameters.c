/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/migration/parameters.h"

#include <gio/gio.h>
#include <inttypes.h>
#include <string.h>

#include "hw/core/property.h"
#include "memory/region.h"

static MigrationParameters parameters = {
    .max_bandwidth = MiB(128),
    .downtime_limit = 300,
    .compress_level = 1,
    .xbzrle_cache_size = MiB(64),
    .throttle_trigger = 50,
    .throttle_initial = 20,
    .throttle_increment = 10,
    .throttle_max = 99,
};

static MigrationCapabilities capabilities;

#define NUMBER(name_, field, min_, max_, ...)                                            \
    {                                                                                    \
        .name = name_, .value = &parameters.field, .min = min_, .max = max_, __VA_ARGS__ \
    }
#define FIXED(name_, number, ...)                                                        \
    {                                                                                    \
        .name = name_, .constant = number, __VA_ARGS__                                   \
    }

/* Without a value: what would say how to do what Umbra does not do (multifd, postcopy,
 * TLS, announcing network cards), or does in its own way (threads). */
static const MigrationParameter parameter_table[] = {
    FIXED("announce-initial", 50, .unit = " ms"),
    FIXED("announce-max", 550, .unit = " ms"),
    FIXED("announce-rounds", 5),
    FIXED("announce-step", 100, .unit = " ms"),
    NUMBER("compress-level", compress_level, 0, 9),
    FIXED("compress-threads", 8),
    FIXED("compress-wait-thread", true, .kind = PARAMETER_BOOL),
    FIXED("decompress-threads", 2),
    NUMBER("throttle-trigger-threshold", throttle_trigger, 1, 100),
    NUMBER("cpu-throttle-initial", throttle_initial, 1, 99),
    NUMBER("cpu-throttle-increment", throttle_increment, 1, 99),
    NUMBER("cpu-throttle-tailslow", throttle_tailslow, 0, 1, .kind = PARAMETER_BOOL),
    NUMBER("max-cpu-throttle", throttle_max, 1, 99),
    FIXED("tls-creds", 0, .kind = PARAMETER_TEXT, .text = ""),
    FIXED("tls-hostname", 0, .kind = PARAMETER_TEXT, .text = ""),
    NUMBER("max-bandwidth", max_bandwidth, 0, INT64_MAX, .unit = " bytes/second",
           .megabytes = true),
    NUMBER("downtime-limit", downtime_limit, 0, 2000000, .unit = " ms"),
    FIXED("x-checkpoint-delay", 20000, .unit = " ms"),
    FIXED("block-incremental", false, .kind = PARAMETER_BOOL),
    FIXED("multifd-channels", 2),
    FIXED("multifd-compression", 0, .kind = PARAMETER_TEXT, .text = "none"),
    FIXED("multifd-zlib-level", 1),
    FIXED("multifd-zstd-level", 1),
    NUMBER("xbzrle-cache-size", xbzrle_cache_size, MEMORY_PAGE_SIZE, GiB(1024),
           .unit = " bytes"),
    FIXED("max-postcopy-bandwidth", 0),
    FIXED("tls-authz", 0, .kind = PARAMETER_TEXT, .text = ""),
    {NULL},
};

#define HAVE(name_, field)                                                               \
    {                                                                                    \
        .name = name_, .kind = PARAMETER_BOOL, .value = &capabilities.field              \
    }
#define LACK(name_)                                                                      \
    {                                                                                    \
        .name = name_, .kind = PARAMETER_BOOL                                            \
    }

static const MigrationParameter capability_table[] = {
    HAVE("xbzrle", xbzrle),
    LACK("rdma-pin-all"),
    HAVE("auto-converge", auto_converge),
    LACK("zero-blocks"),
    HAVE("compress", compress),
    HAVE("events", events),
    LACK("postcopy-ram"),
    LACK("x-colo"),
    LACK("release-ram"),
    LACK("block"),
    HAVE("return-path", return_path),
    HAVE("pause-before-switchover", pause_before_switchover),
    LACK("multifd"),
    LACK("dirty-bitmaps"),
    LACK("postcopy-blocktime"),
    LACK("late-block-activate"),
    LACK("x-ignore-shared"),
    HAVE("validate-uuid", validate_uuid),
    LACK("background-snapshot"),
    LACK("zero-copy-send"),
    LACK("postcopy-preempt"),
    {NULL},
};

const MigrationParameter *migration_parameter_table(void)
{
    return parameter_table;
}

const MigrationParameter *migration_capability_table(void)
{
    return capability_table;
}

const MigrationParameters *migration_parameters(void)
{
    return &parameters;
}

const MigrationCapabilities *migration_capabilities(void)
{
    return &capabilities;
}

static const MigrationParameter *find(const MigrationParameter *table, const char *name)
{
    while (table->name && strcmp(table->name, name) != 0) {
        table++;
    }
    return table->name ? table : NULL;
}

const MigrationParameter *migration_parameter_find(const char *name)
{
    return find(parameter_table, name);
}

uint64_t migration_parameter_number(const MigrationParameter *parameter)
{
    if (!parameter->value) {
        return parameter->constant;
    }
    return parameter->kind == PARAMETER_BOOL ? *(bool *)parameter->value
                                             : *(uint64_t *)parameter->value;
}

static bool unknown(GError **error, const char *name)
{
    return refuse_argument(error, "Invalid parameter '%s'", name);
}

bool migration_parameter_set(const char *name, uint64_t value, GError **error)
{
    const MigrationParameter *parameter = find(parameter_table, name);

    if (!parameter) {
        return unknown(error, name);
    }
    if (!parameter->value) {
        return value == parameter->constant ||
               refuse_argument(
                   error, "Parameter '%s' cannot be changed: Umbra has no use for it",
                   name);
    }
    if (value < parameter->min || value > parameter->max) {
        return refuse_argument(
            error, "Parameter '%s' expects a value between %" PRIu64 " and %" PRIu64,
            name, parameter->min, parameter->max);
    }
    if (parameter->value == &parameters.xbzrle_cache_size && value & (value - 1)) {
        return refuse_argument(
            error, "Parameter 'xbzrle-cache-size' expects a power of two no less "
                   "than the target page size");
    }
    if (parameter->value == &parameters.throttle_max &&
        value < parameters.throttle_initial) {
        return refuse_argument(
            error, "Parameter 'max-cpu-throttle' expects a value from that of "
                   "cpu-throttle-initial to 99");
    }
    if (parameter->kind == PARAMETER_BOOL) {
        *(bool *)parameter->value = value;
    } else {
        *(uint64_t *)parameter->value = value;
    }
    return true;
}

bool migration_capability_set(const char *name, bool value, GError **error)
{
    const MigrationParameter *capability = find(capability_table, name);

    if (!capability) {
        return unknown(error, name);
    }
    if (!capability->value && value) {
        return refuse_argument(error, "Umbra does not have the migration capability '%s'",
                               name);
    }
    if (capability->value) {
        *(bool *)capability->value = value;
    }
    return true;
}

void migration_parameters_restore(const MigrationParameters *before)
{
    parameters = *before;
}

void migration_capabilities_restore(const MigrationCapabilities *before)
{
    capabilities = *before;
}
