/*
 * VMware's backdoor: a guest reads port 0x5658 with a magic number in EAX and a command
 * in ECX, and finds the answer in its registers (open-vm-tools, backdoor_def.h, names
 * these). What else is behind the port registers its commands.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/i386/vmport.h"

#include <string.h>

#define VMPORT_MAGIC 0x564d5868u /* "VMXh" */
#define RAM_SIZE_MAGIC 0x1177u

enum {
    COMMAND_GET_VERSION = 0x0a,
    COMMAND_GET_BIOS_UUID = 0x13,
    COMMAND_GET_RAM_SIZE = 0x14,
};

struct VMPort {
    ISADevice parent;
    bool read_set_eax, signal_unsupported_cmd, report_vmx_type, cmds_v2;
    uint8_t vmx_version, vmx_type;
    MemoryRegion io;
    VMPortFacts facts;
    struct {
        VMPortCommand run;
        void *opaque;
    } commands[VMPORT_COMMANDS];
};

DEVICE_DEFINE_TYPE(VMPort, vmport, "vmport", TYPE_ISA_DEVICE)

/* -- Commands: each gets the registers, and gives EAX ---------------------------------
 */

static uint32_t get_version(void *opaque, uint64_t gpr[16])
{
    const VMPort *vmport = opaque;

    gpr[X86_RBX] = VMPORT_MAGIC;
    if (vmport->report_vmx_type) {
        gpr[X86_RCX] = vmport->vmx_type;
    }
    return vmport->vmx_version;
}

static uint32_t get_ram_size(void *opaque, uint64_t gpr[16])
{
    const VMPort *vmport = opaque;

    gpr[X86_RBX] = RAM_SIZE_MAGIC;
    return (uint32_t)vmport->facts.ram_size;
}

static uint32_t get_bios_uuid(void *opaque, uint64_t gpr[16])
{
    static const unsigned order[] = {X86_RAX, X86_RBX, X86_RCX, X86_RDX};
    const VMPort *vmport = opaque;

    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        uint32_t part;

        memcpy(&part, vmport->facts.uuid + 4 * i, sizeof(part));
        gpr[order[i]] = GUINT32_FROM_LE(part);
    }
    return (uint32_t)gpr[X86_RAX];
}

void vmport_register(VMPort *vmport, unsigned number, VMPortCommand run, void *opaque)
{
    g_return_if_fail(number < VMPORT_COMMANDS);
    vmport->commands[number].run = run;
    vmport->commands[number].opaque = opaque;
}

/* -- The port --------------------------------------------------------------------------
 */

static uint32_t run_command(VMPort *vmport, X86CPU *cpu)
{
    uint64_t *gpr = cpu->registers.gpr;
    uint32_t number = (uint32_t)gpr[X86_RCX];
    uint32_t value = (uint32_t)gpr[X86_RAX];

    if (value == VMPORT_MAGIC && number < VMPORT_COMMANDS &&
        vmport->commands[number].run) {
        value = vmport->commands[number].run(vmport->commands[number].opaque, gpr);
    } else if (vmport->signal_unsupported_cmd) {
        value = UINT32_MAX;
    }
    if (vmport->read_set_eax) {
        gpr[X86_RAX] = value;
    }
    return value;
}

static uint64_t vmport_read(void *opaque, hwaddr offset, unsigned size)
{
    VMPort *vmport = opaque;
    X86CPU *cpu = vmport->facts.current_cpu ? vmport->facts.current_cpu() : NULL;
    uint32_t value;

    if (!cpu || !cpu->ops || !cpu->ops->get_registers || !cpu->ops->set_registers) {
        return UINT32_MAX;
    }
    cpu->ops->get_registers(cpu);
    value = run_command(vmport, cpu);
    cpu->ops->set_registers(cpu);
    return value;
}

/* The same, but for the register that an OUT leaves alone. */
static void vmport_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (((VMPort *)opaque)->read_set_eax) {
        vmport_read(opaque, offset, size);
    }
}

static const MemoryRegionOps vmport_ops = {
    .read = vmport_read,
    .write = vmport_write,
    .valid = {.min_access_size = 1,
              .max_access_size = 4,
              .unaligned = true,
              .past_end = true}, /* the port is one address, read as four bytes */
    .impl = {.min_access_size = 1, .max_access_size = 4, .unaligned = true},
};

static bool vmport_realize(Device *dev, GError **error)
{
    VMPort *vmport = (VMPort *)dev;

    memory_region_init_io(&vmport->io, G_OBJECT(dev), &vmport_ops, vmport, "vmport", 1);
    isa_register_ioport(ISA_DEVICE(dev), &vmport->io, 0x5658);
    vmport_register(vmport, COMMAND_GET_VERSION, get_version, vmport);
    vmport_register(vmport, COMMAND_GET_RAM_SIZE, get_ram_size, vmport);
    if (vmport->cmds_v2) {
        vmport_register(vmport, COMMAND_GET_BIOS_UUID, get_bios_uuid, vmport);
    }
    return true;
}

static const Property vmport_properties[] = {
    PROP_BOOL("x-read-set-eax", VMPort, read_set_eax, true, "a read's value is EAX"),
    PROP_BOOL("x-signal-unsupported-cmd", VMPort, signal_unsupported_cmd, true,
              "unknown commands give all ones"),
    PROP_BOOL("x-report-vmx-type", VMPort, report_vmx_type, true, "in ECX"),
    PROP_BOOL("x-cmds-v2", VMPort, cmds_v2, true, "the newer commands"),
    PROP_UINT8("vmware-vmx-version", VMPort, vmx_version, 6, "what GETVERSION says"),
    PROP_UINT8("vmware-vmx-type", VMPort, vmx_type, 2, "2: VMware Server (ESX)"),
    PROP_END,
};

static void vmport_class_init(DeviceClass *klass)
{
    klass->desc = "VMware backdoor port";
    klass->realize = vmport_realize;
    property_install_table(G_OBJECT_CLASS(klass), vmport_properties);
}

VMPort *vmport_new(ISABus *bus, const VMPortFacts *facts, GError **error)
{
    Device *dev = device_new(TYPE_VMPORT, error);

    if (!dev) {
        return NULL;
    }
    ((VMPort *)dev)->facts = *facts;
    return device_realize(dev, BUS(bus), error) ? (VMPort *)dev : NULL;
}
