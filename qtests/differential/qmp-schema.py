#!/usr/bin/env python3
"""Umbra's QMP schema beside QEMU's: each command and event that Umbra has takes and gives
what QEMU's does. It may give less: members, values and variants may be missing, though
not what a client must send or may count on."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
# pylint: disable=wrong-import-position
from qmp_client import Peer, Schema

OWN = ("x-umbra-", "umbra-", "x-query-mtree")
# Values that QEMU 7.2 has not: keys that 8.0 brought, and Umbra's objects.
OWN_VALUES = {f"f{n}" for n in range(13, 25)} | {"umbra-segments"}


class Comparison:
    def __init__(self, ours, theirs):
        self.ours, self.theirs = ours, theirs
        self.differences, self.seen = [], set()

    def differ(self, place, text):
        self.differences.append(f"{place}: {text}")

    def compare(self, place, name, other, sent):
        """`sent`: a client sends it; otherwise it reads it."""
        if (name, other, sent) in self.seen:
            return
        self.seen.add((name, other, sent))
        a, b = self.ours.entries[name], self.theirs.entries[other]
        kind = a["meta-type"]
        if kind != b["meta-type"]:
            self.differ(place, f"{kind}, QEMU: {b['meta-type']}")
        elif kind == "builtin":
            if a["json-type"] != b["json-type"]:
                self.differ(place, f"{a['json-type']}, QEMU: {b['json-type']}")
        elif kind == "enum":
            more = set(a["values"]) - set(b["values"]) - OWN_VALUES
            if more:
                self.differ(place, f"QEMU has no {sorted(more)}")
        elif kind == "array":
            self.compare(place + "[]", a["element-type"], b["element-type"], sent)
        elif kind == "object":
            self.compare_objects(place, a, b, sent)

    def compare_objects(self, place, a, b, sent):
        ours = {member["name"]: member for member in a["members"]}
        theirs = {member["name"]: member for member in b["members"]}
        for name, member in ours.items():
            if name not in theirs:
                self.differ(f"{place}.{name}", "QEMU has it not")
                continue
            optional, wanted = "default" in member, "default" in theirs[name]
            if optional != wanted:
                self.differ(f"{place}.{name}", f"optional {optional}, QEMU: {wanted}")
            self.compare(f"{place}.{name}", member["type"], theirs[name]["type"], sent)
        for name, member in theirs.items():
            if name not in ours and "default" not in member:
                self.differ(f"{place}.{name}", "QEMU has it always")
        if a.get("tag") != b.get("tag"):
            self.differ(place, f"tag {a.get('tag')}, QEMU: {b.get('tag')}")
        cases = {variant["case"]: variant["type"] for variant in b.get("variants", [])}
        for variant in a.get("variants", []):
            if variant["case"] in cases:
                self.compare(f"{place}({variant['case']})", variant["type"],
                             cases[variant["case"]], sent)


def main():
    if not shutil.which("qemu-system-x86_64"):
        print("skipped: qemu-system-x86_64 is not installed")
        sys.exit(77)
    with Peer(sys.argv[1], "-M", "none") as peer:
        ours = Schema(peer.execute("query-qmp-schema"))
    with Peer("qemu-system-x86_64", "-M", "none") as peer:
        theirs = Schema(peer.execute("query-qmp-schema"))
    comparison, compared = Comparison(ours, theirs), 0
    for kind in ("command", "event"):
        for name in ours.names(kind):
            if name.startswith(OWN):
                continue
            other = theirs.of(name, kind)
            if not other:
                comparison.differ(name, f"QEMU has no such {kind}")
                continue
            compared += 1
            entry = ours.entries[name]
            comparison.compare(name, entry["arg-type"], other["arg-type"], kind == "command")
            if kind == "command":
                comparison.compare(f"{name}()", entry["ret-type"], other["ret-type"], False)
    for difference in comparison.differences:
        print(difference)
    print(f"{compared} commands and events compared, {len(comparison.differences)} differences")
    sys.exit(1 if comparison.differences or not compared else 0)


main()
