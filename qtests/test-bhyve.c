/*
 * bhyve's machine: maps and CMOS bytes worked out by hand from bhyve's sources, bootroms,
 * BARs and the frame buffer's segment, and what a reset and a move leave.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>

#include "qtests/machine-map.h"

static char *directory;
static QtestClient *vm;

static void setup(void)
{
    directory = g_dir_make_tmp("umbra-bhyve-XXXXXX", NULL);
    ck_assert_ptr_nonnull(directory);
}

static void teardown(void)
{
    static const char *const files[] = {"rom", "stream", "picture"};

    g_clear_pointer(&vm, qtest_client_free);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(directory, files[i], NULL);

        g_remove(path);
    }
    g_rmdir(directory);
    g_clear_pointer(&directory, g_free);
}

static void start(const char *arguments)
{
    g_autofree char *all = g_strdup_printf("-nodefaults -M bhyve %s", arguments);

    vm = qtest_client_new(all);
}

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 7 + (at >> 8) * 13 + (at >> 16) * 29 + 1);
}

static char *make_rom(size_t size)
{
    char *path = g_build_filename(directory, "rom", NULL);
    g_autofree uint8_t *bytes = g_malloc(size + 1);

    for (size_t i = 0; i < size; i++) {
        bytes[i] = pattern(i);
    }
    ck_assert(g_file_set_contents(path, (char *)bytes, (gssize)size, NULL));
    return path;
}

/* -- Maps ---------------------------------------------------------------------------- */

/* From 3 GiB on: the PCI hole, and in it configuration space, I/O APIC, HPET,
 * messages. */
#define HOLE_TO_BOOTROM                                                                  \
    "c0000000-dfffffff pci-hole\n"                                                       \
    "e0000000-efffffff pci-ecfg\n"                                                       \
    "f0000000-febfffff pci-hole+30000000\n"                                              \
    "fec00000-fec00fff ioapic\n"                                                         \
    "fec01000-fecfffff pci-hole+3ec01000\n"                                              \
    "fed00000-fed003ff hpet\n"                                                           \
    "fed00400-fedfffff pci-hole+3ed00400\n"                                              \
    "fee00000-feefffff apic-msi\n"
#define HOLE HOLE_TO_BOOTROM "fef00000-ffffffff pci-hole+3ef00000\n"

static const struct {
    const char *limit;
    uint64_t ram;
    const char *map;
} maps[] = {
    /* Nothing special at 1 MiB. */
    {"3G", MIB(1), "0-fffff sysmem\n100000-bfffffff memory-hole\n" HOLE},
    {"3G", MIB(1) + KIB(4), "0-100fff sysmem\n101000-bfffffff memory-hole\n" HOLE},
    {"3G", MIB(2) - KIB(4), "0-1fefff sysmem\n1ff000-bfffffff memory-hole\n" HOLE},
    {"3G", MIB(256), "0-fffffff sysmem\n10000000-bfffffff memory-hole\n" HOLE},
    /* The hole at 3 GiB: what does not fit below it is above 4 GiB. */
    {"3G", GIB(3) - KIB(4), "0-bfffefff sysmem\nbffff000-bfffffff memory-hole\n" HOLE},
    {"3G", GIB(3), "0-bfffffff sysmem\n" HOLE},
    {"3G", GIB(3) + KIB(4),
     "0-bfffffff sysmem\n" HOLE "100000000-100000fff sysmem+c0000000\n"},
    /* 4 GiB of memory, a page less and a page more. */
    {"3G", GIB(4) - KIB(4),
     "0-bfffffff sysmem\n" HOLE "100000000-13fffefff sysmem+c0000000\n"},
    {"3G", GIB(4), "0-bfffffff sysmem\n" HOLE "100000000-13fffffff sysmem+c0000000\n"},
    {"3G", GIB(4) + KIB(4),
     "0-bfffffff sysmem\n" HOLE "100000000-140000fff sysmem+c0000000\n"},
    {"3G", GIB(64), "0-bfffffff sysmem\n" HOLE "100000000-103fffffff sysmem+c0000000\n"},
    /* lowmem-limit: the PCI hole stays where it is. */
    {"1G", GIB(1) - KIB(4), "0-3fffefff sysmem\n3ffff000-bfffffff memory-hole\n" HOLE},
    {"1G", GIB(1), "0-3fffffff sysmem\n40000000-bfffffff memory-hole\n" HOLE},
    {"1G", GIB(1) + KIB(4),
     "0-3fffffff sysmem\n40000000-bfffffff memory-hole\n" HOLE
     "100000000-100000fff sysmem+40000000\n"},
    {"2G", GIB(5),
     "0-7fffffff sysmem\n80000000-bfffffff memory-hole\n" HOLE
     "100000000-1bfffffff sysmem+80000000\n"},
    {"1M", MIB(2),
     "0-fffff sysmem\n100000-bfffffff memory-hole\n" HOLE
     "100000000-1000fffff sysmem+100000\n"},
    {"3145724K", GIB(3),
     "0-bfffefff sysmem\nbffff000-bfffffff memory-hole\n" HOLE
     "100000000-100000fff sysmem+bffff000\n"},
};

START_TEST(test_map)
{
    g_autofree char *arguments = g_strdup_printf("-M lowmem-limit=%s -m %" PRIu64 "K",
                                                 maps[_i].limit, maps[_i].ram >> 10);
    g_autofree char *map = NULL;

    start(arguments);
    map = machine_map(vm);
    ck_assert_msg(strcmp(map, maps[_i].map) == 0, "%s: the map is\n%snot\n%s", arguments,
                  map, maps[_i].map);
}
END_TEST

/* Memory below 1 MiB is memory, without ROMs, PAM or a screen. */
START_TEST(test_first_megabyte)
{
    static const uint64_t addresses[] = {0x9ffff, 0xa0000, 0xb8000, 0xc0000,
                                         0xe0000, 0xf0000, 0xfffff};

    start("-bios bios-256k.bin");
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        machine_check_byte(vm, addresses[i], 0);
        qtest_client_write(vm, addresses[i], 1, 0x5a);
        machine_check_byte(vm, addresses[i], 0x5a);
    }
}
END_TEST

static unsigned cmos(unsigned address)
{
    qtest_client_out(vm, 0x70, 1, address);
    return qtest_client_in(vm, 0x71, 1);
}

/* In units of 64 KiB: low memory above 16 MiB, and memory above 4 GiB. */
static const struct {
    const char *memory;
    unsigned low, high;
} sizes[] = {
    {"-m 16M", 0, 0},
    {"-m 16448K", 1, 0},
    {"-m 16444K", 0, 0},
    {"-m 256M", 240 * 16, 0},
    {"-m 3G", 3056 * 16, 0},
    {"-m 4G", 3056 * 16, 1024 * 16},
    {"-M lowmem-limit=1G -m 34G", 1008 * 16, 33 * 1024 * 16}, /* 0x84000 */
};

START_TEST(test_cmos)
{
    start(sizes[_i].memory);
    ck_assert_uint_eq(cmos(0x34) | cmos(0x35) << 8, sizes[_i].low);
    ck_assert_uint_eq(cmos(0x5b) | cmos(0x5c) << 8 | cmos(0x5d) << 16, sizes[_i].high);
}
END_TEST

/* -- Bootroms ------------------------------------------------------------------------ */

/* Whole pages, which end at 4 GiB; below them the hole goes on. */
static const struct {
    uint64_t size;
    const char *map;
} bootroms[] = {
    {KIB(4), "fef00000-ffffefff pci-hole+3ef00000\nfffff000-ffffffff bootrom+fff000\n"},
    {KIB(12), "fef00000-ffffcfff pci-hole+3ef00000\nffffd000-ffffffff bootrom+ffd000\n"},
    {MIB(2), "fef00000-ffdfffff pci-hole+3ef00000\nffe00000-ffffffff bootrom+e00000\n"},
    {MIB(16) - KIB(4),
     "fef00000-ff000fff pci-hole+3ef00000\nff001000-ffffffff bootrom+1000\n"},
    {MIB(16), "fef00000-feffffff pci-hole+3ef00000\nff000000-ffffffff bootrom\n"},
};

START_TEST(test_bootrom)
{
    uint64_t size = bootroms[_i].size;
    g_autofree char *path = make_rom(size);
    g_autofree char *arguments = _i % 2 ? g_strdup_printf("-bios %s", path)
                                        : g_strdup_printf("-M bootrom=%s", path);
    g_autofree char *expected =
        g_strconcat("0-fffffff sysmem\n10000000-bfffffff memory-hole\n" HOLE_TO_BOOTROM,
                    bootroms[_i].map, NULL);
    g_autofree char *map = NULL;

    start(arguments);
    map = machine_map(vm);
    ck_assert_msg(strcmp(map, expected) == 0, "the map is\n%snot\n%s", map, expected);
    for (int turn = 0; turn < 2; turn++) {
        machine_check_byte(vm, GIB(4) - 1, pattern(size - 1));
        machine_check_byte(vm, GIB(4) - size, pattern(0));
        machine_check_byte(vm, GIB(4) - size - 1, 0xff);
        machine_check_byte(vm, 0xffff0, 0); /* no copy below 1 MiB */
        qtest_client_write(vm, GIB(4) - 1, 1, (uint8_t)~pattern(size - 1)); /* ROM */
        machine_check_byte(vm, GIB(4) - 1, pattern(size - 1));
        qtest_client_write(vm, GIB(4) - size - 1, 1, 0);
        machine_reset_and_wait(vm);
    }
}
END_TEST

static const struct {
    uint64_t size;
    const char *words;
} bad_bootroms[] = {
    {0, "is empty"},
    {1, "not a multiple of 4 KiB"},
    {KIB(4) + 1, "4097 bytes, not a multiple of 4 KiB"},
    {MIB(16) + KIB(4), "larger than 16 MiB"},
};

START_TEST(test_bad_bootrom)
{
    g_autofree char *path = make_rom(bad_bootroms[_i].size);
    g_autofree char *options = g_strdup_printf("-bios %s", path);
    g_autofree char *line = machine_refusal("bhyve", options);

    ck_assert_msg(strstr(line, bad_bootroms[_i].words) && strstr(line, path), "%s", line);
}
END_TEST

/* -- Command lines ------------------------------------------------------------------- */

static const struct {
    const char *machine, *options, *words;
} refusals[] = {
    {"bhyve,lowmem-limit=512K", "", "from 1 MiB to 3 GiB"},
    {"bhyve,lowmem-limit=3145732K", "", "from 1 MiB to 3 GiB"}, /* a page too much */
    {"bhyve,lowmem-limit=1073741825", "", "whole pages"},
    {"bhyve,bootrom=pam-test.bin", "-bios pam-test.bin", "one of them"},
    {"bhyve", "-bios pam-test.bin -kernel /etc/hostname", "leave one of them out"},
    {"bhyve", "-kernel /etc/hostname", "neither an ELF file nor an a.out file"},
    {"bhyve", "-kernel /nowhere", "No such file"},
    {"bhyve", "-initrd /etc/hostname", "-initrd"},
    {"bhyve", "-device bhyve-fbuf,w=639", "from 640x480 to 3840x2160"},
    {"bhyve", "-device bhyve-fbuf,h=2161", "from 640x480 to 3840x2160"},
    {"bhyve", "-device bhyve-fbuf -device bhyve-fbuf", "bhyve allows one"},
    {"bhyve",
     "-device VGA,vgamem_mb=256,mmio=off -device VGA,vgamem_mb=256,mmio=off "
     "-device bhyve-fbuf",
     "does not fit into bhyve's PCI hole"},
    {"pc", "-e a=b", "-e: a guest of pc-i440fx-7.2 has no such environment"},
};

START_TEST(test_refusal)
{
    g_autofree char *line = machine_refusal(refusals[_i].machine, refusals[_i].options);

    ck_assert_msg(strstr(line, refusals[_i].words), "%s %s: %s", refusals[_i].machine,
                  refusals[_i].options, line);
}
END_TEST

/* -- Devices ------------------------------------------------------------------------- */

START_TEST(test_devices)
{
    start("");
    ck_assert_uint_eq(machine_pci_config(vm, 0, 0), 0x12751275);
    ck_assert_uint_eq(machine_pci_config(vm, 0, 8), 0x06000000);
    ck_assert_uint_eq(machine_pci_config(vm, 1, 0), 0xffffffff);
    ck_assert_uint_eq(machine_pci_config(vm, 31, 0), 0x70008086);
    ck_assert_uint_eq(machine_pci_config(vm, 31, 8), 0x06010000);
    ck_assert_uint_eq(qtest_client_in(vm, 0x64, 1) & 2, 0); /* a keyboard controller */
    ck_assert_uint_eq(qtest_client_in(vm, 0x92, 1), 0xff);  /* no port 0x92 */
    ck_assert_uint_eq(qtest_client_in(vm, 0x2fd, 1), 0xff); /* ports as given */
    ck_assert_uint_eq(qtest_client_read(vm, 0xfed00000, 4) & 0xffff00ff,
                      0x80860001); /* HPET: Intel's, revision 1 */
    /* The hole gives ones; and no guest, no end where there is nothing. */
    ck_assert_uint_eq(qtest_client_read(vm, 0xc0000000, 4), 0xffffffff);
    ck_assert_uint_eq(qtest_client_read(vm, 0x20000000, 8), UINT64_MAX);
    ck_assert_uint_eq(qtest_client_read(vm, 0x200000000, 4), 0xffffffff);
}
END_TEST

/* Configuration space in memory: a function has 4 KiB, a bus 1 MiB. */
START_TEST(test_ecfg)
{
    start("-device bhyve-fbuf");
    ck_assert_uint_eq(qtest_client_read(vm, 0xe0000000, 4), 0x12751275);
    ck_assert_uint_eq(qtest_client_read(vm, 0xe0008002, 2), 0x40fb);
    ck_assert_uint_eq(qtest_client_read(vm, 0xe00f8000, 4), 0x70008086);
    ck_assert_uint_eq(qtest_client_read(vm, 0xe00080fc, 4),
                      0); /* the last of 256 bytes */
    ck_assert_uint_eq(qtest_client_read(vm, 0xe0008100, 4), 0xffffffff);
    ck_assert_uint_eq(qtest_client_read(vm, 0xe0100000, 4), 0xffffffff); /* bus 1 */
    ck_assert_uint_eq(qtest_client_read(vm, 0xefffffff, 1), 0xff);
    qtest_client_write(vm, 0xe000803c, 1, 0x0b);
    ck_assert_uint_eq(machine_pci_config(vm, 1, 0x3c) & 0xff, 0x0b);
}
END_TEST

static void set_config(unsigned slot, unsigned reg, uint32_t value)
{
    qtest_client_out(vm, 0xcf8, 4, 0x80000000 | slot << 11 | reg);
    qtest_client_out(vm, 0xcfc, 4, value);
}

/* The largest first, from 3 GiB on; turned on where there is no bootrom to do it. */
START_TEST(test_bars)
{
    for (int with_bootrom = 0; with_bootrom < 2; with_bootrom++) {
        start(with_bootrom ? "-device edu -device bhyve-fbuf -bios pam-test.bin"
                           : "-device edu -device bhyve-fbuf");
        for (int turn = 0; turn < 2; turn++) {
            ck_assert_uint_eq(machine_pci_config(vm, 2, 0x14), 0xc0000000); /* 32 MiB */
            ck_assert_uint_eq(machine_pci_config(vm, 1, 0x10), 0xc2000000); /* 1 MiB */
            ck_assert_uint_eq(machine_pci_config(vm, 2, 0x10),
                              0xc2100000); /* 128 bytes */
            ck_assert_uint_eq(machine_pci_config(vm, 1, 4) & 7, with_bootrom ? 0 : 6);
            ck_assert_uint_eq(qtest_client_read(vm, 0xc2000000, 4),
                              with_bootrom ? 0xffffffff : 0x010000ed);
            set_config(1, 0x10, 0xd0000000); /* a reset undoes it */
            machine_reset_and_wait(vm);
        }
        g_clear_pointer(&vm, qtest_client_free);
    }
}
END_TEST

/* I/O ports start at 0x2000. A BAR of more than 128 MiB that may lie above 4 GiB does:
 * past memory, from a multiple of 32 GiB on. */
START_TEST(test_other_bars)
{
    static const struct {
        const char *memory;
        uint32_t upper;
    } cases[] = {{"-m 256M", 8}, {"-m 31G", 8}, {"-m 32G", 16}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *arguments =
            g_strdup_printf("%s -device igd-stub -device bhyve-fbuf", cases[i].memory);

        start(arguments);
        ck_assert_uint_eq(machine_pci_config(vm, 1, 0x14), 0xc0000000); /* 32 MiB */
        ck_assert_uint_eq(machine_pci_config(vm, 2, 0x10),
                          0xc2000004); /* 4 MiB, 64 bits */
        ck_assert_uint_eq(machine_pci_config(vm, 2, 0x14), 0);
        ck_assert_uint_eq(machine_pci_config(vm, 2, 0x18), 0x0000000c); /* 256 MiB */
        ck_assert_uint_eq(machine_pci_config(vm, 2, 0x1c), cases[i].upper);
        ck_assert_uint_eq(machine_pci_config(vm, 2, 0x20), 0x2001);
        ck_assert_uint_eq(machine_pci_config(vm, 2, 4) & 7, 7);
        ck_assert_uint_eq(machine_pci_config(vm, 31, 0x2c), 0);
        g_clear_pointer(&vm, qtest_client_free);
    }
}
END_TEST

/* -- The frame buffer's segment ------------------------------------------------------ */

static void check_mapped(const char *range)
{
    g_autofree char *map = machine_map(vm);
    const char *found = strstr(map, " framebuffer");
    g_autofree char *wanted =
        range ? g_strdup_printf("\n%s framebuffer\n", range) : g_strdup("");

    ck_assert_msg(range ? strstr(map, wanted) != NULL : found == NULL, "%s\n%s",
                  range ? range : "nowhere", map);
}

/* The guest moves the mapping; the segment and what is in it stay. */
START_TEST(test_framebuffer_moves)
{
    start("-device bhyve-fbuf");
    check_mapped("c0000000-c1ffffff");
    qtest_client_write(vm, 0xc0001000, 4, 0x11223344);
    qtest_client_write(vm, 0xc1fffffc, 4, 0x55667788);

    set_config(1, 0x14, 0xd8000000);
    check_mapped("d8000000-d9ffffff");
    ck_assert_uint_eq(qtest_client_read(vm, 0xd8001000, 4), 0x11223344);
    ck_assert_uint_eq(qtest_client_read(vm, 0xd9fffffc, 4), 0x55667788);
    ck_assert_uint_eq(qtest_client_read(vm, 0xc0001000, 4), 0xffffffff);

    set_config(1, 4, 0); /* memory accesses off: nowhere */
    check_mapped(NULL);
    ck_assert_uint_eq(qtest_client_read(vm, 0xd8001000, 4), 0xffffffff);
    set_config(1, 0x14, 0xffffffff); /* sizing */
    ck_assert_uint_eq(machine_pci_config(vm, 1, 0x14), 0xfe000000);
    set_config(1, 0x14, 0xc4000000);
    check_mapped(NULL);
    set_config(1, 4, 2);
    check_mapped("c4000000-c5ffffff");
    ck_assert_uint_eq(qtest_client_read(vm, 0xc4001000, 4), 0x11223344);

    set_config(1, 0x14, 0x04000000); /* over memory, which stays where it is */
    check_mapped(NULL);
    ck_assert_uint_eq(qtest_client_read(vm, 0x04001000, 4), 0);

    machine_reset_and_wait(vm);
    check_mapped("c0000000-c1ffffff");
    ck_assert_uint_eq(qtest_client_read(vm, 0xc0001000, 4), 0);
}
END_TEST

START_TEST(test_framebuffer_registers)
{
    start("-device bhyve-fbuf,w=800,h=600");
    ck_assert_uint_eq(machine_pci_config(vm, 1, 0), 0x40fbfb5d);
    ck_assert_uint_eq(machine_pci_config(vm, 1, 8), 0x03000000);
    ck_assert_uint_eq(qtest_client_read(vm, 0xc2000000, 4), MIB(32));
    ck_assert_uint_eq(qtest_client_read(vm, 0xc2000004, 4), 600 << 16 | 800);
    ck_assert_uint_eq(qtest_client_read(vm, 0xc2000008, 4), 32);
    qtest_client_write(vm, 0xc2000004, 2, 1280);
    qtest_client_write(vm, 0xc2000006, 1, 0);
    qtest_client_write(vm, 0xc2000007, 1, 4);
    qtest_client_write(vm, 0xc2000078, 8, 0x1122334455667788);
    ck_assert_uint_eq(qtest_client_read(vm, 0xc2000000, 8),
                      (uint64_t)0x04000500 << 32 | MIB(32));
    ck_assert_uint_eq(qtest_client_read(vm, 0xc2000078, 8), 0x1122334455667788);
    ck_assert_uint_eq(qtest_client_read(vm, 0xc2000080, 4), 0xffffffff);
    machine_reset_and_wait(vm);
    ck_assert_uint_eq(qtest_client_read(vm, 0xc2000004, 4), 600 << 16 | 800);
}
END_TEST

/* The picture's size, and its pixel at (x, y) as 0xrrggbb. */
static uint32_t pixel_at(unsigned width, unsigned height, unsigned x, unsigned y)
{
    g_autofree char *path = g_build_filename(directory, "picture", NULL);
    g_autofree char *command = g_strdup_printf("screendump %s", path);
    g_autofree char *answer = qtest_client_hmp(vm, command);
    g_autofree char *header = g_strdup_printf("P6\n%u %u\n255\n", width, height);
    g_autofree char *picture = NULL;
    const uint8_t *pixel;
    gsize length;

    ck_assert_msg(g_file_get_contents(path, &picture, &length, NULL), "%s", answer);
    ck_assert_uint_eq(length, strlen(header) + 3 * width * height);
    ck_assert_msg(g_str_has_prefix(picture, header), "not %s", header);
    pixel = (const uint8_t *)picture + strlen(header) + 3 * (y * width + x);
    return (uint32_t)pixel[0] << 16 | (uint32_t)pixel[1] << 8 | pixel[2];
}

/* Of whatever size the guest writes. */
START_TEST(test_framebuffer_picture)
{
    static const struct {
        uint32_t size; /* height, width */
        unsigned width, height;
    } bad[] = {{0, 640, 480},          {1 << 16, 640, 480},
               {0xffffffff, 640, 480}, {2160 << 16 | 3841, 640, 480},
               {1 << 16 | 1, 1, 1},    {2160 << 16 | 3840, 3840, 2160}};

    start("-device bhyve-fbuf");
    qtest_client_write(vm, 0xc0000000, 4, 0x00112233);
    qtest_client_write(vm, 0xc0000000 + 4 * (767 * 1024 + 1023), 4, 0xff445566);
    ck_assert_uint_eq(pixel_at(1024, 768, 0, 0), 0x112233);
    ck_assert_uint_eq(pixel_at(1024, 768, 1, 0), 0);
    ck_assert_uint_eq(pixel_at(1024, 768, 1023, 767), 0x445566);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        qtest_client_write(vm, 0xc2000004, 4, bad[i].size);
        ck_assert_uint_eq(pixel_at(bad[i].width, bad[i].height, 0, 0),
                          bad[i].width == 640 ? 0 : 0x112233);
    }
}
END_TEST

/* -- Resets and moves ---------------------------------------------------------------- */

/* A guest that reboots is a new process of bhyve's: memory is empty. */
START_TEST(test_reset)
{
    static const uint64_t ram[] = {0x500,    0x9ffff,    0xf0000,
                                   0x100000, 0xbfffffff, 0x100000000};

    start("-m 5G");
    qtest_client_out(vm, 0xcf9, 1, 2); /* which kind of reset: none yet */
    ck_assert_uint_eq(qtest_client_in(vm, 0xcf9, 1), 2);
    for (int turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < G_N_ELEMENTS(ram); i++) {
            qtest_client_write(vm, ram[i], 1, 0x5a);
            machine_check_byte(vm, ram[i], 0x5a);
        }
        if (turn == 0) {
            qtest_client_out(vm, 0xcf9, 1, 6);
        } else if (turn == 1) {
            qtest_client_out(vm, 0x64, 1, 0xfe);
        } else {
            json_node_unref(qtest_client_execute(vm, "system_reset", NULL, "%s", ""));
        }
        json_object_unref(qtest_client_event(vm, "RESET"));
        for (size_t i = 0; i < G_N_ELEMENTS(ram); i++) {
            machine_check_byte(vm, ram[i], 0);
        }
        ck_assert_uint_eq(qtest_client_in(vm, 0xcf9, 1), 0);
    }
}
END_TEST

/* Every segment and where the guest had it mapped are in the other process as
 * they were. */
START_TEST(test_migration)
{
    static const char *const machine = "-M lowmem-limit=1G -m 2G -device bhyve-fbuf";
    g_autofree char *stream = g_build_filename(directory, "stream", NULL);
    g_autofree char *incoming =
        g_strdup_printf("%s -incoming \"exec:cat %s\"", machine, stream);

    start(machine);
    qtest_client_write(vm, 0x500, 4, 0x11223344);
    qtest_client_write(vm, 0x100000000, 4, 0x55667788);
    qtest_client_write(vm, 0xc0001000, 4, 0x99aabbcc);
    qtest_client_write(vm, 0xc2000004, 2, 1280);
    set_config(1, 0x14, 0xd0000000);
    json_node_unref(
        qtest_client_execute(vm, "migrate", NULL, "{\"uri\":\"exec:cat >%s\"}", stream));
    machine_wait_for_migration(vm);
    g_clear_pointer(&vm, qtest_client_free);

    start(incoming);
    machine_wait_for_migration(vm);
    ck_assert_uint_eq(qtest_client_read(vm, 0x500, 4), 0x11223344);
    ck_assert_uint_eq(qtest_client_read(vm, 0x100000000, 4), 0x55667788);
    ck_assert_uint_eq(qtest_client_read(vm, 0xd0001000, 4), 0x99aabbcc);
    ck_assert_uint_eq(qtest_client_read(vm, 0xc2000004, 2), 1280);
    check_mapped("d0000000-d1ffffff");
}
END_TEST

START_TEST(test_explain)
{
    static const struct {
        const char *address, *words;
    } cases[] = {
        {"0xc0000000", "reads give ones"},
        {"0x80000000", "reads give ones"},
        {"0xfffffff0", "bootrom"},
        {"0x200000000", "bhyve gives the guest nothing here"},
    };

    start("-bios pam-test.bin");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *command = g_strdup_printf("explain %s", cases[i].address);
        g_autofree char *text = qtest_client_hmp(vm, command);

        ck_assert_msg(strstr(text, cases[i].words), "%s: %s", command, text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bhyve");
    TCase *tc = tcase_create("bhyve");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 100);
    tcase_add_loop_test(tc, test_map, 0, G_N_ELEMENTS(maps));
    tcase_add_test(tc, test_first_megabyte);
    tcase_add_loop_test(tc, test_cmos, 0, G_N_ELEMENTS(sizes));
    tcase_add_loop_test(tc, test_bootrom, 0, G_N_ELEMENTS(bootroms));
    tcase_add_loop_test(tc, test_bad_bootrom, 0, G_N_ELEMENTS(bad_bootroms));
    tcase_add_loop_test(tc, test_refusal, 0, G_N_ELEMENTS(refusals));
    tcase_add_test(tc, test_devices);
    tcase_add_test(tc, test_ecfg);
    tcase_add_test(tc, test_bars);
    tcase_add_test(tc, test_other_bars);
    tcase_add_test(tc, test_framebuffer_moves);
    tcase_add_test(tc, test_framebuffer_registers);
    tcase_add_test(tc, test_framebuffer_picture);
    tcase_add_test(tc, test_reset);
    tcase_add_test(tc, test_migration);
    tcase_add_test(tc, test_explain);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
