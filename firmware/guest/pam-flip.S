# pam-flip: measures what a write to a PAM register and the read after it cost.
#
# The fw_cfg file "opt/umbra/flips" holds the number of flips (default 2000). A flip gives the
# F segment's window mode 3 or mode 0 in turn, and reads four bytes of it, which must be RAM's
# or ROM's. There is nothing else in the loop, as hosts without hardware for it interpret each
# instruction of such a guest. The time is the PM timer's (3.579545 MHz), which the ROM switches on in the PIIX4.
# The last line is "pam-flip: FLIPS flips, NS ns each" and the exit port gets 0, or "FAIL" and 2.
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "rom.inc"

        .equ PAM0, 0x59
        .equ PROBE, 0xf0000
        .equ PM_FUNCTION, 0x80000b00    # bus 0, device 1, function 3
        .equ PM_BASE, 0x600
        .equ PM_TIMER, PM_BASE + 8
        .equ PM_TIMER_MASK, 0xffffff    # its 24 bits: it wraps after 4.7 seconds
        .equ BLOCK, 64                  # flips without a look at the timer
        .equ PS_PER_TICK, 279365        # 10^12 / 3579545

        .section .data
file:   .asciz  "opt/umbra/flips"

        .bss
text:   .skip   16
flips:  .skip   4
last:   .skip   4                       # the PM timer when it was last read
rom:    .skip   4                       # what the window shows in mode 0

        .text

# The window shows the other side, whose bytes are those in \expected.
        .macro  flip mode, expected
        movb    $\mode, %al
        outb    %al, %dx
        cmpl    \expected, PROBE
        jne     fail
        .endm

# pm_write: %ecx to register %eax of the PIIX4's power management.
pm_write:
        orl     $PM_FUNCTION, %eax
        movw    $PCI_ADDRESS, %dx
        outl    %eax, %dx
        movw    $PCI_DATA, %dx
        movl    %ecx, %eax
        outl    %eax, %dx
        ret

# tick: adds the ticks since the last call to %ebp.
tick:   movw    $PM_TIMER, %dx
        inl     %dx, %eax
        movl    %eax, %edx
        subl    last, %eax
        movl    %edx, last
        andl    $PM_TIMER_MASK, %eax
        addl    %eax, %ebp
        ret

        .globl  main
main:   movl    $2000, flips
        movl    $file, %esi
        movl    $text, %edi
        movl    $16, %ecx
        call    fw_cfg_read_file
        testl   %eax, %eax
        jz      1f
        movl    $text, %esi
        call    parse_decimal
        movl    %eax, flips
1:      movl    $0x40, %eax             # PMBA
        movl    $PM_BASE | 1, %ecx
        call    pm_write
        movl    $0x80, %eax             # PMREGMISC: PMIOSE
        movl    $1, %ecx
        call    pm_write

        movl    $PAM0, %ecx             # RAM's value is the complement of ROM's
        xorl    %eax, %eax
        call    pci_write
        movl    PROBE, %ebx
        movl    %ebx, rom
        movb    $0x30, %al
        call    pci_write
        notl    %ebx
        movl    %ebx, PROBE
        print   "pam-flip: start\n"

        xorl    %ebp, %ebp              # ticks
        movl    flips, %edi
        movw    $PM_TIMER, %dx
        inl     %dx, %eax
        movl    %eax, last
        movl    rom, %ebx
        movl    %ebx, %ecx
        notl    %ecx
        movw    $PCI_DATA + PAM0 % 4, %dx  # pci_write has left 0xcf8 at this register
2:      subl    $BLOCK, %edi
        jb      3f
        .rept   BLOCK / 2
        flip    0x00, %ebx
        flip    0x30, %ecx
        .endr
        call    tick                    # often enough for the PM timer
        movw    $PCI_DATA + PAM0 % 4, %dx
        jmp     2b
3:      addl    $BLOCK, %edi            # the rest; its last one may be half a pair
        jz      5f
4:      flip    0x00, %ebx
        decl    %edi
        jz      5f
        flip    0x30, %ecx
        decl    %edi
        jnz     4b
5:      call    tick
        print   "pam-flip: "
        movl    flips, %eax
        call    put_decimal
        print   " flips, "
        movl    $PS_PER_TICK, %eax      # ticks * ps / (flips * 1000)
        mull    %ebp
        imull   $1000, flips, %ecx
        cmpl    %ecx, %edx
        jae     6f                      # no flips, or hours
        divl    %ecx
        call    put_decimal
        print   " ns each\n"
        movb    $0, %al
        jmp     exit
6:      print   "no time\n"
        movb    $2, %al
        jmp     exit
fail:   print   "FAIL: the window does not show what its mode says\n"
        movb    $2, %al
        jmp     exit
