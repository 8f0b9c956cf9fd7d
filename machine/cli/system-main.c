/*
 * umbra-system-x86_64: from the command line to a running machine.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/loader.h"
#include "hw/core/option-string.h"
#include "hw/core/trace.h"
#include "machine/cli/daemon.h"
#include "machine/cli/defaults.h"
#include "machine/cli/options.h"
#include "machine/cli/sandbox.h"
#include "machine/device-add.h"
#include "machine/display/vnc.h"
#include "machine/gdb/stub.h"
#include "machine/machine.h"
#include "machine/migration/migration.h"
#include "machine/migration/vmstate.h"
#include "machine/monitor/monitor.h"
#include "machine/memory-backend.h"
#include "machine/plugin.h"
#include "machine/qtest.h"
#include "machine/run-state.h"
#include "machine/types/none.h"
#include "machine/types/pc.h"
#include "memory/io-lock.h"

#define UMBRA_VERSION "0.1.0"

/* Every failure before the machine runs ends here: one line, status 1. */
static void G_GNUC_NORETURN fail(GError *error)
{
    fprintf(stderr, "%s: %s\n", g_get_prgname(), error->message);
    user_objects_cleanup();
    chardev_cleanup();
    exit(1);
}

static void G_GNUC_NORETURN fail_with(GError *error, const char *option, const char *text)
{
    g_prefix_error(&error, "%s %s: ", option, text);
    fail(error);
}

static GError *invalid(const char *format, ...) G_GNUC_PRINTF(1, 2);

static GError *invalid(const char *format, ...)
{
    GError *error;
    va_list arguments;

    va_start(arguments, format);
    error = g_error_new_valist(G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, format, arguments);
    va_end(arguments);
    return error;
}

/* -- Questions that are answered without a machine --------------------------------------- */

static void print_type(const MachineType *type, void *opaque)
{
    g_autofree char *note =
        type->alias ? g_strdup_printf(" (alias of %s)", type->name)
                    : g_strdup(type->is_default ? " (default)" : "");

    if (type->alias) {
        printf("%-20s %s%s\n", type->alias, type->desc, note);
    }
    printf("%-20s %s%s%s%s%s\n", type->name, type->desc,
           type->is_default ? " (default)" : "", type->deprecated ? " (deprecated)" : "",
           type->origin ? "  from " : "", type->origin ? type->origin : "");
}

static void print_broken_plugin(const char *path, const GError *why, void *opaque)
{
    fprintf(stderr, "%s: not listed: %s\n", g_get_prgname(), why->message);
}

static bool is_help(const char *text)
{
    return text && (strcmp(text, "help") == 0 || strcmp(text, "?") == 0);
}

static void answer_help(const SystemOptions *options)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bool answered = true;

    if (options->help) {
        g_autofree char *help = system_options_help(g_get_prgname());

        g_string_append(text, help);
    } else if (options->version) {
        g_string_append_printf(text, "Umbra emulator version %s\n", UMBRA_VERSION);
    } else if (is_help(options->machine)) {
        printf("Supported machines are:\n");
        machine_types_foreach(print_type, NULL);
        machine_plugins_foreach_broken(print_broken_plugin, NULL);
    } else if (is_help(options->accels->pdata[0])) {
        g_autofree char *names = g_strjoinv("\n", (char **)accel_names());

        g_string_append_printf(text, "Accelerators supported:\n%s\n", names);
    } else if (is_help(options->cpu)) {
        g_string_append(text, "Available CPUs:\nx86 qemu64\nx86 host (with -accel kvm)\n");
    } else if (options->traces->len && is_help(options->traces->pdata[0])) {
        g_autofree char *help = trace_help();

        g_string_append(text, help);
    } else if (options->log_items->len && is_help(options->log_items->pdata[0])) {
        g_autofree char *help = trace_log_help();

        g_string_append(text, help);
    } else {
        answered = false;
        for (guint i = 0; i < options->devices->len && !answered; i++) {
            answered = device_add_help(options->devices->pdata[i], text);
        }
        for (guint i = 0; i < options->objects->len && !answered; i++) {
            answered = user_object_help(options->objects->pdata[i], text);
        }
    }
    if (answered) {
        fputs(text->str, stdout);
        exit(0);
    }
}

/* Options of which QEMU has many choices and Umbra one or two. */
static void check_fixed_choices(const SystemOptions *options)
{
    static const char *const cpus[] = {"qemu64", "qemu64-v1", "host", "max", "486", NULL};
    static const char *const none[] = {"none", NULL};
    static const char *const vgas[] = {"std", "none", NULL};
    const struct {
        const char *option, *value;
        const char *const *choices;
    } rows[] = {
        {"-cpu", options->cpu, cpus},
        {"-display", options->display, none},
        {"-vga", options->vga, vgas},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *choices = g_strjoinv(", ", (char **)rows[i].choices);
        g_auto(GStrv) parts = g_strsplit(rows[i].value ? rows[i].value : "", ",", 2);

        if (rows[i].value && !g_strv_contains(rows[i].choices, parts[0])) {
            fail(invalid("%s %s: Umbra has %s", rows[i].option, rows[i].value, choices));
        }
    }
}

/* -- The machine's configuration --------------------------------------------------------- */

static bool parse_memory_size(const char *text, uint64_t *size, GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "size");
    const char *value = option_string_get(options, "size");

    if (!value || !parse_size(value, MiB(1), size)) {
        g_propagate_error(error, invalid("-m %s: not a size; write 128, 512M or 4G", text));
        return false;
    }
    return true;
}

/* -smp [cpus=]N[,maxcpus=M]: how many there are, and how many the tables have room for. */
static bool parse_cpus(const char *text, unsigned *cpus, unsigned *max_cpus, GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "cpus");
    const char *value = option_string_get(options, "cpus");
    uint64_t count;

    if (!value || !parse_uint64(value, 255, &count) || count == 0) {
        g_propagate_error(error, invalid("-smp %s: not a number of CPUs from 1 to 255",
                                         text));
        return false;
    }
    *cpus = *max_cpus = (unsigned)count;
    value = option_string_get(options, "maxcpus");
    if (value) {
        if (!parse_uint64(value, 255, &count) || count < *cpus) {
            g_propagate_error(error, invalid("-smp %s: maxcpus is not a number from %u to 255",
                                             text, *cpus));
            return false;
        }
        *max_cpus = (unsigned)count;
    }
    return true;
}

/* A time of -boot in milliseconds, -1 or what an uint16_t holds. */
static bool parse_wait(const char *text, int *ms)
{
    uint64_t value;

    if (strcmp(text, "-1") == 0) {
        *ms = -1;
        return true;
    }
    if (!parse_uint64(text, UINT16_MAX, &value)) {
        return false;
    }
    *ms = (int)value;
    return true;
}

static void configure_boot(MachineConfig *config, const char *text)
{
    g_autoptr(OptionString) options = option_string_parse(text, "order");

    for (guint i = 0; i < options->count; i++) {
        const char *key = options->pairs[i].key, *value = options->pairs[i].value;
        bool known = true;

        if (strcmp(key, "order") == 0 || strcmp(key, "once") == 0) {
            char **order = strcmp(key, "once") == 0 ? &config->boot_once : &config->boot_order;

            if (strspn(value, "abcdnopefghijklm") != strlen(value)) {
                fail(invalid("-boot %s: '%s' is not a boot order; letters are a floppy, c "
                             "disk, d CD-ROM, n network",
                             text, value));
            }
            g_free(*order);
            *order = g_strdup(value);
        } else if (strcmp(key, "menu") == 0) {
            known = parse_bool(value, &config->boot_menu);
        } else if (strcmp(key, "reboot-timeout") == 0) {
            known = parse_wait(value, &config->boot_wait_ms);
        } else if (strcmp(key, "splash-time") == 0) {
            known = parse_wait(value, &config->boot_menu_ms);
        } else if (strcmp(key, "strict") == 0) {
            known = parse_bool(value, &config->boot_strict);
        } else {
            known = false;
        }
        if (!known) {
            fail(invalid("-boot %s: '%s=%s' is not understood", text, key, value));
        }
    }
}

static void configure_rtc(MachineConfig *config, const char *text)
{
    static const struct {
        const char *name;
        ClockKind clock;
    } clocks[] = {
        {"host", CLOCK_KIND_HOST}, {"rt", CLOCK_KIND_REALTIME}, {"vm", CLOCK_KIND_VIRTUAL}};
    g_autoptr(OptionString) options = option_string_parse(text, "base");
    const char *clock = option_string_get(options, "clock");
    bool known = !clock;

    config->rtc_base = g_strdup(option_string_get(options, "base"));
    for (size_t i = 0; i < G_N_ELEMENTS(clocks) && clock; i++) {
        if (strcmp(clock, clocks[i].name) == 0) {
            config->rtc_clock = clocks[i].clock;
            known = true;
        }
    }
    if (!known) {
        fail(invalid("-rtc %s: the clock is 'host', 'rt' or 'vm'", text));
    }
}

static void configure(Machine *machine, const SystemOptions *options)
{
    MachineConfig *config = &machine->config;
    GError *error = NULL;

    if ((options->memory && !parse_memory_size(options->memory, &config->ram_size, &error)) ||
        (options->smp && !parse_cpus(options->smp, &config->cpus, &config->max_cpus, &error))) {
        fail(error);
    }
    config->name = g_strdup(options->name);
    config->uuid = g_strdup(options->uuid);
    config->firmware = g_strdup(options->bios);
    config->kernel = g_strdup(options->kernel);
    config->initrd = g_strdup(options->initrd);
    config->append = g_strdup(options->append);
    g_ptr_array_add(options->option_roms, NULL);
    config->option_roms = (char **)options->option_roms->pdata;
    config->data_dirs = (const char *const *)options->data_dirs->pdata;
    firmware_set_directories(config->data_dirs);
    config->boot_order = g_strdup("cad");
    config->default_devices = !options->nodefaults;
    config->graphics = !options->nographic;
    config->vga = g_strdup(options->vga);
    for (guint i = 0; i < options->boots->len; i++) {
        configure_boot(config, options->boots->pdata[i]);
    }
    if (options->rtc) {
        configure_rtc(config, options->rtc);
    }
    if (config->name) {
        g_autoptr(OptionString) name = option_string_parse(config->name, "guest");
        char *guest = g_strdup(option_string_get(name, "guest"));

        g_free(config->name);
        config->name = guest;
    }
}

/* -M TYPE,prop=value: the type, with `accel=` taken out for -accel. A harness wants the
 * machine for itself where no -accel says otherwise. */
static const MachineType *choose_type(const SystemOptions *options, OptionString *properties)
{
    g_autofree char *name = option_string_take(properties, "type");
    g_autofree char *accel = option_string_take(properties, "accel");
    GError *error = NULL;
    const MachineType *type = machine_type_find(name, &error);

    if (!type) {
        fail_with(error, "-M", name);
    }
    if (accel && options->accels->len == 1) {
        g_auto(GStrv) names = g_strsplit(accel, ":", -1);

        for (char **each = names; *each; each++) {
            g_ptr_array_insert(options->accels, (gint)options->accels->len - 1,
                               g_strdup(*each));
        }
    } else if (options->qtest && options->accels->len == 1) {
        g_ptr_array_insert(options->accels, 0, g_strdup("qtest"));
    }
    return type;
}

static void set_machine_properties(Machine *machine, const OptionString *properties)
{
    GError *error = NULL;

    for (guint i = 0; i < properties->count; i++) {
        if (!property_set_string(G_OBJECT(machine), properties->pairs[i].key,
                                 properties->pairs[i].value, &error)) {
            fail(error);
        }
    }
}

static void add_globals(const SystemOptions *options)
{
    for (guint i = 0; i < options->globals->len; i++) {
        const char *text = options->globals->pdata[i];
        const char *dot = strchr(text, '.');
        const char *equals = dot ? strchr(dot, '=') : NULL;

        if (!equals) {
            fail(invalid("-global %s: write it as DRIVER.PROPERTY=VALUE", text));
        }
        device_add_global(g_strndup(text, (gsize)(dot - text)),
                          g_strndup(dot + 1, (gsize)(equals - dot - 1)),
                          g_strdup(equals + 1), false);
    }
}

static void warn_unused_global(const char *driver, const char *property, const char *value,
                               void *opaque)
{
    fprintf(stderr, "%s: warning: global %s.%s=%s has no effect: no such device\n",
            g_get_prgname(), driver, property, value);
}

/* -- Characters, disks, devices ----------------------------------------------------------- */

static Chardev *chardev_for(const char *option, const char *text, const char *id)
{
    GError *error = NULL;
    Chardev *chardev = chardev_new_from_text(id, text, &error);

    if (error ||
        (g_str_has_prefix(text, "mon:") && !monitor_add(chardev, MONITOR_HMP, &error))) {
        fail_with(error, option, text);
    }
    return chardev;
}

static void make_ports(Chardev **ports, size_t max, const GPtrArray *texts,
                       const char *option)
{
    if (texts->len > max) {
        fail(invalid("%s is given %u times; a PC has %zu", option, texts->len, max));
    }
    for (guint i = 0; i < texts->len; i++) {
        g_autofree char *id = g_strdup_printf("%s%u", option + 1, i);

        ports[i] = chardev_for(option, texts->pdata[i], id);
    }
}

static void make_chardevs(Machine *machine, const SystemOptions *options)
{
    GError *error = NULL;

    for (guint i = 0; i < options->chardevs->len; i++) {
        if (!chardev_new_from_options(options->chardevs->pdata[i], &error)) {
            fail_with(error, "-chardev", options->chardevs->pdata[i]);
        }
    }
    make_ports(machine->config.serial, MACHINE_SERIAL_PORTS, options->serials, "-serial");
    make_ports(machine->config.parallel, MACHINE_PARALLEL_PORTS, options->parallels,
               "-parallel");
    if (options->debugcon) {
        machine->config.debugcon = chardev_for("-debugcon", options->debugcon, "debugcon");
    }
}

static void add_monitors(const char *option, const GPtrArray *texts, MonitorMode mode)
{
    static unsigned count;

    for (guint i = 0; i < texts->len; i++) {
        const char *text = texts->pdata[i];
        g_autofree char *id = g_strdup_printf("compat_monitor%u", count++);
        Chardev *chardev = chardev_for(option, text, id);
        GError *error = NULL;

        if (!g_str_has_prefix(text, "mon:") && !monitor_add(chardev, mode, &error)) {
            fail_with(error, option, text);
        }
    }
}

static void make_monitors(const SystemOptions *options)
{
    GError *error = NULL;

    add_monitors("-monitor", options->monitors, MONITOR_HMP);
    add_monitors("-qmp", options->qmps, MONITOR_QMP);
    for (guint i = 0; i < options->mons->len; i++) {
        if (!monitor_add_from_text(options->mons->pdata[i], &error)) {
            fail_with(error, "-mon", options->mons->pdata[i]);
        }
    }
}

static void make_drives(const SystemOptions *options)
{
    GError *error = NULL;

    for (guint i = 0; i < options->drives->len; i++) {
        g_autofree char *text =
            g_strconcat(options->drives->pdata[i], options->snapshot ? ",snapshot=on" : "",
                        NULL);

        if (!drive_new(text, &error)) {
            fail_with(error, "-drive", options->drives->pdata[i]);
        }
    }
}

/* Memory backends among them: without -m, the machine's says how much RAM there is. */
static void make_objects(Machine *machine, const SystemOptions *options)
{
    MemoryBackend *backend;
    GError *error = NULL;

    for (guint i = 0; i < options->objects->len; i++) {
        if (!user_object_add_from_text(options->objects->pdata[i], &error)) {
            fail_with(error, "-object", options->objects->pdata[i]);
        }
    }
    if (machine->memory_backend && !options->memory) {
        backend = memory_backend_find(machine->memory_backend, &error);
        if (!backend) {
            fail(error);
        }
        machine->config.ram_size = backend->size;
    }
}

static void make_devices(const SystemOptions *options)
{
    GError *error = NULL;

    for (guint i = 0; i < options->devices->len; i++) {
        if (!device_add_from_text(options->devices->pdata[i], &error)) {
            fail_with(error, "-device", options->devices->pdata[i]);
        }
    }
}

static void add_fw_cfg_files(Machine *machine, const SystemOptions *options)
{
    for (guint i = 0; i < options->fw_cfgs->len; i++) {
        const char *text = options->fw_cfgs->pdata[i];
        GError *error = NULL;

        if (!machine->fw_cfg) {
            fail(invalid("-fw_cfg %s: machine %s has no fw_cfg device", text,
                         machine->type->name));
        }
        if (!fw_cfg_add_from_text(machine->fw_cfg, text, &error)) {
            fail_with(error, "-fw_cfg", text);
        }
    }
}

static void serve_qtest(Machine *machine, const SystemOptions *options)
{
    GError *error = NULL;
    Chardev *chardev;

    if (!options->qtest) {
        return;
    }
    chardev = chardev_for("-qtest", options->qtest, "qtest");
    if (chardev && !qtest_server_start(machine, chardev, options->qtest_log, &error)) {
        fail_with(error, "-qtest", options->qtest);
    }
}

static void start_gdb_stub(const SystemOptions *options)
{
    const char *text = options->gdb ? options->gdb : "tcp::1234";
    GError *error = NULL;

    if ((options->gdb || options->gdb_default) && !gdb_stub_start(text, &error)) {
        fail_with(error, "-gdb", text);
    }
}

static void start_traces(const SystemOptions *options)
{
    GError *error = NULL;

    if (options->log_file && !trace_open_log(options->log_file, &error)) {
        fail_with(error, "-D", options->log_file);
    }
    for (guint i = 0; i < options->traces->len; i++) {
        if (!trace_option(options->traces->pdata[i], &error)) {
            fail_with(error, "-trace", options->traces->pdata[i]);
        }
    }
    for (guint i = 0; i < options->log_items->len; i++) {
        if (!trace_log_items(options->log_items->pdata[i], &error)) {
            fail_with(error, "-d", options->log_items->pdata[i]);
        }
    }
}

static RunStatePolicy policy_of(const SystemOptions *options)
{
    RunStatePolicy policy = {options->no_reboot, options->no_shutdown};
    g_autoptr(OptionString) action =
        option_string_parse(options->action ? options->action : "", NULL);
    GError *error = NULL;

    if (options->watchdog_action &&
        !run_policy_set(&policy, "watchdog", options->watchdog_action, &error)) {
        fail_with(error, "-watchdog-action", options->watchdog_action);
    }
    for (guint i = 0; i < action->count; i++) {
        if (!run_policy_set(&policy, action->pairs[i].key, action->pairs[i].value, &error)) {
            fail_with(error, "-action", options->action);
        }
    }
    return policy;
}

/* *passed_over: a line about accelerators that cannot run here, or NULL. It is shown when
 * the machine stands, so that an error before that is the one line of output. */
static Accel *choose_accel(const SystemOptions *options, char **passed_over)
{
    GError *error = NULL;
    Accel *accel = accel_select((const char *const *)options->accels->pdata, passed_over,
                                &error);

    if (!accel) {
        fail(error);
    }
    return accel;
}

static G_NORETURN void dump_vmstate(const char *filename, const char *machine_type)
{
    GError *error = NULL;

    if (!vmstate_dump(filename, machine_type, &error)) {
        fail(error);
    }
    exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    static SystemOptions options; /* its texts live as long as the process */
    RunStatePolicy policy;
    g_autofree char *program = g_path_get_basename(argv[0]);
    g_autofree char *passed_over = NULL;
    GError *error = NULL;
    const MachineType *type;
    Machine *machine;
    int status;

    g_set_prgname(program);
    if (!system_options_parse(&options, argc, argv, &error)) {
        fail(error);
    }
    machine_types_add(pc_machine_types());
    machine_types_add(none_machine_types());
    machine_devices_register();
    g_ptr_array_add(options.data_dirs, NULL);
    machine_plugins_set_directories((const char *const *)options.data_dirs->pdata);
    answer_help(&options);
    start_traces(&options);
    if (options.display && g_str_has_prefix(options.display, "vnc=")) {
        options.vnc =
            options.vnc ? options.vnc : g_strdup(options.display + strlen("vnc="));
        g_clear_pointer(&options.display, g_free);
    }
    check_fixed_choices(&options);
    if (options.daemonize) {
        daemon_start();
    }

    io_lock();
    add_globals(&options);
    {
        g_autoptr(OptionString) properties =
            option_string_parse(options.machine ? options.machine : "", "type");

        type = choose_type(&options, properties);
        options.nodefaults |= type->bare;
        default_devices_add(&options);
        if (options.dump_vmstate) {
            dump_vmstate(options.dump_vmstate, type->name);
        }
        machine = machine_new(type, choose_accel(&options, &passed_over));
        set_machine_properties(machine, properties);
    }
    if ((options.no_acpi && !property_set_string(G_OBJECT(machine), "acpi", "off", &error)) ||
        (options.no_hpet && !property_set_string(G_OBJECT(machine), "hpet", "off", &error)) ||
        (options.no_fd_bootchk &&
         !property_set_string(G_OBJECT(machine), "fd-bootchk", "off", &error)) ||
        (options.pidfile && !daemon_write_pidfile(options.pidfile, &error))) {
        fail(error);
    }
    configure(machine, &options);
    if (!migration_init(machine, &error)) {
        fail(error);
    }
    policy = policy_of(&options);
    run_state_init(machine, &policy);
    make_chardevs(machine, &options);
    make_monitors(&options);
    make_drives(&options);
    make_objects(machine, &options);
    if (!machine_build(machine, &error)) {
        fail(error);
    }
    make_devices(&options);
    if (!drive_check_all_taken(&error) || !machine_complete(machine, &error)) {
        fail(error);
    }
    if (options.vnc && !vnc_start(options.vnc, &error)) {
        fail_with(error, "-vnc", options.vnc);
    }
    add_fw_cfg_files(machine, &options);
    device_foreach_unused_global(warn_unused_global, NULL);
    serve_qtest(machine, &options);
    start_gdb_stub(&options);
    if (options.sandbox && !sandbox_enable(options.sandbox, &error)) {
        fail(error);
    }
    if (passed_over) {
        fprintf(stderr, "%s: %s\n", g_get_prgname(), passed_over);
    }
    run_state_reset(SYSTEM_CAUSE_NONE, "start");
    run_state_set_autostart(!options.stopped);
    if (options.incoming && !migration_incoming_begin(options.incoming, &error)) {
        fail_with(error, "-incoming", options.incoming);
    }
    daemon_ready();
    if (!options.stopped && !options.incoming) {
        run_state_cont();
    }
    status = run_state_main_loop();
    migration_shutdown();
    migration_incoming_shutdown();
    gdb_stub_cleanup(status);
    drive_cleanup();
    monitor_cleanup();
    qtest_server_stop();
    user_objects_cleanup();
    chardev_cleanup();
    io_unlock();
    return status;
}
