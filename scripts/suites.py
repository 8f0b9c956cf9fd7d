"""Runs suites of tests and adds up what they say: for scripts/run-tests and sanitize."""
import json
import os
import pathlib
import re
import subprocess

CHECK_TOTALS = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.M)
COUNTED = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


class Totals:
    """How many single tests passed, failed and were skipped."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Totals(self.passed + other.passed, self.failed + other.failed,
                      self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def good(self):
        return self.passed > 0 and self.failed == 0


def of_test(result):
    """The totals of one line of meson's log, shown."""
    name, output, passed = result["name"], result.get("stdout", ""), result["result"] == "OK"
    check_totals, counted = CHECK_TOTALS.findall(output), COUNTED.findall(output)
    if result["result"] == "SKIP":
        reason = (output.strip().splitlines() or ["no reason given"])[-1]
        print(f"{name}: skipped: {reason}")
        return Totals(skipped=1)
    if check_totals:
        bad = sum(int(failures) + int(errors) for _, failures, errors in check_totals)
        totals = Totals(sum(int(checks) for checks, _, _ in check_totals) - bad, bad)
        print("\n".join(f"{name}: {line.group(0)}" for line in CHECK_TOTALS.finditer(output)))
    elif counted:
        totals = Totals(*(int(count or 0) for count in counted[-1]))
        print(f"{name}: {totals.passed} passed, {totals.failed} failed")
    else:
        totals = Totals(passed=int(passed))
        print(f"{name}: {result['result'].lower()}")
    if not passed:
        print(output[-8000:], result.get("stderr", "")[-4000:], sep="\n")
        print(f"{name}: {result['result']} after {result['duration']:.1f} s")
        totals.failed = max(totals.failed, 1)
    return totals


def run_meson(build, arguments, **environment):
    """Runs a build folder's tests, showing meson's line for each as it ends, then libcheck's
    totals of each. Arguments go to `meson test`: names, options."""
    log = pathlib.Path(build) / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    meson = subprocess.Popen(["meson", "test", "-C", str(build), "--no-rebuild", *arguments],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             env={**os.environ, **environment})
    lines = []
    for line in meson.stdout:
        lines.append(line)
        if re.match(r"\s*\d+/\d+ ", line):
            print(line.rstrip(), flush=True)
    status = meson.wait()
    text = log.read_text() if log.exists() else ""
    totals = sum((of_test(json.loads(line)) for line in text.split("\n") if line.strip()),
                 Totals())
    if not text:
        print("".join(lines))
    if status and not totals.failed:
        totals.failed = 1
    return totals


def run_script(words):
    """Runs a script that closes with a line of totals; shows all but that line."""
    script = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    totals = Totals()
    for line in script.stdout:
        counted = COUNTED.fullmatch(line.strip())
        if counted:
            totals = Totals(*(int(count or 0) for count in counted.groups()))
        else:
            print(line, end="", flush=True)
    if script.wait() and not totals.failed:
        totals.failed = 1
    return totals
