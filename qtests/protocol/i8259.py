#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pair of 8259A interrupt controllers and the edge/level control registers.

Data sheet: Intel 8259A, 231468; ELCR: 82371SB (PIIX3), 290550, section 2.5.3.
Interrupts are made by the RTC's, the serial ports' and the parallel port's lines."""
import sys

from suite import case, main

MASTER, SLAVE = 0x20, 0xa0
SERIAL = ["-serial", "null", "-serial", "null"]
COM1, COM2 = (0x3f8, 4), (0x2f8, 3)


def initialize(m, icw4=0x01, icw1=0x11):
    for base, vector, cascade in ((MASTER, 0x20, 0x04), (SLAVE, 0x28, 0x02)):
        m.outb(base, icw1)
        m.outb(base + 1, vector)
        m.outb(base + 1, cascade)
        m.outb(base + 1, icw4)


def irr(m, base=MASTER):
    m.outb(base, 0x0a)
    return m.inb(base)


def isr(m, base=MASTER):
    m.outb(base, 0x0b)
    return m.inb(base)


def poll(m, base=MASTER):
    """An acknowledge without the processor (Poll Command)."""
    m.outb(base, 0x0c)
    return m.inb(base)


def line(m, port, level):
    """A UART's interrupt line: on with OUT2 and an empty transmitter, off with OUT2 off."""
    m.outb(port + 1, 0x02)
    m.outb(port + 4, 0x08 if level else 0x00)
    if not level:
        m.outb(port + 1, 0x00)


@case("8259A, Initialization Command Words 1-4", *SERIAL)
def initialization(m, check):
    initialize(m)
    check("IMR of the master is cleared", m.inb(MASTER + 1), 0)
    check("IMR of the slave is cleared", m.inb(SLAVE + 1), 0)
    for value in (0xff, 0x5a, 0x00):
        m.outb(MASTER + 1, value)
        m.outb(SLAVE + 1, value ^ 0xff)
        check("OCW1 reads back, master", m.inb(MASTER + 1), value)
        check("OCW1 reads back, slave", m.inb(SLAVE + 1), value ^ 0xff)
    m.outb(MASTER, 0x11)
    m.outb(MASTER + 1, 0x20)
    m.outb(MASTER + 1, 0x04)
    m.outb(MASTER + 1, 0x01)
    check("ICW1 has cleared the mask again", m.inb(MASTER + 1), 0)
    m.outb(MASTER, 0x0b)
    m.outb(MASTER, 0x11)
    for word in (0x20, 0x04, 0x01):
        m.outb(MASTER + 1, word)
    line(m, COM1[0], True)
    check("ICW1 sets the status read to IRR", m.inb(MASTER) & 0x10, 0x10)
    line(m, COM1[0], False)


@case("8259A, Interrupt Request and In-Service Registers; Poll Command", *SERIAL)
def request_and_service(m, check):
    initialize(m)
    m.outb(MASTER + 1, 0xe7)
    check("poll finds nothing", poll(m) & 0x80, 0)
    line(m, COM1[0], True)
    check("IRR has line 4", irr(m) & 0x18, 0x10)
    check("ISR has nothing", isr(m), 0)
    check("poll gives line 4", poll(m) & 0x87, 0x84)
    check("now in service", isr(m), 0x10)
    check("and no longer requested", irr(m) & 0x10, 0)
    line(m, COM2[0], True)
    check("line 3 is of higher priority than 4", poll(m) & 0x87, 0x83)
    check("both in service", isr(m), 0x18)
    m.outb(MASTER, 0x20)
    check("a non-specific EOI ends the highest", isr(m), 0x10)
    m.outb(MASTER, 0x64)
    check("a specific EOI ends the one it names", isr(m), 0)
    line(m, COM1[0], False)
    line(m, COM2[0], False)


@case("8259A, Fully Nested Mode; Special Mask Mode", *SERIAL)
def nesting(m, check):
    initialize(m)
    m.outb(MASTER + 1, 0xe7)
    line(m, COM2[0], True)
    check("line 3 is served", poll(m) & 0x87, 0x83)
    line(m, COM1[0], True)
    check("line 4 waits behind 3", poll(m) & 0x80, 0)
    m.outb(MASTER, 0x68)
    m.outb(MASTER + 1, 0xef)
    check("in special mask mode a masked line 3 does not hold 4 back", poll(m) & 0x87, 0x84)
    m.outb(MASTER, 0x48)
    check("both in service", isr(m), 0x18)
    line(m, COM1[0], False)
    line(m, COM2[0], False)


@case("8259A, Interrupt Masks", *SERIAL)
def masks(m, check):
    initialize(m)
    m.outb(MASTER + 1, 0xff)
    line(m, COM1[0], True)
    check("a masked line shows in IRR", irr(m) & 0x10, 0x10)
    check("and asks for no service", poll(m) & 0x80, 0)
    m.outb(MASTER + 1, 0xef)
    check("unmasked, it does", poll(m) & 0x87, 0x84)
    m.outb(MASTER, 0x20)
    line(m, COM1[0], False)


@case("8259A, Automatic and Specific Rotation", *SERIAL)
def rotation(m, check):
    initialize(m)
    m.outb(MASTER + 1, 0xe7)
    m.outb(MASTER, 0xc3)                           # line 3 is now the lowest
    line(m, COM1[0], True)
    line(m, COM2[0], True)
    check("after set priority 3, line 4 comes first", poll(m) & 0x87, 0x84)
    m.outb(MASTER, 0xa0)                           # rotate on a non-specific EOI
    check("line 4 is ended", isr(m), 0)
    check("and has the lowest priority: 3 comes", poll(m) & 0x87, 0x83)
    m.outb(MASTER, 0x20)
    line(m, COM1[0], False)
    line(m, COM2[0], False)


@case("8259A, Automatic End of Interrupt", *SERIAL)
def automatic_eoi(m, check):
    initialize(m, icw4=0x03)
    m.outb(MASTER + 1, 0xef)
    line(m, COM1[0], True)
    check("line 4 is served", poll(m) & 0x87, 0x84)
    check("and ended by its acknowledge", isr(m), 0)
    line(m, COM1[0], False)


@case("8259A, Edge and Level Triggered Modes; 82371SB, section 2.5.3", *SERIAL)
def edge_and_level(m, check):
    initialize(m)
    m.outb(MASTER + 1, 0xef)
    line(m, COM1[0], True)
    check("an edge is served", poll(m) & 0x87, 0x84)
    m.outb(MASTER, 0x20)
    check("once, however long it stays high", poll(m) & 0x80, 0)
    line(m, COM1[0], False)
    line(m, COM1[0], True)
    check("a new edge is served", poll(m) & 0x87, 0x84)
    m.outb(MASTER, 0x20)
    line(m, COM1[0], False)
    m.outb(0x4d0, 0x10)
    line(m, COM1[0], True)
    check("a level is served", poll(m) & 0x87, 0x84)
    m.outb(MASTER, 0x20)
    check("and again while it stays high", poll(m) & 0x87, 0x84)
    m.outb(MASTER, 0x20)
    line(m, COM1[0], False)
    check("and not when it has gone", poll(m) & 0x80, 0)


@case("8259A, Edge Triggered Mode: a line that stays high over ICW1", *SERIAL)
def edge_over_initialization(m, check):
    initialize(m)
    line(m, COM1[0], True)
    initialize(m)
    m.outb(MASTER + 1, 0xef)
    m.outb(COM1[0] + 1, 0x03)                      # the device says again that it is high
    # docs/compatibility.md, "8259A, ICW1": QEMU latches it again.
    check("needs a new edge", poll(m) & 0x80, 0, qemu=0x80)
    line(m, COM1[0], False)


@case("8259A, Cascade Mode")
def cascade(m, check):
    initialize(m)
    m.outb(MASTER + 1, 0xfb)
    m.outb(SLAVE + 1, 0xfe)
    m.cmos_write(0x0a, 0x26)
    m.cmos_read(0x0c)
    m.cmos_write(0x0b, 0x42)                        # the RTC's periodic interrupt, line 8
    check.true("line 8 reaches the master's input 2", m.wait(lambda: irr(m) & 0x04))
    check("IRR of the slave", irr(m, SLAVE) & 0x01, 0x01)
    check("poll of the master gives its input 2", poll(m) & 0x87, 0x82)
    check("poll of the slave gives its input 0", poll(m, SLAVE) & 0x87, 0x80)
    check("in service, slave", isr(m, SLAVE), 0x01)
    check("in service, master", isr(m), 0x04)
    m.outb(SLAVE, 0x20)
    m.outb(MASTER, 0x20)
    check("ended, slave", isr(m, SLAVE), 0)
    check("ended, master", isr(m), 0)


def counts(m):
    """What `info irq` lists: controller -> line -> how often it has risen."""
    found, lines = {}, None
    for text in m.hmp("info irq").splitlines():
        if text.startswith("IRQ statistics for "):
            lines = found[text[len("IRQ statistics for "):-1]] = {}
        else:
            number, count = text.split(":")
            lines[int(number)] = int(count)
    return found


@case("info irq", *SERIAL, "-rtc", "clock=vm")
def statistics(m, check):
    initialize(m)
    for _ in range(3):
        line(m, COM1[0], True)
        line(m, COM1[0], False)
    line(m, COM2[0], True)
    before = counts(m)
    check("the controllers, in QEMU's order", list(before), ["ioapic", "isa-i8259"])
    for controller, lines in before.items():
        check(f"{controller}: each rise", lines.get(COM1[1]), 3)
        check(f"{controller}: one that stays high", lines.get(COM2[1]), 1)
        check(f"{controller}: one that nobody pulls", lines.get(7), None)
    # The RTC's line is the second controller's; that one's output is the first's line 2.
    m.outb(0x70, 0x0b)
    m.outb(0x71, 0x12)  # an interrupt when an update has ended
    check.true("the RTC's rises", m.wait(lambda: irr(m, SLAVE) & 1))
    after = counts(m)
    check("the second controller's", after["isa-i8259"].get(8), 1)
    check("its way to the first's", after["isa-i8259"].get(2, 0) -
          before["isa-i8259"].get(2, 0), 1)
    check("the I/O APIC's line 2 is not that", after["ioapic"].get(2), None)
    m.reset()
    check("a reset forgets nothing", counts(m)["isa-i8259"].get(COM1[1]), 3)


@case("82371SB, section 2.5.3.8, ELCR")
def elcr(m, check):
    check("edge triggered after a reset", [m.inb(0x4d0), m.inb(0x4d1)], [0, 0])
    m.outb(0x4d0, 0xff)
    m.outb(0x4d1, 0xff)
    check("lines 0, 1 and 2 are always edges", m.inb(0x4d0), 0xf8)
    check("so are 8 and 13", m.inb(0x4d1), 0xde)


if __name__ == "__main__":
    sys.exit(main())
