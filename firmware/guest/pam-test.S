# pam-test: proves the thirteen PAM windows of the 82441FX from inside the guest.
#
# For each window (C0000-EFFFF by 16 KiB, F0000-FFFFF) and each mode (bit 0: reads, bit 1:
# writes go to RAM, else to PCI; 82441FX data sheet, section 3.2.18):
#   1. in mode 3, put S into the RAM at three places of the window
#   2. in the mode, read: S or what PCI has there; write T; read again
#   3. see that every other window still shows PCI
#   4. in mode 3, read: T where the mode's writes go to RAM, else S
#   5. in mode 0, see that PCI has what it had
# A window that does one mode exactly as another is called inexact: QEMU 7.2 does mode 2 as
# mode 3, and under KVM mode 1 too.
# Then: accesses that lie across two windows of different modes, instruction fetches that
# follow the mode, and that the ROM below 4 GiB is what it was.
#
# What PCI has is ROM in E and F: this ROM's, 128 KiB ending at 4 GiB. Reports to the debug
# port, one line a test; the last line is "PASS n", "PASS n INEXACT m" or "FAIL n", and the
# exit port gets 0, 1 or 2.
#
# SPDX-License-Identifier: LGPL-2.1-or-later

        .include "rom.inc"

        .equ WINDOWS, 13
        .equ PROBES, 3                  # first, middle and last four bytes of a window
        .equ PATTERN_MULTIPLIER, 0x9e3779b1

        # struct window
        .equ W_REGISTER, 0
        .equ W_SHIFT, 1
        .equ W_BASE, 4
        .equ W_SIZE, 8
        .equ W_LENGTH, 12

        .section .e_segment, "ax"
        .equ index, 0
        .rept   4
        .balign 8                       # eight bytes of code: which window this is
        .byte   0xb8                    # movl $imm, %eax
        .long   0xe0000 + index * 4
        .byte   0xc3, 0x90, 0x90        # ret
        .equ index, index + 2
        .rept   4096 - 2
        .long   index * PATTERN_MULTIPLIER
        .equ index, index + 1
        .endr
        .endr

        .section .data
        .balign 4
windows:
        .macro  window register, shift, base, size=0x4000
        .byte   \register, \shift, 0, 0
        .long   \base, \size
        .endm
        window  0x5a, 0, 0xc0000
        window  0x5a, 4, 0xc4000
        window  0x5b, 0, 0xc8000
        window  0x5b, 4, 0xcc000
        window  0x5c, 0, 0xd0000
        window  0x5c, 4, 0xd4000
        window  0x5d, 0, 0xd8000
        window  0x5d, 4, 0xdc000
        window  0x5e, 0, 0xe0000
        window  0x5e, 4, 0xe4000
        window  0x5f, 0, 0xe8000
        window  0x5f, 4, 0xec000
        window  0x59, 4, 0xf0000, 0x10000
windows_end:

        .bss
        .balign 4
pci:    .skip   WINDOWS * PROBES * 4    # what PCI has at each window's probes
passed: .skip   4
failed: .skip   4
inexact: .skip  4
mode:   .skip   4                       # the mode under test
as:     .skip   4                       # and the one whose behaviour is expected
quiet:  .skip   4                       # complaints are not printed
result: .skip   4                       # of the running test: 0 ok, 1 inexact, 2 failed
rom_sum: .skip  4

        .text

# set_mode: gives the window %ebx the mode %eax.
set_mode:
        pushal
        movb    W_SHIFT(%ebx), %cl
        movb    $0x0f, %dh
        shlb    %cl, %al
        shlb    %cl, %dh
        notb    %dh                     # what stays of the register
        movb    %al, %dl
        movzbl  W_REGISTER(%ebx), %ecx
        pushl   %edx
        call    pci_read
        popl    %edx
        andb    %dh, %al
        orb     %dl, %al
        call    pci_write
        popal
        ret

        .macro  set_mode_to value
        movl    \value, %eax
        call    set_mode
        .endm

# probe_address: the address of probe %ecx of the window %ebx, in %edi.
probe_address:
        movl    W_BASE(%ebx), %edi
        testl   %ecx, %ecx
        jz      1f
        addl    W_SIZE(%ebx), %edi
        subl    $4, %edi
        cmpl    $2, %ecx
        je      1f
        movl    W_SIZE(%ebx), %edi
        shrl    $1, %edi
        addl    W_BASE(%ebx), %edi
1:      ret

# pci_slot: where `pci` keeps probe %ecx of the window %ebx, in %esi.
pci_slot:
        movl    %ebx, %esi              # a window's entry and its probes are both 12 bytes
        subl    $windows, %esi
        leal    pci(%esi, %ecx, 4), %esi
        ret

# expected: what probe %ecx should read, in %eax: %eax 0 PCI's, 1 S, 2 T.
expected:
        cmpl    $1, %eax
        jb      1f
        je      2f
        movl    %edi, %eax              # T is S's complement
        xorl    $0x5a5a1234, %eax
        notl    %eax
        ret
2:      movl    %edi, %eax              # S has the address in it
        xorl    $0x5a5a1234, %eax
        ret
1:      pushl   %esi
        call    pci_slot
        movl    (%esi), %eax
        popl    %esi
        ret

# complain: marks the test as failed and says where: %edi the address, %edx what was read,
# %eax what was expected, %esi at which step.
complain:
        movl    $2, result
        cmpl    $0, quiet
        je      1f
        ret
1:      pushal
        print   "  failed "
        call    puts
        print   " at "
        movl    %eax, %ebp
        movl    %edi, %eax
        movl    $8, %ecx
        call    put_hex
        print   ": read "
        movl    %edx, %eax
        call    put_hex
        print   ", expected "
        movl    %ebp, %eax
        call    put_hex
        print   "\n"
        popal
        ret

        # check_probes SELECTOR, "step": every probe reads what SELECTOR (see `expected`,
        # in %ebp) says.
        .macro  check_probes step
        .section .data
9992:   .asciz  "\step"
        .text
        movl    $9992b, %esi
        call    check_all_probes
        .endm
check_all_probes:
        xorl    %ecx, %ecx
1:      call    probe_address
        movl    %ebp, %eax
        call    expected
        movl    (%edi), %edx
        cmpl    %eax, %edx
        je      2f
        call    complain
2:      incl    %ecx
        cmpl    $PROBES, %ecx
        jb      1b
        ret

# write_probes: puts S (%ebp 1) or T (%ebp 2) to every probe.
write_probes:
        xorl    %ecx, %ecx
1:      call    probe_address
        movl    %ebp, %eax
        call    expected
        movl    %eax, (%edi)
        incl    %ecx
        cmpl    $PROBES, %ecx
        jb      1b
        ret

# check_others: every window but %ebx shows PCI.
check_others:
        pushl   %ebx
        movl    %ebx, %edx
        movl    $windows, %ebx
1:      cmpl    %ebx, (%esp)
        je      2f
        xorl    %ebp, %ebp
        check_probes "another window"
2:      addl    $W_LENGTH, %ebx
        cmpl    $windows_end, %ebx
        jb      1b
        popl    %ebx
        ret

# try_mode: does the window %ebx, in `mode`, as the mode %eax should?
try_mode:
        movl    %eax, as
        movl    $0, result
        set_mode_to $3
        movl    $1, %ebp
        call    write_probes
        set_mode_to mode
        movl    as, %eax
        movl    read_before(, %eax, 4), %ebp
        check_probes "reading"
        movl    $2, %ebp
        call    write_probes
        movl    as, %eax
        movl    read_after(, %eax, 4), %ebp
        check_probes "reading after the write"
        call    check_others
        set_mode_to $3
        movl    as, %eax
        movl    ram_after(, %eax, 4), %ebp
        check_probes "RAM after the write"
        set_mode_to $0
        xorl    %ebp, %ebp
        check_probes "PCI after all"
        ret
        .section .data
        .balign 4
read_before:    .long   0, 1, 0, 1      # by mode; 0 is PCI's, 1 is S, 2 is T
read_after:     .long   0, 1, 0, 2
ram_after:      .long   1, 1, 2, 2
        .text

# test_mode: the window %ebx in `mode`. Where it is not as it should be, is it as another?
test_mode:
        movl    $1, quiet
        movl    mode, %eax
        call    try_mode
        cmpl    $0, result
        je      3f
        movl    $3, %ecx
1:      movl    %ecx, %eax
        pushl   %ecx
        call    try_mode
        popl    %ecx
        cmpl    $0, result
        je      2f
        decl    %ecx
        jns     1b
        movl    $0, quiet               # as none: say why
        movl    mode, %eax
        call    try_mode
        ret
2:      movl    $1, result
3:      movl    $0, quiet
        ret

# count: counts `result` and ends the line with it.
count:  cmpl    $1, result
        jb      1f
        je      2f
        incl    failed
        print   " FAILED\n"
        ret
1:      incl    passed
        print   " ok\n"
        ret
2:      incl    inexact
        print   " inexact: as mode "
        movl    as, %eax
        call    put_decimal
        print   "\n"
        ret

# put_name: prints the window %ebx's register and base.
put_name:
        pushal
        print   "pam 0x"
        movzbl  W_REGISTER(%ebx), %eax
        movl    $2, %ecx
        call    put_hex
        cmpb    $0, W_SHIFT(%ebx)
        jne     1f
        print   ".lo "
        jmp     2f
1:      print   ".hi "
2:      movl    W_BASE(%ebx), %eax
        movl    $5, %ecx
        call    put_hex
        popal
        ret

test_modes:
        movl    $windows, %ebx
1:      movl    $0, mode
2:      call    test_mode
        call    put_name
        print   " mode "
        movl    mode, %eax
        call    put_decimal
        testb   $1, mode
        jnz     3f
        print   " read pci"
        jmp     4f
3:      print   " read ram"
4:      testb   $2, mode
        jnz     5f
        print   " write pci"
        jmp     6f
5:      print   " write ram"
6:      call    count
        incl    mode
        cmpl    $4, mode
        jb      2b
        addl    $W_LENGTH, %ebx
        cmpl    $windows_end, %ebx
        jb      1b
        ret

# test_crossing: four bytes across the end of the window %ebx, it or the next one showing
# RAM, the other one PCI.
test_crossing:
        movl    $0, result
        movl    $2, %ecx
        call    pci_slot
        movzwl  2(%esi), %eax           # PCI's: the last two bytes of this window,
        addl    $W_LENGTH, %ebx
        xorl    %ecx, %ecx
        call    pci_slot
        subl    $W_LENGTH, %ebx
        movl    (%esi), %ebp            # and the first two of the next
        shll    $16, %ebp
        pushl   %eax
        movl    W_BASE(%ebx), %edi
        addl    W_SIZE(%ebx), %edi
        subl    $2, %edi

        set_mode_to $3                  # RAM, then PCI
        movl    $0x1234abcd, (%edi)     # the upper half goes to PCI, which is ROM
        movl    (%edi), %edx
        movl    %ebp, %eax
        movw    $0xabcd, %ax
        cmpl    %eax, %edx
        je      1f
        movl    $crossing, %esi
        call    complain
1:      set_mode_to $0                  # PCI, then RAM
        addl    $W_LENGTH, %ebx
        set_mode_to $3
        movl    $0x1234abcd, (%edi)
        movl    (%edi), %edx
        popl    %eax
        orl     $0x12340000, %eax
        cmpl    %eax, %edx
        je      2f
        movl    $crossing, %esi
        call    complain
2:      set_mode_to $0
        subl    $W_LENGTH, %ebx
        ret
        .section .data
crossing: .asciz "across two windows"
        .text

test_crossings:
        movl    $windows, %ebx
1:      call    test_crossing
        print   "crossing from "
        movl    W_BASE(%ebx), %eax
        movl    $5, %ecx
        call    put_hex
        call    count
        addl    $W_LENGTH, %ebx
        cmpl    $windows_end - W_LENGTH, %ebx
        jb      1b
        ret

# test_fetch: calls the window %ebx's first bytes: ROM's code, which returns the address,
# and RAM's, which returns its complement, each right after the mode has changed.
test_fetch:
        movl    $0, result
        movl    W_BASE(%ebx), %edi
        set_mode_to $3
        movb    $0xb8, (%edi)           # movl $imm, %eax
        movl    %edi, %eax
        notl    %eax
        movl    %eax, 1(%edi)
        movb    $0xc3, 5(%edi)          # ret
        movl    $6, %ecx                # PCI, RAM, PCI, RAM ...
1:      movl    %ecx, %eax
        andl    $1, %eax
        pushl   %eax
        call    set_mode
        call    *%edi
        movl    %eax, %edx
        popl    %eax
        negl    %eax
        xorl    %edi, %eax
        cmpl    %eax, %edx
        je      2f
        movl    $fetching, %esi
        call    complain
2:      decl    %ecx
        jns     1b
        set_mode_to $0
        ret
        .section .data
fetching: .asciz "fetching code"
        .text

test_fetches:
        movl    $windows + 8 * W_LENGTH, %ebx   # from 0xe0000 on there is code in ROM
1:      call    test_fetch
        print   "fetching from "
        movl    W_BASE(%ebx), %eax
        movl    $5, %ecx
        call    put_hex
        call    count
        addl    $W_LENGTH, %ebx
        cmpl    $windows_end, %ebx
        jb      1b
        ret

# test_pristine: PCI has at E0000-FFFFF what is at FFFE0000-FFFFFFFF, whose E segment is the
# pattern above. The sum of it goes to %eax.
test_pristine:
        movl    $0, result
        xorl    %edi, %edi              # long by long
        xorl    %ebp, %ebp              # the sum
1:      movl    0xfffe0000(, %edi, 4), %eax
        roll    $1, %ebp
        addl    %eax, %ebp
        movl    0xe0000(, %edi, 4), %edx
        cmpl    %eax, %edx
        jne     3f
        cmpl    $0x4000, %edi           # beyond the pattern
        jae     2f
        testl   $0xffe, %edi            # a window's first eight bytes are code
        jz      2f
        imull   $PATTERN_MULTIPLIER, %edi, %eax
        cmpl    %eax, %edx
        jne     3f
2:      incl    %edi
        cmpl    $0x8000, %edi
        jb      1b
        movl    %ebp, %eax
        ret
3:      movl    $pristine, %esi
        leal    0xe0000(, %edi, 4), %edi
        call    complain
        movl    %ebp, %eax
        ret
        .section .data
pristine: .asciz "comparing ROM"
        .text

        .globl  main
main:   print   "pam-test: 82441FX PAM from inside the guest\n"
        movl    $windows, %ebx          # all windows to PCI, and what is there
1:      set_mode_to $0
        xorl    %ecx, %ecx
2:      call    probe_address
        call    pci_slot
        movl    (%edi), %eax
        movl    %eax, (%esi)
        incl    %ecx
        cmpl    $PROBES, %ecx
        jb      2b
        addl    $W_LENGTH, %ebx
        cmpl    $windows_end, %ebx
        jb      1b

        call    test_pristine
        movl    %eax, rom_sum
        print   "pristine ROM at fffe0000 before"
        call    count
        call    test_modes
        call    test_crossings
        call    test_fetches
        call    test_pristine
        cmpl    %eax, rom_sum
        je      3f
        movl    $2, result
3:      print   "pristine ROM at fffe0000 after"
        call    count

        cmpl    $0, failed
        jne     4f
        print   "PASS "
        movl    passed, %eax
        call    put_decimal
        movl    inexact, %eax
        testl   %eax, %eax
        jz      5f
        print   " INEXACT "
        call    put_decimal
        movb    $1, %al
5:      print   "\n"
        jmp     exit
4:      print   "FAIL "
        movl    failed, %eax
        call    put_decimal
        print   "\n"
        movb    $2, %al
        jmp     exit
