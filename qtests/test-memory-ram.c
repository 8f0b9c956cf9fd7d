/*
 * RAM blocks: their memory, places, sizes and files; dirty pages; caches.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/cache.h"
#include "memory/io-lock.h"
#include "memory/ram-block.h"
#include "qtests/memory-view.h"

#define ANY MEMTXATTRS_UNSPECIFIED

static MemoryRegion root, ram;
static AddressSpace as;
static RAMBlock *block;

static void setup(void)
{
    io_lock();
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    ck_assert(memory_region_init_ram(&ram, NULL, "ram", MiB(1), NULL));
    block = memory_region_ram_block(&ram);
    memory_region_add_subregion(&root, 0, &ram);
    address_space_init(&as, &root, "test");
}

static void teardown(void)
{
    memory_region_del_subregion(&root, &ram);
    address_space_destroy(&as);
    memory_region_destroy(&ram);
    memory_region_destroy(&root);
    io_unlock();
}

static bool append_name(RAMBlock *each, void *opaque)
{
    g_string_append_printf(opaque, "%s@%" PRIx64 " ", each->name, each->offset);
    return true;
}

/* What `info ramblock` of QEMU shows for these sizes: a grain of 256 KiB, largest first. */
START_TEST(test_places)
{
    static const struct {
        const char *name;
        uint64_t size, max;
    } made[] = {
        {"pc.bios", 0x40000, 0x40000},
        {"pc.rom", 0x20000, 0x20000},
        {"/rom@etc/acpi/tables", 0x20000, 0x200000},
        {"/rom@etc/table-loader", 0x1000, 0x10000},
        {"/rom@etc/acpi/rsdp", 0x1000, 0x1000},
    };
    MemoryRegion pc_ram, mr[5];
    GString *seen = g_string_new(NULL);

    memory_region_del_subregion(&root, &ram);
    memory_region_destroy(&ram);
    ck_assert(memory_region_init_ram(&pc_ram, NULL, "pc.ram", 0x8000000, NULL));
    for (int i = 0; i < 5; i++) {
        ck_assert(memory_region_init_resizeable_ram(&mr[i], NULL, made[i].name, made[i].size,
                                                    made[i].max, NULL, NULL));
    }
    ram_block_foreach(append_name, seen);
    ck_assert_str_eq(seen->str, "pc.ram@0 "
                                "/rom@etc/acpi/tables@8080000 "
                                "pc.bios@8000000 "
                                "pc.rom@8040000 "
                                "/rom@etc/table-loader@8280000 "
                                "/rom@etc/acpi/rsdp@82c0000 ");
    memory_region_destroy(&mr[0]); /* its gap is the smallest that fits */
    ck_assert(memory_region_init_ram(&mr[0], NULL, "new", 0x40000, NULL));
    ck_assert_uint_eq(memory_region_ram_block(&mr[0])->offset, 0x8000000);
    for (int i = 0; i < 5; i++) {
        memory_region_destroy(&mr[i]);
    }
    memory_region_destroy(&pc_ram);
    ck_assert(memory_region_init_ram(&ram, NULL, "ram", MiB(1), NULL));
    memory_region_add_subregion(&root, 0, &ram);
    g_string_free(seen, true);
}
END_TEST

START_TEST(test_names_and_sizes)
{
    MemoryRegion other;
    GError *error = NULL;

    ck_assert_ptr_eq(ram_block_find("ram"), block);
    ck_assert_ptr_null(ram_block_find("rom"));
    ck_assert(!memory_region_init_ram(&other, NULL, "ram", MiB(1), &error));
    ck_assert_str_eq(error->message, "there is guest memory 'ram' already; give each RAM "
                                     "region its own name");
    g_clear_error(&error);
    ck_assert(!memory_region_init_ram(&other, NULL, "none", 0, &error));
    ck_assert_ptr_nonnull(error);
    g_clear_error(&error);
    ck_assert(!memory_region_init_ram(&other, NULL, "endless", UINT64_MAX, &error));
    ck_assert_ptr_nonnull(error);
    g_clear_error(&error);
    ck_assert(!memory_region_init_ram(&other, NULL, "huge", (uint64_t)1 << 60, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "of guest memory 'huge'"));
    g_clear_error(&error);
}
END_TEST

static uint64_t resized_to;

static void resized(const char *name, uint64_t length, void *host)
{
    ck_assert_str_eq(name, "tables");
    resized_to = length;
}

START_TEST(test_resize)
{
    MemoryRegion tables;
    GError *error = NULL;
    uint8_t *host;

    ck_assert(memory_region_init_resizeable_ram(&tables, NULL, "tables", 0x2000, 0x8000,
                                                resized, NULL));
    memory_region_add_subregion(&root, 0x200000, &tables);
    host = memory_region_get_ram_ptr(&tables);
    memset(host, 0xff, 0x2000);
    ck_assert(memory_region_ram_resize(&tables, 0x1000, NULL));
    ck_assert_uint_eq(resized_to, 0x1000);
    ck_assert_view(&as, "0-fffff ram\n200000-200fff tables\n");
    ck_assert(memory_region_ram_resize(&tables, 0x8000, NULL));
    ck_assert_view(&as, "0-fffff ram\n200000-207fff tables\n");
    ck_assert_ptr_eq(memory_region_get_ram_ptr(&tables), host);
    ck_assert_uint_eq(host[0xfff], 0xff);
    ck_assert_uint_eq(host[0x1000], 0); /* what was cut off is gone */
    ck_assert(!memory_region_ram_resize(&tables, 0x8001, &error));
    ck_assert_ptr_nonnull(error);
    g_clear_error(&error);
    memory_region_del_subregion(&root, &tables);
    memory_region_destroy(&tables);
}
END_TEST

START_TEST(test_file)
{
    g_autofree char *path = g_strdup("/tmp/umbra-test-XXXXXX");
    int fd = g_mkstemp(path);
    MemoryRegion mr;
    GError *error = NULL;
    uint8_t byte = 0x5a;

    ck_assert_int_eq(pwrite(fd, &byte, 1, 0x10), 1);
    for (int share = 0; share < 2; share++) {
        ck_assert(memory_region_init_ram_from_file(&mr, NULL, "file", 0x2000, share, path,
                                                   NULL));
        uint8_t *host = memory_region_get_ram_ptr(&mr);
        ck_assert_uint_eq(host[0x10], 0x5a); /* the file's content shows */
        host[0x11] = 0x77;
        memory_region_destroy(&mr);
        ck_assert_int_eq(pread(fd, &byte, 1, 0x11), 1);
        ck_assert_uint_eq(byte, share ? 0x77 : 0); /* and is written to if shared */
    }
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0x2000);
    close(fd);
    g_unlink(path);
    ck_assert(!memory_region_init_ram_from_file(&mr, NULL, "file", 0x2000, true,
                                                "/nowhere/file", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "guest memory 'file'"));
    g_clear_error(&error);
}
END_TEST

/* -- Dirty pages ---------------------------------------------------------------------------- */

static bool is_dirty(unsigned page, unsigned client)
{
    return ram_block_get_dirty(block, page * MEMORY_PAGE_SIZE, MEMORY_PAGE_SIZE, client);
}

/* Zeroes, whatever is behind the memory, and none of the host's where it need not be. */
START_TEST(test_clear)
{
    enum { MEMFD, PRIVATE, FILE_SHARED, FILE_PRIVATE, OWN, PINNED, WAYS };
    static const uint64_t size = MiB(1);
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "umbra-clear-XXXXXX", NULL);
    g_autofree uint8_t *own = g_malloc(size), *zeroes = g_malloc0(size);
    int fd = g_mkstemp(path);

    for (int way = 0; way < WAYS; way++) {
        bool is_file = way == FILE_SHARED || way == FILE_PRIVATE;
        MemoryRegion mr;
        uint8_t *host, resident[256];
        unsigned pages = 0;

        ck_assert_int_eq(pwrite(fd, "old", 3, 0), 3);
        if (way == OWN) {
            memory_region_init_ram_ptr(&mr, NULL, "clear", size, own);
        } else {
            ck_assert(memory_region_init_ram_from_file(
                &mr, NULL, "clear", size, way != PRIVATE && way != FILE_PRIVATE,
                is_file ? path : NULL, NULL));
        }
        host = memory_region_get_ram_ptr(&mr);
        memset(host, 0x5a, size);
        if (way == PINNED && mlock(host, size) != 0) {
            memory_region_destroy(&mr);
            continue; /* not allowed here */
        }
        ram_dirty_log_start(DIRTY_MEMORY_MIGRATION);
        memory_region_clear_ram(&mr);
        ck_assert(ram_block_get_dirty(memory_region_ram_block(&mr), 0, size,
                                      DIRTY_MEMORY_MIGRATION));
        ram_dirty_log_stop(DIRTY_MEMORY_MIGRATION);
        if (way == MEMFD || way == PRIVATE) {
            ck_assert_int_eq(mincore(host, size, resident), 0);
            for (size_t i = 0; i < sizeof(resident); i++) {
                pages += resident[i] & 1;
            }
            ck_assert_uint_eq(pages, 0);
        }
        ck_assert_msg(memcmp(host, zeroes, size) == 0, "way %d", way);
        memory_region_destroy(&mr);
    }
    close(fd);
    g_remove(path);
}
END_TEST

START_TEST(test_dirty_by_every_way)
{
    hwaddr length = 0x1000;
    void *host;
    uint8_t bytes[0x3000] = {1};

    ck_assert(!is_dirty(0, DIRTY_MEMORY_MIGRATION));
    memory_region_set_dirty(&ram, 0, MiB(1)); /* nobody watches */
    ram_dirty_log_start(DIRTY_MEMORY_MIGRATION);
    ck_assert(!ram_block_get_dirty(block, 0, MiB(1), DIRTY_MEMORY_MIGRATION));
    address_space_stb(&as, 0x1fff, 1, ANY, NULL);
    address_space_stl_le(&as, 0x4ffe, 1, ANY, NULL);         /* over a border */
    address_space_write(&as, 0x10800, ANY, bytes, 0x1000);   /* pages 10 and 11 */
    address_space_write_rom(&as, 0x20000, ANY, bytes, 1);
    memory_region_set_dirty(&ram, 0x30000, 1);
    host = address_space_map(&as, 0x40000, &length, true, ANY);
    address_space_unmap(&as, host, length, true, 1);
    host = address_space_map(&as, 0x41000, &length, false, ANY);
    address_space_unmap(&as, host, length, false, length);
    for (unsigned page = 0; page < 256; page++) {
        bool expected = page == 1 || page == 4 || page == 5 || page == 0x10 ||
                        page == 0x11 || page == 0x20 || page == 0x30 || page == 0x40;

        ck_assert_msg(is_dirty(page, DIRTY_MEMORY_MIGRATION) == expected, "page %x", page);
        ck_assert(!is_dirty(page, DIRTY_MEMORY_VGA));
    }
    ram_dirty_log_stop(DIRTY_MEMORY_MIGRATION);
    ck_assert(!is_dirty(1, DIRTY_MEMORY_MIGRATION));
}
END_TEST

START_TEST(test_clear_and_test)
{
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    memory_region_set_dirty(&ram, 60 * 4096, 10 * 4096); /* pages 60..69: two words */
    ck_assert(!ram_block_test_and_clear_dirty(block, 0, 60 * 4096, DIRTY_MEMORY_VGA));
    ck_assert(ram_block_test_and_clear_dirty(block, 62 * 4096, 4 * 4096, DIRTY_MEMORY_VGA));
    ck_assert(!ram_block_test_and_clear_dirty(block, 62 * 4096, 4 * 4096,
                                              DIRTY_MEMORY_VGA));
    ck_assert(is_dirty(61, DIRTY_MEMORY_VGA));
    ck_assert(!is_dirty(62, DIRTY_MEMORY_VGA) && !is_dirty(65, DIRTY_MEMORY_VGA));
    ck_assert(is_dirty(66, DIRTY_MEMORY_VGA) && is_dirty(69, DIRTY_MEMORY_VGA));
    ck_assert(!is_dirty(70, DIRTY_MEMORY_VGA));
    memory_region_set_log(&ram, false, DIRTY_MEMORY_VGA);
}
END_TEST

START_TEST(test_harvest)
{
    unsigned long bitmap[3] = {0, 0, 1};

    ram_dirty_log_start(DIRTY_MEMORY_MIGRATION);
    memory_region_set_dirty(&ram, 10 * 4096, 4096);
    memory_region_set_dirty(&ram, 63 * 4096, 2 * 4096);
    memory_region_set_dirty(&ram, 130 * 4096, 4096);
    /* From page 5 on, so that bit 0 is page 5. */
    ck_assert_uint_eq(ram_block_harvest_dirty(block, 5 * 4096, 120 * 4096,
                                              DIRTY_MEMORY_MIGRATION, bitmap), 3);
    ck_assert_uint_eq(bitmap[0], (1ul << 5) | (1ul << 58) | (1ul << 59));
    ck_assert_uint_eq(bitmap[1], 0);
    ck_assert_uint_eq(bitmap[2], 1);
    ck_assert(!is_dirty(63, DIRTY_MEMORY_MIGRATION));
    ck_assert(is_dirty(130, DIRTY_MEMORY_MIGRATION)); /* it was not asked for */
    ck_assert_uint_eq(ram_block_harvest_dirty(block, 0, MiB(1), DIRTY_MEMORY_MIGRATION,
                                              bitmap), 1);
    ck_assert_uint_eq(bitmap[2], 1 | (1ul << 2));
    ram_dirty_log_stop(DIRTY_MEMORY_MIGRATION);
}
END_TEST

/* A block that is made while all are watched is watched too; starts nest. */
START_TEST(test_new_blocks_are_watched)
{
    MemoryRegion late;

    ram_dirty_log_start(DIRTY_MEMORY_MIGRATION);
    ram_dirty_log_start(DIRTY_MEMORY_MIGRATION);
    ck_assert(memory_region_init_ram(&late, NULL, "late", 0x4000, NULL));
    memory_region_set_dirty(&late, 0x1000, 1);
    ram_dirty_log_stop(DIRTY_MEMORY_MIGRATION);
    ck_assert(ram_block_get_dirty(memory_region_ram_block(&late), 0, 0x4000,
                                  DIRTY_MEMORY_MIGRATION));
    memory_region_destroy(&late);
    ram_dirty_log_stop(DIRTY_MEMORY_MIGRATION);
}
END_TEST

/* -- Caches --------------------------------------------------------------------------------- */

START_TEST(test_cache)
{
    MemoryRegionCache cache;
    uint8_t *host = memory_region_get_ram_ptr(&ram);
    uint32_t word = 0x12345678;

    /* Cut where the RAM ends. */
    ck_assert_uint_eq(memory_region_cache_init(&cache, &as, 0xff000, 0x2000, true), 0x1000);
    ram_dirty_log_start(DIRTY_MEMORY_MIGRATION);
    ck_assert_uint_eq(address_space_write_cached(&cache, 0x10, &word, 4), MEMTX_OK);
    ck_assert_int_eq(memcmp(host + 0xff010, &word, 4), 0);
    ck_assert(is_dirty(0xff, DIRTY_MEMORY_MIGRATION));
    ram_dirty_log_stop(DIRTY_MEMORY_MIGRATION);
    word = 0;
    ck_assert_uint_eq(address_space_read_cached(&cache, 0x10, &word, 4), MEMTX_OK);
    ck_assert_uint_eq(word, 0x12345678);
    ck_assert_uint_eq(address_space_read_cached(&cache, 0xffe, &word, 4),
                      MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(word, 0);
    ck_assert_uint_eq(address_space_write_cached(&cache, UINT64_MAX, &word, 4),
                      MEMTX_DECODE_ERROR);
    memory_region_cache_destroy(&cache);
    /* What is not RAM takes the long way. */
    ck_assert_uint_eq(memory_region_cache_init(&cache, &as, 0x100000, 0x10, true), 0x10);
    ck_assert_ptr_null(cache.host);
    ck_assert_uint_eq(address_space_read_cached(&cache, 0, &word, 4), MEMTX_DECODE_ERROR);
    memory_region_cache_destroy(&cache);
}
END_TEST

START_TEST(test_cache_outlives_its_region)
{
    MemoryRegion gone;
    MemoryRegionCache cache;
    uint8_t byte = 7;

    ck_assert(memory_region_init_ram(&gone, NULL, "gone", 0x1000, NULL));
    memory_region_add_subregion(&root, 0x200000, &gone);
    memory_region_cache_init(&cache, &as, 0x200000, 0x1000, true);
    memory_region_del_subregion(&root, &gone);
    memory_region_destroy(&gone);
    ck_assert_uint_eq(address_space_write_cached(&cache, 0, &byte, 1), MEMTX_OK);
    byte = 0;
    ck_assert_uint_eq(address_space_read_cached(&cache, 0, &byte, 1), MEMTX_OK);
    ck_assert_uint_eq(byte, 7);
    memory_region_cache_destroy(&cache);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory-ram");
    TCase *tc = tcase_create("blocks");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_places);
    tcase_add_test(tc, test_names_and_sizes);
    tcase_add_test(tc, test_resize);
    tcase_add_test(tc, test_file);
    tcase_add_test(tc, test_clear);
    tcase_add_test(tc, test_dirty_by_every_way);
    tcase_add_test(tc, test_clear_and_test);
    tcase_add_test(tc, test_harvest);
    tcase_add_test(tc, test_new_blocks_are_watched);
    tcase_add_test(tc, test_cache);
    tcase_add_test(tc, test_cache_outlives_its_region);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
