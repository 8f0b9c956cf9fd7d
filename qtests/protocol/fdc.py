#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The floppy disk controller, a 82078-like 82077AA.

Data sheets: Intel 82077AA, 290166 (commands and result phases), 82078, 290474 (VERSION,
PART ID). Drive A has a 1.44 MB disk; data moves by the 8237A's channel 2 and by PIO."""
import sys

from floppy import FLOPPY, FLOPPY_OPTIONS, command, prepare_dma, read_sectors, result
from suite import case, main

SRA, SRB, DOR, TDR, MSR, FIFO, DIR = 0x3f0, 0x3f1, 0x3f2, 0x3f3, 0x3f4, 0x3f5, 0x3f7
OPTIONS = FLOPPY_OPTIONS
IMAGES = {"floppy": FLOPPY}


def reset(m):
    m.outb(DOR, 0x08)
    m.clock_step(1000)
    m.outb(DOR, 0x1c)
    m.wait(lambda: m.inb(MSR) & 0x80)
    found = []
    for _ in range(4):
        command(m, 0x08)
        found.append(result(m, 2)[0])
    m.outb(0x3f7, 0x00)
    return found


@case("82077AA, 4.3 and 6.1.7: reset, SENSE INTERRUPT STATUS", *OPTIONS, images=IMAGES)
def resets(m, check):
    m.listen("ioapic")
    m.outb(DOR, 0x08)
    m.clock_step(1000)
    m.outb(DOR, 0x0c)
    check.true("an interrupt after the reset", m.wait(lambda: m.level(6)))
    found = []
    for _ in range(4):
        command(m, 0x08)
        found.append(result(m, 2)[0])
    check("one polling result for each drive", found, [0xc0, 0xc1, 0xc2, 0xc3])
    command(m, 0x08)
    check("then there is none: invalid command", result(m, 1), [0x80])


@case("82077AA, 2.1.5, Main Status Register; DOR", *OPTIONS, images=IMAGES)
def status(m, check):
    reset(m)
    check("ready for a command", m.inb(MSR) & 0xd0, 0x80)
    m.outb(FIFO, 0x0f)
    check("in a command: busy", m.inb(MSR) & 0xd0, 0x90)
    m.outb(FIFO, 0x00)
    m.outb(FIFO, 0x05)
    m.wait(lambda: not m.inb(MSR) & 0x11)
    m.outb(DOR, 0x1c)
    check("DOR reads back", m.inb(DOR), 0x1c)


@case("82077AA, 5.2.4 and 5.2.2: VERSION, SPECIFY, CONFIGURE, DUMPREG, LOCK",
      *OPTIONS, images=IMAGES)
def controls(m, check):
    reset(m)
    command(m, 0x10)
    check("VERSION: an enhanced controller", result(m, 1), [0x90])
    command(m, 0x03, 0xaf, 0x1e)
    command(m, 0x13, 0x00, 0x57, 0x22)
    command(m, 0x0e)
    dump = result(m, 10)
    # docs/compatibility.md, "FDC: DUMPREG after SPECIFY".
    check("DUMPREG: step rate and head unload", dump[4], 0xaf, qemu=0x0a)
    check("head load", dump[5], 0x1e, qemu=0x1f)
    check("the configuration", dump[8:10], [0x57, 0x22])
    command(m, 0x94)
    check("LOCK", result(m, 1), [0x10])
    reset(m)
    command(m, 0x0e)
    check("a locked configuration outlives a reset", result(m, 10)[8:10], [0x57, 0x22])
    command(m, 0x14)
    check("unlock", result(m, 1), [0x00])


@case("82077AA, 5.2.5-5.2.7: RECALIBRATE, SEEK, SENSE DRIVE STATUS", *OPTIONS, images=IMAGES)
def seeks(m, check):
    reset(m)
    command(m, 0x07, 0x00)
    m.wait(lambda: not m.inb(MSR) & 0x01)
    command(m, 0x08)
    check("RECALIBRATE: seek end, track 0", result(m, 2), [0x20, 0])
    command(m, 0x04, 0x00)
    check("track 0 shows in ST3", result(m, 1)[0] & 0x10, 0x10)
    command(m, 0x0f, 0x00, 33)
    m.wait(lambda: not m.inb(MSR) & 0x01)
    command(m, 0x08)
    check("SEEK: seek end, track 33", result(m, 2), [0x20, 33])
    command(m, 0x04, 0x00)
    check("not at track 0", result(m, 1)[0] & 0x10, 0)


@case("82077AA, 5.1.1: READ DATA; DMA", *OPTIONS, images=IMAGES)
def reads(m, check):
    reset(m)
    got = read_sectors(m, 0x20000, 1024)
    check("normal end", [got[0] & 0xc0, got[1], got[2]], [0, 0, 0])
    check("data", m.read(0x20000, 1024), FLOPPY[:1024])
    check("the result names the next sector: cylinder, head, sector", got[3:6], [0, 0, 3])


@case("82077AA, 5.1.3: WRITE DATA; multi-track", *OPTIONS, images=IMAGES)
def writes(m, check):
    reset(m)
    command(m, 0x0f, 0x00, 3)
    m.wait(lambda: not m.inb(MSR) & 0x01)
    command(m, 0x08)
    result(m, 2)
    m.write(0x20000, b"\x77" * 512 + b"\x88" * 512)
    prepare_dma(m, 0x20000, 1024, 0x4a)
    command(m, 0xc5, 0x00, 3, 0, 18, 2, 18, 0x1b, 0xff)
    got = result(m, 7)
    check("normal end", [got[0] & 0xc0, got[1], got[2]], [0, 0, 0])
    place = (3 * 36 + 17) * 512
    with open(m.paths["floppy"], "rb") as floppy:
        floppy.seek(place)
        check("sector 18 of head 0, then sector 1 of head 1", floppy.read(1024),
              b"\x77" * 512 + b"\x88" * 512)


@case("82077AA, 5.1.5: READ ID; errors", *OPTIONS, images=IMAGES)
def ids_and_errors(m, check):
    reset(m)
    command(m, 0x4a, 0x00)
    got = result(m, 7)
    check("READ ID: normal end, 512-byte sectors", [got[0] & 0xc0, got[6]], [0, 2])
    prepare_dma(m, 0x20000, 512, 0x46)
    command(m, 0xe6, 0x00, 0, 0, 19, 2, 19, 0x1b, 0xff)
    got = result(m, 7)
    check("a sector that the track has not: abnormal end", got[0] & 0xc0, 0x40)
    command(m, 0x1f)
    check("an unknown command", result(m, 1), [0x80])


@case("82077AA, 2.1.8: DIR, disk change", *OPTIONS, images=IMAGES)
def disk_change(m, check):
    reset(m)
    command(m, 0x0f, 0x00, 1)
    m.wait(lambda: not m.inb(MSR) & 0x01)
    command(m, 0x08)
    result(m, 2)
    check("no change after a seek with a disk", m.inb(DIR) & 0x80, 0)


EMPTY = ["-device", "floppy,id=floppy0"]


@case("2.1.8: an empty drive; the first disk", *EMPTY, images=IMAGES)
def empty_drive(m, check):
    reset(m)
    check("changed, motor or not", m.inb(DIR) & 0x80, 0x80)
    m.outb(DOR, 0x0c)
    check("without the motor", m.inb(DIR) & 0x80, 0x80)

    def seek(track):
        command(m, 0x0f, 0x00, track)
        m.wait(lambda: not m.inb(MSR) & 0x01)
        command(m, 0x08)
        return result(m, 2)

    seek(1)
    check("a step without a disk does not clear it", m.inb(DIR) & 0x80, 0x80)
    prepare_dma(m, 0x20000, 512, 0x46)
    m.outb(0x0a, 0x06)                              # the channel is masked: no DMA at all
    command(m, 0xe6, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff)
    check("reading ends by itself, abnormally", result(m, 7)[0] & 0xc0, 0x40)
    command(m, 0x4a, 0x00)
    check("READ ID does not know", result(m, 7)[0] & 0xc0, 0)
    m.qmp("blockdev-change-medium", id="floppy0", filename=m.paths["floppy"], format="raw")
    check("a medium in a drive that began empty is read-only",
          m.qmp("query-block")[0]["inserted"]["ro"], True)
    check("a new disk", m.inb(DIR) & 0x80, 0x80)
    seek(0)
    check("no step, no change", m.inb(DIR) & 0x80, 0x80)
    seek(1)
    check("a step clears it", m.inb(DIR) & 0x80, 0)
    m.qmp("eject", id="floppy0")
    seek(2)
    check("ejected", m.inb(DIR) & 0x80, 0x80)


def read_by_pio(m, count):
    data = b""
    for _ in range(count):
        if m.inb(MSR) & 0xf0 != 0xf0:
            break
        data += bytes([m.inb(FIFO)])
    return data


@case("5.1.1: READ DATA without DMA, multi-track", *OPTIONS, images=IMAGES)
def reads_by_pio(m, check):
    reset(m)
    m.listen("ioapic")
    m.outb(DOR, 0x14)
    command(m, 0xe6, 0x00, 0, 0, 17, 2, 18, 0x1b, 0xff)
    # QEMU counts sectors 17 and 18, and 18 of the other side.
    data = read_by_pio(m, 20 * 512)
    check("data, then it is over", data, FLOPPY[16 * 512:36 * 512])
    check("an interrupt", m.level(6), True)
    got = [m.inb(FIFO) for _ in range(6)]
    check("normal end, head 1", got[:3], [0x04, 0, 0])
    check("the interrupt stays until the last byte of the result", m.level(6), True)
    m.inb(FIFO)
    check("and goes with it", m.level(6), False)
    command(m, 0xe6, 0x00, 0, 0, 1, 2, 19, 0x1b, 0xff)
    data = read_by_pio(m, 38 * 512)
    check("more than the cylinder has: the next one's", data, FLOPPY[:38 * 512])
    check("with a seek", result(m, 7)[:3], [0x20, 0, 0])


@case("5.1.1: READ DATA seeks, whatever CONFIGURE says", *OPTIONS, images=IMAGES)
def reads_elsewhere(m, check):
    reset(m)
    prepare_dma(m, 0x20000, 512, 0x46)
    command(m, 0xe6, 0x00, 5, 0, 1, 2, 18, 0x1b, 0xff)
    check("normal end, with a seek", result(m, 7)[:3], [0x20, 0, 0])
    check("data", m.read(0x20000, 512), FLOPPY[5 * 36 * 512:(5 * 36 + 1) * 512])


if __name__ == "__main__":
    sys.exit(main())
