/*
 * The IDE disk at its registers, by ATA/ATAPI-6. Identification is what QEMU 7.2 shows
 * for a disk of the same size.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/ide-fixture.h"

/* -- Registers ----------------------------------------------------------------------- */

START_TEST(test_signature)
{
    start_with_disk(DISK_SIZE);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
    ck_assert_uint_eq(inb(ERROR), 0x01);
    ck_assert_uint_eq(inb(COUNT), 1);
    ck_assert_uint_eq(inb(LOW), 1);
    ck_assert_uint_eq(inb(MID), 0);
    ck_assert_uint_eq(inb(HIGH), 0);
    ck_assert_uint_eq(inb(DEVICE), 0xa0);
}
END_TEST

/* 9.16.1: device 0 answers for an absent device 1, but for Status; commands to it go
 * nowhere. */
START_TEST(test_absent_slave)
{
    start_with_disk(DISK_SIZE);
    outb(DEVICE, 0xb0);
    ck_assert_uint_eq(inb(STATUS), 0);
    ck_assert_uint_eq(inb(ALTERNATE), 0);
    ck_assert_uint_eq(inb(DEVICE), 0xb0);
    outb(COUNT, 0x55);
    outb(LOW, 0xaa);
    ck_assert_uint_eq(inb(COUNT), 0x55);
    ck_assert_uint_eq(inb(LOW), 0xaa);
    outb(COMMAND, 0xec);
    ck_assert_uint_eq(inb(STATUS), 0);
    ck_assert_uint_eq(in(DATA, 2), 0);
    ck_assert_int_eq(machine.level[14], 0);
    outb(DEVICE, 0xa0);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
}
END_TEST

START_TEST(test_empty_channel)
{
    start_with_disk(DISK_SIZE);
    for (unsigned unit = 0; unit < 2; unit++) {
        outb(0x176, unit ? 0xb0 : 0xa0);
        outb(0x172, 0x55);
        outb(0x177, 0xec);
        for (unsigned port = 0x171; port < 0x178; port++) {
            ck_assert_uint_eq(inb(port), 0);
        }
        ck_assert_uint_eq(in(0x170, 2), 0);
        ck_assert_uint_eq(inb(0x376), 0);
    }
    ck_assert_int_eq(machine.level[15], 0);
}
END_TEST

START_TEST(test_slave_alone)
{
    char *path = image_new(DISK_SIZE);

    drive_add(path, "if=ide,index=1");
    unlink(path);
    machine_start();
    ck_assert_uint_eq(inb(STATUS), 0);
    outb(COMMAND, 0xec);
    ck_assert_uint_eq(inb(STATUS), 0);
    outb(DEVICE, 0xb0);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
    outb(COMMAND, 0xec);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC | DRQ);
}
END_TEST

/* Writes reach both drives, and each keeps what its own commands leave in the
 * registers. */
START_TEST(test_two_drives)
{
    char *paths[2] = {image_new(MiB(1)), image_new(MiB(2))};
    uint8_t data[512];

    drive_add(paths[0], "if=ide,index=0");
    drive_add(paths[1], "if=ide,index=1");
    machine_start();
    for (unsigned unit = 0; unit < 2; unit++) {
        outb(DEVICE, unit ? 0xb0 : 0xa0);
        outb(COMMAND, 0xec);
        read_block(data, 512);
        ck_assert_uint_eq(data[60 * 2] | data[60 * 2 + 1] << 8, unit ? 4096 : 2048);
        ck_assert_int_eq(memcmp(data + 20, unit ? "MQ0000 2" : "MQ0000 1", 8), 0);
        unlink(paths[unit]);
    }
    outb(COUNT, 0x77);
    outb(DEVICE, 0xa0);
    ck_assert_uint_eq(inb(COUNT), 0x77);
    ck_assert_uint_eq(inb(DEVICE), 0xa0);
}
END_TEST

START_TEST(test_registers_locked_while_busy)
{
    start_with_disk(DISK_SIZE);
    command_lba28(0x20, 5, 1);
    outb(COUNT, 0x99);
    outb(DEVICE, 0xb0);
    outb(COMMAND, 0xec);
    ck_assert_uint_eq(inb(COUNT), 0);
    ck_assert_uint_eq(inb(DEVICE), 0xe0);

    uint8_t data[512];

    read_block(data, 512);
    assert_sector(data, 5);
}
END_TEST

START_TEST(test_wide_register_accesses)
{
    start_with_disk(DISK_SIZE);
    out(COUNT, 2, 0x3412);
    ck_assert_uint_eq(inb(COUNT), 0x12);
    ck_assert_uint_eq(inb(LOW), 0x34);
    ck_assert_uint_eq(in(COUNT, 2), 0x3412);
    out(LOW, 2, 0x6655); /* at an odd port */
    ck_assert_uint_eq(in(LOW, 2), 0x6655);
}
END_TEST

/* -- Identification ------------------------------------------------------------------ */

static void identify(uint16_t *words)
{
    outb(COMMAND, 0xec);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC | DRQ);
    for (unsigned i = 0; i < 256; i++) {
        words[i] = (uint16_t)in(DATA, 2);
    }
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
}

START_TEST(test_identify)
{
    /* All words of QEMU 7.2's disk of 20 MiB that are not zero. */
    static const uint16_t expected[][2] = {
        {0, 0x0040},   {1, 0x0028},  {3, 0x0010},  {4, 0x7e00},   {5, 0x0200},
        {6, 0x003f},   {10, 0x514d}, {11, 0x3030}, {12, 0x3030},  {13, 0x3120},
        {14, 0x2020},  {15, 0x2020}, {16, 0x2020}, {17, 0x2020},  {18, 0x2020},
        {19, 0x2020},  {20, 0x0003}, {21, 0x0200}, {22, 0x0004},  {23, 0x322e},
        {24, 0x352b},  {25, 0x2020}, {26, 0x2020}, {27, 0x5145},  {28, 0x4d55},
        {29, 0x2048},  {30, 0x4152}, {31, 0x4444}, {32, 0x4953},  {33, 0x4b20},
        {34, 0x2020},  {35, 0x2020}, {36, 0x2020}, {37, 0x2020},  {38, 0x2020},
        {39, 0x2020},  {40, 0x2020}, {41, 0x2020}, {42, 0x2020},  {43, 0x2020},
        {44, 0x2020},  {45, 0x2020}, {46, 0x2020}, {47, 0x8010},  {48, 0x0001},
        {49, 0x0b00},  {51, 0x0200}, {52, 0x0200}, {53, 0x0007},  {54, 0x0028},
        {55, 0x0010},  {56, 0x003f}, {57, 0x9d80}, {59, 0x0110},  {60, 0xa000},
        {62, 0x0007},  {63, 0x0007}, {64, 0x0003}, {65, 0x0078},  {66, 0x0078},
        {67, 0x0078},  {68, 0x0078}, {69, 0x4000}, {80, 0x00f0},  {81, 0x0016},
        {82, 0x4021},  {83, 0x7400}, {84, 0x4000}, {85, 0x4021},  {86, 0x3400},
        {87, 0x4000},  {88, 0x203f}, {93, 0x6001}, {100, 0xa000}, {106, 0x6000},
        {169, 0x0001},
    };
    uint16_t words[256];
    unsigned next = 0;

    start_with_disk(DISK_SIZE);
    identify(words);
    ck_assert_uint_eq(machine.edges[14], 1);
    for (unsigned i = 0; i < 256; i++) {
        bool listed = next < G_N_ELEMENTS(expected) && expected[next][0] == i;

        ck_assert_msg(words[i] == (listed ? expected[next][1] : 0), "word %u is %04x", i,
                      words[i]);
        next += listed;
    }
    ck_assert_uint_eq(next, G_N_ELEMENTS(expected));
}
END_TEST

START_TEST(test_identify_large)
{
    uint16_t words[256];

    start_with_disk(GiB(200));
    identify(words);
    ck_assert_uint_eq(words[1], 16383);
    ck_assert_uint_eq(words[57] | words[58] << 16, 0x00fbfc10);
    ck_assert_uint_eq(words[60] | (uint32_t)words[61] << 16, 0x0fffffff);
    ck_assert_uint_eq(words[100] | (uint32_t)words[101] << 16, 0x19000000);
}
END_TEST

START_TEST(test_set_features)
{
    uint16_t words[256];

    start_with_disk(DISK_SIZE);
    outb(FEATURES, 0x03);
    outb(COUNT, 0x22); /* multiword DMA 2 */
    outb(COMMAND, 0xef);
    assert_succeeded();
    outb(FEATURES, 0x82); /* write cache off */
    outb(COMMAND, 0xef);
    assert_succeeded();
    identify(words);
    ck_assert_uint_eq(words[63], 0x0407);
    ck_assert_uint_eq(words[88], 0x003f);
    ck_assert_uint_eq(words[85], 0x4001);
    outb(FEATURES, 0x03);
    outb(COUNT, 0x47);
    outb(COMMAND, 0xef);
    assert_aborted();
    outb(FEATURES, 0x77);
    outb(COMMAND, 0xef);
    assert_aborted();
}
END_TEST

/* -- PIO ----------------------------------------------------------------------------- */

/* 9.6: an interrupt for each block as it becomes ready, none after the last. */
START_TEST(test_read_sectors)
{
    uint8_t data[512];

    start_with_disk(DISK_SIZE);
    command_lba28(0x20, 7, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(machine.edges[14], i + 1);
        ck_assert_uint_eq(inb(ALTERNATE), DRDY | DSC | DRQ);
        ck_assert_int_eq(machine.level[14], 1);
        ck_assert_uint_eq(inb(STATUS), DRDY | DSC | DRQ);
        ck_assert_int_eq(machine.level[14], 0);
        read_block(data, 512);
        assert_sector(data, 7 + i);
    }
    ck_assert_uint_eq(inb(ALTERNATE), DRDY | DSC);
    ck_assert_int_eq(machine.level[14], 0);
    ck_assert_uint_eq(machine.edges[14], 3);
    ck_assert_uint_eq(in(DATA, 2), 0);
    ck_assert_uint_eq(inb(COUNT), 0);
    ck_assert_uint_eq(inb(LOW), 10);
}
END_TEST

START_TEST(test_read_chs)
{
    uint8_t data[512];

    start_with_disk(DISK_SIZE);
    outb(DEVICE, 0xa3); /* head 3 */
    outb(MID, 1);       /* cylinder 1 */
    outb(HIGH, 0);
    outb(LOW, 5);
    outb(COUNT, 1);
    outb(COMMAND, 0x20);
    read_block(data, 512);
    assert_sector(data, (1 * 16 + 3) * 63 + 4);
}
END_TEST

START_TEST(test_chs_errors)
{
    static const struct {
        uint8_t device, sector;
        uint16_t cylinder;
    } addresses[] = {{0xa0, 0, 0}, {0xa0, 64, 0}, {0xa0, 1, 41}, {0xaf, 63, 0xffff}};

    start_with_disk(DISK_SIZE);
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        outb(DEVICE, addresses[i].device);
        outb(LOW, addresses[i].sector);
        outb(MID, (uint8_t)addresses[i].cylinder);
        outb(HIGH, (uint8_t)(addresses[i].cylinder >> 8));
        outb(COUNT, 1);
        outb(COMMAND, 0x20);
        assert_aborted();
    }
}
END_TEST

START_TEST(test_initialize_parameters)
{
    uint16_t words[256];
    uint8_t data[512];

    start_with_disk(DISK_SIZE);
    outb(DEVICE, 0xa7); /* 8 heads */
    outb(COUNT, 32);
    outb(COMMAND, 0x91);
    assert_succeeded();
    identify(words);
    ck_assert_uint_eq(words[3], 16); /* the default stays */
    ck_assert_uint_eq(words[54], 160);
    ck_assert_uint_eq(words[55], 8);
    ck_assert_uint_eq(words[56], 32);
    outb(DEVICE, 0xa2);
    outb(MID, 1);
    outb(HIGH, 0);
    outb(LOW, 3);
    outb(COUNT, 1);
    outb(COMMAND, 0x20);
    read_block(data, 512);
    assert_sector(data, (1 * 8 + 2) * 32 + 2);
    outb(COUNT, 0);
    outb(COMMAND, 0x91);
    assert_aborted();
}
END_TEST

START_TEST(test_range)
{
    start_with_disk(DISK_SIZE);
    command_lba28(0x20, DISK_SECTORS - 1, 1);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC | DRQ);
    outb(CONTROL, 4);
    outb(CONTROL, 0);
    command_lba28(0x20, DISK_SECTORS, 1);
    assert_aborted();
    command_lba28(0x20, DISK_SECTORS - 1, 2);
    assert_aborted();
    command_lba28(0x30, 0x0fffffff, 0);
    assert_aborted();
    command_lba28(0x40, DISK_SECTORS - 256, 0); /* 0 is 256 */
    assert_succeeded();
    command_lba28(0x40, DISK_SECTORS - 255, 0);
    assert_aborted();
    command_lba28(0xc8, DISK_SECTORS, 1);
    assert_aborted();
}
END_TEST

/* 9.7: DRQ without an interrupt first, then an interrupt for each block taken. */
START_TEST(test_write_sectors)
{
    uint8_t data[512];

    start_with_disk(DISK_SIZE);
    command_lba28(0x30, 100, 2);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(machine.edges[14], i);
        ck_assert_uint_eq(inb(STATUS), DRDY | DSC | DRQ);
        for (unsigned n = 0; n < 256; n++) {
            ck_assert_uint_eq(machine.edges[14], i);
            out(DATA, 2, 0x4000 * (i + 1) + n);
        }
    }
    ck_assert_uint_eq(machine.edges[14], 2);
    assert_succeeded();
    outb(COMMAND, 0xe7);
    assert_succeeded();

    command_lba28(0x20, 99, 4);
    read_block(data, 512);
    assert_sector(data, 99);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned n = 0; n < 256; n++) {
            ck_assert_uint_eq(in(DATA, 2), 0x4000 * (i + 1) + n);
        }
    }
    read_block(data, 512);
    assert_sector(data, 102);
}
END_TEST

START_TEST(test_data_wide)
{
    uint8_t data[512];

    start_with_disk(DISK_SIZE);
    command_lba28(0x20, 9, 1);
    for (unsigned i = 0; i < 512; i += 4) {
        uint32_t value = (uint32_t)in(DATA, 4);

        memcpy(data + i, &value, 4);
    }
    assert_sector(data, 9);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
    command_lba28(0x30, 9, 1);
    ck_assert_uint_eq(in(DATA, 4), 0); /* the wrong direction moves nothing */
    for (unsigned i = 0; i < 128; i++) {
        out(DATA, 4, 0x01020304);
    }
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
    command_lba28(0x20, 9, 1);
    ck_assert_uint_eq(in(DATA, 2), 0x0304);
}
END_TEST

START_TEST(test_multiple)
{
    uint8_t data[512];

    start_with_disk(DISK_SIZE);
    outb(COUNT, 4);
    outb(COMMAND, 0xc6);
    assert_succeeded();
    machine.edges[14] = 0;
    command_lba28(0xc4, 20, 6); /* blocks of 4 and 2 */
    for (unsigned i = 0; i < 6; i++) {
        if (i % 4 == 0) {
            ck_assert_uint_eq(inb(STATUS), DRDY | DSC | DRQ);
        }
        ck_assert_uint_eq(machine.edges[14], i < 4 ? 1 : 2);
        read_block(data, 512);
        assert_sector(data, 20 + i);
    }
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);

    outb(COUNT, 3);
    outb(COMMAND, 0xc6);
    assert_aborted();
    outb(COUNT, 32);
    outb(COMMAND, 0xc6);
    assert_aborted();
    outb(COUNT, 0);
    outb(COMMAND, 0xc6);
    assert_succeeded();
    command_lba28(0xc4, 20, 6);
    assert_aborted();
}
END_TEST

/* 6.20: the registers are two deep, and HOB shows what was written before. */
START_TEST(test_48_bit_address)
{
    uint64_t lba = 0x12345678;
    uint8_t data[512];

    start_with_disk(GiB(200));
    outb(DEVICE, 0xe0);
    for (int shift = 24; shift >= 0; shift -= 24) {
        outb(COUNT, shift ? 0x00 : 0x02);
        outb(LOW, (uint8_t)(lba >> shift));
        outb(MID, shift ? 0 : (uint8_t)(lba >> 8));
        outb(HIGH, shift ? 0 : (uint8_t)(lba >> 16));
    }
    outb(CONTROL, 0x80);
    ck_assert_uint_eq(inb(COUNT), 0x00);
    ck_assert_uint_eq(inb(LOW), 0x12);
    outb(COMMAND, 0x34);
    ck_assert_uint_eq(inb(COUNT), 0x02); /* a write has cleared HOB */
    for (unsigned i = 0; i < 512; i++) {
        out(DATA, 2, 0xbeef);
    }
    assert_succeeded();
    outb(CONTROL, 0x80);
    ck_assert_uint_eq(inb(LOW), 0x12);
    outb(CONTROL, 0x00);
    ck_assert_uint_eq(inb(LOW), 0x7a);

    lba++;
    for (int shift = 24; shift >= 0; shift -= 24) {
        outb(COUNT, shift ? 0x00 : 0x01);
        outb(LOW, (uint8_t)(lba >> shift));
        outb(MID, shift ? 0 : (uint8_t)(lba >> 8));
        outb(HIGH, shift ? 0 : (uint8_t)(lba >> 16));
    }
    outb(COMMAND, 0x24);
    read_block(data, 512);
    ck_assert_uint_eq(data[510] | data[511] << 8, 0xbeef);

    outb(HIGH, 0x01); /* bit 40: far outside */
    outb(HIGH, 0x00);
    outb(COMMAND, 0x24);
    assert_aborted();
}
END_TEST

/* -- Interrupts and resets ----------------------------------------------------------- */

START_TEST(test_nien)
{
    start_with_disk(DISK_SIZE);
    outb(CONTROL, 0x02);
    outb(COMMAND, 0xe7); /* FLUSH CACHE: ends with an interrupt */
    ck_assert_int_eq(machine.level[14], 0);
    inb(STATUS);
    outb(CONTROL, 0x00);
    ck_assert_uint_eq(machine.edges[14], 0);

    outb(CONTROL, 0x02);
    outb(COMMAND, 0xe7);
    ck_assert_int_eq(machine.level[14], 0);
    outb(CONTROL, 0x00); /* still pending: nobody has read Status */
    ck_assert_int_eq(machine.level[14], 1);
    outb(CONTROL, 0x02);
    ck_assert_int_eq(machine.level[14], 0);
}
END_TEST

/* 7.15: a new command takes back the old one's interrupt; so does selecting the other. */
START_TEST(test_irq_goes)
{
    start_with_disk(DISK_SIZE);
    outb(COMMAND, 0xe7);
    ck_assert_int_eq(machine.level[14], 1);
    outb(DEVICE, 0xb0);
    ck_assert_int_eq(machine.level[14], 0);
    outb(DEVICE, 0xa0);
    ck_assert_int_eq(machine.level[14], 1);
    command_lba28(0x30, 0, 1);
    ck_assert_int_eq(machine.level[14], 0);
}
END_TEST

START_TEST(test_soft_reset)
{
    start_with_disk(DISK_SIZE);
    command_lba28(0x20, 5, 8);
    in(DATA, 2);
    outb(CONTROL, 0x04);
    ck_assert_uint_eq(inb(STATUS), BSY);
    ck_assert_int_eq(machine.level[14], 0);
    outb(COMMAND, 0xec);
    outb(COUNT, 0x33);
    outb(CONTROL, 0x00);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
    ck_assert_uint_eq(inb(ERROR), 0x01);
    ck_assert_uint_eq(inb(COUNT), 0x01);
    ck_assert_uint_eq(inb(LOW), 0x01);
    ck_assert_uint_eq(inb(MID), 0x00);
    ck_assert_uint_eq(inb(DEVICE), 0xa0);
    ck_assert_uint_eq(in(DATA, 2), 0);
}
END_TEST

START_TEST(test_machine_reset)
{
    start_with_disk(DISK_SIZE);
    command_lba28(0x20, 5, 8);
    outb(CONTROL, 0x00);
    ck_assert_int_eq(machine.level[14], 1);
    device_reset_all();
    ck_assert_int_eq(machine.level[14], 0);
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
    ck_assert_uint_eq(in(DATA, 2), 0);
}
END_TEST

START_TEST(test_diagnostic)
{
    start_with_disk(DISK_SIZE);
    outb(DEVICE, 0xb0); /* for both, whichever is selected */
    outb(COMMAND, 0x90);
    ck_assert_uint_eq(inb(ERROR), 0x01);
    ck_assert_uint_eq(inb(DEVICE), 0xa0);
    ck_assert_int_eq(machine.level[14], 1);
    assert_succeeded();
}
END_TEST

START_TEST(test_other_commands)
{
    start_with_disk(DISK_SIZE);
    outb(COMMAND, 0x00); /* NOP */
    assert_aborted();
    outb(COMMAND, 0xff);
    assert_aborted();
    outb(COMMAND, 0xa1); /* a CD-ROM's */
    assert_aborted();
    outb(COMMAND, 0xa0);
    assert_aborted();
    outb(COMMAND, 0x08);
    assert_aborted();
    outb(COMMAND, 0x10);
    assert_succeeded();
    outb(COMMAND, 0xe5);
    ck_assert_uint_eq(inb(COUNT), 0xff);
    assert_succeeded();
    command_lba28(0x70, 3, 0);
    assert_succeeded();
    command_lba28(0x70, DISK_SECTORS, 0);
    assert_aborted();
    outb(DEVICE, 0xe0);
    outb(COMMAND, 0xf8);
    assert_succeeded();
    ck_assert_uint_eq(inb(LOW) | inb(MID) << 8 | inb(HIGH) << 16, DISK_SECTORS - 1);
    outb(FEATURES, 0xda);
    outb(MID, 0x4f);
    outb(HIGH, 0xc2);
    outb(COMMAND, 0xb0);
    assert_succeeded();
    ck_assert_uint_eq(inb(MID), 0x4f);
    ck_assert_uint_eq(inb(HIGH), 0xc2);
    outb(MID, 0);
    outb(COMMAND, 0xb0);
    assert_aborted();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ide");

    tcase_add_test(tcase, test_signature);
    tcase_add_test(tcase, test_absent_slave);
    tcase_add_test(tcase, test_empty_channel);
    tcase_add_test(tcase, test_slave_alone);
    tcase_add_test(tcase, test_two_drives);
    tcase_add_test(tcase, test_registers_locked_while_busy);
    tcase_add_test(tcase, test_wide_register_accesses);
    tcase_add_test(tcase, test_identify);
    tcase_add_test(tcase, test_identify_large);
    tcase_add_test(tcase, test_set_features);
    tcase_add_test(tcase, test_read_sectors);
    tcase_add_test(tcase, test_read_chs);
    tcase_add_test(tcase, test_chs_errors);
    tcase_add_test(tcase, test_initialize_parameters);
    tcase_add_test(tcase, test_range);
    tcase_add_test(tcase, test_write_sectors);
    tcase_add_test(tcase, test_data_wide);
    tcase_add_test(tcase, test_multiple);
    tcase_add_test(tcase, test_48_bit_address);
    tcase_add_test(tcase, test_nien);
    tcase_add_test(tcase, test_irq_goes);
    tcase_add_test(tcase, test_soft_reset);
    tcase_add_test(tcase, test_machine_reset);
    tcase_add_test(tcase, test_diagnostic);
    tcase_add_test(tcase, test_other_commands);
    return run_suite("ide", tcase);
}
