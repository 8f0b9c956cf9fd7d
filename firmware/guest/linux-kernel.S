# linux-kernel: a kernel image of Linux' boot protocol that prints what its loader has told it.
#
# The setup code collects the BIOS' memory map and goes to 32-bit protected mode; the kernel
# prints lines on the debug console: "setup" (its segment), "cmdline", "loader" (type), "flags"
# (load flags and where the heap ends), "memory" (one for each entry of the map), "initrd"
# (address, size, sum), "done"; each number in hexadecimal. SUM is over the bytes (rotate left
# by one, add the byte). Names are those of Documentation/arch/x86/boot.rst.
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .equ ENTRIES, 16                # of the memory map, at the most

        .section .setup, "ax"
        .code16
setup:  .org    0x1f1
setup_sects:    .byte SETUP_SECTS - 1   # the boot sector is not one of them
root_flags:     .word 0
syssize:        .long kernel_paragraphs
ram_size:       .word 0
vid_mode:       .word 0xffff
root_dev:       .word 0
boot_flag:      .word 0xaa55
        jmp     start
        .org    0x202
        .ascii  "HdrS"
version:        .word 0x206
realmode_switch: .long 0
start_sys_seg:  .word 0
kernel_version: .word 0
type_of_loader: .byte 0
loadflags:      .byte 1                 # LOADED_HIGH
setup_move_size: .word 0
code32_start:   .long 0x100000
ramdisk_image:  .long 0
ramdisk_size:   .long 0
bootsect_kludge: .long 0
heap_end_ptr:   .word 0
ext_loader_ver: .word 0
cmd_line_ptr:   .long 0
initrd_addr_max: .long 0x37ffffff
kernel_alignment: .long 0
relocatable:    .byte 0, 0
        .word   0
cmdline_size:   .long 255

start:  cli
        cld
        xorl    %ebx, %ebx
        movw    $map - setup, %di
        movw    %ds, %ax
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x8000, %sp
1:      movl    $0xe820, %eax
        movl    $0x534d4150, %edx       # "SMAP"
        movl    $20, %ecx
        int     $0x15
        jc      2f
        incw    entries - setup
        addw    $20, %di
        testl   %ebx, %ebx
        jz      2f
        cmpw    $ENTRIES, entries - setup
        jb      1b
2:      inb     $0x92, %al              # A20 on, without the fast reset
        orb     $2, %al
        andb    $0xfe, %al
        outb    %al, $0x92
        xorl    %esi, %esi
        movw    %ds, %si
        shll    $4, %esi                # where setup is
        leal    gdt - setup(%esi), %eax
        movl    %eax, gdt_pointer + 2 - setup
        lgdtl   gdt_pointer - setup
        cli
        movl    %cr0, %eax
        orb     $1, %al                 # PE
        movl    %eax, %cr0
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        ljmpl   $8, $kernel

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      # code, 4 GiB
        .quad   0x00cf93000000ffff      # data, 4 GiB
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   0
entries: .long  0
map:    .skip   20 * ENTRIES

        .text
        .code32
kernel: movl    $stack, %esp
        jmp     main

        .include "print.inc"

main:   movl    %esi, %ebp
        print   "setup "
        movl    %ebp, %eax
        call    put_long
        print   "cmdline "
        movl    cmd_line_ptr - setup(%ebp), %esi
        call    puts
        print   "\nloader "
        movzbl  type_of_loader - setup(%ebp), %eax
        call    put_long
        print   "flags "
        movzbl  loadflags - setup(%ebp), %eax
        call    put_long
        print   "heap "
        movzwl  heap_end_ptr - setup(%ebp), %eax
        call    put_long
        print   "mode "
        movzwl  vid_mode - setup(%ebp), %eax
        call    put_long
        leal    map - setup(%ebp), %esi
        movl    entries - setup(%ebp), %edi
1:      subl    $1, %edi
        jc      2f
        print   "memory "
        movl    $8, %ecx
        movl    4(%esi), %eax
        call    put_hex
        movl    (%esi), %eax
        call    put_hex
        print   " "
        movl    12(%esi), %eax
        call    put_hex
        movl    8(%esi), %eax
        call    put_hex
        print   " "
        movl    16(%esi), %eax
        call    put_long
        addl    $20, %esi
        jmp     1b
2:      print   "initrd "
        movl    ramdisk_image - setup(%ebp), %eax
        movl    %eax, %esi
        movl    $8, %ecx
        call    put_hex
        print   " "
        movl    ramdisk_size - setup(%ebp), %eax
        call    put_hex
        print   " "
        movl    %eax, %ecx
        call    sum
        call    put_long
        print   "done\n"
        movb    $0, %al
        jmp     exit

        .section .data
        .balign 4
        .skip   1024
stack:
