/*
 * `umbra reboot`: boots the firmware from a disk whose boot sector asks for a reboot (or a
 * kernel that does, where there is no firmware), by each method on each machine and
 * accelerator, and says how each went.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/reboot.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "machine/cli/reboot-plan.h"
#include "machine/cli/umbra.h"

/* -- Running ------------------------------------------------------------------------ */

void reboot_row_run(RebootRow *row, const char *const *words, char **messages)
{
    g_autofree char *method = g_strdup_printf("%d", row->method);
    g_autofree char *times = g_strdup_printf("%u", row->times);
    const char *arguments[10] = {"/proc/self/exe",
                                 "reboot-row",
                                 row->machine,
                                 row->accel,
                                 row->firmware ? row->firmware : "",
                                 method,
                                 times};
    g_autoptr(GSubprocess) child = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL;
    g_autofree char *text = NULL;

    for (size_t i = 7; words && *words && i + 1 < G_N_ELEMENTS(arguments); i++) {
        arguments[i] = *words++;
    }
    child = g_subprocess_newv(
        arguments, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
        &error);
    if (!child ||
        !g_subprocess_communicate_utf8(child, NULL, NULL, &out, &text, &error)) {
        row->outcome = "fault";
        row->reason = g_strdup(error->message);
    } else if (!reboot_row_from_json(row, out)) {
        row->outcome = "fault";
        row->reason = g_strdup(text && *text ? g_strstrip(text)
                                             : "its process ended without a result");
    }
    if (messages) {
        *messages = g_steal_pointer(&text);
    }
}

/* Rows run side by side, each in a thread that waits for its process; what is shown is
 * shown in the plan's order. */
typedef struct RebootRun {
    GPtrArray *rows;
    GAsyncQueue *done;   /* RebootRow * */
    GHashTable *waiting; /* those done whose turn to be shown has not come */
    guint shown, finished;
} RebootRun;

static void run_row(gpointer row, gpointer opaque)
{
    RebootRun *run = opaque;

    reboot_row_run(row, NULL, NULL);
    g_async_queue_push(run->done, row);
}

static void show_progress(const RebootRun *run)
{
    if (isatty(fileno(stderr)) && run->shown < run->rows->len) {
        const RebootRow *row = run->rows->pdata[run->shown];

        fprintf(stderr, "\r\033[K[%u/%u] %s on %s: %s ...", run->finished + 1,
                run->rows->len, row->machine, row->accel,
                reboot_method_name(row->method));
        fflush(stderr);
    }
}

static void end_progress(void)
{
    if (isatty(fileno(stderr))) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
}

/* Shows each row in `table`, where there is one, as soon as those before it are shown. */
static void run_rows(const RebootPlan *plan, RebootTable *table)
{
    RebootRun run = {.rows = plan->rows,
                     .done = g_async_queue_new(),
                     .waiting = g_hash_table_new(NULL, NULL)};
    GThreadPool *pool = g_thread_pool_new(run_row, &run, (int)plan->jobs, FALSE, NULL);

    for (guint i = 0; i < plan->rows->len; i++) {
        g_thread_pool_push(pool, plan->rows->pdata[i], NULL);
    }
    while (run.finished < plan->rows->len) {
        show_progress(&run);
        g_hash_table_add(run.waiting, g_async_queue_pop(run.done));
        run.finished++;
        end_progress();
        while (run.shown < plan->rows->len &&
               g_hash_table_contains(run.waiting, plan->rows->pdata[run.shown])) {
            if (table) {
                reboot_table_add(table, plan->rows->pdata[run.shown]);
            }
            run.shown++;
        }
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    g_async_queue_unref(run.done);
    g_hash_table_unref(run.waiting);
}

/* -- Showing ------------------------------------------------------------------------ */

static void print_json(GPtrArray *rows, bool with_events)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);
    JsonArray *array = json_array_new();
    g_autofree char *text = NULL;

    for (guint i = 0; i < rows->len; i++) {
        json_array_add_element(array, reboot_row_to_json(rows->pdata[i], with_events));
    }
    json_node_take_array(root, array);
    text = json_to_string(root, true);
    puts(text);
}

/* With --trace the timelines come before the table, else each row as it is done. */
static void run_and_show(const RebootPlan *plan, const RebootOptions *options)
{
    bool colour = umbra_use_colour(stdout);
    bool table_at_once = !options->json && !options->trace;
    g_autofree RebootTable *table =
        options->json ? NULL : reboot_table_new(stdout, plan->rows, colour);

    if (table_at_once) {
        reboot_table_begin(table);
    }
    run_rows(plan, table_at_once ? table : NULL);
    if (options->json) {
        print_json(plan->rows, options->trace);
    } else if (options->trace) {
        for (guint i = 0; i < plan->rows->len; i++) {
            reboot_print_trace(stdout, plan->rows->pdata[i], colour);
        }
        reboot_table_begin(table);
        for (guint i = 0; i < plan->rows->len; i++) {
            reboot_table_add(table, plan->rows->pdata[i]);
        }
    }
}

/* How many were as expected; on stderr where stdout is for programs. */
static guint summarize(const RebootPlan *plan, FILE *out, double seconds)
{
    guint as_expected = 0;

    for (guint i = 0; i < plan->rows->len; i++) {
        as_expected += reboot_row_as_expected(plan->rows->pdata[i]);
    }
    for (guint i = 0; i < plan->notes->len; i++) {
        fprintf(out, "%s\n", (const char *)plan->notes->pdata[i]);
    }
    fprintf(out, "%u row%s, %u as expected, in %.1f s\n", plan->rows->len,
            umbra_plural(plan->rows->len), as_expected, seconds);
    return as_expected;
}

int umbra_reboot(int argc, char **argv)
{
    static RebootOptions options = {.times = 1};
    const GOptionEntry table[] = {
        {"machine", 'M', 0, G_OPTION_ARG_STRING_ARRAY, &options.machines,
         "a machine type, with its properties as for -M, or all; may be repeated "
         "(default: pc-i440fx-7.2)",
         "TYPE"},
        {"accel", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.accels,
         "kvm or x86emu; may be repeated (default: all that work here)", "ACCEL"},
        {"firmware", 0, 0, G_OPTION_ARG_STRING, &options.firmware,
         "the firmware image (default: the machine type's SeaBIOS)", "FILE"},
        {"method", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.methods,
         "bios, kbd, pci, triple, ctrl-alt-del (these are all, the default), port92, s3 "
         "(in the default of --machine all)",
         "METHOD"},
        {"times", 0, 0, G_OPTION_ARG_INT, &options.times, "reboots in a row (default: 1)",
         "N"},
        {"jobs", 'j', 0, G_OPTION_ARG_INT, &options.jobs,
         "rows at a time (default: 1; for --machine all 2)", "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "the rows as a JSON array",
         NULL},
        {"trace", 0, 0, G_OPTION_ARG_NONE, &options.trace,
         "the PAM timeline of each row: when, which register, what each window shows",
         NULL},
        {"svg", 0, 0, G_OPTION_ARG_STRING, &options.svg,
         "draw 0xc0000-0xfffff over time of the first row", "FILE"},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    gint64 started = g_get_monotonic_time();
    RebootPlan plan = {NULL};
    int status = 1;

    if (!umbra_parse(
            "reboot", "- boot firmware, reboot it, and show how it went",
            "Methods: bios jumps to f000:fff0 with the warm flag set, as Linux' "
            "reboot=bios does;\nkbd writes 0xFE to the keyboard controller; pci "
            "writes port 0xCF9; triple faults\nwithout an IDT; ctrl-alt-del presses "
            "the keys;\ns3 is no reboot: the guest sleeps, is woken, and checks "
            "its memory.\nMachines without firmware run a kernel that does the same."
            "\n\nOutcomes: rebooted, resumed; shutdown (the machine went off); hung "
            "(nothing came of\nit); fault; unsupported (the machine lacks what the "
            "method needs).\n\nExit status 0: every outcome is the one expected of "
            "that machine on the real system.",
            table, &argc, &argv)) {
        return 1;
    }
    if (!reboot_plan(&plan, &options, &error)) {
        status = umbra_fail("reboot", error);
    } else {
        run_and_show(&plan, &options);
        status =
            summarize(&plan, options.json ? stderr : stdout,
                      (double)(g_get_monotonic_time() - started) / 1e6) != plan.rows->len;
        if (options.svg && !reboot_write_svg(plan.rows->pdata[0], options.svg, &error)) {
            status = umbra_fail("reboot", error);
        }
    }
    reboot_plan_clear(&plan);
    return status;
}
