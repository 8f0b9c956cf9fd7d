# reboot-kernel: reboot-sector's work for machines that start a kernel without firmware, by
# PVH or as bhyveload does: asks for a reboot by one method, as often as it is told.
#
# What to do is behind the mark "UMBRAREB", as in the sector (guest.h has the numbers); the tool
# fills it in. How often it has booted is in memory, which some machines' resets leave alone, and
# in the CMOS RAM, which others' do. On the debug port it says what the sector says, but that it
# cannot be held; without firmware nobody reads the keyboard, and without ACPI there is no S3.
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "print.inc"

        .equ COUNT, 0x90000             # where a PC has RAM and no loader puts anything
        .equ MAGIC, 'U' | 'm' << 8
        .equ CMOS_MAGIC, 0x70
        .equ CMOS_COUNT, 0x72
        .equ TRAMPOLINE, 0x8000
        .equ METHODS, 7

        .section .note.Xen, "a", @note
        .long   4, 4, 18                # PHYS32_ENTRY
        .asciz  "Xen"
        .long   _start

        .text
        .code32
        .globl  _start
_start: movl    $stack, %esp
        cld
        xorl    %ebx, %ebx
        cmpw    $MAGIC, COUNT
        jne     1f
        movzwl  COUNT + 2, %ebx
        jmp     2f
1:      movb    $CMOS_MAGIC, %al
        call    cmos_read_word
        cmpw    $MAGIC, %ax
        jne     2f
        movb    $CMOS_COUNT, %al
        call    cmos_read_word
        movzwl  %ax, %ebx
2:      incl    %ebx                    # this boot's number
        movl    $MAGIC, %ecx
        call    remember

        print   "umbra: boot "
        movl    %ebx, %eax
        call    put_decimal
        print   "\n"
        cmpw    times, %bx
        jae     done
        movzbl  method, %edi
        cmpl    $METHODS, %edi
        jae     failed
        cmpl    $6, %edi
        je      suspend
        cmpl    $5, %edi
        je      ctrl_alt_del
        print   "umbra: reset\n"
        call    *methods(, %edi, 4)
        call    wait
failed: print   "umbra: no reset\n"
        jmp     finish

done:   xorl    %ecx, %ecx              # the next boot is a first one again
        xorl    %ebx, %ebx
        call    remember
        print   "umbra: done\n"
finish: cmpb    $0, end
        je      stop
        movb    $0, %al
        jmp     exit

# remember: the words %cx and %bx, in memory and in the CMOS RAM.
remember:
        movw    %cx, COUNT
        movw    %bx, COUNT + 2
        movb    $CMOS_MAGIC, %al
        call    cmos_write_word
        movl    %ebx, %ecx
        movb    $CMOS_COUNT, %al

# cmos_write_word: %cx to CMOS bytes %al and %al + 1.
cmos_write_word:
        movb    %al, %ah
        outb    %al, $0x70
        movb    %cl, %al
        outb    %al, $0x71
        movb    %ah, %al
        incb    %al
        outb    %al, $0x70
        movb    %ch, %al
        outb    %al, $0x71
        ret

# cmos_read_word: CMOS bytes %al and %al + 1, in %ax.
cmos_read_word:
        movb    %al, %ah
        outb    %al, $0x70
        inb     $0x71, %al
        xchgb   %al, %ah
        incb    %al
        outb    %al, $0x70
        inb     $0x71, %al
        xchgb   %al, %ah
        ret

# -- Methods --------------------------------------------------------------------------------

methods:
        .long   reset_by_bios, reset_by_kbd, reset_by_pci, reset_by_port92, reset_by_triple

# To real mode, by code that it can reach, and to the BIOS's entry point.
reset_by_bios:
        movw    $0x1234, 0x472
        movl    $trampoline, %esi
        movl    $TRAMPOLINE, %edi
        movl    $trampoline_end - trampoline, %ecx
        rep     movsb
        lgdt    gdt_pointer
        ljmp    $8, $TRAMPOLINE

        .code16
trampoline:
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    %cr0, %eax
        andb    $~1, %al
        movl    %eax, %cr0
        ljmp    $0, $TRAMPOLINE + (1f - trampoline)
1:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        ljmp    $0xf000, $0xfff0
trampoline_end:
        .code32

reset_by_kbd:
        movl    $1000, %ecx             # where there is no controller it reads as busy
1:      inb     $0x64, %al
        testb   $2, %al
        loopnz  1b
        movb    $0xfe, %al
        outb    %al, $0x64
        ret

reset_by_pci:
        movw    $0xcf9, %dx
        movb    $2, %al
        outb    %al, %dx
        movb    $6, %al
        outb    %al, %dx
        ret

reset_by_port92:
        inb     $0x92, %al
        orb     $1, %al
        outb    %al, $0x92
        ret

reset_by_triple:
        lidt    no_idt
        ud2

ctrl_alt_del:
        print   "umbra: waiting\n"
        jmp     stop

suspend:
        print   "umbra: suspend\n"
        jmp     failed

# wait: whoever carries a request out may take a moment.
wait:   movl    $100000, %ecx
1:      inb     $0x80, %al
        loop    1b
        ret

        .section .data
        .balign 8
gdt:    .quad   0
        .quad   0x00009a000000ffff      # 8: code, 16 bits, 64 KiB
        .quad   0x000092000000ffff      # 16: data, 64 KiB
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt
no_idt: .word   0
        .long   0
mark:   .ascii  "UMBRAREB"
method: .byte   0
end:    .byte   0
times:  .word   2
hold:   .byte   0                       # nobody holds a kernel

        .section .aside, "aw"
        .balign 4
        .skip   1024
stack:
