#!/usr/bin/env python3
"""A PVH kernel looks from inside at what it was started with, field by field, on microvm and
firecracker, on each accelerator, from 16 MiB to 64 GiB. The numbers expected are Xen's
(start_info.h) and Firecracker's (layout.rs); memory maps are worked out here."""
import pathlib
import tempfile

from harness import BUILD, SYSTEM, Checks, accels, run

KERNEL = BUILD / "firmware" / "guest" / "pvh-kernel.elf"
MIB, GIB = 1 << 20, 1 << 30
GAP = {"microvm": 3 * GIB, "firecracker": 0xd0000000}


def start(machine, accel, memory, *arguments):
    return run([SYSTEM, "-M", machine, "-accel", accel, "-m", memory, "-nodefaults", "-display",
                "none", "-kernel", KERNEL, "-debugcon", "stdio", "-global",
                "isa-debugcon.iobase=0x402", "-device", "isa-debug-exit,iobase=0x501",
                *arguments])


def lines(ran, word):
    return [line[len(word) + 1:] for line in ran.stdout.splitlines()
            if line.split(" ")[0] == word]


def words64(*values):
    return " ".join(f"{value >> 32:08x} {value & 0xffffffff:08x}" for value in values)


def memory_map(machine, size):
    """RAM up to the gap, the rest from 4 GiB."""
    low = min(size, GAP[machine])
    ranges = [(0, low)] + ([(4 * GIB, size - low)] if size > low else [])
    return [f"{words64(*entry)} 00000001 00000000" for entry in ranges]


def rotated_sum(data):
    total = 0
    for byte in data:
        total = ((total << 1 | total >> 31) + byte) & 0xffffffff
    return total


def check_fields(checks, machine, accel, module):
    what = f"{machine}, {accel}"
    ran = start(machine, accel, "32M", "-append", "console=ttyS0 quiet", "-initrd",
                f"{module} some words")
    top = 32 * MIB - 0x1000
    told = {word: lines(ran, word) for word in
            ("registers", "magic", "version", "flags", "rsdp", "cmdline", "module", "task")}
    checks.check(told == {
        # pvh.pandoc: CR0.PE alone beside the fixed ET, CR4 0, interrupts off, EBX.
        "registers": ["00000011 00000000 00000002 00006000"],
        "magic": ["336ec578"], "version": ["00000001"], "flags": ["00000000"],
        "rsdp": ["00000000 00000000"], "cmdline": ["console=ttyS0 quiet"],
        "module": [f"{top:08x} {module.stat().st_size:08x} "
                   f"{rotated_sum(module.read_bytes()):08x} {module} some words"],
        "task": ["00000018"]}, f"{what}: {told}")
    checks.check(ran.stdout.endswith("done\n") and "bss" not in ran.stdout, f"{what}: {ran}")

    ran = start(f"{machine},pvh-version=0", accel, "32M")
    checks.check(lines(ran, "version") == ["00000000"] and not lines(ran, "map")
                 and ran.stdout.endswith("done\n"), f"{what}, version 0: {ran.stdout}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        module = folder / "module"
        module.write_bytes(bytes(range(256)) * 5)
        for machine, gap in GAP.items():
            for accel in accels():
                check_fields(checks, machine, accel, module)
                for size in (16 * MIB, gap - 4096, gap, gap + 4096, 4 * GIB, 64 * GIB):
                    ran = start(machine, accel, f"{size // 1024}K")
                    checks.check(lines(ran, "map") == memory_map(machine, size),
                                 f"{machine}, {accel}, {size:#x}: {ran.stdout} {ran.stderr}")
        other = folder / "other.elf"
        image = bytearray(KERNEL.read_bytes())
        other.write_bytes(image.replace(b"Xen\0", b"Zen\0"))
        cut = folder / "cut.elf"
        cut.write_bytes(image[:len(image) // 2])
        for arguments, expected in (
                (["-kernel", other], "not a PVH kernel"), (["-kernel", cut], "truncated"),
                (["-kernel", "/etc/hostname"], "not an ELF file"),
                (["-kernel", folder / "none"], "No such file"),
                (["-append", "x" * 2048], "longer than 2047"),
                (["-bios", "bios.bin"], "no firmware"),
                (["-M", "microvm,pvh-version=2"], "pvh-version=2")):
            ran = start("microvm", "x86emu", "32M", *arguments)
            checks.check(ran.returncode == 1 and expected in ran.stderr
                         and len(ran.stderr.splitlines()) == 1, f"{arguments}: {ran.stderr!r}")
    checks.close()


main()
