/*
 * rhel6.5.0 as RHEL 6's emulator and as RHEL 7's provide it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_TYPES_RHEL6_H
#define MACHINE_TYPES_RHEL6_H

#include "machine/types/pc.h"

/* A PCMachine with the properties "emulator" and "shadow-bios-after-incoming". */
GType rhel6_machine_get_type(void);

#endif
