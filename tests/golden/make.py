"""Writes golden releases of the current manifest version: `python -m tests.golden.make [night]`.

Run once when the version changes, then commit the new folder. Old folders are never written again,
because operators have such releases on their disks. `schema_N` is a minimal release of the store.
`night_N` is the release of a night of a tiny simulated service.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from matinee import pipeline, provenance, releases
from tests.conftest import run_night
from tests.releases.samples import publish

HERE = Path(__file__).parent
TINY = {"members": 60, "titles": 80, "days": 14, "seed": 1}


def make_schema(scratch: Path) -> releases.Store:
    store = releases.Store(scratch / "releases", keys=scratch / "keys")
    publish(store)
    return store


def make_night(scratch: Path) -> releases.Store:
    pipeline.simulate(scratch, **TINY)
    run_night(scratch)
    return releases.Store.of(scratch)


def make(kind: str) -> None:
    folder = HERE / f"{kind}_{provenance.SCHEMA_VERSION}"
    with tempfile.TemporaryDirectory() as scratch:
        store = {"schema": make_schema, "night": make_night}[kind](Path(scratch))
        (release,) = store.list()
        shutil.copytree(release.path, folder / "releases" / release.id)
        # The private key is not kept, so that it signs nothing else.
        for public in store.keys.glob("*.pub"):
            (folder / "keys").mkdir(parents=True)
            shutil.copy(public, folder / "keys")


if __name__ == "__main__":
    make(*sys.argv[1:] or ["schema"])
