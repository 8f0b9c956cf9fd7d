/*
 * The machine "none": two empty address spaces. Harnesses start it to ask the monitor
 * what the program can do.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/none.h"

static bool none_build(Machine *machine, GError **error)
{
    return true;
}

static void none_class_init(MachineClass *klass, gpointer data)
{
    klass->build = none_build;
}

static GType none_get_type(void)
{
    static GType type;

    if (g_once_init_enter(&type)) {
        g_once_init_leave(&type, g_type_register_static_simple(
                                     TYPE_MACHINE, "none-machine", sizeof(MachineClass),
                                     (GClassInitFunc)(void *)none_class_init,
                                     sizeof(Machine), NULL, 0));
    }
    return type;
}

const MachineType *none_machine_types(void)
{
    static const MachineType types[] = {
        {.name = "none",
         .desc = "empty machine",
         .origin = "built in",
         .get_type = none_get_type,
         .bare = true},
        {.name = NULL},
    };

    return types;
}
