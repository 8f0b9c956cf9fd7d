/*
 * fw_cfg by its specification (QEMU's docs/specs/fw_cfg), and a PC's items as guests of
 * QEMU 7.2 read them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/boot-order.h"
#include "hw/i386/pc-fw-cfg.h"
#include "hw/nvram/fw-cfg.h"
#include "memory/access.h"
#include "memory/io-lock.h"

#define RAM_SIZE MiB(2)
#define DESCRIPTOR 0x1000
#define BUFFER 0x2000

enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

static const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;
static MemoryRegion io_root, memory_root, ram;
static AddressSpace io, memory;
static FWCfg *cfg;
static uint8_t *guest; /* the RAM's bytes */

static void setup(void)
{
    GError *error = NULL;

    io_lock();
    memory_region_init(&io_root, NULL, "io", KiB(64));
    address_space_init(&io, &io_root, "I/O");
    memory_region_init(&memory_root, NULL, "system", UINT64_MAX);
    ck_assert(memory_region_init_ram(&ram, NULL, "ram", RAM_SIZE, NULL));
    memory_region_add_subregion(&memory_root, 0, &ram);
    address_space_init(&memory, &memory_root, "memory");
    guest = memory_region_get_ram_ptr(&ram);
    cfg = fw_cfg_new_io(&io_root, &memory, &error);
    ck_assert_msg(cfg != NULL, "%s", error ? error->message : "");
    device_reset(DEVICE(cfg));
}

static uint64_t in(uint16_t port, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&io, port, size, &value, attrs);
    return value;
}

static void out(uint16_t port, unsigned size, uint64_t value)
{
    address_space_store(&io, port, size, value, attrs);
}

static void select_key(uint16_t key)
{
    out(0x510, 2, key);
}

static void read_bytes(void *buffer, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        ((uint8_t *)buffer)[i] = in(0x511, 1);
    }
}

static void expect_bytes(uint16_t key, const void *expected, size_t length)
{
    g_autofree uint8_t *data = g_malloc(length + 4);

    select_key(key);
    read_bytes(data, length + 4);
    ck_assert_mem_eq(data, expected, length);
    ck_assert_mem_eq(data + length, "\0\0\0\0", 4); /* nothing after the item */
}

/* Puts a descriptor at `where` and runs it; returns the control field it leaves. */
static uint32_t dma_at(hwaddr where, uint32_t control, uint32_t length, uint64_t address)
{
    address_space_stl_be(&memory, where, control, attrs, NULL);
    address_space_stl_be(&memory, where + 4, length, attrs, NULL);
    address_space_stq_be(&memory, where + 8, address, attrs, NULL);
    out(0x514, 4, GUINT32_SWAP_LE_BE((uint32_t)(where >> 32)));
    out(0x518, 4, GUINT32_SWAP_LE_BE((uint32_t)where));
    return address_space_ldl_be(&memory, where, attrs, NULL);
}

static uint32_t dma(uint32_t control, uint32_t length, uint64_t address)
{
    return dma_at(DESCRIPTOR, control, length, address);
}

START_TEST(test_signature)
{
    ck_assert_uint_eq(in(0x511, 1), 'Q'); /* reset selects item 0 */
    expect_bytes(FW_CFG_SIGNATURE, "QEMU", 4);
    expect_bytes(FW_CFG_ID, "\3\0\0", 4); /* the traditional and the DMA interface */
    expect_bytes(0x4000 | FW_CFG_SIGNATURE, "QEMU", 4); /* the old write bit is ignored */
}
END_TEST

/* The selector takes 16 bits, the data port gives 8; anything else is no access. */
START_TEST(test_port_sizes)
{
    uint64_t value = 0;

    select_key(FW_CFG_SIGNATURE);
    ck_assert_uint_eq(in(0x511, 1), 'Q');
    out(0x511, 1, 0xff); /* bytes written go nowhere */
    out(0x510, 1, 1);
    ck_assert_uint_eq(in(0x511, 1), 'E');
    ck_assert_uint_ne(address_space_load(&io, 0x510, 2, &value, attrs), MEMTX_OK);
    ck_assert_uint_eq(in(0x511, 1), 'M');
}
END_TEST

START_TEST(test_numbers)
{
    fw_cfg_add_i16(cfg, FW_CFG_NB_CPUS, 0x1234);
    fw_cfg_add_i32(cfg, FW_CFG_IRQ0_OVERRIDE, 0x12345678);
    fw_cfg_add_i64(cfg, FW_CFG_RAM_SIZE, UINT64_C(0x123456789abcdef0));
    fw_cfg_add_string(cfg, FW_CFG_CMDLINE_DATA, "quiet");
    expect_bytes(FW_CFG_NB_CPUS, "\x34\x12", 2);
    expect_bytes(FW_CFG_IRQ0_OVERRIDE, "\x78\x56\x34\x12", 4);
    expect_bytes(FW_CFG_RAM_SIZE, "\xf0\xde\xbc\x9a\x78\x56\x34\x12", 8);
    expect_bytes(FW_CFG_CMDLINE_DATA, "quiet", 6);
    fw_cfg_add_i16(cfg, FW_CFG_NB_CPUS, 2); /* given again, it replaces */
    expect_bytes(FW_CFG_NB_CPUS, "\2\0", 2);
    expect_bytes(0x8000 | FW_CFG_NB_CPUS, "", 0); /* the architecture's keys are others */
    expect_bytes(0x1f, "", 0);
    expect_bytes(0x3fff, "", 0);
    expect_bytes(0xffff, "", 0);
}
END_TEST

/* One entry of the directory, as the guest sees it. */
static void expect_entry(const uint8_t *entry, uint32_t size, uint16_t key,
                         const char *name)
{
    uint8_t expected[64] = {size >> 24, size >> 16, size >> 8, size, key >> 8, key};

    strcpy((char *)expected + 8, name);
    ck_assert_mem_eq(entry, expected, sizeof(expected));
}

START_TEST(test_directory)
{
    uint8_t directory[4 + 4 * 64];
    size_t length;

    ck_assert(fw_cfg_add_file(cfg, "opt/z", "zz", 2, NULL));
    ck_assert(fw_cfg_add_file(cfg, "etc/e820", "20 bytes", 8, NULL));
    ck_assert(fw_cfg_add_file(cfg, "opt/a", NULL, 0, NULL));
    select_key(FW_CFG_FILE_DIR);
    read_bytes(directory, sizeof(directory));
    ck_assert_mem_eq(directory, "\0\0\0\3", 4);
    expect_entry(directory + 4, 8, 0x20, "etc/e820");
    expect_entry(directory + 4 + 64, 0, 0x21, "opt/a");
    expect_entry(directory + 4 + 128, 2, 0x22, "opt/z");
    expect_bytes(0x20, "20 bytes", 8);
    expect_bytes(0x21, "", 0);
    expect_bytes(0x22, "zz", 2);
    expect_bytes(0x23, "", 0);

    ck_assert(fw_cfg_add_file(cfg, "opt/a", "now", 3, NULL)); /* keeps its key */
    expect_bytes(0x21, "now", 3);
    expect_bytes(0x22, "zz", 2);
    ck_assert_mem_eq(fw_cfg_find_file(cfg, "opt/a", &length), "now", 3);
    ck_assert_uint_eq(length, 3);
    ck_assert_ptr_null(fw_cfg_find_file(cfg, "opt/b", &length));
}
END_TEST

START_TEST(test_file_limits)
{
    char name[57];
    GError *error = NULL;

    memset(name, 'n', sizeof(name));
    name[56] = 0;
    ck_assert(!fw_cfg_add_file(cfg, name, "", 0, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "55"));
    g_clear_error(&error);
    name[55] = 0;
    ck_assert(fw_cfg_add_file(cfg, name, "long", 4, NULL));
    ck_assert(!fw_cfg_add_file(cfg, "", "", 0, &error));
    g_clear_error(&error);
    for (int i = 1; i < 32; i++) { /* x-file-slots is 32 */
        g_snprintf(name, sizeof(name), "f%02d", i);
        ck_assert(fw_cfg_add_file(cfg, name, name, 3, NULL));
    }
    ck_assert(!fw_cfg_add_file(cfg, "one more", "", 0, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "x-file-slots"));
    g_clear_error(&error);
    expect_bytes(0x20, "f01", 3);
    expect_bytes(0x20 + 31, "long", 4);
    expect_bytes(0x20 + 32, "", 0);
}
END_TEST

START_TEST(test_option)
{
    static const char *const bad[] = {
        "",
        "opt/a",
        "name=opt/a",
        "string=x",
        "opt/a,string=x,file=/dev/null",
        "opt/a,string=x,size=1",
        "opt/a,file=/nonexistent/file",
        "opt/taken,string=x",
    };

    ck_assert(fw_cfg_add_from_text(cfg, "name=opt/taken,string=hello", NULL));
    ck_assert(fw_cfg_add_from_text(cfg, "opt/two,string=a,,b", NULL));
    ck_assert(fw_cfg_add_from_text(cfg, "opt/file,file=/dev/null", NULL));
    expect_bytes(0x20, "", 0);
    expect_bytes(0x21, "hello", 5);
    expect_bytes(0x22, "a,b", 3);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;

        ck_assert_msg(!fw_cfg_add_from_text(cfg, bad[i], &error), "accepted: %s", bad[i]);
        ck_assert_ptr_nonnull(error);
        g_error_free(error);
    }
}
END_TEST

START_TEST(test_legacy_order)
{
    /* Order of -M pc-i440fx-2.5 in QEMU 7.2, added here in another. */
    static const char *const names[] = {
        "etc/boot-fail-wait",
        "etc/smbios/smbios-tables",
        "etc/smbios/smbios-anchor",
        "etc/e820",
        "genroms/kvmvapic.bin",
        "etc/system-states",
        "etc/acpi/tables",
        "etc/table-loader",
        "etc/tpm/log",
        "etc/acpi/rsdp",
        "bootorder",
    };
    static const int added[] = {10, 3, 6, 5, 0, 1, 9, 2, 4, 8, 7};
    MemoryRegion other;

    memory_region_init(&other, NULL, "other io", KiB(64));
    device_add_global("fw_cfg_io", "x-legacy-order", "on", false);
    cfg = fw_cfg_new_io(&other, NULL, NULL);
    ck_assert_ptr_nonnull(cfg);
    address_space_destroy(&io);
    address_space_init(&io, &other, "other I/O");
    for (size_t i = 0; i < G_N_ELEMENTS(added); i++) {
        ck_assert(fw_cfg_add_file(cfg, names[added[i]], names[added[i]], 4, NULL));
    }
    ck_assert(
        fw_cfg_add_file(cfg, "opt/b", "b", 1, NULL)); /* others in order of adding */
    ck_assert(fw_cfg_add_file(cfg, "opt/a", "a", 1, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        expect_bytes(0x20 + i, names[i], 4);
    }
    expect_bytes(0x20 + 11, "b", 1);
    expect_bytes(0x20 + 12, "a", 1);
    expect_bytes(FW_CFG_ID, "\1\0\0", 4); /* no DMA */
    ck_assert_uint_eq(in(0x514, 1), in(0x51c, 1));
}
END_TEST

/* -- DMA -------------------------------------------------------------------------------
 */

START_TEST(test_dma_register)
{
    uint64_t value = 0;

    ck_assert_uint_eq(in(0x514, 4), 0x554d4551); /* "QEMU", big-endian */
    ck_assert_uint_eq(in(0x518, 4), 0x47464320); /* " CFG" */
    ck_assert_uint_eq(in(0x514, 8), UINT64_C(0x47464320554d4551));
    ck_assert_uint_eq(in(0x51b, 1), 'G');
    ck_assert_uint_eq(in(0x516, 2), 'M' | 'U' << 8);
    ck_assert_uint_ne(address_space_store(&io, 0x514, 2, 0, attrs), MEMTX_OK);
    ck_assert_uint_ne(address_space_store(&io, 0x514, 1, 0, attrs), MEMTX_OK);
    ck_assert_uint_eq(address_space_load(&io, 0x514, 8, &value, attrs), MEMTX_OK);
}
END_TEST

START_TEST(test_dma_read)
{
    ck_assert(fw_cfg_add_file(cfg, "f", "0123456789", 10, NULL));
    memset(guest + BUFFER, 0xaa, 32);
    ck_assert_uint_eq(dma(0x20 << 16 | DMA_SELECT | DMA_READ, 4, BUFFER), 0);
    ck_assert_mem_eq(guest + BUFFER, "0123\xaa", 5);
    ck_assert_uint_eq(dma(DMA_SKIP, 2, 0), 0);
    ck_assert_uint_eq(in(0x511, 1), '6'); /* one position for both interfaces */
    ck_assert_uint_eq(dma(DMA_READ, 16, BUFFER), 0);
    ck_assert_mem_eq(guest + BUFFER, "789\0\0\0\0\0\0\0\0\0\0\0\0\0\xaa", 17);
    ck_assert_uint_eq(dma(DMA_READ, 4, BUFFER + 16), 0); /* and zeroes for ever */
    ck_assert_mem_eq(guest + BUFFER + 16, "\0\0\0\0\xaa", 5);
    ck_assert_uint_eq(dma(0x20 << 16 | DMA_SELECT, 4, BUFFER), 0); /* select alone */
    ck_assert_mem_eq(guest + BUFFER, "789", 3);
    ck_assert_uint_eq(in(0x511, 1), '0');
    ck_assert_uint_eq(dma(0x7f << 16 | DMA_SELECT | DMA_READ, 4, BUFFER), 0);
    ck_assert_mem_eq(guest + BUFFER, "\0\0\0\0", 4); /* a key without an item */
    ck_assert_uint_eq(dma(DMA_SELECT | DMA_READ | DMA_WRITE | DMA_SKIP, 4, BUFFER), 0);
    ck_assert_mem_eq(guest + BUFFER, "QEMU", 4); /* reading comes first */
}
END_TEST

START_TEST(test_dma_nowhere)
{
    static const struct {
        uint64_t address;
        uint32_t length;
    } bad[] = {
        {RAM_SIZE, 1},
        {RAM_SIZE - 4, 8},
        {UINT64_MAX - 3, 4},
        {UINT64_MAX, 2},
        {GiB(64), UINT32_MAX},
        {0, UINT32_MAX},
        {RAM_SIZE - 4, UINT32_MAX},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        ck_assert_uint_eq(dma_at(RAM_SIZE - 0x100, DMA_SELECT | DMA_READ, bad[i].length,
                                 bad[i].address),
                          DMA_ERROR);
        ck_assert_uint_eq(in(0x514, 4), 0x554d4551);
    }
    /* Skipping reaches no memory. */
    ck_assert_uint_eq(dma(DMA_SELECT | DMA_SKIP, UINT32_MAX, UINT64_MAX), 0);
    ck_assert_uint_eq(dma(DMA_SKIP, UINT32_MAX, UINT64_MAX), 0);
    ck_assert_uint_eq(in(0x511, 1), 0);
    ck_assert_uint_eq(dma(DMA_SELECT | DMA_READ, 0, UINT64_MAX), 0);
    /* A descriptor that is nowhere, or half so: the device goes on. */
    out(0x514, 4, UINT32_MAX);
    out(0x518, 4, UINT32_MAX);
    out(0x514, 8, GUINT64_SWAP_LE_BE(RAM_SIZE - 8));
    ck_assert_uint_eq(guest[RAM_SIZE - 5], DMA_ERROR);
    out(0x514, 8, GUINT64_SWAP_LE_BE(RAM_SIZE));
    ck_assert_uint_eq(dma(DMA_SELECT | DMA_READ, 4, BUFFER), 0);
    ck_assert_mem_eq(guest + BUFFER, "QEMU", 4);
}
END_TEST

/* With RAM at the very end, a transfer does not go on at address 0. */
START_TEST(test_dma_wrap)
{
    MemoryRegion top;

    memory_region_init_alias(&top, NULL, "top", &ram, 0x3000, 0x1000);
    memory_region_add_subregion(&memory_root, UINT64_MAX - 0xfff, &top);
    memset(guest, 0xaa, 4);
    ck_assert_uint_eq(dma(DMA_SELECT | DMA_READ, 8, UINT64_MAX - 3), DMA_ERROR);
    ck_assert_mem_eq(guest, "\xaa\xaa\xaa\xaa", 4);
    ck_assert_uint_eq(dma(DMA_SELECT | DMA_READ, 3, UINT64_MAX - 3), 0);
    ck_assert_mem_eq(guest + 0x3ffc, "QEM", 3);
    ck_assert_uint_eq(dma(DMA_SELECT | DMA_READ, 4, UINT64_MAX - 3), 0);
    memset(guest + 0x3ff8, 0x55, 8);
    out(0x514, 8, GUINT64_SWAP_LE_BE(UINT64_MAX - 7)); /* nor does a descriptor */
    ck_assert_mem_eq(guest + 0x3ff8, "UUUUUUUU", 8);
}
END_TEST

static unsigned selects, writes;
static size_t write_start, write_length;

static void count_select(void *opaque)
{
    selects++;
}

static void count_write(void *opaque, size_t start, size_t length)
{
    writes++;
    write_start = start;
    write_length = length;
}

START_TEST(test_dma_write)
{
    uint8_t data[8] = "abcdefgh";

    ck_assert(fw_cfg_add_file_callback(cfg, "w", count_select, count_write, NULL, data, 8,
                                       true, NULL));
    ck_assert(fw_cfg_add_file_callback(cfg, "x", NULL, count_write, NULL, data, 8, false,
                                       NULL));
    memcpy(guest + BUFFER, "12345678", 8);
    ck_assert_uint_eq(dma(0x20 << 16 | DMA_SELECT | DMA_SKIP, 2, 0), 0);
    ck_assert_uint_eq(selects, 1);
    ck_assert_uint_eq(dma(DMA_WRITE, 3, BUFFER), 0);
    ck_assert_mem_eq(data, "ab123fgh", 8);
    ck_assert_uint_eq(writes, 1);
    ck_assert_uint_eq(write_start, 2);
    ck_assert_uint_eq(write_length, 3);
    /* Past the end, a read-only file, an item that is none, memory that is none. */
    ck_assert_uint_eq(dma(DMA_WRITE, 4, BUFFER), DMA_ERROR);
    ck_assert_mem_eq(data, "ab123123", 8);
    ck_assert_uint_eq(dma(DMA_WRITE, 1, BUFFER), DMA_ERROR);
    ck_assert_uint_eq(dma(0x21 << 16 | DMA_SELECT | DMA_WRITE, 1, BUFFER), DMA_ERROR);
    ck_assert_uint_eq(dma(DMA_SELECT | DMA_WRITE, 1, BUFFER), DMA_ERROR);
    ck_assert_uint_eq(dma(0x7f << 16 | DMA_SELECT | DMA_WRITE, 1, BUFFER), DMA_ERROR);
    ck_assert_uint_eq(dma(0x20 << 16 | DMA_SELECT | DMA_WRITE, 1, RAM_SIZE), DMA_ERROR);
    ck_assert_mem_eq(data, "ab123123", 8);
}
END_TEST

static char *made;

static void make_file(void *opaque)
{
    g_free(made);
    made = g_strdup_printf("made %u", ++selects);
    fw_cfg_add_file(cfg, "made", made, strlen(made), NULL);
}

/* A file that replaces its own data when it is selected. */
START_TEST(test_select_callback)
{
    ck_assert(fw_cfg_add_file_callback(cfg, "made", make_file, NULL, NULL, (void *)"old",
                                       3, false, NULL));
    selects = 0;
    expect_bytes(0x20, "made 1", 6);
    expect_bytes(0x20, "made 2", 6);
    ck_assert_uint_eq(dma(0x20 << 16 | DMA_SELECT | DMA_READ, 6, BUFFER), 0);
    ck_assert_mem_eq(guest + BUFFER, "made 3", 6);
}
END_TEST

/* -- A PC's items ---------------------------------------------------------------- */

typedef struct ExpectedFile {
    const char *name;
    uint16_t key;
    size_t length;
} ExpectedFile;

static void check_file(const char *name, uint16_t key, size_t length, void *opaque)
{
    const ExpectedFile **next = opaque;

    ck_assert_msg((*next)->name != NULL, "'%s' is one too many", name);
    ck_assert_str_eq(name, (*next)->name);
    ck_assert_uint_eq(key, (*next)->key);
    ck_assert_uint_eq(length, (*next)->length);
    (*next)++;
}

static void expect_files(const ExpectedFile *files)
{
    fw_cfg_foreach_file(cfg, check_file, &files);
    ck_assert_ptr_null(files->name);
}

static PCFirmwareConfig pc_config(const SMBIOSInfo *smbios)
{
    return (PCFirmwareConfig){
        .ram_size = MiB(128),
        .ram_below_4g = MiB(128),
        .ram_above_4g_start = GiB(4),
        .amd_ht_range = true,
        .cpus = 1,
        .max_cpus = 1,
        .boot_menu_wait = -1,
        .boot_fail_wait = -1,
        .bios_geometry = "",
        .hpet = true,
        .sleep_states = true,
        .smbios = smbios,
    };
}

/* QEMU 7.2: -M pc -nodefaults -m 128 (ACPI's files aside, hence other keys),
 * under TCG. */
START_TEST(test_pc)
{
    static const ExpectedFile files[] = {
        {"bios-geometry", 0x20, 0},
        {"bootorder", 0x21, 0},
        {"etc/boot-fail-wait", 0x22, 4},
        {"etc/e820", 0x23, 40},
        {"etc/smbios/smbios-anchor", 0x24, 31},
        {"etc/smbios/smbios-tables", 0x25, 321},
        {"etc/system-states", 0x26, 6},
        {"genroms/kvmvapic.bin", 0x27, 9216},
        {NULL},
    };
    SMBIOSInfo smbios;
    PCFirmwareConfig config = pc_config(&smbios);
    g_autofree uint8_t *rom = g_malloc0(9216);
    uint8_t hpet[1 + 8 * 15] = {0};

    smbios_info_init(&smbios, "Standard PC (i440FX + PIIX, 1996)", "pc-i440fx-7.2");
    config.kvmvapic = g_bytes_new_static(rom, 9216);
    ck_assert(pc_fw_cfg_populate(cfg, &config, NULL));
    g_bytes_unref(config.kvmvapic);
    expect_files(files);
    expect_bytes(0x22, "\xff\xff\xff\xff", 4);
    expect_bytes(0x23,
                 "\0\0\0\0\xfd\0\0\0\0\0\0\0\3\0\0\0\2\0\0\0"
                 "\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\0\1\0\0\0",
                 40);
    expect_bytes(0x26, "\x80\0\0\x81\x82\x80", 6);
    expect_bytes(FW_CFG_RAM_SIZE, "\0\0\0\x08\0\0\0", 8);
    expect_bytes(FW_CFG_NB_CPUS, "\1", 2);
    expect_bytes(FW_CFG_MAX_CPUS, "\1", 2);
    expect_bytes(FW_CFG_IRQ0_OVERRIDE, "\1\0\0", 4);
    memcpy(hpet, "\1\1\xa2\x86\x80\0\0\xd0\xfe", 9);
    expect_bytes(FW_CFG_HPET, hpet, sizeof(hpet));
}
END_TEST

/* -M pc -m 5G -smp 2,maxcpus=4 -boot menu=on,splash-time=500,reboot-timeout=7 and one
 * disk. */
START_TEST(test_pc_told)
{
    static const ExpectedFile files[] = {
        {"bios-geometry", 0x20, 0},      {"bootorder", 0x21, 34},
        {"etc/boot-fail-wait", 0x22, 4}, {"etc/boot-menu-wait", 0x23, 2},
        {"etc/e820", 0x24, 80},          {"etc/msr_feature_control", 0x25, 8},
        {"etc/system-states", 0x26, 6},  {NULL},
    };
    PCFirmwareConfig config = pc_config(NULL);
    BootOrder *order = boot_order_new();

    ck_assert(boot_order_add(order, 3, "/pci@i0cf8/ide@1,1/drive@0", "/disk@0", NULL));
    config.ram_size = GiB(5);
    config.ram_below_4g = GiB(3);
    config.ram_above_4g = GiB(2);
    config.kvm_pages = true;
    config.cpus = 2;
    config.max_cpus = 4;
    config.boot_menu = true;
    config.boot_menu_wait = 500;
    config.boot_fail_wait = 7;
    config.boot_order = boot_order_to_bytes(order, false);
    config.hpet = false;
    config.disable_s3 = true;
    config.msr_feature_control = 5;
    ck_assert(pc_fw_cfg_populate(cfg, &config, NULL));
    g_bytes_unref(config.boot_order);
    boot_order_free(order);
    expect_files(files);
    expect_bytes(0x21, "/pci@i0cf8/ide@1,1/drive@0/disk@0", 34);
    expect_bytes(0x22, "\7\0\0\0", 4);
    expect_bytes(0x23, "\xf4\1", 2);
    expect_bytes(0x24,
                 "\0\xc0\xff\xfe\0\0\0\0\0\x40\0\0\0\0\0\0\2\0\0\0"
                 "\0\0\0\0\xfd\0\0\0\0\0\0\0\3\0\0\0\2\0\0\0"
                 "\0\0\0\0\0\0\0\0\0\0\0\xc0\0\0\0\0\1\0\0\0"
                 "\0\0\0\0\1\0\0\0\0\0\0\x80\0\0\0\0\1\0\0\0",
                 80);
    expect_bytes(0x25, "\5\0\0\0\0\0\0\0", 8);
    expect_bytes(0x26, "\x80\0\0\1\x82\x80", 6);
    expect_bytes(FW_CFG_RAM_SIZE, "\0\0\0\x40\1\0\0\0", 8);
    expect_bytes(FW_CFG_NB_CPUS, "\2", 2);
    expect_bytes(FW_CFG_MAX_CPUS, "\4", 2);
    expect_bytes(FW_CFG_BOOT_MENU, "\1", 2);
    select_key(FW_CFG_HPET);
    ck_assert_uint_eq(in(0x511, 1), 0xff);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fw-cfg");
    TCase *tc = tcase_create("fw-cfg");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, test_signature);
    tcase_add_test(tc, test_port_sizes);
    tcase_add_test(tc, test_numbers);
    tcase_add_test(tc, test_directory);
    tcase_add_test(tc, test_file_limits);
    tcase_add_test(tc, test_option);
    tcase_add_test(tc, test_legacy_order);
    tcase_add_test(tc, test_dma_register);
    tcase_add_test(tc, test_dma_read);
    tcase_add_test(tc, test_dma_nowhere);
    tcase_add_test(tc, test_dma_wrap);
    tcase_add_test(tc, test_dma_write);
    tcase_add_test(tc, test_select_callback);
    tcase_add_test(tc, test_pc);
    tcase_add_test(tc, test_pc_told);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
