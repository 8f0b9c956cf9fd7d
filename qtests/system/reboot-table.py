#!/usr/bin/env python3
"""`umbra reboot`: its table, its JSON, its exit status, on every accelerator at hand."""
import json
import pathlib
import tempfile
import xml.etree.ElementTree

from harness import UMBRA, Checks, accels, run

METHODS = ["bios", "kbd", "pci", "triple", "ctrl-alt-del"]
KEYS = ["machine", "accel", "method", "outcome", "expected", "boots", "pristine", "pam_writes",
        "seconds", "reason"]


def main():
    checks = Checks()
    for accel in accels():
        methods = METHODS if accel == "x86emu" else ["bios", "triple"]  # kvm is slow nested
        words = [word for method in methods for word in ("--method", method)]
        done = run([UMBRA, "reboot", "--machine", "pc", "--accel", accel, "--json", *words],
                   timeout=600)
        checks.check(done.returncode == 0, f"{accel}: status {done.returncode} {done.stderr}")
        rows = json.loads(done.stdout)
        checks.check([row["method"] for row in rows] == methods, f"{accel}: {rows}")
        for row in rows:
            checks.check(list(row) == KEYS, f"keys {list(row)}")
            checks.check(row["outcome"] == row["expected"] == "rebooted", row)
            checks.check(row["boots"] == 2 and row["pristine"] is True, row)
            # SeaBIOS opens and locks the seven registers in each of the two boots, and
            # opens them once more to restore itself.
            checks.check(row["pam_writes"] >= 20, row)

    for accel in accels():  # by INT 3 without an IDT in the end, which KVM may not know
        done = run([UMBRA, "reboot", "--machine", "vmd-7.0", "--machine", "vmd-7.1", "--accel",
                    accel, "--method", "bios"], timeout=600)
        checks.check(done.returncode == 0, f"vmd on {accel}: {done.stdout}")

    done = run([UMBRA, "reboot", "--machine", "isapc", "--accel", "x86emu"], timeout=300)
    checks.check(done.returncode == 0, f"isapc: {done.stdout}")
    checks.check("nobody answers at port 0xcf9" in done.stdout, done.stdout)
    checks.check("\033" not in done.stdout, "colour though this is no terminal")

    with tempfile.TemporaryDirectory() as name:
        svg = pathlib.Path(name) / "reboot.svg"
        done = run([UMBRA, "reboot", "--accel", "x86emu", "--method", "bios", "--trace",
                    "--times", "3", "--svg", str(svg)])
        checks.check("reset by piix3-reset-control; e0000-fffff equals the copy at fffe0000"
                     in done.stdout, done.stdout)
        checks.check("PAM 0x59: 0x00 -> 0x30" in done.stdout, done.stdout)
        checks.check("umbra: boot 4" in done.stdout, done.stdout)
        root = xml.etree.ElementTree.parse(svg).getroot()
        checks.check(root.tag.endswith("svg"), root.tag)
        text = "".join(root.itertext())
        checks.check("f0000-fffff" in text and "boot 4" in text, text)
        unwritable = run([UMBRA, "reboot", "--accel", "x86emu", "--method", "kbd", "--svg",
                          "/no/such/folder/x.svg"])
        checks.check(unwritable.returncode == 1 and "/no/such/folder" in unwritable.stderr,
                     unwritable.stderr)

    # A firmware that never boots a disk: hung, not as expected, exit status 1.
    done = run([UMBRA, "reboot", "--accel", "x86emu", "--method", "kbd", "--firmware",
                "pam-test.bin", "--json"], timeout=120)
    row = json.loads(done.stdout)[0]
    checks.check(done.returncode == 1 and row["outcome"] in ("hung", "shutdown"), row)
    checks.check(row["boots"] == 0 and row["reason"], row)
    checks.check("1 row, 0 as expected" in done.stderr, done.stderr)
    # That a machine is known to hang is no excuse for one that never booted.
    done = run([UMBRA, "reboot", "--machine", "isapc", "--accel", "x86emu", "--method", "pci",
                "--firmware", "pam-test.bin"], timeout=120)
    checks.check(done.returncode == 1 and "hung (it never booted)" in done.stdout, done.stdout)
    checks.close()


main()
