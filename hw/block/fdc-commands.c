/*
 * The 82078's commands: each runs at once and leaves its answer in `bytes`, or moves data
 * first (data sheet, chapter 5).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/block/fdc-internal.h"

#include <string.h>

#include "hw/dma/i8257.h"

enum {
    ST0_ABNORMAL = 0x40,
    ST0_INVALID = 0x80,
    ST0_READY_CHANGED = 0xc0,
    ST0_SEEK_END = 0x20,
    ST0_EQUIPMENT_CHECK = 0x10,
    ST1_END_OF_CYLINDER = 0x80,
    ST1_OVERRUN = 0x10,
    ST1_DATA_ERROR = 0x20,
    ST1_NO_DATA = 0x04,
    ST1_NOT_WRITABLE = 0x02,
    ST1_MISSING_ADDRESS_MARK = 0x01,
    ST2_WRONG_CYLINDER = 0x10,
    ST3_WRITE_PROTECTED = 0x40,
    ST3_READY = 0x20,
    ST3_TRACK_0 = 0x10,
    ST3_TWO_SIDES = 0x08,

    COMMAND_MULTI_TRACK = 0x80,
};

#define SECTOR_CODE 2 /* N of 512-byte sectors */

typedef struct Command {
    uint8_t mask, value;
    uint8_t parameters;
    void (*run)(FDC *fdc);
} Command;

/* The drive that the command's second byte names. */
static FloppyDrive *addressed_drive(FDC *fdc)
{
    return fdc_drive(fdc, fdc->bytes[1] & 3);
}

/* -- Phases -------------------------------------------------------------------------- */

void fdc_begin_command_phase(FDC *fdc)
{
    fdc->phase = PHASE_COMMAND;
    fdc->position = fdc->length = 0;
}

/* The answer's bytes are in `bytes`; without any the command is over. */
static void answer(FDC *fdc, unsigned length, bool interrupt)
{
    if (!length) {
        fdc_begin_command_phase(fdc);
    } else {
        fdc->phase = PHASE_RESULT;
        fdc->position = 0;
        fdc->length = length;
    }
    if (interrupt) {
        fdc_set_irq(fdc, true);
    }
}

static void answer_byte(FDC *fdc, uint8_t byte)
{
    fdc->bytes[0] = byte;
    answer(fdc, 1, false);
}

/* The seven result bytes of a command that moved data (or tried to). */
static void finish_transfer(FDC *fdc, uint8_t st0, uint8_t st1, uint8_t st2)
{
    uint8_t unit = (uint8_t)((fdc->bytes[1] & 3) | (fdc->st0_head & 1) << 2);
    uint8_t result[7] = {st0 | fdc->seek_end | unit,
                         st1,
                         st2,
                         fdc->cylinder,
                         fdc->head,
                         fdc->sector,
                         SECTOR_CODE};

    if (fdc_uses_dma(fdc)) {
        isa_dma_request(fdc_bus(fdc), fdc->dma, false);
    }
    memcpy(fdc->bytes, result, sizeof(result));
    answer(fdc, sizeof(result), true);
}

/* -- Data ---------------------------------------------------------------------------- */

/* Where the head stands after this sector (data sheet, table 5-8); false: past the end. A
 * last sector that the track does not have is not looked for on both sides, as in QEMU.
 */
static bool next_sector(FDC *fdc)
{
    bool no_more = fdc->multi_track && fdc->sector >= addressed_drive(fdc)->sectors;

    if (fdc->sector != fdc->last_sector && !no_more) {
        fdc->sector++;
        return true;
    }
    fdc->sector = 1;
    if (fdc->multi_track && !fdc->head) {
        fdc->head = 1;
        return true;
    }
    fdc->cylinder++;
    if (fdc->multi_track) {
        fdc->head = 0;
    }
    return false;
}

/* Finds the sector on the disk; finishes the command and returns false where it
 * cannot. */
static bool locate(FDC *fdc, uint64_t *number)
{
    FloppyDrive *drive = addressed_drive(fdc);

    if (!floppy_drive_has_disk(drive) || (fdc->dsr & DSR_RATE) != drive->rate) {
        finish_transfer(fdc, ST0_ABNORMAL, ST1_MISSING_ADDRESS_MARK, 0);
        return false;
    }
    if (fdc->cylinder != drive->cylinder) {
        finish_transfer(fdc, ST0_ABNORMAL, ST1_NO_DATA, ST2_WRONG_CYLINDER);
        return false;
    }
    if (!floppy_drive_sector(drive, fdc->cylinder, fdc->head, fdc->sector, number)) {
        finish_transfer(fdc, ST0_ABNORMAL, ST1_NO_DATA, 0);
        return false;
    }
    return true;
}

/* Fills the buffer with the sector to read; false: the command has ended. */
bool fdc_load_data(FDC *fdc)
{
    uint64_t number;

    if (fdc->data_loaded || fdc->transfer != TRANSFER_READ) {
        return true;
    }
    if (!locate(fdc, &number)) {
        return false;
    }
    if (!block_read(addressed_drive(fdc)->slot, number, fdc->data, 1)) {
        finish_transfer(fdc, ST0_ABNORMAL, ST1_DATA_ERROR, 0);
        return false;
    }
    fdc->data_loaded = true;
    return true;
}

/* Puts the buffer on the disk; false: the command has ended. */
static bool store_data(FDC *fdc)
{
    uint64_t number;

    if (fdc->transfer == TRANSFER_READ) {
        return true;
    }
    if (fdc->transfer ==
        TRANSFER_FORMAT) { /* the four bytes are the sector's C, H, R, N */
        fdc->cylinder = fdc->data[0];
        fdc->head = fdc->data[1];
        fdc->sector = fdc->data[2];
        memset(fdc->data, fdc->filler, sizeof(fdc->data));
    } else {
        memset(fdc->data + fdc->data_position, 0, sizeof(fdc->data) - fdc->data_position);
    }
    if (!locate(fdc, &number)) {
        return false;
    }
    if (!block_write(addressed_drive(fdc)->slot, number, fdc->data, 1)) {
        finish_transfer(fdc, ST0_ABNORMAL, ST1_DATA_ERROR, 0);
        return false;
    }
    return true;
}

/* Without DMA there is no terminal count: QEMU counts the sectors that the command names,
 * ends well after them, and goes on to the next cylinder for as long as any are left. (An
 * 82078 would report the end of the cylinder.) */
static bool go_on_without_dma(FDC *fdc, bool more, bool *terminal_count)
{
    if (fdc->sectors_left) {
        fdc->sectors_left--;
    }
    if (fdc_uses_dma(fdc)) {
        return more;
    }
    *terminal_count = !fdc->sectors_left;
    if (!more && fdc->sectors_left && fdc->multi_track) {
        floppy_drive_seek(addressed_drive(fdc), fdc->cylinder);
        fdc->seek_end = ST0_SEEK_END;
        return true;
    }
    return more;
}

/* A sector's bytes (or as many as were wanted) have passed; false: the command
 * has ended. */
static bool sector_done(FDC *fdc, bool terminal_count)
{
    bool more;

    if (!store_data(fdc)) {
        return false;
    }
    fdc->data_position = 0;
    fdc->data_loaded = false;
    if (fdc->transfer == TRANSFER_FORMAT) {
        more = --fdc->last_sector > 0;
        terminal_count |= !more; /* formatting ends with its count of sectors */
    } else {
        fdc->st0_head = fdc->head;
        more = next_sector(fdc);
        more = go_on_without_dma(fdc, more, &terminal_count);
    }
    if (terminal_count) {
        finish_transfer(fdc, 0, 0, 0);
        return false;
    }
    if (!more) {
        finish_transfer(fdc, ST0_ABNORMAL, ST1_END_OF_CYLINDER, 0);
        return false;
    }
    return true;
}

void fdc_move_data_by_dma(void *opaque)
{
    FDC *fdc = opaque;

    while (fdc->phase == PHASE_EXECUTION && fdc_load_data(fdc)) {
        bool terminal_count;
        unsigned moved =
            isa_dma_transfer(fdc_bus(fdc), fdc->dma, fdc->data + fdc->data_position,
                             fdc->data_length - fdc->data_position,
                             fdc->transfer == TRANSFER_READ, &terminal_count);

        if (moved == 0) {
            if (isa_dma_is_ready(fdc_bus(fdc), fdc->dma)) {
                finish_transfer(fdc, ST0_ABNORMAL, ST1_OVERRUN,
                                0); /* the wrong direction */
            }
            return;
        }
        fdc->data_position += moved;
        if ((terminal_count || fdc->data_position == fdc->data_length) &&
            !sector_done(fdc, terminal_count)) {
            return;
        }
    }
}

void fdc_data_byte_passed(FDC *fdc)
{
    if (++fdc->data_position < fdc->data_length) {
        return;
    }
    fdc_set_irq(fdc, false);
    if (sector_done(fdc, false) && fdc_load_data(fdc)) {
        fdc_set_irq(fdc, true);
    }
}

static void begin_execution(FDC *fdc, Transfer transfer, unsigned data_length)
{
    FloppyDrive *drive = addressed_drive(fdc);
    uint64_t number;

    fdc->transfer = transfer;
    fdc->data_position = 0;
    fdc->data_length = data_length;
    fdc->data_loaded = false;
    if (transfer != TRANSFER_READ && floppy_drive_has_disk(drive) &&
        block_is_readonly(drive->slot)) {
        finish_transfer(fdc, ST0_ABNORMAL, ST1_NOT_WRITABLE, 0);
        return;
    }
    /* What is not on the disk ends the command before any data is asked for. */
    if (transfer != TRANSFER_FORMAT && !locate(fdc, &number)) {
        return;
    }
    fdc->phase = PHASE_EXECUTION;
    if (fdc_uses_dma(fdc)) {
        isa_dma_request(fdc_bus(fdc), fdc->dma, true);
    } else if (fdc_load_data(fdc)) {
        fdc_set_irq(fdc, true);
    }
}

/* -- Commands ------------------------------------------------------------------------ */

static void take_address(FDC *fdc)
{
    FloppyDrive *drive = addressed_drive(fdc);

    fdc->multi_track = fdc->bytes[0] & COMMAND_MULTI_TRACK;
    fdc->cylinder = fdc->bytes[2];
    fdc->head = fdc->bytes[3];
    fdc->sector = fdc->bytes[4];
    fdc->last_sector = fdc->bytes[6];
    fdc->sectors_left = fdc->last_sector >= fdc->sector
                            ? fdc->last_sector - fdc->sector + 1u +
                                  (fdc->multi_track ? fdc->last_sector : 0u)
                            : 0;
    /* QEMU's drives seek whatever CONFIGURE's implied seek bit says. */
    if (fdc->cylinder < drive->cylinders && fdc->cylinder != drive->cylinder) {
        fdc->seek_end = floppy_drive_has_disk(drive) ? ST0_SEEK_END : 0;
        floppy_drive_seek(drive, fdc->cylinder);
    }
}

static void run_transfer(FDC *fdc, Transfer transfer)
{
    take_address(fdc);
    if (fdc->bytes[5] != SECTOR_CODE || fdc->head != (fdc->bytes[1] >> 2 & 1)) {
        finish_transfer(fdc, ST0_ABNORMAL, ST1_NO_DATA, 0);
        return;
    }
    begin_execution(fdc, transfer, BLOCK_SECTOR_SIZE);
}

static void run_read(FDC *fdc)
{
    run_transfer(fdc, TRANSFER_READ);
}

static void run_write(FDC *fdc)
{
    run_transfer(fdc, TRANSFER_WRITE);
}

static void run_read_track(FDC *fdc)
{
    fdc->bytes[4] = 1;
    run_transfer(fdc, TRANSFER_READ);
}

/* Reads without moving data: only whether the sectors are there. */
static void run_verify(FDC *fdc)
{
    bool counted = fdc->bytes[1] & 0x80;
    unsigned count = counted ? fdc->bytes[8] : 0;
    uint64_t number;
    bool more = true;

    take_address(fdc);
    for (unsigned done = 0; more && (!counted || done < count); done++) {
        if (!locate(fdc, &number)) {
            return;
        }
        more = next_sector(fdc);
    }
    finish_transfer(fdc, 0, 0, 0);
}

static void run_format(FDC *fdc)
{
    FloppyDrive *drive = addressed_drive(fdc);

    fdc->cylinder = drive->cylinder;
    fdc->head = fdc->bytes[1] >> 2 & 1;
    fdc->sector = 1;
    fdc->last_sector = fdc->bytes[3];
    fdc->filler = fdc->bytes[5];
    if (fdc->bytes[2] != SECTOR_CODE || !fdc->last_sector) {
        finish_transfer(fdc, ST0_ABNORMAL, ST1_NO_DATA, 0);
        return;
    }
    begin_execution(fdc, TRANSFER_FORMAT, 4);
}

static void run_read_id(FDC *fdc)
{
    FloppyDrive *drive = addressed_drive(fdc);
    uint64_t number;

    fdc->cylinder = drive->cylinder;
    fdc->head = fdc->bytes[1] >> 2 & 1;
    fdc->sector = 1;
    /* QEMU's drives answer without a disk as well, with where the heads stand. */
    if ((drive->type != FLOPPY_TYPE_NONE && !floppy_drive_has_disk(drive)) ||
        locate(fdc, &number)) {
        finish_transfer(fdc, 0, 0, 0);
    }
}

static void end_seek(FDC *fdc, uint8_t st0)
{
    fdc->st0 = st0 | ST0_SEEK_END | (fdc->bytes[1] & 7);
    fdc->seek_ended = true;
    answer(fdc, 0, true);
}

static void run_recalibrate(FDC *fdc)
{
    FloppyDrive *drive = addressed_drive(fdc);

    fdc->bytes[1] &= 3;
    if (drive->type == FLOPPY_TYPE_NONE) { /* nobody signals track 0 */
        end_seek(fdc, ST0_ABNORMAL | ST0_EQUIPMENT_CHECK);
        return;
    }
    floppy_drive_seek(drive, 0);
    end_seek(fdc, 0);
}

static void run_seek(FDC *fdc)
{
    floppy_drive_seek(addressed_drive(fdc), fdc->bytes[2]);
    end_seek(fdc, 0);
}

/* Bit 6 of the command is the direction: in, towards the last cylinder. */
static void run_relative_seek(FDC *fdc)
{
    FloppyDrive *drive = addressed_drive(fdc);
    int steps = fdc->bytes[0] & 0x40 ? fdc->bytes[2] : -fdc->bytes[2];

    floppy_drive_seek(drive, CLAMP(drive->cylinder + steps, 0, 255));
    end_seek(fdc, 0);
}

static void run_sense_interrupt(FDC *fdc)
{
    fdc_set_irq(fdc, false);
    if (fdc->resets_to_sense) {
        unsigned n = 4 - fdc->resets_to_sense--;

        fdc->bytes[0] = ST0_READY_CHANGED | n;
        fdc->bytes[1] = fdc_drive(fdc, n)->cylinder;
    } else if (fdc->seek_ended) {
        fdc->seek_ended = false;
        fdc->bytes[0] = fdc->st0;
        fdc->bytes[1] = fdc_drive(fdc, fdc->st0 & 3)->cylinder;
    } else {
        answer_byte(fdc, ST0_INVALID);
        return;
    }
    answer(fdc, 2, false);
}

static void run_sense_drive(FDC *fdc)
{
    FloppyDrive *drive = addressed_drive(fdc);
    uint8_t st3 = (fdc->bytes[1] & 7) | ST3_READY | ST3_TWO_SIDES;

    if (drive->type != FLOPPY_TYPE_NONE && drive->cylinder == 0) {
        st3 |= ST3_TRACK_0;
    }
    if (floppy_drive_has_disk(drive) && block_is_readonly(drive->slot)) {
        st3 |= ST3_WRITE_PROTECTED;
    }
    answer_byte(fdc, st3);
}

static void run_specify(FDC *fdc)
{
    fdc->specify[0] = fdc->bytes[1];
    fdc->specify[1] = fdc->bytes[2];
    answer(fdc, 0, false);
}

static void run_configure(FDC *fdc)
{
    fdc->config = fdc->bytes[2];
    fdc->precompensation = fdc->bytes[3];
    answer(fdc, 0, false);
}

static void run_lock(FDC *fdc)
{
    fdc->locked = fdc->bytes[0] & 0x80;
    answer_byte(fdc, fdc->locked << 4);
}

static void run_perpendicular(FDC *fdc)
{
    fdc->perpendicular = fdc->bytes[1] & 0x7f;
    answer(fdc, 0, false);
}

static void run_version(FDC *fdc)
{
    answer_byte(fdc, 0x90); /* an enhanced controller */
}

static void run_part_id(FDC *fdc)
{
    answer_byte(fdc, 0x41); /* 82078, 64 pins */
}

static void run_dump_registers(FDC *fdc)
{
    for (unsigned i = 0; i < 4; i++) {
        fdc->bytes[i] = fdc_drive(fdc, i)->cylinder;
    }
    fdc->bytes[4] = fdc->specify[0];
    fdc->bytes[5] = fdc->specify[1];
    fdc->bytes[6] = fdc->last_sector;
    fdc->bytes[7] = fdc->locked << 7 | fdc->perpendicular;
    fdc->bytes[8] = fdc->config;
    fdc->bytes[9] = fdc->precompensation;
    answer(fdc, 10, false);
}

/* Save and restore carry the registers of dump registers, from byte 3 on. */
static void run_save(FDC *fdc)
{
    uint8_t state[16] = {[2] = fdc->dsr & DSR_RATE,
                         [7] = fdc->specify[0],
                         [8] = fdc->specify[1],
                         [9] = fdc->last_sector,
                         [10] = fdc->locked << 7 | fdc->perpendicular,
                         [11] = fdc->config,
                         [12] = fdc->precompensation};

    for (unsigned i = 0; i < 4; i++) {
        state[3 + i] = fdc_drive(fdc, i)->cylinder;
    }
    memcpy(fdc->bytes, state, sizeof(state));
    answer(fdc, sizeof(state), false);
}

static void run_accept(FDC *fdc) /* power and option bits that change nothing here */
{
    answer(fdc, 0, false);
}

static void run_power_down(FDC *fdc)
{
    answer_byte(fdc, fdc->bytes[1]);
}

static void run_invalid(FDC *fdc)
{
    answer_byte(fdc, ST0_INVALID);
}

/* The first row that fits a command's first byte; `parameters` bytes follow it. */
static const Command commands[] = {
    {0x1f, 0x06, 8, run_read},          {0x1f, 0x0c, 8, run_read}, /* deleted data */
    {0x3f, 0x05, 8, run_write},         {0x3f, 0x09, 8, run_write},
    {0x9f, 0x02, 8, run_read_track},    {0x1f, 0x16, 8, run_verify},
    {0xbf, 0x0d, 5, run_format},        {0xbf, 0x0a, 1, run_read_id},
    {0xff, 0x07, 1, run_recalibrate},   {0xff, 0x0f, 2, run_seek},
    {0xbf, 0x8f, 2, run_relative_seek}, {0xff, 0x08, 0, run_sense_interrupt},
    {0xff, 0x04, 1, run_sense_drive},   {0xff, 0x03, 2, run_specify},
    {0xff, 0x13, 3, run_configure},     {0x7f, 0x14, 0, run_lock},
    {0xff, 0x12, 1, run_perpendicular}, {0xff, 0x10, 0, run_version},
    {0xff, 0x18, 0, run_part_id},       {0xff, 0x0e, 0, run_dump_registers},
    {0xff, 0x2e, 0, run_save},          {0xff, 0x33, 1, run_accept},
    {0xff, 0x17, 1, run_power_down},    {0x00, 0x00, 0, run_invalid},
};

static const Command *find_command(uint8_t byte)
{
    const Command *command = commands;

    while ((byte & command->mask) != command->value) {
        command++;
    }
    return command;
}

unsigned fdc_command_length(uint8_t byte)
{
    return 1 + find_command(byte)->parameters;
}

void fdc_run_command(FDC *fdc)
{
    fdc->st0_head = fdc->bytes[1] >> 2 & 1;
    fdc->seek_end = 0;
    find_command(fdc->bytes[0])->run(fdc);
}
