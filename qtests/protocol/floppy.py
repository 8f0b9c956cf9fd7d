# SPDX-License-Identifier: LGPL-2.1-or-later
"""A floppy disk whose bytes tell their place, and how the controller is asked for them
(Intel 82077AA, 290166): what the suites of the DMA and of the floppy controller share."""

FLOPPY = bytes((sector * 7 + offset) & 0xff for sector in range(2880) for offset in range(512))
FLOPPY_OPTIONS = ["-drive", "if=floppy,file={floppy},format=raw"]


def command(m, *words):
    for word in words:
        m.wait(lambda: m.inb(0x3f4) & 0xc0 == 0x80)
        m.outb(0x3f5, word)


def result(m, count):
    m.wait(lambda: m.inb(0x3f4) & 0xd0 == 0xd0)
    return [m.inb(0x3f5) for _ in range(count)]


def prepare_dma(m, address, count, mode):
    """Programs channel 2: 0x46 to memory, 0x4a from it."""
    m.outb(0xd6, 0xc0)                             # channel 4 cascades the 8-bit controller
    m.outb(0xd4, 0x00)
    m.outb(0x0a, 0x06)
    m.outb(0x0c, 0)
    for port, value in ((0x04, address), (0x05, count - 1)):
        m.outb(port, value & 0xff)
        m.outb(port, value >> 8 & 0xff)
    m.outb(0x81, address >> 16)
    m.outb(0x0b, mode)
    m.outb(0x0a, 0x02)


def read_sectors(m, address, count, mode=0x46):
    """Reads from sector 1 on: as many bytes as the channel counts. The 7 result bytes."""
    prepare_dma(m, address, count, mode)
    m.outb(0x3f2, 0x00)
    m.outb(0x3f2, 0x1c)
    m.outb(0x3f7, 0x00)                            # 500 kbit/s, a 1.44 MB disk's
    m.wait(lambda: m.inb(0x3f4) & 0x80)
    for _ in range(4):
        command(m, 0x08)
        result(m, 2)
    command(m, 0x07, 0x00)
    m.wait(lambda: not m.inb(0x3f4) & 0x11)
    command(m, 0x08)
    result(m, 2)
    command(m, 0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff)
    return result(m, 7)
