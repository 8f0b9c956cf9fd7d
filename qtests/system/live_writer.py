# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines, Umbra's or QEMU's, whose guest writes all over its memory (firmware/guest/
live-writer.S) so that every page can be held against the guest's counter."""
import struct
import time

from harness import BUILD, SYSTEM
from vm import PATIENCE, VM, folder

COUNT, FIRST_PAGE, STEP = 0x600, 0x100000, 0x9e3779b1  # live-writer.S
RAM = 16


def words(count):
    return struct.pack("<1024I", *((count + i * STEP) & 0xffffffff for i in range(1024)))


class LiveWriter(VM):
    """A machine with the live writer, which fills so many pages in turn."""

    def __init__(self, accel, *options, pages=1024, program=SYSTEM):
        self.pages = pages
        super().__init__("-bios", str(BUILD / "firmware" / "guest" / "live-writer.bin"),
                         "-fw_cfg", f"name=opt/umbra/pages,string={pages}", *options,
                         program=program,
                         machine=["-M", "pc-i440fx-7.2", "-m", str(RAM), "-nodefaults",
                                  "-display", "none", "-accel", accel])

    def count(self):
        return int(self.hmp(f"xp /1xw 0x{COUNT:x}").split()[-1], 16)

    def wait_rounds(self, rounds=2):
        """Until the writer has been everywhere so many times more."""
        deadline = time.monotonic() + PATIENCE
        end = self.count() + rounds * self.pages
        while (now := self.count()) < end and time.monotonic() < deadline:
            time.sleep(0.01)
        return now >= end

    def wrong_pages(self):
        """Of a machine that stands: in words, "" where every page is right."""
        path = folder / "pages"
        self.qmp("pmemsave", val=COUNT, size=4, filename=str(path))
        now = struct.unpack("<I", path.read_bytes())[0]
        self.qmp("pmemsave", val=FIRST_PAGE, size=self.pages * 4096, filename=str(path))
        data = path.read_bytes()
        wrong = []
        for page in range(self.pages):
            found = data[page * 4096:(page + 1) * 4096]
            last = now - (now - 1 - page) % self.pages  # the last time that it was its turn
            if last == now:  # the page that is being filled: new up to some word, then old
                new, old = words(now), words(now - self.pages)
                good = any(found == new[:cut] + old[cut:] for cut in range(0, 4097, 4))
            else:
                good = found == words(last)
            if not good:
                wrong.append((page, last, found[:4].hex()))
        return wrong and f"{len(wrong)} pages are wrong at count {now}: {wrong[:4]}" or ""
