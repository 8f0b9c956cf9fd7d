/*
 * -cpu: a model, and the user's changes to it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/accel/cpu-model.h"
#include "machine/cli/fail.h"
#include "machine/cli/system.h"

#define DRIVER "qemu64-x86_64-cpu"

static bool is_property(const char *name)
{
    g_autoptr(GTypeClass) klass = g_type_class_ref(TYPE_X86_CPU);

    return g_object_class_find_property(G_OBJECT_CLASS(klass), name) != NULL;
}

void system_set_cpu(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", 0);
    GError *error = NULL;

    if (!cpu_model_set(parts[0], &error)) {
        cli_fail_with(error, "-cpu", parts[0]);
    }
    for (char **part = parts + 1; *part; part++) {
        char *equals = strchr(*part, '=');
        bool on = **part != '-';

        if (!equals && (**part == '+' || **part == '-')) {
            if (!cpu_model_set_feature(*part + 1, on)) {
                cli_fail(cli_error("-cpu %s: Property '" DRIVER ".%s' not found", text,
                                   *part + 1));
            }
            continue;
        }
        if (equals) {
            *equals++ = '\0';
        }
        if (is_property(*part)) {
            cpu_model_set_property(*part, equals ? equals : "on");
        } else if ((equals && !parse_bool(equals, &on)) || !cpu_model_set_feature(*part, on)) {
            cli_fail(
                cli_error("-cpu %s: Property '" DRIVER ".%s' not found", text, *part));
        }
    }
}
