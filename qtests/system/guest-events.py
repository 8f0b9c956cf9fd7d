#!/usr/bin/env python3
"""A guest that panics, or whose watchdog fires, under every -action: the events, the run
state after them and the exit status are those of the installed QEMU."""
import json
import shutil
import socket
import subprocess
import tempfile
import time

from harness import SYSTEM, Checks

PANIC, CRASH, WATCHDOG = "o /b 0x505 1", "o /b 0x505 2", "o /b 0x443 0xf"

CASES = [
    (PANIC, []),
    (PANIC, ["-no-shutdown"]),
    (PANIC, ["-action", "panic=pause"]),
    (PANIC, ["-action", "panic=none"]),
    (PANIC, ["-action", "panic=exit-failure"]),
    (PANIC, ["-action", "panic=exit-failure,shutdown=pause"]),
    (CRASH, []),
    (WATCHDOG, []),
    (WATCHDOG, ["-no-reboot"]),
    (WATCHDOG, ["-watchdog-action", "pause"]),
    (WATCHDOG, ["-action", "watchdog=none"]),
    (WATCHDOG, ["-action", "watchdog=poweroff"]),
    (WATCHDOG, ["-action", "watchdog=shutdown"]),
    (WATCHDOG, ["-action", "watchdog=debug"]),
    (WATCHDOG, ["-action", "watchdog=inject-nmi"]),
]

# What a test of our own expects of some, so that it means something without QEMU.
EXPECTED = {
    0: ([("GUEST_PANICKED", "poweroff"), ("STOP", None), ("SHUTDOWN", "guest-panic")], 0),
    9: ([("WATCHDOG", "pause"), ("STOP", None)], "watchdog"),
}


def play(program, line, options, folder):
    """([(event, what it says)], the run state or the exit status)."""
    path = f"{folder}/qmp"
    # Firmware that does nothing: jmp to itself at the reset vector.
    image = bytearray(65536)
    image[0xfff0:0xfff2] = b"\xeb\xfe"
    with open(f"{folder}/idle.bin", "wb") as file:
        file.write(image)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    process = subprocess.Popen(
        [program, "-nodefaults", "-display", "none", "-accel", "tcg", "-device", "pvpanic",
         "-device", "ib700", "-bios", f"{folder}/idle.bin", "-qmp", f"unix:{path}", *options],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    listener.settimeout(20)
    connection, _ = listener.accept()
    listener.close()
    connection.settimeout(0.6)
    stream = connection.makefile("rw")
    events, state, sent = [], None, 0
    commands = [("qmp_capabilities", {}),
                ("human-monitor-command", {"command-line": line})]
    try:
        stream.readline()  # the greeting
        for name, arguments in commands:
            stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
            stream.flush()
            sent += 1
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                text = stream.readline()
            except TimeoutError:
                if state is not None:
                    break
                connection.settimeout(5)
                stream = connection.makefile("rw")
                stream.write('{"execute": "query-status"}\n')
                stream.flush()
                continue
            if not text:
                break
            message = json.loads(text)
            if "event" in message:
                data = message.get("data", {})
                events.append((message["event"], data.get("action", data.get("reason"))))
            elif "status" in (message.get("return") or {}):
                state = message["return"]["status"]
                break
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        connection.close()
        if state is None:
            try:
                state = process.wait(10)
            except subprocess.TimeoutExpired:
                state = "hangs"
        process.kill()
        process.wait()
    return events, state


def main():
    checks = Checks()
    qemu = shutil.which("qemu-system-x86_64")
    for i, (line, options) in enumerate(CASES):
        with tempfile.TemporaryDirectory() as folder:
            ours = play(SYSTEM, line, options, folder)
        if i in EXPECTED:
            checks.check(ours == EXPECTED[i], f"{line} {options}: {ours}")
        if qemu:
            with tempfile.TemporaryDirectory() as folder:
                theirs = play(qemu, line, options, folder)
            checks.check(ours == theirs, f"{line} {options}: {ours}, QEMU {theirs}")
    checks.close()


main()
