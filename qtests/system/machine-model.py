#!/usr/bin/env python3
"""docs/machine-model.md, word for word: its files are written, its commands run against a
fresh installation, and what they print is what the page says."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import Checks, install, run, skip

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "machine-model.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


def environment_of(prefix, folder):
    """The installation's programs first, its umbra.pc, and no plugins of ours."""
    environment = dict(os.environ, PATH=f"{prefix}/bin:{os.environ['PATH']}",
                       PKG_CONFIG_PATH=str(folder))
    environment.pop("UMBRA_MODULE_DIR", None)
    return environment


def read_page(folder):
    """Writes the page's files; its commands in order, each with the output that it shows."""
    steps = []
    for language, name, text in BLOCK.findall(PAGE.read_text()):
        if name:
            (folder / name).write_text(text)
        elif language == "sh":
            steps.append([text, None])
        elif language == "text":
            steps[-1][1] = text
    return steps


def main():
    for tool in ("pkg-config", "cc", "meson"):
        if not shutil.which(tool):
            skip(f"no {tool}")
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prefix = install(checks, folder)
        environment = environment_of(prefix, folder)
        work = folder / "work"
        work.mkdir()
        steps = read_page(work)
        checks.check(len(steps) == 4 and (work / "abacus.c").exists() and
                     (work / "test.py").exists(), f"the page has {len(steps)} steps")
        # One shell for all steps, as the reader's; a mark ends each step's output.
        mark = "-- end of a step --"
        script = "set -e\n" + "".join(f"{commands}\necho '{mark}'\n" for commands, _ in steps)
        done = subprocess.run(["bash", "-c", script], cwd=work, env=environment, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        checks.check(done.returncode == 0, f"status {done.returncode}: {done.stderr}")
        outputs = done.stdout.split(mark + "\n")
        for (commands, expected), output in zip(steps, outputs):
            checks.check(output == (expected or ""), f"{commands} printed\n{output}")
        checks.check(len(outputs) == len(steps) + 1, "a step is missing")

        # The plugins that are installed are found there, by both programs; the page's are not
        # until somebody puts them there or says where they are.
        drawn = run(["umbra", "mtree", "--machine", "vmd-7.1"], env=environment)
        checks.check("vmd.bios-low" in drawn.stdout, f"umbra mtree: {drawn.stderr}")
        listed = run(["umbra-system-x86_64", "-M", "help"], env=environment).stdout
        modules = run(["pkg-config", "--variable=moduledir", "umbra"],
                      env=environment).stdout.strip()
        checks.check(pathlib.Path(modules) == next(prefix.glob("lib*/**/umbra")),
                     f"moduledir is {modules}")
        checks.check(f"from {modules}/umbra-machine-vmd.so" in listed, listed)
        checks.check("abacus" not in listed, "a plugin that nobody has installed")
        listed = run(["umbra-system-x86_64", "-M", "help"],
                     env=dict(environment, UMBRA_MODULE_DIR=str(work))).stdout
        checks.check(f"RAM, ROM and an adder  from {work}/umbra-machine-abacus.so" in listed,
                     listed)
    checks.close()


main()
