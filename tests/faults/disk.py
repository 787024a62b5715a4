"""Fills a small disk during a step: exit code 6, live intact, and progress once there is space."""

import os
import shutil
import subprocess
from contextlib import contextmanager

from matinee import pipeline
from matinee.settings import Settings
from tests.faults import harness

STEPS = ("receive", "dbt", "training", "publishing")
OUTPUTS = {"receive": "received", "training": "work"}
"""Folders that a step writes again, removed first: replacing them would free space."""

SHARES = (0, 0.25, 0.5, 0.75, 0.95)
"""Share of the output of a step that fits on the disk."""


class NoDiskError(Exception):
    """Mounting a disk needs root."""


@contextmanager
def small(folder):
    """A separate disk in memory."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1g", "matinee-faults", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise NoDiskError(error.stderr.strip()) from None
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(warm, saved, step):
    """Run a step repeatedly on a disk with space for a part of its output."""
    tally = harness.Tally(f"full-{step}")
    ballast = warm.home.parent / "ballast"
    if step == "publishing":
        warm.prepare()
    elif step == "dbt":
        warm.run("receive")
    shutil.copytree(warm.home, saved)

    def restore():
        ballast.unlink(missing_ok=True)
        shutil.rmtree(warm.home)
        shutil.copytree(saved, warm.home)
        if step in OUTPUTS:
            shutil.rmtree(warm.home / OUTPUTS[step])

    def free():
        disk = os.statvfs(warm.home)
        return disk.f_bavail * disk.f_frsize

    restore()
    before = free()
    complete = warm.run(step)
    assert complete.is_through, f"{step} fails even with enough space: {complete.output[-1]}"
    written, live = before - free(), _live(saved)
    assert written > 0, f"{step} writes nothing, so it cannot fill a disk"
    for share in SHARES:
        restore()
        left = int(written * share)
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free() - left)
        tally.fired += 1
        full = warm.run(step)
        if full.code == 6:
            tally.landed += 1
            tally.windows[f"with {left / 1e6:.1f} MB left"] += 1
        else:
            tally.broken.append(
                f"exit code {full.code} with {left:,} bytes left: {full.output[-1]}"
            )
        tally.broken += harness.broken(warm.home)
        if (now := _live(warm.home)) != live:
            tally.broken.append(f"live is {now}")
        ballast.unlink()
        if step == "publishing":  # a draft moves files of work/: restore them
            shutil.rmtree(warm.home / "work")
            shutil.copytree(saved / "work", warm.home / "work")
        tally.progress += warm.run(step).is_through
        tally.broken += harness.broken(warm.home) + harness.leftovers(warm.home)
        tally.print()
    return tally


def _live(home):
    return pipeline.live_id(Settings(home=home))
