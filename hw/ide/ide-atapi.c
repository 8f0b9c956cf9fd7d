/*
 * The ATAPI CD-ROM: the PACKET command and the packet commands of a read-only drive with
 * a tray.
 *
 * ATA/ATAPI-6, 9.8 and 8.23 (PACKET), SFF-8020i, MMC-3. Multi-byte numbers in packets and
 * replies are big-endian. Audio and writing are not there.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/ide/ide-drive.h"

#include <string.h>

#define SECTORS_PER_BLOCK (ATAPI_BLOCK_SIZE / BLOCK_SECTOR_SIZE)
#define RAW_BLOCK_SIZE 2352
#define BYTE_COUNT_MAX 0xfffeu

/* More blocks than a CD's 80 minutes hold make it a DVD. */
#define CD_BLOCKS_MAX (80 * 60 * 75)
#define FRAMES_PER_SECOND 75
#define LEAD_IN_FRAMES 150

/* Interrupt Reason: the Count register during PACKET (8.23.5). */
#define REASON_COMMAND 0x01 /* CoD */
#define REASON_TO_HOST 0x02 /* IO */

/* Sense keys and additional sense codes (MMC-3, annex F). */
enum {
    SENSE_NONE = 0,
    SENSE_NOT_READY = 2,
    SENSE_MEDIUM_ERROR = 3,
    SENSE_ILLEGAL_REQUEST = 5,
    SENSE_UNIT_ATTENTION = 6,
    SENSE_ABORTED_COMMAND = 11,
};
enum {
    ASC_READ_ERROR = 0x11,
    ASC_INVALID_COMMAND = 0x20,
    ASC_OUT_OF_RANGE = 0x21,
    ASC_INVALID_FIELD = 0x24,
    ASC_MEDIUM_CHANGED = 0x28,
    ASC_SAVING_NOT_SUPPORTED = 0x39,
    ASC_MEDIUM_NOT_PRESENT = 0x3a,
    ASC_REMOVAL_PREVENTED = 0x53,
};

static uint16_t get_be16(const uint8_t *data)
{
    return (uint16_t)(data[0] << 8 | data[1]);
}

static uint32_t get_be32(const uint8_t *data)
{
    return (uint32_t)get_be16(data) << 16 | get_be16(data + 2);
}

static void put_be16(uint8_t *data, unsigned value)
{
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
}

static void put_be32(uint8_t *data, uint32_t value)
{
    put_be16(data, value >> 16);
    put_be16(data + 2, value & 0xffff);
}

/* -- The medium ---------------------------------------------------------------------- */

static bool medium_present(const IDEDrive *drive)
{
    return !drive->atapi.tray_open && block_is_inserted(drive->backend);
}

static uint32_t medium_blocks(const IDEDrive *drive)
{
    return (uint32_t)MIN(block_sectors(drive->backend) / SECTORS_PER_BLOCK, UINT32_MAX);
}

/* Minutes, seconds and frames since the start of the lead-in. */
static void put_msf(uint8_t *data, uint32_t block)
{
    uint32_t frames = block + LEAD_IN_FRAMES;

    data[0] = (uint8_t)(frames / FRAMES_PER_SECOND / 60);
    data[1] = (uint8_t)(frames / FRAMES_PER_SECOND % 60);
    data[2] = (uint8_t)(frames % FRAMES_PER_SECOND);
}

static void put_address(uint8_t *data, uint32_t block, bool msf)
{
    if (msf) {
        data[0] = 0;
        put_msf(data + 1, block);
    } else {
        put_be32(data, block);
    }
}

/* -- The ends of a packet command ---------------------------------------------------- */

static void set_reason(IDEDrive *drive, uint8_t reason)
{
    drive->registers[IDE_COUNT] =
        (uint8_t)((drive->registers[IDE_COUNT] & ~0x07) | reason);
}

static void atapi_complete(IDEDrive *drive)
{
    set_reason(drive, REASON_TO_HOST | REASON_COMMAND);
    ide_drive_complete(drive);
}

static void atapi_fail(IDEDrive *drive, uint8_t sense_key, uint8_t asc)
{
    drive->atapi.sense_key = sense_key;
    drive->atapi.asc = asc;
    set_reason(drive, REASON_TO_HOST | REASON_COMMAND);
    ide_drive_fail(drive, (uint8_t)(sense_key << 4));
}

static void atapi_invalid_field(IDEDrive *drive)
{
    atapi_fail(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
}

/* -- Data to the host ---------------------------------------------------------------- */

/* Each PIO block is announced with its length in what were the byte count limit's
 * registers. */
static void data_offer(IDEDrive *drive, unsigned length)
{
    set_reason(drive, REASON_TO_HOST);
    drive->registers[IDE_LBA_MID] = (uint8_t)length;
    drive->registers[IDE_LBA_HIGH] = (uint8_t)(length >> 8);
}

static bool reply_produce(IDEDrive *drive, uint8_t *data, unsigned length)
{
    memcpy(data, drive->atapi.reply + drive->atapi.reply_position, length);
    drive->atapi.reply_position += length;
    return true;
}

static const IDETransferKind transfer_reply = {
    .name = "atapi-reply",
    .to_host = true,
    .produce = reply_produce,
    .offer = data_offer,
    .finish = atapi_complete,
};

/* What a drive reads around the 2048 bytes: sync, address and mode 1 before, and an error
 * correction after that nobody checks (ECMA-130, section 14). */
static void frame_sector(IDEDrive *drive)
{
    uint8_t *sector = drive->atapi.sector;

    memset(sector, 0xff, 12);
    sector[0] = sector[11] = 0;
    put_msf(sector + 12, (uint32_t)drive->atapi.block);
    for (unsigned i = 12; i < 15; i++) {
        sector[i] = (uint8_t)(sector[i] / 10 << 4 | sector[i] % 10);
    }
    sector[15] = 1;
    memset(sector + 16 + ATAPI_BLOCK_SIZE, 0, RAW_BLOCK_SIZE - 16 - ATAPI_BLOCK_SIZE);
}

static bool blocks_produce(IDEDrive *drive, uint8_t *data, unsigned length)
{
    ATAPIState *atapi = &drive->atapi;
    bool raw = atapi->block_size == RAW_BLOCK_SIZE;
    bool ok = medium_present(drive);
    unsigned whole = length;

    data += atapi->produced;
    length -= MIN(atapi->produced, length);
    atapi->produced = 0;
    while (ok && length > 0) {
        unsigned count = 0;

        if (atapi->sector_left == 0 && !raw && length >= ATAPI_BLOCK_SIZE) {
            unsigned blocks = length / ATAPI_BLOCK_SIZE;

            ok = block_read(drive->backend, atapi->block * SECTORS_PER_BLOCK, data,
                            blocks * SECTORS_PER_BLOCK);
            if (ok) {
                count = blocks * ATAPI_BLOCK_SIZE;
                atapi->block += blocks;
            }
        } else {
            if (atapi->sector_left == 0) {
                ok = block_read(drive->backend, atapi->block * SECTORS_PER_BLOCK,
                                atapi->sector + (raw ? 16 : 0), SECTORS_PER_BLOCK);
            }
            if (ok && atapi->sector_left == 0) {
                if (raw) {
                    frame_sector(drive);
                }
                atapi->sector_left = atapi->block_size;
                atapi->block++;
            }
            count = MIN(length, atapi->sector_left);
            memcpy(data, atapi->sector + atapi->block_size - atapi->sector_left, count);
            atapi->sector_left -= count;
        }
        data += count;
        length -= count;
    }
    if (!ok && medium_present(drive) && ide_transfer_wait(drive)) {
        atapi->produced = whole - length;
        return false;
    }
    if (!ok) {
        atapi_fail(drive, medium_present(drive) ? SENSE_MEDIUM_ERROR : SENSE_NOT_READY,
                   medium_present(drive) ? ASC_READ_ERROR : ASC_MEDIUM_NOT_PRESENT);
    }
    return ok;
}

static const IDETransferKind transfer_blocks = {
    .name = "atapi-blocks",
    .to_host = true,
    .produce = blocks_produce,
    .offer = data_offer,
    .finish = atapi_complete,
};

static bool lost_produce(IDEDrive *drive, uint8_t *data, unsigned length)
{
    atapi_fail(drive, SENSE_ABORTED_COMMAND, 0);
    return false;
}

const IDETransferKind atapi_transfer_lost = {
    .name = "atapi-lost",
    .to_host = true,
    .produce = lost_produce,
    .finish = atapi_complete,
};

bool atapi_transfer_is_reply(const IDETransferKind *kind)
{
    return kind && kind->finish == atapi_complete;
}

/* Blocks of a PIO transfer are at most as long as the byte count limit that the host gave
 * with PACKET; an odd limit stands only for a block that is the whole (8.23.4). */
static void atapi_transfer(IDEDrive *drive, const IDETransferKind *kind, uint64_t bytes)
{
    unsigned limit = drive->registers[IDE_LBA_MID] | drive->registers[IDE_LBA_HIGH] << 8;

    if (bytes == 0) {
        atapi_complete(drive);
        return;
    }
    if (drive->atapi.dma) {
        ide_transfer_dma(drive, kind, bytes);
        return;
    }
    limit = MIN(limit, BYTE_COUNT_MAX);
    if (bytes > limit) {
        limit &= ~1u;
    }
    if (limit == 0) {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
        return;
    }
    ide_transfer_pio(drive, kind, bytes, limit);
}

/* `length` bytes of the reply, of which the host wants no more than `allocation`. */
static void atapi_reply(IDEDrive *drive, unsigned length, unsigned allocation)
{
    drive->atapi.reply_position = 0;
    atapi_transfer(drive, &transfer_reply, MIN(length, allocation));
}

/* -- Packet commands: the drive itself ----------------------------------------------- */

static void packet_test_unit_ready(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    atapi_complete(drive);
}

static void packet_request_sense(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    ATAPIState *atapi = &drive->atapi;

    if (atapi->unit_attention && !atapi->medium_was_out &&
        atapi->sense_key == SENSE_NONE) {
        atapi->sense_key = SENSE_UNIT_ATTENTION;
        atapi->asc = ASC_MEDIUM_CHANGED;
        atapi->unit_attention = false;
    }
    reply[0] = 0x70 | 0x80; /* current error, valid */
    reply[2] = atapi->sense_key;
    reply[7] = 10; /* bytes that follow */
    reply[12] = atapi->asc;
    atapi->sense_key = SENSE_NONE;
    atapi->asc = 0;
    atapi_reply(drive, 18, packet[4]);
}

static void put_padded(uint8_t *data, size_t size, const char *text)
{
    memset(data, ' ', size);
    memcpy(data, text, MIN(size, strlen(text)));
}

static void packet_inquiry(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    if (packet[1] & 0x01) { /* vital product data came after SFF-8020i */
        atapi_invalid_field(drive);
        return;
    }
    reply[0] = 0x05; /* CD-ROM */
    reply[1] = 0x80; /* removable */
    reply[3] = 0x21; /* ATAPI version 2, response format 1 */
    reply[4] = 31;   /* bytes that follow */
    put_padded(reply + 8, 8, "QEMU");
    put_padded(reply + 16, 16, drive->model);
    put_padded(reply + 32, 4, drive->ver);
    atapi_reply(drive, 36, get_be16(packet + 3));
}

static void packet_start_stop_unit(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    ATAPIState *atapi = &drive->atapi;
    bool start = packet[4] & 0x01, load_eject = packet[4] & 0x02;

    if (load_eject && !(packet[4] & 0xf0)) { /* a power condition leaves the tray alone */
        if (!start && !atapi->tray_open && atapi->tray_locked) {
            atapi_fail(drive,
                       medium_present(drive) ? SENSE_NOT_READY : SENSE_ILLEGAL_REQUEST,
                       ASC_REMOVAL_PREVENTED);
            return;
        }
        if (atapi->tray_open == start) {
            if (start && block_is_inserted(drive->backend)) {
                atapi->event_new_medium = atapi->unit_attention = true;
            }
            atapi->tray_open = !start;
            block_tray_moved(drive->backend);
        }
    }
    atapi_complete(drive);
}

static void packet_prevent_allow(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    drive->atapi.tray_locked = packet[4] & 0x01;
    atapi_complete(drive);
}

static void packet_mechanism_status(IDEDrive *drive, const uint8_t *packet,
                                    uint8_t *reply)
{
    reply[1] = drive->atapi.tray_open ? 0x10 : 0; /* door open */
    reply[5] = 1;                                 /* slots */
    atapi_reply(drive, 8, get_be16(packet + 8));
}

/* MMC-3, 6.7: only the media class has events. */
static void packet_get_event_status(IDEDrive *drive, const uint8_t *packet,
                                    uint8_t *reply)
{
    enum { MEDIA_CLASS = 4, NO_EVENT_AVAILABLE = 0x80 };
    ATAPIState *atapi = &drive->atapi;
    unsigned length = 4;

    if (!(packet[1] & 0x01)) { /* asynchronous notification */
        atapi_invalid_field(drive);
        return;
    }
    reply[2] = NO_EVENT_AVAILABLE;
    reply[3] = 1 << MEDIA_CLASS;
    if (packet[4] & (1 << MEDIA_CLASS)) {
        length = 8;
        reply[2] = MEDIA_CLASS;
        if (atapi->event_new_medium) {
            reply[4] = 2;
            atapi->event_new_medium = false;
        } else if (atapi->event_eject_request) {
            reply[4] = 1;
            atapi->event_eject_request = false;
        }
        reply[5] = (uint8_t)((atapi->tray_open ? 0x01 : 0) |
                             (block_is_inserted(drive->backend) ? 0x02 : 0));
    }
    put_be16(reply, length - 2);
    atapi_reply(drive, length, get_be16(packet + 7));
}

/* MMC-3, 6.6: a header, then the features that the request type asks for. */
static void packet_get_configuration(IDEDrive *drive, const uint8_t *packet,
                                     uint8_t *reply)
{
    enum { CURRENT = 0x01, CD_ROM = 0x08, DVD_ROM = 0x10 };
    static const uint8_t core[] = {0, 1, 0x0b, 8, 0, 0, 0, 2, 1, 0, 0, 0}; /* on ATAPI */
    static const uint8_t removable[] = {0, 3, 0x03, 4, 0x39, 0, 0, 0}; /* tray, lock */
    uint8_t profiles[] = {0, 0, 0x03, 8, 0, DVD_ROM, 0, 0, 0, CD_ROM, 0, 0};
    uint8_t current = 0;
    const struct {
        const uint8_t *data;
        unsigned length;
    } features[] = {
        {profiles, sizeof profiles}, {core, sizeof core}, {removable, sizeof removable}};
    unsigned type = packet[1] & 0x03, first = get_be16(packet + 2), length = 8;

    if (type == 3) {
        atapi_invalid_field(drive);
        return;
    }
    if (medium_present(drive)) {
        current = medium_blocks(drive) > CD_BLOCKS_MAX ? DVD_ROM : CD_ROM;
    }
    profiles[6] = current == DVD_ROM ? CURRENT : 0;
    profiles[10] = current == CD_ROM ? CURRENT : 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
        unsigned number = get_be16(features[i].data);

        if (type == 2 ? number == first : number >= first) {
            memcpy(reply + length, features[i].data, features[i].length);
            length += features[i].length;
        }
    }
    put_be32(reply, length - 4);
    put_be16(reply + 6, current);
    atapi_reply(drive, length, get_be16(packet + 7));
}

static void packet_mode_sense(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    enum { SAVED_VALUES = 3, ALL_PAGES = 0x3f, CAPABILITIES = 0x2a };
    static const uint8_t error_recovery[] = {0x01, 6, 0, 5, 0, 0, 0, 0};
    static const uint8_t audio_control[16] = {0x0e, 14};
    /* Reads CD-R, CD-RW and DVD; plays audio (or some systems do not mount), reads mode
     * 2, tray with lock and eject; 4x = 704 KB/s, 2 volume levels, 512 KiB buffer. */
    uint8_t capabilities[22] = {CAPABILITIES,
                                20,
                                0x3b,
                                0,
                                0x71,
                                0x60,
                                (uint8_t)(0x29 | (drive->atapi.tray_locked ? 0x02 : 0)),
                                0,
                                704 >> 8,
                                704 & 0xff,
                                0,
                                2,
                                512 >> 8,
                                0,
                                704 >> 8,
                                704 & 0xff};
    const struct {
        const uint8_t *data;
        unsigned length;
    } pages[] = {{error_recovery, sizeof error_recovery},
                 {audio_control, sizeof audio_control},
                 {capabilities, sizeof capabilities}};
    unsigned wanted = packet[2] & 0x3f, length = 8;

    if (packet[2] >> 6 == SAVED_VALUES) {
        atapi_fail(drive, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
        if (wanted == pages[i].data[0] || wanted == ALL_PAGES) {
            memcpy(reply + length, pages[i].data, pages[i].length);
            length += pages[i].length;
        }
    }
    if (length == 8) {
        atapi_invalid_field(drive);
        return;
    }
    put_be16(reply, length - 2);
    reply[2] = medium_present(drive) ? 0x01 : 0x70; /* 120 mm data disc; no disc */
    atapi_reply(drive, length, get_be16(packet + 7));
}

/* -- Packet commands: the medium ----------------------------------------------------- */

static void packet_read_capacity(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    uint32_t blocks = medium_blocks(drive);

    put_be32(reply, blocks ? blocks - 1 : 0);
    put_be32(reply + 4, ATAPI_BLOCK_SIZE);
    atapi_reply(drive, 8, 8);
}

static bool blocks_in_range(IDEDrive *drive, uint32_t block, uint32_t count)
{
    uint32_t blocks = medium_blocks(drive);

    if (block > blocks || count > blocks - block) {
        atapi_fail(drive, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
        return false;
    }
    return true;
}

static void atapi_read(IDEDrive *drive, uint32_t block, uint32_t count,
                       unsigned block_size)
{
    ATAPIState *atapi = &drive->atapi;

    if (blocks_in_range(drive, block, count)) {
        atapi->block = block;
        atapi->block_size = block_size;
        atapi->sector_left = 0;
        atapi_transfer(drive, &transfer_blocks, (uint64_t)count * block_size);
    }
}

static void packet_read_10(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    atapi_read(drive, get_be32(packet + 2), get_be16(packet + 7), ATAPI_BLOCK_SIZE);
}

static void packet_read_12(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    atapi_read(drive, get_be32(packet + 2), get_be32(packet + 6), ATAPI_BLOCK_SIZE);
}

/* READ CD: user data alone, or all 2352 bytes of the sector. */
static void packet_read_cd(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    uint32_t count = get_be32(packet + 5) & 0xffffff;

    switch (packet[9] & 0xf8) {
    case 0x00:
        atapi_complete(drive);
        break;
    case 0x10:
        atapi_read(drive, get_be32(packet + 2), count, ATAPI_BLOCK_SIZE);
        break;
    case 0xf8:
        atapi_read(drive, get_be32(packet + 2), count, RAW_BLOCK_SIZE);
        break;
    default:
        atapi_invalid_field(drive);
    }
}

static void packet_seek(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    if (blocks_in_range(drive, get_be32(packet + 2), 1)) {
        atapi_complete(drive);
    }
}

/* READ TOC/PMA/ATIP: a disc of one session and one data track. */
static void packet_read_toc(IDEDrive *drive, const uint8_t *packet, uint8_t *reply)
{
    enum { DATA_TRACK = 0x14, LEAD_OUT_TRACK = 0x16, LEAD_OUT = 0xaa };
    static const uint8_t points[] = {0xa0, 0xa1, 0xa2, 1};
    bool msf = packet[1] & 0x02;
    unsigned format = packet[2] & 0x0f, track = packet[6], length = 4;

    format = format ? format : packet[9] >> 6; /* where SFF-8020i has it */
    switch (format) {
    case 0:
        if (track > 1 && track != LEAD_OUT) {
            atapi_invalid_field(drive);
            return;
        }
        if (track <= 1) {
            reply[length + 1] = DATA_TRACK;
            reply[length + 2] = 1;
            put_address(reply + length + 4, 0, msf);
            length += 8;
        }
        reply[length + 1] = LEAD_OUT_TRACK;
        reply[length + 2] = LEAD_OUT;
        put_address(reply + length + 4, medium_blocks(drive), msf);
        length += 8;
        break;
    case 1: /* the first track of the last session */
        reply[5] = DATA_TRACK;
        reply[6] = 1;
        put_address(reply + 8, 0, msf);
        length = 12;
        break;
    case 2: /* the lead-in as it is recorded: always in MSF */
        for (unsigned i = 0; i < sizeof points; i++) {
            uint8_t *entry = reply + length;

            entry[0] = 1;
            entry[1] = DATA_TRACK;
            entry[3] = points[i];
            if (points[i] == 0xa2 || points[i] == 1) {
                put_msf(entry + 8, points[i] == 1 ? 0 : medium_blocks(drive));
            } else {
                entry[8] = 1; /* first, last track */
            }
            length += 11;
        }
        break;
    default:
        atapi_invalid_field(drive);
        return;
    }
    put_be16(reply, length - 2);
    reply[2] = reply[3] = 1; /* first and last track or session */
    atapi_reply(drive, length, get_be16(packet + 7));
}

static void packet_read_disc_information(IDEDrive *drive, const uint8_t *packet,
                                         uint8_t *reply)
{
    if (packet[1] & 0x07) {
        atapi_invalid_field(drive);
        return;
    }
    put_be16(reply, 32);
    reply[2] = 0x0e; /* the last session is complete, the disc finalized */
    reply[3] = reply[4] = reply[5] = reply[6] = 1; /* one session, one track */
    reply[7] = 0x20;                               /* unrestricted use */
    atapi_reply(drive, 34, get_be16(packet + 7));
}

/* -- The table ----------------------------------------------------------------------- */

#define NEEDS_MEDIUM 0x01u
#define ANY_TIME 0x02u /* a pending unit attention does not stop it */

static const struct {
    const char *name; /* NULL: there is no such command */
    void (*execute)(IDEDrive *drive, const uint8_t *packet, uint8_t *reply);
    unsigned flags;
} packet_commands[256] = {
    [0x00] = {"TEST UNIT READY", packet_test_unit_ready, NEEDS_MEDIUM},
    [0x03] = {"REQUEST SENSE", packet_request_sense, ANY_TIME},
    [0x12] = {"INQUIRY", packet_inquiry, ANY_TIME},
    [0x1b] = {"START STOP UNIT", packet_start_stop_unit, 0},
    [0x1e] = {"PREVENT ALLOW MEDIUM REMOVAL", packet_prevent_allow, 0},
    [0x25] = {"READ CAPACITY", packet_read_capacity, NEEDS_MEDIUM},
    [0x28] = {"READ (10)", packet_read_10, NEEDS_MEDIUM},
    [0x2b] = {"SEEK", packet_seek, NEEDS_MEDIUM},
    [0x43] = {"READ TOC/PMA/ATIP", packet_read_toc, NEEDS_MEDIUM},
    [0x46] = {"GET CONFIGURATION", packet_get_configuration, ANY_TIME},
    [0x4a] = {"GET EVENT STATUS NOTIFICATION", packet_get_event_status, ANY_TIME},
    [0x51] = {"READ DISC INFORMATION", packet_read_disc_information, NEEDS_MEDIUM},
    [0x5a] = {"MODE SENSE (10)", packet_mode_sense, 0},
    [0xa8] = {"READ (12)", packet_read_12, NEEDS_MEDIUM},
    [0xbb] = {"SET CD SPEED", packet_test_unit_ready, 0},
    [0xbd] = {"MECHANISM STATUS", packet_mechanism_status, 0},
    [0xbe] = {"READ CD", packet_read_cd, NEEDS_MEDIUM},
};

/* The user has opened the tray, or closed it. A drive whose medium was exchanged between
 * two commands says once that it had none, as if the guest had looked in between: systems
 * that poll would otherwise not notice. */
static void change_medium(void *opaque, bool load)
{
    IDEDrive *drive = opaque;
    ATAPIState *atapi = &drive->atapi;

    atapi->tray_open = !load;
    atapi->event_eject_request = false;
    if (load && block_is_inserted(drive->backend)) {
        atapi->event_new_medium = true;
        atapi->medium_was_out = atapi->unit_attention = true;
    }
}

static bool tray_is_open(void *opaque)
{
    return ((const IDEDrive *)opaque)->atapi.tray_open;
}

static bool is_locked(void *opaque)
{
    return ((const IDEDrive *)opaque)->atapi.tray_locked;
}

static void request_eject(void *opaque, bool force)
{
    ATAPIState *atapi = &((IDEDrive *)opaque)->atapi;

    atapi->event_eject_request = true;
    if (force) {
        atapi->tray_locked = false;
    }
}

const BlockDeviceOps atapi_block_ops = {
    .reports_errors = true,
    .repeat = ide_drive_repeat,
    .change_medium = change_medium,
    .tray_is_open = tray_is_open,
    .is_locked = is_locked,
    .request_eject = request_eject,
};

static void atapi_execute(IDEDrive *drive)
{
    ATAPIState *atapi = &drive->atapi;
    uint8_t number = atapi->packet[0];
    unsigned flags = packet_commands[number].flags;

    if (!packet_commands[number].name) {
        atapi_fail(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_COMMAND);
    } else if (medium_present(drive) && atapi->medium_was_out && !(flags & ANY_TIME)) {
        atapi->medium_was_out = false;
        atapi_fail(drive, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
    } else if (atapi->unit_attention && !(flags & ANY_TIME)) {
        atapi->unit_attention = false;
        atapi_fail(drive, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
    } else if ((flags & NEEDS_MEDIUM) && !medium_present(drive)) {
        atapi_fail(drive, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
    } else {
        if (packet_commands[number].execute != packet_request_sense) {
            atapi->sense_key = SENSE_NONE; /* it tells of the command before it */
            atapi->asc = 0;
        }
        memset(atapi->reply, 0, sizeof atapi->reply);
        packet_commands[number].execute(drive, atapi->packet, atapi->reply);
    }
}

/* -- PACKET: twelve bytes that are the command --------------------------------------- */

static void packet_offer(IDEDrive *drive, unsigned length)
{
    set_reason(drive, REASON_COMMAND);
}

static bool packet_consume(IDEDrive *drive, const uint8_t *data, unsigned length)
{
    memcpy(drive->atapi.packet, data, length);
    ide_transfer_stop(drive);
    atapi_execute(drive);
    return false;
}

const IDETransferKind atapi_transfer_packet = {
    .name = "packet",
    .consume = packet_consume,
    .offer = packet_offer,
};

void atapi_start(IDEDrive *drive)
{
    uint8_t features = drive->registers[IDE_FEATURES];

    if (features & 0x02) { /* OVL: overlapped commands */
        ide_drive_fail(drive, IDE_ERROR_ABRT);
        return;
    }
    drive->atapi.dma = features & 0x01;
    ide_transfer_pio(drive, &atapi_transfer_packet, ATAPI_PACKET_SIZE, ATAPI_PACKET_SIZE);
}

void atapi_reset(IDEDrive *drive)
{
    drive->atapi.sense_key = SENSE_NONE;
    drive->atapi.asc = 0;
    drive->atapi.tray_locked = false;
    drive->atapi.medium_was_out = drive->atapi.unit_attention = false;
    drive->atapi.event_eject_request = false;
    drive->atapi.sector_left = 0;
}
