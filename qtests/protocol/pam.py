#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The 82441FX's memory attributes, SMRAM and configuration mechanism.

Data sheet: Intel 82441FX, 290549, sections 3.2.18 (PAM), 3.2.19 (SMRAM), 3.1 (CONFADD)."""
import sys

from suite import case, main

HOST = 0x00
# (window, register, low half of it)
WINDOWS = [(0xf0000, 0x59, False), (0xc0000, 0x5a, True), (0xc4000, 0x5a, False),
           (0xc8000, 0x5b, True), (0xcc000, 0x5b, False), (0xd0000, 0x5c, True),
           (0xd4000, 0x5c, False), (0xd8000, 0x5d, True), (0xdc000, 0x5d, False),
           (0xe0000, 0x5e, True), (0xe4000, 0x5e, False), (0xe8000, 0x5f, True),
           (0xec000, 0x5f, False)]
PCI, READ, WRITE, BOTH = 0, 1, 2, 3


def attributes(m, register, low, mode):
    value = m.pci_read(HOST, register, 1)
    value = value & 0xf0 | mode if low else value & 0x0f | mode << 4
    m.pci_write(HOST, register, value, 1)


@case("82441FX, section 3.2.18: read and write enables")
def windows(m, check):
    for base, register, low in WINDOWS:
        name = f"{base:#x}"
        rom = m.readb(base)
        attributes(m, register, low, BOTH)
        m.writeb(base, 0x5a)
        check(f"{name}, mode 3: RAM", m.readb(base), 0x5a)
        attributes(m, register, low, READ)
        check(f"{name}, mode 1: reads RAM", m.readb(base), 0x5a)
        attributes(m, register, low, PCI)
        check(f"{name}, mode 0: reads PCI", m.readb(base), rom)
        m.writeb(base, 0xa5)
        attributes(m, register, low, READ)
        check(f"{name}: mode 0 has not written RAM", m.readb(base), 0x5a)
        m.writeb(base, 0x33)
        # docs/compatibility.md, "PAM mode 1": QEMU's do.
        check(f"{name}, mode 1: writes do not reach RAM", m.readb(base), 0x5a, qemu=0x33)
        attributes(m, register, low, WRITE)
        m.writeb(base, 0x77)
        # docs/compatibility.md, "PAM mode 2": QEMU reads RAM.
        check(f"{name}, mode 2: reads PCI", m.readb(base), rom, qemu=0x77)
        attributes(m, register, low, BOTH)
        check(f"{name}, mode 2: has written RAM", m.readb(base), 0x77)


@case("82441FX, section 3.2.18: registers")
def registers(m, check):
    for register in range(0x59, 0x60):
        m.pci_write(HOST, register, 0x33, 1)
        check(f"register {register:#x} reads back", m.pci_read(HOST, register, 1), 0x33)
    m.pci_write(HOST, 0x59, 0x30, 1)
    m.pci_write(HOST, 0x5a, 0x00, 1)
    m.writeb(0xf0000, 0x12)
    m.writeb(0xfffff, 0x34)
    check("a window of 64 KiB at 0xf0000", [m.readb(0xf0000), m.readb(0xfffff)], [0x12, 0x34])


@case("82441FX, section 3.2.19: SMRAM", "-vga", "std")
def smram(m, check):
    m.outb(0x3ce, 0x06)
    m.outb(0x3cf, 0x01)                            # the VGA shows at 0xa0000
    m.pci_write(0x10, 0x04, 0x03, 2)
    m.pci_write(HOST, 0x72, 0x02, 1)
    m.writeb(0xa0000, 0x11)
    m.pci_write(HOST, 0x72, 0x4a, 1)               # D_OPEN and G_SMRAME
    m.writeb(0xa0000, 0x99)
    check("open: RAM", m.readb(0xa0000), 0x99)
    m.pci_write(HOST, 0x72, 0x0a, 1)
    check.true("closed: not that RAM", m.readb(0xa0000) != 0x99)
    m.pci_write(HOST, 0x72, 0x4a, 1)
    check("open again: as it was", m.readb(0xa0000), 0x99)


@case("82441FX, section 3.1: configuration mechanism 1")
def mechanism(m, check):
    m.outl(0xcf8, 0x80000000)
    check("CONFADD reads back", m.inl(0xcf8), 0x80000000)
    check("vendor and device", m.inl(0xcfc), 0x12378086)
    check("bytes", [m.inb(0xcfc + i) for i in range(4)], [0x86, 0x80, 0x37, 0x12])
    check("words", [m.inw(0xcfc), m.inw(0xcfe)], [0x8086, 0x1237])
    m.outl(0xcf8, 0x00000000)
    check("without the enable bit nothing answers", m.inl(0xcfc), 0xffffffff)
    m.outl(0xcf8, 0x8000f800)
    check("nobody there", m.inl(0xcfc), 0xffffffff)


if __name__ == "__main__":
    sys.exit(main())
