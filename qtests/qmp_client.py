"""A QMP client for tests: starts a program of QEMU's kind and talks to it."""
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time

ANSWER_SECONDS = 60


class Peer:
    """A machine, stopped unless `running`, with a QMP monitor; a context manager that
    ends it. `status` is its exit status then."""

    def __init__(self, program, *words, running=False):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "qmp"
        self.events, self.status = [], None
        self.process = subprocess.Popen(
            [program, "-nodefaults", "-display", "none", *([] if running else ["-S"]), *words,
             "-qmp", f"unix:{self.path},server=on,wait=off"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.socket, self.lines = self.connect()
        self.execute("qmp_capabilities")

    def connect(self):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(ANSWER_SECONDS)
        for _ in range(ANSWER_SECONDS * 50):
            try:
                peer.connect(os.path.relpath(self.path))
                break
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError(self.process.stderr.read()) from None
                time.sleep(0.02)
        lines = peer.makefile("r")
        self.greeting = json.loads(lines.readline())["QMP"]
        return peer, lines

    def read(self):
        """The next answer; events on the way are kept."""
        while True:
            line = self.lines.readline()
            if not line:
                raise EOFError("the monitor has closed")
            value = json.loads(line)
            if "event" not in value:
                return value
            self.events.append(value)

    def send(self, text):
        self.socket.sendall(text.encode())

    def answer(self, command, **arguments):
        """The whole answer, an error or not. _ in names of arguments stands for -."""
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.send(json.dumps(request) + "\n")
        return self.read()

    def execute(self, command, **arguments):
        answer = self.answer(command, **arguments)
        if "error" in answer:
            raise RuntimeError(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def hmp(self, line):
        return self.execute("human-monitor-command", **{"command-line": line})

    def wait_event(self, name):
        """The data of the next event of that name that has not been taken."""
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event.get("data", {})
            value = json.loads(self.lines.readline())
            if "event" in value:
                self.events.append(value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.send('{"execute": "quit"}\n')
        except OSError:
            pass
        try:
            self.status = self.process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.socket.close()
        self.folder.cleanup()


class Schema:
    """What query-qmp-schema has answered."""

    def __init__(self, entries):
        self.entries = {entry["name"]: entry for entry in entries}

    def names(self, meta_type):
        return [name for name, entry in self.entries.items() if entry["meta-type"] == meta_type]

    def of(self, name, meta_type):
        entry = self.entries.get(name)
        return entry if entry and entry["meta-type"] == meta_type else None

    def members(self, entry, value):
        """An object's members: its own and those of the variant that `value` is."""
        members = list(entry["members"])
        for variant in entry.get("variants", []):
            if value.get(entry["tag"]) == variant["case"]:
                members += self.entries[variant["type"]]["members"]
        return {member["name"]: member for member in members}

    def problem(self, name, value, place=""):
        """What is wrong with `value` as one of the type `name`, or None."""
        entry = self.entries[name]
        kind = entry["meta-type"]
        if kind == "builtin":
            wanted = {"string": str, "int": int, "number": (int, float), "boolean": bool,
                      "null": type(None), "value": object}[entry["json-type"]]
            good = isinstance(value, wanted) and (isinstance(value, bool) <=
                                                  (entry["json-type"] in ("boolean", "value")))
            return None if good else f"{place}: {value!r} is not {name}"
        if kind == "enum":
            names = [member["name"] for member in entry["members"]]
            return None if value in names else f"{place}: {value!r} is not one of {names}"
        if kind == "array":
            if not isinstance(value, list):
                return f"{place}: {value!r} is not a list"
            for i, each in enumerate(value):
                wrong = self.problem(entry["element-type"], each, f"{place}[{i}]")
                if wrong:
                    return wrong
            return None
        if kind == "alternate":
            wrong = [self.problem(member["type"], value, place) for member in entry["members"]]
            return None if None in wrong else wrong[0]
        if not isinstance(value, dict):
            return f"{place}: {value!r} is not an object"
        members = self.members(entry, value)
        for member, description in members.items():
            if member not in value and "default" not in description:
                return f"{place}.{member} is missing"
        for member, each in value.items():
            if member not in members:
                return f"{place}.{member} is unexpected"
            wrong = self.problem(members[member]["type"], each, f"{place}.{member}")
            if wrong:
                return wrong
        return None
