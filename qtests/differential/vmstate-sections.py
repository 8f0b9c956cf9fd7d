#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What comes from QEMU goes back as it came, section by section and field by field.

    vmstate-sections.py UMBRA_SYSTEM [--accel x86emu|kvm] [--qemu PROGRAM] [--options TEXT]

QEMU boots its firmware, stops and writes its state to a file; Umbra reads the file and,
without running a single instruction, writes another. The two are compared by the
descriptions that they carry at their ends. KEPT_APART lists what may differ, and why; all
else is an error, a missing section too.
"""
import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

SKIPPED = 77

# (section, field), regular expressions, and why the two may differ.
KEPT_APART = [
    ('cpu', r'env\.tsc', 'goes on while the machine stands, as it does under QEMU'),
    ('cpu', r'env\.mp_state', 'QEMU\'s software CPU has only `halted`'),
    ('cpu', r'env\.segs\[\d\]\.flags', 'bits of limit and base, which have fields of their own'),
    ('cpu', r'env\.xstate_bv', 'a register in its first state may be said to be in use'),
    ('cpu', r'env\.dr\[[45]\]', 'other names of DR6 and DR7'),
    ('cpu', r'cpu/tsc_khz/.*', 'under KVM alone'),
    ('cpu', r'cpu/poll_control_msr/.*', 'under KVM alone'),
    ('apic', r'count_shift', 'follows from divide_conf; QEMU sets it late'),
    ('apic', r'initial_count_load_time', 'without a count it means nothing'),
    ('i8254', r'channels\[\d\]\.(count_load|next_transition)_time',
     'in clocks of the oscillator here; the kernel takes none but its own'),
    ('i8259', r'last_irr', 'KVM\'s timer lowers its line when it is set'),
    ('ioapic', r'irr', 'edges are served at once here'),
    ('mc146818rtc', r'cmos_data|last_update|base_rtc|offset|.*_time.*|update_timer',
     'the calendar goes on while the machine stands'),
    ('timer', r'cpu_ticks_offset', 'a tick is a nanosecond here'),
    ('ide', r'bus\[\d\]\.ifs\[\d\]\.(hob_)?(n?sector|select)',
     'registers of a place without a drive'),
    ('ps2kbd', r'.*queue\.data', 'what has been read already is not kept'),
    ('ps2mouse', r'.*queue\.data', 'the same'),
]


class Machine:
    """A program with QMP on its standard input and output."""

    def __init__(self, command):
        self.process = subprocess.Popen(command + ['-qmp', 'stdio', '-display', 'none'],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.receive()
        self.ask('qmp_capabilities')

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            message = self.process.stderr.read().decode()
            sys.exit(f'{self.process.args[0]} has left: {message}')
        return json.loads(line)

    def ask(self, command, **arguments):
        text = json.dumps({'execute': command, 'arguments': arguments}) + '\n'
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            self.receive()
        while True:
            answer = self.receive()
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                sys.exit(f'{command}: {answer["error"]["desc"]}')

    def wait(self, what, done):
        for _ in range(600):
            if done():
                return
            time.sleep(0.1)
        sys.exit(f'{self.process.args[0]}: {what} has not come in a minute')

    def save(self, path):
        self.ask('migrate', uri=f'exec:cat > {path}')
        self.wait('the end of the migration',
                  lambda: self.ask('query-migrate').get('status') == 'completed')
        self.ask('quit')
        self.process.wait()


def boots_no_more(machine):
    """SeaBIOS without anything to boot from waits in HLT for its timer."""
    registers = machine.ask('human-monitor-command', **{'command-line': 'info registers'})
    return 'HLT=1' in registers


class Stream:
    """The device sections of a stream, as {(name, instance): [(field, bytes), ...]}."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = file.read()
        start = max(self.data.rfind(b'{"page_size"'), self.data.rfind(b'{"configuration"'))
        length, = struct.unpack('>I', self.data[start - 4:start])
        self.sections = {}
        for device in json.loads(self.data[start:start + length])['devices']:
            if 'fields' in device:
                self.read_section(device)

    def read_section(self, device):
        name, instance = device['name'], device['instance_id']
        head = bytes([len(name)]) + name.encode() + struct.pack('>II', instance,
                                                                device['version'])
        fields = []
        at = self.read_table(device, self.data.rindex(head) + len(head), '', fields)
        assert self.data[at] == 0x7e, f'{name}: no footer at {at}'
        self.sections[name, instance] = fields

    def read_table(self, table, at, prefix, fields):
        for field in table['fields']:
            count = field.get('array_len', 1)
            inner = field.get('struct', field)
            for number in range(count):
                name = prefix + field['name'] + (f'[{number}]' if count > 1 else '')
                name += f'[{field["index"]}]' if 'index' in field else ''
                if 'fields' in inner:
                    at = self.read_table(inner, at, name + '.', fields)
                else:
                    fields.append((name, self.data[at:at + field['size']]))
                    at += field['size']
        for sub in table.get('subsections', []):
            name = sub['vmsd_name']
            assert self.data[at + 2:at + 2 + len(name)] == name.encode(), name
            at = self.read_table(sub, at + 6 + len(name), f'{prefix}{name}/', fields)
        return at


def may_differ(section, field):
    kind = section.rsplit('/', 1)[-1]
    return any(kind == known and re.fullmatch(pattern, field)
               for known, pattern, _ in KEPT_APART)


def compare(came, went):
    """Yields what differs."""
    for key, fields in came.sections.items():
        section = f'{key[0]} {key[1]}'
        if key not in went.sections:
            yield f'{section}: missing'
            continue
        others = dict(went.sections[key])
        for name, value in fields:
            if may_differ(key[0], name):
                continue
            if name not in others:
                yield f'{section}: {name} is missing'
            elif others[name] != value:
                yield (f'{section}: {name} came as {value[:16].hex()} and went as '
                       f'{others[name][:16].hex()}')
        for name in others.keys() - dict(fields).keys():
            if not may_differ(key[0], name):
                yield f'{section}: {name} came from nowhere'
    for key in went.sections.keys() - came.sections.keys():
        if key[0] != 'kvmclock':
            yield f'{key[0]} {key[1]}: came from nowhere'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('umbra')
    parser.add_argument('--accel', default='x86emu')
    parser.add_argument('--qemu', default='qemu-system-x86_64')
    parser.add_argument('--options', default='-nodefaults -m 16')
    arguments = parser.parse_args()
    kvm = arguments.accel == 'kvm'
    if not shutil.which(arguments.qemu) or kvm and not os.access('/dev/kvm', os.W_OK):
        print(f'skipped: there is no {"/dev/kvm" if kvm else arguments.qemu}')
        return SKIPPED
    options = ['-M', 'pc-i440fx-7.2'] + arguments.options.split()
    with tempfile.TemporaryDirectory() as folder:
        came, went = os.path.join(folder, 'came'), os.path.join(folder, 'went')
        qemu = Machine([arguments.qemu, '-accel', 'kvm' if kvm else 'tcg'] + options)
        qemu.wait('the end of the boot', lambda: boots_no_more(qemu))
        qemu.ask('stop')
        qemu.save(came)
        umbra = Machine([arguments.umbra, '-accel', arguments.accel] + options +
                        ['-incoming', f'exec:cat {came}'])
        umbra.wait('the machine',
                   lambda: umbra.ask('query-status')['status'] != 'inmigrate')
        umbra.save(went)
        found = list(compare(Stream(came), Stream(went)))
    for line in found:
        print(line)
    print(f'{len(found)} differences')
    return 1 if found else 0


sys.exit(main())
