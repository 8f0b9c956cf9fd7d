/*
 * The device types that -device, -global and QMP know by name.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/acpi/piix4-pm.h"
#include "hw/acpi/smbus.h"
#include "hw/acpi/vmgenid.h"
#include "hw/block/fdc.h"
#include "hw/block/pflash-cfi01.h"
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
#include "hw/intc/apic.h"
#include "hw/intc/i8259.h"
#include "hw/intc/ioapic.h"
#include "hw/isa/piix3.h"
#include "hw/isa/port92.h"
#include "hw/misc/debugexit.h"
#include "hw/misc/edu.h"
#include "hw/misc/ib700.h"
#include "hw/misc/pc-testdev.h"
#include "hw/misc/pvpanic.h"
#include "hw/nvram/fw-cfg.h"
#include "hw/timer/hpet.h"
#include "hw/timer/i8254.h"
#include "hw/timer/pcspk.h"
#include "machine/accel/kvm-irqchip.h"
#include "machine/types/pc.h"

static const DeviceTypeEntry devices[] = {
    {"i440FX-pcihost", pci_host_get_type},
    {"i440FX", i440fx_get_type},
    {"PIIX3", piix3_get_type},
    {"PIIX4_PM", piix4_pm_get_type},
    {"piix3-ide", piix3_ide_get_type},
    {"isa-ide", isa_ide_get_type},
    {"ide-hd", ide_hd_get_type},
    {"ide-cd", ide_cd_get_type},
    {"fw_cfg_io", fw_cfg_get_type},
    {"apic", apic_get_type},
    {"ioapic", ioapic_get_type},
    {"kvm-i8259", kvm_i8259_get_type},
    {"kvm-ioapic", kvm_ioapic_get_type},
    {"kvm-pit", kvm_pit_get_type},
    {"kvmclock", kvm_clock_get_type},
    {"hpet", hpet_get_type},
    {"isa-i8259", i8259_get_type},
    {"isa-pit", i8254_get_type},
    {"isa-pcspk", pcspk_get_type},
    {"mc146818rtc", mc146818_rtc_get_type},
    {"i8042", i8042_get_type},
    {"port92", port92_get_type},
    {"isa-serial", isa_serial_get_type},
    {"isa-parallel", isa_parallel_get_type},
    {"isa-fdc", isa_fdc_get_type},
    {"floppy", floppy_get_type},
    {"cfi.pflash01", pflash_cfi01_get_type},
    {"VGA", vga_pci_get_type},
    {"isa-vga", isa_vga_get_type},
    {"igd-stub", igd_stub_get_type},
    {"i8257", i8257_get_type},
    {"vmport", vmport_get_type},
    {"vmmouse", vmmouse_get_type},
    {"kvmvapic", kvmvapic_get_type},
    {"isa-debugcon", isa_debugcon_get_type},
    {"isa-debug-exit", isa_debug_exit_get_type},
    {"pvpanic", pvpanic_get_type},
    {"ib700", ib700_get_type},
    {"pc-testdev", pc_testdev_get_type},
    {"edu", edu_get_type},
    {"smbus-eeprom", smbus_eeprom_get_type},
    {"vmgenid", vmgenid_get_type},
    {"qemu64-x86_64-cpu", x86_cpu_get_type},
    {NULL, NULL},
};

void machine_devices_register(void)
{
    device_types_add(devices);
}
