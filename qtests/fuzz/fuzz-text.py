#!/usr/bin/env python3
"""Hostile text: mutated QMP, HMP and qtest input to a running machine, mutated options and
images to a starting one. Whatever comes, the process neither dies of it nor stops
answering. --seed repeats a run; --seconds says how long."""
import argparse
import gzip
import os
import pathlib
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from harness import SYSTEM, Checks  # noqa: E402

ANSWER_SECONDS = 20
ENDS = (0, 1, -signal.SIGTERM)  # the last where it came before the machine stood
FILE_LIMIT = 64 << 20  # of what a command may write

QMP = [b'{"execute":"qmp_capabilities"}', b'{"execute":"query-status","id":1}',
       b'{"execute":"human-monitor-command","arguments":{"command-line":"info mtree -f"}}',
       b'{"execute":"qom-get","arguments":{"path":"/machine","property":"type"}}',
       b'{"execute":"qom-list","arguments":{"path":"/machine/unattached"}}',
       b'{"execute":"qom-set","arguments":{"path":"/machine","property":"smm","value":"x"}}',
       b'{"execute":"device_add","arguments":{"driver":"isa-debug-exit","id":"d1"}}',
       b'{"execute":"device_del","arguments":{"id":"d1"}}',
       b'{"execute":"pmemsave","arguments":{"val":0,"size":4096,"filename":"saved"}}',
       b'{"execute":"memsave","arguments":{"val":0,"size":16,"filename":"saved"}}',
       b'{"execute":"system_reset"}', b'{"execute":"stop"}', b'{"execute":"cont"}',
       b'{"execute":"query-commands"}', b'{"execute":"query-pci"}',
       b'{"execute":"query-block"}', b'{"execute":"query-named-block-nodes"}',
       b'{"execute":"blockdev-add","arguments":{"driver":"raw","node-name":"n","file":'
       b'{"driver":"null-co","size":4096,"read-zeroes":true},"offset":512,"read-only":true}}',
       b'{"execute":"blockdev-add","arguments":{"driver":"raw","node-name":"m","file":"n"}}',
       b'{"execute":"blockdev-insert-medium","arguments":{"id":"/machine","node-name":"n"}}',
       b'{"execute":"blockdev-change-medium","arguments":{"device":"ide1-cd0","filename":"disk"}}',
       b'{"execute":"eject","arguments":{"device":"floppy0","force":true}}',
       b'{"execute":"blockdev-del","arguments":{"node-name":"n"}}',
       b'{"execute":"device-list-properties","arguments":{"typename":"ide-hd"}}']
HMP = [b"info mtree -f -d -o", b"info registers", b"x/10i 0xfffffff0", b"xp/4xw 0x1000",
       b"xp/100000000xb 0xffffffffffffffff", b"print $eip+(1<<63)/0", b"p 1/0-1%0",
       b"info qtree", b"info pci", b"o/b 0x80 0xff", b"i/4 0xcf8", b"sendkey ctrl-alt-delete",
       b"device_add isa-debug-exit,id=d2", b"device_del d2", b"pmemsave 0 65536 saved",
       b"change floppy0 disk raw read-only", b"change ide1-cd0 -f disk", b"eject -f ide1-cd0",
       b"info block -n -v", b"system_reset", b"stop", b"cont", b"help info",
       b"explain 0xf0000", b"info cpus", b"info lapic 0", b"info irq",
       b"gpa2hva 0x1000", b"sum 0 65536", b"nmi", b"log all", b"qom-list /machine"]
QTEST = [b"inb 0x71", b"outl 0xcf8 0x80000000", b"readq 0xfee00000", b"writel 0x1000 1",
         b"read 0x0 0x10", b"write 0x1000 0x4 0x11223344", b"memset 0x0 0x100 0xff",
         b"b64read 0x0 16", b"b64write 0x0 3 AAAA", b"clock_step 1000",
         b"irq_intercept_in ioapic", b"irq_intercept_out /machine/unattached", b"endianness",
         b"set_irq_in ioapic unnamed-gpio-in 3 1", b"module_load x y", b"rtas x 1 2 3 4"]
OPTIONS = [[b"-M", b"pc,hpet=off,smm=on,max-ram-below-4g=2G"], [b"-m", b"16M"],
           [b"-smp", b"2,maxcpus=4"], [b"-device", b"isa-debug-exit,iobase=0x501,id=x"],
           [b"-drive", b"file=disk,format=raw,if=ide,index=1,snapshot=on,id=d,media=disk"],
           [b"-device", b"isa-serial,chardev=c0", b"-chardev", b"null,id=c0"],
           [b"-chardev", b"socket,id=c1,path=sock,server=on,wait=off"],
           [b"-boot", b"order=cad,menu=on,reboot-timeout=5"], [b"-rtc", b"base=utc,clock=vm"],
           [b"-global", b"i440FX.pam-exact=off"], [b"-fw_cfg", b"name=opt/a,string=x"],
           [b"-uuid", b"12345678-1234-1234-1234-123456789abc"], [b"-accel", b"x86emu"],
           [b"-serial", b"file:out"], [b"-name", b"a,debug-threads=on"],
           [b"-blockdev", b"driver=raw,node-name=n,offset=512,file.driver=null-co,file.size=1M"],
           [b"-blockdev", b'{"driver":"file","filename":"disk","node-name":"f","locking":"off"}'],
           [b"-drive", b"if=pflash,file=disk,format=raw,snapshot=on,file.locking=off"],
           [b"-drive", b"file=nbd:unix:sock:exportname=x,if=none,werror=ignore"],
           [b"-device", b"floppy,unit=1,drive-type=144"],
           [b"-fda", b"disk"], [b"-cdrom", b"disk"], [b"-device", b"ide-hd,drive=d"]]
HARD = [b"0", b"-1", b"0x7fffffffffffffff", b"0xffffffffffffffff", b"18446744073709551616",
        b"99999999999999999999999999", b"%s%n%s%n", b"\0", b"\xff\xfe", b"\\u0000", b'"',
        b",", b",,", b"=", b"/", b"..", b"[" * 5000, b'{"a":' * 3000, b"(" * 5000,
        b"A" * 70000, b"\n", b"\r", b"\x1b[A", b"\t", b" " * 300, b"1e999", b"null", b"-", b"+"]
# What ends the process, takes time as asked for, or starts programs.
FORBIDDEN = re.compile(rb"quit|clock_s|clock-s|exec:|\x04|(^|[\r\n])\s*q\b")


def mutate(rng, seed, others):
    data = bytearray(seed)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0 and data:
            data[at % len(data)] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = rng.choice(HARD)
        elif kind == 2:
            del data[at:at + rng.randrange(1, 8)]
        elif kind == 3:
            other = rng.choice(others)
            data[at:] = other[rng.randrange(len(other)):]
        elif kind == 4:  # a word or number becomes another
            words = bytes(data).split(b" ") if b" " in data else bytes(data).split(b":")
            words[rng.randrange(len(words))] = rng.choice(HARD)
            data = bytearray((b" " if b" " in data else b":").join(words))
        else:
            data[at:at] = data[at:at + 20] * rng.randrange(1, 5)
    return bytes(data)


def limits():
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def start(words, folder, **options):
    # SIGXFSZ stays ignored: what is too big for a file is an error, as on a full disk.
    return subprocess.Popen([SYSTEM, *words], cwd=folder, preexec_fn=limits,
                            restore_signals=False, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, **options)


class Machine:
    """One that listens for all three protocols, stopped or running firmware."""

    def __init__(self, folder, accel):
        self.folder, self.accel = folder, accel
        self.log = open(folder / "log", "w+b")
        words = ["-M", "pc", "-accel", accel, "-m", "16", "-display", "none",
                 "-serial", "null", "-drive", "file=disk,format=raw,if=ide,snapshot=on"]
        for name in ("qmp", "monitor", "qtest"):
            if name != "qtest" or accel == "qtest":
                words += [f"-{name}", f"unix:{name}.sock,server=on,wait=off"]
        if accel == "qtest":
            words += ["-qtest-log", "none"]
        self.process = start(words, folder, stderr=self.log)

    def connect(self, name):
        until = time.monotonic() + ANSWER_SECONDS
        while True:
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(ANSWER_SECONDS)
            try:
                peer.connect(os.path.relpath(self.folder / f"{name}.sock"))
                return peer
            except OSError:
                peer.close()
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def talk(self, name, text, wanted):
        """Sends `text`, then something that must be answered on a new connection."""
        with self.connect(name) as peer:
            try:
                peer.sendall(text)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65536):
                    pass
            except (ConnectionError, TimeoutError):
                pass
        return self.answers(name, wanted)

    def answers(self, name, wanted):
        probe, expected = wanted
        with self.connect(name) as peer:
            peer.sendall(probe)
            got = b""
            while expected not in got:
                part = peer.recv(65536)
                if not part:
                    return False
                got += part
        return True

    def errors(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


PROBES = {"qmp": (b'{"execute":"qmp_capabilities"}{"execute":"query-status","id":"probe"}',
                  b'"probe"'),
          "monitor": (b"\ninfo status\n", b"VM status"),
          "qtest": (b"\nendianness\n", b"little")}


def safe(text):
    return not FORBIDDEN.search(text)


def attack_monitors(rng, checks, folder, until):
    accel = rng.choice(("qtest", "qtest", "x86emu"))
    machine = Machine(folder, accel)
    sent = []
    try:
        while time.monotonic() < until and len(sent) < 60 and machine.process.poll() is None:
            name = rng.choice(("qmp", "monitor") + (("qtest",) if accel == "qtest" else ()))
            seeds = {"qmp": QMP, "monitor": HMP, "qtest": QTEST}[name]
            lines = [mutate(rng, rng.choice(seeds), seeds) for _ in range(rng.randrange(1, 6))]
            text = (QMP[0] if name == "qmp" and rng.random() < 0.9 else b"") + \
                b"\n".join(line for line in lines if safe(line)) + rng.choice((b"\n", b""))
            sent.append((name, text[:500]))
            if not machine.talk(name, text, PROBES[name]):
                break
        died = machine.process.poll()
        good = died is None and b"Sanitizer" not in machine.errors()
        good = good and all(machine.answers(name, PROBES[name]) for name in ("qmp", "monitor"))
    except (OSError, TimeoutError) as error:
        good = False
        sent.append(("error", str(error)))
    what = f"{accel}: status {machine.process.poll()}, {machine.errors()[-3000:].decode(errors='replace')}"
    machine.close()
    checks.check(good, f"monitors: {what}; last {sent[-3:]}")


def attack_options(rng, checks, folder):
    words = [b"-nodefaults", b"-display", b"none", b"-S"]
    for row in rng.sample(OPTIONS, rng.randrange(1, 4)):
        words += [word if i % 2 == 0 and rng.random() < 0.95
                  else mutate(rng, word, [r[1] for r in OPTIONS]).replace(b"\0", b"")
                  for i, word in enumerate(row)]
    words = [word[:50000] for word in words]
    if not all(safe(word) for word in words) or any(b"stdio" in word for word in words):
        return
    process = start(words, folder, stderr=subprocess.PIPE)
    try:
        _, errors = process.communicate(timeout=3)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            _, errors = process.communicate(timeout=ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
            errors += b"(SIGTERM did not end it)"
    checks.check(process.returncode in ENDS and b"Sanitizer" not in errors,
                 f"options {words}: status {process.returncode}, {errors[-3000:]}")


def partition_table(rng):
    sector = bytearray(rng.randbytes(512) if rng.random() < 0.5 else bytes(512))
    for at in range(446, 510):
        if rng.random() < 0.5:
            sector[at] = rng.choice((0, 0xff, 1, 0x80, rng.randrange(256)))
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def attack_images(rng, checks, folder):
    """Firmware, whole, packed and damaged; a disk with any partition table and size."""
    image = rng.randbytes(rng.choice((65536, 131072, 262144)))
    packed = bytearray(gzip.compress(image, 1))
    for _ in range(rng.randrange(4)):
        packed[rng.randrange(min(len(packed), rng.choice((20, len(packed)))))] = \
            rng.randrange(256)
    (folder / "bios").write_bytes(rng.choice(
        (image, bytes(packed), bytes(packed[:rng.randrange(len(packed))]), image[:1000])))
    disk = partition_table(rng) + bytes(rng.choice((0, 1, 511, 512, 1 << 20)))
    (folder / "image").write_bytes(disk[:rng.choice((1, 511, 512, len(disk)))])
    if rng.random() < 0.5:
        os.truncate(folder / "image", rng.choice((1 << 20, 1474560, FILE_LIMIT - 1)))
    process = start(["-nodefaults", "-display", "none", "-accel", "x86emu",
                     *(["-bios", "bios"] if rng.random() < 0.8 else []),
                     "-drive", "file=image,format=raw,if=" + rng.choice(("ide", "floppy")),
                     "-monitor", "unix:monitor.sock,server=on,wait=off"],
                    folder, stderr=subprocess.PIPE)
    try:
        _, errors = process.communicate(timeout=rng.choice((0.3, 1)))
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            _, errors = process.communicate(timeout=ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
            errors += b"(SIGTERM did not end it)"
            process.returncode = -9
    checks.check(process.returncode in ENDS and b"Sanitizer" not in errors,
                 f"images: status {process.returncode}, {errors[-3000:]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.seconds
    seed = arguments.seed
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        while time.monotonic() < until and checks.failed < 5:
            failed = checks.failed
            rng = random.Random(seed)
            (folder / "disk").write_bytes(bytes(1 << 20))
            attack_monitors(rng, checks, folder, until)
            for _ in range(3):
                attack_options(rng, checks, folder)
                attack_images(rng, checks, folder)
            if checks.failed > failed:
                print(f"(--seed {seed})", flush=True)
            seed += 1
    checks.close()


main()
