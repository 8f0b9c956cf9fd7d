/*
 * vmd's PCI: a host bridge of OpenBSD's own, and BARs and interrupts that vmd gives out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/vmd/vmd.h"

#include <gio/gio.h>

#include "hw/pci/pci-host.h"
#include "hw/pci/pci-regs.h"
#include "hw/pci/pci-vmstate.h"
#include "memory/access.h"

/* -- The host bridge ----------------------------------------------------------------- */

/* pci.c, pci_init(); the numbers are sys/dev/pci/pcidevs' OPENBSD and OPENBSD PCHB. */
#define PCI_VENDOR_OPENBSD 0x0b5d
#define PCI_DEVICE_OPENBSD_PCHB 0x0666

typedef struct VMDHostBridge {
    PCIDevice parent;
} VMDHostBridge;

DEVICE_DEFINE_TYPE(VMDHostBridge, vmd_host_bridge, "openbsd-pchb", TYPE_PCI_DEVICE)

static const VMStateDescription vmstate_host_bridge = {
    .name = "openbsd-pchb",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]){VMSTATE_PCI_DEVICE(parent, VMDHostBridge, "parent"),
                                     VMSTATE_END_OF_LIST()},
};

static void vmd_host_bridge_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    pci->vendor_id = PCI_VENDOR_OPENBSD;
    pci->device_id = PCI_DEVICE_OPENBSD_PCHB;
    pci->subsystem_vendor_id = PCI_VENDOR_OPENBSD;
    pci->class_id = 0x0600;
    klass->desc = "host bridge of OpenBSD's vmd";
    klass->vmsd = &vmstate_host_bridge;
}

/* -- Interrupts ---------------------------------------------------------------------- */

/* pci.c, pci_pic_irqs: a line each, in the devices' order. vmd has two more, 14 and 15,
 * and refuses devices beyond; here they start over and share. */
static const uint8_t irqs[] = {3, 5, 6, 7, 9, 10, 11, 12};

static int map_irq(PCIDevice *dev, int pin)
{
    return (PCI_SLOT(dev->devfn) + (int)G_N_ELEMENTS(irqs) - 1) % (int)G_N_ELEMENTS(irqs);
}

static void set_irq(void *opaque, int line, int level)
{
    Machine *machine = opaque;

    irq_set(&machine->isa->irqs[irqs[line]], level);
}

bool vmd_pci_init(VMDMachine *vmd, GError **error)
{
    Machine *machine = &vmd->pc.parent;

    vmd->host = pci_host_new(&machine->system_memory, &machine->system_io, error);
    if (!vmd->host) {
        return false;
    }
    machine->pci = vmd->host->bus;
    pci_bus_set_irqs(machine->pci, map_irq, set_irq, machine);
    return device_create(vmd_host_bridge_get_type(), &machine->pci->parent, error) !=
           NULL;
}

/* -- BARs ---------------------------------------------------------------------------- */

/* A kind's next free address. */
typedef struct Allocator {
    uint64_t next, last, step;
} Allocator;

/* pci.c, pci_add_bar(). UINT64_MAX: there is no room. */
static uint64_t allocate(Allocator *space, uint64_t size)
{
    uint64_t address = (space->next + size - 1) & ~(size - 1);

    if (size > space->last || address > space->last - size + 1) {
        return UINT64_MAX;
    }
    space->next = address + MAX(size, space->step);
    return address;
}

static void write_config(PCIDevice *dev, unsigned reg, uint32_t value, unsigned size)
{
    pci_bus_config_write(pci_device_bus(dev), (uint32_t)dev->devfn << 8 | reg, value,
                         size);
}

static bool place(VMDMachine *vmd, bool apply, GError **error)
{
    Allocator io = {VMD_IO_START, VMD_IO_LAST, VMD_IO_STEP};
    Allocator memory = {VMD_HOLE_START, vmd->release->hole_last, VMD_MMIO_STEP};

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        PCIDevice *dev = pci_find_device(vmd->host->bus, (uint8_t)devfn);

        for (unsigned n = 0; dev && n < PCI_ROM_BAR; n++) {
            PCIBar *bar = &dev->bars[n];
            bool is_io = bar->type & PCI_BAR_IO;
            uint64_t address;

            if (!bar->region) {
                continue;
            }
            address = allocate(is_io ? &io : &memory, bar->size);
            if (address == UINT64_MAX) {
                g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                            "BAR %u of device %s (%" PRIu64 " KiB) does not fit into "
                            "vmd's hole for PCI any more; leave a device out",
                            n, G_OBJECT_TYPE_NAME(dev), bar->size >> 10);
                return false;
            }
            if (apply) {
                write_config(dev, pci_bar_register(n), (uint32_t)address, 4);
            }
        }
        if (dev && apply) {
            write_config(dev, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
            if (dev->config[PCI_INTERRUPT_PIN]) {
                write_config(dev, PCI_INTERRUPT_LINE, irqs[map_irq(dev, 0)], 1);
            }
        }
    }
    return true;
}

bool vmd_pci_check_bars(VMDMachine *vmd, GError **error)
{
    return place(vmd, false, error);
}

void vmd_pci_place_bars(VMDMachine *vmd)
{
    place(vmd, true, NULL);
}
