/*
 * The times are those of Linux's ib700wdt driver: 30 seconds for 0, two less for each
 * step.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/misc/ib700.h"

#include "hw/core/clock.h"
#include "hw/core/system.h"
#include "hw/core/vmstate.h"

#define PORT 0x441
#define PORTS 4
enum { STOP = 0, START = 2 }; /* from PORT */

typedef struct IB700 {
    ISADevice parent;
    MemoryRegion io;
    Timer timer;
} IB700;

static uint64_t ib700_read(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void ib700_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    IB700 *ib700 = opaque;

    if (offset == STOP) {
        timer_del(&ib700->timer);
    } else if (offset == START) {
        int64_t seconds = 30 - 2 * (int64_t)(value & 0xf);

        timer_mod(&ib700->timer, clock_virtual_ns() + seconds * NANOSECONDS_PER_SECOND);
    }
}

static const MemoryRegionOps ib700_ops = {
    .read = ib700_read,
    .write = ib700_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static void expired(void *opaque)
{
    system_guest_event(SYSTEM_GUEST_WATCHDOG);
}

static bool ib700_realize(Device *dev, GError **error)
{
    IB700 *ib700 = (IB700 *)dev;

    timer_init(&ib700->timer, CLOCK_KIND_VIRTUAL, expired, ib700);
    memory_region_init_io(&ib700->io, G_OBJECT(dev), &ib700_ops, ib700, "ib700", PORTS);
    isa_register_ioport(ISA_DEVICE(dev), &ib700->io, PORT);
    return true;
}

static void ib700_reset(Device *dev)
{
    timer_del(&((IB700 *)dev)->timer);
}

static const VMStateDescription vmstate_ib700 = {
    .name = "ib700_wdt",
    .version_id = 0,
    .minimum_version_id = 0,
    .fields =
        (const VMStateField[]){
            VMSTATE_TIMER(timer, IB700),
            VMSTATE_END_OF_LIST(),
        },
};

DEVICE_DEFINE_TYPE(IB700, ib700, "ib700", TYPE_ISA_DEVICE)

static void ib700_class_init(DeviceClass *klass)
{
    klass->desc = "iBASE 700";
    klass->vmsd = &vmstate_ib700;
    klass->user_creatable = true;
    klass->realize = ib700_realize;
    klass->reset = ib700_reset;
}
