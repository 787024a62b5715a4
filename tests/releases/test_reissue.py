"""A reissued release: same aliases, new id, one audit trail."""

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


def reissue_without_card(store, release):
    return reissue(store, release, without_card, at=LATER, by="bob", why="erasure")


def test_the_live_alias_moves_and_keeps_who_set_it(store):
    old = publish(store)
    promote(store, old)
    done = reissue_without_card(store, old)
    assert store.live().id == done.after
    assert store.aliases().live.by == "ann"
    assert not old.path.exists()
    assert store.verify("live").release_id == done.after


def test_the_new_manifest_names_the_old_release_and_the_reason(store):
    old = publish(store)
    manifest = store.open(reissue_without_card(store, old).after).manifest
    assert (manifest["reason"], manifest["supersedes"]) == ("erasure", old.id)
    as_of = manifest_fields(store.open(manifest["release_id"]))["as_of"]
    assert manifest["as_of"] == as_of.isoformat().replace("+00:00", "Z")
    assert "similar/part-0000.parquet" not in {record["file"] for record in manifest["files"]}


def test_the_trail_has_both_steps_for_the_old_release(store):
    old = publish(store)
    reissue_without_card(store, old)
    entries = store.trail().entries()
    assert [entry.action for entry in entries] == ["reissue", "remove"]
    assert entries[-1].release_id == old.id


def test_a_repeated_reissue_after_a_crash_reuses_the_new_release(store):
    old = publish(store)
    promote(store, old)
    with store.draft() as draft:
        fields = without_card(old, draft, LATER)
        fields |= {"created_at": LATER, "reason": "erasure", "supersedes": old.id}
        fresh = store.publish(draft, fields, force=True)
    assert reissue_without_card(store, old).after == fresh.id
    assert [release.id for release in store.list()] == [fresh.id]


def test_a_forged_release_is_removed_and_not_signed_again(store):
    old = publish(store)
    (old.path / "hyperparameters.json").write_text('{"loss": "none"}')
    assert reissue_without_card(store, old).after is None
    assert not store.list()


def test_a_forged_live_release_stops_the_reissue(store):
    old = publish(store)
    promote(store, old)
    (old.path / "hyperparameters.json").write_text('{"loss": "none"}')
    with pytest.raises(IntegrityError, match="It is live: move that alias to another release"):
        reissue_without_card(store, old)
    assert old.path.exists()


def test_releases_reissued_together_keep_their_order():
    moments = timestamps(3, LATER)
    assert moments == sorted(moments)
    assert moments[-1] == LATER
