/*
 * HMP: the interrupt controllers, and what there is none of.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/input/keys.h"
#include "hw/intc/i8259.h"
#include "hw/intc/ioapic.h"
#include "machine/machine.h"
#include "machine/monitor/hmp.h"

static void print_i8259(Hmp *hmp, const I8259 *pic)
{
    hmp_printf(
        hmp,
        "pic%d: irr=%02x imr=%02x isr=%02x hprio=%d irq_base=%02x rr_sel=%d elcr=%02x "
        "fnm=%d\n",
        !pic->master, pic->irr, pic->imr, pic->isr, pic->highest_priority,
        pic->vector_base, pic->read_isr, pic->elcr, pic->special_fully_nested);
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

static void print_ioapic(Hmp *hmp, const IOAPIC *ioapic)
{
    uint32_t remote = 0;

    hmp_printf(hmp, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x\n", ioapic->version,
               ioapic->id, ioapic->selected);
    for (int pin = 0; pin < IOAPIC_PINS; pin++) {
        print_pin(hmp, pin, ioapic->redirection[pin]);
        remote |= (uint32_t)(ioapic->redirection[pin] >> 14 & 1) << pin;
    }
    print_set(hmp, "  IRR     ", ioapic->lines);
    print_set(hmp, "  Remote IRR", remote);
}

static bool collect(Device *dev, void *opaque)
{
    g_ptr_array_add(opaque, dev);
    return true;
}

/* The kernel's own have no device here. */
static void run_pic(Hmp *hmp, const HmpArgs *args)
{
    g_autoptr(GPtrArray) devices = g_ptr_array_new();

    device_foreach(collect, devices);
    for (guint i = 0; i < devices->len; i++) {
        if (G_TYPE_CHECK_INSTANCE_TYPE(devices->pdata[i], ioapic_get_type())) {
            print_ioapic(hmp, IOAPIC(devices->pdata[i]));
        }
    }
    for (guint i = devices->len; i-- > 0;) {
        if (G_TYPE_CHECK_INSTANCE_TYPE(devices->pdata[i], TYPE_I8259)) {
            print_i8259(hmp, I8259(devices->pdata[i]));
        }
    }
}

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

static void run_memory_size(Hmp *hmp, const HmpArgs *args)
{
    hmp_printf(hmp, "base memory: %" PRIu64 "\nplugged memory: 0\n",
               machine_current()->config.ram_size);
}

const HmpCommand hmp_info_interrupt_commands[] = {
    {"info pic", "", "", "show PIC state", run_pic},
    {"info usb", "", "", "show guest USB devices", run_usb},
    {"info network", "", "", "show the network state", run_nothing},
    {"info iothreads", "", "", "show iothreads", run_nothing},
    {"info tpm", "", "", "show the TPM device", run_nothing},
    {"info mice", "", "", "show which guest mouse is receiving events", run_mice},
    {"info numa", "", "", "show NUMA information", run_numa},
    {"info memory_size_summary", "", "",
     "show the amount of initially allocated and present hotpluggable (if enabled) "
     "memory in "
     "bytes.",
     run_memory_size},
    {NULL},
};
