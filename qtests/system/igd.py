#!/usr/bin/env python3
"""igd-stub: SeaBIOS reserves stolen memory and the OpRegion for it and says so in e820; what
explain tells of both; a guest that writes to the GTT too early; stolen memory as a BAR; and a
guest that moves."""
import re
import struct
import time

from harness import UMBRA, Checks, accels, run
from vm import VM, folder, remove_folder

RESERVED = 66 << 20  # 64 MiB and a GTT of 2 MiB
OPREGION = 8 << 10
HOST = 0xdba00000
PORTS = 0xc000
PATIENCE = 60
RAM, RESERVED_TYPE = 1, 2


def options(accel, log, *words, machine="pc", memory="256"):
    return ["-M", machine, "-m", memory, "-nodefaults", "-display", "none", "-accel", accel,
            "-debugcon", f"file:{log}", "-global", "isa-debugcon.iobase=0x402", *words]


def wait_for(log, text, times=1):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = log.read_text(errors="replace") if log.exists() else ""
        if found.count(text) >= times:
            return found
        time.sleep(0.05)
    return found


def e820(text):
    """The last map that the firmware has printed."""
    text = text[text.rindex("e820 map has"):]
    return [(int(start, 16), int(end, 16), int(kind)) for start, end, kind in
            re.findall(r"^  \d+: ([0-9a-f]{16}) - ([0-9a-f]{16}) = (\d)", text, re.M)]


def is_reserved(ranges, start, size):
    """All of it is, and the bytes before and behind are not for the same reason."""
    return any(kind == RESERVED_TYPE and first <= start and start + size <= end
               for first, end, kind in ranges)


def register(vm, address, name):
    """What explain says of a register called `name`: its values, as numbers."""
    notes = vm.qmp("x-umbra-explain", address=hex(address)).get("notes", [])
    found = [note for note in notes if note["text"].startswith(name)]
    return {key: int(value, 16) for key, value in found[0].items()
            if key not in ("kind", "text", "region")} if found else None


def placed(text):
    """Where the firmware says that it has put stolen memory and OpRegion."""
    return tuple(int(at, 16) for what in ("BDSM", "OpRegion")
                 for at in re.findall(rf"Intel IGD {what} enabled at (0x[0-9a-f]+)", text)[-1:])


def check_boot(checks, accel, machine="pc", memory="256", device="igd-stub",
               reserved=RESERVED):
    what = f"{accel} {machine} -m {memory} {device}"
    log = folder / "boot.log"
    log.unlink(missing_ok=True)
    with VM(*options(accel, log, "-device", device, machine=machine, memory=memory),
            machine=[]) as vm:
        text = wait_for(log, "No bootable device")
        where = placed(text)
        if not checks.check(len(where) == 2, f"{what}: {text[-2000:]}"):
            return
        bdsm, asls = where
        ranges = e820(text)
        checks.check(f"size {reserved >> 20}MB, dev 00:02.0" in text, f"{what}: size")
        checks.check((bdsm, bdsm + reserved, RESERVED_TYPE) in ranges,
                     f"{what}: e820 has no {bdsm:#x}: {ranges}")
        checks.check(bdsm % (1 << 20) == 0, f"{what}: {bdsm:#x}")
        checks.check(is_reserved(ranges, asls, OPREGION), f"{what}: {asls:#x} in {ranges}")
        for address, name, start, size in (
                (bdsm, "BDSM", bdsm, reserved), (bdsm + reserved - 1, "BDSM", bdsm, reserved),
                (asls, "ASLS", asls, OPREGION), (asls + OPREGION - 1, "ASLS", asls, OPREGION)):
            values = register(vm, address, name)
            checks.check(values and values["start"] == start and values["size"] == size and
                         values["value"] == start, f"{what}: {name} at {address:#x}: {values}")
        for address in (bdsm - 1, bdsm + reserved):
            checks.check(register(vm, address, "BDSM") is None, f"{what}: {address:#x}")
        told = vm.hmp(f"explain {bdsm:#x}")
        checks.check("  register      BDSM of igd-stub 02.0, configuration 0x5c = "
                     f"{bdsm:#010x}: its stolen memory "
                     f"({bdsm:#010x}-{bdsm + reserved - 1:#010x})\n"
                     in told.replace("\r", ""), f"{what}: {told}")
        copied = vm.hmp(f"xp /16c {asls:#x}")
        checks.check("'I' 'n' 't' 'e' 'l'" in copied, f"{what}: {copied}")
        vm.qmp("system_reset")
        text = wait_for(log, "No bootable device", 2)
        checks.check(placed(text) == where and text.count("Intel IGD BDSM") == 2,
                     f"{what}: after a reset {placed(text)}, before it {where}")


def check_elsewhere(checks, accel):
    """In another slot SeaBIOS sets up the OpRegion alone; of other vendors' VGAs, nothing."""
    log = folder / "elsewhere.log"
    size = folder / "size"
    size.write_bytes(struct.pack("<Q", RESERVED))
    for words, lines in ((["-device", "igd-stub,addr=5"], ["OpRegion"]),
                         (["-device", "VGA,addr=2", "-fw_cfg",
                           f"name=etc/igd-bdsm-size,file={size}"], [])):
        log.unlink(missing_ok=True)
        with VM(*options(accel, log, *words), machine=[]) as vm:
            text = wait_for(log, "No bootable device")
            checks.check("No bootable device" in text and
                         re.findall(r"Intel IGD (\w+) enabled", text) == lines,
                         f"{accel} {words}: {text}")
            checks.check(vm.status() == "running", vm.messages())


def check_no_room(checks, accel):
    """SeaBIOS goes on without; a write to the GTT then stops the machine."""
    log = folder / "small.log"
    with VM(*options(accel, log, "-device", "igd-stub", memory="64"), machine=[]) as vm:
        text = wait_for(log, "No bootable device")
        checks.check("Intel IGD BDSM" not in text, f"{accel}: {placed(text)}")
        bar = re.search(r"BAR4: I/O at (0x[0-9a-f]+)", vm.hmp("info pci").split("8086:0116")[1])
        port = int(bar.group(1), 16)
        vm.hmp(f"o /w {port:#x} 1")
        vm.hmp(f"o /w {port + 4:#x} {HOST + 1:#x}")
        checks.check(vm.wait_status("internal-error") == "internal-error", vm.status())
        checks.check("hardware error: the guest programs entry 0 of igd-stub's GTT "
                     "(0xdba00001)" in vm.messages(), vm.messages())


def check_bar(checks, accel):
    log = folder / "bar.log"
    with VM(*options(accel, log, "-device", "igd-stub,stolen=bar"), machine=[]) as vm:
        text = wait_for(log, "No bootable device")
        ranges = e820(text)
        asls = int(re.findall(r"OpRegion enabled at (0x[0-9a-f]+)", text)[-1], 16)
        checks.check("Intel IGD BDSM" not in text, f"{accel}: {text}")
        checks.check(is_reserved(ranges, asls, OPREGION), f"{accel}: {ranges}")
        bar = int(re.search(r"BAR5: 32 bit prefetchable memory at (0x[0-9a-f]+)",
                            vm.hmp("info pci")).group(1), 16)
        checks.check(not any(start < bar + RESERVED and bar < end and kind == RAM
                             for start, end, kind in ranges), f"{accel}: {bar:#x} {ranges}")
        values = register(vm, bar + RESERVED - 1, "BAR 5 of igd-stub")
        checks.check(values and values["value"] & ~0xf == bar, f"{accel}: {values}")
        told = vm.hmp(f"explain {bar:#x}")
        checks.check("answered by   igd-stub.stolen, its byte 0x0 (ram)" in told, told)


# -- A firmware of a few instructions ------------------------------------------------------

def out32(port, value):
    """mov dx, port; mov eax, value; out dx, eax"""
    return struct.pack("<BHBBIBB", 0xba, port, 0x66, 0xb8, value, 0x66, 0xef)


def config(reg, value):
    return out32(0xcf8, 0x80001000 | reg) + out32(0xcfc, value)


def early_writer(stolen):
    """Writes entry 0 of the GTT, reads it back and sends it to the debug port."""
    code = config(0x20, PORTS) + config(0x24, stolen) + config(4, 3)
    code += out32(PORTS, 1) + out32(PORTS + 4, HOST + 1)
    code += b"\x66\xed" + b"\xba\x02\x04"  # in eax, dx; mov dx, 0x402
    code += b"\xee\x66\xc1\xe8\x08" * 4    # out dx, al; shr eax, 8
    code += b"\xf4\xeb\xfd"                # hlt; again
    image = bytearray(b"\xf4" * 0x10000)
    image[:len(code)] = code
    image[0xfff0:0xfff5] = b"\xea\x00\x00\x00\xf0"  # jmp f000:0000
    return bytes(image)


def check_early_write(checks, accel):
    rom = folder / "early.bin"
    rom.write_bytes(early_writer(0xd0000000))
    for device, value in (("igd-stub", None), ("igd-stub,stolen=bar", 0xd0000001)):
        log = folder / "early.log"
        log.unlink(missing_ok=True)
        with VM(*options(accel, log, "-bios", str(rom), "-device", device), machine=[]) as vm:
            if value is None:
                status = vm.wait_status("internal-error")
                checks.check(status == "internal-error", f"{accel} {device}: {status}")
                checks.check("hardware error: the guest programs entry 0" in vm.messages(),
                             vm.messages())
                time.sleep(0.1)
                checks.check(log.read_bytes() == b"", "the guest goes on behind its error")
                continue
            deadline = time.monotonic() + PATIENCE
            while len(log.read_bytes()) < 4 and time.monotonic() < deadline:
                time.sleep(0.05)
            checks.check(log.read_bytes() == struct.pack("<I", value),
                         f"{accel} {device}: {log.read_bytes().hex()}")
            checks.check(vm.status() == "running" and not vm.messages(), vm.messages())


# -- Moving ---------------------------------------------------------------------------------

def check_migration(checks, accel, device):
    logs = folder / "source.log", folder / "target.log"
    stream = folder / "stream"
    with VM(*options(accel, logs[0], "-device", device), machine=[]) as source:
        text = wait_for(logs[0], "No bootable device")
        bar = re.search(r"BAR5: .* at (0x[0-9a-f]+)", source.hmp("info pci"))
        base = int(bar.group(1), 16) if bar else placed(text)[0]
        port = int(re.search(r"BAR4: I/O at (0x[0-9a-f]+)",
                             source.hmp("info pci").split("8086:0116")[1]).group(1), 16)
        for index, data in ((1, HOST + 0x5001), (5, 0x123001), (9, HOST + RESERVED - 0xfff)):
            source.hmp(f"o /w {port:#x} {index}")
            source.hmp(f"o /w {port + 4:#x} {data:#x}")
        entries = [base + 0x5001, 0x123001, base + RESERVED - 0xfff]
        done = source.migrate(f"exec:cat > {stream}")
        checks.check(done.get("status") == "completed", f"{device}: {done}")
    with VM(*options(accel, logs[1], "-device", device, "-incoming", f"exec:cat {stream}"),
            machine=[]) as target:
        checks.check(target.wait_status("running", "paused") == "running", target.messages())
        checks.check(target.hmp(f"i /w {port:#x}").strip().endswith(f"{9:#010x}"), "the index")
        for entry, value in enumerate(entries):
            target.hmp(f"o /w {port:#x} {4 * entry + 1}")
            read = target.hmp(f"i /w {port + 4:#x}").strip()
            checks.check(read.endswith(f"{value:#010x}"),
                         f"{accel} {device}: entry {entry} is {read}, not {value:#x}")
        if not bar:
            checks.check((register(target, base, "BDSM") or {}).get("value") == base,
                         f"{device}: {base:#x} is no longer explained")
        target.qmp("system_reset")
        text = wait_for(logs[1], "No bootable device")
        checks.check(bar or placed(text)[0] == base, f"{device}: booted anew {placed(text)}")
    with VM(*options(accel, logs[1], "-device", device + ",stolen-size=32M", "-incoming",
                     f"exec:cat {stream}"), machine=[]) as other:
        other.process.wait(PATIENCE)
        checks.check(other.process.returncode != 0, "another size of stolen memory loads")


def check_tool(checks):
    done = run([UMBRA, "explain", "-m", "256", "--device", "igd-stub", "--pci",
                "02.0:0x5c=0x0ad00000", "--pci", "02.0:0xfc=0x0fffe000", "0x0ad00000",
                "0x0fffffff"])
    for line in ("BDSM of igd-stub 02.0, configuration 0x5c = 0x0ad00000: its stolen memory "
                 "(0x0ad00000-0x0eefffff)",
                 "ASLS of igd-stub 02.0, configuration 0xfc = 0x0fffe000: its OpRegion "
                 "(0x0fffe000-0x0fffffff)"):
        checks.check(line in done.stdout, f"umbra explain: {done.stdout}{done.stderr}")


def main():
    checks = Checks()
    try:
        for accel in accels():
            check_boot(checks, accel)
            check_no_room(checks, accel)
            check_bar(checks, accel)
            check_early_write(checks, accel)
            for device in ("igd-stub", "igd-stub,stolen=bar"):
                check_migration(checks, accel, device)
        check_boot(checks, "x86emu", memory="5G")
        check_boot(checks, "x86emu", machine="rhel6.5.0")
        check_boot(checks, "x86emu", machine="pc-i440fx-1.4")
        check_elsewhere(checks, "x86emu")
        check_boot(checks, "x86emu", memory="1G",
                   device="igd-stub,device-id=0x5916,stolen-size=512M", reserved=520 << 20)
        check_tool(checks)
    finally:
        remove_folder()
    checks.close()


main()
