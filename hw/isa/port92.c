/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/isa/port92.h"

#include "hw/core/system.h"
#include "hw/core/vmstate.h"

enum {
    PORT92 = 0x92,
    FAST_RESET = 1 << 0, /* going from 0 to 1 does it */
    A20_ENABLE = 1 << 1,
};

typedef struct Port92 {
    ISADevice parent;
    MemoryRegion region;
    IRQ *a20;
    uint8_t control;
} Port92;

DEVICE_DEFINE_TYPE(Port92, port92, "port92", TYPE_ISA_DEVICE)

static uint64_t port92_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((Port92 *)opaque)->control;
}

static void port92_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Port92 *port = opaque;
    uint8_t rising = (uint8_t)value & ~port->control;

    port->control = (uint8_t)value;
    irq_set(port->a20, !!(value & A20_ENABLE));
    if (rising & FAST_RESET) {
        system_reset_request(SYSTEM_CAUSE_GUEST_RESET, "port92");
    }
}

static const MemoryRegionOps port92_ops = {
    .read = port92_read,
    .write = port92_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {.min_access_size = 1, .max_access_size = 1},
};

/* Only the reset bit goes: QEMU's firmware images find the gate as they left it. */
static void port92_reset(Device *dev)
{
    ((Port92 *)dev)->control &= ~FAST_RESET;
}

static bool port92_realize(Device *dev, GError **error)
{
    Port92 *port = (Port92 *)dev;

    memory_region_init_io(&port->region, G_OBJECT(dev), &port92_ops, port, "port92", 1);
    device_init_gpio_out_named(dev, &port->a20, "a20", 1);
    isa_register_ioport(&port->parent, &port->region, PORT92);
    return true;
}

static bool port92_post_load(void *opaque, int version_id, GError **error)
{
    Port92 *port = opaque;

    irq_set(port->a20, !!(port->control & A20_ENABLE));
    return true;
}

static const VMStateDescription vmstate_port92 = {
    .name = "port92",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = port92_post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(control, Port92, "outport", uint8),
            VMSTATE_END_OF_LIST(),
        },
};

static void port92_class_init(DeviceClass *klass)
{
    klass->vmsd = &vmstate_port92;
    klass->realize = port92_realize;
    klass->reset = port92_reset;
}
