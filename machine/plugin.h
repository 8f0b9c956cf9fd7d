/*
 * Machine models from shared objects: how one describes itself, and how it is found.
 *
 * A plugin is a file umbra-machine-NAME.so that exports one symbol, a MachinePlugin, made
 * by MACHINE_PLUGIN(). Its machine types are called NAME or NAME-something, so that -M
 * finds the one file that it needs. It is looked for in the directories of
 * UMBRA_MODULE_DIR (separated by colons), of -L, beside the program (its build folder)
 * and in the module directory of the installation that the program is in, or was made for; of
 * several files of one name the first counts.
 *
 * A plugin is compiled against the installed headers and linked with nothing: what it
 * calls is the program's. docs/machine-model.md shows a whole one.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_PLUGIN_H
#define MACHINE_PLUGIN_H

#include <gmodule.h>

#include "hw/core/vmstate.h"
#include "machine/machine.h"
#include "machine/types/pc.h"

/* Counts up with each change to a public header that old plugins cannot live with. */
#define MACHINE_PLUGIN_ABI 1u

#define MACHINE_PLUGIN_SYMBOL "umbra_machine_plugin"

typedef struct MachinePlugin {
    uint32_t abi;     /* MACHINE_PLUGIN_ABI; stays first for good */
    uint32_t layout;  /* MACHINE_PLUGIN_LAYOUT of the headers that it was compiled with */
    const char *name; /* as in its file's name */
    const MachineType *machines;    /* ended by a NULL name */
    const DeviceTypeEntry *devices; /* for -device and -global; the same; or NULL */
} MachinePlugin;

/* The structures that a plugin and the program share, one of each: its size tells headers
 * apart that differ though somebody forgot to count the ABI number up. */
struct MachinePluginLayout {
    PCMachine machine; /* with a Machine and its MachineConfig inside */
    MachineType type;
    MachineClass machine_class;
    PCIDevice device;
    PCIDeviceClass device_class;
    X86CPU cpu;
    MemoryRegionOps ops;
    VMStateDescription state;
    VMStateField field;
};
#define MACHINE_PLUGIN_LAYOUT ((uint32_t)sizeof(struct MachinePluginLayout))

/* At file scope, once in a plugin:
 *     MACHINE_PLUGIN(.name = "example", .machines = types, .devices = devices); */
#define MACHINE_PLUGIN(...)                                                              \
    extern G_MODULE_EXPORT const MachinePlugin umbra_machine_plugin;                     \
    const MachinePlugin umbra_machine_plugin = {                                         \
        .abi = MACHINE_PLUGIN_ABI, .layout = MACHINE_PLUGIN_LAYOUT, __VA_ARGS__}

/* -- For the programs ------------------------------------------------------------ */

/* -L's directories (NULL-terminated, kept by the caller). */
void machine_plugins_set_directories(const char *const *directories);

/* Loads the plugin that would have machine type `name`, whose types are then among
 * machine.h's. True where one was loaded, now or before; false without *error where there
 * is none of that name, and with it where it cannot be used. */
bool machine_plugin_load_for(const char *name, GError **error);

/* Loads all that are found, for lists. Those that cannot be used are passed over. */
void machine_plugins_load_all(void);

/* Calls func for each plugin that was found and cannot be used, with the reason. */
void machine_plugins_foreach_broken(void (*func)(const char *path, const GError *why,
                                                 void *opaque),
                                    void *opaque);

#endif
