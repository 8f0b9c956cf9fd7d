#!/usr/bin/env python3
"""The real GDB against the stub, on each accelerator: breakpoints in firmware and in a boot
sector that is not loaded yet, more of them than a processor has debug registers,
watchpoints, steps, Ctrl-C, `monitor`, and a GDB that is killed."""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from harness import SYSTEM, Checks, accels, skip

# Runs at 0x7c00 and counts in memory and AX without end.
SECTOR = bytes([
    0x31, 0xC0,              # 7c00 xor ax, ax
    0x8E, 0xD8,              # 7c02 mov ds, ax
    0xFE, 0x06, 0x00, 0x05,  # 7c04 inc byte [0x500]
    0x40,                    # 7c08 inc ax
    0x43,                    # 7c09 inc bx
    0x41,                    # 7c0a inc cx
    0x42,                    # 7c0b inc dx
    0x46,                    # 7c0c inc si
    0x47,                    # 7c0d inc di
    0xEB, 0xF4,              # 7c0e jmp 7c04
])


class Machine:
    def __init__(self, accel, folder, *options):
        self.path = folder / f"{accel}.sock"
        self.monitor_path = folder / f"{accel}.mon"
        disk = folder / "disk.img"
        disk.write_bytes(SECTOR + bytes(510 - len(SECTOR)) + b"\x55\xaa" + bytes(1 << 20))
        self.process = subprocess.Popen(
            [SYSTEM, "-nodefaults", "-display", "none", "-accel", accel, "-hda", str(disk),
             "-gdb", f"unix:{self.path},server=on,wait=off",
             "-monitor", f"unix:{self.monitor_path},server=on,wait=off", *options],
            stdin=subprocess.DEVNULL)
        while not self.monitor_path.exists() and self.process.poll() is None:
            time.sleep(0.01)
        while not self.path.exists() and self.process.poll() is None:
            time.sleep(0.01)
        self.monitor = socket.socket(socket.AF_UNIX)
        self.monitor.settimeout(20)
        self.monitor.connect(str(self.monitor_path))
        self.read_prompt()

    def read_prompt(self):
        text = b""
        while not text.endswith(b"(qemu) "):
            text += self.monitor.recv(4096)
        return text.decode()

    def hmp(self, line):
        self.monitor.sendall(line.encode() + b"\n")
        return self.read_prompt()

    def gdb_command(self, *commands):
        words = ["gdb", "-nx", "-batch", "-ex", "set confirm off",
                 "-ex", f"target remote {self.path}"]
        for command in commands:
            words += ["-ex", command]
        return words

    def gdb(self, *commands):
        done = subprocess.run(self.gdb_command(*commands), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=100,
                              stdin=subprocess.DEVNULL)
        return done.stdout

    def close(self):
        self.process.kill()
        self.process.wait()


def in_order(text, *parts):
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def boot(checks, accel, folder):
    watch = watched = []
    if accel == "x86emu":
        # Some hosts' KVM (seen nested, with QEMU too) never reports data breakpoints.
        watch = ["watch *(unsigned char *)0x500", "continue", "continue", "info watchpoints",
                 "delete"]
        watched = ["Old value = 1", "New value = 2", "Old value = 2", "New value = 3",
                   "already hit 2 times"]
    machine = Machine(accel, folder, "-S")
    try:
        text = machine.gdb(
            "show architecture", "info registers eip cs cs_base", "x/i 0xfffffff0",
            "hbreak *0xfe05b", "break *0x7c00", "continue", "info registers eip cs_base",
            "continue", "x/2i $pc", "stepi", "stepi", "stepi", "info registers eip",
            "p/x *(unsigned char *)0x500", "monitor info status", "set $eax = 0x1234",
            "p/x $eax", "info threads", "delete", *watch, "p/x *(char *)0x500 = 0x55", "x/1xb 0x500", "p/x $cr0 & 1",
            "p $mxcsr", "detach")
        checks.check(in_order(text, "i8086", "eip", "0xfff0", "cs", "0xf000", "cs_base",
                              "ljmp", "0xf000,$0xe05b",
                              "SIGTRAP", "eip", "0xe05b", "cs_base", "0xf0000",
                              "Breakpoint 2, 0x00007c00", "xor", "mov",
                              "0x00007c02", "0x00007c04", "0x00007c08",
                              "eip", "0x7c08", " = 0x1\n", "VM status: paused (debug)",
                              " = 0x1234", "CPU#0 [running]",
                              *watched, " = 0x55", "0x500:\t0x55", " = 0x0", "IM DM ZM OM UM PM",
                              "detached"), f"{accel}: {text}")
        checks.check("VM status: running" in machine.hmp("info status"),
                     f"{accel}: stands after a detach")
    finally:
        machine.close()


def many(checks, accel, folder):
    """Seven breakpoints, of which a processor's registers hold four."""
    places = [0x7c04, 0x7c08, 0x7c09, 0x7c0a, 0x7c0b, 0x7c0c, 0x7c0d]
    machine = Machine(accel, folder, "-S")
    try:
        commands = ["break *0x7c00", "continue", "delete"]
        commands += [f"break *{place:#x}" for place in places]
        commands += ["continue"] * (2 * len(places)) + ["p/x $ax", "x/4xb 0x7c0a", "delete",
                                                        "x/4xb 0x7c0a"]
        text = machine.gdb(*commands)
        checks.check(in_order(text, *[f"Breakpoint {i % 7 + 2}, {place:#010x}"
                                      for i, place in enumerate(places * 2)], " = 0x2",
                              "0x7c0a:\t0x41\t0x42\t0x46\t0x47",
                              "0x7c0a:\t0x41\t0x42\t0x46\t0x47"), f"{accel}: {text}")
        memory = machine.hmp("xp /4xb 0x7c0a")
        checks.check("0x41 0x42 0x46 0x47" in memory, f"{accel}: left behind: {memory}")
    finally:
        machine.close()


def interrupt(checks, accel, folder):
    machine = Machine(accel, folder)
    try:
        deadline = time.monotonic() + 60
        while "EIP=00007c" not in machine.hmp("info registers"):
            if time.monotonic() > deadline:
                checks.check(False, f"{accel}: the sector does not run")
                return
            time.sleep(0.05)
        # GDB stops the machine when it comes, and Ctrl-C (SIGINT) when it runs.
        process = subprocess.Popen(
            machine.gdb_command("info registers eip", "continue", "info registers eip",
                                "monitor stop", "detach"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL)
        text = ""
        while "\neip" not in text and (line := process.stdout.readline()):
            text += line
        deadline = time.monotonic() + 60
        while "running" not in machine.hmp("info status") and time.monotonic() < deadline:
            time.sleep(0.05)
        checks.check("running" in machine.hmp("info status"), f"{accel}: continue")
        machine.hmp("stop")  # someone else stops it: GDB hears of it
        text += process.communicate(timeout=60)[0]
        # Where it stops is the sector, or the BIOS' timer interrupt.
        checks.check(in_order(text, "eip", "0x", "SIGINT", "eip", "0x", "detached"),
                     f"{accel}: {text}")

        # A GDB that is killed at a breakpoint leaves the machine running and clean.
        process = subprocess.Popen(
            machine.gdb_command("break *0x7c0a", "continue", "shell sleep 30"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while "paused (debug)" not in machine.hmp("info status"):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        checks.check("paused (debug)" in machine.hmp("info status"), f"{accel}: no break")
        process.kill()
        process.wait()
        time.sleep(0.3)
        checks.check("running" in machine.hmp("info status"), f"{accel}: a dead GDB")
        time.sleep(0.2)
        checks.check("running" in machine.hmp("info status"), f"{accel}: breakpoints stay")

        # The monitor's gdbserver: elsewhere, then nowhere.
        other = folder / f"{accel}.other"
        checks.check("Waiting for gdb" in
                     machine.hmp(f"gdbserver unix:{other},server=on,wait=off"), accel)
        machine.path = other
        checks.check("detached" in machine.gdb("detach"), f"{accel}: gdbserver")
        checks.check("Disabled gdbserver" in machine.hmp("gdbserver none"), accel)
        machine.gdb("kill")
        checks.check("running" in machine.hmp("info status"), f"{accel}: gdbserver none")
    finally:
        machine.close()


def kill(checks, accel, folder):
    machine = Machine(accel, folder, "-S")
    try:
        machine.gdb("kill")
        try:
            checks.check(machine.process.wait(20) == 0, f"{accel}: kill")
        except subprocess.TimeoutExpired:
            checks.check(False, f"{accel}: lives after kill")
    finally:
        machine.close()


def main():
    if not shutil.which("gdb"):
        skip("no gdb")
    checks = Checks()
    for accel in sys.argv[1:] or accels():
        for test in (boot, many, interrupt, kill):
            with tempfile.TemporaryDirectory() as name:
                test(checks, accel, pathlib.Path(name))
    checks.close()


main()
