/*
 * Trace events in the monitors.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/trace.h"

#include <string.h>

#include "hw/core/property.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/qmp.h"

static void info_trace_events(Hmp *hmp, const HmpArgs *args)
{
    const char *pattern = hmp_arg_text(args, "name");

    for (unsigned i = 0; i < TRACE_EVENTS; i++) {
        if (!pattern || g_pattern_match_simple(pattern, trace_event_name(i))) {
            hmp_printf(hmp, "%s : state %u\n", trace_event_name(i), trace_enabled[i]);
        }
    }
}

static void run_trace_event(Hmp *hmp, const HmpArgs *args)
{
    const char *name = hmp_arg_text(args, "name");
    const char *option = hmp_arg_text(args, "option");
    bool enable;

    if (!parse_bool(option, &enable)) {
        hmp_printf(hmp, "Error: Parameter 'option' expects 'on' or 'off'\n");
    } else if (trace_enable(name, enable) == 0) {
        hmp_printf(hmp, "Error: unknown event \"%s\"\n", name);
    }
}

static void run_log(Hmp *hmp, const HmpArgs *args)
{
    const char *items = hmp_arg_text(args, "items");
    GError *error = NULL;

    if (g_str_equal(items, "none")) {
        trace_enable("*", false);
    } else if (!trace_log_items(items, &error)) {
        hmp_report(hmp, error);
    }
}

static void run_logfile(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;

    if (!trace_open_log(hmp_arg_text(args, "filename"), &error)) {
        hmp_report(hmp, error);
    }
}

const HmpCommand hmp_trace_commands[] = {
    {"info trace-events", "name:s?", "[name]",
     "show available trace-events & their state", info_trace_events},
    {"trace-event", "name:s,option:s", "name on|off",
     "changes status of a specific trace event", run_trace_event},
    {"log", "items:s", "item1[,...]", "activate logging of the specified items", run_log},
    {"logfile", "filename:s", "filename", "output logs to 'filename'", run_logfile},
    {NULL},
};

static JsonNode *get_state(JsonObject *args, GError **error)
{
    const char *pattern = json_object_get_string_member(args, "name");
    g_autoptr(JsonArray) array = json_array_new();

    for (unsigned i = 0; i < TRACE_EVENTS; i++) {
        if (g_pattern_match_simple(pattern, trace_event_name(i))) {
            json_array_add_element(
                array, qmp_object("name:s,state:s,vcpu:b", trace_event_name(i),
                                  trace_enabled[i] ? "enabled" : "disabled", false));
        }
    }
    if (json_array_get_length(array) == 0 && !strpbrk(pattern, "*?")) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "unknown event \"%s\"", pattern);
        return NULL;
    }
    return qmp_array(g_steal_pointer(&array));
}

static JsonNode *set_state(JsonObject *args, GError **error)
{
    const char *pattern = json_object_get_string_member(args, "name");

    if (trace_enable(pattern, json_object_get_boolean_member(args, "enable")) == 0 &&
        !strpbrk(pattern, "*?")) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "unknown event \"%s\"", pattern);
    }
    return NULL;
}

const QmpCommand qmp_trace_commands[] = {
    {"trace-event-get-state", "name:str,vcpu:int?", get_state, "[TraceEventInfo]"},
    {"trace-event-set-state", "name:str,enable:bool,ignore-unavailable:bool?,vcpu:int?",
     set_state},
    {NULL},
};
