#!/usr/bin/env python3
"""`meson install` into an empty folder: what must be there is, programs and manual pages
work from there, and a program and every public header compile against umbra.pc alone."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import Checks, install, skip

PROGRAM = r"""
#include <memory/mtree.h>
#include <memory/ram-block.h>
#include <stdio.h>

int main(void)
{
    static MemoryRegion root, ram;
    static AddressSpace space;
    g_autoptr(GString) text = g_string_new(NULL);
    MtreeOptions options = {0};
    GError *error = NULL;

    memory_region_init(&root, NULL, "system", UINT64_MAX);
    if (!memory_region_init_ram(&ram, NULL, "some.ram", 0x10000, &error)) {
        return 1;
    }
    memory_region_add_subregion(&root, 0x4000, &ram);
    address_space_init(&space, &root, "memory");
    mtree_print(text, &options);
    fputs(text->str, stdout);
    return 0;
}
"""

FILES = [
    "bin/umbra",
    "bin/umbra-system-x86_64",
    "share/man/man1/umbra.1",
    "share/man/man1/umbra-system-x86_64.1",
    "share/bash-completion/completions/umbra",
    "share/bash-completion/completions/umbra-system-x86_64",
    "share/umbra/pam-test.bin",
    "share/umbra/reboot-sector.bin",
    "include/umbra/memory/region.h",
    "include/umbra/memory/access.h",
    "include/umbra/hw/core/device.h",
    "include/umbra/hw/pci/pci.h",
    "include/umbra/machine/machine.h",
]


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, **options)


def check_completion(checks, prefix):
    """What bash would offer for some beginnings of a command line."""
    def offers(function, *words):
        script = (f'source "{prefix}/share/bash-completion/completions/umbra"; '
                  f'COMP_WORDS=({" ".join(words)} ""); '
                  f'COMP_WORDS=("${{COMP_WORDS[@]:0:{len(words)}}}"); '
                  f'COMP_CWORD={len(words) - 1}; {function}; echo "${{COMPREPLY[@]}}"')
        return run(["bash", "-c", script]).stdout.split()

    emulator, tool = f"{prefix}/bin/umbra-system-x86_64", f"{prefix}/bin/umbra"
    checks.check(offers("_umbra_system", emulator, "-nodef") == ["-nodefaults"], "-nodef")
    checks.check("pc-i440fx-7.2" in offers("_umbra_system", emulator, "-M", "pc-i"), "-M")
    checks.check(offers("_umbra_system", emulator, "-accel", "x8") == ["x86emu"], "-accel")
    checks.check(offers("_umbra_system", emulator, "-device", "isa-debug-e") ==
                 ["isa-debug-exit"], "-device")
    checks.check(offers("_umbra", tool, "expl") == ["explain"], "umbra expl")
    checks.check({"--pam", "--pci"} <= set(offers("_umbra", tool, "explain", "--p")),
                 "umbra explain --p")


def check_manual(checks, prefix):
    page = prefix / "share/man/man1/umbra-system-x86_64.1"
    text = page.read_text()
    help_text = run([prefix / "bin/umbra-system-x86_64", "-help"]).stdout
    for option in re.findall(r"^  (-\S+)", help_text, re.MULTILINE):
        checks.check("\\fB" + option.replace("-", "\\-") + "\\fR" in text,
                     f"{option} is not in the manual page")
    commands = re.findall(r"^  ([a-z]+) ", run([prefix / "bin/umbra", "--help"]).stdout,
                          re.MULTILINE)
    tool_page = (prefix / "share/man/man1/umbra.1").read_text()
    checks.check(len(commands) >= 5, f"commands: {commands}")
    for command in commands:
        checks.check(re.search(rf"^\.BR {command} ", tool_page, re.MULTILINE),
                     f"umbra {command} is not in the manual page")
    if shutil.which("groff"):
        for name in ("umbra.1", "umbra-system-x86_64.1"):
            done = run(["groff", "-man", "-ww", "-z", prefix / "share/man/man1" / name])
            checks.check(done.returncode == 0 and not done.stderr, f"{name}: {done.stderr}")


def check_development(checks, prefix, folder):
    def config(*words):
        done = run(["pkg-config", *words, "umbra"],
                   env=dict(os.environ, PKG_CONFIG_PATH=str(folder)))
        checks.check(done.returncode == 0, f"pkg-config: {done.stderr}")
        return done.stdout.split()

    (folder / "program.c").write_text(PROGRAM)
    done = run(["cc", "-std=gnu11", "-Wall", "-Werror", "-o", folder / "program",
                folder / "program.c", *config("--cflags"), *config("--libs")])
    if checks.check(done.returncode == 0, f"compiling: {done.stderr}"):
        output = run([folder / "program"]).stdout
        checks.check("0000000000004000-0000000000013fff (prio 0, ram): some.ram" in output,
                     f"the program printed {output!r}")

    flags = config("--cflags")
    headers = sorted((prefix / "include/umbra").rglob("*.h"))
    checks.check(len(headers) > 50, f"{len(headers)} headers")
    for header in headers:
        name = header.relative_to(prefix / "include/umbra")
        checks.check("internal" not in header.name, f"{name} is private")
        done = subprocess.run(
            ["cc", "-std=gnu11", "-fsyntax-only", "-x", "c", *flags, "-"],
            input=f'#include "{name}"\n', capture_output=True, text=True, timeout=60)
        checks.check(done.returncode == 0, f"{name} alone: {done.stderr[:500]}")


def main():
    for tool in ("pkg-config", "cc", "meson"):
        if not shutil.which(tool):
            skip(f"no {tool}")
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prefix = install(checks, folder)
        for file in FILES:
            checks.check((prefix / file).is_file(), f"{file} is not installed")
        version = run([prefix / "bin/umbra-system-x86_64", "-version"]).stdout
        checks.check("Umbra emulator version" in version, version)
        check_manual(checks, prefix)
        check_completion(checks, prefix)
        check_development(checks, prefix, folder)
    checks.close()


main()
