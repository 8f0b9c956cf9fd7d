/*
 * QMP: running, stopping and resetting the machine; keys; memory to files.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

#include "hw/input/keys.h"
#include "machine/machine.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/machine-control.h"
#include "machine/monitor/qmp.h"
#include "machine/monitor/save-memory.h"
#include "machine/run-state.h"

static JsonNode *run_stop(JsonObject *args, GError **error)
{
    run_state_stop();
    return NULL;
}

static JsonNode *run_cont(JsonObject *args, GError **error)
{
    machine_control_cont(error);
    return NULL;
}

static JsonNode *run_quit(JsonObject *args, GError **error)
{
    run_state_quit(0, SYSTEM_CAUSE_HOST_QMP_QUIT);
    return NULL;
}

static JsonNode *run_system_reset(JsonObject *args, GError **error)
{
    system_reset_request(SYSTEM_CAUSE_HOST_QMP_SYSTEM_RESET, "monitor");
    return NULL;
}

static JsonNode *run_system_powerdown(JsonObject *args, GError **error)
{
    run_state_powerdown();
    return NULL;
}

static JsonNode *run_system_wakeup(JsonObject *args, GError **error)
{
    machine_control_wakeup(error);
    return NULL;
}

/* -- Keys
 * -------------------------------------------------------------------------------- */

static bool not_accepted(GError **error, const char *parameter, const char *value)
{
    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                "Parameter '%s' does not accept value '%s'", parameter, value);
    return false;
}

static const char *text_member(JsonObject *object, const char *name)
{
    JsonNode *value = json_object_get_member(object, name);

    return value && JSON_NODE_HOLDS_VALUE(value) &&
                   json_node_get_value_type(value) == G_TYPE_STRING
               ? json_node_get_string(value)
               : NULL;
}

/* A KeyValue, {"type": "qcode", "data": "a"} or {"type": "number", "data": 30}, in the
 * spelling of sendkey. */
static bool append_key(GString *keys, JsonNode *key, GError **error)
{
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(key) ? json_node_get_object(key) : NULL;
    const char *type = object ? text_member(object, "type") : NULL;
    JsonNode *data = object ? json_object_get_member(object, "data") : NULL;

    if (!type || !data) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "Parameter '%s' is missing",
                    type ? "data" : "type");
        return false;
    }
    g_string_append(keys, keys->len ? "-" : "");
    if (strcmp(type, "qcode") == 0) {
        const char *name = text_member(object, "data");

        if (!name || input_key_from_name(name) < 0) {
            return not_accepted(error, "data", name ? name : "(not a string)");
        }
        g_string_append(keys, name);
    } else if (strcmp(type, "number") == 0) {
        if (!JSON_NODE_HOLDS_VALUE(data) ||
            json_node_get_value_type(data) != G_TYPE_INT64) {
            g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                        "Invalid parameter type for 'data', expected: integer");
            return false;
        }
        g_string_append_printf(keys, "0x%x", (unsigned)json_node_get_int(data));
    } else {
        return not_accepted(error, "type", type);
    }
    return true;
}

static JsonNode *run_send_key(JsonObject *args, GError **error)
{
    JsonArray *keys = json_object_get_array_member(args, "keys");
    gint64 hold = json_object_get_int_member_with_default(args, "hold-time", 0);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < json_array_get_length(keys); i++) {
        if (!append_key(text, json_array_get_element(keys, i), error)) {
            return NULL;
        }
    }
    if (text->len) {
        input_send_key_combination(text->str, (int)CLAMP(hold, 0, G_MAXINT), error);
    }
    return NULL;
}

/* -- Memory to files
 * ----------------------------------------------------------------------- */

static JsonNode *run_pmemsave(JsonObject *args, GError **error)
{
    monitor_save_memory(NULL, &machine_current()->memory,
                        (uint64_t)json_object_get_int_member(args, "val"),
                        (uint64_t)json_object_get_int_member(args, "size"),
                        json_object_get_string_member(args, "filename"), error);
    return NULL;
}

static bool check_cpu_index(JsonObject *args, gint64 *index, GError **error)
{
    *index = json_object_get_int_member_with_default(args, "cpu-index", 0);
    if (*index < 0 || *index >= machine_current()->cpus->len) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "Parameter 'cpu-index' expects a CPU number");
        return false;
    }
    return true;
}

static JsonNode *run_memsave(JsonObject *args, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gint64 index;
    Hmp hmp;

    if (!check_cpu_index(args, &index, error)) {
        return NULL;
    }
    hmp_init(&hmp, out);
    hmp.cpu_index = (unsigned)index;
    monitor_save_memory(hmp_cpu(&hmp), NULL,
                        (uint64_t)json_object_get_int_member(args, "val"),
                        (uint64_t)json_object_get_int_member(args, "size"),
                        json_object_get_string_member(args, "filename"), error);
    return NULL;
}

static JsonNode *run_human_monitor_command(JsonObject *args, GError **error)
{
    g_autofree char *text = NULL;
    gint64 index = 0;

    if (json_object_has_member(args, "cpu-index") &&
        !check_cpu_index(args, &index, error)) {
        return NULL;
    }
    text = hmp_execute_on(json_object_get_string_member(args, "command-line"),
                          (unsigned)index);
    return qmp_string(text);
}

static JsonNode *run_inject_nmi(JsonObject *args, GError **error)
{
    run_state_inject_nmi();
    return NULL;
}

static JsonNode *run_watchdog_set_action(JsonObject *args, GError **error)
{
    run_policy_set(run_state_policy(), "watchdog",
                   json_object_get_string_member(args, "action"), error);
    return NULL;
}

/* All of them or, where one is wrong, none. */
static JsonNode *run_set_action(JsonObject *args, GError **error)
{
    static const char *const events[] = {"reboot", "shutdown", "panic", "watchdog"};
    RunStatePolicy policy = *run_state_policy();

    for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
        if (json_object_has_member(args, events[i]) &&
            !run_policy_set(&policy, events[i],
                            json_object_get_string_member(args, events[i]), error)) {
            return NULL;
        }
    }
    *run_state_policy() = policy;
    return NULL;
}

const QmpCommand qmp_run_commands[] = {
    {"stop", "", run_stop},
    {"cont", "", run_cont},
    {"quit", "", run_quit},
    {"system_reset", "", run_system_reset},
    {"system_powerdown", "", run_system_powerdown},
    {"system_wakeup", "", run_system_wakeup},
    {"inject-nmi", "", run_inject_nmi},
    {"watchdog-set-action", "action:s", run_watchdog_set_action},
    {"set-action", "reboot:s?,shutdown:s?,panic:s?,watchdog:s?", run_set_action},
    {"send-key", "keys:a,hold-time:i?", run_send_key},
    {"pmemsave", "val:i,size:i,filename:s", run_pmemsave},
    {"memsave", "val:i,size:i,filename:s,cpu-index:i?", run_memsave},
    {"human-monitor-command", "command-line:s,cpu-index:i?", run_human_monitor_command},
    {NULL},
};
