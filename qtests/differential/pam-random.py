#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the same random values to PAM, SMRAM, BAR, command and power management registers
of Umbra and of the installed QEMU, and compares what each then maps where.

Umbra hears them over the qtest protocol. QEMU, whose packaged builds have no qtest
accelerator, hears them from its monitor's `o` command, with its guest stopped. After each
step `info mtree -f` must show the same ranges in each address space that both have. Umbra
runs with pam-exact=off: QEMU knows only three of PAM's four modes. Uses of SMRAM's
register are left out where Umbra does what the 82441FX data sheet says and QEMU 7.2 not:
the lock bit and D_CLS, which QEMU ignores, and D_OPEN without G_SMRAME, which opens SMRAM
in QEMU.

A sequence that fails is shrunk to one from which no step can be left out.

usage: pam-random.py UMBRA [--steps N] [--seed N] [--qemu PATH] [--machine OPTIONS]
exit status 0: equal, 1: not, 77: cannot tell
"""

import argparse
import json
import random
import re
import shutil
import socket
import subprocess
import sys

FUNCTIONS = {"i440FX": 0x00, "PIIX3": 0x08, "piix3-ide": 0x09, "PIIX4_PM": 0x0B,
             "VGA": 0x10}
PAM = range(0x59, 0x60)
SMRAM = 0x72
SMRAM_OPEN, SMRAM_CLOSED, SMRAM_LOCK, SMRAM_ENABLE = 0x40, 0x20, 0x10, 0x08
COMMAND = 0x04
BARS = range(0x10, 0x28, 4)
PM_BASE, PM_ENABLE, SMBUS_BASE, SMBUS_ENABLE = 0x40, 0x80, 0x90, 0xD2
TIMEOUT = 20
REPLAYS = 120


class Monitor:
    """A QMP connection to an emulator that this object starts and ends."""

    def __init__(self, command, extra=None):
        ours, theirs = socket.socketpair()
        self.extra, extra_theirs = socket.socketpair() if extra else (None, None)
        fds = [end.fileno() for end in (theirs, extra_theirs) if end]
        command = command + ["-chardev", f"socket,id=control,fd={fds[0]}",
                             "-mon", "chardev=control,mode=control"]
        if extra:
            command += ["-chardev", f"socket,id=extra,fd={fds[1]}", extra, "chardev:extra"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=fds)
        for end in (ours, self.extra, theirs, extra_theirs):
            if end in (theirs, extra_theirs) and end:
                end.close()
            elif end:
                end.settimeout(TIMEOUT)
        self.socket = ours
        self.lines = ours.makefile("r", encoding="utf-8")
        self.events = set()
        self.receive("QMP")
        self.execute("qmp_capabilities")

    def receive(self, member):
        """The next object that has `member`, or an error; events are noted."""
        while True:
            line = self.lines.readline()
            if not line:
                raise RuntimeError(f"{self.process.args[0]} has ended")
            answer = json.loads(line)
            if "event" in answer:
                self.events.add(answer["event"])
            if "error" in answer:
                raise RuntimeError(f"{self.process.args[0]}: {answer['error']['desc']}")
            if member in answer:
                return answer[member]

    def execute(self, name, **arguments):
        request = {"execute": name, "arguments": arguments}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return self.receive("return")

    def hmp(self, line):
        return self.execute("human-monitor-command", **{"command-line": line})

    def reset(self):
        self.events.discard("RESET")
        self.execute("system_reset")
        while "RESET" not in self.events:
            self.receive("event")

    def views(self):
        """Address space -> the lines of its flat view."""
        spaces = {}
        for view in re.split(r"^FlatView #\d+\r?\n", self.hmp("info mtree -f"), flags=re.M):
            names = re.findall(r'^ AS "([^"]*)"', view, flags=re.M)
            ranges = [line.rstrip() for line in view.splitlines()
                      if line.startswith("  ")]
            for name in names:
                spaces[name] = ranges
        return spaces

    def close(self):
        self.process.kill()
        self.process.wait()
        for end in (self.lines, self.socket, self.extra):
            if end:
                end.close()


class Umbra(Monitor):
    def __init__(self, program, options):
        super().__init__([program, "-accel", "qtest", "-qtest-log", "none",
                          "-global", "i440FX.pam-exact=off"] + options, "-qtest")
        self.qtest_lines = self.extra.makefile("r")

    def qtest(self, line):
        self.extra.sendall(line.encode() + b"\n")
        answer = self.qtest_lines.readline().split()
        if not answer or answer[0] != "OK":
            raise RuntimeError(f"qtest: {line}: {' '.join(answer)}")
        return answer[1:]

    def out(self, size, port, value):
        self.qtest(f"out{size} 0x{port:x} 0x{value:x}")

    def inl(self, port):
        return int(self.qtest(f"inl 0x{port:x}")[0], 0)

    def close(self):
        self.qtest_lines.close()
        super().close()


class QEMU(Monitor):
    LETTERS = {"b": "b", "w": "h", "l": "w"}  # GDB's, which its monitor takes

    def __init__(self, program, options):
        super().__init__([program, "-accel", "tcg", "-S"] + options)

    def out(self, size, port, value):
        self.hmp(f"o /{self.LETTERS[size]} 0x{port:x} 0x{value:x}")

    def inl(self, port):
        return int(self.hmp(f"i /wx 0x{port:x}").split("=")[1], 0)


class Pair:
    def __init__(self, arguments):
        options = ["-nodefaults", "-vga", "std", "-display", "none", "-m", "128"]
        machine = arguments.machine + ("," if arguments.machine else "")
        self.umbra = Umbra(arguments.umbra, options + ["-M", "pc-i440fx-7.2," + machine
                                                       + "hpet=off"])
        # A reset disables bus mastering; in QEMU 7.2 the device's address space shows so
        # only when the command register is written again.
        self.stale = set()
        try:
            self.qemu = QEMU(arguments.qemu, options + ["-M", "pc-i440fx-7.2," + machine
                                                        + "hpet=off,smm=off"])
        except BaseException:
            self.umbra.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.umbra.close()
        self.qemu.close()

    def both(self):
        return (self.umbra, self.qemu)

    def apply(self, step):
        if step[0] == "reset":
            for machine in self.both():
                machine.reset()
            self.stale.update(FUNCTIONS)
            return
        _, function, offset, size, value = step
        for machine in self.both():
            machine.out("l", 0xCF8, 0x80000000 | FUNCTIONS[function] << 8 | offset & 0xFC)
            machine.out(size, 0xCFC + (offset & 3), value)
        if offset == COMMAND:
            self.stale.discard(function)

    def bars(self):
        """(function, BAR's offset, the value it reads with ones written) of all BARs."""
        found = []
        for function, devfn in FUNCTIONS.items():
            for offset in BARS:
                masks = []
                for machine in self.both():
                    machine.out("l", 0xCF8, 0x80000000 | devfn << 8 | offset)
                    machine.out("l", 0xCFC, 0xFFFFFFFF)
                    masks.append(machine.inl(0xCFC))
                    machine.out("l", 0xCFC, 0)
                if masks[0] != masks[1]:
                    raise RuntimeError(f"{function} BAR 0x{offset:x}: Umbra {masks[0]:08x}, "
                                       f"QEMU {masks[1]:08x}")
                if masks[0]:
                    found.append((function, offset, masks[0]))
        return found

    def difference(self):
        """The first difference, as text, or None."""
        ours, theirs = (machine.views() for machine in self.both())
        common = set(ours) & set(theirs)
        if not {"memory", "I/O"} <= common:
            return f"address spaces: Umbra {sorted(ours)}, QEMU {sorted(theirs)}"
        for name in sorted(common - self.stale):
            if ours[name] != theirs[name]:
                lines = [f'address space "{name}":']
                lines += [f"  Umbra {line.strip()}" for line in ours[name]
                          if line not in theirs[name]]
                lines += [f"  QEMU  {line.strip()}" for line in theirs[name]
                          if line not in ours[name]]
                return "\n".join(lines)
        return None


# -- Steps ---------------------------------------------------------------------------------

def address(rng, is_io):
    """Somewhere free, or where something is already; but not over the configuration ports,
    which would be the last that is heard of either machine."""
    if is_io:
        port = rng.choice([rng.randrange(0x10000), 0, 0x60, 0x1F0, 0xAE00, 0xB100, 0xC000,
                           0xFFF0, rng.randrange(1 << 32)])
        return port ^ 0x1000 if port & 0xFFC0 == 0xCC0 else port
    return rng.choice([rng.randrange(1 << 32), 0xA0000, 0xC0000, 0x7FF0000, 0x8000000,
                       0xE0000000, 0xFEC00000, 0xFFFC0000, 0xFFFFFFFF, 0])


def config(function, offset, size, value):
    return ("config", function, offset, size, value)


def random_step(rng, bars):
    kind = rng.choices(["pam", "wide pam", "smram", "bar", "command", "power", "reset"],
                       [40, 5, 10, 15, 15, 12, 3])[0]
    if kind == "pam":
        return config("i440FX", rng.choice(PAM), "b", rng.randrange(256))
    if kind == "wide pam":
        return config("i440FX", 0x5C, "l", rng.randrange(1 << 32))
    if kind == "smram":
        value = rng.randrange(256) & ~(SMRAM_LOCK | SMRAM_CLOSED)
        return config("i440FX", SMRAM, "b",
                      value | SMRAM_ENABLE if value & SMRAM_OPEN else value)
    if kind == "bar" and bars:
        function, offset, mask = rng.choice(bars)
        return config(function, offset, "l", address(rng, mask & 1))
    if kind == "command":
        return config(rng.choice(list(FUNCTIONS)), COMMAND, "w", rng.randrange(8))
    if kind == "power":
        return rng.choice([
            config("PIIX4_PM", PM_BASE, "l", address(rng, True)),
            config("PIIX4_PM", PM_ENABLE, "b", rng.randrange(256)),
            config("PIIX4_PM", SMBUS_BASE, "l", address(rng, True)),
            config("PIIX4_PM", SMBUS_ENABLE, "b", rng.randrange(256)),
        ])
    return ("reset",)


def step_text(step):
    if step[0] == "reset":
        return "system_reset"
    _, function, offset, size, value = step
    return f"{function} 0x{offset:02x} <- 0x{value:0{ {'b': 2, 'w': 4, 'l': 8}[size]}x}"


def replay(arguments, steps):
    """How many steps it takes to differ, and the difference; None: they do not."""
    with Pair(arguments) as pair:
        for count, step in enumerate([None] + steps):
            if step:
                pair.apply(step)
            difference = pair.difference()
            if difference:
                return count, difference
    return None


def shrink(arguments, steps):
    """Leaves out ever smaller parts as long as the rest still differs."""
    size = max(len(steps) // 2, 1)
    replays = 0
    while replays < REPLAYS:
        start, shorter = 0, False
        while start < len(steps) and replays < REPLAYS:
            candidate = steps[:start] + steps[start + size:]
            failure = replay(arguments, candidate)
            replays += 1
            if failure:
                steps, shorter = candidate[:failure[0]], True
            else:
                start += size
        if size == 1 and not shorter:
            break
        size = max(size // 2, 1)
    return steps


def fail(arguments, steps):
    print(f"differs after {len(steps)} steps; shrinking", flush=True)
    steps = shrink(arguments, steps)
    failure = replay(arguments, steps)
    for step in steps:
        print(f"  {step_text(step)}")
    print(failure[1] if failure else "the shrunk sequence differs only sometimes")
    return 1


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("umbra", help="path of umbra-system-x86_64")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--qemu", default=shutil.which("qemu-system-x86_64"))
    parser.add_argument("--machine", default="", help="more machine properties")
    return parser.parse_args()


def cannot_tell(arguments):
    if not arguments.qemu:
        return "needs qemu-system-x86_64 7.2; install qemu-system-x86"
    version = subprocess.run([arguments.qemu, "--version"], capture_output=True, text=True,
                             check=False, timeout=TIMEOUT).stdout
    if "version 7.2" not in version:
        return f"{arguments.qemu} is not version 7.2 but '{version.splitlines()[:1]}'"
    return None


def main():
    arguments = parse()
    reason = cannot_tell(arguments)
    if reason:
        print(f"pam-random: {reason}")
        return 77
    print(f"pam-random: --seed {arguments.seed} --steps {arguments.steps}", flush=True)
    rng = random.Random(arguments.seed)
    with Pair(arguments) as pair:
        bars = pair.bars()
        steps = []
        difference = pair.difference()
        while not difference and len(steps) < arguments.steps:
            steps.append(random_step(rng, bars))
            pair.apply(steps[-1])
            difference = pair.difference()
    if difference:
        return fail(arguments, steps)
    print(f"pam-random: {len(steps)} steps, no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
