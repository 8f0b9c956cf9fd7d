/*
 * The PC machines: an i440FX and PIIX3/4 board ("pc-i440fx-*") and one without PCI
 * ("isapc"), in QEMU's layout.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef MACHINE_TYPES_PC_H
#define MACHINE_TYPES_PC_H

#include "firmware/pvh.h"
#include "firmware/smbios.h"
#include "firmware/boot-order.h"
#include "hw/acpi/piix4-pm.h"
#include "hw/intc/apic.h"
#include "hw/intc/ioapic.h"
#include "hw/pci/i440fx.h"
#include "hw/timer/hpet.h"
#include "hw/timer/mc146818rtc.h"
#include "machine/machine.h"

/* Where option ROMs and the BIOS lie in the first megabyte. */
#define PC_ROM_BASE 0xc0000
#define PC_ROM_SIZE KiB(128)
#define PC_ISA_BIOS_MAX KiB(128)

#define PC_FLASHES 2 /* the firmware's code, and its variables */

/* ISA IRQs first; the rest reaches the I/O APIC alone. */
#define PC_GSIS 24

/* What distinguishes the types of this class. All false: the newest PCI board. */
typedef struct PCTypeData {
    bool pci;                /* i440FX and PIIX, or an ISA board */
    bool apics;              /* beside the 8259A pair */
    bool no_rtc;             /* the board has no MC146818 */
    bool firmware_writable;  /* the ROM sockets are RAM (isapc) */
    bool bios_128k;        /* -bios' default fits 128 KiB */
    bool small_hole;       /* RAM reaches up to 3.5 GiB even where more is above 4 GiB */
    bool no_amd_ht_range;  /* e820 does not reserve HyperTransport's range */
    bool prefers_sockets;  /* -smp N: N sockets of one core, or one of N cores */
    bool no_bios_geometry; /* fw_cfg has no file of that name */
    bool uuid_big_endian;  /* in SMBIOS */
    bool root_uid_1;       /* in ACPI, the host bridge's _UID; else 0 */
    bool no_empty_hole64;  /* ACPI gives PCI nothing above 4 GiB where no BAR is there */
    bool legacy_cpu_hotplug; /* ACPI asks for processors by a bitmap */
    bool plain_rsdp;         /* of 36 bytes, in no RAM block */
    bool option_roms_in_ram; /* each in a RAM block, so that it migrates */
    bool small_acpi_tables;  /* in files of a few pages, ... */
    bool smaller_acpi_code;  /* ... counted with the code of 1.7's time */
    bool no_smbios_tables;   /* firmware makes them, from single fields in fw_cfg */
    bool no_smbios_defaults; /* not even those */
    bool no_acpi_tables;     /* firmware makes them */
    bool no_pvh;             /* -kernel takes no ELF file by its PHYS32_ENTRY note */
} PCTypeData;

typedef struct PCMachine {
    Machine parent;
    const PCTypeData *data;

    bool acpi, hpet, smbus, i8042, vmport, fd_bootchk;
    char *smm;
    char *oem_id, *oem_table_id; /* of the ACPI tables; NULL: QEMU's */
    GByteArray *user_tables; /* -acpitable's; NULL: none */
    char *flash_drive[PC_FLASHES]; /* what is in the flash chips, by id; NULL: no chip */
    bool rom_over_ram; /* no PAM: writable ROM blocks hide the RAM at 0xc0000-0xfffff */
    bool reload_firmware; /* each reset writes the firmware anew, as of a writable ROM */
    uint64_t max_ram_below_4g;   /* 0: the type's own rule */
    uint64_t below_4g, above_4g; /* bytes of RAM */

    MemoryRegion ram_below, ram_above;
    MemoryRegion rom, bios, isa_bios;
    GBytes *firmware_image; /* what resets write into pc.bios; NULL where they do not */
    PVHImage kernel_image;  /* -kernel of PVH, in RAM at each start; no pieces: none */
    I440FX *i440fx;         /* NULL without PCI */
    MC146818RTC *rtc;
    Device *fdc;    /* NULL: the board has none */
    IRQ *gsis;      /* PC_GSIS: the interrupt controllers' inputs as ACPI numbers them */
    IRQ *pic_lines; /* 16 of the 8259A pair; NULL where KVM has it */
    APICBus *apics; /* NULL: the board has none, or KVM has them */
    IOAPIC *ioapic; /* likewise */
    HPET *hpet_device;   /* NULL: none */
    PIIX4PM *pm;         /* NULL: without PCI, or acpi=off */
    bool powered_on;     /* the first reset, which power-on is, has been */
    uint8_t a20_sources; /* who lets address line 20 pass: a bit each; wired-or */
    IRQ *a20;
} PCMachine;

GType pc_machine_get_type(void);
#define TYPE_PC_MACHINE (pc_machine_get_type())
#define PC_MACHINE(object)                                                               \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_PC_MACHINE, PCMachine))

/* The table of types for machine_types_add(). */
const MachineType *pc_machine_types(void);

/* -- pc-interrupts.c -- */

/* The controllers, KVM's or our own, with pc->gsis and the ISA bus's lines as their
 * inputs. */
bool pc_init_irqchip(PCMachine *pc, GError **error);

/* HPET, RTC, PIT and speaker; after the controllers. */
bool pc_init_timers(PCMachine *pc, GError **error);

/* -- pc-memory.c -- */

/* Makes the RAM and shows it in system memory: up to guest address `limit`, the rest from
 * 4 GiB on. */
bool pc_memory_init_ram_below(PCMachine *pc, uint64_t limit, GError **error);

/* The same around the hole that the type and max-ram-below-4g leave. */
bool pc_memory_init_ram(PCMachine *pc, GError **error);

/* Shows pc.rom and the firmware in `rom_memory` (the PCI hole, or system memory where
 * there is no PCI): pc.bios ends at 4 GiB, and isa-bios, its last 128 KiB, at 1 MiB. */
bool pc_memory_init_firmware(PCMachine *pc, MemoryRegion *rom_memory, GError **error);

/* -- pc-flash.c: firmware in flash chips instead of a ROM. -- */

/* Settles pc->flash_drive from -drive if=pflash. */
bool pc_flash_configure(PCMachine *pc, GError **error);
/* Makes the chips that end at 4 GiB, and isa-bios in `rom_memory`. */
bool pc_flash_init(PCMachine *pc, MemoryRegion *rom_memory, GError **error);

/* A reset of the whole machine: firmware that the guest could write starts anew, as if
 * from its chip (QEMU restores ROM images likewise). */
void pc_memory_reset(PCMachine *pc);

/* -- pc-firmware.c and pc-smbios.c -- */

/* RFC 4122's text to its 16 bytes; *error names -uuid. */
bool pc_parse_uuid(const char *text, uint8_t bytes[16], GError **error);

/* Adds what -smbios says: `options` are its arguments, or NULL. */
bool pc_smbios_apply(SMBIOSInfo *info, const GPtrArray *options, GError **error);

/* -- pc-cmos.c: the bytes that firmware reads the machine's size from. -- */
void pc_cmos_init(PCMachine *pc);
/* The first three devices that firmware is to boot from, as letters of -boot order=. */
void pc_cmos_set_boot_order(PCMachine *pc, const char *order);

/* -- pc-firmware.c: the same and more through fw_cfg; after all devices are there. -- */
bool pc_firmware_config_init(PCMachine *pc, GError **error);

/* -- pc-kernel.c: -kernel and -option-rom. Kernels come first in the boot order. -- */
bool pc_kernel_init(PCMachine *pc, BootOrder *order, GError **error);

/* -- pc-boot-order.c: the devices with a bootindex. -- */
/* "PATH CYLINDERS HEADS SECTORS" lines of disks with lcyls=, lheads=, lsecs=; free it. */
char *pc_bios_geometry(void);
bool pc_boot_order_add_devices(BootOrder *order, GError **error);

/* -- device-list.c: what -device knows. -- */
void machine_devices_register(void);

#endif
