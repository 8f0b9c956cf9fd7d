/*
 * isa-vga: the standard VGA on an ISA board, with its memory also in one piece where
 * Bochs' VBE BIOS looks for it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/display/vga-pci.h"
#include "hw/display/vga.h"
#include "hw/isa/isa-bus.h"

#define LINEAR_BASE 0xe0000000u

typedef struct ISAVGA {
    ISADevice parent;
    VGA vga;
} ISAVGA;

#define ISA_VGA(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_ISA_VGA, ISAVGA))

static bool isa_vga_realize(Device *dev, GError **error)
{
    ISAVGA *adapter = ISA_VGA(dev);
    ISABus *bus = isa_device_bus(&adapter->parent);

    if (!vga_init(&adapter->vga, dev, bus->memory, bus->io, error)) {
        return false;
    }
    memory_region_add_subregion(bus->memory, LINEAR_BASE, &adapter->vga.vram_region);
    return true;
}

static void isa_vga_unrealize(Device *dev)
{
    VGA *vga = &ISA_VGA(dev)->vga;

    if (memory_region_is_mapped(&vga->vram_region)) {
        memory_region_del_subregion(vga->legacy, &vga->vram_region);
    }
    vga_destroy(vga);
}

static void isa_vga_reset(Device *dev)
{
    vga_reset(&ISA_VGA(dev)->vga);
}

static const Property isa_vga_properties[] = {
    PROP_UINT32("vgamem_mb", ISAVGA, vga.vram_mib, 8, "video memory, in MiB"),
    PROP_END,
};

/* The VGA's own table, and where this device has its VGA. */
static VMStateDescription vmstate_isa_vga;

static void isa_vga_to_wire(void *opaque, void *wire)
{
    vmstate_vga.to_wire(&ISA_VGA(opaque)->vga, wire);
}

static bool isa_vga_from_wire(void *opaque, void *wire, int version_id, GError **error)
{
    return vmstate_vga.from_wire(&ISA_VGA(opaque)->vga, wire, version_id, error);
}

DEVICE_DEFINE_TYPE(ISAVGA, isa_vga, "isa-vga", TYPE_ISA_DEVICE)

static void isa_vga_class_init(DeviceClass *klass)
{
    klass->desc = "standard VGA on ISA";
    vmstate_isa_vga = vmstate_vga;
    vmstate_isa_vga.to_wire = isa_vga_to_wire;
    vmstate_isa_vga.from_wire = isa_vga_from_wire;
    klass->vmsd = &vmstate_isa_vga;
    klass->user_creatable = true;
    klass->realize = isa_vga_realize;
    klass->unrealize = isa_vga_unrealize;
    klass->reset = isa_vga_reset;
    property_install_table(G_OBJECT_CLASS(klass), isa_vga_properties);
}
