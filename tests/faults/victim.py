"""Steps of a night in processes that are there to be killed: `python -m tests.faults.victim`.

The engines are imported once. For each line on stdin, such as `receive HOME` or `receive HOME
4096` (bytes that a file may grow to), a child is forked which says `begin` before its work, `at
...` on its way and `end` after it, so whoever kills it knows whether and where the fault landed.
`pid N` comes before, `gone N` (the exit code, below 0 the signal) at last.
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
from matinee.night import publish as publish_step
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


def say(word):
    """In one write, so that lines of a child and of its parent stay lines."""
    os.write(1, f"{word}\n".encode())


@contextmanager
def told(what):
    say(f"at {what}")
    yield lambda done, total, name: None


def receive(settings):
    pipeline.receive(settings)


def dbt(settings):
    pipeline.build(pipeline.begin(settings))


def training(settings):
    night = pipeline.begin(settings)
    pipeline.frame(night)
    for wanted in pipeline.FITS:
        pipeline.fit(night, wanted)
    pipeline.combine(night)


PREPARED = []


class ReadyError(Exception):
    """The night has come to where it would publish."""


def prepare(settings):
    """Everything of a night but `publish`, which the steps forked later then do."""

    def keep(night, evidence):
        PREPARED[:] = night, evidence
        raise ReadyError

    with suppress(ReadyError), mock.patch.object(publish_step, "publish", keep):
        night(settings)


def publishing(settings):
    """`pipeline.publish` itself: draws the pages, signs, renames, moves `live`."""
    night, evidence = PREPARED
    pipeline.publish(replace(night, started_at=datetime.now(UTC)), evidence)


def swapping(settings):
    """The same, which says when the release has its name and `live` has not moved yet."""
    rename = files.rename

    def told_rename(source, target):
        rename(source, target)
        say("at renamed")

    with mock.patch.object(files, "rename", told_rename):
        publishing(settings)


def careless(settings):
    """The positive control: a publisher that writes in place. Killed, it must leave a torn live."""
    live = releases.Store.of(settings.home).open("live")
    for record in live.manifest["files"]:
        path = live.path / record["file"]
        data = path.read_bytes()
        with path.open("wb", buffering=0) as file:
            file.write(data[: len(data) // 2])
            say("at half a file")
            time.sleep(0.05)
            file.write(data[len(data) // 2 :])


def night(settings):
    pipeline.run(settings, last_day=None, full_refresh=False, progress=told)


STEPS = {
    step.__name__: step for step in (receive, dbt, training, publishing, swapping, careless, night)
}


def child(settings, step, file_bytes="0"):
    if int(file_bytes):  # a disk that takes no more: the kernel refuses what is beyond, as EFBIG
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_bytes), int(file_bytes)))
    say("begin")
    try:
        # A whole night holds the home by itself, and says what a full disk comes to.
        with nullcontext() if step == "night" else pipeline.lease(settings, step):
            STEPS[step](settings)
    except MatineeError as error:
        say(f"refused: {error}")
        return error.exit_code
    except OSError as error:  # as the command line does
        say(f"refused: {error}")
        return StorageError.exit_code
    say("end")
    return 0


def main():
    for name in ENGINES:
        importlib.import_module(name)
    say("ready")
    for line in sys.stdin:
        step, home, *more = line.split()
        settings = Settings(home=Path(home))
        if step == "prepare":
            prepare(settings)
            say("ready")
            continue
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.read(told, 1)  # the pid is said first
                code = child(settings, step, *more)
            finally:
                os._exit(code)
        say(f"pid {pid}")
        os.write(tell, b".")
        os.close(told)
        os.close(tell)
        say(f"gone {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


if __name__ == "__main__":
    main()
