/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/defaults.h"

#include <string.h>

#include "hw/core/option-string.h"

/* Whether a -device makes one of `drivers` (ended by NULL). */
static bool has_device(const SystemOptions *options, const char *const *drivers)
{
    for (guint i = 0; i < options->devices->len; i++) {
        g_auto(GStrv) words = g_strsplit(options->devices->pdata[i], ",", 2);

        if (words[0] && g_strv_contains(drivers, words[0])) {
            return true;
        }
    }
    return false;
}

/* Whether a -drive has the place of the CD-ROM drive: index 2, or bus 1 unit 0; without
 * one, a drive takes the next that is free, and counting them is drive.c's. */
static bool cdrom_place_is_taken(const SystemOptions *options)
{
    for (guint i = 0; i < options->drives->len; i++) {
        g_autoptr(OptionString) drive =
            option_string_parse(options->drives->pdata[i], NULL);
        const char *interface = option_string_get(drive, "if");
        const char *index = option_string_get(drive, "index");
        const char *bus = option_string_get(drive, "bus");
        const char *unit = option_string_get(drive, "unit");

        if ((!interface || strcmp(interface, "ide") == 0) &&
            ((index && strcmp(index, "2") == 0) ||
             (bus && strcmp(bus, "1") == 0 && (!unit || strcmp(unit, "0") == 0)))) {
            return true;
        }
    }
    return false;
}

static void add(GPtrArray *list, const char *text)
{
    g_ptr_array_add(list, g_strdup(text));
}

void default_devices_add(SystemOptions *options)
{
    static const char *const vgas[] = {"VGA", "isa-vga", NULL};
    static const char *const serials[] = {"isa-serial", NULL};
    static const char *const parallels[] = {"isa-parallel", NULL};
    static const char *const ide_drives[] = {"ide-cd", "ide-hd", NULL};

    if (options->nodefaults) {
        return;
    }
    if (options->serials->len == 0 && !has_device(options, serials)) {
        add(options->serials, options->nographic ? "mon:stdio" : "null");
    }
    if (options->parallels->len == 0 && !has_device(options, parallels)) {
        add(options->parallels, "null");
    }
    if (!has_device(options, ide_drives) && !cdrom_place_is_taken(options)) {
        add(options->drives, "index=2,media=cdrom");
    }
    if (!options->vga && !has_device(options, vgas)) {
        options->vga = g_strdup("std");
    }
}
