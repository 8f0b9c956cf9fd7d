# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running emulator, Umbra or QEMU, driven over the qtest protocol and QMP.

Umbra runs with `-accel qtest`, where the virtual clock moves only by clock_step(). Debian's
QEMU 7.2 is built without that accelerator, but serves the protocol beside tcg: there the
machine runs a firmware that only halts, and clock_step() waits for as long in real time.
A test that holds on both asks for "at least" and "in the end"; `exact` says that the clock
can be stepped to the nanosecond.
"""
import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

QEMU = shutil.which("qemu-system-x86_64")
DEADLINE = 60  # seconds for a start or an answer on the slowest host

# CLI; HLT; JMP back: a processor that does nothing.
HALT = bytes([0xfa, 0xf4, 0xeb, 0xfc])


class Failure(Exception):
    """The emulator did not start, ended, or refused what a test cannot do without."""


def write_firmware(folder, code, size=256 << 10):
    """An image that starts with `code`, which lies within the last 64 KiB as 16-bit code."""
    path = os.path.join(folder, "firmware.bin")
    image = bytearray(size)
    start = 0x100
    image[-start:-start + len(code)] = code
    image[-16:-13] = b"\xe9" + ((16 - start - 3) & 0xffff).to_bytes(2, "little")
    with open(path, "wb") as file:
        file.write(image)
    return path


def connect(path, process):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failure("ended")
        try:
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(path)
            peer.settimeout(DEADLINE)
            return peer
        except OSError:
            peer.close()
            time.sleep(0.005)
    raise Failure(f"does not open {path}")


class Emulator:
    """A started program; use it in a `with`.

    `options` are the machine's words. `stopped` leaves the processors at reset and the
    firmware as it is; else they run `firmware`, an image, or without one a firmware that
    halts, so that QEMU's clock runs.
    """

    def __init__(self, program, *options, accel=None, stopped=False, firmware=HALT):
        self.name = "QEMU" if program == QEMU else "Umbra"
        self.is_qemu = program == QEMU
        self.exact = not self.is_qemu and (accel or "qtest") == "qtest"
        self.lines = {}          # IRQ number: level, of the device that is listened to
        self.raised = {}         # IRQ number: times that it was raised
        self.events = []         # QMP events
        self.folder = tempfile.TemporaryDirectory()
        folder = self.folder.name
        words = ["-S"] if stopped else ["-bios", write_firmware(folder, firmware)]
        self.process = subprocess.Popen(
            [program, "-accel", accel or ("tcg" if self.is_qemu else "qtest"),
             "-display", "none", *words, *options, "-qtest-log", "none",
             "-qtest", f"unix:{folder}/qtest,server=on,wait=off",
             "-qmp", f"unix:{folder}/qmp,server=on,wait=off"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True)
        try:
            self.qtest = connect(f"{folder}/qtest", self.process)
            self.answers = self.qtest.makefile("r")
            self.control = connect(f"{folder}/qmp", self.process)
            self.replies = self.control.makefile("r")
            self.reply_line()
            self.qmp("qmp_capabilities")
        except BaseException as problem:
            try:
                self.process.wait(1)
            except subprocess.TimeoutExpired:
                pass
            ended = self.process.poll() is not None
            self.close()
            raise Failure(f"{self.name}: {self.errors}") if ended else problem

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.kill()
        self.errors = self.process.communicate()[1].strip()
        for name in ("answers", "qtest", "replies", "control"):
            if hasattr(self, name):
                getattr(self, name).close()
        self.folder.cleanup()

    # -- The qtest protocol ---------------------------------------------------------------

    def answer(self):
        while True:
            line = self.answers.readline()
            if not line:
                raise Failure(f"{self.name} has closed its qtest connection")
            words = line.split()
            if words[0] != "IRQ":
                return line.rstrip("\n")
            number = int(words[2])
            self.lines[number] = words[1] == "raise"
            if words[1] == "raise":
                self.raised[number] = self.raised.get(number, 0) + 1

    def command(self, *words):
        """The answer after its "OK"."""
        return self.commands([words])[0]

    def commands(self, many):
        """Sends all, then takes the answers: one round trip for a batch."""
        answers = []
        many = list(many)
        for start in range(0, len(many), 512):
            batch = many[start:start + 512]
            self.qtest.sendall("".join(" ".join(str(word) for word in words) + "\n"
                                       for words in batch).encode())
            for words in batch:
                line = self.answer()
                if not line.startswith("OK"):
                    raise Failure(f"{self.name}: {words}: {line}")
                answers.append(line[3:])
        return answers

    def inb(self, port):
        return int(self.command("inb", hex(port)), 16)

    def inw(self, port):
        return int(self.command("inw", hex(port)), 16)

    def inl(self, port):
        return int(self.command("inl", hex(port)), 16)

    def outb(self, port, value):
        self.command("outb", hex(port), hex(value))

    def outw(self, port, value):
        self.command("outw", hex(port), hex(value))

    def outl(self, port, value):
        self.command("outl", hex(port), hex(value))

    def insb(self, port, count):
        """`count` bytes read from one port."""
        return bytes(int(value, 16) for value in
                     self.commands([("inb", hex(port))] * count))

    def insw(self, port, count):
        """`count` words read from one port, as bytes."""
        return b"".join(int(value, 16).to_bytes(2, "little") for value in
                        self.commands([("inw", hex(port))] * count))

    def outsw(self, port, data):
        self.commands(("outw", hex(port), hex(data[i] | data[i + 1] << 8))
                      for i in range(0, len(data), 2))

    def readb(self, address):
        return int(self.command("readb", hex(address)), 16)

    def readw(self, address):
        return int(self.command("readw", hex(address)), 16)

    def readl(self, address):
        return int(self.command("readl", hex(address)), 16)

    def readq(self, address):
        return int(self.command("readq", hex(address)), 16)

    def writeb(self, address, value):
        self.command("writeb", hex(address), hex(value))

    def writew(self, address, value):
        self.command("writew", hex(address), hex(value))

    def writel(self, address, value):
        self.command("writel", hex(address), hex(value))

    def writeq(self, address, value):
        self.command("writeq", hex(address), hex(value))

    def read(self, address, size):
        return base64.b64decode(self.command("b64read", hex(address), size))

    def write(self, address, data):
        self.command("b64write", hex(address), len(data),
                     base64.b64encode(data).decode())

    def clock_step(self, ns):
        """At least so many nanoseconds of the machine's time."""
        if self.exact:
            self.command("clock_step", ns)
        else:
            time.sleep(ns / 1e9)
            self.command("inb", "0x80")  # takes what lines have done meanwhile

    def wait(self, condition, ns=2 * 10**9, step=10**6):
        """Lets time pass until condition() holds; whether it came to hold within `ns` of a
        clock that can be stepped, or long after on one that cannot."""
        tries = ns // step if self.exact else 10 * DEADLINE
        for _ in range(tries + 1):
            if condition():
                return True
            self.clock_step(step if self.exact else max(step, 10**7))
        return False

    def listen(self, path, output=False):
        """Hears the device's unnamed interrupt pins from now on (`lines`, `raised`)."""
        self.command("irq_intercept_" + ("out" if output else "in"), path)
        self.raised.clear()

    def level(self, number):
        """The level of a line that is listened to, after all that was sent has run."""
        self.command("inb", "0x80")
        return self.lines.get(number, False)

    # -- QMP and HMP --------------------------------------------------------------------------

    def reply_line(self):
        line = self.replies.readline()
        if not line:
            raise Failure(f"{self.name} has closed its QMP connection")
        return json.loads(line)

    def ask(self, name, **arguments):
        """The whole reply, an error too; events before it are kept."""
        message = {"execute": name}
        if arguments:
            message["arguments"] = arguments
        self.control.sendall(json.dumps(message).encode() + b"\n")
        while True:
            reply = self.reply_line()
            if "event" not in reply:
                return reply
            self.events.append(reply)

    def qmp(self, name, **arguments):
        reply = self.ask(name, **arguments)
        if "error" in reply:
            raise Failure(f"{self.name}: {name}: {reply['error']['desc']}")
        return reply["return"]

    def has(self, command):
        return any(row["name"] == command for row in self.qmp("query-commands"))

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line}).replace("\r", "")

    def event(self, name):
        """Whether the event comes, or has come; it is taken from the list."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            self.qmp("query-status")
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            time.sleep(0.01)
        return None

    def event_names(self):
        """Of those that nobody has taken."""
        self.qmp("query-status")
        return [event["event"] for event in self.events]

    def reset(self):
        self.qmp("system_reset")
        if not self.event("RESET"):
            raise Failure(f"{self.name} does not reset")

    # -- What most tests need -------------------------------------------------------------

    def pci_select(self, devfn, offset):
        self.outl(0xcf8, 0x80000000 | devfn << 8 | offset & 0xfc)

    def pci_read(self, devfn, offset, size=4):
        self.pci_select(devfn, offset)
        return {1: self.inb, 2: self.inw, 4: self.inl}[size](0xcfc + (offset & 3))

    def pci_write(self, devfn, offset, value, size=4):
        self.pci_select(devfn, offset)
        {1: self.outb, 2: self.outw, 4: self.outl}[size](0xcfc + (offset & 3), value)

    def pci_find(self, vendor, device):
        """The first such function of bus 0, or None."""
        ids = vendor | device << 16
        return next((devfn for devfn in range(256) if self.pci_read(devfn, 0) == ids), None)

    def cmos_read(self, index):
        self.outb(0x70, index)
        return self.inb(0x71)

    def cmos_write(self, index, value):
        self.outb(0x70, index)
        self.outb(0x71, value)

    def fw_cfg_read(self, key, size):
        """The first bytes of an item, through the ports that all machine types have."""
        self.outw(0x510, key)
        return self.insb(0x511, size)

    def fw_cfg_files(self):
        """[(key, name, size)] as the directory has them."""
        count = int.from_bytes(self.fw_cfg_read(0x19, 4), "big")
        entries = self.fw_cfg_read(0x19, 4 + 64 * count)[4:]
        return [(int.from_bytes(entry[4:6], "big"), entry[8:].split(b"\0")[0].decode(),
                 int.from_bytes(entry[:4], "big"))
                for entry in (entries[i:i + 64] for i in range(0, 64 * count, 64))]
