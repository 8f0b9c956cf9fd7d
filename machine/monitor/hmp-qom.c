/*
 * HMP: the object tree.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/hmp.h"
#include "machine/monitor/json-stream.h"
#include "machine/monitor/qom.h"

static void print_property(const char *name, const char *type, void *opaque)
{
    hmp_printf(opaque, "%s (%s)\n", name, type);
}

static void run_list(Hmp *hmp, const HmpArgs *args)
{
    const char *path = hmp_arg_text(args, "path");
    GError *error = NULL;

    if (!path) {
        hmp_printf(hmp, "/\n");
    } else if (!qom_list(path, print_property, hmp, &error)) {
        hmp_report(hmp, error);
    }
}

static void run_get(Hmp *hmp, const HmpArgs *args)
{
    GError *error = NULL;
    g_autoptr(JsonNode) value =
        qom_get(hmp_arg_text(args, "path"), hmp_arg_text(args, "property"), &error);

    if (!value) {
        hmp_report(hmp, error);
        return;
    }
    json_write(hmp->out, value, true);
    hmp_printf(hmp, "\n");
}

static void run_set(Hmp *hmp, const HmpArgs *args)
{
    g_autoptr(JsonNode) value =
        json_node_init_string(json_node_alloc(), hmp_arg_text(args, "value"));
    GError *error = NULL;

    if (!qom_set(hmp_arg_text(args, "path"), hmp_arg_text(args, "property"), value,
                 &error)) {
        hmp_report(hmp, error);
    }
}

const HmpCommand hmp_qom_commands[] = {
    {"qom-list", "path:s?", "path", "list QOM properties", run_list},
    {"qom-get", "path:s,property:s", "path property", "print QOM property", run_get},
    {"qom-set", "json:-j,path:s,property:s,value:S", "[-j] path property value",
     "set QOM property.\n\t\t\t-j: the value is specified in json format.", run_set},
    {NULL},
};
