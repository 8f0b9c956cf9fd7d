# reset-loop: resets the machine by one method as often as it is told, and says so.
#
# The fw_cfg file "opt/umbra/reset" holds the method and the number, "kbd 10000" (both
# default to that, with 10). Methods:
#   kbd     0xfe to the keyboard controller's command port
#   pci     2, then 6 to the reset control register 0xcf9
#   port92  bit 0 of system control port A
#   triple  an exception without an interrupt table
# The count is in RAM, which a reset leaves alone. Each round turns the F segment's PAM
# window to another mode, so that the memory map changes between resets. The last line is
# "PASS n" and the exit port gets 0; "FAIL" and 2 for an unknown method, or where the machine
# went on a second after it was told to reset.
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "rom.inc"

        .equ COUNT, 0x600               # below the stack and the code
        .equ COUNT_CHECK, 0x604         # the complement of it, once there is a count
        .equ PAM0, 0x59

        .section .data
file:   .asciz  "opt/umbra/reset"
        .macro  method name
        .asciz  "\name"
        .balign 8
        .long   reset_by_\name, 0
        .endm
        .balign 8
methods:
        method  kbd
        method  pci
        method  port92
        method  triple
methods_end:
no_idt: .word   0
        .long   0

        .bss
text:   .skip   64
times:  .skip   4

        .text

reset_by_kbd:
        inb     $0x64, %al
        testb   $2, %al                 # until it has taken the last command
        jnz     reset_by_kbd
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
        ud2                             # an exception: nested KVM cannot deliver int3 there
        ret

# find_method: the function of the method that the text at %esi starts with, in %eax, or 0.
find_method:
        movl    $methods, %ebx
1:      movl    %esi, %edi
        movl    %ebx, %edx
2:      movb    (%edx), %al
        testb   %al, %al
        jz      4f
        cmpb    (%edi), %al
        jne     3f
        incl    %edi
        incl    %edx
        jmp     2b
3:      addl    $16, %ebx
        cmpl    $methods_end, %ebx
        jb      1b
        xorl    %eax, %eax
        ret
4:      cmpb    $0, (%edi)              # the whole word
        je      5f
        cmpb    $' ', (%edi)
        jne     3b
5:      movl    %edi, %esi
        movl    8(%ebx), %eax
        ret

        .globl  main
main:   movl    $file, %esi
        movl    $text, %edi
        movl    $64, %ecx
        call    fw_cfg_read_file
        movl    $10, times
        movl    $reset_by_kbd, %ebp
        testl   %eax, %eax
        jz      2f
        movl    $text, %esi
        call    find_method
        testl   %eax, %eax
        jz      unknown
        movl    %eax, %ebp
        cmpb    $' ', (%esi)
        jne     2f
        incl    %esi
        call    parse_decimal
        movl    %eax, times

2:      movl    COUNT, %eax
        movl    %eax, %edx
        notl    %edx
        cmpl    %edx, COUNT_CHECK
        je      3f
        print   "reset-loop: "
        movl    times, %eax
        call    put_decimal
        print   " resets by "
        movl    $text, %esi
        call    puts
        print   "\n"
        xorl    %eax, %eax
3:      cmpl    times, %eax
        jae     done
        incl    %eax
        movl    %eax, COUNT
        movl    %eax, %edx
        notl    %edx
        movl    %edx, COUNT_CHECK
        andb    $3, %al
        shlb    $4, %al
        movl    $PAM0, %ecx
        call    pci_write
        call    *%ebp
        # Whoever carries the reset out may take a moment. Reads of an idle port take about
        # one microsecond each on real buses, and longer in emulators.
        movl    $100000, %ecx
4:      inb     $0x80, %al
        decl    %ecx
        jnz     4b
        print   "FAIL: still running after the reset\n"
        jmp     fail
unknown:
        print   "FAIL: unknown method '"
        movl    $text, %esi
        call    puts
        print   "'; use kbd, pci, port92 or triple\n"
fail:   movl    $0, COUNT_CHECK
        movb    $2, %al
        jmp     exit

done:   movl    $0, COUNT_CHECK         # whoever resets now starts over
        movl    $0, COUNT
        print   "PASS "
        movl    times, %eax
        call    put_decimal
        print   "\n"
        movb    $0, %al
        jmp     exit
