/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/accel/vcpu.h"

ACCEL_DEFINE_TYPE(Accel, accel_x86emu, "x86emu-accel")

static void accel_x86emu_class_init(AccelClass *klass)
{
    klass->name = "x86emu";
}
