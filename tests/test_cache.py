"""What is kept in the user's cache folder comes back unchanged, or not at all."""

import hashlib
import os

import pytest

from matinee import cache

KEY = hashlib.sha256(b"project").hexdigest()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where files of the kind `test` are kept, with one file in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.write("test", KEY, b"parsed")
    return tmp_path / "matinee" / "test"


def test_what_was_kept_comes_back_and_nothing_else_is_left(folder):
    assert cache.read("test", KEY) == b"parsed"
    assert cache.read("test", KEY[::-1]) is None
    assert [path.name for path in folder.iterdir()] == [KEY]


@pytest.mark.parametrize("content", [b"", b"parsed", hashlib.sha256(b"parsed").digest() + b"parse"])
def test_a_damaged_file_is_not_read(folder, content):
    (folder / KEY).write_bytes(content)
    assert cache.read("test", KEY) is None


@pytest.mark.parametrize("place", [".", "..", KEY])
def test_nothing_is_read_that_others_could_have_written(folder, place):
    (folder / place).chmod(0o777)
    assert cache.read("test", KEY) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("place", [".", KEY])
def test_nothing_is_read_that_another_user_owns(folder, place):
    os.chown(folder / place, 12345, -1)
    assert cache.read("test", KEY) is None


def test_a_link_is_not_followed(folder, tmp_path):
    (folder / KEY).rename(tmp_path / "elsewhere")
    (folder / KEY).symlink_to(tmp_path / "elsewhere")
    assert cache.read("test", KEY) is None


def test_nothing_is_written_into_a_folder_of_others(folder):
    folder.chmod(0o777)
    cache.write("test", KEY[::-1], b"parsed")
    assert [path.name for path in folder.iterdir()] == [KEY]


def test_the_files_used_least_recently_go(folder, monkeypatch):
    monkeypatch.setattr(cache, "KEPT", 2)
    second, third = (hashlib.sha256(name).hexdigest() for name in (b"2", b"3"))
    os.utime(folder / KEY, (1, 1))
    cache.write("test", second, b"parsed")
    os.utime(folder / second, (2, 2))
    assert cache.read("test", KEY)  # and so it is used last
    cache.write("test", third, b"parsed")
    assert {path.name for path in folder.iterdir()} == {KEY, third}


@pytest.mark.parametrize("root", ["relative", "/dev/null/no-folder"])
def test_without_a_cache_folder_nothing_is_kept_and_nothing_fails(root, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", root)
    cache.write("test", KEY, b"parsed")
    assert cache.read("test", KEY) is None


def test_a_key_is_a_sha256(folder):
    with pytest.raises(ValueError, match=r"a key is 64 hexadecimal digits, got '\.\./x'"):
        cache.read("test", "../x")
