/*
 * The ATA commands (ATA/ATAPI-6, section 8), as a table.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/ide/ide-drive.h"

#include <string.h>

typedef struct IDECommand IDECommand;

struct IDECommand {
    const char *name; /* NULL: there is no such command */
    void (*execute)(IDEDrive *drive, const IDECommand *command);
    unsigned drives; /* IDE_DISK, IDE_CDROM: who has it; others abort it */
    unsigned flags;
};

#define WRITE 0x01u /* data goes to the disk */
#define DMA 0x02u
#define MULTIPLE 0x04u /* blocks as SET MULTIPLE MODE has set them */
#define EXT 0x08u      /* 48-bit address and 16-bit count */

/* -- Addresses ----------------------------------------------------------------------- */

bool ide_task_file_sector(const IDEDrive *drive, uint64_t *sector)
{
    const uint8_t *now = drive->registers, *before = drive->previous;
    uint64_t low24 = now[IDE_LBA_LOW] | now[IDE_LBA_MID] << 8 | now[IDE_LBA_HIGH] << 16;
    uint32_t head = now[IDE_DEVICE] & 0x0fu;

    if (drive->lba48) {
        *sector = low24 | (uint64_t)before[IDE_LBA_LOW] << 24 |
                  (uint64_t)before[IDE_LBA_MID] << 32 |
                  (uint64_t)before[IDE_LBA_HIGH] << 40;
    } else if (now[IDE_DEVICE] & IDE_DEVICE_LBA) {
        *sector = low24 | head << 24;
    } else {
        uint32_t cylinder = (uint32_t)(low24 >> 8);
        uint32_t in_track = now[IDE_LBA_LOW];

        if (in_track == 0 || in_track > drive->sectors || head >= drive->heads) {
            return false;
        }
        *sector =
            ((uint64_t)cylinder * drive->heads + head) * drive->sectors + in_track - 1;
    }
    return true;
}

/* The first sector and how many, from the task file. False: no such address. */
static bool task_file_range(const IDEDrive *drive, uint64_t *sector, uint32_t *count)
{
    const uint8_t *now = drive->registers, *before = drive->previous;
    uint64_t sectors = block_sectors(drive->backend);

    if (drive->lba48) {
        *count = (uint32_t)(before[IDE_COUNT] << 8 | now[IDE_COUNT]);
        *count = *count ? *count : 65536;
    } else {
        *count = now[IDE_COUNT] ? now[IDE_COUNT] : 256;
    }
    return ide_task_file_sector(drive, sector) && *sector < sectors &&
           *count <= sectors - *sector;
}

/* Shows where the command is: the address of its next or its failed sector. */
static void task_file_set_sector(IDEDrive *drive, uint64_t sector)
{
    uint8_t *now = drive->registers, *before = drive->previous;
    uint32_t head = (uint32_t)(sector >> 24);

    if (!drive->lba48 && !(now[IDE_DEVICE] & IDE_DEVICE_LBA)) {
        uint64_t track = sector / drive->sectors;
        uint64_t cylinder = track / drive->heads;

        head = (uint32_t)(track % drive->heads);
        sector = (sector % drive->sectors + 1) | (cylinder & 0xffff) << 8;
    }
    now[IDE_LBA_LOW] = (uint8_t)sector;
    now[IDE_LBA_MID] = (uint8_t)(sector >> 8);
    now[IDE_LBA_HIGH] = (uint8_t)(sector >> 16);
    if (drive->lba48) {
        before[IDE_LBA_LOW] = (uint8_t)(sector >> 24);
        before[IDE_LBA_MID] = (uint8_t)(sector >> 32);
        before[IDE_LBA_HIGH] = (uint8_t)(sector >> 40);
    } else {
        now[IDE_DEVICE] = (uint8_t)((now[IDE_DEVICE] & 0xf0) | (head & 0x0f));
    }
}

static void task_file_advance(IDEDrive *drive, unsigned sectors)
{
    uint8_t *now = drive->registers, *before = drive->previous;
    unsigned count = (unsigned)(before[IDE_COUNT] << 8 | now[IDE_COUNT]) - sectors;

    now[IDE_COUNT] = (uint8_t)count;
    if (drive->lba48) {
        before[IDE_COUNT] = (uint8_t)(count >> 8);
    }
    drive->sector += sectors;
    task_file_set_sector(drive, drive->sector);
}

/* -- Reading and writing sectors ----------------------------------------------------- */

/* The guest is told the address of the sector that fails. */
static void sectors_fail(IDEDrive *drive, uint8_t *data, unsigned count, bool write)
{
    task_file_advance(
        drive, block_good_sectors(drive->backend, drive->sector, data, count, write));
    ide_drive_fail(drive, write ? IDE_ERROR_ABRT : IDE_ERROR_UNC);
}

static bool sectors_produce(IDEDrive *drive, uint8_t *data, unsigned length)
{
    unsigned count = length / BLOCK_SECTOR_SIZE;

    if (!block_read(drive->backend, drive->sector, data, count)) {
        if (!ide_transfer_wait(drive)) {
            sectors_fail(drive, data, count, false);
        }
        return false;
    }
    task_file_advance(drive, count);
    return true;
}

static bool sectors_consume(IDEDrive *drive, const uint8_t *data, unsigned length)
{
    unsigned count = length / BLOCK_SECTOR_SIZE;

    if (!block_write(drive->backend, drive->sector, data, count) ||
        (!drive->write_cache && !block_flush(drive->backend))) {
        if (!ide_transfer_wait(drive)) {
            sectors_fail(drive, (uint8_t *)data, count, true);
        }
        return false;
    }
    task_file_advance(drive, count);
    return true;
}

const IDETransferKind ide_transfer_sectors_in = {
    .name = "sectors-in",
    .to_host = true,
    .produce = sectors_produce,
};

const IDETransferKind ide_transfer_sectors_out = {
    .name = "sectors-out",
    .consume = sectors_consume,
};

static void command_sectors(IDEDrive *drive, const IDECommand *command)
{
    const IDETransferKind *kind =
        command->flags & WRITE ? &ide_transfer_sectors_out : &ide_transfer_sectors_in;
    unsigned block = command->flags & MULTIPLE ? drive->multiple : 1;
    uint32_t count;

    if (block == 0 || !task_file_range(drive, &drive->sector, &count)) {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
    } else if (command->flags & DMA) {
        ide_transfer_dma(drive, kind, (uint64_t)count * BLOCK_SECTOR_SIZE);
    } else {
        ide_transfer_pio(drive, kind, (uint64_t)count * BLOCK_SECTOR_SIZE,
                         block * BLOCK_SECTOR_SIZE);
    }
}

/* READ VERIFY SECTORS and SEEK: no data, but the address must be there. */
static void command_verify(IDEDrive *drive, const IDECommand *command)
{
    uint64_t sector;
    uint32_t count;

    if (task_file_range(drive, &sector, &count)) {
        ide_drive_complete(drive);
    } else {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
    }
}

static void command_seek(IDEDrive *drive, const IDECommand *command)
{
    drive->registers[IDE_COUNT] = 1; /* is not an input of SEEK */
    command_verify(drive, command);
}

static void command_set_multiple(IDEDrive *drive, const IDECommand *command)
{
    unsigned count = drive->registers[IDE_COUNT];

    if (count > IDE_MULTIPLE_MAX || (count & (count - 1)) != 0) {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
        return;
    }
    drive->multiple = count;
    ide_drive_complete(drive);
}

static void command_native_max(IDEDrive *drive, const IDECommand *command)
{
    uint64_t last = block_sectors(drive->backend) - 1;
    bool lba = drive->registers[IDE_DEVICE] & IDE_DEVICE_LBA;

    if (!drive->lba48) {
        last = MIN(last,
                   lba ? UINT64_C(0x0fffffff)
                       : (uint64_t)drive->cylinders * drive->heads * drive->sectors - 1);
    }
    task_file_set_sector(drive, last);
    ide_drive_complete(drive);
}

static void command_initialize_parameters(IDEDrive *drive, const IDECommand *command)
{
    uint32_t heads = (drive->registers[IDE_DEVICE] & 0x0fu) + 1;
    uint32_t sectors = drive->registers[IDE_COUNT];

    if (sectors == 0) {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
        return;
    }
    drive->heads = heads;
    drive->sectors = sectors;
    drive->cylinders =
        (uint32_t)MIN(block_sectors(drive->backend) / (heads * sectors), 65535);
    ide_drive_complete(drive);
}

/* -- DATA SET MANAGEMENT (ACS-2, 7.10) ----------------------------------------------- */

/* Each entry of the list: 48 bits of address, 16 bits of count; a count of 0 is
 * unused. */
static bool trim_consume(IDEDrive *drive, const uint8_t *data, unsigned length)
{
    for (unsigned i = 0; i + 8 <= length; i += 8) {
        uint64_t entry;

        memcpy(&entry, data + i, sizeof entry);
        entry = GUINT64_FROM_LE(entry);
        if (entry >> 48 != 0 &&
            !block_discard(drive->backend, entry & UINT64_C(0xffffffffffff),
                           entry >> 48)) {
            ide_drive_fail(drive, IDE_ERROR_ABRT);
            return false;
        }
    }
    return true;
}

static const IDETransferKind transfer_trim = {.name = "trim", .consume = trim_consume};

static void command_data_set_management(IDEDrive *drive, const IDECommand *command)
{
    /* The high byte of the count is not looked at, as in QEMU: word 105 of IDENTIFY names
     * no maximum, and hosts then send one block. */
    unsigned count = drive->registers[IDE_COUNT];

    if (!(drive->registers[IDE_FEATURES] & 0x01) || count == 0) {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
        return;
    }
    ide_transfer_dma(drive, &transfer_trim, (uint64_t)count * BLOCK_SECTOR_SIZE);
}

/* -- IDENTIFY, SMART: one sector of the drive's own ---------------------------------- */

static bool identify_produce(IDEDrive *drive, uint8_t *data, unsigned length)
{
    ide_identify(drive, data);
    drive->identified = true;
    return true;
}

static const IDETransferKind transfer_identify = {
    .name = "identify",
    .to_host = true,
    .produce = identify_produce,
};

static void command_identify(IDEDrive *drive, const IDECommand *command)
{
    ide_transfer_pio(drive, &transfer_identify, BLOCK_SECTOR_SIZE, BLOCK_SECTOR_SIZE);
}

enum {
    SMART_READ_DATA = 0xd0,
    SMART_READ_THRESHOLDS = 0xd1,
    SMART_AUTOSAVE = 0xd2,
    SMART_ENABLE = 0xd8,
    SMART_DISABLE = 0xd9,
    SMART_RETURN_STATUS = 0xda,
};

/* An empty list of attributes: revision, and a checksum that makes the sum zero. */
static bool smart_produce(IDEDrive *drive, uint8_t *data, unsigned length)
{
    uint8_t sum = 0;

    memset(data, 0, length);
    data[0] = 0x01;
    for (unsigned i = 0; i < length - 1; i++) {
        sum = (uint8_t)(sum + data[i]);
    }
    data[length - 1] = (uint8_t)-sum;
    return true;
}

static const IDETransferKind transfer_smart = {
    .name = "smart",
    .to_host = true,
    .produce = smart_produce,
};

static void command_smart(IDEDrive *drive, const IDECommand *command)
{
    const uint8_t *registers = drive->registers;
    uint8_t feature = registers[IDE_FEATURES];

    if (registers[IDE_LBA_MID] != 0x4f || registers[IDE_LBA_HIGH] != 0xc2 ||
        (!drive->smart_enabled && feature != SMART_ENABLE)) {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
        return;
    }
    switch (feature) {
    case SMART_READ_DATA:
    case SMART_READ_THRESHOLDS:
        ide_transfer_pio(drive, &transfer_smart, BLOCK_SECTOR_SIZE, BLOCK_SECTOR_SIZE);
        break;
    case SMART_ENABLE:
    case SMART_DISABLE:
        drive->smart_enabled = feature == SMART_ENABLE;
        ide_drive_complete(drive);
        break;
    case SMART_AUTOSAVE:
    case SMART_RETURN_STATUS: /* 4Fh and C2h left as they are: all is well */
        ide_drive_complete(drive);
        break;
    default:
        ide_drive_fail(drive, IDE_ERROR_ABRT);
    }
}

/* -- SET FEATURES (8.46) ------------------------------------------------------------- */

/* Transfer modes: PIO default and 0-4, single and multiword DMA 0-2, Ultra DMA 0-5. */
static bool transfer_mode_known(uint8_t mode)
{
    static const struct {
        uint8_t family, last;
    } modes[] = {{0x00, 1}, {0x08, 4}, {0x10, 2}, {0x20, 2}, {0x40, 5}};

    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        if ((mode & ~7) == modes[i].family && (mode & 7) <= modes[i].last) {
            return true;
        }
    }
    return false;
}

static void command_set_features(IDEDrive *drive, const IDECommand *command)
{
    uint8_t count = drive->registers[IDE_COUNT];
    bool ok = true;

    switch (drive->registers[IDE_FEATURES]) {
    case 0x02: /* write cache on, off */
        drive->write_cache = true;
        break;
    case 0x82:
        drive->write_cache = false;
        ok = block_flush(drive->backend);
        break;
    case 0x03:
        ok = transfer_mode_known(count);
        if (ok) {
            drive->pio_dma_mode = count;
        }
        break;
    case 0x05: /* advanced power management on, off */
    case 0x85:
    case 0x42: /* automatic acoustic management on, off */
    case 0xc2:
    case 0x55: /* read look-ahead off, on */
    case 0xaa:
    case 0x66: /* a soft reset keeps the settings, or not: here it always does */
    case 0xcc:
        break;
    default:
        ok = false;
    }
    if (ok) {
        ide_drive_complete(drive);
    } else {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
    }
}

/* -- Without data -------------------------------------------------------------------- */

static void command_nothing(IDEDrive *drive, const IDECommand *command)
{
    ide_drive_complete(drive);
}

static void command_nop(IDEDrive *drive, const IDECommand *command)
{
    ide_drive_fail(drive, IDE_ERROR_ABRT);
}

static void flush(IDEDrive *drive)
{
    if (block_flush(drive->backend)) {
        ide_drive_complete(drive);
    } else if (!ide_drive_wait(drive, flush)) {
        ide_drive_fail(drive, IDE_ERROR_ABRT);
    }
}

static void command_flush(IDEDrive *drive, const IDECommand *command)
{
    flush(drive);
}

static void command_check_power_mode(IDEDrive *drive, const IDECommand *command)
{
    drive->registers[IDE_COUNT] = 0xff; /* active */
    ide_drive_complete(drive);
}

static void command_packet(IDEDrive *drive, const IDECommand *command)
{
    atapi_start(drive);
}

/* Ends at once and without an interrupt (9.13). */
static void command_device_reset(IDEDrive *drive, const IDECommand *command)
{
    uint8_t device = drive->registers[IDE_DEVICE];

    ide_drive_soft_reset(drive);
    drive->registers[IDE_DEVICE] = (device & IDE_DEVICE_DEV) | IDE_DEVICE_OBSOLETE;
    ide_bus_update_irq(ide_drive_bus(drive));
}

void ide_bus_diagnose(IDEBus *bus)
{
    IDEDrive *first = bus->drives[0] ? bus->drives[0] : bus->drives[1];

    bus->selected = 0;
    for (unsigned unit = 0; unit < 2; unit++) {
        if (bus->drives[unit]) {
            ide_drive_soft_reset(bus->drives[unit]);
        }
    }
    if (first) {
        ide_drive_interrupt(first);
    }
}

/* -- The table ----------------------------------------------------------------------- */

#define DISK IDE_DISK
#define CDROM IDE_CDROM
#define BOTH (IDE_DISK | IDE_CDROM)

static const IDECommand commands[256] = {
    [0x00] = {"NOP", command_nop, BOTH, 0},
    [0x06] = {"DATA SET MANAGEMENT", command_data_set_management, DISK, DMA | EXT},
    [0x08] = {"DEVICE RESET", command_device_reset, CDROM, 0},
    [0x10 ... 0x1f] = {"RECALIBRATE", command_nothing, DISK, 0},
    [0x20] = {"READ SECTORS", command_sectors, DISK, 0},
    [0x21] = {"READ SECTORS (no retry)", command_sectors, DISK, 0},
    [0x24] = {"READ SECTORS EXT", command_sectors, DISK, EXT},
    [0x25] = {"READ DMA EXT", command_sectors, DISK, DMA | EXT},
    [0x27] = {"READ NATIVE MAX ADDRESS EXT", command_native_max, DISK, EXT},
    [0x29] = {"READ MULTIPLE EXT", command_sectors, DISK, MULTIPLE | EXT},
    [0x30] = {"WRITE SECTORS", command_sectors, DISK, WRITE},
    [0x31] = {"WRITE SECTORS (no retry)", command_sectors, DISK, WRITE},
    [0x34] = {"WRITE SECTORS EXT", command_sectors, DISK, WRITE | EXT},
    [0x35] = {"WRITE DMA EXT", command_sectors, DISK, WRITE | DMA | EXT},
    [0x39] = {"WRITE MULTIPLE EXT", command_sectors, DISK, WRITE | MULTIPLE | EXT},
    [0x3c] = {"WRITE VERIFY", command_sectors, DISK, WRITE},
    [0x40] = {"READ VERIFY SECTORS", command_verify, DISK, 0},
    [0x41] = {"READ VERIFY SECTORS (no retry)", command_verify, DISK, 0},
    [0x42] = {"READ VERIFY SECTORS EXT", command_verify, DISK, EXT},
    [0x70 ... 0x7f] = {"SEEK", command_seek, DISK, 0},
    [0x91] = {"INITIALIZE DEVICE PARAMETERS", command_initialize_parameters, DISK, 0},
    [0x94] = {"STANDBY IMMEDIATE", command_nothing, BOTH, 0},
    [0x95] = {"IDLE IMMEDIATE", command_nothing, BOTH, 0},
    [0x96] = {"STANDBY", command_nothing, BOTH, 0},
    [0x97] = {"IDLE", command_nothing, BOTH, 0},
    [0x98] = {"CHECK POWER MODE", command_check_power_mode, BOTH, 0},
    [0x99] = {"SLEEP", command_nothing, BOTH, 0},
    [0xa0] = {"PACKET", command_packet, CDROM, 0},
    [0xa1] = {"IDENTIFY PACKET DEVICE", command_identify, CDROM, 0},
    [0xb0] = {"SMART", command_smart, DISK, 0},
    [0xc4] = {"READ MULTIPLE", command_sectors, DISK, MULTIPLE},
    [0xc5] = {"WRITE MULTIPLE", command_sectors, DISK, WRITE | MULTIPLE},
    [0xc6] = {"SET MULTIPLE MODE", command_set_multiple, DISK, 0},
    [0xc8] = {"READ DMA", command_sectors, DISK, DMA},
    [0xc9] = {"READ DMA (no retry)", command_sectors, DISK, DMA},
    [0xca] = {"WRITE DMA", command_sectors, DISK, WRITE | DMA},
    [0xcb] = {"WRITE DMA (no retry)", command_sectors, DISK, WRITE | DMA},
    [0xe0] = {"STANDBY IMMEDIATE", command_nothing, BOTH, 0},
    [0xe1] = {"IDLE IMMEDIATE", command_nothing, BOTH, 0},
    [0xe2] = {"STANDBY", command_nothing, BOTH, 0},
    [0xe3] = {"IDLE", command_nothing, BOTH, 0},
    [0xe5] = {"CHECK POWER MODE", command_check_power_mode, BOTH, 0},
    [0xe6] = {"SLEEP", command_nothing, BOTH, 0},
    [0xe7] = {"FLUSH CACHE", command_flush, BOTH, 0},
    [0xea] = {"FLUSH CACHE EXT", command_flush, BOTH, 0},
    [0xec] = {"IDENTIFY DEVICE", command_identify, DISK, 0},
    [0xef] = {"SET FEATURES", command_set_features, BOTH, 0},
    [0xf8] = {"READ NATIVE MAX ADDRESS", command_native_max, DISK, 0},
};

void ide_command_execute(IDEDrive *drive, uint8_t number)
{
    const IDECommand *command = &commands[number];

    if (!command->name || !(command->drives & drive->kind)) {
        /* A packet drive shows its signature to those who take it for a disk (9.12). */
        if (drive->kind == IDE_CDROM && (number == 0xec || number == 0x20)) {
            ide_drive_set_signature(drive);
        }
        ide_drive_fail(drive, IDE_ERROR_ABRT);
        return;
    }
    drive->lba48 = command->flags & EXT;
    ide_drive_ready(drive);
    command->execute(drive, command);
}
