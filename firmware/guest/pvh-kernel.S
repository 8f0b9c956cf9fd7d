# pvh-kernel: a 32-bit PVH kernel that prints what it was started with, and checks it.
#
# Lines on the debug console, each number in hexadecimal: "registers" (CR0, CR4, EFLAGS,
# EBX), "magic", "version", "flags", "rsdp" (and whether it is one: "none", "valid", "wrong"),
# "cmdline" and the words, "map" (one for each entry: address, size, type, reserved), "module"
# (address, size, SUM, words), "wrong FIELD" for each that contradicts the ABI or another
# one, "bss is not zero" where it is not, "task" (the task register), "done". SUM is over the
# module's bytes (rotate left by one, add the byte).
# From Xen's docs/misc/pvh.pandoc and include/public/arch-x86/hvm/start_info.h; the RSDP
# from ACPI section 5.2.5.3.
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
        .equ RESERVED, 52
        .equ INFO_END, 56
        .equ MAGIC_VALUE, 0x336ec578
        .equ RSDP_REVISION, 15
        .equ RSDP_LENGTH, 20            # from revision 2 on
        .equ RSDP_FIRST_SIZE, 20        # what the first checksum is over

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
        call    check_rsdp
        print   "cmdline "
        movl    CMDLINE(%ebx), %esi
        testl   %esi, %esi
        jz      1f
        call    puts
1:      print   "\n"

        cmpl    $MAGIC_VALUE, MAGIC(%ebx)
        je      1f
        print   "wrong magic\n"
        jmp     finish
1:      cmpl    $0, FLAGS(%ebx)
        je      1f
        print   "wrong flags\n"
1:      cmpl    $0, VERSION(%ebx)
        je      modules
        cmpl    $1, VERSION(%ebx)
        je      1f
        print   "wrong version\n"
1:      cmpl    $0, RESERVED(%ebx)
        je      1f
        print   "wrong reserved\n"
1:      movl    MAP_ENTRIES(%ebx), %edi
        movl    MAP(%ebx), %esi
1:      subl    $1, %edi
        jc      1f
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
        call    check_entry
        addl    $24, %esi
        jmp     1b
1:      movl    $_start, %eax           # RAM, by its own map: the kernel,
        movl    $kernel_end, %edx
        call    check_ram
        movl    %ebx, %eax              # and what it is told
        leal    INFO_END(%ebx), %edx
        call    check_ram
        movl    MAP(%ebx), %eax
        imull   $24, MAP_ENTRIES(%ebx), %edx
        addl    %eax, %edx
        call    check_ram

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
        movl    4(%ebx), %eax           # high halves, and what is reserved
        orl     12(%ebx), %eax
        orl     20(%ebx), %eax
        orl     24(%ebx), %eax
        orl     28(%ebx), %eax
        jz      3f
        print   "wrong module\n"
3:      addl    $32, %ebx
        jmp     1b

# Flat segments can load and store anywhere; the task register's cannot be read but named.
2:      print   "task"
        xorl    %eax, %eax
        strw    %ax
        call    put_word
        print   "\n"
finish: print   "done\n"
        movb    $0, %al
        jmp     exit

# check_entry: of the map, at %esi: neither empty nor of an unknown type, behind the last one.
check_entry:
        pushal
        movl    8(%esi), %eax
        orl     12(%esi), %eax
        jz      1f
        cmpl    $0, 20(%esi)
        jne     1f
        movl    16(%esi), %eax
        decl    %eax
        cmpl    $7, %eax                # RAM to PMEM
        jae     1f
        movl    (%esi), %eax
        movl    4(%esi), %edx
        cmpl    map_end, %eax
        movl    %edx, %ecx
        sbbl    map_end + 4, %ecx
        jc      1f
        addl    8(%esi), %eax
        adcl    12(%esi), %edx
        movl    %eax, map_end
        movl    %edx, map_end + 4
        popal
        ret
1:      print   "wrong map\n"
        popal
        ret

# check_ram: whether one RAM entry of the map holds [%eax, %edx).
check_ram:
        movl    MAP(%ebx), %esi
        movl    MAP_ENTRIES(%ebx), %edi
1:      subl    $1, %edi
        jc      3f
        cmpl    $1, 16(%esi)
        jne     2f
        cmpl    $0, 4(%esi)
        jne     2f
        cmpl    (%esi), %eax
        jb      2f
        movl    %edx, %ecx
        subl    (%esi), %ecx
        cmpl    $0, 12(%esi)
        jne     4f
        cmpl    8(%esi), %ecx
        jbe     4f
2:      addl    $24, %esi
        jmp     1b
3:      print   "wrong place"
        call    put_word
        print   "\n"
4:      ret

# check_rsdp: its signature and sums, behind what is on the line.
check_rsdp:
        movl    RSDP(%ebx), %esi
        movl    RSDP + 4(%ebx), %eax
        orl     %esi, %eax
        jz      2f
        cmpl    $0, RSDP + 4(%ebx)
        jne     3f
        cmpl    $0x20445352, (%esi)     # "RSD PTR "
        jne     3f
        cmpl    $0x20525450, 4(%esi)
        jne     3f
        movl    $RSDP_FIRST_SIZE, %ecx
        call    sum_is_zero
        jnz     3f
        cmpb    $2, RSDP_REVISION(%esi)
        jb      1f
        movl    RSDP_LENGTH(%esi), %ecx
        call    sum_is_zero
        jnz     3f
1:      print   " valid\n"
        ret
2:      print   " none\n"
        ret
3:      print   " wrong\n"
        ret

# sum_is_zero: ZF tells it of the %ecx bytes at %esi.
sum_is_zero:
        xorl    %eax, %eax
        jecxz   2f
1:      addb    -1(%esi,%ecx), %al
        loop    1b
2:      testb   %al, %al
        ret

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
map_end: .long  0, 0
        .skip   1024
stack:
        .bss
        .skip   5000
