#!/usr/bin/env python3
"""Bad command lines and images: each gets one line that names the program and what is
wrong, and exit status 1; never a crash."""
import gzip
import os
import pathlib
import re
import tempfile

from harness import SYSTEM, UMBRA, Checks, run

BASE = ["-nodefaults", "-display", "none", "-S"]


def images(folder):
    """Firmware files that no machine may start with."""
    def write(name, data):
        (folder / name).write_bytes(data)

    write("empty.bin", b"")
    write("odd.bin", bytes(65537))
    write("small.bin", bytes(100))
    write("huge.bin", b"")
    os.truncate(folder / "huge.bin", (16 << 20) + 65536)
    packed = gzip.compress(os.urandom(65536) + bytes(65536))
    write("short.gz", packed[:len(packed) // 2])
    write("broken.gz", packed[:5000] + bytes(100) + packed[5100:])
    write("bomb.gz", gzip.compress(bytes(17 << 20)))
    (folder / "folder.bin").mkdir()


CASES = [
    (["-bios", "no-such-firmware.bin"], "no-such-firmware.bin"),
    (["-bios", "{}/empty.bin"], "empty"),
    (["-bios", "{}/odd.bin"], "65537 bytes"),
    (["-bios", "{}/small.bin"], "64 KiB"),
    (["-bios", "{}/huge.bin"], "16 MiB"),
    (["-bios", "{}/bomb.gz"], "16 MiB"),
    (["-bios", "{}/short.gz"], "truncated|short|ends"),
    (["-bios", "{}/broken.gz"], "corrupt|broken|damaged"),
    (["-bios", "{}/folder.bin"], "folder.bin"),
    (["-M", "pc-i440fx-7.3"], "did you mean 'pc-i440fx-7.[12]'"),
    (["-M", "pc,smmm=on"], "did you mean 'smm'"),
    (["-M", "pc,hpet=maybe"], "'on' or 'off'"),
    (["-accel", "kvmm"], "did you mean 'kvm'"),
    (["-accel", "x86emu,speed=9"], "speed"),
    (["-device", "isa-debug-exti"], "did you mean 'isa-debug-exit'"),
    (["-device", "isa-debug-exit,iobas=1"], "did you mean 'iobase'"),
    (["-device", "isa-debug-exit,iobase=banana"], "a number"),
    (["-device", "isa-debug-exit,bus=pci.0"], "bus"),
    (["-device", "isa-debug-exit,id=a", "-device", "isa-debug-exit,id=a"], "Duplicate"),
    (["-global", "nonsense"], "DRIVER.PROPERTY=VALUE"),
    (["-global", "i440FX.pam-exact=perhaps"], "'on' or 'off'"),
    (["-m", "512K"], "at least 1 MiB"),
    (["-m", "1025K"], None),  # a multiple of 1 KiB alone
    (["-m", "2097153B"], "multiple of 4 KiB"),
    (["-m", "banana"], "not a size"),
    (["-m", "-5"], "not a size"),
    (["-m", "99999999999999G"], "not a size"),
    (["-m", "16777216T"], "not a size|memory|RAM"),
    (["-smp", "0"], "CPUs"),
    (["-M", "isapc", "-smp", "2"], "Invalid SMP CPUs 2. The max CPUs supported by machine 'isapc' is 1"),
    (["-M", "vmd-7.6", "-smp", "1,maxcpus=2"], "supported by machine 'vmd-7.6' is 1"),
    (["-drive", "file={}/none.img,format=raw"], "No such file"),
    (["-drive", "file={}/folder.bin,format=raw"], "folder.bin"),
    (["-drive", "file={}/odd.bin,fromat=raw"], "format"),
    (["-drive", "file={}/odd.bin,format=zip"], "zip"),
    (["-hda", "{}/none.img"], "No such file"),
    (["-serial", "file:/no/such/folder/x"], "No such file"),
    (["-monitor", "unix:/no/such/folder/x,server=on,wait=off"], "No such file"),
    (["-chardev", "socket,id=x"], "path|host"),
    (["-chardev", "null"], "id"),
    (["-mon", "chardev=nobody"], "nobody"),
    (["-gdb", "unix:/no/such/folder/x,server=on,wait=off"], "No such file"),
    (["-gdb", "tcp:nonsense"], "tcp:nonsense"),
    (["-trace", "nonsense"], "-trace help"),
    (["-d", "nonsense"], "-d help"),
    (["-D", "/no/such/folder/x"], "No such file"),
    (["-action", "panic=maybe"], "pause"),
    (["-watchdog-action", "bark"], "inject-nmi"),
    (["-boot", "order=zz"], "boot order"),
    (["-rtc", "base=yesterday"], "base=yesterday"),
    (["-uuid", "123"], "UUID"),
    (["-cpu", "pentium9"], "qemu64"),
    (["-nodefalts"], "did you mean '-nodefaults'"),
    (["-machine"], "requires an argument"),
    (["-fw_cfg", "nonsense"], "name"),
    (["-sandbox", "maybe"], "on or off"),
    (["-sandbox", "on,spwan=deny"], "spwan"),
    (["-sandbox", "on,spawn=perhaps"], "allow or deny"),
    (["-object", "memory-backend-memdf,id=m,size=1M"], "did you mean 'memory-backend-memfd'"),
    (["-object", "memory-backend-memfd,size=1M"], "'id' is missing"),
    (["-object", "memory-backend-memfd,id=m"], "'size' is missing"),
    (["-object", "memory-backend-file,id=m,size=1M"], "'mem-path' is missing"),
    (["-object", "memory-backend-ram,id=m,size=1M,shared=on"], "did you mean 'share'"),
    (["-object", "memory-backend-ram,id=m,size=1M", "-object",
      "memory-backend-ram,id=m,size=1M"], "Duplicate"),
    (["-object", "memory-backend-ram,id=m,size=1M", "-M", "pc,memory-backend=m", "-m", "2M"],
     "leave -m out"),
    (["-object", "memory-backend-ram,id=m,size=512K", "-M", "pc,memory-backend=m"],
     "at least 1 MiB"),
    (["-object", "memory-backend-file,id=m,size=1M,mem-path=/no/such/x", "-M",
      "pc,memory-backend=m"], "No such file"),
    (["-M", "pc,memory-backend=m"], "Memory backend 'm' not found"),
    (["-object", "umbra-segments,id=s"], "'path' is missing"),
    (["-object", "umbra-segments,id=s,path=/no/such/x"], "No such file"),
    (["-object", "umbra-segments,id=s,path={}"], "in use"),
]

UMBRA_CASES = [
    (["rebot"], "did you mean 'reboot'"),
    (["reboot", "--machine", "pcc"], "did you mean"),
    (["reboot", "--accel", "kvmm"], "kvm"),
    (["reboot", "--method", "bois"], "did you mean 'bios'"),
    (["reboot", "--times", "0"], "from 1"),
    (["reboot", "stray"], "stray"),
    (["reboot", "--nonsense"], "nonsense"),
]


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        images(folder)
        for words, expected in CASES:
            words = [word.replace("{}", name) for word in words]
            done = run([SYSTEM, *BASE, *words], timeout=30)
            lines = done.stderr.strip().splitlines()
            what = f"{' '.join(words)}: status {done.returncode}, {done.stderr!r}"
            checks.check(done.returncode == 1 and len(lines) == 1, what)
            checks.check(lines and lines[0].startswith("umbra-system-x86_64: "), what)
            if expected:
                checks.check(re.search(expected, done.stderr), f"{what} has no {expected!r}")
        for words, expected in UMBRA_CASES:
            done = run([UMBRA, *words], timeout=30)
            what = f"umbra {' '.join(words)}: status {done.returncode}, {done.stderr!r}"
            checks.check(done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1,
                         what)
            checks.check(re.search(expected, done.stderr), f"{what} has no {expected!r}")
    checks.close()


main()
