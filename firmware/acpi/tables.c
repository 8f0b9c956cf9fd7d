/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "firmware/acpi/tables.h"

#include <stddef.h>
#include <string.h>

#include "firmware/acpi/user-table.h"
#include "vmgenid.hex" /* vmgenid_aml_code, of vmgenid.asl */

#define PACKED __attribute__((packed))

#define OEM_ID "BOCHS "
#define OEM_TABLE_ID "BXPC    "
#define CREATOR "BXPC"

typedef struct Header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision;
    char creator[4];
    uint32_t creator_revision;
} PACKED Header;

/* The files while they are made. */
typedef struct Builder {
    const ACPIFacts *facts;
    GByteArray *tables, *script;
    GArray *offsets; /* guint: the tables that the root names */
} Builder;

/* Text in a field that is filled up with zeroes, as in QEMU. */
static void pad(char *field, size_t size, const char *text)
{
    size_t length = strnlen(text, size);

    memset(field, 0, size);
    memcpy(field, text, length);
}

static guint table_begin(Builder *builder, const char *signature, uint8_t revision)
{
    const ACPIFacts *facts = builder->facts;
    Header header = {
        .revision = revision,
        .oem_revision = GUINT32_TO_LE(1),
        .creator_revision = GUINT32_TO_LE(1),
    };
    guint start = builder->tables->len;

    memcpy(header.signature, signature, sizeof(header.signature));
    memcpy(header.creator, CREATOR, sizeof(header.creator));
    pad(header.oem_id, sizeof(header.oem_id), facts->oem_id ? facts->oem_id : OEM_ID);
    pad(header.oem_table_id, sizeof(header.oem_table_id),
        facts->oem_table_id ? facts->oem_table_id : OEM_TABLE_ID);
    g_byte_array_append(builder->tables, (const uint8_t *)&header, sizeof(header));
    return start;
}

static void table_end(Builder *builder, guint start)
{
    guint length = builder->tables->len - start;
    uint32_t encoded = GUINT32_TO_LE(length);

    memcpy(builder->tables->data + start + offsetof(Header, length), &encoded,
           sizeof(encoded));
    linker_add_checksum(builder->script, ACPI_FILE_TABLES,
                        start + (guint)offsetof(Header, checksum), start, length);
}

#define APPEND(builder, data)                                                            \
    g_byte_array_append((builder)->tables, (const uint8_t *)&(data), sizeof(data))

/* Section 5.2.10: what firmware and system share; it has no header and no checksum. */
static guint add_facs(Builder *builder)
{
    struct {
        char signature[4];
        uint32_t length;
        uint8_t rest[56];
    } facs = {.signature = {'F', 'A', 'C', 'S'}, .length = GUINT32_TO_LE(sizeof(facs))};
    guint start = builder->tables->len;

    APPEND(builder, facs);
    return start;
}

static guint add_dsdt(Builder *builder)
{
    guint start = table_begin(builder, "DSDT", 1);

    acpi_dsdt_append(builder->facts, builder->tables);
    table_end(builder, start);
    return start;
}

/* -- FADT, section 5.2.8, in its first revision, which all systems understand ----- */

#define GPE0_BASE 0xafe0
#define APM_COMMAND_PORT 0xb2
#define APM_ACPI_ENABLE 0xf1
#define APM_ACPI_DISABLE 0xf0
#define SCI_IRQ 9
#define RTC_CENTURY 0x32
#define LATENCY_NEVER 0xfff /* C2 and C3 do not exist: more than 100 and 1000 us */

enum {
    FADT_WBINVD = 1 << 0,
    FADT_C1 = 1 << 2,
    FADT_NO_SLEEP_BUTTON = 1 << 5,
    FADT_RTC_WAKES_S4 = 1 << 7,
    FADT_PLATFORM_CLOCK = 1 << 15, /* the HPET or the PM timer tells the time best */
    FADT_APIC_CLUSTERS = 1 << 18,  /* more than eight processors: not flat logical mode */
};

typedef struct FADT {
    uint32_t facs, dsdt;
    uint8_t model, pm_profile;
    uint16_t sci_irq;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
    uint32_t gpe0, gpe1;
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    uint8_t gpe0_length, gpe1_length, gpe1_first, cst;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_flags;
    uint8_t reserved;
    uint32_t flags;
} PACKED FADT;

static void add_fadt_pointer(Builder *builder, guint start, size_t field)
{
    linker_add_pointer(builder->script, ACPI_FILE_TABLES, ACPI_FILE_TABLES,
                       start + (guint)(sizeof(Header) + field), sizeof(uint32_t));
}

static void add_fadt(Builder *builder, guint facs, guint dsdt)
{
    const ACPIFacts *facts = builder->facts;
    guint start = table_begin(builder, "FACP", 1);
    FADT fadt = {
        .facs = GUINT32_TO_LE(facs),
        .dsdt = GUINT32_TO_LE(dsdt),
        .model = 1, /* INT_MODEL: APICs and 8259s */
        .sci_irq = GUINT16_TO_LE(SCI_IRQ),
        .smi_command = GUINT32_TO_LE(facts->smi ? APM_COMMAND_PORT : 0),
        .acpi_enable = facts->smi ? APM_ACPI_ENABLE : 0,
        .acpi_disable = facts->smi ? APM_ACPI_DISABLE : 0,
        .pm1a_event = GUINT32_TO_LE(facts->pm_base),
        .pm1a_control = GUINT32_TO_LE(facts->pm_base + 4u),
        .pm_timer = GUINT32_TO_LE(facts->pm_base + 8u),
        .gpe0 = GUINT32_TO_LE(GPE0_BASE),
        .pm1_event_length = 4,
        .pm1_control_length = 2,
        .pm_timer_length = 4,
        .gpe0_length = 4,
        .c2_latency = GUINT16_TO_LE(LATENCY_NEVER),
        .c3_latency = GUINT16_TO_LE(LATENCY_NEVER),
        .century = RTC_CENTURY,
        .flags = GUINT32_TO_LE(FADT_WBINVD | FADT_C1 | FADT_NO_SLEEP_BUTTON |
                               FADT_RTC_WAKES_S4 | FADT_PLATFORM_CLOCK |
                               (facts->max_cpus > 8 ? FADT_APIC_CLUSTERS : 0)),
    };

    APPEND(builder, fadt);
    add_fadt_pointer(builder, start, offsetof(FADT, facs));
    add_fadt_pointer(builder, start, offsetof(FADT, dsdt));
    table_end(builder, start);
    g_array_append_val(builder->offsets, start);
}

/* -- MADT, section 5.2.10.4: which interrupt controllers there are ---------------- */

#define LOCAL_APIC_BASE 0xfee00000
#define IO_APIC_BASE 0xfec00000

enum { MADT_LOCAL_APIC = 0, MADT_IO_APIC = 1, MADT_OVERRIDE = 2, MADT_LOCAL_NMI = 4 };

static void add_interrupt_override(Builder *builder, uint8_t isa_irq, uint32_t input,
                                   uint16_t flags)
{
    struct {
        uint8_t type, length, bus, isa_irq;
        uint32_t input;
        uint16_t flags;
    } PACKED entry = {MADT_OVERRIDE, sizeof(entry),        0,
                      isa_irq,       GUINT32_TO_LE(input), GUINT16_TO_LE(flags)};

    APPEND(builder, entry);
}

static void add_madt(Builder *builder)
{
    static const uint8_t pci_irqs[] = {5, 9, 10,
                                       11}; /* where the PIRQs may go, and SCI */
    static const uint16_t level_active_high = 0xd;
    const ACPIFacts *facts = builder->facts;
    guint start = table_begin(builder, "APIC", 1);
    const struct {
        uint32_t local_apic, flags;
    } PACKED head = {GUINT32_TO_LE(LOCAL_APIC_BASE), GUINT32_TO_LE(1 /* 8259s too */)};
    struct {
        uint8_t type, length, processor, id;
        uint32_t flags;
    } PACKED local_apic = {MADT_LOCAL_APIC, sizeof(local_apic), 0, 0, 0};
    const struct {
        uint8_t type, length, id, reserved;
        uint32_t base, first_input;
    } PACKED io_apic = {
        MADT_IO_APIC, sizeof(io_apic), 0, 0, GUINT32_TO_LE(IO_APIC_BASE), 0};
    const struct {
        uint8_t type, length, processor;
        uint16_t flags;
        uint8_t pin;
    } PACKED nmi = {MADT_LOCAL_NMI, sizeof(nmi), 0xff /* all */, 0, 1};

    APPEND(builder, head);
    for (unsigned i = 0; i < MIN(facts->max_cpus, ACPI_PROCESSORS_MAX); i++) {
        local_apic.processor = local_apic.id = (uint8_t)i;
        local_apic.flags = GUINT32_TO_LE(i < facts->cpus);
        APPEND(builder, local_apic);
    }
    APPEND(builder, io_apic);
    add_interrupt_override(builder, 0, 2,
                           0); /* the 8254, as on all boards with an I/O APIC */
    for (size_t i = 0; i < G_N_ELEMENTS(pci_irqs); i++) {
        add_interrupt_override(builder, pci_irqs[i], pci_irqs[i], level_active_high);
    }
    APPEND(builder, nmi);
    table_end(builder, start);
    g_array_append_val(builder->offsets, start);
}

/* -- The small ones --------------------------------------------------------------- */

/* IA-PC HPET specification 1.0a, section 3.2.4. */
static void add_hpet(Builder *builder)
{
    guint start = table_begin(builder, "HPET", 1);
    const struct {
        uint32_t block_id; /* Intel, legacy replacement, 64 bits, 3 timers, revision 1 */
        uint8_t space, width, offset, access;
        uint64_t base;
        uint8_t number;
        uint16_t min_tick;
        uint8_t protection;
    } PACKED body = {.block_id = GUINT32_TO_LE(0x8086a201),
                     .base = GUINT64_TO_LE(0xfed00000)};

    APPEND(builder, body);
    table_end(builder, start);
    g_array_append_val(builder->offsets, start);
}

/* "Windows ACPI Emulated Devices Table": one read of the PM timer is good. */
static void add_waet(Builder *builder)
{
    guint start = table_begin(builder, "WAET", 1);
    const uint32_t flags = GUINT32_TO_LE(1 << 1);

    APPEND(builder, flags);
    table_end(builder, start);
    g_array_append_val(builder->offsets, start);
}

/* -- The generation number -------------------------------------------------------- */

#define VMGENID_FILE "etc/vmgenid_guid"
#define VMGENID_ADDRESS_FILE "etc/vmgenid_addr"
#define VMGENID_OFFSET 40 /* of the number in its file */

/* Where vmgenid.asl's code has the value of VGIA: behind Name's opcode, the name and the
 * prefix of a doubleword. */
#define VGIA_OFFSET (1 + 4 + 1)

static void add_vmgenid(Builder *builder)
{
    guint start = table_begin(builder, "SSDT", 1);
    guint value = start + (guint)sizeof(Header) + VGIA_OFFSET;
    Header *header;

    g_byte_array_append(builder->tables, vmgenid_aml_code + sizeof(Header),
                        sizeof(vmgenid_aml_code) - sizeof(Header));
    header = (Header *)(builder->tables->data + start);
    pad(header->oem_table_id, sizeof(header->oem_table_id), "VMGENID");
    memset(builder->tables->data + value, 0, sizeof(uint32_t));
    linker_allocate(builder->script, VMGENID_FILE, 4096, LINKER_ZONE_HIGH);
    linker_add_pointer(builder->script, ACPI_FILE_TABLES, VMGENID_FILE, value,
                       sizeof(uint32_t));
    linker_write_pointer(builder->script, VMGENID_ADDRESS_FILE, VMGENID_FILE, 0,
                         VMGENID_OFFSET, sizeof(uint64_t));
    table_end(builder, start);
    g_array_append_val(builder->offsets, start);
}

/* They have their checksums already. */
static void add_user_tables(Builder *builder)
{
    guint position = 0, length;
    const guint8 *table;

    while ((table = acpi_user_table_next(builder->facts->user_tables, &position, &length))) {
        g_array_append_val(builder->offsets, builder->tables->len);
        g_byte_array_append(builder->tables, table, length);
    }
}

/* -- The roots -------------------------------------------------------------------- */

static guint add_rsdt(Builder *builder)
{
    guint start = table_begin(builder, "RSDT", 1);

    for (guint i = 0; i < builder->offsets->len; i++) {
        uint32_t offset = GUINT32_TO_LE(g_array_index(builder->offsets, guint, i));

        linker_add_pointer(builder->script, ACPI_FILE_TABLES, ACPI_FILE_TABLES,
                           builder->tables->len, sizeof(offset));
        APPEND(builder, offset);
    }
    table_end(builder, start);
    return start;
}

static GByteArray *make_rsdp(Builder *builder, guint rsdt)
{
    struct {
        char signature[8];
        uint8_t checksum;
        char oem_id[6];
        uint8_t revision; /* 0: ACPI 1.0, of 20 bytes */
        uint32_t rsdt;
    } PACKED rsdp = {.rsdt = GUINT32_TO_LE(rsdt)};
    const char *oem_id = builder->facts->oem_id;
    GByteArray *bytes = g_byte_array_new();

    memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
    pad(rsdp.oem_id, sizeof(rsdp.oem_id), oem_id ? oem_id : OEM_ID);
    g_byte_array_append(bytes, (const uint8_t *)&rsdp, sizeof(rsdp));
    linker_add_pointer(builder->script, ACPI_FILE_RSDP, ACPI_FILE_TABLES, 16,
                       sizeof(rsdp.rsdt));
    linker_add_checksum(builder->script, ACPI_FILE_RSDP, 8, 0, sizeof(rsdp));
    if (builder->facts->long_rsdp) {
        g_byte_array_append(bytes, (const uint8_t[16]){0}, 16);
    }
    return bytes;
}

void acpi_build(const ACPIFacts *facts, GByteArray **tables, GByteArray **rsdp,
                GByteArray **script, guint *code_size)
{
    Builder builder = {
        .facts = facts,
        .tables = g_byte_array_new(),
        .script = g_byte_array_new(),
        .offsets = g_array_new(FALSE, FALSE, sizeof(guint)),
    };
    guint facs, dsdt;

    linker_allocate(builder.script, ACPI_FILE_RSDP, 16, LINKER_ZONE_F_SEGMENT);
    linker_allocate(builder.script, ACPI_FILE_TABLES, 64 /* the FACS's */,
                    LINKER_ZONE_HIGH);
    facs = add_facs(&builder);
    dsdt = add_dsdt(&builder);
    *code_size = builder.tables->len - dsdt;
    add_fadt(&builder, facs, dsdt);
    add_madt(&builder);
    if (facts->vmgenid) {
        add_vmgenid(&builder);
    }
    if (facts->hpet) {
        add_hpet(&builder);
    }
    add_waet(&builder);
    add_user_tables(&builder);
    *rsdp = make_rsdp(&builder, add_rsdt(&builder));
    *tables = builder.tables;
    *script = builder.script;
    g_array_unref(builder.offsets);
}
