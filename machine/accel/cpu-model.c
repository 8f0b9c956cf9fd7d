/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/cpu-model.h"

#include <string.h>

#include "hw/core/property.h"
#include "machine/accel/cpuid.h"

#define CPU_DRIVER "qemu64-x86_64-cpu"

/* QEMU's models that are the generic processor with features more or less. */
static const struct {
    const char *name, *desc;
    const char *properties; /* "name=value ..." */
    const char *features;   /* "+name -name ..." */
} models[] = {
    {"qemu64", "QEMU Virtual CPU version 2.5+", "", ""},
    {"qemu64-v1", "QEMU Virtual CPU version 2.5+", "", ""},
    {"host", "the host's, as far as KVM and the model below have it", "", ""},
    {"max", "all that there is", "", ""},
    {"qemu32", "QEMU Virtual CPU version 2.5+", "family=6 model=6 stepping=3 min-level=4",
     "-clflush -cx16 -lahf-lm -lm -mca -mtrr -nx -pse36 -syscall"},
    {"kvm64", "Common KVM processor", "family=15 model=6", "+vme -lahf-lm"},
    {"kvm32", "Common 32-bit KVM processor", "family=15 model=6 min-level=5",
     "+vme -cx16 -lahf-lm -lm -nx -syscall"},
    {"486", "", "family=4 model=8 stepping=0 min-level=1",
     "+vme -apic -clflush -cmov -cx16 -cx8 -de -fxsr -lahf-lm -lm -mca -mce -mmx -msr "
     "-mtrr -nx -pae -pat -pge -pni -pse36 -sep -sse -sse2 -syscall -tsc"},
    {"pentium", "", "family=5 model=4 stepping=3 min-level=1",
     "+vme -clflush -cmov -cx16 -fxsr -lahf-lm -lm -mca -mtrr -nx -pae -pat -pge -pni "
     "-pse36 -sep -sse -sse2 -syscall"},
    {"pentium2", "", "family=6 model=5 stepping=2 min-level=2",
     "+vme -clflush -cx16 -lahf-lm -lm -nx -pni -sse -sse2 -syscall"},
    {"pentium3", "", "family=6 model=7 stepping=3 min-level=3",
     "+vme -clflush -cx16 -lahf-lm -lm -nx -pni -sse2 -syscall"},
    {"athlon", "QEMU Virtual CPU version 2.5+", "family=6 model=2 stepping=3 min-level=2",
     "+3dnow +3dnowext +mmxext +vme -clflush -cx16 -lahf-lm -lm -nx -pni -syscall"},
};

void cpu_model_set_property(const char *name, const char *value)
{
    device_add_global(CPU_DRIVER, g_strdup(name), g_strdup(value), false);
}

/* The local APIC's bit is the machine's too, so it is a property. */
bool cpu_model_set_feature(const char *name, bool on)
{
    if (strcmp(name, "apic") == 0) {
        cpu_model_set_property(name, on ? "on" : "off");
        return true;
    }
    return cpuid_feature_set(name, on);
}

static char *list_names(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        g_ptr_array_add(names, (gpointer)models[i].name);
    }
    g_ptr_array_add(names, NULL);
    return g_strjoinv(", ", (char **)names->pdata);
}

bool cpu_model_set(const char *name, GError **error)
{
    g_auto(GStrv) properties = NULL, features = NULL;
    size_t i = 0;

    while (i < G_N_ELEMENTS(models) && strcmp(models[i].name, name) != 0) {
        i++;
    }
    if (i == G_N_ELEMENTS(models)) {
        g_autofree char *names = list_names();

        return refuse_argument(error, "unable to find CPU model '%s'; Umbra has %s", name,
                               names);
    }
    properties = g_strsplit(models[i].properties, " ", 0);
    features = g_strsplit(models[i].features, " ", 0);
    for (char **each = properties; *each && **each; each++) {
        g_auto(GStrv) pair = g_strsplit(*each, "=", 2);

        cpu_model_set_property(pair[0], pair[1]);
    }
    for (char **each = features; *each && **each; each++) {
        cpu_model_set_feature(*each + 1, **each == '+');
    }
    return true;
}

char *cpu_models_describe(void)
{
    GString *out = g_string_new("Available CPUs:\n");

    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        g_string_append_printf(out, "x86 %-20s  %s\n", models[i].name, models[i].desc);
    }
    return g_string_free(out, FALSE);
}
