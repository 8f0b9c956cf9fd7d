/*
 * The small devices: pvpanic, the ib700 watchdog, pc-testdev and edu, by QEMU's documents
 * of them (docs/specs) and Linux's ib700wdt driver.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/core/clock.h"
#include "hw/misc/edu.h"
#include "hw/misc/ib700.h"
#include "hw/misc/pc-testdev.h"
#include "hw/misc/pvpanic.h"
#include "qtests/pci-board.h"

#define SECOND NANOSECONDS_PER_SECOND

static unsigned happened[SYSTEM_GUEST_EVENTS];
static ISABus *isa;

static void note_guest_event(SystemGuestEvent event, void *opaque)
{
    happened[event]++;
}

static const SystemHandler handler = {.guest_event = note_guest_event};

static void setup(void)
{
    memset(happened, 0, sizeof(happened));
    clock_virtual_manual();
    clock_virtual_set_ns(0);
    board_setup();
    isa = board_add_piix3()->isa;
    system_set_handler(&handler, NULL);
}

/* A device on the ISA bus; `property` NULL: as it comes. */
static Device *add_isa(GType type, const char *property, const char *value)
{
    GError *error = NULL;
    Device *dev = device_new(type, &error);

    ck_assert(!property || property_set_string(G_OBJECT(dev), property, value, &error));
    ck_assert_msg(device_realize(dev, &isa->parent, &error), "%s",
                  error ? error->message : "");
    return dev;
}

/* -- pvpanic ------------------------------------------------------------------------- */

START_TEST(test_pvpanic)
{
    setup();
    ck_assert_uint_eq(pvpanic_port(), 0);
    add_isa(TYPE_PVPANIC, NULL, NULL);
    ck_assert_uint_eq(pvpanic_port(), 0x505);
    ck_assert_uint_eq(port_in(0x505, 1), 3); /* both events are known */
    port_out(0x505, 0, 1);
    port_out(0x505, 0xfc, 1);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_PANICKED], 0);
    port_out(0x505, 1, 1);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_PANICKED], 1);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_CRASH_LOADED], 0);
    port_out(0x505, 2, 1);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_PANICKED], 1);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_CRASH_LOADED], 1);
}
END_TEST

START_TEST(test_pvpanic_properties)
{
    setup();
    add_isa(TYPE_PVPANIC, "ioport", "0x600");
    ck_assert_uint_eq(pvpanic_port(), 0x600);
    ck_assert_uint_eq(port_in(0x600, 1), 3);
    ck_assert_uint_eq(port_in(0x505, 1), 0xff);
}
END_TEST

/* -- ib700 --------------------------------------------------------------------------- */

START_TEST(test_ib700)
{
    setup();
    add_isa(TYPE_IB700, NULL, NULL);
    clock_virtual_set_ns(100 * SECOND);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_WATCHDOG], 0);

    /* 0xf is 0 seconds, 0xa ten, 0 thirty. */
    port_out(0x443, 0xa, 1);
    clock_virtual_set_ns(110 * SECOND - 1);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_WATCHDOG], 0);
    port_out(0x443, 0xa, 1); /* served */
    clock_virtual_set_ns(120 * SECOND - 2);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_WATCHDOG], 0);
    clock_virtual_set_ns(120 * SECOND);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_WATCHDOG], 1);
    clock_virtual_set_ns(200 * SECOND);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_WATCHDOG], 1); /* once */

    port_out(0x443, 0xf0, 1); /* the low four bits count: 30 s */
    clock_virtual_set_ns(229 * SECOND);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_WATCHDOG], 1);
    port_out(0x441, 0, 1); /* stopped */
    clock_virtual_set_ns(300 * SECOND);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_WATCHDOG], 1);

    port_out(0x443, 0, 1);
    device_reset_all();
    clock_virtual_set_ns(400 * SECOND);
    ck_assert_uint_eq(happened[SYSTEM_GUEST_WATCHDOG], 1);
}
END_TEST

/* -- pc-testdev ---------------------------------------------------------------------- */

START_TEST(test_pc_testdev)
{
    uint64_t value = 0;

    setup();
    add_isa(TYPE_PC_TESTDEV, NULL, NULL);
    port_out(0xe0, 0x12345678, 4);
    ck_assert_uint_eq(port_in(0xe0, 4), 0x12345678);
    ck_assert_uint_eq(port_in(0xe1, 1), 0x56);
    ck_assert_uint_eq(port_in(0xe8, 4), 0x12345678);
    port_out(0xea, 0xabcd, 2);
    ck_assert_uint_eq(port_in(0xe0, 4), 0xabcd5678);

    port_out(0x2005, 1, 1);
    ck_assert_int_eq(board.isa_level[5], 1);
    port_out(0x2005, 0, 1);
    ck_assert_int_eq(board.isa_level[5], 0);
    port_out(0x2017, 1, 1); /* an I/O APIC's line 23: the ISA bus ends at 15 */
    port_out(0xe4, 0x1000, 4);
    port_out(0xe4, 0xfffff000, 4);

    address_space_store(&board.memory_as, 0xff000000, 8, UINT64_C(0x1122334455667788),
                        MEMTXATTRS_UNSPECIFIED);
    address_space_load(&board.memory_as, 0xff000002, 4, &value, MEMTXATTRS_UNSPECIFIED);
    ck_assert_uint_eq(value, 0x33445566);
    memory_out(0xff00ffff, 0x99);
    ck_assert_uint_eq(memory_in(0xff00ffff), 0x99);
}
END_TEST

/* -- edu ----------------------------------------------------------------------------- */

#define EDU_DEVFN PCI_DEVFN(5, 0)
#define EDU_BASE UINT64_C(0xfe000000)

static uint64_t edu_in(uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&board.memory_as, EDU_BASE + offset, size, &value,
                       MEMTXATTRS_UNSPECIFIED);
    return value;
}

static void edu_out(uint64_t offset, uint64_t value, unsigned size)
{
    address_space_store(&board.memory_as, EDU_BASE + offset, size, value,
                        MEMTXATTRS_UNSPECIFIED);
}

static PCIDevice *add_edu(void)
{
    GError *error = NULL;
    Device *dev;

    setup();
    dev = device_new(TYPE_EDU, &error);
    ck_assert(property_set_string(G_OBJECT(dev), "addr", "5.0", &error));
    ck_assert(device_realize(dev, &board.bus->parent, &error));
    device_reset_all();
    config_out(EDU_DEVFN, 0x10, EDU_BASE, 4);
    config_out(EDU_DEVFN, 0x04, 6, 2); /* memory and bus master */
    return PCI_DEVICE(dev);
}

/* Until a computation, which goes on beside the guest, is done. */
static void wait_for_factorial(void)
{
    gint64 end = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;

    while ((edu_in(0x20, 4) & 1) && g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, false);
    }
    ck_assert_uint_eq(edu_in(0x20, 4) & 1, 0);
}

START_TEST(test_edu_registers)
{
    PCIDevice *edu = add_edu();

    ck_assert_uint_eq(config_in(EDU_DEVFN, 0, 4), 0x11e81234);
    ck_assert_uint_eq(config_in(EDU_DEVFN, 8, 4), 0x00ff0010);
    ck_assert_uint_eq(config_in(EDU_DEVFN, 0x3d, 1), 1); /* INTA# */
    config_out(EDU_DEVFN, 0x10, 0xffffffff, 4);
    ck_assert_uint_eq(config_in(EDU_DEVFN, 0x10, 4), 0xfff00000); /* 1 MiB */
    config_out(EDU_DEVFN, 0x10, EDU_BASE, 4);

    ck_assert_uint_eq(edu_in(0, 4), 0x010000ed);
    edu_out(4, 0x12345678, 4);
    ck_assert_uint_eq(edu_in(4, 4), 0xedcba987);

    edu_out(8, 5, 4);
    wait_for_factorial();
    ck_assert_uint_eq(edu_in(8, 4), 120);
    edu_out(8, 13, 4);
    wait_for_factorial();
    ck_assert_uint_eq(edu_in(8, 4), 1932053504); /* 13! modulo 2^32 */
    edu_out(8, 0xffffffff, 4);                   /* does not take years */
    wait_for_factorial();
    ck_assert_uint_eq(edu_in(8, 4), 0);
    edu_out(8, 0, 4);
    wait_for_factorial();
    ck_assert_uint_eq(edu_in(8, 4), 1);
    ck_assert_uint_eq(edu->irq_state, 0);

    /* Other sizes and places read as ones and are lost. */
    edu_out(4, 0, 1);
    ck_assert_uint_eq(edu_in(4, 4), 0xedcba987);
    ck_assert_uint_eq(edu_in(0xff000, 4), 0xffffffff);
    edu_out(0xffffc, 1, 4);
}
END_TEST

START_TEST(test_edu_irqs)
{
    PCIDevice *edu = add_edu();

    edu_out(0x60, 0x11, 4);
    ck_assert_uint_eq(edu_in(0x24, 4), 0x11);
    ck_assert_uint_eq(edu->irq_state, 1);
    edu_out(0x64, 0x01, 4);
    ck_assert_uint_eq(edu_in(0x24, 4), 0x10);
    ck_assert_uint_eq(edu->irq_state, 1);
    edu_out(0x64, 0x10, 4);
    ck_assert_uint_eq(edu->irq_state, 0);

    edu_out(0x20, 0x80, 4);
    edu_out(8, 3, 4);
    wait_for_factorial();
    ck_assert_uint_eq(edu_in(0x24, 4), 1);
    ck_assert_uint_eq(edu->irq_state, 1);
    device_reset(&edu->parent);
    ck_assert_uint_eq(edu->irq_state, 0);
}
END_TEST

static void edu_dma(uint64_t from, uint64_t to, uint64_t count, uint32_t command)
{
    edu_out(0x80, from, 8);
    edu_out(0x88, to, 8);
    edu_out(0x90, count, 8);
    edu_out(0x98, command | 1, 8);
}

START_TEST(test_edu_dma)
{
    PCIDevice *edu = add_edu();

    memcpy(ram_at(0x10000), "from the guest", 15);
    edu_dma(0x10000, 0x40000, 15, 0);
    ck_assert_uint_eq(edu_in(0x98, 8) & 1, 1);
    edu_out(0x80, 0x5000, 8); /* stands while it runs */
    ck_assert_uint_eq(edu_in(0x80, 8), 0x10000);
    clock_virtual_set_ns(SECOND / 10 - 1);
    ck_assert_uint_eq(edu_in(0x98, 8) & 1, 1);
    clock_virtual_set_ns(SECOND / 10);
    ck_assert_uint_eq(edu_in(0x98, 8) & 1, 0);
    ck_assert_uint_eq(edu->irq_state, 0);

    edu_dma(0x40005, 0x20000, 10, 2 | 4);
    clock_virtual_set_ns(SECOND);
    ck_assert_str_eq((char *)ram_at(0x20000), "the guest");
    ck_assert_uint_eq(edu_in(0x24, 4), 0x100);
    ck_assert_uint_eq(edu->irq_state, 1);

    /* Beyond the 4096 bytes of its buffer nothing is moved, whatever the sums are. */
    static const struct {
        uint64_t from, to, count;
        uint32_t direction;
    } wrong[] = {
        {0x10000, 0x40ff0, 0x11, 0}, {0x10000, 0x41000, 1, 0},
        {0x10000, 0x3ffff, 1, 0},    {0x10000, 0x40001, UINT64_MAX, 0},
        {0x41000, 0x20000, 1, 2},    {0x40001, 0x20000, 0x1000, 2},
        {UINT64_MAX, 0x20000, 2, 2}, {0x3ffff, 0x20000, UINT64_MAX, 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        edu_dma(wrong[i].from, wrong[i].to, wrong[i].count, wrong[i].direction);
        clock_virtual_set_ns(clock_virtual_ns() + SECOND);
        ck_assert_uint_eq(edu_in(0x98, 8) & 1, 0);
        ck_assert_str_eq((char *)ram_at(0x20000), "the guest");
    }
    edu_dma(0x10000, 0x40000, 0x1000, 0); /* all of it is in range */
    clock_virtual_set_ns(clock_virtual_ns() + SECOND);
    ck_assert_uint_eq(edu_in(0x98, 8) & 1, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("misc");
    TCase *tcase = tcase_create("devices");

    tcase_add_test(tcase, test_pvpanic);
    tcase_add_test(tcase, test_pvpanic_properties);
    tcase_add_test(tcase, test_ib700);
    tcase_add_test(tcase, test_pc_testdev);
    tcase_add_test(tcase, test_edu_registers);
    tcase_add_test(tcase, test_edu_irqs);
    tcase_add_test(tcase, test_edu_dma);
    suite_add_tcase(suite, tcase);
    return board_run(suite);
}
