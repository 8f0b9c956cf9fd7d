#!/usr/bin/env python3
"""Peers of a running machine that send nonsense, too much, or die: an error to the one who
sent it, and the machine goes on."""
import json
import os
import pathlib
import socket
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
# pylint: disable=wrong-import-position
from harness import SYSTEM, Checks
from qmp_client import Peer

MALFORMED = ["{]\n", "}\n", "{\"execute\": }", "{\"a\": nul}", "%p\n", "@", "{\x01", "[\"\x02\"]",
             "{\"execute\": \"query-status\"", "\xff", "{'execute'}", "[" * 5000, "\"" + "x" * 100]


def connect(path):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(30)
    peer.connect(os.path.relpath(path))
    return peer


def check_qmp(checks, peer):
    for text in MALFORMED:
        peer.socket.sendall(text.encode("latin-1") + b"\xff")
        answer = peer.read()
        checks.check("error" in answer, f"{text[:20]!r}: {answer}")
        # A second error may follow, of what stuck to the first; then all is well.
        peer.send('{"execute": "query-status", "id": "after"}')
        while answer.get("id") != "after":
            answer = peer.read()
        checks.check("return" in answer, f"after {text[:20]!r}: {answer}")
    peer.send(json.dumps({"execute": "query-status", "id": "x" * (2 << 20)}))
    answer = peer.read()
    checks.check("limit of 1 MiB" in answer.get("error", {}).get("desc", ""),
                 f"a value of 2 MiB: {str(answer)[:100]}")
    checks.check("return" in peer.answer("query-status"), "after a value of 2 MiB")
    answer = peer.answer("no-such-command")
    checks.check(answer["error"]["class"] == "CommandNotFound", f"unknown command: {answer}")
    checks.check("unknown command" in peer.hmp("frobnicate"), "unknown HMP command")
    peer.execute("device_add", driver="edu", id="e")
    answer = peer.answer("device_add", driver="edu", id="e")
    checks.check("Duplicate" in answer["error"]["desc"], f"plugged twice: {answer}")


def read_line(peer):
    line = b""
    while not line.endswith(b"\n"):
        byte = peer.recv(1)
        if not byte:
            break
        line += byte
    return line


def check_qtest(checks, path):
    peer = connect(path)
    for line, reply in ((b"x" * (1 << 20), b"FAIL"), (b"frob", b"FAIL"), (b"outb", b"FAIL"),
                        (b"inb 0x10000", b"FAIL"), (b"read 0 -1", b"FAIL"), (b"", b"FAIL"),
                        (b"write 0 4 0x" + b"41" * (1 << 19), b"OK"), (b"\0", b"FAIL"),
                        (b"inb 0x80\0", b"FAIL The line has a NUL byte"),
                        (b"readl 0", b"OK 0x0000000041414141")):
        peer.sendall(line + b"\n")
        answer = read_line(peer)
        checks.check(answer.startswith(reply), f"{line[:20]!r}: {answer[:60]!r}")
    # Too long by far: one error, and the next line counts.
    for _ in range(70):
        peer.sendall(b"y" * (1 << 20))
    peer.sendall(b"y\nendianness\n")
    checks.check(read_line(peer) == b"FAIL The line is too long\n", "a line of 70 MiB")
    checks.check(read_line(peer) == b"OK little\n", "the line after it")
    peer.sendall(b"readl 0")  # dies in the middle of a line
    peer.close()
    for _ in range(100):  # one harness at a time: the next is let in when that one is gone
        peer = connect(path)
        peer.sendall(b"endianness\n")
        answer = read_line(peer)
        peer.close()
        if answer:
            break
        time.sleep(0.1)
    checks.check(answer == b"OK little\n", f"the next harness: {answer!r}")


def check_dying_chardev(checks, peer, folder):
    path = folder / "serial"
    peer.execute("chardev-add", id="s", backend={
        "type": "socket", "data": {"addr": {"type": "unix", "data": {"path": str(path)}},
                                   "server": True, "wait": False}})
    for _ in range(3):
        other = connect(path)
        other.sendall(b"z" * 1000)
        other.close()
    peer.execute("chardev-change", id="serial0", backend={
        "type": "socket", "data": {"addr": {"type": "unix", "data": {"path": str(folder / "t")}},
                                   "server": True, "wait": False}})
    other = connect(folder / "t")
    for _ in range(2000):
        peer.send(json.dumps({"execute": "human-monitor-command",
                              "arguments": {"command-line": "o/b 0x3f8 0x55"}}))
        if _ == 500:
            other.close()
    for _ in range(2000):
        checks.check("return" in peer.read(), "a write to a serial port without a peer")
    answer = peer.answer("chardev-remove", id="serial0")
    checks.check("busy" in answer["error"]["desc"], f"removed under the port: {answer}")
    peer.execute("chardev-remove", id="s")
    checks.check(not path.exists(), "its socket is left behind")
    answer = peer.answer("chardev-add", id="bad", backend={
        "type": "socket", "data": {"addr": {"type": "unix", "data": {"path": "/no/such/x"}},
                                   "server": False}})
    checks.check("error" in answer, f"nobody to connect to: {answer}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with Peer(SYSTEM, "-M", "pc", "-accel", "qtest", "-serial", "null", "-qtest",
                  f"unix:{folder}/qtest,server=on,wait=off", "-qtest-log", "none") as peer:
            check_qmp(checks, peer)
            check_qtest(checks, folder / "qtest")
            check_dying_chardev(checks, peer, folder)
            checks.check(peer.execute("query-status")["status"] == "prelaunch", "it goes on")
        checks.check(peer.status == 0, f"status {peer.status}")
    checks.close()


main()
