"""Writes golden releases of the manifest version of today: `python -m tests.golden.make [night]`.

Run once when the version goes up, then commit the new folder. The old ones are never written again:
they are what operators have on their disks. `schema_N` is the store's own form and nothing more;
`night_N` is all that a night of a tiny simulated service publishes.
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
        # The private key is thrown away: nothing else will ever be signed with it.
        for public in store.keys.glob("*.pub"):
            (folder / "keys").mkdir(parents=True)
            shutil.copy(public, folder / "keys")


if __name__ == "__main__":
    make(*sys.argv[1:] or ["schema"])
