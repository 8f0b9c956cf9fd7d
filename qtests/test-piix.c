/*
 * The south bridge: PIIX3's PIRQs and reset control (82371SB), PIIX4's power management
 * and SMBus (82371AB, ACPI 1.0b), port 92. Sequences over the SMBus and register defaults
 * are QEMU 7.2's answers to the same accesses in its monitor.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/pci-board.h"

#include "hw/acpi/piix4-pm.h"
#include "hw/core/clock.h"
#include "hw/isa/port92.h"

#define BRIDGE PCI_DEVFN(1, 0)
#define PM PCI_DEVFN(1, 3)
#define PMBASE 0x600

static PIIX3 *piix3;
static PIIX4PM *pm;

static void setup(bool smm)
{
    GError *error = NULL;

    clock_virtual_manual();
    clock_virtual_set_ns(0);
    board_setup();
    piix3 = board_add_piix3();
    pm = piix4_pm_new(board.bus, &piix3->isa->irqs[PIIX4_SCI_ISA_IRQ], 1, smm, &error);
    ck_assert_msg(pm != NULL, "%s", error ? error->message : "");
    device_reset_all();
    memset(board.isa_changes, 0, sizeof(board.isa_changes));
}

/* As firmware does: PMBASE, then PMREGMISC. */
static void place_pm(void)
{
    config_out(PM, 0x40, PMBASE | 1, 4);
    config_out(PM, 0x80, 1, 1);
}

/* -- PIIX3 --------------------------------------------------------------------------- */

START_TEST(reset_control)
{
    setup(false);
    ck_assert_uint_eq(port_in(0xcf9, 1), 0);
    port_out(0xcf9, 0x02, 1);
    ck_assert_uint_eq(port_in(0xcf9, 1), 0x02);
    ck_assert_uint_eq(board.resets, 0);
    port_out(0xcf9, 0x06, 1);
    ck_assert_uint_eq(board.resets, 1);
    ck_assert_int_eq(board.reset_cause, SYSTEM_CAUSE_GUEST_RESET);
    ck_assert_str_eq(board.reset_source, "piix3-reset-control");
    device_reset_all();
    ck_assert_uint_eq(port_in(0xcf9, 1), 0);
    port_out(0xcf8, 0x80000000, 4); /* the doubleword around it is still CONFADD */
    ck_assert_uint_eq(port_in(0xcf8, 4), 0x80000000);
    ck_assert_uint_eq(board.resets, 1);
}
END_TEST

START_TEST(bridge_defaults)
{
    setup(false);
    ck_assert_uint_eq(config_in(BRIDGE, 0, 4), 0x70008086);
    ck_assert_uint_eq(config_in(BRIDGE, 4, 4), 0x02000000);
    ck_assert_uint_eq(config_in(BRIDGE, 8, 4), 0x06010000);
    ck_assert_uint_eq(config_in(BRIDGE, 0xe, 1), 0x80);
    ck_assert_uint_eq(config_in(BRIDGE, 0x4c, 4), 0x0003004d);
    ck_assert_uint_eq(config_in(BRIDGE, 0x60, 4), 0x80808080);
    ck_assert_uint_eq(config_in(BRIDGE, 0xa8, 1), 0x0f);
}
END_TEST

/* Drives a PIRQ as a device that is wired to it would. */
static void drive(unsigned pirq, bool level)
{
    board.bus->irq_count[pirq] += level ? 1 : -1;
    board.bus->set_irq(board.bus->irq_opaque, (int)pirq, board.bus->irq_count[pirq] != 0);
}

START_TEST(pirq_routing)
{
    setup(false);
    drive(0, true);
    ck_assert_int_eq(board.isa_level[11], 0);
    config_out(BRIDGE, 0x60, 0x0b, 1);
    ck_assert_int_eq(board.isa_level[11], 1);
    config_out(BRIDGE, 0x60, 0x8b, 1); /* bit 7: not routed */
    ck_assert_int_eq(board.isa_level[11], 0);
    config_out(BRIDGE, 0x60, 0x0a0a0b0b, 4); /* A and B to 11, C and D to 10 */
    ck_assert_int_eq(board.isa_level[11], 1);
    ck_assert_int_eq(board.isa_level[10], 0);
    drive(1, true); /* two PIRQs share an IRQ: it falls with the last */
    drive(0, false);
    ck_assert_int_eq(board.isa_level[11], 1);
    drive(1, false);
    ck_assert_int_eq(board.isa_level[11], 0);
    drive(3, true);
    ck_assert_int_eq(board.isa_level[10], 1);
    device_reset_all();
    ck_assert_int_eq(board.isa_level[10], 0);
    /* IRQs that no PIRQ is routed to are never touched. */
    for (unsigned irq = 0; irq < ISA_IRQS; irq++) {
        ck_assert(irq == 9 || irq == 10 || irq == 11 || board.isa_changes[irq] == 0);
    }
}
END_TEST

/* A PC's wiring: slot 1 INTA# is PIRQA, the next slot's is PIRQB ... */
START_TEST(pirq_wiring)
{
    setup(false);
    for (unsigned slot = 0; slot < 32; slot++) {
        for (int pin = 0; pin < 4; pin++) {
            PCIDevice dev = {.devfn = PCI_DEVFN(slot, 0)};

            ck_assert_int_eq(board.bus->map_irq(&dev, pin), (slot + 4 + pin - 1) % 4);
        }
    }
}
END_TEST

/* -- PIIX4: power management --------------------------------------------------------- */

START_TEST(pm_defaults)
{
    setup(false);
    ck_assert_uint_eq(config_in(PM, 0, 4), 0x71138086);
    ck_assert_uint_eq(config_in(PM, 4, 4), 0x02800000);
    ck_assert_uint_eq(config_in(PM, 8, 4), 0x06800003);
    ck_assert_uint_eq(config_in(PM, 0x3c, 4), 0x0100);
    ck_assert_uint_eq(config_in(PM, 0x40, 4), 1);
    ck_assert_uint_eq(config_in(PM, 0x58, 4), 0x02000000);
    ck_assert_uint_eq(config_in(PM, 0x5c, 4), 0x10000000);
    ck_assert_uint_eq(config_in(PM, 0x60, 4), 0x60000000);
    ck_assert_uint_eq(config_in(PM, 0x64, 4), 0);
    ck_assert_uint_eq(config_in(PM, 0x90, 4), 0xb101);
    ck_assert_uint_eq(config_in(PM, 0xd0, 4), 0x00090000);
    ck_assert_uint_eq(port_in(0xae0c, 4), 0xfffffffc);
    ck_assert_uint_eq(port_in(0xaf00, 1), 1);
    ck_assert_uint_eq(port_in(0xafe0, 4), 0);
    ck_assert_uint_eq(port_in(PMBASE + 8, 4), 0xffffffff); /* not placed yet */
}
END_TEST

static uint32_t ticks_at(int64_t ns)
{
    clock_virtual_set_ns(ns);
    return port_in(PMBASE + 8, 4);
}

START_TEST(pm_timer_rate)
{
    setup(false);
    place_pm();
    ck_assert_uint_eq(ticks_at(0), 0);
    ck_assert_uint_eq(ticks_at(NANOSECONDS_PER_SECOND), 3579545);
    ck_assert_uint_eq(ticks_at(2 * NANOSECONDS_PER_SECOND), 7159090);
    /* 24 bits: 5 s are 17,897,725 ticks, 1,120,509 past 2^24. */
    ck_assert_uint_eq(ticks_at(5 * NANOSECONDS_PER_SECOND), 1120509);
    config_out(PM, 0x40, 0x800 | 1, 4); /* it moves with PMBASE */
    ck_assert_uint_eq(port_in(PMBASE + 8, 4), 0xffffffff);
    ck_assert_uint_eq(port_in(0x808, 4), 1120509);
    config_out(PM, 0x80, 0, 1);
    ck_assert_uint_eq(port_in(0x808, 4), 0xffffffff);
}
END_TEST

/* Bit 23 changes after 2^23 ticks: 2.343484 s. */
#define HALF_PERIOD_NS INT64_C(2343484437)

START_TEST(pm_timer_overflow)
{
    setup(false);
    place_pm();
    clock_virtual_set_ns(HALF_PERIOD_NS - 1000);
    ck_assert_uint_eq(port_in(PMBASE, 2) & 1, 0);
    clock_virtual_set_ns(HALF_PERIOD_NS + 1000);
    ck_assert_uint_eq(port_in(PMBASE, 2) & 1, 1);
    ck_assert_int_eq(board.isa_level[9], 0); /* not enabled */
    port_out(PMBASE + 2, 1, 2);
    ck_assert_int_eq(board.isa_level[9], 1);
    port_out(PMBASE, 1, 2);
    ck_assert_uint_eq(port_in(PMBASE, 2) & 1, 0);
    ck_assert_int_eq(board.isa_level[9], 0);
    clock_virtual_set_ns(2 * HALF_PERIOD_NS + 1000); /* this time by the timer */
    ck_assert_int_eq(board.isa_level[9], 1);
    port_out(PMBASE, 0xff, 1);
    ck_assert_int_eq(board.isa_level[9], 0);
    ck_assert_uint_eq(port_in(PMBASE + 2, 2), 1); /* the byte write left the enables */
    device_reset_all();
    ck_assert_int_eq(clock_virtual_deadline_ns(), -1);
}
END_TEST

START_TEST(power_button)
{
    setup(false);
    place_pm();
    piix4_pm_power_button(pm);
    ck_assert_uint_eq(port_in(PMBASE, 2) & 0x100, 0);
    port_out(PMBASE + 3, 1, 1); /* PWRBTN_EN is bit 8 */
    piix4_pm_power_button(pm);
    ck_assert_uint_eq(port_in(PMBASE, 2) & 0x100, 0x100);
    ck_assert_int_eq(board.isa_level[9], 1);
    port_out(PMBASE, 0x100, 2);
    ck_assert_int_eq(board.isa_level[9], 0);
    port_out(PMBASE + 2, 0x20, 1); /* the other byte keeps it enabled */
    ck_assert_uint_eq(port_in(PMBASE + 2, 2), 0x120);
}
END_TEST

static void sleep_type(unsigned type)
{
    port_out(PMBASE + 4, type << 10, 2);
    port_out(PMBASE + 4, type << 10 | 1 << 13, 2);
}

START_TEST(sleeping)
{
    setup(false);
    place_pm();
    ck_assert_uint_eq(port_in(PMBASE + 4, 2), 1); /* SCI_EN: there is no SMM to set it */
    sleep_type(0);
    ck_assert_uint_eq(board.shutdowns, 1);
    ck_assert_int_eq(board.shutdown_cause, SYSTEM_CAUSE_GUEST_SHUTDOWN);
    sleep_type(1);
    ck_assert_uint_eq(board.suspends, 1);
    sleep_type(2); /* S4: s4_val */
    ck_assert_uint_eq(board.shutdowns, 2);
    sleep_type(5);
    ck_assert_uint_eq(board.shutdowns + board.suspends, 3);
    ck_assert_uint_eq(port_in(PMBASE + 4, 2), 5 << 10 | 1); /* SLP_EN reads 0 */
    port_out(PMBASE + 5, 1 << 5, 1); /* SLP_EN with SLP_TYP 0, by the high byte */
    ck_assert_uint_eq(board.shutdowns, 3);
}
END_TEST

START_TEST(system_states)
{
    uint8_t states[6];

    setup(false);
    piix4_pm_system_states(pm, states);
    ck_assert_mem_eq(states, ((uint8_t[]){128, 0, 0, 129, 130, 128}), 6);
    pm->disable_s3 = pm->disable_s4 = 1;
    piix4_pm_system_states(pm, states);
    ck_assert_mem_eq(states, ((uint8_t[]){128, 0, 0, 1, 2, 128}), 6);
}
END_TEST

static unsigned smis;

static void smi(void *opaque, int n, int level)
{
    smis += level != 0;
}

START_TEST(apm_with_smm)
{
    IRQ pin = {.handler = smi};

    setup(true);
    place_pm();
    device_connect_gpio_out_named(DEVICE(pm), "smi-irq", 0, &pin);
    ck_assert_uint_eq(config_in(PM, 0x58, 4), 0);
    ck_assert_uint_eq(port_in(PMBASE + 4, 2), 0);
    port_out(0xb2, 0xf1, 1);
    ck_assert_uint_eq(port_in(PMBASE + 4, 2), 1);
    port_out(0xb2, 0xf0, 1);
    ck_assert_uint_eq(port_in(PMBASE + 4, 2), 0);
    port_out(0xb3, 0x77, 1);
    port_out(0xb2, 0x42, 1);
    ck_assert_uint_eq(port_in(0xb2, 2), 0x7742);
    ck_assert_uint_eq(smis, 0);
    config_out(PM, 0x5b, 2, 1);
    port_out(0xb2, 0x42, 1);
    ck_assert_uint_eq(smis, 1);
}
END_TEST

START_TEST(apm_without_smm)
{
    setup(false);
    place_pm();
    port_out(0xb2, 0xf0, 1);
    ck_assert_uint_eq(port_in(PMBASE + 4, 2), 1);
    port_out(0xb2, 0x00, 1);
    ck_assert_uint_eq(smis, 0);
}
END_TEST

START_TEST(general_purpose_events)
{
    setup(false);
    port_out(0xafe2, 1 << 1, 1);
    acpi_pm_raise_gpe(&pm->acpi, 1);
    ck_assert_int_eq(board.isa_level[9], 1);
    ck_assert_uint_eq(port_in(0xafe0, 4), 0x00020002);
    port_out(0xafe0, 2, 1);
    ck_assert_int_eq(board.isa_level[9], 0);
    ck_assert_uint_eq(port_in(0xafe0, 4), 0x00020000);
}
END_TEST

START_TEST(cpu_hotplug)
{
    setup(false);
    pm->cpu_hotplug.cpus = 2;
    ck_assert_uint_eq(port_in(0xaf00, 1), 3);
    ck_assert_uint_eq(port_in(0xaf1f, 1), 0);
    port_out(0xaf00, 0, 1); /* switches to the modern registers */
    ck_assert_uint_eq(port_in(0xaf1f, 1), 0xff);
    port_out(0xaf00, 1, 4);
    ck_assert_uint_eq(port_in(0xaf04, 1), 1);
    port_out(0xaf05, 3, 1);
    ck_assert_uint_eq(port_in(0xaf08, 4), 1);
    port_out(0xaf00, 5, 4);
    ck_assert_uint_eq(port_in(0xaf04, 1), 0);
    ck_assert_uint_eq(port_in(0xaf08, 4), 0);
}
END_TEST

/* -- PIIX4: SMBus -------------------------------------------------------------------- */

#define SMB 0xb100

/* Writes SMBHSTCNT with START; then status is busy once, and the end the next time. */
static uint8_t transact(uint8_t address, unsigned protocol)
{
    port_out(SMB + 0, 0xff, 1);
    port_out(SMB + 4, address, 1);
    port_out(SMB + 2, 0x40 | protocol << 2, 1);
    ck_assert_uint_eq(port_in(SMB, 1), 0x01);
    return (uint8_t)port_in(SMB, 1);
}

START_TEST(smbus_transactions)
{
    setup(false);
    ck_assert_uint_eq(port_in(SMB + 0x0d, 1), 2);
    port_out(SMB + 3, 0, 1);
    ck_assert_uint_eq(transact(0xa1, 2), 0x02); /* read byte data */
    ck_assert_uint_eq(port_in(SMB + 5, 1), 0);
    ck_assert_uint_eq(port_in(SMB + 2, 1), 0x08);
    port_out(SMB + 3, 4, 1);
    port_out(SMB + 5, 0x5a, 1);
    ck_assert_uint_eq(transact(0xa0, 2), 0x02); /* write byte data */
    port_out(SMB + 5, 0, 1);
    ck_assert_uint_eq(transact(0xa1, 2), 0x02);
    ck_assert_uint_eq(port_in(SMB + 5, 1), 0x5a);
    ck_assert_uint_eq(transact(0x31, 2), 0x04); /* nobody there */
    ck_assert_uint_eq(transact(0xa1, 3), 0x02); /* read word data */
    ck_assert_uint_eq(port_in(SMB + 5, 1), 0x5a);
    ck_assert_uint_eq(port_in(SMB + 6, 1), 0x00);
    ck_assert_uint_eq(transact(0xa1, 0), 0x02); /* quick */
    ck_assert_uint_eq(transact(0x31, 0), 0x04);
    ck_assert_uint_eq(transact(0xaf, 0), 0x02); /* the eighth EEPROM */
    ck_assert_uint_eq(transact(0xb1, 0), 0x04);
    ck_assert_uint_eq(transact(0xa1, 7), 0x04); /* no such protocol */
}
END_TEST

START_TEST(smbus_blocks)
{
    setup(false);
    port_out(SMB + 3, 0x10, 1);
    port_out(SMB + 5, 3, 1);
    port_in(SMB + 2, 1); /* to the block's first byte */
    port_out(SMB + 7, 0x11, 1);
    port_out(SMB + 7, 0x22, 1);
    port_out(SMB + 7, 0x33, 1);
    port_out(SMB + 4, 0xa0, 1);
    port_out(SMB + 2, 0x54, 1);
    ck_assert_uint_eq(port_in(SMB, 1), 0x01);
    ck_assert_uint_eq(port_in(SMB, 1), 0x02);
    ck_assert_uint_eq(transact(0xa1, 5), 0x02);
    ck_assert_uint_eq(port_in(SMB + 5, 1), 3);
    ck_assert_uint_eq(port_in(SMB + 2, 1), 0x14);
    ck_assert_uint_eq(port_in(SMB + 7, 1), 0x11);
    ck_assert_uint_eq(port_in(SMB + 7, 1), 0x22);
    ck_assert_uint_eq(port_in(SMB + 7, 1), 0x33);
    ck_assert_uint_eq(port_in(SMB + 7, 1), 0x11);
    port_out(SMB + 3, 0x11, 1);
    ck_assert_uint_eq(transact(0xa0, 1), 0x02); /* send byte: sets the pointer */
    ck_assert_uint_eq(transact(0xa1, 1), 0x02); /* receive byte */
    ck_assert_uint_eq(port_in(SMB + 5, 1), 0x11);
}
END_TEST

/* Hostile counts: 255 bytes asked, 32 fit. */
START_TEST(smbus_bounds)
{
    setup(false);
    port_out(SMB + 3, 0, 1);
    port_out(SMB + 5, 0xff, 1);
    ck_assert_uint_eq(transact(0xa0, 2), 0x02);
    ck_assert_uint_eq(transact(0xa1, 5), 0x02);
    ck_assert_uint_eq(port_in(SMB + 5, 1), 32);
    port_out(SMB + 5, 0xff, 1);
    ck_assert_uint_eq(transact(0xa0, 5), 0x02);
    for (unsigned i = 0; i < 300; i++) {
        port_out(SMB + 7, i, 1);
    }
    port_out(SMB + 5, 0, 1);
    for (unsigned i = 0; i < 300; i++) {
        port_in(SMB + 7, 1);
    }
}
END_TEST

START_TEST(smbus_interrupt)
{
    setup(false);
    port_out(SMB + 4, 0xa1, 1);
    port_out(SMB + 2, 0x49, 1); /* INTEREN */
    ck_assert_int_eq(board.isa_level[9], 1);
    ck_assert_uint_eq(port_in(SMB, 1), 0x02);
    port_out(SMB, 0x02, 1);
    ck_assert_int_eq(board.isa_level[9], 0);
    config_out(PM, 0xd2, 0, 1); /* disabled: the ports are gone */
    ck_assert_uint_eq(port_in(SMB, 1), 0xff);
    config_out(PM, 0x90, 0x7001, 4);
    config_out(PM, 0xd2, 1, 1);
    ck_assert_uint_eq(port_in(0x700d, 1), 2);
}
END_TEST

/* -- Port 92 ------------------------------------------------------------------------- */

static int a20_level = -1;

static void a20(void *opaque, int n, int level)
{
    a20_level = level;
}

START_TEST(port92_bits)
{
    GError *error = NULL;
    IRQ pin = {.handler = a20};
    Device *dev;

    setup(false);
    dev = device_create(TYPE_PORT92, BUS(piix3->isa), &error);
    ck_assert_ptr_nonnull(dev);
    device_connect_gpio_out_named(dev, "a20", 0, &pin);
    ck_assert_uint_eq(port_in(0x92, 1), 0);
    port_out(0x92, 2, 1);
    ck_assert_int_eq(a20_level, 1);
    ck_assert_uint_eq(board.resets, 0);
    port_out(0x92, 1, 1);
    ck_assert_int_eq(a20_level, 0);
    ck_assert_uint_eq(board.resets, 1);
    ck_assert_str_eq(board.reset_source, "port92");
    port_out(0x92, 3, 1); /* still 1: no edge */
    ck_assert_uint_eq(board.resets, 1);
    device_reset(dev);
    ck_assert_uint_eq(port_in(0x92, 1), 2);
    port_out(0x92, 3, 1);
    ck_assert_uint_eq(board.resets, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("piix");
    TCase *bridge = tcase_create("piix3"), *power = tcase_create("power");
    TCase *smbus = tcase_create("smbus"), *port = tcase_create("port92");

    tcase_add_test(bridge, reset_control);
    tcase_add_test(bridge, bridge_defaults);
    tcase_add_test(bridge, pirq_routing);
    tcase_add_test(bridge, pirq_wiring);
    tcase_add_test(power, pm_defaults);
    tcase_add_test(power, pm_timer_rate);
    tcase_add_test(power, pm_timer_overflow);
    tcase_add_test(power, power_button);
    tcase_add_test(power, sleeping);
    tcase_add_test(power, system_states);
    tcase_add_test(power, apm_with_smm);
    tcase_add_test(power, apm_without_smm);
    tcase_add_test(power, general_purpose_events);
    tcase_add_test(power, cpu_hotplug);
    tcase_add_test(smbus, smbus_transactions);
    tcase_add_test(smbus, smbus_blocks);
    tcase_add_test(smbus, smbus_bounds);
    tcase_add_test(smbus, smbus_interrupt);
    tcase_add_test(port, port92_bits);
    suite_add_tcase(suite, bridge);
    suite_add_tcase(suite, power);
    suite_add_tcase(suite, smbus);
    suite_add_tcase(suite, port);
    return board_run(suite);
}
