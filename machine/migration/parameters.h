/*
 * What a user can set about migrations: QEMU's capabilities (switches) and parameters
 * (values), by QEMU's names. All of QEMU's are known; those that Umbra does not have stay
 * as they are by default.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_PARAMETERS_H
#define MACHINE_MIGRATION_PARAMETERS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct MigrationParameters {
    uint64_t max_bandwidth;     /* bytes a second; 0: no limit */
    uint64_t downtime_limit;    /* ms */
    uint64_t compress_level;    /* zlib's */
    uint64_t xbzrle_cache_size; /* bytes */
    uint64_t throttle_trigger, throttle_initial, throttle_increment, throttle_max; /* % */
    bool throttle_tailslow;
} MigrationParameters;

typedef struct MigrationCapabilities {
    bool xbzrle, auto_converge, compress, events, return_path, pause_before_switchover,
        validate_uuid;
} MigrationCapabilities;

typedef enum ParameterKind {
    PARAMETER_NUMBER,
    PARAMETER_BOOL,
    PARAMETER_TEXT
} ParameterKind;

/* A row of either table; `value` points to a uint64_t or bool, or is NULL: a constant. */
typedef struct MigrationParameter {
    const char *name;
    ParameterKind kind;
    void *value;
    uint64_t constant; /* what one without a value is */
    const char *text;  /* of PARAMETER_TEXT */
    uint64_t min, max;
    const char *unit; /* behind the number in HMP, " ms" */
    bool megabytes;   /* HMP takes a bare number as MiB */
} MigrationParameter;

/* In the order in which QEMU's `info` shows them; ended by a NULL name. */
const MigrationParameter *migration_parameter_table(void);
const MigrationParameter *migration_capability_table(void);

const MigrationParameters *migration_parameters(void);
const MigrationCapabilities *migration_capabilities(void);

const MigrationParameter *migration_parameter_find(const char *name);
uint64_t migration_parameter_number(const MigrationParameter *parameter);

/* False and *error, in QEMU's words, where the name or value is none. */
bool migration_parameter_set(const char *name, uint64_t value, GError **error);
bool migration_capability_set(const char *name, bool value, GError **error);

/* All at once, as they were. */
void migration_parameters_restore(const MigrationParameters *before);
void migration_capabilities_restore(const MigrationCapabilities *before);

#endif
