"""A machine, Umbra's or QEMU's, with a QMP connection, for tests that move machines."""
import array
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from harness import SYSTEM

PATIENCE = 60  # seconds; the host may be busy
ENDS = ("completed", "failed", "cancelled")
MACHINE = ["-M", "pc-i440fx-7.2", "-m", "32", "-nodefaults", "-display", "none", "-accel",
           "tcg"]
folder = pathlib.Path(tempfile.mkdtemp(prefix="umbra-migration-"))


def remove_folder():
    shutil.rmtree(folder, ignore_errors=True)


class VM:
    """A machine with a QMP connection; killed when the block ends."""
    count = 0

    def __init__(self, *options, program=SYSTEM, machine=MACHINE, pass_fds=()):
        VM.count += 1
        path = folder / f"qmp{VM.count}"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(PATIENCE)
        self.errors = open(folder / f"stderr{VM.count}", "w+")
        self.process = subprocess.Popen([program, *machine, *options, "-qmp", f"unix:{path}"],
                                        stdin=subprocess.DEVNULL, stderr=self.errors,
                                        pass_fds=pass_fds)
        self.socket, _ = listener.accept()
        self.socket.settimeout(PATIENCE)
        self.stream = self.socket.makefile("r")
        self.events = []
        self.stream.readline()
        self.qmp("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def qmp(self, command, fd=None, **arguments):
        text = json.dumps({"execute": command, "arguments": {
            name.replace("_", "-"): value for name, value in arguments.items()}}).encode()
        ancillary = [] if fd is None else [
            (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.socket.sendmsg([text], ancillary)
        while True:
            answer = json.loads(self.stream.readline())
            if "event" not in answer:
                return answer.get("return", answer.get("error"))
            self.events.append(answer)

    def hmp(self, line):
        return self.qmp("human-monitor-command", command_line=line)

    def status(self):
        return self.qmp("query-status")["status"]

    def capability(self, **states):
        return self.qmp("migrate-set-capabilities", capabilities=[
            {"capability": name.replace("_", "-"), "state": state}
            for name, state in states.items()])

    def wait_status(self, *wanted):
        deadline = time.monotonic() + PATIENCE
        while (now := self.status()) not in wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        return now

    def wait_migration(self, *ends):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            info = self.qmp("query-migrate")
            if info.get("status") in (ends or ENDS):
                break
            time.sleep(0.02)
        return info

    def migrate(self, uri):
        answer = self.qmp("migrate", uri=uri)
        return answer if "class" in answer else self.wait_migration()

    def memory(self, whole=False):
        """RAM, as the guest sees it; without `whole`, but for the area between 640 KiB and
        1 MiB, where devices decide what shows."""
        path = folder / "memory"
        self.qmp("pmemsave", val=0, size=32 << 20, filename=str(path))
        data = path.read_bytes()
        return data if whole else data[:0xa0000] + data[0x100000:]

    def messages(self):
        self.errors.flush()
        return (folder / self.errors.name).read_text()
