#!/usr/bin/env python3
"""A disk that a machine takes along: the target opens it while the source runs, one of the two
has it at any time, and nobody else."""
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
# pylint: disable=wrong-import-position
from harness import SYSTEM, Checks
from qmp_client import Peer


def words(disk):
    return ["-M", "pc", "-m", "16", "-nodefaults", "-accel", "qtest", "-drive",
            f"if=ide,format=raw,file={disk}"]


def wait_for(peer, status):
    for _ in range(600):
        found = peer.execute("query-status")["status"]
        if found == status:
            break
        time.sleep(0.05)
    return found


def migrate(peer, uri):
    peer.execute("migrate", uri=uri)
    for _ in range(600):
        status = peer.execute("query-migrate").get("status")
        if status in ("completed", "failed"):
            break
        time.sleep(0.05)
    return status


def is_taken(disk):
    """Whether another process is kept from writing it."""
    done = subprocess.run([SYSTEM, *words(disk), "-display", "none", "-S", "-monitor", "stdio"],
                          timeout=30, input="quit\n", capture_output=True, text=True,
                          check=False)
    return done.returncode == 1 and "another process" in done.stderr


def check_move(checks, folder, disk):
    uri = f"unix:{folder}/move"
    with Peer(SYSTEM, *words(disk)) as source, Peer(SYSTEM, *words(disk), "-incoming",
                                                    uri) as target:
        source.execute("cont")
        checks.check(is_taken(disk), "the source has it")
        checks.check(migrate(source, uri) == "completed", "the move")
        # The target was started with -S.
        checks.check(wait_for(target, "paused") == "paused", "the target has the machine")
        answer = source.answer("cont")
        checks.check("another process" in answer.get("error", {}).get("desc", ""),
                     f"the source runs on: {answer}")
        checks.check(source.execute("query-status")["status"] == "postmigrate", "it stands")
        target.execute("cont")
        checks.check(is_taken(disk), "the target has it")
        target.execute("quit")
        target.process.wait(30)
        source.execute("cont")
        checks.check(source.execute("query-status")["status"] == "running",
                     "the source goes on once the target is gone")


def check_failure(checks, disk):
    for command, status in (("cont", "running"), ("stop", "paused")):
        with Peer(SYSTEM, *words(disk)) as source:
            source.execute("cont")
            source.execute(command)
            checks.check(migrate(source, "exec:cat >/dev/null; exit 3") == "failed", "it fails")
            checks.check(wait_for(source, status) == status, f"the source is {status} again")
            checks.check(is_taken(disk), f"and has its disk, {status}")


def check_file(checks, folder, disk):
    path = folder / "stream"
    with Peer(SYSTEM, *words(disk)) as source:
        source.execute("cont")
        checks.check(migrate(source, f"file:{path}") == "completed", "into a file")
        checks.check(not is_taken(disk), "nobody has it")
        with Peer(SYSTEM, *words(disk), "-incoming", f"file:{path}") as target:
            checks.check(wait_for(target, "paused") == "paused", "out of the file")
            checks.check(is_taken(disk), "the target has it")
        source.execute("cont")
        with Peer(SYSTEM, *words(disk), "-incoming", f"file:{path}") as target:
            wait_for(target, "paused")
            answer = target.answer("cont")
            checks.check("another process" in answer.get("error", {}).get("desc", ""),
                         f"two machines on one disk: {answer}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        disk = folder / "disk.img"
        with open(disk, "wb") as file:
            file.truncate(1 << 20)
        check_move(checks, folder, disk)
        check_failure(checks, disk)
        check_file(checks, folder, disk)
    checks.close()


main()
