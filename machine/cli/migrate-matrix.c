/*
 * `umbra migrate-matrix`: boots firmware on each machine, moves the guest to each other one,
 * reboots it there by each method, and says how each pair went and what was shadowed.
 *
 * A source leaves once, for a file, while its boot sector holds; every target starts from
 * that file in a process of its own (reboot-row.c).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "machine/accel/accel.h"
#include "machine/cli/reboot.h"
#include "machine/cli/umbra.h"

typedef struct MatrixOptions {
    char **machines, **accels, **methods;
    char *firmware;
    gboolean json;
} MatrixOptions;

/* RHEL 6's emulator and RHEL 7's, the latter also without its help, and a newer PC. */
static const char *const default_machines[] = {
    "rhel6.5.0,emulator=rhel6", "rhel6.5.0", "rhel6.5.0,shadow-bios-after-incoming=off",
    "pc-i440fx-7.2", NULL};
static const char *const default_methods[] = {"bios", "kbd", "pci", "triple",
                                              "ctrl-alt-del", "s3", NULL};

typedef struct MatrixRow {
    const char *source;
    RebootRow *target;
    char *shadowed; /* "pc.bios, pc.rom", or NULL */
} MatrixRow;

/* -- What is known ------------------------------------------------------------------------ */

static bool of_one_type(const char *a, const char *b)
{
    size_t length = strcspn(a, ",");

    return length == strcspn(b, ",") && strncmp(a, b, length) == 0;
}

/* A guest whose firmware lived in RHEL 6's ROM blocks finds nothing in RAM, unless the
 * target shadows it on its arrival. */
static bool loses_its_shadow(const char *source, const char *target)
{
    return strstr(source, "emulator=rhel6") && !strstr(target, "emulator=rhel6") &&
           strstr(target, "shadow-bios-after-incoming=off");
}

/* The other way round the live firmware, its variables and its handlers stay behind in RAM
 * that RHEL 6's ROM hides: what needs them fails, a reset starts the ROM anew. */
static bool leaves_its_shadow(const char *source, const RebootRow *target)
{
    return !strstr(source, "emulator=rhel6") && strstr(target->machine, "emulator=rhel6") &&
           (target->method == REBOOT_BY_CTRL_ALT_DEL || target->method == REBOOT_BY_S3);
}

static const char *expected_outcome(const MatrixRow *row)
{
    const RebootRow *target = row->target;

    return !of_one_type(row->source, target->machine)            ? "refused"
           : loses_its_shadow(row->source, target->machine) ? "hung"
           : leaves_its_shadow(row->source, target)         ? "hung"
                                                            : target->expected;
}

static bool as_expected(const MatrixRow *row)
{
    return strcmp(row->target->outcome, expected_outcome(row)) == 0;
}

/* -- Running ------------------------------------------------------------------------------ */

static char *find_shadowed(const char *messages)
{
    g_auto(GStrv) lines = g_strsplit(messages ? messages : "", "\n", -1);
    g_autoptr(GString) found = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        const char *from = strstr(*line, "shadowed from ");

        if (from) {
            g_string_append_printf(found, "%s%s", found->len ? ", " : "",
                                   from + strlen("shadowed from "));
        }
    }
    return found->len ? g_string_free(g_steal_pointer(&found), FALSE) : NULL;
}

static void show_progress(const MatrixRow *row, guint done, guint total)
{
    if (isatty(fileno(stderr))) {
        fprintf(stderr, "\r\033[K[%u/%u] %s -> %s on %s: %s ...", done + 1, total,
                row->source, row->target->machine, row->target->accel,
                reboot_method_name(row->target->method));
        fflush(stderr);
    }
}

/* One source's guest in a file; false, with the row's reason, where it did not come to be. */
static bool leave(const char *source, const char *accel, const MatrixOptions *options,
                  const char *file, GError **error)
{
    const char *words[] = {"save", file, NULL};
    RebootRow *row = reboot_row_new(source, accel, options->firmware, REBOOT_BY_BIOS, 1);
    bool left;

    reboot_row_run(row, words, NULL);
    left = strcmp(row->outcome, "saved") == 0;
    if (!left) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s on %s could not leave: %s: %s",
                    source, accel, row->outcome, row->reason ? row->reason : "no reason");
    }
    reboot_row_free(row);
    return left;
}

static bool run_all(GPtrArray *rows, const MatrixOptions *options, GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("umbra-matrix-XXXXXX", error);
    g_autofree char *file = folder ? g_build_filename(folder, "machine", NULL) : NULL;
    const MatrixRow *before = NULL;
    bool good = file != NULL;

    for (guint i = 0; good && i < rows->len; i++) {
        MatrixRow *row = rows->pdata[i];
        const char *words[] = {"load", file, NULL};
        g_autofree char *messages = NULL;

        show_progress(row, i, rows->len);
        if (!before || strcmp(before->source, row->source) != 0 ||
            strcmp(before->target->accel, row->target->accel) != 0) {
            good = leave(row->source, row->target->accel, options, file, error);
        }
        if (good) {
            reboot_row_run(row->target, words, &messages);
            row->shadowed = find_shadowed(messages);
        }
        before = row;
    }
    if (isatty(fileno(stderr))) {
        fprintf(stderr, "\r\033[K");
    }
    if (file) {
        g_unlink(file);
        g_rmdir(folder);
    }
    return good;
}

/* -- Showing ------------------------------------------------------------------------------ */

static void print_table(GPtrArray *rows)
{
    int source_width = 6, target_width = 6;

    for (guint i = 0; i < rows->len; i++) {
        MatrixRow *row = rows->pdata[i];

        source_width = MAX(source_width, (int)strlen(row->source));
        target_width = MAX(target_width, (int)strlen(row->target->machine));
    }
    printf("%-*s  %-*s  %-6s  %-12s  %-24s  %s\n", source_width, "source", target_width,
           "target", "accel", "method", "outcome", "shadowed from");
    for (guint i = 0; i < rows->len; i++) {
        MatrixRow *row = rows->pdata[i];
        RebootRow *target = row->target;
        g_autofree char *outcome =
            as_expected(row)
                ? g_strdup(target->outcome)
                : g_strdup_printf("%s (expected: %s)", target->outcome, expected_outcome(row));

        printf("%-*s  %-*s  %-6s  %-12s  %-24s  %s\n", source_width, row->source,
               target_width, target->machine, target->accel,
               reboot_method_name(target->method), outcome,
               row->shadowed ? row->shadowed : "-");
        if (target->reason) {
            printf("    %s\n", target->reason);
        }
    }
}

static void print_json(GPtrArray *rows)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);
    JsonArray *array = json_array_new();
    g_autofree char *text = NULL;

    for (guint i = 0; i < rows->len; i++) {
        MatrixRow *row = rows->pdata[i];
        JsonNode *node = reboot_row_to_json(row->target, false);
        JsonObject *object = json_node_get_object(node);

        json_object_set_string_member(object, "source", row->source);
        json_object_set_string_member(object, "expected", expected_outcome(row));
        json_object_set_boolean_member(object, "as_expected", as_expected(row));
        if (row->shadowed) {
            json_object_set_string_member(object, "shadowed", row->shadowed);
        } else {
            json_object_set_null_member(object, "shadowed");
        }
        json_array_add_element(array, node);
    }
    json_node_take_array(root, array);
    text = json_to_string(root, true);
    puts(text);
}

/* -- Planning ----------------------------------------------------------------------------- */

static void free_row(gpointer data)
{
    MatrixRow *row = data;

    reboot_row_free(row->target);
    g_free(row->shadowed);
    g_free(row);
}

static bool plan_names(const MatrixOptions *options, GPtrArray *machines, GPtrArray *accels,
                       GError **error)
{
    const char *const *names = options->machines
                                   ? (const char *const *)options->machines
                                   : default_machines;
    static const char *const software[] = {"x86emu", NULL};

    for (; *names; names++) {
        char *name = reboot_machine_name(*names, error);

        if (!name) {
            g_prefix_error(error, "--machine %s: ", *names);
            return false;
        }
        g_ptr_array_add(machines, name);
    }
    names = options->accels ? (const char *const *)options->accels : software;
    for (; *names; names++) {
        if (!accel_usable(*names, error)) {
            g_prefix_error(error, "--accel %s: ", *names);
            return false;
        }
        g_ptr_array_add(accels, g_strdup(*names));
    }
    return true;
}

/* A guest that is refused is so whatever it would have done next: one row says it. */
static bool plan_pair(GPtrArray *rows, const MatrixOptions *options, const char *source,
                      const char *target, const char *accel, GError **error)
{
    const char *const *methods =
        options->methods ? (const char *const *)options->methods : default_methods;

    for (; *methods; methods++) {
        RebootMethod method;
        MatrixRow *row;

        if (!reboot_method_from_name(*methods, &method, error)) {
            return false;
        }
        row = g_new0(MatrixRow, 1);
        row->source = source;
        row->target = reboot_row_new(target, accel, options->firmware, method, 1);
        g_ptr_array_add(rows, row);
        if (!of_one_type(source, target)) {
            break;
        }
    }
    return true;
}

int umbra_migrate_matrix(int argc, char **argv)
{
    MatrixOptions options = {.firmware = NULL};
    const GOptionEntry table[] = {
        {"machine", 'M', 0, G_OPTION_ARG_STRING_ARRAY, &options.machines,
         "a machine type with its properties, source and target; may be repeated (default: "
         "the RHEL 6 pair and pc-i440fx-7.2)",
         "TYPE"},
        {"accel", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.accels,
         "kvm or x86emu (the default); may be repeated", "ACCEL"},
        {"firmware", 0, 0, G_OPTION_ARG_STRING, &options.firmware,
         "the firmware image (default: each type's own)", "FILE"},
        {"method", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.methods,
         "bios, kbd, pci, triple, ctrl-alt-del, s3 (these are the default), port92", "METHOD"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "the rows as a JSON array", NULL},
        {NULL},
    };
    g_autoptr(GPtrArray) machines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) accels = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(free_row);
    g_autoptr(GError) error = NULL;
    bool good = true;

    if (!umbra_parse("migrate-matrix",
                     "- move a booted guest between machines, and reboot it there",
                     "Each pair of machines and each method is a row; \"shadowed from\" says "
                     "which ROM blocks\nthe target copied into RAM that arrived empty.\n\n"
                     "Exit status 0: every outcome is the one expected of that pair.",
                     table, &argc, &argv)) {
        return 1;
    }
    if (!plan_names(&options, machines, accels, &error)) {
        return umbra_fail("migrate-matrix", error);
    }
    for (guint a = 0; a < accels->len; a++) {
        for (guint s = 0; s < machines->len; s++) {
            for (guint t = 0; t < machines->len; t++) {
                if (!plan_pair(rows, &options, machines->pdata[s], machines->pdata[t],
                               accels->pdata[a], &error)) {
                    return umbra_fail("migrate-matrix", error);
                }
            }
        }
    }
    if (!run_all(rows, &options, &error)) {
        return umbra_fail("migrate-matrix", error);
    }
    if (options.json) {
        print_json(rows);
    } else {
        print_table(rows);
    }
    for (guint i = 0; i < rows->len; i++) {
        good = good && as_expected(rows->pdata[i]);
    }
    return good ? 0 : 1;
}
