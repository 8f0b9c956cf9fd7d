#!/usr/bin/env python3
"""bhyve's guests on each accelerator: a kernel looks from inside at what bhyveload has left it,
as ELF and as a.out; bootroms start in real mode; memory is pinned where asked; the console is
standard input, a terminal or a pty; segments are shared by name. Expectations are FreeBSD's
(lib/libvmmapi, stand/userboot, sys/i386/include/bootinfo.h), worked out here."""
import json
import mmap
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import tty

from harness import BUILD, SYSTEM, UMBRA, Checks, accels, run
from vm import VM, remove_folder

KERNEL = BUILD / "firmware" / "guest" / "bsd-kernel.elf"
KIB, MIB, GIB, PAGE = 1 << 10, 1 << 20, 1 << 30, 4096
PATIENCE = 60  # seconds
QUIET = ["-nodefaults", "-display", "none"]
DEBUG = ["-debugcon", "stdio", "-global", "isa-debugcon.iobase=0x402", "-device",
         "isa-debug-exit,iobase=0x501"]


def start(accel, memory, *arguments, machine="bhyve"):
    return run([SYSTEM, "-M", machine, "-accel", accel, "-m", memory, *QUIET, *DEBUG, *arguments])


def lines(ran, word):
    return [line[len(word) + 1:] for line in ran.stdout.splitlines()
            if line.split(" ")[0] == word]


def words(*values):
    return " ".join(f"{value:08x}" for value in values)


def words64(*values):
    return " ".join(f"{value >> 32:08x} {value & 0xffffffff:08x}" for value in values)


def page_up(address):
    return (address + PAGE - 1) & ~(PAGE - 1)


class Elf:
    """The test kernel's one loadable segment, as struct reads the file."""

    def __init__(self):
        self.bytes = KERNEL.read_bytes()
        self.entry, = struct.unpack_from("<I", self.bytes, 24)
        self.table, = struct.unpack_from("<I", self.bytes, 28)
        (kind, self.offset, self.address, _, self.file_size, self.size) = struct.unpack_from(
            "<6I", self.bytes, self.table)
        assert kind == 1 and self.address == 0x100000

    def patched(self, *patches):
        image = bytearray(self.bytes)
        for offset, form, value in patches:
            struct.pack_into(form, image, offset, value)
        return bytes(image)


# -- What the kernel finds -------------------------------------------------------------------

def check_fields(checks, accel, elf):
    ran = start(accel, "5G", "-kernel", KERNEL, "-append", "-sv", "-e", "a=b c", "-e",
                "boot_serial=NO", "-e", "a=d", "-e", "boot_mute=YES")
    name = str(KERNEL)
    environment = ["smbios.bios.vendor=BHYVE", "boot_serial=NO", f"kernelname={name}", "a=d",
                   "boot_mute=YES"]
    end = elf.address + elf.size
    envp = page_up(end)
    modulep = page_up(envp + sum(len(text) + 1 for text in environment) + 1)
    records = [(1, len(name) + 1), (2, 11), (6, 4), (3, 4), (4, 4), (0x8002, 52), (0x8007, 4),
               (0x8006, 4), (0x8008, 4), (0x9001, 60)]
    kernend = page_up(modulep + sum(8 + (size + 3 & ~3) for _, size in records) + 8)
    howto = 0x80000000 | 0x800 | 0x2 | 0x10000  # RB_BOOTINFO, _VERBOSE, _SINGLE, _MUTE
    expected = {
        # vm_setup_freebsd_registers_i386(): PE and NE beside the fixed ET; nothing else.
        "registers": [words(0x31, 0, 2, 0x2000 - 9 * 4)],
        "segments": [words(8, 0x10, 0x10, 0x10, 0x10, 0x10, 0x18)],
        "stack": [words(0xbeefface, howto, 0, 0, 0, 0, 0x2000, modulep, kernend)],
        "gdt": [words(0x3000, 31)],
        "descriptor": [words(0, 0), words(0x0000ffff, 0x00cf9a00),
                       words(0x0000ffff, 0x00cf9200), words(0x40000067, 0x00008900)],
        "reloaded": [""],
        "busy": [words(0x00008b00)],
        "bootinfo": [words(1, 0x2000 + 84, *[0] * 10, 84, 1, 640, (3 * GIB - MIB) // KIB, 0, 0,
                           kernend, envp, modulep)],
        "kernelname": [name],
        "env": environment,
        "record": [words(*record) for record in records],
        "string": [name, "elf kernel", "-sv"],
        "number": [words(number) for number in (elf.address, elf.size, howto, envp, kernend)],
        "smap": [f"{words64(*entry)} 00000001" for entry in
                 ((0, 640 * KIB), (MIB, 3 * GIB - MIB), (4 * GIB, 2 * GIB))],
        "done": [""],
    }
    for word, told in expected.items():
        checks.check(lines(ran, word) == told, f"{accel}, {word}: {lines(ran, word)}, not {told}")
    checks.check(ran.returncode == 1 and "bss" not in ran.stdout, f"{accel}: {ran}")


def check_sizes(checks, accel):
    """The memory map around each boundary, and with a lower limit."""
    cases = [(size, 3 * GIB) for size in
             (2 * MIB, 16 * MIB, 3 * GIB - PAGE, 3 * GIB, 3 * GIB + PAGE, 4 * GIB, 64 * GIB)]
    for size, limit in [*cases, (3 * GIB, GIB)]:
        ran = start(accel, f"{size // KIB}K", "-kernel", KERNEL,
                    machine=f"bhyve,lowmem-limit={limit}")
        low = min(size, limit)
        smap = [(0, 640 * KIB), (MIB, low - MIB)] + [(4 * GIB, size - low)] * (size > low)
        checks.check(lines(ran, "smap") == [f"{words64(*entry)} 00000001" for entry in smap]
                     and ran.stdout.endswith("done\n"), f"{accel}, {size:#x}: {ran}")


# -- Other files -----------------------------------------------------------------------------

def aout_kernels(elf):
    """Name and bytes of the test kernel in each a.out format. Its first page, below the ELF
    segment, jumps to the entry; the segment is the data."""
    base = elf.address - PAGE

    def header(magic, entry, network=False):
        midmag = struct.pack(">I" if network else "<I", 134 << 16 | magic)
        return midmag + struct.pack("<7I", PAGE, elf.file_size, elf.size - elf.file_size, 0,
                                    entry | 0xf0000000, 0, 0)

    def text(start):  # with the jump at `start`
        jump = b"\xe9" + struct.pack("<i", elf.entry - (base + start + 5))
        return (bytes(start) + jump).ljust(PAGE, b"\0")

    data = elf.bytes[elf.offset:elf.offset + elf.file_size]
    return {
        "omagic": header(0o407, base) + text(0) + data,
        "nmagic": header(0o410, base) + text(0) + data,
        "zmagic": header(0o413, base).ljust(PAGE, b"\0") + text(0) + data,
        "qmagic": header(0o314, base + 32) + text(32)[32:] + data,
        "zmagic-net": header(0o413, base + 32, True) + text(32)[32:] + data,
        "qmagic-net": header(0o314, base + 32, True) + text(32)[32:] + data,
    }


def check_formats(checks, accel, elf, folder):
    """The same kernel, linked elsewhere or in another format, comes to its end."""
    files = {name: (image, "a.out kernel") for name, image in aout_kernels(elf).items()}
    files["high.elf"] = (elf.patched((24, "<I", elf.entry | 0xc0000000),
                                     (elf.table + 8, "<I", elf.address | 0xc0000000),
                                     (elf.table + 12, "<I", 0x12345000)), "elf kernel")
    for name, (image, kind) in files.items():
        path = folder / name
        path.write_bytes(image)
        ran = start(accel, "32M", "-kernel", path)
        checks.check(lines(ran, "string")[1:2] == [kind] and lines(ran, "kernelname") == [str(path)]
                     and "bss" not in ran.stdout and ran.stdout.endswith("done\n"),
                     f"{accel}, {name}: {ran}")
        header = words(0x8002, 52) if kind == "elf kernel" else words(0x8001, 32)
        checks.check(header in lines(ran, "record"), f"{accel}, {name}: {ran.stdout}")


def check_refusals(checks, elf, folder):
    wide = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, 0x100000, 64, 0, 0,
                       64, 56, 1, 0, 0, 0) + struct.pack("<IIQQQQQQ", 1, 5, 0, 0x100000, 0x100000,
                                                         120, 120, 4096)
    aout = aout_kernels(elf)
    bad = {
        "cut.elf": (elf.bytes[:len(elf.bytes) // 4], "truncated"),
        "header.elf": (elf.bytes[:40], "truncated"),
        "wide.elf": (wide, "a 64-bit kernel"),
        "shared.elf": (elf.patched((16, "<H", 3)), "no ET_EXEC"),
        "arm.elf": (elf.patched((18, "<H", 40)), "another processor"),
        "low.elf": (elf.patched((elf.table + 8, "<I", 0x4000)), "lies over the stack"),
        "hole.elf": (elf.patched((elf.table + 8, "<I", 0xd0100000)), "not in RAM"),
        "big.elf": (elf.patched((elf.table + 20, "<I", 0xf0000000)), "not in RAM"),
        "end.elf": (elf.patched((elf.table + 8, "<I", 32 * MIB - 0x100)), "not in RAM"),
        "entry.elf": (elf.patched((24, "<I", 0x300000)), "outside its segments"),
        "below.elf": (elf.patched((24, "<I", 0xc0100000)), "not in RAM"),
        "room.elf": (elf.patched((elf.table + 20, "<I", 31 * MIB)), "no room"),
        "cut.aout": (aout["omagic"][:3000], "truncated"),
        "header.aout": (aout["omagic"][:20], "truncated"),
        "data.aout": (aout["zmagic"][:PAGE * 2 + 10], "truncated"),
        "empty.aout": (aout["omagic"][:4] + bytes(28), "no text"),
        "wrap.aout": (aout["omagic"][:8] + struct.pack("<2I", 0, 0xffffffff)
                      + aout["omagic"][16:], "end of memory"),
        "sun.aout": (struct.pack("<I", 2 << 16 | 0o413) + aout["zmagic"][4:], "neither an ELF"),
        "text": (b"no kernel\n", "neither an ELF file nor an a.out file"),
        "nothing": (b"", "neither an ELF file nor an a.out file"),
    }
    for name, (image, expected) in bad.items():
        path = folder / name
        path.write_bytes(image)
        ran = start("x86emu", "32M", "-kernel", path)
        checks.check(ran.returncode == 1 and expected in ran.stderr and str(path) in ran.stderr
                     and len(ran.stderr.splitlines()) == 1, f"{name}: {ran}")
    for arguments, expected in ((["-e", "novalue"], "write NAME=VALUE"),
                                (["-e", "=x"], "write NAME=VALUE"),
                                (["-e", "a=" + "x" * 100000, "-m", "1100K"], "no room")):
        ran = start("x86emu", "32M", "-kernel", KERNEL, *arguments)
        checks.check(ran.returncode == 1 and expected in ran.stderr
                     and len(ran.stderr.splitlines()) == 1, f"{arguments[:1]}: {ran.stderr}")


def check_end(checks, folder):
    """With long mode's paging a kernel reaches beyond all memory, where bhyve has nothing: it ends. Page 1
    of 2 MiB is mapped to 32 GiB."""
    def put(address, value):  # movl $value, address
        return b"\xc7\x05" + struct.pack("<II", address, value)

    code = (put(0x200000, 0x201003) + put(0x201000, 0x202003) + put(0x202000, 0x83)
            + put(0x202008, 0x83) + put(0x20200c, 8) + bytes([
                0xb8, 0, 0, 0x20, 0, 0x0f, 0x22, 0xd8,  # mov $0x200000, %eax; mov %eax, %cr3
                0x0f, 0x20, 0xe0, 0x83, 0xc8, 0x20, 0x0f, 0x22, 0xe0,  # CR4.PAE
                0xb9, 0x80, 0, 0, 0xc0, 0x0f, 0x32, 0x80, 0xcc, 1, 0x0f, 0x30,  # EFER.LME
                0x0f, 0x20, 0xc0, 0x0f, 0xba, 0xe8, 31, 0x0f, 0x22, 0xc0,  # CR0.PG
                0xa1, 0x10, 0, 0x20, 0,                 # mov 0x200010, %eax
                0xeb, 0xfe]))
    rip = 0x100000 + len(code) - 7
    path = folder / "end.aout"
    path.write_bytes(struct.pack("<8I", 134 << 16 | 0o407, len(code), 0, 0, 0, 0x100000, 0, 0)
                     + code)
    with VM("-kernel", str(path), machine=["-M", "bhyve", "-accel", "kvm", *QUIET]) as vm:
        checks.check(vm.wait_status("internal-error") == "internal-error", f"{vm.status()}")
        checks.check(f"Unhandled memory access to 0x800000010, 4-byte read at rip={rip:#x}"
                     in vm.messages(), vm.messages())


# -- Bootroms --------------------------------------------------------------------------------

def check_bootrom(checks, accel, folder):
    """Real mode, at 0xfffffff0: prints where it is, whether it can write to itself and whether
    memory below 1 MiB is a copy of it, and leaves."""
    code = bytes([
        0x2e, 0xc6, 0x06, 0x00, 0xf0, 0x55,  # movb $0x55, %cs:0xf000: lost
        0x2e, 0xa0, 0x00, 0xf0,              # mov %cs:0xf000, %al
        0xba, 0x02, 0x04, 0xee,              # mov $0x402, %dx; out %al, %dx
        0xb8, 0x00, 0xf0, 0x8e, 0xd8,        # mov $0xf000, %ax; mov %ax, %ds
        0xa0, 0x00, 0xf0, 0x04, 0x30, 0xee,  # mov 0xf000, %al; add $'0', %al; out %al, %dx
        0x8c, 0xc8, 0x88, 0xe0, 0xee,        # mov %cs, %ax; mov %ah, %al; out %al, %dx
        0xb0, 0x00, 0xba, 0x01, 0x05, 0xee,  # leave
        0xeb, 0xfe])
    image = bytearray(PAGE)
    image[0] = ord("R")
    image[0x100:0x100 + len(code)] = code
    image[-16:-13] = b"\xe9" + struct.pack("<h", 0x100 - (PAGE - 13))
    path = folder / "rom"
    path.write_bytes(image)
    ran = subprocess.run([SYSTEM, "-M", f"bhyve,bootrom={path}", "-accel", accel, *QUIET, *DEBUG],
                         capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
    checks.check(ran.stdout == b"R0\xf0" and ran.returncode == 1, f"{accel}: bootrom: {ran}")


def check_seabios(checks):
    """SeaBIOS' first jump goes to f000:e05b, and bhyve shows no copy of it there: it says
    nothing, for ever, as it would on bhyve."""
    with tempfile.NamedTemporaryFile() as log, \
            VM("-bios", "bios-256k.bin", "-debugcon", f"file:{log.name}", "-global",
               "isa-debugcon.iobase=0x402",
               machine=["-M", "bhyve", "-accel", "x86emu", *QUIET]) as vm:
        time.sleep(1)
        base = int(re.search(r"^CS =\w+ (\w+)", vm.hmp("info registers"), re.M)[1], 16)
        checks.check(vm.status() == "running" and base < MIB, f"SeaBIOS: CS base {base:#x}")
        checks.check(pathlib.Path(log.name).read_bytes() == b"", "SeaBIOS says something")


# -- Wired memory ----------------------------------------------------------------------------

def memory_of(process):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return {name: int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1])
            for name in ("VmLck", "RssShmem")}


def check_wired(checks):
    machine = ["-accel", "qtest", "-S", "-m", "64", *QUIET, "-device", "bhyve-fbuf"]
    segments = (64 + 16 + 32) * KIB  # KiB: sysmem, bootrom, framebuffer
    with VM(machine=["-M", "bhyve", *machine]) as vm:
        told = memory_of(vm.process)
        checks.check(told["VmLck"] == 0 and told["RssShmem"] < segments // 2, f"wired=off: {told}")
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)
    except (OSError, ValueError):
        pass  # the check below tells
    probe = run([SYSTEM, "-M", "bhyve,wired=on", "-accel", "qtest", *QUIET, "-m", "64", "-qtest",
                 "null", "-device", "bhyve-fbuf", "-incoming", "exec:false"])
    if "RLIMIT_MEMLOCK" in probe.stderr:
        print(f"without wired memory: {probe.stderr.strip()}", flush=True)
    else:
        with VM(machine=["-M", "bhyve,wired=on", *machine]) as vm:
            for turn in range(2):
                told = memory_of(vm.process)
                checks.check(told["VmLck"] == segments and told["RssShmem"] >= segments,
                             f"wired=on, {turn} resets: {told}")
                vm.qmp("system_reset")  # memory is empty then, and there all the same

    drop = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"]
    command = [*(drop if os.geteuid() == 0 else []), "prlimit", "--memlock=1048576:1048576",
               SYSTEM, "-M", "bhyve,wired=on", *machine]
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return
    ran = run(command)
    checks.check(ran.returncode == 1 and len(ran.stderr.splitlines()) == 1
                 and "wired=on: cannot pin segment 'sysmem' of 65536 KiB" in ran.stderr
                 and "RLIMIT_MEMLOCK is 1024 KiB" in ran.stderr, f"wired=on, no right: {ran}")


# -- The console -----------------------------------------------------------------------------

def converse(checks, what, reader, writer):
    """The kernel says "ready", which nobody hears on a pty that was not open yet, and echoes a
    line."""
    def read_line():
        text = b""
        while not text.endswith(b"\n") and select.select([reader], [], [], PATIENCE)[0]:
            text += os.read(reader, 1)
        return text.replace(b"\r", b"")

    os.write(writer, b"hello\n")
    line = read_line()
    if line == b"ready\n":
        line = read_line()
    checks.check(line == b"hello\n", f"{what}: {line}")
    os.write(writer, b".")


def check_console(checks, accel):
    base = [SYSTEM, "-M", "bhyve", "-accel", accel, *QUIET, "-kernel", str(KERNEL), "-e",
            "umbra.echo=1", "-device", "isa-debug-exit,iobase=0x501"]
    with subprocess.Popen([*base, "-serial", "stdio"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        converse(checks, f"{accel}, stdio", process.stdout.fileno(), process.stdin.fileno())
        checks.check(process.wait(PATIENCE) == 1, f"{accel}, stdio: {process.returncode}")

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    for serial in ([os.ttyname(theirs)], [f"chardev:con", "-chardev",
                                          f"serial,id=con,path={os.ttyname(theirs)}"]):
        with subprocess.Popen([*base, "-serial", *serial], stdin=subprocess.DEVNULL) as process:
            converse(checks, f"{accel}, {serial}", ours, ours)
            checks.check(process.wait(PATIENCE) == 1, f"{accel}, {serial}: {process.returncode}")
    os.close(ours)
    os.close(theirs)

    with subprocess.Popen([*base, "-S", "-serial", "pty", "-monitor", "stdio"], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        while not (found := re.search(r"redirected to (/dev/\S+)", process.stdout.readline())):
            pass
        peer = os.open(found[1], os.O_RDWR | os.O_NOCTTY)
        tty.setraw(peer)
        process.stdin.write("cont\n")
        process.stdin.flush()
        converse(checks, f"{accel}, pty", peer, peer)
        os.close(peer)
        checks.check(process.wait(PATIENCE) == 1, f"{accel}, pty: {process.returncode}")


# -- Segments --------------------------------------------------------------------------------

class Segments:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))

    def ask(self, request):
        self.socket.send(request.encode() + b"\n")
        answer, fds, *_ = socket.recv_fds(self.socket, 1 << 16, 1)
        while not answer.endswith(b"\n"):
            answer += self.socket.recv(1 << 16)
        return json.loads(answer), fds

    def guest(self, name):
        """Where the guest meets it: (start, last, offset, protection)."""
        segment, = [each for each in self.ask("list")[0] if each["name"] == name]
        return [(*(int(place[key], 16) for key in ("start", "last", "offset")),
                 place["protection"]) for place in segment["guest"]]


def check_segments(checks, folder):
    path, rom = folder / "segments", folder / "segment-rom"
    rom.write_bytes(b"\xf4" * PAGE)
    with VM("-object", f"umbra-segments,id=seg,path={path}", "-bios", str(rom), "-device",
            "bhyve-fbuf", machine=["-M", "bhyve", "-accel", "qtest", "-m", "4G", *QUIET]) as vm:
        segments = Segments(path)
        told = {each["name"]: each["size"] for each in segments.ask("list")[0]}
        checks.check(told == {"sysmem": 4 * GIB, "bootrom": 16 * MIB, "framebuffer": 32 * MIB},
                     f"segments {told}")
        checks.check(segments.guest("sysmem") == [(0, 3 * GIB - 1, 0, "rw"),
                                                  (4 * GIB, 5 * GIB - 1, 3 * GIB, "rw")],
                     f"sysmem: {segments.guest('sysmem')}")
        checks.check(segments.guest("bootrom") == [(4 * GIB - PAGE, 4 * GIB - 1, 16 * MIB - PAGE,
                                                    "r")], f"{segments.guest('bootrom')}")
        checks.check(segments.guest("framebuffer") == [], "a frame buffer before it is turned on")

        answer, (fd,) = segments.ask("open framebuffer")
        picture = mmap.mmap(fd, 32 * MIB)
        picture[0x1000:0x1004] = b"abcd"
        for address in (0xc8000000, 0xd4000000):
            for port, value in ((0xcf8, 0x80000804), (0xcfc, 0), (0xcf8, 0x80000814),
                                (0xcfc, address), (0xcf8, 0x80000804), (0xcfc, 2)):
                vm.hmp(f"o /4 {port:#x} {value:#x}")
            checks.check(segments.guest("framebuffer") == [(address, address + 32 * MIB - 1, 0,
                                                            "rw")],
                         f"{address:#x}: {segments.guest('framebuffer')}")
            text = vm.hmp(f"xp /1wx {address + 0x1000:#x}")
            checks.check("0x64636261" in text, f"{address:#x}: {text}")
        picture.close()
        os.close(fd)

        answer, (fd,) = segments.ask("open sysmem")
        with mmap.mmap(fd, 4 * GIB) as memory:
            memory[3 * GIB + 16:3 * GIB + 20] = b"high"
            memory[0xf0000:0xf0003] = b"low"
            checks.check("0x68676968" in vm.hmp("xp /1wx 0x100000010"), "high memory")
            checks.check("0x00776f6c" in vm.hmp("xp /1wx 0xf0000"), "memory at 0xf0000")
        os.close(fd)


# -- The tool --------------------------------------------------------------------------------

def check_tool(checks, folder):
    drawn = folder / "bhyve.svg"
    ran = run([UMBRA, "draw", "--machine", "bhyve", "-m", "5G", "-o", drawn])
    checks.check(ran.returncode == 0 and "highmem" in drawn.read_text(), f"draw: {ran}")
    ran = run([UMBRA, "mtree", "--machine", "bhyve", "-m", "5G"])
    checks.check("alias highmem @sysmem 00000000c0000000-000000013fffffff" in ran.stdout, ran)
    ran = run([UMBRA, "diff", "bhyve", "microvm"])
    checks.check("pci-hole" in ran.stdout, f"diff: {ran}")
    methods = {"kbd": ("rebooted", 2, None), "pci": ("rebooted", 2, None),
               "triple": ("shutdown", 1, "vmrun.sh starts it anew only after status 0"),
               "port92": ("hung", 1, "nothing at port 0x92"),
               "bios": ("unsupported", 1, "started without one"),
               "ctrl-alt-del": ("unsupported", 1, "firmware's"),
               "s3": ("unsupported", 1, "S5 alone")}
    ran = run([UMBRA, "reboot", "--machine", "bhyve", "--json",
               *[word for method in methods for word in ("--method", method)]], timeout=600)
    checks.check(ran.returncode == 0, f"reboot: {ran}")
    for row in json.loads(ran.stdout):
        outcome, boots, why = methods[row["method"]]
        checks.check(row["outcome"] == row["expected"] == outcome and row["boots"] == boots
                     and row["pristine"] is None and (why or "") in (row["reason"] or ""), row)


def main():
    checks = Checks()
    elf = Elf()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for accel in accels():
            check_fields(checks, accel, elf)
            check_sizes(checks, accel)
            check_formats(checks, accel, elf, folder)
            check_bootrom(checks, accel, folder)
            check_console(checks, accel)
            if accel == "kvm":  # the software CPU has no paging
                check_end(checks, folder)
        check_refusals(checks, elf, folder)
        check_seabios(checks)
        check_wired(checks)
        check_segments(checks, folder)
        check_tool(checks, folder)
    remove_folder()
    checks.close()


main()
