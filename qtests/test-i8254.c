/*
 * 8254 and port 0x61, by the data sheet (Intel 231164).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/isa-board.h"

#include "hw/timer/i8254.h"
#include "hw/timer/pcspk.h"

static I8254 *pit;
static uint64_t clocks; /* of the 8254, since the test began */

static void setup(void)
{
    GError *error = NULL;

    board_init();
    pit = i8254_new(board.isa, &board.irqs[0], &error);
    ck_assert_ptr_nonnull(pit);
    ck_assert_ptr_nonnull(pcspk_new(board.isa, pit, &error));
    device_reset_all();
    clocks = 0;
}

static void advance(uint64_t n)
{
    clocks += n;
    clock_virtual_set_ns(clock_ticks_to_ns(clocks, I8254_HZ));
}

static void load(unsigned counter, uint8_t control, uint16_t count)
{
    outb(0x43, counter << 6 | 0x30 | control);
    outb(0x40 + counter, count & 0xff);
    outb(0x40 + counter, count >> 8);
}

static uint16_t read_counter(unsigned counter)
{
    uint8_t low;

    outb(0x43, counter << 6);
    low = inb(0x40 + counter);
    return low | inb(0x40 + counter) << 8;
}

static int out2(void)
{
    return inb(0x61) >> 5 & 1;
}

START_TEST(rate_generator)
{
    setup();
    load(0, 0x04, 1000);
    ck_assert_int_eq(board.level[0], 1);
    advance(250);
    ck_assert_int_eq(read_counter(0), 750);
    advance(748);
    ck_assert_int_eq(board.level[0], 1);
    advance(1); /* the count is 1: low for one clock */
    ck_assert_int_eq(read_counter(0), 1);
    ck_assert_int_eq(board.level[0], 0);
    board.rises[0] = 0;
    advance(1);
    ck_assert_int_eq(board.level[0], 1);
    ck_assert_int_eq(board.rises[0], 1);
    ck_assert_int_eq(read_counter(0), 1000);
    advance(99 * 1000);
    ck_assert_int_eq(board.rises[0], 100);
}
END_TEST

START_TEST(longest_count_is_18_2_hz)
{
    setup();
    load(0, 0x04, 0);
    board.rises[0] = 0;
    clock_virtual_set_ns(10 * NANOSECONDS_PER_SECOND);
    ck_assert_int_eq(board.rises[0], 10 * I8254_HZ / 65536); /* 182 */
}
END_TEST

START_TEST(square_wave)
{
    setup();
    load(0, 0x06, 10);
    board.rises[0] = 0;
    advance(4);
    ck_assert_int_eq(board.level[0], 1);
    ck_assert_int_eq(read_counter(0), 2); /* counts by two */
    advance(1);
    ck_assert_int_eq(board.level[0], 0);
    ck_assert_int_eq(read_counter(0), 10);
    advance(5);
    ck_assert_int_eq(board.level[0], 1);
    ck_assert_int_eq(board.rises[0], 1);

    /* An odd count is high for (N + 1) / 2 clocks. */
    load(0, 0x06, 5);
    advance(2);
    ck_assert_int_eq(board.level[0], 1);
    advance(1);
    ck_assert_int_eq(board.level[0], 0);
    advance(2);
    ck_assert_int_eq(board.level[0], 1);
}
END_TEST

START_TEST(terminal_count)
{
    setup();
    load(0, 0x00, 100);
    ck_assert_int_eq(board.level[0], 0);
    board.rises[0] = 0;
    advance(99);
    ck_assert_int_eq(board.level[0], 0);
    advance(1);
    ck_assert_int_eq(board.level[0], 1);
    ck_assert_int_eq(read_counter(0), 0);
    advance(1);
    ck_assert_int_eq(read_counter(0), 0xffff); /* counts on */
    ck_assert_int_eq(board.rises[0], 1);
    outb(0x43, 0x30); /* the control word lowers OUT again */
    ck_assert_int_eq(board.level[0], 0);
}
END_TEST

START_TEST(first_byte_stops_mode_0)
{
    setup();
    load(0, 0x00, 100);
    advance(50);
    outb(0x40, 10);
    advance(200);
    ck_assert_int_eq(board.level[0], 0);
    outb(0x40, 0);
    advance(10);
    ck_assert_int_eq(board.level[0], 1);
}
END_TEST

START_TEST(gate_holds_mode_0)
{
    setup();
    outb(0x61, 1);
    load(2, 0x00, 100);
    advance(40);
    outb(0x61, 0);
    advance(1000);
    ck_assert_int_eq(read_counter(2), 60);
    ck_assert_int_eq(out2(), 0);
    outb(0x61, 1);
    advance(59);
    ck_assert_int_eq(out2(), 0);
    advance(1);
    ck_assert_int_eq(out2(), 1);
}
END_TEST

START_TEST(one_shot)
{
    setup();
    outb(0x61, 0);
    load(2, 0x02, 100);
    advance(500);
    ck_assert_int_eq(out2(), 1); /* waits for its trigger */
    outb(0x61, 1);
    ck_assert_int_eq(out2(), 0);
    advance(60);
    outb(0x61, 0);
    outb(0x61, 1); /* retriggers */
    advance(99);
    ck_assert_int_eq(out2(), 0);
    advance(1);
    ck_assert_int_eq(out2(), 1);
}
END_TEST

START_TEST(gate_stops_rate_generator)
{
    setup();
    outb(0x61, 1);
    load(2, 0x04, 100);
    advance(99);
    ck_assert_int_eq(out2(), 0);
    outb(0x61, 0); /* "GATE = 0 disables counting"; OUT goes high at once */
    ck_assert_int_eq(out2(), 1);
    advance(33);
    outb(0x61, 1); /* starts over */
    advance(98);
    ck_assert_int_eq(out2(), 1);
    advance(1);
    ck_assert_int_eq(out2(), 0);
}
END_TEST

START_TEST(strobes)
{
    setup();
    load(0, 0x08, 50);
    ck_assert_int_eq(board.level[0], 1);
    advance(49);
    ck_assert_int_eq(board.level[0], 1);
    advance(1);
    ck_assert_int_eq(board.level[0], 0);
    advance(1);
    ck_assert_int_eq(board.level[0], 1);
    advance(100000);
    ck_assert_int_eq(board.level[0], 1); /* once only */

    load(2, 0x0a, 50);
    advance(100);
    ck_assert_int_eq(out2(), 1);
    outb(0x61, 1);
    advance(50);
    ck_assert_int_eq(out2(), 0);
    advance(1);
    ck_assert_int_eq(out2(), 1);
}
END_TEST

START_TEST(latches)
{
    setup();
    load(0, 0x04, 0x1234);
    outb(0x43, 0x00);
    advance(0x234);
    outb(0x43, 0x00); /* the first latch holds until it is read */
    ck_assert_int_eq(inb(0x40), 0x34);
    ck_assert_int_eq(inb(0x40), 0x12);
    ck_assert_int_eq(inb(0x40), 0x00); /* then the counter itself: 0x1000 */
    ck_assert_int_eq(inb(0x40), 0x10);
}
END_TEST

START_TEST(read_back)
{
    setup();
    load(0, 0x04, 0x1234);
    outb(0x43, 0x92);                  /* counter 2: low byte only, mode 1 */
    outb(0x43, 0xc2);                  /* counter 0: count and status */
    ck_assert_int_eq(inb(0x40), 0xb4); /* OUT, loaded, two bytes, mode 2 */
    ck_assert_int_eq(inb(0x40), 0x34);
    ck_assert_int_eq(inb(0x40), 0x12);
    outb(0x43, 0xe8);                  /* counter 2: status */
    ck_assert_int_eq(inb(0x42), 0xd2); /* OUT, null count, low byte, mode 1 */
    ck_assert_int_eq(inb(0x43), 0x00);
}
END_TEST

START_TEST(one_byte_counts)
{
    setup();
    outb(0x43, 0x14); /* low byte only */
    outb(0x40, 200);
    advance(50);
    ck_assert_int_eq(inb(0x40), 150);
    outb(0x43, 0x24); /* high byte only */
    outb(0x40, 0x02);
    advance(0x100);
    ck_assert_int_eq(inb(0x40), 0x01);
}
END_TEST

START_TEST(bcd)
{
    setup();
    load(0, 0x05, 0x1000);
    advance(1);
    ck_assert_int_eq(read_counter(0), 0x0999);
    board.rises[0] = 0;
    advance(999 + 9000);
    ck_assert_int_eq(board.rises[0], 10);
    load(0, 0x01, 0x0000); /* 10000 */
    advance(1);
    ck_assert_int_eq(read_counter(0), 0x9999);
    load(0, 0x05, 0xffff); /* not BCD: 16665, and no harm */
    advance(1);
    ck_assert_int_eq(read_counter(0), 0x6664);
}
END_TEST

START_TEST(shortest_counts)
{
    setup();
    for (unsigned mode = 0; mode < 6; mode++) {
        load(0, mode << 1, 1);
        advance(10);
        read_counter(0);
    }
    load(0, 0x04, 2);
    board.rises[0] = 0;
    advance(1000);
    ck_assert_int_eq(board.rises[0], 500);
}
END_TEST

START_TEST(port_61)
{
    int toggles = 0, last;

    setup();
    outb(0x61, 0xff);
    ck_assert_int_eq(inb(0x61) & 0x0f, 0x03);
    outb(0x61, 0x02);
    ck_assert_int_eq(inb(0x61) & 0x0f, 0x02);
    last = inb(0x61) & 0x10;
    for (int i = 0; i < 1800; i++) {
        advance(1);
        toggles += (inb(0x61) & 0x10) != last;
        last = inb(0x61) & 0x10;
    }
    ck_assert_int_eq(toggles, 100); /* one refresh in 18 clocks, 15.1 us */
}
END_TEST

START_TEST(hpet_takes_irq_0)
{
    setup();
    load(0, 0x04, 1000);
    board.rises[0] = 0;
    irq_lower(device_get_gpio_in(DEVICE(pit), 0));
    advance(10000);
    ck_assert_int_eq(board.rises[0], 0);
    irq_raise(device_get_gpio_in(DEVICE(pit), 0));
    advance(10000);
    ck_assert_int_eq(board.rises[0], 10);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        rate_generator,
        longest_count_is_18_2_hz,
        square_wave,
        terminal_count,
        first_byte_stops_mode_0,
        gate_holds_mode_0,
        one_shot,
        gate_stops_rate_generator,
        strobes,
        latches,
        read_back,
        one_byte_counts,
        bcd,
        shortest_counts,
        port_61,
        hpet_takes_irq_0,
    };

    return run_suite("i8254", tests, G_N_ELEMENTS(tests));
}
