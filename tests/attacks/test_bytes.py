"""A flipped byte in what a command reads is a refusal that names the file, or changes nothing."""

import random
import shutil

import pytest

from matinee import pipeline, releases
from matinee.errors import IntegrityError, MatineeError
from matinee.settings import Settings
from tests.attacks.commands import LONG, command

POSITIONS = 200 if LONG else 24
"""In each file: half of them anywhere, half at its end, where Parquet has what it is."""

READ = (
    "slates/part-0000.parquet",
    "vocabulary/titles.parquet",
    "vocabulary/members.parquet",
    "similar/part-0000.parquet",
    "evaluation/gate.json",
    "manifest.json",
    "signature.json",
)


def flips(content, seed):
    """The content with one bit changed, at positions drawn from a seed."""
    draw = random.Random(seed)  # noqa: S311
    for number in range(POSITIONS):
        place = draw.randrange(len(content))
        if number % 2:
            place = len(content) - 1 - draw.randrange(min(600, len(content)))
        changed = bytearray(content)
        changed[place] ^= 1 << draw.randrange(8)
        yield place, bytes(changed)


def outcome(look):
    """An answer, that it was refused as it should be, or what happened instead."""
    try:
        return look()
    except MatineeError as error:
        is_ours = error.exit_code in (2, 5) and "\n" not in str(error)
        return "refused" if is_ours else f"{error.exit_code}: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def looks(settings, member, title):
    """What a reader asks of a release."""
    yield lambda: pipeline.recommend(settings, member, k=5, release="live")
    yield lambda: pipeline.similar(settings, title, k=5, release="live")


@pytest.mark.parametrize("name", READ)
def test_a_flipped_byte_is_refused_or_changes_no_answer(published, hold, name):
    settings = Settings(home=published)
    live = releases.Store.of(published).open("live")
    member = live.manifest["samples"][0]
    title = live.titles()["title_id"][0].as_py()
    before = [look() for look in looks(settings, member, title)]
    path = live.path / name
    content = path.read_bytes()

    def check(place, changed):
        path.write_bytes(changed)
        for look, answer in zip(looks(settings, member, title), before, strict=True):
            assert outcome(look) in (answer, "refused")
        with pytest.raises(IntegrityError):  # and whoever verifies it, knows
            releases.Store.of(published).verify("live")

    hold(check, flips(content, seed=name))


CHANGES = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "text": lambda content: b"PAR1" + b"x" * 100 + b"PAR1",
    "another": lambda content: content[::-1],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", READ[:5])
def test_a_file_that_is_no_longer_one_is_refused_by_name(published, name, change):
    live = releases.Store.of(published).open("live")
    path = live.path / name
    path.write_bytes(CHANGES[change](path.read_bytes()))
    folder, _, _ = name.partition("/")
    read = {"slates": live.slate, "similar": live.similar, "evaluation": live.json}
    argument = name if folder not in ("slates", "similar") else "x"
    with pytest.raises(IntegrityError, match=rf"{name}.*`matinee releases verify` it"):
        read.get(folder, live.table)(argument)


@pytest.mark.parametrize("name", READ[:3])
def test_a_file_that_is_gone_is_refused_by_name(published, name):
    live = releases.Store.of(published).open("live")
    member = live.manifest["samples"][0]
    shutil.move(live.path / name, published / "elsewhere")
    done = command(published, "recommend", member)
    assert (done.code, done.crash) == (5, None)
    assert f"{name} is gone: the release was changed" in done.err
