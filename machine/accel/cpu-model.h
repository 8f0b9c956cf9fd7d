/*
 * The processor models of -cpu and of machine types, as changes to the generic one that
 * cpuid.h describes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_ACCEL_CPU_MODEL_H
#define MACHINE_ACCEL_CPU_MODEL_H

#include <glib.h>
#include <stdbool.h>

/* For CPUs made from now on. False and *error, which lists the models: none has that name. */
bool cpu_model_set(const char *name, GError **error);

/* One feature or property of such a CPU. False: no feature has that name. */
bool cpu_model_set_feature(const char *name, bool on);
void cpu_model_set_property(const char *name, const char *value);

/* "Available CPUs:" and a line each; free it. */
char *cpu_models_describe(void);

#endif
