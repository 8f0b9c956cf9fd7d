#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares what a guest finds on a machine of Umbra's with what it finds on QEMU's.

Both run the same machine, stopped at reset, and are read through the qtest protocol: the
PCI configuration space of every function, `info pci`, the CMOS, fw_cfg's directory, its
files and its numbered items. ACPI's files are compared in meaning by acpi-tables.py, here
only that they are there.

usage: guest-view.py UMBRA [MACHINE[+vga|+defaults] ...]
Exit status 0: equal, 1: not, 77: cannot tell.
"""
import difflib
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "protocol"))

from emulator import QEMU, Emulator, Failure  # noqa: E402

MACHINES = ["pc-i440fx-7.2", "pc-i440fx-7.2:4", "pc-i440fx-6.0", "pc-i440fx-4.2",
            "pc-i440fx-2.12", "pc-i440fx-2.0", "pc-i440fx-1.7", "pc-i440fx-1.4", "isapc",
            "pc-i440fx-7.2+defaults", "pc-i440fx-1.4+vga", "isapc+vga", "pc-i440fx-7.2+full:3,maxcpus=5",
            "pc-i440fx-2.1+full", "pc-i440fx-2.0+full:3", "pc-i440fx-1.4+full", "isapc+disks"]

# What a machine has beside its board, as options; {} is a folder with images.
SMALL = ["-m", "128"]
DISKS = ["-nodefaults", "-drive", "if=floppy,file={}/floppy,format=raw",
         "-drive", "if=ide,index=0,file={}/disk,format=raw",
         "-serial", "null", "-serial", "null", "-parallel", "null"]
DEVICES = {
    "": [*SMALL, "-nodefaults"],
    "vga": [*SMALL, "-nodefaults", "-vga", "std"],
    "defaults": [*SMALL, "-nic", "none", "-vga", "std"],
    "disks": [*SMALL, *DISKS],
    "full": ["-m", "5G", *DISKS, "-vga", "std", "-uuid", "12345678-9abc-def0-1122-334455667788",
             "-drive", "if=ide,index=2,media=cdrom,file={}/cdrom,format=raw,readonly=on",
             "-boot", "order=cad,menu=on,splash-time=1500,reboot-timeout=9000",
             "-fw_cfg", "name=opt/org.example/word,string=hello", "-device", "pvpanic", "-device", "edu",
             "-device", "isa-debug-exit"],
}

# The time, and the flags that its passing sets; and what acpi-tables.py compares.
CLOCK = [*range(0x00, 0x0a), 0x0c]
ACPI_FILES = ["etc/acpi/tables", "etc/acpi/rsdp", "etc/table-loader"]

# The numbered items: how much of each is looked at. The longest is the NUMA table's.
ITEMS = [*range(0x00, 0x19), *range(0x8000, 0x8010)]
ITEM_SIZE = 256


class View:
    """All that is compared of one emulator, as {what: value}."""

    def __init__(self, program, row):
        self.found = {}
        row, _, cpus = row.partition(":")
        machine, _, devices = row.partition("+")
        smm = ",smm=off" if program == QEMU and machine != "isapc" else ""
        accel = "tcg" if program == QEMU else "x86emu"
        with tempfile.TemporaryDirectory() as folder:
            for name, size in {"disk": 64 << 20, "cdrom": 1 << 20, "floppy": 1440 << 10}.items():
                with open(os.path.join(folder, name), "wb") as file:
                    file.truncate(size)
            options = [word.replace("{}", folder) for word in DEVICES[devices]]
            with Emulator(program, "-M", machine + smm, "-smp", cpus or "1",
                          "-rtc", "base=2022-12-14T12:00:00", *options,
                          accel=accel, stopped=True) as emulator:
                self.look(emulator, machine != "isapc")

    def look(self, emulator, pci):
        self.found["info pci"] = emulator.hmp("info pci")
        for devfn in range(256) if pci else []:
            if emulator.pci_read(devfn, 0) != 0xffffffff:
                for offset in range(0, 256, 4):
                    name = f"PCI {devfn >> 3:02x}.{devfn & 7} 0x{offset:02x}"
                    self.found[name] = f"{emulator.pci_read(devfn, offset):08x}"
        for index in range(128):
            if index not in CLOCK:
                self.found[f"CMOS 0x{index:02x}"] = f"{emulator.cmos_read(index):02x}"
        for key in ITEMS:
            self.found[f"fw_cfg item 0x{key:04x}"] = emulator.fw_cfg_read(key, ITEM_SIZE).hex()
        files = emulator.fw_cfg_files()
        self.found["fw_cfg directory"] = "\n".join(
            f"{key:04x} {name} {size if name not in ACPI_FILES else '-'}"
            for key, name, size in files)
        for key, name, size in files:
            if name not in ACPI_FILES:
                self.found[f"fw_cfg file {name}"] = emulator.fw_cfg_read(key, size).hex()


def show(what, theirs, ours):
    if "\n" in (theirs or "") + (ours or ""):
        for line in difflib.unified_diff((theirs or "").split("\n"), (ours or "").split("\n"),
                                         f"QEMU: {what}", f"Umbra: {what}", lineterm="", n=0):
            print(f"  {line}")
    else:
        print(f"  {what}: QEMU {theirs}\n  {'':{len(what)}}  Umbra {ours}")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not QEMU:
        print("no qemu-system-x86_64 to compare with: install Debian's qemu-system-x86")
        return 77
    equal = different = 0
    for row in sys.argv[2:] or MACHINES:
        try:
            theirs, ours = View(QEMU, row).found, View(sys.argv[1], row).found
        except Failure as failure:
            print(f"{row}: {failure}")
            different += 1
            continue
        wrong = [what for what in sorted(theirs.keys() | ours.keys())
                 if theirs.get(what) != ours.get(what)]
        print(f"{row}: {len(theirs)} things compared, {len(wrong)} differ", flush=True)
        for what in wrong:
            show(what, theirs.get(what), ours.get(what))
        different += bool(wrong)
        equal += not wrong
    print(f"{equal} passed, {different} failed")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
