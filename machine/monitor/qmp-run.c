/*
 * QMP: running, stopping and resetting the machine; keys; memory to files.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

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

/* -- Memory to files ------------------------------------------------------------- */

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
    {"watchdog-set-action", "action:WatchdogAction", run_watchdog_set_action},
    {"set-action",
     "reboot:RebootAction?,shutdown:ShutdownAction?,panic:PanicAction?,"
     "watchdog:WatchdogAction?",
     run_set_action},
    {"pmemsave", "val:int,size:int,filename:str", run_pmemsave},
    {"memsave", "val:int,size:int,filename:str,cpu-index:int?", run_memsave},
    {"human-monitor-command", "command-line:str,cpu-index:int?",
     run_human_monitor_command, "str"},
    {NULL},
};
