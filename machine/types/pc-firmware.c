/*
 * What a PC tells its firmware through fw_cfg, from the machine's configuration.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pc.h"

#include <cpuid.h>
#include <gio/gio.h>
#include <string.h>

#include "firmware/boot-order.h"
#include "firmware/loader.h"
#include "firmware/acpi/user-table.h"
#include "hw/i386/pc-acpi.h"
#include "hw/i386/pc-fw-cfg.h"
#include "machine/accel/cpuid.h"

bool pc_parse_uuid(const char *text, uint8_t bytes[16], GError **error)
{
    return parse_uuid(text, bytes) ||
           refuse_argument(error,
                           "-uuid %s: not a UUID; write 8-4-4-4-12 hexadecimal digits", text);
}

/* The ROM that patches old Windows' task priority accesses; QEMU's PCs with an APIC have
 * it. A machine does without where it is not installed. */
static GBytes *load_kvmvapic(const Machine *machine)
{
    return machine->pci ? firmware_load("kvmvapic.bin", machine->config.data_dirs,
                                        &firmware_rules_option_rom, NULL)
                        : NULL;
}

/* Whether the guest sees a processor of AMD's: KVM shows the host's vendor, and the model
 * "qemu64" of the software CPU is AMD's. (isapc's 486 cannot address that far.) */
static bool guest_is_amd(bool kvm)
{
    unsigned eax, ebx, ecx, edx;

    return !kvm || (__get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx == signature_AMD_ebx &&
                    edx == signature_AMD_edx && ecx == signature_AMD_ecx);
}

static bool add_acpi_tables(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;

    return acpi_tables_add(machine->fw_cfg,
                           &(ACPIConfig){
                               .pci = machine->pci,
                               .isa = machine->isa,
                               .pm = pc->pm,
                               .memory = &machine->memory,
                               .ram_below_4g = pc->below_4g,
                               .ram_above_4g_end = GiB(4) + pc->above_4g,
                               .cpus = machine->config.cpus,
                               .max_cpus = machine->config.max_cpus,
                               .hpet = pc->hpet,
                               .fw_cfg_dma = fw_cfg_has_dma(machine->fw_cfg),
                               .root_uid = pc->data->root_uid_1,
                               .no_empty_hole64 = pc->data->no_empty_hole64,
                               .legacy_cpu_hotplug = pc->data->legacy_cpu_hotplug,
                               .oem_id = pc->oem_id,
                               .oem_table_id = pc->oem_table_id,
                               .user_tables = pc->user_tables,
                               .plain_rsdp = pc->data->plain_rsdp,
                               .legacy_code_size = !pc->data->small_acpi_tables  ? 0
                                                   : pc->data->smaller_acpi_code ? 6414
                                                                                 : 6652,
                           },
                           error);
}

static bool check_oem_names(const PCMachine *pc, GError **error)
{
    if (pc->oem_id && strlen(pc->oem_id) > 6) {
        return refuse_argument(error, "-machine: x-oem-id '%s' is longer than 6 characters",
                               pc->oem_id);
    }
    return !pc->oem_table_id || strlen(pc->oem_table_id) <= 8 ||
           refuse_argument(error,
                           "-machine: x-oem-table-id '%s' is longer than 8 characters",
                           pc->oem_table_id);
}

/* -acpitable: kept as long as the machine, as the tables are made anew at each reset. */
static bool read_user_tables(PCMachine *pc, GError **error)
{
    const GPtrArray *options = pc->parent.config.acpi_tables;

    for (guint i = 0; options && i < options->len; i++) {
        const char *text = options->pdata[i];

        pc->user_tables = pc->user_tables ? pc->user_tables : g_byte_array_new();
        if (!acpi_user_table_add(pc->user_tables, text, error)) {
            g_prefix_error(error, "-acpitable %s: ", text);
            return false;
        }
    }
    return true;
}

static void describe_processors(const PCMachine *pc, SMBIOSInfo *smbios)
{
    unsigned cpus = pc->parent.config.max_cpus;
    uint32_t values[CPUID_REGISTERS];

    smbios->processor.sockets = pc->data->prefers_sockets ? cpus : 1;
    smbios->processor.cores = pc->data->prefers_sockets ? 1 : cpus;
    if (cpuid_model(1, pc->parent.cpus->pdata[0], values)) {
        smbios->processor.cpuid_eax = values[CPUID_EAX];
        smbios->processor.cpuid_edx = values[CPUID_EDX];
    }
}

/* Before firmware was given tables, it was given fields to put into its own: a count,
 * then for each its length, kind (0: a field), table type, offset in it, and the bytes.
 */
static void append_smbios_field(GByteArray *out, uint8_t type, uint16_t offset,
                                const void *data, size_t data_length)
{
    uint16_t length = GUINT16_TO_LE((uint16_t)(6 + data_length));
    uint16_t count = GUINT16_FROM_LE(*(uint16_t *)out->data) + 1;
    uint8_t kind_and_type[2] = {0, type};

    *(uint16_t *)out->data = GUINT16_TO_LE(count);
    offset = GUINT16_TO_LE(offset);
    g_byte_array_append(out, (uint8_t *)&length, sizeof(length));
    g_byte_array_append(out, kind_and_type, sizeof(kind_and_type));
    g_byte_array_append(out, (uint8_t *)&offset, sizeof(offset));
    g_byte_array_append(out, data, (guint)data_length);
}

/* The system's manufacturer, product, version and UUID (DMTF DSP0134, table of type 1);
 * no item where there is nothing to say. */
static void add_smbios_fields(FWCfg *cfg, const SMBIOSInfo *smbios, bool strings)
{
    g_autoptr(GByteArray) fields = g_byte_array_new();
    const char *texts[] = {smbios->system.manufacturer, smbios->system.product,
                           smbios->system.version};

    g_byte_array_append(fields, (const uint8_t[]){0, 0}, 2);
    for (uint16_t i = 0; strings && i < G_N_ELEMENTS(texts); i++) {
        append_smbios_field(fields, 1, 4 + i, texts[i], strlen(texts[i]) + 1);
    }
    if (smbios->system.uuid) {
        append_smbios_field(fields, 1, 8, smbios->system.uuid, 16);
    }
    if (fields->len > 2) {
        fw_cfg_add_bytes(cfg, FW_CFG_SMBIOS_ENTRIES, fields->data, fields->len);
    }
}

static GBytes *make_boot_order(PCMachine *pc, GError **error)
{
    BootOrder *order = boot_order_new();
    GBytes *bytes =
        pc_kernel_init(pc, order, error) && pc_boot_order_add_devices(order, error)
            ? boot_order_to_bytes(order, pc->parent.config.boot_strict)
            : NULL;

    boot_order_free(order);
    return bytes;
}

bool pc_firmware_config_init(PCMachine *pc, GError **error)
{
    Machine *machine = &pc->parent;
    const MachineConfig *config = &machine->config;
    bool kvm = strcmp(accel_name(machine->accel), "kvm") == 0;
    g_autoptr(GBytes) boot_order = NULL;
    g_autofree char *geometry = pc_bios_geometry();
    g_autoptr(GBytes) kvmvapic = load_kvmvapic(machine);
    SMBIOSInfo smbios;
    uint8_t uuid[16] = {0};

    boot_order = make_boot_order(pc, error);
    if (!boot_order) {
        return false;
    }
    if (config->uuid && !pc_parse_uuid(config->uuid, uuid, error)) {
        return false;
    }
    smbios_info_init(&smbios, machine->type->desc, machine->type->name);
    smbios.system.uuid = config->uuid ? uuid : NULL;
    smbios.system.uuid_big_endian = pc->data->uuid_big_endian;
    describe_processors(pc, &smbios);
    if (!pc_smbios_apply(&smbios, config->smbios, error)) {
        return false;
    }
    if (pc->data->no_smbios_tables) {
        add_smbios_fields(machine->fw_cfg, &smbios, !pc->data->no_smbios_defaults);
    }
    if (!check_oem_names(pc, error) || !read_user_tables(pc, error)) {
        return false;
    }
    return (!pc->pm || pc->data->no_acpi_tables || add_acpi_tables(pc, error)) &&
           pc_fw_cfg_populate(
               machine->fw_cfg,
               &(PCFirmwareConfig){
                   .ram_size = config->ram_size,
                   .ram_below_4g = pc->below_4g,
                   .ram_above_4g = pc->above_4g,
                   .ram_above_4g_start = GiB(4),
                   .kvm_pages = kvm,
                   .amd_ht_range = !pc->data->no_amd_ht_range && guest_is_amd(kvm),
                   .cpus = config->cpus,
                   .max_cpus = config->max_cpus,
                   .uuid = config->uuid ? uuid : NULL,
                   .no_graphic = !config->graphics,
                   .boot_menu = config->boot_menu,
                   .boot_menu_wait = config->boot_menu_ms,
                   .boot_fail_wait = config->boot_wait_ms,
                   .boot_order = boot_order,
                   .bios_geometry = pc->data->no_bios_geometry ? NULL : geometry,
                   .acpi_tables = pc->user_tables,
                   .hpet = pc->hpet && machine->pci,
                   .sleep_states = pc->pm != NULL,
                   .disable_s3 = pc->pm && pc->pm->disable_s3,
                   .disable_s4 = pc->pm && pc->pm->disable_s4,
                   .kvmvapic = kvmvapic,
                   .option_roms_in_ram = pc->data->option_roms_in_ram,
                   .smbios = machine->pci && !pc->data->no_smbios_tables ? &smbios : NULL,
               },
               error);
}
