#!/usr/bin/env python3
"""query-qmp-schema: it is whole, and what commands answer is what it says."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
# pylint: disable=wrong-import-position
from harness import SYSTEM, Checks
from qmp_client import Peer, Schema

MACHINES = [["-M", "pc"], ["-M", "isapc"], ["-M", "none"],
            ["-M", "pc,accel=qtest", "-smp", "3", "-name", "guest", "-device",
             "isa-debug-exit,id=exit", "-object", "memory-backend-ram,id=m,size=1M"]]
# Commands that need an argument, and one that does.
ARGUMENTS = {
    "query-cpu-model-expansion": {"type": "full", "model": {"name": "qemu64"}},
    "device-list-properties": {"typename": "isa-debug-exit"},
    "qom-list-properties": {"typename": "isa-debug-exit"},
    "qom-list": {"path": "/machine"},
    "qom-list-types": {},
    "trace-event-get-state": {"name": "*"},
}
# Those that have an answer on QEMU only where the machine has what they ask about.
MAY_FAIL = {"query-vm-generation-id", "query-balloon", "query-rx-filter", "query-sev",
            "query-sgx", "query-hotpluggable-cpus", "query-acpi-ospm-status"}


def check_references(checks, schema):
    for name, entry in schema.entries.items():
        types = [entry.get(key) for key in ("arg-type", "ret-type", "element-type")]
        types += [each["type"] for key in ("members", "variants") for each in entry.get(key, [])
                  if "type" in each]
        for each in filter(None, types):
            checks.check(each in schema.entries, f"{name} refers to {each}")
        if "tag" in entry:
            member = next(m for m in entry["members"] if m["name"] == entry["tag"])
            values = [m["name"] for m in schema.entries[member["type"]]["members"]]
            checks.check([v["case"] for v in entry["variants"]] == values,
                         f"{name} has not a variant for each value of {entry['tag']}")


def check_replies(checks, peer, schema):
    for name in schema.names("command"):
        if not (name.startswith("query-") or name in ARGUMENTS):
            continue
        answer = peer.answer(name, **ARGUMENTS.get(name, {}))
        if "error" in answer:
            checks.check(name in MAY_FAIL or name == "query-cpu-model-expansion",
                         f"{name}: {answer['error']['desc']}")
            continue
        wrong = schema.problem(schema.entries[name]["ret-type"], answer["return"], name)
        checks.check(wrong is None, wrong)


def main():
    checks = Checks()
    for words in MACHINES:
        with Peer(SYSTEM, *words) as peer:
            answer = peer.execute("query-qmp-schema")
            schema = Schema(answer)
            checks.check(len(schema.entries) == len(answer), "a name occurs twice")
            checks.check(sorted(schema.names("command")) ==
                         sorted(c["name"] for c in peer.execute("query-commands")),
                         "query-commands lists other commands")
            wrong = schema.problem(schema.entries["query-qmp-schema"]["ret-type"], answer, "schema")
            checks.check(wrong is None, wrong)
            check_references(checks, schema)
            check_replies(checks, peer, schema)
        checks.check(peer.status == 0, f"{words}: status {peer.status}")
    checks.close()


main()
