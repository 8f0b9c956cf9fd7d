/*
 * `umbra explain`: what addresses of a machine mean, and why.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>

#include "machine/cli/umbra-machine.h"
#include "machine/cli/umbra.h"
#include "machine/memory-json.h"

static UmbraMachineOptions machine_options;
static char *space = NULL;
static gboolean as_json;
static char **addresses;

static const GOptionEntry entries[] = {
    UMBRA_MACHINE_ENTRIES(&machine_options),
    {"space", 's', 0, G_OPTION_ARG_STRING, &space,
     "the address space: memory (the default), I/O, ...", "NAME"},
    {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "an array of objects, one an address",
     NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &addresses, NULL, NULL},
    {NULL},
};

static const char description[] =
    "Each address is a number as in C (0xf0000). Without firmware that runs, BARs are\n"
    "unset; 'explain' in the monitor of a running machine asks the same there.\n\n"
    "  umbra explain 0xf0000\n"
    "  umbra explain --pam 0x59=0x30 0xf0000\n"
    "  umbra explain --machine isapc -s I/O 0x3f8\n";

static bool explain_all(AddressSpace *as, JsonArray *results, GError **error)
{
    for (char **word = addresses; *word; word++) {
        g_autoptr(Explanation) explanation = NULL;
        uint64_t address;

        if (!parse_uint64(*word, UINT64_MAX, &address)) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        "'%s' is not an address; write it as 0xf0000", *word);
            return false;
        }
        explanation = explain(as, address);
        if (as_json) {
            json_array_add_element(results, memory_json_explanation(explanation));
        } else {
            g_autoptr(GString) text = g_string_new(word == addresses ? NULL : "\n");

            explain_print(text, explanation);
            fputs(text->str, stdout);
        }
    }
    return true;
}

static void print_json(JsonArray *results)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
    g_autofree char *text = NULL;

    json_node_set_array(node, results);
    text = json_to_string(node, true);
    puts(text);
}

int umbra_explain(int argc, char **argv)
{
    g_autoptr(JsonArray) results = json_array_new();
    g_autoptr(GError) error = NULL;
    AddressSpace *as;

    if (!umbra_parse("explain", "ADDRESS...", description, entries, &argc, &argv)) {
        return 1;
    }
    if (!addresses) {
        fprintf(stderr, "umbra explain: which address? Try 'umbra explain 0xf0000'\n");
        return 1;
    }
    if (!umbra_machine_build(&machine_options, &error)) {
        return umbra_fail("explain", error);
    }
    as = explain_find_space(space ? space : "memory");
    if (!as) {
        fprintf(stderr,
                "umbra explain: no address space '%s'; 'umbra mtree' lists them\n",
                space);
        return 1;
    }
    if (!explain_all(as, results, &error)) {
        return umbra_fail("explain", error);
    }
    if (as_json) {
        print_json(results);
    }
    return 0;
}
