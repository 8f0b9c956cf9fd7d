#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""IDE disks and the PIIX3's bus master.

ATA/ATAPI-6 (T13 1410D), chapter 6 (commands of chapter 8 by their names); bus master:
82371SB (PIIX3), 290550, section 2.7, and "Programming Interface for Bus Master IDE
Controller", revision 1.0."""
import struct
import sys

from suite import case, main

DATA, ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS = range(0x1f0, 0x1f8)
FEATURES, COMMAND, CONTROL = ERROR, STATUS, 0x3f6
BSY, DRDY, DF, DRQ, ERR = 0x80, 0x40, 0x20, 0x08, 0x01
ABRT, IDNF = 0x04, 0x10
IDE = 0x09  # device 1, function 1
SECTORS = 4096
DISK = b"".join(struct.pack("<I", sector) * 128 for sector in range(SECTORS))
ONE = ["-drive", "if=ide,file={disk},format=raw"]
IMAGES = {"disk": DISK}


def sector(n):
    return struct.pack("<I", n) * 128


def idle(m):
    m.wait(lambda: not m.inb(CONTROL) & BSY)
    return m.inb(CONTROL)


def command(m, value, lba=0, count=1, device=0, features=0):
    """A command with a 28-bit address; the status once the device is no longer busy."""
    m.outb(DEVICE, 0xe0 | device << 4 | lba >> 24)
    idle(m)
    for port, byte in ((FEATURES, features), (COUNT, count), (LOW, lba), (MID, lba >> 8),
                       (HIGH, lba >> 16), (COMMAND, value)):
        m.outb(port, byte & 0xff)
    return idle(m)


def command_48(m, value, lba, count):
    m.outb(DEVICE, 0x40)
    for port, byte in ((COUNT, count >> 8), (LOW, lba >> 24), (MID, lba >> 32),
                       (HIGH, lba >> 40), (COUNT, count), (LOW, lba), (MID, lba >> 8),
                       (HIGH, lba >> 16), (COMMAND, value)):
        m.outb(port, byte & 0xff)
    return idle(m)


def pio_in(m, sectors):
    data = b""
    for _ in range(sectors):
        m.wait(lambda: m.inb(CONTROL) & (BSY | DRQ) == DRQ)
        data += m.insw(DATA, 256)
    return data


def identify(m, device=0):
    command(m, 0xec, device=device)
    return struct.unpack("<256H", pio_in(m, 1))


def text(words):
    return b"".join(struct.pack(">H", word) for word in words).decode().strip()


@case("7.15, Status register; 9.12, signature after a reset", *ONE, images=IMAGES)
def signature(m, check):
    m.outb(CONTROL, 0x04)
    m.clock_step(5000)
    m.outb(CONTROL, 0x00)
    check("ready after a software reset", idle(m) & (BSY | DRQ | ERR), 0)
    check("an ATA device's signature", [m.inb(port) for port in (COUNT, LOW, MID, HIGH)],
          [1, 1, 0, 0])
    check("diagnostic code: passed", m.inb(ERROR), 0x01)
    command(m, 0x90)
    check("EXECUTE DEVICE DIAGNOSTIC gives the same", [m.inb(ERROR)] +
          [m.inb(port) for port in (COUNT, LOW, MID, HIGH)], [1, 1, 1, 0, 0])


@case("8.15, IDENTIFY DEVICE", *ONE, images=IMAGES)
def identify_device(m, check):
    check("data is there", command(m, 0xec) & (BSY | DRQ | ERR), DRQ)
    words = struct.unpack("<256H", pio_in(m, 1))
    check("no more data", idle(m) & (DRQ | ERR), 0)
    check("word 0: an ATA device", words[0] & 0x8000, 0)
    check("word 49: DMA and LBA", words[49] & 0x300, 0x300)
    check("words 60-61: sectors with 28-bit addresses", words[60] | words[61] << 16, SECTORS)
    check("words 100-103: with 48 bits", words[100] | words[101] << 16, SECTORS)
    check("word 83: 48-bit commands", words[83] & 0x400, 0x400)
    check("word 53: words 64-70 and 88 are valid", words[53] & 0x6, 0x6)
    check("word 63: multiword DMA modes 0-2", words[63] & 0x7, 0x7)
    check("word 88: Ultra DMA modes 0-2 at least", words[88] & 0x7, 0x7)
    check("words 1, 3, 6: the default geometry holds the disk",
          words[1] * words[3] * words[6] <= SECTORS, True)
    check("words 27-46 name a model", text(words[27:47]) != "", True)


@case("8.34, READ SECTOR(S); 8.62, WRITE SECTOR(S)", *ONE, images=IMAGES)
def pio(m, check):
    for lba, count in ((0, 1), (7, 3), (SECTORS - 1, 1)):
        check(f"read {count} at {lba}: data", command(m, 0x20, lba, count) & (DRQ | ERR), DRQ)
        check(f"read {count} at {lba}", pio_in(m, count),
              b"".join(sector(lba + i) for i in range(count)))
        check("no more data", idle(m) & (DRQ | ERR), 0)
    check("write", command(m, 0x30, 100, 2) & (DRQ | ERR), DRQ)
    for value in (0x11, 0x22):
        m.wait(lambda: m.inb(CONTROL) & (BSY | DRQ) == DRQ)
        m.outsw(DATA, bytes([value]) * 512)
    check("done", idle(m) & (DRQ | ERR), 0)
    command(m, 0x20, 99, 4)
    check("it reads back, and its neighbours are as they were", pio_in(m, 4),
          sector(99) + b"\x11" * 512 + b"\x22" * 512 + sector(102))
    command(m, 0xe7)
    check("FLUSH CACHE", m.inb(CONTROL) & (BSY | ERR), 0)
    with open(m.paths["disk"], "rb") as disk:
        disk.seek(100 * 512)
        check("and it is on the disk", disk.read(512), b"\x11" * 512)


@case("8.33, READ MULTIPLE; 8.43, SET MULTIPLE MODE", *ONE, images=IMAGES)
def multiple(m, check):
    check("SET MULTIPLE MODE 4", command(m, 0xc6, count=4) & ERR, 0)
    m.listen("ioapic")
    command(m, 0xc4, 10, 8)
    check("READ MULTIPLE", pio_in(m, 8), b"".join(sector(10 + i) for i in range(8)))
    m.inb(STATUS)
    check("SET MULTIPLE MODE 3 is no power of two", command(m, 0xc6, count=3) & ERR, ERR)
    check("and aborted", m.inb(ERROR) & ABRT, ABRT)


@case("6.2, 48-bit addresses: READ SECTOR(S) EXT", *ONE, images=IMAGES)
def extended(m, check):
    check("data", command_48(m, 0x24, 2000, 2) & (DRQ | ERR), DRQ)
    check("READ SECTOR(S) EXT", pio_in(m, 2), sector(2000) + sector(2001))
    check("READ NATIVE MAX ADDRESS", command(m, 0xf8) & ERR, 0)
    check("the last sector", m.inb(LOW) | m.inb(MID) << 8 | m.inb(HIGH) << 16, SECTORS - 1)


@case("CHS addresses (ATA-5, 6.2); 8.16 INITIALIZE DEVICE PARAMETERS", *ONE, images=IMAGES)
def chs(m, check):
    words = identify(m)
    heads, per_track = words[3], words[6]
    lba = heads * per_track + 2 * per_track + 4           # cylinder 1, head 2, sector 5
    m.outb(DEVICE, 0xa2)
    for port, byte in ((COUNT, 1), (LOW, 5), (MID, 1), (HIGH, 0), (COMMAND, 0x20)):
        m.outb(port, byte)
    idle(m)
    check("cylinder 1, head 2, sector 5", pio_in(m, 1), sector(lba))


@case("Errors: 8.34.5, IDNF; 6.4, ABRT", *ONE, images=IMAGES)
def errors(m, check):
    command(m, 0x20, SECTORS, 1)
    check("a sector behind the end: ERR", m.inb(STATUS) & ERR, ERR)
    check.true("IDNF or ABRT", m.inb(ERROR) & (IDNF | ABRT))
    check("an unknown command: ERR", command(m, 0x0f) & ERR, ERR)
    check("ABRT", m.inb(ERROR), ABRT)
    check("the next command clears it", command(m, 0xe7) & ERR, 0)
    check("PACKET is aborted by a disk", command(m, 0xa0) & ERR, ERR)


@case("9.16, Device 0 alone; 7.6, Device register", *ONE, images=IMAGES)
def absent_device(m, check):
    m.outb(DEVICE, 0xb0)
    check("device 0 answers 0 for device 1", m.inb(STATUS), 0)
    m.outb(COMMAND, 0xec)
    m.outb(DEVICE, 0xa0)
    check("and device 0 has not run its command", idle(m) & (DRQ | ERR | BSY), 0)
    m.outb(COUNT, 0x55)
    m.outb(LOW, 0xaa)
    check("the registers hold what is written", [m.inb(COUNT), m.inb(LOW)], [0x55, 0xaa])


@case("7.4, Device Control register: nIEN; interrupt 14", *ONE, images=IMAGES)
def interrupts(m, check):
    m.listen("ioapic")
    command(m, 0x20, 0, 1)
    check.true("an interrupt with the data", m.wait(lambda: m.level(14)))
    m.inb(CONTROL)
    check("the alternate status leaves it", m.level(14), True)
    m.inb(STATUS)
    check("the status ends it", m.level(14), False)
    pio_in(m, 1)
    m.inb(STATUS)
    m.outb(CONTROL, 0x02)
    command(m, 0x20, 0, 1)
    check("none with nIEN", m.level(14), False)
    m.outb(CONTROL, 0x00)
    # docs/compatibility.md, "IDE: an interrupt held back by nIEN": QEMU loses it.
    check("it is pending when nIEN goes", m.level(14), True, qemu=False)
    pio_in(m, 1)


# -- The bus master -----------------------------------------------------------------------

BMIDE, PRD, BUFFER = 0xc000, 0x1000, 0x10000


def bus_master(m):
    m.pci_write(IDE, 0x20, BMIDE)
    m.pci_write(IDE, 0x04, 0x05, 2)
    m.pci_write(IDE, 0x40, 0x8000, 2)


def prd(m, *entries):
    """A table of (address, bytes), whose last entry is marked."""
    for i, (address, size) in enumerate(entries):
        last = i == len(entries) - 1
        m.write(PRD + 8 * i, struct.pack("<IHH", address, size & 0xffff, 0x8000 * last))
    m.outl(BMIDE + 4, PRD)


def transfer(m, value, lba, count, to_memory):
    m.outb(BMIDE, 0x00)
    m.outb(BMIDE + 2, 0x06)
    command(m, value, lba, count)
    m.outb(BMIDE, 0x08 * to_memory | 0x01)
    m.wait(lambda: m.inb(BMIDE + 2) & 0x04)
    m.wait(lambda: not m.inb(CONTROL) & BSY)
    return m.inb(BMIDE + 2)


@case("82371SB, section 2.7.1-2.7.3, bus master registers", *ONE, images=IMAGES)
def bus_master_registers(m, check):
    bus_master(m)
    check("BMIBA", m.pci_read(IDE, 0x20), BMIDE | 1)
    check("the table's address is of doublewords",
          (m.outl(BMIDE + 4, 0x12345677), m.inl(BMIDE + 4))[1], 0x12345674)
    check("command after a reset", m.inb(BMIDE), 0)
    m.outb(BMIDE + 2, 0x66)
    check("drive capabilities can be set", m.inb(BMIDE + 2) & 0x60, 0x60)
    m.outb(BMIDE + 2, 0x00)
    check("and cleared", m.inb(BMIDE + 2) & 0x60, 0)


@case("82371SB, section 2.7; READ DMA", *ONE, images=IMAGES)
def read_dma(m, check):
    bus_master(m)
    m.listen("ioapic")
    prd(m, (BUFFER, 512), (BUFFER + 4096, 1024))
    status = transfer(m, 0xc8, 50, 3, to_memory=True)
    check("status: interrupt, no error, idle", status & 0x07, 0x04)
    check("the first piece", m.read(BUFFER, 512), sector(50))
    check("the second piece", m.read(BUFFER + 4096, 1024), sector(51) + sector(52))
    check("interrupt 14", m.level(14), True)
    m.inb(STATUS)
    m.outb(BMIDE, 0)
    m.outb(BMIDE + 2, 0x04)
    check("interrupt status is cleared by writing one", m.inb(BMIDE + 2) & 0x04, 0)


@case("82371SB, section 2.7; WRITE DMA", *ONE, images=IMAGES)
def write_dma(m, check):
    bus_master(m)
    m.write(BUFFER, b"\xa5" * 1024)
    prd(m, (BUFFER, 1024))
    check("status", transfer(m, 0xca, 200, 2, to_memory=False) & 0x07, 0x04)
    m.outb(BMIDE, 0)
    command(m, 0x20, 199, 4)
    check("it reads back", pio_in(m, 4), sector(199) + b"\xa5" * 1024 + sector(202))


@case("Programming Interface, section 3.1: a table longer than the transfer",
      *ONE, images=IMAGES)
def long_table(m, check):
    bus_master(m)
    prd(m, (BUFFER, 4096))
    check("interrupt and still active", transfer(m, 0xc8, 60, 1, to_memory=True) & 0x07, 0x05)
    check("the data has come", m.read(BUFFER, 512), sector(60))
    m.outb(BMIDE, 0)


if __name__ == "__main__":
    sys.exit(main())
