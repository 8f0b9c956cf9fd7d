/*
 * A board with a standard VGA on PCI, for tests of its registers and pictures.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_VGA_BOARD_H
#define QTESTS_VGA_BOARD_H

#include "qtests/pci-board.h"

#include "hw/core/clock.h"
#include "hw/display/vga-pci.h"
#include "hw/pci/pci-regs.h"

#define WINDOW 0xa0000
#define VRAM 0xe0000000u
#define MMIO 0xf0000000u

enum { SEQUENCER = 0x3c4, CRTC = 0x3d4, GRAPHICS = 0x3ce };

static Device *vga;

static inline void set(uint16_t port, unsigned index, unsigned value)
{
    port_out(port, index | value << 8, 2);
}

static inline unsigned get(uint16_t port, unsigned index)
{
    port_out(port, index, 1);
    return port_in(port + 1, 1);
}

static inline void attribute(unsigned index, unsigned value)
{
    port_in(0x3da, 1);
    port_out(0x3c0, index, 1);
    port_out(0x3c0, value, 1);
}

static inline void vbe(unsigned index, unsigned value)
{
    port_out(0x1ce, index, 2);
    port_out(0x1d0, value, 2);
}

static inline unsigned vbe_get(unsigned index)
{
    port_out(0x1ce, index, 2);
    return port_in(0x1d0, 2);
}

static inline void vga_setup(void)
{
    GError *error = NULL;

    board_setup();
    clock_virtual_manual();
    vga = device_new(TYPE_VGA_PCI, &error);
    ck_assert(vga && property_set_string(G_OBJECT(vga), "romfile", "", &error));
    ck_assert(property_set_string(G_OBJECT(vga), "addr", "2", &error));
    ck_assert_msg(device_realize(vga, &board.bus->parent, &error), "%s",
                  error ? error->message : "");
    device_reset(vga);
    port_out(0x3c2, 0x67, 1); /* CRTC at 0x3d4 */
    config_out(PCI_DEVFN(2, 0), PCI_BASE_ADDRESS_0, VRAM, 4);
    config_out(PCI_DEVFN(2, 0), PCI_BASE_ADDRESS_0 + 8, MMIO, 4);
    config_out(PCI_DEVFN(2, 0), PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 2);
}

/* Planar access to all planes, 64 KiB at 0xa0000, no function, write mode 0. */
static inline void planar(void)
{
    set(SEQUENCER, 2, 0x0f);
    set(SEQUENCER, 4, 0x06);
    set(GRAPHICS, 5, 0);
    set(GRAPHICS, 6, 0x05);
    set(GRAPHICS, 8, 0xff);
}

/* The planes of a byte, through read mode 0, as 0x33221100. */
static inline uint32_t planes(hwaddr address)
{
    uint32_t value = 0;

    set(GRAPHICS, 5, 0);
    for (unsigned plane = 0; plane < 4; plane++) {
        set(GRAPHICS, 4, plane);
        value |= (uint32_t)memory_in(address) << 8 * plane;
    }
    return value;
}

/* Fills the latches with 0x33221100 = value. */
static inline void latch(uint32_t value)
{
    for (unsigned plane = 0; plane < 4; plane++) {
        set(SEQUENCER, 2, 1u << plane);
        memory_out(WINDOW + 0x100, (uint8_t)(value >> 8 * plane));
    }
    set(SEQUENCER, 2, 0x0f);
    memory_in(WINDOW + 0x100);
}

#endif
