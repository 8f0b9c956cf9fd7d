#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A 16550A serial port.

Data sheet: National Semiconductor PC16550D, section 8 (registers by their names)."""
import pathlib
import sys

from suite import case, main

BASE = 0x3f8
RBR = THR = DLL = BASE
IER = DLM = BASE + 1
IIR = FCR = BASE + 2
LCR, MCR, LSR, MSR, SCR = (BASE + n for n in range(3, 8))
OPTIONS = ["-chardev", "file,id=out,path={out}", "-serial", "chardev:out"]
IMAGES = {"out": b""}


def set_up(m, fifo=0x00, divisor=1):
    m.outb(IER, 0)
    m.outb(LCR, 0x83)
    m.outb(DLL, divisor & 0xff)
    m.outb(DLM, divisor >> 8)
    m.outb(LCR, 0x03)
    m.outb(MCR, 0x00)
    m.outb(FCR, fifo)


def looped(m, fifo=0x00):
    """Receiver and transmitter connected inside (MCR bit 4)."""
    set_up(m, fifo)
    m.outb(MCR, 0x10)


@case("8.1, Line Control Register: DLAB; 8.10, Scratchpad; reset values (table I)",
      *OPTIONS, images=IMAGES)
def registers(m, check):
    check("LSR: transmitter empty", m.inb(LSR), 0x60)
    check("IIR: no interrupt", m.inb(IIR), 0x01)
    check("IER", m.inb(IER), 0)
    # docs/compatibility.md, "like QEMU": OUT2, which gates the interrupt, starts on.
    check("MCR", m.inb(MCR), 0x08)
    for value in (0x00, 0x5a, 0xff):
        m.outb(SCR, value)
        check("SCR reads back", m.inb(SCR), value)
    m.outb(LCR, 0x80)
    m.outb(DLL, 0x34)
    m.outb(DLM, 0x12)
    check("divisor", [m.inb(DLL), m.inb(DLM)], [0x34, 0x12])
    m.outb(LCR, 0x03)
    check("LCR", m.inb(LCR), 0x03)
    m.outb(IER, 0xff)
    check("IER has four bits", m.inb(IER), 0x0f)
    m.outb(IER, 0x00)
    m.outb(LCR, 0x80)
    check("the divisor is still there", [m.inb(DLL), m.inb(DLM)], [0x34, 0x12])


@case("8.7, Modem Control Register: loopback", *OPTIONS, images=IMAGES)
def loopback(m, check):
    looped(m)
    for mcr, msr in ((0x00, 0x00), (0x01, 0x20), (0x02, 0x10), (0x04, 0x40), (0x08, 0x80),
                     (0x0f, 0xf0)):
        m.outb(MCR, 0x10 | mcr)
        check(f"outputs {mcr:#x} show in MSR", m.inb(MSR) & 0xf0, msr)
    m.outb(MCR, 0x10)
    m.outb(THR, 0x5a)
    check.true("a byte comes round", m.wait(lambda: m.inb(LSR) & 0x01))
    check("the byte", m.inb(RBR), 0x5a)
    check("data ready is clear again", m.inb(LSR) & 0x01, 0)


@case("8.4, Line Status Register: overrun", *OPTIONS, images=IMAGES)
def overrun(m, check):
    looped(m)
    for byte in (0x11, 0x22):
        m.outb(THR, byte)
        m.wait(lambda: m.inb(LSR) & 0x60 == 0x60)
        m.clock_step(10**6)
    seen = m.inb(LSR)
    # The looks at LSR above may have read the error bit away: only the data is certain.
    check("data", seen & 0x01, 0x01)
    check("the later byte has replaced the earlier", m.inb(RBR), 0x22)


@case("8.5, FIFO Control; 8.6.1, FIFO Interrupt Mode", *OPTIONS, images=IMAGES)
def fifo(m, check):
    looped(m, 0x07)
    check("IIR: FIFOs on", m.inb(IIR) & 0xc0, 0xc0)
    sent = list(range(0x30, 0x40))
    for byte in sent:
        m.outb(THR, byte)
        m.wait(lambda: m.inb(LSR) & 0x20)
        m.clock_step(10**6)
    check("16 bytes in order", [m.inb(RBR) for _ in range(16)], sent)
    check("then empty", m.inb(LSR) & 0x01, 0)
    m.outb(THR, 0x77)
    m.wait(lambda: m.inb(LSR) & 0x01)
    m.outb(FCR, 0x03)
    check("bit 1 empties the receiver's", m.inb(LSR) & 0x01, 0)
    m.outb(FCR, 0x00)
    check("IIR: FIFOs off", m.inb(IIR) & 0xc0, 0)


@case("8.6, Interrupt Identification; 8.8, Interrupt Enable", *OPTIONS, images=IMAGES)
def interrupts(m, check):
    looped(m)
    m.listen("ioapic")
    m.outb(MCR, 0x18)                              # OUT2 gates the line on a PC
    m.outb(IER, 0x02)
    check("transmitter empty: interrupt 4", m.level(4), True)
    check("IIR says so", m.inb(IIR) & 0x0f, 0x02)
    check("and reading it ends it", [m.inb(IIR) & 0x0f, m.level(4)], [0x01, False])
    m.outb(IER, 0x01)
    m.outb(THR, 0x41)
    check.true("received data: interrupt 4", m.wait(lambda: m.level(4)))
    check("IIR says so", m.inb(IIR) & 0x0f, 0x04)
    m.inb(RBR)
    check("reading the data ends it", m.level(4), False)
    m.inb(MSR)
    m.outb(IER, 0x08)
    m.outb(MCR, 0x1a)                              # RTS, which is CTS here
    # docs/compatibility.md, "16550A, loopback": QEMU notices no changes there.
    check("modem status: interrupt 4", m.level(4), True, qemu=False)
    check("IIR says so", m.inb(IIR) & 0x0f, 0x00, qemu=0x01)
    check("MSR: CTS, and that it changed", m.inb(MSR) & 0x11, 0x11, qemu=0x10)
    check("reading it ends it", m.level(4), False)


@case("8.6: priorities", *OPTIONS, images=IMAGES)
def priorities(m, check):
    looped(m)
    m.outb(THR, 0x41)
    m.wait(lambda: m.inb(LSR) & 0x01)
    m.outb(IER, 0x03)
    check("received data comes before transmitter empty", m.inb(IIR) & 0x0f, 0x04)
    m.inb(RBR)
    check("which is next", m.inb(IIR) & 0x0f, 0x02)


@case("8.2, Programmable Baud Generator; the character device", *OPTIONS, images=IMAGES)
def output(m, check):
    set_up(m, 0x07)
    for byte in b"Hello, world":
        m.wait(lambda: m.inb(LSR) & 0x20)
        m.outb(THR, byte)
    m.wait(lambda: m.inb(LSR) & 0x40)
    path = pathlib.Path(m.paths["out"])
    check.true("what is sent comes out", m.wait(lambda: path.read_bytes() == b"Hello, world"))


@case("PC/AT: four ports", "-serial", "null", "-serial", "null", "-serial", "null",
      "-serial", "null")
def four_ports(m, check):
    for base in (0x3f8, 0x2f8, 0x3e8, 0x2e8):
        m.outb(base + 7, base & 0xff)
    for base in (0x3f8, 0x2f8, 0x3e8, 0x2e8):
        check(f"port {base:#x}", m.inb(base + 7), base & 0xff)


if __name__ == "__main__":
    sys.exit(main())
