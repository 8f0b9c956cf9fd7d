#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices that test programs use: isa-debugcon, isa-debug-exit and pc-testdev.

Specifications: Bochs' port 0xe9; QEMU, -device isa-debug-exit,help; kvm-unit-tests'
README of the testdev's ports."""
import pathlib
import sys

from suite import case, main

DEBUGCON = ["-chardev", "file,id=out,path={out}", "-device",
            "isa-debugcon,iobase=0xe9,chardev=out"]


@case("isa-debugcon", *DEBUGCON, images={"out": b""})
def debugcon(m, check):
    check("reads back its number", m.inb(0xe9), 0xe9)
    for byte in b"abc":
        m.outb(0xe9, byte)
    path = pathlib.Path(m.paths["out"])
    check.true("what is written comes out", m.wait(lambda: path.read_bytes() == b"abc"))


@case("isa-debug-exit", "-device", "isa-debug-exit")
def debug_exit(m, check):
    m.qtest.sendall(b"outb 0x501 0x15\n")
    check("the exit status is twice the value and one", m.process.wait(30), 0x15 << 1 | 1)


TESTDEV = ["-device", "pc-testdev", "-serial", "null"]
MEMORY = 0xff000000


@case("pc-testdev: memory and I/O that read back", *TESTDEV)
def testdev(m, check):
    for size, (out, read) in {1: (m.outb, m.inb), 2: (m.outw, m.inw), 4: (m.outl, m.inl)}.items():
        value = 0x12345678 & (1 << 8 * size) - 1
        out(0xe0, value)
        check(f"I/O, {size} bytes", read(0xe0), value)
    m.write(MEMORY, bytes(range(64)))
    check("memory", m.read(MEMORY, 64), bytes(range(64)))
    m.writel(MEMORY + 0x100, 0xdeadbeef)
    check("a doubleword", m.readl(MEMORY + 0x100), 0xdeadbeef)


@case("pc-testdev: interrupt lines", *TESTDEV)
def testdev_lines(m, check):
    m.listen("ioapic")
    for line in (3, 5, 10, 15):
        m.outb(0x2000 + line, 1)
        check(f"line {line} up", m.level(line), True)
        m.outb(0x2000 + line, 0)
        check(f"line {line} down", m.level(line), False)


if __name__ == "__main__":
    sys.exit(main())
