#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares pictures of the guest's screen with the installed QEMU's, pixel for pixel.

SeaBIOS' own screen when it has found nothing to boot, and one picture in each kind of mode,
drawn by the boot sector picture-sector: text, CGA's, planar and chained graphics, VBE's
linear modes, and registers that change how they look.

usage: screendump.py [UMBRA [NAME...]]   (NAME: only the pictures so named)
exit status 0: equal, 1: not, 77: cannot tell
"""

import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(os.environ.get("UMBRA_BUILD_DIR", "build"))
SECTOR = BUILD / "firmware" / "guest" / "picture-sector.bin"
SECONDS = 30
COMMON = ["-M", "pc", "-m", "32", "-nodefaults", "-vga", "std", "-display", "none",
          "-global", "isa-debugcon.iobase=0x402"]

PLANES, BANKS = 1, 2
SEQUENCER, CRTC, GRAPHICS, ATTRIBUTE, DISPI = 0x3c4, 0x3d4, 0x3ce, 0x3c0, 0x1ce
TEXT, CGA, VGA = 0xb800, 0xb800, 0xa000

# name: mode, flags, segment, registers as (port, index, value) or (port, word)
PICTURES = {
    "text-40": (0x00, 0, TEXT, []),
    "text-80": (0x03, 0, TEXT, []),
    "text-8-dots": (0x03, 0, TEXT, [(SEQUENCER, 1, 0x01)]),
    "text-no-line-graphics": (0x03, 0, TEXT, [(ATTRIBUTE, 0x10, 0x08)]),
    "text-two-fonts": (0x03, 0, TEXT, [(SEQUENCER, 3, 0x04)]),
    "text-start": (0x03, 0, TEXT, [(CRTC, 0x0d, 0x50), (CRTC, 0x0c, 0x01)]),
    "text-split": (0x03, 0, TEXT, [(CRTC, 0x0d, 0x50), (CRTC, 0x18, 0xa0),
                                   (CRTC, 0x07, 0x0f), (CRTC, 0x09, 0x0f)]),
    "text-50-lines": (0x03, 0, TEXT, [(CRTC, 9, 0x47)]),
    "text-cursor": (0x03, 0, TEXT, [(CRTC, 10, 0x02), (CRTC, 11, 0x1f), (CRTC, 15, 0x55)]),
    "text-no-cursor": (0x03, 0, TEXT, [(CRTC, 10, 0x2d)]),
    "text-color-select": (0x03, 0, TEXT, [(ATTRIBUTE, 0x10, 0x8c), (ATTRIBUTE, 0x14, 0x03)]),
    "cga-4": (0x04, 0, CGA, []),
    "cga-2": (0x06, 0, CGA, []),
    "planar-320": (0x0d, PLANES, VGA, []),
    "planar-640x200": (0x0e, PLANES, VGA, []),
    "planar-640x350": (0x10, PLANES, VGA, []),
    "planar-640x480": (0x12, PLANES, VGA, []),
    "planar-enable": (0x12, PLANES, VGA, [(ATTRIBUTE, 0x12, 0x05)]),
    "planar-split": (0x12, PLANES, VGA, [(CRTC, 0x18, 0x80), (CRTC, 0x07, 0x2e),
                                         (CRTC, 0x0c, 0x10)]),
    "mono-640x480": (0x11, PLANES, VGA, []),
    "256-colors": (0x13, 0, VGA, []),
    "256-colors-start": (0x13, 0, VGA, [(CRTC, 0x0c, 0x08)]),
    "256-colors-pitch": (0x13, 0, VGA, [(CRTC, 0x13, 0x50)]),
    "blank": (0x13, 0, VGA, [(GRAPHICS, 6, 0x00)]),
    # (VBE's 16 colours are not here: QEMU 7.2 loses what is written to the planes then.)
    "vbe-8": (0x101, BANKS, VGA, []),
    "vbe-15": (0x110, BANKS, VGA, []),
    "vbe-16": (0x111, BANKS, VGA, []),
    "vbe-24": (0x112, BANKS, VGA, []),
    "vbe-32": (0x141, BANKS, VGA, []),
    "vbe-virtual": (0x111, BANKS, VGA, [(DISPI, 6), (DISPI + 2, 1000), (DISPI, 8),
                                        (DISPI + 2, 77), (DISPI, 9), (DISPI + 2, 5)]),
    "vbe-fixed-registers": (0x101, BANKS, VGA, [(CRTC, 0x13, 0x20), (CRTC, 0x09, 0x81),
                                                (CRTC, 0x18, 0x10), (GRAPHICS, 5, 0x00)]),
    "vbe-offset": (0x101, BANKS, VGA, [(DISPI, 8), (DISPI + 2, 16), (DISPI, 9), (DISPI + 2, 5)]),
}


class Machine:
    """One emulator with its QMP on a socket pair."""

    def __init__(self, program, accel, options, log):
        ours, theirs = socket.socketpair()
        command = [program, "-accel", accel, *COMMON, *options, "-debugcon", "file:" + log,
                   "-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control"]
        self.log = log
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        theirs.close()
        self.file = ours.makefile("rw")
        ours.close()

    def command(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        for line in self.file:
            reply = json.loads(line)
            if "error" in reply:
                raise RuntimeError(f"{name}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
        raise RuntimeError(f"{name}: no answer")

    def wait_for(self, text):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with open(self.log, errors="replace") as file:
                if text in file.read():
                    return
            time.sleep(0.05)
        raise RuntimeError(f"no '{text}' within {SECONDS} s")

    def close(self):
        self.process.kill()
        self.process.communicate()
        self.file.close()


def picture(program, accel, options, text, directory):
    """The PPM of what is on the screen when `text` has been in the debug log."""
    log, path = os.path.join(directory, "log"), os.path.join(directory, "ppm")
    open(log, "w").close()
    machine = Machine(program, accel, options, log)
    try:
        machine.command("qmp_capabilities")
        machine.wait_for(text)
        time.sleep(0.1)
        machine.command("screendump", filename=path)
        with open(path, "rb") as file:
            return file.read()
    finally:
        machine.close()


def sector(mode, flags, segment, registers):
    image = bytearray(SECTOR.read_bytes())
    assert image[8:16] == b"UMBRAPIC"
    struct.pack_into("<4H", image, 16, mode, flags, segment, len(registers))
    for i, (port, *value) in enumerate(registers):
        word = value[0] if len(value) == 1 else value[0] | value[1] << 8
        struct.pack_into("<2H", image, 24 + 4 * i, port, word)
    return bytes(image) + bytes(1 << 20)


def describe(ours, theirs):
    def header(data):
        return b" ".join(data.split(b"\n", 3)[1:2]).decode()

    if header(ours) != header(theirs):
        return f"{header(ours)} pixels, QEMU {header(theirs)}"
    first = len(ours) - len(ours.split(b"\n", 3)[3])
    width = int(header(ours).split()[0])
    wrong = [i for i in range(first, len(ours)) if ours[i] != theirs[i]]
    at = (wrong[0] - first) // 3
    return (f"{len(wrong)} components differ, first at {at % width},{at // width}: "
            f"{ours[wrong[0]]:#x}, QEMU {theirs[wrong[0]]:#x}")


def main():
    umbra = sys.argv[1] if len(sys.argv) > 1 else str(
        BUILD / "machine" / "umbra-system-x86_64")
    names = sys.argv[2:] or ["seabios", *PICTURES]
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        print("skipped: qemu-system-x86_64 is not installed (scripts/install-needed --with-peer)")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        for name in names:
            options, text = [], "No bootable device"
            if name in PICTURES:
                image = os.path.join(directory, "disk")
                with open(image, "wb") as file:
                    file.write(sector(*PICTURES[name]))
                options, text = ["-drive", f"file={image},format=raw"], "umbra: drawn"
            theirs = picture(qemu, "tcg", options, text, directory)
            ours = picture(umbra, "x86emu", options, text, directory)
            if ours == theirs:
                print(f"{name}: equal ({len(ours)} bytes)", flush=True)
            else:
                print(f"FAILED: {name}: {describe(ours, theirs)}", flush=True)
                failed += 1
    print(f"{len(names) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
