/*
 * The software CPU.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define TEST_ACCEL "x86emu"
#include "qtests/accel-cases.h"

#include "memory/accessed.h"

START_TEST(tcg_is_another_name)
{
    const char *options[] = {"tcg", NULL};
    Accel *accel = accel_select(options, NULL, NULL);

    ck_assert_ptr_nonnull(accel);
    ck_assert_str_eq(accel_name(accel), "x86emu");
}
END_TEST

START_TEST(unknown_names_get_the_nearest)
{
    const char *options[] = {"kvn", NULL}, *property[] = {"kvm,kernel-irqhip=off", NULL};
    GError *error = NULL;

    ck_assert_ptr_null(accel_select(options, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "'kvm'"));
    g_clear_error(&error);
    ck_assert_ptr_null(accel_select(property, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "kernel-irqchip"));
    g_clear_error(&error);
}
END_TEST

GUEST(program_paging)
    "mov %cr0, %eax\n or $0x80000001, %eax\n mov %eax, %cr0\n"
GUEST_END(program_paging)

START_TEST(paging_ends_in_one_clear_error)
{
    guest_start(TEST_ACCEL, program_paging, program_paging_end);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert(guest.failed);
    ck_assert_ptr_nonnull(strstr(guest.message, "-accel kvm"));
}
END_TEST

/* MOV SS holds interrupts up for one instruction; a whole segment of it has no end. */
GUEST(program_stack_segments)
    "mov $0x2000, %ax\n mov %ax, %es\n xor %di, %di\n mov $0x8000, %cx\n mov $0xd08e, %ax\n"
    "cld\n rep stosw\n xor %ax, %ax\n ljmp $0x2000, $0\n"
GUEST_END(program_stack_segments)

START_TEST(stack_segment_loads_without_end_can_be_stopped)
{
    guest_start(TEST_ACCEL, program_stack_segments, program_stack_segments_end);
    guest_run(50); /* comes back */
    ck_assert(!guest.ended && !guest.failed);
    ck_assert_uint_eq(guest.cpu->registers.segment[X86_CS].selector, 0x2000);
}
END_TEST

/* Instructions that libx86emu 3.5 gets wrong; the results are worked out from the Intel SDM,
 * volume 2. (compare-cpu has many more, beside the host's processor.) */
GUEST(program_exact)
    "mov $0x1234, %ax\n mov $0xabcd, %dx\n mov $4, %cl\n shld %cl, %dx, %ax\n" /* 234a */
    "out %al, $0x11\n mov %ah, %al\n out %al, $0x11\n"
    "mov $33, %ax\n btsw %ax, 0x500\n mov 0x504, %al\n add $0x30, %al\n out %al, $0x11\n"
    "stc\n mov $0x20, %al\n rcl $10, %al\n out %al, $0x11\n" /* ten are one, of nine bits */
    "mov $0x12, %ah\n sahf\n mov $0, %al\n das\n sub $0xba, %al\n out %al, $0x11\n" /* fa */
    "movl $0x00640000, 0x508\n mov $7, %ax\n bound %ax, 0x508\n"
    "add $0x40, %al\n out %al, $0x11\n"
GUEST_END(program_exact)

START_TEST(instructions_that_the_library_gets_wrong)
{
    guest_expect_log(program_exact, "J#2A@G");
}
END_TEST

/* Instructions that libx86emu 3.5 does not survive: prefixes without end (they run over
 * its text buffer, or it never comes back), AAM 0 (divides the host by it). Vector 13 and
 * vector 0 log and go to the next test. */
GUEST(program_hazards)
    "movw $(1f-program_hazards+0x1000), %ds:0x34\n movw $0, %ds:0x36\n"
    "movw $(2f-program_hazards+0x1000), %ds:0\n movw $0, %ds:2\n"
    ".fill 100, 1, 0xf0\n nop\n"
    "1: mov $0x47, %al\n out %al, $0x11\n"
    "movw $(3f-program_hazards+0x1000), %ds:0x34\n"
    ".byte 0xd4, 0\n"
    "2: mov $0x44, %al\n out %al, $0x11\n"
    /* a whole segment of prefixes */
    "mov $0x2000, %ax\n mov %ax, %es\n xor %di, %di\n mov $0x8000, %cx\n mov $0x6666, %ax\n"
    "cld\n rep stosw\n ljmp $0x2000, $0\n"
    "3: mov $0x53, %al\n out %al, $0x11\n"
GUEST_END(program_hazards)

START_TEST(guests_cannot_hurt_the_library)
{
    guest_expect_log(program_hazards, "GDS");
}
END_TEST

START_TEST(long_string_instructions_pause)
{
    pause_often(program_spin_string, program_spin_string_end);
}
END_TEST

/* FXSAVE after a reset; what FXRSTOR has loaded comes back; an address that is not a
 * multiple of 16, a reserved bit of MXCSR and CR0.TS are faults (SDM volume 2, FXRSTOR). */
GUEST(program_fxsave)
    "movw $(1f-program_fxsave+0x1000), %ds:0x34\n movw $0, %ds:0x36\n"
    "movw $(2f-program_fxsave+0x1000), %ds:0x1c\n movw $0, %ds:0x1e\n"
    "fxsave %ds:0x600\n cmpw $0x37f, %ds:0x600\n jne 9f\n"
    "cmpl $0x1f80, %ds:0x618\n jne 9f\n"
    "movb $0x5f, %ds:0x619\n movb $0x41, %ds:0x6a0\n fxrstor %ds:0x600\n"
    "movb $0, %ds:0x619\n movb $0, %ds:0x6a0\n fxsave %ds:0x600\n"
    "mov %ds:0x6a0, %al\n out %al, $0x11\n mov %ds:0x619, %al\n out %al, $0x11\n"
    "mov $0x31, %bl\n fxsave %ds:0x604\n"
    "mov $0x32, %bl\n movb $1, %ds:0x61a\n fxrstor %ds:0x600\n"
    "mov $0x33, %bl\n mov %cr0, %eax\n or $8, %al\n mov %eax, %cr0\n fxsave %ds:0x600\n"
    "jmp 8f\n"
    "9: mov $0x21, %al\n out %al, $0x11\n jmp 8f\n"
    "1: mov $0x47, %al\n jmp 3f\n"
    "2: mov $0x4e, %al\n"
    "3: out %al, $0x11\n mov %bl, %al\n out %al, $0x11\n"
    "mov %sp, %bp\n addw $5, (%bp)\n iret\n" /* all of them are five bytes long */
    "8: nop\n"
GUEST_END(program_fxsave)

START_TEST(fxsave_keeps_what_fxrstor_loads)
{
    guest_expect_log(program_fxsave, "A_G1G2N3");
}
END_TEST

/* CR0.ET is 1 whatever is written (SDM volume 3, section 2.5). */
GUEST(program_cr0)
    "mov $1, %eax\n mov %eax, %cr0\n mov %cr0, %eax\n add $0x30, %al\n"
    "out %al, $0x11\n xor %eax, %eax\n mov %eax, %cr0\n mov %cr0, %eax\n"
    "add $0x30, %al\n out %al, $0x11\n"
GUEST_END(program_cr0)

START_TEST(et_of_cr0_stays)
{
    guest_expect_log(program_cr0, "A@"); /* 0x11 and 0x10 */
}
END_TEST

/* LTR marks the segment busy, and takes no other than one that is a task's, there and not
 * busy (SDM volume 2A): type, then G or N for the fault and its error code. */
GUEST(program_task)
    "cli\n lgdtl %cs:(3f-program_task+0x1000)\n lidtl %cs:(5f-program_task+0x1000)\n"
    "mov %cr0, %eax\n or $1, %eax\n mov %eax, %cr0\n"
    "ljmpl $8, $(1f-program_task+0x1000)\n"
    ".balign 8\n"
    "2: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x0000890050000067,"
    "   0x0000090050000067\n"
    "3: .word 0x27\n .long 2b-program_task+0x1000\n"
    "4: .skip 88\n .word 6f-program_task+0x1000, 8, 0x8e00, 0\n"
    "   .skip 8\n .word 7f-program_task+0x1000, 8, 0x8e00, 0\n"
    "5: .word 0x6f\n .long 4b-program_task+0x1000\n"
    ".code32\n"
    "6: mov $0x4e, %al\n jmp 8f\n"
    "7: mov $0x47, %al\n"
    "8: out %al, $0x11\n pop %eax\n add $0x30, %al\n out %al, $0x11\n"
    "addl $3, (%esp)\n iret\n" /* behind the LTR */
    "1: mov $0x10, %ax\n mov %ax, %ds\n mov %ax, %ss\n mov $0x8000, %esp\n"
    "mov $0x18, %ax\n ltr %ax\n"
    "mov 2b-program_task+0x101d, %al\n and $0xf, %al\n add $0x30, %al\n out %al, $0x11\n"
    "mov $0x18, %ax\n ltr %ax\n mov $0x20, %ax\n ltr %ax\n mov $0, %ax\n ltr %ax\n"
    "mov $0x10, %ax\n ltr %ax\n mov $0x2b, %ax\n ltr %ax\n"
    "str %ax\n add $0x30, %al\n out %al, $0x11\n"
    ".code16\n"
GUEST_END(program_task)

START_TEST(task_segments_become_busy)
{
    guest_expect_log(program_task, ";GHNPG0G@GXH"); /* 0x18, 0x20, 0, 0x10, 0x28; 0x18 */
}
END_TEST

GUEST(program_a20)
    "mov $0xffff, %ax\n mov %ax, %es\n movb $0x41, %es:0x510\n mov %ds:0x500, %al\n"
    "out %al, $0x11\n"
GUEST_END(program_a20)

START_TEST(a20_gate_wraps)
{
    guest_start(TEST_ACCEL, program_a20, program_a20_end);
    x86_cpu_set_a20(guest.cpu, false);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert(guest.ended);
    ck_assert_str_eq(guest.log->str, "A");
}
END_TEST

/* Coprocessor instructions find nobody: FNSTSW leaves AX as it was. */
GUEST(program_no_fpu)
    "mov $0x5a5a, %ax\n fninit\n fnstsw %ax\n cmp $0x5a5a, %ax\n jne 1f\n"
    "mov $0x4e, %al\n out %al, $0x11\n 1:\n"
GUEST_END(program_no_fpu)

START_TEST(there_is_no_fpu)
{
    guest_expect_log(program_no_fpu, "N");
}
END_TEST

/* Reads at 0x20000 and writes at 0x30000, from code at 0x1000, and ends. */
GUEST(program_touch)
    "mov $0x2000, %ax\n mov %ax, %ds\n mov 0x10, %bl\n"
    "mov $0x3000, %ax\n mov %ax, %ds\n mov %bl, 0x20\n"
GUEST_END(program_touch)

START_TEST(accessed_pages_show)
{
    unsigned long pages[512 / 64] = {0};
    RAMBlock *block;

    guest_start(TEST_ACCEL, program_touch, program_touch_end);
    block = memory_region_ram_block(&guest.ram);
    ck_assert_uint_eq(ram_block_harvest_accessed(block, 0, MiB(2), pages), 0);
    ck_assert(ram_accessed_log_start());
    guest_run(GUEST_PATIENCE_MS);
    ck_assert(guest.ended);
    ck_assert_uint_eq(ram_block_harvest_accessed(block, 0, MiB(2), pages), 3);
    ck_assert_uint_eq(pages[0], 1ul << 1 | 1ul << 0x20 | 1ul << 0x30);
    for (size_t i = 1; i < G_N_ELEMENTS(pages); i++) {
        ck_assert_uint_eq(pages[i], 0);
    }

    /* Nothing since; then, going on in HLT's loop, the code's page alone. */
    memset(pages, 0, sizeof(pages));
    ck_assert_uint_eq(ram_block_harvest_accessed(block, 0, MiB(2), pages), 0);
    guest.ended = false;
    guest.cpu->registers.rip = GUEST_CODE;
    accel_set_registers(guest.cpu);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert(guest.ended);
    /* Bit 0 of the result is the page at the offset: 0x20 counted from 0x20. */
    ck_assert_uint_eq(ram_block_harvest_accessed(block, 0x20000, 0x1000, pages), 1);
    ck_assert_uint_eq(pages[0], 1);
    ram_accessed_log_stop();
    ck_assert_uint_eq(ram_block_harvest_accessed(block, 0, MiB(2), pages), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("x86emu");
    TCase *cases = tcase_create("cases"), *own = tcase_create("own");
    SRunner *runner;
    int failed;

    add_accel_cases(cases);
    suite_add_tcase(suite, cases);
    tcase_add_test(own, tcg_is_another_name);
    tcase_add_test(own, unknown_names_get_the_nearest);
    tcase_add_test(own, paging_ends_in_one_clear_error);
    tcase_add_test(own, fxsave_keeps_what_fxrstor_loads);
    tcase_add_test(own, et_of_cr0_stays);
    tcase_add_test(own, task_segments_become_busy);
    tcase_add_test(own, guests_cannot_hurt_the_library);
    tcase_add_test(own, instructions_that_the_library_gets_wrong);
    tcase_add_test(own, stack_segment_loads_without_end_can_be_stopped);
    tcase_add_test(own, long_string_instructions_pause);
    tcase_add_test(own, a20_gate_wraps);
    tcase_add_test(own, there_is_no_fpu);
    tcase_add_test(own, accessed_pages_show);
    suite_add_tcase(suite, own);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
