#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The virtual machine's generation identifier.

Specification: QEMU, docs/specs/vmgenid; Microsoft, "Virtual Machine Generation ID"."""
import struct
import sys
import uuid

from suite import case, main

GUID = "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87"
OPTIONS = ["-device", f"vmgenid,guid={GUID}"]
NUMBER = uuid.UUID(GUID).bytes_le
PLACE = 0x80000


def files(m):
    return {name: (key, size) for key, name, size in m.fw_cfg_files()}


def write_file(m, key, data):
    """By DMA: control (select and write), length, address, big-endian."""
    m.write(0x2000, data)
    m.write(0x1000, struct.pack(">IIQ", key << 16 | 8 | 16, len(data), 0x2000))
    m.outl(0x514, 0)
    m.outl(0x518, struct.unpack("<I", struct.pack(">I", 0x1000))[0])
    m.wait(lambda: not m.readl(0x1000) & 0xfeffffff)
    return struct.unpack(">I", m.read(0x1000, 4))[0]


@case("vmgenid, Requirements and fw_cfg files", *OPTIONS)
def fw_cfg(m, check):
    key, size = files(m)["etc/vmgenid_guid"]
    check("a page", size, 4096)
    check("with the number 40 bytes in, its fields little-endian",
          m.fw_cfg_read(key, 64), bytes(40) + NUMBER + bytes(8))
    key, size = files(m)["etc/vmgenid_addr"]
    check("room for an address", size, 8)
    check("the guest can write it", write_file(m, key, struct.pack("<Q", PLACE + 40)), 0)
    check("and it reads back", m.fw_cfg_read(key, 8), struct.pack("<Q", PLACE + 40))
    m.reset()
    check("a reset forgets it", m.fw_cfg_read(key, 8), bytes(8))


@case("vmgenid, ACPI: the loader's script", *OPTIONS)
def loader(m, check):
    key, size = files(m)["etc/table-loader"]
    script = m.fw_cfg_read(key, size)
    rows = [script[at:at + 128] for at in range(0, size, 128)]
    allocations = [row for row in rows if struct.unpack("<I", row[:4])[0] == 1
                   and row[4:].startswith(b"etc/vmgenid_guid\0")]
    check("room for the number is allocated once, page-aligned, anywhere",
          [struct.unpack("<IB", row[60:65]) for row in allocations], [(4096, 1)])
    written = [row for row in rows if struct.unpack("<I", row[:4])[0] == 4]
    check("the number's address is written back once",
          [(row[4:60].rstrip(b"\0"), row[60:116].rstrip(b"\0"),
            struct.unpack("<IIB", row[116:125])) for row in written],
          [(b"etc/vmgenid_addr", b"etc/vmgenid_guid", (0, 40, 8))])


@case("query-vm-generation-id, info vm-generation-id", *OPTIONS)
def monitors(m, check):
    check("QMP", m.qmp("query-vm-generation-id"), {"guid": GUID})
    check("HMP", m.hmp("info vm-generation-id"), GUID + "\n")


@case("guid=auto", "-device", "vmgenid")
def automatic(m, check):
    number = uuid.UUID(m.qmp("query-vm-generation-id")["guid"])
    check("a random number (RFC 4122, version 4)", number.version, 4)


@case("without the device")
def absent(m, check):
    check("QMP", m.ask("query-vm-generation-id")["error"]["desc"],
          "VM Generation ID device not found")
    check("HMP", m.hmp("info vm-generation-id"), "Error: VM Generation ID device not found\n")


if __name__ == "__main__":
    sys.exit(main())
