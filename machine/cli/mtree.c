/*
 * `umbra mtree`: `info mtree` of a machine that need not run, or all of it as JSON.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/umbra-machine.h"
#include "machine/cli/umbra.h"
#include "machine/memory-json.h"
#include "memory/mtree.h"

static UmbraMachineOptions machine_options;
static gboolean flat, dispatch, owner, disabled, as_json;

static const GOptionEntry entries[] = {
    UMBRA_MACHINE_ENTRIES(&machine_options),
    {"flat", 'f', 0, G_OPTION_ARG_NONE, &flat, "the views: what the guest meets", NULL},
    {"dispatch", 'd', 0, G_OPTION_ARG_NONE, &dispatch,
     "with -f: how each view finds a range", NULL},
    {"owner", 'o', 0, G_OPTION_ARG_NONE, &owner, "the owner of each region", NULL},
    {"disabled", 'D', 0, G_OPTION_ARG_NONE, &disabled, "disabled regions too", NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &as_json,
     "a snapshot of trees and views, for 'umbra diff' and programs", NULL},
    {NULL},
};

int umbra_mtree(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Machine *machine;
    AccelClass *accel;

    if (!umbra_parse("mtree", "", "The text is that of QEMU's 'info mtree'.\n", entries,
                     &argc, &argv)) {
        return 1;
    }
    machine = umbra_machine_build(&machine_options, &error);
    if (!machine) {
        return umbra_fail("mtree", error);
    }
    accel = ACCEL_GET_CLASS(machine->accel);
    if (as_json) {
        g_autoptr(JsonNode) node = memory_json_snapshot(machine->type->name);
        g_autofree char *text = json_to_string(node, true);

        puts(text);
    } else {
        g_autoptr(GString) text = g_string_new(NULL);
        MtreeOptions options = {.flat = flat,
                                .dispatch = dispatch,
                                .owner = owner,
                                .disabled = disabled,
                                .accel = accel->mtree_name,
                                .accel_has = accel->has_range};

        mtree_print(text, &options);
        fputs(text->str, stdout);
    }
    return 0;
}
