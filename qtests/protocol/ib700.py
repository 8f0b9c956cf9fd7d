#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The iBase 700 watchdog.

Linux' ib700wdt gives its ports: a write to 0x443 starts it with 30 seconds less two for
each count in the low four bits, a write to 0x441 stops it."""
import sys

from suite import case, main

START, STOP = 0x443, 0x441
OPTIONS = ["-device", "ib700", "-action", "watchdog=none"]


@case("ib700: expiry", *OPTIONS)
def expiry(m, check):
    m.outb(START, 0x0f)                            # none left: at once
    check.true("the watchdog barks", m.wait(lambda: m.event("WATCHDOG"), ns=0))


@case("ib700: stopping and feeding", *OPTIONS, only="Umbra")
def stopping(m, check):
    m.outb(START, 0x0e)                            # two seconds
    m.clock_step(1_900_000_000)
    m.outb(START, 0x0e)
    m.clock_step(1_900_000_000)
    m.outb(STOP, 0)
    m.clock_step(60 * 10**9)
    m.qmp("query-status")
    check("fed and stopped, it stays quiet",
          [event for event in m.events if event["event"] == "WATCHDOG"], [])


if __name__ == "__main__":
    sys.exit(main())
