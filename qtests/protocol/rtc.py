#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real-time clock and its RAM.

Data sheet: Motorola MC146818A. The machine starts at 2022-12-31 23:59:58."""
import sys

from suite import case, main

TIME = ["-rtc", "base=2022-12-31T23:59:58,clock=vm"]
SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR = 0, 2, 4, 6, 7, 8, 9
A, B, C, D = 10, 11, 12, 13
CENTURIES = 0x32, 0x37  # IBM's AT's and PS/2's
SECOND = 10**9


def stopped(m, **values):
    """Sets the time with the clock held (SET), and lets it go."""
    m.cmos_write(B, 0x82)
    for index, value in values.items():
        m.cmos_write({"hour": HOURS, "minute": MINUTES, "second": SECONDS, "day": DAY,
                      "month": MONTH, "year": YEAR, "weekday": WEEKDAY}[index], value)
    m.cmos_write(B, 0x02)


def date(m):
    return [m.cmos_read(index) for index in (YEAR, MONTH, DAY, HOURS, MINUTES)]


@case("MC146818A, Time, Calendar and Alarm Locations; Register D", *TIME)
def clock(m, check):
    check("the date, in BCD", date(m), [0x22, 0x12, 0x31, 0x23, 0x59])
    check("a Saturday", m.cmos_read(WEEKDAY), 7)
    check("register D: RAM and time are valid", m.cmos_read(D), 0x80)
    check("register A: 32,768 Hz, 1024 a second", m.cmos_read(A) & 0x7f, 0x26)
    check("register B: 24 hours, BCD", m.cmos_read(B), 0x02)
    for _ in range(3):
        m.clock_step(SECOND)
    check("a new year", date(m), [0x23, 0x01, 0x01, 0x00, 0x00])
    check("on a Sunday", m.cmos_read(WEEKDAY), 1)


@case("MC146818A, Register B: DM and 24/12", *TIME)
def formats(m, check):
    stopped(m, hour=0x15, minute=0x30, second=0x10, day=0x28, month=0x02, year=0x23)
    check("BCD, 24 hours", date(m), [0x23, 0x02, 0x28, 0x15, 0x30])
    m.cmos_write(B, 0x86)
    for index, value in ((HOURS, 22), (MINUTES, 45), (SECONDS, 10), (YEAR, 24), (DAY, 28),
                         (CENTURIES[0], 20)):
        m.cmos_write(index, value)
    m.cmos_write(B, 0x06)
    check("binary, 24 hours", [m.cmos_read(HOURS), m.cmos_read(MINUTES)], [22, 45])
    m.cmos_write(B, 0x80)
    for index, value in ((HOURS, 0x92), (MINUTES, 0x10), (SECONDS, 0x10), (YEAR, 0x24),
                         (DAY, 0x28), (CENTURIES[0], 0x20)):
        m.cmos_write(index, value)
    m.cmos_write(B, 0x00)
    check("BCD, 12 hours: bit 7 is PM", m.cmos_read(HOURS), 0x92)


@case("MC146818A, Calendar: leap years", *TIME)
def leap_year(m, check):
    for year, next_day in ((0x23, [0x03, 0x01]), (0x24, [0x02, 0x29])):
        stopped(m, year=year, month=0x02, day=0x28, hour=0x23, minute=0x59, second=0x59)
        for _ in range(2):
            m.clock_step(SECOND)
        check(f"the day after 28 February of {year:#x}",
              [m.cmos_read(MONTH), m.cmos_read(DAY)], next_day)


@case("MC146818A, Update Cycle; Register A: UIP", *TIME)
def update_cycle(m, check):
    m.cmos_write(B, 0x02)
    m.cmos_read(C)
    check.true("UF comes with an update", m.wait(lambda: m.cmos_read(C) & 0x10, step=10**8))
    if m.exact:
        m.clock_step(SECOND // 2)
        before = m.cmos_read(SECONDS)
        check.true("UIP announces an update",
                   m.wait(lambda: m.cmos_read(A) & 0x80, ns=SECOND, step=200_000))
        check("the seconds have not changed yet", m.cmos_read(SECONDS), before)
        m.clock_step(244_000 + 2_000_000)
        check("and it is over 2.2 ms later", m.cmos_read(A) & 0x80, 0)
    stopped(m, second=0x10)
    m.cmos_write(B, 0x82)
    m.clock_step(2 * SECOND)
    check("SET holds the clock", m.cmos_read(SECONDS), 0x10)
    check("and keeps UIP off", m.cmos_read(A) & 0x80, 0)


@case("MC146818A, Interrupts: update ended", *TIME)
def update_interrupt(m, check):
    m.listen("ioapic")
    m.cmos_write(B, 0x12)
    m.cmos_read(C)
    check.true("interrupt 8", m.wait(lambda: m.level(8), step=10**8))
    flags = m.cmos_read(C)
    check("register C: IRQF and UF", flags & 0x90, 0x90)
    check("reading it ends the interrupt", m.level(8), False)


@case("MC146818A, Alarm", *TIME)
def alarm(m, check):
    stopped(m, hour=0x10, minute=0x00, second=0x00)
    for index, value in ((1, 0x03), (3, 0xc0), (5, 0xff)):
        m.cmos_write(index, value)                  # at second 3 of any minute and hour
    m.cmos_read(C)
    m.cmos_write(B, 0x22)
    check.true("the alarm flag comes", m.wait(lambda: m.cmos_read(C) & 0x20,
                                              ns=6 * SECOND, step=10**8))
    check.true("at the alarm's second", m.cmos_read(SECONDS) in (0x03, 0x04))


@case("MC146818A, Periodic Interrupt Selection", *TIME)
def periodic(m, check):
    m.listen("ioapic")
    for rate, hz in ((0x06, 1024), (0x0a, 64), (0x0f, 2)):
        m.cmos_write(B, 0x02)
        m.cmos_write(A, 0x20 | rate)
        m.cmos_read(C)
        m.cmos_write(B, 0x42)
        count = 0
        if m.exact:
            period = SECOND // hz
            for _ in range(8):
                m.clock_step(period)
                flags = m.cmos_read(C)
                count += flags & 0xc0 == 0xc0
            check(f"{hz} Hz: one interrupt a period", count, 8)
        else:
            check.true(f"{hz} Hz", m.wait(lambda: m.cmos_read(C) & 0xc0 == 0xc0))


@case("MC146818A, General-purpose RAM; 82371SB, section 2.5.5, ports 0x70 and 0x71", *TIME)
def ram(m, check):
    cells = [index for index in range(0x0e, 0x80) if index not in CENTURIES]
    for index in cells:
        m.cmos_write(index, index ^ 0x5a)
    check("112 bytes of RAM", [m.cmos_read(index) for index in cells],
          [index ^ 0x5a for index in cells])
    check("bit 7 of the index is the NMI mask's",
          [m.cmos_read(0x80 | 0x10)], [0x10 ^ 0x5a])


@case("MC146818A, Register C and Register D are read-only", *TIME)
def read_only(m, check):
    m.cmos_write(D, 0x00)
    check("register D", m.cmos_read(D), 0x80)
    m.cmos_read(C)
    m.cmos_write(C, 0xff)
    check("register C has no flag of the write", m.cmos_read(C) & 0x2f, 0)


if __name__ == "__main__":
    sys.exit(main())
