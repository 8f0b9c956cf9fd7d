#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pvpanic on ISA. Specification: QEMU, docs/specs/pvpanic."""
import sys

from suite import case, main

OPTIONS = ["-device", "pvpanic", "-action", "panic=none"]


@case("pvpanic, ISA Interface", *OPTIONS)
def port(m, check):
    check("panicked and crash-loaded are supported", m.inb(0x505), 0x03)
    check("fw_cfg names the port", m.fw_cfg_read(
        next(key for key, name, _ in m.fw_cfg_files() if name == "etc/pvpanic-port"), 2),
        b"\x05\x05")
    m.outb(0x505, 0x02)
    check.true("crash loaded", m.event("GUEST_CRASHLOADED"))
    m.outb(0x505, 0x01)
    check.true("panicked", m.event("GUEST_PANICKED"))


if __name__ == "__main__":
    sys.exit(main())
