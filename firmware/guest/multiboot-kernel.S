# multiboot-kernel: a Multiboot 1 kernel that prints what its loader has told it.
#
# Lines on the debug console: "magic", "cmdline", "loader", "lower", "memory" (one for each
# entry of the map), "module" (start's alignment, size, sum, string), "done"; each number in
# hexadecimal. SUM is over the module's bytes (rotate left by one, add the byte). Sections
# are those of the Multiboot Specification 0.6.96.
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "print.inc"

        .equ HEADER_MAGIC, 0x1badb002
        .equ HEADER_FLAGS, 0x00010003   # pages aligned, memory wanted, addresses given
        .equ FLAG_CMDLINE, 1 << 2
        .equ FLAG_MODULES, 1 << 3
        .equ FLAG_MMAP, 1 << 6
        .equ FLAG_LOADER, 1 << 9

        .text
        .code32
        .globl  _start
_start: jmp     1f
        .balign 4
header: .long   HEADER_MAGIC            # 3.1
        .long   HEADER_FLAGS
        .long   -(HEADER_MAGIC + HEADER_FLAGS)
        .long   header
        .long   load_start
        .long   load_end
        .long   bss_end
        .long   _start

1:      movl    $stack, %esp
        movl    %ebx, information
        cld
        print   "magic "
        call    put_long
        # Our own descriptors: the loader's need not be there any more (3.2).
        lgdt    gdt_pointer
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
2:      scasb                           # the loader has cleared what the file lacks
        jne     3f
        decl    %ecx
        jnz     2b
        jmp     4f
3:      print   "bss is not zero\n"
4:
        movl    information, %ebp

        testl   $FLAG_CMDLINE, (%ebp)
        jz      1f
        print   "cmdline "
        movl    16(%ebp), %esi
        call    puts
        print   "\n"
1:      testl   $FLAG_LOADER, (%ebp)
        jz      1f
        print   "loader "
        movl    64(%ebp), %esi
        call    puts
        print   "\n"
1:      testl   $1, (%ebp)
        jz      1f
        print   "lower "
        movl    4(%ebp), %eax
        call    put_long
        print   "upper "
        movl    8(%ebp), %eax
        call    put_long
1:      testl   $FLAG_MMAP, (%ebp)
        jz      1f
        movl    48(%ebp), %esi
        movl    44(%ebp), %edi
        addl    %esi, %edi
2:      cmpl    %edi, %esi
        jae     1f
        print   "memory "
        movl    $8, %ecx
        movl    8(%esi), %eax
        call    put_hex
        movl    4(%esi), %eax
        call    put_hex
        print   " "
        movl    16(%esi), %eax
        call    put_hex
        movl    12(%esi), %eax
        call    put_hex
        print   " "
        movl    20(%esi), %eax
        call    put_long
        addl    (%esi), %esi            # the size does not count itself
        addl    $4, %esi
        jmp     2b

1:      testl   $FLAG_MODULES, (%ebp)
        jz      4f
        movl    20(%ebp), %edi          # how many
        movl    24(%ebp), %ebx
2:      subl    $1, %edi
        jc      4f
        print   "module "
        movl    (%ebx), %eax
        andl    $0xfff, %eax
        movl    $3, %ecx
        call    put_hex
        print   " "
        movl    (%ebx), %esi
        movl    4(%ebx), %ecx
        subl    %esi, %ecx
        movl    %ecx, %eax
        pushl   %ecx
        movl    $8, %ecx
        call    put_hex
        popl    %ecx
        print   " "
        call    sum
        movl    $8, %ecx
        call    put_hex
        print   " "
        movl    8(%ebx), %esi
        call    puts
        print   "\n"
        addl    $16, %ebx
        jmp     2b
4:      print   "done\n"
        movb    $0, %al
        jmp     exit

        .section .data
        .balign 8
gdt:    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt

        .section .aside, "aw"           # neither cleared nor checked
information: .long 0
        .skip   1024
stack:
        .bss
        .skip   5000
