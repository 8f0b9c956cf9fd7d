/*
 * Listeners hear of exactly the difference that a commit makes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/io-lock.h"
#include "memory/ram-block.h"
#include "memory/zones.h"
#include "qtests/memory-mirror.h"
#include "qtests/pc-tree.h"

static PcTree pc;

/* Whether a line of the log begins with the sign. */
static bool told(MemoryMirror *mirror, char sign)
{
    char line[] = {'\n', sign, 0};

    return mirror->log->str[0] == sign || strstr(mirror->log->str, line);
}

static MemoryMirror mirror;

static void setup(void)
{
    io_lock();
    pc_tree_init(&pc);
    mirror_init(&mirror, &pc.as);
    mirror_start_log(&mirror);
}

static void teardown(void)
{
    ck_assert_mirror(&mirror);
    mirror_destroy(&mirror);
    pc_tree_destroy(&pc);
    io_unlock();
}

START_TEST(test_registration_tells_all)
{
    MemoryMirror second;

    mirror_init(&second, &pc.as);
    ck_assert_int_eq(g_sequence_get_length(second.ranges), 8);
    ck_assert_mirror(&second);
    memory_listener_unregister(&second.listener);
    ck_assert_int_eq(g_sequence_get_length(second.ranges), 0);
    ck_assert_ptr_null(second.trouble);
    memory_listener_register(&second.listener, &pc.as);
    mirror_destroy(&second);
}
END_TEST

/* SeaBIOS makes window 12 writable: pc.bios loses its end, pc.ram is one again. */
START_TEST(test_pam_window)
{
    pc_tree_set_pam(&pc, 12, PAM_RAM);
    ck_assert_told(&mirror, "-100000-7ffffff pc.ram@100000\n"
                            "-e0000-fffff pc.bios@20000 ro\n"
                            "+e0000-effff pc.bios@20000 ro\n"
                            "+f0000-7ffffff pc.ram@f0000\n");
    pc_tree_set_pam(&pc, 12, PAM_ROM);
    ck_assert_told(&mirror, "-f0000-7ffffff pc.ram@f0000\n"
                            "=e0000-effff pc.bios@20000 ro\n"
                            "+f0000-fffff pc.ram@f0000 ro\n"
                            "+100000-7ffffff pc.ram@100000\n");
    /* Between two of its like a window tells of itself and of its neighbours. */
    pc_tree_set_pam(&pc, 2, PAM_RAM);
    ck_assert_told(&mirror, "-c0000-dffff pc.rom ro\n"
                            "+c0000-c7fff pc.rom ro\n"
                            "+c8000-cbfff pc.ram@c8000\n"
                            "+cc000-dffff pc.rom@c000 ro\n");
}
END_TEST

START_TEST(test_nothing_changed_nothing_told)
{
    pc_tree_set_pam(&pc, 5, PAM_PCI);
    ck_assert_told(&mirror, "");
    memory_region_transaction_begin();
    pc_tree_set_pam(&pc, 5, PAM_RAM);
    pc_tree_set_pam(&pc, 5, PAM_PCI);
    memory_region_set_enabled(&pc.hpet, false);
    memory_region_set_enabled(&pc.hpet, true);
    memory_region_transaction_commit();
    ck_assert_told(&mirror, "");
    /* What nobody sees: a region under RAM. */
    MemoryRegion hidden;
    memory_region_init_io(&hidden, NULL, NULL, NULL, "hidden", 0x1000);
    memory_region_add_subregion(&pc.pci, 0x200000, &hidden);
    ck_assert_told(&mirror, "");
    memory_region_del_subregion(&pc.pci, &hidden);
    memory_region_destroy(&hidden);
}
END_TEST

START_TEST(test_two_windows_in_one_transaction)
{
    memory_region_transaction_begin();
    pc_tree_set_pam(&pc, 0, PAM_RAM);
    pc_tree_set_pam(&pc, 1, PAM_RAM);
    memory_region_set_address(&pc.hpet, 0xfed10000);
    memory_region_transaction_commit();
    ck_assert_told(&mirror, "-fed00000-fed003ff hpet\n"
                            "-c0000-dffff pc.rom ro\n"
                            "-0-bffff pc.ram\n"
                            "+0-c7fff pc.ram\n"
                            "+c8000-dffff pc.rom@8000 ro\n"
                            "+fed10000-fed103ff hpet\n");
}
END_TEST

/* Two edits with one range between them: the range takes part once. */
START_TEST(test_edits_around_one_range)
{
    memory_region_transaction_begin();
    pc_tree_set_pam(&pc, 0, PAM_RAM);
    pc_tree_set_pam(&pc, 7, PAM_RAM);
    memory_region_transaction_commit();
    ck_assert_told(&mirror, "-c0000-dffff pc.rom ro\n"
                            "-0-bffff pc.ram\n"
                            "+0-c3fff pc.ram\n"
                            "+c4000-dbfff pc.rom@4000 ro\n"
                            "+dc000-dffff pc.ram@dc000\n"
                            "=e0000-fffff pc.bios@20000 ro\n");
}
END_TEST

START_TEST(test_attributes)
{
    memory_region_set_readonly(&pc.isa_bios, false);
    ck_assert_told(&mirror, ""); /* pc.bios itself is read-only */
    memory_region_set_readonly(&pc.bios, false);
    ck_assert_told(&mirror, "-fffc0000-ffffffff pc.bios ro\n"
                            "-e0000-fffff pc.bios@20000 ro\n"
                            "=c0000-dffff pc.rom ro\n"
                            "+e0000-fffff pc.bios@20000\n"
                            "=100000-7ffffff pc.ram@100000\n"
                            "+fffc0000-ffffffff pc.bios\n");
}
END_TEST

/* -- Order among listeners, and logs ------------------------------------------------------- */

static GString *order;

static void note_add(MemoryListener *listener, const MemoryRegionSection *section)
{
    g_string_append_printf(order, "+%s ", listener->name);
}

static void note_del(MemoryListener *listener, const MemoryRegionSection *section)
{
    g_string_append_printf(order, "-%s ", listener->name);
}

static void note_log(MemoryListener *listener, const MemoryRegionSection *section,
                     uint8_t old_mask, uint8_t new_mask)
{
    g_string_append_printf(order, "%" PRIx64 ":%x>%x ", section->range.start, old_mask,
                           new_mask);
}

START_TEST(test_priorities)
{
    MemoryListener late = {.region_add = note_add, .region_del = note_del,
                           .name = "late", .priority = 20};
    MemoryListener early = {.region_add = note_add, .region_del = note_del,
                            .name = "early", .priority = 10};

    order = g_string_new(NULL);
    memory_listener_register(&late, &pc.as);
    memory_listener_register(&early, &pc.as);
    g_string_set_size(order, 0);
    memory_region_set_address(&pc.hpet, 0xfed10000);
    ck_assert_str_eq(order->str, "-late -early +early +late ");
    memory_listener_unregister(&late);
    memory_listener_unregister(&early);
    g_string_free(order, true);
}
END_TEST

/* Who watches is told by log_start and log_stop; the ranges stay. */
START_TEST(test_logs)
{
    MemoryListener logger = {.log_start = note_log, .log_stop = note_log};

    order = g_string_new(NULL);
    memory_listener_register(&logger, &pc.as);
    ck_assert_str_eq(order->str, "");
    memory_region_set_log(&pc.rom, true, DIRTY_MEMORY_VGA);
    ck_assert_str_eq(order->str, "c0000:0>1 ");
    ck_assert(!told(&mirror, '-') && !told(&mirror, '+'));
    g_string_set_size(order, 0);
    ck_assert(memory_global_dirty_log_start(NULL));
    ck_assert_str_eq(order->str, "0:0>4 c0000:1>5 e0000:0>4 100000:0>4 fffc0000:0>4 ");
    g_string_set_size(order, 0);
    pc_tree_set_pam(&pc, 0, PAM_RAM);
    /* A new range is watched from the start. */
    ck_assert_str_eq(order->str, "0:0>4 c4000:0>5 ");
    g_string_set_size(order, 0);
    memory_global_dirty_log_stop();
    ck_assert_str_eq(order->str, "0:4>0 c4000:5>1 e0000:4>0 100000:4>0 fffc0000:4>0 ");
    memory_region_set_log(&pc.rom, false, DIRTY_MEMORY_VGA);
    memory_listener_unregister(&logger);
    g_string_free(order, true);
}
END_TEST

/* An address space that takes another view tells the difference between the two. */
START_TEST(test_change_of_view)
{
    MemoryRegion memory, all, smram;
    AddressSpace smm;
    MemoryMirror second;

    memory_region_init(&memory, NULL, "memory", UINT64_MAX);
    memory_region_init_alias(&all, NULL, "memory", &pc.system, 0, UINT64_MAX);
    memory_region_init_alias(&smram, NULL, "smram", &pc.ram, 0xa0000, KiB(128));
    memory_region_add_subregion_overlap(&memory, 0, &all, 0);
    memory_region_add_subregion_overlap(&memory, 0xa0000, &smram, 1);
    memory_region_set_enabled(&smram, false);
    address_space_init(&smm, &memory, "cpu-smm-0");
    mirror_init(&second, &smm);
    mirror_start_log(&second);
    mirror_start_log(&mirror);
    memory_region_set_enabled(&smram, true); /* it shows what shows there anyway */
    ck_assert_ptr_ne(smm.view, pc.as.view);
    ck_assert(!told(&second, '-') && !told(&second, '+'));
    mirror_start_log(&second);
    /* Both spaces hear of it, each through its own view. */
    memory_region_set_enabled(&pc.hpet, false);
    ck_assert_told(&second, "-fed00000-fed003ff hpet\n");
    ck_assert_told(&mirror, "-fed00000-fed003ff hpet\n");
    /* The path and the content in one transaction. */
    memory_region_transaction_begin();
    memory_region_set_enabled(&smram, false);
    memory_region_set_enabled(&pc.hpet, true);
    memory_region_transaction_commit();
    ck_assert_ptr_eq(smm.view, pc.as.view);
    ck_assert_mirror(&second);
    ck_assert_ptr_nonnull(strstr(second.log->str, "+fed00000-fed003ff hpet\n"));
    ck_assert(!told(&second, '-'));
    mirror_destroy(&second);
    address_space_destroy(&smm);
    memory_region_del_subregion(&memory, &smram);
    memory_region_del_subregion(&memory, &all);
    memory_region_destroy(&smram);
    memory_region_destroy(&all);
    memory_region_destroy(&memory);
}
END_TEST

/* -- Zones ---------------------------------------------------------------------------------- */

static void note_bell(const char *what, const MemoryRegionSection *section, uint64_t data)
{
    g_string_append_printf(order, "%s %" PRIx64 "-%" PRIx64 "=%" PRIx64 " ", what,
                           section->range.start, section->range.last, data);
}

static void bell_add(MemoryListener *listener, const MemoryRegionSection *section,
                     bool match_data, uint64_t data, int fd)
{
    ck_assert_int_eq(fd, 7);
    note_bell("+bell", section, data);
}

static void bell_del(MemoryListener *listener, const MemoryRegionSection *section,
                     bool match_data, uint64_t data, int fd)
{
    note_bell("-bell", section, data);
}

static void gather_add(MemoryListener *listener, const MemoryRegionSection *section,
                       hwaddr start, hwaddr length)
{
    g_string_append_printf(order, "+gather %" PRIx64 "/%" PRIx64 " ", start, length);
}

static void gather_del(MemoryListener *listener, const MemoryRegionSection *section,
                       hwaddr start, hwaddr length)
{
    g_string_append_printf(order, "-gather %" PRIx64 "/%" PRIx64 " ", start, length);
}

#define ck_assert_order(expected)                                                        \
    do {                                                                                 \
        ck_assert_str_eq(order->str, expected);                                          \
        g_string_set_size(order, 0);                                                     \
    } while (0)

START_TEST(test_zones)
{
    MemoryListener zones = {.eventfd_add = bell_add, .eventfd_del = bell_del,
                            .coalesced_io_add = gather_add, .coalesced_io_del = gather_del};
    MemoryRegion dev, cover;

    order = g_string_new(NULL);
    memory_region_init_io(&dev, NULL, NULL, NULL, "dev", 0x1000);
    memory_region_init_io(&cover, NULL, NULL, NULL, "cover", 0x80);
    memory_region_add_eventfd(&dev, 0x100, 4, true, 0x55, 7);
    memory_region_add_coalescing(&dev, 0x200, 0x100);
    memory_listener_register(&zones, &pc.as);
    ck_assert_order("");
    memory_region_add_subregion(&pc.system, 0xfd000000, &dev);
    ck_assert_order("+bell fd000100-fd000103=55 +gather fd000200/100 ");
    memory_region_set_address(&dev, 0xfd010000);
    ck_assert_order("-bell fd000100-fd000103=55 -gather fd000200/100 "
                    "+bell fd010100-fd010103=55 +gather fd010200/100 ");
    /* A region over a part of the device cuts zones; what it leaves stays as it is. */
    memory_region_add_subregion_overlap(&pc.system, 0xfd010280, &cover, 1);
    ck_assert_order("-gather fd010200/100 +gather fd010200/80 ");
    memory_region_set_address(&cover, 0xfd010102);
    ck_assert_order("-bell fd010100-fd010103=55 -gather fd010200/80 "
                    "+gather fd010200/100 ");
    memory_region_del_subregion(&pc.system, &cover);
    ck_assert_order("+bell fd010100-fd010103=55 ");
    /* Changes elsewhere are not this one's. */
    pc_tree_set_pam(&pc, 3, PAM_RAM);
    ck_assert_order("");
    memory_region_add_eventfd(&dev, 0x108, 0, false, 0, 7);
    ck_assert_order("+bell fd010108-fd010108=0 ");
    memory_region_del_eventfd(&dev, 0x100, 4, true, 0x55, 7);
    memory_region_clear_coalescing(&dev);
    ck_assert_order("-bell fd010100-fd010103=55 -gather fd010200/100 ");
    memory_listener_unregister(&zones);
    ck_assert_order("-bell fd010108-fd010108=0 ");
    memory_listener_register(&zones, &pc.as);
    ck_assert_order("+bell fd010108-fd010108=0 ");
    memory_region_del_subregion(&pc.system, &dev);
    ck_assert_order("-bell fd010108-fd010108=0 ");
    memory_listener_unregister(&zones);
    memory_region_destroy(&dev);
    memory_region_destroy(&cover);
    g_string_free(order, true);
}
END_TEST

static MemoryRegion gathered;

/* An accelerator with one write in its buffer. */
static void deliver(void)
{
    g_string_append(order, "deliver ");
    address_space_stb(&pc.as, 0xfd000200, 1, MEMTXATTRS_UNSPECIFIED, NULL);
}

static uint64_t note_read(void *opaque, hwaddr offset, unsigned size)
{
    g_string_append_printf(order, "%s:read ", (char *)opaque);
    return 0;
}

static void note_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    g_string_append_printf(order, "%s:write ", (char *)opaque);
}

/* What was gathered comes before an access to whoever it may mean something to. */
START_TEST(test_gathered_writes_come_first)
{
    static const MemoryRegionOps ops = {.read = note_read, .write = note_write};
    MemoryRegion other;

    order = g_string_new(NULL);
    memory_region_init_io(&gathered, NULL, &ops, "dev", "dev", 0x1000);
    memory_region_init_io(&other, NULL, &ops, "other", "other", 0x1000);
    memory_region_add_subregion(&pc.system, 0xfd000000, &gathered);
    memory_region_add_subregion(&pc.system, 0xfd001000, &other);
    address_space_ldub(&pc.as, 0xfd000000, MEMTXATTRS_UNSPECIFIED, NULL);
    ck_assert_order("dev:read ");
    memory_set_coalesced_flush(deliver);
    address_space_ldub(&pc.as, 0xfd000000, MEMTXATTRS_UNSPECIFIED, NULL);
    ck_assert_order("dev:read "); /* nothing of it is coalesced */
    memory_region_set_coalescing(&gathered);
    address_space_ldub(&pc.as, 0xfd000000, MEMTXATTRS_UNSPECIFIED, NULL);
    ck_assert_order("deliver dev:write dev:read ");
    address_space_stb(&pc.as, 0xfd000000, 2, MEMTXATTRS_UNSPECIFIED, NULL);
    ck_assert_order("deliver dev:write dev:write ");
    address_space_ldub(&pc.as, 0xfd001000, MEMTXATTRS_UNSPECIFIED, NULL);
    ck_assert_order("other:read ");
    memory_region_set_flush_coalesced(&other);
    address_space_ldub(&pc.as, 0xfd001000, MEMTXATTRS_UNSPECIFIED, NULL);
    ck_assert_order("deliver dev:write other:read ");
    memory_region_clear_flush_coalesced(&other);
    ck_assert_order("deliver dev:write ");
    address_space_ldub(&pc.as, 0xfd001000, MEMTXATTRS_UNSPECIFIED, NULL);
    ck_assert_order("other:read ");
    memory_set_coalesced_flush(NULL);
    memory_flush_coalesced();
    ck_assert_order("");
    memory_region_del_subregion(&pc.system, &gathered);
    memory_region_del_subregion(&pc.system, &other);
    memory_region_destroy(&gathered);
    memory_region_destroy(&other);
    g_string_free(order, true);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory-listener");
    TCase *tc = tcase_create("listener");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_registration_tells_all);
    tcase_add_test(tc, test_pam_window);
    tcase_add_test(tc, test_nothing_changed_nothing_told);
    tcase_add_test(tc, test_two_windows_in_one_transaction);
    tcase_add_test(tc, test_edits_around_one_range);
    tcase_add_test(tc, test_attributes);
    tcase_add_test(tc, test_priorities);
    tcase_add_test(tc, test_logs);
    tcase_add_test(tc, test_change_of_view);
    tcase_add_test(tc, test_zones);
    tcase_add_test(tc, test_gathered_writes_come_first);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
