#!/usr/bin/env python3
"""Options of the command line, by what they do to the machine: files of options, CPU models,
SMBIOS, machine properties, descriptors, log files, messages."""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
# pylint: disable=wrong-import-position
from harness import SYSTEM, Checks, run
from qmp_client import Peer

CONFIG = """# a machine
[machine]
  type = "isapc"

[memory]
  size = "4M"

[chardev "log"]
  backend = "ringbuf"
  size = "16"

[device "exit"]
  driver = "isa-debug-exit"
  iobase = "0x510"

[global]
  driver = "isa-debugcon"
  property = "iobase"
  value = "0x402"

[device]
  driver = "isa-debugcon"
  chardev = "log"
"""


def check_config_file(checks, folder):
    path = folder / "config"
    path.write_text(CONFIG)
    with Peer(SYSTEM, "-readconfig", str(path)) as peer:
        checks.check(peer.execute("qom-get", path="/machine", property="type") ==
                     "isapc-machine", "its type")
        checks.check(peer.execute("query-memory-size-summary")["base-memory"] == 4 << 20, "RAM")
        checks.check(peer.execute("qom-get", path="/machine/peripheral/exit",
                                  property="iobase") == 0x510, "the device's property")
        for letter in b"0123456789abcdefgh":
            peer.hmp(f"o/b 0x402 {letter}")
        checks.check(peer.execute("ringbuf-read", device="log", size=100) == "23456789abcdefgh",
                     "what the debug console has kept")
    for text, expected in (("[machine\n", "config:1: parse error"), ("x = \"1\"\n", "config:1"),
                           ("[machine]\n  type = pc\n", "config:2"),
                           ("[nonsense]\nx = \"1\"\n", "nonsense"),
                           ("[device]\ndriver = \"no-such\"\n", "no-such")):
        path.write_text(text)
        done = run([SYSTEM, "-display", "none", "-readconfig", str(path)], timeout=30)
        checks.check(done.returncode == 1 and expected in done.stderr, f"{text!r}: {done.stderr}")


def fw_cfg_file(peer, name, most=16 << 10):
    """What the firmware is told, by fw_cfg's ports: 0x510 selects, 0x511 reads. Not more than
    `most` bytes: each takes a command, and the 128 KiB of ACPI tables end in zeroes."""
    def read(selector, length):
        peer.hmp(f"o/h 0x510 {selector}")
        return bytes(int(re.search(r"= (0x\w+)", peer.hmp("i/b 0x511"))[1], 16)
                     for _ in range(length))

    head = read(0x19, 4)
    directory = read(0x19, 4 + 64 * int.from_bytes(head, "big"))[4:]
    for i in range(0, len(directory), 64):
        if directory[i + 8:i + 64].rstrip(b"\0") == name.encode():
            return read(int.from_bytes(directory[i + 4:i + 6], "big"),
                        min(most, int.from_bytes(directory[i:i + 4], "big")))
    return b""


def check_smbios(checks, folder):
    extra = bytes([200, 4, 0, 0x99]) + b"user's own\0\0"
    (folder / "extra").write_bytes(extra)
    with Peer(SYSTEM, "-M", "pc", "-smbios", "type=0,vendor=Vend,version=9,release=3.4",
              "-smbios", "type=1,serial=S-1,product=Thing,,more", "-smbios",
              "type=11,value=first,value=second", "-smbios", "type=17,speed=2666",
              "-smbios", "type=8,internal_reference=J1,external_reference=COM1,"
              "connector_type=8,port_type=9", "-smbios", "type=8,external_reference=USB",
              "-smbios", f"file={folder}/extra") as peer:
        tables = fw_cfg_file(peer, "etc/smbios/smbios-tables")
    # Type 0: SMBIOS 2.8 section 7.1, of 24 bytes; release at 0x14 and 0x15.
    checks.check(tables[0] == 0 and tables[1] == 24 and tables[0x14:0x16] == bytes([3, 4]) and
                 tables[24:].startswith(b"Vend\x009\0\0"), f"type 0: {tables[:40]}")
    for text in (b"S-1\0", b"Thing,more\0", b"first\0second\0\0", extra):
        checks.check(text in tables, f"{text} is missing")
    at = tables.index(b"\x11\x28") if b"\x11\x28" in tables else 0
    # Type 17, section 7.18: the speed is at 0x15.
    checks.check(at and tables[at + 0x15:at + 0x17] == (2666).to_bytes(2, "little"), "type 17")
    # Type 8, section 7.9: two connectors; a DB-9 (8) for a 16550A serial port (9).
    for port in (b"\x08\x09\x00\x08\x01\x00\x02\x08\x09J1\0COM1\0\0",
                 b"\x08\x09\x01\x08\x00\x00\x01\x00\x00USB\0\0"):
        checks.check(port in tables, f"type 8: {port}")
    for words, expected in ((["-smbios", "type=0,release=x"], "release"),
                            (["-smbios", "type=8,port_type=256"], "up to 255"),
                            (["-smbios", "type=8,colour=red"], "colour"),
                            (["-smbios", "type=1,colour=red"], "colour"),
                            (["-smbios", "file=/no/such"], "No such file"),
                            (["-smbios", f"file={__file__}"], "no sequence of SMBIOS"),
                            (["-smbios", "nonsense"], "type=N")):
        done = run([SYSTEM, "-display", "none", *words], timeout=30)
        checks.check(done.returncode == 1 and expected in done.stderr, f"{words}: {done.stderr}")


def check_acpi_tables(checks, folder):
    (folder / "code").write_bytes(b"a table's content")
    whole = bytearray(b"SLIC" + (40).to_bytes(4, "little") + bytes([1, 0]) + b"MAKER " +
                      b"MODEL   " + bytes(8) + b"ASLC" + bytes(4))
    (folder / "whole").write_bytes(whole)
    with Peer(SYSTEM, "-M", "pc", "-acpitable", f"sig=TEST,rev=3,oem_id=ME,oem_rev=0x102,"
              f"data={folder}/code:{folder}/code", "-acpitable", f"file={folder}/whole") as peer:
        tables = fw_cfg_file(peer, "etc/acpi/tables")
    at = tables.find(b"TEST")
    # ACPI 1.0b, 5.2.3: signature, length, revision, checksum, OEM's fields, creator.
    size = 36 + 2 * len(b"a table's content")
    table = tables[at:at + size]
    checks.check(at > 0 and table[4:9] == size.to_bytes(4, "little") + b"\x03" and
                 table[10:28] == b"ME\0\0\0\0QEMUQEMU\x02\x01\0\0" and
                 table[36:] == b"a table's content" * 2 and sum(table) & 0xff == 0,
                 f"the table: {table}")
    own = tables[tables.find(b"SLIC"):][:len(whole)]
    checks.check(own[10:] == bytes(whole[10:]) and sum(own) & 0xff == 0 and
                 own[4] == len(whole), f"the whole one: {own}")
    root = tables[tables.find(b"RSDT"):]
    entries = [int.from_bytes(root[i:i + 4], "little")
               for i in range(36, int.from_bytes(root[4:8], "little"), 4)]
    checks.check(at in entries and tables.find(b"SLIC") in entries, f"the root names {entries}")
    with Peer(SYSTEM, "-M", "pc,x-oem-id=OEM,x-oem-table-id=TABLES") as peer:
        tables = fw_cfg_file(peer, "etc/acpi/tables")
    for name in (b"DSDT", b"FACP", b"APIC", b"HPET", b"WAET", b"RSDT"):
        at = tables.rfind(name)             # a device of the DSDT may have that name
        checks.check(tables[at + 10:at + 24] == b"OEM\0\0\0TABLES\0\0", f"{name}: {at}")
    done = run([SYSTEM, "-display", "none", "-M", "pc,x-oem-id=LONGOEM"], timeout=30)
    checks.check(done.returncode == 1 and "longer than 6" in done.stderr, f"{done.stderr}")
    (folder / "short").write_bytes(bytes(35))
    (folder / "long").write_bytes(bytes(65536))
    for text, expected in (("sig=A", "requires one of"), (f"data={folder}/none", "No such file"),
                           (f"file={folder}/short", "too small"),
                           (f"file={folder}/long", "too big"),
                           (f"rev=256,data={folder}/code", "8 bits"),
                           (f"colour=red,data={folder}/code", "colour")):
        done = run([SYSTEM, "-display", "none", "-acpitable", text], timeout=30)
        checks.check(done.returncode == 1 and expected in done.stderr and
                     done.stderr.count("\n") == 1, f"-acpitable {text}: {done.stderr}")


def check_set(checks):
    with Peer(SYSTEM, "-M", "pc", "-device", "edu,id=e,addr=5", "-set", "device.e.addr=7",
              "-chardev", "ringbuf,id=c,size=16", "-set", "chardev.c.size=32") as peer:
        slots = {each["qdev_id"]: each["slot"] for each in
                 peer.execute("query-pci")[0]["devices"]}
        checks.check(slots.get("e") == 7, f"the device is in slot {slots}")
        peer.execute("ringbuf-write", device="c", data="x" * 40)
        checks.check(peer.execute("ringbuf-read", device="c", size=100) == "x" * 32, "its size")
    for text, expected in (("device.e", "GROUP.ID.NAME=VALUE"), ("nothing.e.a=1", "no option"),
                           ("device.other.addr=7", 'no device "other" defined'),
                           ("m.e.a=1", "no option group")):
        done = run([SYSTEM, "-display", "none", "-device", "edu,id=e", "-set", text], timeout=30)
        checks.check(done.returncode == 1 and expected in done.stderr, f"{text}: {done.stderr}")
    # isapc's ISA bus is no device's, and in the tree all the same.
    with Peer(SYSTEM, "-M", "isapc") as peer:
        tree = peer.hmp("info qtree").splitlines()
        checks.check("  bus: isa.0" in tree and "    dev: i8042, id \"\"" in tree,
                     "isapc's device tree")


def check_cpu(checks):
    for words, feature, wanted in ((["-cpu", "qemu64"], "avx", False),
                                   (["-cpu", "qemu64,+avx"], "avx", True),
                                   (["-cpu", "qemu64,avx=on,-avx"], "avx", False),
                                   (["-cpu", "qemu64,-sse2"], "sse2", False),
                                   (["-cpu", "486"], "cx8", False)):
        with Peer(SYSTEM, "-M", "pc", *words) as peer:
            model = peer.execute("query-cpu-model-expansion", type="full",
                                 model={"name": "qemu64"})["model"]["props"]
            checks.check(model[feature] is wanted, f"{words}: {feature} is {model[feature]}")
    for machine in ("none", "pc"):
        with Peer(SYSTEM, "-M", machine, "-cpu", "qemu64,apic-id=0") as peer:
            cpus = peer.execute("query-cpus-fast")
            checks.check([peer.execute("qom-get", path=cpu["qom-path"], property="apic-id")
                          for cpu in cpus] == ([] if machine == "none" else [0]), machine)
    done = run([SYSTEM, "-display", "none", "-cpu", "qemu64,apic-id=3"], timeout=30)
    checks.check(done.returncode == 1 and "has the APIC ID 0" in done.stderr, done.stderr)
    # A board that has no place for the usual devices starts without them.
    for machine in ("vmd", "bhyve", "microvm", "firecracker"):
        done = subprocess.run([SYSTEM, "-M", machine, "-display", "none", "-S", "-accel", "qtest",
                               "-monitor", "stdio"], input="quit\n", text=True, timeout=60,
                              capture_output=True, check=False)
        checks.check(done.returncode == 0, f"-M {machine}: {done.stderr}")
        done = subprocess.run([SYSTEM, "-M", machine, "-nographic", "-S", "-accel", "qtest"],
                              input="\x01cinfo chardev\nquit\n", text=True, timeout=60,
                              capture_output=True, check=False)
        checks.check("serial0: filename=mux" in done.stdout,
                     f"-M {machine} -nographic: {done.stdout} {done.stderr}")
    with Peer(SYSTEM, "-M", "pc", "-cpu", "qemu32,family=7") as peer:
        cpu = peer.execute("query-cpus-fast")[0]["qom-path"]
        values = [peer.execute("qom-get", path=cpu, property=name)
                  for name in ("family", "model", "stepping")]
        checks.check(values == [7, 6, 3], f"qemu32,family=7: {values}")
        checks.check(peer.execute("qom-get", path=cpu, property="apic-id") == 0, "its APIC ID")


def check_others(checks, folder):
    with Peer(SYSTEM, "-M", "pc", "-M", "graphics=off", "-M", "isapc", "-M", "usb=off") as peer:
        checks.check(peer.execute("qom-get", path="/machine", property="type") ==
                     "isapc-machine", "the last type")
    read, write = os.pipe()
    done = subprocess.run([SYSTEM, "-display", "none", "-S", "-nodefaults", "-add-fd",
                           f"fd={write},set=3,opaque=note", "-serial", "file:/dev/fdset/3",
                           "-monitor", "stdio"], input="o/b 0x3f8 0x41\nquit\n", text=True,
                          pass_fds=[write], capture_output=True, timeout=60, check=False)
    os.close(write)
    checks.check(done.returncode == 0 and os.read(read, 10) == b"A", f"-add-fd: {done.stderr}")
    with Peer(SYSTEM, "-M", "pc", "-chardev", f"null,id=c,logfile={folder}/log", "-serial",
              "chardev:c") as peer:
        peer.hmp("o/b 0x3f8 0x42")
    checks.check((folder / "log").read_bytes() == b"B", "logfile=")
    done = run([SYSTEM, "-msg", "timestamp=on", "-m", "banana"], timeout=30)
    checks.check(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z umbra", done.stderr), done.stderr)
    with Peer(SYSTEM, "-M", "pc", "-qmp-pretty", f"unix:{folder}/pretty,server=on,wait=off"):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(30)
        peer.connect(os.path.relpath(folder / "pretty"))
        checks.check(peer.recv(100).startswith(b"{\n    \"QMP\": {\n"), "-qmp-pretty")
        peer.close()


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_config_file(checks, folder)
        check_smbios(checks, folder)
        check_acpi_tables(checks, folder)
        check_set(checks)
        check_cpu(checks)
        check_others(checks, folder)
    checks.close()


main()
