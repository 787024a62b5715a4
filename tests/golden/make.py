"""Writes a golden release of the manifest version of today: `python -m tests.golden.make`.

Run once when the version goes up, then commit the new folder. The old ones are never written again:
they are what operators have on their disks.
"""

import shutil
import tempfile
from pathlib import Path

from matinee import provenance, releases
from tests.releases.samples import publish

HERE = Path(__file__).parent


def make() -> None:
    folder = HERE / f"schema_{provenance.SCHEMA_VERSION}"
    with tempfile.TemporaryDirectory() as scratch:
        store = releases.Store(Path(scratch, "releases"), keys=Path(scratch, "keys"))
        release = publish(store)
        shutil.copytree(release.path, folder / "releases" / release.id)
        # The private key is thrown away: nothing else will ever be signed with it.
        for public in store.keys.glob("*.pub"):
            (folder / "keys").mkdir(parents=True)
            shutil.copy(public, folder / "keys")


if __name__ == "__main__":
    make()
