#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moves a machine on which SeaBIOS has booted from Umbra to the installed QEMU, from QEMU to
Umbra, and back and forth. While it stands, memory on both sides must be equal; afterwards the
guest must run (its clock ticks) and reboot.

usage: migrate-qemu.py UMBRA [ACCEL-OF-UMBRA ACCEL-OF-QEMU [TIMES [OPTION...]]]
(the options are for both, such as -vga std)
exit status 0: all moved, 1: not, 77: cannot tell
"""
import os
import pathlib
import re
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from harness import Checks, skip
from vm import PATIENCE, VM, folder, remove_folder

UMBRA = sys.argv[1]
ACCELS = sys.argv[2:4] if len(sys.argv) > 3 else ["x86emu", "tcg"]
TIMES = int(sys.argv[4]) if len(sys.argv) > 4 else 10
DEVICES = sys.argv[5:]
QEMU = shutil.which("qemu-system-x86_64")
END = "No bootable device"
TICKS = 0x46c  # of the BIOS data area: what interrupt 8 counts
checks = Checks()


class Guest(VM):
    """A machine of one program's with SeaBIOS' log in a file of its own."""
    clocks = set()  # where SeaBIOS has asked KVM to keep a struct pvclock_vcpu_time_info

    def __init__(self, program, *options):
        self.log = folder / f"log{VM.count}"
        self.log.write_text("")
        self.name = "QEMU" if program == QEMU else "Umbra"
        super().__init__(*options, program=program, machine=[
            "-M", "pc-i440fx-7.2", "-m", "32", "-nodefaults", "-display", "none", *DEVICES,
            "-accel", ACCELS[program == QEMU], "-global", "isa-debugcon.iobase=0x402", "-debugcon",
            f"file:{self.log}"])

    def has_booted(self, times=1):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            text = self.log.read_text(errors="replace")
            if text.count(END) >= times:
                Guest.clocks |= {int(place, 16) for place in
                                 re.findall("kvmclock: at (0x[0-9a-f]+)", text)}
                return True
            time.sleep(0.05)
        return False

    def ticks(self):
        return int(self.hmp(f"xp /1xw 0x{TICKS:x}").split()[-1], 16)

    def runs(self):
        first, deadline = self.ticks(), time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.ticks() != first:
                return True
            time.sleep(0.05)
        return False


def comparable(memory):
    """What hosts write there is left out: the way out of the guest that QEMU puts into the
    option ROM kvmvapic (VMCALL or a write to port 0x7e), and the version and flags of KVM's
    clock, which say that the host has stopped the guest."""
    roms = memory[0xc0000:0xf0000].replace(b"\x0f\x01\xc1", b"\x90\xe7\x7e")
    memory = bytearray(memory[:0xc0000] + roms + memory[0xf0000:])
    for clock in Guest.clocks:
        memory[clock:clock + 4] = bytes(4)
        memory[clock + 29] = 0
    return bytes(memory)


def move(source, target_program, what):
    """The machine on the other side, standing; None where it did not arrive."""
    source.qmp("stop")
    before = comparable(source.memory(whole=True))
    uri = f"unix:{folder}/socket{VM.count}"
    target = Guest(target_program, "-S", "-incoming", uri)
    info = source.migrate(uri)
    if not checks.check(info.get("status") == "completed", f"{what}: {info}"):
        print(target.messages())
        return target, False
    state = target.wait_status("paused", "running")
    arrived = checks.check(state == "paused", f"{what}: {state}: {target.messages()}")
    if arrived:
        after = comparable(target.memory(whole=True))
        different = [page for page in range(0, len(before), 4096)
                     if before[page:page + 4096] != after[page:page + 4096]]
        checks.check(not different, f"{what}: memory differs at {different[:8]}")
    return target, arrived


def goes_on(guest, what):
    guest.qmp("cont")
    runs = guest.runs()
    return checks.check(runs, what if runs else f"{what}: the guest stands: "
                        f"{guest.hmp('info registers')}{guest.hmp('info pic')}")


def one_way(source_program, target_program, what):
    with Guest(source_program) as source:
        if not checks.check(source.has_booted(), f"{what}: no boot"):
            return
        target, arrived = move(source, target_program, what)
        with target:
            if not arrived:
                return
            goes_on(target, what)
            target.qmp("system_reset")
            checks.check(target.has_booted(), f"{what}: no reboot: {target.log.read_text()}")


def there_and_back():
    guest = Guest(UMBRA)
    programs = [QEMU, UMBRA]
    if not checks.check(guest.has_booted(), "there and back: no boot"):
        return
    for turn in range(2 * TIMES):
        target, arrived = move(guest, programs[turn % 2], f"there and back, move {turn + 1}")
        guest.__exit__()
        guest = target
        if not arrived:
            break
        if not goes_on(guest, f"there and back, move {turn + 1}"):
            break
    else:
        guest.qmp("system_reset")
        checks.check(guest.has_booted(), "there and back: no reboot at the end")
    guest.__exit__()


def main():
    if not QEMU:
        skip("there is no qemu-system-x86_64")
    if "kvm" in ACCELS and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("there is no KVM")
    try:
        one_way(UMBRA, UMBRA, f"Umbra to Umbra, {ACCELS[0]}")
        one_way(UMBRA, QEMU, f"Umbra to QEMU, {ACCELS}")
        one_way(QEMU, UMBRA, f"QEMU to Umbra, {ACCELS}")
        if not checks.failed:
            there_and_back()
    finally:
        remove_folder()
    checks.close()


main()
