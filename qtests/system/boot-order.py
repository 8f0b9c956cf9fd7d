#!/usr/bin/env python3
"""-boot and bootindex: what the firmware is told is what QEMU tells it, `once=` holds for one
boot, and what contradicts itself ends in one line."""
import pathlib
import shutil
import tempfile

from harness import BUILD, SYSTEM, Checks, run

GUEST = BUILD / "firmware" / "guest"
OURS = [SYSTEM, "-accel", "x86emu"]
QEMU = ["qemu-system-x86_64", "-accel", "tcg"]
COMMON = ["-m", "16", "-nodefaults", "-display", "none", "-device",
          "isa-debug-exit,iobase=0x501", "-global", "isa-debugcon.iobase=0x402",
          "-debugcon", "stdio"]


def files(emulator, *arguments):
    """{name: bytes} of fw_cfg's files about booting, as a guest reads them."""
    ran = run([*emulator, *COMMON, "-bios", GUEST / "fw-cfg-dump.bin", *arguments], timeout=60)
    lines = [line.split(" ") for line in ran.stdout.splitlines() if line.startswith("file ")]
    return {name: bytes.fromhex(data) for _, _, _, name, _, data in lines if "boot" in name}


def sector(path, name, method=4, times=3):
    """A boot sector that reboots by triple fault and says `name` in its lines."""
    image = bytearray((GUEST / "reboot-sector.bin").read_bytes())
    image[16:20] = [method, 1, times, 0]
    path.write_bytes(bytes(image).replace(b"umbra: boot", name) + bytes(1474560 - len(image)))


def main():
    checks = Checks()
    emulators = [OURS] + ([QEMU] if shutil.which(QEMU[0]) else [])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        disk, floppy = folder / "disk.img", folder / "floppy.img"
        sector(disk, b"disk1: boot")
        sector(floppy, b"flop1: boot")
        given = ["-drive", f"file={disk},format=raw,if=none,id=d",
                 "-device", "ide-hd,drive=d,bus=ide.1,unit=0,bootindex=5",
                 "-device", "ide-cd,bus=ide.0,unit=1,bootindex=2",
                 "-drive", f"if=floppy,file={floppy},format=raw",
                 "-global", "isa-fdc.bootindexA=7",
                 "-boot", "menu=on,strict=on,splash-time=1234,reboot-timeout=77"]
        wanted = {
            "bootorder": b"/pci@i0cf8/ide@1,1/drive@0/disk@1\n/pci@i0cf8/ide@1,1/drive@1/disk@0\n"
                         b"/pci@i0cf8/isa@1/fdc@03f0/floppy@0\nHALT\0",
            "etc/boot-menu-wait": (1234).to_bytes(2, "little"),
            "etc/boot-fail-wait": (77).to_bytes(4, "little"),
        }
        for emulator in emulators:
            told = files(emulator, *given)
            checks.check(told == wanted, f"{emulator[0]}: {told}, not {wanted}")
            told = files(emulator)
            checks.check(told == {"bootorder": b"", "etc/boot-fail-wait": b"\xff" * 4},
                         f"{emulator[0]} by default: {told}")
            ran = run([*emulator, *COMMON, "-bios", "/usr/share/seabios/bios-256k.bin",
                       "-hda", disk, "-fda", floppy, "-boot", "once=a,order=c"], timeout=100)
            boots = [line for line in ran.stdout.splitlines() if "1: boot " in line]
            checks.check(boots == ["flop1: boot 1", "disk1: boot 2", "disk1: boot 3"],
                         f"{emulator[0]}: once=a,order=c boots {boots}")
        for arguments, words in (
                (["-drive", f"file={disk},format=raw,if=none,id=d", "-device",
                  "ide-hd,drive=d,bootindex=1", "-device", "ide-cd,bootindex=1"], "already taken"),
                (["-boot", "strict=perhaps"], "strict=perhaps"),
                (["-boot", "splash-time=70000"], "splash-time=70000"),
                (["-boot", "once=x"], "not a boot order"),
                (["-option-rom", "no-such.rom"], "no-such.rom"),
                (["-option-rom", "kvmvapic.bin,bootindex=-3"], "bootindex=N")):
            ran = run([*OURS, *COMMON, *arguments])
            checks.check(ran.returncode == 1 and words in ran.stderr
                         and len(ran.stderr.splitlines()) == 1,
                         f"{arguments}: {ran.returncode} {ran.stderr!r}")
        told = files(OURS, "-option-rom", "sgabios.bin,bootindex=3")
        checks.check(told["bootorder"] == b"/rom@genroms/sgabios.bin\0", f"-option-rom: {told}")
    checks.close()


main()
