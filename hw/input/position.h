/*
 * Pointers that take places on the screen, as tablets do, where the guest has a driver
 * for one; the others are told of moves (hw/input/keys.h).
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INPUT_POSITION_H
#define HW_INPUT_POSITION_H

#include <stdbool.h>

#define INPUT_POSITION_MAX 0x7fff

/* x and y: 0 to INPUT_POSITION_MAX across the screen; dz: wheel notches, down positive;
 * buttons: bit 0 left, bit 1 right, bit 2 middle. */
typedef void (*InputPositionHandler)(void *opaque, unsigned x, unsigned y, int dz,
                                     unsigned buttons);

/* The last one that registers is told. */
void input_register_position(InputPositionHandler handler, void *opaque);
void input_unregister_position(void *opaque);

bool input_wants_position(void);

/* False: nobody takes places. */
bool input_send_position(unsigned x, unsigned y, int dz, unsigned buttons);

#endif
