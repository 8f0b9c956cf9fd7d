# fw-cfg-dump: prints what fw_cfg has, so that two emulators' can be compared as text.
#
# One line an item: "key KKKK BYTES" for the first 16 bytes of each numbered one, and "file
# KKKK SIZE NAME SUM BYTES" for each file: all of it where it is short, else the first 64
# bytes; SUM is over the whole (rotate left by one, add the byte). The last line is "done".
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "rom.inc"

        .equ ENTRY, 64
        .equ SHORT, 512

        .bss
        .balign 4
directory: .skip ENTRY * 128
files:  .skip   4
left:   .skip   4                       # bytes of the file that are to come
shown:  .skip   4                       # and how many of them to print
bytes:  .skip   SHORT

        .text

# select: makes key %eax the current one.
select: pushl   %edx
        movw    $FW_CFG_SELECTOR, %dx
        outw    %ax, %dx
        popl    %edx
        ret

# put_bytes: prints %ebx bytes from %esi.
put_bytes:
        pushal
        movl    $2, %ecx
1:      subl    $1, %ebx
        jc      2f
        lodsb
        call    put_hex
        jmp     1b
2:      popal
        ret

# put_key: prints %eax as a key.
put_key:
        pushl   %ecx
        movl    $4, %ecx
        call    put_hex
        popl    %ecx
        print   " "
        ret

# put_item: the first 16 bytes of item %eax.
put_item:
        print   "key "
        call    put_key
        call    select
        movl    $bytes, %edi
        movl    $16, %ecx
        movw    $FW_CFG_DATA, %dx
1:      inb     %dx, %al
        stosb
        loop    1b
        movl    $bytes, %esi
        movl    $16, %ebx
        call    put_bytes
        print   "\n"
        ret

# put_file: the file whose directory entry is at %ebp.
put_file:
        print   "file "
        movzwl  4(%ebp), %eax
        xchgb   %al, %ah
        call    put_key
        call    select
        movl    (%ebp), %eax
        bswap   %eax
        movl    %eax, left
        call    put_decimal
        cmpl    $SHORT, %eax
        jbe     1f
        movl    $64, %eax
1:      movl    %eax, shown
        print   " "
        leal    8(%ebp), %esi
        call    puts
        print   " "
        xorl    %ebx, %ebx              # the sum
        movl    $bytes, %edi
        movw    $FW_CFG_DATA, %dx
2:      subl    $1, left
        jc      3f
        xorl    %eax, %eax
        inb     %dx, %al
        roll    $1, %ebx
        addl    %eax, %ebx
        cmpl    $bytes + SHORT, %edi
        jae     2b
        stosb
        jmp     2b
3:      movl    %ebx, %eax
        movl    $8, %ecx
        call    put_hex
        print   " "
        movl    $bytes, %esi
        movl    shown, %ebx
        call    put_bytes
        print   "\n"
        ret

        .globl  main
main:   movl    $0, %ebp
1:      movl    %ebp, %eax
        cmpl    $FW_CFG_FILE_DIR, %eax  # files follow
        je      2f
        call    put_item
2:      incl    %ebp
        cmpl    $0x20, %ebp
        jne     3f
        movl    $0x8000, %ebp
3:      cmpl    $0x8008, %ebp
        jb      1b

        movl    $FW_CFG_FILE_DIR, %eax
        call    select
        call    fw_cfg_read_long
        cmpl    $128, %eax
        jbe     4f
        movl    $128, %eax
4:      movl    %eax, files
        imull   $ENTRY, %eax, %ecx
        movl    $directory, %edi
        movw    $FW_CFG_DATA, %dx
        jecxz   6f
5:      inb     %dx, %al
        stosb
        loop    5b
6:      movl    $directory, %ebp
7:      subl    $1, files
        jc      8f
        call    put_file
        addl    $ENTRY, %ebp
        jmp     7b
8:      print   "done\n"
        movb    $0, %al
        jmp     exit
