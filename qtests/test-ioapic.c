/*
 * I/O APIC. Expectations: the 82093AA data sheet (290566), and Intel SDM volume 3, 11.11,
 * for the messages that it writes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/intc/ioapic.h"
#include "qtests/isa-board.h"

#define MESSAGES 0xfee00000
#define MASKED 0x10000

static struct {
    MemoryRegion window;
    IOAPIC *ioapic;
    IRQ *pins;
    unsigned messages;
    hwaddr address;
    uint32_t data;
} t;

static uint64_t window_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void window_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ck_assert_uint_eq(size, 4);
    t.messages++;
    t.address = MESSAGES + offset;
    t.data = (uint32_t)value;
}

static const MemoryRegionOps window_ops = {.read = window_read, .write = window_write};

static void store(hwaddr offset, uint32_t value)
{
    address_space_stl_le(&board.memory_space, IOAPIC_ADDRESS + offset, value,
                         MEMTXATTRS_UNSPECIFIED, NULL);
}

static uint32_t load(unsigned reg)
{
    store(0, reg);
    return address_space_ldl_le(&board.memory_space, IOAPIC_ADDRESS + 0x10,
                                MEMTXATTRS_UNSPECIFIED, NULL);
}

static void write_register(unsigned reg, uint32_t value)
{
    store(0, reg);
    store(0x10, value);
}

static void redirect(unsigned pin, uint64_t entry)
{
    write_register(0x11 + 2 * pin, (uint32_t)(entry >> 32));
    write_register(0x10 + 2 * pin, (uint32_t)entry);
}

static void setup(const char *version)
{
    board_init();
    memory_region_init_io(&t.window, NULL, &window_ops, NULL, "messages", MiB(1));
    memory_region_add_subregion(&board.memory, MESSAGES, &t.window);
    device_add_global("ioapic", "version", version, false);
    t.ioapic = ioapic_new(NULL, &board.memory_space, NULL);
    t.pins = device_get_gpio_in(DEVICE(t.ioapic), 0);
    device_reset_all();
}

START_TEST(registers_at_reset)
{
    setup("0x20");
    ck_assert_uint_eq(load(0), 0);
    ck_assert_uint_eq(load(1), 0x00170020);
    for (unsigned pin = 0; pin < 24; pin++) {
        ck_assert_uint_eq(load(0x10 + 2 * pin), MASKED);
        ck_assert_uint_eq(load(0x11 + 2 * pin), 0);
    }
    ck_assert_uint_eq(load(0x40), 0); /* behind the last */
    write_register(0, UINT32_MAX);
    ck_assert_uint_eq(load(0), 0x0f000000);
    ck_assert_uint_eq(load(2), 0x0f000000);
    write_register(1, UINT32_MAX);
    ck_assert_uint_eq(load(1), 0x00170020);
    /* Delivery status and remote IRR are read-only, the reserved bits are zeroes. */
    redirect(7, UINT64_MAX);
    ck_assert_uint_eq(load(0x1e), 0x1afff);
    ck_assert_uint_eq(load(0x1f), 0xff000000);
}
END_TEST

START_TEST(messages_say_what_the_entry_says)
{
    setup("0x20");
    redirect(4, UINT64_C(0x0300000000000834)); /* fixed, logical, vector 0x34 to 3 */
    irq_raise(&t.pins[4]);
    ck_assert_uint_eq(t.messages, 1);
    ck_assert_uint_eq(t.address, 0xfee03004);
    ck_assert_uint_eq(t.data & 0xa7ff, 0x0034); /* trigger edge, fixed, vector */
    redirect(5, UINT64_C(0x010000000000a140));  /* lowest priority, level, active low */
    irq_raise(&t.pins[5]);
    ck_assert_uint_eq(t.address, 0xfee01000);
    ck_assert_uint_eq(t.data, 0xc140); /* level, asserted */
}
END_TEST

START_TEST(edges_of_masked_pins_are_lost)
{
    setup("0x20");
    redirect(1, MASKED | 0x31);
    irq_raise(&t.pins[1]);
    redirect(1, 0x31);
    ck_assert_uint_eq(t.messages, 0);
    irq_raise(&t.pins[1]); /* no edge */
    ck_assert_uint_eq(t.messages, 0);
    irq_lower(&t.pins[1]);
    irq_pulse(&t.pins[1]);
    ck_assert_uint_eq(t.messages, 1);
}
END_TEST

START_TEST(levels_wait_for_the_end_of_interrupt)
{
    setup("0x20");
    redirect(10, MASKED | 0x8061);
    irq_raise(&t.pins[10]);
    ck_assert_uint_eq(t.messages, 0);
    redirect(10, 0x8061); /* still asserted when unmasked */
    ck_assert_uint_eq(t.messages, 1);
    ck_assert_uint_eq(load(0x24), 0xc061);
    irq_lower(&t.pins[10]);
    irq_raise(&t.pins[10]);
    ck_assert_uint_eq(t.messages, 1);
    ioapic_end_of_interrupt(t.ioapic, 0x62);
    ck_assert_uint_eq(t.messages, 1);
    ioapic_end_of_interrupt(t.ioapic, 0x61);
    ck_assert_uint_eq(t.messages, 2);
    irq_lower(&t.pins[10]);
    store(0x40, 0x61); /* the EOI register */
    ck_assert_uint_eq(t.messages, 2);
    ck_assert_uint_eq(load(0x24), 0x8061);
    /* To edge and back clears remote IRR, as software without an EOI register has it. */
    irq_raise(&t.pins[10]);
    ck_assert_uint_eq(load(0x24), 0xc061);
    redirect(10, MASKED | 0x0061);
    redirect(10, MASKED | 0x8061);
    ck_assert_uint_eq(load(0x24), 0x18061);
}
END_TEST

START_TEST(old_versions_have_no_eoi_register)
{
    setup("0x11");
    ck_assert_uint_eq(load(1), 0x00170011);
    redirect(10, 0x8061);
    irq_raise(&t.pins[10]);
    store(0x40, 0x61);
    ck_assert_uint_eq(t.messages, 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        registers_at_reset,
        messages_say_what_the_entry_says,
        edges_of_masked_pins_are_lost,
        levels_wait_for_the_end_of_interrupt,
        old_versions_have_no_eoi_register,
    };

    return run_suite("ioapic", tests, G_N_ELEMENTS(tests));
}
