/*
 * IDEDrive: what a disk and a CD-ROM share, and what the files of hw/ide say to each
 * other.
 *
 * A command goes ide-registers -> ide-commands -> (ide-atapi) -> ide-transfer. Everything
 * happens at once: a command that the guest starts has its data ready, or is over, when
 * the write to the Command register returns, so BSY is seen only while SRST is held.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef HW_IDE_IDE_DRIVE_H
#define HW_IDE_IDE_DRIVE_H

#include "hw/core/device.h"
#include "hw/ide/ide-bus.h"

/* Command block registers, by offset (ATA/ATAPI-6, table 15). */
enum {
    IDE_DATA = 0,
    IDE_ERROR = 1,    /* read */
    IDE_FEATURES = 1, /* write */
    IDE_COUNT = 2,
    IDE_LBA_LOW = 3,
    IDE_LBA_MID = 4,
    IDE_LBA_HIGH = 5,
    IDE_DEVICE = 6,
    IDE_STATUS = 7,  /* read */
    IDE_COMMAND = 7, /* write */
    IDE_REGISTERS = 8,
};

#define IDE_STATUS_BSY 0x80u
#define IDE_STATUS_DRDY 0x40u
#define IDE_STATUS_DF 0x20u
#define IDE_STATUS_DSC 0x10u
#define IDE_STATUS_DRQ 0x08u
#define IDE_STATUS_ERR 0x01u

#define IDE_ERROR_UNC 0x40u
#define IDE_ERROR_ABRT 0x04u

#define IDE_DEVICE_LBA 0x40u
#define IDE_DEVICE_DEV 0x10u
#define IDE_DEVICE_OBSOLETE 0xa0u /* bits that always read as one */

#define IDE_CONTROL_HOB 0x80u
#define IDE_CONTROL_SRST 0x04u
#define IDE_CONTROL_NIEN 0x02u

/* Sectors of a DRQ block, at most, that SET MULTIPLE MODE allows. */
#define IDE_MULTIPLE_MAX 16
#define IDE_BUFFER_SIZE 65536
#define ATAPI_PACKET_SIZE 12
#define ATAPI_BLOCK_SIZE 2048

typedef enum IDEDriveKind {
    IDE_DISK = 1,
    IDE_CDROM = 2,
} IDEDriveKind;

/* The ways in which data moves. produce and consume return false when the transfer ends
 * with this block: the command has failed, or gone on to its next phase. */
typedef struct IDETransferKind {
    const char *name;
    bool to_host;
    /* Fills the buffer with the next `length` bytes of the command, or takes them. */
    bool (*produce)(IDEDrive *drive, uint8_t *data, unsigned length);
    bool (*consume)(IDEDrive *drive, const uint8_t *data, unsigned length);
    /* A PIO block of that many bytes is about to be offered. May be NULL. */
    void (*offer)(IDEDrive *drive, unsigned length);
    /* All data has moved. NULL: the command completes, with an interrupt unless it was
     * PIO to the host (ATA/ATAPI-6, 9.6: the last block has had its interrupt). */
    void (*finish)(IDEDrive *drive);
} IDETransferKind;

typedef struct IDETransfer {
    const IDETransferKind *kind; /* NULL: none */
    bool dma;
    uint64_t total;            /* bytes of the command */
    uint64_t left;             /* of these, beyond the block at hand */
    unsigned block;            /* bytes of a PIO block, at most */
    unsigned position, length; /* in the PIO block at hand; DMA: length has come from the
                                * host and is not written yet */
    uint8_t *data;             /* IDE_BUFFER_SIZE bytes */
} IDETransfer;

/* What only a CD-ROM has. */
typedef struct ATAPIState {
    uint8_t packet[ATAPI_PACKET_SIZE];
    bool dma;               /* the PACKET command asked for it */
    uint8_t sense_key, asc; /* of the last command */
    bool tray_open, tray_locked;
    bool medium_was_out; /* a changed medium: that none was there is to be reported, */
    bool unit_attention; /* and then that it may be another one */
    bool event_new_medium, event_eject_request;
    unsigned produced;   /* of a block that waits for the rest; else 0 */
    uint64_t block;      /* next to read */
    unsigned block_size; /* bytes that each gives: 2048 user data, 2352 raw */
    uint8_t reply[512];
    unsigned reply_position;
    uint8_t sector[2352]; /* one that was read but partly handed on */
    unsigned sector_left;
} ATAPIState;

struct IDEDrive {
    Device parent;
    /* Properties. */
    char *drive; /* the backend's id */
    int32_t bootindex;
    uint32_t unit_wanted; /* UINT32_MAX: the first free */
    char *serial, *ver, *model;
    uint64_t wwn;
    int read_errors, write_errors; /* of block_error_policy_names */
    uint32_t logical_cylinders, logical_heads, logical_sectors; /* what firmware is told */
    IDEGeometry geometry;          /* default; zeroes: guessed from the disk */
    int translation_wanted;
    uint32_t rotation_rate;

    IDEDriveKind kind;
    unsigned unit;
    BlockBackend *backend;

    /* Task file: what was written last, and before that (the two-deep registers of the
     * 48-bit address feature set, ATA/ATAPI-6, 6.20). */
    uint8_t registers[IDE_REGISTERS];
    uint8_t previous[IDE_REGISTERS];
    uint8_t status, error;
    bool irq_pending;

    uint32_t cylinders, heads, sectors; /* INITIALIZE DEVICE PARAMETERS */
    unsigned multiple;                  /* sectors of a block; 0: disabled */
    uint8_t pio_dma_mode;               /* SET FEATURES 03h, as given */
    bool write_cache, smart_enabled;
    bool identified; /* the guest knows its identification */
    /* Goes on with the command at hand, BSY until then, which waits for the image. Or
     * NULL.
     */
    void (*repeat)(IDEDrive *drive);

    IDETransfer transfer;
    uint64_t sector; /* next of the command at hand */
    bool lba48;      /* the command at hand has a 48-bit address */

    ATAPIState atapi;
};

GType ide_drive_get_type(void);
#define TYPE_IDE_DRIVE (ide_drive_get_type())
#define IDE_DRIVE(object) (G_TYPE_CHECK_INSTANCE_CAST((object), TYPE_IDE_DRIVE, IDEDrive))

static inline IDEBus *ide_drive_bus(const IDEDrive *drive)
{
    return IDE_BUS(drive->parent.bus);
}

/* -- ide-drive.c: the ends of a command ---------------------------------------------- */

/* Success: DRDY and DSC, no interrupt. */
void ide_drive_ready(IDEDrive *drive);
/* Success, and the interrupt. */
void ide_drive_complete(IDEDrive *drive);
/* ERR with those bits in the Error register, and the interrupt. */
void ide_drive_fail(IDEDrive *drive, uint8_t error);
void ide_drive_interrupt(IDEDrive *drive);
/* An access to the image has failed. Whether it is to be repeated, by repeat(): the drive
 * is busy until then. */
bool ide_drive_wait(IDEDrive *drive, void (*repeat)(IDEDrive *drive));
/* As a BlockDeviceOps' repeat. */
void ide_drive_repeat(void *opaque);

/* The registers of a drive that has just reset (ATA/ATAPI-6, 9.12), status included. */
void ide_drive_set_signature(IDEDrive *drive);
/* What SRST and DEVICE RESET do. */
void ide_drive_soft_reset(IDEDrive *drive);

/* -- ide-registers.c ----------------------------------------------------------------- */

/* Drives INTRQ as the selected drive and nIEN have it. */
void ide_bus_update_irq(IDEBus *bus);

/* -- ide-commands.c ------------------------------------------------------------------ */

void ide_command_execute(IDEDrive *drive, uint8_t command);
/* The sector that the task file names; false: there is no such cylinder, head, sector. */
bool ide_task_file_sector(const IDEDrive *drive, uint64_t *sector);
extern const IDETransferKind ide_transfer_sectors_in, ide_transfer_sectors_out;
/* EXECUTE DEVICE DIAGNOSTIC is for both drives, whichever is selected. */
#define IDE_COMMAND_DIAGNOSTIC 0x90
#define IDE_COMMAND_DEVICE_RESET 0x08
void ide_bus_diagnose(IDEBus *bus);

/* -- ide-identify.c ------------------------------------------------------------------ */

/* The 512 bytes of IDENTIFY DEVICE or IDENTIFY PACKET DEVICE. */
void ide_identify(const IDEDrive *drive, uint8_t *data);

/* -- ide-geometry.c ------------------------------------------------------------------ */

void ide_geometry_guess(BlockBackend *backend, IDEGeometry *geometry);

/* -- ide-atapi.c --------------------------------------------------------------------- */

/* What the user does with the medium and the tray. */
extern const BlockDeviceOps atapi_block_ops;

void atapi_reset(IDEDrive *drive);
/* The PACKET command has been written. */
void atapi_start(IDEDrive *drive);

/* How the twelve bytes of a packet come, and whether a kind answers one. What remained of
 * an answer whose source is not known any more is an aborted command. */
extern const IDETransferKind atapi_transfer_packet, atapi_transfer_lost;
bool atapi_transfer_is_reply(const IDETransferKind *kind);

/* -- ide-transfer.c ------------------------------------------------------------------ */

/* Starts to move `bytes` in PIO blocks of `block` bytes, or by DMA. */
void ide_transfer_pio(IDEDrive *drive, const IDETransferKind *kind, uint64_t bytes,
                      unsigned block);
void ide_transfer_dma(IDEDrive *drive, const IDETransferKind *kind, uint64_t bytes);
void ide_transfer_stop(IDEDrive *drive);
/* produce() or consume() has to be called once more, as the image has failed: whether
 * that will be so. */
bool ide_transfer_wait(IDEDrive *drive);

/* The guest's accesses to the Data register, `size` 1, 2 or 4 bytes. */
uint32_t ide_transfer_read(IDEDrive *drive, unsigned size);
void ide_transfer_write(IDEDrive *drive, uint32_t value, unsigned size);

#endif
