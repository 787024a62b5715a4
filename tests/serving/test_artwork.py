"""Which picture a member sees: by the policy's chances, and the same one every time."""

from collections import Counter

import pytest

from matinee.releases import Store
from matinee.releases.serving_files import hashed
from matinee.serving.artwork import Choices, Draw
from matinee.serving.release_view import ReleaseView

CHANCES = (0.7, 0.2, 0.1)
ASSETS = ("a", "b", "c")
DRAWS = tuple(Draw(name, chance, ASSETS, b"") for name, chance in zip(ASSETS, CHANCES, strict=True))
CHOICES = Choices(DRAWS, (0.7, 0.9, 1.0), salt=int(hashed("t1")))


def test_pictures_are_drawn_by_their_chances():
    counts = Counter(CHOICES.drawn(int(hashed(f"m-{one}"))).asset_id for one in range(20_000))
    assert [counts[name] / 20_000 for name in ASSETS] == pytest.approx(CHANCES, abs=0.015)


def test_a_member_keeps_a_picture_until_the_policy_changes():
    later = Choices(DRAWS, CHOICES.bounds, salt=int(hashed("t1 of another day")))
    keys = [int(hashed(f"m-{one}")) for one in range(500)]
    assert [CHOICES.drawn(key) for key in keys] == [CHOICES.drawn(key) for key in keys]
    moved = sum(CHOICES.drawn(key) is not later.drawn(key) for key in keys)
    assert 0 < moved < 400


def test_draws_for_two_titles_are_independent():
    other = Choices(DRAWS, CHOICES.bounds, salt=int(hashed("t2")))
    keys = [int(hashed(f"m-{one}")) for one in range(20_000)]
    both = sum(CHOICES.drawn(key).asset_id == other.drawn(key).asset_id == "a" for key in keys)
    assert both / 20_000 == pytest.approx(0.49, abs=0.015)


def test_somebody_whose_data_is_not_used_sees_the_likeliest_picture():
    assert CHOICES.likeliest().asset_id == "a"


@pytest.fixture(scope="module")
def view(night_home):
    return ReleaseView.open(Store.of(night_home).open("live"))


def test_every_picture_of_a_release_is_approved_and_its_chances_sum_to_one(view):
    approved = set(view.release.table("artwork/assets.parquet")["asset_id"].to_pylist())
    assert view.artwork.choices
    for choices in view.artwork.choices.values():
        assert choices.bounds[-1] == pytest.approx(1.0)
        assert {one.asset_id for one in choices.draws} <= approved


def test_an_ai_label_follows_the_picture(view):
    table = view.release.table("artwork/assets.parquet").to_pylist()
    labels = {row["asset_id"]: row["disclosure_label"] for row in table}
    draws = [one for choices in view.artwork.choices.values() for one in choices.draws]
    labelled = [one for one in draws if labels[one.asset_id]]
    assert labelled
    assert all(labels[one.asset_id].encode() in one.head for one in labelled)


def test_members_have_the_segment_that_the_release_gave_them(view):
    table = view.release.table("insights/segment_members.parquet")
    member, segment = (table[name][0].as_py() for name in ("member_id", "segment"))
    row = view.files.row_of(member)
    assert view.artwork.of(member, row, is_personal=True).segment == segment
    assert view.artwork.of(member, row, is_personal=False).key is None


def test_a_title_with_one_picture_shows_it(view):
    pictures = view.artwork.of(None, -1, is_personal=True)
    titles = range(len(view.files.titles))
    single = [one for one in titles if (one, 0) not in view.artwork.choices]
    assert [pictures.head(one) for one in single] == [view.heads[one] for one in single]
