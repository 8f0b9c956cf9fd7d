/*
 * The stream's section "timer": guest time and the tick counter, both as they stand while
 * the machine is stopped. It comes before everything that is due at some guest time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>

#include "hw/core/vmstate.h"

typedef struct WireClock {
    int64_t cpu_ticks_offset; /* QEMU's names; while stopped they are no offsets */
    int64_t cpu_clock_offset;
} WireClock;

static void clock_to_wire(void *opaque, void *data)
{
    *(WireClock *)data = (WireClock){clock_get_ticks(), clock_virtual_ns()};
}

static bool clock_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    const WireClock *wire = data;

    if (wire->cpu_clock_offset < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the guest's clock stands before its start: the stream is broken");
        return false;
    }
    clock_virtual_restore(wire->cpu_clock_offset, wire->cpu_ticks_offset);
    return true;
}

static const VMStateDescription vmstate_timers = {
    .name = "timer",
    .version_id = 2,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireClock),
    .to_wire = clock_to_wire,
    .from_wire = clock_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT64(cpu_ticks_offset, WireClock),
            VMSTATE_UNUSED(8),
            VMSTATE_INT64_V(cpu_clock_offset, WireClock, 2),
            VMSTATE_END_OF_LIST(),
        },
};

void clock_register_state(void)
{
    vmstate_register(NULL, 0, &vmstate_timers, NULL);
}
