/*
 * The ATAPI CD-ROM at its registers: ATA/ATAPI-6 8.23 and 9.8, SFF-8020i, MMC-3. What the
 * drive says of itself and of a disc of 300 blocks is what QEMU 7.2's says.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/ide-fixture.h"

#define BLOCKS 300
#define COMMAND_PHASE 1 /* interrupt reason: CoD, IO */
#define DATA_PHASE 2
#define STATUS_PHASE 3

/* Block n's bytes are n and n / 256 in turn. */
static char *disc_new(unsigned blocks)
{
    char *path = image_new(0);
    int fd = open(path, O_WRONLY);

    for (unsigned n = 0; n < blocks; n++) {
        uint16_t block[1024];

        for (unsigned i = 0; i < 1024; i++) {
            block[i] = GUINT16_TO_LE((uint16_t)n);
        }
        ck_assert_int_eq(write(fd, block, sizeof block), sizeof block);
    }
    close(fd);
    return path;
}

static void start_with_disc(unsigned blocks)
{
    char *path = disc_new(blocks);

    drive_add(path, "if=ide,index=0,media=cdrom,id=cd");
    unlink(path);
    machine_start();
}

static void start_empty(void)
{
    ck_assert(drive_new("if=ide,index=0,media=cdrom,id=cd", NULL) != NULL);
    machine_start();
}

/* What a packet command has given. */
static struct {
    uint8_t data[65536 * 2];
    unsigned length, blocks;
    unsigned sizes[64]; /* of each DRQ block */
    uint8_t status, error;
} result;

/* The PIO protocol of PACKET (9.8), each phase checked. `packet` is in hexadecimal. */
static void packet_limit(const char *packet, unsigned limit)
{
    uint8_t bytes[12] = {0};
    unsigned value, n = 0, used;

    while (n < 12 && sscanf(packet, "%x%n", &value, &used) == 1) {
        bytes[n++] = (uint8_t)value;
        packet += used;
    }
    memset(&result, 0, sizeof result);
    outb(FEATURES, 0);
    outb(MID, (uint8_t)limit);
    outb(HIGH, (uint8_t)(limit >> 8));
    inb(STATUS);
    machine.edges[14] = 0;
    outb(COMMAND, 0xa0);
    ck_assert_uint_eq(inb(ALTERNATE) & (BSY | DRQ | ERR), DRQ);
    ck_assert_uint_eq(inb(COUNT) & 7, COMMAND_PHASE);
    for (unsigned i = 0; i < 12; i += 2) {
        ck_assert_uint_eq(machine.edges[14], 0);
        out(DATA, 2, (uint64_t)(bytes[i] | bytes[i + 1] << 8));
    }
    while ((inb(ALTERNATE) & (BSY | DRQ)) == DRQ) {
        unsigned size = (unsigned)(inb(MID) | inb(HIGH) << 8);

        ck_assert_uint_eq(inb(COUNT) & 7, DATA_PHASE);
        ck_assert_uint_eq(machine.edges[14], result.blocks + 1);
        ck_assert_int_eq(machine.level[14], 1);
        inb(STATUS);
        ck_assert_uint_gt(size, 0);
        ck_assert_uint_le(result.length + size, sizeof result.data);
        read_block(result.data + result.length, size);
        result.length += size;
        result.sizes[MIN(result.blocks, 63)] = size;
        result.blocks++;
    }
    ck_assert_uint_eq(machine.edges[14], result.blocks + 1);
    result.status = inb(STATUS);
    result.error = inb(ERROR);
    ck_assert_int_eq(machine.level[14], 0);
}

static void packet_ok(const char *packet, unsigned length)
{
    packet_limit(packet, 0xfffe);
    ck_assert_uint_eq(result.status, DRDY | DSC);
    ck_assert_uint_eq(result.error, 0);
    ck_assert_uint_eq(inb(COUNT) & 7, STATUS_PHASE);
    ck_assert_uint_eq(result.length, length);
}

static void packet_fails(const char *packet, uint8_t key, uint8_t asc)
{
    packet_limit(packet, 0xfffe);
    ck_assert_uint_eq(result.status & ~DSC, DRDY | ERR);
    ck_assert_uint_eq(result.error >> 4, key);
    ck_assert_uint_eq(inb(COUNT) & 7, STATUS_PHASE);
    ck_assert_uint_eq(result.length, 0);
    packet_ok("03 0 0 0 12", 18);
    ck_assert_uint_eq(result.data[0], 0xf0);
    ck_assert_uint_eq(result.data[2], key);
    ck_assert_uint_eq(result.data[12], asc);
}

static void assert_data(const char *hexadecimal)
{
    unsigned value, n = 0, used;

    while (sscanf(hexadecimal, "%x%n", &value, &used) == 1) {
        ck_assert_msg(result.data[n] == value, "byte %u is %02x, not %02x", n,
                      result.data[n], value);
        hexadecimal += used;
        n++;
    }
    ck_assert_uint_eq(n, result.length);
}

static void assert_blocks(const uint8_t *data, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count * 1024; i++) {
        ck_assert_uint_eq(data[i * 2] | data[i * 2 + 1] << 8, first + i / 1024);
    }
}

/* -- The drive ----------------------------------------------------------------------- */

static void assert_signature(void)
{
    ck_assert_uint_eq(inb(COUNT), 1);
    ck_assert_uint_eq(inb(LOW), 1);
    ck_assert_uint_eq(inb(MID), 0x14);
    ck_assert_uint_eq(inb(HIGH), 0xeb);
}

START_TEST(test_signature)
{
    start_with_disc(BLOCKS);
    assert_signature();
    ck_assert_uint_eq(inb(STATUS), 0);
    outb(MID, 0);
    outb(COMMAND, 0xec); /* a disk's IDENTIFY: aborted, with the signature (8.15.5.2) */
    ck_assert_uint_eq(inb(STATUS) & (DRDY | ERR), DRDY | ERR);
    ck_assert_uint_eq(inb(ERROR), ABRT);
    assert_signature();
    outb(COMMAND, 0x20);
    ck_assert_uint_eq(inb(STATUS) & ERR, ERR);
    assert_signature();
}
END_TEST

START_TEST(test_identify_packet)
{
    static const uint16_t expected[][2] = {
        {0, 0x85c0},  {27, 0x5145}, {28, 0x4d55}, {29, 0x2044}, {30, 0x5644},
        {31, 0x2d52}, {32, 0x4f4d}, {33, 0x2020}, {48, 0x0001}, {49, 0x0300},
        {53, 0x0007}, {62, 0x0007}, {63, 0x0007}, {64, 0x0003}, {65, 0x00b4},
        {66, 0x00b4}, {67, 0x012c}, {68, 0x00b4}, {71, 0x001e}, {72, 0x001e},
        {80, 0x001e}, {88, 0x203f}, {82, 0},      {1, 0},       {60, 0},
    };
    uint8_t data[512];

    start_with_disc(BLOCKS);
    outb(COMMAND, 0xa1);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC | DRQ);
    read_block(data, 512);
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        const uint8_t *word = data + expected[i][0] * 2;

        ck_assert_msg((word[0] | word[1] << 8) == expected[i][1], "word %u",
                      expected[i][0]);
    }
}
END_TEST

/* DEVICE RESET ends even a transfer, without an interrupt, and leaves DRDY clear. */
START_TEST(test_device_reset)
{
    start_with_disc(BLOCKS);
    outb(MID, 0x00);
    outb(HIGH, 0x08);
    outb(COMMAND, 0xa0);
    out(DATA, 2, 0x0028);
    machine.edges[14] = 0;
    outb(COMMAND, 0x08);
    assert_signature();
    ck_assert_uint_eq(inb(STATUS), 0);
    ck_assert_uint_eq(inb(ERROR), 1);
    ck_assert_uint_eq(machine.edges[14], 0);
    packet_ok("00", 0);
}
END_TEST

START_TEST(test_inquiry)
{
    start_with_disc(BLOCKS);
    packet_ok("12 0 0 0 60", 36);
    assert_data(
        "05 80 00 21 1f 00 00 00 51 45 4d 55 20 20 20 20 51 45 4d 55 20 44 56 44 2d "
        "52 4f 4d 20 20 20 20 32 2e 35 2b");
    packet_ok("12 0 0 0 5", 5); /* no more than the host allocates */
    packet_ok("12", 0);
    packet_fails("12 1 0 0 60", 5, 0x24);
}
END_TEST

/* 8.23.4: an odd limit counts only for data that fits whole; 0 is refused. */
START_TEST(test_byte_count_limit)
{
    start_with_disc(BLOCKS);
    for (unsigned limit = 10; limit <= 11; limit++) {
        packet_limit("12 0 0 0 24", limit);
        ck_assert_uint_eq(result.length, 36);
        ck_assert_uint_eq(result.blocks, 4);
        ck_assert_uint_eq(result.sizes[0], 10);
        ck_assert_uint_eq(result.sizes[3], 6);
        ck_assert_uint_eq(result.data[35], 0x2b);
    }
    packet_limit("12 0 0 0 5", 5);
    ck_assert_uint_eq(result.sizes[0], 5);
    packet_limit("12 0 0 0 24", 0xffff);
    ck_assert_uint_eq(result.sizes[0], 36);
    packet_limit("12 0 0 0 24", 0);
    ck_assert_uint_eq(result.status & ERR, ERR);
    ck_assert_uint_eq(result.error, ABRT);
    packet_limit("12 0 0 0 24", 1);
    ck_assert_uint_eq(result.error, ABRT);
}
END_TEST

START_TEST(test_mode_sense)
{
    start_with_disc(BLOCKS);
    packet_ok("5a 0 1 0 0 0 0 0 64", 16);
    assert_data("00 0e 01 00 00 00 00 00 01 06 00 05 00 00 00 00");
    packet_ok("5a 0 2a 0 0 0 0 0 64", 30);
    assert_data(
        "00 1c 01 00 00 00 00 00 2a 14 3b 00 71 60 29 00 02 c0 00 02 02 00 02 c0 00 00 "
        "00 00 00 00");
    packet_ok("1e 0 0 0 1", 0); /* the lock shows */
    packet_ok("5a 0 2a 0 0 0 0 0 64", 30);
    ck_assert_uint_eq(result.data[14], 0x2b);
    packet_ok("5a 0 3f 0 0 0 0 0 ff", 54);
    packet_fails("5a 0 15 0 0 0 0 0 64", 5, 0x24);
    packet_fails("5a 0 c1 0 0 0 0 0 64", 5, 0x39);
}
END_TEST

START_TEST(test_unknown)
{
    start_with_disc(BLOCKS);
    packet_fails("ff", 5, 0x20);
    packet_ok("03 0 0 0 12", 18); /* the sense was taken */
    ck_assert_uint_eq(result.data[2], 0);
    outb(FEATURES, 0x02); /* overlapped */
    outb(COMMAND, 0xa0);
    ck_assert_uint_eq(inb(STATUS) & (ERR | DRQ), ERR);
}
END_TEST

/* -- The disc ------------------------------------------------------------------------ */

START_TEST(test_capacity)
{
    start_with_disc(BLOCKS);
    packet_ok("25", 8);
    assert_data("00 00 01 2b 00 00 08 00");
}
END_TEST

START_TEST(test_read)
{
    start_with_disc(BLOCKS);
    packet_ok("28 0 0 0 0 5 0 0 1", 2048);
    assert_blocks(result.data, 5, 1);
    packet_ok("a8 0 0 0 1 0 0 0 0 2c",
              44 * 2048); /* to the last; over the buffer's size */
    assert_blocks(result.data, 256, 44);
    ck_assert_uint_eq(result.sizes[0], 0xfffe);
    packet_ok("28 0 0 0 0 5 0 0 0", 0);
    packet_ok("be 0 0 0 0 7 0 0 2 10", 4096);
    assert_blocks(result.data, 7, 2);
    packet_fails("28 0 0 0 1 2c 0 0 1", 5, 0x21);
    packet_fails("28 0 0 0 1 2b 0 0 2", 5, 0x21);
    packet_fails("a8 0 ff ff ff ff ff ff ff ff", 5, 0x21);
    packet_ok("2b 0 0 0 1 2b", 0);
    packet_fails("2b 0 0 0 1 2c", 5, 0x21);
}
END_TEST

/* Blocks of the transfer that are none of the disc's. */
START_TEST(test_read_limits)
{
    static const unsigned limits[] = {2, 512, 2046, 2048, 2050, 5000, 32768};

    start_with_disc(BLOCKS);
    for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
        packet_limit("28 0 0 0 0 9 0 0 5", limits[i]);
        ck_assert_uint_eq(result.length, 5 * 2048);
        ck_assert_uint_eq(result.sizes[0], MIN(limits[i], 5 * 2048));
        assert_blocks(result.data, 9, 5);
    }
}
END_TEST

/* ECMA-130: sync, address in BCD, mode 1; block 75 is at 00:03:00. */
START_TEST(test_read_raw)
{
    start_with_disc(BLOCKS);
    packet_ok("be 0 0 0 0 4a 0 0 2 f8", 2 * 2352);
    ck_assert_int_eq(
        memcmp(result.data + 2352, "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0", 12),
        0);
    ck_assert_int_eq(memcmp(result.data + 12, "\x00\x02\x74\x01", 4), 0);
    ck_assert_int_eq(memcmp(result.data + 2352 + 12, "\x00\x03\x00\x01", 4), 0);
    assert_blocks(result.data + 16, 74, 1);
    assert_blocks(result.data + 2352 + 16, 75, 1);
    packet_fails("be 0 0 0 0 4a 0 0 2 20", 5, 0x24);
}
END_TEST

START_TEST(test_toc)
{
    start_with_disc(BLOCKS);
    packet_ok("43 0 0 0 0 0 0 0 64", 20);
    assert_data("00 12 01 01 00 14 01 00 00 00 00 00 00 16 aa 00 00 00 01 2c");
    packet_ok("43 2 0 0 0 0 0 0 64", 20);
    assert_data("00 12 01 01 00 14 01 00 00 00 02 00 00 16 aa 00 00 00 06 00");
    packet_ok("43 0 0 0 0 0 aa 0 64", 12);
    assert_data("00 0a 01 01 00 16 aa 00 00 00 01 2c");
    packet_ok("43 0 0 0 0 0 0 0 64 40", 12); /* sessions, where SFF-8020i asks for them */
    ck_assert_uint_eq(result.data[1], 0x0a);
    packet_ok("43 0 2 0 0 0 0 0 64", 4 + 4 * 11);
    ck_assert_uint_eq(result.data[4 + 22 + 3], 0xa2);
    ck_assert_int_eq(memcmp(result.data + 4 + 22 + 8, "\x00\x06\x00", 3), 0);
    packet_fails("43 0 0 0 0 0 2 0 64", 5, 0x24);
    packet_fails("43 0 5 0 0 0 0 0 64", 5, 0x24);
}
END_TEST

START_TEST(test_configuration)
{
    start_with_disc(BLOCKS);
    packet_ok("46 0 0 0 0 0 0 1 0", 40);
    ck_assert_int_eq(
        memcmp(result.data, "\0\0\0\x24\0\0\0\x08\0\0\x03\x08\0\x10\0\0\0\x08\x01\0", 20),
        0);
    packet_ok("46 2 0 3 0 0 0 1 0", 16);
    ck_assert_uint_eq(result.data[9], 3);
    packet_ok("46 2 0 7 0 0 0 1 0", 8);
    packet_ok("51 0 0 0 0 0 0 0 22", 34);
    ck_assert_int_eq(memcmp(result.data, "\0\x20\x0e\x01\x01\x01\x01\x20", 8), 0);
    packet_ok("bd 0 0 0 0 0 0 0 0 8", 8);
    assert_data("00 00 00 00 00 01 00 00");
}
END_TEST

/* An image longer than 80 minutes is a DVD. */
START_TEST(test_dvd)
{
    char *path = image_new((80 * 60 * 75 + 1) * UINT64_C(2048));

    drive_add(path, "if=ide,index=0,media=cdrom");
    unlink(path);
    machine_start();
    packet_ok("46 0 0 0 0 0 0 0 8", 8);
    ck_assert_uint_eq(result.data[7], 0x10);
}
END_TEST

/* -- Trays and media ----------------------------------------------------------------- */

START_TEST(test_empty)
{
    start_empty();
    packet_fails("00", 2, 0x3a);
    packet_fails("25", 2, 0x3a);
    packet_fails("28 0 0 0 0 0 0 0 1", 2, 0x3a);
    packet_fails("43 0 0 0 0 0 0 0 64", 2, 0x3a);
    packet_ok("12 0 0 0 24", 36);
    packet_ok("46 0 0 0 0 0 0 0 8", 8);
    ck_assert_uint_eq(result.data[7], 0);
    packet_ok("4a 1 0 0 10 0 0 0 64", 8);
    assert_data("00 06 04 10 00 00 00 00");
    packet_ok("5a 0 1 0 0 0 0 0 64", 16);
    ck_assert_uint_eq(result.data[2], 0x70);
    outb(COMMAND, 0xe7); /* FLUSH CACHE of nothing */
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
}
END_TEST

static void change_disc(BlockBackend *drive, const char *path)
{
    ck_assert(block_change_medium(drive, path, "raw", NULL, false, NULL));
}

/* A new disc is told of once as no disc at all, once by a unit attention, and once as an
 * event. */
START_TEST(test_medium_change)
{
    char *path = disc_new(20);
    BlockBackend *drive;

    start_empty();
    drive = drive_find("cd");
    packet_fails("00", 2, 0x3a);
    change_disc(drive, path);
    packet_fails("00", 2, 0x3a);
    packet_fails("00", 6, 0x28);
    packet_ok("00", 0);
    packet_ok("4a 1 0 0 10 0 0 0 64", 8);
    assert_data("00 06 04 10 02 02 00 00");
    packet_ok("4a 1 0 0 10 0 0 0 64", 8);
    assert_data("00 06 04 10 00 02 00 00");
    packet_ok("25", 8);
    assert_data("00 00 00 13 00 00 08 00");
    ck_assert(block_eject_medium(drive, false, NULL));
    packet_fails("25", 2, 0x3a);
    change_disc(drive, path);
    packet_fails("25", 2, 0x3a);
    packet_ok("03 0 0 0 12", 18); /* REQUEST SENSE tells of it, too */
    ck_assert_uint_eq(result.data[2], 6);
    packet_ok("00", 0);
    packet_ok("4a 1 0 0 2 0 0 0 64", 4); /* another class than media: nothing */
    assert_data("00 02 80 10");
    packet_fails("4a 0 0 0 10 0 0 0 64", 5, 0x24);
    unlink(path);
}
END_TEST

START_TEST(test_medium_goes_mid_read)
{
    start_with_disc(BLOCKS);
    outb(MID, 0x00);
    outb(HIGH, 0x08);
    outb(FEATURES, 0);
    outb(COMMAND, 0xa0);
    for (unsigned i = 0; i < 6; i++) {
        static const uint8_t read_3[12] = {0x28, [8] = 3};

        out(DATA, 2, (uint64_t)(read_3[i * 2] | read_3[i * 2 + 1] << 8));
    }
    block_eject(drive_find("cd"));
    ck_assert_uint_eq(inb(STATUS) & DRQ, DRQ);
    for (unsigned i = 0; i < 1024; i++) {
        in(DATA, 2);
    }
    ck_assert_uint_eq(inb(STATUS) & (DRQ | ERR), ERR);
    ck_assert_uint_eq(inb(ERROR), 0x20);
}
END_TEST

START_TEST(test_tray)
{
    start_with_disc(BLOCKS);
    packet_ok("1e 0 0 0 1", 0);
    packet_fails("1b 0 0 0 2", 2, 0x53);
    packet_ok("1e 0 0 0 0", 0);
    packet_ok("1b 0 0 0 2", 0);
    packet_fails("00", 2, 0x3a);
    packet_ok("4a 1 0 0 10 0 0 0 64", 8);
    ck_assert_uint_eq(result.data[5], 0x03); /* open, with a disc on it */
    packet_ok("1b 0 0 0 3", 0);
    packet_fails("00", 6, 0x28);
    packet_ok("00", 0);
    packet_ok("1b 0 0 0 32", 0); /* a power condition: the tray stays in */
    packet_ok("00", 0);
}
END_TEST

/* -- DMA ----------------------------------------------------------------------------- */

static void packet_dma(const uint8_t *packet)
{
    outb(FEATURES, 0x01);
    outb(MID, 0); /* no limit is looked at */
    outb(HIGH, 0);
    outb(COMMAND, 0xa0);
    for (unsigned i = 0; i < 12; i += 2) {
        out(DATA, 2, (uint64_t)(packet[i] | packet[i + 1] << 8));
    }
}

START_TEST(test_dma)
{
    static const uint8_t read_40[12] = {0x28, [5] = 100, [8] = 40};
    static const uint8_t inquiry[12] = {0x12, [4] = 36};
    static const uint8_t outside[12] = {0x28, [4] = 2, [8] = 1};

    start_with_disc(BLOCKS);
    prd(0, 0x20002, 6);
    prd(1, 0x30000, 0);
    prd(2, 0x40000, (40 * 2048 - 65536 - 6) | PRD_END);
    packet_dma(read_40);
    ck_assert_int_eq(machine.level[14], 0);
    bus_master_start(0x09);
    ck_assert_uint_eq(inb(BMIS), INTERRUPT);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
    ck_assert_uint_eq(inb(COUNT) & 7, STATUS_PHASE);
    ck_assert_uint_eq(machine.bytes[0x20007], 0);
    ck_assert_uint_eq(machine.bytes[0x20006], 100);
    ck_assert_uint_eq(machine.bytes[0x30000 + 2042 - 2], 100);
    assert_blocks(machine.bytes + 0x30000 + 2042, 101, 31);
    ck_assert_uint_eq(machine.bytes[0x40000 + 40 * 2048 - 65536 - 6 - 2], 139);

    prd(0, 0x8000, 36 | PRD_END);
    packet_dma(inquiry);
    bus_master_start(0x09);
    ck_assert_uint_eq(inb(BMIS), INTERRUPT);
    ck_assert_uint_eq(machine.bytes[0x8000 + 35], 0x2b);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);

    bus_master_start(0x09);
    packet_dma(outside); /* fails without any data */
    ck_assert_uint_eq(inb(BMIS), ACTIVE | INTERRUPT);
    ck_assert_uint_eq(inb(ERROR), 0x50);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("atapi");

    tcase_add_test(tcase, test_signature);
    tcase_add_test(tcase, test_identify_packet);
    tcase_add_test(tcase, test_device_reset);
    tcase_add_test(tcase, test_inquiry);
    tcase_add_test(tcase, test_byte_count_limit);
    tcase_add_test(tcase, test_mode_sense);
    tcase_add_test(tcase, test_unknown);
    tcase_add_test(tcase, test_capacity);
    tcase_add_test(tcase, test_read);
    tcase_add_test(tcase, test_read_limits);
    tcase_add_test(tcase, test_read_raw);
    tcase_add_test(tcase, test_toc);
    tcase_add_test(tcase, test_configuration);
    tcase_add_test(tcase, test_dvd);
    tcase_add_test(tcase, test_empty);
    tcase_add_test(tcase, test_medium_change);
    tcase_add_test(tcase, test_medium_goes_mid_read);
    tcase_add_test(tcase, test_tray);
    tcase_add_test(tcase, test_dma);
    return run_suite("atapi", tcase);
}
