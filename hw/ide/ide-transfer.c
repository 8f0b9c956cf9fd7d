/*
 * The data phase of a command: blocks through the Data register, or DMA.
 *
 * ATA/ATAPI-6, 9.6 (PIO data-in), 9.7 (PIO data-out), 9.10 (DMA). The interrupt comes
 * when a block to the host is ready to be read, and when a block from the host has been
 * taken; the first block from the host is asked for by DRQ alone.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/ide/ide-drive.h"

#include <string.h>

#define STATUS_DATA (IDE_STATUS_DRDY | IDE_STATUS_DSC | IDE_STATUS_DRQ)

void ide_transfer_stop(IDEDrive *drive)
{
    drive->transfer.kind = NULL;
    drive->transfer.dma = false;
    drive->transfer.left = 0;
    drive->transfer.position = drive->transfer.length = 0;
    drive->atapi.produced = 0;
    drive->repeat = NULL;
    drive->status &= (uint8_t)~IDE_STATUS_DRQ;
}

static void transfer_finish(IDEDrive *drive)
{
    const IDETransferKind *kind = drive->transfer.kind;
    bool interrupt = drive->transfer.dma || !kind->to_host;

    ide_transfer_stop(drive);
    if (kind->finish) {
        kind->finish(drive);
    } else if (interrupt) {
        ide_drive_complete(drive);
    } else {
        ide_drive_ready(drive);
    }
}

/* -- PIO ----------------------------------------------------------------------------- */

static void transfer_next_block(IDEDrive *drive, bool first)
{
    IDETransfer *transfer = &drive->transfer;
    const IDETransferKind *kind = transfer->kind;
    unsigned length = (unsigned)MIN(transfer->left, transfer->block);

    if (length == 0) {
        transfer_finish(drive);
        return;
    }
    if (kind->to_host && !kind->produce(drive, transfer->data, length)) {
        return;
    }
    transfer->left -= length;
    transfer->position = 0;
    transfer->length = length;
    drive->status = STATUS_DATA;
    if (kind->offer) {
        kind->offer(drive, length);
    }
    if (kind->to_host || !first) {
        ide_drive_interrupt(drive);
    }
}

void ide_transfer_pio(IDEDrive *drive, const IDETransferKind *kind, uint64_t bytes,
                      unsigned block)
{
    IDETransfer *transfer = &drive->transfer;

    transfer->kind = kind;
    transfer->dma = false;
    transfer->total = transfer->left = bytes;
    transfer->block = MIN(block, IDE_BUFFER_SIZE);
    transfer_next_block(drive, true);
}

/* The bytes of the block at hand that an access of `size` moves; none in the
 * wrong phase. */
static unsigned transfer_bytes_at_hand(const IDEDrive *drive, unsigned size, bool to_host)
{
    const IDETransfer *transfer = &drive->transfer;

    if (!(drive->status & IDE_STATUS_DRQ) || !transfer->kind || transfer->dma ||
        transfer->kind->to_host != to_host) {
        return 0;
    }
    return MIN(size, transfer->length - transfer->position);
}

uint32_t ide_transfer_read(IDEDrive *drive, unsigned size)
{
    IDETransfer *transfer = &drive->transfer;
    unsigned count = transfer_bytes_at_hand(drive, size, true);
    uint32_t value = 0;

    for (unsigned i = 0; i < count; i++) {
        value |= (uint32_t)transfer->data[transfer->position++] << (8 * i);
    }
    if (count && transfer->position == transfer->length) {
        transfer_next_block(drive, false);
    }
    return value;
}

static void transfer_consume_block(IDEDrive *drive)
{
    const IDETransfer *transfer = &drive->transfer;

    if (transfer->kind->consume(drive, transfer->data, transfer->length)) {
        transfer_next_block(drive, false);
    }
}

void ide_transfer_write(IDEDrive *drive, uint32_t value, unsigned size)
{
    IDETransfer *transfer = &drive->transfer;
    unsigned count = transfer_bytes_at_hand(drive, size, false);

    for (unsigned i = 0; i < count; i++) {
        transfer->data[transfer->position++] = (uint8_t)(value >> (8 * i));
    }
    if (count && transfer->position == transfer->length) {
        transfer_consume_block(drive);
    }
}

/* -- DMA ----------------------------------------------------------------------------- */

void ide_transfer_dma(IDEDrive *drive, const IDETransferKind *kind, uint64_t bytes)
{
    IDETransfer *transfer = &drive->transfer;
    const IDEBus *bus = ide_drive_bus(drive);

    if (!bus->dma) {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
        return;
    }
    transfer->kind = kind;
    transfer->dma = true;
    transfer->total = transfer->left = bytes;
    drive->status = STATUS_DATA;
    bus->dma->request(bus->dma_opaque);
}

bool ide_bus_dma_requested(const IDEBus *bus)
{
    const IDEDrive *drive = bus->drives[bus->selected];

    return drive && drive->transfer.kind && drive->transfer.dma;
}

IDEDMAResult ide_bus_dma_run(IDEBus *bus)
{
    IDEDrive *drive = bus->drives[bus->selected];
    IDETransfer *transfer = &drive->transfer;
    const IDETransferKind *kind = transfer->kind;

    while (transfer->left > 0) {
        unsigned length = (unsigned)MIN(transfer->left, IDE_BUFFER_SIZE);
        unsigned moved = transfer->length;

        if (kind->to_host && !kind->produce(drive, transfer->data, length)) {
            return drive->repeat ? IDE_DMA_WAITS : IDE_DMA_COMPLETE;
        }
        if (moved == 0) {
            moved =
                bus->dma->move(bus->dma_opaque, transfer->data, length, kind->to_host);
        }
        if (!kind->to_host) {
            unsigned whole = moved - moved % BLOCK_SECTOR_SIZE;

            transfer->length = moved;
            if (whole > 0 && !kind->consume(drive, transfer->data, whole)) {
                return drive->repeat ? IDE_DMA_WAITS : IDE_DMA_COMPLETE;
            }
            transfer->length = 0;
        }
        if (moved < length) {
            /* A real drive would wait with DRQ until it is reset. This one lets go, as
             * QEMU's does, so that a guest's driver can simply try again. */
            ide_transfer_stop(drive);
            ide_drive_ready(drive);
            return IDE_DMA_SHORT;
        }
        transfer->left -= length;
    }
    transfer_finish(drive);
    return IDE_DMA_COMPLETE;
}

/* -- Waiting for the image ----------------------------------------------------------- */

static void transfer_repeat(IDEDrive *drive)
{
    const IDETransfer *transfer = &drive->transfer;
    const IDEBus *bus = ide_drive_bus(drive);

    if (transfer->dma) {
        drive->status = STATUS_DATA;
        bus->dma->request(bus->dma_opaque);
    } else if (transfer->kind->to_host) {
        transfer_next_block(drive, false);
    } else {
        transfer_consume_block(drive);
    }
}

bool ide_transfer_wait(IDEDrive *drive)
{
    return ide_drive_wait(drive, transfer_repeat);
}
