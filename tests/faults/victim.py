"""One step of a night in a process that is there to be killed: `python -m tests.faults.victim`.

It prints `begin` when the step is about to do its work and `end` when it has done it, so whoever
kills it knows whether the fault landed in between.
"""

import resource
import shutil
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from matinee import pipeline, releases
from matinee.releases.reissue import fields_of, names_of_files
from matinee.settings import Settings


def receive(settings):
    pipeline.receive(settings)


def dbt(settings):
    pipeline.build(pipeline.begin(settings))


def training(settings):
    night = pipeline.begin(settings)
    pipeline.frame(night)
    pipeline.choose_trend(night)
    for wanted in pipeline.FITS:
        pipeline.fit(night, *wanted)


def publishing(settings):
    """Publish the files of the live release once more, under a new id, and make it live."""
    store = pipeline.store(settings)
    store.sweep()
    live = store.open("live")
    at = max(datetime.now(UTC), _created(store) + timedelta(seconds=1))
    with store.draft() as draft:
        _copy(live, draft.path)
        fields = {**fields_of(live), "created_at": at}
        release = store.publish(draft, fields, again=True)
    store.promote(release.id, expected=live.id, at=at, by="victim", why="progress")


def careless(settings):
    """The positive control: a publisher that writes in place. Killed, it must leave a torn live."""
    live = pipeline.store(settings).open("live")
    for name in names_of_files(live):
        path = live.path / name
        data = path.read_bytes()
        with path.open("wb", buffering=0) as file:
            for byte in range(0, len(data), 64):
                file.write(data[byte : byte + 64])


def night(settings):
    from tests.conftest import silent

    with releases.lease(settings.home.resolve(), name="control"):  # says that it is under way
        pipeline.run(settings, last_day=None, full_refresh=False, progress=silent)


def _created(store):
    return max(datetime.fromisoformat(one.manifest["created_at"]) for one in store.list())


def _copy(release, folder):
    for name in names_of_files(release):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(release.path / name, folder / name)


STEPS = {step.__name__: step for step in (receive, dbt, training, publishing, careless, night)}


def main(step, home, file_bytes="0"):
    settings = Settings(home=Path(home))
    if int(file_bytes):  # a disk that takes no more: the kernel refuses what is beyond, as EFBIG
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_bytes), int(file_bytes)))
    print("begin", flush=True)
    STEPS[step](settings)
    print("end", flush=True)


if __name__ == "__main__":
    from matinee.errors import MatineeError, StorageError

    try:
        main(*sys.argv[1:])
    except MatineeError as error:
        print(f"refused: {error}", flush=True)
        sys.exit(error.exit_code)
    except OSError as error:  # as the command line does
        print(f"refused: {error}", flush=True)
        sys.exit(StorageError.exit_code)
