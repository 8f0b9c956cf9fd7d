/*
 * PS/2 keyboard and mouse: what sits at the far end of the 8042's two cables.
 *
 * A device queues bytes for the host and raises its output pin while it has any; the
 * controller takes them one by one. Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INPUT_PS2_H
#define HW_INPUT_PS2_H

#include "hw/core/vmstate.h"

#define PS2_QUEUE_SIZE 64

typedef struct PS2Device {
    Device parent;
    IRQ *ready; /* high while the queue has a byte */
    uint8_t queue[PS2_QUEUE_SIZE];
    unsigned first, count;
    unsigned replies;        /* bytes at the front that answer the last command */
    uint8_t pending_command; /* waits for its argument; 0: none */
    uint8_t last_sent;       /* for the resend command */
    /* What the controller has taken and the host has not read yet, as it will read it. */
    bool held;
    uint8_t held_byte;
    bool translated; /* the host reads set 2 as set 1 */
} PS2Device;

typedef enum PS2KeyType { /* set 3 lets the host choose per key */
                          PS2_KEY_MAKE_BREAK_TYPEMATIC,
                          PS2_KEY_MAKE_BREAK,
                          PS2_KEY_MAKE,
                          PS2_KEY_TYPEMATIC,
} PS2KeyType;

typedef struct PS2Keyboard {
    PS2Device ps2;
    bool scanning;
    uint8_t scan_code_set; /* 1-3 */
    uint8_t leds, typematic;
    uint8_t key_types[256];               /* PS2KeyType by set 3 make code */
    bool shifted, controlled, alternated; /* for Print Screen and Pause */
} PS2Keyboard;

typedef struct PS2Mouse {
    PS2Device ps2;
    bool reporting, remote, wrap, scaling_2_1;
    uint8_t resolution, sample_rate;
    uint8_t id;            /* 0: standard, 3: IntelliMouse, 4: five buttons */
    uint8_t unlock;        /* how much of an unlocking series of rates has come */
    uint8_t unlock_target; /* the id that the series leads to */
    int dx, dy, dz;        /* not yet reported; dy up positive, as the packet has it */
    uint8_t buttons;       /* as the packet's first byte has them */
} PS2Mouse;

GType ps2_device_get_type(void);
GType ps2_keyboard_get_type(void);
GType ps2_mouse_get_type(void);
#define TYPE_PS2_DEVICE (ps2_device_get_type())
#define TYPE_PS2_KEYBOARD (ps2_keyboard_get_type())
#define TYPE_PS2_MOUSE (ps2_mouse_get_type())

/* Their state in a stream: hw/input/ps2-vmstate.c. */
extern const VMStateDescription vmstate_ps2_keyboard, vmstate_ps2_mouse;

/* The next byte for the host; without one, the last one again. */
uint8_t ps2_read(PS2Device *ps2);
bool ps2_has_data(const PS2Device *ps2);

/* A byte from the host: a command or its argument. */
void ps2_keyboard_write(PS2Keyboard *keyboard, uint8_t value);
void ps2_mouse_write(PS2Mouse *mouse, uint8_t value);

#endif
