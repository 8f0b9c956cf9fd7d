#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks of the host's that fail: rerror=, werror=, and commands that are repeated.

Specification: QEMU, -drive's rerror and werror, the event BLOCK_IO_ERROR and BlockDeviceIo-
Status of its QMP reference, docs/devel/blkdebug. What the guest sees: ATA/ATAPI-6."""
import json
import struct
import sys

from suite import case, main

DATA, ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS = range(0x1f0, 0x1f8)
COMMAND, CONTROL = STATUS, 0x3f6
BSY, DRDY, DRQ, ERR = 0x80, 0x40, 0x08, 0x01
ABRT, UNC = 0x04, 0x40
IDE, MASTER = 0x09, 0xc000
DISK = b"".join(struct.pack("<I", sector) * 128 for sector in range(256))


def rule(event, **values):
    return f'[inject-error]\nevent = "{event}"\n' + "".join(
        f'{key} = "{value}"\n' for key, value in values.items())


def failing(section, policies, rules, **more):
    """A case with a disk that fails by these rules."""
    return case(section, "-drive",
                "if=ide,file=blkdebug:{config}:{disk},format=raw," + policies,
                images={"disk": DISK, "config": rules.encode()}, **more)


def start(m, value, lba=0, count=1):
    """A command; it may take its time."""
    m.outb(DEVICE, 0xe0)
    m.wait(lambda: not m.inb(CONTROL) & BSY)
    for port, byte in ((COUNT, count), (LOW, lba), (MID, 0), (HIGH, 0), (COMMAND, value)):
        m.outb(port, byte)


def idle(m):
    m.wait(lambda: not m.inb(CONTROL) & BSY)
    return m.inb(CONTROL)


def pio_in(m):
    m.wait(lambda: m.inb(CONTROL) & (BSY | DRQ) == DRQ)
    return m.insw(DATA, 256)


def pio_out(m, data):
    m.wait(lambda: m.inb(CONTROL) & (BSY | DRQ) == DRQ)
    m.outsw(DATA, data)


def stands(m, check, operation, status, space=False):
    """The machine has stopped for this disk."""
    seen = m.inb(CONTROL) & (BSY | DRQ | ERR)
    # No guest sees this: it stands.
    check("the command takes its time", seen, BSY, qemu=seen)
    event = m.event("BLOCK_IO_ERROR")
    check("the event", {key: event["data"][key] for key in
                        ("device", "operation", "action", "nospace")},
          {"device": "ide0-hd0", "operation": operation, "action": "stop", "nospace": space})
    check.true("STOP", m.event("STOP"))
    check("the machine's state", m.qmp("query-status"),
          {"status": "io-error", "singlestep": False, "running": False})
    check("the drive's", m.qmp("query-block")[0]["io-status"], status)


def goes_on(m, check):
    m.qmp("cont")
    check.true("RESUME", m.event("RESUME"))
    check("the drive is well", m.qmp("query-block")[0]["io-status"], "ok")


@failing("rerror=stop, PIO", "rerror=stop", rule("read_aio", sector=6, once="on"))
def read_stops(m, check):
    start(m, 0x20, 5, 3)
    check("the sector before", pio_in(m), DISK[5 * 512:6 * 512])
    stands(m, check, "read", "failed")
    goes_on(m, check)
    for lba in (6, 7):
        check(f"sector {lba}", pio_in(m), DISK[lba * 512:(lba + 1) * 512])
    check("and the end", idle(m) & (DRQ | ERR), 0)
    check("the guest has seen nothing of it", m.event_names().count("STOP"), 0)


@failing("rerror=stop, again and again", "rerror=stop",
         rule("read_aio", sector=5, once="on") + rule("read_aio", sector=5, once="on"))
def read_stops_twice(m, check):
    start(m, 0x20, 5)
    for _ in range(2):
        stands(m, check, "read", "failed")
        m.qmp("cont")
        check.true("RESUME", m.event("RESUME"))
    check("data in the end", pio_in(m), DISK[5 * 512:6 * 512])


@failing("blkdebug: states", "rerror=report",
         '[set-state]\nevent = "write_aio"\nstate = "1"\nnew_state = "2"\n' +
         rule("read_aio", state=2))
def rules_with_states(m, check):
    start(m, 0x20, 5)
    check("the first state knows no error", pio_in(m), DISK[5 * 512:6 * 512])
    start(m, 0x30, 7)
    pio_out(m, bytes(512))
    check("nor does the write", idle(m) & (DRQ | ERR), 0)
    for _ in range(2):
        start(m, 0x20, 5)
        check("the second does", idle(m) & (DRQ | ERR), ERR)


@failing("werror=enospc is the default", "id=ide0-hd0", rule("write_aio", errno=28, once="on"))
def full_disk(m, check):
    start(m, 0x30, 7)
    pio_out(m, b"\x5a" * 512)
    stands(m, check, "write", "nospace", space=True)
    goes_on(m, check)
    check("written in the end", idle(m) & (DRQ | ERR), 0)
    start(m, 0xe7)
    check("flushed", idle(m) & ERR, 0)
    with open(m.paths["disk"], "rb") as disk:
        disk.seek(7 * 512)
        check("the data is there", disk.read(512), b"\x5a" * 512)


@failing("werror=enospc: other errors are the guest's", "id=ide0-hd0",
         rule("write_aio", errno=5, once="on"))
def reported_write(m, check):
    start(m, 0x30, 7)
    pio_out(m, bytes(512))
    check("an aborted command", [idle(m) & (DRQ | ERR), m.inb(ERROR) & ABRT], [ERR, ABRT])
    check("the event", m.event("BLOCK_IO_ERROR")["data"]["action"], "report")
    check("the machine runs", m.qmp("query-status")["running"], True)
    check("the drive is well", m.qmp("query-block")[0]["io-status"], "ok")


@failing("rerror=report", "rerror=report,werror=report",
         rule("read_aio", errno=28, sector=9, once="on"))
def reported_read(m, check):
    start(m, 0x20, 9)
    check("an error", idle(m) & (DRQ | ERR), ERR)
    check("one event", m.event("BLOCK_IO_ERROR")["data"]["operation"], "read")
    check("and no other", m.event_names().count("BLOCK_IO_ERROR"), 0)
    check("no I/O status is kept", "io-status" in m.qmp("query-block")[0], False)


@failing("werror=ignore", "werror=ignore", rule("write_aio", once="on"))
def ignored_write(m, check):
    start(m, 0x30, 3)
    pio_out(m, bytes(512))
    check("all is well, for the guest", idle(m) & (DRQ | ERR), 0)
    check("the event", m.event("BLOCK_IO_ERROR")["data"]["action"], "ignore")
    with open(m.paths["disk"], "rb") as disk:
        disk.seek(3 * 512)
        check("nothing was written", disk.read(512), DISK[3 * 512:4 * 512])


@failing("werror=stop, FLUSH CACHE", "werror=stop", rule("flush_to_disk", once="on"))
def flush_stops(m, check):
    start(m, 0x30, 1)
    pio_out(m, bytes(512))
    idle(m)
    start(m, 0xe7)
    stands(m, check, "write", "failed")
    goes_on(m, check)
    check("flushed in the end", idle(m) & (DRQ | ERR), 0)


def prepare_dma(m, to_memory, size):
    m.pci_write(IDE, 0x20, MASTER | 1)
    m.pci_write(IDE, 0x04, 5, 2)
    m.write(0x8000, struct.pack("<II", 0x10000, 0x80000000 | size))
    m.outl(MASTER + 4, 0x8000)
    m.outb(MASTER + 2, 0x06)
    m.outb(MASTER, 0x08 if to_memory else 0)


@failing("rerror=stop, DMA", "rerror=stop", rule("read_aio", sector=20, once="on"))
def dma_read_stops(m, check):
    prepare_dma(m, True, 2048)
    start(m, 0xc8, 18, 4)
    m.outb(MASTER, 0x09)
    stands(m, check, "read", "failed")
    check("the bus master is active, without an interrupt", m.inb(MASTER + 2) & 0x05, 0x01)
    goes_on(m, check)
    m.wait(lambda: m.inb(MASTER + 2) & 0x04)
    check("and is done", [m.inb(MASTER + 2) & 0x05, idle(m) & ERR], [0x04, 0])
    check("data", m.read(0x10000, 2048), DISK[18 * 512:22 * 512])


@failing("werror=stop, DMA", "werror=stop", rule("write_aio", sector=20, once="on"))
def dma_write_stops(m, check):
    prepare_dma(m, False, 2048)
    data = bytes(range(256)) * 8
    m.write(0x10000, data)
    start(m, 0xca, 18, 4)
    m.outb(MASTER, 0x01)
    stands(m, check, "write", "failed")
    goes_on(m, check)
    m.wait(lambda: m.inb(MASTER + 2) & 0x04)
    check("done", [m.inb(MASTER + 2) & 0x05, idle(m) & ERR], [0x04, 0])
    with open(m.paths["disk"], "rb") as disk:
        disk.seek(18 * 512)
        check("written", disk.read(2048), data)


@failing("errno=115, which is not a breakpoint", "rerror=report", rule("read_aio", errno=115))
def in_progress(m, check):
    start(m, 0x20, 6)
    check("an error like others", idle(m) & (BSY | DRQ | ERR), ERR)


# QEMU's rule is then one for sector 0.
@failing("a rule for a sector beyond all disks", "rerror=report",
         rule("read_aio", sector=1 << 55), only="Umbra")
def sector_beyond(m, check):
    start(m, 0x20, 0)
    check("the disk reads", idle(m) & (BSY | DRQ | ERR), DRQ)


# QEMU forgets to: the drive offers the data of a command from before the reset.
# QEMU sends such a command along, and repeats it there.
@failing("migrating", "rerror=stop,id=ide0-hd0", rule("read_aio", sector=6, once="on"), only="Umbra")
def migrating(m, check):
    start(m, 0x20, 6)
    check.true("it stops", m.event("STOP"))
    answer = m.ask("migrate", uri="exec:cat >/dev/null")
    check.true("migrate is refused", "waits" in answer.get("error", {}).get("desc", ""))
    check.true("savevm is refused", "waits" in m.hmp("savevm /no/where"))
    m.qmp("cont")
    check("data", pio_in(m), DISK[6 * 512:7 * 512])


@failing("a reset ends the wait", "rerror=stop", rule("read_aio", sector=6, once="on"),
         only="Umbra")
def reset_while_waiting(m, check):
    start(m, 0x20, 6)
    check.true("it stops", m.event("STOP"))
    m.qmp("system_reset")
    check.true("RESET", m.event("RESET"))
    m.qmp("cont")
    check.true("RESUME", m.event("RESUME"))
    check("no data waits", idle(m) & (BSY | DRQ | ERR), 0)
    start(m, 0x20, 6)
    check("the disk reads", pio_in(m), DISK[6 * 512:7 * 512])


@failing("qemu-io: break and resume", "id=ide0-hd0", "")
def breakpoints(m, check):
    start(m, 0x30, 1)
    pio_out(m, bytes(512))
    idle(m)
    check("a breakpoint", m.hmp('qemu-io ide0-hd0 "break flush_to_os A"'), "")
    start(m, 0xe7)
    check("the flush stands", m.inb(CONTROL) & (BSY | DRDY), BSY | DRDY)
    check("the machine runs", m.qmp("query-status")["running"], True)
    check("go on", m.hmp('qemu-io ide0-hd0 "resume A"'), "")
    check("flushed", idle(m) & (DRQ | ERR), 0)
    start(m, 0xe7)
    check("the breakpoint is gone", idle(m) & (BSY | ERR), 0)


@case("drive_add and drive_del", "-drive", "if=none,id=plain,file={disk},format=raw,snapshot=on",
      "-device", "ide-hd,drive=plain,bus=ide.0,unit=0", images={"disk": DISK})
def drives_come_and_go(m, check):
    def names():
        return [row["device"] for row in m.qmp("query-block")]

    check("added", m.hmp(f"drive_add 0 if=none,id=other,file={m.paths['disk']},readonly=on,"
                         "format=raw"), "OK\n")
    check("both are there", sorted(names()), ["other", "plain"])
    check("deleted", m.hmp("drive_del other"), "")
    check("one is there", names(), ["plain"])
    check("its name is free", m.hmp("drive_add 0 if=none,id=other"), "OK\n")
    start(m, 0x20, 3)
    check("the disk reads", pio_in(m), DISK[3 * 512:4 * 512])
    check("deleted under its device", m.hmp("drive_del plain"), "")
    check("it has no name any more", "plain" in names(), False)
    start(m, 0x20, 3)
    check("the disk fails", idle(m) & (DRQ | ERR), ERR)
    check("no such drive", "not found" in m.hmp("drive_del plain"), True)
    m.hmp("drive_del other")


INJECT = json.dumps({
    "driver": "raw", "node-name": "disk", "file": {
        "driver": "blkdebug", "image": {"driver": "file", "filename": "PATH"},
        "inject-error": [{"event": "read_aio", "sector": 5, "once": True, "errno": 5}]}})


@case("rules in JSON; a device's own rerror", "-blockdev",
      INJECT.replace("{", "{{").replace("}", "}}").replace("PATH", "{disk}"),
      "-device", "ide-hd,drive=disk,bus=ide.0,unit=0,rerror=stop", images={"disk": DISK})
def device_policy(m, check):
    start(m, 0x20, 5)
    event = m.event("BLOCK_IO_ERROR")
    check("the event names the node", [event["data"]["node-name"], event["data"]["action"]],
          ["disk", "stop"])
    check.true("STOP", m.event("STOP"))
    m.qmp("cont")
    check("data", pio_in(m), DISK[5 * 512:6 * 512])


@case("an ATAPI drive's reads by DMA", "-drive", "if=ide,media=cdrom,index=0,rerror=stop,"
      "format=raw,readonly=on,file=blkdebug:{config}:{disk}",
      images={"disk": DISK, "config": rule("read_aio", sector=16, once="on").encode()})
def cdrom_stops(m, check):
    def packet():
        m.outb(DEVICE, 0xa0)
        m.outb(ERROR, 1)
        m.outb(COMMAND, 0xa0)
        m.wait(lambda: m.inb(CONTROL) & (BSY | DRQ) == DRQ)
        m.outsw(DATA, bytes((0x28, 0, 0, 0, 0, 3, 0, 0, 3, 0, 0, 0)))
        m.outb(MASTER, 0x09)

    for _ in range(4):                      # the medium is new
        prepare_dma(m, True, 3 * 2048)
        packet()
        if m.inb(CONTROL) & BSY or not idle(m) & ERR:
            break
    check.true("it stops", m.event("STOP"))
    check("the drive is busy", m.inb(CONTROL) & BSY, BSY)
    m.qmp("cont")
    m.wait(lambda: m.inb(MASTER + 2) & 0x04)
    check("no error in the end", idle(m) & (BSY | DRQ | ERR), 0)
    check("data", m.read(0x10000, 3 * 2048), DISK[3 * 2048:6 * 2048])


@case("an ATAPI drive's reads by PIO, in pieces of 2.5 blocks", "-drive",
      "if=ide,media=cdrom,index=0,rerror=stop,format=raw,readonly=on,"
      "file=blkdebug:{config}:{disk}", only="Umbra",  # QEMU reports errors of PIO
      images={"disk": DISK, "config": rule("read_aio", sector=20, once="on").encode()})
def cdrom_stops_in_a_piece(m, check):
    def piece():
        m.wait(lambda: m.inb(CONTROL) & (BSY | DRQ) == DRQ)
        return m.insw(DATA, (m.inb(MID) | m.inb(HIGH) << 8) // 2)

    for _ in range(4):                      # the medium is new
        for port, byte in ((DEVICE, 0xa0), (ERROR, 0), (MID, 5120 & 0xff), (HIGH, 5120 >> 8),
                           (COMMAND, 0xa0)):
            m.outb(port, byte)
        m.wait(lambda: m.inb(CONTROL) & (BSY | DRQ) == DRQ)
        m.outsw(DATA, bytes((0x28, 0, 0, 0, 0, 3, 0, 0, 3, 0, 0, 0)))
        if m.inb(CONTROL) & BSY or not idle(m) & ERR:
            break
    check.true("it stops", m.event("STOP"))
    check("the drive is busy", m.inb(CONTROL) & (BSY | DRQ), BSY)
    m.qmp("cont")
    check("data", piece() + piece(), DISK[3 * 2048:6 * 2048])
    check("no error in the end", idle(m) & (BSY | DRQ | ERR), 0)


if __name__ == "__main__":
    sys.exit(main())
