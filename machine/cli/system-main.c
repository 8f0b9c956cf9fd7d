/*
 * umbra-system-x86_64: from the command line to a running machine.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/core/option-string.h"
#include "machine/cli/daemon.h"
#include "machine/cli/fail.h"
#include "machine/cli/sandbox.h"
#include "machine/cli/system.h"
#include "machine/display/vnc.h"
#include "machine/gdb/stub.h"
#include "machine/migration/migration.h"
#include "machine/monitor/monitor.h"
#include "machine/plugin.h"
#include "machine/qtest.h"
#include "machine/run-state.h"
#include "machine/types/none.h"
#include "machine/types/pc.h"
#include "machine/user-object.h"
#include "memory/io-lock.h"

static void set_message_form(const char *text)
{
    g_autoptr(OptionString) form = option_string_parse(text, "timestamp");
    const char *timestamp = option_string_get(form, "timestamp");
    bool on = false;

    if (timestamp && !parse_bool(timestamp, &on)) {
        cli_fail(cli_error("-msg %s: Parameter 'timestamp' expects 'on' or 'off'", text));
    }
    cli_set_timestamps(on);
}

/* -machine isapc -machine graphics=off: properties add up, of types the last counts. */
static char *join_machines(const GPtrArray *machines)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < machines->len; i++) {
        const char *each = machines->pdata[i];
        bool is_type = each[strcspn(each, ",=")] != '=';

        g_string_append_printf(text, "%s%s%s", i ? "," : "", i && is_type ? "type=" : "",
                               each);
    }
    return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* Options that give the same in several ways end in one place each. */
static void join_options(SystemOptions *options)
{
    for (guint i = 0; i < options->config_files->len; i++) {
        system_read_config(options, options->config_files->pdata[i]);
    }
    for (guint i = 0; i < options->sets->len; i++) {
        GError *error = NULL;

        if (!system_options_set(options, options->sets->pdata[i], &error)) {
            cli_fail_with(error, "-set", options->sets->pdata[i]);
        }
    }
    options->machine = join_machines(options->machines);
    for (guint i = 0; i < options->messages->len; i++) {
        set_message_form(options->messages->pdata[i]);
    }
    g_ptr_array_add(options->data_dirs, NULL);
    if (options->display && g_str_has_prefix(options->display, "vnc=")) {
        options->vnc =
            options->vnc ? options->vnc : g_strdup(options->display + strlen("vnc="));
        g_clear_pointer(&options->display, g_free);
    }
}

static void register_types(const SystemOptions *options)
{
    machine_types_add(pc_machine_types());
    machine_types_add(none_machine_types());
    machine_devices_register();
    machine_plugins_set_directories((const char *const *)options->data_dirs->pdata);
}

/* The board, with all that is connected to it, ready for its first reset. */
static void build(Machine *machine, const SystemOptions *options)
{
    GError *error = NULL;

    if (!migration_init(machine, &error)) {
        cli_fail(error);
    }
    system_adopt_descriptors(options);
    system_make_chardevs(machine, options);
    system_make_monitors(options);
    system_make_drives(options);
    system_make_objects(machine, options);
    if (!machine_build(machine, &error)) {
        cli_fail(error);
    }
    system_make_devices(options);
    if (!drive_check_all_taken(&error) || !machine_complete(machine, &error)) {
        cli_fail(error);
    }
    if (options->vnc && !vnc_start(options->vnc, &error)) {
        cli_fail_with(error, "-vnc", options->vnc);
    }
    system_add_fw_cfg_files(machine, options);
    system_warn_unused_globals();
    system_serve_harnesses(machine, options);
}

/* Returns the exit status. */
static int run(const SystemOptions *options)
{
    GError *error = NULL;

    run_state_reset(SYSTEM_CAUSE_NONE, "start");
    run_state_set_autostart(!options->stopped);
    if (options->incoming && !migration_incoming_begin(options->incoming, &error)) {
        cli_fail_with(error, "-incoming", options->incoming);
    }
    daemon_ready();
    if (!options->stopped && !options->incoming) {
        run_state_cont();
    }
    return run_state_main_loop();
}

static void clean_up(int status)
{
    migration_shutdown();
    migration_incoming_shutdown();
    gdb_stub_cleanup(status);
    drive_cleanup();
    monitor_cleanup();
    qtest_server_stop();
    user_objects_cleanup();
    chardev_cleanup();
}

int main(int argc, char **argv)
{
    static SystemOptions options; /* its texts live as long as the process */
    g_autofree char *program = g_path_get_basename(argv[0]);
    g_autofree char *passed_over = NULL;
    GError *error = NULL;
    Machine *machine;
    int status;

    g_set_prgname(program);
    if (!system_options_parse(&options, argc, argv, &error)) {
        cli_fail(error);
    }
    join_options(&options);
    register_types(&options);
    system_answer_help(&options);
    system_start_traces(&options);
    system_check_choices(&options);
    if (options.daemonize) {
        daemon_start();
    }

    io_lock();
    machine = system_configure(&options, &passed_over);
    if (options.pidfile && !daemon_write_pidfile(options.pidfile, &error)) {
        cli_fail(error);
    }
    build(machine, &options);
    if (options.sandbox && !sandbox_enable(options.sandbox, &error)) {
        cli_fail(error);
    }
    if (passed_over) {
        cli_warn("%s", passed_over);
    }
    status = run(&options);
    clean_up(status);
    io_unlock();
    return status;
}
