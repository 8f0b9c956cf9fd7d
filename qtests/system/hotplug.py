#!/usr/bin/env python3
"""PCI devices come and go while the machine runs: the guest hears of it by a general-purpose
event, and lets go by the eject register (QEMU's docs/specs/acpi_pci_hotplug). The guest is
this test, which reads and writes its ports."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
# pylint: disable=wrong-import-position
from harness import SYSTEM, Checks
from qmp_client import Peer

UP, DOWN, EJECT, SELECT = 0xAE00, 0xAE04, 0xAE08, 0xAE10
GPE_STATUS, PCI_EVENT = 0xAFE0, 0x02


def read_port(peer, port, letter="w"):
    return int(re.search(r"= (0x\w+)", peer.hmp(f"i/{letter} {port:#x}"))[1], 16)


def write_port(peer, port, value, letter="w"):
    peer.hmp(f"o/{letter} {port:#x} {value:#x}")


def slot_of(peer, name):
    for device in peer.execute("query-pci")[0]["devices"]:
        if device["qdev_id"] == name:
            return device["slot"]
    return None


def error_of(answer):
    return answer.get("error", {}).get("desc", "")


def check_pc(checks):
    with Peer(SYSTEM, "-M", "pc") as peer:
        checks.check(read_port(peer, UP) == 0, "slots are up before anything has come")
        peer.execute("device_add", driver="edu", id="e")
        bit = 1 << slot_of(peer, "e")
        checks.check(read_port(peer, GPE_STATUS, "b") & PCI_EVENT, "no event of the plug")
        write_port(peer, GPE_STATUS, PCI_EVENT, "b")
        checks.check(read_port(peer, GPE_STATUS, "b") & PCI_EVENT == 0, "the event stays")
        checks.check(read_port(peer, UP) == bit, "the slot is not up")
        checks.check(read_port(peer, UP) == 0, "the slot is up twice")

        # Asked once and again, the guest refuses: the device stays.
        for _ in range(2):
            peer.execute("device_del", id="e")
            checks.check(read_port(peer, GPE_STATUS, "b") & PCI_EVENT, "no event of the wish")
            write_port(peer, GPE_STATUS, PCI_EVENT, "b")
            checks.check(read_port(peer, DOWN) == bit, "the slot is not down")
        checks.check(slot_of(peer, "e") is not None, "the device went without the guest")
        checks.check(not [e for e in peer.events if e["event"] == "DEVICE_DELETED"],
                     "an event says that it went")
        write_port(peer, SELECT, 7)
        write_port(peer, EJECT, bit)
        checks.check(slot_of(peer, "e") is not None, "another bus's eject took it")
        write_port(peer, SELECT, 0)

        write_port(peer, EJECT, bit)
        checks.check(peer.wait_event("DEVICE_DELETED") ==
                     {"device": "e", "path": "/machine/peripheral/e"}, "the event's data")
        checks.check(slot_of(peer, "e") is None, "the device is there after its eject")
        checks.check(read_port(peer, DOWN) == 0, "the slot is down after its eject")
        checks.check(error_of(peer.answer("device_del", id="e")) == "Device 'e' not found",
                     "what is gone goes again")

        # What the guest still has not let go of goes with a reset.
        peer.execute("device_add", driver="edu", id="e")
        peer.execute("device_del", id="e")
        peer.execute("system_reset")
        checks.check(peer.wait_event("DEVICE_DELETED")["device"] == "e", "reset kept it")
        checks.check(slot_of(peer, "e") is None, "the device is there after the reset")

        # The guest cannot throw out the chipset; nor can nonsense hurt.
        for value in (1 << 0, 1 << 1, 0xffffffff, 0, 1 << 31):
            write_port(peer, EJECT, value)
        checks.check(len(peer.execute("query-pci")[0]["devices"]) >= 4, "the chipset is gone")
        checks.check("does not support hotplugging" in
                     error_of(peer.answer("device_add", driver="isa-debug-exit")), "ISA")
        checks.check("does not support hotplugging" in
                     error_of(peer.answer("device_del", id="/machine/unattached/device[3]")),
                     "a chip of the board")
        peer.execute("device_add", driver="edu", id="twice")
        checks.check("Duplicate" in error_of(peer.answer("device_add", driver="edu", id="twice")),
                     "an id twice")
        checks.check(error_of(peer.answer("device_add", driver="edu", id="there",
                                          addr=f"{slot_of(peer, 'twice'):x}")) != "",
                     "a slot twice")
        checks.check(peer.execute("query-status")["status"] == "prelaunch", "it goes on")
    checks.check(peer.status == 0, f"status {peer.status}")


def main():
    checks = Checks()
    check_pc(checks)
    for words in (["-M", "pc,acpi=off"], ["-M", "pc", "-global",
                                          "PIIX4_PM.acpi-root-pci-hotplug=off"]):
        with Peer(SYSTEM, *words) as peer:
            answer = peer.answer("device_add", driver="edu", id="e")
            checks.check("does not support hotplugging" in error_of(answer),
                         f"{words}: {answer}")
    checks.close()


main()
