from pathlib import Path

import pytest

from matinee import releases
from matinee.errors import BusyError, ConfigError, DataError, GateError, StorageError
from tests.releases.samples import AT, GREEN, RED, fields, fill, promote, publish

SAID = {"at": AT, "by": "test", "why": "because"}


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


def test_the_same_content_is_not_published_twice_unless_asked(store):
    first = publish(store)
    assert publish(store, minutes=5) == first
    assert len(store.list()) == 1
    assert publish(store, minutes=5, force=True) != first
    assert [release.id for release in store.list()] == sorted(
        (release.id for release in store.list()), reverse=True
    )


def test_the_same_content_under_another_verdict_is_another_release(store):
    assert publish(store).id != publish(store, minutes=5, gate=RED).id


def test_a_broken_twin_does_not_stand_in_for_a_new_release(store):
    first = publish(store)
    (first.path / "card.md").write_text("changed")
    second = publish(store, minutes=5)
    assert second != first
    assert store.verify(second.id)


def test_an_id_is_never_reused(store):
    publish(store)
    with pytest.raises(ConfigError, match="ids are never reused; publish with a later created_at"):
        publish(store, force=True)


def test_an_id_that_was_removed_is_not_reused_either(store):
    old = publish(store)
    publish(store, shift=1, minutes=1)
    assert store.gc(1, **SAID) == (old.id,)
    with pytest.raises(ConfigError, match="exists or existed"):
        publish(store)


def test_an_unpublished_draft_leaves_nothing(store):
    with store.draft() as draft:
        fill(draft.path)
    assert [path.name for path in store.root.iterdir()] == [".lock"]


def test_a_draft_knows_its_id_before_its_pages_are_written(store):
    with store.draft() as draft:
        fill(draft.path)
        told = draft.release_id(AT)
        (draft.path / "report.html").write_text(f"<p>{told}</p>")
        assert store.publish(draft, fields()).id == told


def test_content_may_not_change_once_the_id_was_told(store):
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
def test_what_is_neither_an_alias_nor_an_id_never_becomes_a_path(store, name):
    with pytest.raises(ConfigError, match=r"neither an alias .live, previous, candidate. nor"):
        store.open(name)


def test_an_unknown_release_and_an_empty_alias_say_what_to_do(store):
    with pytest.raises(ConfigError, match="`matinee releases list` shows them"):
        store.open("20260102T031500Z-0123456789ab")
    with pytest.raises(ConfigError, match=r"no release is live in .*: publish one with"):
        store.open("live")


def test_a_red_gate_is_passed_only_by_naming_the_rule_and_answering_for_it(store):
    release = publish(store, gate=RED)
    with pytest.raises(GateError, match=r"refused .* by coverage: live stays; see its report.html"):
        promote(store, release)
    with pytest.raises(GateError, match="by coverage"):
        promote(store, release, overrides=[])
    with pytest.raises(ConfigError, match=r"an override needs who .--by. and a reason"):
        promote(store, release, overrides=["coverage"], why=" ")
    with pytest.raises(ConfigError, match=r"rule finite did not fail .* failed are coverage"):
        promote(store, release, overrides=["coverage", "finite"])
    assert store.live() is None
    promote(store, release, overrides=["coverage"], by="ada", why="a holiday")
    live = store.aliases().live
    assert (live.overrides, live.by, live.why) == (("coverage",), "ada", "a holiday")
    assert store.trail().entries()[-1].overrides == ("coverage",)


@pytest.mark.parametrize("gate", [{}, {"rules": []}])
def test_a_release_that_no_gate_judged_is_not_promoted(store, gate):
    with pytest.raises(GateError, match="by not_judged"):
        promote(store, publish(store, gate=gate))


def test_a_promotion_that_expected_another_live_release_loses(store):
    first, second, third = (publish(store, shift=n, minutes=n) for n in range(3))
    promote(store, first)
    promote(store, second)
    with pytest.raises(
        BusyError, match=f"live is {second.id} and not {first.id} as expected: another promotion"
    ):
        promote(store, third, expected=first.id)
    assert store.live() == second


def test_promoting_the_live_release_again_changes_nothing(store):
    release = publish(store)
    promote(store, release)
    before = (store.root / "aliases.json").read_bytes()
    promote(store, release)
    assert (store.root / "aliases.json").read_bytes() == before


def test_a_candidate_is_named_and_no_longer_one_when_it_goes_live(store):
    release = publish(store, gate=RED)
    store.nominate(release.id, **SAID)
    assert store.open("candidate") == release
    assert store.aliases().names_of(release.id) == ["candidate"]
    promote(store, release, overrides=["coverage"])
    assert store.aliases().candidate is None


def test_rollback_is_one_step_and_only_one(store):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    promote(store, second)
    store.rollback(**SAID)
    assert store.live() == first
    with pytest.raises(ConfigError, match="no previous release: promote one by its id"):
        store.rollback(**SAID)


def test_the_trail_tells_every_change_in_order(store):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    promote(store, second)
    store.rollback(**SAID)
    told = [(entry.action, entry.release_id) for entry in store.trail().entries()]
    assert told == [("promote", first.id), ("promote", second.id), ("rollback", first.id)]
    assert store.aliases().audit_head == store.trail().head()


def test_each_manifest_holds_the_head_of_the_trail(store):
    promote(store, publish(store))
    assert publish(store, shift=1, minutes=1).manifest["audit_head"] == store.trail().head()


def test_gc_keeps_the_newest_and_whatever_has_a_name(store):
    old = [publish(store, shift=n, minutes=n) for n in range(5)]
    promote(store, old[0])
    assert set(store.gc(2, **SAID)) == {old[1].id, old[2].id}
    assert {release.id for release in store.list()} == {old[0].id, old[3].id, old[4].id}
    with pytest.raises(ConfigError, match="keep must be 1 or more, got 0"):
        store.gc(0, **SAID)


def test_a_store_that_cannot_be_written_says_where(tmp_path):
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


def test_a_gate_without_failures_needs_no_override(store):
    release = publish(store, gate=GREEN)
    with pytest.raises(ConfigError, match="failed are none"):
        promote(store, release, overrides=["finite"])
