#!/usr/bin/env python3
"""-kernel, -initrd and -append: our own Linux and Multiboot kernels print what they were told,
and say the same as on the installed QEMU; what is not a kernel ends in one line."""
import pathlib
import shutil
import subprocess
import tempfile

from harness import BUILD, SYSTEM, Checks, accels, run

GUEST = BUILD / "firmware" / "guest"
LINUX, MULTIBOOT = GUEST / "linux-kernel.bin", GUEST / "multiboot-kernel.bin"


def boot(emulator, *arguments, machine="pc"):
    """The exit status and what the guest printed after the firmware's lines."""
    try:
        ran = run([*emulator, "-M", machine, "-m", "64", "-nodefaults", "-display", "none",
                   "-device", "isa-debug-exit,iobase=0x501", "-global",
                   "isa-debugcon.iobase=0x402", "-debugcon", "stdio", *map(str, arguments)],
                  timeout=100, errors="replace")
    except subprocess.TimeoutExpired as late:
        return None, [f"nothing more after {late.timeout} s"]
    lines = ran.stdout.splitlines()
    start = [i for i, line in enumerate(lines) if line.startswith(("magic ", "setup "))]
    return ran.returncode, lines[start[0]:] if start else lines[-3:] + [ran.stderr]


def checksum(data):
    value = 0
    for byte in data:
        value = ((value << 1 | value >> 31) + byte) & 0xffffffff
    return value


def kernels(folder):
    """(name, arguments, lines that must be there), from what the formats say."""
    initrd, module = bytes(i * 7 & 0xff for i in range(70001)), b"a module"
    (folder / "initrd").write_bytes(initrd)
    (folder / "module").write_bytes(module)
    elf = folder / "multiboot.elf"
    make_elf(elf)
    told = [f"module 000 {len(initrd):08x} {checksum(initrd):08x} {folder}/initrd its words",
            f"module 000 {len(module):08x} {checksum(module):08x} {folder}/module"]
    modules = f"{folder}/initrd its words,{folder}/module"
    high = 0x4000000 - 0x20000 - 1 - len(initrd) & ~0xfff  # below the firmware's tables
    yield ("Linux", ["-kernel", LINUX, "-append", "console=ttyS0 vga=ask", "-initrd",
                     folder / "initrd"],
           ["setup 00010000", "cmdline console=ttyS0 vga=ask", "mode 0000fffd",
            f"initrd {high:08x} {len(initrd):08x} {checksum(initrd):08x}", "done"])
    yield ("Linux alone", ["-kernel", LINUX],
           ["cmdline ", "initrd 00000000 00000000 00000000", "done"])
    yield ("Multiboot", ["-kernel", MULTIBOOT, "-append", "one two", "-initrd", modules],
           ["magic 2badb002", f"cmdline {MULTIBOOT} one two", *told, "done"])
    yield ("Multiboot alone", ["-kernel", MULTIBOOT],
           ["magic 2badb002", f"cmdline {MULTIBOOT} ", "done"])
    yield ("Multiboot as ELF", ["-kernel", elf, "-append", "elf", "-initrd", modules],
           [f"cmdline {elf} elf", *told, "done"])


def make_elf(path):
    """The Multiboot kernel's ELF file, with a header that leaves the addresses to ELF."""
    image = bytearray((GUEST / "multiboot-kernel.elf").read_bytes())
    at = image.index((0x1badb002).to_bytes(4, "little") + (0x10003).to_bytes(4, "little"))
    image[at + 4:at + 8] = (3).to_bytes(4, "little")
    image[at + 8:at + 12] = (-0x1badb002 - 3 & 0xffffffff).to_bytes(4, "little")
    path.write_bytes(image)


def refusals(folder):
    garbage, cut = folder / "garbage", folder / "cut"
    garbage.write_bytes(b"no kernel" * 1000)
    cut.write_bytes(LINUX.read_bytes()[:2000])
    big = folder / "big"
    big.touch()
    big.open("r+b").truncate(64 << 20)
    yield ["-kernel", garbage], "not a kernel"
    yield ["-kernel", cut], "truncated"
    yield ["-kernel", folder / "nothing"], "No such file"
    yield ["-kernel", LINUX, "-initrd", big], "too large"
    yield ["-kernel", LINUX, "-append", "x" * 300], "-append is 300 bytes long"
    yield ["-kernel", MULTIBOOT, "-initrd", f"{big}"], "too large"
    yield ["-kernel", MULTIBOOT, "-initrd", f"{garbage},{folder}/nothing"], "No such file"
    yield ["-initrd", big], "-kernel"
    yield ["-append", "x"], "-kernel"


def main():
    checks = Checks()
    ours = [(accel, [SYSTEM, "-accel", accel]) for accel in accels()]
    qemu = ["qemu-system-x86_64", "-accel", "tcg"] if shutil.which("qemu-system-x86_64") else None
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for kernel, arguments, wanted in kernels(folder):
            expected = boot(qemu, *arguments) if qemu else None
            if expected:
                checks.check(set(wanted) <= set(expected[1]) and expected[0] == 1,
                             f"QEMU: {kernel}: {expected}, without {wanted}")
            for accel, emulator in ours:
                # Nested KVM runs real-mode code hundreds of times slower than a real host.
                if accel == "kvm" and kernel not in ("Linux", "Multiboot"):
                    continue
                status, lines = boot(emulator, *arguments)
                checks.check(set(wanted) <= set(lines) and status == 1,
                             f"{accel}: {kernel}: {status} {lines}, without {wanted}")
                if expected and accel == "x86emu":
                    checks.check(lines == expected[1],
                                 f"{accel}: {kernel}: {lines}, and QEMU {expected[1]}")
        for rom in ("on", "off"):
            status, lines = boot(ours[0][1], "-kernel", LINUX, "-global",
                                 f"fw_cfg_io.dma_enabled={rom}")
            checks.check("done" in lines, f"by fw_cfg DMA {rom}: {lines}")
        status, lines = boot(ours[0][1], "-kernel", LINUX, machine="isapc")
        checks.check("done" in lines, f"isapc: {lines}")
        for arguments, words in refusals(folder):
            ran = run([SYSTEM, "-M", "pc", "-m", "64", "-nodefaults", "-display", "none",
                       *map(str, arguments)])
            checks.check(ran.returncode == 1 and words in ran.stderr
                         and len(ran.stderr.splitlines()) == 1,
                         f"{arguments}: {ran.returncode} {ran.stderr!r}")
    checks.close()


main()
