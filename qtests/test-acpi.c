/*
 * ACPI tables, as a guest finds them after the firmware has run the loader script. Tables
 * that are to equal QEMU's were read with pmemsave from a guest of QEMU 7.2 (-accel kvm
 * -M pc -nodefaults and the options named at each) after SeaBIOS.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/acpi/aml.h"
#include "firmware/acpi/tables.h"
#include "hw/i386/pc-acpi.h"
#include "memory/ram-block.h"
#include "qtests/pci-board.h"

/* -m 128 */
static const char qemu_fadt[] =
    "46414350740000000184424f434853204258504320202020010000004258504301000000"
    "0000fe074000fe0701000900000000000000000000060000000000000406000000000000"
    "0000000008060000e0af0000000000000402000404000000ff0fff0f0000000000000000"
    "32000000a5800000";
static const char qemu_madt[] =
    "4150494378000000018a424f434853204258504320202020010000004258504301000000"
    "0000e0fe010000000008000001000000010c00000000c0fe00000000020a000002000000"
    "0000020a0005050000000d00020a0009090000000d00020a000a0a0000000d00020a000b"
    "0b0000000d000406ff000001";
static const char qemu_hpet[] =
    "485045543800000001b4424f434853204258504320202020010000004258504301000000"
    "01a28680000000000000d0fe0000000000000000";
static const char qemu_waet[] =
    "57414554280000000139424f434853204258504320202020010000004258504301000000"
    "02000000";

/* -m 5G -smp 3,maxcpus=5 */
static const char qemu_madt_of_5[] =
    "41504943980000000134424f434853204258504320202020010000004258504301000000"
    "0000e0fe0100000000080000010000000008010101000000000802020100000000080303"
    "000000000008040400000000010c00000000c0fe00000000020a0000020000000000020a"
    "0005050000000d00020a0009090000000d00020a000a0a0000000d00020a000b0b000000"
    "0d000406ff000001";

/* From \_SB.PCI0._CRS: the windows for memory below 4 GiB from the end of RAM on, and for
 * memory above 4 GiB. */
static const struct {
    uint64_t ram_below_4g, ram_above_4g_end;
    const char *hole32, *hole64;
} qemu_holes[] = {
    /* -m 128 */
    {MiB(128), GiB(4), "871700000c010000000000000008ffffbffe000000000000c0f6",
     "8a2b00000c0300000000000000000000000001000000ffffff7f010000000000000000000000"
     "0000008000000000"},
    /* -m 64 */
    {MiB(64), GiB(4), "871700000c010000000000000004ffffbffe000000000000c0fa",
     "8a2b00000c0300000000000000000000000001000000ffffff7f010000000000000000000000"
     "0000008000000000"},
    /* -m 5G */
    {GiB(3), GiB(6), "871700000c0100000000000000c0ffffbffe000000000000c03e",
     "8a2b00000c0300000000000000000000008001000000ffffffff010000000000000000000000"
     "0000008000000000"},
};

static uint8_t *bytes_of(const char *hex, size_t *length)
{
    uint8_t *bytes = g_malloc(strlen(hex) / 2);

    for (*length = 0; hex[2 * *length]; ++*length) {
        bytes[*length] = (uint8_t)(g_ascii_xdigit_value(hex[2 * *length]) << 4 |
                                   g_ascii_xdigit_value(hex[2 * *length + 1]));
    }
    return bytes;
}

static bool contains(const uint8_t *data, size_t length, const char *hex)
{
    size_t wanted_length;
    g_autofree uint8_t *wanted = bytes_of(hex, &wanted_length);

    return memmem(data, length, wanted, wanted_length) != NULL;
}

static uint32_t load32(const uint8_t *data)
{
    return pci_get_long(data);
}

static uint8_t sum(const uint8_t *data, size_t length)
{
    uint8_t total = 0;

    while (length--) {
        total = (uint8_t)(total + *data++);
    }
    return total;
}

/* -- The firmware's part: docs of the script in firmware/acpi/linker.h ------------ */

/* Where SeaBIOS puts them in a machine of 128 MiB. */
#define TABLES_BASE 0x07fe0000
#define RSDP_BASE 0x000f59d0

typedef struct LoadedFile {
    const char *name;
    uint32_t base;
    uint8_t *data;
    size_t length;
    uint32_t alignment;
    uint8_t zone; /* 0: not allocated yet */
} LoadedFile;

static LoadedFile loaded[2];

static LoadedFile *loaded_file(const uint8_t *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(loaded); i++) {
        if (!strncmp((const char *)name, loaded[i].name, 56)) {
            return &loaded[i];
        }
    }
    ck_abort_msg("no file '%.56s'", name);
    return NULL;
}

static void run_command(const uint8_t *command)
{
    LoadedFile *file = loaded_file(command + 4);

    switch (load32(command)) {
    case 1:
        ck_assert_uint_eq(file->zone, 0);
        file->alignment = load32(command + 60);
        file->zone = command[64];
        ck_assert_uint_eq(file->base % file->alignment, 0);
        break;
    case 2: {
        LoadedFile *target = loaded_file(command + 60);
        uint32_t offset = load32(command + 116);

        ck_assert_uint_eq(command[120], 4);
        ck_assert_uint_ne(file->zone, 0);
        ck_assert_uint_ne(target->zone, 0);
        ck_assert_uint_le(offset + 4, file->length);
        ck_assert_uint_lt(load32(file->data + offset), target->length);
        pci_set_long(file->data + offset, load32(file->data + offset) + target->base);
        break;
    }
    case 3: {
        uint32_t offset = load32(command + 60), start = load32(command + 64);
        uint32_t length = load32(command + 68);

        ck_assert_uint_le(start + length, file->length);
        ck_assert(offset >= start && offset < start + length);
        file->data[offset] =
            (uint8_t)(file->data[offset] - sum(file->data + start, length));
        break;
    }
    default:
        ck_abort_msg("command %u", load32(command));
    }
}

static void load(const void *tables, size_t tables_length, const void *rsdp,
                 size_t rsdp_length, const uint8_t *script, size_t script_length)
{
    loaded[0] =
        (LoadedFile){"etc/acpi/tables", TABLES_BASE, g_memdup2(tables, tables_length),
                     tables_length,     0,           0};
    loaded[1] = (LoadedFile){"etc/acpi/rsdp", RSDP_BASE, g_memdup2(rsdp, rsdp_length),
                             rsdp_length,     0,         0};
    ck_assert_uint_eq(script_length % 128, 0);
    for (size_t i = 0; i < script_length && load32(script + i); i += 128) {
        run_command(script + i);
    }
    ck_assert_uint_eq(loaded[0].zone, 1);
    ck_assert_uint_ge(loaded[0].alignment, 64); /* ACPI 2.0, 5.2.10: the FACS */
    ck_assert_uint_eq(loaded[1].zone, 2);
    ck_assert_uint_ge(loaded[1].alignment, 16); /* 5.2.5.1: the RSDP */
}

static void unload(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(loaded); i++) {
        g_clear_pointer(&loaded[i].data, g_free);
    }
}

static const uint8_t *guest(uint32_t address, size_t length)
{
    ck_assert_uint_ge(address, TABLES_BASE);
    ck_assert_uint_le(address - TABLES_BASE + length, loaded[0].length);
    return loaded[0].data + (address - TABLES_BASE);
}

/* The table at an address, checked. */
static const uint8_t *table_at(uint32_t address, const char *signature, size_t *length)
{
    const uint8_t *table = guest(address, 36);

    *length = load32(table + 4);
    table = guest(address, *length);
    ck_assert_msg(!memcmp(table, signature, 4), "%.4s, not %s", table, signature);
    ck_assert_uint_eq(sum(table, *length), 0);
    return table;
}

static const uint8_t *rsdt(size_t *length)
{
    ck_assert_uint_eq(loaded[1].length, 20); /* revision 0 */
    ck_assert(!memcmp(loaded[1].data, "RSD PTR ", 8));
    ck_assert(!memcmp(loaded[1].data + 9, "BOCHS \0", 7));
    ck_assert_uint_eq(sum(loaded[1].data, 20), 0);
    return table_at(load32(loaded[1].data + 16), "RSDT", length);
}

/* The n-th table of the root. */
static const uint8_t *root_table(unsigned n, const char *signature, size_t *length)
{
    const uint8_t *root = rsdt(length);

    ck_assert_uint_lt(36 + 4 * n, *length);
    return table_at(load32(root + 36 + 4 * n), signature, length);
}

static const uint8_t *dsdt(size_t *length)
{
    return table_at(load32(root_table(0, "FACP", length) + 40), "DSDT", length);
}

static void expect_table(unsigned n, const char *signature, const char *hex)
{
    size_t length, wanted_length;
    const uint8_t *table = root_table(n, signature, &length);
    g_autofree uint8_t *wanted = bytes_of(hex, &wanted_length);

    ck_assert_uint_eq(length, wanted_length);
    for (size_t i = 0; i < length; i++) {
        ck_assert_msg(table[i] == wanted[i], "%s: byte %zu is %02x, not %02x", signature,
                      i, table[i], wanted[i]);
    }
}

/* -- Facts in, tables out --------------------------------------------------------- */

static ACPIFacts facts;

static void setup_facts(void)
{
    facts = (ACPIFacts){
        .cpus = 1,
        .max_cpus = 1,
        .pm_base = 0x600,
        .s3 = true,
        .s4 = true,
        .s4_type = 2,
        .hole32 = MiB(128),
        .hole32_last = 0xfebfffff,
        .hole64 = GiB(4),
        .hole64_last = GiB(6) - 1,
        .slots = UINT32_MAX,
        .removable_slots = UINT32_MAX - 3,
        .hpet = true,
        .i8042 = true,
        .floppy = true,
        .fw_cfg_ports = 12,
    };
}

static void build(void)
{
    GByteArray *tables, *rsdp, *script;
    guint code_size;

    acpi_build(&facts, &tables, &rsdp, &script, &code_size);
    load(tables->data, tables->len, rsdp->data, rsdp->len, script->data, script->len);
    g_byte_array_unref(tables);
    g_byte_array_unref(rsdp);
    g_byte_array_unref(script);
}

START_TEST(test_tables_equal_qemus)
{
    size_t length;

    build();
    rsdt(&length);
    ck_assert_uint_eq(length, 36 + 4 * 4);
    expect_table(0, "FACP", qemu_fadt);
    expect_table(1, "APIC", qemu_madt);
    expect_table(2, "HPET", qemu_hpet);
    expect_table(3, "WAET", qemu_waet);
}
END_TEST

START_TEST(test_facs)
{
    size_t length;
    uint32_t address;

    build();
    address = load32(root_table(0, "FACP", &length) + 36);
    ck_assert_uint_eq(address % 64, 0);
    ck_assert(!memcmp(guest(address, 64), "FACS\x40\0\0\0", 8));
    ck_assert_uint_eq(sum(guest(address + 8, 56), 56), 0); /* no lock, no vector */
}
END_TEST

START_TEST(test_processors)
{
    size_t length;
    const uint8_t *table;

    facts.cpus = 3;
    facts.max_cpus = 5;
    build();
    expect_table(1, "APIC", qemu_madt_of_5);
    unload();

    facts.cpus = 255;
    facts.max_cpus = 255;
    build();
    root_table(1, "APIC", &length);
    ck_assert_uint_eq(length, 120 + 254 * 8);
    table = root_table(0, "FACP", &length);
    ck_assert_uint_eq(load32(table + 112), 0x480a5); /* clusters of APICs too */
    table = dsdt(&length);
    ck_assert_ptr_nonnull(memmem(table, length, "C0FE", 4));
    ck_assert_ptr_null(memmem(table, length, "C0FF", 4));
}
END_TEST

START_TEST(test_options)
{
    size_t length;
    const uint8_t *table;

    facts.hpet = false;
    facts.s3 = false;
    facts.s4 = false;
    facts.i8042 = false;
    facts.floppy = false;
    facts.smi = true;
    facts.serial[1] = (ACPIPort){0x2f8, 3};
    facts.oem_id = "ME";
    facts.oem_table_id = "LONGERTHAN8";
    build();
    ck_assert(!memcmp(loaded[1].data + 9, "ME\0\0\0\0", 6));
    unload();
    facts.oem_id = NULL;
    build();
    expect_table(2, "WAET",
                 "57414554280000000183424f434853204c4f4e47455254480100000042585043010000"
                 "0002000000");
    table = root_table(0, "FACP", &length);
    ck_assert_uint_eq(load32(table + 48), 0xb2);
    ck_assert(!memcmp(table + 52, "\xf1\xf0\0", 3));
    table = dsdt(&length);
    ck_assert_ptr_null(memmem(table, length, "_S3_", 4));
    ck_assert_ptr_null(memmem(table, length, "_S4_", 4));
    ck_assert_ptr_nonnull(memmem(table, length, "_S5_", 4));
    ck_assert_ptr_null(memmem(table, length, "FDC0", 4));
    ck_assert_ptr_null(memmem(table, length, "KBD_", 4));
    ck_assert_ptr_null(memmem(table, length, "COM1", 4));
    ck_assert_ptr_nonnull(memmem(table, length, "COM2", 4));
}
END_TEST

/* -- AML -------------------------------------------------------------------------- */

/* Section 17.2.4, by hand: the longest and shortest bodies of each form. */
START_TEST(test_aml_lengths)
{
    static const struct {
        unsigned body, bytes;
        uint8_t encoded[4];
    } rows[] = {
        {0, 1, {0x01}},
        {62, 1, {0x3f}},
        {63, 2, {0x41, 0x04}}, /* 65 */
        {4093, 2, {0x4f, 0xff}},
        {4094, 3, {0x81, 0x00, 0x01}}, /* 4097 */
        {(1 << 20) - 4, 3, {0x8f, 0xff, 0xff}},
        {(1 << 20) - 3, 4, {0xc1, 0x00, 0x00, 0x01}}, /* 1048577 */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        GByteArray *aml = g_byte_array_new();
        guint start = aml_open(aml, AML_SCOPE);

        g_byte_array_set_size(aml, 1 + rows[i].body);
        memset(aml->data + 1, 0xee, rows[i].body);
        aml_close(aml, start);
        ck_assert_uint_eq(aml->len, 1 + rows[i].bytes + rows[i].body);
        ck_assert_uint_eq(aml->data[0], 0x10);
        ck_assert_mem_eq(aml->data + 1, rows[i].encoded, rows[i].bytes);
        for (unsigned n = 0; n < rows[i].body; n++) {
            ck_assert_uint_eq(aml->data[1 + rows[i].bytes + n], 0xee);
        }
        g_byte_array_unref(aml);
    }
}
END_TEST

START_TEST(test_aml_terms)
{
    static const uint8_t expected[] = {
        '\\', 'A',  '_',  '_',  '_',                         /* "\\A" */
        0x2e, 'A',  'B',  '_',  '_',  'C',  'D',  'E',  'F', /* "AB.CDEF" */
        '\\', 0x2f, 3,    '_',  'S',  'B',  '_',  'P',  'C',  'I',  '0',  'X', '_',
        '_',  '_',  0x00, 0x01, 0x0a, 0x02, 0x0a, 0xff, 0x0b, 0x00, 0x01, /* integers */
        0x0c, 0x00, 0x00, 0x01, 0x00, 0x0e, 0,    0,    0,    0,    1,    0,   0,
        0,    0x08, '_',  'H',  'I',  'D',  0x0c, 0x41, 0xd0, 0x03, 0x03, /* PNP0303 */
        0x0d, 'h',  'i',  0,
    };
    GByteArray *aml = g_byte_array_new();

    aml_path(aml, "\\A");
    aml_path(aml, "AB.CDEF");
    aml_path(aml, "\\_SB.PCI0.X");
    aml_integer(aml, 0);
    aml_integer(aml, 1);
    aml_integer(aml, 2);
    aml_integer(aml, 0xff);
    aml_integer(aml, 0x100);
    aml_integer(aml, 0x10000);
    aml_integer(aml, UINT64_C(0x100000000));
    aml_name_eisa_id(aml, "_HID", "PNP0303");
    aml_string(aml, "hi");
    ck_assert_uint_eq(aml->len, sizeof(expected));
    ck_assert_mem_eq(aml->data, expected, sizeof(expected));
    g_byte_array_unref(aml);
}
END_TEST

static void run(const char *directory, const char *const argv[])
{
    g_autofree char *output = NULL, *errors = NULL;
    int status = 0;

    ck_assert(g_spawn_sync(directory, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
                           NULL, &output, &errors, &status, NULL));
    ck_assert_msg(g_spawn_check_wait_status(status, NULL), "%s: %s%s", argv[1], output,
                  errors);
}

/* ACPICA's disassembler reads the DSDT, and its compiler finds nothing to warn of but
 * Processor(), which systems that know only ACPI 1.0 need. */
static void expect_good_asl(void)
{
    static const char *const disassemble[] = {"iasl", "-d", "dsdt.dat", NULL};
    static const char *const compile[] = {"iasl", "-vw", "3168", "-we", "dsdt.dsl", NULL};
    static const char *const files[] = {"dsdt.dat", "dsdt.dsl", "dsdt.aml"};
    g_autofree char *directory = g_dir_make_tmp("umbra-acpi-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, files[0], NULL);
    size_t length;
    const uint8_t *table = dsdt(&length);

    ck_assert(g_file_set_contents(path, (const char *)table, (gssize)length, NULL));
    run(directory, disassemble);
    run(directory, compile);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *made = g_build_filename(directory, files[i], NULL);

        g_unlink(made);
    }
    g_rmdir(directory);
}

START_TEST(test_iasl)
{
    build();
    expect_good_asl();
    unload();

    facts.cpus = 4;
    facts.max_cpus = 255;
    for (unsigned i = 0; i < ACPI_ISA_PORTS_MAX; i++) {
        facts.serial[i] = (ACPIPort){(uint16_t)(0x3f8 - 0x10 * i), 4};
        facts.parallel[i] = (ACPIPort){(uint16_t)(0x378 - 0x10 * i), 7};
    }
    build();
    expect_good_asl();
    unload();

    facts.max_cpus = 1;
    facts.slots = 3;
    facts.removable_slots = 0;
    facts.hole64_last = 0;
    facts.i8042 = false;
    facts.s3 = false;
    build();
    expect_good_asl();
}
END_TEST

/* -- A board ---------------------------------------------------------------------- */

#define PM_DEVFN 0x0b

static FWCfg *cfg;
static ACPIConfig config;

static void setup_board(void)
{
    PIIX3 *piix3;

    board_setup();
    piix3 = board_add_piix3();
    cfg = fw_cfg_new_io(&board.io, &board.memory_as, NULL);
    ck_assert_ptr_nonnull(cfg);
    config = (ACPIConfig){
        .pci = board.bus,
        .isa = piix3->isa,
        .pm =
            piix4_pm_new(board.bus, &piix3->isa->irqs[PIIX4_SCI_ISA_IRQ], 1, false, NULL),
        .ram_below_4g = MiB(128),
        .ram_above_4g_end = GiB(4),
        .cpus = 1,
        .max_cpus = 1,
        .hpet = true,
    };
    ck_assert_ptr_nonnull(config.pm);
    device_reset_all();
}

static void select_key(const char *name, uint16_t key, size_t length, void *opaque)
{
    if (!strcmp(name, opaque)) {
        port_out(0x510, key, 2);
    }
}

/* As the firmware does it: selects each file, which makes it anew, and reads it. */
static void load_from_board(void)
{
    static const char *const names[] = {"etc/table-loader", "etc/acpi/tables",
                                        "etc/acpi/rsdp"};
    uint8_t *files[3];
    size_t lengths[3];

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        ck_assert_ptr_nonnull(fw_cfg_find_file(cfg, names[i], &lengths[i]));
        fw_cfg_foreach_file(cfg, select_key, (void *)names[i]);
        files[i] = g_malloc(lengths[i]);
        for (size_t n = 0; n < lengths[i]; n++) {
            files[i][n] = (uint8_t)port_in(0x511, 1);
        }
    }
    ck_assert_uint_eq(lengths[0], 0x1000);
    ck_assert_uint_eq(lengths[1], 0x20000);
    ck_assert_uint_eq(lengths[2], 20);
    load(files[1], lengths[1], files[2], lengths[2], files[0], lengths[0]);
    g_free(files[0]);
    g_free(files[1]);
    g_free(files[2]);
}

START_TEST(test_board_ports)
{
    size_t length;

    ck_assert(acpi_tables_add(cfg, &config, NULL));
    load_from_board();
    ck_assert_uint_eq(load32(root_table(0, "FACP", &length) + 56), 0);
    unload();
    config_out(PM_DEVFN, 0x40, 0x601, 4);
    load_from_board(); /* what the firmware has taken stays */
    ck_assert_uint_eq(load32(root_table(0, "FACP", &length) + 56), 0);
    unload();
    device_reset(DEVICE(cfg));
    load_from_board();
    expect_table(0, "FACP", qemu_fadt);
}
END_TEST

START_TEST(test_board_holes)
{
    const uint8_t *table;
    size_t length;

    config.ram_below_4g = qemu_holes[_i].ram_below_4g;
    config.ram_above_4g_end = qemu_holes[_i].ram_above_4g_end;
    ck_assert(acpi_tables_add(cfg, &config, NULL));
    load_from_board();
    table = dsdt(&length);
    ck_assert(contains(table, length, qemu_holes[_i].hole32));
    ck_assert(contains(table, length, qemu_holes[_i].hole64));
}
END_TEST

/* `info ramblock` of QEMU, -m 128. */
START_TEST(test_board_blocks)
{
    static const struct {
        const char *name;
        uint64_t used, max;
    } rows[] = {
        {"/rom@etc/acpi/tables", 0x20000, 0x200000},
        {"/rom@etc/table-loader", 0x1000, 0x10000},
        {"/rom@etc/acpi/rsdp", 0x1000, 0x1000},
    };
    uint64_t offset = 0;

    ck_assert(acpi_tables_add(cfg, &config, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        RAMBlock *block = ram_block_find(rows[i].name);

        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq(block->used_length, rows[i].used);
        ck_assert_uint_eq(block->max_length, rows[i].max);
        ck_assert_uint_gt(block->offset, offset);
        offset = block->offset;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acpi");
    TCase *tc = tcase_create("tables");
    TCase *tc_board = tcase_create("board");

    tcase_set_timeout(tc, 30);
    tcase_add_checked_fixture(tc, setup_facts, unload);
    tcase_add_test(tc, test_tables_equal_qemus);
    tcase_add_test(tc, test_facs);
    tcase_add_test(tc, test_processors);
    tcase_add_test(tc, test_options);
    tcase_add_test(tc, test_aml_lengths);
    tcase_add_test(tc, test_aml_terms);
    tcase_add_test(tc, test_iasl);
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(tc_board, setup_board, unload);
    tcase_add_test(tc_board, test_board_ports);
    tcase_add_loop_test(tc_board, test_board_holes, 0, G_N_ELEMENTS(qemu_holes));
    tcase_add_test(tc_board, test_board_blocks);
    suite_add_tcase(suite, tc_board);
    return board_run(suite);
}
