"""A release published again without some of its content: same names, new id, one history."""

import shutil
from datetime import timedelta

import pytest

from matinee.errors import IntegrityError
from matinee.releases.reissue import file_names, manifest_fields, reissue, timestamps
from tests.releases import samples

LATER = samples.AT + timedelta(days=1)


def publish(store, minutes=0, shift=0):
    with store.draft() as draft:
        samples.fill(draft.path, shift)
        return store.publish(draft, samples.fields(minutes))


def without_card(release, draft, at):
    """Everything but one file."""
    for name in file_names(release):
        if name != "card.md":
            target = draft.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(release.path / name, target)
    shutil.rmtree(draft.path / "similar")
    return manifest_fields(release)


def promote(store, release, expected=None):
    store.promote(release.id, expected=expected, at=samples.AT, by="ann", why="good")


def again(store, release):
    return reissue(store, release, without_card, at=LATER, by="bob", why="erasure")


def test_the_live_name_follows_and_keeps_who_gave_it(store):
    old = publish(store)
    promote(store, old)
    done = again(store, old)
    assert store.live().id == done.after
    assert store.aliases().live.by == "ann"
    assert not old.path.exists()
    assert store.verify("live").release_id == done.after


def test_the_new_manifest_says_what_it_supersedes_and_why(store):
    old = publish(store)
    told = store.open(again(store, old).after).manifest
    assert (told["reason"], told["supersedes"]) == ("erasure", old.id)
    assert told["as_of"] == manifest_fields(store.open(told["release_id"]))[
        "as_of"
    ].isoformat().replace("+00:00", "Z")
    assert "similar/part-0000.parquet" not in {record["file"] for record in told["files"]}


def test_the_trail_tells_of_both_steps_and_the_old_id_is_never_used_again(store):
    old = publish(store)
    again(store, old)
    entries = store.trail().entries()
    assert [entry.action for entry in entries] == ["reissue", "remove"]
    assert entries[-1].release_id == old.id


def test_a_crash_after_publishing_is_mended_without_a_third_release(store):
    old = publish(store)
    promote(store, old)
    with store.draft() as draft:
        told = without_card(old, draft, LATER)
        told |= {"created_at": LATER, "reason": "erasure", "supersedes": old.id}
        fresh = store.publish(draft, told, force=True)
    assert again(store, old).after == fresh.id
    assert [release.id for release in store.list()] == [fresh.id]


def test_a_forged_release_is_not_made_good_by_signing_it_again(store):
    old = publish(store)
    (old.path / "hyperparameters.json").write_text('{"loss": "none"}')
    assert again(store, old).after is None
    assert not store.list()


def test_a_forged_release_that_is_live_stops_everything(store):
    old = publish(store)
    promote(store, old)
    (old.path / "hyperparameters.json").write_text('{"loss": "none"}')
    with pytest.raises(IntegrityError, match="It is live: give that name to another release"):
        again(store, old)
    assert old.path.exists()


def test_releases_published_again_at_once_keep_their_order():
    moments = timestamps(3, LATER)
    assert moments == sorted(moments)
    assert moments[-1] == LATER
