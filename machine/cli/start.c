/*
 * umbra-system-x86_64: what the machine is connected to, and the devices that users add.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hw/block/node.h"
#include "hw/core/descriptors.h"
#include "hw/core/option-string.h"
#include "hw/core/trace.h"
#include "machine/cli/fail.h"
#include "machine/cli/system.h"
#include "machine/device-add.h"
#include "machine/gdb/stub.h"
#include "machine/memory-backend.h"
#include "machine/monitor/monitor.h"
#include "machine/qtest.h"

static Chardev *chardev_for(const char *option, const char *text, const char *id)
{
    GError *error = NULL;
    Chardev *chardev = chardev_new_from_text(id, text, &error);

    if (error ||
        (g_str_has_prefix(text, "mon:") && !monitor_add(chardev, MONITOR_HMP, &error))) {
        cli_fail_with(error, option, text);
    }
    return chardev;
}

static void make_ports(Chardev **ports, size_t max, const GPtrArray *texts,
                       const char *option)
{
    if (texts->len > max) {
        cli_fail(
            cli_error("%s is given %u times; a PC has %zu", option, texts->len, max));
    }
    for (guint i = 0; i < texts->len; i++) {
        g_autofree char *id = g_strdup_printf("%s%u", option + 1, i);

        ports[i] = chardev_for(option, texts->pdata[i], id);
    }
}

void system_make_chardevs(Machine *machine, const SystemOptions *options)
{
    GError *error = NULL;

    for (guint i = 0; i < options->chardevs->len; i++) {
        if (!chardev_new_from_options(options->chardevs->pdata[i], &error)) {
            cli_fail_with(error, "-chardev", options->chardevs->pdata[i]);
        }
    }
    make_ports(machine->config.serial, MACHINE_SERIAL_PORTS, options->serials, "-serial");
    make_ports(machine->config.parallel, MACHINE_PARALLEL_PORTS, options->parallels,
               "-parallel");
    if (options->debugcon) {
        machine->config.debugcon =
            chardev_for("-debugcon", options->debugcon, "debugcon");
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
            cli_fail_with(error, option, text);
        }
    }
}

void system_make_monitors(const SystemOptions *options)
{
    GError *error = NULL;

    add_monitors("-monitor", options->monitors, MONITOR_HMP);
    add_monitors("-qmp", options->qmps, MONITOR_QMP);
    add_monitors("-qmp-pretty", options->qmps_pretty, MONITOR_QMP_PRETTY);
    for (guint i = 0; i < options->mons->len; i++) {
        if (!monitor_add_from_text(options->mons->pdata[i], &error)) {
            cli_fail_with(error, "-mon", options->mons->pdata[i]);
        }
    }
}

void system_make_drives(const SystemOptions *options)
{
    GError *error = NULL;

    if (options->incoming) {
        block_images_hand_over(); /* the source has them */
    }
    for (guint i = 0; i < options->blockdevs->len; i++) {
        if (!blockdev_add_from_text(options->blockdevs->pdata[i], &error)) {
            cli_fail_with(error, "-blockdev", options->blockdevs->pdata[i]);
        }
    }
    for (guint i = 0; i < options->drives->len; i++) {
        g_autofree char *text = g_strconcat(
            options->drives->pdata[i], options->snapshot ? ",snapshot=on" : "", NULL);

        if (!drive_new(text, &error)) {
            cli_fail_with(error, "-drive", options->drives->pdata[i]);
        }
    }
}

void system_make_objects(Machine *machine, const SystemOptions *options)
{
    MemoryBackend *backend;
    GError *error = NULL;

    for (guint i = 0; i < options->objects->len; i++) {
        if (!user_object_add_from_text(options->objects->pdata[i], &error)) {
            cli_fail_with(error, "-object", options->objects->pdata[i]);
        }
    }
    if (machine->memory_backend && !options->memory) {
        backend = memory_backend_find(machine->memory_backend, &error);
        if (!backend) {
            cli_fail(error);
        }
        machine->config.ram_size = backend->size;
    }
}

void system_make_devices(const SystemOptions *options)
{
    GError *error = NULL;

    for (guint i = 0; i < options->devices->len; i++) {
        if (!device_add_from_text(options->devices->pdata[i], &error)) {
            cli_fail_with(error, "-device", options->devices->pdata[i]);
        }
    }
}

void system_add_fw_cfg_files(Machine *machine, const SystemOptions *options)
{
    for (guint i = 0; i < options->fw_cfgs->len; i++) {
        const char *text = options->fw_cfgs->pdata[i];
        GError *error = NULL;

        if (!machine->fw_cfg) {
            cli_fail(cli_error("-fw_cfg %s: machine %s has no fw_cfg device", text,
                               machine->type->name));
        }
        if (!fw_cfg_add_from_text(machine->fw_cfg, text, &error)) {
            cli_fail_with(error, "-fw_cfg", text);
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
        cli_fail_with(error, "-qtest", options->qtest);
    }
}

static void start_gdb_stub(const SystemOptions *options)
{
    const char *text = options->gdb ? options->gdb : "tcp::1234";
    GError *error = NULL;

    if ((options->gdb || options->gdb_default) && !gdb_stub_start(text, &error)) {
        cli_fail_with(error, "-gdb", text);
    }
}

void system_start_traces(const SystemOptions *options)
{
    GError *error = NULL;

    if (options->log_file && !trace_open_log(options->log_file, &error)) {
        cli_fail_with(error, "-D", options->log_file);
    }
    for (guint i = 0; i < options->traces->len; i++) {
        if (!trace_option(options->traces->pdata[i], &error)) {
            cli_fail_with(error, "-trace", options->traces->pdata[i]);
        }
    }
    for (guint i = 0; i < options->log_items->len; i++) {
        if (!trace_log_items(options->log_items->pdata[i], &error)) {
            cli_fail_with(error, "-d", options->log_items->pdata[i]);
        }
    }
}

static void warn_unused_global(const char *driver, const char *property,
                               const char *value, void *opaque)
{
    cli_warn("warning: global %s.%s=%s has no effect: no such device", driver, property,
             value);
}

void system_warn_unused_globals(void)
{
    device_foreach_unused_global(warn_unused_global, NULL);
}

void system_serve_harnesses(Machine *machine, const SystemOptions *options)
{
    serve_qtest(machine, options);
    start_gdb_stub(options);
}

/* The descriptor stays open for the process: a copy goes into the set. */
static bool adopt_descriptor(const char *text, GError **error)
{
    g_autoptr(OptionString) parsed = option_string_parse(text, NULL);
    const char *fd_text = option_string_get(parsed, "fd");
    const char *set_text = option_string_get(parsed, "set");
    uint64_t fd, set;
    int copy;

    if (!fd_text || !parse_uint64(fd_text, G_MAXINT, &fd) || fd <= STDERR_FILENO) {
        g_propagate_error(error, cli_error("fd is not a descriptor that this process was "
                                           "given beside its standard ones"));
        return false;
    }
    if (!set_text || !parse_uint64(set_text, G_MAXINT64, &set)) {
        g_propagate_error(error, cli_error("set is not a number"));
        return false;
    }
    copy = fcntl((int)fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        g_propagate_error(error, cli_error("fd is not valid"));
        return false;
    }
    return descriptor_set_add((int64_t)set, copy, option_string_get(parsed, "opaque"),
                              error);
}

void system_adopt_descriptors(const SystemOptions *options)
{
    GError *error = NULL;

    for (guint i = 0; i < options->add_fds->len; i++) {
        if (!adopt_descriptor(options->add_fds->pdata[i], &error)) {
            cli_fail_with(error, "-add-fd", options->add_fds->pdata[i]);
        }
    }
}
