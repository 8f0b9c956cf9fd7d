/*
 * Migration: the machine moves out to another process, or in from one.
 *
 * Out: migration_start() makes a thread that sends the guest's memory while the guest
 * runs, again and again what it has written meanwhile, until the rest fits into the
 * downtime that the user allows. The main loop then stops the guest, the rest and the
 * devices follow, and the machine is "postmigrate". Whatever fails or is cancelled before
 * that leaves the machine as it was, running if it ran.
 *
 * In: the machine is "inmigrate" until a stream has come; what is wrong with the stream
 * ends the process with one message, because the machine is then neither the old nor the
 * new one.
 *
 * Machine lock for all of these, in the main thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MIGRATION_MIGRATION_H
#define MACHINE_MIGRATION_MIGRATION_H

#include "machine/migration/parameters.h"
#include "machine/migration/stream.h"
#include "machine/run-state.h"

/* QMP's MigrationStatus, by its names on the wire. */
typedef enum MigrationStatus {
    MIGRATION_STATUS_NONE,
    MIGRATION_STATUS_SETUP,
    MIGRATION_STATUS_CANCELLING,
    MIGRATION_STATUS_CANCELLED,
    MIGRATION_STATUS_ACTIVE,
    MIGRATION_STATUS_COMPLETED,
    MIGRATION_STATUS_FAILED,
    MIGRATION_STATUS_PRE_SWITCHOVER,
    MIGRATION_STATUS_DEVICE,
    MIGRATION_STATUSES
} MigrationStatus;

const char *migration_status_name(MigrationStatus status);

/* What is the same for moves in both directions: `-global migration.PROPERTY=...`, and
 * what old machine types set so. Once, after the machine's type is known. */
bool migration_init(Machine *machine, GError **error);
const StreamFormat *migration_format(void);
bool migration_stores_global_state(void);

/* All of a stream is in the machine: the type's last word on it. */
bool migration_arrived(GError **error);

/* The run state that is, or came, with the stream; see global-state.c. */
void migration_global_state_init(void);
void migration_global_state_store(RunState state);
/* Takes what the last stream brought. False, and *state stays: nothing. */
bool migration_global_state_take(RunState *state);

/* -- Out ------------------------------------------------------------------------- */

/* Returns at once; how it goes on, migration_query() says. False and *error where it
 * cannot begin. */
bool migration_start(const char *uri, GError **error);
void migration_cancel(void);
/* After "pre-switchover". */
bool migration_continue(GError **error);
/* At exit: cancels and waits. */
void migration_shutdown(void);

/* Whether a machine is on its way out; its devices and memory blocks must then stay. */
bool migration_is_active(void);

/* Whether a device's state forbids to move; *error names the first. */
bool migration_is_possible(GError **error);

/* Calls func once the migration that is under way has ended. */
void migration_when_done(void (*func)(void *opaque), void *opaque);

typedef struct MigrationInfo {
    MigrationStatus status;
    char *error; /* why it failed; or NULL */
    RamSaveStatistics ram;
    uint64_t total_ms, setup_ms, downtime_ms, expected_downtime_ms;
    uint64_t downtime_bytes;   /* sent while the guest stood */
    double megabits;           /* per second */
    uint64_t pages_per_second; /* sent */
    uint64_t dirty_pages_per_second;
    unsigned throttle_percent;
    bool xbzrle, compress;
    uint64_t xbzrle_cache_size;
} MigrationInfo;

void migration_query(MigrationInfo *info);
void migration_info_clear(MigrationInfo *info);

/* -- In -------------------------------------------------------------------------- */

/* -incoming: from `uri`, or, if that is "defer", from where migrate-incoming will say.
 * The machine is stopped and reset. When the stream has come the machine runs, unless it
 * was stopped at the source or run_state_set_autostart() says no. */
bool migration_incoming_begin(const char *uri, GError **error);
/* migrate-incoming, once after "defer". */
bool migration_incoming_continue(const char *uri, GError **error);

/* Whether a stream is being read. */
bool migration_is_arriving(void);

/* At exit. */
void migration_incoming_shutdown(void);

/* Status, and for a socket the address that it listens on (owned by the caller)
 * or NULL. */
MigrationStatus migration_incoming_query(GSocketAddress **address);

/* -- Events ---------------------------------------------------------------------- */

/* Who wants to hear of it: monitors. `pass`: another pass over memory begins, the status
 * being MIGRATION_STATUS_ACTIVE; else 0. */
typedef void (*MigrationEventHandler)(MigrationStatus status, uint64_t pass);
void migration_set_event_handler(MigrationEventHandler handler);
/* Inside. */
void migration_tell(MigrationStatus status, uint64_t pass);

/* -- Snapshots ------------------------------------------------------------------- */

/* Writes the machine to one file, whole or not at all; a machine that runs stands
 * meanwhile and goes on. */
bool migration_snapshot_save(const char *path, GError **error);
/* The machine becomes that of the file, and runs if that one ran. False and *error: it is
 * as before where the file is no snapshot of this machine type, else it is stopped and
 * must be reset. */
bool migration_snapshot_load(const char *path, GError **error);

#endif
