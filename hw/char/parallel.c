/*
 * PC printer port (IBM PC/AT Technical Reference, "Parallel adapter"): a falling STROBE
 * sends the data byte to the chardev, and the printer acknowledges at once.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/char/parallel.h"

#include <gio/gio.h>

#include "hw/char/chardev-property.h"
#include "hw/core/vmstate.h"

#define PARALLEL_PORTS 8
#define PARALLEL_MAX 3

enum {
    STATUS_NOT_ERROR = 0x08,
    STATUS_SELECTED = 0x10,
    STATUS_NOT_ACKNOWLEDGE = 0x40,
    STATUS_NOT_BUSY = 0x80,
    STATUS_ONES = 0x07,

    CONTROL_STROBE = 0x01,
    CONTROL_NOT_INIT = 0x04,
    CONTROL_SELECT = 0x08,
    CONTROL_IRQ = 0x10,
    CONTROL_ONES = 0xc0,
};

typedef struct ISAParallel {
    ISADevice parent;
    uint32_t index, iobase, isa_irq;
    char *chardev_id;
    Chardev *chardev;
    CharFrontend frontend;
    MemoryRegion io;
    IRQ *irq;
    uint8_t data, status, control;
    bool irq_pending;
} ISAParallel;

static const uint16_t lpt_ports[PARALLEL_MAX] = {0x378, 0x278, 0x3bc};

static void update_irq(ISAParallel *parallel)
{
    irq_set(parallel->irq, parallel->irq_pending && parallel->control & CONTROL_IRQ);
}

static void write_control(ISAParallel *parallel, uint8_t value)
{
    uint8_t before = parallel->control;

    parallel->control = value | CONTROL_ONES;
    if (!(value & CONTROL_NOT_INIT)) { /* the printer resets while INIT# is low */
        parallel->status = STATUS_NOT_BUSY | STATUS_NOT_ACKNOWLEDGE | STATUS_SELECTED |
                           STATUS_NOT_ERROR | STATUS_ONES;
        parallel->irq_pending = false;
    } else if (value & CONTROL_SELECT && before & CONTROL_STROBE &&
               !(value & CONTROL_STROBE)) {
        char_frontend_write(&parallel->frontend, &parallel->data, 1);
        parallel->status &= ~STATUS_NOT_ACKNOWLEDGE;
        parallel->irq_pending = true;
    }
    update_irq(parallel);
}

static void parallel_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ISAParallel *parallel = opaque;

    switch (offset) {
    case 0:
        parallel->data = value;
        break;
    case 2:
        write_control(parallel, value);
        break;
    }
}

static uint64_t parallel_read(void *opaque, hwaddr offset, unsigned size)
{
    ISAParallel *parallel = opaque;
    uint8_t value;

    switch (offset) {
    case 0:
        return parallel->data;
    case 1: /* the acknowledgement is seen once */
        value = parallel->status;
        parallel->status |= STATUS_NOT_ACKNOWLEDGE;
        parallel->irq_pending = false;
        update_irq(parallel);
        return value;
    case 2:
        return parallel->control;
    default: /* EPP and ECP are not there */
        return 0xff;
    }
}

static const MemoryRegionOps parallel_ops = {
    .read = parallel_read,
    .write = parallel_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static void isa_parallel_reset(Device *dev)
{
    ISAParallel *parallel = (ISAParallel *)dev;

    parallel->data = 0xff;
    parallel->irq_pending = false;
    parallel->status = STATUS_NOT_BUSY | STATUS_NOT_ACKNOWLEDGE | STATUS_SELECTED |
                       STATUS_NOT_ERROR | STATUS_ONES;
    parallel->control = CONTROL_SELECT | CONTROL_NOT_INIT | CONTROL_ONES;
    update_irq(parallel);
}

static uint32_t next_index(ISAParallel *parallel)
{
    GPtrArray *children = BUS(isa_device_bus(&parallel->parent))->children;
    uint32_t index = 0;

    for (guint i = 0; i < children->len; i++) {
        index += children->pdata[i] != parallel &&
                 G_TYPE_CHECK_INSTANCE_TYPE(children->pdata[i], TYPE_ISA_PARALLEL);
    }
    return index;
}

static bool isa_parallel_realize(Device *dev, GError **error)
{
    ISAParallel *parallel = (ISAParallel *)dev;

    if (!parallel->chardev && !parallel->chardev_id) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "isa-parallel: it prints to a chardev; name one with chardev=ID");
        return false;
    }
    if (parallel->index == UINT32_MAX) {
        parallel->index = next_index(parallel);
    }
    if (parallel->index >= PARALLEL_MAX) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "isa-parallel: index %u is too great; a PC has %d ports, 0 to %d",
                    parallel->index, PARALLEL_MAX, PARALLEL_MAX - 1);
        return false;
    }
    if (parallel->iobase == UINT32_MAX) {
        parallel->iobase = lpt_ports[parallel->index];
    }
    if (parallel->iobase > UINT16_MAX - PARALLEL_PORTS + 1 ||
        parallel->isa_irq >= ISA_IRQS) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "isa-parallel: iobase must be a port below 0xfff9 and irq below %d",
                    ISA_IRQS);
        return false;
    }
    if (!chardev_property_connect(dev, &parallel->frontend, parallel->chardev_id,
                                  parallel->chardev, error)) {
        return false;
    }
    parallel->irq = isa_device_irq(ISA_DEVICE(dev), parallel->isa_irq);
    memory_region_init_io(&parallel->io, G_OBJECT(dev), &parallel_ops, parallel,
                          "parallel", PARALLEL_PORTS);
    isa_register_ioport(ISA_DEVICE(dev), &parallel->io, parallel->iobase);
    return true;
}

static void isa_parallel_unrealize(Device *dev)
{
    ISAParallel *parallel = (ISAParallel *)dev;

    char_frontend_disconnect(&parallel->frontend);
    irq_set(parallel->irq, 0);
    isa_unregister_ioport(ISA_DEVICE(dev), &parallel->io);
}

/* The status bits that no printer drives read as ones here and as QEMU has them there. */
#define QEMU_STATUS_ONES 0x01

typedef struct WireParallel {
    uint8_t dataw, datar, status, control;
    int32_t irq_pending, epp_timeout;
} WireParallel;

static void parallel_to_wire(void *opaque, void *data)
{
    const ISAParallel *parallel = opaque;

    *(WireParallel *)data = (WireParallel){
        .dataw = parallel->data,
        .datar = 0xff,
        .status = (parallel->status & ~STATUS_ONES) | QEMU_STATUS_ONES,
        .control = parallel->control,
        .irq_pending = parallel->irq_pending,
    };
}

static bool parallel_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    ISAParallel *parallel = opaque;
    const WireParallel *wire = data;

    parallel->data = wire->dataw;
    parallel->status = wire->status | STATUS_ONES;
    parallel->control = wire->control | CONTROL_ONES;
    parallel->irq_pending = wire->irq_pending;
    return true;
}

static const VMStateDescription vmstate_parallel = {
    .name = "parallel_isa",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireParallel),
    .to_wire = parallel_to_wire,
    .from_wire = parallel_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_AS(dataw, WireParallel, "state.dataw", uint8),
            VMSTATE_AS(datar, WireParallel, "state.datar", uint8),
            VMSTATE_AS(status, WireParallel, "state.status", uint8),
            VMSTATE_AS(control, WireParallel, "state.control", uint8),
            VMSTATE_AS(irq_pending, WireParallel, "state.irq_pending", int32),
            VMSTATE_AS(epp_timeout, WireParallel, "state.epp_timeout", int32),
            VMSTATE_END_OF_LIST(),
        },
};

static const Property isa_parallel_properties[] = {
    PROP_UINT32("index", ISAParallel, index, UINT32_MAX, "which LPT port, from 0"),
    PROP_UINT32("iobase", ISAParallel, iobase, UINT32_MAX, "first of its eight ports"),
    PROP_UINT32("irq", ISAParallel, isa_irq, 7, "its ISA interrupt"),
    PROP_STRING("chardev", ISAParallel, chardev_id, NULL, "ID of a chardev to use"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(ISAParallel, isa_parallel, "isa-parallel", TYPE_ISA_DEVICE)

static void isa_parallel_class_init(DeviceClass *klass)
{
    klass->desc = "printer port";
    klass->vmsd = &vmstate_parallel;
    klass->user_creatable = true;
    klass->realize = isa_parallel_realize;
    klass->unrealize = isa_parallel_unrealize;
    klass->reset = isa_parallel_reset;
    property_install_table(G_OBJECT_CLASS(klass), isa_parallel_properties);
}

Device *isa_parallel_new(ISABus *bus, unsigned index, Chardev *chardev, GError **error)
{
    Device *dev = device_new(TYPE_ISA_PARALLEL, error);

    if (!dev) {
        return NULL;
    }
    ((ISAParallel *)dev)->index = index;
    ((ISAParallel *)dev)->chardev = chardev;
    return device_realize(dev, BUS(bus), error) ? dev : NULL;
}
