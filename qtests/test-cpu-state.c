/*
 * A processor's state in streams, on each accelerator: what RESET# leaves, as the Intel
 * SDM (volume 3, table 9-1) and QEMU have it; that what comes goes out the same; that a
 * program goes on where it was; that what cannot be executed is refused.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/accel-guest.h"
#include "qtests/vmstate-fixture.h"

#include <stdio.h>

#include "hw/isa/isa-bus.h"
#include "machine/accel/kvm-irqchip.h"
#include "machine/accel/vcpu.h"

static const char *const accels[] = {"x86emu", "kvm,kernel-irqchip=off", "kvm"};
enum { X86EMU, KVM_WITHOUT_CHIPS, KVM_WITH_CHIPS };

GUEST(program_spin)
"spin: incl %eax\n jmp spin\n" GUEST_END(program_spin)

    /* Logs a letter a step, A to J, and spins between them until port 0x12 has counted
       on. */
    GUEST(program_letters) "xor %cx, %cx\n mov $'A', %bl\n"
                           "letter: in $0x12, %al\n test $0x3f, %al\n jnz letter\n"
                           "mov %bl, %al\n out %al, $0x11\n inc %bl\n"
                           "cmp $'K', %bl\n jne letter\n" GUEST_END(program_letters)

                               static void start(int accel)
{
    guest_start(accels[accel], program_spin, program_spin_end);
}

static NamedBytes *saved_cpu(void)
{
    return save_named(section("cpu", 0));
}

#define assert_field(named, name, value)                                                 \
    ck_assert_msg(get_named(named, name) == (uint64_t)(value), "%s is 0x%llx", name,     \
                  (unsigned long long)get_named(named, name))

START_TEST(reset_is_qemus)
{
    static const struct {
        const char *name;
        uint64_t value;
    } expected[] = {
        {"env.regs[0]", 0},
        {"env.eip", 0xfff0},
        {"env.eflags", 2},
        {"env.hflags", 0x40}, /* segments' bases count */
        {"env.fpuc", 0x37f},
        {"env.fptag_vmstate", 0},
        {"env.segs[1].selector", 0xf000},
        {"env.segs[1].base", 0xffff0000},
        {"env.segs[1].limit", 0xffff},
        {"env.segs[1].flags", 0x9b00},
        {"env.segs[3].flags", 0x9300},
        {"env.ldt.flags", 0x8200},
        {"env.tr.flags", 0x8b00},
        {"env.gdt.limit", 0xffff},
        {"env.idt.limit", 0xffff},
        {"env.cr[0]", 0x60000010},
        {"env.dr[6]", 0xffff0ff0},
        {"env.dr[7]", 0x400},
        {"env.a20_mask", 0xffffffff},
        {"env.mxcsr", 0x1f80},
        {"env.efer", 0},
        {"env.smbase", 0x30000},
        {"env.pat", 0x0007040600070406},
        {"env.hflags2", 0x101},
        {"env.interrupt_injected", 0xffffffff},
        {"env.exception_nr", 0xffffffff},
        {"env.mcg_cap", 0x100010a},
        {"env.mcg_ctl", UINT64_MAX},
        {"env.mce_banks[0]", UINT64_MAX},
        {"env.mce_banks[36]", UINT64_MAX},
        {"env.mce_banks[37]", 0},
        {"env.xcr0", 1},
    };
    NamedBytes *cpu;

    start(_i);
    device_reset_all();
    cpu = saved_cpu();
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        assert_field(cpu, expected[i].name, expected[i].value);
    }
}
END_TEST

/* Values that each accelerator keeps, whoever executes; protected mode without paging. */
static const struct {
    const char *name;
    uint64_t value;
} patches[] = {
    {"env.regs[0]", 0x11223344},
    {"env.regs[4]", 0x7ff0},
    {"env.regs[7]", 0xfedcba98},
    {"env.eip", 0x1234},
    {"env.eflags", 0x246},
    {"env.hflags", 0xf0 | 1 << 22}, /* PE, ADDSEG, SS32, CS32, OSFXSR, no CPL */
    {"env.fpuc", 0x27f},
    {"env.fpus_vmstate", 0x3800},
    {"env.fptag_vmstate", 0x80},
    {"env.fpregs[7].tmp.tmp_mant", 0xc000000000000000},
    {"env.fpregs[7].tmp.tmp_exp", 0x4000},
    {"env.segs[0].base", 0x12340},
    {"env.segs[0].limit", 0xfffff},
    {"env.segs[0].flags", 0x409300},
    {"env.segs[1].selector", 8},
    {"env.segs[1].base", 0x100},
    {"env.segs[1].limit", 0xffffffff},
    {"env.segs[1].flags", 0xc09b00},
    {"env.segs[2].selector", 0x10},
    {"env.segs[2].limit", 0xffffffff},
    {"env.segs[2].flags", 0xc09300},
    {"env.segs[3].selector", 0x10},
    {"env.segs[3].limit", 0xffffffff},
    {"env.segs[3].flags", 0xc09300},
    {"env.gdt.base", 0x6180},
    {"env.gdt.limit", 0x37},
    {"env.idt.base", 0x61be},
    {"env.idt.limit", 0x7ff},
    {"env.sysenter_cs", 8},
    {"env.sysenter_esp", 0x8000},
    {"env.sysenter_eip", 0x4000},
    {"env.cr[0]", 0x11},
    {"env.cr[2]", 0x5678},
    {"env.cr[4]", 0x200},
    {"env.dr[0]", 0x1000},
    {"env.dr[3]", 0x4000},
    {"env.mxcsr", 0x1fa0},
    {"env.xmm_regs[0][0]._q_ZMMReg[0]", 0x0123456789abcdef},
    {"env.xmm_regs[0][15]._q_ZMMReg[1]", 0xfedcba9876543210},
    {"env.star", 0x0023001000000000},
    {"env.lstar", 0xffffffff81000000},
    {"env.fmask", 0x47700},
    {"env.kernelgsbase", 0xffff888000000000},
    {"env.smbase", 0xa0000},
    {"env.pat", 0x0007010600070106},
    {"env.mtrr_fixed[0]", 0x0606060606060606},
    {"env.mtrr_fixed[10]", 0x0505050505050505},
    {"env.mtrr_deftype", 0xc06},
    {"env.mtrr_var[0].base", 0x80000000},
    {"env.mtrr_var[1].mask", 0xff80000800},
    {"env.mcg_status", 0},
    {"env.mce_banks[2]", 0x12345678},
};

/* KVM fills in the bits of masks above the guest's physical addresses, and counts. */
static bool may_differ(const char *name)
{
    return g_str_has_prefix(name, "env.mtrr_var") || strcmp(name, "env.tsc") == 0 ||
           strcmp(name, "env.xstate_bv") == 0 || strcmp(name, "env.mp_state") == 0 ||
           strcmp(name, "env.dr[4]") == 0 || strcmp(name, "env.dr[5]") == 0;
}

START_TEST(what_comes_goes_out)
{
    NamedBytes *cpu, *after;
    g_autofree char *message = NULL;

    start(_i);
    cpu = saved_cpu();
    for (size_t i = 0; i < G_N_ELEMENTS(patches); i++) {
        set_named(cpu, patches[i].name, patches[i].value);
    }
    set_named(cpu, "env.xstate_bv", 3);
    message = load_named(section("cpu", 0), cpu);
    ck_assert_msg(!message, "%s", message);
    /* Through the accelerator, not past it. */
    guest.cpu->registers.gpr[X86_RAX] = guest.cpu->registers.rip = 0x55;
    after = saved_cpu();
    ck_assert_uint_eq(after->names->len, cpu->names->len);
    for (guint i = 0; i < cpu->names->len; i++) {
        const char *name = cpu->names->pdata[i];
        uint64_t came = get_named(cpu, name), went = get_named(after, name);

        ck_assert_msg(may_differ(name) || came == went,
                      "%s came as 0x%llx, went as 0x%llx", name, (unsigned long long)came,
                      (unsigned long long)went);
    }
    assert_field(after, "env.mtrr_var[0].base", 0x80000000);
    ck_assert_uint_eq(get_named(after, "env.mtrr_var[1].mask") & 0xffffffffff,
                      0xff80000800);
}
END_TEST

/* Halfway, the state is taken, everything is reset, and the state comes back. */
START_TEST(a_program_goes_on)
{
    for (int i = 0; i < 3; i++) {
        NamedBytes *cpu, *common;
        g_autofree char *message = NULL, *other = NULL;

        if (i == 0) {
            guest_start(accels[_i], program_letters, program_letters_end);
        }
        guest_run(i ? 2 : 1);
        common = save_named(section("cpu_common", 0));
        cpu = saved_cpu();
        device_reset(DEVICE(guest.cpu));
        message = load_named(section("cpu_common", 0), common);
        other = load_named(section("cpu", 0), cpu);
        ck_assert_msg(!message && !other, "%s", message ? message : other);
    }
    guest_run(GUEST_PATIENCE_MS);
    ck_assert_msg(guest.ended && !guest.failed, "%s", guest.message);
    ck_assert_str_eq(guest.log->str, "ABCDEFGHIJ");
}
END_TEST

static void run_until_halted(void)
{
    for (int left = GUEST_PATIENCE_MS; left > 0 && !guest.cpu->halted; left -= 50) {
        guest_run(50);
    }
    ck_assert(guest.cpu->halted);
}

/* Its interrupt logs H, and what follows HLT o. */
GUEST(program_halt)
"0: movw $(7f-0b+0x1000), %ds:0x80\n movw $0, %ds:0x82\n jmp 8f\n"
    "7: mov $'H', %al\n out %al, $0x11\n iret\n"
    "8: sti\n hlt\n mov $'o', %al\n out %al, $0x11\n" GUEST_END(program_halt)

    /* A CPU comes halted to an accelerator that last executed something with interrupts
       off. */
    START_TEST(a_halted_program_wakes)
{
    NamedBytes *cpu, *common;

    guest_start(accels[_i], program_halt, program_halt_end);
    run_until_halted();
    common = save_named(section("cpu_common", 0));
    cpu = saved_cpu();
    address_space_write(&guest.memory, 0x3000, MEMTXATTRS_UNSPECIFIED, program_spin,
                        (hwaddr)(program_spin_end - program_spin));
    guest.cpu->registers.rip = 0x3000;
    guest.cpu->registers.rflags = 2;
    guest.cpu->halted = false;
    accel_set_registers(guest.cpu);
    guest_run(5);
    ck_assert(!guest.cpu->halted);
    /* QEMU on KVM sends on what it was given: that the STI's shadow lasts. */
    set_named(cpu, "env.hflags", 1 << 3);
    ck_assert_ptr_null(load_named(section("cpu_common", 0), common));
    ck_assert_ptr_null(load_named(section("cpu", 0), cpu));
    x86_cpu_set_intr(guest.cpu, true);
    guest_run(GUEST_PATIENCE_MS);
    ck_assert_str_eq(guest.log->str, "Ho");
}
END_TEST

static void assert_cpu_refused(NamedBytes *cpu, const char *part)
{
    g_autofree char *message = load_named(section("cpu", 0), cpu);

    ck_assert_msg(message && strstr(message, part), "not \"%s\" but %s", part,
                  message ? message : "loaded");
}

START_TEST(refuses_old_floating_point)
{
    NamedBytes *cpu;

    start(_i);
    cpu = saved_cpu();
    set_named(cpu, "env.fpregs_format_vmstate", 1);
    assert_cpu_refused(cpu, "floating-point registers have a form");
}
END_TEST

START_TEST(software_cpu_refuses_what_it_has_not)
{
    NamedBytes *cpu;

    start(X86EMU);
    cpu = saved_cpu();
    set_named(cpu, "env.cr[0]", 0x80000011);
    assert_cpu_refused(cpu, "comes with paging, which the software CPU does not have");
    set_named(cpu, "env.cr[0]", 0x11);
    set_named(cpu, "env.hflags", 1 << 19);
    assert_cpu_refused(cpu, "system management mode");
    set_named(cpu, "env.hflags", 0);
    set_named(cpu, "env.exception_nr", 14);
    assert_cpu_refused(cpu, "delivery has begun");
}
END_TEST

START_TEST(kvm_refuses_what_it_has_not)
{
    NamedBytes *cpu;

    start(KVM_WITH_CHIPS);
    cpu = saved_cpu();
    set_named(cpu, "env.mp_state", 99);
    assert_cpu_refused(cpu, "the kernel knows no CPU in the state 99");
    set_named(cpu, "env.mp_state", 0);
    set_named(cpu, "env.xstate_bv", 0xe7);
    assert_cpu_refused(cpu, "processor state");
    set_named(cpu, "env.xstate_bv", 3);
    set_named(cpu, "env.lstar", 0x8000000000000000); /* no address */
    assert_cpu_refused(cpu, "model-specific register 0xc0000082");
}
END_TEST

/* QEMU's software CPU says only that it is halted. */
START_TEST(halted_means_halted)
{
    NamedBytes *cpu, *common;

    start(_i);
    common = save_named(section("cpu_common", 0));
    cpu = saved_cpu();
    assert_field(common, "halted", 0);
    set_named(common, "halted", 1);
    set_named(cpu, "env.mp_state", 0);
    ck_assert_ptr_null(load_named(section("cpu_common", 0), common));
    ck_assert_ptr_null(load_named(section("cpu", 0), cpu));
    guest.cpu->halted = false;
    assert_field(save_named(section("cpu_common", 0)), "halted", 1);
}
END_TEST

/* -- Guest time --------------------------------------------------------------------- */

START_TEST(time_goes_on)
{
    g_autofree char *message = NULL;
    VMStateEntry *entry;

    clock_register_state();
    entry = section("timer", 0);
    clock_virtual_run(false);
    assert_loads(entry->vmsd, entry->opaque, 2,
                 "0000000200000000 0000000000000000 0000000100000000");
    ck_assert_int_eq(clock_virtual_ns(), INT64_C(0x100000000));
    ck_assert_int_eq(clock_get_ticks(), INT64_C(0x200000000));
    assert_saves(entry->vmsd, entry->opaque,
                 "0000000200000000 0000000000000000 0000000100000000");
    clock_virtual_run(true);
    g_usleep(1000);
    ck_assert_int_ge(clock_virtual_ns(), INT64_C(0x100000000) + 1000000);
    clock_virtual_run(false);
    assert_refuses(entry->vmsd, entry->opaque, 2,
                   "0000000200000000 0000000000000000 8000000100000000",
                   "stream is broken");
}
END_TEST

/* -- KVM's chips ----------------------------------------------------------------- */

static void add_chips(bool pit)
{
    GError *error = NULL;
    ISABus *isa;

    isa = isa_bus_new(NULL, &guest.memory_root, &guest.io_root);
    ck_assert(kvm_irqchip_create(&isa->parent, true, &error) &&
              (!pit || kvm_pit_create(&isa->parent, &error)));
    device_reset_all();
}

static void start_with_chips(void)
{
    start(KVM_WITH_CHIPS);
    add_chips(true);
}

/* A halted CPU comes with the shadow of the STI before its HLT, as QEMU's may. */
START_TEST(kernel_chips_wake_a_halted_program)
{
    NamedBytes *cpu, *apic;
    uint32_t vector = 0x20;

    guest_start(accels[KVM_WITH_CHIPS], program_halt, program_halt_end);
    cpu = saved_cpu();
    add_chips(false); /* whose reset is the CPU's too */
    ck_assert_ptr_null(load_named(section("cpu", 0), cpu));
    run_until_halted();
    cpu = saved_cpu();
    apic = save_named(section("apic", 0));
    set_named(cpu, "env.hflags", 1 << 3);
    set_named(apic, "spurious_vec", 0x1ff);
    ck_assert_ptr_null(load_named(section("cpu", 0), cpu));
    ck_assert_ptr_null(load_named(section("apic", 0), apic));
    assert_field(saved_cpu(), "env.hflags", 0x40); /* ADDSEG alone */
    address_space_write(&guest.memory, 0xfee00000, MEMTXATTRS_UNSPECIFIED, &vector,
                        sizeof(vector));
    guest_run(GUEST_PATIENCE_MS);
    ck_assert_str_eq(guest.log->str, "Ho");
}
END_TEST

/* Loads the bytes with those values, saves again, and compares all but `except`. */
static void round_trip(const char *id, uint32_t instance, const char *const *names,
                       const uint64_t *values, const char *except)
{
    NamedBytes *before = save_named(section(id, instance)), *after;
    g_autofree char *message = NULL;

    for (size_t i = 0; names[i]; i++) {
        set_named(before, names[i], values[i]);
    }
    message = load_named(section(id, instance), before);
    ck_assert_msg(!message, "%s: %s", id, message);
    after = save_named(section(id, instance));
    for (guint i = 0; i < before->names->len; i++) {
        const char *name = before->names->pdata[i];

        ck_assert_msg(g_str_has_suffix(name, except) ||
                          get_named(before, name) == get_named(after, name),
                      "%s: %s came as 0x%llx, went as 0x%llx", id, name,
                      (unsigned long long)get_named(before, name),
                      (unsigned long long)get_named(after, name));
    }
}

START_TEST(kernel_chips)
{
    start_with_chips();
    round_trip("i8259", 0,
               (const char *const[]){"imr", "irq_base", "isr", "priority_add", "init4",
                                     "elcr", "last_irr", NULL},
               (const uint64_t[]){0xfb, 0x08, 0x40, 3, 1, 0x20, 0x21}, "last_irr");
    /* The line of the kernel's PIT is low between its pulses. */
    assert_field(save_named(section("i8259", 0)), "last_irr", 0x20);
    round_trip("i8259", 1, (const char *const[]){"imr", "irq_base", "elcr", NULL},
               (const uint64_t[]){0xdf, 0x70, 0x0c}, "-");
    round_trip(
        "ioapic", 0,
        (const char *const[]){"id", "ioregsel", "ioredtbl[2]", "ioredtbl[23]", NULL},
        (const uint64_t[]){0, 0x13, 0x10030, 0x0100000000018931}, "-");
    round_trip("i8254", 0,
               (const char *const[]){"channels[0].mode", "channels[0].count",
                                     "channels[0].rw_mode", "channels[2].gate",
                                     "channels[1].count", NULL},
               (const uint64_t[]){2, 11932, 3, 1, 18}, "_time");
    round_trip("apic", 0,
               (const char *const[]){"tpr", "spurious_vec", "log_dest", "dest_mode",
                                     "irr[1]", "tmr[2]", "isr[3]", "lvt[3]", "lvt[4]",
                                     "icr[0]", "icr[1]", "divide_conf", "count_shift",
                                     NULL},
               (const uint64_t[]){0x20, 0x1ff, 2, 0xf, 0x10, 0x100, 0x8, 0x8700, 0x8400,
                                  0x4610, 0x01000000, 0xb, 0},
               "_time");
}
END_TEST

START_TEST(kernel_chips_refuse)
{
    NamedBytes *pit, *pic;
    g_autofree char *message = NULL, *other = NULL;

    start_with_chips();
    pit = save_named(section("i8254", 0));
    set_named(pit, "channels[1].count", 0x10001);
    message = load_named(section("i8254", 0), pit);
    ck_assert_msg(message && strstr(message, "counter 1 of the 8254"), "%s", message);
    pic = save_named(section("i8259", 0));
    set_named(pic, "init_state", 9);
    other = load_named(section("i8259", 0), pic);
    ck_assert_msg(other && strstr(other, "no initialization state 9"), "%s", other);
}
END_TEST

/* A local APIC's timer goes on: half of a long count is still to come. */
START_TEST(kernel_apic_timer)
{
    NamedBytes *apic;
    int64_t count = 2000000000, left;

    start_with_chips();
    clock_virtual_run(false);
    clock_virtual_restore(3000000000, 0);
    apic = save_named(section("apic", 0));
    set_named(apic, "spurious_vec", 0x1ff);
    set_named(apic, "lvt[0]", 0x30);
    set_named(apic, "divide_conf", 0xb);
    set_named(apic, "initial_count", (uint64_t)count);
    set_named(apic, "initial_count_load_time", 2000000000);
    ck_assert_ptr_null(load_named(section("apic", 0), apic));
    apic = save_named(section("apic", 0));
    assert_field(apic, "initial_count", count);
    left = (int64_t)get_named(apic, "timer_expiry") - 3000000000;
    ck_assert_msg(left > 0 && left <= 1000000000, "%lld", (long long)left);
    /* One that has run out stays so. */
    set_named(apic, "initial_count_load_time", 500000000);
    ck_assert_ptr_null(load_named(section("apic", 0), apic));
    apic = save_named(section("apic", 0));
    assert_field(apic, "timer_expiry", UINT64_MAX);
    assert_field(apic, "irr[1]", 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu-state");
    TCase *tcase = tcase_create("cpu-state");
    GError *error = NULL;
    bool kvm = accel_kvm_usable(&error);
    int last = kvm ? (int)G_N_ELEMENTS(accels) : 1, failed;
    SRunner *runner;

    accel_kvm_close(); /* tests fork, and a VM belongs to the process that made it */
    tcase_add_loop_test(tcase, reset_is_qemus, 0, last);
    tcase_add_loop_test(tcase, what_comes_goes_out, 0, last);
    tcase_add_loop_test(tcase, a_program_goes_on, 0, last);
    tcase_add_loop_test(tcase, a_halted_program_wakes, 0, MIN(last, KVM_WITH_CHIPS));
    tcase_add_loop_test(tcase, refuses_old_floating_point, 0, last);
    tcase_add_loop_test(tcase, halted_means_halted, 0, last);
    tcase_add_test(tcase, software_cpu_refuses_what_it_has_not);
    tcase_add_test(tcase, time_goes_on);
    if (kvm) {
        tcase_add_test(tcase, kvm_refuses_what_it_has_not);
        tcase_add_test(tcase, kernel_chips_wake_a_halted_program);
        tcase_add_test(tcase, kernel_chips);
        tcase_add_test(tcase, kernel_chips_refuse);
        tcase_add_test(tcase, kernel_apic_timer);
    } else {
        printf("without KVM: %s\n", error->message);
    }
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
