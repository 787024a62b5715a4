"""Fills a small disk under a step: exit code 6, live whole, and progress once there is room."""

import os
import shutil
import subprocess
from contextlib import contextmanager

from matinee import pipeline
from matinee.settings import Settings
from tests.faults import harness

STEPS = ("receive", "dbt", "training", "publishing")
MADE_ANEW = {"receive": "received", "training": "work"}
"""What a step makes anew; what is there already would give it room."""

SHARES = (0, 0.25, 0.5, 0.75, 0.95)
"""How much of what a step writes still has room."""


class NoDiskError(Exception):
    """Only root may mount one."""


@contextmanager
def small(folder):
    """A disk of its own, in memory."""
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


def fill(warm, kept, step):
    """Run a step again and again on a disk that has room for a part of what it writes."""
    tally = harness.Tally(f"full-{step}")
    ballast = warm.home.parent / "ballast"
    if step == "publishing":
        warm.prepare()
    elif step == "dbt":
        warm.run("receive")
    shutil.copytree(warm.home, kept)

    def restore():
        ballast.unlink(missing_ok=True)
        shutil.rmtree(warm.home)
        shutil.copytree(kept, warm.home)
        if step in MADE_ANEW:
            shutil.rmtree(warm.home / MADE_ANEW[step])

    def free():
        disk = os.statvfs(warm.home)
        return disk.f_bavail * disk.f_frsize

    restore()
    before = free()
    whole = warm.run(step)
    assert whole.is_through, f"{step} does not get through even with room: {whole.said[-1]}"
    written, live = before - free(), _live(kept)
    assert written > 0, f"{step} writes nothing: no disk is too full for it"
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
            tally.broken.append(f"exit code {full.code} with {left:,} bytes left: {full.said[-1]}")
        tally.broken += harness.broken(warm.home)
        if (now := _live(warm.home)) != live:
            tally.broken.append(f"live is {now}")
        ballast.unlink()
        if step == "publishing":  # a draft takes over what the steps before leave: made again
            shutil.rmtree(warm.home / "work")
            shutil.copytree(kept / "work", warm.home / "work")
        tally.progress += warm.run(step).is_through
        tally.broken += harness.broken(warm.home) + harness.leftovers(warm.home)
        tally.tell()
    return tally


def _live(home):
    return pipeline.live_id(Settings(home=home))
