/*
 * Between the files of umbra-system-x86_64: system-main.c has the order of things,
 * configure.c makes an empty machine of the options, start.c what is connected to it.
 *
 * Every failure ends the process (fail.h). Machine lock, where there is a machine.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_SYSTEM_H
#define MACHINE_CLI_SYSTEM_H

#include "machine/cli/options.h"
#include "machine/machine.h"

/* Answers -help, -version and the like on standard output and ends the process; returns
 * where nothing of the kind was asked. */
void system_answer_help(const SystemOptions *options);

/* -readconfig FILE: adds what its sections say to the options, as if they had
 * been given. */
void system_read_config(SystemOptions *options, const char *path);

/* -- configure.c -- */

/* Says so where an option asks for what Umbra does not have. */
void system_check_choices(const SystemOptions *options);

/* The machine of the type that -machine names, with its accelerator and configuration.
 * *passed_over: a line about accelerators that cannot run here, or NULL. */
Machine *system_configure(SystemOptions *options, char **passed_over);

/* -cpu MODEL,+feature,-feature,property=value; for CPUs made from now on (cpu-
 * option.c). */
void system_set_cpu(const char *text);

/* -- start.c -- */

void system_start_traces(const SystemOptions *options);
void system_adopt_descriptors(const SystemOptions *options); /* -add-fd */
void system_make_chardevs(Machine *machine, const SystemOptions *options);
void system_make_monitors(const SystemOptions *options);
void system_make_drives(const SystemOptions *options);
/* Memory backends among them: without -m, the machine's says how much RAM there is. */
void system_make_objects(Machine *machine, const SystemOptions *options);
void system_make_devices(const SystemOptions *options);
void system_add_fw_cfg_files(Machine *machine, const SystemOptions *options);
void system_serve_harnesses(Machine *machine, const SystemOptions *options);
void system_warn_unused_globals(void);

#endif
