/*
 * `info mtree` in its forms, compared with what QEMU prints for the same tree.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "memory/io-lock.h"
#include "memory/mtree.h"
#include "qtests/memory-view.h"
#include "qtests/mtree-pc.h"
#include "qtests/pc-tree.h"

static char *text_of(MtreeOptions options)
{
    GString *text = g_string_new(NULL);

    mtree_print(text, &options);
    return g_string_free(text, false);
}

/* From `text`, the paragraph that begins with `head`, with the newline that ends it. */
static char *paragraph(const char *text, const char *head)
{
    const char *start = strstr(text, head);

    ck_assert_msg(start, "no '%s' in:\n%s", head, text);
    return g_strndup(start, strstr(start, "\n\n") + 1 - start);
}

#define ck_assert_paragraph(options, head, expected)                                     \
    do {                                                                                 \
        g_autofree char *text_ = text_of(options);                                       \
        g_autofree char *seen_ = paragraph(text_, head);                                 \
        ck_assert_str_eq(seen_, expected);                                               \
    } while (0)

static PcTree pc;

static void setup(void)
{
    io_lock();
    pc_tree_init(&pc);
}

static void teardown(void)
{
    pc_tree_destroy(&pc);
    io_unlock();
}

START_TEST(test_tree)
{
    AddressSpace cpu;

    address_space_init(&cpu, &pc.system, "cpu-memory-0");
    /* The paragraph as QEMU prints it, less its empty line. */
    g_autofree char *tree = g_strndup(qemu_tree, strlen(qemu_tree) - 1);
    g_autofree char *disabled =
        g_strndup(qemu_tree_disabled, strlen(qemu_tree_disabled) - 1);
    ck_assert_paragraph((MtreeOptions){}, "address-space: cpu-memory-0", tree);
    ck_assert_paragraph((MtreeOptions){.disabled = true}, "address-space: cpu-memory-0",
                        disabled);
    address_space_destroy(&cpu);
}
END_TEST

START_TEST(test_aliased_regions)
{
    g_autofree char *text = text_of((MtreeOptions){});
    const char *last = text;

    /* In the order in which the walk meets the aliases, each once. */
    static const char *const heads[] = {"\n\nmemory-region: pc.ram\n",
                                        "\n\nmemory-region: pc.bios\n",
                                        "\n\nmemory-region: pci\n"};
    for (int i = 0; i < 3; i++) {
        const char *at = strstr(text, heads[i]);

        ck_assert_ptr_nonnull(at);
        ck_assert(at > last);
        ck_assert_ptr_null(strstr(at + 1, heads[i]));
        last = at;
    }
    ck_assert_ptr_nonnull(
        strstr(text, "memory-region: pc.bios\n"
                     "  00000000fffc0000-00000000ffffffff (prio 0, rom): pc.bios\n\n"));
}
END_TEST

START_TEST(test_view_with_dispatch)
{
    AddressSpace cpu;

    address_space_init(&cpu, &pc.system, "cpu-memory-0");
    ck_assert_paragraph(((MtreeOptions){.flat = true, .dispatch = true}), " AS \"memory\"",
                        qemu_view);
    address_space_destroy(&cpu);
}
END_TEST

/* An I/O port space: pages that many regions share. */
START_TEST(test_ports_with_dispatch)
{
    static const struct {
        hwaddr first, last;
        int priority;
        const char *name;
    } ports[] = {
        {0x0, 0x7, 0, "dma-chan"},      {0x8, 0xf, 0, "dma-cont"},
        {0x20, 0x21, 0, "pic"},         {0x40, 0x43, 0, "pit"},
        {0x60, 0x60, 0, "i8042-data"},  {0x61, 0x61, 0, "pcspk"},
        {0x64, 0x64, 0, "i8042-cmd"},   {0x70, 0x71, 0, "rtc"},
        {0x70, 0x70, 0, "rtc-index"},   {0x7e, 0x7f, 0, "kvmvapic"},
        {0x80, 0x80, 0, "ioport80"},    {0x81, 0x83, 0, "dma-page"},
        {0x87, 0x87, 0, "dma-page"},    {0x89, 0x8b, 0, "dma-page"},
        {0x8f, 0x8f, 0, "dma-page"},    {0x92, 0x92, 0, "port92"},
        {0xa0, 0xa1, 0, "pic"},         {0xb2, 0xb3, 0, "apm-io"},
        {0xc0, 0xcf, 0, "dma-chan"},    {0xd0, 0xdf, 0, "dma-cont"},
        {0xf0, 0xf0, 0, "ioportF0"},    {0x170, 0x177, 0, "ide"},
        {0x1f0, 0x1f7, 0, "ide"},       {0x376, 0x376, 0, "ide"},
        {0x3f1, 0x3f5, 0, "fdc"},       {0x3f6, 0x3f6, 0, "ide"},
        {0x3f7, 0x3f7, 0, "fdc"},       {0x4d0, 0x4d0, 0, "elcr"},
        {0x4d1, 0x4d1, 0, "elcr"},      {0x510, 0x511, 0, "fwcfg"},
        {0x514, 0x51b, 0, "fwcfg.dma"}, {0xcf8, 0xcfb, 0, "pci-conf-idx"},
        {0xcf9, 0xcf9, 1, "piix3-reset-control"},
        {0xcfc, 0xcff, 0, "pci-conf-data"},
        {0x5658, 0x5658, 0, "vmport"},  {0xae00, 0xae17, 0, "acpi-pci-hotplug"},
        {0xaf00, 0xaf1f, 0, "acpi-cpu-hotplug"},
        {0xafe0, 0xafe3, 0, "acpi-gpe0"},
        {0xb100, 0xb13f, 0, "pm-smbus"},
    };
    MemoryRegion io, mr[G_N_ELEMENTS(ports)];
    AddressSpace as;

    memory_region_init_io(&io, NULL, NULL, NULL, "io", 65536);
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        memory_region_init_io(&mr[i], NULL, NULL, NULL, ports[i].name,
                              ports[i].last - ports[i].first + 1);
        memory_region_add_subregion_overlap(&io, ports[i].first, &mr[i],
                                            ports[i].priority);
    }
    address_space_init(&as, &io, "I/O");
    ck_assert_paragraph(((MtreeOptions){.flat = true, .dispatch = true}), " AS \"I/O\"",
                        qemu_io_view);
    address_space_destroy(&as);
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        memory_region_del_subregion(&io, &mr[i]);
        memory_region_destroy(&mr[i]);
    }
    memory_region_destroy(&io);
}
END_TEST

START_TEST(test_shared_and_empty_views)
{
    MemoryRegion master[2], bus[2], memory, system;
    AddressSpace dma[2], smm;

    for (int i = 0; i < 2; i++) {
        memory_region_init(&master[i], NULL, "bus master container", UINT64_MAX);
        memory_region_init_alias(&bus[i], NULL, "bus master", &pc.system, 0, UINT64_MAX);
        memory_region_set_enabled(&bus[i], false);
        memory_region_add_subregion(&master[i], 0, &bus[i]);
        address_space_init(&dma[i], &master[i], i ? "PIIX3" : "i440FX");
    }
    memory_region_init(&memory, NULL, "memory", UINT64_MAX);
    memory_region_init_alias(&system, NULL, "memory", &pc.system, 0, UINT64_MAX);
    memory_region_add_subregion(&memory, 0, &system);
    address_space_init(&smm, &memory, "cpu-smm-0");
    g_autofree char *text = text_of((MtreeOptions){.flat = true});
    ck_assert_ptr_nonnull(strstr(text, "FlatView #0\n"
                                       " AS \"memory\", root: system\n"
                                       " AS \"cpu-smm-0\", root: memory\n"
                                       " Root memory region: system\n"
                                       "  0000000000000000-00000000000bffff (prio 0, ram): "
                                       "pc.ram\n"));
    ck_assert_ptr_nonnull(strstr(text, "FlatView #1\n"
                                       " AS \"i440FX\", root: bus master container\n"
                                       " AS \"PIIX3\", root: bus master container\n"
                                       " Root memory region: (none)\n"
                                       "  No rendered FlatView\n\n"));
    address_space_destroy(&smm);
    memory_region_del_subregion(&memory, &system);
    memory_region_destroy(&system);
    memory_region_destroy(&memory);
    for (int i = 0; i < 2; i++) {
        address_space_destroy(&dma[i]);
        memory_region_del_subregion(&master[i], &bus[i]);
        memory_region_destroy(&bus[i]);
        memory_region_destroy(&master[i]);
    }
}
END_TEST

static bool is_ram(const FlatRange *range)
{
    return memory_region_is_ram(range->mr);
}

static char *describe(GObject *owner)
{
    return g_strdup_printf("owner:{dev path=/machine/%s}",
                           (char *)g_object_get_data(owner, "name"));
}

START_TEST(test_accel_and_owner)
{
    GObject *owner = g_object_new(G_TYPE_OBJECT, NULL);
    MemoryRegion dev;
    MtreeOptions options = {.flat = true, .owner = true, .accel = "KVM",
                            .accel_has = is_ram};

    g_object_set_data(owner, "name", "dev");
    mtree_set_describe_owner(describe);
    memory_region_init_io(&dev, owner, NULL, NULL, "dev", 0x1000);
    memory_region_add_subregion(&pc.system, 0xfd000000, &dev);
    memory_region_set_nonvolatile(&dev, true);
    g_autofree char *text = text_of(options);
    ck_assert_ptr_nonnull(strstr(text, "(prio 1, rom): pc.rom "
                                       "parent:{obj path=/machine/unattached} KVM\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "  00000000fd000000-00000000fd000fff (prio 0, nv-i/o): dev "
                     "owner:{dev path=/machine/dev}\n"));
    memory_region_del_subregion(&pc.system, &dev);
    memory_region_destroy(&dev);
    mtree_set_describe_owner(NULL);
    g_object_unref(owner);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory-mtree");
    TCase *tc = tcase_create("text");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_tree);
    tcase_add_test(tc, test_aliased_regions);
    tcase_add_test(tc, test_view_with_dispatch);
    tcase_add_test(tc, test_ports_with_dispatch);
    tcase_add_test(tc, test_shared_and_empty_views);
    tcase_add_test(tc, test_accel_and_owner);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
