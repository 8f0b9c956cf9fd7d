#!/usr/bin/env python3
"""S3: a guest that SeaBIOS booted sleeps, is woken by system_wakeup and finds its memory as it
left it; the sector says so itself, on every accelerator and on the installed QEMU. Memory
that was changed meanwhile must be noticed, or the check would be worth nothing."""
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from harness import BUILD, SYSTEM, Checks, accels

METHOD_S3 = 6
PATTERN_WORD = 0x200040  # one of those that the sector fills
FIRMWARE = "/usr/share/seabios/bios-256k.bin"


def connect(path):
    for _ in range(600):
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(120)
            connection.connect(str(path))
            return connection.makefile("rw")
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(path)


class QMP:
    def __init__(self, path):
        self.file = connect(path)
        self.events = []
        json.loads(self.file.readline())
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "event" not in answer:
                return answer
            self.events.append(answer["event"])

    def wait(self, event):
        while event not in self.events:
            self.events.append(json.loads(self.file.readline()).get("event"))


def sleep_and_wake(emulator, folder, corrupt, machine="pc-i440fx-7.2"):
    """The guest's lines and the events that QMP told."""
    disk, log = folder / "disk.img", folder / "debug.txt"
    image = bytearray((BUILD / "firmware" / "guest" / "reboot-sector.bin").read_bytes())
    image[16:20] = [METHOD_S3, 1, 2, 0]
    disk.write_bytes(bytes(image) + bytes((1 << 20) - len(image)))
    for name in ("qmp", "qtest"):
        (folder / name).unlink(missing_ok=True)
    command = [*emulator, "-S", "-M", machine, "-m", "16", "-nodefaults", "-display", "none",
               "-bios", FIRMWARE, "-drive", f"file={disk},format=raw,if=ide",
               "-chardev", f"file,id=log,path={log}", "-device",
               "isa-debugcon,iobase=0x402,chardev=log",
               "-qmp", f"unix:{folder}/qmp,server=on,wait=off",
               "-qtest", f"unix:{folder}/qtest,server=on,wait=off", "-qtest-log", "/dev/null"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            qmp = QMP(folder / "qmp")
            qmp.command("cont")  # not before: who is not connected hears of no event
            qmp.wait("SUSPEND")
            status = qmp.command("query-status")["return"]["status"]
            if corrupt:
                qtest = connect(folder / "qtest")
                qtest.write(f"writel {PATTERN_WORD:#x} 0x0\n")
                qtest.flush()
                assert qtest.readline().strip() == "OK"
            qmp.command("system_wakeup")
            qmp.wait("WAKEUP")
            process.wait(120)
        finally:
            if process.poll() is None:
                process.kill()
    lines = [line for line in log.read_text(errors="replace").splitlines()
             if line.startswith("umbra:")]
    return status, lines


def main():
    checks = Checks()
    emulators = {name: [SYSTEM, "-accel", name] for name in accels()}
    if shutil.which("qemu-system-x86_64"):
        emulators["QEMU"] = ["qemu-system-x86_64", "-accel", "tcg"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for what, emulator in emulators.items():
            for corrupt, found in ((False, "umbra: resumed"), (True, "umbra: memory changed")):
                status, lines = sleep_and_wake(emulator, folder, corrupt)
                checks.check(status == "suspended", f"{what}: {status}")
                checks.check(lines == ["umbra: boot 1", "umbra: suspend", found, "umbra: done"],
                             f"{what}: {lines}")
    checks.close()


main()
