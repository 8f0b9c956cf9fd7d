/*
 * explain(): trees whose every claim is known by hand, a pc in each PAM mode, a BAR, and
 * random trees on which the answer must be what the view says.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/pci/pci.h"
#include "machine/cli/umbra-machine.h"
#include "machine/memory-json.h"
#include "machine/monitor/hmp.h"
#include "machine/monitor/qmp.h"
#include "machine/types/pc.h"
#include "memory/explain.h"
#include "memory/io-lock.h"

/* -- Small trees ----------------------------------------------------------------- */

static MemoryRegion root, ram, io, box, window, other;
static AddressSpace as;

static void setup(void)
{
    io_lock();
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    memory_region_init_ram(&ram, NULL, "ram", 0x4000, NULL);
    memory_region_init_io(&io, NULL, NULL, NULL, "io", 0x1000);
    memory_region_init(&box, NULL, "box", 0x1000);
    address_space_init(&as, &root, "test");
}

static const ExplainClaim *claim_of(const Explanation *e, guint i)
{
    ck_assert_uint_lt(i, e->claims->len);
    return g_ptr_array_index(e->claims, i);
}

static void check_claim(const Explanation *e, guint i, const char *path,
                        ExplainVerdict verdict, const char *reason)
{
    const ExplainClaim *claim = claim_of(e, i);
    g_autofree char *seen_path = explain_path_text(claim);
    g_autofree char *seen_reason = explain_reason(e, claim);

    ck_assert_str_eq(seen_path, path);
    ck_assert_str_eq(explain_verdict_name(claim->verdict), explain_verdict_name(verdict));
    ck_assert_pstr_eq(seen_reason, reason);
}

START_TEST(test_way_and_place)
{
    g_autoptr(Explanation) e = NULL;
    const ExplainClaim *answer;
    hwaddr first, last;

    /* ram's bytes 0x1000-0x2fff at 0x10800 of root, by a window in a box. */
    memory_region_set_size(&box, 0x8000);
    memory_region_init_alias(&window, NULL, "window", &ram, 0x1000, 0x2000);
    memory_region_add_subregion(&root, 0x10000, &box);
    memory_region_add_subregion(&box, 0x800, &window);

    e = explain(&as, 0x11234);
    ck_assert_uint_eq(e->claims->len, 1);
    check_claim(e, 0, "root > box > window > ram", EXPLAIN_ANSWERS, NULL);
    answer = explain_answer(e);
    ck_assert_uint_eq(g_array_index(answer->path, ExplainStep, 1).offset, 0x1234);
    ck_assert_uint_eq(g_array_index(answer->path, ExplainStep, 2).offset, 0xa34);
    ck_assert_uint_eq(g_array_index(answer->path, ExplainStep, 3).offset, 0x1a34);
    explain_step_span(e, &g_array_index(answer->path, ExplainStep, 3), &first, &last);
    ck_assert_uint_eq(first, 0xf800); /* where ram would begin */
    ck_assert_uint_eq(last, 0x137ff);
    ck_assert_uint_eq(e->range.start, 0x10800);
    ck_assert_uint_eq(e->range.last, 0x127ff);
    ck_assert_ptr_eq(e->memory.block, memory_region_ram_block(&ram));
    ck_assert_uint_eq(e->memory.offset, 0x1a34);
    ck_assert_ptr_eq(e->memory.host, (uint8_t *)memory_region_get_ram_ptr(&ram) + 0x1a34);
    ck_assert_ptr_null(e->writes.block);
}
END_TEST

START_TEST(test_hole)
{
    g_autoptr(Explanation) e = NULL;

    memory_region_add_subregion(&root, 0x1000, &ram);
    memory_region_add_subregion(&root, 0x8000, &io);
    e = explain(&as, 0x6000);
    ck_assert_ptr_null(explain_answer(e));
    ck_assert_uint_eq(e->claims->len, 0);
    ck_assert_uint_eq(e->range.start, 0x5000);
    ck_assert_uint_eq(e->range.last, 0x7fff);
}
END_TEST

START_TEST(test_disabled)
{
    g_autoptr(Explanation) e = NULL;

    memory_region_add_subregion(&root, 0, &ram);
    memory_region_add_subregion_overlap(&root, 0, &box, 5);
    memory_region_add_subregion(&box, 0, &io);
    memory_region_set_enabled(&box, false);
    e = explain(&as, 0x10);
    ck_assert_uint_eq(e->claims->len, 2);
    check_claim(e, 0, "root > ram", EXPLAIN_ANSWERS, NULL);
    check_claim(e, 1, "root > box > io", EXPLAIN_DISABLED, "box is disabled");
    ck_assert_uint_eq(claim_of(e, 1)->at, 1);
    ck_assert_ptr_eq(claim_of(e, 1)->mr, &io);
}
END_TEST

START_TEST(test_lower_priority)
{
    g_autoptr(Explanation) e = NULL;

    memory_region_add_subregion_overlap(&root, 0, &io, 3);
    memory_region_add_subregion_overlap(&root, 0, &ram, -2);
    e = explain(&as, 0x10);
    ck_assert_uint_eq(e->claims->len, 2);
    check_claim(e, 0, "root > io", EXPLAIN_ANSWERS, NULL);
    check_claim(e, 1, "root > ram", EXPLAIN_LOWER_PRIORITY,
                "ram (priority -2) lies under io (priority 3)");
    ck_assert_ptr_eq(claim_of(e, 1)->other, &io);
}
END_TEST

START_TEST(test_added_earlier)
{
    g_autoptr(Explanation) e = NULL;

    memory_region_add_subregion_overlap(&root, 0, &ram, 2);
    memory_region_add_subregion_overlap(&root, 0, &io, 2);
    e = explain(&as, 0x10);
    ck_assert_uint_eq(e->claims->len, 2);
    check_claim(e, 0, "root > io", EXPLAIN_ANSWERS, NULL);
    check_claim(e, 1, "root > ram", EXPLAIN_ADDED_EARLIER,
                "ram was added before io, at the same priority 2");
}
END_TEST

/* It is the container that loses, whatever the priority of what is in it. */
START_TEST(test_loses_by_its_container)
{
    g_autoptr(Explanation) e = NULL;

    memory_region_add_subregion_overlap(&root, 0, &box, -1);
    memory_region_add_subregion_overlap(&box, 0, &io, 100);
    memory_region_add_subregion(&root, 0, &ram);
    e = explain(&as, 0);
    check_claim(e, 0, "root > ram", EXPLAIN_ANSWERS, NULL);
    check_claim(e, 1, "root > box > io", EXPLAIN_LOWER_PRIORITY,
                "box (priority -1) lies under ram (priority 0)");
    ck_assert_uint_eq(claim_of(e, 1)->at, 1);
}
END_TEST

START_TEST(test_hidden_beneath)
{
    g_autoptr(Explanation) e = NULL;

    memory_region_add_subregion(&root, 0, &ram);
    memory_region_add_subregion(&ram, 0x1000, &io);
    e = explain(&as, 0x1800);
    ck_assert_uint_eq(e->claims->len, 2);
    check_claim(e, 0, "root > ram > io", EXPLAIN_ANSWERS, NULL);
    check_claim(e, 1, "root > ram", EXPLAIN_HIDDEN, "io lies in it and shows above it");
}
END_TEST

START_TEST(test_clipped_by_container)
{
    g_autoptr(Explanation) e = NULL;
    g_autoptr(Explanation) inside = NULL;

    memory_region_add_subregion(&root, 0x10000, &box);        /* to 0x10fff */
    memory_region_add_subregion_overlap(&box, 0x800, &io, 0); /* would end at 0x117ff */
    e = explain(&as, 0x11000);
    ck_assert_ptr_null(explain_answer(e));
    ck_assert_uint_eq(e->claims->len, 1);
    check_claim(e, 0, "root > box > io", EXPLAIN_CLIPPED, "box ends at 0x00010fff");
    inside = explain(&as, 0x10fff);
    ck_assert_uint_eq(inside->claims->len, 1);
    check_claim(inside, 0, "root > box > io", EXPLAIN_ANSWERS, NULL);
}
END_TEST

START_TEST(test_clipped_by_window)
{
    g_autoptr(Explanation) after = NULL;
    g_autoptr(Explanation) before = NULL;

    memory_region_init_alias(&window, NULL, "window", &ram, 0x1000, 0x1000);
    memory_region_add_subregion(&root, 0x10000, &window);
    after = explain(&as, 0x11000);
    ck_assert_uint_eq(after->claims->len, 1);
    check_claim(after, 0, "root > window > ram", EXPLAIN_CLIPPED,
                "window ends at 0x00010fff");
    before = explain(&as, 0xffff);
    ck_assert_uint_eq(before->claims->len, 1);
    check_claim(before, 0, "root > window > ram", EXPLAIN_CLIPPED,
                "window only begins at 0x00010000");
}
END_TEST

/* Of two windows onto ram, of which neither reaches, the nearer is named; and neither
 * where ram answers. */
START_TEST(test_nearest_window)
{
    g_autoptr(Explanation) between = NULL;
    g_autoptr(Explanation) later = NULL;
    g_autoptr(Explanation) in = NULL;

    memory_region_init_alias(&window, NULL, "near", &ram, 0, 0x1000);
    memory_region_init_alias(&other, NULL, "far", &ram, 0x2000, 0x1000);
    memory_region_add_subregion(&root, 0x10000, &window);
    memory_region_add_subregion(&root, 0x13000, &other);
    between = explain(&as, 0x11100);
    ck_assert_uint_eq(between->claims->len, 1);
    check_claim(between, 0, "root > near > ram", EXPLAIN_CLIPPED,
                "near ends at 0x00010fff");
    later = explain(&as, 0x12f00);
    ck_assert_uint_eq(later->claims->len, 1);
    check_claim(later, 0, "root > far > ram", EXPLAIN_CLIPPED,
                "far only begins at 0x00013000");
    in = explain(&as, 0x10800);
    ck_assert_uint_eq(in->claims->len, 1);
    check_claim(in, 0, "root > near > ram", EXPLAIN_ANSWERS, NULL);
}
END_TEST

START_TEST(test_window_beyond_its_target)
{
    g_autoptr(Explanation) e = NULL;

    memory_region_add_subregion_overlap(&root, 0, &ram, -1);
    memory_region_init_alias(&window, NULL, "window", &io, 0x800, 0x1000);
    memory_region_add_subregion(&root, 0, &window);
    e = explain(&as, 0x900); /* io's byte 0x1100, of 0x1000 */
    ck_assert_uint_eq(e->claims->len, 2);
    check_claim(e, 0, "root > ram", EXPLAIN_ANSWERS, NULL);
    check_claim(e, 1, "root > window > io", EXPLAIN_CLIPPED,
                "it shows io, which has only 0x1000 bytes");
    ck_assert_ptr_eq(claim_of(e, 1)->mr, &window);
}
END_TEST

START_TEST(test_split)
{
    g_autoptr(Explanation) e = NULL;

    memory_region_init_split(&window, NULL, "split", &io, 0x100, &ram, 0x2000, 0x800);
    memory_region_add_subregion(&root, 0x10000, &window);
    e = explain(&as, 0x10010);
    ck_assert_uint_eq(e->claims->len, 1);
    check_claim(e, 0, "root > split > io", EXPLAIN_ANSWERS, NULL);
    ck_assert_ptr_null(e->memory.block);
    ck_assert_ptr_eq(e->writes.block, memory_region_ram_block(&ram));
    ck_assert_uint_eq(e->writes.offset, 0x2010);
}
END_TEST

static void count_call(Explanation *e, void *opaque)
{
    ExplainNote *note = explain_note(e, "test", &io, "note %d", ++*(int *)opaque);

    explain_note_value(note, "answer", 42);
    ck_assert(explain_mentions(e, &root));
    ck_assert(!explain_mentions(e, &io));
}

START_TEST(test_hooks)
{
    g_autoptr(Explanation) with = NULL;
    g_autoptr(Explanation) without = NULL;
    const ExplainNote *note;
    int calls = 0;

    explain_add_hook(count_call, &calls);
    with = explain(&as, 0);
    explain_remove_hook(count_call, &calls);
    without = explain(&as, 0);
    ck_assert_int_eq(calls, 1);
    ck_assert_uint_eq(without->notes->len, 0);
    note = g_ptr_array_index(with->notes, 0);
    ck_assert_str_eq(note->text, "note 1");
    ck_assert_uint_eq(g_array_index(note->values, ExplainValue, 0).value, 42);
}
END_TEST

/* -- Random trees ---------------------------------------------------------------- */

#define RANDOM_REGIONS 24
#define RANDOM_SPAN 0x100

static unsigned below(GRand *rand, unsigned n)
{
    return (unsigned)g_rand_int_range(rand, 0, (gint32)n);
}

/* Region i lies in an earlier one and shows, as an alias, an earlier one too:
 * no loops. */
static void plant(GRand *rand, MemoryRegion *mrs, unsigned i)
{
    MemoryRegion *mr = &mrs[i];
    g_autofree char *name = g_strdup_printf("r%u", i);
    uint64_t size = 1 + below(rand, RANDOM_SPAN / 2);
    unsigned kind = below(rand, 3), parent = below(rand, i);

    if (kind == 0) {
        memory_region_init(mr, NULL, name, size);
    } else if (kind == 1 || i < 6) {
        memory_region_init_io(mr, NULL, NULL, NULL, name, size);
    } else {
        /* Leaves (the later half) show the earlier half only. */
        memory_region_init_alias(mr, NULL, name, &mrs[1 + below(rand, 4)],
                                 below(rand, 32), size);
    }
    while (mrs[parent].kind == MEMORY_REGION_ALIAS || (parent && parent < 5)) {
        parent = parent ? parent - 1 : 0;
    }
    memory_region_add_subregion_overlap(&mrs[parent], below(rand, RANDOM_SPAN / 2), mr,
                                        (int)below(rand, 3) - 1);
    memory_region_set_enabled(mr, below(rand, 5) > 0);
}

static void check_against_view(AddressSpace *space, hwaddr addr, guint32 seed)
{
    g_autoptr(Explanation) e = explain(space, addr);
    const ExplainClaim *answer = explain_answer(e);
    FlatRange range;
    bool hit = address_space_lookup(space, addr, &range);

    ck_assert_msg(hit == (answer != NULL), "seed %u, 0x%" PRIx64, seed, addr);
    if (hit) {
        const ExplainStep *step =
            &g_array_index(answer->path, ExplainStep, answer->path->len - 1);

        ck_assert_msg(step->mr == range.mr &&
                          step->offset == range.offset_in_region + (addr - range.start),
                      "seed %u, 0x%" PRIx64 ": %s, not %s", seed, addr,
                      memory_region_name(step->mr), memory_region_name(range.mr));
    }
    for (guint i = 1; i < e->claims->len; i++) {
        const ExplainClaim *claim = g_ptr_array_index(e->claims, i);
        g_autofree char *reason = explain_reason(e, claim);

        ck_assert_msg(claim->verdict != EXPLAIN_ANSWERS && reason, "seed %u, 0x%" PRIx64,
                      seed, addr);
    }
}

START_TEST(test_random_trees)
{
    guint32 first_seed = g_random_int();

    for (guint32 seed = first_seed; seed - first_seed < 100; seed++) {
        GRand *rand = g_rand_new_with_seed(seed);
        MemoryRegion *mrs = g_new0(MemoryRegion, RANDOM_REGIONS);
        AddressSpace *space = g_new0(AddressSpace, 1);

        memory_region_init(&mrs[0], NULL, "r0", RANDOM_SPAN);
        for (unsigned i = 1; i < RANDOM_REGIONS; i++) {
            plant(rand, mrs, i);
        }
        address_space_init(space, &mrs[0], "random");
        for (hwaddr addr = 0; addr < RANDOM_SPAN + 8; addr++) {
            check_against_view(space, addr, seed);
        }
        g_rand_free(rand); /* the trees stay: taking them down is not what is tested */
    }
}
END_TEST

/* -- A pc ------------------------------------------------------------------------ */

static Machine *pc;
static char bios[] = "/tmp/umbra-test-explain-XXXXXX";

/* 128 MiB and an image of 256 KiB. */
static void setup_pc(void)
{
    UmbraMachineOptions options = {
        .machine = (char *)"pc", .memory = (char *)"128", .firmware = bios};
    GError *error = NULL;
    int fd = mkstemp(bios);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, 256 * 1024), 0);
    close(fd);
    pc = umbra_machine_build(&options, &error);
    unlink(bios);
    ck_assert_msg(pc != NULL, "%s", error ? error->message : "");
}

static Explanation *with_pam(uint8_t value)
{
    pci_bus_config_write(pc->pci, 0x59, value, 1);
    return explain(&pc->memory, 0xf0000);
}

static const ExplainNote *only_note(const Explanation *e)
{
    ck_assert_uint_eq(e->notes->len, 1);
    return g_ptr_array_index(e->notes, 0);
}

static void check_value(const ExplainNote *note, const char *name, uint64_t value)
{
    for (guint i = 0; i < note->values->len; i++) {
        const ExplainValue *pair = &g_array_index(note->values, ExplainValue, i);

        if (strcmp(pair->name, name) == 0) {
            ck_assert_uint_eq(pair->value, value);
            return;
        }
    }
    ck_abort_msg("no value %s", name);
}

#define FROM_PCI "system > pam-pci > pci > isa-bios > pc.bios"

/* 82441FX, section 3.2.18: bits 5:4 of 0x59 are the window at 0xf0000. */
START_TEST(test_pam_modes)
{
    static const struct {
        uint8_t value;
        const char *path, *beats;
        bool readonly, from_bios, writes_to_ram;
    } modes[] = {
        {0x00, FROM_PCI, "pam-pci", true, true, false},
        {0x10, "system > pam-rom > pc.ram", "pam-rom", true, false, false},
        {0x20, FROM_PCI, "pam-pci", true, true, true},
        {0x30, "system > pam-ram > pc.ram", "pam-ram", false, false, false},
    };

    for (unsigned mode = 0; mode < 4; mode++) {
        g_autoptr(Explanation) e = with_pam(modes[mode].value);
        g_autofree char *reason = g_strdup_printf(
            "ram-below-4g (priority 0) lies under %s (priority 1)", modes[mode].beats);
        g_autofree char *pci_reason = g_strdup_printf(
            "pci (priority -1) lies under %s (priority 1)", modes[mode].beats);

        /* One window shows, three are disabled; and RAM and PCI lie below. */
        ck_assert_uint_eq(e->claims->len, 6);
        check_claim(e, 0, modes[mode].path, EXPLAIN_ANSWERS, NULL);
        for (guint i = 1; i < 4; i++) {
            ck_assert_int_eq(claim_of(e, i)->verdict, EXPLAIN_DISABLED);
            ck_assert_uint_eq(claim_of(e, i)->at, 1);
        }
        check_claim(e, 4, "system > ram-below-4g > pc.ram", EXPLAIN_LOWER_PRIORITY,
                    reason);
        check_claim(e, 5, "system > pci > isa-bios > pc.bios", EXPLAIN_LOWER_PRIORITY,
                    pci_reason);
        ck_assert_int_eq(e->range.readonly, modes[mode].readonly);
        ck_assert_str_eq(memory_region_name(e->range.mr),
                         modes[mode].from_bios ? "pc.bios" : "pc.ram");
        /* The image's last 128 KiB are at 0xe0000, so 0xf0000 is its byte 0x30000. */
        ck_assert_uint_eq(e->memory.offset, modes[mode].from_bios ? 0x30000 : 0xf0000);
        ck_assert_int_eq(e->writes.block != NULL, modes[mode].writes_to_ram);
        check_value(only_note(e), "register", 0x59);
        check_value(only_note(e), "shift", 4);
        check_value(only_note(e), "mode", mode);
    }
}
END_TEST

/* Windows that show nothing of PCI's are decided by their register all the same. */
START_TEST(test_pam_window_of_nothing)
{
    g_autoptr(Explanation) smram = explain(&pc->memory, 0xa0000);

    check_value(only_note(smram), "register", 0x72);
    check_claim(smram, 0, "system > ram-below-4g > pc.ram", EXPLAIN_ANSWERS, NULL);
}
END_TEST

START_TEST(test_reset_vector)
{
    g_autoptr(Explanation) e = explain(&pc->memory, 0xfffffff0);
    g_autoptr(GString) text = g_string_new(NULL);

    ck_assert_uint_eq(e->claims->len, 1);
    check_claim(e, 0, "system > pci > pc.bios", EXPLAIN_ANSWERS, NULL);
    ck_assert_uint_eq(e->memory.offset, 0x3fff0);
    ck_assert_uint_eq(e->range.start, 0xfffc0000);
    ck_assert_uint_eq(e->range.last, 0xffffffff);
    ck_assert_uint_eq(e->notes->len, 0);
    explain_print(text, e);
    ck_assert_ptr_nonnull(strstr(text->str, "pc.bios, its byte 0x3fff0 (rom)"));
}
END_TEST

/* BAR 4 of the PIIX3's IDE function 01.1, 16 bytes of ports (82371SB, section 2.3, BMIBA). */
START_TEST(test_bar)
{
    PCIDevice *ide = pci_find_device(pc->pci, PCI_DEVFN(1, 1));
    g_autoptr(Explanation) before = explain(&pc->io, 0xc008);
    g_autoptr(Explanation) after = NULL;

    ck_assert_uint_eq(before->notes->len, 0);
    ck_assert_ptr_nonnull(ide);
    pci_bus_config_write(pc->pci, ide->devfn << 8 | 0x20, 0xc001, 4);
    pci_bus_config_write(pc->pci, ide->devfn << 8 | 0x04, 0x0001, 2);
    after = explain(&pc->io, 0xc008);
    check_value(only_note(after), "devfn", ide->devfn);
    check_value(only_note(after), "bar", 4);
    check_value(only_note(after), "register", 0x20);
    check_value(only_note(after), "value", 0xc001);
    ck_assert_ptr_nonnull(explain_answer(after));
    ck_assert_ptr_ne(after->range.mr, &pc->system_io);
}
END_TEST

START_TEST(test_json)
{
    g_autoptr(Explanation) e = with_pam(0x30);
    g_autoptr(JsonNode) node = memory_json_explanation(e);
    JsonObject *object = json_node_get_object(node);
    JsonObject *note =
        json_array_get_object_element(json_object_get_array_member(object, "notes"), 0);
    JsonArray *claims = json_object_get_array_member(object, "claims");
    JsonObject *answer = json_array_get_object_element(claims, 0);

    ck_assert_str_eq(json_object_get_string_member(object, "address"), "0xf0000");
    ck_assert_str_eq(json_object_get_string_member(object, "space"), "memory");
    ck_assert_str_eq(json_object_get_string_member(note, "register"), "0x59");
    ck_assert_uint_eq(json_array_get_length(claims), 6);
    ck_assert_str_eq(json_object_get_string_member(answer, "verdict"), "answers");
    ck_assert_uint_eq(json_array_get_length(json_object_get_array_member(answer, "path")),
                      3);
}
END_TEST

/* -- The monitors ---------------------------------------------------------------- */

static void check_hmp(const char *line, const char *expected)
{
    g_autofree char *text = hmp_execute(line);

    ck_assert_msg(strstr(text, expected) != NULL, "%s: no '%s' in:\n%s", line, expected,
                  text);
}

START_TEST(test_hmp)
{
    check_hmp("explain 0xfffffff0", "pc.bios, its byte 0x3fff0 (rom)");
    check_hmp("explain 0x100000000-16", "pc.bios, its byte 0x3fff0 (rom)");
    check_hmp("explain -s I/O 0x71", "rtc");
    check_hmp("explain 0x71 -s I/O", "rtc");
    check_hmp("explain 0 -s nowhere", "Error: no address space 'nowhere'");
}
END_TEST

static JsonNode *run_qmp(const char *name, const char *args, GError **error)
{
    g_autoptr(JsonNode) node = json_from_string(args, NULL);

    return qmp_run(name, json_node_get_object(node), error);
}

START_TEST(test_qmp)
{
    static const char *const ways[] = {"{\"address\": 4294967280}",
                                       "{\"address\": \"0xfffffff0\"}"};
    static const char *const wrong[] = {"{\"address\": true}", "{\"address\": \"here\"}",
                                        "{\"address\": 0, \"space\": \"nowhere\"}", "{}"};
    g_autoptr(JsonNode) map = run_qmp("x-query-mtree", "{}", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(JsonNode) node = run_qmp("x-umbra-explain", ways[i], NULL);
        JsonObject *memory;

        ck_assert_ptr_nonnull(node);
        memory = json_object_get_object_member(json_node_get_object(node), "memory");
        ck_assert_str_eq(json_object_get_string_member(memory, "block"), "pc.bios");
        ck_assert_str_eq(json_object_get_string_member(memory, "offset"), "0x3fff0");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        ck_assert_ptr_null(run_qmp("x-umbra-explain", wrong[i], &error));
        ck_assert_ptr_nonnull(error);
    }
    ck_assert_ptr_nonnull(map);
    ck_assert_str_eq(json_object_get_string_member(json_node_get_object(map), "machine"),
                     "pc-i440fx-7.2");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain");
    TCase *small = tcase_create("small trees");
    TCase *machine = tcase_create("pc");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(small, setup, NULL);
    tcase_add_test(small, test_way_and_place);
    tcase_add_test(small, test_hole);
    tcase_add_test(small, test_disabled);
    tcase_add_test(small, test_lower_priority);
    tcase_add_test(small, test_added_earlier);
    tcase_add_test(small, test_loses_by_its_container);
    tcase_add_test(small, test_hidden_beneath);
    tcase_add_test(small, test_clipped_by_container);
    tcase_add_test(small, test_clipped_by_window);
    tcase_add_test(small, test_nearest_window);
    tcase_add_test(small, test_window_beyond_its_target);
    tcase_add_test(small, test_split);
    tcase_add_test(small, test_hooks);
    tcase_add_test(small, test_random_trees);
    tcase_set_timeout(small, 60);
    suite_add_tcase(suite, small);
    machine_types_add(pc_machine_types());
    machine_devices_register();
    tcase_add_checked_fixture(machine, setup_pc, NULL);
    tcase_add_test(machine, test_pam_modes);
    tcase_add_test(machine, test_pam_window_of_nothing);
    tcase_add_test(machine, test_reset_vector);
    tcase_add_test(machine, test_bar);
    tcase_add_test(machine, test_json);
    tcase_add_test(machine, test_hmp);
    tcase_add_test(machine, test_qmp);
    suite_add_tcase(suite, machine);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
