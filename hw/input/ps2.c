/*
 * PS/2 keyboard and mouse (IBM PS/2 Hardware Interface Technical Reference, keyboards and
 * mouse; Microsoft's IntelliMouse extension: the wheel is unlocked by a series of rates).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/input/ps2.h"

#include <string.h>

#include "hw/input/keys.h"

enum {
    PS2_ACK = 0xfa,
    PS2_RESEND = 0xfe,
    PS2_SELF_TEST_PASSED = 0xaa,
    PREFIX_EXTENDED = 0xe0,
    PREFIX_PAUSE = 0xe1,
    PREFIX_BREAK = 0xf0,
};

/* -- The queue -------------------------------------------------------------------------
 */

bool ps2_has_data(const PS2Device *ps2)
{
    return ps2->count > 0;
}

uint8_t ps2_read(PS2Device *ps2)
{
    if (ps2->count) {
        ps2->last_sent = ps2->queue[ps2->first];
        ps2->first = (ps2->first + 1) % PS2_QUEUE_SIZE;
        ps2->count--;
        if (ps2->replies) {
            ps2->replies--;
        }
        irq_set(ps2->ready, ps2->count > 0);
    }
    return ps2->last_sent;
}

/* Queues what a key or a movement says: all of it or, where there is no room, nothing. */
static void ps2_queue(PS2Device *ps2, const uint8_t *bytes, unsigned count)
{
    if (ps2->count + count > PS2_QUEUE_SIZE) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        ps2->queue[(ps2->first + ps2->count++) % PS2_QUEUE_SIZE] = bytes[i];
    }
    irq_set(ps2->ready, ps2->count > 0);
}

/* Answers a command, ahead of what is queued: hosts wait for the acknowledgement. */
static void ps2_reply(PS2Device *ps2, const uint8_t *bytes, unsigned count)
{
    ps2->count = MIN(ps2->count, PS2_QUEUE_SIZE - count);
    ps2->first = (ps2->first + PS2_QUEUE_SIZE - count) % PS2_QUEUE_SIZE;
    for (unsigned i = 0; i < count; i++) {
        ps2->queue[(ps2->first + i) % PS2_QUEUE_SIZE] = bytes[i];
    }
    ps2->count += count;
    ps2->replies = count;
    irq_set(ps2->ready, 1);
}

#define PS2_REPLY(ps2, ...)                                                              \
    ps2_reply(ps2, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A new command supersedes the unread answer to the last one. */
static void drop_replies(PS2Device *ps2)
{
    ps2->first = (ps2->first + ps2->replies) % PS2_QUEUE_SIZE;
    ps2->count -= ps2->replies;
    ps2->replies = 0;
}

static void ps2_clear(PS2Device *ps2)
{
    ps2->first = ps2->count = ps2->replies = 0;
    ps2->pending_command = 0;
    irq_lower(ps2->ready);
}

/* -- The keyboard ----------------------------------------------------------------------
 */

typedef struct Sequence {
    uint8_t bytes[16];
    unsigned count;
} Sequence;

static void append(Sequence *sequence, uint8_t byte)
{
    sequence->bytes[sequence->count++] = byte;
}

/* One key of set 2, or the same in set 1, where bit 7 is the break. */
static void append_code(Sequence *sequence, int set, uint16_t set2, bool down)
{
    if (set2 >> 8) {
        append(sequence, set2 >> 8);
    }
    if (set == 1) {
        append(sequence, input_key_set2_to_set1(set2 & 0xff) | (down ? 0 : 0x80));
        return;
    }
    if (!down) {
        append(sequence, PREFIX_BREAK);
    }
    append(sequence, set2 & 0xff);
}

static bool is_key(int code, const char *name)
{
    return strcmp(input_key(code)->name, name) == 0;
}

/* Keys whose codes depend on which others are held. */
static bool append_special(PS2Keyboard *keyboard, Sequence *sequence, int code, bool down)
{
    int set = keyboard->scan_code_set;

    if (is_key(code, "pause")) {
        /* Pause sends its break with its make; with Ctrl it is Break, E0 7E. */
        if (down && keyboard->controlled) {
            append_code(sequence, set, 0xe07e, true);
            append_code(sequence, set, 0xe07e, false);
        } else if (down) {
            append_code(sequence, set, 0xe114, true);
            append_code(sequence, set, 0x77, true);
            append_code(sequence, set, 0xe114, false);
            append_code(sequence, set, 0x77, false);
        }
        return true;
    }
    if (is_key(code, "print")) {
        bool plain = !keyboard->shifted && !keyboard->controlled;

        if (keyboard->alternated) {
            append_code(sequence, set, 0x84, down);
        } else if (!plain) {
            append_code(sequence, set, 0xe07c, down);
        } else if (down) {
            append_code(sequence, set, 0xe012, true);
            append_code(sequence, set, 0xe07c, true);
        } else {
            append_code(sequence, set, 0xe07c, false);
            append_code(sequence, set, 0xe012, false);
        }
        return true;
    }
    return false;
}

static void append_set3(PS2Keyboard *keyboard, Sequence *sequence, uint8_t code,
                        bool down)
{
    PS2KeyType type = keyboard->key_types[code];

    if (!code) {
        return;
    }
    if (down) {
        append(sequence, code);
    } else if (type == PS2_KEY_MAKE_BREAK_TYPEMATIC || type == PS2_KEY_MAKE_BREAK) {
        append(sequence, PREFIX_BREAK);
        append(sequence, code);
    }
}

static void keyboard_key(void *opaque, int code, bool down)
{
    PS2Keyboard *keyboard = opaque;
    const InputKey *key = input_key(code);
    Sequence sequence = {.count = 0};

    if (is_key(code, "shift") || is_key(code, "shift_r")) {
        keyboard->shifted = down;
    } else if (is_key(code, "ctrl") || is_key(code, "ctrl_r")) {
        keyboard->controlled = down;
    } else if (is_key(code, "alt") || is_key(code, "alt_r")) {
        keyboard->alternated = down;
    }
    if (!keyboard->scanning) {
        return;
    }
    if (keyboard->scan_code_set == 3) {
        append_set3(keyboard, &sequence, key->set3, down);
    } else if (!append_special(keyboard, &sequence, code, down) && key->set2) {
        append_code(&sequence, keyboard->scan_code_set, key->set2, down);
    }
    ps2_queue(&keyboard->ps2, sequence.bytes, sequence.count);
}

static void keyboard_defaults(PS2Keyboard *keyboard)
{
    keyboard->scan_code_set = 2;
    keyboard->typematic = 0x2b; /* 10.9 characters a second after 500 ms */
    keyboard->leds = 0;
    memset(keyboard->key_types, PS2_KEY_MAKE_BREAK_TYPEMATIC,
           sizeof(keyboard->key_types));
}

static void keyboard_argument(PS2Keyboard *keyboard, uint8_t command, uint8_t value)
{
    PS2Device *ps2 = &keyboard->ps2;

    switch (command) {
    case 0xed:
        keyboard->leds = value & 7;
        break;
    case 0xf0:
        if (value == 0) {
            PS2_REPLY(ps2, PS2_ACK, keyboard->scan_code_set);
            return;
        }
        if (value > 3) {
            PS2_REPLY(ps2, PS2_RESEND);
            return;
        }
        keyboard->scan_code_set = value;
        break;
    case 0xf3:
        keyboard->typematic = value & 0x7f;
        break;
    case 0xfb:
    case 0xfc:
    case 0xfd: /* set 3: this key's type; more keys may follow until the next command */
        keyboard->key_types[value] = command == 0xfb   ? PS2_KEY_TYPEMATIC
                                     : command == 0xfc ? PS2_KEY_MAKE_BREAK
                                                       : PS2_KEY_MAKE;
        ps2->pending_command = command;
        break;
    }
    PS2_REPLY(ps2, PS2_ACK);
}

void ps2_keyboard_write(PS2Keyboard *keyboard, uint8_t value)
{
    PS2Device *ps2 = &keyboard->ps2;
    uint8_t pending = ps2->pending_command;

    drop_replies(ps2);
    ps2->pending_command = 0;
    if (pending && value < 0xed) { /* commands are never arguments */
        keyboard_argument(keyboard, pending, value);
        return;
    }
    switch (value) {
    case 0xed: /* indicators */
    case 0xf0: /* scan code set */
    case 0xf3: /* typematic rate and delay */
    case 0xfb: /* key types, set 3 */
    case 0xfc:
    case 0xfd:
        ps2->pending_command = value;
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xee: /* echo */
        PS2_REPLY(ps2, 0xee);
        break;
    case 0xf2: /* identify: an MF2 keyboard */
        PS2_REPLY(ps2, PS2_ACK, 0xab, 0x83);
        break;
    case 0xf4: /* enable */
        ps2_clear(ps2);
        keyboard->scanning = true;
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xf5: /* defaults, and stop scanning */
    case 0xf6: /* defaults */
        ps2_clear(ps2);
        keyboard_defaults(keyboard);
        keyboard->scanning = value == 0xf6;
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xf7: /* all keys: typematic, make/break, make, all three */
        memset(keyboard->key_types, PS2_KEY_TYPEMATIC, sizeof(keyboard->key_types));
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xf8:
        memset(keyboard->key_types, PS2_KEY_MAKE_BREAK, sizeof(keyboard->key_types));
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xf9:
        memset(keyboard->key_types, PS2_KEY_MAKE, sizeof(keyboard->key_types));
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xfa:
        memset(keyboard->key_types, PS2_KEY_MAKE_BREAK_TYPEMATIC,
               sizeof(keyboard->key_types));
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xfe: /* resend */
        PS2_REPLY(ps2, ps2->last_sent);
        break;
    case 0xff: /* reset and self test */
        ps2_clear(ps2);
        keyboard_defaults(keyboard);
        keyboard->scanning = true;
        PS2_REPLY(ps2, PS2_ACK, PS2_SELF_TEST_PASSED);
        break;
    default:
        PS2_REPLY(ps2, PS2_RESEND);
        break;
    }
}

static void keyboard_reset(Device *dev)
{
    PS2Keyboard *keyboard = (PS2Keyboard *)dev;

    ps2_clear(&keyboard->ps2);
    keyboard_defaults(keyboard);
    keyboard->scanning = true;
    keyboard->shifted = keyboard->controlled = keyboard->alternated = false;
}

static bool keyboard_realize(Device *dev, GError **error)
{
    input_register_keyboard(keyboard_key, dev);
    return true;
}

static void keyboard_unrealize(Device *dev)
{
    input_unregister_keyboard(dev);
}

/* -- The mouse -------------------------------------------------------------------------
 */

#define MOUSE_COUNTER_LIMIT 255
#define MOUSE_WHEEL_LIMIT 7

static void mouse_send_packet(PS2Mouse *mouse)
{
    int dx = CLAMP(mouse->dx, -MOUSE_COUNTER_LIMIT - 1, MOUSE_COUNTER_LIMIT);
    int dy = CLAMP(mouse->dy, -MOUSE_COUNTER_LIMIT - 1, MOUSE_COUNTER_LIMIT);
    int dz = CLAMP(mouse->dz, -MOUSE_WHEEL_LIMIT - 1, MOUSE_WHEEL_LIMIT);
    uint8_t packet[4] = {
        (mouse->buttons & 7) | 0x08 | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0),
        dx & 0xff,
        dy & 0xff,
        mouse->id == 3 ? dz & 0xff : (dz & 0x0f) | (mouse->buttons & 0x18) << 1,
    };

    mouse->dx -= dx;
    mouse->dy -= dy;
    mouse->dz -= dz;
    ps2_queue(&mouse->ps2, packet, mouse->id ? 4 : 3);
}

static void mouse_moved(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    PS2Mouse *mouse = opaque;
    bool changed = dx || dy || dz || buttons != mouse->buttons;

    mouse->buttons = buttons & 0x1f;
    if (!mouse->reporting && !mouse->remote) {
        return;
    }
    mouse->dx = CLAMP(mouse->dx + (int64_t)dx, -32768, 32767);
    mouse->dy = CLAMP(mouse->dy - (int64_t)dy, -32768, 32767);
    mouse->dz = CLAMP(mouse->dz + (int64_t)dz, -32768, 32767);
    if (!mouse->reporting || mouse->remote || !changed) {
        return;
    }
    /* A full queue keeps the movement for the next packet. */
    do {
        if (mouse->ps2.count + 4 > PS2_QUEUE_SIZE) {
            break;
        }
        mouse_send_packet(mouse);
    } while (mouse->dx || mouse->dy || (mouse->dz && mouse->id));
    if (!mouse->id) {
        mouse->dz = 0;
    }
}

static void mouse_defaults(PS2Mouse *mouse)
{
    mouse->reporting = mouse->remote = mouse->wrap = mouse->scaling_2_1 = false;
    mouse->resolution = 2;
    mouse->sample_rate = 100;
    mouse->dx = mouse->dy = mouse->dz = 0;
}

/* Rates 200, 100, 80 in a row make it an IntelliMouse (id 3); 200, 200, 80 then give it
 * five buttons (id 4). */
static void mouse_set_rate(PS2Mouse *mouse, uint8_t rate)
{
    mouse->sample_rate = rate;
    if (mouse->unlock == 1 && (rate == 100 || rate == 200)) {
        mouse->unlock_target = rate == 100 ? 3 : 4;
        mouse->unlock = 2;
    } else if (mouse->unlock == 2 && rate == 80) {
        mouse->id = mouse->unlock_target;
        mouse->unlock = 0;
    } else {
        mouse->unlock = rate == 200 ? 1 : 0;
    }
}

void ps2_mouse_write(PS2Mouse *mouse, uint8_t value)
{
    PS2Device *ps2 = &mouse->ps2;
    uint8_t pending = ps2->pending_command;

    drop_replies(ps2);
    ps2->pending_command = 0;
    if (mouse->wrap && value != 0xec && value != 0xff) {
        PS2_REPLY(ps2, value);
        return;
    }
    if (pending == 0xe8) {
        mouse->resolution = value & 3;
        PS2_REPLY(ps2, PS2_ACK);
        return;
    }
    if (pending == 0xf3) {
        mouse_set_rate(mouse, value);
        PS2_REPLY(ps2, PS2_ACK);
        return;
    }
    switch (value) {
    case 0xe6: /* scaling 1:1, 2:1 */
    case 0xe7:
        mouse->scaling_2_1 = value == 0xe7;
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xe8: /* resolution */
    case 0xf3: /* sample rate */
        ps2->pending_command = value;
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xe9: /* status */
        PS2_REPLY(ps2, PS2_ACK,
                  mouse->remote << 6 | mouse->reporting << 5 | mouse->scaling_2_1 << 4 |
                      (mouse->buttons & 1) << 2 | (mouse->buttons & 4) >> 1 |
                      (mouse->buttons & 2) >> 1,
                  mouse->resolution, mouse->sample_rate);
        break;
    case 0xea: /* stream mode */
        mouse->remote = false;
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xeb: /* read data: the packet follows the acknowledgement */
        ps2_clear(ps2);
        PS2_REPLY(ps2, PS2_ACK);
        mouse_send_packet(mouse);
        break;
    case 0xec: /* leave and enter wrap mode */
    case 0xee:
        mouse->wrap = value == 0xee;
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xf0: /* remote mode */
        mouse->remote = true;
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xf2: /* identify */
        PS2_REPLY(ps2, PS2_ACK, mouse->id);
        break;
    case 0xf4: /* enable and disable reporting */
    case 0xf5:
        mouse->reporting = value == 0xf4;
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xf6: /* defaults */
        ps2_clear(ps2);
        mouse_defaults(mouse);
        PS2_REPLY(ps2, PS2_ACK);
        break;
    case 0xfe: /* resend */
        PS2_REPLY(ps2, ps2->last_sent);
        break;
    case 0xff: /* reset and self test */
        ps2_clear(ps2);
        mouse_defaults(mouse);
        mouse->id = 0;
        mouse->unlock = 0;
        PS2_REPLY(ps2, PS2_ACK, PS2_SELF_TEST_PASSED, 0);
        break;
    default:
        PS2_REPLY(ps2, PS2_RESEND);
        break;
    }
}

static void mouse_reset(Device *dev)
{
    PS2Mouse *mouse = (PS2Mouse *)dev;

    ps2_clear(&mouse->ps2);
    mouse_defaults(mouse);
    mouse->id = mouse->unlock = mouse->buttons = 0;
}

static bool mouse_realize(Device *dev, GError **error)
{
    input_register_pointer(mouse_moved, dev);
    return true;
}

static void mouse_unrealize(Device *dev)
{
    input_unregister_pointer(dev);
}

/* -- Types -----------------------------------------------------------------------------
 */

DEVICE_DEFINE_TYPE(PS2Device, ps2_device, "ps2-device", TYPE_DEVICE)
DEVICE_DEFINE_TYPE(PS2Keyboard, ps2_keyboard, "ps2-kbd", TYPE_PS2_DEVICE)
DEVICE_DEFINE_TYPE(PS2Mouse, ps2_mouse, "ps2-mouse", TYPE_PS2_DEVICE)

static void ps2_device_class_init(DeviceClass *klass)
{
    klass->desc = "PS/2 device";
}

static void ps2_keyboard_class_init(DeviceClass *klass)
{
    klass->desc = "PS/2 keyboard";
    klass->vmsd = &vmstate_ps2_keyboard;
    klass->realize = keyboard_realize;
    klass->unrealize = keyboard_unrealize;
    klass->reset = keyboard_reset;
}

static void ps2_mouse_class_init(DeviceClass *klass)
{
    klass->desc = "PS/2 mouse with a wheel";
    klass->vmsd = &vmstate_ps2_mouse;
    klass->realize = mouse_realize;
    klass->unrealize = mouse_unrealize;
    klass->reset = mouse_reset;
}
