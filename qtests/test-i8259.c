/*
 * 8259A pair, by the data sheet (Intel 231468) and the PIIX's ELCR.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/isa-board.h"

#include "hw/intc/i8259.h"

static I8259 *master;
static IRQ *lines;
static int intr;

static void set_intr(void *opaque, int n, int level)
{
    intr = level;
}

/* The PC's usual programming: vectors 0x20 and 0x28, everything unmasked. */
static void program(uint8_t icw1, uint8_t master_icw4, uint8_t slave_icw4)
{
    outb(0x20, icw1);
    outb(0x21, 0x20);
    outb(0x21, 0x04);
    outb(0x21, master_icw4);
    outb(0xa0, icw1);
    outb(0xa1, 0x28);
    outb(0xa1, 0x02);
    outb(0xa1, slave_icw4);
    outb(0x21, 0x00);
    outb(0xa1, 0x00);
}

static void setup(void)
{
    GError *error = NULL;

    board_init();
    lines =
        i8259_new_pair(board.isa, irq_new_array(set_intr, NULL, 0, 1), &master, &error);
    ck_assert_ptr_nonnull(lines);
    device_reset_all();
    program(0x11, 0x01, 0x01);
}

static uint8_t in_service(uint16_t port)
{
    outb(port, 0x0b);
    return inb(port);
}

static uint8_t requested(uint16_t port)
{
    outb(port, 0x0a);
    return inb(port);
}

START_TEST(edge_and_acknowledge)
{
    setup();
    ck_assert_int_eq(intr, 0);
    irq_raise(&lines[1]);
    ck_assert_int_eq(intr, 1);
    ck_assert_int_eq(requested(0x20), 0x02);
    ck_assert_int_eq(i8259_acknowledge(master), 0x21);
    ck_assert_int_eq(intr, 0);
    ck_assert_int_eq(in_service(0x20), 0x02);
    ck_assert_int_eq(requested(0x20), 0x00);
    outb(0x20, 0x20);
    ck_assert_int_eq(in_service(0x20), 0x00);
    /* The line is still high: no second interrupt without a second edge. */
    ck_assert_int_eq(intr, 0);
    irq_raise(&lines[1]);
    ck_assert_int_eq(intr, 0);
    irq_lower(&lines[1]);
    irq_raise(&lines[1]);
    ck_assert_int_eq(intr, 1);
}
END_TEST

START_TEST(masks_hold_requests)
{
    setup();
    outb(0x21, 0x08);
    ck_assert_int_eq(inb(0x21), 0x08);
    irq_pulse(&lines[3]);
    ck_assert_int_eq(intr, 0);
    outb(0x21, 0x00);
    ck_assert_int_eq(intr, 1);
    ck_assert_int_eq(i8259_acknowledge(master), 0x23);
}
END_TEST

START_TEST(fully_nested_priorities)
{
    setup();
    irq_pulse(&lines[5]);
    irq_pulse(&lines[3]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x23);
    ck_assert_int_eq(intr, 0); /* 5 is less urgent than 3 in service */
    irq_pulse(&lines[1]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x21);
    ck_assert_int_eq(in_service(0x20), 0x0a);
    outb(0x20, 0x20); /* the non-specific EOI ends the most urgent one */
    ck_assert_int_eq(in_service(0x20), 0x08);
    outb(0x20, 0x63); /* specific EOI of 3 */
    ck_assert_int_eq(intr, 1);
    ck_assert_int_eq(i8259_acknowledge(master), 0x25);
}
END_TEST

START_TEST(cascade)
{
    setup();
    irq_pulse(&lines[12]);
    ck_assert_int_eq(requested(0x20), 0x04);
    ck_assert_int_eq(i8259_acknowledge(master), 0x2c);
    ck_assert_int_eq(in_service(0x20), 0x04);
    ck_assert_int_eq(in_service(0xa0), 0x10);
    /* One of the same slave, more urgent: it waits for the master's EOI ... */
    irq_pulse(&lines[8]);
    ck_assert_int_eq(intr, 0);
    outb(0x20, 0x20);
    ck_assert_int_eq(i8259_acknowledge(master), 0x28);
    /* ... and the line goes down in between, so that one more makes an edge. */
    irq_pulse(&lines[9]);
    outb(0xa0, 0x60);
    outb(0xa0, 0x64);
    outb(0x20, 0x20);
    ck_assert_int_eq(i8259_acknowledge(master), 0x29);
}
END_TEST

START_TEST(slave_with_auto_eoi_keeps_asking)
{
    setup();
    program(0x11, 0x03, 0x03);
    irq_pulse(&lines[8]);
    irq_pulse(&lines[9]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x28);
    ck_assert_int_eq(intr, 1);
    ck_assert_int_eq(i8259_acknowledge(master), 0x29);
    ck_assert_int_eq(intr, 0);
    ck_assert_int_eq(in_service(0x20) | in_service(0xa0), 0);
}
END_TEST

START_TEST(special_fully_nested)
{
    setup();
    program(0x11, 0x11, 0x01);
    irq_pulse(&lines[12]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x2c);
    irq_pulse(&lines[8]);
    ck_assert_int_eq(intr, 1);
    ck_assert_int_eq(i8259_acknowledge(master), 0x28);
}
END_TEST

START_TEST(spurious)
{
    setup();
    ck_assert_int_eq(i8259_acknowledge(master), 0x27);
    ck_assert_int_eq(in_service(0x20), 0x00);
    /* The slave's request is gone when the CPU comes: its line 7, the master's
     * is served. */
    outb(0x4d1, 0x02);
    irq_raise(&lines[9]);
    irq_lower(&lines[9]);
    ck_assert_int_eq(requested(0xa0), 0x00);
    ck_assert_int_eq(i8259_acknowledge(master), 0x2f);
    ck_assert_int_eq(in_service(0x20), 0x04);
    ck_assert_int_eq(in_service(0xa0), 0x00);
}
END_TEST

START_TEST(levels_by_elcr)
{
    setup();
    outb(0x4d0, 0xff);
    outb(0x4d1, 0xff);
    ck_assert_int_eq(inb(0x4d0), 0xf8); /* 0-2 stay edges */
    ck_assert_int_eq(inb(0x4d1), 0xde); /* as do 8 and 13 */
    irq_raise(&lines[11]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x2b);
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
    ck_assert_int_eq(intr, 1); /* still asking */
    irq_lower(&lines[11]);
    ck_assert_int_eq(requested(0xa0), 0x00);
}
END_TEST

START_TEST(levels_by_icw1)
{
    setup();
    program(0x19, 0x01, 0x01);
    irq_raise(&lines[1]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x21);
    outb(0x20, 0x20);
    ck_assert_int_eq(intr, 1);
    irq_lower(&lines[1]);
    ck_assert_int_eq(intr, 0);
}
END_TEST

START_TEST(icw1_resets)
{
    setup();
    irq_raise(&lines[4]);
    outb(0x21, 0xff);
    outb(0x20, 0x11);
    ck_assert_int_eq(inb(0x20), 0x00); /* IRR: the edge is forgotten, and IRR is read */
    ck_assert_int_eq(intr, 0);
    outb(0x21, 0x40);
    outb(0x21, 0x04);
    outb(0x21, 0x01);
    ck_assert_int_eq(inb(0x21), 0x00); /* IMR is clear */
    irq_raise(&lines[4]);
    ck_assert_int_eq(intr, 0); /* "must make a low-to-high transition" */
    irq_lower(&lines[4]);
    irq_raise(&lines[4]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x44);
}
END_TEST

START_TEST(icw_counts)
{
    setup();
    outb(0x20, 0x12); /* single, no ICW4: ICW2 is the last */
    outb(0x21, 0x50);
    outb(0x21, 0xfe);
    ck_assert_int_eq(inb(0x21), 0xfe);
    outb(0x20, 0x10); /* cascaded, no ICW4 */
    outb(0x21, 0x50);
    outb(0x21, 0x04);
    outb(0x21, 0xfd);
    ck_assert_int_eq(inb(0x21), 0xfd);
}
END_TEST

START_TEST(rotation)
{
    setup();
    irq_pulse(&lines[3]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x23);
    outb(0x20, 0xa0); /* rotate on non-specific EOI: 3 becomes the last */
    irq_pulse(&lines[3]);
    irq_pulse(&lines[1]);
    irq_pulse(&lines[4]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x24);
    outb(0x20, 0x20);
    ck_assert_int_eq(i8259_acknowledge(master), 0x21);
    outb(0x20, 0x20);
    ck_assert_int_eq(i8259_acknowledge(master), 0x23);
    outb(0x20, 0xe3); /* rotate on specific EOI */
    outb(0x20, 0xc5); /* set priority: 5 last, 6 first */
    irq_pulse(&lines[0]);
    irq_pulse(&lines[6]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x26);
}
END_TEST

START_TEST(rotation_with_auto_eoi)
{
    setup();
    program(0x11, 0x03, 0x01);
    outb(0x20, 0x80);
    irq_pulse(&lines[0]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x20);
    irq_pulse(&lines[0]);
    irq_pulse(&lines[7]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x27);
    ck_assert_int_eq(i8259_acknowledge(master), 0x20);
    outb(0x20, 0x00);
    irq_pulse(&lines[7]);
    irq_pulse(&lines[1]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x21);
    irq_pulse(&lines[1]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x21); /* no longer rotates */
}
END_TEST

START_TEST(special_mask)
{
    setup();
    irq_pulse(&lines[1]);
    ck_assert_int_eq(i8259_acknowledge(master), 0x21);
    irq_pulse(&lines[6]);
    ck_assert_int_eq(intr, 0);
    outb(0x21, 0x02);
    ck_assert_int_eq(intr, 0);
    outb(0x20, 0x68); /* masked 1 no longer blocks lower ones */
    ck_assert_int_eq(intr, 1);
    ck_assert_int_eq(i8259_acknowledge(master), 0x26);
    outb(0x20, 0x20); /* ends 6, not the masked 1 */
    ck_assert_int_eq(in_service(0x20), 0x02);
    outb(0x20, 0x48);
    irq_pulse(&lines[6]);
    ck_assert_int_eq(intr, 0);
}
END_TEST

START_TEST(poll)
{
    setup();
    outb(0x20, 0x0c);
    ck_assert_int_eq(inb(0x20), 0x00);
    irq_pulse(&lines[4]);
    outb(0x20, 0x0c);
    ck_assert_int_eq(inb(0x20), 0x84);
    ck_assert_int_eq(intr, 0);
    ck_assert_int_eq(in_service(0x20), 0x10);
}
END_TEST

START_TEST(reset_is_power_on)
{
    setup();
    outb(0x4d0, 0xff);
    irq_pulse(&lines[4]);
    i8259_acknowledge(master);
    irq_pulse(&lines[1]);
    device_reset_all();
    ck_assert_int_eq(intr, 0);
    ck_assert_int_eq(inb(0x4d0), 0);
    ck_assert_int_eq(inb(0x21), 0);
    ck_assert_int_eq(in_service(0x20), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        edge_and_acknowledge,
        masks_hold_requests,
        fully_nested_priorities,
        cascade,
        slave_with_auto_eoi_keeps_asking,
        special_fully_nested,
        spurious,
        levels_by_elcr,
        levels_by_icw1,
        icw1_resets,
        icw_counts,
        rotation,
        rotation_with_auto_eoi,
        special_mask,
        poll,
        reset_is_power_on,
    };

    return run_suite("i8259", tests, G_N_ELEMENTS(tests));
}
