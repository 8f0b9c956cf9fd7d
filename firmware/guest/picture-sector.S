# picture-sector: a boot sector that sets a screen mode by the video BIOS, fills display
# memory with bytes that look random, and then sets registers.
#
# What to do is in the sector itself, from offset 8 on; who boots it fills it in:
#   8   "UMBRAPIC"
#   16  mode: below 0x100 one of INT 10h's function 0, else of VBE's
#   18  flags: 1 fills each plane by itself, 2 fills 16 VBE banks of 64 KiB
#   20  segment of display memory
#   22  how many registers to set, and for each, a port and a word for it: an index and, in
#       the upper half, a value. 0x3c0 gets them one after the other.
# It says "umbra: drawn" on the debug port when the picture is there.
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .equ DEBUG_PORT, 0x402
        .equ SEQUENCER, 0x3c4
        .equ ATTRIBUTE, 0x3c0
        .equ STATUS_1, 0x3da
        .equ DISPI_INDEX, 0x1ce
        .equ DISPI_DATA, 0x1d0
        .equ DISPI_BANK, 5
        .equ REGISTERS_MAX, 16

        .section .text
        .code16
start:  jmp     1f
        .org    8
magic:  .ascii  "UMBRAPIC"
mode:   .word   3
flags:  .word   0
segment: .word  0xb800
count:  .word   0
writes: .fill   REGISTERS_MAX * 2, 2, 0

1:      cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7c00, %sp
        ljmp    $0, $2f                 # the firmware may have come by 07c0:0000
2:      sti
        movw    mode, %bx
        movw    %bx, %ax
        testb   %bh, %bh
        jz      3f
        movw    $0x4f02, %ax
3:      int     $0x10
        cli
        movw    segment, %es
        movw    $1, %bp                 # the seed
        testw   $2, flags
        jnz     fill_banks
        testw   $1, flags
        jnz     fill_planes
        call    fill
        jmp     registers

fill_planes:
        movw    $0x0102, %ax            # map mask: plane 0
4:      movw    $SEQUENCER, %dx
        pushw   %ax
        outw    %ax, %dx
        call    fill
        popw    %ax
        shlb    $1, %ah
        cmpb    $0x10, %ah
        jne     4b
        movw    $0x0f02, %ax
        movw    $SEQUENCER, %dx
        outw    %ax, %dx
        jmp     registers

fill_banks:
        xorw    %bx, %bx
5:      movw    $DISPI_BANK, %ax
        movw    $DISPI_INDEX, %dx
        outw    %ax, %dx
        movw    %bx, %ax
        movw    $DISPI_DATA, %dx
        outw    %ax, %dx
        call    fill
        incw    %bx
        cmpw    $16, %bx
        jne     5b

registers:
        movw    $writes, %si
        movw    count, %cx
        jcxz    8f
6:      lodsw
        movw    %ax, %dx
        lodsw
        cmpw    $ATTRIBUTE, %dx
        je      7f
        outw    %ax, %dx
        loop    6b
        jmp     8f
7:      pushw   %ax
        movw    $STATUS_1, %dx
        inb     %dx, %al                # the next write is an index
        popw    %ax
        movw    $ATTRIBUTE, %dx
        outb    %al, %dx
        movb    %ah, %al
        outb    %al, %dx
        movb    $0x20, %al              # the screen goes on again
        outb    %al, %dx
        loop    6b

8:      movw    $drawn, %si
        movw    $DEBUG_PORT, %dx
9:      lodsb
        outb    %al, %dx
        cmpb    $'\n', %al
        jne     9b
10:     hlt
        jmp     10b

# Fills the segment from a linear congruential sequence.
fill:   xorw    %di, %di
        movw    $0x8000, %cx            # words
11:     movw    %bp, %ax
        movw    $25173, %dx
        mulw    %dx
        addw    $13849, %ax
        movw    %ax, %bp
        xchgb   %al, %ah
        stosw
        loop    11b
        ret

drawn:  .ascii  "umbra: drawn\n"

        .org    510
        .word   0xaa55
