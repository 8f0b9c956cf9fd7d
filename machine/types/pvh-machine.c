/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pvh-machine.h"

#include <gio/gio.h>

#include "hw/char/debugcon.h"
#include "hw/char/serial.h"
#include "hw/input/pckbd.h"
#include "machine/kernel-files.h"

/* -- The kernel --------------------------------------------------------------------- */

static bool load_kernel(PVHMachine *pvh, GError **error)
{
    Machine *machine = &pvh->pc.parent;
    const MachineConfig *config = &machine->config;
    g_autoptr(GBytes) file = kernel_file_read("-kernel", config->kernel, error);
    g_autoptr(GArray) modules = kernel_modules_new();
    PVHLayout layout = pvh->data->layout;
    ElfImage elf;
    bool good;

    if (!file ||
        (config->initrd && !kernel_modules_read(config->initrd, modules, error))) {
        return false;
    }
    layout.low_ram_end = (uint32_t)pvh->pc.below_4g;
    good = pvh_parse(&elf, file, error) &&
           pvh_prepare(&pvh->pc.kernel_image, &machine->memory, &layout,
                       &(PVHSource){
                           .kernel = &elf,
                           .command_line = config->append ? config->append : "",
                           .modules = (const KernelModule *)(const void *)modules->data,
                           .module_count = modules->len,
                           .version = pvh->version,
                       },
                       error);
    if (!good) {
        g_prefix_error(error, "-kernel %s: ", config->kernel);
    }
    return good;
}

static bool pvh_complete(Machine *machine, GError **error)
{
    PVHMachine *pvh = PVH_MACHINE(machine);

    if (machine->config.firmware) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "-bios: %s has no firmware; give it a kernel with -kernel",
                    machine->type->name);
        return false;
    }
    return !machine->config.kernel || load_kernel(pvh, error);
}

/* Without a kernel the processor stays in reset: there is nothing that it could fetch. */
static void pvh_start(Machine *machine, MachineResetKind kind)
{
    PVHMachine *pvh = PVH_MACHINE(machine);
    X86CPU *cpu = machine->cpus->pdata[0];
    const PVHImage *image = &pvh->pc.kernel_image;

    if (image->pieces) {
        pvh_write(image, &machine->memory);
        x86_registers_flat(&cpu->registers, image->entry);
        cpu->registers.gpr[X86_RBX] = image->start_info;
    } else {
        cpu->waits_for_startup = cpu->halted = true;
    }
    accel_set_registers(cpu);
}

/* -- The board ---------------------------------------------------------------------- */

static bool pvh_build(Machine *machine, GError **error)
{
    PVHMachine *pvh = PVH_MACHINE(machine);
    PCMachine *pc = &pvh->pc;
    Chardev *debugcon = machine->config.debugcon;

    pvh->data = machine->type->data;
    pc->data = &pvh->data->board;
    pc->hpet = false;
    if (pvh->version > 1) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "pvh-version=%u: there are 1, and 0 without a memory map",
                    pvh->version);
        return false;
    }
    if (!pc_memory_init_ram_below(pc, pvh->data->gap_start, error)) {
        return false;
    }
    machine->isa = isa_bus_new(NULL, &machine->system_memory, &machine->system_io);
    if (!pc_init_irqchip(pc, error) || !pc_init_timers(pc, error) ||
        (pvh->data->has_i8042 &&
         !i8042_new(machine->isa, NULL /* no A20 gate */, error)) ||
        !isa_serial_new_each(machine->isa, machine->config.serial, MACHINE_SERIAL_PORTS,
                             error)) {
        return false;
    }
    return !debugcon || isa_debugcon_new(machine->isa, debugcon, error);
}

static const Property pvh_properties[] = {
    PROP_UINT32("pvh-version", PVHMachine, version, 1,
                "of hvm_start_info: 1, or 0 for a kernel that wants no memory map"),
    PROP_END,
};

static void pvh_machine_class_init(MachineClass *klass)
{
    klass->build = pvh_build;
    klass->complete = pvh_complete;
    klass->reset = NULL;
    klass->start = pvh_start;
    property_install_table(&klass->parent, pvh_properties);
}

MACHINE_DEFINE_TYPE(PVHMachine, pvh_machine, "pvh-machine", TYPE_PC_MACHINE)
