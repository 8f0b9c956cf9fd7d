# pvh-kernel: a 32-bit PVH kernel that prints what it was started with.
#
# Lines on the debug console, each number in hexadecimal: "registers" (CR0, CR4, EFLAGS,
# EBX), "magic", "version", "flags", "rsdp", "cmdline" and the words, "map" (one for each entry:
# address, size, type, reserved), "module" (address, size, SUM, words), "bss is not zero"
# where it is not, "task" (the task register), "done". SUM is over the module's bytes (rotate left by one, add the byte).
# From Xen's docs/misc/pvh.pandoc and include/public/arch-x86/hvm/start_info.h.
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "print.inc"

        .equ MAGIC, 0
        .equ VERSION, 4
        .equ FLAGS, 8
        .equ MODULES, 12
        .equ MODULE_LIST, 16
        .equ CMDLINE, 24
        .equ RSDP, 32
        .equ MAP, 40                    # from version 1 on
        .equ MAP_ENTRIES, 48

        .section .note.Xen, "a", @note
        .long   4, 4, 18                # PHYS32_ENTRY
        .asciz  "Xen"
        .long   _start

        .text
        .code32
        .globl  _start
_start: movl    %esp, old_esp           # not defined by the protocol: DS must reach it
        movl    $stack, %esp
        pushfl
        popl    %ebp
        cld
        movl    %ebx, information

        print   "registers"
        movl    %cr0, %eax
        call    put_word
        movl    %cr4, %eax
        call    put_word
        movl    %ebp, %eax
        call    put_word
        movl    information, %eax
        call    put_word
        print   "\n"

        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        repe    scasb
        je      1f
        print   "bss is not zero\n"
1:      movl    information, %ebx
        print   "magic "
        movl    MAGIC(%ebx), %eax
        call    put_long
        print   "version "
        movl    VERSION(%ebx), %eax
        call    put_long
        print   "flags "
        movl    FLAGS(%ebx), %eax
        call    put_long
        print   "rsdp"
        movl    RSDP + 4(%ebx), %eax
        call    put_word
        movl    RSDP(%ebx), %eax
        call    put_word
        print   "\n"
        print   "cmdline "
        movl    CMDLINE(%ebx), %esi
        testl   %esi, %esi
        jz      1f
        call    puts
1:      print   "\n"

        cmpl    $0, VERSION(%ebx)
        je      modules
        movl    MAP_ENTRIES(%ebx), %edi
        movl    MAP(%ebx), %esi
1:      subl    $1, %edi
        jc      modules
        print   "map"
        movl    4(%esi), %eax
        call    put_word
        movl    (%esi), %eax
        call    put_word
        movl    12(%esi), %eax
        call    put_word
        movl    8(%esi), %eax
        call    put_word
        movl    16(%esi), %eax
        call    put_word
        movl    20(%esi), %eax
        call    put_word
        print   "\n"
        addl    $24, %esi
        jmp     1b

modules:
        movl    MODULES(%ebx), %edi
        movl    MODULE_LIST(%ebx), %ebx
1:      subl    $1, %edi
        jc      2f
        print   "module"
        movl    (%ebx), %eax
        call    put_word
        movl    8(%ebx), %eax
        call    put_word
        movl    (%ebx), %esi
        movl    8(%ebx), %ecx
        call    sum
        call    put_word
        print   " "
        movl    16(%ebx), %esi
        testl   %esi, %esi
        jz      3f
        call    puts
3:      print   "\n"
        addl    $32, %ebx
        jmp     1b

# Flat segments can load and store anywhere; the task register's cannot be read but named.
2:      print   "task"
        xorl    %eax, %eax
        strw    %ax
        call    put_word
        print   "\n"
        print   "done\n"
        movb    $0, %al
        jmp     exit

put_word:
        print   " "
        pushl   %ecx
        movl    $8, %ecx
        call    put_hex
        popl    %ecx
        ret

        .section .aside, "aw"           # neither cleared nor checked
information: .long 0
old_esp: .long  0
        .skip   1024
stack:
        .bss
        .skip   5000
