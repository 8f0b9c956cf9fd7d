/*
 * Readers against a writer that commits: for the ThreadSanitizer and AddressSanitizer
 * builds above all, but what the readers see is checked in any build.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>
#include <time.h>

#include "memory/io-lock.h"
#include "memory/ram-block.h"
#include "qtests/memory-view.h"

#define READERS 4
#define ANY MEMTXATTRS_UNSPECIFIED

static MemoryRegion root, low, high, dev;
static AddressSpace as;
static int stop; /* atomic */

static uint64_t dev_read(void *opaque, hwaddr offset, unsigned size)
{
    ck_assert(io_lock_held());
    return 0x33333333;
}

static void dev_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ck_assert(io_lock_held());
}

static const MemoryRegionOps dev_ops = {.read = dev_read, .write = dev_write};

static void setup(void)
{
    io_lock();
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    ck_assert(memory_region_init_ram(&low, NULL, "low", 0x10000, NULL));
    ck_assert(memory_region_init_ram(&high, NULL, "high", 0x1000, NULL));
    memory_region_init_io(&dev, NULL, &dev_ops, NULL, "dev", 0x1000);
    memset(memory_region_get_ram_ptr(&low), 0x11, 0x10000);
    memset(memory_region_get_ram_ptr(&high), 0x22, 0x1000);
    memory_region_add_subregion(&root, 0, &low);
    memory_region_add_subregion_overlap(&root, 0x1000, &high, 1);
    memory_region_add_subregion_overlap(&root, 0x2000, &dev, 1);
    address_space_init(&as, &root, "test");
    stop = 0;
}

static void teardown(void)
{
    memory_region_del_subregion(&root, &low);
    memory_region_del_subregion(&root, &high);
    memory_region_del_subregion(&root, &dev);
    address_space_destroy(&as);
    memory_region_destroy(&low);
    memory_region_destroy(&high);
    memory_region_destroy(&dev);
    memory_region_destroy(&root);
    io_unlock();
}

static bool stopped(void)
{
    return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* Runs `writer` with the machine lock, given back between rounds, beside the readers. */
static void run(GThreadFunc reader, void (*writer)(unsigned round))
{
    GThread *threads[READERS];
    gint64 end = g_get_monotonic_time() + G_USEC_PER_SEC / 2;
    unsigned round = 0;

    for (int i = 0; i < READERS; i++) {
        threads[i] = g_thread_new("reader", reader, NULL);
    }
    for (; g_get_monotonic_time() < end || round < 100; round++) {
        writer(round);
        io_unlock();
        io_lock();
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    io_unlock();
    for (int i = 0; i < READERS; i++) {
        ck_assert_ptr_null(g_thread_join(threads[i]));
    }
    io_lock();
}

/* A window that shows one of three things: a reader sees one of them, and never half. */
static void *read_window(void *unused)
{
    while (!stopped()) {
        MemTxResult result;
        uint32_t value = address_space_ldl_le(&as, 0x1ffc, ANY, &result);

        if (result != MEMTX_OK ||
            (value != 0x11111111 && value != 0x22222222 && value != 0x33333333)) {
            return "a value that nothing has";
        }
        if (address_space_ldl_le(&as, 0x8000, ANY, NULL) != 0x11111111) {
            return "a change where there was none";
        }
    }
    return NULL;
}

static void flip_window(unsigned round)
{
    memory_region_transaction_begin();
    memory_region_set_enabled(&high, round % 3 == 0);
    memory_region_set_address(&dev, round % 3 == 1 ? 0x1000 : 0x2000);
    memory_region_transaction_commit();
}

START_TEST(test_readers_and_writer)
{
    run(read_window, flip_window);
}
END_TEST

/* Regions come and go for good, with their memory. */
static void *read_coming_and_going(void *unused)
{
    while (!stopped()) {
        uint8_t bytes[64];
        MemTxResult result = address_space_read(&as, 0x20000, ANY, bytes, sizeof(bytes));

        for (size_t i = 1; i < sizeof(bytes); i++) {
            if (bytes[i] != bytes[0]) {
                return "a torn read";
            }
        }
        if (result == MEMTX_OK ? bytes[0] != 0x44 : bytes[0] != 0) {
            return "memory that is gone";
        }
    }
    return NULL;
}

static void come_and_go(unsigned round)
{
    g_autofree MemoryRegion *mr = g_new(MemoryRegion, 1);

    ck_assert(memory_region_init_ram(mr, NULL, "brief", 0x1000, NULL));
    memset(memory_region_get_ram_ptr(mr), 0x44, 0x1000);
    memory_region_add_subregion(&root, 0x20000, mr);
    memory_region_del_subregion(&root, mr);
    memory_region_destroy(mr);
    memset(mr, 0xee, sizeof(*mr));
}

START_TEST(test_safe_removal)
{
    run(read_coming_and_going, come_and_go);
}
END_TEST

/* Maps are held while the tree changes under them. Each thread has its own bytes. */
static int mappers; /* atomic */

static void *map_and_hold(void *unused)
{
    hwaddr own = 0x20000 + 0x100 * __atomic_fetch_add(&mappers, 1, __ATOMIC_RELAXED);

    while (!stopped()) {
        hwaddr length = 0x100;
        uint8_t *host = address_space_map(&as, own, &length, true, ANY);

        if (host) {
            memset(host, 0x44, length);
            address_space_unmap(&as, host, length, true, length);
        }
    }
    return NULL;
}

START_TEST(test_maps)
{
    run(map_and_hold, come_and_go);
}
END_TEST

/* RAM is read and written without the machine lock, whatever a thread has forgotten: here
 * the lock is held until the other thread is done. */
static void *use_ram(void *unused)
{
    uint8_t bytes[16];
    hwaddr length = 16;
    void *host;

    address_space_stl_le(&as, 0x3000, 0x12345678, ANY, NULL);
    if (address_space_ldl_le(&as, 0x3000, ANY, NULL) != 0x12345678 ||
        address_space_ldl_le(&as, 0x0ffe, ANY, NULL) != 0x22221111) { /* over two ranges */
        return "another value";
    }
    address_space_read(&as, 0x4000, ANY, bytes, sizeof(bytes));
    address_space_write(&as, 0x4000, ANY, bytes, sizeof(bytes));
    host = address_space_map(&as, 0x5000, &length, true, ANY);
    address_space_unmap(&as, host, length, true, length);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    return NULL;
}

START_TEST(test_ram_needs_no_lock)
{
    GThread *thread = g_thread_new("ram", use_ram, NULL);
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (!stopped() && g_get_monotonic_time() < end) {
        flip_window(0);
        g_usleep(100);
    }
    ck_assert_msg(stopped(), "an access to RAM waits for the machine lock");
    ck_assert_ptr_null(g_thread_join(thread));
}
END_TEST

/* Each store's page is in some harvest, whenever that is made. */
static int stores; /* atomic */

static void *store_pages(void *unused)
{
    for (unsigned i = 0; !stopped(); i++) {
        address_space_stb(&as, 0x3000 + 0x1000 * (i % 8), 1, ANY, NULL);
        __atomic_add_fetch(&stores, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static uint64_t harvested;

static void harvest(unsigned round)
{
    unsigned long bitmap[1] = {0};

    if (round % 50 == 0) {
        memory_global_dirty_log_stop();
        ck_assert(memory_global_dirty_log_start(NULL));
    }
    harvested += ram_block_harvest_dirty(memory_region_ram_block(&low), 0, 0x10000,
                                         DIRTY_MEMORY_MIGRATION, bitmap);
    ck_assert_uint_eq(bitmap[0] & ~0x7f8ul, 0);
}

START_TEST(test_dirty_harvest)
{
    run(store_pages, harvest);
    if (__atomic_load_n(&stores, __ATOMIC_RELAXED) > 0) {
        ck_assert_uint_gt(harvested, 0);
    }
    memory_global_dirty_log_stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory-threads");
    TCase *tc = tcase_create("threads");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_readers_and_writer);
    tcase_add_test(tc, test_safe_removal);
    tcase_add_test(tc, test_maps);
    tcase_add_test(tc, test_ram_needs_no_lock);
    tcase_add_test(tc, test_dirty_harvest);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
