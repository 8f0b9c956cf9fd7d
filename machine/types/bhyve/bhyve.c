/*
 * The board that bhyve gives a guest.
 *
 * usr.sbin/bhyve and sys/amd64/vmm: a pair of i8259s, local APICs and an I/O APIC, an
 * i8254, an MC146818, an HPET, a keyboard controller, up to four serial ports, PCI and
 * the reset control at 0xcf9. There is no A20 gate, no port 0x92, no DMA controller, and
 * nothing like PAM: memory below 1 MiB is memory throughout.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/bhyve/bhyve.h"

#include <gio/gio.h>

#include "hw/char/debugcon.h"
#include "hw/char/serial.h"
#include "hw/core/system.h"
#include "hw/input/pckbd.h"
#include "machine/plugin.h"

/* -- Reset control ------------------------------------------------------------------- */

/* amd64/pm.c, reset_handler(): accesses of one byte; each write with bit 2 set resets,
 * whatever it was before. */
#define RESET_CONTROL_PORT 0xcf9
#define RESET_CONTROL_RESET 0x04

typedef struct ResetControl {
    ISADevice parent;
    MemoryRegion region;
    uint8_t value;
} ResetControl;

GType bhyve_reset_control_get_type(void);
DEVICE_DEFINE_TYPE(ResetControl, bhyve_reset_control, "bhyve-reset-control",
                   TYPE_ISA_DEVICE)

static uint64_t reset_control_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((ResetControl *)opaque)->value;
}

static void reset_control_write(void *opaque, hwaddr offset, uint64_t value,
                                unsigned size)
{
    ((ResetControl *)opaque)->value = (uint8_t)value;
    if (value & RESET_CONTROL_RESET) {
        system_reset_request(SYSTEM_CAUSE_GUEST_RESET, "bhyve-reset-control");
    }
}

static const MemoryRegionOps reset_control_ops = {
    .read = reset_control_read,
    .write = reset_control_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 1},
};

static bool reset_control_realize(Device *dev, GError **error)
{
    ResetControl *control = (ResetControl *)dev;

    memory_region_init_io(&control->region, G_OBJECT(dev), &reset_control_ops, control,
                          "bhyve-reset-control", 1);
    memory_region_add_subregion_overlap(isa_device_bus(&control->parent)->io,
                                        RESET_CONTROL_PORT, &control->region,
                                        1); /* over a byte of PCI's address register */
    return true;
}

static void reset_control_reset(Device *dev)
{
    ((ResetControl *)dev)->value = 0;
}

static const VMStateDescription vmstate_reset_control = {
    .name = "bhyve-reset-control",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){VMSTATE_UINT8(value, ResetControl), VMSTATE_END_OF_LIST()},
};

static void bhyve_reset_control_class_init(DeviceClass *klass)
{
    klass->desc = "reset control of FreeBSD's bhyve";
    klass->vmsd = &vmstate_reset_control;
    klass->realize = reset_control_realize;
    klass->reset = reset_control_reset;
}

/* -- What happens at a start --------------------------------------------------------- */

static void bhyve_reset(Machine *machine, MachineResetKind kind)
{
    bhyve_memory_reset(BHYVE_MACHINE(machine));
}

/* amd64/bhyverun_machdep.c, bhyve_start_vcpu(): from a bootrom the processor starts as
 * its RESET# says. Without one, and without a kernel, there is nothing that it could
 * fetch. */
static void bhyve_start(Machine *machine, MachineResetKind kind)
{
    BhyveMachine *bhyve = BHYVE_MACHINE(machine);
    X86CPU *cpu = machine->cpus->pdata[0];

    bhyve_pci_place_bars(bhyve);
    if (bhyve->boot.pieces) {
        bhyve_kernel_start(bhyve);
    } else if (!bhyve->bootrom_image) {
        cpu->waits_for_startup = cpu->halted = true;
        accel_set_registers(cpu);
    }
}

/* -- Making it ----------------------------------------------------------------------- */

static bool bhyve_build(Machine *machine, GError **error)
{
    static const PCTypeData board = {.pci = true, .apics = true};
    BhyveMachine *bhyve = BHYVE_MACHINE(machine);
    PCMachine *pc = &bhyve->pc;
    Chardev *debugcon = machine->config.debugcon;

    if (machine->config.parallel[0]) {
        return refuse_argument(error, "-parallel: bhyve's machine has no parallel port");
    }
    pc->data = &board;
    if (!bhyve_memory_init(bhyve, error) || !bhyve_pci_init(bhyve, error)) {
        return false;
    }
    machine->isa = isa_bus_new(NULL, &machine->system_memory, &machine->system_io);
    return pc_init_irqchip(pc, error) && pc_init_timers(pc, error) &&
           i8042_new(machine->isa, NULL /* no A20 gate */, error) &&
           device_create(bhyve_reset_control_get_type(), &machine->isa->parent, error) &&
           isa_serial_new_each(machine->isa, machine->config.serial, MACHINE_SERIAL_PORTS,
                               error) &&
           (!debugcon || isa_debugcon_new(machine->isa, debugcon, error));
}

/* All memory is there now, devices' too, and nothing has run. */
static bool bhyve_complete(Machine *machine, GError **error)
{
    BhyveMachine *bhyve = BHYVE_MACHINE(machine);

    bhyve_memory_write_cmos(bhyve);
    return bhyve_pci_check_bars(bhyve, error) && bhyve_kernel_init(bhyve, error) &&
           (!bhyve->wired || bhyve_memory_wire(error));
}

static const Property bhyve_properties[] = {
    PROP_SIZE("lowmem-limit", BhyveMachine, lowmem_limit, BHYVE_HOLE_START,
              "memory beyond it is above 4 GiB"),
    PROP_BOOL("wired", BhyveMachine, wired, false,
              "all guest memory is pinned in the host's before the guest starts"),
    PROP_STRING("bootrom", BhyveMachine, bootrom_name, NULL,
                "the image that the guest starts from, as -bios"),
    PROP_END,
};

static void bhyve_machine_class_init(MachineClass *klass)
{
    property_install_table(&klass->parent, bhyve_properties);
    klass->build = bhyve_build;
    klass->complete = bhyve_complete;
    klass->reset = bhyve_reset;
    klass->start = bhyve_start;
}

MACHINE_DEFINE_TYPE(BhyveMachine, bhyve_machine, "bhyve-machine", TYPE_PC_MACHINE)

static const MachineReboot reboots[] = {
    {"bios", "unsupported", "bhyve's kernels are started without one"},
    {"triple", "shutdown",
     "bhyve ends with status 3, and vmrun.sh starts it anew only after status 0"},
    {"port92", "hung", "bhyve has nothing at port 0x92"},
    {"ctrl-alt-del", "unsupported", "what the keys do is firmware's or a system's"},
    {"s3", "unsupported", "bhyve's own knows S5 alone"},
    {NULL},
};

/* bhyverun_machdep.c, bhyve_init_config(): 256 MiB. */
static const MachineType types[] = {
    {.name = "bhyve",
     .desc = "guest of FreeBSD's bhyve",
     .default_ram = MiB(256),
     .no_default_devices = true,
     .get_type = bhyve_machine_get_type,
     .reboot_kernel = "reboot-kernel.elf",
     .reboots = reboots,
     .takes_environment = true,
     .ends_on_triple_fault = true},
    {NULL},
};

static const DeviceTypeEntry devices[] = {
    {"bhyve-hostbridge", bhyve_host_bridge_get_type},
    {"bhyve-lpc", bhyve_lpc_get_type},
    {"bhyve-reset-control", bhyve_reset_control_get_type},
    {"bhyve-fbuf", bhyve_fbuf_get_type},
    {NULL},
};

MACHINE_PLUGIN(.name = "bhyve", .machines = types, .devices = devices);
