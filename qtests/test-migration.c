/*
 * What the migration stream is made of: XBZRLE and the zero page test against naive
 * versions of both, and guest memory through a stream and back, in each form that a page
 * can have.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/migration/ram.h"
#include "machine/migration/transport.h"
#include "machine/migration/xbzrle.h"
#include "machine/migration/zero-page.h"
#include "memory/address-space.h"
#include "memory/io-lock.h"

#define PAGE 4096

/* -- Zero pages ------------------------------------------------------------------ */

START_TEST(a_page_is_zero_only_if_each_byte_is)
{
    uint8_t *page = aligned_alloc(PAGE, PAGE);

    memset(page, 0, PAGE);
    ck_assert(zero_page_test(page));
    for (unsigned i = 0; i < PAGE; i++) {
        page[i] = (uint8_t)(1u << i % 8);
        ck_assert_msg(!zero_page_test(page), "byte %u is not zero", i);
        page[i] = 0;
    }
    ck_assert(zero_page_test(page));
    free(page);
}
END_TEST

/* -- XBZRLE ---------------------------------------------------------------------- */

/* The wire form read byte by byte, as QEMU's docs/xbzrle.txt tells it. */
static void naive_decode(const uint8_t *in, int length, uint8_t *page)
{
    int at = 0, i = 0;

    while (i < length) {
        for (int fresh = 0; fresh < 2 && i < length; fresh++) {
            unsigned run = in[i] & 0x7f;

            if (in[i++] & 0x80) {
                run |= (unsigned)in[i++] << 7;
            }
            ck_assert_int_le(at + (int)run, PAGE);
            for (; run; run--, at++) {
                if (fresh) {
                    page[at] = in[i++];
                }
            }
        }
    }
}

static void change_at_random(GRand *random, uint8_t *page)
{
    int changes = g_rand_int_range(random, 0, 20);

    while (changes-- > 0) {
        int start = g_rand_int_range(random, 0, PAGE);
        int length = g_rand_int_range(random, 1, g_rand_boolean(random) ? 4 : 300);

        for (int i = start; i < MIN(start + length, PAGE); i++) {
            page[i] = (uint8_t)g_rand_int(random);
        }
    }
}

START_TEST(changes_make_the_new_page_of_the_old)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    uint8_t old_page[PAGE] = {0}, new_page[PAGE], copy[PAGE], changes[PAGE];

    for (int round = 0; round < 3000; round++) {
        int length;

        memcpy(new_page, old_page, PAGE);
        change_at_random(random, new_page);
        length = xbzrle_encode(old_page, new_page, changes, sizeof(changes));
        if (length >= 0) {
            ck_assert_int_eq(length == 0, memcmp(old_page, new_page, PAGE) == 0);
            memcpy(copy, old_page, PAGE);
            naive_decode(changes, length, copy);
            ck_assert_mem_eq(copy, new_page, PAGE);
            memcpy(copy, old_page, PAGE);
            ck_assert(xbzrle_decode(changes, (size_t)length, copy));
            ck_assert_mem_eq(copy, new_page, PAGE);
        }
        memcpy(old_page, new_page, PAGE);
    }
}
END_TEST

START_TEST(changes_that_do_not_fit_are_not_made)
{
    uint8_t old_page[PAGE] = {0}, new_page[PAGE], changes[PAGE];

    memset(new_page, 1, PAGE);
    ck_assert_int_eq(xbzrle_encode(old_page, new_page, changes, PAGE), -1);
    memset(new_page, 0, PAGE);
    new_page[0] = new_page[PAGE - 1] = 1;
    /* 0 stay, 1 new; 4094 stay (2 bytes), 1 new: by hand. */
    ck_assert_int_eq(xbzrle_encode(old_page, new_page, changes, PAGE), 7);
    ck_assert_mem_eq(changes, "\x00\x01\x01\xfe\x1f\x01\x01", 7);
    for (size_t size = 0; size < 7; size++) {
        uint8_t small[16];

        memset(small, 0xee, sizeof(small));
        xbzrle_encode(old_page, new_page, small, size);
        ck_assert_uint_eq(small[size], 0xee);
    }
}
END_TEST

static const struct {
    const char *what;
    const char *bytes;
    size_t length;
} broken[] = {
    {"a length that is cut", "\x80", 1},
    {"no new bytes after all", "\x00\x00", 2},
    {"fewer new bytes than said", "\x00\x05\x01\x02", 4},
    {"a stay beyond the page", "\x81\x20\x01\x01", 4},
    {"new bytes beyond the page", "\xff\x1f\x02\x01\x01", 5},
    {"a stay of nothing in the middle", "\x00\x01\x01\x00\x01\x01", 6},
    {"a length of three bytes", "\x80\x80\x01\x01\x01", 5},
};

START_TEST(broken_changes_are_refused)
{
    uint8_t page[PAGE] = {0};

    ck_assert_msg(
        !xbzrle_decode((const uint8_t *)broken[_i].bytes, broken[_i].length, page), "%s",
        broken[_i].what);
}
END_TEST

START_TEST(random_changes_stay_in_the_page)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(6);
    uint8_t page[PAGE + 64], changes[64];

    memset(page, 0xee, sizeof(page));
    for (int round = 0; round < 100000; round++) {
        size_t length = (size_t)g_rand_int_range(random, 0, sizeof(changes));

        for (size_t i = 0; i < length; i++) {
            changes[i] = (uint8_t)g_rand_int(random);
        }
        xbzrle_decode(changes, length, page);
    }
    for (unsigned i = PAGE; i < sizeof(page); i++) {
        ck_assert_uint_eq(page[i], 0xee);
    }
}
END_TEST

START_TEST(the_cache_keeps_pages_that_are_hot)
{
    XbzrleCache *cache = xbzrle_cache_new(4 * PAGE);
    uint8_t *page = xbzrle_cache_claim(cache, 1);

    ck_assert_ptr_nonnull(page);
    ck_assert_ptr_eq(xbzrle_cache_find(cache, 1), page);
    ck_assert_ptr_null(xbzrle_cache_find(cache, 5));  /* of the same place */
    ck_assert_ptr_null(xbzrle_cache_claim(cache, 5)); /* which is taken */
    for (int i = 0; i < 3; i++) {
        xbzrle_cache_next_round(cache);
    }
    ck_assert_ptr_nonnull(xbzrle_cache_claim(cache, 5));
    ck_assert_ptr_null(xbzrle_cache_find(cache, 1));
    xbzrle_cache_free(cache);
}
END_TEST

/* -- Memory ---------------------------------------------------------------------- */

#define PAGES 64

static struct {
    MemoryRegion root, ram, rom;
    AddressSpace space;
    uint8_t *host;
} board;

static void make_memory(void)
{
    io_lock();
    memory_region_init(&board.root, NULL, "system", UINT64_MAX);
    address_space_init(&board.space, &board.root, "memory");
    memory_region_init_ram(&board.ram, NULL, "pc.ram", PAGES * PAGE, NULL);
    memory_region_init_ram(&board.rom, NULL, "pc.rom", 4 * PAGE, NULL);
    memory_region_add_subregion(&board.root, 0, &board.ram);
    memory_region_add_subregion(&board.root, 0xc0000, &board.rom);
    board.host = memory_region_get_ram_ptr(&board.ram);
    io_unlock();
}

static void fill(unsigned page, unsigned seed)
{
    GRand *random = g_rand_new_with_seed(seed);

    for (unsigned i = 0; i < PAGE; i += 4) {
        uint32_t word = seed % 2 ? g_rand_int(random) : seed + i / 256;

        memcpy(board.host + page * PAGE + i, &word, 4);
    }
    g_rand_free(random);
}

/* Sends memory in two passes with changes in between, wrecks it, and loads it again. */
static void check_round_trip(const RamSaveOptions *options)
{
    g_autoptr(Wire) out = wire_new_memory(), in = NULL;
    g_autofree uint8_t *wanted = NULL;
    const RamSaveStatistics *statistics;
    RamSave *save;
    RamLoad *load;
    const uint8_t *bytes;
    size_t size;

    make_memory();
    io_lock();
    fill(0, 1);
    fill(1, 2);
    fill(63, 3);
    save = ram_save_new(options, out, NULL);
    ram_save_setup(save);
    while (!ram_save_iterate(save, 10000)) {
    }
    for (int round = 0; round < 3; round++) { /* the second knows what the first sent */
        board.host[1 * PAGE + 5 + round] ^= 0xff;
        memset(board.host, round, 3 * PAGE / 2);
        fill(10 + (unsigned)round, 11);
        fill(20, 13);
        if (round == 1) { /* a page that was, is not, and is again: nearly as it was */
            memset(board.host + 20 * PAGE, 0, PAGE);
        }
        board.host[20 * PAGE + 7] = round == 1 ? 0 : (uint8_t)round;
        memory_region_set_dirty(&board.ram, 0, 21 * PAGE);
        ck_assert(ram_save_look(save, NULL));
        while (round < 2 && !ram_save_iterate(save, 10000)) {
        }
    }
    ram_save_complete(save);
    statistics = ram_save_statistics(save);
    ck_assert_uint_eq(statistics->remaining, 0);
    ck_assert_uint_eq(statistics->compressed_pages > 0, options->compress);
    ck_assert_uint_eq(statistics->xbzrle_pages > 0, options->xbzrle);
    ck_assert(!wire_failed(out));
    wanted = g_memdup2(board.host, PAGES * PAGE);
    bytes = wire_data(out, &size);
    ck_assert_uint_eq(statistics->transferred, size);
    ram_save_free(save);

    memset(board.host, 0xaa, PAGES * PAGE);
    in = wire_new_bytes(bytes, size);
    load = ram_load_new();
    io_unlock();
    while (wire_peek(in, 1)) {
        ram_load_part(load, in);
        ck_assert_msg(!wire_failed(in), "%s", wire_error(in)->message);
    }
    io_lock();
    ram_load_free(load);
    io_unlock();
    ck_assert_mem_eq(board.host, wanted, PAGES * PAGE);
}

static const RamSaveOptions forms[] = {
    {0},
    {.compress = true, .compress_level = 6},
    {.xbzrle = true, .xbzrle_cache_size = 16 * PAGE},
    {.xbzrle = true,
     .xbzrle_cache_size = 64 * PAGE,
     .compress = true,
     .compress_level = 1},
};

START_TEST(memory_arrives_as_it_left)
{
    check_round_trip(&forms[_i]);
}
END_TEST

#define LIST "\0\0\0\0\0\4\0\4\6pc.ram\0\0\0\0\0\4\0\0"
#define FIRST "\0\0\0\0\0\0\0"

static const struct {
    const char *bytes;
    size_t length;
    const char *message;
} wrong[] = {
#define ROW(text, message_)                                                              \
    {                                                                                    \
        .bytes = text, .length = sizeof(text) - 1, .message = message_                   \
    }
    ROW("\0\0\0\0\0\4\0\4\6pc.ray\0\0\0\0\0\4\0\0", "Unknown ramblock \"pc.ray\""),
    ROW("\0\0\0\0\0\4\0\4\6pc.ram\0\0\0\0\0\2\0\0",
        "Size mismatch: pc.ram: 0x20000 != 0x40000"),
    ROW("\0\0\0\0\0\1\0\4\6pc.ram\0\0\0\0\0\4\0\0", "larger than all blocks"),
    ROW("\0\0\0\0\0\4\0\4\6pc.ram\0\0", "too early"),
    ROW(LIST FIRST "\x28", "continues no block"),
    ROW(LIST "\0\0\0\0\0\4\0\x08\6pc.ram", "Illegal RAM offset 0x40000 in block pc.ram"),
    ROW(LIST "\xff\xff\xff\xff\xff\xff\xf0\x02\6pc.ram\0", "Illegal RAM offset"),
    ROW(LIST FIRST "\x08\5vga.r", "Can't find block vga.r"),
    ROW(LIST FIRST "\x08\6pc.ram"
                   "page",
        "too early"),
    ROW(LIST FIRST "\x01", "Unknown combination of migration flags: 0x1"),
    ROW(LIST FIRST "\x0a\6pc.ram\0", "Unknown combination of migration flags: 0xa"),
    ROW(LIST FIRST "\x40\6pc.ram\2\0\1\0", "wrong compression"),
    ROW(LIST FIRST "\x40\6pc.ram\1\x10\1\0", "wrong compression"),
    ROW(LIST FIRST "\x40\6pc.ram\1\0\2\0\0", "decode error"),
    ROW(LIST "\0\0\0\0\0\0\1\0\6pc.ram\xff\xff\xff\xff",
        "Invalid compressed data length"),
    ROW(LIST "\0\0\0\0\0\0\1\0\6pc.ram\0\0\0\4zzzz", "does not unpack"),
};

START_TEST(wrong_streams_are_refused)
{
    g_autoptr(Wire) wire = wire_new_bytes(wrong[_i].bytes, wrong[_i].length);
    RamLoad *load;

    make_memory();
    io_lock();
    load = ram_load_new();
    io_unlock();
    ram_load_part(load, wire);
    ck_assert(wire_failed(wire));
    ck_assert_msg(strstr(wire_error(wire)->message, wrong[_i].message), "%s",
                  wire_error(wire)->message);
    io_lock();
    ram_load_free(load);
    io_unlock();
}
END_TEST

/* -- Addresses ------------------------------------------------------------------- */

static const struct {
    const char *uri;
    int kind; /* -1: refused */
    const char *text;
    uint16_t port;
    uint64_t offset;
} addresses[] = {
    {"tcp:localhost:4444", TRANSPORT_TCP, "localhost", 4444},
    {"tcp::0", TRANSPORT_TCP, "", 0},
    {"tcp:[::1]:65535,to=65535", TRANSPORT_TCP, "::1", 65535},
    {"unix:/a,b", TRANSPORT_UNIX, "/a,b"},
    {"fd:7", TRANSPORT_FD, "7"},
    {"exec:cat > 'a:b'", TRANSPORT_EXEC, "cat > 'a:b'"},
    {"file:/a:b", TRANSPORT_FILE, "/a:b"},
    {"file:/a,offset=0x1000", TRANSPORT_FILE, "/a", 0, 0x1000},
    {"tcp:localhost", -1},
    {"tcp:localhost:65536", -1},
    {"tcp:localhost:-1", -1},
    {"tcp:localhost:1,to=x", -1},
    {"file:/a,offset=x", -1},
    {"unix:", -1},
    {"exec:", -1},
    {"rdma:host:1", -1},
    {"", -1},
    {"tcp", -1},
};

START_TEST(addresses_are_understood)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TransportAddress) address = transport_parse(addresses[_i].uri, &error);

    ck_assert_msg(!address == (addresses[_i].kind < 0), "%s", addresses[_i].uri);
    ck_assert(!address == !!error);
    if (address) {
        ck_assert_int_eq((int)address->kind, addresses[_i].kind);
        ck_assert_str_eq(address->text, addresses[_i].text);
        ck_assert_uint_eq(address->port, addresses[_i].port);
        ck_assert_uint_eq(address->offset, addresses[_i].offset);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("migration");
    TCase *codecs = tcase_create("codecs"), *memory = tcase_create("memory");
    SRunner *runner;
    int failed;

    tcase_add_test(codecs, a_page_is_zero_only_if_each_byte_is);
    tcase_add_test(codecs, changes_make_the_new_page_of_the_old);
    tcase_add_test(codecs, changes_that_do_not_fit_are_not_made);
    tcase_add_loop_test(codecs, broken_changes_are_refused, 0, G_N_ELEMENTS(broken));
    tcase_add_test(codecs, random_changes_stay_in_the_page);
    tcase_add_test(codecs, the_cache_keeps_pages_that_are_hot);
    tcase_add_loop_test(memory, memory_arrives_as_it_left, 0, G_N_ELEMENTS(forms));
    tcase_add_loop_test(memory, wrong_streams_are_refused, 0, G_N_ELEMENTS(wrong));
    tcase_add_loop_test(memory, addresses_are_understood, 0, G_N_ELEMENTS(addresses));
    suite_add_tcase(suite, codecs);
    suite_add_tcase(suite, memory);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
