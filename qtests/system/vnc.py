#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A viewer of our own at -vnc (RFC 6143): it sees what screendump gives, and can type."""
import os
import socket
import struct
import subprocess
import tempfile
import time

import harness

ESCAPE = 0xff1b


class Viewer:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        assert self.read(12).startswith(b"RFB 003.")
        self.socket.sendall(b"RFB 003.008\n")
        assert 1 in self.read(self.read(1)[0])  # security: none
        self.socket.sendall(b"\x01")
        assert self.read(4) == bytes(4)
        self.socket.sendall(b"\x01")
        self.width, self.height = struct.unpack(">2H", self.read(4))
        self.read(16)
        self.read(struct.unpack(">I", self.read(4))[0])
        self.socket.sendall(struct.pack(">B3x4B3H3B3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.socket.sendall(struct.pack(">BxHi", 2, 1, 0))  # raw

    def read(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise EOFError("the server has closed the connection")
            data += more
        return data

    def picture(self):
        """All of the screen as rows of red, green, blue."""
        self.socket.sendall(struct.pack(">BB4H", 3, 0, 0, 0, self.width, self.height))
        rows = [bytearray(3 * self.width) for _ in range(self.height)]
        missing = self.width * self.height
        while missing > 0:
            assert self.read(1) == b"\0"
            for _ in range(struct.unpack(">xH", self.read(3))[0]):
                x, y, width, height, encoding = struct.unpack(">4Hi", self.read(12))
                assert encoding == 0
                for row in range(height):
                    data = self.read(4 * width)
                    for i in range(3):
                        rows[y + row][3 * x + i:3 * (x + width):3] = data[2 - i::4]
                missing -= width * height
        return b"".join(rows)

    def press(self, keysym):
        for down in (1, 0):
            self.socket.sendall(struct.pack(">BBxxI", 4, down, keysym))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(path, text):
    for _ in range(600):
        with open(path, errors="replace") as file:
            if text in file.read():
                return True
        time.sleep(0.05)
    return False


def main():
    checks = harness.Checks()
    port = next(p for p in iter(free_port, None) if p >= 5900)
    display = f"127.0.0.1:{port - 5900}"
    refused = harness.run([harness.SYSTEM, "-nodefaults", "-display", "none", "-vnc", display])
    if "module" in refused.stderr:
        harness.skip(refused.stderr.strip())
    checks.check("no screen" in refused.stderr, "a machine without a screen is told so")
    refused = harness.run([harness.SYSTEM, "-vnc", "nowhere"])
    checks.check("not a display" in refused.stderr, "a display that is none")

    with tempfile.TemporaryDirectory() as directory:
        log, dump = (os.path.join(directory, name) for name in ("log", "ppm"))
        open(log, "w").close()
        machine = subprocess.Popen(
            [harness.SYSTEM, "-accel", "x86emu", "-nodefaults", "-vga", "std", "-vnc", display,
             "-boot", "menu=on", "-global", "isa-debugcon.iobase=0x402", "-debugcon",
             "file:" + log, "-monitor", "stdio"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, text=True)
        try:
            checks.check(wait_for(log, "Press ESC for boot menu"), "the firmware waits for a key")
            taken = harness.run([harness.SYSTEM, "-nodefaults", "-vga", "std", "-vnc", display])
            checks.check("cannot listen" in taken.stderr, "a port that is taken")
            Viewer(port).press(ESCAPE)
            checks.check(wait_for(log, "Select boot device"), "a key reaches the guest")
            machine.stdin.write("stop\n")
            machine.stdin.flush()
            time.sleep(0.5)
            viewer = Viewer(port)
            seen = viewer.picture()
            machine.stdin.write(f"screendump {dump}\n")
            machine.stdin.flush()
            for _ in range(100):
                if os.path.exists(dump) and os.path.getsize(dump) > len(seen):
                    break
                time.sleep(0.05)
            with open(dump, "rb") as file:
                header, pixels = file.read().split(b"\n255\n", 1)
            checks.check(header == b"P6\n%d %d" % (viewer.width, viewer.height), "its size")
            checks.check(any(seen) and seen == pixels, "the picture is screendump's")
        finally:
            machine.kill()
            machine.communicate()
    checks.close()


if __name__ == "__main__":
    main()
