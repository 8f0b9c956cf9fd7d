/*
 * pc-testdev: what kvm-unit-tests look for on a PC: ports and memory that keep what is
 * written, ports that pull the ISA bus's interrupt lines, and one (which does nothing) to
 * flush a page of the guest's RAM.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_MISC_PC_TESTDEV_H
#define HW_MISC_PC_TESTDEV_H

#include "hw/isa/isa-bus.h"

GType pc_testdev_get_type(void);
#define TYPE_PC_TESTDEV (pc_testdev_get_type())

#endif
