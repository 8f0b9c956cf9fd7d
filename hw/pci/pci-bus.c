/*
 * The PCI bus: places (device and function numbers) and interrupt lines.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/pci/pci-internal.h"

#include <gio/gio.h>

#include "hw/pci/pci-regs.h"
#include "hw/pci/pci-vmstate.h"

BUS_DEFINE_TYPE(PCIBus, pci_bus, "PCI", TYPE_BUS)

/* -- Places -------------------------------------------------------------------------- */

#define PCI_FUNCTIONS 8

/* Always false, for the caller to return. */
static bool G_GNUC_PRINTF(3, 4)
    plug_error(GError **error, GIOErrorEnum code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(G_IO_ERROR, code, format, arguments));
    va_end(arguments);
    return false;
}

bool pci_parse_addr(const char *addr, uint8_t *devfn)
{
    char *end;
    unsigned long slot = strtoul(addr, &end, 16), function = 0;

    if (end != addr && *end == '.' && g_ascii_isxdigit(end[1])) {
        function = strtoul(end + 1, &end, 16);
    }
    if (!g_ascii_isxdigit(addr[0]) || *end || slot > 31 || function >= PCI_FUNCTIONS) {
        return false;
    }
    *devfn = PCI_DEVFN(slot, function);
    return true;
}

static bool choose_devfn(PCIBus *bus, PCIDevice *dev, GError **error)
{
    const char *name = G_OBJECT_TYPE_NAME(dev);
    const char *addr = dev->addr && dev->addr[0] ? dev->addr : PCI_DEVICE_GET_CLASS(dev)->addr;

    if (addr) {
        PCIDevice *other;

        if (!pci_parse_addr(addr, &dev->devfn)) {
            return plug_error(error, G_IO_ERROR_INVALID_ARGUMENT,
                              "Property '%s.addr' doesn't take value '%s'; give SLOT or "
                              "SLOT.FUNCTION in hexadecimal, up to 1f.7",
                              name, addr);
        }
        other = bus->devices[dev->devfn];
        if (other) {
            return plug_error(error, G_IO_ERROR_EXISTS,
                              "PCI: slot %d function %d not available for %s, in use by "
                              "%s,id=%s",
                              PCI_SLOT(dev->devfn), PCI_FUNCTION(dev->devfn), name,
                              G_OBJECT_TYPE_NAME(other),
                              other->parent.id ? other->parent.id : "");
        }
        return true;
    }
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(bus->devices); devfn += PCI_FUNCTIONS) {
        if (!bus->devices[devfn]) {
            dev->devfn = (uint8_t)devfn;
            return true;
        }
    }
    return plug_error(error, G_IO_ERROR_NO_SPACE,
                      "PCI: no slot/function available for %s, all in use or reserved",
                      name);
}

/* Software looks for functions 1 to 7 only where function 0 says that it has siblings. */
static bool check_multifunction(PCIBus *bus, PCIDevice *dev, GError **error)
{
    unsigned slot = PCI_SLOT(dev->devfn);
    PCIDevice *first = bus->devices[PCI_DEVFN(slot, 0)];

    if (dev->multifunction) {
        return true;
    }
    if (PCI_FUNCTION(dev->devfn)) {
        return !first || first->multifunction ||
               plug_error(
                   error, G_IO_ERROR_INVALID_ARGUMENT,
                   "PCI: single function device can't be populated in function %x.%x",
                   slot, PCI_FUNCTION(dev->devfn));
    }
    for (unsigned function = 1; function < PCI_FUNCTIONS; function++) {
        if (bus->devices[PCI_DEVFN(slot, function)]) {
            return plug_error(error, G_IO_ERROR_INVALID_ARGUMENT,
                              "PCI: %x.0 indicates single function, but %x.%x is already "
                              "populated.",
                              slot, slot, function);
        }
    }
    return true;
}

static bool pci_bus_plug(Bus *parent, Device *parent_dev, GError **error)
{
    PCIBus *bus = PCI_BUS(parent);
    PCIDevice *dev = PCI_DEVICE(parent_dev);

    if (!choose_devfn(bus, dev, error) || !check_multifunction(bus, dev, error)) {
        return false;
    }
    g_free(dev->addr);
    dev->addr =
        g_strdup_printf("%02x.%x", PCI_SLOT(dev->devfn), PCI_FUNCTION(dev->devfn));
    bus->devices[dev->devfn] = dev;
    return true;
}

static void pci_bus_unplug(Bus *parent, Device *parent_dev)
{
    PCI_BUS(parent)->devices[PCI_DEVICE(parent_dev)->devfn] = NULL;
}

PCIDevice *pci_find_device(PCIBus *bus, uint8_t devfn)
{
    return bus->devices[devfn];
}

PCIBus *pci_device_bus(PCIDevice *dev)
{
    return PCI_BUS(dev->parent.bus);
}

/* -- Interrupts ---------------------------------------------------------------------- */

/* Adds `change` assertions of the device's pin to the line that it is wired to: the line
 * is high while its count is not zero. */
static void change_line(PCIDevice *dev, int pin, int change)
{
    PCIBus *bus = pci_device_bus(dev);
    int line = bus->map_irq ? bus->map_irq(dev, pin) : -1;

    if (line < 0 || line >= (int)G_N_ELEMENTS(bus->irq_count)) {
        return;
    }
    bus->irq_count[line] += change;
    bus->set_irq(bus->irq_opaque, line, bus->irq_count[line] != 0);
}

void pci_set_irq(PCIDevice *dev, int level)
{
    int pin = dev->config[PCI_INTERRUPT_PIN] - 1;
    uint16_t status = pci_get_word(dev->config + PCI_STATUS);

    if (pin < 0 || pin > 3 || !!level == (dev->irq_state >> pin & 1)) {
        return;
    }
    dev->irq_state ^= (uint8_t)(1 << pin);
    status =
        dev->irq_state ? status | PCI_STATUS_INTERRUPT : status & ~PCI_STATUS_INTERRUPT;
    pci_set_word(dev->config + PCI_STATUS, status);
    if (!(pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE)) {
        change_line(dev, pin, level ? 1 : -1);
    }
}

void pci_irq_disable_changed(PCIDevice *dev, bool disabled)
{
    for (int pin = 0; pin < 4; pin++) {
        if (dev->irq_state >> pin & 1) {
            change_line(dev, pin, disabled ? -1 : 1);
        }
    }
}

bool pci_bus_irq_level(const PCIBus *bus, unsigned line)
{
    return line < G_N_ELEMENTS(bus->irq_count) && bus->irq_count[line] != 0;
}

void pci_bus_set_irqs(PCIBus *bus, int (*map_irq)(PCIDevice *dev, int pin),
                      void (*set_irq)(void *opaque, int line, int level), void *opaque)
{
    bus->map_irq = map_irq;
    bus->set_irq = set_irq;
    bus->irq_opaque = opaque;
}

/* -- The bus ------------------------------------------------------------------------- */

PCIBus *pci_bus_new(Device *owner, const char *name, MemoryRegion *memory,
                    MemoryRegion *io, MemoryRegion *system_memory)
{
    PCIBus *bus = PCI_BUS(bus_new(TYPE_PCI_BUS, owner, name));

    bus->root_path = "0000:00";
    bus->memory = memory;
    bus->io = io;
    bus->system_memory = system_memory;
    pci_explain_init();
    vmstate_register(NULL, VMSTATE_INSTANCE_ID_ANY, &vmstate_pci_bus, bus);
    return bus;
}

/* Domain, bus, slot and function: there is one bus, of domain 0. */
static char *pci_bus_get_dev_path(Device *dev)
{
    PCIDevice *pci = PCI_DEVICE(dev);

    return g_strdup_printf("%s:%02x.%x", pci_device_bus(pci)->root_path,
                           PCI_SLOT(pci->devfn), PCI_FUNCTION(pci->devfn));
}

static void pci_bus_finalize(GObject *object)
{
    vmstate_unregister(NULL, &vmstate_pci_bus, object);
    G_OBJECT_CLASS(g_type_class_peek(TYPE_BUS))->finalize(object);
}

static void pci_bus_class_init(BusClass *klass)
{
    klass->parent.finalize = pci_bus_finalize;
    klass->bus_type = "PCI";
    klass->plug = pci_bus_plug;
    klass->unplug = pci_bus_unplug;
    klass->get_dev_path = pci_bus_get_dev_path;
}
