/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/input/position.h"

#include <glib.h>

static struct {
    InputPositionHandler handler;
    void *opaque;
} position;

void input_register_position(InputPositionHandler handler, void *opaque)
{
    position.handler = handler;
    position.opaque = opaque;
}

void input_unregister_position(void *opaque)
{
    if (position.opaque == opaque) {
        input_register_position(NULL, NULL);
    }
}

bool input_wants_position(void)
{
    return position.handler != NULL;
}

bool input_send_position(unsigned x, unsigned y, int dz, unsigned buttons)
{
    if (position.handler) {
        position.handler(position.opaque, MIN(x, INPUT_POSITION_MAX),
                         MIN(y, INPUT_POSITION_MAX), dz, buttons);
    }
    return position.handler != NULL;
}
