"""An override names the failed rule; the card names the person and the reason."""

import shutil
from datetime import UTC, datetime

import pytest

from matinee import pipeline, releases
from matinee.errors import ConfigError, GateError
from matinee.releases.reissue import file_names, manifest_fields
from matinee.settings import Settings

AT = datetime(2026, 12, 1, tzinfo=UTC)
OVERRIDE = {"at": AT, "by": "ada", "why": "a holiday, seen by hand"}
RULE = {"rule": "planted", "passed": False, "observed": 0.1, "threshold": 0.2, "text": "planted"}


@pytest.fixture
def refused(copied):
    """A home with a candidate: the live release again, with a failed rule."""
    settings = Settings(home=copied)
    store = releases.Store.of(settings.home)
    live = store.live()
    fields = manifest_fields(live)
    fields["gate"] = {"rules": [*fields["gate"]["rules"], RULE], "overrides": []}
    with store.draft() as draft:
        for name in file_names(live):
            (draft.path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(live.path / name, draft.path / name)
        created_at = datetime(2026, 11, 30, tzinfo=UTC)
        release = store.publish(draft, {**fields, "created_at": created_at})
    store.nominate(release.id, at=AT, by="night", why="planted")
    return settings, store, release


def test_an_override_is_on_the_card_the_page_and_in_the_signed_manifest(refused):
    settings, store, release = refused
    with pytest.raises(GateError, match="failed: planted"):
        pipeline.promote(settings, "candidate", **OVERRIDE)
    alias = pipeline.promote(settings, "candidate", overrides=["planted"], **OVERRIDE)
    live = store.open("live")
    assert store.verify("live").release_id == live.id == alias.release_id != release.id
    assert live.manifest["gate"]["overrides"] == [
        {"rule": "planted", "by": "ada", "why": "a holiday, seen by hand"}
    ]
    assert live.manifest["supersedes"] == release.id
    assert live.id.endswith(release.id[-12:])
    card = (live.path / "card.md").read_text()
    assert "**Override:** planted, by ada: a holiday, seen by hand" in card
    page = (live.path / "report.html").read_text()
    assert "planted, by ada: a holiday, seen by hand" in page
    assert (alias.overrides, alias.by) == (("planted",), "ada")
    assert store.aliases().candidate is None
    changes = [(entry.action, entry.release_id) for entry in store.trail().entries()][-3:]
    assert changes == [("reissue", live.id), ("remove", release.id), ("promote", live.id)]
    (row,) = [row for row in pipeline.list_releases(settings) if row["release"] == live.id]
    assert row["gate"] == "refused by planted, overridden by ada"
    assert pipeline.promote(settings, "live", overrides=["planted"], **OVERRIDE) == alias


def test_a_machine_without_a_signing_key_cannot_override(refused):
    settings, store, release = refused
    (store.keys / "signing.pem").unlink()
    before = store.aliases()
    message = (
        rf"an override needs a new signature of {release.id}, and .*/keys has no signing key: "
    )
    with pytest.raises(ConfigError, match=message + "promote it where releases are built"):
        pipeline.promote(settings, "candidate", overrides=["planted"], **OVERRIDE)
    assert store.aliases() == before
