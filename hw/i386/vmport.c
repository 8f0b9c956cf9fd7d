/*
 * VMware's backdoor: a guest reads port 0x5658 with a magic number in EAX and a command
 * in CX, and finds the answer in its registers (open-vm-tools, backdoor_def.h, names
 * these). Two commands are answered: which version this is, and how much RAM there is.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/i386/vmport.h"

#define VMPORT_MAGIC 0x564d5868u /* "VMXh" */
#define VMPORT_VERSION 6

enum {
    VMPORT_COMMAND_GET_VERSION = 0x0a,
};

typedef struct VMPort {
    ISADevice parent;
    bool read_set_eax, signal_unsupported_cmd, report_vmx_type, cmds_v2;
    uint8_t vmx_version, vmx_type;
    MemoryRegion io;
    X86CPU *(*current_cpu)(void);
} VMPort;

static uint64_t vmport_read(void *opaque, hwaddr offset, unsigned size)
{
    VMPort *vmport = opaque;
    X86CPU *cpu = vmport->current_cpu ? vmport->current_cpu() : NULL;
    uint64_t *gpr;

    if (!cpu || !cpu->ops || !cpu->ops->get_registers || !cpu->ops->set_registers) {
        return UINT32_MAX;
    }
    cpu->ops->get_registers(cpu);
    gpr = cpu->registers.gpr;
    if ((uint32_t)gpr[X86_RAX] != VMPORT_MAGIC ||
        (gpr[X86_RCX] & 0xffff) != VMPORT_COMMAND_GET_VERSION) {
        return UINT32_MAX;
    }
    gpr[X86_RBX] = VMPORT_MAGIC;
    gpr[X86_RCX] = vmport->vmx_type;
    cpu->ops->set_registers(cpu);
    return VMPORT_VERSION;
}

static void vmport_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MemoryRegionOps vmport_ops = {
    .read = vmport_read,
    .write = vmport_write,
    .valid = {.min_access_size = 1, .max_access_size = 4, .unaligned = true},
    .impl = {.min_access_size = 1, .max_access_size = 4, .unaligned = true},
};

static bool vmport_realize(Device *dev, GError **error)
{
    VMPort *vmport = (VMPort *)dev;

    memory_region_init_io(&vmport->io, G_OBJECT(dev), &vmport_ops, vmport, "vmport", 1);
    isa_register_ioport(ISA_DEVICE(dev), &vmport->io, 0x5658);
    return true;
}

static const Property vmport_properties[] = {
    PROP_BOOL("x-read-set-eax", VMPort, read_set_eax, true, "a read's value is EAX"),
    PROP_BOOL("x-signal-unsupported-cmd", VMPort, signal_unsupported_cmd, true,
              "unknown commands give all ones"),
    PROP_BOOL("x-report-vmx-type", VMPort, report_vmx_type, true, "in ECX"),
    PROP_BOOL("x-cmds-v2", VMPort, cmds_v2, true, "accepted and unused"),
    PROP_UINT8("vmware-vmx-version", VMPort, vmx_version, 6, "accepted and unused"),
    PROP_UINT8("vmware-vmx-type", VMPort, vmx_type, 2, "2: VMware Server (ESX)"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(VMPort, vmport, "vmport", TYPE_ISA_DEVICE)

static void vmport_class_init(DeviceClass *klass)
{
    klass->desc = "VMware backdoor port";
    klass->realize = vmport_realize;
    property_install_table(G_OBJECT_CLASS(klass), vmport_properties);
}

Device *vmport_new(ISABus *bus, X86CPU *(*current_cpu)(void), GError **error)
{
    Device *dev = device_new(TYPE_VMPORT, error);

    if (!dev) {
        return NULL;
    }
    ((VMPort *)dev)->current_cpu = current_cpu;
    return device_realize(dev, BUS(bus), error) ? dev : NULL;
}
