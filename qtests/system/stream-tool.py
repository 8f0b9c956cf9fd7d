#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""umbra stream: says what was put into a stream, Umbra's or QEMU's, and survives any."""
import json
import random
import shutil
import sys
import time

from harness import SYSTEM, UMBRA, Checks, run
from vm import MACHINE, PATIENCE, VM, folder, remove_folder

CUTS = FLIPS = 300
SMALL = ["-M", "pc-i440fx-7.2", "-m", "2", "-nodefaults", "-display", "none", "-accel", "tcg"]
checks = Checks()


def stream(*words):
    return run([UMBRA, "stream", *map(str, words)])


def content(path):
    shown = stream("--json", path)
    checks.check(shown.returncode == 0, f"{path.name}: {shown.stderr}")
    return json.loads(shown.stdout)


def section(what, name, instance=0):
    return next(entry for entry in what["sections"]
                if entry["name"] == name and entry.get("instance") == instance)


def value(what, device, field, instance=0):
    return next(entry["value"] for entry in section(what, device, instance)["fields"]
                if entry["name"] == field)


def verdict(what, name):
    return next(entry["verdict"] for entry in what["segments"] if entry["name"] == name)


def save(vm, path):
    """Umbra's and QEMU's way to a file."""
    vm.qmp("stop")
    info = vm.migrate(f"exec:cat > {path}")
    checks.check(info.get("status") == "completed", f"{path.name}: {info}")
    return path


def set_registers(vm):
    """What the stream must then show: the RTC's index, PAM0 and the PIC's first mask."""
    vm.hmp("o /b 0x70 0x35")
    vm.hmp("o /w 0xcf8 0x80000058")
    vm.hmp("o /b 0xcfd 0x21")
    vm.hmp("o /b 0x21 0x5a")


def check_registers(what, name):
    checks.check(value(what, "mc146818rtc", "cmos_index") == 0x35, f"{name}: the RTC's index")
    checks.check(bytes.fromhex(value(what, "0000:00:00.0/I440FX", "parent_obj.config[0]"))
                 [0x59] == 0x21, f"{name}: PAM0's byte")
    checks.check(value(what, "i8259", "imr") == 0x5a, f"{name}: the PIC's mask")
    checks.check(value(what, "PCIHost", "config_reg") == 0x80000058, f"{name}: 0xcf8")
    state = bytes.fromhex(value(what, "globalstate", "runstate")).rstrip(b"\0")
    checks.check(state in (b"paused", b"prelaunch"), f"{name}: the run state is {state}")


def check_whole(what, path, name, memory):
    """Sections follow each other without a gap, RAM has the blocks of this machine."""
    checks.check(what["machine"] == "pc-i440fx-7.2", f"{name}: machine {what['machine']}")
    checks.check(what["bytes"] == path.stat().st_size, f"{name}: size")
    checks.check(what["footers"] and what["description"], f"{name}: footers, description")
    checks.check(what["sections"][0]["offset"] == 4 + 4 + 1 + 4 + len("pc-i440fx-7.2"),
                 f"{name}: where the first section is")
    for one, other in zip(what["sections"], what["sections"][1:]):
        checks.check(one["offset"] + one["bytes"] == other["offset"],
                     f"{name}: a gap before {other['name']}")
    types = [entry["type"] for entry in what["sections"] if entry["name"] == "ram"]
    checks.check(types[0] == "start" and types[-1] == "end", f"{name}: ram is {types}")
    blocks = {block["name"]: block for block in what["blocks"]}
    sizes = {"pc.ram": memory << 20, "pc.bios": 256 << 10, "pc.rom": 128 << 10}
    for block, size in sizes.items():
        checks.check(blocks[block]["size"] == size, f"{name}: {block} {blocks[block]}")
        checks.check(sum(blocks[block]["pages-sent"].values()) >= size >> 12 and
                     blocks[block]["pages-present"] == size >> 12,
                     f"{name}: pages of {block}: {blocks[block]}")


def emulator(program, machine, memory, name):
    """A stream at reset and one after SeaBIOS, and how they differ."""
    with VM("-S", program=program, machine=machine) as vm:
        set_registers(vm)
        reset = save(vm, folder / f"{name}-reset")
    what = content(reset)
    check_whole(what, reset, f"{name} at reset", memory)
    check_registers(what, name)
    checks.check(verdict(what, "E and F") == "empty" and verdict(what, "C and D") == "empty",
                 f"{name} at reset: {what['segments']}")
    with VM(program=program, machine=machine) as vm:
        deadline = time.monotonic() + PATIENCE
        while "HLT=1" not in vm.hmp("info registers") and time.monotonic() < deadline:
            time.sleep(0.05)
        booted = save(vm, folder / f"{name}-booted")
    what = content(booted)
    check_whole(what, booted, f"{name} after SeaBIOS", memory)
    checks.check(verdict(what, "E and F") == "different", f"{name}: {what['segments']}")

    for options in ((), ("--json",)):
        same = stream("--diff", *options, booted, booted)
        checks.check(same.returncode == 0 and same.stdout.strip() in ("", "[]"),
                     f"{name}: differs from itself: {same.stdout}")
    differ = stream("--diff", "--json", reset, booted)
    found = json.loads(differ.stdout)
    checks.check(differ.returncode == 1, f"{name}: --diff ends with {differ.returncode}")
    checks.check({"section": "mc146818rtc", "field": "cmos_index", "a": "0x35"}.items() <=
                 next(entry for entry in found
                      if entry.get("field") == "cmos_index").items(), f"{name}: {found}")
    pages = next(entry for entry in found if entry.get("block") == "pc.ram")
    checks.check(pages["pages-differing"] > 16 and pages["ranges"].startswith("0x0-0xfff"),
                 f"{name}: {pages}")
    return reset, booted


def forms():
    """Pages by zlib and as changes are what they were when sent plain."""
    def moved(name, **capabilities):
        with VM("-S") as vm:
            vm.capability(**capabilities)
            return save(vm, folder / name)

    plain, packed = moved("plain"), moved("packed", compress=True)
    what = content(packed)
    ram = next(block for block in what["blocks"] if block["name"] == "pc.bios")
    checks.check(ram["pages-sent"]["compressed"] > ram["pages-sent"]["plain"],
                 f"compress: {ram}")
    differ = stream("--diff", plain, packed)
    checks.check("ram" not in differ.stdout, f"compressed pages differ: {differ.stdout}")


def undescribed(program, machine, name):
    """Old types send no machine type, footers or description: sections are found by their
    heads, the same as in a stream that has it all."""
    def names(what):
        return sorted((entry["name"], entry["instance"], entry["bytes"])
                      for entry in what["sections"] if entry["type"] == "full")

    with VM("-S", program=program, machine=["-M", machine, *MACHINE[2:]]) as vm:
        what = content(save(vm, folder / name))
    checks.check(what["machine"] is None and not what["footers"] and not what["description"],
                 f"{name}: {what['machine']}")
    checks.check(verdict(what, "E and F") == "empty", f"{name}: {what['segments']}")
    found = names(what)
    checks.check(("i8259", 1, 35) in found and ("mc146818rtc", 0, 270) in found and
                 len(found) > 20, f"{name}: {found}")


def page(offset, flags, name, data):
    head = (offset | flags).to_bytes(8, "big")
    return head + (bytes([len(name)]) + name if name else b"") + data


def made_by_hand():
    """Streams of one RAM section, with an end but no description: changes to pages, and
    what no reader may believe."""
    def of(*pages, total=8192, listed=8192):
        ram = page(total, 4, b"", b"\4ram0" + listed.to_bytes(8, "big")) + b"".join(pages)
        path = folder / "by-hand"
        path.write_bytes(b"QEVM\0\0\0\3" + b"\1\0\0\0\1\3ram\0\0\0\0\0\0\0\4" + ram +
                         (0x10).to_bytes(8, "big") + b"\x7e\0\0\0\1" + b"\0")
        return path

    plain = page(0, 8, b"ram0", b"a" * 4096)
    changes = page(0, 0x60, b"", b"\1\0\4" + b"\2\2xy")  # 2 stay, 2 are new
    direct = page(0, 8, b"ram0", b"aaxy" + b"a" * 4092)
    shutil.copy(of(direct), folder / "direct")
    same = stream("--diff", folder / "direct", of(plain, changes))
    checks.check(same.returncode == 0, f"changes to a page: {same.stdout}{same.stderr}")
    block = content(of(plain, changes))["blocks"][0]
    checks.check(block["pages-sent"]["xbzrle"] == 1 and block["pages-present"] == 1,
                 f"changes to a page: {block}")

    lies = (("has 0x2000 bytes", (page(8192, 8, b"ram0", b"a" * 4096),), {}),
            ("larger than all", (), {"listed": 1 << 62}),
            ("not in the list", (page(0, 8, b"ram1", b"a" * 4096),), {}),
            ("not been sent before", (page(0, 0x40, b"ram0", b"\1\0\4" + b"\2\2xy"),), {}),
            ("leave the page", (plain, page(0, 0x60, b"", b"\1\0\2" + b"\2\2")), {}),
            ("does not unpack", (page(0, 0x100, b"ram0", b"\0\0\0\4" + b"abcd"),), {}),
            ("a compressed page of", (page(0, 0x100, b"ram0", b"\xff" * 4 + b"abcd"),), {}))
    for sentence, pages, sizes in lies:
        refused = stream(of(*pages, **sizes))
        checks.check(refused.returncode == 1 and sentence in refused.stderr and
                     "(at byte" in refused.stderr, f"{sentence}: {refused.stderr}")
    # A terabyte on paper: no memory is taken for it.
    shown = stream("--json", of(plain, total=1 << 40, listed=1 << 40))
    checks.check(shown.returncode == 0, f"a large block: {shown.stderr}")


def survives(path, what):
    shown = stream("--json", path)
    lines = shown.stderr.splitlines()
    return checks.check(shown.returncode in (0, 1) and len(lines) == shown.returncode and
                        (not lines or "(at byte " in lines[0]),
                        f"{what}: status {shown.returncode}, {lines[:3]}"), shown.returncode


def hostile(path):
    """Cut anywhere, changed anywhere: one line with the byte, status 1; or still a stream."""
    chance = random.Random(5)
    data = path.read_bytes()
    broken = folder / "broken"
    devices = data.index(b"\4\0\0\0\2") if b"\4\0\0\0\2" in data else 0
    for number in range(CUTS):
        # Half of the places in the devices and the description, which are the smaller part.
        size = chance.randrange(devices if number % 2 else 0, len(data))
        broken.write_bytes(data[:size])
        _, status = survives(broken, f"cut at {size}")
        checks.check(status == 1 or data[size - 1] == 0, f"cut at {size} was not noticed")
    for number in range(FLIPS):
        at = chance.randrange(devices if number % 2 else 0, len(data))
        flipped = bytearray(data)
        flipped[at] ^= 1 << chance.randrange(8)
        broken.write_bytes(flipped)
        survives(broken, f"a bit at {at} changed")
    end = data.rindex(b'{"page_size"')
    deep = b'{"devices": ' + b"[" * 100000 + b"]" * 100000 + b"}"
    broken.write_bytes(data[:end - 4] + len(deep).to_bytes(4, "big") + deep)
    checks.check(survives(broken, "a deep description")[1] == 1, "a deep description")
    broken.write_bytes(b"")
    checks.check(survives(broken, "an empty file")[1] == 1, "an empty file")


def usage():
    for words, status in (((), 1), (("a", "b"), 1), (("--diff", "a"), 2), (("/nonexistent",), 1)):
        shown = stream(*words)
        checks.check(shown.returncode == status and len(shown.stderr.splitlines()) == 1,
                     f"{words}: {shown}")
    checks.check("--diff" in stream("--help").stdout, "--help")


try:
    usage()
    made_by_hand()
    reset, booted = emulator(SYSTEM, MACHINE, 32, "umbra")
    forms()
    undescribed(SYSTEM, "pc-i440fx-2.0", "umbra-2.0")
    qemu = shutil.which("qemu-system-x86_64")
    if qemu:
        emulator(qemu, MACHINE, 32, "qemu")
        undescribed(qemu, "pc-i440fx-2.2", "qemu-2.2")
    with VM("-S", machine=SMALL) as vm:
        small = save(vm, folder / "small")
    hostile(small)
finally:
    remove_folder()
checks.close()
