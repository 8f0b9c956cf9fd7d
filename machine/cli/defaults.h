/*
 * The devices that a PC has when nobody asks for any.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_CLI_DEFAULTS_H
#define MACHINE_CLI_DEFAULTS_H

#include "machine/cli/options.h"
#include "machine/machine.h"

/* Adds to the options, unless -nodefaults is among them, what QEMU's PC has: a serial and
 * a parallel port, an empty CD-ROM drive, a standard VGA; each only where the user has
 * named none of its kind and the machine type has a place for it. Before any other option
 * is carried out. */
void default_devices_add(SystemOptions *options, const MachineType *type);

#endif
