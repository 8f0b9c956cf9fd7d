/*
 * -drive: its options, and the drives that they made.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/backend.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/core/option-string.h"
#include "hw/core/property.h"
#include "memory/types.h"

#define DRIVE_UNITS_MAX 255

static GPtrArray *drives; /* BlockBackend *, in the order of the command line */

/* -- The option's text --------------------------------------------------------------- */

typedef enum DriveOptionKind {
    DRIVE_TEXT,
    DRIVE_CHOICE, /* text that is one of `choices` */
    DRIVE_BOOL,
    DRIVE_NUMBER,   /* 0 .. DRIVE_UNITS_MAX */
    DRIVE_CDROM,    /* one of `choices`, of which "cdrom" sets the field */
    DRIVE_POLICY,   /* an error policy: one of `choices`, in BlockErrorPolicy's order */
    DRIVE_NODE,     /* an option of the image's node */
    DRIVE_HARMLESS, /* one of `choices`, or on/off where there are none: no effect */
} DriveOptionKind;

typedef struct DriveOption {
    const char *name;
    DriveOptionKind kind;
    size_t offset; /* in DriveOptions */
    const char *choices[8];
} DriveOption;

#define FIELD(name) offsetof(DriveOptions, name)

/* The harmless ones say how QEMU does its I/O, and nothing that the guest could see. An
 * option that would be missed when ignored (throttling) is not here. What
 * has a dot, "file.locking" or "server.host", is for the image's nodes too. */
static const DriveOption drive_option_table[] = {
    {"file", DRIVE_TEXT, FIELD(file)},
    {"format", DRIVE_TEXT, FIELD(format)},
    {"driver", DRIVE_TEXT, FIELD(format)},
    {"id", DRIVE_TEXT, FIELD(id)},
    {"if", DRIVE_CHOICE, FIELD(interface), {"ide", "floppy", "none", "pflash"}},
    {"bus", DRIVE_NUMBER, FIELD(bus)},
    {"unit", DRIVE_NUMBER, FIELD(unit)},
    {"index", DRIVE_NUMBER, FIELD(index)},
    {"media", DRIVE_CDROM, FIELD(cdrom), {"disk", "cdrom"}},
    {"readonly", DRIVE_BOOL, FIELD(readonly)},
    {"read-only", DRIVE_BOOL, FIELD(readonly)},
    {"snapshot", DRIVE_BOOL, FIELD(snapshot)},
    {"cache",
     DRIVE_CHOICE,
     FIELD(cache),
     {"writeback", "writethrough", "none", "directsync", "unsafe", "off"}},
    {"werror", DRIVE_POLICY, FIELD(write_errors), {"report", "ignore", "stop", "enospc"}},
    {"rerror", DRIVE_POLICY, FIELD(read_errors), {"report", "ignore", "stop"}},
    {"aio", DRIVE_HARMLESS, 0, {"threads", "native", "io_uring"}},
    {"cache.writeback", DRIVE_HARMLESS, 0},
    {"node-name", DRIVE_NODE},
    {"discard", DRIVE_NODE},
    {"detect-zeroes", DRIVE_NODE},
    {"auto-read-only", DRIVE_NODE},
    {"force-share", DRIVE_NODE},
    {"offset", DRIVE_NODE},
    {"size", DRIVE_NODE},
    {"read-zeroes", DRIVE_NODE},
    {"latency-ns", DRIVE_NODE},
    {"export", DRIVE_NODE},
    {"filename", DRIVE_NODE},
    {"locking", DRIVE_NODE},
};

static const DriveOption *drive_option_find(const char *name, GError **error)
{
    static const DriveOption of_node = {"", DRIVE_NODE};
    const char *names[G_N_ELEMENTS(drive_option_table) + 1] = {0};

    for (unsigned i = 0; i < G_N_ELEMENTS(drive_option_table); i++) {
        names[i] = drive_option_table[i].name;
        if (strcmp(names[i], name) == 0) {
            return &drive_option_table[i];
        }
    }

    if (strchr(name, '.')) {
        return &of_node;
    }

    const char *nearest = nearest_name(name, names);

    if (nearest) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Invalid parameter '%s'; did you mean '%s'?", name, nearest);
    } else {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Invalid parameter '%s'; write for example file=disk.img,format=raw",
                    name);
    }
    return NULL;
}

static bool drive_choice_ok(const DriveOption *option, const char *value, GError **error)
{
    static const char *const switches[] = {"on", "off", NULL};
    const char *const *choices = option->choices[0] ? option->choices : switches;

    if (g_strv_contains(choices, value)) {
        return true;
    }

    char *list = g_strjoinv(", ", (char **)choices);

    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "Parameter '%s' does not take '%s', but one of: %s", option->name, value,
                list);
    g_free(list);
    return false;
}

static bool drive_option_set(DriveOptions *options, const DriveOption *option,
                             const char *value, GError **error)
{
    void *field = (char *)options + option->offset;
    const char *expected = NULL;
    uint64_t number;

    switch (option->kind) {
    case DRIVE_CHOICE:
        if (!drive_choice_ok(option, value, error)) {
            return false;
        }
        /* fall through */
    case DRIVE_TEXT:
        g_free(*(char **)field);
        *(char **)field = g_strdup(value);
        break;
    case DRIVE_CDROM:
    case DRIVE_POLICY:
    case DRIVE_HARMLESS:
        if (!drive_choice_ok(option, value, error)) {
            return false;
        }
        if (option->kind == DRIVE_CDROM) {
            *(bool *)field = strcmp(value, "cdrom") == 0;
        } else if (option->kind == DRIVE_POLICY) {
            for (int i = 0; option->choices[i]; i++) {
                if (strcmp(option->choices[i], value) == 0) {
                    *(int *)field = i;
                }
            }
        }
        break;
    case DRIVE_BOOL:
        expected = parse_bool(value, field) ? NULL : "'on' or 'off'";
        break;
    case DRIVE_NUMBER:
        if (parse_uint64(value, DRIVE_UNITS_MAX, &number)) {
            *(int *)field = (int)number;
        } else {
            expected = "a number from 0 to 255";
        }
        break;
    case DRIVE_NODE:
        break;
    }
    if (expected) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "Parameter '%s' expects %s", option->name, expected);
        return false;
    }
    return true;
}

/* What is for the image's nodes is added to `node`. */
static bool drive_parse(DriveOptions *options, OptionString *node, const char *text,
                        GError **error)
{
    g_autoptr(OptionString) parts = option_string_parse(text, NULL);

    *options = (DriveOptions){
        .bus = -1, .unit = -1, .index = -1, .write_errors = BLOCK_ERROR_ENOSPC};
    for (guint i = 0; i < parts->count; i++) {
        const OptionPair *pair = &parts->pairs[i];
        const DriveOption *option = drive_option_find(pair->key, error);

        if (!option || !drive_option_set(options, option, pair->value, error)) {
            return false;
        }
        if (option->kind == DRIVE_NODE) {
            option_string_add(node, pair->key, pair->value);
        }
    }
    if (!options->interface) {
        options->interface = g_strdup("ide");
    }
    if (options->file && !*options->file) {
        g_clear_pointer(&options->file, g_free);
    }
    return true;
}

/* -- Places and names ---------------------------------------------------------------- */

static unsigned units_per_bus(const char *interface)
{
    return strcmp(interface, "ide") == 0 ? 2 : DRIVE_UNITS_MAX + 1;
}

static BlockBackend *drive_at(const char *interface, int bus, int unit)
{
    for (unsigned i = 0; drives && i < drives->len; i++) {
        BlockBackend *drive = g_ptr_array_index(drives, i);

        if (strcmp(drive->options.interface, interface) == 0 &&
            drive->options.bus == bus && drive->options.unit == unit) {
            return drive;
        }
    }
    return NULL;
}

/* Settles bus and unit from what was given of index, bus and unit. */
static bool drive_place(DriveOptions *options, GError **error)
{
    const char *interface = options->interface;
    int units = (int)units_per_bus(interface);

    if (options->index >= 0) {
        if (options->bus >= 0 || options->unit >= 0) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        "index cannot be used with bus and unit; give one or the other");
            return false;
        }
        options->bus = options->index / units;
        options->unit = options->index % units;
    }
    options->bus = MAX(options->bus, 0);
    if (options->unit < 0) {
        options->unit = 0;
        while (drive_at(interface, options->bus, options->unit)) {
            if (++options->unit >= units) {
                options->unit = 0;
                options->bus++;
            }
        }
    }
    if (options->unit >= units) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "unit %d too big (the largest of if=%s is %d)", options->unit,
                    interface, units - 1);
        return false;
    }
    options->index = options->bus * units + options->unit;

    BlockBackend *other = drive_at(interface, options->bus, options->unit);

    if (other) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "drive with bus=%d, unit=%d (index=%d) exists: '%s'; give this one "
                    "another index",
                    options->bus, options->unit, options->index, other->options.id);
        return false;
    }
    return true;
}

bool drive_id_well_formed(const char *id)
{
    if (!g_ascii_isalpha(*id)) {
        return false;
    }
    for (const char *p = id; *p; p++) {
        if (!g_ascii_isalnum(*p) && !strchr("-._", *p)) {
            return false;
        }
    }
    return true;
}

/* Settles the name: "ide0-hd1", "ide1-cd0", "floppy0" where none was given. */
static bool drive_name(DriveOptions *options, GError **error)
{
    if (!options->id) {
        if (strcmp(options->interface, "ide") == 0) {
            options->id = g_strdup_printf("ide%d-%s%d", options->bus,
                                          options->cdrom ? "cd" : "hd", options->unit);
        } else {
            options->id = g_strdup_printf("%s%d", options->interface, options->unit);
        }
    }
    if (!drive_id_well_formed(options->id)) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "Parameter 'id' expects an identifier: a letter, then letters, digits, "
            "'-', '.' and '_', not '%s'",
            options->id);
        return false;
    }
    if (drive_find(options->id) || block_node_find(options->id)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "Duplicate ID '%s' for drive; give this one another id", options->id);
        return false;
    }
    return true;
}

/* -- Drives -------------------------------------------------------------------------- */

static void drive_free(void *data)
{
    BlockBackend *drive = data;
    DriveOptions *options = &drive->options;

    block_eject(drive);
    g_free(options->id);
    g_free(options->file);
    g_free(options->interface);
    g_free(options->format);
    g_free(options->cache);
    g_free(drive);
}

/* Opens what file= or file.driver= names, or a driver that needs neither. */
static bool drive_open_image(BlockBackend *drive, OptionString *node, GError **error)
{
    const DriveOptions *options = &drive->options;
    bool nested = false;

    for (guint i = 0; i < node->count; i++) {
        nested |= g_str_has_prefix(node->pairs[i].key, "file.");
    }
    if (options->file && !nested && options->format &&
        g_str_has_prefix(options->format, "null-")) {
        return block_insert_options(drive, options->file, NULL, node, error);
    }
    if (options->file || nested) {
        return block_insert_options(drive, options->file, options->format, node, error);
    }
    if (!options->format) { /* a drive without a medium */
        option_string_free(node);
        return true;
    }
    return block_insert_driver(drive, options->format, node, error);
}

static bool drive_open(BlockBackend *drive, const char *text, GError **error)
{
    DriveOptions *options = &drive->options;
    OptionString *node = option_string_new();

    if (!drive_parse(options, node, text, error) || !drive_place(options, error) ||
        !drive_name(options, error)) {
        option_string_free(node);
        return false;
    }
    drive->readonly = options->readonly || options->cdrom;
    return drive_open_image(drive, node, error);
}

static void add_drive(BlockBackend *drive)
{
    drive->medium_changes = 0;
    if (!drives) {
        drives = g_ptr_array_new_with_free_func(drive_free);
    }
    g_ptr_array_add(drives, drive);
}

BlockBackend *drive_new(const char *options, GError **error)
{
    BlockBackend *drive = g_new0(BlockBackend, 1);

    if (!drive_open(drive, options, error)) {
        drive_free(drive);
        return NULL;
    }
    add_drive(drive);
    return drive;
}

BlockBackend *drive_new_legacy(const char *option, const char *file, GError **error)
{
    static const struct {
        const char *option, *meaning;
    } table[] = {
        {"hda", "media=disk,index=0"},    {"hdb", "media=disk,index=1"},
        {"hdc", "media=disk,index=2"},    {"hdd", "media=disk,index=3"},
        {"cdrom", "media=cdrom,index=2"}, {"fda", "if=floppy,index=0"},
        {"fdb", "if=floppy,index=1"},     {"pflash", "if=pflash"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        if (strcmp(table[i].option, option) == 0) {
            char **parts = g_strsplit(file, ",", -1);
            char *escaped = g_strjoinv(",,", parts);
            char *text = g_strdup_printf("%s,file=%s", table[i].meaning, escaped);
            BlockBackend *drive = drive_new(text, error);

            g_free(text);
            g_free(escaped);
            g_strfreev(parts);
            return drive;
        }
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "'-%s' is not an option for a drive; use -drive", option);
    return NULL;
}

BlockBackend *drive_take(const char *interface, int bus, int unit)
{
    BlockBackend *drive = drive_at(interface, bus, unit);

    if (!drive || drive->taken) {
        return NULL;
    }
    drive->taken = true;
    return drive;
}

/* A drive of no name, which is gone when its device gives it back. */
static BlockBackend *new_nameless(bool readonly)
{
    BlockBackend *drive = g_new0(BlockBackend, 1);

    drive->options.interface = g_strdup("none");
    drive->options.readonly = drive->readonly = readonly;
    drive->options.write_errors = BLOCK_ERROR_ENOSPC;
    drive->taken = true;
    return drive;
}

BlockBackend *drive_new_empty(bool readonly)
{
    BlockBackend *drive = new_nameless(readonly);

    add_drive(drive);
    return drive;
}

static BlockBackend *new_around_node(BlockNode *node, bool write, GError **error)
{
    BlockBackend *drive = new_nameless(!write);

    if (!block_insert_node(drive, node, error)) {
        drive_free(drive);
        return NULL;
    }
    add_drive(drive);
    return drive;
}

BlockBackend *drive_take_by_id(const char *id, bool write, GError **error)
{
    BlockBackend *drive = drive_find(id);
    BlockNode *node = drive ? NULL : block_node_find(id);

    if (node) {
        return new_around_node(node, write, error);
    }
    if (!drive) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
            "there is no drive '%s'; define it with -drive if=none,id=%s,file=... or "
            "-blockdev",
            id, id);
        return NULL;
    }
    if (drive->taken) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_BUSY,
            "Drive '%s' is already in use by another block device; each device needs "
            "its own",
            id);
        return NULL;
    }
    drive->taken = true;
    return drive;
}

void drive_release(BlockBackend *drive)
{
    drive->taken = false;
    block_set_device(drive, NULL, NULL, NULL);
    if (!drive->options.id) {
        g_ptr_array_remove(drives, drive);
    }
}

void drive_delete(BlockBackend *drive)
{
    block_eject(drive);
    drive->options.read_errors = drive->options.write_errors = BLOCK_ERROR_REPORT;
    if (drive->taken) {
        g_clear_pointer(&drive->options.id, g_free);
    } else {
        g_ptr_array_remove(drives, drive);
    }
}

BlockBackend *drive_find(const char *id)
{
    for (unsigned i = 0; drives && i < drives->len; i++) {
        BlockBackend *drive = g_ptr_array_index(drives, i);

        if (g_strcmp0(drive->options.id, id) == 0) {
            return drive;
        }
    }
    return NULL;
}

BlockBackend *drive_find_by_device(const char *id)
{
    for (unsigned i = 0; drives && i < drives->len; i++) {
        BlockBackend *drive = g_ptr_array_index(drives, i);
        const Device *device = drive->device;

        if (device &&
            (g_strcmp0(device->id, id) == 0 || g_strcmp0(device->path, id) == 0)) {
            return drive;
        }
    }
    return NULL;
}

void drive_foreach(void (*func)(BlockBackend *drive, void *opaque), void *opaque)
{
    for (unsigned i = 0; drives && i < drives->len; i++) {
        func(g_ptr_array_index(drives, i), opaque);
    }
}

const DriveOptions *drive_options(const BlockBackend *drive)
{
    return &drive->options;
}

bool drive_check_all_taken(GError **error)
{
    for (unsigned i = 0; drives && i < drives->len; i++) {
        const BlockBackend *drive = g_ptr_array_index(drives, i);
        const DriveOptions *options = &drive->options;

        if (!drive->taken && strcmp(options->interface, "none") != 0) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "machine type does not support if=%s,bus=%d,unit=%d (drive '%s'); "
                "use another place, or if=none and -device",
                options->interface, options->bus, options->unit, options->id);
            return false;
        }
    }
    return true;
}

void drive_cleanup(void)
{
    g_clear_pointer(&drives, g_ptr_array_unref);
}
