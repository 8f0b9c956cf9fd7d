/*
 * Disk controllers that are moved in the middle of a command go on with it; and what QEMU
 * was doing goes on here.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <unistd.h>

#include "qtests/qemu-sections-work.h"
#include "qtests/vmstate-pc.h"

#define MS INT64_C(1000000)
#define SECTOR 512u

/* -- Disks -------------------------------------------------------------------------- */

static char disk_path[64];

/* Each byte of sector n is n + 1. */
static void make_disk(unsigned sectors, const char *options)
{
    GError *error = NULL;
    g_autofree uint8_t *data = g_malloc(sectors * SECTOR);
    g_autofree char *text = NULL;
    int fd;

    g_snprintf(disk_path, sizeof(disk_path), "%s/vmstate-XXXXXX", g_get_tmp_dir());
    fd = mkstemp(disk_path);
    ck_assert_int_ge(fd, 0);
    for (unsigned i = 0; i < sectors * SECTOR; i++) {
        data[i] = (uint8_t)(i / SECTOR + 1);
    }
    ck_assert_int_eq(write(fd, data, sectors * SECTOR), sectors * SECTOR);
    close(fd);
    text = g_strdup_printf("file=%s,format=raw,%s", disk_path, options);
    ck_assert_msg(drive_new(text, &error) != NULL, "%s", error ? error->message : "");
}

static uint8_t disk_byte(unsigned offset)
{
    g_autofree char *data = NULL;

    ck_assert(g_file_get_contents(disk_path, &data, NULL, NULL));
    return (uint8_t)data[offset];
}

static void ide_command(uint8_t command, uint8_t count, uint8_t lba)
{
    outb(0x1f6, 0xe0);
    outb(0x1f2, count);
    outb(0x1f3, lba);
    outb(0x1f4, 0);
    outb(0x1f5, 0);
    outb(0x1f7, command);
}

START_TEST(test_ide_read)
{
    pc_new();
    ide_command(0x20, 3, 5);
    for (unsigned i = 0; i < 3 * SECTOR / 2; i++) {
        if (i == 100 || i == 256 || i == 257) {
            move_machine();
        }
        ck_assert_uint_eq(inb(0x1f7) & 0x89, 0x08);
        ck_assert_uint_eq(in(0x1f0, 2), 0x0101 * (6 + i / 256));
    }
    ck_assert_uint_eq(inb(0x1f7), 0x50);
    unlink(disk_path);
}
END_TEST

START_TEST(test_ide_read_multiple)
{
    pc_new();
    outb(0x1f6, 0xe0);
    outb(0x1f2, 4);
    outb(0x1f7, 0xc6);
    ide_command(0xc4, 6, 0); /* a block of four sectors and one of two */
    for (unsigned i = 0; i < 6 * SECTOR / 2; i++) {
        if (i % 300 == 0) {
            move_machine();
        }
        ck_assert_uint_eq(in(0x1f0, 2), 0x0101 * (1 + i / 256));
    }
    ck_assert_uint_eq(inb(0x1f7), 0x50);
    unlink(disk_path);
}
END_TEST

START_TEST(test_ide_write)
{
    pc_new();
    ide_command(0x30, 2, 8);
    for (unsigned i = 0; i < 2 * SECTOR / 2; i++) {
        if (i == 150 || i == 256 || i == 400) {
            move_machine();
        }
        ck_assert_uint_eq(inb(0x1f7) & 0x89, 0x08);
        out(0x1f0, 0xa000 + i, 2);
    }
    ck_assert_uint_eq(inb(0x1f7), 0x50);
    ck_assert_uint_eq(disk_byte(8 * SECTOR - 1), 8);
    for (unsigned i = 0; i < 2 * SECTOR / 2; i++) {
        ck_assert_uint_eq(disk_byte(8 * SECTOR + 2 * i), (uint8_t)i);
    }
    ck_assert_uint_eq(disk_byte(10 * SECTOR), 11);
    unlink(disk_path);
}
END_TEST

/* The interrupt of a read is taken after the move: the line must fall and rise again. */
START_TEST(test_ide_interrupt)
{
    pc_new();
    outb(0xa0, 0x11);
    outb(0xa1, 0x70);
    outb(0xa1, 0x02);
    outb(0xa1, 0x01);
    ide_command(0x20, 2, 0);
    move_machine();
    outb(0xa0, 0x0c); /* poll: IRQ 14 is line 6 of the second */
    ck_assert_uint_eq(inb(0xa0), 0x86);
    outb(0xa0, 0x20);
    inb(0x1f7); /* reading the status takes INTRQ down */
    for (unsigned i = 0; i < SECTOR / 2; i++) {
        in(0x1f0, 2);
    }
    outb(0xa0, 0x0c);
    ck_assert_uint_eq(inb(0xa0), 0x86);
    unlink(disk_path);
}
END_TEST

/* A packet is written half before and half after. */
START_TEST(test_atapi_packet)
{
    static const uint16_t packet[6] = {0x0012, 0, 36}; /* INQUIRY, 36 bytes */

    pc_new();
    outb(0x176, 0xa0);
    outb(0x171, 0);
    outb(0x174, 0xfe);
    outb(0x175, 0xff);
    outb(0x177, 0xa0);
    for (unsigned i = 0; i < 6; i++) {
        if (i == 1) {
            move_machine();
        }
        out(0x170, packet[i], 2);
    }
    ck_assert_uint_eq(inb(0x177) & 0x89, 0x08);
    ck_assert_uint_eq(inb(0x174), 36);
    ck_assert_uint_eq(in(0x170, 2), 0x8005); /* a removable CD-ROM */
    move_machine();
    for (unsigned i = 1; i < 4; i++) {
        in(0x170, 2);
    }
    ck_assert_uint_eq(in(0x170, 2), 'Q' | 'E' << 8);
    for (unsigned i = 5; i < 18; i++) {
        in(0x170, 2);
    }
    ck_assert_uint_eq(inb(0x177), 0x50);
}
END_TEST

static void fdc_write(uint8_t byte)
{
    ck_assert_uint_eq(inb(0x3f4) & 0xc0, 0x80);
    outb(0x3f5, byte);
}

static uint8_t fdc_read(void)
{
    ck_assert_uint_eq(inb(0x3f4) & 0xd0, 0xd0);
    return inb(0x3f5);
}

START_TEST(test_fdc_command)
{
    pc_new();
    fdc_write(0x03); /* SPECIFY: 0xdf, DMA */
    move_machine();
    fdc_write(0xdf);
    move_machine();
    fdc_write(0x02);
    ck_assert_uint_eq(inb(0x3f4), 0x80);
    fdc_write(0x0e); /* DUMPREG: ten bytes */
    for (unsigned i = 0; i < 10; i++) {
        uint8_t byte = fdc_read();

        if (i == 4) {
            ck_assert_uint_eq(byte, 0xdf);
            move_machine();
        } else if (i == 5) {
            ck_assert_uint_eq(byte, 0x02);
        }
    }
    ck_assert_uint_eq(inb(0x3f4), 0x80);
}
END_TEST

/* Each of the four drives' "ready changed" is sensed after a reset. */
START_TEST(test_fdc_reset)
{
    pc_new();
    outb(0x3f2, 0x08);
    outb(0x3f2, 0x0c);
    for (unsigned i = 0; i < 4; i++) {
        move_machine();
        fdc_write(0x08);
        ck_assert_uint_eq(fdc_read(), 0xc0 + i);
        fdc_read();
    }
    fdc_write(0x08);
    ck_assert_uint_eq(fdc_read(), 0x80);
}
END_TEST

START_TEST(test_fdc_seek)
{
    pc_new();
    fdc_write(0x0f);
    fdc_write(0x00);
    fdc_write(0x21);
    move_machine(); /* the end of the seek is still to be sensed */
    fdc_write(0x08);
    ck_assert_uint_eq(fdc_read(), 0x20);
    ck_assert_uint_eq(fdc_read(), 0x21);
}
END_TEST

/* READ without DMA: a sector byte by byte. */
START_TEST(test_fdc_read)
{
    static const uint8_t command[] = {0x46, 0x00, 0, 0, 3, 2, 18, 0x1b, 0xff};

    pc_new();
    outb(0x3f7, 0); /* 500 kbit/s */
    fdc_write(0x03);
    fdc_write(0xdf);
    fdc_write(0x03); /* no DMA */
    for (size_t i = 0; i < sizeof(command); i++) {
        fdc_write(command[i]);
    }
    for (unsigned i = 0; i < 2 * SECTOR; i++) {
        if (i == 10 || i == SECTOR || i == SECTOR + 1) {
            move_machine();
        }
        ck_assert_uint_eq(inb(0x3f4) & 0xf0, 0xf0);
        ck_assert_uint_eq(inb(0x3f5), 3 + i / SECTOR);
    }
    unlink(disk_path);
}
END_TEST

/* By DMA: the channel is masked until after the move. */
START_TEST(test_fdc_dma)
{
    static const uint8_t command[] = {0x46, 0x00, 0, 0, 4, 2, 18, 0x1b, 0xff};
    uint8_t data[SECTOR];

    pc_new();
    outb(0x3f7, 0);
    outb(0x0a, 0x06);
    outb(0x0c, 0);
    outb(0x04, 0x00); /* to 0x8000, 512 bytes */
    outb(0x04, 0x80);
    outb(0x05, 0xff);
    outb(0x05, 0x01);
    outb(0x81, 0);
    outb(0x0b, 0x46);
    for (size_t i = 0; i < sizeof(command); i++) {
        fdc_write(command[i]);
    }
    move_machine();
    clock_virtual_set_ns(clock_virtual_ns() + MS);
    outb(0x0a, 0x02);
    clock_virtual_set_ns(clock_virtual_ns() + MS);
    address_space_read(&pc->memory, 0x8000, MEMTXATTRS_UNSPECIFIED, data, SECTOR);
    for (unsigned i = 0; i < SECTOR; i++) {
        ck_assert_uint_eq(data[i], 4);
    }
    ck_assert_uint_eq(fdc_read(), 0); /* ended well */
    unlink(disk_path);
}
END_TEST

/* -- QEMU's devices go on here ----------------------------------------------------------
 */

START_TEST(test_from_qemu)
{
    pc_new();
    clock_virtual_set_ns(QEMU_SECTIONS_WORK_CLOCK);
    for (size_t i = 0; i < G_N_ELEMENTS(qemu_sections_work); i++) {
        const QEMUSection *from = &qemu_sections_work[i];
        VMStateEntry *entry = section(from->id, from->instance_id);
        g_autofree char *hex = expand_hex(from->hex);

        assert_loads(entry->vmsd, entry->opaque, from->version_id, hex);
    }
    /* COM1: "bc" are in the FIFO, below the trigger level. */
    ck_assert_uint_eq(inb(0x3fd), 0x61);
    ck_assert_uint_eq(inb(0x3f8), 'b');
    ck_assert_uint_eq(inb(0x3f8), 'c');
    ck_assert_uint_eq(inb(0x3fd), 0x60);
    /* The latched count's high byte. */
    ck_assert_uint_eq(inb(0x42), 0x12);
    /* The keyboard's identification, translated. */
    ck_assert_uint_eq(inb(0x64) & 0x21, 0x01);
    ck_assert_uint_eq(inb(0x60), 0xab);
    ck_assert_uint_eq(inb(0x60), 0x41);
    ck_assert_uint_eq(inb(0x64) & 0x01, 0);
    /* The rest of three sectors. */
    for (unsigned i = 100; i < 3 * SECTOR / 2; i++) {
        ck_assert_uint_eq(inb(0x1f7) & 0x89, 0x08);
        ck_assert_uint_eq(in(0x1f0, 2), 0x0101 * (6 + i / 256));
    }
    ck_assert_uint_eq(inb(0x1f7), 0x50);
    /* The rest of INQUIRY: 36 bytes of its answer are wanted. */
    ck_assert_uint_eq(inb(0x177), 0x58);
    out(0x170, 36, 2);
    for (unsigned i = 3; i < 6; i++) {
        out(0x170, 0, 2);
    }
    ck_assert_uint_eq(inb(0x174), 36);
    ck_assert_uint_eq(in(0x170, 2), 0x8005);
    /* SPECIFY's third byte; DUMPREG tells what the three were. */
    ck_assert_uint_eq(inb(0x3f4), 0x90);
    fdc_write(0x02);
    fdc_write(0x0e);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_eq(fdc_read(), i == 4 ? 0xdf : i == 5 ? 0x02 : i == 8 ? 0x60 : 0);
    }
    /* ICW3 and ICW4, and then a mask. */
    outb(0x21, 0x04);
    outb(0x21, 0x01);
    ck_assert_uint_eq(inb(0x21), 0);
    outb(0x21, 0xfb);
    ck_assert_uint_eq(inb(0x21), 0xfb);
    unlink(disk_path);
}
END_TEST

static void with_disk(void)
{
    make_disk(64, "if=ide,index=0");
}

static void with_floppy(void)
{
    make_disk(2880, "if=floppy,index=0");
}

int main(void)
{
    Suite *suite = suite_create("vmstate-disks");
    TCase *empty = tcase_create("empty"), *disk = tcase_create("disk");
    TCase *floppy = tcase_create("floppy");
    SRunner *sr = srunner_create(suite);
    int failed;

    tcase_add_test(empty, test_atapi_packet);
    tcase_add_test(empty, test_fdc_command);
    tcase_add_test(empty, test_fdc_reset);
    suite_add_tcase(suite, empty);
    tcase_add_checked_fixture(disk, with_disk, NULL);
    tcase_add_test(disk, test_ide_read);
    tcase_add_test(disk, test_ide_read_multiple);
    tcase_add_test(disk, test_ide_write);
    tcase_add_test(disk, test_ide_interrupt);
    tcase_add_test(disk, test_from_qemu);
    suite_add_tcase(suite, disk);
    tcase_add_checked_fixture(floppy, with_floppy, NULL);
    tcase_add_test(floppy, test_fdc_seek);
    tcase_add_test(floppy, test_fdc_read);
    tcase_add_test(floppy, test_fdc_dma);
    suite_add_tcase(suite, floppy);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
