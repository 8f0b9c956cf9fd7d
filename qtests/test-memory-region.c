/*
 * The rules of the memory tree: what shows where. Expectations are worked out by hand.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/io-lock.h"
#include "memory/ram-block.h"
#include "qtests/memory-view.h"

static MemoryRegion root;
static AddressSpace as;

static void setup(void)
{
    io_lock();
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    address_space_init(&as, &root, "test");
}

static void teardown(void)
{
    address_space_destroy(&as);
    memory_region_destroy(&root);
    io_unlock();
}

static void io(MemoryRegion *mr, const char *name, uint64_t size)
{
    memory_region_init_io(mr, NULL, NULL, NULL, name, size);
}

static void ram(MemoryRegion *mr, const char *name, uint64_t size)
{
    ck_assert(memory_region_init_ram(mr, NULL, name, size, NULL));
}

/* Takes the regions out of their containers and ends them, the last named first. */
static void end(int count, MemoryRegion *mr[])
{
    for (int i = count - 1; i >= 0; i--) {
        if (mr[i]->container) {
            memory_region_del_subregion(mr[i]->container, mr[i]);
        }
    }
    for (int i = count - 1; i >= 0; i--) {
        memory_region_destroy(mr[i]);
    }
}

#define END(...)                                                                         \
    do {                                                                                 \
        MemoryRegion *all_[] = {__VA_ARGS__};                                            \
        end(G_N_ELEMENTS(all_), all_);                                                   \
        ck_assert_view(&as, "");                                                         \
    } while (0)

START_TEST(test_empty)
{
    ck_assert_view(&as, "");
    FlatRange range;
    ck_assert(!address_space_lookup(&as, 0x1234, &range));
    ck_assert_uint_eq(range.start, 0);
    ck_assert_uint_eq(range.last, UINT64_MAX);
    ck_assert_ptr_null(range.mr);
}
END_TEST

START_TEST(test_hole)
{
    MemoryRegion a, b;
    FlatRange range;

    io(&a, "a", 0x10);
    io(&b, "b", 0x10);
    memory_region_add_subregion(&root, 0x100, &a);
    memory_region_add_subregion(&root, 0x200, &b);
    ck_assert(!address_space_lookup(&as, 0x150, &range));
    ck_assert_uint_eq(range.start, 0x110);
    ck_assert_uint_eq(range.last, 0x1ff);
    ck_assert(!address_space_lookup(&as, 0, &range));
    ck_assert_uint_eq(range.last, 0xff);
    ck_assert(!address_space_lookup(&as, UINT64_MAX, &range));
    ck_assert_uint_eq(range.start, 0x210);
    ck_assert(address_space_lookup(&as, 0x20f, &range));
    ck_assert_ptr_eq(range.mr, &b);
    END(&a, &b);
}
END_TEST

START_TEST(test_priority_is_signed)
{
    MemoryRegion low, mid, high;

    io(&low, "low", 0x100);
    io(&mid, "mid", 0x80);
    io(&high, "high", 0x10);
    memory_region_add_subregion_overlap(&root, 0, &high, 1);
    memory_region_add_subregion_overlap(&root, 0, &low, -1);
    memory_region_add_subregion_overlap(&root, 8, &mid, 0);
    ck_assert_view(&as, "0-f high\n"
                        "10-87 mid@8\n"
                        "88-ff low@88\n");
    END(&low, &mid, &high);
}
END_TEST

START_TEST(test_last_added_wins_among_equals)
{
    MemoryRegion first, second;

    io(&first, "first", 0x20);
    io(&second, "second", 0x20);
    memory_region_add_subregion_overlap(&root, 0, &first, 5);
    memory_region_add_subregion_overlap(&root, 0x10, &second, 5);
    ck_assert_view(&as, "0-f first\n10-2f second\n");
    memory_region_del_subregion(&root, &first);
    memory_region_add_subregion_overlap(&root, 0, &first, 5);
    ck_assert_view(&as, "0-1f first\n20-2f second@10\n");
    END(&first, &second);
}
END_TEST

/* A container's own priority decides for all inside it: a high one inside a low one loses. */
START_TEST(test_priority_is_local)
{
    MemoryRegion low_box, high_box, a, b;

    memory_region_init(&low_box, NULL, "low-box", 0x100);
    memory_region_init(&high_box, NULL, "high-box", 0x100);
    io(&a, "a", 0x100);
    io(&b, "b", 0x40);
    memory_region_add_subregion_overlap(&low_box, 0, &a, 1000);
    memory_region_add_subregion_overlap(&high_box, 0x20, &b, -1000);
    memory_region_add_subregion_overlap(&root, 0, &low_box, 1);
    memory_region_add_subregion_overlap(&root, 0, &high_box, 2);
    ck_assert_view(&as, "0-1f a\n20-5f b\n60-ff a@60\n");
    END(&low_box, &high_box, &a, &b);
}
END_TEST

/* QEMU's memory document, "Overlapping regions and priority": A..F as drawn there. */
START_TEST(test_document_example)
{
    MemoryRegion a, b, c, d, e;

    memory_region_init(&a, NULL, "A", 0x8000);
    memory_region_init(&b, NULL, "B", 0x4000);
    io(&c, "C", 0x6000);
    io(&d, "D", 0x1000);
    io(&e, "E", 0x1000);
    memory_region_add_subregion_overlap(&root, 0, &a, 0);
    memory_region_add_subregion_overlap(&a, 0, &c, 1);
    memory_region_add_subregion_overlap(&a, 0x2000, &b, 2);
    memory_region_add_subregion(&b, 0, &d);
    memory_region_add_subregion(&b, 0x2000, &e);
    ck_assert_view(&as, "0-1fff C\n"
                        "2000-2fff D\n"
                        "3000-3fff C@3000\n"
                        "4000-4fff E\n"
                        "5000-5fff C@5000\n");
    END(&a, &b, &c, &d, &e);
}
END_TEST

START_TEST(test_subregions_of_io_show_above_it)
{
    MemoryRegion parent, child;

    io(&parent, "parent", 0x40);
    io(&child, "child", 0x8);
    memory_region_add_subregion_overlap(&parent, 0x10, &child, -5);
    memory_region_add_subregion(&root, 0x1000, &parent);
    ck_assert_view(&as, "1000-100f parent\n1010-1017 child\n1018-103f parent@18\n");
    memory_region_set_enabled(&child, false);
    ck_assert_view(&as, "1000-103f parent\n");
    END(&parent, &child);
}
END_TEST

START_TEST(test_subregion_is_cut_by_container)
{
    MemoryRegion box, big, outside;

    memory_region_init(&box, NULL, "box", 0x100);
    io(&big, "big", 0x1000);
    io(&outside, "outside", 0x10);
    memory_region_add_subregion_overlap(&box, 0x80, &big, 0);
    memory_region_add_subregion_overlap(&box, 0x100, &outside, 0);
    memory_region_add_subregion(&root, 0x2000, &box);
    ck_assert_view(&as, "2080-20ff big\n");
    memory_region_set_size(&box, 0x90);
    ck_assert_view(&as, "2080-208f big\n");
    memory_region_set_size(&box, 0x108);
    ck_assert_view(&as, "2080-20ff big\n2100-2107 outside\n");
    END(&box, &big, &outside);
}
END_TEST

START_TEST(test_alias_of_alias)
{
    MemoryRegion mem, one, two;

    ram(&mem, "mem", 0x10000);
    memory_region_init_alias(&one, NULL, "one", &mem, 0x2000, 0x8000);
    memory_region_init_alias(&two, NULL, "two", &one, 0x1000, 0x2000);
    memory_region_add_subregion(&root, 0x100000, &two);
    ck_assert_view(&as, "100000-101fff mem@3000\n");
    memory_region_set_alias_offset(&one, 0x4000);
    ck_assert_view(&as, "100000-101fff mem@5000\n");
    /* An alias that looks past its target's end has a gap there. */
    memory_region_set_alias_offset(&two, 0x7000);
    ck_assert_view(&as, "100000-100fff mem@b000\n");
    memory_region_set_alias_offset(&one, 0x20000);
    ck_assert_view(&as, "");
    END(&mem, &one, &two);
}
END_TEST

/* What lies under an alias shows where its target has nothing. */
START_TEST(test_alias_of_container_is_transparent)
{
    MemoryRegion box, dev, alias, below;

    memory_region_init(&box, NULL, "box", 0x1000);
    io(&dev, "dev", 0x100);
    memory_region_add_subregion(&box, 0x200, &dev);
    memory_region_init_alias(&alias, NULL, "alias", &box, 0x100, 0x400);
    io(&below, "below", 0x1000);
    memory_region_add_subregion_overlap(&root, 0, &below, 0);
    memory_region_add_subregion_overlap(&root, 0x800, &alias, 1);
    ck_assert_view(&as, "0-8ff below\n900-9ff dev\na00-fff below@a00\n");
    memory_region_set_address(&dev, 0x80); /* 0x80..0x17f, seen from 0x100 on */
    ck_assert_view(&as, "0-7ff below\n800-87f dev@80\n880-fff below@880\n");
    END(&box, &dev, &alias, &below);
}
END_TEST

START_TEST(test_disabled_vanishes_with_all_inside)
{
    MemoryRegion box, dev, alias;

    memory_region_init(&box, NULL, "box", 0x1000);
    io(&dev, "dev", 0x100);
    memory_region_add_subregion(&box, 0, &dev);
    memory_region_add_subregion(&root, 0, &box);
    memory_region_init_alias(&alias, NULL, "alias", &box, 0, 0x1000);
    memory_region_add_subregion(&root, 0x10000, &alias);
    ck_assert_view(&as, "0-ff dev\n10000-100ff dev\n");
    memory_region_set_enabled(&box, false); /* its aliases go too */
    ck_assert_view(&as, "");
    memory_region_set_enabled(&dev, false);
    memory_region_set_enabled(&box, true);
    ck_assert_view(&as, "");
    memory_region_set_enabled(&dev, true);
    ck_assert_view(&as, "0-ff dev\n10000-100ff dev\n");
    END(&box, &dev, &alias);
}
END_TEST

START_TEST(test_readonly_and_nonvolatile_are_inherited)
{
    MemoryRegion mem, rw, ro, outer;

    ram(&mem, "mem", 0x4000);
    memory_region_init_alias(&rw, NULL, "rw", &mem, 0, 0x1000);
    memory_region_init_alias(&ro, NULL, "ro", &mem, 0x1000, 0x1000);
    memory_region_init(&outer, NULL, "outer", 0x10000);
    memory_region_set_readonly(&ro, true);
    memory_region_add_subregion(&outer, 0, &rw);
    memory_region_add_subregion(&outer, 0x1000, &ro);
    memory_region_add_subregion(&root, 0, &outer);
    ck_assert_view(&as, "0-fff mem\n1000-1fff mem@1000 ro\n");
    memory_region_set_nonvolatile(&outer, true);
    ck_assert_view(&as, "0-fff mem nv\n1000-1fff mem@1000 ro nv\n");
    memory_region_set_readonly(&outer, true);
    ck_assert_view(&as, "0-1fff mem ro nv\n");
    memory_region_set_nonvolatile(&outer, false);
    memory_region_set_readonly(&outer, false);
    memory_region_set_readonly(&ro, false);
    ck_assert_view(&as, "0-1fff mem\n");
    END(&mem, &rw, &ro, &outer);
}
END_TEST

START_TEST(test_sizes_of_2_to_the_64)
{
    MemoryRegion all, alias, top;

    io(&all, "all", UINT64_MAX);
    ck_assert_uint_eq(memory_region_size(&all), UINT64_MAX);
    memory_region_add_subregion_overlap(&root, 0, &all, -1);
    ck_assert_view(&as, "0-ffffffffffffffff all\n");
    io(&top, "top", 1);
    memory_region_add_subregion(&root, UINT64_MAX, &top);
    ck_assert_view(&as, "0-fffffffffffffffe all\nffffffffffffffff-ffffffffffffffff top\n");
    /* An alias of everything from the middle on: the other half is beyond the target. */
    memory_region_del_subregion(&root, &all);
    memory_region_init_alias(&alias, NULL, "alias", &all, (hwaddr)1 << 63, UINT64_MAX);
    memory_region_add_subregion_overlap(&root, 0, &alias, -1);
    ck_assert_view(&as, "0-7fffffffffffffff all@8000000000000000\n"
                        "ffffffffffffffff-ffffffffffffffff top\n");
    END(&all, &alias, &top);
}
END_TEST

START_TEST(test_size_zero_shows_nothing)
{
    MemoryRegion none;

    io(&none, "none", 0);
    memory_region_add_subregion(&root, 0x10, &none);
    ck_assert_view(&as, "");
    memory_region_set_size(&none, 4);
    ck_assert_view(&as, "10-13 none\n");
    memory_region_set_size(&none, 0);
    ck_assert_view(&as, "");
    END(&none);
}
END_TEST

START_TEST(test_neighbours_of_one_region_merge)
{
    MemoryRegion mem, a, b, hole;

    ram(&mem, "mem", 0x10000);
    memory_region_init_alias(&a, NULL, "a", &mem, 0, 0x4000);
    memory_region_init_alias(&b, NULL, "b", &mem, 0x4000, 0x4000);
    memory_region_add_subregion(&root, 0, &a);
    memory_region_add_subregion(&root, 0x4000, &b);
    ck_assert_view(&as, "0-7fff mem\n");
    io(&hole, "hole", 0x1000);
    memory_region_add_subregion_overlap(&root, 0x3800, &hole, 1);
    ck_assert_view(&as, "0-37ff mem\n3800-47ff hole\n4800-7fff mem@4800\n");
    memory_region_set_enabled(&hole, false);
    ck_assert_view(&as, "0-7fff mem\n");
    memory_region_set_alias_offset(&b, 0x5000);
    ck_assert_view(&as, "0-3fff mem\n4000-7fff mem@5000\n");
    END(&mem, &a, &b, &hole);
}
END_TEST

START_TEST(test_transaction_shows_at_the_outermost_commit)
{
    MemoryRegion a, b;

    io(&a, "a", 0x10);
    io(&b, "b", 0x10);
    memory_region_transaction_begin();
    memory_region_add_subregion(&root, 0, &a);
    memory_region_transaction_begin();
    memory_region_add_subregion(&root, 0x10, &b);
    memory_region_transaction_commit();
    ck_assert_view(&as, "");
    memory_region_set_address(&b, 0x20);
    memory_region_transaction_commit();
    ck_assert_view(&as, "0-f a\n20-2f b\n");
    memory_region_transaction_begin();
    memory_region_del_subregion(&root, &a);
    memory_region_add_subregion(&root, 0x8, &a);
    memory_region_set_enabled(&b, false);
    memory_region_set_enabled(&b, true);
    memory_region_transaction_commit();
    ck_assert_view(&as, "8-17 a\n20-2f b\n");
    END(&a, &b);
}
END_TEST

START_TEST(test_moves_inside_an_aliased_tree)
{
    MemoryRegion box, dev, alias[3];

    memory_region_init(&box, NULL, "box", 0x1000);
    io(&dev, "dev", 0x10);
    memory_region_add_subregion(&box, 0x20, &dev);
    for (int i = 0; i < 3; i++) {
        memory_region_init_alias(&alias[i], NULL, "alias", &box, i * 0x20, 0x40);
        memory_region_add_subregion(&root, 0x1000 * i, &alias[i]);
    }
    ck_assert_view(&as, "20-2f dev\n1000-100f dev\n");
    memory_region_set_address(&dev, 0x58);
    ck_assert_view(&as, "1038-103f dev\n2018-2027 dev\n");
    END(&box, &dev, &alias[0], &alias[1], &alias[2]);
}
END_TEST

/* PAM mode 2: reads show PCI, writes go to the RAM below; where PCI has nothing the
 * region itself stands for it. */
START_TEST(test_split)
{
    MemoryRegion mem, pci, rom, window;

    ram(&mem, "mem", 0x100000);
    memory_region_init(&pci, NULL, "pci", UINT64_MAX);
    ck_assert(memory_region_init_rom(&rom, NULL, "rom", 0x1000, NULL));
    memory_region_add_subregion(&pci, 0xc1000, &rom);
    memory_region_init_split(&window, NULL, "window", &pci, 0xc0000, &mem, 0xc0000, 0x4000);
    memory_region_add_subregion(&root, 0, &mem);
    memory_region_add_subregion_overlap(&root, 0xc0000, &window, 1);
    ck_assert_view(&as, "0-bffff mem\n"
                        "c0000-c0fff window ro >mem@c0000\n"
                        "c1000-c1fff rom ro >mem@c1000\n"
                        "c2000-c3fff window@2000 ro >mem@c2000\n"
                        "c4000-fffff mem@c4000\n");
    memory_region_set_enabled(&window, false);
    ck_assert_view(&as, "0-fffff mem\n");
    END(&mem, &pci, &rom, &window);
}
END_TEST

START_TEST(test_reservation_claims)
{
    MemoryRegion kept, below;

    memory_region_init_reservation(&kept, NULL, "kept", 0x10);
    io(&below, "below", 0x20);
    memory_region_add_subregion(&root, 0, &below);
    memory_region_add_subregion_overlap(&root, 8, &kept, 1);
    ck_assert_view(&as, "0-7 below\n8-17 kept\n18-1f below@18\n");
    END(&kept, &below);
}
END_TEST

START_TEST(test_destroyed_target_leaves_its_aliases_empty)
{
    MemoryRegion dev, alias, outer;

    io(&dev, "dev", 0x10);
    memory_region_init_alias(&alias, NULL, "alias", &dev, 0, 0x10);
    memory_region_init_alias(&outer, NULL, "outer", &alias, 0, 0x10);
    memory_region_add_subregion(&root, 0x100, &outer);
    ck_assert_view(&as, "100-10f dev\n");
    memory_region_destroy(&dev);
    ck_assert_view(&as, "");
    END(&alias, &outer);
}
END_TEST

/* Spaces whose roots only pass a region on share its view, and part when they do not. */
START_TEST(test_shared_views)
{
    MemoryRegion system, dev, master, bus, smram, extra;
    AddressSpace cpu, dma;

    memory_region_init(&system, NULL, "system", UINT64_MAX);
    io(&dev, "dev", 0x10);
    memory_region_add_subregion(&system, 0, &dev);
    io(&extra, "extra", 0x10);
    memory_region_add_subregion(&system, 0x100, &extra);
    memory_region_init(&master, NULL, "bus master container", UINT64_MAX);
    memory_region_init_alias(&bus, NULL, "bus master", &system, 0, UINT64_MAX);
    memory_region_add_subregion(&master, 0, &bus);
    memory_region_set_enabled(&bus, false);
    address_space_init(&cpu, &system, "cpu");
    address_space_init(&dma, &master, "dma");
    ck_assert_ptr_ne(cpu.view, dma.view);
    ck_assert_view(&dma, "");
    memory_region_set_enabled(&bus, true);
    ck_assert_ptr_eq(cpu.view, dma.view);
    memory_region_set_address(&dev, 0x20);
    ck_assert_view(&dma, "20-2f dev\n100-10f extra\n");
    io(&smram, "smram", 0x10);
    memory_region_add_subregion_overlap(&master, 0x28, &smram, 1);
    ck_assert_ptr_ne(cpu.view, dma.view);
    ck_assert_view(&dma, "20-27 dev\n28-37 smram\n100-10f extra\n");
    memory_region_set_address(&dev, 0x30);
    ck_assert_view(&dma, "28-37 smram\n38-3f dev@8\n100-10f extra\n");
    ck_assert_view(&cpu, "30-3f dev\n100-10f extra\n");
    memory_region_del_subregion(&master, &smram);
    ck_assert_ptr_eq(cpu.view, dma.view);
    memory_region_set_enabled(&bus, false);
    ck_assert_view(&dma, "");
    address_space_destroy(&dma);
    address_space_destroy(&cpu);
    END(&system, &dev, &extra, &master, &bus, &smram);
}
END_TEST

START_TEST(test_find)
{
    MemoryRegion box, dev, over;
    MemoryRegionSection section;

    memory_region_init(&box, NULL, "box", 0x1000);
    io(&dev, "dev", 0x100);
    memory_region_add_subregion(&box, 0x100, &dev);
    memory_region_add_subregion(&root, 0x4000, &box);
    section = memory_region_find(&box, 0x80, 0x100);
    ck_assert_ptr_eq(section.range.mr, &dev);
    ck_assert_ptr_eq(section.address_space, &as);
    ck_assert_uint_eq(section.range.start, 0x4100);
    ck_assert_uint_eq(section.range.last, 0x417f);
    section = memory_region_find(&root, 0x4180, 0x10);
    ck_assert_uint_eq(section.range.offset_in_region, 0x80);
    ck_assert_ptr_null(memory_region_find(&root, 0x4200, 0x100).range.mr);
    io(&over, "over", 0x20);
    memory_region_add_subregion_overlap(&root, 0x4100, &over, 1);
    ck_assert_ptr_eq(memory_region_find(&box, 0x100, 1).range.mr, &over);
    memory_region_del_subregion(&root, &box); /* without an address space */
    section = memory_region_find(&box, 0, 0x1000);
    ck_assert_ptr_eq(section.range.mr, &dev);
    ck_assert_ptr_null(section.address_space);
    END(&box, &dev, &over);
}
END_TEST

/* Enough siblings for a view of several levels, removed in another order. */
START_TEST(test_thousands_of_siblings)
{
    enum { COUNT = 5000 };
    MemoryRegion *dev = g_new(MemoryRegion, COUNT);
    FlatRange range;

    memory_region_transaction_begin();
    for (int i = 0; i < COUNT; i++) {
        io(&dev[i], "dev", 0x8);
        memory_region_add_subregion(&root, (hwaddr)i * 0x10, &dev[i]);
    }
    memory_region_transaction_commit();
    for (int step = 0, i = 0; step < COUNT; step++, i = (i + 1237) % COUNT) {
        ck_assert(address_space_lookup(&as, (hwaddr)i * 0x10 + 7, &range));
        ck_assert_ptr_eq(range.mr, &dev[i]);
        ck_assert(!address_space_lookup(&as, (hwaddr)i * 0x10 + 8, &range));
        ck_assert_uint_eq(range.start, (hwaddr)i * 0x10 + 8);
        memory_region_del_subregion(&root, &dev[i]);
        ck_assert(!address_space_lookup(&as, (hwaddr)i * 0x10, &range));
        memory_region_destroy(&dev[i]);
    }
    ck_assert_view(&as, "");
    g_free(dev);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory-region");
    TCase *tc = tcase_create("rules");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_empty);
    tcase_add_test(tc, test_hole);
    tcase_add_test(tc, test_priority_is_signed);
    tcase_add_test(tc, test_last_added_wins_among_equals);
    tcase_add_test(tc, test_priority_is_local);
    tcase_add_test(tc, test_document_example);
    tcase_add_test(tc, test_subregions_of_io_show_above_it);
    tcase_add_test(tc, test_subregion_is_cut_by_container);
    tcase_add_test(tc, test_alias_of_alias);
    tcase_add_test(tc, test_alias_of_container_is_transparent);
    tcase_add_test(tc, test_disabled_vanishes_with_all_inside);
    tcase_add_test(tc, test_readonly_and_nonvolatile_are_inherited);
    tcase_add_test(tc, test_sizes_of_2_to_the_64);
    tcase_add_test(tc, test_size_zero_shows_nothing);
    tcase_add_test(tc, test_neighbours_of_one_region_merge);
    tcase_add_test(tc, test_transaction_shows_at_the_outermost_commit);
    tcase_add_test(tc, test_moves_inside_an_aliased_tree);
    tcase_add_test(tc, test_split);
    tcase_add_test(tc, test_reservation_claims);
    tcase_add_test(tc, test_destroyed_target_leaves_its_aliases_empty);
    tcase_add_test(tc, test_shared_views);
    tcase_add_test(tc, test_find);
    tcase_add_test(tc, test_thousands_of_siblings);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
