/*
 * A machine that stands still, for the subcommands that look at its memory map.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_UMBRA_MACHINE_H
#define MACHINE_CLI_UMBRA_MACHINE_H

#include "machine/machine.h"

/* What the options below leave: zero it first. */
typedef struct UmbraMachineOptions {
    char *machine;  /* TYPE[,PROPERTY=VALUE...]; NULL: the default type */
    char *accel;    /* NULL: qtest, which needs nothing of the host */
    char *memory;   /* as -m; NULL: the type's */
    char *firmware; /* as -bios; NULL: the type's */
    char **devices; /* as -device */
    char **pam;     /* "0x59=0x30": what the firmware has written to PAM registers */
    char **pci;     /* "02.0:0x5c.l=0x1ad00000": and to devices' configuration space */
} UmbraMachineOptions;

/* Rows for the GOptionEntry table of a subcommand. */
/* clang-format off */
#define UMBRA_MACHINE_ENTRIES(options)                                                   \
    {"machine", 'M', 0, G_OPTION_ARG_STRING, &(options)->machine,                        \
     "the machine type, with its properties as for -M", "TYPE"},                         \
    {"accel", 0, 0, G_OPTION_ARG_STRING, &(options)->accel,                              \
     "qtest (the default), kvm or x86emu", "NAME"},                                      \
    {"memory", 'm', 0, G_OPTION_ARG_STRING, &(options)->memory,                          \
     "how much RAM: 128, 512M, 4G", "SIZE"},                                             \
    {"bios", 0, 0, G_OPTION_ARG_STRING, &(options)->firmware,                            \
     "the firmware image instead of the type's", "FILE"},                                \
    {"device", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(options)->devices,                     \
     "add a device, as with -device", "DEVICE"},                                         \
    {"pam", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(options)->pam,                            \
     "set a PAM register (0x59-0x5f), as firmware does", "REG=VALUE"},                   \
    {"pci", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(options)->pci,                            \
     "write to a PCI device's configuration space, as firmware does: "                   \
     "02.0:0x5c=0x1ad00000; .b or .w after the register for a byte or a word",           \
     "ADDR:REG=VALUE"}
/* clang-format on */

/* The machine of TYPE[,PROPERTY=VALUE...] (NULL: the default type) for that accelerator
 * (NULL: qtest), still to be configured and built, without default devices. Machine lock.
 * NULL and *error when there is no such type, property or accelerator. */
Machine *umbra_machine_new(const char *text, const char *accel, GError **error);

/* Builds and resets it. The machine lock is held from now on, and the process is to end
 * when the question is answered. NULL and *error when the machine cannot be built. */
Machine *umbra_machine_build(const UmbraMachineOptions *options, GError **error);

#endif
