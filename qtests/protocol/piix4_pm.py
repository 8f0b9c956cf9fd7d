#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The PIIX4's power management: ACPI registers, timer, SMBus.

Data sheet: Intel 82371AB, 290562, sections 7.1 (configuration), 7.2 (ACPI registers),
7.3 (SMBus); ACPI 1.0b, section 4.7.2. GPE 0 is QEMU's, at 0xafe0 ("acpi_pci_hotplug")."""
import sys

from suite import case, main

PM = 0x0b  # device 1, function 3
BASE, SMBUS = 0x600, 0x700
STATUS, ENABLE, CONTROL, TIMER = BASE, BASE + 2, BASE + 4, BASE + 8
TIMER_HZ = 3579545
GPE = 0xafe0


def set_up(m):
    m.pci_write(PM, 0x40, BASE | 1)                # bit 0 says that it is I/O
    m.pci_write(PM, 0x80, 0x01, 1)
    m.pci_write(PM, 0x90, SMBUS | 1)
    m.pci_write(PM, 0xd2, 0x09, 1)
    m.pci_write(PM, 0x04, 0x01, 2)


@case("82371AB, section 7.1: PMBA, PMREGMISC, SMBBA, SMBHSTCFG")
def configuration(m, check):
    check("vendor and device", m.pci_read(PM, 0), 0x71138086)
    set_up(m)
    check("PMBA", m.pci_read(PM, 0x40), BASE | 1)
    check("SMBBA", m.pci_read(PM, 0x90), SMBUS | 1)
    check("the registers answer", m.inw(CONTROL) != 0xffff, True)
    m.pci_write(PM, 0x80, 0x00, 1)
    check("not without PMIOSE", m.inw(CONTROL), 0xffff)
    m.pci_write(PM, 0x40, 0x901)
    m.pci_write(PM, 0x80, 0x01, 1)
    check("they move with PMBA", m.inw(0x904) != 0xffff, True)
    check("and leave their old place", m.inw(CONTROL), 0xffff)


@case("82371AB, section 7.2.4, PM timer")
def timer(m, check):
    set_up(m)
    before = m.inl(TIMER)
    m.clock_step(10**6)
    gone = (m.inl(TIMER) - before) & 0xffffff
    want = TIMER_HZ // 1000
    check.true(f"3.58 MHz ({gone} in a millisecond)",
               abs(gone - want) <= 1 if m.exact else gone >= want)
    check("24 bits", m.inl(TIMER) >> 24, 0)


@case("82371AB, section 7.2.1-7.2.3: PMSTS, PMEN, PMCNTRL; the SCI")
def events(m, check):
    set_up(m)
    m.listen("ioapic")
    m.outw(CONTROL, 0x0001)                        # SCI_EN
    check("SCI_EN reads back", m.inw(CONTROL) & 1, 1)
    m.outw(STATUS, 0xffff)
    m.outw(ENABLE, 0x0521)
    check("enables read back", m.inw(ENABLE), 0x0521)
    m.outw(ENABLE, 0x0100)
    m.qmp("system_powerdown")
    check.true("the power button sets PWRBTN_STS", m.wait(lambda: m.inw(STATUS) & 0x0100))
    check("and raises the SCI, line 9", m.level(9), True)
    m.outw(STATUS, 0x0100)
    check("writing one clears it", m.inw(STATUS) & 0x0100, 0)
    check("and lowers the line", m.level(9), False)


@case("ACPI 1.0b, section 4.7.2.1: timer overflow")
def timer_overflow(m, check):
    set_up(m)
    m.listen("ioapic")
    m.outw(CONTROL, 0x0001)
    m.outw(STATUS, 0xffff)
    m.outw(ENABLE, 0x0001)
    check.true("TMR_STS when bit 23 changes",
               m.wait(lambda: m.inw(STATUS) & 1, ns=6 * 10**9, step=10**8))
    check("SCI", m.level(9), True)


@case("82371AB, section 7.2.3: SUS_TYP and SUS_EN, soft off",
      "-global", "PIIX4_PM.disable_s3=0")
def suspend(m, check):
    set_up(m)
    m.outw(CONTROL, 0x0400)
    check("SUS_TYP reads back", m.inw(CONTROL) & 0x1c00, 0x0400)
    m.outw(CONTROL, 0x2400)                        # S3 has type 1
    check.true("suspended to RAM", m.event("SUSPEND"))
    m.qmp("system_wakeup")
    check.true("woken", m.event("WAKEUP"))
    check("WAK_STS", m.inw(STATUS) & 0x8000, 0x8000)


@case("QEMU, docs/specs/acpi_pci_hotplug and ACPI 1.0b, section 4.7.4.1: GPE block 0")
def general_purpose_events(m, check):
    check("nothing has happened", [m.inb(GPE), m.inb(GPE + 1)], [0, 0])
    m.outb(GPE + 2, 0x06)
    check("enables read back", m.inb(GPE + 2), 0x06)
    m.outb(GPE + 2, 0x00)


# -- SMBus --------------------------------------------------------------------------------

HOST_STATUS, HOST_CONTROL, COMMAND, ADDRESS, DATA0, DATA1, BLOCK = (
    SMBUS, SMBUS + 2, SMBUS + 3, SMBUS + 4, SMBUS + 5, SMBUS + 6, SMBUS + 7)
QUICK, BYTE, BYTE_DATA, WORD_DATA, BLOCK_DATA = 0, 1, 2, 3, 5


def smbus(m, protocol, address, command=0, data=(), read=True):
    """Runs a transaction; the status afterwards."""
    m.outb(HOST_STATUS, 0x1f)
    m.outb(ADDRESS, address << 1 | read)
    m.outb(COMMAND, command)
    for port, value in zip((DATA0, DATA1), data):
        m.outb(port, value)
    m.outb(HOST_CONTROL, 0x40 | protocol << 2)
    m.wait(lambda: not m.inb(HOST_STATUS) & 0x01)
    return m.inb(HOST_STATUS)


@case("82371AB, section 7.3: SMBus host controller")
def bus(m, check):
    set_up(m)
    check("idle", m.inb(HOST_STATUS) & 0x01, 0)
    check("quick command to a memory module's EEPROM", smbus(m, QUICK, 0x50) & 0x1e, 0x02)
    check("nobody at 0x20: device error", smbus(m, QUICK, 0x20) & 0x1e, 0x04)
    m.outb(HOST_STATUS, 0x04)
    check("writing one clears it", m.inb(HOST_STATUS) & 0x1e, 0)
    check("byte data", smbus(m, BYTE_DATA, 0x50, 0) & 0x1e, 0x02)
    first = m.inb(DATA0)
    smbus(m, BYTE_DATA, 0x50, 1)
    second = m.inb(DATA0)
    check("word data", smbus(m, WORD_DATA, 0x50, 0) & 0x1e, 0x02)
    check("low byte first", [m.inb(DATA0), m.inb(DATA1)], [first, second])
    smbus(m, BYTE, 0x50, 0x00, read=False)
    smbus(m, BYTE, 0x50)
    check("receive byte reads at the address sent", m.inb(DATA0), first)


@case("82371AB, section 7.3: writes to the EEPROM")
def bus_writes(m, check):
    set_up(m)
    smbus(m, BYTE_DATA, 0x51, 0x40, (0x5a,), read=False)
    smbus(m, BYTE_DATA, 0x51, 0x40)
    check("a byte written reads back", m.inb(DATA0), 0x5a)


if __name__ == "__main__":
    sys.exit(main())
