/*
 * `umbra reboot`: boots the firmware from a disk whose boot sector asks for a reboot, by
 * each method on each machine and accelerator, and says how each went.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/reboot.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "machine/cli/umbra.h"
#include "machine/machine.h"

#define MAX_TIMES 1000

typedef struct RebootOptions {
    char **machines, **accels, **methods;
    char *firmware, *svg;
    int times;
    gboolean json, trace;
} RebootOptions;

/* -- Planning ------------------------------------------------------------------------------ */

bool reboot_method_from_name(const char *name, RebootMethod *method, GError **error)
{
    const char *names[REBOOT_METHODS + 2] = {NULL};
    const char *nearest;

    for (int i = 0; i < REBOOT_METHODS; i++) {
        names[i] = reboot_method_name((RebootMethod)i);
        if (strcmp(name, names[i]) == 0) {
            *method = (RebootMethod)i;
            return true;
        }
    }
    names[REBOOT_METHODS] = "all";
    nearest = nearest_name(name, names);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "--method %s: no such method%s%s%s; there are bios, kbd, pci, port92, "
                "triple, ctrl-alt-del, s3 and all",
                name, nearest ? ", did you mean '" : "", nearest ? nearest : "",
                nearest ? "'?" : "");
    return false;
}

static void add_type(const MachineType *type, void *opaque)
{
    g_ptr_array_add(opaque, g_strdup(type->name));
    for (const char *const *variant = reboot_variants(); *variant; variant++) {
        if (g_str_has_prefix(*variant, type->name) &&
            (*variant)[strlen(type->name)] == ',') {
            g_ptr_array_add(opaque, g_strdup(*variant));
        }
    }
}

char *reboot_machine_name(const char *text, GError **error)
{
    g_autofree char *name = g_strndup(text, strcspn(text, ","));
    const MachineType *type = machine_type_find(name, error);

    return type ? g_strconcat(type->name, text + strlen(name), NULL) : NULL;
}

static bool plan_machines(const RebootOptions *options, GPtrArray *machines, GError **error)
{
    static char *fallback[] = {(char *)"pc-i440fx-7.2", NULL};

    for (char **name = options->machines ? options->machines : fallback; *name; name++) {
        char *machine;

        if (strcmp(*name, "all") == 0) {
            machine_types_foreach(add_type, machines);
            continue;
        }
        machine = reboot_machine_name(*name, error);
        if (!machine) {
            g_prefix_error(error, "--machine %s: ", *name);
            return false;
        }
        g_ptr_array_add(machines, machine);
    }
    return true;
}

/* Without --accel: all that can boot firmware here; KVM's absence is said in words. */
static bool plan_accels(const RebootOptions *options, GPtrArray *accels,
                        char **passed_over, GError **error)
{
    g_autoptr(GError) unusable = NULL;

    for (char **name = options->accels; name && *name; name++) {
        GError *why = NULL;

        if (!accel_usable(*name, &why)) {
            g_propagate_prefixed_error(error, why, "--accel %s: ", *name);
            return false;
        }
        g_ptr_array_add(accels, g_strdup(*name));
    }
    if (accels->len) {
        return true;
    }
    g_ptr_array_add(accels, g_strdup("x86emu"));
    if (accel_usable("kvm", &unusable)) {
        g_ptr_array_add(accels, g_strdup("kvm"));
    } else {
        *passed_over = g_strdup(unusable->message);
    }
    return true;
}

static bool plan_methods(const RebootOptions *options, GArray *methods, GError **error)
{
    static char *fallback[] = {(char *)"all", NULL};

    for (char **name = options->methods ? options->methods : fallback; *name; name++) {
        RebootMethod method;

        if (strcmp(*name, "all") == 0) {
            for (method = 0; method < REBOOT_METHODS; method++) {
                if (method != REBOOT_BY_PORT92 && method != REBOOT_BY_S3) {
                    g_array_append_val(methods, method);
                }
            }
        } else if (reboot_method_from_name(*name, &method, error)) {
            g_array_append_val(methods, method);
        } else {
            return false;
        }
    }
    return true;
}

static GPtrArray *plan(const RebootOptions *options, GError **error)
{
    g_autoptr(GPtrArray) machines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) accels = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) methods = g_array_new(false, false, sizeof(RebootMethod));
    g_autofree char *passed_over = NULL;
    GPtrArray *rows;

    if (options->times < 1 || options->times > MAX_TIMES) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "--times %d: from 1 to %d", options->times, MAX_TIMES);
        return NULL;
    }
    if (!plan_machines(options, machines, error) ||
        !plan_accels(options, accels, &passed_over, error) ||
        !plan_methods(options, methods, error)) {
        return NULL;
    }
    if (passed_over) {
        fprintf(stderr, "umbra reboot: x86emu only: %s\n", passed_over);
    }
    rows = g_ptr_array_new_with_free_func((GDestroyNotify)reboot_row_free);
    for (guint m = 0; m < machines->len; m++) {
        for (guint a = 0; a < accels->len; a++) {
            for (guint i = 0; i < methods->len; i++) {
                g_ptr_array_add(rows, reboot_row_new(machines->pdata[m], accels->pdata[a],
                                                     options->firmware,
                                                     g_array_index(methods, RebootMethod, i),
                                                     (unsigned)options->times));
            }
        }
    }
    return rows;
}

/* -- Running -------------------------------------------------------------------------------- */

void reboot_row_run(RebootRow *row, const char *const *words, char **messages)
{
    g_autofree char *method = g_strdup_printf("%d", row->method);
    g_autofree char *times = g_strdup_printf("%u", row->times);
    const char *arguments[10] = {"/proc/self/exe", "reboot-row", row->machine, row->accel,
                                 row->firmware ? row->firmware : "", method, times};
    g_autoptr(GSubprocess) child = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL;
    g_autofree char *text = NULL;

    for (size_t i = 7; words && *words && i + 1 < G_N_ELEMENTS(arguments); i++) {
        arguments[i] = *words++;
    }
    child = g_subprocess_newv(arguments, G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                             G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
    if (!child || !g_subprocess_communicate_utf8(child, NULL, NULL, &out, &text, &error)) {
        row->outcome = "unsupported";
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

static void show_progress(const RebootRow *row, guint done, guint total)
{
    if (isatty(fileno(stderr))) {
        fprintf(stderr, "\r\033[K[%u/%u] %s on %s: %s ...", done + 1, total, row->machine,
                row->accel, reboot_method_name(row->method));
        fflush(stderr);
    }
}

static void end_progress(void)
{
    if (isatty(fileno(stderr))) {
        fprintf(stderr, "\r\033[K");
    }
}

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

int umbra_reboot(int argc, char **argv)
{
    static RebootOptions options = {.times = 1};
    const GOptionEntry table[] = {
        {"machine", 'M', 0, G_OPTION_ARG_STRING_ARRAY, &options.machines,
         "a machine type, with its properties as for -M, or all; may be repeated (default: "
         "pc-i440fx-7.2)",
         "TYPE"},
        {"accel", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.accels,
         "kvm or x86emu; may be repeated (default: all that work here)", "ACCEL"},
        {"firmware", 0, 0, G_OPTION_ARG_STRING, &options.firmware,
         "the firmware image (default: the machine type's SeaBIOS)", "FILE"},
        {"method", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.methods,
         "bios, kbd, pci, triple, ctrl-alt-del (these are all, the default), port92, s3", "METHOD"},
        {"times", 0, 0, G_OPTION_ARG_INT, &options.times, "reboots in a row (default: 1)",
         "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "the rows as a JSON array", NULL},
        {"trace", 0, 0, G_OPTION_ARG_NONE, &options.trace,
         "the PAM timeline of each row: when, which register, what each window shows", NULL},
        {"svg", 0, 0, G_OPTION_ARG_STRING, &options.svg,
         "draw 0xc0000-0xfffff over time of the first row", "FILE"},
        {NULL},
    };
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GError) error = NULL;
    bool as_expected = true;

    if (!umbra_parse("reboot", "- boot firmware, reboot it, and show how it went",
                     "Methods: bios jumps to f000:fff0 with the warm flag set, as Linux' "
                     "reboot=bios does;\nkbd writes 0xFE to the keyboard controller; pci "
                     "writes port 0xCF9; triple faults\nwithout an IDT; ctrl-alt-del presses "
                     "the keys;\ns3 is no reboot: the guest sleeps, is woken, and checks "
                     "its memory.\n\nExit status 0: every outcome is the one expected of that "
                     "machine.",
                     table, &argc, &argv)) {
        return 1;
    }
    rows = plan(&options, &error);
    if (!rows) {
        return umbra_fail("reboot", error);
    }
    for (guint i = 0; i < rows->len; i++) {
        RebootRow *row = rows->pdata[i];

        show_progress(row, i, rows->len);
        reboot_row_run(row, NULL, NULL);
        as_expected = as_expected && strcmp(row->outcome, row->expected) == 0;
    }
    end_progress();
    if (options.json) {
        print_json(rows, options.trace);
    } else {
        for (guint i = 0; options.trace && i < rows->len; i++) {
            reboot_print_trace(stdout, rows->pdata[i], umbra_use_colour(stdout));
        }
        reboot_print_table(stdout, rows, umbra_use_colour(stdout));
    }
    if (options.svg && !reboot_write_svg(rows->pdata[0], options.svg, &error)) {
        return umbra_fail("reboot", error);
    }
    return as_expected ? 0 : 1;
}
