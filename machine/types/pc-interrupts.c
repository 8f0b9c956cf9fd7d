/*
 * What interrupts a PC: its controllers, KVM's or our own, and the timers.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pc.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/intc/i8259.h"
#include "hw/timer/i8254.h"
#include "hw/timer/pcspk.h"
#include "machine/accel/kvm-irqchip.h"

/* -- Controllers ----------------------------------------------------------------- */

/* An ISA IRQ reaches both kinds of controllers. */
static void set_gsi(void *opaque, int n, int level)
{
    PCMachine *pc = opaque;

    if (n < ISA_IRQS) {
        irq_set(&pc->pic_lines[n], level);
    }
    if (pc->ioapic) {
        irq_set(device_get_gpio_in(DEVICE(pc->ioapic), n), level);
    }
}

/* The pair's INTR: to the APICs' LINT0, or where there are none to the first CPU. */
static void set_pic_output(void *opaque, int n, int level)
{
    PCMachine *pc = opaque;

    if (pc->apics) {
        apic_bus_set_lint0(pc->apics, level);
    } else {
        x86_cpu_set_intr(pc->parent.cpus->pdata[0], level);
    }
}

static bool make_apics(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;

    pc->apics = apic_bus_new();
    for (guint i = 0; i < machine->cpus->len; i++) {
        if (!apic_new(pc->apics, machine->cpus->pdata[i], &machine->system_memory,
                      error)) {
            return false;
        }
    }
    pc->ioapic = ioapic_new(pc->i440fx ? DEVICE(pc->i440fx->host) : NULL, &machine->memory, error);
    if (!pc->ioapic) {
        return false;
    }
    pc->apics->end_of_interrupt = ioapic_end_of_interrupt;
    pc->apics->end_of_interrupt_opaque = pc->ioapic;
    return true;
}

/* The 8259A pair, and the APICs that a board may have between it and the CPUs. */
static bool make_own_irqchip(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;
    X86CPU *cpu = machine->cpus->pdata[0];
    I8259 *master;

    if (pc->data->apics && !make_apics(pc, error)) {
        return false;
    }
    pc->pic_lines = i8259_new_pair(machine->isa, irq_new_array(set_pic_output, pc, 0, 1),
                                   &master, error);
    if (pc->apics) {
        pc->apics->acknowledge = i8259_acknowledge;
        pc->apics->acknowledge_opaque = master;
    } else {
        cpu->acknowledge = i8259_acknowledge;
        cpu->acknowledge_opaque = master;
    }
    pc->gsis = irq_new_array(set_gsi, pc, 0, PC_GSIS);
    return pc->pic_lines != NULL;
}

bool pc_init_irqchip(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;

    if (strcmp(accel_name(machine->accel), "kvm") == 0 &&
        !device_create(kvm_clock_get_type(), NULL, error)) {
        return false;
    }
    if (accel_irqchip_in_kernel(machine->accel)) {
        G_STATIC_ASSERT(PC_GSIS == KVM_GSI_LINES);
        pc->gsis = kvm_irqchip_create(&machine->isa->parent, pc->data->apics, error);
        if (!pc->gsis) {
            return false;
        }
    } else if (!make_own_irqchip(pc, error)) {
        return false;
    }
    isa_bus_connect_irqs(machine->isa, pc->gsis);
    return true;
}

/* -- Timers ---------------------------------------------------------------------- */

/* The seconds that a calendar set by -rtc base= shows now, since 1970 in its own zone. */
static bool rtc_seconds(const char *base, int64_t *seconds, GError **error)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) date = NULL;

    if (!base || strcmp(base, "utc") == 0) {
        *seconds = clock_get_ns(CLOCK_KIND_HOST) / NANOSECONDS_PER_SECOND;
        return true;
    }
    if (strcmp(base, "localtime") == 0) {
        g_autoptr(GDateTime) now = g_date_time_new_now_local();

        *seconds = g_date_time_to_unix(now) +
                   g_date_time_get_utc_offset(now) / G_TIME_SPAN_SECOND;
        return true;
    }
    date = g_date_time_new_from_iso8601(base, utc);
    if (!date) {
        g_autofree char *midnight = g_strconcat(base, "T00:00:00", NULL);

        date = g_date_time_new_from_iso8601(midnight, utc);
    }
    if (!date) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-rtc base=%s: write utc, localtime, 2006-06-17 or "
                    "2006-06-17T16:01:21",
                    base);
        return false;
    }
    *seconds = g_date_time_to_unix(date);
    return true;
}

/* -rtc base=,clock=: the calendar's time at power-on, and what moves it. */
static bool set_rtc_base(PCMachine *pc, GError **error)
{
    const MachineConfig *config = &pc->parent.config;
    int64_t seconds;

    if (!config->rtc_base && config->rtc_clock == CLOCK_KIND_HOST) {
        return true; /* as the chip is made: the host's time, to the nanosecond */
    }
    if (!rtc_seconds(config->rtc_base, &seconds, error)) {
        return false;
    }
    rtc_set_date(pc->rtc, seconds, config->rtc_clock);
    return true;
}

/* The HPET goes first: the lines of the RTC and the PIT pass through it. */
bool pc_init_timers(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;
    ISABus *isa = machine->isa;
    IRQ *pit_line = &pc->gsis[0], *rtc_line = NULL;
    Device *pit;

    if (pc->hpet && pc->data->pci) {
        pc->hpet_device = hpet_new(&machine->memory, pc->gsis, error);
        if (!pc->hpet_device) {
            return false;
        }
        pit_line = device_get_gpio_in(DEVICE(pc->hpet_device), HPET_INPUT_PIT);
        rtc_line = device_get_gpio_in(DEVICE(pc->hpet_device), HPET_INPUT_RTC);
    }
    if (!pc->data->no_rtc) {
        pc->rtc = mc146818_rtc_new(isa, 0, rtc_line, error);
        if (!pc->rtc || !set_rtc_base(pc, error)) {
            return false;
        }
    }
    pit = accel_irqchip_in_kernel(machine->accel)
              ? kvm_pit_create(&isa->parent, error)
              : (Device *)i8254_new(isa, pit_line, error);
    if (!pit) {
        return false;
    }
    if (pc->hpet_device) {
        device_connect_gpio_out(DEVICE(pc->hpet_device), 0, device_get_gpio_in(pit, 0));
    }
    return pcspk_new(isa, accel_irqchip_in_kernel(machine->accel) ? NULL : I8254(pit),
                     error) != NULL;
}
