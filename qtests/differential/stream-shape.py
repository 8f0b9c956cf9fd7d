#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The form of the migration stream, machine type by machine type, beside the installed QEMU's:
configuration, footers, description, the blocks of memory with their sizes, and the sections with
their numbers, versions, fields and lengths. Both machines stand before their first instruction.

usage: stream-shape.py UMBRA_SYSTEM UMBRA [TYPE...]
exit status 0: equal, 1: not, 77: cannot tell
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from harness import Checks, skip
from vm import VM, folder, remove_folder

QEMU = shutil.which("qemu-system-x86_64")
checks = Checks()

# The register says whether KVM's guest polls; QEMU's tcg keeps it at a value that is not the
# default. Without the subsection QEMU has the default.
UNDER_KVM_ALONE = "cpu/poll_control_msr"


def shape(program, accel, machine, path):
    """The stream as `umbra stream` tells it; None and a message where there is none."""
    with VM("-S", program=program, machine=["-M", machine, "-m", "32", "-nodefaults", "-display",
                                            "none", "-accel", accel]) as guest:
        info = guest.migrate(f"exec:cat > {path}")
        if not checks.check(info.get("status") == "completed", f"{machine}, {program}: {info}"):
            return None
    told = subprocess.run([sys.argv[2], "stream", "--json", str(path)], capture_output=True,
                          text=True, timeout=60, check=False)
    if not checks.check(told.returncode == 0, f"{machine}, {program}: {told.stderr}"):
        return None
    return json.loads(told.stdout)


def sections(stream):
    """(name, instance, version) of each, in order; a name that comes twice, twice."""
    return [(each["name"], each["instance"], each["version"]) for each in stream["sections"]
            if each["type"] in ("start", "full")]


def fields(stream):
    found = {}
    for each in stream["sections"]:
        for field in each.get("fields", []):
            if not field["name"].startswith(UNDER_KVM_ALONE):
                found[each["name"], each["instance"], field["name"]] = (field["type"],
                                                                        field["size"])
    return found


def lengths(stream):
    """Of the sections that no description explains."""
    return {(each["name"], each["instance"]): each["bytes"] for each in stream["sections"]
            if each["type"] == "full" and each["name"] != "cpu" and "fields" not in each}


def blocks(stream):
    return {block["name"]: block["size"] for block in stream["blocks"]}


PARTS = {
    "machine": lambda stream: stream["machine"],
    "footers": lambda stream: stream["footers"],
    "description": lambda stream: stream["description"],
    "blocks": blocks,
    "sections": lambda stream: sorted(sections(stream)),
    "fields": fields,
    "lengths": lengths,
}


def difference(ours, theirs):
    if isinstance(ours, dict):
        ours, theirs = ours.items(), theirs.items()
    if not isinstance(ours, (bool, str, type(None))):
        return (f"only Umbra: {[each for each in ours if each not in theirs][:5]}, "
                f"only QEMU: {[each for each in theirs if each not in ours][:5]}")
    return f"Umbra {ours}, QEMU {theirs}"


def main():
    if not QEMU:
        skip("there is no qemu-system-x86_64")
    known = subprocess.run([QEMU, "-M", "help"], capture_output=True, text=True, check=True)
    types = sys.argv[3:] or re.findall(r"^(pc-i440fx-\S+|isapc)", known.stdout, re.M)
    try:
        for machine in types:
            path = folder / machine
            ours = shape(sys.argv[1], "x86emu", machine, path)
            theirs = shape(QEMU, "tcg", machine, path)
            path.unlink(missing_ok=True)
            for name, part in PARTS.items() if ours and theirs else ():
                mine, others = part(ours), part(theirs)
                checks.check(mine == others,
                             f"{machine}, {name}: {difference(mine, others)}")
    finally:
        remove_folder()
    checks.close()


main()
