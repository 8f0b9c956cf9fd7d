/*
 * QMP: which machines, CPUs and options there are, and what the machine is made of.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/acpi/piix4-pm.h"
#include "machine/accel/cpuid.h"
#include "machine/machine.h"
#include "machine/monitor/machine-control.h"
#include "machine/monitor/qmp.h"

#define CPU_TYPE_SUFFIX "-x86_64-cpu"
#define CPU_TYPE "qemu64" CPU_TYPE_SUFFIX

static JsonNode *empty_list(JsonObject *args, GError **error)
{
    return qmp_array(json_array_new());
}

/* -- Machines -------------------------------------------------------------------- */

static void add_machine(const MachineType *type, void *opaque)
{
    JsonNode *node = qmp_object(
        "hotpluggable-cpus:b,name:s,numa-mem-supported:b,cpu-max:i,deprecated:b", false,
        type->name, false, (gint64)(type->bare ? 1 : type->max_cpus ? type->max_cpus : 255), type->deprecated != NULL);
    JsonObject *object = json_node_get_object(node);

    if (!type->bare) {
        g_autofree char *cpu = g_strconcat(type->default_cpu ? type->default_cpu : "qemu64",
                                           CPU_TYPE_SUFFIX, NULL);

        json_object_set_string_member(object, "default-cpu-type", cpu);
        json_object_set_string_member(object, "default-ram-id", "pc.ram");
    }
    if (type->is_default) {
        json_object_set_boolean_member(object, "is-default", true);
    }
    if (type->alias) {
        json_object_set_string_member(object, "alias", type->alias);
    }
    json_array_add_element(opaque, node);
}

static JsonNode *query_machines(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    machine_types_foreach(add_machine, list);
    return qmp_array(list);
}

static bool find_pm(Device *dev, void *opaque)
{
    if (G_TYPE_CHECK_INSTANCE_TYPE(dev, piix4_pm_get_type())) {
        *(bool *)opaque = true;
    }
    return true;
}

/* Whether the chipset has the power management that sleeps and wakes. */
static bool has_power_management(void)
{
    bool found = false;

    device_foreach(find_pm, &found);
    return found;
}

static JsonNode *query_current_machine(JsonObject *args, GError **error)
{
    return qmp_object("wakeup-suspend-support:b", has_power_management());
}

static JsonNode *query_acpi_ospm_status(JsonObject *args, GError **error)
{
    if (has_power_management()) {
        return empty_list(args, error);
    }
    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                "command is not supported, missing ACPI device");
    return NULL;
}

static JsonNode *query_target(JsonObject *args, GError **error)
{
    return qmp_object("arch:s", "x86_64");
}

static JsonNode *query_memory_size(JsonObject *args, GError **error)
{
    return qmp_object("base-memory:i,plugged-memory:i",
                      (gint64)machine_current()->config.ram_size, (gint64)0);
}

static JsonNode *query_replay(JsonObject *args, GError **error)
{
    return qmp_object("icount:i,mode:s", (gint64)0, "none");
}

/* -- CPUs ------------------------------------------------------------------------ */

static JsonNode *cpu_place(unsigned i)
{
    return qmp_object("core-id:i,thread-id:i,socket-id:i", (gint64)0, (gint64)0,
                      (gint64)i);
}

static JsonNode *query_cpus(JsonObject *args, GError **error)
{
    GPtrArray *cpus = machine_current()->cpus;
    JsonArray *list = json_array_new();

    for (unsigned i = 0; i < cpus->len; i++) {
        const X86CPU *cpu = cpus->pdata[i];

        json_array_add_element(
            list, qmp_object("thread-id:i,props:n,qom-path:s,cpu-index:i,target:s",
                             (gint64)machine_control_thread_id(i), cpu_place(i),
                             cpu->parent.path, (gint64)cpu->index, "x86_64"));
    }
    return qmp_array(list);
}

/* The last first, as QEMU has them. */
static JsonNode *query_hotpluggable_cpus(JsonObject *args, GError **error)
{
    GPtrArray *cpus = machine_current()->cpus;
    JsonArray *list = json_array_new();

    if (machine_current()->type->bare) {
        json_array_unref(list);
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "The feature 'query-hotpluggable-cpus' is not enabled");
        return NULL;
    }
    for (unsigned i = cpus->len; i-- > 0;) {
        const X86CPU *cpu = cpus->pdata[i];

        json_array_add_element(list, qmp_object("props:n,vcpus-count:i,qom-path:s,type:s",
                                                cpu_place(i), (gint64)1, cpu->parent.path,
                                                CPU_TYPE));
    }
    return qmp_array(list);
}

static const struct {
    const char *name, *alias_of;
    bool needs_kvm;
} models[] = {
    {"max"}, {"host", .needs_kvm = true}, {"qemu64-v1"}, {"qemu64", "qemu64-v1"}};

static JsonNode *query_cpu_definitions(JsonObject *args, GError **error)
{
    bool kvm = strcmp(accel_name(machine_current()->accel), "kvm") == 0;
    JsonArray *list = json_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        JsonArray *missing = json_array_new();
        g_autofree char *type = g_strdup_printf("%s-x86_64-cpu", models[i].name);
        JsonNode *node;

        if (models[i].needs_kvm && !kvm) {
            json_array_add_string_element(missing, "kvm");
        }
        node = qmp_object("name:s,typename:s,unavailable-features:n,static:b,"
                          "migration-safe:b,deprecated:b",
                          models[i].name, type, qmp_array(missing), false,
                          g_str_has_prefix(models[i].name, "qemu64"), false);
        if (models[i].alias_of) {
            json_object_set_string_member(json_node_get_object(node), "alias-of",
                                          models[i].alias_of);
        }
        json_array_add_element(list, node);
    }
    return qmp_array(list);
}

/* The features that have names, and the numbers that CPUID gives. */
static JsonNode *model_properties(const X86CPU *cpu)
{
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    uint32_t leaf, values[CPUID_REGISTERS];
    const char *name;
    unsigned bit;
    int reg;

    for (unsigned i = 0; (name = cpuid_feature(i, &leaf, &reg, &bit)); i++) {
        bool known = cpuid_model(leaf, cpu, values);

        json_object_set_boolean_member(object, name, known && (values[reg] >> bit & 1));
    }
    json_object_set_string_member(object, "vendor", "AuthenticAMD");
    json_object_set_int_member(object, "family", cpu->family);
    json_object_set_int_member(object, "model", cpu->model);
    json_object_set_int_member(object, "stepping", cpu->stepping);
    json_object_set_int_member(object, "min-level", cpu->level);
    json_object_set_int_member(object, "min-xlevel", 0x8000000a);
    json_object_set_string_member(object, "model-id", cpu->model_id);
    json_node_take_object(node, object);
    return node;
}

/* The client's own settings of features in `wanted`, which may be NULL. */
static bool apply_properties(JsonObject *properties, JsonNode *wanted, GError **error)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    if (!wanted) {
        return true;
    }
    if (!JSON_NODE_HOLDS_OBJECT(wanted)) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                    "Invalid parameter type for 'props', expected: dict");
        return false;
    }
    json_object_iter_init_ordered(&iter, json_node_get_object(wanted));
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        if (!json_object_has_member(properties, name)) {
            g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                        "Property '" CPU_TYPE ".%s' not found", name);
            return false;
        }
        json_object_set_member(properties, name, json_node_copy(value));
    }
    return true;
}

static JsonNode *query_cpu_model_expansion(JsonObject *args, GError **error)
{
    JsonObject *model = json_object_get_object_member(args, "model");
    const char *name = json_object_get_string_member(model, "name");
    bool is_static = strcmp(json_object_get_string_member(args, "type"), "static") == 0;
    JsonNode *properties;
    Device *cpu = NULL;
    size_t i = 0;

    while (i < G_N_ELEMENTS(models) && strcmp(models[i].name, name) != 0) {
        i++;
    }
    if (i == G_N_ELEMENTS(models)) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "CPU model '%s' not found",
                    name);
        return NULL;
    }
    cpu = device_new(TYPE_X86_CPU, error);
    if (!cpu) {
        return NULL;
    }
    properties = model_properties(X86_CPU(cpu));
    g_object_unref(cpu);
    if (!apply_properties(json_node_get_object(properties),
                          json_object_get_member(model, "props"), error)) {
        json_node_unref(properties);
        return NULL;
    }
    /* "base" is the model to which a static expansion adds all that there is. */
    return qmp_object(
        "model:n", qmp_object("name:s,props:n", is_static ? "base" : name, properties));
}

/* -- The command line ------------------------------------------------------------ */

/* Each option that is a group of parameters: "NAME:TYPE ...", s string, b boolean, n
 * number, z size. One without is open: what it takes depends on its first word. */
static const struct {
    const char *option, *parameters;
} groups[] = {
    {"machine",
     "type:s accel:s memory-backend:s acpi:b hpet:b smm:s vmport:b fd-bootchk:b "
     "pflash0:s pflash1:s max-ram-below-4g:z kernel:s initrd:s append:s firmware:s"},
    {"accel", ""},
    {"memory", "size:z"},
    {"smp-opts", "cpus:n"},
    {"boot-opts", "order:s once:s menu:b splash-time:n reboot-timeout:n strict:b"},
    {"name", "guest:s process:s debug-threads:b"},
    {"rtc", "base:s clock:s driftfix:s"},
    {"action", "reboot:s shutdown:s panic:s watchdog:s"},
    {"sandbox", "enable:b obsolete:s elevateprivileges:s spawn:s resourcecontrol:s"},
    {"msg", "timestamp:b guest-name:b"},
    {"chardev", "backend:s path:s host:s port:s fd:s to:n ipv4:b ipv6:b localaddr:s "
                "localport:s wait:b server:b delay:b nodelay:b reconnect:n telnet:b "
                "width:n height:n cols:n rows:n mux:b signal:b size:s chardev:s append:b "
                "abstract:b tight:b"},
    {"mon", "mode:s chardev:s pretty:b"},
    {"drive", "bus:n unit:n index:n media:s if:s file:s read-only:b format:s snapshot:b"},
    {"device", ""},
    {"object", ""},
    {"global", "driver:s property:s value:s"},
    {"fw_cfg", "name:s file:s string:s"},
    {"option-rom", "romfile:s bootindex:n"},
    {"add-fd", "fd:n set:n opaque:s"},
    {"trace", "enable:s events:s file:s"},
    {"acpi", ""},
    {"smbios", ""},
    {"vnc", "vnc:s"},
};

static JsonNode *group_parameters(const char *text)
{
    static const struct {
        char letter;
        const char *name;
    } types[] = {{'s', "string"}, {'b', "boolean"}, {'n', "number"}, {'z', "size"}};
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    JsonArray *list = json_array_new();

    for (char **word = words; *word; word++) {
        char *colon = strchr(*word, ':');
        size_t i = 0;

        while (types[i].letter != colon[1]) {
            i++;
        }
        *colon = '\0';
        json_array_add_element(list, qmp_object("name:s,type:s", *word, types[i].name));
    }
    return qmp_array(list);
}

static JsonNode *query_command_line_options(JsonObject *args, GError **error)
{
    const char *option = json_object_get_string_member_with_default(args, "option", NULL);
    JsonArray *list = json_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (!option || strcmp(option, groups[i].option) == 0) {
            json_array_add_element(list,
                                   qmp_object("parameters:n,option:s",
                                              group_parameters(groups[i].parameters),
                                              groups[i].option));
        }
    }
    if (option && !json_array_get_length(list)) {
        json_array_unref(list);
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "invalid option name: %s",
                    option);
        return NULL;
    }
    return qmp_array(list);
}

/* -- What there is none of ------------------------------------------------------- */

static JsonNode *query_rx_filter(JsonObject *args, GError **error)
{
    if (!json_object_has_member(args, "name")) {
        return empty_list(args, error);
    }
    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "invalid net client name: %s",
                json_object_get_string_member(args, "name"));
    return NULL;
}

static JsonNode *query_sgx(JsonObject *args, GError **error)
{
    g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                "No EPC regions defined, SGX not available");
    return NULL;
}

const QmpCommand qmp_machine_commands[] = {
    {"query-machines", "", query_machines, "[MachineInfo]"},
    {"query-current-machine", "", query_current_machine, "CurrentMachineParams"},
    {"query-target", "", query_target, "TargetInfo"},
    {"query-memory-size-summary", "", query_memory_size, "MemoryInfo"},
    {"query-memory-devices", "", empty_list, "[MemoryDeviceInfo]"},
    {"query-acpi-ospm-status", "", query_acpi_ospm_status, "[ACPIOSTInfo]"},
    {"query-iothreads", "", empty_list, "[IOThreadInfo]"},
    {"query-replay", "", query_replay, "ReplayInfo"},
    {"query-cpus-fast", "", query_cpus, "[CpuInfoFast]"},
    {"query-hotpluggable-cpus", "", query_hotpluggable_cpus, "[HotpluggableCPU]"},
    {"query-cpu-definitions", "", query_cpu_definitions, "[CpuDefinitionInfo]"},
    {"query-cpu-model-expansion", "type:CpuModelExpansionType,model:CpuModelInfo",
     query_cpu_model_expansion, "CpuModelExpansionInfo"},
    {"query-command-line-options", "option:str?", query_command_line_options,
     "[CommandLineOptionInfo]"},
    {"query-rx-filter", "name:str?", query_rx_filter, "[RxFilterInfo]"},
    {"query-tpm", "", empty_list, "[TPMInfo]"},
    {"query-tpm-models", "", empty_list, "[TpmModel]"},
    {"query-tpm-types", "", empty_list, "[TpmType]"},
    {"query-sgx", "", query_sgx, "SGXInfo"},
    {NULL},
};
