/*
 * Keyboard and mouse in a migration stream.
 *
 * QEMU translates scan codes when it queues them, and a byte stays in the queue until the
 * host reads it. Here the controller translates, and takes a byte ahead. So the stream's
 * queue is the byte that the controller holds and then ours, as the host will read them;
 * and what arrives translated is put back into the codes that it came from.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>

#include "hw/input/keys.h"
#include "hw/input/ps2.h"

enum { WIRE_QUEUE = 256, PREFIX_BREAK = 0xf0 };

/* -- What both have ------------------------------------------------------------------ */

typedef struct WirePS2 {
    int32_t write_cmd; /* -1: none */
    struct {
        int32_t rptr, wptr, count;
        uint8_t data[WIRE_QUEUE];
    } queue;
} WirePS2;

static void ps2_to_wire(void *opaque, void *data)
{
    const PS2Device *ps2 = opaque;
    WirePS2 *wire = data;
    bool break_pending = false;

    wire->write_cmd = ps2->pending_command ? ps2->pending_command : -1;
    if (ps2->held) {
        wire->queue.data[wire->queue.count++] = ps2->held_byte;
    }
    for (unsigned i = 0; i < ps2->count; i++) {
        uint8_t byte = ps2->queue[(ps2->first + i) % PS2_QUEUE_SIZE];

        if (ps2->translated) {
            if (byte == PREFIX_BREAK) {
                break_pending = true;
                continue;
            }
            byte = input_key_set2_to_set1(byte) | (break_pending ? 0x80 : 0);
            break_pending = false;
        }
        wire->queue.data[wire->queue.count++] = byte;
    }
    wire->queue.wptr = wire->queue.count;
}

static void append(PS2Device *ps2, uint8_t byte)
{
    if (ps2->count < PS2_QUEUE_SIZE) {
        ps2->queue[(ps2->first + ps2->count++) % PS2_QUEUE_SIZE] = byte;
    }
}

/* The byte of set 2 that reads as `byte`, or -1. Most that are not key codes are the
 * same in both. */
static int untranslated(uint8_t byte)
{
    if (byte != PREFIX_BREAK && input_key_set2_to_set1(byte) == byte) {
        return byte;
    }
    for (int code = 0; code < 256; code++) {
        if (code != PREFIX_BREAK && input_key_set2_to_set1((uint8_t)code) == byte) {
            return code;
        }
    }
    return -1;
}

static void append_untranslated(PS2Device *ps2, uint8_t byte)
{
    int code = untranslated(byte);

    if (code < 0) {
        append(ps2, PREFIX_BREAK);
        code = untranslated(byte & 0x7f);
    }
    append(ps2, code < 0 ? byte : (uint8_t)code);
}

/* The keyboard's `translated` is known by now. The controller, whose state comes next,
 * looks for bytes itself: no pin moves. */
static bool ps2_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    PS2Device *ps2 = opaque;
    const WirePS2 *wire = data;

    if (wire->queue.count < 0 || wire->queue.count > WIRE_QUEUE || wire->write_cmd < -1 ||
        wire->write_cmd > 0xff) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "a PS/2 device does not have %d bytes and command %d waiting: the "
                    "stream is broken",
                    wire->queue.count, wire->write_cmd);
        return false;
    }
    ps2->pending_command = wire->write_cmd < 0 ? 0 : (uint8_t)wire->write_cmd;
    ps2->first = ps2->count = ps2->replies = 0;
    ps2->held = false;
    for (int i = 0; i < wire->queue.count; i++) {
        append(ps2, wire->queue.data[((uint32_t)wire->queue.rptr + i) % WIRE_QUEUE]);
    }
    return true;
}

static const VMStateDescription vmstate_ps2_common = {
    .name = "PS2 Common State",
    .version_id = 3,
    .minimum_version_id = 2,
    .wire_size = sizeof(WirePS2),
    .to_wire = ps2_to_wire,
    .from_wire = ps2_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32(write_cmd, WirePS2),
            VMSTATE_INT32(queue.rptr, WirePS2),
            VMSTATE_INT32(queue.wptr, WirePS2),
            VMSTATE_INT32(queue.count, WirePS2),
            VMSTATE_BUFFER(queue.data, WirePS2),
            VMSTATE_END_OF_LIST(),
        },
};

/* -- The keyboard -------------------------------------------------------------------- */

/* Translation is undone when it is known that there was one. */
static void untranslate_queue(PS2Device *ps2)
{
    PS2Device before = *ps2;

    ps2->first = ps2->count = 0;
    for (unsigned i = 0; i < before.count; i++) {
        append_untranslated(ps2, before.queue[(before.first + i) % PS2_QUEUE_SIZE]);
    }
}

static bool keyboard_post_load(void *opaque, int version_id, GError **error)
{
    PS2Keyboard *keyboard = opaque;

    if (version_id == 2) {
        keyboard->scan_code_set = 2;
    }
    if (keyboard->scan_code_set < 1 || keyboard->scan_code_set > 3) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "keyboards have no scan code set %u: the stream is broken",
                    keyboard->scan_code_set);
        return false;
    }
    keyboard->leds &= 7;
    keyboard->shifted = keyboard->controlled = keyboard->alternated = false;
    if (keyboard->ps2.translated) {
        untranslate_queue(&keyboard->ps2);
    }
    return true;
}

static void keyboard_pre_load(void *opaque)
{
    ((PS2Keyboard *)opaque)->leds = 0;
}

static bool has_leds(void *opaque)
{
    return ((PS2Keyboard *)opaque)->leds != 0;
}

static const VMStateDescription vmstate_ledstate = {
    .name = "ps2kbd/ledstate",
    .version_id = 3,
    .minimum_version_id = 2,
    .needed = has_leds,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(leds, PS2Keyboard, "ledstate", int32),
            VMSTATE_END_OF_LIST(),
        },
};

static bool never(void *opaque)
{
    return false;
}

/* QEMU has queued a break prefix and not yet the code, which it does in one go. */
static const VMStateDescription vmstate_need_high_bit = {
    .name = "ps2kbd/need_high_bit",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = never,
    .fields =
        (const VMStateField[]){
            VMSTATE_CONSTANT("need_high_bit", bool, 0),
            VMSTATE_END_OF_LIST(),
        },
};

/* How many of the queue's bytes answer a command: QEMU has where they end, with their
 * beginning at the first byte that the host has not read. */
typedef struct WireReplies {
    int32_t cwptr;
} WireReplies;

static bool has_replies(void *opaque)
{
    return ((PS2Keyboard *)opaque)->ps2.replies != 0;
}

static void replies_to_wire(void *opaque, void *data)
{
    const PS2Device *ps2 = opaque;

    ((WireReplies *)data)->cwptr = (int32_t)(ps2->held + ps2->replies);
}

static bool replies_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    return true; /* what has come is delivered in order, which is all that they matter for
                  */
}

static const VMStateDescription vmstate_command_reply_queue = {
    .name = "ps2kbd/command_reply_queue",
    .needed = has_replies,
    .wire_size = sizeof(WireReplies),
    .to_wire = replies_to_wire,
    .from_wire = replies_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(cwptr, WireReplies, "parent_obj.queue.cwptr", int32),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription vmstate_ps2_keyboard = {
    .name = "ps2kbd",
    .version_id = 3,
    .minimum_version_id = 2,
    .pre_load = keyboard_pre_load,
    .post_load = keyboard_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_STRUCT_AS(ps2, PS2Keyboard, "parent_obj", 0, vmstate_ps2_common,
                              PS2Device),
            VMSTATE_AS(scanning, PS2Keyboard, "scan_enabled", int32),
            VMSTATE_AS(ps2.translated, PS2Keyboard, "translate", int32),
            VMSTATE_AS_V(scan_code_set, PS2Keyboard, "scancode_set", int32, 3),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *const[]){&vmstate_ledstate, &vmstate_need_high_bit,
                                            &vmstate_command_reply_queue, NULL},
};

/* -- The mouse ----------------------------------------------------------------------- */

/* The bits of the status byte that answers 0xe9, but for the buttons. */
enum { MOUSE_REMOTE = 0x40, MOUSE_ENABLED = 0x20, MOUSE_SCALING = 0x10 };

typedef struct WireMouse {
    PS2Device *ps2;
    uint8_t mouse_status, mouse_resolution, mouse_sample_rate, mouse_wrap, mouse_type;
    uint8_t mouse_detect_state; /* 1: rate 200 has come; 2: 100 after it; 3: 200 */
    int32_t mouse_dx, mouse_dy, mouse_dz;
    uint8_t mouse_buttons;
} WireMouse;

static void mouse_to_wire(void *opaque, void *data)
{
    PS2Mouse *mouse = opaque;
    bool five_buttons = mouse->unlock == 2 && mouse->unlock_target == 4;

    *(WireMouse *)data = (WireMouse){
        .ps2 = &mouse->ps2,
        .mouse_status = (mouse->remote ? MOUSE_REMOTE : 0) |
                        (mouse->reporting ? MOUSE_ENABLED : 0) |
                        (mouse->scaling_2_1 ? MOUSE_SCALING : 0),
        .mouse_resolution = mouse->resolution,
        .mouse_sample_rate = mouse->sample_rate,
        .mouse_wrap = mouse->wrap,
        .mouse_type = mouse->id,
        .mouse_detect_state = five_buttons ? 3 : mouse->unlock,
        .mouse_dx = mouse->dx,
        .mouse_dy = mouse->dy,
        .mouse_dz = mouse->dz,
        .mouse_buttons = mouse->buttons,
    };
}

static bool mouse_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    PS2Mouse *mouse = opaque;
    const WireMouse *wire = data;

    if (wire->mouse_detect_state > 3) {
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "no PS/2 mouse is in state %u of being unlocked: the stream is broken",
            wire->mouse_detect_state);
        return false;
    }
    mouse->remote = wire->mouse_status & MOUSE_REMOTE;
    mouse->reporting = wire->mouse_status & MOUSE_ENABLED;
    mouse->scaling_2_1 = wire->mouse_status & MOUSE_SCALING;
    mouse->resolution = wire->mouse_resolution;
    mouse->sample_rate = wire->mouse_sample_rate;
    mouse->wrap = wire->mouse_wrap;
    mouse->id = wire->mouse_type;
    mouse->unlock = MIN(wire->mouse_detect_state, 2);
    mouse->unlock_target = wire->mouse_detect_state == 3 ? 4 : 3;
    mouse->dx = CLAMP(wire->mouse_dx, INT16_MIN, INT16_MAX);
    mouse->dy = CLAMP(wire->mouse_dy, INT16_MIN, INT16_MAX);
    mouse->dz = CLAMP(wire->mouse_dz, INT16_MIN, INT16_MAX);
    mouse->buttons = wire->mouse_buttons & 0x1f;
    return true;
}

const VMStateDescription vmstate_ps2_mouse = {
    .name = "ps2mouse",
    .version_id = 2,
    .minimum_version_id = 2,
    .wire_size = sizeof(WireMouse),
    .to_wire = mouse_to_wire,
    .from_wire = mouse_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_ROW("parent_obj", 0, NULL, .flags = VMS_STRUCT | VMS_POINTER,
                        .vmsd = &vmstate_ps2_common, .size = sizeof(PS2Device),
                        .offset = offsetof(WireMouse, ps2)),
            VMSTATE_UINT8(mouse_status, WireMouse),
            VMSTATE_UINT8(mouse_resolution, WireMouse),
            VMSTATE_UINT8(mouse_sample_rate, WireMouse),
            VMSTATE_UINT8(mouse_wrap, WireMouse),
            VMSTATE_UINT8(mouse_type, WireMouse),
            VMSTATE_UINT8(mouse_detect_state, WireMouse),
            VMSTATE_INT32(mouse_dx, WireMouse),
            VMSTATE_INT32(mouse_dy, WireMouse),
            VMSTATE_INT32(mouse_dz, WireMouse),
            VMSTATE_UINT8(mouse_buttons, WireMouse),
            VMSTATE_END_OF_LIST(),
        },
};
