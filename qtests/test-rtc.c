/*
 * MC146818, by the data sheet (MC146818A) and the PC's century byte.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/isa-board.h"

#include "hw/timer/mc146818rtc.h"

#define LEAP_DAY_EVE INT64_C(951782399) /* 2000-02-28 23:59:59, a Monday */

static MC146818RTC *rtc;
static int64_t now;

static uint8_t rd(uint8_t address)
{
    outb(0x70, address);
    return inb(0x71);
}

static void wr(uint8_t address, uint8_t value)
{
    outb(0x70, address);
    outb(0x71, value);
}

static void advance_ms(int64_t ms)
{
    now += ms * 1000000;
    clock_virtual_set_ns(now);
}

static void setup(void)
{
    GError *error = NULL;

    board_init();
    rtc = mc146818_rtc_new(board.isa, 0, NULL, &error);
    ck_assert_ptr_nonnull(rtc);
    now = 0;
    rtc_set_date(rtc, LEAP_DAY_EVE, CLOCK_KIND_VIRTUAL);
    device_reset_all();
}

static void check_date(int century, int year, int month, int day, int weekday, int hour,
                       int minute, int second)
{
    ck_assert_int_eq(rd(0x32), century);
    ck_assert_int_eq(rd(9), year);
    ck_assert_int_eq(rd(8), month);
    ck_assert_int_eq(rd(7), day);
    ck_assert_int_eq(rd(6), weekday);
    ck_assert_int_eq(rd(4), hour);
    ck_assert_int_eq(rd(2), minute);
    ck_assert_int_eq(rd(0), second);
}

START_TEST(calendar)
{
    setup();
    check_date(0x20, 0x00, 0x02, 0x28, 2, 0x23, 0x59, 0x59);
    advance_ms(1000);
    check_date(0x20, 0x00, 0x02, 0x29, 3, 0x00, 0x00, 0x00);
    wr(11, 0x06); /* binary */
    advance_ms(1000 * (86400 + 12 * 3600 + 34 * 60 + 56));
    check_date(20, 0, 3, 1, 4, 12, 34, 56);
    ck_assert_int_eq(rd(13), 0x80);
    ck_assert_int_eq(rtc_get_date(rtc), LEAP_DAY_EVE + 1 + 86400 + 45296);
}
END_TEST

START_TEST(twelve_hours)
{
    setup();
    wr(11, 0x00);
    ck_assert_int_eq(rd(4), 0x91); /* 11 PM */
    advance_ms(1000);
    ck_assert_int_eq(rd(4), 0x12); /* midnight is 12 AM */
    advance_ms(12 * 3600 * 1000);
    ck_assert_int_eq(rd(4), 0x92); /* noon is 12 PM */
    wr(4, 0x81);                   /* 1 PM */
    ck_assert_int_eq(rtc_get_date(rtc), LEAP_DAY_EVE + 1 + 13 * 3600);
    wr(4, 0x12);
    ck_assert_int_eq(rtc_get_date(rtc), LEAP_DAY_EVE + 1);
}
END_TEST

START_TEST(setting)
{
    setup();
    advance_ms(300);
    wr(11, 0x82);
    ck_assert_int_eq(rd(0), 0x59);
    wr(0, 0x58);
    wr(2, 0x59);
    wr(4, 0x23);
    wr(7, 0x31);
    wr(8, 0x12);
    wr(9, 0x99);
    wr(0x32, 0x19);
    advance_ms(10000); /* frozen */
    ck_assert_int_eq(rd(0), 0x58);
    ck_assert_int_eq(rd(10) & 0x80, 0);
    wr(11, 0x02);
    ck_assert_int_eq(rtc_get_date(rtc), INT64_C(946684798));
    advance_ms(2000);
    check_date(0x20, 0x00, 0x01, 0x01, 7, 0x00, 0x00, 0x00);
}
END_TEST

START_TEST(divider_reset)
{
    setup();
    wr(10, 0x66);
    advance_ms(5000);
    ck_assert_int_eq(rd(0), 0x59);
    wr(10, 0x26);
    advance_ms(499);
    ck_assert_int_eq(rd(0), 0x59);
    advance_ms(2);
    ck_assert_int_eq(rd(0), 0x00); /* the first update comes after half a second */
}
END_TEST

START_TEST(update_in_progress)
{
    setup();
    advance_ms(999);
    ck_assert_int_eq(rd(10), 0x26);
    clock_virtual_set_ns(1000000000 - 244000);
    ck_assert_int_eq(rd(10), 0xa6);
    clock_virtual_set_ns(1000000000);
    ck_assert_int_eq(rd(10), 0x26);
    wr(10, 0xa6); /* UIP cannot be written */
    ck_assert_int_eq(rd(10), 0x26);
}
END_TEST

START_TEST(update_interrupt)
{
    setup();
    rd(12);
    wr(11, 0x12);
    advance_ms(999);
    ck_assert_int_eq(board.level[8], 0);
    advance_ms(1);
    ck_assert_int_eq(board.level[8], 1);
    advance_ms(3000);
    ck_assert_int_eq(board.rises[8], 1); /* until it is acknowledged */
    ck_assert_int_eq(rd(12) & 0x90, 0x90);
    ck_assert_int_eq(board.level[8], 0);
    ck_assert_int_eq(rd(12), 0x00);
    advance_ms(1000);
    ck_assert_int_eq(board.rises[8], 2);
    wr(11, 0x92); /* SET clears UIE */
    ck_assert_int_eq(rd(11), 0x82);
}
END_TEST

START_TEST(flags_without_interrupts)
{
    setup();
    wr(1, 0x77); /* no alarm at midnight */
    wr(10, 0x20);
    rd(12);
    advance_ms(1000);
    ck_assert_int_eq(rd(12), 0x10);
    ck_assert_int_eq(rd(12), 0x00);
    ck_assert_int_eq(board.rises[8], 0);
    wr(10, 0x26);
    rd(12);
    advance_ms(1); /* 976.6 us */
    ck_assert_int_eq(rd(12), 0x40);
    /* Enabling a flag that is up interrupts at once. */
    advance_ms(1000);
    wr(11, 0x42);
    ck_assert_int_eq(board.level[8], 1);
}
END_TEST

/* Enabled between two ticks of the divider, the first interrupt comes a whole period later;
 * a new rate counts from the latest interrupt (QEMU 7.2's tests/qtest/rtc-test.c). */
START_TEST(rate_changes_count_from_the_latest_interrupt)
{
    const int64_t start = NANOSECONDS_PER_SECOND + NANOSECONDS_PER_SECOND / 32;

    setup();
    clock_virtual_set_ns(start);
    wr(10, 0x2d); /* 8 Hz */
    rd(12);
    wr(11, 0x42);
    clock_virtual_set_ns(start + NANOSECONDS_PER_SECOND / 8 - 1000);
    ck_assert(!board.level[8]);
    clock_virtual_set_ns(start + NANOSECONDS_PER_SECOND / 8);
    ck_assert(board.level[8]);
    rd(12);
    wr(10, 0x2f); /* 2 Hz */
    clock_virtual_set_ns(start + NANOSECONDS_PER_SECOND * 5 / 8 - 1000);
    ck_assert(!board.level[8]);
    clock_virtual_set_ns(start + NANOSECONDS_PER_SECOND * 5 / 8);
    ck_assert(board.level[8]);
}
END_TEST

START_TEST(periodic_rates)
{
    static const struct {
        uint8_t rate;
        int per_second;
    } rates[] = {{1, 256}, {2, 128}, {3, 8192}, {6, 1024}, {13, 8}, {15, 2}};

    setup();
    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++) {
        int seen = 0;

        clock_virtual_set_ns(now = (int64_t)(i + 1) * 10 * NANOSECONDS_PER_SECOND);
        wr(10, 0x20 | rates[i].rate);
        rd(12);
        wr(11, 0x42);
        for (int tick = 1; tick <= 32768; tick++) {
            clock_virtual_set_ns(now + clock_ticks_to_ns(tick, 32768));
            if (board.level[8]) {
                ck_assert_int_eq(rd(12) & 0xc0, 0xc0);
                seen++;
            }
        }
        ck_assert_int_eq(seen, rates[i].per_second);
        wr(11, 0x02);
    }
    wr(10, 0x20);
    wr(11, 0x42);
    advance_ms(2000);
    ck_assert_int_eq(board.level[8], 0);
}
END_TEST

START_TEST(alarms)
{
    setup();
    wr(1, 0x05);
    wr(3, 0x00);
    wr(5, 0x00);
    rd(12);
    wr(11, 0x22);
    advance_ms(5999);
    ck_assert_int_eq(board.level[8], 0);
    advance_ms(1);
    ck_assert_int_eq(board.level[8], 1);
    ck_assert_int_eq(rd(12) & 0xa0, 0xa0);
    advance_ms(86399 * 1000);
    ck_assert_int_eq(board.level[8], 0);
    advance_ms(1000); /* the next day */
    ck_assert_int_eq(board.level[8], 1);
    rd(12);

    wr(5, 0xff); /* every hour, every minute */
    wr(3, 0xc0);
    advance_ms(59999);
    ck_assert_int_eq(board.level[8], 0);
    advance_ms(1);
    ck_assert_int_eq(board.level[8], 1);
    rd(12);

    wr(1, 0x77); /* never */
    advance_ms(100000 * 1000);
    ck_assert_int_eq(board.level[8], 0);
    ck_assert_int_eq(rd(12) & 0x20, 0);
}
END_TEST

START_TEST(memory)
{
    setup();
    wr(0x8f, 0x55); /* bit 7 of the index is the NMI mask */
    ck_assert_int_eq(rd(0x0f), 0x55);
    rtc_set_memory(rtc, 0x7f, 0xaa);
    ck_assert_int_eq(rd(0x7f), 0xaa);
    wr(0x37, 0x19); /* the PS/2's century byte is the PC's */
    ck_assert_int_eq(rd(0x32), 0x19);
    wr(12, 0xff);
    wr(13, 0x00);
    ck_assert_int_eq(rd(13), 0x80);
    ck_assert_int_eq(inb(0x70), 0xff);
    device_reset_all();
    ck_assert_int_eq(rtc_get_memory(rtc, 0x0f), 0x55);
}
END_TEST

START_TEST(reset_clears_interrupts_only)
{
    setup();
    wr(10, 0x23);
    wr(11, 0x7e);
    advance_ms(5);
    ck_assert_int_eq(board.level[8], 1);
    device_reset_all();
    ck_assert_int_eq(board.level[8], 0);
    ck_assert_int_eq(rd(11), 0x06);
    ck_assert_int_eq(rd(10), 0x23);
    ck_assert_int_eq(rd(0), 59);
}
END_TEST

START_TEST(odd_dates_do_no_harm)
{
    setup();
    for (int value = 0; value < 256; value++) {
        for (int reg = 0; reg <= 9; reg++) {
            wr(reg, value);
        }
        wr(0x32, value);
        wr(11, value & 6 ? 0x20 : 0x24);
        advance_ms(1000);
        rd(0);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        calendar,
        twelve_hours,
        setting,
        divider_reset,
        update_in_progress,
        update_interrupt,
        flags_without_interrupts,
        periodic_rates,
        rate_changes_count_from_the_latest_interrupt,
        alarms,
        memory,
        reset_clears_interrupts_only,
        odd_dates_do_no_harm,
    };

    return run_suite("rtc", tests, G_N_ELEMENTS(tests));
}
