/*
 * What `umbra reboot` is to run: machines x accelerators x methods, as rows.
 *
 * `--machine all` is every type there is, on x86emu. KVM's rows take seconds where KVM is
 * nested, so that of a machine that there is in many versions it has the newest and the
 * oldest, unless it is asked for by name.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/reboot-plan.h"

#include <gio/gio.h>
#include <string.h>

#include "machine/machine.h"

#define MAX_TIMES 1000

/* A machine to reboot; of a run of versions, whether it stands for the others. */
typedef struct PlannedMachine {
    char *name;
    const MachineType *type;
    bool variant;
    bool stands_for_itself; /* KVM runs it too */
} PlannedMachine;

typedef struct Planning {
    const RebootOptions *options;
    RebootPlan *plan;
    GArray *machines; /* PlannedMachine */
    GArray *methods;  /* RebootMethod */
    GPtrArray *accels;
    bool all;
} Planning;

static void machine_clear(gpointer data)
{
    g_free(((PlannedMachine *)data)->name);
}

static void note(RebootPlan *plan, char *text)
{
    g_ptr_array_add(plan->notes, text);
}

/* -- Methods ------------------------------------------------------------------------ */

bool reboot_method_from_name(const char *name, RebootMethod *method, GError **error)
{
    const char *names[REBOOT_METHODS + 2] = {NULL};
    const char *nearest;

    for (int i = 0; i < REBOOT_METHODS; i++) {
        names[i] = reboot_method_name((RebootMethod)i);
        if (strcmp(name, names[i]) == 0) {
            *method = (RebootMethod)i;
            return true;
        }
    }
    names[REBOOT_METHODS] = "all";
    nearest = nearest_name(name, names);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "--method %s: no such method%s%s%s; there are bios, kbd, pci, port92, "
                "triple, ctrl-alt-del, s3 and all",
                name, nearest ? ", did you mean '" : "", nearest ? nearest : "",
                nearest ? "'?" : "");
    return false;
}

static void add_methods(GArray *methods, bool rare_ones)
{
    for (RebootMethod method = 0; method < REBOOT_METHODS; method++) {
        if (rare_ones || (method != REBOOT_BY_PORT92 && method != REBOOT_BY_S3)) {
            g_array_append_val(methods, method);
        }
    }
}

static bool plan_methods(Planning *planning, GError **error)
{
    for (char **name = planning->options->methods; name && *name; name++) {
        RebootMethod method;

        if (strcmp(*name, "all") == 0) {
            add_methods(planning->methods, false);
        } else if (reboot_method_from_name(*name, &method, error)) {
            g_array_append_val(planning->methods, method);
        } else {
            return false;
        }
    }
    if (!planning->methods->len) {
        add_methods(planning->methods, planning->all);
    }
    return true;
}

/* -- Machines ----------------------------------------------------------------------- */

char *reboot_machine_name(const char *text, GError **error)
{
    g_autofree char *name = g_strndup(text, strcspn(text, ","));
    const MachineType *type = machine_type_find(name, error);

    if (type && type->bare) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "%s has neither RAM nor processors, so that nothing can reboot",
                    type->name);
        return NULL;
    }
    return type ? g_strconcat(type->name, text + strlen(name), NULL) : NULL;
}

static void add_machine(Planning *planning, char *name, const MachineType *type,
                        bool variant)
{
    PlannedMachine machine = {name, type, variant, true};

    g_array_append_val(planning->machines, machine);
}

static void add_type(const MachineType *type, void *opaque)
{
    Planning *planning = opaque;

    if (type->bare) {
        note(planning->plan,
             g_strdup_printf("%s is left out: it has neither RAM nor processors, so that "
                             "nothing can reboot",
                             type->name));
        return;
    }
    add_machine(planning, g_strdup(type->name), type, false);
    for (const char *const *variant = reboot_variants(); *variant; variant++) {
        if (g_str_has_prefix(*variant, type->name) &&
            (*variant)[strlen(type->name)] == ',') {
            add_machine(planning, g_strdup(*variant), type, true);
        }
    }
}

/* Versions of one machine are described in the same words and fail in the same ways. */
static bool same_machine(const PlannedMachine *a, const PlannedMachine *b)
{
    return !a->variant && !b->variant && a->type->get_type == b->type->get_type &&
           a->type->reboots == b->type->reboots &&
           strcmp(a->type->desc, b->type->desc) == 0;
}

/* Newer versions come first in the list of types: a run's first and last stay. */
static void find_representatives(GArray *machines)
{
    for (guint i = 1; i + 1 < machines->len; i++) {
        PlannedMachine *machine = &g_array_index(machines, PlannedMachine, i);

        machine->stands_for_itself =
            !same_machine(machine, machine - 1) || !same_machine(machine, machine + 1);
    }
}

static void note_representatives(const Planning *planning)
{
    unsigned represented = 0;

    for (guint i = 0; i < planning->machines->len; i++) {
        represented +=
            !g_array_index(planning->machines, PlannedMachine, i).stands_for_itself;
    }
    if (represented) {
        note(planning->plan,
             g_strdup_printf("on kvm the newest and the oldest stand for the %u versions "
                             "between them: --accel kvm runs those too",
                             represented));
    }
}

static bool plan_machines(Planning *planning, GError **error)
{
    static char *fallback[] = {(char *)"pc-i440fx-7.2", NULL};
    char **name = planning->options->machines ? planning->options->machines : fallback;

    for (; *name; name++) {
        g_autoptr(GError) why = NULL;
        char *machine;

        if (strcmp(*name, "all") == 0) {
            planning->all = true;
            machine_types_foreach(add_type, planning);
            continue;
        }
        machine = reboot_machine_name(*name, &why);
        if (!machine) {
            g_propagate_prefixed_error(error, g_steal_pointer(&why),
                                       "--machine %s: ", *name);
            return false;
        }
        add_machine(planning, machine, NULL, true);
    }
    return true;
}

/* -- Accelerators ------------------------------------------------------------------- */

/* Without --accel: all that can boot firmware here; KVM's absence is said in words. */
static bool plan_accels(Planning *planning, GError **error)
{
    g_autoptr(GError) unusable = NULL;

    for (char **name = planning->options->accels; name && *name; name++) {
        GError *why = NULL;

        if (!accel_usable(*name, &why)) {
            g_propagate_prefixed_error(error, why, "--accel %s: ", *name);
            return false;
        }
        g_ptr_array_add(planning->accels, g_strdup(*name));
    }
    if (planning->accels->len) {
        return true;
    }
    g_ptr_array_add(planning->accels, g_strdup("x86emu"));
    if (accel_usable("kvm", &unusable)) {
        g_ptr_array_add(planning->accels, g_strdup("kvm"));
        find_representatives(planning->machines);
        note_representatives(planning);
    } else {
        fprintf(stderr, "umbra reboot: x86emu only: %s\n", unusable->message);
    }
    return true;
}

/* -- Rows --------------------------------------------------------------------------- */

static void add_rows(Planning *planning, const PlannedMachine *machine, const char *accel)
{
    const RebootOptions *options = planning->options;

    for (guint i = 0; i < planning->methods->len; i++) {
        g_ptr_array_add(planning->plan->rows,
                        reboot_row_new(machine->name, accel, options->firmware,
                                       g_array_index(planning->methods, RebootMethod, i),
                                       (unsigned)options->times));
    }
}

bool reboot_plan(RebootPlan *plan, const RebootOptions *options, GError **error)
{
    g_autoptr(GArray) machines = g_array_new(false, false, sizeof(PlannedMachine));
    g_autoptr(GArray) methods = g_array_new(false, false, sizeof(RebootMethod));
    g_autoptr(GPtrArray) accels = g_ptr_array_new_with_free_func(g_free);
    Planning planning = {.options = options,
                         .plan = plan,
                         .machines = machines,
                         .methods = methods,
                         .accels = accels};

    g_array_set_clear_func(machines, machine_clear);
    plan->rows = g_ptr_array_new_with_free_func((GDestroyNotify)reboot_row_free);
    plan->notes = g_ptr_array_new_with_free_func(g_free);
    if (options->times < 1 || options->times > MAX_TIMES) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "--times %d: from 1 to %d", options->times, MAX_TIMES);
        return false;
    }
    if (options->jobs < 0 || options->jobs > REBOOT_MAX_JOBS) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "--jobs %d: from 1 to %d", options->jobs, REBOOT_MAX_JOBS);
        return false;
    }
    if (!plan_machines(&planning, error) || !plan_accels(&planning, error) ||
        !plan_methods(&planning, error)) {
        return false;
    }
    plan->jobs = options->jobs ? (unsigned)options->jobs : planning.all ? 2 : 1;
    for (guint m = 0; m < machines->len; m++) {
        const PlannedMachine *machine = &g_array_index(machines, PlannedMachine, m);

        for (guint a = 0; a < accels->len; a++) {
            if (a == 0 || options->accels || machine->stands_for_itself) {
                add_rows(&planning, machine, accels->pdata[a]);
            }
        }
    }
    return true;
}

void reboot_plan_clear(RebootPlan *plan)
{
    g_clear_pointer(&plan->rows, g_ptr_array_unref);
    g_clear_pointer(&plan->notes, g_ptr_array_unref);
}
