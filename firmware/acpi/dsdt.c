/*
 * The differentiated system description: what dsdt.asl says of every PC, and behind it,
 * what depends on this one.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/acpi/dsdt-internal.h"

#include "dsdt.hex" /* dsdt_aml_code, compiled from dsdt.asl */

/* -- The host bridge -------------------------------------------------------------- */

/* \_SB.PCI0._CRS: what goes to PCI. */
static void append_windows(const ACPIFacts *facts, GByteArray *aml)
{
    GByteArray *template = g_byte_array_new();

    aml_resource_window(template, AML_SPACE_BUS, 16, 0, 0xff);
    aml_resource_io(template, 0xcf8, 1, 8); /* its own registers */
    aml_resource_window(template, AML_SPACE_IO, 16, 0, 0xcf7);
    aml_resource_window(template, AML_SPACE_IO, 16, 0xd00, 0xffff);
    aml_resource_window(template, AML_SPACE_MEMORY_CACHEABLE, 32, 0xa0000, 0xbffff);
    aml_resource_window(template, AML_SPACE_MEMORY, 32, facts->hole32,
                        facts->hole32_last);
    if (facts->hole64_last) {
        aml_resource_window(template, AML_SPACE_MEMORY_CACHEABLE, 64, facts->hole64,
                            facts->hole64_last);
    }
    aml_name_resources(aml, template);
}

/* Its ports, with those of DMA or without (QEMU, docs/specs/fw_cfg, "ACPI Interface"). */
static void append_fw_cfg(const ACPIFacts *facts, GByteArray *aml)
{
    GByteArray *template = g_byte_array_new();
    guint device = aml_open_named(aml, AML_EXT_DEVICE, "FWCF");

    aml_name_string(aml, "_HID", "QEMU0002");
    aml_name_integer(aml, "_STA", 0xb);
    aml_resource_io(template, 0x510, 1, facts->fw_cfg_ports);
    aml_name_resources(aml, template);
    aml_close(aml, device);
}

/* -- ISA devices ------------------------------------------------------------------ */

typedef struct ISADeviceRow {
    const char *name, *eisa_id;
    unsigned uid;    /* 0: none */
    bool has_status; /* SeaBIOS looks for a keyboard's _STA */
    uint8_t alignment;
    struct {
        uint16_t base;
        uint8_t length;
    } ports[2];
    unsigned irq;
    int dma; /* -1: none */
} ISADeviceRow;

/* Leaves the device open. */
static guint open_isa_device(GByteArray *aml, const ISADeviceRow *row)
{
    GByteArray *template = g_byte_array_new();
    guint device = aml_open_named(aml, AML_EXT_DEVICE, row->name);

    aml_name_eisa_id(aml, "_HID", row->eisa_id);
    if (row->uid) {
        aml_name_integer(aml, "_UID", row->uid);
    }
    if (row->has_status) {
        aml_name_integer(aml, "_STA", 0xf);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(row->ports); i++) {
        if (row->ports[i].length) {
            aml_resource_io(template, row->ports[i].base, row->alignment,
                            row->ports[i].length);
        }
    }
    aml_resource_irq(template, row->irq);
    if (row->dma >= 0) {
        aml_resource_dma(template, (unsigned)row->dma);
    }
    aml_name_resources(aml, template);
    return device;
}

static void append_isa_device(GByteArray *aml, const ISADeviceRow *row)
{
    aml_close(aml, open_isa_device(aml, row));
}

/* A floppy drive with _FDI (section 10.9.2), by its CMOS type: the furthest cylinder and
 * the most sectors that disks for it are formatted with, and then what IBM's BIOS has in
 * its table of diskette parameters for one of 1.44 MB. */
static void append_floppy_drive(GByteArray *aml, unsigned n, uint8_t cmos_type)
{
    static const uint8_t limits[][2] = {[2] = {82, 20}, [4] = {82, 24}, [5] = {79, 48}};
    g_autofree char *name = g_strdup_printf("FLP%c", 'A' + n);
    guint device = aml_open_named(aml, AML_EXT_DEVICE, name);
    const uint8_t *limit = limits[MIN(cmos_type, G_N_ELEMENTS(limits) - 1)];
    const uint8_t information[16] = {
        (uint8_t)n, cmos_type, limit[0], limit[1], 1,    0xaf, 0x02, 0x25,
        0x02,       0x12,      0x1b,     0xff,     0x6c, 0xf6, 0x0f, 0x08};

    aml_name_integer(aml, "_ADR", n);
    aml_name_package(aml, "_FDI", information, sizeof(information));
    aml_close(aml, device);
}

/* _FDE (section 10.9.1): which of four drives are present, and whether there is
 * a tape. */
static void append_floppy(const ACPIFacts *facts, GByteArray *aml)
{
    static const ISADeviceRow row = {.name = "FDC0",
                                     .eisa_id = "PNP0700",
                                     .ports = {{0x3f2, 4}, {0x3f7, 1}},
                                     .irq = 6,
                                     .dma = 2};
    uint8_t drives[20] = {
        [0] = facts->floppy_types[0] != 0,
        [4] = facts->floppy_types[1] != 0,
        [16] = 2, /* no tape */
    };
    guint device = open_isa_device(aml, &row);

    for (unsigned n = 0; n < G_N_ELEMENTS(facts->floppy_types); n++) {
        if (facts->floppy_types[n]) {
            append_floppy_drive(aml, n, facts->floppy_types[n]);
        }
    }
    aml_name_bytes(aml, "_FDE", drives, sizeof(drives));
    aml_close(aml, device);
}

static void append_ports(GByteArray *aml, const char *prefix, const char *eisa_id,
                         uint8_t alignment, const ACPIPort ports[ACPI_ISA_PORTS_MAX])
{
    for (unsigned i = 0; i < ACPI_ISA_PORTS_MAX; i++) {
        g_autofree char *name = g_strdup_printf("%s%u", prefix, i + 1);

        if (ports[i].iobase) {
            append_isa_device(aml, &(ISADeviceRow){.name = name,
                                                   .eisa_id = eisa_id,
                                                   .uid = i + 1,
                                                   .has_status = true,
                                                   .alignment = alignment,
                                                   .ports = {{ports[i].iobase, 8}},
                                                   .irq = ports[i].irq,
                                                   .dma = -1});
        }
    }
}

static void append_isa_devices(const ACPIFacts *facts, GByteArray *aml)
{
    static const ISADeviceRow keyboard = {.name = "KBD",
                                          .eisa_id = "PNP0303",
                                          .has_status = true,
                                          .alignment = 1,
                                          .ports = {{0x60, 1}, {0x64, 1}},
                                          .irq = 1,
                                          .dma = -1};
    static const ISADeviceRow mouse = {
        .name = "MOU", .eisa_id = "PNP0F13", .has_status = true, .irq = 12, .dma = -1};
    guint scope = aml_open_named(aml, AML_SCOPE, "S08");

    if (facts->i8042) {
        append_isa_device(aml, &keyboard);
        append_isa_device(aml, &mouse);
    }
    if (facts->floppy) {
        append_floppy(facts, aml);
    }
    append_ports(aml, "LPT", "PNP0400", 8, facts->parallel);
    append_ports(aml, "COM", "PNP0501", 0, facts->serial);
    aml_close(aml, scope);
}

/* -- Slots ------------------------------------------------------------------------ */

#define FIRST_FREE_SLOT 2 /* dsdt.asl has the bridges in slots 0 and 1 */
#define SLOTS 32

static char *slot_name(unsigned slot)
{
    return g_strdup_printf("S%02X", slot << 3);
}

/* A display adapter works in all sleep states but S4: it needs no device state of its own
 * there (section 7.2.7). */
static void append_display_states(GByteArray *aml)
{
    static const char *const names[] = {"_S1D", "_S2D", "_S3D"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        guint method = aml_open_method(aml, names[i], 0);

        aml_op(aml, AML_RETURN);
        aml_integer(aml, 0);
        aml_close(aml, method);
    }
}

static void append_slot(const ACPIFacts *facts, GByteArray *aml, unsigned slot)
{
    g_autofree char *name = slot_name(slot);
    guint device = aml_open_named(aml, AML_EXT_DEVICE, name);

    aml_name_integer(aml, "_ADR", slot << 16);
    if (facts->display_slots >> slot & 1) {
        append_display_states(aml);
    }
    if (facts->removable_slots >> slot & 1) {
        guint method;

        aml_name_integer(aml, "_SUN", slot);
        method = aml_open_method(aml, "_EJ0", 1);
        aml_path(aml, "PCEJ");
        aml_integer(aml, slot);
        aml_close(aml, method);
    }
    aml_close(aml, device);
}

void acpi_append_notify_if(GByteArray *aml, unsigned opcode, uint32_t operand,
                           const char *target)
{
    guint start = aml_open(aml, AML_IF);

    aml_op(aml, opcode);
    aml_op(aml, AML_ARG0);
    aml_integer(aml, operand);
    if (opcode == AML_AND) {
        aml_byte(aml, 0); /* no target for the result */
    }
    aml_op(aml, AML_NOTIFY);
    aml_path(aml, target);
    aml_op(aml, AML_ARG1);
    aml_close(aml, start);
}

/* The slots, and PCNT (slots, what): notifies those of the mask. */
static void append_slots(const ACPIFacts *facts, GByteArray *aml)
{
    guint method;

    for (unsigned slot = FIRST_FREE_SLOT; slot < SLOTS; slot++) {
        if (facts->slots >> slot & 1) {
            append_slot(facts, aml, slot);
        }
    }
    method = aml_open_method(aml, "PCNT", 2);
    for (unsigned slot = FIRST_FREE_SLOT; slot < SLOTS; slot++) {
        if (facts->slots & facts->removable_slots & 1u << slot) {
            g_autofree char *name = slot_name(slot);

            acpi_append_notify_if(aml, AML_AND, 1u << slot, name);
        }
    }
    aml_close(aml, method);
}

/* -- Events ----------------------------------------------------------------------- */

/* GPE 1: PCI slots. */
static void append_slot_event(GByteArray *aml)
{
    static const uint8_t changes[] = {NOTIFY_DEVICE_CHECK, NOTIFY_EJECT};
    guint method = aml_open_method(aml, "_E01", AML_SERIALIZED);

    for (size_t i = 0; i < sizeof(changes); i++) {
        aml_path(aml, "\\_SB.PCI0.PCNT");
        aml_path(aml, "\\_SB.PCI0.PCIC");
        aml_integer(aml, changes[i]);
        aml_integer(aml, changes[i]);
    }
    aml_close(aml, method);
}

/* -- The whole -------------------------------------------------------------------- */

/* What PM1a and PM1b take as SLP_TYP (section 7.3.4). */
static void append_sleep_states(const ACPIFacts *facts, GByteArray *aml)
{
    if (facts->s3) {
        aml_name_package(aml, "\\_S3", (const uint8_t[]){1, 1, 0, 0}, 4);
    }
    if (facts->s4) {
        aml_name_package(aml, "\\_S4",
                         (const uint8_t[]){facts->s4_type, facts->s4_type, 0, 0}, 4);
    }
    aml_name_package(aml, "\\_S5", (const uint8_t[]){0, 0, 0, 0}, 4);
}

void acpi_dsdt_append(const ACPIFacts *facts, GByteArray *aml)
{
    guint scope;

    g_byte_array_append(aml, dsdt_aml_code + ACPI_HEADER_SIZE,
                        sizeof(dsdt_aml_code) - ACPI_HEADER_SIZE);
    scope = aml_open_named(aml, AML_SCOPE, "\\_SB.PCI0");
    aml_name_integer(aml, "_ADR", 0); /* beside _HID, which iasl does not let pass */
    aml_name_integer(aml, "_UID", facts->root_uid);
    append_windows(facts, aml);
    append_fw_cfg(facts, aml);
    append_isa_devices(facts, aml);
    append_slots(facts, aml);
    aml_close(aml, scope);
    acpi_processors_append(facts, aml);
    scope = aml_open_named(aml, AML_SCOPE, "\\_GPE");
    append_slot_event(aml);
    aml_close(aml, scope);
    append_sleep_states(facts, aml);
}
