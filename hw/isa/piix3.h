/*
 * PIIX3: the PCI to ISA bridge of the 82371SB, function 0 of device 1.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_ISA_PIIX3_H
#define HW_ISA_PIIX3_H

#include "hw/isa/isa-bus.h"
#include "hw/pci/pci.h"

#define PIIX3_PIRQS 4

typedef struct PIIX3 {
    PCIDevice parent;
    ISABus *isa; /* "isa.0"; the board connects its IRQs and DMA */
    MemoryRegion reset_control_region;
    uint8_t reset_control; /* what RC reads as: bit 1, the type of reset */
    int32_t pirq_levels[PIIX3_PIRQS]; /* for migration streams only */
    uint16_t irqs_held;    /* ISA IRQs that some PIRQ holds high, a bit each */
} PIIX3;

GType piix3_get_type(void);
#define TYPE_PIIX3 (piix3_get_type())
#define PIIX3(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_PIIX3, PIIX3))

/* Realizes the bridge at 1.0 and routes the bus's interrupts through it. */
PIIX3 *piix3_new(PCIBus *bus, GError **error);

/* The ISA IRQ that PIRQ 0..3 is routed to, or -1. */
int piix3_pirq_route(const PIIX3 *piix3, unsigned pirq);

#endif
