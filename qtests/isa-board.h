/*
 * A bare ISA board for device tests: port and memory space, sixteen lines that count, 256
 * KiB of RAM at 0, and a clock that stands still until told. Each test makes its own
 * (Check forks).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_ISA_BOARD_H
#define QTESTS_ISA_BOARD_H

#include <check.h>
#include <stdlib.h>

#include "hw/core/clock.h"
#include "hw/core/system.h"
#include "hw/isa/isa-bus.h"
#include "memory/access.h"
#include "memory/io-lock.h"

static struct Board {
    MemoryRegion io, memory, ram;
    AddressSpace io_space, memory_space;
    ISABus *isa;
    IRQ *irqs;
    int level[ISA_IRQS], rises[ISA_IRQS];
    int resets;
    const char *reset_source;
    int exit_status;
} board G_GNUC_UNUSED;

static void board_line(void *opaque, int n, int level)
{
    board.rises[n] += level && !board.level[n];
    board.level[n] = level;
}

static void board_reset_requested(SystemCause cause, const char *source, void *opaque)
{
    ck_assert_int_eq(cause, SYSTEM_CAUSE_GUEST_RESET);
    board.resets++;
    board.reset_source = source;
}

static void board_exit_requested(int status, void *opaque)
{
    board.exit_status = status;
}

static G_GNUC_UNUSED void board_init(void)
{
    static const SystemHandler handler = {.reset = board_reset_requested,
                                          .exit = board_exit_requested};
    GError *error = NULL;

    io_lock();
    clock_virtual_manual();
    clock_virtual_set_ns(0);
    memory_region_init(&board.io, NULL, "io", 0x10000);
    memory_region_init(&board.memory, NULL, "system", UINT64_MAX);
    ck_assert(memory_region_init_ram(&board.ram, NULL, "pc.ram", 0x40000, &error));
    memory_region_add_subregion(&board.memory, 0, &board.ram);
    address_space_init(&board.io_space, &board.io, "I/O");
    address_space_init(&board.memory_space, &board.memory, "memory");
    board.isa = isa_bus_new(NULL, &board.memory, &board.io);
    board.irqs = irq_new_array(board_line, NULL, 0, ISA_IRQS);
    isa_bus_connect_irqs(board.isa, board.irqs);
    board.exit_status = -1;
    system_set_handler(&handler, NULL);
}

static G_GNUC_UNUSED uint8_t inb(uint16_t port)
{
    return address_space_ldub(&board.io_space, port, MEMTXATTRS_UNSPECIFIED, NULL);
}

static G_GNUC_UNUSED void outb(uint16_t port, uint8_t value)
{
    address_space_stb(&board.io_space, port, value, MEMTXATTRS_UNSPECIFIED, NULL);
}

static G_GNUC_UNUSED int run_suite(const char *name, const TTest *const *tests,
                                   size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner;
    int failed;

    for (size_t i = 0; i < count; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
