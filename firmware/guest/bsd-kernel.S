# bsd-kernel: a 32-bit kernel that prints what bhyveload has started it with.
#
# Lines on the debug console, each number in hexadecimal: "registers" (CR0, CR4, EFLAGS, ESP),
# "segments" (CS, DS, ES, FS, GS, SS, TR as they came), "stack" (nine words from ESP up),
# "gdt" (base, limit), "descriptor" (the two words of each), "reloaded" once the processor has
# loaded its segments and its task register from that table, and "busy" (the task
# descriptor's second word then), "bootinfo" (its words), "kernelname" and the name, "env"
# (each string), "record" (type, size) of each metadata record, and behind it "string",
# "number" or "smap" (base, length, type); "bss is not zero" where it is not; "done". Where the
# environment has umbra.echo=1, it says "ready" on the first serial port, echoes what it reads
# there up to a new line, and waits for a character more, so that the answer can be read.
#
# From FreeBSD's sys/i386/include/bootinfo.h, sys/sys/linker.h and sys/i386/i386/locore.s.
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "print.inc"

        .equ COM1, 0x3f8
        .equ COM1_STATUS, COM1 + 5
        .equ DATA_READY, 1
        .equ BOOTINFO_WORDS, 84 / 4
        .equ BI_KERNELNAME, 4
        .equ MODINFO_TYPE, 2
        .equ MODINFO_ARGS, 6
        .equ MODINFOMD_SMAP, 0x9001
        .equ SMAP_ENTRY, 20

        # word REG: prints a space and REG, which may be any but %esp.
        .macro  word register
        pushl   \register
        popl    number
        call    put_number
        .endm

        .text
        .code32
        .globl  _start
_start: movl    %esp, old_esp           # the stack is the loader's to begin with
        pushfl
        popl    old_flags
        cld
        movl    $stack, %esp

        print   "registers"
        movl    %cr0, %eax
        word    %eax
        movl    %cr4, %eax
        word    %eax
        word    old_flags
        word    old_esp
        print   "\nsegments"
        xorl    %eax, %eax
        movw    %cs, %ax
        word    %eax
        movw    %ds, %ax
        word    %eax
        movw    %es, %ax
        word    %eax
        movw    %fs, %ax
        word    %eax
        movw    %gs, %ax
        word    %eax
        movw    %ss, %ax
        word    %eax
        xorl    %eax, %eax
        strw    %ax
        word    %eax
        print   "\nstack"
        movl    old_esp, %esi
        movl    $9, %ecx
        call    put_words

        print   "gdt"
        sgdt    table
        movl    table + 2, %ebx
        word    %ebx
        movzwl  table, %eax
        word    %eax
        print   "\n"
        movl    %ebx, %edi
        movl    $4, %ebp
1:      print   "descriptor"
        movl    %edi, %esi
        movl    $2, %ecx
        call    put_words
        addl    $8, %edi
        decl    %ebp
        jnz     1b

        ljmp    $0x08, $2f
2:      movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movw    $0x18, %ax
        ltrw    %ax
        print   "reloaded\nbusy"
        word    28(%ebx)
        print   "\n"

        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        repe    scasb
        je      3f
        print   "bss is not zero\n"
3:      movl    old_esp, %ebp           # as recover_bootinfo: return address, flags, device,
        print   "bootinfo"              # three zeroes, bootinfo, modulep, kernend
        movl    24(%ebp), %esi
        movl    $BOOTINFO_WORDS, %ecx
        call    put_words
        print   "kernelname "
        movl    24(%ebp), %esi
        movl    BI_KERNELNAME(%esi), %esi
        call    puts
        print   "\n"

        movl    24(%ebp), %esi
        movl    76(%esi), %esi          # bi_envp
4:      cmpb    $0, (%esi)
        je      6f
        print   "env "
        call    puts
        print   "\n"
        movl    $echo_text, %edi
        call    same
        jne     5f
        movb    $1, echo
5:      lodsb
        testb   %al, %al
        jnz     5b
        jmp     4b

6:      movl    28(%ebp), %esi          # modulep
7:      movl    (%esi), %ebx
        movl    4(%esi), %ebp
        testl   %ebx, %ebx
        jz      echo_or_end
        print   "record"
        word    %ebx
        word    %ebp
        print   "\n"
        addl    $8, %esi
        cmpl    $MODINFOMD_SMAP, %ebx
        je      smap
        cmpl    $MODINFO_ARGS, %ebx     # strings: it, name and type
        je      8f
        cmpl    $MODINFO_TYPE, %ebx
        jbe     8f
        cmpl    $4, %ebp
        jne     9f
        print   "number"
        word    (%esi)
        print   "\n"
        jmp     9f
8:      print   "string "
        call    puts
        print   "\n"
9:      addl    $3, %ebp
        andl    $~3, %ebp
        addl    %ebp, %esi
        jmp     7b

smap:   print   "smap"
        word    4(%esi)
        word    (%esi)
        word    12(%esi)
        word    8(%esi)
        word    16(%esi)
        print   "\n"
        addl    $SMAP_ENTRY, %esi
        subl    $SMAP_ENTRY, %ebp
        ja      smap
        jmp     7b

echo_or_end:
        cmpb    $0, echo
        je      2f
        movl    $ready_text, %esi
1:      lodsb
        testb   %al, %al
        jz      3f
        movw    $COM1, %dx
        outb    %al, %dx
        jmp     1b
3:      call    receive
        outb    %al, %dx
        cmpb    $'\n', %al
        jne     3b
        call    receive
2:      print   "done\n"
        movb    $0, %al
        jmp     exit

# receive: a character from the first serial port, in %al; its port in %dx.
receive:
        movw    $COM1_STATUS, %dx
        inb     %dx, %al
        testb   $DATA_READY, %al
        jz      receive
        movw    $COM1, %dx
        inb     %dx, %al
        ret

# put_words: prints %ecx words at %esi, and ends the line.
put_words:
        lodsl
        word    %eax
        loop    put_words
        print   "\n"
        ret

put_number:
        print   " "
        pushl   %eax
        pushl   %ecx
        movl    number, %eax
        movl    $8, %ecx
        call    put_hex
        popl    %ecx
        popl    %eax
        ret

# same: whether the strings at %esi and %edi are the same; keeps %esi.
same:   pushl   %esi
1:      lodsb
        cmpb    (%edi), %al
        jne     2f
        incl    %edi
        testb   %al, %al
        jnz     1b
2:      popl    %esi
        ret

        .section .data
echo_text:  .asciz "umbra.echo=1"
ready_text: .asciz "ready\n"
        .section .aside, "aw"           # neither cleared nor checked
        .balign 4
old_esp:    .long 0
old_flags:  .long 0
number:     .long 0
echo:       .byte 0
table:      .word 0
            .long 0
        .balign 4
        .skip   1024
stack:
        .bss
        .skip   5000
