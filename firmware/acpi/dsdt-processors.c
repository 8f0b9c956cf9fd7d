/*
 * The processors in the differentiated system description, and how it asks for them: by
 * registers that select one, or on machine types up to 2.6 by a bitmap.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/acpi/dsdt-internal.h"

#include "processors_legacy.hex" /* processors_legacy_aml_code, of processors_legacy.asl */
#include "processors.hex"        /* processors_aml_code, of processors.asl */

#define REGISTERS 0xaf00
#define MODERN_PORTS 12
#define LEGACY_PORTS 32

/* What the two interfaces call the same things. */
typedef struct Interface {
    const uint8_t *code; /* a table with a header */
    size_t code_size;
    const char *scope, *name_format;
} Interface;

static const Interface interfaces[] = {
    {processors_aml_code, sizeof(processors_aml_code), "\\_SB.CPUS", "C%03X"},
    {processors_legacy_aml_code, sizeof(processors_legacy_aml_code), "\\_SB", "CP%02X"},
};

/* A method that calls one of the .asl file's for processor i, with Arg0.. as further
 * arguments. */
static void append_method(GByteArray *aml, const char *name, uint8_t arguments,
                          bool returns, const char *callee, unsigned i, unsigned passed)
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

static void append_processor(GByteArray *aml, bool legacy, const char *name, unsigned i)
{
    const uint8_t madt_entry[8] = {0, 8, (uint8_t)i, (uint8_t)i, 1, 0, 0, 0};
    guint processor = aml_open_named(aml, AML_EXT_PROCESSOR, name);

    aml_byte(aml, (uint8_t)i);                          /* its number in the MADT */
    g_byte_array_append(aml, (const uint8_t[5]){0}, 5); /* no P_BLK */
    append_method(aml, "_STA", 0, true, "CSTA", i, 0);
    if (legacy) {
        append_method(aml, "_MAT", 0, true, "CMAT", i, 0);
    } else {
        aml_name_bytes(aml, "_MAT", madt_entry, sizeof(madt_entry));
        append_method(aml, "_OST", 3, false, "COST", i, 2);
    }
    if (legacy) {
        guint method = aml_open_method(aml, "_EJ0", 1 | AML_SERIALIZED);

        aml_path(aml, "CEJ0");
        aml_close(aml, method);
    } else if (i) { /* the first stays */
        append_method(aml, "_EJ0", 1, false, "CEJ0", i, 0);
    }
    aml_close(aml, processor);
}

/* The processors, and CTFY (processor, what), or on the legacy interface CTFY ():
 * notifies one, or says of each that it is to be looked at. */
static void append_processors(const ACPIFacts *facts, GByteArray *aml,
                              const Interface *interface)
{
    unsigned n = MIN(facts->max_cpus, ACPI_PROCESSORS_MAX);
    bool legacy = facts->legacy_cpu_hotplug;
    guint scope = aml_open_named(aml, AML_SCOPE, interface->scope);
    guint method;

    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf(interface->name_format, i);

        append_processor(aml, legacy, name, i);
    }
    method = aml_open_method(aml, "CTFY", legacy ? 0 : 2);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf(interface->name_format, i);

        if (legacy) {
            aml_op(aml, AML_NOTIFY);
            aml_path(aml, name);
            aml_integer(aml, NOTIFY_DEVICE_CHECK);
        } else {
            acpi_append_notify_if(aml, AML_EQUAL, i, name);
        }
    }
    aml_close(aml, method);
    aml_close(aml, scope);
}

/* The registers' place, as a device so that nobody else takes it. */
static void append_registers(const ACPIFacts *facts, GByteArray *aml)
{
    bool legacy = facts->legacy_cpu_hotplug;
    GByteArray *template = g_byte_array_new();
    guint scope = aml_open_named(aml, AML_SCOPE, "\\_SB.PCI0");
    guint device = aml_open_named(aml, AML_EXT_DEVICE, "PRES");

    aml_name_eisa_id(aml, "_HID", "PNP0A06");
    aml_name_string(aml, "_UID", "CPU Hotplug resources");
    if (legacy) {
        aml_name_integer(aml, "_STA", 0xb);
    } else {
        guint method = aml_open_method(aml, "_INI", AML_SERIALIZED);

        aml_path(aml, "\\_SB.CPUS.CINI");
        aml_close(aml, method);
    }
    aml_resource_io(template, REGISTERS, 1, legacy ? LEGACY_PORTS : MODERN_PORTS);
    aml_name_resources(aml, template);
    aml_close(aml, device);
    aml_close(aml, scope);
}

/* -- Events -------------------------------------------------------------------------- */

static void append_next_event(GByteArray *aml)
{
    aml_op(aml, AML_STORE);
    aml_path(aml, "\\_SB.CPUS.CNXT");
    aml_op(aml, AML_LOCAL0);
}

/* While (Local0 = CNXT ()) { CTFY (Local0 >> 8, Local0 & 0xff) } */
static void append_event_loop(GByteArray *aml)
{
    guint loop;

    append_next_event(aml);
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
    append_next_event(aml);
    aml_close(aml, loop);
}

/* GPE 2. */
static void append_event(const ACPIFacts *facts, GByteArray *aml)
{
    guint scope = aml_open_named(aml, AML_SCOPE, "\\_GPE");
    guint method = aml_open_method(aml, "_E02", AML_SERIALIZED);

    if (facts->legacy_cpu_hotplug) {
        aml_path(aml, "\\_SB.CTFY");
    } else {
        append_event_loop(aml);
    }
    aml_close(aml, method);
    aml_close(aml, scope);
}

void acpi_processors_append(const ACPIFacts *facts, GByteArray *aml)
{
    const Interface *interface = &interfaces[facts->legacy_cpu_hotplug];

    g_byte_array_append(aml, interface->code + ACPI_HEADER_SIZE,
                        (guint)(interface->code_size - ACPI_HEADER_SIZE));
    append_registers(facts, aml);
    append_processors(facts, aml, interface);
    append_event(facts, aml);
}
