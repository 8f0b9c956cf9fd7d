"""What the system tests share: running the programs, counting checks, skipping."""
import os
import pathlib
import re
import subprocess
import sys

BUILD = pathlib.Path(os.environ.get("UMBRA_BUILD_DIR", "build"))
SYSTEM = str(BUILD / "machine" / "umbra-system-x86_64")
UMBRA = str(BUILD / "machine" / "umbra")


class Checks:
    """Counts checks and closes with the line "N passed, N failed"."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, what):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}", flush=True)
        return good

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def run(command, timeout=120, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **options)


def install(checks, folder):
    """Installs the build into `folder`; the prefix there. folder/umbra.pc is the installed one
    with that prefix in place of where it would be without DESTDIR."""
    done = run(["meson", "install", "-C", str(BUILD), "--no-rebuild", "--destdir",
                str(folder / "root")], timeout=300)
    checks.check(done.returncode == 0, f"meson install: {done.stdout}{done.stderr}")
    prefix = next((folder / "root").rglob("bin")).parent
    description = next(prefix.glob("lib*/**/umbra.pc")).read_text()
    (folder / "umbra.pc").write_text(
        re.sub("^prefix=.*$", f"prefix={prefix}", description, flags=re.M))
    return prefix


def accels():
    """The accelerators that work here, by asking each to start."""
    usable = []
    for accel in ("x86emu", "kvm"):
        started = run([UMBRA, "reboot", "--accel", accel, "--method", "none"])
        if "--accel" not in started.stderr:
            usable.append(accel)
        else:
            print(f"without {accel}: {started.stderr.strip()}", flush=True)
    return usable
