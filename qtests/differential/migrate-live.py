#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moves a machine between Umbra and the installed QEMU, both ways, while its guest writes all
over its memory, in each form that a page can have on the way. The source is not let go before
pages went in that form. After arrival every page must be what the guest's counter says.

QEMU 7.2's tcg is no source here: it loses writes of a guest that moves while it runs, into
another QEMU too (its translated loops go on writing to pages whose dirty bit was taken).

usage: migrate-live.py UMBRA [ACCEL-OF-UMBRA ACCEL-OF-QEMU]
exit status 0: all moved, 1: not, 77: cannot tell
"""
import os
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from harness import Checks, skip
from live_writer import LiveWriter
from vm import PATIENCE, folder, remove_folder

UMBRA = sys.argv[1]
ACCELS = dict(zip(("Umbra", "QEMU"), sys.argv[2:4] or ("x86emu", "tcg")))
PROGRAMS = {"Umbra": UMBRA, "QEMU": shutil.which("qemu-system-x86_64")}
PAGES = 256  # 1 MiB that changes all the time, and the page of the counter, by a few bytes
ROUNDS = 4
WAYS = [("Umbra", "QEMU")] + ([] if ACCELS["QEMU"] == "tcg" else [("QEMU", "Umbra")])
checks = Checks()

# The capability, and where query-migrate counts the pages that went that way.
FORMS = (
    (None, None),
    ("xbzrle", "xbzrle-cache"),
    ("compress", "compression"),
    ("auto_converge", None),
)


def slow_down(source):
    source.qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 20, "downtime-limit": 1})


def let_go(source, counter):
    """After some rounds, and not before pages have gone in the wanted form."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        info = source.qmp("query-migrate")
        if (info.get("ram", {}).get("dirty-sync-count", 0) > ROUNDS and
                (not counter or info[counter]["pages"] > 2)):
            break
        time.sleep(0.02)
    source.qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 30, "downtime-limit": 2000})


def move(names, capability, counter):
    what = f"{names[0]} to {names[1]}, {capability or 'plain'}"
    uri = f"unix:{folder}/live{time.monotonic_ns()}"

    def machine(name, *options):
        return LiveWriter(ACCELS[name], *options, pages=PAGES, program=PROGRAMS[name])

    with machine(names[0]) as source, machine(names[1], "-S", "-incoming", uri) as target:
        if not checks.check(source.wait_rounds(), f"{what}: the guest stands"):
            return
        if capability:
            for each in (source, target):
                each.capability(**{capability: True})
        slow_down(source)
        source.qmp("migrate", uri=uri)
        let_go(source, counter)
        info = source.wait_migration()
        checks.check(info.get("status") == "completed", f"{what}: {info}")
        rounds = info.get("ram", {}).get("dirty-sync-count", 0)
        checks.check(rounds > ROUNDS, f"{what}: {rounds} rounds")
        if counter:
            count = info.get(counter, {}).get("pages", 0)
            checks.check(count > 2, f"{what}: {count} pages in that form")
            print(f"{what}: {count} pages in that form, {rounds} rounds")
        state = target.wait_status("paused")
        if not checks.check(state == "paused", f"{what}: {state} {target.messages()}"):
            return
        wrong = target.wrong_pages()
        checks.check(not wrong, f"{what}: {wrong}")
        target.qmp("cont")
        checks.check(target.wait_rounds(), f"{what}: it stands on the other side")
        target.qmp("stop")
        wrong = target.wrong_pages()
        checks.check(not wrong, f"{what}, later: {wrong}")


def main():
    if not PROGRAMS["QEMU"]:
        skip("there is no qemu-system-x86_64")
    if "kvm" in ACCELS.values() and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("there is no KVM")
    try:
        for names in WAYS:
            for capability, counter in FORMS:
                move(names, capability, counter)
    finally:
        remove_folder()
    checks.close()


main()
