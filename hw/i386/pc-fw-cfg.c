/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/i386/pc-fw-cfg.h"

#include <string.h>

#include "firmware/e820.h"
#include "memory/region.h"

/* What KVM keeps for a guest on Intel's first virtualization: an identity page table and
 * three pages of task state, below the firmware's 16 MiB. */
#define KVM_PAGES_BASE 0xfeffc000
#define KVM_PAGES_SIZE KiB(16)

/* AMD I/O Virtualization (IOMMU) specification, table 3: the HyperTransport range, 12 GiB
 * below 1 TiB, which no device can reach as memory. */
#define AMD_HT_BASE UINT64_C(0xfd00000000)
#define AMD_HT_SIZE GiB(12)

/* The HPET table of key 0x8004: a count, then room for eight. */
typedef struct HPETEntry {
    uint32_t event_timer_block_id; /* the low half of the capabilities register */
    uint64_t address;
    uint16_t min_tick;
    uint8_t page_protection;
} __attribute__((packed)) HPETEntry;

typedef struct HPETTable {
    uint8_t count;
    HPETEntry entries[8];
} __attribute__((packed)) HPETTable;

#define HPET_NONE 0xff
#define HPET_BLOCK_ID                                                                    \
    0x8086a201 /* Intel, legacy replacement, 64 bits, 3 timers, revision 1 */
#define HPET_BASE 0xfed00000

static void add_hpet(FWCfg *cfg, bool hpet)
{
    HPETTable table = {.count = hpet ? 1 : HPET_NONE};

    if (hpet) {
        table.entries[0].event_timer_block_id = GUINT32_TO_LE(HPET_BLOCK_ID);
        table.entries[0].address = GUINT64_TO_LE(HPET_BASE);
    }
    fw_cfg_add_bytes(cfg, FW_CFG_HPET, &table, sizeof(table));
}

static void add_numbers(FWCfg *cfg, const PCFirmwareConfig *config)
{
    static const uint8_t no_uuid[16];
    g_autofree uint64_t *no_numa = g_new0(uint64_t, 1 + config->max_cpus);

    fw_cfg_add_bytes(cfg, FW_CFG_UUID, config->uuid ? config->uuid : no_uuid, 16);
    fw_cfg_add_i64(cfg, FW_CFG_RAM_SIZE, config->ram_size);
    fw_cfg_add_i16(cfg, FW_CFG_NOGRAPHIC, config->no_graphic);
    fw_cfg_add_i16(cfg, FW_CFG_NB_CPUS, config->cpus);
    fw_cfg_add_i16(cfg, FW_CFG_MAX_CPUS, config->max_cpus);
    fw_cfg_add_i16(cfg, FW_CFG_BOOT_MENU, config->boot_menu);
    fw_cfg_add_bytes(cfg, FW_CFG_NUMA, no_numa,
                     sizeof(uint64_t) * (1 + config->max_cpus));
    if (config->acpi_tables) {
        fw_cfg_add_bytes(cfg, FW_CFG_ACPI_TABLES, config->acpi_tables->data,
                         config->acpi_tables->len);
    } else {
        fw_cfg_add_i16(cfg, FW_CFG_ACPI_TABLES, 0);
    }
    fw_cfg_add_i32(cfg, FW_CFG_IRQ0_OVERRIDE, 1);
    add_hpet(cfg, config->hpet);
}

static GArray *make_e820(const PCFirmwareConfig *config)
{
    GArray *e820 = e820_table_new();

    if (config->kvm_pages) {
        e820_table_add(e820, KVM_PAGES_BASE, KVM_PAGES_SIZE, E820_RESERVED);
    }
    if (config->amd_ht_range) {
        e820_table_add(e820, AMD_HT_BASE, AMD_HT_SIZE, E820_RESERVED);
    }
    e820_table_add(e820, 0, config->ram_below_4g, E820_RAM);
    e820_table_add(e820, config->ram_above_4g_start, config->ram_above_4g, E820_RAM);
    return e820;
}

static bool add_bytes(FWCfg *cfg, const char *name, GBytes *bytes, GError **error)
{
    gsize length = 0;
    const void *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;

    return fw_cfg_add_file(cfg, name, data, length, error);
}

static bool add_boot_files(FWCfg *cfg, const PCFirmwareConfig *config, GError **error)
{
    uint32_t fail_wait = GUINT32_TO_LE((uint32_t)config->boot_fail_wait);
    uint16_t menu_wait = GUINT16_TO_LE((uint16_t)config->boot_menu_wait);
    const char *geometry = config->bios_geometry;

    return add_bytes(cfg, "bootorder", config->boot_order, error) &&
           fw_cfg_add_file(cfg, "etc/boot-fail-wait", &fail_wait, sizeof(fail_wait),
                           error) &&
           (config->boot_menu_wait < 0 ||
            fw_cfg_add_file(cfg, "etc/boot-menu-wait", &menu_wait, sizeof(menu_wait),
                            error)) &&
           (!geometry || fw_cfg_add_file(cfg, "bios-geometry", geometry,
                                         *geometry ? strlen(geometry) + 1 : 0, error));
}

/* One byte for each state from S0 to S5: bit 7 says that it exists, the low bits are what
 * PM1_CNT.SLP_TYP takes for it. */
static bool add_sleep_states(FWCfg *cfg, const PCFirmwareConfig *config, GError **error)
{
    uint8_t states[6] = {0x80, 0, 0, 1, 2, 0x80};

    states[3] |= config->disable_s3 ? 0 : 0x80;
    states[4] |= config->disable_s4 ? 0 : 0x80;
    return fw_cfg_add_file(cfg, "etc/system-states", states, sizeof(states), error);
}

static bool add_smbios(FWCfg *cfg, const PCFirmwareConfig *config, const GArray *e820,
                       GError **error)
{
    g_autoptr(GByteArray) tables = NULL;
    g_autoptr(GByteArray) anchor = NULL;
    SMBIOSInfo info = *config->smbios;

    info.ram_size = config->ram_size;
    info.e820 = e820;
    smbios_build(&info, &tables, &anchor);
    return fw_cfg_add_file(cfg, "etc/smbios/smbios-tables", tables->data, tables->len,
                           error) &&
           fw_cfg_add_file(cfg, "etc/smbios/smbios-anchor", anchor->data, anchor->len,
                           error);
}

bool pc_fw_cfg_add_option_rom(FWCfg *cfg, const char *name, GBytes *rom, bool in_ram,
                              GError **error)
{
    g_autofree char *file = g_strconcat("genroms/", name, NULL);
    g_autofree char *block_name = g_strconcat("/rom@", file, NULL);
    gsize length;
    const void *bytes = g_bytes_get_data(rom, &length);
    MemoryRegion *block;

    if (!in_ram) {
        return fw_cfg_add_file(cfg, file, bytes, length, error);
    }
    block = g_new0(MemoryRegion, 1); /* lives as long as the machine */
    if (!memory_region_init_ram(block, NULL, block_name, length, error)) {
        g_free(block);
        return false;
    }
    memcpy(memory_region_get_ram_ptr(block), bytes, length);
    return fw_cfg_add_file_callback(cfg, file, NULL, NULL, NULL,
                                    memory_region_get_ram_ptr(block), length, false,
                                    error);
}

bool pc_fw_cfg_populate(FWCfg *cfg, const PCFirmwareConfig *config, GError **error)
{
    g_autoptr(GArray) e820 = make_e820(config);
    uint64_t msr = GUINT64_TO_LE(config->msr_feature_control);

    add_numbers(cfg, config);
    return add_boot_files(cfg, config, error) &&
           (!config->smbios || add_smbios(cfg, config, e820, error)) &&
           fw_cfg_add_file(cfg, "etc/e820", e820->data, e820->len * sizeof(E820Entry),
                           error) &&
           (!config->kvmvapic ||
            pc_fw_cfg_add_option_rom(cfg, "kvmvapic.bin", config->kvmvapic,
                                     config->option_roms_in_ram, error)) &&
           (!config->sleep_states || add_sleep_states(cfg, config, error)) &&
           (!msr ||
            fw_cfg_add_file(cfg, "etc/msr_feature_control", &msr, sizeof(msr), error));
}
