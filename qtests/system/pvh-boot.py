#!/usr/bin/env python3
"""A PVH kernel looks from inside at what it was started with, field by field, on microvm,
firecracker and pc, on each accelerator, from 16 MiB to 64 GiB. The numbers expected are Xen's
(start_info.h), Firecracker's (layout.rs) and, for pc, E820's; memory maps are worked out here,
and on pc the installed QEMU is asked as well."""
import pathlib
import shutil
import struct
import tempfile

from harness import BUILD, SYSTEM, Checks, accels, run

KERNEL = BUILD / "firmware" / "guest" / "pvh-kernel.elf"
MIB, GIB = 1 << 20, 1 << 30
GAP = {"microvm": 3 * GIB, "firecracker": 0xd0000000}


def start(machine, accel, memory, *arguments, emulator=SYSTEM):
    return run([emulator, "-M", machine, "-accel", accel, "-m", memory, "-nodefaults", "-display",
                "none", "-kernel", KERNEL, "-debugcon", "stdio", "-global",
                "isa-debugcon.iobase=0x402", "-device", "isa-debug-exit,iobase=0x501",
                *arguments], errors="replace")


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
        "rsdp": ["00000000 00000000 none"], "cmdline": ["console=ttyS0 quiet"],
        "module": [f"{top:08x} {module.stat().st_size:08x} "
                   f"{rotated_sum(module.read_bytes()):08x} {module} some words"],
        "task": ["00000018"]}, f"{what}: {told}")
    checks.check(is_content(ran), f"{what}: {ran}")

    ran = start(f"{machine},pvh-version=0", accel, "32M")
    checks.check(lines(ran, "version") == ["00000000"] and not lines(ran, "map")
                 and ran.stdout.endswith("done\n"), f"{what}, version 0: {ran.stdout}")


def is_content(ran):
    """The kernel has come to its end and found no fault."""
    return ran.stdout.endswith("done\n") and not [
        line for line in ran.stdout.splitlines() if line.startswith(("wrong", "bss"))]


# -- pc: SeaBIOS runs pvh.bin, which makes the structure of E820 and of what fw_cfg has --

def e820(size, accel):
    """Of pc-i440fx-7.2: RAM below the hole is 3 GiB once it would reach 3.5 GiB. With KVM its
    TSS and page table at 0xfeffc000 are there as well."""
    low = 3 * GIB if size >= 0xe0000000 else size
    ranges = [(0, 0x9fc00, 1), (0x9fc00, 0x400, 2), (0xf0000, 0x10000, 2),
              (MIB, low - MIB - 0x20000, 1), (low - 0x20000, 0x20000, 2)]
    ranges += [(0xfeffc000, 0x4000, 2)] if accel == "kvm" else []
    ranges += [(0xfffc0000, 0x40000, 2)]
    ranges += [(4 * GIB, size - low, 1)] if size > low else []
    # AMD's HyperTransport range; KVM shows the host's processor.
    amd = accel != "kvm" or "AuthenticAMD" in pathlib.Path("/proc/cpuinfo").read_text()
    ranges += [(0xfd00000000, 0x300000000, 2)] if amd else []
    return [f"{words64(start, length)} {kind:08x} 00000000" for start, length, kind in ranges]


def report(ran):
    """What the kernel said, behind the firmware's lines."""
    said = ran.stdout.splitlines()
    return said[next((i for i, line in enumerate(said) if line.startswith("registers")), 0):]


def check_pc(checks, folder):
    module = folder / "module"
    content = module.read_bytes()
    arguments = ["-append", "a command line", "-initrd", module]
    qemu = shutil.which("qemu-system-x86_64")
    # QEMU leaves 160 KiB at the top of low RAM to the firmware's tables, and a byte.
    at = 16 * MIB - 160 * 1024 - 1 - len(content) & ~0xfff
    for accel in accels():
        ran = start("pc", accel, "16M", *arguments)
        rsdp = (lines(ran, "rsdp") or ["0 0"])[0].split(" ")
        what = f"pc, {accel}: {ran.stdout} {ran.stderr}"
        checks.check(is_content(ran) and lines(ran, "map") == e820(16 * MIB, accel), what)
        # EFLAGS, EBX and the module's (empty) words are pvh.bin's.
        checks.check(lines(ran, "registers") == ["00000011 00000000 00000006 000021e0"], what)
        checks.check(lines(ran, "version") == ["00000001"] and lines(ran, "cmdline")
                     == ["a command line"], what)
        checks.check(lines(ran, "module") == [f"{at:08x} {len(content):08x} "
                                              f"{rotated_sum(content):08x} "], what)
        checks.check(rsdp[2:] == ["valid"] and 0xf0000 <= int(rsdp[1], 16) < 0x100000, what)
        if qemu and accel == "x86emu":
            theirs = start("pc", "tcg", "16M", *arguments, emulator=qemu)
            checks.check(report(ran) == report(theirs), f"{what}, on QEMU {report(theirs)}")
        sizes = [0xe0000000, 64 * GIB]  # nested KVM takes seconds for each
        if accel == "x86emu":
            sizes += [128 * MIB, 3 * GIB, 3 * GIB + 4096, 0xe0000000 - 4096, 4 * GIB, 5 * GIB]
        for size in sizes:
            ran = start("pc", accel, f"{size // 1024}K")
            checks.check(is_content(ran) and lines(ran, "map") == e820(size, accel),
                         f"pc, {accel}, {size:#x}: {report(ran)}")
    for machine, rsdp in (("pc-i440fx-4.0", "valid"), ("isapc", "none")):  # which has no ACPI
        ran = start(machine, "x86emu", "32M", "-global", "fw_cfg_io.dma_enabled=off")
        checks.check(is_content(ran) and lines(ran, "rsdp")[0].endswith(rsdp),
                     f"{machine}: {report(ran)}")


def kernel_at(folder, name, *changes):
    """The kernel's file with some of its words changed: (offset, value)."""
    image = bytearray(KERNEL.read_bytes())
    for offset, value in changes:
        struct.pack_into("<I", image, offset, value)
    path = folder / name
    path.write_bytes(image)
    return path


def check_pc_refusals(checks, folder):
    image = KERNEL.read_bytes()
    header = struct.unpack_from("<I", image, 28)[0]  # Elf32_Ehdr.e_phoff
    load, size = header + 12, header + 20            # p_paddr and p_memsz of the first
    note = image.index(b"Xen\0") + 4
    entry = struct.unpack_from("<I", image, note)[0] - MIB
    for kernel, arguments, expected in (
            (folder / "cut.elf", [], "truncated"),
            (folder / "other.elf", [], "no PHYS32_ENTRY note"),
            (kernel_at(folder, "note.elf", (note, 0x80000)), [],
             "points to 0x80000, outside its segments"),
            (kernel_at(folder, "low.elf", (load, 0x8000), (note, entry + 0x8000)), [],
             "its segment at 0x8000-"),
            (kernel_at(folder, "far.elf", (load, 0x2000000), (note, entry + 0x2000000)), [],
             "is not in RAM"),
            (kernel_at(folder, "large.elf", (size, 0x1f00000 - 0x28000 + 1)), [],
             "over the firmware's tables"),
            (kernel_at(folder, "larger.elf", (size, 0xffeff000)), [],
             "over the firmware's tables"),
            (KERNEL, ["-append", "x" * 4096], "longer than 4095"),
            (KERNEL, ["-initrd", folder / "none"], "No such file"),
            (KERNEL, ["-M", "pc-i440fx-3.1"], "pc-i440fx-4.0 and newer")):
        ran = start("pc", "x86emu", "32M", "-kernel", kernel, *arguments)
        checks.check(ran.returncode == 1 and expected in ran.stderr
                     and len(ran.stderr.splitlines()) == 1,
                     f"pc, {kernel} {arguments}: {ran.returncode} {ran.stderr!r}")
    # QEMU looks for a Multiboot header first, whose information is at 0x9500.
    both = kernel_at(folder, "both.elf", (0x200, 0x1badb002), (0x204, 0),
                     (0x208, -0x1badb002 & 0xffffffff))
    ran = start("pc", "x86emu", "32M", "-kernel", both)
    checks.check(report(ran)[0].endswith(" 00009500") and "wrong magic" in report(ran),
                 f"Multiboot and PVH: {report(ran)} {ran.stderr}")


def check_segments(checks, folder):
    """microvm's start info is at 0x6000 (layout.rs): a kernel there would be written over."""
    image = KERNEL.read_bytes()
    header = struct.unpack_from("<I", image, 28)[0]
    note = image.index(b"Xen\0") + 4
    entry = struct.unpack_from("<I", image, note)[0] - MIB
    kernel = kernel_at(folder, "over.elf", (header + 12, 0x6000), (note, entry + 0x6000))
    ran = start("microvm", "x86emu", "32M", "-kernel", kernel)
    checks.check(ran.returncode == 1 and "lies over the start info at 0x6000" in ran.stderr
                 and len(ran.stderr.splitlines()) == 1, f"over the start info: {ran.stderr!r}")


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
                    checks.check(lines(ran, "map") == memory_map(machine, size)
                                 and is_content(ran),
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
        check_segments(checks, folder)
        check_pc(checks, folder)
        check_pc_refusals(checks, folder)
    checks.close()


main()
