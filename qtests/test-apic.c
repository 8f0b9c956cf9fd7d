/*
 * Local APIC and I/O APIC. Expectations: Intel SDM volume 3, chapter 11, and the 82093AA
 * data sheet.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <stdlib.h>

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
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
