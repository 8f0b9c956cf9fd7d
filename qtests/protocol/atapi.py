#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An ATAPI CD-ROM.

ATA/ATAPI-6 (T13 1410D): PACKET, IDENTIFY PACKET DEVICE and the signature; commands:
SFF-8020i and MMC-3."""
import struct
import sys

from suite import case, main

DATA, ERROR, REASON, LOW, BYTES_LOW, BYTES_HIGH, DEVICE, STATUS = range(0x170, 0x178)
CONTROL = 0x376
BSY, DRQ, ERR = 0x80, 0x08, 0x01
SECTORS = 100
DISC = b"".join(struct.pack(">I", n) * 512 for n in range(SECTORS))
OPTIONS = ["-drive", "if=ide,index=2,media=cdrom,file={disc},format=raw,readonly=on"]
IMAGES = {"disc": DISC}


def idle(m):
    m.wait(lambda: not m.inb(CONTROL) & BSY)
    return m.inb(CONTROL)


def packet(m, *words, limit=0xfffe, size=12):
    """Sends a packet and takes all data; (data, status)."""
    m.outb(DEVICE, 0xa0)
    idle(m)
    m.outb(ERROR, 0)
    m.outb(BYTES_LOW, limit & 0xff)
    m.outb(BYTES_HIGH, limit >> 8)
    m.outb(STATUS, 0xa0)
    m.wait(lambda: m.inb(CONTROL) & (BSY | DRQ) == DRQ)
    m.outsw(DATA, bytes(words) + bytes(size - len(words)))
    data = b""
    while idle(m) & DRQ:
        count = m.inb(BYTES_LOW) | m.inb(BYTES_HIGH) << 8
        data += m.insw(DATA, count // 2)
        if len(data) > 1 << 20:
            break
    return data, m.inb(STATUS)


def sense(m):
    """(key, additional code, qualifier)."""
    data, _ = packet(m, 0x03, 0, 0, 0, 18)
    return data[2] & 0x0f, data[12], data[13]


def settle(m):
    for _ in range(4):
        if packet(m, 0x00)[1] & ERR == 0:
            return
        sense(m)


@case("9.12, PACKET device signature; IDENTIFY DEVICE is aborted", *OPTIONS, images=IMAGES)
def signature(m, check):
    m.outb(CONTROL, 0x04)
    m.clock_step(5000)
    m.outb(CONTROL, 0x00)
    idle(m)
    check("signature", [m.inb(port) for port in (REASON, LOW, BYTES_LOW, BYTES_HIGH)],
          [0x01, 0x01, 0x14, 0xeb])
    m.outb(STATUS, 0xec)
    check("IDENTIFY DEVICE: ERR", idle(m) & ERR, ERR)
    check("aborted", m.inb(ERROR) & 0x04, 0x04)
    check("and shows the signature", [m.inb(BYTES_LOW), m.inb(BYTES_HIGH)], [0x14, 0xeb])


@case("8.16, IDENTIFY PACKET DEVICE", *OPTIONS, images=IMAGES)
def identify(m, check):
    m.outb(DEVICE, 0xa0)
    m.outb(STATUS, 0xa1)
    check("data", idle(m) & (DRQ | ERR), DRQ)
    words = struct.unpack("<256H", m.insw(DATA, 256))
    check("word 0: an ATAPI CD-ROM, removable, 12-byte packets", words[0] & 0xdf83, 0x8580)
    check("word 49: DMA and LBA", words[49] & 0x300, 0x300)


@case("SFF-8020i, 9.8, PACKET: phases", *OPTIONS, images=IMAGES)
def phases(m, check):
    settle(m)
    m.listen("ioapic")
    m.outb(DEVICE, 0xa0)
    m.outb(BYTES_LOW, 0x24)
    m.outb(BYTES_HIGH, 0)
    m.outb(STATUS, 0xa0)
    m.wait(lambda: m.inb(CONTROL) & DRQ)
    check("the packet is asked for: C/D, not I/O", m.inb(REASON) & 0x03, 0x01)
    m.inb(STATUS)
    m.outsw(DATA, bytes([0x12, 0, 0, 0, 36] + [0] * 7))
    check.true("an interrupt with the data", m.wait(lambda: m.level(15)))
    check("data to the host: I/O, not C/D", m.inb(REASON) & 0x03, 0x02)
    check("its length", m.inb(BYTES_LOW) | m.inb(BYTES_HIGH) << 8, 36)
    m.inb(STATUS)
    m.insw(DATA, 18)
    check.true("an interrupt with the status", m.wait(lambda: m.level(15)))
    check("the status phase: C/D and I/O", m.inb(REASON) & 0x03, 0x03)
    check("no error, no data", m.inb(STATUS) & (DRQ | ERR), 0)


@case("MMC-3: INQUIRY, TEST UNIT READY, REQUEST SENSE", *OPTIONS, images=IMAGES)
def inquiry(m, check):
    data, status = packet(m, 0x12, 0, 0, 0, 36)
    check("INQUIRY works before anything else", status & ERR, 0)
    check("a CD-ROM, removable", [data[0], data[1]], [0x05, 0x80])
    settle(m)
    check("TEST UNIT READY with a disc", packet(m, 0x00)[1] & ERR, 0)
    check("an unknown command: ERR", packet(m, 0xff)[1] & ERR, ERR)
    check("sense key in the error register", m.inb(ERROR) >> 4, 5)
    check("REQUEST SENSE: illegal request, invalid command", sense(m), (5, 0x20, 0))
    # docs/compatibility.md, "ATAPI: sense after REQUEST SENSE": QEMU keeps it.
    check("and then none", sense(m), (0, 0, 0), qemu=(5, 0x20, 0))


@case("MMC-3: READ CAPACITY, READ (10), READ (12)", *OPTIONS, images=IMAGES)
def reads(m, check):
    settle(m)
    data, _ = packet(m, 0x25)
    check("READ CAPACITY", struct.unpack(">II", data), (SECTORS - 1, 2048))
    data, _ = packet(m, 0x28, 0, 0, 0, 0, 5, 0, 0, 2)
    check("READ (10), 2 sectors at 5", data, DISC[5 * 2048:7 * 2048])
    data, _ = packet(m, 0xa8, 0, 0, 0, 0, 9, 0, 0, 0, 1)
    check("READ (12), 1 sector at 9", data, DISC[9 * 2048:10 * 2048])
    data, status = packet(m, 0x28, 0, 0, 0, 0, SECTORS, 0, 0, 1)
    check("behind the end", (len(data), status & ERR), (0, ERR))
    check("illegal request, out of range", sense(m), (5, 0x21, 0))
    data, _ = packet(m, 0x28, 0, 0, 0, 0, 3, 0, 0, 1, limit=512)
    check("in pieces of the byte count limit", data, DISC[3 * 2048:4 * 2048])


@case("MMC-3: READ TOC, MODE SENSE (10), PREVENT ALLOW, START STOP", *OPTIONS, images=IMAGES)
def others(m, check):
    settle(m)
    data, _ = packet(m, 0x43, 0, 0, 0, 0, 0, 0, 0x0f, 0xf0)
    check("READ TOC: one track", [data[2], data[3]], [1, 1])
    check("track 1 is data, then the lead-out", [data[5] & 0x04, data[6], data[14]],
          [0x04, 1, 0xaa])
    check("the lead-out is behind the last sector", struct.unpack(">I", data[16:20])[0], SECTORS)
    data, status = packet(m, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 64)
    check("MODE SENSE, page 2A", (data[8] & 0x3f, status & ERR), (0x2a, 0))
    packet(m, 0x1e, 0, 0, 0, 1)
    check("PREVENT: no ejecting", packet(m, 0x1b, 0, 0, 0, 2)[1] & ERR, ERR)
    packet(m, 0x1e, 0, 0, 0, 0)
    check("ALLOW: ejecting", packet(m, 0x1b, 0, 0, 0, 2)[1] & ERR, 0)
    check("and then the drive is not ready", packet(m, 0x00)[1] & ERR, ERR)
    check("medium not present", sense(m)[:2], (2, 0x3a))


if __name__ == "__main__":
    sys.exit(main())
