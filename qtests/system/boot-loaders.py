#!/usr/bin/env python3
"""What people boot, driven over the serial line: GRUB of Debian's grub-pc-bin on a raw disk
image, which `reboot` brings back; iPXE's option ROM up to its command line; Bochs' BIOS image.
Each runs on this build and, as the reference, on the installed QEMU."""
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

from harness import SYSTEM, Checks, accels, skip

GRUB = pathlib.Path("/usr/lib/grub/i386-pc")
IPXE = pathlib.Path("/usr/lib/ipxe/qemu/pxe-e1000.rom")
BOCHS = pathlib.Path("/usr/share/bochs")
GRUB_MODULES = "biosdisk serial terminal normal reboot echo lsmmap cat hexdump ls".split()
GRUB_CONFIG = """serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
"""


class Console:
    """A machine whose first serial port is this object's line."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            [*command, "-nodefaults", "-display", "none", "-serial", "stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def expect(self, text, timeout):
        """Takes what the guest says up to `text`, and returns it; None when it is late."""
        end = time.monotonic() + timeout
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 4096)
            if not data:
                return None
            self.seen += data.decode("latin-1")
        said, self.seen = self.seen.split(text, 1)
        return said

    def type(self, text):
        for byte in text.encode():  # a UART's FIFO is 16 bytes, a loader's patience less
            self.process.stdin.write(bytes([byte]))
            self.process.stdin.flush()
            time.sleep(0.01)


def grub_disk(folder):
    """An image with GRUB's core behind its boot sector, where that looks for it by default."""
    config, core, disk = folder / "early.cfg", folder / "core.img", folder / "grub.img"
    config.write_text(GRUB_CONFIG)
    subprocess.run(["grub-mkimage", "-O", "i386-pc", "-o", core, "-p", "(hd0)/boot/grub",
                    "-c", config, *GRUB_MODULES], check=True)
    image = (GRUB / "boot.img").read_bytes() + core.read_bytes()
    disk.write_bytes(image + bytes((1 << 20) - len(image)))
    return disk


def boot_grub(checks, name, command, disk, timeout):
    """The prompt; a command that calls the BIOS; one that reads the disk; and `reboot`."""
    drive = f"file={disk},format=raw,if=ide"
    with Console([*command, "-drive", drive]) as grub:
        if not checks.check(grub.expect("grub> ", timeout) is not None,
                            f"{name}: GRUB's prompt, not {grub.seen[-300:]!r}"):
            return
        grub.type("lsmmap\r")
        said = grub.expect("grub> ", timeout) or ""
        checks.check("base_addr = 0x100000" in said and "available RAM" in said,
                     f"{name}: the memory map, not {said!r}")
        grub.type("hexdump -s 510 -n 2 (hd0)0+1\r")
        said = grub.expect("grub> ", timeout) or ""
        checks.check("55 aa" in said, f"{name}: the boot signature, not {said!r}")
        grub.type("reboot\r")
        checks.check(grub.expect("GNU GRUB", timeout) is not None
                     and grub.expect("grub> ", timeout) is not None,
                     f"{name}: GRUB again after 'reboot', not {grub.seen[-300:]!r}")
        grub.type("echo again on $grub_platform\r")
        checks.check(grub.expect("again on pc", timeout) is not None,
                     f"{name}: GRUB works after 'reboot', not {grub.seen[-300:]!r}")


def boot_ipxe(checks, name, command, folder, timeout):
    """SeaBIOS runs the ROM's initialization and then, there being no disk, boots from it;
    its screen and keyboard are the serial line (SeaBIOS' etc/sercon-port)."""
    port = folder / "sercon-port"
    port.write_bytes((0x3f8).to_bytes(8, "little"))
    with Console([*command, "-fw_cfg", f"name=genroms/pxe.rom,file={IPXE}",
                  "-fw_cfg", f"name=etc/sercon-port,file={port}"]) as ipxe:
        if not checks.check(ipxe.expect("for the iPXE command line...", timeout) is not None,
                            f"{name}: iPXE's banner, not {ipxe.seen[-300:]!r}"):
            return
        ipxe.type("\x02")
        checks.check(ipxe.expect("iPXE> ", timeout) is not None,
                     f"{name}: iPXE's prompt, not {ipxe.seen[-300:]!r}")
        ipxe.type("echo this is ${platform}\r")
        checks.check(ipxe.expect("this is pcbios", timeout) is not None,
                     f"{name}: iPXE answers, not {ipxe.seen[-300:]!r}")


def boot_bochs(checks, name, command, disk, timeout):
    """On isapc: with a local APIC the image waits forever for a timer interrupt that LINT0,
    masked at reset, does not let through; on QEMU too."""
    drive = f"file={disk},format=raw,if=ide"
    for image in ("BIOS-bochs-latest", "BIOS-bochs-legacy"):
        with Console([*command, "-M", "isapc", "-bios", BOCHS / image, "-drive", drive]) as bios:
            checks.check(bios.expect("grub> ", timeout) is not None,
                         f"{name}: {image} boots GRUB, not {bios.seen[-300:]!r}")


def main():
    checks = Checks()
    have_grub = shutil.which("grub-mkimage") and (GRUB / "kernel.img").exists()
    runs = [(accel, [SYSTEM, "-accel", accel, "-m", "64"], 60 if accel == "x86emu" else 200)
            for accel in accels()]
    if shutil.which("qemu-system-x86_64"):
        runs.append(("QEMU tcg", ["qemu-system-x86_64", "-accel", "tcg", "-m", "64"], 60))
    missing = [package for package, there in
               (("grub-pc-bin", have_grub), ("ipxe-qemu", IPXE.exists()),
                ("bochsbios", BOCHS.exists())) if not there]
    if len(missing) == 3:
        skip(f"Debian's {', '.join(missing)} are not installed")
    if missing:
        print(f"left out: {', '.join(missing)}, not installed", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        disk = grub_disk(folder) if have_grub else None
        for accel, command, timeout in runs:
            # Nested KVM runs real-mode code hundreds of times slower than a real host.
            slow = accel == "kvm"
            for what, boot, there, argument in (
                    ("GRUB", boot_grub, have_grub, disk),
                    ("iPXE", boot_ipxe, IPXE.exists() and not slow, folder),
                    ("Bochs' BIOS", boot_bochs, BOCHS.exists() and have_grub and not slow, disk)):
                start = time.monotonic()
                if there:
                    boot(checks, accel, command, argument, timeout)
                    print(f"{accel}: {what}: {time.monotonic() - start:.1f} s", flush=True)
    checks.close()


main()
