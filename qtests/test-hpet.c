/*
 * HPET. Expectations: IA-PC HPET specification 1.0a, section numbers in the tests; the
 * period and the routes are QEMU's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/timer/hpet.h"
#include "qtests/isa-board.h"

#define CAPABILITIES 0x000
#define CONFIG 0x010
#define STATUS 0x020
#define COUNTER 0x0f0
#define TIMER(n) (0x100 + 0x20 * (n))
#define COMPARATOR(n) (TIMER(n) + 8)
#define MESSAGE(n) (TIMER(n) + 16)

#define ENABLE 1
#define LEGACY 2
#define TIMER_LEVEL 0x2
#define TIMER_ENABLE 0x4
#define TIMER_PERIODIC 0x8
#define TIMER_SET_VALUE 0x40
#define TIMER_32BIT 0x100
#define TIMER_FSB 0x4000
#define ROUTE(n) ((n) << 9)
#define TICKS(n) ((n)*INT64_C(10)) /* ns */

static struct {
    HPET *hpet;
    IRQ *lines, *pit_enable;
    int level[HPET_LINES], rises[HPET_LINES], pit_enabled;
} t;

static void line(void *opaque, int n, int level)
{
    t.rises[n] += level && !t.level[n];
    t.level[n] = level;
}

static void pit_enable(void *opaque, int n, int level)
{
    t.pit_enabled = level;
}

static uint64_t load(hwaddr offset, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&board.memory_space, HPET_ADDRESS + offset, size, &value,
                       MEMTXATTRS_UNSPECIFIED);
    return value;
}

static void store(hwaddr offset, unsigned size, uint64_t value)
{
    address_space_store(&board.memory_space, HPET_ADDRESS + offset, size, value,
                        MEMTXATTRS_UNSPECIFIED);
}

static void setup(const char *msi)
{
    board_init();
    device_add_global("hpet", "msi", msi, false);
    t.lines = irq_new_array(line, NULL, 0, HPET_LINES);
    t.hpet = hpet_new(&board.memory_space, t.lines, NULL);
    ck_assert_ptr_nonnull(t.hpet);
    t.pit_enable = irq_new_array(pit_enable, NULL, 0, 1);
    device_connect_gpio_out(DEVICE(t.hpet), 0, t.pit_enable);
    device_reset_all();
}

/* 2.3.4: 100 MHz is 10^7 fs; Intel; legacy replacement, 64 bits, three timers,
 * revision 1. */
START_TEST(tells_what_it_can)
{
    setup("off");
    ck_assert_uint_eq(load(CAPABILITIES, 8), UINT64_C(0x009896808086a201));
    ck_assert_uint_eq(load(CAPABILITIES + 4, 4), 0x00989680);
    store(CAPABILITIES, 8, 0);
    ck_assert_uint_eq(load(CAPABILITIES, 4), 0x8086a201);
    for (unsigned n = 0; n < 3; n++) { /* line 2; periodic, 64 bits */
        ck_assert_uint_eq(load(TIMER(n), 8), UINT64_C(0x0000000400000030));
    }
    ck_assert_uint_eq(load(TIMER(3), 8), 0);
    ck_assert_int_eq(t.pit_enabled, 1);
}
END_TEST

/* 2.3.7 */
START_TEST(counts_while_enabled)
{
    setup("off");
    clock_virtual_set_ns(TICKS(100));
    ck_assert_uint_eq(load(COUNTER, 8), 0);
    store(COUNTER, 8, UINT64_C(0x1fffffff0));
    store(CONFIG, 4, ENABLE);
    clock_virtual_set_ns(TICKS(132) + 5);
    ck_assert_uint_eq(load(COUNTER, 8), UINT64_C(0x200000010));
    ck_assert_uint_eq(load(COUNTER + 4, 4), 2);
    store(COUNTER, 8, 0); /* not while it runs */
    store(CONFIG, 4, 0);
    clock_virtual_set_ns(TICKS(200));
    ck_assert_uint_eq(load(COUNTER, 8), UINT64_C(0x200000010));
    store(CONFIG, 4, ENABLE);
    clock_virtual_set_ns(TICKS(210));
    ck_assert_uint_eq(load(COUNTER, 8), UINT64_C(0x20000001a));
}
END_TEST

/* 2.3.9.2.1 */
START_TEST(one_shot_comes_once)
{
    setup("off");
    store(TIMER(0), 8, TIMER_ENABLE | ROUTE(2));
    store(COMPARATOR(0), 8, 100);
    store(CONFIG, 4, ENABLE);
    clock_virtual_set_ns(TICKS(99));
    ck_assert_int_eq(t.rises[2], 0);
    clock_virtual_set_ns(TICKS(100));
    ck_assert_int_eq(t.rises[2], 1);
    ck_assert_int_eq(t.level[2], 0);
    clock_virtual_set_ns(TICKS(100000));
    ck_assert_int_eq(t.rises[2], 1);
    ck_assert_uint_eq(load(STATUS, 4), 0); /* an edge leaves no status */
    store(COMPARATOR(0), 8, 100050);
    store(CONFIG, 4, 0);
    clock_virtual_set_ns(TICKS(100200));
    ck_assert_int_eq(t.rises[2], 1);
    store(CONFIG, 4, ENABLE);
    clock_virtual_set_ns(TICKS(100250));
    ck_assert_int_eq(t.rises[2], 2);
    store(TIMER(0), 8, ROUTE(2)); /* not enabled */
    store(COMPARATOR(0), 8, 100060);
    clock_virtual_set_ns(TICKS(100300));
    ck_assert_int_eq(t.rises[2], 2);
}
END_TEST

/* 2.3.9.2.2 */
START_TEST(periodic_adds_its_period)
{
    setup("off");
    store(TIMER(0), 8, TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET_VALUE | ROUTE(2));
    store(COMPARATOR(0), 8, 1000);
    store(COMPARATOR(0), 8, 500);
    ck_assert_uint_eq(load(COMPARATOR(0), 8), 1000);
    store(CONFIG, 4, ENABLE);
    clock_virtual_set_ns(TICKS(1000));
    ck_assert_int_eq(t.rises[2], 1);
    ck_assert_uint_eq(load(COMPARATOR(0), 8), 1500);
    clock_virtual_set_ns(TICKS(1499));
    ck_assert_int_eq(t.rises[2], 1);
    clock_virtual_set_ns(TICKS(3000));
    ck_assert_int_eq(t.rises[2], 5);
    /* A period without a value: as Linux programs a 32-bit one in halves. */
    store(TIMER(1), 4,
          TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET_VALUE | TIMER_32BIT | ROUTE(3));
    store(COMPARATOR(1), 4, 3200);
    store(COMPARATOR(1), 4, 200);
    clock_virtual_set_ns(TICKS(3600));
    ck_assert_int_eq(t.rises[3], 3);
}
END_TEST

/* 2.3.6 */
START_TEST(levels_wait_for_status)
{
    setup("off");
    store(TIMER(2), 8, TIMER_ENABLE | TIMER_LEVEL | ROUTE(2));
    store(COMPARATOR(2), 8, 10);
    store(CONFIG, 4, ENABLE);
    clock_virtual_set_ns(TICKS(20));
    ck_assert_int_eq(t.level[2], 1);
    ck_assert_uint_eq(load(STATUS, 4), 4);
    store(STATUS, 4, 3);
    ck_assert_int_eq(t.level[2], 1);
    store(STATUS, 4, 4);
    ck_assert_int_eq(t.level[2], 0);
    ck_assert_uint_eq(load(STATUS, 4), 0);
}
END_TEST

/* 2.3.5: timers 0 and 1 become IRQ 0 and 8, and the 8254 and the RTC lose them. */
START_TEST(replaces_legacy_timers)
{
    IRQ *rtc, *pit;

    setup("off");
    pit = device_get_gpio_in(DEVICE(t.hpet), HPET_INPUT_PIT);
    rtc = device_get_gpio_in(DEVICE(t.hpet), HPET_INPUT_RTC);
    irq_pulse(pit);
    irq_pulse(rtc);
    ck_assert_int_eq(t.rises[0], 1);
    ck_assert_int_eq(t.rises[8], 1);
    store(TIMER(0), 8, TIMER_ENABLE | ROUTE(2));
    store(TIMER(1), 8, TIMER_ENABLE | ROUTE(2));
    store(COMPARATOR(0), 8, 10);
    store(COMPARATOR(1), 8, 20);
    store(CONFIG, 4, ENABLE | LEGACY);
    ck_assert_int_eq(t.pit_enabled, 0);
    irq_pulse(pit);
    irq_raise(rtc);
    clock_virtual_set_ns(TICKS(30));
    ck_assert_int_eq(t.rises[0], 2);
    ck_assert_int_eq(t.rises[8], 2);
    ck_assert_int_eq(t.rises[2], 0);
    store(CONFIG, 4, ENABLE);
    ck_assert_int_eq(t.pit_enabled, 1);
    ck_assert_int_eq(t.level[8], 1); /* the RTC's line shows again */
}
END_TEST

START_TEST(short_counters_wrap)
{
    setup("off");
    store(TIMER(0), 8, TIMER_ENABLE | TIMER_32BIT | ROUTE(2));
    store(COMPARATOR(0), 8, UINT64_C(0x700000005));
    ck_assert_uint_eq(load(COMPARATOR(0), 8), 5);
    store(COUNTER, 8, 0xfffffff0);
    store(CONFIG, 4, ENABLE);
    clock_virtual_set_ns(TICKS(20));
    ck_assert_int_eq(t.rises[2], 0);
    clock_virtual_set_ns(TICKS(21));
    ck_assert_int_eq(t.rises[2], 1);
}
END_TEST

/* 2.3.10 */
START_TEST(messages_where_they_are)
{
    setup("on");
    store(TIMER(0), 8, TIMER_ENABLE | TIMER_FSB | ROUTE(2));
    ck_assert_uint_eq(load(TIMER(0), 4) & 0xc000, 0xc000);
    store(MESSAGE(0), 8, UINT64_C(0x0000100012345678));
    store(COMPARATOR(0), 8, 10);
    store(CONFIG, 4, ENABLE);
    clock_virtual_set_ns(TICKS(10));
    ck_assert_int_eq(t.rises[2], 0);
    ck_assert_uint_eq(
        address_space_ldl_le(&board.memory_space, 0x1000, MEMTXATTRS_UNSPECIFIED, NULL),
        0x12345678);
}
END_TEST

START_TEST(nothing_a_guest_writes_hurts)
{
    setup("off");
    for (hwaddr offset = 0; offset < 0x400; offset += 4) {
        store(offset, 4, UINT32_MAX);
        load(offset, 4);
    }
    ck_assert_uint_eq(load(TIMER(0), 4) & 0xc000, 0); /* no messages here */
    clock_virtual_set_ns(TICKS(1000));
    store(TIMER(0), 8, TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET_VALUE | ROUTE(31));
    store(COMPARATOR(0), 8, 0);
    clock_virtual_set_ns(TICKS(2000));
    device_reset_all();
    ck_assert_uint_eq(load(CONFIG, 8), 0);
    ck_assert_uint_eq(load(COUNTER, 8), 0);
    ck_assert_uint_eq(load(COMPARATOR(0), 8), UINT64_MAX);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        tells_what_it_can,        counts_while_enabled,    one_shot_comes_once,
        periodic_adds_its_period, levels_wait_for_status,  replaces_legacy_timers,
        short_counters_wrap,      messages_where_they_are, nothing_a_guest_writes_hurts,
    };

    return run_suite("hpet", tests, G_N_ELEMENTS(tests));
}
