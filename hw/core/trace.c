/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/trace.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Groups of events, which -d names. */
enum {
    LOG_GUEST_ERRORS = 1 << 0,
    LOG_UNIMPLEMENTED = 1 << 1,
    LOG_UNASSIGNED = 1 << 2,
    LOG_CPU_RESET = 1 << 3,
};

static const struct {
    const char *name;
    unsigned log;
    const char *help;
} groups[] = {
    {"guest_errors", LOG_GUEST_ERRORS, "what the guest did wrong"},
    {"unimp", LOG_UNIMPLEMENTED, "what the guest asked for and no model does"},
    {"unassigned", LOG_UNASSIGNED, "accesses to where nothing answers"},
    {"cpu_reset", LOG_CPU_RESET, "resets, and who asked for them"},
};

/* Where QEMU has an event of the meaning, the name is QEMU's. */
static const struct {
    const char *name;
    unsigned log;
    const char *help;
} events[TRACE_EVENTS] = {
    [TRACE_PAM_WRITE] = {"pam_write", 0, "a PAM register changes"},
    [TRACE_PCI_CONFIG_READ] = {"pci_cfg_read", 0, "a read of configuration space"},
    [TRACE_PCI_CONFIG_WRITE] = {"pci_cfg_write", 0, "a write to configuration space"},
    [TRACE_SYSTEM_RESET] = {"system_reset", LOG_CPU_RESET, "the machine is reset"},
    [TRACE_RUNSTATE_SET] = {"runstate_set", 0, "the run state changes"},
    [TRACE_CPU_IN] = {"cpu_in", 0, "a CPU reads a port"},
    [TRACE_CPU_OUT] = {"cpu_out", 0, "a CPU writes a port"},
    [TRACE_KVM_RUN_EXIT] = {"kvm_run_exit", 0, "a CPU leaves the guest, by KVM's reason"},
    [TRACE_MEMORY_UNASSIGNED] = {"memory_unassigned", LOG_UNASSIGNED | LOG_GUEST_ERRORS,
                                 "an access to memory where nothing answers"},
    [TRACE_IO_UNASSIGNED] = {"io_unassigned", LOG_UNASSIGNED,
                             "an access to a port where nothing answers"},
    [TRACE_GUEST_ERROR] = {"guest_error", LOG_GUEST_ERRORS, "the guest did it wrong"},
    [TRACE_UNIMPLEMENTED] = {"unimplemented", LOG_UNIMPLEMENTED, "no model does that"},
};

bool trace_enabled[TRACE_EVENTS];

static FILE *log_file; /* NULL: standard error */

const char *trace_event_name(TraceEvent event)
{
    return events[event].name;
}

void trace_write(TraceEvent event, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    /* One call a line: threads do not mix theirs. */
    fprintf(log_file ? log_file : stderr, "%s %s\n", events[event].name, text);
}

/* -- Choosing ------------------------------------------------------------------------ */

unsigned trace_enable(const char *pattern, bool enable)
{
    unsigned count = 0;

    for (unsigned i = 0; i < TRACE_EVENTS; i++) {
        if (g_pattern_match_simple(pattern, events[i].name)) {
            trace_enabled[i] = enable;
            count++;
        }
    }
    return count;
}

static bool choose(const char *pattern, GError **error)
{
    bool enable = *pattern != '-';

    if (trace_enable(pattern + !enable, enable) == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "no trace event is called '%s'; -trace help lists them",
                    pattern + !enable);
        return false;
    }
    return true;
}

/* A pattern a line; empty lines and those with '#' are none. */
static bool choose_from_file(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(path, &text, NULL, error)) {
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (**line && **line != '#' && !choose(*line, error)) {
            return false;
        }
    }
    return true;
}

bool trace_option(const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(*text ? text : ",", ",", -1);

    for (char **part = parts; *part; part++) {
        bool good;

        if (g_str_has_prefix(*part, "file=")) {
            good = trace_open_log(*part + strlen("file="), error);
        } else if (g_str_has_prefix(*part, "events=")) {
            good = choose_from_file(*part + strlen("events="), error);
        } else if (g_str_has_prefix(*part, "enable=")) {
            good = choose(*part + strlen("enable="), error);
        } else {
            good = choose(*part, error);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool choose_group(const char *name, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (strcmp(groups[i].name, name) == 0) {
            for (unsigned event = 0; event < TRACE_EVENTS; event++) {
                trace_enabled[event] |= (events[event].log & groups[i].log) != 0;
            }
            return true;
        }
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "'%s' is no log item; -d help lists them", name);
    return false;
}

bool trace_log_items(const char *items, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(items, ",", -1);

    for (char **part = parts; *part; part++) {
        if (!(g_str_has_prefix(*part, "trace:") ? choose(*part + strlen("trace:"), error)
                                                : choose_group(*part, error))) {
            return false;
        }
    }
    return true;
}

bool trace_open_log(const char *path, GError **error)
{
    FILE *file = path ? fopen(path, "we") : NULL;

    if (path && !file) {
        int code = errno;

        g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(code),
                    "cannot write the log file %s: %s", path, g_strerror(code));
        return false;
    }
    if (file) {
        setvbuf(file, NULL, _IOLBF, 0);
    }
    if (log_file) {
        fclose(log_file);
    }
    log_file = file;
    return true;
}

/* -- Help ---------------------------------------------------------------------------- */

char *trace_help(void)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < TRACE_EVENTS; i++) {
        g_string_append_printf(out, "%-18s %s\n", events[i].name, events[i].help);
    }
    return g_string_free(out, FALSE);
}

char *trace_log_help(void)
{
    GString *out = g_string_new("Log items (comma separated):\n");

    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        g_string_append_printf(out, "%-15s %s\n", groups[i].name, groups[i].help);
    }
    g_string_append_printf(out, "%-15s %s\n", "trace:PATTERN",
                           "trace events, as -trace does");
    return g_string_free(out, FALSE);
}
