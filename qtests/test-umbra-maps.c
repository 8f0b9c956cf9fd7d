/*
 * `umbra mtree`, `umbra diff` and `umbra draw`: the comparison on snapshots written by
 * hand, the pictures by what must hold of every picture, and the programs by their exit
 * status.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cli/diff.h"
#include "memory/draw.h"
#include "memory/io-lock.h"

/* -- The comparison -------------------------------------------------------------- */

/* A snapshot of one space "memory" with these ranges: "START LAST KIND REGION
 * OFFSET,...". */
static JsonNode *snapshot(const char *ranges)
{
    g_auto(GStrv) each = g_strsplit(ranges, ",", -1);
    g_autoptr(GString) text = g_string_new(
        "{\"umbra-mtree\": 1, \"spaces\": [{\"name\": \"memory\", \"root\": \"system\", "
        "\"view\": 0, \"tree\": 0}], \"trees\": [], \"views\": [{\"ranges\": [");
    GError *error = NULL;
    JsonNode *node;

    for (guint i = 0; each[i] && *each[i]; i++) {
        g_auto(GStrv) word = g_strsplit(each[i], " ", -1);

        ck_assert_uint_ge(g_strv_length(word), 5);
        g_string_append_printf(
            text,
            "%s{\"start\": \"%s\", \"last\": \"%s\", \"kind\": \"%s\", "
            "\"region\": \"%s\", \"offset\": \"%s\"",
            i ? "," : "", word[0], word[1], word[2], word[3], word[4]);
        if (word[5]) {
            g_string_append_printf(
                text, ", \"writes\": {\"region\": \"%s\", \"offset\": \"0x0\"}", word[5]);
        }
        g_string_append_c(text, '}');
    }
    g_string_append(text, "]}]}");
    node = json_from_string(text->str, &error);
    ck_assert_msg(node != NULL, "%s", error ? error->message : "");
    return node;
}

static DiffSpace *compare(const char *a, const char *b)
{
    g_autoptr(JsonNode) left = snapshot(a);
    g_autoptr(JsonNode) right = snapshot(b);
    GError *error = NULL;
    DiffSpace *space = diff_space(left, right, "memory", &error);

    ck_assert_msg(space != NULL, "%s", error ? error->message : "");
    return space;
}

/* Checks that the changes of b against a are "CHANGE START LAST,...". */
static void check_changes(const char *a, const char *b, const char *expected)
{
    DiffSpace *space = compare(a, b);
    g_autoptr(GString) seen = g_string_new(NULL);

    for (guint i = 0; i < space->pieces->len; i++) {
        const DiffPiece *piece = &g_array_index(space->pieces, DiffPiece, i);

        g_string_append_printf(
            seen, "%s%s 0x%" G_GINT64_MODIFIER "x 0x%" G_GINT64_MODIFIER "x",
            i ? "," : "", diff_change_name(piece->change), piece->start, piece->last);
    }
    ck_assert_str_eq(seen->str, expected);
    diff_space_free(space);
}

#define RAM "0x0 0x9ffff ram pc.ram 0x0"
#define ROM "0xe0000 0xfffff rom pc.bios 0x20000"

START_TEST(test_equal)
{
    check_changes(RAM "," ROM, RAM "," ROM, "");
    check_changes("", "", "");
    /* To the very end of the space. */
    check_changes("0x0 0xffffffffffffffff ram x 0x0", "0x0 0xffffffffffffffff ram x 0x0",
                  "");
}
END_TEST

/* However a map is cut into ranges, the same bytes are the same. */
START_TEST(test_cuts_do_not_matter)
{
    check_changes(RAM, "0x0 0xfff ram pc.ram 0x0,0x1000 0x9ffff ram pc.ram 0x1000", "");
}
END_TEST

START_TEST(test_new_and_gone)
{
    check_changes(RAM, RAM "," ROM, "new 0xe0000 0xfffff");
    check_changes(RAM "," ROM, RAM, "gone 0xe0000 0xfffff");
    check_changes(RAM, "0x0 0x7ffff ram pc.ram 0x0", "gone 0x80000 0x9ffff");
    check_changes("", "0x1000 0xffffffffffffffff ram x 0x0",
                  "new 0x1000 0xffffffffffffffff");
}
END_TEST

START_TEST(test_kind)
{
    check_changes(ROM, "0xe0000 0xfffff ram pc.bios 0x20000", "kind 0xe0000 0xfffff");
    check_changes(ROM, "0xe0000 0xfffff rom pc.bios 0x20000 pc.ram",
                  "kind 0xe0000 0xfffff");
}
END_TEST

START_TEST(test_other_part_other_region)
{
    check_changes(ROM, "0xe0000 0xfffff rom pc.bios 0x0", "part 0xe0000 0xfffff");
    check_changes(ROM,
                  "0xe0000 0xeffff rom pc.bios 0x20000,0xf0000 0xfffff ram pc.ram 0x0",
                  "region 0xf0000 0xfffff");
}
END_TEST

START_TEST(test_moved)
{
    DiffSpace *space;

    check_changes("0xfec00000 0xfec00fff i/o ioapic 0x0",
                  "0xfed00000 0xfed00fff i/o ioapic 0x0", "moved 0xfed00000 0xfed00fff");
    /* What takes its place is new. */
    check_changes("0x1000 0x1fff i/o a 0x0",
                  "0x1000 0x1fff i/o b 0x0,0x2000 0x2fff i/o a 0x0",
                  "new 0x1000 0x1fff,moved 0x2000 0x2fff");
    /* It can only have moved to one place. */
    check_changes("0x1000 0x1fff i/o a 0x0",
                  "0x2000 0x2fff i/o a 0x0,0x3000 0x3fff i/o a 0x0",
                  "moved 0x2000 0x2fff,new 0x3000 0x3fff");
    /* Not what is still there, and not with another size. */
    check_changes("0x1000 0x1fff i/o a 0x0",
                  "0x1000 0x1fff i/o a 0x0,0x2000 0x2fff i/o a 0x0", "new 0x2000 0x2fff");
    check_changes("0x1000 0x1fff i/o a 0x0", "0x3000 0x37ff i/o a 0x0",
                  "gone 0x1000 0x1fff,new 0x3000 0x37ff");
    space = compare("0x1000 0x1fff i/o a 0x0", "0x3000 0x3fff i/o a 0x0");
    ck_assert_uint_eq(g_array_index(space->pieces, DiffPiece, 0).a.start, 0x1000);
    ck_assert_uint_eq(g_array_index(space->pieces, DiffPiece, 0).b.start, 0x3000);
    diff_space_free(space);
}
END_TEST

/* Of an I/O space's floating bus, nothing is said. */
START_TEST(test_root_is_a_hole)
{
    check_changes("0x0 0xffff i/o system 0x0",
                  "0x0 0x3f7 i/o system 0x0,0x3f8 0x3ff i/o serial 0x0,0x400 0xffff i/o "
                  "system 0x400",
                  "new 0x3f8 0x3ff");
}
END_TEST

START_TEST(test_malformed)
{
    static const char *const texts[] = {
        "[]",
        "{}",
        "{\"umbra-mtree\": 2, \"spaces\": [], \"views\": []}",
        "{\"umbra-mtree\": 1, \"spaces\": 5, \"views\": []}",
        "{\"umbra-mtree\": 1, \"spaces\": [{\"name\": \"memory\", \"view\": 3}], "
        "\"views\": []}",
        "{\"umbra-mtree\": 1, \"spaces\": [{\"name\": \"memory\", \"view\": 0}], "
        "\"views\": [7]}",
        "{\"umbra-mtree\": 1, \"spaces\": [{\"name\": \"memory\", \"view\": 0}], "
        "\"views\": [{\"ranges\": [{\"start\": 5}]}]}",
        "{\"umbra-mtree\": 1, \"spaces\": [7], \"views\": []}",
    };
    g_autoptr(JsonNode) good = snapshot(RAM);

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(JsonNode) bad = json_from_string(texts[i], NULL);
        g_autoptr(GError) error = NULL;

        if (i + 1 < G_N_ELEMENTS(texts)) {
            ck_assert_msg(!diff_space(bad, good, "memory", &error) && error, "%s",
                          texts[i]);
        } else {
            ck_assert_ptr_null(diff_space(bad, bad, "memory", &error));
        }
    }
}
END_TEST

/* -- Pictures -------------------------------------------------------------------- */

typedef struct Svg {
    GArray *addresses; /* double: the y of each address label */
    unsigned boxes, titles, arrows;
} Svg;

static double number(const char *name, const char **names, const char **values)
{
    for (; *names; names++, values++) {
        if (strcmp(*names, name) == 0) {
            return g_ascii_strtod(*values, NULL);
        }
    }
    return 0;
}

static const char *class_of(const char **names, const char **values)
{
    for (; *names; names++, values++) {
        if (strcmp(*names, "class") == 0) {
            return *values;
        }
    }
    return "";
}

static void on_element(GMarkupParseContext *context, const char *element,
                       const char **names, const char **values, gpointer data,
                       GError **error)
{
    const char *class = class_of(names, values);
    Svg *svg = data;

    if (strcmp(element, "text") == 0 && g_str_has_prefix(class, "address")) {
        double y = number("y", names, values);

        g_array_append_val(svg->addresses, y);
    }
    svg->boxes += strcmp(element, "rect") == 0 && g_str_has_prefix(class, "box") &&
                  number("height", names, values) != 14; /* the legend's */
    svg->titles += strcmp(element, "title") == 0;
    svg->arrows += strcmp(class, "arrow") == 0;
}

static int by_value(gconstpointer a, gconstpointer b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Well-formed, and no two addresses (11 points high) in the same place. */
static Svg check_svg(const char *text)
{
    static const GMarkupParser parser = {.start_element = on_element};
    Svg svg = {.addresses = g_array_new(false, false, sizeof(double))};
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &svg, NULL);
    GError *error = NULL;

    ck_assert_msg(g_markup_parse_context_parse(context, text, -1, &error) &&
                      g_markup_parse_context_end_parse(context, &error),
                  "%s", error ? error->message : "");
    g_markup_parse_context_free(context);
    g_array_sort(svg.addresses, by_value);
    for (guint i = 1; i < svg.addresses->len; i++) {
        ck_assert_double_ge(g_array_index(svg.addresses, double, i) -
                                g_array_index(svg.addresses, double, i - 1),
                            11);
    }
    return svg;
}

START_TEST(test_picture)
{
    static MemoryRegion root, ram, rom, window, odd;
    static AddressSpace as;
    g_autofree char *text = NULL;
    Svg svg;

    io_lock();
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    memory_region_init_ram(&ram, NULL, "ram", 0x100000, NULL);
    memory_region_init_rom(&rom, NULL, "rom", 0x4000, NULL);
    memory_region_init_alias(&window, NULL, "<w>", &rom, 0x1000, 0x1000);
    /* Names that XML must not see, and longer than any box. */
    memory_region_init_io(
        &odd, NULL, NULL, NULL,
        "<a name & more> that is far longer than any box on the picture "
        "can be wide, and does not end soon",
        1);
    memory_region_add_subregion(&root, 0, &ram);
    memory_region_add_subregion(&root, 0x200000, &rom);
    memory_region_add_subregion(&root, 0x300000, &window);
    memory_region_add_subregion(&root, UINT64_MAX, &odd);
    address_space_init(&as, &root, "test");
    text = draw_view(&as, "a <title> & more");
    svg = check_svg(text);
    /* ram, hole, rom, hole, window, hole, odd; an address each and the last one. */
    ck_assert_uint_eq(svg.boxes, 7);
    ck_assert_uint_eq(svg.addresses->len, 8);
    ck_assert_uint_eq(svg.arrows, 1); /* the window's, to rom */
    ck_assert_uint_eq(svg.titles, 8);
    ck_assert_ptr_nonnull(
        strstr(text, "0x00300000-0x00300fff (4 KiB)\nrom: rom +0x1000"));
}
END_TEST

START_TEST(test_picture_of_nothing)
{
    static MemoryRegion root;
    static AddressSpace as;
    g_autofree char *text = NULL;

    io_lock();
    memory_region_init(&root, NULL, "root", 0);
    address_space_init(&as, &root, "test");
    text = draw_view(&as, "nothing");
    ck_assert_uint_eq(check_svg(text).boxes, 1);
}
END_TEST

/* -- The program ----------------------------------------------------------------- */

/* Runs $UMBRA with the words; returns its exit status, and *output what it wrote. */
static int run(char **output, const char *words)
{
    g_autofree char *line = g_strconcat(g_getenv("UMBRA"), " ", words, NULL);
    int status = 0;
    GError *error = NULL;

    ck_assert_msg(g_spawn_command_line_sync(line, output, NULL, &status, &error), "%s",
                  error ? error->message : "");
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void setup(void)
{
    if (!g_getenv("UMBRA")) {
        ck_abort_msg("UMBRA is to name the program; 'meson test' sets it");
    }
}

START_TEST(test_diff_status)
{
    g_autofree char *same = NULL, *different = NULL, *unknown = NULL, *one = NULL;

    ck_assert_int_eq(run(&same, "diff pc pc-i440fx-7.2"), 0);
    ck_assert_int_eq(run(&different, "diff pc isapc"), 1);
    ck_assert_int_eq(run(&unknown, "diff pc no-such-machine"), 2);
    ck_assert_int_eq(run(&one, "diff pc"), 2);
    /* Without PCI, nobody answers configuration mechanism 1. */
    ck_assert_ptr_nonnull(strstr(different, "- 0x00000cfc-0x00000cff"));
    ck_assert_ptr_null(strstr(different, "\033")); /* not a terminal: no colours */
}
END_TEST

START_TEST(test_diff_saved)
{
    g_autofree char *folder = g_dir_make_tmp("umbra-test-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "pc.json", NULL);
    g_autofree char *same = g_strdup_printf("diff -m 64 %s pc", file);
    g_autofree char *json = g_strdup_printf("diff --json %s pc", file);
    g_autofree char *text = NULL, *none = NULL, *changes = NULL;
    g_autoptr(JsonNode) node = NULL;

    ck_assert_int_eq(run(&text, "mtree --json -m 64"), 0);
    ck_assert(g_file_set_contents(file, text, -1, NULL));
    ck_assert_int_eq(run(&none, same), 0);
    ck_assert_int_eq(run(&changes, json), 1);
    node = json_from_string(changes, NULL);
    ck_assert(!json_object_get_boolean_member(json_node_get_object(node), "equal"));
    /* 128 MiB against 64. */
    ck_assert_ptr_nonnull(strstr(changes, "\"start\" : \"0x4000000\""));
    ck_assert_ptr_nonnull(strstr(changes, "\"last\" : \"0x7ffffff\""));
    g_unlink(file);
    g_rmdir(folder);
}
END_TEST

START_TEST(test_draw_a_machine)
{
    g_autofree char *folder = g_dir_make_tmp("umbra-test-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "pc.svg", NULL);
    static const char *const spaces[] = {"memory", "I/O"};

    for (size_t i = 0; i < G_N_ELEMENTS(spaces); i++) {
        g_autofree char *words =
            g_strdup_printf("draw --space %s --pam 0x59=0x20 -o %s", spaces[i], file);
        g_autofree char *out = NULL, *text = NULL;
        Svg svg;

        ck_assert_int_eq(run(&out, words), 0);
        ck_assert(g_file_get_contents(file, &text, NULL, NULL));
        svg = check_svg(text);
        ck_assert_uint_eq(svg.addresses->len, svg.boxes + 1);
        ck_assert_uint_ge(svg.boxes, 6);
    }
    g_unlink(file);
    g_rmdir(folder);
}
END_TEST

START_TEST(test_explain_words)
{
    g_autofree char *text = NULL, *json = NULL, *none = NULL, *bad = NULL, *pam = NULL;

    ck_assert_int_eq(run(&text, "explain 0xfffffff0 0xf0000"), 0);
    ck_assert_ptr_nonnull(strstr(text, "pc.bios, its byte 0x3fff0 (rom)"));
    ck_assert_int_eq(run(&json, "explain --json -s I/O 0x70"), 0);
    ck_assert_ptr_nonnull(strstr(json, "\"region\" : \"rtc"));
    ck_assert_int_eq(run(&none, "explain"), 1);
    ck_assert_int_eq(run(&bad, "explain 12z"), 1);
    ck_assert_int_eq(run(&pam, "explain --pam 0x58=0 0"), 1);
}
END_TEST

/* What firmware would have told an igd-stub of stolen memory, and of its BARs. */
START_TEST(test_pci_writes)
{
    g_autofree char *stolen = NULL, *bar = NULL;
    static const char *const bad[] = {
        "02.0:0x5c", "02.0=0x5c:1", "0x5c=1",          "02.0:0x5d=1",   "02.0:0x100=1",
        "02.0:=1",   "2.8:4=1",     "02.0:4.x=1",      "02.0:4. =1",    "02.0:4.b=256",
        "02.0:4=1:", "3.0:4=1",     "02.0:0x5c=1=2=3", "02.0:0x5e.l=1",
    };

    ck_assert_int_eq(run(&stolen, "explain --device igd-stub -m 512 --pci "
                                  "02.0:0x5c=0x1ad00000 0x1d000000"),
                     0);
    ck_assert_ptr_nonnull(strstr(stolen,
                                 "configuration 0x5c = 0x1ad00000: its stolen memory "
                                 "(0x1ad00000-0x1eefffff)"));
    ck_assert_int_eq(run(&bar,
                         "explain --device igd-stub,stolen=bar --pci 2:0x24.l=0xf0000000 "
                         "--pci 2.0:4.b=2 0xf0001000"),
                     0);
    ck_assert_ptr_nonnull(strstr(bar, "answered by   igd-stub.stolen, its byte 0x1000"));
    ck_assert_ptr_nonnull(strstr(bar, "BAR 5 of igd-stub 02.0"));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *words =
            g_strdup_printf("explain --device igd-stub --pci '%s' 0", bad[i]);
        g_autofree char *out = NULL;

        ck_assert_msg(run(&out, words) == 1, "%s", bad[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("umbra-maps");
    TCase *diff = tcase_create("diff");
    TCase *draw = tcase_create("draw");
    TCase *program = tcase_create("program");
    SRunner *runner;
    int failed;

    tcase_add_test(diff, test_equal);
    tcase_add_test(diff, test_cuts_do_not_matter);
    tcase_add_test(diff, test_new_and_gone);
    tcase_add_test(diff, test_kind);
    tcase_add_test(diff, test_other_part_other_region);
    tcase_add_test(diff, test_moved);
    tcase_add_test(diff, test_root_is_a_hole);
    tcase_add_test(diff, test_malformed);
    suite_add_tcase(suite, diff);
    tcase_add_test(draw, test_picture);
    tcase_add_test(draw, test_picture_of_nothing);
    suite_add_tcase(suite, draw);
    tcase_add_unchecked_fixture(program, setup, NULL);
    tcase_add_test(program, test_diff_status);
    tcase_add_test(program, test_diff_saved);
    tcase_add_test(program, test_draw_a_machine);
    tcase_add_test(program, test_explain_words);
    tcase_add_test(program, test_pci_writes);
    tcase_set_timeout(program, 60);
    suite_add_tcase(suite, program);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
