/*
 * A small machine for the IDE tests: RAM, ports, interrupt lines and piix3-ide.
 *
 * Check runs each test in a process of its own, so there is one machine and no teardown.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_IDE_FIXTURE_H
#define QTESTS_IDE_FIXTURE_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/block/block.h"
#include "hw/ide/ide-bus.h"
#include "hw/isa/isa-bus.h"
#include "hw/pci/pci.h"
#include "memory/access.h"
#include "memory/io-lock.h"

#define RAM_SIZE MiB(1)
#define DISK_SIZE MiB(20)
#define DISK_SECTORS (DISK_SIZE / 512)

/* Channel 0's registers (ATA/ATAPI-6, section 7). */
enum {
    DATA = 0x1f0,
    ERROR = 0x1f1,
    FEATURES = 0x1f1,
    COUNT = 0x1f2,
    LOW = 0x1f3,
    MID = 0x1f4,
    HIGH = 0x1f5,
    DEVICE = 0x1f6,
    STATUS = 0x1f7,
    COMMAND = 0x1f7,
    CONTROL = 0x3f6,
    ALTERNATE = 0x3f6,
    BUS_MASTER = 0xc000,
    BMIC = BUS_MASTER,
    BMIS = BUS_MASTER + 2,
    BMIDTP = BUS_MASTER + 4,
};
enum {
    BSY = 0x80,
    DRDY = 0x40,
    DSC = 0x10,
    DRQ = 0x08,
    ERR = 0x01,
    ABRT = 0x04,
    UNC = 0x40
};
enum { ACTIVE = 0x01, INTERRUPT = 0x04 };

static struct {
    MemoryRegion system, ports, ram;
    AddressSpace memory, io;
    PCIBus *pci;
    ISABus *isa;
    Device *ide;
    int level[16];
    unsigned edges[16];
    uint8_t *bytes; /* of the RAM */
} machine;

static inline void line_set(void *opaque, int n, int level)
{
    machine.edges[n] += level && !machine.level[n];
    machine.level[n] = level;
}

/* Everything but the drives and their adapter. */
static inline void machine_start_bare(void)
{
    GError *error = NULL;

    io_lock();
    memory_region_init(&machine.system, NULL, "system", UINT64_MAX);
    memory_region_init(&machine.ports, NULL, "io", 0x10000);
    ck_assert(memory_region_init_ram(&machine.ram, NULL, "pc.ram", RAM_SIZE, &error));
    memory_region_add_subregion(&machine.system, 0, &machine.ram);
    machine.bytes = memory_region_get_ram_ptr(&machine.ram);
    address_space_init(&machine.memory, &machine.system, "memory");
    address_space_init(&machine.io, &machine.ports, "I/O");
    machine.pci =
        pci_bus_new(NULL, "pci.0", &machine.system, &machine.ports, &machine.system);
    machine.isa = isa_bus_new(NULL, &machine.system, &machine.ports);
    isa_bus_connect_irqs(machine.isa, irq_new_array(line_set, NULL, 0, 16));
}

/* With the drives that -drive has made so far. */
static inline void machine_start(void)
{
    GError *error = NULL;

    machine_start_bare();
    machine.ide = piix3_ide_new(machine.pci, &error);
    ck_assert_msg(machine.ide != NULL, "%s", error ? error->message : "");
    for (unsigned n = 0; n < 2; n++) {
        ck_assert_msg(ide_bus_attach_drives(ide_bus_find(n), &error), "%s",
                      error ? error->message : "");
    }
    device_reset_all();
    pci_default_config_write(PCI_DEVICE(machine.ide), 0x20, BUS_MASTER, 4);
    pci_default_config_write(PCI_DEVICE(machine.ide), 0x04, 0x05, 2);
}

static inline uint64_t in(unsigned port, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&machine.io, port, size, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

static inline void out(unsigned port, unsigned size, uint64_t value)
{
    address_space_store(&machine.io, port, size, value, MEMTXATTRS_UNSPECIFIED);
}

static inline uint8_t inb(unsigned port)
{
    return (uint8_t)in(port, 1);
}

static inline void outb(unsigned port, uint8_t value)
{
    out(port, 1, value);
}

/* A file of `size` bytes whose sector n holds n + i at byte i, its number at the front; a
 * file beyond 1 MiB has holes behind that. */
static inline char *image_new(uint64_t size)
{
    char *path = g_strdup("/tmp/umbra-image-XXXXXX");
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    for (uint64_t n = 0; n < MIN(size, MiB(1)) / 512; n++) {
        uint8_t sector[512];

        for (unsigned i = 0; i < 512; i++) {
            sector[i] = (uint8_t)(n + i);
        }
        memcpy(sector, &n, sizeof n);
        ck_assert_int_eq(pwrite(fd, sector, 512, (off_t)(n * 512)), 512);
    }
    close(fd);
    return path;
}

/* The drive that -drive makes of the options. */
static G_GNUC_UNUSED G_GNUC_PRINTF(1, 2) BlockBackend *opened(const char *format, ...)
{
    g_autofree char *text = NULL;
    GError *error = NULL;
    va_list arguments;
    BlockBackend *drive;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    drive = drive_new(text, &error);
    ck_assert_msg(drive != NULL, "%s: %s", text, error ? error->message : "");
    return drive;
}

/* The options are refused, in one line that has these words. */
static G_GNUC_UNUSED G_GNUC_PRINTF(2, 3) void refused(const char *words,
                                                      const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    ck_assert_msg(drive_new(text, &error) == NULL, "%s is taken", text);
    ck_assert_msg(error != NULL && strstr(error->message, words) != NULL, "%s: %s", text,
                  error ? error->message : "");
    ck_assert_ptr_null(strchr(error->message, '\n'));
}

/* The image is removed at once: the drive has it open. */
static inline void drive_add(const char *path, const char *options)
{
    g_autofree char *text = g_strdup_printf("file=%s,format=raw,%s", path, options);
    GError *error = NULL;

    ck_assert_msg(drive_new(text, &error) != NULL, "%s", error ? error->message : "");
}

static inline void start_with_disk(uint64_t size)
{
    char *path = image_new(size);

    drive_add(path, "if=ide,index=0");
    unlink(path);
    g_free(path);
    machine_start();
}

/* Writes the task file for an LBA28 command. */
static inline void command_lba28(uint8_t command, uint32_t lba, uint8_t count)
{
    outb(DEVICE, (uint8_t)(0xe0 | lba >> 24));
    outb(COUNT, count);
    outb(LOW, (uint8_t)lba);
    outb(MID, (uint8_t)(lba >> 8));
    outb(HIGH, (uint8_t)(lba >> 16));
    outb(COMMAND, command);
}

static inline void read_block(uint8_t *data, unsigned length)
{
    for (unsigned i = 0; i < length; i += 2) {
        uint16_t word = (uint16_t)in(DATA, 2);

        memcpy(data + i, &word, MIN(2, length - i));
    }
}

static inline void assert_sector(const uint8_t *data, uint64_t number)
{
    uint64_t found;

    memcpy(&found, data, sizeof found);
    ck_assert_uint_eq(found, number);
    for (unsigned i = 8; i < 512; i++) {
        ck_assert_msg(data[i] == (uint8_t)(number + i), "byte %u of sector %u", i,
                      (unsigned)number);
    }
}

static inline void assert_aborted(void)
{
    ck_assert_uint_eq(inb(ALTERNATE) & (BSY | DRQ | ERR), ERR);
    ck_assert_uint_eq(inb(ERROR), ABRT);
    ck_assert_int_eq(machine.level[14], 1);
    inb(STATUS);
}

static inline void assert_succeeded(void)
{
    ck_assert_uint_eq(inb(STATUS), DRDY | DSC);
    ck_assert_int_eq(machine.level[14], 0);
}

/* -- The bus master ------------------------------------------------------------------ */

#define PRD_TABLE 0x1004
#define PRD_END 0x80000000u

static inline void prd(unsigned n, uint32_t address, uint32_t count)
{
    uint32_t entry[2] = {address, count};

    memcpy(machine.bytes + PRD_TABLE + n * 8, entry, sizeof entry);
}

static inline void bus_master_start(uint8_t command)
{
    outb(BMIC, 0);
    outb(BMIS, 0x06);
    out(BMIDTP, 4, PRD_TABLE);
    outb(BMIC, command);
}

/* Runs the tests and says how many failed. */
static inline int run_suite(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
