/*
 * The renderer against a naive oracle, on random trees.
 *
 * The oracle keeps its own model of the tree and finds what answers at an address by
 * walking it from the root by the rules, one address at a time. After each transaction
 * of random edits the views of three address spaces must be the oracle's, range for range,
 * and listeners that know only what they were told must have the same.
 *
 * A case is a list of operations that a seed gives. A failing list is cut down to what
 * still fails and printed with the seed; UMBRA_ORACLE_SEED=N runs that case alone, and
 * UMBRA_ORACLE_CASES=N sets how many there are.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>

#include "memory/io-lock.h"
#include "memory/ram-block.h"
#include "qtests/memory-mirror.h"

#define UNITS 128     /* the address space, in units of 1, 4 KiB or 2^57 bytes */
#define MAX_NODES 320
#define SPACES 3      /* each with its own root: the last nodes */

typedef enum Operation {
    OP_ADD,
    OP_REMOVE,
    OP_ENABLE,
    OP_READONLY,
    OP_NONVOLATILE,
    OP_MOVE,
    OP_RESIZE,
    OP_LOOK_ELSEWHERE, /* alias offset */
    OP_BEGIN,
    OP_COMMIT,
    OPERATIONS
} Operation;

typedef struct Step {
    Operation op;
    unsigned node;
    unsigned other;
    unsigned at; /* units */
    int priority;
} Step;

/* A region as the oracle knows it; it contains or shows nodes of lower number only. */
typedef struct Node {
    MemoryRegionKind kind;
    bool enabled, readonly, nonvolatile;
    int priority;
    uint64_t added;
    unsigned addr, size; /* units */
    struct Node *container;
    GPtrArray *subregions;
    struct Node *target;
    unsigned target_offset;
    struct Node *write_to;
    unsigned write_offset;
    MemoryRegion mr;
    char name[8];
} Node;

typedef struct World {
    unsigned count;
    unsigned shift; /* log2 of a unit */
    uint64_t additions;
    unsigned depth; /* of transactions */
    Node nodes[MAX_NODES];
    AddressSpace as[SPACES];
    MemoryMirror mirror[SPACES];
} World;

static hwaddr bytes(const World *world, unsigned units)
{
    return (hwaddr)units << world->shift;
}

/* Sizes of the whole space are 2^64 where a unit is 2^57. */
static uint64_t size_in_bytes(const World *world, unsigned units)
{
    return world->shift == 57 && units == UNITS ? UINT64_MAX : bytes(world, units);
}

/* -- The oracle ------------------------------------------------------------------------------ */

typedef struct Answer {
    const Node *node;
    unsigned offset;
    bool readonly, nonvolatile;
    const Node *write_to;
    unsigned write_offset;
} Answer;

static bool is_above(const Node *a, const Node *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->added > b->added;
}

static bool ask(const Node *node, unsigned offset, Answer so_far, Answer *answer)
{
    if (!node->enabled || offset >= node->size) {
        return false;
    }
    so_far.readonly |= node->readonly;
    so_far.nonvolatile |= node->nonvolatile;
    if (node->kind == MEMORY_REGION_SPLIT && !so_far.readonly && !so_far.write_to) {
        so_far.write_to = node->write_to;
        so_far.write_offset = node->write_offset + offset;
    }
    if (node->target && ask(node->target, offset + node->target_offset, so_far, answer)) {
        return true;
    }
    for (guint i = 0; i < node->subregions->len; i++) { /* from the top */
        const Node *sub = g_ptr_array_index(node->subregions, i);

        if (offset >= sub->addr && ask(sub, offset - sub->addr, so_far, answer)) {
            return true;
        }
    }
    if (node->kind == MEMORY_REGION_CONTAINER || node->kind == MEMORY_REGION_ALIAS) {
        return false;
    }
    *answer = so_far;
    answer->node = node;
    answer->offset = offset;
    return true;
}

static bool continues(const Answer *a, const Answer *b)
{
    return a->node == b->node && a->offset + 1 == b->offset && a->readonly == b->readonly &&
           a->nonvolatile == b->nonvolatile && a->write_to == b->write_to &&
           (!a->write_to || a->write_offset + 1 == b->write_offset);
}

static char *oracle_text(const World *world, const Node *root)
{
    GString *text = g_string_new(NULL);
    Answer answers[UNITS];

    for (unsigned i = 0; i < UNITS; i++) {
        if (!ask(root, i, (Answer){.node = NULL}, &answers[i])) {
            answers[i].node = NULL;
        }
    }
    for (unsigned i = 0, end; i < UNITS; i = end) {
        const Answer *first = &answers[i];

        for (end = i + 1; end < UNITS && continues(&answers[end - 1], &answers[end]); end++) {
        }
        if (first->node) {
            FlatRange range = {
                .start = bytes(world, i),
                .last = bytes(world, end) - 1,
                .mr = (MemoryRegion *)&first->node->mr,
                .offset_in_region = bytes(world, first->offset),
                .readonly = first->readonly || first->write_to,
                .nonvolatile = first->nonvolatile,
                .write_mr =
                    first->write_to ? (MemoryRegion *)&first->write_to->mr : NULL,
                .write_offset = bytes(world, first->write_offset),
            };
            append_range_text(text, &range);
        }
    }
    return g_string_free(text, false);
}

/* -- Making and changing a world -------------------------------------------------------------- */

static void make_node(World *world, unsigned number, GRand *rand)
{
    static uint8_t memory[1];
    Node *node = &world->nodes[number];
    unsigned kind = g_rand_int_range(rand, 0, 100);
    unsigned size = g_rand_int_range(rand, 1, g_rand_boolean(rand) ? 8 : UNITS + 1);
    Node *target = number ? &world->nodes[g_rand_int_range(rand, 0, number)] : NULL;
    unsigned offset = g_rand_boolean(rand) ? 0 : g_rand_int_range(rand, 0, UNITS / 2);
    Node *ram = &world->nodes[0];
    uint64_t length;

    if (number + SPACES + 2 >= world->count) { /* roots, and what they may pass on */
        kind = number + SPACES < world->count || g_rand_int(rand) % 4 == 0 ? 99 : 0;
        size = UNITS;
        offset = 0;
    }
    length = size_in_bytes(world, size);
    *node = (Node){.enabled = true, .size = size};
    node->subregions = g_ptr_array_new();
    g_snprintf(node->name, sizeof(node->name), "n%u", number);
    if (number == 0 && world->shift < 57) { /* what splits write to */
        node->kind = MEMORY_REGION_RAM;
        node->size = UNITS;
        memory_region_init_ram_ptr(&node->mr, NULL, "", bytes(world, UNITS), memory);
        g_free(node->mr.name); /* blocks of one name cannot be; regions can */
        node->mr.name = g_strdup("n0");
    } else if (kind < 35 || number == 0) {
        node->kind = MEMORY_REGION_CONTAINER;
        memory_region_init(&node->mr, NULL, node->name, length);
    } else if (kind < 70) {
        node->kind = MEMORY_REGION_IO;
        memory_region_init_io(&node->mr, NULL, NULL, NULL, node->name, length);
    } else if (kind < 75) {
        node->kind = MEMORY_REGION_RESERVATION;
        memory_region_init_reservation(&node->mr, NULL, node->name, length);
    } else if (kind < 82 && world->shift < 57) {
        node->kind = MEMORY_REGION_SPLIT;
        node->target = target;
        node->target_offset = offset;
        node->write_to = ram;
        node->write_offset = g_rand_int_range(rand, 0, UNITS - size + 1);
        memory_region_init_split(&node->mr, NULL, node->name, &target->mr,
                                 bytes(world, offset), &ram->mr,
                                 bytes(world, node->write_offset), length);
    } else {
        node->kind = MEMORY_REGION_ALIAS;
        node->target = target;
        node->target_offset = offset;
        memory_region_init_alias(&node->mr, NULL, node->name, &target->mr,
                                 bytes(world, offset), length);
    }
}

static void world_init(World *world, unsigned count, unsigned shift, GRand *rand)
{
    *world = (World){.count = count, .shift = shift};
    for (unsigned i = 0; i < count; i++) {
        make_node(world, i, rand);
    }
    for (unsigned i = 0; i < SPACES; i++) {
        address_space_init(&world->as[i], &world->nodes[count - SPACES + i].mr, "test");
        mirror_init(&world->mirror[i], &world->as[i]);
    }
}

static void take_out(Node *node)
{
    g_ptr_array_remove(node->container->subregions, node);
    memory_region_del_subregion(&node->container->mr, &node->mr);
    node->container = NULL;
}

static void put_in(World *world, Node *node, Node *container)
{
    GPtrArray *siblings = container->subregions;
    guint place = 0;

    node->added = world->additions++;
    node->container = container;
    while (place < siblings->len && is_above(g_ptr_array_index(siblings, place), node)) {
        place++;
    }
    g_ptr_array_insert(siblings, place, node);
}

static void world_clear(World *world)
{
    for (; world->depth > 0; world->depth--) {
        memory_region_transaction_commit();
    }
    for (unsigned i = 0; i < SPACES; i++) {
        mirror_destroy(&world->mirror[i]);
        address_space_destroy(&world->as[i]);
    }
    for (unsigned i = 0; i < world->count; i++) {
        if (world->nodes[i].container) {
            take_out(&world->nodes[i]);
        }
    }
    for (unsigned i = world->count; i > 0; i--) {
        memory_region_destroy(&world->nodes[i - 1].mr);
        g_ptr_array_unref(world->nodes[i - 1].subregions);
    }
}

/* Does a step to the tree and the model alike; nothing where it makes no sense. */
static void apply(World *world, const Step *step)
{
    Node *node = &world->nodes[step->node % world->count];
    unsigned number = node - world->nodes;
    Node *other;

    switch (step->op) {
    case OP_ADD:
        if (node->container || number + 1 >= world->count) {
            break;
        }
        other = &world->nodes[number + 1 + step->other % (world->count - number - 1)];
        if (other->target) {
            break;
        }
        node->addr = step->at % UNITS;
        node->priority = step->priority;
        put_in(world, node, other);
        memory_region_add_subregion_overlap(&other->mr, bytes(world, node->addr),
                                            &node->mr, node->priority);
        break;
    case OP_REMOVE:
        if (node->container) {
            take_out(node);
        }
        break;
    case OP_ENABLE:
        node->enabled = !node->enabled;
        memory_region_set_enabled(&node->mr, node->enabled);
        break;
    case OP_READONLY:
        node->readonly = !node->readonly;
        memory_region_set_readonly(&node->mr, node->readonly);
        break;
    case OP_NONVOLATILE:
        node->nonvolatile = !node->nonvolatile;
        memory_region_set_nonvolatile(&node->mr, node->nonvolatile);
        break;
    case OP_MOVE:
        if (node->container && node->addr != step->at % UNITS) {
            other = node->container;
            g_ptr_array_remove(other->subregions, node);
            node->addr = step->at % UNITS;
            put_in(world, node, other);
            memory_region_set_address(&node->mr, bytes(world, node->addr));
        }
        break;
    case OP_RESIZE:
        if (number != 0 && !node->write_to) {
            node->size = step->at % (UNITS + 1);
            memory_region_set_size(&node->mr, size_in_bytes(world, node->size));
        }
        break;
    case OP_LOOK_ELSEWHERE:
        if (node->target) {
            node->target_offset = step->at % UNITS;
            memory_region_set_alias_offset(&node->mr, bytes(world, node->target_offset));
        }
        break;
    case OP_BEGIN:
        memory_region_transaction_begin();
        world->depth++;
        break;
    case OP_COMMIT:
        if (world->depth > 0) {
            memory_region_transaction_commit();
            world->depth--;
        }
        break;
    default:
        break;
    }
}

/* NULL, or what is wrong. */
static char *world_check(World *world)
{
    for (unsigned i = 0; i < SPACES; i++) {
        Node *root = &world->nodes[world->count - SPACES + i];
        g_autofree char *expected = oracle_text(world, root);
        g_autofree char *seen = view_text(&world->as[i]);
        char *wrong;

        if (strcmp(expected, seen)) {
            return g_strdup_printf("space %u shows\n%swhere the oracle says\n%s", i, seen,
                                   expected);
        }
        wrong = mirror_check(&world->mirror[i]);
        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}

/* -- Cases -------------------------------------------------------------------------------------- */

typedef struct Case {
    uint32_t seed;
    unsigned nodes;
    unsigned shift;
    GArray *steps;
} Case;

static void case_init(Case *test, uint32_t seed)
{
    static const unsigned shifts[] = {0, 12, 57};
    GRand *rand = g_rand_new_with_seed(seed);
    bool big = g_rand_int_range(rand, 0, 400) == 0;
    unsigned edits;

    test->seed = seed;
    test->nodes = big ? MAX_NODES : g_rand_int_range(rand, 6, 40);
    test->shift = shifts[g_rand_int_range(rand, 0, 3)];
    test->steps = g_array_new(false, false, sizeof(Step));
    edits = test->nodes * 3 / 2 + g_rand_int_range(rand, 4, 40);
    for (unsigned i = 0; i < edits; i++) {
        bool filling = i < test->nodes * 3 / 2;
        Step step = {
            .op = filling ? OP_ADD : (Operation)g_rand_int_range(rand, 0, OPERATIONS),
            /* Often what decides which region a space renders: those near its root. */
            .node = g_rand_int_range(rand, 0, 4) ? g_rand_int(rand)
                                                 : test->nodes - 1 - g_rand_int_range(rand, 0, 6),
            .other = g_rand_int(rand) >> (g_rand_boolean(rand) ? 0 : 30),
            .at = g_rand_int_range(rand, 0, 4) ? g_rand_int_range(rand, 0, UNITS + 1) : 0,
            .priority = g_rand_int_range(rand, -2, 3),
        };

        if (i == 0 || i == test->nodes * 3 / 2) { /* the first tree is one transaction */
            Step bracket = {.op = i == 0 ? OP_BEGIN : OP_COMMIT};

            g_array_append_val(test->steps, bracket);
        }
        g_array_append_val(test->steps, step);
    }
    g_rand_free(rand);
}

/* Runs the steps that are not left out. NULL, or what is wrong. */
static char *case_run(const Case *test, const bool *left_out)
{
    static World world;
    GRand *rand = g_rand_new_with_seed(test->seed);
    char *wrong = NULL;

    world_init(&world, test->nodes, test->shift, rand);
    g_rand_free(rand);
    for (guint i = 0; i < test->steps->len && !wrong; i++) {
        if (left_out && left_out[i]) {
            continue;
        }
        apply(&world, &g_array_index(test->steps, Step, i));
        if (world.depth == 0) {
            wrong = world_check(&world);
        }
    }
    if (!wrong) {
        while (world.depth > 0) {
            apply(&world, &(Step){.op = OP_COMMIT});
        }
        wrong = world_check(&world);
    }
    world_clear(&world);
    return wrong;
}

/* Leaves out ever smaller runs of steps as long as the rest still fails. */
static char *case_shrink(const Case *test, bool *left_out, char *wrong)
{
    for (guint run = test->steps->len / 2; run > 0; run /= 2) {
        for (guint from = 0; from < test->steps->len; from += run) {
            g_autofree bool *tried = g_memdup2(left_out, test->steps->len);
            guint to = MIN(from + run, test->steps->len);
            char *still;

            memset(tried + from, true, to - from);
            still = case_run(test, tried);
            if (still) {
                memcpy(left_out, tried, test->steps->len);
                g_free(wrong);
                wrong = still;
            }
        }
    }
    return wrong;
}

static char *case_report(const Case *test, char *wrong)
{
    static const char *const names[] = {"add",  "remove", "enable", "readonly",
                                        "nonvolatile", "move", "resize", "look elsewhere",
                                        "begin", "commit"};
    g_autofree bool *left_out = g_new0(bool, test->steps->len);
    GString *report = g_string_new(NULL);

    wrong = case_shrink(test, left_out, wrong);
    g_string_printf(report,
                    "UMBRA_ORACLE_SEED=%" G_GUINT32_FORMAT ", %u nodes, unit 2^%u\n%s",
                    test->seed, test->nodes, test->shift, wrong);
    for (guint i = 0; i < test->steps->len; i++) {
        const Step *step = &g_array_index(test->steps, Step, i);

        if (!left_out[i]) {
            g_string_append_printf(report, "%s n%u other %u at %x priority %d\n",
                                   names[step->op], step->node % test->nodes, step->other,
                                   step->at, step->priority);
        }
    }
    g_free(wrong);
    return g_string_free(report, false);
}

static unsigned number_from(const char *variable, unsigned otherwise)
{
    const char *text = g_getenv(variable);

    return text ? strtoul(text, NULL, 0) : otherwise;
}

START_TEST(test_random_trees)
{
    unsigned first = number_from("UMBRA_ORACLE_SEED", 1);
    unsigned cases = number_from("UMBRA_ORACLE_CASES",
                                 g_getenv("UMBRA_ORACLE_SEED") ? 1 : 10000);

    printf("memory-oracle: %u trees, seeds from %u\n", cases, first);
    fflush(stdout);
    io_lock();
    for (unsigned i = 0; i < cases; i++) {
        Case test;
        char *wrong;

        case_init(&test, first + i);
        wrong = case_run(&test, NULL);
        if (wrong) {
            wrong = case_report(&test, wrong);
        }
        ck_assert_msg(!wrong, "%s", wrong);
        g_array_free(test.steps, true);
    }
    io_unlock();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory-oracle");
    TCase *tc = tcase_create("random");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, test_random_trees);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
