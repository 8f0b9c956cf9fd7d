#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that move: over each transport, in each form of page, and when something fails."""
import random
import socket
import subprocess
import sys
import time

from harness import SYSTEM, Checks
from vm import MACHINE, PATIENCE, VM, folder, remove_folder

checks = Checks()


def booted(*options):
    """A machine on which SeaBIOS has come to its end, standing."""
    vm = VM(*options)
    deadline = time.monotonic() + PATIENCE
    while "HLT=1" not in vm.hmp("info registers") and time.monotonic() < deadline:
        time.sleep(0.05)
    return vm


def check_arrival(source, target, before, what):
    checks.check(target.wait_status("running", "paused") in ("running", "paused"),
                 f"{what}: the target is {target.status()}: {target.messages()}")
    checks.check(source.status() == "postmigrate", f"{what}: the source is {source.status()}")
    checks.check(target.memory() == before, f"{what}: memory differs")


def transports():
    """Each transport, with the source standing so that memory can be compared."""
    one, other = socket.socketpair()
    uris = {
        "unix": (f"unix:{folder}/m.sock",) * 2,
        "tcp": ("tcp:127.0.0.1:0", None),
        "defer": ("defer", f"unix:{folder}/d.sock"),
        "fd": (f"fd:{other.fileno()}", "fd:mine"),
        "exec": (f"exec:cat {folder}/e.stream", f"exec:cat > {folder}/e.stream"),
        "file": (f"file:{folder}/f.stream",) * 2,
    }
    for name, (incoming, outgoing) in uris.items():
        with booted() as source:
            source.qmp("stop")
            before = source.memory()
            if name in ("exec", "file"):
                checks.check(source.migrate(outgoing).get("status") == "completed",
                             f"{name}: the file was not written")
            with VM("-S", "-incoming", incoming, pass_fds=[other.fileno()]) as target:
                if name == "tcp":
                    address = target.qmp("query-migrate")["socket-address"][0]
                    outgoing = f"tcp:{address['host']}:{address['port']}"
                if name == "defer":
                    checks.check(target.status() == "inmigrate", "defer: not inmigrate")
                    target.qmp("migrate-incoming", uri=outgoing)
                    again = target.qmp("migrate-incoming", uri=outgoing)
                    checks.check("desc" in again, "a second migrate-incoming was taken")
                if name == "fd":
                    source.qmp("getfd", fdname="mine", fd=one.fileno())
                    one.close()
                if name not in ("exec", "file"):
                    info = source.migrate(outgoing)
                    checks.check(info.get("status") == "completed", f"{name}: {info}")
                check_arrival(source, target, before, name)
    other.close()


def forms():
    """Each form of page, and the target's answer."""
    for capabilities in ({"compress": True}, {"xbzrle": True}, {"return_path": True},
                         {"xbzrle": True, "compress": True, "auto_converge": True}):
        uri = f"unix:{folder}/form.sock"
        with booted() as source, VM("-S", "-incoming", uri) as target:
            source.capability(**capabilities)
            source.qmp("stop")
            before = source.memory()
            info = source.migrate(uri)
            checks.check(info.get("status") == "completed", f"{capabilities}: {info}")
            check_arrival(source, target, before, str(capabilities))


def run_states():
    """What runs runs on, what stood stands, what has -S waits; events in QEMU's order."""
    uri = f"unix:{folder}/state.sock"
    for stopped_source, option, wanted in ((False, [], "running"), (False, ["-S"], "paused"),
                                           (True, [], "paused")):
        with booted() as source, VM(*option, "-incoming", uri) as target:
            for vm in (source, target):
                vm.capability(events=True)
                vm.events.clear()
            if stopped_source:
                source.qmp("stop")
            source.migrate(uri)
            checks.check(target.wait_status(wanted) == wanted,
                         f"{option}: {target.status()}, not {wanted}")
            source.qmp("query-status")
            told = [event.get("data", {}).get("status", event["event"])
                    for event in source.events if event["event"] != "MIGRATION_PASS"]
            checks.check(told == (["STOP"] if stopped_source else []) + ["setup", "active"] +
                         ([] if stopped_source else ["STOP"]) + ["completed"],
                         f"events of the source: {told}")
            target.wait_migration()
            told = [event.get("data", {}).get("status", event["event"])
                    for event in target.events[:3]]
            checks.check(told == ["active"] + (["RESUME"] if wanted == "running" else []) +
                         ["completed"], f"events of the target: {told}")


def refusals():
    """What cannot be: one message each."""
    with VM("-S") as vm:
        for uri, words in (("rdma:a:1", "unknown migration protocol"),
                           ("tcp:localhost", "HOST:PORT"), ("fd:nobody", "not found"),
                           (f"file:{folder}/no/where", "No such file")):
            answer = vm.qmp("migrate", uri=uri)
            checks.check(words in answer.get("desc", ""), f"{uri}: {answer}")
        info = vm.migrate(f"unix:{folder}/nobody.sock")
        checks.check(info["status"] == "failed" and "Failed to connect" in info["error-desc"],
                     f"nobody listens: {info}")
        info = vm.migrate("exec:cat > /dev/null; exit 3")
        checks.check(info["status"] == "failed", f"a command that fails: {info}")
        checks.check(vm.status() == "prelaunch", f"after failures: {vm.status()}")
        for names in ({"postcopy-ram": True}, {"nonsense": True}):
            answer = vm.capability(**names)
            checks.check("desc" in answer, f"{names}: {answer}")
        for parameters in ({"compress-level": 10}, {"max-cpu-throttle": 100}, {"x": 1},
                           {"xbzrle-cache-size": 5000}, {"multifd-channels": 3}):
            answer = vm.qmp("migrate-set-parameters", **parameters)
            checks.check("desc" in answer, f"{parameters}: {answer}")
        answer = vm.qmp("migrate-incoming", uri="tcp::0")
        checks.check("desc" in answer, f"migrate-incoming without -incoming: {answer}")
    uuids = ["11111111-2222-3333-4444-555555555555", "11111111-2222-3333-4444-555555555556"]
    for source, target, validate, good in (
            (uuids[0], uuids[0], True, True), (uuids[0], uuids[1], True, False),
            (uuids[0], uuids[1], False, True), (uuids[0], None, True, True),
            (None, uuids[1], True, True)):
        path = folder / "uuid.stream"
        with VM("-S", *(["-uuid", source] if source else [])) as vm:
            vm.capability(validate_uuid=validate)
            vm.migrate(f"file:{path}")
        words = ["-uuid", target] if target else []
        if good:
            with VM("-S", *words, "-incoming", f"file:{path}") as vm:
                checks.check(vm.wait_status("paused", "prelaunch") != "inmigrate",
                             f"{source} to {target}: {vm.status()}")
        else:
            done = subprocess.run([SYSTEM, *MACHINE, *words, "-incoming", f"file:{path}"],
                                  timeout=PATIENCE, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True)
            checks.check(done.returncode == 1 and f"UUID received is {source}" in done.stderr,
                         f"{source} to {target}: {done}")
    other = ["-M", "pc-i440fx-7.1", *MACHINE[2:]]
    path = folder / "other.stream"
    with VM("-S") as vm:
        vm.migrate(f"file:{path}")
    for machine, words in ((other, "Machine type received is 'pc-i440fx-7.2' and local is"),
                           ([*MACHINE, "-m", "64"], "Size mismatch: pc.ram")):
        done = subprocess.run([SYSTEM, *machine, "-incoming", f"file:{path}"], timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        checks.check(done.returncode == 1 and words in done.stderr and
                     done.stderr.count("\n") == 1, f"{machine}: {done}")


def snapshots():
    """savevm and loadvm; a file of another type changes nothing."""
    path = folder / "snapshot"
    with booted() as vm:
        vm.qmp("stop")
        before = vm.memory()
        checks.check(vm.qmp("umbra-snapshot-save", filename=str(path)) == {}, "snapshot-save")
        checks.check(vm.status() == "paused", f"after savevm: {vm.status()}")
        vm.qmp("system_reset")
        vm.qmp("cont")
        time.sleep(0.2)
        (folder / "wrong").write_bytes(b"QEVM" + bytes(100))
        answer = vm.hmp(f"loadvm {folder}/wrong")
        checks.check("no snapshot of a machine" in answer, f"loadvm wrong: {answer}")
        checks.check(vm.status() == "running", f"after a wrong file: {vm.status()}")
        checks.check(vm.hmp(f"loadvm {path}") == "", "loadvm")
        checks.check(vm.status() == "paused", f"after loadvm: {vm.status()}")
        checks.check(vm.memory() == before, "loadvm: memory differs")
        (folder / "cut").write_bytes(path.read_bytes()[:-50000])
        answer = vm.hmp(f"loadvm {folder}/cut")
        checks.check("too early" in answer, f"loadvm cut: {answer}")
        checks.check(vm.status() == "internal-error", f"after a cut file: {vm.status()}")
        answer = vm.hmp(f"savevm {folder}/no/where")
        checks.check("No such file" in answer, f"savevm nowhere: {answer}")


def human_monitor():
    """`migrate` without -d takes its time, and what is typed meanwhile waits."""
    path = folder / "hmp"
    with booted("-monitor", f"unix:{path},server=on,wait=off") as vm:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(PATIENCE)
            monitor.connect(str(path))
            stream = monitor.makefile("r", newline="\n")
            vm.qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 20})
            monitor.sendall(b"migrate exec:cat>/dev/null\ninfo status\n"
                            b"migrate exec:cat\ninfo version\n")
            text = ""
            while "7.2" not in text:
                text += stream.readline()
            checks.check("postmigrate" in text, f"info status did not wait: {text}")
            checks.check("Can't migrate the vm" in text, f"no error: {text}")


def old_types():
    """Streams of old machine types have neither name nor footers, as QEMU's."""
    for version, name, description in (("2.4", True, True), ("2.3", False, True),
                                       ("2.2", False, False)):
        machine = ["-M", f"pc-i440fx-{version}", *MACHINE[2:]]
        path = folder / "old.stream"
        with VM(machine=machine) as source:
            source.migrate(f"file:{path}")
        data = path.read_bytes()
        checks.check((f"pc-i440fx-{version}".encode() in data[:64]) == name, f"{version}: name")
        checks.check((b'{"page_size": 4096' in data) == description, f"{version}: JSON")
        with VM("-incoming", f"file:{path}", machine=machine) as target:
            state = target.wait_status("running")
            checks.check(state == "running", f"{version}: {state} {target.messages()}")


def devices_stay():
    """No device comes or goes while a machine moves."""
    with booted() as vm:
        vm.qmp("migrate-set-parameters", **{"max-bandwidth": 65536})
        vm.qmp("migrate", uri="exec:cat > /dev/null")
        answer = vm.qmp("device_add", driver="edu")
        checks.check("not allowed while migrating" in answer.get("desc", ""), f"{answer}")
        vm.qmp("migrate_cancel")
        vm.wait_migration()
        answer = vm.qmp("device_add", driver="edu", id="late")
        checks.check(answer == {}, f"device_add afterwards: {answer}")


def slow_pipe():
    """A cancel in the middle, a limit, and the human monitor that waits."""
    with booted() as vm:
        vm.qmp("migrate-set-parameters", **{"max-bandwidth": 65536})
        vm.qmp("migrate", uri="exec:cat > /dev/null")
        info = vm.wait_migration("active")
        time.sleep(0.3)
        checks.check(vm.qmp("migrate", uri="exec:cat")["desc"].startswith("There's a"),
                     "two at a time")
        checks.check("Migration status: active" in vm.hmp("info migrate"), "info migrate")
        vm.qmp("migrate_cancel")
        info = vm.wait_migration()
        checks.check(info["status"] == "cancelled", f"cancel: {info}")
        checks.check(vm.status() == "running", f"after a cancel: {vm.status()}")
        vm.qmp("migrate", uri="exec:sleep 100")
        vm.wait_migration("active")
        vm.qmp("migrate-set-parameters", **{"max-bandwidth": 0})
        time.sleep(0.3)
        vm.qmp("migrate_cancel")
        info = vm.wait_migration()
        checks.check(info["status"] == "cancelled" and vm.status() == "running",
                     f"cancel of one that is stuck: {info}, {vm.status()}")
        checks.check(vm.migrate("exec:cat > /dev/null")["status"] == "completed",
                     "a second try")


def main():
    wanted = sys.argv[1:]
    try:
        for part in (transports, forms, run_states, refusals, snapshots, human_monitor,
                     old_types, devices_stay, slow_pipe):
            if not wanted or part.__name__ in wanted:
                part()
    finally:
        remove_folder()
    checks.close()


main()
