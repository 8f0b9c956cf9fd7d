/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/defaults.h"

#include <limits.h>
#include <stdlib.h>
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

/* Whether a -drive has the place `index` of that interface, by index or by bus and unit;
 * without one, a drive takes the next that is free, and counting them is drive.c's. */
static bool place_is_taken(const SystemOptions *options, const char *interface,
                           unsigned index)
{
    unsigned units = strcmp(interface, "ide") == 0 ? 2 : UINT_MAX;

    for (guint i = 0; i < options->drives->len; i++) {
        g_autoptr(OptionString) drive =
            option_string_parse(options->drives->pdata[i], NULL);
        const char *given = option_string_get(drive, "if");
        const char *place = option_string_get(drive, "index");
        const char *bus = option_string_get(drive, "bus");
        const char *unit = option_string_get(drive, "unit");
        unsigned found = place ? (unsigned)atoi(place)
                               : (bus ? (unsigned)atoi(bus) * units : 0) +
                                     (unit ? (unsigned)atoi(unit) : 0);

        if (strcmp(given ? given : "ide", interface) == 0 && found == index &&
            (place || bus || unit || index == 0)) {
            return true;
        }
    }
    return false;
}

static void add(GPtrArray *list, const char *text)
{
    g_ptr_array_add(list, g_strdup(text));
}

void default_devices_add(SystemOptions *options, const MachineType *type)
{
    static const char *const vgas[] = {"VGA", "isa-vga", "igd-stub", NULL};
    static const char *const serials[] = {"isa-serial", NULL};
    static const char *const parallels[] = {"isa-parallel", NULL};
    static const char *const floppies[] = {"floppy", "isa-fdc", NULL};
    static const char *const ide_drives[] = {"ide-cd", "ide-hd", NULL};

    if (options->nodefaults) {
        return;
    }
    if (options->serials->len == 0 && !has_device(options, serials)) {
        add(options->serials, options->nographic ? "mon:stdio" : "null");
    }
    if (type->no_default_devices) {
        options->nodefaults = true;
        return;
    }
    if (options->parallels->len == 0 && !has_device(options, parallels)) {
        add(options->parallels, "null");
    }
    if (!has_device(options, ide_drives) && !place_is_taken(options, "ide", 2)) {
        add(options->drives, "index=2,media=cdrom");
    }
    if (!has_device(options, floppies) && !place_is_taken(options, "floppy", 0)) {
        add(options->drives, "if=floppy,index=0");
    }
    if (!options->vga && !has_device(options, vgas)) {
        options->vga = g_strdup("std");
    }
}
