# reboot-sector: a boot sector that asks for a reboot by one method, as often as it is told,
# and then ends the machine.
#
# What to do is in the sector itself, at offset 8 (struct RebootSector of guest.h); the tool
# fills it in. How often it has booted is in the CMOS RAM, which a reset leaves alone, in
# bytes 0x70-0x73 that no firmware uses: 'U', 'm', and the number. It says what it does on the
# debug port:
#   umbra: boot N       started for the Nth time
#   umbra: reset        asks for the reset now ("umbra: waiting" for ctrl-alt-del: the tool
#                       presses the keys)
#   umbra: no reset     the machine went on instead
#   umbra: done         booted often enough, ends the machine
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .equ DEBUG_PORT, 0x402
        .equ EXIT_PORT, 0x501
        .equ PM1A_CONTROL, 0x604        # where SeaBIOS puts the PIIX4's PM1_CNT
        .equ SLP_EN, 0x2000             # with the sleep type 0: QEMU's S5
        .equ CMOS_MAGIC, 0x70
        .equ CMOS_COUNT, 0x72

        .section .text
        .code16
start:  jmp     1f
        .org    8
magic:  .ascii  "UMBRAREB"
method: .byte   0
end:    .byte   0
times:  .word   2
        .org    24

1:      cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        ljmp    $0, $2f                 # the firmware may have come by 07c0:0000
2:      movb    $CMOS_MAGIC, %al
        call    cmos_read_word
        movw    $0, %bx
        cmpw    $'U' | 'm' << 8, %ax
        jne     3f
        movb    $CMOS_COUNT, %al
        call    cmos_read_word
        movw    %ax, %bx
3:      incw    %bx                     # this boot's number
        movb    $CMOS_MAGIC, %al
        movw    $'U' | 'm' << 8, %cx
        call    cmos_write_word
        movb    $CMOS_COUNT, %al
        movw    %bx, %cx
        call    cmos_write_word

        movw    $text_boot, %si
        call    puts
        movw    %bx, %ax
        call    put_decimal
        movw    $text_end, %si
        call    puts
        cmpw    times, %bx
        jae     done

        movzbw  method, %di
        cmpw    $METHODS, %di
        jae     failed
        movw    $text_reset, %si
        cmpw    $METHOD_CTRL_ALT_DEL, %di
        jne     4f
        movw    $text_waiting, %si
4:      call    puts
        shlw    $1, %di
        call    *methods(%di)
        call    wait
failed: movw    $text_failed, %si
        call    puts
        jmp     finish

done:   movb    $CMOS_MAGIC, %al        # the next boot is a first one again
        xorw    %cx, %cx
        call    cmos_write_word
        movw    $text_done, %si
        call    puts
finish: cmpb    $0, end
        je      6f
        movw    $PM1A_CONTROL, %dx
        movw    $SLP_EN, %ax
        outw    %ax, %dx
        call    wait
        movw    $EXIT_PORT, %dx
        movb    $0, %al
        outb    %al, %dx
6:      cli
        hlt
        jmp     6b

        .balign 2
        .equ METHOD_CTRL_ALT_DEL, 5
methods:
        .word   reset_by_bios
        .word   reset_by_kbd
        .word   reset_by_pci
        .word   reset_by_port92
        .word   reset_by_triple
        .word   reset_by_ctrl_alt_del
        .equ METHODS, 6

# As Linux does for reboot=bios: the warm boot flag, then the BIOS's entry point.
reset_by_bios:
        movw    $0x1234, 0x472
        ljmp    $0xf000, $0xfff0

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

# In protected mode, and by an exception that is not int3: nested KVM stands still where a
# real-mode exception, and gives up where a software interrupt, finds no vector.
reset_by_triple:
        lidtw   no_idt
        movl    %cr0, %eax
        orb     $1, %al                 # PE
        movl    %eax, %cr0
        ud2

# The firmware's keyboard interrupt sees the keys and restarts.
reset_by_ctrl_alt_del:
        sti
        hlt
        jmp     reset_by_ctrl_alt_del

# wait: whoever carries a request out may take a moment.
wait:   movl    $100000, %ecx
1:      inb     $0x80, %al
        decl    %ecx
        jnz     1b
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

puts:   movw    $DEBUG_PORT, %dx
1:      lodsb
        testb   %al, %al
        jz      2f
        outb    %al, %dx
        jmp     1b
2:      ret

put_decimal:
        movw    $10, %bp
        xorw    %cx, %cx
1:      xorw    %dx, %dx
        divw    %bp
        pushw   %dx
        incw    %cx
        testw   %ax, %ax
        jnz     1b
        movw    $DEBUG_PORT, %dx
2:      popw    %ax
        addb    $'0', %al
        outb    %al, %dx
        loop    2b
        ret

no_idt: .word   0
        .long   0
text_boot:      .asciz "umbra: boot "
text_reset:     .asciz "umbra: reset\n"
text_waiting:   .asciz "umbra: waiting\n"
text_failed:    .asciz "umbra: no reset\n"
text_done:      .asciz "umbra: done\n"
text_end:       .asciz "\n"

        .org    510
        .word   0xaa55
