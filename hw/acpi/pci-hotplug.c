/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/hotplug.h"

#include "hw/pci/pci-regs.h"

/* Registers, 4 bytes each. */
enum {
    SLOTS_UP = 0x00,    /* plugged since the guest last asked, a bit a slot */
    SLOTS_DOWN = 0x04,  /* asked to be unplugged */
    SLOTS_EJECT = 0x08, /* written: the guest lets go of these */
    SLOTS_REMOVABLE = 0x0c,
    BUS_SELECT = 0x10,
    ACPI_INDEX = 0x14,
    REGISTERS_SIZE = 0x18,
};

#define CLASS_VGA 0x0300

uint32_t acpi_pci_hotplug_removable_slots(const PCIBus *bus)
{
    uint32_t slots = UINT32_MAX;

    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(bus->devices); devfn++) {
        PCIDevice *dev = bus->devices[devfn];

        if (dev && (!DEVICE_GET_CLASS(dev)->user_creatable ||
                    PCI_DEVICE_GET_CLASS(dev)->class_id == CLASS_VGA)) {
            slots &= ~(UINT32_C(1) << PCI_SLOT(devfn));
        }
    }
    return slots;
}

static uint64_t pci_hotplug_read(void *opaque, hwaddr offset, unsigned size)
{
    const ACPIPCIHotplug *state = opaque;

    switch (offset) {
    case SLOTS_REMOVABLE:
        return state->root && state->select == 0
                   ? acpi_pci_hotplug_removable_slots(state->bus)
                   : 0;
    case BUS_SELECT:
        return state->select;
    default:
        return 0;
    }
}

static void pci_hotplug_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ACPIPCIHotplug *state = opaque;

    if (offset == BUS_SELECT) {
        state->select = (uint32_t)value;
    }
}

static const MemoryRegionOps pci_hotplug_ops = {
    .read = pci_hotplug_read,
    .write = pci_hotplug_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 4, .max_access_size = 4},
};

void acpi_pci_hotplug_init(ACPIPCIHotplug *state, GObject *owner, PCIBus *bus, bool root,
                           hwaddr base)
{
    *state = (ACPIPCIHotplug){.bus = bus, .root = root};
    memory_region_init_io(&state->region, owner, &pci_hotplug_ops, state,
                          "acpi-pci-hotplug", REGISTERS_SIZE);
    memory_region_add_subregion(bus->io, base, &state->region);
}

void acpi_pci_hotplug_destroy(ACPIPCIHotplug *state)
{
    memory_region_del_subregion(state->bus->io, &state->region);
    memory_region_destroy(&state->region);
}

void acpi_pci_hotplug_reset(ACPIPCIHotplug *state)
{
    state->select = 0;
}
