import pytest

from matinee.errors import IntegrityError
from matinee.releases import audit, signing
from tests.releases.samples import AT, promote, publish


@pytest.fixture
def trail(tmp_path):
    trail, key = audit.Trail(tmp_path / "audit.jsonl"), signing.private_key(tmp_path)
    for number in range(4):
        entry = audit.new_entry("promote", f"r{number}", at=AT, by="ada", why="line\nbreak")
        trail.append(entry, key)
    return trail


def test_an_empty_trail_has_the_genesis_head(tmp_path):
    trail = audit.Trail(tmp_path / "audit.jsonl")
    assert trail.head() == audit.GENESIS
    assert trail.contains(audit.GENESIS)
    assert not trail.contains("f" * 64)


def test_each_entry_holds_the_hash_of_the_one_before(trail):
    entries = trail.entries()
    assert [entry.before for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]


@pytest.mark.parametrize("number", range(4))
def test_a_changed_line_is_named(trail, number):
    lines = trail.path.read_text().splitlines(keepends=True)
    lines[number] = lines[number].replace("ada", "eve")
    trail.path.write_text("".join(lines))
    with pytest.raises(IntegrityError, match=rf"audit\.jsonl:{number + 1} breaks the chain"):
        trail.entries()


def test_a_removed_or_moved_line_is_named(trail):
    lines = trail.path.read_text().splitlines(keepends=True)
    for order in ([0, 2, 3], [1, 0, 2, 3], [0, 0, 1, 2, 3]):
        trail.path.write_text("".join(lines[number] for number in order))
        with pytest.raises(IntegrityError, match="breaks the chain"):
            trail.entries()


def test_an_interrupted_append_is_ignored_and_removed_by_the_next_one(trail, tmp_path):
    with trail.path.open("ab") as file:
        file.write(b'{"action":"prom')
    assert len(trail.entries()) == 4
    entry = audit.new_entry("promote", "r5", at=AT, by="ada", why="x")
    trail.append(entry, signing.private_key(tmp_path))
    assert [entry.release_id for entry in trail.entries()][-1] == "r5"


def test_a_rewritten_trail_does_not_match_the_manifests(store):
    promote(store, publish(store))
    release = publish(store, shift=1, minutes=1)
    fresh = audit.Trail(store.root / "audit.jsonl")
    fresh.path.unlink()
    entry = audit.new_entry("promote", "other", at=AT, by="eve", why="x")
    fresh.append(entry, signing.private_key(store.keys))
    (store.keys / "last_seen.json").unlink()
    with pytest.raises(IntegrityError, match=r"does not contain the entry that .* names"):
        store.verify(release.id)


def test_a_trail_truncated_after_the_newest_manifest_stops_verification_and_promotion(store):
    first = publish(store)
    second = publish(store, shift=1, minutes=1)
    promote(store, first)
    (store.root / "audit.jsonl").unlink()
    message = r"does not contain entry \w{12}, the last one that this machine has seen"
    with pytest.raises(IntegrityError, match=message):
        store.verify(first.id)
    with pytest.raises(IntegrityError, match=message):
        promote(store, second)


def test_an_invalid_alias_file_is_named(store):
    promote(store, publish(store))
    (store.root / "aliases.json").write_text('{"live": {"release_id": "../../etc"}}')
    with pytest.raises(IntegrityError, match=r"aliases\.json is not a valid alias file"):
        store.live()
