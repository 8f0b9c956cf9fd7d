/*
 * The command line of umbra-system-x86_64, in QEMU's spelling.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_OPTIONS_H
#define MACHINE_CLI_OPTIONS_H

#include <glib.h>
#include <stdbool.h>

/* What was given, as text; lists are GPtrArrays of strings in the order given. */
typedef struct SystemOptions {
    char *machine; /* all of -machine's arguments, joined */
    char *cpu, *memory, *smp;
    GPtrArray *accels; /* NULL-terminated */
    char *bios, *kernel, *initrd, *append, *rtc, *name, *uuid, *vga, *display, *vnc;
    GPtrArray *boots, *data_dirs, *blockdevs, *drives, *devices, *globals, *chardevs;
    GPtrArray *fw_cfgs, *environment;
    GPtrArray *option_roms, *machines, *smbioses, *acpi_tables, *sets, *add_fds, *config_files, *messages;
    GPtrArray *objects;
    GPtrArray *serials, *parallels, *monitors, *qmps, *qmps_pretty, *mons;
    char *incoming;
    char *debugcon, *qtest, *qtest_log, *pidfile, *sandbox, *action;
    bool nodefaults, no_user_config, nographic, stopped, no_reboot, no_shutdown;
    bool daemonize, no_acpi, no_hpet, no_fd_bootchk, snapshot, enable_kvm;
    char *gdb;
    bool gdb_default;
    char *watchdog_action;
    GPtrArray *log_items, *traces;
    char *log_file;
    char *dump_vmstate;
    bool help, version;
} SystemOptions;

/* Parses argv. False and *error for an unknown option (naming the nearest) or a missing
 * argument. */
bool system_options_parse(SystemOptions *options, int argc, char **argv, GError **error);

/* Adds one option, as if it had been on the command line: of a list one more, of the others
 * their value. False and *error for one that there is not, or that takes no argument. */
bool system_options_add(SystemOptions *options, const char *name, const char *argument,
                        GError **error);

/* -set's text: adds "NAME=VALUE" to the GROUP option that has id=ID. False and *error: not of
 * that form, no such group, none of that id. */
bool system_options_set(SystemOptions *options, const char *text, GError **error);

/* The text of -help. */
char *system_options_help(const char *program);

#endif
