/*
 * The register blocks through which ACPI tables learn of hot-plugged CPUs and PCI slots
 * (docs/specs/acpi_cpu_hotplug and acpi_pci_hotplug of QEMU). CPUs neither come nor go:
 * theirs answer what a machine says to which nothing has happened.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_ACPI_HOTPLUG_H
#define HW_ACPI_HOTPLUG_H

#include "hw/acpi/acpi-pm.h"
#include "hw/pci/pci.h"

/* CPUs: starts with the legacy bitmap of present CPUs; a zero written to its first byte
 * switches to the modern registers for good, as on QEMU. */
typedef struct ACPICPUHotplug {
    MemoryRegion *io;
    hwaddr base;
    MemoryRegion legacy, modern; /* one of the two is mapped */
    unsigned cpus;               /* all of them present */
    uint32_t selector;
    uint8_t command;
} ACPICPUHotplug;

void acpi_cpu_hotplug_init(ACPICPUHotplug *state, GObject *owner, MemoryRegion *io,
                           hwaddr base);
/* Which of the two kinds of registers answers. */
bool acpi_cpu_hotplug_is_modern(const ACPICPUHotplug *state);
void acpi_cpu_hotplug_set_modern(ACPICPUHotplug *state, bool modern);
void acpi_cpu_hotplug_destroy(ACPICPUHotplug *state);

#define ACPI_PCI_GPE 1
#define ACPI_PCI_BUSES 256

/* A bus's slots, a bit each. */
typedef struct ACPIPCISlots {
    uint32_t up;   /* plugged since the guest last asked */
    uint32_t down; /* that the guest is asked to let go */
} ACPIPCISlots;

typedef struct ACPIPCIHotplug {
    MemoryRegion region;
    PCIBus *bus;
    ACPIPM *pm;      /* whose GPE 1 says that something is to be done */
    bool root;       /* the root bus takes part: it is number 0 */
    uint32_t select; /* the bus that the registers are about */
    ACPIPCISlots slots[ACPI_PCI_BUSES]; /* the root bus's are the first */
} ACPIPCIHotplug;

void acpi_pci_hotplug_init(ACPIPCIHotplug *state, GObject *owner, PCIBus *bus, ACPIPM *pm,
                           bool root, hwaddr base);
void acpi_pci_hotplug_destroy(ACPIPCIHotplug *state);
void acpi_pci_hotplug_reset(ACPIPCIHotplug *state);

/* The slots of a root bus that take part, a bit each: a slot can be unplugged unless it
 * holds what the machine cannot be without: the chipset and the display. */
uint32_t acpi_pci_hotplug_removable_slots(const PCIBus *bus);

#endif
