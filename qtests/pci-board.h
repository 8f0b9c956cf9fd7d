/*
 * The smallest board with a PCI bus, for tests: RAM, ports, an i440FX, and in place of
 * display and firmware a PCI target that answers every read in 0xa0000-0xfffff with
 * PCI_BYTE and counts the writes that reach it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_PCI_BOARD_H
#define QTESTS_PCI_BOARD_H

#include <check.h>

#include "hw/core/system.h"
#include "hw/isa/piix3.h"
#include "hw/pci/i440fx.h"
#include "memory/access.h"
#include "memory/io-lock.h"

#define PCI_BYTE 0x5a
#define RAM_BYTE 0xc3
#define BOARD_RAM MiB(16)

typedef struct Board {
    MemoryRegion system, io, ram, low_ram, target;
    AddressSpace memory_as, io_as;
    I440FX *fx;
    PCIBus *bus;
    unsigned target_writes;
    int isa_level[ISA_IRQS];
    unsigned isa_changes[ISA_IRQS];
    SystemCause reset_cause, shutdown_cause;
    const char *reset_source;
    unsigned resets, shutdowns, suspends;
} Board;

static Board board;

static uint64_t board_target_read(void *opaque, hwaddr offset, unsigned size)
{
    return PCI_BYTE;
}

static void board_target_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    board.target_writes++;
}

static const MemoryRegionOps board_target_ops = {
    .read = board_target_read,
    .write = board_target_write,
    .impl = {.min_access_size = 1, .max_access_size = 1},
};

static inline uint64_t board_io_unassigned_read(void *opaque, hwaddr offset,
                                                unsigned size)
{
    return UINT64_MAX;
}

static inline void board_io_unassigned_write(void *opaque, hwaddr offset, uint64_t value,
                                             unsigned size)
{
}

static const MemoryRegionOps board_io_ops = {
    .read = board_io_unassigned_read,
    .write = board_io_unassigned_write,
};

static void board_reset_asked(SystemCause cause, const char *source, void *opaque)
{
    board.resets++;
    board.reset_cause = cause;
    board.reset_source = source;
}

static void board_shutdown_asked(SystemCause cause, void *opaque)
{
    board.shutdowns++;
    board.shutdown_cause = cause;
}

static void board_suspend_asked(void *opaque)
{
    board.suspends++;
}

static const SystemHandler board_handler = {
    .reset = board_reset_asked,
    .shutdown = board_shutdown_asked,
    .suspend = board_suspend_asked,
};

static void board_isa_irq(void *opaque, int n, int level)
{
    board.isa_level[n] = level;
    board.isa_changes[n]++;
}

static inline uint32_t port_in(uint16_t port, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&board.io_as, port, size, &value, MEMTXATTRS_UNSPECIFIED);
    return (uint32_t)value;
}

static inline void port_out(uint16_t port, uint32_t value, unsigned size)
{
    address_space_store(&board.io_as, port, size, value, MEMTXATTRS_UNSPECIFIED);
}

static inline void config_select(uint8_t devfn, unsigned reg)
{
    port_out(0xcf8, 0x80000000u | (uint32_t)devfn << 8 | (reg & 0xfc), 4);
}

static inline uint32_t config_in(uint8_t devfn, unsigned reg, unsigned size)
{
    config_select(devfn, reg);
    return port_in((uint16_t)(0xcfc + (reg & 3)), size);
}

static inline void config_out(uint8_t devfn, unsigned reg, uint32_t value, unsigned size)
{
    config_select(devfn, reg);
    port_out((uint16_t)(0xcfc + (reg & 3)), value, size);
}

static inline uint8_t memory_in(hwaddr addr)
{
    uint64_t value = 0;

    address_space_load(&board.memory_as, addr, 1, &value, MEMTXATTRS_UNSPECIFIED);
    return (uint8_t)value;
}

static inline void memory_out(hwaddr addr, uint8_t value)
{
    address_space_store(&board.memory_as, addr, 1, value, MEMTXATTRS_UNSPECIFIED);
}

static inline uint8_t *ram_at(hwaddr addr)
{
    return (uint8_t *)memory_region_get_ram_ptr(&board.ram) + addr;
}

static inline void board_setup(void)
{
    GError *error = NULL;

    io_lock();
    memset(&board, 0, sizeof(board));
    system_set_handler(&board_handler, NULL);
    memory_region_init(&board.system, NULL, "system", UINT64_MAX);
    memory_region_init_io(&board.io, NULL, &board_io_ops, NULL, "io", KiB(64));
    address_space_init(&board.memory_as, &board.system, "memory");
    address_space_init(&board.io_as, &board.io, "I/O");
    ck_assert(memory_region_init_ram(&board.ram, NULL, "pc.ram", BOARD_RAM, &error));
    memory_region_init_alias(&board.low_ram, NULL, "ram-below-4g", &board.ram, 0,
                             BOARD_RAM);
    memory_region_add_subregion(&board.system, 0, &board.low_ram);
    board.fx = i440fx_new(&board.system, &board.io, BOARD_RAM, 0, &board.ram, &error);
    ck_assert_msg(board.fx != NULL, "%s", error ? error->message : "");
    board.bus = board.fx->host->bus;
    memory_region_init_io(&board.target, NULL, &board_target_ops, NULL, "target",
                          KiB(384));
    memory_region_add_subregion_overlap(&board.fx->host->memory, 0xa0000, &board.target,
                                        1);
    memset(ram_at(0xa0000), RAM_BYTE, KiB(384));
}

/* The south bridge, with ISA interrupts that are recorded. */
static inline PIIX3 *board_add_piix3(void)
{
    GError *error = NULL;
    PIIX3 *piix3 = piix3_new(board.bus, &error);

    ck_assert_msg(piix3 != NULL, "%s", error ? error->message : "");
    isa_bus_connect_irqs(piix3->isa, irq_new_array(board_isa_irq, NULL, 0, ISA_IRQS));
    return piix3;
}

static inline int board_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

#endif
