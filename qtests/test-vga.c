/*
 * The standard VGA, from IBM's description of the registers (PS/2 Hardware Interface
 * Technical Reference, "Video Subsystem"; FreeVGA) and Bochs' of the VBE ones.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "memory/mtree.h"
#include "qtests/vga-board.h"

/* -- Registers --------------------------------------------------------------------------
 */

START_TEST(test_register_bits)
{
    static const struct {
        uint16_t port;
        uint8_t index, bits;
    } rows[] = {
        {SEQUENCER, 1, 0x3d}, {SEQUENCER, 2, 0x0f}, {SEQUENCER, 3, 0x3f},
        {SEQUENCER, 4, 0x0e}, {GRAPHICS, 0, 0x0f},  {GRAPHICS, 3, 0x1f},
        {GRAPHICS, 4, 0x03},  {GRAPHICS, 5, 0x7b},  {GRAPHICS, 6, 0x0f},
        {GRAPHICS, 7, 0x0f},  {GRAPHICS, 8, 0xff},  {CRTC, 0x13, 0xff},
    };

    set(rows[_i].port, rows[_i].index, 0xff);
    ck_assert_uint_eq(get(rows[_i].port, rows[_i].index), rows[_i].bits);
    set(rows[_i].port, rows[_i].index, 0);
    ck_assert_uint_eq(get(rows[_i].port, rows[_i].index), 0);
}
END_TEST

START_TEST(test_crtc_protection)
{
    set(CRTC, 0x07, 0x00);
    set(CRTC, 0x01, 0x27);
    set(CRTC, 0x11, 0x80);
    set(CRTC, 0x01, 0x4f);
    set(CRTC, 0x07, 0xff); /* only bit 4, of the line compare */
    set(CRTC, 0x08, 0x05);
    ck_assert_uint_eq(get(CRTC, 0x01), 0x27);
    ck_assert_uint_eq(get(CRTC, 0x07), 0x10);
    ck_assert_uint_eq(get(CRTC, 0x08), 0x05);
    set(CRTC, 0x11, 0x00);
    set(CRTC, 0x01, 0x4f);
    ck_assert_uint_eq(get(CRTC, 0x01), 0x4f);
}
END_TEST

START_TEST(test_color_and_mono_addresses)
{
    set(CRTC, 0x0e, 0x12);
    ck_assert_uint_eq(port_in(0x3cc, 1), 0x67);
    ck_assert_uint_eq(port_in(0x3b5, 1), 0xff);
    port_out(0x3c2, 0x66, 1);
    ck_assert_uint_eq(port_in(0x3d5, 1), 0xff);
    ck_assert_uint_eq(get(0x3b4, 0x0e), 0x12);
}
END_TEST

START_TEST(test_attribute_flip_flop)
{
    attribute(0x10, 0xff);
    attribute(0x03, 0xff);
    port_in(0x3da, 1);
    port_out(0x3c0, 0x10, 1); /* index; now data is next */
    ck_assert_uint_eq(port_in(0x3c1, 1), 0xef);
    port_in(0x3da, 1); /* index is next again */
    port_out(0x3c0, 0x03, 1);
    ck_assert_uint_eq(port_in(0x3c1, 1), 0x3f);
    ck_assert_uint_eq(port_in(0x3da, 1) ^ port_in(0x3da, 1),
                      0x09); /* a beam that moves */
}
END_TEST

START_TEST(test_dac_counts_on)
{
    static const uint8_t colors[6] = {1, 2, 3, 61, 62, 63};

    port_out(0x3c8, 255, 1);
    for (unsigned i = 0; i < 6; i++) {
        port_out(0x3c9, colors[i], 1);
    }
    port_out(0x3c7, 255, 1);
    ck_assert_uint_eq(port_in(0x3c7, 1), 3);
    for (unsigned i = 0; i < 6; i++) {
        ck_assert_uint_eq(port_in(0x3c9, 1), colors[i]);
    }
    port_out(0x3c8, 0, 1);
    ck_assert_uint_eq(port_in(0x3c7, 1), 0);
    port_out(0x3c9, 9, 1); /* a colour changes when it is complete */
    port_out(0x3c7, 0, 1);
    ck_assert_uint_eq(port_in(0x3c9, 1), 61);
}
END_TEST

/* -- Memory -----------------------------------------------------------------------------
 */

START_TEST(test_write_mode_0)
{
    planar();
    set(SEQUENCER, 2, 0x05); /* planes 0 and 2 */
    memory_out(WINDOW, 0x96);
    ck_assert_uint_eq(planes(WINDOW), 0x00960096);

    set(SEQUENCER, 2, 0x0f);
    set(GRAPHICS, 3, 3); /* rotate right by 3 */
    memory_out(WINDOW + 1, 0x96);
    ck_assert_uint_eq(planes(WINDOW + 1), 0xd2d2d2d2);

    set(GRAPHICS, 3, 0);
    set(GRAPHICS, 0, 0x0a); /* planes 1 and 3 are set, */
    set(GRAPHICS, 1, 0x0b); /* of 0, 1 and 3 that do not get the CPU's byte */
    memory_out(WINDOW + 2, 0x96);
    ck_assert_uint_eq(planes(WINDOW + 2), 0xff96ff00);

    set(GRAPHICS, 1, 0);
    latch(0x44332211);
    set(GRAPHICS, 8, 0x0f); /* the upper half comes from the latches */
    memory_out(WINDOW + 3, 0xa5);
    ck_assert_uint_eq(planes(WINDOW + 3), 0x45352515);
}
END_TEST

START_TEST(test_functions)
{
    static const uint32_t expected[4] = {0x5a5a5a5a, 0x40120200, 0x5e7b7b5b, 0x1e69795b};

    /* latches 0x44 0x33 0x23 0x01 with 0x5a: replace, and, or, exclusive or */
    planar();
    latch(0x44332301);
    set(GRAPHICS, 3, (unsigned)_i << 3);
    memory_out(WINDOW + 8, 0x5a);
    set(GRAPHICS, 3, 0);
    ck_assert_uint_eq(planes(WINDOW + 8), expected[_i]);
}
END_TEST

START_TEST(test_write_mode_1_copies_latches)
{
    planar();
    latch(0x87654321);
    set(GRAPHICS, 5, 1);
    set(GRAPHICS, 8, 0); /* no bit mask in this mode */
    set(SEQUENCER, 2, 0x0b);
    memory_out(WINDOW + 4, 0xff);
    ck_assert_uint_eq(planes(WINDOW + 4), 0x87004321);
}
END_TEST

START_TEST(test_write_mode_2_expands_a_color)
{
    planar();
    latch(0xf00ff00f);
    set(GRAPHICS, 5, 2);
    set(GRAPHICS, 8, 0x3c);
    memory_out(WINDOW + 4, 0x06); /* planes 1 and 2 */
    ck_assert_uint_eq(planes(WINDOW + 4), 0xc03ffc03);
}
END_TEST

START_TEST(test_write_mode_3_masks_by_data)
{
    planar();
    latch(0x00ff00ff);
    set(GRAPHICS, 5, 3);
    set(GRAPHICS, 0, 0x03);
    set(GRAPHICS, 3, 4);    /* the data is rotated, */
    set(GRAPHICS, 8, 0xf8); /* and its bits are cut to these: 0x1f & 0xf8 = 0x18 */
    memory_out(WINDOW + 4, 0xf1);
    ck_assert_uint_eq(planes(WINDOW + 4), 0x00e718ff);
}
END_TEST

START_TEST(test_read_mode_1_compares)
{
    planar();
    latch(0x0f33550f);
    set(GRAPHICS, 5, 0x08);
    set(GRAPHICS, 2, 0x0a); /* planes 1 and 3 set, 0 and 2 clear */
    set(GRAPHICS, 7, 0x0f);
    /* ~0x0f & 0x55 & ~0x33 & 0x0f */
    ck_assert_uint_eq(memory_in(WINDOW + 0x100), 0x00);
    set(GRAPHICS, 7, 0x06); /* only planes 1 and 2 count */
    ck_assert_uint_eq(memory_in(WINDOW + 0x100), 0x44);
    set(GRAPHICS, 7, 0);
    ck_assert_uint_eq(memory_in(WINDOW + 0x100), 0xff);
}
END_TEST

START_TEST(test_odd_even)
{
    planar();
    set(SEQUENCER, 2, 0x03);
    set(GRAPHICS, 5, 0x10);
    set(GRAPHICS, 6, 0x0e); /* 32 KiB at 0xb8000 */
    memory_out(0xb8000, 'A');
    memory_out(0xb8001, 0x1f);
    memory_out(0xb8002, 'B');
    ck_assert_uint_eq(memory_in(0xb8000), 'A');
    ck_assert_uint_eq(memory_in(0xb8001), 0x1f);
    set(GRAPHICS, 5, 0);
    set(GRAPHICS, 6, 0x05);
    ck_assert_uint_eq(planes(WINDOW), 0x1f41);
    ck_assert_uint_eq(planes(WINDOW + 1), 0x42); /* packed as QEMU does it */
}
END_TEST

static bool map_has(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);

    mtree_print(out, &(MtreeOptions){0});
    return strstr(out->str, text) != NULL;
}

START_TEST(test_chain_4)
{
    planar();
    ck_assert(!map_has("vga.chain4"));
    set(SEQUENCER, 4, 0x0e);
    ck_assert(map_has("00000000000a0000-00000000000affff (prio 2, ram): alias vga.chain4 "
                      "@vga.vram 0000000000000000-000000000000ffff"));
    for (unsigned i = 0; i < 4; i++) {
        memory_out(WINDOW + 4 + i, (uint8_t)(0x11 * (i + 1)));
    }
    set(SEQUENCER, 2, 0x04); /* one plane: no plain RAM any more, but the same bytes */
    ck_assert(!map_has("vga.chain4"));
    memory_out(WINDOW + 5, 0xff);
    memory_out(WINDOW + 6, 0x99);
    ck_assert_uint_eq(memory_in(WINDOW + 5), 0x22);
    set(SEQUENCER, 4, 0x06);
    ck_assert_uint_eq(planes(WINDOW + 1), 0x44992211);
    ck_assert_uint_eq(memory_in(VRAM + 6), 0x99);
}
END_TEST

START_TEST(test_windows)
{
    static const struct {
        unsigned select;
        uint32_t first, last;
    } rows[] = {{0, 0xa0000, 0xbffff},
                {1, 0xa0000, 0xaffff},
                {2, 0xb0000, 0xb7fff},
                {3, 0xb8000, 0xbffff}};

    planar();
    set(GRAPHICS, 6, (unsigned)_i << 2 | 1);
    for (uint32_t at = 0xa0000; at < 0xc0000; at += 0x4000) {
        bool open = at >= rows[_i].first && at <= rows[_i].last;

        memory_out(at, 0x3c);
        ck_assert_uint_eq(memory_in(at), open ? 0x3c : 0xff);
    }
    ck_assert_uint_eq(memory_in(VRAM), 0x3c);
    memory_out(rows[_i].first + 1, 0x5d);
    ck_assert_uint_eq(memory_in(VRAM + 4), 0x5d);
}
END_TEST

/* -- VBE --------------------------------------------------------------------------------
 */

START_TEST(test_vbe_registers)
{
    ck_assert_uint_eq(vbe_get(0), 0xb0c5);
    vbe(0, 0xb0c2);
    vbe(0, 0x1234); /* not an ID */
    ck_assert_uint_eq(vbe_get(0), 0xb0c2);
    ck_assert_uint_eq(vbe_get(10), 16 * 1024 / 64);
    vbe(4, 2);
    ck_assert_uint_eq(vbe_get(1), 16000);
    ck_assert_uint_eq(vbe_get(2), 12000);
    ck_assert_uint_eq(vbe_get(3), 32);
    vbe(4, 0);
    vbe(1, 1024);
    ck_assert_uint_eq(vbe_get(1), 1024);
    ck_assert_uint_eq(vbe_get(11), 0);
    ck_assert_uint_eq(port_in(0x1ce, 1), 0xff); /* words only */
}
END_TEST

START_TEST(test_vbe_mode)
{
    memory_out(VRAM + 640 * 480 * 2 - 1, 0x77);
    memory_out(VRAM + 640 * 480 * 2, 0x77);
    vbe(1, 645); /* becomes 640 */
    vbe(2, 480);
    vbe(3, 16);
    vbe(4, 0x41);
    ck_assert_uint_eq(vbe_get(1), 640);
    ck_assert_uint_eq(vbe_get(6), 640);
    ck_assert_uint_eq(vbe_get(7), 16 * 1024 * 1024 / 1280);
    ck_assert_uint_eq(memory_in(VRAM + 640 * 480 * 2 - 1), 0); /* cleared, */
    ck_assert_uint_eq(memory_in(VRAM + 640 * 480 * 2), 0x77);  /* and no more than that */
    memory_out(VRAM, 0x66);
    vbe(4, 0);
    vbe(4, 0xc1); /* keeps the memory */
    ck_assert_uint_eq(memory_in(VRAM), 0x66);

    vbe(5, 2); /* the window moves */
    memory_out(WINDOW + 3, 0x55);
    ck_assert_uint_eq(memory_in(VRAM + 0x20003), 0x55);
    vbe(5, 0x102); /* within 16 MiB */
    ck_assert_uint_eq(vbe_get(5), 2);
    vbe(2, 60000); /* as many lines as there is memory for */
    ck_assert_uint_eq(vbe_get(2), 12000);
    vbe(6, 16000);
    ck_assert_uint_eq(vbe_get(2), 16 * 1024 * 1024 / 32000);
    vbe(9, 1); /* there is no line left below */
    ck_assert_uint_eq(vbe_get(9), 0);
}
END_TEST

/* -- PCI --------------------------------------------------------------------------------
 */

static uint32_t memory_in_32(hwaddr address)
{
    uint64_t value = 0;

    address_space_load(&board.memory_as, address, 4, &value, MEMTXATTRS_UNSPECIFIED);
    return (uint32_t)value;
}

START_TEST(test_pci_identity)
{
    ck_assert_uint_eq(config_in(PCI_DEVFN(2, 0), 0, 4), 0x11111234);
    ck_assert_uint_eq(config_in(PCI_DEVFN(2, 0), PCI_REVISION_ID, 4), 0x03000002);
    config_out(PCI_DEVFN(2, 0), PCI_BASE_ADDRESS_0, ~0u, 4);
    ck_assert_uint_eq(config_in(PCI_DEVFN(2, 0), PCI_BASE_ADDRESS_0, 4), 0xff000008);
    config_out(PCI_DEVFN(2, 0), PCI_BASE_ADDRESS_0 + 8, ~0u, 4);
    ck_assert_uint_eq(config_in(PCI_DEVFN(2, 0), PCI_BASE_ADDRESS_0 + 8, 4), 0xfffff000);
}
END_TEST

START_TEST(test_bars_move)
{
    memory_out(VRAM + 0x1234, 0x42);
    config_out(PCI_DEVFN(2, 0), PCI_BASE_ADDRESS_0, 0xd1000000, 4);
    ck_assert_uint_eq(memory_in(0xd1001234), 0x42);
    ck_assert_uint_ne(memory_in(VRAM + 0x1234), 0x42);
    config_out(PCI_DEVFN(2, 0), PCI_BASE_ADDRESS_0 + 8, 0xd2000000, 4);
    ck_assert_uint_eq(memory_in_32(0xd2000500) & 0xffff, 0xb0c5);
    ck_assert_uint_ne(memory_in_32(MMIO + 0x500) & 0xffff, 0xb0c5);
    config_out(PCI_DEVFN(2, 0), PCI_COMMAND, 0, 2);
    ck_assert_uint_ne(memory_in(0xd1001234), 0x42);
}
END_TEST

START_TEST(test_mmio)
{
    uint8_t sum = 0;

    memory_out(MMIO + 0x400 + 4, 2); /* ports from 0x3c0 on: the sequencer */
    memory_out(MMIO + 0x400 + 5, 0x0a);
    ck_assert_uint_eq(get(SEQUENCER, 2), 0x0a);
    vbe(1, 800);
    ck_assert_uint_eq(memory_in_32(MMIO + 0x502) & 0xffff, 800);
    ck_assert_uint_eq(memory_in_32(MMIO + 0x600), 8);
    ck_assert_uint_eq(memory_in_32(MMIO + 0x604), 0x1e1e1e1e);
    ck_assert_uint_eq(memory_in_32(MMIO), 0xffffff00); /* an EDID block's header */
    for (unsigned i = 0; i < 128; i++) {
        sum = (uint8_t)(sum + memory_in(MMIO + i));
    }
    ck_assert_uint_eq(sum, 0);
    /* the first timing descriptor: 1280x800 */
    ck_assert_uint_eq(memory_in(MMIO + 0x38) | (memory_in(MMIO + 0x3a) & 0xf0) << 4,
                      1280);
    ck_assert_uint_eq(memory_in(MMIO + 0x3b) | (memory_in(MMIO + 0x3d) & 0xf0) << 4, 800);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vga");
    TCase *tcase = tcase_create("vga");

    tcase_add_checked_fixture(tcase, vga_setup, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_register_bits, 0, 12);
    tcase_add_test(tcase, test_crtc_protection);
    tcase_add_test(tcase, test_color_and_mono_addresses);
    tcase_add_test(tcase, test_attribute_flip_flop);
    tcase_add_test(tcase, test_dac_counts_on);
    tcase_add_test(tcase, test_write_mode_0);
    tcase_add_loop_test(tcase, test_functions, 0, 4);
    tcase_add_test(tcase, test_write_mode_1_copies_latches);
    tcase_add_test(tcase, test_write_mode_2_expands_a_color);
    tcase_add_test(tcase, test_write_mode_3_masks_by_data);
    tcase_add_test(tcase, test_read_mode_1_compares);
    tcase_add_test(tcase, test_odd_even);
    tcase_add_test(tcase, test_chain_4);
    tcase_add_loop_test(tcase, test_windows, 0, 4);
    tcase_add_test(tcase, test_vbe_registers);
    tcase_add_test(tcase, test_vbe_mode);
    tcase_add_test(tcase, test_pci_identity);
    tcase_add_test(tcase, test_bars_move);
    tcase_add_test(tcase, test_mmio);
    suite_add_tcase(suite, tcase);
    return board_run(suite);
}
