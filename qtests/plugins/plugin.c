/*
 * A plugin for the tests, whole or with the fault that a -D names: see plugins.py.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/plugin.h"

#if defined(NO_SYMBOL)

int nothing_to_see;

#else

typedef struct ProbeDevice {
    Device parent;
} ProbeDevice;

#if defined(UNKNOWN_PARENT)
#define PROBE_PARENT (g_type_from_name("flux-capacitor"))
#define PROBE_NAME "probe-orphan"
#else
#define PROBE_PARENT TYPE_DEVICE
#define PROBE_NAME "probe-" PLUGIN
#endif

GType probe_get_type(void);
DEVICE_DEFINE_TYPE(ProbeDevice, probe, PROBE_NAME, PROBE_PARENT)

static void probe_class_init(DeviceClass *klass)
{
    klass->user_creatable = true;
    klass->desc = "a device from a plugin";
}

static const DeviceTypeEntry devices[] = {{PROBE_NAME, probe_get_type}, {NULL}};

#if defined(MISSING_FUNCTION)
bool memory_region_teleport(Machine *machine);
#endif

static bool build(Machine *machine, GError **error)
{
#if defined(MISSING_FUNCTION)
    memory_region_teleport(machine);
#endif
    if (!machine_init_ram(machine, "ram", error)) {
        return false;
    }
    memory_region_add_subregion(&machine->system_memory, 0, &machine->ram);
    machine->isa = isa_bus_new(NULL, &machine->system_memory, &machine->system_io);
    return device_create(probe_get_type(), NULL, error) != NULL;
}

G_GNUC_UNUSED static void board_class_init(MachineClass *klass)
{
    klass->build = build;
}

static GType board_get_type(void)
{
#if defined(NOT_A_MACHINE)
    return probe_get_type();
#elif defined(TAKEN_TYPE)
#define BOARD_NAME "Machine"
#else
#define BOARD_NAME "board-" PLUGIN
#endif
#if !defined(NOT_A_MACHINE)
    static GType type;

    if (!type) {
        type = device_type_register(TYPE_MACHINE, BOARD_NAME, sizeof(Machine),
                                    (GClassInitFunc)(void *)board_class_init);
    }
    return type;
#endif
}

#if !defined(MACHINE_NAME)
#define MACHINE_NAME PLUGIN
#endif

G_GNUC_UNUSED static const MachineType types[] = {
    {.name = MACHINE_NAME,
     .desc = "of the tests",
     .default_ram = MiB(16),
     .get_type = board_get_type,
     .is_default = true},
#if defined(SECOND_NAME)
    {.name = SECOND_NAME,
     .desc = "the same",
     .default_ram = MiB(16),
     .get_type = board_get_type},
#endif
    {NULL},
};

#if !defined(PLUGIN_NAME)
#define PLUGIN_NAME PLUGIN
#endif
#if !defined(ABI_CHANGE)
#define ABI_CHANGE 0
#endif
#if !defined(LAYOUT_CHANGE)
#define LAYOUT_CHANGE 0
#endif
#if !defined(TYPES)
#define TYPES types
#endif

extern G_MODULE_EXPORT const MachinePlugin umbra_machine_plugin;
const MachinePlugin umbra_machine_plugin = {
    .abi = MACHINE_PLUGIN_ABI + ABI_CHANGE,
    .layout = MACHINE_PLUGIN_LAYOUT + LAYOUT_CHANGE,
    .name = PLUGIN_NAME,
    .machines = TYPES,
    .devices = devices,
};

#endif
