/*
 * umbra-system-x86_64: questions that are answered without a machine.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/core/trace.h"
#include "machine/accel/cpu-model.h"
#include "machine/cli/system.h"
#include "machine/device-add.h"
#include "machine/machine.h"
#include "machine/plugin.h"
#include "machine/user-object.h"

#define UMBRA_VERSION "0.1.0"

static void print_type(const MachineType *type, void *opaque)
{
    g_autofree char *note = type->alias ? g_strdup_printf(" (alias of %s)", type->name)
                                        : g_strdup(type->is_default ? " (default)" : "");

    if (type->alias) {
        printf("%-20s %s%s\n", type->alias, type->desc, note);
    }
    printf("%-20s %s%s%s%s%s\n", type->name, type->desc,
           type->is_default ? " (default)" : "", type->deprecated ? " (deprecated)" : "",
           type->origin ? "  from " : "", type->origin ? type->origin : "");
}

static void print_broken_plugin(const char *path, const GError *why, void *opaque)
{
    fprintf(stderr, "%s: not listed: %s\n", g_get_prgname(), why->message);
}

static bool is_help(const char *text)
{
    return text && (strcmp(text, "help") == 0 || strcmp(text, "?") == 0);
}

void system_answer_help(const SystemOptions *options)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bool answered = true;

    if (options->help) {
        g_autofree char *help = system_options_help(g_get_prgname());

        g_string_append(text, help);
    } else if (options->version) {
        g_string_append_printf(text, "Umbra emulator version %s\n", UMBRA_VERSION);
    } else if (is_help(options->machine)) {
        printf("Supported machines are:\n");
        machine_types_foreach(print_type, NULL);
        machine_plugins_foreach_broken(print_broken_plugin, NULL);
    } else if (is_help(options->accels->pdata[0])) {
        g_autofree char *names = g_strjoinv("\n", (char **)accel_names());

        g_string_append_printf(text, "Accelerators supported:\n%s\n", names);
    } else if (is_help(options->cpu)) {
        g_autofree char *list = cpu_models_describe();

        g_string_append(text, list);
    } else if (options->traces->len && is_help(options->traces->pdata[0])) {
        g_autofree char *help = trace_help();

        g_string_append(text, help);
    } else if (options->log_items->len && is_help(options->log_items->pdata[0])) {
        g_autofree char *help = trace_log_help();

        g_string_append(text, help);
    } else {
        answered = false;
        for (guint i = 0; i < options->devices->len && !answered; i++) {
            answered = device_add_help(options->devices->pdata[i], text);
        }
        for (guint i = 0; i < options->objects->len && !answered; i++) {
            answered = user_object_help(options->objects->pdata[i], text);
        }
    }
    if (answered) {
        fputs(text->str, stdout);
        exit(0);
    }
}
