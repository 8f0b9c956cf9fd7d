/*
 * HMP: finding commands, help, completion.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/hmp.h"

#include <stdarg.h>
#include <string.h>

#include "machine/machine.h"

static const HmpCommand *const tables[] = {
    hmp_trace_commands,       hmp_object_commands,     hmp_block_commands, hmp_device_commands,
    hmp_explain_commands,     hmp_help_commands,       hmp_info_commands,
    hmp_info_memory_commands, hmp_memory_commands,     hmp_qom_commands,
    hmp_run_commands,         hmp_screendump_commands, hmp_migration_commands,
    hmp_info_interrupt_commands,
};

#define INFO "info "

void hmp_printf(Hmp *hmp, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_string_append_vprintf(hmp->out, format, args);
    va_end(args);
}

void hmp_report(Hmp *hmp, GError *error)
{
    hmp_printf(hmp, "Error: %s\n", error->message);
    g_error_free(error);
}

void hmp_init(Hmp *hmp, GString *out)
{
    *hmp = (Hmp){.out = out, .format = 'x', .format_size = 4};
}

/* Whether `word` of `length` is one of the names "a|b". */
static bool is_named(const char *names, const char *word, size_t length)
{
    while (*names) {
        size_t name_length = strcspn(names, "|");

        if (name_length == length && strncmp(names, word, length) == 0) {
            return true;
        }
        names += name_length + (names[name_length] == '|');
    }
    return false;
}

static const HmpCommand *find_command(const char *word, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (const HmpCommand *command = tables[i]; command->names; command++) {
            if (is_named(command->names, word, length)) {
                return command;
            }
        }
    }
    return NULL;
}

/* The command that begins the line, "x/8xw 0" included, and where its arguments begin. */
static const HmpCommand *parse_command(const char *line, const char **args)
{
    size_t length = strcspn(line, " \t/");
    const HmpCommand *command;

    if (length == 4 && strncmp(line, "info", 4) == 0) {
        const char *word = line + length + strspn(line + length, " \t");
        size_t word_length = strcspn(word, " \t/");
        g_autofree char *name = g_strdup_printf(INFO "%.*s", (int)word_length, word);

        command = word_length ? find_command(name, strlen(name)) : NULL;
        if (command || word_length) {
            *args = word + word_length;
            return command;
        }
    }
    *args = line + length;
    return find_command(line, length);
}

/* -- Help ------------------------------------------------------------------------ */

static int by_name(gconstpointer a, gconstpointer b)
{
    const HmpCommand *const *left = a, *const *right = b;

    return strcmp((*left)->names, (*right)->names);
}

static GPtrArray *commands_sorted(bool info)
{
    GPtrArray *list = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (const HmpCommand *command = tables[i]; command->names; command++) {
            if (g_str_has_prefix(command->names, INFO) == info) {
                g_ptr_array_add(list, (gpointer)command);
            }
        }
    }
    g_ptr_array_sort(list, by_name);
    return list;
}

static void print_help(Hmp *hmp, const HmpCommand *command)
{
    hmp_printf(hmp, "%s %s -- %s\n", command->names, command->params, command->help);
}

static void print_list(Hmp *hmp, bool info)
{
    g_autoptr(GPtrArray) list = commands_sorted(info);

    for (guint i = 0; i < list->len; i++) {
        print_help(hmp, list->pdata[i]);
    }
}

static void run_help(Hmp *hmp, const HmpArgs *args)
{
    const char *rest, *name = hmp_arg_text(args, "name");
    const HmpCommand *command;

    if (!name) {
        print_list(hmp, false);
        return;
    }
    command = parse_command(name, &rest);
    if (g_strcmp0(name, "info") == 0) {
        print_list(hmp, true);
    } else if (command) {
        print_help(hmp, command);
    } else {
        hmp_printf(hmp, "unknown command: '%s'\n", name);
    }
}

static void run_info(Hmp *hmp, const HmpArgs *args)
{
    print_list(hmp, true);
}

static void run_history(Hmp *hmp, const HmpArgs *args)
{
    for (guint i = 0; hmp->history && i < hmp->history->len; i++) {
        hmp_printf(hmp, "%u: '%s'\n", i, (char *)hmp->history->pdata[i]);
    }
}

const HmpCommand hmp_help_commands[] = {
    {"help|?", "name:S?", "[cmd]", "show the help", run_help},
    {"info", "item:s?", "[subcommand]", "show various information about the system state",
     run_info},
    {"info history", "", "", "show the command line history", run_history},
    {NULL},
};

/* -- Running --------------------------------------------------------------------- */

void hmp_run(Hmp *hmp, const char *line)
{
    const char *rest;
    const HmpCommand *command;
    HmpArgs args;
    g_autofree char *typed = NULL;

    line += strspn(line, " \t");
    if (!*line || *line == '#') {
        return;
    }
    command = parse_command(line, &rest);
    typed = g_strndup(line, (gsize)(rest - line));
    if (!command) {
        hmp_printf(hmp, "unknown command: '%s'\n", typed);
        return;
    }
    /* Of "info mtree" QEMU names the last word in what it says about arguments. */
    if (hmp_parse_args(hmp,
                       g_str_has_prefix(command->names, INFO)
                           ? command->names + strlen(INFO)
                           : command->names,
                       command->args, rest, &args)) {
        command->run(hmp, &args);
    } else {
        hmp_printf(hmp, "Try \"help %s\" for more information\n", typed);
    }
    hmp_free_args(&args);
}

/* The text with its lines ended by "\r\n". */
static char *with_returns(const char *text)
{
    g_autoptr(GString) out = g_string_sized_new(strlen(text) * 17 / 16);

    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        g_string_append_len(out, text, end - text);
        g_string_append_len(out, "\r\n", 2);
    }
    g_string_append(out, text);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *hmp_execute_on(const char *line, unsigned cpu_index)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Hmp hmp;

    hmp_init(&hmp, out);
    hmp.cpu_index = cpu_index;
    hmp_run(&hmp, line);
    return with_returns(out->str);
}

char *hmp_execute(const char *line)
{
    return hmp_execute_on(line, 0);
}

X86CPU *hmp_cpu(Hmp *hmp)
{
    Machine *machine = machine_current();
    X86CPU *cpu;

    if (!machine || hmp->cpu_index >= machine->cpus->len) {
        hmp_printf(hmp, "No CPU available\n");
        return NULL;
    }
    cpu = machine->cpus->pdata[hmp->cpu_index];
    if (cpu->ops && cpu->ops->get_registers) {
        bool running = machine->accel->running;

        accel_pause_all(machine->accel);
        accel_get_registers(cpu);
        if (running) {
            accel_resume_all(machine->accel);
        }
    }
    return cpu;
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *hmp_complete(const char *start)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (const HmpCommand *command = tables[i]; command->names; command++) {
            g_auto(GStrv) names = g_strsplit(command->names, "|", 0);

            for (char **name = names; *name; name++) {
                if (g_str_has_prefix(*name, start) &&
                    (g_str_has_prefix(start, INFO) || !g_str_has_prefix(*name, INFO))) {
                    g_ptr_array_add(words, g_strdup(*name));
                }
            }
        }
    }
    g_ptr_array_sort(words, by_text);
    return words;
}
