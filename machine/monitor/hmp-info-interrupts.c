/*
 * HMP: the interrupt controllers, and what there is none of.
 *
 * Controllers are printed from what migration streams have of them: our own and the
 * kernel's are then the same.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/core/clock.h"
#include "hw/input/keys.h"
#include "hw/intc/apic-wire.h"
#include "hw/intc/apic.h"
#include "hw/intc/i8259.h"
#include "hw/intc/ioapic.h"
#include "machine/accel/kvm-irqchip.h"
#include "machine/machine.h"
#include "machine/monitor/hmp.h"

/* The state of the controller that has that section of a stream, in the section's wire
 * object; false: there is none. */
static bool read_state(const char *section, unsigned instance, void *wire, size_t size)
{
    const VMStateEntry *entry = vmstate_find(section, instance, NULL);

    if (!entry || entry->vmsd->wire_size != size) {
        return false;
    }
    memset(wire, 0, size);
    entry->vmsd->to_wire(entry->opaque, wire);
    return true;
}

/* -- info pic ------------------------------------------------------------------------ */

static void print_i8259(Hmp *hmp, unsigned n)
{
    I8259Wire pic;

    if (read_state("i8259", n, &pic, sizeof(pic))) {
        hmp_printf(hmp,
                   "pic%u: irr=%02x imr=%02x isr=%02x hprio=%d irq_base=%02x rr_sel=%d "
                   "elcr=%02x fnm=%d\n",
                   n, pic.irr, pic.imr, pic.isr, pic.priority_add, pic.irq_base,
                   pic.read_reg_select, pic.elcr, pic.special_fully_nested_mode);
    }
}

/* 82093AA, section 3.2.4, the fields of a redirection entry. */
static void print_pin(Hmp *hmp, int pin, uint64_t entry)
{
    static const char *const modes[] = {"fixed ", "lowest", "SMI   ", "...   ",
                                        "NMI   ", "INIT  ", "...   ", "extINT"};
    unsigned destination = (unsigned)(entry >> 56);

    hmp_printf(
        hmp, "  pin %-2d 0x%016" PRIx64 " dest=%u vec=%-3u active-%s %s %s %s %s\n", pin,
        entry, destination, (unsigned)(entry & 0xff), entry >> 13 & 1 ? "lo" : "hi",
        entry >> 15 & 1 ? "level" : "edge ", entry >> 16 & 1 ? "masked" : "      ",
        modes[entry >> 8 & 7], entry >> 11 & 1 ? "logical" : "physical");
}

static void print_set(Hmp *hmp, const char *title, uint32_t pins)
{
    hmp_printf(hmp, "%s", title);
    for (int pin = 0; pin < IOAPIC_PINS; pin++) {
        if (pins >> pin & 1) {
            hmp_printf(hmp, " %d", pin);
        }
    }
    hmp_printf(hmp, pins ? "\n" : " (none)\n");
}

static bool find_ioapic(Device *dev, void *opaque)
{
    const IOAPIC **found = opaque;

    if (G_OBJECT_TYPE(dev) == ioapic_get_type()) {
        *found = IOAPIC(dev);
    }
    return !*found;
}

#define KERNELS_VERSION 0x11 /* KVM's is a 82093AA */

static void print_ioapic(Hmp *hmp)
{
    const IOAPIC *ours = NULL;
    IOAPICWire ioapic;
    uint32_t remote = 0;

    if (!read_state("ioapic", 0, &ioapic, sizeof(ioapic))) {
        return;
    }
    device_foreach(find_ioapic, &ours);
    hmp_printf(hmp, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x\n",
               ours ? ours->version : KERNELS_VERSION, ioapic.id, ioapic.ioregsel);
    for (int pin = 0; pin < IOAPIC_PINS; pin++) {
        print_pin(hmp, pin, ioapic.ioredtbl[pin]);
        remote |= (uint32_t)(ioapic.ioredtbl[pin] >> 14 & 1) << pin;
    }
    print_set(hmp, "  IRR     ", ioapic.irr);
    print_set(hmp, "  Remote IRR", remote);
}

static void run_pic(Hmp *hmp, const HmpArgs *args)
{
    print_ioapic(hmp);
    print_i8259(hmp, 1);
    print_i8259(hmp, 0);
}

/* -- info irq ------------------------------------------------------------------------ */

typedef struct Controller {
    GType (*type)(void);
    const IRQCounts *(*counts)(Device *dev); /* NULL: another device's has them too */
} Controller;

typedef struct CountsListing {
    Hmp *hmp;
    const Controller *controller;
} CountsListing;

static bool print_counts(Device *dev, void *opaque)
{
    const CountsListing *listing = opaque;
    const IRQCounts *counts = G_OBJECT_TYPE(dev) == listing->controller->type()
                                  ? listing->controller->counts(dev)
                                  : NULL;

    if (counts) {
        hmp_printf(listing->hmp, "IRQ statistics for %s:\n", G_OBJECT_TYPE_NAME(dev));
    }
    for (int line = 0; counts && line < IRQ_COUNTS_LINES; line++) {
        if (counts->rises[line]) {
            hmp_printf(listing->hmp, "%2d: %" PRIu64 "\n", line, counts->rises[line]);
        }
    }
    return true;
}

static void run_irq(Hmp *hmp, const HmpArgs *args)
{
    static const Controller controllers[] = {
        {ioapic_get_type, ioapic_irq_counts},
        {kvm_ioapic_get_type, kvm_ioapic_irq_counts},
        {i8259_get_type, i8259_irq_counts},
        {kvm_i8259_get_type, kvm_i8259_irq_counts},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(controllers); i++) {
        CountsListing listing = {hmp, &controllers[i]};

        device_foreach(print_counts, &listing);
    }
}

/* -- info lapic: registers by Intel SDM volume 3, chapter 11 ------------------------- */

/* 11.5.1: an entry of the local vector table. */
static void print_lvt(Hmp *hmp, const char *name, uint32_t entry, const char *timer_mode)
{
    static const char *const deliveries[] = {"Fixed", "...",  "SMI", "...",
                                             "NMI",   "INIT", "...", "ExtINT"};
    unsigned delivery = entry >> 8 & 7;

    hmp_printf(hmp, "%s\t 0x%08x active-%s %-5s %-6s %-7s %-12s %-6s", name, entry,
               entry >> 13 & 1 ? "lo" : "hi", entry >> 15 & 1 ? "level" : "edge",
               entry >> 16 & 1 ? "masked" : "", entry >> 12 & 1 ? "pending" : "",
               timer_mode, deliveries[delivery]);
    if (delivery != APIC_NMI) {
        hmp_printf(hmp, " (vec %u)", entry & 0xff);
    }
    hmp_printf(hmp, "\n");
}

static void print_lvts(Hmp *hmp, const APICWire *apic)
{
    static const struct {
        const char *name;
        unsigned n;
    } entries[] = {
        {"LVT0", APIC_LVT_LINT0},        {"LVT1", APIC_LVT_LINT1},
        {"LVTPC", APIC_LVT_PERFORMANCE}, {"LVTERR", APIC_LVT_ERROR},
        {"LVTTHMR", APIC_LVT_THERMAL},
    };
    uint32_t timer = apic->lvt[APIC_LVT_TIMER];

    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        print_lvt(hmp, entries[i].name, apic->lvt[entries[i].n], "");
    }
    print_lvt(hmp, "LVTT", timer,
              timer >> 17 & 1   ? "periodic"
              : timer >> 18 & 1 ? "tsc-deadline"
                                : "one-shot");
}

/* The lowest `bits` bits of a set, the highest first. */
static void print_bits(Hmp *hmp, uint32_t set, unsigned bits)
{
    while (bits-- > 0) {
        hmp_printf(hmp, "%c", set >> bits & 1 ? '1' : '0');
    }
}

/* 11.6.1. With x2APIC the destination is the whole of the upper half (11.12.9), which is
 * how QEMU shows it even while the APIC is in its old mode. */
static void print_icr(Hmp *hmp, const APICWire *apic, bool x2apic)
{
    static const char *const shorthands[] = {"no-shorthand", "self", "all-self", "all"};
    uint32_t icr = apic->icr[0], destination = apic->icr[1] >> (x2apic ? 0 : 24);
    unsigned shorthand = icr >> 18 & 3, cluster_bits = x2apic ? 16 : 4;
    const char *kind = x2apic ? "X2APIC ID" : "APIC ID";

    hmp_printf(hmp, "ICR\t 0x%08x %s %s %s %s\nICR2\t 0x%08x", icr,
               icr >> 11 & 1 ? "logical" : "physical", icr >> 15 & 1 ? "level" : "edge",
               icr >> 14 & 1 ? "assert" : "de-assert", shorthands[shorthand],
               apic->icr[1]);
    if (shorthand) {
        hmp_printf(hmp, "\n");
    } else if (!(icr >> 11 & 1)) {
        hmp_printf(hmp, " cpu %u (%s)\n", x2apic ? destination : destination & 0xf, kind);
    } else if (apic->dest_mode == 0xf) {
        hmp_printf(hmp, " mask ");
        print_bits(hmp, apic->icr[1] >> 24, 8);
        hmp_printf(hmp, " (APIC ID)\n");
    } else if (apic->dest_mode == 0) {
        hmp_printf(hmp, " cluster %u mask ", destination >> cluster_bits);
        print_bits(hmp, destination, cluster_bits);
        hmp_printf(hmp, " (%s)\n", kind);
    }
}

static void print_vectors(Hmp *hmp, const char *name, const uint32_t set[8],
                          const uint32_t level_triggered[8])
{
    bool any = false;

    hmp_printf(hmp, "%s\t ", name);
    for (unsigned vector = 0; vector < 256; vector++) {
        unsigned word = vector / 32, bit = vector % 32;

        if (set[word] >> bit & 1) {
            hmp_printf(hmp, "%u%s ", vector,
                       level_triggered[word] >> bit & 1 ? "(level)" : "");
            any = true;
        }
    }
    hmp_printf(hmp, any ? "\n" : "(none)\n");
}

static void print_lapic(Hmp *hmp, unsigned cpu, const APICWire *apic, bool x2apic)
{
    hmp_printf(hmp, "dumping local APIC state for CPU %-2u\n\n", cpu);
    print_lvts(hmp, apic);
    hmp_printf(hmp,
               "Timer\t DCR=0x%x (divide by %u) initial_count = %u current_count = %u\n",
               apic->divide_conf & 0xf, 1u << apic_wire_shift(apic->divide_conf),
               apic->initial_count, apic_wire_count(apic, clock_virtual_ns()));
    hmp_printf(hmp, "SPIV\t 0x%08x APIC %s, focus=%s, spurious vec %u\n",
               apic->spurious_vec, apic->spurious_vec >> 8 & 1 ? "enabled" : "disabled",
               apic->spurious_vec >> 9 & 1 ? "on" : "off", apic->spurious_vec & 0xff);
    print_icr(hmp, apic, x2apic);
    hmp_printf(hmp, "ESR\t 0x%08x\n", apic->esr);
    print_vectors(hmp, "ISR", apic->isr, apic->tmr);
    print_vectors(hmp, "IRR", apic->irr, apic->tmr);
    hmp_printf(hmp, "\nAPR 0x%02x TPR 0x%02x DFR 0x%02x LDR 0x%02x", apic->arb_id,
               apic->tpr, apic->dest_mode, apic->log_dest);
    if (apic->dest_mode == 0) {
        hmp_printf(hmp, "(cluster %u: id %u)", apic->log_dest >> 4, apic->log_dest & 0xf);
    }
    hmp_printf(hmp, " PPR 0x%02x\n", apic_wire_priority(apic));
}

/* A processor's number is also its APIC's id. */
static void run_lapic(Hmp *hmp, const HmpArgs *args)
{
    Machine *machine = machine_current();
    uint64_t id =
        hmp_arg_given(args, "apic-id") ? hmp_arg_number(args, "apic-id") : hmp->cpu_index;
    bool running = machine->accel->running, there;
    APICWire apic;

    if (id >= machine->cpus->len) {
        hmp_printf(hmp, "No CPU available\n");
        return;
    }
    accel_pause_all(machine->accel); /* the kernel shows those of CPUs that stand alone */
    there = read_state("apic", (unsigned)id, &apic, sizeof(apic));
    if (running) {
        accel_resume_all(machine->accel);
    }
    if (there) {
        const X86CPU *cpu = machine->cpus->pdata[id];

        print_lapic(hmp, (unsigned)id, &apic,
                    cpu->announces_apic && accel_irqchip_in_kernel(machine->accel));
    } else {
        hmp_printf(hmp, "local apic state not available\n");
    }
}

/* -- What there is none of, or nothing to tell --------------------------------------- */

static void run_usb(Hmp *hmp, const HmpArgs *args)
{
    hmp_printf(hmp, "Error: USB support not enabled\n");
}

static void run_nothing(Hmp *hmp, const HmpArgs *args)
{
}

static void run_mice(Hmp *hmp, const HmpArgs *args)
{
    hmp_printf(hmp, input_has_pointer() ? "* Mouse #2: QEMU PS/2 Mouse\n"
                                        : "No mouse devices connected\n");
}

static void run_numa(Hmp *hmp, const HmpArgs *args)
{
    hmp_printf(hmp, "0 nodes\n");
}

const HmpCommand hmp_info_interrupt_commands[] = {
    {"info pic", "", "", "show PIC state", run_pic},
    {"info irq", "", "", "show the interrupts statistics (if available)", run_irq},
    {"info lapic", "apic-id:i?", "[apic-id]",
     "show local apic state (apic-id: local apic to read, default is which of current "
     "CPU)",
     run_lapic},
    {"info usb", "", "", "show guest USB devices", run_usb},
    {"info network", "", "", "show the network state", run_nothing},
    {"info iothreads", "", "", "show iothreads", run_nothing},
    {"info tpm", "", "", "show the TPM device", run_nothing},
    {"info mice", "", "", "show which guest mouse is receiving events", run_mice},
    {"info numa", "", "", "show NUMA information", run_numa},
    {NULL},
};
