/*
 * What bhyveload's kernels are started with (firmware/bsd-boot.h), byte by byte, and
 * files that somebody has damaged: each is refused with a sentence, or fits into memory.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/aout-image.h"
#include "firmware/bsd-boot.h"
#include "memory/access.h"
#include "memory/io-lock.h"

#define RAM_SIZE MiB(16)
#define FILE_MAX 0x6000
#define DAMAGED_FILES 40000

static MemoryRegion root, ram;
static AddressSpace as;
static BSDBoot boot;
static uint8_t file[FILE_MAX];
static size_t file_size;

static void setup(void)
{
    io_lock();
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    memory_region_init_ram(&ram, NULL, "sysmem", RAM_SIZE, NULL);
    address_space_init(&as, &root, "memory");
    memory_region_add_subregion(&root, 0, &ram);
}

static void put32(size_t at, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(file + at, &value, sizeof(value));
}

static uint32_t guest32(hwaddr address)
{
    uint32_t value = 0;

    address_space_read(&as, address, MEMTXATTRS_UNSPECIFIED, &value, sizeof(value));
    return GUINT32_FROM_LE(value);
}

static bool prepare(GError **error)
{
    static const char *const environment[] = {"a=1", NULL};
    g_autoptr(GBytes) bytes = g_bytes_new(file, file_size);

    return bsd_boot_prepare(&boot, &as,
                            &(BSDBootSource){.name = "k",
                                             .file = bytes,
                                             .arguments = "",
                                             .environment = environment,
                                             .low = RAM_SIZE},
                            error);
}

static void prepare_and_write(void)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(prepare(&error), "%s", error ? error->message : "");
    memory_region_clear_ram(&ram);
    boot_pieces_write(boot.pieces, &as);
}

/* Text and data of two segments at 0xc0400000 and 0xc0403000, with 0x100 bytes of bss. */
static void make_elf(void)
{
    Elf32_Ehdr *header = (Elf32_Ehdr *)(void *)file;
    Elf32_Phdr *segments = (Elf32_Phdr *)(void *)(file + sizeof(*header));

    memset(file, 0, sizeof(file));
    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS32;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_type = ET_EXEC;
    header->e_machine = EM_386;
    header->e_entry = 0xc0400010;
    header->e_phoff = sizeof(*header);
    header->e_phentsize = sizeof(*segments);
    header->e_phnum = 2;
    segments[0] = (Elf32_Phdr){.p_type = PT_LOAD,
                               .p_offset = 0x1000,
                               .p_vaddr = 0xc0400000,
                               .p_paddr = 0xc0400000,
                               .p_filesz = 0x2000,
                               .p_memsz = 0x2000};
    segments[1] = (Elf32_Phdr){.p_type = PT_LOAD,
                               .p_offset = 0x3000,
                               .p_vaddr = 0xc0403000,
                               .p_paddr = 0xc0403000,
                               .p_filesz = 0x80,
                               .p_memsz = 0x180};
    memset(file + 0x1000, 0x11, 0x2000);
    memset(file + 0x3000, 0x22, 0x80);
    file_size = 0x3080;
}

START_TEST(elf_goes_where_it_is_linked_less_eight_bits)
{
    make_elf();
    prepare_and_write();
    ck_assert_uint_eq(boot.entry, 0x400010);
    ck_assert_uint_eq(boot.esp, 0x1fdc);
    ck_assert_uint_eq(guest32(0x400000), 0x11111111);
    ck_assert_uint_eq(guest32(0x401ffc), 0x11111111);
    ck_assert_uint_eq(guest32(0x402000), 0);
    ck_assert_uint_eq(guest32(0x40307c), 0x22222222);
    ck_assert_uint_eq(guest32(0x403080), 0);
    /* bss ends at 0x403180: environment, metadata and end are the next pages. */
    ck_assert_uint_eq(guest32(boot.esp), 0xbeefface);
    ck_assert_uint_eq(guest32(boot.esp + 4), 0x80001000);
    ck_assert_uint_eq(guest32(boot.esp + 24), 0x2000);
    ck_assert_uint_eq(guest32(boot.esp + 28), 0x405000);
    ck_assert_uint_eq(guest32(boot.esp + 32), 0x406000);
    ck_assert_uint_eq(guest32(0x2000 + 76), 0x404000);
    ck_assert_uint_eq(guest32(0x2000 + 60), 15 * 1024); /* KiB above 1 MiB */
    ck_assert_uint_eq(guest32(0x3018), 0x40000067);
    ck_assert_uint_eq(guest32(0x301c), 0x00008900);
}
END_TEST

/* The environment's 57 bytes, by hand. */
START_TEST(environment_ends_with_an_empty_string)
{
    static const char expected[] = "smbios.bios.vendor=BHYVE\0boot_serial=1\0"
                                   "kernelname=k\0a=1\0";
    char found[sizeof(expected)];

    make_elf();
    prepare_and_write();
    address_space_read(&as, 0x404000, MEMTXATTRS_UNSPECIFIED, found, sizeof(found));
    ck_assert_mem_eq(found, expected, sizeof(expected));
    ck_assert_uint_eq(sizeof(expected), 57);
}
END_TEST

/* Where each format's text and data are: in the file, and in memory for an entry of
 * 0xf0100000 (0xf0100020 where the header is a part of the text). 0x1800 bytes of text,
 * 0x300 of data, 0x100 of bss. */
static const struct {
    uint32_t midmag, entry;
    size_t text_at, data_at;
    uint32_t text, data;
} formats[] = {
    {0x00860107, 0xf0100000, 0x20, 0x1820, 0x100000, 0x101800},   /* OMAGIC */
    {0x00860108, 0xf0100000, 0x20, 0x1820, 0x100000, 0x101800},   /* NMAGIC */
    {0x0086010b, 0xf0100000, 0x1000, 0x3000, 0x100000, 0x102000}, /* ZMAGIC */
    {0x008600cc, 0xf0100020, 0, 0x2000, 0x100000, 0x102000},      /* QMAGIC */
    {0x0b018600, 0xf0100020, 0, 0x2000, 0x100000, 0x102000},      /* in network order */
    {0xcc008600, 0xf0100020, 0, 0x2000, 0x100000, 0x102000},
    {0x0000010b, 0xf0100000, 0x1000, 0x3000, 0x100000, 0x102000}, /* of no machine */
};

static void make_aout(unsigned i)
{
    memset(file, 0, sizeof(file));
    memset(file + formats[i].text_at, 0x11, 0x1800);
    memset(file + formats[i].data_at, 0x22, 0x300);
    put32(0, formats[i].midmag);
    put32(4, 0x1800);
    put32(8, 0x300);
    put32(12, 0x100);
    put32(16, 0);
    put32(20, formats[i].entry);
    put32(24, 0);
    put32(28, 0);
    file_size = formats[i].data_at + 0x300;
}

START_TEST(aout_text_begins_at_the_entry)
{
    make_aout((unsigned)_i);
    prepare_and_write();
    ck_assert_uint_eq(boot.entry, formats[_i].entry & 0xffffff);
    ck_assert_uint_eq(guest32(boot.entry), 0x11111111);
    ck_assert_uint_eq(guest32(formats[_i].text),
                      formats[_i].text_at ? 0x11111111 : formats[_i].midmag);
    ck_assert_uint_eq(guest32(formats[_i].text + 0x17fc), 0x11111111);
    ck_assert_uint_eq(guest32(formats[_i].data), 0x22222222);
    ck_assert_uint_eq(guest32(formats[_i].data + 0x2fc), 0x22222222);
    ck_assert_uint_eq(guest32(formats[_i].data + 0x300), 0);
    /* Behind bss, at a page: the environment. */
    ck_assert_uint_eq(guest32(0x2000 + 76), 0x103000 - (_i < 2 ? 0x1000 : 0));
}
END_TEST

/* The truth of the flags: sys/sys/reboot.h. */
static const struct {
    const char *arguments, *variable;
    uint32_t howto;
} flags[] = {
    {"", NULL, 0x1000}, /* boot_serial=1 is bhyveload's own */
    {"-s", NULL, 0x1002},
    {"-a -v", NULL, 0x1801},
    {"-Cdrgm", NULL, 0x1000 | 0x2000 | 0x40 | 0x20 | 0x8000 | 0x10000},
    {"-Dph", NULL, 0x20101000},
    {"-sS115200v", "comconsole_speed=115200v", 0x1002}, /* a speed is all the rest */
    {"-?", NULL, 0x1000},
    {"boot_serial=no", "boot_serial=no", 0},
    {"boot_single boot_verbose=NO", "boot_single=1", 0x1002},
    {"  init_path=/rescue/init\t-s ", "init_path=/rescue/init", 0x1002},
};

START_TEST(boot_takes_flags_and_variables)
{
    g_autoptr(GBytes) bytes = NULL;
    char found[256];

    make_elf();
    bytes = g_bytes_new(file, file_size);
    ck_assert(bsd_boot_prepare(&boot, &as,
                               &(BSDBootSource){.name = "k",
                                                .file = bytes,
                                                .arguments = flags[_i].arguments,
                                                .low = RAM_SIZE},
                               NULL));
    boot_pieces_write(boot.pieces, &as);
    ck_assert_uint_eq(guest32(boot.esp + 4), 0x80000000 | flags[_i].howto);
    address_space_read(&as, 0x404000, MEMTXATTRS_UNSPECIFIED, found, sizeof(found));
    for (const char *text = found; flags[_i].variable && strcmp(text, flags[_i].variable);
         text += strlen(text) + 1) {
        ck_assert_msg(*text, "no %s", flags[_i].variable);
    }
}
END_TEST

static void damage(GRand *random)
{
    static const uint32_t numbers[] = {0,          1,          0x7fffffff,
                                       0x80000000, 0xffffffff, 0xfffff000};

    for (int i = g_rand_int_range(random, 1, 5); i > 0; i--) {
        size_t word = 4 * (size_t)g_rand_int_range(random, 0, 32); /* of the headers */

        if (g_rand_boolean(random)) {
            file[g_rand_int_range(random, 0, 128)] = (uint8_t)g_rand_int(random);
        } else {
            put32(word, numbers[g_rand_int_range(random, 0, G_N_ELEMENTS(numbers))]);
        }
    }
    if (g_rand_int_range(random, 0, 4) == 0) {
        file_size = (size_t)g_rand_int_range(random, 0, (gint32)file_size + 1);
    }
}

/* All pieces lie in RAM, and what is refused is refused in words. */
START_TEST(damaged_files_do_no_harm)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(6);
    unsigned good = 0;

    for (unsigned i = 0; i < DAMAGED_FILES; i++) {
        g_autoptr(GError) error = NULL;

        if (i % 2) {
            make_elf();
        } else {
            make_aout(i / 2 % G_N_ELEMENTS(formats));
        }
        damage(random);
        if (prepare(&error)) {
            good++;
            ck_assert_uint_lt(boot.entry, RAM_SIZE);
            for (guint n = 0; n < boot.pieces->len; n++) {
                const BootPiece *piece = &g_array_index(boot.pieces, BootPiece, n);

                ck_assert_uint_le(piece->size, RAM_SIZE);
                ck_assert_uint_le(piece->address, RAM_SIZE - piece->size);
            }
            boot_pieces_write(boot.pieces, &as);
        } else {
            ck_assert_msg(error && *error->message, "file %u: no reason", i);
        }
        bsd_boot_clear(&boot);
    }
    ck_assert_uint_gt(good, DAMAGED_FILES / 20);
    ck_assert_uint_lt(good, DAMAGED_FILES / 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bsd-boot");
    TCase *tc = tcase_create("bsd-boot");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, elf_goes_where_it_is_linked_less_eight_bits);
    tcase_add_test(tc, environment_ends_with_an_empty_string);
    tcase_add_loop_test(tc, aout_text_begins_at_the_entry, 0, G_N_ELEMENTS(formats));
    tcase_add_loop_test(tc, boot_takes_flags_and_variables, 0, G_N_ELEMENTS(flags));
    tcase_add_test(tc, damaged_files_do_no_harm);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
