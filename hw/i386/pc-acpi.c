/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/i386/pc-acpi.h"

#include <string.h>

#include "firmware/acpi/tables.h"
#include "hw/core/vmstate.h"
#include "hw/acpi/vmgenid.h"
#include "hw/block/fdc.h"
#include "hw/pci/pci-regs.h"

#define ROUND_UP(n, step) (((n) + (step)-1) / (step) * (step))

#define IO_APIC_BASE UINT64_C(0xfec00000)
#define HOLE64_SIZE GiB(2)
#define HOLE64_ALIGNMENT GiB(1)

#define CLASS_VGA 0x0300

#define PMBASE 0x40 /* 82371AB, section 7.2.1 */
#define PMBASE_MASK 0xffc0

/* Files grow in steps, so that a small difference between two versions does not change
 * the sizes that a migration stream names. */
typedef struct FileRow {
    const char *name;
    size_t step; /* 0: as long as its contents */
    uint64_t used, max;
} FileRow;

/* In the order of their RAM blocks. */
enum { FILE_TABLES, FILE_LOADER, FILE_RSDP, FILES };

static const FileRow file_rows[FILES] = {
    [FILE_TABLES] = {ACPI_FILE_TABLES, KiB(128), KiB(128), MiB(2)},
    [FILE_LOADER] = {ACPI_FILE_LOADER, KiB(4), KiB(4), KiB(64)},
    [FILE_RSDP] = {ACPI_FILE_RSDP, 0, KiB(4), KiB(4)},
};

typedef struct PCACPI {
    ACPIConfig config;
    MemoryRegion blocks[FILES];
    uint8_t *contents[FILES]; /* host addresses, of the blocks but for a plain RSDP */
    size_t lengths[FILES];    /* as the firmware sees them */
    uint64_t used[FILES];     /* bytes of the blocks */
    bool patched; /* the firmware has taken the tables: they stay until a reset */
} PCACPI;

/* -- Facts ------------------------------------------------------------------------ */

/* 64-bit BARs above 4 GiB, and 2 GiB from the end of RAM on where there are none. */
static void find_hole64(const ACPIConfig *config, ACPIFacts *facts)
{
    hwaddr first = UINT64_MAX, last = 0;

    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(config->pci->devices); devfn++) {
        const PCIDevice *dev = config->pci->devices[devfn];

        for (unsigned n = 0; dev && n < PCI_BARS; n++) {
            const PCIBar *bar = &dev->bars[n];

            if (bar->region && bar->address != PCI_BAR_UNMAPPED &&
                bar->address >= GiB(4)) {
                first = MIN(first, bar->address);
                last = MAX(last, bar->address + bar->size - 1);
            }
        }
    }
    if (!last && config->no_empty_hole64) {
        return;
    }
    facts->hole64 = last ? first : ROUND_UP(config->ram_above_4g_end, HOLE64_ALIGNMENT);
    facts->hole64_last =
        MAX(last, ROUND_UP(facts->hole64 + HOLE64_SIZE, HOLE64_ALIGNMENT) - 1);
}

static void find_slots(const ACPIConfig *config, ACPIFacts *facts)
{
    if (config->pm->pci_hotplug_root) {
        facts->removable_slots = acpi_pci_hotplug_removable_slots(config->pci);
    }
    facts->slots = facts->removable_slots;
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(config->pci->devices); devfn++) {
        const PCIDevice *dev = config->pci->devices[devfn];

        if (dev) {
            uint32_t slot = UINT32_C(1) << PCI_SLOT(devfn);

            facts->slots |= slot;
            facts->display_slots |=
                pci_get_word(dev->config + PCI_CLASS_DEVICE) == CLASS_VGA ? slot : 0;
        }
    }
}

static void add_port(Device *dev, ACPIPort ports[ACPI_ISA_PORTS_MAX],
                     const uint16_t *places, size_t n)
{
    guint64 iobase = 0, irq = 0;

    g_object_get(dev, "iobase", &iobase, "irq", &irq, NULL);
    for (size_t i = 0; i < n; i++) {
        if (iobase == places[i]) {
            ports[i] = (ACPIPort){(uint16_t)iobase, (uint8_t)(irq % ISA_IRQS)};
        }
    }
}

static void find_isa_devices(const ACPIConfig *config, ACPIFacts *facts)
{
    static const uint16_t serial[ACPI_ISA_PORTS_MAX] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    static const uint16_t parallel[] = {0x378, 0x278, 0x3bc};
    const GPtrArray *devices = config->isa->parent.children;

    for (guint i = 0; i < devices->len; i++) {
        Device *dev = devices->pdata[i];
        const char *type = G_OBJECT_TYPE_NAME(dev);

        if (!strcmp(type, "i8042")) {
            facts->i8042 = true;
        } else if (!strcmp(type, "isa-fdc")) {
            uint8_t types = isa_fdc_cmos_types(dev);

            facts->floppy = true;
            facts->floppy_types[0] = types >> 4;
            facts->floppy_types[1] = types & 0xf;
        } else if (!strcmp(type, "isa-serial")) {
            add_port(dev, facts->serial, serial, G_N_ELEMENTS(serial));
        } else if (!strcmp(type, "isa-parallel")) {
            add_port(dev, facts->parallel, parallel, G_N_ELEMENTS(parallel));
        }
    }
}

static void find_facts(const ACPIConfig *config, ACPIFacts *facts)
{
    const PIIX4PM *pm = config->pm;

    *facts = (ACPIFacts){
        .user_tables = config->user_tables,
        .oem_id = config->oem_id,
        .oem_table_id = config->oem_table_id,
        .cpus = config->cpus,
        .max_cpus = config->max_cpus,
        .pm_base = pci_get_word(pm->parent.config + PMBASE) & PMBASE_MASK,
        .smi = pm->smm_enabled || pm->smm_compat,
        .s3 = !pm->disable_s3,
        .s4 = !pm->disable_s4,
        .s4_type = pm->s4_val,
        .hole32 = config->ram_below_4g,
        .hole32_last = IO_APIC_BASE - 1,
        .vmgenid = vmgenid_find() != NULL,
        .hpet = config->hpet,
        .root_uid = config->root_uid,
        .fw_cfg_ports = config->fw_cfg_dma ? 12 : 2,
        .legacy_cpu_hotplug = config->legacy_cpu_hotplug,
        .long_rsdp = config->plain_rsdp,
    };
    find_hole64(config, facts);
    find_slots(config, facts);
    find_isa_devices(config, facts);
}

/* -- Files ------------------------------------------------------------------------ */

/* How long the firmware sees a file. Types up to 2.0 promise the sizes of their own
 * time's tables, in which the code had a fixed size and 97 bytes a processor. */
static size_t file_length(const PCACPI *acpi, unsigned file, size_t length,
                          size_t code_size)
{
    const ACPIConfig *config = &acpi->config;

    if (file == FILE_TABLES && config->legacy_code_size) {
        length += config->legacy_code_size + 97 * config->max_cpus - code_size;
        return ROUND_UP(length, KiB(4));
    }
    return file_rows[file].step ? ROUND_UP(length, file_rows[file].step) : length;
}

static guint build(const PCACPI *acpi, GByteArray *files[FILES])
{
    ACPIFacts facts;
    guint code_size;

    find_facts(&acpi->config, &facts);
    acpi_build(&facts, &files[FILE_TABLES], &files[FILE_RSDP], &files[FILE_LOADER],
               &code_size);
    return code_size;
}

/* Into their blocks, whose lengths stay: 128 KiB hold the tables of 255 processors and 32
 * slots several times over. What is beyond a file is left alone, so that a machine that
 * starts does not touch the pages there. */
static void fill_blocks(PCACPI *acpi, GByteArray *files[FILES])
{
    for (unsigned i = 0; i < FILES; i++) {
        memcpy(acpi->contents[i], files[i]->data, MIN(files[i]->len, acpi->used[i]));
    }
}

static void drop(GByteArray *files[FILES])
{
    for (unsigned i = 0; i < FILES; i++) {
        g_byte_array_unref(files[i]);
    }
}

static void rebuild(PCACPI *acpi)
{
    GByteArray *files[FILES];

    build(acpi, files);
    for (unsigned i = 0; i < FILES; i++) {
        memset(acpi->contents[i], 0, acpi->used[i]);
    }
    fill_blocks(acpi, files);
    drop(files);
}

/* The firmware reaches for a file. A guest that came from elsewhere has the source's. */
static void select_file(void *opaque)
{
    PCACPI *acpi = opaque;

    if (!acpi->patched) {
        rebuild(acpi);
        acpi->patched = true;
    }
}

static void reset(void *opaque)
{
    ((PCACPI *)opaque)->patched = false;
}

static const VMStateDescription vmstate_acpi_build = {
    .name = "acpi_build",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(patched, PCACPI, "patched", uint8),
            VMSTATE_END_OF_LIST(),
        },
};

static bool add_blocks(PCACPI *acpi, GByteArray *files[FILES], guint code_size,
                       GError **error)
{
    for (unsigned i = 0; i < FILES; i++) {
        const FileRow *row = &file_rows[i];
        g_autofree char *name = g_strconcat("/rom@", row->name, NULL);

        acpi->lengths[i] = file_length(acpi, i, MIN(files[i]->len, row->used), code_size);
        acpi->used[i] = MIN(row->used, ROUND_UP(acpi->lengths[i], KiB(4)));
        if (i == FILE_RSDP && acpi->config.plain_rsdp) {
            acpi->contents[i] = g_malloc0(row->max);
            continue;
        }
        if (!memory_region_init_resizeable_ram(&acpi->blocks[i], NULL, name,
                                               acpi->used[i], row->max, NULL, error)) {
            return false;
        }
        acpi->contents[i] = memory_region_get_ram_ptr(&acpi->blocks[i]);
    }
    return true;
}

bool acpi_tables_add(FWCfg *cfg, const ACPIConfig *config, GError **error)
{
    PCACPI *acpi = g_new0(PCACPI, 1); /* lives as long as the machine */
    VMGenID *vmgenid = vmgenid_find();
    GByteArray *files[FILES];
    guint code_size;
    bool added;

    acpi->config = *config;
    acpi->config.oem_id = g_strdup(config->oem_id);
    acpi->config.oem_table_id = g_strdup(config->oem_table_id);
    if (vmgenid &&
        !vmgenid_add_files(vmgenid, cfg, config->memory, &config->pm->acpi, error)) {
        return false;
    }
    code_size = build(acpi, files);
    added = add_blocks(acpi, files, code_size, error);
    if (added) {
        fill_blocks(acpi, files);
    }
    drop(files);
    if (!added) {
        return false;
    }
    for (unsigned i = 0; i < FILES; i++) {
        if (!fw_cfg_add_file_callback(cfg, file_rows[i].name, select_file, NULL, acpi,
                                      acpi->contents[i], acpi->lengths[i], false,
                                      error)) {
            return false;
        }
        fw_cfg_set_file_room(cfg, file_rows[i].name, file_rows[i].max);
    }
    fw_cfg_on_reset(cfg, reset, acpi);
    vmstate_register(NULL, 0, &vmstate_acpi_build, acpi);
    /* A TPM's measurements; without a TPM QEMU hands over an empty log all the same. */
    return fw_cfg_add_file(cfg, "etc/tpm/log", NULL, 0, error);
}
