#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The keyboard controller with a PS/2 keyboard and mouse, and port 0x92.

IBM PS/2 Hardware Interface Technical Reference: "Keyboard and Auxiliary Device
Controller" (commands and status), "101- and 102-Key Keyboard", "Mouse"; port 0x92:
82371SB (PIIX3), 290550, section 2.5.7, and the same manual's "System Control Port A"."""
import sys

from suite import case, main

DATA, STATUS = 0x60, 0x64
FULL, INPUT_FULL, SYSTEM, MOUSE_DATA = 0x01, 0x02, 0x04, 0x20


def ready(m):
    m.wait(lambda: not m.inb(STATUS) & INPUT_FULL)


def command(m, value, *words):
    ready(m)
    m.outb(STATUS, value)
    for word in words:
        ready(m)
        m.outb(DATA, word)


def take(m):
    """The next byte, and whether the mouse sent it; (None, None) when none comes."""
    if not m.wait(lambda: m.inb(STATUS) & FULL, ns=10**8):
        return None, None
    mouse = bool(m.inb(STATUS) & MOUSE_DATA)
    return m.inb(DATA), mouse


def take_all(m, count):
    return [take(m)[0] for _ in range(count)]


def drain(m):
    for _ in range(64):
        if not m.inb(STATUS) & FULL:
            m.clock_step(2 * 10**6)
            if not m.inb(STATUS) & FULL:
                break
        m.inb(DATA)


def keyboard(m, *words):
    for word in words:
        ready(m)
        m.outb(DATA, word)


def mouse(m, *words):
    """Each byte to the mouse, with what it answers."""
    answers = []
    for word in words:
        command(m, 0xd4, word)
        answers.append(take(m))
    return answers


def start(m, command_byte=0x00):
    drain(m)
    command(m, 0x60, command_byte)
    drain(m)


@case("Controller Commands, hex AA, AB, A9, 20, 60")
def controller(m, check):
    drain(m)
    command(m, 0xaa)
    check("self test passes", take(m), (0x55, False))
    check.true("and sets the system flag", m.inb(STATUS) & SYSTEM)
    command(m, 0xab)
    check("keyboard interface test", take(m), (0x00, False))
    command(m, 0xa9)
    check("auxiliary interface test", take(m), (0x00, False))
    for value in (0x00, 0x47, 0x74):
        command(m, 0x60, value)
        command(m, 0x20)
        check(f"command byte {value:#x} reads back", take(m)[0], value)
    command(m, 0x60, 0x04)
    command(m, 0xad)
    command(m, 0x20)
    check("hex AD disables the keyboard", take(m)[0] & 0x10, 0x10)
    command(m, 0xae)
    command(m, 0x20)
    check("hex AE enables it", take(m)[0] & 0x10, 0)
    command(m, 0xa7)
    command(m, 0x20)
    check("hex A7 disables the auxiliary device", take(m)[0] & 0x20, 0x20)
    command(m, 0xa8)
    command(m, 0x20)
    check("hex A8 enables it", take(m)[0] & 0x20, 0)


@case("Controller Commands, hex D0, D1, D2, D3")
def ports(m, check):
    start(m)
    command(m, 0xd0)
    check("the output port does not reset and lets A20 pass", take(m)[0] & 0x03, 0x03)
    command(m, 0xd2, 0x5a)
    check("hex D2: a byte as if from the keyboard", take(m), (0x5a, False))
    command(m, 0xd3, 0xa5)
    check("hex D3: a byte as if from the mouse", take(m), (0xa5, True))
    command(m, 0xd1, 0xdd)
    command(m, 0xd0)
    check("hex D1 closes A20", take(m)[0] & 0x02, 0)
    command(m, 0xd1, 0xdf)
    command(m, 0xd0)
    check("and opens it", take(m)[0] & 0x02, 0x02)


@case("101- and 102-Key Keyboard, Commands from the System")
def keyboard_commands(m, check):
    start(m, 0x20)
    keyboard(m, 0xff)
    check("reset: acknowledged, and tested", take_all(m, 2), [0xfa, 0xaa])
    keyboard(m, 0xee)
    check("echo", take_all(m, 1), [0xee])
    keyboard(m, 0xf2)
    check("read ID", take_all(m, 3), [0xfa, 0xab, 0x83])
    keyboard(m, 0xed)
    check("LEDs: the option byte is asked for", take_all(m, 1), [0xfa])
    keyboard(m, 0x02)
    check("and taken", take_all(m, 1), [0xfa])
    keyboard(m, 0xf3)
    check("typematic rate", take_all(m, 1), [0xfa])
    keyboard(m, 0x20)
    check("and its byte", take_all(m, 1), [0xfa])
    for number in (1, 2, 3):
        keyboard(m, 0xf0)
        check(f"scan code set {number}", take_all(m, 1), [0xfa])
        keyboard(m, number)
        check(f"scan code set {number} is taken", take_all(m, 1), [0xfa])
        keyboard(m, 0xf0)
        take(m)
        keyboard(m, 0x00)
        check(f"scan code set {number} reads back", take_all(m, 2), [0xfa, number])
    keyboard(m, 0xf6)
    check("set default", take_all(m, 1), [0xfa])
    keyboard(m, 0xf5)
    check("default disable", take_all(m, 1), [0xfa])
    keyboard(m, 0xf4)
    check("enable", take_all(m, 1), [0xfa])


def press(m, *names):
    m.qmp("send-key", keys=[{"type": "qcode", "data": name} for name in names],
          **{"hold-time": 1})


KEYS = [
    # key, set 1 through translation, set 2 without
    ("a", [0x1e, 0x9e], [0x1c, 0xf0, 0x1c]),
    ("ret", [0x1c, 0x9c], [0x5a, 0xf0, 0x5a]),
    ("f12", [0x58, 0xd8], [0x07, 0xf0, 0x07]),
    ("up", [0xe0, 0x48, 0xe0, 0xc8], [0xe0, 0x75, 0xe0, 0xf0, 0x75]),
    ("ctrl_r", [0xe0, 0x1d, 0xe0, 0x9d], [0xe0, 0x14, 0xe0, 0xf0, 0x14]),
]


@case("101- and 102-Key Keyboard, Scan Codes; Command Byte, bit 6")
def scan_codes(m, check):
    for translated in (True, False):
        start(m, 0x60 if translated else 0x20)
        keyboard(m, 0xf4)
        take(m)
        for name, set_1, set_2 in KEYS:
            codes = set_1 if translated else set_2
            press(m, name)
            check(f"{name}, {'set 1' if translated else 'set 2'}",
                  take_all(m, len(codes)), codes)


@case("Command Byte, bits 0, 1, 4; interrupt lines 1 and 12")
def interrupts(m, check):
    start(m, 0x20)
    m.listen("ioapic")
    command(m, 0xd2, 0x11)
    m.wait(lambda: m.inb(STATUS) & FULL)
    check("without bit 0 no interrupt 1", m.level(1), False)
    m.inb(DATA)
    command(m, 0x60, 0x03)
    command(m, 0xd2, 0x12)
    check.true("with bit 0 interrupt 1", m.wait(lambda: m.level(1)))
    check("the byte", m.inb(DATA), 0x12)
    check("reading it ends the interrupt", m.level(1), False)
    command(m, 0xd3, 0x13)
    check.true("with bit 1 interrupt 12", m.wait(lambda: m.level(12)))
    check("not 1", m.level(1), False)
    m.inb(DATA)
    check("reading ends it too", m.level(12), False)


@case("Mouse, Commands")
def mouse_commands(m, check):
    start(m, 0x00)
    check("reset is acknowledged", mouse(m, 0xff), [(0xfa, True)])
    check("tested, and its ID", take_all(m, 2), [0xaa, 0x00])
    mouse(m, 0xf2)
    check("read device type", take_all(m, 1), [0x00])
    mouse(m, 0xe9)
    check("status after a reset: 4 counts/mm, 100 reports/s", take_all(m, 3), [0x00, 0x02, 0x64])
    mouse(m, 0xe8, 0x03, 0xf3, 0x28, 0xe7, 0xf4)
    mouse(m, 0xe9)
    check("resolution, rate, 2:1 scaling and enabled are seen", take_all(m, 3),
          [0x30, 0x03, 0x28])
    mouse(m, 0xf6)
    mouse(m, 0xe9)
    check("set default", take_all(m, 3), [0x00, 0x02, 0x64])
    mouse(m, 0xf0)
    mouse(m, 0xeb)
    check("read data in remote mode: nothing has moved", take_all(m, 3)[1:], [0x00, 0x00])
    mouse(m, 0xea)
    mouse(m, 0xee)
    check("wrap mode gives back what it gets", mouse(m, 0x55), [(0x55, True)])
    check("but for its end", mouse(m, 0xec), [(0xfa, True)])


def move(m, *events):
    m.qmp("input-send-event", events=list(events))


def moved(axis, value):
    return {"type": "rel", "data": {"axis": axis, "value": value}}


def button(name, down):
    return {"type": "btn", "data": {"button": name, "down": down}}


@case("Mouse, Data Report")
def mouse_reports(m, check):
    if not m.has("input-send-event"):
        return
    start(m, 0x00)
    mouse(m, 0xf6, 0xf4)
    move(m, moved("x", 5), moved("y", 3))
    check("right and down: Y counts upwards", take_all(m, 3), [0x28, 5, 0xfd])
    move(m, moved("x", -7), moved("y", -2))
    check("left and up", take_all(m, 3), [0x18, 0xf9, 2])
    for name, bit in (("left", 1), ("right", 2), ("middle", 4)):
        move(m, button(name, True))
        check(f"{name} button down", take_all(m, 3), [0x08 | bit, 0, 0])
        move(m, button(name, False))
        check(f"{name} button up", take_all(m, 3), [0x08, 0, 0])


@case("IntelliMouse: the wheel's knock")
def wheel(m, check):
    if not m.has("input-send-event"):
        return
    start(m, 0x00)
    mouse(m, 0xf6, 0xf3, 200, 0xf3, 100, 0xf3, 80)
    mouse(m, 0xf2)
    check("rates 200, 100, 80 make it a wheel mouse", take_all(m, 1), [0x03])
    mouse(m, 0xf4)
    move(m, button("wheel-up", True))
    check("a turn of the wheel in the fourth byte", take_all(m, 4), [0x08, 0, 0, 0xff])


@case("Port 0x92: A20 and Fast Init")
def port_92(m, check):
    m.outb(0x92, 0x00)
    check("bit 1 off", m.inb(0x92) & 0x03, 0x00)
    m.outb(0x92, 0x02)
    check("bit 1 on", m.inb(0x92) & 0x03, 0x02)
    m.outb(0x92, 0x03)
    check.true("bit 0 resets the machine", m.event("RESET"))


@case("Controller Commands, hex FE: pulse output port bit 0")
def reset_pulse(m, check):
    command(m, 0xfe)
    check.true("the machine resets", m.event("RESET"))


if __name__ == "__main__":
    sys.exit(main())
