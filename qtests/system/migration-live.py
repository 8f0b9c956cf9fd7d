#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that move while their guest writes all over its memory (firmware/guest/
live-writer.S): every page on the other side must be what the guest's counter says. The same
where the target dies, the transport closes at a random place, or the disk is full: then the
source runs on and nothing is lost."""
import pathlib
import random
import socket
import subprocess
import sys
import threading
import time

from harness import Checks, accels
from live_writer import LiveWriter
from vm import folder, remove_folder

CLOSES = 100
checks = Checks()


def check_pages(vm, what):
    wrong = vm.wrong_pages()
    return checks.check(not wrong, f"{what}: {wrong}")


def check_runs_on(source, what):
    """The source has kept the machine, whole."""
    state = source.wait_status("running")
    if not checks.check(state == "running", f"{what}: the source is {state}"):
        return
    checks.check(source.wait_rounds(1), f"{what}: the guest stands")


def moves(accel):
    """Each form of page."""
    for capabilities in ({}, {"xbzrle": True}, {"compress": True}, {"return_path": True},
                         {"auto_converge": True}):
        what = f"{accel}, {capabilities}"
        uri = f"unix:{folder}/live.sock"
        with LiveWriter(accel) as source, LiveWriter(accel, "-S", "-incoming", uri) as target:
            checks.check(source.wait_rounds(), f"{what}: the guest stands")
            source.capability(**capabilities)
            # zlib is slower than the writer on a busy host: more may be left at the end.
            limit = 1000 if "compress" in capabilities else 20
            source.qmp("migrate-set-parameters",
                       **{"max-bandwidth": 0, "downtime-limit": limit})
            info = source.migrate(uri)
            checks.check(info.get("status") == "completed", f"{what}: {info}")
            state = target.wait_status("paused")
            if not checks.check(state == "paused", f"{what}: {state} {target.messages()}"):
                continue
            check_pages(target, what)
            target.qmp("cont")
            checks.check(target.wait_rounds(), f"{what}: it stands on the other side")
            target.qmp("stop")
            check_pages(target, f"{what}, later")


def target_dies(accel):
    """The target is killed in the middle, again and again; then a second try."""
    with LiveWriter(accel) as source:
        checks.check(source.wait_rounds(), f"{accel}: the guest stands")
        source.qmp("migrate-set-parameters",
                   **{"max-bandwidth": 1 << 20, "downtime-limit": 1})
        for attempt in range(3):
            uri = f"unix:{folder}/die{attempt}.sock"
            with LiveWriter(accel, "-incoming", uri) as target:
                source.qmp("migrate", uri=uri)
                source.wait_migration("active")
                time.sleep(0.05 + 0.3 * attempt)
                target.process.kill()
                info = source.wait_migration()
                checks.check(info["status"] == "failed", f"{accel}, killed: {info}")
            check_runs_on(source, f"{accel}, target killed")
        second_try(source, accel, "target killed")


def second_try(source, accel, what):
    uri = f"unix:{folder}/second.sock"
    source.qmp("migrate-set-parameters", **{"max-bandwidth": 0, "downtime-limit": 300})
    with LiveWriter(accel, "-S", "-incoming", uri) as target:
        info = source.migrate(uri)
        checks.check(info.get("status") == "completed", f"{accel}, {what}, again: {info}")
        checks.check(target.wait_status("paused") == "paused",
                     f"{accel}, {what}, again: {target.status()} {target.messages()}")
        check_pages(target, f"{accel}, {what}, again")


def read_some(listener, amount):
    """Takes one stream and closes after that many bytes."""
    connection, _ = listener.accept()
    with connection:
        while amount and (got := connection.recv(min(amount, 1 << 16))):
            amount -= len(got)


def transport_closes(accel):
    """The transport closes at random places."""
    generator = random.Random(5)
    path = folder / f"close-{accel}.sock"
    with LiveWriter(accel) as source, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        checks.check(source.wait_rounds(), f"{accel}: the guest stands")
        source.qmp("stop")
        source.qmp("umbra-snapshot-save", filename=f"{folder}/whole")
        source.qmp("cont")
        source.qmp("migrate-set-parameters", **{"max-bandwidth": 0})
        size = (folder / "whole").stat().st_size
        for attempt in range(CLOSES):
            # Half of them near the end, where the machine stands already.
            place = (generator.randrange(size) if attempt % 2
                     else size - generator.randrange(1, 65536))
            thread = threading.Thread(target=read_some, args=(listener, place))
            thread.start()
            info = source.migrate(f"unix:{path}")
            thread.join()
            if not checks.check(info.get("status") == "failed",
                                f"{accel}, closed at {place} of {size}: {info}"):
                return
            state = source.wait_status("running")
            checks.check(state == "running", f"{accel}, closed at {place}: {state}")
        check_runs_on(source, f"{accel}, closed")
        source.qmp("stop")
        check_pages(source, f"{accel}, closed")
        source.qmp("cont")
        second_try(source, accel, "closed")


def disk_is_full(accel):
    """A file system with less room than the machine needs."""
    place = folder / "small"
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "umbra-test", str(place)],
                             capture_output=True, check=False).returncode == 0
    full = place / "file" if mounted else pathlib.Path("/dev/full")
    try:
        with LiveWriter(accel) as source:
            checks.check(source.wait_rounds(), f"{accel}: the guest stands")
            for uri in (f"exec:cat > {full} 2>/dev/null", f"file:{full}"):
                info = source.migrate(uri)
                checks.check(info["status"] == "failed", f"{accel}, {uri}: {info}")
                check_runs_on(source, f"{accel}, {uri}")
            if mounted:
                full.write_text("the old one")
                answer = source.hmp(f"savevm {full}")
                checks.check("No space" in answer, f"savevm: {answer}")
                checks.check(full.read_text() == "the old one" and
                             [entry.name for entry in place.iterdir()] == ["file"],
                             f"savevm left {list(place.iterdir())}")
                check_runs_on(source, f"{accel}, savevm")
            second_try(source, accel, "disk full")
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=False)


def main():
    wanted = sys.argv[1:]
    try:
        for accel in [name for name in accels() if not set(wanted) & {"x86emu", "kvm"} or
                      name in wanted]:
            for part in (moves, target_dies, transport_closes, disk_is_full):
                if not set(wanted) - {"x86emu", "kvm"} or part.__name__ in wanted:
                    part(accel)
    finally:
        remove_folder()
    checks.close()


main()
