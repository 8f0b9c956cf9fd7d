#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""fw_cfg and its DMA interface.

Specification: QEMU, docs/specs/fw_cfg."""
import struct
import sys

from suite import case, main

SELECTOR, DATA, DMA = 0x510, 0x511, 0x514
SIGNATURE, ID, FILE_DIR = 0x00, 0x01, 0x19
WORD = b"a word of the user's"
OPTIONS = ["-fw_cfg", "name=opt/org.example/word,file={word}"]
ERROR, READ, SKIP, SELECT, WRITE = 1, 2, 4, 8, 16
DESCRIPTOR, BUFFER = 0x1000, 0x2000


def dma(m, control, length, address=BUFFER, descriptor=DESCRIPTOR):
    """Runs one descriptor; its control word afterwards."""
    m.write(descriptor, struct.pack(">IIQ", control, length, address))
    m.outl(DMA, struct.unpack("<I", struct.pack(">I", descriptor >> 32))[0])
    m.outl(DMA + 4, struct.unpack("<I", struct.pack(">I", descriptor & 0xffffffff))[0])
    m.wait(lambda: not m.readl(descriptor) & 0xfeffffff, ns=10**8)
    return struct.unpack(">I", m.read(descriptor, 4))[0]


def word_key(m):
    return next(key for key, name, _ in m.fw_cfg_files() if name == "opt/org.example/word")


@case("fw_cfg, Selector (Control) Register, Data Register, Signature, Revision",
      *OPTIONS, images={"word": WORD})
def ports(m, check):
    check("signature", m.fw_cfg_read(SIGNATURE, 4), b"QEMU")
    check("zeroes follow an item", m.fw_cfg_read(SIGNATURE, 8), b"QEMU" + bytes(4))
    check("revision: ports and DMA", m.fw_cfg_read(ID, 4), bytes([3, 0, 0, 0]))
    m.outw(SELECTOR, SIGNATURE)
    m.inb(DATA)
    m.inb(DATA)
    m.outw(SELECTOR, SIGNATURE)
    check("a selection starts at the first byte", m.inb(DATA), ord("Q"))
    check("an unknown key reads as zeroes", m.fw_cfg_read(0x7ff0, 4), bytes(4))
    check("so does a file's that is not there", m.fw_cfg_read(0x3000, 4), bytes(4))


@case("fw_cfg, File Directory", *OPTIONS, images={"word": WORD})
def directory(m, check):
    files = m.fw_cfg_files()
    check("keys count up from 0x20", [key for key, _, _ in files],
          list(range(0x20, 0x20 + len(files))))
    names = [name for _, name, _ in files]
    check("names are sorted", names, sorted(names))
    check("the user's file has its size", [size for _, name, size in files
                                           if name == "opt/org.example/word"], [len(WORD)])
    check("and its bytes", m.fw_cfg_read(word_key(m), len(WORD)), WORD)


@case("fw_cfg, Guest-side DMA Interface", *OPTIONS, images={"word": WORD})
def dma_reads(m, check):
    check("the register's signature, first half", m.inl(DMA).to_bytes(4, "little"), b"QEMU")
    check("and second", m.inl(DMA + 4).to_bytes(4, "little"), b" CFG")
    m.write(BUFFER, b"\xee" * 64)
    check("select and read end without an error",
          dma(m, word_key(m) << 16 | SELECT | READ, 6), 0)
    check("the bytes, and no more", m.read(BUFFER, 8), WORD[:6] + b"\xee\xee")
    check("read on", dma(m, READ, 4), 0)
    check("from where the last one ended", m.read(BUFFER, 4), WORD[6:10])
    check("skip", dma(m, SKIP, 3), 0)
    check("read", dma(m, READ, 4), 0)
    check("behind what was skipped", m.read(BUFFER, 4), WORD[13:17])
    check("read over the end", dma(m, READ, 8), 0)
    check("gives zeroes there", m.read(BUFFER, 8), WORD[17:] + bytes(8 - len(WORD[17:])))


@case("fw_cfg, Guest-side DMA Interface: errors", *OPTIONS, images={"word": WORD})
def dma_errors(m, check):
    check("a write to what is read-only", dma(m, word_key(m) << 16 | SELECT | WRITE, 4) & ERROR,
          ERROR)
    check("and nothing is changed", m.fw_cfg_read(word_key(m), len(WORD)), WORD)
    check("nothing to do is no error", dma(m, 0, 0), 0)
    m.outw(SELECTOR, SIGNATURE)
    check("DMA goes on at the ports' place", [m.inb(DATA), dma(m, READ, 3),
                                              m.read(BUFFER, 3)], [ord("Q"), 0, b"EMU"])


DISK = "if=none,file=null-co://,format=raw,id="


@case("-device ide-hd's lcyls, lheads, lsecs: bios-geometry", "-drive", DISK + "one", "-device",
      "ide-hd,drive=one,bus=ide.0,unit=1,lcyls=100,lheads=12,lsecs=30", "-drive", DISK + "two",
      "-device", "ide-hd,drive=two,bus=ide.1,unit=0", "-drive", DISK + "three", "-device",
      "ide-hd,drive=three,bus=ide.1,unit=1,lcyls=5,lheads=2,lsecs=3")
def geometry(m, check):
    key, size = next((key, size) for key, name, size in m.fw_cfg_files()
                     if name == "bios-geometry")
    check("a line for each disk that has them", m.fw_cfg_read(key, size),
          b"/pci@i0cf8/ide@1,1/drive@0/disk@1 100 12 30\n"
          b"/pci@i0cf8/ide@1,1/drive@1/disk@1 5 2 3\0")


if __name__ == "__main__":
    sys.exit(main())
