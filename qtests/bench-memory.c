/*
 * What the memory room costs: one line of JSON per figure, with the peer or floor that it
 * stands beside, measured in the same run.
 *
 * {"name", "value", "unit", "against", "against_value", "ratio", "goal"}: `ratio` is value
 * by against_value; `goal` is a value in `unit`, or null. Arguments are the beginnings of
 * the names to measure.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "memory/access.h"
#include "memory/io-lock.h"
#include "memory/mtree.h"
#include "memory/ram-block.h"
#include "qtests/pc-tree.h"

#define ANY MEMTXATTRS_UNSPECIFIED

static volatile uint64_t sink;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void report(const char *name, double value, const char *unit, const char *against,
                   double against_value, double goal)
{
    printf("{\"name\": \"%s\", \"value\": %.4g, \"unit\": \"%s\"", name, value, unit);
    if (against) {
        printf(", \"against\": \"%s\", \"against_value\": %.4g, \"ratio\": %.4g", against,
               against_value, value / against_value);
    } else {
        printf(", \"against\": null, \"against_value\": null, \"ratio\": null");
    }
    if (goal > 0) {
        printf(", \"goal\": %.4g}\n", goal);
    } else {
        printf(", \"goal\": null}\n");
    }
    fflush(stdout);
}

/* Seconds that one call of func takes: the best of many short runs, as the host has other
 * things to do as well. */
static double seconds_per_call(void (*func)(unsigned count, void *opaque), void *opaque)
{
    unsigned count = 1;
    double best = 1e9;

    for (double took = 0; took < 0.002 && count < 1u << 30; count *= took < 0.002 ? 2 : 1) {
        double start = now();

        func(count, opaque);
        took = now() - start;
        best = took / count;
    }
    for (int i = 0; i < 30; i++) {
        double start = now();

        func(count, opaque);
        best = MIN(best, (now() - start) / count);
    }
    return best;
}

/* -- Commits --------------------------------------------------------------------------------- */

static void flip_pam(unsigned count, void *opaque)
{
    PcTree *pc = opaque;

    for (unsigned i = 0; i < count; i++) {
        pc_tree_set_pam(pc, 3, i & 1 ? PAM_PCI : PAM_RAM);
    }
}

static void bench_commit_pam(void)
{
    g_autofree PcTree *pc = g_new(PcTree, 1);

    pc_tree_init(pc);
    report("commit-pam", seconds_per_call(flip_pam, pc) * 1e6, "us", NULL, 0, 2);
    pc_tree_destroy(pc);
}

/* Siblings side by side in a container, each of 16 bytes, 32 apart. */
typedef struct Siblings {
    MemoryRegion root;
    MemoryRegion *mr;
    AddressSpace as;
    unsigned count;
} Siblings;

static void siblings_init(Siblings *s, unsigned count)
{
    s->count = count;
    s->mr = g_new(MemoryRegion, count);
    memory_region_init(&s->root, NULL, "root", UINT64_MAX);
    address_space_init(&s->as, &s->root, "siblings");
    memory_region_transaction_begin();
    for (unsigned i = 0; i < count; i++) {
        memory_region_init_io(&s->mr[i], NULL, NULL, NULL, "dev", 16);
        memory_region_add_subregion(&s->root, (hwaddr)i * 32, &s->mr[i]);
    }
    memory_region_transaction_commit();
}

static void siblings_destroy(Siblings *s)
{
    memory_region_transaction_begin();
    for (unsigned i = 0; i < s->count; i++) {
        memory_region_del_subregion(&s->root, &s->mr[i]);
    }
    memory_region_transaction_commit();
    for (unsigned i = 0; i < s->count; i++) {
        memory_region_destroy(&s->mr[i]);
    }
    address_space_destroy(&s->as);
    memory_region_destroy(&s->root);
    g_free(s->mr);
}

static void flip_one(unsigned count, void *opaque)
{
    Siblings *s = opaque;

    for (unsigned i = 0; i < count; i++) {
        memory_region_set_enabled(&s->mr[s->count / 2], i & 1);
    }
}

static void flip_any(unsigned count, void *opaque)
{
    Siblings *s = opaque;

    for (unsigned i = 0; i < count; i++) {
        memory_region_set_enabled(&s->mr[(i / 2 * 7919) % s->count], i & 1);
    }
}

static void bench_commit_siblings(void)
{
    static const unsigned counts[] = {10, 1000, 100000};
    double first[2] = {0, 0};

    for (int i = 0; i < 3; i++) {
        g_autofree char *one = g_strdup_printf("commit-one-among-%u", counts[i]);
        g_autofree char *any = g_strdup_printf("commit-any-among-%u", counts[i]);
        Siblings s;
        double us;

        siblings_init(&s, counts[i]);
        us = seconds_per_call(flip_one, &s) * 1e6;
        report(one, us, "us", i ? "commit-one-among-10" : NULL, first[0], 0);
        first[0] = i ? first[0] : us;
        /* A region that is not in the host's caches, as its siblings' data filled them. */
        us = seconds_per_call(flip_any, &s) * 1e6;
        report(any, us, "us", i ? "commit-any-among-10" : NULL, first[1], 0);
        first[1] = i ? first[1] : us;
        siblings_destroy(&s);
    }
}

static void render_all(unsigned count, void *opaque)
{
    Siblings *s = opaque;

    for (unsigned i = 0; i < count; i++) {
        AddressSpace as;
        MemoryRegion alias; /* another root: its view is rendered from nothing */

        memory_region_init_alias(&alias, NULL, "all", &s->root, 0, UINT64_MAX - 1);
        address_space_init(&as, &alias, "again");
        address_space_destroy(&as);
        memory_region_destroy(&alias);
    }
}

static void bench_render(void)
{
    Siblings s;

    siblings_init(&s, 100000);
    report("render-100000", seconds_per_call(render_all, &s) * 1e3, "ms", NULL, 0, 0);
    siblings_destroy(&s);
}

static void print_mtree(unsigned count, void *opaque)
{
    for (unsigned i = 0; i < count; i++) {
        GString *text = g_string_new(NULL);

        mtree_print(text, &(MtreeOptions){.flat = opaque != NULL});
        sink += text->len;
        g_string_free(text, true);
    }
}

static void bench_mtree(void)
{
    g_autofree PcTree *pc = g_new(PcTree, 1);
    Siblings s;

    pc_tree_init(pc);
    report("mtree-pc-memory", seconds_per_call(print_mtree, NULL) * 1e6, "us", NULL, 0, 100);
    pc_tree_destroy(pc);
    siblings_init(&s, 100000);
    report("mtree-100000", seconds_per_call(print_mtree, NULL) * 1e3, "ms", NULL, 0, 0);
    report("mtree-flat-100000", seconds_per_call(print_mtree, &s) * 1e3, "ms", NULL, 0, 0);
    siblings_destroy(&s);
}

static void bench_size(void)
{
    size_t before = mallinfo2().uordblks;
    Siblings s;

    siblings_init(&s, 100000);
    report("memory-per-region", (mallinfo2().uordblks - before) / 100000.0, "bytes",
           "the region's own structure", sizeof(MemoryRegion), 0);
    siblings_destroy(&s);
}

/* -- Accesses ----------------------------------------------------------------------------------- */

typedef struct Target {
    MemoryRegion root, ram, dev;
    AddressSpace as;
    uint8_t *host;
    uint8_t *buffer;
} Target;

static uint64_t dev_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset;
}

static void dev_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    sink = value;
}

static const MemoryRegionOps dev_ops = {.read = dev_read, .write = dev_write};

static void target_init(Target *t)
{
    memory_region_init(&t->root, NULL, "root", UINT64_MAX);
    memory_region_init_ram(&t->ram, NULL, "bench.ram", GiB(1), NULL);
    memory_region_init_io(&t->dev, NULL, &dev_ops, NULL, "dev", 0x1000);
    memory_region_add_subregion(&t->root, 0, &t->ram);
    memory_region_add_subregion(&t->root, GiB(2), &t->dev);
    address_space_init(&t->as, &t->root, "bench");
    t->host = memory_region_get_ram_ptr(&t->ram);
    t->buffer = g_malloc(MiB(1));
    memset(t->host, 1, MiB(64));
    memset(t->buffer, 1, MiB(1));
}

static void target_destroy(Target *t)
{
    memory_region_del_subregion(&t->root, &t->ram);
    memory_region_del_subregion(&t->root, &t->dev);
    address_space_destroy(&t->as);
    memory_region_destroy(&t->ram);
    memory_region_destroy(&t->dev);
    memory_region_destroy(&t->root);
    g_free(t->buffer);
}

static void load_ram(unsigned count, void *opaque)
{
    Target *t = opaque;
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++) {
        sum += address_space_ldl_le(&t->as, (i * 68u) & 0xfffc, ANY, NULL);
    }
    sink = sum;
}

static void store_ram(unsigned count, void *opaque)
{
    Target *t = opaque;

    for (unsigned i = 0; i < count; i++) {
        address_space_stl_le(&t->as, (i * 68u) & 0xfffc, i, ANY, NULL);
    }
}

static void load_plain(unsigned count, void *opaque)
{
    Target *t = opaque;
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++) {
        sum += *(volatile uint32_t *)(t->host + ((i * 68u) & 0xfffc));
    }
    sink = sum;
}

static void load_device(unsigned count, void *opaque)
{
    Target *t = opaque;
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++) {
        sum += address_space_ldl_le(&t->as, GiB(2) + (i & 0xffc), ANY, NULL);
    }
    sink = sum;
}

static void read_mib(unsigned count, void *opaque)
{
    Target *t = opaque;

    for (unsigned i = 0; i < count; i++) {
        address_space_read(&t->as, 0, ANY, t->buffer, MiB(1));
    }
}

static void copy_mib(unsigned count, void *opaque)
{
    Target *t = opaque;

    for (unsigned i = 0; i < count; i++) {
        memcpy(t->buffer, t->host, MiB(1));
        __asm__ volatile("" : : "r"(t->buffer) : "memory");
    }
}

static void bench_access(void)
{
    Target t;
    double plain, copy;

    target_init(&t);
    plain = seconds_per_call(load_plain, &t) * 1e9;
    report("load-ram-4", seconds_per_call(load_ram, &t) * 1e9, "ns", "a plain load", plain,
           5);
    report("store-ram-4", seconds_per_call(store_ram, &t) * 1e9, "ns", "a plain load", plain,
           5);
    report("load-io", seconds_per_call(load_device, &t) * 1e9, "ns", "a plain load", plain,
           20);
    io_unlock();
    report("load-io-taking-the-lock", seconds_per_call(load_device, &t) * 1e9, "ns",
           "a plain load", plain, 0);
    io_lock();
    copy = 1 / (seconds_per_call(copy_mib, &t) * 1024);
    report("read-1MiB", 1 / (seconds_per_call(read_mib, &t) * 1024), "GiB/s", "memcpy", copy,
           copy * 0.9);
    target_destroy(&t);
}

/* -- Dirty pages ------------------------------------------------------------------------------ */

static void set_dirty(unsigned count, void *opaque)
{
    Target *t = opaque;

    for (unsigned i = 0; i < count; i++) {
        memory_region_set_dirty(&t->ram, 0, GiB(1));
    }
}

static void set_dirty_by_page(unsigned count, void *opaque)
{
    Target *t = opaque;

    for (unsigned i = 0; i < count; i++) {
        for (uint64_t page = 0; page < GiB(1); page += MEMORY_PAGE_SIZE) {
            memory_region_set_dirty(&t->ram, page, MEMORY_PAGE_SIZE);
        }
    }
}

static void harvest(unsigned count, void *opaque)
{
    Target *t = opaque;
    g_autofree unsigned long *bitmap = g_malloc0(GiB(1) >> MEMORY_PAGE_BITS >> 3);

    for (unsigned i = 0; i < count; i++) {
        memory_region_set_dirty(&t->ram, 0, GiB(1));
        sink = ram_block_harvest_dirty(memory_region_ram_block(&t->ram), 0, GiB(1),
                                       DIRTY_MEMORY_MIGRATION, bitmap);
    }
}

static void bench_dirty(void)
{
    Target t;
    double set;

    target_init(&t);
    ram_dirty_log_start(DIRTY_MEMORY_MIGRATION);
    set = seconds_per_call(set_dirty, &t) * 1e6;
    report("dirty-set-1GiB", set, "us", NULL, 0, 0);
    report("dirty-set-1GiB-by-page", seconds_per_call(set_dirty_by_page, &t) * 1e6, "us",
           "in one call", set, 0);
    report("dirty-set-and-harvest-1GiB", seconds_per_call(harvest, &t) * 1e6, "us",
           "setting alone", set, 0);
    ram_dirty_log_stop(DIRTY_MEMORY_MIGRATION);
    target_destroy(&t);
}

/* -- Four readers against a committing writer ------------------------------------------------- */

typedef struct Reader {
    AddressSpace *as;
    unsigned *stop;
    uint64_t loads;
} Reader;

static void *read_on(void *opaque)
{
    Reader *reader = opaque;
    uint64_t loads = 0;

    while (!__atomic_load_n(reader->stop, __ATOMIC_RELAXED)) {
        for (int i = 0; i < 1000; i++) {
            sink += address_space_ldl_le(reader->as, 0xc0000 + (i * 68 & 0xfffc), ANY, NULL);
        }
        loads += 1000;
    }
    reader->loads = loads;
    return NULL;
}

/* Million loads per second of all four; *commits counts what the writer did meanwhile. */
static double run_readers(PcTree *pc, bool write, double *commits)
{
    unsigned stop = 0;
    Reader readers[4];
    GThread *threads[4];
    uint64_t loads = 0, done = 0;
    double start = now(), took;

    for (int i = 0; i < 4; i++) {
        readers[i] = (Reader){&pc->as, &stop, 0};
        threads[i] = g_thread_new("reader", read_on, &readers[i]);
    }
    while (now() - start < 0.5) {
        if (write) {
            flip_pam(100, pc);
            done += 100;
        } else {
            g_usleep(1000);
        }
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++) {
        g_thread_join(threads[i]);
        loads += readers[i].loads;
    }
    took = now() - start;
    *commits = done / took;
    return loads / took / 1e6;
}

static void bench_readers(void)
{
    g_autofree PcTree *pc = g_new(PcTree, 1);
    double commits, alone, together;

    pc_tree_init(pc);
    alone = run_readers(pc, false, &commits);
    together = run_readers(pc, true, &commits);
    report("four-readers-and-a-writer", together, "M loads/s", "four readers alone", alone,
           0);
    report("commits-beside-four-readers", commits / 1e3, "k commits/s", NULL, 0, 0);
    pc_tree_destroy(pc);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } benches[] = {
        {"commit-pam", bench_commit_pam}, {"commit-among", bench_commit_siblings},
        {"render", bench_render},         {"mtree", bench_mtree},
        {"memory-per-region", bench_size}, {"access", bench_access},
        {"dirty", bench_dirty},           {"readers", bench_readers},
    };

    io_lock();
    for (size_t i = 0; i < G_N_ELEMENTS(benches); i++) {
        bool wanted = argc < 2;

        for (int j = 1; j < argc; j++) {
            wanted |= g_str_has_prefix(benches[i].name, argv[j]);
        }
        if (wanted) {
            benches[i].run();
        }
    }
    io_unlock();
    return 0;
}
