#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Registers by which ACPI's methods plug PCI devices and processors.

Specification: QEMU, docs/specs/acpi_pci_hotplug and docs/specs/acpi_cpu_hotplug."""
import sys

from suite import case, main

GPE = 0xafe0
UP, DOWN, EJECT, REMOVABLE, SELECT = 0xae00, 0xae04, 0xae08, 0xae0c, 0xae10
PRESENT = 0xaf00                                    # the bitmap that a processor bus begins with


@case("acpi_pci_hotplug: registers after a reset")
def pci_registers(m, check):
    check("nothing was plugged", m.inl(UP), 0)
    check("nothing is to go", m.inl(DOWN), 0)
    check("free slots can be plugged", m.inl(REMOVABLE) >> 4, 0xfffffff)
    check("the chipset's slots cannot", m.inl(REMOVABLE) & 0x03, 0)


@case("acpi_pci_hotplug: plugging", "-device", "edu,id=old,addr=5")
def pci_plug(m, check):
    m.listen("ioapic")
    m.outl(SELECT, 0)
    check("a device that was there from the start can go", m.inl(REMOVABLE) >> 5 & 1, 1)
    m.outb(GPE + 2, 0x02)
    m.qmp("device_add", driver="edu", id="new", addr="6")
    check("the slot is in PCIUP", m.inl(UP), 1 << 6)
    check("reading has cleared it", m.inl(UP), 0)
    check("GPE 1 is set", m.inb(GPE) & 0x02, 0x02)
    check("the SCI is raised", m.level(9), True)
    m.outb(GPE, 0x02)
    check("and lowered with the status", [m.inb(GPE) & 0x02, m.level(9)], [0, False])
    check("the device answers", m.pci_read(6 << 3, 0), 0x11e81234)


@case("acpi_pci_hotplug: a VGA adapter cannot be plugged")
def pci_plug_vga(m, check):
    refused = m.ask("device_add", driver="VGA", id="new", addr="6").get("error", {})
    check("refused", "expects a pluggable device type" in refused.get("desc", ""), True)
    check("nobody is there", m.pci_read(6 << 3, 0), 0xffffffff)


@case("acpi_pci_hotplug: ejecting", "-device", "edu,id=old,addr=5")
def pci_eject(m, check):
    m.outl(SELECT, 0)
    m.qmp("device_del", id="old")
    check("the slot is in PCIDOWN", m.inl(DOWN), 1 << 5)
    check("GPE 1 is set", m.inb(GPE) & 0x02, 0x02)
    check("the device still answers", m.pci_read(5 << 3, 0), 0x11e81234)
    m.outl(EJECT, 1 << 5)
    check.true("ejected, it is gone", m.event("DEVICE_DELETED"))
    check("and nobody answers", m.pci_read(5 << 3, 0), 0xffffffff)


@case("acpi_cpu_hotplug: legacy bitmap", "-smp", "3,maxcpus=4")
def cpu_bitmap(m, check):
    check("three processors are there", m.inb(PRESENT), 0x07)
    check("no more", [m.inb(PRESENT + n) for n in range(1, 4)], [0, 0, 0])


@case("acpi_cpu_hotplug: switching to the modern interface", "-smp", "3,maxcpus=4")
def cpu_modern(m, check):
    m.outl(PRESENT, 0)                              # a write of 0 to the bitmap switches
    m.outl(PRESENT, 1)                              # selects processor 1
    check("enabled", m.inb(PRESENT + 4) & 0x01, 0x01)
    m.outl(PRESENT, 3)
    check("processor 3 is not there", m.inb(PRESENT + 4) & 0x01, 0)
    m.outb(PRESENT + 5, 0)                          # next with an event
    check("no events", m.inb(PRESENT + 4) & 0x06, 0)


if __name__ == "__main__":
    sys.exit(main())
