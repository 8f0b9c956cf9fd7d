/*
 * rhel6.5.0: RHEL 6's map without PAM, and the shadow that a guest from there gets on its
 * arrival.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hw/pci/pci.h"
#include "machine/cli/umbra-machine.h"
#include "machine/types/pc.h"
#include "memory/access.h"
#include "memory/ram-block.h"

#define E_SEGMENT 0xe0000
#define C_SEGMENT 0xc0000
#define PRISTINE UINT64_C(0xfffe0000)
#define SEGMENTS KiB(128)

static Machine *build(const char *type, const char *memory, const char *firmware)
{
    g_autoptr(GError) error = NULL;
    UmbraMachineOptions options = {.machine = g_strdup(type),
                                   .memory = g_strdup(memory),
                                   .firmware = g_strdup(firmware)};
    Machine *machine;

    machine_types_add(pc_machine_types());
    machine = umbra_machine_build(&options, &error);
    ck_assert_msg(machine, "%s", error ? error->message : "");
    return machine;
}

static uint8_t load(Machine *machine, hwaddr address)
{
    uint8_t byte;

    ck_assert_int_eq(address_space_read(&machine->memory, address, MEMTXATTRS_UNSPECIFIED,
                                        &byte, 1),
                     MEMTX_OK);
    return byte;
}

static void store(Machine *machine, hwaddr address, uint8_t byte)
{
    address_space_write(&machine->memory, address, MEMTXATTRS_UNSPECIFIED, &byte, 1);
}

static bool arrive(Machine *machine, GError **error)
{
    return MACHINE_GET_CLASS(machine)->arrived(machine, error);
}

/* The BIOS block is one: written below 1 MiB it changes below 4 GiB, and the other way. */
START_TEST(one_writable_block_in_two_places)
{
    Machine *machine = build("rhel6.5.0,emulator=rhel6", "16", "bios.bin");
    uint8_t *ram = ram_block_find("pc.ram")->host;

    store(machine, 0xf1234, 0x5a);
    ck_assert_uint_eq(load(machine, 0xffff1234), 0x5a);
    store(machine, 0xfffe0007, 0xa5);
    ck_assert_uint_eq(load(machine, 0xe0007), 0xa5);
    store(machine, 0xc8000, 0x77);
    ck_assert_uint_eq(load(machine, 0xc8000), 0x77);
    ck_assert_uint_eq(ram_block_find("pc.rom")->host[0x8000], 0x77);
    for (unsigned i = C_SEGMENT; i < 0x100000; i++) {
        ck_assert_uint_eq(ram[i], 0);
    }
    store(machine, 0xbffff - 0x20000, 1); /* 0x9ffff is RAM */
    ck_assert_uint_eq(ram[0x9ffff], 1);
    store(machine, 0x100000, 2);
    ck_assert_uint_eq(ram[0x100000], 2);
}
END_TEST

START_TEST(pam_registers_are_only_memory)
{
    Machine *machine = build("rhel6.5.0,emulator=rhel6", "16", "bios.bin");
    uint8_t before = load(machine, 0xffff0);

    ck_assert_uint_eq(PC_MACHINE(machine)->i440fx->pam.windows[12].size, 0);
    for (uint32_t reg = 0x59; reg <= 0x5f; reg++) {
        pci_bus_config_write(machine->pci, reg, 0x33, 1);
        ck_assert_uint_eq(pci_bus_config_read(machine->pci, reg, 1), 0x33);
    }
    ck_assert_uint_eq(load(machine, 0xffff0), before);
    store(machine, 0xffff0, (uint8_t)~before);
    ck_assert_uint_eq(load(machine, 0xfffffff0), (uint8_t)~before);
}
END_TEST

/* By default it is RHEL 7's: PAM shows RAM, and the copy below 4 GiB stays pristine. */
START_TEST(rhel7_has_pam)
{
    Machine *machine = build("rhel6.5.0", "16", "bios.bin");
    uint8_t pristine = load(machine, 0xfffffff0);

    pci_bus_config_write(machine->pci, 0x59, 0x30, 1);
    store(machine, 0xffff0, (uint8_t)~pristine);
    ck_assert_uint_eq(load(machine, 0xffff0), (uint8_t)~pristine);
    ck_assert_uint_eq(load(machine, 0xfffffff0), pristine);
}
END_TEST

START_TEST(empty_segments_are_shadowed)
{
    Machine *machine = build("rhel6.5.0", "16", "bios.bin");
    uint8_t *ram = ram_block_find("pc.ram")->host;
    uint8_t *bios = ram_block_find("pc.bios")->host, *rom = ram_block_find("pc.rom")->host;
    g_autoptr(GError) error = NULL;

    memset(rom, 0xc3, SEGMENTS);
    bios[0x1f000] ^= 0xff; /* what firmware on RHEL 6 has done to it comes along */
    ck_assert(arrive(machine, &error));
    ck_assert_mem_eq(ram + E_SEGMENT, bios, SEGMENTS);
    ck_assert_mem_eq(ram + C_SEGMENT, rom, SEGMENTS);
    ck_assert_uint_eq(ram[C_SEGMENT - 1], 0);
    ck_assert_uint_eq(ram[E_SEGMENT + SEGMENTS], 0);
}
END_TEST

/* One byte that is not zero, anywhere in it, makes a pair of segments live. */
START_TEST(live_segments_are_left_alone)
{
    static const unsigned places[] = {0, 1, SEGMENTS / 2, SEGMENTS - 1};
    Machine *machine = build("rhel6.5.0", "16", "bios.bin");
    uint8_t *ram = ram_block_find("pc.ram")->host;
    unsigned place = places[_i];
    g_autoptr(GError) error = NULL;

    memset(ram_block_find("pc.rom")->host, 0xc3, SEGMENTS);
    ram[E_SEGMENT + place] = 1;
    ck_assert(arrive(machine, &error));
    for (unsigned i = 0; i < SEGMENTS; i++) {
        ck_assert_uint_eq(ram[E_SEGMENT + i], i == place);
        ck_assert_uint_eq(ram[C_SEGMENT + i], 0xc3);
    }
}
END_TEST

START_TEST(off_means_off)
{
    Machine *machine = build("rhel6.5.0,shadow-bios-after-incoming=off", "16", "bios.bin");
    uint8_t *ram = ram_block_find("pc.ram")->host;
    g_autoptr(GError) error = NULL;

    ck_assert(arrive(machine, &error));
    for (unsigned i = 0; i < SEGMENTS; i++) {
        ck_assert_uint_eq(ram[E_SEGMENT + i], 0);
    }
}
END_TEST

/* RHEL 6's emulator needs no shadow: its ROM is where the guest fetches from. */
START_TEST(rhel6_never_shadows)
{
    Machine *machine = build("rhel6.5.0,emulator=rhel6", "16", "bios.bin");
    g_autoptr(GError) error = NULL;

    ck_assert(arrive(machine, &error));
    ck_assert_uint_eq(ram_block_find("pc.ram")->host[0xffff0], 0);
}
END_TEST

START_TEST(sizes_that_do_not_fit_are_refused)
{
    Machine *machine = build("rhel6.5.0", "16", "bios-256k.bin");
    g_autoptr(GError) error = NULL;

    ck_assert(!arrive(machine, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "pc.bios: it has 256 KiB, not 128 KiB"));
    ck_assert_uint_eq(ram_block_find("pc.ram")->host[0xffff0], 0);
}
END_TEST

START_TEST(an_unknown_emulator_is_named)
{
    UmbraMachineOptions options = {.machine = (char *)"rhel6.5.0,emulator=rhel5"};
    g_autoptr(GError) error = NULL;

    machine_types_add(pc_machine_types());
    ck_assert_ptr_null(umbra_machine_build(&options, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "rhel5"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rhel6");
    TCase *map = tcase_create("map"), *shadow = tcase_create("shadow");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(map, one_writable_block_in_two_places);
    tcase_add_test(map, pam_registers_are_only_memory);
    tcase_add_test(map, rhel7_has_pam);
    tcase_add_test(map, an_unknown_emulator_is_named);
    suite_add_tcase(suite, map);
    tcase_add_test(shadow, empty_segments_are_shadowed);
    tcase_add_loop_test(shadow, live_segments_are_left_alone, 0, 4);
    tcase_add_test(shadow, off_means_off);
    tcase_add_test(shadow, rhel6_never_shadows);
    tcase_add_test(shadow, sizes_that_do_not_fit_are_refused);
    suite_add_tcase(suite, shadow);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
