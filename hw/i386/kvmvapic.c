/*
 * kvmvapic's port: where QEMU's option ROM of that name would speak to the TPR patcher.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/i386/vmport.h"

typedef struct KVMVAPIC {
    Device parent;
    MemoryRegion io;
} KVMVAPIC;

static uint64_t kvmvapic_read(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void kvmvapic_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps kvmvapic_ops = {
    .read = kvmvapic_read,
    .write = kvmvapic_write,
};

static bool kvmvapic_realize(Device *dev, GError **error)
{
    KVMVAPIC *vapic = (KVMVAPIC *)dev;

    memory_region_init_io(&vapic->io, G_OBJECT(dev), &kvmvapic_ops, vapic, "kvmvapic", 2);
    return true;
}

DEVICE_DEFINE_TYPE(KVMVAPIC, kvmvapic, "kvmvapic", TYPE_DEVICE)

static void kvmvapic_class_init(DeviceClass *klass)
{
    klass->desc = "virtual APIC port";
    klass->realize = kvmvapic_realize;
}

Device *kvmvapic_new(MemoryRegion *io, GError **error)
{
    Device *dev = device_create(TYPE_KVMVAPIC, NULL, error);

    if (dev) {
        memory_region_add_subregion(io, 0x7e, &((KVMVAPIC *)dev)->io);
    }
    return dev;
}
