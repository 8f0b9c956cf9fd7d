/*
 * `umbra draw`: what a machine's address space shows, as an SVG picture.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/umbra-machine.h"
#include "machine/cli/umbra.h"
#include "memory/draw.h"
#include "memory/explain.h"

static UmbraMachineOptions machine_options;
static char *space, *output, *title;

static const GOptionEntry entries[] = {
    UMBRA_MACHINE_ENTRIES(&machine_options),
    {"space", 's', 0, G_OPTION_ARG_STRING, &space,
     "the address space: memory (the default), I/O, ...", "NAME"},
    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "the file to write", "FILE.svg"},
    {"title", 0, 0, G_OPTION_ARG_STRING, &title, "the headline instead of the machine's",
     "TEXT"},
    {NULL},
};

static char *default_title(const Machine *machine)
{
    return g_strdup_printf("%s with %" G_GUINT64_FORMAT " MiB", machine->type->name,
                           machine->config.ram_size / MiB(1));
}

int umbra_draw(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *headline = NULL;
    g_autofree char *svg = NULL;
    Machine *machine;
    AddressSpace *as;

    if (!umbra_parse("draw", "", "  umbra draw --machine pc -o pc.svg\n", entries, &argc,
                     &argv)) {
        return 1;
    }
    if (!output) {
        fprintf(stderr, "umbra draw: where to? Say -o FILE.svg\n");
        return 1;
    }
    machine = umbra_machine_build(&machine_options, &error);
    if (!machine) {
        return umbra_fail("draw", error);
    }
    as = explain_find_space(space ? space : "memory");
    if (!as) {
        fprintf(stderr, "umbra draw: no address space '%s'; 'umbra mtree' lists them\n",
                space);
        return 1;
    }
    headline = title ? g_strdup(title) : default_title(machine);
    svg = draw_view(as, headline);
    return g_file_set_contents(output, svg, -1, &error) ? 0 : umbra_fail("draw", error);
}
