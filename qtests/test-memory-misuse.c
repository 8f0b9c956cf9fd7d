/*
 * Misuse that would corrupt the tree ends the process where it is made, with a message
 * that names the regions. Each case runs in a process of its own, whose end and words
 * are looked at.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory/io-lock.h"
#include "memory/zones.h"
#include "qtests/memory-view.h"

static MemoryRegion box, sub, alias, other;

static void regions(void)
{
    io_lock();
    memory_region_init(&box, NULL, "box", 0x1000);
    memory_region_init_io(&sub, NULL, NULL, NULL, "sub", 0x100);
    memory_region_init(&other, NULL, "other", 0x1000);
    memory_region_init_alias(&alias, NULL, "window", &box, 0, 0x1000);
}

static void added_twice(void)
{
    memory_region_add_subregion(&box, 0, &sub);
    memory_region_add_subregion(&other, 0, &sub);
}

static void into_itself(void)
{
    memory_region_add_subregion(&box, 0, &box);
}

static void container_loop(void)
{
    memory_region_add_subregion(&box, 0, &other);
    memory_region_add_subregion(&other, 0, &box);
}

static void alias_loop(void)
{
    memory_region_add_subregion(&box, 0, &other);
    memory_region_add_subregion(&other, 0, &alias);
}

static void alias_of_itself(void)
{
    memory_region_init_alias(&sub, NULL, "ouroboros", &sub, 0, 0x1000);
}

static void into_an_alias(void)
{
    memory_region_add_subregion(&alias, 0, &sub);
}

static void too_big(void)
{
    memory_region_add_subregion(&box, 0xf80, &sub);
}

static void removed_from_elsewhere(void)
{
    memory_region_add_subregion(&box, 0, &sub);
    memory_region_del_subregion(&other, &sub);
}

static void destroyed_inside(void)
{
    memory_region_add_subregion(&box, 0, &sub);
    memory_region_destroy(&sub);
}

static void destroyed_around(void)
{
    memory_region_add_subregion(&box, 0, &sub);
    memory_region_destroy(&box);
}

static void destroyed_root(void)
{
    static AddressSpace as;

    address_space_init(&as, &box, "memory");
    memory_region_destroy(&box);
}

static void unbalanced(void)
{
    memory_region_transaction_begin();
    memory_region_transaction_commit();
    memory_region_transaction_commit();
}

static void edit(MemoryListener *listener, const MemoryRegionSection *section)
{
    memory_region_set_enabled(&other, false);
}

static void edit_in_listener(void)
{
    static AddressSpace as;
    static MemoryListener listener = {.region_add = edit};

    address_space_init(&as, &box, "memory");
    memory_listener_register(&listener, &as);
    memory_region_add_subregion(&box, 0, &sub);
}

static void locked_twice(void)
{
    io_lock();
}

static void unlocked_twice(void)
{
    io_unlock();
    io_unlock();
}

static void split_to_a_device(void)
{
    memory_region_init_split(&alias, NULL, "split", &box, 0, &sub, 0, 0x100);
}

static void no_such_doorbell(void)
{
    memory_region_del_eventfd(&sub, 0, 4, false, 0, 5);
}

static void zone_outside(void)
{
    memory_region_add_coalescing(&sub, 0x80, 0x100);
}

static void unmap_nothing(void)
{
    static AddressSpace as;
    int here;

    address_space_init(&as, &box, "memory");
    address_space_unmap(&as, &here, 4, false, 4);
}

static const struct {
    void (*misuse)(void);
    const char *words;
} cases[] = {
    {added_twice, "region 'sub' is in 'box' already and cannot be added to 'other'"},
    {into_itself, "region 'box' cannot be put into 'box'"},
    {container_loop, "region 'box' cannot be put into 'other', which it contains"},
    {alias_loop, "region 'window' cannot be put into 'other', which it contains or shows"},
    {alias_of_itself, "alias 'ouroboros' of itself"},
    {into_an_alias, "'sub' cannot be added to 'window', an alias; add it to 'box'"},
    {too_big, "region 'sub' ends beyond 'box': 0xf80 + 0x100 > 0x1000 bytes"},
    {removed_from_elsewhere, "region 'sub' is not in 'other' but in 'box'"},
    {destroyed_inside, "region 'sub' is destroyed inside 'box'"},
    {destroyed_around, "region 'box' is destroyed with 1 subregions inside"},
    {destroyed_root, "'box' is destroyed as the root of address space 'memory'"},
    {unbalanced, "no transaction is open"},
    {edit_in_listener, "a memory listener changes the tree"},
    {locked_twice, "this thread has the machine lock already"},
    {unlocked_twice, "this thread does not have the machine lock"},
    {split_to_a_device, "writes must go to a part of a RAM region, and 'sub' is not RAM"},
    {no_such_doorbell, "region 'sub' has no such doorbell"},
    {zone_outside, "a zone at 0x80 of 0x100 bytes does not lie in it"},
    {unmap_nothing, "nothing is mapped at"},
};

START_TEST(test_misuse)
{
    int words[2], status;
    char seen[1024];
    ssize_t length = 0, part;
    pid_t child;

    ck_assert_int_eq(pipe(words), 0);
    child = fork();
    if (child == 0) {
        static const struct rlimit no_core = {0, 0};

        setrlimit(RLIMIT_CORE, &no_core);
        dup2(words[1], STDERR_FILENO);
        regions();
        cases[_i].misuse();
        _exit(0);
    }
    close(words[1]);
    while (length < (ssize_t)sizeof(seen) - 1 &&
           (part = read(words[0], seen + length, sizeof(seen) - 1 - length)) > 0) {
        length += part;
    }
    seen[length] = 0;
    close(words[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                  "it went on, with: %s", seen);
    ck_assert_msg(g_str_has_prefix(seen, "umbra: memory: ") && strstr(seen, cases[_i].words),
                  "it said: %s", seen);
}
END_TEST

/* What looks alike and is right. */
START_TEST(test_not_misuse)
{
    regions();
    memory_region_add_subregion(&other, 0, &box);
    memory_region_add_subregion_overlap(&other, 0, &alias, 1); /* beside its target */
    memory_region_add_subregion_overlap(&box, 0xf80, &sub, 0); /* cut, and meant so */
    memory_region_del_subregion(&box, &sub);
    memory_region_del_subregion(&other, &alias);
    memory_region_destroy(&sub);
    memory_region_del_subregion(&other, &box);
    memory_region_destroy(&box); /* `window` shows nothing from now on */
    memory_region_destroy(&alias);
    memory_region_destroy(&other);
    io_unlock();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory-misuse");
    TCase *tc = tcase_create("misuse");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tc, test_misuse, 0, G_N_ELEMENTS(cases));
    tcase_add_test(tc, test_not_misuse);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
