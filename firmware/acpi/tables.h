/*
 * ACPI: the tables that describe a PC to its operating system, as QEMU hands them to the
 * firmware (ACPI specification 1.0b; the section numbers in the code are those of 2.0).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef FIRMWARE_ACPI_TABLES_H
#define FIRMWARE_ACPI_TABLES_H

#include "firmware/acpi/linker.h"

#define ACPI_ISA_PORTS_MAX 4 /* serial ports; as many parallel ones */
#define ACPI_PROCESSORS_MAX 255

/* A serial or parallel port. */
typedef struct ACPIPort {
    uint16_t iobase; /* 0: none */
    uint8_t irq;
} ACPIPort;

/* What the tables are made from. Strings stay the caller's. */
typedef struct ACPIFacts {
    const char *oem_id, *oem_table_id; /* up to 6 and 8 letters; NULL: QEMU's */

    unsigned cpus, max_cpus; /* present, and possible: local APIC IDs 0, 1, ... */

    uint16_t pm_base; /* the PM1 blocks and the timer are at +0, +4 and +8 */
    bool smi;         /* APM commands at port 0xb2 switch ACPI mode on and off */
    bool s3, s4;      /* supported */
    uint8_t s4_type;  /* what SLP_TYP takes for S4 */

    hwaddr hole32, hole32_last; /* what of guest memory goes to PCI, below 4 GiB */
    hwaddr hole64, hole64_last; /* and above; hole64_last 0: nothing */
    unsigned root_uid;          /* the host bridge's _UID */
    uint8_t fw_cfg_ports;       /* 12 with the DMA register, else 2 */
    bool legacy_cpu_hotplug;    /* processors are asked for by the bitmap */
    bool long_rsdp;             /* its file is of 36 bytes, as if it were ACPI 2.0's */
    uint32_t display_slots;     /* those with a VGA */
    uint32_t slots;             /* of the root bus: those to describe, a bit each */
    uint32_t removable_slots;   /* those of them that can be plugged and unplugged */

    const GByteArray *user_tables; /* as acpi_user_table_add() makes it, or NULL */
    bool vmgenid; /* fw_cfg has its files (QEMU's docs/specs/vmgenid) */
    bool hpet, i8042, floppy;
    uint8_t floppy_types[2]; /* CMOS drive types; 0: none */
    ACPIPort serial[ACPI_ISA_PORTS_MAX], parallel[ACPI_ISA_PORTS_MAX];
} ACPIFacts;

/* Makes the contents of the three fw_cfg files; addresses in them are offsets until the
 * firmware has run the script. Free with g_byte_array_unref(). *code_size: how many bytes
 * of the tables are the DSDT. */
void acpi_build(const ACPIFacts *facts, GByteArray **tables, GByteArray **rsdp,
                GByteArray **script, guint *code_size);

/* Appends the differentiated system description's AML, without a table header. */
void acpi_dsdt_append(const ACPIFacts *facts, GByteArray *aml);

#endif
