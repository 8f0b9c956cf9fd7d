#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The two 8237A DMA controllers and their page registers.

Data sheet: Intel 8237A, 231466; page registers: 82371SB (PIIX3), 290550, section 2.5.1.
Channels 0-3 move bytes at 0x00, channels 4-7 words at 0xc0 with registers two apart."""
import sys

from floppy import FLOPPY, FLOPPY_OPTIONS, read_sectors
from suite import case, main

CONTROLLERS = [("8-bit", 0x00, 1), ("16-bit", 0xc0, 2)]
PAGES = {0: 0x87, 1: 0x83, 2: 0x81, 3: 0x82, 5: 0x8b, 6: 0x89, 7: 0x8a}

COMMAND, REQUEST, SINGLE_MASK, MODE, CLEAR_FLIP_FLOP, MASTER_CLEAR, CLEAR_MASK, ALL_MASK = range(8)


def register(base, step, n):
    return base + (8 + n) * step


@case("8237A, Current Address and Current Word Registers; Software Commands")
def addresses_and_counts(m, check):
    for name, base, step in CONTROLLERS:
        for channel in range(4):
            for kind in range(2):
                port = base + (2 * channel + kind) * step
                m.outb(register(base, step, CLEAR_FLIP_FLOP), 0)
                m.outb(port, 0x34)
                m.outb(port, 0x12 + channel)
                m.outb(register(base, step, CLEAR_FLIP_FLOP), 0)
                check(f"{name} register {2 * channel + kind}, low", m.inb(port), 0x34)
                check(f"{name} register {2 * channel + kind}, high", m.inb(port), 0x12 + channel)


@case("8237A, Software Commands, Clear First/Last Flip-Flop")
def flip_flop(m, check):
    for name, base, step in CONTROLLERS:
        m.outb(register(base, step, CLEAR_FLIP_FLOP), 0)
        m.outb(base, 0xaa)
        m.outb(base, 0x55)
        m.inb(base)                                       # the high byte would be next
        m.outb(register(base, step, CLEAR_FLIP_FLOP), 0)
        check(f"{name}: the low byte comes first after a clear", m.inb(base), 0xaa)
        check(f"{name}: then the high byte", m.inb(base), 0x55)
        check(f"{name}: and the low byte again", m.inb(base), 0xaa)
        m.outb(register(base, step, MASTER_CLEAR), 0)
        check(f"{name}: a master clear clears the flip-flop too", m.inb(base), 0xaa)


@case("8237A, Status Register; Request Register")
def status(m, check):
    for name, base, step in CONTROLLERS:
        m.outb(register(base, step, MASTER_CLEAR), 0)
        check(f"{name}: nothing asks, nothing has ended",
              m.inb(register(base, step, COMMAND)) & 0x0f, 0)


@case("82371SB, section 2.5.1, DMA Memory Low Page Registers")
def pages(m, check):
    for channel, port in PAGES.items():
        m.outb(port, 0xa0 + channel)
    for channel, port in PAGES.items():
        check(f"page of channel {channel}", m.inb(port), 0xa0 + channel)


@case("8237A, Write Transfer; Terminal Count", *FLOPPY_OPTIONS, images={"floppy": FLOPPY})
def write_transfer(m, check):
    m.write(0x20000, bytes(2048))
    read_sectors(m, 0x20100, 1024)
    check("data arrives at the page and address", m.read(0x20100, 1024), FLOPPY[:1024])
    check("and no further", m.read(0x20500, 16), bytes(16))
    check("status: channel 2 has come to its end", m.inb(0x08) & 0x0f, 0x04)
    check("and reading the status clears it", m.inb(0x08) & 0x0f, 0)
    m.outb(0x0c, 0)
    check("the count has run over", [m.inb(0x05), m.inb(0x05)], [0xff, 0xff])
    check("the address is behind the data", [m.inb(0x04), m.inb(0x04)], [0x00, 0x05])


@case("8237A, Autoinitialize", *FLOPPY_OPTIONS, images={"floppy": FLOPPY})
def autoinitialize(m, check):
    read_sectors(m, 0x20000, 512, mode=0x56)
    check("data arrives", m.read(0x20000, 512), FLOPPY[:512])
    m.outb(0x0c, 0)
    # docs/compatibility.md, "8237A, autoinitialize": QEMU does it when the next transfer starts.
    check("the base address is back", [m.inb(0x04), m.inb(0x04)], [0x00, 0x00], qemu=[0x00, 0x02])
    check("and the base count", [m.inb(0x05), m.inb(0x05)], [0xff, 0x01], qemu=[0xff, 0xff])


if __name__ == "__main__":
    sys.exit(main())
