# reboot-kernel: what reboot-sector is, for machines without firmware: a 32-bit ELF kernel,
# started by PVH's note or by its entry, that asks for a reboot by one method as often as it
# is told. It uses neither registers nor memory that its loader may have prepared, so that it
# does not matter who that was.
#
# What to do is behind the mark in its image (guest.h has the numbers). How often it has
# been started is in the CMOS RAM, as reboot-sector has it, or where there is no RTC in RAM
# that no loader writes. It says what reboot-sector says, and
#   umbra: unsupported: WHY     the machine lacks what the method needs
#   umbra: image not fresh      it was not loaded anew
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "print.inc"
        .include "reset-methods.inc"

        .equ COUNT_ADDRESS, 0x200000    # where there is no RTC: behind the image
        .equ CMOS_MAGIC, 0x70
        .equ CMOS_COUNT, 0x72
        .equ MAGIC, 'U' | 'm' << 8
        .equ BIOS_ENTRY, 0xffff0
        .equ FAR_JUMP, 0xea             # what every BIOS has there
        .equ RSDP_START, 0xe0000        # ACPI section 5.2.5.1: on a 16-byte boundary
        .equ RSDP_END, 0x100000

        .section .note.Xen, "a", @note
        .long   4, 4, 18                # PHYS32_ENTRY
        .asciz  "Xen"
        .long   _start

        .section .aside, "aw"
        .balign 8
        .ascii  "UMBRAREB"
method: .byte   0
        .byte   0
times:  .word   2
hold:   .byte   0

        .text
        .code32
        .globl  _start
_start: cli
        cld
        movl    $stack, %esp
        lgdt    gdt_pointer
        ljmp    $8, $1f
1:      movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss

        cmpb    $0, started
        je      1f
        print   "umbra: image not fresh\n"
1:      movb    $1, started
        call    count_start
        print   "umbra: boot "
        call    put_decimal
        print   "\n"
        cmpw    times, %ax
        jae     done

        cmpb    $0, hold
        je      1f
        print   "umbra: ready\n"
2:      pause
        cmpb    $0, hold
        jne     2b
1:      movzbl  method, %edi
        cmpl    $METHODS, %edi
        jae     1f
        call    *checks(,%edi,4)
        print   "umbra: reset\n"
        call    *methods(,%edi,4)
        movl    $100000, %ecx           # whoever carries it out may take a moment
2:      inb     $0x80, %al
        loop    2b
1:      print   "umbra: no reset\n"
        jmp     stop

done:   call    forget_count
        print   "umbra: done\n"
        jmp     stop

# What each method needs, and the method.
checks: .long   need_bios, nothing, nothing, nothing, nothing, need_keys, need_acpi
methods:
        .long   reset_by_bios, reset_by_kbd, reset_by_pci, reset_by_port92, reset_by_triple
        .equ METHODS, 7

# -- Counting ---------------------------------------------------------------------------------

# has_rtc: ZF set where CMOS bytes keep what is written to them.
has_rtc:
        movw    $(CMOS_COUNT + 2) | 0x55 << 8, %ax
        call    cmos_write
        call    cmos_read
        cmpb    $0x55, %ah
        ret

# cmos_read, cmos_write: byte %al of the CMOS RAM, %ah.
cmos_read:
        outb    %al, $0x70
        xchgb   %al, %ah
        inb     $0x71, %al
        xchgb   %al, %ah
        ret

cmos_write:
        outb    %al, $0x70
        xchgb   %al, %ah
        outb    %al, $0x71
        xchgb   %al, %ah
        ret

# read_word, write_word: the word %cl (CMOS_MAGIC, CMOS_COUNT) of the store, in %dx.
read_word:
        call    has_rtc
        jne     1f
        movb    %cl, %al
        call    cmos_read
        movb    %ah, %dl
        incb    %al
        call    cmos_read
        movb    %ah, %dh
        ret
1:      movzbl  %cl, %eax
        movw    COUNT_ADDRESS(%eax), %dx
        ret

write_word:
        call    has_rtc
        jne     1f
        movb    %cl, %al
        movb    %dl, %ah
        call    cmos_write
        incb    %al
        movb    %dh, %ah
        jmp     cmos_write
1:      movzbl  %cl, %eax
        movw    %dx, COUNT_ADDRESS(%eax)
        ret

# count_start: %eax is this start's number, from 1 on.
count_start:
        movb    $CMOS_MAGIC, %cl
        call    read_word
        movl    $0, %ebx
        cmpw    $MAGIC, %dx
        jne     1f
        movb    $CMOS_COUNT, %cl
        call    read_word
        movzwl  %dx, %ebx
1:      incl    %ebx
        movb    $CMOS_MAGIC, %cl
        movw    $MAGIC, %dx
        call    write_word
        movb    $CMOS_COUNT, %cl
        movw    %bx, %dx
        call    write_word
        movl    %ebx, %eax
        ret

forget_count:
        movb    $CMOS_MAGIC, %cl
        xorl    %edx, %edx
        jmp     write_word

# -- The methods ------------------------------------------------------------------------------

# As Linux does for reboot=bios: the warm boot flag, then, in real mode, the BIOS's entry.
reset_by_bios:
        movw    $0x1234, 0x472
        movl    $real_mode, %esi        # below 64 KiB, for a segment of 0
        movl    $0x7c00, %edi
        movl    $real_mode_end - real_mode, %ecx
        rep     movsb
        lidt    real_mode_idt
        movw    $32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        ljmp    $24, $0x7c00
        .code16
real_mode:
        movl    %cr0, %eax
        andb    $~1, %al
        movl    %eax, %cr0
        ljmp    $0xf000, $0xfff0
real_mode_end:
        .code32

        reset_methods

reset_by_triple:
        lidt    no_idt
        ud2

# -- What they need ---------------------------------------------------------------------------

# These come back where the machine has it.
need_bios:
        cmpb    $FAR_JUMP, BIOS_ENTRY
        je      nothing
        print   "umbra: unsupported: there is no BIOS at f000:fff0\n"
        jmp     stop

nothing:
        ret

need_keys:
        print   "umbra: unsupported: there is no firmware that reads the keyboard\n"
        jmp     stop

# What ACPI would say of sleeping is found by its RSDP alone.
need_acpi:
        movl    $RSDP_START, %esi
1:      cmpl    $0x20445352, (%esi)     # "RSD PTR "
        jne     2f
        cmpl    $0x20525450, 4(%esi)
        je      3f
2:      addl    $16, %esi
        cmpl    $RSDP_END, %esi
        jb      1b
        print   "umbra: unsupported: there is no RSDP, so there is no ACPI\n"
        jmp     stop
3:      print   "umbra: unsupported: S3 is woken by firmware, which is reboot-sector's test\n"
        jmp     stop

        .section .aside, "aw"
        reset_segments
no_idt: .word   0
        .long   0
real_mode_idt:
        .word   0x3ff
        .long   0
started: .byte  0
        .balign 4
        .skip   1024
stack:
