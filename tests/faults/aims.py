"""The targets of kills: the preparation of each step, and where in the step a kill landed."""

import shutil

from matinee import pipeline, releases
from matinee.settings import Settings
from tests.faults import harness


def receive(warm, home, kills):
    return harness.kill(
        warm, "receive", kills=kills, before=lambda: shutil.rmtree(warm.home / "received")
    )


def dbt(warm, home, kills):
    """Builds of a new day, often on top of an interrupted build."""
    warm.run("receive")
    return harness.kill(warm, "dbt", kills=kills)


def training(warm, home, kills):
    return harness.kill(warm, "training", kills=kills)


def publishing(warm, home, kills):
    """Publishing a release: pages, signature, rename, aliases."""
    return _publishing(warm, home, kills, "publishing")


def swapping(warm, home, kills):
    """The end of publishing: the release is renamed, `live` has not moved yet."""
    return _publishing(warm, home, kills, "swapping", at="renamed")


def _publishing(warm, home, kills, step, at=None):
    warm.prepare()
    saved = warm.home.with_name(f"{warm.home.name}-saved")
    for part in ("releases", "keys", "work"):
        harness.copy(warm.home / part, saved / part)
    before = _live(home)

    def restore(*parts):
        for part in parts:
            harness.copy(saved / part, warm.home / part)

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
        before=lambda: restore("releases", "keys", "work"),
        between=lambda: restore("work"),  # as the earlier steps would write it again
        window=window,
        reached=lambda: _live(warm.home) != before,
    )


def night(warm, home, kills):
    """A whole night with a new day, at any moment."""
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
    """The damage after a kill of a publisher that writes in place: the positive control."""
    assert harness.broken(warm.home) == []
    assert warm.kill_at("careless", 0, at="half a file").is_hit
    return next(iter(harness.broken(warm.home)), None)


def _live(home):
    return pipeline.live_id(Settings(home=home))
