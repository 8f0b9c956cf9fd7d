/*
 * The board that vmd gives a guest: which devices it has, and its releases.
 *
 * x86_vm.c, init_emulated_hw(): an i8253, an mc146818, a pair of i8259s, COM1, PCI by
 * ports 0xcf8 and 0xcfc, and fw_cfg. There is no keyboard controller, no reset control at
 * 0xcf9, no DMA controller and no local APIC: a guest reboots by a triple fault.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/vmd/vmd.h"

#include <gio/gio.h>

#include "hw/char/debugcon.h"
#include "hw/char/serial.h"
#include "hw/ide/ide-bus.h"
#include "machine/plugin.h"

/* -- What happens at a start ----------------------------------------------------- */

static void vmd_reset(Machine *machine, MachineResetKind kind)
{
    vmd_memory_reset(VMD_MACHINE(machine));
}

/* x86_vm.c, vcpu_init_flat16: the processor does not start at the reset vector below 4
 * GiB but in the copy below 1 MiB, f000:fff0 with the base that real mode would give it.
 */
static void vmd_start(Machine *machine, MachineResetKind kind)
{
    GPtrArray *cpus = machine->cpus;

    vmd_pci_place_bars(VMD_MACHINE(machine));
    for (guint i = 0; i < cpus->len; i++) {
        X86CPU *cpu = cpus->pdata[i];

        cpu->registers.segment[X86_CS].base = 0xf0000;
        accel_set_registers(cpu);
    }
}

/* -- Making it ----------------------------------------------------------------------- */

static bool check_ports(const MachineConfig *config, GError **error)
{
    for (unsigned i = 1; i < MACHINE_SERIAL_PORTS; i++) {
        if (config->serial[i]) {
            g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                                "-serial: vmd's machine has one serial port");
            return false;
        }
    }
    if (config->parallel[0]) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                            "-parallel: vmd's machine has no parallel port");
        return false;
    }
    return true;
}

static void note_ide(BlockBackend *drive, void *opaque)
{
    bool *wanted = opaque;

    *wanted |= g_strcmp0(drive_options(drive)->interface, "ide") == 0;
}

/* vmd's disks are virtio; until that is here, disks of -drive if=ide (the default, which
 * `umbra reboot` uses) get the controller that a PC has. Without such disks it is not
 * there. */
static bool make_disks(Machine *machine, GError **error)
{
    bool wanted = false;
    Device *ide;

    drive_foreach(note_ide, &wanted);
    if (!wanted) {
        return true;
    }
    ide = device_new(TYPE_PIIX3_IDE, error);
    return ide && property_set_string(G_OBJECT(ide), "addr", "1.0", error) &&
           device_realize(ide, &machine->pci->parent, error) &&
           ide_bus_attach_drives(ide_bus_find(0), error) &&
           ide_bus_attach_drives(ide_bus_find(1), error);
}

/* fw_cfg.c: item NOGRAPHIC is 1, and the messages do not go to the screen as well. That the
 * console is serial and that nobody waits for a key are compiled into vmm-firmware; SeaBIOS
 * wants to be told. */
static bool make_firmware_config(VMDMachine *vmd, GError **error)
{
    Machine *machine = &vmd->pc.parent;
    const uint32_t screen_and_debug = 0;
    const uint16_t serial_console = GUINT16_TO_LE(0x3f8);
    const uint8_t boot_menu = machine->config.boot_menu;

    machine->fw_cfg = fw_cfg_new_io(&machine->system_io, &machine->memory, error);
    if (!machine->fw_cfg) {
        return false;
    }
    fw_cfg_add_i16(machine->fw_cfg, FW_CFG_NOGRAPHIC, 1);
    return fw_cfg_add_file(machine->fw_cfg, "etc/screen-and-debug", &screen_and_debug,
                           sizeof(screen_and_debug), error) &&
           fw_cfg_add_file(machine->fw_cfg, "etc/sercon-port", &serial_console,
                           sizeof(serial_console), error) &&
           fw_cfg_add_file(machine->fw_cfg, "etc/show-boot-menu", &boot_menu,
                           sizeof(boot_menu), error);
}

static bool vmd_build(Machine *machine, GError **error)
{
    static const PCTypeData no_chipset;
    VMDMachine *vmd = VMD_MACHINE(machine);
    Chardev *debugcon = machine->config.debugcon;

    vmd->release = machine->type->data;
    vmd->pc.data = &no_chipset;
    vmd->pc.hpet = false;
    if (!check_ports(&machine->config, error) || !vmd_memory_init(vmd, error) ||
        !vmd_pci_init(vmd, error)) {
        return false;
    }
    vmd_memory_stop_at_holes(vmd);
    machine->isa = isa_bus_new(NULL, &machine->system_memory, &machine->system_io);
    return pc_init_irqchip(&vmd->pc, error) && make_firmware_config(vmd, error) &&
           pc_init_timers(&vmd->pc, error) &&
           isa_serial_new(machine->isa, 0, machine->config.serial[0], error) &&
           (!debugcon || isa_debugcon_new(machine->isa, debugcon, error)) &&
           make_disks(machine, error);
}

static bool vmd_complete(Machine *machine, GError **error)
{
    VMDMachine *vmd = VMD_MACHINE(machine);

    vmd_memory_write_cmos(vmd);
    return vmd_pci_check_bars(vmd, error);
}

static const Property vmd_properties[] = {
    PROP_BOOL("apic-page", VMDMachine, apic_page, true,
              "a page of ones where SeaBIOS looks for a local APIC, unlike vmd"),
    PROP_END,
};

static void vmd_machine_class_init(MachineClass *klass)
{
    property_install_table(&klass->parent, vmd_properties);
    klass->build = vmd_build;
    klass->complete = vmd_complete;
    klass->reset = vmd_reset;
    klass->start = vmd_start;
}

MACHINE_DEFINE_TYPE(VMDMachine, vmd_machine, "vmd-machine", TYPE_PC_MACHINE)

/* -- The releases -------------------------------------------------------------------- */

/* vmmvar.h r1.73: the hole reached up to 4 GiB. */
static const VMDRelease release_7_0 = {
    .number = "7.0",
    .hole_last = UINT64_C(0xffffffff),
    .bios_max = MiB(1),
    .bios_low = MiB(1),
    .ram_max = GiB(32),
};

/* vm.c of 7.1: "2nd copy of BIOS above MMIO ending at 4GB". */
static const VMDRelease release_7_1 = {
    .number = "7.1",
    .hole_last = UINT64_C(0xffdfffff),
    .bios_area = MiB(2),
    .bios_max = MiB(1),
    .bios_low = MiB(1),
    .ram_max = GiB(32),
};

/* x86_vm.c r1.2 (7.6): images of up to 4 MiB, of which 384 KiB go below 1 MiB. */
static const VMDRelease release_7_6 = {
    .number = "7.6",
    .hole_last = UINT64_C(0xffbfffff),
    .bios_area = MiB(4),
    .bios_max = MiB(4),
    .bios_low = MiB(1) - VMD_LOW_RAM,
    .ram_max = GiB(128),
};

/* vmm(4) hides the local APIC from its guests. */
static const MachineCompat compat[] = {{"qemu64-x86_64-cpu", "apic", "off"}, {NULL}};

#define NO_KEYBOARD                                                                      \
    {"kbd", "hung", "vmd has no keyboard controller: nobody answers at port 0x64"},      \
    {                                                                                    \
        "ctrl-alt-del", "unsupported", "vmd emulates none"                                    \
    }
#define NO_RESET_CONTROL                                                                 \
    {"pci", "hung", "vmd has no reset control: nobody answers at port 0xcf9"},           \
        {"port92", "hung", "vmd has nothing at port 0x92"},                              \
    {                                                                                    \
        "s3", "hung", "vmd has no ACPI, so there is no S3"                               \
    }

static const MachineReboot reboots[] = {NO_KEYBOARD, NO_RESET_CONTROL, {NULL}};

static const MachineReboot reboots_7_0[] = {
    {"bios", "fault",
     "so it went on OpenBSD 7.0, whose vmd loaded the BIOS below 1 MiB alone"},
    NO_KEYBOARD,
    NO_RESET_CONTROL,
    {NULL},
};

/* vmd.conf(5): a guest has 512 MiB where its configuration does not say. */
static const MachineType types[] = {
    {.name = "vmd-7.6",
     .alias = "vmd",
     .desc = "guest of vmd, OpenBSD 7.6 and later",
     .default_ram = MiB(512),
     .no_default_devices = true,
     .max_cpus = 1, /* vm.conf(5) knows no number */
     .get_type = vmd_machine_get_type,
     .compat = compat,
     .data = &release_7_6,
     .reboots = reboots},
    {.name = "vmd-7.1",
     .desc = "guest of vmd, OpenBSD 7.1 to 7.5",
     .default_ram = MiB(512),
     .no_default_devices = true,
     .max_cpus = 1, /* vm.conf(5) knows no number */
     .get_type = vmd_machine_get_type,
     .compat = compat,
     .data = &release_7_1,
     .reboots = reboots},
    {.name = "vmd-7.0",
     .desc = "guest of vmd, OpenBSD 7.0 and before",
     .default_ram = MiB(512),
     .no_default_devices = true,
     .max_cpus = 1, /* vm.conf(5) knows no number */
     .get_type = vmd_machine_get_type,
     .compat = compat,
     .data = &release_7_0,
     .reboots = reboots_7_0},
    {NULL},
};

static const DeviceTypeEntry devices[] = {
    {"openbsd-pchb", vmd_host_bridge_get_type},
    {NULL},
};

MACHINE_PLUGIN(.name = "vmd", .machines = types, .devices = devices);
