#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The PIIX3's reset control and interrupt routing.

Data sheet: Intel 82371SB, 290550, sections 2.2.11 (PIRQRC) and 2.5.2 (RC, port 0xcf9)."""
import sys

from suite import case, main

ISA = 0x08


@case("82371SB, section 2.5.2: Reset Control")
def reset_control(m, check):
    m.outb(0xcf9, 0x02)
    check("system reset is chosen, nothing happens", m.inb(0xcf9) & 0x02, 0x02)
    m.cmos_write(0x40, 0x77)
    m.outb(0xcf9, 0x06)
    check.true("bit 2 resets", m.event("RESET"))
    check("CMOS keeps what it has", m.cmos_read(0x40), 0x77)


@case("82371SB, section 2.2.11: PIRQ Route Control")
def routes(m, check):
    check("not routed after a reset", [m.pci_read(ISA, 0x60 + n, 1) for n in range(4)],
          [0x80] * 4)
    for n in range(4):
        m.pci_write(ISA, 0x60 + n, 0x0a + n % 2, 1)
        check(f"PIRQ {n}", m.pci_read(ISA, 0x60 + n, 1), 0x0a + n % 2)


@case("82371SB, sections 2.2.1-2.2.6: identity")
def identity(m, check):
    check("vendor and device", m.pci_read(ISA, 0), 0x70008086)
    check("an ISA bridge", m.pci_read(ISA, 0x0a, 2), 0x0601)
    check("of several functions", m.pci_read(ISA, 0x0e, 1) & 0x80, 0x80)


if __name__ == "__main__":
    sys.exit(main())
