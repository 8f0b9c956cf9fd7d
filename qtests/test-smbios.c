/*
 * SMBIOS tables. The expected bytes were read by a guest of QEMU 7.2 (-M pc -nodefaults
 * and the options named at each) from its fw_cfg.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/e820.h"
#include "firmware/smbios.h"

/* -m 128 */
static const char plain_tables[] =
    "011b0001010203000000000000000000000000000000000006000051454d55005374616e"
    "646172642050432028693434304658202b20504949582c2031393936290070632d693434"
    "3066782d372e3200000316000301010200000303030200000000000000000051454d5500"
    "70632d6934343066782d372e320000042a000401030102b10f0600fdfb8b0703000000d0"
    "07d0074101ffffffffffff0000000101010200010043505520300051454d550070632d69"
    "34343066782d372e3200001017001001030600000200feff010000000000000000000000"
    "112800110010feffffffffff800009000100070200000002000000000000000000000000"
    "0000000044494d4d20300051454d550000131f001300000000ffff010000100100000000"
    "0000000000000000000000000000200b00200000000000000000007f04007f0000";
static const char plain_anchor[] =
    "5f534d5f001f020851000000000000005f444d495f00410100000000080028";

/* -m 128 -uuid 11223344-5566-7788-99aa-bbccddeeff00 and each -smbios field */
static const char told_tables[] =
    "00180000010200e803000800000000000000001c0402ffff56005700440000011b000101"
    "020304443322116655887799aabbccddeeff0006050651454d55005374616e6461726420"
    "50432028693434304658202b20504949582c20313939362900564500534500534b004641"
    "0000020f00020102030405010600030a00424d00425000425600425300424100424c0000"
    "0316000301010203040303030200000000000000000551454d550070632d693434306678"
    "2d372e3200435300434100434b0000042a000401030102b10f0600fdfb8b0703000000b8"
    "0bc4094101ffffffffffff04050601010102000100535020300051454d550070632d6934"
    "343066782d372e3200733400613400703400000b05000e026f656d31006f656d32000010"
    "17001001030600000200feff010000000000000000000000112800110010feffffffffff"
    "800009000102070200400603040506000000000040060000000000004c50203000424b00"
    "51454d550073313700613137007031370000131f001300000000ffff0100001001000000"
    "000000000000000000000000000000200b00200000000000000000007f04007f0000";
static const char told_anchor[] =
    "5f534d5f001f02084f000000000000005f444d495f00ae01000000000b0028";

/* -m 20G -smp sockets=2,cores=2,threads=2 */
static const char large_tables[] =
    "011b0001010203000000000000000000000000000000000006000051454d55005374616e"
    "646172642050432028693434304658202b20504949582c2031393936290070632d693434"
    "3066782d372e3200000316000301010200000303030200000000000000000051454d5500"
    "70632d6934343066782d372e320000042a000401030102b10f0600fdfb8b0703000000d0"
    "07d0074101ffffffffffff0000000202040200010043505520300051454d550070632d69"
    "34343066782d372e320000042a010401030102b10f0600fdfb8b0703000000d007d00741"
    "01ffffffffffff0000000202040200010043505520310051454d550070632d6934343066"
    "782d372e3200001017001001030600004001feff02000000000000000000000011280011"
    "0010feffffffffff00400900010007020000000200000000000000000000000000000000"
    "44494d4d20300051454d550000112801110010feffffffffff0010090001000702000000"
    "020000000000000000000000000000000044494d4d20310051454d550000131f00130000"
    "0000ffff2f00001001000000000000000000000000000000000000131f011300004000ff"
    "ff4f01001001000000000000000000000000000000000000200b00200000000000000000"
    "007f04007f0000";
static const char large_anchor[] =
    "5f534d5f001f020851000000000000005f444d495f00db01000000000b0028";

#define PRODUCT "Standard PC (i440FX + PIIX, 1996)"
#define VERSION "pc-i440fx-7.2"

static SMBIOSInfo info;

static void setup(void)
{
    GArray *e820 = e820_table_new();

    smbios_info_init(&info, PRODUCT, VERSION);
    info.processor.cpuid_eax = 0x00060fb1; /* qemu64 */
    info.processor.cpuid_edx = 0x078bfbfd;
    info.ram_size = MiB(128);
    e820_table_add(e820, UINT64_C(0xfd00000000), GiB(12), E820_RESERVED);
    e820_table_add(e820, 0, MiB(128), E820_RAM);
    info.e820 = e820;
}

static void teardown(void)
{
    g_array_unref((GArray *)info.e820);
}

static char *to_hex(const GByteArray *bytes)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < bytes->len; i++) {
        g_string_append_printf(text, "%02x", bytes->data[i]);
    }
    return g_string_free(text, FALSE);
}

static void expect(const char *expected_tables, const char *expected_anchor)
{
    g_autoptr(GByteArray) tables = NULL;
    g_autoptr(GByteArray) anchor = NULL;
    g_autofree char *tables_hex = NULL;
    g_autofree char *anchor_hex = NULL;

    smbios_build(&info, &tables, &anchor);
    tables_hex = to_hex(tables);
    anchor_hex = to_hex(anchor);
    ck_assert_str_eq(tables_hex, expected_tables);
    ck_assert_str_eq(anchor_hex, expected_anchor);
}

START_TEST(test_plain)
{
    expect(plain_tables, plain_anchor);
}
END_TEST

START_TEST(test_told)
{
    static const uint8_t uuid[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                     0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00};
    static const char *const oem_strings[] = {"oem1", "oem2", NULL};

    info.bios.present = true;
    info.bios.vendor = "V";
    info.bios.version = "W";
    info.bios.date = "D";
    info.bios.release_major = 4;
    info.bios.release_minor = 2;
    info.bios.uefi = true;
    info.system.version = "VE";
    info.system.serial = "SE";
    info.system.sku = "SK";
    info.system.family = "FA";
    info.system.uuid = uuid;
    info.board.present = true;
    info.board.manufacturer = "BM";
    info.board.product = "BP";
    info.board.version = "BV";
    info.board.serial = "BS";
    info.board.asset = "BA";
    info.board.location = "BL";
    info.chassis.serial = "CS";
    info.chassis.asset = "CA";
    info.chassis.sku = "CK";
    info.processor.socket_prefix = "SP";
    info.processor.serial = "s4";
    info.processor.asset = "a4";
    info.processor.part = "p4";
    info.processor.max_speed = 3000;
    info.processor.current_speed = 2500;
    info.oem_strings = oem_strings;
    info.memory.location_prefix = "LP";
    info.memory.bank = "BK";
    info.memory.serial = "s17";
    info.memory.asset = "a17";
    info.memory.part = "p17";
    info.memory.speed = 1600;
    expect(told_tables, told_anchor);
}
END_TEST

START_TEST(test_large)
{
    g_array_set_size((GArray *)info.e820, 1);
    e820_table_add((GArray *)info.e820, 0, GiB(3), E820_RAM);
    e820_table_add((GArray *)info.e820, GiB(4), GiB(17), E820_RAM);
    info.ram_size = GiB(20);
    info.processor.sockets = 2;
    info.processor.cores = 2;
    info.processor.threads = 2;
    expect(large_tables, large_anchor);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smbios");
    TCase *tc = tcase_create("smbios");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_plain);
    tcase_add_test(tc, test_told);
    tcase_add_test(tc, test_large);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
