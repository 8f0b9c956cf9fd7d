/*
 * QMP, the monitor for programs: a table of commands, JSON in and out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_MONITOR_QMP_H
#define MACHINE_MONITOR_QMP_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/* QMP's error classes; an error of another domain is a GenericError. */
#define QMP_ERROR (qmp_error_quark())
GQuark qmp_error_quark(void);
typedef enum QmpErrorClass {
    QMP_GENERIC_ERROR,
    QMP_COMMAND_NOT_FOUND,
    QMP_DEVICE_NOT_ACTIVE,
    QMP_DEVICE_NOT_FOUND,
    QMP_KVM_MISSING_CAP,
} QmpErrorClass;

/*
 * A command: what it takes and what it gives back, in the words of qmp-types.h. `args`
 * are members, "NAME:TYPE,NAME:TYPE?,..."; a "*" before them: others may come along; or the
 * name of an object's type. They
 * are checked before `run`, whose value NULL without an error is the empty object, which is
 * also what `returns` NULL stands for.
 */
typedef struct QmpCommand {
    const char *name;
    const char *args;
    JsonNode *(*run)(JsonObject *args, GError **error);
    const char *returns; /* a type */
} QmpCommand;

/* The tables, each ended by a row without a name. */
extern const QmpCommand qmp_block_commands[];
extern const QmpCommand qmp_migration_commands[], qmp_run_commands[], qmp_query_commands[], qmp_device_commands[],
    qmp_qom_commands[], qmp_screendump_commands[], qmp_explain_commands[],
    qmp_trace_commands[], qmp_object_commands[], qmp_descriptor_commands[],
    qmp_session_commands[],
    qmp_machine_commands[], qmp_chardev_commands[], qmp_input_commands[],
    qmp_chardev_commands[], qmp_input_commands[];

/* Runs a command: its value, or NULL and *error. Machine lock. */
JsonNode *qmp_run(const char *name, JsonObject *args, GError **error);

void qmp_foreach_command(void (*func)(const QmpCommand *command, void *opaque),
                         void *opaque);

/* Arguments "*" as the command line has them, "NAME=VALUE,..."; NULL and *error where one
 * has no such spelling. Free it. */
char *qmp_option_text(JsonObject *args, GError **error);

/* Tells every peer that has negotiated. Takes `data`, which may be NULL. Machine lock. */
void qmp_event(const char *name, JsonNode *data);

/* From now on peers hear of migrations. */
void qmp_migration_init(void);

/* Tells that a device is gone; its id may be NULL. */
void qmp_device_deleted(const char *id, const char *path);

/* An object of members "NAME:KIND" with their values: s const char *, i gint64, b int,
 * n JsonNode * (taken). */
JsonNode *qmp_object(const char *members, ...);
JsonNode *qmp_array(JsonArray *array); /* takes it */
JsonNode *qmp_string(const char *text);

#endif
