/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/hotplug.h"

#include <gio/gio.h>

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

uint32_t acpi_pci_hotplug_removable_slots(const PCIBus *bus)
{
    uint32_t slots = UINT32_MAX;

    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(bus->devices); devfn++) {
        PCIDevice *dev = bus->devices[devfn];

        if (dev && (!DEVICE_GET_CLASS(dev)->user_creatable ||
                    !pci_class_is_hotpluggable(PCI_DEVICE_GET_CLASS(dev)))) {
            slots &= ~(UINT32_C(1) << PCI_SLOT(devfn));
        }
    }
    return slots;
}

/* -- Coming and going ---------------------------------------------------------------- */

static uint32_t slot_bit(Device *dev)
{
    return UINT32_C(1) << PCI_SLOT(PCI_DEVICE(dev)->devfn);
}

static void plugged(Device *dev, void *opaque)
{
    ACPIPCIHotplug *state = opaque;

    state->slots[0].up |= slot_bit(dev);
    acpi_pm_raise_gpe(state->pm, ACPI_PCI_GPE);
}

static bool unplug_request(Device *dev, void *opaque, GError **error)
{
    ACPIPCIHotplug *state = opaque;

    if (!(acpi_pci_hotplug_removable_slots(state->bus) & slot_bit(dev))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Device '%s' is not hotpluggable", G_OBJECT_TYPE_NAME(dev));
        return false;
    }
    state->slots[0].down |= slot_bit(dev);
    acpi_pm_raise_gpe(state->pm, ACPI_PCI_GPE);
    return true;
}

/* The guest lets a slot go, asked or not: all that is in it leaves the machine. */
static void eject(ACPIPCIHotplug *state, unsigned slot)
{
    if (!(acpi_pci_hotplug_removable_slots(state->bus) >> slot & 1)) {
        return;
    }
    state->slots[0].up &= ~(UINT32_C(1) << slot);
    state->slots[0].down &= ~(UINT32_C(1) << slot);
    for (unsigned function = 0; function < 8; function++) {
        PCIDevice *dev = state->bus->devices[slot << 3 | function];

        if (dev) {
            device_unplug(DEVICE(dev));
        }
    }
}

/* -- Registers ----------------------------------------------------------------------- */

static bool about_root(const ACPIPCIHotplug *state)
{
    return state->root && state->select == 0;
}

static uint64_t pci_hotplug_read(void *opaque, hwaddr offset, unsigned size)
{
    ACPIPCIHotplug *state = opaque;
    uint32_t value;

    if (offset == BUS_SELECT) {
        return state->select;
    }
    if (!about_root(state)) {
        return 0;
    }
    switch (offset) {
    case SLOTS_UP:
        value = state->slots[0].up;
        state->slots[0].up = 0;
        return value;
    case SLOTS_DOWN:
        return state->slots[0].down;
    case SLOTS_REMOVABLE:
        return acpi_pci_hotplug_removable_slots(state->bus);
    default:
        return 0;
    }
}

static void pci_hotplug_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ACPIPCIHotplug *state = opaque;

    if (offset == BUS_SELECT) {
        state->select = (uint32_t)value;
    } else if (offset == SLOTS_EJECT && value && about_root(state)) {
        eject(state, (unsigned)g_bit_nth_lsf((gulong)value, -1));
    }
}

static const MemoryRegionOps pci_hotplug_ops = {
    .read = pci_hotplug_read,
    .write = pci_hotplug_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 4, .max_access_size = 4},
};

void acpi_pci_hotplug_init(ACPIPCIHotplug *state, GObject *owner, PCIBus *bus, ACPIPM *pm,
                           bool root, hwaddr base)
{
    state->bus = bus;
    state->pm = pm;
    state->root = root;
    if (root) {
        BUS(bus)->hotplug = (BusHotplug){plugged, unplug_request, state};
    }
    memory_region_init_io(&state->region, owner, &pci_hotplug_ops, state,
                          "acpi-pci-hotplug", REGISTERS_SIZE);
    memory_region_add_subregion(bus->io, base, &state->region);
}

void acpi_pci_hotplug_destroy(ACPIPCIHotplug *state)
{
    BUS(state->bus)->hotplug = (BusHotplug){0};
    memory_region_del_subregion(state->bus->io, &state->region);
    memory_region_destroy(&state->region);
}

/* Who was asked to go and has not gone yet goes with a reset. */
void acpi_pci_hotplug_reset(ACPIPCIHotplug *state)
{
    state->select = 0;
    while (state->root && state->slots[0].down) {
        unsigned slot = (unsigned)g_bit_nth_lsf(state->slots[0].down, -1);

        state->slots[0].down &= ~(UINT32_C(1) << slot);
        eject(state, slot);
    }
    state->slots[0] = (ACPIPCISlots){0};
}
