#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The devices' VMState tables beside those of the installed QEMU.

    vmstate-dump.py UMBRA_SYSTEM [--qemu PROGRAM] [--machine TYPE] [--all]

Compares the two programs' -dump-vmstate, type by type: names, versions, fields and their
order, sizes, subsections. (What Umbra has beyond that, for what QEMU does not model, is a
subsection of its own.) Prints one line for each type and what differs in it; the status
is 1 when a type differs or is missing. --all also lists QEMU's types that Umbra has no
device for.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

# What a pc-i440fx machine of ours can have, by QEMU's type names, but for ps2-kbd and
# ps2-mouse, which are parts of the i8042 here.
WANTED = """
    PIIX3 PIIX4_PM VGA edu fw_cfg_io hpet i440FX i440FX-pcihost i8042 i8257 ib700 ioapic
    isa-fdc isa-i8259 isa-parallel isa-pcspk isa-pit isa-serial isa-vga kvm-i8259
    kvm-ioapic kvm-pit kvmclock kvmvapic mc146818rtc port92 smbus-eeprom vmmouse
""".split()

# Devices that QEMU does not have.
OURS_ALONE = {'igd-stub'}


def dump(program, machine):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'dump.json')
        subprocess.run([program, '-M', machine, '-dump-vmstate', path], check=True,
                       timeout=30, stderr=subprocess.DEVNULL)
        with open(path) as file:
            return json.load(file)


def compare_field(ours, theirs, place):
    """Yields what differs between two fields of the same name."""
    for key in 'version_id', 'field_exists':
        if ours[key] != theirs[key]:
            yield f'{place}: {key} is {ours[key]}, QEMU has {theirs[key]}'
    if ('Description' in ours) != ('Description' in theirs):
        yield f'{place}: only one of the two is a structure'
    elif 'Description' in ours:
        yield from compare_table(ours['Description'], theirs['Description'], place)
    elif ours['size'] != theirs['size']:
        yield f'{place}: {ours["size"]} bytes, QEMU has {theirs["size"]}'


def compare_table(ours, theirs, place):
    for key in 'name', 'version_id', 'minimum_version_id':
        if ours[key] != theirs[key]:
            yield f'{place}: {key} is {ours[key]}, QEMU has {theirs[key]}'
    our_fields, their_fields = ours.get('Fields', []), theirs.get('Fields', [])
    our_names = [field['field'] for field in our_fields]
    their_names = [field['field'] for field in their_fields]
    if our_names == their_names:
        for mine, other in zip(our_fields, their_fields):
            yield from compare_field(mine, other, f'{place}.{mine["field"]}')
    else:
        yield f'{place}: fields {our_names}, QEMU has {their_names}'
    our_subs = {sub['name']: sub for sub in ours.get('Subsections', [])}
    their_subs = {sub['name']: sub for sub in theirs.get('Subsections', [])}
    for name in their_subs:
        if name not in our_subs:
            yield f'{place}: there is no subsection {name}'
        else:
            yield from compare_table(our_subs[name], their_subs[name], name)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('umbra')
    parser.add_argument('--qemu', default='qemu-system-x86_64')
    parser.add_argument('--machine', default='pc-i440fx-7.2')
    parser.add_argument('--all', action='store_true')
    arguments = parser.parse_args()
    if not shutil.which(arguments.qemu):
        print(f'skipped: there is no {arguments.qemu}')
        return 77
    ours = dump(arguments.umbra, arguments.machine)
    theirs = dump(arguments.qemu, arguments.machine)
    equal = different = missing = 0
    for name in sorted((set(WANTED) | set(ours)) - OURS_ALONE):
        if name == 'vmschkmachine' or name not in theirs and name not in ours:
            continue
        if name not in ours:
            missing += 1
            print(f'{name}: missing')
            continue
        if name not in theirs:
            different += 1
            print(f'{name}: QEMU has no state for it')
            continue
        found = list(compare_table(ours[name]['Description'],
                                   theirs[name]['Description'], name))
        equal += not found
        different += bool(found)
        print(f'{name}: {"differs" if found else "equal"}')
        for line in found:
            print(f'    {line}')
    if arguments.all:
        print('QEMU alone:', ' '.join(sorted(set(theirs) - set(ours))))
    print(f'{equal} equal, {different} different, {missing} missing')
    return 1 if different or missing else 0


sys.exit(main())
