/*
 * bhyve's PCI: two bridges that are little more than their numbers, configuration space
 * in memory, and BARs and interrupts that bhyve gives out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/bhyve/bhyve.h"

#include <gio/gio.h>

#include "hw/pci/pci-regs.h"
#include "hw/pci/pci-vmstate.h"

/* -- The bridges --------------------------------------------------------------------- */

#define PCI_VENDOR_NETAPP 0x1275 /* pci_hostbridge.c, vendor and device alike */
#define PCI_DEVICE_LPC 0x7000    /* amd64/pci_lpc.c: LPC_DEV */
#define LPC_SLOT 31              /* bhyve(8)'s examples */

typedef struct BhyveBridge {
    PCIDevice parent;
} BhyveBridge;

DEVICE_DEFINE_TYPE(BhyveBridge, bhyve_host_bridge, "bhyve-hostbridge", TYPE_PCI_DEVICE)
DEVICE_DEFINE_TYPE(BhyveBridge, bhyve_lpc, "bhyve-lpc", TYPE_PCI_DEVICE)

static const VMStateDescription vmstate_bridge = {
    .name = "bhyve-bridge",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]){VMSTATE_PCI_DEVICE(parent, BhyveBridge, "parent"),
                                     VMSTATE_END_OF_LIST()},
};

static void bhyve_host_bridge_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    pci->vendor_id = pci->device_id = PCI_VENDOR_NETAPP;
    pci->class_id = 0x0600;
    klass->desc = "host bridge of FreeBSD's bhyve";
    klass->vmsd = &vmstate_bridge;
}

static void bhyve_lpc_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    pci->vendor_id = PCI_VENDOR_INTEL;
    pci->device_id = PCI_DEVICE_LPC;
    pci->class_id = 0x0601;
    klass->desc = "LPC bridge of FreeBSD's bhyve";
    klass->vmsd = &vmstate_bridge;
}

/* -- Configuration space in memory --------------------------------------------------- */

/* pci_emul.c, pci_emul_ecfg_handler(): a function has 4 KiB there, of which the first 256
 * bytes are what port 0xcfc shows. */
#define ECFG_BUS(offset) ((offset) >> 20)
#define ECFG_DEVFN(offset) ((offset) >> 12 & 0xff)
#define ECFG_REGISTER(offset) ((offset)&0xfff)

static bool find_register(hwaddr offset, uint32_t *address)
{
    if (ECFG_BUS(offset) != 0 || ECFG_REGISTER(offset) >= PCI_CONFIG_SIZE) {
        return false;
    }
    *address = (uint32_t)(ECFG_DEVFN(offset) << 8 | ECFG_REGISTER(offset));
    return true;
}

static uint64_t ecfg_read(void *opaque, hwaddr offset, unsigned size)
{
    BhyveMachine *bhyve = opaque;
    uint32_t address;

    return find_register(offset, &address)
               ? pci_bus_config_read(bhyve->host->bus, address, size)
               : UINT64_MAX;
}

static void ecfg_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    BhyveMachine *bhyve = opaque;
    uint32_t address;

    if (find_register(offset, &address)) {
        pci_bus_config_write(bhyve->host->bus, address, (uint32_t)value, size);
    }
}

static const MemoryRegionOps ecfg_ops = {
    .read = ecfg_read,
    .write = ecfg_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 8},
    .impl = {.min_access_size = 1, .max_access_size = 4},
};

/* -- Interrupts ---------------------------------------------------------------------- */

#define FIRST_PCI_GSI 16 /* amd64/ioapic.c */

/* amd64/ioapic.c, ioapic_pci_alloc_irq(): what it does for a guest with a bootrom. One
 * that bhyveload has started gets the pins in turn, which comes to the same while each
 * device has one; it reads them from tables either way. */
static int map_irq(PCIDevice *dev, int pin)
{
    return (4 + PCI_SLOT(dev->devfn) + pin + 1) % (PC_GSIS - FIRST_PCI_GSI);
}

static void set_irq(void *opaque, int line, int level)
{
    BhyveMachine *bhyve = opaque;

    irq_set(&bhyve->pc.gsis[FIRST_PCI_GSI + line], level);
}

/* -- Making it ----------------------------------------------------------------------- */

static bool make_bridge(GType type, unsigned slot, PCIBus *bus, GError **error)
{
    g_autofree char *addr = g_strdup_printf("%x.0", slot);
    Device *dev = device_new(type, error);

    if (!dev || !property_set_string(G_OBJECT(dev), "addr", addr, error) ||
        !device_realize(dev, &bus->parent, error)) {
        return false;
    }
    pci_set_long(PCI_DEVICE(dev)->config + PCI_SUBSYSTEM_VENDOR_ID, 0);
    return true;
}

bool bhyve_pci_init(BhyveMachine *bhyve, GError **error)
{
    Machine *machine = &bhyve->pc.parent;

    bhyve->host = pci_host_new(&machine->system_memory, &machine->system_io, error);
    if (!bhyve->host) {
        return false;
    }
    machine->pci = bhyve->host->bus;
    pci_bus_set_irqs(machine->pci, map_irq, set_irq, bhyve);
    memory_region_init_io(&bhyve->ecfg, NULL, &ecfg_ops, bhyve, "pci-ecfg",
                          BHYVE_ECFG_SIZE);
    memory_region_add_subregion(&machine->system_memory, BHYVE_ECFG_BASE, &bhyve->ecfg);
    return make_bridge(bhyve_host_bridge_get_type(), 0, machine->pci, error) &&
           make_bridge(bhyve_lpc_get_type(), LPC_SLOT, machine->pci, error);
}

/* -- BARs ---------------------------------------------------------------------------- */

typedef struct Allocation {
    PCIDevice *dev;
    unsigned n;
} Allocation;

/* Where BARs of a kind go. */
typedef struct Space {
    uint64_t next, limit;
} Space;

static uint64_t allocation_size(const Allocation *allocation)
{
    return allocation->dev->bars[allocation->n].size;
}

/* The largest first; of equal ones in the devices' order (g_array_sort is stable). */
static gint compare_sizes(gconstpointer a, gconstpointer b)
{
    uint64_t first = allocation_size(a), second = allocation_size(b);

    return first < second ? 1 : first > second ? -1 : 0;
}

/* pci_emul.c, pci_emul_alloc_bar(): a ROM's BAR is left to the firmware. */
static GArray *list_bars(BhyveMachine *bhyve)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(Allocation));

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        PCIDevice *dev = pci_find_device(bhyve->host->bus, (uint8_t)devfn);

        for (unsigned n = 0; dev && n < PCI_ROM_BAR; n++) {
            Allocation allocation = {dev, n};

            if (dev->bars[n].region) {
                g_array_append_val(list, allocation);
            }
        }
    }
    g_array_sort(list, compare_sizes);
    return list;
}

static void write_config(PCIDevice *dev, unsigned reg, uint32_t value, unsigned size)
{
    pci_bus_config_write(pci_device_bus(dev), (uint32_t)dev->devfn << 8 | reg, value,
                         size);
}

static void set_bar(BhyveMachine *bhyve, const Allocation *allocation, uint64_t address)
{
    PCIDevice *dev = allocation->dev;
    uint8_t type = dev->bars[allocation->n].type;

    write_config(dev, pci_bar_register(allocation->n), (uint32_t)address, 4);
    if (!(type & PCI_BAR_IO) && (type & PCI_BAR_MEMORY_64)) {
        write_config(dev, pci_bar_register(allocation->n + 1), (uint32_t)(address >> 32),
                     4);
    }
    if (!bhyve->bootrom_image) {
        uint32_t command = pci_get_word(dev->config + PCI_COMMAND) | PCI_COMMAND_MASTER;

        command |= type & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
        write_config(dev, PCI_COMMAND, command, 2);
    }
}

/* pci_emul.c, pci_emul_assign_bar(). */
static bool place(BhyveMachine *bhyve, bool apply, GError **error)
{
    g_autoptr(GArray) list = list_bars(bhyve);
    uint64_t above = GiB(4) + bhyve->high + BHYVE_BAR64_SIZE - 1;
    Space io = {BHYVE_IO_START, BHYVE_IO_LIMIT};
    Space memory = {BHYVE_HOLE_START, BHYVE_BAR_LIMIT};
    Space memory64 = {.next = above - above % BHYVE_BAR64_SIZE};

    memory64.limit = memory64.next + BHYVE_BAR64_SIZE;
    for (guint i = 0; i < list->len; i++) {
        const Allocation *allocation = &g_array_index(list, Allocation, i);
        const PCIBar *bar = &allocation->dev->bars[allocation->n];
        bool is_64 = (bar->type & PCI_BAR_MEMORY_64) && bar->size > MiB(128);
        Space *space = bar->type & PCI_BAR_IO ? &io : is_64 ? &memory64 : &memory;
        uint64_t address = (space->next + bar->size - 1) & ~(bar->size - 1);

        if (address > space->limit || bar->size > space->limit - address) {
            return refuse_argument(error,
                                   "BAR %u of device %s (%" PRIu64 " KiB) does not fit "
                                   "into bhyve's PCI hole any more; leave a device out",
                                   allocation->n, G_OBJECT_TYPE_NAME(allocation->dev),
                                   bar->size >> 10);
        }
        space->next = address + bar->size;
        if (apply) {
            set_bar(bhyve, allocation, address);
        }
    }
    return true;
}

bool bhyve_pci_check_bars(BhyveMachine *bhyve, GError **error)
{
    return place(bhyve, false, error);
}

void bhyve_pci_place_bars(BhyveMachine *bhyve)
{
    place(bhyve, true, NULL);
}
