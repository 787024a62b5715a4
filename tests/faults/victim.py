"""Runs steps of a night in child processes that tests kill: `python -m tests.faults.victim`.

The engines are imported once. For each line on stdin, such as `receive HOME` or `receive HOME 4096`
(maximum bytes of a file), a child is forked. It prints `begin` before its work, `at ...` during it
and `end` after it, so that tests know whether and where a kill landed. The parent prints `pid N`
before, and `gone N` (the exit code, or minus the signal) at the end.
"""

import importlib
import os
import resource
import signal
import sys
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from matinee import pipeline, releases
from matinee.errors import MatineeError, StorageError
from matinee.releases import files
from matinee.settings import Settings

ENGINES = (
    "dbt.cli.main",
    "dbt.adapters.duckdb",
    "duckdb",
    "feast",
    "great_expectations",
    "lightfm",
    "pyarrow.dataset",
    "scipy.stats",
)


def write_line(text):
    """Write a line in one call, so that lines of parent and child do not mix."""
    os.write(1, f"{text}\n".encode())


@contextmanager
def report_step(what):
    write_line(f"at {what}")
    yield lambda done, total, name: None


def receive(settings):
    pipeline.receive(settings)


def dbt(settings):
    pipeline.build(pipeline.begin(settings))


def training(settings):
    night = pipeline.begin(settings)
    pipeline.frame(night)
    pipeline.hold_out(night)
    for frame in pipeline.FITS:
        pipeline.fit(night, frame)
    pipeline.combine(night)


PREPARED = []


class ReadyError(Exception):
    """Raised at the publish step of a prepared night."""


def prepare(settings):
    """Run a night without `publish`, which is run by steps that are forked later."""

    def save(night, evidence):
        PREPARED[:] = night, evidence
        raise ReadyError

    with suppress(ReadyError), mock.patch("matinee.night.run.publish", save):
        night(settings)


def publishing(settings):
    """Run `pipeline.publish`: pages, signature, rename, aliases."""
    night, evidence = PREPARED
    pipeline.publish(replace(night, started_at=datetime.now(UTC)), evidence)


def swapping(settings):
    """The same, with a line after the rename and before `live` moves."""
    rename = files.rename

    def reporting_rename(source, target):
        rename(source, target)
        write_line("at renamed")

    with mock.patch.object(files, "rename", reporting_rename):
        publishing(settings)


def careless(settings):
    """The positive control: a publisher that writes in place. A kill must damage live."""
    live = releases.Store.of(settings.home).open("live")
    for record in live.manifest["files"]:
        path = live.path / record["file"]
        data = path.read_bytes()
        with path.open("wb", buffering=0) as file:
            file.write(data[: len(data) // 2])
            write_line("at half a file")
            time.sleep(0.05)
            file.write(data[len(data) // 2 :])


def night(settings):
    pipeline.run(settings, last_day=None, full_refresh=False, progress=report_step)


STEPS = {
    step.__name__: step for step in (receive, dbt, training, publishing, swapping, careless, night)
}


def child(settings, step, file_bytes="0"):
    if int(file_bytes):  # simulates a full disk: writes beyond the limit fail with EFBIG
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_bytes), int(file_bytes)))
    write_line("begin")
    try:
        # A whole night takes the lease itself, and handles a full disk.
        with nullcontext() if step == "night" else pipeline.lease(settings, step):
            STEPS[step](settings)
    except MatineeError as error:
        write_line(f"refused: {error}")
        return error.exit_code
    except OSError as error:  # as the command line does
        write_line(f"refused: {error}")
        return StorageError.exit_code
    write_line("end")
    return 0


def main():
    for name in ENGINES:
        importlib.import_module(name)
    write_line("ready")
    for line in sys.stdin:
        step, home, *more = line.split()
        settings = Settings(home=Path(home))
        if step == "prepare":
            prepare(settings)
            write_line("ready")
            continue
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.read(reader, 1)  # wait until the pid is printed
                code = child(settings, step, *more)
            finally:
                os._exit(code)
        write_line(f"pid {pid}")
        os.write(writer, b".")
        os.close(reader)
        os.close(writer)
        write_line(f"gone {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


if __name__ == "__main__":
    main()
