/*
 * The PC types and what each changes against the newer ones: one row a difference.
 *
 * A machine type is a promise that a guest finds the machine that it was installed on.
 * What a version of QEMU changed, the types of all versions before it keep: a row says up
 * to which version, and holds for that type and all older ones. Of rows that set the same
 * thing the oldest that applies wins.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/types/pc.h"
#include "machine/types/rhel6.h"

#define VERSION(major, minor) ((major)*100u + (minor))

/* -- Settings of devices --------------------------------------------------------- */

#define CPU "qemu64-x86_64-cpu"
#define OLD_CPU_NAME "QEMU Virtual CPU version "

typedef struct DeviceDifference {
    unsigned up_to;
    MachineCompat setting;
} DeviceDifference;

/* Newest first. */
static const DeviceDifference device_differences[] = {
    {VERSION(6, 2), {"PIIX4_PM", "x-not-migrate-acpi-index", "on"}},
    {VERSION(6, 0), {CPU, "family", "6"}},
    {VERSION(6, 0), {CPU, "model", "6"}},
    {VERSION(6, 0), {CPU, "stepping", "3"}},
    {VERSION(6, 0), {"i8042", "extended-state", "off"}},
    {VERSION(5, 2), {"PIIX4_PM", "smm-compat", "on"}},
    {VERSION(5, 0), {"i440FX-pcihost", "x-config-reg-migration-enabled", "off"}},
    {VERSION(5, 0), {"vmport", "x-read-set-eax", "off"}},
    {VERSION(5, 0), {"vmport", "x-signal-unsupported-cmd", "off"}},
    {VERSION(5, 0), {"vmport", "x-report-vmx-type", "off"}},
    {VERSION(5, 0), {"vmport", "x-cmds-v2", "off"}},
    {VERSION(4, 2), {"fw_cfg_io", "acpi-mr-restore", "off"}},
    {VERSION(4, 0), {"VGA", "edid", "off"}},
    {VERSION(3, 1), {"PIIX4_PM", "x-migrate-smbus", "off"}},
    {VERSION(2, 12), {"VGA", "global-vmstate", "on"}},
    {VERSION(2, 11), {"hpet", "hpet-offset-saved", "off"}},
    {VERSION(2, 8), {"fw_cfg_io", "x-file-slots", "16"}},
    {VERSION(2, 7), {"isa-pcspk", "migrate", "off"}},
    {VERSION(2, 7), {"ioapic", "version", "17"}}, /* without an EOI register */
    {VERSION(2, 5), {"fw_cfg_io", "x-legacy-order", "on"}},
    {VERSION(2, 5), {"isa-fdc", "fallback", "144"}},
    {VERSION(2, 4), {"fw_cfg_io", "dma_enabled", "off"}},
    {VERSION(2, 4), {CPU, "model-id", OLD_CPU_NAME "2.4.0"}},
    {VERSION(2, 4), {"ide-hd", "ver", "2.4.0"}},
    {VERSION(2, 4), {"ide-cd", "ver", "2.4.0"}},
    {VERSION(2, 3), {"migration", "send-configuration", "off"}},
    {VERSION(2, 3), {"migration", "send-section-footer", "off"}},
    {VERSION(2, 3), {"migration", "store-global-state", "off"}},
    {VERSION(2, 3), {CPU, "min-level", "4"}},
    {VERSION(2, 3), {CPU, "model-id", OLD_CPU_NAME "2.3.0"}},
    {VERSION(2, 3), {"ide-hd", "ver", "2.3.0"}},
    {VERSION(2, 3), {"ide-cd", "ver", "2.3.0"}},
    {VERSION(2, 2), {"migration", "suppress-vmdesc", "on"}},
    {VERSION(2, 2), {CPU, "model-id", OLD_CPU_NAME "2.2.0"}},
    {VERSION(2, 2), {"ide-hd", "ver", "2.2.0"}},
    {VERSION(2, 2), {"ide-cd", "ver", "2.2.0"}},
    {VERSION(2, 1), {"VGA", "qemu-extended-regs", "off"}},
    {VERSION(2, 1), {CPU, "model-id", OLD_CPU_NAME "2.1.0"}},
    {VERSION(2, 1), {"ide-hd", "ver", "2.1.0"}},
    {VERSION(2, 1), {"ide-cd", "ver", "2.1.0"}},
    {VERSION(2, 0), {"PIIX4_PM", "memory-hotplug-support", "off"}},
    {VERSION(2, 0), {CPU, "model-id", OLD_CPU_NAME "2.0.0"}},
    {VERSION(2, 0), {"ide-hd", "ver", "2.0.0"}},
    {VERSION(2, 0), {"ide-cd", "ver", "2.0.0"}},
    {VERSION(1, 7), {"PIIX4_PM", "acpi-pci-hotplug-with-bridge-support", "off"}},
    {VERSION(1, 7), {"migration", "suppress-vmdesc", "off"}}, /* so QEMU 7.2 has it */
    {VERSION(1, 7), {CPU, "model-id", OLD_CPU_NAME "1.7.0"}},
    {VERSION(1, 7), {"ide-hd", "ver", "1.7.0"}},
    {VERSION(1, 7), {"ide-cd", "ver", "1.7.0"}},
    {VERSION(1, 6), {"i440FX-pcihost", "short_root_bus", "on"}},
    {VERSION(1, 6), {CPU, "model", "2"}},
    {VERSION(1, 6), {CPU, "model-id", OLD_CPU_NAME "1.6.0"}},
    {VERSION(1, 6), {"ide-hd", "ver", "1.6.0"}},
    {VERSION(1, 6), {"ide-cd", "ver", "1.6.0"}},
    {VERSION(1, 5), {"i440FX-pcihost", "short_root_bus", "off"}},
    {VERSION(1, 5), {CPU, "model-id", OLD_CPU_NAME "1.5.0"}},
    {VERSION(1, 5), {"ide-hd", "ver", "1.5.0"}},
    {VERSION(1, 5), {"ide-cd", "ver", "1.5.0"}},
    {VERSION(1, 4), {CPU, "model-id", OLD_CPU_NAME "1.4.0"}},
    {VERSION(1, 4), {"ide-hd", "ver", "1.4.0"}},
    {VERSION(1, 4), {"ide-cd", "ver", "1.4.0"}},
};

/* -- Facts of the board ---------------------------------------------------------- */

typedef struct BoardDifference {
    unsigned up_to;
    size_t fact; /* a bool of PCTypeData that is true */
    unsigned since;
} BoardDifference;

#define FACT(name) offsetof(PCTypeData, name)

static const BoardDifference board_differences[] = {
    {VERSION(5, 1), FACT(root_uid_1)},         {VERSION(2, 10), FACT(no_empty_hole64)},
    {VERSION(2, 6), FACT(legacy_cpu_hotplug)}, {VERSION(2, 2), FACT(plain_rsdp)},
    {VERSION(2, 0), FACT(small_acpi_tables)},  {VERSION(1, 7), FACT(smaller_acpi_code)},
    {VERSION(7, 0), FACT(no_amd_ht_range)},    {VERSION(6, 1), FACT(prefers_sockets)},
    {VERSION(2, 5), FACT(no_bios_geometry)},   {VERSION(2, 1), FACT(uuid_big_endian)},
    {VERSION(2, 0), FACT(no_smbios_tables)},   {VERSION(1, 7), FACT(bios_128k)},
    {VERSION(1, 7), FACT(no_smbios_defaults)}, {VERSION(1, 7), FACT(small_hole)},
    {VERSION(1, 6), FACT(no_acpi_tables)},     {VERSION(3, 1), FACT(no_pvh)},
    {VERSION(1, 7), FACT(option_roms_in_ram), .since = VERSION(1, 7)},
};

/* -- The types ------------------------------------------------------------------- */

#define OLD "old and unattended - use a newer version instead"

typedef struct Version {
    const char *name;
    unsigned number;
    const char *deprecated;
    const char *desc;        /* NULL: a standard PC */
    GType (*get_type)(void); /* NULL: PCMachine */
} Version;

#define PC(major, minor)                                                                 \
    {                                                                                    \
        .name = "pc-i440fx-" #major "." #minor, .number = VERSION(major, minor)          \
    }
#define PC_DEPRECATED(major, minor)                                                      \
    {                                                                                    \
        .name = "pc-i440fx-" #major "." #minor, .number = VERSION(major, minor),         \
        .deprecated = OLD                                                                \
    }

static const Version versions[] = {
    PC(7, 2),
    PC(7, 1),
    PC(7, 0),
    PC(6, 2),
    PC(6, 1),
    PC(6, 0),
    PC(5, 2),
    PC(5, 1),
    PC(5, 0),
    PC(4, 2),
    PC(4, 1),
    PC(4, 0),
    PC(3, 1),
    PC(3, 0),
    PC(2, 12),
    PC(2, 11),
    PC(2, 10),
    PC(2, 9),
    PC(2, 8),
    PC(2, 7),
    PC(2, 6),
    PC(2, 5),
    PC(2, 4),
    PC(2, 3),
    PC(2, 2),
    PC(2, 1),
    PC(2, 0),
    PC_DEPRECATED(1, 7),
    PC_DEPRECATED(1, 6),
    PC_DEPRECATED(1, 5),
    PC_DEPRECATED(1, 4),
    {
        .name = "rhel6.5.0",
        .number = VERSION(1, 4), /* of 0.12's age: no row here is older */
        .desc = "RHEL 6.5.0 PC, as RHEL 7 and (emulator=rhel6) RHEL 6 provide it",
        .get_type = rhel6_machine_get_type,
    },
};

/* One row each of the versions, isapc, and the end. */
#define TYPES (G_N_ELEMENTS(versions) + 2)

static const PCTypeData isapc_data = {.bios_128k = true,
                                      .firmware_writable = true,
                                      .no_amd_ht_range = true,
                                      .small_hole = true};

static const MachineReboot isapc_reboots[] = {
    {"pci", "hung", "the board has no PCI bridge, so nobody answers at port 0xcf9"},
    {"s3", "hung", "the board has no ACPI, so there is no S3"},
    {NULL},
};

static const MachineType isapc = {
    .name = "isapc",
    .desc = "ISA-only PC",
    .default_ram = MiB(128),
    .get_type = pc_machine_get_type,
    .default_cpu = "486",
    .max_cpus = 1,
    .reboots = isapc_reboots,
    .data = &isapc_data,
};

static MachineType make_type(const Version *version)
{
    PCTypeData *data = g_new0(PCTypeData, 1);
    MachineCompat *compat = g_new0(MachineCompat, G_N_ELEMENTS(device_differences) + 1);
    size_t n = 0;

    data->pci = data->apics = true;
    for (size_t i = 0; i < G_N_ELEMENTS(board_differences); i++) {
        if (version->number <= board_differences[i].up_to &&
            version->number >= board_differences[i].since) {
            G_STRUCT_MEMBER(bool, data, board_differences[i].fact) = true;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(device_differences); i++) {
        if (version->number <= device_differences[i].up_to) {
            compat[n++] = device_differences[i].setting;
        }
    }
    return (MachineType){
        .name = version->name,
        .desc = version->desc ? version->desc : "Standard PC (i440FX + PIIX, 1996)",
        .default_ram = MiB(128),
        .get_type = version->get_type ? version->get_type : pc_machine_get_type,
        .compat = compat,
        .data = data,
        .deprecated = version->deprecated,
    };
}

const MachineType *pc_machine_types(void)
{
    static MachineType types[TYPES];

    if (!types[0].name) {
        for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
            types[i] = make_type(&versions[i]);
        }
        types[0].alias = "pc";
        types[0].is_default = true;
        types[G_N_ELEMENTS(versions)] = isapc;
    }
    return types;
}
