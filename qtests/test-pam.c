/*
 * PAM and SMRAM against the 82441FX data sheet: sections 3.2.18 (table 5) and 3.2.22.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/pci-board.h"

/* The data sheet's table of attribute bits, copied by hand. */
static const struct {
    hwaddr base, last;
    unsigned reg, shift;
} windows[PAM_WINDOWS] = {
    {0xc0000, 0xc3fff, 0x5a, 0}, {0xc4000, 0xc7fff, 0x5a, 4}, {0xc8000, 0xcbfff, 0x5b, 0},
    {0xcc000, 0xcffff, 0x5b, 4}, {0xd0000, 0xd3fff, 0x5c, 0}, {0xd4000, 0xd7fff, 0x5c, 4},
    {0xd8000, 0xdbfff, 0x5d, 0}, {0xdc000, 0xdffff, 0x5d, 4}, {0xe0000, 0xe3fff, 0x5e, 0},
    {0xe4000, 0xe7fff, 0x5e, 4}, {0xe8000, 0xebfff, 0x5f, 0}, {0xec000, 0xeffff, 0x5f, 4},
    {0xf0000, 0xfffff, 0x59, 4},
};

#define FX PCI_DEVFN(0, 0)
#define SMRAM 0x72

static void set_mode(unsigned window, unsigned mode)
{
    config_out(FX, windows[window].reg, mode << windows[window].shift, 1);
}

/* What a byte of a window does in a mode: where a read comes from, and whether RAM and
 * the PCI target see a write. */
static void check_byte(hwaddr addr, bool reads_ram, bool writes_ram, bool writes_pci)
{
    unsigned before = board.target_writes;

    *ram_at(addr) = RAM_BYTE;
    ck_assert_msg(memory_in(addr) == (reads_ram ? RAM_BYTE : PCI_BYTE),
                  "0x%" PRIx64 " reads %02x", addr, memory_in(addr));
    memory_out(addr, 0x11);
    ck_assert_msg(*ram_at(addr) == (writes_ram ? 0x11 : RAM_BYTE),
                  "0x%" PRIx64 " leaves %02x in RAM", addr, *ram_at(addr));
    ck_assert_uint_eq(board.target_writes - before, writes_pci);
    *ram_at(addr) = RAM_BYTE;
}

static void check_every_mode(bool exact)
{
    for (unsigned i = 0; i < PAM_WINDOWS; i++) {
        for (unsigned mode = 0; mode < 4; mode++) {
            bool reads_ram = mode & 1 || (mode == 2 && !exact);
            hwaddr places[] = {windows[i].base, windows[i].base + 0x1234,
                               windows[i].last};

            set_mode(i, mode);
            ck_assert_uint_eq(pam_window_mode(&board.fx->pam, i), mode);
            for (unsigned k = 0; k < G_N_ELEMENTS(places); k++) {
                check_byte(places[k], reads_ram, mode & 2, mode == 0);
            }
            /* The neighbours are where they were: in mode 0. */
            if (i > 0) {
                check_byte(windows[i].base - 1, false, false, true);
            }
            if (i < PAM_WINDOWS - 1) {
                check_byte(windows[i].last + 1, false, false, true);
            }
        }
        set_mode(i, 0);
    }
}

START_TEST(exact_modes)
{
    board_setup();
    check_every_mode(true);
}
END_TEST

START_TEST(qemu_modes)
{
    device_add_global("i440FX", "pam-exact", "off", false);
    board_setup();
    check_every_mode(false);
}
END_TEST

/* A doubleword write changes eight windows at once, each by its own nibble. */
START_TEST(one_write_many_windows)
{
    static const unsigned modes[] = {3, 2, 1, 0, 1, 3, 0, 2};

    board_setup();
    /* 0x5a..0x5d; a doubleword at 0x5c touches 0x5c-0x5f, so two accesses. */
    config_out(FX, 0x5a, 0x0123, 2);
    config_out(FX, 0x5c, 0x2031, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        ck_assert_uint_eq(pam_window_mode(&board.fx->pam, i), modes[i]);
        check_byte(windows[i].base, modes[i] & 1, modes[i] & 2, modes[i] == 0);
    }
}
END_TEST

/* A BIOS shadows itself: mode 2, copy each byte onto itself, mode 1. */
START_TEST(shadowing)
{
    board_setup();
    set_mode(12, 2);
    for (hwaddr addr = 0xf0000; addr < 0x100000; addr++) {
        memory_out(addr, memory_in(addr));
    }
    set_mode(12, 1);
    for (hwaddr addr = 0xf0000; addr < 0x100000; addr++) {
        ck_assert_uint_eq(memory_in(addr), PCI_BYTE);
        ck_assert_uint_eq(*ram_at(addr), PCI_BYTE);
    }
    ck_assert_uint_eq(board.target_writes, 0);
}
END_TEST

static unsigned traced[8][3], traced_count;

static void trace(unsigned reg, uint8_t old_value, uint8_t new_value, void *opaque)
{
    ck_assert_ptr_eq(opaque, traced);
    traced[traced_count][0] = reg;
    traced[traced_count][1] = old_value;
    traced[traced_count++][2] = new_value;
}

START_TEST(tracing)
{
    board_setup();
    pam_set_trace(trace, traced);
    config_out(FX, 0x59, 0x30, 1);
    config_out(FX, 0x59, 0x30, 1);       /* no change, no trace */
    config_out(FX, 0x58, 0x22331000, 4); /* 0x59 from 0x30 to 0x10; 0x5a, 0x5b from 0 */
    ck_assert_uint_eq(traced_count, 4);
    ck_assert_uint_eq(traced[0][0], 0x59);
    ck_assert_uint_eq(traced[0][1], 0x00);
    ck_assert_uint_eq(traced[0][2], 0x30);
    ck_assert_uint_eq(traced[1][0], 0x59);
    ck_assert_uint_eq(traced[1][1], 0x30);
    ck_assert_uint_eq(traced[1][2], 0x10);
    ck_assert_uint_eq(traced[2][0], 0x5a);
    ck_assert_uint_eq(traced[2][2], 0x33);
    ck_assert_uint_eq(traced[3][0], 0x5b);
    ck_assert_uint_eq(traced[3][2], 0x22);
    pam_set_trace(NULL, NULL);
    config_out(FX, 0x59, 0, 1);
    ck_assert_uint_eq(traced_count, 4);
}
END_TEST

START_TEST(reset_keeps)
{
    board_setup();
    set_mode(12, 1);
    device_reset_all();
    ck_assert_uint_eq(config_in(FX, 0x59, 1), 0x10);
    check_byte(0xf0000, true, false, false);
}
END_TEST

START_TEST(reset_clears)
{
    device_add_global("i440FX", "pam-reset", "on", false);
    board_setup();
    set_mode(12, 1);
    set_mode(3, 3);
    device_reset_all();
    for (unsigned reg = 0x59; reg <= 0x5f; reg++) {
        ck_assert_uint_eq(config_in(FX, reg, 1), 0);
    }
    check_byte(0xf0000, false, false, true);
    check_byte(0xcc000, false, false, true);
}
END_TEST

/* -- SMRAM: 7 reserved, 6 D_OPEN, 5 D_CLS, 4 D_LCK, 3 G_SMRAME, 2-0 C_BASE_SEG ------- */

static bool ram_shows(void)
{
    *ram_at(0xb0000) = RAM_BYTE;
    return memory_in(0xb0000) == RAM_BYTE;
}

START_TEST(smram_open)
{
    static const struct {
        uint8_t value;
        bool shows;
    } cases[] = {
        {0x02, false}, {0x0a, false}, {0x42, false},
        {0x4a, true},  {0x6a, false}, {0x0a, false},
    };

    board_setup();
    device_reset_all();
    ck_assert_uint_eq(config_in(FX, SMRAM, 1), 0x02);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        config_out(FX, SMRAM, cases[i].value, 1);
        ck_assert_msg(ram_shows() == cases[i].shows, "SMRAM 0x%02x", cases[i].value);
    }
    config_out(FX, SMRAM, 0x4a, 1);
    device_reset_all(); /* stays, as PAM does and as on QEMU 7.2 */
    ck_assert_uint_eq(config_in(FX, SMRAM, 1), 0x4a);
    ck_assert(ram_shows());
}
END_TEST

START_TEST(smram_lock)
{
    board_setup();
    device_reset_all();
    config_out(FX, SMRAM, 0x5a, 1); /* D_OPEN and D_LCK: the lock wins */
    ck_assert_uint_eq(config_in(FX, SMRAM, 1), 0x1a);
    ck_assert(!ram_shows());
    config_out(FX, SMRAM, 0x4a, 1);
    ck_assert_uint_eq(config_in(FX, SMRAM, 1), 0x1a);
    ck_assert(!ram_shows());
    device_reset_all();
    ck_assert_uint_eq(config_in(FX, SMRAM, 1), 0x02);
    config_out(FX, SMRAM, 0x4a, 1);
    ck_assert(ram_shows());
}
END_TEST

/* What SMM sees over system memory: RAM while G_SMRAME is set. */
START_TEST(smram_in_smm)
{
    MemoryRegion smm, normal, smram;
    AddressSpace as;
    uint64_t value;

    board_setup();
    device_reset_all();
    memory_region_init(&smm, NULL, "smm", UINT64_MAX);
    memory_region_init_alias(&normal, NULL, "memory", &board.system, 0, UINT64_MAX);
    memory_region_init_alias(&smram, NULL, "smram", &board.fx->smram, 0, GiB(4));
    memory_region_add_subregion(&smm, 0, &normal);
    memory_region_add_subregion_overlap(&smm, 0, &smram, 1);
    address_space_init(&as, &smm, "cpu-smm-0");
    *ram_at(0xa8000) = RAM_BYTE;
    address_space_load(&as, 0xa8000, 1, &value, MEMTXATTRS_UNSPECIFIED);
    ck_assert_uint_ne(value, RAM_BYTE);
    config_out(FX, SMRAM, 0x0a, 1);
    address_space_load(&as, 0xa8000, 1, &value, MEMTXATTRS_UNSPECIFIED);
    ck_assert_uint_eq(value, RAM_BYTE);
    ck_assert(!ram_shows());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pam");
    TCase *pam = tcase_create("pam"), *smram = tcase_create("smram");

    tcase_add_test(pam, exact_modes);
    tcase_add_test(pam, qemu_modes);
    tcase_add_test(pam, one_write_many_windows);
    tcase_add_test(pam, shadowing);
    tcase_add_test(pam, tracing);
    tcase_add_test(pam, reset_keeps);
    tcase_add_test(pam, reset_clears);
    tcase_add_test(smram, smram_open);
    tcase_add_test(smram, smram_lock);
    tcase_add_test(smram, smram_in_smm);
    suite_add_tcase(suite, pam);
    suite_add_tcase(suite, smram);
    return board_run(suite);
}
