/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_TYPES_NONE_H
#define MACHINE_TYPES_NONE_H

#include "machine/machine.h"

/* The table of types for machine_types_add(). */
const MachineType *none_machine_types(void);

#endif
