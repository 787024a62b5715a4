from pathlib import Path

import pytest

from matinee import releases
from matinee.errors import BusyError, ConfigError, DataError, GateError, StorageError
from tests.releases.samples import AT, GREEN, RED, fields, fill, promote, publish

ARGUMENTS = {"at": AT, "by": "test", "why": "because"}


def test_a_published_release_opens_by_its_id_and_verifies(store):
    release = publish(store)
    assert store.open(release.id) == release
    assert store.verify(release.id).file_count == 9
    assert release.id.startswith("20260102T031500Z-")
    assert release.manifest["content_digest"].startswith(release.id[-12:])


def test_nothing_is_live_until_it_is_promoted(store):
    release = publish(store)
    assert store.live() is None
    promote(store, release)
    assert store.live() == release


def test_the_same_content_is_published_again_only_with_force(store):
    first = publish(store)
    assert publish(store, minutes=5) == first
    assert len(store.list()) == 1
    assert publish(store, minutes=5, force=True) != first
    assert [release.id for release in store.list()] == sorted(
        (release.id for release in store.list()), reverse=True
    )


def test_the_same_content_with_another_verdict_is_another_release(store):
    assert publish(store).id != publish(store, minutes=5, gate=RED).id


def test_a_broken_release_is_not_returned_for_equal_content(store):
    first = publish(store)
    (first.path / "card.md").write_text("changed")
    second = publish(store, minutes=5)
    assert second != first
    assert store.verify(second.id)


def test_an_id_is_never_reused(store):
    publish(store)
    with pytest.raises(ConfigError, match="ids are never reused; publish with a later created_at"):
        publish(store, force=True)


def test_the_id_of_a_removed_release_is_not_reused(store):
    old = publish(store)
    publish(store, shift=1, minutes=1)
    assert store.gc(1, **ARGUMENTS) == (old.id,)
    with pytest.raises(ConfigError, match="exists or existed"):
        publish(store)


def test_an_unpublished_draft_leaves_nothing(store):
    with store.draft() as draft:
        fill(draft.path)
    assert [path.name for path in store.root.iterdir()] == [".lock"]


def test_a_draft_knows_its_id_before_its_pages_are_written(store):
    with store.draft() as draft:
        fill(draft.path)
        release_id = draft.release_id(AT)
        (draft.path / "report.html").write_text(f"<p>{release_id}</p>")
        assert store.publish(draft, fields()).id == release_id


def test_content_may_not_change_after_the_id_was_computed(store):
    with store.draft() as draft:
        fill(draft.path)
        draft.release_id(AT)
        (draft.path / "hyperparameters.json").write_text('{"loss": "bpr"}')
        with pytest.raises(ConfigError, match="the draft changed after its id"):
            store.publish(draft, fields())


def test_an_empty_draft_and_a_draft_with_a_manifest_are_refused(store):
    with store.draft() as draft:
        with pytest.raises(DataError, match="the draft is empty"):
            store.publish(draft, fields())
        (draft.path / "manifest.json").write_text("{}")
        with pytest.raises(ConfigError, match=r"the store writes manifest.json itself"):
            store.publish(draft, fields())


@pytest.mark.parametrize("name", ["../keys", "latest", "", ".lock", "20260102T031500Z-XYZ", "a/b"])
def test_only_an_alias_or_an_id_becomes_a_path(store, name):
    with pytest.raises(ConfigError, match=r"neither an alias .live, previous, candidate. nor"):
        store.open(name)


def test_an_unknown_release_and_an_unset_alias_are_refused_with_a_remedy(store):
    with pytest.raises(ConfigError, match="`matinee releases list` shows them"):
        store.open("20260102T031500Z-0123456789ab")
    with pytest.raises(ConfigError, match=r"no live release in .*: publish one with"):
        store.open("live")


def test_a_failed_gate_is_overridden_by_rule_person_and_reason_only(store):
    release = publish(store, gate=RED)
    with pytest.raises(
        GateError, match=r"refused .* \(failed: coverage\): live is unchanged; see its report.html"
    ):
        promote(store, release)
    with pytest.raises(GateError, match="failed: coverage"):
        promote(store, release, overrides=[])
    with pytest.raises(ConfigError, match=r"an override needs a person .--by. and a reason"):
        promote(store, release, overrides=["coverage"], why=" ")
    with pytest.raises(ConfigError, match=r"rule finite did not fail .* failed rules: coverage"):
        promote(store, release, overrides=["coverage", "finite"])
    assert store.live() is None
    promote(store, release, overrides=["coverage"], by="ada", why="a holiday")
    live = store.aliases().live
    assert (live.overrides, live.by, live.why) == (("coverage",), "ada", "a holiday")
    assert store.trail().entries()[-1].overrides == ("coverage",)


@pytest.mark.parametrize("gate", [{}, {"rules": []}])
def test_a_release_without_gate_rules_is_not_promoted(store, gate):
    with pytest.raises(GateError, match="failed: not_judged"):
        promote(store, publish(store, gate=gate))


def test_a_promotion_with_an_outdated_live_release_is_refused(store):
    first, second, third = (publish(store, shift=n, minutes=n) for n in range(3))
    promote(store, first)
    promote(store, second)
    with pytest.raises(
        BusyError, match=f"live is {second.id} and not {first.id} as expected: another promotion"
    ):
        promote(store, third, expected=first.id)
    assert store.live() == second


def test_a_second_promotion_of_the_live_release_changes_nothing(store):
    release = publish(store)
    promote(store, release)
    before = (store.root / "aliases.json").read_bytes()
    promote(store, release)
    assert (store.root / "aliases.json").read_bytes() == before


def test_a_promoted_candidate_loses_its_candidate_alias(store):
    release = publish(store, gate=RED)
    store.nominate(release.id, **ARGUMENTS)
    assert store.open("candidate") == release
    assert store.aliases().names_of(release.id) == ["candidate"]
    promote(store, release, overrides=["coverage"])
    assert store.aliases().candidate is None


def test_rollback_works_once(store):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    promote(store, second)
    store.rollback(**ARGUMENTS)
    assert store.live() == first
    with pytest.raises(ConfigError, match="no previous release: promote a release by its id"):
        store.rollback(**ARGUMENTS)


def test_the_trail_has_every_change_in_order(store):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    promote(store, second)
    store.rollback(**ARGUMENTS)
    changes = [(entry.action, entry.release_id) for entry in store.trail().entries()]
    assert changes == [("promote", first.id), ("promote", second.id), ("rollback", first.id)]
    assert store.aliases().audit_head == store.trail().head()


def test_each_manifest_contains_the_head_of_the_trail(store):
    promote(store, publish(store))
    assert publish(store, shift=1, minutes=1).manifest["audit_head"] == store.trail().head()


def test_gc_counts_days_of_data_and_no_reissue_takes_the_place_of_a_day(store):
    first, second = publish(store, shift=1, minutes=1), publish(store, shift=2, minutes=2)
    reissued = publish(store, shift=1, minutes=3, force=True)
    assert store.gc(2, **ARGUMENTS) == (first.id,)
    assert {one.id for one in store.list()} == {second.id, reissued.id}


def test_gc_keeps_the_newest_and_those_with_an_alias(store):
    old = [publish(store, shift=n, minutes=n) for n in range(5)]
    promote(store, old[0])
    assert set(store.gc(2, **ARGUMENTS)) == {old[1].id, old[2].id}
    assert {release.id for release in store.list()} == {old[0].id, old[3].id, old[4].id}
    with pytest.raises(ConfigError, match="keep must be 1 or more, got 0"):
        store.gc(0, **ARGUMENTS)


def test_a_store_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "releases").write_text("a file, not a folder")
    store = releases.Store(tmp_path / "releases", keys=tmp_path / "keys")
    with pytest.raises(StorageError, match="check the disk and its rights"), store.draft():
        pass


def test_the_public_key_is_published_beside_the_releases(store):
    publish(store)
    published, trusted = list(store.root.glob("*.pub")), list(store.keys.glob("*.pub"))
    assert [path.name for path in published] == [path.name for path in trusted]
    assert published[0].read_bytes() == trusted[0].read_bytes()


def test_nothing_in_the_package_loads_pickles():
    for path in Path(releases.__file__).parent.parent.rglob("*.py"):
        text = path.read_text()
        assert "import pickle" not in text, path
        assert "allow_pickle=True" not in text, path


def test_an_override_of_a_passed_rule_is_refused(store):
    release = publish(store, gate=GREEN)
    with pytest.raises(ConfigError, match="failed rules: none"):
        promote(store, release, overrides=["finite"])
