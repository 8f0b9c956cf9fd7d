#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A parallel port in its compatible mode.

IBM PC/AT Technical Reference, "Parallel Printer Adapter"; IEEE 1284-1994, compatibility
mode. What is strobed goes to the character device, which is never busy."""
import pathlib
import sys

from suite import case, main

DATA, STATUS, CONTROL = 0x378, 0x379, 0x37a
OPTIONS = ["-chardev", "file,id=out,path={out}", "-parallel", "chardev:out"]
IMAGES = {"out": b""}


@case("Printer Adapter: data, status and control latches", *OPTIONS, images=IMAGES)
def registers(m, check):
    for value in (0x00, 0x55, 0xff):
        m.outb(DATA, value)
        check("data reads back", m.inb(DATA), value)
    check("status: selected, not busy, no error", m.inb(STATUS) & 0xb8, 0x98)
    m.outb(CONTROL, 0x0c)
    check("control reads back", m.inb(CONTROL) & 0x1f, 0x0c)


@case("Printer Adapter: STROBE", *OPTIONS, images=IMAGES)
def strobe(m, check):
    m.outb(CONTROL, 0x0c)
    for byte in b"page 1\f":
        m.outb(DATA, byte)
        m.outb(CONTROL, 0x0d)
        m.outb(CONTROL, 0x0c)
        m.inb(STATUS)
        m.clock_step(10_000)
    path = pathlib.Path(m.paths["out"])
    check.true("what is strobed is printed", m.wait(lambda: path.read_bytes() == b"page 1\f"))


if __name__ == "__main__":
    sys.exit(main())
