/*
 * The graphics device addresses memory through a table, the GTT, whose entries name pages
 * of host memory. Its video BIOS writes into it the address of the stolen memory of the
 * host on which the device is. A guest has its own stolen memory, so entries that pass
 * through the index/data pair of BAR 4 are translated on their way.
 *
 * Registers: Intel, "2nd Generation Core Processor Family Datasheet", volume 2, sections
 * on device 2; IOBAR, "Intel HD Graphics Programmer's Reference Manual", volume 1 part 1.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/display/igd-stub.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/system.h"
#include "hw/core/trace.h"
#include "hw/display/igd-generation.h"
#include "hw/display/igd-opregion.h"
#include "hw/pci/pci-regs.h"
#include "hw/pci/pci-vmstate.h"
#include "memory/access.h"

/* Configuration space. */
enum {
    GGC = 0x50,  /* 16 bits, read only: the sizes of stolen memory */
    BDSM = 0x5c, /* where stolen memory begins */
    ASLS = 0xfc, /* where the OpRegion is */
};
#define BDSM_ADDRESS 0xfff00000u

enum { BAR_REGISTERS = 0, BAR_APERTURE = 2, BAR_PORTS = 4, BAR_STOLEN = 5 };

#define APERTURE_SIZE MiB(256)
#define PORTS_SIZE 64

/* BAR 4: which doubleword, and its value. */
enum { PORT_INDEX = 0, PORT_DATA = 4 };
#define INDEX_OFFSET 0xfffffffcu
#define INDEX_TARGET 3u
#define INDEX_TARGET_GTT 1u /* 0: the registers */

#define PAGE KiB(4)

typedef enum StolenFrom { STOLEN_FIRMWARE, STOLEN_BAR } StolenFrom;

typedef struct IGDStub {
    PCIDevice parent;
    uint16_t device_id;
    uint64_t stolen_size; /* what GGC says; bytes */
    uint32_t host_bdsm;   /* where the host's stolen memory begins */
    int stolen_from;      /* StolenFrom */
    char *opregion_file;

    const IGDGeneration *generation;
    uint64_t reserved_size; /* GGC's two sizes together, as QEMU 7.2 asks for */
    GBytes *opregion;
    PCIMemoryPointer pointers[2];

    MemoryRegion mmio, registers, gtt; /* BAR 0 and its halves */
    MemoryRegion aperture, ports;
    MemoryRegion stolen_bar, stolen; /* stolen_from STOLEN_BAR: BAR 5, and its memory */
    AddressSpace memory;             /* what the device's addresses mean */
    uint32_t index;
    bool translating; /* an access through the aperture is under way */
} IGDStub;

#define IGD_STUB(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_IGD_STUB, IGDStub))

/* -- The table ----------------------------------------------------------------------- */

/* Where the guest's stolen memory begins; 0: nowhere yet. */
static uint32_t stolen_base(const IGDStub *igd)
{
    return pci_get_long(igd->parent.config + BDSM) & BDSM_ADDRESS;
}

static uint8_t *gtt_at(IGDStub *igd, uint64_t offset)
{
    return (uint8_t *)memory_region_get_ram_ptr(&igd->gtt) + offset;
}

/* What the entry's (lower) half becomes. Only pages of the host's stolen memory are
 * translated; other addresses are the guest's own. */
static uint32_t translate(const IGDStub *igd, uint32_t half)
{
    uint64_t address = igd_generation_address(igd->generation, half);

    return address - igd->host_bdsm < igd->reserved_size
               ? half - igd->host_bdsm + stolen_base(igd)
               : half;
}

/* The other half of a long entry stays 0, as with QEMU: what goes through here is below
 * 4 GiB. */
static void write_gtt(IGDStub *igd, uint32_t offset, uint32_t value)
{
    unsigned entry_size = igd->generation->entry_size;
    uint32_t kept;

    if (!stolen_base(igd)) {
        system_fatal(
            "hardware error: the guest programs entry %u of igd-stub's GTT (0x%08x) "
            "before its firmware has reserved stolen memory (BDSM, configuration 0x5c, "
            "is 0): the device would work in memory of somebody else's. Boot firmware "
            "that knows "
            "fw_cfg's " IGD_FILE_BDSM_SIZE
            ", such as SeaBIOS (which looks for the device at "
            "addr=2.0), with RAM enough for 0x%" PRIx64
            " bytes, or use igd-stub,stolen=bar",
            offset / entry_size, value, igd->reserved_size);
        return;
    }
    kept = offset % entry_size == 0 ? translate(igd, value) : 0;
    pci_set_long(gtt_at(igd, offset), kept);
    memory_region_set_dirty(&igd->gtt, offset, sizeof(kept));
}

/* -- BAR 4: index and data ----------------------------------------------------------- */

/* Whether the index means an entry; *offset is in bytes from the table's beginning. */
static bool index_is_gtt(const IGDStub *igd, uint32_t *offset)
{
    *offset = igd->index & INDEX_OFFSET;
    return (igd->index & INDEX_TARGET) == INDEX_TARGET_GTT &&
           *offset < igd->generation->gtt_size;
}

static uint64_t ports_read(void *opaque, hwaddr port, unsigned size)
{
    IGDStub *igd = opaque;
    uint32_t offset;

    if (port == PORT_INDEX) {
        return igd->index;
    }
    return port == PORT_DATA && index_is_gtt(igd, &offset)
               ? pci_get_long(gtt_at(igd, offset))
               : 0;
}

static void ports_write(void *opaque, hwaddr port, uint64_t value, unsigned size)
{
    IGDStub *igd = opaque;
    uint32_t offset;

    if (port == PORT_INDEX) {
        igd->index = (uint32_t)value;
    } else if (port == PORT_DATA && index_is_gtt(igd, &offset)) {
        write_gtt(igd, offset, (uint32_t)value);
    }
}

static const MemoryRegionOps ports_ops = {
    .read = ports_read,
    .write = ports_write,
    .valid = {.min_access_size = 4, .max_access_size = 4},
    .impl = {.min_access_size = 4, .max_access_size = 4},
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* -- BAR 0: registers ---------------------------------------------------------------- */

/* There are none: nothing is drawn. */
static uint64_t registers_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void registers_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    trace(TRACE_UNIMPLEMENTED, "igd-stub: register 0x%" PRIx64 " <- 0x%" PRIx64, offset,
          value);
}

static const MemoryRegionOps registers_ops = {
    .read = registers_read,
    .write = registers_write,
    .valid = {.min_access_size = 1, .max_access_size = 8},
    .impl = {.min_access_size = 1, .max_access_size = 8},
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* -- BAR 2: the aperture ------------------------------------------------------------- */

/* Where the table sends an access. False: the entry is not valid, or it leads
 * back here. */
static bool aperture_target(IGDStub *igd, hwaddr offset, hwaddr *address)
{
    const IGDGeneration *generation = igd->generation;
    const uint8_t *at = gtt_at(igd, offset / PAGE * generation->entry_size);
    uint64_t entry = pci_get_long(at);

    if (generation->entry_size == 8) {
        entry |= (uint64_t)pci_get_long(at + 4) << 32;
    }
    *address = igd_generation_address(generation, entry) + offset % PAGE;
    return entry & IGD_ENTRY_VALID && !igd->translating;
}

static uint64_t aperture_read(void *opaque, hwaddr offset, unsigned size)
{
    IGDStub *igd = opaque;
    uint64_t value = UINT64_MAX;
    hwaddr address;

    if (aperture_target(igd, offset, &address)) {
        igd->translating = true;
        address_space_load(&igd->memory, address, size, &value, MEMTXATTRS_UNSPECIFIED);
        igd->translating = false;
    }
    return value;
}

static void aperture_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    IGDStub *igd = opaque;
    hwaddr address;

    if (aperture_target(igd, offset, &address)) {
        igd->translating = true;
        address_space_store(&igd->memory, address, size, value, MEMTXATTRS_UNSPECIFIED);
        igd->translating = false;
    }
}

static const MemoryRegionOps aperture_ops = {
    .read = aperture_read,
    .write = aperture_write,
    .valid = {.min_access_size = 1, .max_access_size = 8},
    .impl = {.min_access_size = 1, .max_access_size = 8},
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* -- Configuration space ------------------------------------------------------------- */

/* With stolen=bar BDSM shows where BAR 5 is, once it is there. */
static void update_bdsm(IGDStub *igd)
{
    uint64_t address = igd->parent.bars[BAR_STOLEN].address;

    if (igd->stolen_from == STOLEN_BAR) {
        pci_set_long(igd->parent.config + BDSM,
                     address == PCI_BAR_UNMAPPED ? 0 : (uint32_t)address);
    }
}

static void igd_config_write(PCIDevice *dev, unsigned address, uint32_t value,
                             unsigned size)
{
    pci_default_config_write(dev, address, value, size);
    update_bdsm(IGD_STUB(dev));
}

/* The device's own registers are read only, but for the two that firmware fills in. */
static void init_config(IGDStub *igd, uint16_t ggc)
{
    PCIDevice *dev = &igd->parent;

    pci_set_word(dev->config + PCI_DEVICE_ID, igd->device_id);
    memset(dev->writable + PCI_HEADER_SIZE, 0, PCI_CONFIG_SIZE - PCI_HEADER_SIZE);
    pci_set_word(dev->config + GGC, ggc);
    pci_set_long(dev->writable + ASLS, UINT32_MAX);
    igd->pointers[0] = (PCIMemoryPointer){"ASLS", "its OpRegion", ASLS, UINT32_MAX,
                                          g_bytes_get_size(igd->opregion)};
    dev->memory_pointers = igd->pointers;
    dev->memory_pointer_count = 1;
    if (igd->stolen_from == STOLEN_FIRMWARE) {
        pci_set_long(dev->writable + BDSM, BDSM_ADDRESS);
        igd->pointers[1] = (PCIMemoryPointer){"BDSM", "its stolen memory", BDSM,
                                              BDSM_ADDRESS, igd->reserved_size};
        dev->memory_pointer_count = 2;
    }
}

/* -- Regions ------------------------------------------------------------------------- */

static void init_bars(IGDStub *igd)
{
    GObject *owner = G_OBJECT(igd);
    uint64_t half = igd->generation->register_size / 2;

    memory_region_init(&igd->mmio, owner, "igd-stub.mmio", 2 * half);
    memory_region_init_io(&igd->registers, owner, &registers_ops, igd,
                          "igd-stub.registers", half);
    memory_region_add_subregion(&igd->mmio, 0, &igd->registers);
    memory_region_add_subregion(&igd->mmio, half, &igd->gtt);
    pci_register_bar(&igd->parent, BAR_REGISTERS, PCI_BAR_MEMORY_64, &igd->mmio);

    memory_region_init_io(&igd->aperture, owner, &aperture_ops, igd, "igd-stub.aperture",
                          APERTURE_SIZE);
    pci_register_bar(&igd->parent, BAR_APERTURE, PCI_BAR_MEMORY_64 | PCI_BAR_PREFETCH,
                     &igd->aperture);

    memory_region_init_io(&igd->ports, owner, &ports_ops, igd, "igd-stub.ports",
                          PORTS_SIZE);
    pci_register_bar(&igd->parent, BAR_PORTS, PCI_BAR_IO, &igd->ports);
}

/* BAR 5 is of 32 bits, like BDSM, and BARs are powers of two. */
static void init_stolen_bar(IGDStub *igd)
{
    uint64_t size = MiB(1);

    while (size < igd->reserved_size) {
        size *= 2;
    }
    memory_region_init(&igd->stolen_bar, G_OBJECT(igd), "igd-stub.stolen-bar", size);
    memory_region_add_subregion(&igd->stolen_bar, 0, &igd->stolen);
    pci_register_bar(&igd->parent, BAR_STOLEN, PCI_BAR_PREFETCH, &igd->stolen_bar);
}

static bool init_ram(IGDStub *igd, GError **error)
{
    Device *dev = DEVICE(igd);

    if (!memory_region_init_ram(&igd->gtt, G_OBJECT(igd), "igd-stub.gtt",
                                igd->generation->gtt_size, error)) {
        return false;
    }
    if (igd->stolen_from == STOLEN_BAR &&
        !memory_region_init_ram(&igd->stolen, G_OBJECT(igd), "igd-stub.stolen",
                                igd->reserved_size, error)) {
        memory_region_destroy(&igd->gtt);
        return false;
    }
    vmstate_register_ram(&igd->gtt, dev);
    if (igd->stolen_from == STOLEN_BAR) {
        vmstate_register_ram(&igd->stolen, dev);
    }
    return true;
}

/* -- Life ---------------------------------------------------------------------------- */

static bool find_igd(Device *dev, void *opaque)
{
    IGDStub **found = opaque;

    if (G_OBJECT_TYPE(dev) == TYPE_IGD_STUB && dev->realized) {
        *found = IGD_STUB(dev);
    }
    return !*found;
}

static IGDStub *igd_stub_find(void)
{
    IGDStub *found = NULL;

    device_foreach(find_igd, &found);
    return found;
}

static bool check_properties(IGDStub *igd, uint16_t *ggc, GError **error)
{
    igd->generation = igd_generation_find(igd->device_id);
    if (!igd->generation) {
        return refuse_argument(error,
                               "igd-stub.device-id=0x%04x is no graphics device of Sandy "
                               "Bridge to Comet Lake; 0x0116 is one",
                               igd->device_id);
    }
    if (!igd_generation_encode(igd->generation, igd->stolen_size, ggc, error)) {
        return false;
    }
    igd->reserved_size = igd->stolen_size + igd->generation->gtt_size;
    if (!igd->host_bdsm || igd->host_bdsm & ~BDSM_ADDRESS ||
        igd->host_bdsm + igd->reserved_size > GiB(4)) {
        return refuse_argument(
            error,
            "igd-stub.host-bdsm=0x%x: give a multiple of 1 MiB with 0x%" PRIx64
            " bytes between it and 4 GiB",
            igd->host_bdsm, igd->reserved_size);
    }
    return true;
}

static bool igd_stub_realize(Device *dev, GError **error)
{
    IGDStub *igd = IGD_STUB(dev);
    uint16_t ggc;

    if (igd_stub_find()) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "at most one igd-stub is permitted: its fw_cfg files are for one");
        return false;
    }
    if (!check_properties(igd, &ggc, error) ||
        !(igd->opregion = igd_opregion_load(igd->opregion_file, error)) ||
        !pci_device_realize(dev, error) || !init_ram(igd, error)) {
        return false;
    }
    init_config(igd, ggc);
    init_bars(igd);
    if (igd->stolen_from == STOLEN_BAR) {
        init_stolen_bar(igd);
    }
    address_space_init(&igd->memory, pci_device_bus(&igd->parent)->system_memory,
                       "igd-stub-aperture");
    return true;
}

static void igd_stub_unrealize(Device *dev)
{
    IGDStub *igd = IGD_STUB(dev);

    pci_device_unrealize(dev);
    address_space_destroy(&igd->memory);
    memory_region_del_subregion(&igd->mmio, &igd->registers);
    memory_region_del_subregion(&igd->mmio, &igd->gtt);
    memory_region_destroy(&igd->mmio);
    memory_region_destroy(&igd->registers);
    memory_region_destroy(&igd->gtt);
    memory_region_destroy(&igd->aperture);
    memory_region_destroy(&igd->ports);
    if (igd->stolen_from == STOLEN_BAR) {
        memory_region_del_subregion(&igd->stolen_bar, &igd->stolen);
        memory_region_destroy(&igd->stolen_bar);
        memory_region_destroy(&igd->stolen);
    }
}

static void igd_stub_reset(Device *dev)
{
    IGDStub *igd = IGD_STUB(dev);

    igd->index = 0;
    pci_set_long(igd->parent.config + BDSM, 0);
    pci_set_long(igd->parent.config + ASLS, 0);
    /* The table stays: on hardware it is in stolen memory, which a reset does
     * not clear. */
    pci_device_reset(dev);
    update_bdsm(igd);
}

static void igd_stub_finalize(GObject *object)
{
    g_clear_pointer(&IGD_STUB(object)->opregion, g_bytes_unref);
    G_OBJECT_CLASS(g_type_class_peek(TYPE_PCI_DEVICE))->finalize(object);
}

bool igd_stub_add_files(FWCfg *cfg, GError **error)
{
    IGDStub *igd = igd_stub_find();
    uint64_t size;

    if (!igd) {
        return true;
    }
    size = GUINT64_TO_LE(igd->reserved_size);
    return fw_cfg_add_file(cfg, IGD_FILE_OPREGION, g_bytes_get_data(igd->opregion, NULL),
                           g_bytes_get_size(igd->opregion), error) &&
           (igd->stolen_from == STOLEN_BAR ||
            fw_cfg_add_file(cfg, IGD_FILE_BDSM_SIZE, &size, sizeof(size), error));
}

static bool igd_stub_post_load(void *opaque, int version_id, GError **error)
{
    update_bdsm(opaque);
    return true;
}

static const VMStateDescription vmstate_igd_stub = {
    .name = "igd-stub",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = igd_stub_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT64_EQUAL(stolen_size, IGDStub), /* GGC must stay what it was */
            VMSTATE_PCI_DEVICE(parent, IGDStub, "dev"),
            VMSTATE_UINT32(index, IGDStub),
            VMSTATE_END_OF_LIST(),
        },
};

static const char *const stolen_names[] = {"firmware", "bar", NULL};

static const Property igd_stub_properties[] = {
    PROP_UINT16(
        "device-id", IGDStub, device_id, 0x0116,
        "the PCI device id, which says the generation; 0x0116: Sandy Bridge, mobile"),
    PROP_SIZE("stolen-size", IGDStub, stolen_size, MiB(64),
              "data stolen memory, as GGC can say it: a multiple of 32M up to 512M"),
    PROP_ENUM(
        "stolen", IGDStub, stolen_from, STOLEN_FIRMWARE, stolen_names,
        "who provides stolen memory: firmware, from the guest's RAM, or the device's "
        "BAR 5"),
    PROP_UINT32(
        "host-bdsm", IGDStub, host_bdsm, 0xdba00000,
        "where the host's stolen memory begins: GTT entries in it are translated"),
    PROP_STRING("opregion", IGDStub, opregion_file, NULL,
                "the OpRegion's image; without, one that has no mailboxes"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(IGDStub, igd_stub, "igd-stub", TYPE_PCI_DEVICE)

static void igd_stub_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    klass->desc =
        "Intel graphics for the memory map: stolen memory and OpRegion, no picture";
    klass->vmsd = &vmstate_igd_stub;
    klass->user_creatable = true;
    klass->realize = igd_stub_realize;
    klass->unrealize = igd_stub_unrealize;
    klass->reset = igd_stub_reset;
    klass->parent.finalize = igd_stub_finalize;
    pci->vendor_id = PCI_VENDOR_INTEL;
    pci->device_id = 0x0116;
    pci->revision = 9;
    pci->class_id = 0x0300; /* QEMU's and SeaBIOS' condition, with the vendor */
    pci->addr = "2.0";      /* where drivers and video BIOSes look for it */
    pci->config_write = igd_config_write;
    property_install_table(G_OBJECT_CLASS(klass), igd_stub_properties);
}
