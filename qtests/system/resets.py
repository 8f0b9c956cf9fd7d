#!/usr/bin/env python3
"""Ten thousand resets of our own ROM, and a hundred reboots of SeaBIOS, in one process on
each accelerator, leave its memory where it was: what is resident and private after the last
is held against the same after a short warm-up."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from harness import BUILD, SYSTEM, Checks, accels

SLACK_KIB = 512  # malloc's own movements


def private_kib(pid):
    """Memory that is the process's alone, without the guest's RAM (a shared mapping)."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1])
    raise RuntimeError("no Anonymous: in smaps_rollup")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_for(log, done, process, timeout):
    """Reads the debug console's file until done(text)."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        text = log.read_text(errors="replace") if log.exists() else ""
        if done(text):
            return text
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}: {text[-300:]!r}")
        time.sleep(0.01)
    raise RuntimeError(f"not within {timeout} s: {log.read_text(errors='replace')[-300:]!r}")


def own_rom(accel, resets, folder):
    """(kib, descriptors) after 1 % of the resets and after all."""
    log = folder / f"{accel}-rom.log"
    process = subprocess.Popen(
        [SYSTEM, "-nodefaults", "-display", "none", "-accel", accel, "-m", "16", "-no-shutdown",
         "-bios", "reset-loop.bin", "-fw_cfg", f"name=opt/umbra/reset,string=kbd {resets}",
         "-global", "isa-debugcon.iobase=0x402", "-debugcon", f"file:{log}"],
        stdin=subprocess.DEVNULL)
    samples = []
    try:
        start = time.monotonic()
        time.sleep(0.3)
        samples.append((private_kib(process.pid), descriptors(process.pid)))
        text = wait_for(log, lambda text: "PASS" in text or "FAIL" in text, process, 600)
        samples.append((private_kib(process.pid), descriptors(process.pid)))
        seconds = time.monotonic() - start
    finally:
        process.kill()
        process.wait()
    return text.strip().splitlines()[-1], samples, seconds


def seabios(accel, reboots, folder):
    log = folder / f"{accel}-seabios.log"
    image = bytearray((BUILD / "firmware" / "guest" / "reboot-sector.bin").read_bytes())
    image[16] = 0  # by the BIOS: it restores itself from 0xfffe0000
    image[18:20] = (reboots + 1).to_bytes(2, "little")
    disk = folder / f"{accel}.img"
    disk.write_bytes(bytes(image) + bytes((1 << 20) - len(image)))
    process = subprocess.Popen(
        [SYSTEM, "-nodefaults", "-display", "none", "-accel", accel, "-no-shutdown",
         "-hda", str(disk), "-global", "isa-debugcon.iobase=0x402", "-debugcon", f"file:{log}"],
        stdin=subprocess.DEVNULL)
    samples = []
    try:
        start = time.monotonic()
        wait_for(log, lambda text: "umbra: boot 4" in text, process, 120)
        samples.append((private_kib(process.pid), descriptors(process.pid)))
        text = wait_for(log, lambda text: "umbra: done" in text, process, 1200)
        samples.append((private_kib(process.pid), descriptors(process.pid)))
        seconds = time.monotonic() - start
    finally:
        process.kill()
        process.wait()
    return text.count("umbra: boot "), samples, seconds


def main():
    checks = Checks()
    # Nested KVM runs real-mode code a few hundred times slower than a real host.
    resets = {"x86emu": 10000, "kvm": int(os.environ.get("UMBRA_KVM_RESETS", "10000"))}
    reboots = {"x86emu": 100, "kvm": int(os.environ.get("UMBRA_KVM_REBOOTS", "100"))}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for accel in sys.argv[1:] or accels():
            last, samples, seconds = own_rom(accel, resets[accel], folder)
            print(f"{accel}: {resets[accel]} resets of our ROM in {seconds:.1f} s: {last}; "
                  f"private KiB and descriptors {samples}", flush=True)
            checks.check(last == f"PASS {resets[accel]}", f"{accel}: {last}")
            checks.check(samples[-1][0] <= samples[0][0] + SLACK_KIB, f"{accel}: {samples}")
            checks.check(samples[-1][1] <= samples[0][1], f"{accel}: {samples}")

            boots, samples, seconds = seabios(accel, reboots[accel], folder)
            print(f"{accel}: {reboots[accel]} reboots of SeaBIOS in {seconds:.1f} s; "
                  f"private KiB and descriptors {samples}", flush=True)
            checks.check(boots == reboots[accel] + 1, f"{accel}: {boots} boots")
            checks.check(samples[-1][0] <= samples[0][0] + SLACK_KIB, f"{accel}: {samples}")
            checks.check(samples[-1][1] <= samples[0][1], f"{accel}: {samples}")
    checks.close()


main()
