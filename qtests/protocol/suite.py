# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the device suites share: cases, checks, and a main program.

A suite is one file for a device. Each of its cases names the section of the data sheet
that it holds the device to, gets a machine just reset and a Check, and runs unchanged on
Umbra and on QEMU. Where QEMU departs from the data sheet, the check says what QEMU gives,
and docs/compatibility.md why Umbra does not.

usage of a suite: FILE PROGRAM, or FILE qemu
Exit status 0: all held, 1: some did not, 77: no such program.
"""
import os
import pathlib
import sys
import tempfile
import traceback

from emulator import QEMU, Emulator, Failure

CASES = []
SAME = object()
BOARD = ["-M", "pc,smm=off", "-m", "16", "-nodefaults"]


class Case:
    def __init__(self, section, options, images, board, only, firmware, function):
        self.section, self.options, self.images = section, options, images
        self.board, self.only, self.function = board, only, function
        self.firmware = firmware

    def machine(self):
        return self.board, self.options, self.images, self.firmware

    def start(self, program, options):
        """With firmware of its own, processors run it; else nothing runs."""
        if not self.firmware:
            return Emulator(program, *options)
        return Emulator(program, *options, firmware=self.firmware,
                        accel="tcg" if program == QEMU else "x86emu")


def case(section, *options, images=None, board=None, only=None, firmware=None):
    """Declares a case: `options` are words beside the board's, where {NAME} is the path of
    the image NAME: its bytes, or how many zeroes. `only` is the program that can run it."""
    def declare(function):
        CASES.append(Case(section, list(options), images or {}, board or BOARD, only, firmware,
                          function))
        return function
    return declare


class Check:
    """Counts what held."""

    def __init__(self, is_qemu):
        self.is_qemu = is_qemu
        self.passed = self.failed = 0
        self.case = ""

    def __call__(self, what, got, want, qemu=SAME):
        """`got` must be `want`; on QEMU `qemu`, where that departs from the data sheet."""
        if self.is_qemu and qemu is not SAME:
            want = qemu
        if got == want and isinstance(got, bool) == isinstance(want, bool):
            self.passed += 1
            return True
        self.failed += 1

        def show(value):
            text = hex(value) if type(value) is int else repr(value)
            return text if len(text) < 200 else text[:200] + "..."
        print(f"FAILED: {self.case}: {what}: {show(got)}, should be {show(want)}", flush=True)
        return False

    def true(self, what, holds):
        return self(what, bool(holds), True)

    def ports(self, machine, rows):
        """Runs rows of (what, port, value): an `out` where `what` is "", else an `in` that
        must give the value, or a pair of value and mask."""
        for what, port, value in rows:
            if not what:
                machine.outb(port, value)
                continue
            value, mask = value if isinstance(value, tuple) else (value, 0xff)
            self(what, machine.inb(port) & mask, value)


def make_images(folder, images):
    paths = {}
    for name, contents in images.items():
        paths[name] = os.path.join(folder, name)
        with open(paths[name], "wb") as file:
            if isinstance(contents, int):
                file.truncate(contents)
            else:
                file.write(contents)
    return paths


def run_case(one, machine, check):
    check.case = f"{one.function.__name__} ({one.section})"
    try:
        one.function(machine, check)
    except (Failure, OSError, ValueError) as problem:
        check.failed += 1
        print(f"FAILED: {check.case}: {problem}", flush=True)
        print("".join(traceback.format_tb(problem.__traceback__)[-1:]), flush=True)


def run_group(group, program, check):
    """The cases of one machine: it is reset before each but the first."""
    first = group[0]
    with tempfile.TemporaryDirectory() as folder:
        paths = make_images(folder, first.images)
        options = [word.format(**paths) if "{" in word else word
                   for word in first.board + first.options]
        if program != QEMU:
            options = [word.replace(",smm=off", "") for word in options]
        machine = None
        try:
            for one in group:
                if not machine or machine.process.poll() is not None:
                    machine = one.start(program, options)
                    machine.paths = paths
                else:
                    machine.reset()
                run_case(one, machine, check)
        finally:
            if machine:
                machine.close()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = QEMU if sys.argv[1] == "qemu" else sys.argv[1]
    if not program or not pathlib.Path(program).exists():
        print("no qemu-system-x86_64 to run on: install Debian's qemu-system-x86")
        return 77
    check = Check(program == QEMU)
    groups = []
    for one in CASES:
        if one.only and (one.only == "QEMU") != check.is_qemu:
            continue
        if not groups or groups[-1][0].machine() != one.machine():
            groups.append([])
        groups[-1].append(one)
    for group in groups:
        try:
            run_group(group, program, check)
        except (Failure, OSError) as problem:
            print(f"FAILED: {group[0].section}: {problem}")
            check.failed += len(group)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed or not check.passed else 0
