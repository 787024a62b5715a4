"""What the API costs beside a bare hello on the same server, and what it stands.

    python -m benchmarks.serving            all questions, within 5 CPU minutes
    python -m benchmarks.serving rates kills

Needs `wrk` and `hey`, as Debian has them. Every figure is a ratio within one run. Exits 1 when one
that is wanted is missed; the last line says which.
"""

from __future__ import annotations

import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import serving_faults as faults
from benchmarks.server_process import Server, anonymous_bytes, cpu_seconds, running
from benchmarks.synthetic_release import Size, publish

LARGE = Size(members=100_000, titles=20_000)

NOW = "2026-01-01T01:00:00+00:00"

ROUNDS, SECONDS, CONNECTIONS = 3, 2, 16

LUA = """
local n = 0
math.randomseed({seed})
request = function()
  n = n + 1
  local member = string.format("m-%06d", math.random(0, {members} - 1))
  {body}
end
"""

GET = 'return wrk.format("GET", "/v1/members/" .. member .. "{path}")'

POST = """
  local event = '[{"stream":"plays","event_id":"b-SEED-' .. n .. '",'
    .. '"event_at":"2026-01-01T00:30:00Z","member_id":"' .. member .. '",'
    .. '"title_id":"t-00017","watched_seconds":600}]'
  return wrk.format("POST", "/v1/events", {["content-type"] = "application/json"}, event)
"""

Row = tuple[str, str, str, bool]
"""What was asked, what was found, what is wanted, whether it holds."""


@dataclass(frozen=True)
class Load:
    """What `wrk` found."""

    per_second: float
    p50: float
    p99: float
    """Milliseconds."""

    errors: int
    cpu: float
    """Microseconds of the worker for each answer."""


def wrk(server: Server, path: str, *, seconds: float = SECONDS, script: str = "") -> Load:
    """Load a route."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        more = ["-s", file.name] if script else []
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *more]
        (worker,) = server.workers
        before = cpu_seconds(worker)
        text = subprocess.run(
            [*command, server.url(path)], capture_output=True, text=True, check=True
        ).stdout
        used = cpu_seconds(worker) - before
    found = {
        name: _milliseconds(text, rf"^ +{name}%\s+([\d.]+(?:us|ms|s))$") for name in ("50", "99")
    }
    errors = sum(int(one) for one in re.findall(r"Non-2xx or 3xx responses: (\d+)", text))
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    answers = re.search(r"(\d+) requests in", text)
    cpu = 1e6 * used / max(1, int(answers[1])) if answers else float("nan")
    return Load(float(rate[1]) if rate else 0.0, found["50"], found["99"], errors, cpu)


def _milliseconds(text: str, pattern: str) -> float:
    match = re.search(pattern, text, re.MULTILINE)
    if not match:
        return float("nan")
    number, unit = match[1].rstrip("ums"), match[1].lstrip("0123456789.")
    return float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def hey(server: Server, path: str, rate: float, seconds: float) -> float:
    """p99 in milliseconds at a steady rate."""
    workers = 8
    command = ["hey", "-z", f"{seconds:g}s", "-c", str(workers), "-q", f"{rate / workers:.2f}"]
    text = subprocess.run(
        [*command, server.url(path)], capture_output=True, text=True, check=True
    ).stdout
    match = re.search(r"99%%? in ([\d.]+) secs", text)
    return float(match[1]) * 1e3 if match else float("nan")


def rates(home: Path) -> list[Row]:
    """Requests a second and latency of each route beside hello, in turns."""
    scripts = {
        "bare ASGI": ("/bare", ""),
        "hello": ("/hello", ""),
        "slate": ("/", GET.replace("{path}", "/slate")),
        "page": ("/", GET.replace("{path}", "/page")),
        "why": ("/", GET.replace("{path}", "/why/t-00017")),
        "events": ("/", POST),
    }
    found: dict[str, list[Load]] = {name: [] for name in scripts}
    shares: dict[str, list[float]] = {name: [] for name in scripts}
    rows: list[Row] = []
    with running(home, workers=1, now=NOW) as server:
        for path in ("slate", "page", "why/t-00017"):  # what is opened at the first request
            wrk(server, f"/v1/members/m-000001/{path}", seconds=1)
        # Events last: they change what the members' lists follow from.
        for name, (path, body) in scripts.items():
            for turn in range(ROUNDS):
                script = LUA.format(
                    seed=turn, members=LARGE.members, body=body.replace("SEED", str(turn))
                )
                hello = wrk(server, "/hello", seconds=1)
                mine = wrk(server, path, script=script if body else "")
                after = wrk(server, "/hello", seconds=1)
                found[name].append(mine)
                shares[name].append(mine.per_second / max(hello.per_second, after.per_second))
        steady = _median([one.per_second for one in found["page"]]) / 2
        pairs = [
            (
                hey(server, "/hello", steady, 3),
                hey(server, f"/v1/members/{one}/page", steady, 3),
            )
            for one in ("m-000777", "m-010777", "m-077777")
        ]
        anonymous, pss = anonymous_bytes(server.workers[0])
    wanted = {"slate": 0.5, "events": 0.2}
    for name, loads in found.items():
        share = _median(shares[name])
        rate, p50, p99, cpu = (
            _median([getattr(one, part) for one in loads])
            for part in ("per_second", "p50", "p99", "cpu")
        )
        errors = sum(one.errors for one in loads)
        text = (
            f"{rate:,.0f}/s, {share:.0%} of hello, p50 {p50:.2f} ms, p99 {p99:.2f} ms, "
            f"{cpu:,.0f} us of CPU, {errors} errors"
        )
        least = wanted.get(name, 0.0)
        limit = f"at least {least:.0%}, no errors" if least else "no errors"
        rows.append((name, text, limit, share >= least and not errors))
    ratio = _median([mine / bare for bare, mine in pairs])
    bare, mine = (_median([pair[place] for pair in pairs]) for place in (0, 1))
    text = f"page {mine:.2f} ms, hello {bare:.2f} ms: {ratio:.1f} times"
    rows.append((f"p99 at {steady:,.0f}/s", text, "at most 5 times", ratio <= 5))
    text = f"{anonymous / 1e6:,.0f} MB without files, {pss / 1e6:,.0f} MB Pss"
    rows.append(("memory of a worker", text, "under 200 MB without files", anonymous < 200e6))
    return rows


def _median(numbers: list[float]) -> float:
    return statistics.median(numbers)


def main() -> int:
    """Run the questions that are named, or all."""
    missing = [one for one in ("wrk", "hey") if shutil.which(one) is None]
    if missing:
        sys.stdout.write(f"not there: {', '.join(missing)}; apt-get install wrk hey\n")
        return 1
    questions: dict[str, Callable[[Path], list[Row]]] = {
        "rates": lambda root: rates(_home(root, LARGE)),
        "kills": lambda root: faults.kills(_home(root, faults.SMALL)),
        "half_open": lambda root: faults.half_open(_home(root, faults.SMALL)),
        "swaps": faults.swaps,
    }
    missed = []
    for name in sys.argv[1:] or questions:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="matinee-bench-") as root:
            rows = questions[name](Path(root))
        for row in rows:
            sys.stdout.write(f"{'PASS' if row[3] else 'MISS'}  {row[0]}  {row[1]}  ({row[2]})\n")
            sys.stdout.flush()
        missed += [row[0] for row in rows if not row[3]]
        sys.stdout.write(f"      {name} took {time.monotonic() - began:.0f} s\n")
    used = sum(
        sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    summary = f"missed: {', '.join(missed)}" if missed else "all that is wanted holds"
    sys.stdout.write(f"{summary}; {used:.0f} CPU seconds\n")
    return int(bool(missed))


def _home(root: Path, size: Size) -> Path:
    home = root / "home"
    home.mkdir()
    publish(home, size, seed=1)
    return home


if __name__ == "__main__":
    sys.exit(main())
