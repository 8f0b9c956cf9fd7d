#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The VGA's registers and planes, and Bochs' VBE.

IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem" (FreeVGA's names); VBE:
Bochs, "VBE Display API" 0.7; PCI: QEMU, docs/specs/standard-vga."""
import sys

from suite import case, main

VGA = 0x10  # slot 2
OPTIONS = ["-vga", "std"]
SEQUENCER, GRAPHICS, CRTC, ATTRIBUTE = 0x3c4, 0x3ce, 0x3d4, 0x3c0
VRAM, MMIO = 0xe0000000, 0xe1000000
DISPI = 0x1ce, 0x1d0
(ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET,
 MEMORY_64K) = range(11)


def write(m, port, index, value):
    m.outb(port, index)
    m.outb(port + 1, value)


def read(m, port, index):
    m.outb(port, index)
    return m.inb(port + 1)


def vbe(m, index, value=None):
    m.outw(DISPI[0], index)
    if value is not None:
        m.outw(DISPI[1], value)
    return m.inw(DISPI[1])


def set_up(m):
    m.pci_write(VGA, 0x10, VRAM)
    m.pci_write(VGA, 0x18, MMIO)
    m.pci_write(VGA, 0x04, 0x03, 2)
    m.outb(0x3c2, 0x67)                            # colour, RAM enabled
    write(m, SEQUENCER, 0, 0x03)
    write(m, CRTC, 0x11, 0x00)


def planar(m):
    """Planes at 0xa0000, as in mode 0x12."""
    set_up(m)
    write(m, SEQUENCER, 2, 0x0f)
    write(m, SEQUENCER, 4, 0x06)
    for index, value in ((0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0x05), (7, 0x0f),
                         (8, 0xff)):
        write(m, GRAPHICS, index, value)


@case("Video Subsystem: Miscellaneous Output, Feature Control, Input Status", *OPTIONS)
def general(m, check):
    set_up(m)
    m.outb(0x3c2, 0x67)
    check("Miscellaneous Output reads at 0x3cc", m.inb(0x3cc), 0x67)
    m.outb(0x3c2, 0x66)
    m.outb(0x3b4, 0x0a)
    check("monochrome: the CRTC is at 0x3b4", m.inb(0x3b4), 0x0a)
    m.outb(0x3c2, 0x67)
    m.outb(0x3d4, 0x0b)
    check("colour: at 0x3d4", m.inb(0x3d4), 0x0b)
    seen = set()
    check.true("the display-enable bit toggles", m.wait(
        lambda: seen.add(m.inb(0x3da) & 0x01) or len(seen) == 2, step=5000))


@case("Sequencer, Graphics Controller and CRTC registers", *OPTIONS)
def indexed(m, check):
    set_up(m)
    for port, index, mask in [(SEQUENCER, 2, 0x0f), (SEQUENCER, 4, 0x0e),
                              (GRAPHICS, 0, 0x0f), (GRAPHICS, 1, 0x0f), (GRAPHICS, 3, 0x1f),
                              (GRAPHICS, 7, 0x0f), (GRAPHICS, 8, 0xff),
                              (CRTC, 0x0c, 0xff), (CRTC, 0x0d, 0xff), (CRTC, 0x0e, 0xff),
                              (CRTC, 0x0f, 0xff), (CRTC, 0x01, 0xff)]:
        for value in (0x00, 0x55, 0xaa, 0xff):
            write(m, port, index, value)
            check(f"{port:#x} index {index:#x}", read(m, port, index) & mask, value & mask)
    write(m, CRTC, 0x01, 0x4f)
    write(m, CRTC, 0x11, 0x80)
    write(m, CRTC, 0x01, 0x33)
    check("CRTC 0x11, bit 7 protects registers 0-7", read(m, CRTC, 0x01), 0x4f)
    write(m, CRTC, 0x11, 0x00)
    write(m, CRTC, 0x01, 0x33)
    check("and lets go of them", read(m, CRTC, 0x01), 0x33)


@case("Attribute Controller: the flip-flop", *OPTIONS)
def attribute(m, check):
    set_up(m)
    for index in range(16):
        m.inb(0x3da)
        m.outb(ATTRIBUTE, index)
        m.outb(ATTRIBUTE, 0x3f - index)
    for index in range(16):
        m.inb(0x3da)
        m.outb(ATTRIBUTE, index)
        check(f"palette register {index}", m.inb(ATTRIBUTE + 1), 0x3f - index)
    m.inb(0x3da)
    m.outb(ATTRIBUTE, 0x20)


@case("Video DAC", *OPTIONS)
def dac(m, check):
    set_up(m)
    m.outb(0x3c8, 100)
    for value in (1, 2, 3, 0x3d, 0x3e, 0x3f):
        m.outb(0x3c9, value)
    m.outb(0x3c7, 100)
    check("reading", m.inb(0x3c7) & 3, 3)
    check("two entries, one after the other", [m.inb(0x3c9) for _ in range(6)],
          [1, 2, 3, 0x3d, 0x3e, 0x3f])
    m.outb(0x3c8, 5)
    check("writing", m.inb(0x3c7) & 3, 0)


@case("Graphics Controller: write modes and read modes", *OPTIONS)
def planes(m, check):
    planar(m)
    at = 0xa0100
    for plane in range(4):
        write(m, SEQUENCER, 2, 1 << plane)
        m.writeb(at, 0x11 << plane)
    for plane in range(4):
        write(m, GRAPHICS, 4, plane)
        check(f"map mask and read map select, plane {plane}", m.readb(at), 0x11 << plane & 0xff)
    write(m, SEQUENCER, 2, 0x0f)
    m.readb(at)
    write(m, GRAPHICS, 5, 0x01)
    m.writeb(at + 1, 0)
    write(m, GRAPHICS, 5, 0x00)
    for plane in range(4):
        write(m, GRAPHICS, 4, plane)
        check(f"write mode 1 copies the latches, plane {plane}", m.readb(at + 1),
              0x11 << plane & 0xff)
    write(m, GRAPHICS, 5, 0x02)
    m.writeb(at + 2, 0x0a)
    write(m, GRAPHICS, 5, 0x00)
    for plane in range(4):
        write(m, GRAPHICS, 4, plane)
        check(f"write mode 2 fills by colour, plane {plane}", m.readb(at + 2),
              0xff if 0x0a >> plane & 1 else 0)
    write(m, GRAPHICS, 0, 0x05)
    write(m, GRAPHICS, 1, 0x0f)
    m.writeb(at + 3, 0x00)
    write(m, GRAPHICS, 1, 0x00)
    for plane in range(4):
        write(m, GRAPHICS, 4, plane)
        check(f"set/reset, plane {plane}", m.readb(at + 3), 0xff if 0x05 >> plane & 1 else 0)
    write(m, GRAPHICS, 8, 0x0f)
    m.readb(at + 3)
    m.writeb(at + 3, 0x00)
    write(m, GRAPHICS, 8, 0xff)
    write(m, GRAPHICS, 4, 0)
    check("the bit mask keeps bits of the latch", m.readb(at + 3), 0xf0)
    write(m, GRAPHICS, 3, 0x18)
    m.readb(at)
    m.writeb(at, 0xff)
    write(m, GRAPHICS, 3, 0x00)
    check("XOR", m.readb(at), 0x11 ^ 0xff)
    write(m, GRAPHICS, 5, 0x08)
    write(m, GRAPHICS, 2, 0x0a)
    write(m, GRAPHICS, 7, 0x0f)
    check("read mode 1 compares colours", m.readb(at + 2), 0xff)
    write(m, GRAPHICS, 2, 0x05)
    check("and finds no other", m.readb(at + 2), 0x00)


@case("Graphics Controller: memory map; chain 4", *OPTIONS)
def map_and_chain(m, check):
    planar(m)
    write(m, GRAPHICS, 6, 0x09)                    # 0xb0000-0xb7fff
    m.writeb(0xb0000, 0x5a)
    check("0xb0000", m.readb(0xb0000), 0x5a)
    check("0xa0000 is not the VGA's", m.readb(0xa0000), 0xff)
    write(m, GRAPHICS, 6, 0x05)
    check("0xa0000 again, the same byte", m.readb(0xa0000), 0x5a)
    write(m, SEQUENCER, 4, 0x0e)
    m.write(0xa0200, bytes(range(16)))
    check("chain 4 is linear", m.read(0xa0200, 16), bytes(range(16)))
    write(m, SEQUENCER, 4, 0x06)
    write(m, GRAPHICS, 4, 1)
    check("its planes are every fourth byte", [m.readb(0xa0080 + i) for i in range(1)],
          [m.readb(0xa0080)])


@case("VBE Display API: ID, mode setting, banks", *OPTIONS)
def display_interface(m, check):
    set_up(m)
    for version in range(0xb0c0, 0xb0c6):
        check(f"version {version:#x}", vbe(m, ID, version), version)
    check("video memory in units of 64 KiB", vbe(m, MEMORY_64K), 256)
    vbe(m, ENABLE, 0)
    for index, value in ((XRES, 640), (YRES, 480), (BPP, 32)):
        check("set", vbe(m, index, value), value)
    vbe(m, ENABLE, 0x41)
    check("enabled, linear", vbe(m, ENABLE) & 0x41, 0x41)
    check("virtual width", vbe(m, VIRT_WIDTH), 640)
    check("virtual height is what memory holds", vbe(m, VIRT_HEIGHT), (16 << 20) // (640 * 4))
    vbe(m, Y_OFFSET, 10)
    check("panning", vbe(m, Y_OFFSET), 10)
    m.write(VRAM, b"\x11\x22\x33\x44")
    m.write(VRAM + 0x10000, b"\x55\x66\x77\x88")
    write(m, SEQUENCER, 2, 0x0f)
    vbe(m, BANK, 0)
    check("bank 0 at 0xa0000", m.read(0xa0000, 4), b"\x11\x22\x33\x44")
    vbe(m, BANK, 1)
    check("bank 1", m.read(0xa0000, 4), b"\x55\x66\x77\x88")
    vbe(m, ENABLE, 0x02 | vbe(m, ENABLE))
    check("capabilities: the widest mode", vbe(m, XRES) >= 1600, True)
    vbe(m, ENABLE, 0)


@case("standard-vga: PCI spec and Memory mapped registers", *OPTIONS)
def pci(m, check):
    check("vendor and device", m.pci_read(VGA, 0), 0x11111234)
    check("a VGA controller", m.pci_read(VGA, 0x0a, 2), 0x0300)
    m.pci_write(VGA, 0x10, 0xffffffff)
    check("BAR 0: 16 MiB, prefetchable", m.pci_read(VGA, 0x10), 0xff000008)
    m.pci_write(VGA, 0x18, 0xffffffff)
    check("BAR 2: 4 KiB", m.pci_read(VGA, 0x18), 0xfffff000)
    set_up(m)
    check("EDID", m.read(MMIO, 8), bytes([0, 255, 255, 255, 255, 255, 255, 0]))
    check("its checksum", sum(m.read(MMIO, 128)) & 0xff, 0)
    m.writeb(MMIO + 0x400 + 2, 0x67)
    check("the ports from 0x3c0 at 0x400", m.inb(0x3cc), 0x67)
    vbe(m, XRES, 800)
    check("the DISPI registers at 0x500", m.readw(MMIO + 0x500 + 2 * XRES), 800)
    check("QEMU's registers at 0x600: their length", m.readl(MMIO + 0x600), 8)
    check("and byte order", m.readl(MMIO + 0x604), 0x1e1e1e1e)


@case("what is drawn is seen: screendump of a 32-bit mode", *OPTIONS)
def picture(m, check):
    set_up(m)
    vbe(m, ENABLE, 0)
    for index, value in ((XRES, 320), (YRES, 200), (BPP, 32)):
        vbe(m, index, value)
    vbe(m, ENABLE, 0x41)
    m.inb(0x3da)
    m.outb(ATTRIBUTE, 0x20)
    m.write(VRAM, (0x123456).to_bytes(4, "little") * 320 * 100
            + (0xfedcba).to_bytes(4, "little") * 320 * 100)
    path = m.folder.name + "/picture.ppm"

    def shows():
        m.qmp("screendump", filename=path)
        with open(path, "rb") as file:
            return file.read() == (b"P6\n320 200\n255\n" + b"\x12\x34\x56" * 320 * 100
                                   + b"\xfe\xdc\xba" * 320 * 100)
    check.true("two halves", m.wait(shows))


if __name__ == "__main__":
    sys.exit(main())
