/*
 * QMP: what a person would do with keyboard and mouse.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "hw/core/device.h"
#include "hw/input/keys.h"
#include "hw/input/position.h"
#include "machine/monitor/qmp.h"
#include "machine/run-state.h"

/* -- send-key -------------------------------------------------------------------- */

/* A KeyValue in the spelling of sendkey. */
static void append_key(GString *keys, JsonObject *key)
{
    g_string_append(keys, keys->len ? "-" : "");
    if (strcmp(json_object_get_string_member(key, "type"), "qcode") == 0) {
        g_string_append(keys, json_object_get_string_member(key, "data"));
    } else {
        g_string_append_printf(keys, "0x%x",
                               (unsigned)json_object_get_int_member(key, "data"));
    }
}

static JsonNode *run_send_key(JsonObject *args, GError **error)
{
    JsonArray *keys = json_object_get_array_member(args, "keys");
    gint64 hold = json_object_get_int_member_with_default(args, "hold-time", 0);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < json_array_get_length(keys); i++) {
        append_key(text, json_array_get_object_element(keys, i));
    }
    if (text->len) {
        input_send_key_combination(text->str, (int)CLAMP(hold, 0, G_MAXINT), error);
    }
    return NULL;
}

/* -- input-send-event ------------------------------------------------------------ */

/* What moves and notches add up to until a button changes. */
typedef struct Moves {
    int dx, dy, dz;
    bool placed;
} Moves;

/* Of whoever takes places: where the pointer was put last, and its buttons. */
static struct {
    unsigned x, y, buttons;
} place;

static void flush(Moves *moves)
{
    if (moves->placed || (moves->dz && input_wants_position())) {
        input_send_position(place.x, place.y, moves->dz, place.buttons);
        moves->dz = 0;
    }
    if (moves->dx || moves->dy || moves->dz) {
        input_send_pointer(moves->dx, moves->dy, moves->dz, input_pointer_buttons());
    }
    *moves = (Moves){0};
}

static void send_key(JsonObject *data)
{
    JsonObject *key = json_object_get_object_member(data, "key");
    int code =
        strcmp(json_object_get_string_member(key, "type"), "qcode") == 0
            ? input_key_from_name(json_object_get_string_member(key, "data"))
            : input_key_from_number((uint64_t)json_object_get_int_member(key, "data"));

    input_send_key(code, json_object_get_boolean_member(data, "down"));
}

static void send_button(Moves *moves, JsonObject *data)
{
    static const struct {
        const char *name;
        unsigned bit;
        int notch;
    } buttons[] = {{"left", 1},   {"right", 2},        {"middle", 4},       {"side", 8},
                   {"extra", 16}, {"wheel-up", 0, -1}, {"wheel-down", 0, 1}};
    const char *name = json_object_get_string_member(data, "button");
    bool down = json_object_get_boolean_member(data, "down");

    for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++) {
        if (strcmp(buttons[i].name, name) != 0) {
            continue;
        }
        if (buttons[i].bit && input_wants_position()) {
            place.buttons =
                (place.buttons & ~buttons[i].bit) | (down ? buttons[i].bit : 0);
            moves->placed = true;
        } else if (buttons[i].bit) {
            unsigned others = input_pointer_buttons() & ~buttons[i].bit;

            flush(moves);
            input_send_pointer(0, 0, 0, others | (down ? buttons[i].bit : 0));
        } else if (down) {
            moves->dz += buttons[i].notch;
        }
    }
}

static void send_place(Moves *moves, JsonObject *data)
{
    unsigned value =
        (unsigned)CLAMP(json_object_get_int_member(data, "value"), 0, INPUT_POSITION_MAX);

    *(strcmp(json_object_get_string_member(data, "axis"), "x") == 0 ? &place.x
                                                                    : &place.y) = value;
    moves->placed = true;
}

static void send_event(Moves *moves, JsonObject *event)
{
    const char *type = json_object_get_string_member(event, "type");
    JsonObject *data = json_object_get_object_member(event, "data");

    if (strcmp(type, "key") == 0) {
        flush(moves);
        send_key(data);
    } else if (strcmp(type, "btn") == 0) {
        send_button(moves, data);
    } else if (strcmp(type, "abs") == 0) {
        send_place(moves, data);
    } else {
        int value = (int)CLAMP(json_object_get_int_member(data, "value"), -G_MAXINT16,
                               G_MAXINT16);
        int *sum = strcmp(json_object_get_string_member(data, "axis"), "x") == 0
                       ? &moves->dx
                       : &moves->dy;

        *sum = CLAMP(*sum + value, -G_MAXINT16, G_MAXINT16);
    }
}

static bool has_handler(const char *type)
{
    return strcmp(type, "key") == 0   ? input_has_keyboard()
           : strcmp(type, "abs") == 0 ? input_wants_position()
                                      : input_has_pointer() || input_wants_position();
}

static JsonNode *run_send_event(JsonObject *args, GError **error)
{
    const char *device = json_object_get_string_member_with_default(args, "device", NULL);
    JsonArray *events = json_object_get_array_member(args, "events");
    Moves moves = {0};

    if (device && !device_find_by_id(device)) {
        g_set_error(error, QMP_ERROR, QMP_DEVICE_NOT_FOUND, "Device '%s' not found",
                    device);
        return NULL;
    }
    if (!run_state_running() && run_state() != RUN_STATE_SUSPENDED) {
        g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR, "VM not running");
        return NULL;
    }
    /* All of them or none. */
    for (guint i = 0; i < json_array_get_length(events); i++) {
        const char *type = json_object_get_string_member(
            json_array_get_object_element(events, i), "type");

        if (!has_handler(type)) {
            g_set_error(error, QMP_ERROR, QMP_GENERIC_ERROR,
                        "Input handler not found for event type %s", type);
            return NULL;
        }
    }
    for (guint i = 0; i < json_array_get_length(events); i++) {
        send_event(&moves, json_array_get_object_element(events, i));
    }
    flush(&moves);
    return NULL;
}

/* -- Who listens ----------------------------------------------------------------- */

/* The number is the one that QEMU's only mouse has. */
static JsonNode *query_mice(JsonObject *args, GError **error)
{
    JsonArray *list = json_array_new();

    if (input_has_pointer()) {
        json_array_add_element(list,
                               qmp_object("index:i,name:s,current:b,absolute:b",
                                          (gint64)2, "QEMU PS/2 Mouse", true, false));
    }
    return qmp_array(list);
}

const QmpCommand qmp_input_commands[] = {
    {"send-key", "keys:[KeyValue],hold-time:int?", run_send_key},
    {"input-send-event", "device:str?,head:int?,events:[InputEvent]", run_send_event},
    {"query-mice", "", query_mice, "[MouseInfo]"},
    {NULL},
};
