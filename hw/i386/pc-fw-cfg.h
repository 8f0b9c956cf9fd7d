/*
 * What a PC tells its firmware through fw_cfg: the items and files of QEMU 7.2's pc and
 * isapc, from one structure of facts. ACPI's files are not among them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_I386_PC_FW_CFG_H
#define HW_I386_PC_FW_CFG_H

#include "firmware/smbios.h"
#include "hw/nvram/fw-cfg.h"

/* Strings and bytes stay the caller's; nothing is kept after pc_fw_cfg_populate(). */
typedef struct PCFirmwareConfig {
    uint64_t ram_size;         /* bytes, all of it */
    uint64_t ram_below_4g;     /* bytes from guest address 0 on */
    uint64_t ram_above_4g;     /* bytes */
    hwaddr ram_above_4g_start; /* where they start: 4 GiB, or 1 TiB */
    bool kvm_pages;            /* KVM on Intel and AMD: its four pages at 0xfeffc000 */
    bool amd_ht_range;         /* AMD's CPUID and 40 or more address bits: the range at
                                  0xfd00000000 (machine types from 7.1 on) */
    unsigned cpus;             /* at start */
    unsigned max_cpus;         /* APIC IDs that there can be */
    const uint8_t *uuid;       /* 16 bytes, or NULL */
    bool no_graphic;           /* -nographic */

    bool boot_menu;            /* -boot menu=on */
    int boot_menu_wait;        /* -boot splash-time: ms, or -1: not given */
    int32_t boot_fail_wait;    /* -boot reboot-timeout: ms, or -1: do not reboot */
    GBytes *boot_order;        /* boot_order_to_bytes(), or NULL: empty */
    const char *bios_geometry; /* "PATH CYLS HEADS SECS" lines, "" for none, or NULL:
                                  no such file (machine types up to 2.5) */

    const GByteArray *acpi_tables; /* the user's (acpi_user_table_add()), or NULL */
    bool hpet;
    bool sleep_states;            /* the machine has ACPI power management */
    bool disable_s3, disable_s4;  /* PIIX4_PM.disable_s3, .disable_s4 */
    uint64_t msr_feature_control; /* IA32_FEATURE_CONTROL for the firmware to set, or 0 */
    GBytes *kvmvapic;             /* the option ROM, or NULL */
    bool option_roms_in_ram;      /* as pc_fw_cfg_add_option_rom() has it */
    const SMBIOSInfo *smbios; /* NULL: no tables; ram_size and e820 are filled in here */
} PCFirmwareConfig;

/* Adds every item and file. False and *error where the files do not fit into the slots.
 */
bool pc_fw_cfg_populate(FWCfg *cfg, const PCFirmwareConfig *config, GError **error);

/* Adds "genroms/NAME" for the firmware to run; `in_ram`: its bytes are a RAM block of their
 * own, "/rom@genroms/NAME", which a migration stream carries. False and *error where the
 * host has no memory or fw_cfg no slot. */
bool pc_fw_cfg_add_option_rom(FWCfg *cfg, const char *name, GBytes *rom, bool in_ram,
                              GError **error);

#endif
