#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The high precision event timers.

IA-PC HPET Specification 1.0a, section 2.3 (registers)."""
import sys

from suite import case, main

BASE = 0xfed00000
CAPABILITIES, CONFIG, STATUS, COUNTER = BASE, BASE + 0x10, BASE + 0x20, BASE + 0xf0
PERIOD = 10  # nanoseconds


def timer(n):
    """Configuration and comparator."""
    return BASE + 0x100 + 0x20 * n, BASE + 0x108 + 0x20 * n


def stop(m):
    m.writeq(CONFIG, 0)
    m.writeq(COUNTER, 0)
    for n in range(3):
        m.writeq(timer(n)[0], 0)
    m.writeq(STATUS, 7)


@case("2.3.4, General Capabilities and ID")
def capabilities(m, check):
    value = m.readq(CAPABILITIES)
    check("period in femtoseconds", value >> 32, PERIOD * 10**6)
    check("Intel's", value >> 16 & 0xffff, 0x8086)
    check("three timers, 64 bits, legacy replacement", value >> 8 & 0xff, 0xa2)
    check("revision", value & 0xff, 0x01)
    check("as two doublewords", m.readl(CAPABILITIES) | m.readl(CAPABILITIES + 4) << 32, value)


@case("2.3.5 and 2.3.7, Configuration and Main Counter")
def counter(m, check):
    stop(m)
    m.writeq(COUNTER, 0x123456789a)
    check("halted, it can be written", m.readq(COUNTER), 0x123456789a)
    m.clock_step(10**6)
    check("and stands still", m.readq(COUNTER), 0x123456789a)
    m.writeq(CONFIG, 1)
    m.clock_step(10**6)
    gone = m.readq(COUNTER) - 0x123456789a
    check.true(f"enabled, it counts by {PERIOD} ns ({gone})",
               gone == 10**6 // PERIOD if m.exact else gone >= 10**6 // PERIOD)
    m.writeq(CONFIG, 0)
    before = m.readq(COUNTER)
    m.clock_step(10**6)
    check("halted again", m.readq(COUNTER), before)


@case("2.3.8, Timer N Configuration and Capabilities")
def timers(m, check):
    for n in range(3):
        value = m.readq(timer(n)[0])
        check(f"timer {n}: 64 bits and periodic", value & 0x30, 0x30)
        check.true(f"timer {n}: some interrupt routes", value >> 32)
        m.writeq(timer(n)[0], 0x0c)
        check(f"timer {n}: writable bits", m.readq(timer(n)[0]) & 0x0c, 0x0c)
        m.writeq(timer(n)[0], 0)


@case("2.3.9.2.1, Non-periodic Mode")
def one_shot(m, check):
    stop(m)
    m.listen("ioapic")
    configuration, comparator = timer(1)
    m.writeq(configuration, 20 << 9 | 0x04)        # I/O APIC input 20, edge
    m.writeq(comparator, 10**5)                    # a millisecond
    m.writeq(CONFIG, 1)
    if m.exact:
        m.clock_step(999_000)
        check("not before", m.raised.get(20, 0), 0)
        m.clock_step(2_000)
    check.true("an interrupt at the comparator", m.wait(lambda: m.raised.get(20, 0) == 1))
    m.clock_step(3 * 10**6)
    check("once", m.raised.get(20, 0), 1)


@case("2.3.9.2.2, Periodic Mode")
def periodic(m, check):
    stop(m)
    m.listen("ioapic")
    configuration, comparator = timer(0)
    m.writeq(configuration, 20 << 9 | 0x4c)        # periodic, VAL_SET
    m.writeq(comparator, 10**5)
    m.writeq(CONFIG, 1)
    if m.exact:
        for _ in range(5):
            m.clock_step(10**6)
        check("one interrupt a period", m.raised.get(20, 0), 5)
    else:
        check.true("interrupts go on", m.wait(lambda: m.raised.get(20, 0) >= 3))


@case("2.3.6, General Interrupt Status: level")
def level(m, check):
    stop(m)
    m.listen("ioapic")
    configuration, comparator = timer(2)
    m.writeq(configuration, 20 << 9 | 0x06)
    m.writeq(comparator, 10**5)
    m.writeq(CONFIG, 1)
    check.true("the line goes up", m.wait(lambda: m.level(20)))
    check("its bit is set", m.readq(STATUS) & 4, 4)
    m.writeq(STATUS, 4)
    check("writing one clears it", m.readq(STATUS) & 4, 0)
    check("and lowers the line", m.level(20), False)


@case("2.4.7, LegacyReplacement Route")
def legacy(m, check):
    stop(m)
    m.listen("ioapic")
    configuration, comparator = timer(0)
    m.writeq(configuration, 0x04)
    m.writeq(comparator, 10**5)
    m.writeq(CONFIG, 2)
    m.level(0)
    m.raised.clear()
    m.writeq(CONFIG, 3)
    check.true("timer 0 takes the 8254's place", m.wait(
        lambda: m.raised.get(0, 0) + m.raised.get(2, 0) >= 1))


if __name__ == "__main__":
    sys.exit(main())
