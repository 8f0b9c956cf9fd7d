#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Advanced power management's two ports, the POST port and the coprocessor's.

Data sheet: 82371AB (PIIX4), 290562, section 4.2.7 (APMC and APMS), and 7.1.8 for what a
command may do: with SMIs off it is only stored."""
import sys

from suite import case, main

APMC, APMS = 0xb2, 0xb3


@case("82371AB, section 4.2.7, APM Control and Status Ports")
def registers(m, check):
    for value in (0x00, 0x5a, 0xff):
        m.outb(APMC, value)
        m.outb(APMS, value ^ 0xff)
        check("APMC reads back", m.inb(APMC), value)
        check("APMS reads back", m.inb(APMS), value ^ 0xff)


@case("82371SB, section 2.5.6: port 0x80 takes POST codes")
def post_codes(m, check):
    for value in (0x00, 0xaa):
        m.outb(0x80, value)
        check("the machine goes on", m.inb(APMC), m.inb(APMC))
    m.outb(0xf0, 0)
    check("a write to the coprocessor's port 0xf0 is harmless", m.inb(0xf0), 0xff)


if __name__ == "__main__":
    sys.exit(main())
