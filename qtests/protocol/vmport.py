#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""VMware's backdoor port and the mouse behind it.

open-vm-tools, lib/include/backdoor_def.h (magic numbers and commands); X's vmmouse driver,
shared/vmmouse_defs.h. A command is in registers, so a firmware of a few instructions runs
what it finds in a mailbox in RAM."""
import struct
import sys
import uuid

from suite import case, main

MAGIC, PORT = 0x564d5868, 0x5658
GET_VERSION, GET_BIOS_UUID, GET_RAM_SIZE = 0x0a, 0x13, 0x14
MOUSE_DATA, MOUSE_STATUS, MOUSE_COMMAND = 39, 40, 41
READ_ID, DISABLE, REQUEST_ABSOLUTE = 0x45414552, 0xf5, 0x53424152
MOUSE_VERSION = 0x3442554a

MAILBOX = 0x1000  # a byte that says there is a command, then EAX, EBX, ECX, EDX from +4 on
FIRMWARE = bytes.fromhex(
    "fa 31c0 8ed8"                # cli; ds = 0
    "803e001001 75f9"             # wait until [1000h] is 1
    "66a10410 668b1e0810 668b0e0c10 668b161010"
    "66ed"                        # in eax, dx
    "66a30410 66891e0810 66890e0c10 6689161010"
    "c606001000"                  # done
    "ebca")                       # and again

UUID = "12345678-9abc-def0-1122-334455667788"
OPTIONS = ["-uuid", UUID]


def call(m, command, ebx=0, eax=MAGIC):
    """EAX, EBX, ECX, EDX after an IN."""
    m.write(MAILBOX + 4, struct.pack("<4I", eax, ebx, command, PORT))
    m.writeb(MAILBOX, 1)
    m.wait(lambda: m.readb(MAILBOX) == 0)
    return struct.unpack("<4I", m.read(MAILBOX + 4, 16))


@case("backdoor_def.h: GETVERSION and what is not answered", *OPTIONS, firmware=FIRMWARE)
def version(m, check):
    eax, ebx, ecx, _ = call(m, GET_VERSION)
    check("version 6, the magic number, and the product", (eax, ebx, ecx), (6, MAGIC, 2))
    check("an unknown command", call(m, 0x2b)[0], 0xffffffff)
    check("a command out of range", call(m, 0x12345)[0], 0xffffffff)
    check("without the magic number", call(m, GET_VERSION, eax=0x1234)[0], 0xffffffff)


@case("backdoor_def.h: GETUUID, GETMEMSIZE", *OPTIONS, firmware=FIRMWARE)
def facts(m, check):
    check("the UUID's bytes in order", struct.pack("<4I", *call(m, GET_BIOS_UUID)),
          uuid.UUID(UUID).bytes)
    eax, ebx, _, _ = call(m, GET_RAM_SIZE)
    check("RAM in bytes, and a number to know it by", (eax, ebx), (16 << 20, 0x1177))


@case("vmmouse_defs.h: turning it on", firmware=FIRMWARE)
def mouse(m, check):
    check("off after a reset", call(m, MOUSE_STATUS)[0], 0xffff0000)
    call(m, MOUSE_COMMAND, READ_ID)
    check("one word is there", call(m, MOUSE_STATUS)[0], 0x00000001)
    check("the version", call(m, MOUSE_DATA, 1)[0], MOUSE_VERSION)
    check("and it is gone", call(m, MOUSE_STATUS)[0], 0)
    call(m, MOUSE_DATA, 4)
    check("taking what is not there turns it off", call(m, MOUSE_STATUS)[0], 0xffff0000)
    call(m, MOUSE_COMMAND, READ_ID)
    call(m, MOUSE_DATA, 1)
    call(m, MOUSE_COMMAND, DISABLE)
    check("so does DISABLE", call(m, MOUSE_STATUS)[0], 0xffff0000)


@case("vmmouse_defs.h: absolute packets", firmware=FIRMWARE)
def places(m, check):
    call(m, MOUSE_COMMAND, READ_ID)
    call(m, MOUSE_DATA, 1)
    call(m, MOUSE_COMMAND, REQUEST_ABSOLUTE)
    event = {"events": [{"type": "abs", "data": {"axis": "x", "value": 0x4000}},
                        {"type": "abs", "data": {"axis": "y", "value": 0x1000}},
                        {"type": "btn", "data": {"button": "left", "down": True}}]}
    m.qmp("input-send-event", **event)
    check.true("a packet of four words", m.wait(lambda: call(m, MOUSE_STATUS)[0] >= 4))
    flags, x, y, wheel = call(m, MOUSE_DATA, 4)
    check("left button, place and wheel", (flags & 0x20, x >> 8, y >> 8, wheel),
          (0x20, 0x80, 0x20, 0))
    m.qmp("input-send-event", events=[{"type": "btn", "data": {"button": "left",
                                                               "down": False}}])
    check.true("another", m.wait(lambda: call(m, MOUSE_STATUS)[0] >= 4))
    flags, x, y, wheel = call(m, MOUSE_DATA, 4)
    check("the button is up, the place stays", (flags & 0x20, x >> 8, y >> 8), (0, 0x80, 0x20))


if __name__ == "__main__":
    sys.exit(main())
