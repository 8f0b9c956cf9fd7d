/*
 * ELF files taken apart, and what PVH tells a kernel, by Xen's pvh.pandoc and start_info.h:
 * the expected bytes are worked out here.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <elf.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/pvh.h"
#include "memory/access.h"
#include "memory/io-lock.h"

#define FILE_SIZE 0x3000
#define NOTE_AT 0x200

static const PVHLayout layout = {.start_info = 0x6000,
                                 .memory_map = 0x7000,
                                 .command_line = 0x20000,
                                 .command_line_size = 0x100,
                                 .low_ram_end = MiB(4)};

static uint8_t file[FILE_SIZE];
static MemoryRegion root, ram, more, high, rom, nonvolatile;
static AddressSpace as;
static PVHSource source;
static ElfImage elf;
static GBytes *bytes;
static PVHImage image;
static GError *error;

/* A 64-bit file, as Linux' is: one segment at 1 MiB that runs high, and the note. */
static void make_elf(void)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)file;
    Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(file + 0x100);
    static const uint8_t note[] = {4, 0, 0, 0, 8, 0, 0, 0, 18, 0, 0, 0, 'X', 'e', 'n', 0,
                                   0x40, 0, 0x10, 0, 0, 0, 0, 0}; /* 0x100040 */

    memset(file, 0, sizeof(file));
    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS64;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_machine = EM_X86_64;
    header->e_entry = 0xffffffff81000010;
    header->e_phoff = 0x100;
    header->e_phentsize = sizeof(*segments);
    header->e_phnum = 2;
    segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                               .p_offset = 0x1000,
                               .p_vaddr = 0xffffffff81000000,
                               .p_paddr = 0x100000,
                               .p_filesz = 0x800,
                               .p_memsz = 0x2000};
    segments[1] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = NOTE_AT, .p_filesz = 24};
    memcpy(file + NOTE_AT, note, sizeof(note));
    memset(file + 0x1000, 0xab, 0x800);
    bytes = g_bytes_new_static(file, sizeof(file));
}

static Elf64_Phdr *segment(unsigned i)
{
    return (Elf64_Phdr *)(void *)(file + 0x100) + i;
}

/* 9 MiB of RAM in two blocks, a ROM, RAM above 4 GiB and persistent memory. */
static void setup(void)
{
    io_lock();
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    memory_region_init_ram(&ram, NULL, "ram", MiB(8), NULL);
    memory_region_init_ram(&more, NULL, "more", MiB(1), NULL);
    memory_region_init_rom(&rom, NULL, "rom", KiB(64), NULL);
    memory_region_init_ram(&high, NULL, "high", MiB(1), NULL);
    memory_region_init_ram(&nonvolatile, NULL, "pmem", MiB(1), NULL);
    memory_region_set_nonvolatile(&nonvolatile, true);
    address_space_init(&as, &root, "memory");
    memory_region_add_subregion(&root, 0, &ram);
    memory_region_add_subregion(&root, MiB(8), &more);
    memory_region_add_subregion(&root, 0xffff0000, &rom);
    memory_region_add_subregion(&root, GiB(4), &high);
    memory_region_add_subregion(&root, GiB(4) + MiB(1), &nonvolatile);
    make_elf();
    source = (PVHSource){.kernel = &elf, .command_line = "console=ttyS0", .version = 1};
}

static void parse(void)
{
    ck_assert_msg(elf_image_parse(&elf, bytes, &error), "%s", error ? error->message : "");
}

static uint64_t guest(hwaddr address, unsigned size)
{
    uint64_t value = 0;

    ck_assert_int_eq(
        address_space_read(&as, address, MEMTXATTRS_UNSPECIFIED, &value, size), MEMTX_OK);
    return value;
}

static void prepare_and_write(void)
{
    parse();
    ck_assert_msg(pvh_prepare(&image, &as, &layout, &source, &error), "%s",
                  error ? error->message : "");
    pvh_write(&image, &as);
}

START_TEST(elf_is_taken_apart)
{
    parse();
    ck_assert(elf.is_64);
    ck_assert_uint_eq(elf.count, 1);
    ck_assert_uint_eq(elf.entry, 0x100010); /* where the segment is, not where it runs */
    ck_assert_uint_eq(elf.start, 0x100000);
    ck_assert_uint_eq(elf.end, 0x102000);
    ck_assert(elf.has_phys32_entry);
    ck_assert_uint_eq(elf.phys32_entry, 0x100040);
    ck_assert_ptr_eq(elf_image_find(&elf, 0x101fff), &elf.segments[0]);
    ck_assert_ptr_null(elf_image_find(&elf, 0x102000));
    ck_assert_ptr_null(elf_image_find(&elf, 0xfffff));
}
END_TEST

START_TEST(start_info_says_everything)
{
    static const struct {
        uint64_t address, size;
        uint32_t type;
    } map[] = {
        {0, MiB(9), 1}, /* two blocks, one range */
        {0xffff0000, KiB(64), 2},
        {GiB(4), MiB(1), 1},
        {GiB(4) + MiB(1), MiB(1), 7},
    };

    source.rsdp = 0xe0000;
    prepare_and_write();
    ck_assert_uint_eq(image.entry, 0x100040);
    ck_assert_uint_eq(image.start_info, 0x6000);
    ck_assert_uint_eq(guest(0x6000, 4), 0x336ec578);
    ck_assert_uint_eq(guest(0x6004, 4), 1);
    ck_assert_uint_eq(guest(0x6008, 4), 0);
    ck_assert_uint_eq(guest(0x600c, 4), 0);
    ck_assert_uint_eq(guest(0x6010, 8), 0);
    ck_assert_uint_eq(guest(0x6018, 8), 0x20000);
    ck_assert_uint_eq(guest(0x6020, 8), 0xe0000);
    ck_assert_uint_eq(guest(0x6028, 8), 0x7000);
    ck_assert_uint_eq(guest(0x6030, 4), G_N_ELEMENTS(map));
    ck_assert_uint_eq(guest(0x6034, 4), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(map); i++) {
        ck_assert_uint_eq(guest(0x7000 + 24 * i, 8), map[i].address);
        ck_assert_uint_eq(guest(0x7000 + 24 * i + 8, 8), map[i].size);
        ck_assert_uint_eq(guest(0x7000 + 24 * i + 16, 4), map[i].type);
        ck_assert_uint_eq(guest(0x7000 + 24 * i + 20, 4), 0);
    }
    ck_assert_uint_eq(guest(0x20000, 8), 0x3d656c6f736e6f63); /* "console=" */
    ck_assert_uint_eq(guest(0x2000d, 1), 0);
    ck_assert_uint_eq(guest(0x1007ff, 1), 0xab);
    ck_assert_uint_eq(guest(0x100800, 1), 0);
}
END_TEST

START_TEST(bss_is_cleared_at_each_start)
{
    uint8_t byte = 0x55;

    prepare_and_write();
    address_space_write(&as, 0x101fff, MEMTXATTRS_UNSPECIFIED, &byte, 1);
    pvh_write(&image, &as);
    ck_assert_uint_eq(guest(0x101fff, 1), 0);
}
END_TEST

/* A 64-bit kernel may lie where its 32-bit entry does not reach. */
START_TEST(segments_beyond_4_gib_go_there)
{
    *segment(2) = (Elf64_Phdr){.p_type = PT_LOAD,
                               .p_offset = 0x1000,
                               .p_paddr = GiB(4) + 0x1000,
                               .p_filesz = 0x100,
                               .p_memsz = 0x20000};
    ((Elf64_Ehdr *)(void *)file)->e_phnum = 3;
    prepare_and_write();
    ck_assert_uint_eq(guest(GiB(4) + 0x10ff, 1), 0xab);
    ck_assert_uint_eq(guest(GiB(4) + 0x1100, 1), 0);
    ck_assert_uint_eq(guest(0x1000, 1), 0);
}
END_TEST

/* Version 0 ends before the memory map; what lies behind it is not ours to write. */
START_TEST(version_0_has_no_map)
{
    source.version = 0;
    prepare_and_write();
    ck_assert_uint_eq(guest(0x6004, 4), 0);
    ck_assert_uint_eq(guest(0x6028, 8), 0);
    ck_assert_uint_eq(guest(0x7000, 8), 0);
    ck_assert_uint_eq(guest(0x7008, 8), 0);
}
END_TEST

START_TEST(modules_go_to_the_end_of_low_ram)
{
    static const char first[5000] = {'A'}, second[10] = {'B'};
    KernelModule modules[] = {
        {(char *)"first with words", g_bytes_new_static(first, sizeof(first))},
        {(char *)"second", g_bytes_new_static(second, sizeof(second))},
    };
    uint64_t start;

    source.modules = modules;
    source.module_count = 2;
    prepare_and_write();
    ck_assert_uint_eq(guest(0x600c, 4), 2);
    ck_assert_uint_eq(guest(0x6010, 8), 0x6040);
    start = guest(0x6040, 8);
    ck_assert_uint_eq(start, MiB(4) - 0x2000); /* 5017 bytes: two pages */
    ck_assert_uint_eq(guest(0x6048, 8), sizeof(first));
    ck_assert_uint_eq(guest(start, 1), 'A');
    ck_assert_uint_eq(guest(guest(0x6050, 8), 4), 0x73726966); /* "firs" */
    start = guest(0x6060, 8);
    ck_assert_uint_eq(start, MiB(4) - 0x3000);
    ck_assert_uint_eq(guest(0x6068, 8), sizeof(second));
    ck_assert_uint_eq(guest(start, 1), 'B');
    ck_assert_uint_eq(guest(guest(0x6070, 8), 4), 0x6f636573); /* "seco" */
}
END_TEST

static void expect_refusal(const char *words)
{
    bool good = elf_image_parse(&elf, bytes, &error) &&
                pvh_prepare(&image, &as, &layout, &source, &error);

    ck_assert_msg(!good, "not refused: %s", words);
    ck_assert_msg(strstr(error->message, words) != NULL, "'%s' lacks '%s'", error->message,
                  words);
    ck_assert(!strchr(error->message, '\n'));
    g_clear_error(&error);
    pvh_clear(&image);
    make_elf();
}

START_TEST(bad_files_are_refused)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)file;

    file[0] = 0;
    expect_refusal("not an ELF file");
    header->e_machine = EM_AARCH64;
    expect_refusal("another processor");
    header->e_phoff = UINT64_MAX - 8;
    expect_refusal("program headers are beyond");
    header->e_phentsize = 8;
    expect_refusal("8 bytes");
    segment(0)->p_offset = FILE_SIZE - 0x7ff;
    expect_refusal("segment 0 is beyond its end");
    segment(0)->p_offset = UINT64_MAX;
    expect_refusal("segment 0 is beyond its end");
    segment(0)->p_memsz = 0x7ff;
    expect_refusal("more bytes in the file");
    segment(0)->p_paddr = UINT64_MAX - 0xfff;
    expect_refusal("around the end");
    segment(0)->p_type = PT_NULL;
    expect_refusal("no segment");
    file[NOTE_AT] = 0xff;
    expect_refusal("note reaches beyond");
    file[NOTE_AT + 4] = 3;
    expect_refusal("3 bytes");
    *segment(1) = *segment(0);
    expect_refusal("overlaps");
    bytes = g_bytes_new_static(file, 20);
    expect_refusal("truncated");
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    static char words[0x101];
    KernelModule module = {(char *)"", g_bytes_new_take(g_malloc0(MiB(3)), MiB(3))};

    segment(0)->p_paddr = 0x6800;
    file[NOTE_AT + 16] = 0x40, file[NOTE_AT + 17] = 0x68, file[NOTE_AT + 18] = 0;
    expect_refusal("lies over the start info at 0x6000");
    segment(0)->p_paddr = 0x7010;
    file[NOTE_AT + 16] = 0x40, file[NOTE_AT + 17] = 0x70, file[NOTE_AT + 18] = 0;
    expect_refusal("lies over the memory map");
    segment(0)->p_paddr = 0x1f000;
    file[NOTE_AT + 16] = 0x40, file[NOTE_AT + 17] = 0xf0, file[NOTE_AT + 18] = 1;
    expect_refusal("lies over the command line");
    segment(0)->p_memsz = MiB(9);
    expect_refusal("0x100000-0x9fffff is not in RAM");
    segment(0)->p_paddr = 0xffff0000;
    file[NOTE_AT + 16] = 0, file[NOTE_AT + 17] = 0, file[NOTE_AT + 18] = 0xff;
    file[NOTE_AT + 19] = 0xff;
    expect_refusal("not in RAM");
    file[NOTE_AT + 18] = 0x20;
    expect_refusal("0x200040, outside its segments");
    memset(words, 'x', sizeof(words) - 1);
    source.command_line = words;
    expect_refusal("longer than 255 bytes");
    source.command_line = "";
    source.modules = &module;
    source.module_count = 1;
    segment(0)->p_memsz = MiB(2);
    expect_refusal("no room for its modules");
    source.module_count = 33;
    expect_refusal("more than 32");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pvh");
    TCase *tcase = tcase_create("pvh");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, elf_is_taken_apart);
    tcase_add_test(tcase, start_info_says_everything);
    tcase_add_test(tcase, bss_is_cleared_at_each_start);
    tcase_add_test(tcase, segments_beyond_4_gib_go_there);
    tcase_add_test(tcase, version_0_has_no_map);
    tcase_add_test(tcase, modules_go_to_the_end_of_low_ram);
    tcase_add_test(tcase, bad_files_are_refused);
    tcase_add_test(tcase, what_does_not_fit_is_refused);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
