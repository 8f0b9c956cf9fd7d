/*
 * What PCI knows of an address: the BAR that puts a region there, and the register that
 * says for which device firmware has reserved it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/pci/pci-internal.h"
#include "hw/pci/pci-regs.h"
#include "memory/explain.h"

static void note_bar(Explanation *explanation, const PCIDevice *dev, unsigned n)
{
    const PCIBar *bar = &dev->bars[n];
    unsigned at = pci_bar_register(n);
    bool wide = bar->type & PCI_BAR_MEMORY_64 && !(bar->type & PCI_BAR_IO);
    uint64_t value = pci_get_long(dev->config + at);
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);
    g_autofree char *name =
        n == PCI_ROM_BAR ? g_strdup("ROM BAR") : g_strdup_printf("BAR %u", n);
    ExplainNote *note;

    if (wide) {
        value |= (uint64_t)pci_get_long(dev->config + at + 4) << 32;
    }
    note = explain_note(explanation, "register", bar->region,
                        "%s of %s %02x.%x, configuration 0x%02x = 0x%08" PRIx64
                        ", COMMAND = 0x%04x: %s (0x%08" PRIx64 "-0x%08" PRIx64 ")",
                        name, G_OBJECT_TYPE_NAME(dev), PCI_SLOT(dev->devfn),
                        PCI_FUNCTION(dev->devfn), at, value, command,
                        memory_region_name(bar->region), bar->address,
                        bar->address + bar->size - 1);
    explain_note_value(note, "devfn", dev->devfn);
    explain_note_value(note, "bar", n);
    explain_note_value(note, "register", at);
    explain_note_value(note, "value", value);
    explain_note_value(note, "command", command);
}

static void explain_step(Explanation *explanation, const MemoryRegion *mr)
{
    GObject *owner = memory_region_owner(mr);

    if (!owner || !G_TYPE_CHECK_INSTANCE_TYPE(owner, TYPE_PCI_DEVICE)) {
        return;
    }
    for (unsigned n = 0; n < PCI_BARS; n++) {
        if (PCI_DEVICE(owner)->bars[n].region == mr) {
            note_bar(explanation, PCI_DEVICE(owner), n);
        }
    }
}

static void explain_bars(Explanation *explanation, void *opaque)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < explanation->claims->len; i++) {
        const ExplainClaim *claim = g_ptr_array_index(explanation->claims, i);

        for (guint j = 0; j < claim->path->len && claim->verdict != EXPLAIN_CLIPPED;
             j++) {
            MemoryRegion *mr = g_array_index(claim->path, ExplainStep, j).mr;

            if (g_hash_table_add(seen, mr)) {
                explain_step(explanation, mr);
            }
        }
    }
}

/* Says of the memory that firmware has reserved for a device which register tells so. */
static bool explain_pointers(Device *device, void *opaque)
{
    Explanation *explanation = opaque;
    const PCIDevice *dev;

    if (!G_TYPE_CHECK_INSTANCE_TYPE(device, TYPE_PCI_DEVICE)) {
        return true;
    }
    dev = PCI_DEVICE(device);
    if (!dev->memory_pointer_count ||
        !explain_mentions(explanation, PCI_BUS(device->bus)->system_memory)) {
        return true;
    }
    for (unsigned n = 0; n < dev->memory_pointer_count; n++) {
        const PCIMemoryPointer *pointer = &dev->memory_pointers[n];
        uint32_t value = pci_get_long(dev->config + pointer->at);
        uint32_t start = value & pointer->mask;
        ExplainNote *note;

        if (!start || explanation->addr < start ||
            explanation->addr - start >= pointer->size) {
            continue;
        }
        note = explain_note(explanation, "register", NULL,
                            "%s of %s %02x.%x, configuration 0x%02x = 0x%08x: %s "
                            "(0x%08x-0x%08" PRIx64 ")",
                            pointer->name, G_OBJECT_TYPE_NAME(dev), PCI_SLOT(dev->devfn),
                            PCI_FUNCTION(dev->devfn), pointer->at, value, pointer->what,
                            start, start + pointer->size - 1);
        explain_note_value(note, "devfn", dev->devfn);
        explain_note_value(note, "register", pointer->at);
        explain_note_value(note, "value", value);
        explain_note_value(note, "start", start);
        explain_note_value(note, "size", pointer->size);
    }
    return true;
}

static void explain_reserved(Explanation *explanation, void *opaque)
{
    device_foreach(explain_pointers, explanation);
}

void pci_explain_init(void)
{
    static bool done;

    if (!done) {
        explain_add_hook(explain_bars, NULL);
        explain_add_hook(explain_reserved, NULL);
        done = true;
    }
}
