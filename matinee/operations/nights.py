"""The record of each night in `reports/nights/`: when it ran, how it ended, why, and what to do.

A night of the command line and one of the flow leave the same record. It is written before each
step, so a night that was killed leaves one too: the next holder of the home marks it `crashed`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from matinee import durable, landing, provenance, releases
from matinee.errors import (
    BusyError,
    ConfigError,
    GateError,
    InterruptError,
    MatineeError,
    RefusedError,
    StorageError,
)
from matinee.evaluation.gate import Status
from matinee.night.lease import lease
from matinee.night.run import NightRun
from matinee.night.validate import STOPPED
from matinee.operations import metrics, notify
from matinee.settings import Settings

FOLDER = "reports/nights"
KEPT = 400
"""Records that are kept: the newest."""

RUNNING, CRASHED = "running", "crashed"
LIVE, NOT_LIVE, REFUSED = "live", "not live", "refused"

STATES: Mapping[type[BaseException], str] = {
    RefusedError: REFUSED,
    BusyError: "busy",
    InterruptError: "interrupted",
}
"""How a night ends with an error; with any other one it is `failed`."""

NEXT = {
    1: "`matinee run` once more; if it fails again, report it with `matinee doctor`",
    2: "correct what the message names, then `matinee run`",
    4: "wait for the holder that the message names, or end it; then `matinee run`",
    5: "follow the message; often `matinee run --full-refresh`",
    6: "free space or repair access, then `matinee run`",
    130: "`matinee run`",
}
"""What to do after an exit code."""

Record = dict[str, Any]


@dataclass
class Recorder:
    """Writes the record of one night as it goes on."""

    run: NightRun
    tell: Callable[[str], None]
    record: Record

    def begin(self) -> list[Record]:
        """Start the record, and mark those of dead nights. The caller holds the home."""
        dead = [self._mark_dead(one) for one in records(self.home) if one["state"] == RUNNING]
        self.run.before_step = self._write_step
        self._write(state=RUNNING)
        return dead

    def end(self, error: BaseException | None) -> None:
        """Complete the record, write the metrics, and notify when the state has changed."""
        self._write(**_ending(self.run, error), ended_at=datetime.now(UTC), step=None)
        for old in list_paths(self.home)[KEPT:]:
            durable.remove(old)
        metrics.write(self.home, self.record)
        notify.night(self.home, self.record, tell=self.tell)

    @property
    def home(self) -> Path:
        return self.run.settings.home.resolve()

    def _mark_dead(self, record: Record) -> Record:
        dead = record | {
            "state": CRASHED,
            "exit_code": 1,
            "error": f"the process ended in step {record['step'] or 'receive'} without a word: "
            f"killed, out of memory, or the machine stopped",
            "next": "nothing: the night that found this runs now",
        }
        durable.replace(self.home / FOLDER / f"{dead['id']}.json", provenance.readable_json(dead))
        notify.night(self.home, dead, tell=self.tell)
        return dead

    def _write_step(self, name: str) -> None:
        self._write(step=name)

    def _write(self, **fields: Any) -> None:
        self.record |= provenance.plain(fields, "night")
        path = self.home / FOLDER / f"{self.record['id']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(path, provenance.readable_json(self.record))


@contextmanager
def recorded(
    run: NightRun,
    *,
    flow_run: str = "",
    patience_seconds: float = 0,
    tell: Callable[[str], None] = lambda message: None,
) -> Iterator[list[Record]]:
    """Hold the home for a night, as `lease` does, and record how it ends.

    `flow_run` is the id of the Prefect flow run. Yields the records of nights that died before.
    `tell` is called with what goes wrong with the record, the metrics or a notification: none of
    it stops the night.
    """
    recorder = Recorder(run, tell, first_record(run, flow_run))
    try:
        with lease(run.settings, "night", patience_seconds=patience_seconds, tell=tell):
            yield _attempt(recorder.begin, tell) or []
    except BaseException as error:
        _attempt(partial(recorder.end, error), tell)
        raise
    _attempt(partial(recorder.end, None), tell)


def records(home: Path, limit: int = KEPT) -> list[Record]:
    """The records of the newest nights, the newest first."""
    return [
        provenance.document(path.read_bytes(), path, "remove it")
        for path in list_paths(home)[:limit]
    ]


def record_of(settings: Settings, name: str = "last") -> Record:
    """The record of a night by its id or the start of one; `last` is the newest.

    Raises
    ------
    ConfigError
        If there is none.
    """
    found = records(settings.home.resolve())
    matching = [one for one in found if name == "last" or one["id"].startswith(name)]
    if not matching:
        raise ConfigError(f"no record of a night {name!r}: `matinee nights` lists them")
    return matching[0]


def list_nights(settings: Settings, limit: int) -> list[Record]:
    """One row a night for a table, the newest first."""
    return [
        {
            "night": one["id"],
            "state": one["state"],
            "day": one["last_day"] or "",
            "minutes": round(sum(step["seconds"] for step in one["steps"]) / 60, 1),
            "release": one["release_id"] or "",
            "why": one["error"] or one["note"] or "",
        }
        for one in records(settings.home.resolve(), limit)
    ]


def list_paths(home: Path) -> list[Path]:
    """The files of all records, the newest first."""
    return sorted((home / FOLDER).glob("*.json"), reverse=True)


def first_record(run: NightRun, flow_run: str = "") -> Record:
    """What is known of a night before it holds the home."""
    started_at = datetime.now(UTC)
    record: Record = {
        "id": f"{started_at:%Y%m%dT%H%M%S.%fZ}",
        "state": RUNNING,
        "started_at": started_at,
        "ended_at": None,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "flow_run": flow_run or None,
        "last_day": run.last_day,
        "full_refresh": run.full_refresh,
        "accepted": sorted(run.accepted),
        "step": None,
        "steps": [],
        "exit_code": None,
        "release_id": None,
        "note": None,
        "error": None,
        "next": None,
        "failed_rules": [],
        "warned_rules": [],
        "set_aside": [],
        "warnings": [],
        "evaluation": None,
    }
    plain: Record = provenance.plain(record, "night")
    return plain


def _ending(run: NightRun, error: BaseException | None) -> Record:
    """How the night ended, from the results of its steps and its error."""
    code = _exit_code(error)
    ending = _findings(run) | {"exit_code": code}
    if published := getattr(run, "published", None):
        ending |= {"release_id": published.release_id, "note": published.note}
        if published.refusals and (error is None or isinstance(error, GateError)):
            show = f"`matinee releases show {published.release_id} --full`"
            ending |= {
                "state": REFUSED,
                "exit_code": GateError.exit_code,
                "error": "; ".join(published.refusals),
                "next": f"{show}, then correct the cause, or promote it with an override",
            }
            return ending
    if error is None:
        aliases = releases.Store.of(run.settings.home).aliases()
        is_live = aliases.live is not None and aliases.live.release_id == ending["release_id"]
        return ending | {"state": LIVE if is_live else NOT_LIVE}
    state = next((name for kind, name in STATES.items() if isinstance(error, kind)), "failed")
    text = str(error) if isinstance(error, MatineeError) else f"{type(error).__name__}: {error}"
    cure = NEXT.get(code, NEXT[1])
    if code == RefusedError.exit_code:
        page = run.settings.home.resolve() / f"reports/{STOPPED}.html"
        cure = f"look at {page}, repair what landed, then `matinee run`"
    return ending | {"state": state, "error": " ".join(text.split()), "next": cure}


def _findings(run: NightRun) -> Record:
    """What the steps found that somebody should look at; a night that failed has some of them."""
    findings: Record = {"steps": [{"step": k, "seconds": v} for k, v in run.durations.items()]}
    if night := getattr(run, "night", None):
        findings |= {"last_day": night.last_day}
    if receipt := getattr(run, "receipt", None):
        findings |= {"set_aside": set_aside(receipt), "warnings": [*receipt.warnings]}
    if checked := getattr(run, "validation", None):
        findings["warnings"] = [
            *findings["warnings"],
            *(one.published for one in (*checked.warnings, *checked.passed_over)),
        ]
    if plan := getattr(run, "plan", None):
        findings["evaluation"] = plan.note
    verdicts = [
        verdict
        for step in ("evaluation", "scored")
        for verdict in getattr(getattr(run, step, None), "verdicts", ())
    ]
    for name, status in (("failed_rules", Status.FAIL), ("warned_rules", Status.WARN)):
        findings[name] = [
            {"rule": one.rule, "text": one.text} for one in verdicts if one.status is status
        ]
    return findings


def set_aside(receipt: landing.Receipt) -> list[Record]:
    """The quarantined files and their reasons."""
    return [{"file": entry.file, "reason": entry.reason} for entry in receipt.set_aside]


def _exit_code(error: BaseException | None) -> int:
    if error is None:
        return 0
    if isinstance(error, KeyboardInterrupt):
        return InterruptError.exit_code
    if isinstance(error, OSError):
        return StorageError.exit_code
    return error.exit_code if isinstance(error, MatineeError) else 1


def _attempt(call: Callable[[], Any], tell: Callable[[str], None]) -> Any:
    """Call it; a failure is reported and stops nothing."""
    try:
        return call()
    except (MatineeError, OSError, ValueError) as error:
        tell(f"the record of this night is not complete: {error}")
        return None
