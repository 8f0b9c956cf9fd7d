#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The 8254 timer and the speaker's port.

Data sheet: Intel 8254, 231164; port 0x61: 82371SB (PIIX3), 290550, section 2.5.4.
The timer counts 1,193,182 times a second; counter 2's gate is bit 0 of port 0x61."""
import sys

from suite import case, main

HZ = 1193182
CONTROL = 0x43


def ticks(n):
    """Nanoseconds of so many counts, rounded up."""
    return (n * 10**9 + HZ - 1) // HZ


def program(m, counter, mode, count, bcd=0):
    m.outb(CONTROL, counter << 6 | 0x30 | mode << 1 | bcd)
    m.outb(0x40 + counter, count & 0xff)
    m.outb(0x40 + counter, count >> 8 & 0xff)


def latch(m, counter):
    m.outb(CONTROL, counter << 6)
    return m.inb(0x40 + counter) | m.inb(0x40 + counter) << 8


def status(m, counter):
    """The status byte of the read-back command."""
    m.outb(CONTROL, 0xe0 | 2 << counter)
    return m.inb(0x40 + counter)


@case("8254, Control Word; Read-Back Command, Status")
def control_word(m, check):
    m.outb(0x61, 0x00)
    for counter in (0, 2):
        for access in (1, 2, 3):
            for mode in (0, 1, 2, 3, 4, 5):
                word = counter << 6 | access << 4 | mode << 1
                m.outb(CONTROL, word)
                got = status(m, counter)
                check(f"status of counter {counter} has the control word {word:#x}",
                      got & 0x3f, word & 0x3f)
        m.outb(CONTROL, counter << 6 | 0x31)
        check(f"counter {counter}, BCD", status(m, counter) & 0x3f, 0x31)


@case("8254, Control Word: OUT before the count is written")
def initial_output(m, check):
    m.outb(0x61, 0x00)
    for mode, out in ((0, 0x00), (1, 0x80), (2, 0x80), (3, 0x80), (4, 0x80), (5, 0x80)):
        m.outb(CONTROL, 0xb0 | mode << 1)
        # docs/compatibility.md, "8254, OUT between control word and count": QEMU's OUT
        # is that of the count before.
        if check.is_qemu:
            continue
        check(f"mode {mode}", status(m, 2) & 0x80, out)


@case("8254, Write Operations, Counter Latch Command")
def latching(m, check):
    program(m, 2, 0, 0xffff)
    m.outb(0x61, 0x01)
    m.outb(CONTROL, 0x80)
    m.clock_step(ticks(100))
    first = m.inb(0x42) | m.inb(0x42) << 8
    second = latch(m, 2)
    check.true(f"a latched count {first:#x} stays while counting goes on to {second:#x}",
               first > second)
    m.outb(CONTROL, 0x80)
    m.clock_step(ticks(100))
    m.outb(CONTROL, 0x80)
    held = m.inb(0x42) | m.inb(0x42) << 8
    later = latch(m, 2)
    check.true("a second latch command before the reading is ignored", held - later >= 100)


@case("8254, Read/Write Format")
def byte_order(m, check):
    m.outb(0x61, 0x00)
    m.outb(CONTROL, 0x90)                          # counter 2, low byte alone, mode 0
    m.outb(0x42, 0x55)
    if m.exact:
        check("low byte alone", m.inb(0x42), 0x55)
    m.outb(CONTROL, 0xa0)                          # high byte alone
    m.outb(0x42, 0xf2)
    check.true("high byte alone", m.inb(0x42) >= (0xf2 if m.exact else 0x80))
    program(m, 2, 2, 0x1234)
    m.outb(0x61, 0x01)
    value = latch(m, 2)
    check.true("low, then high byte", 0 < value <= 0x1234)


@case("8254, Mode 0: Interrupt on Terminal Count")
def mode_0(m, check):
    m.outb(0x61, 0x01)
    program(m, 2, 0, 1000)
    if m.exact:
        check("OUT is low while it counts", m.inb(0x61) & 0x20, 0)
        m.clock_step(ticks(500))
        check.true("half way", abs(latch(m, 2) - 500) <= 2)
        check("OUT is still low", m.inb(0x61) & 0x20, 0)
        m.clock_step(ticks(502))
    check.true("OUT is high at the end", m.wait(lambda: m.inb(0x61) & 0x20))
    m.clock_step(ticks(100))
    check("and stays", m.inb(0x61) & 0x20, 0x20)


@case("8254, Mode 0 and Mode 4: Gate")
def gate(m, check):
    for mode in (0, 4):
        m.outb(0x61, 0x01)
        program(m, 2, mode, 0xf000)
        m.clock_step(ticks(100))
        m.outb(0x61, 0x00)
        before = latch(m, 2)
        m.clock_step(ticks(200))
        # docs/compatibility.md, "8254, modes 0 and 4": in QEMU the gate does not stop it.
        check(f"mode {mode}: a low gate stops counting", latch(m, 2) == before, True, qemu=False)
        m.outb(0x61, 0x01)
        m.clock_step(ticks(50))
        check.true(f"mode {mode}: a high gate goes on", latch(m, 2) < before)


@case("8254, Mode 1: Hardware Retriggerable One-Shot")
def mode_1(m, check):
    m.outb(0x61, 0x00)
    program(m, 2, 1, 2000)
    if m.exact:  # QEMU counts from here on, trigger or not, and the host may be slow
        check("OUT is high before the trigger", m.inb(0x61) & 0x20, 0x20)
    m.outb(0x61, 0x01)
    if m.exact:
        m.clock_step(ticks(5))
        check("low from the trigger on", m.inb(0x61) & 0x20, 0)
        m.clock_step(ticks(1000))
        m.outb(0x61, 0x00)
        m.outb(0x61, 0x01)
        m.clock_step(ticks(1500))
        check("a second trigger starts it anew", m.inb(0x61) & 0x20, 0)
    check.true("high when it has ended", m.wait(lambda: m.inb(0x61) & 0x20))


@case("8254, Mode 2: Rate Generator")
def mode_2(m, check):
    m.outb(0x61, 0x01)
    program(m, 2, 2, 1000)
    if m.exact:
        m.clock_step(ticks(300))
        value = latch(m, 2)
        check.true(f"counts down by one ({value})", abs(value - 700) <= 2)
        m.clock_step(ticks(1000))
        check.true("and round", abs(latch(m, 2) - value) <= 2)
    # docs/compatibility.md, "8254, mode 2": QEMU's OUT is inverted.
    check("OUT is high but for one clock", m.inb(0x61) & 0x20, 0x20, qemu=0x00)
    check.true("the count stays between 1 and 1000",
               all(1 <= latch(m, 2) <= 1000 for _ in range(50)))


@case("8254, Mode 3: Square Wave")
def mode_3(m, check):
    m.outb(0x61, 0x01)
    program(m, 2, 3, 2000)
    seen = set()
    if m.exact:
        check("OUT starts high", m.inb(0x61) & 0x20, 0x20)
        m.clock_step(ticks(500))
        check.true("counts by two", abs(latch(m, 2) - 1000) <= 4)
        m.clock_step(ticks(700))
        check("low in the second half", m.inb(0x61) & 0x20, 0)
        m.clock_step(ticks(1000))
        check("high again", m.inb(0x61) & 0x20, 0x20)
    check.true("both levels show", m.wait(
        lambda: seen.add(m.inb(0x61) & 0x20) or len(seen) == 2, step=ticks(337)))
    check.true("the count is even", all(latch(m, 2) % 2 == 0 for _ in range(20)))


# docs/compatibility.md, "8254, BCD": QEMU counts in binary.
@case("8254, Binary Coded Decimal", only="Umbra")
def bcd(m, check):
    m.outb(0x61, 0x01)
    program(m, 2, 2, 0x0050, bcd=1)
    for _ in range(20):
        value = latch(m, 2)
        check.true(f"{value:#x} is decimal and at most 50",
                   value & 0xf <= 9 and value >> 4 & 0xf <= 9 and value <= 0x50)
        m.clock_step(ticks(7))


@case("8254, Mode 2: counter 0 interrupts at its rate")
def counter_0(m, check):
    m.listen("ioapic")
    program(m, 0, 2, 1193)                         # about once a millisecond
    m.level(0)
    m.raised.clear()
    if m.exact:
        m.clock_step(10_500_000)
        check("ten interrupts in ten and a half milliseconds", m.raised.get(0, 0), 10)
    else:
        check.true("interrupts arrive", m.wait(lambda: m.raised.get(0, 0) >= 5))


@case("82371SB, section 2.5.4, port 0x61")
def speaker_port(m, check):
    for value in range(4):
        m.outb(0x61, value)
        check(f"bits 0 and 1 read back {value}", m.inb(0x61) & 0x0f, value)
    m.outb(0x61, 0x0f)
    # docs/compatibility.md, "port 0x61, bits 2 and 3".
    check("NMI enables", m.inb(0x61) & 0x03, 0x03)
    seen = set()
    check.true("the refresh bit toggles", m.wait(
        lambda: seen.add(m.inb(0x61) & 0x10) or len(seen) == 2, step=15085))


if __name__ == "__main__":
    sys.exit(main())
