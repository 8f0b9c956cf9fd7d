/*
 * The IDE function of the 82371SB (PIIX3): two channels at the legacy ports, and a bus
 * master for each.
 *
 * 82371SB data sheet, section 2.3 (PCI configuration of function 1), 2.7 (bus master I/O
 * registers) and "Programming Interface for Bus Master IDE Controller", 1.0. The IDETIM
 * registers are kept but decode and timing do not depend on them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

#include "hw/ide/ide-vmstate.h"
#include "hw/isa/isa-bus.h"
#include "hw/pci/pci-regs.h"
#include "hw/pci/pci-vmstate.h"

#define CHANNELS 2

#define BMIC_START 0x01u
#define BMIC_TO_MEMORY 0x08u
#define BMIS_ACTIVE 0x01u
#define BMIS_ERROR 0x02u
#define BMIS_INTERRUPT 0x04u
#define BMIS_DMA_CAPABLE 0x60u /* two bits for software's own use */

#define PRD_SIZE 8
#define PRD_TABLE_MAX 65536 /* a table does not cross a 64 KiB boundary */
#define PRD_END 0x80000000u

typedef struct BusMaster {
    struct PIIX3IDE *adapter;
    IDEBus *bus;
    unsigned isa_irq;
    IRQ input; /* the drives' INTRQ comes here on its way to the ISA line */
    MemoryRegion registers, table_register;
    uint8_t command, status;
    uint32_t table; /* guest physical address of the descriptors */

    /* While the engine runs: where it is. */
    uint32_t next;    /* bytes of the table that were read */
    uint32_t address; /* what is left of the descriptor at hand */
    uint32_t left;
    bool last;
} BusMaster;

typedef struct PIIX3IDE {
    PCIDevice parent;
    ISABus *isa;
    MemoryRegion bar;
    BusMaster masters[CHANNELS];
} PIIX3IDE;

#define PIIX3_IDE(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_PIIX3_IDE, PIIX3IDE))

/* -- The engine ---------------------------------------------------------------------- */

static bool next_descriptor(BusMaster *master)
{
    uint32_t descriptor[2] = {0};

    if (master->last || master->next >= PRD_TABLE_MAX) {
        return false;
    }
    if (pci_dma_read(&master->adapter->parent, master->table + (hwaddr)master->next,
                     descriptor, PRD_SIZE) != MEMTX_OK) {
        memset(descriptor, 0, sizeof descriptor);
    }
    master->next += PRD_SIZE;
    descriptor[1] = GUINT32_FROM_LE(descriptor[1]);
    master->address = GUINT32_FROM_LE(descriptor[0]) & ~1u;
    master->left = descriptor[1] & 0xfffe;
    master->left = master->left ? master->left : 0x10000;
    master->last = descriptor[1] & PRD_END;
    return true;
}

/* An access that nobody on the bus takes (no memory there, or bus mastering is off) reads
 * as zeroes or is lost, and the transfer goes on: QEMU's drivers' tests rely on it. The
 * controller has 32 address lines: behind 4 GiB it is back at 0. */
static unsigned bus_master_move(void *opaque, uint8_t *data, unsigned length,
                                bool to_memory)
{
    BusMaster *master = opaque;
    PCIDevice *pci = &master->adapter->parent;
    unsigned moved = 0;

    while (moved < length && (master->left > 0 || next_descriptor(master))) {
        uint64_t to_wrap = GiB(4) - master->address;
        uint32_t count = (uint32_t)MIN(MIN(length - moved, master->left), to_wrap);

        if (to_memory) {
            (void)pci_dma_write(pci, master->address, data + moved, count);
        } else if (pci_dma_read(pci, master->address, data + moved, count) != MEMTX_OK) {
            memset(data + moved, 0, count);
        }
        master->address += count;
        master->left -= count;
        moved += count;
    }
    return moved;
}

/* Runs what the drive waits for. "Active" then says whether descriptors are left over,
 * and together with "interrupt" how sizes compared (Programming Interface, section 3.1).
 */
static void bus_master_run(BusMaster *master)
{
    if (!(master->status & BMIS_ACTIVE) || !ide_bus_dma_requested(master->bus)) {
        return;
    }
    if (ide_bus_dma_run(master->bus) == IDE_DMA_WAITS) {
        return;
    }
    if (master->left == 0 && (master->last || master->next >= PRD_TABLE_MAX)) {
        master->status &= (uint8_t)~BMIS_ACTIVE;
    }
}

static void bus_master_request(void *opaque)
{
    bus_master_run(opaque);
}

static const IDEDMAOps bus_master_dma_ops = {
    .request = bus_master_request,
    .move = bus_master_move,
};

/* BMIS bit 2 is set by the rising edge of the drive's interrupt. */
static void bus_master_irq(void *opaque, int n, int level)
{
    BusMaster *master = opaque;
    const ISABus *isa = master->adapter->isa;

    if (level) {
        master->status |= BMIS_INTERRUPT;
    }
    if (isa->irqs) {
        irq_set(&isa->irqs[master->isa_irq], level);
    }
}

/* -- Registers ----------------------------------------------------------------------- */

enum { BMIC = 0, BMIS = 2 };

static void bus_master_set_command(BusMaster *master, uint8_t value)
{
    uint8_t changed = master->command ^ value;

    master->command = value & (BMIC_START | BMIC_TO_MEMORY);
    if (!(changed & BMIC_START)) {
        return;
    }
    if (value & BMIC_START) {
        master->next = 0;
        master->left = 0;
        master->last = false;
        master->status |= BMIS_ACTIVE;
        bus_master_run(master);
    } else {
        master->status &= (uint8_t)~BMIS_ACTIVE;
    }
}

static uint64_t bus_master_read(void *opaque, hwaddr offset, unsigned size)
{
    const BusMaster *master = opaque;

    if (size != 1) {
        return UINT64_MAX;
    }
    switch (offset) {
    case BMIC:
        return master->command;
    case BMIS:
        return master->status;
    default:
        return 0xff;
    }
}

static void bus_master_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    BusMaster *master = opaque;
    uint8_t byte = (uint8_t)value;

    if (size != 1) {
        return;
    }
    switch (offset) {
    case BMIC:
        bus_master_set_command(master, byte);
        break;
    case BMIS:
        master->status &= (uint8_t) ~(byte & (BMIS_ERROR | BMIS_INTERRUPT));
        master->status =
            (uint8_t)((master->status & ~BMIS_DMA_CAPABLE) | (byte & BMIS_DMA_CAPABLE));
        break;
    }
}

static const MemoryRegionOps bus_master_ops = {
    .read = bus_master_read,
    .write = bus_master_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static uint64_t table_read(void *opaque, hwaddr offset, unsigned size)
{
    const BusMaster *master = opaque;

    return master->table >> (8 * offset);
}

static void table_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    BusMaster *master = opaque;
    unsigned shift = 8 * (unsigned)offset;
    uint32_t mask = (uint32_t)(((UINT64_C(1) << (8 * size)) - 1) << shift);

    master->table = ((master->table & ~mask) | ((uint32_t)value << shift & mask)) & ~3u;
}

static const MemoryRegionOps table_ops = {
    .read = table_read,
    .write = table_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* -- Life ---------------------------------------------------------------------------- */

static void piix3_ide_reset(Device *dev)
{
    PIIX3IDE *adapter = PIIX3_IDE(dev);
    uint8_t *config = adapter->parent.config;

    for (unsigned i = 0; i < CHANNELS; i++) {
        BusMaster *master = &adapter->masters[i];

        master->command = master->status = 0;
        master->table = master->next = master->left = 0;
        master->last = false;
        ide_bus_reset(master->bus);
    }
    memset(config + PCI_HEADER_SIZE, 0, PCI_CONFIG_SIZE - PCI_HEADER_SIZE);
    pci_set_word(config + PCI_STATUS, PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MEDIUM);
    pci_device_reset(dev);
}

static void piix3_ide_add_channel(PIIX3IDE *adapter, unsigned n)
{
    static const struct {
        uint16_t command, control;
        uint8_t irq;
    } places[CHANNELS] = {{0x1f0, 0x3f6, 14}, {0x170, 0x376, 15}};
    BusMaster *master = &adapter->masters[n];
    GObject *owner = G_OBJECT(adapter);

    master->adapter = adapter;
    master->isa_irq = places[n].irq;
    master->input = (IRQ){.handler = bus_master_irq, .opaque = master};
    master->bus = ide_bus_new(&adapter->parent.parent);
    master->bus->irq = &master->input;
    master->bus->dma = &bus_master_dma_ops;
    master->bus->dma_opaque = master;
    ide_bus_map_ports(master->bus, NULL, adapter->isa->io, places[n].command,
                      places[n].control);

    memory_region_init_io(&master->registers, owner, &bus_master_ops, master,
                          "piix-bmdma", 4);
    memory_region_add_subregion(&adapter->bar, n * 8, &master->registers);
    memory_region_init_io(&master->table_register, owner, &table_ops, master, "bmdma", 4);
    memory_region_add_subregion(&adapter->bar, n * 8 + 4, &master->table_register);
}

static const VMStateDescription vmstate_piix3_ide;

static bool piix3_ide_realize(Device *dev, GError **error)
{
    PIIX3IDE *adapter = PIIX3_IDE(dev);
    Bus *isa = bus_find("ISA", NULL);

    if (!pci_device_realize(dev, error)) {
        return false;
    }
    if (!isa) {
        g_set_error_literal(
            error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
            "piix3-ide needs an ISA bus for its ports and interrupts; use a "
            "machine type that has one");
        return false;
    }
    adapter->isa = ISA_BUS(isa);
    memory_region_init(&adapter->bar, G_OBJECT(dev), "piix-bmdma-container", 16);
    for (unsigned n = 0; n < CHANNELS; n++) {
        piix3_ide_add_channel(adapter, n);
    }
    pci_register_bar(&adapter->parent, 4, 1, &adapter->bar);
    vmstate_register(dev, VMSTATE_INSTANCE_ID_ANY, &vmstate_piix3_ide, dev);
    return true;
}

/* -- Its state in a stream ----------------------------------------------------------- */

/* Bits of the status that QEMU's streams once had another use for: with one of them set,
 * the register goes by itself. */
#define BMIS_NOT_IN_COMPAT_STATUS 0xf8u

typedef struct WireMaster {
    uint8_t cmd, migration_compat_status, status;
    uint32_t addr;
    uint32_t cur_addr; /* of the next descriptor */
    uint32_t cur_prd_last, cur_prd_addr, cur_prd_len;
} WireMaster;

static void master_to_wire(void *opaque, void *data)
{
    const BusMaster *master = opaque;

    *(WireMaster *)data = (WireMaster){
        .cmd = master->command,
        .migration_compat_status = master->status & (uint8_t)~BMIS_NOT_IN_COMPAT_STATUS,
        .status = master->status,
        .addr = master->table,
        .cur_addr = master->table + master->next,
        .cur_prd_last = master->last,
        .cur_prd_addr = master->address,
        .cur_prd_len = master->left,
    };
}

static bool master_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    BusMaster *master = opaque;
    const WireMaster *wire = data;
    const uint8_t bits = BMIS_ACTIVE | BMIS_ERROR | BMIS_INTERRUPT | BMIS_DMA_CAPABLE;

    if (wire->cur_prd_len > 0x10000) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            "no descriptor of the IDE bus master is longer than 64 KiB: "
                            "the stream is broken");
        return false;
    }
    master->command = wire->cmd & (BMIC_START | BMIC_TO_MEMORY);
    master->status = (wire->status ? wire->status : wire->migration_compat_status) & bits;
    master->table = wire->addr & ~3u;
    master->next = MIN(wire->cur_addr - master->table, PRD_TABLE_MAX);
    master->last = wire->cur_prd_last;
    master->address = wire->cur_prd_addr;
    master->left = wire->cur_prd_len;
    return true;
}

/* What is in the subsections is not sent otherwise, and stands for nothing then. */
static void master_pre_load(void *opaque)
{
    BusMaster *master = opaque;

    master->status = 0;
    master->next = master->left = 0;
    master->last = false;
}

static bool is_amid_descriptor(void *opaque)
{
    return ((WireMaster *)opaque)->cur_prd_len != 0;
}

static const VMStateDescription vmstate_master_current = {
    .name = "ide bmdma_current",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_amid_descriptor,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT32(cur_addr, WireMaster),
            VMSTATE_UINT32(cur_prd_last, WireMaster),
            VMSTATE_UINT32(cur_prd_addr, WireMaster),
            VMSTATE_UINT32(cur_prd_len, WireMaster),
            VMSTATE_END_OF_LIST(),
        },
};

static bool status_goes_by_itself(void *opaque)
{
    return ((WireMaster *)opaque)->status & BMIS_NOT_IN_COMPAT_STATUS;
}

static const VMStateDescription vmstate_master_status = {
    .name = "ide bmdma/status",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = status_goes_by_itself,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(status, WireMaster),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_master = {
    .name = "ide bmdma",
    .version_id = 3,
    .minimum_version_id = 0,
    .pre_load = master_pre_load,
    .wire_size = sizeof(WireMaster),
    .to_wire = master_to_wire,
    .from_wire = master_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(cmd, WireMaster),
            VMSTATE_UINT8(migration_compat_status, WireMaster),
            VMSTATE_UINT32(addr, WireMaster),
            /* Where QEMU would repeat a request that failed. */
            VMSTATE_CONSTANT("migration_retry_sector_num", int64, 0),
            VMSTATE_CONSTANT("migration_retry_nsector", uint32, 0),
            VMSTATE_CONSTANT("migration_retry_unit", uint8, 0),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_master_current,
                                                       &vmstate_master_status, NULL},
};

typedef struct WirePIIX3IDE {
    PCIDevice *parent;
    BusMaster *masters[CHANNELS];
    IDEBus *buses[CHANNELS];
    IDEPlace places[CHANNELS][2];
} WirePIIX3IDE;

static void piix3_ide_to_wire(void *opaque, void *data)
{
    PIIX3IDE *adapter = opaque;
    WirePIIX3IDE *wire = data;

    wire->parent = &adapter->parent;
    for (unsigned i = 0; i < CHANNELS; i++) {
        BusMaster *master = &adapter->masters[i];

        wire->masters[i] = master;
        wire->buses[i] = master->bus;
        wire->places[i][0] = (IDEPlace){master->bus, 0};
        wire->places[i][1] = (IDEPlace){master->bus, 1};
    }
}

static bool piix3_ide_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    return true; /* all parts have taken theirs */
}

#define POINTERS_ROW(member, name_, vmsd_)                                               \
    VMSTATE_ROW(name_, 0, NULL, .flags = VMS_ARRAY | VMS_STRUCT | VMS_ARRAY_OF_POINTER,  \
                .vmsd = &vmsd_, .num = CHANNELS, .size = sizeof(void *),                 \
                .offset = offsetof(WirePIIX3IDE, member))

static const VMStateDescription vmstate_piix3_ide = {
    .name = "ide",
    .version_id = 3,
    .minimum_version_id = 0,
    .wire_size = sizeof(WirePIIX3IDE),
    .to_wire = piix3_ide_to_wire,
    .from_wire = piix3_ide_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_ROW("parent_obj", 0, NULL, .flags = VMS_STRUCT | VMS_POINTER,
                        .vmsd = &vmstate_pci_device, .size = sizeof(PCIDevice),
                        .offset = offsetof(WirePIIX3IDE, parent)),
            POINTERS_ROW(masters, "bmdma", vmstate_master),
            POINTERS_ROW(buses, "bus", vmstate_ide_bus),
            VMSTATE_IDE_DRIVES(places[0], WirePIIX3IDE, "bus[0].ifs"),
            VMSTATE_IDE_DRIVES(places[1], WirePIIX3IDE, "bus[1].ifs"),
            VMSTATE_END_OF_LIST(),
        },
};

DEVICE_DEFINE_TYPE(PIIX3IDE, piix3_ide, "piix3-ide", TYPE_PCI_DEVICE)

static void piix3_ide_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    klass->desc = "IDE function of the 82371SB";
    klass->realize = piix3_ide_realize;
    klass->reset = piix3_ide_reset;
    pci->vendor_id = 0x8086;
    pci->device_id = 0x7010;
    pci->class_id = 0x0101;
    pci->prog_if = 0x80; /* legacy ports, bus master */
}

Device *piix3_ide_new(PCIBus *bus, GError **error)
{
    Device *dev = device_new(TYPE_PIIX3_IDE, error);

    if (!dev) {
        return NULL;
    }
    if (!property_set_string(G_OBJECT(dev), "addr", "1.1", error)) {
        g_object_unref(dev);
        return NULL;
    }
    return device_realize(dev, BUS(bus), error) ? dev : NULL;
}
