/*
 * 8259A programmable interrupt controller (Intel 8259A data sheet, order 231468) and the
 * ELCR of the 82371SB (PIIX3, order 290550, section 2.5.7).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/intc/i8259.h"

#include <gio/gio.h>

#define LINES 8
#define CASCADE_LINE 2
#define SPURIOUS_LINE 7
#define NO_LINE (-1)

/* -- Priority --------------------------------------------------------------------------
 */

/* The most urgent of a set of lines under the present rotation. */
static int first_line(const I8259 *pic, uint8_t set)
{
    for (int i = 0; i < LINES; i++) {
        int line = (pic->highest_priority + i) % LINES;

        if (set & (1 << line)) {
            return line;
        }
    }
    return NO_LINE;
}

static int rank(const I8259 *pic, int line)
{
    return line == NO_LINE ? LINES : (line - pic->highest_priority + LINES) % LINES;
}

/* The lines that ask by their level rather than by an edge. */
static uint8_t level_lines(const I8259 *pic)
{
    return pic->level_triggered ? 0xff : pic->elcr;
}

/* The request to present to the CPU: unmasked, and more urgent than what is in
 * service. */
static int pending_line(const I8259 *pic)
{
    int request = first_line(pic, pic->irr & ~pic->imr);
    uint8_t in_service = pic->isr;

    if (pic->special_mask) {
        in_service &= ~pic->imr;
    }
    /* Special fully nested mode: a slave in service may interrupt again for a more urgent
     * request of its own. */
    if (pic->special_fully_nested && pic->master) {
        in_service &= ~(1 << CASCADE_LINE);
    }
    return rank(pic, request) < rank(pic, first_line(pic, in_service)) ? request
                                                                       : NO_LINE;
}

static void update_output(I8259 *pic)
{
    irq_set(pic->intr, pending_line(pic) != NO_LINE);
}

/* -- Requests and service --------------------------------------------------------------
 */

static void i8259_set_line(void *opaque, int line, int level)
{
    I8259 *pic = opaque;
    uint8_t bit = 1 << line;

    irq_counts_note(&pic->first->counts, pic->master ? line : LINES + line, level);
    if (level_lines(pic) & bit) {
        pic->irr = level ? pic->irr | bit : pic->irr & ~bit;
    } else if (level && !(pic->lines & bit)) {
        /* The edge stays latched when the line falls again, so that pulses count. */
        pic->irr |= bit;
    }
    pic->lines = level ? pic->lines | bit : pic->lines & ~bit;
    update_output(pic);
}

static void rotate_to_last(I8259 *pic, int line)
{
    pic->highest_priority = (line + 1) % LINES;
}

/* INTA: `line` goes in service. INT falls during the cycle, which gives the first
 * controller a fresh edge when the second has another request. */
static void take_line(I8259 *pic, int line)
{
    uint8_t bit = 1 << line;

    if (!pic->auto_eoi) {
        pic->isr |= bit;
    } else if (pic->rotate_on_auto_eoi) {
        rotate_to_last(pic, line);
    }
    if (!(level_lines(pic) & bit)) {
        pic->irr &= ~bit;
    }
    irq_lower(pic->intr);
    update_output(pic);
}

int i8259_acknowledge(void *opaque)
{
    I8259 *master = opaque;
    I8259 *slave = master->slave;
    int line = pending_line(master);

    if (line == NO_LINE) {
        return master->vector_base + SPURIOUS_LINE;
    }
    if (line != CASCADE_LINE || !slave || master->single) {
        take_line(master, line);
        return master->vector_base + line;
    }

    int slave_line = pending_line(slave);

    /* The master's request goes first: the slave's next one must find its edge latch
     * free. */
    take_line(master, CASCADE_LINE);
    if (slave_line == NO_LINE) {
        return slave->vector_base + SPURIOUS_LINE;
    }
    take_line(slave, slave_line);
    return slave->vector_base + slave_line;
}

/* -- Command words ---------------------------------------------------------------------
 */

static void write_icw1(I8259 *pic, uint8_t value)
{
    pic->imr = 0;
    pic->isr = 0;
    pic->highest_priority = 0;
    pic->read_isr = pic->poll = pic->special_mask = false;
    pic->auto_eoi = pic->rotate_on_auto_eoi = pic->special_fully_nested = false;
    pic->needs_icw4 = value & 0x01;
    pic->single = value & 0x02;
    pic->level_triggered = value & 0x08;
    pic->init_step = 2;
    /* "The edge sense circuit is reset": a line that is high needs a new edge. */
    pic->irr = pic->lines & level_lines(pic);
    update_output(pic);
}

static void write_icw(I8259 *pic, uint8_t value)
{
    switch (pic->init_step) {
    case 2:
        pic->vector_base = value & 0xf8;
        pic->init_step = !pic->single ? 3 : pic->needs_icw4 ? 4 : 0;
        break;
    case 3: /* which lines have slaves: fixed by the PC's wiring */
        pic->init_step = pic->needs_icw4 ? 4 : 0;
        break;
    case 4:
        pic->auto_eoi = value & 0x02;
        pic->special_fully_nested = value & 0x10;
        pic->init_step = 0;
        break;
    }
}

/* OCW2: bit 7 rotate, bit 6 specific (bits 0-2 name the line), bit 5 end of interrupt. */
static void write_ocw2(I8259 *pic, uint8_t value)
{
    bool rotate = value & 0x80, specific = value & 0x40, end = value & 0x20;
    int line = value & 7;

    if (!end) {
        if (!specific) {
            pic->rotate_on_auto_eoi = rotate;
        } else if (rotate) {
            rotate_to_last(pic, line);
        }
    } else {
        if (!specific) {
            /* A line that special mask mode hides is not the one that ended. */
            line = first_line(pic, pic->special_mask ? pic->isr & ~pic->imr : pic->isr);
        }
        if (line != NO_LINE) {
            pic->isr &= ~(1 << line);
            if (rotate) {
                rotate_to_last(pic, line);
            }
        }
    }
    update_output(pic);
}

static void write_ocw3(I8259 *pic, uint8_t value)
{
    if (value & 0x04) {
        pic->poll = true;
    }
    if (value & 0x02) {
        pic->read_isr = value & 0x01;
    }
    if (value & 0x40) {
        pic->special_mask = value & 0x20;
        update_output(pic);
    }
}

static void i8259_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    I8259 *pic = opaque;

    if (offset == 0) {
        if (value & 0x10) {
            write_icw1(pic, value);
        } else if (value & 0x08) {
            write_ocw3(pic, value);
        } else {
            write_ocw2(pic, value);
        }
    } else if (pic->init_step) {
        write_icw(pic, value);
    } else {
        pic->imr = value;
        update_output(pic);
    }
}

static uint64_t i8259_read(void *opaque, hwaddr offset, unsigned size)
{
    I8259 *pic = opaque;

    if (pic->poll) {
        /* Poll: this read is the acknowledge, in place of the CPU's. */
        int line = pending_line(pic);

        pic->poll = false;
        if (line == NO_LINE) {
            return 0;
        }
        take_line(pic, line);
        return 0x80 | line;
    }
    if (offset == 1) {
        return pic->imr;
    }
    return pic->read_isr ? pic->isr : pic->irr;
}

static const MemoryRegionOps i8259_ops = {
    .read = i8259_read,
    .write = i8259_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static uint64_t elcr_read(void *opaque, hwaddr offset, unsigned size)
{
    return ((I8259 *)opaque)->elcr;
}

static void elcr_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    I8259 *pic = opaque;

    pic->elcr = value & pic->elcr_mask;
}

static const MemoryRegionOps elcr_ops = {
    .read = elcr_read,
    .write = elcr_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

/* -- The device ------------------------------------------------------------------------
 */

static void i8259_reset(Device *dev)
{
    I8259 *pic = I8259(dev);

    pic->lines = 0;
    pic->elcr = 0;
    write_icw1(pic, 0);
    pic->vector_base = 0;
    pic->init_step = 0;
}

static bool i8259_realize(Device *dev, GError **error)
{
    I8259 *pic = I8259(dev);
    ISADevice *isa = ISA_DEVICE(dev);

    device_init_gpio_in(dev, i8259_set_line, LINES);
    device_init_gpio_out(dev, &pic->intr, 1);
    pic->inputs = device_get_gpio_in(dev, 0);
    memory_region_init_io(&pic->io, G_OBJECT(dev), &i8259_ops, pic, "pic", 2);
    memory_region_init_io(&pic->elcr_io, G_OBJECT(dev), &elcr_ops, pic, "elcr", 1);
    isa_register_ioport(isa, &pic->io, pic->iobase);
    if (pic->elcr_addr != UINT32_MAX) {
        isa_register_ioport(isa, &pic->elcr_io, pic->elcr_addr);
    }
    return true;
}

const IRQCounts *i8259_irq_counts(Device *dev)
{
    return I8259(dev)->master ? &I8259(dev)->counts : NULL;
}

/* -- Its state in a stream -------------------------------------------------------------
 */

static void i8259_to_wire(void *opaque, void *data)
{
    const I8259 *pic = opaque;

    *(I8259Wire *)data = (I8259Wire){
        /* The timer's line as low, which it is again before its next edge: KVM's timer
         * waits for the end of each interrupt, and an edge that is none would be its
         * last. */
        .last_irr = pic->master ? pic->lines & 0xfe : pic->lines,
        .irr = pic->irr,
        .imr = pic->imr,
        .isr = pic->isr,
        .priority_add = pic->highest_priority,
        .irq_base = pic->vector_base,
        .read_reg_select = pic->read_isr,
        .poll = pic->poll,
        .special_mask = pic->special_mask,
        .init_state = pic->init_step ? pic->init_step - 1 : 0, /* ICW2 is 1 */
        .auto_eoi = pic->auto_eoi,
        .rotate_on_auto_eoi = pic->rotate_on_auto_eoi,
        .special_fully_nested_mode = pic->special_fully_nested,
        .init4 = pic->needs_icw4,
        .single_mode = pic->single,
        .elcr = pic->elcr,
        .ltim = pic->level_triggered,
    };
}

static bool i8259_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    I8259 *pic = opaque;
    const I8259Wire *wire = data;

    if (wire->priority_add >= LINES || wire->init_state > 3) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the 8259A has no line %u and no initialization state %u: the stream "
                    "is broken",
                    wire->priority_add, wire->init_state);
        return false;
    }
    pic->lines = wire->last_irr;
    pic->irr = wire->irr;
    pic->imr = wire->imr;
    pic->isr = wire->isr;
    pic->highest_priority = wire->priority_add;
    pic->vector_base = wire->irq_base & 0xf8;
    pic->read_isr = wire->read_reg_select;
    pic->poll = wire->poll;
    pic->special_mask = wire->special_mask;
    pic->init_step = wire->init_state ? wire->init_state + 1 : 0;
    pic->auto_eoi = wire->auto_eoi;
    pic->rotate_on_auto_eoi = wire->rotate_on_auto_eoi;
    pic->special_fully_nested = wire->special_fully_nested_mode;
    pic->needs_icw4 = wire->init4;
    pic->single = wire->single_mode;
    pic->elcr = wire->elcr & pic->elcr_mask;
    pic->level_triggered = wire->ltim;
    /* The second one's output is the first one's line 2, which comes with the first. */
    if (pic->master) {
        update_output(pic);
    }
    return true;
}

const VMStateField i8259_wire_fields[] = {
    VMSTATE_UINT8(last_irr, I8259Wire),
    VMSTATE_UINT8(irr, I8259Wire),
    VMSTATE_UINT8(imr, I8259Wire),
    VMSTATE_UINT8(isr, I8259Wire),
    VMSTATE_UINT8(priority_add, I8259Wire),
    VMSTATE_UINT8(irq_base, I8259Wire),
    VMSTATE_UINT8(read_reg_select, I8259Wire),
    VMSTATE_UINT8(poll, I8259Wire),
    VMSTATE_UINT8(special_mask, I8259Wire),
    VMSTATE_UINT8(init_state, I8259Wire),
    VMSTATE_UINT8(auto_eoi, I8259Wire),
    VMSTATE_UINT8(rotate_on_auto_eoi, I8259Wire),
    VMSTATE_UINT8(special_fully_nested_mode, I8259Wire),
    VMSTATE_UINT8(init4, I8259Wire),
    VMSTATE_UINT8(single_mode, I8259Wire),
    VMSTATE_UINT8(elcr, I8259Wire),
    VMSTATE_END_OF_LIST(),
};

static bool is_level_triggered(void *opaque)
{
    return ((I8259Wire *)opaque)->ltim;
}

/* QEMU has it from version 8.0 on; an older one refuses a guest that uses LTIM, which it
 * does not model. */
static const VMStateDescription vmstate_i8259_ltim = {
    .name = "i8259/ltim",
    .extension = true,
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_level_triggered,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(ltim, I8259Wire),
            VMSTATE_END_OF_LIST(),
        },
};

/* What is in a subsection has this value without it. */
static void i8259_pre_load(void *opaque)
{
    ((I8259 *)opaque)->level_triggered = false;
}

static const VMStateDescription vmstate_i8259 = {
    .name = "i8259",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = i8259_pre_load,
    .wire_size = sizeof(I8259Wire),
    .to_wire = i8259_to_wire,
    .from_wire = i8259_from_wire,
    .fields = i8259_wire_fields,
    .subsections = (const VMStateDescription *const[]){&vmstate_i8259_ltim, NULL},
};

static const Property i8259_properties[] = {
    PROP_UINT32("iobase", I8259, iobase, UINT32_MAX, "first of its two ports"),
    PROP_UINT32("elcr_addr", I8259, elcr_addr, UINT32_MAX, "port of its ELCR"),
    PROP_UINT8("elcr_mask", I8259, elcr_mask, UINT8_MAX, "lines that ELCR can change"),
    PROP_BOOL("master", I8259, master, false, "drives the CPU"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(I8259, i8259, "isa-i8259", TYPE_ISA_DEVICE)

static void i8259_class_init(DeviceClass *klass)
{
    klass->desc = "8259A programmable interrupt controller";
    klass->vmsd = &vmstate_i8259;
    klass->realize = i8259_realize;
    klass->reset = i8259_reset;
    property_install_table(G_OBJECT_CLASS(klass), i8259_properties);
}

static I8259 *i8259_new(ISABus *bus, bool master, GError **error)
{
    Device *dev = device_new(TYPE_I8259, error);

    if (!dev) {
        return NULL;
    }

    I8259 *pic = I8259(dev);

    pic->master = master;
    pic->iobase = master ? 0x20 : 0xa0;
    pic->elcr_addr = master ? 0x4d0 : 0x4d1;
    /* Timer, keyboard, cascade, RTC and FERR are edge-triggered for good. */
    pic->elcr_mask = master ? 0xf8 : 0xde;
    return device_realize(dev, BUS(bus), error) ? pic : NULL;
}

static void set_pair_line(void *opaque, int n, int level)
{
    I8259 *master = opaque;
    I8259 *pic = n < LINES ? master : master->slave;

    irq_set(&pic->inputs[n % LINES], level);
}

IRQ *i8259_new_pair(ISABus *bus, IRQ *intr, I8259 **master, GError **error)
{
    I8259 *first = i8259_new(bus, true, error);
    I8259 *second = first ? i8259_new(bus, false, error) : NULL;

    if (!second) {
        return NULL;
    }
    first->slave = second;
    first->first = second->first = first;
    device_connect_gpio_out(DEVICE(first), 0, intr);
    device_connect_gpio_out(DEVICE(second), 0, &first->inputs[CASCADE_LINE]);
    *master = first;
    return irq_new_array(set_pair_line, first, 0, 2 * LINES);
}
