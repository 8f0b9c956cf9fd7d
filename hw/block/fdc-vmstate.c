/*
 * The floppy controller in a migration stream.
 *
 * QEMU has one buffer for commands, data and results, works out the phase from the main
 * status register, and counts a transfer's bytes from its beginning. Its transfers by DMA
 * do not survive; ours go on when the machine runs.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gio/gio.h>
#include <string.h>

#include "hw/block/fdc-internal.h"

enum {
    SRA_INTERRUPT = 0x80,
    SRA_NO_DRIVE_2 = 0x40, /* the signal is active low: there is no second cable */
    SRB_ONES = 0xc0,

    DIRECTION_WRITE = 0,
    DIRECTION_READ = 1,
    DIRECTION_VERIFY = 5,

    STATE_MULTI_TRACK = 0x01,
    STATE_FORMAT = 0x02,

    WIRE_PHASE_COMMAND = 1,
    WIRE_PHASE_EXECUTION = 2,
    WIRE_PHASE_RESULT = 3,

    FORMAT_BYTES = 4,
    FILLER_BYTE = 5, /* of the format command */
};

typedef struct WireFloppy {
    const FloppyDrive *drive;
    uint8_t head, track, sect;
    bool has_media_changed;
    uint8_t media_changed, media_rate, perpendicular;
} WireFloppy;

typedef struct WireFDC {
    uint8_t sra, srb, dor_vmstate, tdr, dsr, msr, status0, status1, status2;
    uint8_t fifo[BLOCK_SECTOR_SIZE];
    uint32_t data_pos, data_len;
    uint8_t data_state, data_dir, eot, timer0, timer1, precomp_trk, config, lock, pwrd;
    uint8_t num_floppies;
    WireFloppy drives[FDC_DRIVES];
    int32_t reset_sensei;
    int64_t result_timer; /* virtual ns; -1: not pending */
    uint8_t phase;        /* 0: as the main status register tells */
} WireFDC;

/* -- To the stream ------------------------------------------------------------------- */

static uint8_t phase_of_status(uint8_t msr)
{
    if (msr & MSR_NON_DMA || !(msr & MSR_REQUEST)) {
        return WIRE_PHASE_EXECUTION;
    }
    return msr & MSR_TO_HOST ? WIRE_PHASE_RESULT : WIRE_PHASE_COMMAND;
}

static void execution_to_wire(const FDC *fdc, WireFDC *wire)
{
    unsigned unit = fdc->bytes[1] & DOR_DRIVE;
    unsigned sectors = fdc->transfer == TRANSFER_FORMAT ? 1 : MAX(fdc->sectors_left, 1u);

    wire->phase = WIRE_PHASE_EXECUTION;
    wire->dor_vmstate = (uint8_t)((fdc->dor & ~DOR_DRIVE) | unit);
    memcpy(wire->fifo, fdc->data, sizeof(wire->fifo));
    if (fdc->transfer == TRANSFER_FORMAT) {
        wire->fifo[FILLER_BYTE] = fdc->filler;
        wire->data_state |= STATE_FORMAT;
    }
    wire->data_state |= fdc->multi_track ? STATE_MULTI_TRACK : 0;
    wire->data_dir = fdc->transfer == TRANSFER_READ ? DIRECTION_READ : DIRECTION_WRITE;
    wire->data_pos = fdc->data_position;
    wire->data_len = fdc->data_length * sectors;
    if (unit < FDC_DRIVES) {
        wire->drives[unit].head = fdc->head;
        wire->drives[unit].sect = fdc->sector;
    }
}

static void fdc_to_wire(void *opaque, void *data)
{
    const FDC *fdc = opaque;
    WireFDC *wire = data;

    *wire = (WireFDC){
        .sra = SRA_NO_DRIVE_2 | (fdc->irq_level ? SRA_INTERRUPT : 0),
        .srb = SRB_ONES,
        .dor_vmstate = fdc->dor,
        .tdr = fdc->tdr,
        .dsr = fdc->dsr,
        .msr = fdc_phase_status(fdc),
        .status0 = fdc->st0,
        .data_pos = fdc->position,
        .data_len =
            fdc->length ? fdc->length : 1, /* of a command, known with its first */
        .data_dir = fdc->phase == PHASE_RESULT ? DIRECTION_READ : DIRECTION_WRITE,
        .eot = fdc->last_sector,
        .timer0 = fdc->specify[0],
        .timer1 = fdc->specify[1],
        .precomp_trk = fdc->precompensation,
        .config = fdc->config,
        .lock = fdc->locked,
        .num_floppies = FDC_DRIVES,
        .reset_sensei = (int32_t)fdc->resets_to_sense,
        .result_timer = -1,
    };
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        const FloppyDrive *drive = &fdc->drives[i];

        wire->drives[i] = (WireFloppy){
            .drive = drive,
            .track = drive->cylinder,
            .media_changed = drive->changed,
            .media_rate = floppy_drive_has_disk(drive) ? drive->rate : 0,
            .perpendicular = (fdc->perpendicular >> 2) & 7,
        };
    }
    if (fdc->phase == PHASE_EXECUTION) {
        execution_to_wire(fdc, wire);
    } else {
        memcpy(wire->fifo, fdc->bytes, sizeof(fdc->bytes));
    }
}

/* -- From the stream ----------------------------------------------------------------- */

static bool execution_from_wire(FDC *fdc, const WireFDC *wire)
{
    unsigned unit = wire->dor_vmstate & DOR_DRIVE;
    const WireFloppy *drive = &wire->drives[unit < FDC_DRIVES ? unit : 0];

    fdc->phase = PHASE_EXECUTION;
    fdc->transfer = wire->data_state & STATE_FORMAT     ? TRANSFER_FORMAT
                    : wire->data_dir == DIRECTION_WRITE ? TRANSFER_WRITE
                                                        : TRANSFER_READ;
    fdc->multi_track = wire->data_state & STATE_MULTI_TRACK;
    fdc->bytes[1] = (uint8_t)(unit | (drive->head & 1) << 2);
    fdc->cylinder = drive->track;
    fdc->head = drive->head;
    fdc->sector = drive->sect;
    fdc->filler = wire->fifo[FILLER_BYTE];
    fdc->data_length =
        fdc->transfer == TRANSFER_FORMAT ? FORMAT_BYTES : BLOCK_SECTOR_SIZE;
    fdc->data_position = wire->data_pos % fdc->data_length;
    fdc->sectors_left = wire->data_len > wire->data_pos
                            ? (wire->data_len - wire->data_pos + BLOCK_SECTOR_SIZE - 1) /
                                  BLOCK_SECTOR_SIZE
                            : 0;
    fdc->st0_head = drive->head;
    fdc->seek_end = 0;
    fdc->data_loaded = fdc->data_position != 0;
    memcpy(fdc->data, wire->fifo, sizeof(fdc->data));
    /* QEMU goes to the next sector when the guest asks for its first byte. */
    if (wire->msr & MSR_NON_DMA && wire->data_pos && !fdc->data_position &&
        fdc->transfer == TRANSFER_READ && fdc->sector < fdc->last_sector) {
        fdc->sector++;
    }
    if (wire->result_timer >= 0) { /* READ ID waits for the disk to turn */
        fdc->bytes[0] = FDC_COMMAND_READ_ID;
        fdc->resume_command = true;
    }
    timer_mod(&fdc->resume, clock_virtual_ns());
    return wire->data_dir <= DIRECTION_VERIFY && fdc->last_sector > 0;
}

static bool phase_from_wire(FDC *fdc, const WireFDC *wire)
{
    switch (wire->phase ? wire->phase : phase_of_status(wire->msr)) {
    case WIRE_PHASE_COMMAND:
        fdc_begin_command_phase(fdc);
        memcpy(fdc->bytes, wire->fifo, sizeof(fdc->bytes));
        fdc->length = wire->data_pos ? fdc_command_length(fdc->bytes[0]) : 0;
        fdc->position = wire->data_pos;
        return wire->data_pos == 0 || wire->data_pos < fdc->length;
    case WIRE_PHASE_EXECUTION:
        return execution_from_wire(fdc, wire);
    case WIRE_PHASE_RESULT:
        fdc->phase = PHASE_RESULT;
        memcpy(fdc->bytes, wire->fifo, sizeof(fdc->bytes));
        fdc->position = wire->data_pos;
        fdc->length = wire->data_len;
        return wire->data_len <= FDC_BYTES && wire->data_pos < wire->data_len;
    default:
        return false;
    }
}

static bool fdc_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    FDC *fdc = opaque;
    const WireFDC *wire = data;

    timer_del(&fdc->resume);
    fdc->resume_command = false;
    fdc->irq_level = wire->sra & SRA_INTERRUPT;
    fdc->dor = wire->dor_vmstate;
    fdc->tdr = wire->tdr & 3;
    fdc->dsr = wire->dsr & (uint8_t)~DSR_RESET;
    fdc->st0 = wire->status0;
    fdc->last_sector = wire->eot;
    fdc->specify[0] = wire->timer0;
    fdc->specify[1] = wire->timer1;
    fdc->precompensation = wire->precomp_trk;
    fdc->config = wire->config;
    fdc->locked = wire->lock;
    fdc->perpendicular = (uint8_t)((wire->drives[0].perpendicular & 7) << 2);
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        fdc->drives[i].cylinder = wire->drives[i].track;
        fdc->drives[i].changed =
            !wire->drives[i].has_media_changed || wire->drives[i].media_changed;
    }
    if (wire->reset_sensei < 0 || wire->reset_sensei > 4 || !phase_from_wire(fdc, wire)) {
        fdc_begin_command_phase(fdc);
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            "no floppy controller is so far in a command: the stream is "
                            "broken");
        return false;
    }
    fdc->resets_to_sense = (unsigned)wire->reset_sensei;
    fdc->seek_ended =
        fdc->irq_level && fdc->phase == PHASE_COMMAND && !fdc->resets_to_sense;
    return true;
}

/* What is in subsections has these values without them. */
static void fdc_pre_load(void *opaque)
{
    FDC *fdc = opaque;

    fdc->resets_to_sense = 0;
    fdc->perpendicular = 0;
    fdc_begin_command_phase(fdc);
}

/* -- The tables ---------------------------------------------------------------------- */

static bool disk_was_seen(void *opaque)
{
    const WireFloppy *wire = opaque;

    return floppy_drive_has_disk(wire->drive) && !wire->media_changed;
}

static bool media_changed_post_load(void *opaque, int version_id, GError **error)
{
    ((WireFloppy *)opaque)->has_media_changed = true;
    return true;
}

static const VMStateDescription vmstate_media_changed = {
    .name = "fdrive/media_changed",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = disk_was_seen,
    .post_load = media_changed_post_load,
    .fields = (const VMStateField[]){VMSTATE_UINT8(media_changed, WireFloppy),
                                     VMSTATE_END_OF_LIST()},
};

static const VMStateDescription vmstate_media_rate = {
    .name = "fdrive/media_rate",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]){VMSTATE_UINT8(media_rate, WireFloppy),
                                     VMSTATE_END_OF_LIST()},
};

static bool is_perpendicular(void *opaque)
{
    return ((WireFloppy *)opaque)->perpendicular != 0;
}

static const VMStateDescription vmstate_perpendicular = {
    .name = "fdrive/perpendicular",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_perpendicular,
    .fields = (const VMStateField[]){VMSTATE_UINT8(perpendicular, WireFloppy),
                                     VMSTATE_END_OF_LIST()},
};

static const VMStateDescription vmstate_drive = {
    .name = "fdrive",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(head, WireFloppy),
            VMSTATE_UINT8(track, WireFloppy),
            VMSTATE_UINT8(sect, WireFloppy),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *const[]){&vmstate_media_changed, &vmstate_media_rate,
                                            &vmstate_perpendicular, NULL},
};

static bool awaits_sensing(void *opaque)
{
    return ((WireFDC *)opaque)->reset_sensei != 0;
}

static const VMStateDescription vmstate_reset_sensei = {
    .name = "fdc/reset_sensei",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = awaits_sensing,
    .fields = (const VMStateField[]){VMSTATE_INT32(reset_sensei, WireFDC),
                                     VMSTATE_END_OF_LIST()},
};

static bool awaits_result(void *opaque)
{
    return ((WireFDC *)opaque)->result_timer >= 0;
}

static const VMStateDescription vmstate_result_timer = {
    .name = "fdc/result_timer",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = awaits_result,
    .fields =
        (const VMStateField[]){VMSTATE_DEADLINE(result_timer, WireFDC, "result_timer", 0),
                               VMSTATE_END_OF_LIST()},
};

static bool phase_is_hidden(void *opaque)
{
    const WireFDC *wire = opaque;

    return wire->phase && wire->phase != phase_of_status(wire->msr);
}

static const VMStateDescription vmstate_phase = {
    .name = "fdc/phase",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = phase_is_hidden,
    .fields =
        (const VMStateField[]){VMSTATE_UINT8(phase, WireFDC), VMSTATE_END_OF_LIST()},
};

static const VMStateDescription vmstate_state = {
    .name = "fdc",
    .version_id = 2,
    .minimum_version_id = 2,
    .pre_load = fdc_pre_load,
    .wire_size = sizeof(WireFDC),
    .to_wire = fdc_to_wire,
    .from_wire = fdc_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(sra, WireFDC),
            VMSTATE_UINT8(srb, WireFDC),
            VMSTATE_UINT8(dor_vmstate, WireFDC),
            VMSTATE_UINT8(tdr, WireFDC),
            VMSTATE_UINT8(dsr, WireFDC),
            VMSTATE_UINT8(msr, WireFDC),
            VMSTATE_UINT8(status0, WireFDC),
            VMSTATE_UINT8(status1, WireFDC),
            VMSTATE_UINT8(status2, WireFDC),
            VMSTATE_UINT8_ARRAY(fifo, WireFDC, BLOCK_SECTOR_SIZE),
            VMSTATE_UINT32(data_pos, WireFDC),
            VMSTATE_UINT32(data_len, WireFDC),
            VMSTATE_UINT8(data_state, WireFDC),
            VMSTATE_UINT8(data_dir, WireFDC),
            VMSTATE_UINT8(eot, WireFDC),
            VMSTATE_UINT8(timer0, WireFDC),
            VMSTATE_UINT8(timer1, WireFDC),
            VMSTATE_UINT8(precomp_trk, WireFDC),
            VMSTATE_UINT8(config, WireFDC),
            VMSTATE_UINT8(lock, WireFDC),
            VMSTATE_UINT8(pwrd, WireFDC),
            VMSTATE_UINT8_EQUAL(num_floppies, WireFDC),
            VMSTATE_STRUCT_ARRAY(drives, WireFDC, FDC_DRIVES, 1, vmstate_drive,
                                 WireFloppy),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *const[]){&vmstate_reset_sensei, &vmstate_result_timer,
                                            &vmstate_phase, NULL},
};

const VMStateDescription vmstate_isa_fdc = {
    .name = "fdc",
    .version_id = 2,
    .minimum_version_id = 2,
    .fields =
        (const VMStateField[]){
            VMSTATE_ROW("state", 0, NULL, .flags = VMS_STRUCT, .vmsd = &vmstate_state,
                        .size = sizeof(FDC)),
            VMSTATE_END_OF_LIST(),
        },
};
