"""What comes before each fault, so that its step has work to do, and where in it a fault landed."""

import shutil

from matinee import pipeline, releases
from matinee.settings import Settings
from tests.faults import harness


def receive(warm, home, kills):
    return harness.kill(
        warm, "receive", kills=kills, before=lambda: shutil.rmtree(warm.home / "received")
    )


def dbt(warm, home, kills):
    """Builds that take in a new day, as often as not over what a killed one left."""
    warm.run("receive")
    return harness.kill(warm, "dbt", kills=kills)


def training(warm, home, kills):
    return harness.kill(warm, "training", kills=kills)


def publishing(warm, home, kills):
    """The publishing of a new release: pages, signature, rename, names."""
    return _publishing(warm, home, kills, "publishing")


def swapping(warm, home, kills):
    """Its last moments alone: the release has its name, `live` has yet to move."""
    return _publishing(warm, home, kills, "swapping", at="renamed")


def _publishing(warm, home, kills, step, at=None):
    warm.prepare()
    kept = warm.home.with_name(f"{warm.home.name}-kept")
    for part in ("releases", "work"):
        harness.copy(warm.home / part, kept / part)
    before = _live(home)

    def restore(*parts):
        for part in parts:
            harness.copy(kept / part, warm.home / part)

    def window(run):
        if _live(warm.home) != before:
            return "live moved"
        if len(releases.Store.of(warm.home).list()) > 1:
            return "renamed, live not moved"
        drafts = list((warm.home / "releases").glob(".draft-*"))
        return "staging" if drafts else "before the draft"

    return harness.kill(
        warm,
        step,
        kills=kills,
        at=at,
        before=lambda: restore("releases", "work"),
        between=lambda: restore("work"),  # what the steps before would make again
        window=window,
        reached=lambda: _live(warm.home) != before,
    )


def night(warm, home, kills):
    """A whole night on a new day, at any moment of it."""
    before = _live(home)
    return harness.kill(
        warm,
        "night",
        kills=kills,
        before=lambda: harness.copy(home, warm.home),
        reached=lambda: _live(warm.home) != before,
    )


AIMS = {aim.__name__: aim for aim in (night, receive, dbt, training, publishing, swapping)}


def careless(warm):
    """What the harness sees of a publisher that is killed while it writes in place."""
    assert harness.broken(warm.home) == []
    assert warm.shoot("careless", 0, at="half a file").is_hit
    return next(iter(harness.broken(warm.home)), None)


def _live(home):
    return pipeline.live_id(Settings(home=home))
