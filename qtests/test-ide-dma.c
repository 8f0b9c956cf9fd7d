/*
 * PIIX3's bus master ("Programming Interface for Bus Master IDE Controller" 1.0), images
 * that fail, and what boards do with IDE. CMOS bytes are those that QEMU 7.2 writes for
 * the same disks.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/ide-fixture.h"

#include <signal.h>
#include <sys/resource.h>

/* -- An image that fails ------------------------------------------------------------- */

/* The guest is told where; the sectors before are written. */
START_TEST(test_write_error)
{
    struct rlimit limit = {.rlim_cur = 512 * 50, .rlim_max = RLIM_INFINITY};

    start_with_disk(DISK_SIZE);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (unsigned i = 0; i < 4; i++) {
        memset(machine.bytes + 0x8000 + i * 512, 0x30 + (int)i, 512);
    }
    prd(0, 0x8000, 4 * 512 | PRD_END);
    command_lba28(0xca, 48, 4);
    bus_master_start(0x01);
    ck_assert_uint_eq(inb(LOW), 50);
    ck_assert_uint_eq(inb(COUNT), 2);
    assert_aborted();
    ck_assert_uint_eq(inb(BMIS) & INTERRUPT, INTERRUPT);
    command_lba28(0x20, 49, 1);
    ck_assert_uint_eq(in(DATA, 2), 0x3131);
}
END_TEST

/* Every descriptor of this process but the standard ones becomes a directory's. */
static void break_images(void)
{
    int directory = open("/", O_RDONLY | O_DIRECTORY);

    for (int fd = 3; fd < 64; fd++) {
        struct stat status;

        if (fd != directory && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
            status.st_size == (off_t)DISK_SIZE) {
            ck_assert_int_eq(dup2(directory, fd), fd);
        }
    }
}

START_TEST(test_read_error)
{
    start_with_disk(DISK_SIZE);
    break_images();
    command_lba28(0x20, 48, 4);
    ck_assert_uint_eq(inb(ALTERNATE), DRDY | ERR);
    ck_assert_uint_eq(inb(ERROR), UNC);
    ck_assert_uint_eq(inb(LOW), 48);
    ck_assert_int_eq(machine.level[14], 1);
    outb(COMMAND, 0xec); /* and the drive is still there */
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC | DRQ);
}
END_TEST

/* -- Bus master ---------------------------------------------------------------------- */

/* Descriptors of 2, 510 and 1024 bytes at odd places. */
START_TEST(test_dma_read)
{
    uint8_t data[1536];

    start_with_disk(DISK_SIZE);
    prd(0, 0x2ffe, 2);
    prd(1, 0x5552, 510);
    prd(2, 0x7000, 1024 | PRD_END);
    command_lba28(0xc8, 30, 3);
    ck_assert_uint_eq(inb(ALTERNATE), DRDY | DSC | DRQ);
    ck_assert_uint_eq(in(DATA, 2), 0); /* DMA does not come through the port */
    ck_assert_int_eq(machine.level[14], 0);
    bus_master_start(0x09);
    ck_assert_uint_eq(inb(BMIS), INTERRUPT);
    ck_assert_int_eq(machine.level[14], 1);
    assert_succeeded();
    ck_assert_uint_eq(inb(BMIS), INTERRUPT);
    outb(BMIC, 0);
    outb(BMIS, INTERRUPT);
    ck_assert_uint_eq(inb(BMIS), 0);

    memcpy(data, machine.bytes + 0x2ffe, 2);
    memcpy(data + 2, machine.bytes + 0x5552, 510);
    memcpy(data + 512, machine.bytes + 0x7000, 1024);
    for (unsigned i = 0; i < 3; i++) {
        assert_sector(data + i * 512, 30 + i);
    }
    ck_assert_uint_eq(machine.bytes[0x2ffd], 0);
    ck_assert_uint_eq(machine.bytes[0x3000], 0);
    ck_assert_uint_eq(machine.bytes[0x7400], 0);
}
END_TEST

/* Linux's order: the drive last, the engine's start after it; here the engine first. */
START_TEST(test_dma_engine_first)
{
    start_with_disk(DISK_SIZE);
    prd(0, 0x8000, 512 | PRD_END);
    bus_master_start(0x09);
    ck_assert_uint_eq(inb(BMIS), ACTIVE);
    command_lba28(0xc8, 31, 1);
    ck_assert_uint_eq(inb(BMIS), INTERRUPT);
    assert_sector(machine.bytes + 0x8000, 31);
}
END_TEST

START_TEST(test_dma_write)
{
    uint8_t data[512];

    start_with_disk(DISK_SIZE);
    memset(machine.bytes + 0x9000, 0x5a, 1024);
    prd(0, 0x9000, 1024 | PRD_END);
    command_lba28(0xca, 200, 2);
    bus_master_start(0x01);
    ck_assert_uint_eq(inb(BMIS), INTERRUPT);
    assert_succeeded();
    command_lba28(0x20, 201, 2);
    read_block(data, 512);
    ck_assert_uint_eq(data[0], 0x5a);
    ck_assert_uint_eq(data[511], 0x5a);
    read_block(data, 512);
    assert_sector(data, 202);
}
END_TEST

/* A count of 0 is 64 KiB; LBA48 with more than the buffer holds. */
START_TEST(test_dma_large)
{
    start_with_disk(DISK_SIZE);
    prd(0, 0x10000, 0);
    prd(1, 0x20000, 0);
    prd(2, 0x30000, 0x8000 | PRD_END);
    outb(DEVICE, 0xe0);
    outb(COUNT, 0x01);
    outb(LOW, 0);
    outb(MID, 0);
    outb(HIGH, 0);
    outb(COUNT, 0x40); /* 0x140 sectors: 160 KiB */
    outb(LOW, 10);
    outb(MID, 0);
    outb(HIGH, 0);
    outb(COMMAND, 0x25);
    bus_master_start(0x09);
    ck_assert_uint_eq(inb(BMIS), INTERRUPT);
    assert_succeeded();
    for (unsigned i = 0; i < 0x140; i++) {
        assert_sector(machine.bytes + 0x10000 + i * 512, 10 + i);
    }
}
END_TEST

/* "Interrupt" and "active" tell how the table's size compares (section 3.1). */
START_TEST(test_dma_sizes)
{
    start_with_disk(DISK_SIZE);
    prd(0, 0x8000, 512 | PRD_END);
    command_lba28(0xc8, 40, 2);
    bus_master_start(0x09); /* the table is too short */
    ck_assert_uint_eq(inb(BMIS), 0);
    ck_assert_uint_eq(machine.edges[14], 0);
    ck_assert_uint_eq(inb(STATUS) & (BSY | DRQ | ERR), 0);

    prd(0, 0x8000, 0x600 | PRD_END);
    command_lba28(0xc8, 40, 2);
    bus_master_start(0x09); /* too long */
    ck_assert_uint_eq(inb(BMIS), ACTIVE | INTERRUPT);
    ck_assert_uint_eq(machine.edges[14], 1);
    assert_sector(machine.bytes + 0x8000, 40);
    assert_sector(machine.bytes + 0x8200, 41);
    outb(BMIC, 0);
    ck_assert_uint_eq(inb(BMIS), INTERRUPT);
}
END_TEST

/* A table without an end stops after 64 KiB of descriptors. */
START_TEST(test_dma_endless_table)
{
    start_with_disk(DISK_SIZE);
    for (unsigned i = 0; i < 8192; i++) {
        uint32_t entry[2] = {0x80000, 2};

        memcpy(machine.bytes + 0x20000 + i * 8, entry, 8);
    }
    command_lba28(0xc8, 0, 33); /* 16896 bytes, of which the table takes 16384 */
    outb(BMIC, 0);
    out(BMIDTP, 4, 0x20000);
    outb(BMIC, 0x09);
    ck_assert_uint_eq(inb(BMIS), 0);
    ck_assert_uint_eq(inb(STATUS) & (BSY | DRQ), 0);
}
END_TEST

/* Where there is no memory, data is lost and the transfer goes on, as on QEMU. */
START_TEST(test_dma_nowhere)
{
    start_with_disk(DISK_SIZE);
    prd(0, 0xfffffe00, 0x400 | PRD_END); /* over the end of 32 bits, to address 0 */
    command_lba28(0xc8, 50, 2);
    bus_master_start(0x09);
    ck_assert_uint_eq(inb(BMIS), INTERRUPT);
    assert_sector(machine.bytes, 51);

    outb(BMIC, 0);
    outb(BMIS, INTERRUPT);
    out(BMIDTP, 4, 0xfffffffc); /* the table itself */
    command_lba28(0xc8, 50, 2);
    outb(BMIC, 0x09);
    ck_assert_uint_eq(inb(BMIS) & INTERRUPT, INTERRUPT);
}
END_TEST

START_TEST(test_dma_no_bus_master)
{
    start_with_disk(DISK_SIZE);
    pci_default_config_write(PCI_DEVICE(machine.ide), 0x04, 0x01, 2);
    prd(0, 0x8000, 512 | PRD_END);
    command_lba28(0xc8, 50, 1);
    bus_master_start(0x09);
    ck_assert_uint_eq(inb(BMIS), ACTIVE | INTERRUPT);
    ck_assert_uint_eq(machine.bytes[0x8008], 0);
}
END_TEST

START_TEST(test_bus_master_registers)
{
    start_with_disk(DISK_SIZE);
    out(BMIDTP, 4, 0x12345677);
    ck_assert_uint_eq(in(BMIDTP, 4), 0x12345674);
    out(BMIDTP + 2, 2, 0xabcd);
    ck_assert_uint_eq(in(BMIDTP, 4), 0xabcd5674);
    outb(BMIDTP + 1, 0x99);
    ck_assert_uint_eq(in(BMIDTP, 4), 0xabcd9974);
    outb(BMIS, 0x60);
    ck_assert_uint_eq(inb(BMIS), 0x60);
    outb(BMIC, 0xfe);
    ck_assert_uint_eq(inb(BMIC), 0x08);
    ck_assert_uint_eq(inb(BMIC + 1), 0xff);
    ck_assert_uint_eq(in(BMIC, 2), 0xffff);
    ck_assert_uint_eq(inb(BMIC + 8), 0x00); /* the other channel's */
    device_reset_all();
    pci_default_config_write(PCI_DEVICE(machine.ide), 0x20, BUS_MASTER, 4);
    pci_default_config_write(PCI_DEVICE(machine.ide), 0x04, 0x05, 2);
    ck_assert_uint_eq(in(BMIDTP, 4), 0);
    ck_assert_uint_eq(inb(BMIS), 0);
}
END_TEST

START_TEST(test_pci_configuration)
{
    PCIDevice *pci;

    start_with_disk(DISK_SIZE);
    pci = PCI_DEVICE(machine.ide);
    ck_assert_uint_eq(pci->devfn, PCI_DEVFN(1, 1));
    ck_assert_uint_eq(pci_default_config_read(pci, 0, 4), 0x70108086);
    ck_assert_uint_eq(pci_default_config_read(pci, 8, 4), 0x01018000);
    ck_assert_uint_eq(pci_default_config_read(pci, 6, 2), 0x0280);
    ck_assert_uint_eq(pci_default_config_read(pci, 0x3d, 1), 0);
    pci_default_config_write(pci, 0x20, 0xffffffff, 4);
    ck_assert_uint_eq(pci_default_config_read(pci, 0x20, 4), 0xfffffff1);
    pci_default_config_write(pci, 0x40, 0x80008000, 4); /* IDETIM, as SeaBIOS sets it */
    ck_assert_uint_eq(pci_default_config_read(pci, 0x40, 4), 0x80008000);
}
END_TEST

/* ACS-2, 7.10: ranges outside the disk are refused. */
START_TEST(test_trim)
{
    uint64_t ranges[64] = {GUINT64_TO_LE(UINT64_C(8) << 48 | 16)};

    start_with_disk(DISK_SIZE);
    prd(0, 0x8000, 512 | PRD_END);
    memcpy(machine.bytes + 0x8000, ranges, sizeof ranges);
    outb(FEATURES, 0x01);
    outb(COUNT, 0);
    outb(COUNT, 1);
    outb(COMMAND, 0x06);
    bus_master_start(0x01);
    assert_succeeded();
    ranges[1] = GUINT64_TO_LE(UINT64_C(8) << 48 | (DISK_SECTORS - 4));
    memcpy(machine.bytes + 0x8000, ranges, sizeof ranges);
    outb(COMMAND, 0x06);
    bus_master_start(0x01);
    assert_aborted();
}
END_TEST

/* -- ISA, devices, CMOS -------------------------------------------------------------- */

START_TEST(test_isa_ide)
{
    char *path = image_new(DISK_SIZE);
    uint8_t data[512];

    drive_add(path, "if=ide,index=0");
    unlink(path);
    machine_start_bare();
    ck_assert(device_create(TYPE_ISA_IDE, &machine.isa->parent, NULL) != NULL);
    ck_assert(ide_bus_attach_drives(ide_bus_find(0), NULL));
    device_reset_all();
    command_lba28(0x20, 3, 1);
    ck_assert_int_eq(machine.level[14], 1);
    read_block(data, 512);
    assert_sector(data, 3);
    command_lba28(0xc8, 3, 1); /* no DMA here */
    assert_aborted();
}
END_TEST

static char *realize_error(GType type, const char *drive, unsigned unit)
{
    GError *error = NULL;
    g_autofree char *text = g_strdup_printf("%u", unit);
    Device *dev = device_new(type, NULL);

    ck_assert(property_set_string(G_OBJECT(dev), "unit", text, NULL));
    ck_assert(!drive || property_set_string(G_OBJECT(dev), "drive", drive, NULL));
    ck_assert(!device_realize(dev, &ide_bus_find(1)->parent, &error));
    ck_assert(error != NULL);
    return error->message;
}

START_TEST(test_device_errors)
{
    char *path = image_new(MiB(1));
    GError *error = NULL;
    Device *dev;

    ck_assert(drive_new("if=none,id=empty", NULL) != NULL);
    drive_add(path, "if=none,id=locked,readonly=on,file.locking=off");
    drive_add(path, "if=none,id=good");
    start_with_disk(DISK_SIZE);
    ck_assert_ptr_nonnull(strstr(realize_error(TYPE_IDE_HD, NULL, 0), "No drive"));
    ck_assert_ptr_nonnull(strstr(realize_error(TYPE_IDE_HD, "nothing", 0), "'nothing'"));
    ck_assert_ptr_nonnull(strstr(realize_error(TYPE_IDE_HD, "empty", 0), "empty"));
    ck_assert_ptr_nonnull(strstr(realize_error(TYPE_IDE_HD, "locked", 0), "read-only"));
    ck_assert_ptr_nonnull(strstr(realize_error(TYPE_IDE_HD, "ide0-hd0", 0), "in use"));
    ck_assert_ptr_nonnull(strstr(realize_error(TYPE_IDE_HD, "good", 2), "unit 2"));

    dev = device_new(TYPE_IDE_HD, NULL);
    property_set_string(G_OBJECT(dev), "drive", "good", NULL);
    ck_assert_msg(device_realize(dev, &ide_bus_find(1)->parent, &error), "%s",
                  error ? error->message : "");
    ck_assert_ptr_nonnull(strstr(realize_error(TYPE_IDE_CD, NULL, 0), "unit 0"));
    ck_assert_uint_eq(inb(0x177), DRDY | DSC);
    device_unplug(dev);
    ck_assert_uint_eq(inb(0x177), 0);
    outb(0x177, 0xec);
    ck_assert(drive_take_by_id("good", true, NULL) != NULL);
}
END_TEST

static uint8_t cmos[128];

static void cmos_set(void *opaque, uint8_t address, uint8_t value)
{
    cmos[address] = value;
}

/* What QEMU 7.2 writes for disks of these sizes and partition tables at index 1 and 3. */
START_TEST(test_cmos)
{
    static const struct {
        uint64_t size;
        uint8_t end_head, end_sector; /* of a partition; 0: no table */
        uint8_t info[9];
        uint8_t translation;
    } disks[] = {
        {MiB(20), 0, 0, {0x28, 0x00, 0x10, 0xff, 0xff, 0xc8, 0x28, 0x00, 0x3f}, 0x00},
        {MiB(600), 0, 0, {0xc3, 0x04, 0x10, 0xff, 0xff, 0xc8, 0xc3, 0x04, 0x3f}, 0x44},
        {GiB(9), 0, 0, {0xff, 0x3f, 0x10, 0xff, 0xff, 0xc8, 0xff, 0x3f, 0x3f}, 0x44},
        {MiB(40), 7, 32, {0x40, 0x01, 0x08, 0xff, 0xff, 0xc0, 0x40, 0x01, 0x20}, 0x00},
        {GiB(9), 254, 63, {0xff, 0x3f, 0x10, 0xff, 0xff, 0xc8, 0xff, 0x3f, 0x3f}, 0x44},
        {GiB(1), 127, 63, {0x20, 0x08, 0x10, 0xff, 0xff, 0xc8, 0x20, 0x08, 0x3f}, 0x88},
        {MiB(200), 254, 63, {0x96, 0x01, 0x10, 0xff, 0xff, 0xc8, 0x96, 0x01, 0x3f}, 0x88},
    };
    char *path = image_new(0);
    int fd = open(path, O_RDWR);
    uint8_t mbr[66] = {[4] = 0x06, [8] = 63, [13] = 0x10, [64] = 0x55, [65] = 0xaa};

    mbr[5] = disks[_i].end_head;
    mbr[6] = disks[_i].end_sector;
    ck_assert_int_eq(ftruncate(fd, (off_t)disks[_i].size), 0);
    if (disks[_i].end_sector) {
        ck_assert_int_eq(pwrite(fd, mbr, sizeof mbr, 446), sizeof mbr);
    }
    close(fd);
    drive_add(path, "if=ide,index=1,snapshot=on");
    drive_add(path, "if=ide,index=3,snapshot=on");
    unlink(path);
    machine_start();
    memset(cmos, 0, sizeof cmos);
    ide_write_cmos(cmos_set, NULL);
    ck_assert_uint_eq(cmos[0x12], 0x0f);
    ck_assert_uint_eq(cmos[0x19], 0);
    ck_assert_uint_eq(cmos[0x1a], 47);
    ck_assert_int_eq(memcmp(cmos + 0x24, disks[_i].info, 9), 0);
    ck_assert_uint_eq(cmos[0x39], disks[_i].translation);
}
END_TEST

/* -- Nonsense ------------------------------------------------------------------------ */

/* Whatever a guest writes where, the drives come back with a reset. */
START_TEST(test_random_accesses)
{
    static const uint16_t ports[] = {0x1f0, 0x1f2, 0x1f3, 0x1f4,
                                     0x1f5, 0x1f6, 0x1f7, 0x3f6};
    static const uint8_t commands[] = {0x20, 0x25, 0x30, 0xc8, 0xca, 0x35,
                                       0x06, 0xa0, 0xa1, 0xec, 0xc4, 0xc5,
                                       0x90, 0x08, 0x91, 0xef, 0xb0, 0xc6};
    char *path = image_new(MiB(1));
    GRand *random = g_rand_new_with_seed(7010 + (guint32)_i);
    uint8_t data[512];

    drive_add(path, "if=ide,index=0,snapshot=on");
    drive_add(path, "if=ide,index=1,media=cdrom");
    unlink(path);
    machine_start();
    for (unsigned i = 0; i < RAM_SIZE; i += 4) { /* descriptors, most of them in RAM */
        uint32_t value = g_rand_int(random) & 0x800fffff;

        memcpy(machine.bytes + i, &value, 4);
    }
    for (unsigned i = 0; i < 50000; i++) {
        unsigned kind = (unsigned)g_rand_int_range(random, 0, 16);
        unsigned port = ports[g_rand_int_range(random, 0, G_N_ELEMENTS(ports))];
        unsigned size = 1u << g_rand_int_range(random, 0, 3);
        uint32_t value = g_rand_int(random);

        if (kind < 4) {
            in(port, size);
        } else if (kind < 6) {
            out(BUS_MASTER + value % 16, size, g_rand_int(random) & 0x000fffff);
        } else if (kind < 8) {
            out(BMIC, 1, value & 1);
        } else if (kind < 10) {
            out(COMMAND, 1, commands[value % sizeof commands]);
        } else if (kind < 11) {
            for (unsigned n = 0; n < value % 600; n++) {
                out(DATA, 2, g_rand_int(random));
            }
        } else {
            out(port, port == DATA ? size : 1, value);
        }
    }
    outb(CONTROL, 4);
    outb(CONTROL, 0);
    for (unsigned unit = 0; unit < 2; unit++) {
        outb(DEVICE, unit ? 0xb0 : 0xa0);
        outb(COMMAND, unit ? 0xa1 : 0xec);
        ck_assert_uint_eq(inb(STATUS), DRDY | DSC | DRQ);
        read_block(data, 512);
        ck_assert_int_eq(memcmp(data + 54, "EQUM", 4), 0);
    }
    g_rand_free(random);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ide-dma");

    tcase_add_test(tcase, test_write_error);
    tcase_add_test(tcase, test_read_error);
    tcase_add_test(tcase, test_dma_read);
    tcase_add_test(tcase, test_dma_engine_first);
    tcase_add_test(tcase, test_dma_write);
    tcase_add_test(tcase, test_dma_large);
    tcase_add_test(tcase, test_dma_sizes);
    tcase_add_test(tcase, test_dma_endless_table);
    tcase_add_test(tcase, test_dma_nowhere);
    tcase_add_test(tcase, test_dma_no_bus_master);
    tcase_add_test(tcase, test_bus_master_registers);
    tcase_add_test(tcase, test_pci_configuration);
    tcase_add_test(tcase, test_trim);
    tcase_add_test(tcase, test_isa_ide);
    tcase_add_test(tcase, test_device_errors);
    tcase_add_loop_test(tcase, test_cmos, 0, 7);
    tcase_add_loop_test(tcase, test_random_accesses, 0, 8);
    return run_suite("ide-dma", tcase);
}
