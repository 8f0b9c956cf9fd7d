/*
 * 82078 floppy disk controller (Intel 82078 data sheet, order 290474): its
 * registers and reset.
 *
 * A command is taken byte by byte, executed at once and answered with result bytes. Data
 * moves by DMA, as a PC's does, or byte by byte through the FIFO port where the guest has
 * turned DMA off.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/fdc-internal.h"

#include <gio/gio.h>

#include "hw/dma/i8257.h"

/* Registers, by offset from 0x3f0. */
enum {
    REGISTER_STATUS_B = 1,
    REGISTER_DIGITAL_OUTPUT = 2,
    REGISTER_TAPE_DRIVE = 3,
    REGISTER_MAIN_STATUS = 4, /* written: data rate select */
    REGISTER_FIFO = 5,
    REGISTER_DIGITAL_INPUT = 7, /* written: configuration control */
};

/* -- Reset --------------------------------------------------------------------------- */

/* `interrupt`: the end of a reset by register announces itself, to be sensed once a
 * drive. */
static void reset_controller(FDC *fdc, bool interrupt)
{
    fdc_set_irq(fdc, false);
    isa_dma_request(fdc_bus(fdc), fdc->dma, false);
    if (!fdc->locked) {
        fdc->config = fdc->precompensation = 0;
    }
    fdc->perpendicular = 0;
    fdc->seek_ended = false;
    fdc->resets_to_sense = interrupt ? 4 : 0;
    fdc_begin_command_phase(fdc);
    if (interrupt) {
        fdc_set_irq(fdc, true);
    }
}

/* -- Registers ----------------------------------------------------------------------- */

static bool in_reset(const FDC *fdc)
{
    return !(fdc->dor & DOR_NOT_RESET);
}

uint8_t fdc_phase_status(const FDC *fdc)
{
    switch (fdc->phase) {
    case PHASE_COMMAND:
        return MSR_REQUEST | (fdc->position ? MSR_BUSY : 0);
    case PHASE_RESULT:
        return MSR_REQUEST | MSR_TO_HOST | MSR_BUSY;
    default:
        return fdc_uses_dma(fdc) ? MSR_BUSY
                                 : MSR_REQUEST | MSR_NON_DMA | MSR_BUSY |
                                       (fdc->transfer == TRANSFER_READ ? MSR_TO_HOST : 0);
    }
}

static uint8_t main_status(const FDC *fdc)
{
    return in_reset(fdc) ? 0 : fdc_phase_status(fdc);
}

static uint8_t fifo_read(FDC *fdc)
{
    uint8_t value;

    if (fdc->phase == PHASE_EXECUTION && !fdc_uses_dma(fdc) &&
        fdc->transfer == TRANSFER_READ) {
        if (!fdc_load_data(fdc)) {
            return 0xff;
        }
        value = fdc->data[fdc->data_position];
        fdc_data_byte_passed(fdc);
        return value;
    }
    if (fdc->phase != PHASE_RESULT) {
        return 0xff;
    }
    value = fdc->bytes[fdc->position++];
    if (fdc->position == fdc->length) {
        fdc_set_irq(fdc, false); /* by the first byte of 82078's; QEMU's, by the last */
        fdc_begin_command_phase(fdc);
    }
    return value;
}

static void fifo_write(FDC *fdc, uint8_t value)
{
    if (fdc->phase == PHASE_EXECUTION && !fdc_uses_dma(fdc) &&
        fdc->transfer != TRANSFER_READ) {
        fdc->data[fdc->data_position] = value;
        fdc_data_byte_passed(fdc);
        return;
    }
    if (fdc->phase != PHASE_COMMAND || in_reset(fdc)) {
        return;
    }
    if (fdc->position == 0) {
        fdc->length = fdc_command_length(value);
    }
    fdc->bytes[fdc->position++] = value;
    if (fdc->position == fdc->length) {
        fdc_run_command(fdc);
    }
}

static void fdc_write(FDC *fdc, unsigned reg, uint8_t value)
{
    bool was_in_reset = in_reset(fdc);

    switch (reg) {
    case REGISTER_DIGITAL_OUTPUT:
        fdc->dor = value;
        if (in_reset(fdc)) {
            reset_controller(fdc, false);
        } else if (was_in_reset) {
            reset_controller(fdc, true);
        }
        break;
    case REGISTER_TAPE_DRIVE:
        fdc->tdr = value & 3;
        break;
    case REGISTER_MAIN_STATUS:
        fdc->dsr = value & ~DSR_RESET;
        if (value & DSR_RESET && !was_in_reset) { /* ends by itself */
            reset_controller(fdc, true);
        }
        break;
    case REGISTER_FIFO:
        fifo_write(fdc, value);
        break;
    case REGISTER_DIGITAL_INPUT:
        fdc->dsr = (fdc->dsr & ~DSR_RATE) | (value & DSR_RATE);
        break;
    }
}

static uint8_t fdc_read(FDC *fdc, unsigned reg)
{
    const FloppyDrive *drive = fdc_drive(fdc, fdc->dor & DOR_DRIVE);

    switch (reg) {
    case REGISTER_STATUS_B: /* bits 7, 6: always; 5: drive select 0; 1, 0: motors */
        return 0xc0 | (fdc->dor & 1) << 5 | (fdc->dor >> 4 & 3);
    case REGISTER_DIGITAL_OUTPUT:
        return fdc->dor;
    case REGISTER_TAPE_DRIVE:
        return fdc->tdr;
    case REGISTER_MAIN_STATUS:
        return main_status(fdc);
    case REGISTER_FIFO:
        return fifo_read(fdc);
    case REGISTER_DIGITAL_INPUT: /* QEMU's drives need no motor to be heard */
        return drive->type != FLOPPY_TYPE_NONE && drive->changed ? DIR_CHANGED : 0;
    default:
        return 0xff;
    }
}

/* Two regions: registers 1-5, and 7 (6 is the IDE channel's). */
static uint64_t fdc_read_low(void *opaque, hwaddr offset, unsigned size)
{
    return fdc_read(opaque, offset + 1);
}

static void fdc_write_low(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    fdc_write(opaque, offset + 1, value);
}

static uint64_t fdc_read_high(void *opaque, hwaddr offset, unsigned size)
{
    return fdc_read(opaque, offset + 7);
}

static void fdc_write_high(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    fdc_write(opaque, offset + 7, value);
}

static const MemoryRegionOps fdc_ops[2] = {
    {.read = fdc_read_low,
     .write = fdc_write_low,
     .impl = {.min_access_size = 1, .max_access_size = 1}},
    {.read = fdc_read_high,
     .write = fdc_write_high,
     .impl = {.min_access_size = 1, .max_access_size = 1}},
};

/* -- The device ---------------------------------------------------------------------- */

static void isa_fdc_reset(Device *dev)
{
    FDC *fdc = (FDC *)dev;

    timer_del(&fdc->resume);
    fdc->locked = false;
    fdc->dor = DOR_NOT_RESET | DOR_DMA;
    fdc->tdr = 0;
    fdc->dsr = 0; /* 500 kbit/s, as in QEMU; an 82078 begins with 250 */
    fdc->specify[0] = fdc->specify[1] = 0;
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        fdc->drives[i].cylinder = 0;
        fdc->drives[i].changed = true;
    }
    fdc->absent.cylinder = 0;
    reset_controller(fdc, false);
}

/* The machine runs again after a migration in the middle of a command. */
static void resume(void *opaque)
{
    FDC *fdc = opaque;

    if (fdc->phase != PHASE_EXECUTION) {
        return;
    }
    if (fdc->resume_command) {
        fdc->resume_command = false;
        fdc_run_command(fdc);
    } else if (fdc_uses_dma(fdc)) {
        isa_dma_request(fdc_bus(fdc), fdc->dma, true);
    }
}

static bool isa_fdc_realize(Device *dev, GError **error)
{
    FDC *fdc = (FDC *)dev;
    ISADevice *isa = ISA_DEVICE(dev);
    Bus *cable;

    if (fdc->iobase > UINT16_MAX - 7 || fdc->isa_irq >= ISA_IRQS || fdc->dma > 3) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "isa-fdc: iobase must be a port below 0xfff9, irq below %d and dma a "
                    "channel from 0 to 3",
                    ISA_IRQS);
        return false;
    }
    cable = bus_new(TYPE_FLOPPY_BUS, dev, "floppy-bus.0");
    fdc->irq = isa_device_irq(isa, fdc->isa_irq);
    fdc->absent.type = FLOPPY_TYPE_NONE;
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        fdc->drives[i].type = FLOPPY_TYPE_NONE;
    }
    timer_init(&fdc->resume, CLOCK_KIND_VIRTUAL, resume, fdc);
    isa_dma_connect(isa_device_bus(isa), fdc->dma, fdc_move_data_by_dma, fdc);
    memory_region_init_io(&fdc->io[0], G_OBJECT(dev), &fdc_ops[0], fdc, "fdc", 5);
    memory_region_init_io(&fdc->io[1], G_OBJECT(dev), &fdc_ops[1], fdc, "fdc", 1);
    isa_register_ioport(isa, &fdc->io[0], fdc->iobase + 1);
    isa_register_ioport(isa, &fdc->io[1], fdc->iobase + 7);
    return floppy_bus_attach_drives(cable, error);
}

static const Property isa_fdc_properties[] = {
    PROP_UINT32("iobase", FDC, iobase, 0x3f0, "first of its eight ports"),
    PROP_UINT32("irq", FDC, isa_irq, 6, "its ISA interrupt"),
    PROP_UINT32("dma", FDC, dma, 2, "its DMA channel"),
    PROP_ENUM("fdtypeA", FDC, fdtype[0], FLOPPY_TYPE_AUTO, floppy_types, "drive A"),
    PROP_ENUM("fdtypeB", FDC, fdtype[1], FLOPPY_TYPE_AUTO, floppy_types, "drive B"),
    PROP_ENUM("fallback", FDC, fallback, FLOPPY_TYPE_288, floppy_types,
              "what an empty drive of type auto is"),
    PROP_INT32("bootindexA", FDC, bootindex[0], -1, "boot order of drive A"),
    PROP_INT32("bootindexB", FDC, bootindex[1], -1, "boot order of drive B"),
    PROP_END,
};

DEVICE_DEFINE_TYPE(FDC, isa_fdc, "isa-fdc", TYPE_ISA_DEVICE)

static void isa_fdc_class_init(DeviceClass *klass)
{
    klass->desc = "82078 floppy disk controller";
    klass->vmsd = &vmstate_isa_fdc;
    klass->user_creatable = true;
    klass->realize = isa_fdc_realize;
    klass->reset = isa_fdc_reset;
    property_install_table(G_OBJECT_CLASS(klass), isa_fdc_properties);
}

Device *isa_fdc_new(ISABus *bus, GError **error)
{
    return device_create(TYPE_ISA_FDC, BUS(bus), error);
}

uint8_t isa_fdc_cmos_types(Device *dev)
{
    FDC *fdc = (FDC *)dev;

    return floppy_drive_cmos_type(&fdc->drives[0]) << 4 |
           floppy_drive_cmos_type(&fdc->drives[1]);
}
