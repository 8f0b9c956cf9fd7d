/*
 * isa-debug-exit: a port whose value ends the process with status (value << 1) | 1.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_MISC_DEBUGEXIT_H
#define HW_MISC_DEBUGEXIT_H

#include "hw/isa/isa-bus.h"

GType isa_debug_exit_get_type(void);
#define TYPE_ISA_DEBUG_EXIT (isa_debug_exit_get_type())

#endif
