/*
 * IDENTIFY DEVICE and IDENTIFY PACKET DEVICE data (ATA/ATAPI-6, 8.15 and 8.16).
 *
 * The values are those that QEMU's disk and CD-ROM report, so that a guest's driver that
 * has seen one takes the same path with the other.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hw/ide/ide-drive.h"

#include <string.h>

#define LBA28_SECTORS_MAX UINT64_C(0x0fffffff)

/* A word that is the same for every drive of its kind. */
typedef struct IdentifyWord {
    uint8_t word;
    uint16_t value;
} IdentifyWord;

static const IdentifyWord disk_words[] = {
    {0, 0x0040},  /* fixed disk */
    {5, 0x0200},  /* bytes of an unformatted sector */
    {20, 0x0003}, /* buffer: dual ported, read caching */
    {21, 0x0200}, /* its sectors */
    {22, 0x0004}, /* ECC bytes */
    {47, 0x8000 | IDE_MULTIPLE_MAX},
    {48, 0x0001}, /* 32-bit accesses to the Data register */
    {49, 0x0b00}, /* IORDY, LBA, DMA */
    {51, 0x0200}, /* PIO and DMA timing modes, obsolete */
    {52, 0x0200},
    {53, 0x0007}, /* words 54-58, 64-70 and 88 are valid */
    {64, 0x0003}, /* PIO modes 3 and 4 */
    {65, 120},    /* cycle times, ns: multiword DMA, PIO */
    {66, 120},
    {67, 120},
    {68, 120},
    {69, 0x4000}, /* reads after TRIM are deterministic */
    {80, 0x00f0}, /* ATA-4 to ATA-7 */
    {81, 0x0016}, /* ATA/ATAPI-6 T13 1410D */
    {82, 0x4021}, /* NOP, write cache, SMART */
    {83, 0x7400}, /* FLUSH CACHE (EXT), 48-bit address */
    {84, 0x4000},
    {86, 0x3400},
    {87, 0x4000},
    {93, 0x6001},  /* 80-conductor cable, device 0 by jumper */
    {106, 0x6000}, /* a logical sector is a physical one */
    {169, 0x0001}, /* DATA SET MANAGEMENT: TRIM */
};

static const IdentifyWord cdrom_words[] = {
    {0, 0x85c0}, /* ATAPI CD-ROM, removable, DRQ within 50 us, 12-byte packets */
    {48, 0x0001}, {49, 0x0300},            /* LBA, DMA */
    {53, 0x0007}, {64, 0x0003}, {65, 180}, /* cycle times, ns */
    {66, 180},    {67, 300},    {68, 180},
    {71, 30}, /* ns from PACKET to bus release, from SERVICE to BSY clear */
    {72, 30},     {80, 0x001e}, /* ATA-1 to ATA-4 */
};

static void put_word(uint8_t *data, unsigned word, uint16_t value)
{
    data[word * 2] = (uint8_t)value;
    data[word * 2 + 1] = (uint8_t)(value >> 8);
}

static void put_long(uint8_t *data, unsigned word, uint32_t value)
{
    put_word(data, word, (uint16_t)value);
    put_word(data, word + 1, (uint16_t)(value >> 16));
}

static void put_table(uint8_t *data, const IdentifyWord *table, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        put_word(data, table[i].word, table[i].value);
    }
}

/* Text padded with spaces, the first character of a pair in the word's upper byte. */
static void put_text(uint8_t *data, unsigned word, unsigned words, const char *text)
{
    size_t length = strlen(text);

    for (unsigned i = 0; i < words * 2; i++) {
        data[word * 2 + (i ^ 1)] = i < length ? (uint8_t)text[i] : ' ';
    }
}

/* The DMA modes: all that there are, and the one that SET FEATURES 03h has chosen. */
static void put_transfer_modes(uint8_t *data, uint8_t mode)
{
    uint16_t chosen = (uint16_t)(1u << (8 + (mode & 7)));
    unsigned family = mode >> 3;

    put_word(data, 62, (uint16_t)(0x07 | (family == 2 ? chosen : 0)));
    put_word(data, 63, (uint16_t)(0x07 | (family == 4 ? chosen : 0)));
    put_word(data, 88, (uint16_t)(0x3f | (family == 8 ? chosen : 0)));
}

static void put_wwn(uint8_t *data, uint64_t wwn)
{
    if (wwn) {
        put_word(data, 84, 0x4100);
        put_word(data, 87, 0x4100);
        for (unsigned i = 0; i < 4; i++) {
            put_word(data, 108 + i, (uint16_t)(wwn >> (48 - 16 * i)));
        }
    }
}

static void put_disk(const IDEDrive *drive, uint8_t *data)
{
    uint64_t sectors = block_sectors(drive->backend);
    uint64_t by_chs = (uint64_t)drive->cylinders * drive->heads * drive->sectors;

    put_table(data, disk_words, G_N_ELEMENTS(disk_words));
    put_word(data, 1, (uint16_t)drive->geometry.cylinders);
    put_word(data, 3, (uint16_t)drive->geometry.heads);
    put_word(data, 4, (uint16_t)(drive->geometry.sectors * BLOCK_SECTOR_SIZE));
    put_word(data, 6, (uint16_t)drive->geometry.sectors);
    put_word(data, 54, (uint16_t)drive->cylinders);
    put_word(data, 55, (uint16_t)drive->heads);
    put_word(data, 56, (uint16_t)drive->sectors);
    put_long(data, 57, (uint32_t)by_chs);
    put_word(data, 59, (uint16_t)(drive->multiple ? 0x0100 | drive->multiple : 0));
    put_long(data, 60, (uint32_t)MIN(sectors, LBA28_SECTORS_MAX));
    put_word(data, 85,
             (uint16_t)(0x4000 | (drive->write_cache ? 0x0020 : 0) |
                        (drive->smart_enabled ? 0x0001 : 0)));
    put_long(data, 100, (uint32_t)sectors);
    put_long(data, 102, (uint32_t)(sectors >> 32));
    put_word(data, 217, (uint16_t)drive->rotation_rate);
}

void ide_identify(const IDEDrive *drive, uint8_t *data)
{
    memset(data, 0, 512);
    if (drive->kind == IDE_CDROM) {
        put_table(data, cdrom_words, G_N_ELEMENTS(cdrom_words));
    } else {
        put_disk(drive, data);
    }
    put_text(data, 10, 10, drive->serial);
    put_text(data, 23, 4, drive->ver);
    put_text(data, 27, 20, drive->model);
    put_transfer_modes(data, drive->pio_dma_mode);
    put_wwn(data, drive->wwn);
}
