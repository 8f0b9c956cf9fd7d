/*
 * The standard VGA on PCI: vram in BAR 0, registers in BAR 2, SeaVGABIOS in the ROM BAR.
 *
 * QEMU, "docs/specs/standard-vga": BAR 2 has an EDID block at 0, the VGA's ports from
 * 0x3c0 on at 0x400, the DISPI registers as an array of words at 0x500, and at 0x600
 * QEMU's own registers: the length of this block and the byte order of the frame buffer.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/display/vga-pci.h"

#include "hw/core/vmstate.h"
#include "hw/display/edid.h"
#include "hw/display/vga.h"
#include "hw/pci/pci-regs.h"
#include "hw/pci/pci-vmstate.h"

#define MMIO_SIZE KiB(4)
#define EDID_OFFSET 0
#define EDID_SIZE 0x180
#define PORTS_OFFSET 0x400
#define PORTS_SIZE 0x20
#define DISPI_OFFSET 0x500
#define EXTENDED_OFFSET 0x600
#define EXTENDED_SIZE 8
#define BYTE_ORDER_REGISTER 4
#define BYTE_ORDER_LITTLE 0x1e1e1e1e

typedef struct VGAPCI {
    PCIDevice parent;
    VGA vga;
    MemoryRegion mmio, edid_region, ports, dispi, extended;
    bool mmio_wanted, extended_wanted, edid_wanted;
    uint32_t xres, yres;
    uint8_t edid[EDID_SIZE];
    bool global_vmstate;
} VGAPCI;

#define VGA_PCI(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_VGA_PCI, VGAPCI))

/* -- BAR 2 -----------------------------------------------------------------------------
 */

static uint64_t edid_read(void *opaque, hwaddr offset, unsigned size)
{
    const VGAPCI *adapter = opaque;

    return adapter->edid[offset];
}

static void edid_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps edid_ops = {
    .read = edid_read,
    .write = edid_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static uint64_t ports_read(void *opaque, hwaddr offset, unsigned size)
{
    return vga_port_read(opaque, (uint16_t)(0x3c0 + offset));
}

static void ports_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vga_port_write(opaque, (uint16_t)(0x3c0 + offset), (uint8_t)value);
}

static const MemoryRegionOps ports_ops = {
    .read = ports_read,
    .write = ports_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static uint64_t dispi_read(void *opaque, hwaddr offset, unsigned size)
{
    return vga_vbe_read(opaque, (unsigned)offset / 2);
}

static void dispi_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vga_vbe_write(opaque, (unsigned)offset / 2, (uint16_t)value);
}

static const MemoryRegionOps dispi_ops = {
    .read = dispi_read,
    .write = dispi_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = {.min_access_size = 2, .max_access_size = 2},
};

static uint64_t extended_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset == BYTE_ORDER_REGISTER ? BYTE_ORDER_LITTLE : EXTENDED_SIZE;
}

/* A PC's guests have no use for a big-endian picture; the register stays as it is. */
static void extended_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps extended_ops = {
    .read = extended_read,
    .write = extended_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = {.min_access_size = 4, .max_access_size = 4},
};

static void make_mmio(VGAPCI *adapter)
{
    const struct {
        MemoryRegion *region;
        const MemoryRegionOps *ops;
        void *opaque;
        const char *name;
        hwaddr offset;
        uint64_t size;
        bool wanted;
    } parts[] = {
        {&adapter->edid_region, &edid_ops, adapter, "edid", EDID_OFFSET, EDID_SIZE,
         adapter->edid_wanted},
        {&adapter->ports, &ports_ops, &adapter->vga, "vga ioports remapped", PORTS_OFFSET,
         PORTS_SIZE, true},
        {&adapter->dispi, &dispi_ops, &adapter->vga, "bochs dispi interface",
         DISPI_OFFSET, 2 * (VBE_VIDEO_MEMORY_64K + 1), true},
        {&adapter->extended, &extended_ops, adapter, "qemu extended regs",
         EXTENDED_OFFSET, EXTENDED_SIZE, adapter->extended_wanted},
    };
    GObject *owner = G_OBJECT(adapter);

    memory_region_init_io(&adapter->mmio, owner, NULL, NULL, "vga.mmio", MMIO_SIZE);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (parts[i].wanted) {
            memory_region_init_io(parts[i].region, owner, parts[i].ops, parts[i].opaque,
                                  parts[i].name, parts[i].size);
            memory_region_set_flush_coalesced(parts[i].region);
            memory_region_add_subregion(&adapter->mmio, parts[i].offset, parts[i].region);
        }
    }
}

/* -- Life ------------------------------------------------------------------------------
 */

static bool vga_pci_realize(Device *dev, GError **error)
{
    VGAPCI *adapter = VGA_PCI(dev);
    PCIBus *bus;

    if (!pci_device_realize(dev, error)) {
        return false;
    }
    bus = pci_device_bus(&adapter->parent);
    if (!vga_init(&adapter->vga, dev, bus->memory, bus->io, error)) {
        return false;
    }
    if (!adapter->global_vmstate) {
        vmstate_register_ram(&adapter->vga.vram_region, dev);
    }
    pci_register_bar(&adapter->parent, 0, PCI_BAR_PREFETCH, &adapter->vga.vram_region);
    if (adapter->mmio_wanted) {
        if (adapter->edid_wanted) {
            edid_fill(adapter->edid, adapter->xres, adapter->yres);
        }
        make_mmio(adapter);
        if (!adapter->extended_wanted) {
            adapter->parent.config[PCI_REVISION_ID] = 0; /* 2 says that they are there */
        }
        pci_register_bar(&adapter->parent, 2, 0, &adapter->mmio);
    }
    return true;
}

static void vga_pci_unrealize(Device *dev)
{
    pci_device_unrealize(dev);
    vga_destroy(&VGA_PCI(dev)->vga);
}

static void vga_pci_reset(Device *dev)
{
    vga_reset(&VGA_PCI(dev)->vga);
    pci_device_reset(dev);
}

static const Property vga_pci_properties[] = {
    PROP_UINT32("vgamem_mb", VGAPCI, vga.vram_mib, 16, "video memory, in MiB"),
    PROP_BOOL("mmio", VGAPCI, mmio_wanted, true, "the registers in BAR 2"),
    PROP_BOOL("global-vmstate", VGAPCI, global_vmstate, false,
              "migration streams call the memory \"vga.vram\", without the device's place"),
    PROP_BOOL("qemu-extended-regs", VGAPCI, extended_wanted, true,
              "QEMU's own registers in BAR 2"),
    PROP_BOOL("edid", VGAPCI, edid_wanted, true, "the monitor's description in BAR 2"),
    PROP_UINT32("xres", VGAPCI, xres, 1280, "the monitor's best mode: pixels a line"),
    PROP_UINT32("yres", VGAPCI, yres, 800, "and lines"),
    PROP_END,
};

static const VMStateDescription vmstate_vga_pci = {
    .name = "vga",
    .version_id = 2,
    .minimum_version_id = 2,
    .fields =
        (const VMStateField[]){
            VMSTATE_PCI_DEVICE(parent, VGAPCI, "dev"),
            VMSTATE_STRUCT(vga, VGAPCI, 0, vmstate_vga, VGA),
            VMSTATE_END_OF_LIST(),
        },
};

DEVICE_DEFINE_TYPE(VGAPCI, vga_pci, "VGA", TYPE_PCI_DEVICE)

static void vga_pci_class_init(DeviceClass *klass)
{
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(klass);

    klass->desc = "standard VGA with Bochs' VBE extensions";
    klass->vmsd = &vmstate_vga_pci;
    klass->user_creatable = true;
    klass->realize = vga_pci_realize;
    klass->unrealize = vga_pci_unrealize;
    klass->reset = vga_pci_reset;
    pci->vendor_id = 0x1234;
    pci->device_id = 0x1111;
    pci->revision = 2;
    pci->class_id = 0x0300;
    pci->romfile = "vgabios-stdvga.bin";
    property_install_table(G_OBJECT_CLASS(klass), vga_pci_properties);
}
