#!/usr/bin/env python3
"""`umbra reboot --machine all`, the field's table: every machine type by every method on x86emu,
a few on KVM, with what is known of each here, from data sheets, the systems' sources and, for
microvm and PVH's kernels on pc, the installed QEMU."""
import json
import os
import pathlib
import pty
import shutil
import subprocess
import tempfile

from harness import BUILD, SYSTEM, UMBRA, Checks, accels, run

METHODS = ["bios", "kbd", "pci", "port92", "triple", "ctrl-alt-del", "s3"]
WORKS = ["rebooted"] * 6 + ["resumed"]
KERNEL = BUILD / "firmware" / "guest" / "reboot-kernel.elf"

# In the order of METHODS; what is not here works.
KNOWN = {
    "isapc": ["rebooted"] * 2 + ["hung"] + ["rebooted"] * 3 + ["hung"],
    "rhel6.5.0,emulator=rhel6,reload-firmware=off": ["shutdown"] * 6 + ["resumed"],
    "vmd-7.0": ["fault", "hung", "hung", "hung", "rebooted", "unsupported", "hung"],
    "vmd-7.1": ["rebooted", "hung", "hung", "hung", "rebooted", "unsupported", "hung"],
    "vmd-7.6": ["rebooted", "hung", "hung", "hung", "rebooted", "unsupported", "hung"],
    "microvm": ["unsupported", "hung", "hung", "hung", "rebooted", "unsupported",
                "unsupported"],
    "firecracker": ["unsupported", "shutdown", "hung", "hung", "shutdown", "unsupported",
                    "unsupported"],
    "bhyve": ["unsupported", "rebooted", "rebooted", "hung", "shutdown", "unsupported",
              "unsupported"],
}


def types():
    """Every type by its own name, as the emulator lists them."""
    listed = run([SYSTEM, "-M", "help"]).stdout.splitlines()[1:]
    return [line.split()[0] for line in listed if "(alias of" not in line]


def check_rows(checks, rows):
    for row in rows:
        known = KNOWN.get(row["machine"], WORKS)[METHODS.index(row["method"])]
        checks.check(row["outcome"] == row["expected"] == known, f"known: {known}: {row}")
        # What fails has its reason, and the real system's with it.
        checks.check(known in ("rebooted", "resumed") or ": " in (row["reason"] or ""), row)
        checks.check(row["seconds"] < 240, row)


def check_all(checks):
    done = run([UMBRA, "reboot", "--machine", "all", "--accel", "x86emu", "--json"],
               timeout=1200)
    rows = json.loads(done.stdout)
    machines = list(dict.fromkeys(row["machine"] for row in rows))
    plain = [machine for machine in machines if "," not in machine]
    checks.check(done.returncode == 0, f"status {done.returncode}: {done.stderr}")
    checks.check([row["method"] for row in rows] == METHODS * len(machines), "methods")
    checks.check(sorted(plain) == sorted(set(types()) - {"none"}), f"{plain} {types()}")
    checks.check(set(KNOWN) <= set(machines), f"{machines}")
    check_rows(checks, rows)
    checks.check(f"{len(rows)} rows, {len(rows)} as expected" in done.stderr, done.stderr)
    checks.check("none is left out: it has neither RAM nor processors" in done.stderr,
                 done.stderr)


def check_kvm(checks):
    words = [word for machine in ("microvm", "firecracker", "bhyve")
             for word in ("--machine", machine)]
    done = run([UMBRA, "reboot", *words, *[word for method in METHODS
                                           for word in ("--method", method)],
                "--accel", "kvm", "--jobs", "2", "--json"], timeout=600)
    rows = json.loads(done.stdout)
    checks.check(done.returncode == 0 and len(rows) == 3 * len(METHODS), done.stderr)
    check_rows(checks, rows)
    # Without --accel: of the versions of a PC two on KVM, all on x86emu.
    done = run([UMBRA, "reboot", "--machine", "all", "--method", "kbd"], timeout=1200)
    lines = [line.split() for line in done.stdout.splitlines()]
    of_pc = {accel: [line[0] for line in lines if line[0].startswith("pc-i440fx")
                     and line[1] == accel] for accel in ("x86emu", "kvm")}
    checks.check(done.returncode == 0, done.stdout)
    checks.check(of_pc["kvm"] == ["pc-i440fx-7.2", "pc-i440fx-1.4"], of_pc)
    between = len(of_pc["x86emu"]) - 2
    checks.check(f"stand for the {between} versions between them" in done.stdout, done.stdout)


def check_text(checks):
    """Rows in the plan's order, however many run at a time, and a line of progress for each
    where somebody looks."""
    arguments = [UMBRA, "reboot", "--machine", "microvm", "--machine", "firecracker", "--accel",
                 "x86emu", "--method", "kbd", "--method", "triple"]
    expected = ["machine", "microvm x86emu kbd hung", "microvm x86emu triple rebooted",
                "firecracker x86emu kbd shutdown", "firecracker x86emu triple shutdown",
                "4 rows, 4 as expected"]
    for jobs in ("1", "4"):
        done = run([*arguments, "--jobs", jobs])
        lines = [" ".join(line.split()) for line in done.stdout.splitlines()
                 if not line.startswith("    ")]
        checks.check(done.returncode == 0 and len(lines) == len(expected) and all(
            map(str.startswith, lines, expected)), f"{jobs}: {done.stdout}{done.stderr}")
    ours, theirs = pty.openpty()
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=theirs, timeout=120,
                          stdin=subprocess.DEVNULL, check=False)
    seen = os.read(ours, 100000).decode()
    checks.check(all(f"[{i}/4] " in seen for i in range(1, 5))
                 and seen.endswith("\r\033[K") and done.returncode == 0, repr(seen))
    for jobs in ("-1", "65"):
        done = run([*arguments, "--jobs", jobs])
        checks.check(done.returncode == 1 and f"--jobs {jobs}" in done.stderr, done.stderr)
    done = run([UMBRA, "reboot", "--machine", "none"])
    checks.check(done.returncode == 1 and "neither RAM nor processors" in done.stderr,
                 done.stderr)


def say(emulator, machine, kernel, end):
    """What the kernel says up to a line that starts with one of `end`, its last."""
    with subprocess.Popen([*emulator, "-M", machine, "-m", "64", "-nodefaults", "-display", "none",
                           "-debugcon", "stdio", "-global", "isa-debugcon.iobase=0x402",
                           "-kernel", str(kernel)], stdout=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, errors="replace") as guest:
        said = []
        try:
            for line in guest.stdout:
                if line.startswith("umbra:"):
                    said.append(line.strip())
                if line.startswith(end):
                    break
        finally:
            guest.kill()
    return said


def check_kernel(checks, folder):
    """The kernel itself: QEMU's pc and microvm do what ours do."""
    image = KERNEL.read_bytes()
    at = image.index(b"UMBRAREB") + 8
    again = ["umbra: boot 1", "umbra: reset", "umbra: boot 2", "umbra: done"]
    stays = ["umbra: boot 1", "umbra: reset", "umbra: no reset"]
    end = ("umbra: done", "umbra: no reset", "umbra: unsupported")
    emulators = [[SYSTEM, "-accel", "x86emu"]]
    if shutil.which("qemu-system-x86_64"):
        emulators.append(["qemu-system-x86_64", "-accel", "tcg"])
    for number, method in enumerate(METHODS[:5]):
        kernel = folder / f"{method}.elf"
        kernel.write_bytes(image[:at] + bytes([number]) + image[at + 1:])
        for emulator in emulators:
            said = say(emulator, "pc", kernel, end)
            checks.check(said == again, f"{emulator} pc, {method}: {said}")
            said = say(emulator, "microvm", kernel, end)
            expected = {"bios": ["umbra: boot 1", "umbra: unsupported: there is no BIOS at "
                                 "f000:fff0"], "triple": again}.get(method, stays)
            checks.check(said == expected, f"{emulator} microvm, {method}: {said}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        check_kernel(checks, pathlib.Path(name))
    check_text(checks)
    check_all(checks)
    if "kvm" in accels():
        check_kvm(checks)
    checks.close()


main()
