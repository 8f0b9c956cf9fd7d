/*
 * `umbra reboot`: its options, and the rows that they ask for.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_REBOOT_PLAN_H
#define MACHINE_CLI_REBOOT_PLAN_H

#include "machine/cli/reboot.h"

#define REBOOT_MAX_JOBS 64

typedef struct RebootOptions {
    char **machines, **accels, **methods; /* NULL: not given */
    char *firmware, *svg;
    int times;
    int jobs; /* rows at a time; 0: not given */
    gboolean json, trace;
} RebootOptions;

typedef struct RebootPlan {
    GPtrArray *rows;  /* RebootRow *, not yet run */
    GPtrArray *notes; /* char *: what it leaves out, and why */
    unsigned jobs;
} RebootPlan;

/* False and *error, which names the option, where one is wrong. Clear it also then. */
bool reboot_plan(RebootPlan *plan, const RebootOptions *options, GError **error);
void reboot_plan_clear(RebootPlan *plan);

#endif
