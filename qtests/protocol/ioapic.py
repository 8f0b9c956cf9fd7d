#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The I/O APIC.

Data sheet: Intel 82093AA, 290566, section 3.2 (registers)."""
import sys

from suite import case, main

SELECT, WINDOW = 0xfec00000, 0xfec00010


def read(m, register):
    m.writel(SELECT, register)
    return m.readl(WINDOW)


def write(m, register, value):
    m.writel(SELECT, register)
    m.writel(WINDOW, value)


@case("82093AA, sections 3.1 and 3.2: IOREGSEL, IOAPICID, IOAPICVER, IOAPICARB")
def identity(m, check):
    m.writel(SELECT, 0x10)
    check("IOREGSEL reads back", m.readl(SELECT) & 0xff, 0x10)
    check("ID after a reset", read(m, 0) & 0x0f000000, 0)
    write(m, 0, 0x0a000000)
    check("ID reads back", read(m, 0), 0x0a000000)
    version = read(m, 1)
    check("24 redirection entries", version >> 16 & 0xff, 23)
    check("version 0x11, or 0x20 with an EOI register", version & 0xff in (0x11, 0x20), True)


@case("82093AA, section 3.2.4: redirection table")
def redirection(m, check):
    for pin in range(24):
        check(f"pin {pin} is masked after a reset", read(m, 0x10 + 2 * pin), 0x10000)
        write(m, 0x10 + 2 * pin, 0x1a9f0 | pin)
        write(m, 0x11 + 2 * pin, pin << 24)
    for pin in range(24):
        low = read(m, 0x10 + 2 * pin)
        check(f"pin {pin}, low: writable bits", low & ~0x5000, (0x1a9f0 | pin) & ~0x5000)
        check(f"pin {pin}: status bits are read-only", low & 0x5000, 0)
        check(f"pin {pin}, high: destination", read(m, 0x11 + 2 * pin), pin << 24)


@case("82093AA, section 3.2.4: remote IRR and delivery", "-serial", "null")
def level(m, check):
    write(m, 0x10 + 8, 0x08030)                    # pin 4, level, unmasked, vector 0x30
    m.outb(0x3f9, 0x02)
    m.outb(0x3fc, 0x08)
    check.true("a level that is delivered sets the remote IRR",
               m.wait(lambda: read(m, 0x18) & 0x4000))
    m.outb(0x3f9, 0x00)
    check("it waits for the EOI", read(m, 0x18) & 0x4000, 0x4000)
    if read(m, 1) & 0xff == 0x20:
        m.writel(0xfec00040, 0x30)
        check("which the EOI register gives", read(m, 0x18) & 0x4000, 0)


if __name__ == "__main__":
    sys.exit(main())
