/*
 * The KVM accelerator. Skips, and says why, where this host cannot.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define TEST_ACCEL "kvm,kernel-irqchip=off"
#define TEST_LATE_INTERRUPTS
#include "qtests/accel-cases.h"

#include <stdio.h>

#include "machine/accel/kvm-internal.h"

/* meson's exit status for a test that could not run */
#define SKIPPED 77

/* A switch costs one slot deleted and one added, and the main RAM's is not among them. */
START_TEST(switch_replaces_one_slot)
{
    unsigned long before;

    guest_start(TEST_ACCEL, program_spin, program_spin_end);
    before = kvm_memory_slot_updates();
    guest_show(WINDOW_RAM);
    ck_assert_uint_eq(kvm_memory_slot_updates() - before, 2);
    guest_show(WINDOW_ROM);
    ck_assert_uint_eq(kvm_memory_slot_updates() - before, 4);
    guest_show(WINDOW_NOTHING);
    ck_assert_uint_eq(kvm_memory_slot_updates() - before, 5);
    /* What changes and comes back inside a transaction costs nothing. */
    memory_region_transaction_begin();
    guest_show(WINDOW_RAM);
    guest_show(WINDOW_NOTHING);
    memory_region_transaction_commit();
    ck_assert_uint_eq(kvm_memory_slot_updates() - before, 5);
}
END_TEST

START_TEST(kernel_irqchip_is_on_by_default)
{
    guest_start("kvm", program_spin, program_spin_end);
    ck_assert(accel_irqchip_in_kernel(guest.accel));
    guest_run(5);
    ck_assert(!guest.failed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kvm");
    TCase *cases = tcase_create("cases"), *own = tcase_create("own");
    GError *error = NULL;
    SRunner *runner;
    int failed;

    if (!accel_usable("kvm", &error)) {
        printf("skipped: %s\n", error->message);
        return SKIPPED;
    }
    /* Each test has a process of its own; a VM belongs to the one that made it. */
    accel_kvm_close();
    add_accel_cases(cases);
    suite_add_tcase(suite, cases);
    tcase_add_test(own, switch_replaces_one_slot);
    tcase_add_test(own, kernel_irqchip_is_on_by_default);
    suite_add_tcase(suite, own);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
