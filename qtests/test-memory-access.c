/*
 * Loads, stores and bulk accesses: RAM, devices and the rules between the two.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "memory/io-lock.h"
#include "memory/ram-block.h"
#include "qtests/memory-view.h"

#define ANY MEMTXATTRS_UNSPECIFIED

static MemoryRegion root, ram, dev;
static AddressSpace as;

/* A device with 64 bytes of state that writes down how it is called. */
static uint8_t state[64];
static GString *calls;

static uint64_t dev_read(void *opaque, hwaddr offset, unsigned size)
{
    uint64_t value = 0;

    g_string_append_printf(calls, "r%u@%" PRIx64 " ", size, offset);
    memcpy(&value, state + offset, size);
    return value;
}

static void dev_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    g_string_append_printf(calls, "w%u@%" PRIx64 "=%" PRIx64 " ", size, offset, value);
    memcpy(state + offset, &value, size);
}

static void setup(void)
{
    io_lock();
    calls = g_string_new(NULL);
    for (int i = 0; i < 64; i++) {
        state[i] = i + 1;
    }
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    ck_assert(memory_region_init_ram(&ram, NULL, "ram", 0x10000, NULL));
    memory_region_add_subregion(&root, 0, &ram);
    address_space_init(&as, &root, "test");
}

static void teardown(void)
{
    memory_region_del_subregion(&root, &ram);
    address_space_destroy(&as);
    memory_region_destroy(&ram);
    memory_region_destroy(&root);
    g_string_free(calls, true);
    io_unlock();
}

#define AT 0x20000 /* where the device is */

static void plug(const MemoryRegionOps *ops)
{
    memory_region_init_io(&dev, NULL, ops, NULL, "dev", 64);
    memory_region_add_subregion(&root, AT, &dev);
}

static void unplug(void)
{
    memory_region_del_subregion(&root, &dev);
    memory_region_destroy(&dev);
}

static uint64_t load(hwaddr addr, unsigned size, MemTxResult expected)
{
    uint64_t value = 0;

    ck_assert_uint_eq(address_space_load(&as, addr, size, &value, ANY), expected);
    return value;
}

#define ck_assert_calls(expected)                                                        \
    do {                                                                                 \
        ck_assert_str_eq(calls->str, expected);                                          \
        g_string_set_size(calls, 0);                                                     \
    } while (0)

START_TEST(test_ram)
{
    static const unsigned sizes[] = {1, 2, 4, 8};
    uint8_t *host = memory_region_get_ram_ptr(&ram);

    for (int i = 0; i < 4; i++) {
        for (hwaddr addr = 0x100; addr < 0x110; addr++) {
            uint64_t value = 0x8877665544332211;
            uint64_t mask = sizes[i] == 8 ? UINT64_MAX : (1ull << (8 * sizes[i])) - 1;

            memset(host + 0x100, 0, 32);
            ck_assert_uint_eq(address_space_store(&as, addr, sizes[i], value, ANY), 0);
            ck_assert_uint_eq(host[addr], 0x11);
            ck_assert_uint_eq(host[addr + sizes[i] - 1], 0x11 * sizes[i]);
            ck_assert_uint_eq(host[addr + sizes[i]], 0);
            ck_assert_uint_eq(load(addr, sizes[i], MEMTX_OK), value & mask);
        }
    }
    address_space_stl_be(&as, 0, 0x11223344, ANY, NULL);
    ck_assert_uint_eq(host[0], 0x11);
    ck_assert_uint_eq(address_space_ldl_le(&as, 0, ANY, NULL), 0x44332211);
    ck_assert_uint_eq(address_space_lduw_be(&as, 2, ANY, NULL), 0x3344);
}
END_TEST

START_TEST(test_rom)
{
    MemoryRegion rom;
    uint32_t word = 0xdeadbeef;
    MemTxResult result;

    ck_assert(memory_region_init_rom(&rom, NULL, "rom", 0x1000, NULL));
    memory_region_add_subregion(&root, 0x30000, &rom);
    address_space_stl_le(&as, 0x30000, 1, ANY, &result);
    ck_assert_uint_eq(result, MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(load(0x30000, 4, MEMTX_OK), 0);
    ck_assert_uint_eq(address_space_write_rom(&as, 0x30000, ANY, &word, 4), MEMTX_OK);
    ck_assert_uint_eq(load(0x30000, 4, MEMTX_OK), 0xdeadbeef);
    memory_region_set_readonly(&rom, false);
    address_space_stl_le(&as, 0x30000, 1, ANY, &result);
    ck_assert_uint_eq(result, MEMTX_OK);
    ck_assert_uint_eq(load(0x30000, 4, MEMTX_OK), 1);
    memory_region_del_subregion(&root, &rom);
    memory_region_destroy(&rom);
}
END_TEST

START_TEST(test_defaults_are_1_to_4_aligned)
{
    static const MemoryRegionOps ops = {.read = dev_read, .write = dev_write};

    plug(&ops);
    ck_assert_uint_eq(load(AT, 4, MEMTX_OK), 0x04030201);
    ck_assert_calls("r4@0 ");
    ck_assert_uint_eq(load(AT, 8, MEMTX_OK), 0x0807060504030201);
    ck_assert_calls("r4@0 r4@4 ");
    ck_assert_uint_eq(load(AT + 1, 4, MEMTX_OK), 0x05040302);
    ck_assert_calls("r1@1 r2@2 r1@4 ");
    ck_assert_uint_eq(address_space_store(&as, AT + 2, 4, 0xaabbccdd, ANY), MEMTX_OK);
    ck_assert_calls("w2@2=ccdd w2@4=aabb ");
    unplug();
}
END_TEST

START_TEST(test_impl_splits)
{
    static const MemoryRegionOps ops = {.read = dev_read, .write = dev_write,
                                        .impl = {.max_access_size = 1}};

    plug(&ops);
    ck_assert_uint_eq(load(AT + 4, 4, MEMTX_OK), 0x08070605);
    ck_assert_calls("r1@4 r1@5 r1@6 r1@7 ");
    ck_assert_uint_eq(address_space_store(&as, AT, 2, 0xbeef, ANY), MEMTX_OK);
    ck_assert_calls("w1@0=ef w1@1=be ");
    unplug();
}
END_TEST

START_TEST(test_impl_merges)
{
    static const MemoryRegionOps ops = {
        .read = dev_read, .write = dev_write,
        .valid = {.min_access_size = 1, .max_access_size = 4},
        .impl = {.min_access_size = 4, .max_access_size = 4}};

    plug(&ops);
    ck_assert_uint_eq(load(AT + 5, 1, MEMTX_OK), 0x06);
    ck_assert_calls("r4@4 ");
    ck_assert_uint_eq(load(AT + 6, 2, MEMTX_OK), 0x0807);
    ck_assert_calls("r4@4 ");
    ck_assert_uint_eq(address_space_store(&as, AT + 1, 1, 0xee, ANY), MEMTX_OK);
    ck_assert_calls("r4@0 w4@0=403ee01 ");
    unplug();
}
END_TEST

START_TEST(test_valid_refuses)
{
    static const MemoryRegionOps ops = {
        .read = dev_read, .write = dev_write,
        .valid = {.min_access_size = 4, .max_access_size = 4}};

    plug(&ops);
    ck_assert_uint_eq(load(AT, 1, MEMTX_ERROR), 0);
    ck_assert_uint_eq(load(AT, 2, MEMTX_ERROR), 0);
    ck_assert_uint_eq(address_space_store(&as, AT, 2, 1, ANY), MEMTX_ERROR);
    ck_assert_calls("");
    ck_assert_uint_eq(load(AT + 4, 4, MEMTX_OK), 0x08070605);
    ck_assert_calls("r4@4 ");
    unplug();
}
END_TEST

static bool accepts_even(void *opaque, hwaddr offset, unsigned size, bool is_write,
                         MemTxAttrs attrs)
{
    return offset % 2 == 0 && !(is_write && attrs.user);
}

START_TEST(test_accepts)
{
    static const MemoryRegionOps ops = {.read = dev_read, .write = dev_write,
                                        .valid = {.accepts = accepts_even}};
    MemTxAttrs user = {.user = 1};

    plug(&ops);
    ck_assert_uint_eq(load(AT + 2, 1, MEMTX_OK), 3);
    load(AT + 3, 1, MEMTX_ERROR);
    ck_assert_uint_eq(address_space_store(&as, AT, 1, 1, user), MEMTX_ERROR);
    ck_assert_calls("r1@2 ");
    unplug();
}
END_TEST

START_TEST(test_unaligned)
{
    static const MemoryRegionOps valid_only = {
        .read = dev_read, .write = dev_write, .valid = {.unaligned = true}};
    static const MemoryRegionOps both = {
        .read = dev_read, .write = dev_write, .valid = {.unaligned = true},
        .impl = {.unaligned = true}};

    plug(&valid_only);
    ck_assert_uint_eq(load(AT + 2, 4, MEMTX_OK), 0x06050403);
    ck_assert_calls("r2@2 r2@4 ");
    unplug();
    plug(&both);
    ck_assert_uint_eq(load(AT + 1, 4, MEMTX_OK), 0x05040302);
    ck_assert_calls("r4@1 ");
    unplug();
}
END_TEST

START_TEST(test_big_endian_device)
{
    static const MemoryRegionOps ops = {.read = dev_read, .write = dev_write,
                                        .endianness = DEVICE_BIG_ENDIAN};
    static const MemoryRegionOps bytes = {.read = dev_read, .write = dev_write,
                                          .endianness = DEVICE_BIG_ENDIAN,
                                          .impl = {.max_access_size = 2}};

    plug(&ops);
    /* The device says 0x04030201; its most significant byte comes first. */
    ck_assert_uint_eq(load(AT, 4, MEMTX_OK), 0x01020304);
    ck_assert_uint_eq(address_space_store(&as, AT, 2, 0x1122, ANY), MEMTX_OK);
    ck_assert_calls("r4@0 w2@0=2211 ");
    unplug();
    plug(&bytes);
    /* As words the device says 0x1122 (see the write) at 0 and 0x0403 at 2. */
    ck_assert_uint_eq(address_space_store(&as, AT, 4, 0x44332211, ANY), MEMTX_OK);
    ck_assert_calls("w2@0=1122 w2@2=3344 ");
    ck_assert_uint_eq(load(AT, 4, MEMTX_OK), 0x44332211);
    unplug();
}
END_TEST

static MemTxResult read_attrs(void *opaque, hwaddr offset, uint64_t *value, unsigned size,
                              MemTxAttrs attrs)
{
    *value = attrs.requester_id;
    return offset == 8 ? MEMTX_ERROR : MEMTX_OK;
}

static MemTxResult write_attrs(void *opaque, hwaddr offset, uint64_t value, unsigned size,
                               MemTxAttrs attrs)
{
    return attrs.secure ? MEMTX_OK : MEMTX_ERROR;
}

START_TEST(test_attrs_and_results)
{
    static const MemoryRegionOps ops = {.read_with_attrs = read_attrs,
                                        .write_with_attrs = write_attrs};
    MemTxAttrs master = {.requester_id = 0x1234}, secure = {.secure = 1};
    MemTxAttrs memory = {.memory = 1};
    MemTxResult result;
    uint8_t buffer[16];

    plug(&ops);
    ck_assert_uint_eq(address_space_lduw_le(&as, AT, master, &result), 0x1234);
    ck_assert_uint_eq(result, MEMTX_OK);
    ck_assert_uint_eq(address_space_read(&as, AT, master, buffer, 16), MEMTX_ERROR);
    ck_assert_uint_eq(address_space_store(&as, AT, 1, 0, secure), MEMTX_OK);
    ck_assert_uint_eq(address_space_store(&as, AT, 1, 0, master), MEMTX_ERROR);
    ck_assert_uint_eq(address_space_read(&as, AT, memory, buffer, 4), MEMTX_ACCESS_ERROR);
    ck_assert_uint_eq(address_space_read(&as, 0, memory, buffer, 4), MEMTX_OK);
    /* From the device into the hole behind it: both results. */
    ck_assert_uint_eq(address_space_write(&as, AT + 60, master, buffer, 8),
                      MEMTX_ERROR | MEMTX_DECODE_ERROR);
    unplug();
}
END_TEST

START_TEST(test_access_across_ranges)
{
    static const MemoryRegionOps ops = {.read = dev_read, .write = dev_write};
    uint8_t buffer[0x20];

    memory_region_init_io(&dev, NULL, &ops, NULL, "dev", 64);
    memory_region_add_subregion(&root, 0x10000, &dev); /* right behind RAM */
    ck_assert_uint_eq(address_space_store(&as, 0xfffe, 4, 0x44332211, ANY), MEMTX_OK);
    ck_assert_calls("w2@0=4433 ");
    ck_assert_uint_eq(load(0xfffe, 4, MEMTX_OK), 0x44332211);
    ck_assert_uint_eq(address_space_read(&as, 0xfff0, ANY, buffer, 0x20), MEMTX_OK);
    ck_assert_uint_eq(buffer[0xf], 0x22);
    ck_assert_uint_eq(buffer[0x10], 0x33);
    ck_assert_uint_eq(buffer[0x12], 3);
    unplug();
}
END_TEST

/* Ports 0xcf8 to 0xcfb belong to one device and 0xcf9 to another above it: a dword to 0xcf8
 * is the first one's all the same. But no device is given what is beyond its own end. */
START_TEST(test_access_over_a_neighbour)
{
    static const MemoryRegionOps ops = {.read = dev_read, .write = dev_write};
    MemoryRegion reset, one;

    plug(&ops);
    memory_region_set_size(&dev, 4);
    memory_region_init_io(&reset, NULL, &ops, NULL, "reset", 1);
    memory_region_add_subregion_overlap(&root, AT + 1, &reset, 1);
    ck_assert_uint_eq(address_space_store(&as, AT, 4, 0x80001004, ANY), MEMTX_OK);
    ck_assert_calls("w4@0=80001004 ");
    ck_assert_uint_eq(address_space_store(&as, AT + 1, 1, 6, ANY), MEMTX_OK);
    ck_assert_calls("w1@0=6 ");
    memory_region_init_io(&one, NULL, &ops, NULL, "one", 1);
    memory_region_add_subregion(&root, AT + 4, &one);
    load(AT + 4, 2, MEMTX_DECODE_ERROR);
    ck_assert_calls("r1@0 ");
    memory_region_del_subregion(&root, &reset);
    memory_region_destroy(&reset);
    memory_region_del_subregion(&root, &one);
    memory_region_destroy(&one);
    unplug();
}
END_TEST

static unsigned stops;

static void stopped(AddressSpace *space, hwaddr addr, unsigned size, bool is_write,
                    void *opaque)
{
    ck_assert(io_lock_held());
    ck_assert_uint_eq(addr, 0x50000);
    ck_assert_uint_eq(size, 4);
    stops += is_write ? 0x10 : 1;
}

START_TEST(test_unassigned)
{
    uint64_t value = 0;

    ck_assert_uint_eq(load(0x50000, 4, MEMTX_DECODE_ERROR), 0);
    address_space_set_unassigned_policy(&as, MEMORY_UNASSIGNED_READ_ONES, NULL, NULL);
    ck_assert_uint_eq(load(0x50000, 4, MEMTX_DECODE_ERROR), 0xffffffff);
    ck_assert_uint_eq(load(0x50000, 1, MEMTX_DECODE_ERROR), 0xff);
    address_space_set_unassigned_policy(&as, MEMORY_UNASSIGNED_STOP, stopped, NULL);
    load(0x50000, 4, MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(address_space_store(&as, 0x50000, 4, 0, ANY), MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(stops, 0x11);
    plug(NULL); /* a region without ops is unassigned */
    address_space_set_unassigned_policy(&as, MEMORY_UNASSIGNED_READ_ONES, NULL, NULL);
    ck_assert_uint_eq(load(AT, 2, MEMTX_DECODE_ERROR), 0xffff);
    unplug();
    /* The end of the address space is the end. */
    ck_assert_uint_eq(address_space_read(&as, UINT64_MAX - 1, ANY, &value, 8),
                      MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(value, 0xffff);
}
END_TEST

START_TEST(test_split_reads_and_writes)
{
    MemoryRegion pci, rom, window;
    uint8_t *host = memory_region_get_ram_ptr(&ram);

    memory_region_init(&pci, NULL, "pci", UINT64_MAX);
    ck_assert(memory_region_init_rom(&rom, NULL, "rom", 0x1000, NULL));
    memset(memory_region_get_ram_ptr(&rom), 0xaa, 0x1000);
    memory_region_add_subregion(&pci, 0x1000, &rom);
    memory_region_init_split(&window, NULL, "window", &pci, 0x1000, &ram, 0x1000, 0x2000);
    memory_region_add_subregion_overlap(&root, 0x1000, &window, 1);
    memset(host, 0x55, 0x4000);
    ck_assert_uint_eq(address_space_store(&as, 0x1ffc, 8, 0x8877665544332211, ANY), 0);
    ck_assert_uint_eq(load(0x1ffc, 4, MEMTX_OK), 0xaaaaaaaa);
    load(0x2000, 4, MEMTX_DECODE_ERROR); /* nothing on PCI */
    ck_assert_uint_eq(host[0x1ffc], 0x11);
    ck_assert_uint_eq(host[0x2003], 0x88);
    ck_assert_uint_eq(((uint8_t *)memory_region_get_ram_ptr(&rom))[0xffc], 0xaa);
    memory_region_del_subregion(&root, &window);
    ck_assert_uint_eq(load(0x1ffc, 8, MEMTX_OK), 0x8877665544332211);
    memory_region_destroy(&window);
    memory_region_del_subregion(&pci, &rom);
    memory_region_destroy(&rom);
    memory_region_destroy(&pci);
}
END_TEST

START_TEST(test_rom_device)
{
    static const MemoryRegionOps ops = {.read = dev_read, .write = dev_write};
    MemoryRegion flash;

    ck_assert(memory_region_init_rom_device(&flash, NULL, &ops, NULL, "flash", 0x1000, NULL));
    memset(memory_region_get_ram_ptr(&flash), 0x77, 0x1000);
    memory_region_add_subregion(&root, 0x30000, &flash);
    ck_assert_uint_eq(load(0x30000, 2, MEMTX_OK), 0x7777);
    ck_assert_uint_eq(address_space_store(&as, 0x30000, 1, 0x90, ANY), MEMTX_OK);
    ck_assert_calls("w1@0=90 ");
    memory_region_rom_device_set_romd(&flash, false);
    ck_assert_uint_eq(load(0x30001, 1, MEMTX_OK), 2);
    ck_assert_calls("r1@1 ");
    memory_region_rom_device_set_romd(&flash, true);
    ck_assert_uint_eq(load(0x30000, 2, MEMTX_OK), 0x7777);
    memory_region_del_subregion(&root, &flash);
    memory_region_destroy(&flash);
}
END_TEST

START_TEST(test_ram_device)
{
    MemoryRegion bar;
    uint32_t memory[4] = {1, 2, 3, 4};

    memory_region_init_ram_device_ptr(&bar, NULL, "bar", sizeof(memory), memory);
    memory_region_add_subregion(&root, 0x30000, &bar);
    ck_assert_uint_eq(load(0x30004, 4, MEMTX_OK), 2);
    ck_assert_uint_eq(address_space_store(&as, 0x30006, 4, 0x11223344, ANY), MEMTX_OK);
    ck_assert_uint_eq(memory[1], 0x33440002);
    ck_assert_uint_eq(memory[2], 0x00001122);
    memory_region_del_subregion(&root, &bar);
    memory_region_destroy(&bar);
}
END_TEST

START_TEST(test_map)
{
    static const MemoryRegionOps ops = {.read = dev_read, .write = dev_write};
    hwaddr length = 0x20000;
    uint8_t *host, *buffers[20];
    int mapped = 0;

    host = address_space_map(&as, 0x8000, &length, true, ANY);
    ck_assert_ptr_eq(host, (uint8_t *)memory_region_get_ram_ptr(&ram) + 0x8000);
    ck_assert_uint_eq(length, 0x8000);
    address_space_unmap(&as, host, length, true, length);

    plug(&ops);
    length = 8;
    host = address_space_map(&as, AT + 4, &length, false, ANY);
    ck_assert_uint_eq(length, 8);
    ck_assert_int_eq(memcmp(host, state + 4, 8), 0);
    address_space_unmap(&as, host, length, false, length);
    g_string_set_size(calls, 0);
    host = address_space_map(&as, AT, &length, true, ANY);
    memcpy(host, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
    ck_assert_calls("");
    address_space_unmap(&as, host, length, true, 4); /* only what was written */
    ck_assert_calls("w4@0=44332211 ");

    /* The buffers are bounded, and come back. */
    for (int i = 0; i < 20; i++) {
        length = 4;
        buffers[i] = address_space_map(&as, AT, &length, true, ANY);
        mapped += buffers[i] != NULL;
        ck_assert_uint_eq(length, buffers[i] ? 4 : 0);
    }
    ck_assert_int_lt(mapped, 20);
    ck_assert_int_gt(mapped, 0);
    for (int i = 0; i < 20; i++) {
        if (buffers[i]) {
            address_space_unmap(&as, buffers[i], 4, true, 0);
        }
    }
    length = 4;
    host = address_space_map(&as, AT, &length, true, ANY);
    ck_assert_ptr_nonnull(host);
    address_space_unmap(&as, host, length, true, 0);
    unplug();
}
END_TEST

static void count_call(void *opaque)
{
    ++*(int *)opaque;
}

/* The main loop calls each waiting client once after a buffer has come free. */
START_TEST(test_map_clients)
{
    static const MemoryRegionOps ops = {.read = dev_read, .write = dev_write};
    uint8_t *buffers[20] = {NULL};
    int used = 0, first = 0, second = 0, never = 0;
    hwaddr length = 4;

    plug(&ops);
    while ((buffers[used] = address_space_map(&as, AT, &length, true, ANY))) {
        used++;
    }
    ck_assert_int_gt(used, 0);
    address_space_register_map_client(&as, count_call, &first);
    address_space_register_map_client(&as, count_call, &never);
    address_space_register_map_client(&as, count_call, &second);
    address_space_unregister_map_client(&as, count_call, &never);
    ck_assert(!g_main_context_iteration(NULL, false)); /* all are in use */
    address_space_unmap(&as, buffers[--used], 4, true, 0);
    ck_assert_int_eq(first + second, 0); /* not by whoever unmaps */
    ck_assert(g_main_context_iteration(NULL, false));
    ck_assert_int_eq(first, 1);
    ck_assert_int_eq(second, 1);
    address_space_unmap(&as, buffers[--used], 4, true, 0);
    ck_assert(!g_main_context_iteration(NULL, false)); /* nobody waits any more */
    /* Too late for the buffer, but not for the news of it. */
    address_space_register_map_client(&as, count_call, &first);
    ck_assert(g_main_context_iteration(NULL, false));
    ck_assert_int_eq(first, 2);
    ck_assert_int_eq(never, 0);
    while (used > 0) {
        address_space_unmap(&as, buffers[--used], 4, true, 0);
    }
    unplug();
}
END_TEST

/* A mapped page outlives its region. */
START_TEST(test_map_holds)
{
    MemoryRegion gone;
    hwaddr length = 0x1000;
    uint8_t *host;
    uint64_t offset;

    ck_assert(memory_region_init_ram(&gone, NULL, "gone", 0x4000, NULL));
    memory_region_add_subregion(&root, 0x40000, &gone);
    host = address_space_map(&as, 0x41000, &length, true, ANY);
    memory_region_del_subregion(&root, &gone);
    memory_region_destroy(&gone);
    ck_assert_ptr_null(ram_block_find("gone"));
    memset(host, 0x42, 0x1000);
    ck_assert_ptr_nonnull(ram_block_from_host(host, &offset));
    ck_assert_uint_eq(offset, 0x1000);
    address_space_unmap(&as, host, 0x1000, true, 0x1000);
    ck_assert_ptr_null(ram_block_from_host(host, &offset));
}
END_TEST

/* What a thread remembers of a view does not survive a commit. */
START_TEST(test_commit_is_seen_at_once)
{
    MemoryRegion over;

    address_space_stl_le(&as, 0x1000, 0x12345678, ANY, NULL);
    ck_assert(memory_region_init_ram(&over, NULL, "over", 0x1000, NULL));
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(load(0x1000, 4, MEMTX_OK), 0x12345678);
        memory_region_add_subregion_overlap(&root, 0x1000, &over, 1);
        ck_assert_uint_eq(load(0x1000, 4, MEMTX_OK), 0);
        memory_region_del_subregion(&root, &over);
    }
    memory_region_destroy(&over);
}
END_TEST

START_TEST(test_set)
{
    uint8_t *host = memory_region_get_ram_ptr(&ram);

    ck_assert_uint_eq(address_space_set(&as, 0x10, 0xa5, 0x1000, ANY), MEMTX_OK);
    ck_assert_uint_eq(host[0xf], 0);
    ck_assert_uint_eq(host[0x10], 0xa5);
    ck_assert_uint_eq(host[0x100f], 0xa5);
    ck_assert_uint_eq(host[0x1010], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory-access");
    TCase *tc = tcase_create("access");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_ram);
    tcase_add_test(tc, test_rom);
    tcase_add_test(tc, test_defaults_are_1_to_4_aligned);
    tcase_add_test(tc, test_impl_splits);
    tcase_add_test(tc, test_impl_merges);
    tcase_add_test(tc, test_valid_refuses);
    tcase_add_test(tc, test_accepts);
    tcase_add_test(tc, test_unaligned);
    tcase_add_test(tc, test_big_endian_device);
    tcase_add_test(tc, test_attrs_and_results);
    tcase_add_test(tc, test_access_across_ranges);
    tcase_add_test(tc, test_access_over_a_neighbour);
    tcase_add_test(tc, test_unassigned);
    tcase_add_test(tc, test_split_reads_and_writes);
    tcase_add_test(tc, test_rom_device);
    tcase_add_test(tc, test_ram_device);
    tcase_add_test(tc, test_map);
    tcase_add_test(tc, test_map_clients);
    tcase_add_test(tc, test_map_holds);
    tcase_add_test(tc, test_commit_is_seen_at_once);
    tcase_add_test(tc, test_set);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
