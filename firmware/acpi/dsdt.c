/*
 * The differentiated system description: what dsdt.asl says of every PC, and behind it,
 * what depends on this one.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/acpi/aml.h"
#include "firmware/acpi/tables.h"

#include "dsdt.hex" /* dsdt_aml_code, compiled from dsdt.asl */

#define TABLE_HEADER_SIZE 36

/* Notify values (ACPI 2.0, section 5.6.3). */
enum { NOTIFY_DEVICE_CHECK = 1, NOTIFY_EJECT = 3 };

/* -- The host bridge -------------------------------------------------------------- */

/* \_SB.PCI0._CRS: what goes to PCI. */
static void append_windows(const ACPIFacts *facts, GByteArray *aml)
{
    GByteArray *template = g_byte_array_new();

    aml_resource_window(template, AML_SPACE_BUS, 16, 0, 0xff);
    aml_resource_io(template, 0xcf8, 8); /* its own registers */
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

/* -- ISA devices ------------------------------------------------------------------ */

typedef struct ISADeviceRow {
    const char *name, *eisa_id;
    unsigned uid; /* 0: none */
    struct {
        uint16_t base;
        uint8_t length;
    } ports[2];
    unsigned irq;
    int dma; /* -1: none */
} ISADeviceRow;

/* Leaves the device open. SeaBIOS looks for a keyboard's _STA as a plain number. */
static guint open_isa_device(GByteArray *aml, const ISADeviceRow *row)
{
    GByteArray *template = g_byte_array_new();
    guint device = aml_open_named(aml, AML_EXT_DEVICE, row->name);

    aml_name_eisa_id(aml, "_HID", row->eisa_id);
    if (row->uid) {
        aml_name_integer(aml, "_UID", row->uid);
    }
    aml_name_integer(aml, "_STA", 0xf);
    for (size_t i = 0; i < G_N_ELEMENTS(row->ports); i++) {
        if (row->ports[i].length) {
            aml_resource_io(template, row->ports[i].base, row->ports[i].length);
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

/* _FDE (section 10.9.1): which of four drives are present, and whether there is a tape.
 */
static void append_floppy(const ACPIFacts *facts, GByteArray *aml)
{
    static const ISADeviceRow row = {"FDC0", "PNP0700", 0, {{0x3f2, 4}, {0x3f7, 1}},
                                     6,      2};
    uint8_t drives[20] = {
        [0] = facts->floppy_types[0] != 0,
        [4] = facts->floppy_types[1] != 0,
        [16] = 2, /* no tape */
    };
    guint device = open_isa_device(aml, &row);

    aml_name_bytes(aml, "_FDE", drives, sizeof(drives));
    aml_close(aml, device);
}

static void append_ports(GByteArray *aml, const char *prefix, const char *eisa_id,
                         const ACPIPort ports[ACPI_ISA_PORTS_MAX])
{
    for (unsigned i = 0; i < ACPI_ISA_PORTS_MAX; i++) {
        g_autofree char *name = g_strdup_printf("%s%u", prefix, i + 1);

        if (ports[i].iobase) {
            append_isa_device(
                aml, &(ISADeviceRow){
                         name, eisa_id, i + 1, {{ports[i].iobase, 8}}, ports[i].irq, -1});
        }
    }
}

static void append_isa_devices(const ACPIFacts *facts, GByteArray *aml)
{
    static const ISADeviceRow keyboard = {"KBD", "PNP0303", 0, {{0x60, 1}, {0x64, 1}},
                                          1,     -1};
    static const ISADeviceRow mouse = {"MOU", "PNP0F13", 0, {{0}}, 12, -1};
    guint scope = aml_open_named(aml, AML_SCOPE, "S08");

    if (facts->i8042) {
        append_isa_device(aml, &keyboard);
        append_isa_device(aml, &mouse);
    }
    if (facts->floppy) {
        append_floppy(facts, aml);
    }
    append_ports(aml, "LPT", "PNP0400", facts->parallel);
    append_ports(aml, "COM", "PNP0501", facts->serial);
    aml_close(aml, scope);
}

/* -- Slots ------------------------------------------------------------------------ */

#define FIRST_FREE_SLOT 2 /* dsdt.asl has the bridges in slots 0 and 1 */
#define SLOTS 32

static char *slot_name(unsigned slot)
{
    return g_strdup_printf("S%02X", slot << 3);
}

static void append_slot(const ACPIFacts *facts, GByteArray *aml, unsigned slot)
{
    g_autofree char *name = slot_name(slot);
    guint device = aml_open_named(aml, AML_EXT_DEVICE, name);

    aml_name_integer(aml, "_ADR", slot << 16);
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

/* If (condition of Arg0 and `operand`) { Notify (target, Arg1) } */
static void append_notify_if(GByteArray *aml, unsigned opcode, uint32_t operand,
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

            append_notify_if(aml, AML_AND, 1u << slot, name);
        }
    }
    aml_close(aml, method);
}

/* -- Processors ------------------------------------------------------------------- */

static char *processor_name(unsigned i)
{
    return g_strdup_printf("C%03X", i);
}

/* Calls a method of dsdt.asl for processor i with Arg0.. as further arguments. */
static void append_processor_method(GByteArray *aml, const char *name, uint8_t arguments,
                                    bool returns, const char *callee, unsigned i,
                                    unsigned passed)
{
    guint method = aml_open_method(aml, name, arguments | AML_SERIALIZED);

    if (returns) {
        aml_op(aml, AML_RETURN);
    }
    aml_path(aml, callee);
    aml_integer(aml, i);
    for (unsigned n = 0; n < passed; n++) {
        aml_op(aml, AML_ARG0 + n);
    }
    aml_close(aml, method);
}

static void append_processor(GByteArray *aml, unsigned i)
{
    g_autofree char *name = processor_name(i);
    const uint8_t madt_entry[8] = {0, 8, (uint8_t)i, (uint8_t)i, 1, 0, 0, 0};
    guint processor = aml_open_named(aml, AML_EXT_PROCESSOR, name);

    aml_byte(aml, (uint8_t)i);                          /* its number in the MADT */
    g_byte_array_append(aml, (const uint8_t[5]){0}, 5); /* no P_BLK */
    append_processor_method(aml, "_STA", 0, true, "CSTA", i, 0);
    aml_name_bytes(aml, "_MAT", madt_entry, sizeof(madt_entry));
    if (i) { /* the first stays */
        append_processor_method(aml, "_EJ0", 1, false, "CEJ0", i, 0);
    }
    append_processor_method(aml, "_OST", 3, false, "COST", i, 2);
    aml_close(aml, processor);
}

/* The processors, and CTFY (processor, what). */
static void append_processors(const ACPIFacts *facts, GByteArray *aml)
{
    unsigned n = MIN(facts->max_cpus, ACPI_PROCESSORS_MAX);
    guint scope = aml_open_named(aml, AML_SCOPE, "\\_SB.CPUS");
    guint method;

    for (unsigned i = 0; i < n; i++) {
        append_processor(aml, i);
    }
    method = aml_open_method(aml, "CTFY", 2);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = processor_name(i);

        append_notify_if(aml, AML_EQUAL, i, name);
    }
    aml_close(aml, method);
    aml_close(aml, scope);
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

static void append_next_processor_event(GByteArray *aml)
{
    aml_op(aml, AML_STORE);
    aml_path(aml, "\\_SB.CPUS.CNXT");
    aml_op(aml, AML_LOCAL0);
}

/* GPE 2: processors. While (Local0 = CNXT ()) { CTFY (Local0 >> 8, Local0 & 0xff) } */
static void append_processor_event(GByteArray *aml)
{
    guint method = aml_open_method(aml, "_E02", AML_SERIALIZED);
    guint loop;

    append_next_processor_event(aml);
    loop = aml_open(aml, AML_WHILE);
    aml_op(aml, AML_LOCAL0);
    aml_path(aml, "\\_SB.CPUS.CTFY");
    aml_op(aml, AML_SHIFT_RIGHT);
    aml_op(aml, AML_LOCAL0);
    aml_integer(aml, 8);
    aml_byte(aml, 0);
    aml_op(aml, AML_AND);
    aml_op(aml, AML_LOCAL0);
    aml_integer(aml, 0xff);
    aml_byte(aml, 0);
    append_next_processor_event(aml);
    aml_close(aml, loop);
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

    g_byte_array_append(aml, dsdt_aml_code + TABLE_HEADER_SIZE,
                        sizeof(dsdt_aml_code) - TABLE_HEADER_SIZE);
    scope = aml_open_named(aml, AML_SCOPE, "\\_SB.PCI0");
    append_windows(facts, aml);
    append_isa_devices(facts, aml);
    append_slots(facts, aml);
    aml_close(aml, scope);
    append_processors(facts, aml);
    scope = aml_open_named(aml, AML_SCOPE, "\\_GPE");
    append_slot_event(aml);
    append_processor_event(aml);
    aml_close(aml, scope);
    append_sleep_states(facts, aml);
}
