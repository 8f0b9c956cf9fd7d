/*
 * The "qtest" accelerator: no instruction is executed; a harness reads, writes and moves
 * the clock (machine/qtest).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/clock.h"
#include "machine/accel/vcpu.h"

static bool qtest_init(Accel *accel, GError **error)
{
    clock_virtual_manual();
    return true;
}

ACCEL_DEFINE_TYPE(Accel, accel_qtest, "qtest-accel")

static void accel_qtest_class_init(AccelClass *klass)
{
    klass->name = "qtest";
    klass->init = qtest_init;
}
