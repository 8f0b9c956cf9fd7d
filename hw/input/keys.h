/*
 * Keys by QEMU's QKeyCode names ("a", "ret", "ctrl"), what each sends in the three scan
 * code sets, and the way from a monitor's `sendkey` to the guest's keyboard.
 *
 * Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INPUT_KEYS_H
#define HW_INPUT_KEYS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A key code is a row of the key table: 0..input_keys() - 1. */
typedef struct InputKey {
    const char *name;
    uint16_t
        set2;     /* make code; 0xe0xx: after the prefix 0xe0; 0: the keyboard lacks it */
    uint8_t set3; /* make code; 0: none */
} InputKey;

int input_keys(void);
const InputKey *input_key(int code);       /* NULL: no such code */
int input_key_from_name(const char *name); /* -1: no such name */

/* The key of a set 1 make code, with 0x80 for the prefix 0xe0; -1: none. */
int input_key_from_number(uint64_t number);

/* The set 1 byte of a set 2 byte: the table in the 8042's translation mode. */
uint8_t input_key_set2_to_set1(uint8_t byte);

/* The keyboard that input goes to: the last one that registered. */
typedef void (*InputKeyHandler)(void *opaque, int code, bool down);
void input_register_keyboard(InputKeyHandler handler, void *opaque);
void input_unregister_keyboard(void *opaque);

/* The same for a pointer. dx, dy: counts, right and down positive; dz: wheel notches,
 * down positive; buttons: bit 0 left, bit 1 right, bit 2 middle. */
typedef void (*InputPointerHandler)(void *opaque, int dx, int dy, int dz,
                                    unsigned buttons);
void input_register_pointer(InputPointerHandler handler, void *opaque);
void input_unregister_pointer(void *opaque);
void input_send_pointer(int dx, int dy, int dz, unsigned buttons);

/* Whether somebody takes keys, and moves. */
bool input_has_keyboard(void);
bool input_has_pointer(void);

/* The buttons that are down. */
unsigned input_pointer_buttons(void);

/* Presses or releases a key now. */
void input_send_key(int code, bool down);

/* `text` is what HMP's sendkey takes: key names or numbers (0x1c: a set 1 make code),
 * joined by "-". The keys go down in order, stay for hold_ms of guest time (0: 100 ms)
 * and go up in reverse; a combination waits for the one before it. False and *error when
 * a name is unknown (naming the nearest) or too much is waiting. */
bool input_send_key_combination(const char *text, int hold_ms, GError **error);

#endif
