#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The edu device. Specification: QEMU, docs/specs/edu."""
import sys

from suite import case, main

EDU, MMIO = 0x20, 0xe0000000
IDENTITY, LIVENESS, FACTORIAL, STATUS, IRQ_STATUS, RAISE, ACK = (
    MMIO + n for n in (0x00, 0x04, 0x08, 0x20, 0x24, 0x60, 0x64))
SOURCE, DESTINATION, COUNT, COMMAND = (MMIO + n for n in (0x80, 0x88, 0x90, 0x98))
BUFFER = 0x40000
OPTIONS = ["-device", "edu,addr=4"]


def set_up(m):
    m.pci_write(EDU, 0x10, MMIO)
    m.pci_write(EDU, 0x04, 0x06, 2)
    m.writel(ACK, 0xffffffff)


@case("edu, MMIO area spec", *OPTIONS)
def registers(m, check):
    check("vendor and device", m.pci_read(EDU, 0), 0x11e81234)
    set_up(m)
    check("identification", m.readl(IDENTITY), 0x010000ed)
    m.writel(LIVENESS, 0x12345678)
    check("the liveness check inverts", m.readl(LIVENESS), 0xedcba987)


@case("edu, factorial computation", *OPTIONS)
def factorial(m, check):
    set_up(m)
    m.listen("ioapic")
    m.writel(STATUS, 0x80)
    m.writel(FACTORIAL, 6)
    check.true("it ends", m.wait(lambda: not m.readl(STATUS) & 1))
    check("6!", m.readl(FACTORIAL), 720)
    check.true("with its interrupt", m.wait(lambda: m.readl(IRQ_STATUS) == 1))
    m.writel(ACK, 1)
    check("which an acknowledge clears", m.readl(IRQ_STATUS), 0)


@case("edu, interrupt controller", *OPTIONS)
def interrupts(m, check):
    set_up(m)
    m.writel(RAISE, 0x12)
    check("raised", m.readl(IRQ_STATUS), 0x12)
    m.writel(RAISE, 0x100)
    check("values add up", m.readl(IRQ_STATUS), 0x112)
    m.writel(ACK, 0x102)
    check("and are taken away", m.readl(IRQ_STATUS), 0x10)
    check("the status register of PCI", m.pci_read(EDU, 0x06, 2) & 0x08, 0x08)
    m.writel(ACK, 0x10)
    check("no interrupt", m.pci_read(EDU, 0x06, 2) & 0x08, 0)


@case("edu, DMA controller", *OPTIONS)
def dma(m, check):
    set_up(m)
    m.write(BUFFER, bytes(range(100)))
    m.writeq(SOURCE, BUFFER)
    m.writeq(DESTINATION, 0x40000)
    m.writeq(COUNT, 100)
    m.writeq(COMMAND, 0x01)
    check.true("to the device", m.wait(lambda: not m.readl(COMMAND) & 1, step=10**8))
    m.writeq(SOURCE, 0x40000)
    m.writeq(DESTINATION, BUFFER + 4096)
    m.writeq(COUNT, 100)
    m.writeq(COMMAND, 0x07)
    check.true("and back", m.wait(lambda: not m.readl(COMMAND) & 1, step=10**8))
    check("the data", m.read(BUFFER + 4096, 100), bytes(range(100)))
    check("the interrupt that was asked for", m.readl(IRQ_STATUS), 0x100)
    m.writel(ACK, 0x100)


@case("edu, MSI; PCI Local Bus Specification 3.0, section 6.8.1", *OPTIONS)
def msi(m, check):
    set_up(m)
    check("a capability list", m.pci_read(EDU, 0x06, 2) & 0x10, 0x10)
    place = m.pci_read(EDU, 0x34, 1)
    check("MSI", m.pci_read(EDU, place, 1), 0x05)
    check("64-bit addresses, one message", m.pci_read(EDU, place + 2, 2) & 0xfe, 0x80)
    m.pci_write(EDU, place + 4, 0x00050000)       # a message is a write: to RAM, to be seen
    m.pci_write(EDU, place + 8, 0)
    m.pci_write(EDU, place + 12, 0x4321, 2)
    m.pci_write(EDU, place + 2, 0x0001, 2)
    m.writel(0x50000, 0)
    m.writel(RAISE, 1)
    check("the message arrives", m.readl(0x50000), 0x4321)
    check("and no line is raised", m.pci_read(EDU, 0x06, 2) & 0x08, 0,
          qemu=m.pci_read(EDU, 0x06, 2) & 0x08)
    m.writel(ACK, 1)


if __name__ == "__main__":
    sys.exit(main())
