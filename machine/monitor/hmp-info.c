/*
 * HMP: `info` about devices, CPUs and the process.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <inttypes.h>
#include <stdarg.h>

#include "hw/acpi/vmgenid.h"
#include "machine/device-add.h"
#include "machine/machine.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/machine-control.h"

static void run_version(Hmp *hmp, const HmpArgs *args)
{
    /* The version of QEMU whose behaviour this is, then our own. */
    hmp_printf(hmp, "7.2.22 (Umbra 0.1.0)\n");
}

static void run_name(Hmp *hmp, const HmpArgs *args)
{
    if (machine_current()->config.name) {
        hmp_printf(hmp, "%s\n", machine_current()->config.name);
    }
}

static void run_uuid(Hmp *hmp, const HmpArgs *args)
{
    const char *uuid = machine_current()->config.uuid;

    hmp_printf(hmp, "%s\n", uuid ? uuid : "00000000-0000-0000-0000-000000000000");
}

static void run_generation_id(Hmp *hmp, const HmpArgs *args)
{
    const VMGenID *vmgenid = vmgenid_find();
    g_autofree char *text = vmgenid ? vmgenid_text(vmgenid) : NULL;

    hmp_printf(hmp, "%s\n", text ? text : "Error: VM Generation ID device not found");
}

static void run_kvm(Hmp *hmp, const HmpArgs *args)
{
    hmp_printf(hmp, "kvm support: %s\n",
               g_strcmp0(accel_name(machine_current()->accel), "kvm") == 0 ? "enabled"
                                                                           : "disabled");
}

/* -- CPUs ------------------------------------------------------------------------ */

static void run_cpus(Hmp *hmp, const HmpArgs *args)
{
    for (unsigned i = 0; i < machine_current()->cpus->len; i++) {
        hmp_printf(hmp, "%c CPU #%u: thread_id=%d\n", i == hmp->cpu_index ? '*' : ' ', i,
                   machine_control_thread_id(i));
    }
}

static void print_registers(Hmp *hmp, unsigned index)
{
    unsigned chosen = hmp->cpu_index;
    X86CPU *cpu;

    hmp->cpu_index = index;
    cpu = hmp_cpu(hmp);
    hmp->cpu_index = chosen;
    if (cpu) {
        x86_cpu_print_registers(cpu, hmp->out);
    }
}

static void run_registers(Hmp *hmp, const HmpArgs *args)
{
    unsigned cpus = machine_current()->cpus->len;
    uint64_t index =
        hmp_arg_given(args, "vcpu") ? hmp_arg_number(args, "vcpu") : hmp->cpu_index;

    if (hmp_arg_given(args, "cpustate_all")) {
        for (unsigned i = 0; i < cpus; i++) {
            print_registers(hmp, i);
        }
    } else if (index < cpus) {
        print_registers(hmp, (unsigned)index);
    } else if (!cpus) {
        hmp_printf(hmp, "No CPU available\n");
    } else {
        hmp_printf(hmp, "CPU#%" PRIu64 " not available\n", index);
    }
}

static void run_mem(Hmp *hmp, const HmpArgs *args)
{
    X86CPU *cpu = hmp_cpu(hmp);

    if (cpu) {
        hmp_printf(hmp,
                   cpu->registers.cr0 >> 31 & 1
                       ? "the page tables are not listed yet; x ADDRESS goes through "
                         "them\n"
                       : "PG disabled\n");
    }
}

/* -- The host's side ------------------------------------------------------------- */

static void print_chardev(Chardev *chardev, void *opaque)
{
    g_autofree char *text = chardev_describe(chardev);

    hmp_printf(opaque, "%s: filename=%s\n", chardev_id(chardev), text);
}

static void run_chardev(Hmp *hmp, const HmpArgs *args)
{
    chardev_foreach(print_chardev, hmp);
}

/* -- The device tree ------------------------------------------------------------- */

typedef struct Listing {
    Hmp *hmp;
    int indent;
    GObject *object;
} Listing;

static void line(const Listing *listing, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void line(const Listing *listing, const char *format, ...)
{
    va_list args;

    hmp_printf(listing->hmp, "%*s", listing->indent, "");
    va_start(args, format);
    g_string_append_vprintf(listing->hmp->out, format, args);
    va_end(args);
    hmp_printf(listing->hmp, "\n");
}

static void print_property(const Property *property, void *opaque)
{
    const Listing *listing = opaque;
    g_autofree char *value = property_get_string(listing->object, property->name);

    line(listing, "%s = %s", property->name, value);
}

static void print_pci(const Listing *listing, PCIDevice *dev)
{
    const uint8_t *config = dev->config;
    uint16_t class_id = pci_get_word(config + 0x0a);
    const char *name = pci_class_name(class_id);
    g_autofree char *class_text =
        name ? g_strdup(name) : g_strdup_printf("Class %04x", class_id);

    line(listing, "class %s, addr %02x:%02x.%x, pci id %04x:%04x (sub %04x:%04x)",
         class_text, 0, PCI_SLOT(dev->devfn), PCI_FUNCTION(dev->devfn),
         pci_get_word(config), pci_get_word(config + 2), pci_get_word(config + 0x2c),
         pci_get_word(config + 0x2e));
    for (int i = 0; i < PCI_BARS; i++) {
        const PCIBar *bar = &dev->bars[i];

        if (bar->region) {
            line(listing, "bar %d: %s at 0x%" PRIx64 " [0x%" PRIx64 "]", i,
                 bar->type & 1 ? "i/o" : "mem", bar->address,
                 bar->address + bar->size - 1);
        }
    }
}

static void print_bus(Hmp *hmp, Bus *bus, int indent);

static void print_device(Hmp *hmp, Device *dev, int indent)
{
    Listing listing = {hmp, indent, G_OBJECT(dev)};

    line(&listing, "dev: %s, id \"%s\"", G_OBJECT_TYPE_NAME(dev), dev->id ? dev->id : "");
    listing.indent += 2;
    for (int output = 0; output < 2; output++) {
        for (guint i = dev->pins->len; i-- > 0;) {
            DevicePins *pins = dev->pins->pdata[i];

            if (pins->output == output) {
                line(&listing, "gpio-%s \"%s\" %d", output ? "out" : "in",
                     pins->name ? pins->name : "", pins->count);
            }
        }
    }
    property_foreach(G_OBJECT_GET_CLASS(dev), print_property, &listing);
    if (g_type_is_a(G_OBJECT_TYPE(dev), TYPE_PCI_DEVICE)) {
        print_pci(&listing, PCI_DEVICE(dev));
    }
    for (guint i = 0; i < dev->child_buses->len; i++) {
        print_bus(hmp, dev->child_buses->pdata[i], indent + 2);
    }
}

/* The youngest first, as QEMU lists them. */
static void print_bus(Hmp *hmp, Bus *bus, int indent)
{
    Listing listing = {hmp, indent, NULL};

    line(&listing, "bus: %s", bus->name);
    listing.indent += 2;
    line(&listing, "type %s", G_OBJECT_TYPE_NAME(bus));
    for (guint i = bus->children->len; i-- > 0;) {
        print_device(hmp, bus->children->pdata[i], indent + 2);
    }
}

static bool collect_rootless(Device *dev, void *opaque)
{
    if (!dev->bus && !g_type_is_a(G_OBJECT_TYPE(dev), TYPE_X86_CPU)) {
        g_ptr_array_add(opaque, dev);
    }
    return true;
}

/* A board's own: isapc's ISA bus, for one, which in QEMU a bridge device has. */
static bool print_rootless(Bus *bus, void *opaque)
{
    if (!bus->owner) {
        print_bus(opaque, bus, 2);
    }
    return true;
}

static void run_qtree(Hmp *hmp, const HmpArgs *args)
{
    g_autoptr(GPtrArray) devices = g_ptr_array_new();

    hmp_printf(hmp, "bus: main-system-bus\n  type System\n");
    device_foreach(collect_rootless, devices);
    for (guint i = devices->len; i-- > 0;) {
        print_device(hmp, devices->pdata[i], 2);
    }
    bus_foreach(print_rootless, hmp);
}

static void run_qdm(Hmp *hmp, const HmpArgs *args)
{
    device_add_help("help", hmp->out);
}

const HmpCommand hmp_info_commands[] = {
    {"info version", "", "", "show the version of QEMU", run_version},
    {"info name", "", "", "show the current VM name", run_name},
    {"info uuid", "", "", "show the current VM UUID", run_uuid},
    {"info vm-generation-id", "", "", "Show Virtual Machine Generation ID",
     run_generation_id},
    {"info kvm", "", "", "show KVM information", run_kvm},
    {"info cpus", "", "", "show infos for each CPU", run_cpus},
    {"info registers", "cpustate_all:-a,vcpu:i?", "[-a|vcpu]",
     "show the cpu registers (-a: show register info for all cpus; vcpu: specific vCPU "
     "to query; show the current CPU's registers if no argument is specified)",
     run_registers},
    {"info mem", "", "", "show the active virtual memory mappings", run_mem},
    {"info chardev", "", "", "show the character devices", run_chardev},
    {"info qtree", "", "", "show device tree", run_qtree},
    {"info qdm", "", "", "show qdev device model list", run_qdm},
    {NULL},
};
