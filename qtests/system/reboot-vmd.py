#!/usr/bin/env python3
"""SeaBIOS on vmd's machines: a reboot that asks the BIOS ends in the hole below 4 GiB before
OpenBSD 7.1 and works from then on; a triple fault always did."""
import json
import re

from harness import UMBRA, Checks, run


def main():
    checks = Checks()
    words = [word for machine in ("vmd-7.0", "vmd-7.1", "vmd-7.6")
             for word in ("--machine", machine)]
    done = run([UMBRA, "reboot", *words, "--accel", "x86emu", "--method", "bios", "--method",
                "triple", "--json"], timeout=300)
    rows = {(row["machine"], row["method"]): row for row in json.loads(done.stdout)}
    checks.check(done.returncode == 0, f"status {done.returncode}: {done.stdout}")
    checks.check(len(rows) == 6, f"{len(rows)} rows")
    for (machine, method), row in rows.items():
        if (machine, method) == ("vmd-7.0", "bios"):
            continue
        checks.check(row["outcome"] == "rebooted" and row["boots"] == 2, row)
        # Asked to, SeaBIOS takes the copy below 4 GiB, and so boots as at power-on.
        checks.check(bool(row["pristine"]) is (method == "bios"), row)
    old = rows["vmd-7.0", "bios"]
    fault = re.match(r"EPT Violation: gpa=0x(fff[0-9a-f]{5}), 4-byte read at rip=0x\w+ in the "
                     r"PCI hole 0xf0000000-0xffffffff", old["reason"])
    checks.check(old["outcome"] == "fault" and old["boots"] == 1 and fault, old)
    checks.check("pristine copy" in old["reason"] and "OpenBSD 7.1" in old["reason"], old)

    # Without the page for SeaBIOS's table of processors, vmd's guest ends earlier.
    done = run([UMBRA, "reboot", "--machine", "vmd-7.1,apic-page=off", "--accel", "x86emu",
                "--method", "triple", "--json"], timeout=120)
    row = json.loads(done.stdout)[0] if done.stdout else {"outcome": done.stderr}
    checks.check(row["outcome"] == "fault" and "gpa=0xfee00030" in row["reason"], row)
    checks.close()


main()
