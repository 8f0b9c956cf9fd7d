# reboot-sector: boots from a disk's first sectors, asks for a reboot by one method, as often as
# it is told, and then ends the machine. Or it sleeps in S3 and looks, when woken, whether
# its memory is still what it was.
#
# What to do is in the first sector itself, from offset 16 on (guest.h has the numbers); the
# tool fills it in. How often it has booted is in the CMOS RAM, which a reset leaves alone, in
# bytes 0x70-0x73 that no firmware uses: 'U', 'm', and the number. It says what it does on the
# debug port:
#   umbra: boot N       started for the Nth time
#   umbra: ready        waits until somebody clears the byte "hold" in memory
#   umbra: reset        asks for the reset now ("umbra: waiting" for ctrl-alt-del: the tool
#                       presses the keys)
#   umbra: no reset     the machine went on instead
#   umbra: suspend      asks for S3 now
#   umbra: resumed      woke from it, memory intact ("umbra: memory changed" where not)
#   umbra: done         booted often enough, ends the machine
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "reset-methods.inc"

        .equ DEBUG_PORT, 0x402
        .equ EXIT_PORT, 0x501
        .equ PM1A_CONTROL, 0x604        # where SeaBIOS puts the PIIX4's PM1_CNT
        .equ SLP_EN, 0x2000             # with the sleep type 0: the PIIX4's soft off
        .equ SLP_TYP_S3, 1 << 10        # 82371AB section 7.2.3: suspend to RAM
        .equ SECTORS, 3                 # of this program
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
hold:   .byte   0
        .org    24

1:      cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        ljmp    $0, $2f                 # the firmware may have come by 07c0:0000
2:      movw    $0x0200 | (SECTORS - 1), %ax    # INT 13h: read the rest; %dl is the disk
        movw    $0x0002, %cx            # from cylinder 0, sector 2
        movb    $0, %dh
        movw    $0x7e00, %bx
        int     $0x13
        jc      failed
        movb    $CMOS_MAGIC, %al
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

        cmpb    $0, hold
        je      4f
        movw    $text_ready, %si
        call    puts
5:      pause
        cmpb    $0, hold
        jne     5b
4:      movzbw  method, %di
        cmpw    $METHODS, %di
        jae     failed
        movw    $text_reset, %si
        cmpw    $METHOD_CTRL_ALT_DEL, %di
        jb      4f
        movw    $text_waiting, %si
        je      4f
        movw    $text_suspend, %si
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

text_failed:    .asciz "umbra: no reset\n"

        .org    510
        .word   0xaa55

# -- The second sector on -------------------------------------------------------------------

        .balign 2
        .equ METHOD_CTRL_ALT_DEL, 5
methods:
        .word   reset_by_bios
        .word   reset_by_kbd
        .word   reset_by_pci
        .word   reset_by_port92
        .word   reset_by_triple
        .word   reset_by_ctrl_alt_del
        .word   suspend
        .equ METHODS, 7

# As Linux does for reboot=bios: the warm boot flag, then the BIOS's entry point.
reset_by_bios:
        movw    $0x1234, 0x472
        ljmp    $0xf000, $0xfff0

        reset_methods

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

# -- S3 -------------------------------------------------------------------------------------

        .equ PATTERN_START, 0x100000
        .equ PATTERN_END, 0x300000
        .equ PATTERN_STEP, 64           # a word in each; slow emulators have to write them
        .equ RSDP_START, 0xe0000        # ACPI section 5.2.5.1: on a 16-byte boundary
        .equ RSDP_END, 0x100000
        .equ RSDP_RSDT, 16              # section 5.2.5.3
        .equ TABLE_LENGTH, 4            # section 5.2.6
        .equ RSDT_ENTRIES, 36           # section 5.2.7
        .equ FADT_FACS, 36              # section 5.2.9
        .equ FADT_PM1A_CNT, 64
        .equ FACS_WAKING_VECTOR, 12     # section 5.2.10

# suspend: leaves a pattern in memory, tells the firmware where to wake us, and sleeps.
suspend:
        cli
        movw    $fill, %bx
        call    protected
        movw    pm1a_control, %dx
        testw   %dx, %dx
        jz      1f
        movw    $SLP_EN | SLP_TYP_S3, %ax
        outw    %ax, %dx
1:      ret

# The firmware's resume vector brings us here in real mode, with %cs 16 bytes fine.
        .balign 16
woken:  cli
        ljmp    $0, $1f
1:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movw    $check, %bx
        call    protected
        movw    $text_resumed, %si
        cmpb    $0, changed
        je      2f
        movw    $text_changed, %si
2:      call    puts
        jmp     done

# protected: calls the 32-bit function %bx with flat segments, and comes back to real mode.
protected:
        lgdtw   gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmp    $8, $1f
        .code32
1:      movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movzwl  %bx, %ebx
        movzwl  %sp, %esp
        call    *%ebx
        ljmp    $24, $2f
        .code16
2:      movw    $32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    %cr0, %eax
        andb    $~1, %al
        movl    %eax, %cr0
        ljmp    $0, $3f
3:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        ret

        .code32
fill:   movl    $PATTERN_START, %edi
1:      imull   $0x9e3779b1, %edi, %eax
        movl    %eax, (%edi)
        addl    $PATTERN_STEP, %edi
        cmpl    $PATTERN_END, %edi
        jb      1b

        movl    $RSDP_START, %esi       # RSDP -> RSDT -> FADT -> FACS
2:      cmpl    $0x20445352, (%esi)     # "RSD PTR "
        jne     3f
        cmpl    $0x20525450, 4(%esi)
        je      4f
3:      addl    $16, %esi
        cmpl    $RSDP_END, %esi
        jb      2b
        ret
4:      movl    RSDP_RSDT(%esi), %esi
        movl    TABLE_LENGTH(%esi), %ecx
        addl    %esi, %ecx
        addl    $RSDT_ENTRIES, %esi
5:      cmpl    %ecx, %esi
        jae     6f
        movl    (%esi), %eax
        addl    $4, %esi
        cmpl    $0x50434146, (%eax)     # "FACP"
        jne     5b
        movl    FADT_PM1A_CNT(%eax), %edx
        movw    %dx, pm1a_control
        movl    FADT_FACS(%eax), %eax
        movl    $woken, FACS_WAKING_VECTOR(%eax)
6:      ret

check:  movl    $PATTERN_START, %edi
1:      imull   $0x9e3779b1, %edi, %eax
        cmpl    %eax, (%edi)
        jne     2f
        addl    $PATTERN_STEP, %edi
        cmpl    $PATTERN_END, %edi
        jb      1b
        ret
2:      movb    $1, changed
        ret
        .code16

pm1a_control: .word 0
changed:      .byte 0
        reset_segments

# wait: whoever carries a request out may take a moment.
wait:   movl    $100000, %ecx
1:      inb     $0x80, %al
        decl    %ecx
        jnz     1b
        ret

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
text_ready:     .asciz "umbra: ready\n"
text_suspend:   .asciz "umbra: suspend\n"
text_resumed:   .asciz "umbra: resumed\n"
text_changed:   .asciz "umbra: memory changed\n"
text_done:      .asciz "umbra: done\n"
text_end:       .asciz "\n"

        .org    SECTORS * 512
