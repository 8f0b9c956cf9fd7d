#!/usr/bin/env python3
"""A QMP and an HMP client that fire commands at random while the guest reboots in a loop:
each command is answered in time, and "quit" ends the process with status 0. --seed
repeats the commands (not the timing); --seconds is per accelerator."""
import argparse
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import tempfile
import threading
import time

from harness import SYSTEM, Checks, accels

ANSWER_SECONDS = 60

# In a build with ThreadSanitizer, what tells it of GLib's locks.
ENVIRONMENT = dict(os.environ)
if "UMBRA_PRELOAD" in os.environ:
    ENVIRONMENT["LD_PRELOAD"] = os.environ["UMBRA_PRELOAD"]

QMP = [("query-status", {}), ("stop", {}), ("cont", {}), ("cont", {}), ("system_reset", {}),
       ("system_reset", {}), ("query-cpus-fast", {}),
       ("human-monitor-command", {"command-line": "info mtree -f"}),
       ("human-monitor-command", {"command-line": "info registers -a"}),
       ("device_add", {"driver": "isa-debug-exit", "id": "exit", "iobase": "0x501"}),
       ("device_add", {"driver": "isa-debugcon", "id": "con", "iobase": "0x411"}),
       ("device_del", {"id": "exit"}), ("device_del", {"id": "con"}),
       ("pmemsave", {"val": 0, "size": 1 << 20, "filename": "memory"}),
       ("memsave", {"val": 0, "size": 4096, "filename": "memory"}),
       ("system_powerdown", {}), ("query-pci", {})]
HMP = ["info mtree", "info mtree -f -d -o", "info registers", "info pci", "info qtree", "stop",
       "cont", "cont", "system_reset", "xp/64xb 0xfff0", "x/8xb 0", "info status", "info cpus",
       "info lapic", "info irq", "info pic",
       "pmemsave 0xa0000 0x60000 memory2", "o/b 0x80 1", "i/b 0x71", "explain 0xe0000",
       "device_add isa-debug-exit,id=hexit,iobase=0x7f0", "device_del hexit"]


class Client(threading.Thread):
    """Sends commands until told to end; `problem` says what went wrong."""

    def __init__(self, path, seed, until):
        super().__init__()
        self.random, self.until = random.Random(seed), until
        self.count, self.problem, self.last = 0, None, None
        self.peer = socket.socket(socket.AF_UNIX)
        self.peer.settimeout(ANSWER_SECONDS)
        for _ in range(500):
            try:
                self.peer.connect(os.path.relpath(path))
                break
            except OSError:
                time.sleep(0.02)
        self.pending = b""

    def read_until(self, end):
        while end not in self.pending:
            part = self.peer.recv(65536)
            if not part:
                raise ConnectionError("closed")
            self.pending += part
        answer, self.pending = self.pending.split(end, 1)
        return answer

    def run(self):
        try:
            self.greet()
            while time.monotonic() < self.until:
                self.command()
                self.count += 1
        except (OSError, ValueError) as error:
            self.problem = f"{self.last}: {error!r}"


class QMPClient(Client):
    def greet(self):
        self.read_until(b"\n")
        self.execute("qmp_capabilities", {})

    def execute(self, name, arguments):
        self.last = name
        self.peer.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self.read_until(b"\n"))
            if "event" not in answer:
                return answer
            if answer["event"] == "SHUTDOWN":
                self.last = f"{name}, after {answer}"

    def command(self):
        self.execute(*self.random.choice(QMP))


class HMPClient(Client):
    def greet(self):
        self.read_until(b"(qemu) ")

    def command(self):
        self.last = self.random.choice(HMP)
        self.peer.sendall(self.last.encode() + b"\n")
        self.read_until(b"\n")  # its echo
        self.read_until(b"(qemu) ")


def storm(accel, seed, seconds, checks, folder):
    log = open(folder / "log", "w+b")
    process = subprocess.Popen(
        [SYSTEM, "-accel", accel, "-m", "16", "-display", "none", "-serial", "null", "-smp",
         "2", "-boot", "reboot-timeout=1", "-qmp", "unix:qmp.sock,server=on,wait=off",
         "-monitor", "unix:hmp.sock,server=on,wait=off"],
        cwd=folder, stderr=log, stdout=log, stdin=subprocess.DEVNULL, env=ENVIRONMENT)
    until = time.monotonic() + seconds
    clients = [QMPClient(folder / "qmp.sock", seed, until),
               HMPClient(folder / "hmp.sock", seed + 1, until)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
        checks.check(not client.problem and client.count > 5,
                     f"{accel}: {type(client).__name__}: {client.count} commands, "
                     f"{client.problem}")
        print(f"{accel}: {client.count} commands", flush=True)
    if not clients[0].problem:
        clients[0].execute("quit", {})
    try:
        status = process.wait(ANSWER_SECONDS if not clients[0].problem else 5)
    except subprocess.TimeoutExpired:
        status = "none: it did not end"
    process.kill()
    process.wait()
    log.seek(0)
    text = log.read().decode(errors="replace")
    checks.check(status == 0, f"{accel}: exit status {status}")
    checks.check(not re.search("Sanitizer|runtime error|CRITICAL|WARNING", text),
                 f"{accel}: {text[:6000]}")
    log.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--accel", help="this one only")
    arguments = parser.parse_args()
    checks = Checks()
    for accel in [arguments.accel] if arguments.accel else accels():
        with tempfile.TemporaryDirectory() as name:
            storm(accel, arguments.seed, arguments.seconds, checks, pathlib.Path(name))
    checks.close()


main()
