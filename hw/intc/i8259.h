/*
 * The PC's two 8259A programmable interrupt controllers, the second cascaded into line 2
 * of the first, with the edge/level control registers (ELCR) of the PIIX.
 *
 * Machine lock for all of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_INTC_I8259_H
#define HW_INTC_I8259_H

#include "hw/core/vmstate.h"
#include "hw/intc/irq-counts.h"
#include "hw/isa/isa-bus.h"

typedef struct I8259 I8259;

struct I8259 {
    ISADevice parent;
    uint32_t iobase, elcr_addr;
    uint8_t elcr_mask; /* which lines ELCR may set to level */
    bool master;
    MemoryRegion io, elcr_io;
    IRQ *inputs;      /* this chip's eight input pins */
    IRQ *intr;        /* the INT output */
    I8259 *slave;     /* the one on this chip's line 2, or NULL */
    I8259 *first;     /* the one that reaches the CPU */
    IRQCounts counts; /* the first one's: of all sixteen inputs */

    uint8_t lines;            /* levels of the input pins */
    uint8_t irr, imr, isr;    /* requested, masked, in service */
    uint8_t highest_priority; /* the line that rotation has put first */
    uint8_t vector_base;
    uint8_t elcr;
    uint8_t init_step; /* the ICW that the next data write is, or 0 */
    bool needs_icw4, single, level_triggered;
    bool read_isr, poll;
    bool special_mask, auto_eoi, rotate_on_auto_eoi, special_fully_nested;
};

/* What a migration stream has of a controller, our own or KVM's: QEMU's fields. */
typedef struct I8259Wire {
    uint8_t last_irr, irr, imr, isr, priority_add, irq_base, read_reg_select, poll;
    uint8_t special_mask, init_state, auto_eoi, rotate_on_auto_eoi;
    uint8_t special_fully_nested_mode, init4, single_mode, elcr;
    uint8_t ltim; /* only in a subsection */
} I8259Wire;

/* The fields of section "i8259", version 1, but for `ltim`. */
extern const VMStateField i8259_wire_fields[];

GType i8259_get_type(void);
#define TYPE_I8259 (i8259_get_type())
#define I8259(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_I8259, struct I8259))

/*
 * Makes both controllers on `bus`; the first one's INT drives `intr` (the CPU's INTR
 * pin). Returns the sixteen input lines in one array, which lives as long as the machine,
 * and the first controller in *master. NULL and *error on failure.
 */
IRQ *i8259_new_pair(ISABus *bus, IRQ *intr, I8259 **master, GError **error);

/* The pair's, of its first controller; of the second NULL. */
const IRQCounts *i8259_irq_counts(Device *dev);

/* The CPU's interrupt acknowledge cycle: the vector of the most urgent request, which
 * thereby goes in service; without one that of line 7 (a spurious interrupt). `opaque` is
 * the first controller, so that it can be an X86CPU's acknowledge(). */
int i8259_acknowledge(void *opaque);

#endif
