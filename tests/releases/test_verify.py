import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matinee import releases
from matinee.errors import IntegrityError
from tests.releases.samples import promote, publish


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    store = releases.Store(folder / "releases", keys=folder / "keys")
    return store, publish(store)


def files_of(release):
    return sorted(path for path in release.path.rglob("*") if path.is_file())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_one_flipped_bit_anywhere_names_the_file(published, data):
    store, release = published
    path = data.draw(st.sampled_from(files_of(release)))
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    bit = data.draw(st.integers(0, 7))
    after = bytearray(before)
    after[place] ^= 1 << bit
    try:
        path.write_bytes(after)
        with pytest.raises(IntegrityError, match=f"{release.id}/{path.relative_to(release.path)}"):
            store.verify(release.id)
    finally:
        path.write_bytes(before)
    assert store.verify(release.id)


@pytest.mark.parametrize("name", ["manifest.json", "signature.json"])
def test_every_byte_of_manifest_and_signature_is_checked(published, name):
    store, release = published
    path = release.path / name
    before = path.read_bytes()
    for place in range(0, len(before), 7):
        path.write_bytes(before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :])
        with pytest.raises(IntegrityError, match=name):
            store.verify(release.id)
    for spelling in (before + b"\n", before + b" ", before.replace(b"\n", b"\r\n"), before[:-1]):
        path.write_bytes(spelling)
        with pytest.raises(IntegrityError, match=name):
            store.verify(release.id)
    path.write_bytes(before)
    assert store.verify(release.id)


@pytest.mark.parametrize("name", ["model/titles.npy", "manifest.json", "signature.json"])
def test_a_missing_file_is_named(store, name):
    release = publish(store)
    (release.path / name).unlink()
    with pytest.raises(IntegrityError, match=f"{release.id}/{name} is missing: do not serve it"):
        store.verify(release.id)


def test_an_extra_file_is_named(store):
    release = publish(store)
    (release.path / "model/extra.npy").write_bytes(b"x")
    with pytest.raises(IntegrityError, match=r"model/extra\.npy is not in the manifest: remove it"):
        store.verify(release.id)


def test_a_link_instead_of_a_file_is_named(store, tmp_path):
    release = publish(store)
    path = release.path / "card.md"
    path.rename(tmp_path / "card.md")
    path.symlink_to(tmp_path / "card.md")
    with pytest.raises(IntegrityError, match=r"card\.md is not a plain file"):
        store.verify(release.id)


def test_a_file_of_another_release_is_named(store):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    shutil.copy(first.path / "slates/part-0000.parquet", second.path / "slates/part-0000.parquet")
    with pytest.raises(IntegrityError, match=r"slates/part-0000\.parquet is not the file that was"):
        store.verify(second.id)


def test_a_rewritten_manifest_with_matching_hashes_is_named(store):
    release = publish(store)
    (release.path / "card.md").write_text("# A better card\n")
    manifest = json.loads((release.path / "manifest.json").read_text())
    manifest["gate"]["rules"][0]["observed"] = 2
    (release.path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(IntegrityError, match=r"manifest\.json is not the one that signature\.json"):
        store.verify(release.id)


def test_a_release_under_the_id_of_another_is_named(store):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    shutil.rmtree(second.path)
    shutil.copytree(first.path, second.path)
    with pytest.raises(IntegrityError, match=f"manifest.json belongs to release {first.id}"):
        store.verify(second.id)


def test_a_release_signed_by_an_untrusted_key_is_refused(store, tmp_path):
    other = releases.Store(store.root, keys=tmp_path / "other-keys")
    publish(store)
    forged = publish(other, shift=1, minutes=1)
    with pytest.raises(IntegrityError, match=r"signed by key .*, which is not in .*keys"):
        store.verify(forged.id)


def test_a_store_without_trusted_keys_verifies_nothing(store):
    release = publish(store)
    for path in store.keys.glob("*.pub"):
        path.unlink()
    with pytest.raises(IntegrityError, match=r"no trusted key in .*: copy the public key"):
        store.verify(release.id)


def test_a_broken_release_is_not_promoted(store):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    (second.path / "card.md").write_text("x")
    promote(store, first)
    with pytest.raises(IntegrityError, match=r"card.md"):
        promote(store, second)
    assert store.live() == first


def test_an_integrity_error_has_exit_code_5():
    assert IntegrityError.exit_code == 5
