/*
 * What every accelerator must do, as guest programs. Included by one test per
 * accelerator, which defines TEST_ACCEL.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_ACCEL_CASES_H
#define QTESTS_ACCEL_CASES_H

#include <unistd.h>

#include "qtests/accel-guest.h"

/* Each byte read after a switch shows the new side, whatever was read before. */
GUEST(program_switch)
    "mov $0xc000, %ax\n mov %ax, %ds\n"
    "mov $3, %cx\n"
    "1: mov $1, %al\n out %al, $0x10\n movb $0x41, %ds:0\n mov %ds:0, %al\n"
    "out %al, $0x11\n"
    "mov $0, %al\n out %al, $0x10\n mov %ds:0, %al\n out %al, $0x11\n"
    "mov $3, %al\n out %al, $0x10\n mov %ds:0, %al\n cmp $0x72, %al\n je 2f\n"
    "mov $0x2e, %al\n 2: out %al, $0x11\n"
    "loop 1b\n"
GUEST_END(program_switch)

START_TEST(switch_is_seen_by_the_next_read)
{
    guest_start(TEST_ACCEL, program_switch, program_switch_end);
    memory_region_get_ram_ptr(&guest.rom);
    address_space_write_rom(&guest.memory, GUEST_WINDOW, MEMTXATTRS_UNSPECIFIED, "r", 1);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert(guest.ended);
    ck_assert_str_eq(guest.log->str, "Ar.Ar.Ar.");
}
END_TEST

/* The code after OUT comes from the other side: it lies in the window itself. */
GUEST(program_switch_under_code)
    "ljmp $0xc000, $0\n"
GUEST_END(program_switch_under_code)
GUEST(window_rom)
    "mov $1, %al\n out %al, $0x10\n mov $0x52, %al\n out %al, $0x11\n"
GUEST_END(window_rom)
GUEST(window_ram)
    "mov $1, %al\n out %al, $0x10\n mov $0x41, %al\n out %al, $0x11\n"
GUEST_END(window_ram)

START_TEST(switch_is_seen_by_the_next_instruction)
{
    guest_start(TEST_ACCEL, program_switch_under_code, program_switch_under_code_end);
    memcpy(memory_region_get_ram_ptr(&guest.rom), window_rom,
           (size_t)(window_rom_end - window_rom));
    memcpy((uint8_t *)memory_region_get_ram_ptr(&guest.ram) + GUEST_WINDOW, window_ram,
           (size_t)(window_ram_end - window_ram));
    guest_run(GUEST_PATIENCE_MS);
    ck_assert(guest.ended);
    ck_assert_str_eq(guest.log->str, "A");
}
END_TEST

/* Mode 2 of a PAM window: reads come from ROM, writes go to the RAM below. */
GUEST(program_split)
    "mov $0xc000, %ax\n mov %ax, %ds\n"
    "mov $2, %al\n out %al, $0x10\n"
    "movb $0x57, %ds:0x10\n movw $0x5857, %ds:0x21\n"
    "mov %ds:0x10, %al\n out %al, $0x11\n"
    "mov $1, %al\n out %al, $0x10\n"
    "mov %ds:0x10, %al\n out %al, $0x11\n mov %ds:0x22, %al\n out %al, $0x11\n"
GUEST_END(program_split)

START_TEST(split_reads_rom_and_writes_ram)
{
    guest_start(TEST_ACCEL, program_split, program_split_end);
    memset(memory_region_get_ram_ptr(&guest.rom), 'r', GUEST_WINDOW_SIZE);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert(guest.ended);
    ck_assert_str_eq(guest.log->str, "rWX");
}
END_TEST

GUEST(program_rom_write)
    "mov $0xc000, %ax\n mov %ax, %ds\n"
    "movb $0x57, %ds:0x10\n mov %ds:0x10, %al\n out %al, $0x11\n"
    "mov $1, %al\n out %al, $0x10\n movb $0x57, %ds:0x10\n mov %ds:0x10, %al\n"
    "out %al, $0x11\n"
GUEST_END(program_rom_write)

START_TEST(rom_is_not_written)
{
    guest_start(TEST_ACCEL, program_rom_write, program_rom_write_end);
    memset(memory_region_get_ram_ptr(&guest.rom), 'r', GUEST_WINDOW_SIZE);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert(guest.ended);
    ck_assert_str_eq(guest.log->str, "rW");
    ck_assert_int_eq(((uint8_t *)memory_region_get_ram_ptr(&guest.rom))[0x10], 'r');
}
END_TEST

GUEST(program_self_modifying)
    "mov $3, %cx\n mov $0x61, %bl\n"
    "1: mov %bl, %cs:(2f+1-program_self_modifying+0x1000)\n"
    "2: mov $0, %al\n out %al, $0x11\n inc %bl\n loop 1b\n"
GUEST_END(program_self_modifying)

START_TEST(code_may_change_itself)
{
    guest_expect_log(program_self_modifying, "abc");
}
END_TEST

/* Vector 0x20 logs BL. One instruction runs between STI and the interrupt; after POP SS
 * too, and with IF clear none comes. */
#define SET_VECTOR                                                                         \
    "movw $(7f-0b+0x1000), %ds:0x80\n movw $0, %ds:0x82\n"                                 \
    "jmp 8f\n 7: mov %bl, %al\n out %al, $0x11\n iret\n 8:\n"

GUEST(program_sti)
    "0:" SET_VECTOR
    "cli\n mov $0x30, %bl\n out %al, $0x13\n inc %bl\n inc %bl\n"
    "sti\n inc %bl\n inc %bl\n inc %bl\n"
    "mov %bl, %al\n out %al, $0x11\n"
GUEST_END(program_sti)

/* KVM looks for an open window only between two stretches of emulated code. */
#ifndef TEST_LATE_INTERRUPTS
START_TEST(sti_holds_an_interrupt_for_one_instruction)
{
    guest_expect_log(program_sti, "35");
}
END_TEST

GUEST(program_mov_ss)
    "0:" SET_VECTOR
    "mov $0x30, %bl\n sti\n nop\n xor %cx, %cx\n"
    /* The interrupt becomes pending before MOV SS; POPF lets it in after the next. */
    "pushf\n pop %dx\n cli\n out %al, $0x13\n push %dx\n popf\n nop\n"
    "inc %bl\n mov %bl, %al\n out %al, $0x11\n"
GUEST_END(program_mov_ss)

START_TEST(popf_lets_interrupts_in)
{
    guest_expect_log(program_mov_ss, "01");
}
END_TEST
#else
GUEST(program_sti_late)
    "0:" SET_VECTOR
    "cli\n mov $0x49, %bl\n out %al, $0x13\n sti\n xor %cx, %cx\n 1: loop 1b\n"
    "mov $0x6f, %al\n out %al, $0x11\n"
GUEST_END(program_sti_late)

START_TEST(sti_lets_interrupts_in)
{
    guest_expect_log(program_sti_late, "Io");
}
END_TEST
#endif

GUEST(program_halt)
    "0:" SET_VECTOR
    "mov $0x48, %bl\n sti\n hlt\n mov $0x6f, %al\n out %al, $0x11\n"
GUEST_END(program_halt)

START_TEST(halt_waits_for_an_interrupt)
{
    guest_start(TEST_ACCEL, program_halt, program_halt_end);
    guest_run(20);
    ck_assert(!guest.ended);
    ck_assert(guest.cpu->halted);
    ck_assert_str_eq(guest.log->str, "");
    x86_cpu_set_intr(guest.cpu, true);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert(guest.ended);
    ck_assert_str_eq(guest.log->str, "Ho");
}
END_TEST

/* As firmware does: to 32-bit protected mode, over 1 MiB, and back to real mode. */
GUEST(program_protected)
    "mov $3, %cx\n"
    "1: cli\n lgdtl %cs:(3f-program_protected+0x1000)\n"
    "mov %cr0, %eax\n or $1, %eax\n mov %eax, %cr0\n"
    "ljmpl $8, $(4f-program_protected+0x1000)\n"
    ".code32\n"
    "4: mov $0x10, %ax\n mov %ax, %ds\n mov %ax, %ss\n"
    "movl $0x50, 0x100000\n mov 0x100000, %al\n out %al, $0x11\n"
    "push %ecx\n pop %ebx\n add $0x30, %bl\n mov %bl, %al\n out %al, $0x11\n"
    "ljmpw $0x18, $(5f-program_protected+0x1000)\n"
    ".code16\n"
    "5: mov $0x20, %ax\n mov %ax, %ds\n mov %ax, %ss\n"
    "mov %cr0, %eax\n and $0xfffffffe, %eax\n mov %eax, %cr0\n"
    "ljmpw $0, $(6f-program_protected+0x1000)\n"
    "6: xor %ax, %ax\n mov %ax, %ds\n mov %ax, %ss\n"
    "mov $0x52, %al\n out %al, $0x11\n loop 7f\n jmp 8f\n 7: jmp 1b\n"
    ".balign 8\n"
    "2: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00009b000000ffff,"
    "   0x000093000000ffff\n"
    "3: .word 0x27\n .long 2b-program_protected+0x1000\n"
    "8:\n"
GUEST_END(program_protected)

START_TEST(modes_switch_both_ways)
{
    guest_expect_log(program_protected, "P3RP2RP1R");
}
END_TEST

/* In protected mode, as operating systems do it. */
#define TRIPLE_FAULT(name, instruction)                                                  \
    "cli\n lgdtl %cs:(3f-" name "+0x1000)\n"                                             \
    "mov %cr0, %eax\n or $1, %eax\n mov %eax, %cr0\n"                                    \
    "ljmpl $8, $(4f-" name "+0x1000)\n"                                                  \
    ".code32\n"                                                                          \
    "4: mov $0x10, %ax\n mov %ax, %ds\n mov %ax, %ss\n"                                  \
    "lidt 5f-" name "+0x1000\n" instruction "\n"                                         \
    ".code16\n"                                                                          \
    ".balign 8\n"                                                                        \
    "2: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"                               \
    "3: .word 0x17\n .long 2b-" name "+0x1000\n"                                         \
    "5: .word 0\n .long 0\n"
GUEST(program_triple_fault)
    TRIPLE_FAULT("program_triple_fault", "ud2")
GUEST_END(program_triple_fault)

/* SeaBIOS' way, if all others have failed. */
GUEST(program_breakpoint)
    TRIPLE_FAULT("program_breakpoint", "int3")
GUEST_END(program_breakpoint)

static void run_triple_fault(const uint8_t *program, const uint8_t *end)
{
    guest_start(TEST_ACCEL, program, end);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert_msg(guest.reset, "%s at %x", guest.failed ? guest.message : "no reset",
                  (unsigned)guest.cpu->registers.rip);
    ck_assert_str_eq(guest.reset_source, "triple-fault");
}

START_TEST(triple_fault_asks_for_a_reset)
{
    run_triple_fault(program_triple_fault, program_triple_fault_end);
}
END_TEST

START_TEST(breakpoint_without_idt_asks_for_a_reset)
{
    run_triple_fault(program_breakpoint, program_breakpoint_end);
}
END_TEST

/* Reset in the middle of an access: what it would have written to a register is lost. */
START_TEST(reset_starts_afresh)
{
    run_triple_fault(program_triple_fault, program_triple_fault_end);
    device_reset_all();
    accel_get_registers(guest.cpu);
    ck_assert_uint_eq(guest.cpu->registers.rip, 0xfff0);
    ck_assert_uint_eq(guest.cpu->registers.segment[X86_CS].base, 0xffff0000);
    ck_assert_uint_eq(guest.cpu->registers.segment[X86_CS].selector, 0xf000);
    ck_assert_uint_eq(guest.cpu->registers.idt_limit, 0xffff);
    ck_assert_uint_eq(guest.cpu->registers.cr0, 0x60000010);
}
END_TEST

GUEST(program_string_io)
    "cld\n mov $0x12, %dx\n mov $0x2000, %di\n mov $5, %cx\n rep insb\n"
    "mov $0x2000, %si\n mov $5, %cx\n"
    "1: addb $0x30, (%si)\n inc %si\n loop 1b\n"
    "mov $0x2000, %si\n mov $0x11, %dx\n mov $5, %cx\n rep outsb\n"
    "std\n mov $0x2004, %si\n mov $3, %cx\n rep outsb\n"
GUEST_END(program_string_io)

START_TEST(string_input_and_output)
{
    guest_expect_log(program_string_io, "01234432");
}
END_TEST

GUEST(program_strings)
    "cld\n mov $0x2000, %di\n mov $0x6261, %ax\n mov $3, %cx\n rep stosw\n"
    "movb $0x7a, %ds:0x2006\n"
    "mov $0x2000, %si\n mov $0x2ffd, %di\n mov $7, %cx\n rep movsb\n" /* over a page end */
    "mov $0x2ffd, %di\n mov $0x7a, %al\n mov $0xffff, %cx\n repne scasb\n"
    "mov %di, %ax\n sub $0x2ffd, %ax\n add $0x30, %al\n out %al, $0x11\n"
    "mov $0x2000, %si\n mov $0x2ffd, %di\n mov $7, %cx\n repe cmpsb\n"
    "jne 1f\n mov $0x3d, %al\n out %al, $0x11\n 1:\n"
    /* An overlap repeats the first byte. */
    "movb $0x78, %ds:0x4000\n mov $0x4000, %si\n mov $0x4001, %di\n mov $9, %cx\n"
    "rep movsb\n mov %ds:0x4009, %al\n out %al, $0x11\n"
GUEST_END(program_strings)

START_TEST(string_instructions)
{
    guest_expect_log(program_strings, "7=x");
}
END_TEST

GUEST(program_divide_error)
    "movw $(1f-program_divide_error+0x1000), %ds:0\n movw $0, %ds:2\n"
    "mov $0x8000, %dx\n xor %ax, %ax\n mov $-1, %bx\n idiv %bx\n" /* overflows: 16 bits */
    "mov $0x80000000, %edx\n xor %eax, %eax\n mov $-1, %ebx\n idiv %ebx\n"
    "xor %bl, %bl\n div %bl\n"
    "jmp 2f\n"
    /* The return address is that of the instruction: skip by its length. */
    "1: push %ax\n mov $0x44, %al\n out %al, $0x11\n pop %ax\n push %bp\n mov %sp, %bp\n"
    "push %si\n mov 2(%bp), %si\n cmpb $0x66, %cs:(%si)\n jne 3f\n incw 2(%bp)\n"
    "3: addw $2, 2(%bp)\n pop %si\n pop %bp\n iret\n"
    "2:\n"
GUEST_END(program_divide_error)

START_TEST(divide_errors_are_faults)
{
    guest_expect_log(program_divide_error, "DDD");
}
END_TEST

/* From inside: results and flags that the processor's manual gives. A letter each. */
GUEST(program_arithmetic)
    "xor %bx, %bx\n"
    "mov $0x7f, %al\n add $1, %al\n jno 9f\n jns 9f\n jc 9f\n jz 9f\n inc %bx\n"   /* 1 */
    "mov $0xff, %al\n add $1, %al\n jo 9f\n jnc 9f\n jnz 9f\n inc %bx\n"           /* 2 */
    "stc\n mov $0x80, %al\n sbb $0, %al\n jno 9f\n jc 9f\n cmp $0x7f, %al\n jne 9f\n inc %bx\n"
    "mov $1, %ax\n cmp $2, %ax\n jae 9f\n jge 9f\n jns 9f\n inc %bx\n"             /* 4 */
    "mov $-1, %ax\n cmp $1, %ax\n jb 9f\n jge 9f\n inc %bx\n"                      /* 5 */
    "stc\n mov $1, %ax\n inc %ax\n jnc 9f\n clc\n mov $-1, %ax\n inc %ax\n jc 9f\n"
    "jnz 9f\n inc %bx\n"                                                          /* 6 */
    "mov $0x81, %al\n shl $1, %al\n jnc 9f\n jno 9f\n cmp $2, %al\n jne 9f\n inc %bx\n"
    "mov $0x81, %al\n sar $1, %al\n jnc 9f\n cmp $0xc0, %al\n jne 9f\n inc %bx\n"  /* 8 */
    "mov $0x81, %al\n rol $1, %al\n jnc 9f\n cmp $3, %al\n jne 9f\n inc %bx\n"     /* 9 */
    "mov $0x100, %ax\n mov $0x100, %cx\n mul %cx\n jnc 9f\n cmp $1, %dx\n jne 9f\n inc %bx\n"
    "mov $-3, %al\n mov $5, %cl\n imul %cl\n jc 9f\n cmp $-15, %ax\n jne 9f\n inc %bx\n"
    "mov $-7, %ax\n cwd\n mov $2, %cx\n idiv %cx\n cmp $-3, %ax\n jne 9f\n"
    "cmp $-1, %dx\n jne 9f\n inc %bx\n"                                            /* 12 */
    "mov $3, %al\n test $3, %al\n jnp 9f\n jc 9f\n inc %bx\n"                      /* 13 */
    "mov $0x0f, %al\n add $1, %al\n lahf\n test $0x10, %ah\n jz 9f\n inc %bx\n"    /* 14 */
    "mov $0xff80, %ax\n movsx %al, %ecx\n cmp $0xffffff80, %ecx\n jne 9f\n inc %bx\n"
    "mov $5, %eax\n mov $5, %ecx\n mov $9, %edx\n mov %ecx, %ds:0x3000\n"
    "lock cmpxchg %edx, %ds:0x3000\n jne 9f\n cmpl $9, %ds:0x3000\n jne 9f\n inc %bx\n"
    "mov $4, %ecx\n lock xadd %ecx, %ds:0x3000\n cmp $9, %ecx\n jne 9f\n"
    "cmpl $13, %ds:0x3000\n jne 9f\n inc %bx\n"                                    /* 17 */
    "stc\n mov $0x40, %al\n rcl $1, %al\n jc 9f\n cmp $0x81, %al\n jne 9f\n inc %bx\n"
    "mov $0x12345678, %eax\n bswap %eax\n cmp $0x78563412, %eax\n jne 9f\n inc %bx\n"
    "mov $0x1234, %ax\n push %ax\n popf\n pushf\n pop %cx\n and $0x0cd5, %ax\n"
    "and $0x0cd5, %cx\n cmp %ax, %cx\n jne 9f\n inc %bx\n"                         /* 20 */
    "jmp 8f\n"
    "9: mov $0x21, %al\n out %al, $0x11\n"
    "8: mov %bl, %al\n add $0x40, %al\n out %al, $0x11\n"
GUEST_END(program_arithmetic)

START_TEST(arithmetic_and_flags)
{
    guest_expect_log(program_arithmetic, "T");
}
END_TEST

GUEST(program_spin)
    "cli\n 1: jmp 1b\n"
GUEST_END(program_spin)
GUEST(program_spin_string)
    /* 2^32 steps of a string instruction that stay in one place */
    ".byte 0x66, 0x67\n nop\n"
    "xor %edi, %edi\n mov $0xffffffff, %ecx\n mov $0x10, %dx\n addr32 rep stosb\n"
GUEST_END(program_spin_string)

/* Each pause comes to its end; how soon is for scripts/bench to say. */
static void pause_often(const uint8_t *program, const uint8_t *end)
{
    guest_start(TEST_ACCEL, program, end);
    for (unsigned i = 0; i < 20; i++) {
        accel_resume_all(guest.accel);
        io_unlock();
        g_usleep(2000);
        io_lock();
        accel_pause_all(guest.accel);
        accel_kick(guest.accel, guest.cpu);
    }
    ck_assert(!guest.ended);
}

START_TEST(spinning_guest_pauses)
{
    pause_often(program_spin, program_spin_end);
}
END_TEST

GUEST(program_resume)
    "1: in $0x12, %al\n out %al, $0x11\n jmp 1b\n"
GUEST_END(program_resume)

/* Each value that was read is written once, however often the guest is stopped. */
START_TEST(pauses_lose_and_repeat_nothing)
{
    guest_start(TEST_ACCEL, program_resume, program_resume_end);
    for (unsigned i = 0; i < 100; i++) {
        accel_resume_all(guest.accel);
        io_unlock();
        g_usleep(100);
        io_lock();
        accel_pause_all(guest.accel);
        accel_get_registers(guest.cpu);
        accel_set_registers(guest.cpu);
    }
    ck_assert(guest.log->len > 100);
    for (gsize i = 0; i < guest.log->len; i++) {
        ck_assert_uint_eq((uint8_t)guest.log->str[i], i & 0xff);
    }
}
END_TEST

/* Another thread changes the tree while the guest reads: no read is of neither side. */
GUEST(program_reader)
    "mov $0xc000, %ax\n mov %ax, %ds\n"
    "1: mov %ds:0, %al\n cmp $0x72, %al\n je 1b\n cmp $0x41, %al\n je 1b\n out %al, $0x11\n"
GUEST_END(program_reader)

START_TEST(changes_from_outside_are_whole)
{
    guest_start(TEST_ACCEL, program_reader, program_reader_end);
    memset(memory_region_get_ram_ptr(&guest.rom), 'r', GUEST_WINDOW_SIZE);
    memset((uint8_t *)memory_region_get_ram_ptr(&guest.ram) + GUEST_WINDOW, 'A',
           GUEST_WINDOW_SIZE);
    accel_resume_all(guest.accel);
    for (unsigned i = 0; i < 200; i++) {
        guest_show(i % 2 ? WINDOW_ROM : WINDOW_RAM);
        io_unlock();
        g_usleep(50);
        io_lock();
    }
    accel_pause_all(guest.accel);
    ck_assert_msg(!guest.failed, "%s", guest.message);
    ck_assert(!guest.ended);
}
END_TEST

/* CPUID names the model of QEMU's qemu64, and a 32-bit DIV by a memory operand works. */
GUEST(program_cpuid)
    "mov $1, %eax\n cpuid\n cmp $0x60fb1, %eax\n jne 1f\n mov $0x43, %al\n out %al, $0x11\n"
    "test $0x10, %dl\n jz 1f\n rdtsc\n mov %eax, %esi\n mov $1000, %cx\n 2: loop 2b\n"
    "rdtsc\n cmp %esi, %eax\n je 1f\n mov $0x54, %al\n out %al, $0x11\n"
    "mov $0x1b, %ecx\n rdmsr\n test $0x100, %eax\n jz 1f\n mov $0x4d, %al\n out %al, $0x11\n"
    "1:\n"
GUEST_END(program_cpuid)

START_TEST(identification_and_clock)
{
    guest_expect_log(program_cpuid, "CTM");
}
END_TEST

/* Known from the start, so that a user can pin the thread before the guest runs. */
START_TEST(thread_has_a_number)
{
    g_autofree char *path = NULL;

    guest_start(TEST_ACCEL, program_switch, program_switch_end);
    path = g_strdup_printf("/proc/self/task/%d/comm", accel_thread_id(guest.cpu));
    ck_assert_int_ne(accel_thread_id(guest.cpu), getpid());
    ck_assert_msg(g_file_test(path, G_FILE_TEST_EXISTS), "%s", path);
}
END_TEST

static inline void add_accel_cases(TCase *tcase)
{
    tcase_set_timeout(tcase, 100);
    tcase_add_test(tcase, switch_is_seen_by_the_next_read);
    tcase_add_test(tcase, switch_is_seen_by_the_next_instruction);
    tcase_add_test(tcase, split_reads_rom_and_writes_ram);
    tcase_add_test(tcase, rom_is_not_written);
    tcase_add_test(tcase, code_may_change_itself);
#ifndef TEST_LATE_INTERRUPTS
    tcase_add_test(tcase, sti_holds_an_interrupt_for_one_instruction);
    tcase_add_test(tcase, popf_lets_interrupts_in);
#else
    tcase_add_test(tcase, sti_lets_interrupts_in);
#endif
    tcase_add_test(tcase, halt_waits_for_an_interrupt);
    tcase_add_test(tcase, modes_switch_both_ways);
    tcase_add_test(tcase, triple_fault_asks_for_a_reset);
    tcase_add_test(tcase, breakpoint_without_idt_asks_for_a_reset);
    tcase_add_test(tcase, reset_starts_afresh);
    tcase_add_test(tcase, string_input_and_output);
    tcase_add_test(tcase, string_instructions);
    tcase_add_test(tcase, divide_errors_are_faults);
    tcase_add_test(tcase, arithmetic_and_flags);
    tcase_add_test(tcase, spinning_guest_pauses);
    tcase_add_test(tcase, pauses_lose_and_repeat_nothing);
    tcase_add_test(tcase, changes_from_outside_are_whole);
    tcase_add_test(tcase, identification_and_clock);
    tcase_add_test(tcase, thread_has_a_number);
}

#endif
