/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/cli/options.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/option-string.h"
#include "hw/core/property.h"

typedef enum OptionKind {
    OPTION_HEADING, /* not an option: a title in the help text */
    OPTION_FLAG,    /* bool */
    OPTION_TEXT,    /* char *, the last one counts */
    OPTION_LIST,    /* GPtrArray *, all count */
    OPTION_DRIVE,   /* OPTION_LIST with `prefix` before the argument, a file */
    OPTION_IGNORED, /* taken for QEMU's sake, with its argument if it has one */
} OptionKind;

typedef struct OptionRow {
    OptionKind kind;
    const char *name;
    size_t offset;
    const char *argument;
    const char *help;
    const char *prefix;
} OptionRow;

#define FIELD(field) offsetof(SystemOptions, field)

static const OptionRow rows[] = {
    {OPTION_HEADING, "Machine"},
    {OPTION_LIST, "machine", FIELD(machines), "TYPE[,prop=value...]",
     "the machine type; 'help' lists them"},
    {OPTION_LIST, "M", FIELD(machines), "TYPE", "the same"},
    {OPTION_LIST, "accel", FIELD(accels), "NAME[,prop=value...]",
     "what runs the guest: kvm, x86emu, qtest; several are tried in order"},
    {OPTION_FLAG, "enable-kvm", FIELD(enable_kvm), NULL, "the same as -accel kvm"},
    {OPTION_TEXT, "cpu", FIELD(cpu), "MODEL", "the CPU model; 'help' lists them"},
    {OPTION_TEXT, "smp", FIELD(smp), "N[,maxcpus=M]", "how many CPUs there are, and may be"},
    {OPTION_TEXT, "m", FIELD(memory), "SIZE", "RAM: 128, 512M, 4G; a bare number is MiB"},
    {OPTION_TEXT, "name", FIELD(name), "NAME", "the guest's name"},
    {OPTION_TEXT, "uuid", FIELD(uuid), "UUID", "the machine's UUID"},
    {OPTION_TEXT, "rtc", FIELD(rtc), "base=utc|localtime|DATE,clock=host|rt|vm",
     "where the RTC starts, and what moves it"},
    {OPTION_LIST, "boot", FIELD(boots), "ORDER | order=...,menu=on",
     "boot order: a floppy, c disk, d CD-ROM, n network"},
    {OPTION_FLAG, "nodefaults", FIELD(nodefaults), NULL, "add no default devices"},
    {OPTION_FLAG, "no-user-config", FIELD(no_user_config), NULL,
     "read no configuration file (none is read)"},
    {OPTION_LIST, "readconfig", FIELD(config_files), "FILE",
     "read options from a file: [device \"id\"] sections of key = \"value\""},
    {OPTION_FLAG, "no-acpi", FIELD(no_acpi), NULL, "the same as -machine acpi=off"},
    {OPTION_FLAG, "no-hpet", FIELD(no_hpet), NULL, "the same as -machine hpet=off"},
    {OPTION_FLAG, "no-fd-bootchk", FIELD(no_fd_bootchk), NULL,
     "the same as -machine fd-bootchk=off"},

    {OPTION_HEADING, "Firmware and images"},
    {OPTION_TEXT, "bios", FIELD(bios), "FILE", "the firmware image, raw or gzip"},
    {OPTION_LIST, "L", FIELD(data_dirs), "DIR",
     "where to look for firmware and machine plugins first"},
    {OPTION_TEXT, "kernel", FIELD(kernel), "FILE",
     "boot this kernel: Linux (bzImage), Multiboot, ELF with the PVH note; on bhyve's "
     "machine ELF or a.out"},
    {OPTION_TEXT, "initrd", FIELD(initrd), "FILE | FILE WORDS,FILE...",
     "its initial RAM disk, or Multiboot modules"},
    {OPTION_TEXT, "append", FIELD(append), "TEXT", "its command line"},
    {OPTION_LIST, "e", FIELD(environment), "NAME=VALUE",
     "a string of its environment, where it has one (-M bhyve)"},
    {OPTION_LIST, "option-rom", FIELD(option_roms), "FILE[,bootindex=N]",
     "an option ROM for the firmware to run"},
    {OPTION_LIST, "drive", FIELD(drives), "file=F,format=raw,if=ide...", "a disk image"},
    {OPTION_LIST, "blockdev", FIELD(blockdevs), "driver=D,node-name=N,file.filename=F...",
     "a disk image for devices to name, or a layer on one; JSON as well"},
    {OPTION_DRIVE, "hda", FIELD(drives), "FILE", "the first IDE disk",
     "index=0,media=disk,file="},
    {OPTION_DRIVE, "hdb", FIELD(drives), "FILE", "the second IDE disk",
     "index=1,media=disk,file="},
    {OPTION_DRIVE, "hdc", FIELD(drives), "FILE", "the third IDE disk",
     "index=2,media=disk,file="},
    {OPTION_DRIVE, "hdd", FIELD(drives), "FILE", "the fourth IDE disk",
     "index=3,media=disk,file="},
    {OPTION_DRIVE, "cdrom", FIELD(drives), "FILE", "the CD-ROM, an ISO image",
     "index=2,media=cdrom,file="},
    {OPTION_DRIVE, "fda", FIELD(drives), "FILE", "the first floppy",
     "if=floppy,index=0,file="},
    {OPTION_DRIVE, "fdb", FIELD(drives), "FILE", "the second floppy",
     "if=floppy,index=1,file="},
    {OPTION_DRIVE, "pflash", FIELD(drives), "FILE", "a flash image", "if=pflash,file="},
    {OPTION_FLAG, "snapshot", FIELD(snapshot), NULL, "forget what is written to disks"},
    {OPTION_LIST, "acpitable", FIELD(acpi_tables), "sig=S,data=FILE | file=FILE",
     "an ACPI table of your own: what is behind its header, or all of it"},
    {OPTION_LIST, "smbios", FIELD(smbioses), "type=N[,field=value...] | file=FILE",
     "what the SMBIOS tables say: types 0, 1, 2, 3, 4, 11 and 17"},
    {OPTION_LIST, "fw_cfg", FIELD(fw_cfgs), "name=N,file=F | name=N,string=S",
     "a file for the firmware"},

    {OPTION_HEADING, "Devices"},
    {OPTION_LIST, "device", FIELD(devices), "DRIVER[,prop=value...]",
     "add a device; 'help' lists them, 'DRIVER,help' its properties"},
    {OPTION_LIST, "set", FIELD(sets), "GROUP.ID.NAME=VALUE",
     "change an option that was given with id=ID: -set device.nic.addr=5"},
    {OPTION_LIST, "global", FIELD(globals), "DRIVER.PROP=VALUE",
     "a property of every device of that driver"},
    {OPTION_LIST, "object", FIELD(objects), "TYPE,id=ID[,prop=value...]",
     "a backend for others to name; 'help' lists them"},
    {OPTION_LIST, "serial", FIELD(serials), "CHARDEV", "a serial port"},
    {OPTION_LIST, "parallel", FIELD(parallels), "CHARDEV", "a parallel port"},
    {OPTION_TEXT, "debugcon", FIELD(debugcon), "CHARDEV",
     "the debug console (isa-debugcon)"},
    {OPTION_LIST, "chardev", FIELD(chardevs), "BACKEND,id=ID...",
     "a character device for others to name"},
    {OPTION_TEXT, "vga", FIELD(vga), "std|none", "the graphics card"},
    {OPTION_TEXT, "display", FIELD(display), "none|vnc=[HOST]:N", "where the screen shows"},
    {OPTION_TEXT, "vnc", FIELD(vnc), "[HOST]:N", "serve the screen by VNC at TCP port 5900 + N"},
    {OPTION_FLAG, "nographic", FIELD(nographic), NULL,
     "no screen; serial port and monitor share the terminal"},

    {OPTION_HEADING, "Monitors and harnesses"},
    {OPTION_LIST, "monitor", FIELD(monitors), "CHARDEV", "the human monitor (HMP)"},
    {OPTION_LIST, "qmp", FIELD(qmps), "CHARDEV", "the machine protocol (QMP)"},
    {OPTION_LIST, "qmp-pretty", FIELD(qmps_pretty), "CHARDEV", "the same, indented"},
    {OPTION_LIST, "msg", FIELD(messages), "timestamp=on|off",
     "put the time before error messages"},
    {OPTION_LIST, "add-fd", FIELD(add_fds), "fd=N,set=N[,opaque=TEXT]",
     "take an inherited file descriptor into a set, /dev/fdset/N"},
    {OPTION_LIST, "mon", FIELD(mons), "chardev=ID,mode=readline|control",
     "a monitor on a chardev"},
    {OPTION_TEXT, "qtest", FIELD(qtest), "CHARDEV",
     "the qtest protocol; implies -accel qtest"},
    {OPTION_TEXT, "qtest-log", FIELD(qtest_log), "FILE|none",
     "its log; without this option, on standard error"},
    {OPTION_TEXT, "gdb", FIELD(gdb), "CHARDEV",
     "wait for GDB there: tcp::1234, unix:PATH,server=on,wait=off"},
    {OPTION_FLAG, "s", FIELD(gdb_default), NULL, "the same as -gdb tcp::1234"},

    {OPTION_LIST, "trace", FIELD(traces), "PATTERN", "report events; 'help' lists them"},
    {OPTION_LIST, "d", FIELD(log_items), "ITEM[,ITEM...]",
     "report groups of events; 'help' lists them"},
    {OPTION_TEXT, "D", FIELD(log_file), "FILE", "where -trace and -d write to"},

    {OPTION_HEADING, "Running"},
    {OPTION_FLAG, "S", FIELD(stopped), NULL, "do not start; the monitor's 'cont' does"},
    {OPTION_TEXT, "incoming", FIELD(incoming),
     "tcp:HOST:PORT|unix:PATH|fd:NAME|exec:CMD|file:PATH|defer",
     "wait for a machine that migrates here; see docs/migration.md"},
    {OPTION_FLAG, "no-reboot", FIELD(no_reboot), NULL, "leave instead of rebooting"},
    {OPTION_FLAG, "no-shutdown", FIELD(no_shutdown), NULL,
     "stop instead of leaving at shutdown"},
    {OPTION_TEXT, "action", FIELD(action),
     "reboot=reset|shutdown,shutdown=poweroff|pause,panic=...,watchdog=...", "the same, by event"},
    {OPTION_TEXT, "watchdog-action", FIELD(watchdog_action),
     "reset|shutdown|poweroff|pause|debug|none|inject-nmi",
     "the same for a watchdog that fires"},
    {OPTION_FLAG, "daemonize", FIELD(daemonize), NULL, "go into the background"},
    {OPTION_TEXT, "pidfile", FIELD(pidfile), "FILE", "write the process's number there"},
    {OPTION_TEXT, "sandbox", FIELD(sandbox), "on[,spawn=deny...]",
     "forbid system calls that are not needed"},
    {OPTION_TEXT, "dump-vmstate", FIELD(dump_vmstate), "FILE",
     "write what devices save, as JSON, and leave"},
    {OPTION_FLAG, "help", FIELD(help), NULL, "this text"},
    {OPTION_FLAG, "h", FIELD(help), NULL, "this text"},
    {OPTION_FLAG, "version", FIELD(version), NULL, "the version"},

    {OPTION_IGNORED, "audio", 0, "X"},
    {OPTION_IGNORED, "audiodev", 0, "X"},
    {OPTION_IGNORED, "nic", 0, "none"},
    {OPTION_IGNORED, "net", 0, "none"},
    {OPTION_IGNORED, "k", 0, "LANG"},
    {OPTION_IGNORED, "run-with", 0, "X"},
    {OPTION_IGNORED, "overcommit", 0, "X"},
    {OPTION_IGNORED, "seed", 0, "N"},
    {OPTION_IGNORED, "echr", 0, "N"},
    {OPTION_IGNORED, "only-migratable", 0, NULL},
};

static const OptionRow *find_option(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].kind != OPTION_HEADING && strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool unknown_option(const char *word, const char *name, GError **error)
{
    const char *names[G_N_ELEMENTS(rows) + 1] = {NULL};
    const char *nearest;
    size_t n = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].help) {
            names[n++] = rows[i].name;
        }
    }
    nearest = nearest_name(name, names);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s: invalid option%s%s%s",
                word, nearest ? "; did you mean '-" : " (-help lists them)",
                nearest ? nearest : "", nearest ? "'?" : "");
    return false;
}

static void store(SystemOptions *options, const OptionRow *row, const char *argument)
{
    void *field = (char *)options + row->offset;

    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        break;
    case OPTION_TEXT:
        g_free(*(char **)field);
        *(char **)field = g_strdup(argument);
        break;
    case OPTION_LIST:
        g_ptr_array_add(*(GPtrArray **)field, g_strdup(argument));
        break;
    case OPTION_DRIVE: {
        /* A comma in a file's name is doubled in an option string. */
        g_auto(GStrv) parts = g_strsplit(argument, ",", -1);
        g_autofree char *escaped = g_strjoinv(",,", parts);

        g_ptr_array_add(*(GPtrArray **)field, g_strconcat(row->prefix, escaped, NULL));
        break;
    }
    default:
        break;
    }
}

static void make_lists(SystemOptions *options)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        GPtrArray **list = (GPtrArray **)(void *)((char *)options + rows[i].offset);

        if ((rows[i].kind == OPTION_LIST || rows[i].kind == OPTION_DRIVE) && !*list) {
            *list = g_ptr_array_new_with_free_func(g_free);
        }
    }
}

bool system_options_parse(SystemOptions *options, int argc, char **argv, GError **error)
{
    memset(options, 0, sizeof(*options));
    make_lists(options);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        const char *name = word + (g_str_has_prefix(word, "--") ? 2 : 1);
        const OptionRow *row;

        if (word[0] != '-') { /* QEMU: a bare word is the first disk */
            store(options, find_option("hda"), word);
            continue;
        }
        row = find_option(name);
        if (!row) {
            return unknown_option(word, name, error);
        }
        if (row->argument && i + 1 >= argc) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        "%s: requires an argument: %s %s", word, word, row->argument);
            return false;
        }
        store(options, row, row->argument ? argv[++i] : NULL);
    }
    if (options->enable_kvm) {
        g_ptr_array_insert(options->accels, 0, g_strdup("kvm"));
    }
    g_ptr_array_add(options->accels, NULL);
    return true;
}

bool system_options_add(SystemOptions *options, const char *name, const char *argument,
                        GError **error)
{
    const OptionRow *row = find_option(name);

    if (!row || !row->argument) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "There is no option group '%s'", name);
        return false;
    }
    store(options, row, argument);
    return true;
}

/* "device", "id", "name=value" of "device.id.name=value". */
static bool split_set(const char *text, char *parts[3])
{
    const char *first = strchr(text, '.'), *second = first ? strchr(first + 1, '.') : NULL;

    if (!second || !strchr(second, '=')) {
        return false;
    }
    parts[0] = g_strndup(text, (gsize)(first - text));
    parts[1] = g_strndup(first + 1, (gsize)(second - first - 1));
    parts[2] = g_strdup(second + 1);
    return true;
}

static bool has_id(const char *argument, const char *id)
{
    g_autoptr(OptionString) options = option_string_parse(argument, "");

    return g_strcmp0(option_string_get(options, "id"), id) == 0;
}

bool system_options_set(SystemOptions *options, const char *text, GError **error)
{
    char *parts[3] = {NULL};
    bool well_formed = split_set(text, parts);
    g_autofree char *group = parts[0], *id = parts[1], *value = parts[2];
    const OptionRow *row = well_formed ? find_option(group) : NULL;
    GPtrArray *list =
        row && row->kind == OPTION_LIST
            ? *(GPtrArray **)(void *)((char *)options + row->offset)
            : NULL;

    if (!well_formed) {
        return refuse_argument(error, "cannot parse '%s'; write GROUP.ID.NAME=VALUE", text);
    }
    if (!list) {
        return refuse_argument(error, "There is no option group '%s'", group);
    }
    for (guint i = 0; i < list->len; i++) {
        char *argument = list->pdata[i];

        if (argument && has_id(argument, id)) {
            list->pdata[i] = g_strconcat(argument, ",", value, NULL);
            g_free(argument);
            return true;
        }
    }
    return refuse_argument(error, "there is no %s \"%s\" defined; give it id=%s", group, id,
                           id);
}

char *system_options_help(const char *program)
{
    GString *out = g_string_new(NULL);

    g_string_append_printf(
        out,
        "usage: %s [options] [disk image]\n\n"
        "Runs a PC on a memory-region tree. QEMU's options and protocols work here.\n\n"
        "Boot SeaBIOS and watch its log:\n"
        "  %s -nodefaults -display none -global isa-debugcon.iobase=0x402 "
        "-debugcon stdio\n"
        "Ask what the guest's addresses mean:\n"
        "  %s -S -nodefaults -display none -monitor stdio   (then: info mtree -f)\n",
        program, program, program);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const OptionRow *row = &rows[i];

        if (row->kind == OPTION_HEADING) {
            g_string_append_printf(out, "\n%s:\n", row->name);
        } else if (row->help) {
            g_autofree char *left =
                g_strdup_printf("-%s %s", row->name, row->argument ? row->argument : "");

            if (strlen(left) > 34) {
                g_string_append_printf(out, "  %s\n  %-34s  %s\n", left, "", row->help);
            } else {
                g_string_append_printf(out, "  %-34s  %s\n", left, row->help);
            }
        }
    }
    return g_string_free(out, false);
}
