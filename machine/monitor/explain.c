/*
 * HMP and QMP: what an address means and why, and the memory map for programs.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/machine.h"
#include "machine/memory-json.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/qmp.h"

#define DEFAULT_SPACE "memory"

static AddressSpace *find_space(const char *name, GError **error)
{
    AddressSpace *as = explain_find_space(name);

    if (!as) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "no address space '%s'; 'info mtree' lists them", name);
    }
    return as;
}

/* Takes "-s NAME" out of the line; it may stand before or after the address. An
 * expression has a minus sign too, but none with a space before the name behind it. */
static char *take_space(char *line)
{
    char *option = g_str_has_prefix(line, "-s ") ? line : strstr(line, " -s ");
    char *name, *end, *space;

    if (!option) {
        return g_strdup(DEFAULT_SPACE);
    }
    name = strstr(option, "-s ") + 3;
    name += strspn(name, " ");
    end = name + strcspn(name, " ");
    space = g_strndup(name, (gsize)(end - name));
    memset(option, ' ', (size_t)(end - option));
    return space;
}

static void run_explain(Hmp *hmp, const HmpArgs *args)
{
    g_autofree char *line = g_strdup(hmp_arg_text(args, "what"));
    g_autofree char *space = take_space(line);
    const char *text = line;
    GError *error = NULL;
    AddressSpace *as = find_space(space, &error);
    uint64_t address;

    if (!as) {
        hmp_report(hmp, error);
        return;
    }
    text += strspn(text, " ");
    if (hmp_expression(hmp, &text, &address)) {
        g_autoptr(Explanation) explanation = explain(as, address);

        explain_print(hmp->out, explanation);
    }
}

const HmpCommand hmp_explain_commands[] = {
    {"explain", "what:S", "addr [-s address-space]",
     "say which region answers at 'addr', by which way, and why others that claim it do "
     "not",
     run_explain},
    {NULL},
};

/* The address as a number, or as text where a number cannot hold it. */
static bool address_from_json(JsonNode *node, uint64_t *address, GError **error)
{
    GType type =
        JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;

    if (type == G_TYPE_INT64) {
        *address = (uint64_t)json_node_get_int(node);
        return true;
    }
    if (type == G_TYPE_STRING &&
        parse_uint64(json_node_get_string(node), UINT64_MAX, address)) {
        return true;
    }
    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                "'address' is an integer or a string such as \"0xfffffff0\"");
    return false;
}

static JsonNode *x_umbra_explain(JsonObject *args, GError **error)
{
    const char *name =
        json_object_get_string_member_with_default(args, "space", DEFAULT_SPACE);
    AddressSpace *as = find_space(name, error);
    uint64_t address;
    g_autoptr(Explanation) explanation = NULL;

    if (!as ||
        !address_from_json(json_object_get_member(args, "address"), &address, error)) {
        return NULL;
    }
    explanation = explain(as, address);
    return memory_json_explanation(explanation);
}

static JsonNode *x_query_mtree(JsonObject *args, GError **error)
{
    return memory_json_snapshot(machine_current()->type->name);
}

const QmpCommand qmp_explain_commands[] = {
    {"x-umbra-explain", "address:any,space:str?", x_umbra_explain, "any"},
    {"x-query-mtree", "", x_query_mtree, "any"},
    {NULL},
};
