#!/usr/bin/env python3
"""Machine models from shared objects: the good one runs, is listed with its origin and is
found in each place of the search path; of the bad ones each is refused in one line that
says what to do, and the program goes on."""
import os
import pathlib
import shutil
import struct
import tempfile

from harness import BUILD, SYSTEM, UMBRA, Checks, run

PLUGINS = BUILD / "qtests" / "plugins"
BASE = ["-nodefaults", "-display", "none", "-accel", "qtest", "-S"]

# What is wrong with each, and the words by which its user learns what to do.
BAD = {
    "abi": ("ABI 2 and this Umbra has 1", "compile it against"),
    "layout": ("headers of another Umbra", "compile it again"),
    "symbol": ("no symbol 'umbra_machine_plugin'", "MACHINE_PLUGIN()"),
    "function": ("undefined symbol: memory_region_teleport", "built for this Umbra?"),
    "orphan": ("'probe-orphan' asks for a parent type that is not known",),
    "taken": ("type 'Machine' is there already", "rename"),
    "wrongname": ("describes plugin 'somebody-else'", "umbra-machine-somebody-else.so"),
    "unreachable": ("'other' must be called unreachable or unreachable-SOMETHING",),
    "nomachines": ("a table of machine types",),
    "notamachine": ("does not give a descendant of 'Machine'",),
    "text": ("cannot be loaded",),
    "folder": ("cannot be loaded",),
    "cut": ("cut short", "copy it again"),
}


def with_path(*directories):
    return dict(os.environ, UMBRA_MODULE_DIR=":".join(str(each) for each in directories))


def end_of_code(elf):
    """The end of the last segment that a 64-bit ELF file wants in memory (PT_LOAD)."""
    start, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    headers = [struct.unpack_from("<IIQQQQ", elf, start + i * size) for i in range(count)]
    return max(offset + length for kind, _, offset, _, _, length in headers if kind == 1)


def collect(folder):
    """All plugins of the tests in one folder, with some that no compiler makes."""
    for plugin in PLUGINS.glob("umbra-machine-*.so"):
        shutil.copy(plugin, folder)
    good = (PLUGINS / "umbra-machine-good.so").read_bytes()
    (folder / "umbra-machine-text.so").write_text("This is no shared object.\n")
    (folder / "umbra-machine-cut.so").write_bytes(good[:end_of_code(good) - 100])
    (folder / "umbra-machine-folder.so").mkdir()


def one_line(checks, done, name, words):
    """Refused in one line with these words; never by a signal."""
    line = done.stderr.strip()
    checks.check(done.returncode == 1 and line.count("\n") == 0,
                 f"{name}: status {done.returncode}, {line!r}")
    for word in words:
        checks.check(word in line, f"{name}: {word!r} is not in {line!r}")


def check_bad(checks, folder):
    environment = with_path(folder)
    for name, words in BAD.items():
        done = run([SYSTEM, *BASE, "-M", name], timeout=20, env=environment)
        one_line(checks, done, name, (f"umbra-machine-{name}.so: ",) + words)
        done = run([UMBRA, "mtree", "--machine", name + "-1.0"], env=environment)
        one_line(checks, done, f"umbra mtree --machine {name}-1.0", words)
    # Built-in machines never meet a plugin, and a name twice goes to the built-in one.
    done = run([UMBRA, "mtree", "--machine", "isapc"], env=environment)
    checks.check(done.returncode == 0 and "pc.bios" in done.stdout and not done.stderr,
                 f"isapc beside a plugin that has it too: {done.stderr}")
    done = run([SYSTEM, *BASE, "-M", "twin"], env=environment)
    one_line(checks, done, "twin", ("machine type 'isapc' is there already (built in)",))


def check_list(checks, folder):
    done = run([SYSTEM, "-M", "help"], env=with_path(folder))
    lines = done.stdout.splitlines()
    checks.check(done.returncode == 0, f"-M help: status {done.returncode}")
    for name in ("good", "good-2.0"):
        row = next((line for line in lines if line.split()[0] == name), "")
        checks.check(row.endswith(f"from {folder}/umbra-machine-good.so"), f"row: {row!r}")
    checks.check(sum("(default)" in line for line in lines) == 1,
                 "one machine type is the default, and no plugin's")
    for name, words in BAD.items():
        complaint = [line for line in done.stderr.splitlines()
                     if f"umbra-machine-{name}.so" in line]
        checks.check(len(complaint) == 1 and all(word in complaint[0] for word in words),
                     f"-M help about {name}: {complaint}")


def check_good(checks, folder):
    done = run([UMBRA, "mtree", "--machine", "good"], env=with_path(folder))
    checks.check("0000000000000000-0000000000ffffff (prio 0, ram): ram" in done.stdout,
                 f"mtree of good: {done.stdout}{done.stderr}")
    for command in (["diff", "good", "good-2.0"], ["explain", "--machine", "good-2.0", "0x1000"],
                    ["draw", "--machine", "good", "-o", str(folder / "x.svg")],
                    ["draw", "--machine", "good-2.0", "-o", str(folder / "x.svg")]):
        done = run([UMBRA, *command], env=with_path(folder))
        checks.check(done.returncode == 0, f"umbra {command}: {done.stdout}{done.stderr}")
    done = run([SYSTEM, *BASE, "-M", "good", "-device", "probe-good,help"],
               env=with_path(folder))
    checks.check(done.returncode == 0 or "probe-good" in done.stderr, done.stderr)
    done = run([SYSTEM, *BASE, "-M", "goods"], env=with_path(folder))
    one_line(checks, done, "goods", ("did you mean 'good'?",))
    # The list that a harness asks for has the plugin's types too.
    done = run([UMBRA, "reboot", "--machine", "good-2.0", "--accel", "x86emu", "--method",
                "none"], env=with_path(folder))
    checks.check("--method none" in done.stderr, f"reboot: {done.stderr}")


def check_path(checks, folder):
    first, second = folder / "first", folder / "second"
    for each in (first, second):
        each.mkdir()
    shutil.copy(PLUGINS / "umbra-machine-good.so", second)
    broken = first / "umbra-machine-good.so"

    def origin(**options):
        done = run([SYSTEM, *options.pop("words", []), "-M", "help"], **options)
        return next((line.split(" from ")[1] for line in done.stdout.splitlines()
                     if line.startswith("good ")), None)

    checks.check(origin() is None, "good is nowhere without a path")
    checks.check(origin(env=with_path(first, second)) == f"{second}/umbra-machine-good.so",
                 "the second folder of UMBRA_MODULE_DIR")
    checks.check(origin(words=["-L", str(second)]) == f"{second}/umbra-machine-good.so", "-L")
    checks.check(origin(words=["-L", str(PLUGINS)], env=with_path(second)) ==
                 f"{second}/umbra-machine-good.so", "UMBRA_MODULE_DIR goes before -L")
    # Of two files the first counts, whether it works or not: no silent second best.
    broken.write_text("no shared object")
    done = run([SYSTEM, *BASE, "-M", "good"], env=with_path(first, second))
    one_line(checks, done, "the first of two", (str(broken),))
    done = run([SYSTEM, *BASE, "-M", "../second/umbra"], env=with_path(first, second))
    one_line(checks, done, "a path as -M", ("unsupported machine type",))


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        collect(folder)
        check_bad(checks, folder)
        check_list(checks, folder)
        check_good(checks, folder)
        check_path(checks, folder)
    checks.close()


main()
