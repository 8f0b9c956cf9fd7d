/*
 * Local APIC and I/O APIC. Expectations: Intel SDM volume 3, chapter 11, and the 82093AA
 * data sheet.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <stdlib.h>

#include "hw/intc/apic-wire.h"
#include "hw/intc/apic.h"
#include "hw/intc/ioapic.h"
#include "memory/access.h"
#include "memory/io-lock.h"

#define BASE 0xfee00000
#define EXTINT 0x700

static struct {
    MemoryRegion root;
    AddressSpace memory;
    X86CPU *cpu;
    APICBus *bus;
    APIC *apic;
    IOAPIC *ioapic;
    IRQ *pins;
} t;

static void store(hwaddr addr, uint32_t value)
{
    address_space_store(&t.memory, addr, 4, value, MEMTXATTRS_UNSPECIFIED);
}

static uint32_t load(hwaddr addr)
{
    uint64_t value = 0;

    address_space_load(&t.memory, addr, 4, &value, MEMTXATTRS_UNSPECIFIED);
    return (uint32_t)value;
}

static void redirect(unsigned pin, uint64_t entry)
{
    store(IOAPIC_ADDRESS, 0x10 + 2 * pin + 1);
    store(IOAPIC_ADDRESS + 0x10, (uint32_t)(entry >> 32));
    store(IOAPIC_ADDRESS, 0x10 + 2 * pin);
    store(IOAPIC_ADDRESS + 0x10, (uint32_t)entry);
}

static uint32_t redirection(unsigned pin)
{
    store(IOAPIC_ADDRESS, 0x10 + 2 * pin);
    return load(IOAPIC_ADDRESS + 0x10);
}

static int take(void)
{
    ck_assert(t.cpu->intr);
    return t.cpu->acknowledge(t.cpu->acknowledge_opaque);
}

static int pic_acknowledge(void *opaque)
{
    irq_lower(device_get_gpio_in(DEVICE(t.apic), 0));
    return 0x08;
}

static void setup(void)
{
    io_lock();
    memory_region_init(&t.root, NULL, "system", UINT64_MAX);
    address_space_init(&t.memory, &t.root, "memory");
    clock_virtual_manual();
    t.cpu = X86_CPU(device_create(TYPE_X86_CPU, NULL, NULL));
    t.bus = apic_bus_new();
    t.apic = apic_new(t.bus, t.cpu, &t.root, NULL);
    t.bus->acknowledge = pic_acknowledge;
    t.ioapic = ioapic_new(NULL, &t.memory, NULL);
    t.bus->end_of_interrupt = ioapic_end_of_interrupt;
    t.bus->end_of_interrupt_opaque = t.ioapic;
    t.pins = device_get_gpio_in(DEVICE(t.ioapic), 0);
    x86_cpu_set_current(t.cpu);
    device_reset_all();
}

START_TEST(reset_state)
{
    ck_assert_uint_eq(load(BASE + 0x20), 0);
    ck_assert_uint_eq(load(BASE + 0x30) & 0xff, 0x14);
    ck_assert_uint_eq(load(BASE + 0x30) >> 16, 5);
    ck_assert_uint_eq(load(BASE + 0xe0), 0xffffffff);
    ck_assert_uint_eq(load(BASE + 0xf0), 0xff);
    for (unsigned i = 0; i < APIC_LVTS; i++) {
        ck_assert_uint_eq(load(BASE + 0x320 + 0x10 * i), 0x10000);
    }
    ck_assert_uint_eq(redirection(23), 0x10000);
    store(IOAPIC_ADDRESS, 1);
    ck_assert_uint_eq(load(IOAPIC_ADDRESS + 0x10), 0x170020);
}
END_TEST

START_TEST(pic_passes_through_lint0)
{
    IRQ *lint0 = device_get_gpio_in(DEVICE(t.apic), 0);

    irq_raise(lint0);
    ck_assert(!t.cpu->intr);
    store(BASE + 0xf0, 0x1ff);
    store(BASE + 0x350, EXTINT);
    ck_assert_int_eq(take(), 0x08);
    ck_assert(!t.cpu->intr);
    irq_raise(lint0);
    store(BASE + 0x350, EXTINT | 0x10000);
    ck_assert(!t.cpu->intr);
    /* A disabled APIC masks its entries. */
    store(BASE + 0x350, EXTINT);
    ck_assert(t.cpu->intr);
    store(BASE + 0xf0, 0xff);
    ck_assert(!t.cpu->intr);
}
END_TEST

START_TEST(edges_come_once_and_by_priority)
{
    store(BASE + 0xf0, 0x1ff);
    redirect(2, 0x31);
    redirect(5, 0x52);
    irq_raise(&t.pins[2]);
    ck_assert_int_eq(take(), 0x31);
    ck_assert(!t.cpu->intr);
    irq_raise(&t.pins[5]);
    ck_assert_int_eq(take(), 0x52); /* interrupts the lower class */
    irq_lower(&t.pins[2]);
    irq_raise(&t.pins[2]);
    ck_assert(!t.cpu->intr);
    ck_assert_uint_eq(load(BASE + 0xa0), 0x50);
    store(BASE + 0xb0, 0);
    ck_assert(!t.cpu->intr); /* 0x31 is still in service */
    store(BASE + 0xb0, 0);
    ck_assert_int_eq(take(), 0x31);
    store(BASE + 0xb0, 0);
    ck_assert(!t.cpu->intr);
    store(BASE + 0x80, 0x40);
    irq_lower(&t.pins[2]);
    irq_raise(&t.pins[2]);
    ck_assert(!t.cpu->intr);
    store(BASE + 0x80, 0x20);
    ck_assert(t.cpu->intr);
}
END_TEST

START_TEST(levels_come_again_until_lowered)
{
    store(BASE + 0xf0, 0x1ff);
    redirect(10, 0x8061);
    irq_raise(&t.pins[10]);
    ck_assert_uint_eq(redirection(10), 0xc061);
    ck_assert_int_eq(take(), 0x61);
    store(BASE + 0xb0, 0);
    ck_assert_int_eq(take(), 0x61);
    irq_lower(&t.pins[10]);
    store(BASE + 0xb0, 0);
    ck_assert(!t.cpu->intr);
    ck_assert_uint_eq(redirection(10), 0x8061);
}
END_TEST

START_TEST(messages_and_commands_arrive)
{
    store(BASE + 0xf0, 0x1ff);
    store(BASE, 0x41); /* to destination 0 */
    ck_assert_int_eq(take(), 0x41);
    store(BASE + 0xb0, 0);
    store(BASE + 0x5000, 0x42); /* to destination 5: nobody */
    ck_assert(!t.cpu->intr);
    store(BASE + 0x300, 0x40043); /* self */
    ck_assert_int_eq(take(), 0x43);
    store(BASE + 0xb0, 0);
    store(BASE + 0x300, 0xc0044); /* all but self */
    ck_assert(!t.cpu->intr);
    store(BASE + 0x300, 0xc4500); /* INIT and start-up to the others: nobody */
    store(BASE + 0x300, 0xc4610);
    ck_assert(!t.cpu->intr);
    store(BASE + 0xd0, 0x02000000);
    store(BASE + 0x2004, 0x45); /* logical destination 2 */
    ck_assert_int_eq(take(), 0x45);
}
END_TEST

START_TEST(timer_counts)
{
    store(BASE + 0xf0, 0x1ff);
    store(BASE + 0x3e0, 0xb); /* divide by 1: 1 ns */
    store(BASE + 0x320, 0x71);
    store(BASE + 0x380, 1000);
    clock_virtual_set_ns(400);
    ck_assert_uint_eq(load(BASE + 0x390), 600);
    clock_virtual_set_ns(1000);
    ck_assert_int_eq(take(), 0x71);
    store(BASE + 0xb0, 0);
    ck_assert_uint_eq(load(BASE + 0x390), 0);
    store(BASE + 0x3e0, 0x0); /* by 2 */
    store(BASE + 0x320, 0x20072);
    store(BASE + 0x380, 1000);
    clock_virtual_set_ns(3000);
    ck_assert_int_eq(take(), 0x72);
    store(BASE + 0xb0, 0);
    clock_virtual_set_ns(5000);
    ck_assert_int_eq(take(), 0x72);
}
END_TEST

/* -- Two processors -------------------------------------------------------------- */

static X86CPU *second;

static void add_second(void)
{
    second = X86_CPU(device_new(TYPE_X86_CPU, NULL));
    second->index = 1;
    ck_assert(device_realize(DEVICE(second), NULL, NULL));
    ck_assert_ptr_nonnull(apic_new(t.bus, second, &t.root, NULL));
    device_reset_all();
}

/* Writes a register as the second processor. */
static void store_second(hwaddr addr, uint32_t value)
{
    x86_cpu_set_current(second);
    store(addr, value);
    x86_cpu_set_current(t.cpu);
}

/* 11.4.6, 8.4.1: each has its own registers, and only the first is the bootstrap one. */
START_TEST(each_processor_has_its_own)
{
    add_second();
    store(BASE + 0x80, 0x30);
    x86_cpu_set_current(second);
    ck_assert_uint_eq(load(BASE + 0x20), 0x01000000);
    ck_assert_uint_eq(load(BASE + 0x80), 0);
    x86_cpu_set_current(NULL); /* a device sees no registers */
    ck_assert_uint_eq(load(BASE + 0x30), 0);
    ck_assert_uint_eq(t.apic->base, 0xfee00900);
    ck_assert_uint_eq(second->apic->base, 0xfee00800);
}
END_TEST

/* 8.4.3: INIT, then a start-up message with the page to begin at. */
START_TEST(startup_brings_a_processor_up)
{
    add_second();
    ck_assert(second->waits_for_startup && second->halted);
    ck_assert(!t.cpu->waits_for_startup);
    store(BASE + 0x310, 0x01000000);
    store(BASE + 0x300, 0x4500); /* INIT, asserted */
    ck_assert_uint_eq(second->signals, X86_SIGNAL_INIT);
    store(BASE + 0x300, 0x4610);
    ck_assert_uint_eq(t.cpu->signals, 0);
    ck_assert_uint_eq(x86_cpu_take_signals(second), X86_SIGNAL_INIT | X86_SIGNAL_STARTUP);
    ck_assert(!second->waits_for_startup && !second->halted);
    ck_assert_uint_eq(second->registers.segment[X86_CS].base, 0x10000);
    ck_assert_uint_eq(second->registers.segment[X86_CS].selector, 0x1000);
    ck_assert_uint_eq(second->registers.rip, 0);
    store(BASE + 0x300, 0x4620); /* it runs: ignored */
    ck_assert_uint_eq(x86_cpu_take_signals(second), 0);
    ck_assert_uint_eq(second->registers.segment[X86_CS].base, 0x10000);
    store(BASE + 0x300, 0x8500); /* INIT's de-assertion resets nobody */
    ck_assert_uint_eq(second->signals, 0);
    store(BASE + 0x300, 0x0400); /* NMI */
    ck_assert_uint_eq(x86_cpu_take_signals(second), X86_SIGNAL_NMI);
}
END_TEST

/* 11.6.2 */
START_TEST(destinations_choose)
{
    add_second();
    store(BASE + 0xf0, 0x1ff);
    store_second(BASE + 0xf0, 0x1ff);
    store(BASE + 0x310, 0xff000000); /* physical broadcast */
    store(BASE + 0x300, 0x0050);
    ck_assert(t.cpu->intr && second->intr);
    ck_assert_int_eq(take(), 0x50);
    store(BASE + 0xb0, 0);
    ck_assert_int_eq(second->acknowledge(second->acknowledge_opaque), 0x50);
    store_second(BASE + 0xb0, 0);

    /* The cluster model: members 1 and 2 of cluster 3. */
    store(BASE + 0xe0, 0x0fffffff);
    store_second(BASE + 0xe0, 0x0fffffff);
    store(BASE + 0xd0, 0x31000000);
    store_second(BASE + 0xd0, 0x32000000);
    store(BASE + 0x32004, 0x51); /* logical destination 0x32 */
    ck_assert(!t.cpu->intr && second->intr);
    second->acknowledge(second->acknowledge_opaque);
    store_second(BASE + 0xb0, 0);
    store(BASE + 0x12004, 0x52); /* another cluster */
    ck_assert(!t.cpu->intr && !second->intr);

    store(BASE + 0x80, 0x20); /* lowest priority: the second is at 0 */
    store(BASE + 0x33004, 0x153);
    ck_assert(!t.cpu->intr && second->intr);
}
END_TEST

/* -- Errors and switches --------------------------------------------------------- */

/* 11.5.3 */
START_TEST(errors_are_told)
{
    store(BASE + 0xf0, 0x1ff);
    store(BASE + 0x370, 0x61);
    store(BASE + 0x300, 0x4000a); /* to itself: a vector below 16 */
    ck_assert_int_eq(take(), 0x61);
    ck_assert_uint_eq(load(BASE + 0x280), 0);
    store(BASE + 0x280, 0);
    ck_assert_uint_eq(load(BASE + 0x280), 0x20);
    store(BASE, 0x05); /* received */
    store(BASE + 0x280, 0);
    ck_assert_uint_eq(load(BASE + 0x280), 0x40);
    load(BASE + 0x40); /* no such register */
    store(BASE + 0x280, 0);
    ck_assert_uint_eq(load(BASE + 0x280), 0x80);
}
END_TEST

/* 11.4.3: switched off, LINT0 is the processor's INTR; 11.4.7.2: vectors stay masked. */
START_TEST(switched_off)
{
    IRQ *lint0 = device_get_gpio_in(DEVICE(t.apic), 0);

    store(BASE + 0x350, EXTINT); /* by software: after reset */
    ck_assert_uint_eq(load(BASE + 0x350), 0x10000 | EXTINT);
    irq_raise(lint0);
    ck_assert(!t.cpu->intr);
    store(BASE, 0x41);
    ck_assert_uint_eq(load(BASE + 0x220), 0); /* messages are not accepted */
    apic_set_base(t.apic, 0xfee00000);
    ck_assert(!apic_enabled(t.apic));
    ck_assert_uint_eq(t.apic->base, 0xfee00100);
    ck_assert_int_eq(take(), 0x08);
    ck_assert(!t.cpu->intr);
}
END_TEST

/* Of a state that is only looked at. A tick is a nanosecond; the divide register's bits
 * 3, 1 and 0 say by how much it is divided: 000 by 2, 111 by 1, 110 by 128 (SDM volume
 * 3, 11.5.4). */
START_TEST(count_of_a_state)
{
    static const struct {
        uint32_t divide, entry, initial;
        int64_t now;
        uint32_t count;
    } rows[] = {
        {0x0, 0, 100, 1000, 100},       {0x0, 0, 100, 1010, 95},
        {0x0, 0, 100, 1199, 1},         {0x0, 0, 100, 1200, 0},
        {0x0, 0, 100, 99000, 0},        {0x0, 0, 100, 900, 100},
        {0x0, 1 << 17, 100, 1200, 100}, {0x0, 1 << 17, 100, 1410, 95},
        {0xb, 0, 100, 1010, 90},        {0xa, 0, 100, 1000 + 128 * 7, 93},
        {0x0, 1 << 17, 0, 1010, 0},     {0xb, 0, UINT32_MAX, 1001, UINT32_MAX - 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        APICWire wire = {.divide_conf = rows[i].divide,
                         .lvt = {rows[i].entry},
                         .initial_count = rows[i].initial,
                         .initial_count_load_time = 1000};

        ck_assert_msg(apic_wire_count(&wire, rows[i].now) == rows[i].count, "row %zu: %u",
                      i, apic_wire_count(&wire, rows[i].now));
    }
}
END_TEST

/* SDM volume 3, 11.8.3.1: the higher class of TPR and ISR; TPR's subclass if that is
 * TPR's. */
START_TEST(priority_of_a_state)
{
    APICWire wire = {.tpr = 0x35};

    ck_assert_uint_eq(apic_wire_priority(&wire), 0x35);
    wire.isr[1] = 1u << 0x1f; /* vector 0x3f */
    ck_assert_uint_eq(apic_wire_priority(&wire), 0x35);
    wire.isr[2] = 1u << 3; /* 0x43 */
    ck_assert_uint_eq(apic_wire_priority(&wire), 0x40);
    wire.isr[7] = 1u << 31;
    ck_assert_uint_eq(apic_wire_priority(&wire), 0xf0);
    wire.tpr = 0xf7;
    ck_assert_uint_eq(apic_wire_priority(&wire), 0xf7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("apic");
    TCase *tcase = tcase_create("apic");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, reset_state);
    tcase_add_test(tcase, pic_passes_through_lint0);
    tcase_add_test(tcase, edges_come_once_and_by_priority);
    tcase_add_test(tcase, levels_come_again_until_lowered);
    tcase_add_test(tcase, messages_and_commands_arrive);
    tcase_add_test(tcase, timer_counts);
    tcase_add_test(tcase, each_processor_has_its_own);
    tcase_add_test(tcase, startup_brings_a_processor_up);
    tcase_add_test(tcase, destinations_choose);
    tcase_add_test(tcase, errors_are_told);
    tcase_add_test(tcase, switched_off);
    tcase_add_test(tcase, count_of_a_state);
    tcase_add_test(tcase, priority_of_a_state);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
