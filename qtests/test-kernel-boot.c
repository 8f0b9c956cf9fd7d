/*
 * Kernel images are taken apart by their formats' documents (Linux' boot protocol,
 * Multiboot 0.6.96), and broken ones are refused in a sentence.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <elf.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/kernel-boot.h"

#define IMAGE_SIZE 16384

static uint8_t image[IMAGE_SIZE];
static KernelModule modules[3];
static KernelSource source;
static KernelBoot boot;
static GError *error;

static void setup(void)
{
    memset(image, 0, sizeof(image));
    source = (KernelSource){.name = "kernel", .cmdline = "", .ram_end = MiB(64)};
    error = NULL;
}

static void give(size_t size)
{
    g_clear_pointer(&source.image, g_bytes_unref);
    source.image = g_bytes_new(image, size);
    source.modules = modules;
}

static void add_module(const char *text, size_t size)
{
    g_autofree uint8_t *bytes = g_malloc0(size);

    memset(bytes, 'A' + (int)source.module_count, size);
    modules[source.module_count].text = (char *)text;
    modules[source.module_count++].bytes = g_bytes_new(bytes, size);
}

static void teardown(void)
{
    kernel_boot_clear(&boot);
    g_clear_error(&error);
    g_clear_pointer(&source.image, g_bytes_unref);
    for (size_t i = 0; i < source.module_count; i++) {
        g_clear_pointer(&modules[i].bytes, g_bytes_unref);
    }
}

static const uint8_t *bytes_of(const KernelPiece *piece, size_t size)
{
    ck_assert_ptr_nonnull(piece->bytes);
    ck_assert_uint_eq(g_bytes_get_size(piece->bytes), size);
    return g_bytes_get_data(piece->bytes, NULL);
}

/* -- Linux ---------------------------------------------------------------------------------- */

/* A header with three sectors of setup code in front of 8192 bytes. */
#define LINUX_SETUP 1536u
#define LINUX_SIZE (LINUX_SETUP + 8192u)

static void make_linux(uint16_t version, uint8_t loadflags)
{
    image[0x1f1] = 2;
    kernel_put32(image + 0x1f4, 8192 / 16);
    memcpy(image + 0x202, "HdrS", 4);
    kernel_put16(image + 0x206, version);
    image[0x211] = loadflags;
    kernel_put32(image + 0x22c, 0x37ffffff);
    kernel_put32(image + 0x238, 255);
    image[LINUX_SETUP] = 0x5a;
}

START_TEST(linux_goes_to_its_places)
{
    const uint8_t *header;

    make_linux(0x206, 1);
    source.cmdline = "console=ttyS0 vga=0x318";
    give(LINUX_SIZE);
    ck_assert(linux_boot_probe(source.image) && !multiboot_probe(source.image));
    ck_assert_msg(linux_boot_prepare(&boot, &source, &error), "%s", error ? error->message : "");
    ck_assert_str_eq(boot.rom, "linuxboot");
    ck_assert_uint_eq(boot.setup.address, 0x10000);
    ck_assert_uint_eq(boot.kernel.address, 0x100000);
    ck_assert_uint_eq(boot.cmdline.address, 0x20000);
    ck_assert_ptr_null(boot.initrd.bytes);
    ck_assert_uint_eq(bytes_of(&boot.kernel, 8192)[0], 0x5a);
    ck_assert_str_eq((const char *)bytes_of(&boot.cmdline, 24), "console=ttyS0 vga=0x318");
    header = bytes_of(&boot.setup, LINUX_SETUP);
    ck_assert_uint_eq(header[0x210], 0xb0);
    ck_assert_uint_eq(header[0x211], 0x81);
    ck_assert_uint_eq(kernel_get16(header + 0x224), 0xfe00); /* 0x200 below the command line */
    ck_assert_uint_eq(kernel_get32(header + 0x228), 0x20000);
    ck_assert_uint_eq(kernel_get16(header + 0x1fa), 0x318);
    ck_assert_uint_eq(kernel_get32(header + 0x218), 0);
}
END_TEST

START_TEST(video_modes_have_names)
{
    static const struct {
        const char *cmdline;
        uint16_t mode;
    } rows[] = {{"quiet vga=ask", 0xfffd}, {"vga=ext", 0xfffe}, {"vga=normal x", 0xffff},
                {"vga=3", 3}, {"novga=5", 0}, {"", 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        make_linux(0x206, 1);
        source.cmdline = rows[i].cmdline;
        give(LINUX_SIZE);
        ck_assert(linux_boot_prepare(&boot, &source, NULL));
        ck_assert_uint_eq(kernel_get16(bytes_of(&boot.setup, LINUX_SETUP) + 0x1fa),
                          rows[i].mode);
        kernel_boot_clear(&boot);
    }
}
END_TEST

/* boot.rst: before 2.02 the command line is in the setup code's segment, and a kernel that
 * is not LOADED_HIGH goes to 0x10000. */
START_TEST(old_kernels_stay_low)
{
    const uint8_t *header;

    make_linux(0x200, 0);
    source.cmdline = "root=/dev/hda1";
    give(LINUX_SIZE);
    ck_assert(linux_boot_prepare(&boot, &source, NULL));
    ck_assert_uint_eq(boot.setup.address, 0x90000);
    ck_assert_uint_eq(boot.kernel.address, 0x10000);
    ck_assert_uint_ge(boot.cmdline.address, 0x90000 + LINUX_SETUP);
    ck_assert_uint_le(boot.cmdline.address + 15, 0x9a000);
    header = bytes_of(&boot.setup, LINUX_SETUP);
    ck_assert_uint_eq(kernel_get16(header + 0x20), 0xa33f);
    ck_assert_uint_eq(0x90000u + kernel_get16(header + 0x22), boot.cmdline.address);
    ck_assert_uint_eq(header[0x211], 0); /* 2.00 has no heap to use */
    kernel_boot_clear(&boot);

    make_linux(0x201, 1);
    give(LINUX_SIZE);
    ck_assert(linux_boot_prepare(&boot, &source, NULL));
    ck_assert_uint_eq(boot.setup.address, 0x90000);
    ck_assert_uint_eq(boot.kernel.address, 0x100000);
}
END_TEST

START_TEST(initrd_lies_high)
{
    static const struct {
        uint16_t version, xloadflags;
        uint32_t reach;
        uint64_t ram, address;
        size_t size;
    } rows[] = {
        /* QEMU 7.2 with the same kernel says 0x3fce000: 128 KiB below RAM's end. */
        {0x206, 0, 0x37ffffff, MiB(64), 0x3fce000, 70000},
        {0x206, 0, 0x01ffffff, MiB(64), 0x1ffd000, 8192},
        {0x202, 0, 0x01ffffff, MiB(2048), 0x37ffd000, 8192}, /* the field is from 2.03 on */
        {0x20c, 2, 0x01ffffff, MiB(2048), 0x7ffdd000, 8192},
        {0x20c, 0, 0x01ffffff, MiB(2048), 0x1ffd000, 8192},
        {0x206, 0, 0xffffffff, GiB(4), 0xfffdd000, 8192},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const uint8_t *header;

        make_linux(rows[i].version, 1);
        kernel_put16(image + 0x236, rows[i].xloadflags);
        kernel_put32(image + 0x22c, rows[i].reach);
        source.ram_end = rows[i].ram;
        source.module_count = 0;
        add_module("initrd", rows[i].size);
        give(LINUX_SIZE);
        ck_assert_msg(linux_boot_prepare(&boot, &source, &error), "%zu: %s", i,
                      error ? error->message : "");
        ck_assert_msg(boot.initrd.address == rows[i].address, "%zu: 0x%x", i,
                      boot.initrd.address);
        ck_assert_uint_eq(bytes_of(&boot.initrd, rows[i].size)[0], 'A');
        header = bytes_of(&boot.setup, LINUX_SETUP);
        ck_assert_uint_eq(kernel_get32(header + 0x218), rows[i].address);
        ck_assert_uint_eq(kernel_get32(header + 0x21c), rows[i].size);
        kernel_boot_clear(&boot);
        g_clear_pointer(&modules[0].bytes, g_bytes_unref);
    }
    source.module_count = 0;
}
END_TEST

static void expect_refusal(bool linux_format, size_t size, const char *words)
{
    give(size);
    ck_assert_msg(!(linux_format ? linux_boot_prepare : multiboot_prepare)(&boot, &source, &error),
                  "not refused: %s", words);
    ck_assert_msg(strstr(error->message, words) != NULL, "'%s' lacks '%s'", error->message,
                  words);
    ck_assert(!strchr(error->message, '\n'));
    g_clear_error(&error);
    kernel_boot_clear(&boot);
}

START_TEST(broken_linux_is_refused)
{
    char long_cmdline[300];

    make_linux(0x206, 1);
    expect_refusal(true, LINUX_SETUP, "truncated");
    expect_refusal(true, LINUX_SETUP + 4096, "truncated: its header says 8192");
    expect_refusal(true, 0x206, "truncated");
    image[0x1f1] = 0; /* means 4 */
    expect_refusal(true, 5 * 512, "truncated: its setup code alone is 2560");
    image[0x1f1] = 2;
    kernel_put16(image + 0x206, 0x105);
    expect_refusal(true, LINUX_SIZE, "protocol 1.05 is too old");
    make_linux(0x206, 1);
    memset(long_cmdline, 'x', sizeof(long_cmdline) - 1);
    long_cmdline[sizeof(long_cmdline) - 1] = 0;
    source.cmdline = long_cmdline;
    expect_refusal(true, LINUX_SIZE, "-append is 299 bytes long, and this kernel takes 255");
    source.cmdline = "";
    source.ram_end = MiB(1) + 4096;
    expect_refusal(true, LINUX_SIZE, "too large");
    source.ram_end = MiB(2);
    add_module("initrd", MiB(1) - KiB(128));
    expect_refusal(true, LINUX_SIZE, "initrd of 917504 bytes is too large");
    add_module("second", 1);
    expect_refusal(true, LINUX_SIZE, "one -initrd");
}
END_TEST

START_TEST(too_large_setup_is_refused)
{
    size_t size = 256 * 512 + 4096;
    g_autofree uint8_t *large = g_malloc0(size);

    make_linux(0x203, 1);
    memcpy(large, image, 4096);
    large[0x1f1] = 200;
    source.image = g_bytes_new(large, size);
    ck_assert(!linux_boot_prepare(&boot, &source, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "setup code of 102912 bytes is too large"));
}
END_TEST

/* Headers of any content: an answer, never a crash. */
START_TEST(random_headers_are_survived)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);

    for (int i = 0; i < 20000; i++) {
        bool linux_format = i & 1;
        size_t size;

        for (size_t j = 0; j < 0x300; j++) {
            image[j] = (uint8_t)(g_rand_int_range(rand, 0, 4) ? 0 : g_rand_int(rand));
        }
        if (linux_format) {
            memcpy(image + 0x202, "HdrS", 4);
            image[0x207] = 2;
            size = (size_t)g_rand_int_range(rand, 0x206, IMAGE_SIZE);
        } else {
            Elf32_Ehdr *elf = (Elf32_Ehdr *)(void *)image;
            uint32_t flags = i & 2 ? 0x10003 : 3;

            memcpy(image, ELFMAG, SELFMAG);
            image[EI_CLASS] = ELFCLASS32;
            elf->e_machine = EM_386;
            elf->e_phoff = (uint32_t)g_rand_int_range(rand, 0, 300);
            elf->e_phentsize = 32;
            kernel_put32(image + 512, 0x1badb002);
            kernel_put32(image + 516, flags);
            kernel_put32(image + 520, 0u - 0x1badb002 - flags);
            size = (size_t)g_rand_int_range(rand, 524, IMAGE_SIZE);
        }
        give(size);
        if (linux_format ? linux_boot_prepare(&boot, &source, &error)
                         : multiboot_prepare(&boot, &source, &error)) {
            ck_assert_ptr_null(error);
        } else {
            ck_assert_ptr_nonnull(error);
        }
        g_clear_error(&error);
        kernel_boot_clear(&boot);
    }
}
END_TEST

/* -- Multiboot ------------------------------------------------------------------------------ */

#define HEADER 0x40 /* its place in the file */

static void make_multiboot(uint32_t flags)
{
    kernel_put32(image + HEADER, 0x1badb002);
    kernel_put32(image + HEADER + 4, flags);
    kernel_put32(image + HEADER + 8, 0u - 0x1badb002 - flags);
    kernel_put32(image + HEADER + 12, 0x200040); /* header_addr */
    kernel_put32(image + HEADER + 16, 0x200010); /* load_addr: byte 0x10 of the file */
    kernel_put32(image + HEADER + 20, 0x201000); /* load_end_addr */
    kernel_put32(image + HEADER + 24, 0x202100); /* bss_end_addr */
    kernel_put32(image + HEADER + 28, 0x200080); /* entry_addr */
    image[0x10] = 0x77;
    image[0x1000] = 0x66; /* behind what is to be loaded */
}

static const uint8_t *at_guest(uint32_t address)
{
    size_t size;
    const uint8_t *bytes = g_bytes_get_data(boot.kernel.bytes, &size);

    ck_assert_uint_ge(address, boot.kernel.address);
    ck_assert_uint_lt(address - boot.kernel.address, size);
    return bytes + (address - boot.kernel.address);
}

START_TEST(multiboot_goes_to_its_addresses)
{
    const uint8_t *info, *table;

    make_multiboot(0x10003);
    source.cmdline = "one two";
    add_module("first with words", 5000);
    add_module("second", 10);
    give(IMAGE_SIZE);
    ck_assert(multiboot_probe(source.image) && !linux_boot_probe(source.image));
    ck_assert_msg(multiboot_prepare(&boot, &source, &error), "%s", error ? error->message : "");
    ck_assert_str_eq(boot.rom, "multiboot");
    ck_assert_uint_eq(boot.kernel.address, 0x200010);
    ck_assert_uint_eq(boot.entry, 0x200080);
    ck_assert_uint_eq(*at_guest(0x200010), 0x77);
    ck_assert_uint_eq(*at_guest(0x201000), 0); /* BSS */
    ck_assert_uint_eq(*at_guest(0x2020ff), 0);
    info = bytes_of(&boot.initrd, 88);
    ck_assert_uint_eq(kernel_get32(info) & (1u << 2 | 1u << 3 | 1u << 6), 0x4c);
    ck_assert_str_eq((const char *)at_guest(kernel_get32(info + 16)), "kernel one two");
    ck_assert_uint_eq(kernel_get32(info + 20), 2);
    ck_assert_uint_ge(kernel_get32(info + 48), boot.initrd.address + 88); /* the map */
    ck_assert_uint_eq(kernel_get32(info + 48) & 15, 0); /* the ROM addresses it by segment */
    ck_assert_uint_ge(kernel_get32(info + 24), 0x202100);
    table = at_guest(kernel_get32(info + 24));
    for (int i = 0; i < 2; i++) {
        uint32_t start = kernel_get32(table + 16 * i), end = kernel_get32(table + 16 * i + 4);

        ck_assert_uint_eq(start & 0xfff, 0); /* flag 0: on page boundaries */
        ck_assert_uint_eq(end - start, i ? 10 : 5000);
        ck_assert_uint_eq(*at_guest(start), (unsigned)('A' + i));
        ck_assert_uint_eq(*at_guest(end - 1), (unsigned)('A' + i));
    }
    ck_assert_str_eq((const char *)at_guest(kernel_get32(table + 8)), "first with words");
    ck_assert_str_eq((const char *)at_guest(kernel_get32(table + 24)), "second");
}
END_TEST

START_TEST(multiboot_takes_elf)
{
    Elf32_Ehdr *elf = (Elf32_Ehdr *)(void *)image;
    Elf32_Phdr *segment = (Elf32_Phdr *)(void *)(image + 0x100);

    make_multiboot(0x3);
    memcpy(elf->e_ident, ELFMAG, SELFMAG);
    elf->e_ident[EI_CLASS] = ELFCLASS32;
    elf->e_ident[EI_DATA] = ELFDATA2LSB;
    elf->e_machine = EM_386;
    elf->e_entry = 0xc0100020;
    elf->e_phoff = 0x100;
    elf->e_phentsize = sizeof(*segment);
    elf->e_phnum = 2;
    segment[0] = (Elf32_Phdr){PT_LOAD, 0x1000, 0xc0100000, 0x100000, 0x100, 0x800, 0, 0};
    segment[1] = (Elf32_Phdr){PT_LOAD, 0x2000, 0xc0300000, 0x300000, 0x10, 0x10, 0, 0};
    image[0x1000] = 0x11;
    image[0x2000] = 0x22;
    give(IMAGE_SIZE);
    ck_assert_msg(multiboot_prepare(&boot, &source, &error), "%s", error ? error->message : "");
    ck_assert_uint_eq(boot.kernel.address, 0x100000);
    ck_assert_uint_eq(boot.entry, 0x100020); /* where the segment is, not where it runs later */
    ck_assert_uint_eq(*at_guest(0x100000), 0x11);
    ck_assert_uint_eq(*at_guest(0x100100), 0);
    ck_assert_uint_eq(*at_guest(0x300000), 0x22);
    kernel_boot_clear(&boot);

    segment[1].p_filesz = segment[1].p_memsz = 0x10000;
    expect_refusal(false, IMAGE_SIZE, "truncated");
    segment[1].p_filesz = segment[1].p_memsz = 0;
    segment[0].p_type = PT_NOTE;
    expect_refusal(false, IMAGE_SIZE, "no segment");
    elf->e_ident[EI_CLASS] = ELFCLASS64;
    expect_refusal(false, IMAGE_SIZE, "32-bit");
    elf->e_ident[0] = 0;
    expect_refusal(false, IMAGE_SIZE, "not ELF");
}
END_TEST

START_TEST(broken_multiboot_is_refused)
{
    make_multiboot(0x10003);
    expect_refusal(false, HEADER + 16, "truncated");
    expect_refusal(false, 0x800, "truncated: its Multiboot header wants 4080 bytes");
    kernel_put32(image + HEADER + 16, 0x1f0000); /* before the file's first byte */
    expect_refusal(false, IMAGE_SIZE, "contradicts itself: load_addr 0x1f0000");
    kernel_put32(image + HEADER + 16, 0x200041);
    expect_refusal(false, IMAGE_SIZE, "contradicts itself");
    make_multiboot(0x10003);
    kernel_put32(image + HEADER + 24, 0x200800); /* BSS ends before the data */
    expect_refusal(false, IMAGE_SIZE, "contradicts itself");
    kernel_put32(image + HEADER + 24, 0xfffff000);
    expect_refusal(false, IMAGE_SIZE, "too large");
    kernel_put32(image + HEADER + 24, 0);
    add_module("module", MiB(62));
    expect_refusal(false, IMAGE_SIZE, "too large");
    kernel_put32(image + HEADER + 12, 0x10040);
    kernel_put32(image + HEADER + 16, 0x10010);
    kernel_put32(image + HEADER + 20, 0x10020);
    expect_refusal(false, IMAGE_SIZE, "below 1 MiB");
}
END_TEST

/* 3.1: within the first 8192 bytes, aligned to four, and the sum is zero. */
START_TEST(multiboot_header_is_found)
{
    memcpy(image, "text", 4);
    make_multiboot(0x10003);
    memmove(image + 8180, image + HEADER, 12);
    memset(image + HEADER, 0, 12);
    give(IMAGE_SIZE);
    ck_assert(multiboot_probe(source.image));
    give(8191);
    ck_assert(!multiboot_probe(source.image));
    memmove(image + 8184, image + 8180, 12);
    memset(image + 8180, 0, 4);
    give(IMAGE_SIZE);
    ck_assert(!multiboot_probe(source.image));
    memmove(image + 82, image + 8184, 12); /* not aligned */
    give(IMAGE_SIZE);
    ck_assert(!multiboot_probe(source.image));
    give(3);
    ck_assert(!multiboot_probe(source.image) && !linux_boot_probe(source.image));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel-boot");
    TCase *tc = tcase_create("kernel-boot");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, linux_goes_to_its_places);
    tcase_add_test(tc, video_modes_have_names);
    tcase_add_test(tc, old_kernels_stay_low);
    tcase_add_test(tc, initrd_lies_high);
    tcase_add_test(tc, broken_linux_is_refused);
    tcase_add_test(tc, too_large_setup_is_refused);
    tcase_add_test(tc, random_headers_are_survived);
    tcase_add_test(tc, multiboot_goes_to_its_addresses);
    tcase_add_test(tc, multiboot_takes_elf);
    tcase_add_test(tc, broken_multiboot_is_refused);
    tcase_add_test(tc, multiboot_header_is_found);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
