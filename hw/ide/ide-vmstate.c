/*
 * IDE channels and drives in a migration stream.
 *
 * Task files, a PIO transfer with its block at hand, and the CD-ROM's tray and sense are
 * there. What QEMU's streams do not have is lost on the way: a DMA command that the bus
 * master has not been started for, and where a CD-ROM's PIO transfer of many blocks goes
 * on. The first is as a drive that does not answer, the second ends as an aborted
 * command; drivers repeat both.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/ide/ide-vmstate.h"

#include <gio/gio.h>
#include <string.h>

#include "hw/ide/ide-drive.h"

#define WIRE_BUFFER_SIZE (256 * BLOCK_SECTOR_SIZE + 4) /* QEMU's */
#define WIRE_SECTORS_MAX 65536

static bool broken(GError **error, const char *what)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "an IDE %s cannot be so: the stream is broken", what);
    return false;
}

/* -- The channel --------------------------------------------------------------------- */

typedef struct WireBus {
    uint8_t cmd, unit;
    /* A request that QEMU has stopped at for an error of the host's disk. */
    int32_t error_status;
    int64_t retry_sector_num;
    uint32_t retry_nsector;
    uint8_t retry_unit;
} WireBus;

static void bus_to_wire(void *opaque, void *data)
{
    const IDEBus *bus = opaque;
    WireBus *wire = data;

    wire->cmd = bus->control;
    wire->unit = (uint8_t)bus->selected;
}

/* Whether INTRQ is asserted is known to the interrupt controller alone; the next change
 * is told to it in any case. */
static bool bus_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    IDEBus *bus = opaque;
    const WireBus *wire = data;

    if (wire->unit > 1) {
        return broken(error, "channel");
    }
    if (wire->error_status) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "the source waits to repeat a disk request that failed there: let it "
                    "run (cont) before it migrates");
        return false;
    }
    bus->control = wire->cmd;
    bus->selected = wire->unit;
    bus->irq_level = IDE_IRQ_LEVEL_UNKNOWN;
    return true;
}

static bool has_error(void *opaque)
{
    return ((WireBus *)opaque)->error_status != 0;
}

static const VMStateDescription vmstate_ide_error = {
    .name = "ide_bus/error",
    .version_id = 2,
    .minimum_version_id = 1,
    .needed = has_error,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32(error_status, WireBus),
            VMSTATE_INT64_V(retry_sector_num, WireBus, 2),
            VMSTATE_UINT32_V(retry_nsector, WireBus, 2),
            VMSTATE_UINT8_V(retry_unit, WireBus, 2),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription vmstate_ide_bus = {
    .name = "ide_bus",
    .version_id = 1,
    .minimum_version_id = 1,
    .wire_size = sizeof(WireBus),
    .to_wire = bus_to_wire,
    .from_wire = bus_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_UINT8(cmd, WireBus),
            VMSTATE_UINT8(unit, WireBus),
            VMSTATE_END_OF_LIST(),
        },
    .subsections = (const VMStateDescription *const[]){&vmstate_ide_error, NULL},
};

/* -- A PIO transfer ------------------------------------------------------------------ */

/* What follows the block at hand: QEMU's numbers for its functions. */
enum {
    NEXT_READ_SECTORS = 0,
    NEXT_WRITE_SECTORS = 1,
    NEXT_STOP = 2,
    NEXT_PACKET_REPLY = 3,
    NEXT_PACKET_COMMAND = 4,
    NEXT_NOTHING = 5,
};

typedef struct WirePIO {
    int32_t req_nb_sectors; /* of a block */
    uint8_t io_buffer[WIRE_BUFFER_SIZE];
    int32_t cur_io_buffer_offset, cur_io_buffer_len; /* what is still to move */
    uint8_t end_transfer_fn_idx;
    int32_t elementary_transfer_size, packet_transfer_size; /* after that */
} WirePIO;

typedef struct WireDrive {
    IDEDrive *drive; /* NULL: an empty place */
    int32_t mult_sectors, identify_set;
    uint8_t identify_data[BLOCK_SECTOR_SIZE];
    uint8_t feature, error;
    uint32_t nsector;
    uint8_t sector, lcyl, hcyl;
    uint8_t hob_feature, hob_sector, hob_nsector, hob_lcyl, hob_hcyl;
    uint8_t select, status, lba48, sense_key, asc, cdrom_changed;
    bool tray_open, tray_locked, new_media, eject_request;
} WireDrive;

static bool nothing_to_produce(IDEDrive *drive, uint8_t *data, unsigned length)
{
    return false;
}

/* The rest of a command whose data is all in the block at hand. */
static const IDETransferKind transfer_last_block = {
    .name = "last-block", .to_host = true, .produce = nothing_to_produce};

static uint8_t next_of(const IDETransfer *transfer)
{
    return transfer->dma                                 ? NEXT_NOTHING
           : transfer->kind == &ide_transfer_sectors_in  ? NEXT_READ_SECTORS
           : transfer->kind == &ide_transfer_sectors_out ? NEXT_WRITE_SECTORS
           : transfer->kind == &atapi_transfer_packet    ? NEXT_PACKET_COMMAND
           : atapi_transfer_is_reply(transfer->kind)     ? NEXT_PACKET_REPLY
                                                         : NEXT_STOP;
}

static void pio_to_wire(void *opaque, void *data)
{
    const WireDrive *drive = opaque;
    WirePIO *wire = data;

    if (!drive->drive) {
        wire->end_transfer_fn_idx = NEXT_NOTHING;
        return;
    }

    const IDETransfer *transfer = &drive->drive->transfer;

    wire->end_transfer_fn_idx = next_of(transfer);
    wire->req_nb_sectors = (int32_t)(transfer->block / BLOCK_SECTOR_SIZE);
    if (!transfer->dma) {
        memcpy(wire->io_buffer, transfer->data, transfer->length);
        wire->cur_io_buffer_offset = (int32_t)transfer->position;
        wire->cur_io_buffer_len = (int32_t)(transfer->length - transfer->position);
    }
    if (wire->end_transfer_fn_idx == NEXT_PACKET_REPLY) {
        wire->packet_transfer_size = (int32_t)MIN(transfer->left, INT32_MAX);
    }
}

/* Takes the block at hand; what follows it is decided when the registers are known. What
 * the guest has written of a block lies before what it is still to write. */
static bool pio_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    WireDrive *drive = opaque;
    const WirePIO *wire = data;
    int64_t offset = wire->cur_io_buffer_offset, length = wire->cur_io_buffer_len;
    bool from_host = wire->end_transfer_fn_idx == NEXT_WRITE_SECTORS ||
                     wire->end_transfer_fn_idx == NEXT_PACKET_COMMAND;
    int64_t first = from_host || offset + length <= IDE_BUFFER_SIZE ? 0 : offset;
    IDETransfer *transfer = drive->drive ? &drive->drive->transfer : NULL;

    if (offset < 0 || length < 0 || offset + length > WIRE_BUFFER_SIZE ||
        offset + length - first > IDE_BUFFER_SIZE ||
        wire->end_transfer_fn_idx > NEXT_NOTHING || wire->req_nb_sectors < 0 ||
        wire->req_nb_sectors > WIRE_SECTORS_MAX || wire->packet_transfer_size < 0) {
        return broken(error, "transfer");
    }
    if (!transfer) {
        return true;
    }
    transfer->position = (unsigned)(offset - first);
    transfer->length = (unsigned)(offset + length - first);
    memcpy(transfer->data, wire->io_buffer + first, transfer->length);
    transfer->block =
        CLAMP((unsigned)wire->req_nb_sectors, 1, IDE_MULTIPLE_MAX) * BLOCK_SECTOR_SIZE;
    transfer->left = 0;
    switch (wire->end_transfer_fn_idx) {
    case NEXT_READ_SECTORS:
        transfer->kind = &ide_transfer_sectors_in;
        break;
    case NEXT_WRITE_SECTORS:
        transfer->kind = &ide_transfer_sectors_out;
        break;
    case NEXT_STOP:
        transfer->kind = &transfer_last_block;
        break;
    case NEXT_PACKET_REPLY:
        transfer->kind = &atapi_transfer_lost;
        transfer->left = (uint64_t)wire->packet_transfer_size;
        break;
    case NEXT_PACKET_COMMAND:
        transfer->kind = &atapi_transfer_packet;
        break;
    }
    return true;
}

static bool has_pio(void *opaque)
{
    return ((WireDrive *)opaque)->status & IDE_STATUS_DRQ;
}

static const VMStateDescription vmstate_pio_state = {
    .name = "ide_drive/pio_state",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = has_pio,
    .wire_size = sizeof(WirePIO),
    .to_wire = pio_to_wire,
    .from_wire = pio_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32(req_nb_sectors, WirePIO),
            VMSTATE_UINT8_ARRAY_V(io_buffer, WirePIO, WIRE_BUFFER_SIZE, 1),
            VMSTATE_INT32(cur_io_buffer_offset, WirePIO),
            VMSTATE_INT32(cur_io_buffer_len, WirePIO),
            VMSTATE_UINT8(end_transfer_fn_idx, WirePIO),
            VMSTATE_INT32(elementary_transfer_size, WirePIO),
            VMSTATE_INT32(packet_transfer_size, WirePIO),
            VMSTATE_END_OF_LIST(),
        },
};

/* -- The drive ----------------------------------------------------------------------- */

/* Words of the identification that a guest's SET FEATURES changes (ATA/ATAPI-6, 8.15). */
enum {
    WORD_MULTIWORD_DMA = 63, /* selected mode in bits 8 and up */
    WORD_FEATURES_ENABLED = 85,
    WORD_ULTRA_DMA = 88,
    FEATURE_WRITE_CACHE = 1 << 5,
};

/* The registers of an empty place are those that QEMU shows there. */
static const WireDrive empty_place = {
    .mult_sectors = IDE_MULTIPLE_MAX,
    .nsector = 1,
    .sector = 1,
    .lcyl = 0xff,
    .hcyl = 0xff,
    .select = IDE_DEVICE_OBSOLETE,
    .status = IDE_STATUS_DRDY | IDE_STATUS_DSC,
};

/* QEMU counts the sectors that are still to come beyond a byte's range; of those to be
 * written, the block at hand is one. */
static uint32_t sectors_to_come(const IDEDrive *drive)
{
    const IDETransfer *transfer = &drive->transfer;

    if (transfer->kind == &ide_transfer_sectors_in) {
        return (uint32_t)(transfer->left / BLOCK_SECTOR_SIZE);
    }
    if (transfer->kind == &ide_transfer_sectors_out) {
        return (uint32_t)((transfer->left + transfer->length) / BLOCK_SECTOR_SIZE);
    }
    return drive->registers[IDE_COUNT];
}

static void drive_to_wire(void *opaque, void *data)
{
    const IDEPlace *place = opaque;
    IDEDrive *drive = place->bus->drives[place->unit];
    WireDrive *wire = data;

    if (!drive) {
        *wire = empty_place;
        return;
    }

    const uint8_t *now = drive->registers, *before = drive->previous;

    *wire = (WireDrive){
        .drive = drive,
        .mult_sectors = (int32_t)drive->multiple,
        .identify_set = drive->identified,
        .feature = now[IDE_FEATURES],
        .error = drive->error,
        .nsector = sectors_to_come(drive),
        .sector = now[IDE_LBA_LOW],
        .lcyl = now[IDE_LBA_MID],
        .hcyl = now[IDE_LBA_HIGH],
        .hob_feature = before[IDE_FEATURES],
        .hob_sector = before[IDE_LBA_LOW],
        .hob_nsector = before[IDE_COUNT],
        .hob_lcyl = before[IDE_LBA_MID],
        .hob_hcyl = before[IDE_LBA_HIGH],
        .select = now[IDE_DEVICE],
        .status = drive->status,
        .lba48 = drive->lba48,
        .sense_key = drive->atapi.sense_key,
        .asc = drive->atapi.asc,
        /* 1: both reports are due; 2: only that it may be another medium. */
        .cdrom_changed = drive->atapi.medium_was_out   ? 1
                         : drive->atapi.unit_attention ? 2
                                                       : 0,
        .tray_open = drive->atapi.tray_open,
        .tray_locked = drive->atapi.tray_locked,
        .new_media = drive->atapi.event_new_medium,
        .eject_request = drive->atapi.event_eject_request,
    };
    ide_identify(drive, wire->identify_data);
}

static uint16_t word(const uint8_t *data, unsigned n)
{
    return (uint16_t)(data[2 * n] | data[2 * n + 1] << 8);
}

/* The transfer mode that is selected, as SET FEATURES 03h names it. */
static void modes_from_identification(IDEDrive *drive, const uint8_t *data)
{
    static const struct {
        unsigned word;
        uint8_t mode;
    } kinds[] = {{WORD_ULTRA_DMA, 0x40}, {WORD_MULTIWORD_DMA, 0x20}};

    drive->write_cache = word(data, WORD_FEATURES_ENABLED) & FEATURE_WRITE_CACHE;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        unsigned selected = word(data, kinds[i].word) >> 8;

        if (selected) {
            drive->pio_dma_mode =
                kinds[i].mode | (uint8_t)(g_bit_nth_msf(selected, -1) & 7);
            return;
        }
    }
}

/* Whether the transfer that came along can go on here. */
static bool transfer_from_wire(IDEDrive *drive, const WireDrive *wire)
{
    IDETransfer *transfer = &drive->transfer;
    uint64_t bytes = (uint64_t)wire->nsector * BLOCK_SECTOR_SIZE;

    if (!transfer->kind || transfer->position == transfer->length) {
        ide_transfer_stop(drive);
        return true;
    }
    if (transfer->kind == &ide_transfer_sectors_in ||
        transfer->kind == &ide_transfer_sectors_out) {
        if (drive->kind != IDE_DISK || !ide_task_file_sector(drive, &drive->sector)) {
            return false;
        }
    } else if (transfer->kind != &transfer_last_block && drive->kind != IDE_CDROM) {
        return false;
    }
    if (transfer->kind == &ide_transfer_sectors_in) {
        transfer->left = bytes;
    } else if (transfer->kind == &ide_transfer_sectors_out) {
        return transfer->length % BLOCK_SECTOR_SIZE == 0 && transfer->length <= bytes &&
               (transfer->left = bytes - transfer->length, true);
    } else if (transfer->kind == &atapi_transfer_packet) {
        drive->atapi.dma = wire->feature & 1;
        return transfer->length == ATAPI_PACKET_SIZE;
    }
    return true;
}

static bool drive_from_wire(void *opaque, void *data, int version_id, GError **error)
{
    const WireDrive *wire = data;
    IDEDrive *drive = wire->drive;

    if (wire->mult_sectors < 0 || wire->mult_sectors > IDE_MULTIPLE_MAX ||
        wire->nsector > WIRE_SECTORS_MAX) {
        return broken(error, "drive");
    }
    if (!drive) {
        return true;
    }

    uint8_t *now = drive->registers, *before = drive->previous;

    drive->multiple = (unsigned)wire->mult_sectors;
    now[IDE_FEATURES] = wire->feature;
    now[IDE_COUNT] = (uint8_t)wire->nsector;
    now[IDE_LBA_LOW] = wire->sector;
    now[IDE_LBA_MID] = wire->lcyl;
    now[IDE_LBA_HIGH] = wire->hcyl;
    now[IDE_DEVICE] = wire->select | IDE_DEVICE_OBSOLETE;
    before[IDE_FEATURES] = wire->hob_feature;
    before[IDE_COUNT] = wire->hob_nsector;
    before[IDE_LBA_LOW] = wire->hob_sector;
    before[IDE_LBA_MID] = wire->hob_lcyl;
    before[IDE_LBA_HIGH] = wire->hob_hcyl;
    drive->error = wire->error;
    drive->status = wire->status;
    drive->lba48 = wire->lba48;
    drive->irq_pending = false;
    drive->atapi.sense_key = wire->sense_key & 0x0f;
    drive->atapi.asc = wire->asc;
    drive->atapi.medium_was_out = wire->cdrom_changed == 1;
    drive->atapi.unit_attention = wire->cdrom_changed != 0;
    drive->atapi.tray_open = wire->tray_open;
    drive->atapi.tray_locked = wire->tray_locked;
    drive->atapi.event_new_medium = wire->new_media;
    drive->atapi.event_eject_request = wire->eject_request;
    drive->identified = wire->identify_set;
    if (wire->identify_set) {
        modes_from_identification(drive, wire->identify_data);
    }
    if (!(drive->status & IDE_STATUS_DRQ)) {
        ide_transfer_stop(drive);
    } else if (!transfer_from_wire(drive, wire)) {
        ide_transfer_stop(drive);
        return broken(error, "transfer");
    }
    return true;
}

/* A transfer that is loaded says so in place of one that went on before. */
static void drive_pre_load(void *opaque)
{
    const IDEPlace *place = opaque;
    IDEDrive *drive = place->bus->drives[place->unit];

    if (drive) {
        ide_transfer_stop(drive);
        drive->atapi.tray_open = drive->atapi.tray_locked = false;
        drive->atapi.event_new_medium = drive->atapi.event_eject_request = false;
    }
}

static bool is_identify_set(void *opaque, int version_id)
{
    return ((WireDrive *)opaque)->identify_set != 0;
}

static bool has_tray_state(void *opaque)
{
    const WireDrive *wire = opaque;

    return wire->tray_open || wire->tray_locked;
}

static const VMStateDescription vmstate_tray_state = {
    .name = "ide_drive/tray_state",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = has_tray_state,
    .fields =
        (const VMStateField[]){
            VMSTATE_BOOL(tray_open, WireDrive),
            VMSTATE_BOOL(tray_locked, WireDrive),
            VMSTATE_END_OF_LIST(),
        },
};

static bool has_events(void *opaque)
{
    const WireDrive *wire = opaque;

    return wire->new_media || wire->eject_request;
}

#define EVENT_ROW(member, name_)                                                         \
    VMSTATE_ROW(name_, 0, NULL, .flags = VMS_SINGLE, .info = &vmstate_info_bool,         \
                .size = sizeof(bool), .offset = VMSTATE_AT(WireDrive, member, bool))

static const VMStateDescription vmstate_gesn_state = {
    .name = "ide_drive/atapi/gesn_state",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = has_events,
    .fields =
        (const VMStateField[]){
            EVENT_ROW(new_media, "events.new_media"),
            EVENT_ROW(eject_request, "events.eject_request"),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription vmstate_ide_drive = {
    .name = "ide_drive",
    .version_id = 3,
    .minimum_version_id = 0,
    .pre_load = drive_pre_load,
    .wire_size = sizeof(WireDrive),
    .to_wire = drive_to_wire,
    .from_wire = drive_from_wire,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32(mult_sectors, WireDrive),
            VMSTATE_INT32(identify_set, WireDrive),
            VMSTATE_BUFFER_TEST(identify_data, WireDrive, is_identify_set),
            VMSTATE_UINT8(feature, WireDrive),
            VMSTATE_UINT8(error, WireDrive),
            VMSTATE_UINT32(nsector, WireDrive),
            VMSTATE_UINT8(sector, WireDrive),
            VMSTATE_UINT8(lcyl, WireDrive),
            VMSTATE_UINT8(hcyl, WireDrive),
            VMSTATE_UINT8(hob_feature, WireDrive),
            VMSTATE_UINT8(hob_sector, WireDrive),
            VMSTATE_UINT8(hob_nsector, WireDrive),
            VMSTATE_UINT8(hob_lcyl, WireDrive),
            VMSTATE_UINT8(hob_hcyl, WireDrive),
            VMSTATE_UINT8(select, WireDrive),
            VMSTATE_UINT8(status, WireDrive),
            VMSTATE_UINT8(lba48, WireDrive),
            VMSTATE_UINT8(sense_key, WireDrive),
            VMSTATE_UINT8(asc, WireDrive),
            VMSTATE_UINT8_V(cdrom_changed, WireDrive, 3),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *const[]){&vmstate_pio_state, &vmstate_tray_state,
                                            &vmstate_gesn_state, NULL},
};
