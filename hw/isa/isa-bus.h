/*
 * The ISA bus: port and memory space, and sixteen interrupt lines.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_ISA_ISA_BUS_H
#define HW_ISA_ISA_BUS_H

#include "hw/core/bus.h"

#define ISA_IRQS 16

typedef struct ISABus {
    Bus parent;
    MemoryRegion *memory;
    MemoryRegion *io;
    IRQ *irqs;                    /* ISA_IRQS input pins of the interrupt controllers */
    struct DMAController *dma[2]; /* channels 0-3 and 4-7, or NULL */
} ISABus;

typedef struct ISADevice {
    Device parent;
} ISADevice;

GType isa_bus_get_type(void);
GType isa_device_get_type(void);
#define TYPE_ISA_BUS (isa_bus_get_type())
#define TYPE_ISA_DEVICE (isa_device_get_type())
#define ISA_BUS(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_ISA_BUS, ISABus))
#define ISA_DEVICE(object)                                                               \
    (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_ISA_DEVICE, ISADevice))

/* "isa.0". `owner` is the bridge, or NULL on a machine without PCI. */
ISABus *isa_bus_new(Device *owner, MemoryRegion *memory, MemoryRegion *io);
void isa_bus_connect_irqs(ISABus *bus, IRQ *irqs);

/* For a realized or realizing device: its bus, and the line of IRQ n on it. */
ISABus *isa_device_bus(ISADevice *dev);
IRQ *isa_device_irq(ISADevice *dev, unsigned n);

/* Shows `region` at port `base` of the device's bus. */
void isa_register_ioport(ISADevice *dev, MemoryRegion *region, uint16_t base);
/* Takes it away again, and destroys the region. */
void isa_unregister_ioport(ISADevice *dev, MemoryRegion *region);

#endif
