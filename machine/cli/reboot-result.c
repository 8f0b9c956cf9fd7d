/*
 * A row of `umbra reboot`: how it crosses from the process that ran it, and what was
 * expected of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/cli/reboot.h"
#include "machine/machine.h"

static const char *const method_names[REBOOT_METHODS] = {
    [REBOOT_BY_BIOS] = "bios",
    [REBOOT_BY_KBD] = "kbd",
    [REBOOT_BY_PCI] = "pci",
    [REBOOT_BY_PORT92] = "port92",
    [REBOOT_BY_TRIPLE] = "triple",
    [REBOOT_BY_CTRL_ALT_DEL] = "ctrl-alt-del",
    [REBOOT_BY_S3] = "s3",
};

static const char *const event_names[] = {
    [REBOOT_EVENT_PAM] = "pam",
    [REBOOT_EVENT_RESET] = "reset",
    [REBOOT_EVENT_BOOT] = "boot",
};

static const char *const outcomes[] = {"rebooted", "resumed",     "shutdown", "hung",
                                       "fault",    "unsupported", "saved",    "refused"};

const char *reboot_method_name(RebootMethod method)
{
    return method_names[method];
}

static void event_free(gpointer data)
{
    RebootEvent *event = data;

    g_free(event->text);
    g_free(event);
}

RebootRow *reboot_row_new(const char *machine, const char *accel, const char *firmware,
                          RebootMethod method, unsigned times)
{
    RebootRow *row = g_new0(RebootRow, 1);

    row->machine = g_strdup(machine);
    row->accel = g_strdup(accel);
    row->firmware = g_strdup(firmware);
    row->method = method;
    row->times = times;
    row->outcome = "hung";
    row->expected = reboot_expected(machine, method, NULL);
    row->pristine = -1;
    row->events = g_ptr_array_new_with_free_func(event_free);
    return row;
}

void reboot_row_free(RebootRow *row)
{
    g_free(row->machine);
    g_free(row->accel);
    g_free(row->firmware);
    g_free(row->reason);
    g_ptr_array_unref(row->events);
    g_free(row);
}

void reboot_row_add_event(RebootRow *row, RebootEvent event)
{
    g_ptr_array_add(row->events, g_memdup2(&event, sizeof(event)));
}

/* -- Expectations ------------------------------------------------------------------------ */

/* What a variant of a machine type (with properties) does on the real system where it does
 * not simply reboot. Of the types themselves their MachineType says it. */
typedef struct Expectation {
    const char *machine;
    int method; /* RebootMethod; or ANY_METHOD */
    const char *outcome;
    const char *why;
} Expectation;

#define ANY_METHOD -1

static const Expectation expectations[] = {
    {"rhel6.5.0,emulator=rhel6,reload-firmware=off", REBOOT_BY_S3, "resumed", NULL},
    {"rhel6.5.0,emulator=rhel6,reload-firmware=off", ANY_METHOD, "shutdown",
     "the writable BIOS block, shown in both places, has no pristine copy: SeaBIOS finds "
     "its own traces below 4 GiB and switches off instead of rebooting for ever"},
};

const char *const *reboot_variants(void)
{
    static const char *const variants[] = {
        "rhel6.5.0,emulator=rhel6", "rhel6.5.0,emulator=rhel6,reload-firmware=off", NULL};

    return variants;
}

static const MachineReboot *find_of_type(const char *name, RebootMethod method)
{
    const MachineType *type = machine_type_find(name, NULL);

    for (const MachineReboot *known = type ? type->reboots : NULL; known && known->method;
         known++) {
        if (strcmp(known->method, method_names[method]) == 0) {
            return known;
        }
    }
    return NULL;
}

const char *reboot_expected(const char *machine, RebootMethod method, const char **why)
{
    const MachineReboot *of_type = find_of_type(machine, method);

    for (size_t i = 0; i < G_N_ELEMENTS(expectations); i++) {
        const Expectation *known = &expectations[i];

        if ((known->method == ANY_METHOD || known->method == (int)method) &&
            strcmp(known->machine, machine) == 0) {
            if (why) {
                *why = known->why;
            }
            return known->outcome;
        }
    }
    if (of_type) {
        if (why) {
            *why = of_type->why;
        }
        return of_type->outcome;
    }
    return method == REBOOT_BY_S3 ? "resumed" : "rebooted";
}

/* -- JSON ------------------------------------------------------------------------ */

static void member_string(JsonBuilder *builder, const char *name, const char *text)
{
    json_builder_set_member_name(builder, name);
    if (text) {
        json_builder_add_string_value(builder, text);
    } else {
        json_builder_add_null_value(builder);
    }
}

static void member_int(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

static void member_double(JsonBuilder *builder, const char *name, double value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_double_value(builder, value);
}

static void member_pristine(JsonBuilder *builder, int pristine)
{
    json_builder_set_member_name(builder, "pristine");
    if (pristine < 0) {
        json_builder_add_null_value(builder);
    } else {
        json_builder_add_boolean_value(builder, pristine);
    }
}

static void add_event(JsonBuilder *builder, const RebootEvent *event)
{
    json_builder_begin_object(builder);
    member_string(builder, "kind", event_names[event->kind]);
    member_double(builder, "seconds", event->seconds);
    member_int(builder, "register", event->reg);
    member_int(builder, "before", event->before);
    member_int(builder, "after", event->after);
    member_string(builder, "text", event->text);
    member_pristine(builder, event->pristine);
    json_builder_end_object(builder);
}

JsonNode *reboot_row_to_json(const RebootRow *row, bool with_events)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    member_string(builder, "machine", row->machine);
    member_string(builder, "accel", row->accel);
    member_string(builder, "method", reboot_method_name(row->method));
    member_string(builder, "outcome", row->outcome);
    member_string(builder, "expected", row->expected);
    member_int(builder, "boots", row->boots);
    member_pristine(builder, row->pristine);
    member_int(builder, "pam_writes", row->pam_writes);
    member_double(builder, "seconds", row->seconds);
    member_string(builder, "reason", row->reason);
    if (with_events) {
        json_builder_set_member_name(builder, "events");
        json_builder_begin_array(builder);
        for (guint i = 0; i < row->events->len; i++) {
            add_event(builder, row->events->pdata[i]);
        }
        json_builder_end_array(builder);
    }
    json_builder_end_object(builder);
    return json_builder_get_root(builder);
}

static int name_index(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (g_strcmp0(names[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void take_event(JsonArray *array, guint index, JsonNode *node, gpointer opaque)
{
    JsonObject *object = json_node_get_object(node);
    int kind = name_index(event_names, G_N_ELEMENTS(event_names),
                          json_object_get_string_member(object, "kind"));

    if (kind >= 0) {
        reboot_row_add_event(
            opaque, (RebootEvent){
                        .kind = (RebootEventKind)kind,
                        .seconds = json_object_get_double_member(object, "seconds"),
                        .reg = (unsigned)json_object_get_int_member(object, "register"),
                        .before = (unsigned)json_object_get_int_member(object, "before"),
                        .after = (unsigned)json_object_get_int_member(object, "after"),
                        .text = g_strdup(json_object_get_string_member(object, "text")),
                        .pristine = json_object_get_boolean_member(object, "pristine"),
                    });
    }
}

bool reboot_row_from_json(RebootRow *row, const char *text)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object;
    int outcome;

    if (!json_parser_load_from_data(parser, text, -1, NULL) ||
        !json_parser_get_root(parser) ||
        !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser))) {
        return false;
    }
    object = json_node_get_object(json_parser_get_root(parser));
    outcome =
        name_index(outcomes, G_N_ELEMENTS(outcomes),
                   json_object_get_string_member_with_default(object, "outcome", ""));
    if (outcome < 0) {
        return false;
    }
    row->outcome = outcomes[outcome];
    row->boots = (unsigned)json_object_get_int_member(object, "boots");
    row->pristine = json_object_get_null_member(object, "pristine")
                        ? -1
                        : json_object_get_boolean_member(object, "pristine");
    row->pam_writes = (unsigned)json_object_get_int_member(object, "pam_writes");
    row->seconds = json_object_get_double_member(object, "seconds");
    row->reason = g_strdup(json_object_get_string_member(object, "reason"));
    if (json_object_has_member(object, "events")) {
        json_array_foreach_element(json_object_get_array_member(object, "events"),
                                   take_event, row);
    }
    return true;
}
