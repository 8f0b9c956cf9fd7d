# live-writer: writes all over its memory, for ever, so that who stops or moves the machine can
# tell afterwards whether a write was lost.
#
# It fills pages from 1 MiB on in turn; the fw_cfg file "opt/umbra/pages" says how many
# (default 2048). The n-th page that it fills, n from 1, gets the words n, n + STEP,
# n + 2 * STEP ... from its first to its last. The long at COUNT is the n that was begun last.
# So COUNT tells the contents of every page, but for the one that it is filling, which is
# new up to some word and old from there on. The debug console hears "live-writer: ready".
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "rom.inc"

        .equ COUNT, 0x600               # below the stack and the code
        .equ FIRST_PAGE, 0x100000
        .equ PAGE_LONGS, 1024
        .equ STEP, 0x9e3779b1

        .section .data
file:   .asciz  "opt/umbra/pages"

        .bss
text:   .skip   64
pages:  .skip   4

        .text
        .globl  main
main:   movl    $0, COUNT
        movl    $file, %esi
        movl    $text, %edi
        movl    $64, %ecx
        call    fw_cfg_read_file
        movl    $2048, pages
        testl   %eax, %eax
        jz      1f
        movl    $text, %esi
        call    parse_decimal
        movl    %eax, pages
1:      print   "live-writer: ready\n"

2:      movl    $FIRST_PAGE, %edi
        movl    pages, %ebp
3:      incl    COUNT
        movl    COUNT, %eax
        movl    $PAGE_LONGS, %ecx
4:      movl    %eax, (%edi)
        addl    $4, %edi
        addl    $STEP, %eax
        decl    %ecx
        jnz     4b
        decl    %ebp
        jnz     3b
        jmp     2b
