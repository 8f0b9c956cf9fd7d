#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares SeaBIOS' debug log on a machine of Umbra's with the installed QEMU's.

The memory map, the RAM sizes and the PCI devices must be equal; what else differs is
listed, without what no two runs have in common (clock rates, addresses and lengths of tables
that the firmware has placed).

usage: seabios-log.py UMBRA [ACCEL [OPTION...]]   (default: kvm -M pc -m 128)
exit status 0: equal, 1: not, 77: cannot tell
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

SECONDS = 30
END = "No bootable device"
COMMON = ["-nodefaults", "-display", "none", "-global", "isa-debugcon.iobase=0x402"]

# What must be equal, line by line.
EXACT = [
    ("e820", re.compile(r"^(  \d+: [0-9a-f]{16} - |e820 map has |qemu/e820: |RamSize)")),
    ("PCI", re.compile(r"^(PCI: init bdf|PCI: map device|PCI: IO:|PCI: 32|PCI: 64|Found \d+ PCI)")),
]

# What may differ: clocks, and the places of tables whose size is the machine's own affair.
NOISE = [
    (re.compile(r"\d+ MHz|CPU Mhz=\d+.*"), "MHZ"),
    (re.compile(r"^(Copying \w+ from) \S+"), r"\1 ADDRESS"),
    (re.compile(r"^table\((\w+)\)=0x[0-9a-f]+"), r"table(\1)=ADDRESS"),
    (re.compile(r"^(ACPI: parse DSDT at) .*"), r"\1 ADDRESS"),
    (re.compile(r"^kvmclock: .*"), "kvmclock"),
]


def seabios_log(program, accel, options, directory):
    """The log up to where nothing is left to boot, or None when it does not come there."""
    path = os.path.join(directory, "log")
    open(path, "w").close()
    command = [program, "-accel", accel, *options, *COMMON, "-debugcon", "file:" + path]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end and process.poll() is None:
            with open(path, errors="replace") as file:
                text = file.read()
            if END in text:
                return text.splitlines()
            time.sleep(0.1)
    finally:
        process.kill()
        errors = process.communicate()[1]
    print(f"{program}: no '{END}' within {SECONDS} s: {errors.strip()}", file=sys.stderr)
    return None


def quiet(line):
    for pattern, replacement in NOISE:
        line = pattern.sub(replacement, line)
    return line


def differences(umbra, qemu):
    return [line for line in difflib.unified_diff(qemu, umbra, "QEMU", "Umbra", "", "", 0, "")
            if not line.startswith("@@")]


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 1
    umbra = sys.argv[1]
    accel = sys.argv[2] if len(sys.argv) > 2 else "kvm"
    options = sys.argv[3:] or ["-M", "pc", "-m", "128"]
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        print("skipped: qemu-system-x86_64 is not installed (scripts/install-needed --with-peer)")
        return 77
    if accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skipped: /dev/kvm cannot be used; try x86emu")
        return 77
    # QEMU's software CPU is to have no SMM, as ours has none.
    peer_options = options
    if accel != "kvm":
        peer_options = [o + ",smm=off" if o.split(",")[0] in ("pc", "isapc") else o
                        for o in options]
    with tempfile.TemporaryDirectory() as directory:
        theirs = seabios_log(qemu, "kvm" if accel == "kvm" else "tcg", peer_options, directory)
        if theirs is None:
            print("skipped: QEMU does not come up here")
            return 77
        ours = seabios_log(umbra, accel, options, directory)
        if ours is None:
            return 1

    failed = False
    for title, pattern in EXACT:
        found = differences([line for line in ours if pattern.match(line)],
                            [line for line in theirs if pattern.match(line)])
        count = sum(bool(pattern.match(line)) for line in theirs)
        print(f"{title}: " + ("DIFFERENT" if found else f"equal ({count} lines)"))
        print("\n".join("  " + line for line in found), end="\n" if found else "")
        failed |= bool(found) or (title == "e820" and not count)
    rest = differences([quiet(line) for line in ours], [quiet(line) for line in theirs])
    print("everything else: " + ("differs" if rest else "equal, but for addresses and clocks"))
    print("\n".join("  " + line for line in rest), end="\n" if rest else "")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
