/*
 * vmd's machines: maps and CMOS bytes worked out by hand from vmd's sources, images,
 * BARs, and what a reset leaves.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "qtests/machine-map.h"

static char *directory;
static QtestClient *vm;

static void setup(void)
{
    directory = g_dir_make_tmp("umbra-vmd-XXXXXX", NULL);
    ck_assert_ptr_nonnull(directory);
}

static void teardown(void)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;

    g_clear_pointer(&vm, qtest_client_free);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        g_remove(path);
    }
    g_rmdir(directory);
    g_clear_pointer(&directory, g_free);
}

static void start(const char *machine, const char *more)
{
    g_autofree char *arguments =
        g_strdup_printf("-nodefaults -M %s,apic-page=off %s", machine, more);

    vm = qtest_client_new(arguments);
}

/* -- Maps ---------------------------------------------------------------------------- */

typedef struct MapCase {
    const char *machine;
    uint64_t ram;
    const char *view;
} MapCase;

#define BIOS_2M "ffe00000-ffffffff vmd.bios\n"
#define BIOS_4M "ffc00000-ffffffff vmd.bios\n"

static const MapCase maps[] = {
    /* 7.0: RAM up to the hole at 0xf0000000 (3840 MiB), the rest from 4 GiB on. */
    {"vmd-7.0", MIB(1), "0-fffff vmd.ram\n"},
    {"vmd-7.0", MIB(1) + KIB(4), "0-100fff vmd.ram\n"},
    {"vmd-7.0", MIB(3), "0-2fffff vmd.ram\n"},
    {"vmd-7.0", MIB(3840) - KIB(4), "0-efffefff vmd.ram\n"},
    {"vmd-7.0", MIB(3840), "0-efffffff vmd.ram\n"},
    {"vmd-7.0", MIB(3840) + KIB(4),
     "0-efffffff vmd.ram\n100000000-100000fff vmd.ram+f0000000\n"},
    {"vmd-7.0", GIB(4) - KIB(4),
     "0-efffffff vmd.ram\n100000000-10fffefff vmd.ram+f0000000\n"},
    {"vmd-7.0", GIB(4), "0-efffffff vmd.ram\n100000000-10fffffff vmd.ram+f0000000\n"},
    {"vmd-7.0", GIB(4) + KIB(4),
     "0-efffffff vmd.ram\n100000000-110000fff vmd.ram+f0000000\n"},

    /* 7.1: 2 MiB below 4 GiB; a guest of up to 3 MiB gets 1 MiB of it. */
    {"vmd-7.1", MIB(1), "0-fffff vmd.ram\n" BIOS_2M},
    {"vmd-7.1", MIB(1) + KIB(4), "0-fffff vmd.ram\n" BIOS_2M},
    {"vmd-7.1", MIB(3) - KIB(4), "0-fffff vmd.ram\n" BIOS_2M},
    {"vmd-7.1", MIB(3), "0-fffff vmd.ram\n" BIOS_2M},
    {"vmd-7.1", MIB(3) + KIB(4), "0-300fff vmd.ram\n" BIOS_2M},
    {"vmd-7.1", MIB(512), "0-1fffffff vmd.ram\n" BIOS_2M},
    {"vmd-7.1", MIB(3840) - KIB(4), "0-efffefff vmd.ram\n" BIOS_2M},
    {"vmd-7.1", MIB(3840), "0-efffffff vmd.ram\n" BIOS_2M},
    {"vmd-7.1", MIB(3840) + KIB(4),
     "0-efffffff vmd.ram\n" BIOS_2M "100000000-100000fff vmd.ram+f0000000\n"},
    {"vmd-7.1", GIB(4),
     "0-efffffff vmd.ram\n" BIOS_2M "100000000-10fffffff vmd.ram+f0000000\n"},
    {"vmd-7.1", GIB(6),
     "0-efffffff vmd.ram\n" BIOS_2M "100000000-18fffffff vmd.ram+f0000000\n"},

    /* 7.6: 4 MiB of each. */
    {"vmd-7.6", MIB(1), "0-fffff vmd.ram\n" BIOS_4M},
    {"vmd-7.6", MIB(5) - KIB(4), "0-fffff vmd.ram\n" BIOS_4M},
    {"vmd-7.6", MIB(5), "0-fffff vmd.ram\n" BIOS_4M},
    {"vmd-7.6", MIB(5) + KIB(4), "0-500fff vmd.ram\n" BIOS_4M},
    {"vmd-7.6", MIB(3840), "0-efffffff vmd.ram\n" BIOS_4M},
    {"vmd-7.6", MIB(3840) + KIB(4),
     "0-efffffff vmd.ram\n" BIOS_4M "100000000-100000fff vmd.ram+f0000000\n"},
    {"vmd-7.6", GIB(4) + KIB(4),
     "0-efffffff vmd.ram\n" BIOS_4M "100000000-110000fff vmd.ram+f0000000\n"},
};

START_TEST(test_map)
{
    const MapCase *map = &maps[_i];
    g_autofree char *memory = g_strdup_printf("-m %" PRIu64 "K", map->ram >> 10);
    g_autofree char *view = NULL;

    start(map->machine, memory);
    view = machine_map(vm);
    ck_assert_msg(strcmp(view, map->view) == 0, "%s %s: the map is\n%snot\n%s",
                  map->machine, memory, view, map->view);
}
END_TEST

/* What is RAM for the firmware alone has a window of its own. */
START_TEST(test_reserved)
{
    g_autofree char *tree = NULL;

    start("vmd-7.1", "-m 512");
    tree = qtest_client_hmp(vm, "info mtree");
    ck_assert_msg(strstr(tree,
                         "0000000000000000-000000000009ffff (prio 0, ram): "
                         "alias vmd.low @vmd.ram 0000000000000000-000000000009ffff"),
                  "%s", tree);
    ck_assert_msg(strstr(tree, "00000000000a0000-00000000000fffff (prio 0, ram): "
                               "alias vmd.bios-low @vmd.ram "
                               "00000000000a0000-00000000000fffff"),
                  "%s", tree);
}
END_TEST

/* -- CMOS ---------------------------------------------------------------------------- */

static unsigned cmos(unsigned address)
{
    qtest_client_out(vm, 0x70, 1, address);
    return qtest_client_in(vm, 0x71, 1);
}

/* In units of 64 KiB: what is above 16 MiB and below the hole, and what is
 * above 4 GiB. */
static const struct {
    const char *machine, *memory;
    unsigned low, high;
} sizes[] = {
    {"vmd-7.0", "1M", 0, 0},
    {"vmd-7.0", "16M", 0, 0},
    {"vmd-7.0", "16448K", 1, 0}, /* 64 KiB more */
    {"vmd-7.0", "16444K", 0, 0}, /* a page less than that */
    {"vmd-7.1", "512M", 496 * 16, 0},
    {"vmd-7.1", "3840M", 3824 * 16, 0},
    {"vmd-7.1", "3841M", 3824 * 16, 16},
    {"vmd-7.6", "5G", 3824 * 16, 1280 * 16},
    {"vmd-7.0", "32G", 3824 * 16, 28928 * 16}, /* 0x71000: all three bytes */
};

START_TEST(test_cmos)
{
    g_autofree char *memory = g_strdup_printf("-m %s", sizes[_i].memory);

    start(sizes[_i].machine, memory);
    ck_assert_uint_eq(cmos(0x34) | cmos(0x35) << 8, sizes[_i].low);
    ck_assert_uint_eq(cmos(0x5b) | cmos(0x5c) << 8 | cmos(0x5d) << 16, sizes[_i].high);
    ck_assert_uint_eq(cmos(0x15) | cmos(0x16) << 8, 0); /* vmd leaves the others alone */
    ck_assert_uint_eq(cmos(0x30) | cmos(0x31) << 8, 0);
    ck_assert_uint_eq(cmos(0x5f), 0);
}
END_TEST

/* -- Images -------------------------------------------------------------------------- */

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 7 + (at >> 8) * 13 + (at >> 16) * 29 + 1);
}

static char *make_image(const char *name, size_t size, bool compressed)
{
    char *path = g_build_filename(directory, name, NULL);
    g_autofree uint8_t *bytes = g_malloc(size + 1);

    for (size_t i = 0; i < size; i++) {
        bytes[i] = pattern(i);
    }
    if (compressed) {
        gzFile file = gzopen(path, "wb");

        ck_assert_int_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
        gzclose(file);
    } else {
        ck_assert(g_file_set_contents(path, (char *)bytes, (gssize)size, NULL));
    }
    return path;
}

/* The image's last `low` bytes end at 1 MiB, with zeroes before; all of it ends at 4 GiB
 * where there is an area. */
static const struct {
    const char *machine;
    uint64_t size, low;
    bool compressed, area;
} images[] = {
    {"vmd-7.0", 16, 16, false, false},
    {"vmd-7.0", KIB(64), KIB(64), true, false},
    {"vmd-7.0", KIB(512), KIB(512), false, false}, /* reaches below 640 KiB */
    {"vmd-7.0", MIB(1), MIB(1), false, false},
    {"vmd-7.1", 16, 16, false, true},
    {"vmd-7.1", KIB(100) + 1, KIB(100) + 1, true, true},
    {"vmd-7.1", KIB(512), KIB(512), false, true},
    {"vmd-7.1", MIB(1), MIB(1), true, true},
    {"vmd-7.6", 16, 16, true, true},
    {"vmd-7.6", KIB(384), KIB(384), false, true},
    {"vmd-7.6", KIB(384) + 1, KIB(384), false, true},
    {"vmd-7.6", MIB(4), KIB(384), true, true},
};

START_TEST(test_image)
{
    uint64_t size = images[_i].size, low = images[_i].low;
    g_autofree char *path = make_image("image", size, images[_i].compressed);
    g_autofree char *bios = g_strdup_printf("-bios %s", path);

    start(images[_i].machine, bios);
    machine_check_byte(vm, MIB(1) - 1, pattern(size - 1));
    machine_check_byte(vm, MIB(1) - 16, pattern(size - 16));
    machine_check_byte(vm, MIB(1) - low, pattern(size - low));
    if (low < MIB(1)) {
        machine_check_byte(vm, MIB(1) - low - 1, 0);
    }
    machine_check_byte(vm, MIB(1), 0);
    machine_check_byte(vm, GIB(4) - 1, images[_i].area ? pattern(size - 1) : 0xff);
    machine_check_byte(vm, GIB(4) - size, images[_i].area ? pattern(0) : 0xff);
    machine_check_byte(vm, GIB(4) - size / 2,
                       images[_i].area ? pattern(size - size / 2) : 0xff);
    if (images[_i].area && size < MIB(2)) {
        machine_check_byte(vm, GIB(4) - size - 1, 0);
    }
}
END_TEST

static const struct {
    const char *machine;
    uint64_t size;
    const char *words;
} bad_images[] = {
    {"vmd-7.0", 15, "too small"},
    {"vmd-7.1", 15, "too small"},
    {"vmd-7.6", 15, "too small"},
    {"vmd-7.6", 0, "empty"},
    {"vmd-7.0", MIB(1) + 1, "larger than 1 MiB"},
    {"vmd-7.1", MIB(1) + 1, "larger than 1 MiB"},
    {"vmd-7.6", MIB(4) + 1, "larger than 4 MiB"},
};

START_TEST(test_bad_image)
{
    for (int compressed = 0; compressed < 2; compressed++) {
        g_autofree char *path = make_image("image", bad_images[_i].size, compressed);
        g_autofree char *bios = g_strdup_printf("-bios %s", path);
        g_autofree char *line = machine_refusal(bad_images[_i].machine, bios);

        ck_assert_msg(strstr(line, "Input/output error") &&
                          strstr(line, bad_images[_i].words),
                      "%s", line);
    }
}
END_TEST

START_TEST(test_cut_image)
{
    g_autofree char *path = make_image("image", KIB(256), true);
    g_autofree char *bios = g_strdup_printf("-bios %s", path);
    g_autofree char *line = NULL, *bytes = NULL;
    gsize length;

    ck_assert(g_file_get_contents(path, &bytes, &length, NULL));
    ck_assert(g_file_set_contents(path, bytes, (gssize)length / 2, NULL));
    line = machine_refusal("vmd-7.6", bios);
    ck_assert_msg(strstr(line, "Input/output error") && strstr(line, "cut short"), "%s",
                  line);
}
END_TEST

START_TEST(test_too_much_memory)
{
    g_autofree char *line = machine_refusal("vmd-7.1", "-m 32772M");

    ck_assert_msg(strstr(line, "at most 32 GiB"), "%s", line);
}
END_TEST

/* -- Devices ------------------------------------------------------------------------- */

START_TEST(test_devices)
{
    start("vmd-7.1", "");
    ck_assert_uint_eq(machine_pci_config(vm, 0, 0), 0x06660b5d);
    ck_assert_uint_eq(machine_pci_config(vm, 0, 8), 0x06000000);
    ck_assert_uint_eq(machine_pci_config(vm, 0, 0x2c), 0x00000b5d);
    ck_assert_uint_eq(machine_pci_config(vm, 1, 0), 0xffffffff);
    ck_assert_uint_eq(qtest_client_in(vm, 0x3fd, 1), 0x60); /* COM1, empty */
    ck_assert_uint_eq(qtest_client_in(vm, 0x2fd, 1), 0xff);
    ck_assert_uint_eq(qtest_client_in(vm, 0x64, 1), 0xff); /* no keyboard controller */
    ck_assert_uint_eq(qtest_client_in(vm, 0x92, 1), 0xff);
    qtest_client_out(vm, 0x510, 2, 4); /* fw_cfg's NOGRAPHIC */
    ck_assert_uint_eq(qtest_client_in(vm, 0x511, 1), 1);
    /* No guest, no fault: who only looks into the hole goes on. */
    ck_assert_uint_eq(qtest_client_read(vm, 0xf0000000, 4), 0xffffffff);
    ck_assert_uint_eq(qtest_client_read(vm, 0xe0000000, 4), 0xffffffff);
}
END_TEST

/* edu has 1 MiB of registers. vmd steps by 64 KiB at least, and I/O by 4 KiB. */
START_TEST(test_bars)
{
    g_autofree char *disk = make_image("disk", MIB(1), false);
    g_autofree char *devices =
        g_strdup_printf("-drive file=%s,format=raw -device edu -device edu", disk);

    start("vmd-7.1", devices);
    for (int turn = 0; turn < 2; turn++) {
        ck_assert_uint_eq(machine_pci_config(vm, 1, 0x20),
                          0x1001); /* the disk's bus-master BAR */
        ck_assert_uint_eq(machine_pci_config(vm, 2, 0x10), 0xf0000000);
        ck_assert_uint_eq(machine_pci_config(vm, 3, 0x10), 0xf0100000);
        ck_assert_uint_eq(machine_pci_config(vm, 3, 4) & 3, 3);
        ck_assert_uint_eq(machine_pci_config(vm, 2, 0x3c) & 0xffff,
                          0x0105); /* INTA# to IRQ 5 */
        ck_assert_uint_eq(machine_pci_config(vm, 3, 0x3c) & 0xffff, 0x0106);
        ck_assert_uint_eq(qtest_client_read(vm, 0xf0100000, 4), 0x010000ed);
        machine_reset_and_wait(vm);
    }
}
END_TEST

START_TEST(test_explain)
{
    static const struct {
        const char *machine, *address, *words;
    } cases[] = {
        {"vmd-7.0", "0xfffffff0", "vmd's hole for PCI, 0xf0000000-0xffffffff"},
        {"vmd-7.1", "0xffdfffff", "vmd's hole for PCI, 0xf0000000-0xffdfffff"},
        {"vmd-7.1", "0xfffffff0", "vmd.bios"},
        {"vmd-7.1", "0x40000000", "vmd gives the guest nothing here"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *command = g_strdup_printf("explain %s", cases[i].address);
        g_autofree char *text = NULL;

        start(cases[i].machine, "");
        text = qtest_client_hmp(vm, command);
        ck_assert_msg(strstr(text, cases[i].words), "%s: %s", command, text);
        g_clear_pointer(&vm, qtest_client_free);
    }
}
END_TEST

/* 256 MiB fit into 7.0's hole and not into 7.1's, 2 MiB less. */
START_TEST(test_bars_that_do_not_fit)
{
    const char *device = "-device VGA,vgamem_mb=256,mmio=off";
    g_autofree char *line = machine_refusal("vmd-7.1", device);

    ck_assert_msg(strstr(line, "does not fit"), "%s", line);
    start("vmd-7.0", "-device VGA,vgamem_mb=128 -device edu");
    ck_assert_uint_eq(machine_pci_config(vm, 1, 0x10) & ~15u, 0xf0000000);
    ck_assert_uint_eq(machine_pci_config(vm, 2, 0x10),
                      0xf8100000); /* behind VGA's 4 KiB, aligned */
}
END_TEST

/* -- Resets -------------------------------------------------------------------------- */

/* A guest that reboots is a new process of vmd's: memory is empty but for the image. */
START_TEST(test_reset)
{
    g_autofree char *path = make_image("image", KIB(64), false);
    g_autofree char *bios = g_strdup_printf("-m 5G -bios %s", path);
    static const uint64_t ram[] = {0x500, 0x9ffff, 0x100000, 0xefffffff, 0x100000000};

    start("vmd-7.1", bios);
    for (size_t i = 0; i < G_N_ELEMENTS(ram); i++) {
        qtest_client_write(vm, ram[i], 1, 0x5a);
        machine_check_byte(vm, ram[i], 0x5a);
    }
    qtest_client_write(vm, 0xffff0, 1, 0x5a);
    qtest_client_write(vm, 0xfffffff0, 1, 0x5a); /* RAM, not ROM */
    qtest_client_write(vm, 0xffe00000, 1, 0x5a);
    machine_check_byte(vm, 0xffff0, 0x5a);
    machine_check_byte(vm, 0xfffffff0, 0x5a);
    machine_check_byte(vm, 0xffe00000, 0x5a);
    machine_reset_and_wait(vm);
    for (size_t i = 0; i < G_N_ELEMENTS(ram); i++) {
        machine_check_byte(vm, ram[i], 0);
    }
    machine_check_byte(vm, 0xffff0, pattern(KIB(64) - 16));
    machine_check_byte(vm, 0xfffffff0, pattern(KIB(64) - 16));
    machine_check_byte(vm, 0xffe00000, 0);
}
END_TEST

/* -- Moves --------------------------------------------------------------------------- */

/* Memory on both sides of the hole and the BIOS' area, the CMOS and a BAR that the guest
 * has moved are in the other process as they were. */
START_TEST(test_migration)
{
    g_autofree char *stream = g_build_filename(directory, "stream", NULL);
    g_autofree char *incoming =
        g_strdup_printf("-m 4G -incoming \"exec:cat %s\"", stream);

    start("vmd-7.1", "-m 4G");
    qtest_client_write(vm, 0x500, 4, 0x11223344);
    qtest_client_write(vm, 0x100000000, 4, 0x55667788);
    qtest_client_write(vm, 0xffe00000, 4, 0x99aabbcc);
    qtest_client_out(vm, 0x70, 1, 0x40);
    qtest_client_out(vm, 0x71, 1, 0x5a);
    qtest_client_out(vm, 0xcf8, 4, 0x80000040);
    qtest_client_out(vm, 0xcfc, 4, 0xc001d00d);
    json_node_unref(
        qtest_client_execute(vm, "migrate", NULL, "{\"uri\":\"exec:cat >%s\"}", stream));
    machine_wait_for_migration(vm);
    g_clear_pointer(&vm, qtest_client_free);

    start("vmd-7.1", incoming);
    machine_wait_for_migration(vm);
    ck_assert_uint_eq(qtest_client_read(vm, 0x500, 4), 0x11223344);
    ck_assert_uint_eq(qtest_client_read(vm, 0x100000000, 4), 0x55667788);
    ck_assert_uint_eq(qtest_client_read(vm, 0xffe00000, 4), 0x99aabbcc);
    ck_assert_uint_eq(cmos(0x40), 0x5a);
    ck_assert_uint_eq(machine_pci_config(vm, 0, 0x40), 0xc001d00d);
    ck_assert_uint_eq(machine_pci_config(vm, 0, 0), 0x06660b5d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vmd");
    TCase *tc = tcase_create("vmd");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 100);
    tcase_add_loop_test(tc, test_map, 0, G_N_ELEMENTS(maps));
    tcase_add_test(tc, test_reserved);
    tcase_add_loop_test(tc, test_cmos, 0, G_N_ELEMENTS(sizes));
    tcase_add_loop_test(tc, test_image, 0, G_N_ELEMENTS(images));
    tcase_add_loop_test(tc, test_bad_image, 0, G_N_ELEMENTS(bad_images));
    tcase_add_test(tc, test_cut_image);
    tcase_add_test(tc, test_too_much_memory);
    tcase_add_test(tc, test_devices);
    tcase_add_test(tc, test_bars);
    tcase_add_test(tc, test_explain);
    tcase_add_test(tc, test_bars_that_do_not_fit);
    tcase_add_test(tc, test_reset);
    tcase_add_test(tc, test_migration);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
