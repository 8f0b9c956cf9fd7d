#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`info lapic` and `info pic` of one and the same state, on Umbra and on the installed QEMU.

A guest that SeaBIOS has booted is written to a file. In copies of it the local APIC's
registers get other values, from a fixed seed; Umbra and QEMU read each and must print the same.

usage: interrupts.py UMBRA ACCEL QEMU_ACCEL
exit status 0: equal, 1: not, 77: cannot tell
"""
import os
import pathlib
import random
import re
import shutil
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from harness import Checks, skip  # noqa: E402: after the path
from vm import VM, folder, remove_folder  # noqa: E402

STATES = 12
PATIENCE = 60
MACHINE = ["-M", "pc-i440fx-7.2", "-m", "16", "-smp", "2", "-nodefaults", "-display", "none"]
# Of the section "apic": name, struct's letter, how many.
FIELDS = [("base", "I", 1), ("id", "B", 1), ("arbitration", "B", 1), ("tpr", "B", 1),
          ("spurious", "I", 1), ("log_dest", "B", 1), ("dest_mode", "B", 1), ("isr", "I", 8),
          ("tmr", "I", 8), ("irr", "I", 8), ("lvt", "I", 6), ("esr", "I", 1), ("icr", "I", 2),
          ("divide", "I", 1), ("count_shift", "i", 1), ("initial_count", "I", 1)]
FORM = ">" + "".join(f"{count}{letter}" for _, letter, count in FIELDS)


def vectors(rng):
    """Eight words, of which few bits are set, and none of the reserved vectors 0-15."""
    words = [0] * 8
    for _ in range(rng.choice((0, 1, 5))):
        vector = rng.randrange(16, 256)
        words[vector // 32] |= 1 << vector % 32
    return words


# The local vector table's entries, and what each has beside vector and mask (Intel SDM volume 3,
# figure 11-8): timer, thermal, performance, LINT0, LINT1, error.
PERIODIC, DELIVERY, PIN = 1, 2, 4
ENTRIES = [PERIODIC, DELIVERY, DELIVERY, DELIVERY | PIN, DELIVERY | PIN, 0]


def entry(rng, has):
    """One that hardware can have. A timer's is masked, so that it is not due, and so are levels:
    Remote IRR would say whether the pin is high, which differs from boot to boot."""
    value = rng.randrange(16, 256) | rng.randrange(2) << 16
    if has & PERIODIC:
        value |= 1 << 16 | rng.randrange(2) << 17
    if has & DELIVERY:
        value |= rng.choice((0, 2, 4, 5, 7)) << 8
    if has & PIN:
        value |= rng.randrange(2) << 13 | (value >> 16 & rng.randrange(2)) << 15
    return value


def random_apic(rng, apic):
    apic = dict(apic)
    apic["tpr"] = [rng.randrange(16) << 4]  # all that QEMU keeps under KVM: it goes by CR8
    apic["spurious"] = [0xff | rng.randrange(4) << 8]
    apic["log_dest"] = [rng.randrange(256)]
    apic["dest_mode"] = [rng.choice((0, 15))]
    for name in ("isr", "irr"):
        apic[name] = vectors(rng)
    apic["tmr"] = [(a | b) & rng.randrange(1 << 32) for a, b in zip(apic["isr"], apic["irr"])]
    apic["lvt"] = [entry(rng, has) for has in ENTRIES]
    apic["icr"] = [rng.randrange(16, 256) | rng.randrange(2) << 11 | rng.randrange(4) << 14 |
                   rng.choice((0, 0, 1, 2, 3)) << 18, rng.randrange(256) << 24]
    apic["divide"] = [rng.choice((0, 1, 2, 3, 8, 9, 10, 11))]
    divider = apic["divide"][0]
    apic["count_shift"] = [((divider & 3 | divider >> 1 & 4) + 1) & 7]
    return apic


def take_apart(data):
    values, at = struct.unpack(FORM, data), 0
    apic = {}
    for name, _, count in FIELDS:
        apic[name] = list(values[at:at + count])
        at += count
    return apic


def find_apic(stream, instance):
    """Where the section's fields begin."""
    header = b"\x04apic" + struct.pack(">II", instance, 3)
    at = stream.find(header)
    return at + len(header) if at >= 0 and stream.count(header) == 1 else None


def boot(accel):
    """The stream of a guest for which there is nothing to boot."""
    log, path = folder / "log", folder / "stream"
    with VM(*MACHINE, "-accel", accel, "-debugcon", f"file:{log}", "-global",
            "isa-debugcon.iobase=0x402", machine=[]) as vm:
        deadline = time.monotonic() + PATIENCE
        while "No bootable device" not in (log.read_text(errors="replace") if log.exists()
                                           else "") and time.monotonic() < deadline:
            time.sleep(0.05)
        vm.qmp("stop")
        done = vm.migrate(f"exec:cat > {path}")
        if done.get("status") != "completed":
            sys.exit(f"cannot write the stream: {done}")
    return path.read_bytes()


def settled(text, accel):
    """Its lines, without what goes on while the machine stands: the kernel's timer ticks."""
    if accel == "kvm":
        text = re.sub(r"(pic0: irr=)(..)", lambda m: m[1] + f"{int(m[2], 16) & 0xfe:02x}", text)
    return text.splitlines()


def shown(program, accel, path):
    commands = ["info lapic", "info lapic 0", "info lapic 1", "info lapic 2", "info pic"]
    with VM(*MACHINE, "-S", "-accel", accel, "-incoming", f"exec:cat {path}", program=program,
            machine=["-debugcon", "null", "-global", "isa-debugcon.iobase=0x402"]) as vm:
        vm.wait_status("paused", "prelaunch")
        vm.wait_migration("completed", "failed")
        return {command: settled(vm.hmp(command), accel) for command in commands}


def main():
    umbra, accel, qemu_accel = sys.argv[1:4]
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        skip("no qemu-system-x86_64")
    if accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("no /dev/kvm")
    checks = Checks()
    rng = random.Random(6)
    try:
        stream = boot(accel)
        places = [find_apic(stream, n) for n in range(2)]
        if not checks.check(all(places), "the stream has no two sections of local APICs"):
            checks.close()
        for state in range(STATES):
            copy = bytearray(stream)
            for at in places:
                apic = take_apart(stream[at:at + struct.calcsize(FORM)])
                if state:
                    apic = random_apic(rng, apic)
                values = [value for name, _, _ in FIELDS for value in apic[name]]
                copy[at:at + struct.calcsize(FORM)] = struct.pack(FORM, *values)
            path = folder / "copy"
            path.write_bytes(copy)
            ours, theirs = (shown(program, which, path)
                            for program, which in ((umbra, accel), (qemu, qemu_accel)))
            for command, lines in theirs.items():
                different = [(a, b) for a, b in zip(ours[command], lines) if a != b]
                checks.check(ours[command] == lines, f"state {state}, {command}, Umbra's lines "
                             f"and QEMU's: {different or (ours[command], lines)}")
    finally:
        remove_folder()
    checks.close()


main()
