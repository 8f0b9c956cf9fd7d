#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the PCI configuration space of a pc with the installed QEMU's, bit for bit.

A ROM of a few instructions reads every doubleword of the chipset's four functions and the VGA, writes
ones and zeroes to each and reads them back, tries narrow accesses to the configuration
ports, and sends all it sees to the debug console. Both emulators run it. (Unaligned ones
are left out: QEMU's TCG drops them, its KVM splits them as hardware and Umbra do.)

usage: pci-config.py UMBRA [ACCEL [QEMU]]; exit status 0: equal, 1: not, 77: cannot tell
"""

import os
import shutil
import subprocess
import sys
import tempfile

FUNCTIONS = [("i440FX", 0x00), ("PIIX3", 0x08), ("piix3-ide", 0x09), ("PIIX4_PM", 0x0B),
             ("VGA", 0x10)]
PHASES = ["after reset", "with ones written", "with zeroes written"]
SIZE = 256

# Runs where the reset left it, below 4 GiB, so that PAM cannot take the code away. The
# i440FX's doubleword at 0x70 holds SMRAM, whose lock works here and not in QEMU 7.2: it is
# only read.
ROM = """
        .code16
        .macro emit
        movw $0x402, %dx
        .rept 4
        outb %al, %dx
        shrl $8, %eax
        .endr
        .endm
        .macro probe port, in, register
        movw $\\port, %dx
        movl $0x5a5a5a5a, %eax
        \\in %dx, \\register
        emit
        .endm
        .org 0
start:  xorw %bp, %bp                   # phase
phase:  xorw %di, %di                   # function
function:
        movzbl %cs:functions(%di), %esi
        shll $8, %esi
        orl $0x80000000, %esi
        movw $64, %cx
register:
        movl %esi, %eax
        movw $0xcf8, %dx
        outl %eax, %dx
        movw $0xcfc, %dx
        cmpw $0, %bp
        je read
        cmpl $0x80000070, %esi
        je read
        movl $0xffffffff, %eax
        cmpw $1, %bp
        je write
        xorl %eax, %eax
write:  outl %eax, %dx
read:   inl %dx, %eax
        emit
        addl $4, %esi
        decw %cx
        jnz register
        incw %di
        cmpw $5, %di
        jne function
        incw %bp
        cmpw $3, %bp
        jne phase

        movl $0x80000908, %eax          # piix3-ide, class code
        movw $0xcf8, %dx
        outl %eax, %dx
        probe 0xcf8, inb, %al
        probe 0xcf8, inw, %ax
        probe 0xcf8, inl, %eax
        probe 0xcfa, inb, %al
        probe 0xcfb, inb, %al
        probe 0xcfc, inb, %al
        probe 0xcfd, inb, %al
        probe 0xcfe, inb, %al
        probe 0xcff, inb, %al
        probe 0xcfc, inw, %ax
        probe 0xcfe, inw, %ax
        movw $0xcf8, %dx
        movb $0x00, %al
        outb %al, %dx                   # not an address
        probe 0xcf8, inl, %eax
        movw $0xcf8, %dx
        movl $0x80004800, %eax          # nobody there
        outl %eax, %dx
        probe 0xcfc, inl, %eax
        probe 0xcfc, inb, %al
        movw $0xcf8, %dx
        movl $0x00000000, %eax          # not enabled
        outl %eax, %dx
        probe 0xcfc, inl, %eax
        movw $0xf4, %dx
        outb %al, %dx                   # isa-debug-exit
stop:   hlt
        jmp stop
functions:
        .byte 0x00, 0x08, 0x09, 0x0b, 0x10
        .org 0xfff0
        .byte 0xe9                      # jmp start, backwards
        .word start - (. + 2)
        .org 0x10000
"""


def assemble(directory):
    source, built, rom = (os.path.join(directory, n) for n in ("rom.s", "rom.o", "rom.bin"))
    with open(source, "w") as file:
        file.write(ROM)
    subprocess.run(["as", "--32", "-o", built, source], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", built, rom], check=True)
    return rom


def run(emulator, machine, accel, rom, directory):
    output = os.path.join(directory, os.path.basename(emulator) + ".out")
    command = [emulator, "-M", machine, "-accel", accel, "-m", "128",
               "-nodefaults", "-vga", "std", "-display", "none", "-bios", rom,
               "-debugcon", "file:" + output,
               "-global", "isa-debugcon.iobase=0x402", "-device",
               "isa-debug-exit,iobase=0xf4,iosize=1"]
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        print("pci-config: %s has not ended after 30 s" % emulator)
    with open(output, "rb") as file:
        return file.read()


def describe(offset):
    block = len(FUNCTIONS) * SIZE
    phase, rest = divmod(offset, block)
    if phase >= len(PHASES):
        return "port probe %d" % ((offset - len(PHASES) * block) // 4)
    return "%s 0x%02x %s" % (FUNCTIONS[rest // SIZE][0], rest % SIZE, PHASES[phase])


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    accel = sys.argv[2] if len(sys.argv) > 2 else "x86emu"
    qemu = sys.argv[3] if len(sys.argv) > 3 else shutil.which("qemu-system-x86_64")
    theirs_accel = "kvm" if accel == "kvm" else "tcg"
    if not qemu or not shutil.which("as") or not shutil.which("objcopy"):
        print("pci-config: needs qemu-system-x86_64, as and objcopy; install "
              "qemu-system-x86 and binutils")
        return 77
    with tempfile.TemporaryDirectory() as directory:
        rom = assemble(directory)
        theirs = run(qemu, "pc-i440fx-7.2,smm=off", theirs_accel, rom, directory)
        ours = run(sys.argv[1], "pc-i440fx-7.2", accel, rom, directory)
    whole = len(PHASES) * len(FUNCTIONS) * SIZE + 15 * 4
    if len(theirs) != whole or len(ours) != whole:
        print("pci-config: expected %d bytes, QEMU gave %d, umbra %d"
              % (whole, len(theirs), len(ours)))
        return 1
    different = [i for i in range(whole) if ours[i] != theirs[i]]
    for i in different:
        print("%s: QEMU %02x, umbra %02x" % (describe(i), theirs[i], ours[i]))
    print("pci-config: %d bytes compared, %d differ" % (whole, len(different)))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
