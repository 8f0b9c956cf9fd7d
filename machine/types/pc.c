/*
 * A PC board: which devices it has, in which order, and how they are wired.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pc.h"

#include <string.h>

#include "firmware/loader.h"
#include "hw/acpi/piix4-pm.h"
#include "hw/block/fdc.h"
#include "hw/char/debugcon.h"
#include "hw/char/parallel.h"
#include "hw/char/serial.h"
#include "hw/display/igd-stub.h"
#include "hw/display/vga-pci.h"
#include "hw/dma/i8257.h"
#include "hw/i386/vmport.h"
#include "hw/ide/ide-bus.h"
#include "hw/input/pckbd.h"
#include "hw/input/vmmouse.h"
#include "hw/isa/piix3.h"
#include "hw/isa/port92.h"
#include "hw/misc/ioport80.h"
#include "hw/misc/pvpanic.h"
#include "machine/run-state.h"

/* -- Wires ------------------------------------------------------------------------------- */

/* A20 passes when any of its sources lets it (the keyboard controller, port 92). */
static void set_a20(void *opaque, int source, int level)
{
    PCMachine *pc = opaque;
    GPtrArray *cpus = pc->parent.cpus;

    pc->a20_sources =
        (uint8_t)((pc->a20_sources & ~(1u << source)) | (unsigned)(level != 0) << source);
    for (guint i = 0; i < cpus->len; i++) {
        x86_cpu_set_a20(cpus->pdata[i], pc->a20_sources != 0);
    }
}

enum { A20_I8042, A20_PORT92, A20_SOURCES };

/* -- Devices ------------------------------------------------------------------------------ */

static bool make_parallel_ports(PCMachine *pc, GError **error)
{
    for (unsigned i = 0; i < MACHINE_PARALLEL_PORTS; i++) {
        Chardev *chardev = pc->parent.config.parallel[i];

        if (chardev && !isa_parallel_new(pc->parent.isa, i, chardev, error)) {
            return false;
        }
    }
    return true;
}

/* ISA has no expansion ROM bus: the firmware gets the VGA's BIOS from fw_cfg. */
static bool make_isa_vga(Machine *machine, GError **error)
{
    g_autoptr(GBytes) bios =
        firmware_load("vgabios.bin", NULL, &firmware_rules_option_rom, error);

    return bios && device_create(TYPE_ISA_VGA, &machine->isa->parent, error) &&
           fw_cfg_add_file(machine->fw_cfg, "vgaroms/vgabios.bin",
                           g_bytes_get_data(bios, NULL), g_bytes_get_size(bios), error);
}

static bool make_vga(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;
    const char *vga = machine->config.vga;

    if (!vga || strcmp(vga, "none") == 0) {
        return true;
    }
    return machine->pci
               ? device_create(TYPE_VGA_PCI, &machine->pci->parent, error) != NULL
               : make_isa_vga(machine, error);
}

static bool make_vmport(PCMachine *pc, GError **error)
{
    const MachineConfig *config = &pc->parent.config;
    VMPortFacts facts = {.current_cpu = x86_cpu_current, .ram_size = config->ram_size};
    VMPort *vmport;

    if (config->uuid && !pc_parse_uuid(config->uuid, facts.uuid, error)) {
        return false;
    }
    vmport = vmport_new(pc->parent.isa, &facts, error);
    return vmport && vmmouse_new(pc->parent.isa, vmport, error);
}

static bool make_superio(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;
    ISABus *isa = machine->isa;
    Chardev *debugcon = machine->config.debugcon;
    Device *port92;

    pc->fdc = isa_fdc_new(isa, error);
    if (!pc->fdc) {
        return false;
    }
    pc->a20 = irq_new_array(set_a20, pc, 0, A20_SOURCES);
    if (!i8042_new(isa, &pc->a20[A20_I8042], error)) {
        return false;
    }
    if (pc->vmport && !make_vmport(pc, error)) {
        return false;
    }
    port92 = device_create(TYPE_PORT92, &isa->parent, error);
    if (!port92) {
        return false;
    }
    device_connect_gpio_out_named(port92, "a20", 0, &pc->a20[A20_PORT92]);
    ioport80_map(&machine->system_io);
    ioport_f0_map(&machine->system_io, NULL, NULL);
    return isa_serial_new_each(pc->parent.isa, pc->parent.config.serial,
                               MACHINE_SERIAL_PORTS, error) &&
           make_parallel_ports(pc, error) &&
           (!debugcon || isa_debugcon_new(isa, debugcon, error));
}

static bool make_firmware_config(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;

    machine->fw_cfg = fw_cfg_new_io(&machine->system_io, &machine->memory, error);
    return machine->fw_cfg != NULL;
}

/* The north and south bridges, or the bare ISA bus. */
static bool make_chipset(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;
    PIIX3 *piix3;

    if (!pc->data->pci) {
        machine->isa = isa_bus_new(NULL, &machine->system_memory, &machine->system_io);
        return pc_memory_init_firmware(pc, &machine->system_memory, error);
    }
    pc->i440fx = i440fx_new(&machine->system_memory, &machine->system_io, pc->below_4g,
                            pc->above_4g, &machine->ram, error);
    if (!pc->i440fx) {
        return false;
    }
    machine->pci = pc->i440fx->host->bus;
    for (guint i = 0; i < machine->cpus->len; i++) {
        x86_cpu_show_smram(machine->cpus->pdata[i], &pc->i440fx->smram);
    }
    if (!pc_memory_init_firmware(pc, &pc->i440fx->host->memory, error)) {
        return false;
    }
    piix3 = piix3_new(machine->pci, error);
    if (!piix3) {
        return false;
    }
    machine->isa = piix3->isa;
    return true;
}

/* The two IDE channels of a board without PCI, at the AT's ports and IRQs. */
static bool make_isa_ide(ISABus *isa, GError **error)
{
    static const struct {
        const char *iobase, *iobase2, *irq;
    } channels[] = {{"0x1f0", "0x3f6", "14"}, {"0x170", "0x376", "15"}};

    for (size_t i = 0; i < G_N_ELEMENTS(channels); i++) {
        Device *dev = device_new(TYPE_ISA_IDE, error);

        if (!dev ||
            !property_set_string(G_OBJECT(dev), "iobase", channels[i].iobase, error) ||
            !property_set_string(G_OBJECT(dev), "iobase2", channels[i].iobase2, error) ||
            !property_set_string(G_OBJECT(dev), "irq", channels[i].irq, error) ||
            !device_realize(dev, &isa->parent, error)) {
            return false;
        }
    }
    return true;
}

static PCIDevice *new_pci_function(GType type, PCIBus *pci, const char *addr,
                                   GError **error)
{
    Device *dev = device_new(type, error);

    return dev && property_set_string(G_OBJECT(dev), "addr", addr, error) &&
                   device_realize(dev, &pci->parent, error)
               ? PCI_DEVICE(dev)
               : NULL;
}

/* Why the processor comes out of reset: what SeaBIOS takes for "resume, do not start". */
#define CMOS_SHUTDOWN_STATUS 0x0f
#define CMOS_SHUTDOWN_S3 0xfe

/* The power button, and the reason of a wake-up from S3, are the PIIX4's to report. */
static void tell_power_management(RunEvent event, SystemCause cause, const char *text,
                                  void *opaque)
{
    PCMachine *pc = opaque;

    if (event == RUN_EVENT_POWERDOWN) {
        piix4_pm_power_button(pc->pm);
    } else if (event == RUN_EVENT_SUSPEND) {
        rtc_set_memory(pc->rtc, CMOS_SHUTDOWN_STATUS, CMOS_SHUTDOWN_S3);
    } else if (event == RUN_EVENT_WAKEUP) {
        acpi_pm_wake(&pc->pm->acpi, 0);
    }
}

static bool make_disk_and_power(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;
    bool smm = strcmp(pc->smm, "on") == 0;

    if (!machine->pci) {
        return make_isa_ide(machine->isa, error);
    }
    if (!new_pci_function(TYPE_PIIX3_IDE, machine->pci, "1.1", error)) {
        return false;
    }
    if (pc->acpi) {
        pc->pm = piix4_pm_new(machine->pci, &machine->isa->irqs[PIIX4_SCI_ISA_IRQ],
                              machine->config.cpus, smm, error);
    }
    if (pc->pm) {
        run_state_add_handler(tell_power_management, pc);
    }
    return pc->pm || !pc->acpi;
}

static bool attach_drives(GError **error)
{
    IDEBus *bus;

    for (unsigned i = 0; (bus = ide_bus_find(i)) != NULL; i++) {
        if (!ide_bus_attach_drives(bus, error)) {
            return false;
        }
    }
    return true;
}

static bool pc_build(Machine *machine, GError **error)
{
    PCMachine *pc = PC_MACHINE(machine);

    pc->data = machine->type->data;
    if (pc->data->pci && !kvmvapic_new(&machine->system_io, &machine->system_memory,
                                       &machine->ram, error)) {
        return false;
    }
    if (!pc_memory_init_ram(pc, error) || !make_chipset(pc, error) ||
        !i8257_new_pair(machine->isa, &machine->memory, error) ||
        !pc_init_irqchip(pc, error) || !make_firmware_config(pc, error) ||
        !make_vga(pc, error)) {
        return false;
    }
    return pc_init_timers(pc, error) && make_superio(pc, error) &&
           make_disk_and_power(pc, error) && attach_drives(error);
}

static bool tell_pvpanic_port(Machine *machine, GError **error)
{
    uint16_t port = GUINT16_TO_LE(pvpanic_port());

    return !port || fw_cfg_add_file(machine->fw_cfg, "etc/pvpanic-port", &port,
                                    sizeof(port), error);
}

/* What depends on the devices that the user has added. */
static bool pc_complete(Machine *machine, GError **error)
{
    PCMachine *pc = PC_MACHINE(machine);

    pc_cmos_init(pc);
    return pc_firmware_config_init(pc, error) && tell_pvpanic_port(machine, error) &&
           igd_stub_add_files(machine->fw_cfg, error);
}

static void pc_reset(Machine *machine, MachineResetKind kind)
{
    PCMachine *pc = PC_MACHINE(machine);

    if (kind == MACHINE_RESET_COLD) {
        pc_memory_reset(pc);
        if (pc->kernel_image.pieces) {
            pvh_write(&pc->kernel_image, &machine->memory);
        }
    }
    if (pc->powered_on && machine->config.boot_once) {
        pc_cmos_set_boot_order(pc, machine->config.boot_order);
        g_clear_pointer(&machine->config.boot_once, g_free);
    }
    pc->powered_on = true;
}

static const Property pc_properties[] = {
    PROP_BOOL("acpi", PCMachine, acpi, true, "ACPI power management"),
    PROP_BOOL("hpet", PCMachine, hpet, true, "high precision event timer"),
    PROP_BOOL("vmport", PCMachine, vmport, true, "the VMware backdoor port"),
    PROP_BOOL("fd-bootchk", PCMachine, fd_bootchk, true,
              "firmware checks a floppy's boot signature"),
    PROP_STRING("smm", PCMachine, smm, "auto", "system management mode: on, off, auto"),
    PROP_STRING("pflash0", PCMachine, flash_drive[0], NULL,
                "the id of the drive that is the first flash chip: firmware's code"),
    PROP_STRING("pflash1", PCMachine, flash_drive[1], NULL,
                "the same of the second: firmware's variables"),
    PROP_STRING("x-oem-id", PCMachine, oem_id, NULL,
                "OEM's name in the ACPI tables, up to 6 characters"),
    PROP_STRING("x-oem-table-id", PCMachine, oem_table_id, NULL,
                "OEM's name of the ACPI tables, up to 8 characters"),
    PROP_SIZE("max-ram-below-4g", PCMachine, max_ram_below_4g, 0,
              "where the PCI hole starts at the latest; 0: the type's rule"),
    PROP_END,
};

static void pc_machine_class_init(MachineClass *klass)
{
    klass->build = pc_build;
    klass->complete = pc_complete;
    klass->reset = pc_reset;
    property_install_table(&klass->parent, pc_properties);
}

MACHINE_DEFINE_TYPE(PCMachine, pc_machine, "pc-machine", TYPE_MACHINE)
