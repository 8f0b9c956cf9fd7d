/*
 * `info pci`, in QEMU 7.2's text.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/pci/pci.h"

#include <inttypes.h>

#include "hw/pci/pci-regs.h"

/* QEMU's words for the classes of PCI Local Bus 2.1, appendix D. */
static const struct {
    uint16_t class_id;
    const char *text;
} class_names[] = {
    {0x0001, "VGA controller"},
    {0x0100, "SCSI controller"},
    {0x0101, "IDE controller"},
    {0x0102, "Floppy controller"},
    {0x0103, "IPI controller"},
    {0x0104, "RAID controller"},
    {0x0106, "SATA controller"},
    {0x0107, "SAS controller"},
    {0x0180, "Storage controller"},
    {0x0200, "Ethernet controller"},
    {0x0201, "Token Ring controller"},
    {0x0202, "FDDI controller"},
    {0x0203, "ATM controller"},
    {0x0280, "Network controller"},
    {0x0300, "VGA controller"},
    {0x0301, "XGA controller"},
    {0x0302, "3D controller"},
    {0x0380, "Display controller"},
    {0x0400, "Video controller"},
    {0x0401, "Audio controller"},
    {0x0402, "Phone"},
    {0x0403, "Audio controller"},
    {0x0480, "Multimedia controller"},
    {0x0500, "RAM controller"},
    {0x0501, "Flash controller"},
    {0x0580, "Memory controller"},
    {0x0600, "Host bridge"},
    {0x0601, "ISA bridge"},
    {0x0602, "EISA bridge"},
    {0x0603, "MC bridge"},
    {0x0604, "PCI bridge"},
    {0x0605, "PCMCIA bridge"},
    {0x0606, "NUBUS bridge"},
    {0x0607, "CARDBUS bridge"},
    {0x0608, "RACEWAY bridge"},
    {0x0680, "Bridge"},
    {0x0700, "Serial port"},
    {0x0701, "Parallel port"},
    {0x0800, "Interrupt controller"},
    {0x0801, "DMA controller"},
    {0x0802, "Timer"},
    {0x0803, "RTC"},
    {0x0900, "Keyboard"},
    {0x0901, "Pen"},
    {0x0902, "Mouse"},
    {0x0a00, "Dock station"},
    {0x0b00, "i386 cpu"},
    {0x0c00, "Firewire controller"},
    {0x0c01, "Access bus controller"},
    {0x0c02, "SSA controller"},
    {0x0c03, "USB controller"},
    {0x0c04, "Fibre channel controller"},
    {0x0c05, "SMBus"},
};

const char *pci_class_name(uint16_t class_id)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(class_names); i++) {
        if (class_names[i].class_id == class_id) {
            return class_names[i].text;
        }
    }
    return NULL;
}

static void print_class(uint16_t class_id, GString *out)
{
    const char *name = pci_class_name(class_id);

    if (name) {
        g_string_append_printf(out, "    %s", name);
    } else {
        g_string_append_printf(out, "    Class %04u", class_id);
    }
}

/* An unmapped BAR shows as all ones, and its end wraps: so QEMU prints it. */
static void print_bar(const PCIBar *bar, unsigned n, GString *out)
{
    uint64_t last = bar->address + bar->size - 1;

    if (bar->type & PCI_BAR_IO) {
        g_string_append_printf(out,
                               "      BAR%u: I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "].\n",
                               n, bar->address, last);
    } else {
        g_string_append_printf(
            out, "      BAR%u: %d bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n",
            n, bar->type & PCI_BAR_MEMORY_64 ? 64 : 32,
            bar->type & PCI_BAR_PREFETCH ? " prefetchable" : "", bar->address, last);
    }
}

static void print_device(const PCIDevice *dev, GString *out)
{
    const uint8_t *config = dev->config;
    uint8_t pin = config[PCI_INTERRUPT_PIN];

    g_string_append_printf(out, "  Bus %2d, device %3d, function %d:\n", 0,
                           PCI_SLOT(dev->devfn), PCI_FUNCTION(dev->devfn));
    print_class(pci_get_word(config + PCI_CLASS_DEVICE), out);
    g_string_append_printf(out, ": PCI device %04x:%04x\n",
                           pci_get_word(config + PCI_VENDOR_ID),
                           pci_get_word(config + PCI_DEVICE_ID));
    g_string_append_printf(out, "      PCI subsystem %04x:%04x\n",
                           pci_get_word(config + PCI_SUBSYSTEM_VENDOR_ID),
                           pci_get_word(config + PCI_SUBSYSTEM_ID));
    if (pin) {
        g_string_append_printf(out, "      IRQ %d, pin %c\n", config[PCI_INTERRUPT_LINE],
                               'A' + pin - 1);
    }
    for (unsigned n = 0; n < PCI_BARS; n++) {
        if (dev->bars[n].region) {
            print_bar(&dev->bars[n], n, out);
        }
    }
    g_string_append_printf(out, "      id \"%s\"\n",
                           dev->parent.id ? dev->parent.id : "");
}

void pci_bus_print(PCIBus *bus, GString *out)
{
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(bus->devices); devfn++) {
        if (bus->devices[devfn]) {
            print_device(bus->devices[devfn], out);
        }
    }
}
