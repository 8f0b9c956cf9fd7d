#!/usr/bin/env python3
"""The RHEL 6 pair: a guest that SeaBIOS booted moves between its emulators and reboots there,
or does not, as it went on the real ones. A guest of each other type of the field moves, too."""
import json

from harness import UMBRA, Checks, accels, run

RHEL6, RHEL7 = "rhel6.5.0,emulator=rhel6", "rhel6.5.0"
UNHELPED, PC = "rhel6.5.0,shadow-bios-after-incoming=off", "pc-i440fx-7.2"
SHADOWED = "pc.bios, pc.rom"

ALL = ["bios", "kbd", "pci", "triple", "ctrl-alt-del", "s3"]

# Where a guest that has moved reboots, of ALL; else it ends as one that has not.
FIELD = {
    "isapc": {"bios", "kbd", "triple", "ctrl-alt-del"},
    "vmd-7.1": {"bios", "triple"},
    "vmd-7.6": {"bios", "triple"},
    "microvm": {"triple"},
    "firecracker": set(),
    "bhyve": {"kbd", "pci"},
}


def matrix(machines, methods, accel):
    words = [word for machine in machines for word in ("--machine", machine)]
    words += [word for method in methods for word in ("--method", method)]
    done = run([UMBRA, "migrate-matrix", "--json", "--accel", accel, *words], timeout=900)
    rows = json.loads(done.stdout) if done.stdout else []
    return done, {(row["source"], row["machine"], row["method"]): row for row in rows}


def main():
    checks = Checks()
    for accel in accels():
        methods = ["kbd", "s3"] if accel == "kvm" else ALL
        done, rows = matrix([RHEL6, RHEL7, PC], methods, accel)
        checks.check(done.returncode == 0, f"{accel}: status {done.returncode} {done.stderr}")
        for (source, target, method), row in rows.items():
            what = f"{accel}: {source} -> {target}, {method}: {row}"
            if PC in (source, target) and source != target:
                checks.check(row["outcome"] == "refused"
                             and target.split(",")[0] in row["reason"], what)
            elif (source, target) == (RHEL7, RHEL6) and method in ("ctrl-alt-del", "s3"):
                checks.check(row["outcome"] == "hung", what)
            else:
                checks.check(row["outcome"] == ("resumed" if method == "s3" else "rebooted"),
                             what)
            checks.check(row["shadowed"] == (SHADOWED if (source, target) == (RHEL6, RHEL7)
                                             else None), what)
        checks.check(len(rows) == 4 + 5 * len(methods), f"{accel}: {len(rows)} rows")
        for machine, reboots in FIELD.items():
            methods = ["triple"] if accel == "kvm" else ALL
            done, rows = matrix([machine], methods, accel)
            checks.check(done.returncode == 0 and len(rows) == len(methods),
                         f"{accel}, {machine}: {done.returncode} {done.stderr} {rows}")
            for (_, _, method), row in rows.items():
                checks.check((row["outcome"] == "rebooted") == (method in reboots),
                             f"{accel}, {machine}, {method}: {row}")
    # Without the shadow, the same guest is lost with its first reset: 20 s of silence tell.
    done, rows = matrix([RHEL6, UNHELPED], ["kbd"], "x86emu")
    checks.check(rows[RHEL6, UNHELPED, "kbd"]["outcome"] == "hung", f"unhelped: {rows}")
    checks.check(rows[UNHELPED, UNHELPED, "kbd"]["outcome"] == "rebooted", f"live: {rows}")
    checks.close()


main()
