#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the ACPI tables of Umbra's machine types with QEMU's, in meaning.

Both machines are stopped at reset, given the ports that SeaBIOS gives them, and asked for
ACPI's three files in fw_cfg. The loader's script is run as firmware runs it, with every
checksum tested. The plain tables, as `iasl -d` shows them, must be equal field for field.
Of the DSDT, which is Umbra's own, the namespace is compared: which devices there are, and
what their objects with constant values say. Names that ACPI does not give are a table's own affair.

usage: acpi-tables.py UMBRA [MACHINE[+large|+bare|+vmgenid] ...]
Exit status 0: equal, 1: not, 77: cannot tell.
"""
import difflib
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "protocol"))

from emulator import QEMU, Emulator, Failure  # noqa: E402

MACHINES = ["pc-i440fx-7.2", "pc-i440fx-6.0", "pc-i440fx-4.2", "pc-i440fx-2.12",
            "pc-i440fx-2.6", "pc-i440fx-2.2", "pc-i440fx-2.0", "pc-i440fx-1.7",
            "pc-i440fx-7.2+large", "pc-i440fx-2.6+large", "pc-i440fx-2.0+large",
            "pc-i440fx-7.2+bare", "pc-i440fx-7.2+vmgenid"]
OPTIONS = {
    "": ["-m", "128", "-smp", "2,maxcpus=4", "-nodefaults", "-serial", "null",
         "-parallel", "null", "-vga", "std"],
    "large": ["-m", "5G", "-smp", "9,maxcpus=200", "-nodefaults", "-serial", "null",
              "-serial", "null", "-drive", "if=floppy,file={}/floppy,format=raw",
              "-device", "edu", "-global", "PIIX4_PM.disable_s3=1"],
    "bare": ["-m", "4", "-nodefaults"],
    "vmgenid": ["-nodefaults", "-device", "vmgenid,guid=324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87"],
}
PM = 0x0b
BASE = 0x10000000  # where the script's files go


class Tables:
    """What a machine's files come to: {signature: bytes}, the RSDP, and faults found."""

    def __init__(self, program, row, folder):
        is_qemu = program == QEMU
        machine, _, options = row.partition("+")
        words = [word.replace("{}", folder) for word in OPTIONS[options]]
        self.tables, self.faults = {}, []
        with Emulator(program, "-M", machine + (",smm=off" if is_qemu else ""), *words,
                      accel="tcg" if is_qemu else "x86emu", stopped=True) as emulator:
            emulator.pci_write(PM, 0x40, 0x601)
            emulator.pci_write(PM, 0x80, 1, 1)
            files = {name: (key, size) for key, name, size in emulator.fw_cfg_files()}
            self.sizes = {name: size for name, (_, size) in files.items()}
            script = emulator.fw_cfg_read(*files["etc/table-loader"])
            self.files = {name: bytearray(emulator.fw_cfg_read(*files[name]))
                          for name in files if "acpi" in name or "vmgenid" in name}
            self.run(script)
        self.find()

    def run(self, script):
        """The linker and loader's commands (QEMU, "bios-linker-loader")."""
        def name(data):
            return data.split(b"\0")[0].decode()
        place, self.addresses = BASE, {}
        for at in range(0, len(script), 128):
            row = script[at:at + 128]
            command = struct.unpack_from("<I", row)[0]
            if command == 1:
                file, align, zone = name(row[4:60]), *struct.unpack_from("<IB", row, 60)
                place = (place + align - 1) // align * align
                self.addresses[file] = place
                place += len(self.files[file])
            elif command == 2:
                file, source = name(row[4:60]), name(row[60:116])
                offset, size = struct.unpack_from("<IB", row, 116)
                data = self.files[file]
                value = int.from_bytes(data[offset:offset + size], "little")
                data[offset:offset + size] = (value + self.addresses[source]).to_bytes(
                    size, "little")
            elif command == 3:
                file, (offset, start, length) = name(row[4:60]), struct.unpack_from("<III", row, 60)
                data = self.files[file]
                data[offset] = 0
                data[offset] = -sum(data[start:start + length]) & 0xff

    def at(self, address, size):
        start = address - self.addresses["etc/acpi/tables"]
        return bytes(self.files["etc/acpi/tables"][start:start + size])

    def table(self, address):
        signature, length = struct.unpack("<4sI", self.at(address, 8))
        data = self.at(address, length)
        if signature != b"FACS" and sum(data) & 0xff:
            self.faults.append(f"{signature.decode()}: its checksum is wrong")
        self.tables[signature.decode()] = data
        return data

    def find(self):
        self.rsdp = bytes(self.files["etc/acpi/rsdp"])
        if self.rsdp[:8] != b"RSD PTR " or sum(self.rsdp[:20]) & 0xff:
            self.faults.append("the RSDP is not good")
        rsdt = self.table(struct.unpack_from("<I", self.rsdp, 16)[0])
        for (address,) in struct.iter_unpack("<I", rsdt[36:]):
            table = self.table(address)
            if table[:4] == b"FACP":
                facs, dsdt = struct.unpack_from("<II", table, 36)
                self.table(facs)
                self.table(dsdt)


def disassembled(data, folder, name):
    path = pathlib.Path(folder) / f"{name}.aml"
    path.write_bytes(data)
    subprocess.run(["iasl", "-d", str(path)], capture_output=True, check=True)
    text = path.with_suffix(".dsl").read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


# What two firmwares' memory cannot have in common.
PLACES = re.compile(r"(Checksum|FACS Address|DSDT Address|ACPI Table Address +\d+) : .*")


def plain_lines(data, folder, name):
    text = disassembled(data, folder, name).split("Raw Table Data")[0]
    lines = [re.sub(r"^\[[^\]]*\] *", "", line) for line in text.splitlines()]
    return [PLACES.sub(r"\1", line).rstrip() for line in lines if line.strip()]


# -- The namespace -----------------------------------------------------------------------

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z0-9_\\^.]+|[{}(),]|\S')
# docs/compatibility.md, "ACPI: _DSM".
LEFT_OUT = {"_DSM"}
SCOPES = {"Scope", "Device", "Processor", "ThermalZone", "PowerResource"}


def namespace(text):
    """{path: what it is} of the devices, names, methods and regions of a DSDT."""
    text = re.sub(r"//.*", "", text)
    tokens = TOKEN.findall(text)
    found, stack, at, depth = {}, [], 0, 0
    opens = []  # depths at which scopes opened

    def whole(name):
        if name.startswith("\\"):
            return name
        path = stack[-1] if stack else "\\"
        return path + name if path == "\\" else f"{path}.{name}"

    def group(start):
        """The tokens of a parenthesis or brace that opens at `start`, and where it ends."""
        level, end = 0, start
        while end < len(tokens):
            level += tokens[end] in "({"
            level -= tokens[end] in ")}"
            end += 1
            if not level:
                break
        return tokens[start + 1:end - 1], end

    while at < len(tokens):
        token = tokens[at]
        if token == "{":
            depth += 1
        elif token == "}":
            if opens and opens[-1] == depth:
                opens.pop()
                stack.pop()
            depth -= 1
        elif at + 1 < len(tokens) and tokens[at + 1] == "(":
            inside, end = group(at + 1)
            if token in SCOPES:
                path = whole(inside[0])
                found.setdefault(path, token if token != "Scope" else "Scope")
                if token != "Scope":
                    found[path] = token
                stack.append(path)
                opens.append(depth + 1)
                at = end
                continue
            if token == "Method":
                found[whole(inside[0])] = f"Method({inside[2] if len(inside) > 2 else 0})"
                while tokens[end] != "{":
                    end += 1
                at = group(end)[1]
                continue
            if token == "Name":
                value = " ".join(inside[2:])
                found[whole(inside[0])] = value
                at = end
                continue
            if token == "OperationRegion":
                found[whole(inside[0])] = " ".join(["OperationRegion", *inside[1:]])
                at = end
                continue
        at += 1
    return {path: what for path, what in found.items()
            if what in SCOPES - {"Scope"} or last(path).startswith("_") and what != "Scope" and last(path) not in LEFT_OUT}


def last(path):
    """The last name of a path; those that begin with _ are ACPI's, the others private."""
    return re.split(r"[.\\]", path)[-1]


def compare(machine, umbra, folder):
    with open(pathlib.Path(folder) / "floppy", "wb") as floppy:
        floppy.truncate(1440 << 10)
    theirs, ours = Tables(QEMU, machine, folder), Tables(umbra, machine, folder)
    lines = [f"{name} {fault}" for name, side in (("QEMU", theirs), ("Umbra", ours))
             for fault in side.faults]
    if theirs.sizes != ours.sizes:
        lines.append(f"sizes of files: QEMU {theirs.sizes}, Umbra {ours.sizes}")
    if theirs.tables.keys() != ours.tables.keys():
        lines.append(f"tables: QEMU {' '.join(theirs.tables)}, Umbra {' '.join(ours.tables)}")
    if theirs.rsdp[9:16] != ours.rsdp[9:16]:
        lines.append("RSDP: another OEM or revision")
    for name in theirs.tables.keys() & ours.tables.keys():
        if name in ("DSDT", "SSDT"):
            sides = [[f"{path}: {what}" for path, what in sorted(
                namespace(disassembled(side.tables[name], folder, name)).items())]
                     for side in (theirs, ours)]
        else:
            sides = [plain_lines(side.tables[name], folder, name) for side in (theirs, ours)]
        lines += difflib.unified_diff(*sides, f"QEMU: {name}", f"Umbra: {name}", lineterm="", n=0)
    print(f"{machine}: {len(theirs.tables)} tables compared, "
          f"{'equal' if not lines else 'different'}", flush=True)
    for line in lines:
        print(f"  {line}")
    return not lines


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not QEMU or not shutil.which("iasl"):
        print("needs qemu-system-x86_64 and iasl: install qemu-system-x86 and acpica-tools")
        return 77
    equal = different = 0
    for machine in sys.argv[2:] or MACHINES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                good = compare(machine, sys.argv[1], folder)
            except (Failure, subprocess.CalledProcessError) as problem:
                print(f"{machine}: {problem}")
                good = False
        equal += good
        different += not good
    print(f"{equal} passed, {different} failed")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
