/*
 * What the floppy controller's two files share: its state, its commands, its registers.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_BLOCK_FDC_INTERNAL_H
#define HW_BLOCK_FDC_INTERNAL_H

#include "hw/block/fdc.h"
#include "hw/core/vmstate.h"

enum {
    DOR_DRIVE = 0x03,
    DOR_NOT_RESET = 0x04,
    DOR_DMA = 0x08,

    DSR_RESET = 0x80,
    DSR_RATE = 0x03,

    MSR_BUSY = 0x10,
    MSR_NON_DMA = 0x20,
    MSR_TO_HOST = 0x40,
    MSR_REQUEST = 0x80,

    DIR_CHANGED = 0x80,

    SPECIFY_NON_DMA = 0x01,
};

#define FDC_BYTES 16 /* the longest command (restore) and answer (save) */

typedef enum Phase { PHASE_COMMAND, PHASE_EXECUTION, PHASE_RESULT } Phase;
typedef enum Transfer { TRANSFER_READ, TRANSFER_WRITE, TRANSFER_FORMAT } Transfer;

typedef struct FDC {
    ISADevice parent;
    uint32_t iobase, isa_irq, dma;
    int fdtype[FDC_DRIVES], fallback;
    int32_t bootindex[FDC_DRIVES];
    MemoryRegion io[2];
    IRQ *irq;
    bool irq_level;
    FloppyDrive drives[FDC_DRIVES];
    FloppyDrive absent; /* stands for the two drives that are not on the cable */

    uint8_t dor, tdr, dsr;
    uint8_t specify[2], config, precompensation, perpendicular;
    bool locked;
    Phase phase;
    uint8_t bytes[FDC_BYTES]; /* the command, then the result */
    unsigned position, length;
    uint8_t st0; /* what sense interrupt status will say */
    bool seek_ended;
    unsigned resets_to_sense; /* drives whose ready change is still to be sensed */

    Transfer transfer; /* in execution */
    bool multi_track;
    uint8_t cylinder, head, sector, last_sector, filler;
    unsigned sectors_left; /* that the command asks for; without DMA it ends after them */
    uint8_t st0_head;      /* of the last sector that moved, for ST0 */
    uint8_t seek_end;      /* ST0's bit: the heads have gone on to the next cylinder */
    uint8_t data[BLOCK_SECTOR_SIZE];
    unsigned data_position, data_length;
    bool data_loaded;

    /* After a migration: the command in execution goes on as soon as the machine runs. */
    Timer resume;
    bool resume_command; /* from its beginning, in `bytes` */
} FDC;

#define FDC_COMMAND_READ_ID 0x4a

/* Its state in a stream: hw/block/fdc-vmstate.c. */
extern const VMStateDescription vmstate_isa_fdc;

/* The main status register for the phase that the controller is in. */
uint8_t fdc_phase_status(const FDC *fdc);

static inline void fdc_set_irq(FDC *fdc, bool level)
{
    fdc->irq_level = level;
    irq_set(fdc->irq, level);
}

/* Whether data goes by DMA: the digital output register and SPECIFY both say. */
static inline bool fdc_uses_dma(const FDC *fdc)
{
    return fdc->dor & DOR_DMA && !(fdc->specify[1] & SPECIFY_NON_DMA);
}

static inline ISABus *fdc_bus(FDC *fdc)
{
    return isa_device_bus(&fdc->parent);
}

static inline FloppyDrive *fdc_drive(FDC *fdc, unsigned n)
{
    return n < FDC_DRIVES ? &fdc->drives[n] : &fdc->absent;
}

/* -- floppy.c -- */

extern const char *const floppy_types[]; /* by FloppyType; ended by NULL */
GType floppy_bus_get_type(void);
#define TYPE_FLOPPY_BUS (floppy_bus_get_type())
/* Makes the drives of -drive if=floppy, and those that fdtypeA and fdtypeB ask for. */
bool floppy_bus_attach_drives(Bus *bus, GError **error);

/* Waits for a command's first byte. */
void fdc_begin_command_phase(FDC *fdc);
/* How many bytes a command has that begins with this one. */
unsigned fdc_command_length(uint8_t byte);
/* Executes the command that is complete in `bytes`. */
void fdc_run_command(FDC *fdc);

/* In execution: the DMA channel is ready; without DMA, one byte has passed at
 * the FIFO. */
void fdc_move_data_by_dma(void *opaque);
void fdc_data_byte_passed(FDC *fdc);
/* Has the sector to read in the buffer; false: the command has ended. */
bool fdc_load_data(FDC *fdc);

#endif
