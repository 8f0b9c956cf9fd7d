/*
 * umbra-system-x86_64: from options to a machine that can be built.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/loader.h"
#include "hw/core/option-string.h"
#include "machine/cli/defaults.h"
#include "machine/cli/fail.h"
#include "machine/cli/system.h"
#include "machine/migration/vmstate.h"
#include "machine/run-state.h"

/* Options of which QEMU has many choices and Umbra one or two. */
void system_check_choices(const SystemOptions *options)
{
    static const char *const none[] = {"none", NULL};
    static const char *const vgas[] = {"std", "none", NULL};
    const struct {
        const char *option, *value;
        const char *const *choices;
    } rows[] = {
        {"-display", options->display, none},
        {"-vga", options->vga, vgas},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *choices = g_strjoinv(", ", (char **)rows[i].choices);
        g_auto(GStrv) parts = g_strsplit(rows[i].value ? rows[i].value : "", ",", 2);

        if (rows[i].value && !g_strv_contains(rows[i].choices, parts[0])) {
            cli_fail(
                cli_error("%s %s: Umbra has %s", rows[i].option, rows[i].value, choices));
        }
    }
}

static bool parse_memory_size(const char *text, uint64_t *size, GError **error)
{
    g_autoptr(OptionString) options = option_string_parse(text, "size");
    const char *value = option_string_get(options, "size");

    if (!value || !parse_size(value, MiB(1), size)) {
        g_propagate_error(error,
                          cli_error("-m %s: not a size; write 128, 512M or 4G", text));
        return false;
    }
    return true;
}

/* -smp [cpus=]N[,maxcpus=M]: how many there are, and how many the tables have
 * room for. */
static bool parse_cpus(const char *text, const MachineType *type, unsigned *cpus,
                       unsigned *max_cpus, GError **error)
{
    const unsigned most = type->max_cpus ? type->max_cpus : 255;
    g_autoptr(OptionString) options = option_string_parse(text, "cpus");
    const char *value = option_string_get(options, "cpus");
    uint64_t count;

    if (!value || !parse_uint64(value, 255, &count) || count == 0) {
        g_propagate_error(error,
                          cli_error("-smp %s: not a number of CPUs from 1 to 255", text));
        return false;
    }
    *cpus = *max_cpus = (unsigned)count;
    value = option_string_get(options, "maxcpus");
    if (value) {
        if (!parse_uint64(value, 255, &count) || count < *cpus) {
            g_propagate_error(error,
                              cli_error("-smp %s: maxcpus is not a number from %u to "
                                        "255",
                                        text, *cpus));
            return false;
        }
        *max_cpus = (unsigned)count;
    }
    return *max_cpus <= most ||
           refuse_argument(error,
                           "Invalid SMP CPUs %u. The max CPUs supported by machine '%s' is %u",
                           *max_cpus, type->name, most);
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
            char **order =
                strcmp(key, "once") == 0 ? &config->boot_once : &config->boot_order;

            if (strspn(value, "abcdnopefghijklm") != strlen(value)) {
                cli_fail(cli_error(
                    "-boot %s: '%s' is not a boot order; letters are a floppy, c "
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
            cli_fail(cli_error("-boot %s: '%s=%s' is not understood", text, key, value));
        }
    }
}

static void configure_rtc(MachineConfig *config, const char *text)
{
    static const struct {
        const char *name;
        ClockKind clock;
    } clocks[] = {{"host", CLOCK_KIND_HOST},
                  {"rt", CLOCK_KIND_REALTIME},
                  {"vm", CLOCK_KIND_VIRTUAL}};
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
        cli_fail(cli_error("-rtc %s: the clock is 'host', 'rt' or 'vm'", text));
    }
}

static void configure(Machine *machine, const SystemOptions *options)
{
    MachineConfig *config = &machine->config;
    GError *error = NULL;

    if ((options->memory &&
         !parse_memory_size(options->memory, &config->ram_size, &error)) ||
        (options->smp &&
         !parse_cpus(options->smp, machine->type, &config->cpus, &config->max_cpus, &error))) {
        cli_fail(error);
    }
    config->name = g_strdup(options->name);
    config->uuid = g_strdup(options->uuid);
    config->firmware = g_strdup(options->bios);
    config->kernel = g_strdup(options->kernel);
    config->initrd = g_strdup(options->initrd);
    config->append = g_strdup(options->append);
    g_ptr_array_add(options->environment, NULL);
    config->environment = (const char *const *)options->environment->pdata;
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
    config->smbios = options->smbioses;
    config->acpi_tables = options->acpi_tables;
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
static const MachineType *choose_type(const SystemOptions *options,
                                      OptionString *properties)
{
    g_autofree char *name = option_string_take(properties, "type");
    g_autofree char *accel = option_string_take(properties, "accel");
    GError *error = NULL;
    const MachineType *type = machine_type_find(name, &error);

    if (!type) {
        cli_fail_with(error, "-M", name);
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

/* Those of QEMU's machines that options stand for, and those whose only value here is
 * off. */
static bool set_config_property(MachineConfig *config, const OptionPair *pair)
{
    static const char *const absent[] = {
        "usb",   "dump-guest-core", "mem-merge", "nvdimm", "sata",
        "iommu", "suppress-vmdesc", "usb-off",   NULL};
    const struct {
        const char *name;
        char **field;
    } texts[] = {{"kernel", &config->kernel},
                 {"initrd", &config->initrd},
                 {"append", &config->append},
                 {"firmware", &config->firmware}};
    bool value;

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (strcmp(pair->key, texts[i].name) == 0) {
            g_free(*texts[i].field);
            *texts[i].field = g_strdup(pair->value);
            return true;
        }
    }
    if (strcmp(pair->key, "graphics") == 0) {
        return parse_bool(pair->value, &config->graphics);
    }
    return g_strv_contains(absent, pair->key) && parse_bool(pair->value, &value) &&
           !value;
}

static void set_machine_properties(Machine *machine, const OptionString *properties)
{
    GError *error = NULL;

    for (guint i = 0; i < properties->count; i++) {
        if (set_config_property(&machine->config, &properties->pairs[i])) {
            continue;
        }
        if (!property_set_string(G_OBJECT(machine), properties->pairs[i].key,
                                 properties->pairs[i].value, &error)) {
            cli_fail(error);
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
            cli_fail(cli_error("-global %s: write it as DRIVER.PROPERTY=VALUE", text));
        }
        device_add_global(g_strndup(text, (gsize)(dot - text)),
                          g_strndup(dot + 1, (gsize)(equals - dot - 1)),
                          g_strdup(equals + 1), false);
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
        cli_fail_with(error, "-watchdog-action", options->watchdog_action);
    }
    for (guint i = 0; i < action->count; i++) {
        if (!run_policy_set(&policy, action->pairs[i].key, action->pairs[i].value,
                            &error)) {
            cli_fail_with(error, "-action", options->action);
        }
    }
    return policy;
}

/* *passed_over: a line about accelerators that cannot run here, or NULL. It is shown when
 * the machine stands, so that an error before that is the one line of output. */
static Accel *choose_accel(const SystemOptions *options, char **passed_over)
{
    GError *error = NULL;
    Accel *accel =
        accel_select((const char *const *)options->accels->pdata, passed_over, &error);

    if (!accel) {
        cli_fail(error);
    }
    return accel;
}

/* Switches with an option of their own. */
static void set_switches(Machine *machine, const SystemOptions *options)
{
    const struct {
        bool given;
        const char *property;
    } rows[] = {{options->no_acpi, "acpi"},
                {options->no_hpet, "hpet"},
                {options->no_fd_bootchk, "fd-bootchk"}};
    GError *error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].given &&
            !property_set_string(G_OBJECT(machine), rows[i].property, "off", &error)) {
            cli_fail(error);
        }
    }
}

static G_NORETURN void dump_vmstate(const char *filename, const char *machine_type)
{
    GError *error = NULL;

    if (!vmstate_dump(filename, machine_type, &error)) {
        cli_fail(error);
    }
    exit(EXIT_SUCCESS);
}

Machine *system_configure(SystemOptions *options, char **passed_over)
{
    g_autoptr(OptionString) properties =
        option_string_parse(options->machine ? options->machine : "", "type");
    const MachineType *type;
    RunStatePolicy policy;
    Machine *machine;

    add_globals(options);
    type = choose_type(options, properties);
    if (options->cpu || type->default_cpu) {
        system_set_cpu(options->cpu ? options->cpu : type->default_cpu);
    }
    options->nodefaults |= type->bare;
    default_devices_add(options, type);
    if (options->dump_vmstate) {
        dump_vmstate(options->dump_vmstate, type->name);
    }
    machine = machine_new(type, choose_accel(options, passed_over));
    configure(machine, options);
    set_machine_properties(machine, properties);
    set_switches(machine, options);
    policy = policy_of(options);
    run_state_init(machine, &policy);
    return machine;
}
